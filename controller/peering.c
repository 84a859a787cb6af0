/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peering.h"
#include "peering-private.h"

#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>

#include "conf.h"
#include "greeting.h"
#include "hello.h"
#include "host.h"
#include "mesh.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peer-macs.h"
#include "peers.h"
#include "remotes.h"
#include "roster.h"
#include "self.h"
#include "timeval.h"
#include "util.h"
#include "wire.h"

VLOG_DEFINE_THIS_MODULE(peering);

enum {
    /* How long a relay that begins waits for the addresses of names. */
    MAX_NAMES_MS = 500,

    /* How long the peers that a new configuration does not name stay if it has
     * names of which no address is known yet. */
    KEEP_MS = 8000,

    /* Between news, which all are told at once. */
    NEWS_MS = 100,

    /* Between looks at the silent and the forgotten. */
    RECALL_MS = 1000,
    EXPIRE_MS = 60000
};

/* Life. */

struct peering *
peering_create(void)
{
    struct peering *p = xzalloc(sizeof *p);

    self_init(&p->self);
    roster_init(&p->roster);
    peers_init(&p->peers);
    remotes_init(&p->remotes);
    streams_init(&p->streams);
    token_bucket_init(&p->answers, PEERING_ANSWER_RATE, PEERING_ANSWER_BURST);
    peer_macs_init(&p->macs);
    p->next_check = p->next_update = LLONG_MAX;
    p->known = -1;
    return p;
}

void
peering_destroy(struct peering *p)
{
    if (p) {
        peers_destroy(&p->peers);
        remotes_destroy(&p->remotes);
        streams_destroy(&p->streams);
        roster_destroy(&p->roster);
        peer_macs_destroy(&p->macs);
        self_set_key(&p->self, NULL);
        sodium_memzero(&p->stranger, sizeof p->stranger);
        free(p);
    }
}

/* This relay. */

BUILD_ASSERT_DECL((int) HELLO_MAX_PORTS >= (int) CONFIG_MAX_PORTS);

/* Says which keys the mesh is sealed with from now on. */
static void
log_keys(const struct seal_keys *keys)
{
    if (!keys->n) {
        VLOG_INFO("the mesh is not sealed any more");
    } else if (keys->n == 1) {
        VLOG_INFO("the mesh is sealed with key %04x", keys->all[0].id);
    } else {
        VLOG_INFO("the mesh is sealed with key %04x, and key %04x is taken",
                  keys->all[0].id, keys->all[1].id);
    }
}

/* Has the mesh sealed with 'keys', if there are any. */
static void
configure_seal(struct peering *p, const struct seal_keys *keys)
{
    const struct seal_keys *before = &p->streams.keys;

    if (keys->n != before->n
        || memcmp(keys->all, before->all, keys->n * sizeof *keys->all)) {
        log_keys(keys);
    }
    p->peers.sealed = keys->n > 0;
    streams_set_keys(&p->streams, keys);
    self_set_key(&p->self, keys->n ? &keys->all[0] : NULL);
    for (size_t i = 0; i < p->peers.n_all; i++) {
        struct peer *peer = p->peers.all[i];

        /* The next frame may go before the next hello. */
        if (keys->n && self_is_known(&p->self)) {
            greeting_set_key(&p->self, peer);
        }
    }
    peers_choose_targets(&p->peers);
}

void
peering_limit(const struct peering *p, struct token_bucket *bucket)
{
    /* Room for bursts: a switch that punts as many as it may does so within a
     * second, and may do so twice in a row. */
    token_bucket_set(bucket, p->max_pps,
                     MIN(UINT_MAX, PEERING_FRAME_TOKENS * 2ULL * p->max_pps));
}

void
peering_configure(struct peering *p, const struct config *config)
{
    p->left = false;
    p->reconfigured = true;
    configure_seal(p, &config->keys);
    p->max_pps = config_mesh_max_pps(config);
    peering_limit(p, &p->accepted);
    roster_configure(&p->roster, &config->peers, &config->discover,
                     &config->mesh, config->n_ports > 0 && !config->keys.n);
    if (roster_is_self(&p->roster)) {
        VLOG_WARN("no peers: relaying to this relay itself, for testing");
    } else if (config->n_ports && !config->peers.n && !config->discover.n) {
        VLOG_INFO("no peers: this relay only listens to those with its key");
    }
    peers_set_accept(&p->peers, config->accept.all, config->accept.n);
    self_set_ports(&p->self, config->ports, config->n_ports);
    self_set_interval(&p->self, config->hello_ms);
    if (!config->relay_id_auto) {
        peering_set_id(p, config->relay_id);
    }
}

