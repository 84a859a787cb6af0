/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "flowset.h"

#include <string.h>

#include "byte-order.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "subnets.h"
#include "template.h"
#include "util.h"

/* Making. */

void
flowset_init(struct flowset *set, uint32_t id_base)
{
    memset(set, 0, sizeof *set);
    hmap_init(&set->flows);
    set->id_base = id_base;
}

/* Prefixes 'error', which it frees, with the file 'name' of flows/. */
static char *
template_error(const char *name, char *error)
{
    char *whole = xasprintf("flows/%s: %s", name, error);
    free(error);
    return whole;
}

/* The parser and the switch differ in the bits of nw_frag that mean nothing.
 * Leaves only those that do. */
static void
tidy_match(struct match *match)
{
    match->flow.nw_frag &= FLOW_NW_FRAG_MASK;
    match->wc.masks.nw_frag &= FLOW_NW_FRAG_MASK;
}

/* Flows are found by where they are: table, priority and match. */
static uint32_t
flow_hash(const struct match *match, int priority, uint8_t table_id)
{
    return match_hash(match, priority ^ table_id << 16);
}

char *
flowset_add_flow(struct flowset *set, const char *name,
                 const struct shash *values,
                 const struct ofputil_port_map *port_map)
{
    enum ofputil_protocol usable;
    struct wanted_flow *flow = xzalloc(sizeof *flow);

    char *error = template_expand(template_text(name), values, &flow->text);
    if (!error) {
        error = parse_ofp_flow_mod_str(&flow->fm, flow->text, port_map, NULL,
                                       OFPFC_ADD, &usable);
    }
    if (error) {
        free(flow->text);
        free(flow);
        return template_error(name, error);
    }

    struct match match;
    minimatch_expand(&flow->fm.match, &match);
    tidy_match(&match);
    minimatch_destroy(&flow->fm.match);
    minimatch_init(&flow->fm.match, &match);
    if (hmap_count(&set->flows) >= set->allocated_order) {
        set->order =
            x2nrealloc(set->order, &set->allocated_order, sizeof *set->order);
    }
    set->order[hmap_count(&set->flows)] = flow;
    hmap_insert(&set->flows, &flow->node,
                flow_hash(&match, flow->fm.priority, flow->fm.table_id));
    return NULL;
}

char *
flowset_add_flow_from(struct flowset *set, const char *name,
                      struct shash *values,
                      const struct ofputil_port_map *port_map,
                      const struct subnets *from)
{
    char *error = NULL;

    template_set(values, "ipv4_from", NULL);
    if (!from || !from->n) {
        return flowset_add_flow(set, name, values, port_map);
    }
    for (size_t i = 0; !error && i < from->n; i++) {
        const struct subnet *subnet = &from->all[i];
        char address[INET6_ADDRSTRLEN];

        template_set(values, "ipv4_from",
                     xasprintf("%s/%u",
                               address_format(&subnet->address, address),
                               subnet->prefix - 96));
        error = flowset_add_flow(set, name, values, port_map);
    }
    return error;
}

char *
flowset_add_meter(struct flowset *set, const char *name,
                  const struct shash *values)
{
    enum ofputil_protocol usable;

    if (set->n_meters >= set->allocated_meters) {
        set->meters = x2nrealloc(set->meters, &set->allocated_meters,
                                 sizeof *set->meters);
    }
    struct wanted_meter *meter = &set->meters[set->n_meters];

    char *error = template_expand(template_text(name), values, &meter->text);
    if (!error) {
        error = parse_ofp_meter_mod_str(&meter->mm, meter->text, OFPMC13_ADD,
                                        &usable);
    }
    if (error) {
        free(meter->text);
        return template_error(name, error);
    }
    set->n_meters++;
    return NULL;
}

