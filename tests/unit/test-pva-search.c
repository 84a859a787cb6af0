/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "pva-search.h"

#include "support.h"
#include "support-search.h"

#include "openvswitch/util.h"
#include "util.h"

enum { PAYLOAD = 14 + 20 + 8 };

static void
assert_pva(const struct datagram *d, enum search_verdict verdict,
           const char *names)
{
    assert_asks(pva_search_read, d, verdict, names);
}

/* Captures. */

/* Returns the datagram in 'packet'. */
static struct datagram
datagram_in(const struct packet *packet)
{
    struct datagram d = { .length = 0 };

    put_bytes(&d, packet->bytes + PAYLOAD, packet->length - PAYLOAD);
    return d;
}

/* Of pvxs. */
static void
test_real_searches(void **state OVS_UNUSED)
{
    struct capture c;
    struct asks asks;

    capture_read(&c, "epics-client-segment.pcap");
    assert_int_equal(c.n, 16);
    for (size_t i = 0; i < c.n; i++) {
        struct datagram d = datagram_in(&c.packets[i]);

        if (i < 2 || i >= 14) {
            assert_pva(&d, SEARCH_ASKS, "DEMO:TEMP");
        } else if (i >= 8) {
            assert_pva(&d, SEARCH_NONE, "");
        } else {
            static const size_t n[] = { 29, 29, 22 };

            assert_int_equal(pva_search_read(d.bytes, d.length, &asks),
                             SEARCH_ASKS);
            assert_int_equal(asks.n, n[(i - 2) % 3]);
            assert_false(asks.more);
        }
    }

    struct datagram d = datagram_in(&c.packets[2]);
    static const char first[] = "ACC:SECTOR1:MAGNET:QUAD:CURRENT:READBACK";
    assert_int_equal(pva_search_read(d.bytes, d.length, &asks), SEARCH_ASKS);
    assert_int_equal(asks.of[0].length, strlen(first));
    assert_memory_equal(asks.of[0].name, first, strlen(first));
    capture_free(&c);
}

/* Beacons of both protocols. */
static void
test_real_beacons(void **state OVS_UNUSED)
{
    struct capture c;

    capture_read(&c, "epics-server-segment.pcap");
    for (size_t i = 0; i < c.n; i++) {
        struct datagram d = datagram_in(&c.packets[i]);

        assert_pva(&d, SEARCH_NONE, "");
    }
    capture_free(&c);
}

/* Datagrams by the specification. */

static void
test_byte_orders(void **state OVS_UNUSED)
{
    for (int little = 0; little < 2; little++) {
        struct datagram d = { .little_endian = little };

        put_pva_search(&d, "A:B");
        assert_pva(&d, SEARCH_ASKS, "A:B");
    }
}

/* Each has its own byte order. */
static void
test_several_messages(void **state OVS_UNUSED)
{
    struct datagram d = { .little_endian = true };

    put_pva_search(&d, "A");
    d.little_endian = false;
    put_pva_search(&d, "B");
    assert_pva(&d, SEARCH_ASKS, "A|B");
}

static void
test_several_names(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };
    size_t start = begin_pva_search(&d, 3);

    put_pva_name(&d, "A");
    put_pva_name(&d, "A");
    put_pva_name(&d, "\xff\x01 \\");
    end_pva_search(&d, start);
    assert_pva(&d, SEARCH_ASKS, "A|A|\xff\x01 \\");
}

/* A client that wants to know which servers there are. */
static void
test_no_names(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };
    size_t start = begin_pva_search(&d, 0);

    end_pva_search(&d, start);
    assert_pva(&d, SEARCH_ASKS, "");
}

/* What a forwarder on the same host puts in front, a control message, whose
 * size is no size, and a beacon. */
static void
test_other_messages_are_passed_over(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };

    put_pva_header(&d, 0, 0x16, 16);
    put_bytes(&d, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x01\0\x0a", 16);
    put_pva_header(&d, 1, 2, 0xffffffff);
    put_pva_header(&d, 0x40, 0, 5);
    put_bytes(&d, "\xca\2\0\3\1", 5);
    assert_pva(&d, SEARCH_NONE, "");
    put_pva_search(&d, "A:B");
    assert_pva(&d, SEARCH_ASKS, "A:B");
}

