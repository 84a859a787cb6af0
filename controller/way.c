/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "way.h"

#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "host.h"
#include "nexthop.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "ports.h"
#include "rule.h"
#include "tunnel.h"
#include "tunnels.h"
#include "util.h"

/* What is found out about one IP version. */
struct finding {
    const char *state;
    char *via;
    char *note;
};

static void
find(struct finding *f, const char *state, char *via)
{
    free(f->via);
    f->state = state;
    f->via = via;
}

/* Adds to what is to be said of 'f' that 'note' may drop copies. */
static void
add_note(struct finding *f, char *note)
{
    if (f->note) {
        char *both = xasprintf("%s; %s", f->note, note);
        free(f->note);
        free(note);
        f->note = both;
    } else {
        f->note = note;
    }
}

/* The same where nothing can arrive. */
static void
add_drop(struct finding *f, char *why)
{
    add_note(f, xasprintf("dropped: %s", why));
    f->state = "down";
    free(why);
}

/* Returns the sysctl net.FAMILY.conf.INTERFACE.NAME, -1 if there is none. */
static int
get_sysctl(const char *family, const char *interface, const char *name)
{
    char *path = xasprintf("net/%s/conf/%s/%s", family, interface, name);
    int value = host_sysctl(path);

    free(path);
    return value;
}

/* Returns the sysctl as the kernel applies it to 'interface' where "all" and
 * the interface's own are weighed against each other: the greater one. */
static int
get_ipv4_sysctl(const char *interface, const char *name)
{
    return MAX(get_sysctl("ipv4", "all", name),
               get_sysctl("ipv4", interface, name));
}

static bool
is_address_of(const struct surroundings *s, const struct in6_addr *address,
              const char *interface)
{
    size_t n;
    const struct host_address *all = host_addresses(s->host, &n);

    for (size_t i = 0; i < n; i++) {
        if (ipv6_addr_equals(&all[i].address, address)
            && !strcmp(all[i].interface, interface)) {
            return true;
        }
    }
    return false;
}

/* Says so if what the switch hands to the host does not get there. */
static void
check_link(const struct surroundings *s, struct finding *f)
{
    const struct port *local = ports_get(s->ports, OFPP_LOCAL);

    if (local && local->down) {
        add_drop(f, xasprintf("%s is down", s->bridge));
    }
}

static void
note_strict_filter(const struct surroundings *s, struct finding *f)
{
    add_note(f, xasprintf("dropped if the exporter is not reached through %s: "
                          "net.ipv4.conf.%s.rp_filter is 1",
                          s->bridge, s->bridge));
}

/* Says so if the host may not take what the switch hands to its programs. */
static void
check_entry(const struct surroundings *s, int version, struct finding *f)
{
    check_link(s, f);
    if (version == IPV4 && get_ipv4_sysctl(s->bridge, "rp_filter") == 1) {
        note_strict_filter(s, f);
    }
}

/* Works out 'way' through this host's IPv4 routing, and what stands in it.
 * The kernel takes a datagram with one of its own source addresses only with
 * accept_local, and with rp_filter 1 only from where it would send to it. */
static void
route_ipv4(const struct surroundings *s, const struct nexthop *hop,
           struct way *way, struct finding *f)
{
    const char *bridge = s->bridge;
    bool strict = get_ipv4_sysctl(bridge, "rp_filter") == 1;

    if (!get_sysctl("ipv4", bridge, "forwarding")) {
        add_drop(f, xasprintf("net.ipv4.ip_forward is 0 "
                              "(net.ipv4.conf.%s.forwarding)",
                              bridge));
    }
    if (way->rewrite && get_ipv4_sysctl(bridge, "accept_local") < 1) {
        way->rewrite = false;
        add_note(f, xasprintf("the source address is kept: "
                              "net.ipv4.conf.%s.accept_local is 0",
                              bridge));
    }
    if (strict && !way->rewrite) {
        note_strict_filter(s, f);
    } else if (strict && !is_address_of(s, &hop->source, bridge)) {
        add_drop(f, xasprintf("net.ipv4.conf.%s.rp_filter is 1, and the "
                              "source address is of %s",
                              bridge, hop->device));
    }
}

static void
route_ipv6(struct finding *f)
{
    if (!get_sysctl("ipv6", "all", "forwarding")) {
        add_drop(f, xstrdup("net.ipv6.conf.all.forwarding is 0"));
    }
}

/* Returns the address and, where there is one, the gateway that copies go to
 * through 'hop', and the device, for people.  The caller frees it. */
