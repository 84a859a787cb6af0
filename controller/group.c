/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "group.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "util.h"

/* Wanted. */

char *
wanted_group_init(struct wanted_group *group, char *text,
                  const struct ofputil_port_map *port_map, uint32_t *open,
                  size_t n_open)
{
    enum ofputil_protocol usable;

    memset(group, 0, sizeof *group);
    ovs_list_init(&group->buckets);
    char *error = parse_ofp_group_mod_str(&group->gm, OFPGC11_ADD, text,
                                          port_map, NULL, &usable);
    if (!error) {
        group->text = text;
        group->open = open;
        group->n_open = n_open;
    }
    return error;
}

void
wanted_group_uninit(struct wanted_group *group)
{
    free(group->text);
    free(group->open);
    ofputil_bucket_list_destroy(&group->gm.buckets);
    ofputil_group_properties_destroy(&group->gm.props);
    ofputil_bucket_list_destroy(&group->buckets);
}

static bool
is_open(const struct wanted_group *group, uint32_t bucket_id)
{
    for (size_t i = 0; i < group->n_open; i++) {
        if (group->open[i] == bucket_id) {
            return true;
        }
    }
    return false;
}

/* Has 'bucket', which is open, do what 'installed' has it do. */
static void
fill_in(struct ofputil_bucket *bucket, const struct installed_group *installed)
{
    const struct ofputil_bucket *there =
        installed
            ? ofputil_bucket_find(&installed->desc.buckets, bucket->bucket_id)
            : NULL;
    if (there) {
        free(bucket->ofpacts);
        bucket->ofpacts = xmemdup(there->ofpacts, there->ofpacts_len);
        bucket->ofpacts_len = there->ofpacts_len;
    }
}

/* Works out the buckets of 'group', given what the switch has. */
static void
work_out_buckets(struct wanted_group *group,
                 const struct installed_group *installed)
{
    struct ofputil_bucket *bucket;

    ofputil_bucket_list_destroy(&group->buckets);
    ovs_list_init(&group->buckets);
    ofputil_bucket_clone_list(&group->buckets, &group->gm.buckets, NULL);
    LIST_FOR_EACH_SAFE (bucket, list_node, &group->buckets) {
        if (!is_open(group, bucket->bucket_id)) {
            continue;
        }
        fill_in(bucket, installed);

        /* In a select group a bucket that sends nothing would still get its
         * share of the exporters. */
        if (!bucket->ofpacts_len && group->gm.type == OFPGT11_SELECT) {
            ovs_list_remove(&bucket->list_node);
            free(bucket->ofpacts);
            free(bucket);
        }
    }
}

/* Installed. */

void
installed_group_add(struct ovs_list *installed,
                    const struct ofputil_group_desc *desc)
{
    struct installed_group *group = xzalloc(sizeof *group);
    const struct ofputil_bucket *bucket;
    size_t i = 0;

    group->desc = *desc;
    ovs_list_move(&group->desc.buckets,
                  CONST_CAST(struct ovs_list *, &desc->buckets));
    group->n_counts = ovs_list_size(&group->desc.buckets);
    group->counts = xcalloc(group->n_counts, sizeof *group->counts);
    LIST_FOR_EACH (bucket, list_node, &group->desc.buckets) {
        group->counts[i].bucket_id = bucket->bucket_id;
        group->counts[i++].sends = bucket->ofpacts_len > 0;
    }
    ovs_list_push_back(installed, &group->node);
}

void
installed_groups_clear(struct ovs_list *installed)
{
    struct installed_group *group;

    LIST_FOR_EACH_POP (group, node, installed) {
        ofputil_uninit_group_desc(&group->desc);
        free(group->counts);
        free(group);
    }
}

struct installed_group *
installed_group_find(const struct ovs_list *installed, uint32_t id)
{
    struct installed_group *group;

    LIST_FOR_EACH (group, node, installed) {
        if (group->desc.group_id == id) {
            return group;
        }
    }
    return NULL;
}

