/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_ONLINK_H
#define SNOWRELAY_ONLINK_H 1

/* On-link peers: peers that are relays of this very segment, but do not say
 * so.
 *
 * A SnowSignal node announces nothing.  But it sends to the mesh from the card
 * that it emits with, and if this host reaches its address directly, through
 * the bridge, that card is on the segment, and its MAC is the one that the
 * host's kernel knows for the address (nexthop.h).  Looked up are the peers
 * that speak SnowSignal's format, or have said nothing yet. */

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
