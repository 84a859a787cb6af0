/* SPDX-License-Identifier: Apache-2.0 */

/* The configuration file.
 *
 * The JSON itself is jansson's to parse, and the OpenFlow actions of
 * relay.forward and of the flows are libopenvswitch's; neither is built with
 * coverage. */

#include <config.h>
#include "fuzz.h"

#include <ctype.h>
#include <jansson.h>
#include <net/if.h>

#include "conf-file.h"
#include "conf-json.h"
#include "conf.h"
#include "error-line.h"
#include "packets.h"

/* Returns the configuration in the 'length' bytes at 'text', NULL if it is
 * none. */
static struct config *
read_config(const char *text, size_t length)
{
    struct config *c = config_create();
    char *error = config_parse_json(c, text, length, "FILE");

    if (!error) {
        error = config_check(c);
    }
    if (error) {
        error = error_line(error); /* As who prints it does. */
        CHECK(error[0] && !strpbrk(error, "\r\n"));
        free(error);
        config_destroy(c);
        return NULL;
    }
    return c;
}

static bool
same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static void
check_same_specs(const struct peer_specs *a, const struct peer_specs *b)
{
    CHECK(a->n == b->n);
    for (size_t i = 0; i < a->n; i++) {
        CHECK(same_text(a->all[i].text, b->all[i].text));
        CHECK(same_text(a->all[i].host, b->all[i].host));
        CHECK(a->all[i].port == b->all[i].port);
    }
}

static void
check_same_collectors(const struct collector *a, const struct collector *b)
{
    CHECK(a->kind == b->kind && a->port == b->port);
    CHECK(same_text(a->host, b->host) && same_text(a->text, b->text));
    CHECK(a->kind != COLLECTOR_HOST || a->keep_source == b->keep_source);
    CHECK(a->kind != COLLECTOR_TUNNEL || a->tunnel == b->tunnel);
    CHECK(same_text(a->out_port, b->out_port));
    CHECK(eth_addr_equals(a->mac, b->mac));
    CHECK(a->bucket_id == b->bucket_id);
}

static void
check_same_subnets(const struct subnets *a, const struct subnets *b)
{
    CHECK(a->n == b->n);
    for (size_t i = 0; i < a->n; i++) {
        CHECK(same_text(a->texts[i], b->texts[i]));
        CHECK(a->all[i].prefix == b->all[i].prefix);
        CHECK(ipv6_addr_equals(&a->all[i].address, &b->all[i].address));
    }
}

static void
check_same_rules(const struct rule *a, const struct rule *b)
{
    char *about = rule_to_text(a), *about_again = rule_to_text(b);

    CHECK(same_text(about, about_again));
    CHECK(same_text(a->name, b->name) && a->slot == b->slot);
    CHECK(a->port == b->port);
    check_same_subnets(&a->from, &b->from);
    CHECK(a->has_destination == b->has_destination);
    CHECK(!a->has_destination
          || ipv6_addr_equals(&a->destination, &b->destination));
    CHECK(same_text(a->in_port, b->in_port));
    CHECK(same_text(a->remote, b->remote));
    CHECK(!a->remote || a->tunnel == b->tunnel);
    CHECK(a->spread == b->spread && a->n_collectors == b->n_collectors);
    for (size_t i = 0; i < a->n_collectors; i++) {
        check_same_collectors(&a->collectors[i], &b->collectors[i]);
    }
    free(about_again);
    free(about);
}

static void
check_same(const struct config *a, const struct config *b)
{
    CHECK(same_text(a->bridge, b->bridge) && a->id_base == b->id_base);
    CHECK(a->n_ports == b->n_ports);
    CHECK(!memcmp(a->ports, b->ports, a->n_ports * sizeof *a->ports));
    CHECK(a->destination == b->destination);
    CHECK(a->local_mac_auto == b->local_mac_auto);
    CHECK(a->local_mac_auto || eth_addr_equals(a->local_mac, b->local_mac));
    CHECK(a->max_pps == b->max_pps && a->flow_priority == b->flow_priority);
    CHECK(same_text(a->forward, b->forward));

    CHECK(a->election == b->election && a->priority == b->priority);
    CHECK(a->announce_ms == b->announce_ms && a->dead_ms == b->dead_ms);
    CHECK(a->n_others == b->n_others);
    for (size_t i = 0; i < a->n_others; i++) {
        CHECK(eth_addr_equals(a->others[i], b->others[i]));
    }

    CHECK(endpoint_equal(&a->mesh, &b->mesh) && a->hello_ms == b->hello_ms);
    CHECK(a->relay_id_auto == b->relay_id_auto && a->relay_id == b->relay_id);
    check_same_specs(&a->peers, &b->peers);
    check_same_specs(&a->discover, &b->discover);
    check_same_subnets(&a->accept, &b->accept);
    check_same_subnets(&a->from, &b->from);
    CHECK(!a->filter_text == !b->filter_text);
    CHECK(!a->filter_text || same_text(a->filter_text, b->filter_text));
    CHECK(a->http_on == b->http_on && endpoint_equal(&a->http, &b->http));
    CHECK(a->inspect == b->inspect);
    CHECK(a->replicate.n == b->replicate.n);
    for (size_t i = 0; i < a->replicate.n; i++) {
        check_same_rules(&a->replicate.rules[i], &b->replicate.rules[i]);
    }
}

/* Checks what other modules take for granted. */
static void
check_config(const struct config *c)
{
    CHECK(c->bridge[0] && strlen(c->bridge) < IFNAMSIZ);
    for (const char *p = c->bridge; *p; p++) {
        CHECK(isgraph((unsigned char) *p) && *p != '/');
    }
    CHECK(c->n_ports <= CONFIG_MAX_PORTS);
    for (size_t i = 0; i < c->n_ports; i++) {
        CHECK(c->ports[i] && c->ports[i] != c->mesh.port);
    }
    CHECK(c->mesh.port && c->id_base && c->max_pps && c->priority);
    CHECK(c->dead_ms >= CONFIG_MIN_HELLOS * c->announce_ms);
    CHECK(c->relay_id_auto || c->relay_id);
    CHECK(c->peers.n <= CONFIG_MAX_PEERS && c->discover.n <= CONFIG_MAX_PEERS);
    CHECK(c->accept.n <= CONFIG_MAX_ACCEPT && c->from.n <= CONFIG_MAX_FROM);
    CHECK(!c->filter_text == !c->filter);
    CHECK(c->n_others <= CONFIG_MAX_LOCAL_MACS);
    CHECK(c->replicate.n <= RULE_MAX);
    for (size_t i = 0; i < c->replicate.n; i++) {
        const struct rule *r = &c->replicate.rules[i];

        CHECK(r->port && r->name[0] && r->slot < RULE_MAX);
        CHECK(r->n_collectors && r->n_collectors <= RULE_MAX_COLLECTORS);
        CHECK(r->from.n <= RULE_MAX_FROM);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = copy_exactly(bytes, length);

    fuzz_begin();
    json_object_seed(1);
    struct config *c = read_config(text, length);
    if (c) {
        char *said = config_to_json(c);
        struct config *again = read_config(said, strlen(said));

        check_config(c);
        CHECK(again);
        check_same(c, again);
        char *said_again = config_to_json(again);
        CHECK(!strcmp(said, said_again));
        free(said_again);
        config_destroy(again);
        free(said);
        config_destroy(c);
    }
    free(text);
    return 0;
}
