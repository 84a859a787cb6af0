/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "mesh-flows.h"

#include "carried.h"
#include "destination.h"
#include "endpoint.h"
#include "flowset.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "own-addresses.h"
#include "packets.h"
#include "punt.h"
#include "relay-flows.h"
#include "subnets.h"
#include "template.h"
#include "util.h"

/* What reg15 says of a frame in its second pass; see
 * flows/mesh-broadcast.flow. */
enum {
    MARK_BROADCAST = 0x2,
    MARK_FROM_PEER = 0x4,
    MARK_OWN_HOST = 0xa,
    MARK_FROM_ANYBODY = 0x10
};

/* Frames a second that are looked at if nobody wants to see all. */
enum { WATCH_PPS = 25, WATCH_BURST = 100 };

/* Returns true if only some sources' broadcasts are relayed. */
static bool
is_partial(const struct relay_flows_params *p)
{
    return p->from && p->from->n;
}

/* Sets the values 'ipv4' or 'ipv6', whichever 'address' is. */
static void
set_address(struct shash *values, const struct in6_addr *address)
{
    char text[INET6_ADDRSTRLEN];
    bool ipv6 = address_is_ipv6(address);

    address_format(address, text);
    template_set(values, "ipv4", ipv6 ? NULL : xstrdup(text));
    template_set(values, "ipv6", ipv6 ? xstrdup(text) : NULL);
}

/* Sets how many of the frames that the switch carries are to be looked at. */
static void
set_watch_values(const struct relay_flows_params *p, struct shash *values)
{
    /* Both ways, and as many as the ports' meters let pass. */
    const uint64_t all = 2 * (uint64_t) p->n_ports * p->max_pps;
    const uint64_t pps = p->tunnel->watch_all ? all : WATCH_PPS;

    template_set(values, "watch_pps", xasprintf("%" PRIu64, pps));
    template_set(
        values, "watch_burst",
        xasprintf("%" PRIu64, p->tunnel->watch_all ? all : WATCH_BURST));
}

void
mesh_flows_set_values(const struct relay_flows_params *p, uint32_t id_base,
                      struct shash *values)
{
    /* Above the relay's other flows, in this order. */
    static const char *const priorities[] = { "long_priority",
                                              "out_priority",
                                              "guard_priority",
                                              "source_priority",
                                              "any_destination_priority",
                                              "known_destination_priority",
                                              "refused_priority" };
    const struct mesh_tunnel *t = p->tunnel;
    /* Meters follow those of the ports and of announcements. */
    const uint32_t meter =
        id_base + (uint32_t) p->n_ports + (p->announcements ? 1 : 0);

    for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
        template_set(values, priorities[i],
                     xasprintf("%" PRIuSIZE, p->flow_priority + 3 + i));
    }
    BUILD_ASSERT(3 + ARRAY_SIZE(priorities) == MESH_FLOWS_PRIORITIES);

    template_set(values, "tunnel_port", xstrdup(t->port));
    template_set(values, "max_len", xasprintf("%" PRIuSIZE, t->max_len));
    template_set(values, "mesh_group",
                 xasprintf("%" PRIu32, id_base + FLOWSET_MESH_GROUP));
    template_set(values, "probe_meter", xasprintf("%" PRIu32, meter));
    template_set(values, "watch_meter", xasprintf("%" PRIu32, meter + 1));
    template_set(values, "probe_userdata", punt_userdata(PUNT_PROBE, 0, 0));
    template_set(
        values, "source_mark",
        xasprintf("0x%x", is_partial(p) ? MARK_FROM_ANYBODY : MARK_FROM_PEER));
    set_watch_values(p, values);
}

/* Appends to 'buckets' that of 'target'. */
static char *
add_bucket(const struct mesh_end *target, struct shash *values,
           struct ds *buckets)
{
    char *text;

    template_set(values, "bucket", xasprintf("%" PRIu32, target->id));
    set_address(values, &target->address);
    char *error = template_expand(template_text("mesh.bucket"), values, &text);
    if (!error) {
        ds_put_format(buckets, "%s%s", buckets->length ? "," : "", text);
    }
    free(text);
    return error;
}

/* Adds the group of the peers behind the tunnel. */
static char *
add_group(const struct mesh_tunnel *t, struct shash *values,
          struct flowset *set)
{
    struct ds buckets = DS_EMPTY_INITIALIZER;
    char *error = NULL;

