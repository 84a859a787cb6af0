/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "replicate-flows.h"

#include "support.h"

#include "conf-file.h"
#include "conf.h"
#include "flow.h"
#include "flowset.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "ports.h"
#include "util.h"

enum { PRIORITY = 20000, ID_BASE = 7000 };

/* Cookies, written out: another version must find the same ones. */
#define COOKIE_COPY UINT64_C(0x534e4f5700020001)
#define COOKIE_EXEMPTION UINT64_C(0x534e4f5700020002)
#define COOKIE_FRAGMENTS UINT64_C(0x534e4f5700020003)
#define COOKIE_TUNNEL UINT64_C(0x534e4f5700020004)
#define COOKIE_GUARD UINT64_C(0x534e4f5700020005)

/* Ports of the bridge: two cards, two tunnels that rules know of and one that
 * they do not, an internal port, and one whose name is not quite ours. */
#define TUN0 "srv-c0000202"
#define TUN1 "srr-c0000209"
#define TUN2 "srg-00c0ffee"
#define NO_TUN "srx-c0000202"
static const struct {
    const char *name;
    uint16_t number;
} ports[] = {
    { "eth1", 1 }, { "eth2", 2 }, { TUN0, 3 },   { TUN1, 4 },
    { TUN2, 5 },   { "int1", 6 }, { NO_TUN, 7 },
};

/* Addresses that reach this host anyway, the best ones first, the last one a
 * broadcast. */
static const char *const own[] = { "10.1.0.1", "fd00::1", "10.2.0.1",
                                   "10.1.0.255" };

static const struct eth_addr bridge_mac = ETH_ADDR_C(02, 00, 00, 00, 01, 01);
static const struct eth_addr port_mac = ETH_ADDR_C(02, 00, 00, 00, 01, 02);
static const struct eth_addr next_hop = ETH_ADDR_C(02, 00, 00, 00, 00, 0b);

static struct in6_addr
address(const char *text)
{
    struct in6_addr a;

    assert_true(address_from_text(text, &a));
    return a;
}

/* Rules, what is known of their collectors, and what comes of them. */
struct fixture {
    struct config *config;
    struct rules *rules;
    struct collector_ways *ways[RULE_MAX];
    char tunnel_ports[RULE_MAX][16];
    struct in6_addr own[ARRAY_SIZE(own)];
    size_t n_own;
    struct ports ports;
    bool keep_tunnels;
    struct flowset set;
};

/* Makes a port of the bridge, such as the switch would describe it. */
static void
put_port(struct ports *p, const char *name, uint16_t number)
{
    struct ofputil_phy_port desc = { .port_no = u16_to_ofp(number) };

    ovs_strlcpy(desc.name, name, sizeof desc.name);
    ports_put(p, &desc);
}

/* Makes 'way', one of the kinds that leave through a port, leave through
 * 'out_port'. */
static void
set_out_port(struct way *way, const char *out_port, bool as_told)
{
    way->source_mac = strcmp(out_port, "LOCAL") ? port_mac : bridge_mac;
    way->as_told = as_told;
    ovs_strlcpy(way->out_port, out_port, sizeof way->out_port);
}

/* Makes the way of the IP version to the 'j'th collector of the 'i'th rule one
 * of the kind 'kind' to 'to', such as the tests have it; a local one is to
 * this host anyway. */
static void
set_way(struct fixture *f, size_t i, size_t j, bool ipv6, enum way_kind kind,
        const char *to)
{
    const struct collector *c = &f->rules->rules[i].collectors[j];
    struct way *way = &f->ways[i][j].of[ipv6];

    memset(way, 0, sizeof *way);
    way->kind = kind;
    if (kind == WAY_NONE || kind == WAY_TUNNEL) {
        ovs_strlcpy(way->out_port, kind == WAY_TUNNEL ? to : "",
                    sizeof way->out_port);
        return;
    }
    way->address = address(to ? to : own[ipv6]);
    if (kind == WAY_DIRECT || kind == WAY_PORT || kind == WAY_ROUTED) {
        way->source = address(own[ipv6]);
        way->rewrite = !c->keep_source;
        way->next_hop = next_hop;
        set_out_port(way, kind == WAY_PORT ? "eth2" : "LOCAL", false);
    }
}

/* Makes ways to all collectors: to a local one for both IP versions, to other
 * hosts directly, and to other switches through TUN0. */
static void
make_ways(struct fixture *f)
{
    for (size_t i = 0; i < f->rules->n; i++) {
        const struct rule *r = &f->rules->rules[i];

        f->ways[i] = xcalloc(r->n_collectors, sizeof *f->ways[i]);
        if (r->remote) {
            ovs_strlcpy(f->tunnel_ports[i], TUN0, sizeof f->tunnel_ports[i]);
        }
        for (size_t j = 0; j < r->n_collectors; j++) {
            const struct collector *c = &r->collectors[j];
            struct in6_addr a;

            for (int ipv6 = 0; ipv6 < 2; ipv6++) {
                if (c->kind == COLLECTOR_TUNNEL) {
                    set_way(f, i, j, ipv6, WAY_TUNNEL, TUN0);
                } else if (c->kind == COLLECTOR_LOCAL) {
                    set_way(f, i, j, ipv6, WAY_LOCAL, NULL);
                } else if (address_from_text(c->host, &a)
                           && address_is_ipv6(&a) == ipv6) {
                    set_way(f, i, j, ipv6, WAY_DIRECT, c->host);
                }
            }
        }
    }
}

/* Makes '*f' without any rules. */
static void
init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->config = config_create();
    f->rules = &f->config->replicate;
    f->n_own = ARRAY_SIZE(own);
    for (size_t i = 0; i < f->n_own; i++) {
        f->own[i] = address(own[i]);
    }
    ports_init(&f->ports);
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        put_port(&f->ports, ports[i].name, ports[i].number);
    }
    flowset_init(&f->set, ID_BASE);
}

/* Makes '*f' of the rules in 'json', with a name for the first slots each. */
static void
setup(struct fixture *f, const char *json)
{
    char *file = xasprintf("{\"replicate\": [%s]}", json);

    init(f);
    assert_no_error(config_parse_json(f->config, file, strlen(file), "test"));
    assert_no_error(rules_check(f->rules, "replicate"));
    for (size_t i = 0; i < f->rules->n; i++) {
        f->rules->rules[i].slot = i;
    }
    make_ways(f);
    free(file);
}

static void
teardown(struct fixture *f)
{
    for (size_t i = 0; i < f->rules->n; i++) {
        free(f->ways[i]);
    }
    ports_destroy(&f->ports);
    flowset_destroy(&f->set);
    config_destroy(f->config);
}

static struct replicate_flows_params
params(struct fixture *f)
{
    return (struct replicate_flows_params){
        .rules = f->rules,
        .ways = f->ways,
        .tunnel_ports = f->tunnel_ports,
        .own = f->own,
        .n_own = f->n_own,
        .bridge = "br0",
        .bridge_mac = bridge_mac,
        .flow_priority = PRIORITY,
        .forward = "NORMAL",
        .ports = &f->ports,
        .keep_tunnels = f->keep_tunnels,
    };
}

static void
build(struct fixture *f)
{
    const struct replicate_flows_params p = params(f);

    assert_no_error(replicate_flows_add(&p, &f->set));
}

/* Flows and groups written out. */

/* Which flows assert_texts() shows besides the others. */
enum { FRAGMENTS = 1, GUARDS = 2 };

/* Fails the test unless the groups, and then the flows with those that are in
 * 'with', are the texts in 'expected', a null pointer at the end.  Frees '*f'.
 */
