/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "announcement.h"

#include "support.h"

#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

/* Where things are in a frame. */
enum {
    OFS_SRC = 6,
    OFS_ETH_TYPE = 12,
    OFS_MAGIC = 14,
    OFS_VERSION = 18,
    OFS_STATE = 19,
    OFS_REASON = 20,
    OFS_PRIORITY = 21,
    OFS_RELAY_ID = 22,
    OFS_SESSION = 30,
    OFS_HELLO = 38,
    OFS_DEAD = 42,
    OFS_ZERO = 70,
    OFS_N_PORTS = 71,
    OFS_ZEROS = 72,
    FIXED_LEN = 74
};

/* An announcement in which each byte of each number is different. */
static const struct announcement example = {
    .mac = ETH_ADDR_C(02, 0a, 0b, 0c, 0d, 0e),
    .state = RELAY_LEAVING,
    .reason = REASON_STOPPED,
    .priority = 0xf7,
    .relay_id = UINT64_C(0x2122232425262728),
    .session = UINT64_C(0x3132333435363738),
    .hello_ms = 0x1234,
    .dead_ms = 0x5678,
    .age_ms = UINT64_C(0x4142434445464748),
    .address.s6_addr = { 0x20, 0x01, 0x0d, 0xb8, 0x54, 0x55, 0x56, 0x57, 0x58,
                         0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f },
    .ports = { 5064, 5065, 65535 },
    .n_ports = 3,
};

/* The same, by hand. */
static const uint8_t example_bytes[] = {
    0x03, 0x53, 0x4e, 0x4f, 0x57, 0x01,             /* To. */
    0x02, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,             /* From. */
    0x88, 0xb5, 'S',  'N',  'O',  'W',              /* EtherType, magic. */
    0x01, 0x05, 0x0b, 0xf7,                         /* Up to the priority. */
    0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, /* Relay id. */
    0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, /* Session. */
    0x00, 0x00, 0x12, 0x34, 0x00, 0x00, 0x56, 0x78, /* Hello, dead. */
    0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, /* Age. */
    0x20, 0x01, 0x0d, 0xb8, 0x54, 0x55, 0x56, 0x57, /* Address. */
    0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, /* */
    0x00, 0x03, 0x00, 0x00,                         /* Number of ports. */
    0x13, 0xc8, 0x13, 0xc9, 0xff, 0xff,             /* Ports. */
};

/* A frame put together by hand. */
struct made {
    uint8_t bytes[2048];
    size_t length;
};

static struct made
make(void)
{
    struct made m = { .length = sizeof example_bytes };

    memcpy(m.bytes, example_bytes, sizeof example_bytes);
    return m;
}

/* Decodes the 'length' bytes at 'bytes', in an allocation of just that length
 * and into memory full of what is not so. */
static enum announcement_verdict
decode(const uint8_t *bytes, size_t length, struct announcement *a)
{
    uint8_t *copy = copy_exactly(bytes, length);

    memset(a, 0xa5, sizeof *a);
    enum announcement_verdict verdict = announcement_decode(copy, length, a);
    free(copy);
    return verdict;
}

static enum announcement_verdict
verdict_of(const struct made *m)
{
    struct announcement a;

    return decode(m->bytes, m->length, &a);
}

/* Decodes 'm', which must be an announcement. */
static struct announcement
decode_made(const struct made *m)
{
    struct announcement a;

    assert_int_equal(decode(m->bytes, m->length, &a), ANNOUNCEMENT_OK);
    return a;
}

static void
assert_same(const struct announcement *a, const struct announcement *b)
{
    assert_memory_equal(&a->mac, &b->mac, sizeof a->mac);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->priority, b->priority);
    assert_true(a->relay_id == b->relay_id);
    assert_true(a->session == b->session);
    assert_int_equal(a->hello_ms, b->hello_ms);
    assert_int_equal(a->dead_ms, b->dead_ms);
    assert_true(a->age_ms == b->age_ms);
    assert_memory_equal(&a->address, &b->address, sizeof a->address);
    assert_int_equal(a->n_ports, b->n_ports);
    assert_memory_equal(a->ports, b->ports, a->n_ports * sizeof *a->ports);
}

/* Encodes 'a' to 'bytes' and returns the length.  Nothing may be written
 * beyond that. */
