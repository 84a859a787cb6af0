/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "outbox.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "frame.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "peers.h"
#include "remotes.h"
#include "seal.h"
#include "util.h"
#include "wire.h"

VLOG_DEFINE_THIS_MODULE(outbox);

enum {
    /* Datagrams handed to the kernel with one sendmmsg(). */
    MAX_DATAGRAMS = 256,

    /* Bytes in a run: an IP packet's, without its headers. */
    MAX_RUN_BYTES = 65000,

    /* Room for sealed datagrams: little enough to stay in a cache. */
    SEALED_BYTES = 256 * 1024,
    MAX_SEALED = SEAL_OVERHEAD + FRAME_MAX
};
BUILD_ASSERT_DECL(MAX_SEALED <= (int) WIRE_MAX);

/* A datagram in the outbox. */
struct outgoing {
    struct peer *peer;
    size_t frame;        /* Index. */
    size_t frame_length; /* Bytes. */
    size_t length;       /* Of the datagram. */
};

/* Datagrams of one message. */
struct run {
    size_t first; /* Index. */
    size_t n;
};

/* Room for what tells the kernel how long the datagrams of a run are. */
union segment_control {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
};

struct outbox {
    int fd;
    bool makes_runs;

    /* The frames, and which of them were sent to anybody. */
    const struct frame *frames;
    bool relayed[OUTBOX_MAX_FRAMES];
    size_t n_relayed;
    size_t n_sent; /* Datagrams. */

    /* The datagrams. */
    size_t n;
    struct outgoing datagrams[MAX_DATAGRAMS];
    struct iovec iovs[MAX_DATAGRAMS][2]; /* Header and frame, or sealed. */
    uint8_t headers[MAX_DATAGRAMS][WIRE_HEADER_LEN];
    uint8_t *sealed; /* SEALED_BYTES, of which 'sealed_used' are used. */
    size_t sealed_used;

    /* The messages that they are sent in. */
    struct run runs[MAX_DATAGRAMS];
    struct mmsghdr msgs[MAX_DATAGRAMS];
    union segment_control controls[MAX_DATAGRAMS];
};

struct outbox *
outbox_create(int fd)
{
    struct outbox *o = xzalloc(sizeof *o);
    const int none = 0;

    o->fd = fd;
    o->sealed = xmalloc_cacheline(SEALED_BYTES);

    /* A kernel that does not know runs would send one as one datagram. */
    o->makes_runs =
        !setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof none);
    return o;
}

void
outbox_destroy(struct outbox *o)
{
    if (o) {
        free_cacheline(o->sealed);
        free(o);
    }
}

bool
outbox_makes_runs(const struct outbox *o)
{
    return o->makes_runs;
}

void
outbox_send_failed(const struct peer *peer, int error)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    char target[ENDPOINT_TEXT_SIZE];

    VLOG_WARN_RL(&rl, "peer %s: cannot send to %s: %s", peer->name,
                 endpoint_format(&peer->target, target), ovs_strerror(error));
}

/* Messages. */

/* Returns how many datagrams from 'first' on make one message. */
static size_t
run_length(const struct outbox *o, size_t first)
{
    const struct outgoing *d = &o->datagrams[first];
    size_t bytes = d->length;
    size_t n = 1;

    if (!o->makes_runs || d->length > d->peer->max_segment) {
        return 1;
    }
    while (first + n < o->n && n < OUTBOX_MAX_RUN && d[n].peer == d->peer
           && d[n].length <= d->length
           && bytes + d[n].length <= MAX_RUN_BYTES) {
        bytes += d[n++].length;
        if (d[n - 1].length < d->length) {
            break;
        }
    }
    return n;
}

/* Tells the kernel with 'control' to cut what 'msg' holds into datagrams of
 * 'length' bytes. */
static void
cut(struct msghdr *msg, union segment_control *control, uint16_t length)
{
    msg->msg_control = control;
    msg->msg_controllen = sizeof *control;

    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
    cmsg->cmsg_level = IPPROTO_UDP;
    cmsg->cmsg_type = UDP_SEGMENT;
    cmsg->cmsg_len = CMSG_LEN(sizeof length);
    memcpy(CMSG_DATA(cmsg), &length, sizeof length);
}

/* Makes messages of the datagrams from 'first' on, the first 'n_alone' of them
 * one each.  Returns the number of messages. */
static size_t
make_messages(struct outbox *o, size_t first, size_t n_alone)
{
    const size_t end_alone = first + n_alone;
    size_t n = 0;

    while (first < o->n) {
        struct peer *peer = o->datagrams[first].peer;
        struct msghdr *msg = &o->msgs[n].msg_hdr;
        struct run *run = &o->runs[n];

        run->first = first;
        run->n = first < end_alone ? 1 : run_length(o, first);
        *msg = (struct msghdr){
            .msg_name = &peer->ss,
            .msg_namelen = peer->ss_len,
            .msg_iov = o->iovs[first],
            .msg_iovlen = 2 * run->n,
        };
        if (run->n > 1) {
            cut(msg, &o->controls[n], o->datagrams[first].length);
        }
        first += run->n;
        n++;
    }
    return n;
}

