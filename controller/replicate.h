/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_REPLICATE_H
#define SNOWRELAY_REPLICATE_H 1

/* Replication: the rules, and how their collectors are reached.
 *
 *    names --resolver--> addresses --nexthop--> next hops --way--> flows
 *                        remotes ----tunnels--> ports -------^
 *
 * The switch makes the copies; this module only works out what it is to do,
 * again whenever a name, a route, a neighbour, a port or an address of this
 * host changes, and says what becomes of each collector.  It owns next hops,
 * and asks host, resolver and tunnels. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "openvswitch/types.h"
#include "way.h"

struct config;
struct flowset;
struct host;
struct inventory;
struct ports;
struct replicate;
struct resolver;
struct sset;
struct tally;
struct tunnel;
struct tunnels;

/* Makes a replication, which asks 'host', 'resolver' and 'tunnels' for what
 * they know, and the last for ports, as long as it lives.  It does nothing
 * before replicate_configure(). */
struct replicate *
replicate_create(const struct host *host, const struct resolver *resolver,
                 struct tunnels *tunnels);
void replicate_destroy(struct replicate *);

/* Goes on with 'config', which must stay until the next call.  Rules and
 * collectors that stay keep their counts. */
void replicate_configure(struct replicate *, const struct config *config);

/* Adds the names that are to be looked up to 'names'. */
void replicate_add_names(const struct replicate *, struct sset *names);

/* Does what can be done without waiting. */
void replicate_run(struct replicate *);
void replicate_wait(struct replicate *);

/* Takes in what the others have found out, and the bridge's ports, NULL while
 * they are not known, and MAC.  Returns true if the flows changed by that. */
bool replicate_update(struct replicate *, const struct ports *ports,
                      struct eth_addr bridge_mac);

/* Adds the flows and groups of the rules to 'set', as of replicate_update(),
 * which was given ports.  Returns NULL, or a message that the caller frees. */
char *replicate_add_flows(const struct replicate *,
                          struct flowset *set) OVS_WARN_UNUSED_RESULT;

/* Takes in what the switch has counted: for the flows of 'set', which were
 * made by replicate_add_flows() and compared, and for the groups of 'inv'. */
void replicate_count(struct replicate *, const struct flowset *set,
                     const struct inventory *inv);

/* For those who look on: what is to be said of the 'j'th collector of the
 * 'i'th rule (its state is null at first), and what all of them have got. */
const struct way_report *
replicate_report(const struct replicate *, size_t i, size_t j);
const struct tally *replicate_tally(const struct replicate *);

/* Returns true if a name server or a neighbour may still answer. */
bool replicate_is_pending(const struct replicate *);

/* Takes what is pending for down, until replicate_update() knows more. */
void replicate_close(struct replicate *);

/* Returns the tunnels that the rules need, as far as it is known where to.
 * Stores their number in '*n'; some may be there twice.  The caller frees
 * them. */
struct tunnel *replicate_tunnels(const struct replicate *, size_t *n);

/* Returns why the 'i'th rule gets no datagrams at present, NULL if it does. */
const char *replicate_problem(const struct replicate *, size_t i);

#endif /* replicate.h */