static size_t
encode(const struct announcement *a, uint8_t bytes[ANNOUNCEMENT_MAX_LEN])
{
    uint8_t *room = malloc(ANNOUNCEMENT_MAX_LEN);

    assert_non_null(room);
    memset(room, 0xa5, ANNOUNCEMENT_MAX_LEN);
    size_t length = announcement_encode(a, room);
    assert_int_equal(length, FIXED_LEN + 2 * a->n_ports);
    for (size_t i = length; i < ANNOUNCEMENT_MAX_LEN; i++) {
        assert_int_equal(room[i], 0xa5);
    }
    memcpy(bytes, room, length);
    free(room);
    return length;
}

static void
test_the_example_is_encoded_byte_for_byte(void **state OVS_UNUSED)
{
    uint8_t bytes[ANNOUNCEMENT_MAX_LEN];

    assert_int_equal(encode(&example, bytes), sizeof example_bytes);
    assert_memory_equal(bytes, example_bytes, sizeof example_bytes);
}

static void
test_the_example_is_decoded(void **state OVS_UNUSED)
{
    struct announcement a;

    assert_int_equal(decode(example_bytes, sizeof example_bytes, &a),
                     ANNOUNCEMENT_OK);
    assert_same(&a, &example);
}

/* The one that docs/segment-protocol.md takes apart. */
static void
test_the_example_of_the_protocol(void **state OVS_UNUSED)
{
    static const uint8_t bytes[] = {
        0x03, 0x53, 0x4e, 0x4f, 0x57, 0x01, 0x02, 0x00, 0x00, 0x00, 0x01,
        0x01, 0x88, 0xb5, 0x53, 0x4e, 0x4f, 0x57, 0x01, 0x04, 0x02, 0x64,
        0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x01, 0xaa, 0x36, 0x9b,
        0x87, 0xef, 0x07, 0x11, 0xfb, 0x00, 0x00, 0x00, 0xc8, 0x00, 0x00,
        0x02, 0xbc, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x4c, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
        0x0a, 0x01, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x13, 0xd4,
    };
    const struct announcement expected = {
        .mac = ETH_ADDR_C(02, 00, 00, 00, 01, 01),
        .state = RELAY_FORWARDING,
        .reason = REASON_ALONE,
        .priority = 100,
        .relay_id = UINT64_C(0x0000020000000101),
        .session = UINT64_C(0xaa369b87ef0711fb),
        .hello_ms = 200,
        .dead_ms = 700,
        .age_ms = 3148,
        .address.s6_addr = { [10] = 0xff, 0xff, 10, 1, 0, 1 },
        .ports = { 5076 },
        .n_ports = 1,
    };
    struct announcement a;

    assert_int_equal(decode(bytes, sizeof bytes, &a), ANNOUNCEMENT_OK);
    assert_same(&a, &expected);
}

/* Only relays are to hear it, and no switch is to keep it from them: neither a
 * unicast address nor one of those that bridges do not forward. */
static void
test_the_address_is_a_group_of_our_own(void **state OVS_UNUSED)
{
    const struct eth_addr to = ANNOUNCEMENT_MAC;

    assert_true(eth_addr_is_multicast(to));
    assert_true(eth_addr_is_local(to));
    assert_false(eth_addr_is_broadcast(to));
    assert_false(eth_addr_is_reserved(to));
}

/* The numbers are those of the wire: another order breaks who speaks it. */
static void
test_the_numbers_of_states_and_reasons(void **state OVS_UNUSED)
{
    static const int states[] = {
        RELAY_OFF,        RELAY_LISTENING, RELAY_STANDBY, RELAY_CLAIMING,
        RELAY_FORWARDING, RELAY_LEAVING,   RELAY_GONE,    RELAY_N_STATES,
    };
    static const int reasons[] = {
        REASON_NONE,     REASON_STARTED, REASON_ALONE,   REASON_ORDER,
        REASON_PRIORITY, REASON_LEFT,    REASON_SILENT,  REASON_OFF,
        REASON_LATER,    REASON_YIELDED, REASON_REFUSED, REASON_STOPPED,
        REASON_N,
    };

    assert_int_equal(ARRAY_SIZE(states), 8);
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        assert_int_equal(states[i], i);
    }
    assert_int_equal(ARRAY_SIZE(reasons), 13);
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        assert_int_equal(reasons[i], i);
    }
    assert_int_equal(ANNOUNCEMENT_VERSION, 1);
    assert_int_equal(ANNOUNCEMENT_ETH_TYPE, 0x88b5);
    assert_int_equal(ANNOUNCEMENT_MIN_LEN, FIXED_LEN);
    assert_int_equal(ANNOUNCEMENT_MAX_PORTS, 64);
    assert_int_equal(ANNOUNCEMENT_MAX_LEN, FIXED_LEN + 2 * 64);
}

