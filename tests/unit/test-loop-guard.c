/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "loop-guard.h"

#include "support.h"

#include <arpa/inet.h>
#include <limits.h>

#include "frame.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "random.h"
#include "util.h"

enum {
    NOW = 1000000,
    PORT = 5076,
    PATIENCE = 400,
    ETH_LEN = 14,
    IP_LEN = 20,
    UDP_LEN = 8,
    MAX_OPTIONS = 40,
    MAX_PAYLOAD = 1472
};

/* When the 32 bits that remember a time begin anew. */
#define WRAP (1LL << 32)

/* A broadcast. */
struct broadcast {
    uint8_t mac; /* Last byte of its source. */
    uint32_t ip_src, ip_dst;
    uint16_t src_port, port;
    const char *payload;
    size_t length; /* Of the payload, 0 for all of the text. */

    size_t options;   /* Bytes of IP options. */
    size_t trailer;   /* Bytes behind the datagram within the IP packet. */
    size_t padding;   /* Bytes behind the IP packet. */
    bool no_checksum; /* Is the UDP checksum left out? */
    size_t offset;    /* Of the frame in its memory, from an aligned place. */

    bool foreign; /* Is its IP destination one that no host understands? */
    bool distant; /* Is its IP source of another network? */
    bool without_number; /* Does it come from the mesh in SnowSignal's format?
                          */
};

static const struct broadcast search = {
    .mac = 1,
    .ip_src = 0x0a01000a,
    .ip_dst = 0x0a0100ff,
    .src_port = 34023,
    .port = PORT,
    .payload = "who has the channel TEST:A?",
};

static struct eth_addr
mac_of(uint8_t last)
{
    struct eth_addr mac = ETH_ADDR_C(02, 00, 00, 00, 00, 00);

    mac.ea[5] = last;
    return mac;
}

/* Returns 'b' from another MAC. */
static struct broadcast
from(struct broadcast b, uint8_t mac)
{
    b.mac = mac;
    return b;
}

/* Returns 'b' to an IP destination that no host of the segment understands. */
static struct broadcast
foreign(struct broadcast b)
{
    b.ip_dst = 0x0a0900ff;
    b.foreign = true;
    return b;
}

/* The bytes. */

static void
put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

/* Writes 'b' to 'bytes' and returns its length. */
static size_t
write_frame(const struct broadcast *b, uint8_t *bytes)
{
    size_t payload = b->length ? b->length : strlen(b->payload);
    size_t udp_length = UDP_LEN + payload;
    uint8_t *ip = bytes + ETH_LEN;
    uint8_t *udp = ip + IP_LEN + b->options;
    const struct eth_addr source = mac_of(b->mac);

    memset(bytes, 0xff, 6);
    memcpy(bytes + 6, &source, 6);
    put16(bytes + 12, 0x0800);

    memset(ip, 0, IP_LEN);
    ip[0] = 4 << 4 | (IP_LEN + b->options) / 4;
    put16(ip + 2, IP_LEN + b->options + udp_length + b->trailer);
    ip[8] = 64;
    ip[9] = IPPROTO_UDP;
    put32(ip + 12, b->ip_src);
    put32(ip + 16, b->ip_dst);
    memset(ip + IP_LEN, 1, b->options); /* No-operations. */
    put16(ip + 10, ~ones_sum(0, ip, IP_LEN + b->options));

    put16(udp, b->src_port);
    put16(udp + 2, b->port);
    put16(udp + 4, udp_length);
    put16(udp + 6, 0);
    memcpy(udp + UDP_LEN, b->payload, payload);
    if (!b->no_checksum) {
        uint32_t sum = ones_sum(IPPROTO_UDP + udp_length, ip + 12, 8);
        uint16_t checksum = ~ones_sum(sum, udp, udp_length);

        put16(udp + 6, checksum ? checksum : 0xffff);
    }
    memset(udp + udp_length, 0xa5, b->trailer + b->padding);
    return udp + udp_length + b->trailer + b->padding - bytes;
}

/* Has 'g' take in 'b', punted or to be emitted, in the way that the daemon
 * does: nothing but what frame_check() has found whole, in memory that ends
 * with the frame. */
static bool
take(struct loop_guard *g, const struct broadcast *b, bool punted,
     long long int now)
{
    uint8_t
        bytes[ETH_LEN + IP_LEN + MAX_OPTIONS + UDP_LEN + MAX_PAYLOAD + 100];
    struct frame frame;

    size_t length = write_frame(b, bytes);
    assert_in_range(length, 1, sizeof bytes);
    uint8_t *room = malloc(b->offset + length);
    memcpy(room + b->offset, bytes, length);
    assert_int_equal(frame_check(room + b->offset, length, &frame), FRAME_OK);
    bool is_copy =
        (punted ? loop_guard_punt(g, &frame, !b->foreign, !b->distant, now)
                : loop_guard_emit(g, &frame, !b->without_number, now));
    assert_memory_equal(room + b->offset, bytes, length);
    free(room);
    return is_copy;
}

static bool
punt(struct loop_guard *g, const struct broadcast b, long long int now)
{
    return take(g, &b, true, now);
}

static bool
emit(struct loop_guard *g, const struct broadcast b, long long int now)
{
    return take(g, &b, false, now);
}

/* Returns 'search' with the number 'i' in its payload, until the next call. */
static struct broadcast
numbered(uint32_t i)
{
    static char payload[32];
    struct broadcast b = search;

    snprintf(payload, sizeof payload, "question %" PRIu32, i);
    b.payload = payload;
    return b;
}

/* Returns a guard that watches PORT. */
static struct loop_guard *
make(void)
{
    const uint16_t port = PORT;
    struct loop_guard *g = loop_guard_create();

    loop_guard_configure(g, &port, 1, PATIENCE);
    return g;
}

/* Returns what is known of 'port', which is watched. */
static const struct loop_port *
known_of(const struct loop_guard *g, uint16_t port)
{
    size_t n;
    const struct loop_port *ports = loop_guard_ports(g, &n);

    for (size_t i = 0; i < n; i++) {
        if (ports[i].port == port) {
            return &ports[i];
        }
    }
    fail_msg("port %u is not watched", port);
    return NULL;
}

/* Returns 'b' from an IP source of another network. */
static struct broadcast
distant(struct broadcast b)
{
    b.distant = true;
    return b;
}

/* What is a copy. */

static void
test_what_is_new_is_no_copy(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    for (uint32_t i = 0; i < 100; i++) {
        assert_false(punt(g, numbered(i), NOW));
        assert_false(emit(g, numbered(1000 + i), NOW));
    }
    assert_true(known_of(g, PORT)->n_copies == 0);
    loop_guard_destroy(g);
}

static void
test_a_sender_may_repeat_itself(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    for (int i = 0; i < 10000; i++) {
        assert_false(punt(g, search, NOW + i));
    }
    assert_true(known_of(g, PORT)->n_copies == 0);
    loop_guard_destroy(g);
}

/* Laps. */

/* Punts 'b' 'n' times to 'g' every 'interval' ms from '*now' on, which goes
 * on.  Returns how many of these are copies, and in '*last' which the last
 * was. */
static unsigned int
punt_again(struct loop_guard *g, const struct broadcast b, unsigned int n,
           int interval, long long int *now, unsigned int *last)
{
    unsigned int n_copies = 0;

    for (unsigned int i = 1; i <= n; i++) {
        if (punt(g, b, *now)) {
            n_copies++;
            *last = i;
        }
        *now += interval;
    }
    return n_copies;
}

/* Each ends at the first of them that is dropped. */
static void
test_what_goes_round_by_the_same_mac_ends(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    long long int now = NOW;
    unsigned int last = 0;

    assert_false(punt(g, distant(search), now - 1));
    assert_int_equal(
        punt_again(g, distant(search), LOOP_GUARD_MIN_LAPS, 1, &now, &last),
        1);
    assert_int_equal(last, LOOP_GUARD_MIN_LAPS);
    assert_true(known_of(g, PORT)->n_copies == 1);
    assert_false(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);
}

/* Somebody who sends it, and not a loop, goes on, and loses next to nothing.
 */
static void
test_what_somebody_sends_again_and_again_loses_few(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    long long int now = NOW;
    unsigned int last = 0;

    /* After 128, 256, 512, 1024 more, and each further 1024. */
    assert_int_equal(punt_again(g, distant(search), 100000, 10, &now, &last),
                     99);
    loop_guard_destroy(g);
}

/* Who is silent for a moment begins anew, and is given as much as before. */
static void
test_laps_are_counted_while_they_follow_each_other(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    long long int now = NOW;
    unsigned int last;

    for (int round = 0; round < 10; round++) {
        assert_int_equal(punt_again(g, distant(search), LOOP_GUARD_MIN_LAPS, 1,
                                    &now, &last),
                         0);
        now += LOOP_GUARD_LAP_MS;
    }
    assert_int_equal(punt_again(g, distant(search), LOOP_GUARD_MIN_LAPS + 1, 1,
                                &now, &last),
                     1);
    now += LOOP_GUARD_LAP_MS;
    assert_int_equal(punt_again(g, distant(search), LOOP_GUARD_MIN_LAPS + 1, 1,
                                &now, &last),
                     0);
    now += LOOP_GUARD_MS;
    assert_int_equal(punt_again(g, distant(search), LOOP_GUARD_MIN_LAPS + 1, 1,
                                &now, &last),
                     1);
    loop_guard_destroy(g);
}

/* A few each second are given more time.  With others on the port they are
 * many, however slow each of them is. */
static void
test_a_few_laps(void **state OVS_UNUSED)
{
    const int interval = 1000 / LOOP_GUARD_LAPS_PER_S + 1;
    struct loop_guard *g = make();
    long long int now = NOW;
    unsigned int last;

    assert_int_equal(punt_again(g, distant(search), LOOP_GUARD_MAX_LAPS,
                                interval, &now, &last),
                     0);
    assert_int_equal(punt_again(g, distant(search), 10 * LOOP_GUARD_MAX_LAPS,
                                interval, &now, &last),
                     10);
    loop_guard_destroy(g);

    g = make();
    unsigned int n_copies = 0;
    for (int i = 0; i < 10 * LOOP_GUARD_MIN_LAPS; i++) {
        now += LOOP_GUARD_LAP_MS / 5;
        n_copies += punt(g, distant(numbered(i % 5)), now);
    }
    assert_in_range(n_copies, 1, 10);
    loop_guard_destroy(g);
}

