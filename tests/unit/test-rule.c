/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "rule.h"

#include "support.h"

#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

/* Sixty-three characters, the most that a name has, and fifteen, the most that
 * a port's name has. */
#define LONGEST_NAME                                                          \
    "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"
#define LONGEST_PORT "eth0.abcdefghij"

/* Setters. */

/* A value for a setter, and what must be said of it after its source, NULL if
 * it is right. */
struct value {
    const char *text;
    const char *message;
};

typedef char *rule_setter(struct rule *, const char *, const char *);
typedef char *collector_setter(struct collector *, const char *, const char *);

/* Fails the test unless 'error', which it frees, is what must be said of 'v'.
 */
static void
assert_said(char *error, const struct value *v)
{
    if (v->message) {
        char *whole = xasprintf("x[1]: \"%s\" %s", v->text, v->message);
        assert_error(error, whole);
        free(whole);
    } else {
        assert_no_error(error);
    }
}

static void
assert_rule_setter(rule_setter *set, const struct value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct rules rules = { NULL, 0 };

        assert_said(set(rules_add(&rules), "x[1]", values[i].text),
                    &values[i]);
        rules_clear(&rules);
    }
}

static void
assert_collector_setter(collector_setter *set, const struct value *values,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct rules rules = { NULL, 0 };

        assert_said(
            set(rule_add_collector(rules_add(&rules)), "x[1]", values[i].text),
            &values[i]);
        rules_clear(&rules);
    }
}

#define NOT_A_NAME                                                            \
    "is not a name (1 to 63 ASCII characters, no spaces or quotes)"
#define NOT_A_SUBNET "is not an address or ADDRESS/PREFIX"
#define NOT_AN_ADDRESS "is not an IPv4 or IPv6 address"
#define NOT_A_PORT                                                            \
    "is not the name of a port of the bridge (1 to 15 ASCII characters)"
#define NOT_A_TUNNEL "is none of vxlan, geneve, gre"
#define THIS_HOST "is this host; for a port of it leave \"host\" out"
#define NOT_ONE_HOST "is not the address of one host"
#define NOT_A_HOST                                                            \
    "is neither an address nor a host name, with or without :PORT"
#define HAS_A_PORT "has a port; only the address or name belongs here"
#define NOT_A_MAC "is not a unicast MAC address such as 02:00:00:00:00:01"

