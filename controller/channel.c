/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "channel.h"

#include <errno.h>
#include <string.h>

#include "emit.h"
#include "openflow/nicira-ext.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-print.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "punt.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(channel);

enum {
    /* Bytes asked for with one read.  The buffer also has room for the part of
     * a message that the last read ended with, and messages are at most 64 kB
     * long. */
    READ_BYTES = 64 * 1024,
    BUFFER_BYTES = READ_BYTES + UINT16_MAX + 8,

    /* Pauses between attempts to connect, which double from the first to the
     * last.  A switch that comes back should find its relay within a second;
     * lib/reconnect.h, made for many controllers, pauses for no less. */
    MIN_PAUSE_MS = 100,
    MAX_PAUSE_MS = 400,

    /* A network connection that is silent for this time is probed with an echo
     * request, and given up when it stays silent for as long again.  So is an
     * attempt to connect.  A local socket breaks by itself. */
    PROBE_MS = 5000,

    /* Messages about the connection itself, hello, error and echo, have the
     * types up to this one (OpenFlow 1.5.1, section 7.1.1). */
    LAST_CONNECTION_TYPE = 3,
};

enum channel_state {
    CHANNEL_CLOSED,     /* No connection. */
    CHANNEL_CONNECTING, /* stream_connect() has not succeeded yet. */
    CHANNEL_HELLO,      /* Waiting for the switch's hello. */
    CHANNEL_OPEN        /* Frames flow. */
};

struct channel {
    char *target;
    struct stream *stream; /* NULL in CHANNEL_CLOSED. */
    enum channel_state state;
    unsigned int seqno;

    int pause;                  /* Before the next attempt, in ms. */
    long long int next_attempt; /* time_msec(), in CHANNEL_CLOSED. */
    bool needs_probes;          /* Is it a network connection? */
    bool probed;                /* Since the switch was last heard? */
    long long int heard;        /* When the switch was last heard. */

    /* Received bytes 'start' to 'end' of 'buffer' are not yet used. */
    uint8_t *buffer; /* Aligned on a cache line. */
    size_t start, end;
    int read_error; /* Why channel_read() failed, 0 if it did not. */

    /* Messages of the channel's own, to be sent between frames. */
    struct ofpbuf control;
    bool behind; /* Has channel_write() left some? */
};

struct channel *
channel_create(const char *target)
{
    struct channel *c = xzalloc(sizeof *c);

    c->target = xstrdup(target);
    c->buffer = xmalloc_cacheline(BUFFER_BYTES);
    ofpbuf_init(&c->control, 0);

    c->pause = MIN_PAUSE_MS;
    c->next_attempt = time_msec();
    c->needs_probes = stream_or_pstream_needs_probes(target) > 0;
    return c;
}

void
channel_destroy(struct channel *c)
{
    if (c) {
        stream_close(c->stream);
        ofpbuf_uninit(&c->control);
        free_cacheline(c->buffer);
        free(c->target);
        free(c);
    }
}

bool
channel_is_open(const struct channel *c)
{
    return c->state == CHANNEL_OPEN;
}

unsigned int
channel_seqno(const struct channel *c)
{
    return c->seqno;
}

/* Queues 'msg', which it frees, for the switch. */
static void
put_control(struct channel *c, struct ofpbuf *msg)
{
    ofpbuf_put(&c->control, msg->data, msg->size);
    ofpbuf_delete(msg);
}

/* Asks for our punts and nothing else. */
static void
put_setup(struct channel *c)
{
    struct ofputil_async_cfg async = OFPUTIL_ASYNC_CFG_INIT;
    uint32_t every_reason = (1u << OFPR_N_REASONS) - 1;

    struct ofpbuf *msg =
        ofpraw_alloc(OFPRAW_NXT_SET_CONTROLLER_ID, OFP15_VERSION, 0);
    struct nx_controller_id *id = ofpbuf_put_zeros(msg, sizeof *id);
    id->controller_id = htons(PUNT_CONTROLLER_ID);
    ofpmsg_update_length(msg);
    put_control(c, msg);

    msg = ofputil_encode_set_packet_in_format(OFP15_VERSION,
                                              OFPUTIL_PACKET_IN_NXT2);
    ofpmsg_update_length(msg);
    put_control(c, msg);

    async.primary[OAM_PACKET_IN] = every_reason;
    msg = ofputil_encode_set_async_config(
        &async,
        1u << OAM_PACKET_IN | 1u << OAM_PORT_STATUS | 1u << OAM_FLOW_REMOVED,
        OFP15_VERSION);
    ofpmsg_update_length(msg);
    put_control(c, msg);
}

