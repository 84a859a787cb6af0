/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "overlap.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"

void
pattern_any_source(bool ipv6, struct subnet *any)
{
    memset(any, 0, sizeof *any);
    if (!ipv6) {
        in6_addr_set_mapped_ipv4(&any->address, htonl(INADDR_ANY));
        any->prefix = 96;
    }
}

unsigned int
pattern_specificity(const struct pattern *p)
{
    return (p->from.prefix - (p->ipv6 ? 0 : 96) + p->has_destination
            + (p->in_port != NULL));
}

/* The smaller of 'a' and 'b', where the other one contains it; else NULL. */
static const struct subnet *
smaller_subnet(const struct subnet *a, const struct subnet *b)
{
    if (a->prefix > b->prefix) {
        return subnet_contains(b, &a->address) ? a : NULL;
    }
    return subnet_contains(a, &b->address) ? b : NULL;
}

/* Stores in '*both' what 'a' and 'b' both match.  Returns false if that is
 * nothing. */
static bool
intersect(const struct pattern *a, const struct pattern *b,
          struct pattern *both)
{
    if (a->ipv6 != b->ipv6 || a->port != b->port) {
        return false;
    }
    if (a->has_destination && b->has_destination
        && !ipv6_addr_equals(&a->destination, &b->destination)) {
        return false;
    }
    if (a->in_port && b->in_port && strcmp(a->in_port, b->in_port)) {
        return false;
    }
    const struct subnet *from = smaller_subnet(&a->from, &b->from);
    if (!from) {
        return false;
    }

    *both = a->has_destination ? *a : *b;
    both->from = *from;
    both->in_port = a->in_port ? a->in_port : b->in_port;
    return true;
}

static bool
pattern_equal(const struct pattern *a, const struct pattern *b)
{
    struct pattern both;

    return (a->from.prefix == b->from.prefix
            && a->has_destination == b->has_destination
            && !a->in_port == !b->in_port && intersect(a, b, &both));
}

bool
pattern_contains(const struct pattern *outer, const struct pattern *inner)
{
    struct pattern both;

    return intersect(outer, inner, &both) && pattern_equal(&both, inner);
}

static uint32_t
hash_pattern(const struct pattern *p)
{
    uint32_t hash = hash_3words(p->ipv6, p->port, p->from.prefix);

    hash = hash_bytes(&p->from.address, sizeof p->from.address, hash);
    if (p->has_destination) {
        hash = hash_bytes(&p->destination, sizeof p->destination, hash);
    }
    return p->in_port ? hash_string(p->in_port, hash) : hash;
}

/* Returns where in the index the cell with 'pattern' is, or would be. */
static uint32_t *
find_index(const struct cells *cells, const struct pattern *pattern)
{
    size_t i = hash_pattern(pattern) & (cells->n_index - 1);

    while (cells->index[i]
           && !pattern_equal(&cells->cells[cells->index[i] - 1].pattern,
                             pattern)) {
        i = (i + 1) & (cells->n_index - 1);
    }
    return &cells->index[i];
}

static struct cell *
find_cell(const struct cells *cells, const struct pattern *pattern)
{
    uint32_t place = cells->n_index ? *find_index(cells, pattern) : 0;

    return place ? &cells->cells[place - 1] : NULL;
}

static void
grow_index(struct cells *cells)
{
    cells->n_index = MAX(64, cells->n_index * 2);
    free(cells->index);
    cells->index = xcalloc(cells->n_index, sizeof *cells->index);
    for (size_t i = 0; i < cells->n; i++) {
        *find_index(cells, &cells->cells[i].pattern) = i + 1;
    }
}

static struct cell *
append_cell(struct cells *cells, const struct pattern *pattern)
{
    if (cells->n >= cells->allocated) {
        cells->cells =
            x2nrealloc(cells->cells, &cells->allocated, sizeof *cells->cells);
    }
    if (2 * (cells->n + 1) > cells->n_index) {
        grow_index(cells);
    }
    *find_index(cells, pattern) = cells->n + 1;

    struct cell *cell = &cells->cells[cells->n++];
    memset(cell, 0, sizeof *cell);
    cell->pattern = *pattern;
    return cell;
}

void
cells_add(struct cells *cells, const struct pattern *pattern, uint64_t rules)
{
    struct cell *cell = find_cell(cells, pattern);

    if (!cell) {
        cell = append_cell(cells, pattern);
    }
    cell->rules |= rules;
    cell->exempt |= !rules;
}

/* Gives 'cell' what applies to the first 'n' cells that contain it. */
static void
inherit(const struct cells *cells, size_t n, struct cell *cell)
{
    for (size_t i = 0; i < n; i++) {
        const struct cell *outer = &cells->cells[i];

        if (pattern_contains(&outer->pattern, &cell->pattern)) {
            cell->rules |= outer->rules;
            cell->exempt |= outer->exempt;
        }
    }
}

bool
cells_close(struct cells *cells, size_t max)
{
    size_t n_given = cells->n;

    if (n_given > max) {
        return false;
    }

    /* What two cells have in common may have something in common with a third
     * one, so those that were added are looked at as well. */
    for (size_t i = 0; i < cells->n; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct pattern *a = &cells->cells[i].pattern;
            const struct pattern *b = &cells->cells[j].pattern;
            struct pattern both;

            /* Most often one lies inside the other one. */
            if (!intersect(a, b, &both) || pattern_equal(&both, a)
                || pattern_equal(&both, b) || find_cell(cells, &both)) {
                continue;
            }
            if (cells->n >= max) {
                return false;
            }
            append_cell(cells, &both);
        }
    }

    /* From the given cells only: those added have nothing of their own.
     * Inheritance changes no cell that another one would inherit something
     * new from, because what contains the outer one contains the inner one. */
    for (size_t i = 0; i < cells->n; i++) {
        inherit(cells, n_given, &cells->cells[i]);
    }
    return true;
}

void
cells_destroy(struct cells *cells)
{
    free(cells->cells);
    free(cells->index);
    memset(cells, 0, sizeof *cells);
}
