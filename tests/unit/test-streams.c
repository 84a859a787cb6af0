/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "streams.h"

#include "support.h"

#include "counters.h"
#include "openvswitch/util.h"
#include "util.h"
#include "window.h"
#include "wire.h"

#define RELAY_ID UINT64_C(0x1112131415161718)
#define SESSION UINT64_C(0x2122232425262728)
#define SEQ UINT64_C(0x3132333435363738)

enum { PATH = 5, SALT = 9, NOW = 1000000 };

/* Where things are in a sealed datagram. */
enum { OFS_VERSION = 2, OFS_TYPE = 3, OFS_KEY_ID = 4, OFS_SESSION = 6 };

/* Two keys, and what opens with the first one. */
static struct seal_key keys[3];
static struct streams streams;

static void
set_keys(size_t first, size_t n)
{
    struct seal_keys all = { .n = n };

    for (size_t i = 0; i < n; i++) {
        all.all[i] = keys[(first + i) % ARRAY_SIZE(keys)];
    }
    streams_set_keys(&streams, &all);
}

static int
set_up(void **state OVS_UNUSED)
{
    seal_init();
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        uint8_t bytes[SEAL_KEY_LEN];

        memset(bytes, i + 1, sizeof bytes);
        seal_key_set(&keys[i], bytes);
    }
    streams_init(&streams);
    set_keys(0, 1);
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    streams_destroy(&streams);
    return 0;
}

/* One who sends. */
struct sender {
    struct sealer sealer;
    uint64_t relay_id;
};

static struct sender
sender_of(uint64_t session, uint32_t path, size_t key)
{
    struct sender s = { .relay_id = RELAY_ID };

    sealer_set(&s.sealer, &keys[key], session, path, SALT);
    return s;
}

/* A datagram. */
struct made {
    uint8_t bytes[200];
    size_t length;
};

/* Seals the 'length' bytes at 'text' as a datagram of 'type', behind the
 * relay id of 's' unless it is a frame. */
static struct made
make_bytes(struct sender *s, uint8_t type, const void *text, size_t length)
{
    uint8_t body[100];
    struct made m;
    size_t n = 0;

    if (type != WIRE_TYPE_FRAME) {
        wire_encode_relay_id(body, s->relay_id);
        n = WIRE_RELAY_ID_LEN;
    }
    memcpy(body + n, text, length);
    m.length = seal(&s->sealer, type, SEQ, body, n + length, m.bytes);
    return m;
}

static struct made
make(struct sender *s, uint8_t type)
{
    return make_bytes(s, type, "text", 4);
}

/* What has been opened: in memory of its own, so that the sanitizer sees what
 * is read beyond it. */
static uint8_t *opened_bytes;

/* Opens 'm' into '*w'. */
static int
open_at(const struct made *m, struct wire *w, long long int now)
{
    free(opened_bytes);
    opened_bytes = copy_exactly(m->bytes, m->length);
    memset(w, 0xa5, sizeof *w);
    wire_decode(opened_bytes, m->length, w);
    assert_int_equal(w->kind, WIRE_SEALED);
    w->stream = (struct stream_state *) opened_bytes; /* Anything. */
    return streams_open(&streams, w, now);
}

static int
open_made(const struct made *m, struct wire *w)
{
    return open_at(m, w, NOW);
}

static void
assert_reason(int actual, int expected)
{
    assert_string_equal(drop_reason_name(actual), drop_reason_name(expected));
}

/* Fails the test unless 'm' is refused for 'why'. */
static void
assert_refused(const struct made m, int why)
{
    struct wire w;

    assert_reason(open_made(&m, &w), why);
    assert_null(w.stream);
}

/* Fails the test unless 'm' is opened, as one of an accepted stream. */
static void
assert_opened(const struct made m, enum wire_kind kind)
{
    struct wire w;

    assert_reason(open_made(&m, &w), FRAME_OK);
    assert_non_null(w.stream);
    assert_int_equal(w.kind, kind);
}

/* Fails the test unless 'm' has been opened to 'w'. */
static void
check_content(const struct wire *w, enum wire_kind kind)
{
    assert_int_equal(w->kind, kind);
    assert_true(w->relay_id == RELAY_ID);
    assert_true(w->session == SESSION);
    assert_true(w->seq == SEQ);
    assert_int_equal(w->length, 4);
    assert_memory_equal(w->body, "text", 4);
}

