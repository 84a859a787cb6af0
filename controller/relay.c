/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "relay.h"
#include "relay-private.h"

#include <limits.h>
#include <string.h>

#include "bridge.h"
#include "channel.h"
#include "conf.h"
#include "destination.h"
#include "election.h"
#include "emit.h"
#include "flowset.h"
#include "host.h"
#include "loop-guard.h"
#include "mesh.h"
#include "onlink.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "relay-flows.h"
#include "resolver.h"
#include "segment.h"
#include "sset.h"
#include "tunneling.h"
#include "tunnels.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(relay);

/* How long the switch may take to have a MAC in its loop filter. */
enum { LOOP_FILTER_MS = 200 };

/* Working out what the others must know. */

/* Works out the local MAC.  Returns true if it changed. */
static bool
update_local_mac(struct relay *r)
{
    struct eth_addr mac = r->config->local_mac;
    bool known =
        (!r->config->local_mac_auto || bridge_get_mac(r->bridge, &mac));

    if (!known || (r->local_mac_known && eth_addr_equals(mac, r->local_mac))) {
        return false;
    }
    r->local_mac = mac;
    r->local_mac_known = true;
    VLOG_INFO("local MAC is " ETH_ADDR_FMT, ETH_ADDR_ARGS(mac));
    return true;
}

/* Works out the IP destination of frames whose own means nothing on the
 * segment.  Returns true if it changed. */
static bool
update_destination(struct relay *r)
{
    size_t n;
    const struct host_address *addresses = host_addresses(r->host, &n);

    return destination_update(&r->destination, r->config->destination,
                              r->config->bridge, addresses, n);
}

/* Works out which addresses nothing from elsewhere may have.  Returns true if
 * that changed. */
static bool
update_own_addresses(struct relay *r)
{
    size_t n;
    const struct host_address *addresses = host_addresses(r->host, &n);

    return own_addresses_update(&r->own_addresses, r->config->bridge,
                                addresses, n);
}

/* Configuration. */

void
relay_configure(struct relay *r, const struct config *config)
{
    r->config = config;
    r->reconfigured = true;

    tap_configure(&r->tap, config);
    peering_configure(r->peering, config);
    relay_configure_tunnel(r);
    segment_configure(&r->segment, config, relay_now_ms());
    loop_guard_configure(r->loop_guard, config->ports, config->n_ports,
                         config->announce_ms + LOOP_FILTER_MS);
    memset(r->relayed_ports, 0, sizeof r->relayed_ports);
    for (size_t i = 0; i < config->n_ports; i++) {
        relay_add_port(r->relayed_ports, config->ports[i]);
    }
}

void
relay_add_names(const struct relay *r, struct sset *names)
{
    peering_add_names(r->peering, names);
}

/* Adds 'mac', on the broadcast ports in 'ports', to the 'n' in 'macs'.  If it
 * is one of the first 'n_compared' it gets these ports, too.  Returns the new
 * number. */
static size_t
add_mac(struct relay_mac *macs, size_t n, size_t n_compared,
        struct eth_addr mac, uint64_t ports)
{
    for (size_t i = 0; i < n_compared; i++) {
        if (eth_addr_equals(macs[i].mac, mac)) {
            macs[i].ports |= ports;
            return n;
        }
    }
    macs[n].mac = mac;
    macs[n].ports = ports;
    return n + 1;
}

/* Returns which of the broadcast ports 'c' relays, as in "struct relay_mac".
 * What its host's programs say on the others is for this relay to hear. */
static uint64_t
ports_of(const struct relay *r, const struct candidate *c)
{
    uint64_t ports = 0;

    for (size_t i = 0; i < r->config->n_ports; i++) {
        if (candidate_relays(c, r->config->ports[i])) {
            ports |= UINT64_C(1) << i;
        }
    }
    return ports;
}

/* Tells the loop guard whose MACs are known for relays': those in the loop
 * filter, and those of relays that have just gone. */
static void
tell_loop_guard(struct relay *r)
{
    const struct segment *s = &r->segment;

    free(r->known_macs);
    r->known_macs =
        xcalloc(r->n_macs + SEGMENT_MAX_GONE, sizeof *r->known_macs);
    for (size_t i = 0; i < r->n_macs; i++) {
        r->known_macs[i] = r->macs[i].mac;
    }
    memcpy(&r->known_macs[r->n_macs], s->gone_macs, sizeof s->gone_macs);
    loop_guard_set_macs(r->loop_guard, r->known_macs,
                        r->n_macs + SEGMENT_MAX_GONE);
}

/* Works out what the loop filter is about: the local MAC, and those of all
 * relays that may emit on this segment.  Returns true if it changed. */
