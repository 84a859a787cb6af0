/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "flowset.h"

#include "support.h"
#include "support-group.h"

#include "conf.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "punt.h"
#include "relay-flows.h"
#include "template.h"
#include "util.h"

enum { PRIORITY = 300, ID_BASE = 7000, MAX_PPS = 1234 };

/* Cookies, written out: a bridge shared with a relay of another version must
 * find the same ones. */
#define COOKIE_PUNT htonll(UINT64_C(0x534e4f5700010001))
#define COOKIE_OWN_HOST htonll(UINT64_C(0x534e4f5700010002))
#define COOKIE_LOOP_FILTER htonll(UINT64_C(0x534e4f5700010003))
#define COOKIE_ANNOUNCEMENT htonll(UINT64_C(0x534e4f5700010004))

static const struct relay_port ports[] = { { 5076, true, true, false },
                                           { 5064, true, true, false },
                                           { 65535, true, true, false } };
static const struct relay_mac macs[] = {
    { ETH_ADDR_C(02, 00, 00, 00, 01, 01), UINT64_MAX },
    { ETH_ADDR_C(02, 00, 00, 00, 02, 01), UINT64_MAX },
};

/* Flows of one port: own host, one loop filter for each MAC, punt. */
enum { FLOWS_PER_PORT = 2 + ARRAY_SIZE(macs) };

static struct relay_flows_params
params(void)
{
    return (struct relay_flows_params){
        .ports = ports,
        .n_ports = ARRAY_SIZE(ports),
        .local_macs = macs,
        .n_local_macs = ARRAY_SIZE(macs),
        .flow_priority = PRIORITY,
        .max_pps = MAX_PPS,
        .forward = "NORMAL",
        .destination = htonl(0x0a0100ff),
    };
}

/* Makes in '*set' what 'p' asks for. */
static char *
build_for(const struct relay_flows_params *p, struct flowset *set)
{
    flowset_init(set, ID_BASE);
    return relay_flows_add(p, set);
}

static void
build(struct flowset *set)
{
    struct relay_flows_params p = params();

    assert_no_error(build_for(&p, set));
}

/* Decodes the flow mod 'oh' as a switch does.  The caller frees the match of
 * '*fm' with minimatch_destroy(), and 'ofpacts'. */
static void
decode_flow_mod(const struct ofp_header *oh, struct ofputil_flow_mod *fm,
                struct ofpbuf *ofpacts)
{
    ofpbuf_init(ofpacts, 0);
    assert_int_equal(oh->version, OFP15_VERSION);
    assert_int_equal(ofputil_decode_flow_mod(fm, oh, OFPUTIL_P_OF15_OXM, NULL,
                                             NULL, ofpacts, OFPP_MAX, 255),
                     0);
}

/* The flows, as a switch reads them. */

/* What a flow of ours must be. */
struct expected_flow {
    ovs_be64 cookie;
    int priority;
    uint16_t port;
    const struct eth_addr *dl_src; /* NULL for any. */
    bool local;                    /* Is it just for in_port=LOCAL? */
    uint32_t meter;                /* 0 if nothing is punted. */
};

static void
assert_match(const struct minimatch *minimatch,
             const struct expected_flow *expected)
{
    struct match match, want;

    minimatch_expand(minimatch, &match);
    match_init_catchall(&want);
    match_set_default_packet_type(&want);
    match_set_dl_type(&want, htons(ETH_TYPE_IP));
    match_set_nw_proto(&want, IPPROTO_UDP);
    match_set_dl_dst(&want, eth_addr_broadcast);
    match_set_tp_dst(&want, htons(expected->port));
    if (expected->dl_src) {
        match_set_dl_src(&want, *expected->dl_src);
    }
    if (expected->local) {
        match_set_in_port(&want, OFPP_LOCAL);
    }
    assert_true(match_equal(&match, &want));
}

static void
assert_punts(const struct ofpact *ofpact, const struct expected_flow *expected)
{
    const uint8_t userdata[] = { expected->local ? PUNT_OWN_HOST
                                                 : PUNT_BROADCAST,
                                 expected->port >> 8, expected->port & 0xff };

    assert_int_equal(ofpact->type, OFPACT_CONTROLLER);
    const struct ofpact_controller *a = ofpact_get_CONTROLLER(ofpact);
    assert_int_equal(a->controller_id, PUNT_CONTROLLER_ID);
    assert_int_equal(a->max_len, 65535);
    assert_int_equal(a->meter_id, expected->meter);
    assert_false(a->pause);
    assert_int_equal(a->userdata_len, sizeof userdata);
    assert_memory_equal(a->userdata, userdata, sizeof userdata);
}

/* Fails the test unless the flow mod 'oh' adds 'expected', which forwards with
 * NORMAL at the end. */
static void
assert_adds(const struct ofp_header *oh, const struct expected_flow *expected)
{
    struct ofputil_flow_mod fm;
    struct ofpbuf ofpacts;

    decode_flow_mod(oh, &fm, &ofpacts);
    assert_int_equal(fm.command, OFPFC_ADD);
    assert_int_equal(fm.table_id, 0);
    assert_int_equal(fm.priority, expected->priority);
    assert_true(fm.new_cookie == expected->cookie);
    assert_int_equal(fm.idle_timeout, 0);
    assert_int_equal(fm.hard_timeout, 0);
    assert_match(&fm.match, expected);

    const struct ofpact *a = ofpacts.data;
    if (expected->meter) {
        assert_punts(a, expected);
        a = ofpact_next(a);
    }
    assert_int_equal(a->type, OFPACT_OUTPUT);
    assert_int_equal(ofpact_get_OUTPUT(a)->port, OFPP_NORMAL);
    assert_ptr_equal(ofpact_next(a), ofpact_end(ofpacts.data, ofpacts.size));

    minimatch_destroy(&fm.match);
    ofpbuf_uninit(&ofpacts);
}

/* Returns what the 'j'th flow of the 'i'th port must be. */
static struct expected_flow
expected_flow(size_t i, size_t j)
{
    if (j == 0) {
        return (struct expected_flow){
            COOKIE_OWN_HOST, PRIORITY + 2, ports[i].port, NULL, true,
            ID_BASE + i
        };
    } else if (j <= ARRAY_SIZE(macs)) {
        return (struct expected_flow){
            COOKIE_LOOP_FILTER, PRIORITY + 1, ports[i].port,
            &macs[j - 1].mac,   false,        0
        };
    } else {
        return (struct expected_flow){ COOKIE_PUNT, PRIORITY, ports[i].port,
                                       NULL,        false,    ID_BASE + i };
    }
}

