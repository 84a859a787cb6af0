/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "inventory.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "requests.h"
#include "util.h"

void
inventory_init(struct inventory *inv)
{
    memset(inv, 0, sizeof *inv);
    ovs_list_init(&inv->flows);
    ovs_list_init(&inv->groups);
}

void
inventory_clear(struct inventory *inv)
{
    installed_flows_clear(&inv->flows);
    installed_groups_clear(&inv->groups);
    for (size_t i = 0; i < FLOWSET_MAX_METERS; i++) {
        free(inv->meters[i].bands);
        inv->meters[i].bands = NULL;
        inv->meter_found[i] = false;
        inv->meter_dropped[i] = 0;
    }
    memset(inv->xids, 0, sizeof inv->xids);
}

void
inventory_ask(struct inventory *inv, uint32_t id_base,
              struct ovs_list *requests)
{
    struct ofpbuf *asked[N_INVENTORY_PARTS] = {
        [INVENTORY_FLOWS] = request_flows(),
        [INVENTORY_METERS] = request_meters(),
        [INVENTORY_METER_COUNTS] = request_meter_counts(),
        [INVENTORY_GROUPS] = request_groups(),
        [INVENTORY_GROUP_COUNTS] = request_group_counts(),
    };

    inventory_clear(inv);
    inv->id_base = id_base;
    for (int i = 0; i < N_INVENTORY_PARTS; i++) {
        inv->xids[i] = ((struct ofp_header *) asked[i]->data)->xid;
        ovs_list_push_back(requests, &asked[i]->list_node);
    }
}

static void
take_flows(struct inventory *inv, struct ofpbuf *msg)
{
    struct ofputil_flow_stats fs;
    struct ofpbuf ofpacts;

    ofpbuf_init(&ofpacts, 0);
    while (!ofputil_decode_flow_stats_reply(&fs, msg, true, &ofpacts)) {
        installed_flow_add(&inv->flows, &fs);
    }
    ofpbuf_uninit(&ofpacts);
}

static void
take_meters(struct inventory *inv, struct ofpbuf *msg)
{
    struct ofputil_meter_config config;
    struct ofpbuf bands;

    ofpbuf_init(&bands, 0);
    while (!ofputil_decode_meter_config(msg, &config, &bands)) {
        uint32_t i = config.meter_id - inv->id_base;

        if (i < FLOWSET_MAX_METERS) {
            free(inv->meters[i].bands);
            inv->meters[i] = config;
            inv->meters[i].bands =
                xmemdup(config.bands, config.n_bands * sizeof *config.bands);
            inv->meter_found[i] = true;
        }
    }
    ofpbuf_uninit(&bands);
}

static void
take_meter_counts(struct inventory *inv, struct ofpbuf *msg)
{
    struct ofputil_meter_stats stats;
    struct ofpbuf bands;

    ofpbuf_init(&bands, 0);
    while (!ofputil_decode_meter_stats(msg, &stats, &bands)) {
        uint32_t i = stats.meter_id - inv->id_base;

        /* The only band of ours is one that drops. */
        if (i < FLOWSET_MAX_METERS && stats.n_bands) {
            inv->meter_dropped[i] = stats.bands[0].packet_count;
        }
    }
    ofpbuf_uninit(&bands);
}

static void
take_groups(struct inventory *inv, struct ofpbuf *msg)
{
    struct ofputil_group_desc desc;

    while (!ofputil_decode_group_desc_reply(&desc, msg, OFP15_VERSION)) {
        if (desc.group_id - inv->id_base < GROUP_MAX_IDS) {
            installed_group_add(&inv->groups, &desc);
        } else {
            ofputil_uninit_group_desc(&desc);
        }
    }
}

static void
take_group_counts(struct inventory *inv, struct ofpbuf *msg)
{
    struct ofputil_group_stats stats;

    while (!ofputil_decode_group_stats_reply(msg, &stats)) {
        struct installed_group *group =
            installed_group_find(&inv->groups, stats.group_id);
        if (group) {
            installed_group_count(group, &stats);
        }
        free(stats.bucket_stats);
    }
}

void
inventory_take(struct inventory *inv, const struct ofp_header *oh)
{
    static const struct {
        enum ofptype type;
        void (*take)(struct inventory *, struct ofpbuf *msg);
    } parts[N_INVENTORY_PARTS] = {
        [INVENTORY_FLOWS] = { OFPTYPE_FLOW_STATS_REPLY, take_flows },
        [INVENTORY_METERS] = { OFPTYPE_METER_CONFIG_STATS_REPLY, take_meters },
        [INVENTORY_METER_COUNTS] = { OFPTYPE_METER_STATS_REPLY,
                                     take_meter_counts },
        [INVENTORY_GROUPS] = { OFPTYPE_GROUP_DESC_STATS_REPLY, take_groups },
        [INVENTORY_GROUP_COUNTS] = { OFPTYPE_GROUP_STATS_REPLY,
                                     take_group_counts },
    };
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        return;
    }
    for (int i = 0; i < N_INVENTORY_PARTS; i++) {
        if (type == parts[i].type && inv->xids[i] && oh->xid == inv->xids[i]) {
            struct ofpbuf msg =
                ofpbuf_const_initializer(oh, ntohs(oh->length));

            parts[i].take(inv, &msg);
            if (!ofpmp_more(oh)) {
                inv->xids[i] = 0;
            }
        }
    }
}

bool
inventory_refused(struct inventory *inv, ovs_be32 xid)
{
    for (int i = 0; i < N_INVENTORY_PARTS; i++) {
        if (inv->xids[i] && xid == inv->xids[i]) {
            inv->xids[i] = 0;
            return true;
        }
    }
    return false;
}

bool
inventory_asks_flows(const struct inventory *inv, ovs_be32 xid)
{
    return inv->xids[INVENTORY_FLOWS] && xid == inv->xids[INVENTORY_FLOWS];
}

bool
inventory_is_complete(const struct inventory *inv)
{
    for (int i = 0; i < N_INVENTORY_PARTS; i++) {
        if (inv->xids[i]) {
            return false;
        }
    }
    return true;
}

const struct ofputil_meter_config *
inventory_meter(const struct inventory *inv, size_t i)
{
    return inv->meter_found[i] ? &inv->meters[i] : NULL;
}
