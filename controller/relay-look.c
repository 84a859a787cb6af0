/* SPDX-License-Identifier: Apache-2.0 */

/* What the relay shows to those who look on. */

#include <config.h>
#include "relay.h"
#include "relay-private.h"

#include "carried.h"
#include "channel.h"
#include "conf.h"
#include "emit.h"
#include "peering.h"
#include "tunneling.h"
#include "tunnels.h"

struct counters
relay_counters(const struct relay *r)
{
    struct counters c = r->counters;

    c.punted += r->carried.relayed;
    c.relayed += r->carried.relayed;
    c.mesh_tx += r->carried.tx;
    c.mesh_rx += r->carried.emitted;
    c.emitted += r->carried.emitted;
    return c;
}

const struct carried *
relay_carried(const struct relay *r)
{
    return &r->carried;
}

void
relay_count(struct relay *r, const struct flowset *set,
            const struct inventory *inv)
{
    carried_take(&r->carried, peering_peers(r->peering), set, inv,
                 r->n_too_long, relay_now_ms());
}

const struct peering *
relay_peering(const struct relay *r)
{
    return r->peering;
}

const struct segment *
relay_segment(const struct relay *r)
{
    return &r->segment;
}

const struct loop_guard *
relay_loop_guard(const struct relay *r)
{
    return r->loop_guard;
}

const struct tap *
relay_tap(const struct relay *r)
{
    return &r->tap;
}

const struct tunneling *
relay_tunneling(const struct relay *r)
{
    return &r->tunneling;
}

bool
relay_lets_switch_carry(const struct relay *r)
{
    for (size_t i = 0; i < r->config->n_ports; i++) {
        if (r->ports[i].carried) {
            return true;
        }
    }
    return false;
}

const char *
relay_tunnel_problem(const struct relay *r)
{
    return (r->tunneling.on && !r->tunneling.there
                ? tunnels_error(r->tunnels, &r->tunneling.tunnel)
                : NULL);
}

unsigned int
relay_queued(const struct relay *r)
{
    return emit_count(r->emit);
}

bool
relay_is_connected(const struct relay *r)
{
    return channel_is_open(r->channel);
}

bool
relay_local_mac(const struct relay *r, struct eth_addr *mac)
{
    *mac = r->local_mac;
    return r->local_mac_known;
}