static void
assert_texts(struct fixture *f, int with, const char *const expected[])
{
    struct ds got = DS_EMPTY_INITIALIZER, want = DS_EMPTY_INITIALIZER;

    build(f);
    for (size_t i = 0; i < f->set.n_groups; i++) {
        ds_put_format(&got, "%s\n", f->set.groups[i]->text);
    }
    for (size_t i = 0; i < hmap_count(&f->set.flows); i++) {
        const struct wanted_flow *flow = f->set.order[i];
        ovs_be64 cookie = flow->fm.new_cookie;

        if ((with & FRAGMENTS || cookie != htonll(COOKIE_FRAGMENTS))
            && (with & GUARDS || cookie != htonll(COOKIE_GUARD))) {
            ds_put_format(&got, "%s\n", flow->text);
        }
    }
    for (size_t i = 0; expected[i]; i++) {
        ds_put_format(&want, "%s\n", expected[i]);
    }
    assert_string_equal(ds_cstr(&got), ds_cstr(&want));
    ds_destroy(&got);
    ds_destroy(&want);
    teardown(f);
}

#define ASSERT_TEXTS(F, WITH, ...)                                            \
    assert_texts(F, WITH, (const char *const[]){ __VA_ARGS__, NULL })

/* The beginnings of flows, and buckets, in which the bucket ids are those that
 * test-rule.c has. */
#define COPY_FLOW "cookie=0x534e4f5700020001,table=0,priority="
#define EXEMPT_FLOW "cookie=0x534e4f5700020002,table=0,priority="
#define FRAGMENT_FLOW "cookie=0x534e4f5700020003,table=0,priority="
#define TUNNEL_FLOW "cookie=0x534e4f5700020004,table=0,priority="
#define GUARD_FLOW "cookie=0x534e4f5700020005,table=0,priority="

#define B7343 "bucket=bucket_id=3962229806,actions="
#define B10_1_0_11 "bucket=bucket_id=659331235,actions="
#define BRIDGE_MAC "02:00:00:00:01:01"
#define PORT_MAC "02:00:00:00:01:02"
#define NEXT_HOP "02:00:00:00:00:0b"
#define TO_BOTH                                                               \
    "pop_vlan,set_field:" BRIDGE_MAC "->eth_dst,set_field:10.1.0.1->ip_dst,"  \
    "set_field:fd00::1->ipv6_dst,set_field:7343->udp_dst,output:LOCAL"

static void
test_nothing(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f, "");
    build(&f);
    assert_int_equal(hmap_count(&f.set.flows), 3); /* Guards. */
    assert_int_equal(f.set.n_groups, 0);
    assert_int_equal(f.set.n_meters, 0);
    teardown(&f);
}

/* Both IP versions go to a local collector through one bucket. */
static void
test_local(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f, "{\"name\": \"a\", \"port\": 6343, \"to\": [{\"port\": 7343}]}");
    ASSERT_TEXTS(&f, FRAGMENTS, "group_id=7000,type=all," B7343 TO_BOTH,
                 COPY_FLOW "19800,udp,tp_dst=6343,actions=group:7000,NORMAL",
                 FRAGMENT_FLOW "1,udp,ip_frag=yes,actions=NORMAL",
                 COPY_FLOW "19800,udp6,tp_dst=6343,actions=group:7000,NORMAL",
                 FRAGMENT_FLOW "1,udp6,ip_frag=yes,actions=NORMAL");
}

/* No address of one IP version: nothing can be done for it. */
static void
test_local_of_one_version(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f, "{\"name\": \"a\", \"port\": 6343, \"to\": [{\"port\": 7343}]}");
    set_way(&f, 0, 0, true, WAY_NONE, NULL);
    ASSERT_TEXTS(&f, 0,
                 "group_id=7000,type=all," B7343
                 "pop_vlan,set_field:" BRIDGE_MAC "->eth_dst,"
                 "set_field:10.1.0.1->ip_dst,set_field:7343->udp_dst,"
                 "output:LOCAL",
                 COPY_FLOW "19800,udp,tp_dst=6343,actions=group:7000,NORMAL");

    setup(&f, "{\"name\": \"a\", \"port\": 6343, \"to\": [{\"port\": 7343}]}");
    set_way(&f, 0, 0, true, WAY_NONE, NULL);
    set_way(&f, 0, 0, false, WAY_NONE, NULL);
    assert_texts(&f, FRAGMENTS, (const char *const[]){ NULL });
}

/* What a rule can be about: each part, and all of them. */
static void
test_matches(void **state OVS_UNUSED)
{
#define TO "\"to\": [{\"port\": 7343}]}"
#define ALL_LOCAL "group_id=7000,type=all," B7343 TO_BOTH
#define ALL_LOCAL_IPV6 "group_id=7064,type=all," B7343 TO_BOTH
    struct fixture f;

    setup(&f, "{\"name\": \"a\", \"port\": 1,"
              " \"from\": [\"10.1.2.3/8\", \"fd00::9\"], " TO);
    ASSERT_TEXTS(
        &f, FRAGMENTS, ALL_LOCAL,
        COPY_FLOW
        "19808,udp,nw_src=10.0.0.0/8,tp_dst=1,actions=group:7000,NORMAL",
        FRAGMENT_FLOW "9,udp,ip_frag=yes,nw_src=10.0.0.0/8,actions=NORMAL",
        COPY_FLOW
        "19928,udp6,ipv6_src=fd00::9/128,tp_dst=1,actions=group:7000,NORMAL",
        FRAGMENT_FLOW
        "129,udp6,ip_frag=yes,ipv6_src=fd00::9/128,actions=NORMAL");

    setup(&f, "{\"name\": \"a\", \"port\": 1,"
              " \"destination\": \"10.9.0.1\", " TO);
    ASSERT_TEXTS(
        &f, FRAGMENTS, ALL_LOCAL,
        COPY_FLOW
        "19801,udp,nw_dst=10.9.0.1,tp_dst=1,actions=group:7000,NORMAL",
        FRAGMENT_FLOW "2,udp,ip_frag=yes,nw_dst=10.9.0.1,actions=NORMAL");

    setup(&f, "{\"name\": \"a\", \"port\": 1, \"in_port\": \"eth1\","
              " \"from\": \"::/0\", \"destination\": \"fd00::8\", " TO);
    ASSERT_TEXTS(&f, FRAGMENTS, ALL_LOCAL_IPV6,
                 COPY_FLOW "19802,udp6,in_port=eth1,ipv6_dst=fd00::8,tp_dst=1,"
                           "actions=group:7064,NORMAL",
                 FRAGMENT_FLOW
                 "3,udp6,ip_frag=yes,in_port=eth1,ipv6_dst=fd00::8,"
                 "actions=NORMAL");

    /* All of it, which is the most that there is. */
    setup(&f, "{\"name\": \"a\", \"port\": 1, \"in_port\": \"br0\","
              " \"from\": \"fd00::9\", \"destination\": \"fd00::8\", " TO);
    ASSERT_TEXTS(
        &f, FRAGMENTS, ALL_LOCAL_IPV6,
        COPY_FLOW "19930,udp6,in_port=LOCAL,ipv6_src=fd00::9/128,"
                  "ipv6_dst=fd00::8,tp_dst=1,actions=group:7064,NORMAL",
        FRAGMENT_FLOW "131,udp6,ip_frag=yes,in_port=LOCAL,"
                      "ipv6_src=fd00::9/128,ipv6_dst=fd00::8,actions=NORMAL");

    /* A port that is not there: the group stays for when it is. */
    setup(&f, "{\"name\": \"a\", \"port\": 1, \"in_port\": \"eth9\", " TO);
    ASSERT_TEXTS(&f, FRAGMENTS, ALL_LOCAL);
}

