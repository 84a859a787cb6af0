/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peering.h"
#include "peering-private.h"

#include <inttypes.h>

#include "greeting.h"
#include "hello.h"
#include "mesh.h"
#include "openvswitch/token-bucket.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"
#include "wire.h"

VLOG_DEFINE_THIS_MODULE(hear);

enum {
    /* At most so many answers to hellos of a peer in so many ms. */
    MAX_ANSWERS = 16,
    ANSWERS_MS = 500,

    /* How old what a hello echoes may be if it is to prove that its sender is
     * there now. */
    MAX_PROOF_AGE_MS = 10000
};
BUILD_ASSERT_DECL((int) MAX_PROOF_AGE_MS < (int) STREAMS_MIN_IDLE_MS);

/* Hellos. */

/* Takes in who 'peer' is: 'remote', or NULL if it cannot be known. */
static void
take_remote(struct peering *p, struct peer *peer, struct remote *remote,
            long long int now)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 20);
    char target[ENDPOINT_TEXT_SIZE];

    if (peer->remote == remote) {
        return;
    }
    if (peer->remote && remote) {
        VLOG_INFO_RL(&rl, "peer %s: %s is another relay now, %016" PRIx64,
                     peer->name, endpoint_format(&peer->target, target),
                     remote->id);

        /* If it is the same one under another id it goes on from where it
         * was. */
        remote->next_seq = MAX(remote->next_seq, peer->remote->next_seq);

        /* What is sealed for one relay must not be of a stream that another
         * one has accepted.  The new one is to hear of its own at once. */
        if (p->peers.sealed) {
            peers_renumber(&p->peers, peer);
            greeting_set_key(&p->self, peer);
            peer->liveness.next_hello = MIN(peer->liveness.next_hello, now);
        }
    }
    peer_set_remote(peer, remote);
    peers_choose_targets(&p->peers);
    peer_macs_note(&p->macs, now);
}

/* Returns true if a datagram that came from 'remote' in 'session' is of its
 * present one. */
static bool
take_session(struct remote *remote, uint64_t session, long long int now)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
    const uint64_t before = remote->session;

    if (remote_take_session(remote, session, now)) {
        if (before != session && remote->peer) {
            VLOG_INFO_RL(&remote->peer->log,
                         "peer %s: relay %016" PRIx64 " has started anew",
                         remote->peer->name, remote->id);
            remote->peer->up_since = time_wall_msec();
        }
        return true;
    }
    if (now - remote->started > REMOTES_MAX_LATE_MS) {
        VLOG_WARN_RL(&rl,
                     "two relays have the id %016" PRIx64
                     "; give one of them another mesh.relay_id",
                     remote->id);
    }
    return false;
}

/* Returns true if the hello 'h' shows that its sender has heard us just now:
 * nobody can have recorded it long ago. */
static bool
is_proof(const struct peering *p, const struct hello *h, long long int now_us)
{
    return (h->echo_session == p->self.session
            && h->echo_timestamp <= (uint64_t) now_us
            && now_us - (int64_t) h->echo_timestamp
                   <= MAX_PROOF_AGE_MS * 1000LL);
}

/* Returns true if the hello 'h' in 'w' from 'remote', which was sealed, may be
 * of a session that has ended: one that has begun since has heard more of us
 * than the one before. */
static bool
is_outdated(const struct peering *p, struct remote *remote,
            const struct hello *h, const struct wire *w, long long int now_us)
{
    if (is_proof(p, h, now_us) && h->echo_timestamp > remote->proved) {
        remote->proved = h->echo_timestamp;
        return false;
    }
    return w->session != remote->session;
}

/* Returns the remote that sent the hello 'h' in 'w', NULL if it cannot be
 * listened to. */
