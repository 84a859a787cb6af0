/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_DESTINATION_H
#define SNOWRELAY_DESTINATION_H 1

/* Destination: where a frame must be sent to be understood on the Ethernet
 * segment behind the bridge.
 *
 * A host drops a datagram to the directed broadcast address of another subnet,
 * because to the host that is just somebody else's address.  So a relayed
 * frame keeps its IP destination only if that is 255.255.255.255 or a
 * broadcast address of the bridge's own subnets; otherwise it is sent to the
 * bridge's directed broadcast address, or to 255.255.255.255 if the bridge has
 * no address.
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/types.h"

struct host_address;

/* What to do about IP destinations. */
enum destination_policy {
    DESTINATION_AUTO,   /* As above. */
    DESTINATION_KEEP,   /* Never change one. */
    DESTINATION_LIMITED /* Always send to 255.255.255.255. */
};

enum { DESTINATION_MAX_BROADCASTS = 16 };

struct destination {
    enum destination_policy policy;
    ovs_be32 broadcasts[DESTINATION_MAX_BROADCASTS]; /* Each once. */
    size_t n_broadcasts;
};

/* Describes in '*destination' what is understood behind the bridge whose own
 * interface is called 'bridge', with the host's 'n' addresses at 'addresses'.
 * Returns true if that differs from what '*destination' said before. */
bool destination_update(struct destination *, enum destination_policy policy,
                        const char *bridge,
                        const struct host_address *addresses, size_t n);

/* Returns the IP destination of frames whose own means nothing here. */
ovs_be32 destination_address(const struct destination *);

/* Returns true if a frame to 'ip_dst' must be sent to destination_address()
 * instead. */
bool destination_must_rewrite(const struct destination *, ovs_be32 ip_dst);

/* Returns true if the segment's hosts take 'ip_dst' for one that means them,
 * as far as is known. */
bool destination_is_understood(const struct destination *, ovs_be32 ip_dst);

/* A word for 'policy', as the configuration has it. */
const char *destination_policy_name(enum destination_policy policy);

#endif /* destination.h */
