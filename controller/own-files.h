/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_OWN_FILES_H
#define SNOWRELAY_OWN_FILES_H 1

/* Own files: what the process makes: its pid file, its control socket and its
 * log file.
 *
 * libopenvswitch makes them.  What could keep it from that is found out here
 * first, and said in one line that names the option. */

#include "openvswitch/compiler.h"

struct options;

/* Checks that the file 'name', the argument of 'option', can be made: that it
 * has a name, a folder that can be written to, and is not one itself.  Returns
 * NULL, or a message that the caller frees. */
char *
own_file_check(const char *option, const char *name) OVS_WARN_UNUSED_RESULT;

/* Checks all of them, and opens the log file if 'options' say so.
 * 'unixctl_path' is the argument of --unixctl, or NULL.  Returns NULL, or a
 * message that the caller frees, and then nothing has been made. */
char *own_files_open(const struct options *options,
                     const char *unixctl_path) OVS_WARN_UNUSED_RESULT;

#endif /* own-files.h */
