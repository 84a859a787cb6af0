/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "destination.h"

#include <netinet/in.h>
#include <string.h>

#include "host.h"
#include "openvswitch/util.h"
#include "util.h"

/* Returns true if 'ip_dst' is a broadcast address of one of the bridge's own
 * subnets. */
static bool
is_own_broadcast(const struct destination *destination, ovs_be32 ip_dst)
{
    for (size_t i = 0; i < destination->n_broadcasts; i++) {
        if (destination->broadcasts[i] == ip_dst) {
            return true;
        }
    }
    return false;
}

bool
destination_update(struct destination *destination,
                   enum destination_policy policy, const char *bridge,
                   const struct host_address *addresses, size_t n)
{
    struct destination new;

    memset(&new, 0, sizeof new);
    new.policy = policy;
    for (size_t i = 0; i < n; i++) {
        if (addresses[i].broadcast && !strcmp(addresses[i].interface, bridge)
            && !is_own_broadcast(&new, addresses[i].broadcast)
            && new.n_broadcasts < DESTINATION_MAX_BROADCASTS) {
            new.broadcasts[new.n_broadcasts++] = addresses[i].broadcast;
        }
    }
    if (!memcmp(destination, &new, sizeof new)) {
        return false;
    }
    *destination = new;
    return true;
}

ovs_be32
destination_address(const struct destination *destination)
{
    return (destination->policy == DESTINATION_AUTO
                    && destination->n_broadcasts
                ? destination->broadcasts[0]
                : htonl(INADDR_BROADCAST));
}

bool
destination_must_rewrite(const struct destination *destination,
                         ovs_be32 ip_dst)
{
    if (ip_dst == htonl(INADDR_BROADCAST)) {
        return false;
    }
    switch (destination->policy) {
    case DESTINATION_KEEP: return false;
    case DESTINATION_LIMITED: return true;
    case DESTINATION_AUTO: break;
    }
    return !is_own_broadcast(destination, ip_dst);
}

bool
destination_is_understood(const struct destination *destination,
                          ovs_be32 ip_dst)
{
    return (ip_dst == htonl(INADDR_BROADCAST) || !destination->n_broadcasts
            || is_own_broadcast(destination, ip_dst));
}

const char *
destination_policy_name(enum destination_policy policy)
{
    switch (policy) {
    case DESTINATION_AUTO: return "auto";
    case DESTINATION_KEEP: return "keep";
    case DESTINATION_LIMITED: return "limited";
    }
    OVS_NOT_REACHED();
}