static bool
update_macs(struct relay *r)
{
    const struct election *e = &r->segment.election;
    const struct config *config = r->config;
    size_t n_peers;
    const struct eth_addr *peers = peering_macs(r->peering, &n_peers);
    const struct peers *all = peering_peers(r->peering);
    size_t max = 1 + e->candidates.n + config->n_others + all->n_all + n_peers;
    struct relay_mac *macs = xcalloc(max, sizeof *macs);
    size_t n = add_mac(macs, 0, 0, r->local_mac, UINT64_MAX);

    for (size_t i = 0; i < config->n_others; i++) {
        n = add_mac(macs, n, n, config->others[i], UINT64_MAX);
    }
    for (size_t i = 0; i < e->candidates.n; i++) {
        const struct candidate *c = &e->candidates.all[i];
        n = add_mac(macs, n, n, c->said.mac, ports_of(r, c));
    }
    for (size_t i = 0; i < all->n_all; i++) {
        if (all->all[i]->on_link) {
            n = add_mac(macs, n, n, all->all[i]->mac, UINT64_MAX);
        }
    }
    for (size_t i = 0, n_others = n; i < n_peers; i++) {
        /* Each of these is there once.  One that is a candidate says better
         * itself which ports it relays. */
        size_t before = n;

        n = add_mac(macs, n, n_others, peers[i], 0);
        if (n > before) {
            macs[before].ports = UINT64_MAX;
        }
    }

    bool changed = (n != r->n_macs || memcmp(macs, r->macs, n * sizeof *macs));
    free(r->macs);
    r->macs = macs;
    r->n_macs = n;
    tell_loop_guard(r);
    return changed;
}

/* Returns the address that this relay is announced with: where its mesh is, or
 * one of this host's, the bridge's before others. */
static struct in6_addr
announced_address(const struct relay *r)
{
    struct in6_addr address = in6addr_any;
    size_t n;
    const struct host_address *all = host_addresses(r->host, &n);

    if (!endpoint_is_any(&r->config->mesh)) {
        return r->config->mesh.address;
    }
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(all[i].interface, r->config->bridge)) {
            return all[i].address;
        } else if (ipv6_addr_equals(&address, &in6addr_any)
                   && strcmp(all[i].interface, "lo")) {
            address = all[i].address;
        }
    }
    return address;
}

/* Tells the election what it must know of this relay and its switch. */
static void
update_election(struct relay *r, long long int now)
{
    struct election *e = &r->segment.election;
    const struct bridge *b = r->bridge;
    const struct announcement self = {
        .relay_id = peering_id(r->peering),
        .session = peering_session(r->peering),
        .mac = r->local_mac,
        .address = announced_address(r),
    };

    election_set_self(e, &self, now);
    r->online = (channel_is_open(r->channel) && bridge_is_connected(b)
                 && (r->online || bridge_is_in_place(b)));
    election_set_online(e, r->online, now);
    if (bridge_is_in_place(b) && bridge_wanted(b)->claimed) {
        election_in_place(e, now);
    }
}

/* Takes in who is on the segment and what this relay is to it.  Returns true
 * if that may have changed. */
static bool
update_segment(struct relay *r)
{
    const struct segment *s = &r->segment;
    const struct election *e = &s->election;
    uint64_t gone[CANDIDATES_MAX];
    size_t n_gone;

    if (!segment_news(&r->segment, gone, &n_gone)) {
        return false;
    }
    peering_set_segment(r->peering, s->ids, s->n);
    for (size_t i = 0; i < n_gone; i++) {
        peering_forget_macs(r->peering, gone[i]);
    }

    const struct candidate *forwarder = election_forwarder(e);
    peering_set_role(r->peering, election_state(e),
                     e->forwards ? e->self.relay_id
                     : forwarder ? forwarder->said.relay_id
                                 : 0);
    return true;
}

/* Works out who is heard on each port, and whether the switch's having that is
 * what a claim to forward waits for.  Returns true if the switch must be
 * told. */
static bool
update_ports(struct relay *r, long long int now)
{
    const struct election *e = &r->segment.election;
    struct relay_port ports[CONFIG_MAX_PORTS];

    memset(ports, 0, sizeof ports);
    for (size_t i = 0; i < r->config->n_ports; i++) {
        const uint16_t port = r->config->ports[i];
        const bool heard = !loop_guard_is_paused(r->loop_guard, port);

        /* Each by itself: what is between them is compared, too. */
        ports[i].port = port;
        ports[i].segment = heard && election_punts_port(e, port);
        ports[i].own_host = heard;
        ports[i].carried = heard && relay_carries(r, port, now);
    }

    bool claims = election_state(e) == RELAY_CLAIMING;
    bool changed =
        (claims && !r->claims) || memcmp(ports, r->ports, sizeof ports);
    memcpy(r->ports, ports, sizeof ports);
    r->claims = claims;
    return changed;
}

