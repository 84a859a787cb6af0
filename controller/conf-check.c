/* SPDX-License-Identifier: Apache-2.0 */

/* What a configuration must be as a whole. */

#include <config.h>
#include "conf.h"

#include <string.h>

#include "dirs.h"
#include "emit.h"
#include "flowset.h"
#include "frame.h"
#include "mesh-flows.h"
#include "openvswitch/util.h"
#include "own-addresses.h"
#include "packets.h"
#include "relay-flows.h"
#include "replicate-flows.h"
#include "util.h"

/* Checks that the templates make flows and emissions out of 'params', as the
 * switch would get them. */
static char *
check_relay_flows(const struct config *c,
                  const struct relay_flows_params *params)
{
    struct relay_actions actions = { .keep = NULL };
    struct flowset set;

    flowset_init(&set, c->id_base);
    char *error = relay_flows_add(params, &set);
    flowset_destroy(&set);
    if (!error) {
        error = relay_flows_actions(params, &actions);
    }
    if (!error) {
        struct emit *emit = emit_create();
        error = emit_set_actions(emit, actions.keep, actions.rewrite);
        emit_destroy(emit);
    }
    relay_actions_uninit(&actions);
    return error;
}

/* Checks that what follows a punt, an emission and an announcement can. */
static char *
check_forward(const struct config *c)
{
    struct relay_port ports[CONFIG_MAX_PORTS] = { { 1, true, true, true } };
    const struct relay_mac any_mac = { ETH_ADDR_C(02, 00, 00, 00, 00, 01),
                                       UINT64_MAX };
    const struct mesh_end any_end = { 1, c->mesh.address };
    const struct destination any_destination = { .policy = c->destination };
    const struct own_addresses none = { .n = 0 };
    const struct mesh_tunnel any_tunnel = {
        .port = "1",
        .targets = &any_end,
        .n_targets = 1,
        .sources = &any_end,
        .n_sources = 1,
        .max_len = FRAME_MAX,
        .generation = 1,
        .destination = &any_destination,
        .own = &none,
    };
    struct relay_flows_params params = {
        .ports = ports,
        .n_ports = c->n_ports ? c->n_ports : 1,
        .local_macs = &any_mac,
        .n_local_macs = 1,
        .flow_priority = c->flow_priority,
        .max_pps = c->max_pps,
        .forward = c->forward,
        .from = &c->from,
        .destination = htonl(INADDR_BROADCAST),
        .tunnel = c->tunneled ? &any_tunnel : NULL,
    };
    char *whole = NULL;

    relay_ports_forwarded(c->ports, c->n_ports, ports);
    char *error = check_relay_flows(c, &params);
    if (error) {
        whole = xasprintf("relay.forward: \"%s\" cannot follow a punt "
                          "or an emission: %s",
                          c->forward, error);
    } else if (c->n_ports && c->election) {
        params.announcements = true;
        error = check_relay_flows(c, &params);
        if (error) {
            whole =
                xasprintf("relay.forward: \"%s\" cannot follow an "
                          "announcement, which is not IP (segment.election "
                          "false does without): %s",
                          c->forward, error);
        }
    }
    free(error);
    return whole;
}

/* Checks the rules, and that the templates make flows out of them. */
static char *
check_replication(struct config *c)
{
    char *error = rules_check(&c->replicate, "replicate");

    if (!error && c->replicate.n
        && (c->flow_priority <= REPLICATE_PRIORITIES_BELOW
            || c->flow_priority > UINT16_MAX - REPLICATE_PRIORITIES_ABOVE)) {
        error =
            xasprintf("relay.flow_priority: %u is not from %d to %d, which "
                      "leaves room for the flows of \"replicate\"",
                      c->flow_priority, REPLICATE_PRIORITIES_BELOW + 1,
                      UINT16_MAX - REPLICATE_PRIORITIES_ABOVE);
    }
    if (!error) {
        error = replicate_flows_check(c);
    }
    if (error && !strncmp(error, "flows/", 6)) {
        /* All else that the user wrote has been checked. */
        char *whole = xasprintf("relay.forward: \"%s\" cannot follow a copy: "
                                "%s",
                                c->forward, error);
        free(error);
        return whole;
    }
    return error;
}

char *
config_check(struct config *c)
{
    if (c->replicate.n && !c->ports_given && !c->peers.n && !c->discover.n) {
        /* Who only replicates relays nothing. */
        c->n_ports = 0;
    }
    for (size_t i = 0; i < c->n_ports; i++) {
        if (c->ports[i] == c->mesh.port) {
            return xasprintf("--broadcast-port, relay.ports: %u is also the "
                             "mesh port (--mesh-port, mesh.port); they must "
                             "differ",
                             c->ports[i]);
        }
    }

    if (c->dead_ms < CONFIG_MIN_HELLOS * c->announce_ms) {
        return xasprintf("segment.dead_ms: %" PRIu32 " is less than %d times "
                         "segment.hello_ms, which is %" PRIu32,
                         c->dead_ms, CONFIG_MIN_HELLOS, c->announce_ms);
    }

    if (c->tunneled && c->vni == TUNNEL_KEY) {
        return xasprintf("mesh.vni: %" PRIu32 " is that of the tunnels of "
                         "\"replicate\"",
                         c->vni);
    }
    if (c->tunneled && c->filter) {
        return xasprintf("relay.filter: with mesh.transport \"%s\" the switch "
                         "carries the frames and has no such filter; "
                         "relay.from is one that it has",
                         config_transport(c));
    }
    if (c->tunneled
        && c->flow_priority + MESH_FLOWS_PRIORITIES > 1 + UINT16_MAX) {
        return xasprintf("relay.flow_priority: %u is not from 1 to %d, which "
                         "leaves room for the flows of mesh.transport \"%s\"",
                         c->flow_priority,
                         1 + UINT16_MAX - MESH_FLOWS_PRIORITIES,
                         config_transport(c));
    }

    if (!c->switch_target) {
        c->switch_target =
            xasprintf("unix:%s/%s.mgmt", ovs_rundir(), c->bridge);
    }
    if (!c->database) {
        c->database = xasprintf("unix:%s/db.sock", ovs_rundir());
    }
    char *error = check_forward(c);
    return error ? error : check_replication(c);
}
