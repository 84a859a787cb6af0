/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "emit.h"

#include "support.h"

#include <stdbool.h>

#include "frame.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "util.h"

#define KEEP "set_field:02:00:00:00:01:01->eth_src,NORMAL"
#define REWRITE                                                               \
    "set_field:02:00:00:00:01:01->eth_src,"                                   \
    "set_field:10.1.0.255->ip_dst,NORMAL"

/* The ring as one would write it who had all the memory and time in the
 * world: every message put, in order, with what became of it.  The frame of
 * the message 'i' is frame_of(i). */
struct message {
    size_t length; /* Of the frame. */
    size_t total;  /* ...with its packet-out. */
    bool rewrite;
    long long int put;
};

struct model {
    struct emit *emit;
    size_t headers[2]; /* Bytes in front of a frame, by 'rewrite'. */

    struct message *messages;
    size_t n, allocated;

    size_t *queue; /* Messages in the ring: 'queue[first]' is the oldest. */
    size_t first, n_queued;
    size_t begun; /* Bytes of it written. */

    uint8_t *output; /* What was written of the oldest. */
    size_t n_written, n_dropped;
};

/* Fills in the frame of the message 'i'. */
static void
frame_of(size_t i, uint8_t *frame, size_t length)
{
    uint32_t random = i * 2654435761u + 1;

    for (size_t j = 0; j < length; j++) {
        frame[j] = next_random(&random);
    }
}

/* Returns how many bytes a packet-out has in front of its frame. */
static size_t
header_length(bool rewrite)
{
    struct emit *e = emit_create();
    size_t length;

    assert_no_error(emit_set_actions(e, KEEP, REWRITE));
    emit_put(e, (const uint8_t *) "x", 1, rewrite, 0);
    emit_peek(e, &length);
    emit_destroy(e);
    return length - 1;
}

static void
model_init(struct model *m)
{
    memset(m, 0, sizeof *m);
    m->emit = emit_create();
    assert_false(emit_is_ready(m->emit));
    assert_no_error(emit_set_actions(m->emit, KEEP, REWRITE));
    assert_true(emit_is_ready(m->emit));
    m->headers[false] = header_length(false);
    m->headers[true] = header_length(true);
    m->output = xmalloc(UINT16_MAX);
}

static void
model_destroy(struct model *m)
{
    emit_destroy(m->emit);
    free(m->messages);
    free(m->queue);
    free(m->output);
}

static const struct message *
queued(const struct model *m, size_t i)
{
    return &m->messages[m->queue[m->first + i]];
}

/* Forgets the oldest message that is not begun. */
static void
model_drop(struct model *m)
{
    if (m->begun) {
        m->queue[m->first + 1] = m->queue[m->first];
    }
    m->first++;
    m->n_queued--;
    m->n_dropped++;
}

static size_t
model_bytes(const struct model *m)
{
    size_t bytes = 0;

    for (size_t i = 0; i < m->n_queued; i++) {
        bytes += queued(m, i)->total;
    }
    return bytes - m->begun;
}

/* Fails the test unless the ring has the model's messages, of which the first
 * one is begun as far. */
static void
assert_as_model(const struct model *m)
{
    assert_int_equal(emit_count(m->emit), m->n_queued);
    assert_int_equal(emit_is_begun(m->emit), m->begun > 0);
    assert_int_equal(emit_rest(m->emit),
                     m->begun ? queued(m, 0)->total - m->begun : 0);
}

/* Puts a frame of 'length' bytes into the ring and the model, and checks that
 * they agree on how many others had to go. */
static void
model_put(struct model *m, size_t length, bool rewrite, long long int now)
{
    size_t n_before = m->n_dropped;

    if (m->n >= m->allocated) {
        m->messages =
            x2nrealloc(m->messages, &m->allocated, sizeof *m->messages);
        m->queue = xrealloc(m->queue, m->allocated * sizeof *m->queue);
    }
    struct message *new = &m->messages[m->n];
    *new = (struct message){ .length = length,
                             .total = m->headers[rewrite] + length,
                             .rewrite = rewrite,
                             .put = now };

    size_t bytes = model_bytes(m) + new->total;
    while (bytes > EMIT_RING_BYTES || m->n_queued == EMIT_RING_FRAMES) {
        bytes -= queued(m, m->begun > 0)->total;
        model_drop(m);
    }
    m->queue[m->first + m->n_queued++] = m->n;

    uint8_t frame[FRAME_MAX];
    frame_of(m->n++, frame, length);
    assert_int_equal(emit_put(m->emit, frame, length, rewrite, now),
                     m->n_dropped - n_before);
    assert_as_model(m);
}