void
peering_set_id(struct peering *p, uint64_t id)
{
    if (id != p->self.id) {
        self_set_id(&p->self, id);
        wire_encode_header(p->peers.header, WIRE_TYPE_FRAME, p->self.id,
                           p->self.session, 0);
    }
}

void
peering_set_local_mac(struct peering *p, struct eth_addr mac)
{
    self_set_local_mac(&p->self, mac);
}

void
peering_set_role(struct peering *p, enum relay_state role, uint64_t forwarder)
{
    self_set_role(&p->self, role, forwarder);
}

void
peering_set_tunnel(struct peering *p, enum hello_tunnel_type type,
                   uint32_t vni)
{
    self_set_tunnel(&p->self, type, vni);
}

void
peering_tell(struct peering *p, struct peer *peer)
{
    peer->liveness.next_hello = 0;
    p->next_check = 0;
}

/* The segment. */

void
peering_set_segment(struct peering *p, const uint64_t *ids, size_t n)
{
    remotes_set_segment(&p->remotes, ids, n);
    peers_choose_targets(&p->peers);
}

void
peering_forget_macs(struct peering *p, uint64_t id)
{
    struct remote *remote = remotes_find(&p->remotes, id);

    if (remote && remote->n_macs) {
        remote->n_macs = 0;
        peer_macs_note_all(&p->macs);
    }
}

/* Who the peers are. */

void
peering_add_names(const struct peering *p, struct sset *names)
{
    roster_add_names(&p->roster, names);
}

char *
peering_add(struct peering *p, const struct resolver *resolver,
            const char *text)
{
    return roster_add(&p->roster, resolver, text);
}

char *
peering_remove(struct peering *p, const struct resolver *resolver,
               const char *text)
{
    char *error = roster_remove(&p->roster, resolver, text);

    if (!error) {
        p->keep_until = 0; /* Who is removed is to go at once. */
    }
    return error;
}

/* Returns true if frames sent to 'address' on the mesh port would come to this
 * relay.  Loopback addresses are not counted: who sends to one means it. */
static bool
is_own_address(const struct mesh *mesh, const struct in6_addr *address)
{
    const struct in6_addr *local = &mesh_local(mesh)->address;
    bool loopback = (IN6_IS_ADDR_LOOPBACK(address)
                     || (IN6_IS_ADDR_V4MAPPED(address)
                         && ntohl(in6_addr_get_mapped_ipv4(address)) >> 24
                                == IN_LOOPBACKNET));

    return (!loopback
            && (endpoint_is_any(mesh_local(mesh))
                || ipv6_addr_equals(address, local)));
}

/* Stores in 'own' the endpoints of the 'n' 'addresses' of this host that lead
 * to 'mesh', and in 'local' those of all of them, and describes them in
 * '*self'. */
static void
describe_self(const struct mesh *mesh, const struct host_address *addresses,
              size_t n, struct endpoint *own, struct endpoint *local,
              struct peers_self *self)
{
    *self = (struct peers_self){
        .ipv4 = mesh_sends_ipv4(mesh),
        .ipv6 = mesh_sends_ipv6(mesh),
        .own = own,
        .local = local,
    };
    for (size_t i = 0; i < n; i++) {
        const struct endpoint endpoint = { addresses[i].address,
                                           mesh_local(mesh)->port };

        local[self->n_local++] = endpoint;
        if (is_own_address(mesh, &endpoint.address)) {
            own[self->n_own++] = endpoint;
        }
    }
}

