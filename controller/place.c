/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "place.h"

#include <string.h>

#include "endpoint.h"
#include "packets.h"
#include "resolver.h"

void
place_init(struct place *p, const char *host)
{
    struct in6_addr address;

    memset(p, 0, sizeof *p);
    p->host = host;
    p->by_name = !address_from_text(host, &address);
    if (!p->by_name) {
        int version = IN6_IS_ADDR_V4MAPPED(&address) ? IPV4 : IPV6;

        p->known[version] = true;
        p->address[version] = address;
    }
}

static bool
resolution_has(const struct resolution *res, const struct in6_addr *address)
{
    for (size_t i = 0; i < res->n; i++) {
        if (ipv6_addr_equals(&res->endpoints[i].address, address)) {
            return true;
        }
    }
    return false;
}

void
place_resolve(struct place *p, const struct resolver *resolver)
{
    if (!p->by_name) {
        return;
    }

    const struct resolution *res = resolver_get(resolver, p->host);
    for (int version = IPV4; res->n && version < N_VERSIONS; version++) {
        if (p->known[version] && resolution_has(res, &p->address[version])) {
            continue;
        }
        p->known[version] = false;
        for (size_t i = 0; i < res->n && !p->known[version]; i++) {
            const struct in6_addr *address = &res->endpoints[i].address;

            if (address_is_ipv6(address) == version) {
                p->known[version] = true;
                p->address[version] = *address;
            }
        }
    }
}

bool
place_is_known(const struct place *p)
{
    return p->known[IPV4] || p->known[IPV6];
}

const struct in6_addr *
place_tunnel_end(const struct place *p)
{
    return &p->address[p->known[IPV4] ? IPV4 : IPV6];
}