/* Fails the test unless 'oh' is a packet-out of 'frame', from the controller
 * and with the actions 'actions'. */
static void
assert_packet_out(const struct ofp_header *oh, const uint8_t *frame,
                  size_t length, const char *actions)
{
    struct ofputil_packet_out po;
    struct ofpbuf ofpacts, expected;
    enum ofputil_protocol usable;

    assert_int_equal(oh->version, OFP15_VERSION);
    ofpbuf_init(&ofpacts, 0);
    assert_int_equal(ofputil_decode_packet_out(&po, oh, NULL, &ofpacts), 0);
    assert_int_equal(po.buffer_id, UINT32_MAX);
    assert_int_equal(po.flow_metadata.flow.in_port.ofp_port, OFPP_CONTROLLER);
    assert_int_equal(po.packet_len, length);
    assert_memory_equal(po.packet, frame, length);

    ofpbuf_init(&expected, 0);
    const struct ofpact_parse_params pp = {
        .ofpacts = &expected,
        .usable_protocols = &usable,
    };
    assert_no_error(ofpacts_parse_actions(actions, &pp));
    assert_true(ofpacts_equal_stringwise(po.ofpacts, po.ofpacts_len,
                                         expected.data, expected.size));
    ofpbuf_uninit(&expected);
    ofpbuf_uninit(&ofpacts);
}

/* Takes the oldest message off the queue, which 'm->output' must have. */
static void
model_written(struct model *m)
{
    const struct message *message = queued(m, 0);
    uint8_t frame[FRAME_MAX];

    /* Aligned, as who reads it would have it. */
    uint8_t *whole = copy_exactly(m->output, message->total);
    const struct ofp_header *oh = (const struct ofp_header *) whole;

    assert_int_equal(ntohs(oh->length), message->total);
    frame_of(m->queue[m->first], frame, message->length);
    assert_packet_out(oh, frame, message->length,
                      message->rewrite ? REWRITE : KEEP);
    free(whole);

    m->first++;
    m->n_queued--;
    m->n_written++;
}

/* Writes up to 'max' bytes, with one peek, and checks them and what is said of
 * them. */
static void
model_write(struct model *m, size_t max)
{
    unsigned int n_written = 0;
    size_t length;

    const uint8_t *bytes = emit_peek(m->emit, &length);
    assert_true(length <= model_bytes(m));
    assert_true(length || !m->n_queued);
    length = MIN(length, max);

    for (size_t left = length; left;) {
        size_t n = MIN(left, queued(m, 0)->total - m->begun);

        memcpy(m->output + m->begun, bytes, n);
        m->begun += n;
        bytes += n;
        left -= n;
        if (m->begun == queued(m, 0)->total) {
            model_written(m);
            m->begun = 0;
            n_written++;
        }
    }
    assert_int_equal(emit_advance(m->emit, length), n_written);
    assert_as_model(m);
}

static void
model_write_all(struct model *m)
{
    size_t length;

    while (m->n_queued) {
        model_write(m, SIZE_MAX);
    }
    emit_peek(m->emit, &length);
    assert_int_equal(length, 0);
    assert_false(emit_is_begun(m->emit));
    assert_int_equal(m->n, m->n_written + m->n_dropped);
}

static void
model_drop_stale(struct model *m, long long int now)
{
    size_t n_before = m->n_dropped;

    while (m->n_queued > (m->begun > 0)
           && now - queued(m, m->begun > 0)->put >= EMIT_STALE_MS) {
        model_drop(m);
    }
    assert_int_equal(emit_drop_stale(m->emit, now), m->n_dropped - n_before);
    assert_as_model(m);
}

