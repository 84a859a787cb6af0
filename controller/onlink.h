/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_ONLINK_H
#define SNOWRELAY_ONLINK_H 1

/* On-link peers: SnowSignal nodes that may be relays of this very segment.
 *
 * A SnowSignal node announces nothing.  But if this host reaches its address
 * directly, through the bridge, it has a card on the segment, which may be the
 * one that it emits with: the card's MAC, which the host's kernel knows for
 * the address (nexthop.h), is for the loop filter.  No more follows from it,
 * since the node may as well serve another segment. */

#include <stdbool.h>

struct onlink;
struct peers;

struct onlink *onlink_create(void);
void onlink_destroy(struct onlink *);

/* Notes in each of 'peers' whether it is on-link through the interface
 * 'bridge', and its MAC.  Returns true if that changed. */
bool onlink_update(struct onlink *, struct peers *peers, const char *bridge);

void onlink_run(struct onlink *);
void onlink_wait(struct onlink *);

#endif /* onlink.h */