static struct remote *
find_remote(struct peering *p, const struct hello *h, const struct wire *w,
            long long int now_us)
{
    const long long int now = now_us / 1000;
    struct remote *remote =
        remotes_get(&p->remotes, w->relay_id, w->session, now);

    if (!remote || (wire_was_sealed(w) && is_outdated(p, remote, h, w, now_us))
        || !take_session(remote, w->session, now)) {
        return NULL;
    }
    remote->heard = now;
    remote->key_id = w->key_id;
    if (h->answer) {
        window_skip(&remote->window, w->seq);
    } else {
        window_expect(&remote->window, w->seq);
    }
    if (remote->greeted != w->session) {
        remote->greeted = w->session;
        peering_recall(p);
    }
    return remote;
}

/* Returns the peer that the hello 'h' is from, which came from an address of
 * 'peer', or of nobody if that is NULL.  What it echoes tells better than the
 * address which of the ways to a relay this is. */
static struct peer *
find_greeter(const struct peering *p, struct peer *peer, const struct hello *h)
{
    if (h->echo_session == p->self.session) {
        struct peer *echoed = peers_by_path(&p->peers, h->echo_path);

        if (echoed && peer_is_greeted(echoed)) {
            return echoed;
        }
    }
    return peer;
}

/* Returns true if the hello 'h' from 'peer', in 'w', came by another way than
 * those that are echoed: its sender knows this relay by several addresses. */
static bool
is_elsewhere(const struct peer *peer, const struct hello *h,
             const struct wire *w, long long int now_us)
{
    const struct peer_echo *echo = &peer->echo;

    /* One that asks has not heard of us: there is nothing else to echo. */
    return (!h->answer && peer->has_echo && echo->session == w->session
            && echo->path != h->path
            && (now_us - echo->arrived) / 1000
                   < LIVENESS_MAX_MISSED * (int64_t) h->interval);
}

/* Returns true if a hello of 'peer' may be answered, so that who asks without
 * end gets an end. */
static bool
may_answer(const struct peering *p, struct peer *peer, long long int now)
{
    if (now - peer->answers_since >= ANSWERS_MS) {
        peer->answers_since = now;
        peer->n_answers = 0;
    }
    return !p->left && peer->n_answers++ < MAX_ANSWERS;
}

/* Answers the hello 'h' from 'peer', in 'w', if it needs an answer at once. */
static void
answer_hello(struct peering *p, struct mesh *mesh, struct peer *peer,
             const struct hello *h, const struct wire *w, bool elsewhere,
             long long int now_us)
{
    if ((h->answer || (elsewhere && !h->answers))
        && may_answer(p, peer, now_us / 1000)) {
        if (elsewhere) {
            greeting_answer(&p->self, mesh, peer, h, w, p->remotes.first_seq,
                            false, now_us);
        } else {
            greeting_reply(&p->self, mesh, peer, w, now_us);
        }
        mesh_flush(mesh);
    }
}

/* Sealed hellos. */

/* Answers the hello 'h' in 'w', which came from 'from', where no peer is.  Its
 * sender has the key, and knows this relay for a peer.  'remote' is who it is,
 * or NULL if it has yet to prove itself. */
static void
answer_stranger(struct peering *p, struct mesh *mesh,
                const struct endpoint *from, const struct remote *remote,
                const struct hello *h, const struct wire *w,
                long long int now_us)
{
    if (!p->left
        && (remote
                ? !h->answers || h->answer
                : token_bucket_withdraw(&p->answers, PEERING_ANSWER_TOKENS))) {
        greeting_answer_stranger(&p->self, mesh, from, &p->stranger, remote, h,
                                 w, p->remotes.first_seq, !remote, now_us);
    }
}

/* Judges the hello 'h' in 'w', which was sealed and is of a stream that is not
 * accepted.  Returns true if the stream is now.  Otherwise asks its sender,
 * 'peer' or, if that is NULL, whoever is at 'from', to prove itself, and notes
 * nothing. */