void
installed_group_count(struct installed_group *group,
                      const struct ofputil_group_stats *stats)
{
    /* The buckets come in the order of the description. */
    for (size_t i = 0; i < MIN(group->n_counts, stats->n_buckets); i++) {
        group->counts[i].n_packets = stats->bucket_stats[i].packet_count;
        group->counts[i].n_bytes = stats->bucket_stats[i].byte_count;
    }
}

/* Comparing. */

static bool
bucket_equal(const struct ofputil_bucket *a, const struct ofputil_bucket *b)
{
    return (a->bucket_id == b->bucket_id && a->weight == b->weight
            && a->watch_port == b->watch_port
            && a->watch_group == b->watch_group
            && ofpacts_equal_stringwise(a->ofpacts, a->ofpacts_len, b->ofpacts,
                                        b->ofpacts_len));
}

static bool
buckets_equal(const struct ovs_list *a, const struct ovs_list *b)
{
    const struct ovs_list *p = a->next, *q = b->next;

    while (p != a && q != b) {
        if (!bucket_equal(CONTAINER_OF(p, struct ofputil_bucket, list_node),
                          CONTAINER_OF(q, struct ofputil_bucket, list_node))) {
            return false;
        }
        p = p->next;
        q = q->next;
    }
    return p == a && q == b;
}

static bool
props_equal(const struct ofputil_group_props *a,
            const struct ofputil_group_props *b)
{
    return (!strcmp(a->selection_method, b->selection_method)
            && a->selection_method_param == b->selection_method_param
            && !memcmp(&a->fields.used, &b->fields.used, sizeof a->fields.used)
            && a->fields.values_size == b->fields.values_size
            && (!a->fields.values_size
                || !memcmp(a->fields.values, b->fields.values,
                           a->fields.values_size)));
}

static bool
is_as_wanted(const struct wanted_group *group,
             const struct installed_group *installed)
{
    return (installed && installed->desc.type == group->gm.type
            && props_equal(&installed->desc.props, &group->gm.props)
            && buckets_equal(&installed->desc.buckets, &group->buckets));
}

size_t
groups_compare(struct wanted_group **wanted, size_t n,
               struct ovs_list *installed)
{
    struct installed_group *inst;
    size_t n_different = 0;

    LIST_FOR_EACH (inst, node, installed) {
        inst->wanted = false;
    }
    for (size_t i = 0; i < n; i++) {
        struct wanted_group *group = wanted[i];

        inst = installed_group_find(installed, group->gm.group_id);
        work_out_buckets(group, inst);
        group->exists = inst != NULL;
        group->in_place = is_as_wanted(group, inst);
        if (inst) {
            inst->wanted = true;
        }
        n_different += !group->in_place;
    }
    LIST_FOR_EACH (inst, node, installed) {
        n_different += !inst->wanted;
    }
    return n_different;
}

struct ofpbuf *
group_encode(const struct wanted_group *group)
{
    struct ofputil_group_mod gm = group->gm;

    /* The head of a list cannot be copied. */
    ovs_list_init(&gm.buckets);
    ofputil_bucket_clone_list(&gm.buckets, &group->buckets, NULL);
    gm.command = group->exists ? OFPGC11_MODIFY : OFPGC11_ADD;

    struct ofpbuf *msg =
        ofputil_encode_group_mod(OFP15_VERSION, &gm, NULL, -1);
    ofputil_bucket_list_destroy(&gm.buckets);
    return msg;
}

struct ofpbuf *
group_encode_deletion(uint32_t id)
{
    struct ofputil_group_mod gm = {
        .command = OFPGC11_DELETE,
        .group_id = id,
        .command_bucket_id = OFPG15_BUCKET_ALL,
    };

    ovs_list_init(&gm.buckets);
    return ofputil_encode_group_mod(OFP15_VERSION, &gm, NULL, -1);
}
