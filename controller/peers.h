/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PEERS_H
#define SNOWRELAY_PEERS_H 1

/* Peers: the other relays, by address.
 *
 * The roster (roster.h) says which there should be; what is known of one that
 * stays, stays.  A peer is sent to at one of its addresses, which remains the
 * same as long as the peer has it, and heard from all of them.
 *
 * A datagram is a peer's if it comes from one of the peer's addresses,
 * whatever its source port: SnowSignal sends from a new port each time.  Where
 * several peers share an address the source port decides, if it is one of
 * theirs.  A relay with several addresses may also send from one it is not
 * known by; such addresses are listed as subnets to accept from besides.
 *
 * One's own address may be among the peers, because the same list is given to
 * every relay: that one is set aside, and so is an address that another peer
 * has already, and a peer that turns out to be the same relay as another one.
 * Those that a name to discover by leads to are not even peers then.
 *
 * Pure: the caller brings addresses and datagrams. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"
#include "openvswitch/hmap.h"
#include "peer.h"
#include "roster.h"
#include "wire.h"

/* How long a peer that answered with this relay's own id is set aside. */
enum { PEERS_SELF_MS = 60000 };

/* A path that is no peer's: of answers to those who have the key of the mesh
 * and are no peers of ours. */
#define PEERS_NO_PATH UINT32_MAX

struct peers {
    struct peer **all; /* In the order of the roster. */
    size_t n_all;
    struct peer **targets; /* Those that get frames. */
    size_t n_targets;

    struct hmap by_name;    /* Of "struct peer". */
    struct hmap by_path;    /* The same. */
    struct hmap by_address; /* Of "struct peer_address". */
    struct subnet *accept;
    size_t n_accept;
    uint32_t last_path;
    unsigned int seqno;        /* Grows with each peers_choose_targets(). */
    unsigned int tunnel_seqno; /* Grows when what is known of a peer's tunnel
                                * changes. */

    /* Header of frames in our own format, but for their number. */
    uint8_t header[WIRE_HEADER_LEN];

    /* Is the mesh sealed?  Then nobody gets frames who does not say hello. */
    bool sealed;
};

/* Where a datagram came from. */
enum peers_origin {
    ORIGIN_UNKNOWN, /* From nobody we know. */
    ORIGIN_PEER,    /* From a peer. */
    ORIGIN_ACCEPTED /* From a subnet to accept from. */
};

void peers_init(struct peers *);
void peers_destroy(struct peers *);

/* Makes the 'n' subnets in 'accept', which are copied, those to accept from.
 */
void peers_set_accept(struct peers *, const struct subnet *accept, size_t n);

/* What peers_update() has to know of this relay. */
struct peers_self {
    bool ipv4, ipv6; /* Can the mesh send to these families? */

    /* The endpoints that lead to this relay, and those of all of this host's
     * addresses, which nobody else can have. */
    const struct endpoint *own;
    size_t n_own;
    const struct endpoint *local;
    size_t n_local;
};

/* Makes the 'n' 'entries' the peers.  One that is there already keeps what is
 * known of it, also if it is known from elsewhere now.  One that is in no
 * entry goes, unless 'keep'.  Returns true if any was kept so.
 * peers_choose_targets() must follow. */
bool peers_update(struct peers *, const struct roster_entry *entries, size_t n,
                  const struct peers_self *self, bool keep, long long int now);

/* Works out who gets frames, and in which format.  To be called whenever a
 * peer's state or remote has changed. */
void peers_choose_targets(struct peers *);

/* Returns where a datagram from 'from' is from.  If the answer is ORIGIN_PEER
 * stores the peer in '*peer', otherwise NULL. */
enum peers_origin
peers_identify(const struct peers *, const struct endpoint *from,
               struct peer **peer);

/* Returns the peer with our number 'path', or NULL. */
struct peer *peers_by_path(const struct peers *, uint32_t path);

/* Gives 'peer' another number, which no other has. */
void peers_renumber(struct peers *, struct peer *peer);

/* Notes that 'peer' is this relay, by an address that it did not know for its
 * own.  That holds as long as the peer has the address, but not after
 * PEERS_SELF_MS: the address may have become somebody else's. */
void peer_set_self(struct peers *, struct peer *peer, long long int now);

/* Returns when peers_update() is to ask anew whether a peer is this relay, ms,
 * LLONG_MAX for never. */
long long int peers_self_deadline(const struct peers *);

#endif /* peers.h */
