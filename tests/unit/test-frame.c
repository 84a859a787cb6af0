/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "frame.h"

#include "support.h"

#include <arpa/inet.h>
#include <stdbool.h>

#include "openvswitch/util.h"
#include "util.h"

/* Offsets in a frame without IP options. */
enum {
    SRC_MAC = 6,
    ETH_TYPE = 12,
    IP = 14,
    IP_TOTAL_LENGTH = IP + 2,
    IP_FLAGS = IP + 6,
    IP_PROTOCOL = IP + 9,
    IP_SUM = IP + 10,
    UDP = IP + 20,
    UDP_SRC = UDP,
    UDP_DST = UDP + 2,
    UDP_LENGTH = UDP + 4,
    UDP_SUM = UDP + 6,
    PAYLOAD = UDP + 8
};

/* The bytes of the outer headers in snowsignal-mesh.pcap, to the frame within:
 * Ethernet, IP, UDP and the wire format's two. */
enum { MESH_HEADERS = PAYLOAD + 2 };

static const char *const broadcast_captures[] = {
    "epics-client-segment.pcap",
    "epics-server-segment.pcap",
    "epics-offloaded-checksum.pcap",
};

/* Checksums by the book (RFC 1071), two bytes at a time and in no way
 * clever. */

static uint16_t
get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static size_t
ip_header_length(const uint8_t *frame)
{
    return (frame[IP] & 0xf) * 4;
}

static uint8_t *
udp_of(uint8_t *frame)
{
    return frame + IP + ip_header_length(frame);
}

/* What a sender with checksum offload leaves in the checksum field. */
static uint16_t
pseudo_header_sum(uint8_t *frame)
{
    const uint8_t *udp = udp_of(frame);
    uint8_t pseudo[12];

    memcpy(pseudo, frame + IP + 12, 8);
    pseudo[8] = 0;
    pseudo[9] = IPPROTO_UDP;
    memcpy(pseudo + 10, udp + 4, 2);
    return ones_sum(0, pseudo, sizeof pseudo);
}

/* What the checksum field should have. */
static uint16_t
udp_checksum(uint8_t *frame)
{
    const uint8_t *udp = udp_of(frame);
    uint16_t sum = pseudo_header_sum(frame);
    uint16_t checksum;

    sum = ones_sum(sum, udp, 6);
    sum = ones_sum(sum, udp + 8, get16(udp + 4) - 8);
    checksum = ~sum;
    return checksum ? checksum : 0xffff;
}

static void
fix_ip_checksum(uint8_t *frame)
{
    put16(frame + IP_SUM, 0);
    put16(frame + IP_SUM, ~ones_sum(0, frame + IP, ip_header_length(frame)));
}

/* Makes the UDP checksum of 'frame' right, or only half, as offload does, if
 * 'half'. */
static void
fix_udp_checksum(uint8_t *frame, bool half)
{
    put16(udp_of(frame) + 6,
          half ? pseudo_header_sum(frame) : udp_checksum(frame));
}

/* Checks a copy of the 'length' bytes at 'bytes' and returns the verdict.
 * Whatever it is, only the UDP checksum may be changed, and only from the
 * pseudo-header's sum to the right one; then stores true in '*completed'. */
static enum frame_verdict
check(const uint8_t *bytes, size_t length, bool *completed)
{
    uint8_t *copy = copy_exactly(bytes, length);
    struct frame frame;

    enum frame_verdict verdict = frame_check(copy, length, &frame);
    bool changed = length && memcmp(copy, bytes, length);
    if (changed) {
        uint8_t *before = copy_exactly(bytes, length);
        uint8_t *field = udp_of(before) + 6;

        assert_int_equal(verdict, FRAME_OK);
        assert_int_equal(get16(field), pseudo_header_sum(before));
        put16(field, udp_checksum(before));
        assert_memory_equal(copy, before, length);
        free(before);
    }
    if (verdict == FRAME_OK) {
        assert_ptr_equal(frame.bytes, copy);
        assert_int_equal(frame.length, length);
        assert_memory_equal(&frame.ip_src, bytes + IP + 12, 4);
        assert_memory_equal(&frame.ip_dst, bytes + IP + 16, 4);
        assert_int_equal(frame.port, get16(udp_of(copy) + 2));
        assert_ptr_equal(copy + frame.udp_ofs, udp_of(copy));
        assert_int_equal(frame.udp_length, get16(udp_of(copy) + 4));
    }
    if (completed) {
        *completed = changed;
    }
    free(copy);
    return verdict;
}

