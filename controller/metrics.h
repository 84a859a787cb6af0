/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_METRICS_H
#define SNOWRELAY_METRICS_H 1

/* Metrics: the relay's counters and states as Prometheus reads them.
 *
 *    status json --> metrics --> text format 0.0.4
 *
 * Made of what "status json" says, so that the two never disagree.  Names and
 * units are those of Prometheus's conventions: "snowrelay_" in front, seconds
 * and bytes, "_total" behind what only grows.  Which series there are follows
 * from the configuration, and so is bounded; each reason to drop a frame is
 * there from the beginning, at 0.  docs/metrics.md has them all.
 *
 * Pure: no I/O. */

#include <jansson.h>

struct ds;
struct usage;

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends to 'out' what 'status', of status_json(), and 'usage' say. */
void
metrics_put(const json_t *status, const struct usage *usage, struct ds *out);

#endif /* metrics.h */
