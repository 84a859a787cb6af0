/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RELAY_H
#define SNOWRELAY_RELAY_H 1

/* Relay: the two ways of a frame, and the modules along them.
 *
 *    switch --channel--> punt --> frame --> filter --> segment
 *                             --> loop-guard --> mesh --> outbox --> peers
 *    peers --mesh--> wire --> peering --> frame --> filter --> segment
 *           --> loop-guard --> destination --> emit --channel--> switch
 *
 * At each end of these ways, and where a frame is dropped, the tap (tap.h) is
 * told, for those who look on: the log, captures, the inspection of searches,
 * and who counts the talkers.
 *
 * Behind a tunnel the switch does all that by itself (mesh-flows.h), as far as
 * the relay lets it:
 *
 *    hellos, probes --> tunneling --> mesh-flows --bridge--> switch
 *
 * relay-carry.c is the first two lines, relay-tunnel.c the third.  In a sealed
 * mesh the outbox seals what is sent (seal.h), and the peering opens what
 * comes (streams.h).  The relay owns these modules, tells each what the
 * configuration and the news of the node (node.h) mean for it, and counts. */

#include <stdbool.h>

#include "counters.h"
#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

struct bridge;
struct capture;
struct carried;
struct config;
struct flowset;
struct host;
struct inventory;
struct loop_guard;
struct peering;
struct relay;
struct resolver;
struct segment;
struct sset;
struct tap;
struct tunneling;
struct tunnels;

/* Makes a relay, which asks 'host', 'resolver', 'bridge' and 'tunnels' for
 * what they know as long as it lives, and the last for its tunnel port.  It
 * does nothing before relay_configure().  Returns NULL and stores the relay in
 * '*relayp', or returns a message that the caller frees. */
char *relay_create(const struct config *config, const struct host *host,
                   const struct resolver *resolver, struct bridge *bridge,
                   struct tunnels *tunnels,
                   struct relay **relayp) OVS_WARN_UNUSED_RESULT;
void relay_destroy(struct relay *);

/* Goes on with 'config', which must stay until the next call.  What stays the
 * same is not disturbed. */
void relay_configure(struct relay *, const struct config *config);

/* Moves the mesh to where 'config' has it, or closes it if 'config' relays
 * nothing.  Returns NULL, or a message that the caller frees, and then the
 * mesh is where it was. */
char *relay_move_mesh(struct relay *,
                      const struct config *config) OVS_WARN_UNUSED_RESULT;

/* Adds the names that the relay wants to have looked up to 'names'. */
void relay_add_names(const struct relay *, struct sset *names);

/* Takes in what host, resolver and bridge have found out, and the
 * configuration.  Returns true if the relay's flows changed by that. */
bool relay_update(struct relay *);

/* Returns true once it is known what relay_add_flows() is to add. */
bool relay_knows_flows(const struct relay *);

/* Adds the flows and meters that the relay wants to 'set', and emits according
 * to them from now on.  They must be known.  The set is a partial one as
 * long as the peers' first answers have not come, or it has not been found out
 * who forwards for the segment: so a relay that is restarted takes over the
 * flows that it had.  Returns NULL, or a message that the caller frees. */
char *
relay_add_flows(struct relay *, struct flowset *set) OVS_WARN_UNUSED_RESULT;

/* Carries the frames that are there, both ways.  Returns true if there were
 * any. */
bool relay_carry(struct relay *);

/* Causes poll_block() to wake up when there are frames to carry, and for
 * nothing else. */
void relay_carry_wait(struct relay *);

/* Does everything else that can be done without waiting. */
void relay_run(struct relay *);
void relay_wait(struct relay *);

/* Begins to leave: hands over to another relay of the segment, if one is
 * ready, and tells the peers. */
void relay_leave(struct relay *);

/* Returns true when that is done, and the relay's flows may go. */
bool relay_has_left(const struct relay *);

/* Add or remove a peer until the next start, see peering_add() and
 * peering_remove().  relay_add_names() may answer otherwise then, and
 * relay_update() must follow.  Return NULL, or a message that the caller
 * frees. */
char *relay_add_peer(struct relay *, const char *text) OVS_WARN_UNUSED_RESULT;
char *
relay_remove_peer(struct relay *, const char *text) OVS_WARN_UNUSED_RESULT;

/* Takes in what the switch has counted: for the flows of 'set', which were
 * made by relay_add_flows() and compared, and for the groups of 'inv'. */
void relay_count(struct relay *, const struct flowset *set,
                 const struct inventory *inv);

/* Has 'capture', which stays the caller's, be told of each frame's way, or
 * with NULL none. */
void relay_set_capture(struct relay *, struct capture *capture);

/* For those who look on.  What the switch has carried is in the counters, as
 * of the last look there. */
struct counters relay_counters(const struct relay *);
const struct carried *relay_carried(const struct relay *);
const struct peering *relay_peering(const struct relay *);
const struct segment *relay_segment(const struct relay *);
const struct loop_guard *relay_loop_guard(const struct relay *);
const struct tunneling *relay_tunneling(const struct relay *);
const struct tap *relay_tap(const struct relay *);

/* Returns why peers cannot be reached through the tunnel port that is
 * configured, NULL if it is there or there is to be none. */
const char *relay_tunnel_problem(const struct relay *);

/* Returns true if the switch carries what it can by itself, on one port at
 * least. */
bool relay_lets_switch_carry(const struct relay *);
unsigned int relay_queued(const struct relay *); /* Frames for the switch. */

/* Returns true if the connection for frames is up. */
bool relay_is_connected(const struct relay *);

/* Stores the local MAC in '*mac' and returns true, or returns false if it is
 * not known yet. */
bool relay_local_mac(const struct relay *, struct eth_addr *mac);

#endif /* relay.h */