#define assert_verdict(FRAME, LENGTH, EXPECTED)                               \
    assert_string_equal(frame_verdict_name(check(FRAME, LENGTH, NULL)),       \
                        frame_verdict_name(EXPECTED))

/* Checks the 'length' bytes at 'bytes', which must be accepted and be changed
 * just if 'half'. */
static void
assert_accepted(const uint8_t *bytes, size_t length, bool half)
{
    bool completed;

    assert_int_equal(check(bytes, length, &completed), FRAME_OK);
    assert_int_equal(completed, half);
}

/* Makes at 'frame', of FRAME_MAX + 1 bytes, a broadcast with 'options' bytes
 * of IP options, 'payload' bytes of payload and right checksums.  Returns its
 * length. */
static size_t
make_frame(uint8_t *frame, size_t options, size_t payload, bool half)
{
    uint32_t random = 5076;
    size_t udp = IP + 20 + options;

    memset(frame, 0xff, SRC_MAC);
    memcpy(frame + SRC_MAC, "\x02\x00\x00\x00\x01\x01", 6);
    put16(frame + ETH_TYPE, 0x0800);
    memset(frame + IP, 0, 20);
    frame[IP] = 4 << 4 | (20 + options) / 4;
    put16(frame + IP_TOTAL_LENGTH, 20 + options + 8 + payload);
    frame[IP + 8] = 64;
    frame[IP_PROTOCOL] = IPPROTO_UDP;
    memcpy(frame + IP + 12, "\x0a\x01\x00\x0a\x0a\x01\x00\xff", 8);
    memset(frame + IP + 20, 1, options); /* No-operations. */
    put16(frame + udp, 34023);
    put16(frame + udp + 2, 5076);
    put16(frame + udp + 4, 8 + payload);
    for (size_t i = 0; i < payload; i++) {
        frame[udp + 8 + i] = next_random(&random);
    }
    fix_ip_checksum(frame);
    fix_udp_checksum(frame, half);
    return udp + 8 + payload;
}

/* The captures. */

static void
test_captured_broadcasts_are_ok(void **state OVS_UNUSED)
{
    static const size_t n_expected[] = { 16, 22, 7 };
    bool long_search = false;

    for (size_t i = 0; i < ARRAY_SIZE(broadcast_captures); i++) {
        bool half = strstr(broadcast_captures[i], "offloaded") != NULL;
        struct capture c;

        capture_read(&c, broadcast_captures[i]);
        assert_int_equal(c.n, n_expected[i]);
        for (size_t j = 0; j < c.n; j++) {
            const struct packet *p = &c.packets[j];

            assert_accepted(p->bytes, p->length, half);
            long_search |= p->length == PAYLOAD + 1375;
        }
        capture_free(&c);
    }
    assert_true(long_search);
}

static void
test_captured_mesh_is_not_broadcast(void **state OVS_UNUSED)
{
    struct capture c;

    capture_read(&c, "snowsignal-mesh.pcap");
    assert_int_equal(c.n, 10);
    for (size_t i = 0; i < c.n; i++) {
        const struct packet *p = &c.packets[i];

        assert_verdict(p->bytes, p->length, FRAME_NOT_BROADCAST);
        assert_accepted(p->bytes + MESH_HEADERS, p->length - MESH_HEADERS,
                        false);
    }
    capture_free(&c);
}

/* Completing twice is completing once: the relay that emits checks what the
 * one that punted has checked. */
static void
test_a_completed_frame_is_ok_as_it_is(void **state OVS_UNUSED)
{
    struct capture c;

    capture_read(&c, "epics-offloaded-checksum.pcap");
    for (size_t i = 0; i < c.n; i++) {
        const struct packet *p = &c.packets[i];
        struct frame frame;

        assert_int_equal(frame_check(p->bytes, p->length, &frame), FRAME_OK);
        assert_int_equal(get16(p->bytes + UDP_SUM), udp_checksum(p->bytes));
        assert_accepted(p->bytes, p->length, false);
    }
    capture_free(&c);
}

/* Each verdict. */

/* A change to a real frame of 97 bytes.  The IP checksum is put right again
 * where 'fix' says so, so that it is not the checksum that gives away what is
 * wrong. */
