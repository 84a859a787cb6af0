/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "replicate.h"

#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "flowset.h"
#include "host.h"
#include "nexthop.h"
#include "flow.h"
#include "hash.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "ports.h"
#include "resolver.h"
#include "sset.h"
#include "tally.h"
#include "timeval.h"
#include "tunnel.h"
#include "tunnels.h"
#include "util.h"
#include "way.h"

VLOG_DEFINE_THIS_MODULE(replicate);

/* How often what nobody reports, such as a sysctl, is looked at. */
enum { LOOK_MS = 5000 };

struct collector_state {
    struct place place; /* Not of COLLECTOR_LOCAL. */
    struct way_report report;
};

struct rule_state {
    struct place remote; /* If the rule has one. */
    struct collector_state *collectors;
    struct collector_ways *ways;
    char *problem;
};

struct replicate {
    /* The node's. */
    const struct config *config;
    const struct host *host;
    const struct resolver *resolver;
    struct tunnels *tunnels;

    struct nexthops *nexthops;

    /* Worked out from the rules, as many as there are. */
    const struct rules *rules;
    struct rule_state *states;
    struct tally tally;
    struct collector_ways **ways;
    char (*tunnel_ports)[16];
    struct in6_addr *own; /* What reaches this host anyway. */
    size_t n_own;

    /* Of the bridge. */
    const struct ports *ports; /* NULL while they are not known. */
    struct eth_addr bridge_mac;
    uint32_t port_numbers; /* Hash of those of all ports that matter. */
    bool tunnels_known;    /* Is it known where all tunnels lead? */

    /* What it was worked out from. */
    unsigned int host_seqno, resolver_seqno, nexthops_seqno, tunnels_seqno;
    unsigned int ports_seqno;
    bool reconfigured;
    long long int next_look; /* time_msec(). */
};

/* Life. */

struct replicate *
replicate_create(const struct host *host, const struct resolver *resolver,
                 struct tunnels *tunnels)
{
    struct replicate *r = xzalloc(sizeof *r);

    r->host = host;
    r->resolver = resolver;
    tally_init(&r->tally);
    r->nexthops = nexthops_create();
    r->tunnels = tunnels;
    return r;
}

/* Frees 'states', which has an element for each of 'rules'. */
static void
free_states(struct rule_state *states, const struct rules *rules)
{
    for (size_t i = 0; states && i < rules->n; i++) {
        for (size_t j = 0; j < rules->rules[i].n_collectors; j++) {
            way_report_uninit(&states[i].collectors[j].report);
        }
        free(states[i].collectors);
        free(states[i].ways);
        free(states[i].problem);
    }
    free(states);
}

void
replicate_destroy(struct replicate *r)
{
    if (r) {
        free_states(r->states, r->rules);
        free(r->ways);
        free(r->tunnel_ports);
        free(r->own);
        tally_uninit(&r->tally);
        nexthops_destroy(r->nexthops);
        free(r);
    }
}

/* Configuration. */

/* Takes over what 'before' knows of collectors and remotes that 'after' has
 * too. */
static void
keep_state(const struct rule *rule, struct rule_state *after,
           const struct rule *old_rule, const struct rule_state *before)
{
    if (rule->remote && old_rule->remote
        && !strcmp(rule->remote, old_rule->remote)) {
        after->remote = before->remote;
        after->remote.host = rule->remote;
    }
    for (size_t i = 0; i < rule->n_collectors; i++) {
        for (size_t j = 0; j < old_rule->n_collectors; j++) {
            struct collector_state *to = &after->collectors[i];
            const struct collector_state *from = &before->collectors[j];

            if (!strcmp(rule->collectors[i].text,
                        old_rule->collectors[j].text)) {
                to->place = from->place;
                to->place.host = rule->collectors[i].host;
                /* What has been said need not be said again. */
                to->report.state = from->report.state;
                to->report.via = nullable_xstrdup(from->report.via);
                to->report.note = nullable_xstrdup(from->report.note);
            }
        }
    }
}