/* Each flow, and the text of each, which people may give to ovs-ofctl. */
static void
test_flows(void **state OVS_UNUSED)
{
    struct flowset set;

    build(&set);
    assert_int_equal(hmap_count(&set.flows),
                     ARRAY_SIZE(ports) * FLOWS_PER_PORT);
    for (size_t i = 0; i < hmap_count(&set.flows); i++) {
        struct expected_flow expected =
            expected_flow(i / FLOWS_PER_PORT, i % FLOWS_PER_PORT);
        enum ofputil_protocol usable;
        struct ofputil_flow_mod fm;

        struct ofpbuf *message =
            ofputil_encode_flow_mod(&set.order[i]->fm, OFPUTIL_P_OF15_OXM);
        assert_adds(message->data, &expected);
        ofpbuf_delete(message);

        assert_no_error(parse_ofp_flow_mod_str(&fm, set.order[i]->text, NULL,
                                               NULL, OFPFC_ADD, &usable));
        assert_true(usable & OFPUTIL_P_OF15_OXM);
        message = ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF15_OXM);
        assert_adds(message->data, &expected);
        ofpbuf_delete(message);
        minimatch_destroy(&fm.match);
        free(fm.ofpacts);
    }
    flowset_destroy(&set);
}

/* Everything of ours can be found by its cookie. */
static void
test_cookies_are_ours(void **state OVS_UNUSED)
{
    struct flowset set;

    build(&set);
    for (size_t i = 0; i < hmap_count(&set.flows); i++) {
        uint64_t cookie = ntohll(set.order[i]->fm.new_cookie);
        assert_true((cookie & COOKIE_KIND_MASK) == COOKIE_RELAY);
    }
    flowset_destroy(&set);
}

static void
test_meters(void **state OVS_UNUSED)
{
    struct flowset set;

    build(&set);
    assert_int_equal(set.id_base, ID_BASE);
    assert_int_equal(set.n_meters, ARRAY_SIZE(ports));
    for (size_t i = 0; i < set.n_meters; i++) {
        struct ofputil_meter_mod mm;
        struct ofpbuf bands;

        struct ofpbuf *message =
            ofputil_encode_meter_mod(OFP15_VERSION, &set.meters[i].mm);
        ofpbuf_init(&bands, 0);
        assert_int_equal(ofputil_decode_meter_mod(message->data, &mm, &bands),
                         0);
        assert_int_equal(mm.command, OFPMC13_ADD);
        assert_int_equal(mm.meter.meter_id, ID_BASE + i);
        assert_int_equal(mm.meter.flags,
                         OFPMF13_PKTPS | OFPMF13_BURST | OFPMF13_STATS);
        assert_int_equal(mm.meter.n_bands, 1);
        assert_int_equal(mm.meter.bands[0].type, OFPMBT13_DROP);
        assert_int_equal(mm.meter.bands[0].rate, MAX_PPS);
        assert_int_equal(mm.meter.bands[0].burst_size, MAX_PPS);
        ofpbuf_uninit(&bands);
        ofpbuf_delete(message);
    }
    flowset_destroy(&set);
}

static void
test_emit_actions(void **state OVS_UNUSED)
{
    struct relay_flows_params p = params();
    struct relay_actions actions;

    assert_no_error(relay_flows_actions(&p, &actions));
    assert_string_equal(actions.keep,
                        "set_field:02:00:00:00:01:01->eth_src,NORMAL");
    assert_string_equal(actions.rewrite,
                        "set_field:02:00:00:00:01:01->eth_src,"
                        "set_field:10.1.0.255->ip_dst,NORMAL");
    assert_string_equal(actions.announcement, "NORMAL");
    relay_actions_uninit(&actions);
    assert_null(actions.keep);
    assert_null(actions.rewrite);
    assert_null(actions.announcement);
    relay_actions_uninit(&actions);
}

static void
test_forward_is_used_everywhere(void **state OVS_UNUSED)
{
    struct relay_flows_params p = params();
    struct relay_actions actions;
    struct flowset set;

    p.forward = "resubmit(,10)";
    p.announcements = true;
    assert_no_error(build_for(&p, &set));
    for (size_t i = 0; i < hmap_count(&set.flows); i++) {
        const struct ofputil_flow_mod *fm = &set.order[i]->fm;
        const struct ofpact *a, *last = NULL;

        OFPACT_FOR_EACH (a, fm->ofpacts, fm->ofpacts_len) {
            last = a;
        }
        assert_int_equal(last->type, OFPACT_RESUBMIT);
        assert_int_equal(ofpact_get_RESUBMIT(last)->table_id, 10);
        assert_null(strstr(set.order[i]->text, "NORMAL"));
    }
    flowset_destroy(&set);

    assert_no_error(relay_flows_actions(&p, &actions));
    assert_non_null(strstr(actions.keep, ",resubmit(,10)"));
    assert_non_null(strstr(actions.rewrite, ",resubmit(,10)"));
    assert_null(strstr(actions.keep, "NORMAL"));
    assert_null(strstr(actions.rewrite, "NORMAL"));
    assert_string_equal(actions.announcement, "resubmit(,10)");
    relay_actions_uninit(&actions);
}

static void
test_no_local_mac(void **state OVS_UNUSED)
{
    struct relay_flows_params p = params();
    struct relay_actions actions;
    struct flowset set;

    p.n_local_macs = 0;
    assert_no_error(build_for(&p, &set));
    assert_int_equal(hmap_count(&set.flows), 2 * ARRAY_SIZE(ports));
    flowset_destroy(&set);

    memset(&actions, 0xa5, sizeof actions);
    assert_no_error(relay_flows_actions(&p, &actions));
    assert_null(actions.keep);
    assert_null(actions.rewrite);
    assert_null(actions.announcement);
}

static void
test_no_ports(void **state OVS_UNUSED)
{
    struct relay_flows_params p = params();
    struct ovs_list installed = OVS_LIST_INITIALIZER(&installed);
    struct ovs_list groups = OVS_LIST_INITIALIZER(&groups);
    struct flowset set;

    p.n_ports = 0;
    assert_no_error(build_for(&p, &set));
    assert_int_equal(hmap_count(&set.flows), 0);
    assert_int_equal(set.n_meters, 0);
    assert_int_equal(flowset_compare(&set, &installed, &groups), 0);
    flowset_destroy(&set);
}