static void
test_rule_setters(void **state OVS_UNUSED)
{
    static const struct value names[] = {
        { "a", NULL },
        { LONGEST_NAME, NULL },
        { "%s/{}[]'", NULL },
        { "", NOT_A_NAME },
        { LONGEST_NAME "d", NOT_A_NAME },
        { "a b", NOT_A_NAME },
        { "a\n", NOT_A_NAME },
        { "a\x7f", NOT_A_NAME },
        { "\"", NOT_A_NAME },
        { "\\", NOT_A_NAME },
        { "\xc3\xa9", NOT_A_NAME },
    };
    static const struct value subnets[] = {
        { "10.0.0.0/8", NULL },
        { "10.0.0.1", NULL },
        { "2001:db8::/32", NULL },
        { "0.0.0.0/0", NULL },
        { "::/0", NULL },
        { "", NOT_A_SUBNET },
        { "10.0.0.0/33", NOT_A_SUBNET },
        { "10.0.0.0/", NOT_A_SUBNET },
        { "::/129", NOT_A_SUBNET },
        { "relay-b", NOT_A_SUBNET },
        { "10.0.0.0/-1", NOT_A_SUBNET },
    };
    static const struct value addresses[] = {
        { "10.1.0.1", NULL },          { "2001:db8::1", NULL },
        { "", NOT_AN_ADDRESS },        { "10.1.0.1/8", NOT_AN_ADDRESS },
        { "relay-b", NOT_AN_ADDRESS },
    };
    static const struct value ports[] = {
        { "e", NULL },
        { LONGEST_PORT, NULL },
        { "veth-0.1_2@", NULL },
        { "", NOT_A_PORT },
        { LONGEST_PORT "k", NOT_A_PORT },
        { "eth 1", NOT_A_PORT },
        { "eth/1", NOT_A_PORT },
        { "eth,1", NOT_A_PORT },
        { "eth(1", NOT_A_PORT },
        { "eth)1", NOT_A_PORT },
        { "eth[1", NOT_A_PORT },
        { "eth]1", NOT_A_PORT },
        { "eth=1", NOT_A_PORT },
        { "eth:1", NOT_A_PORT },
        { "eth\"1", NOT_A_PORT },
        { "eth'1", NOT_A_PORT },
        { "eth\\1", NOT_A_PORT },
        { "eth\xc3", NOT_A_PORT },

        /* Libopenvswitch would take it for a number. */
        { "12", NOT_A_PORT },
        { "-eth1", NOT_A_PORT },
    };
    static const struct value spreads[] = {
        { "source", NULL },
        { "", "is not source" },
        { "Source", "is not source" },
        { "port", "is not source" },
    };
    static const struct value tunnels[] = {
        { "vxlan", NULL },    { "geneve", NULL },        { "gre", NULL },
        { "", NOT_A_TUNNEL }, { "VXLAN", NOT_A_TUNNEL },
    };
    static const struct value macs[] = {
        { "02:00:00:00:00:01", NULL },
        { "00:00:00:00:00:01", NULL },
        { "AC:DE:48:00:11:22", NULL },
        { "fe:ff:ff:ff:ff:ff", NULL },
        { "", NOT_A_MAC },
        { "02:00:00:00:00", NOT_A_MAC },
        { "02:00:00:00:00:01:02", NOT_A_MAC },
        { "02:00:00:00:00:0g", NOT_A_MAC },
        { "02:00:00:00:00:01 ", NOT_A_MAC },
        { "02-00-00-00-00-01", NOT_A_MAC },
        { "00:00:00:00:00:00", NOT_A_MAC },
        { "01:00:5e:00:00:01", NOT_A_MAC },
        { "ff:ff:ff:ff:ff:ff", NOT_A_MAC },
    };

    assert_rule_setter(rule_set_name, names, ARRAY_SIZE(names));
    assert_rule_setter(rule_add_from, subnets, ARRAY_SIZE(subnets));
    assert_rule_setter(rule_set_destination, addresses, ARRAY_SIZE(addresses));
    assert_rule_setter(rule_set_in_port, ports, ARRAY_SIZE(ports));
    assert_rule_setter(rule_set_spread, spreads, ARRAY_SIZE(spreads));
    assert_rule_setter(rule_set_tunnel, tunnels, ARRAY_SIZE(tunnels));
    assert_collector_setter(collector_set_tunnel, tunnels,
                            ARRAY_SIZE(tunnels));
    assert_collector_setter(collector_set_out_port, ports, ARRAY_SIZE(ports));
    assert_collector_setter(collector_set_mac, macs, ARRAY_SIZE(macs));
}

static void
test_hosts(void **state OVS_UNUSED)
{
    static const struct value hosts[] = {
        { "10.1.0.11", NULL },
        { "2001:db8::1", NULL },
        { "::ffff:10.1.0.11", NULL },
        { "[2001:db8::1]", NULL },
        { "collector", NULL },
        { "sub_domain.example.org", NULL },
        { "128.0.0.1", NULL },
        { "126.255.255.255", NULL },
        { "", NOT_A_HOST },
        { "10.1.0", NOT_A_HOST },
        { "a b", NOT_A_HOST },
        { "-a", NOT_A_HOST },
        { "10.1.0.11/24", NOT_A_HOST },
        { "127.0.0.1", THIS_HOST },
        { "127.255.0.9", THIS_HOST },
        { "::1", THIS_HOST },
        { "[::1]", THIS_HOST },
        { "::ffff:127.0.0.1", THIS_HOST },
        { "0.0.0.0", NOT_ONE_HOST },
        { "::", NOT_ONE_HOST },
        { "224.0.0.1", NOT_ONE_HOST },
        { "239.255.255.255", NOT_ONE_HOST },
        { "255.255.255.255", NOT_ONE_HOST },
        { "ff02::1", NOT_ONE_HOST },
        { "[ff02::1]", NOT_ONE_HOST },
        { "collector:6343", HAS_A_PORT },
        { "10.1.0.11:6343", HAS_A_PORT },
        { "[2001:db8::1]:6343", HAS_A_PORT },
        { "collector:0", "has no port from 1 to 65535 after the colon" },
        { "[2001:db8::1", "is not of the form [ADDRESS]:PORT" },
    };
    static const struct value sources[] = {
        { "rewrite", NULL },
        { "keep", NULL },
        { "", "is neither rewrite nor keep" },
        { "Keep", "is neither rewrite nor keep" },
    };

    assert_collector_setter(collector_set_host, hosts, ARRAY_SIZE(hosts));
    assert_rule_setter(rule_set_remote, hosts, ARRAY_SIZE(hosts));
    assert_collector_setter(collector_set_source, sources,
                            ARRAY_SIZE(sources));
}

