/* SPDX-License-Identifier: Apache-2.0 */

/* The two ways of a frame. */

#include <config.h>
#include "relay.h"
#include "relay-private.h"

#include <string.h>

#include "channel.h"
#include "conf.h"
#include "counters.h"
#include "election.h"
#include "emit.h"
#include "filter.h"
#include "frame.h"
#include "loop-guard.h"
#include "mesh.h"
#include "openvswitch/util.h"
#include "outbox.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "punt.h"
#include "segment.h"
#include "subnets.h"
#include "tap.h"
#include "timeval.h"
#include "tunneling.h"
#include "util.h"
#include "wire.h"

enum {
    /* Frames handed to the mesh at a time. */
    FRAME_BATCH = 256,

    /* Reads from the switch, and from the mesh, in one run, so that under load
     * neither way starves the other. */
    READS_PER_RUN = 8
};

/* What becomes of a frame. */

/* Tells those who look on that the frame of 'event' is at 'point' now. */
static inline void
tell(struct relay *r, struct tap_event *event, enum tap_point point,
     long long int now)
{
    if (OVS_UNLIKELY(tap_is_on(&r->tap))) {
        event->point = point;
        tap_tell(&r->tap, event, now);
    }
}

/* Counts that the frame of 'event' is dropped for 'reason', an enum
 * drop_reason or an enum frame_verdict, and tells of it. */
static void
drop(struct relay *r, struct tap_event *event, int reason, long long int now)
{
    counters_drop(&r->counters, event->direction, reason, 1);
    event->reason = reason;
    tell(r, event, TAP_DROP, now);
}

/* Returns true if 'frame' is one of those that the configuration relays. */
static bool
is_wanted(const struct relay *r, const struct frame *frame, int *reason)
{
    const struct config *config = r->config;

    if (config->from.n
        && !subnets_contain_ipv4(&config->from, frame->ip_src)) {
        *reason = DROP_SOURCE;
        return false;
    }
    *reason = DROP_FILTER;
    return (!config->filter
            || filter_matches(config->filter, frame->bytes, frame->length));
}

/* Emitting. */

/* Returns true if 'bytes', a frame, has this relay's local MAC for its source:
 * it emitted the frame, and another relay of the segment sent it back. */
static bool
is_from_here(const struct relay *r, const uint8_t *bytes)
{
    return (!memcmp(bytes + ETH_ADDR_LEN, &r->local_mac, ETH_ADDR_LEN)
            && !peering_is_self(r->peering));
}

/* Judges the frame of 'length' bytes at 'bytes', which came from a peer at
 * 'now', in a format with numbers if 'numbered'.  Returns true and fills in
 * '*frame' if it is to be emitted, or false and stores why not in
 * '*reason'. */
static bool
judge_emission(struct relay *r, uint8_t *bytes, size_t length, bool numbered,
               long long int now, struct frame *frame, int *reason)
{
    enum frame_verdict verdict = frame_check(bytes, length, frame);

    if (verdict != FRAME_OK) {
        *reason = verdict;
    } else if (!relay_has_port(r->relayed_ports, frame->port)) {
        *reason = DROP_PORT;
    } else if (is_from_here(r, bytes)) {
        *reason = DROP_OWN;
    } else if (own_addresses_contain(&r->own_addresses, frame->ip_src)
               && !peering_is_self(r->peering)) {
        *reason = DROP_OWN_SOURCE;
    } else if (!is_wanted(r, frame, reason)) {
        return false;
    } else if (!relay_has_port(r->emitted_ports, frame->port)) {
        *reason = DROP_STANDBY;
    } else if (!emit_is_ready(r->emit)) {
        *reason = DROP_NO_SWITCH;
    } else if (loop_guard_emit(r->loop_guard, frame, numbered, now)
               && !peering_is_self(r->peering)) {
        *reason = DROP_LOOP;
    } else {
        return true;
    }
    return false;
}

/* Judges the frame of 'length' bytes at 'bytes', as judge_emission() does, and
 * puts it into the queue to the switch.  It came from 'from' in the mesh, NULL
 * if that is not known. */
