/* SPDX-License-Identifier: Apache-2.0 */

/* Where privilege separation meets libopenvswitch.
 *
 * libopenvswitch opens every Unix socket with make_unix_socket(), and removes
 * those that it listened on with fatal_signal_unlink_file_now().  The linker
 * (--wrap, see the Makefile) makes it call these two instead, so that its
 * connections to the switch and the database come from the privileged process
 * whenever they are made again. */

#include <config.h>

#include <sys/socket.h>

#include "privsep.h"

int __real_make_unix_socket(int style, bool nonblock, const char *bind_path,
                            const char *connect_path);
int __wrap_make_unix_socket(int style, bool nonblock, const char *bind_path,
                            const char *connect_path);
int __real_fatal_signal_unlink_file_now(const char *file);
int __wrap_fatal_signal_unlink_file_now(const char *file);

int
__wrap_make_unix_socket(int style, bool nonblock, const char *bind_path,
                        const char *connect_path)
{
    if (style == SOCK_STREAM && nonblock && !bind_path && connect_path
        && privsep_may_connect(connect_path)) {
        return privsep_connect(connect_path);
    }
    return __real_make_unix_socket(style, nonblock, bind_path, connect_path);
}

int
__wrap_fatal_signal_unlink_file_now(const char *file)
{
    return (privsep_may_unlink(file)
                ? -privsep_unlink(file)
                : __real_fatal_signal_unlink_file_now(file));
}
