/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_NODE_H
#define SNOWRELAY_NODE_H 1

/* Node: this host's part in snowrelay, and what its jobs share.
 *
 * The relay carries frames (relay.h); replication has the switch copy
 * datagrams (replicate.h).  Beside them stand the bridge, which sees to it
 * that the switch has the flows that these want, the tunnels, which are the
 * ports that they want, the resolver, which finds the addresses of names, and
 * the host, which knows this machine's own.  The node owns all of these, gives
 * each its part of the configuration and the others' news, and puts together
 * what the switch is to be told. */

#include <stdbool.h>

#include "openvswitch/compiler.h"

struct bridge;
struct capture;
struct config;
struct node;
struct relay;
struct replicate;

/* Makes a node for 'config', which it takes over if it succeeds.  Returns NULL
 * and stores the node in '*nodep', or returns a message that the caller frees.
 */
char *
node_create(struct config *config, struct node **nodep) OVS_WARN_UNUSED_RESULT;
void node_destroy(struct node *);

/* Carries the frames that are there.  Returns true if there were any.  To be
 * called first in each turn of the main loop. */
bool node_carry(struct node *);

/* Causes poll_block() to wake up when there are frames to carry, and for
 * nothing else. */
void node_carry_wait(struct node *);

/* Does everything else that can be done without waiting.  While node_carry()
 * returns true this may wait for some milliseconds. */
void node_run(struct node *);
void node_wait(struct node *);

/* Goes on with 'config', which it takes over if it succeeds.  What stays the
 * same is not disturbed.  Returns NULL, or a message that the caller frees,
 * and then nothing has changed. */
char *
node_reconfigure(struct node *, struct config *config) OVS_WARN_UNUSED_RESULT;

/* Add or remove a peer of the relay until the next start.  Return NULL, or a
 * message that the caller frees. */
char *node_add_peer(struct node *, const char *text) OVS_WARN_UNUSED_RESULT;
char *node_remove_peer(struct node *, const char *text) OVS_WARN_UNUSED_RESULT;

/* Has 'capture', which stays the caller's, be told of each frame's way, or
 * with NULL none. */
void node_set_capture(struct node *, struct capture *capture);

/* Begins to take the relay's flows and its tunnel port off the switch, and
 * with 'cleanup' those of replication as well, which need no daemon. */
void node_stop(struct node *, bool cleanup);

/* Returns true when that is done, or cannot be. */
bool node_is_stopped(const struct node *);

/* For those who look on. */
const struct config *node_config(const struct node *);
struct bridge *node_bridge(const struct node *);
const struct relay *node_relay(const struct node *);
const struct replicate *node_replicate(const struct node *);

/* Returns true if the switch is connected, whatever it has of ours. */
bool node_has_switch(const struct node *);

/* Returns why the switch has not got what the configuration asks for, NULL if
 * it can. */
const char *node_problem(const struct node *);

/* Returns true if the switch is connected and has our flows, and frames can be
 * punted and emitted. */
bool node_is_connected(const struct node *);

#endif /* node.h */