static char *
format_hop(const struct nexthop *hop, const struct in6_addr *address)
{
    char gateway[INET6_ADDRSTRLEN];

    return (ipv6_addr_equals(&hop->gateway, address)
                ? xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(hop->mac))
                : xasprintf("gateway %s, " ETH_ADDR_FMT,
                            address_format(&hop->gateway, gateway),
                            ETH_ADDR_ARGS(hop->mac)));
}

/* Works out 'way' to another host, straight from the switch, for a next hop
 * that is behind 'port' of the bridge. */
static void
go_directly(const struct nexthop *hop, const struct port *port,
            const struct in6_addr *address, struct way *way, struct finding *f)
{
    char gateway[INET6_ADDRSTRLEN];

    address_format(&hop->gateway, gateway);
    if (hop->state == NEXTHOP_PENDING) {
        way->kind = WAY_OPEN;
        find(f, "pending",
             xasprintf("asking for the MAC address of %s on %s", gateway,
                       hop->device));
    } else {
        char *text = format_hop(hop, address);

        bool own =
            (port->number == OFPP_LOCAL || host_is_internal_port(port->name));

        way->kind = own ? WAY_DIRECT : WAY_PORT;
        way->next_hop = hop->mac;
        way->source_mac = port->mac;
        ovs_strlcpy(way->out_port,
                    port->number == OFPP_LOCAL ? "LOCAL" : port->name,
                    sizeof way->out_port);
        find(f, "up", xasprintf("%s directly, %s", hop->device, text));
        free(text);
    }
}

/* Returns true if 'a' is better than 'b', which may be NULL, for programs on
 * this host to be sent to: the bridge's own rather than another interface's,
 * and one of more than link-local scope. */
static bool
is_better(const struct surroundings *s, const struct host_address *a,
          const struct host_address *b)
{
    bool linklocal = IN6_IS_ADDR_LINKLOCAL(&a->address);

    if (!b || linklocal != IN6_IS_ADDR_LINKLOCAL(&b->address)) {
        return !b || !linklocal;
    }
    return (!strcmp(a->interface, s->bridge)
            && strcmp(b->interface, s->bridge));
}

/* Returns this host's address of the IP version that is best for its programs
 * to be sent to, NULL if it has none. */
static const struct in6_addr *
program_address(const struct surroundings *s, int version)
{
    size_t n;
    const struct host_address *all = host_addresses(s->host, &n);
    const struct host_address *best = NULL;

    for (size_t i = 0; i < n; i++) {
        if (address_is_ipv6(&all[i].address) == version
            && strcmp(all[i].interface, "lo") && is_better(s, &all[i], best)) {
            best = &all[i];
        }
    }
    return best ? &best->address : NULL;
}

/* Works out 'way' to a program on this host. */
static void
go_to_program(const struct surroundings *s, int version, const char *via,
              struct way *way, struct finding *f)
{
    const struct in6_addr *address = program_address(s, version);

    if (address) {
        way->kind = WAY_LOCAL;
        way->address = *address;
        find(f, "up", xstrdup(via));
        check_entry(s, version, f);
    } else {
        way->kind = WAY_NONE;
    }
}

static bool
is_loopback(const struct in6_addr *address)
{
    return (IN6_IS_ADDR_LOOPBACK(address)
            || ntohl(in6_addr_get_mapped_ipv4(address)) >> 24
                   == IN_LOOPBACKNET);
}

/* Works out 'way' to the collector 'c' whose port and next hop are given. */
static void
go_as_told(const struct surroundings *s, const struct collector *c,
           struct way *way, struct finding *f)
{
    const struct port *port = ports_find(s->ports, c->out_port);

    if (port) {
        way->kind = WAY_PORT;
        way->as_told = true;
        way->next_hop = c->mac;
        way->source_mac = port->mac;
        ovs_strlcpy(way->out_port, c->out_port, sizeof way->out_port);
        find(f, "up",
             xasprintf("%s directly, " ETH_ADDR_FMT ", as configured",
                       c->out_port, ETH_ADDR_ARGS(c->mac)));
    } else {
        way->kind = WAY_OPEN;
        find(f, "pending",
             xasprintf("%s has no port %s", s->bridge, c->out_port));
    }
}