/* Each kind of way to another host, with the source rewritten and kept. */
static void
test_ways(void **state OVS_UNUSED)
{
#define TO_11(SOURCE)                                                         \
    "{\"name\": \"a\", \"port\": 6343, \"from\": \"0.0.0.0/0\", \"to\": "     \
    "[{\"host\": \"10.1.0.11\", \"source\": \"" SOURCE "\"}]}"
#define FLOW_IPV4 COPY_FLOW "19800,udp,tp_dst=6343,actions=group:7000,NORMAL"
#define TO_NEXT_HOP "->eth_src,set_field:" NEXT_HOP "->eth_dst,"
#define TO_11_6343                                                            \
    "set_field:10.1.0.11->ip_dst,set_field:6343->udp_dst,dec_ttl,"
    static const struct {
        enum way_kind kind;
        const char *out_port;
        bool as_told;
        const char *actions; /* With %s for what rewrites the source. */
    } ways[] = {
        { WAY_OPEN, NULL, false, "drop" },
        { WAY_DOWN, NULL, false, "drop" },
        { WAY_DIRECT, "LOCAL", false,
          "pop_vlan,set_field:" BRIDGE_MAC TO_NEXT_HOP "%s" TO_11_6343
          "set_field:LOCAL->in_port,NORMAL" },
        { WAY_DIRECT, "int1", false,
          "pop_vlan,set_field:" PORT_MAC TO_NEXT_HOP "%s" TO_11_6343
          "set_field:int1->in_port,NORMAL" },

        /* What came in there leaves there too... */
        { WAY_PORT, "eth2", false,
          "pop_vlan,set_field:" PORT_MAC TO_NEXT_HOP "%s" TO_11_6343
          "set_field:LOCAL->in_port,output:eth2" },

        /* ...but for what may be that port itself. */
        { WAY_PORT, "eth1", true,
          "pop_vlan,set_field:" PORT_MAC TO_NEXT_HOP "%s" TO_11_6343
          "output:eth1" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        for (int keep = 0; keep < 2; keep++) {
            struct fixture f;
            char *actions = xasprintf(
                ways[i].actions, keep ? "" : "set_field:10.1.0.1->ip_src,");
            char *group =
                xasprintf("group_id=7000,type=all," B10_1_0_11 "%s", actions);

            setup(&f, keep ? TO_11("keep") : TO_11("rewrite"));
            set_way(&f, 0, 0, false, ways[i].kind, "10.1.0.11");
            if (ways[i].out_port) {
                set_out_port(&f.ways[0][0].of[false], ways[i].out_port,
                             ways[i].as_told);
            }
            ASSERT_TEXTS(&f, 0, group, FLOW_IPV4);
            free(actions);
            free(group);
        }
    }
}

/* IPv6 writes IPv6 addresses. */
static void
test_ipv6(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f, "{\"name\": \"a\", \"port\": 6343,"
              " \"to\": [{\"host\": \"2001:db8::1\"}]}");
    ASSERT_TEXTS(&f, 0,
                 "group_id=7064,type=all,bucket=bucket_id=1491297079,actions="
                 "pop_vlan,set_field:" BRIDGE_MAC
                 "->eth_src,set_field:" NEXT_HOP
                 "->eth_dst,set_field:fd00::1->ipv6_src,"
                 "set_field:2001:db8::1->ipv6_dst,set_field:6343->udp_dst,"
                 "dec_ttl,set_field:LOCAL->in_port,NORMAL",
                 COPY_FLOW "19800,udp6,tp_dst=6343,actions=group:7064,NORMAL");
}

/* What goes through the host's routing does not come back to be copied. */
static void
test_routed(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f, TO_11("rewrite"));
    set_way(&f, 0, 0, false, WAY_ROUTED, "10.1.0.11");
    ASSERT_TEXTS(&f, 0,
                 "group_id=7000,type=all," B10_1_0_11
                 "pop_vlan,set_field:" BRIDGE_MAC
                 "->eth_dst,set_field:10.1.0.1->ip_src,"
                 "set_field:10.1.0.11->ip_dst,set_field:6343->udp_dst,"
                 "output:LOCAL",
                 EXEMPT_FLOW "19802,udp,in_port=LOCAL,nw_dst=10.1.0.11,"
                             "tp_dst=6343,actions=NORMAL",
                 FLOW_IPV4);

    /* Nothing is exempted from nothing. */
    setup(&f, "{\"name\": \"a\", \"port\": 1, \"from\": \"0.0.0.0/0\","
              " \"to\": [{\"host\": \"10.1.0.11\", \"port\": 6343,"
              " \"source\": \"keep\"}]}");
    set_way(&f, 0, 0, false, WAY_ROUTED, "10.1.0.11");
    ASSERT_TEXTS(&f, 0,
                 "group_id=7000,type=all," B10_1_0_11
                 "pop_vlan,set_field:" BRIDGE_MAC
                 "->eth_dst,set_field:10.1.0.11->ip_dst,"
                 "set_field:6343->udp_dst,output:LOCAL",
                 COPY_FLOW "19800,udp,tp_dst=1,actions=group:7000,NORMAL");
}

/* A collector on the rule's own port gets what is addressed to this host
 * anyway: a group of its own, for each of the addresses that reach it. */
static void
test_own_port(void **state OVS_UNUSED)
{
#define B6343 "bucket=bucket_id=2978085967,actions="
#define TO_BOTH_6343                                                          \
    "pop_vlan,set_field:" BRIDGE_MAC "->eth_dst,set_field:10.1.0.1->ip_dst,"  \
    "set_field:fd00::1->ipv6_dst,set_field:6343->udp_dst,output:LOCAL"
    struct fixture f;

    setup(&f, "{\"name\": \"a\", \"port\": 6343,"
              " \"to\": [{\"port\": 6343}, {\"port\": 7343}]}");
    ASSERT_TEXTS(
        &f, 0, "group_id=7000,type=all," B6343 TO_BOTH_6343 "," B7343 TO_BOTH,
        "group_id=7128,type=all," B6343 "drop," B7343 TO_BOTH,
        COPY_FLOW "19800,udp,tp_dst=6343,actions=group:7000,NORMAL",
        COPY_FLOW
        "19801,udp,nw_dst=10.1.0.1,tp_dst=6343,actions=group:7128,NORMAL",
        COPY_FLOW
        "19801,udp,nw_dst=10.2.0.1,tp_dst=6343,actions=group:7128,NORMAL",
        COPY_FLOW
        "19801,udp,nw_dst=10.1.0.255,tp_dst=6343,actions=group:7128,NORMAL",
        COPY_FLOW "19800,udp6,tp_dst=6343,actions=group:7000,NORMAL",
        COPY_FLOW
        "19801,udp6,ipv6_dst=fd00::1,tp_dst=6343,actions=group:7128,NORMAL");

    /* A destination that is this host's. */
    setup(&f, "{\"name\": \"a\", \"port\": 6343,"
              " \"destination\": \"10.2.0.1\", \"to\": [{\"port\": 6343}]}");
    ASSERT_TEXTS(
        &f, 0, "group_id=7000,type=all," B6343 TO_BOTH_6343,
        "group_id=7128,type=all," B6343 "drop",
        COPY_FLOW
        "19801,udp,nw_dst=10.2.0.1,tp_dst=6343,actions=group:7128,NORMAL");

    /* And one that is not. */
    setup(&f, "{\"name\": \"a\", \"port\": 6343,"
              " \"destination\": \"10.9.0.1\", \"to\": [{\"port\": 6343}]}");
    ASSERT_TEXTS(
        &f, 0, "group_id=7000,type=all," B6343 TO_BOTH_6343,
        "group_id=7128,type=all," B6343 "drop",
        COPY_FLOW
        "19801,udp,nw_dst=10.9.0.1,tp_dst=6343,actions=group:7000,NORMAL");

    /* The same where the collector is named by an address of this host. */
    setup(&f, TO_11("keep"));
    set_way(&f, 0, 0, false, WAY_LOCAL, "10.1.0.11");
    ASSERT_TEXTS(
        &f, 0,
        "group_id=7000,type=all," B10_1_0_11 "pop_vlan,set_field:" BRIDGE_MAC
        "->eth_dst,set_field:10.1.0.11->ip_dst,set_field:6343->udp_dst,"
        "output:LOCAL",
        "group_id=7128,type=all," B10_1_0_11 "drop", FLOW_IPV4,
        COPY_FLOW
        "19801,udp,nw_dst=10.1.0.1,tp_dst=6343,actions=group:7128,NORMAL",
        COPY_FLOW
        "19801,udp,nw_dst=10.2.0.1,tp_dst=6343,actions=group:7128,NORMAL",
        COPY_FLOW
        "19801,udp,nw_dst=10.1.0.255,tp_dst=6343,actions=group:7128,NORMAL");

    /* Not on another port, nor what the host's routing takes elsewhere. */
    for (int routed = 0; routed < 2; routed++) {
        setup(&f, "{\"name\": \"a\", \"port\": 1, \"from\": \"0.0.0.0/0\","
                  " \"to\": [{\"host\": \"10.1.0.11\", \"port\": 6343,"
                  " \"source\": \"keep\"}]}");
        set_way(&f, 0, 0, false, routed ? WAY_ROUTED : WAY_LOCAL, "10.1.0.11");
        ASSERT_TEXTS(&f, 0,
                     "group_id=7000,type=all," B10_1_0_11
                     "pop_vlan,set_field:" BRIDGE_MAC
                     "->eth_dst,set_field:10.1.0.11->ip_dst,"
                     "set_field:6343->udp_dst,output:LOCAL",
                     COPY_FLOW "19800,udp,tp_dst=1,actions=group:7000,NORMAL");
    }
}