/* Notes that the kernel took 'run'. */
static void
note_sent(struct outbox *o, const struct run *run)
{
    for (size_t i = run->first; i < run->first + run->n; i++) {
        const struct outgoing *d = &o->datagrams[i];

        d->peer->tx++;
        d->peer->tx_bytes += d->frame_length;
        o->n_sent++;
        if (!o->relayed[d->frame]) {
            o->relayed[d->frame] = true;
            o->n_relayed++;
        }
    }
}

/* Notes that the kernel did not take 'run' because of 'error'. */
static void
note_failed(const struct outbox *o, const struct run *run, int error)
{
    struct peer *peer = o->datagrams[run->first].peer;

    peer->tx_errors += run->n;
    outbox_send_failed(peer, error);
}

/* Takes in that the kernel refused 'run', of several datagrams, with 'error'.
 * They go alone now.  So do all that are as long, and go to the same peer, if
 * they are too long for the MTU, or all if nothing can be cut on the way
 * there. */
static void
note_refused(const struct outbox *o, const struct run *run, int error)
{
    const struct outgoing *d = &o->datagrams[run->first];

    if (error == EINVAL || error == EMSGSIZE) {
        d->peer->max_segment = d->length - 1;
    } else if (error == EIO || error == EOPNOTSUPP) {
        d->peer->max_segment = 0;
    }
}

/* Sends all datagrams.  One that the kernel refuses does not keep back the
 * others, unless it has no room for any. */
static void
send_all(struct outbox *o)
{
    size_t n_msgs = make_messages(o, 0, 0);
    bool full = false;

    for (size_t i = 0; i < n_msgs;) {
        int retval = full ? -1 : sendmmsg(o->fd, &o->msgs[i], n_msgs - i, 0);

        for (int j = 0; j < retval; j++) {
            note_sent(o, &o->runs[i++]);
        }
        if (retval < 0 && errno != EINTR) {
            const struct run run = o->runs[i];

            if (run.n > 1 && errno != EAGAIN) {
                note_refused(o, &run, errno);
                n_msgs = make_messages(o, run.first, run.n);
                i = 0;
            } else {
                full |= errno == EAGAIN || errno == ENOBUFS;
                note_failed(o, &o->runs[i++], errno);
            }
        }
    }
    o->n = 0;
    o->sealed_used = 0;
}

/* Datagrams. */

void
outbox_begin(struct outbox *o, const struct frame *frames)
{
    o->frames = frames;
    o->n_relayed = 0;
    o->n_sent = 0;
    memset(o->relayed, 0, sizeof o->relayed);
}

/* Points 'iov' to 'frame', sealed for 'peer'. */
static void
put_sealed(struct outbox *o, struct peer *peer, const struct frame *frame,
           struct iovec iov[2])
{
    uint8_t *datagram = o->sealed + o->sealed_used;

    iov[0].iov_base = datagram;
    iov[0].iov_len =
        seal(&peer->sealer, WIRE_TYPE_FRAME, peer->remote->next_seq++,
             frame->bytes, frame->length, datagram);
    iov[1].iov_len = 0;
    o->sealed_used += iov[0].iov_len;
}

/* Points 'iov' to 'frame', and to what goes in front of it to 'peer', for
 * which there is room at 'header'. */
static void
put_plain(const struct peers *peers, struct peer *peer,
          const struct frame *frame, uint8_t *header, struct iovec iov[2])
{
    if (peer->speaks_ours) {
        memcpy(header, peers->header, WIRE_HEADER_LEN);
        wire_set_seq(header, peer->remote->next_seq++);
        iov[0].iov_base = header;
        iov[0].iov_len = WIRE_HEADER_LEN;
    } else {
        iov[0].iov_base = CONST_CAST(char *, WIRE_SNOWSIGNAL_MAGIC);
        iov[0].iov_len = WIRE_SNOWSIGNAL_LEN;
    }
    iov[1].iov_base = frame->bytes;
    iov[1].iov_len = frame->length;
}

void
outbox_put(struct outbox *o, const struct peers *peers, struct peer *peer,
           size_t i)
{
    const struct frame *frame = &o->frames[i];
    struct iovec *iov = o->iovs[o->n];

    if (peers->sealed) {
        put_sealed(o, peer, frame, iov);
    } else {
        put_plain(peers, peer, frame, o->headers[o->n], iov);
    }
    o->datagrams[o->n++] = (struct outgoing){
        .peer = peer,
        .frame = i,
        .frame_length = frame->length,
        .length = iov[0].iov_len + iov[1].iov_len,
    };
    if (o->n == MAX_DATAGRAMS || o->sealed_used > SEALED_BYTES - MAX_SEALED) {
        send_all(o);
    }
}

size_t
outbox_end(struct outbox *o, size_t *n_relayed)
{
    send_all(o);
    *n_relayed = o->n_relayed;
    return o->n_sent;
}

bool
outbox_has_relayed(const struct outbox *o, size_t i)
{
    return o->relayed[i];
}