/* Looks 'n' times at 'b' every 'interval' ms from '*now' on, which goes on,
 * and returns how often that is a lap. */
static unsigned int
look_again(struct loop_guard *g, const struct broadcast b, unsigned int n,
           int interval, long long int *now)
{
    unsigned int n_laps = 0;
    uint8_t bytes[200];
    struct frame frame;
    size_t length = write_frame(&b, bytes);

    assert_int_equal(frame_check(bytes, length, &frame), FRAME_OK);
    while (n--) {
        enum loop_verdict verdict =
            loop_guard_look(g, &frame, true, !b.distant, *now);

        assert_int_not_equal(verdict, LOOP_COPY);
        n_laps += verdict == LOOP_LAP;
        *now += interval;
    }
    return n_laps;
}

/* Of some that are looked at it is told once, however few they are; nothing is
 * dropped for it. */
static void
test_laps_among_some(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    long long int now = NOW;

    assert_int_equal(
        look_again(g, distant(search), LOOP_GUARD_LOOKS, 1000, &now), 0);
    assert_int_equal(look_again(g, distant(search), 1, 1000, &now), 1);
    assert_int_equal(look_again(g, distant(search), 10000, 1, &now), 0);
    assert_true(known_of(g, PORT)->n_copies == 0);
    now += LOOP_GUARD_MS + 1;
    assert_int_equal(
        look_again(g, distant(search), LOOP_GUARD_LOOKS + 1, 1, &now), 1);
    assert_int_equal(look_again(g, numbered(1), 10000, 1, &now), 0);

    /* Copies are copies there, too. */
    uint8_t bytes[200];
    struct frame frame;
    const struct broadcast copy = from(numbered(1), 2);
    size_t length = write_frame(&copy, bytes);
    assert_int_equal(frame_check(bytes, length, &frame), FRAME_OK);
    assert_int_equal(loop_guard_look(g, &frame, true, true, now), LOOP_COPY);
    loop_guard_destroy(g);
}

/* One that nobody watches is only remembered. */
static void
test_laps_of_a_port_that_is_not_watched(void **state OVS_UNUSED)
{
    struct broadcast other = distant(search);
    struct loop_guard *g = make();
    long long int now = NOW;
    unsigned int last;

    other.port = PORT + 1;
    assert_int_equal(punt_again(g, other, 5000, 1, &now, &last), 0);
    loop_guard_destroy(g);
}

/* What another relay emits has its local MAC. */
static void
test_the_same_from_another_mac_is_a_copy(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(punt(g, search, NOW));
    assert_true(punt(g, from(search, 2), NOW));
    assert_true(punt(g, from(search, 3), NOW + 1));
    assert_true(known_of(g, PORT)->n_copies == 2);

    /* The copy does not become the one that others are copies of. */
    assert_true(punt(g, from(search, 2), NOW + 2));
    assert_false(punt(g, search, NOW + 3));
    loop_guard_destroy(g);
}

/* Each byte of the MAC tells. */
static void
test_macs_that_differ_by_a_byte(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < 6; i++) {
        struct loop_guard *g = make();
        uint8_t bytes[200];
        struct frame frame;

        size_t length = write_frame(&search, bytes);
        assert_int_equal(frame_check(bytes, length, &frame), FRAME_OK);
        assert_false(loop_guard_punt(g, &frame, true, true, NOW));
        bytes[6 + i] ^= 4;
        assert_true(loop_guard_punt(g, &frame, true, true, NOW));
        assert_int_equal(known_of(g, PORT)->mac.ea[i], bytes[6 + i]);
        bytes[6 + i] ^= 4;
        assert_false(loop_guard_punt(g, &frame, true, true, NOW));
        loop_guard_destroy(g);
    }
}

/* Whoever sends it, the host's own programs included: where it comes in is
 * nothing that the guard would ask. */
static void
test_what_was_emitted_and_is_punted_is_a_copy(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(emit(g, search, NOW));
    assert_true(punt(g, search, NOW));
    assert_true(punt(g, from(search, 2), NOW + 1));
    assert_true(known_of(g, PORT)->n_copies == 2);

    /* It does not count as relayed either. */
    assert_false(emit(g, search, NOW + 2));
    loop_guard_destroy(g);
}

/* Two peers may bring what two senders say, or one says twice. */
static void
test_what_was_emitted_may_be_emitted_again(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    for (int i = 0; i < 10; i++) {
        assert_false(emit(g, from(search, i), NOW + i));
    }
    loop_guard_destroy(g);
}

static void
test_what_was_relayed_and_comes_from_the_mesh_is_a_copy(
    void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(punt(g, search, NOW));
    assert_true(emit(g, search, NOW));
    assert_true(emit(g, from(search, 2), NOW + 1));

    /* Of the port's traffic these are no part: nothing was punted. */
    assert_true(known_of(g, PORT)->n_copies == 0);

    /* It does not count as emitted: the sender may go on. */
    assert_false(punt(g, search, NOW + 2));
    loop_guard_destroy(g);
}

/* The hosts of the segment have not heard it, and are to: once, since what two
 * peers bring is the same. */
static void
test_what_nobody_understood_may_be_emitted_once(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(punt(g, foreign(search), NOW));
    assert_false(emit(g, search, NOW + 1));
    assert_true(emit(g, search, NOW + 1));
    assert_true(emit(g, search, NOW + 2));
    assert_true(emit(g, foreign(search), NOW + 3));

    /* It comes back as a copy, but the sender may go on. */
    assert_true(punt(g, from(search, 2), NOW + 4));
    assert_int_equal(known_of(g, PORT)->n_echoes, 1);
    assert_false(punt(g, foreign(search), NOW + 5));
    assert_true(emit(g, search, NOW + 6));

    /* Once means once in two seconds. */
    assert_false(punt(g, foreign(search), NOW + 1900));
    assert_true(emit(g, search, NOW + 2001));
    assert_false(emit(g, search, NOW + 2002));
    assert_true(emit(g, search, NOW + 2003));
    loop_guard_destroy(g);

    /* As long as it is remembered. */
    g = make();
    assert_false(punt(g, foreign(search), NOW));
    assert_false(emit(g, search, NOW + 2001));
    assert_false(emit(g, search, NOW + 2002));
    loop_guard_destroy(g);
}

/* What was said so that it is understood after all is not emitted. */
static void
test_what_is_understood_after_all(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(punt(g, foreign(search), NOW));
    assert_false(punt(g, search, NOW + 1));
    assert_true(emit(g, search, NOW + 2));
    loop_guard_destroy(g);

    /* A copy tells nothing of that. */
    g = make();
    assert_false(punt(g, foreign(search), NOW));
    assert_true(punt(g, from(search, 2), NOW + 1));
    assert_false(emit(g, search, NOW + 2));
    loop_guard_destroy(g);

    g = make();
    assert_false(punt(g, search, NOW));
    assert_true(punt(g, from(foreign(search), 2), NOW + 1));
    assert_true(emit(g, search, NOW + 2));
    loop_guard_destroy(g);

    /* Nor is it anything to what is punted. */
    for (int before = 0; before < 2; before++) {
        for (int after = 0; after < 2; after++) {
            const struct broadcast a = before ? foreign(search) : search;
            const struct broadcast b = after ? foreign(search) : search;

            g = make();
            assert_false(punt(g, a, NOW));
            assert_true(punt(g, from(b, 2), NOW));
            assert_false(punt(g, b, NOW));
            loop_guard_destroy(g);

            g = make();
            assert_false(emit(g, a, NOW));
            assert_true(punt(g, b, NOW));
            assert_false(emit(g, a, NOW));
            loop_guard_destroy(g);
        }
    }
}

/* What each relay sends on again, and what it is told apart by. */
static void
test_what_tells_broadcasts_apart(void **state OVS_UNUSED)
{
    const struct broadcast others[] = {
        from(search, 2), /* The template of those below, and a copy. */
        { .ip_src = search.ip_src + 1 },
        { .ip_src = search.ip_src ^ 0x80000000 },
        { .src_port = search.src_port + 1 },
        { .src_port = search.src_port ^ 0x8000 },
        { .port = PORT + 1 },
        { .port = PORT ^ 0x8000 },
        { .payload = "who has the channel TEST:B?" },
        { .payload = "Who has the channel TEST:A?" },
        { .payload = "who has the channel TEST:A" },
        { .payload = "who has the channel TEST:A? " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct broadcast b = others[0];

        b.ip_src = others[i].ip_src ? others[i].ip_src : b.ip_src;
        b.src_port = others[i].src_port ? others[i].src_port : b.src_port;
        b.port = others[i].port ? others[i].port : b.port;
        b.payload = others[i].payload ? others[i].payload : b.payload;
        for (int relayed = 0; relayed < 2; relayed++) {
            struct loop_guard *g = make();

            if (relayed) {
                assert_false(punt(g, search, NOW));
                assert_int_equal(punt(g, b, NOW), i == 0);
            } else {
                assert_false(emit(g, search, NOW));
                assert_int_equal(punt(g, b, NOW), i == 0);
            }
            loop_guard_destroy(g);
        }
    }
}

/* Ports that change places make another broadcast. */
static void
test_ports_the_other_way_round(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    struct broadcast b = from(search, 2);

    b.port = search.src_port;
    b.src_port = search.port;
    assert_false(punt(g, search, NOW));
    assert_false(punt(g, b, NOW));
    loop_guard_destroy(g);
}

/* Each bit of the payload, and its length where all is the same byte. */
static void
test_payloads_that_differ_anywhere(void **state OVS_UNUSED)
{
    static const size_t lengths[] = { 1, 7, 8, 15, 16, 17, 31, 40 };

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct loop_guard *g = make();
        char payload[41] = "";
        struct broadcast b = search;

        b.payload = payload;
        b.length = lengths[i];
        assert_false(punt(g, b, NOW));
        for (size_t bit = 0; bit < b.length * 8; bit++) {
            payload[bit / 8] ^= 1 << bit % 8;
            assert_false(punt(g, from(b, 2), NOW));
            payload[bit / 8] ^= 1 << bit % 8;
        }
        b.length++;
        assert_false(punt(g, from(b, 2), NOW));
        b.length--;
        assert_true(punt(g, from(b, 2), NOW));
        loop_guard_destroy(g);
    }
}

static void
test_broadcasts_without_payload(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    struct broadcast b = search;

    b.payload = "";
    assert_false(punt(g, b, NOW));
    assert_true(punt(g, from(b, 2), NOW));
    b.src_port++;
    assert_false(punt(g, from(b, 2), NOW));
    loop_guard_destroy(g);
}

