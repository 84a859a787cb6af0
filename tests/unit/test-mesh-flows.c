/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "mesh-flows.h"

#include "support.h"

#include "carried.h"
#include "destination.h"
#include "endpoint.h"
#include "flow.h"
#include "flowset.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "own-addresses.h"
#include "packets.h"
#include "ports.h"
#include "relay-flows.h"
#include "subnets.h"
#include "tunneling.h"
#include "util.h"

enum { PRIORITY = 300, ID_BASE = 7000, MAX_PPS = 1234 };

#define TUNNEL "srm-00534e4d"

static const struct relay_mac macs[] = {
    { ETH_ADDR_C(02, 00, 00, 00, 01, 01), UINT64_MAX },
};

/* What flows are made from, and what comes of it. */
struct fixture {
    struct relay_port port_list[2];
    struct ports ports;
    struct mesh_end targets[TUNNELING_MAX];
    struct mesh_end sources[TUNNELING_MAX];
    struct own_address own_list[4];
    struct own_addresses own;
    struct destination destination;
    struct mesh_tunnel tunnel;
    struct relay_flows_params params;
    struct flowset set;
    bool made;
};

static struct fixture *f;

/* Returns the end with the number 'id' at 'text'. */
static struct mesh_end
end(uint32_t id, const char *text)
{
    struct mesh_end e = { .id = id };

    assert_true(address_from_text(text, &e.address));
    return e;
}

/* Makes the bridge's broadcast addresses, and the policy. */
static void
set_destination(enum destination_policy policy, const ovs_be32 *broadcasts,
                size_t n)
{
    f->destination.policy = policy;
    f->destination.n_broadcasts = n;
    for (size_t i = 0; i < n; i++) {
        f->destination.broadcasts[i] = broadcasts[i];
    }
}

/* One port that the switch carries, to nobody yet. */
static int
set_up(void **state OVS_UNUSED)
{
    static const char *const names[] = { "eth1", TUNNEL };

    f = xzalloc(sizeof *f);
    ports_init(&f->ports);
    for (uint16_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct ofputil_phy_port desc = { .port_no = u16_to_ofp(8 + i) };

        ovs_strlcpy(desc.name, names[i], sizeof desc.name);
        ports_put(&f->ports, &desc);
    }
    f->port_list[0] = (struct relay_port){ 5076, true, true, true };
    f->port_list[1] = (struct relay_port){ 5064, true, true, true };
    f->own.all = f->own_list;
    set_destination(DESTINATION_AUTO, NULL, 0);
    f->tunnel = (struct mesh_tunnel){
        .port = TUNNEL,
        .port_map = &f->ports.map,
        .targets = f->targets,
        .sources = f->sources,
        .max_len = 1464,
        .generation = 0x0807,
        .destination = &f->destination,
        .own = &f->own,
    };
    f->params = (struct relay_flows_params){
        .ports = f->port_list,
        .n_ports = 1,
        .local_macs = macs,
        .n_local_macs = ARRAY_SIZE(macs),
        .flow_priority = PRIORITY,
        .max_pps = MAX_PPS,
        .forward = "NORMAL",
        .destination = htonl(INADDR_BROADCAST),
        .tunnel = &f->tunnel,
    };
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    if (f->made) {
        flowset_destroy(&f->set);
    }
    ports_destroy(&f->ports);
    free(f);
    return 0;
}

/* Makes the flows anew.  No two of them may be at one place: only one of them
 * would be there in the end. */
static void
build(void)
{
    if (f->made) {
        flowset_destroy(&f->set);
    }
    flowset_init(&f->set, ID_BASE);
    f->made = true;
    f->params.destination = destination_address(&f->destination);
    assert_no_error(relay_flows_add(&f->params, &f->set));
    for (size_t i = 0; i < hmap_count(&f->set.flows); i++) {
        const struct ofputil_flow_mod *a = &f->set.order[i]->fm;

        for (size_t j = 0; j < i; j++) {
            const struct ofputil_flow_mod *b = &f->set.order[j]->fm;

            assert_false(a->priority == b->priority
                         && minimatch_equal(&a->match, &b->match));
        }
    }
}

