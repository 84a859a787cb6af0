/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "pcapng.h"

#include "support.h"

#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "util.h"

/* 0x0102030405060708, in two halves. */
#define TIME UINT64_C(0x0102030405060708)
#define TIME_HALVES 0x01020304, 0x05060708

static const uint8_t frame[] = { 1, 2, 3, 4, 5, 6, 7 };

/* Two 16-bit numbers, as they lie in memory, in one of 32 bits. */
static uint32_t
pair(uint16_t first, uint16_t second)
{
    uint16_t both[2] = { first, second };
    uint32_t value;

    memcpy(&value, both, sizeof value);
    return value;
}

/* Four bytes in one number. */
static uint32_t
text(const char bytes[4])
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

/* The upper or lower half, as it lies in memory, of 'value'. */
static uint32_t
half(uint64_t value, int i)
{
    uint32_t halves[2];

    memcpy(halves, &value, sizeof halves);
    return halves[i];
}

static void
check(struct ofpbuf *out, const uint32_t *words, size_t n)
{
    assert_int_equal(out->size, n * sizeof *words);
    for (size_t i = 0; i < n; i++) {
        uint32_t word;

        memcpy(&word, (const uint8_t *) out->data + i * 4, sizeof word);
        if (word != words[i]) {
            fail_msg("word %zu is %#x, not %#x", i, word, words[i]);
        }
    }
    ofpbuf_uninit(out);
}

/* Section 4.1 of the draft. */
static void
test_section(void **state OVS_UNUSED)
{
    struct ofpbuf out;
    const uint32_t words[] = {
        0x0a0d0d0a,   44,
        0x1a2b3c4d,   pair(1, 0),
        UINT32_MAX,   UINT32_MAX,
        pair(4, 5), /* shb_userappl */
        text("rela"), text("y\0\0\0"),
        pair(0, 0),   44,
    };

    ofpbuf_init(&out, 0);
    pcapng_put_section(&out, "relay");
    check(&out, words, ARRAY_SIZE(words));
}

/* Section 4.2. */
static void
test_interface(void **state OVS_UNUSED)
{
    const struct pcapng_interface interface = {
        .name = "drop",
        .description = "why",
        .filter = "udp",
    };
    struct ofpbuf out;
    const uint32_t words[] = {
        1,
        56,
        pair(1, 0),
        262144,
        pair(2, 4), /* if_name */
        text("drop"),
        pair(3, 3), /* if_description */
        text("why\0"),
        pair(9, 1), /* if_tsresol */
        text("\x09\0\0\0"),
        pair(11, 4), /* if_filter */
        text("\0udp"),
        pair(0, 0),
        56,
    };

    ofpbuf_init(&out, 0);
    pcapng_put_interface(&out, &interface);
    check(&out, words, ARRAY_SIZE(words));
}

/* Section 4.3. */
static void
test_packet(void **state OVS_UNUSED)
{
    const struct pcapng_packet packet = {
        .interface = 4,
        .time = TIME,
        .direction = PCAPNG_OUTBOUND,
        .n_missing = TIME,
        .comment = "loop",
        .bytes = frame,
        .length = sizeof frame,
    };
    struct ofpbuf out;
    const uint32_t words[] = {
        6,
        72,
        4,
        TIME_HALVES,
        7,
        7,
        text("\1\2\3\4"),
        text("\5\6\7\0"),
        pair(2, 4), /* epb_flags */
        2,
        pair(4, 8), /* epb_dropcount */
        half(TIME, 0),
        half(TIME, 1),
        pair(1, 4), /* opt_comment */
        text("loop"),
        pair(0, 0),
        72,
    };

    ofpbuf_init(&out, 0);
    pcapng_put_packet(&out, &packet);
    check(&out, words, ARRAY_SIZE(words));
}

