/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "replicate-flows.h"

#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "flowset.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "ports.h"
#include "template.h"
#include "tunnel.h"
#include "util.h"

/* Groups. */

BUILD_ASSERT_DECL(N_VARIANTS *RULE_MAX <= FLOWSET_MESH_GROUP);

/* The group ids of a rule. */
struct rule_groups {
    uint32_t id[N_VARIANTS];
    bool takes[2]; /* IPv4, IPv6: is there a collector for it? */
};

static const char *const way_templates[N_WAY_KINDS] = {
    [WAY_NONE] = "none.bucket",    [WAY_OPEN] = "none.bucket",
    [WAY_DOWN] = "none.bucket",    [WAY_LOCAL] = "local.bucket",
    [WAY_ROUTED] = "local.bucket", [WAY_DIRECT] = "direct.bucket",
    [WAY_PORT] = "port.bucket",    [WAY_TUNNEL] = "tunnel.bucket",
};

static void
set_mac(struct shash *values, const char *name, struct eth_addr mac)
{
    template_set(values, name, xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac)));
}

/* Sets 'ipv4_name' or 'ipv6_name' to 'address', whichever is for it. */
static void
set_address(struct shash *values, const char *ipv4_name, const char *ipv6_name,
            const struct in6_addr *address)
{
    char text[INET6_ADDRSTRLEN];
    bool ipv4 = IN6_IS_ADDR_V4MAPPED(address);

    template_set(values, ipv4 ? ipv4_name : ipv6_name,
                 xstrdup(address_format(address, text)));
}

/* Sets the addresses that 'way' writes. */
static void
set_way(struct shash *values, const struct way *way)
{
    if (way->kind == WAY_NONE || way->kind == WAY_TUNNEL) {
        return;
    }
    set_address(values, "ipv4", "ipv6", &way->address);
    if (way->rewrite) {
        set_address(values, "ipv4_source", "ipv6_source", &way->source);
    }
}

/* Appends to 'buckets' the bucket of the collector 'c' for 'variant'.  Where
 * nothing is to be sent, it is there to be counted, but not in a spread, where
 * exporters would be lost to it; then a bucket that is open is in '*open'. */
static char *
add_bucket(const struct replicate_flows_params *p, const struct rule *r,
           const struct collector *c, const struct collector_ways *ways,
           int variant, struct ds *buckets)
{
    struct shash values = SHASH_INITIALIZER(&values);
    const struct way *way = &ways->of[variant & VARIANT_IPV6];
    const char *name = way_templates[way->kind];
    char *text;

    if (r->spread && (way->kind == WAY_NONE || way->kind == WAY_DOWN)) {
        return NULL;
    }
    if (variant & VARIANT_OWN && way_is_original(r, c, way)) {
        name = "none.bucket";
    } else if (way->kind == WAY_TUNNEL && r->remote) {
        name = "onward.bucket";
    }
    if (!way->as_told) {
        template_set(&values, "as_port", xstrdup("LOCAL"));
    }
    template_set(&values, "bucket", xasprintf("%" PRIu32, c->bucket_id));
    template_set(&values, "port", xasprintf("%u", c->port));
    template_set(&values, "forward", xstrdup(p->forward));
    template_set(&values, "out_port", xstrdup(way->out_port));
    set_mac(&values, "bridge_mac", p->bridge_mac);
    set_mac(&values, "next_hop_mac", way->next_hop);
    set_mac(&values, "source_mac", way->source_mac);
    if (way->kind == WAY_LOCAL && c->kind == COLLECTOR_LOCAL) {
        /* Each datagram takes the address of its own IP version, so that one
         * bucket serves both. */
        set_way(&values, &ways->of[0]);
        set_way(&values, &ways->of[1]);
    } else {
        set_way(&values, way);
    }

    char *error = template_expand(template_text(name), &values, &text);
    shash_destroy_free_data(&values);
    if (error) {
        return xasprintf("flows/%s: %s", name, error);
    }
    if (buckets->length) {
        ds_put_char(buckets, ',');
    }
    ds_put_cstr(buckets, text);
    free(text);
    return NULL;
}

