/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "relay.h"

#include <string.h>
#include <time.h>

#include "bridge.h"
#include "channel.h"
#include "conf.h"
#include "destination.h"
#include "emit.h"
#include "frame.h"
#include "host.h"
#include "mesh.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "punt.h"
#include "relay-flows.h"
#include "resolver.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"
#include "wire.h"

VLOG_DEFINE_THIS_MODULE(relay);

enum {
    /* Frames handed to the mesh at a time. */
    FRAME_BATCH = 256,

    /* Reads from the switch, and from the mesh, in one run, so that under load
     * neither way starves the other. */
    READS_PER_RUN = 8
};

struct relay {
    struct counters counters;

    /* The node's. */
    const struct config *config;
    const struct host *host;
    const struct resolver *resolver;
    struct bridge *bridge;

    struct channel *channel; /* The switch, for frames. */
    struct emit *emit;
    struct destination destination;

    struct mesh *mesh; /* NULL if nothing is relayed. */
    struct peering *peering;
    struct eth_addr *macs; /* The local MAC, then those of the peers. */
    size_t n_macs;

    /* What the flows, and the peers, were last worked out from. */
    struct eth_addr local_mac;
    bool local_mac_known;
    unsigned int host_seqno;
    unsigned int resolver_seqno;
    unsigned int channel_seqno;
    bool reconfigured; /* Since relay_update(). */

    uint64_t relayed_port[UINT16_MAX / 64 + 1]; /* Bitmap: is it relayed? */
};

/* Returns the time as peering and its hellos have it, us. */
static long long int
now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

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
    if (!peering_macs_changed(r->peering, now_us()) && !local_changed) {
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
        || peering_wants_update(r->peering, now_us())) {
        peering_update(r->peering, r->resolver, r->host, r->mesh, now_us());
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

/* Counting. */

static void
drop(struct relay *r, enum direction direction, int reason, uint64_t n)
{
    r->counters.dropped[direction][reason] += n;
}

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
        drop(r, DIRECTION_PUNT, DROP_NO_PEER, n);
        return;
    }

    size_t n_relayed;
    r->counters.mesh_tx += mesh_send(r->mesh, frames, n, peers, &n_relayed);
    r->counters.relayed += n_relayed;
    drop(r, DIRECTION_PUNT, DROP_SEND, n - n_relayed);
}

/* Looks for a punted frame in 'oh', and checks it.  Returns true and fills in
 * '*frame' if it is to be sent. */
static bool
take_message(struct relay *r, struct ofp_header *oh, struct frame *frame)
{
    struct punt punt;

    r->counters.punted++;
    if (!punt_decode(oh, &punt)) {
        drop(r, DIRECTION_PUNT, DROP_FORMAT, 1);
        return false;
    }

    enum frame_verdict verdict = frame_check(punt.frame, punt.length, frame);
    if (verdict != FRAME_OK) {
        drop(r, DIRECTION_PUNT, verdict, 1);
        VLOG_DBG("punt on port %u dropped: %s", punt.port,
                 frame_verdict_name(verdict));
        return false;
    }
    if (!is_relayed_port(r, frame->port)) {
        drop(r, DIRECTION_PUNT, DROP_PORT, 1);
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
        drop(r, DIRECTION_MESH, reason, 1);
        return;
    }

    enum frame_verdict verdict = frame_check(wire.body, wire.length, &frame);
    if (verdict != FRAME_OK) {
        drop(r, DIRECTION_MESH, verdict, 1);
        return;
    }
    if (!is_relayed_port(r, frame.port)) {
        drop(r, DIRECTION_MESH, DROP_PORT, 1);
        return;
    }
    if (!emit_is_ready(r->emit)) {
        drop(r, DIRECTION_MESH, DROP_NO_SWITCH, 1);
        return;
    }

    bool rewrite = destination_must_rewrite(&r->destination, frame.ip_dst);
    VLOG_DBG("mesh frame from " IP_FMT " to " IP_FMT ":%u, %" PRIuSIZE
             " bytes: "
             "emitted%s",
             IP_ARGS(frame.ip_src), IP_ARGS(frame.ip_dst), frame.port,
             frame.length, rewrite ? ", destination rewritten" : "");
    drop(r, DIRECTION_MESH, DROP_QUEUE_FULL,
         emit_put(r->emit, frame.bytes, frame.length, rewrite, now_us / 1000));
}

/* Hands the queue to the switch as far as it takes it. */
static void
write_emissions(struct relay *r)
{
    drop(r, DIRECTION_MESH, DROP_STALE, emit_drop_stale(r->emit, time_msec()));
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
        long long int now = now_us();
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

void
relay_run(struct relay *r)
{
    drop(r, DIRECTION_MESH, DROP_DISCONNECTED,
         channel_run(r->channel, r->emit));

    if (r->mesh) {
        peering_run(r->peering, r->mesh, now_us());
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
