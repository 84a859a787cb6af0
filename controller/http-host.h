/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_HTTP_HOST_H
#define SNOWRELAY_HTTP_HOST_H 1

/* HTTP host: is a request for this host, by the name in its Host header?
 *
 * A page of somebody else's that a browser has loaded under a name of its
 * author's may have that name lead to this relay by then ("DNS rebinding"),
 * and so read what the browser can reach.  Its requests carry that name.  So
 * names are taken only if nobody else can give them an address: none at all
 * but an address, "localhost", and this host's own.
 *
 * Pure: no I/O. */

#include <stdbool.h>

/* Returns true if 'header', the value of a Host header, HOST or HOST:PORT, is
 * an address, localhost, a name below that, or 'own_name' or its first label,
 * whatever the port.  NULL, from a client that names nobody, is as well: no
 * browser is one. */
bool http_host_is_ours(const char *header, const char *own_name);

#endif /* http-host.h */
