/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "hello.h"

#include "support.h"

#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

/* Where things are in a hello. */
enum {
    OFS_VERSION_MIN = 0,
    OFS_VERSION_MAX = 1,
    OFS_FLAGS = 2,
    OFS_LENGTH = 3,
    OFS_INTERVAL = 4,
    OFS_PATH = 16,
    OFS_ECHO_PATH = 20,
    OFS_ZERO = 44,
    FIXED_LEN = 64
};

/* A hello in which each byte of each number is different. */
static const struct hello example = {
    .version_min = 1,
    .version_max = 2,
    .answer = true,
    .interval = 0x1234,
    .timestamp = UINT64_C(0x2122232425262728),
    .path = 0x31323334,
    .echo_path = 0x41424344,
    .echo_session = UINT64_C(0x5152535455565758),
    .echo_timestamp = UINT64_C(0x6162636465666768),
    .held = 0x71727374,
    .received = UINT64_C(0x8182838485868788),
    .lost = UINT64_C(0x9192939495969798),
    .macs = { ETH_ADDR_C(02, 0a, 0b, 0c, 0d, 0e),
              ETH_ADDR_C(04, 1a, 1b, 1c, 1d, 1e) },
    .n_macs = 2,
    .ports = { 5064, 5065, 65535 },
    .n_ports = 3,
};

/* The same, by hand. */
static const uint8_t example_bytes[] = {
    0x01, 0x02, 0x01, 64,                           /* Versions, flags. */
    0x00, 0x00, 0x12, 0x34,                         /* Interval. */
    0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, /* Timestamp. */
    0x31, 0x32, 0x33, 0x34,                         /* Path. */
    0x41, 0x42, 0x43, 0x44,                         /* Echo path. */
    0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, /* Echo session. */
    0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, /* Echo timestamp. */
    0x71, 0x72, 0x73, 0x74,                         /* Held. */
    0x00, 0x00, 0x00, 0x00,                         /* Zero. */
    0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, /* Received. */
    0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, /* Lost. */
    0x00, 0x01, 0x00, 0x0c,                         /* MACs. */
    0x02, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,             /* */
    0x04, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e,             /* */
    0x00, 0x02, 0x00, 0x06,                         /* Ports. */
    0x13, 0xc8, 0x13, 0xc9, 0xff, 0xff,             /* */
};

/* A hello put together by hand: the fixed part of the example and what is
 * appended. */
struct body {
    uint8_t bytes[2048];
    size_t length;
};

static void
append(struct body *b, const void *bytes, size_t length)
{
    assert_true(b->length + length <= sizeof b->bytes);
    memcpy(b->bytes + b->length, bytes, length);
    b->length += length;
}

#define APPEND(BODY, ...)                                                     \
    append(BODY, (const uint8_t[]){ __VA_ARGS__ },                            \
           sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void
begin(struct body *b)
{
    b->length = 0;
    append(b, example_bytes, FIXED_LEN);
}

/* Decodes the 'length' bytes at 'bytes', in an allocation of just that length
 * and into memory full of what is not so. */
static bool
decode(const uint8_t *bytes, size_t length, struct hello *h)
{
    uint8_t *copy = copy_exactly(bytes, length);

    memset(h, 0xa5, sizeof *h);
    bool ok = hello_decode(copy, length, h);
    free(copy);
    return ok;
}

/* Decodes 'b', which must be a hello. */
static struct hello
decode_body(const struct body *b)
{
    struct hello h;

    assert_true(decode(b->bytes, b->length, &h));
    return h;
}

/* Fails the test unless 'b' is no hello. */
static void
assert_refused(const struct body *b)
{
    struct hello h;

    assert_false(decode(b->bytes, b->length, &h));
}

/* Fails the test unless 'a' and 'b' say the same, but for the items. */
static void
assert_same_fixed(const struct hello *a, const struct hello *b)
{
    assert_int_equal(a->version_min, b->version_min);
    assert_int_equal(a->version_max, b->version_max);
    assert_int_equal(a->answer, b->answer);
    assert_int_equal(a->answers, b->answers);
    assert_int_equal(a->interval, b->interval);
    assert_true(a->timestamp == b->timestamp);
    assert_int_equal(a->path, b->path);
    assert_int_equal(a->echo_path, b->echo_path);
    assert_true(a->echo_session == b->echo_session);
    assert_true(a->echo_timestamp == b->echo_timestamp);
    assert_int_equal(a->held, b->held);
    assert_true(a->received == b->received);
    assert_true(a->lost == b->lost);
}

static void
assert_same(const struct hello *a, const struct hello *b)
{
    assert_same_fixed(a, b);
    assert_int_equal(a->n_macs, b->n_macs);
    assert_memory_equal(a->macs, b->macs, a->n_macs * sizeof *a->macs);
    assert_int_equal(a->n_ports, b->n_ports);
    assert_memory_equal(a->ports, b->ports, a->n_ports * sizeof *a->ports);
    assert_int_equal(a->role, b->role);
    assert_true(a->forwarder == b->forwarder);
    assert_int_equal(a->tunnel.type, b->tunnel.type);
    assert_int_equal(a->tunnel.vni, b->tunnel.vni);
    assert_true(a->tunnel.token == b->tunnel.token);
    assert_int_equal(a->tunnel.hears, b->tunnel.hears);
}

/* Encodes 'h' to 'bytes' and returns the length.  Nothing may be written
 * beyond that. */
static size_t
encode(const struct hello *h, uint8_t bytes[HELLO_MAX_LEN])
{
    uint8_t *room = malloc(HELLO_MAX_LEN);

    memset(room, 0xa5, HELLO_MAX_LEN);
    size_t length = hello_encode(h, room, HELLO_MAX_LEN);
    assert_in_range(length, FIXED_LEN, HELLO_MAX_LEN);
    for (size_t i = length; i < HELLO_MAX_LEN; i++) {
        assert_int_equal(room[i], 0xa5);
    }
    memcpy(bytes, room, length);
    free(room);
    return length;
}

static void
test_the_example_is_encoded_byte_for_byte(void **state OVS_UNUSED)
{
    uint8_t bytes[HELLO_MAX_LEN];

    assert_int_equal(encode(&example, bytes), sizeof example_bytes);
    assert_memory_equal(bytes, example_bytes, sizeof example_bytes);
}

static void
test_the_example_is_decoded(void **state OVS_UNUSED)
{
    struct hello h;

    assert_true(decode(example_bytes, sizeof example_bytes, &h));
    assert_same(&h, &example);
}

/* Returns a number with all its bits random, or an extreme one. */
static uint64_t
random_number(uint32_t *seed)
{
    switch (next_random(seed) % 4) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    default: return (uint64_t) next_random(seed) << 32 | next_random(seed);
    }
}