struct damage {
    const char *what;
    enum frame_verdict verdict;
    size_t offset;
    int n; /* Bytes to write at 'offset': 0, 1 or 2. */
    uint16_t value;
    bool fix;
    size_t length; /* 0 for the frame's own. */
};

#define SET8(OFFSET, VALUE) .offset = OFFSET, .n = 1, .value = VALUE
#define SET16(OFFSET, VALUE) .offset = OFFSET, .n = 2, .value = VALUE

static const struct damage damages[] = {
    { "nothing", FRAME_OK, .n = 0 },
    { "1 too long", FRAME_OVERSIZE, .length = FRAME_MAX + 1 },
    { "nothing there", FRAME_SHORT, .length = SIZE_MAX },
    { "no whole Ethernet header", FRAME_SHORT, .length = 13 },
    { "no IP header", FRAME_SHORT, .length = 14 },
    { "no whole IP header", FRAME_SHORT, .length = 33 },
    { "to a unicast MAC", FRAME_NOT_BROADCAST, SET8(0, 0xfe) },
    { "to a multicast MAC", FRAME_NOT_BROADCAST, SET8(5, 0x01) },
    { "VLAN tag", FRAME_VLAN, SET16(ETH_TYPE, 0x8100) },
    { "service VLAN tag", FRAME_VLAN, SET16(ETH_TYPE, 0x88a8) },
    { "ARP", FRAME_NOT_IPV4, SET16(ETH_TYPE, 0x0806) },
    { "IPv6", FRAME_NOT_IPV4, SET16(ETH_TYPE, 0x86dd) },
    { "802.3 length", FRAME_NOT_IPV4, SET16(ETH_TYPE, 83) },
    { "IP version 6", FRAME_NOT_IPV4, SET8(IP, 0x65), .fix = true },
    { "IP header of 16 bytes", FRAME_IP_HEADER, SET8(IP, 0x44), .fix = true },
    { "IP header longer than IP packet", FRAME_IP_HEADER,
      SET16(IP_TOTAL_LENGTH, 19), .fix = true },
    { "IP packet longer than frame", FRAME_IP_HEADER,
      SET16(IP_TOTAL_LENGTH, 84), .fix = true },
    { "IP packet cut by a byte", FRAME_IP_HEADER, .length = 96 },
    { "another TTL", FRAME_IP_CHECKSUM, SET8(IP + 8, 3) },
    { "another IP source", FRAME_IP_CHECKSUM, SET8(IP + 15, 11) },
    { "do not fragment", FRAME_OK, SET16(IP_FLAGS, 0x4000), .fix = true },
    { "more fragments", FRAME_FRAGMENT, SET16(IP_FLAGS, 0x2000), .fix = true },
    { "last fragment", FRAME_FRAGMENT, SET16(IP_FLAGS, 0x0001), .fix = true },
    { "far fragment", FRAME_FRAGMENT, SET16(IP_FLAGS, 0x1000), .fix = true },
    { "TCP", FRAME_NOT_UDP, SET8(IP_PROTOCOL, IPPROTO_TCP), .fix = true },
    { "no room for UDP", FRAME_UDP_LENGTH, SET16(IP_TOTAL_LENGTH, 27),
      .fix = true },
    { "no room for UDP in the frame", FRAME_UDP_LENGTH,
      SET16(IP_TOTAL_LENGTH, 24), .fix = true, .length = 38 },
    { "UDP length of 7", FRAME_UDP_LENGTH, SET16(UDP_LENGTH, 7) },
    { "UDP length of 0", FRAME_UDP_LENGTH, SET16(UDP_LENGTH, 0) },
    { "UDP longer than IP", FRAME_UDP_LENGTH, SET16(UDP_LENGTH, 64) },
    { "UDP length alone changed", FRAME_UDP_CHECKSUM, SET16(UDP_LENGTH, 62) },
    { "another UDP port", FRAME_UDP_CHECKSUM, SET16(UDP_DST, 5077) },
    { "another payload", FRAME_UDP_CHECKSUM, SET8(PAYLOAD, 0) },
    { "another checksum", FRAME_UDP_CHECKSUM, SET16(UDP_SUM, 1) },
    { "no checksum", FRAME_OK, SET16(UDP_SUM, 0) },
};

