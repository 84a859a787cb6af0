/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "rule.h"

#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

/* Life. */

static void
collector_uninit(struct collector *c)
{
    free(c->host);
    free(c->out_port);
    free(c->text);
}

static void
rule_uninit(struct rule *r)
{
    for (size_t i = 0; i < r->n_collectors; i++) {
        collector_uninit(&r->collectors[i]);
    }
    free(r->name);
    subnets_clear(&r->from);
    free(r->in_port);
    free(r->remote);
    free(r->collectors);
}

void
rules_clear(struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        rule_uninit(&rules->rules[i]);
    }
    free(rules->rules);
    rules->rules = NULL;
    rules->n = 0;
}

struct rule *
rules_add(struct rules *rules)
{
    if (rules->n >= RULE_MAX) {
        return NULL;
    }
    rules->rules =
        xrealloc(rules->rules, (rules->n + 1) * sizeof *rules->rules);

    struct rule *r = &rules->rules[rules->n++];
    memset(r, 0, sizeof *r);
    return r;
}

struct collector *
rule_add_collector(struct rule *r)
{
    if (r->n_collectors >= RULE_MAX_COLLECTORS) {
        return NULL;
    }
    r->collectors =
        xrealloc(r->collectors, (r->n_collectors + 1) * sizeof *r->collectors);

    struct collector *c = &r->collectors[r->n_collectors++];
    memset(c, 0, sizeof *c);
    return c;
}

/* Setters. */

/* Returns true if 'text' has from 1 to 'max' printable ASCII characters, none
 * of them a space or one of 'without'. */
static bool
is_word(const char *text, size_t max, const char *without)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (!isascii((unsigned char) text[i])
            || !isgraph((unsigned char) text[i]) || strchr(without, text[i])) {
            return false;
        }
    }
    return length >= 1 && length <= max;
}

static void
set_text(char **to, const char *text)
{
    free(*to);
    *to = xstrdup(text);
}

char *
rule_set_name(struct rule *r, const char *source, const char *text)
{
    enum { MAX = 63 };

    if (!is_word(text, MAX, "\"\\")) {
        return xasprintf("%s: \"%s\" is not a name (1 to %d ASCII characters, "
                         "no spaces or quotes)",
                         source, text, MAX);
    }
    set_text(&r->name, text);
    return NULL;
}

char *
rule_add_from(struct rule *r, const char *source, const char *text)
{
    return subnets_add(&r->from, RULE_MAX_FROM, source, text);
}

char *
rule_set_destination(struct rule *r, const char *source, const char *text)
{
    if (!address_from_text(text, &r->destination)) {
        return xasprintf("%s: \"%s\" is not an IPv4 or IPv6 address", source,
                         text);
    }
    r->has_destination = true;
    return NULL;
}

/* Stores 'text', which must be the name of a port, in '*port'. */
static char *
set_port_name(char **port, const char *source, const char *text)
{
    /* The characters that mean something in ovs-ofctl's syntax.  What has only
     * digits, or begins with a hyphen, it takes for a number. */
    if (!is_word(text, IFNAMSIZ - 1, "/,()[]=:\"'\\") || text[0] == '-'
        || !text[strspn(text, "0123456789")]) {
        return xasprintf("%s: \"%s\" is not the name of a port of the bridge "
                         "(1 to %d ASCII characters)",
                         source, text, IFNAMSIZ - 1);
    }
    set_text(port, text);
    return NULL;
}

char *
rule_set_in_port(struct rule *r, const char *source, const char *text)
{
    return set_port_name(&r->in_port, source, text);
}

char *
rule_set_spread(struct rule *r, const char *source, const char *text)
{
    if (strcmp(text, "source")) {
        return xasprintf("%s: \"%s\" is not source", source, text);
    }
    r->spread = true;
    return NULL;
}

static char *
set_tunnel_type(enum tunnel_type *type, const char *source, const char *text)
{
    return (tunnel_type_from_text(text, type)
                ? NULL
                : xasprintf("%s: \"%s\" is none of vxlan, geneve, gre", source,
                            text));
}

char *
rule_set_tunnel(struct rule *r, const char *source, const char *text)
{
    r->tunnel_given = true;
    return set_tunnel_type(&r->tunnel, source, text);
}

/* Returns what keeps 'address' from being another host's, or NULL. */
static const char *
why_no_host(const struct in6_addr *address)
{
    ovs_be32 ip = in6_addr_get_mapped_ipv4(address);

    if (IN6_IS_ADDR_LOOPBACK(address)
        || (ip && ntohl(ip) >> 24 == IN_LOOPBACKNET)) {
        return "is this host; for a port of it leave \"host\" out";
    }
    return address_why_no_host(address);
}

