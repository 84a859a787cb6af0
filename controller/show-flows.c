/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-flows.h"

#include <inttypes.h>

#include "flowset.h"
#include "inventory.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-group.h"
#include "packets.h"
#include "util.h"

/* Appends 'fs' to 'out' as ovs-ofctl add-flow would take it. */
static void
format_installed(const struct ofputil_flow_stats *fs, struct ds *out)
{
    const struct ofpact_format_params fp = { .s = out };

    ds_put_format(out, "cookie=0x%" PRIx64 ",table=%u,", ntohll(fs->cookie),
                  fs->table_id);
    match_format(&fs->match, NULL, out, fs->priority);
    ds_put_cstr(out, ",actions=");
    ofpacts_format(fs->ofpacts, fs->ofpacts_len, &fp);
}

/* Returns the flow of 'installed' at the place of 'flow', or NULL. */
static const struct installed_flow *
find_installed(const struct wanted_flow *flow,
               const struct ovs_list *installed)
{
    const struct installed_flow *inst;
    struct match match;

    minimatch_expand(&flow->fm.match, &match);
    LIST_FOR_EACH (inst, node, installed) {
        if (inst->fs.priority == flow->fm.priority
            && inst->fs.table_id == flow->fm.table_id
            && match_equal(&inst->fs.match, &match)) {
            return inst;
        }
    }
    return NULL;
}

static void
show_wanted_flows(const struct flowset *set, const struct ovs_list *installed,
                  struct ds *out)
{
    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        const struct wanted_flow *flow = set->order[i];
        const struct installed_flow *inst = find_installed(flow, installed);

        ds_put_format(out, "wanted:    %s\n", flow->text);
        if (flow->in_place) {
            ds_put_format(out,
                          "installed: the same, n_packets=%" PRIu64
                          ", n_bytes=%" PRIu64 "\n",
                          flow->n_packets, flow->n_bytes);
        } else if (inst) {
            ds_put_cstr(out, "installed: ");
            format_installed(&inst->fs, out);
            ds_put_char(out, '\n');
        } else {
            ds_put_cstr(out, "installed: none\n");
        }
    }
}

static void
show_other_flows(const struct ovs_list *installed, struct ds *out)
{
    const struct installed_flow *inst;

    LIST_FOR_EACH (inst, node, installed) {
        if (!inst->wanted) {
            ds_put_cstr(out, "wanted:    none\ninstalled: ");
            format_installed(&inst->fs, out);
            ds_put_char(out, '\n');
        }
    }
}

static void
show_meters(const struct flowset *set, const struct inventory *inv,
            struct ds *out)
{
    for (size_t i = 0; i < set->n_meters; i++) {
        const struct ofputil_meter_config *meter = inventory_meter(inv, i);

        ds_put_format(out, "wanted:    %s\ninstalled: ", set->meters[i].text);
        if (wanted_meter_equal(&set->meters[i], meter)) {
            ds_put_cstr(out, "the same\n");
        } else if (meter) {
            ofputil_format_meter_config(out, meter);
            ds_put_char(out, '\n');
        } else {
            ds_put_cstr(out, "none\n");
        }
    }
}

/* Appends 'desc' to 'out' as ovs-ofctl add-group would take it. */
static void
format_group(const struct ofputil_group_desc *desc, struct ds *out)
{
    const struct ofpact_format_params fp = { .s = out };
    const struct ofputil_bucket *bucket;

    ds_put_format(out, "group_id=%" PRIu32 ",type=%s", desc->group_id,
                  desc->type == OFPGT11_ALL      ? "all"
                  : desc->type == OFPGT11_SELECT ? "select"
                                                 : "other");
    LIST_FOR_EACH (bucket, list_node, &desc->buckets) {
        ds_put_format(
            out, ",bucket=bucket_id=%" PRIu32 ",actions=", bucket->bucket_id);
        ofpacts_format(bucket->ofpacts, bucket->ofpacts_len, &fp);
    }
}

static void
show_groups(const struct flowset *set, const struct inventory *inv,
            struct ds *out)
{
    const struct installed_group *inst;

    for (size_t i = 0; i < set->n_groups; i++) {
        const struct wanted_group *group = set->groups[i];

        inst = installed_group_find(&inv->groups, group->gm.group_id);
        ds_put_format(out, "wanted:    %s\ninstalled: ", group->text);
        if (group->in_place) {
            ds_put_format(out, "the same%s",
                          group->n_open ? ", and what is not known of it: "
                                        : "");
        }
        if (inst && (!group->in_place || group->n_open)) {
            format_group(&inst->desc, out);
        } else if (!inst) {
            ds_put_cstr(out, "none");
        }
        ds_put_char(out, '\n');
    }
    LIST_FOR_EACH (inst, node, &inv->groups) {
        if (!inst->wanted) {
            ds_put_cstr(out, "wanted:    none\ninstalled: ");
            format_group(&inst->desc, out);
            ds_put_char(out, '\n');
        }
    }
}

char *
show_flows(const struct flowset *set, const struct inventory *inv)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    show_wanted_flows(set, &inv->flows, &out);
    show_other_flows(&inv->flows, &out);
    show_meters(set, inv, &out);
    show_groups(set, inv, &out);
    return ds_steal_cstr(&out);
}