/* Has the stream of 's' accepted, by a hello. */
static void
accept_sender(struct sender *s)
{
    const struct made m = make(s, WIRE_TYPE_HELLO);
    struct wire w;

    assert_reason(open_made(&m, &w), FRAME_OK);
    assert_null(w.stream);
    assert_true(streams_accept(&streams, &w, NOW));
    assert_non_null(w.stream);
}

/* Streams that are not accepted. */

static void
test_a_hello_of_an_unknown_stream_is_opened(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);

    for (int i = 0; i < 3; i++) {
        const struct made m = make(&s, WIRE_TYPE_HELLO);
        struct wire w;

        /* As often as one likes: nothing is kept of it. */
        for (int k = 0; k < 3; k++) {
            assert_reason(open_made(&m, &w), FRAME_OK);
            check_content(&w, WIRE_HELLO);
            assert_null(w.stream);
            assert_int_equal(w.key_id, keys[0].id);
            assert_int_equal(hmap_count(&streams.by_id), 0);
        }
    }
}

/* Everything else is not even looked into: broken or not. */
static void
test_nothing_else_of_an_unknown_stream_is_opened(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);
    struct sender other = sender_of(SESSION, PATH, 1);

    for (unsigned int type = 0; type <= UINT8_MAX; type++) {
        if (type != WIRE_TYPE_HELLO) {
            struct made m = make(&s, type);

            assert_refused(m, DROP_REPLAY);
            m.bytes[m.length - 1] ^= 1;
            assert_refused(m, DROP_REPLAY);
            assert_refused(make(&other, type), DROP_REPLAY);
        }
    }
    assert_int_equal(hmap_count(&streams.by_id), 0);
}

static void
test_hellos_of_others_are_refused(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);
    struct sender other = sender_of(SESSION, PATH, 1);
    struct made m = make(&s, WIRE_TYPE_HELLO);

    assert_refused(make(&other, WIRE_TYPE_HELLO), DROP_SEAL);
    for (size_t bit = 0; bit < 8 * m.length; bit++) {
        struct made flipped = m;
        const size_t byte = bit / 8;
        struct wire w;

        flipped.bytes[byte] ^= 1 << bit % 8;
        if (byte < OFS_VERSION) {
            continue; /* Is none that is sealed. */
        }
        assert_refused(flipped, byte == OFS_VERSION ? (
                                    flipped.bytes[OFS_VERSION] ? DROP_VERSION
                                                               : DROP_FORMAT)
                                : byte == OFS_TYPE ? DROP_REPLAY
                                                   : DROP_SEAL);
        assert_reason(open_made(&m, &w), FRAME_OK);
    }
    assert_int_equal(hmap_count(&streams.by_id), 0);
}

/* What is no sealed datagram at all. */
static void
test_headers_that_make_no_sense(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);
    const struct made whole = make_bytes(&s, WIRE_TYPE_HELLO, "", 0);
    struct made m = whole;

    for (m.length = 2; m.length < SEAL_OVERHEAD; m.length++) {
        assert_refused(m, DROP_FORMAT);
    }
    for (; m.length < whole.length; m.length++) {
        assert_refused(m, DROP_SEAL);
    }
    m.bytes[OFS_VERSION] = SEAL_VERSION + 1;
    for (m.length = 3; m.length <= whole.length; m.length++) {
        assert_refused(m, DROP_VERSION);
    }
    m.bytes[OFS_VERSION] = 0;
    assert_refused(m, DROP_FORMAT);
    m = whole;
    memset(m.bytes + OFS_SESSION, 0, 8);
    assert_refused(m, DROP_FORMAT);
}