/* What is the same in many flows, and how it is written here. */
static const char *const abbreviations[][2] = {
    { "cookie=0x534e4f57000100", "" },
    { ",table=0,priority=", " " },
    { ",actions=", " -> " },
    { ",dl_dst=ff:ff:ff:ff:ff:ff", "" },
    { "in_port=" TUNNEL, "TUNNEL" },
    { "controller(id=21326,userdata=", "punt(" },
    { ",max_len=65535", "" },
    { "02:00:00:00:01:01", "MAC" },
    { "vlan_tci=0x0000/0x1fff", "untagged" },
    { ",pktps,burst,stats,bands=type=drop,rate=", " " },
    { ",burst_size=", " " },
};

/* Appends 'text' with abbreviations, and a new-line, to 's'. */
static void
put_short(struct ds *s, const char *text)
{
    while (*text) {
        size_t i = 0;

        while (i < ARRAY_SIZE(abbreviations)
               && strncmp(text, abbreviations[i][0],
                          strlen(abbreviations[i][0]))) {
            i++;
        }
        if (i < ARRAY_SIZE(abbreviations)) {
            ds_put_cstr(s, abbreviations[i][1]);
            text += strlen(abbreviations[i][0]);
        } else {
            ds_put_char(s, *text++);
        }
    }
    ds_put_char(s, '\n');
}

/* Fails the test unless just the flows, the meters and the groups in
 * 'expected', a line each, are wanted, in this order. */
static void
assert_all(const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    build();
    for (size_t i = 0; i < hmap_count(&f->set.flows); i++) {
        put_short(&s, f->set.order[i]->text);
    }
    for (size_t i = 0; i < f->set.n_meters; i++) {
        put_short(&s, f->set.meters[i].text);
    }
    for (size_t i = 0; i < f->set.n_groups; i++) {
        put_short(&s, f->set.groups[i]->text);
    }
    if (strcmp(ds_cstr(&s), expected)) {
        fputs(ds_cstr(&s), stderr);
    }
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
}

/* Two peers behind the tunnel, who send frames as well: from the addresses
 * that they have, or others. */
static void
make_two_peers(void)
{
    f->targets[0] = end(5, "192.0.2.7");
    f->targets[1] = end(7, "2001:db8::7");
    f->sources[0] = end(5, "192.0.2.8");
    f->sources[1] = end(7, "2001:db8::7");
    f->tunnel.n_targets = f->tunnel.n_sources = 2;
}

/* What there is of each, as it is here; the port is 5076. */
#define OWN_HOST                                                              \
    "02 302,udp,in_port=LOCAL,tp_dst=5076"                                    \
    " -> punt(02.13.d4,meter_id=7000),NORMAL\n"
#define PUNT "01 300,udp,tp_dst=5076 -> punt(01.13.d4,meter_id=7000),NORMAL\n"
#define LOOP_FILTER "03 301,udp,dl_src=MAC,tp_dst=5076 -> NORMAL\n"

#define MESH_OWN_HOST                                                         \
    "06 302,reg15=0,udp,in_port=LOCAL,tp_dst=5076"                            \
    " -> clone(NORMAL),set_field:0xa->reg15,"                                 \
    "check_pkt_larger(1464)->reg15[0],resubmit(,0)\n"                         \
    "07 304,reg15=0xa,untagged,udp,tp_dst=5076 -> meter:7000,group:7256,"
#define MESH_OWN_HOST_LONG                                                    \
    "08 303,reg15=0xa/0xa,udp,tp_dst=5076 -> punt(02.13.d4,meter_id=7000)\n"
#define MESH_BROADCAST                                                        \
    "05 300,reg15=0,udp,tp_dst=5076"                                          \
    " -> clone(NORMAL),set_field:0x2->reg15,"                                 \
    "check_pkt_larger(1464)->reg15[0],resubmit(,0)\n"                         \
    "07 304,reg15=0x2,untagged,udp,tp_dst=5076 -> meter:7000,group:7256,"
#define MESH_BROADCAST_LONG                                                   \
    "08 303,reg15=0x2/0xa,udp,tp_dst=5076 -> punt(01.13.d4,meter_id=7000)\n"
#define WATCH "punt(06.13.d4,meter_id=7002)\n"

#define IN(PRIORITY, TO, REWRITE)                                             \
    "0a " PRIORITY ",reg15=0x4,untagged,udp,TUNNEL," TO                       \
    "tp_dst=5076 -> punt(07.13.d4,meter_id=7002),"                            \
    "set_field:MAC->eth_src," REWRITE                                         \
    "set_field:0->reg15,set_field:ANY->in_port,NORMAL\n"
