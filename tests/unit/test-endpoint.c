/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "endpoint.h"

#include "support.h"

#include <arpa/inet.h>

#include "openvswitch/util.h"
#include "util.h"

#define NOT_A_HOST                                                            \
    "is neither an address nor a host name, with or without :PORT"
#define NOT_A_PORT "has no port from 1 to 65535 after the colon"
#define NOT_A_BRACKET "is not of the form [ADDRESS]:PORT"

static struct in6_addr
address(const char *text)
{
    struct in6_addr a;

    assert_true(address_from_text(text, &a));
    return a;
}

static void
test_ports(void **state OVS_UNUSED)
{
    static const char *const wrong[] = {
        "",   "0",   "00000", "65536", "70000", "100000", "000080", "-1",
        "+1", " 80", "80 ",   "0x50",  "8a",    "http",   "80.0",
    };
    uint16_t port = 0;

    assert_true(port_from_text("1", &port));
    assert_int_equal(port, 1);
    assert_true(port_from_text("7124", &port));
    assert_int_equal(port, 7124);
    assert_true(port_from_text("00080", &port));
    assert_int_equal(port, 80);
    assert_true(port_from_text("65535", &port));
    assert_int_equal(port, 65535);

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        if (port_from_text(wrong[i], &port)) {
            fail_msg("\"%s\" was taken for port %u", wrong[i], port);
        }
        assert_int_equal(port, 65535); /* Left alone. */
    }
}

static void
test_addresses(void **state OVS_UNUSED)
{
    static const struct {
        const char *text;
        const char *formatted;
    } right[] = {
        { "0.0.0.0", "0.0.0.0" },
        { "192.0.2.7", "192.0.2.7" },
        { "255.255.255.255", "255.255.255.255" },
        { "::", "::" },
        { "::1", "::1" },
        { "2001:DB8:0:0::7", "2001:db8::7" },
        { "fe80::1", "fe80::1" },
        { "::ffff:192.0.2.7", "192.0.2.7" }, /* The same in other words. */
    };
    static const char *const wrong[] = {
        "",         "192.0.2",        "192.0.2.256", "192.0.2.7 ",
        "relay-b",  "192.0.2.7:7124", "[::1]",       "::1::2",
        "1.2.3.04", "2001:db8::g",    "0x7f.0.0.1",  "fe80::1%lo",
    };

    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        char text[INET6_ADDRSTRLEN];
        struct in6_addr a = address(right[i].text);

        assert_string_equal(address_format(&a, text), right[i].formatted);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct in6_addr a;

        if (address_from_text(wrong[i], &a)) {
            fail_msg("\"%s\" was taken for an address", wrong[i]);
        }
    }
}

