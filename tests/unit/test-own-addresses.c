/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "own-addresses.h"

#include "support.h"

#include <arpa/inet.h>

#include "host.h"
#include "openvswitch/util.h"
#include "util.h"

/* Returns the address 'text' of 'interface'. */
static struct host_address
address_of(const char *interface, const char *text)
{
    struct host_address a;

    memset(&a, 0, sizeof a);
    snprintf(a.interface, sizeof a.interface, "%s", interface);
    assert_true(address_from_text(text, &a.address));
    return a;
}

static ovs_be32
ip_of(const char *text)
{
    ovs_be32 ip;

    assert_int_equal(inet_pton(AF_INET, text, &ip), 1);
    return ip;
}

static bool
has(const struct own_addresses *own, const char *text)
{
    return own_addresses_contain(own, ip_of(text));
}

static void
test_nothing_is_ones_own_at_first(void **state OVS_UNUSED)
{
    struct own_addresses own;

    memset(&own, 0xa5, sizeof own);
    own_addresses_init(&own);
    assert_false(has(&own, "0.0.0.0"));
    assert_false(has(&own, "192.0.2.1"));
    own_addresses_destroy(&own);
}

/* Those of this bridge, all of them, and no others: what comes from the mesh
 * may well have been sent by a host of another network of ours. */
static void
test_the_addresses_of_the_bridge(void **state OVS_UNUSED)
{
    const struct host_address all[] = {
        address_of("lo", "127.0.0.1"),
        address_of("br0", "192.0.2.1"),
        address_of("eth0", "198.51.100.1"),
        address_of("br0", "fe80::1"),
        address_of("br0", "2001:db8::c000:203"),
        address_of("br01", "203.0.113.1"),
        address_of("br", "203.0.113.2"),
        address_of("BR0", "203.0.113.3"),
        address_of("br0", "192.0.2.2"),
        address_of("br0", "10.1.2.3"),
    };
    static const char *const others[] = {
        "127.0.0.1",   "198.51.100.1", "203.0.113.1", "203.0.113.2",
        "203.0.113.3", "192.0.2.3",    "192.0.2.0",   "1.2.0.192",
        "0.0.0.0",     "0.0.0.1",      "3.2.1.10",    "255.255.255.255",
    };
    struct own_addresses own;

    own_addresses_init(&own);
    own_addresses_update(&own, "br0", all, ARRAY_SIZE(all));
    assert_int_equal(own.n, 3);
    assert_true(has(&own, "192.0.2.1"));
    assert_true(has(&own, "192.0.2.2"));
    assert_true(has(&own, "10.1.2.3"));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_false(has(&own, others[i]));
    }
    own_addresses_destroy(&own);
}

/* A host may have one twice, with prefixes of different lengths. */
static void
test_each_address_counts_once(void **state OVS_UNUSED)
{
    const struct host_address all[] = {
        address_of("br0", "192.0.2.1"),
        address_of("br0", "192.0.2.1"),
        address_of("br0", "192.0.2.2"),
        address_of("br0", "192.0.2.1"),
    };
    struct own_addresses own;

    own_addresses_init(&own);
    own_addresses_update(&own, "br0", all, ARRAY_SIZE(all));
    assert_int_equal(own.n, 2);
    assert_true(has(&own, "192.0.2.1"));
    assert_true(has(&own, "192.0.2.2"));
    own_addresses_destroy(&own);
}

static void
test_what_was_is_forgotten(void **state OVS_UNUSED)
{
    const struct host_address all[] = {
        address_of("br0", "192.0.2.1"),
        address_of("br0", "192.0.2.2"),
        address_of("br1", "192.0.2.3"),
    };
    struct own_addresses own;

    own_addresses_init(&own);
    for (size_t n = 0; n <= ARRAY_SIZE(all); n++) {
        own_addresses_update(&own, "br0", all, n);
        assert_int_equal(has(&own, "192.0.2.1"), n >= 1);
        assert_int_equal(has(&own, "192.0.2.2"), n >= 2);
        assert_false(has(&own, "192.0.2.3"));
    }
    own_addresses_update(&own, "br1", all, ARRAY_SIZE(all));
    assert_int_equal(own.n, 1);
    assert_true(has(&own, "192.0.2.3"));
    own_addresses_update(&own, "br1", NULL, 0);
    assert_int_equal(own.n, 0);
    assert_false(has(&own, "192.0.2.3"));
    own_addresses_destroy(&own);
}