/* Who has the key may seal what is no hello's beginning. */
static void
test_hellos_without_a_relay_id(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);
    uint8_t body[WIRE_RELAY_ID_LEN] = { 0 };
    struct made m;

    for (size_t length = 0; length < sizeof body; length++) {
        memset(body, 1, sizeof body);
        m.length = seal(&s.sealer, WIRE_TYPE_HELLO, 1, body, length, m.bytes);
        assert_refused(m, DROP_FORMAT);
    }
    memset(body, 0, sizeof body);
    m.length = seal(&s.sealer, WIRE_TYPE_HELLO, 1, body, sizeof body, m.bytes);
    assert_refused(m, DROP_FORMAT);
    body[7] = 1;
    m.length = seal(&s.sealer, WIRE_TYPE_HELLO, 1, body, sizeof body, m.bytes);
    struct wire w;
    assert_reason(open_made(&m, &w), FRAME_OK);
    assert_true(w.relay_id == 1);
    assert_int_equal(w.length, 0);
}

/* Streams that are. */

static void
test_what_an_accepted_stream_brings(void **state OVS_UNUSED)
{
    static const struct {
        uint8_t type;
        enum wire_kind kind;
    } types[] = {
        { WIRE_TYPE_FRAME, WIRE_FRAME },
        { WIRE_TYPE_HELLO, WIRE_HELLO },
        { WIRE_TYPE_BYE, WIRE_BYE },
        { 0, WIRE_OTHER },
        { 4, WIRE_OTHER },
        { UINT8_MAX, WIRE_OTHER },
    };
    struct sender s = sender_of(SESSION, PATH, 0);

    accept_sender(&s);
    assert_int_equal(hmap_count(&streams.by_id), 1);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        const struct made m = make(&s, types[i].type);
        struct wire w;

        assert_reason(open_made(&m, &w), FRAME_OK);
        check_content(&w, types[i].kind);
        assert_non_null(w.stream);
        assert_int_equal(w.key_id, keys[0].id);
        assert_refused(m, DROP_REPLAY);
    }
    assert_int_equal(hmap_count(&streams.by_id), 1);
}

/* Also the hello by which it was. */
static void
test_what_was_sealed_before_is_refused(void **state OVS_UNUSED)
{
    enum { N = 20 };
    struct sender s = sender_of(SESSION, PATH, 0);
    struct made before[N];

    for (size_t i = 0; i < N; i++) {
        before[i] = make(&s, i % 2 ? WIRE_TYPE_FRAME : WIRE_TYPE_HELLO);
    }
    struct wire w;
    assert_reason(open_made(&before[N - 2], &w), FRAME_OK);
    assert_true(streams_accept(&streams, &w, NOW));
    for (size_t i = 0; i < N - 1; i++) {
        assert_refused(before[i], DROP_REPLAY);
    }
    assert_opened(before[N - 1], WIRE_FRAME);
    assert_refused(before[N - 1], DROP_REPLAY);
}

static void
test_out_of_order_and_twice(void **state OVS_UNUSED)
{
    enum { N = 300 };
    static struct made all[N];
    struct sender s = sender_of(SESSION, PATH, 0);

    accept_sender(&s);
    for (size_t i = 0; i < N; i++) {
        all[i] = make(&s, WIRE_TYPE_FRAME);
    }
    for (size_t i = 0; i < N; i++) {
        assert_opened(all[i * 7 % N], WIRE_FRAME);
        assert_refused(all[i * 7 % N], DROP_REPLAY);
    }
    for (size_t i = 0; i < N; i++) {
        assert_refused(all[i], DROP_REPLAY);
    }
}

static void
test_the_edge_of_the_window(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);

    accept_sender(&s);
    const struct made first = make(&s, WIRE_TYPE_FRAME);
    const struct made second = make(&s, WIRE_TYPE_FRAME);

    s.sealer.counter += WINDOW_SIZE - 2;
    assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);
    assert_refused(first, DROP_REPLAY); /* One too old. */
    assert_opened(second, WIRE_FRAME);
}

/* A forged datagram far ahead, or one that is broken, moves no window, and is
 * no sign of life. */
static void
test_what_is_refused_changes_nothing(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);

    accept_sender(&s);
    struct sender ahead = s;
    ahead.sealer.counter += UINT64_C(1) << 62;
    struct made m = make(&ahead, WIRE_TYPE_FRAME);
    const struct made frame = make(&s, WIRE_TYPE_FRAME);

    for (size_t byte = OFS_VERSION; byte < m.length; byte++) {
        struct made broken = m;
        struct wire w;

        broken.bytes[byte] ^= 1;
        assert_int_not_equal(
            open_at(&broken, &w, NOW + STREAMS_MAX_IDLE_MS - 1), FRAME_OK);
    }
    assert_opened(frame, WIRE_FRAME);
    for (size_t byte = OFS_VERSION; byte < frame.length; byte++) {
        struct made broken = frame;
        struct wire w;

        broken.bytes[byte] ^= 1;
        assert_int_not_equal(
            open_at(&broken, &w, NOW + STREAMS_MAX_IDLE_MS - 1), FRAME_OK);
    }
    streams_expire(&streams, NOW + STREAMS_MAX_IDLE_MS);
    assert_int_equal(hmap_count(&streams.by_id), 0);
}