static void
init_state(struct rule_state *state, const struct rule *rule)
{
    memset(state, 0, sizeof *state);
    state->collectors = xcalloc(rule->n_collectors, sizeof *state->collectors);
    state->ways = xcalloc(rule->n_collectors, sizeof *state->ways);
    if (rule->remote) {
        place_init(&state->remote, rule->remote);
    }
    for (size_t i = 0; i < rule->n_collectors; i++) {
        if (rule->collectors[i].host) {
            place_init(&state->collectors[i].place, rule->collectors[i].host);
        }
    }
}

void
replicate_configure(struct replicate *r, const struct config *config)
{
    const struct rules *rules = &config->replicate;
    struct rule_state *states = xcalloc(rules->n, sizeof *states);

    free(r->ways);
    free(r->tunnel_ports);
    r->ways = xcalloc(rules->n, sizeof *r->ways);
    r->tunnel_ports = xcalloc(rules->n, sizeof *r->tunnel_ports);
    for (size_t i = 0; i < rules->n; i++) {
        init_state(&states[i], &rules->rules[i]);
        r->ways[i] = states[i].ways;
        for (size_t j = 0; r->states && j < r->rules->n; j++) {
            if (!strcmp(rules->rules[i].name, r->rules->rules[j].name)) {
                keep_state(&rules->rules[i], &states[i], &r->rules->rules[j],
                           &r->states[j]);
            }
        }
    }
    tally_set_rules(&r->tally, rules);
    free_states(r->states, r->rules);
    r->states = states;
    r->rules = rules;
    r->config = config;
    r->reconfigured = true;
}

static void
add_name(const struct place *place, struct sset *names)
{
    if (place->by_name) {
        sset_add(names, place->host);
    }
}

void
replicate_add_names(const struct replicate *r, struct sset *names)
{
    for (size_t i = 0; i < r->rules->n; i++) {
        add_name(&r->states[i].remote, names);
        for (size_t j = 0; j < r->rules->rules[i].n_collectors; j++) {
            add_name(&r->states[i].collectors[j].place, names);
        }
    }
}

static bool
equal_or_null(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* Makes 'report' what is said of the collector 'c' of 'rule', and tells the
 * log if that is news. */
static void
set_report(const struct rule *rule, const struct collector *c,
           struct way_report *said, const struct way_report *report)
{
    if (!equal_or_null(said->state, report->state)
        || !equal_or_null(said->via, report->via)
        || !equal_or_null(said->note, report->note)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 100);
        VLOG_RL(&rl,
                !strcmp(report->state, "down") || report->note ? VLL_WARN
                                                               : VLL_INFO,
                "%s: collector %s is %s: %s%s%s", rule->name, c->text,
                report->state, report->via, report->note ? "; " : "",
                report->note ? report->note : "");
    }
    way_report_uninit(said);
    *said = *report;
}

/* Finds the port that 'rule' listens to, if that is a tunnel's, and says why
 * the rule gets nothing. */
static void
find_ingress(const struct replicate *r, const struct rule *rule,
             struct rule_state *state, char port[16])
{
    char *problem = NULL;

    memset(port, 0, 16);
    if (rule->remote && !place_is_known(&state->remote)) {
        problem = xasprintf("%s cannot be looked up", rule->remote);
    } else if (rule->remote) {
        const struct tunnel tunnel =
            tunnel_to(rule->tunnel, place_tunnel_end(&state->remote));
        const char *error = tunnels_error(r->tunnels, &tunnel);

        tunnel_port_name(&tunnel, port);
        if (error) {
            problem = xasprintf("tunnel port %s: %s", port, error);
        } else if (!ports_find(r->ports, port)) {
            problem = xasprintf("no tunnel port %s yet", port);
        }
    } else if (rule->in_port && strcmp(rule->in_port, "LOCAL")
               && !ports_find(r->ports, rule->in_port)) {
        problem =
            xasprintf("%s has no port %s", r->config->bridge, rule->in_port);
    }
    if (!equal_or_null(problem, state->problem)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 20);

