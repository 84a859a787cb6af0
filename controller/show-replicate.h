/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SHOW_REPLICATE_H
#define SNOWRELAY_SHOW_REPLICATE_H 1

/* The rules and what becomes of their collectors, for people and programs.
 *
 * Pure: no I/O. */

#include <jansson.h>

struct config;
struct replicate;

/* Returns a table of the rules of 'config', which 'replicate' goes by.  The
 * caller frees it. */
char *
show_replicate(const struct config *config, const struct replicate *replicate);

/* The same as a JSON array. */
json_t *replicate_to_json(const struct config *config,
                          const struct replicate *replicate);

#endif /* show-replicate.h */