#define IN_LIMITED IN("308", "nw_dst=255.255.255.255,", "")
#define IN_REWRITTEN(TO) IN("307", "", "set_field:" TO "->ip_dst,")
#define IN_PUNTED                                                             \
    "0c 307,reg15=0x4,udp,TUNNEL,tp_dst=5076"                                 \
    " -> punt(05.13.d4,meter_id=7000)\n"

#define GUARD "0e 305,TUNNEL -> drop\n"
#define PROBE                                                                 \
    "0d 306,dl_type=0x88b5,TUNNEL,dl_dst=03:53:4e:4f:57:02"                   \
    " -> punt(04.00.00,meter_id=7001)\n"
#define TWO_SOURCES                                                           \
    "09 306,reg15=0,udp,TUNNEL,tun_src=192.0.2.8"                             \
    " -> set_field:0x4->reg15,resubmit(,0)\n"                                 \
    "09 306,reg15=0,udp,TUNNEL,tun_ipv6_src=2001:db8::7"                      \
    " -> set_field:0x4->reg15,resubmit(,0)\n"
#define REFUSED_MAC "0b 309,reg15=0x4,udp,TUNNEL,dl_src=MAC -> drop\n"

#define METERS                                                                \
    "meter=7000 1234 1234\n"                                                  \
    "meter=7001 2000 2000\n"                                                  \
    "meter=7002 25 100\n"
#define TWO_TARGETS                                                           \
    "group_id=7256,type=all,"                                                 \
    "bucket=bucket_id=5 -> set_field:192.0.2.7->tun_dst,output:" TUNNEL ","   \
    "bucket=bucket_id=7 -> set_field:2001:db8::7->tun_ipv6_dst,"              \
    "output:" TUNNEL "\n"

static void
test_without_a_tunnel(void **state OVS_UNUSED)
{
    f->params.tunnel = NULL;
    assert_all(OWN_HOST LOOP_FILTER PUNT "meter=7000 1234 1234\n");
}

/* The relay sends all frames, but peers that send through the tunnel already
 * are let in as they come to be known. */
static void
test_nobody_to_send_to(void **state OVS_UNUSED)
{
    assert_all(OWN_HOST LOOP_FILTER PUNT IN_LIMITED IN_REWRITTEN(
        "255.255.255.255") GUARD PROBE REFUSED_MAC METERS);
    make_two_peers();
    f->tunnel.n_targets = 0;
    assert_all(OWN_HOST LOOP_FILTER PUNT IN_LIMITED IN_REWRITTEN(
        "255.255.255.255") GUARD PROBE TWO_SOURCES REFUSED_MAC METERS);
}

