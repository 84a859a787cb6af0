/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "filter.h"

#include "support.h"

#include "openvswitch/util.h"
#include "util.h"

/* Returns how many frames of the capture 'name' match 'expression'. */
static size_t
n_matches(const char *name, const char *expression)
{
    struct capture capture;
    struct filter *filter;
    size_t n = 0;

    assert_no_error(filter_compile(expression, &filter));
    capture_read(&capture, name);
    for (size_t i = 0; i < capture.n; i++) {
        n += filter_matches(filter, capture.packets[i].bytes,
                            capture.packets[i].length);
    }
    capture_free(&capture);
    filter_destroy(filter);
    return n;
}

/* The same numbers are what tcpdump -r finds. */
static void
test_which_frames_match(void **state OVS_UNUSED)
{
    const char *client = "epics-client-segment.pcap";
    struct capture capture;

    capture_read(&capture, client);
    const size_t n = capture.n;
    capture_free(&capture);

    assert_int_equal(n_matches(client, ""), n);
    assert_int_equal(n_matches(client, "udp"), n);
    assert_int_equal(n_matches(client, "tcp"), 0);
    assert_int_equal(n_matches(client, "ether broadcast"), n);
    const size_t n_pva = n_matches(client, "udp port 5076");
    assert_in_range(n_pva, 1, n - 1);
    assert_int_equal(n_matches(client, "not udp port 5076"), n - n_pva);

    /* By what is in the payload: the magic of PVAccess, and its command
     * "search". */
    assert_int_equal(n_matches(client, "udp[8] == 0xca"), n_pva);
    assert_int_equal(n_matches("epics-server-segment.pcap",
                               "udp[8] == 0xca and udp[11] == 3"),
                     0);
    assert_int_equal(
        n_matches(client,
                  "not src net 10.9.0.0/16 and udp[8:4] != 0xca020000"),
        n);
}

/* A frame that ends before what the expression asks for does not match. */
static void
test_short_frames(void **state OVS_UNUSED)
{
    struct filter *filter;

    assert_no_error(filter_compile("udp[100] == 0", &filter));
    for (size_t length = 0; length < 60; length++) {
        uint8_t *frame = xzalloc(length ? length : 1);
        uint8_t *exact = copy_exactly(frame, length);

        assert_false(filter_matches(filter, exact, length));
        free(exact);
        free(frame);
    }
    filter_destroy(filter);
}

static void
assert_refused(const char *expression, const char *expected)
{
    struct filter *filter = (struct filter *) 1;

    assert_error(filter_compile(expression, &filter), expected);
    assert_null(filter);
}

static void
test_wrong_expressions(void **state OVS_UNUSED)
{
    assert_refused("udp and", "can't parse filter expression: syntax error");
    assert_refused("10.0.0.0/33", "*");
    assert_refused("udp[9000000000] == 1", "*");
    assert_refused("ip6 and arp", "expression rejects all packets");
}

/* Addresses are known, names of hosts and networks are not looked up. */
static void
test_names(void **state OVS_UNUSED)
{
    struct filter *filter;
    const char *const right[] = {
        "host 10.1.0.9",
        "src net 10.1.0.0/16",
        "ether host 02:00:00:00:00:01",
        "dst port domain",
        "host 2001:db8::1",
        "ip proto 17",
    };

    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        assert_no_error(filter_compile(right[i], &filter));
        filter_destroy(filter);
    }
    /* These are in /etc/hosts and /etc/networks. */
    assert_refused("host localhost",
                   "unknown host 'localhost': names are not looked up");
    assert_refused("src net loopback",
                   "unknown network 'loopback': names are not looked up");
    assert_refused("ether host relay-b",
                   "unknown ether host 'relay-b': names are not looked up");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_frames_match),
        cmocka_unit_test(test_short_frames),
        cmocka_unit_test(test_wrong_expressions),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