/* An address in brackets is the address, not a name to be looked up. */
static void
test_brackets(void **state OVS_UNUSED)
{
    struct rules rules = { NULL, 0 };
    struct rule *r = rules_add(&rules);
    struct collector *c = rule_add_collector(r);

    assert_no_error(collector_set_host(c, "x", "[2001:db8::1]"));
    assert_string_equal(c->host, "2001:db8::1");
    assert_no_error(rule_set_remote(r, "x", "[2001:db8::2]"));
    assert_string_equal(r->remote, "2001:db8::2");
    rules_clear(&rules);
}

/* What was set is there, and the last one counts. */
static void
test_what_is_set(void **state OVS_UNUSED)
{
    struct rules rules = { NULL, 0 };
    struct rule *r = rules_add(&rules);
    struct collector *c = rule_add_collector(r);
    char address[INET6_ADDRSTRLEN];

    assert_int_equal(rules.n, 1);
    assert_ptr_equal(r, rules.rules);
    assert_int_equal(r->n_collectors, 1);
    assert_ptr_equal(c, r->collectors);
    assert_int_equal(c->kind, COLLECTOR_LOCAL);
    assert_false(r->has_destination || r->spread || r->tunnel_given);
    assert_null(r->name);
    assert_null(c->out_port);
    assert_true(eth_addr_is_zero(c->mac));

    for (int i = 0; i < 2; i++) {
        assert_no_error(rule_set_name(r, "x", i ? "b" : "a"));
        assert_no_error(rule_set_in_port(r, "x", i ? "eth1" : "eth0"));
        assert_no_error(rule_set_remote(r, "x", i ? "B" : "A"));
        assert_no_error(rule_add_from(r, "x", i ? "10.1.2.3/16" : "::/1"));
        assert_no_error(
            rule_set_destination(r, "x", i ? "10.1.0.1" : "2001:db8::1"));
        assert_no_error(rule_set_tunnel(r, "x", i ? "gre" : "geneve"));
    }
    assert_no_error(rule_set_spread(r, "x", "source"));
    assert_string_equal(r->name, "b");
    assert_string_equal(r->in_port, "eth1");
    assert_string_equal(r->remote, "B");
    assert_int_equal(r->from.n, 2);
    assert_string_equal(r->from.texts[0], "::/1");
    assert_int_equal(r->from.all[0].prefix, 1);
    assert_string_equal(r->from.texts[1], "10.1.2.3/16");
    assert_int_equal(r->from.all[1].prefix, 96 + 16);
    assert_string_equal(address_format(&r->from.all[1].address, address),
                        "10.1.0.0");
    assert_true(r->has_destination && r->spread && r->tunnel_given);
    assert_string_equal(address_format(&r->destination, address), "10.1.0.1");
    assert_int_equal(r->tunnel, TUNNEL_GRE);

    assert_no_error(collector_set_source(c, "x", "keep"));
    assert_true(c->source_given && c->keep_source);
    assert_no_error(collector_set_source(c, "x", "rewrite"));
    assert_true(c->source_given && !c->keep_source);
    assert_no_error(collector_set_host(c, "x", "A"));
    assert_int_equal(c->kind, COLLECTOR_HOST);
    assert_no_error(collector_set_host(c, "x", "B"));
    assert_string_equal(c->host, "B");
    assert_no_error(collector_set_tunnel(c, "x", "geneve"));
    assert_int_equal(c->kind, COLLECTOR_TUNNEL);
    assert_int_equal(c->tunnel, TUNNEL_GENEVE);
    assert_no_error(collector_set_host(c, "x", "C")); /* In either order. */
    assert_int_equal(c->kind, COLLECTOR_TUNNEL);
    for (int i = 0; i < 2; i++) {
        struct eth_addr mac = ETH_ADDR_C(02, 00, 00, 00, 00, 0a);

        mac.ea[5] += i;
        assert_no_error(collector_set_out_port(c, "x", i ? "eth1" : "eth0"));
        assert_no_error(collector_set_mac(
            c, "x", i ? "02:00:00:00:00:0b" : "02:00:00:00:00:0a"));
        assert_string_equal(c->out_port, i ? "eth1" : "eth0");
        assert_true(eth_addr_equals(c->mac, mac));
    }
    rules_clear(&rules);
    assert_int_equal(rules.n, 0);
    assert_null(rules.rules);
}

