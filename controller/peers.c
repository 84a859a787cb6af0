/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peers.h"

#include <string.h>

#include "hash.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(peers);

/* One address of a peer. */
struct peer_address {
    struct hmap_node node; /* In "struct peers" 'by_address'. */
    struct in6_addr address;
    struct peer *peer;
};

void
peers_init(struct peers *peers)
{
    memset(peers, 0, sizeof *peers);
    hmap_init(&peers->by_address);
}

static void
peer_destroy(struct peer *peer)
{
    free(peer->spec.text);
    free(peer->spec.host);
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
    for (size_t i = 0; i < peers->n_all; i++) {
        peer_destroy(peers->all[i]);
    }
    forget_addresses(peers);
    hmap_destroy(&peers->by_address);
    free(peers->all);
    free(peers->targets);
    free(peers->accept);
}

/* Makes a peer of 'spec'. */
static struct peer *
peer_create(const struct peer_spec *spec)
{
    struct peer *peer = xzalloc(sizeof *peer);

    peer->spec.text = xstrdup(spec->text);
    peer->spec.host = xstrdup(spec->host);
    peer->spec.port = spec->port;
    peer->state = PEER_UNRESOLVED;
    if (address_from_text(spec->host, &peer->addresses[0])) {
        peer->n_addresses = 1;
    } else {
        peer->by_name = true;
    }
    return peer;
}

/* Removes the peer of the same host and port as 'spec' from the 'n' peers at
 * 'old' and returns it, or returns NULL if there is none. */
static struct peer *
take_peer(struct peer **old, size_t n, const struct peer_spec *spec)
{
    for (size_t i = 0; i < n; i++) {
        struct peer *peer = old[i];

        if (peer && peer->spec.port == spec->port
            && !strcmp(peer->spec.host, spec->host)) {
            old[i] = NULL;
            return peer;
        }
    }
    return NULL;
}

void
peers_configure(struct peers *peers, const struct peer_spec *specs,
                size_t n_specs, const struct subnet *accept, size_t n_accept)
{
    struct peer **old = peers->all;
    size_t n_old = peers->n_all;

    peers->n_targets = 0;
    forget_addresses(peers);

    peers->all = xcalloc(n_specs, sizeof *peers->all);
    peers->n_all = n_specs;
    for (size_t i = 0; i < n_specs; i++) {
        struct peer *peer = take_peer(old, n_old, &specs[i]);
        peers->all[i] = peer ? peer : peer_create(&specs[i]);
    }

    for (size_t i = 0; i < n_old; i++) {
        if (old[i]) {
            peer_destroy(old[i]);
        }
    }
    free(old);

    free(peers->targets);
    peers->targets = xcalloc(n_specs, sizeof *peers->targets);
    free(peers->accept);
    peers->accept = xmemdup(accept, n_accept * sizeof *accept);
    peers->n_accept = n_accept;
}

/* Returns the peer that has 'address', or NULL. */
static struct peer *
find_by_address(const struct peers *peers, const struct in6_addr *address)
{
    uint32_t hash = hash_bytes(address, sizeof *address, 0);
    struct peer_address *pa;

    HMAP_FOR_EACH_WITH_HASH(pa, node, hash, &peers->by_address)
    {
        if (ipv6_addr_equals(&pa->address, address)) {
            return pa->peer;
        }
    }
    return NULL;
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
    const struct in6_addr *chosen = NULL;

    for (size_t i = 0; i < peer->n_addresses; i++) {
        const struct in6_addr *address = &peer->addresses[i];

        if (can_send_to(self, address)
            && (!chosen
                || (peer->chosen
                    && ipv6_addr_equals(address, &peer->target.address)))) {
            chosen = address;
        }
    }
    peer->target.address = chosen ? *chosen : peer->addresses[0];
    peer->target.port = peer->spec.port;
    peer->chosen = chosen != NULL;
    return peer->chosen;
}

/* Returns what 'peer', whose target is chosen, is to us. */
static enum peer_state
judge_peer(const struct peers *peers, const struct peer *peer,
           const struct peers_self *self)
{
    for (size_t i = 0; i < self->n_own; i++) {
        if (endpoint_equal(&self->own[i], &peer->target)) {
            return PEER_OWN;
        }
    }
    for (size_t i = 0; i < peers->n_targets; i++) {
        if (endpoint_equal(&peers->targets[i]->target, &peer->target)) {
            return PEER_DUPLICATE;
        }
    }
    return PEER_READY;
}

/* Says what changed about 'peer'. */
static void
log_change(const struct peer *peer, enum peer_state old_state,
           const struct endpoint *old_target)
{
    char target[ENDPOINT_TEXT_SIZE];

    if (peer->state == old_state
        && (peer->state == PEER_UNRESOLVED
            || endpoint_equal(old_target, &peer->target))) {
        return;
    }
    endpoint_format(&peer->target, target);
    switch (peer->state) {
    case PEER_READY:
        VLOG_INFO("peer %s: sending to %s", peer->spec.text, target);
        break;
    case PEER_OWN:
        VLOG_INFO("peer %s: %s is this relay, set aside", peer->spec.text,
                  target);
        break;
    case PEER_DUPLICATE:
        VLOG_INFO("peer %s: %s is another peer's address, set aside",
                  peer->spec.text, target);
        break;
    case PEER_UNREACHABLE:
        VLOG_WARN("peer %s: mesh.address does not let us send to %s",
                  peer->spec.text, target);
        break;
    case PEER_UNRESOLVED: break;
    }
}

void
peers_update(struct peers *peers, const struct resolver *resolver,
             const struct peers_self *self)
{
    forget_addresses(peers);
    peers->n_targets = 0;

    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];
        const enum peer_state old_state = peer->state;
        const struct endpoint old_target = peer->target;

        if (peer->by_name) {
            const struct resolution *found =
                resolver_get(resolver, peer->spec.host);
            memcpy(peer->addresses, found->addresses, sizeof peer->addresses);
            peer->n_addresses = found->n;
        }
        if (!peer->n_addresses) {
            peer->state = PEER_UNRESOLVED;
            continue;
        }

        peer->state =
            (choose_target(peer, self) ? judge_peer(peers, peer, self)
                                       : PEER_UNREACHABLE);
        if (peer->state == PEER_READY) {
            peers->targets[peers->n_targets++] = peer;
        }
        log_change(peer, old_state, &old_target);

        for (size_t j = 0; j < peer->n_addresses; j++) {
            const struct in6_addr *address = &peer->addresses[j];
            if (peer->state == PEER_READY
                && !find_by_address(peers, address)) {
                struct peer_address *pa = xmalloc(sizeof *pa);
                pa->address = *address;
                pa->peer = peer;
                hmap_insert(&peers->by_address, &pa->node,
                            hash_bytes(address, sizeof *address, 0));
            }
        }
    }
}

enum peers_origin
peers_identify(const struct peers *peers, const struct in6_addr *address,
               struct peer **peer)
{
    *peer = find_by_address(peers, address);
    if (*peer) {
        return ORIGIN_PEER;
    }
    for (size_t i = 0; i < peers->n_accept; i++) {
        if (subnet_contains(&peers->accept[i], address)) {
            return ORIGIN_ACCEPTED;
        }
    }
    return ORIGIN_UNKNOWN;
}

const char *
peer_state_name(enum peer_state state)
{
    switch (state) {
    case PEER_READY: return "ready";
    case PEER_UNRESOLVED: return "unresolved";
    case PEER_UNREACHABLE: return "unreachable";
    case PEER_OWN: return "own";
    case PEER_DUPLICATE: return "duplicate";
    }
    OVS_NOT_REACHED();
}
