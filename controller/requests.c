/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "requests.h"

#include <string.h>

#include "byte-order.h"
#include "flowset.h"
#include "openvswitch/list.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "template.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(requests);

struct ofpbuf *
request_news(void)
{
    struct ofputil_async_cfg async = OFPUTIL_ASYNC_CFG_INIT;

    async.primary[OAM_PORT_STATUS] =
        1u << OFPPR_ADD | 1u << OFPPR_DELETE | 1u << OFPPR_MODIFY;
    async.primary[OAM_REQUESTFORWARD] =
        1u << OFPRFR_GROUP_MOD | 1u << OFPRFR_METER_MOD;
    return ofputil_encode_set_async_config(
        &async,
        1u << OAM_PORT_STATUS | 1u << OAM_REQUESTFORWARD | 1u << OAM_PACKET_IN,
        OFP15_VERSION);
}

struct ofpbuf *
request_features(void)
{
    return ofpraw_alloc(OFPRAW_OFPT_FEATURES_REQUEST, OFP15_VERSION, 0);
}

struct ofpbuf *
request_ports(void)
{
    return ofputil_encode_port_desc_stats_request(OFP15_VERSION, OFPP_ANY);
}

void
request_flow_monitors(struct ovs_list *requests)
{
    struct shash no_values = SHASH_INITIALIZER(&no_values);
    char *matches, *save = NULL;

    char *error =
        template_expand(template_text("monitor.match"), &no_values, &matches);
    for (char *match = error ? NULL : strtok_r(matches, "\n", &save);
         !error && match; match = strtok_r(NULL, "\n", &save)) {
        struct ofputil_flow_monitor_request fmr;
        enum ofputil_protocol usable;

        error = parse_flow_monitor_request(&fmr, match, NULL, NULL, &usable);
        if (!error) {
            struct ofpbuf *request = ofpbuf_new(0);

            ofputil_append_flow_monitor_request(&fmr, request,
                                                OFPUTIL_P_OF15_OXM);
            ovs_list_push_back(requests, &request->list_node);
        }
    }
    if (error) {
        VLOG_FATAL("flows/monitor.match: %s", error);
    }
    free(matches);
}

struct ofpbuf *
request_flows(void)
{
    struct ofputil_flow_stats_request fsr = {
        .cookie = htonll(COOKIE_OURS),
        .cookie_mask = htonll(COOKIE_OURS_MASK),
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = 0xff,
    };

    match_init_catchall(&fsr.match);
    return ofputil_encode_flow_stats_request(&fsr, OFPUTIL_P_OF15_OXM);
}

struct ofpbuf *
request_meters(void)
{
    return ofputil_encode_meter_request(OFP15_VERSION, OFPUTIL_METER_CONFIG,
                                        OFPM13_ALL);
}

struct ofpbuf *
request_meter_counts(void)
{
    return ofputil_encode_meter_request(OFP15_VERSION, OFPUTIL_METER_STATS,
                                        OFPM13_ALL);
}

struct ofpbuf *
request_groups(void)
{
    return ofputil_encode_group_desc_request(OFP15_VERSION, OFPG_ALL);
}

struct ofpbuf *
request_group_counts(void)
{
    return ofputil_encode_group_stats_request(OFP15_VERSION, OFPG_ALL);
}

struct ofpbuf *
request_no_flows(uint64_t cookie)
{
    struct ofputil_flow_mod fm = {
        .cookie = htonll(cookie),
        .cookie_mask = htonll(COOKIE_KIND_MASK),
        .new_cookie = OVS_BE64_MAX,
        .table_id = 0xff,
        .command = OFPFC_DELETE,
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
    };

    minimatch_init_catchall(&fm.match);
    struct ofpbuf *request = ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF15_OXM);
    minimatch_destroy(&fm.match);
    return request;
}

struct ofpbuf *
request_no_meter(uint32_t id)
{
    const struct ofputil_meter_mod mm = {
        .command = OFPMC13_DELETE,
        .meter.meter_id = id,
    };

    return ofputil_encode_meter_mod(OFP15_VERSION, &mm);
}

void
requests_bundle(struct ovs_list *mods, uint32_t id)
{
    struct ofputil_bundle_ctrl_msg ctrl = {
        .bundle_id = id,
        .type = OFPBCT_OPEN_REQUEST,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
    };
    struct ovs_list bundle = OVS_LIST_INITIALIZER(&bundle);
    struct ofpbuf *msg;

    msg = ofputil_encode_bundle_ctrl_request(OFP15_VERSION, &ctrl);
    ovs_list_push_back(&bundle, &msg->list_node);
    LIST_FOR_EACH_POP (msg, list_node, mods) {
        struct ofputil_bundle_add_msg add = {
            .bundle_id = ctrl.bundle_id,
            .flags = ctrl.flags,
            .msg = msg->data,
        };
        ofpmsg_update_length(msg);

        struct ofpbuf *added = ofputil_encode_bundle_add(OFP15_VERSION, &add);
        ovs_list_push_back(&bundle, &added->list_node);
        ofpbuf_delete(msg);
    }
    ctrl.type = OFPBCT_COMMIT_REQUEST;
    msg = ofputil_encode_bundle_ctrl_request(OFP15_VERSION, &ctrl);
    ovs_list_push_back(&bundle, &msg->list_node);
    ovs_list_move(mods, &bundle);
}