static void
emit_frame(struct relay *r, uint8_t *bytes, size_t length,
           const struct endpoint *from, bool numbered, long long int now)
{
    struct tap_event event = {
        .direction = DIRECTION_MESH,
        .from = from,
        .bytes = bytes,
        .length = length,
        .is_frame = true,
    };
    struct frame frame;
    int reason;

    tell(r, &event, TAP_RECEIVE, now);
    if (!r->emits) {
        drop(r, &event, DROP_STANDBY, now);
        return;
    }
    if (!judge_emission(r, bytes, length, numbered, now, &frame, &reason)) {
        drop(r, &event, reason, now);
        return;
    }

    event.rewritten = destination_must_rewrite(&r->destination, frame.ip_dst);
    tell(r, &event, TAP_EMIT, now);
    counters_drop(
        &r->counters, DIRECTION_MESH, DROP_QUEUE_FULL,
        emit_put(r->emit, frame.bytes, frame.length, event.rewritten, now));
}

/* Takes the frame of 'punt', which came out of the tunnel from a peer. */
static void
take_tunnelled(struct relay *r, const struct punt *punt, long long int now)
{
    r->counters.mesh_rx++;
    emit_frame(r, punt->frame, punt->length, NULL, true, now);
}

/* Returns what 'frame' is, which was punted: one of 'all' or of some. */
static enum loop_verdict
judge_loop(struct relay *r, const struct frame *frame, bool all,
           long long int now)
{
    return (all ? loop_guard_punt : loop_guard_look)(
        r->loop_guard, frame,
        destination_is_understood(&r->destination, frame->ip_dst),
        own_addresses_are_next_to(&r->own_addresses, frame->ip_src), now);
}

/* Looks whether the frame of 'punt', which the switch has sent to all peers,
 * or has emitted, is one that goes round in a loop, or that the switch sends
 * on with half a checksum.  Then the relay has to see all of them. */
static void
watch(struct relay *r, const struct punt *punt, long long int now)
{
    const bool sent = punt->kind == PUNT_WATCH;
    struct tap_event event = {
        .direction = sent ? DIRECTION_PUNT : DIRECTION_MESH,
        .switched = true,
        .bytes = punt->frame,
        .length = punt->length,
        .is_frame = true,
    };
    struct frame frame;

    tell(r, &event, sent ? TAP_PUNT : TAP_RECEIVE, now);
    if (frame_check(punt->frame, punt->length, &frame) != FRAME_OK) {
        return;
    }

    enum loop_verdict verdict = LOOP_NEW;
    if (sent) {
        verdict = judge_loop(r, &frame, false, now);
    } else if (loop_guard_emit(r->loop_guard, &frame, true, now)) {
        verdict = LOOP_COPY;
    }
    if (verdict != LOOP_NEW || frame.completed) {
        relay_see_all(r, &frame, verdict, now);
    }
}

/* From the switch to the mesh. */

/* Frames to be sent to the same peers. */
struct batch {
    struct frame frames[FRAME_BATCH];
    size_t n;
    uint16_t generation; /* As their punts say it. */
};

/* Returns what there is to tell of 'frame', which was punted. */
static struct tap_event
event_of(const struct frame *frame)
{
    return (struct tap_event){
        .direction = DIRECTION_PUNT,
        .bytes = frame->bytes,
        .length = frame->length,
        .is_frame = true,
    };
}

/* Counts that the 'n' 'frames' are dropped because there is nobody to send
 * them to. */
static void
drop_all(struct relay *r, const struct frame *frames, size_t n,
         long long int now)
{
    for (size_t i = 0; i < n; i++) {
        struct tap_event event = event_of(&frames[i]);

        drop(r, &event, DROP_NO_PEER, now);
    }
}

/* Tells what became of the 'n' 'frames': they were sent to 'n_peers' peers, by
 * the switch if 'switched', as far as the kernel took them. */
static void
tell_sent(struct relay *r, const struct frame *frames, size_t n,
          size_t n_peers, bool switched, long long int now)
{
    if (!tap_is_on(&r->tap)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct tap_event event = event_of(&frames[i]);

        event.n_peers = n_peers;
        event.switched = switched;
        event.reason = DROP_SEND;
        tell(r, &event,
             switched || mesh_has_relayed(r->mesh, i) ? TAP_SEND : TAP_DROP,
             now);
    }
}

