/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tunneling.h"

#include <limits.h>
#include <string.h>

#include "conf.h"
#include "frame.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peers.h"
#include "remotes.h"
#include "tunnel-probe.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tunneling);

void
tunneling_init(struct tunneling *t)
{
    memset(t, 0, sizeof *t);
}

void
tunneling_destroy(struct tunneling *t)
{
    free(t->targets);
    free(t->sources);
}

void
tunneling_configure(struct tunneling *t, const struct config *config)
{
    t->on = config->tunneled && config->n_ports;
    t->interval = config->hello_ms;
    if (t->on) {
        const struct in6_addr any = in6addr_any;

        t->tunnel = tunnel_of_mesh(
            config->tunnel_type, config->vni,
            endpoint_is_any(&config->mesh) ? &any : &config->mesh.address);
    }
}

void
tunneling_set_there(struct tunneling *t, bool there)
{
    t->there = there;
}

enum hello_tunnel_type
tunneling_offer(const struct tunneling *t)
{
    return (!t->on || !t->there              ? HELLO_NO_TUNNEL
            : t->tunnel.type == TUNNEL_VXLAN ? HELLO_VXLAN
                                             : HELLO_GENEVE);
}

bool
tunneling_fits(const struct tunneling *t, const struct peer *peer)
{
    const struct hello_tunnel *theirs = &peer->tunnel.theirs;

    return (peer_is_greeted(peer) && liveness_is_heard(&peer->liveness)
            && !peer_is_on_segment(peer)
            && !(peer->remote && peer->remote->superseded) && theirs->type
            && theirs->type == tunneling_offer(t)
            && theirs->vni == t->tunnel.key);
}

/* Returns true if there is a way through the tunnel to 'peer' that takes
 * probes.  Of several ways to a relay that is just the one that frames take:
 * what it says of the probes that come does not tell by which way they did. */
static bool
has_way(const struct tunneling *t, const struct peer *peer)
{
    return (tunneling_fits(t, peer) && peer->remote
            && peer->remote->peer == peer
            && peer->tunnel.probe_len >= TUNNEL_PROBE_MIN_LEN);
}

void
tunneling_set_length(const struct tunneling *t, struct peer *peer,
                     size_t length, long long int now)
{
    /* Those it has heard before count until it has missed as many, and that
     * has to be said. */
    const long long int proof = (LIVENESS_MAX_MISSED + 2LL) * t->interval;
    struct peer_tunnel *pt = &peer->tunnel;

    if (length != pt->probe_len) {
        pt->probe_len = length;
        pt->long_since = now;
    }
    if (length <= pt->max_len || !pt->theirs.hears
        || now - pt->long_since >= proof) {
        pt->max_len = length;
    }
}

/* Returns true if 'peer', which gets frames, is to get them through the
 * tunnel. */
static bool
is_target(const struct tunneling *t, const struct peer *peer)
{
    return (has_way(t, peer) && peer->tunnel.theirs.hears
            && peer->tunnel.max_len >= TUNNEL_PROBE_MIN_LEN);
}

/* Returns true if what comes out of the tunnel from 'peer' is to be let in. */
static bool
is_source(const struct tunneling *t, const struct peer *peer)
{
    return (tunneling_fits(t, peer)
            && !IN6_IS_ADDR_UNSPECIFIED(&peer->tunnel.source));
}

/* Makes the 'n' 'ends', which it takes over, '*allp' of '*np'.  Returns true
 * if they are others. */
static bool
replace(struct mesh_end *ends, size_t n, struct mesh_end **allp, size_t *np)
{
    bool changed = n != *np || (n && memcmp(ends, *allp, n * sizeof *ends));

    free(*allp);
    *allp = ends;
    *np = n;
    return changed;
}

/* Returns true if one of the 'n' 'ends' has 'address'. */
static bool
is_among(const struct in6_addr *address, const struct mesh_end *ends, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (IN6_ARE_ADDR_EQUAL(&ends[i].address, address)) {
            return true;
        }
    }
    return false;
}

static bool
update_targets(struct tunneling *t, const struct peers *peers)
{
    struct mesh_end *ends = xcalloc(peers->n_targets, sizeof *ends);
    size_t max_len = FRAME_MAX;
    size_t n = 0;

    for (size_t i = 0; i < peers->n_all; i++) {
        peers->all[i]->tunnel.chosen = false;
    }
    for (size_t i = 0; i < peers->n_targets && n < TUNNELING_MAX; i++) {
        struct peer *peer = peers->targets[i];

        if (is_target(t, peer)) {
            peer->tunnel.chosen = true;
            ends[n++] = (struct mesh_end){ peer->path, peer->target.address };
            max_len = MIN(max_len, peer->tunnel.max_len);
        }
    }

    bool changed = replace(ends, n, &t->targets, &t->n_targets);
    changed |= n && max_len != t->max_len;
    t->max_len = max_len;
    return changed;
}

/* Notes in all of 'peers' whether the switch sends to them from the present
 * generation on. */