/* Returns a hello that a relay might send. */
static struct hello
random_hello(uint32_t *seed)
{
    struct hello h;

    memset(&h, 0, sizeof h);
    h.version_min = random_number(seed);
    h.version_max =
        h.version_min + next_random(seed) % (UINT8_MAX - h.version_min + 1);
    h.answer = next_random(seed) % 2;
    h.answers = next_random(seed) % 2;
    h.interval = HELLO_MIN_INTERVAL_MS
                 + next_random(seed)
                       % (HELLO_MAX_INTERVAL_MS - HELLO_MIN_INTERVAL_MS + 1);
    h.timestamp = random_number(seed);
    h.path = 1 + next_random(seed) % UINT32_MAX;
    h.echo_path = random_number(seed);
    h.echo_session = random_number(seed);
    h.echo_timestamp = random_number(seed);
    h.held = random_number(seed);
    h.received = random_number(seed);
    h.lost = random_number(seed);
    h.role = next_random(seed) % RELAY_N_STATES;
    h.forwarder = h.role ? random_number(seed) : 0;
    h.tunnel.type = next_random(seed) % HELLO_N_TUNNEL_TYPES;
    if (h.tunnel.type) {
        h.tunnel.vni = random_number(seed) & HELLO_MAX_VNI;
        h.tunnel.token = random_number(seed);
        h.tunnel.hears = next_random(seed) % 2;
    }
    h.n_macs = next_random(seed) % (HELLO_MAX_MACS + 1);
    for (size_t i = 0; i < h.n_macs; i++) {
        h.macs[i] = (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 00, 00);
        h.macs[i].ea[5] = next_random(seed);
    }
    h.n_ports = next_random(seed) % (HELLO_MAX_PORTS + 1);
    for (size_t i = 0; i < h.n_ports; i++) {
        h.ports[i] = 1 + next_random(seed) % 65535;
    }
    return h;
}

static void
test_what_is_encoded_is_decoded(void **state OVS_UNUSED)
{
    uint32_t seed = 5;

    for (int i = 0; i < 2000; i++) {
        struct hello h = random_hello(&seed);
        uint8_t bytes[HELLO_MAX_LEN];
        struct hello decoded;

        size_t length = encode(&h, bytes);
        assert_true(decode(bytes, length, &decoded));
        assert_same(&decoded, &h);
    }
}

static void
test_a_full_hello_takes_the_longest_length(void **state OVS_UNUSED)
{
    struct hello h = example, decoded;
    uint8_t bytes[HELLO_MAX_LEN];

    h.n_macs = HELLO_MAX_MACS;
    h.n_ports = HELLO_MAX_PORTS;
    h.role = RELAY_GONE;
    h.forwarder = UINT64_MAX;
    h.tunnel =
        (struct hello_tunnel){ HELLO_GENEVE, HELLO_MAX_VNI, UINT64_MAX, true };
    for (size_t i = 0; i < HELLO_MAX_MACS; i++) {
        h.macs[i] = example.macs[0];
        h.macs[i].ea[5] = i;
    }
    for (size_t i = 0; i < HELLO_MAX_PORTS; i++) {
        h.ports[i] = 65535 - i;
    }
    assert_int_equal(encode(&h, bytes), HELLO_MAX_LEN);
    assert_true(decode(bytes, HELLO_MAX_LEN, &decoded));
    assert_same(&decoded, &h);
}

static void
test_a_hello_without_anything_in_its_lists(void **state OVS_UNUSED)
{
    struct hello h = example, decoded;
    uint8_t bytes[HELLO_MAX_LEN];

    h.n_macs = h.n_ports = 0;
    size_t length = encode(&h, bytes);
    assert_true(decode(bytes, length, &decoded));
    assert_same(&decoded, &h);
}