/* Makes the peers those that the roster has. */
static void
update_peers(struct peering *p, const struct resolver *resolver,
             const struct host *host, struct mesh *mesh, long long int now)
{
    size_t n;
    const struct host_address *addresses = host_addresses(host, &n);
    struct endpoint *own = xcalloc(n, sizeof *own);
    struct endpoint *local = xcalloc(n, sizeof *local);
    struct roster_entry *entries;
    struct peers_self self;

    describe_self(mesh, addresses, n, own, local, &self);
    size_t n_entries = roster_entries(&p->roster, resolver, &entries);
    bool keep = p->waiting && now < p->keep_until;
    if (peers_update(&p->peers, entries, n_entries, &self, keep, now)) {
        p->next_update = MIN(p->next_update, p->keep_until);
    }
    roster_entries_free(entries, n_entries);
    free(own);
    free(local);

    for (size_t i = 0; i < p->peers.n_all; i++) {
        struct peer *peer = p->peers.all[i];

        if (peer->role == PEER_OTHER) {
            mesh_address_peer(mesh, peer);
        }
        peering_limit(p, &peer->bucket);
    }
}

void
peering_update(struct peering *p, const struct resolver *resolver,
               const struct host *host, struct mesh *mesh,
               long long int now_us)
{
    const long long int now = now_us / 1000;

    if (p->reconfigured) {
        p->reconfigured = false;
        p->keep_until = now + KEEP_MS;
    }
    p->next_update = LLONG_MAX;
    p->waiting = roster_is_waiting(&p->roster, resolver);
    if (mesh) {
        update_peers(p, resolver, host, mesh, now);
    } else {
        const struct peers_self nobody = { .n_own = 0 };
        peers_update(&p->peers, NULL, 0, &nobody, false, now);
    }
    p->next_update = MIN(p->next_update, peers_self_deadline(&p->peers));
    peers_choose_targets(&p->peers);
    peer_macs_note(&p->macs, now);
    p->next_check = now;
}

bool
peering_wants_update(const struct peering *p, long long int now_us)
{
    return now_us / 1000 >= p->next_update;
}

/* Saying hello. */

void
peering_say_hello(struct peering *p, struct mesh *mesh, struct peer *peer,
                  long long int now_us)
{
    greeting_say(&p->self, mesh, peer, p->remotes.first_seq, now_us);
}

void
peering_leave(struct peering *p, struct mesh *mesh)
{
    for (size_t i = 0; self_is_known(&p->self) && i < p->peers.n_all; i++) {
        struct peer *peer = p->peers.all[i];

        if (peer_is_greeted(peer) && peer->remote) {
            greeting_leave(&p->self, mesh, peer);
        }
    }
    mesh_flush(mesh);
    p->left = true;
}

/* Says what 'peer' is now. */
static void
log_state(struct peer *peer)
{
    /* New peers have limits of their own, and a name can bring new ones again
     * and again. */
    static struct vlog_rate_limit all = VLOG_RATE_LIMIT_INIT(60, 500);
    const struct liveness *l = &peer->liveness;
    bool bad = l->state == LIVENESS_DOWN || l->state == LIVENESS_SUSPECT;
    char target[ENDPOINT_TEXT_SIZE];
    char relay[32] = "";

    if (vlog_should_drop(&this_module, bad ? VLL_WARN : VLL_INFO,
                         &peer->log)) {
        return;
    }
    if (liveness_is_heard(l)) {
        snprintf(relay, sizeof relay, ", relay %016" PRIx64, peer->remote->id);
    }
    VLOG_RL(&all, bad ? VLL_WARN : VLL_INFO, "peer %s: %s is %s: %s%s",
            peer->name, endpoint_format(&peer->target, target),
            liveness_state_name(l->state), l->reason, relay);
}

void
peering_state_changed(struct peering *p, struct peer *peer)
{
    const struct liveness *l = &peer->liveness;

    if (l->state == LIVENESS_UP && !peer->up_since) {
        peer->up_since = time_wall_msec();
    } else if (!liveness_is_heard(l)) {
        peer->up_since = 0;
    }
    peers_choose_targets(&p->peers);
    if (!p->begun) {
        p->next_check = 0; /* It may have been the last one. */
    }
    log_state(peer);
}

void
peering_check_in_time(struct peering *p, const struct peer *peer)
{
    const struct liveness *l = &peer->liveness;

    p->next_check =
        MIN(p->next_check, MIN(l->next_hello, liveness_deadline(l)));
}