static void
test_hosts_with_and_without_port(void **state OVS_UNUSED)
{
    static const struct {
        const char *text;
        const char *host;
        uint16_t port; /* 1234 by default. */
    } right[] = {
        { "192.0.2.7", "192.0.2.7", 1234 },
        { "192.0.2.7:7124", "192.0.2.7", 7124 },
        { "2001:db8::7", "2001:db8::7", 1234 },
        { "2001:db8::7:7124", "2001:db8::7:7124", 1234 }, /* All address. */
        { "::1", "::1", 1234 },
        { "[2001:db8::7]", "2001:db8::7", 1234 },
        { "[2001:db8::7]:7124", "2001:db8::7", 7124 },
        { "[192.0.2.7]:7124", "192.0.2.7", 7124 },
        { "relay-b", "relay-b", 1234 },
        { "relay-b:1", "relay-b", 1 },
        { "relay-b.example.org.:65535", "relay-b.example.org.", 65535 },
        { "tasks.snow_relay", "tasks.snow_relay", 1234 },
        { "7relay", "7relay", 1234 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        uint16_t port = 0;
        char *host = NULL;

        assert_no_error(host_port_split(right[i].text, 1234, &host, &port));
        assert_string_equal(host, right[i].host);
        assert_int_equal(port, right[i].port);
        free(host);
    }
}

/* 63 characters, the longest label of a name. */
#define LABEL "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void
test_what_is_no_host(void **state OVS_UNUSED)
{
    static const struct {
        const char *text;
        const char *message;
    } wrong[] = {
        { "", NOT_A_HOST },
        { " ", NOT_A_HOST },
        { "relay b", NOT_A_HOST },
        { "relay-b ", NOT_A_HOST },
        { "-relay", NOT_A_HOST },
        { "relay..b", NOT_A_HOST },
        { ".relay", NOT_A_HOST },
        { "re/lay", NOT_A_HOST },
        { "r\xc3\xa9lais", NOT_A_HOST },
        { LABEL "h", NOT_A_HOST },
        { LABEL "." LABEL "." LABEL "." LABEL, NOT_A_HOST },
        { "192.0.2", NOT_A_HOST },
        { "192.0.2.256", NOT_A_HOST },
        { "192.0.2.256:7124", NOT_A_HOST },
        { "7124", NOT_A_HOST },
        { "2001:db8::g", NOT_A_PORT },
        { "2001:db8:7124", NOT_A_HOST },
        { ":7124", NOT_A_HOST },
        { ":", NOT_A_PORT },
        { "relay-b:", NOT_A_PORT },
        { "relay-b:0", NOT_A_PORT },
        { "relay-b:65536", NOT_A_PORT },
        { "relay-b:udp", NOT_A_PORT },
        { "relay-b:7124 ", NOT_A_PORT },
        { "relay-b:7124:7124", NOT_A_HOST },
        { "[2001:db8::7", NOT_A_BRACKET },
        { "[2001:db8::7]7124", NOT_A_BRACKET },
        { "[2001:db8::7]:", NOT_A_PORT },
        { "[2001:db8::7]:x", NOT_A_PORT },
        { "[]:7124", NOT_A_HOST },
        { "[", NOT_A_BRACKET },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        uint16_t port;
        char *host;

        assert_error(host_port_split(wrong[i].text, 1234, &host, &port),
                     wrong[i].message);
    }
}

static void
test_the_longest_names(void **state OVS_UNUSED)
{
    char name[256];
    uint16_t port;
    char *host;

    assert_no_error(host_port_split(LABEL, 1, &host, &port));
    free(host);

    snprintf(name, sizeof name, "%s.%s.%s.%.61s", LABEL, LABEL, LABEL, LABEL);
    assert_int_equal(strlen(name), 253);
    assert_no_error(host_port_split(name, 1, &host, &port));
    assert_string_equal(host, name);
    free(host);

    strcat(name, "x");
    assert_error(host_port_split(name, 1, &host, &port), NOT_A_HOST);
}

static void
test_subnets(void **state OVS_UNUSED)
{
    static const struct {
        const char *subnet;
        const char *inside[3];
        const char *outside[4];
    } right[] = {
        { "10.0.0.0/8",
          { "10.0.0.0", "10.1.2.3", "10.255.255.255" },
          { "9.255.255.255", "11.0.0.0", "::", "::a00:1" } },
        { "10.1.2.3/8", /* The rest of the address does not matter. */
          { "10.0.0.0", "10.1.2.3", "10.255.255.255" },
          { "9.255.255.255", "11.0.0.0" } },
        { "192.0.2.128/25",
          { "192.0.2.128", "192.0.2.255" },
          { "192.0.2.127", "192.0.3.0" } },
        { "192.0.2.7", { "192.0.2.7" }, { "192.0.2.6", "192.0.2.8" } },
        { "192.0.2.7/32", { "192.0.2.7" }, { "192.0.2.6", "192.0.2.8" } },
        { "0.0.0.0/0",
          { "0.0.0.0", "192.0.2.7", "255.255.255.255" },
          { "::", "::1", "2001:db8::1" } },
        { "2001:db8::/32",
          { "2001:db8::", "2001:db8:ffff::1" },
          { "2001:db7::1", "2001:db9::", "192.0.2.7" } },
        { "2001:db8::7", { "2001:db8::7" }, { "2001:db8::6" } },
        { "2001:db8::4/126",
          { "2001:db8::4", "2001:db8::7" },
          { "2001:db8::3", "2001:db8::8" } },
        { "::/0", { "::", "2001:db8::1" }, { NULL } },
    };
    static const char *const wrong[] = {
        "",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0.0/ 8",
        "10.0.0.0/8 ",
        "10.0.0.0/+8",
        "::/129",
        "[::]/8",
        "relay-b",
        "relay-b/8",
        "10.0.0.0/255.0.0.0",
        "2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/8",
    };

    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        struct subnet subnet;

        assert_true(subnet_from_text(right[i].subnet, &subnet));
        for (size_t j = 0; j < ARRAY_SIZE(right[i].inside); j++) {
            const char *inside = right[i].inside[j];
            if (inside) {
                struct in6_addr a = address(inside);
                assert_true(subnet_contains(&subnet, &a));
            }
        }
        for (size_t j = 0; j < ARRAY_SIZE(right[i].outside); j++) {
            const char *outside = right[i].outside[j];
            if (outside) {
                struct in6_addr a = address(outside);
                assert_false(subnet_contains(&subnet, &a));
            }
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct subnet subnet;

        if (subnet_from_text(wrong[i], &subnet)) {
            fail_msg("\"%s\" was taken for a subnet", wrong[i]);
        }
    }
}

/* Formatting and parsing, by text and by socket address, come back to where
 * they began. */
static void
test_round_trips(void **state OVS_UNUSED)
{
    static const struct {
        const char *text;
        int family;
        socklen_t length;
    } endpoints[] = {
        { "192.0.2.7:1", AF_INET, sizeof(struct sockaddr_in) },
        { "255.255.255.255:65535", AF_INET, sizeof(struct sockaddr_in) },
        { "[::1]:7124", AF_INET6, sizeof(struct sockaddr_in6) },
        { "[2001:db8:1111:2222:3333:4444:5555:6666]:65535", AF_INET6,
          sizeof(struct sockaddr_in6) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
        struct endpoint endpoint, again;
        char text[ENDPOINT_TEXT_SIZE];
        struct sockaddr_storage ss;
        char *host;

        assert_no_error(
            host_port_split(endpoints[i].text, 0, &host, &endpoint.port));
        endpoint.address = address(host);
        free(host);
        assert_string_equal(endpoint_format(&endpoint, text),
                            endpoints[i].text);

        assert_int_equal(endpoint_to_sockaddr(&endpoint, &ss),
                         endpoints[i].length);
        assert_int_equal(ss.ss_family, endpoints[i].family);
        assert_true(endpoint_from_sockaddr((struct sockaddr *) &ss, &again));
        assert_true(endpoint_equal(&endpoint, &again));
    }
}

/* An IPv4 peer that reaches an IPv6 socket is the same peer. */
static void
test_mapped_addresses_are_ipv4(void **state OVS_UNUSED)
{
    struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
                                 .sin6_port = htons(7124) };
    struct endpoint endpoint;
    char text[ENDPOINT_TEXT_SIZE];

    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.7", &sin6.sin6_addr),
                     1);
    assert_true(
        endpoint_from_sockaddr((const struct sockaddr *) &sin6, &endpoint));
    assert_string_equal(endpoint_format(&endpoint, text), "192.0.2.7:7124");
}