/* Appends to 'buckets' those of all collectors of 'r' for 'variant'. */
static char *
add_buckets(const struct replicate_flows_params *p, const struct rule *r,
            const struct collector_ways *ways, int variant, struct ds *buckets)
{
    char *error = NULL;

    for (size_t i = 0; !error && i < r->n_collectors; i++) {
        error =
            add_bucket(p, r, &r->collectors[i], &ways[i], variant, buckets);
    }
    return error;
}

/* Returns the ids of the buckets of 'r' that are open in 'variant', and stores
 * their number in '*n'.  The caller frees them. */
static uint32_t *
open_buckets(const struct rule *r, const struct collector_ways *ways,
             int variant, size_t *n)
{
    uint32_t *open = xcalloc(r->n_collectors, sizeof *open);

    *n = 0;
    for (size_t i = 0; i < r->n_collectors; i++) {
        if (ways[i].of[variant & VARIANT_IPV6].kind == WAY_OPEN) {
            open[(*n)++] = r->collectors[i].bucket_id;
        }
    }
    return open;
}

/* Adds the group 'id' of 'r', with 'buckets', for 'variant'. */
static char *
add_group(const struct replicate_flows_params *p, const struct rule *r,
          const struct collector_ways *ways, int variant, uint32_t id,
          const char *buckets, struct flowset *set)
{
    struct shash values = SHASH_INITIALIZER(&values);
    size_t n_open;
    uint32_t *open = open_buckets(r, ways, variant, &n_open);

    template_set(&values, "group", xasprintf("%" PRIu32, id));
    template_set(&values, "buckets", xstrdup(buckets));
    char *error =
        flowset_add_group(set, r->spread ? "spread.group" : "copy.group",
                          &values, &p->ports->map, open, n_open);
    shash_destroy_free_data(&values);
    return error;
}

/* Returns true if 'r' has a collector that gets the original of what is
 * addressed to this host. */
static bool
has_own_variant(const struct rule *r, const struct collector_ways *ways)
{
    for (size_t i = 0; i < r->n_collectors; i++) {
        if (way_is_original(r, &r->collectors[i], &ways[i].of[IPV4])
            || way_is_original(r, &r->collectors[i], &ways[i].of[IPV6])) {
            return true;
        }
    }
    return false;
}

static bool
has_way(const struct rule *r, const struct collector_ways *ways, bool ipv6)
{
    for (size_t i = 0; i < r->n_collectors; i++) {
        if (ways[i].of[ipv6].kind != WAY_NONE) {
            return true;
        }
    }
    return false;
}

/* Returns true if both IP versions may have one group for 'r': its collectors
 * are always open in both or in neither.  What is open in one only would else
 * get the bucket of the other one, or none. */
static bool
may_share_group(const struct rule *r)
{
    for (size_t i = 0; i < r->n_collectors; i++) {
        if (r->collectors[i].kind == COLLECTOR_HOST) {
            return false;
        }
    }
    return true;
}

/* Adds the groups of 'r', and stores their ids in '*groups'.  Variants whose
 * buckets are alike, now and always, have one group. */
static char *
add_groups(const struct replicate_flows_params *p, const struct rule *r,
           const struct collector_ways *ways, struct rule_groups *groups,
           struct flowset *set)
{
    char *texts[N_VARIANTS] = { NULL };
    char *error = NULL;

    for (int v = 0; !error && v < N_VARIANTS; v++) {
        bool ipv6 = v & VARIANT_IPV6;
        struct ds buckets = DS_EMPTY_INITIALIZER;
        int same = 0;

        groups->takes[ipv6] = rule_takes(r, ipv6) && has_way(r, ways, ipv6);
        if (!groups->takes[ipv6]
            || (v & VARIANT_OWN && !has_own_variant(r, ways))) {
            continue;
        }
        error = add_buckets(p, r, ways, v, &buckets);
        texts[v] = ds_steal_cstr(&buckets);
        while (!texts[same] || strcmp(texts[same], texts[v])
               || ((same ^ v) & VARIANT_IPV6 && !may_share_group(r))) {
            same++;
        }
        groups->id[v] = set->id_base + r->slot + RULE_MAX * same;
        if (!error && same == v) {
            error = add_group(p, r, ways, v, groups->id[v], texts[v], set);
        }
    }
    for (int v = 0; v < N_VARIANTS; v++) {
        free(texts[v]);
    }
    return error;
}

/* Patterns. */