static void
test_too_many(void **state OVS_UNUSED)
{
    struct rules rules = { NULL, 0 };

    for (int i = 0; i < RULE_MAX; i++) {
        assert_non_null(rules_add(&rules));
    }
    assert_null(rules_add(&rules));
    assert_int_equal(rules.n, 64);
    for (int i = 0; i < RULE_MAX_COLLECTORS; i++) {
        assert_non_null(rule_add_collector(&rules.rules[63]));
    }
    assert_null(rule_add_collector(&rules.rules[63]));
    assert_int_equal(rules.rules[63].n_collectors, 64);
    for (int i = 0; i < RULE_MAX_FROM; i++) {
        assert_no_error(rule_add_from(&rules.rules[0], "x", "10.0.0.0/8"));
    }
    assert_error(rule_add_from(&rules.rules[0], "x", "10.0.0.0/8"),
                 "x: more than 256 subnets");
    assert_int_equal(rules.rules[0].from.n, 256);
    rules_clear(&rules);
}

/* Checks. */

/* A collector, and a rule, as a table has them; NULL and 0 for what is not
 * given. */
struct to {
    const char *host;
    uint16_t port;
    const char *tunnel, *source, *out_port, *mac;
};

struct about {
    const char *name;
    uint16_t port;
    const char *from[3];
    const char *destination, *in_port, *tunnel, *remote, *spread;
    struct to to[4];
    bool no_collector;
};

static void
set(rule_setter *setter, struct rule *r, const char *text)
{
    if (text) {
        assert_no_error(setter(r, "x", text));
    }
}

static void
add_to(struct rule *r, const struct to *to)
{
    struct collector *c = rule_add_collector(r);

    c->port = to->port;
    if (to->host) {
        assert_no_error(collector_set_host(c, "x", to->host));
    }
    if (to->tunnel) {
        assert_no_error(collector_set_tunnel(c, "x", to->tunnel));
    }
    if (to->source) {
        assert_no_error(collector_set_source(c, "x", to->source));
    }
    if (to->out_port) {
        assert_no_error(collector_set_out_port(c, "x", to->out_port));
    }
    if (to->mac) {
        assert_no_error(collector_set_mac(c, "x", to->mac));
    }
}

/* Adds what 'about' says to 'rules'.  Without any collector given there is one
 * anyway, unless there is to be none. */
static void
add_rule(struct rules *rules, const struct about *about)
{
    static const struct to any = { .port = 7343 };
    struct rule *r = rules_add(rules);

    r->port = about->port;
    set(rule_set_name, r, about->name);
    for (size_t i = 0; i < ARRAY_SIZE(about->from); i++) {
        set(rule_add_from, r, about->from[i]);
    }
    set(rule_set_destination, r, about->destination);
    set(rule_set_in_port, r, about->in_port);
    set(rule_set_tunnel, r, about->tunnel);
    set(rule_set_remote, r, about->remote);
    set(rule_set_spread, r, about->spread);
    for (size_t i = 0; i < ARRAY_SIZE(about->to); i++) {
        const struct to *to = &about->to[i];

        if (to->host || to->port || to->tunnel || to->source) {
            add_to(r, to);
        }
    }
    if (!r->n_collectors && !about->no_collector) {
        add_to(r, &any);
    }
}

/* Makes 'rules' of the 'n' in 'abouts', and checks them. */
static char *
check(struct rules *rules, const struct about *abouts, size_t n)
{
    rules->rules = NULL;
    rules->n = 0;
    for (size_t i = 0; i < n; i++) {
        add_rule(rules, &abouts[i]);
    }
    return rules_check(rules, "replicate");
}

