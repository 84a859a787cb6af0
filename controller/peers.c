/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peers.h"

#include <limits.h>
#include <sodium.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "remotes.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(peers);

/* One address of a peer. */
struct peer_address {
    struct hmap_node node; /* In "struct peers" 'by_address'. */
    struct endpoint endpoint;
    struct peer *peer;
};

/* Life. */

void
peers_init(struct peers *peers)
{
    memset(peers, 0, sizeof *peers);
    hmap_init(&peers->by_name);
    hmap_init(&peers->by_path);
    hmap_init(&peers->by_address);
}

static void
peer_destroy(struct peers *peers, struct peer *peer)
{
    peer_set_remote(peer, NULL);
    hmap_remove(&peers->by_path, &peer->path_node);
    sodium_memzero(&peer->sealer, sizeof peer->sealer);
    free(peer->name);
    free(peer->endpoints);
    free(peer);
}

static void
forget_addresses(struct peers *peers)
{
    struct peer_address *pa;

    HMAP_FOR_EACH_POP (pa, node, &peers->by_address) {
        free(pa);
    }
}

void
peers_destroy(struct peers *peers)
{
    struct peer *peer;

    HMAP_FOR_EACH_POP (peer, name_node, &peers->by_name) {
        peer_destroy(peers, peer);
    }
    forget_addresses(peers);
    hmap_destroy(&peers->by_address);
    hmap_destroy(&peers->by_name);
    hmap_destroy(&peers->by_path);
    free(peers->all);
    free(peers->targets);
    free(peers->accept);
}

void
peers_set_accept(struct peers *peers, const struct subnet *accept, size_t n)
{
    free(peers->accept);
    peers->accept = xmemdup(accept, n * sizeof *accept);
    peers->n_accept = n;
}

/* Gives 'peer' a number that no other has. */
static void
number_peer(struct peers *peers, struct peer *peer)
{
    do {
        peers->last_path++;
    } while (!peers->last_path || peers->last_path == PEERS_NO_PATH
             || peers_by_path(peers, peers->last_path));
    peer->path = peers->last_path;
    hmap_insert(&peers->by_path, &peer->path_node, hash_int(peer->path, 0));
}

void
peers_renumber(struct peers *peers, struct peer *peer)
{
    if (peer->path) {
        hmap_remove(&peers->by_path, &peer->path_node);
    }
    number_peer(peers, peer);
}

/* Forgets what is known of who is where 'peer' is sent to. */
static void
forget_contact(struct peers *peers, struct peer *peer, long long int now)
{
    peer_set_remote(peer, NULL);
    peers_renumber(peers, peer);
    peer_tunnel_init(&peer->tunnel);
    peer->has_echo = false;
    peer->n_answers = 0;
    peer->up_since = 0;
    liveness_init(&peer->liveness, now);
}

/* Finding. */

static uint32_t
hash_address(const struct in6_addr *address)
{
    return hash_bytes(address, sizeof *address, 0);
}

/* Returns who has just 'endpoint', or NULL. */
static struct peer_address *
find_address(const struct peers *peers, const struct endpoint *endpoint)
{
    struct peer_address *pa;

    HMAP_FOR_EACH_WITH_HASH(pa, node, hash_address(&endpoint->address),
                            &peers->by_address)
    {
        if (endpoint_equal(&pa->endpoint, endpoint)) {
            return pa;
        }
    }
    return NULL;
}

/* Returns the peer that is sent to at 'endpoint', or NULL. */
static struct peer *
find_target(const struct peers *peers, const struct endpoint *endpoint)
{
    const struct peer_address *pa = find_address(peers, endpoint);

    return (pa && endpoint_equal(&pa->peer->target, endpoint) ? pa->peer
                                                              : NULL);
}

/* Notes that 'peer' has 'endpoint'.  Of several peers that have it the first
 * counts, but for one that is sent to there. */
static void
add_address(struct peers *peers, struct peer *peer,
            const struct endpoint *endpoint)
{
    struct peer_address *pa = find_address(peers, endpoint);

    if (!pa) {
        pa = xmalloc(sizeof *pa);
        pa->endpoint = *endpoint;
        pa->peer = peer;
        hmap_insert(&peers->by_address, &pa->node,
                    hash_address(&endpoint->address));
    } else if (endpoint_equal(&peer->target, endpoint)) {
        pa->peer = peer;
    }
}

enum peers_origin
peers_identify(const struct peers *peers, const struct endpoint *from,
               struct peer **peer)
{
    struct peer_address *pa;

