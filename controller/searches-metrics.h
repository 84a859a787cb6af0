/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SEARCHES_METRICS_H
#define SNOWRELAY_SEARCHES_METRICS_H 1

/* What the inspection of searches has found, in the text format of Prometheus
 * (version 0.0.4), made of what "status json" says.
 *
 * Names of process variables become values of a label, but no more than
 * SEARCHES_METRICS_NAMES at a time.
 *
 * Pure: no I/O. */

#include <jansson.h>

struct ds;

enum { SEARCHES_METRICS_NAMES = 20 };

/* Appends the metrics of 'searches', of show_searches_json(), with help and
 * type, to 'out'; nothing if it is null. */
void searches_metrics(const json_t *searches, struct ds *out);

#endif /* searches-metrics.h */