static void
test_each_verdict(void **state OVS_UNUSED)
{
    static uint8_t frame[FRAME_MAX + 1];
    bool seen[FRAME_N_VERDICTS] = { false };
    struct capture c;

    capture_read(&c, "epics-client-segment.pcap");
    assert_int_equal(c.packets[0].length, 97);
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        const struct damage *d = &damages[i];
        size_t length = (d->length == SIZE_MAX ? 0
                         : d->length           ? d->length
                                               : c.packets[0].length);

        memset(frame, 0, sizeof frame);
        memcpy(frame, c.packets[0].bytes, c.packets[0].length);
        if (d->n == 1) {
            frame[d->offset] = d->value;
        } else if (d->n == 2) {
            put16(frame + d->offset, d->value);
        }
        if (d->fix) {
            fix_ip_checksum(frame);
        }

        enum frame_verdict verdict = check(frame, length, NULL);
        if (verdict != d->verdict) {
            fail_msg("%s: %s, not %s", d->what, frame_verdict_name(verdict),
                     frame_verdict_name(d->verdict));
        }
        seen[verdict] = true;
    }
    capture_free(&c);

    for (int i = 0; i < FRAME_N_VERDICTS; i++) {
        if (!seen[i]) {
            fail_msg("%s is not in the table", frame_verdict_name(i));
        }
    }
}

static void
test_verdicts_have_different_names(void **state OVS_UNUSED)
{
    for (int i = 0; i < FRAME_N_VERDICTS; i++) {
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(frame_verdict_name(i),
                                    frame_verdict_name(j));
        }
    }
}

static void
test_no_part_of_a_frame_is_a_frame(void **state OVS_UNUSED)
{
    struct capture c;

    capture_read(&c, "epics-offloaded-checksum.pcap");
    for (size_t length = 0; length < c.packets[0].length; length++) {
        assert_int_not_equal(check(c.packets[0].bytes, length, NULL),
                             FRAME_OK);
    }
    capture_free(&c);
}

/* Corrupted frames. */

/* No checksum covers the source MAC. */
static bool
is_source_mac(size_t offset)
{
    return offset >= SRC_MAC && offset < ETH_TYPE;
}

/* The sum of the pseudo-header, which is all that there is before the checksum
 * is completed, covers the addresses, the protocol and the UDP length.  The
 * UDP ports and the payload could change unnoticed; but such a frame has never
 * been on a wire, where that happens. */
static bool
is_outside_half_sum(size_t offset)
{
    return (is_source_mac(offset) || (offset >= UDP_SRC && offset < UDP_LENGTH)
            || offset >= PAYLOAD);
}

/* Flips each bit of each frame in the capture 'name', one at a time, behind
 * its first 'skip' bytes.  The frame must be accepted just where 'unnoticed'
 * says that nothing could tell. */
static void
flip_each_bit(const char *name, size_t skip, bool (*unnoticed)(size_t offset))
{
    struct capture c;

    capture_read(&c, name);
    for (size_t i = 0; i < c.n; i++) {
        uint8_t *frame = c.packets[i].bytes + skip;
        size_t length = c.packets[i].length - skip;

        for (size_t bit = 0; bit < length * 8; bit++) {
            frame[bit / 8] ^= 1 << bit % 8;
            bool ok = check(frame, length, NULL) == FRAME_OK;
            frame[bit / 8] ^= 1 << bit % 8;

            if (ok != unnoticed(bit / 8)) {
                fail_msg("%s, packet %zu: with bit %zu of byte %zu flipped "
                         "it was %s",
                         name, i + 1, bit % 8, bit / 8,
                         ok ? "accepted" : "dropped");
            }
        }
    }
    capture_free(&c);
}

static void
test_a_corrupted_frame_is_dropped(void **state OVS_UNUSED)
{
    flip_each_bit("epics-client-segment.pcap", 0, is_source_mac);
    flip_each_bit("epics-server-segment.pcap", 0, is_source_mac);
    flip_each_bit("snowsignal-mesh.pcap", MESH_HEADERS, is_source_mac);
}

static void
test_a_corrupted_half_sum_is_dropped(void **state OVS_UNUSED)
{
    flip_each_bit("epics-offloaded-checksum.pcap", 0, is_outside_half_sum);
}