    for (size_t i = 0; !error && i < t->n_targets; i++) {
        error = add_bucket(&t->targets[i], values, &buckets);
    }
    if (!error) {
        template_set(values, "buckets", ds_steal_cstr(&buckets));
        error =
            flowset_add_group(set, "mesh.group", values, t->port_map, NULL, 0);
    }
    ds_destroy(&buckets);
    return error;
}

/* Tags the flow that was added to 'set' at last, for carried.h. */
static void
tag_flow(struct flowset *set, uint64_t tag)
{
    set->order[hmap_count(&set->flows) - 1]->tag = tag;
}

/* Adds the flows that let in the peers behind the tunnel. */
static char *
add_sources(const struct mesh_tunnel *t, struct shash *values,
            struct flowset *set)
{
    char *error = NULL;

    for (size_t i = 0; !error && i < t->n_sources; i++) {
        set_address(values, &t->sources[i].address);
        error = flowset_add_flow(set, "mesh-source.flow", values, t->port_map);
        if (!error) {
            tag_flow(set, t->sources[i].id);
        }
    }
    return error;
}

/* Adds the flows that drop what says that it is from here. */
static char *
add_refusals(const struct relay_flows_params *p, struct shash *values,
             struct flowset *set)
{
    const struct mesh_tunnel *t = p->tunnel;
    char *error = NULL;

    template_set(values, "refused_ipv4", NULL);
    template_set(values, "refused_mac", NULL);
    if (p->n_local_macs) {
        template_set(
            values, "refused_mac",
            xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(p->local_macs[0].mac)));
        error =
            flowset_add_flow(set, "mesh-refused.flow", values, t->port_map);
    }
    template_set(values, "refused_mac", NULL);
    for (size_t i = 0; !error && i < t->own->n; i++) {
        template_set(values, "refused_ipv4",
                     xasprintf(IP_FMT, IP_ARGS(t->own->all[i].ip)));
        error =
            flowset_add_flow(set, "mesh-refused.flow", values, t->port_map);
    }
    return error;
}

char *
mesh_flows_add(const struct relay_flows_params *p, struct shash *values,
               struct flowset *set)
{
    const struct mesh_tunnel *t = p->tunnel;

    char *error = flowset_add_meter(set, "mesh-probe.meter", values);
    if (!error) {
        error = flowset_add_meter(set, "mesh-watch.meter", values);
    }
    if (!error && t->n_targets) {
        error = add_group(t, values, set);
    }
    if (!error) {
        error = flowset_add_flow(set, "mesh-guard.flow", values, t->port_map);
    }
    if (!error) {
        error = flowset_add_flow(set, "mesh-probe.flow", values, t->port_map);
    }
    if (!error) {
        error = add_sources(t, values, set);
    }
    if (!error && is_partial(p)) {
        error = flowset_add_flow_from(set, "mesh-from.flow", values,
                                      t->port_map, p->from);
    }
    return error ? error : add_refusals(p, values, set);
}

bool
mesh_flows_carry(const struct relay_flows_params *p,
                 const struct relay_port *port)
{
    return p->tunnel && port->carried && p->tunnel->n_targets;
}

/* Adds the two flows of the second pass of what was marked with 'mark', and is
 * punted as 'kind'. */
static char *
add_second_pass(const struct relay_flows_params *p, int mark,
                enum punt_kind kind, const struct relay_port *port,
                struct shash *values, struct flowset *set)
{
    const struct mesh_tunnel *t = p->tunnel;

    template_set(values, "out_mark", xasprintf("0x%x", mark));
    template_set(values, "long_userdata", punt_userdata(kind, port->port, 0));
    template_set(values, "others_userdata",
                 t->others ? punt_userdata(kind, port->port, t->generation)
                           : NULL);
    template_set(values, "watch_userdata",
                 t->others ? NULL : punt_userdata(PUNT_WATCH, port->port, 0));
    char *error = flowset_add_flow(set, "mesh-out.flow", values, NULL);
    if (!error) {
        tag_flow(set, carried_out_tag(port->port, mark, port - p->ports,
                                      t->others));
    }
    return error ? error
                 : flowset_add_flow(set, "mesh-long.flow", values, NULL);
}

