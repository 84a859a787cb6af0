/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ca-search.h"

#include "support.h"
#include "support-search.h"

#include "openvswitch/util.h"
#include "util.h"

enum { PAYLOAD = 14 + 20 + 8, HEADER = 16 };

static void
assert_ca(const struct datagram *d, enum search_verdict verdict,
          const char *names)
{
    assert_asks(ca_search_read, d, verdict, names);
}

/* Captures. */

static void
read_capture(const char *name, int (*expects)(size_t i), const char *names)
{
    struct capture c;

    capture_read(&c, name);
    for (size_t i = 0; i < c.n; i++) {
        struct datagram d = { .length = 0 };

        put_bytes(&d, c.packets[i].bytes + PAYLOAD,
                  c.packets[i].length - PAYLOAD);
        assert_ca(&d, expects(i) ? SEARCH_ASKS : SEARCH_NONE,
                  expects(i) ? names : "");
    }
    capture_free(&c);
}

static int
from_8_to_13(size_t i)
{
    return i >= 8 && i < 14;
}

static int
from_2(size_t i)
{
    return i >= 2;
}

static int
never(size_t i OVS_UNUSED)
{
    return 0;
}

/* Of caget, among those of pvxs, and beacons. */
static void
test_captures(void **state OVS_UNUSED)
{
    read_capture("epics-client-segment.pcap", from_8_to_13,
                 "DEMO:TEMP|ACC:SECTOR1:MAGNET");
    read_capture("epics-offloaded-checksum.pcap", from_2, "DEMO:TEMP");
    read_capture("epics-server-segment.pcap", never, "");
}

/* Datagrams by the specification. */

static void
test_with_and_without_version(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };

    put_ca_search(&d, "A:B.VAL");
    assert_ca(&d, SEARCH_ASKS, "A:B.VAL");
    put_ca_search(&d, "A:B.DESC");
    assert_ca(&d, SEARCH_ASKS, "A:B.VAL|A:B.DESC");

    d.length = 0;
    put_ca_version(&d);
    assert_ca(&d, SEARCH_NONE, "");
    put_ca_search(&d, "A:B");
    assert_ca(&d, SEARCH_ASKS, "A:B");
}

static void
test_other_messages_are_passed_over(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };

    put_ca_version(&d);
    put_ca_header(&d, 23, 8, 0, 0, 0, 0);
    put_bytes(&d, "anything", 8);
    put_ca_search(&d, "A:B");
    assert_ca(&d, SEARCH_ASKS, "A:B");
}

/* The name ends with its payload if nothing else ends it, as for servers. */
static void
test_lengths_of_names(void **state OVS_UNUSED)
{
    char name[SEARCH_MAX_NAME + 1];

    for (size_t length = 1; length <= SEARCH_MAX_NAME; length++) {
        struct datagram d = { .length = 0 };

        memset(name, 'x', length);
        name[length] = '\0';
        put_ca_search(&d, name);
        assert_int_equal(d.length % 8, 0);
        assert_ca(&d, SEARCH_ASKS, name);
    }

    struct datagram d = { .length = 0 };
    put_ca_header(&d, 6, 8, 10, 13, 9, 9);
    put_bytes(&d, "12345678", 8);
    assert_ca(&d, SEARCH_ASKS, "12345678");

    d.length = 0;
    put_ca_search(&d, "A:B");
    memcpy(d.bytes + HEADER + 4, "rest", 4);
    assert_ca(&d, SEARCH_ASKS, "A:B");
}

static void
test_too_many_names(void **state OVS_UNUSED)
{
    for (int more = 0; more < 2; more++) {
        struct datagram d = { .length = 0 };
        struct asks asks;

        for (size_t i = 0; i < (size_t) SEARCH_MAX_ASKS + more; i++) {
            put_ca_search(&d, "A");
        }
        assert_int_equal(ca_search_read(d.bytes, d.length, &asks),
                         SEARCH_ASKS);
        assert_int_equal(asks.n, SEARCH_MAX_ASKS);
        assert_int_equal(asks.more, more);
    }
}

/* What is not right. */

static void
test_cut_off(void **state OVS_UNUSED)
{
    struct datagram whole = { .length = 0 };

    put_ca_version(&whole);
    put_ca_search(&whole, "A:B");
    size_t first = whole.length;
    put_ca_search(&whole, "C:D");
    for (size_t length = 0; length < whole.length; length++) {
        struct datagram d = whole;

        d.length = length;
        if (length < 2 * HEADER) {
            assert_ca(&d, SEARCH_NONE, "");
        } else {
            assert_ca(&d, length == first ? SEARCH_ASKS : SEARCH_MALFORMED,
                      length < first ? "" : "A:B");
        }
    }
}

/* Each field of a search, in the first message, where it makes another
 * protocol of it, and in a later one. */
static void
test_wrong_fields(void **state OVS_UNUSED)
{
    static const struct {
        size_t offset;
        uint16_t value;
    } wrong[] = {
        { 2, 0 }, { 2, 7 },  { 2, 9 },  { 2, 512 }, { 2, 0xffff },
        { 4, 0 }, { 4, 6 },  { 4, 11 }, { 6, 100 }, { 6, 0xffff },
        { 8, 1 }, { 10, 2 }, { 12, 1 }, { 14, 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct datagram d = { .length = 0 };

        put_ca_search(&d, "A:B");
        put16(d.bytes + wrong[i].offset, wrong[i].value);
        assert_ca(&d, SEARCH_NONE, "");

        d.length = 0;
        put_ca_search(&d, "C");
        put_ca_search(&d, "A:B");
        put16(d.bytes + HEADER + 8 + wrong[i].offset, wrong[i].value);
        assert_ca(&d, SEARCH_MALFORMED, "C");
    }
}

static void
test_a_name_that_is_none(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };

    put_ca_search(&d, "A:B");
    d.bytes[HEADER] = 0;
    assert_ca(&d, SEARCH_MALFORMED, "");
}

/* A payload has room for 503 bytes. */
static void
test_a_name_that_is_too_long(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };
    char name[SEARCH_MAX_NAME + 2];

    memset(name, 'x', sizeof name);
    name[SEARCH_MAX_NAME + 1] = '\0';
    put_ca_search(&d, name);
    assert_ca(&d, SEARCH_MALFORMED, "");
}

static void
test_other_protocols(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };

    assert_ca(&d, SEARCH_NONE, "");
    d.length = 64;
    assert_ca(&d, SEARCH_NONE, "");
    memset(d.bytes, 0xff, 64);
    assert_ca(&d, SEARCH_NONE, "");

    /* Begins as a version message does, but is something else. */
    d.length = 0;
    put_ca_version(&d);
    put_bytes(&d, "something else, a bit longer", 28);
    assert_ca(&d, SEARCH_NONE, "");
    d.length = 0;
    put_ca_header(&d, 0, 0, 1, 0, 0, 0);
    put_ca_search(&d, "A:B");
    assert_ca(&d, SEARCH_NONE, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captures),
        cmocka_unit_test(test_with_and_without_version),
        cmocka_unit_test(test_other_messages_are_passed_over),
        cmocka_unit_test(test_lengths_of_names),
        cmocka_unit_test(test_too_many_names),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_wrong_fields),
        cmocka_unit_test(test_a_name_that_is_none),
        cmocka_unit_test(test_a_name_that_is_too_long),
        cmocka_unit_test(test_other_protocols),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
