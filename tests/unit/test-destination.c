/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "destination.h"

#include "support.h"

#include <arpa/inet.h>

#include "host.h"
#include "openvswitch/util.h"
#include "util.h"

#define LIMITED "255.255.255.255"

static ovs_be32
ip(const char *text)
{
    return inet_addr(text);
}

/* Fails the test unless a frame to 'ip_dst' goes to 'expected'. */
static void
assert_destination(const struct destination *destination, const char *ip_dst,
                   const char *expected)
{
    ovs_be32 to = (destination_must_rewrite(destination, ip(ip_dst))
                       ? destination_address(destination)
                       : ip(ip_dst));

    assert_int_equal(to, ip(expected));
}

/* A host with two bridges, one of which has several addresses. */
static size_t
make_host(struct host_address *addresses)
{
    const struct host_address all[] = {
        { "lo", IN6ADDR_LOOPBACK_INIT, 0, 0 },
        { "eth0", IN6ADDR_ANY_INIT, ip("192.0.2.255"), 0 },
        { "br0", IN6ADDR_ANY_INIT, 0, 0 }, /* IPv6, or IPv4 without one. */
        { "br0", IN6ADDR_ANY_INIT, ip("10.1.0.255"), 0 },
        { "br0", IN6ADDR_ANY_INIT, ip("10.2.255.255"), 0 },
        { "br1", IN6ADDR_ANY_INIT, ip("10.9.0.255"), 0 },
    };

    memcpy(addresses, all, sizeof all);
    return ARRAY_SIZE(all);
}

static void
make_destination(struct destination *destination,
                 enum destination_policy policy, const char *bridge)
{
    struct host_address addresses[8];
    size_t n = make_host(addresses);

    memset(destination, 0xff, sizeof *destination);
    assert_true(destination_update(destination, policy, bridge, addresses, n));
}

static void
test_auto_with_several_broadcast_addresses(void **state OVS_UNUSED)
{
    struct destination destination;

    make_destination(&destination, DESTINATION_AUTO, "br0");
    assert_int_equal(destination.n_broadcasts, 2);
    assert_destination(&destination, LIMITED, LIMITED);
    assert_destination(&destination, "10.1.0.255", "10.1.0.255");
    assert_destination(&destination, "10.2.255.255", "10.2.255.255");
    assert_destination(&destination, "10.9.0.255", "10.1.0.255");
    assert_destination(&destination, "192.0.2.255", "10.1.0.255");
    assert_destination(&destination, "10.1.0.254", "10.1.0.255");
    assert_destination(&destination, "0.0.0.0", "10.1.0.255");
}

static void
test_auto_with_one_broadcast_address(void **state OVS_UNUSED)
{
    struct destination destination;

    make_destination(&destination, DESTINATION_AUTO, "br1");
    assert_destination(&destination, LIMITED, LIMITED);
    assert_destination(&destination, "10.9.0.255", "10.9.0.255");
    assert_destination(&destination, "10.1.0.255", "10.9.0.255");
}

static void
test_auto_without_broadcast_address(void **state OVS_UNUSED)
{
    struct destination destination;

    make_destination(&destination, DESTINATION_AUTO, "br2");
    assert_int_equal(destination.n_broadcasts, 0);
    assert_int_equal(destination_address(&destination), ip(LIMITED));
    assert_destination(&destination, LIMITED, LIMITED);
    assert_destination(&destination, "10.1.0.255", LIMITED);
}

static void
test_keep(void **state OVS_UNUSED)
{
    struct destination destination;

    make_destination(&destination, DESTINATION_KEEP, "br0");
    assert_destination(&destination, LIMITED, LIMITED);
    assert_destination(&destination, "10.1.0.255", "10.1.0.255");
    assert_destination(&destination, "10.9.0.255", "10.9.0.255");
}

static void
test_limited(void **state OVS_UNUSED)
{
    struct destination destination;

    make_destination(&destination, DESTINATION_LIMITED, "br0");
    assert_destination(&destination, LIMITED, LIMITED);
    assert_destination(&destination, "10.1.0.255", LIMITED);
    assert_destination(&destination, "10.9.0.255", LIMITED);
}

