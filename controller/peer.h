/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PEER_H
#define SNOWRELAY_PEER_H 1

/* Peer: another relay, by address, and what is known of who is there.
 *
 * Which there are, and who of them gets frames, is in peers.h.  Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "endpoint.h"
#include "liveness.h"
#include "openvswitch/hmap.h"
#include "openvswitch/token-bucket.h"
#include "openvswitch/types.h"
#include "openvswitch/vlog.h"
#include "peer-tunnel.h"
#include "roster.h"
#include "seal.h"

struct remote;

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
    uint16_t max_segment; /* Longest datagrams of which the kernel takes
                           * several at once (outbox.h). */

    /* What comes from 'target'. */
    uint32_t path;        /* Our number for it, in hellos. */
    struct sealer sealer; /* Of what goes there, in a sealed mesh. */
    struct liveness liveness;
    struct remote *remote; /* Who is there, NULL while not known. */
    struct peer_tunnel tunnel;
    bool has_echo;
    struct peer_echo echo;
    long long int answers_since; /* When we began to count answers, ms. */
    unsigned int n_answers;      /* Hellos said for an answer since. */
    long long int up_since;      /* Wall clock, ms; 0 if it is not up. */

    /* Is it the host's neighbour on this relay's segment, with this MAC?  Of
     * those that do not tell who they are. */
    bool on_link;
    struct eth_addr mac;

    /* Is a target, and gets frames in our own format? */
    bool speaks_ours;

    struct token_bucket bucket; /* Of the frames that it may send us. */

    /* Of lines in the log about its state, which is whatever those say who
     * send from its address. */
    struct vlog_rate_limit log;

    /* Statistics. */
    uint64_t tx, tx_bytes; /* Frames sent to it. */
    uint64_t tx_errors;    /* Frames that could not be sent to it. */
    uint64_t rx, rx_bytes; /* Frames received from it, however often. */
    uint64_t rx_limited;   /* Those of them that were too many a second. */
};

/* Notes that 'remote', which may be NULL for nobody known, is where 'peer' is
 * sent to. */
void peer_set_remote(struct peer *peer, struct remote *remote);

/* Returns true if 'peer' is a relay of this relay's own segment: they hear the
 * same, so neither sends frames to the other. */
bool peer_is_on_segment(const struct peer *peer);

/* Returns true if 'peer' is said hello to. */
bool peer_is_greeted(const struct peer *peer);

/* A word for what 'peer' is and how it is, such as "up", and why. */
const char *peer_state_name(const struct peer *peer);
const char *peer_reason(const struct peer *peer);

/* A word for how frames get to 'peer' now: "udp", "vxlan" or "geneve". */
const char *peer_transport_name(const struct peer *peer);

/* A word for the format that 'peer' speaks as far as is known: "snowrelay",
 * "snowsignal" or "unknown". */
const char *peer_format_name(const struct peer *peer);

#endif /* peer.h */
