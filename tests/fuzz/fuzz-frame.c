/* SPDX-License-Identifier: Apache-2.0 */

/* Frames, as they come from the segment and from the mesh.
 *
 * The first byte of an input says which checksums are put right before the
 * frame is checked, since the fuzzer would hardly guess them; the frame
 * follows. */

#include <config.h>
#include "fuzz.h"

#include "frame.h"

enum {
    IP_OFS = 14,

    /* What the first byte may ask for. */
    RIGHT_IP_CHECKSUM = 1 << 0,
    RIGHT_UDP_CHECKSUM = 1 << 1,
    BEGUN_UDP_CHECKSUM = 1 << 2
};

/* Returns true if the headers are those of a frame that is carried, as the
 * comment in frame.h has it: all but the UDP checksum. */
static bool
has_good_headers(const uint8_t *b, size_t length)
{
    if (length > FRAME_MAX || length < IP_OFS + 20
        || memcmp(b, "\xff\xff\xff\xff\xff\xff", 6) || be16(b + 12) != 0x0800
        || b[IP_OFS] >> 4 != 4) {
        return false;
    }

    const size_t header = (b[IP_OFS] & 15) * 4;
    const size_t total = be16(b + IP_OFS + 2);
    if (header < 20 || total > length - IP_OFS || total < header + 8) {
        return false;
    }
    const size_t datagram = be16(b + IP_OFS + header + 4);
    return (ones_sum(0, b + IP_OFS, header) == 0xffff
            && !(be16(b + IP_OFS + 6) & 0x3fff) && b[IP_OFS + 9] == 17
            && datagram >= 8 && datagram <= total - header);
}

static uint8_t *
udp_of(uint8_t *b)
{
    return b + IP_OFS + (b[IP_OFS] & 15) * 4;
}

/* Returns the sum of the pseudo-header of the frame 'b' with good headers. */
static uint16_t
pseudo_sum(uint8_t *b)
{
    return ones_sum(17 + be16(udp_of(b) + 4), b + IP_OFS + 12, 8);
}

/* Returns true if the UDP checksum of the frame 'b' with good headers is right
 * or not there. */
static bool
has_good_checksum(uint8_t *b)
{
    uint8_t *udp = udp_of(b);

    return (!be16(udp + 6)
            || ones_sum(pseudo_sum(b), udp, be16(udp + 4)) == 0xffff);
}

/* Puts right what 'wishes' ask for. */
static void
put_right(uint8_t *b, size_t length, uint8_t wishes)
{
    if (wishes & RIGHT_IP_CHECKSUM && length >= IP_OFS + 20) {
        const size_t header = (b[IP_OFS] & 15) * 4;

        if (header >= 20 && IP_OFS + header <= length) {
            put16(b + IP_OFS + 10, 0);
            put16(b + IP_OFS + 10, ~ones_sum(0, b + IP_OFS, header));
        }
    }
    if (wishes & (RIGHT_UDP_CHECKSUM | BEGUN_UDP_CHECKSUM)
        && has_good_headers(b, length)) {
        uint8_t *udp = udp_of(b);

        put16(udp + 6, pseudo_sum(b));
        if (wishes & RIGHT_UDP_CHECKSUM) {
            put16(udp + 6, ~ones_sum(0, udp, be16(udp + 4)));
        }
    }
}

/* Checks what a frame is promised to be that was found to be one. */
static void
check_frame(const struct frame *f, uint8_t *b, size_t length)
{
    const uint8_t *udp = udp_of(b);

    CHECK(f->bytes == b);
    CHECK(f->length == length);
    CHECK(!memcmp(&f->ip_src, b + IP_OFS + 12, 4));
    CHECK(!memcmp(&f->ip_dst, b + IP_OFS + 16, 4));
    CHECK(f->udp_ofs == udp - b);
    CHECK(f->udp_length == be16(udp + 4));
    CHECK(f->udp_ofs + f->udp_length <= length);
    CHECK(f->port == be16(udp + 2));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input in = { bytes, length };
    const uint8_t wishes = take8(&in);
    uint8_t *b = copy_exactly(in.bytes, in.left);

    fuzz_begin();
    put_right(b, in.left, wishes);

    uint8_t *before = copy_exactly(b, in.left);
    const bool good = has_good_headers(b, in.left);
    const bool begun = (good && !has_good_checksum(b)
                        && be16(udp_of(b) + 6) == pseudo_sum(b));
    struct frame f;
    enum frame_verdict verdict = frame_check(b, in.left, &f);

    CHECK(verdict < FRAME_N_VERDICTS && frame_verdict_name(verdict)[0]);
    CHECK((verdict == FRAME_OK)
          == (good && (begun || has_good_checksum(before))));
    if (verdict == FRAME_OK) {
        struct frame again;

        /* Nothing but a sum that was only begun has changed, and it does so
         * once. */
        CHECK(has_good_checksum(b));
        CHECK(be16(udp_of(b) + 6) || !be16(udp_of(before) + 6));
        check_frame(&f, b, in.left);
        if (begun) {
            memcpy(udp_of(before) + 6, udp_of(b) + 6, 2);
        }
        CHECK(!memcmp(b, before, in.left));
        CHECK(frame_check(b, in.left, &again) == FRAME_OK);
        check_frame(&again, b, in.left);
    }
    CHECK(!in.left || !memcmp(b, before, in.left));

    free(before);
    free(b);
    return 0;
}
