/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_OWN_ADDRESSES_H
#define SNOWRELAY_OWN_ADDRESSES_H 1

/* Own addresses: the IPv4 addresses of the bridge, and their subnets.
 *
 * What comes from them starts at this host and never comes from the mesh, so a
 * frame from there that has one of them for its source is forged, or has gone
 * astray, and would have the segment answer to this host.  Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/types.h"

struct host_address;

struct own_address {
    ovs_be32 ip;
    ovs_be32 netmask; /* 0 if it has no subnet with broadcasts. */
};

struct own_addresses {
    struct own_address *all;
    size_t n;
};

void own_addresses_init(struct own_addresses *);
void own_addresses_destroy(struct own_addresses *);

/* Takes in those of the host's 'n' 'addresses' that the interface of 'bridge'
 * has.  Of one that it has more than once the largest subnet counts.  Returns
 * true if that changes what they are. */
bool own_addresses_update(struct own_addresses *, const char *bridge,
                          const struct host_address *addresses, size_t n);

/* Returns true if 'ip' is one of them. */
static inline bool
own_addresses_contain(const struct own_addresses *own, ovs_be32 ip)
{
    for (size_t i = 0; i < own->n; i++) {
        if (own->all[i].ip == ip) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'ip' is one that hosts of the bridge's segment have, as far
 * as is known: in a subnet of one of the addresses, or there is no subnet. */
bool own_addresses_are_next_to(const struct own_addresses *own, ovs_be32 ip);

#endif /* own-addresses.h */