/* One that is broken does not use up the number of the good one. */
static void
test_a_good_one_after_a_broken_one(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);

    accept_sender(&s);
    for (int i = 0; i < 10; i++) {
        const struct made m = make(&s, WIRE_TYPE_FRAME);
        struct made broken = m;

        broken.bytes[broken.length - 1 - i] ^= 0x80;
        assert_refused(broken, DROP_SEAL);
        assert_opened(m, WIRE_FRAME);
    }
}

/* Streams are told apart by each of the numbers that make one. */
static void
test_streams_of_their_own(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);
    struct sender others[] = { sender_of(SESSION ^ 1, PATH, 0),
                               sender_of(SESSION, PATH ^ 1, 0), s };

    sealer_set(&others[2].sealer, &keys[0], SESSION, PATH, SALT ^ 1);
    accept_sender(&s);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_refused(make(&others[i], WIRE_TYPE_FRAME), DROP_REPLAY);
        accept_sender(&others[i]);
        assert_int_equal(hmap_count(&streams.by_id), i + 2);
        assert_opened(make(&others[i], WIRE_TYPE_FRAME), WIRE_FRAME);
        assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);
    }
}

/* Whoever has the key could say so, but not by the stream of another. */
static void
test_a_stream_is_one_relays(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);

    accept_sender(&s);
    for (int bit = 0; bit < 64; bit++) {
        static const uint8_t types[] = { WIRE_TYPE_HELLO, WIRE_TYPE_BYE, 9 };

        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
            struct wire w;

            s.relay_id = RELAY_ID ^ UINT64_C(1) << bit;
            const struct made other = make(&s, types[i]);
            assert_reason(open_made(&other, &w), DROP_FORMAT);
            s.relay_id = RELAY_ID;
            assert_opened(make(&s, types[i]), wire_kind_of_type(types[i]));
        }
    }
}

/* Keys. */

static void
test_without_a_key_nothing_opens(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);

    set_keys(0, 0);
    assert_refused(make(&s, WIRE_TYPE_HELLO), DROP_SEAL);
    set_keys(1, 1);
    assert_refused(make(&s, WIRE_TYPE_HELLO), DROP_SEAL);
}

/* In three steps: taken besides, sealed with, and alone. */
static void
test_a_stream_changes_its_key(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);

    accept_sender(&s);
    assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);
    set_keys(0, 2);
    assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);

    const struct made late = make(&s, WIRE_TYPE_FRAME);
    const struct made later = make(&s, WIRE_TYPE_FRAME);
    const struct made seen = make(&s, WIRE_TYPE_FRAME);
    assert_opened(seen, WIRE_FRAME);

    sealer_set(&s.sealer, &keys[1], SESSION, PATH, SALT);
    for (int i = 0; i < 3; i++) {
        struct made m = make(&s, WIRE_TYPE_HELLO);
        struct wire w;

        assert_reason(open_made(&m, &w), FRAME_OK);
        assert_int_equal(w.key_id, keys[1].id);
        assert_non_null(w.stream);
    }
    assert_opened(late, WIRE_FRAME); /* Of the old key. */
    assert_refused(seen, DROP_REPLAY);
    assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);

    /* The order of the keys means nothing here. */
    set_keys(1, 2);
    assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);
    set_keys(1, 1);
    assert_refused(later, DROP_SEAL);
    assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);
    assert_refused(seen, DROP_REPLAY);
    assert_int_equal(hmap_count(&streams.by_id), 1);
}

