/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_INSTANCE_H
#define SNOWRELAY_INSTANCE_H 1

/* Only one snowrelayd for a switch: two would take each other's flows for
 * wrong and put them right for ever.
 *
 * Each has a lock on a file in the run folder, whose name is that of the
 * bridge, or made from the target where that is not the usual one.  The kernel
 * takes the lock off whichever way the process ends. */

#include "openvswitch/compiler.h"

/* Returns the name, which the caller frees, of the file that stands for the
 * switch at 'target', which serves 'bridge'. */
char *instance_file(const char *bridge, const char *target);

/* Returns NULL, or a message that the caller frees if another process has the
 * lock.  Changes nothing. */
char *
instance_check(const char *bridge, const char *target) OVS_WARN_UNUSED_RESULT;

/* The same, and takes the lock, for as long as this process lives. */
char *
instance_lock(const char *bridge, const char *target) OVS_WARN_UNUSED_RESULT;

/* Removes the control sockets in 'folder' of those that were killed. */
void instance_remove_stale_sockets(const char *folder);

#endif /* instance.h */