/* Once completed, such a frame is as well covered as any. */
static void
test_a_completed_frame_corrupted_is_dropped(void **state OVS_UNUSED)
{
    struct capture c;

    capture_read(&c, "epics-offloaded-checksum.pcap");
    struct packet *p = &c.packets[0];
    struct frame frame;
    assert_int_equal(frame_check(p->bytes, p->length, &frame), FRAME_OK);
    for (size_t bit = 0; bit < p->length * 8; bit++) {
        p->bytes[bit / 8] ^= 1 << bit % 8;
        assert_int_equal(check(p->bytes, p->length, NULL) == FRAME_OK,
                         is_source_mac(bit / 8));
        p->bytes[bit / 8] ^= 1 << bit % 8;
    }
    capture_free(&c);
}

/* Every other value of the checksum field than the right one, the
 * pseudo-header's sum and none at all is a wrong checksum. */
static void
test_every_wrong_checksum_is_dropped(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1];
    size_t length = make_frame(frame, 0, 55, false);
    unsigned int n_ok = 0;

    for (uint32_t value = 0; value <= 0xffff; value++) {
        put16(frame + UDP_SUM, value);
        bool legal = (!value || value == udp_checksum(frame)
                      || value == pseudo_header_sum(frame));
        bool ok = check(frame, length, NULL) == FRAME_OK;

        assert_int_equal(ok, legal);
        n_ok += ok;
    }
    assert_int_equal(n_ok, 3);
}

/* Checksums at their edges. */

static void
test_no_checksum_is_kept(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1];
    size_t length = make_frame(frame, 0, 55, false);

    put16(frame + UDP_SUM, 0);
    assert_accepted(frame, length, false);
    frame[PAYLOAD] ^= 1; /* Nothing could tell. */
    assert_accepted(frame, length, false);
}

/* A sum of zero is sent as all ones: zero would say that there is none. */
static void
test_a_sum_of_zero_is_completed_to_all_ones(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1];
    size_t length = make_frame(frame, 0, 48, false);
    struct frame checked;

    /* With the checksum as one more word of payload the rest sums up to
     * nothing. */
    uint16_t sum = pseudo_header_sum(frame);
    put16(frame + PAYLOAD, 0);
    sum = ones_sum(sum, frame + UDP, 6);
    sum = ones_sum(sum, frame + PAYLOAD, 48);
    put16(frame + PAYLOAD, ~sum);

    put16(frame + UDP_SUM, 0xffff);
    assert_accepted(frame, length, false);

    put16(frame + UDP_SUM, pseudo_header_sum(frame));
    assert_accepted(frame, length, true);
    assert_int_equal(frame_check(frame, length, &checked), FRAME_OK);
    assert_int_equal(get16(frame + UDP_SUM), 0xffff);
}

static void
test_every_payload_length(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1];

    for (size_t payload = 0; payload < 200; payload++) {
        for (int half = 0; half < 2; half++) {
            size_t length = make_frame(frame, 0, payload, half);
            assert_accepted(frame, length, half);
        }
    }
}

/* Ethernet frames have at least 60 bytes, and a card may leave anything
 * behind a short IP packet. */
static void
test_padding_is_kept_and_not_summed(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1];

    for (size_t payload = 0; payload < 18; payload++) {
        for (int half = 0; half < 2; half++) {
            size_t length = make_frame(frame, 0, payload, half);
            assert_true(length < 60);
            memset(frame + length, 0xa5, 60 - length);
            assert_accepted(frame, 60, half);
        }
    }
}

/* What an IP packet holds behind its UDP datagram is not part of that. */
static void
test_bytes_behind_the_datagram_are_not_summed(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1];

    for (int half = 0; half < 2; half++) {
        size_t length = make_frame(frame, 0, 55, half);
        put16(frame + UDP_LENGTH, 8 + 50);
        fix_udp_checksum(frame, half);
        assert_accepted(frame, length, half);
    }
}

static void
test_ip_options(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1];

    for (size_t options = 0; options <= 40; options += 4) {
        for (int half = 0; half < 2; half++) {
            size_t length = make_frame(frame, options, 55, half);
            assert_accepted(frame, length, half);

            if (options) {
                frame[UDP] ^= 4; /* Now the first of the options. */
                assert_verdict(frame, length, FRAME_IP_CHECKSUM);
            }
        }
    }
}