/* A key that is gone does not live on with the streams that it sealed. */
static void
test_a_key_that_is_removed(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);

    accept_sender(&s);
    assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);
    const struct made m = make(&s, WIRE_TYPE_FRAME);
    set_keys(1, 1);
    assert_refused(m, DROP_SEAL);
    set_keys(0, 0);
    assert_refused(m, DROP_SEAL);

    /* One that comes back finds what it left. */
    set_keys(0, 1);
    assert_opened(m, WIRE_FRAME);
    assert_refused(m, DROP_REPLAY);
}

/* The key that a stream was last sealed with may be wrong, for an id that
 * tells of another. */
static void
test_who_claims_another_key(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);

    set_keys(0, 2);
    accept_sender(&s);
    assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);
    struct made m = make(&s, WIRE_TYPE_FRAME);
    put16(&m.bytes[OFS_KEY_ID], keys[1].id);
    assert_refused(m, DROP_SEAL);
    put16(&m.bytes[OFS_KEY_ID], keys[2].id);
    assert_refused(m, DROP_SEAL);
    put16(&m.bytes[OFS_KEY_ID], keys[0].id);
    assert_opened(m, WIRE_FRAME);
}

/* Room and time. */

static void
test_there_is_an_end_to_streams(void **state OVS_UNUSED)
{
    struct wire w;

    for (uint64_t i = 0; i < STREAMS_MAX; i++) {
        struct sender s = sender_of(SESSION, i, 0);

        accept_sender(&s);
    }
    assert_int_equal(hmap_count(&streams.by_id), STREAMS_MAX);
    struct sender more = sender_of(SESSION, STREAMS_MAX, 0);
    struct made m = make(&more, WIRE_TYPE_HELLO);
    assert_reason(open_made(&m, &w), FRAME_OK);
    assert_false(streams_accept(&streams, &w, NOW));
    assert_null(w.stream);
    assert_int_equal(hmap_count(&streams.by_id), STREAMS_MAX);

    streams_expire(&streams, NOW + STREAMS_MAX_IDLE_MS);
    assert_int_equal(hmap_count(&streams.by_id), 0);
    accept_sender(&more);
}

/* The idlest goes when there is no room, but not before what it has been told
 * proves nothing any more. */
static void
test_the_idlest_makes_room(void **state OVS_UNUSED)
{
    const long long int later = NOW + STREAMS_MIN_IDLE_MS;
    struct sender more = sender_of(SESSION, STREAMS_MAX, 0);
    struct sender s[3];
    struct wire w;

    for (uint64_t i = 0; i < STREAMS_MAX; i++) {
        struct sender one = sender_of(SESSION, i, 0);

        accept_sender(&one);
        if (i < ARRAY_SIZE(s)) {
            s[i] = one;
        } else {
            struct made m = make(&one, WIRE_TYPE_FRAME);
            assert_reason(open_at(&m, &w, NOW + 1), FRAME_OK);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(s); i += 2) {
        struct made m = make(&s[i], WIRE_TYPE_FRAME);
        assert_reason(open_at(&m, &w, NOW + 2), FRAME_OK);
    }

    struct made m = make(&more, WIRE_TYPE_HELLO);
    assert_reason(open_made(&m, &w), FRAME_OK);
    assert_false(streams_accept(&streams, &w, later - 1));
    assert_true(streams_accept(&streams, &w, later));
    assert_int_equal(hmap_count(&streams.by_id), STREAMS_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(s); i++) {
        struct made frame = make(&s[i], WIRE_TYPE_FRAME);
        assert_reason(open_at(&frame, &w, later),
                      i == 1 ? DROP_REPLAY : (int) FRAME_OK);
    }
}

/* What was held back on its way while others came. */
static void
test_what_comes_too_late(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);
    struct made held[4], m;
    struct wire w;

    accept_sender(&s);
    for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
        held[i] = make(&s, WIRE_TYPE_FRAME);
    }
    m = make(&s, WIRE_TYPE_FRAME);
    assert_reason(open_at(&m, &w, NOW + 1), FRAME_OK);

    /* Within the time that anything may take. */
    assert_reason(open_at(&held[0], &w, NOW + STREAMS_MAX_LATE_MS - 1),
                  FRAME_OK);
    m = make(&s, WIRE_TYPE_FRAME);
    assert_reason(open_at(&m, &w, NOW + STREAMS_MAX_LATE_MS), FRAME_OK);
    assert_reason(open_at(&held[1], &w, NOW + 2 * STREAMS_MAX_LATE_MS - 1),
                  FRAME_OK);

    /* After twice of it. */
    m = make(&s, WIRE_TYPE_FRAME);
    assert_reason(open_at(&m, &w, NOW + 2 * STREAMS_MAX_LATE_MS), FRAME_OK);
    assert_reason(open_at(&held[2], &w, NOW + 2 * STREAMS_MAX_LATE_MS),
                  DROP_REPLAY);
    m = make(&s, WIRE_TYPE_FRAME);
    assert_reason(open_at(&m, &w, NOW + 2 * STREAMS_MAX_LATE_MS), FRAME_OK);
    assert_reason(open_at(&held[3], &w, NOW + 9 * STREAMS_MAX_LATE_MS),
                  DROP_REPLAY);

    /* And when nothing has come for long, whether it was forgotten or not. */
    m = make(&s, WIRE_TYPE_FRAME);
    assert_reason(
        open_at(&m, &w, NOW + 2 * STREAMS_MAX_LATE_MS + STREAMS_MAX_IDLE_MS),
        DROP_REPLAY);
}

