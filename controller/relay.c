/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "relay.h"

#include <string.h>

#include "bridge.h"
#include "channel.h"
#include "conf.h"
#include "emit.h"
#include "frame.h"
#include "host.h"
#include "mesh.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peers.h"
#include "punt.h"
#include "relay-flows.h"
#include "resolver.h"
#include "segment.h"
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
    struct segment segment;

    struct mesh *mesh;
    struct peers peers;

    /* What the flows, and the peers, were last worked out from. */
    struct eth_addr local_mac;
    bool local_mac_known;
    unsigned int host_seqno;
    unsigned int resolver_seqno;
    unsigned int channel_seqno;
    bool reconfigured; /* Since relay_update(). */

    uint64_t relayed_port[UINT16_MAX / 64 + 1]; /* Bitmap: is it relayed? */
};

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

/* Works out the segment.  Returns true if it changed. */
static bool
update_segment(struct relay *r)
{
    size_t n;
    const struct host_address *addresses = host_addresses(r->host, &n);

    return segment_update(&r->segment, r->config->destination,
                          r->config->bridge, addresses, n);
}

/* Returns true if frames sent to 'address' on the mesh port would come to this
 * relay.  Loopback addresses are not counted: who sends to one means it. */
static bool
is_own_address(const struct relay *r, const struct in6_addr *address)
{
    const struct in6_addr *local = &mesh_local(r->mesh)->address;
    bool any = endpoint_is_any(mesh_local(r->mesh));
    bool loopback = (IN6_IS_ADDR_LOOPBACK(address)
                     || (IN6_IS_ADDR_V4MAPPED(address)
                         && ntohl(in6_addr_get_mapped_ipv4(address)) >> 24
                                == IN_LOOPBACKNET));

    return !loopback && (any || ipv6_addr_equals(address, local));
}

/* Works out who is sent to.  A relay without peers sends to itself. */
static void
update_peers(struct relay *r)
{
    if (!r->mesh) {
        return;
    }

    size_t n_addresses, n_own = 0;
    const struct host_address *addresses =
        host_addresses(r->host, &n_addresses);
    struct endpoint *own = xcalloc(n_addresses, sizeof *own);

    for (size_t i = 0; r->config->n_peers && i < n_addresses; i++) {
        if (is_own_address(r, &addresses[i].address)) {
            own[n_own].address = addresses[i].address;
            own[n_own++].port = mesh_local(r->mesh)->port;
        }
    }
    const struct peers_self self = {
        .ipv4 = mesh_sends_ipv4(r->mesh),
        .ipv6 = mesh_sends_ipv6(r->mesh),
        .own = own,
        .n_own = n_own,
    };
    peers_update(&r->peers, r->resolver, &self);
    for (size_t i = 0; i < r->peers.n_targets; i++) {
        mesh_address_peer(r->mesh, r->peers.targets[i]);
    }
    free(own);
}

/* Configuration. */

void
relay_configure(struct relay *r, const struct config *config)
{
    char self_host[INET6_ADDRSTRLEN] = "127.0.0.1";
    struct peer_spec self = { .text = "(self)", .host = self_host };
    const struct peer_spec *specs = config->peers;
    size_t n_specs = config->n_peers;

    r->config = config;
    r->reconfigured = true;

    if (!n_specs && config->n_ports) {
        VLOG_WARN("no peers: relaying to this relay itself, for testing");
        if (!endpoint_is_any(&config->mesh)) {
            address_format(&config->mesh.address, self_host);
        }
        self.port = config->mesh.port;
        specs = &self;
        n_specs = 1;
    }
    peers_configure(&r->peers, specs, n_specs, config->accept,
                    config->n_accept);

    memset(r->relayed_port, 0, sizeof r->relayed_port);
    for (size_t i = 0; i < config->n_ports; i++) {
        uint16_t port = config->ports[i];
        r->relayed_port[port / 64] |= UINT64_C(1) << port % 64;
    }
}

void
relay_add_names(const struct relay *r, struct sset *names)
{
    for (size_t i = 0; i < r->peers.n_all; i++) {
        if (r->peers.all[i]->by_name) {
            sset_add(names, r->peers.all[i]->spec.host);
        }
    }
}

