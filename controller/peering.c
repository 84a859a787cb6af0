/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peering.h"

#include <inttypes.h>
#include <limits.h>

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

/* How long a relay that begins waits for the addresses of names. */
enum { MAX_NAMES_MS = 500 };

struct peering {
    struct self self;
    bool left; /* Have the peers been told that this relay leaves? */

    /* The others. */
    struct roster roster;
    struct peers peers;
    struct remotes remotes;
    struct peer_macs macs;
    long long int next_check; /* When peering_run() has something to do, ms. */
    bool waiting;             /* Is there a name without an address yet? */
    long long int known;      /* When this relay knew itself, ms, or -1. */
    bool begun;
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
    peer_macs_init(&p->macs);
    p->next_check = LLONG_MAX;
    p->known = -1;
    return p;
}

void
peering_destroy(struct peering *p)
{
    if (p) {
        peers_destroy(&p->peers);
        remotes_destroy(&p->remotes);
        roster_destroy(&p->roster);
        peer_macs_destroy(&p->macs);
        free(p);
    }
}

/* This relay. */

BUILD_ASSERT_DECL((int) HELLO_MAX_PORTS >= (int) CONFIG_MAX_PORTS);

void
peering_configure(struct peering *p, const struct config *config)
{
    p->left = false;
    roster_configure(&p->roster, &config->peers, &config->discover,
                     &config->mesh, config->n_ports > 0);
    if (roster_is_self(&p->roster)) {
        VLOG_WARN("no peers: relaying to this relay itself, for testing");
    }
    peers_set_accept(&p->peers, config->accept, config->n_accept);
    self_set_ports(&p->self, config->ports, config->n_ports);
    p->self.interval = config->hello_ms;
    if (!config->relay_id_auto) {
        peering_set_id(p, config->relay_id);
    }
}

void
peering_set_id(struct peering *p, uint64_t id)
{
    self_set_id(&p->self, id);
    wire_encode_header(p->peers.header, WIRE_TYPE_FRAME, p->self.id,
                       p->self.session, 0);
}