static void
test_idle_streams_are_forgotten(void **state OVS_UNUSED)
{
    struct sender s = sender_of(SESSION, PATH, 0);
    struct sender other = sender_of(SESSION, PATH + 1, 0);
    long long int now = NOW;
    struct wire w;

    accept_sender(&s);
    accept_sender(&other);
    for (int i = 0; i < 5; i++) {
        const struct made m = make(&s, WIRE_TYPE_FRAME);

        now += STREAMS_MAX_IDLE_MS - 1;
        streams_expire(&streams, now);
        assert_int_equal(hmap_count(&streams.by_id), i ? 1 : 2);
        assert_reason(open_at(&m, &w, now), FRAME_OK);

        /* What came before is no sign of life. */
        assert_reason(open_at(&m, &w, now + 5000), DROP_REPLAY);
    }
    streams_expire(&streams, now + STREAMS_MAX_IDLE_MS - 1);
    assert_int_equal(hmap_count(&streams.by_id), 1);
    streams_expire(&streams, now + STREAMS_MAX_IDLE_MS);
    assert_int_equal(hmap_count(&streams.by_id), 0);
    assert_refused(make(&s, WIRE_TYPE_FRAME), DROP_REPLAY);
    accept_sender(&s);
    assert_opened(make(&s, WIRE_TYPE_FRAME), WIRE_FRAME);
}

/* At random. */

/* What is known of one stream. */
struct model {
    struct sender sender;
    bool accepted;
    uint64_t begin;    /* What was sealed before is refused. */
    uint64_t greatest; /* That has been opened, plus one. */
    long long int heard;
    uint64_t mark; /* 'greatest' when 'begin' was last changed. */
    long long int marked;
};

enum { N_STREAMS = 6, N_SEALED = 20000 };

/* What was sealed, and whether it has been opened since its stream was
 * accepted. */
static struct {
    struct made made;
    size_t stream, key;
    uint8_t type;
    uint64_t counter;
    bool opened;
} sealed[N_SEALED];

