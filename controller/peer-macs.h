/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PEER_MACS_H
#define SNOWRELAY_PEER_MACS_H 1

/* The local MACs of the peers, for the loop filter.
 *
 * Changes are gathered for a moment, so that a mesh that comes up costs few
 * changes of flows.  Pure: no I/O, no clock. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/types.h"

struct peers;

enum { PEER_MACS_SETTLE_MS = 200 };

struct peer_macs {
    struct eth_addr *all; /* Each once, in their order. */
    size_t n;
    long long int changed; /* When others came up, ms, or LLONG_MAX. */
};

void peer_macs_init(struct peer_macs *);
void peer_macs_destroy(struct peer_macs *);

/* Notes at 'now', in ms, that there may be others. */
void peer_macs_note(struct peer_macs *, long long int now);

/* The same, for changes that are not to be gathered. */
void peer_macs_note_all(struct peer_macs *);

/* If changes have been noted, and gathered long enough, takes the MACs of
 * 'peers'.  Returns true if they are others than before. */
bool peer_macs_update(struct peer_macs *, const struct peers *peers,
                      long long int now);

/* Returns when to call peer_macs_update() again, LLONG_MAX for never. */
long long int peer_macs_deadline(const struct peer_macs *);

#endif /* peer-macs.h */