static void
test_spread(void **state OVS_UNUSED)
{
#define SPREAD_GROUP(ID)                                                      \
    "group_id=" ID ",type=select,selection_method=hash,"                      \
    "fields(ip_src,ipv6_src)"
#define SPREAD                                                                \
    "{\"name\": \"a\", \"port\": 6343, \"spread\": \"source\","               \
    " \"from\": \"0.0.0.0/0\", \"to\": [{\"port\": 6343},"                    \
    " {\"host\": \"10.1.0.11\"}, {\"port\": 7343}]}"
    static const enum way_kind kinds[] = { WAY_OPEN, WAY_DOWN, WAY_NONE };
    struct fixture f;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        setup(&f, SPREAD);
        set_way(&f, 0, 1, false, kinds[i], "10.1.0.11");
        ASSERT_TEXTS(
            &f, 0,
            kinds[i] == WAY_OPEN ? SPREAD_GROUP("7000") "," B6343 TO_BOTH_6343
                                                        "," B10_1_0_11
                                                        "drop," B7343 TO_BOTH
                                 : SPREAD_GROUP("7000") "," B6343 TO_BOTH_6343
                                                        "," B7343 TO_BOTH,
            kinds[i] == WAY_OPEN
                ? SPREAD_GROUP("7128") "," B6343 "drop," B10_1_0_11
                                       "drop," B7343 TO_BOTH
                : SPREAD_GROUP("7128") "," B6343 "drop," B7343 TO_BOTH,
            FLOW_IPV4,
            COPY_FLOW "19801,udp,nw_dst=10.1.0.1,tp_dst=6343,"
                      "actions=group:7128,NORMAL",
            COPY_FLOW "19801,udp,nw_dst=10.2.0.1,tp_dst=6343,"
                      "actions=group:7128,NORMAL",
            COPY_FLOW "19801,udp,nw_dst=10.1.0.255,tp_dst=6343,"
                      "actions=group:7128,NORMAL");
    }

    /* Nobody is there to spread over. */
    setup(&f, "{\"name\": \"a\", \"port\": 6343, \"spread\": \"source\","
              " \"to\": [{\"host\": \"10.1.0.11\"}]}");
    set_way(&f, 0, 0, false, WAY_DOWN, "10.1.0.11");
    ASSERT_TEXTS(&f, 0, SPREAD_GROUP("7000"), FLOW_IPV4);
}

/* Into a tunnel, and out of it. */
static void
test_tunnels(void **state OVS_UNUSED)
{
#define INTO                                                                  \
    "{\"name\": \"a\", \"port\": 6343,"                                       \
    " \"to\": [{\"host\": \"192.0.2.2\", \"tunnel\": \"vxlan\"}]}"
#define OUT_OF_TO(TO)                                                         \
    "{\"name\": \"b\", \"port\": 6343, \"tunnel\": \"vxlan\","                \
    " \"remote\": \"192.0.2.2\", \"from\": \"10.0.0.0/8\", \"to\": [" TO "]}"
#define OUT_OF OUT_OF_TO("{\"port\": 6343}")
#define VXLAN "bucket=bucket_id=381231750,actions="
#define OUT_OF_FLOW                                                           \
    TUNNEL_FLOW "20020,udp,in_port=" TUN0 ",nw_src=10.0.0.0/8,tp_dst=6343,"   \
                "actions=group:"
    struct fixture f;

    setup(&f, INTO);
    ASSERT_TEXTS(&f, 0, "group_id=7000,type=all," VXLAN "output:" TUN0,
                 COPY_FLOW "19800,udp,tp_dst=6343,actions=group:7000,NORMAL",
                 COPY_FLOW "19800,udp6,tp_dst=6343,actions=group:7000,NORMAL");

    /* What comes out goes to the collectors only, each way addressed; and it
     * is no fragment of ours. */
    setup(&f, OUT_OF);
    ASSERT_TEXTS(&f, FRAGMENTS, "group_id=7000,type=all," B6343 TO_BOTH_6343,
                 OUT_OF_FLOW "7000");

    setup(&f, INTO "," OUT_OF);
    ASSERT_TEXTS(&f, 0, "group_id=7000,type=all," VXLAN "output:" TUN0,
                 "group_id=7001,type=all," B6343 TO_BOTH_6343,
                 COPY_FLOW "19800,udp,tp_dst=6343,actions=group:7000,NORMAL",
                 COPY_FLOW "19800,udp6,tp_dst=6343,actions=group:7000,NORMAL",
                 OUT_OF_FLOW "7001");

    /* Out of one and into another one, a hop further on. */
    setup(&f, OUT_OF_TO("{\"host\": \"192.0.2.2\", \"tunnel\": \"vxlan\"}"));
    set_way(&f, 0, 0, false, WAY_TUNNEL, TUN1);
    ASSERT_TEXTS(&f, 0, "group_id=7000,type=all," VXLAN "dec_ttl,output:" TUN1,
                 OUT_OF_FLOW "7000");

    /* No port yet, or one that is known and not there. */
    for (int i = 0; i < 2; i++) {
        setup(&f, OUT_OF);
        ovs_strlcpy(f.tunnel_ports[0], i ? "srv-c0000209" : "", 16);
        ASSERT_TEXTS(&f, FRAGMENTS,
                     "group_id=7000,type=all," B6343 TO_BOTH_6343);
    }
    setup(&f, INTO);
    set_way(&f, 0, 0, false, WAY_OPEN, "::");
    set_way(&f, 0, 0, true, WAY_OPEN, "::");
    ASSERT_TEXTS(&f, 0, "group_id=7000,type=all," VXLAN "drop",
                 COPY_FLOW "19800,udp,tp_dst=6343,actions=group:7000,NORMAL",
                 COPY_FLOW "19800,udp6,tp_dst=6343,actions=group:7000,NORMAL");
}

/* Nothing comes out of a tunnel port of ours unless a rule takes it, whatever
 * is known of the rules. */