/* A hello cut short is refused, but for where an item ends: that may be all
 * that its sender has to say. */
static void
test_every_truncated_length(void **state OVS_UNUSED)
{
    for (size_t length = 0; length < sizeof example_bytes; length++) {
        bool whole = length == FIXED_LEN || length == FIXED_LEN + 16;
        struct hello h;

        assert_int_equal(decode(example_bytes, length, &h), whole);
        if (whole) {
            assert_same_fixed(&h, &example);
            assert_int_equal(h.n_macs, length > FIXED_LEN ? 2 : 0);
            assert_int_equal(h.n_ports, 0);
        }
    }
}

static void
test_a_longer_fixed_part_is_skipped(void **state OVS_UNUSED)
{
    for (unsigned int length = FIXED_LEN; length <= UINT8_MAX; length++) {
        struct body b;

        begin(&b);
        b.bytes[OFS_LENGTH] = length;
        while (b.length < length) {
            APPEND(&b, 0xff);
        }
        append(&b, example_bytes + FIXED_LEN,
               sizeof example_bytes - FIXED_LEN);
        const struct hello h = decode_body(&b);
        assert_same(&h, &example);
    }
}

/* Also where what it leaves out would be good items. */
static void
test_a_shorter_fixed_part_is_refused(void **state OVS_UNUSED)
{
    for (unsigned int length = 0; length < FIXED_LEN; length++) {
        struct body b;

        begin(&b);
        memset(b.bytes + OFS_ECHO_PATH, 0, FIXED_LEN - OFS_ECHO_PATH);
        decode_body(&b);
        b.bytes[OFS_LENGTH] = length;
        assert_refused(&b);
        append(&b, example_bytes + FIXED_LEN,
               sizeof example_bytes - FIXED_LEN);
        assert_refused(&b);
    }
}

static void
test_a_fixed_part_that_does_not_end_is_refused(void **state OVS_UNUSED)
{
    struct body b;

    begin(&b);
    b.bytes[OFS_LENGTH] = FIXED_LEN + 1;
    assert_refused(&b);
    APPEND(&b, 0);
    decode_body(&b);
    b.bytes[OFS_LENGTH] = UINT8_MAX;
    assert_refused(&b);
}

static void
test_unknown_items_are_left_out(void **state OVS_UNUSED)
{
    struct body b;

    begin(&b);
    APPEND(&b, 0, 0, 0, 6, 2, 9, 9, 9, 9, 9);
    append(&b, example_bytes + FIXED_LEN, 16);
    APPEND(&b, 0, 4, 0, 0);
    APPEND(&b, 0xff, 0xff, 0, 1, 2);
    append(&b, example_bytes + FIXED_LEN + 16, 10);
    APPEND(&b, 1, 1, 0, 6, 2, 9, 9, 9, 9, 9); /* Each byte counts. */
    APPEND(&b, 2, 0, 0, 2, 0, 9);
    const struct hello h = decode_body(&b);
    assert_same(&h, &example);
}

static void
test_items_may_come_in_any_order(void **state OVS_UNUSED)
{
    struct body b;

    begin(&b);
    append(&b, example_bytes + FIXED_LEN + 16, 10);
    append(&b, example_bytes + FIXED_LEN, 16);
    const struct hello h = decode_body(&b);
    assert_same(&h, &example);
}

/* The role. */

/* That of the example's sender, with the relay that forwards. */
static const uint8_t role_bytes[] = {
    0x00, 0x03, 0x00, 0x09, /* */
    0x05,                   /* Leaving. */
    0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8,
};

static void
test_a_role_is_encoded_byte_for_byte(void **state OVS_UNUSED)
{
    struct hello h = example, decoded;
    uint8_t bytes[HELLO_MAX_LEN];

    h.role = RELAY_LEAVING;
    h.forwarder = UINT64_C(0xa1a2a3a4a5a6a7a8);
    const size_t length = encode(&h, bytes);
    assert_int_equal(length, sizeof example_bytes + sizeof role_bytes);
    assert_memory_equal(bytes, example_bytes, sizeof example_bytes);
    assert_memory_equal(bytes + sizeof example_bytes, role_bytes,
                        sizeof role_bytes);
    assert_true(decode(bytes, length, &decoded));
    assert_same(&decoded, &h);
}

/* Each of them, whether somebody forwards or not. */
static void
test_each_role(void **state OVS_UNUSED)
{
    for (int role = 0; role < RELAY_N_STATES; role++) {
        for (uint64_t forwarder = 0; forwarder < 2; forwarder++) {
            struct hello h = example, decoded;
            uint8_t bytes[HELLO_MAX_LEN];

            h.role = role;
            h.forwarder = forwarder;
            const size_t length = encode(&h, bytes);
            assert_true(decode(bytes, length, &decoded));
            assert_int_equal(decoded.role, role);
            assert_true(decoded.forwarder == (role ? forwarder : 0));
        }
    }
}

/* Who has none says nothing of it, nor of who forwards. */
static void
test_no_role(void **state OVS_UNUSED)
{
    struct hello h = example;
    uint8_t bytes[HELLO_MAX_LEN];

    h.forwarder = 7;
    assert_int_equal(encode(&h, bytes), sizeof example_bytes);
    assert_memory_equal(bytes, example_bytes, sizeof example_bytes);
}

