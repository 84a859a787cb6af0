/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "conf.h"

#include <ctype.h>
#include <net/if.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "inspect.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/util.h"
#include "openvswitch/vconn.h"
#include "packets.h"
#include "stream.h"
#include "util.h"

static const char *const log_levels[] = { "debug", "info", "warning", "error",
                                          "critical" };

struct config *
config_create(void)
{
    struct config *c = xzalloc(sizeof *c);

    c->bridge = xstrdup("br0");
    c->id_base = 0x534e00;
    c->ports[0] = 5076;
    c->n_ports = 1;
    c->destination = DESTINATION_AUTO;
    c->local_mac_auto = true;
    c->max_pps = 10000;
    c->flow_priority = 20000;
    c->forward = xstrdup("NORMAL");
    in6_addr_set_mapped_ipv4(&c->mesh.address, htonl(INADDR_ANY));
    c->mesh.port = 7124;
    c->election = true;
    c->priority = 100;
    c->announce_ms = 200;
    c->dead_ms = 700;
    c->relay_id_auto = true;
    c->hello_ms = 1000;
    c->vni = CONFIG_VNI;
    c->log_level = "info";
    return c;
}

void
config_destroy(struct config *c)
{
    if (c) {
        peer_specs_clear(&c->peers);
        peer_specs_clear(&c->discover);
        subnets_clear(&c->accept);
        free(c->others);
        rules_clear(&c->replicate);
        free(c->bridge);
        free(c->switch_target);
        free(c->database);
        free(c->forward);
        subnets_clear(&c->from);
        free(c->filter_text);
        filter_destroy(c->filter);
        free(c->key_file);
        sodium_memzero(&c->keys, sizeof c->keys);
        free(c);
    }
}

/* Returns true if 'text' is printable ASCII without spaces. */
static bool
is_graphic(const char *text)
{
    for (; *text; text++) {
        if (!isascii((unsigned char) *text)
            || !isgraph((unsigned char) *text)) {
            return false;
        }
    }
    return true;
}

/* Setters. */

char *
config_set_bridge(struct config *c, const char *source, const char *text)
{
    if (!*text || strlen(text) >= IFNAMSIZ || strchr(text, '/')
        || !is_graphic(text)) {
        return xasprintf("%s: \"%s\" is not a bridge name (1 to %d "
                         "ASCII characters, no spaces or slashes)",
                         source, text, IFNAMSIZ - 1);
    }
    free(c->bridge);
    c->bridge = xstrdup(text);
    return NULL;
}

void
config_clear_ports(struct config *c)
{
    c->n_ports = 0;
    c->ports_given = true;
}

/* Adds a broadcast port. */
char *
config_set_port(struct config *c, const char *source, const char *text)
{
    uint16_t port;

    if (!port_from_text(text, &port)) {
        return xasprintf("%s: \"%s\" is not a port (1 to 65535)", source,
                         text);
    }
    for (size_t i = 0; i < c->n_ports; i++) {
        if (c->ports[i] == port) {
            return xasprintf("%s: port %u is given twice", source, port);
        }
    }
    if (c->n_ports >= CONFIG_MAX_PORTS) {
        return xasprintf("%s: more than %d ports", source, CONFIG_MAX_PORTS);
    }
    c->ports[c->n_ports++] = port;
    return NULL;
}

/* Appends 'text' to 'specs'. */
static char *
add_spec(struct peer_specs *specs, const char *source, const char *text,
         bool allow_service)
{
    if (specs->n >= CONFIG_MAX_PEERS) {
        return xasprintf("%s: more than %d of them", source, CONFIG_MAX_PEERS);
    }
    char *error = peer_specs_add(specs, text, allow_service);
    if (error) {
        char *whole = xasprintf("%s: \"%s\" %s", source, text, error);
        free(error);
        return whole;
    }
    return NULL;
}

char *
config_add_peer(struct config *c, const char *source, const char *text)
{
    return add_spec(&c->peers, source, text, false);
}

char *
config_add_discover(struct config *c, const char *source, const char *text)
{
    struct in6_addr address;
    char *error = add_spec(&c->discover, source, text, true);

    if (!error
        && address_from_text(c->discover.all[c->discover.n - 1].host,
                             &address)) {
        peer_specs_remove(&c->discover, c->discover.n - 1);
        return xasprintf("%s: \"%s\" is an address, not a name; mesh.peers is "
                         "for those",
                         source, text);
    }
    return error;
}

/* Discovers by the name of a Docker Swarm service 'text', in place of other
 * names. */
