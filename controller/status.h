/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_STATUS_H
#define SNOWRELAY_STATUS_H 1

/* Status: the relay as ovs-appctl(8) shows it.
 *
 *    status [json]   what this relay is and what became of the frames
 *    mesh/show       the peers
 *    replicate/show  the rules, their collectors, and what these have got
 *    searches/show   the names that are searched for, if that is inspected
 *    flows/show      what the switch should have and what it has
 *
 * "status json" is for programs; its keys stay. */

#include <jansson.h>
#include <stdbool.h>

struct node;
struct status;

/* Registers the commands, which show 'node'. */
struct status *status_create(struct node *node);
void status_destroy(struct status *);

/* Answers commands that had to wait for the switch. */
void status_run(struct status *);
void status_wait(struct status *);

/* Returns what "status json" says of 'node', as of the last look at what the
 * switch has counted.  The caller owns it. */
json_t *status_json(const struct node *node);

/* Returns true if a part of that is counted by the switch, which has to be
 * asked for it to be as of now. */
bool status_is_counted_by_switch(const struct node *node);

#endif /* status.h */