/* Of roles to come nothing is known, and so neither of who forwards.  Nor is
 * 0 one, which comes last here. */
static void
test_unknown_roles_are_left_out(void **state OVS_UNUSED)
{
    for (int role = RELAY_N_STATES; role <= UINT8_MAX + 1; role++) {
        struct body b;

        begin(&b);
        append(&b, role_bytes, sizeof role_bytes);
        b.bytes[FIXED_LEN + 4] = role;
        append(&b, example_bytes + FIXED_LEN,
               sizeof example_bytes - FIXED_LEN);
        const struct hello h = decode_body(&b);
        assert_same(&h, &example);
    }
}

/* One that is too short is none, and what more there is in a longer one is for
 * versions to come. */
static void
test_roles_of_other_lengths(void **state OVS_UNUSED)
{
    for (size_t length = 0; length < 20; length++) {
        struct hello expected = example;
        struct body b;

        begin(&b);
        APPEND(&b, 0, 3, 0, length);
        for (size_t i = 0; i < length; i++) {
            APPEND(&b, i < 9 ? role_bytes[4 + i] : 0xff);
        }
        append(&b, example_bytes + FIXED_LEN,
               sizeof example_bytes - FIXED_LEN);
        if (length >= 9) {
            expected.role = RELAY_LEAVING;
            expected.forwarder = UINT64_C(0xa1a2a3a4a5a6a7a8);
        }
        const struct hello h = decode_body(&b);
        assert_same(&h, &expected);
    }
}

/* The last one that is known counts. */
static void
test_several_roles(void **state OVS_UNUSED)
{
    struct body b;

    begin(&b);
    append(&b, role_bytes, sizeof role_bytes);
    APPEND(&b, 0, 3, 0, 9, RELAY_STANDBY, 0, 0, 0, 0, 0, 0, 0, 9);
    APPEND(&b, 0, 3, 0, 9, RELAY_N_STATES, 0, 0, 0, 0, 0, 0, 0, 8);
    APPEND(&b, 0, 3, 0, 8, RELAY_GONE, 0, 0, 0, 0, 0, 0, 7);
    const struct hello h = decode_body(&b);
    assert_int_equal(h.role, RELAY_STANDBY);
    assert_true(h.forwarder == 9);
}

/* The tunnel. */

/* That of the example's sender, which hears the receiver's probes. */
static const uint8_t tunnel_bytes[] = {
    0x00, 0x04, 0x00, 0x10,                         /* */
    0x02, 0x01, 0x00, 0x00,                         /* Geneve, hears. */
    0x00, 0xb1, 0xb2, 0xb3,                         /* VNI. */
    0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, /* Token. */
};
static const struct hello_tunnel tunnel = {
    .type = HELLO_GENEVE,
    .vni = 0xb1b2b3,
    .token = UINT64_C(0xc1c2c3c4c5c6c7c8),
    .hears = true,
};

/* A hello with 'bytes', and with the lists of the example behind them. */
static struct hello
decode_with(const uint8_t *bytes, size_t length)
{
    struct body b;

    begin(&b);
    append(&b, bytes, length);
    append(&b, example_bytes + FIXED_LEN, sizeof example_bytes - FIXED_LEN);
    return decode_body(&b);
}

static void
test_a_tunnel_is_encoded_byte_for_byte(void **state OVS_UNUSED)
{
    struct hello h = example, decoded;
    uint8_t bytes[HELLO_MAX_LEN];

    h.tunnel = tunnel;
    size_t length = encode(&h, bytes);
    assert_int_equal(length, sizeof example_bytes + sizeof tunnel_bytes);
    assert_memory_equal(bytes, example_bytes, sizeof example_bytes);
    assert_memory_equal(bytes + sizeof example_bytes, tunnel_bytes,
                        sizeof tunnel_bytes);
    assert_true(decode(bytes, length, &decoded));
    assert_same(&decoded, &h);

    /* Behind the role. */
    h.role = RELAY_LEAVING;
    h.forwarder = UINT64_C(0xa1a2a3a4a5a6a7a8);
    h.tunnel.hears = false;
    h.tunnel.type = HELLO_VXLAN;
    length = encode(&h, bytes);
    assert_memory_equal(bytes + sizeof example_bytes, role_bytes,
                        sizeof role_bytes);
    assert_int_equal(bytes[sizeof example_bytes + sizeof role_bytes + 4], 1);
    assert_int_equal(bytes[sizeof example_bytes + sizeof role_bytes + 5], 0);
    assert_true(decode(bytes, length, &decoded));
    assert_same(&decoded, &h);
}

/* Who has none says nothing of it. */
static void
test_no_tunnel(void **state OVS_UNUSED)
{
    struct hello h = example;
    uint8_t bytes[HELLO_MAX_LEN];

    h.tunnel = tunnel;
    h.tunnel.type = HELLO_NO_TUNNEL;
    assert_int_equal(encode(&h, bytes), sizeof example_bytes);
    assert_memory_equal(bytes, example_bytes, sizeof example_bytes);
}

