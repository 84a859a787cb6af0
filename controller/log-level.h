/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_LOG_LEVEL_H
#define SNOWRELAY_LOG_LEVEL_H 1

/* Log level: who may say how much.
 *
 * A level is of the whole process, with two exceptions that keep the log
 * readable.  Below "info" only our own modules talk: libopenvswitch would tell
 * of every pass through the main loop.  And at "info" and below it does not
 * tell why it woke up when it is busy, nor what it has counted when it was
 * slow, which are many lines that ask for nothing to be done.
 * "-v" and "vlog/set" have it say all of it. */

/* The names of the modules of controller/ that log, as they are in
 * VLOG_DEFINE_THIS_MODULE(), with NULL behind the last one.  The Makefile
 * takes them from the sources, so that none can be forgotten. */
extern const char *const log_modules[];

/* Sets the level that 'name' stands for: "debug", "info", "warning", "error"
 * or "critical". */
void log_level_set(const char *name);

#endif /* log-level.h */