static void
test_wrong_forward(void **state OVS_UNUSED)
{
    struct relay_flows_params p = params();
    struct flowset set;

    p.forward = "upwards";
    assert_error(build_for(&p, &set), "flows/punt-own-host.flow: *");
    flowset_destroy(&set);

    /* Fit for a broadcast, but not for an announcement. */
    p.forward = "set_field:10.0.0.1->ip_dst,NORMAL";
    assert_no_error(build_for(&p, &set));
    flowset_destroy(&set);
    p.announcements = true;
    assert_error(build_for(&p, &set), "flows/announcement.flow: *");
    flowset_destroy(&set);
}

/* Announcements. */

/* Fails the test unless the flow mod 'oh' adds the punt of announcements, with
 * the meter 'meter'. */
static void
assert_adds_announcements(const struct ofp_header *oh, uint32_t meter)
{
    static const uint8_t userdata[] = { PUNT_ANNOUNCEMENT, 0, 0 };
    const struct eth_addr to = ETH_ADDR_C(03, 53, 4e, 4f, 57, 01);
    struct ofputil_flow_mod fm;
    struct match match, want;
    struct ofpbuf ofpacts;

    decode_flow_mod(oh, &fm, &ofpacts);
    assert_int_equal(fm.command, OFPFC_ADD);
    assert_int_equal(fm.table_id, 0);
    assert_int_equal(fm.priority, PRIORITY + 2);
    assert_true(fm.new_cookie == COOKIE_ANNOUNCEMENT);
    assert_int_equal(fm.idle_timeout, 0);
    assert_int_equal(fm.hard_timeout, 0);

    minimatch_expand(&fm.match, &match);
    match_init_catchall(&want);
    match_set_default_packet_type(&want);
    match_set_dl_type(&want, htons(0x88b5));
    match_set_dl_dst(&want, to);
    assert_true(match_equal(&match, &want));

    const struct ofpact *a = ofpacts.data;
    assert_int_equal(a->type, OFPACT_CONTROLLER);
    const struct ofpact_controller *c = ofpact_get_CONTROLLER(a);
    assert_int_equal(c->controller_id, PUNT_CONTROLLER_ID);
    assert_int_equal(c->max_len, 65535);
    assert_int_equal(c->meter_id, meter);
    assert_int_equal(c->userdata_len, sizeof userdata);
    assert_memory_equal(c->userdata, userdata, sizeof userdata);
    a = ofpact_next(a);
    assert_int_equal(a->type, OFPACT_OUTPUT);
    assert_int_equal(ofpact_get_OUTPUT(a)->port, OFPP_NORMAL);
    assert_ptr_equal(ofpact_next(a), ofpact_end(ofpacts.data, ofpacts.size));
    minimatch_destroy(&fm.match);
    ofpbuf_uninit(&ofpacts);
}

/* One flow, behind those of the ports, and a meter, whose id is the next one;
 * with any number of ports, and without local MACs. */
static void
test_announcements(void **state OVS_UNUSED)
{
    for (size_t n = 0; n <= ARRAY_SIZE(ports); n++) {
        for (size_t n_macs = 0; n_macs <= ARRAY_SIZE(macs); n_macs++) {
            struct relay_flows_params p = params();
            const size_t n_flows = n * (2 + n_macs) + 1;
            struct flowset set;

            p.n_ports = n;
            p.n_local_macs = n_macs;
            p.announcements = true;
            assert_no_error(build_for(&p, &set));
            assert_int_equal(hmap_count(&set.flows), n_flows);
            struct ofpbuf *message = ofputil_encode_flow_mod(
                &set.order[n_flows - 1]->fm, OFPUTIL_P_OF15_OXM);
            assert_adds_announcements(message->data, ID_BASE + n);
            ofpbuf_delete(message);
            assert_true((ntohll(set.order[n_flows - 1]->fm.new_cookie)
                         & COOKIE_KIND_MASK)
                        == COOKIE_RELAY);

            assert_int_equal(set.n_meters, n + 1);
            const struct ofputil_meter_config *meter = &set.meters[n].mm.meter;
            assert_int_equal(meter->meter_id, ID_BASE + n);
            assert_int_equal(meter->flags,
                             OFPMF13_PKTPS | OFPMF13_BURST | OFPMF13_STATS);
            assert_int_equal(meter->n_bands, 1);
            assert_int_equal(meter->bands[0].type, OFPMBT13_DROP);
            assert_int_equal(meter->bands[0].rate, 2000);
            assert_int_equal(meter->bands[0].burst_size, 2000);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(set.meters[i].mm.meter.meter_id, ID_BASE + i);
                assert_int_equal(set.meters[i].mm.meter.bands[0].rate,
                                 MAX_PPS);
            }
            flowset_destroy(&set);
        }
    }
}

/* Who is heard. */

/* Fails the test unless the next flow of 'set', the '*n'th, is 'expected'. */
static void
assert_next_flow(const struct flowset *set, size_t *n,
                 const struct expected_flow *expected)
{
    assert_true(*n < hmap_count(&set->flows));
    struct ofpbuf *message =
        ofputil_encode_flow_mod(&set->order[(*n)++]->fm, OFPUTIL_P_OF15_OXM);
    assert_adds(message->data, expected);
    ofpbuf_delete(message);
}

/* Fails the test unless just the flows and meters are made that 'p' asks
 * for. */
static void
assert_builds(const struct relay_flows_params *p)
{
    struct flowset set;
    size_t n = 0;

    assert_no_error(build_for(p, &set));
    assert_int_equal(set.n_meters, p->n_ports);
    for (size_t i = 0; i < p->n_ports; i++) {
        const struct relay_port *port = &p->ports[i];

        if (port->own_host) {
            const bool any = port->segment || !p->n_local_macs;
            const struct expected_flow own_host = {
                COOKIE_OWN_HOST,
                PRIORITY + 2,
                port->port,
                any ? NULL : &p->local_macs[0].mac,
                true,
                ID_BASE + i
            };
            assert_next_flow(&set, &n, &own_host);
        }
        for (size_t k = 0; k < p->n_local_macs; k++) {
            if (p->local_macs[k].ports & UINT64_C(1) << i) {
                const struct expected_flow filter = {
                    COOKIE_LOOP_FILTER,    PRIORITY + 1, port->port,
                    &p->local_macs[k].mac, false,        0
                };
                assert_next_flow(&set, &n, &filter);
            }
        }
        if (port->segment) {
            const struct expected_flow punt = { COOKIE_PUNT, PRIORITY,
                                                port->port,  NULL,
                                                false,       ID_BASE + i };
            assert_next_flow(&set, &n, &punt);
        }
    }
    assert_int_equal(hmap_count(&set.flows), n);
    flowset_destroy(&set);
}