/* Only what some sources say is punted, or let in. */
static void
test_sources(void **state OVS_UNUSED)
{
    struct subnets from = { .n = 0 };

    assert_no_error(subnets_add(&from, 9, "from", "10.1.2.3/16"));
    assert_no_error(subnets_add(&from, 9, "from", "192.0.2.9"));
    f->params.from = &from;
    f->params.tunnel = NULL;
    assert_all("02 302,udp,in_port=LOCAL,nw_src=10.1.0.0/16,tp_dst=5076"
               " -> punt(02.13.d4,meter_id=7000),NORMAL\n"
               "02 302,udp,in_port=LOCAL,nw_src=192.0.2.9/32,tp_dst=5076"
               " -> punt(02.13.d4,meter_id=7000),NORMAL\n" LOOP_FILTER
               "01 300,udp,nw_src=10.1.0.0/16,tp_dst=5076"
               " -> punt(01.13.d4,meter_id=7000),NORMAL\n"
               "01 300,udp,nw_src=192.0.2.9/32,tp_dst=5076"
               " -> punt(01.13.d4,meter_id=7000),NORMAL\n"
               "meter=7000 1234 1234\n");

    /* The tunnel's second pass is the same for all sources. */
    f->params.tunnel = &f->tunnel;
    make_two_peers();
    f->tunnel.n_sources = 1;
    assert_all(
        LOOP_FILTER
        "06 302,reg15=0,udp,in_port=LOCAL,nw_src=10.1.0.0/16,tp_dst=5076"
        " -> clone(NORMAL),set_field:0xa->reg15,"
        "check_pkt_larger(1464)->reg15[0],resubmit(,0)\n"
        "06 302,reg15=0,udp,in_port=LOCAL,nw_src=192.0.2.9/32,tp_dst=5076"
        " -> clone(NORMAL),set_field:0xa->reg15,"
        "check_pkt_larger(1464)->reg15[0],resubmit(,0)\n"
        "07 304,reg15=0xa,untagged,udp,tp_dst=5076 -> "
        "meter:7000,group:7256," WATCH MESH_OWN_HOST_LONG
        "05 300,reg15=0,udp,nw_src=10.1.0.0/16,tp_dst=5076"
        " -> clone(NORMAL),set_field:0x2->reg15,"
        "check_pkt_larger(1464)->reg15[0],resubmit(,0)\n"
        "05 300,reg15=0,udp,nw_src=192.0.2.9/32,tp_dst=5076"
        " -> clone(NORMAL),set_field:0x2->reg15,"
        "check_pkt_larger(1464)->reg15[0],resubmit(,0)\n"
        "07 304,reg15=0x2,untagged,udp,tp_dst=5076 -> "
        "meter:7000,group:7256," WATCH MESH_BROADCAST_LONG IN_LIMITED
            IN_REWRITTEN("255.255.255.255") GUARD PROBE
        "09 306,reg15=0,udp,TUNNEL,tun_src=192.0.2.8"
        " -> set_field:0x10->reg15,resubmit(,0)\n"
        "0f 306,reg15=0x10,udp,TUNNEL,nw_src=10.1.0.0/16"
        " -> set_field:0x4->reg15,resubmit(,0)\n"
        "0f 306,reg15=0x10,udp,TUNNEL,nw_src=192.0.2.9/32"
        " -> set_field:0x4->reg15,resubmit(,0)\n" REFUSED_MAC METERS
            TWO_TARGETS);
    f->params.from = NULL;
    subnets_clear(&from);
}

/* All that the switch carries, both ways and on all ports, is copied to the
 * relay. */
static void
test_all_is_watched(void **state OVS_UNUSED)
{
    f->params.n_ports = 2;
    f->tunnel.watch_all = true;
    build();
    assert_int_equal(f->set.n_meters, 4);
    assert_string_equal(f->set.meters[3].text,
                        "meter=7003,pktps,burst,stats,bands=type=drop,"
                        "rate=4936,burst_size=4936");
}

static void
test_two_peers(void **state OVS_UNUSED)
{
    make_two_peers();
    assert_all(
        LOOP_FILTER MESH_OWN_HOST WATCH MESH_OWN_HOST_LONG MESH_BROADCAST WATCH
            MESH_BROADCAST_LONG IN_LIMITED IN_REWRITTEN("255.255.255.255")
                GUARD PROBE TWO_SOURCES REFUSED_MAC METERS TWO_TARGETS);
}

/* All frames are punted, and tell who has got them. */
static void
test_others_who_get_datagrams(void **state OVS_UNUSED)
{
    make_two_peers();
    f->tunnel.others = true;
    assert_all(LOOP_FILTER MESH_OWN_HOST
               "punt(02.13.d4.08.07)\n" MESH_OWN_HOST_LONG MESH_BROADCAST
               "punt(01.13.d4.08.07)\n" MESH_BROADCAST_LONG IN_LIMITED
                   IN_REWRITTEN("255.255.255.255")
                       GUARD PROBE TWO_SOURCES REFUSED_MAC METERS TWO_TARGETS);
}

/* While it is being settled who forwards, whatever there are for peers. */
static void
test_a_port_that_the_switch_does_not_carry(void **state OVS_UNUSED)
{
    make_two_peers();
    f->port_list[0].carried = false;
    assert_all(OWN_HOST LOOP_FILTER PUNT IN_PUNTED GUARD PROBE TWO_SOURCES
                   REFUSED_MAC METERS TWO_TARGETS);
}

/* Another relay forwards for the segment: nothing is emitted. */
static void
test_a_port_that_another_relay_forwards(void **state OVS_UNUSED)
{
    make_two_peers();
    f->port_list[0] = (struct relay_port){ 5076, false, true, false };
    assert_all("02 302,udp,in_port=LOCAL,dl_src=MAC,tp_dst=5076"
               " -> punt(02.13.d4,meter_id=7000),NORMAL\n" LOOP_FILTER GUARD
                   PROBE TWO_SOURCES REFUSED_MAC METERS TWO_TARGETS);

    /* Nor is one that is not heard at all. */
    f->port_list[0].own_host = false;
    assert_all(
        LOOP_FILTER GUARD PROBE TWO_SOURCES REFUSED_MAC METERS TWO_TARGETS);
}