        if (problem) {
            VLOG_WARN_RL(&rl, "%s: no datagrams: %s", rule->name, problem);
        } else {
            VLOG_INFO_RL(&rl, "%s: datagrams can come again; no longer: %s",
                         rule->name, state->problem);
        }
    }
    free(state->problem);
    state->problem = problem;
}

/* Bringing everything up to date. */

static void
resolve_places(struct replicate *r)
{
    for (size_t i = 0; i < r->rules->n; i++) {
        place_resolve(&r->states[i].remote, r->resolver);
        for (size_t j = 0; j < r->rules->rules[i].n_collectors; j++) {
            place_resolve(&r->states[i].collectors[j].place, r->resolver);
        }
    }
}

/* Has the next hops of all remote collectors followed. */
static void
follow_nexthops(struct replicate *r)
{
    size_t n = 0, allocated = 0;
    struct in6_addr *addresses = NULL;

    for (size_t i = 0; i < r->rules->n; i++) {
        const struct rule *rule = &r->rules->rules[i];

        for (size_t j = 0; j < rule->n_collectors; j++) {
            const struct place *place = &r->states[i].collectors[j].place;

            for (int v = IPV4; v < N_VERSIONS; v++) {
                if (rule->collectors[j].kind != COLLECTOR_HOST
                    || !place->known[v]) {
                    continue;
                }
                if (n >= allocated) {
                    addresses =
                        x2nrealloc(addresses, &allocated, sizeof *addresses);
                }
                addresses[n++] = place->address[v];
            }
        }
    }
    nexthops_set(r->nexthops, addresses, n);
    free(addresses);
}

/* Appends the tunnel to 'place' to 'tunnels', if it is known; else notes that
 * not all of them are. */
static void
add_tunnel(enum tunnel_type type, const struct place *place,
           struct tunnel *tunnels, size_t *n, bool *all)
{
    if (place_is_known(place)) {
        tunnels[(*n)++] = tunnel_to(type, place_tunnel_end(place));
    } else {
        *all = false;
    }
}

/* Returns the tunnels to all places that are known, '*n' of them, which the
 * caller frees.  Sets '*all' if there are no others. */
static struct tunnel *
list_tunnels(const struct replicate *r, size_t *n, bool *all)
{
    struct tunnel *tunnels =
        xmalloc(RULE_MAX * (RULE_MAX_COLLECTORS + 1) * sizeof *tunnels);

    *all = true;
    *n = 0;
    for (size_t i = 0; i < r->rules->n; i++) {
        const struct rule *rule = &r->rules->rules[i];

        if (rule->remote) {
            add_tunnel(rule->tunnel, &r->states[i].remote, tunnels, n, all);
        }
        for (size_t j = 0; j < rule->n_collectors; j++) {
            if (rule->collectors[j].kind == COLLECTOR_TUNNEL) {
                add_tunnel(rule->collectors[j].tunnel,
                           &r->states[i].collectors[j].place, tunnels, n, all);
            }
        }
    }
    return tunnels;
}

struct tunnel *
replicate_tunnels(const struct replicate *r, size_t *n)
{
    bool all;

    return list_tunnels(r, n, &all);
}

/* Has the tunnel ports made.  Ports that are there stay as long as an address
 * is unknown: they may lead to it. */
static void
want_tunnels(struct replicate *r)
{
    size_t n;
    bool all;
    struct tunnel *tunnels = list_tunnels(r, &n, &all);

    r->tunnels_known = all;
    tunnels_set(r->tunnels, TUNNEL_REPLICATE, tunnels, n, !all);
    free(tunnels);
}

/* Appends 'ip' to the 'n' addresses at 'addresses'. */
static void
append_ipv4(struct in6_addr *addresses, size_t *n, ovs_be32 ip)
{
    in6_addr_set_mapped_ipv4(&addresses[(*n)++], ip);
}

