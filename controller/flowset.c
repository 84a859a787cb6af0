/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "flowset.h"

#include <string.h>

#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "punt.h"
#include "template.h"
#include "util.h"

/* Filling in the templates. */

static void
set_value(struct shash *values, const char *name, char *value)
{
    free(shash_replace(values, name, value));
}

/* Sets the values that are the same for all ports and MACs. */
static void
set_common_values(struct shash *values, const struct flowset_params *p)
{
    set_value(values, "controller", xasprintf("%u", PUNT_CONTROLLER_ID));
    set_value(values, "destination",
              xasprintf(IP_FMT, IP_ARGS(p->destination)));
    set_value(values, "forward", xstrdup(p->forward));
    set_value(values, "max_pps", xasprintf("%" PRIu32, p->max_pps));
    set_value(values, "punt_priority", xasprintf("%u", p->flow_priority));
    set_value(values, "loop_filter_priority",
              xasprintf("%u", p->flow_priority + 1));
    set_value(values, "own_host_priority",
              xasprintf("%u", p->flow_priority + 2));
}

/* Sets the values for the 'i'th broadcast port. */
static void
set_port_values(struct shash *values, const struct flowset_params *p, size_t i)
{
    set_value(values, "port", xasprintf("%u", p->ports[i]));
    set_value(values, "meter",
              xasprintf("%" PRIu32, p->id_base + (uint32_t) i));
    set_value(values, "userdata", punt_userdata(PUNT_BROADCAST, p->ports[i]));
}

static void
set_mac_value(struct shash *values, struct eth_addr mac)
{
    set_value(values, "local_mac",
              xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac)));
}

/* Prefixes 'error', which it frees, with the file 'name' of flows/. */
static char *
template_error(const char *name, char *error)
{
    char *whole = xasprintf("flows/%s: %s", name, error);
    free(error);
    return whole;
}

/* Flows are found by where they are: table, priority and match. */
static uint32_t
flow_hash(const struct match *match, int priority, uint8_t table_id)
{
    return match_hash(match, priority ^ table_id << 16);
}

/* Adds to 'set' the flow in the file 'name' of flows/. */
static char *
add_flow(struct flowset *set, const char *name, const struct shash *values)
{
    enum ofputil_protocol usable;
    struct wanted_flow *flow = xzalloc(sizeof *flow);

    char *error = template_expand(template_text(name), values, &flow->text);
    if (!error) {
        error = parse_ofp_flow_mod_str(&flow->fm, flow->text, NULL, NULL,
                                       OFPFC_ADD, &usable);
    }
    if (error) {
        free(flow->text);
        free(flow);
        return template_error(name, error);
    }

    struct match match;
    minimatch_expand(&flow->fm.match, &match);
    flow->order = hmap_count(&set->flows);
    hmap_insert(&set->flows, &flow->node,
                flow_hash(&match, flow->fm.priority, flow->fm.table_id));
    return NULL;
}

/* Adds to 'set' the meter in the file 'name' of flows/. */
static char *
add_meter(struct flowset *set, const char *name, const struct shash *values)
{
    struct wanted_meter *meter = &set->meters[set->n_meters];
    enum ofputil_protocol usable;

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

/* Adds the flows and the meter of one broadcast port. */
static char *
add_port(struct flowset *set, const struct flowset_params *p,
         struct shash *values)
{
    char *error = add_meter(set, "punt.meter", values);
    if (!error) {
        error = add_flow(set, "punt-own-host.flow", values);
    }
    for (size_t i = 0; !error && i < p->n_local_macs; i++) {
        set_mac_value(values, p->local_macs[i]);
        error = add_flow(set, "loop-filter.flow", values);
    }
    if (!error) {
        error = add_flow(set, "punt.flow", values);
    }
    return error;
}

/* Sets the actions for emission, which are those of the first local MAC. */
static char *
set_emission(struct flowset *set, const struct flowset_params *p,
             struct shash *values)
{
    if (!p->n_local_macs) {
        return NULL;
    }
    set_mac_value(values, p->local_macs[0]);

    char *error = template_expand(template_text("emit.actions"), values,
                                  &set->emit_keep);
    return error ? error
                 : template_expand(template_text("emit-rewritten.actions"),
                                   values, &set->emit_rewrite);
}

/* Makes 'set->order'. */
static void
put_in_order(struct flowset *set)
{
    struct wanted_flow *flow;

    set->order = xcalloc(hmap_count(&set->flows), sizeof *set->order);
    HMAP_FOR_EACH (flow, node, &set->flows) {
        set->order[flow->order] = flow;
    }
}

char *
flowset_build(const struct flowset_params *p, struct flowset *set)
{
    struct shash values = SHASH_INITIALIZER(&values);
    char *error = NULL;

    memset(set, 0, sizeof *set);
    hmap_init(&set->flows);
    set->id_base = p->id_base;
    set->meters = xcalloc(p->n_ports, sizeof *set->meters);

    set_common_values(&values, p);
    for (size_t i = 0; !error && i < p->n_ports; i++) {
        set_port_values(&values, p, i);
        error = add_port(set, p, &values);
    }
    if (!error) {
        error = set_emission(set, p, &values);
    }
    shash_destroy_free_data(&values);

    if (error) {
        flowset_destroy(set);
    } else {
        put_in_order(set);
    }
    return error;
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
    free(set->emit_keep);
    free(set->emit_rewrite);
}

/* Comparing with what the switch has. */

void
installed_flow_add(struct ovs_list *installed,
                   const struct ofputil_flow_stats *fs)
{
    struct installed_flow *flow = xmalloc(sizeof *flow);

    flow->fs = *fs;
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

size_t
flowset_compare(struct flowset *set, struct ovs_list *installed)
{
    size_t n_different = hmap_count(&set->flows);
    struct installed_flow *inst;
    struct wanted_flow *flow;

    HMAP_FOR_EACH (flow, node, &set->flows) {
        flow->in_place = false;
    }
    LIST_FOR_EACH (inst, node, installed) {
        flow = find_at_place(set, &inst->fs);
        inst->wanted = flow != NULL;
        if (!flow) {
            n_different++;
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
        set->order[i]->in_place = false;
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
                struct ovs_list *requests)
{
    const struct installed_flow *inst;
    size_t n = 0;

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
