/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PEERS_H
#define SNOWRELAY_PEERS_H 1

/* Peers: the other relays, by address.
 *
 * A peer is configured by an address or by a name.  A name's addresses come
 * from the resolver; the peer is sent to at one of them, which stays the same
 * as long as the name has it, and heard from all of them.
 *
 * A datagram is a peer's if it comes from one of the peer's addresses,
 * whatever its source port: SnowSignal sends from a new port each time.  A
 * relay with several addresses may also send from one it is not known by; such
 * addresses are listed as subnets to accept from besides.
 *
 * One's own address may be among the peers, because the same list is given to
 * every relay: that one is set aside, and so is an address that another peer
 * has already.
 *
 * Pure: the caller brings addresses and datagrams. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"
#include "openvswitch/hmap.h"
#include "resolver.h"

/* What a peer is configured by. */
struct peer_spec {
    char *text; /* As the user wrote it. */
    char *host; /* Address or name. */
    uint16_t port;
};

enum peer_state {
    PEER_READY,       /* Has an address: is sent to. */
    PEER_UNRESOLVED,  /* Its name has no address yet. */
    PEER_UNREACHABLE, /* All its addresses are of a family that the
                       * mesh cannot send to. */
    PEER_OWN,         /* Is this relay: set aside. */
    PEER_DUPLICATE    /* Has the address of a peer before it. */
};

struct peer {
    struct peer_spec spec;
    bool by_name; /* Is 'spec.host' a name? */
    enum peer_state state;

    struct in6_addr addresses[RESOLVER_MAX_ADDRESSES];
    size_t n_addresses;
    struct endpoint target;     /* Where to send; valid in PEER_READY. */
    bool chosen;                /* Has 'target' been chosen? */
    struct sockaddr_storage ss; /* 'target' as mesh_address_peer() wrote it. */
    socklen_t ss_len;

    /* Statistics. */
    uint64_t tx;        /* Frames sent to it. */
    uint64_t tx_errors; /* Frames that could not be sent to it. */
    uint64_t rx;        /* Datagrams received from it. */
};

struct peers {
    struct peer **all; /* In the order of the configuration. */
    size_t n_all;
    struct peer **targets; /* Those that are PEER_READY. */
    size_t n_targets;

    struct hmap by_address; /* Of "struct peer_address". */
    struct subnet *accept;
    size_t n_accept;
};

/* Where a datagram came from. */
enum peers_origin {
    ORIGIN_UNKNOWN, /* From nobody we know. */
    ORIGIN_PEER,    /* From a peer. */
    ORIGIN_ACCEPTED /* From a subnet to accept from. */
};

void peers_init(struct peers *);
void peers_destroy(struct peers *);

/* Makes the 'n_specs' peers in 'specs' the peers, and the 'n_accept' subnets
 * in 'accept' those to accept from.  Both are copied.  A peer that was there
 * before keeps its addresses and statistics. */
void
peers_configure(struct peers *, const struct peer_spec *specs, size_t n_specs,
                const struct subnet *accept, size_t n_accept);

/* What peers_update() has to know of this relay. */
struct peers_self {
    bool ipv4, ipv6;            /* Can the mesh send to these families? */
    const struct endpoint *own; /* The relay's own endpoints. */
    size_t n_own;
};

/* Takes the addresses of peers that are known by name from 'resolver', whose
 * names must include them, and works out who is sent to. */
void peers_update(struct peers *, const struct resolver *resolver,
                  const struct peers_self *self);

/* Returns where a datagram from 'address' is from.  If the answer is
 * ORIGIN_PEER stores the peer in '*peer', otherwise NULL. */
enum peers_origin
peers_identify(const struct peers *, const struct in6_addr *address,
               struct peer **peer);

/* A word for 'state', such as "ready". */
const char *peer_state_name(enum peer_state state);

#endif /* peers.h */