/* Returns true if datagrams to 'a' may come through the bridge. */
static bool
may_be_destination(const struct replicate *r, const struct host_address *a)
{
    bool on_bridge = !strcmp(a->interface, r->config->bridge);
    ovs_be32 ip = in6_addr_get_mapped_ipv4(&a->address);

    return !(IN6_IS_ADDR_LOOPBACK(&a->address)
             || ntohl(ip) >> 24 == IN_LOOPBACKNET
             || (IN6_IS_ADDR_LINKLOCAL(&a->address) && !on_bridge));
}

/* Lists the addresses that reach this host anyway: its own, and broadcasts.
 * Returns true if they have changed. */
static bool
list_own_addresses(struct replicate *r)
{
    size_t n_all, n = 0;
    const struct host_address *all = host_addresses(r->host, &n_all);
    struct in6_addr *own = xcalloc(2 * n_all + 1, sizeof *own);

    append_ipv4(own, &n, htonl(INADDR_BROADCAST));
    for (size_t i = 0; i < n_all; i++) {
        if (may_be_destination(r, &all[i])) {
            own[n++] = all[i].address;
        }
        if (all[i].broadcast && !strcmp(all[i].interface, r->config->bridge)) {
            append_ipv4(own, &n, all[i].broadcast);
        }
    }
    bool changed = (n != r->n_own || memcmp(own, r->own, n * sizeof *own));
    free(r->own);
    r->own = own;
    r->n_own = n;
    return changed;
}

/* Works out all ways again.  Returns true if any has changed. */
static bool
find_all_ways(struct replicate *r)
{
    const struct surroundings surroundings = {
        .bridge = r->config->bridge,
        .bridge_mac = r->bridge_mac,
        .host = r->host,
        .ports = r->ports,
        .nexthops = r->nexthops,
        .tunnels = r->tunnels,
    };
    bool changed = false;

    for (size_t i = 0; i < r->rules->n; i++) {
        const struct rule *rule = &r->rules->rules[i];
        char port[16];

        for (size_t j = 0; j < rule->n_collectors; j++) {
            struct collector_ways ways;

            struct collector_state *state = &r->states[i].collectors[j];
            struct way_report report;

            ways_find(&surroundings, rule, &rule->collectors[j], &state->place,
                      &ways, &report);
            set_report(rule, &rule->collectors[j], &state->report, &report);
            changed |= memcmp(&ways, &r->ways[i][j], sizeof ways) != 0;
            r->ways[i][j] = ways;
        }
        find_ingress(r, rule, &r->states[i], port);
        changed |= memcmp(port, r->tunnel_ports[i], sizeof port) != 0;
        memcpy(r->tunnel_ports[i], port, sizeof port);
    }
    return changed;
}

/* Returns a hash of the numbers of all ports that the flows may name. */
static uint32_t
hash_port_numbers(const struct replicate *r)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < r->ports->n; i++) {
        const struct port *port = &r->ports->ports[i];
        bool matters = tunnel_is_port_name(port->name);

        for (size_t j = 0; j < r->rules->n && !matters; j++) {
            const struct rule *rule = &r->rules->rules[j];

            matters = rule->in_port && !strcmp(rule->in_port, port->name);
            for (size_t k = 0; k < rule->n_collectors && !matters; k++) {
                const struct way *ways = r->ways[j][k].of;

                matters = (!strcmp(ways[IPV4].out_port, port->name)
                           || !strcmp(ways[IPV6].out_port, port->name));
            }
        }
        if (matters) {
            /* Whatever the order. */
            hash += hash_2words(hash_string(port->name, 0),
                                ofp_to_u16(port->number));
        }
    }
    return hash;
}

/* Returns true if something that the ways depend on may have changed, and
 * takes note of it. */
