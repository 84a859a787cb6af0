/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SHOW_SEGMENT_H
#define SNOWRELAY_SHOW_SEGMENT_H 1

/* The segment for people and for programs: who forwards for it, since when and
 * why, who else is there, and which ports are not punted.  Pure: no I/O. */

#include <jansson.h>

struct loop_guard;
struct segment;

/* Returns all of it, which the caller frees.  The first line is "forwarder:
 * self", "forwarder: RELAY-ID ADDRESS" or "forwarder: none". */
char *show_segment(const struct segment *, const struct loop_guard *);

/* Returns who forwards, since when and why, in one line without its end, which
 * the caller frees. */
char *show_segment_forwarder(const struct segment *);

/* Returns the same as show_segment() for "status json".  The caller owns it.
 */
json_t *show_segment_json(const struct segment *, const struct loop_guard *);

#endif /* show-segment.h */
