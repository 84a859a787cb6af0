/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_GROUP_H
#define SNOWRELAY_GROUP_H 1

/* Groups: what copies are made with, wanted and installed.
 *
 * Groups carry no cookie; ours are those whose id is one of the GROUP_MAX_IDS
 * from 'id_base' on.
 *
 * What to do for a collector may be unknown for a while, after a start for
 * instance, when its name has not been looked up yet.  Then its bucket is
 * open: the one that the switch has under the same bucket id is as wanted, and
 * if it has none there is nothing to send. So a restart costs no collector a
 * datagram.
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "openvswitch/list.h"
#include "openvswitch/ofp-group.h"

struct ofpbuf;
struct ofputil_port_map;

/* Group ids from the base on that are ours, whether in use or not. */
enum { GROUP_MAX_IDS = 257 };

/* What the switch has counted for a bucket. */
struct bucket_count {
    uint32_t bucket_id;
    bool sends; /* Has it actions, or does it only count? */
    uint64_t n_packets;
    uint64_t n_bytes;
};

/* A group that is wanted. */
struct wanted_group {
    char *text; /* As ovs-ofctl add-group takes it. */
    struct ofputil_group_mod gm;
    uint32_t *open; /* Ids of its open buckets, which say "drop". */
    size_t n_open;

    /* Found by group_compare(). */
    bool in_place;
    bool exists;             /* Has the switch a group of this id? */
    struct ovs_list buckets; /* Of "struct ofputil_bucket": those of 'gm', the
                              * open ones filled in. */
};

/* Makes in '*group' what 'text' says; it takes over 'text', and 'open', which
 * has 'n_open' bucket ids, if it succeeds.  Returns NULL, or a message that
 * the caller frees. */
char *wanted_group_init(struct wanted_group *group, char *text,
                        const struct ofputil_port_map *, uint32_t *open,
                        size_t n_open) OVS_WARN_UNUSED_RESULT;
void wanted_group_uninit(struct wanted_group *);

/* A group of ours that the switch has. */
struct installed_group {
    struct ovs_list node;
    struct ofputil_group_desc desc;
    struct bucket_count *counts; /* As many as 'desc' has buckets. */
    size_t n_counts;
    bool wanted; /* Found by groups_compare(). */
};

/* Appends 'desc' to 'installed', and takes over its buckets and properties. */
void installed_group_add(struct ovs_list *installed,
                         const struct ofputil_group_desc *desc);
void installed_groups_clear(struct ovs_list *installed);

/* Returns the group 'id' of 'installed', NULL if there is none. */
struct installed_group *
installed_group_find(const struct ovs_list *installed, uint32_t id);

/* Notes what the switch has counted for the buckets of 'group'. */
void installed_group_count(struct installed_group *group,
                           const struct ofputil_group_stats *stats);

/* Notes in each of the 'n' groups in 'wanted' whether it is in 'installed', a
 * list of "struct installed_group", and in each of those whether it is wanted.
 * Returns the number of wanted groups that are not there as they should be
 * plus the number of those there that are not wanted. */
size_t groups_compare(struct wanted_group **wanted, size_t n,
                      struct ovs_list *installed);

/* Returns the OpenFlow 1.5 message that makes or changes 'group', which
 * groups_compare() has compared, or one that deletes the group 'id'.  Deleting
 * a group that is not there is no error. */
struct ofpbuf *group_encode(const struct wanted_group *group);
struct ofpbuf *group_encode_deletion(uint32_t id);

#endif /* group.h */