/* What hosts understand does not depend on what relays do about it. */
static void
test_what_is_understood(void **state OVS_UNUSED)
{
    static const enum destination_policy policies[] = { DESTINATION_AUTO,
                                                        DESTINATION_KEEP,
                                                        DESTINATION_LIMITED };

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        struct destination d;

        make_destination(&d, policies[i], "br0");
        assert_true(destination_is_understood(&d, ip(LIMITED)));
        assert_true(destination_is_understood(&d, ip("10.1.0.255")));
        assert_true(destination_is_understood(&d, ip("10.2.255.255")));
        assert_false(destination_is_understood(&d, ip("10.9.0.255")));
        assert_false(destination_is_understood(&d, ip("10.1.0.254")));
        assert_false(destination_is_understood(&d, ip("0.0.0.0")));

        make_destination(&d, policies[i], "br1");
        assert_true(destination_is_understood(&d, ip(LIMITED)));
        assert_true(destination_is_understood(&d, ip("10.9.0.255")));
        assert_false(destination_is_understood(&d, ip("10.1.0.255")));

        /* Where the bridge has no address nobody knows: it may be. */
        make_destination(&d, policies[i], "br2");
        assert_true(destination_is_understood(&d, ip(LIMITED)));
        assert_true(destination_is_understood(&d, ip("10.1.0.255")));
    }
}

/* The caller builds flows anew when there is a change, and only then. */
static void
test_update_says_what_changes(void **state OVS_UNUSED)
{
    struct host_address addresses[8];
    size_t n = make_host(addresses);
    struct destination s;

    make_destination(&s, DESTINATION_AUTO, "br0");
    assert_false(
        destination_update(&s, DESTINATION_AUTO, "br0", addresses, n));

    addresses[1].broadcast = ip("198.51.100.255"); /* Not the bridge's. */
    assert_false(
        destination_update(&s, DESTINATION_AUTO, "br0", addresses, n));

    addresses[3].broadcast = ip("10.3.0.255");
    assert_true(destination_update(&s, DESTINATION_AUTO, "br0", addresses, n));
    assert_int_equal(destination_address(&s), ip("10.3.0.255"));
    assert_false(
        destination_update(&s, DESTINATION_AUTO, "br0", addresses, n));

    assert_true(destination_update(&s, DESTINATION_KEEP, "br0", addresses, n));
    assert_true(destination_update(&s, DESTINATION_KEEP, "br1", addresses, n));
    assert_true(destination_update(&s, DESTINATION_KEEP, "br1", addresses, 0));
    assert_int_equal(s.n_broadcasts, 0);
}

static void
test_more_addresses_than_fit(void **state OVS_UNUSED)
{
    enum { N = DESTINATION_MAX_BROADCASTS + 1 };
    struct host_address addresses[N];
    struct destination destination;

    memset(&destination, 0xff, sizeof destination);
    memset(addresses, 0, sizeof addresses);
    for (int i = 0; i < N; i++) {
        strcpy(addresses[i].interface, "br0");
        addresses[i].broadcast = htonl(0x0a0000ff + (i << 8));
    }
    assert_true(destination_update(&destination, DESTINATION_AUTO, "br0",
                                   addresses, N));
    assert_int_equal(destination.n_broadcasts, DESTINATION_MAX_BROADCASTS);
    assert_destination(&destination, "10.0.15.255", "10.0.15.255");
    assert_destination(&destination, "10.0.16.255", "10.0.0.255");
}

/* A host may well have two addresses of one subnet. */
static void
test_each_broadcast_address_counts_once(void **state OVS_UNUSED)
{
    const struct host_address all[] = {
        { "br0", IN6ADDR_ANY_INIT, ip("10.1.0.255"), 0 },
        { "br0", IN6ADDR_ANY_INIT, ip("10.1.0.255"), 0 },
        { "br0", IN6ADDR_ANY_INIT, ip("10.2.0.255"), 0 },
        { "br0", IN6ADDR_ANY_INIT, ip("10.1.0.255"), 0 },
    };
    struct destination destination;

    memset(&destination, 0xff, sizeof destination);
    assert_true(destination_update(&destination, DESTINATION_AUTO, "br0", all,
                                   ARRAY_SIZE(all)));
    assert_int_equal(destination.n_broadcasts, 2);
    assert_int_equal(destination.broadcasts[0], ip("10.1.0.255"));
    assert_int_equal(destination.broadcasts[1], ip("10.2.0.255"));
}

static void
test_policy_names(void **state OVS_UNUSED)
{
    assert_string_equal(destination_policy_name(DESTINATION_AUTO), "auto");
    assert_string_equal(destination_policy_name(DESTINATION_KEEP), "keep");
    assert_string_equal(destination_policy_name(DESTINATION_LIMITED),
                        "limited");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auto_with_several_broadcast_addresses),
        cmocka_unit_test(test_auto_with_one_broadcast_address),
        cmocka_unit_test(test_auto_without_broadcast_address),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_limited),
        cmocka_unit_test(test_what_is_understood),
        cmocka_unit_test(test_update_says_what_changes),
        cmocka_unit_test(test_more_addresses_than_fit),
        cmocka_unit_test(test_each_broadcast_address_counts_once),
        cmocka_unit_test(test_policy_names),
    };
    return cmocka_run_group_tests_name("destination", tests, NULL, NULL);
}