static void
test_long_broadcasts(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    char payload[MAX_PAYLOAD];
    struct broadcast b = search;

    memset(payload, 'x', sizeof payload);
    b.payload = payload;
    b.length = sizeof payload;
    assert_false(punt(g, b, NOW));
    assert_true(punt(g, from(b, 2), NOW));
    payload[sizeof payload - 1]++;
    assert_false(punt(g, from(b, 2), NOW));
    loop_guard_destroy(g);
}

/* A relay writes the broadcast address of its own segment into a frame, and
 * the switch the checksum that belongs to it; IP headers and what is behind
 * the datagram are somebody else's, too. */
static void
test_what_may_change_on_the_way(void **state OVS_UNUSED)
{
    struct broadcast ways[8];

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        ways[i] = from(search, 10 + i);
    }
    ways[1].ip_dst = 0xffffffff;
    ways[2].ip_dst = 0x0a0200ff;
    ways[3].no_checksum = true;
    ways[4].options = 4;
    ways[5].options = MAX_OPTIONS;
    ways[6].padding = 5;
    ways[7].trailer = 9;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(ways); j++) {
            struct loop_guard *g = make();

            if (i != j) {
                assert_false(punt(g, ways[i], NOW));
                assert_true(punt(g, ways[j], NOW));
            }
            assert_false(emit(g, numbered(i), NOW));
            assert_false(punt(g, ways[i], NOW));
            assert_true(emit(g, ways[j], NOW));
            loop_guard_destroy(g);
        }
    }
}

/* The payload is what is behind the UDP header, wherever that is. */
static void
test_ip_options(void **state OVS_UNUSED)
{
    for (size_t options = 0; options <= MAX_OPTIONS; options += 4) {
        struct loop_guard *g = make();
        struct broadcast b = search;

        b.options = options;
        assert_false(punt(g, b, NOW));
        assert_true(punt(g, from(search, 2), NOW));
        b.payload = "who has the channel TEST:B?";
        assert_false(punt(g, from(b, 2), NOW));
        loop_guard_destroy(g);
    }
}

/* Frames lie in the channel's memory and in the mesh's as they come. */
static void
test_frames_anywhere_in_memory(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(punt(g, search, NOW));
    for (size_t offset = 0; offset < 16; offset++) {
        struct broadcast b = from(search, 2);

        b.offset = offset;
        assert_true(punt(g, b, NOW));
        assert_true(emit(g, b, NOW));
    }
    loop_guard_destroy(g);
}

/* Hosts that ask for their address have none yet, and say the same. */
static void
test_senders_without_an_address(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    struct broadcast b = search;

    b.ip_src = 0;
    for (int i = 0; i < 10; i++) {
        assert_false(punt(g, from(b, i), NOW));
        assert_false(emit(g, from(b, i), NOW));
    }
    assert_true(known_of(g, PORT)->n_copies == 0);

    /* Nor do they take the room of others. */
    assert_false(punt(g, search, NOW));
    for (uint32_t i = 0; i < 30000; i++) {
        b = numbered(i);
        b.ip_src = 0;
        assert_false(take(g, &b, i % 2, NOW + 1));
    }
    assert_true(punt(g, from(search, 2), NOW + 1));
    loop_guard_destroy(g);
}

/* Nobody can tell beforehand what two digests will be alike. */
static void
test_each_guard_has_digests_of_its_own(void **state OVS_UNUSED)
{
    enum { N = 20 };
    bool found[N][N];
    bool differs = false;

    /* Where many are forgotten, it depends on the digests which ones. */
    for (int i = 0; i < N; i++) {
        struct loop_guard *g = make();

        for (uint32_t k = 0; k < 20000; k++) {
            punt(g, numbered(k), NOW + k / 100);
        }
        for (uint32_t k = 0; k < N; k++) {
            found[i][k] = emit(g, numbered(12000 + k), NOW + 200);
            differs |= found[i][k] != found[0][k];
        }
        loop_guard_destroy(g);
    }
    assert_true(differs);
}

/* Time. */

/* Fails the test unless a frame that was remembered at 'then' is at 'now' if
 * 'remembered'. */
static void
assert_remembered(long long int then, long long int now, bool remembered)
{
    struct loop_guard *g = make();

    assert_false(punt(g, search, then));
    assert_int_equal(punt(g, from(search, 2), now), remembered);
    loop_guard_destroy(g);

    g = make();
    assert_false(punt(g, search, then));
    assert_int_equal(emit(g, search, now), remembered);
    loop_guard_destroy(g);

    g = make();
    assert_false(emit(g, search, then));
    assert_int_equal(punt(g, search, now), remembered);
    loop_guard_destroy(g);
}

static void
test_frames_are_remembered_for_two_seconds(void **state OVS_UNUSED)
{
    assert_int_equal(LOOP_GUARD_MS, 2000);
    assert_remembered(NOW, NOW, true);
    assert_remembered(NOW, NOW + 1, true);
    assert_remembered(NOW, NOW + 1999, true);
    assert_remembered(NOW, NOW + 2000, true);
    assert_remembered(NOW, NOW + 2001, false);
    assert_remembered(NOW, NOW + 2002, false);
    assert_remembered(NOW, NOW + 60000, false);
    assert_remembered(NOW, NOW + WRAP / 2, false);
    assert_remembered(NOW, NOW + WRAP - 1, false);
    assert_remembered(NOW, NOW + 100 * WRAP - 1, false);
}

/* It is as old as when it last came, not first. */
static void
test_a_frame_that_is_repeated_is_remembered_longer(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(punt(g, search, NOW));
    assert_false(punt(g, search, NOW + 1500));
    assert_true(punt(g, from(search, 2), NOW + 3500));
    assert_false(punt(g, from(search, 2), NOW + 3501));
    loop_guard_destroy(g);

    g = make();
    assert_false(emit(g, search, NOW));
    assert_false(emit(g, search, NOW + 1500));
    assert_true(punt(g, search, NOW + 3500));
    assert_false(punt(g, search, NOW + 3501));
    loop_guard_destroy(g);
}

/* Or a loop that goes on would keep itself from being seen. */
static void
test_copies_are_not_remembered(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(punt(g, search, NOW));
    assert_true(punt(g, from(search, 2), NOW + 2000));
    assert_false(punt(g, from(search, 2), NOW + 2001));
    loop_guard_destroy(g);

    g = make();
    assert_false(emit(g, search, NOW));
    assert_true(punt(g, search, NOW + 2000));
    assert_false(punt(g, search, NOW + 2001));
    loop_guard_destroy(g);

    g = make();
    assert_false(punt(g, search, NOW));
    assert_true(emit(g, search, NOW + 2000));
    assert_false(emit(g, search, NOW + 2001));
    loop_guard_destroy(g);
}

/* Who says it first after two seconds is whom others copy. */
static void
test_after_two_seconds_another_one_may_say_it(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(punt(g, search, NOW));
    assert_false(punt(g, from(search, 2), NOW + 2001));
    assert_true(punt(g, search, NOW + 2002));
    assert_false(punt(g, from(search, 2), NOW + 2003));
    loop_guard_destroy(g);
}

/* What was emitted long ago and then relayed, and the other way. */
static void
test_both_ways_one_after_the_other(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(emit(g, search, NOW));
    assert_false(punt(g, search, NOW + 2001));
    assert_true(emit(g, search, NOW + 2002));
    assert_true(punt(g, from(search, 2), NOW + 2003));
    assert_false(punt(g, search, NOW + 2004));

    assert_false(emit(g, search, NOW + 4005));
    assert_true(punt(g, search, NOW + 4006));
    assert_true(punt(g, search, NOW + 6005));
    assert_false(punt(g, search, NOW + 6006));
    loop_guard_destroy(g);
}

/* When the 32 bits are full, to the ms but for the very one of the wrap. */
static void
test_time_wraps(void **state OVS_UNUSED)
{
    static const long long int before[] = { 1, 2, 500, 1000, 1999 };

    for (int k = 1; k <= 3; k++) {
        for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
            const long long int then = k * WRAP - before[i];

            assert_remembered(then, then, true);
            assert_remembered(then, k * WRAP - 1, true);
            assert_remembered(then, k * WRAP, true);
            assert_remembered(then, k * WRAP + 1, true);
            assert_remembered(then, then + 2000, true);
            assert_remembered(then, then + 2001, false);
            assert_remembered(then, then + 60000, false);
        }

        /* Which is remembered as the next one. */
        assert_remembered(k * WRAP, k * WRAP, true);
        assert_remembered(k * WRAP, k * WRAP + 1, true);
        assert_remembered(k * WRAP, k * WRAP + 2000, true);
        assert_remembered(k * WRAP, k * WRAP + 2002, false);
        assert_remembered(k * WRAP - 1998, k * WRAP, true);
        assert_remembered(k * WRAP - 2001, k * WRAP, false);
        assert_remembered(k * WRAP + 1, k * WRAP + 2001, true);
        assert_remembered(k * WRAP + 1, k * WRAP + 2002, false);
    }
}

/* A machine that has just started knows nothing either. */
static void
test_time_begins(void **state OVS_UNUSED)
{
    assert_remembered(0, 0, true);
    assert_remembered(0, 1, true);
    assert_remembered(0, 2000, true);
    assert_remembered(0, 2002, false);
    assert_remembered(1, 1, true);
    assert_remembered(1, 2001, true);
    assert_remembered(1, 2002, false);
    for (int now = 0; now < 10; now++) {
        struct loop_guard *g = make();

        for (uint32_t i = 0; i < 100; i++) {
            assert_false(punt(g, numbered(i), now));
            assert_false(emit(g, numbered(100 + i), now));
            assert_true(emit(g, numbered(i), now));
            assert_true(punt(g, numbered(100 + i), now));
        }
        loop_guard_destroy(g);
    }
}

/* Memory. */

/* However many come, the newest ones are remembered, and of those before only
 * as many as there is room for. */