/* Returns a number with all its bits random, or an extreme one. */
static uint64_t
random_number(uint32_t *seed)
{
    switch (next_random(seed) % 4) {
    case 0: return 1;
    case 1: return UINT64_MAX;
    default: return (uint64_t) next_random(seed) << 32 | next_random(seed);
    }
}

static uint32_t
random_between(uint32_t *seed, uint32_t low, uint32_t high)
{
    return low + next_random(seed) % (high - low + 1);
}

/* Returns an announcement that a relay might make. */
static struct announcement
random_announcement(uint32_t *seed)
{
    struct announcement a;

    memset(&a, 0, sizeof a);
    for (size_t i = 0; i < ETH_ADDR_LEN; i++) {
        a.mac.ea[i] = next_random(seed);
    }
    a.mac.ea[0] = (a.mac.ea[0] & ~1) | 2;
    a.state = random_between(seed, RELAY_LISTENING, RELAY_GONE);
    a.reason = random_between(seed, REASON_NONE, REASON_STOPPED);
    a.priority = random_between(seed, 1, UINT8_MAX);
    a.relay_id = random_number(seed);
    a.session = random_number(seed);
    a.hello_ms = random_between(seed, ANNOUNCEMENT_MIN_HELLO_MS,
                                ANNOUNCEMENT_MAX_HELLO_MS);
    a.dead_ms = random_between(seed, ANNOUNCEMENT_MIN_DEAD_MS,
                               ANNOUNCEMENT_MAX_DEAD_MS);
    a.age_ms = next_random(seed) % 4 ? random_number(seed) : 0;
    for (size_t i = 0; i < sizeof a.address; i++) {
        a.address.s6_addr[i] = next_random(seed);
    }
    a.n_ports = next_random(seed) % (ANNOUNCEMENT_MAX_PORTS + 1);
    for (size_t i = 0; i < a.n_ports; i++) {
        a.ports[i] = next_random(seed);
    }
    return a;
}

static void
test_what_is_encoded_is_decoded(void **state OVS_UNUSED)
{
    uint32_t seed = 5;

    for (int i = 0; i < 5000; i++) {
        const struct announcement a = random_announcement(&seed);
        uint8_t bytes[ANNOUNCEMENT_MAX_LEN];
        struct announcement decoded;

        size_t length = encode(&a, bytes);
        assert_int_equal(decode(bytes, length, &decoded), ANNOUNCEMENT_OK);
        assert_same(&decoded, &a);
    }
}

static void
test_as_few_and_as_many_ports_as_there_can_be(void **state OVS_UNUSED)
{
    for (size_t n = 0; n <= ANNOUNCEMENT_MAX_PORTS; n++) {
        struct announcement a = example, decoded;
        uint8_t bytes[ANNOUNCEMENT_MAX_LEN];

        a.n_ports = n;
        for (size_t i = 0; i < n; i++) {
            a.ports[i] = 65535 - 3 * i;
        }
        size_t length = encode(&a, bytes);
        assert_int_equal(bytes[OFS_N_PORTS], n);
        assert_int_equal(decode(bytes, length, &decoded), ANNOUNCEMENT_OK);
        assert_same(&decoded, &a);
    }
}

/* Whatever was in its place before. */
static void
test_what_is_decoded_has_nothing_left_over(void **state OVS_UNUSED)
{
    struct announcement a;

    decode(example_bytes, sizeof example_bytes, &a);
    for (size_t i = example.n_ports; i < ANNOUNCEMENT_MAX_PORTS; i++) {
        assert_int_equal(a.ports[i], 0);
    }
}

static void
test_every_truncated_length_is_refused(void **state OVS_UNUSED)
{
    for (size_t length = 0; length < sizeof example_bytes; length++) {
        struct announcement a;

        assert_int_equal(decode(example_bytes, length, &a),
                         ANNOUNCEMENT_MALFORMED);
    }

    /* Also where the bytes that are not there would be good ones. */
    struct made m = make();
    m.bytes[OFS_N_PORTS] = 0;
    for (m.length = 0; m.length < FIXED_LEN; m.length++) {
        assert_int_equal(verdict_of(&m), ANNOUNCEMENT_MALFORMED);
    }
    assert_int_equal(decode_made(&m).n_ports, 0);
}