#define MAC "02:00:00:00:00:01"
#define GO_TOGETHER                                                           \
    "\"out_port\" and \"mac\" go together, for a \"host\" without "           \
    "\"tunnel\""

static void
test_wrong_rules(void **state OVS_UNUSED)
{
    static const struct {
        struct about rules[3];
        size_t n;
        const char *message;
    } wrong[] = {
        { { { .port = 0 } }, 1, "replicate[0]: \"port\" is missing" },
        { { { .port = 1, .from = { "10.0.0.0/8" }, .destination = "::2" } },
          1,
          "replicate[0]: \"from\" and \"destination\" are of different IP "
          "versions" },
        { { { .port = 1, .from = { "fd00::/8" }, .destination = "10.1.0.1" } },
          1,
          "replicate[0]: \"from\" and \"destination\" are of different IP "
          "versions" },
        { { { .port = 1, .tunnel = "gre" } },
          1,
          "replicate[0]: \"tunnel\" and \"remote\" go together: the kind of "
          "tunnel, and the switch at its other end" },
        { { { .port = 1, .remote = "A" } },
          1,
          "replicate[0]: \"tunnel\" and \"remote\" go together: the kind of "
          "tunnel, and the switch at its other end" },
        { { { .port = 1, .tunnel = "gre", .remote = "A", .in_port = "e" } },
          1,
          "replicate[0]: \"tunnel\" and \"in_port\" exclude each other: the "
          "tunnel is the port" },
        { { { .port = 1, .name = "a" }, { .port = 2, .name = "a" } },
          2,
          "replicate[1].name: \"a\" is the name of a rule before it" },
        { { { .port = 7 }, { .port = 8 }, { .port = 7 } },
          3,
          "replicate[2].name: \"port-7\" is the name of a rule before it" },
        { { { .port = 7, .name = "port-8" }, { .port = 8 } },
          2,
          "replicate[1].name: \"port-8\" is the name of a rule before it" },
        { { { .port = 1, .no_collector = true } },
          1,
          "replicate[0]: \"to\" is missing or empty" },
        { { { .port = 1, .to = { { .port = 2 }, { .tunnel = "vxlan" } } } },
          1,
          "replicate[0].to[1]: a tunnel needs a \"host\"" },
        { { { .port = 1,
              .to = { { .host = "A", .tunnel = "gre", .port = 9 } } } },
          1,
          "replicate[0].to[0]: a tunnel carries datagrams as they are, so "
          "there is no \"port\" to give" },
        { { { .port = 1,
              .to = { { .host = "A", .tunnel = "gre", .source = "keep" } } } },
          1,
          "replicate[0].to[0]: a tunnel carries datagrams as they are, so "
          "there is no \"source\" to give" },
        { { { .port = 1, .to = { { .source = "keep" } } } },
          1,
          "replicate[0].to[0]: neither \"host\" nor \"port\" is given" },
        { { { .port = 1, .to = { { .port = 2, .source = "rewrite" } } } },
          1,
          "replicate[0].to[0].source: \"rewrite\" is for other hosts: this "
          "one would drop what seems to come from itself" },
        { { { .port = 1, .to = { { .port = 2 }, { .port = 2 } } } },
          1,
          "replicate[0].to[1]: :2 is given twice" },
        { { { .port = 9, .to = { { .host = "A" }, { "A", 9 } } } },
          1,
          "replicate[0].to[1]: A:9 is given twice" },
        { { { .port = 9,
              .to = { { .host = "2001:db8::1" },
                      { .host = "A" },
                      { .host = "2001:DB8:0::1", .source = "keep" } } } },
          1,
          "replicate[0].to[2]: [2001:db8::1]:9 is given twice" },
        { { { .port = 9,
              .to = { { .host = "10.0.0.1", .tunnel = "gre" },
                      { .host = "::ffff:10.0.0.1", .tunnel = "gre" } } } },
          1,
          "replicate[0].to[1]: gre:10.0.0.1 is given twice" },

        /* What the kernel is not asked is told in full, and only where it
         * would be asked. */
        { { { .port = 9, .to = { { .host = "A", .out_port = "e" } } } },
          1,
          "replicate[0].to[0]: " GO_TOGETHER },
        { { { .port = 9, .to = { { .host = "B" }, { "A", .mac = MAC } } } },
          1,
          "replicate[0].to[1]: " GO_TOGETHER },
        { { { .port = 9,
              .to = { { .host = "A",
                        .tunnel = "gre",
                        .out_port = "e",
                        .mac = MAC } } } },
          1,
          "replicate[0].to[0]: " GO_TOGETHER },
        { { { .port = 9,
              .to = { { .port = 8, .out_port = "e", .mac = MAC } } } },
          1,
          "replicate[0].to[0]: " GO_TOGETHER },

        /* It is the same collector for all that. */
        { { { .port = 9,
              .to = { { .host = "A" },
                      { .host = "A", .out_port = "e", .mac = MAC } } } },
          1,
          "replicate[0].to[1]: A:9 is given twice" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct rules rules;

        assert_error(check(&rules, wrong[i].rules, wrong[i].n),
                     wrong[i].message);
        rules_clear(&rules);
    }
}

static void
test_right_rules(void **state OVS_UNUSED)
{
    static const struct about right[] = {
        { .port = 1 },
        { .port = 65535, .from = { "10.0.0.0/8", "fd00::/8" } },
        { .port = 2,
          .from = { "10.0.0.0/8", "fd00::/8" },
          .destination = "::2" },
        { .port = 3, .tunnel = "gre", .remote = "A", .from = { "::/0" } },
        { .port = 4, .in_port = "eth1", .spread = "source" },
        { .port = 5,
          .to = { { .host = "A", .tunnel = "gre" },
                  { .host = "A", .tunnel = "vxlan" },
                  { .host = "A" },
                  { .port = 5 } } },
        { .port = 6,
          .to = { { .host = "A", .out_port = "eth1", .mac = MAC },
                  { .host = "::2",
                    .source = "keep",
                    .out_port = "eth1",
                    .mac = MAC } } },
    };
    struct rules rules;

    assert_no_error(check(&rules, right, 0));
    assert_no_error(check(&rules, right, ARRAY_SIZE(right)));
    rules_clear(&rules);
}

/* What is not given follows from the rest. */
static void
test_defaults(void **state OVS_UNUSED)
{
    static const struct about about = { .port = 6343,
                                        .to = {
                                            { .host = "A" },
                                            { .host = "A", .port = 1 },
                                            { .host = "B", .source = "keep" },
                                            { .port = 6343 } } };
    struct rules rules;

    assert_no_error(check(&rules, &about, 1));
    const struct rule *r = &rules.rules[0];
    assert_string_equal(r->name, "port-6343");
    assert_int_equal(r->collectors[0].port, 6343);
    assert_int_equal(r->collectors[1].port, 1);
    assert_false(r->collectors[0].keep_source);
    assert_false(r->collectors[1].keep_source);
    assert_true(r->collectors[2].keep_source);
    assert_true(r->collectors[3].keep_source);
    rules_clear(&rules);
}

/* Texts and bucket ids, written out: another version must find the same
 * buckets.  The ids are 32-bit FNV-1a hashes of the texts, those of "" and
 * "foobar" being 0x811c9dc5 and 0xbf9cf968. */
static void
test_texts_and_bucket_ids(void **state OVS_UNUSED)
{
    static const struct {
        struct to to;
        const char *text;
        uint32_t bucket_id;
    } collectors[] = {
        { { .port = 7343 }, ":7343", 3962229806u },
        { { .host = "10.1.0.11" }, "10.1.0.11:6343", 659331235u },
        { { .host = "10.1.0.11", .source = "keep" },
          "10.1.0.11:6343",
          659331235u },
        { { .host = "10.1.0.11", .out_port = "eth1", .mac = MAC },
          "10.1.0.11:6343",
          659331235u },
        { { .host = "2001:DB8:0::1" }, "[2001:db8::1]:6343", 1491297079u },
        { { .host = "collector", .port = 9 }, "collector:9", 647217325u },
        { { .host = "192.0.2.2", .tunnel = "vxlan" },
          "vxlan:192.0.2.2",
          381231750u },
        { { .host = "sw", .tunnel = "geneve" }, "geneve:sw", 919266887u },
        { { .host = "2001:DB8:0::1", .tunnel = "gre" },
          "gre:2001:db8::1",
          2175311989u },
    };

    for (size_t i = 0; i < ARRAY_SIZE(collectors); i++) {
        const struct about about = { .port = 6343,
                                     .to = { collectors[i].to } };
        struct rules rules;

        assert_no_error(check(&rules, &about, 1));
        const struct collector *c = &rules.rules[0].collectors[0];
        assert_string_equal(c->text, collectors[i].text);
        assert_int_equal(c->bucket_id, collectors[i].bucket_id);
        rules_clear(&rules);
    }
}

/* Different texts with the same hash, and one with the hash after it. */
static void
test_bucket_ids_that_collide(void **state OVS_UNUSED)
{
    static const struct about about = { .port = 6343,
                                        .to = { { .host = "gjwhuyu" },
                                                { .host = "costarring" },
                                                { .host = "A" },
                                                { .host = "liquid" } } };
    struct rules rules;

    assert_no_error(check(&rules, &about, 1));
    const struct collector *c = rules.rules[0].collectors;
    assert_int_equal(c[0].bucket_id, 10203816u);
    assert_int_equal(c[1].bucket_id, 10203815u);
    assert_int_equal(c[3].bucket_id, 10203817u);
    rules_clear(&rules);
}

static void
test_slots(void **state OVS_UNUSED)
{
    static const struct {
        const char *name;
        uint32_t slot;
    } names[] = {
        { "a", 44 },        { "foobar", 40 },  { "sflow", 62 },
        { "port-6343", 3 }, { "netflow", 32 }, { "syslog", 60 },
        { "traps", 35 },    { "archive", 5 },  { "x/y", 19 },
    };
    struct about abouts[ARRAY_SIZE(names)];
    struct rules rules;

    memset(abouts, 0, sizeof abouts);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        abouts[i].name = names[i].name;
        abouts[i].port = 9;
    }

    /* All at once, each on its own, and the other way round. */
    assert_no_error(check(&rules, abouts, ARRAY_SIZE(names)));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(rules.rules[i].slot, names[i].slot);
    }
    rules_clear(&rules);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_no_error(check(&rules, &abouts[i], 1));
        assert_int_equal(rules.rules[0].slot, names[i].slot);
        rules_clear(&rules);
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        abouts[ARRAY_SIZE(names) - 1 - i].name = names[i].name;
    }
    assert_no_error(check(&rules, abouts, ARRAY_SIZE(names)));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(rules.rules[i].slot,
                         names[ARRAY_SIZE(names) - 1 - i].slot);
    }
    rules_clear(&rules);
}