static void
test_memory_is_bounded(void **state OVS_UNUSED)
{
    enum { N = 300000, PER_MS = 10, NEWEST = 1000 };
    const long long int end = NOW + N / PER_MS;
    struct loop_guard *g = make();
    size_t n_found = 0, n_newest = 0;

    for (uint32_t i = 0; i < N; i++) {
        const long long int now = NOW + i / PER_MS;

        if (i % 2) {
            assert_false(punt(g, numbered(i), now));
            assert_true(punt(g, from(numbered(i), 2), now));
            assert_true(emit(g, numbered(i), now));
        } else {
            assert_false(emit(g, numbered(i), now));
            assert_true(punt(g, numbered(i), now));
        }
    }

    /* From the newest back: what is not found is remembered from then on, and
     * takes the room of others. */
    for (uint32_t i = N; i-- > N - 2000 * PER_MS;) {
        bool found = punt(g, from(numbered(i), 2), end);

        n_found += found;
        n_newest += found && i >= N - NEWEST;
    }
    assert_in_range(n_newest, NEWEST - NEWEST / 20, NEWEST);
    assert_in_range(n_found, NEWEST, 10000);
    assert_true(known_of(g, PORT)->n_copies == N + n_found);
    loop_guard_destroy(g);
}

/* The same all at once. */
static void
test_memory_is_bounded_in_a_ms(void **state OVS_UNUSED)
{
    enum { N = 200000 };
    struct loop_guard *g = make();
    size_t n_found = 0;

    for (uint32_t i = 0; i < N; i++) {
        assert_false(punt(g, numbered(i), NOW));
        assert_true(punt(g, from(numbered(i), 2), NOW));
    }
    for (uint32_t i = N; i-- > 0;) {
        n_found += emit(g, numbered(i), NOW);
    }
    assert_in_range(n_found, 1, 10000);
    loop_guard_destroy(g);
}

/* There is room for as many as two seconds bring that are not a storm.  Where
 * three share a pair of places all three may be forgotten, each by the one
 * before: some 24 of 1,000, by chance up to 70. */
static void
test_there_is_room_for_so_many(void **state OVS_UNUSED)
{
    enum { N = 1000 };
    struct loop_guard *g = make();
    size_t n_found = 0;

    for (uint32_t i = 0; i < N; i++) {
        assert_false(punt(g, numbered(i), NOW + i));
    }
    for (uint32_t i = 0; i < N; i++) {
        n_found += emit(g, numbered(i), NOW + N);
    }
    assert_in_range(n_found, N - N / 10, N);
    loop_guard_destroy(g);
}

/* Frames that share a place. */

/* Returns a guard whose digests are the same as any other one's of this
 * function. */
static struct loop_guard *
make_alike(void)
{
    random_set_seed(7124);
    return make();
}

/* Returns true if the frame 0 is forgotten after those from 'first' to 'last',
 * both included. */
static bool
is_forgotten(uint32_t first, uint32_t last)
{
    struct loop_guard *g = make_alike();

    assert_false(punt(g, numbered(0), NOW));
    for (uint32_t i = first; i <= last; i++) {
        assert_false(punt(g, numbered(i), NOW + 1));
    }
    bool found = emit(g, numbered(0), NOW + 1);
    loop_guard_destroy(g);
    return !found;
}

/* The frames 0, 'sharer[0]' and 'sharer[1]' share a place that has room for
 * two. */
static uint32_t sharer[2];

/* Finds those.  Who is the last one that it takes for the frame 0 to be
 * forgotten shares its place, and so does who is the first one. */
static int
find_sharers(void **state OVS_UNUSED)
{
    uint32_t low = 2, high = 200000;

    assert_true(is_forgotten(1, high));
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (is_forgotten(1, middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    sharer[1] = low;

    low = 1;
    high = sharer[1] - 1;
    while (low < high) {
        uint32_t middle = (low + high + 1) / 2;

        if (is_forgotten(middle, sharer[1])) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    sharer[0] = low;
    return 0;
}

/* What happens to one of the frames that share a place: to the frame 0, 1 or 2
 * of these, at 'when' after NOW. */
struct event {
    int which;
    bool punted;
    long long int when;
};

static struct broadcast
sharing(int which)
{
    return numbered(which ? sharer[which - 1] : 0);
}

/* Fails the test unless, after the 'n' 'events', just the frame 'forgotten' of
 * the three is not remembered, at 'base' plus 'now'. */
static void
assert_forgets(const struct event *events, size_t n, long long int base,
               long long int now, int forgotten)
{
    for (int which = 0; which < 3; which++) {
        struct loop_guard *g = make_alike();

        for (size_t i = 0; i < n; i++) {
            const struct broadcast b = sharing(events[i].which);

            assert_false(take(g, &b, events[i].punted, base + events[i].when));
        }
        /* Another MAC, so that it is a copy whichever way it came before. */
        bool found = punt(g, from(sharing(which), 2), base + now);
        if (found != (which != forgotten)) {
            fail_msg("frame %d is %s", which,
                     found ? "remembered" : "forgotten");
        }
        loop_guard_destroy(g);
    }
}

#define ASSERT_FORGETS(BASE, NOW_, FORGOTTEN, ...)                            \
    assert_forgets((const struct event[]){ __VA_ARGS__ },                     \
                   ARRAY_SIZE(((const struct event[]){ __VA_ARGS__ })), BASE, \
                   NOW_, FORGOTTEN)

static void
test_of_those_that_share_a_place_the_oldest_is_forgotten(
    void **state OVS_UNUSED)
{
    /* Whoever comes first, and which of the two ways. */
    for (int first = 0; first < 3; first++) {
        const int second = (first + 1) % 3, third = (first + 2) % 3;

        for (int ways = 0; ways < 8; ways++) {
            const bool a = ways & 1, b = ways & 2, c = ways & 4;

            ASSERT_FORGETS(NOW, 2, first, { first, a, 0 }, { second, b, 1 },
                           { third, c, 2 });

            /* Who is repeated is not the oldest any more. */
            ASSERT_FORGETS(NOW, 3, second, { first, a, 0 }, { second, b, 1 },
                           { first, a, 2 }, { third, c, 3 });
            ASSERT_FORGETS(NOW, 4, first, { first, a, 0 }, { second, b, 1 },
                           { first, a, 2 }, { second, b, 3 }, { third, c, 4 });
        }
    }
}

/* The later one of the two times counts. */
static void
test_who_came_both_ways_is_as_old_as_the_later_one(void **state OVS_UNUSED)
{
    ASSERT_FORGETS(NOW, 2503, 1, { 0, false, 0 }, { 1, true, 2501 },
                   { 0, true, 2502 }, { 2, true, 2503 });
    ASSERT_FORGETS(NOW, 2503, 0, { 0, false, 0 }, { 0, true, 2501 },
                   { 1, true, 2502 }, { 2, true, 2503 });
    ASSERT_FORGETS(NOW, 2503, 1, { 0, true, 0 }, { 1, true, 2501 },
                   { 0, false, 2502 }, { 2, true, 2503 });
    ASSERT_FORGETS(NOW, 2503, 0, { 0, true, 0 }, { 0, false, 2501 },
                   { 1, true, 2502 }, { 2, true, 2503 });
}

/* Who takes the place of another one has nothing of it. */
static void
test_a_place_keeps_nothing_of_who_had_it(void **state OVS_UNUSED)
{
    struct loop_guard *g = make_alike();

    assert_false(emit(g, sharing(0), NOW));
    assert_false(emit(g, sharing(1), NOW + 1));
    assert_false(punt(g, sharing(2), NOW + 2));
    assert_false(punt(g, sharing(2), NOW + 3));
    loop_guard_destroy(g);

    g = make_alike();
    assert_false(punt(g, sharing(0), NOW));
    assert_false(punt(g, sharing(1), NOW + 1));
    assert_false(emit(g, sharing(2), NOW + 2));
    assert_false(emit(g, sharing(2), NOW + 3));
    assert_true(punt(g, sharing(2), NOW + 4));
    loop_guard_destroy(g);
}

/* So it is while time wraps. */
static void
test_the_oldest_is_forgotten_when_time_wraps(void **state OVS_UNUSED)
{
    for (int ways = 0; ways < 8; ways++) {
        const bool a = ways & 1, b = ways & 2, c = ways & 4;

        for (long long int after = -1; after <= 1000; after += 77) {
            ASSERT_FORGETS(WRAP, after, 0, { 0, a, -900 }, { 1, b, -500 },
                           { 2, c, after });
            ASSERT_FORGETS(WRAP, after, 1, { 0, a, -900 }, { 1, b, -800 },
                           { 0, a, -500 }, { 2, c, after });

            /* There is room for two. */
            ASSERT_FORGETS(WRAP, after, 2, { 0, a, -900 }, { 1, b, after });
        }
    }
}

/* Pauses. */

/* Has 'n' copies of a frame that was 'punted' or emitted come at 'now' from a
 * MAC that is not known, to 'port'.  The frame is a new one each time. */
static void
send_copies_of(struct loop_guard *g, bool punted, uint16_t port, size_t n,
               long long int now)
{
    static uint32_t i;
    struct broadcast b = numbered(++i);

    b.port = port;
    assert_false(take(g, &b, punted, now));
    while (n--) {
        assert_true(punt(g, from(b, 99), now));
    }
}

/* The same of one that was emitted. */
static void
send_copies(struct loop_guard *g, uint16_t port, size_t n, long long int now)
{
    send_copies_of(g, false, port, n, now);
}

/* The same of one that was only relayed. */
static void
send_relayed_copies(struct loop_guard *g, uint16_t port, size_t n,
                    long long int now)
{
    send_copies_of(g, true, port, n, now);
}

/* Brings about a pause of PORT, which begins at 'now' but for PATIENCE. */
static void
bring_pause(struct loop_guard *g, long long int now)
{
    assert_false(loop_guard_is_paused(g, PORT));
    send_copies(g, PORT, LOOP_GUARD_MIN_COPIES - 1, now - PATIENCE);
    assert_false(loop_guard_is_paused(g, PORT));
    send_copies(g, PORT, 1, now);
    assert_true(loop_guard_is_paused(g, PORT));
}

static void
test_a_new_guard_watches_nothing(void **state OVS_UNUSED)
{
    struct loop_guard *g = loop_guard_create();
    size_t n = 7;

    loop_guard_ports(g, &n);
    assert_int_equal(n, 0);
    assert_false(loop_guard_is_paused(g, PORT));
    assert_true(loop_guard_deadline(g) == LLONG_MAX);
    loop_guard_run(g, NOW);

    /* Copies are copies all the same. */
    const unsigned int seqno = loop_guard_seqno(g);
    send_copies(g, PORT, 2 * LOOP_GUARD_MAX_COPIES, NOW);
    assert_false(loop_guard_is_paused(g, PORT));
    assert_int_equal(loop_guard_seqno(g), seqno);
    loop_guard_destroy(g);
    loop_guard_destroy(NULL);
}

/* Two relays that have just come to share a segment find each other. */
static void
test_copies_are_put_up_with_for_a_while(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);
    const struct eth_addr mac = mac_of(99);
    const unsigned int seqno = loop_guard_seqno(g);

    for (int i = 0; i < PATIENCE; i++) {
        send_copies(g, PORT, 1, NOW + i);
        assert_int_equal(p->n_recent, i + 1);
        assert_int_equal(p->n_echoes, i + 1);
        assert_true(p->n_copies == i + 1u);
        assert_true(p->first == NOW);
        assert_true(p->last == NOW + i);
        assert_true(eth_addr_equals(p->mac, mac));
        assert_false(p->paused);
        assert_false(loop_guard_is_paused(g, PORT));
    }
    assert_true(loop_guard_deadline(g) == LLONG_MAX);
    assert_int_equal(loop_guard_seqno(g), seqno);
    assert_int_equal(p->n_pauses, 0);
    assert_int_equal(p->pause, 0);

    send_copies(g, PORT, 1, NOW + PATIENCE);
    assert_true(loop_guard_is_paused(g, PORT));
    assert_true(p->paused);
    assert_int_equal(p->n_pauses, 1);
    assert_int_equal(p->pause, LOOP_GUARD_MIN_PAUSE_MS);
    assert_true(p->until == NOW + PATIENCE + LOOP_GUARD_MIN_PAUSE_MS);
    assert_true(loop_guard_deadline(g) == p->until);
    assert_int_not_equal(loop_guard_seqno(g), seqno);
    loop_guard_destroy(g);
}

static void
test_a_few_copies_are_put_up_with(void **state OVS_UNUSED)
{
    assert_int_equal(LOOP_GUARD_MIN_COPIES, 4);
    for (size_t n = 1; n <= LOOP_GUARD_MIN_COPIES; n++) {
        struct loop_guard *g = make();

        for (size_t i = 0; i < n; i++) {
            send_copies(g, PORT, 1, NOW + i * 1000);
        }
        assert_int_equal(loop_guard_is_paused(g, PORT),
                         n == LOOP_GUARD_MIN_COPIES);
        loop_guard_destroy(g);
    }
}

/* Those that come now and then are no loop. */
static void
test_copies_in_a_row(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);

    for (int i = 0; i < 20; i++) {
        send_copies(g, PORT, LOOP_GUARD_MIN_COPIES - 1, NOW + i * 2001);
        assert_int_equal(p->n_recent, LOOP_GUARD_MIN_COPIES - 1);
        assert_int_equal(p->n_echoes, LOOP_GUARD_MIN_COPIES - 1);
        assert_true(p->first == NOW + i * 2001);
        assert_true(p->second == NOW + i * 2001);
    }
    assert_false(loop_guard_is_paused(g, PORT));
    assert_true(p->n_copies == 20 * (LOOP_GUARD_MIN_COPIES - 1));
    loop_guard_destroy(g);

    g = make();
    p = known_of(g, PORT);
    send_copies(g, PORT, 1, NOW);
    send_copies(g, PORT, 1, NOW + 2000);
    send_copies(g, PORT, 1, NOW + 4000);
    assert_int_equal(p->n_echoes, 3);
    assert_true(p->first == NOW);
    send_copies(g, PORT, 1, NOW + 6000);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);
}