    *peer = NULL;
    HMAP_FOR_EACH_WITH_HASH(pa, node, hash_address(&from->address),
                            &peers->by_address)
    {
        if (ipv6_addr_equals(&pa->endpoint.address, &from->address)
            && (!*peer || pa->endpoint.port == from->port)) {
            *peer = pa->peer;
        }
    }
    if (*peer) {
        return ORIGIN_PEER;
    }
    for (size_t i = 0; i < peers->n_accept; i++) {
        if (subnet_contains(&peers->accept[i], &from->address)) {
            return ORIGIN_ACCEPTED;
        }
    }
    return ORIGIN_UNKNOWN;
}

struct peer *
peers_by_path(const struct peers *peers, uint32_t path)
{
    struct peer *peer;

    HMAP_FOR_EACH_WITH_HASH(peer, path_node, hash_int(path, 0),
                            &peers->by_path)
    {
        if (peer->path == path) {
            return peer;
        }
    }
    return NULL;
}

/* Updating: a peer of the roster takes over what was known of the same peer
 * before, found by its name, or else by its address. */

/* Returns true if 'source' makes a peer of each address of a name. */
static bool
is_of_one_address(enum roster_source source)
{
    return source == ROSTER_DISCOVERED;
}

static uint32_t
hash_name(const char *name, enum roster_source source,
          const struct endpoint *endpoint)
{
    uint32_t hash = hash_string(name, is_of_one_address(source));

    return (is_of_one_address(source) ? hash_bytes(
                &endpoint->address, sizeof endpoint->address, hash)
                                      : hash);
}

/* Removes from 'by_name' the peer that 'e' is by its name, and returns it, or
 * returns NULL.  Of several with the same name it is first the one that was
 * not set aside. */
static struct peer *
take_by_name(struct peers *peers, const struct roster_entry *e)
{
    bool one = is_of_one_address(e->source);
    struct peer *peer, *found = NULL;

    HMAP_FOR_EACH_WITH_HASH(peer, name_node,
                            hash_name(e->name, e->source, e->endpoints),
                            &peers->by_name)
    {
        if (!strcmp(peer->name, e->name)
            && is_of_one_address(peer->source) == one
            && (!one || endpoint_equal(&peer->target, &e->endpoints[0]))
            && (!found || peer->role == PEER_OTHER)) {
            found = peer;
        }
    }
    if (found) {
        hmap_remove(&peers->by_name, &found->name_node);
    }
    return found;
}

/* Removes from 'by_name' a peer that is sent to at an address of 'e', and
 * returns it, or returns NULL. */
static struct peer *
take_by_address(struct peers *peers, const struct roster_entry *e)
{
    for (size_t i = 0; i < e->n; i++) {
        struct peer *peer = find_target(peers, &e->endpoints[i]);

        if (peer && hmap_contains(&peers->by_name, &peer->name_node)) {
            hmap_remove(&peers->by_name, &peer->name_node);
            return peer;
        }
    }
    return NULL;
}

/* Makes 'peer', or a new one if that is NULL, the one that 'e' asks for. */
static struct peer *
fill_peer(struct peers *peers, struct peer *peer, const struct roster_entry *e,
          long long int now)
{
    if (!peer) {
        peer = xzalloc(sizeof *peer);
        peer->log = (struct vlog_rate_limit) VLOG_RATE_LIMIT_INIT(6, 20);
        peer->role = PEER_UNRESOLVED;
        forget_contact(peers, peer, now);
    }
    if (!peer->name || strcmp(peer->name, e->name)) {
        free(peer->name);
        peer->name = xstrdup(e->name);
    }
    peer->source = e->source;
    free(peer->endpoints);
    peer->endpoints = xmemdup(e->endpoints, e->n * sizeof *e->endpoints);
    peer->n_endpoints = e->n;
    return peer;
}

/* Returns true if the mesh can send to 'address'. */
static bool
can_send_to(const struct peers_self *self, const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address) ? self->ipv4 : self->ipv6;
}

/* Chooses which of its addresses 'peer' is sent to at: the one it has, if it
 * still is among them, or else the first that the mesh can send to.  Returns
 * false if there is none. */
static bool
choose_target(struct peer *peer, const struct peers_self *self)
{
    const struct endpoint *chosen = NULL;

    for (size_t i = 0; i < peer->n_endpoints; i++) {
        const struct endpoint *endpoint = &peer->endpoints[i];

        if (can_send_to(self, &endpoint->address)
            && (!chosen
                || (peer->chosen
                    && endpoint_equal(endpoint, &peer->target)))) {
            chosen = endpoint;
        }
    }
    peer->target = chosen ? *chosen : peer->endpoints[0];
    peer->chosen = chosen != NULL;
    return peer->chosen;
}

static bool
is_among(const struct endpoint *endpoint, const struct endpoint *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (endpoint_equal(&all[i], endpoint)) {
            return true;
        }
    }
    return false;
}