static void
test_segments_are_passed_over(void **state OVS_UNUSED)
{
    for (unsigned int segment = 0; segment < 4; segment++) {
        struct datagram d = { .length = 0 };

        put_pva_search(&d, "A:B");
        d.bytes[2] |= segment << 4;
        assert_pva(&d, segment ? SEARCH_NONE : SEARCH_ASKS,
                   segment ? "" : "A:B");
        put_pva_search(&d, "C");
        assert_pva(&d, SEARCH_ASKS, segment ? "C" : "A:B|C");
    }
}

/* Sizes of more than a byte, of names and of the protocols. */
static void
test_long_sizes(void **state OVS_UNUSED)
{
    static const uint8_t fixed[4 + 1 + 3 + 16 + 2];

    for (int little = 0; little < 2; little++) {
        struct datagram d = { .little_endian = little };
        char name[SEARCH_MAX_NAME + 2];

        memset(name, 'x', sizeof name);
        name[SEARCH_MAX_NAME] = '\0';
        put_pva_header(&d, 0, 3, 0);
        put_bytes(&d, fixed, sizeof fixed);
        put_number(&d, 0xfe, 1);
        put_number(&d, 2, 4);
        put_pva_string(&d, "tcp");
        put_number(&d, 0xff, 1); /* A protocol without a name. */
        put_number(&d, 1, 2);
        put_number(&d, 7, 4);
        size_t size = d.length + 1;
        put_number(&d, 0xfe, 1);
        put_number(&d, SEARCH_MAX_NAME, 4);
        put_bytes(&d, name, SEARCH_MAX_NAME);
        end_pva_search(&d, 0);
        assert_pva(&d, SEARCH_ASKS, name);

        /* One byte longer. */
        write_number(d.bytes + size, SEARCH_MAX_NAME + 1, 4, little);
        put_number(&d, 'x', 1);
        end_pva_search(&d, 0);
        assert_pva(&d, SEARCH_MALFORMED, "");
    }
}

/* What a later version of the protocol may add. */
static void
test_more_behind_the_names(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };
    size_t start = begin_pva_search(&d, 1);

    put_pva_name(&d, "A");
    put_bytes(&d, "more", 4);
    end_pva_search(&d, start);
    put_pva_search(&d, "B");
    assert_pva(&d, SEARCH_ASKS, "A|B");
}

static void
test_too_many_names(void **state OVS_UNUSED)
{
    for (int more = 0; more < 2; more++) {
        struct datagram d = { .length = 0 };
        struct asks asks;
        size_t n = SEARCH_MAX_ASKS + more;
        size_t start = begin_pva_search(&d, n);

        for (size_t i = 0; i < n; i++) {
            put_pva_name(&d, "A");
        }
        end_pva_search(&d, start);
        assert_int_equal(pva_search_read(d.bytes, d.length, &asks),
                         SEARCH_ASKS);
        assert_int_equal(asks.n, SEARCH_MAX_ASKS);
        assert_int_equal(asks.more, more);
    }
}

/* What is not right. */

/* Cut off anywhere, it asks for what came before, and is never right. */
static void
test_cut_off(void **state OVS_UNUSED)
{
    struct datagram whole = { .length = 0 };
    size_t start = begin_pva_search(&whole, 2);

    put_pva_name(&whole, "A:B");
    size_t first = whole.length;
    put_pva_name(&whole, "C:D");
    end_pva_search(&whole, start);
    for (size_t length = 0; length < whole.length; length++) {
        struct datagram d = whole;

        d.length = length;
        assert_pva(&d, length < 8 ? SEARCH_NONE : SEARCH_MALFORMED,
                   length < first ? "" : "A:B");
    }

    /* By its own size, too, and what follows is not read. */
    for (size_t length = 8; length < whole.length; length++) {
        struct datagram d = whole;

        write_number(d.bytes + 4, length - 8, 4, false);
        assert_pva(&d, SEARCH_MALFORMED, length < first ? "" : "A:B");
    }
}

