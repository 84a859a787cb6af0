/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "emit.h"

#include <string.h>

#include "frame.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "tap.h"
#include "timeval.h"
#include "util.h"

/* One message in the ring. */
struct emission {
    uint32_t length;   /* Bytes, OpenFlow header included. */
    uint32_t header;   /* Bytes of that which are before the frame. */
    long long int put; /* When it was put, time_msec(). */
};

struct emit {
    struct tap *tap; /* Told of what is dropped, or NULL. */

    /* For the tap: the frame of the message that is begun, since others take
     * the place of what was written.  Its length is 0 if there is none. */
    uint8_t begun_frame[FRAME_MAX];
    size_t begun_frame_length;

    /* Packet-outs without their frame: [false] keeps the IP destination,
     * [true] rewrites it.  NULL until the actions are set. */
    struct ofpbuf *headers[2];

    /* Positions grow for ever; the place in the ring is what remains after
     * division by its size. */
    uint8_t *bytes;
    uint64_t head;  /* Where the next message goes. */
    uint64_t tail;  /* First byte not yet written. */
    uint32_t begun; /* Bytes written of the first message. */

    struct emission *emissions;
    uint64_t first; /* Oldest message. */
    uint64_t next;  /* Where the next one goes. */
};

struct emit *
emit_create(void)
{
    struct emit *e = xzalloc(sizeof *e);

    e->bytes = xmalloc(EMIT_RING_BYTES);
    e->emissions = xmalloc(EMIT_RING_FRAMES * sizeof *e->emissions);
    return e;
}

void
emit_destroy(struct emit *e)
{
    if (e) {
        ofpbuf_delete(e->headers[false]);
        ofpbuf_delete(e->headers[true]);
        free(e->bytes);
        free(e->emissions);
        free(e);
    }
}

void
emit_set_tap(struct emit *e, struct tap *tap)
{
    e->tap = tap;
}

char *
emit_encode(const char *actions, const uint8_t *frame, size_t length,
            struct ofpbuf **msg)
{
    enum ofputil_protocol usable;
    struct ofpbuf ofpacts;

    ofpbuf_init(&ofpacts, 0);
    const struct ofpact_parse_params pp = {
        .ofpacts = &ofpacts,
        .usable_protocols = &usable,
    };
    char *error = ofpacts_parse_actions(actions, &pp);
    if (error) {
        char *whole = xasprintf("emit actions \"%s\": %s", actions, error);
        free(error);
        ofpbuf_uninit(&ofpacts);
        return whole;
    }

    struct ofputil_packet_out po = {
        .buffer_id = UINT32_MAX,
        .packet = CONST_CAST(uint8_t *, frame),
        .packet_len = length,
        .ofpacts = ofpacts.data,
        .ofpacts_len = ofpacts.size,
    };
    match_init_catchall(&po.flow_metadata);
    match_set_in_port(&po.flow_metadata, OFPP_CONTROLLER);
    *msg = ofputil_encode_packet_out(&po, OFPUTIL_P_OF15_OXM);
    ofpbuf_uninit(&ofpacts);
    return NULL;
}

char *
emit_set_actions(struct emit *e, const char *keep, const char *rewrite)
{
    struct ofpbuf *headers[2];
    char *error;

    error = emit_encode(keep, NULL, 0, &headers[false]);
    if (error) {
        return error;
    }
    error = emit_encode(rewrite, NULL, 0, &headers[true]);
    if (error) {
        ofpbuf_delete(headers[false]);
        return error;
    }

    for (int i = 0; i < 2; i++) {
        ofpbuf_delete(e->headers[i]);
        e->headers[i] = headers[i];
    }
    return NULL;
}

bool
emit_is_ready(const struct emit *e)
{
    return e->headers[false] != NULL;
}

unsigned int
emit_count(const struct emit *e)
{
    return e->next - e->first;
}

static struct emission *
emission(const struct emit *e, uint64_t i)
{
    return &e->emissions[i % EMIT_RING_FRAMES];
}

/* Moves 'length' bytes within the ring from position 'from' up to position
 * 'to', both of which may wrap around: the last piece that is in one piece at
 * both places first. */
static void
move_up(struct emit *e, uint64_t from, uint64_t to, size_t length)
{
    while (length > 0) {
        size_t from_end = (from + length - 1) % EMIT_RING_BYTES + 1;
        size_t to_end = (to + length - 1) % EMIT_RING_BYTES + 1;
        size_t piece = MIN(length, MIN(from_end, to_end));

        memmove(e->bytes + to_end - piece, e->bytes + from_end - piece, piece);
        length -= piece;
    }
}

/* Returns true if somebody wants to hear of what is dropped. */
static bool
is_tapped(const struct emit *e)
{
    return e->tap && tap_is_on(e->tap);
}

/* Copies the frame of the message 'm', which begins at position 'start', to
 * 'frame', and returns its length. */
static size_t
copy_frame(const struct emit *e, const struct emission *m, uint64_t start,
           uint8_t frame[FRAME_MAX])
{
    const size_t length = m->length - m->header;
    const size_t at = (start + m->header) % EMIT_RING_BYTES;
    const size_t until_end = MIN(length, EMIT_RING_BYTES - at);

    memcpy(frame, e->bytes + at, until_end);
    memcpy(frame + until_end, e->bytes, length - until_end);
    return length;
}