/* Returns true if all that the flows depend on has been found out. */
static bool
is_settled(const struct relay *r)
{
    return (!r->mesh
            || (election_is_decided(&r->segment.election)
                && peering_has_begun(r->peering)));
}

bool
relay_update(struct relay *r)
{
    bool host_changed = r->host_seqno != host_seqno(r->host);
    bool names_changed = r->resolver_seqno != resolver_seqno(r->resolver);
    bool changed = r->reconfigured;
    const long long int now = relay_now_ms();
    uint64_t id;

    r->host_seqno = host_seqno(r->host);
    r->resolver_seqno = resolver_seqno(r->resolver);
    if (r->config->relay_id_auto && bridge_get_id(r->bridge, &id)) {
        peering_set_id(r->peering, id);
    }
    if (host_changed || names_changed || r->reconfigured
        || peering_wants_update(r->peering, relay_now_us())) {
        peering_update(r->peering, r->resolver, r->host, r->mesh,
                       relay_now_us());
    }
    if (host_changed || r->reconfigured) {
        changed |= update_destination(r);
        changed |= update_own_addresses(r);
    }
    if (update_local_mac(r)) {
        peering_set_local_mac(r->peering, r->local_mac);
        changed = true;
    }
    update_election(r, now);
    bool segment_changed = update_segment(r);
    if (onlink_update(r->onlink, peering_peers(r->peering),
                      r->config->bridge)) {
        segment_changed = true;
    }
    if (peering_macs_changed(r->peering, relay_now_us()) || segment_changed
        || changed) {
        changed |= update_macs(r);
    }
    changed |= relay_update_tunnel(r, now);
    changed |= update_ports(r, now);
    bool settled = is_settled(r);
    changed |= settled != r->settled;
    r->settled = settled;
    r->reconfigured = false;
    return changed;
}

bool
relay_knows_flows(const struct relay *r)
{
    return r->local_mac_known;
}

char *
relay_add_flows(struct relay *r, struct flowset *set)
{
    struct mesh_tunnel tunnel;
    const struct relay_flows_params params = {
        .ports = r->ports,
        .n_ports = r->config->n_ports,
        .announcements = segment_listens(&r->segment),
        .local_macs = r->macs,
        .n_local_macs = r->n_macs,
        .flow_priority = r->config->flow_priority,
        .max_pps = r->config->max_pps,
        .forward = r->config->forward,
        .from = &r->config->from,
        .destination = destination_address(&r->destination),
        .tunnel = relay_describe_tunnel(r, &tunnel),
    };
    struct relay_actions actions = { .keep = NULL };

    char *error = relay_flows_add(&params, set);
    if (!error) {
        error = relay_flows_actions(&params, &actions);
    }
    if (!error) {
        error = emit_set_actions(r->emit, actions.keep, actions.rewrite);
    }
    if (!error) {
        free(r->announcement_actions);
        r->announcement_actions = xstrdup(actions.announcement);
    }
    relay_actions_uninit(&actions);
    set->claimed = r->claims;
    set->partial = !r->settled;
    if (!error && r->settled) {
        tunneling_placing(&r->tunneling, peering_peers(r->peering));
    }
    return error;
}

/* Life. */

char *
relay_create(const struct config *config, const struct host *host,
             const struct resolver *resolver, struct bridge *bridge,
             struct tunnels *tunnels, struct relay **relayp)
{
    struct mesh *mesh = NULL;

    *relayp = NULL;
    char *error = config->n_ports ? mesh_open(&config->mesh, &mesh) : NULL;
    if (error) {
        return error;
    }

    struct relay *r = xzalloc(sizeof *r);
    r->config = config;
    r->mesh = mesh;
    r->host = host;
    r->host_seqno = host_seqno(host);
    r->resolver = resolver;
    r->bridge = bridge;
    r->tunnels = tunnels;
    r->peering = peering_create();
    segment_init(&r->segment);
    own_addresses_init(&r->own_addresses);
    tunneling_init(&r->tunneling);
    carried_init(&r->carried);
    r->onlink = onlink_create();
    r->loop_guard = loop_guard_create();
    r->emit = emit_create();
    emit_set_tap(r->emit, &r->tap);
    r->channel = channel_create(config->switch_target);
    *relayp = r;
    return NULL;
}

