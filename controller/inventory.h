/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_INVENTORY_H
#define SNOWRELAY_INVENTORY_H 1

/* Inventory: what the switch has of ours, as it answers when asked.
 *
 * Pure: the caller sends the questions and brings the answers. */

#include <stdbool.h>
#include <stdint.h>

#include "flowset.h"
#include "openvswitch/list.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/types.h"

struct ofp_header;

/* What is asked for. */
enum inventory_part {
    INVENTORY_FLOWS,
    INVENTORY_METERS,
    INVENTORY_METER_COUNTS,
    INVENTORY_GROUPS,
    INVENTORY_GROUP_COUNTS,
    N_INVENTORY_PARTS
};

struct inventory {
    struct ovs_list flows;  /* Of "struct installed_flow". */
    struct ovs_list groups; /* Of "struct installed_group". */

    /* Meters, by id, less 'id_base'. */
    struct ofputil_meter_config meters[FLOWSET_MAX_METERS];
    bool meter_found[FLOWSET_MAX_METERS];
    uint64_t meter_dropped[FLOWSET_MAX_METERS]; /* Frames that they cut. */

    uint32_t id_base;
    ovs_be32 xids[N_INVENTORY_PARTS]; /* Of the questions, 0 once answered. */
};

void inventory_init(struct inventory *);

/* Forgets everything, and what has been asked. */
void inventory_clear(struct inventory *);

/* Forgets everything, and appends the questions to 'requests', a list of
 * "struct ofpbuf".  Meters and groups are ours from 'id_base' on. */
void
inventory_ask(struct inventory *, uint32_t id_base, struct ovs_list *requests);

/* Takes 'oh' if it answers one of the questions. */
void inventory_take(struct inventory *, const struct ofp_header *oh);

/* Takes notice that the switch refused the question 'xid'.  A switch without
 * meters or groups has none of ours.  Returns false if it was none of these
 * questions. */
bool inventory_refused(struct inventory *, ovs_be32 xid);

/* Returns true if 'xid' is the question for flows. */
bool inventory_asks_flows(const struct inventory *, ovs_be32 xid);

/* Returns true if everything has been answered. */
bool inventory_is_complete(const struct inventory *);

/* Returns what the switch has for the meter id 'id_base' plus 'i', NULL if
 * nothing. */
const struct ofputil_meter_config *
inventory_meter(const struct inventory *, size_t i);

#endif /* inventory.h */