static void
model_abandon(struct model *m)
{
    assert_int_equal(emit_abandon(m->emit), m->begun > 0);
    if (m->begun) {
        m->begun = 0;
        model_drop(m);
    }
    assert_as_model(m);
}

static void
test_nothing_there(void **state OVS_UNUSED)
{
    struct model m;

    model_init(&m);
    model_write(&m, SIZE_MAX);
    model_drop_stale(&m, EMIT_STALE_MS);
    model_abandon(&m);
    assert_int_equal(emit_count(m.emit), 0);
    model_destroy(&m);
}

static void
test_frames_come_out_in_order(void **state OVS_UNUSED)
{
    struct model m;

    model_init(&m);
    for (size_t i = 0; i < 10; i++) {
        model_put(&m, 60 + i, i % 2, 0);
    }
    model_write_all(&m);
    assert_int_equal(m.n_written, 10);
    model_destroy(&m);
}

static void
test_frames_of_all_lengths(void **state OVS_UNUSED)
{
    static const size_t lengths[] = { 1, 42, 59, 60, 1417, 1514, FRAME_MAX };
    struct model m;

    model_init(&m);
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        model_put(&m, lengths[i], false, 0);
        model_put(&m, lengths[i], true, 0);
    }
    model_write_all(&m);
    model_destroy(&m);
}

/* Puts and writes messages until the next one goes to the position 'end',
 * which is at least 512 bytes ahead in a ring that is empty. */
static void
go_to(struct model *m, size_t end)
{
    for (size_t at = 0; at < end;) {
        size_t left = end - at;
        size_t total = left <= 4096 ? left : MIN(left - 512, 4096);

        model_put(m, total - m->headers[false], false, 0);
        at += total;
    }
    model_write_all(m);
}

/* A message across the end of the ring, with each number of its bytes before
 * the end. */
static void
test_each_way_to_cross_the_end(void **state OVS_UNUSED)
{
    const size_t total = header_length(true) + 60;

    for (size_t before_end = 0; before_end <= total; before_end++) {
        struct model m;

        model_init(&m);
        go_to(&m, EMIT_RING_BYTES - before_end);
        model_put(&m, 60, true, 0);
        model_write_all(&m);
        assert_int_equal(m.n_dropped, 0);
        model_destroy(&m);
    }
}

/* A ring full of bytes drops the oldest for the newest. */
static void
test_overflow_drops_the_oldest(void **state OVS_UNUSED)
{
    struct model m;

    model_init(&m);
    const size_t fit = EMIT_RING_BYTES / (m.headers[false] + 1417);
    for (size_t i = 0; i < fit; i++) {
        model_put(&m, 1417, false, 0);
    }
    assert_int_equal(m.n_dropped, 0);
    model_put(&m, 1417, false, 0);
    assert_int_equal(m.n_dropped, 1);
    assert_int_equal(m.queue[m.first], 1);

    /* One long frame takes the place of several short ones. */
    model_put(&m, FRAME_MAX, false, 0);
    assert_in_range(m.n_dropped, 6, 8);
    model_write_all(&m);
    model_destroy(&m);
}

/* A ring full of frames that are too small to fill it with bytes. */
static void
test_overflow_of_small_frames(void **state OVS_UNUSED)
{
    struct model m;

    model_init(&m);
    assert_true((m.headers[false] + 1) * EMIT_RING_FRAMES < EMIT_RING_BYTES);
    for (size_t i = 0; i < EMIT_RING_FRAMES; i++) {
        model_put(&m, 1, false, 0);
    }
    assert_int_equal(m.n_dropped, 0);
    model_put(&m, 1, false, 0);
    assert_int_equal(m.n_dropped, 1);
    model_write(&m, 1);
    model_put(&m, 1, false, 0);
    assert_int_equal(m.n_dropped, 2);
    model_write_all(&m);
    model_destroy(&m);
}

/* Whatever is dropped behind it, a message of which the switch has read a part
 * goes out to its end: for each length of that part. */
