/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RELAY_PRIVATE_H
#define SNOWRELAY_RELAY_PRIVATE_H 1

/* What the two parts of the relay share, and nobody else: relay.c, which owns
 * the modules and tells them what they must know, and relay-carry.c, where the
 * frames go. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "counters.h"
#include "destination.h"
#include "openvswitch/types.h"

struct relay {
    struct counters counters;

    /* The node's. */
    const struct config *config;
    const struct host *host;
    const struct resolver *resolver;
    struct bridge *bridge;

    struct channel *channel; /* The switch, for frames. */
    struct emit *emit;
    struct destination destination;

    struct mesh *mesh; /* NULL if nothing is relayed. */
    struct peering *peering;
    struct eth_addr *macs; /* The local MAC, then those of the peers. */
    size_t n_macs;

    /* What the flows, and the peers, were last worked out from. */
    struct eth_addr local_mac;
    bool local_mac_known;
    unsigned int host_seqno;
    unsigned int resolver_seqno;
    unsigned int channel_seqno;
    bool reconfigured; /* Since relay_update(). */

    uint64_t relayed_port[UINT16_MAX / 64 + 1]; /* Bitmap: is it relayed? */
};

/* Returns the time as peering and its hellos have it, us. */
static inline long long int
relay_now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

#endif /* relay-private.h */
