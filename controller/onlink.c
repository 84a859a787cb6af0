/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "onlink.h"

#include <string.h>

#include "nexthop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peers.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(onlink);

struct onlink {
    struct nexthops *nexthops;

    /* What was looked at last. */
    unsigned int peers_seqno;
    unsigned int nexthops_seqno;
};

struct onlink *
onlink_create(void)
{
    struct onlink *o = xzalloc(sizeof *o);

    o->nexthops = nexthops_create();
    return o;
}

void
onlink_destroy(struct onlink *o)
{
    if (o) {
        nexthops_destroy(o->nexthops);
        free(o);
    }
}

/* Returns true if 'peer' is a relay that cannot announce itself. */
static bool
is_mute(const struct peer *peer)
{
    return (peer_is_greeted(peer) && !peer->remote
            && peer->liveness.state == LIVENESS_SNOWSIGNAL);
}

/* Has the addresses of mute 'peers' looked up. */
static void
look_up(struct onlink *o, const struct peers *peers)
{
    struct in6_addr *addresses = xcalloc(peers->n_all, sizeof *addresses);
    size_t n = 0;

    for (size_t i = 0; i < peers->n_all; i++) {
        if (is_mute(peers->all[i])) {
            addresses[n++] = peers->all[i]->target.address;
        }
    }
    nexthops_set(o->nexthops, addresses, n);
    free(addresses);
}

/* Stores the MAC of 'peer' in '*mac' and returns true if it is on-link through
 * 'bridge'. */
static bool
find_mac(const struct onlink *o, const struct peer *peer, const char *bridge,
         struct eth_addr *mac)
{
    const struct nexthop *hop =
        (is_mute(peer) ? nexthops_get(o->nexthops, &peer->target.address)
                       : NULL);

    if (!hop || hop->state != NEXTHOP_READY || strcmp(hop->device, bridge)
        || !ipv6_addr_equals(&hop->gateway, &peer->target.address)) {
        return false;
    }
    *mac = hop->mac;
    return !eth_addr_is_zero(*mac);
}

bool
onlink_update(struct onlink *o, struct peers *peers, const char *bridge)
{
    bool changed = false;

    if (o->peers_seqno == peers->seqno
        && o->nexthops_seqno == nexthops_seqno(o->nexthops)) {
        return false;
    }
    o->peers_seqno = peers->seqno;
    look_up(o, peers);
    o->nexthops_seqno = nexthops_seqno(o->nexthops);
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];
        struct eth_addr mac = eth_addr_zero;
        bool on_link = find_mac(o, peer, bridge, &mac);

        if (on_link == peer->on_link && eth_addr_equals(mac, peer->mac)) {
            continue;
        }
        if (on_link) {
            VLOG_INFO_RL(&peer->log,
                         "peer %s: has a card on this segment, with the "
                         "MAC " ETH_ADDR_FMT,
                         peer->name, ETH_ADDR_ARGS(mac));
        } else if (is_mute(peer)) {
            VLOG_INFO_RL(&peer->log,
                         "peer %s: has no card on this segment any more",
                         peer->name);
        }
        peer->on_link = on_link;
        peer->mac = mac;
        changed = true;
    }
    return changed;
}

void
onlink_run(struct onlink *o)
{
    nexthops_run(o->nexthops);
}

void
onlink_wait(struct onlink *o)
{
    nexthops_wait(o->nexthops);
}