static void
test_packet_without_options(void **state OVS_UNUSED)
{
    const struct pcapng_packet packet = { .time = TIME };
    struct ofpbuf out;
    const uint32_t words[] = { 6, 32, 0, TIME_HALVES, 0, 0, 32 };

    ofpbuf_init(&out, 0);
    pcapng_put_packet(&out, &packet);
    check(&out, words, ARRAY_SIZE(words));
}

/* Section 4.6. */
static void
test_statistics(void **state OVS_UNUSED)
{
    const struct pcapng_statistics statistics = {
        .interface = 3,
        .start = TIME,
        .end = TIME + 1,
        .n_seen = TIME,
        .n_missing = 9,
    };
    struct ofpbuf out;
    const uint32_t words[] = {
        5,
        76,
        3,
        0x01020304,
        0x05060709,
        pair(2, 8), /* isb_starttime */
        TIME_HALVES,
        pair(3, 8), /* isb_endtime */
        0x01020304,
        0x05060709,
        pair(4, 8), /* isb_ifrecv */
        half(TIME, 0),
        half(TIME, 1),
        pair(5, 8), /* isb_ifdrop */
        half(9, 0),
        half(9, 1),
        pair(0, 0),
        76,
    };

    ofpbuf_init(&out, 0);
    pcapng_put_statistics(&out, &statistics);
    assert_int_equal(out.size, PCAPNG_STATISTICS_LENGTH);
    check(&out, words, ARRAY_SIZE(words));
}

/* What an option has no room for is left away, and the rest is still right. */
static void
test_long_text(void **state OVS_UNUSED)
{
    char *longest = xzalloc(70001);
    struct ofpbuf out;
    uint64_t n_packets;

    memset(longest, 'x', 70000);
    const struct pcapng_packet packet = { .comment = longest };
    const struct pcapng_interface interface = {
        .name = "a",
        .filter = longest,
    };

    ofpbuf_init(&out, 0);
    pcapng_put_packet(&out, &packet);
    pcapng_put_interface(&out, &interface);
    assert_int_equal(pcapng_whole_blocks(out.data, out.size, &n_packets),
                     out.size);
    assert_int_equal(n_packets, 1);
    assert_in_range(out.size, 2 * 65535, 2 * 65536 + 200);
    ofpbuf_uninit(&out);
    free(longest);
}

/* However many bytes of a row of blocks there are. */
static void
test_whole_blocks(void **state OVS_UNUSED)
{
    const struct pcapng_interface interface = { .name = "punt" };
    const struct pcapng_packet packet = {
        .bytes = frame,
        .length = sizeof frame,
        .comment = "here",
    };
    size_t ends[8] = { 0 };
    struct ofpbuf out;
    size_t n = 1;

    ofpbuf_init(&out, 0);
    pcapng_put_section(&out, NULL);
    ends[n++] = out.size;
    pcapng_put_interface(&out, &interface);
    ends[n++] = out.size;
    for (int i = 0; i < 3; i++) {
        pcapng_put_packet(&out, &packet);
        ends[n++] = out.size;
    }

    size_t last = 0;
    for (size_t length = 0; length <= out.size; length++) {
        uint8_t *bytes = copy_exactly(out.data, length);
        uint64_t n_packets;

        if (last + 1 < n && length == ends[last + 1]) {
            last++;
        }
        assert_int_equal(pcapng_whole_blocks(bytes, length, &n_packets),
                         ends[last]);
        assert_int_equal(n_packets, last > 2 ? last - 2 : 0);
        free(bytes);
    }
    assert_int_equal(last, n - 1);
    ofpbuf_uninit(&out);
}

/* A length that cannot be one ends the search. */
static void
test_no_blocks(void **state OVS_UNUSED)
{
    const uint32_t too_short[] = { 6, 8, 0 };
    uint64_t n_packets;

    assert_int_equal(pcapng_whole_blocks((const uint8_t *) too_short,
                                         sizeof too_short, &n_packets),
                     0);
    assert_int_equal(n_packets, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_section),
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_packet),
        cmocka_unit_test(test_packet_without_options),
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_whole_blocks),
        cmocka_unit_test(test_no_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
