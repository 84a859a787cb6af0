/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_FLOWSET_H
#define SNOWRELAY_FLOWSET_H 1

/* Flow sets: the flows, meters and groups that the switch should have, and how
 * they differ from those it has.
 *
 * The wanted set is made from the templates in flows/, by the modules that
 * know what they mean (relay-flows.h, replicate-flows.h): as text, for people,
 * and parsed by libopenvswitch, for the switch.  The same text serves to
 * print, to install and to compare.
 *
 * Ownership is in the cookie: its upper 32 bits are "SNOW" in ASCII, the next
 * 16 the kind of flow, the last 16 the role within the kind.  Whatever carries
 * ours is ours to change or delete, nothing else is.  Meters and groups carry
 * no cookie; ours are those in a range of ids.
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "group.h"
#include "openvswitch/compiler.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/types.h"

struct ofputil_port_map;
struct shash;
struct subnets;

#define COOKIE_OURS UINT64_C(0x534e4f5700000000)
#define COOKIE_OURS_MASK UINT64_C(0xffffffff00000000)
#define COOKIE_RELAY UINT64_C(0x534e4f5700010000)
#define COOKIE_MESH_BROADCAST UINT64_C(0x534e4f5700010005)
#define COOKIE_MESH_OWN_HOST UINT64_C(0x534e4f5700010006)
#define COOKIE_MESH_OUT UINT64_C(0x534e4f5700010007)
#define COOKIE_MESH_SOURCE UINT64_C(0x534e4f5700010009)
#define COOKIE_MESH_IN UINT64_C(0x534e4f570001000a)
#define COOKIE_REPLICATE UINT64_C(0x534e4f5700020000)
#define COOKIE_TUNNEL UINT64_C(0x534e4f5700020004)
#define COOKIE_KIND_MASK UINT64_C(0xffffffffffff0000)

/* Meter ids from the base on that are ours, whether in use or not. */
enum { FLOWSET_MAX_METERS = 256 };

/* Number of the mesh's group, from the base on: the rules' come before. */
enum { FLOWSET_MESH_GROUP = 256 };

/* A flow that is wanted. */
struct wanted_flow {
    struct hmap_node node; /* In "struct flowset" 'flows'. */
    char *text;            /* As ovs-ofctl add-flow takes it. */
    struct ofputil_flow_mod fm;
    uint64_t tag;       /* For who added it, 0 at first. */
    bool in_place;      /* Found by flowset_compare(). */
    uint64_t n_packets; /* Counted by the switch, if in place. */
    uint64_t n_bytes;
};

/* A meter that is wanted. */
struct wanted_meter {
    char *text; /* As ovs-ofctl add-meter takes it. */
    struct ofputil_meter_mod mm;
};

struct flowset {
    struct hmap flows;          /* Of "struct wanted_flow". */
    struct wanted_flow **order; /* The same, as they were added. */
    size_t allocated_order;
    struct wanted_meter *meters;
    size_t n_meters, allocated_meters;
    struct wanted_group **groups;
    size_t n_groups, allocated_groups;
    uint32_t id_base;     /* First id of meters and groups. */
    ovs_be64 kept_cookie; /* Flows with it stay although they are not wanted,
                           * unless it is 0. */
    bool claimed; /* Has it what a relay that claims to forward needs? */
    bool partial; /* Is more to come for the relay?  Its flows, meters and
                   * group stay until then, but for flows that would be in the
                   * way of those that are wanted. */
};

/* Makes an empty set. */
void flowset_init(struct flowset *, uint32_t id_base);
void flowset_destroy(struct flowset *);

/* Add to 'set' the flow, or the meter, in the file 'name' of flows/, filled in
 * from 'values'.  A flow may name ports that 'port_map' knows (NULL for none).
 * Return NULL, or a message that the caller frees. */
char *flowset_add_flow(
    struct flowset *set, const char *name, const struct shash *values,
    const struct ofputil_port_map *port_map) OVS_WARN_UNUSED_RESULT;
char *flowset_add_meter(struct flowset *set, const char *name,
                        const struct shash *values) OVS_WARN_UNUSED_RESULT;

/* Adds the flow as often as there are subnets in 'from', each time with one of
 * them, which must be IPv4 ones, as the value "ipv4_from"; once and without
 * that value if there are none, or 'from' is NULL. */
char *flowset_add_flow_from(struct flowset *set, const char *name,
                            struct shash *values,
                            const struct ofputil_port_map *port_map,
                            const struct subnets *from) OVS_WARN_UNUSED_RESULT;

/* Adds to 'set' the group in the file 'name' of flows/, filled in from
 * 'values'.  Of its buckets, the 'n_open' whose ids are in 'open', which it
 * takes over, are open (group.h).  Returns NULL, or a message that the caller
 * frees. */
char *flowset_add_group(struct flowset *set, const char *name,
                        const struct shash *values,
                        const struct ofputil_port_map *port_map,
                        uint32_t *open, size_t n_open) OVS_WARN_UNUSED_RESULT;

/* A flow of ours that the switch has, copied from its flow statistics. */
struct installed_flow {
    struct ovs_list node;
    struct ofputil_flow_stats fs; /* Owns its 'ofpacts'. */
    bool wanted;                  /* Found by flowset_compare(). */
};

/* Appends a copy of 'fs' to 'installed'. */
void installed_flow_add(struct ovs_list *installed,
                        const struct ofputil_flow_stats *fs);
void installed_flows_clear(struct ovs_list *installed);

/* Notes in each flow and group of 'set' whether it is in 'installed', a list
 * of "struct installed_flow", or 'installed_groups', of "struct
 * installed_group", and in each of those whether it is wanted.  Returns the
 * number of what is wanted and not there as it should be plus the number of
 * what is there and not wanted. */
size_t flowset_compare(struct flowset *set, struct ovs_list *installed,
                       struct ovs_list *installed_groups);

/* Notes that no flow of the relay's in 'set', which are those that name
 * meters, is in place, whatever was found. */
void flowset_distrust(struct flowset *set);

/* Appends to 'requests', a list of "struct ofpbuf", the OpenFlow 1.5 messages
 * that turn 'installed' and 'installed_groups' into 'set', which
 * flowset_compare() has compared: first groups, which flows name, and flows,
 * then deletions, so that in no order does a datagram go unnoticed.  Returns
 * their number. */
size_t
flowset_changes(const struct flowset *set, const struct ovs_list *installed,
                const struct ovs_list *installed_groups,
                struct ovs_list *requests);

/* Compares 'meter' of 'set' with what the switch says of it, NULL if the
 * switch does not have it. */
bool wanted_meter_equal(const struct wanted_meter *meter,
                        const struct ofputil_meter_config *config);

#endif /* flowset.h */