/* The caller builds flows anew when there is a change, and only then. */
static void
test_update_says_what_changes(void **state OVS_UNUSED)
{
    struct host_address all[] = {
        address_of("br0", "192.0.2.1"),
        address_of("eth0", "192.0.2.2"),
        address_of("br0", "192.0.2.3"),
    };
    struct own_addresses own;

    own_addresses_init(&own);
    assert_false(own_addresses_update(&own, "br0", NULL, 0));
    assert_false(own_addresses_update(&own, "br1", all, ARRAY_SIZE(all)));
    assert_true(own_addresses_update(&own, "br0", all, 1));
    assert_false(own_addresses_update(&own, "br0", all, 1));
    assert_false(own_addresses_update(&own, "br0", all, 2));
    assert_true(own_addresses_update(&own, "br0", all, 3));
    all[1] = address_of("eth0", "192.0.2.9");
    assert_false(own_addresses_update(&own, "br0", all, 3));
    all[2] = address_of("br0", "192.0.2.4");
    assert_true(own_addresses_update(&own, "br0", all, 3));
    assert_true(own_addresses_update(&own, "br0", all, 1));
    assert_true(own_addresses_update(&own, "br0", NULL, 0));
    own_addresses_destroy(&own);
}

/* Subnets. */

/* The same with the subnet of 'netmask'. */
static struct host_address
address_in(const char *interface, const char *text, const char *netmask)
{
    struct host_address a = address_of(interface, text);

    a.netmask = ip_of(netmask);
    return a;
}

/* Returns true if 'text' is next to those of br0 among the 'n' at 'all'. */
static bool
is_next_to(const struct host_address *all, size_t n, const char *text)
{
    struct own_addresses own;

    own_addresses_init(&own);
    own_addresses_update(&own, "br0", all, n);
    bool next = own_addresses_are_next_to(&own, ip_of(text));
    own_addresses_destroy(&own);
    return next;
}

static void
test_hosts_of_the_segment(void **state OVS_UNUSED)
{
    const struct host_address all[] = {
        address_in("br0", "192.0.2.65", "255.255.255.192"),
        address_in("br0", "10.1.2.3", "255.255.0.0"),
        address_in("eth0", "198.51.100.1", "255.255.255.0"),
        address_of("br0", "203.0.113.1"),
    };
    static const char *const next[] = { "192.0.2.64", "192.0.2.127",
                                        "10.1.0.0", "10.1.255.255" };
    static const char *const distant[] = { "192.0.2.63",   "192.0.2.128",
                                           "10.0.255.255", "10.2.0.0",
                                           "198.51.100.2", "203.0.113.1" };

    for (size_t i = 0; i < ARRAY_SIZE(next); i++) {
        assert_true(is_next_to(all, ARRAY_SIZE(all), next[i]));
    }
    for (size_t i = 0; i < ARRAY_SIZE(distant); i++) {
        assert_false(is_next_to(all, ARRAY_SIZE(all), distant[i]));
    }
}

static void
test_without_a_subnet_nobody_is_distant(void **state OVS_UNUSED)
{
    const struct host_address all[] = {
        address_of("br0", "203.0.113.1"),
        address_in("eth0", "198.51.100.1", "255.255.255.0"),
    };

    assert_true(is_next_to(NULL, 0, "192.0.2.1"));
    assert_true(is_next_to(all, ARRAY_SIZE(all), "192.0.2.1"));
}

/* Of an address that is there twice the larger subnet counts, in any order. */
static void
test_the_larger_subnet_counts(void **state OVS_UNUSED)
{
    const struct host_address all[] = {
        address_in("br0", "192.0.2.1", "255.255.255.0"),
        address_in("br0", "192.0.2.1", "255.255.0.0"),
        address_in("br0", "192.0.2.1", "255.255.255.0"),
        address_of("br0", "192.0.2.1"),
    };

    for (size_t i = 0; i < 2; i++) {
        assert_true(is_next_to(&all[i], ARRAY_SIZE(all) - i, "192.0.9.1"));
        assert_false(is_next_to(&all[i], ARRAY_SIZE(all) - i, "192.1.2.1"));
    }
    assert_false(is_next_to(&all[2], 2, "192.0.9.1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_ones_own_at_first),
        cmocka_unit_test(test_the_addresses_of_the_bridge),
        cmocka_unit_test(test_each_address_counts_once),
        cmocka_unit_test(test_what_was_is_forgotten),
        cmocka_unit_test(test_update_says_what_changes),
        cmocka_unit_test(test_hosts_of_the_segment),
        cmocka_unit_test(test_without_a_subnet_nobody_is_distant),
        cmocka_unit_test(test_the_larger_subnet_counts),
    };
    return cmocka_run_group_tests_name("own-addresses", tests, NULL, NULL);
}
