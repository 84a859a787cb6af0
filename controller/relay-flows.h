/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RELAY_FLOWS_H
#define SNOWRELAY_RELAY_FLOWS_H 1

/* The relay's flows: what the switch needs for punting and emitting.
 *
 * For each broadcast port a meter, the punt of the own host's broadcasts, the
 * loop filter for each local MAC, and the punt; the punt of the announcements
 * of the segment's relays; and the actions that a frame is emitted with.
 * Where a tunnel leads to the peers its flows (mesh-flows.h) come with them,
 * or in place of the punts. Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

struct flowset;
struct subnets;
struct mesh_tunnel;

/* A broadcast port, and who is heard on it. */
struct relay_port {
    uint16_t port;
    bool segment;  /* The segment? */
    bool own_host; /* The programs on this very host?  If the segment is not,
                    * those of them that say it with this relay's MAC, since
                    * the others are heard by the relay that hears the
                    * segment. */
    bool carried;  /* Does the switch itself carry its broadcasts, as far as
                    * there are peers behind the tunnel? */
};

/* A local MAC, and the ports on which what carries it is not punted: bit I for
 * the I'th broadcast port. */
struct relay_mac {
    struct eth_addr mac;
    uint64_t ports;
};

/* Stores the 'n' 'ports' in 'result' as those of a relay that forwards. */
void relay_ports_forwarded(const uint16_t *ports, size_t n,
                           struct relay_port *result);

/* What the templates are filled in with. */
struct relay_flows_params {
    const struct relay_port *ports;
    size_t n_ports;
    bool announcements;                 /* Are announcements heard? */
    const struct relay_mac *local_macs; /* For the loop filter; the first is
                                         * this relay's. */
    size_t n_local_macs;
    uint16_t flow_priority;
    uint32_t max_pps;                 /* Punts a second for each port. */
    const char *forward;              /* Actions, such as "NORMAL". */
    const struct subnets *from;       /* Whose broadcasts, if not all. */
    ovs_be32 destination;             /* From destination_address(). */
    const struct mesh_tunnel *tunnel; /* NULL if there is none. */
};

/* Adds to 'set', which flowset_init() has made, what 'params' ask for.
 * Returns NULL, or a message that the caller frees. */
char *relay_flows_add(const struct relay_flows_params *params,
                      struct flowset *set) OVS_WARN_UNUSED_RESULT;

/* Actions that a frame leaves with. */
struct relay_actions {
    char *keep;         /* A frame that is emitted as it is. */
    char *rewrite;      /* One whose destination is rewritten. */
    char *announcement; /* An announcement of this relay. */
};

/* Stores in '*actions' the actions of what 'params' ask for, with the first
 * local MAC; without any they are NULL.  relay_actions_uninit() frees them.
 * Returns NULL, or a message that the caller frees, and then stores NULLs. */
char *relay_flows_actions(const struct relay_flows_params *params,
                          struct relay_actions *) OVS_WARN_UNUSED_RESULT;
void relay_actions_uninit(struct relay_actions *);

#endif /* relay-flows.h */