/* A storm is not waited out. */
static void
test_a_storm(void **state OVS_UNUSED)
{
    const uint16_t port = PORT;
    struct loop_guard *g = make();

    loop_guard_configure(g, &port, 1, 3600000);
    send_copies(g, PORT, LOOP_GUARD_MAX_COPIES - 1, NOW);
    assert_false(loop_guard_is_paused(g, PORT));
    send_copies(g, PORT, 1, NOW + 999);
    assert_true(loop_guard_is_paused(g, PORT));
    assert_true(known_of(g, PORT)->until == NOW + 1999);
    loop_guard_destroy(g);

    /* Each second by itself. */
    g = make();
    loop_guard_configure(g, &port, 1, 3600000);
    send_copies(g, PORT, LOOP_GUARD_MAX_COPIES - 1, NOW);
    send_copies(g, PORT, LOOP_GUARD_MAX_COPIES - 1, NOW + 1000);
    assert_false(loop_guard_is_paused(g, PORT));
    send_copies(g, PORT, 1, NOW + 1000);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);
}

/* Two devices with one IP address and the same beacon are no loop, however
 * long they go on. */
static void
test_a_few_relayed_copies_never_pause(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);

    for (int i = 0; i < 5000; i++) {
        const long long int now = NOW + i * 2001LL;

        assert_false(punt(g, search, now));
        assert_true(punt(g, from(search, 2), now));
        assert_int_equal(p->n_recent, 1);
        assert_false(loop_guard_is_paused(g, PORT));
    }
    assert_true(p->n_copies == 5000);
    loop_guard_destroy(g);

    /* Nor in a row, as long as that is not a storm's. */
    for (int per_second = 1; per_second < LOOP_GUARD_MAX_COPIES;
         per_second += 499) {
        g = make();
        p = known_of(g, PORT);
        for (int i = 0; i < 20; i++) {
            send_relayed_copies(g, PORT, per_second, NOW + i * 1000);
            assert_int_equal(p->n_recent, per_second);
            assert_int_equal(p->n_echoes, 0);
            assert_true(p->second == NOW + i * 1000);
            assert_false(loop_guard_is_paused(g, PORT));
        }
        assert_int_equal(p->n_pauses, 0);
        loop_guard_destroy(g);
    }
}

/* So it is whatever patience there is. */
static void
test_a_storm_of_relayed_copies(void **state OVS_UNUSED)
{
    static const int patiences[] = { 0, PATIENCE, 3600000 };
    const uint16_t port = PORT;

    assert_int_equal(LOOP_GUARD_MAX_COPIES, 1000);
    for (size_t i = 0; i < ARRAY_SIZE(patiences); i++) {
        struct loop_guard *g = make();
        const struct loop_port *p;

        loop_guard_configure(g, &port, 1, patiences[i]);
        p = known_of(g, PORT);
        send_relayed_copies(g, PORT, 500, NOW);
        send_relayed_copies(g, PORT, 499, NOW + 500);
        assert_false(loop_guard_is_paused(g, PORT));
        send_relayed_copies(g, PORT, 1, NOW + 999);
        assert_true(loop_guard_is_paused(g, PORT));
        assert_int_equal(p->n_echoes, 0);
        assert_true(p->until == NOW + 1999);
        loop_guard_destroy(g);
    }
}

/* Those of both kinds count together for a storm, and only those of what was
 * emitted for less. */
static void
test_copies_of_both_kinds(void **state OVS_UNUSED)
{
    const uint16_t port = PORT;
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);

    for (int i = 1; i < LOOP_GUARD_MIN_COPIES; i++) {
        send_relayed_copies(g, PORT, 10, NOW + i * PATIENCE);
        send_copies(g, PORT, 1, NOW + i * PATIENCE);
        assert_int_equal(p->n_recent, 11 * i);
        assert_int_equal(p->n_echoes, i);
        assert_false(loop_guard_is_paused(g, PORT));
    }
    send_relayed_copies(g, PORT, 1, NOW + 5 * PATIENCE - 1);
    assert_false(loop_guard_is_paused(g, PORT));
    send_copies(g, PORT, 1, NOW + 5 * PATIENCE);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);

    /* A break ends the row of either. */
    g = make();
    p = known_of(g, PORT);
    for (int i = 0; i < 10; i++) {
        send_copies(g, PORT, LOOP_GUARD_MIN_COPIES - 1, NOW + i * 3000);
        send_relayed_copies(g, PORT, 1, NOW + i * 3000 + PATIENCE);
        assert_int_equal(p->n_recent, LOOP_GUARD_MIN_COPIES);
        assert_int_equal(p->n_echoes, LOOP_GUARD_MIN_COPIES - 1);
        assert_true(p->first == NOW + i * 3000);
    }
    assert_false(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);

    g = make();
    loop_guard_configure(g, &port, 1, 3600000);
    send_copies(g, PORT, 400, NOW);
    send_relayed_copies(g, PORT, 599, NOW);
    assert_false(loop_guard_is_paused(g, PORT));
    send_relayed_copies(g, PORT, 1, NOW);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);
}

/* Others do not take from the time that two relays have to find each other. */
static void
test_patience_begins_with_the_first_echo(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);

    send_relayed_copies(g, PORT, 10, NOW);
    send_copies(g, PORT, LOOP_GUARD_MIN_COPIES, NOW + PATIENCE);
    assert_true(p->first == NOW + PATIENCE);
    assert_false(loop_guard_is_paused(g, PORT));
    send_copies(g, PORT, 1, NOW + 2 * PATIENCE - 1);
    assert_false(loop_guard_is_paused(g, PORT));
    send_relayed_copies(g, PORT, 1, NOW + 2 * PATIENCE);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);
}

/* What comes back later than an Ethernet segment takes has another cause: a
 * program that answers with what it was told, or another sender. */
static void
test_only_prompt_copies_are_echoes(void **state OVS_UNUSED)
{
    static const long long int beginnings[] = { NOW, WRAP - 2, WRAP - 50,
                                                WRAP + 2, 3 * WRAP - 99 };
    static const struct {
        long long int late;
        bool echo;
    } copies[] = { { 0, true },    { 1, true },     { 99, true },
                   { 100, true },  { 101, false },  { 102, false },
                   { 500, false }, { 1999, false }, { 2000, false } };

    assert_int_equal(LOOP_GUARD_ECHO_MS, 100);
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(copies); k++) {
            const long long int begin = beginnings[i];
            struct loop_guard *g = make();
            const struct loop_port *p = known_of(g, PORT);

            assert_false(emit(g, search, begin));
            assert_true(punt(g, from(search, 99), begin + copies[k].late));
            assert_int_equal(p->n_echoes, copies[k].echo);
            assert_int_equal(p->n_recent, 1);
            assert_true(p->n_copies == 1);

            /* As of when it was last emitted. */
            assert_false(emit(g, search, begin + copies[k].late));
            assert_true(punt(g, from(search, 99), begin + copies[k].late));
            assert_int_equal(p->n_echoes, copies[k].echo + 1);
            loop_guard_destroy(g);
        }
    }

    /* What was never emitted is none, when time has just begun either. */
    for (long long int now = 0; now <= 2 * WRAP; now += WRAP) {
        struct loop_guard *early = make();

        assert_false(punt(early, search, now + 20));
        assert_true(punt(early, from(search, 99), now + 21));
        assert_int_equal(known_of(early, PORT)->n_echoes, 0);
        loop_guard_destroy(early);
    }

    /* They count for a storm only. */
    struct loop_guard *g = make();
    for (int i = 0; i < 100; i++) {
        assert_false(emit(g, search, NOW + i * 200));
        assert_true(punt(g, from(search, 99), NOW + i * 200 + 101));
    }
    assert_false(loop_guard_is_paused(g, PORT));
    for (int i = 0; i < LOOP_GUARD_MAX_COPIES; i++) {
        assert_false(loop_guard_is_paused(g, PORT));
        assert_true(punt(g, from(search, 99), NOW + 99 * 200 + 1200));
    }
    assert_true(loop_guard_is_paused(g, PORT));
    assert_int_equal(known_of(g, PORT)->n_echoes, 0);
    loop_guard_destroy(g);
}

