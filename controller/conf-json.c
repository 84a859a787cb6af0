/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "conf-json.h"

#include <inttypes.h>
#include <jansson.h>

#include "conf.h"
#include "inspect.h"
#include "packets.h"
#include "util.h"

static json_t *
subnets_to_json(const struct subnets *subnets)
{
    json_t *array = json_array();

    for (size_t i = 0; i < subnets->n; i++) {
        json_array_append_new(array, json_string(subnets->texts[i]));
    }
    return array;
}

static json_t *
collector_to_json(const struct collector *c)
{
    json_t *object = json_object();

    if (c->kind != COLLECTOR_LOCAL) {
        json_object_set_new(object, "host", json_string(c->host));
    }
    if (c->kind == COLLECTOR_TUNNEL) {
        json_object_set_new(object, "tunnel",
                            json_string(tunnel_type_name(c->tunnel)));
        return object;
    }
    json_object_set_new(object, "port", json_integer(c->port));
    if (c->kind == COLLECTOR_HOST) {
        json_object_set_new(object, "source",
                            json_string(c->keep_source ? "keep" : "rewrite"));
    }
    if (c->out_port) {
        char mac[ETH_ADDR_STRLEN + 1];

        snprintf(mac, sizeof mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(c->mac));
        json_object_set_new(object, "out_port", json_string(c->out_port));
        json_object_set_new(object, "mac", json_string(mac));
    }
    return object;
}

static json_t *
rule_to_json(const struct rule *r)
{
    json_t *object = json_pack("{s:s, s:i}", "name", r->name, "port", r->port);
    json_t *to = json_array();

    if (r->from.n) {
        json_object_set_new(object, "from", subnets_to_json(&r->from));
    }

    if (r->has_destination) {
        char address[INET6_ADDRSTRLEN];

        json_object_set_new(
            object, "destination",
            json_string(address_format(&r->destination, address)));
    }
    if (r->in_port) {
        json_object_set_new(object, "in_port", json_string(r->in_port));
    }
    if (r->remote) {
        json_object_set_new(object, "tunnel",
                            json_string(tunnel_type_name(r->tunnel)));
        json_object_set_new(object, "remote", json_string(r->remote));
    }
    if (r->spread) {
        json_object_set_new(object, "spread", json_string("source"));
    }
    for (size_t i = 0; i < r->n_collectors; i++) {
        json_array_append_new(to, collector_to_json(&r->collectors[i]));
    }
    json_object_set_new(object, "to", to);
    return object;
}

static json_t *
rules_to_json(const struct rules *rules)
{
    json_t *array = json_array();

    for (size_t i = 0; i < rules->n; i++) {
        json_array_append_new(array, rule_to_json(&rules->rules[i]));
    }
    return array;
}

static json_t *
specs_to_json(const struct peer_specs *specs)
{
    json_t *array = json_array();

    for (size_t i = 0; i < specs->n; i++) {
        json_array_append_new(array, json_string(specs->all[i].text));
    }
    return array;
}

/* Returns the names of 'protocols', NULL if there are none. */
static json_t *
inspect_to_json(unsigned int protocols)
{
    json_t *array = protocols ? json_array() : NULL;

    if (protocols & INSPECT_PVA) {
        json_array_append_new(array, json_string("pva"));
    }
    if (protocols & INSPECT_CA) {
        json_array_append_new(array, json_string("ca"));
    }
    return array;
}

char *
config_to_json(const struct config *c)
{
    char address[INET6_ADDRSTRLEN];
    char mac[ETH_ADDR_STRLEN + 1];
    char id[17];
    char http[ENDPOINT_TEXT_SIZE];
    json_t *ports = json_array();
    json_t *peers = specs_to_json(&c->peers);
    json_t *others = json_array();

    for (size_t i = 0; i < c->n_ports; i++) {
        json_array_append_new(ports, json_integer(c->ports[i]));
    }
    for (size_t i = 0; i < c->n_others; i++) {
        json_array_append_new(
            others, json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(c->others[i])));
    }
    snprintf(mac, sizeof mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(c->local_mac));
    snprintf(id, sizeof id, "%016" PRIx64, c->relay_id);

    /* clang-format off */
    json_t *root = json_pack(
        "{s:s, s:I, s:{s:o, s:s, s:s, s:I, s:i, s:s, s:o*, s:s*},"
        " s:{s:b, s:i, s:i, s:i, s:o},"
        " s:{s:s, s:i, s:o, s:o, s:o, s:s, s:i, s:I, s:o*, s:s, s:I}, s:o, s:s*, s:o*}",
        "bridge", c->bridge,
        "id_base", (json_int_t) c->id_base,
        "relay",
            "ports", ports,
            "destination", destination_policy_name(c->destination),
            "local_mac", c->local_mac_auto ? "auto" : mac,
            "max_pps", (json_int_t) c->max_pps,
            "flow_priority", c->flow_priority,
            "forward", c->forward,
            "from", c->from.n ? subnets_to_json(&c->from) : NULL,
            "filter", c->filter_text,
        "segment",
            "election", c->election,
            "priority", c->priority,
            "hello_ms", (int) c->announce_ms,
            "dead_ms", (int) c->dead_ms,
            "local_macs", others,
        "mesh",
            "address", address_format(&c->mesh.address, address),
            "port", c->mesh.port,
            "peers", peers,
            "discover", specs_to_json(&c->discover),
            "accept", subnets_to_json(&c->accept),
            "relay_id", c->relay_id_auto ? "auto" : id,
            "hello_ms", (int) c->hello_ms,
            "max_pps", (json_int_t) config_mesh_max_pps(c),
            "key_file", c->key_file ? json_string(c->key_file) : NULL,
            "transport", config_transport(c),
            "vni", (json_int_t) c->vni,
        "replicate", rules_to_json(&c->replicate),
        "http", c->http_on ? endpoint_format(&c->http, http) : NULL,
        "inspect", inspect_to_json(c->inspect));
    /* clang-format on */
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    return text;
}
