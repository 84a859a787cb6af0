/* SPDX-License-Identifier: Apache-2.0 */

/* The two ways of a frame. */

#include <config.h>
#include "relay.h"
#include "relay-private.h"

#include "channel.h"
#include "emit.h"
#include "frame.h"
#include "mesh.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "punt.h"
#include "timeval.h"
#include "util.h"
#include "wire.h"

VLOG_DEFINE_THIS_MODULE(carry);

enum {
    /* Frames handed to the mesh at a time. */
    FRAME_BATCH = 256,

    /* Reads from the switch, and from the mesh, in one run, so that under load
     * neither way starves the other. */
    READS_PER_RUN = 8
};

/* From the switch to the mesh. */

static bool
is_relayed_port(const struct relay *r, uint16_t port)
{
    return r->relayed_port[port / 64] >> port % 64 & 1;
}

/* Sends 'frames' to all peers. */
static void
send_frames(struct relay *r, const struct frame *frames, size_t n)
{
    if (!n) {
        return;
    }
    struct peers *peers = peering_peers(r->peering);
    if (!peers->n_targets || !r->mesh) {
        counters_drop(&r->counters, DIRECTION_PUNT, DROP_NO_PEER, n);
        return;
    }

    size_t n_relayed;
    r->counters.mesh_tx += mesh_send(r->mesh, frames, n, peers, &n_relayed);
    r->counters.relayed += n_relayed;
    counters_drop(&r->counters, DIRECTION_PUNT, DROP_SEND, n - n_relayed);
}

/* Looks for a punted frame in 'oh', and checks it.  Returns true and fills in
 * '*frame' if it is to be sent. */
static bool
take_message(struct relay *r, struct ofp_header *oh, struct frame *frame)
{
    struct punt punt;

    r->counters.punted++;
    if (!punt_decode(oh, &punt)) {
        counters_drop(&r->counters, DIRECTION_PUNT, DROP_FORMAT, 1);
        return false;
    }

    enum frame_verdict verdict = frame_check(punt.frame, punt.length, frame);
    if (verdict != FRAME_OK) {
        counters_drop(&r->counters, DIRECTION_PUNT, verdict, 1);
        VLOG_DBG("punt on port %u dropped: %s", punt.port,
                 frame_verdict_name(verdict));
        return false;
    }
    if (!is_relayed_port(r, frame->port)) {
        counters_drop(&r->counters, DIRECTION_PUNT, DROP_PORT, 1);
        return false;
    }
    VLOG_DBG("punt from " IP_FMT " to " IP_FMT ":%u, %" PRIuSIZE " bytes: to "
             "%" PRIuSIZE " peers",
             IP_ARGS(frame->ip_src), IP_ARGS(frame->ip_dst), frame->port,
             frame->length, peering_peers(r->peering)->n_targets);
    return true;
}

/* Returns the number of messages that came from the switch. */
static size_t
carry_punts(struct relay *r)
{
    struct frame frames[FRAME_BATCH];
    size_t n_messages = 0;
    bool more = true;

    for (int i = 0; i < READS_PER_RUN && more; i++) {
        struct ofp_header *oh;
        size_t n = 0;

        if (!channel_read(r->channel, &more)) {
            break;
        }

        /* The frames lie in the channel's memory until the next read. */
        while ((oh = channel_next(r->channel)) != NULL) {
            n_messages++;
            if (take_message(r, oh, &frames[n]) && ++n == FRAME_BATCH) {
                send_frames(r, frames, n);
                n = 0;
            }
        }
        send_frames(r, frames, n);
    }
    return n_messages;
}

/* From the mesh to the switch. */

/* Judges the datagram 'd', which came at 'now_us', and puts its frame, if it
 * holds one, into the queue to the switch. */
static void
take_datagram(struct relay *r, const struct mesh_datagram *d,
              long long int now_us)
{
    struct frame frame;
    struct wire wire;
    int reason;

    wire_decode(d->bytes, d->length, &wire);
    switch (peering_take(r->peering, r->mesh, d, &wire, now_us, &reason)) {
    case PEERING_CONTROL: return;
    case PEERING_FRAME: r->counters.mesh_rx++; break;
    case PEERING_DROP:
        r->counters.mesh_rx++;
        counters_drop(&r->counters, DIRECTION_MESH, reason, 1);
        return;
    }

    enum frame_verdict verdict = frame_check(wire.body, wire.length, &frame);
    if (verdict != FRAME_OK) {
        counters_drop(&r->counters, DIRECTION_MESH, verdict, 1);
        return;
    }
    if (!is_relayed_port(r, frame.port)) {
        counters_drop(&r->counters, DIRECTION_MESH, DROP_PORT, 1);
        return;
    }
    if (!emit_is_ready(r->emit)) {
        counters_drop(&r->counters, DIRECTION_MESH, DROP_NO_SWITCH, 1);
        return;
    }

    bool rewrite = destination_must_rewrite(&r->destination, frame.ip_dst);
    VLOG_DBG("mesh frame from " IP_FMT " to " IP_FMT ":%u, %" PRIuSIZE
             " bytes: "
             "emitted%s",
             IP_ARGS(frame.ip_src), IP_ARGS(frame.ip_dst), frame.port,
             frame.length, rewrite ? ", destination rewritten" : "");
    counters_drop(
        &r->counters, DIRECTION_MESH, DROP_QUEUE_FULL,
        emit_put(r->emit, frame.bytes, frame.length, rewrite, now_us / 1000));
}

/* Hands the queue to the switch as far as it takes it. */
static void
write_emissions(struct relay *r)
{
    counters_drop(&r->counters, DIRECTION_MESH, DROP_STALE,
                  emit_drop_stale(r->emit, time_msec()));
    r->counters.emitted += channel_write(r->channel, r->emit);
}

/* Returns the number of datagrams that came from the mesh. */
static size_t
carry_datagrams(struct relay *r)
{
    size_t n_datagrams = 0;

    if (!r->mesh) {
        /* There may be control messages for the switch. */
        write_emissions(r);
        return 0;
    }
    for (int i = 0; i < READS_PER_RUN; i++) {
        struct mesh_datagram *datagrams;
        size_t n = mesh_receive(r->mesh, &datagrams);

        n_datagrams += n;
        long long int now = relay_now_us();
        for (size_t j = 0; j < n; j++) {
            take_datagram(r, &datagrams[j], now);
        }
        write_emissions(r);
        if (n < MESH_BATCH) {
            break;
        }
    }
    return n_datagrams;
}

bool
relay_carry(struct relay *r)
{
    return carry_punts(r) + carry_datagrams(r) > 0;
}