/* What was relayed and, not having been understood, emitted as well, was
 * emitted. */
static void
test_copies_of_what_went_both_ways(void **state OVS_UNUSED)
{
    for (int both = 0; both < 2; both++) {
        struct loop_guard *g = make();

        for (int i = 0; i < LOOP_GUARD_MIN_COPIES; i++) {
            const struct broadcast b = numbered(i);

            assert_false(loop_guard_is_paused(g, PORT));
            assert_false(punt(g, foreign(b), NOW + i * PATIENCE));
            if (both) {
                assert_false(emit(g, b, NOW + i * PATIENCE));
            }
            assert_true(punt(g, from(b, 99), NOW + i * PATIENCE));
        }
        assert_int_equal(known_of(g, PORT)->n_echoes,
                         both ? LOOP_GUARD_MIN_COPIES : 0);
        assert_int_equal(loop_guard_is_paused(g, PORT), both);
        loop_guard_destroy(g);
    }

    /* Not what was emitted long ago. */
    struct loop_guard *g = make();
    assert_false(emit(g, search, NOW));
    assert_false(punt(g, search, NOW + 2001));
    assert_true(punt(g, from(search, 99), NOW + 2001));
    assert_int_equal(known_of(g, PORT)->n_recent, 1);
    assert_int_equal(known_of(g, PORT)->n_echoes, 0);
    loop_guard_destroy(g);
}

/* Who waits for nothing does so at the fourth. */
static void
test_no_patience(void **state OVS_UNUSED)
{
    const uint16_t port = PORT;
    struct loop_guard *g = make();

    loop_guard_configure(g, &port, 1, 0);
    send_copies(g, PORT, LOOP_GUARD_MIN_COPIES - 1, NOW);
    assert_false(loop_guard_is_paused(g, PORT));
    send_copies(g, PORT, 1, NOW);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);
}

/* Another configuration may have other patience. */
static void
test_patience_changes(void **state OVS_UNUSED)
{
    const uint16_t port = PORT;
    struct loop_guard *g = make();

    send_copies(g, PORT, 10, NOW);
    loop_guard_configure(g, &port, 1, 50);
    send_copies(g, PORT, 1, NOW + 49);
    assert_false(loop_guard_is_paused(g, PORT));
    send_copies(g, PORT, 1, NOW + 50);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);
}

/* What comes from the mesh says nothing of the port. */
static void
test_copies_from_the_mesh_do_not_pause(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    assert_false(punt(g, search, NOW));
    for (int i = 0; i < 2 * LOOP_GUARD_MAX_COPIES; i++) {
        assert_true(emit(g, search, NOW + i));
    }
    assert_false(loop_guard_is_paused(g, PORT));
    assert_true(known_of(g, PORT)->n_copies == 0);
    loop_guard_destroy(g);
}

/* What was emitted and comes back pauses, but not if it is its sender who is
 * late: then another relay of the segment was faster. */
static void
test_what_was_emitted_and_comes_back_pauses(void **state OVS_UNUSED)
{
    for (int back = 0; back < 2; back++) {
        struct loop_guard *g = make();

        for (int i = 0; i < LOOP_GUARD_MIN_COPIES; i++) {
            assert_false(loop_guard_is_paused(g, PORT));
            assert_false(emit(g, search, NOW + i * PATIENCE));
            assert_true(
                punt(g, back ? from(search, 99) : search, NOW + i * PATIENCE));
        }
        assert_int_equal(loop_guard_is_paused(g, PORT), back);
        loop_guard_destroy(g);
    }
}

/* The loop filter will have these in a moment. */
static void
test_copies_from_known_macs_do_not_pause(void **state OVS_UNUSED)
{
    const struct eth_addr macs[] = { mac_of(98), mac_of(99), mac_of(100) };
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);

    loop_guard_set_macs(g, macs, ARRAY_SIZE(macs));
    for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
        for (int punted = 0; punted < 2; punted++) {
            const struct broadcast b = numbered(2 * i + punted);

            assert_false(take(g, &b, punted, NOW));
            for (int k = 0; k < 2 * LOOP_GUARD_MAX_COPIES; k++) {
                assert_true(punt(g, from(b, macs[i].ea[5]), NOW + k / 2));
            }
        }
    }
    assert_true(p->n_copies == 4 * LOOP_GUARD_MAX_COPIES * ARRAY_SIZE(macs));
    assert_int_equal(p->n_recent, 0);
    assert_int_equal(p->n_echoes, 0);
    assert_true(eth_addr_is_zero(p->mac));
    assert_false(loop_guard_is_paused(g, PORT));

    /* As long as they are known. */
    loop_guard_set_macs(g, macs + 2, 1);
    assert_false(punt(g, search, NOW + 1000));
    assert_true(punt(g, from(search, 100), NOW + 1000));
    assert_int_equal(p->n_recent, 0);
    send_copies(g, PORT, LOOP_GUARD_MAX_COPIES, NOW + 1000);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);

    g = make();
    loop_guard_set_macs(g, macs, ARRAY_SIZE(macs));
    loop_guard_set_macs(g, NULL, 0);
    send_copies(g, PORT, LOOP_GUARD_MAX_COPIES, NOW + 1000);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);
}

/* Those that come in between neither count nor break the row. */
static void
test_known_macs_among_others(void **state OVS_UNUSED)
{
    const struct eth_addr known = mac_of(50);
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);

    loop_guard_set_macs(g, &known, 1);
    for (int i = 0; i < LOOP_GUARD_MIN_COPIES - 1; i++) {
        send_copies(g, PORT, 1, NOW + i * 1000);
        assert_false(emit(g, numbered(UINT32_MAX - i), NOW + i * 1000));
        assert_true(
            punt(g, from(numbered(UINT32_MAX - i), 50), NOW + i * 1000 + 900));
    }
    assert_int_equal(p->n_recent, 1);
    assert_int_equal(p->n_echoes, LOOP_GUARD_MIN_COPIES - 1);
    assert_true(p->last == NOW + (LOOP_GUARD_MIN_COPIES - 2) * 1000);
    assert_int_equal(p->mac.ea[5], 99);
    assert_false(loop_guard_is_paused(g, PORT));
    send_copies(g, PORT, 1, NOW + (LOOP_GUARD_MIN_COPIES - 1) * 1000);
    assert_true(loop_guard_is_paused(g, PORT));
    assert_true(p->n_copies == 2 * LOOP_GUARD_MIN_COPIES - 1);
    loop_guard_destroy(g);
}

static void
test_a_pause_ends(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);

    bring_pause(g, NOW);
    const long long int until = NOW + LOOP_GUARD_MIN_PAUSE_MS;
    unsigned int seqno = loop_guard_seqno(g);
    assert_true(loop_guard_deadline(g) == until);
    loop_guard_run(g, until - 1);
    assert_true(loop_guard_is_paused(g, PORT));
    assert_int_equal(loop_guard_seqno(g), seqno);
    loop_guard_run(g, until);
    assert_false(loop_guard_is_paused(g, PORT));
    assert_int_not_equal(loop_guard_seqno(g), seqno);
    assert_true(loop_guard_deadline(g) == LLONG_MAX);
    assert_true(p->until == until);
    assert_int_equal(p->n_recent, 0);
    assert_int_equal(p->n_echoes, 0);

    /* Once. */
    seqno = loop_guard_seqno(g);
    loop_guard_run(g, until + 1);
    loop_guard_run(g, until + 1000000);
    assert_int_equal(loop_guard_seqno(g), seqno);

    /* It takes as many copies as before to pause again. */
    bring_pause(g, until + PATIENCE);
    assert_int_equal(p->n_pauses, 2);
    loop_guard_destroy(g);
}

/* What is still on its way when a pause begins. */
static void
test_copies_during_a_pause(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);

    bring_pause(g, NOW);
    const unsigned int seqno = loop_guard_seqno(g);
    const uint64_t n = p->n_copies;
    send_copies(g, PORT, 2 * LOOP_GUARD_MAX_COPIES, NOW + 500);
    send_copies(g, PORT, 1, NOW + 999);
    assert_true(p->n_copies == n + 2 * LOOP_GUARD_MAX_COPIES + 1);
    assert_true(p->until == NOW + 1000);
    assert_int_equal(p->pause, 1000);
    assert_int_equal(p->n_pauses, 1);
    assert_int_equal(loop_guard_seqno(g), seqno);

    /* They are no reason for the next pause. */
    loop_guard_run(g, NOW + 1000);
    send_copies(g, PORT, LOOP_GUARD_MIN_COPIES - 1, NOW + 1000);
    send_copies(g, PORT, 10, NOW + 1000 + PATIENCE - 1);
    assert_false(loop_guard_is_paused(g, PORT));
    assert_true(p->first == NOW + 1000);
    send_copies(g, PORT, 1, NOW + 1000 + PATIENCE);
    assert_true(loop_guard_is_paused(g, PORT));
    loop_guard_destroy(g);
}