/* Ethernet pads short frames, and versions to come may have more to say. */
static void
test_what_follows_the_ports_is_ignored(void **state OVS_UNUSED)
{
    for (size_t more = 0; more < 1500; more += 1 + more / 3) {
        struct made m = make();

        memset(m.bytes + m.length, 0xa5, more);
        m.length += more;
        const struct announcement a = decode_made(&m);
        assert_same(&a, &example);
    }
}

static void
test_what_means_nothing_yet_is_ignored(void **state OVS_UNUSED)
{
    struct made m = make();

    m.bytes[OFS_ZERO] = m.bytes[OFS_ZEROS] = m.bytes[OFS_ZEROS + 1] = 0xff;
    const struct announcement a = decode_made(&m);
    assert_same(&a, &example);
}

/* Each row is a good frame with some bytes replaced. */
static void
test_what_is_no_announcement_is_refused(void **state OVS_UNUSED)
{
    static const struct {
        const char *what;
        size_t ofs;
        size_t length;
        uint8_t bytes[8];
    } rows[] = {
        { "to everybody", 0, 6, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
        { "to one relay", 0, 1, { 0x02 } },
        { "to another group", 5, 1, { 0x02 } },
        { "from everybody", OFS_SRC, 6, { 255, 255, 255, 255, 255, 255 } },
        { "from a group", OFS_SRC, 1, { 0x03 } },
        { "from nobody", OFS_SRC, 6, { 0 } },
        { "IPv4", OFS_ETH_TYPE, 2, { 0x08, 0x00 } },
        { "Local Experimental EtherType 2", OFS_ETH_TYPE, 2, { 0x88, 0xb6 } },
        { "VLAN", OFS_ETH_TYPE, 2, { 0x81, 0x00 } },
        { "no magic", OFS_MAGIC, 4, { 0 } },
        { "half a magic", OFS_MAGIC + 3, 1, { 'w' } },
        { "the other half", OFS_MAGIC, 1, { 's' } },
        { "version 0", OFS_VERSION, 1, { 0 } },
        { "off", OFS_STATE, 1, { RELAY_OFF } },
        { "no state", OFS_STATE, 1, { RELAY_N_STATES } },
        { "no state by far", OFS_STATE, 1, { 255 } },
        { "priority 0", OFS_PRIORITY, 1, { 0 } },
        { "relay id 0", OFS_RELAY_ID, 8, { 0 } },
        { "session 0", OFS_SESSION, 8, { 0 } },
        { "a port more than it has", OFS_N_PORTS, 1, { 4 } },
        { "more ports than it has", OFS_N_PORTS, 1, { 64 } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct made m = make();

        memcpy(m.bytes + rows[i].ofs, rows[i].bytes, rows[i].length);
        if (verdict_of(&m) != ANNOUNCEMENT_MALFORMED) {
            fail_msg("not refused: %s", rows[i].what);
        }
    }
}

/* Each byte of what must be so is looked at. */
static void
test_every_byte_of_the_header_counts(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < OFS_VERSION; i++) {
        for (unsigned int bit = 0; bit < 8; bit++) {
            struct made m = make();
            bool is_source = i >= OFS_SRC && i < OFS_ETH_TYPE;
            bool is_group_bit = i == OFS_SRC && !bit;

            m.bytes[i] ^= 1u << bit;
            assert_int_equal(verdict_of(&m), is_source && !is_group_bit
                                                 ? ANNOUNCEMENT_OK
                                                 : ANNOUNCEMENT_MALFORMED);
        }
    }
}

/* A single bit makes a number another one than 0. */
static void
test_numbers_that_are_not_zero(void **state OVS_UNUSED)
{
    static const struct {
        size_t ofs;
        size_t length;
    } fields[] = {
        { OFS_PRIORITY, 1 },
        { OFS_RELAY_ID, 8 },
        { OFS_SESSION, 8 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        for (size_t bit = 0; bit < 8 * fields[i].length; bit++) {
            struct made m = make();

            memset(m.bytes + fields[i].ofs, 0, fields[i].length);
            assert_int_equal(verdict_of(&m), ANNOUNCEMENT_MALFORMED);
            m.bytes[fields[i].ofs + bit / 8] = 1u << bit % 8;
            decode_made(&m);
        }
    }
}

static void
test_every_state(void **state OVS_UNUSED)
{
    for (unsigned int i = 0; i <= UINT8_MAX; i++) {
        struct made m = make();

        m.bytes[OFS_STATE] = i;
        if (i >= 1 && i <= 6) {
            assert_int_equal(decode_made(&m).state, i);
        } else {
            assert_int_equal(verdict_of(&m), ANNOUNCEMENT_MALFORMED);
        }
    }
}

/* A reason is for people: an unknown one is no reason to refuse. */
static void
test_every_reason(void **state OVS_UNUSED)
{
    for (unsigned int i = 0; i <= UINT8_MAX; i++) {
        struct made m = make();

        m.bytes[OFS_REASON] = i;
        assert_int_equal(decode_made(&m).reason, i <= 11 ? i : REASON_NONE);
    }
}

static void
test_every_version(void **state OVS_UNUSED)
{
    for (unsigned int i = 0; i <= UINT8_MAX; i++) {
        struct made m = make();

        m.bytes[OFS_VERSION] = i;
        assert_int_equal(verdict_of(&m), i == 0   ? ANNOUNCEMENT_MALFORMED
                                         : i == 1 ? ANNOUNCEMENT_OK
                                                  : ANNOUNCEMENT_NEWER);
    }
}

/* All that a version to come keeps is what tells that it is one. */
static void
test_a_newer_version_may_be_quite_another(void **state OVS_UNUSED)
{
    struct made m = make();

    memset(m.bytes + OFS_SRC, 0, ETH_ADDR_LEN);
    memset(m.bytes + OFS_STATE, 0xff, FIXED_LEN - OFS_STATE);
    m.bytes[OFS_VERSION] = 2;
    m.length = FIXED_LEN;
    assert_int_equal(verdict_of(&m), ANNOUNCEMENT_NEWER);
    m.length--;
    assert_int_equal(verdict_of(&m), ANNOUNCEMENT_MALFORMED);
    m.length++;
    m.bytes[OFS_MAGIC] = 's';
    assert_int_equal(verdict_of(&m), ANNOUNCEMENT_MALFORMED);
}

/* More than there can be are refused even if they are there. */
static void
test_too_many_ports(void **state OVS_UNUSED)
{
    for (unsigned int n = 0; n <= UINT8_MAX; n++) {
        struct made m = make();

        memset(m.bytes + FIXED_LEN, 0x5a, 2 * n);
        m.bytes[OFS_N_PORTS] = n;
        m.length = FIXED_LEN + 2 * n;
        if (n <= 64) {
            assert_int_equal(decode_made(&m).n_ports, n);
            m.length--; /* Half of the last port, or of the fixed part. */
        } else {
            m.length = sizeof m.bytes;
        }
        assert_int_equal(verdict_of(&m), ANNOUNCEMENT_MALFORMED);
    }
}

static void
test_times_have_bounds(void **state OVS_UNUSED)
{
    static const struct {
        size_t ofs;
        uint32_t written, taken;
    } rows[] = {
        { OFS_HELLO, 0, 50 },
        { OFS_HELLO, 49, 50 },
        { OFS_HELLO, 50, 50 },
        { OFS_HELLO, 51, 51 },
        { OFS_HELLO, 9999, 9999 },
        { OFS_HELLO, 10000, 10000 },
        { OFS_HELLO, 10001, 10000 },
        { OFS_HELLO, UINT32_MAX, 10000 },
        { OFS_DEAD, 0, 150 },
        { OFS_DEAD, 149, 150 },
        { OFS_DEAD, 150, 150 },
        { OFS_DEAD, 151, 151 },
        { OFS_DEAD, 59999, 59999 },
        { OFS_DEAD, 60000, 60000 },
        { OFS_DEAD, 60001, 60000 },
        { OFS_DEAD, INT32_MAX, 60000 },
        { OFS_DEAD, UINT32_C(1) << 31, 60000 },
        { OFS_DEAD, UINT32_MAX, 60000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct announcement expected = example;
        struct made m = make();

        for (int j = 0; j < 4; j++) {
            m.bytes[rows[i].ofs + j] = rows[i].written >> (24 - 8 * j);
        }
        *(rows[i].ofs == OFS_HELLO ? &expected.hello_ms : &expected.dead_ms) =
            rows[i].taken;
        const struct announcement a = decode_made(&m);
        assert_same(&a, &expected);
    }
}

/* Whatever comes, what is made of it is within its bounds. */
static void
assert_in_bounds(const struct announcement *a)
{
    assert_in_range(a->state, RELAY_LISTENING, RELAY_GONE);
    assert_in_range(a->reason, REASON_NONE, REASON_STOPPED);
    assert_int_not_equal(a->priority, 0);
    assert_true(a->relay_id && a->session);
    assert_false(eth_addr_is_multicast(a->mac));
    assert_false(eth_addr_is_zero(a->mac));
    assert_in_range(a->hello_ms, ANNOUNCEMENT_MIN_HELLO_MS,
                    ANNOUNCEMENT_MAX_HELLO_MS);
    assert_in_range(a->dead_ms, ANNOUNCEMENT_MIN_DEAD_MS,
                    ANNOUNCEMENT_MAX_DEAD_MS);
    assert_in_range(a->n_ports, 0, ANNOUNCEMENT_MAX_PORTS);
}

static void
test_every_bit_flipped(void **state OVS_UNUSED)
{
    for (size_t bit = 0; bit < 8 * sizeof example_bytes; bit++) {
        struct made m = make();
        struct announcement a;

        m.bytes[bit / 8] ^= 1u << bit % 8;
        if (decode(m.bytes, m.length, &a) == ANNOUNCEMENT_OK) {
            assert_in_bounds(&a);
        }
    }
}

static void
test_random_bytes(void **state OVS_UNUSED)
{
    int n_decoded = 0, n_rounds = 100000;
    uint32_t seed = 3;

    for (int i = 0; i < n_rounds; i++) {
        const struct announcement made = random_announcement(&seed);
        uint8_t bytes[ANNOUNCEMENT_MAX_LEN + 50];
        struct announcement a;

        size_t length = announcement_encode(&made, bytes);
        for (size_t j = length; j < sizeof bytes; j++) {
            bytes[j] = next_random(&seed);
        }
        for (int j = next_random(&seed) % 4; j > 0; j--) {
            bytes[next_random(&seed) % length] = next_random(&seed);
        }
        if (next_random(&seed) % 4 == 0) {
            length = next_random(&seed) % sizeof bytes;
        }
        if (next_random(&seed) % 8 == 0) {
            for (size_t j = next_random(&seed) % 2 ? OFS_VERSION : 0;
                 j < length; j++) {
                bytes[j] = next_random(&seed);
            }
        }
        if (decode(bytes, length, &a) == ANNOUNCEMENT_OK) {
            n_decoded++;
            assert_in_bounds(&a);
        }
    }

    /* Or it would prove little. */
    assert_in_range(n_decoded, n_rounds / 5, n_rounds * 9 / 10);
}

static void
test_all_names(void **state OVS_UNUSED)
{
    static const char *const states[] = {
        "off",        "listening", "standby", "claiming",
        "forwarding", "leaving",   "gone",
    };
    static const char *const reasons[] = {
        "for a reason not known here",
        "it has started, or its switch has",
        "no other relay was ready",
        "its relay id is the lowest",
        "its priority is the highest",
        "the forwarder before it left",
        "the forwarder before it fell silent",
        "its election is off",
        "another relay forwards",
        "two forwarded, and the other one goes before it",
        "its switch did not take its flows in time",
        "it was told to leave",
    };

    assert_int_equal(ARRAY_SIZE(states), RELAY_N_STATES);
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        assert_string_equal(relay_state_name(i), states[i]);
    }
    assert_int_equal(ARRAY_SIZE(reasons), REASON_N);
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        assert_string_equal(relay_reason_text(i), reasons[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_is_encoded_byte_for_byte),
        cmocka_unit_test(test_the_example_is_decoded),
        cmocka_unit_test(test_the_example_of_the_protocol),
        cmocka_unit_test(test_the_address_is_a_group_of_our_own),
        cmocka_unit_test(test_the_numbers_of_states_and_reasons),
        cmocka_unit_test(test_what_is_encoded_is_decoded),
        cmocka_unit_test(test_as_few_and_as_many_ports_as_there_can_be),
        cmocka_unit_test(test_what_is_decoded_has_nothing_left_over),
        cmocka_unit_test(test_every_truncated_length_is_refused),
        cmocka_unit_test(test_what_follows_the_ports_is_ignored),
        cmocka_unit_test(test_what_means_nothing_yet_is_ignored),
        cmocka_unit_test(test_what_is_no_announcement_is_refused),
        cmocka_unit_test(test_every_byte_of_the_header_counts),
        cmocka_unit_test(test_numbers_that_are_not_zero),
        cmocka_unit_test(test_every_state),
        cmocka_unit_test(test_every_reason),
        cmocka_unit_test(test_every_version),
        cmocka_unit_test(test_a_newer_version_may_be_quite_another),
        cmocka_unit_test(test_too_many_ports),
        cmocka_unit_test(test_times_have_bounds),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_all_names),
    };
    return cmocka_run_group_tests_name("announcement", tests, NULL, NULL);
}