/* A slot is taken once: the next free one is for the second, after the last
 * one the first. */
static void
test_slots_that_collide(void **state OVS_UNUSED)
{
    static const struct about abouts[] = {
        { .name = "r0", .port = 1 },
        { .name = "r37", .port = 2 },
        { .name = "r82", .port = 3 },
    };
    struct rules rules;

    assert_no_error(check(&rules, abouts, ARRAY_SIZE(abouts)));
    assert_int_equal(rules.rules[0].slot, 63);
    assert_int_equal(rules.rules[1].slot, 0);
    assert_int_equal(rules.rules[2].slot, 1);
    rules_clear(&rules);
}

/* As many rules as there may be have all slots, and each has as many
 * collectors as there may be, with a bucket each. */
static void
test_full(void **state OVS_UNUSED)
{
    struct rules rules = { NULL, 0 };
    uint64_t slots = 0;

    for (int i = 0; i < RULE_MAX; i++) {
        struct rule *r = rules_add(&rules);

        r->port = 1 + i;
        for (int j = 0; j < RULE_MAX_COLLECTORS; j++) {
            rule_add_collector(r)->port = 1 + j;
        }
    }
    assert_no_error(rules_check(&rules, "x"));
    for (int i = 0; i < RULE_MAX; i++) {
        const struct rule *r = &rules.rules[i];

        assert_in_range(r->slot, 0, RULE_MAX - 1);
        slots |= UINT64_C(1) << r->slot;
        for (int j = 0; j < RULE_MAX_COLLECTORS; j++) {
            assert_int_equal(r->collectors[j].bucket_id,
                             rules.rules[0].collectors[j].bucket_id);
            for (int k = 0; k < j; k++) {
                assert_int_not_equal(r->collectors[j].bucket_id,
                                     r->collectors[k].bucket_id);
            }
        }
    }
    assert_true(slots == UINT64_MAX);
    rules_clear(&rules);
}