static bool
has_news(struct replicate *r, struct eth_addr mac)
{
    bool news = r->reconfigured || time_msec() >= r->next_look;

    news |= r->host_seqno != host_seqno(r->host);
    news |= r->resolver_seqno != resolver_seqno(r->resolver);
    news |= r->nexthops_seqno != nexthops_seqno(r->nexthops);
    news |= r->tunnels_seqno != tunnels_seqno(r->tunnels);
    news |= r->ports && r->ports_seqno != r->ports->seqno;
    news |= !eth_addr_equals(mac, r->bridge_mac);

    r->host_seqno = host_seqno(r->host);
    r->resolver_seqno = resolver_seqno(r->resolver);
    if (r->ports) {
        r->ports_seqno = r->ports->seqno;
    }
    r->bridge_mac = mac;
    return news;
}

bool
replicate_update(struct replicate *r, const struct ports *ports,
                 struct eth_addr mac)
{
    struct eth_addr mac_before = r->bridge_mac;

    r->ports = ports;
    if ((!r->rules->n && !r->reconfigured) || !has_news(r, mac)) {
        return false;
    }
    resolve_places(r);
    follow_nexthops(r);
    want_tunnels(r);
    r->nexthops_seqno = nexthops_seqno(r->nexthops);
    r->tunnels_seqno = tunnels_seqno(r->tunnels);
    r->next_look = r->rules->n ? time_msec() + LOOK_MS : LLONG_MAX;

    bool changed =
        (r->reconfigured || !eth_addr_equals(mac_before, r->bridge_mac));
    r->reconfigured = false;
    changed |= list_own_addresses(r);
    if (r->ports) {
        changed |= find_all_ways(r);

        /* A port's number may have changed though no way has. */
        uint32_t numbers = hash_port_numbers(r);
        changed |= numbers != r->port_numbers;
        r->port_numbers = numbers;
    }
    return changed;
}

char *
replicate_add_flows(const struct replicate *r, struct flowset *set)
{
    const struct replicate_flows_params params = {
        .rules = r->rules,
        .ways = r->ways,
        .tunnel_ports = r->tunnel_ports,
        .own = r->own,
        .n_own = r->n_own,
        .bridge = r->config->bridge,
        .bridge_mac = r->bridge_mac,
        .flow_priority = r->config->flow_priority,
        .forward = r->config->forward,
        .ports = r->ports,
        .keep_tunnels = !r->tunnels_known,
    };

    return replicate_flows_add(&params, set);
}

void
replicate_run(struct replicate *r)
{
    nexthops_run(r->nexthops);
}

void
replicate_wait(struct replicate *r)
{
    nexthops_wait(r->nexthops);
    poll_timer_wait_until(r->next_look);
}

void
replicate_count(struct replicate *r, const struct flowset *set,
                const struct inventory *inv)
{
    tally_take(&r->tally, r->ways, set, inv);
}

const struct tally *
replicate_tally(const struct replicate *r)
{
    return &r->tally;
}

const struct way_report *
replicate_report(const struct replicate *r, size_t i, size_t j)
{
    return &r->states[i].collectors[j].report;
}

const char *
replicate_problem(const struct replicate *r, size_t i)
{
    return r->states[i].problem;
}

void
replicate_close(struct replicate *r)
{
    for (size_t i = 0; i < r->rules->n; i++) {
        for (size_t j = 0; j < r->rules->rules[i].n_collectors; j++) {
            for (int v = IPV4; v < N_VERSIONS; v++) {
                struct way *way = &r->ways[i][j].of[v];

                if (way->kind == WAY_OPEN) {
                    way->kind = WAY_DOWN;
                }
            }
        }
    }
}

bool
replicate_is_pending(const struct replicate *r)
{
    for (size_t i = 0; i < r->rules->n; i++) {
        for (size_t j = 0; j < r->rules->rules[i].n_collectors; j++) {
            const struct collector *c = &r->rules->rules[i].collectors[j];
            const struct collector_state *state = &r->states[i].collectors[j];

            if (c->kind == COLLECTOR_TUNNEL
                    ? !place_is_known(&state->place)
                    : !strcmp(state->report.state, "pending")) {
                return true;
            }
        }
    }
    return false;
}
