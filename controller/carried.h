/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CARRIED_H
#define SNOWRELAY_CARRIED_H 1

/* Carried: what the switch has carried to and from the peers behind the tunnel
 * without the relay, as it counts it.
 *
 * The switch counts for each flow, and for each bucket of the mesh's group,
 * and begins at 0 again where one is made anew.  What it counts for a frame
 * that turns out too long for the tunnel, which is punted instead, it counts
 * for the group as well; the relay knows how many those are.  What a meter
 * has cut is counted as if it had not been.
 *
 * Pure: no I/O. */

#include <stdint.h>

#include "openvswitch/hmap.h"

struct flowset;
struct inventory;
struct peers;

struct carried {
    uint64_t relayed; /* Broadcasts sent to the peers behind the tunnel, and
                       * not punted as well. */
    uint64_t tx;      /* Copies of all that were sent there. */
    uint64_t emitted; /* Broadcasts of peers that were emitted. */

    struct hmap seen;    /* Of "struct seen": what was counted at last. */
    uint64_t n_too_long; /* As carried_take() was told at last. */
    unsigned int round;  /* Of carried_take(). */
};

/* Tags of the wanted flows that are counted: of mesh-out.flow, the broadcast
 * port, what marks the frame, and whether it is punted as well; of
 * mesh-in.flow the port and the IP destination.  Those of mesh-source.flow
 * have the number of the peer. */
#define CARRIED_PUNTED (UINT64_C(1) << 63)

static inline uint64_t
carried_tag(uint16_t port, uint32_t variant)
{
    return (uint64_t) variant << 16 | port;
}

void carried_init(struct carried *);
void carried_destroy(struct carried *);

/* Takes in what the switch has counted: for the flows of 'set', which were
 * compared, and for the groups of 'inv', with the ids of 'set'.  'n_too_long'
 * frames have been punted ever because they were too long for the tunnel.
 * What was counted for one of 'peers' is added to its tunnel's. */
void carried_take(struct carried *, const struct peers *peers,
                  const struct flowset *set, const struct inventory *inv,
                  uint64_t n_too_long);

#endif /* carried.h */
