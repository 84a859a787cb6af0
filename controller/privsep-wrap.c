/* SPDX-License-Identifier: Apache-2.0 */

/* Where privilege separation meets libopenvswitch.
 *
 * libopenvswitch opens every Unix socket with make_unix_socket(), removes
 * those that it listened on with fatal_signal_unlink_file_now(), and opens the
 * log file with open().  The linker (--wrap, see the Makefile) makes it call
 * these functions instead, so that its connections to the switch and the
 * database come from the privileged process whenever they are made again, and
 * so does the log file after it was rotated (vlog/reopen). */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "privsep.h"

int __real_make_unix_socket(int style, bool nonblock, const char *bind_path,
                            const char *connect_path);
int __wrap_make_unix_socket(int style, bool nonblock, const char *bind_path,
                            const char *connect_path);
int __real_fatal_signal_unlink_file_now(const char *file);
int __wrap_fatal_signal_unlink_file_now(const char *file);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

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

int
__wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    if (flags == (O_WRONLY | O_CREAT | O_APPEND) && privsep_may_log(path)) {
        int fd = privsep_open_log(path);

        if (fd < 0) {
            errno = -fd;
            return -1;
        }
        return fd;
    }
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list args;

        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return __real_open(path, flags, mode);
}
