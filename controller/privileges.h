/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PRIVILEGES_H
#define SNOWRELAY_PRIVILEGES_H 1

/* Privileges: which process of snowrelayd has which, and from when on.
 *
 *    privileges_separate()   forks the privileged process (privsep.h)
 *    ...                     opens what takes root's permissions to open
 *    privileges_drop()       enters the sandbox (sandbox.h) */

struct config;
struct sandbox_user;

/* Has the privileged process do from now on what 'config', the configuration
 * file 'config_file' and the control socket 'unixctl' ask for, each of the
 * latter NULL if there is none.  To be called when the pidfile is written, and
 * before there are threads. */
void privileges_separate(const struct config *config, const char *config_file,
                         const char *unixctl);

/* Becomes 'user', without privileges. */
void privileges_drop(const struct sandbox_user *user);

#endif /* privileges.h */