static bool
accept_stream(struct peering *p, struct mesh *mesh, struct peer *peer,
              const struct endpoint *from, const struct hello *h,
              struct wire *w, long long int now_us)
{
    if (is_proof(p, h, now_us)) {
        return streams_accept(&p->streams, w, now_us / 1000);
    }
    if (!peer || !peer_is_greeted(peer)) {
        answer_stranger(p, mesh, from, NULL, h, w, now_us);
    } else if (may_answer(p, peer, now_us / 1000)) {
        greeting_answer(&p->self, mesh, peer, h, w, p->remotes.first_seq, true,
                        now_us);
        mesh_flush(mesh);
    }
    return false;
}

/* Returns true if the hello 'h' in 'w' asks for a proof: it answers one of
 * ours that anybody may have recorded, and brought to whom he liked. */
static bool
is_challenge(const struct hello *h, const struct wire *w)
{
    return wire_was_sealed(w) && h->answers && h->answer;
}

/* Returns true if a challenge from 'remote', which seems to be from 'peer', is
 * the answer to what another relay was to get. */
static bool
is_misled(const struct peer *peer, const struct remote *remote)
{
    return (peer->remote && peer->remote != remote
            && (liveness_is_heard(&peer->liveness) || remote->peer));
}

/* Returns true if a challenge from 'remote' tells nothing new of 'peer'. */
static bool
tells_nothing(const struct peer *peer, const struct remote *remote)
{
    return (liveness_is_heard(&peer->liveness)
            || (remote->peer && remote->peer != peer));
}

/* Deals with the challenge 'h' in 'w' from 'remote', which seems to be from
 * 'peer', as far as nothing is to be taken from it.  Returns false if it is to
 * be taken for any other hello. */
static bool
settle_challenge(struct peering *p, struct mesh *mesh, struct peer *peer,
                 const struct remote *remote, const struct hello *h,
                 const struct wire *w, long long int now_us)
{
    if (is_misled(peer, remote)) {
        return true;
    } else if (tells_nothing(peer, remote)) {
        answer_hello(p, mesh, peer, h, w, true, now_us);
        return true;
    }
    return false;
}

/* Takes in the hello 'w', which came from 'from', an address of 'peer', or of
 * a sender that is accepted if that is NULL. */
static bool
take_hello(struct peering *p, struct mesh *mesh, struct peer *peer,
           const struct endpoint *from, struct wire *w, long long int now_us)
{
    const long long int now = now_us / 1000;
    struct hello h;

    if (!hello_decode(w->body, w->length, &h)) {
        return false;
    } else if (!self_is_known(&p->self)) {
        return true; /* It will say hello again. */
    }
    if (wire_was_sealed(w) && !w->stream
        && !accept_stream(p, mesh, peer, from, &h, w, now_us)) {
        return true;
    }

    if (h.answers && h.echo_session != p->self.session) {
        return true; /* Somebody else asked, in our name. */
    }

    struct remote *remote = find_remote(p, &h, w, now_us);
    if (!remote) {
        return true;
    }
    peer = find_greeter(p, peer, &h);
    if (!peer || !peer_is_greeted(peer)) {
        if (remote->peer) {
            answer_hello(p, mesh, remote->peer, &h, w, true, now_us);
        } else if (wire_was_sealed(w)) {
            answer_stranger(p, mesh, from, remote, &h, w, now_us);
        }
        return true;
    }

    if (is_challenge(&h, w)
        && settle_challenge(p, mesh, peer, remote, &h, w, now_us)) {
        return true;
    }

    uint8_t version = remote->version;
    bool elsewhere = is_elsewhere(peer, &h, w, now_us);
    const enum relay_state role = remote->role;
    const bool superseded = remote->superseded;
    if (remote_take_hello(remote, &h)) {
        peer_macs_note(&p->macs, now);
    }
    if (superseded
        || (role != RELAY_FORWARDING && remote->role == RELAY_FORWARDING
            && remotes_supersede(&p->remotes, remote))) {
        p->peers.tunnel_seqno++;
    }
    if (!elsewhere && peer_tunnel_take_hello(&peer->tunnel, &h)) {
        p->peers.tunnel_seqno++;
    }
    take_remote(p, peer, remote, now);
    if (greeting_take(&p->self, peer, &h, w, elsewhere, now_us)) {
        peering_state_changed(p, peer);
    }
    peering_check_in_time(p, peer);
    if (version != remote->version) {
        peers_choose_targets(&p->peers);
    }
    answer_hello(p, mesh, peer, &h, w, elsewhere, now_us);
    return true;
}