/* Returns what 'peer', whose target is chosen, is to us. */
static enum peer_role
judge_peer(const struct peers *peers, const struct peer *peer,
           const struct peers_self *self)
{
    if (peer->source == ROSTER_SELF) {
        return PEER_OTHER;
    }
    if (peer->self_until || is_among(&peer->target, self->own, self->n_own)
        || (peer->source == ROSTER_DISCOVERED
            && is_among(&peer->target, self->local, self->n_local))) {
        return PEER_OWN;
    }
    return find_target(peers, &peer->target) ? PEER_DUPLICATE : PEER_OTHER;
}

/* Says what changed about 'peer'. */
static void
log_change(const struct peer *peer, enum peer_role old_role,
           const struct endpoint *old_target)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 100);
    char target[ENDPOINT_TEXT_SIZE];

    if (peer->told_self
        && (peer->role == PEER_OTHER || peer->role == PEER_OWN)) {
        return; /* It is asked again now and then whether it still is. */
    }
    if (peer->role == old_role
        && (peer->role == PEER_UNRESOLVED
            || endpoint_equal(old_target, &peer->target))) {
        return;
    }
    endpoint_format(&peer->target, target);
    switch (peer->role) {
    case PEER_OTHER:
        VLOG_INFO_RL(&rl, "peer %s: sending to %s", peer->name, target);
        break;
    case PEER_OWN:
        VLOG_INFO_RL(&rl, "peer %s: %s is this relay, set aside", peer->name,
                     target);
        break;
    case PEER_DUPLICATE:
        VLOG_INFO_RL(&rl, "peer %s: %s is another peer's address, set aside",
                     peer->name, target);
        break;
    case PEER_UNREACHABLE:
        VLOG_WARN_RL(&rl, "peer %s: mesh.address does not let us send to %s",
                     peer->name, target);
        break;
    case PEER_UNRESOLVED: break;
    }
}

/* Works out where 'peer' is sent to and what it is to us. */
static void
place_peer(struct peers *peers, struct peer *peer,
           const struct peers_self *self, long long int now)
{
    const enum peer_role old_role = peer->role;
    const struct endpoint old_target = peer->target;
    bool moved = false;

    if (now >= peer->self_until) {
        peer->self_until = 0;
    }
    if (!peer->n_endpoints) {
        peer->role = PEER_UNRESOLVED;
    } else {
        bool reachable = choose_target(peer, self);

        moved = !endpoint_equal(&old_target, &peer->target);
        if (moved) {
            peer->self_until = 0;
        }
        peer->told_self &= !moved;
        peer->role =
            reachable ? judge_peer(peers, peer, self) : PEER_UNREACHABLE;
    }
    if (moved || (old_role == PEER_OTHER && peer->role != PEER_OTHER)) {
        forget_contact(peers, peer, now);
    }
    if (peer->source != ROSTER_DISCOVERED || peer->role == PEER_OTHER) {
        log_change(peer, old_role, &old_target);
    }
}

/* Says that 'peer' goes. */
static void
log_departure(const struct peer *peer)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 100);
    char target[ENDPOINT_TEXT_SIZE];

    if (peer->role == PEER_OTHER) {
        VLOG_INFO_RL(&rl, "peer %s: %s is a peer no longer", peer->name,
                     endpoint_format(&peer->target, target));
    }
}

/* Makes 'peer', which is at its place, one of the peers, unless nobody asked
 * for it by itself and it is to be set aside. */
static void
put_peer(struct peers *peers, struct peer *peer)
{
    if (peer->source != ROSTER_DISCOVERED
        || (peer->role != PEER_OWN && peer->role != PEER_DUPLICATE)) {
        peers->all[peers->n_all++] = peer;
    } else if (!peer->self_until) {
        peer_destroy(peers, peer);
        return;
    }
    hmap_insert(&peers->by_name, &peer->name_node,
                hash_name(peer->name, peer->source, &peer->target));
    for (size_t i = 0; peer->role == PEER_OTHER && i < peer->n_endpoints;
         i++) {
        add_address(peers, peer, &peer->endpoints[i]);
    }
}

/* Removes from 'by_name' the peers that the 'n' 'entries' are, and stores them
 * in 'found', NULL for those that are new. */
