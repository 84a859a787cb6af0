/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PRIVSEP_SERVER_H
#define SNOWRELAY_PRIVSEP_SERVER_H 1

/* The privileged process of privilege separation, see privsep.h.
 *
 * It has the capabilities to do what it is asked for, no more: to reach files
 * and sockets of others (CAP_DAC_OVERRIDE), to have the kernel solicit and to
 * enlarge socket buffers (CAP_NET_ADMIN), and to bind to low ports
 * (CAP_NET_BIND_SERVICE).  It ends when the daemon has. */

#include <stdbool.h>

/* Forks it, if this process is root's.  Before, the paths have to be
 * registered; after that, threads may be started. */
void privsep_start(void);

/* Serves the daemon at the other end of 'fd' until that has closed it. */
void privsep_serve(int fd);

#endif /* privsep-server.h */