static void
test_other_families(void **state OVS_UNUSED)
{
    struct sockaddr sa = { .sa_family = AF_UNIX };
    struct endpoint endpoint;

    assert_false(endpoint_from_sockaddr(&sa, &endpoint));
}

static void
test_equality(void **state OVS_UNUSED)
{
    struct endpoint a = { address("192.0.2.7"), 7124 };
    struct endpoint b = a;

    assert_true(endpoint_equal(&a, &b));
    b.port++;
    assert_false(endpoint_equal(&a, &b));
    b.port--;
    b.address = address("192.0.2.8");
    assert_false(endpoint_equal(&a, &b));
}

static void
test_any(void **state OVS_UNUSED)
{
    struct endpoint endpoint = { address("0.0.0.0"), 7124 };

    assert_true(endpoint_is_any(&endpoint));
    endpoint.address = address("::");
    assert_true(endpoint_is_any(&endpoint));
    endpoint.address = address("::1");
    assert_false(endpoint_is_any(&endpoint));
    endpoint.address = address("0.0.0.1");
    assert_false(endpoint_is_any(&endpoint));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_hosts_with_and_without_port),
        cmocka_unit_test(test_what_is_no_host),
        cmocka_unit_test(test_the_longest_names),
        cmocka_unit_test(test_subnets),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_mapped_addresses_are_ipv4),
        cmocka_unit_test(test_other_families),
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_any),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