static void
test_guards(void **state OVS_UNUSED)
{
#define GUARD(NAME) GUARD_FLOW "20010,in_port=" NAME ",actions=drop"
    /* None of these are tunnel ports of ours. */
    static const char *const others[] = {
        "srv-c000020",  "srv-c00002020", "srv-c000020g",
        "srv-C0000202", "srv_c0000202",  "sr-c0000202",
        "srvv-0000202", "Srv-c0000202",  "xsrv-c0000202",
        "sr",           "srv-",          "src-c0000202",
        "ssv-c0000202", "srv-c0000202x",
    };
    static const char *const rules[] = { "", INTO, OUT_OF, INTO "," OUT_OF };
    struct fixture f;

    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        const char *guards[] = { GUARD(TUN0), GUARD(TUN1), GUARD(TUN2) };
        size_t n = 0;

        setup(&f, rules[i]);
        build(&f);
        for (size_t j = 0; j < hmap_count(&f.set.flows); j++) {
            const struct wanted_flow *flow = f.set.order[j];

            if (flow->fm.new_cookie == htonll(COOKIE_GUARD)) {
                assert_in_range(n, 0, ARRAY_SIZE(guards) - 1);
                assert_string_equal(flow->text, guards[n++]);
            }
        }
        assert_int_equal(n, ARRAY_SIZE(guards));
        teardown(&f);
    }

    setup(&f, "");
    ports_clear(&f.ports);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        put_port(&f.ports, others[i], 1 + i);
    }
    put_port(&f.ports, "srv-09afa90f", 99);
    ASSERT_TEXTS(&f, GUARDS, GUARD("srv-09afa90f"));
}

/* Flows for what comes out of tunnels stay, if so, and only they. */
static void
test_keep_tunnels(void **state OVS_UNUSED)
{
    for (int keep = 0; keep < 2; keep++) {
        struct fixture f;

        setup(&f, INTO "," OUT_OF);
        f.keep_tunnels = keep;
        build(&f);
        assert_true(f.set.kept_cookie == (keep ? htonll(COOKIE_TUNNEL) : 0));
        teardown(&f);
    }
}

/* What relay.forward says stands wherever NORMAL did. */
static void
test_forward(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f, TO_11("rewrite") "," OUT_OF);
    set_way(&f, 0, 0, false, WAY_ROUTED, "10.1.0.11");
    struct replicate_flows_params p = params(&f);
    p.forward = "resubmit(,10)";
    assert_no_error(replicate_flows_add(&p, &f.set));
    for (size_t i = 0; i < hmap_count(&f.set.flows); i++) {
        const char *text = f.set.order[i]->text;

        assert_null(strstr(text, "NORMAL"));
        assert_true(strstr(text, ",resubmit(,10)")
                    || strstr(text, "actions=resubmit(,10)")
                    || strstr(text, "in_port=sr"));
    }
    teardown(&f);

    setup(&f, TO_11("rewrite"));
    p = params(&f);
    p.forward = "resubmit(,10)";
    assert_no_error(replicate_flows_add(&p, &f.set));
    assert_non_null(strstr(f.set.groups[0]->text,
                           ",set_field:LOCAL->in_port,resubmit(,10)"));
    teardown(&f);

    setup(&f, TO_11("rewrite"));
    p = params(&f);
    p.forward = "upwards";
    assert_error(replicate_flows_add(&p, &f.set), "flows/*");
    teardown(&f);
}

/* A collector of one IP version whose way is not known yet must not get the
 * bucket of the other one, nor lose its own. */
static void
test_open_in_one_version(void **state OVS_UNUSED)
{
    static const enum way_kind others[] = { WAY_NONE, WAY_DOWN, WAY_OPEN };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        for (int ipv6 = 0; ipv6 < 2; ipv6++) {
            struct fixture f;

            setup(&f, "{\"name\": \"a\", \"port\": 6343, \"to\":"
                      " [{\"host\": \"collector\"}, {\"port\": 7343}]}");
            set_way(&f, 0, 0, ipv6, WAY_OPEN, "::");
            set_way(&f, 0, 0, !ipv6, others[i], NULL);
            build(&f);
            assert_int_equal(f.set.n_groups, 2);
            for (int v = 0; v < 2; v++) {
                const struct wanted_group *group = f.set.groups[v];
                bool open = v == ipv6 || others[i] == WAY_OPEN;

                assert_int_equal(group->gm.group_id,
                                 ID_BASE + (v ? RULE_MAX : 0));
                assert_int_equal(group->n_open, open);
                assert_true(
                    !open
                    || group->open[0]
                           == f.rules->rules[0].collectors[0].bucket_id);
            }
            teardown(&f);
        }
    }
}

/* Flows whose number is more than there may be. */
static void
test_too_many_flows(void **state OVS_UNUSED)
{
    for (int more = 0; more < 2; more++) {
        struct fixture f;

        init(&f);
        for (int i = 0; i < 8 + more; i++) {
            struct rule *r = rules_add(f.rules);

            r->port = 1;
            assert_no_error(
                rule_set_name(r, "x", i & 8 ? "more" : "abcdefgh" + i));
            rule_add_collector(r)->port = 7343;
            for (int j = 0; j < (more && i == 8 ? 1 : RULE_MAX_FROM); j++) {
                char text[32];

                snprintf(text, sizeof text, "10.%d.%d.0/24", i, j);
                assert_no_error(rule_add_from(r, "x", text));
            }
        }
        assert_no_error(rules_check(f.rules, "x"));
        make_ways(&f);

        /* One for the copies and one for the fragments; guards are not
         * counted. */
        const struct replicate_flows_params p = params(&f);
        char *error = replicate_flows_add(&p, &f.set);
        if (more) {
            assert_error(error, "replicate: the rules take more than 4096 "
                                "flows; *");
        } else {
            assert_no_error(error);
            assert_int_equal(hmap_count(&f.set.flows), 4096 + 3);
        }
        teardown(&f);
    }
}

/* Whatever the rules. */

/* Where datagrams come in. */
static const char *const in_ports[] = { "eth1", "eth2", "LOCAL", "LOCAL",
                                        TUN0,   TUN1,   TUN2,    "int1" };
static const char *const froms[] = {
    "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/29", "10.1.0.5",
    "fd00::/8",  "fd00::/64",  "::/0",        "fd00::5",     "10.1.0.4/30",
};
static const char *const addresses[] = { "10.1.0.1", "10.2.0.1", "10.1.0.5",
                                         "10.1.0.6", "10.9.0.9", "10.1.0.255",
                                         "fd00::1",  "fd00::5",  "fd01::9" };
static const char *const hosts[] = { "10.1.0.5", "10.1.0.6", "10.9.0.9",
                                     "fd00::5",  "fd01::9",  "name-a",
                                     "name-b" };

#define PICK(ARRAY, SEED) (ARRAY)[next_random(SEED) % ARRAY_SIZE(ARRAY)]

/* Sets a random way of the IP version, which one of the kinds that there are
 * for 'c' takes. */
static void
set_random_way(struct fixture *f, size_t i, size_t j, bool ipv6,
               uint32_t *seed)
{
    static const enum way_kind kinds[] = { WAY_OPEN,   WAY_DOWN,   WAY_LOCAL,
                                           WAY_ROUTED, WAY_ROUTED, WAY_DIRECT,
                                           WAY_PORT };
    const struct collector *c = &f->rules->rules[i].collectors[j];
    struct way *way = &f->ways[i][j].of[ipv6];
    struct in6_addr a;
    bool literal = address_from_text(c->host, &a);

    if (literal ? address_is_ipv6(&a) != ipv6 : next_random(seed) % 4 == 0) {
        set_way(f, i, j, ipv6, WAY_NONE, NULL);
    } else {
        set_way(f, i, j, ipv6, PICK(kinds, seed),
                literal ? c->host
                : ipv6  ? "fd01::9"
                        : "10.9.0.9");
    }
    if (way->kind == WAY_DIRECT) {
        set_out_port(way, next_random(seed) % 2 ? "LOCAL" : "int1", false);
    } else if (way->kind == WAY_PORT) {
        set_out_port(way, next_random(seed) % 2 ? "eth1" : "eth2",
                     next_random(seed) % 2);
    }
}