bool
relay_update(struct relay *r)
{
    bool host_changed = r->host_seqno != host_seqno(r->host);
    bool names_changed = r->resolver_seqno != resolver_seqno(r->resolver);
    bool changed = r->reconfigured;

    r->host_seqno = host_seqno(r->host);
    r->resolver_seqno = resolver_seqno(r->resolver);
    if (host_changed || names_changed || r->reconfigured) {
        update_peers(r);
    }
    if (host_changed || r->reconfigured) {
        changed |= update_segment(r);
    }
    changed |= update_local_mac(r);
    r->reconfigured = false;
    return changed;
}

char *
relay_add_flows(struct relay *r, struct flowset *set)
{
    const struct relay_flows_params params = {
        .ports = r->config->ports,
        .n_ports = r->config->n_ports,
        .local_macs = &r->local_mac,
        .n_local_macs = 1,
        .flow_priority = r->config->flow_priority,
        .max_pps = r->config->max_pps,
        .forward = r->config->forward,
        .destination = segment_destination(&r->segment),
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
    peers_init(&r->peers);
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
        peers_destroy(&r->peers);
        mesh_close(r->mesh);
        free(r);
    }
}

char *
relay_move_mesh(struct relay *r, const struct config *config)
{
    const struct endpoint *local = &config->mesh;
    struct mesh *mesh;

    if (!config->n_ports) {
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
    if (!r->peers.n_targets || !r->mesh) {
        drop(r, DIRECTION_PUNT, DROP_NO_PEER, n);
        return;
    }

    size_t n_relayed;
    r->counters.mesh_tx +=
        mesh_send(r->mesh, frames, n, &r->peers, &n_relayed);
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
             frame->length, r->peers.n_targets);
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

/* Notes that 'd' came from nobody we know. */
static void
refuse_sender(struct relay *r, const struct mesh_datagram *d)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    char from[INET6_ADDRSTRLEN];

    drop(r, DIRECTION_MESH, DROP_UNKNOWN_SENDER, 1);
    VLOG_WARN_RL(&rl,
                 "datagram from %s dropped: no peer has this address, "
                 "nor does mesh.accept",
                 address_format(&d->from.address, from));
}

/* Judges the datagram 'd' and puts its frame into the queue to the switch. */
static void
take_datagram(struct relay *r, const struct mesh_datagram *d)
{
    struct frame frame;
    struct peer *peer;
    uint8_t *bytes;
    size_t length;

    if (peers_identify(&r->peers, &d->from.address, &peer) == ORIGIN_UNKNOWN) {
        refuse_sender(r, d);
        return;
    }
    if (peer) {
        peer->rx++;
    }
    if (d->truncated) {
        drop(r, DIRECTION_MESH, FRAME_OVERSIZE, 1);
        return;
    }
    if (!wire_decode(d->bytes, d->length, &bytes, &length)) {
        drop(r, DIRECTION_MESH, DROP_FORMAT, 1);
        return;
    }

    enum frame_verdict verdict = frame_check(bytes, length, &frame);
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

    bool rewrite = segment_must_rewrite(&r->segment, frame.ip_dst);
    VLOG_DBG("mesh frame from " IP_FMT " to " IP_FMT ":%u, %" PRIuSIZE
             " bytes: "
             "emitted%s",
             IP_ARGS(frame.ip_src), IP_ARGS(frame.ip_dst), frame.port,
             frame.length, rewrite ? ", destination rewritten" : "");
    drop(r, DIRECTION_MESH, DROP_QUEUE_FULL,
         emit_put(r->emit, frame.bytes, frame.length, rewrite, time_msec()));
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
        r->counters.mesh_rx += n;
        for (size_t j = 0; j < n; j++) {
            take_datagram(r, &datagrams[j]);
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
    }
}

const struct counters *
relay_counters(const struct relay *r)
{
    return &r->counters;
}

const struct peers *
relay_peers(const struct relay *r)
{
    return &r->peers;
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