static void
test_a_message_begun_is_completed(void **state OVS_UNUSED)
{
    struct model m;

    model_init(&m);
    const size_t total = m.headers[true] + 300;
    for (size_t begun = 1; begun < total; begun += 7) {
        size_t n_before = m.n_dropped;

        model_put(&m, 300, true, 0);
        model_write(&m, begun);
        while (m.n_dropped < n_before + 20) {
            model_put(&m, FRAME_MAX - begun, begun % 2, 0);
        }
        assert_true(emit_is_begun(m.emit));
        model_write_all(&m);
    }
    model_destroy(&m);
}

static void
test_stale_frames(void **state OVS_UNUSED)
{
    struct model m;

    model_init(&m);
    model_put(&m, 100, false, 5000);
    model_put(&m, 100, false, 5000);
    model_put(&m, 100, false, 5001);

    model_drop_stale(&m, 5000 + EMIT_STALE_MS - 1);
    assert_int_equal(m.n_dropped, 0);
    model_drop_stale(&m, 5000 + EMIT_STALE_MS);
    assert_int_equal(m.n_dropped, 2);
    model_drop_stale(&m, 5001 + EMIT_STALE_MS);
    assert_int_equal(m.n_dropped, 3);
    model_write_all(&m);
    model_destroy(&m);
}

static void
test_a_stale_message_begun_is_completed(void **state OVS_UNUSED)
{
    struct model m;

    model_init(&m);
    model_put(&m, 100, false, 5000);
    model_put(&m, 200, false, 5000);
    model_put(&m, 300, false, 6000);
    model_write(&m, 50);
    model_drop_stale(&m, 5000 + EMIT_STALE_MS);
    assert_int_equal(m.n_dropped, 1);
    assert_int_equal(m.n_queued, 2);
    model_write_all(&m);
    model_destroy(&m);
}

static void
test_abandon(void **state OVS_UNUSED)
{
    struct model m;

    model_init(&m);
    model_put(&m, 100, false, 0);
    model_put(&m, 200, false, 0);
    model_abandon(&m);
    assert_int_equal(m.n_dropped, 0);

    model_write(&m, 50);
    model_abandon(&m);
    assert_int_equal(m.n_dropped, 1);
    model_write_all(&m);
    assert_int_equal(m.n_written, 1);
    model_destroy(&m);
}

/* Anything in any order, for many times the ring's length.  'slow' is how much
 * less is written than put, in percent. */
static void
do_anything(uint32_t random, unsigned int slow)
{
    long long int now = 1000000;
    struct model m;
    size_t put = 0;

    model_init(&m);
    while (put < 8 * (size_t) EMIT_RING_BYTES) {
        uint32_t what = next_random(&random) % 1000;
        size_t length =
            1 + next_random(&random) % (what % 4 ? 1514 : FRAME_MAX);

        now += next_random(&random) % 3;
        model_put(&m, length, what & 1, now);
        put += length;
        if (next_random(&random) % 100 >= slow) {
            model_write(&m, next_random(&random) % 6000);
        }
        if (what == 0) {
            model_abandon(&m);
        } else if (what < 10) {
            model_drop_stale(&m, now);
        } else if (what == 10) {
            now += EMIT_STALE_MS / 2;
        }
    }
    assert_true(m.n_written > 100);
    assert_true(m.n_dropped > 0);
    model_write_all(&m);
    model_destroy(&m);
}

static void
test_anything_with_a_fast_switch(void **state OVS_UNUSED)
{
    do_anything(7124, 5);
}

static void
test_anything_with_a_slow_switch(void **state OVS_UNUSED)
{
    do_anything(5076, 80);
}

/* Actions. */

static void
test_wrong_actions_change_nothing(void **state OVS_UNUSED)
{
    struct model m;

    model_init(&m);
    assert_error(emit_set_actions(m.emit, "upwards", REWRITE),
                 "emit actions \"upwards\": *");
    assert_error(emit_set_actions(m.emit, "NORMAL", "upwards"),
                 "emit actions \"upwards\": *");
    model_put(&m, 100, false, 0);
    model_put(&m, 100, true, 0);
    model_write_all(&m);
    model_destroy(&m);
}

