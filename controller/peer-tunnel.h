/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PEER_TUNNEL_H
#define SNOWRELAY_PEER_TUNNEL_H 1

/* A peer's tunnel: what is known of reaching a peer, and being reached by it,
 * through the tunnel port instead of by datagrams.
 *
 *     their hello offers a tunnel --> our probes go through it
 *                                         |
 *     their probe comes out of ours       v
 *        --> its source is let in    their hello says that they come
 *        --> our hello says so            |
 *                                         v
 *                                    our frames go through it
 *
 * Each direction is proved by itself, by probes as long as the longest frame
 * that goes through the tunnel, so that neither a firewall nor an MTU on the
 * way loses anything but probes.
 *
 * Pure: no I/O, no clock.  All times are in ms, as of time_msec(). */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hello.h"

struct peer_tunnel {
    struct hello_tunnel theirs; /* What its last hello said. */

    /* From it. */
    uint64_t token;         /* What its probes are to bring; not 0. */
    long long int heard;    /* When one did at last, or LLONG_MIN. */
    struct in6_addr source; /* Where that came from, :: for nowhere. */
    bool placing;           /* Has the switch been told to let that in? */
    bool accepted;          /* Does it? */
    bool hears;             /* What our hellos say. */

    /* To it. */
    size_t probe_len;         /* Longest frame on this path, as far as is
                               * known here; 0 if it is not.  So long are
                               * probes, */
    long long int long_since; /* since then. */
    size_t max_len;           /* Longest that may go there. */
    long long int next_probe; /* When it is due. */
    unsigned int n_probes;    /* Sent while the peer does not hear them. */
    bool chosen;              /* Is the switch to send it the frames? */
    bool carried;             /* Does it, from 'from' on? */
    uint16_t from, until;     /* Generations in which it did, as far back as
                               * that matters; 'until' is not one, and means
                               * nothing if 'carried'.  0 for 'from' is never.
                               */

    bool is_protected; /* Is that to be protected by IPsec? */
    bool told_open;    /* Has it been said that it should be? */

    /* Counted by the switch, in the tunnel. */
    uint64_t tx, tx_bytes, rx, rx_bytes;
};

/* Begins with a peer of which nothing is known. */
void peer_tunnel_init(struct peer_tunnel *);

/* Takes in what a hello of the peer says of its tunnel.  Returns true if that
 * is news. */
bool peer_tunnel_take_hello(struct peer_tunnel *, const struct hello *hello);

/* Notes that the switch carries frames to the peer, or not, from 'generation'
 * on.  To be called in each generation. */
void
peer_tunnel_carry(struct peer_tunnel *, bool carried, uint16_t generation);

/* Returns true if the switch has carried a frame to the peer that it has
 * punted with 'generation'. */
bool peer_tunnel_carried(const struct peer_tunnel *, uint16_t generation);

#endif /* peer-tunnel.h */
