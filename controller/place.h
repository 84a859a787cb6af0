/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PLACE_H
#define SNOWRELAY_PLACE_H 1

/* Place: another host, known by address or by name, and the address of each IP
 * version chosen of those it has.  Pure: no I/O. */

#include <netinet/in.h>
#include <stdbool.h>

struct resolver;

/* IP versions, as indexes. */
enum { IPV4, IPV6, N_VERSIONS };

struct place {
    const char *host; /* Address or name.  Not owned. */
    bool by_name;
    bool known[N_VERSIONS];
    struct in6_addr address[N_VERSIONS]; /* IPv4 ones IPv4-mapped. */
};

void place_init(struct place *, const char *host);

/* Takes from 'resolver' the addresses of a place known by name.  One that was
 * chosen stays chosen as long as the name has it; a name that cannot be looked
 * up keeps those it had. */
void place_resolve(struct place *, const struct resolver *resolver);

/* Returns true if there is an address. */
bool place_is_known(const struct place *);

/* Returns the address of the other end of a tunnel to a place that is known:
 * the IPv4 one, if there is one. */
const struct in6_addr *place_tunnel_end(const struct place *);

#endif /* place.h */