static void
make_random_ways(struct fixture *f, uint32_t *seed)
{
    for (size_t i = 0; i < f->rules->n; i++) {
        const struct rule *r = &f->rules->rules[i];

        f->ways[i] = xcalloc(r->n_collectors, sizeof *f->ways[i]);
        if (r->remote) {
            static const char *const tunnels[] = { TUN0, TUN1, "" };

            ovs_strlcpy(f->tunnel_ports[i], PICK(tunnels, seed), 16);
        }
        for (size_t j = 0; j < r->n_collectors; j++) {
            const struct collector *c = &r->collectors[j];

            if (c->kind == COLLECTOR_TUNNEL) {
                bool open = next_random(seed) % 2;
                const char *port = next_random(seed) % 2 ? TUN0 : TUN1;

                for (int ipv6 = 0; ipv6 < 2; ipv6++) {
                    set_way(f, i, j, ipv6, open ? WAY_OPEN : WAY_TUNNEL,
                            open ? "::" : port);
                }
            } else if (c->kind == COLLECTOR_LOCAL) {
                set_way(f, i, j, false, WAY_LOCAL, NULL);
                set_way(f, i, j, true,
                        next_random(seed) % 4 ? WAY_LOCAL : WAY_NONE, NULL);
            } else {
                set_random_way(f, i, j, false, seed);
                set_random_way(f, i, j, true, seed);
            }
        }
    }
}

static void
add_random_collectors(struct rule *r, uint32_t *seed)
{
    size_t n = 1 + next_random(seed) % 3;

    for (size_t i = 0; i < n; i++) {
        struct collector *c = rule_add_collector(r);

        /* Of different ports, so that no two are the same. */
        switch (next_random(seed) % 3) {
        case 0: c->port = 1 + i + next_random(seed) % 2 * 9; break;
        case 1:
            assert_no_error(collector_set_host(c, "x", PICK(hosts, seed)));
            assert_no_error(collector_set_source(
                c, "x", next_random(seed) % 2 ? "keep" : "rewrite"));
            c->port = 1 + i;
            break;
        case 2: {
            static const char *const switches[] = { "192.0.2.1", "192.0.2.2",
                                                    "192.0.2.3" };

            assert_no_error(collector_set_host(c, "x", switches[i]));
            assert_no_error(collector_set_tunnel(c, "x", "vxlan"));
            break;
        }
        }
    }
}

static void
add_random_rule(struct fixture *f, uint32_t *seed)
{
    struct rule *r = rules_add(f->rules);
    size_t n_from = next_random(seed) % 4;
    char name[16];

    snprintf(name, sizeof name, "rule-%zu", f->rules->n);
    assert_no_error(rule_set_name(r, "x", name));
    r->port = 1 + next_random(seed) % 2;
    for (size_t i = 0; i < n_from; i++) {
        assert_no_error(rule_add_from(r, "x", PICK(froms, seed)));
    }
    if (next_random(seed) % 3 == 0) {
        r->has_destination = true;
        do {
            r->destination = address(PICK(addresses, seed));
        } while (!rule_takes(r, false) && !rule_takes(r, true));
    }
    if (next_random(seed) % 4 == 0) {
        assert_no_error(rule_set_tunnel(r, "x", "gre"));
        assert_no_error(rule_set_remote(r, "x", "192.0.2.9"));
    } else if (next_random(seed) % 3 == 0) {
        static const char *const names[] = { "eth1", "eth2", "br0", "eth9" };

        assert_no_error(rule_set_in_port(r, "x", PICK(names, seed)));
    }
    r->spread = next_random(seed) % 3 == 0;
    add_random_collectors(r, seed);
}

static void
setup_at_random(struct fixture *f, uint32_t *seed)
{
    size_t n = 1 + next_random(seed) % 4;

    init(f);
    for (size_t i = 0; i < n; i++) {
        add_random_rule(f, seed);
    }
    assert_no_error(rules_check(f->rules, "x"));
    make_random_ways(f, seed);
    build(f);
}

static ofp_port_t
port_number(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        if (!strcmp(ports[i].name, name)) {
            return u16_to_ofp(ports[i].number);
        }
    }
    assert_string_equal(name, "LOCAL");
    return OFPP_LOCAL;
}

/* A datagram, as a switch sees it. */
struct datagram {
    struct flow flow;
    const char *in_port;
    bool ipv6;
    struct in6_addr source, destination;
    uint16_t port; /* 0 for a fragment. */
};

static struct datagram
random_datagram(uint32_t *seed)
{
    struct datagram d;
    size_t i = next_random(seed) % ARRAY_SIZE(in_ports);

    memset(&d, 0, sizeof d);
    d.in_port = in_ports[i];
    d.source = address(PICK(addresses, seed));
    d.ipv6 = address_is_ipv6(&d.source);
    do {
        d.destination = address(PICK(addresses, seed));
    } while (address_is_ipv6(&d.destination) != d.ipv6);
    d.port = next_random(seed) % 5 ? 1 + next_random(seed) % 2 : 0;

    d.flow.in_port.ofp_port = port_number(d.in_port);
    if (next_random(seed) % 4 == 0) {
        d.flow.vlans[0].tpid = htons(ETH_TYPE_VLAN);
        d.flow.vlans[0].tci = htons(VLAN_CFI | 3 << VLAN_PCP_SHIFT | 5);
    }
    d.flow.dl_src = (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 00, 05);
    d.flow.dl_dst = (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 00, 06);
    d.flow.dl_type = htons(d.ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    d.flow.nw_proto = IPPROTO_UDP;
    d.flow.nw_ttl = 64;
    if (d.ipv6) {
        d.flow.ipv6_src = d.source;
        d.flow.ipv6_dst = d.destination;
    } else {
        d.flow.nw_src = in6_addr_get_mapped_ipv4(&d.source);
        d.flow.nw_dst = in6_addr_get_mapped_ipv4(&d.destination);
    }
    if (d.port) {
        d.flow.tp_src = htons(40000);
        d.flow.tp_dst = htons(d.port);
    } else {
        d.flow.nw_frag = FLOW_NW_FRAG_ANY
                         | (next_random(seed) % 2 ? FLOW_NW_FRAG_LATER : 0);
    }
    return d;
}

/* Returns the flow of 'set' that a switch would take for 'flow', or NULL;
 * there must be a single best one. */
static const struct wanted_flow *
classify(const struct flowset *set, const struct flow *flow)
{
    const struct wanted_flow *best = NULL;
    bool another = false;

    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        const struct wanted_flow *wanted = set->order[i];

        if (!minimatch_matches_flow(&wanted->fm.match, flow)) {
            continue;
        }
        if (!best || wanted->fm.priority > best->fm.priority) {
            best = wanted;
            another = false;
        } else if (wanted->fm.priority == best->fm.priority) {
            another = true;
        }
    }
    assert_false(another);
    return best;
}

/* What the rules say, as plainly as they are written. */

static bool
in_subnet(const struct in6_addr *a, const struct subnet *subnet)
{
    for (unsigned int i = 0; i < subnet->prefix; i++) {
        if ((a->s6_addr[i / 8] ^ subnet->address.s6_addr[i / 8]) >> (7 - i % 8)
            & 1) {
            return false;
        }
    }
    return true;
}