/* Sends the frames of 'batch' to those peers to whom the switch has not sent
 * them, and empties it. */
static void
send_frames(struct relay *r, struct batch *batch, long long int now)
{
    struct peers *peers = peering_peers(r->peering);
    struct peer **targets = peers->targets;
    size_t n_targets = peers->n_targets;
    const size_t n = batch->n;

    batch->n = 0;
    if (!n) {
        return;
    }
    if (batch->generation) {
        targets = r->others;
        n_targets = tunneling_others(peers, batch->generation, targets);
        if (peers->n_targets && !n_targets) {
            /* All have got them. */
            tell_sent(r, batch->frames, n, peers->n_targets, true, now);
            return;
        }
    }
    if (!n_targets || !r->mesh) {
        drop_all(r, batch->frames, n, now);
        return;
    }

    size_t n_relayed;
    r->counters.mesh_tx += mesh_send(r->mesh, batch->frames, n, peers, targets,
                                     n_targets, &n_relayed);
    r->counters.relayed += n_relayed;
    counters_drop(&r->counters, DIRECTION_PUNT, DROP_SEND, n - n_relayed);
    BUILD_ASSERT((int) FRAME_BATCH <= (int) OUTBOX_MAX_FRAMES);
    tell_sent(r, batch->frames, n, n_targets, false, now);
}

/* Judges the punted frame 'punt'.  Returns true and fills in '*frame' if it is
 * to be sent, or false and stores why not in '*reason'. */
static bool
judge_punt(struct relay *r, const struct punt *punt, struct frame *frame,
           int *reason, long long int now)
{
    *reason = frame_check(punt->frame, punt->length, frame);
    if (*reason != FRAME_OK) {
        return false;
    }
    if (!relay_has_port(r->relayed_ports, frame->port)) {
        *reason = DROP_PORT;
        return false;
    }
    if (!is_wanted(r, frame, reason)) {
        return false;
    }
    if (punt->kind != PUNT_OWN_HOST
        && !election_forwards_port(&r->segment.election, frame->port)) {
        *reason = DROP_STANDBY;
        return false;
    }

    enum loop_verdict verdict = judge_loop(r, frame, true, now);
    if (verdict != LOOP_NEW) {
        *reason = DROP_LOOP;
        if (r->tunneling.on && verdict == LOOP_COPY) {
            relay_see_all(r, frame, LOOP_COPY, now);
        }
        return false;
    }
    return true;
}

/* Puts the frame of 'punt' into 'batch' if it is to be sent. */
static void
put_punt(struct relay *r, const struct punt *punt, struct batch *batch,
         long long int now)
{
    struct tap_event event = {
        .direction = DIRECTION_PUNT,
        .bytes = punt->frame,
        .length = punt->length,
        .is_frame = true,
    };
    int reason;

    if (batch->n == FRAME_BATCH || punt->generation != batch->generation) {
        send_frames(r, batch, now);
        batch->generation = punt->generation;
    }
    struct frame *frame = &batch->frames[batch->n];

    r->counters.punted++;
    r->carried.n_punted += punt->generation != 0;
    tell(r, &event, TAP_PUNT, now);
    if (!judge_punt(r, punt, frame, &reason, now)) {
        drop(r, &event, reason, now);
        return;
    }
    batch->n++;
    if (frame->completed && r->tunneling.on) {
        relay_see_all(r, frame, LOOP_NEW, now);
    }
    r->n_too_long += frame->length > r->tunneling.max_len;
}

/* Takes the message 'oh' of the switch.  A frame in it that is to be sent goes
 * into 'batch'. */
static void
take_message(struct relay *r, struct ofp_header *oh, struct batch *batch,
             long long int now)
{
    struct punt punt;

    if (!punt_decode(oh, &punt)) {
        r->counters.punted++;
        counters_drop(&r->counters, DIRECTION_PUNT, DROP_FORMAT, 1);
        return;
    }
    switch (punt.kind) {
    case PUNT_BROADCAST:
    case PUNT_OWN_HOST: put_punt(r, &punt, batch, now); break;
    case PUNT_ANNOUNCEMENT:
        segment_take(&r->segment, punt.frame, punt.length, now);
        break;
    case PUNT_PROBE: relay_take_probe(r, &punt, now); break;
    case PUNT_TUNNEL: take_tunnelled(r, &punt, now); break;
    case PUNT_WATCH:
    case PUNT_WATCH_TUNNEL: watch(r, &punt, now); break;
    case PUNT_N_KINDS: OVS_NOT_REACHED();
    }
}

