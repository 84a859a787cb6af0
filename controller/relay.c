/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "relay.h"
#include "relay-private.h"

#include <string.h>

#include "bridge.h"
#include "channel.h"
#include "conf.h"
#include "destination.h"
#include "emit.h"
#include "host.h"
#include "mesh.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "relay-flows.h"
#include "resolver.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(relay);

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

/* Configuration. */

void
relay_configure(struct relay *r, const struct config *config)
{
    r->config = config;
    r->reconfigured = true;

    peering_configure(r->peering, config);
    memset(r->relayed_port, 0, sizeof r->relayed_port);
    for (size_t i = 0; i < config->n_ports; i++) {
        uint16_t port = config->ports[i];
        r->relayed_port[port / 64] |= UINT64_C(1) << port % 64;
    }
}

void
relay_add_names(const struct relay *r, struct sset *names)
{
    peering_add_names(r->peering, names);
}

/* Works out what the loop filter is about.  Returns true if it changed. */
static bool
update_macs(struct relay *r, bool local_changed)
{
    if (!peering_macs_changed(r->peering, relay_now_us()) && !local_changed) {
        return false;
    }

    size_t n;
    const struct eth_addr *macs = peering_macs(r->peering, &n);
    r->macs = xrealloc(r->macs, (n + 1) * sizeof *r->macs);
    r->macs[0] = r->local_mac;
    r->n_macs = 1;
    for (size_t i = 0; i < n; i++) {
        if (!eth_addr_equals(macs[i], r->local_mac)) {
            r->macs[r->n_macs++] = macs[i];
        }
    }
    return true;
}

bool
relay_update(struct relay *r)
{
    bool host_changed = r->host_seqno != host_seqno(r->host);
    bool names_changed = r->resolver_seqno != resolver_seqno(r->resolver);
    bool changed = r->reconfigured;
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
    }
    bool mac_changed = update_local_mac(r);
    if (mac_changed) {
        peering_set_local_mac(r->peering, r->local_mac);
    }
    changed |= update_macs(r, mac_changed);
    r->reconfigured = false;
    return changed;
}

bool
relay_knows_flows(const struct relay *r)
{
    return (r->local_mac_known && (!r->mesh || peering_has_begun(r->peering)));
}

char *
relay_add_flows(struct relay *r, struct flowset *set)
{
    const struct relay_flows_params params = {
        .ports = r->config->ports,
        .n_ports = r->config->n_ports,
        .local_macs = r->macs,
        .n_local_macs = r->n_macs,
        .flow_priority = r->config->flow_priority,
        .max_pps = r->config->max_pps,
        .forward = r->config->forward,
        .destination = destination_address(&r->destination),
    };
    char *keep, *rewrite;

    char *error = relay_flows_add(&params, set);
    if (!error) {
        error = relay_flows_emission(&params, &keep, &rewrite);
    }
    if (!error) {
        error = emit_set_actions(r->emit, keep, rewrite);
        free(keep);
        free(rewrite);
    }
    return error;
}

/* Life. */

char *
relay_create(const struct config *config, const struct host *host,
             const struct resolver *resolver, struct bridge *bridge,
             struct relay **relayp)
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
    r->peering = peering_create();
    r->emit = emit_create();
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
        free(r->macs);
        free(r);
    }
}

char *
relay_move_mesh(struct relay *r, const struct config *config)
{
    const struct endpoint *local = &config->mesh;
    struct mesh *mesh;

    if (!config->n_ports) {
        relay_leave(r);
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

void
relay_run(struct relay *r)
{
    counters_drop(&r->counters, DIRECTION_MESH, DROP_DISCONNECTED,
                  channel_run(r->channel, r->emit));

    if (r->mesh) {
        peering_run(r->peering, r->mesh, relay_now_us());
    }

    /* The channel tries more often than the bridge does. */
    if (r->channel_seqno != channel_seqno(r->channel)) {
        r->channel_seqno = channel_seqno(r->channel);
        bridge_reconnect(r->bridge);
    }
}

void
relay_wait(struct relay *r)
{
    channel_wait(r->channel, r->emit);
    if (r->mesh) {
        mesh_wait(r->mesh);
        peering_wait(r->peering);
    }
}

void
relay_leave(struct relay *r)
{
    if (r->mesh) {
        peering_leave(r->peering, r->mesh);
    }
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

const struct counters *
relay_counters(const struct relay *r)
{
    return &r->counters;
}

const struct peering *
relay_peering(const struct relay *r)
{
    return r->peering;
}

unsigned int
relay_queued(const struct relay *r)
{
    return emit_count(r->emit);
}

bool
relay_is_connected(const struct relay *r)
{
    return channel_is_open(r->channel);
}

bool
relay_local_mac(const struct relay *r, struct eth_addr *mac)
{
    *mac = r->local_mac;
    return r->local_mac_known;
}