/* Is the 'i'th rule about 'd', a fragment of any port included? */
static bool
is_about(const struct fixture *f, size_t i, const struct datagram *d)
{
    const struct rule *r = &f->rules->rules[i];
    const char *in_port =
        (r->remote                                  ? f->tunnel_ports[i]
         : r->in_port && !strcmp(r->in_port, "br0") ? "LOCAL"
                                                    : r->in_port);
    bool from = !r->from.n, way = false;

    for (size_t j = 0; j < r->from.n; j++) {
        from |= (address_is_ipv6(&r->from.all[j].address) == d->ipv6
                 && in_subnet(&d->source, &r->from.all[j]));
    }
    for (size_t j = 0; j < r->n_collectors; j++) {
        way |= f->ways[i][j].of[d->ipv6].kind != WAY_NONE;
    }
    return (way && from && (!in_port || !strcmp(in_port, d->in_port))
            && (!d->port || d->port == r->port)
            && (!r->has_destination
                || ipv6_addr_equals(&r->destination, &d->destination)));
}

/* Did 'd' come in through a tunnel port of ours? */
static bool
comes_out_of_tunnel(const struct datagram *d)
{
    return (!strcmp(d->in_port, TUN0) || !strcmp(d->in_port, TUN1)
            || !strcmp(d->in_port, TUN2));
}

/* Is 'd' a copy on its way from the host's routing to a collector? */
static bool
is_exempt(const struct fixture *f, const struct datagram *d)
{
    for (size_t i = 0; i < f->rules->n; i++) {
        for (size_t j = 0; j < f->rules->rules[i].n_collectors; j++) {
            const struct way *way = &f->ways[i][j].of[d->ipv6];

            if (way->kind == WAY_ROUTED && !strcmp(d->in_port, "LOCAL")
                && f->rules->rules[i].collectors[j].port == d->port
                && ipv6_addr_equals(&way->address, &d->destination)) {
                return true;
            }
        }
    }
    return false;
}

static bool
is_own(const struct in6_addr *a)
{
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        struct in6_addr b = address(own[i]);

        if (ipv6_addr_equals(a, &b)) {
            return true;
        }
    }
    return false;
}

/* Carries out the actions of 'bucket' on a copy of 'd', as a switch does.
 * Returns the port that the copy leaves through, OFPP_NONE if it does not, and
 * stores it in '*copy'. */
static ofp_port_t
carry_out(const struct ofputil_bucket *bucket, const struct datagram *d,
          struct flow *copy)
{
    ofp_port_t out = OFPP_NONE;
    bool done = false;
    const struct ofpact *a;

    *copy = d->flow;
    OFPACT_FOR_EACH (a, bucket->ofpacts, bucket->ofpacts_len) {
        assert_false(done); /* The output comes last. */
        if (a->type == OFPACT_SET_FIELD) {
            const struct ofpact_set_field *set = ofpact_get_SET_FIELD(a);

            /* What does not fit is ignored. */
            if (mf_are_prereqs_ok(set->field, copy, NULL)) {
                mf_set_flow_value(set->field, set->value, copy);
            }
        } else if (a->type == OFPACT_STRIP_VLAN) {
            flow_pop_vlan(copy, NULL);
        } else if (a->type == OFPACT_DEC_TTL) {
            copy->nw_ttl--;
        } else {
            assert_int_equal(a->type, OFPACT_OUTPUT);
            out = ofpact_get_OUTPUT(a)->port;
            if (out == copy->in_port.ofp_port) {
                out = OFPP_NONE; /* Nothing goes back. */
            }
            done = true;
        }
    }
    assert_true(done);
    return out;
}

/* Fails the test unless 'bucket' does what 'way' says with 'd' for the
 * collector 'c' of 'r'. */
static void
assert_bucket(const struct ofputil_bucket *bucket, const struct way *way,
              const struct rule *r, const struct collector *c,
              const struct datagram *d)
{
    struct flow copy, expected = d->flow;
    ofp_port_t expected_out, out = carry_out(bucket, d, &copy);

    /* A way that is as told says where to, and not that it goes back. */
    if (way->kind == WAY_TUNNEL || way->kind == WAY_PORT) {
        expected_out = port_number(way->out_port);
    } else {
        expected_out = way->kind == WAY_DIRECT ? OFPP_NORMAL : OFPP_LOCAL;
    }
    if (expected_out == d->flow.in_port.ofp_port
        && (way->kind != WAY_PORT || way->as_told)) {
        expected_out = OFPP_NONE;
    }
    assert_int_equal(out, expected_out);

    if (way->kind == WAY_TUNNEL) {
        expected.nw_ttl -= r->remote != NULL;
        assert_memory_equal(&copy, &expected, sizeof copy);
        return;
    }
    memset(expected.vlans, 0, sizeof expected.vlans);
    if (d->ipv6) {
        expected.ipv6_dst = way->address;
        expected.ipv6_src = way->rewrite ? way->source : expected.ipv6_src;
    } else {
        expected.nw_dst = in6_addr_get_mapped_ipv4(&way->address);
        expected.nw_src =
            (way->rewrite ? in6_addr_get_mapped_ipv4(&way->source)
                          : expected.nw_src);
    }
    expected.tp_dst = htons(c->port);
    if (way->kind == WAY_LOCAL || way->kind == WAY_ROUTED) {
        expected.dl_dst = bridge_mac;
    } else {
        expected.dl_dst = next_hop;
        expected.dl_src =
            strcmp(way->out_port, "LOCAL") ? port_mac : bridge_mac;
        expected.nw_ttl--;
        if (way->kind == WAY_DIRECT) {
            expected.in_port.ofp_port = port_number(way->out_port);
        } else if (!way->as_told) {
            expected.in_port.ofp_port = OFPP_LOCAL;
        }
    }
    assert_memory_equal(&copy, &expected, sizeof copy);
}

static bool
group_is_open(const struct wanted_group *group, uint32_t bucket_id)
{
    for (size_t i = 0; i < group->n_open; i++) {
        if (group->open[i] == bucket_id) {
            return true;
        }
    }
    return false;
}

/* Fails the test unless the group 'id' is that of the 'i'th rule for 'd'. */
static void
assert_group(const struct fixture *f, size_t i, uint32_t id,
             const struct datagram *d)
{
    const struct rule *r = &f->rules->rules[i];
    const struct wanted_group *group = NULL;
    size_t n_buckets = 0, n_open = 0;

    assert_in_range(id, ID_BASE, ID_BASE + 255);
    assert_int_equal((id - ID_BASE) % RULE_MAX, r->slot);
    for (size_t j = 0; j < f->set.n_groups; j++) {
        if (f->set.groups[j]->gm.group_id == id) {
            assert_null(group);
            group = f->set.groups[j];
        }
    }
    assert_non_null(group);
    assert_int_equal(group->gm.type, r->spread ? OFPGT11_SELECT : OFPGT11_ALL);

    for (size_t j = 0; j < r->n_collectors; j++) {
        const struct collector *c = &r->collectors[j];
        const struct way *way = &f->ways[i][j].of[d->ipv6];
        const struct ofputil_bucket *bucket =
            ofputil_bucket_find(&group->gm.buckets, c->bucket_id);
        bool original = (way->kind == WAY_LOCAL && c->port == r->port
                         && !r->remote && is_own(&d->destination));

        if (r->spread && (way->kind == WAY_NONE || way->kind == WAY_DOWN)) {
            assert_null(bucket);
            continue;
        }
        assert_non_null(bucket);
        n_buckets++;
        assert_int_equal(group_is_open(group, c->bucket_id),
                         way->kind == WAY_OPEN);
        n_open += way->kind == WAY_OPEN;
        if (original || way->kind <= WAY_DOWN) {
            assert_int_equal(bucket->ofpacts_len, 0);
        } else {
            assert_bucket(bucket, way, r, c, d);
        }
    }
    assert_int_equal(ovs_list_size(&group->gm.buckets), n_buckets);
    assert_int_equal(group->n_open, n_open);
}