static void
test_tunnels_that_make_no_sense_are_left_out(void **state OVS_UNUSED)
{
    uint8_t bytes[sizeof tunnel_bytes];

    for (unsigned int type = 0; type <= UINT8_MAX; type++) {
        memcpy(bytes, tunnel_bytes, sizeof bytes);
        bytes[4] = type;
        const struct hello h = decode_with(bytes, sizeof bytes);
        struct hello expected = example;
        if (type == HELLO_VXLAN || type == HELLO_GENEVE) {
            expected.tunnel = tunnel;
            expected.tunnel.type = type;
        }
        assert_same(&h, &expected);
    }

    /* A VNI has 24 bits, any of them. */
    for (unsigned int bit = 0; bit < 32; bit++) {
        memcpy(bytes, tunnel_bytes, sizeof bytes);
        memset(bytes + 8, 0, 4);
        bytes[11 - bit / 8] = 1 << bit % 8;
        const struct hello h = decode_with(bytes, sizeof bytes);
        assert_int_equal(h.tunnel.type, bit < 24 ? HELLO_GENEVE : 0);
        assert_int_equal(h.tunnel.vni, bit < 24 ? 1u << bit : 0);
        assert_true(h.tunnel.token == (bit < 24 ? tunnel.token : 0));
        assert_int_equal(h.tunnel.hears, bit < 24);
    }
    memset(bytes + 9, 0xff, 3);
    bytes[8] = 0;
    assert_int_equal(decode_with(bytes, sizeof bytes).tunnel.vni,
                     HELLO_MAX_VNI);
}

/* Other flags, and what is zero, are for versions to come. */
static void
test_flags_of_tunnels(void **state OVS_UNUSED)
{
    uint8_t bytes[sizeof tunnel_bytes];

    memcpy(bytes, tunnel_bytes, sizeof bytes);
    bytes[6] = bytes[7] = 0xff;
    for (unsigned int flags = 0; flags <= UINT8_MAX; flags++) {
        struct hello expected = example;

        bytes[5] = flags;
        expected.tunnel = tunnel;
        expected.tunnel.hears = flags & 1;
        const struct hello h = decode_with(bytes, sizeof bytes);
        assert_same(&h, &expected);
    }
}

/* As with the role. */
static void
test_tunnels_of_other_lengths(void **state OVS_UNUSED)
{
    for (size_t length = 0; length < 30; length++) {
        struct hello expected = example;
        struct body b = { .length = 0 };

        APPEND(&b, 0, 4, 0, length);
        for (size_t i = 0; i < length; i++) {
            APPEND(&b, i < 16 ? tunnel_bytes[4 + i] : 0xff);
        }
        if (length >= 16) {
            expected.tunnel = tunnel;
        }
        const struct hello h = decode_with(b.bytes, b.length);
        assert_same(&h, &expected);
    }
}

/* The last one that is known counts. */
static void
test_several_tunnels(void **state OVS_UNUSED)
{
    struct body b = { .length = 0 };

    append(&b, tunnel_bytes, sizeof tunnel_bytes);
    APPEND(&b, 0, 4, 0, 16, 1, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9);
    APPEND(&b, 0, 4, 0, 16, 3, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 8);
    APPEND(&b, 0, 4, 0, 2, 2, 1);
    const struct hello h = decode_with(b.bytes, b.length);
    assert_int_equal(h.tunnel.type, HELLO_VXLAN);
    assert_int_equal(h.tunnel.vni, 7);
    assert_true(h.tunnel.token == 9);
    assert_false(h.tunnel.hears);
}

/* An unknown item as long as they get, and one that is a byte too long. */
static void
test_long_items(void **state OVS_UNUSED)
{
    uint8_t *bytes = calloc(1, FIXED_LEN + 4 + UINT16_MAX);
    struct hello h;

    memcpy(bytes, example_bytes, FIXED_LEN);
    memcpy(bytes + FIXED_LEN, "\x00\x09\xff\xff", 4);
    assert_true(decode(bytes, FIXED_LEN + 4 + UINT16_MAX, &h));
    assert_false(decode(bytes, FIXED_LEN + 4 + UINT16_MAX - 1, &h));
    assert_false(decode(bytes, FIXED_LEN + 4, &h));
    free(bytes);
}

/* What is left of an item too short for its type and length. */
static void
test_items_that_do_not_end_are_refused(void **state OVS_UNUSED)
{
    static const uint8_t items[] = { 0, 1, 0, 7, 2, 3, 4, 5, 6,
                                     7, 0, 0, 2, 0, 3, 9, 9, 0 };

    for (size_t length = 1; length <= sizeof items; length++) {
        struct body b;

        begin(&b);
        append(&b, items, length);
        if (length != 11 && length != sizeof items) {
            assert_refused(&b);
        } else {
            decode_body(&b);
        }
    }
}

/* An odd byte at the end of a list belongs to no address or port. */
static void
test_what_is_left_over_in_a_list(void **state OVS_UNUSED)
{
    struct body b;

    begin(&b);
    APPEND(&b, 0, 1, 0, 11, 2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6);
    APPEND(&b, 0, 2, 0, 3, 0, 9, 1);
    const struct hello h = decode_body(&b);
    assert_int_equal(h.n_macs, 1);
    assert_int_equal(h.n_ports, 1);
    assert_int_equal(h.ports[0], 9);
}