/* Ends the connection because of 'error', a positive errno or EOF. */
static unsigned int
disconnect(struct channel *c, struct emit *emit, int error)
{
    if (c->state == CHANNEL_OPEN) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 10);
        VLOG_WARN_RL(&rl, "%s: connection for frames lost: %s", c->target,
                     ovs_retval_to_string(error));
    }
    stream_close(c->stream);
    c->stream = NULL;
    c->state = CHANNEL_CLOSED;
    c->next_attempt = time_msec() + c->pause;
    c->pause = MIN(2 * c->pause, MAX_PAUSE_MS);
    c->start = c->end = 0;
    c->read_error = 0;
    ofpbuf_clear(&c->control);
    c->behind = false;
    return emit_abandon(emit);
}

/* Notes that the switch is there. */
static void
note_heard(struct channel *c)
{
    c->heard = time_msec();
    c->probed = false;
}

/* Begins to connect.  Returns 0 or a positive errno. */
static int
begin_to_connect(struct channel *c)
{
    int error = stream_open_with_default_port(c->target, OFP_PORT, &c->stream,
                                              DSCP_DEFAULT);
    if (error) {
        c->stream = NULL;
        return error;
    }
    c->state = CHANNEL_CONNECTING;
    note_heard(c);
    return 0;
}

/* Goes on connecting.  Returns 0, EAGAIN, or what went wrong. */
static int
go_on_connecting(struct channel *c)
{
    int error = stream_connect(c->stream);

    if (!error) {
        c->state = CHANNEL_HELLO;
        note_heard(c);
        put_control(c, ofputil_encode_hello(1u << OFP15_VERSION));
    }
    return error;
}

/* Returns when a silent connection is to be probed or given up, as
 * time_msec(), LLONG_MAX for never. */
static long long int
probe_time(const struct channel *c)
{
    if (!c->needs_probes || c->state == CHANNEL_CLOSED) {
        return LLONG_MAX;
    }
    return c->heard + (c->probed ? 2 * PROBE_MS : PROBE_MS);
}

/* Probes the switch or, if it was probed already or is not connected yet,
 * returns ETIMEDOUT. */
static int
probe(struct channel *c)
{
    if (c->probed || c->state == CHANNEL_CONNECTING) {
        return ETIMEDOUT;
    }
    put_control(c, ofputil_encode_echo_request(OFP15_VERSION));
    c->probed = true;
    return 0;
}

unsigned int
channel_run(struct channel *c, struct emit *emit)
{
    int error = c->read_error;

    if (c->stream) {
        stream_run(c->stream);
    }
    if (c->state == CHANNEL_CLOSED && time_msec() >= c->next_attempt) {
        error = begin_to_connect(c);
    }
    if (!error && c->state == CHANNEL_CONNECTING) {
        error = go_on_connecting(c);
        error = error == EAGAIN ? 0 : error;
    }
    if (!error && time_msec() >= probe_time(c)) {
        error = probe(c);
    }
    return error ? disconnect(c, emit, error) : 0;
}

void
channel_wait(struct channel *c, const struct emit *emit)
{
    size_t n_bytes;

    if (c->state == CHANNEL_CLOSED) {
        poll_timer_wait_until(c->next_attempt);
        return;
    }
    if (c->needs_probes) {
        poll_timer_wait_until(probe_time(c));
    }
    stream_run_wait(c->stream);
    if (c->state == CHANNEL_CONNECTING) {
        stream_connect_wait(c->stream);
        return;
    }
    stream_recv_wait(c->stream);
    emit_peek(emit, &n_bytes);
    if (c->control.size || (c->state == CHANNEL_OPEN && n_bytes)) {
        stream_send_wait(c->stream);
    }
    if (c->read_error) {
        poll_immediate_wake();
    }
}

/* Moves the bytes not yet used to the begin of the buffer. */
static void
move_to_begin(struct channel *c)
{
    if (c->start) {
        memmove(c->buffer, c->buffer + c->start, c->end - c->start);
        c->end -= c->start;
        c->start = 0;
    }
}

bool
channel_read(struct channel *c, bool *more)
{
    *more = false;
    if (c->state < CHANNEL_HELLO || c->read_error) {
        return false;
    }

    move_to_begin(c);
    int retval = stream_recv(c->stream, c->buffer + c->end, READ_BYTES);
    if (retval <= 0) {
        if (retval != -EAGAIN) {
            c->read_error = retval ? -retval : EOF;
        }
        return false;
    }
    c->end += retval;
    *more = retval == READ_BYTES;
    note_heard(c);
    return true;
}

