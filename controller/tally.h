/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TALLY_H
#define SNOWRELAY_TALLY_H 1

/* Tally: what collectors have got, as the switch counts it.
 *
 * The switch counts for each bucket of each group, and begins at 0 again when
 * a group is changed; a collector has a bucket in each variant of its rule's
 * groups.  The tally adds up what all of them have counted, and goes on.
 *
 * Pure: no I/O. */

#include <stddef.h>
#include <stdint.h>

#include "openvswitch/shash.h"
#include "replicate-flows.h"

struct flowset;
struct inventory;
struct rules;

/* What a bucket had counted when it was last looked at. */
struct last_count {
    uint64_t n_packets, n_bytes;
};

struct collector_tally {
    uint64_t n_packets; /* Sent to it. */
    uint64_t n_bytes;
    struct last_count last[N_VARIANTS];
};

struct rule_tally {
    struct collector_tally *collectors; /* As many as the rule has. */
    uint64_t n_fragments; /* IP fragments that may have belonged to it. */
};

struct tally {
    const struct rules *rules;
    struct rule_tally *of;        /* Of each of the rules... */
    size_t n;                     /* ...of which there are so many. */
    struct shash fragment_counts; /* By flow, a "uint64_t" each: what the
                                   * switch had counted. */
};

void tally_init(struct tally *);
void tally_uninit(struct tally *);

/* Makes it the tally of 'rules', which must stay until the next call has
 * returned.  Rules and collectors that were there before keep what they have.
 */
void tally_set_rules(struct tally *, const struct rules *rules);

/* Takes in what the switch has counted: for the flows of 'set', which were
 * made for the rules and compared, and for the groups of 'inv'.  'ways' has
 * the ways to the collectors of each rule. */
void tally_take(struct tally *, struct collector_ways *const *ways,
                const struct flowset *set, const struct inventory *inv);

#endif /* tally.h */