/* Just its own host's. */
static void
test_the_own_host_alone(void **state OVS_UNUSED)
{
    make_two_peers();
    f->port_list[0] = (struct relay_port){ 5076, false, true, true };
    assert_all(LOOP_FILTER
               "06 302,reg15=0,udp,in_port=LOCAL,dl_src=MAC,tp_dst=5076"
               " -> clone(NORMAL),set_field:0xa->reg15,"
               "check_pkt_larger(1464)->reg15[0],resubmit(,0)\n"
               "07 304,reg15=0xa,untagged,udp,tp_dst=5076"
               " -> meter:7000,group:7256," WATCH MESH_OWN_HOST_LONG GUARD
                   PROBE TWO_SOURCES REFUSED_MAC METERS TWO_TARGETS);
}

/* Just the segment's, and what comes for it. */
static void
test_the_segment_alone(void **state OVS_UNUSED)
{
    make_two_peers();
    f->port_list[0] = (struct relay_port){ 5076, true, false, true };
    assert_all(LOOP_FILTER MESH_BROADCAST WATCH MESH_BROADCAST_LONG IN_LIMITED
                   IN_REWRITTEN("255.255.255.255")
                       GUARD PROBE TWO_SOURCES REFUSED_MAC METERS TWO_TARGETS);
}

/* Without a MAC to emit with, nothing is. */
static void
test_no_local_mac(void **state OVS_UNUSED)
{
    f->params.n_local_macs = 0;
    assert_all(OWN_HOST PUNT GUARD PROBE METERS);
}

/* What is understood here stays, the rest is written anew. */
static void
test_destinations(void **state OVS_UNUSED)
{
    const ovs_be32 two[] = { htonl(0x0a0100ff), htonl(0x0a02ffff) };

#define REST GUARD PROBE REFUSED_MAC METERS
    set_destination(DESTINATION_AUTO, two, 2);
    assert_all(OWN_HOST LOOP_FILTER PUNT IN_LIMITED IN(
        "308", "nw_dst=10.1.0.255,", "") IN("308", "nw_dst=10.2.255.255,", "")
                   IN_REWRITTEN("10.1.0.255") REST);
    set_destination(DESTINATION_LIMITED, two, 2);
    assert_all(OWN_HOST LOOP_FILTER PUNT IN_LIMITED IN_REWRITTEN(
        "255.255.255.255") REST);
    set_destination(DESTINATION_KEEP, two, 2);
    assert_all(OWN_HOST LOOP_FILTER PUNT IN("307", "", "") REST);
}

/* A bridge may have been given the limited broadcast address for its own. */
static void
test_the_limited_broadcast_address_of_the_bridge(void **state OVS_UNUSED)
{
    const ovs_be32 both[] = { htonl(INADDR_BROADCAST), htonl(0x0a0100ff) };

    set_destination(DESTINATION_AUTO, both, 2);
    assert_all(OWN_HOST LOOP_FILTER PUNT IN_LIMITED IN(
        "308", "nw_dst=10.1.0.255,", "") IN_REWRITTEN("255.255.255.255") REST);
}

/* Nothing from elsewhere has them for its source. */
static void
test_own_addresses(void **state OVS_UNUSED)
{
    f->own_list[0].ip = htonl(0x0a010001);
    f->own_list[1].ip = htonl(0x0a020001);
    f->own.n = 2;
    assert_all(OWN_HOST LOOP_FILTER PUNT IN_LIMITED IN_REWRITTEN(
        "255.255.255.255") GUARD PROBE REFUSED_MAC
               "0b 309,reg15=0x4,udp,TUNNEL,nw_src=10.1.0.1 -> drop\n"
               "0b 309,reg15=0x4,udp,TUNNEL,nw_src=10.2.0.1 -> drop\n" METERS);
}