static void
test_ports_of_one_that_forwards(void **state OVS_UNUSED)
{
    static const uint16_t numbers[] = { 5076, 5064, 65535 };
    struct relay_port result[4] = { [3] = { 7, false, true } };

    relay_ports_forwarded(numbers, 3, result);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(result[i].port, numbers[i]);
        assert_true(result[i].segment);
        assert_true(result[i].own_host);
    }
    assert_int_equal(result[3].port, 7);
    assert_false(result[3].segment);
    relay_ports_forwarded(NULL, 0, NULL);
}

/* Any combination, on each port by itself: of one that stands by only the own
 * host is heard, by its own MAC, which is the first of those there are, and of
 * a port that is paused nobody.  The loop filter and the meter are there all
 * the same. */
static void
test_who_is_heard(void **state OVS_UNUSED)
{
    for (unsigned int how = 0; how < 1 << (2 * ARRAY_SIZE(ports)); how++) {
        for (size_t n_macs = 0; n_macs <= ARRAY_SIZE(macs); n_macs++) {
            struct relay_port some[ARRAY_SIZE(ports)];
            struct relay_flows_params p = params();

            for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
                some[i].port = ports[i].port;
                some[i].segment = how >> 2 * i & 1;
                some[i].own_host = how >> 2 * i & 2;
            }
            p.ports = some;
            p.n_local_macs = n_macs;
            assert_builds(&p);
        }
    }
}

/* A MAC is filtered on its own ports only, in any combination.  The own host's
 * MAC is the first one whether it is filtered or not. */
static void
test_macs_of_some_ports(void **state OVS_UNUSED)
{
    enum { N_WAYS = 1 << (ARRAY_SIZE(ports) * ARRAY_SIZE(macs)) };
    const uint64_t others = UINT64_MAX << ARRAY_SIZE(ports);

    for (unsigned int how = 0; how < N_WAYS; how++) {
        for (int rest = 0; rest < 4; rest++) {
            struct relay_port some[ARRAY_SIZE(ports)];
            struct relay_mac filtered[ARRAY_SIZE(macs)];
            struct relay_flows_params p = params();

            memcpy(some, ports, sizeof some);
            some[1].segment = rest & 1;
            for (size_t k = 0; k < ARRAY_SIZE(macs); k++) {
                filtered[k].mac = macs[k].mac;
                filtered[k].ports = (rest & 2 ? others : 0);
                for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
                    if (how >> (k * ARRAY_SIZE(ports) + i) & 1) {
                        filtered[k].ports |= UINT64_C(1) << i;
                    }
                }
            }
            p.ports = some;
            p.local_macs = filtered;
            assert_builds(&p);
        }
    }
}

/* As many ports as there may be have a bit each. */
static void
test_a_mac_of_one_port_of_many(void **state OVS_UNUSED)
{
    struct relay_port many[CONFIG_MAX_PORTS];

    for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
        many[i] = (struct relay_port){ 5000 + i, true, true, false };
    }
    for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
        const struct relay_mac one = { macs[0].mac, UINT64_C(1) << i };
        struct relay_flows_params p = params();

        p.ports = many;
        p.n_ports = ARRAY_SIZE(many);
        p.local_macs = &one;
        p.n_local_macs = 1;
        assert_builds(&p);
    }
}

/* What is emitted has the first MAC, whatever it is filtered on. */
static void
test_the_mac_of_what_is_emitted(void **state OVS_UNUSED)
{
    const struct relay_mac unfiltered[] = { { macs[1].mac, 0 },
                                            { macs[0].mac, UINT64_MAX } };
    struct relay_flows_params p = params();
    struct relay_actions actions;

    p.local_macs = unfiltered;
    assert_no_error(relay_flows_actions(&p, &actions));
    assert_string_equal(actions.keep,
                        "set_field:02:00:00:00:02:01->eth_src,NORMAL");
    relay_actions_uninit(&actions);
}

/* Comparing.  What is installed comes from what is wanted, through the
 * statistics that a switch would send of it. */

/* A switch's flows, as many as it has of ours. */
struct installed {
    struct flowset set;
    struct ovs_list flows;
    struct ovs_list groups;
    struct ovs_list requests;
};

/* Adds 'fs' to 'flows' as it comes out of a message. */
static void
install_stats(struct ovs_list *flows, const struct ofputil_flow_stats *fs)
{
    static const struct ofputil_flow_stats_request request = {
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = OFPTT_ALL,
    };
    struct ofputil_flow_stats_request asked = request;
    struct ofputil_flow_stats decoded;
    struct ovs_list replies;
    struct ofpbuf ofpacts;

    match_init_catchall(&asked.match);
    struct ofpbuf *question =
        ofputil_encode_flow_stats_request(&asked, OFPUTIL_P_OF15_OXM);
    ofpmp_init(&replies, question->data);
    ofputil_append_flow_stats_reply(fs, &replies, NULL);

    struct ofpbuf *reply =
        CONTAINER_OF(ovs_list_front(&replies), struct ofpbuf, list_node);
    ofpmsg_update_length(reply);
    ofpbuf_init(&ofpacts, 0);
    struct ofpbuf received =
        ofpbuf_const_initializer(reply->data, reply->size);
    assert_int_equal(
        ofputil_decode_flow_stats_reply(&decoded, &received, true, &ofpacts),
        0);
    installed_flow_add(flows, &decoded);
    ofpbuf_uninit(&ofpacts);
    ofpbuf_list_delete(&replies);
    ofpbuf_delete(question);
}