/* Fails the test unless 'flow', NULL for none, is what the rules say of 'd'.
 */
static void
assert_does(const struct fixture *f, const struct wanted_flow *flow,
            const struct datagram *d)
{
    bool tunnel = comes_out_of_tunnel(d);
    bool exempt = is_exempt(f, d);
    uint64_t rules = 0;

    for (size_t i = 0; i < f->rules->n; i++) {
        if (!f->rules->rules[i].remote == !tunnel && is_about(f, i, d)
            && !(tunnel && !d->port)) {
            rules |= UINT64_C(1) << i;
        }
    }
    if (!rules && !tunnel) {
        assert_null(flow);
        return;
    }

    assert_non_null(flow);
    uint64_t cookie = ntohll(flow->fm.new_cookie);
    const struct ofpact *a = flow->fm.ofpacts;
    const struct ofpact *end = ofpact_end(a, flow->fm.ofpacts_len);
    assert_true(cookie
                == (tunnel     ? (rules ? COOKIE_TUNNEL : COOKIE_GUARD)
                    : !d->port ? COOKIE_FRAGMENTS
                    : exempt   ? COOKIE_EXEMPTION
                               : COOKIE_COPY));
    assert_true(flow->tag == (d->port || tunnel ? 0 : rules));
    for (size_t i = 0; i < f->rules->n && d->port && (tunnel || !exempt);
         i++) {
        if (rules >> i & 1) {
            assert_true(a < end);
            assert_int_equal(a->type, OFPACT_GROUP);
            assert_group(f, i, ofpact_get_GROUP(a)->group_id, d);
            a = ofpact_next(a);
        }
    }
    if (!tunnel) {
        assert_true(a < end);
        assert_int_equal(a->type, OFPACT_OUTPUT);
        assert_int_equal(ofpact_get_OUTPUT(a)->port, OFPP_NORMAL);
        a = ofpact_next(a);
    }
    assert_ptr_equal(a, end);
}

/* Fails the test unless 'flow' has one of our cookies and a priority that goes
 * with it. */
static void
assert_priority(const struct wanted_flow *flow)
{
    static const struct {
        uint64_t cookie;
        int min, max;
    } bands[] = {
        { COOKIE_COPY, 19800, 19930 },  { COOKIE_EXEMPTION, 19802, 19930 },
        { COOKIE_FRAGMENTS, 1, 131 },   { COOKIE_TUNNEL, 20012, 20141 },
        { COOKIE_GUARD, 20010, 20010 },
    };
    uint64_t cookie = ntohll(flow->fm.new_cookie);
    bool found = false;

    assert_int_equal(flow->fm.table_id, 0);
    for (size_t i = 0; i < ARRAY_SIZE(bands); i++) {
        if (cookie == bands[i].cookie) {
            assert_in_range(flow->fm.priority, bands[i].min, bands[i].max);
            found = true;
        }
    }
    assert_true(found);
}

/* No two flows at one place, no two groups of one id. */
static void
assert_no_duplicates(const struct flowset *set)
{
    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        const struct wanted_flow *a = set->order[i];

        assert_priority(a);
        for (size_t j = 0; j < i; j++) {
            const struct wanted_flow *b = set->order[j];

            assert_false(a->fm.priority == b->fm.priority
                         && minimatch_equal(&a->fm.match, &b->fm.match));
        }
    }
    for (size_t i = 0; i < set->n_groups; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(set->groups[i]->gm.group_id,
                                 set->groups[j]->gm.group_id);
        }
    }
}

/* Appends to 'installed' what a switch has that has the flows of 'set'. */
static void
install(const struct flowset *set, struct ovs_list *installed)
{
    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        const struct ofputil_flow_mod *fm = &set->order[i]->fm;
        struct ofputil_flow_stats fs = {
            .cookie = fm->new_cookie,
            .priority = fm->priority,
            .ofpacts = fm->ofpacts,
            .ofpacts_len = fm->ofpacts_len,
        };

        minimatch_expand(&fm->match, &fs.match);
        installed_flow_add(installed, &fs);
    }
}

/* Fails the test unless a switch that has all of '*f' keeps all of it, but for
 * the flows for what comes out of tunnels where the tunnels are not 'known'
 * any more and nothing says to 'keep' those. */
static void
assert_keeps(struct fixture *f, bool known, bool keep)
{
    struct ovs_list installed = OVS_LIST_INITIALIZER(&installed);
    struct ovs_list groups = OVS_LIST_INITIALIZER(&groups);
    char unknown[RULE_MAX][16] = { "" };
    struct replicate_flows_params p = params(f);
    const struct installed_flow *inst;
    size_t n_tunnel = 0;
    struct flowset set;

    p.tunnel_ports = known ? f->tunnel_ports : unknown;
    p.keep_tunnels = keep;
    flowset_init(&set, ID_BASE);
    assert_no_error(replicate_flows_add(&p, &set));
    install(&f->set, &installed);
    size_t n = flowset_compare(&set, &installed, &groups) - set.n_groups;
    LIST_FOR_EACH (inst, node, &installed) {
        bool tunnel = inst->fs.cookie == htonll(COOKIE_TUNNEL);

        assert_int_equal(inst->wanted, known || keep || !tunnel);
        n_tunnel += tunnel;
    }
    assert_int_equal(n, known || keep ? 0 : n_tunnel);
    assert_int_equal(hmap_count(&set.flows) + (known ? 0 : n_tunnel),
                     hmap_count(&f->set.flows));
    assert_int_equal(set.n_groups, f->set.n_groups);
    for (size_t i = 0; i < set.n_groups; i++) {
        assert_string_equal(set.groups[i]->text, f->set.groups[i]->text);
    }
    installed_flows_clear(&installed);
    flowset_destroy(&set);
}

static void
test_random_rules(void **state OVS_UNUSED)
{
    enum { ROUNDS = 600, DATAGRAMS = 100 };
    uint32_t seed = 40;
    int n[2][6] = { { 0 } };

    for (int i = 0; i < ROUNDS; i++) {
        struct fixture f;

        setup_at_random(&f, &seed);
        assert_no_duplicates(&f.set);
        for (int j = 0; j < DATAGRAMS; j++) {
            struct datagram d = random_datagram(&seed);
            const struct wanted_flow *flow = classify(&f.set, &d.flow);

            assert_does(&f, flow, &d);
            n[d.ipv6][flow ? ntohll(flow->fm.new_cookie) & 0xff : 0]++;

            /* Another protocol is nobody's. */
            d.flow.nw_proto = IPPROTO_TCP;
            flow = classify(&f.set, &d.flow);
            assert_int_equal(flow != NULL, comes_out_of_tunnel(&d));
            assert_true(!flow || flow->fm.new_cookie == htonll(COOKIE_GUARD));
        }
        assert_keeps(&f, false, false);
        assert_keeps(&f, false, true);
        assert_keeps(&f, true, true);
        teardown(&f);
    }

    /* Each kind has come up, or it would prove little. */
    for (int i = 0; i < 6; i++) {
        assert_true(n[0][i] > 20 && n[1][i] > 20);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_local_of_one_version),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_routed),
        cmocka_unit_test(test_own_port),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_tunnels),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_keep_tunnels),
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_open_in_one_version),
        cmocka_unit_test(test_too_many_flows),
        cmocka_unit_test(test_random_rules),
    };
    return cmocka_run_group_tests_name("replication's flows", tests, NULL,
                                       NULL);
}
