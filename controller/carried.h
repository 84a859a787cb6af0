/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CARRIED_H
#define SNOWRELAY_CARRIED_H 1

/* Carried: what the switch has carried to and from the peers behind the tunnel
 * without the relay, as it counts it.
 *
 * The switch counts for each flow, and begins at 0 again where one is made
 * anew; what was counted for those that send to the mesh's group was sent to
 * each of the peers in it, as of the look.  A frame that turns out too long
 * for the tunnel, and is punted instead, is counted there as well; the relay
 * knows how many those are.  So is what a meter has cut, which the meter has
 * counted.
 *
 * What is punted as well, for peers who get datagrams, counts as relayed when
 * it is punted.  Punts come another way than the switch's counts, sooner or
 * later than these; so what may have been punted is not counted here before
 * CARRIED_HOLD_MS have gone by.  Some are never counted, since their flow goes
 * before the next look.
 *
 * Pure: no I/O, no clock.  Times are in ms, as of time_msec(). */

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/hmap.h"
#include "openvswitch/types.h"

struct flowset;
struct inventory;
struct peers;

struct carried {
    uint64_t relayed; /* Broadcasts sent to the peers behind the tunnel, and
                       * not punted as well. */
    uint64_t tx;      /* Copies of all that were sent there. */
    uint64_t emitted; /* Broadcasts of peers that were emitted. */

    uint64_t n_punted;   /* Frames that were sent to the group and punted as
                          * well, as the relay counts them. */
    uint64_t n_sent;     /* Frames that were sent to the group, without... */
    uint64_t n_held[2];  /* ...those that may yet be punted: the latest, and
                          * those from before... */
    long long int held;  /* ...this. */
    uint64_t was_punted; /* 'n_punted' at the last look. */
    bool was_ambiguous;  /* May frames be punted as well since that look? */
    long long int ambiguous; /* When there was such a look at last. */
    struct hmap seen;        /* Of "struct seen": what was counted at last. */
    uint64_t n_too_long;     /* As carried_take() was told at last. */
    unsigned int round;      /* Of carried_take(). */
};

enum { CARRIED_HOLD_MS = 1000 };

/* Tags of the wanted flows that are counted.  Those of mesh-source.flow have
 * the number of the peer. */
enum { CARRIED_METER_SHIFT = 24, CARRIED_PUNTED_SHIFT = 32 };

/* Returns that of mesh-out.flow for the broadcasts of 'port' that are marked
 * with 'mark', have the meter 'meter' of ours, and are 'punted' as well. */
static inline uint64_t
carried_out_tag(uint16_t port, uint8_t mark, uint8_t meter, bool punted)
{
    return ((uint64_t) punted << CARRIED_PUNTED_SHIFT
            | (uint64_t) meter << CARRIED_METER_SHIFT | mark << 16 | port);
}

/* Returns that of mesh-in.flow for 'port' and an IP destination. */
static inline uint64_t
carried_in_tag(uint16_t port, ovs_be32 ip_destination)
{
    return (uint64_t) ntohl(ip_destination) << 16 | port;
}

void carried_init(struct carried *);
void carried_destroy(struct carried *);

/* Takes in what the switch has counted: for the flows of 'set', which were
 * compared, and for the meters of 'inv', at 'now'.  'n_too_long' frames have
 * been punted ever because they were too long for the tunnel.  What was
 * counted for one of 'peers' is added to its tunnel's. */
void carried_take(struct carried *, const struct peers *peers,
                  const struct flowset *set, const struct inventory *inv,
                  uint64_t n_too_long, long long int now);

#endif /* carried.h */