/* Tells the tap that the 'frame' of 'length' bytes is dropped for
 * 'reason'. */
static void
tell_dropped(const struct emit *e, const uint8_t *frame, size_t length,
             enum drop_reason reason)
{
    const struct tap_event event = {
        .point = TAP_DROP,
        .direction = DIRECTION_MESH,
        .reason = reason,
        .bytes = frame,
        .length = length,
        .is_frame = true,
    };
    tap_tell(e->tap, &event, time_msec());
}

/* Drops the oldest message that is not begun, for 'reason'.  There must be
 * one. */
static void
drop_oldest(struct emit *e, enum drop_reason reason)
{
    if (is_tapped(e)) {
        uint8_t frame[FRAME_MAX];
        size_t length = copy_frame(e, emission(e, e->first + (e->begun > 0)),
                                   e->tail + emit_rest(e), frame);

        tell_dropped(e, frame, length, reason);
    }
    if (!e->begun) {
        e->tail += emission(e, e->first)->length;
    } else {
        /* The rest of the message begun takes the end of the place of the one
         * after it, which is the one that goes. */
        struct emission *begun = emission(e, e->first);
        struct emission *oldest = emission(e, e->first + 1);
        uint32_t rest = begun->length - e->begun;

        move_up(e, e->tail, e->tail + oldest->length, rest);
        e->tail += oldest->length;
        *oldest = *begun;
    }
    e->first++;
}

/* Returns true if there is a message that drop_oldest() may drop. */
static bool
may_drop(const struct emit *e)
{
    return emit_count(e) > (e->begun ? 1 : 0);
}

/* Appends the 'length' bytes at 'bytes' to the ring. */
static void
append(struct emit *e, const void *bytes, size_t length)
{
    size_t at = e->head % EMIT_RING_BYTES;
    size_t until_end = MIN(length, EMIT_RING_BYTES - at);

    memcpy(e->bytes + at, bytes, until_end);
    memcpy(e->bytes, (const uint8_t *) bytes + until_end, length - until_end);
    e->head += length;
}

unsigned int
emit_put(struct emit *e, const uint8_t *frame, size_t length, bool rewrite,
         long long int now)
{
    const struct ofpbuf *header = e->headers[rewrite];
    const size_t total = header->size + length;
    unsigned int n_dropped = 0;

    ovs_assert(length <= FRAME_MAX);
    while (may_drop(e)
           && (e->head - e->tail + total > EMIT_RING_BYTES
               || emit_count(e) == EMIT_RING_FRAMES)) {
        drop_oldest(e, DROP_QUEUE_FULL);
        n_dropped++;
    }

    uint64_t start = e->head;
    append(e, header->data, header->size);
    append(e, frame, length);

    const ovs_be16 be_total = htons(total);
    const size_t ofs = offsetof(struct ofp_header, length);
    e->bytes[(start + ofs) % EMIT_RING_BYTES] = ((uint8_t *) &be_total)[0];
    e->bytes[(start + ofs + 1) % EMIT_RING_BYTES] = ((uint8_t *) &be_total)[1];

    struct emission *new = emission(e, e->next++);
    new->length = total;
    new->header = header->size;
    new->put = now;
    return n_dropped;
}

unsigned int
emit_drop_stale(struct emit *e, long long int now)
{
    unsigned int n_dropped = 0;

    while (may_drop(e)
           && emission(e, e->first + (e->begun > 0))->put
                  <= now - EMIT_STALE_MS) {
        drop_oldest(e, DROP_STALE);
        n_dropped++;
    }
    return n_dropped;
}

bool
emit_is_begun(const struct emit *e)
{
    return e->begun > 0;
}

size_t
emit_rest(const struct emit *e)
{
    return e->begun ? emission(e, e->first)->length - e->begun : 0;
}

unsigned int
emit_abandon(struct emit *e)
{
    if (!e->begun) {
        return 0;
    }
    if (e->begun_frame_length && is_tapped(e)) {
        tell_dropped(e, e->begun_frame, e->begun_frame_length,
                     DROP_DISCONNECTED);
    }
    e->tail += emission(e, e->first)->length - e->begun;
    e->first++;
    e->begun = 0;
    return 1;
}

const void *
emit_peek(const struct emit *e, size_t *length)
{
    size_t at = e->tail % EMIT_RING_BYTES;

    *length = MIN(e->head - e->tail, EMIT_RING_BYTES - at);
    return e->bytes + at;
}

unsigned int
emit_advance(struct emit *e, size_t length)
{
    unsigned int n_written = 0;

    e->tail += length;
    length += e->begun;
    while (emit_count(e) && length >= emission(e, e->first)->length) {
        length -= emission(e, e->first)->length;
        e->first++;
        n_written++;
    }
    if (length && (n_written || !e->begun)) {
        e->begun_frame_length =
            is_tapped(e) ? copy_frame(e, emission(e, e->first),
                                      e->tail - length, e->begun_frame)
                         : 0;
    }
    e->begun = length;
    return n_written;
}
