/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PEER_SPEC_H
#define SNOWRELAY_PEER_SPEC_H 1

/* Peer specifications: what people write to say who the other relays are.
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"

/* One of them, such as "relay-b:7125". */
struct peer_spec {
    char *text; /* As it was written. */
    char *host; /* Address, name of a host, or name of a service. */

    /* 0 for the mesh's own, and where the name is a service's, which has
     * ports of its own. */
    uint16_t port;
};

struct peer_specs {
    struct peer_spec *all;
    size_t n;
};

/* Appends 'text' to 'specs': HOST or HOST:PORT, where HOST is an address or a
 * name.  The name of a service goes without a port and only if
 * 'allow_service'.  Returns NULL, or a message that the caller frees and that
 * says what is wrong without repeating 'text'. */
char *peer_specs_add(struct peer_specs *specs, const char *text,
                     bool allow_service) OVS_WARN_UNUSED_RESULT;

/* Removes the 'i'th of 'specs'. */
void peer_specs_remove(struct peer_specs *specs, size_t i);

/* Removes all. */
void peer_specs_clear(struct peer_specs *specs);

/* Makes 'specs' a copy of 'others'. */
void
peer_specs_copy(struct peer_specs *specs, const struct peer_specs *others);

#endif /* peer-spec.h */
