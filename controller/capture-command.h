/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CAPTURE_COMMAND_H
#define SNOWRELAY_CAPTURE_COMMAND_H 1

/* Capture commands: a capture (capture.h) as ovs-appctl(8) starts and stops
 * it.
 *
 *    capture/start [--seconds N] [--size N[K|M|G]] FILE [FILTER...]
 *    capture/stop
 *    capture/show
 *
 * There is one capture at a time.  While it runs the tap (tap.h) tells it of
 * all frames; one that has ended by itself is taken off the tap, and the log
 * says why. */

struct capture_command;
struct node;

/* Registers the commands.  'user' is the name of the user whom the daemon runs
 * as, NULL if that is who started it; it must stay. */
struct capture_command *
capture_command_create(struct node *, const char *user);

/* Ends the capture that is running, if there is one. */
void capture_command_destroy(struct capture_command *);

/* Answers commands that had to wait for the disk, and notices that a capture
 * has ended. */
void capture_command_run(struct capture_command *);
void capture_command_wait(struct capture_command *);

#endif /* capture-command.h */