/* Adds to 'cells' the pattern of 'r' for the source 'from', and those parts of
 * it that need flows of their own. */
static void
add_pattern(const struct replicate_flows_params *p, const struct rule *r,
            const struct subnet *from, bool ipv6, const char *in_port,
            struct cells *cells)
{
    uint64_t bit = UINT64_C(1) << (r - p->rules->rules);
    struct pattern pattern = {
        .ipv6 = ipv6,
        .port = r->port,
        .from = *from,
        .has_destination = r->has_destination,
        .destination = r->destination,
        .in_port = in_port,
    };

    cells_add(cells, &pattern, bit);
    if (!r->has_destination
        && has_own_variant(r, p->ways[r - p->rules->rules])) {
        struct pattern own = pattern;

        own.has_destination = true;
        for (size_t i = 0; i < p->n_own; i++) {
            if (address_is_ipv6(&p->own[i]) == ipv6) {
                own.destination = p->own[i];
                cells_add(cells, &own, bit);
            }
        }
    }
    if (!r->remote) {
        pattern.port = 0;
        cells_add(cells, &pattern, bit);
    }
}

/* Adds to 'cells' all patterns of 'r', whose ingress port is 'in_port'. */
static void
add_patterns(const struct replicate_flows_params *p, const struct rule *r,
             const struct rule_groups *groups, const char *in_port,
             struct cells *cells)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct subnet any;

        if (!groups->takes[ipv6]) {
            continue;
        }
        pattern_any_source(ipv6, &any);
        for (size_t i = 0; i < r->from.n; i++) {
            if (address_is_ipv6(&r->from.all[i].address) == ipv6) {
                add_pattern(p, r, &r->from.all[i], ipv6, in_port, cells);
            }
        }
        if (!r->from.n) {
            add_pattern(p, r, &any, ipv6, in_port, cells);
        }
    }
}

/* Exempts the copies that come back to the bridge on their way through the
 * host's routing. */
static void
add_exemptions(const struct replicate_flows_params *p, size_t i,
               struct cells *cells)
{
    const struct rule *r = &p->rules->rules[i];

    for (size_t j = 0; j < r->n_collectors; j++) {
        for (int ipv6 = 0; ipv6 < 2; ipv6++) {
            const struct way *way = &p->ways[i][j].of[ipv6];
            struct pattern pattern = {
                .ipv6 = ipv6,
                .port = r->collectors[j].port,
                .has_destination = true,
                .destination = way->address,
                .in_port = "LOCAL",
            };

            if (way->kind == WAY_ROUTED) {
                pattern_any_source(ipv6, &pattern.from);
                cells_add(cells, &pattern, 0);
            }
        }
    }
}

/* Flows. */

static bool
is_own_address(const struct replicate_flows_params *p,
               const struct in6_addr *address)
{
    for (size_t i = 0; i < p->n_own; i++) {
        if (ipv6_addr_equals(&p->own[i], address)) {
            return true;
        }
    }
    return false;
}

/* Sets "groups" to the actions that send what 'cell' matches to the groups of
 * its rules. */
static char *
set_groups(const struct replicate_flows_params *p, const struct cell *cell,
           const struct rule_groups *groups, struct shash *values)
{
    struct ds all = DS_EMPTY_INITIALIZER;
    char *error = NULL;

    for (size_t i = 0; !error && i < p->rules->n; i++) {
        bool own = (cell->pattern.has_destination
                    && is_own_address(p, &cell->pattern.destination)
                    && has_own_variant(&p->rules->rules[i], p->ways[i]));
        int variant = ((cell->pattern.ipv6 ? VARIANT_IPV6 : 0)
                       | (own ? VARIANT_OWN : 0));
        char *text;

        if (!(cell->rules >> i & 1)) {
            continue;
        }
        template_set(values, "group",
                     xasprintf("%" PRIu32, groups[i].id[variant]));
        error = template_expand(template_text("copy.actions"), values, &text);
        if (!error) {
            ds_put_format(&all, "%s%s", all.length ? "," : "", text);
            free(text);
        }
    }
    template_set(values, "groups", ds_steal_cstr(&all));
    return error;
}

