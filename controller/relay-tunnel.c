/* SPDX-License-Identifier: Apache-2.0 */

/* The tunnel to the peers. */

#include <config.h>
#include "relay.h"
#include "relay-private.h"

#include <limits.h>
#include <string.h>

#include "bridge.h"
#include "channel.h"
#include "conf.h"
#include "election.h"
#include "emit.h"
#include "flow.h"
#include "frame.h"
#include "loop-guard.h"
#include "loop-guard.h"
#include "mesh-flows.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "path-mtu.h"
#include "peering.h"
#include "peers.h"
#include "ports.h"
#include "punt.h"
#include "timeval.h"
#include "tunnel-probe.h"
#include "tunneling.h"
#include "tunnels.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tunnel);

enum {
    /* How often what nobody reports, such as an MTU, is looked at. */
    LOOK_MS = 5000,

    /* How long a relay has to be the only one that forwards before its switch
     * carries frames by itself. */
    STEADY_MS = 500,

    /* How long the relay looks at each frame of a port after one that only it
     * could mend. */
    SEE_MS = 60000,

    /* Probes sent at a time; the others follow at once. */
    PROBE_BATCH = 16
};

void
relay_configure_tunnel(struct relay *r)
{
    struct tunneling *t = &r->tunneling;

    tunneling_configure(t, r->config);
    tunnels_set(r->tunnels, TUNNEL_MESH, &t->tunnel, t->on, false);
    if (t->on) {
        tunnel_port_name(&t->tunnel, r->tunnel_name);
    }
    r->tunnel_stale = true;
    memset(r->see_until, 0,
           sizeof r->see_until); /* The ports may be others. */
}

/* Takes in whether the switch has the tunnel port.  Returns true if that has
 * changed, or the port's number has. */
static bool
update_port(struct relay *r)
{
    struct tunneling *t = &r->tunneling;
    const struct ports *ports = bridge_ports(r->bridge);
    const struct port *port =
        t->on && ports && tunnels_is_present(r->tunnels, &t->tunnel)
            ? ports_find(ports, r->tunnel_name)
            : NULL;
    uint32_t number = port ? ofp_to_u16(port->number) : 0;
    bool changed = number != r->tunnel_port;

    r->tunnel_port = number;
    tunneling_set_there(t, number != 0);
    peering_set_tunnel(r->peering, tunneling_offer(t), t->tunnel.key);
    return changed;
}

/* Looks how long frames to the peers behind the tunnel may be: now and then,
 * and at once for those of whom it is not known yet. */
static void
update_mtus(struct relay *r, long long int now)
{
    const struct peers *peers = peering_peers(r->peering);
    const bool all = now >= r->next_look;

    if (all) {
        r->next_look = now + LOOK_MS;
    }
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];

        if ((all || !peer->tunnel.max_len)
            && tunneling_fits(&r->tunneling, peer)) {
            const struct in6_addr *address = &peer->target.address;
            size_t max_len = tunnel_max_len(address, path_mtu(address));

            tunneling_set_length(&r->tunneling, peer, MIN(max_len, FRAME_MAX),
                                 now);
        }
    }
}

/* Warns of peers that frames go to in the open although the mesh has a key. */
static void
warn_of_open_tunnels(struct relay *r)
{
    const struct peers *peers = peering_peers(r->peering);

    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];
        struct peer_tunnel *pt = &peer->tunnel;

        pt->is_protected =
            (pt->carried
             && tunnels_is_protected(r->tunnels, r->tunneling.tunnel.type,
                                     &peer->target.address));
        bool open = peers->sealed && pt->carried && !pt->is_protected;
        if (open && !pt->told_open) {
            VLOG_WARN_RL(
                &peer->log,
                "peer %s: mesh.key_file does not seal what goes to it "
                "by %s; see \"IPsec\" in docs/tunnels.md",
                peer->name, config_transport(r->config));
        }
        pt->told_open = open;
    }
}

/* Returns true if it is settled that this relay forwards, and its switch has
 * had the time to find the way to the peers. */