char *
flowset_add_group(struct flowset *set, const char *name,
                  const struct shash *values,
                  const struct ofputil_port_map *port_map, uint32_t *open,
                  size_t n_open)
{
    char *text = NULL;

    if (set->n_groups >= set->allocated_groups) {
        set->groups = x2nrealloc(set->groups, &set->allocated_groups,
                                 sizeof *set->groups);
    }
    char *error = template_expand(template_text(name), values, &text);
    struct wanted_group *group = xmalloc(sizeof *group);

    if (!error) {
        error = wanted_group_init(group, text, port_map, open, n_open);
    }
    if (error) {
        free(group);
        free(text);
        free(open);
        return template_error(name, error);
    }
    set->groups[set->n_groups++] = group;
    return NULL;
}

void
flowset_destroy(struct flowset *set)
{
    struct wanted_flow *flow;

    HMAP_FOR_EACH_POP (flow, node, &set->flows) {
        free(flow->text);
        minimatch_destroy(&flow->fm.match);
        free(flow->fm.ofpacts);
        free(flow);
    }
    hmap_destroy(&set->flows);
    free(set->order);
    for (size_t i = 0; i < set->n_meters; i++) {
        free(set->meters[i].text);
        free(set->meters[i].mm.meter.bands);
    }
    free(set->meters);
    for (size_t i = 0; i < set->n_groups; i++) {
        wanted_group_uninit(set->groups[i]);
        free(set->groups[i]);
    }
    free(set->groups);
}

/* Comparing with what the switch has. */

void
installed_flow_add(struct ovs_list *installed,
                   const struct ofputil_flow_stats *fs)
{
    struct installed_flow *flow = xmalloc(sizeof *flow);

    flow->fs = *fs;
    tidy_match(&flow->fs.match);
    flow->fs.ofpacts = xmemdup(fs->ofpacts, fs->ofpacts_len);
    flow->wanted = false;
    ovs_list_push_back(installed, &flow->node);
}

void
installed_flows_clear(struct ovs_list *installed)
{
    struct installed_flow *flow;

    LIST_FOR_EACH_POP (flow, node, installed) {
        free(CONST_CAST(struct ofpact *, flow->fs.ofpacts));
        free(flow);
    }
}

/* Returns the flow of 'set' that is at the place of 'fs', or NULL. */
static struct wanted_flow *
find_at_place(const struct flowset *set, const struct ofputil_flow_stats *fs)
{
    uint32_t hash = flow_hash(&fs->match, fs->priority, fs->table_id);
    struct wanted_flow *flow;

    HMAP_FOR_EACH_WITH_HASH(flow, node, hash, &set->flows)
    {
        struct match match;

        minimatch_expand(&flow->fm.match, &match);
        if (flow->fm.priority == fs->priority
            && flow->fm.table_id == fs->table_id
            && match_equal(&match, &fs->match)) {
            return flow;
        }
    }
    return NULL;
}

/* Returns true if 'fs', which is at the place of 'flow', is as 'flow' should
 * be. */
static bool
is_as_wanted(const struct wanted_flow *flow,
             const struct ofputil_flow_stats *fs)
{
    return (fs->cookie == flow->fm.new_cookie
            && fs->idle_timeout == flow->fm.idle_timeout
            && fs->hard_timeout == flow->fm.hard_timeout
            && ofpacts_equal_stringwise(fs->ofpacts, fs->ofpacts_len,
                                        flow->fm.ofpacts,
                                        flow->fm.ofpacts_len));
}

/* Returns true if flows with 'cookie' are the relay's. */
static bool
is_relays(ovs_be64 cookie)
{
    return (cookie & htonll(COOKIE_KIND_MASK)) == htonll(COOKIE_RELAY);
}

/* Returns true if flows with 'cookie' are in the place of punts. */
static bool
is_instead_of_punts(ovs_be64 cookie)
{
    return (cookie == htonll(COOKIE_MESH_BROADCAST)
            || cookie == htonll(COOKIE_MESH_OWN_HOST));
}

/* Returns true if 'inst', which is not wanted, stays nevertheless. */
static bool
is_kept(const struct flowset *set, const struct installed_flow *inst)
{
    const ovs_be64 cookie = inst->fs.cookie;

    return ((set->kept_cookie && cookie == set->kept_cookie)
            || (set->partial && is_relays(cookie)
                && !is_instead_of_punts(cookie)));
}

/* Has the mesh's group in 'installed', if it is there and not wanted, stay
 * nevertheless if it is to.  Returns true if it does. */
