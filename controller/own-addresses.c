/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "own-addresses.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "packets.h"
#include "util.h"

void
own_addresses_init(struct own_addresses *own)
{
    own->all = NULL;
    own->n = 0;
}

void
own_addresses_destroy(struct own_addresses *own)
{
    free(own->all);
}

/* Puts 'ip' with the subnet of 'netmask' into 'own', which has room. */
static void
put(struct own_addresses *own, ovs_be32 ip, ovs_be32 netmask)
{
    for (size_t i = 0; i < own->n; i++) {
        struct own_address *before = &own->all[i];

        if (before->ip == ip) {
            if (netmask
                && (!before->netmask
                    || ntohl(netmask) < ntohl(before->netmask))) {
                before->netmask = netmask;
            }
            return;
        }
    }
    own->all[own->n++] = (struct own_address){ .ip = ip, .netmask = netmask };
}

bool
own_addresses_update(struct own_addresses *own, const char *bridge,
                     const struct host_address *addresses, size_t n)
{
    const struct own_addresses before = *own;

    own->all = xcalloc(n, sizeof *own->all);
    own->n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct in6_addr *address = &addresses[i].address;

        if (IN6_IS_ADDR_V4MAPPED(address)
            && !strcmp(addresses[i].interface, bridge)) {
            put(own, in6_addr_get_mapped_ipv4(address), addresses[i].netmask);
        }
    }

    bool changed =
        (own->n != before.n
         || (own->n
             && memcmp(own->all, before.all, own->n * sizeof *own->all)));
    free(before.all);
    return changed;
}

bool
own_addresses_are_next_to(const struct own_addresses *own, ovs_be32 ip)
{
    bool no_subnet = true;

    for (size_t i = 0; i < own->n; i++) {
        const struct own_address *a = &own->all[i];

        if (a->netmask) {
            if (!((a->ip ^ ip) & a->netmask)) {
                return true;
            }
            no_subnet = false;
        }
    }
    return no_subnet;
}
