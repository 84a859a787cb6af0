/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TUNNELING_H
#define SNOWRELAY_TUNNELING_H 1

/* Tunneling: which peers are reached through the tunnel port.
 *
 *    hellos, probes --> peer-tunnel of each peer --> who is sent to through
 *                                                    the tunnel, who is let in
 *
 * Whom the switch sends a frame changes as peers come and go, and frames that
 * it has punted before may still be on their way to the relay.  So the peers
 * behind the tunnel have a generation, which each punt names: the relay sends
 * a frame to just those that the switch did not send it to.
 *
 * Pure: no I/O, no clock.  All times are in ms, as of time_msec(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hello.h"
#include "mesh-flows.h"
#include "tunnel.h"

struct config;
struct peer;
struct peers;

enum {
    /* A group of more buckets would not fit into a message. */
    TUNNELING_MAX = 512,

    /* Probes to a peer that has not said yet that they come: so many so soon
     * after each other.  The first ones may be lost while the switch asks for
     * its neighbour's MAC. */
    TUNNELING_QUICK_PROBES = 10,
    TUNNELING_QUICK_MS = 200,

    /* When to try again where a probe could not be sent. */
    TUNNELING_AGAIN_MS = 20
};

struct tunneling {
    bool on;              /* Is there to be a tunnel port? */
    struct tunnel tunnel; /* It, if so. */
    uint32_t interval;    /* Between probes to a peer, ms. */
    bool there;           /* Has the switch the port? */

    /* What the flows are to be made from. */
    uint16_t generation;
    size_t max_len; /* The longest frame that all 'targets' can be sent;
                     * FRAME_MAX without any. */
    struct mesh_end *targets; /* In a group. */
    size_t n_targets;
    struct mesh_end *sources; /* Let in. */
    size_t n_sources;
};

void tunneling_init(struct tunneling *);
void tunneling_destroy(struct tunneling *);

/* Takes in 'config'. */
void tunneling_configure(struct tunneling *, const struct config *config);

/* Takes in whether the switch has the tunnel port. */
void tunneling_set_there(struct tunneling *, bool there);

/* Returns the type of the tunnel port as hellos say it, HELLO_NO_TUNNEL while
 * the switch has none. */
enum hello_tunnel_type tunneling_offer(const struct tunneling *);

/* Returns true if 'peer' has a tunnel like ours. */
bool tunneling_fits(const struct tunneling *, const struct peer *peer);

/* Takes in that the path to 'peer' takes frames of up to 'length' bytes as far
 * as is known here.  If that is more than before it holds for frames when
 * probes have proved it: when some have been missed if they are lost. */
void tunneling_set_length(const struct tunneling *, struct peer *peer,
                          size_t length, long long int now);

/* Works out anew who of 'peers' is sent to through the tunnel and who is let
 * in.  Returns true if the flows change by that. */
bool tunneling_update(struct tunneling *, const struct peers *peers);

/* Notes that the switch is being told to let in those who are to be, and that
 * it does now. */
void tunneling_placing(const struct tunneling *, const struct peers *peers);
void tunneling_placed(const struct peers *peers);

/* Works out what a hello to 'peer' has to say.  Returns true if that is
 * news. */
bool tunneling_hears(const struct tunneling *, struct peer *peer,
                     long long int now);

/* Takes in that a probe with 'token' came out of the tunnel from 'source'.
 * Returns the peer that sent it, NULL if none did. */
struct peer *
tunneling_take_probe(const struct tunneling *, const struct peers *peers,
                     uint64_t token, const struct in6_addr *source,
                     long long int now);

/* Returns true if a probe to 'peer' is due. */
bool tunneling_probes(const struct tunneling *, const struct peer *peer,
                      long long int now);

/* Notes that a probe to 'peer' was sent, or could not be. */
void tunneling_probed(const struct tunneling *, struct peer *peer, bool sent,
                      long long int now);

/* Returns when tunneling_hears() or a probe is due for one of 'peers',
 * LLONG_MAX for never. */
long long int
tunneling_deadline(const struct tunneling *, const struct peers *peers);

/* Returns true if the switch sends nothing to some who get frames. */
bool tunneling_leaves_others(const struct peers *peers);

/* Stores in 'others', which has room for all targets of 'peers', those of them
 * to whom the switch has not sent a frame that it has punted with
 * 'generation'.  Returns their number. */
size_t tunneling_others(const struct peers *peers, uint16_t generation,
                        struct peer **others);

#endif /* tunneling.h */