static bool
keep_group(const struct flowset *set, struct ovs_list *installed)
{
    struct installed_group *group =
        installed_group_find(installed, set->id_base + FLOWSET_MESH_GROUP);

    if (!set->partial || !group || group->wanted) {
        return false;
    }
    group->wanted = true;
    return true;
}

size_t
flowset_compare(struct flowset *set, struct ovs_list *installed,
                struct ovs_list *installed_groups)
{
    size_t n_different =
        hmap_count(&set->flows)
        + groups_compare(set->groups, set->n_groups, installed_groups);
    n_different -= keep_group(set, installed_groups);
    struct installed_flow *inst;
    struct wanted_flow *flow;

    HMAP_FOR_EACH (flow, node, &set->flows) {
        flow->in_place = false;
    }
    LIST_FOR_EACH (inst, node, installed) {
        flow = find_at_place(set, &inst->fs);
        inst->wanted = flow || is_kept(set, inst);
        if (!inst->wanted) {
            n_different++;
        } else if (!flow) {
            /* Kept. */
        } else if (is_as_wanted(flow, &inst->fs)) {
            flow->in_place = true;
            flow->n_packets = inst->fs.packet_count;
            flow->n_bytes = inst->fs.byte_count;
            n_different--;
        }
    }
    return n_different;
}

void
flowset_distrust(struct flowset *set)
{
    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        struct wanted_flow *flow = set->order[i];

        if (is_relays(flow->fm.new_cookie)) {
            flow->in_place = false;
        }
    }
}

/* Appends a deletion of just 'inst'. */
static void
append_deletion(const struct installed_flow *inst, struct ovs_list *requests)
{
    struct ofputil_flow_mod fm = {
        .priority = inst->fs.priority,
        .cookie = inst->fs.cookie,
        .cookie_mask = OVS_BE64_MAX,
        .new_cookie = OVS_BE64_MAX,
        .table_id = inst->fs.table_id,
        .command = OFPFC_DELETE_STRICT,
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
    };

    minimatch_init(&fm.match, &inst->fs.match);
    struct ofpbuf *request = ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF15_OXM);
    minimatch_destroy(&fm.match);
    ovs_list_push_back(requests, &request->list_node);
}

size_t
flowset_changes(const struct flowset *set, const struct ovs_list *installed,
                const struct ovs_list *installed_groups,
                struct ovs_list *requests)
{
    const struct installed_flow *inst;
    const struct installed_group *group;
    size_t n = 0;

    for (size_t i = 0; i < set->n_groups; i++) {
        if (!set->groups[i]->in_place) {
            struct ofpbuf *request = group_encode(set->groups[i]);
            ovs_list_push_back(requests, &request->list_node);
            n++;
        }
    }

    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        if (!set->order[i]->in_place) {
            struct ofpbuf *request = ofputil_encode_flow_mod(
                &set->order[i]->fm, OFPUTIL_P_OF15_OXM);
            ovs_list_push_back(requests, &request->list_node);
            n++;
        }
    }
    LIST_FOR_EACH (inst, node, installed) {
        if (!inst->wanted) {
            append_deletion(inst, requests);
            n++;
        }
    }
    LIST_FOR_EACH (group, node, installed_groups) {
        if (!group->wanted) {
            struct ofpbuf *request =
                group_encode_deletion(group->desc.group_id);
            ovs_list_push_back(requests, &request->list_node);
            n++;
        }
    }
    return n;
}

bool
wanted_meter_equal(const struct wanted_meter *meter,
                   const struct ofputil_meter_config *config)
{
    const struct ofputil_meter_config *want = &meter->mm.meter;

    if (!config || want->flags != config->flags
        || want->n_bands != config->n_bands) {
        return false;
    }
    for (size_t i = 0; i < want->n_bands; i++) {
        const struct ofputil_meter_band *a = &want->bands[i];
        const struct ofputil_meter_band *b = &config->bands[i];

        if (a->type != b->type || a->rate != b->rate
            || a->burst_size != b->burst_size
            || a->prec_level != b->prec_level) {
            return false;
        }
    }
    return true;
}