static void
set_pattern(struct shash *values, const struct pattern *pattern)
{
    template_set(values, "udp", xstrdup(pattern->ipv6 ? "udp6" : "udp"));
    template_set(values, "port", xasprintf("%u", pattern->port));
    if (pattern->in_port) {
        template_set(values, "in_port", xstrdup(pattern->in_port));
    }
    if (pattern->from.prefix > (pattern->ipv6 ? 0 : 96)) {
        char address[INET6_ADDRSTRLEN];

        address_format(&pattern->from.address, address);
        template_set(
            values, pattern->ipv6 ? "ipv6_from" : "ipv4_from",
            xasprintf("%s/%u", address,
                      pattern->from.prefix - (pattern->ipv6 ? 0 : 96)));
    }
    if (pattern->has_destination) {
        set_address(values, "ipv4_destination", "ipv6_destination",
                    &pattern->destination);
    }
}

/* Adds the flow for 'cell', which lies in a tunnel or not. */
static char *
add_flow(const struct replicate_flows_params *p, const struct cell *cell,
         const struct rule_groups *groups, bool tunnel, struct flowset *set)
{
    struct shash values = SHASH_INITIALIZER(&values);
    unsigned int priority =
        p->flow_priority + pattern_specificity(&cell->pattern);
    const char *name;

    if (tunnel) {
        name = "tunnel.flow";
        priority += REPLICATE_PRIORITIES_GUARD + 1;
    } else if (!cell->pattern.port) {
        name = "fragment.flow";
        priority = (REPLICATE_PRIORITY_FRAGMENTS
                    + pattern_specificity(&cell->pattern));
    } else {
        name = cell->exempt ? "exempt.flow" : "copy.flow";
        priority -= REPLICATE_PRIORITIES_BELOW;
    }
    template_set(&values, "priority", xasprintf("%u", priority));
    template_set(&values, "forward", xstrdup(p->forward));
    set_pattern(&values, &cell->pattern);

    char *error = set_groups(p, cell, groups, &values);
    if (!error) {
        error = flowset_add_flow(set, name, &values, &p->ports->map);
    }
    if (!error && !cell->pattern.port) {
        set->order[hmap_count(&set->flows) - 1]->tag = cell->rules;
    }
    shash_destroy_free_data(&values);
    return error;
}

/* Adds the flows for all of 'cells'. */
static char *
add_flows(const struct replicate_flows_params *p, struct cells *cells,
          const struct rule_groups *groups, bool tunnel, struct flowset *set)
{
    char *error =
        (cells_close(cells, REPLICATE_MAX_CELLS)
             ? NULL
             : xasprintf("replicate: the rules take more than %d flows; "
                         "rules of one port whose \"from\", \"destination\" "
                         "and \"in_port\" overlap take one for each overlap",
                         REPLICATE_MAX_CELLS));

    /* Exemptions first, for those who give a switch one flow after the other.
     * An exemption from nothing needs no flow. */
    for (size_t i = 0; !error && i < 2 * cells->n; i++) {
        const struct cell *cell = &cells->cells[i % cells->n];

        if (cell->rules && cell->exempt == (i < cells->n)) {
            error = add_flow(p, cell, groups, tunnel, set);
        }
    }
    return error;
}

/* Adds the flow that drops what comes out of the port 'in_port' if no rule
 * takes it. */
static char *
add_guard(const struct replicate_flows_params *p, const char *in_port,
          struct flowset *set)
{
    struct shash values = SHASH_INITIALIZER(&values);

    template_set(&values, "in_port", xstrdup(in_port));
    template_set(
        &values, "priority",
        xasprintf("%u", p->flow_priority + REPLICATE_PRIORITIES_GUARD));
    char *error =
        flowset_add_flow(set, "tunnel-guard.flow", &values, &p->ports->map);
    shash_destroy_free_data(&values);
    return error;
}

static bool
has_port(const struct replicate_flows_params *p, const char *name)
{
    return (!strcmp(name, "LOCAL")
            || ofputil_port_map_get_number(&p->ports->map, name) != OFPP_NONE);
}

/* Adds guards for all tunnel ports of ours that are there, whether or not it
 * is known which rule needs them. */
static char *
add_guards(const struct replicate_flows_params *p, struct flowset *set)
{
    char *error = NULL;

    for (size_t i = 0; !error && i < p->ports->n; i++) {
        if (tunnel_is_port_name(p->ports->ports[i].name)) {
            error = add_guard(p, p->ports->ports[i].name, set);
        }
    }
    return error;
}