/* Stores 'text', which must be an address or a name without port that a
 * datagram can be sent to, in '*host'. */
static char *
set_host(char **host, const char *source, const char *text)
{
    struct in6_addr address;
    const char *why = NULL;
    char *name = NULL;
    uint16_t port;
    char *error = host_port_split(text, 0, &name, &port);

    if (!error && port) {
        why = "has a port; only the address or name belongs here";
    } else if (!error && address_from_text(name, &address)) {
        why = why_no_host(&address);
    }
    if (error || why) {
        char *whole =
            xasprintf("%s: \"%s\" %s", source, text, error ? error : why);
        free(error);
        free(name);
        return whole;
    }
    free(*host);
    *host = name; /* Without brackets. */
    return NULL;
}

char *
rule_set_remote(struct rule *r, const char *source, const char *text)
{
    return set_host(&r->remote, source, text);
}

char *
collector_set_host(struct collector *c, const char *source, const char *text)
{
    if (c->kind == COLLECTOR_LOCAL) {
        c->kind = COLLECTOR_HOST;
    }
    return set_host(&c->host, source, text);
}

char *
collector_set_source(struct collector *c, const char *source, const char *text)
{
    c->source_given = true;
    c->keep_source = !strcmp(text, "keep");
    return (c->keep_source || !strcmp(text, "rewrite")
                ? NULL
                : xasprintf("%s: \"%s\" is neither rewrite nor keep", source,
                            text));
}

char *
collector_set_tunnel(struct collector *c, const char *source, const char *text)
{
    c->kind = COLLECTOR_TUNNEL;
    return set_tunnel_type(&c->tunnel, source, text);
}

char *
collector_set_out_port(struct collector *c, const char *source,
                       const char *text)
{
    return set_port_name(&c->out_port, source, text);
}

char *
collector_set_mac(struct collector *c, const char *source, const char *text)
{
    if (!eth_addr_from_string(text, &c->mac) || eth_addr_is_multicast(c->mac)
        || eth_addr_is_zero(c->mac)) {
        return xasprintf("%s: \"%s\" is not a unicast MAC address such as "
                         "02:00:00:00:00:01",
                         source, text);
    }
    return NULL;
}

/* Checks. */

/* FNV-1a, 32 bits: the ids made from it must be the same in every build and on
 * every machine (draft-eastlake-fnv). */
static uint32_t
hash_text(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++) {
        hash = (hash ^ (unsigned char) *text) * 16777619u;
    }
    return hash;
}

static char *
collector_to_text(const struct collector *c)
{
    char text[ENDPOINT_TEXT_SIZE];
    struct endpoint endpoint;

    switch (c->kind) {
    case COLLECTOR_LOCAL: return xasprintf(":%u", c->port);
    case COLLECTOR_HOST:
        if (address_from_text(c->host, &endpoint.address)) {
            endpoint.port = c->port;
            return xstrdup(endpoint_format(&endpoint, text));
        }
        return xasprintf("%s:%u", c->host, c->port);
    case COLLECTOR_TUNNEL:
        return xasprintf("%s:%s", tunnel_type_name(c->tunnel),
                         address_from_text(c->host, &endpoint.address)
                             ? address_format(&endpoint.address, text)
                             : c->host);
    }
    OVS_NOT_REACHED();
}

/* Returns a bucket id for the 'i'th collector of 'r', none before it's. */
static uint32_t
choose_bucket_id(const struct rule *r, size_t i)
{
    uint32_t id = hash_text(r->collectors[i].text) % (OFPG15_BUCKET_MAX - 1);

    for (size_t j = 0; j < i; j++) {
        if (r->collectors[j].bucket_id == id) {
            id = (id + 1) % (OFPG15_BUCKET_MAX - 1);
            j = SIZE_MAX; /* From the start. */
        }
    }
    return id;
}