/* What the bridge does with a frame anyway may be something else. */
static void
test_forward(void **state OVS_UNUSED)
{
    make_two_peers();
    f->params.forward = "resubmit(,10)";
    build();
    for (size_t i = 0; i < hmap_count(&f->set.flows); i++) {
        const struct wanted_flow *flow = f->set.order[i];
        const uint64_t role = ntohll(flow->fm.new_cookie) & 0xff;
        const bool forwards =
            role == 0x03 || role == 0x05 || role == 0x06 || role == 0x0a;

        assert_null(strstr(flow->text, "NORMAL"));
        assert_int_equal(strstr(flow->text, "resubmit(,10)") != NULL,
                         forwards);
    }
}

/* Ids of meters follow each other, in the order in which the meters are
 * wanted: the switch has them in that of their ids. */
static void
test_ids_of_meters(void **state OVS_UNUSED)
{
    make_two_peers();
    for (size_t n = 0; n <= 2; n++) {
        for (int announcements = 0; announcements < 2; announcements++) {
            for (size_t n_targets = 0; n_targets <= 2; n_targets++) {
                const size_t n_meters = n + announcements + 2;

                f->params.n_ports = n;
                f->params.announcements = announcements;
                f->tunnel.n_targets = n_targets;
                build();
                assert_int_equal(f->set.n_meters, n_meters);
                for (size_t i = 0; i < n_meters; i++) {
                    assert_int_equal(f->set.meters[i].mm.meter.meter_id,
                                     ID_BASE + i);
                }
                assert_int_equal(f->set.n_groups, n_targets > 0);

                /* Each that is named is there. */
                for (size_t i = 0; i < hmap_count(&f->set.flows); i++) {
                    const struct ofputil_flow_mod *fm = &f->set.order[i]->fm;
                    const struct ofpact *a;

                    OFPACT_FOR_EACH_FLATTENED(a, fm->ofpacts, fm->ofpacts_len)
                    {
                        uint32_t id = a->type == OFPACT_CONTROLLER
                                          ? ofpact_get_CONTROLLER(a)->meter_id
                                      : a->type == OFPACT_METER
                                          ? ofpact_get_METER(a)->meter_id
                                          : NX_CTLR_NO_METER;
                        if (id != NX_CTLR_NO_METER) {
                            assert_in_range(id, ID_BASE,
                                            ID_BASE + n_meters - 1);
                        }
                    }
                }
            }
        }
    }
}

/* By which what is counted is told apart. */
static void
test_tags(void **state OVS_UNUSED)
{
    const ovs_be32 own = htonl(0x0a0100ff);

    make_two_peers();
    set_destination(DESTINATION_AUTO, &own, 1);
    f->params.n_ports = 2;
    for (int others = 0; others < 2; others++) {
        f->tunnel.others = others;
        build();
        size_t n = 0;
        for (size_t i = 0; i < hmap_count(&f->set.flows); i++) {
            const struct wanted_flow *a = f->set.order[i];
            const uint64_t cookie = ntohll(a->fm.new_cookie);

            if (cookie != COOKIE_MESH_OUT && cookie != COOKIE_MESH_IN
                && cookie != COOKIE_MESH_SOURCE) {
                assert_true(a->tag == 0);
                continue;
            }
            n++;
            for (size_t j = 0; j < i; j++) {
                const struct wanted_flow *b = f->set.order[j];

                assert_false(b->fm.new_cookie == a->fm.new_cookie
                             && b->tag == a->tag);
            }
        }
        assert_int_equal(n, 2 * 2 + 2 * 3 + 2);
    }
    for (size_t i = 0, n = 0; i < hmap_count(&f->set.flows); i++) {
        const struct wanted_flow *flow = f->set.order[i];

        if (flow->fm.new_cookie == htonll(COOKIE_MESH_SOURCE)) {
            assert_true(flow->tag == f->sources[n++].id);
        }
    }
}

