/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_READINESS_H
#define SNOWRELAY_READINESS_H 1

/* Readiness: what the service manager is told of this process, as
 * sd_notify(3) has it: when it is ready, reloads and stops, and all the time
 * one line on what it does, which `systemctl status` shows.
 *
 * It goes to the socket that NOTIFY_SOCKET in the environment names, a
 * datagram for each message, in the way that sd_notify(3) lays down for those
 * who do without libsystemd: that waits if the service manager does not read,
 * and the frames would wait with it.  Here the message waits.  Without the
 * variable there is nobody to tell, and nothing is done.  If a message cannot
 * be sent the log says so once, and all else goes on. */

struct node;
struct readiness;

/* Makes one that tells of 'node', which must outlive it, and connects to the
 * socket: before privileges are dropped, since that may take some. */
struct readiness *readiness_create(const struct node *node);
void readiness_destroy(struct readiness *);

/* Says that the node is ready: once it has been created and control commands
 * are answered, and when it is done with a reload. */
void readiness_ready(struct readiness *);

/* Says that the configuration is being read again; readiness_ready() is to
 * follow, whatever comes of it. */
void readiness_reloading(struct readiness *);

/* Says that the process is about to end. */
void readiness_stopping(struct readiness *);

/* Keeps the line up to date, at most once a second. */
void readiness_run(struct readiness *);
void readiness_wait(const struct readiness *);

#endif /* readiness.h */