static void
note_carried(const struct tunneling *t, const struct peers *peers)
{
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];
        const bool carried = peer->tunnel.chosen;

        if (carried != peer->tunnel.carried) {
            VLOG_INFO_RL(&peer->log, "peer %s: frames go to it by %s",
                         peer->name,
                         carried ? tunnel_type_name(t->tunnel.type) : "udp");
        }
        peer_tunnel_carry(&peer->tunnel, carried, t->generation);
    }
}

static bool
update_sources(struct tunneling *t, const struct peers *peers)
{
    struct mesh_end *ends = xcalloc(peers->n_all, sizeof *ends);
    size_t n = 0;

    for (size_t i = 0; i < peers->n_all; i++) {
        const struct peer_tunnel *pt = &peers->all[i]->tunnel;

        if (is_source(t, peers->all[i]) && !is_among(&pt->source, ends, n)) {
            ends[n++] = (struct mesh_end){ peers->all[i]->path, pt->source };
        }
    }
    return replace(ends, n, &t->sources, &t->n_sources);
}

bool
tunneling_update(struct tunneling *t, const struct peers *peers)
{
    bool changed = update_targets(t, peers);

    if (changed) {
        t->generation += t->generation == UINT16_MAX ? 2 : 1; /* Never 0. */
    }
    note_carried(t, peers);
    return changed | update_sources(t, peers);
}

void
tunneling_placing(const struct tunneling *t, const struct peers *peers)
{
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];

        peer->tunnel.placing = is_source(t, peer);
        peer->tunnel.accepted &= peer->tunnel.placing;
    }
}

void
tunneling_placed(const struct peers *peers)
{
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer_tunnel *pt = &peers->all[i]->tunnel;

        pt->accepted |= pt->placing;
    }
}

/* Returns until when the last probe of 'peer' counts, LLONG_MIN if there was
 * none. */
static long long int
heard_until(const struct peer *peer)
{
    const int64_t interval = peer->liveness.interval;

    return (peer->tunnel.heard == LLONG_MIN
                ? LLONG_MIN
                : peer->tunnel.heard + LIVENESS_MAX_MISSED * interval
                      + interval / 4);
}

bool
tunneling_hears(const struct tunneling *t, struct peer *peer,
                long long int now)
{
    bool hears = (tunneling_fits(t, peer) && peer->tunnel.accepted
                  && now < heard_until(peer));
    bool news = hears != peer->tunnel.hears;

    if (news && !hears && tunneling_fits(t, peer)) {
        VLOG_WARN_RL(&peer->log,
                     "peer %s: nothing comes out of the tunnel from it any "
                     "more",
                     peer->name);
    }
    peer->tunnel.hears = hears;
    return news;
}

struct peer *
tunneling_take_probe(const struct tunneling *t, const struct peers *peers,
                     uint64_t token, const struct in6_addr *source,
                     long long int now)
{
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];
        struct peer_tunnel *pt = &peer->tunnel;

        if (pt->token == token && tunneling_fits(t, peer)) {
            if (!IN6_ARE_ADDR_EQUAL(&pt->source, source)) {
                pt->source = *source;
                pt->placing = pt->accepted = false;
            }
            pt->heard = now;
            return peer;
        }
    }
    return NULL;
}

bool
tunneling_probes(const struct tunneling *t, const struct peer *peer,
                 long long int now)
{
    return has_way(t, peer) && now >= peer->tunnel.next_probe;
}

void
tunneling_probed(const struct tunneling *t, struct peer *peer, bool sent,
                 long long int now)
{
    struct peer_tunnel *pt = &peer->tunnel;

    if (!sent) {
        pt->next_probe = now + TUNNELING_AGAIN_MS;
        return;
    }
    bool quick = !pt->theirs.hears && pt->n_probes < TUNNELING_QUICK_PROBES;

    pt->n_probes = pt->theirs.hears ? 0 : pt->n_probes + quick;
    pt->next_probe =
        now + (quick ? MIN(TUNNELING_QUICK_MS, t->interval) : t->interval);
}

long long int
tunneling_deadline(const struct tunneling *t, const struct peers *peers)
{
    long long int deadline = LLONG_MAX;

    for (size_t i = 0; i < peers->n_all; i++) {
        const struct peer *peer = peers->all[i];

        if (has_way(t, peer)) {
            deadline = MIN(deadline, peer->tunnel.next_probe);
        }
        if (tunneling_fits(t, peer) && peer->tunnel.hears) {
            deadline = MIN(deadline, heard_until(peer));
        }
    }
    return deadline;
}

bool
tunneling_leaves_others(const struct peers *peers)
{
    for (size_t i = 0; i < peers->n_targets; i++) {
        if (!peers->targets[i]->tunnel.carried) {
            return true;
        }
    }
    return false;
}

size_t
tunneling_others(const struct peers *peers, uint16_t generation,
                 struct peer **others)
{
    size_t n = 0;

    for (size_t i = 0; i < peers->n_targets; i++) {
        struct peer *peer = peers->targets[i];

        if (!peer_tunnel_carried(&peer->tunnel, generation)) {
            others[n++] = peer;
        }
    }
    return n;
}