/* Adds the flows of the broadcasts of 'port' that the switch carries. */
static char *
add_out(const struct relay_flows_params *p, const struct relay_port *port,
        struct shash *values, struct flowset *set)
{
    char *error = NULL;

    if (port->own_host) {
        error = flowset_add_flow_from(set, "mesh-own-host.flow", values, NULL,
                                      p->from);
        if (!error) {
            error = add_second_pass(p, MARK_OWN_HOST, PUNT_OWN_HOST, port,
                                    values, set);
        }
    }
    if (!error && port->segment) {
        error = flowset_add_flow_from(set, "mesh-broadcast.flow", values, NULL,
                                      p->from);
        if (!error) {
            error = add_second_pass(p, MARK_BROADCAST, PUNT_BROADCAST, port,
                                    values, set);
        }
    }
    return error;
}

/* Adds the flow that emits what comes with the IP destination
 * 'ip_destination', or any that no other flow is for if that is 0, written
 * anew if 'rewrite'. */
static char *
add_in(const struct mesh_tunnel *t, uint16_t port, ovs_be32 ip_destination,
       bool rewrite, struct shash *values, struct flowset *set)
{
    const ovs_be32 address = destination_address(t->destination);

    template_set(values, "in_priority",
                 xstrdup(shash_find_data(
                     values, ip_destination ? "known_destination_priority"
                                            : "any_destination_priority")));
    template_set(values, "ipv4_destination",
                 ip_destination ? xasprintf(IP_FMT, IP_ARGS(ip_destination))
                                : NULL);
    template_set(values, "new_destination",
                 rewrite ? xasprintf(IP_FMT, IP_ARGS(address)) : NULL);
    template_set(values, "tunnel_watch_userdata",
                 punt_userdata(PUNT_WATCH_TUNNEL, port, 0));
    char *error = flowset_add_flow(set, "mesh-in.flow", values, t->port_map);
    if (!error) {
        tag_flow(set, carried_in_tag(port, ip_destination));
    }
    return error;
}

/* Adds the flows that emit what comes out of the tunnel for a port. */
static char *
add_emission(const struct mesh_tunnel *t, uint16_t port, struct shash *values,
             struct flowset *set)
{
    const struct destination *d = t->destination;
    char *error = NULL;

    if (d->policy == DESTINATION_KEEP) {
        return add_in(t, port, 0, false, values, set);
    }
    if (!destination_must_rewrite(d, htonl(INADDR_BROADCAST))) {
        error = add_in(t, port, htonl(INADDR_BROADCAST), false, values, set);
    }
    for (size_t i = 0; !error && i < d->n_broadcasts; i++) {
        if (d->broadcasts[i] != htonl(INADDR_BROADCAST)
            && !destination_must_rewrite(d, d->broadcasts[i])) {
            error = add_in(t, port, d->broadcasts[i], false, values, set);
        }
    }
    return error ? error : add_in(t, port, 0, true, values, set);
}

char *
mesh_flows_add_port(const struct relay_flows_params *p,
                    const struct relay_port *port, struct shash *values,
                    struct flowset *set)
{
    const struct mesh_tunnel *t = p->tunnel;
    char *error = NULL;

    if (mesh_flows_carry(p, port)) {
        error = add_out(p, port, values, set);
    }
    if (error || !port->segment || !p->n_local_macs) {
        return error;
    }
    template_set(values, "local_mac",
                 xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(p->local_macs[0].mac)));
    if (port->carried) {
        return add_emission(t, port->port, values, set);
    }
    template_set(values, "tunnel_userdata",
                 punt_userdata(PUNT_TUNNEL, port->port, 0));
    template_set(values, "in_priority",
                 xstrdup(shash_find_data(values, "any_destination_priority")));
    return flowset_add_flow(set, "mesh-punt.flow", values, t->port_map);
}

char *
mesh_probe_actions(const struct in6_addr *address, uint32_t port,
                   char **actions)
{
    struct shash values = SHASH_INITIALIZER(&values);

    set_address(&values, address);
    template_set(&values, "tunnel_port", xasprintf("%" PRIu32, port));
    char *error =
        template_expand(template_text("mesh-probe.actions"), &values, actions);
    shash_destroy_free_data(&values);
    return error;
}
