/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RELAY_PRIVATE_H
#define SNOWRELAY_RELAY_PRIVATE_H 1

/* What the four parts of the relay share, and nobody else: relay.c, which
 * owns the modules and tells them what they must know, relay-tunnel.c, which
 * does so with those of the tunnel, relay-carry.c, where the frames go, and
 * relay-look.c, which shows them. */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "carried.h"
#include "conf.h"
#include "counters.h"
#include "destination.h"
#include "loop-guard.h"
#include "openvswitch/types.h"
#include "punt.h"
#include "own-addresses.h"
#include "relay-flows.h"
#include "mesh-flows.h"
#include "segment.h"
#include "tap.h"
#include "tunneling.h"

enum { RELAY_PORT_WORDS = UINT16_MAX / 64 + 1 };

struct frame;

struct relay {
    struct counters counters;
    struct tap tap; /* Told of each frame's way. */

    /* The node's. */
    const struct config *config;
    const struct host *host;
    const struct resolver *resolver;
    struct bridge *bridge;

    struct channel *channel; /* The switch, for frames. */
    struct emit *emit;
    struct destination destination;
    struct own_addresses own_addresses;
    struct loop_guard *loop_guard;

    struct mesh *mesh; /* NULL if nothing is relayed. */
    struct peering *peering;
    struct segment segment;
    struct onlink *onlink;

    /* The tunnel to the peers. */
    struct carried carried;
    long long int see_until[CONFIG_MAX_PORTS]; /* The relay has to see each
                                                * frame of a port, ms. */
    uint64_t n_too_long;     /* Frames relayed that were too long for it. */
    struct tunnels *tunnels; /* The node's. */
    struct tunneling tunneling;
    unsigned int tunnels_seqno, ports_seqno; /* As of the last look. */
    unsigned int peers_seqno, tunnel_seqno;  /* The same, of the peers. */
    bool tunnel_stale;                       /* Is a look due anyway? */
    char tunnel_name[IFNAMSIZ];              /* Of the port. */
    uint32_t tunnel_port;                    /* Its number, 0 for none. */
    bool watches_all;   /* Is the relay to see all that the switch carries? */
    bool leaves_others; /* Does the switch send nothing to some? */
    bool steady;        /* Is it settled who forwards? */
    struct peer **others; /* For tunneling_others(); of 'n_others'. */
    size_t n_others;
    long long int next_look; /* At the paths' MTUs, ms. */

    struct relay_mac *macs; /* The local MAC, then those of other relays. */
    size_t n_macs;
    struct eth_addr *known_macs;               /* For the loop guard. */
    struct relay_port ports[CONFIG_MAX_PORTS]; /* As the flows have them. */
    bool claims;                               /* Does it claim to forward? */
    char *announcement_actions;                /* NULL while not known. */

    /* What the flows, and the peers, were last worked out from. */
    struct eth_addr local_mac;
    bool local_mac_known;
    unsigned int host_seqno;
    unsigned int resolver_seqno;
    unsigned int channel_seqno;
    long long int opened; /* When the channel last was, ms. */
    bool reconfigured;    /* Since relay_update(). */
    bool settled;  /* Is it known who forwards, and who the peers are? */
    bool online;   /* Is the segment heard? */
    bool leaving;  /* Was relay_leave() called? */
    bool said_bye; /* Have the peers been told? */

    /* Bitmaps of ports: those that are relayed, and those of them whose frames
     * from the mesh are emitted. */
    uint64_t relayed_ports[RELAY_PORT_WORDS];
    uint64_t emitted_ports[RELAY_PORT_WORDS];
    bool emits;                 /* Is there any of the latter? */
    unsigned int emitted_seqno; /* Of the election then. */
};

/* relay-tunnel.c */

/* Takes over the configuration. */
void relay_configure_tunnel(struct relay *);

/* Takes in what others know of the tunnel port and the peers behind it.
 * Returns true if the flows change by that. */
bool relay_update_tunnel(struct relay *, long long int now);

/* Returns true if the switch itself may carry the broadcasts of 'port' now. */
bool relay_carries(const struct relay *, uint16_t port, long long int now);

/* Describes in '*mt' the tunnel for the flows, and returns it; returns NULL if
 * there is none. */
const struct mesh_tunnel *
relay_describe_tunnel(const struct relay *, struct mesh_tunnel *mt);

/* Takes in that the relay has to see each frame like 'frame' for a while,
 * since it goes round in a loop, or may, as 'verdict' says, or since its
 * checksum is only begun, which no switch completes. */
void relay_see_all(struct relay *, const struct frame *frame,
                   enum loop_verdict verdict, long long int now);

/* Probes the peers behind the tunnel, when it is time to. */
void relay_run_tunnel(struct relay *, long long int now);
void relay_wait_tunnel(const struct relay *);

/* Has all peers behind the tunnel be probed at once: the switch has been
 * connected just now, and may have forgotten the way to them. */
void relay_probe_all(struct relay *);

/* Takes in the probe in 'punt'. */
void
relay_take_probe(struct relay *, const struct punt *punt, long long int now);

static inline bool
relay_has_port(const uint64_t ports[RELAY_PORT_WORDS], uint16_t port)
{
    return ports[port / 64] >> port % 64 & 1;
}

static inline void
relay_add_port(uint64_t ports[RELAY_PORT_WORDS], uint16_t port)
{
    ports[port / 64] |= UINT64_C(1) << port % 64;
}

/* Returns the time as peering and its hellos have it, us. */
static inline long long int
relay_now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* The same in ms, as time_msec() has it, but not as of the last look at it. */
static inline long long int
relay_now_ms(void)
{
    return relay_now_us() / 1000;
}

#endif /* relay-private.h */