char *
replicate_flows_add(const struct replicate_flows_params *p,
                    struct flowset *set)
{
    struct rule_groups *groups = xcalloc(p->rules->n, sizeof *groups);
    struct cells outside = CELLS_INITIALIZER, tunnels = CELLS_INITIALIZER;
    char *error = NULL;

    for (size_t i = 0; !error && i < p->rules->n; i++) {
        const struct rule *r = &p->rules->rules[i];
        const char *in_port =
            (r->remote ? p->tunnel_ports[i]
             : r->in_port && !strcmp(r->in_port, p->bridge) ? "LOCAL"
                                                            : r->in_port);

        error = add_groups(p, r, p->ways[i], &groups[i], set);
        if (!error && (!in_port || has_port(p, in_port))) {
            add_patterns(p, r, &groups[i], in_port,
                         r->remote ? &tunnels : &outside);
        }
        add_exemptions(p, i, &outside);
    }
    if (!error) {
        error = add_flows(p, &outside, groups, false, set);
    }
    if (!error) {
        error = add_flows(p, &tunnels, groups, true, set);
    }
    if (!error) {
        error = add_guards(p, set);
    }
    if (p->keep_tunnels) {
        set->kept_cookie = htonll(COOKIE_TUNNEL);
    }
    cells_destroy(&outside);
    cells_destroy(&tunnels);
    free(groups);
    return error;
}

/* Checking. */

/* Makes up a way to 'c' for each IP version that it can be of. */
static void
make_up_ways(const struct collector *c, struct collector_ways *ways)
{
    static const enum way_kind kinds[] = {
        [COLLECTOR_LOCAL] = WAY_LOCAL,
        [COLLECTOR_HOST] = WAY_DIRECT,
        [COLLECTOR_TUNNEL] = WAY_TUNNEL,
    };
    struct in6_addr address;
    bool literal = c->host && address_from_text(c->host, &address);

    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct way *way = &ways->of[ipv6];

        way->kind = kinds[c->kind];
        if (c->kind == COLLECTOR_HOST && literal
            && address_is_ipv6(&address) != ipv6) {
            way->kind = WAY_NONE;
        }
        ovs_strlcpy(way->out_port, "tunnel", sizeof way->out_port);
        if (ipv6) {
            way->address = in6addr_loopback;
        } else {
            in6_addr_set_mapped_ipv4(&way->address, htonl(INADDR_LOOPBACK));
        }
        way->source = way->address;
        way->rewrite = true;
    }
}

char *
replicate_flows_check(const struct config *c)
{
    const struct rules *rules = &c->replicate;
    struct collector_ways ways[RULE_MAX][RULE_MAX_COLLECTORS];
    struct collector_ways *ways_of[RULE_MAX];
    char tunnel_ports[RULE_MAX][16];
    struct in6_addr own[2] = { in6addr_loopback };
    struct ports ports;
    struct flowset set;

    in6_addr_set_mapped_ipv4(&own[1], htonl(INADDR_LOOPBACK));
    ports_init(&ports);
    ports_make_up(&ports, "tunnel", eth_addr_zero);
    memset(ways, 0, sizeof ways);
    for (size_t i = 0; i < rules->n; i++) {
        const struct rule *r = &rules->rules[i];

        ways_of[i] = ways[i];
        ovs_strlcpy(tunnel_ports[i], "tunnel", sizeof tunnel_ports[i]);
        if (r->in_port) {
            ports_make_up(&ports, r->in_port, eth_addr_zero);
        }
        for (size_t j = 0; j < r->n_collectors; j++) {
            make_up_ways(&r->collectors[j], &ways[i][j]);
        }
    }

    const struct replicate_flows_params params = {
        .rules = rules,
        .ways = ways_of,
        .tunnel_ports = tunnel_ports,
        .own = own,
        .n_own = ARRAY_SIZE(own),
        .bridge = c->bridge,
        .bridge_mac = ETH_ADDR_C(02, 00, 00, 00, 00, 01),
        .flow_priority = c->flow_priority,
        .forward = c->forward,
        .ports = &ports,
    };
    flowset_init(&set, c->id_base);
    char *error = replicate_flows_add(&params, &set);
    flowset_destroy(&set);
    ports_destroy(&ports);
    return error;
}