static void
test_wrong_actions_at_first(void **state OVS_UNUSED)
{
    struct emit *e = emit_create();

    assert_error(emit_set_actions(e, "NORMAL", "upwards"),
                 "emit actions \"upwards\": *");
    assert_false(emit_is_ready(e));
    emit_destroy(e);
}

/* What was put before the actions changed keeps those that it had. */
static void
test_other_actions(void **state OVS_UNUSED)
{
    static const uint8_t frame[] = "not looked at";
    struct emit *e = emit_create();
    size_t length;

    assert_no_error(emit_set_actions(e, KEEP, REWRITE));
    emit_put(e, frame, sizeof frame, true, 0);
    assert_no_error(emit_set_actions(e, "NORMAL", "IN_PORT"));
    emit_put(e, frame, sizeof frame, false, 0);
    emit_put(e, frame, sizeof frame, true, 0);

    const uint8_t *bytes = emit_peek(e, &length);
    const char *const actions[] = { REWRITE, "NORMAL", "IN_PORT" };
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        uint8_t *message = copy_exactly(bytes, length);
        const struct ofp_header *oh = (const struct ofp_header *) message;
        size_t message_length = ntohs(oh->length);

        assert_true(message_length <= length);
        assert_packet_out(oh, frame, sizeof frame, actions[i]);
        bytes += message_length;
        length -= message_length;
        free(message);
    }
    assert_int_equal(length, 0);
    emit_destroy(e);
}

/* Single messages, for frames that are not the mesh's. */

static void
test_a_message_by_itself(void **state OVS_UNUSED)
{
    static const size_t lengths[] = { 1, 60, 74, 202, 1514, FRAME_MAX };
    static const char *const actions[] = {
        KEEP, REWRITE, "NORMAL", "resubmit(,10)", "output:1,output:2", "drop"
    };
    uint8_t bytes[FRAME_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(actions); j++) {
            struct ofpbuf *msg = NULL;

            frame_of(i, bytes, lengths[i]);
            uint8_t *frame = copy_exactly(bytes, lengths[i]);
            assert_no_error(emit_encode(actions[j], frame, lengths[i], &msg));
            assert_memory_equal(frame, bytes, lengths[i]);
            free(frame); /* The message is a copy. */

            assert_non_null(msg);
            const struct ofp_header *oh = msg->data;
            assert_int_equal(ntohs(oh->length), msg->size);
            assert_packet_out(oh, bytes, lengths[i],
                              j == ARRAY_SIZE(actions) - 1 ? "" : actions[j]);
            ofpbuf_delete(msg);
        }
    }
}

/* With what is wrong comes nothing else. */
static void
test_a_message_with_wrong_actions(void **state OVS_UNUSED)
{
    static const char *const actions[] = { "upwards", "NORMAL,upwards",
                                           "set_field:1->nothing,NORMAL" };
    struct ofpbuf other;

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        struct ofpbuf *msg = &other;
        char *expected = xasprintf("emit actions \"%s\": *", actions[i]);

        assert_error(
            emit_encode(actions[i], (const uint8_t *) "frame", 5, &msg),
            expected);
        assert_ptr_equal(msg, &other);
        free(expected);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_frames_come_out_in_order),
        cmocka_unit_test(test_frames_of_all_lengths),
        cmocka_unit_test(test_each_way_to_cross_the_end),
        cmocka_unit_test(test_overflow_drops_the_oldest),
        cmocka_unit_test(test_overflow_of_small_frames),
        cmocka_unit_test(test_a_message_begun_is_completed),
        cmocka_unit_test(test_stale_frames),
        cmocka_unit_test(test_a_stale_message_begun_is_completed),
        cmocka_unit_test(test_abandon),
        cmocka_unit_test(test_anything_with_a_fast_switch),
        cmocka_unit_test(test_anything_with_a_slow_switch),
        cmocka_unit_test(test_wrong_actions_change_nothing),
        cmocka_unit_test(test_wrong_actions_at_first),
        cmocka_unit_test(test_other_actions),
        cmocka_unit_test(test_a_message_by_itself),
        cmocka_unit_test(test_a_message_with_wrong_actions),
    };
    return cmocka_run_group_tests_name("emission", tests, NULL, NULL);
}