static bool
is_steady(const struct relay *r, long long int now)
{
    const struct election *e = &r->segment.election;

    if (r->leaving || now - r->opened < STEADY_MS) {
        return false;
    } else if (!e->on) {
        return true;
    } else if (election_state(e) != RELAY_FORWARDING
               || now - e->since < STEADY_MS) {
        return false;
    }
    for (size_t i = 0; i < e->candidates.n; i++) {
        enum relay_state state = e->candidates.all[i].said.state;

        if (state == RELAY_CLAIMING || state == RELAY_FORWARDING) {
            return false;
        }
    }
    return true;
}

bool
relay_carries(const struct relay *r, uint16_t port, long long int now)
{
    if (!r->steady || !r->tunneling.there || !r->settled
        || !election_forwards_port(&r->segment.election, port)) {
        return false;
    }
    for (size_t i = 0; i < r->config->n_ports; i++) {
        if (r->config->ports[i] == port && now < r->see_until[i]) {
            return false;
        }
    }
    return true;
}

/* Says why the relay has to see each frame like 'frame'. */
static void
tell_why(const struct frame *frame, enum loop_verdict verdict)
{
    if (verdict == LOOP_LAP) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_INFO_RL(&rl,
                     "port %u: broadcasts of " IP_FMT ", which is of another "
                     "network, come again and again; the relay carries the "
                     "port's frames itself for a while, should they go round",
                     frame->port, IP_ARGS(frame->ip_src));
    } else if (verdict == LOOP_NEW) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl,
                     "port %u: the card of " IP_FMT " was to complete its "
                     "checksums (ethtool -K ... tx off has the host do it); "
                     "the relay does, and carries the port's frames itself",
                     frame->port, IP_ARGS(frame->ip_src));
    } else {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl,
                     "port %u: a broadcast of " IP_FMT " has come back; the "
                     "relay carries the port's frames itself for a while",
                     frame->port, IP_ARGS(frame->ip_src));
    }
}

void
relay_see_all(struct relay *r, const struct frame *frame,
              enum loop_verdict verdict, long long int now)
{
    for (size_t i = 0; i < r->config->n_ports; i++) {
        if (r->config->ports[i] == frame->port) {
            if (now >= r->see_until[i]) {
                tell_why(frame, verdict);
            }
            r->see_until[i] = now + SEE_MS;
        }
    }
}

/* Returns true if something may have changed that the peers behind the tunnel
 * depend on, and takes note of it. */
static bool
has_news(struct relay *r, long long int now)
{
    const struct ports *ports = bridge_ports(r->bridge);
    const struct peers *peers = peering_peers(r->peering);
    bool news = (r->tunnel_stale || now >= r->next_look
                 || r->tunnels_seqno != tunnels_seqno(r->tunnels)
                 || (ports && r->ports_seqno != ports->seqno)
                 || r->peers_seqno != peers->seqno
                 || r->tunnel_seqno != peers->tunnel_seqno);

    r->tunnel_stale = false;
    r->tunnels_seqno = tunnels_seqno(r->tunnels);
    r->ports_seqno = ports ? ports->seqno : 0;
    r->peers_seqno = peers->seqno;
    r->tunnel_seqno = peers->tunnel_seqno;
    return news;
}

bool
relay_update_tunnel(struct relay *r, long long int now)
{
    const struct peers *peers = peering_peers(r->peering);
    const bool watches_all = tap_wants_all(&r->tap);
    bool changed = r->tunneling.there && watches_all != r->watches_all;

    r->watches_all = watches_all;
    if (bridge_is_in_place(r->bridge)) {
        tunneling_placed(peers);
    }
    if (has_news(r, now)) {
        changed |= update_port(r);
        update_mtus(r, now);
        changed |= tunneling_update(&r->tunneling, peers);
        warn_of_open_tunnels(r);
        if (r->n_others < peers->n_all) {
            r->n_others = peers->n_all;
            r->others = xrealloc(r->others, r->n_others * sizeof *r->others);
        }

        bool leaves = tunneling_leaves_others(peers);
        changed |= leaves != r->leaves_others;
        r->leaves_others = leaves;
    }
    r->steady = is_steady(r, now);
    return changed;
}

