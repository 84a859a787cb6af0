/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PORTS_H
#define SNOWRELAY_PORTS_H 1

/* Ports: those of the bridge, as the switch describes them.
 *
 * Pure: the caller brings the descriptions. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/ofp-port.h"
#include "openvswitch/types.h"

struct port {
    char name[OFP_MAX_PORT_NAME_LEN];
    ofp_port_t number;
    struct eth_addr mac;
    bool down; /* Set so by its administrator. */
};

struct ports {
    struct port *ports;
    size_t n, allocated;
    struct ofputil_port_map map; /* The same, for libopenvswitch. */
    unsigned int seqno;          /* Changes whenever they do. */
};

void ports_init(struct ports *);
void ports_destroy(struct ports *);

/* Forgets all ports. */
void ports_clear(struct ports *);

/* Adds the port, or changes it to what 'desc' says. */
void ports_put(struct ports *, const struct ofputil_phy_port *desc);
void ports_remove(struct ports *, ofp_port_t number);

/* Adds a port named 'name' with a number of its own, unless there is one, for
 * those who have no switch to ask. */
void ports_make_up(struct ports *, const char *name, struct eth_addr mac);

/* Return the port, or NULL. */
const struct port *ports_find(const struct ports *, const char *name);
const struct port *ports_get(const struct ports *, ofp_port_t number);

#endif /* ports.h */