static void
test_pauses_grow(void **state OVS_UNUSED)
{
    static const unsigned int seconds[] = {
        1, 2, 4, 8, 16, 32, 64, 64, 64, 64
    };
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);
    long long int now = NOW;

    assert_int_equal(LOOP_GUARD_MIN_PAUSE_MS, 1000);
    assert_int_equal(LOOP_GUARD_MAX_PAUSE_MS, 64000);
    for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
        /* As late as can be. */
        bring_pause(g, now);
        assert_int_equal(p->pause, seconds[i] * 1000);
        assert_int_equal(p->n_pauses, i + 1);
        assert_true(p->until == now + seconds[i] * 1000);
        assert_true(loop_guard_deadline(g) == p->until);
        loop_guard_run(g, p->until);
        now = p->until + LOOP_GUARD_CALM_MS - 1;
    }

    /* After a calm time the first one is short again, and the next ones grow
     * as before. */
    assert_int_equal(LOOP_GUARD_CALM_MS, 60000);
    bring_pause(g, p->until + LOOP_GUARD_CALM_MS);
    assert_int_equal(p->pause, 1000);
    loop_guard_run(g, p->until);
    bring_pause(g, p->until + PATIENCE);
    assert_int_equal(p->pause, 2000);
    loop_guard_run(g, p->until);
    bring_pause(g, p->until + LOOP_GUARD_CALM_MS);
    assert_int_equal(p->pause, 1000);
    assert_int_equal(p->n_pauses, ARRAY_SIZE(seconds) + 3);
    loop_guard_destroy(g);
}

/* A run that comes late does not make the calm time any longer. */
static void
test_the_calm_time_begins_with_the_end_of_the_pause(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();
    const struct loop_port *p = known_of(g, PORT);

    bring_pause(g, NOW);
    loop_guard_run(g, p->until + 5000);
    bring_pause(g, p->until + LOOP_GUARD_CALM_MS);
    assert_int_equal(p->pause, 1000);
    loop_guard_destroy(g);
}

/* The first one on a machine that has just started. */
static void
test_a_pause_at_the_beginning_of_time(void **state OVS_UNUSED)
{
    struct loop_guard *g = make();

    bring_pause(g, PATIENCE);
    assert_int_equal(known_of(g, PORT)->pause, 1000);
    assert_true(loop_guard_deadline(g) == PATIENCE + 1000);
    loop_guard_destroy(g);
}

static void
test_ports_are_paused_by_themselves(void **state OVS_UNUSED)
{
    const uint16_t ports[] = { 9, PORT, 10, 65535 };
    struct loop_guard *g = loop_guard_create();
    size_t n;

    loop_guard_configure(g, ports, ARRAY_SIZE(ports), PATIENCE);
    const struct loop_port *all = loop_guard_ports(g, &n);
    assert_int_equal(n, ARRAY_SIZE(ports));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(all[i].port, ports[i]);
    }

    /* Each with less than it takes. */
    for (size_t i = 0; i < n; i++) {
        send_copies(g, ports[i], LOOP_GUARD_MIN_COPIES - 1, NOW + i);
    }
    bring_pause(g, NOW + 1 + PATIENCE);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(loop_guard_is_paused(g, ports[i]), ports[i] == PORT);
        assert_int_equal(all[i].n_pauses, ports[i] == PORT);
    }
    assert_false(loop_guard_is_paused(g, 11));

    /* The first one that ends counts. */
    send_copies(g, 9, 1, NOW + 900);
    assert_true(loop_guard_is_paused(g, 9));
    assert_true(loop_guard_deadline(g) == NOW + 1 + PATIENCE + 1000);
    loop_guard_run(g, NOW + 1 + PATIENCE + 1000);
    assert_false(loop_guard_is_paused(g, PORT));
    assert_true(loop_guard_is_paused(g, 9));
    assert_true(loop_guard_deadline(g) == NOW + 1900);
    bring_pause(g, NOW + 1 + PATIENCE + 1000 + PATIENCE);
    assert_true(loop_guard_deadline(g) == NOW + 1900);

    /* Both at once. */
    loop_guard_run(g, NOW + 60000);
    assert_false(loop_guard_is_paused(g, 9));
    assert_false(loop_guard_is_paused(g, PORT));
    assert_true(loop_guard_deadline(g) == LLONG_MAX);
    loop_guard_destroy(g);
}

/* What is known of a port that stays is kept, wherever it stands, and of one
 * that goes it is forgotten. */
static void
test_another_configuration(void **state OVS_UNUSED)
{
    const uint16_t before[] = { 9, PORT, 10 };
    const uint16_t after[] = { 11, 10, 12, 13, PORT };
    struct loop_port kept[2], nothing;
    struct loop_guard *g = loop_guard_create();
    size_t n;

    loop_guard_configure(g, before, ARRAY_SIZE(before), PATIENCE);
    send_copies(g, 9, LOOP_GUARD_MAX_COPIES, NOW - PATIENCE);
    bring_pause(g, NOW);
    send_copies(g, 10, LOOP_GUARD_MIN_COPIES - 1, NOW);
    memcpy(&kept[0], known_of(g, 10), sizeof kept[0]);
    memcpy(&kept[1], known_of(g, PORT), sizeof kept[1]);
    memset(&nothing, 0, sizeof nothing);
    unsigned int seqno = loop_guard_seqno(g);
    assert_true(loop_guard_is_paused(g, 9));

    loop_guard_configure(g, after, ARRAY_SIZE(after), PATIENCE);
    assert_int_not_equal(loop_guard_seqno(g), seqno); /* A pause ends. */
    const struct loop_port *all = loop_guard_ports(g, &n);
    assert_int_equal(n, ARRAY_SIZE(after));
    for (size_t i = 0; i < n; i++) {
        struct loop_port p;

        memcpy(&p, &all[i], sizeof p);
        assert_int_equal(p.port, after[i]);
        if (p.port == PORT || p.port == 10) {
            assert_memory_equal(&p, &kept[p.port == PORT], sizeof p);
        } else {
            p.port = 0;
            assert_memory_equal(&p, &nothing, sizeof p);
        }
    }
    assert_true(loop_guard_is_paused(g, PORT));
    assert_false(loop_guard_is_paused(g, 9));
    assert_true(loop_guard_deadline(g) == NOW + 1000);
    send_copies(g, 10, 1, NOW + PATIENCE);
    assert_true(loop_guard_is_paused(g, 10));
    loop_guard_run(g, NOW + 1000);
    assert_false(loop_guard_is_paused(g, PORT));

    /* The one that went comes back as a new one. */
    loop_guard_configure(g, before, 1, PATIENCE);
    assert_true(known_of(g, 9)->n_copies == 0);
    assert_int_equal(known_of(g, 9)->pause, 0);
    assert_false(loop_guard_is_paused(g, 10));
    assert_true(loop_guard_deadline(g) == LLONG_MAX);

    loop_guard_configure(g, NULL, 0, PATIENCE);
    loop_guard_ports(g, &n);
    assert_int_equal(n, 0);
    loop_guard_destroy(g);
}

/* Frames are remembered whatever ports are watched. */
static void
test_frames_outlive_a_configuration(void **state OVS_UNUSED)
{
    const uint16_t other = 9;
    struct loop_guard *g = make();

    assert_false(punt(g, search, NOW));
    loop_guard_configure(g, &other, 1, PATIENCE);
    assert_true(punt(g, from(search, 2), NOW + 1));
    loop_guard_destroy(g);
}

/* Against a model that has all the memory and time in the world: every frame
 * that was taken in, and every copy. */

enum { MAX_FRAMES = 60000, N_CONTENTS = 12, N_MACS = 4, N_PORTS = 3 };

/* A frame that was remembered. */
struct model_frame {
    int content; /* With the port. */
    bool relayed;
    uint8_t mac;
    bool foreign;
    long long int when;
};

/* A copy from an unknown MAC. */
struct model_copy {
    bool echo; /* Of what had just been emitted? */
    long long int when;
};

struct model_port {
    uint16_t port;
    uint64_t n_copies;
    struct model_copy *copies;
    size_t n_all;
    size_t n_before; /* Until the last pause ended. */
    bool paused;
    long long int until;
    unsigned int last; /* Length of the last pause, s. */
    unsigned int n_pauses;
};

struct model {
    struct model_frame *frames;
    size_t n;
    struct model_port ports[N_PORTS];
    unsigned int n_changes; /* Pauses that began or ended. */
};

/* Returns the last frame with 'content' that was remembered one way or the
 * other and is not too old. */
static const struct model_frame *
model_find(const struct model *m, int content, bool relayed, long long int now)
{
    for (size_t i = m->n; i-- > 0;) {
        const struct model_frame *f = &m->frames[i];

        if (now - f->when > 2000) {
            break;
        } else if (f->content == content && f->relayed == relayed) {
            return f;
        }
    }
    return NULL;
}

/* Returns how many copies came to 'p' in the second of the last one.  Seconds
 * begin with the first copy that is in none. */
static size_t
model_second(const struct model_port *p)
{
    long long int begin = LLONG_MIN / 2;
    size_t n = 0;

    for (size_t i = 0; i < p->n_all; i++) {
        if (p->copies[i].when - begin >= 1000) {
            begin = p->copies[i].when;
            n = 0;
        }
        n += i >= p->n_before;
    }
    return n;
}

/* Counts a copy that came to 'p' at 'now' from a MAC that is not known, an
 * 'echo' of what was just emitted or not. */
static void
model_count(struct model *m, struct model_port *p, bool echo, int patience,
            long long int now)
{
    long long int first = now;
    size_t n_echoes = 0;

    p->copies[p->n_all++] = (struct model_copy){ echo, now };
    for (size_t i = p->n_all; i-- > p->n_before;) {
        const struct model_copy *c = &p->copies[i];

        if (c->echo) {
            n_echoes++;
            first = c->when;
        }
        if (i && c->when - c[-1].when > 2000) {
            break;
        }
    }
    if (!p->paused
        && ((n_echoes >= 4 && now - first >= patience)
            || model_second(p) >= 1000)) {
        bool calm = !p->n_pauses || now - p->until >= 60000;

        p->last = calm ? 1 : MIN(2 * p->last, 64);
        p->paused = true;
        p->until = now + p->last * 1000;
        p->n_pauses++;
        m->n_changes++;
    }
}

static bool
model_take(struct model *m, const struct broadcast *b, int content,
           bool punted, bool known, int patience, long long int now)
{
    const struct model_frame *relayed = model_find(m, content, true, now);
    const struct model_frame *emitted = model_find(m, content, false, now);
    struct model_port *p = &m->ports[b->port % N_PORTS];

    assert_int_equal(p->port, b->port);
    if (punted && (relayed ? relayed->mac != b->mac : emitted != NULL)) {
        p->n_copies++;
        if (!known) {
            model_count(m, p,
                        emitted && now - emitted->when <= 100
                            && emitted->mac != b->mac,
                        patience, now);
        }
        return true;
    } else if (!punted && relayed && (!relayed->foreign || emitted)) {
        return true;
    }
    assert_true(m->n < MAX_FRAMES);
    m->frames[m->n++] =
        (struct model_frame){ content, punted, b->mac, b->foreign, now };
    return false;
}

