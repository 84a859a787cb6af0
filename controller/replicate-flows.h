/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_REPLICATE_FLOWS_H
#define SNOWRELAY_REPLICATE_FLOWS_H 1

/* Replication's flows: what the switch needs for copying.
 *
 * For each rule a group with a bucket for each collector; a second one where
 * the rule takes both IP versions and not all collectors can be written to
 * alike, and one for what is addressed to this very host where a collector on
 * the rule's own port gets that anyway.  For each pattern of the rules, and
 * for each overlap of theirs (overlap.h), a flow to the groups and on the
 * normal way, and one that counts the fragments, which are not copied.
 *
 * Group ids: from the base on, the variant (below) times RULE_MAX plus the
 * 'slot' of the rule (rule.h).
 *
 * Priorities, around relay.flow_priority, so that broadcasts of relayed ports
 * are relayed and what comes out of a tunnel is neither relayed nor forwarded;
 * those that only count fragments are lower than anybody's:
 *
 *    -REPLICATE_PRIORITIES_BELOW     copies, by specificity
 *    REPLICATE_PRIORITIES_GUARD      what comes out of a tunnel
 *    ...plus 1                       what rules take of it, by specificity
 *    REPLICATE_PRIORITY_FRAGMENTS    (absolute) fragments, by specificity
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "openvswitch/types.h"
#include "overlap.h"
#include "rule.h"
#include "way.h"

struct config;
struct flowset;
struct ports;

enum {
    REPLICATE_PRIORITIES_BELOW = 200,
    REPLICATE_PRIORITIES_GUARD = 10,
    REPLICATE_PRIORITIES_ABOVE =
        REPLICATE_PRIORITIES_GUARD + 1 + PATTERN_MAX_SPECIFICITY,
    REPLICATE_PRIORITY_FRAGMENTS = 1,

    /* Most flows of all rules. */
    REPLICATE_MAX_CELLS = 4096
};

/* A rule has a group for each of these, where they differ. */
enum {
    VARIANT_IPV6 = 1, /* Datagrams of IPv6, else of IPv4. */
    VARIANT_OWN = 2,  /* Addressed to this host, else to others. */
    N_VARIANTS = 4
};

/* What the flows are made from. */
struct replicate_flows_params {
    const struct rules *rules;
    struct collector_ways **ways; /* Of each rule's each collector. */
    char (*tunnel_ports)[16];     /* Of each rule: the port that it listens
                                   * to if it has a 'remote', "" while there
                                   * is none. */
    const struct in6_addr *own;   /* Addresses that reach this host anyway. */
    size_t n_own;
    const char *bridge; /* Its name, that of its own port. */
    struct eth_addr bridge_mac;
    uint16_t flow_priority;
    const char *forward;       /* Actions, such as "NORMAL". */
    const struct ports *ports; /* Of the bridge. */
    bool keep_tunnels;         /* Do flows for what comes out of tunnels stay,
                                * since not all tunnels are known? */
};

/* Adds to 'set' what 'params' ask for.  A rule that names an ingress port that
 * the bridge does not have gets its groups, and no flows yet.  Returns NULL,
 * or a message that the caller frees. */
char *replicate_flows_add(const struct replicate_flows_params *params,
                          struct flowset *set) OVS_WARN_UNUSED_RESULT;

/* Checks that flows can be made from the rules of 'config', whatever may be
 * known of their collectors.  Returns NULL, or a message that the caller
 * frees. */
char *
replicate_flows_check(const struct config *config) OVS_WARN_UNUSED_RESULT;

#endif /* replicate-flows.h */