/* Works out 'way' to 'address', of another host. */
static void
go_to_host(const struct surroundings *s, const struct collector *c,
           const struct in6_addr *address, struct way *way, struct finding *f)
{
    const struct nexthop *hop = nexthops_get(s->nexthops, address);
    char text[INET6_ADDRSTRLEN];

    way->address = *address;
    if (hop && hop->state != NEXTHOP_NO_ROUTE) {
        way->rewrite =
            !c->keep_source && !ipv6_addr_equals(&hop->source, &in6addr_any);
        way->source = hop->source;
    }
    if (c->out_port) {
        go_as_told(s, c, way, f);
        return;
    }
    if (!hop || hop->state == NEXTHOP_NO_ROUTE) {
        way->kind = WAY_DOWN;
        find(f, "down",
             xasprintf("no route to %s", address_format(address, text)));
        return;
    }
    if (hop->state == NEXTHOP_OWN) {
        way->rewrite = false;
        if (is_loopback(address)) {
            /* Nothing that comes in may be addressed to it. */
            go_to_program(s, address_is_ipv6(address), "this host", way, f);
            return;
        }
        way->kind = WAY_LOCAL;
        find(f, "up", xstrdup("this host"));
        check_entry(s, address_is_ipv6(address), f);
        return;
    }

    if (hop->state == NEXTHOP_FAILED) {
        way->kind = WAY_DOWN;
        find(f, "down",
             xasprintf("%s on %s does not answer",
                       address_format(&hop->gateway, text), hop->device));
        return;
    }

    const struct port *port = ports_find(s->ports, hop->device);
    if (port) {
        go_directly(hop, port, address, way, f);
        return;
    }
    way->kind = WAY_ROUTED;
    find(f, "up",
         xasprintf("this host's routing, since %s is not a port of %s",
                   hop->device, s->bridge));
    check_link(s, f);

    if (IN6_IS_ADDR_V4MAPPED(address)) {
        route_ipv4(s, hop, way, f);
    } else {
        route_ipv6(f);
    }
}

/* Works out 'way' into a tunnel to 'place'. */
static void
go_into_tunnel(const struct surroundings *s, const struct collector *c,
               const struct place *place, struct way *way, struct finding *f)
{
    const struct tunnel tunnel = tunnel_to(c->tunnel, place_tunnel_end(place));
    const char *error = tunnels_error(s->tunnels, &tunnel);

    tunnel_port_name(&tunnel, way->out_port);
    if (ports_find(s->ports, way->out_port)) {
        way->kind = WAY_TUNNEL;
        find(f, "up", xasprintf("tunnel port %s", way->out_port));
    } else {
        way->kind = WAY_OPEN;
        find(f, "pending", xasprintf("no tunnel port %s yet", way->out_port));
    }
    if (error) {
        find(f, "down", xasprintf("tunnel port %s: %s", way->out_port, error));
    }
}

/* Puts together what was found out about both IP versions, which it frees. */
static void
make_report(struct finding found[], struct way_report *report)
{
    const struct finding *first = &found[found[IPV4].state ? IPV4 : IPV6];
    const struct finding *second = &found[IPV6];
    bool both =
        (first != second && second->state && strcmp(first->via, second->via));

    report->state = both && !strcmp(second->state, "up") ? "up" : first->state;
    report->via = (both ? xasprintf("%s; IPv6: %s", first->via, second->via)
                        : xstrdup(first->via));
    report->note = nullable_xstrdup(first->note ? first->note : second->note);
    for (int version = IPV4; version < N_VERSIONS; version++) {
        free(found[version].via);
        free(found[version].note);
    }
}

void
ways_find(const struct surroundings *s, const struct rule *rule,
          const struct collector *c, const struct place *place,
          struct collector_ways *ways, struct way_report *report)
{
    struct finding found[N_VERSIONS] = { { NULL, NULL, NULL } };

    memset(ways, 0, sizeof *ways);
    for (int version = IPV4; version < N_VERSIONS; version++) {
        struct way *way = &ways->of[version];
        struct finding *f = &found[version];

        if (c->kind == COLLECTOR_LOCAL) {
            go_to_program(s, version,
                          c->port == rule->port && !rule->remote
                              ? "this host, the original where that is "
                                "addressed to it"
                              : "this host",
                          way, f);
        } else if (!place_is_known(place)) {
            way->kind = WAY_OPEN;
            find(f, "pending",
                 xasprintf("%s cannot be looked up", place->host));
        } else if (c->kind == COLLECTOR_TUNNEL) {
            go_into_tunnel(s, c, place, way, f);
        } else if (place->known[version]) {
            go_to_host(s, c, &place->address[version], way, f);
        }
        if (rule->spread && way->kind == WAY_ROUTED
            && !strcmp(f->state, "down")) {
            /* Its exporters would be lost: let the others have them. */
            way->kind = WAY_DOWN;
        }
    }
    if (!found[IPV4].state && !found[IPV6].state) {
        find(&found[IPV4], "down", xstrdup("this host has no address"));
    }
    make_report(found, report);
}

bool
way_is_original(const struct rule *rule, const struct collector *c,
                const struct way *way)
{
    return way->kind == WAY_LOCAL && c->port == rule->port && !rule->remote;
}

void
way_report_uninit(struct way_report *report)
{
    free(report->via);
    free(report->note);
}
