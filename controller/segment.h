/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SEGMENT_H
#define SNOWRELAY_SEGMENT_H 1

/* Segment: what a frame must look like to be understood on the Ethernet
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
enum segment_policy {
    DESTINATION_AUTO,   /* As above. */
    DESTINATION_KEEP,   /* Never change one. */
    DESTINATION_LIMITED /* Always send to 255.255.255.255. */
};

enum { SEGMENT_MAX_BROADCASTS = 16 };

struct segment {
    enum segment_policy policy;
    ovs_be32 broadcasts[SEGMENT_MAX_BROADCASTS];
    size_t n_broadcasts;
};

/* Describes in '*segment' the segment of the bridge whose own interface is
 * called 'bridge', with the host's 'n' addresses at 'addresses'.  Returns true
 * if that differs from what '*segment' said before. */
bool segment_update(struct segment *, enum segment_policy policy,
                    const char *bridge, const struct host_address *addresses,
                    size_t n);

/* Returns the IP destination of frames whose own means nothing here. */
ovs_be32 segment_destination(const struct segment *);

/* Returns true if a frame to 'ip_dst' must be sent to segment_destination()
 * instead. */
bool segment_must_rewrite(const struct segment *, ovs_be32 ip_dst);

/* A word for 'policy', as the configuration has it. */
const char *segment_policy_name(enum segment_policy policy);

#endif /* segment.h */