/* Returns the statistics of 'flow'. */
static struct ofputil_flow_stats
stats_of(const struct wanted_flow *flow)
{
    struct ofputil_flow_stats fs = {
        .cookie = flow->fm.new_cookie,
        .table_id = flow->fm.table_id,
        .priority = flow->fm.priority,
        .idle_age = -1,
        .hard_age = -1,
        .ofpacts = flow->fm.ofpacts,
        .ofpacts_len = flow->fm.ofpacts_len,
    };

    minimatch_expand(&flow->fm.match, &fs.match);
    return fs;
}

/* Makes in '*in' a flow set and a switch that has all of it but for the
 * 'without'th flow. */
static void
install(struct installed *in, size_t without)
{
    build(&in->set);
    ovs_list_init(&in->flows);
    ovs_list_init(&in->groups);
    ovs_list_init(&in->requests);
    for (size_t i = 0; i < hmap_count(&in->set.flows); i++) {
        if (i != without) {
            struct ofputil_flow_stats fs = stats_of(in->set.order[i]);

            fs.packet_count = 10 + i;
            fs.byte_count = 1000 + i;
            install_stats(&in->flows, &fs);
        }
    }
}

static void
uninstall(struct installed *in)
{
    flowset_destroy(&in->set);
    installed_flows_clear(&in->flows);
    installed_groups_clear(&in->groups);
    ofpbuf_list_delete(&in->requests);
    assert_true(ovs_list_is_empty(&in->flows));
}

/* Fails the test unless there are 'n' differences and as many changes. */
static void
assert_changes(struct installed *in, size_t n)
{
    assert_int_equal(flowset_compare(&in->set, &in->flows, &in->groups), n);
    assert_int_equal(
        flowset_changes(&in->set, &in->flows, &in->groups, &in->requests), n);
    assert_int_equal(ovs_list_size(&in->requests), n);
}

/* Returns the 'i'th change. */
static const struct ofp_header *
change(const struct installed *in, size_t i)
{
    const struct ofpbuf *request;

    LIST_FOR_EACH (request, list_node, &in->requests) {
        if (!i--) {
            return request->data;
        }
    }
    fail();
    return NULL;
}

/* Fails the test unless the 'i'th change adds the 'flow'th flow wanted. */
static void
assert_change_adds(const struct installed *in, size_t i, size_t flow)
{
    struct expected_flow expected =
        expected_flow(flow / FLOWS_PER_PORT, flow % FLOWS_PER_PORT);

    assert_adds(change(in, i), &expected);
}

/* Fails the test unless the 'i'th change deletes just the flow of 'fs'. */
static void
assert_change_deletes(const struct installed *in, size_t i,
                      const struct ofputil_flow_stats *fs)
{
    struct ofputil_flow_mod fm;
    struct ofpbuf ofpacts;
    struct match match;

    decode_flow_mod(change(in, i), &fm, &ofpacts);
    minimatch_expand(&fm.match, &match);
    assert_int_equal(fm.command, OFPFC_DELETE_STRICT);
    assert_int_equal(fm.table_id, fs->table_id);
    assert_int_equal(fm.priority, fs->priority);
    assert_true(fm.cookie == fs->cookie);
    assert_true(fm.cookie_mask == OVS_BE64_MAX);
    assert_int_equal(fm.out_port, OFPP_ANY);
    assert_int_equal(fm.out_group, OFPG_ANY);
    assert_true(match_equal(&match, &fs->match));
    minimatch_destroy(&fm.match);
    ofpbuf_uninit(&ofpacts);
}

static void
test_a_switch_that_has_all(void **state OVS_UNUSED)
{
    struct installed in;

    install(&in, SIZE_MAX);
    assert_changes(&in, 0);
    for (size_t i = 0; i < hmap_count(&in.set.flows); i++) {
        assert_true(in.set.order[i]->in_place);
        assert_int_equal(in.set.order[i]->n_packets, 10 + i);
        assert_int_equal(in.set.order[i]->n_bytes, 1000 + i);
    }
    uninstall(&in);
}

static void
test_a_switch_that_has_nothing(void **state OVS_UNUSED)
{
    struct installed in;

    install(&in, SIZE_MAX);
    installed_flows_clear(&in.flows);
    assert_changes(&in, hmap_count(&in.set.flows));
    for (size_t i = 0; i < hmap_count(&in.set.flows); i++) {
        assert_false(in.set.order[i]->in_place);
        assert_change_adds(&in, i, i);
    }
    uninstall(&in);
}

static void
test_a_flow_that_lacks(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(ports) * FLOWS_PER_PORT; i++) {
        struct installed in;

        install(&in, i);
        assert_changes(&in, 1);
        assert_change_adds(&in, 0, i);
        uninstall(&in);
    }
}

/* A flow at its place but otherwise not as it should be is added again, which
 * replaces it, and is not deleted. */
static void
test_a_flow_that_was_changed(void **state OVS_UNUSED)
{
    enum { ACTIONS, NO_ACTIONS, COOKIE, IDLE, HARD, N_CHANGES };

    for (int what = 0; what < N_CHANGES; what++) {
        for (size_t i = 0; i < FLOWS_PER_PORT; i++) {
            struct installed in;

            install(&in, i);
            struct ofputil_flow_stats fs = stats_of(in.set.order[i]);
            switch (what) {
            case ACTIONS: {
                /* Those of a loop filter for a punt and the other way. */
                size_t other = i == 0 || i == FLOWS_PER_PORT - 1 ? 1 : 0;

                fs.ofpacts = in.set.order[other]->fm.ofpacts;
                fs.ofpacts_len = in.set.order[other]->fm.ofpacts_len;
                break;
            }
            case NO_ACTIONS: fs.ofpacts_len = 0; break;
            case COOKIE: fs.cookie ^= htonll(8); break;
            case IDLE: fs.idle_timeout = 10; break;
            case HARD: fs.hard_timeout = 10; break;
            }
            install_stats(&in.flows, &fs);

            assert_changes(&in, 1);
            assert_false(in.set.order[i]->in_place);
            assert_change_adds(&in, 0, i);
            uninstall(&in);
        }
    }
}

/* A flow with our cookie that is not wanted, such as one for a port that was
 * taken off the configuration. */