char *
config_set_service(struct config *c, const char *source, const char *text)
{
    char *name = xasprintf("tasks.%s", text);
    struct peer_specs specs = { .n = 0 };

    char *error = add_spec(&specs, source, name, false);
    if (error || specs.all[0].port) {
        free(error);
        error =
            xasprintf("%s: \"%s\" is not the name of a service", source, text);
    } else {
        peer_specs_copy(&c->discover, &specs);
    }
    peer_specs_clear(&specs);
    free(name);
    return error;
}

char *
config_set_relay_id(struct config *c, const char *source, const char *text)
{
    bool is_auto = !strcmp(text, "auto");
    uint64_t id = 0;

    if (!is_auto
        && (strlen(text) != 16 || text[strspn(text, "0123456789abcdefABCDEF")]
            || !(id = strtoull(text, NULL, 16)))) {
        return xasprintf("%s: \"%s\" is neither auto nor 16 hexadecimal "
                         "digits, not all of them 0",
                         source, text);
    }
    c->relay_id_auto = is_auto;
    c->relay_id = id;
    return NULL;
}

char *
config_add_accept(struct config *c, const char *source, const char *text)
{
    return subnets_add(&c->accept, CONFIG_MAX_ACCEPT, source, text);
}

char *
config_set_mesh_address(struct config *c, const char *source, const char *text)
{
    struct endpoint mesh = { .port = c->mesh.port };

    if (!address_from_text(text, &mesh.address)) {
        return xasprintf("%s: \"%s\" is not an IPv4 or IPv6 address", source,
                         text);
    }
    const char *why =
        (endpoint_is_any(&mesh) ? NULL : address_why_no_host(&mesh.address));
    if (why) {
        return xasprintf("%s: \"%s\" %s", source, text, why);
    }
    c->mesh = mesh;
    return NULL;
}

char *
config_set_destination(struct config *c, const char *source, const char *text)
{
    enum destination_policy all[] = { DESTINATION_AUTO, DESTINATION_KEEP,
                                      DESTINATION_LIMITED };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (!strcmp(text, destination_policy_name(all[i]))) {
            c->destination = all[i];
            return NULL;
        }
    }
    return xasprintf("%s: \"%s\" is none of auto, keep, limited", source,
                     text);
}

/* Stores 'text' in '*mac' and returns true if it is the MAC address of one
 * card. */
static bool
mac_from_text(const char *text, struct eth_addr *mac)
{
    return (eth_addr_from_string(text, mac) && !eth_addr_is_multicast(*mac)
            && !eth_addr_is_zero(*mac));
}

char *
config_set_local_mac(struct config *c, const char *source, const char *text)
{
    struct eth_addr mac;

    if (!strcmp(text, "auto")) {
        c->local_mac_auto = true;
        return NULL;
    }
    if (!mac_from_text(text, &mac)) {
        return xasprintf("%s: \"%s\" is neither auto nor a unicast MAC "
                         "address such as 02:00:00:00:00:01",
                         source, text);
    }
    c->local_mac = mac;
    c->local_mac_auto = false;
    return NULL;
}

/* Adds a subnet whose broadcasts are relayed. */
char *
config_add_from(struct config *c, const char *source, const char *text)
{
    char *error = subnets_add(&c->from, CONFIG_MAX_FROM, source, text);
    const struct subnet *all = c->from.all;
    const size_t last = c->from.n - 1;

    if (error) {
        return error;
    }
    if (address_is_ipv6(&all[last].address)) {
        return xasprintf("%s: \"%s\" is not IPv4, as broadcasts are", source,
                         text);
    }
    for (size_t i = 0; i < last; i++) {
        if (all[i].prefix == all[last].prefix
            && ipv6_addr_equals(&all[i].address, &all[last].address)) {
            return xasprintf("%s: \"%s\" is given twice", source, text);
        }
    }
    return NULL;
}

char *
config_set_filter(struct config *c, const char *source, const char *text)
{
    struct filter *filter;
    char *error = filter_compile(text, &filter);

    if (error) {
        char *whole = xasprintf("%s: \"%s\": %s", source, text, error);
        free(error);
        return whole;
    }
    filter_destroy(c->filter);
    free(c->filter_text);
    c->filter = filter;
    c->filter_text = xstrdup(text);
    return NULL;
}

char *
config_set_http(struct config *c, const char *source, const char *text)
{
    struct endpoint http;
    char *host = NULL;

    char *error = host_port_split(text, 0, &host, &http.port);
    if (error || !http.port || !address_from_text(host, &http.address)) {
        free(error);
        error = xasprintf("%s: \"%s\" is not ADDRESS:PORT, such as "
                          "127.0.0.1:9714 or [::1]:9714",
                          source, text);
    } else {
        c->http_on = true;
        c->http = http;
    }
    free(host);
    return error;
}

