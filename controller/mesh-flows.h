/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_MESH_FLOWS_H
#define SNOWRELAY_MESH_FLOWS_H 1

/* The flows of the mesh's tunnel: what the switch needs for carrying
 * broadcasts to and from the peers behind it by itself.
 *
 *    broadcast --> its normal way, and a second pass
 *                      |-- too long, or tagged --> punt
 *                      +--> group: a bucket for each peer
 *
 *    tunnel --> from a peer? --> local MAC, destination --> its normal way
 *               (and from a source that is relayed)
 *           --> probe        --> punt
 *           --> anything else    dropped
 *
 * Pure: no I/O. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

struct destination;
struct flowset;
struct ofputil_port_map;
struct own_addresses;
struct relay_flows_params;
struct relay_port;
struct shash;

/* Priorities from relay.flow_priority on that the relay's flows take with a
 * tunnel. */
enum { MESH_FLOWS_PRIORITIES = 10 };

/* The other end of the tunnel at a peer. */
struct mesh_end {
    uint32_t id; /* Of the bucket: the number of the peer. */
    struct in6_addr address;
};

struct mesh_tunnel {
    const char *port; /* Name of the tunnel port. */
    const struct ofputil_port_map *port_map;

    const struct mesh_end *targets; /* Who gets frames through it. */
    size_t n_targets;
    const struct mesh_end *sources; /* From whom they come. */
    size_t n_sources;
    size_t max_len;      /* The longest that go through it. */
    uint16_t generation; /* Of 'targets', for punts. */
    bool others;         /* Have others to get datagrams? */
    bool watch_all;      /* Is the relay to see all, or just some? */

    const struct destination *destination;
    const struct own_addresses *own;
};

/* Sets in 'values' what is the same for all flows of the tunnel of 'params'.
 * Its meters are to come after all others of the relay's, and ids are from
 * 'id_base' on. */
void mesh_flows_set_values(const struct relay_flows_params *params,
                           uint32_t id_base, struct shash *values);

/* Add to 'set' the flows that the broadcast port 'port' needs for the tunnel
 * of 'params', and what the tunnel needs besides, filled in from 'values'.
 * Return NULL, or a message that the caller frees. */
char *mesh_flows_add_port(const struct relay_flows_params *params,
                          const struct relay_port *port, struct shash *values,
                          struct flowset *set) OVS_WARN_UNUSED_RESULT;
char *
mesh_flows_add(const struct relay_flows_params *params, struct shash *values,
               struct flowset *set) OVS_WARN_UNUSED_RESULT;

/* Returns true if the switch carries the broadcasts of 'port' to some. */
bool mesh_flows_carry(const struct relay_flows_params *params,
                      const struct relay_port *port);

/* Stores in '*actions' those that a probe to 'address' leaves with through the
 * tunnel port numbered 'port'.  Returns NULL, or a message that the caller
 * frees. */
char *mesh_probe_actions(const struct in6_addr *address, uint32_t port,
                         char **actions) OVS_WARN_UNUSED_RESULT;

#endif /* mesh-flows.h */
