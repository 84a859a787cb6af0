/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "segment.h"

#include <netinet/in.h>
#include <string.h>

#include "host.h"
#include "openvswitch/util.h"
#include "util.h"

bool
segment_update(struct segment *segment, enum segment_policy policy,
               const char *bridge, const struct host_address *addresses,
               size_t n)
{
    struct segment new;

    memset(&new, 0, sizeof new);
    new.policy = policy;
    for (size_t i = 0; i < n; i++) {
        if (addresses[i].broadcast && !strcmp(addresses[i].interface, bridge)
            && new.n_broadcasts < SEGMENT_MAX_BROADCASTS) {
            new.broadcasts[new.n_broadcasts++] = addresses[i].broadcast;
        }
    }
    if (!memcmp(segment, &new, sizeof new)) {
        return false;
    }
    *segment = new;
    return true;
}

ovs_be32
segment_destination(const struct segment *segment)
{
    return (segment->policy == DESTINATION_AUTO && segment->n_broadcasts
                ? segment->broadcasts[0]
                : htonl(INADDR_BROADCAST));
}

bool
segment_must_rewrite(const struct segment *segment, ovs_be32 ip_dst)
{
    if (ip_dst == htonl(INADDR_BROADCAST)) {
        return false;
    }
    switch (segment->policy) {
    case DESTINATION_KEEP: return false;
    case DESTINATION_LIMITED: return true;
    case DESTINATION_AUTO: break;
    }
    for (size_t i = 0; i < segment->n_broadcasts; i++) {
        if (segment->broadcasts[i] == ip_dst) {
            return false;
        }
    }
    return true;
}

const char *
segment_policy_name(enum segment_policy policy)
{
    switch (policy) {
    case DESTINATION_AUTO: return "auto";
    case DESTINATION_KEEP: return "keep";
    case DESTINATION_LIMITED: return "limited";
    }
    OVS_NOT_REACHED();
}