static void
test_a_flow_too_many(void **state OVS_UNUSED)
{
    enum { OTHER_PORT, OTHER_PRIORITY, OTHER_TABLE, NARROWER, N_PLACES };

    for (int place = 0; place < N_PLACES; place++) {
        struct installed in;

        install(&in, SIZE_MAX);
        struct ofputil_flow_stats fs = stats_of(in.set.order[0]);
        switch (place) {
        case OTHER_PORT: match_set_tp_dst(&fs.match, htons(9)); break;
        case OTHER_PRIORITY: fs.priority++; break;
        case OTHER_TABLE: fs.table_id = 1; break;
        case NARROWER: match_set_tp_src(&fs.match, htons(9)); break;
        }
        install_stats(&in.flows, &fs);

        assert_changes(&in, 1);
        assert_change_deletes(&in, 0, &fs);
        assert_true(in.set.order[0]->in_place);
        uninstall(&in);
    }
}

/* Flows with the cookie that is kept stay where nothing else is wanted, and
 * none does if no cookie is. */
static void
test_kept_flows(void **state OVS_UNUSED)
{
    static const struct {
        uint64_t kept, cookie;
        bool stays;
    } cases[] = {
        { COOKIE_TUNNEL, COOKIE_TUNNEL, true },
        { COOKIE_TUNNEL, COOKIE_TUNNEL + 1, false },
        { COOKIE_TUNNEL, COOKIE_TUNNEL - 1, false },
        { COOKIE_TUNNEL, 0, false },
        { 0, COOKIE_TUNNEL, false },
        { 0, 0, false },
    };

    assert_true(COOKIE_TUNNEL == UINT64_C(0x534e4f5700020004));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct installed in;

        install(&in, SIZE_MAX);
        assert_true(in.set.kept_cookie == 0);
        in.set.kept_cookie = htonll(cases[i].kept);
        struct ofputil_flow_stats fs = stats_of(in.set.order[0]);
        fs.cookie = htonll(cases[i].cookie);
        fs.priority++;
        install_stats(&in.flows, &fs);

        assert_changes(&in, cases[i].stays ? 0 : 1);
        if (!cases[i].stays) {
            assert_change_deletes(&in, 0, &fs);
        }

        /* As long as it is kept. */
        in.set.kept_cookie = 0;
        assert_int_equal(flowset_compare(&in.set, &in.flows, &in.groups), 1);
        uninstall(&in);
    }
}

/* Where another flow is wanted, that one replaces it. */
static void
test_kept_flow_in_the_way(void **state OVS_UNUSED)
{
    struct installed in;

    install(&in, 2);
    in.set.kept_cookie = htonll(COOKIE_TUNNEL);
    struct ofputil_flow_stats fs = stats_of(in.set.order[2]);
    fs.cookie = in.set.kept_cookie;
    install_stats(&in.flows, &fs);
    assert_changes(&in, 1);
    assert_false(in.set.order[2]->in_place);
    assert_change_adds(&in, 0, 2);
    uninstall(&in);
}

static void
test_a_new_set_is_whole(void **state OVS_UNUSED)
{
    struct flowset set;

    memset(&set, 0xa5, sizeof set);
    flowset_init(&set, ID_BASE);
    assert_false(set.partial);
    assert_false(set.claimed);
    assert_true(set.kept_cookie == 0);
    flowset_destroy(&set);
}

/* As long as more is to come for the relay, what it had stays, and nothing
 * else does. */
