/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "relay-flows.h"

#include "flowset.h"
#include "mesh-flows.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "punt.h"
#include "template.h"
#include "util.h"

void
relay_ports_forwarded(const uint16_t *ports, size_t n,
                      struct relay_port *result)
{
    for (size_t i = 0; i < n; i++) {
        result[i] = (struct relay_port){ ports[i], true, true, true };
    }
}

/* Sets the values that are the same for all ports and MACs. */
static void
set_common_values(struct shash *values, const struct relay_flows_params *p)
{
    template_set(values, "controller", xasprintf("%u", PUNT_CONTROLLER_ID));
    template_set(values, "destination",
                 xasprintf(IP_FMT, IP_ARGS(p->destination)));
    template_set(values, "forward", xstrdup(p->forward));
    template_set(values, "max_pps", xasprintf("%" PRIu32, p->max_pps));
    template_set(values, "punt_priority", xasprintf("%u", p->flow_priority));
    template_set(values, "loop_filter_priority",
                 xasprintf("%u", p->flow_priority + 1));
    template_set(values, "own_host_priority",
                 xasprintf("%u", p->flow_priority + 2));
}

/* Sets the values of the flow for announcements. */
static void
set_announcement_values(struct shash *values,
                        const struct relay_flows_params *p, uint32_t id_base)
{
    /* Its meter follows those of the ports. */
    template_set(values, "announcement_meter",
                 xasprintf("%" PRIu32, id_base + (uint32_t) p->n_ports));
    template_set(values, "announcement_userdata",
                 punt_userdata(PUNT_ANNOUNCEMENT, 0, 0));
}

/* Sets the values of the 'i'th broadcast port. */
static void
set_port_values(struct shash *values, const struct relay_flows_params *p,
                uint32_t id_base, size_t i)
{
    const uint16_t port = p->ports[i].port;

    template_set(values, "port", xasprintf("%u", port));
    template_set(values, "meter",
                 xasprintf("%" PRIu32, id_base + (uint32_t) i));
    template_set(values, "userdata", punt_userdata(PUNT_BROADCAST, port, 0));
    template_set(values, "own_host_userdata",
                 punt_userdata(PUNT_OWN_HOST, port, 0));
    template_set(
        values, "own_host_mac",
        p->ports[i].segment || !p->n_local_macs
            ? NULL
            : xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(p->local_macs[0].mac)));
}

static void
set_mac_value(struct shash *values, struct eth_addr mac)
{
    template_set(values, "local_mac",
                 xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac)));
}

/* Adds the flows and the meter of 'port'. */
static char *
add_port(struct flowset *set, const struct relay_flows_params *p,
         const struct relay_port *port, struct shash *values)
{
    const size_t index = port - p->ports;
    const bool punted = !mesh_flows_carry(p, port);

    char *error = flowset_add_meter(set, "punt.meter", values);
    if (!error && port->own_host && punted) {
        error = flowset_add_flow_from(set, "punt-own-host.flow", values, NULL,
                                      p->from);
    }
    for (size_t i = 0; !error && i < p->n_local_macs; i++) {
        if (p->local_macs[i].ports >> index & 1) {
            set_mac_value(values, p->local_macs[i].mac);
            error = flowset_add_flow(set, "loop-filter.flow", values, NULL);
        }
    }
    if (!error && port->segment && punted) {
        error = flowset_add_flow_from(set, "punt.flow", values, NULL, p->from);
    }
    if (!error && p->tunnel) {
        error = mesh_flows_add_port(p, port, values, set);
    }
    return error;
}

/* Adds the flow and the meter of announcements. */
static char *
add_announcements(struct flowset *set, const struct relay_flows_params *p,
                  struct shash *values)
{
    set_announcement_values(values, p, set->id_base);
    char *error = flowset_add_meter(set, "announcement.meter", values);
    return error ? error
                 : flowset_add_flow(set, "announcement.flow", values, NULL);
}

char *
relay_flows_add(const struct relay_flows_params *p, struct flowset *set)
{
    struct shash values = SHASH_INITIALIZER(&values);
    char *error = NULL;

    set_common_values(&values, p);
    if (p->tunnel) {
        mesh_flows_set_values(p, set->id_base, &values);
    }
    for (size_t i = 0; !error && i < p->n_ports; i++) {
        set_port_values(&values, p, set->id_base, i);
        error = add_port(set, p, &p->ports[i], &values);
    }
    if (!error && p->announcements) {
        error = add_announcements(set, p, &values);
    }
    if (!error && p->tunnel) {
        error = mesh_flows_add(p, &values, set);
    }
    shash_destroy_free_data(&values);
    return error;
}

/* Stores in '*actions' the file 'name' of flows/, filled in from 'values'. */
static char *
expand_actions(const char *name, const struct shash *values, char **actions)
{
    return template_expand(template_text(name), values, actions);
}

char *
relay_flows_actions(const struct relay_flows_params *p,
                    struct relay_actions *actions)
{
    struct shash values = SHASH_INITIALIZER(&values);
    char *error = NULL;

    *actions = (struct relay_actions){ .keep = NULL };
    if (p->n_local_macs) {
        set_common_values(&values, p);
        set_mac_value(&values, p->local_macs[0].mac);
        error = expand_actions("emit.actions", &values, &actions->keep);
        if (!error) {
            error = expand_actions("emit-rewritten.actions", &values,
                                   &actions->rewrite);
        }
        if (!error) {
            error = expand_actions("announcement.actions", &values,
                                   &actions->announcement);
        }
    }
    shash_destroy_free_data(&values);
    if (error) {
        relay_actions_uninit(actions);
    }
    return error;
}

void
relay_actions_uninit(struct relay_actions *actions)
{
    free(actions->keep);
    free(actions->rewrite);
    free(actions->announcement);
    *actions = (struct relay_actions){ .keep = NULL };
}