/* A collector keeps its bucket wherever it stands. */
static void
test_buckets_stay(void **state OVS_UNUSED)
{
    static const struct about abouts[] = {
        { .port = 9,
          .to = { { .host = "A" }, { .host = "B" }, { .port = 8 } } },
        { .port = 10, .to = { { .host = "B", .port = 9 }, { "A", 9 } } },
    };
    struct rules rules;

    assert_no_error(check(&rules, abouts, ARRAY_SIZE(abouts)));
    const struct collector *first = rules.rules[0].collectors;
    const struct collector *second = rules.rules[1].collectors;
    assert_int_equal(first[0].bucket_id, second[1].bucket_id);
    assert_int_equal(first[1].bucket_id, second[0].bucket_id);
    assert_int_not_equal(first[0].bucket_id, first[1].bucket_id);
    rules_clear(&rules);
}

/* Answers. */

static void
test_takes(void **state OVS_UNUSED)
{
    static const struct {
        struct about about;
        bool ipv4, ipv6;
    } abouts[] = {
        { { .port = 9 }, true, true },
        { { .port = 9, .from = { "0.0.0.0/0" } }, true, false },
        { { .port = 9, .from = { "::/0" } }, false, true },
        { { .port = 9, .from = { "::/0", "10.0.0.0/8" } }, true, true },
        { { .port = 9, .from = { "10.0.0.0/8", "::/0" } }, true, true },
        { { .port = 9, .destination = "10.1.0.1" }, true, false },
        { { .port = 9, .destination = "::2" }, false, true },
        { { .port = 9,
            .from = { "10.0.0.0/8", "::/0" },
            .destination = "::2" },
          false,
          true },
        { { .port = 9,
            .from = { "10.0.0.0/8", "::/0" },
            .destination = "10.1.0.1" },
          true,
          false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(abouts); i++) {
        struct rules rules;

        assert_no_error(check(&rules, &abouts[i].about, 1));
        assert_int_equal(rule_takes(&rules.rules[0], false), abouts[i].ipv4);
        assert_int_equal(rule_takes(&rules.rules[0], true), abouts[i].ipv6);
        rules_clear(&rules);
    }
}

static void
test_to_text(void **state OVS_UNUSED)
{
    static const struct {
        struct about about;
        const char *text;
    } abouts[] = {
        { { .port = 6343 }, "udp port 6343" },
        { { .port = 1, .from = { "10.0.0.0/8" } },
          "udp port 1 from 10.0.0.0/8" },
        { { .port = 1, .from = { "10.0.0.1/8", "fd00::/8", "10.1.0.1" } },
          "udp port 1 from 10.0.0.1/8, fd00::/8, 10.1.0.1" },
        { { .port = 1, .destination = "2001:DB8:0::1" },
          "udp port 1 to 2001:db8::1" },
        { { .port = 1, .in_port = "eth1" }, "udp port 1 in eth1" },
        { { .port = 1,
            .from = { "10.0.0.0/8" },
            .destination = "10.1.0.1",
            .in_port = "eth1" },
          "udp port 1 from 10.0.0.0/8 to 10.1.0.1 in eth1" },
        { { .port = 1, .tunnel = "vxlan", .remote = "relay-b" },
          "udp port 1 out of the vxlan tunnel from relay-b" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(abouts); i++) {
        struct rules rules;

        assert_no_error(check(&rules, &abouts[i].about, 1));
        char *text = rule_to_text(&rules.rules[0]);
        assert_string_equal(text, abouts[i].text);
        free(text);
        rules_clear(&rules);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_setters),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_brackets),
        cmocka_unit_test(test_what_is_set),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_wrong_rules),
        cmocka_unit_test(test_right_rules),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_texts_and_bucket_ids),
        cmocka_unit_test(test_bucket_ids_that_collide),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_slots_that_collide),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_buckets_stay),
        cmocka_unit_test(test_takes),
        cmocka_unit_test(test_to_text),
    };
    return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
