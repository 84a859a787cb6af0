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
#include "liveness.h"
#include "openvswitch/hmap.h"
#include "roster.h"
#include "wire.h"

struct remote;

enum { PEERS_SELF_MS = 60000 };

/* What a peer is to us. */
enum peer_role {
    PEER_UNRESOLVED,  /* Its name has no address yet. */
    PEER_UNREACHABLE, /* All its addresses are of a family that the
                       * mesh cannot send to. */
    PEER_OWN,         /* Is this relay: set aside. */
    PEER_DUPLICATE,   /* Has the address of a peer before it. */
    PEER_OTHER        /* Another relay, or this one for testing. */
};

/* What the last hello from a peer said, for the next one to it. */
struct peer_echo {
    uint32_t path;
    uint64_t session;
    uint64_t timestamp;
    long long int arrived; /* us. */
};

struct peer {
    struct hmap_node name_node; /* In "struct peers" 'by_name'. */
    struct hmap_node path_node; /* In "struct peers" 'by_path'. */
    char *name;                 /* As it was written. */
    enum roster_source source;
    bool by_name; /* Known by a name? */
    enum peer_role role;

    struct endpoint *endpoints; /* Where it may be. */
    size_t n_endpoints;
    struct endpoint target;     /* Where to send; valid in PEER_OTHER. */
    bool chosen;                /* Has 'target' been chosen? */
    bool told_self;             /* Was it said that it is this relay? */
    long long int self_until;   /* Until then 'target' is taken for this relay,
                                 * since it answered so, ms; 0 if not. */
    struct sockaddr_storage ss; /* 'target' as mesh_address_peer() wrote it. */
    socklen_t ss_len;

    /* What comes from 'target'. */
    uint32_t path; /* Our number for it, in hellos. */
    struct liveness liveness;
    struct remote *remote; /* Who is there, NULL while not known. */
    bool has_echo;
    struct peer_echo echo;
    long long int answers_since; /* When we began to count answers, ms. */
    unsigned int n_answers;      /* Hellos said for an answer since. */
    long long int up_since;      /* Wall clock, ms; 0 if it is not up. */

    /* Is a target, and gets frames in our own format? */
    bool speaks_ours;

    /* Statistics. */
    uint64_t tx, tx_bytes; /* Frames sent to it. */
    uint64_t tx_errors;    /* Frames that could not be sent to it. */
    uint64_t rx, rx_bytes; /* Frames received from it, however often. */
};

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

    /* Header of frames in our own format, but for their number. */
    uint8_t header[WIRE_HEADER_LEN];
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

/* Notes that 'peer' is this relay, by an address that it did not know for its
 * own.  That holds as long as the peer has the address, but not after
 * PEERS_SELF_MS: the address may have become somebody else's. */
void peer_set_self(struct peers *, struct peer *peer, long long int now);

/* Returns when peers_update() is to ask anew whether a peer is this relay, ms,
 * LLONG_MAX for never. */
long long int peers_self_deadline(const struct peers *);

/* Notes that 'remote' is where 'peer' is sent to. */
void peer_set_remote(struct peer *peer, struct remote *remote);

/* Returns true if 'peer' is said hello to. */
bool peer_is_greeted(const struct peer *peer);

/* A word for what 'peer' is and how it is, such as "up", and why. */
const char *peer_state_name(const struct peer *peer);
const char *peer_reason(const struct peer *peer);

/* A word for the format that 'peer' speaks as far as is known: "snowrelay",
 * "snowsignal" or "unknown". */
const char *peer_format_name(const struct peer *peer);

#endif /* peers.h */