static void
take_peers(struct peers *peers, const struct roster_entry *entries, size_t n,
           struct peer **found)
{
    /* Of those of one address who is first has it, whatever its name. */
    for (size_t i = 0; i < n; i++) {
        if (!is_of_one_address(entries[i].source)) {
            found[i] = take_by_name(peers, &entries[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!found[i] || found[i]->role == PEER_UNRESOLVED) {
            struct peer *peer = take_by_address(peers, &entries[i]);

            if (peer && found[i]) {
                peer_destroy(peers, found[i]);
            }
            found[i] = peer ? peer : found[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!found[i] && is_of_one_address(entries[i].source)) {
            found[i] = take_by_name(peers, &entries[i]);
        }
    }
}

/* Takes the peers that are still in 'by_name' out of it.  Stores those that
 * are sent to in 'kept' if 'keep', and destroys the others.  Returns how many
 * were stored. */
static size_t
take_others(struct peers *peers, bool keep, struct peer **kept)
{
    struct peer *peer;
    size_t n = 0;

    HMAP_FOR_EACH_POP (peer, name_node, &peers->by_name) {
        if (keep && peer->role == PEER_OTHER && peer->source != ROSTER_SELF) {
            kept[n++] = peer;
        } else {
            log_departure(peer);
            peer_destroy(peers, peer);
        }
    }
    return n;
}

bool
peers_update(struct peers *peers, const struct roster_entry *entries, size_t n,
             const struct peers_self *self, bool keep, long long int now)
{
    struct peer **found = xcalloc(n, sizeof *found);
    struct peer **kept = xcalloc(hmap_count(&peers->by_name), sizeof *kept);

    take_peers(peers, entries, n, found);
    size_t n_kept = take_others(peers, keep, kept);
    forget_addresses(peers);

    free(peers->all);
    peers->all = xcalloc(n + n_kept, sizeof *peers->all);
    peers->n_all = 0;
    for (size_t i = 0; i < n; i++) {
        struct peer *peer = fill_peer(peers, found[i], &entries[i], now);

        place_peer(peers, peer, self, now);
        put_peer(peers, peer);
    }
    for (size_t i = 0; i < n_kept; i++) {
        place_peer(peers, kept[i], self, now);
        put_peer(peers, kept[i]);
    }
    free(found);
    free(kept);

    free(peers->targets);
    peers->targets = xcalloc(peers->n_all, sizeof *peers->targets);
    peers->n_targets = 0;
    return n_kept > 0;
}

void
peer_set_self(struct peers *peers, struct peer *peer, long long int now)
{
    struct peer_address *pa;

    HMAP_FOR_EACH_SAFE (pa, node, &peers->by_address) {
        if (pa->peer == peer) {
            hmap_remove(&peers->by_address, &pa->node);
            free(pa);
        }
    }
    if (!peer->told_self) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 20);
        char target[ENDPOINT_TEXT_SIZE];

        peer->told_self = true;
        VLOG_INFO_RL(&rl, "peer %s: %s is this relay, set aside", peer->name,
                     endpoint_format(&peer->target, target));
    }
    peer->self_until = now + PEERS_SELF_MS;
    peer->role = PEER_OWN;
    forget_contact(peers, peer, now);
}

long long int
peers_self_deadline(const struct peers *peers)
{
    long long int deadline = LLONG_MAX;
    const struct peer *peer;

    HMAP_FOR_EACH (peer, name_node, &peers->by_name) {
        if (peer->self_until) {
            deadline = MIN(deadline, peer->self_until);
        }
    }
    return deadline;
}

/* Who gets frames. */

/* Returns true if 'peer' may get frames, but for others that lead to the same
 * remote. */
static bool
may_get_frames(const struct peers *peers, const struct peer *peer)
{
    if (peer->role != PEER_OTHER || peer_is_on_segment(peer)) {
        return false;
    } else if (peers->sealed) {
        return (peer->remote && peer->remote->version
                && liveness_is_heard(&peer->liveness)
                && sealer_is_set(&peer->sealer));
    }
    return (peer->source == ROSTER_SELF
            || peer->liveness.state != LIVENESS_PROBING);
}

/* Returns how well frames get to 'peer', for comparison. */
static int
quality(const struct peer *peer)
{
    return (peer->liveness.state == LIVENESS_UP
                ? 2
                : liveness_is_heard(&peer->liveness));
}

/* Makes 'peer' the one by which its remote gets frames, if it is better than
 * who is that. */
static void
prefer(struct peer *peer)
{
    struct peer **best = &peer->remote->peer;

    if (!*best || quality(peer) > quality(*best)) {
        *best = peer;
    }
}

void
peers_choose_targets(struct peers *peers)
{
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];

        if (peer->remote && may_get_frames(peers, peer)) {
            prefer(peer);
        }
    }

    peers->seqno++;
    peers->n_targets = 0;
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];

        peer->speaks_ours = false;
        if (may_get_frames(peers, peer)
            && (!peer->remote || peer->remote->peer == peer)) {
            peer->speaks_ours = (peer->remote && peer->remote->version
                                 && liveness_is_heard(&peer->liveness));
            peers->targets[peers->n_targets++] = peer;
        }
    }
}