void
peering_set_local_mac(struct peering *p, struct eth_addr mac)
{
    self_set_local_mac(&p->self, mac);
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
    return roster_remove(&p->roster, resolver, text);
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

void
peering_update(struct peering *p, const struct resolver *resolver,
               const struct host *host, struct mesh *mesh,
               long long int now_us)
{
    const long long int now = now_us / 1000;
    size_t n_addresses;
    const struct host_address *addresses = host_addresses(host, &n_addresses);
    struct endpoint *own = xcalloc(n_addresses, sizeof *own);
    struct endpoint *local = xcalloc(n_addresses, sizeof *local);
    struct peers_self self = {
        .ipv4 = mesh_sends_ipv4(mesh),
        .ipv6 = mesh_sends_ipv6(mesh),
        .own = own,
        .local = local,
    };

    for (size_t i = 0; i < n_addresses; i++) {
        const struct endpoint endpoint = { addresses[i].address,
                                           mesh_local(mesh)->port };

        local[self.n_local++] = endpoint;
        if (is_own_address(mesh, &endpoint.address)) {
            own[self.n_own++] = endpoint;
        }
    }

    struct roster_entry *entries;
    size_t n_entries = roster_entries(&p->roster, resolver, &entries);
    peers_update(&p->peers, entries, n_entries, &self, now);
    roster_entries_free(entries, n_entries);
    free(own);
    free(local);

    for (size_t i = 0; i < p->peers.n_all; i++) {
        if (p->peers.all[i]->role == PEER_OTHER) {
            mesh_address_peer(mesh, p->peers.all[i]);
        }
    }
    peers_choose_targets(&p->peers);
    peer_macs_note(&p->macs, now);
    p->waiting = roster_is_waiting(&p->roster, resolver);
    p->next_check = now;
}

/* Saying hello. */

static void
say_hello(struct peering *p, struct mesh *mesh, struct peer *peer,
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

/* Notes that the state of 'peer' changed, which is logged. */
static void
state_changed(struct peering *p, struct peer *peer)
{
    const struct liveness *l = &peer->liveness;
    char target[ENDPOINT_TEXT_SIZE];
    char relay[32] = "";

    if (l->state == LIVENESS_UP && !peer->up_since) {
        peer->up_since = time_wall_msec();
    } else if (!liveness_is_heard(l)) {
        peer->up_since = 0;
    }
    if (liveness_is_heard(l)) {
        snprintf(relay, sizeof relay, ", relay %016" PRIx64, peer->remote->id);
    }
    peers_choose_targets(&p->peers);
    if (!p->begun) {
        p->next_check = 0; /* It may have been the last one. */
    }
    VLOG(l->state == LIVENESS_DOWN || l->state == LIVENESS_SUSPECT ? VLL_WARN
                                                                   : VLL_INFO,
         "peer %s: %s is %s: %s%s", peer->name,
         endpoint_format(&peer->target, target), liveness_state_name(l->state),
         l->reason, relay);
}

/* Has peering_run() look at 'peer' in time. */
static void
check_in_time(struct peering *p, const struct peer *peer)
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
    bool probing = false;

    if (!self_is_known(&p->self) || p->left
        || (now < p->next_check && !p->self.news)) {
        return;
    }

    bool news = p->self.news;
    p->self.news = false;
    p->next_check = now + REMOTES_MAX_IDLE_MS;
    for (size_t i = 0; i < p->peers.n_all; i++) {
        struct peer *peer = p->peers.all[i];
        struct liveness *l = &peer->liveness;

        if (!peer_is_greeted(peer)) {
            continue;
        }
        if (liveness_run(l, now)) {
            state_changed(p, peer);
        }
        /* Those whose turn is soon are said hello to as well: one system call
         * does for many. */
        if (now >= l->next_hello - p->self.interval / 8
            || (news && liveness_is_heard(l))) {
            say_hello(p, mesh, peer, now_us);
        }
        probing |= l->state == LIVENESS_PROBING;
        check_in_time(p, peer);
    }
    mesh_flush(mesh);
    remotes_expire(&p->remotes, now, is_peers, p);
    if (!p->begun) {
        begin(p, probing, now);
    }
}

void
peering_wait(const struct peering *p)
{
    if (self_is_known(&p->self) && !p->left) {
        if (p->self.news) {
            poll_immediate_wake();
        } else if (p->next_check != LLONG_MAX) {
            poll_timer_wait_until(p->next_check);
        }
    }
    if (peer_macs_deadline(&p->macs) != LLONG_MAX) {
        poll_timer_wait_until(peer_macs_deadline(&p->macs));
    }
}

/* Hearing hellos. */

/* Takes in who 'peer' is: 'remote', or NULL if it cannot be known. */
static void
take_remote(struct peering *p, struct peer *peer, struct remote *remote,
            long long int now)
{
    char target[ENDPOINT_TEXT_SIZE];

    if (peer->remote == remote) {
        return;
    }
    if (peer->remote && remote) {
        VLOG_INFO("peer %s: %s is another relay now, %016" PRIx64, peer->name,
                  endpoint_format(&peer->target, target), remote->id);
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
            VLOG_INFO("peer %s: relay %016" PRIx64 " has started anew",
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

/* Takes in the hello 'w' from 'peer', or from a sender that is accepted if
 * that is NULL. */
static bool
take_hello(struct peering *p, struct mesh *mesh, struct peer *peer,
           const struct wire *w, long long int now_us)
{
    const long long int now = now_us / 1000;
    struct hello h;

    if (!hello_decode(w->body, w->length, &h)) {
        return false;
    } else if (!self_is_known(&p->self)) {
        return true; /* It will say hello again. */
    }

    /* The number that it echoes tells better than its address which of the
     * ways this is. */
    struct peer *echoed = h.echo_session == p->self.session
                              ? peers_by_path(&p->peers, h.echo_path)
                              : NULL;
    if (echoed && peer_is_greeted(echoed)) {
        peer = echoed;
    }

    struct remote *remote =
        remotes_get(&p->remotes, w->relay_id, w->session, now);
    if (!remote || !take_session(remote, w->session, now)) {
        return true;
    }
    remote->heard = now;
    window_expect(&remote->window, w->seq);
    if (!peer || !peer_is_greeted(peer)) {
        return true;
    }

    uint8_t version = remote->version;
    if (remote_take_hello(remote, &h)) {
        peer_macs_note(&p->macs, now);
    }
    take_remote(p, peer, remote, now);
    if (greeting_take(&p->self, peer, &h, w, now_us)) {
        state_changed(p, peer);
    }
    check_in_time(p, peer);
    if (version != remote->version) {
        peers_choose_targets(&p->peers);
    }
    if (h.answer && !p->left
        && now - peer->last_answer >= PEERING_MIN_ANSWER_MS) {
        peer->last_answer = now;
        say_hello(p, mesh, peer, now_us);
        mesh_flush(mesh);
    }
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
            state_changed(p, peer);
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
    char target[ENDPOINT_TEXT_SIZE];
    struct hello h;

    if (w->session != p->self.session) {
        VLOG_WARN_RL(&rl,
                     "the relay at %s has this relay's id %016" PRIx64
                     "; give one of them another mesh.relay_id",
                     address_format(&d->from.address, from), p->self.id);
    } else if (w->kind == WIRE_HELLO && hello_decode(w->body, w->length, &h)) {
        struct peer *peer = peers_by_path(&p->peers, h.path);

        if (peer && peer_is_greeted(peer)) {
            VLOG_INFO("peer %s: %s is this relay, set aside", peer->name,
                      endpoint_format(&peer->target, target));
            peer_set_self(&p->peers, peer, now);
            peers_choose_targets(&p->peers);
            peer_macs_note(&p->macs, now);
        }
    }
}

/* Says that 'd' came from nobody we know. */
static void
refuse_sender(const struct mesh_datagram *d)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    char from[INET6_ADDRSTRLEN];

    VLOG_WARN_RL(&rl,
                 "datagram from %s dropped: no peer has this address, "
                 "nor does mesh.accept",
                 address_format(&d->from.address, from));
}

/* Returns true if the frame 'w' has not come before, and counts it. */
static bool
is_new_frame(struct peering *p, const struct wire *w, long long int now)
{
    struct remote *remote =
        remotes_get(&p->remotes, w->relay_id, w->session, now);

    return (remote && take_session(remote, w->session, now)
            && window_take(&remote->window, w->seq) == WINDOW_NEW);
}

enum peering_verdict
peering_take(struct peering *p, struct mesh *mesh,
             const struct mesh_datagram *d, const struct wire *w,
             long long int now_us, int *reason)
{
    const long long int now = now_us / 1000;
    struct peer *peer;

    if (w->kind >= WIRE_FRAME && w->relay_id == p->self.id) {
        hear_self(p, d, w, now);
        *reason = DROP_OWN;
        return PEERING_DROP;
    }
    if (peers_identify(&p->peers, &d->from, &peer) == ORIGIN_UNKNOWN) {
        refuse_sender(d);
        *reason = DROP_UNKNOWN_SENDER;
        return PEERING_DROP;
    }
    if (peer && (w->kind == WIRE_FRAME || w->kind == WIRE_SNOWSIGNAL)) {
        peer->rx++;
        peer->rx_bytes += w->length;
    }
    if (d->truncated) {
        *reason = FRAME_OVERSIZE;
        return PEERING_DROP;
    }

    switch (w->kind) {
    case WIRE_MALFORMED:
    case WIRE_OTHER: *reason = DROP_FORMAT; return PEERING_DROP;

    case WIRE_NEWER: *reason = DROP_VERSION; return PEERING_DROP;

    case WIRE_SNOWSIGNAL:
        if (peer && peer_is_greeted(peer)
            && liveness_snowsignal(&peer->liveness, now)) {
            take_remote(p, peer, NULL, now);
            state_changed(p, peer);
        }
        return PEERING_FRAME;

    case WIRE_FRAME:
        if (!is_new_frame(p, w, now)) {
            *reason = DROP_DUPLICATE;
            return PEERING_DROP;
        }
        if (peer && peer->remote && peer->remote->id == w->relay_id) {
            liveness_frame(&peer->liveness, now);
        }
        return PEERING_FRAME;

    case WIRE_HELLO:
        if (!take_hello(p, mesh, peer, w, now_us)) {
            *reason = DROP_FORMAT;
            return PEERING_DROP;
        }
        return PEERING_CONTROL;

    case WIRE_BYE: take_bye(p, w, now); return PEERING_CONTROL;
    }
    OVS_NOT_REACHED();
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