/* A group of as many peers as there may be still fits into a message. */
static void
test_many_peers(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < TUNNELING_MAX; i++) {
        char text[64];

        snprintf(text, sizeof text, "2001:db8:1234:5678:9abc:def0:1234:%x",
                 (unsigned int) i + 1);
        f->targets[i] = f->sources[i] = end(UINT32_C(0xfffffe00) - i, text);
    }
    f->tunnel.n_targets = f->tunnel.n_sources = TUNNELING_MAX;
    build();

    /* What is sent is worked out from what the switch has. */
    struct ovs_list flows = OVS_LIST_INITIALIZER(&flows);
    struct ovs_list groups = OVS_LIST_INITIALIZER(&groups);
    assert_int_equal(flowset_compare(&f->set, &flows, &groups),
                     hmap_count(&f->set.flows) + 1);
    assert_int_equal(f->set.n_groups, 1);
    struct ofpbuf *msg = group_encode(f->set.groups[0]);
    const struct ofp_header *oh = msg->data;
    struct ofputil_group_mod gm;

    assert_in_range(msg->size, 1, UINT16_MAX);
    assert_int_equal(ntohs(oh->length), msg->size);
    assert_int_equal(ofputil_decode_group_mod(oh, &gm), 0);
    assert_int_equal(gm.group_id, ID_BASE + FLOWSET_MESH_GROUP);
    assert_int_equal(ovs_list_size(&gm.buckets), TUNNELING_MAX);
    ofputil_uninit_group_mod(&gm);
    ofpbuf_delete(msg);
}

/* Who wants to know before the flows are there. */
static void
test_whether_the_switch_carries(void **state OVS_UNUSED)
{
    assert_false(mesh_flows_carry(&f->params, &f->port_list[0]));
    make_two_peers();
    assert_true(mesh_flows_carry(&f->params, &f->port_list[0]));
    f->port_list[0].carried = false;
    assert_false(mesh_flows_carry(&f->params, &f->port_list[0]));
    assert_true(mesh_flows_carry(&f->params, &f->port_list[1]));
    f->params.tunnel = NULL;
    assert_false(mesh_flows_carry(&f->params, &f->port_list[1]));
}

/* All priorities are those that the configuration leaves room for. */
static void
test_priorities(void **state OVS_UNUSED)
{
    make_two_peers();
    for (int carried = 0; carried < 2; carried++) {
        f->port_list[0].carried = carried;
        build();
        for (size_t i = 0; i < hmap_count(&f->set.flows); i++) {
            assert_in_range(f->set.order[i]->fm.priority, PRIORITY,
                            PRIORITY + MESH_FLOWS_PRIORITIES - 1);
        }
    }
    f->params.flow_priority = 1 + UINT16_MAX - MESH_FLOWS_PRIORITIES;
    build();
    for (size_t i = 0; i < hmap_count(&f->set.flows); i++) {
        assert_in_range(f->set.order[i]->fm.priority, f->params.flow_priority,
                        UINT16_MAX);
    }
}

/* A tunnel port that the switch does not have cannot be named. */
static void
test_an_unknown_port(void **state OVS_UNUSED)
{
    struct flowset set;

    f->tunnel.port = "srm-00000001";
    flowset_init(&set, ID_BASE);
    char *error = relay_flows_add(&f->params, &set);
    assert_non_null(error);
    free(error);
    flowset_destroy(&set);
}

/* Probes. */

static void
assert_probe_actions(const char *to, uint32_t port, const char *expected)
{
    struct in6_addr address;
    char *actions;

    assert_true(address_from_text(to, &address));
    assert_no_error(mesh_probe_actions(&address, port, &actions));
    assert_string_equal(actions, expected);
    free(actions);
}

static void
test_actions_of_probes(void **state OVS_UNUSED)
{
    assert_probe_actions("192.0.2.7", 9,
                         "set_field:192.0.2.7->tun_dst,output:9");
    assert_probe_actions("2001:db8::7", 65279,
                         "set_field:2001:db8::7->tun_ipv6_dst,output:65279");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);

    const struct CMUnitTest tests[] = {
        TEST(test_without_a_tunnel),
        TEST(test_nobody_to_send_to),
        TEST(test_sources),
        TEST(test_all_is_watched),
        TEST(test_two_peers),
        TEST(test_others_who_get_datagrams),
        TEST(test_a_port_that_the_switch_does_not_carry),
        TEST(test_a_port_that_another_relay_forwards),
        TEST(test_the_own_host_alone),
        TEST(test_the_segment_alone),
        TEST(test_no_local_mac),
        TEST(test_destinations),
        TEST(test_the_limited_broadcast_address_of_the_bridge),
        TEST(test_own_addresses),
        TEST(test_forward),
        TEST(test_ids_of_meters),
        TEST(test_tags),
        TEST(test_many_peers),
        TEST(test_whether_the_switch_carries),
        TEST(test_priorities),
        TEST(test_an_unknown_port),
        TEST(test_actions_of_probes),
    };
    return cmocka_run_group_tests_name("mesh flows", tests, NULL, NULL);
}