/* Logs the error message 'oh' of the switch. */
static void
log_error(const struct channel *c, const struct ofp_header *oh)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

    VLOG_WARN_RL(&rl, "%s: the switch refused a message: %s", c->target,
                 ofperr_to_string(ofperr_decode_msg(oh, NULL)));
}

/* Deals with 'oh' if it is a message about the connection itself.  Returns
 * true if it was. */
static bool
handle_control(struct channel *c, const struct ofp_header *oh)
{
    struct ofpbuf *reply;
    enum ofptype type;

    if (oh->type > LAST_CONNECTION_TYPE || ofptype_decode(&type, oh)) {
        return c->state != CHANNEL_OPEN;
    }
    switch ((int) type) {
    case OFPTYPE_HELLO:
        if (c->state == CHANNEL_HELLO && oh->version >= OFP15_VERSION) {
            put_setup(c);
            c->state = CHANNEL_OPEN;
            c->seqno++;
            c->pause = MIN_PAUSE_MS;
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 10);
            VLOG_INFO_RL(&rl, "%s: connected for frames", c->target);
        } else if (c->state == CHANNEL_HELLO) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
            VLOG_ERR_RL(&rl, "%s: the switch does not speak OpenFlow 1.5",
                        c->target);
            c->read_error = EPROTO;
        }
        return true;

    case OFPTYPE_ERROR: log_error(c, oh); return true;

    case OFPTYPE_ECHO_REQUEST:
        reply = ofputil_encode_echo_reply(oh);
        ofpmsg_update_length(reply); /* It holds what the request held. */
        put_control(c, reply);
        return true;

    default: return true;
    }
}

/* Moves what is not yet used to the next lower multiple of 8 bytes.  Messages
 * with frames are a multiple of 8 bytes long, but a hello or an error may not
 * be, and what follows it must be aligned all the same.  Only its own last
 * bytes are overwritten, not the frames before it. */
static void
align_start(struct channel *c)
{
    size_t excess = c->start % 8;

    if (excess) {
        memmove(c->buffer + c->start - excess, c->buffer + c->start,
                c->end - c->start);
        c->start -= excess;
        c->end -= excess;
    }
}

struct ofp_header *
channel_next(struct channel *c)
{
    while (c->end - c->start >= sizeof(struct ofp_header)) {
        struct ofp_header *oh;

        align_start(c);
        oh = ALIGNED_CAST(struct ofp_header *, c->buffer + c->start);

        size_t length = ntohs(oh->length);
        if (length < sizeof *oh) {
            c->read_error = EPROTO;
            return NULL;
        }
        if (c->end - c->start < length) {
            return NULL;
        }
        c->start += length;
        if (!handle_control(c, oh)) {
            return oh;
        }
    }
    return NULL;
}

bool
channel_send(struct channel *c, struct ofpbuf *msg)
{
    if (c->state != CHANNEL_OPEN || c->behind) {
        ofpbuf_delete(msg);
        return false;
    }
    put_control(c, msg);
    return true;
}

/* Writes 'length' bytes at 'bytes'.  Returns how many the switch took. */
static size_t
write_bytes(struct channel *c, const void *bytes, size_t length)
{
    int retval = stream_send(c->stream, bytes, length);

    if (retval < 0) {
        /* If the connection is broken the next read says why. */
        return 0;
    }
    return retval;
}

/* Writes the channel's own messages.  Returns false if the switch did not take
 * all. */
static bool
write_control(struct channel *c)
{
    if (c->control.size) {
        size_t n = write_bytes(c, c->control.data, c->control.size);
        ofpbuf_pull(&c->control, n);
    }
    if (c->control.size) {
        return false;
    }
    ofpbuf_clear(&c->control);
    return true;
}

unsigned int
channel_write(struct channel *c, struct emit *emit)
{
    unsigned int n_frames = 0;

    if (c->state < CHANNEL_HELLO) {
        return 0;
    }
    while ((emit_is_begun(emit) || write_control(c))
           && c->state == CHANNEL_OPEN) {
        size_t n_bytes;
        const void *bytes = emit_peek(emit, &n_bytes);

        if (c->control.size) {
            n_bytes = MIN(n_bytes, emit_rest(emit));
        }
        size_t written = n_bytes ? write_bytes(c, bytes, n_bytes) : 0;

        n_frames += emit_advance(emit, written);
        if (!written || written < n_bytes) {
            break;
        }
    }
    c->behind = c->control.size > 0;
    return n_frames;
}
