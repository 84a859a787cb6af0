/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TUNNELS_H
#define SNOWRELAY_TUNNELS_H 1

/* Tunnels: the tunnel ports of one bridge, in the Open vSwitch database.
 *
 * This module keeps, through the database (ovs-vswitchd.conf.db(5)), just
 * those ports of tunnel.h on the bridge that are wanted, by replication and by
 * the mesh, each of which says so for itself:
 *
 *    database changed,        compare ---- the same -----> nothing
 *    or what is wanted  --->     |
 *                                +-- different --> one transaction, then
 *                                                  compare again
 *
 * A port that is as it should be is never touched, so that a restarted daemon
 * takes over what a dead one left without a gap.  A marked port that is not
 * wanted is removed, a wanted one that somebody removed or changed is put
 * back, at most once a second.  Ports of other bridges are never touched, nor
 * is a port of our name without the mark.
 *
 * While the database does not answer the ports stay, and so does what is known
 * of them.  The connection is made again when it does. */

#include <stdbool.h>
#include <stddef.h>

#include "tunnel.h"

struct tunnels;

/* Makes an object that keeps the tunnel ports of the bridge named 'bridge' in
 * the database at 'database', an OVSDB connection method such as
 * unix:/var/run/openvswitch/db.sock.  Nothing is wanted at first: ports of
 * ours that are there are removed, unless tunnels_set() comes before
 * tunnels_run().
 *
 * This also keeps libopenvswitch from logging its attempts to connect (module
 * "reconnect", level "info"), because a host without tunnels may well have its
 * database elsewhere; this module itself says so if a port is wanted. */
struct tunnels *tunnels_create(const char *database, const char *bridge);

/* The ports stay. */
void tunnels_destroy(struct tunnels *);

void tunnels_run(struct tunnels *);
void tunnels_wait(struct tunnels *);

/* For tests, which cannot wait so long: undoes what somebody else did, or
 * tries again what the database refused, 'pause_ms' after the last change
 * instead of a second, and bears 'grace_ms' of its silence instead of two
 * seconds. */
void tunnels_set_intervals(struct tunnels *, int pause_ms, int grace_ms);

/* Makes the 'n' tunnels in 'wanted', all of 'use', what there should be of
 * that.  It may name one more than once.  With 'keep' ports of 'use' that are
 * not wanted stay, as long as it is not known yet where some tunnels lead to.
 * After tunnels_remove() this has no effect. */
void tunnels_set(struct tunnels *, enum tunnel_use use,
                 const struct tunnel *wanted, size_t n, bool keep);

/* Returns a number that changes whenever a port wanted may have come or gone,
 * or may work or fail for another reason than before. */
unsigned int tunnels_seqno(const struct tunnels *);

/* Returns true if the port of 'tunnel' is wanted, is in the database as it
 * should be, and the switch has given it an OpenFlow port number. */
bool tunnels_is_present(const struct tunnels *, const struct tunnel *tunnel);

/* Returns why the port of 'tunnel' does not work: what the switch or the
 * database says, that there is no such bridge, or that somebody else has a
 * port of its name.  Returns NULL if it works, if that is not known yet, or if
 * it is not wanted.  Valid until the next call to tunnels_run(),
 * tunnels_set(), or tunnels_remove(). */
const char *tunnels_error(const struct tunnels *, const struct tunnel *tunnel);

/* Returns true if the switch is to protect tunnels of 'type' to 'remote' with
 * IPsec: if the database has an interface to there that says how
 * (ovs-vswitchd.conf.db(5), "Tunnel Options: IPsec").  Its policy is about all
 * that goes there in tunnels of the type, whatever port it comes from. */
bool tunnels_is_protected(const struct tunnels *, enum tunnel_type type,
                          const struct in6_addr *remote);

/* Begins to remove all ports of 'use' from the bridge.  None is put back from
 * then on. */
void tunnels_remove(struct tunnels *, enum tunnel_use use);

/* Returns true once, after tunnels_remove(), the database has none of them, or
 * if it cannot be asked. */
bool tunnels_is_removed(const struct tunnels *, enum tunnel_use use);

#endif /* tunnels.h */