/* Nobody can say hello with a number of none, or to speak no version. */
static void
test_what_makes_no_sense_is_refused(void **state OVS_UNUSED)
{
    struct body b;

    begin(&b);
    memset(b.bytes + OFS_PATH, 0, 4);
    assert_refused(&b);
    for (int i = 0; i < 4; i++) {
        begin(&b);
        memset(b.bytes + OFS_PATH, 0, 4);
        b.bytes[OFS_PATH + i] = 1;
        decode_body(&b);
    }

    begin(&b);
    b.bytes[OFS_VERSION_MIN] = 3;
    assert_refused(&b);
    b.bytes[OFS_VERSION_MIN] = 2;
    decode_body(&b);
    b.bytes[OFS_VERSION_MIN] = UINT8_MAX;
    assert_refused(&b);
    b.bytes[OFS_VERSION_MAX] = UINT8_MAX;
    assert_int_equal(decode_body(&b).version_min, UINT8_MAX);
}

/* Bits and bytes that mean nothing yet are for versions to come. */
static void
test_what_means_nothing_yet_is_ignored(void **state OVS_UNUSED)
{
    struct body b;

    begin(&b);
    memset(b.bytes + OFS_ZERO, 0xff, 4);
    for (unsigned int flags = 0; flags <= UINT8_MAX; flags++) {
        b.bytes[OFS_FLAGS] = flags;
        struct hello h = decode_body(&b);
        assert_int_equal(h.answer, flags & 1);
        assert_int_equal(h.answers, flags >> 1 & 1);
        h.answer = example.answer;
        h.answers = example.answers;
        assert_same_fixed(&h, &example);
    }
}

static void
test_an_answer_is_asked_for_by_one_bit(void **state OVS_UNUSED)
{
    struct hello h = example;
    uint8_t bytes[HELLO_MAX_LEN];

    encode(&h, bytes);
    assert_int_equal(bytes[OFS_FLAGS], 1);
    h.answer = false;
    encode(&h, bytes);
    assert_int_equal(bytes[OFS_FLAGS], 0);
}

/* The other one says that this is one. */
static void
test_an_answer_says_so_by_another_bit(void **state OVS_UNUSED)
{
    for (unsigned int flags = 0; flags < 4; flags++) {
        struct hello h = example, decoded;
        uint8_t bytes[HELLO_MAX_LEN];

        h.answer = flags & 1;
        h.answers = flags & 2;
        size_t length = encode(&h, bytes);
        assert_int_equal(bytes[OFS_FLAGS], flags);
        assert_true(decode(bytes, length, &decoded));
        assert_same(&decoded, &h);
    }
}

static void
test_the_interval_has_bounds(void **state OVS_UNUSED)
{
    static const struct {
        uint32_t written, taken;
    } intervals[] = {
        { 0, HELLO_MIN_INTERVAL_MS },
        { 1, HELLO_MIN_INTERVAL_MS },
        { HELLO_MIN_INTERVAL_MS - 1, HELLO_MIN_INTERVAL_MS },
        { HELLO_MIN_INTERVAL_MS, HELLO_MIN_INTERVAL_MS },
        { HELLO_MIN_INTERVAL_MS + 1, HELLO_MIN_INTERVAL_MS + 1 },
        { 1000, 1000 },
        { HELLO_MAX_INTERVAL_MS - 1, HELLO_MAX_INTERVAL_MS - 1 },
        { HELLO_MAX_INTERVAL_MS, HELLO_MAX_INTERVAL_MS },
        { HELLO_MAX_INTERVAL_MS + 1, HELLO_MAX_INTERVAL_MS },
        { INT32_MAX, HELLO_MAX_INTERVAL_MS },
        { UINT32_C(1) << 31, HELLO_MAX_INTERVAL_MS },
        { UINT32_MAX, HELLO_MAX_INTERVAL_MS },
    };

    for (size_t i = 0; i < ARRAY_SIZE(intervals); i++) {
        struct body b;

        begin(&b);
        for (int j = 0; j < 4; j++) {
            b.bytes[OFS_INTERVAL + j] =
                intervals[i].written >> (24 - 8 * j) & 0xff;
        }
        assert_int_equal(decode_body(&b).interval, intervals[i].taken);
    }
}

