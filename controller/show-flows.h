/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SHOW_FLOWS_H
#define SNOWRELAY_SHOW_FLOWS_H 1

/* What the switch should have and what it has, side by side, for people.
 *
 * Pure: no I/O. */

struct flowset;
struct inventory;

/* Returns the flows, meters and groups of 'set', each with what 'inventory',
 * with which it was compared, has in its place, and what else that has of
 * ours.  The caller frees the text. */
char *show_flows(const struct flowset *set, const struct inventory *inventory);

#endif /* show-flows.h */