static void
test_random_streams_against_a_model(void **state OVS_UNUSED)
{
    size_t n = 0, n_opened = 0, n_replay = 0, n_seal = 0, n_accepted = 0;
    struct model models[N_STREAMS];
    size_t first = 0, n_keys = 1;
    long long int now = NOW;
    uint32_t seed = 99;

    memset(models, 0, sizeof models);
    for (size_t i = 0; i < N_STREAMS; i++) {
        models[i].sender = sender_of(SESSION, i, 0);
    }
    while (n < N_SEALED) {
        const size_t s = next_random(&seed) % N_STREAMS;
        struct model *m = &models[s];

        now += next_random(&seed) % 3;
        switch (next_random(&seed) % 500) {
        case 0:
            first = next_random(&seed) % ARRAY_SIZE(keys);
            n_keys = 1 + next_random(&seed) % SEAL_MAX_KEYS;
            set_keys(first, n_keys);
            break;
        case 1:
            now += STREAMS_MAX_IDLE_MS / (1 + next_random(&seed) % 3);
            streams_expire(&streams, now);
            for (size_t i = 0; i < N_STREAMS; i++) {
                models[i].accepted &=
                    now - models[i].heard < STREAMS_MAX_IDLE_MS;
            }
            break;
        case 2: m->sender.sealer.counter += next_random(&seed) % 5000; break;
        default: break;
        }

        /* One more is sealed, with any of the keys that are taken. */
        const size_t key = (first + next_random(&seed) % n_keys) % 3;
        sealer_set(&m->sender.sealer, &keys[key], SESSION, s, SALT);
        sealed[n].stream = s;
        sealed[n].key = key;
        sealed[n].counter = m->sender.sealer.counter;
        sealed[n].opened = false;
        sealed[n].type =
            next_random(&seed) % 4 ? WIRE_TYPE_FRAME : WIRE_TYPE_HELLO;
        sealed[n].made = make(&m->sender, sealed[n].type);
        n++;

        /* Some come: the last ones, or any of those before. */
        for (size_t k = next_random(&seed) % 3; k < 3; k++) {
            size_t back =
                next_random(&seed) % (next_random(&seed) % 8 ? 20 : n);
            size_t i = n - 1 - MIN(back, n - 1);
            struct model *of = &models[sealed[i].stream];
            bool has_key = (sealed[i].key + 3 - first) % 3 < n_keys;
            bool stale =
                (of->accepted
                     ? (sealed[i].opened || sealed[i].counter < of->begin
                        || of->greatest > sealed[i].counter + WINDOW_SIZE)
                     : sealed[i].type != WIRE_TYPE_HELLO);
            struct wire w;

            const int why = open_at(&sealed[i].made, &w, now);
            assert_reason(why, stale      ? DROP_REPLAY
                               : !has_key ? DROP_SEAL
                                          : (int) FRAME_OK);
            n_replay += why == DROP_REPLAY;
            n_seal += why == DROP_SEAL;
            if (why != FRAME_OK) {
                assert_null(w.stream);
                continue;
            }
            assert_memory_equal(w.body, "text", 4);
            assert_int_equal(w.stream != NULL, of->accepted);
            if (of->accepted) {
                n_opened++;
                sealed[i].opened = true;
                of->heard = now;
                of->greatest = MAX(of->greatest, sealed[i].counter + 1);
                if (now - of->marked >= STREAMS_MAX_LATE_MS) {
                    of->begin = of->mark;
                    of->mark = of->greatest;
                    of->marked = now;
                }
            } else if (next_random(&seed) % 2) {
                assert_true(streams_accept(&streams, &w, now));
                n_accepted++;
                of->accepted = true;
                of->heard = now;
                of->begin = of->greatest = of->mark = sealed[i].counter + 1;
                of->marked = now;
                for (size_t j = 0; j < n; j++) {
                    if (sealed[j].stream == sealed[i].stream) {
                        sealed[j].opened = false;
                    }
                }
            }
        }
    }

    /* Or it would prove little. */
    assert_true(n_opened > N_SEALED / 4 && n_replay > N_SEALED / 4);
    assert_true(n_seal > 100 && n_accepted > 20);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_hello_of_an_unknown_stream_is_opened),
        TEST(test_nothing_else_of_an_unknown_stream_is_opened),
        TEST(test_hellos_of_others_are_refused),
        TEST(test_headers_that_make_no_sense),
        TEST(test_hellos_without_a_relay_id),
        TEST(test_what_an_accepted_stream_brings),
        TEST(test_what_was_sealed_before_is_refused),
        TEST(test_out_of_order_and_twice),
        TEST(test_the_edge_of_the_window),
        TEST(test_what_is_refused_changes_nothing),
        TEST(test_a_good_one_after_a_broken_one),
        TEST(test_streams_of_their_own),
        TEST(test_a_stream_is_one_relays),
        TEST(test_without_a_key_nothing_opens),
        TEST(test_a_stream_changes_its_key),
        TEST(test_a_key_that_is_removed),
        TEST(test_who_claims_another_key),
        TEST(test_there_is_an_end_to_streams),
        TEST(test_idle_streams_are_forgotten),
        TEST(test_random_streams_against_a_model),
        TEST(test_the_idlest_makes_room),
        TEST(test_what_comes_too_late),
    };
    return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