/* Addresses of groups, of everybody and of nobody. */
static void
test_macs_that_cannot_be_a_relays_are_left_out(void **state OVS_UNUSED)
{
    static const struct eth_addr good[] = {
        ETH_ADDR_C(02, 00, 00, 00, 00, 01),
        ETH_ADDR_C(00, 00, 00, 00, 00, 01),
        ETH_ADDR_C(fe, ff, ff, ff, ff, ff),
    };
    struct body b;

    begin(&b);
    APPEND(&b, 0, 1, 0, 42);
    APPEND(&b, 0, 0, 0, 0, 0, 0);
    append(&b, &good[0], 6);
    APPEND(&b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    append(&b, &good[1], 6);
    APPEND(&b, 1, 0, 0x5e, 0, 0, 1);
    append(&b, &good[2], 6);
    APPEND(&b, 3, 0, 0, 0, 0, 0);
    const struct hello h = decode_body(&b);
    assert_int_equal(h.n_macs, ARRAY_SIZE(good));
    assert_memory_equal(h.macs, good, sizeof good);
}

/* Bad ones take no room, and good ones beyond it are no reason to refuse. */
static void
test_too_many_macs(void **state OVS_UNUSED)
{
    for (size_t n = HELLO_MAX_MACS - 1; n <= HELLO_MAX_MACS + 5; n++) {
        struct body b;

        begin(&b);
        APPEND(&b, 0, 1, 0, (n + 1) * 6, 0, 0, 0, 0, 0, 0);
        for (size_t i = 0; i < n; i++) {
            APPEND(&b, 2, 0, 0, 0, 0, i);
        }
        append(&b, example_bytes + FIXED_LEN + 16, 10);
        const struct hello h = decode_body(&b);
        assert_int_equal(h.n_macs, MIN(n, HELLO_MAX_MACS));
        for (size_t i = 0; i < h.n_macs; i++) {
            assert_int_equal(h.macs[i].ea[5], i);
        }
        assert_int_equal(h.n_ports, 3);
        assert_same_fixed(&h, &example);
    }
}

static void
test_too_many_ports(void **state OVS_UNUSED)
{
    for (size_t n = HELLO_MAX_PORTS - 1; n <= HELLO_MAX_PORTS + 5; n++) {
        struct body b;

        begin(&b);
        APPEND(&b, 0, 2, 0, (n + 1) * 2, 0, 0); /* 0 is no port. */
        for (size_t i = 0; i < n; i++) {
            APPEND(&b, 1, i);
        }
        append(&b, example_bytes + FIXED_LEN, 16);
        const struct hello h = decode_body(&b);
        assert_int_equal(h.n_ports, MIN(n, HELLO_MAX_PORTS));
        for (size_t i = 0; i < h.n_ports; i++) {
            assert_int_equal(h.ports[i], 0x100 + i);
        }
        assert_int_equal(h.n_macs, 2);
        assert_same_fixed(&h, &example);
    }
}

/* The room is for all items together. */
static void
test_lists_in_many_items(void **state OVS_UNUSED)
{
    struct body b;

    begin(&b);
    for (size_t i = 0; i < HELLO_MAX_PORTS + 2; i++) {
        APPEND(&b, 0, 1, 0, 6, 2, 0, 0, 0, 0, i);
        APPEND(&b, 0, 2, 0, 2, 1, i);
    }
    const struct hello h = decode_body(&b);
    assert_int_equal(h.n_macs, HELLO_MAX_MACS);
    assert_int_equal(h.n_ports, HELLO_MAX_PORTS);
    assert_int_equal(h.macs[HELLO_MAX_MACS - 1].ea[5], HELLO_MAX_MACS - 1);
    assert_int_equal(h.ports[HELLO_MAX_PORTS - 1],
                     0x100 + HELLO_MAX_PORTS - 1);
}

/* Whatever comes, what is made of it is within its bounds. */
static void
test_random_bytes(void **state OVS_UNUSED)
{
    uint32_t seed = 3;
    int n_decoded = 0;

    for (int i = 0; i < 50000; i++) {
        uint8_t bytes[400];
        struct hello h = random_hello(&seed);

        size_t length = hello_encode(&h, bytes, HELLO_MAX_LEN);
        for (size_t j = length; j < sizeof bytes; j++) {
            bytes[j] = next_random(&seed) % 3;
        }
        for (int j = next_random(&seed) % 4; j > 0; j--) {
            bytes[next_random(&seed) % length] = next_random(&seed);
        }
        if (next_random(&seed) % 4 == 0) {
            length = next_random(&seed) % sizeof bytes;
        }
        if (!decode(bytes, length, &h)) {
            continue;
        }
        n_decoded++;
        assert_in_range(h.interval, HELLO_MIN_INTERVAL_MS,
                        HELLO_MAX_INTERVAL_MS);
        assert_true(h.version_min <= h.version_max);
        assert_int_not_equal(h.path, 0);
        assert_in_range(h.n_macs, 0, HELLO_MAX_MACS);
        assert_in_range(h.n_ports, 0, HELLO_MAX_PORTS);
        assert_in_range(h.role, 0, RELAY_N_STATES - 1);
        for (size_t j = 0; j < h.n_macs; j++) {
            assert_false(eth_addr_is_multicast(h.macs[j]));
            assert_false(eth_addr_is_zero(h.macs[j]));
        }
        for (size_t j = 0; j < h.n_ports; j++) {
            assert_int_not_equal(h.ports[j], 0);
        }
    }
    assert_in_range(n_decoded, 10000, 45000); /* Or it would prove little. */
}

/* Hellos that may not be as long as they are. */

/* What does not fit is left out whole, and what comes after it may still fit.
 */
static void
test_every_maximum(void **state OVS_UNUSED)
{
    uint32_t seed = 21;

    for (int i = 0; i < 60; i++) {
        const struct hello h = random_hello(&seed);

        for (size_t max = 0; max <= HELLO_MAX_LEN + 20; max++) {
            const size_t limit = MIN(max, HELLO_MAX_LEN);
            const size_t items[] = { 4 + 6 * h.n_macs, 4 + 2 * h.n_ports,
                                     h.role ? 13 : SIZE_MAX,
                                     h.tunnel.type ? 20 : SIZE_MAX };
            struct hello expected = h, decoded;
            size_t length = FIXED_LEN;
            bool fits[ARRAY_SIZE(items)];
            uint8_t *room = malloc(limit + 1);

            for (size_t k = 0; k < ARRAY_SIZE(items); k++) {
                fits[k] = length <= limit && items[k] <= limit - length;
                length += fits[k] ? items[k] : 0;
            }
            memset(room, 0xa5, limit + 1);
            const size_t n = hello_encode(&h, room, max);

            if (max < FIXED_LEN) {
                assert_int_equal(n, 0);
                assert_int_equal(room[0], 0xa5);
                free(room);
                continue;
            }
            assert_int_equal(n, length);
            assert_int_equal(room[n], 0xa5);
            assert_true(decode(room, n, &decoded));
            expected.n_macs = fits[0] ? h.n_macs : 0;
            expected.n_ports = fits[1] ? h.n_ports : 0;
            expected.role = fits[2] ? h.role : 0;
            expected.forwarder = fits[2] ? h.forwarder : 0;
            if (!fits[3]) {
                expected.tunnel = (struct hello_tunnel){ .type = 0 };
            }
            assert_same(&decoded, &expected);
            free(room);
        }
    }
}

/* Padding. */

static void
test_a_hello_is_padded_to_the_longest_length(void **state OVS_UNUSED)
{
    uint32_t seed = 31;
    size_t n_padded = 0;

    for (int i = 0; i < 2000; i++) {
        const struct hello h = random_hello(&seed);
        uint8_t *bytes = malloc(HELLO_MAX_LEN);
        uint8_t before[HELLO_MAX_LEN];
        struct hello decoded;

        const size_t length = encode(&h, bytes);
        memcpy(before, bytes, length);
        const size_t padded = hello_pad(bytes, length);
        assert_int_equal(padded,
                         length + 4 <= HELLO_MAX_LEN ? HELLO_MAX_LEN : length);
        assert_memory_equal(bytes, before, length);
        for (size_t k = length + 4; k < padded; k++) {
            assert_int_equal(bytes[k], 0);
        }
        assert_true(decode(bytes, padded, &decoded));
        assert_same(&decoded, &h);
        n_padded += padded > length;
        free(bytes);
    }
    assert_true(n_padded > 1000);
}

/* Where the item without a value just fits, and where it does not. */
static void
test_hellos_with_little_room_to_pad(void **state OVS_UNUSED)
{
    for (size_t length = 0; length <= HELLO_MAX_LEN; length++) {
        const size_t left = HELLO_MAX_LEN - length;
        uint8_t *bytes = malloc(HELLO_MAX_LEN);

        memset(bytes, 0xa5, HELLO_MAX_LEN);
        assert_int_equal(hello_pad(bytes, length),
                         left >= 4 ? HELLO_MAX_LEN : length);
        for (size_t i = 0; i < HELLO_MAX_LEN; i++) {
            assert_int_equal(bytes[i], i < length || left < 4 ? 0xa5
                                       : i == length + 2      ? (left - 4) >> 8
                                       : i == length + 3 ? (left - 4) & 0xff
                                                         : 0);
        }
        free(bytes);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_is_encoded_byte_for_byte),
        cmocka_unit_test(test_the_example_is_decoded),
        cmocka_unit_test(test_what_is_encoded_is_decoded),
        cmocka_unit_test(test_a_full_hello_takes_the_longest_length),
        cmocka_unit_test(test_a_hello_without_anything_in_its_lists),
        cmocka_unit_test(test_every_truncated_length),
        cmocka_unit_test(test_a_longer_fixed_part_is_skipped),
        cmocka_unit_test(test_a_shorter_fixed_part_is_refused),
        cmocka_unit_test(test_a_fixed_part_that_does_not_end_is_refused),
        cmocka_unit_test(test_unknown_items_are_left_out),
        cmocka_unit_test(test_items_may_come_in_any_order),
        cmocka_unit_test(test_a_role_is_encoded_byte_for_byte),
        cmocka_unit_test(test_each_role),
        cmocka_unit_test(test_no_role),
        cmocka_unit_test(test_unknown_roles_are_left_out),
        cmocka_unit_test(test_roles_of_other_lengths),
        cmocka_unit_test(test_several_roles),
        cmocka_unit_test(test_a_tunnel_is_encoded_byte_for_byte),
        cmocka_unit_test(test_no_tunnel),
        cmocka_unit_test(test_tunnels_that_make_no_sense_are_left_out),
        cmocka_unit_test(test_flags_of_tunnels),
        cmocka_unit_test(test_tunnels_of_other_lengths),
        cmocka_unit_test(test_several_tunnels),
        cmocka_unit_test(test_long_items),
        cmocka_unit_test(test_items_that_do_not_end_are_refused),
        cmocka_unit_test(test_what_is_left_over_in_a_list),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
        cmocka_unit_test(test_what_means_nothing_yet_is_ignored),
        cmocka_unit_test(test_an_answer_is_asked_for_by_one_bit),
        cmocka_unit_test(test_an_answer_says_so_by_another_bit),
        cmocka_unit_test(test_the_interval_has_bounds),
        cmocka_unit_test(test_macs_that_cannot_be_a_relays_are_left_out),
        cmocka_unit_test(test_too_many_macs),
        cmocka_unit_test(test_too_many_ports),
        cmocka_unit_test(test_lists_in_many_items),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_every_maximum),
        cmocka_unit_test(test_a_hello_is_padded_to_the_longest_length),
        cmocka_unit_test(test_hellos_with_little_room_to_pad),
    };
    return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
