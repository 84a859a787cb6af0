/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "relay-flows.h"

#include "flowset.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "punt.h"
#include "template.h"
#include "util.h"

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

/* Sets the values for the 'i'th broadcast port. */
static void
set_port_values(struct shash *values, const struct relay_flows_params *p,
                uint32_t id_base, size_t i)
{
    template_set(values, "port", xasprintf("%u", p->ports[i]));
    template_set(values, "meter",
                 xasprintf("%" PRIu32, id_base + (uint32_t) i));
    template_set(values, "userdata",
                 punt_userdata(PUNT_BROADCAST, p->ports[i]));
}

static void
set_mac_value(struct shash *values, struct eth_addr mac)
{
    template_set(values, "local_mac",
                 xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac)));
}

/* Adds the flows and the meter of one broadcast port. */
static char *
add_port(struct flowset *set, const struct relay_flows_params *p,
         struct shash *values)
{
    char *error = flowset_add_meter(set, "punt.meter", values);
    if (!error) {
        error = flowset_add_flow(set, "punt-own-host.flow", values, NULL);
    }
    for (size_t i = 0; !error && i < p->n_local_macs; i++) {
        set_mac_value(values, p->local_macs[i]);
        error = flowset_add_flow(set, "loop-filter.flow", values, NULL);
    }
    if (!error) {
        error = flowset_add_flow(set, "punt.flow", values, NULL);
    }
    return error;
}

char *
relay_flows_add(const struct relay_flows_params *p, struct flowset *set)
{
    struct shash values = SHASH_INITIALIZER(&values);
    char *error = NULL;

    set_common_values(&values, p);
    for (size_t i = 0; !error && i < p->n_ports; i++) {
        set_port_values(&values, p, set->id_base, i);
        error = add_port(set, p, &values);
    }
    shash_destroy_free_data(&values);
    return error;
}

char *
relay_flows_emission(const struct relay_flows_params *p, char **keep,
                     char **rewrite)
{
    struct shash values = SHASH_INITIALIZER(&values);
    char *error = NULL;

    *keep = *rewrite = NULL;
    if (p->n_local_macs) {
        set_common_values(&values, p);
        set_mac_value(&values, p->local_macs[0]);
        error = template_expand(template_text("emit.actions"), &values, keep);
        if (!error) {
            error = template_expand(template_text("emit-rewritten.actions"),
                                    &values, rewrite);
        }
    }
    shash_destroy_free_data(&values);
    if (error) {
        free(*keep);
        *keep = NULL;
    }
    return error;
}
