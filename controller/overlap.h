/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_OVERLAP_H
#define SNOWRELAY_OVERLAP_H 1

/* Overlap: which flows it takes for several rules to apply to one datagram.
 *
 * A switch takes the one best flow for each datagram, and rules add up.  So
 * where patterns of different rules overlap, the datagrams in both need a flow
 * of their own, which has the groups of both and goes before either:
 *
 *    from 10.0.0.0/8         rule A    priority  8   group A
 *    any source, to 10.1.0.1 rule B    priority  1   group B
 *    both                    A and B   priority  9   group A, group B
 *
 * A pattern that lies inside another one says more of the datagram than that
 * one, so how much a pattern says, its specificity, is its priority.
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"

/* What pattern_specificity() returns is at most this: a whole IPv6 source
 * address, a destination and an ingress port. */
enum { PATTERN_MAX_SPECIFICITY = 130 };

/* What a flow matches. */
struct pattern {
    bool ipv6;
    uint16_t port;      /* UDP destination port; 0 for IP fragments, which
                         * do not tell. */
    struct subnet from; /* IP source; 0.0.0.0/0 or ::/0 for any. */
    bool has_destination;
    struct in6_addr destination; /* IP destination, if 'has_destination'. */
    const char *in_port;         /* Ingress port, NULL for any.  Not owned. */
};

/* A pattern, and the rules that apply to what it matches. */
struct cell {
    struct pattern pattern;
    uint64_t rules; /* A bit for each. */
    bool exempt;    /* No rule applies, whatever their patterns say. */
};

struct cells {
    struct cell *cells;
    size_t n, allocated;

    /* Places in 'cells' plus one, or 0, by the hash of the pattern: a power of
     * two of them, at least twice as many as there are cells. */
    uint32_t *index;
    size_t n_index;
};

/* No cells. */
#define CELLS_INITIALIZER                                                     \
    {                                                                         \
        NULL, 0, 0, NULL, 0                                                   \
    }

/* Stores the subnet that has every address of the IP version in '*any'. */
void pattern_any_source(bool ipv6, struct subnet *any);

unsigned int pattern_specificity(const struct pattern *);

/* Returns true if what 'inner' matches, 'outer' matches too. */
bool
pattern_contains(const struct pattern *outer, const struct pattern *inner);

/* Adds 'pattern' for the 'rules', or as an exemption if that is 0.  A pattern
 * that is there already gets them in addition. */
void cells_add(struct cells *, const struct pattern *pattern, uint64_t rules);

/* Adds a cell wherever patterns overlap, and gives each cell all the rules
 * that apply to it.  Returns false if that would take more than 'max' cells,
 * and then the result is not to be used. */
bool cells_close(struct cells *, size_t max);

void cells_destroy(struct cells *);

#endif /* overlap.h */