static void
model_run(struct model *m, long long int now)
{
    for (int i = 0; i < N_PORTS; i++) {
        struct model_port *p = &m->ports[i];

        if (p->paused && now >= p->until) {
            p->paused = false;
            p->n_before = p->n_all;
            m->n_changes++;
        }
    }
}

/* Fails the test unless 'g' says of its ports what 'm' does. */
static void
assert_as_model(const struct loop_guard *g, const struct model *m)
{
    long long int deadline = LLONG_MAX;

    for (int i = 0; i < N_PORTS; i++) {
        const struct model_port *p = &m->ports[i];
        const struct loop_port *known = known_of(g, p->port);

        assert_int_equal(loop_guard_is_paused(g, p->port), p->paused);
        assert_true(known->n_copies == p->n_copies);
        assert_int_equal(known->n_pauses, p->n_pauses);
        assert_int_equal(known->pause, p->last * 1000);
        if (p->n_pauses) {
            assert_true(known->until == p->until);
        }
        if (p->paused) {
            deadline = MIN(deadline, p->until);
        }
    }
    assert_true(loop_guard_deadline(g) == deadline);
}

/* Anything in any order, with steps of up to 'step' ms and now and then a long
 * one, from 'now' on. */
static void
do_anything(uint32_t seed, unsigned int step, int patience, long long int now)
{
    static const uint16_t ports[N_PORTS] = { 3 * 1000, 3 * 1000 + 1,
                                             3 * 1000 + 2 };
    const struct eth_addr known = mac_of(N_MACS - 1);
    struct loop_guard *g = make_alike();
    struct model m = { .frames = xcalloc(MAX_FRAMES, sizeof *m.frames) };
    size_t n_copies[2] = { 0, 0 }, n_foreign = 0;

    for (int i = 0; i < N_PORTS; i++) {
        m.ports[i].port = ports[i];
        m.ports[i].copies = xcalloc(MAX_FRAMES, sizeof *m.ports[i].copies);
    }
    loop_guard_configure(g, ports, N_PORTS, patience);
    loop_guard_set_macs(g, &known, 1);
    const unsigned int seqno = loop_guard_seqno(g);

    for (int i = 0; i < MAX_FRAMES; i++) {
        char payload[] = { 'a' + next_random(&seed) % N_CONTENTS, '\0' };
        const bool punted = next_random(&seed) % 4;
        struct broadcast b = search;

        now += next_random(&seed) % (step + 1);
        if (next_random(&seed) % 1000 == 0) {
            now += next_random(&seed) % 100000;
        }
        if (next_random(&seed) % 3) {
            loop_guard_run(g, now);
            model_run(&m, now);
        }

        b.mac =
            punted && next_random(&seed) % 4 ? 0 : next_random(&seed) % N_MACS;
        b.payload = payload;
        b.port = ports[next_random(&seed) % N_PORTS];
        b.ip_dst = next_random(&seed);
        b.foreign = next_random(&seed) % 3 == 0;
        bool expected = model_take(&m, &b, payload[0] << 16 | b.port, punted,
                                   b.mac == N_MACS - 1, patience, now);
        assert_int_equal(take(g, &b, punted, now), expected);
        n_copies[punted] += expected;
        n_foreign += !punted && !expected
                     && model_find(&m, payload[0] << 16 | b.port, true, now);
        assert_as_model(g, &m);
        assert_int_equal(loop_guard_seqno(g) - seqno, m.n_changes);
    }
    assert_true(n_copies[false] > 100); /* Or it would prove little. */
    assert_true(n_foreign > 100);
    assert_true(n_copies[true] > 100 && n_copies[true] < MAX_FRAMES / 2);
    for (int i = 0; i < N_PORTS; i++) {
        assert_true(m.ports[i].n_pauses > 2);
        free(m.ports[i].copies);
    }
    free(m.frames);
    loop_guard_destroy(g);
}

/* Without numbers only so many are emitted within LOOP_GUARD_MS, and as many
 * again after it; with numbers any. */
static void
test_emissions_without_a_number(void **state OVS_UNUSED)
{
    for (int numbered = 0; numbered < 2; numbered++) {
        struct loop_guard *g = make();
        struct broadcast b = search;
        int n = 0;

        b.without_number = !numbered;
        for (int i = 0; i <= LOOP_GUARD_MS; i++) {
            n += !take(g, &b, false, NOW + i);
        }
        assert_int_equal(n, numbered ? LOOP_GUARD_MS + 1
                                     : LOOP_GUARD_MAX_EMISSIONS);
        n = 0;
        for (int i = 1; i <= LOOP_GUARD_MS; i++) {
            n += !take(g, &b, false, NOW + LOOP_GUARD_MS + i);
        }
        assert_int_equal(n,
                         numbered ? LOOP_GUARD_MS : LOOP_GUARD_MAX_EMISSIONS);
        loop_guard_destroy(g);
    }
}

static void
test_anything_quickly(void **state OVS_UNUSED)
{
    do_anything(5076, 3, PATIENCE, NOW);
}

static void
test_anything_slowly(void **state OVS_UNUSED)
{
    do_anything(5064, 60, 300, NOW);
}

/* Past several wraps, by whatever steps but not on them, where a ms counts for
 * another one. */
static void
test_anything_while_time_wraps(void **state OVS_UNUSED)
{
    do_anything(7124, 40, PATIENCE, WRAP - 100000);
}

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_new_is_no_copy),
        cmocka_unit_test(test_emissions_without_a_number),
        cmocka_unit_test(test_a_sender_may_repeat_itself),
        cmocka_unit_test(test_what_goes_round_by_the_same_mac_ends),
        cmocka_unit_test(test_what_somebody_sends_again_and_again_loses_few),
        cmocka_unit_test(test_laps_are_counted_while_they_follow_each_other),
        cmocka_unit_test(test_a_few_laps),
        cmocka_unit_test(test_laps_among_some),
        cmocka_unit_test(test_laps_of_a_port_that_is_not_watched),
        cmocka_unit_test(test_the_same_from_another_mac_is_a_copy),
        cmocka_unit_test(test_macs_that_differ_by_a_byte),
        cmocka_unit_test(test_what_was_emitted_and_is_punted_is_a_copy),
        cmocka_unit_test(test_what_was_emitted_may_be_emitted_again),
        cmocka_unit_test(
            test_what_was_relayed_and_comes_from_the_mesh_is_a_copy),
        cmocka_unit_test(test_what_nobody_understood_may_be_emitted_once),
        cmocka_unit_test(test_what_is_understood_after_all),
        cmocka_unit_test(test_what_tells_broadcasts_apart),
        cmocka_unit_test(test_ports_the_other_way_round),
        cmocka_unit_test(test_payloads_that_differ_anywhere),
        cmocka_unit_test(test_broadcasts_without_payload),
        cmocka_unit_test(test_long_broadcasts),
        cmocka_unit_test(test_what_may_change_on_the_way),
        cmocka_unit_test(test_ip_options),
        cmocka_unit_test(test_frames_anywhere_in_memory),
        cmocka_unit_test(test_senders_without_an_address),
        cmocka_unit_test(test_each_guard_has_digests_of_its_own),
        cmocka_unit_test(test_frames_are_remembered_for_two_seconds),
        cmocka_unit_test(test_a_frame_that_is_repeated_is_remembered_longer),
        cmocka_unit_test(test_copies_are_not_remembered),
        cmocka_unit_test(test_after_two_seconds_another_one_may_say_it),
        cmocka_unit_test(test_both_ways_one_after_the_other),
        cmocka_unit_test(test_time_wraps),
        cmocka_unit_test(test_time_begins),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_memory_is_bounded_in_a_ms),
        cmocka_unit_test(test_there_is_room_for_so_many),
        cmocka_unit_test_setup(
            test_of_those_that_share_a_place_the_oldest_is_forgotten,
            find_sharers),
        cmocka_unit_test_setup(
            test_who_came_both_ways_is_as_old_as_the_later_one, find_sharers),
        cmocka_unit_test_setup(test_a_place_keeps_nothing_of_who_had_it,
                               find_sharers),
        cmocka_unit_test_setup(test_the_oldest_is_forgotten_when_time_wraps,
                               find_sharers),
        cmocka_unit_test(test_a_new_guard_watches_nothing),
        cmocka_unit_test(test_copies_are_put_up_with_for_a_while),
        cmocka_unit_test(test_a_few_copies_are_put_up_with),
        cmocka_unit_test(test_copies_in_a_row),
        cmocka_unit_test(test_a_storm),
        cmocka_unit_test(test_a_few_relayed_copies_never_pause),
        cmocka_unit_test(test_a_storm_of_relayed_copies),
        cmocka_unit_test(test_copies_of_both_kinds),
        cmocka_unit_test(test_patience_begins_with_the_first_echo),
        cmocka_unit_test(test_only_prompt_copies_are_echoes),
        cmocka_unit_test(test_copies_of_what_went_both_ways),
        cmocka_unit_test(test_no_patience),
        cmocka_unit_test(test_patience_changes),
        cmocka_unit_test(test_copies_from_the_mesh_do_not_pause),
        cmocka_unit_test(test_what_was_emitted_and_comes_back_pauses),
        cmocka_unit_test(test_copies_from_known_macs_do_not_pause),
        cmocka_unit_test(test_known_macs_among_others),
        cmocka_unit_test(test_a_pause_ends),
        cmocka_unit_test(test_copies_during_a_pause),
        cmocka_unit_test(test_pauses_grow),
        cmocka_unit_test(test_the_calm_time_begins_with_the_end_of_the_pause),
        cmocka_unit_test(test_a_pause_at_the_beginning_of_time),
        cmocka_unit_test(test_ports_are_paused_by_themselves),
        cmocka_unit_test(test_another_configuration),
        cmocka_unit_test(test_frames_outlive_a_configuration),
        cmocka_unit_test(test_anything_quickly),
        cmocka_unit_test(test_anything_slowly),
        cmocka_unit_test(test_anything_while_time_wraps),
    };
    return cmocka_run_group_tests_name("loop guard", tests, NULL, NULL);
}