static void
test_partial_sets(void **state OVS_UNUSED)
{
    static const struct {
        uint64_t cookie, kept;
        bool stays; /* If the set is partial. */
    } cases[] = {
        { UINT64_C(0x534e4f5700010001), 0, true },
        { UINT64_C(0x534e4f5700010002), 0, true },
        { UINT64_C(0x534e4f5700010003), 0, true },
        { UINT64_C(0x534e4f5700010004), 0, true },
        { UINT64_C(0x534e4f5700010005), 0, false }, /* In place of punts. */
        { UINT64_C(0x534e4f5700010006), 0, false },
        { UINT64_C(0x534e4f5700010007), 0, true },
        { UINT64_C(0x534e4f5700010008), 0, true },
        { UINT64_C(0x534e4f5700010009), 0, true },
        { UINT64_C(0x534e4f570001000a), 0, true },
        { UINT64_C(0x534e4f570001000b), 0, true },
        { UINT64_C(0x534e4f570001000c), 0, true },
        { UINT64_C(0x534e4f570001000d), 0, true },
        { UINT64_C(0x534e4f570001000e), 0, true },
        { UINT64_C(0x534e4f570001ffff), 0, true },
        { UINT64_C(0x534e4f5700010000), 0, true },
        { UINT64_C(0x534e4f5700010001), COOKIE_TUNNEL, true },
        { UINT64_C(0x534e4f5700020001), 0, false },
        { UINT64_C(0x534e4f5700020001), COOKIE_TUNNEL, false },
        { COOKIE_TUNNEL, 0, false },
        { COOKIE_TUNNEL, COOKIE_TUNNEL, true },
        { UINT64_C(0x534e4f5700000001), 0, false },
        { UINT64_C(0x534e4f5700030001), 0, false },
        { UINT64_C(0x534e4f5701010001), 0, false },
        { UINT64_C(0x534e4f5800010001), 0, false },
        { 0, 0, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (int partial = 0; partial < 2; partial++) {
            const bool stays =
                (partial ? cases[i].stays
                         : cases[i].kept && cases[i].cookie == cases[i].kept);
            struct installed in;

            install(&in, SIZE_MAX);
            in.set.partial = partial;
            in.set.kept_cookie = htonll(cases[i].kept);
            struct ofputil_flow_stats fs = stats_of(in.set.order[0]);
            fs.cookie = htonll(cases[i].cookie);
            fs.priority++;
            install_stats(&in.flows, &fs);
            assert_changes(&in, stays ? 0 : 1);
            if (!stays) {
                assert_change_deletes(&in, 0, &fs);
            }

            /* Until all of it has come. */
            in.set.partial = false;
            in.set.kept_cookie = 0;
            assert_int_equal(flowset_compare(&in.set, &in.flows, &in.groups),
                             1);
            uninstall(&in);
        }
    }
}

/* What is in it already is put in place as ever. */
static void
test_partial_sets_replace(void **state OVS_UNUSED)
{
    struct installed in;

    install(&in, 2);
    in.set.partial = true;
    struct ofputil_flow_stats fs = stats_of(in.set.order[2]);
    fs.cookie = COOKIE_PUNT;
    install_stats(&in.flows, &fs);
    assert_changes(&in, 1);
    assert_false(in.set.order[2]->in_place);
    assert_change_adds(&in, 0, 2);
    uninstall(&in);

    install(&in, 2);
    in.set.partial = true;
    assert_changes(&in, 1);
    assert_change_adds(&in, 0, 2);
    uninstall(&in);
}

/* No broadcast may go unnoticed in between. */
static void
test_additions_before_deletions(void **state OVS_UNUSED)
{
    struct installed in;

    install(&in, 3);
    struct ofputil_flow_stats fs = stats_of(in.set.order[3]);
    fs.priority = 1;
    install_stats(&in.flows, &fs);
    assert_changes(&in, 2);
    assert_change_adds(&in, 0, 3);
    assert_change_deletes(&in, 1, &fs);
    uninstall(&in);
}

/* Nothing of an earlier comparison may remain. */
static void
test_comparing_again(void **state OVS_UNUSED)
{
    struct installed in;

    install(&in, SIZE_MAX);
    assert_int_equal(flowset_compare(&in.set, &in.flows, &in.groups), 0);
    installed_flows_clear(&in.flows);
    assert_changes(&in, hmap_count(&in.set.flows));
    uninstall(&in);
}

/* But for flows of others than the relay, which name no meter. */
static void
test_distrust_is_about_the_relay(void **state OVS_UNUSED)
{
    struct installed in;

    install(&in, SIZE_MAX);
    assert_int_equal(flowset_compare(&in.set, &in.flows, &in.groups), 0);
    in.set.order[1]->fm.new_cookie = htonll(UINT64_C(0x534e4f5700020001));
    in.set.order[2]->fm.new_cookie = htonll(UINT64_C(0x534e4f5700020000));
    flowset_distrust(&in.set);
    for (size_t i = 0; i < hmap_count(&in.set.flows); i++) {
        assert_int_equal(in.set.order[i]->in_place, i == 1 || i == 2);
    }
    assert_int_equal(
        flowset_changes(&in.set, &in.flows, &in.groups, &in.requests),
        hmap_count(&in.set.flows) - 2);
    uninstall(&in);
}

/* What the switch says may be wrong, and then all is put in place again. */
static void
test_distrust(void **state OVS_UNUSED)
{
    struct installed in;

    install(&in, SIZE_MAX);
    assert_int_equal(flowset_compare(&in.set, &in.flows, &in.groups), 0);
    flowset_distrust(&in.set);
    assert_int_equal(
        flowset_changes(&in.set, &in.flows, &in.groups, &in.requests),
        hmap_count(&in.set.flows));
    for (size_t i = 0; i < hmap_count(&in.set.flows); i++) {
        assert_change_adds(&in, i, i);
    }
    uninstall(&in);
}

static void
test_meters_compared(void **state OVS_UNUSED)
{
    struct flowset set;

    build(&set);
    const struct wanted_meter *meter = &set.meters[0];
    struct ofputil_meter_band bands[2];
    struct ofputil_meter_config same = meter->mm.meter;
    same.bands = bands;
    memset(bands, 0, sizeof bands);
    bands[0] = meter->mm.meter.bands[0];

    assert_true(wanted_meter_equal(meter, &same));
    assert_false(wanted_meter_equal(meter, NULL));

    struct ofputil_meter_config other = same;
    other.flags &= ~OFPMF13_BURST;
    assert_false(wanted_meter_equal(meter, &other));
    other = same;
    other.n_bands = 0;
    assert_false(wanted_meter_equal(meter, &other));
    other.n_bands = 2;
    assert_false(wanted_meter_equal(meter, &other));

    bands[0].rate++;
    assert_false(wanted_meter_equal(meter, &same));
    bands[0].rate--;
    bands[0].burst_size++;
    assert_false(wanted_meter_equal(meter, &same));
    bands[0].burst_size--;
    bands[0].type = OFPMBT13_DSCP_REMARK;
    assert_false(wanted_meter_equal(meter, &same));
    bands[0].type = OFPMBT13_DROP;
    bands[0].prec_level = 1;
    assert_false(wanted_meter_equal(meter, &same));
    bands[0].prec_level = 0;
    assert_true(wanted_meter_equal(meter, &same));
    flowset_destroy(&set);
}

/* Groups. */

/* Adds to 'set' the group 'id', whose only bucket has the actions 'actions'
 * and, with 'open', is open. */
static char *
add_group(struct flowset *set, uint32_t id, const char *actions, bool open)
{
    struct shash values = SHASH_INITIALIZER(&values);
    uint32_t *ids = open ? xmalloc(sizeof *ids) : NULL;

    if (open) {
        *ids = 5;
    }
    template_set(&values, "group", xasprintf("%u", id));
    template_set(&values, "buckets",
                 xasprintf("bucket=bucket_id=5,actions=%s", actions));
    char *error =
        flowset_add_group(set, "copy.group", &values, NULL, ids, open);
    shash_destroy_free_data(&values);
    return error;
}

/* Fails the test unless the 'i'th change is the 'command' for the group 'id'.
 */
static void
assert_change_of_group(const struct installed *in, size_t i, uint16_t command,
                       uint32_t id)
{
    struct ofputil_group_mod gm;

    assert_int_equal(ofputil_decode_group_mod(change(in, i), &gm), 0);
    assert_int_equal(gm.command, command);
    assert_int_equal(gm.group_id, id);
    ofputil_uninit_group_mod(&gm);
}

static void
test_groups(void **state OVS_UNUSED)
{
    struct flowset set;

    flowset_init(&set, ID_BASE);
    for (uint32_t i = 0; i < 20; i++) {
        assert_no_error(add_group(&set, ID_BASE + i, "drop", i == 1));
    }
    assert_int_equal(set.n_groups, 20);
    assert_string_equal(set.groups[19]->text,
                        "group_id=7019,type=all,"
                        "bucket=bucket_id=5,actions=drop");
    assert_int_equal(set.groups[0]->gm.group_id, ID_BASE);
    assert_int_equal(set.groups[0]->n_open, 0);
    assert_int_equal(set.groups[1]->n_open, 1);
    assert_int_equal(set.groups[1]->open[0], 5);
    flowset_destroy(&set);
}

static void
test_wrong_groups(void **state OVS_UNUSED)
{
    const struct shash no_values = SHASH_INITIALIZER(&no_values);
    struct flowset set;

    flowset_init(&set, ID_BASE);
    assert_error(add_group(&set, ID_BASE, "up", true), "flows/copy.group: *");
    assert_error(flowset_add_group(&set, "copy.group", &no_values, NULL,
                                   xcalloc(1, sizeof(uint32_t)), 1),
                 "flows/copy.group: template: ${group} has no value");
    assert_int_equal(set.n_groups, 0);
    flowset_destroy(&set);
}

/* A switch whose groups and flows all differ: what flows name is there before
 * them, and goes after them. */
static void
test_order_of_changes(void **state OVS_UNUSED)
{
    struct installed in;
    struct flowset before;

    /* 0 is to be made, 1 changed, 2 is right, and 3 is too many. */
    install(&in, 3);
    flowset_init(&before, ID_BASE);
    for (uint32_t i = 0; i < 4; i++) {
        if (i < 3) {
            assert_no_error(
                add_group(&in.set, ID_BASE + i, "output:LOCAL", false));
        }
        assert_no_error(add_group(&before, ID_BASE + i,
                                  i == 1 ? "output:1" : "output:LOCAL",
                                  false));
        struct ofpbuf *msg = ofputil_encode_group_mod(
            OFP15_VERSION, &before.groups[i]->gm, NULL, -1);
        if (i > 0) {
            install_message(&in.groups, msg);
        }
        ofpbuf_delete(msg);
    }
    flowset_destroy(&before);
    struct ofputil_flow_stats fs = stats_of(in.set.order[3]);
    fs.priority = 1;
    install_stats(&in.flows, &fs);

    assert_changes(&in, 5);
    assert_change_of_group(&in, 0, OFPGC11_ADD, ID_BASE);
    assert_change_of_group(&in, 1, OFPGC11_MODIFY, ID_BASE + 1);
    assert_change_adds(&in, 2, 3);
    assert_change_deletes(&in, 3, &fs);
    assert_change_of_group(&in, 4, OFPGC11_DELETE, ID_BASE + 3);
    assert_true(in.set.groups[2]->in_place);
    uninstall(&in);
}

/* The mesh's group is the relay's, and stays with its flows, which name it. */
static void
test_partial_sets_keep_the_group_of_the_mesh(void **state OVS_UNUSED)
{
    for (int partial = 0; partial < 2; partial++) {
        for (uint32_t i = 255; i < 258; i++) {
            const bool stays = partial && i == 256;
            struct flowset before;
            struct installed in;

            install(&in, SIZE_MAX);
            in.set.partial = partial;
            flowset_init(&before, ID_BASE);
            assert_no_error(add_group(&before, ID_BASE + i, "drop", false));
            struct ofpbuf *msg = ofputil_encode_group_mod(
                OFP15_VERSION, &before.groups[0]->gm, NULL, -1);
            install_message(&in.groups, msg);
            ofpbuf_delete(msg);
            flowset_destroy(&before);

            assert_changes(&in, stays ? 0 : 1);
            if (!stays) {
                assert_change_of_group(&in, 0, OFPGC11_DELETE, ID_BASE + i);
            }
            in.set.partial = false;
            assert_int_equal(flowset_compare(&in.set, &in.flows, &in.groups),
                             1);

            /* If it is wanted it is as it should be, or is changed. */
            in.set.partial = partial;
            assert_no_error(
                add_group(&in.set, ID_BASE + i, "output:LOCAL", false));
            assert_int_equal(flowset_compare(&in.set, &in.flows, &in.groups),
                             1);
            uninstall(&in);
        }
    }
}

/* Differences of groups alone. */
static void
test_groups_compared(void **state OVS_UNUSED)
{
    struct installed in;

    install(&in, SIZE_MAX);
    assert_no_error(add_group(&in.set, ID_BASE, "output:LOCAL", false));
    assert_changes(&in, 1);
    assert_change_of_group(&in, 0, OFPGC11_ADD, ID_BASE);
    install_message(&in.groups, CONTAINER_OF(ovs_list_front(&in.requests),
                                             struct ofpbuf, list_node));
    ofpbuf_list_delete(&in.requests);
    assert_changes(&in, 0);

    /* Distrust is about flows. */
    flowset_distrust(&in.set);
    assert_int_equal(
        flowset_changes(&in.set, &in.flows, &in.groups, &in.requests),
        hmap_count(&in.set.flows));
    uninstall(&in);
}

int
main(void)
{
    /* libopenvswitch warns of wrong actions besides saying so in its error. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flows),
        cmocka_unit_test(test_cookies_are_ours),
        cmocka_unit_test(test_meters),
        cmocka_unit_test(test_emit_actions),
        cmocka_unit_test(test_forward_is_used_everywhere),
        cmocka_unit_test(test_no_local_mac),
        cmocka_unit_test(test_no_ports),
        cmocka_unit_test(test_wrong_forward),
        cmocka_unit_test(test_announcements),
        cmocka_unit_test(test_ports_of_one_that_forwards),
        cmocka_unit_test(test_who_is_heard),
        cmocka_unit_test(test_macs_of_some_ports),
        cmocka_unit_test(test_a_mac_of_one_port_of_many),
        cmocka_unit_test(test_the_mac_of_what_is_emitted),
        cmocka_unit_test(test_a_switch_that_has_all),
        cmocka_unit_test(test_a_switch_that_has_nothing),
        cmocka_unit_test(test_a_flow_that_lacks),
        cmocka_unit_test(test_a_flow_that_was_changed),
        cmocka_unit_test(test_a_flow_too_many),
        cmocka_unit_test(test_kept_flows),
        cmocka_unit_test(test_kept_flow_in_the_way),
        cmocka_unit_test(test_a_new_set_is_whole),
        cmocka_unit_test(test_partial_sets),
        cmocka_unit_test(test_partial_sets_replace),
        cmocka_unit_test(test_additions_before_deletions),
        cmocka_unit_test(test_comparing_again),
        cmocka_unit_test(test_distrust),
        cmocka_unit_test(test_distrust_is_about_the_relay),
        cmocka_unit_test(test_meters_compared),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_wrong_groups),
        cmocka_unit_test(test_order_of_changes),
        cmocka_unit_test(test_partial_sets_keep_the_group_of_the_mesh),
        cmocka_unit_test(test_groups_compared),
    };
    return cmocka_run_group_tests_name("flow set", tests, NULL, NULL);
}
