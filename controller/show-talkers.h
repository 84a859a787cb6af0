/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SHOW_TALKERS_H
#define SNOWRELAY_SHOW_TALKERS_H 1

/* The talkers for programs: those who broadcast most now.  Pure: no I/O. */

#include <jansson.h>

struct peers;
struct talkers;

/* So many are shown. */
enum { SHOW_TALKERS_MAX = 32 };

/* Returns them for "status json", null if 'talkers' is NULL.  What came from
 * one of 'peers' is named after it.  The caller owns the result. */
json_t *
show_talkers_json(const struct talkers *talkers, const struct peers *peers);

#endif /* show-talkers.h */