const struct mesh_tunnel *
relay_describe_tunnel(const struct relay *r, struct mesh_tunnel *mt)
{
    const struct tunneling *t = &r->tunneling;

    /* What the switch has stays until it is known what it is to have. */
    if (!t->there || !r->settled) {
        return NULL;
    }
    *mt = (struct mesh_tunnel){
        .port = r->tunnel_name,
        .port_map = &bridge_ports(r->bridge)->map,
        .targets = t->targets,
        .n_targets = t->n_targets,
        .sources = t->sources,
        .n_sources = t->n_sources,
        .max_len = t->max_len,
        .generation = t->generation,
        .others = r->leaves_others,
        .watch_all = r->watches_all,
        .destination = &r->destination,
        .own = &r->own_addresses,
    };
    return mt;
}

/* Appends a probe to 'peer' to 'messages'. */
static void
put_probe(const struct relay *r, const struct peer *peer,
          struct ofpbuf *messages)
{
    uint8_t frame[FRAME_MAX];
    const size_t length = peer->tunnel.probe_len;
    struct ofpbuf *msg;
    char *actions;

    tunnel_probe_encode(frame, length, r->local_mac,
                        peer->tunnel.theirs.token);
    char *error =
        mesh_probe_actions(&peer->target.address, r->tunnel_port, &actions);
    ovs_assert(!error);
    error = emit_encode(actions, frame, length, &msg);
    ovs_assert(!error);
    ofpbuf_put(messages, msg->data, msg->size);
    ofpbuf_delete(msg);
    free(actions);
}

void
relay_run_tunnel(struct relay *r, long long int now)
{
    const struct tunneling *t = &r->tunneling;
    const struct peers *peers = peering_peers(r->peering);
    struct ofpbuf *messages = NULL;
    struct peer *probed[PROBE_BATCH];
    size_t n = 0;

    if (!t->on) {
        return;
    }
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];

        if (tunneling_hears(t, peer, now)) {
            peering_tell(r->peering, peer);
        }
        if (n < PROBE_BATCH && tunneling_probes(t, peer, now)) {
            messages = messages ? messages : ofpbuf_new(0);
            put_probe(r, peer, messages);
            probed[n++] = peer;
        }
    }
    if (messages) {
        /* Something else may have been sent just now.  Where there is no
         * switch the next probe is soon enough. */
        bool sent = (channel_send(r->channel, messages)
                     || !channel_is_open(r->channel));

        for (size_t i = 0; i < n; i++) {
            tunneling_probed(t, probed[i], sent, now);
        }
    }
}

void
relay_probe_all(struct relay *r)
{
    const struct peers *peers = peering_peers(r->peering);

    for (size_t i = 0; i < peers->n_all; i++) {
        peers->all[i]->tunnel.next_probe = 0;
    }
}

void
relay_wait_tunnel(const struct relay *r)
{
    const struct election *e = &r->segment.election;

    if (!r->tunneling.on) {
        return;
    }
    poll_timer_wait_until(r->next_look);
    poll_timer_wait_until(
        tunneling_deadline(&r->tunneling, peering_peers(r->peering)));
    const long long int steady = MAX(e->since, r->opened) + STEADY_MS;
    if (!r->steady && election_state(e) == RELAY_FORWARDING
        && time_msec() < steady) {
        poll_timer_wait_until(steady);
    }
}

void
relay_take_probe(struct relay *r, const struct punt *punt, long long int now)
{
    struct peers *peers = peering_peers(r->peering);
    struct in6_addr source;
    uint64_t token;

    if (tunnel_probe_decode(punt->frame, punt->length, &token)
        && punt_tunnel_source(punt, &source)) {
        const struct peer *peer =
            tunneling_take_probe(&r->tunneling, peers, token, &source, now);

        if (peer && !peer->tunnel.accepted) {
            peers->tunnel_seqno++;
        }
    }
}