static void
test_sizes_that_lie(void **state OVS_UNUSED)
{
    static const uint8_t sizes[] = { 0xfe, 0xfd, 0x7f, 4 };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct datagram d = { .length = 0 };

        put_pva_search(&d, "A:B");
        d.bytes[d.length - 4] = sizes[i];
        assert_pva(&d, SEARCH_MALFORMED, "");
    }

    /* Of the message. */
    struct datagram d = { .length = 0 };
    put_pva_search(&d, "A:B");
    write_number(d.bytes + 4, 0xffffffff, 4, false);
    assert_pva(&d, SEARCH_MALFORMED, "A:B");

    /* Of the protocols. */
    d.length = 0;
    put_pva_search(&d, "A:B");
    d.bytes[34] = 0xfd;
    assert_pva(&d, SEARCH_MALFORMED, "");
}

static void
test_names_that_are_none(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };

    put_pva_search(&d, "");
    assert_pva(&d, SEARCH_MALFORMED, "");

    d.length = 0;
    put_pva_search(&d, "A:B");
    d.bytes[d.length - 2] = 0;
    assert_pva(&d, SEARCH_MALFORMED, "");

    d.length = 0;
    put_pva_search(&d, "");
    d.bytes[d.length - 1] = 0xff;
    assert_pva(&d, SEARCH_MALFORMED, "");
}

static void
test_other_protocols(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };

    assert_pva(&d, SEARCH_NONE, "");
    put_pva_search(&d, "A:B");
    d.bytes[0] = 0xcb;
    assert_pva(&d, SEARCH_NONE, "");
    d.bytes[0] = 0xca;
    for (int bit = 1; bit < 4; bit++) {
        d.bytes[2] |= 1 << bit;
        assert_pva(&d, SEARCH_NONE, "");
        d.bytes[2] &= ~(1 << bit);
    }
    assert_pva(&d, SEARCH_ASKS, "A:B");
    put_bytes(&d, "trailing", 8);
    assert_pva(&d, SEARCH_MALFORMED, "A:B");
}

/* A search for "A:B" with 'n' protocols without names. */
static void
put_search_with_protocols(struct datagram *d, uint8_t n)
{
    static const uint8_t fixed[4 + 1 + 3 + 16 + 2];

    put_pva_header(d, 0, 3, 0);
    put_bytes(d, fixed, sizeof fixed);
    put_number(d, n, 1);
    for (int i = 0; i < n; i++) {
        put_pva_string(d, "");
    }
    put_number(d, 1, 2);
    put_pva_name(d, "A:B");
    end_pva_search(d, 0);
}

/* There is an end to what is read for nothing. */
static void
test_too_many_of_anything(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };

    put_search_with_protocols(&d, 16);
    assert_pva(&d, SEARCH_ASKS, "A:B");
    d.length = 0;
    put_search_with_protocols(&d, 17);
    assert_pva(&d, SEARCH_MALFORMED, "");

    /* Control messages, which have no payload, and a search behind them. */
    d.length = 0;
    for (int i = 0; i < 255; i++) {
        put_pva_header(&d, 1, 0, 0);
    }
    put_pva_search(&d, "A:B");
    assert_pva(&d, SEARCH_ASKS, "A:B");
    d.length = 0;
    for (int i = 0; i < 256; i++) {
        put_pva_header(&d, 1, 0, 0);
    }
    put_pva_search(&d, "A:B");
    assert_pva(&d, SEARCH_NONE, "");
}

/* What is wrong with other messages is not wrong with a search. */
static void
test_broken_messages_that_are_no_searches(void **state OVS_UNUSED)
{
    struct datagram d = { .length = 0 };

    put_pva_header(&d, 0, 0, 100);
    assert_pva(&d, SEARCH_NONE, "");
    d.length = 0;
    put_pva_search(&d, "A:B");
    put_pva_header(&d, 0, 0, 100);
    assert_pva(&d, SEARCH_MALFORMED, "A:B");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_searches),
        cmocka_unit_test(test_real_beacons),
        cmocka_unit_test(test_byte_orders),
        cmocka_unit_test(test_several_messages),
        cmocka_unit_test(test_several_names),
        cmocka_unit_test(test_no_names),
        cmocka_unit_test(test_other_messages_are_passed_over),
        cmocka_unit_test(test_segments_are_passed_over),
        cmocka_unit_test(test_long_sizes),
        cmocka_unit_test(test_more_behind_the_names),
        cmocka_unit_test(test_too_many_names),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_sizes_that_lie),
        cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_too_many_of_anything),
        cmocka_unit_test(test_broken_messages_that_are_no_searches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