void
relay_destroy(struct relay *r)
{
    if (r) {
        channel_destroy(r->channel);
        emit_destroy(r->emit);
        peering_destroy(r->peering);
        mesh_close(r->mesh);
        tunneling_destroy(&r->tunneling);
        carried_destroy(&r->carried);
        free(r->others);
        onlink_destroy(r->onlink);
        loop_guard_destroy(r->loop_guard);
        own_addresses_destroy(&r->own_addresses);
        free(r->announcement_actions);
        free(r->macs);
        free(r->known_macs);
        tap_destroy(&r->tap);
        free(r);
    }
}

char *
relay_move_mesh(struct relay *r, const struct config *config)
{
    const struct endpoint *local = &config->mesh;
    struct mesh *mesh;

    if (!config->n_ports) {
        if (r->mesh) {
            peering_leave(r->peering, r->mesh);
        }
        mesh_close(r->mesh);
        r->mesh = NULL;
        return NULL;
    }
    if (!r->mesh) {
        return mesh_open(local, &r->mesh);
    }

    struct endpoint before = *mesh_local(r->mesh);
    if (endpoint_equal(&before, local)) {
        return NULL;
    }
    char *error = mesh_open(local, &mesh);
    if (error && local->port == before.port) {
        /* Our own socket may be in the way. */
        free(error);
        mesh_close(r->mesh);
        error = mesh_open(local, &r->mesh);
        if (error) {
            char *fatal = mesh_open(&before, &r->mesh);
            if (fatal) {
                VLOG_FATAL("%s", fatal);
            }
        }
        return error;
    }
    if (!error) {
        mesh_close(r->mesh);
        r->mesh = mesh;
    }
    return error;
}

/* Announces this relay on its segment if it is time to. */
static void
announce(struct relay *r, long long int now)
{
    struct election *e = &r->segment.election;
    uint8_t frame[ANNOUNCEMENT_MAX_LEN];
    size_t length = segment_announcement(&r->segment, frame, now);
    struct ofpbuf *msg = NULL;

    if (!length) {
        return;
    }
    if (r->announcement_actions) {
        char *error =
            emit_encode(r->announcement_actions, frame, length, &msg);
        ovs_assert(!error); /* The configuration was checked. */
    }
    election_announced(e, msg && channel_send(r->channel, msg), now);
}

void
relay_run(struct relay *r)
{
    const long long int now = relay_now_ms();
    struct election *e = &r->segment.election;

    counters_drop(&r->counters, DIRECTION_MESH, DROP_DISCONNECTED,
                  channel_run(r->channel, r->emit));
    onlink_run(r->onlink);
    loop_guard_run(r->loop_guard, now);
    election_run(e, now);
    announce(r, now);

    if (r->mesh) {
        if (r->leaving && !r->said_bye
            && (relay_has_left(r) || election_state(e) == RELAY_GONE)) {
            peering_leave(r->peering, r->mesh);
            r->said_bye = true;
        }
        peering_run(r->peering, r->mesh, relay_now_us());
        relay_run_tunnel(r, now);
    }

    /* The channel tries more often than the bridge does. */
    if (r->channel_seqno != channel_seqno(r->channel)) {
        r->channel_seqno = channel_seqno(r->channel);
        r->opened = now;
        relay_probe_all(r);
        bridge_reconnect(r->bridge);
    }
}

void
relay_wait(struct relay *r)
{
    long long int deadline =
        MIN(election_deadline(&r->segment.election, relay_now_ms()),
            loop_guard_deadline(r->loop_guard));

    if (deadline != LLONG_MAX) {
        poll_timer_wait_until(deadline);
    }
    onlink_wait(r->onlink);
    relay_carry_wait(r);
    if (r->mesh) {
        peering_wait(r->peering);
        relay_wait_tunnel(r);
    }
}

void
relay_leave(struct relay *r)
{
    r->leaving = true;
    election_leave(&r->segment.election, relay_now_ms());
}

bool
relay_has_left(const struct relay *r)
{
    return r->leaving && election_has_left(&r->segment.election);
}

void
relay_set_capture(struct relay *r, struct capture *capture)
{
    tap_set_capture(&r->tap, capture);
}

char *
relay_add_peer(struct relay *r, const char *text)
{
    char *error = (r->mesh ? peering_add(r->peering, r->resolver, text)
                           : xstrdup("this relay relays nothing"));

    r->reconfigured |= !error;
    return error;
}

char *
relay_remove_peer(struct relay *r, const char *text)
{
    char *error = (r->mesh ? peering_remove(r->peering, r->resolver, text)
                           : xstrdup("this relay relays nothing"));

    r->reconfigured |= !error;
    return error;
}