static bool
is_peers(const struct remote *remote, const void *p_)
{
    const struct peering *p = p_;

    for (size_t i = 0; i < p->peers.n_all; i++) {
        if (p->peers.all[i]->remote == remote) {
            return true;
        }
    }
    return false;
}

/* Returns true if it is time to say hello to the silent, since a relay has
 * come up that one of them may be by another of its addresses. */
static bool
take_recall(struct peering *p, long long int now)
{
    if (!p->recall) {
        return false;
    } else if (now < p->next_recall) {
        p->next_check = MIN(p->next_check, p->next_recall);
        return false;
    }
    p->recall = false;
    p->next_recall = now + RECALL_MS;
    return true;
}

void
peering_recall(struct peering *p)
{
    p->recall = true;
    p->next_check = MIN(p->next_check, p->next_recall);
}

/* Begins, unless there is somebody to wait for: a peer that is 'probing', or a
 * name that may lead to some. */
static void
begin(struct peering *p, bool probing, long long int now)
{
    if (p->known < 0) {
        p->known = now;
    }
    if (p->waiting && now < p->known + MAX_NAMES_MS) {
        p->next_check = MIN(p->next_check, p->known + MAX_NAMES_MS);
    } else if (!probing) {
        p->begun = true;
        peer_macs_note_all(&p->macs);
    }
}

void
peering_run(struct peering *p, struct mesh *mesh, long long int now_us)
{
    const long long int now = now_us / 1000;
    const bool news = p->self.news && now >= p->next_news;
    bool probing = false;

    if (!self_is_known(&p->self) || p->left
        || (now < p->next_check && !news)) {
        return;
    }
    if (news) {
        p->self.news = false;
        p->next_news = now + NEWS_MS;
    }
    if (now >= p->next_expiry) {
        remotes_expire(&p->remotes, now, is_peers, p);
        streams_expire(&p->streams, now);
        p->next_expiry = now + EXPIRE_MS;
    }
    p->next_check = p->next_expiry;
    bool recall = take_recall(p, now);
    for (size_t i = 0; i < p->peers.n_all; i++) {
        struct peer *peer = p->peers.all[i];
        struct liveness *l = &peer->liveness;

        if (!peer_is_greeted(peer)) {
            continue;
        }
        if (liveness_run(l, now)) {
            peering_state_changed(p, peer);
        }
        /* Those whose turn is soon are said hello to as well: one system call
         * does for many. */
        if (now >= l->next_hello - p->self.interval / 8
            || (news && liveness_is_heard(l))
            || (recall && l->state == LIVENESS_SILENT)) {
            peering_say_hello(p, mesh, peer, now_us);
        }
        probing |= l->state == LIVENESS_PROBING;
        peering_check_in_time(p, peer);
    }
    mesh_flush(mesh);
    if (!p->begun) {
        begin(p, probing, now);
    }
}

void
peering_wait(const struct peering *p)
{
    if (self_is_known(&p->self) && !p->left) {
        if (p->self.news) {
            poll_timer_wait_until(p->next_news);
        }
        if (p->next_check != LLONG_MAX) {
            poll_timer_wait_until(p->next_check);
        }
    }
    if (peer_macs_deadline(&p->macs) != LLONG_MAX) {
        poll_timer_wait_until(peer_macs_deadline(&p->macs));
    }
    if (p->next_update != LLONG_MAX) {
        poll_timer_wait_until(p->next_update);
    }
}

bool
peering_macs_changed(struct peering *p, long long int now_us)
{
    return peer_macs_update(&p->macs, &p->peers, now_us / 1000);
}

const struct eth_addr *
peering_macs(const struct peering *p, size_t *n)
{
    *n = p->macs.n;
    return p->macs.all;
}

bool
peering_has_begun(const struct peering *p)
{
    return p->begun;
}

struct peers *
peering_peers(const struct peering *p)
{
    return CONST_CAST(struct peers *, &p->peers);
}

uint64_t
peering_id(const struct peering *p)
{
    return p->self.id;
}

uint64_t
peering_session(const struct peering *p)
{
    return p->self.session;
}

const struct seal_keys *
peering_keys(const struct peering *p)
{
    return &p->streams.keys;
}

bool
peering_is_self(const struct peering *p)
{
    return roster_is_self(&p->roster);
}
