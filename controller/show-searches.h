/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SHOW_SEARCHES_H
#define SNOWRELAY_SHOW_SEARCHES_H 1

/* What the inspection of searches has found, for people and for programs. */

#include <jansson.h>
#include <stddef.h>

struct ds;
struct inspect;
struct search;

enum {
    SHOW_SEARCHES_NAMES = 50, /* As many, unless somebody wants others. */
    SHOW_SEARCHES_MAX = 4096
};

/* Returns a line of totals and a table of the first 'n' names in the order of
 * searches_top().  The caller frees it.  'inspect' is NULL if the inspection
 * is off. */
char *show_searches(const struct inspect *inspect, size_t n);

/* Returns an object with the totals and the first SHOW_SEARCHES_NAMES names,
 * null if 'inspect' is NULL.  The caller owns it. */
json_t *show_searches_json(const struct inspect *inspect);

/* Appends the name of 's' to 'out', as it is shown everywhere: bytes that are
 * no printable ASCII characters become \xNN, and a backslash two. */
void show_search_name(const struct search *s, struct ds *out);

#endif /* show-searches.h */
