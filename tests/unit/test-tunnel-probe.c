/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tunnel-probe.h"

#include "support.h"

#include "frame.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

enum { HEADER_LEN = 28, OFS_TYPE = 12, OFS_VERSION = 18, OFS_TOKEN = 20 };

#define TOKEN UINT64_C(0xa1a2a3a4a5a6a7a8)

static const struct eth_addr mac = ETH_ADDR_C(02, 0a, 0b, 0c, 0d, 0e);

/* The header of a probe, by hand. */
static const uint8_t example[HEADER_LEN] = {
    0x03, 0x53, 0x4e, 0x4f, 0x57, 0x02,             /* To probes. */
    0x02, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,             /* From the relay. */
    0x88, 0xb5, 'S',  'N',  'O',  'W',  1,    0,    /* Up to the zero. */
    0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, /* Token. */
};

/* Decodes the 'length' bytes at 'bytes', in an allocation of just that
 * length. */
static bool
decode(const uint8_t *bytes, size_t length, uint64_t *token)
{
    uint8_t *copy = copy_exactly(bytes, length);
    bool ok = tunnel_probe_decode(copy, length, token);

    free(copy);
    return ok;
}

/* Of any length the header is the same, and zeros follow up to the end and no
 * farther. */
static void
test_a_probe_byte_for_byte(void **state OVS_UNUSED)
{
    static const size_t lengths[] = { TUNNEL_PROBE_MIN_LEN, 61, 1464,
                                      FRAME_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        uint8_t *frame = malloc(lengths[i]);
        uint64_t token = 0;

        memset(frame, 0xa5, lengths[i]);
        tunnel_probe_encode(frame, lengths[i], mac, TOKEN);
        assert_memory_equal(frame, example, sizeof example);
        for (size_t j = sizeof example; j < lengths[i]; j++) {
            assert_int_equal(frame[j], 0);
        }
        assert_true(tunnel_probe_decode(frame, lengths[i], &token));
        assert_true(token == TOKEN);
        free(frame);
    }
}

static void
test_every_truncated_length(void **state OVS_UNUSED)
{
    uint64_t token;

    for (size_t length = 0; length < sizeof example; length++) {
        assert_false(decode(example, length, &token));
    }
    assert_true(decode(example, sizeof example, &token));
    assert_true(token == TOKEN);
}

/* Each byte counts but those of the source, of what is reserved and of the
 * token. */
static void
test_what_is_no_probe(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < sizeof example; i++) {
        const bool free_to_choose =
            (i >= 6 && i < OFS_TYPE) || i == OFS_VERSION + 1 || i >= OFS_TOKEN;
        uint8_t bytes[sizeof example];
        uint64_t token;

        memcpy(bytes, example, sizeof bytes);
        bytes[i] ^= 0x40;
        assert_int_equal(decode(bytes, sizeof bytes, &token), free_to_choose);
        if (free_to_choose) {
            assert_int_equal(token == TOKEN, i < OFS_TOKEN);
        }
    }
}

/* No peer has the token 0: one that was never told of any must not have it. */
static void
test_no_token_is_no_probe(void **state OVS_UNUSED)
{
    uint8_t bytes[sizeof example];
    uint64_t token;

    memcpy(bytes, example, sizeof bytes);
    memset(bytes + OFS_TOKEN, 0, sizeof bytes - OFS_TOKEN);
    assert_false(decode(bytes, sizeof bytes, &token));
    for (size_t i = OFS_TOKEN; i < sizeof bytes; i++) {
        memset(bytes + OFS_TOKEN, 0, sizeof bytes - OFS_TOKEN);
        bytes[i] = 1;
        assert_true(decode(bytes, sizeof bytes, &token));
        assert_true(token == UINT64_C(1) << 8 * (sizeof bytes - 1 - i));
    }
}

/* Nor is an announcement, which has the same type. */
static void
test_announcements_go_elsewhere(void **state OVS_UNUSED)
{
    uint8_t bytes[76];
    uint64_t token;

    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, example, sizeof example);
    assert_true(decode(bytes, sizeof bytes, &token));
    bytes[5] = 0x01;
    assert_false(decode(bytes, sizeof bytes, &token));
    memset(bytes, 0xff, 6);
    assert_false(decode(bytes, sizeof bytes, &token));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_probe_byte_for_byte),
        cmocka_unit_test(test_every_truncated_length),
        cmocka_unit_test(test_what_is_no_probe),
        cmocka_unit_test(test_no_token_is_no_probe),
        cmocka_unit_test(test_announcements_go_elsewhere),
    };
    return cmocka_run_group_tests_name("tunnel probe", tests, NULL, NULL);
}
