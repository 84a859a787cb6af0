/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PATH_MTU_H
#define SNOWRELAY_PATH_MTU_H 1

/* Path MTU: how long an IP packet to another host may be, as far as this
 * host's kernel knows: the MTU of the device that its route leads through, or
 * of the path, if a router has told (RFC 1191, RFC 8201). */

#include <netinet/in.h>
#include <stddef.h>

/* Returns the MTU of the path to 'address', an IPv4 one as an IPv4-mapped one,
 * in bytes, or 0 if there is no route. */
size_t path_mtu(const struct in6_addr *address);

#endif /* path-mtu.h */