/* Takes in that the relay that sent 'w' leaves, by whatever address it is
 * known or sends from. */
static void
take_bye(struct peering *p, const struct wire *w, long long int now)
{
    for (size_t i = 0; i < p->peers.n_all; i++) {
        struct peer *peer = p->peers.all[i];

        if (peer->remote && peer->remote->id == w->relay_id
            && peer->remote->session == w->session
            && liveness_bye(&peer->liveness, now)) {
            peering_forget_macs(p, w->relay_id);
            peering_state_changed(p, peer);
        }
    }
}

/* Judging datagrams. */

/* Notes that a datagram with this relay's own id has come. */
static void
hear_self(struct peering *p, const struct mesh_datagram *d,
          const struct wire *w, long long int now)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
    char from[INET6_ADDRSTRLEN];
    struct hello h;

    if (w->session != p->self.session) {
        VLOG_WARN_RL(&rl,
                     "the relay at %s has this relay's id %016" PRIx64
                     "; give one of them another mesh.relay_id",
                     address_format(&d->from.address, from), p->self.id);
    } else if (w->kind == WIRE_HELLO && hello_decode(w->body, w->length, &h)) {
        struct peer *peer = peers_by_path(&p->peers, h.path);

        /* Where another relay has answered it is the network that has sent
         * the hello back.  In a sealed mesh it may always be somebody who
         * wants a peer set aside, and one that does not answer gets nothing
         * anyway. */
        if (peer && peer_is_greeted(peer) && !peer->remote
            && !p->peers.sealed) {
            peer_set_self(&p->peers, peer, now);
            peers_choose_targets(&p->peers);
            peer_macs_note(&p->macs, now);
            p->next_update = now; /* Some are no peers at all then. */
        }
    }
}

/* Says why 'd' is dropped, now and then.  Returns 'why', a drop reason. */
static int
refuse(const struct mesh_datagram *d, int why)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    char from[INET6_ADDRSTRLEN];

    VLOG_WARN_RL(
        &rl, "datagram from %s dropped: %s",
        address_format(&d->from.address, from),
        why == DROP_UNKNOWN_SENDER
            ? "no peer has this address, nor does mesh.accept"
        : why == DROP_UNSEALED ? "it is not sealed, and mesh.key_file is set"
        : why == DROP_SEALED   ? "it is sealed, and mesh.key_file is not set"
        : why == DROP_SEAL ? "its seal fits none of our keys, or was forged"
                           : "it was recorded and sent again, or overtaken");
    return why;
}

/* Counts the frame 'w' for 'peer', if that is not NULL. */
static void
count_frame(struct peer *peer, const struct wire *w)
{
    if (peer) {
        peer->rx++;
        peer->rx_bytes += w->length;
    }
}

/* Returns FRAME_OK, or DROP_RATE if 'peer', or those that are accepted and no
 * peers if that is NULL, have sent more frames than they may. */
static int
limit_rate(struct peering *p, struct peer *peer)
{
    if (token_bucket_withdraw(peer ? &peer->bucket : &p->accepted,
                              PEERING_FRAME_TOKENS)) {
        return FRAME_OK;
    }
    if (peer) {
        peer->rx_limited++;
    }
    return DROP_RATE;
}

/* Takes in the frame 'w' in our own format from an address of 'peer', or of
 * nobody if that is NULL.  Returns why it is to be dropped, or FRAME_OK. */
