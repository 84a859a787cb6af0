/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_BRIDGE_H
#define SNOWRELAY_BRIDGE_H 1

/* Bridge: the Open vSwitch bridge served, and what it has of ours.
 *
 * Keeps an OpenFlow 1.5 connection to the bridge (an rconn), learns the
 * bridge's ports and its own MAC address from it, and sees to it that the
 * switch has the flows, meters and groups of a "struct flowset" and no others
 * of ours:
 *
 *    connected ---> audit: ask for what there is (inventory.h), compare
 *                     |  the same                    | different
 *                     v                              v
 *                  in place <--- committed --- meter mods, then one bundle
 *                     |
 *                     +---> audit again when the switch reports that
 *                           somebody else changed a flow, a group or a
 *                           meter, and every BRIDGE_AUDIT_MS in any case
 *
 * A flow that is as it should be is never touched, so a restarted relay takes
 * over what a dead one left without a gap. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct bridge;
struct flowset;
struct inventory;
struct ports;

/* An audit finds what no report tells of. */
enum { BRIDGE_AUDIT_MS = 5000 };

/* Makes a bridge that connects to 'target', an OVS connection method. */
struct bridge *bridge_create(const char *target);
void bridge_destroy(struct bridge *);

void bridge_run(struct bridge *);
void bridge_wait(struct bridge *);

/* Tries to connect now, if it is not connected.  For when the caller has
 * reason to believe that the switch is there. */
void bridge_reconnect(struct bridge *);

bool bridge_is_connected(const struct bridge *);

/* Stores the bridge's own MAC address in '*mac' and returns true, or returns
 * false if it is not known yet.  It stays known while the connection is down.
 */
bool bridge_get_mac(const struct bridge *, struct eth_addr *mac);

/* Stores the bridge's datapath id (OpenFlow 1.5.1, section 7.3.1) in '*id' and
 * returns true, or returns false if it is not known yet.  It stays known while
 * the connection is down. */
bool bridge_get_id(const struct bridge *, uint64_t *id);

/* Returns the bridge's ports, NULL while they are not known.  They stay known
 * while the connection is down. */
const struct ports *bridge_ports(const struct bridge *);

/* Makes 'set' what the switch should have.  Takes ownership of it. */
void bridge_set_wanted(struct bridge *, struct flowset *set);

/* Returns true if the switch has what it should have, as far as is known, and
 * if that is all that is wanted, not just the beginning. */
bool bridge_is_in_place(const struct bridge *);
bool bridge_is_complete(const struct bridge *);

/* Asks for an audit now.  Its result is there when bridge_audit_seqno() has
 * grown past the value that this function returns.  If the bridge is not
 * connected no audit takes place. */
unsigned int bridge_audit(struct bridge *);
unsigned int bridge_audit_seqno(const struct bridge *);

/* What the switch should have, NULL if nothing is wanted yet, and what it had
 * at the last audit, with which it is compared.  Both are valid until the next
 * call to bridge_run(). */
const struct flowset *bridge_wanted(const struct bridge *);
const struct inventory *bridge_inventory(const struct bridge *);

/* Begins to remove the relay's flows and group and our meters, whose ids are
 * those from 'id_base' on, and with 'everything' the flows and groups of
 * replication as well.  Nothing is put back from then on. */
void bridge_remove(struct bridge *, uint32_t id_base, bool everything);

/* Returns true once the switch has removed them, or if it cannot be asked. */
bool bridge_is_removed(const struct bridge *);

#endif /* bridge.h */
