/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RELAY_FLOWS_H
#define SNOWRELAY_RELAY_FLOWS_H 1

/* The relay's flows: what the switch needs for punting and emitting.
 *
 * For each broadcast port a meter, the punt of the own host's broadcasts, the
 * loop filter for each local MAC, and the punt; and the actions that a frame
 * is emitted with.  Pure: no I/O. */

#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

struct flowset;

/* What the templates are filled in with. */
struct relay_flows_params {
    const uint16_t *ports; /* Broadcast ports. */
    size_t n_ports;
    const struct eth_addr *local_macs; /* For the loop filter. */
    size_t n_local_macs;
    uint16_t flow_priority;
    uint32_t max_pps;     /* Punts a second for each port. */
    const char *forward;  /* Actions, such as "NORMAL". */
    ovs_be32 destination; /* From destination_address(). */
};

/* Adds to 'set', which flowset_init() has made, what 'params' ask for.
 * Returns NULL, or a message that the caller frees. */
char *relay_flows_add(const struct relay_flows_params *params,
                      struct flowset *set) OVS_WARN_UNUSED_RESULT;

/* Stores in '*keep' the actions for frames that are emitted as they are, and
 * in '*rewrite' those for frames whose destination is rewritten; the caller
 * frees both.  They are those of the first local MAC; without any they are
 * NULL.  Returns NULL, or a message that the caller frees, and then both are
 * NULL. */
char *relay_flows_emission(const struct relay_flows_params *params,
                           char **keep, char **rewrite) OVS_WARN_UNUSED_RESULT;

#endif /* relay-flows.h */