static int
take_frame(struct peering *p, struct peer *peer, const struct wire *w,
           long long int now)
{
    struct remote *remote =
        remotes_get(&p->remotes, w->relay_id, w->session, now);

    /* The id tells better than the address whose it is. */
    if (remote && remote->peer && (!peer || peer->remote != remote)) {
        peer = remote->peer;
    }
    count_frame(peer, w);
    if (!remote || (wire_was_sealed(w) && w->session != remote->session)
        || !take_session(remote, w->session, now)
        || window_take(&remote->window, w->seq) != WINDOW_NEW) {
        return DROP_DUPLICATE;
    }
    if (peer && peer->remote == remote) {
        liveness_frame(&peer->liveness, now);
    }
    return remote->on_segment ? DROP_SEGMENT : limit_rate(p, peer);
}

/* Returns the verdict on a frame that is to be dropped for 'why', unless that
 * is FRAME_OK, and then stores 'why' in '*reason'. */
static enum peering_verdict
pass(int why, int *reason)
{
    if (why == FRAME_OK) {
        return PEERING_FRAME;
    }
    *reason = why;
    return PEERING_DROP;
}

/* Judges who sent 'd', taken apart in 'w', which is opened if it is sealed,
 * and stores the peer, or NULL for one that is accepted, in '*peer'.  Returns
 * FRAME_OK, or the reason why it is to be dropped. */
static int
judge_sender(struct peering *p, const struct mesh_datagram *d, struct wire *w,
             long long int now, struct peer **peer)
{
    if (p->peers.sealed) {
        /* The key tells who belongs to the mesh; the address, by which of its
         * ways it comes. */
        if (w->kind != WIRE_SEALED) {
            return refuse(d, DROP_UNSEALED);
        } else if (d->truncated) {
            return FRAME_OVERSIZE;
        }
        int why = streams_open(&p->streams, w, now);
        if (why == DROP_SEAL || why == DROP_REPLAY) {
            refuse(d, why);
        }
        peers_identify(&p->peers, &d->from, peer);
        return why;
    }

    /* One with our own id is told from others below. */
    if (peers_identify(&p->peers, &d->from, peer) == ORIGIN_UNKNOWN
        && (w->kind < WIRE_FRAME || w->relay_id != p->self.id)) {
        return refuse(d, DROP_UNKNOWN_SENDER);
    }
    return (d->truncated             ? (int) FRAME_OVERSIZE
            : w->kind == WIRE_SEALED ? refuse(d, DROP_SEALED)
                                     : (int) FRAME_OK);
}

enum peering_verdict
peering_take(struct peering *p, struct mesh *mesh,
             const struct mesh_datagram *d, struct wire *w,
             long long int now_us, int *reason)
{
    const long long int now = now_us / 1000;
    struct peer *peer;

    int why = judge_sender(p, d, w, now, &peer);
    if (why != FRAME_OK) {
        *reason = why;
        return PEERING_DROP;
    }
    if (w->kind >= WIRE_FRAME && w->relay_id == p->self.id) {
        hear_self(p, d, w, now);
        *reason = DROP_OWN;
        return PEERING_DROP;
    }

    switch (w->kind) {
    case WIRE_MALFORMED:
    case WIRE_SEALED:
    case WIRE_OTHER: *reason = DROP_FORMAT; return PEERING_DROP;

    case WIRE_NEWER: *reason = DROP_VERSION; return PEERING_DROP;

    case WIRE_SNOWSIGNAL:
        count_frame(peer, w);
        if (peer && peer_is_greeted(peer)
            && liveness_snowsignal(&peer->liveness, now)) {
            take_remote(p, peer, NULL, now);
            peering_state_changed(p, peer);
        }
        return pass(peer && peer_is_on_segment(peer) ? (int) DROP_SEGMENT
                                                     : limit_rate(p, peer),
                    reason);

    case WIRE_FRAME: return pass(take_frame(p, peer, w, now), reason);

    case WIRE_HELLO:
        if (!take_hello(p, mesh, peer, &d->from, w, now_us)) {
            *reason = DROP_FORMAT;
            return PEERING_DROP;
        }
        return PEERING_CONTROL;

    case WIRE_BYE: take_bye(p, w, now); return PEERING_CONTROL;
    }
    OVS_NOT_REACHED();
}