/* Returns the number of messages that came from the switch. */
static size_t
carry_punts(struct relay *r, long long int now)
{
    struct batch batch = { .n = 0 };
    size_t n_messages = 0;
    bool more = true;

    for (int i = 0; i < READS_PER_RUN && more; i++) {
        struct ofp_header *oh;

        if (!channel_read(r->channel, &more)) {
            break;
        }

        /* The frames lie in the channel's memory until the next read. */
        while ((oh = channel_next(r->channel)) != NULL) {
            n_messages++;
            take_message(r, oh, &batch, now);
        }
        send_frames(r, &batch, now);
    }
    return n_messages;
}

/* From the mesh to the switch. */

/* Returns true if a datagram that is dropped for 'reason' came from somebody
 * who may be anybody. */
static bool
is_strangers(int reason)
{
    switch (reason) {
    case DROP_UNKNOWN_SENDER:
    case DROP_UNSEALED:
    case DROP_SEALED:
    case DROP_SEAL:
    case DROP_REPLAY: return true;
    default: return false;
    }
}

/* Counts that the datagram 'd', which was decoded as 'wire', is dropped for
 * 'reason'. */
static void
drop_datagram(struct relay *r, const struct mesh_datagram *d,
              const struct wire *wire, int reason, long long int now)
{
    const bool is_frame =
        ((wire->kind == WIRE_FRAME || wire->kind == WIRE_SNOWSIGNAL)
         && !is_strangers(reason));
    struct tap_event event = {
        .direction = DIRECTION_MESH,
        .from = &d->from,
        .bytes = is_frame ? wire->body : d->bytes,
        .length = is_frame ? wire->length : d->length,
        .is_frame = is_frame,
    };

    if (is_frame) {
        tell(r, &event, TAP_RECEIVE, now);
    }
    drop(r, &event, reason, now);
}

/* Judges the datagram 'd', which came at 'now_us', and puts its frame, if it
 * holds one, into the queue to the switch. */
static void
take_datagram(struct relay *r, const struct mesh_datagram *d,
              long long int now_us)
{
    struct wire wire;
    int reason;

    wire_decode(d->bytes, d->length, &wire);
    switch (peering_take(r->peering, r->mesh, d, &wire, now_us, &reason)) {
    case PEERING_CONTROL: return;
    case PEERING_FRAME: r->counters.mesh_rx++; break;
    case PEERING_DROP:
        r->counters.mesh_rx++;
        drop_datagram(r, d, &wire, reason, now_us / 1000);
        return;
    }
    emit_frame(r, wire.body, wire.length, &d->from, wire.kind == WIRE_FRAME,
               now_us / 1000);
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

/* Works out which frames from the mesh are emitted.  Not as soon as another
 * relay says that it forwards: what came before that was dropped there. */
static void
update_emitted_ports(struct relay *r)
{
    const struct election *e = &r->segment.election;

    if (r->emitted_seqno == e->seqno) {
        return;
    }
    r->emitted_seqno = e->seqno;
    r->emits = false;
    memset(r->emitted_ports, 0, sizeof r->emitted_ports);
    for (size_t i = 0; i < r->config->n_ports; i++) {
        if (election_forwards_port(e, r->config->ports[i])) {
            relay_add_port(r->emitted_ports, r->config->ports[i]);
            r->emits = true;
        }
    }
}

bool
relay_carry(struct relay *r)
{
    const long long int now = relay_now_ms();

    election_wake(&r->segment.election, now);
    update_emitted_ports(r);
    bool busy = carry_punts(r, now) + carry_datagrams(r) > 0;
    update_emitted_ports(r);
    return busy;
}

void
relay_carry_wait(struct relay *r)
{
    channel_wait(r->channel, r->emit);
    if (r->mesh) {
        mesh_wait(r->mesh);
    }
}