static char *
check_collector(struct rule *r, size_t i, const char *source)
{
    struct collector *c = &r->collectors[i];

    if (c->kind == COLLECTOR_TUNNEL) {
        if (!c->host) {
            return xasprintf("%s: a tunnel needs a \"host\"", source);
        }
        if (c->port || c->source_given) {
            return xasprintf("%s: a tunnel carries datagrams as they are, so "
                             "there is no \"%s\" to give",
                             source, c->port ? "port" : "source");
        }
    } else if (c->kind == COLLECTOR_LOCAL) {
        if (!c->port) {
            return xasprintf("%s: neither \"host\" nor \"port\" is given",
                             source);
        }
        if (c->source_given && !c->keep_source) {
            return xasprintf("%s.source: \"rewrite\" is for other hosts: this "
                             "one would drop what seems to come from itself",
                             source);
        }
        c->keep_source = true;
    } else if (!c->port) {
        c->port = r->port;
    }

    if (c->out_port || !eth_addr_is_zero(c->mac)) {
        if (!c->out_port || eth_addr_is_zero(c->mac)
            || c->kind != COLLECTOR_HOST) {
            return xasprintf("%s: \"out_port\" and \"mac\" go together, for "
                             "a \"host\" without \"tunnel\"",
                             source);
        }
    }

    free(c->text);
    c->text = collector_to_text(c);
    for (size_t j = 0; j < i; j++) {
        if (!strcmp(r->collectors[j].text, c->text)) {
            return xasprintf("%s: %s is given twice", source, c->text);
        }
    }
    c->bucket_id = choose_bucket_id(r, i);
    return NULL;
}

bool
rule_takes(const struct rule *r, bool ipv6)
{
    bool from = !r->from.n;

    for (size_t i = 0; i < r->from.n; i++) {
        from |= address_is_ipv6(&r->from.all[i].address) == ipv6;
    }
    return from
           && (!r->has_destination
               || address_is_ipv6(&r->destination) == ipv6);
}

/* Checks what 'r' is about. */
static char *
check_match(const struct rule *r, const char *source)
{
    if (!r->port) {
        return xasprintf("%s: \"port\" is missing", source);
    }
    if (!rule_takes(r, false) && !rule_takes(r, true)) {
        return xasprintf("%s: \"from\" and \"destination\" are of different "
                         "IP versions",
                         source);
    }
    if (r->tunnel_given != (r->remote != NULL)) {
        return xasprintf("%s: \"tunnel\" and \"remote\" go together: the kind "
                         "of tunnel, and the switch at its other end",
                         source);
    }
    if (r->remote && r->in_port) {
        return xasprintf("%s: \"tunnel\" and \"in_port\" exclude each other: "
                         "the tunnel is the port",
                         source);
    }
    return NULL;
}

/* Checks the 'i'th rule, which is at 'source'. */
static char *
check_rule(struct rules *rules, size_t i, const char *source)
{
    struct rule *r = &rules->rules[i];
    char *error = check_match(r, source);

    if (error) {
        return error;
    }
    if (!r->name) {
        r->name = xasprintf("port-%u", r->port);
    }
    for (size_t j = 0; j < i; j++) {
        if (!strcmp(rules->rules[j].name, r->name)) {
            return xasprintf("%s.name: \"%s\" is the name of a rule before it",
                             source, r->name);
        }
    }
    if (!r->n_collectors) {
        return xasprintf("%s: \"to\" is missing or empty", source);
    }
    for (size_t j = 0; !error && j < r->n_collectors; j++) {
        char *to = xasprintf("%s.to[%" PRIuSIZE "]", source, j);
        error = check_collector(r, j, to);
        free(to);
    }
    return error;
}

char *
rules_check(struct rules *rules, const char *source)
{
    uint64_t taken = 0;
    char *error = NULL;

    for (size_t i = 0; !error && i < rules->n; i++) {
        char *path = xasprintf("%s[%" PRIuSIZE "]", source, i);
        error = check_rule(rules, i, path);
        free(path);
        if (!error) {
            struct rule *r = &rules->rules[i];

            r->slot = hash_text(r->name) % RULE_MAX;
            while (taken >> r->slot & 1) {
                r->slot = (r->slot + 1) % RULE_MAX;
            }
            taken |= UINT64_C(1) << r->slot;
        }
    }
    return error;
}

char *
rule_to_text(const struct rule *r)
{
    struct ds text = DS_EMPTY_INITIALIZER;
    char address[INET6_ADDRSTRLEN];

    ds_put_format(&text, "udp port %u", r->port);
    for (size_t i = 0; i < r->from.n; i++) {
        ds_put_format(&text, "%s%s", i ? ", " : " from ", r->from.texts[i]);
    }
    if (r->has_destination) {
        ds_put_format(&text, " to %s",
                      address_format(&r->destination, address));
    }
    if (r->in_port) {
        ds_put_format(&text, " in %s", r->in_port);
    }
    if (r->remote) {
        ds_put_format(&text, " out of the %s tunnel from %s",
                      tunnel_type_name(r->tunnel), r->remote);
    }
    return ds_steal_cstr(&text);
}
