/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "flowset.h"
#include "inventory.h"
#include "openvswitch/util.h"
#include "rule.h"
#include "util.h"

void
tally_init(struct tally *t)
{
    memset(t, 0, sizeof *t);
    shash_init(&t->fragment_counts);
}

/* Frees 'of', which has an element for each of the 'n' rules. */
static void
free_tallies(struct rule_tally *of, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(of[i].collectors);
    }
    free(of);
}

void
tally_uninit(struct tally *t)
{
    free_tallies(t->of, t->n);
    shash_destroy_free_data(&t->fragment_counts);
}

/* Takes over what 'before' has for collectors that 'rule' has too. */
static void
keep_tally(const struct rule *rule, struct rule_tally *after,
           const struct rule *old_rule, const struct rule_tally *before)
{
    after->n_fragments = before->n_fragments;
    for (size_t i = 0; i < rule->n_collectors; i++) {
        for (size_t j = 0; j < old_rule->n_collectors; j++) {
            if (!strcmp(rule->collectors[i].text,
                        old_rule->collectors[j].text)) {
                after->collectors[i] = before->collectors[j];
            }
        }
    }
}

void
tally_set_rules(struct tally *t, const struct rules *rules)
{
    struct rule_tally *of = xcalloc(rules->n, sizeof *of);

    for (size_t i = 0; i < rules->n; i++) {
        const struct rule *rule = &rules->rules[i];

        of[i].collectors =
            xcalloc(rule->n_collectors, sizeof *of[i].collectors);
        for (size_t j = 0; j < t->n; j++) {
            if (!strcmp(rule->name, t->rules->rules[j].name)) {
                keep_tally(rule, &of[i], &t->rules->rules[j], &t->of[j]);
            }
        }
    }
    free_tallies(t->of, t->n);
    t->of = of;
    t->n = rules->n;
    t->rules = rules;
}

/* Adds what a counter has counted since it said '*last', or since it began
 * anew, to '*total', if that counts. */
static void
add_count(uint64_t count, bool counts, uint64_t *last, uint64_t *total)
{
    if (counts) {
        *total += count >= *last ? count - *last : count;
    }
    *last = count;
}

/* Takes in 'count', of a bucket of the collector 'c' in 'variant' of its
 * group.  A bucket without actions sends nothing; but where the collector gets
 * the original it counts what that brings. */
static void
count_bucket(const struct rule *rule, const struct collector *c,
             const struct way *way, struct collector_tally *tally, int variant,
             const struct bucket_count *count)
{
    bool counts =
        (count->sends
         || (variant & VARIANT_OWN && way_is_original(rule, c, way)));

    add_count(count->n_packets, counts, &tally->last[variant].n_packets,
              &tally->n_packets);
    add_count(count->n_bytes, counts, &tally->last[variant].n_bytes,
              &tally->n_bytes);
}

/* Takes in the counts of 'group', one of the groups of 'rule'. */
static void
count_group(const struct rule *rule, const struct collector_ways *ways,
            struct rule_tally *tally, int variant,
            const struct installed_group *group)
{
    for (size_t i = 0; i < rule->n_collectors; i++) {
        const struct collector *c = &rule->collectors[i];

        for (size_t j = 0; j < group->n_counts; j++) {
            if (group->counts[j].bucket_id == c->bucket_id) {
                count_bucket(rule, c, &ways[i].of[variant & VARIANT_IPV6],
                             &tally->collectors[i], variant,
                             &group->counts[j]);
            }
        }
    }
}

/* Has the counters of the groups of 'set' that are about to be changed begin
 * anew, as the switch has them do. */
static void
forget_counts(struct tally *t, const struct flowset *set)
{
    for (size_t i = 0; i < set->n_groups; i++) {
        const struct wanted_group *group = set->groups[i];
        uint32_t id = group->gm.group_id - set->id_base;

        for (size_t j = 0; j < t->rules->n && !group->in_place; j++) {
            const struct rule *rule = &t->rules->rules[j];

            for (size_t k = 0;
                 rule->slot == id % RULE_MAX && k < rule->n_collectors; k++) {
                memset(&t->of[j].collectors[k].last[id / RULE_MAX], 0,
                       sizeof(struct last_count));
            }
        }
    }
}

/* Takes in the counts of the flows of 'set' that count fragments. */
static void
count_fragments(struct tally *t, const struct flowset *set)
{
    struct shash counts = SHASH_INITIALIZER(&counts);

    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        const struct wanted_flow *flow = set->order[i];
        uint64_t *last, total = 0;

        if (!flow->tag || !flow->in_place) {
            continue;
        }
        last = shash_find_and_delete(&t->fragment_counts, flow->text);
        if (!last) {
            last = xzalloc(sizeof *last);
        }
        add_count(flow->n_packets, true, last, &total);
        shash_add(&counts, flow->text, last);
        for (size_t j = 0; j < t->rules->n; j++) {
            if (flow->tag >> j & 1) {
                t->of[j].n_fragments += total;
            }
        }
    }
    shash_destroy_free_data(&t->fragment_counts);
    shash_init(&t->fragment_counts);
    shash_swap(&t->fragment_counts, &counts);
    shash_destroy(&counts);
}

void
tally_take(struct tally *t, struct collector_ways *const *ways,
           const struct flowset *set, const struct inventory *inv)
{
    const struct installed_group *group;

    for (size_t i = 0; i < t->rules->n; i++) {
        LIST_FOR_EACH (group, node, &inv->groups) {
            uint32_t id = group->desc.group_id - inv->id_base;

            if (id % RULE_MAX == t->rules->rules[i].slot) {
                count_group(&t->rules->rules[i], ways[i], &t->of[i],
                            id / RULE_MAX, group);
            }
        }
    }
    count_fragments(t, set);
    forget_counts(t, set);
}
