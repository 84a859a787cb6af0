/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RELAY_H
#define SNOWRELAY_RELAY_H 1

/* Relay: the two ways of a frame, and the modules along them.
 *
 *    switch --channel--> punt --> frame --> mesh --> peers
 *    peers --mesh--> wire --> frame --> segment --> emit --channel--> switch
 *
 * Beside them stand the bridge, which sees to the flows that make the switch
 * punt, the resolver, which finds the peers' addresses, and the host, which
 * knows this machine's.  The relay owns all of these, tells each what the
 * configuration and the others' news mean for it, and counts. */

#include <stdbool.h>

#include "counters.h"
#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

struct bridge;
struct config;
struct peers;
struct relay;

/* Makes a relay for 'config', which it takes over if it succeeds.  Returns
 * NULL and stores the relay in '*relayp', or returns a message that the caller
 * frees. */
char *relay_create(struct config *config,
                   struct relay **relayp) OVS_WARN_UNUSED_RESULT;
void relay_destroy(struct relay *);

/* Carries the frames that are there, both ways.  Returns true if there were
 * any. To be called first in each turn of the main loop. */
bool relay_carry(struct relay *);

/* Does everything else that can be done without waiting.  While relay_carry()
 * returns true this may wait for some milliseconds. */
void relay_run(struct relay *);
void relay_wait(struct relay *);

/* Goes on with 'config', which it takes over if it succeeds.  What stays the
 * same is not disturbed.  Returns NULL, or a message that the caller frees,
 * and then nothing has changed. */
char *relay_reconfigure(struct relay *,
                        struct config *config) OVS_WARN_UNUSED_RESULT;

/* Begins to take everything of ours off the switch. */
void relay_stop(struct relay *);

/* Returns true when that is done, or cannot be. */
bool relay_is_stopped(const struct relay *);

/* For those who look on. */
const struct config *relay_config(const struct relay *);
const struct counters *relay_counters(const struct relay *);
const struct peers *relay_peers(const struct relay *);
struct bridge *relay_bridge(const struct relay *);
unsigned int relay_queued(const struct relay *); /* Frames for the switch. */

/* Returns true if frames can be punted and emitted: both connections to the
 * switch are up and our flows are in place. */
bool relay_is_connected(const struct relay *);

/* Stores the local MAC in '*mac' and returns true, or returns false if it is
 * not known yet. */
bool relay_local_mac(const struct relay *, struct eth_addr *mac);

#endif /* relay.h */