/* Adds a protocol whose searches are to be looked into. */
char *
config_add_inspect(struct config *c, const char *source, const char *text)
{
    if (!strcmp(text, "pva")) {
        c->inspect |= INSPECT_PVA;
    } else if (!strcmp(text, "ca")) {
        c->inspect |= INSPECT_CA;
    } else {
        return xasprintf("%s: \"%s\" is neither pva nor ca", source, text);
    }
    return NULL;
}

char *
config_add_other(struct config *c, const char *source, const char *text)
{
    struct eth_addr mac;

    if (!mac_from_text(text, &mac)) {
        return xasprintf("%s: \"%s\" is not a unicast MAC address such as "
                         "02:00:00:00:00:01",
                         source, text);
    }
    if (c->n_others == CONFIG_MAX_LOCAL_MACS) {
        return xasprintf("%s: more than %d MAC addresses", source,
                         CONFIG_MAX_LOCAL_MACS);
    }
    c->others = xrealloc(c->others, (c->n_others + 1) * sizeof *c->others);
    c->others[c->n_others++] = mac;
    return NULL;
}

char *
config_set_forward(struct config *c, const char *source, const char *text)
{
    enum ofputil_protocol usable;
    struct ofpbuf ofpacts;

    ofpbuf_init(&ofpacts, 0);
    const struct ofpact_parse_params pp = {
        .ofpacts = &ofpacts,
        .usable_protocols = &usable,
    };
    char *error = (!text[strspn(text, " \t,")] ? xstrdup("it is empty")
                   : strpbrk(text, "\r\n") ? xstrdup("it has several lines")
                                           : ofpacts_parse_actions(text, &pp));
    ofpbuf_uninit(&ofpacts);
    if (error) {
        char *whole = xasprintf("%s: \"%s\" is not a list of OpenFlow "
                                "actions such as NORMAL or resubmit(,10): %s",
                                source, text, error);
        free(error);
        return whole;
    }
    free(c->forward);
    c->forward = xstrdup(text);
    return NULL;
}

char *
config_set_transport(struct config *c, const char *source, const char *text)
{
    enum tunnel_type type;

    if (!strcmp(text, "udp")) {
        c->tunneled = false;
    } else if (tunnel_type_from_text(text, &type) && type != TUNNEL_GRE) {
        c->tunneled = true;
        c->tunnel_type = type;
    } else {
        return xasprintf("%s: \"%s\" is not udp, vxlan or geneve", source,
                         text);
    }
    return NULL;
}

const char *
config_transport(const struct config *c)
{
    return c->tunneled ? tunnel_type_name(c->tunnel_type) : "udp";
}

char *
config_set_mesh_port(struct config *c, const char *source, const char *text)
{
    return (port_from_text(text, &c->mesh.port)
                ? NULL
                : xasprintf("%s: \"%s\" is not a port (1 to 65535)", source,
                            text));
}

char *
config_set_log_level(struct config *c, const char *source, const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(log_levels); i++) {
        if (!strcmp(text, log_levels[i])) {
            c->log_level = log_levels[i];
            return NULL;
        }
    }
    return xasprintf("%s: \"%s\" is none of debug, info, warning, error, "
                     "critical",
                     source, text);
}

char *
config_set_key_file(struct config *c, const char *source, const char *text)
{
    if (!*text || text[strcspn(text, "\r\n")]) {
        return xasprintf("%s: \"%s\" is not a file name", source, text);
    }
    free(c->key_file);
    c->key_file = xstrdup(text);
    return NULL;
}

char *
config_set_database(struct config *c, const char *source, const char *target)
{
    if (!is_graphic(target) || stream_verify_name(target)) {
        return xasprintf("%s: \"%s\" is not an OVSDB connection method "
                         "(unix:FILE, tcp:HOST:PORT or ssl:HOST:PORT)",
                         source, target);
    }
    free(c->database);
    c->database = xstrdup(target);
    return NULL;
}

char *
config_set_switch(struct config *c, const char *source, const char *target)
{
    if (!is_graphic(target) || vconn_verify_name(target)) {
        return xasprintf("%s: \"%s\" is not an OVS connection method "
                         "(unix:FILE, tcp:HOST[:PORT] or ssl:HOST[:PORT])",
                         source, target);
    }
    free(c->switch_target);
    c->switch_target = xstrdup(target);
    return NULL;
}
