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
            const ovs_be32 ip = in6_addr_get_mapped_ipv4(address);

            if (!own_addresses_contain(own, ip)) {
                own->all[own->n++] = ip;
            }
        }
    }

    bool changed =
        (own->n != before.n
         || (own->n
             && memcmp(own->all, before.all, own->n * sizeof *own->all)));
    free(before.all);
    return changed;
}