/* Options before it move the datagram; whatever is behind it, in the IP packet
 * or the frame, is not of it. */
static void
test_where_the_datagram_is(void **state OVS_UNUSED)
{
    static const size_t payloads[] = { 0, 1, 55, 1472 };
    uint8_t frame[FRAME_MAX + 1];

    for (size_t options = 0; options <= 40; options += 4) {
        for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
            for (size_t less = 0; less < MIN(payloads[i] + 1, 3); less++) {
                for (size_t padding = 0; padding < 3; padding++) {
                    size_t length =
                        make_frame(frame, options, payloads[i], false);
                    uint8_t *udp = udp_of(frame);
                    struct frame checked;

                    put16(udp + 4, 8 + payloads[i] - less);
                    fix_udp_checksum(frame, false);
                    memset(frame + length, 0xa5, padding);
                    memset(&checked, 0xa5, sizeof checked);
                    assert_int_equal(
                        frame_check(frame, length + padding, &checked),
                        FRAME_OK);
                    assert_int_equal(checked.udp_ofs, 14 + 20 + options);
                    assert_int_equal(checked.udp_length,
                                     8 + payloads[i] - less);
                    assert_int_equal(checked.length, length + padding);
                }
            }
        }
    }
}

static void
test_the_longest_frame(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1] = { 0 };

    for (int half = 0; half < 2; half++) {
        size_t length = make_frame(frame, 0, FRAME_MAX - PAYLOAD, half);
        assert_int_equal(length, FRAME_MAX);
        assert_int_equal(get16(frame + IP_TOTAL_LENGTH), 9000);
        assert_accepted(frame, length, half);
        assert_verdict(frame, length + 1, FRAME_OVERSIZE);
    }
}

/* Words of all ones carry from every addition. */
static void
test_carries(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1];

    for (int half = 0; half < 2; half++) {
        size_t length = make_frame(frame, 0, FRAME_MAX - PAYLOAD, half);
        memset(frame + PAYLOAD, 0xff, length - PAYLOAD);
        fix_udp_checksum(frame, half);
        assert_accepted(frame, length, half);
    }
}

static void
test_frames_anywhere_in_memory(void **state OVS_UNUSED)
{
    uint8_t frame[FRAME_MAX + 1];
    uint8_t *buffer = malloc(sizeof frame + 8);

    for (size_t offset = 0; offset < 8; offset++) {
        for (int half = 0; half < 2; half++) {
            size_t length = make_frame(frame, 0, 55, half);
            uint8_t *at = buffer + offset;
            struct frame checked;

            memcpy(at, frame, length);
            assert_int_equal(frame_check(at, length, &checked), FRAME_OK);
            assert_ptr_equal(checked.bytes, at);
            assert_int_equal(checked.ip_src, htonl(0x0a01000a));
            assert_int_equal(checked.ip_dst, htonl(0x0a0100ff));
            assert_int_equal(checked.port, 5076);
            assert_int_equal(get16(at + UDP_SUM), udp_checksum(at));
        }
    }
    free(buffer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captured_broadcasts_are_ok),
        cmocka_unit_test(test_captured_mesh_is_not_broadcast),
        cmocka_unit_test(test_a_completed_frame_is_ok_as_it_is),
        cmocka_unit_test(test_each_verdict),
        cmocka_unit_test(test_verdicts_have_different_names),
        cmocka_unit_test(test_no_part_of_a_frame_is_a_frame),
        cmocka_unit_test(test_a_corrupted_frame_is_dropped),
        cmocka_unit_test(test_a_corrupted_half_sum_is_dropped),
        cmocka_unit_test(test_a_completed_frame_corrupted_is_dropped),
        cmocka_unit_test(test_every_wrong_checksum_is_dropped),
        cmocka_unit_test(test_no_checksum_is_kept),
        cmocka_unit_test(test_a_sum_of_zero_is_completed_to_all_ones),
        cmocka_unit_test(test_every_payload_length),
        cmocka_unit_test(test_padding_is_kept_and_not_summed),
        cmocka_unit_test(test_bytes_behind_the_datagram_are_not_summed),
        cmocka_unit_test(test_ip_options),
        cmocka_unit_test(test_where_the_datagram_is),
        cmocka_unit_test(test_the_longest_frame),
        cmocka_unit_test(test_carries),
        cmocka_unit_test(test_frames_anywhere_in_memory),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
