/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "instance.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dirs.h"
#include "lockfile.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(instance);

char *
instance_file(const char *bridge, const char *target)
{
    char *usual = xasprintf("unix:%s/%s.mgmt", ovs_rundir(), bridge);
    char *name = xstrdup(strcmp(target, usual) ? target : bridge);

    free(usual);
    for (char *p = name; *p; p++) {
        if (!isalnum((unsigned char) *p) && *p != '.' && *p != '-') {
            *p = '_';
        }
    }
    char *file = xasprintf("%s/snowrelayd-%s", ovs_rundir(), name);
    free(name);
    return file;
}

/* Returns the pid of who has locked 'file', 0 if nobody has, or -1 if it is
 * somebody whom this process does not see.  Not for a process that has the
 * lock itself, which would lose it. */
static pid_t
who_has(const char *file)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char *name = lockfile_name(file);
    int fd = open(name, O_RDWR | O_CLOEXEC);
    pid_t pid = 0;

    free(name);
    if (fd >= 0) {
        if (!fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK) {
            pid = lock.l_pid > 0 ? lock.l_pid : -1;
        }
        close(fd);
    }
    return pid;
}

static char *
served_already(const char *bridge, pid_t pid)
{
    return pid > 0 ? xasprintf("bridge %s is served already, by the "
                               "snowrelayd with pid %ld",
                               bridge, (long int) pid)
                   : xasprintf("bridge %s is served already, by another "
                               "snowrelayd",
                               bridge);
}

char *
instance_check(const char *bridge, const char *target)
{
    char *file = instance_file(bridge, target);
    pid_t pid = who_has(file);

    free(file);
    return pid ? served_already(bridge, pid) : NULL;
}

char *
instance_lock(const char *bridge, const char *target)
{
    char *file = instance_file(bridge, target);
    struct lockfile *lock;
    char *message = NULL;

    /* What goes wrong is told here, in one line. */
    struct vlog_module *module = vlog_module_from_name("lockfile");
    enum vlog_level level = vlog_get_level(module, VLF_CONSOLE);
    vlog_set_levels(module, VLF_CONSOLE, VLL_ERR);
    int error = lockfile_lock(file, &lock);
    vlog_set_levels(module, VLF_CONSOLE, level);

    if (error == EAGAIN) {
        message = served_already(bridge, who_has(file));
    } else if (error) {
        VLOG_WARN("%s: cannot lock: %s; nothing keeps a second snowrelayd "
                  "from the bridge %s",
                  file, ovs_strerror(error), bridge);
    }
    free(file);
    return message;
}

/* Returns true if there is no process 'pid', or only what its parent has not
 * fetched of it. */
static bool
is_gone(pid_t pid)
{
    char *name = xasprintf("/proc/%ld/stat", (long int) pid);
    FILE *file = fopen(name, "r");
    char state = 0;

    free(name);
    if (file) {
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
            state = 0;
        }
        fclose(file);
    }
    return state == 'Z' || (kill(pid, 0) && errno == ESRCH);
}

/* Returns true if nobody listens on the Unix socket 'name'. */
static bool
is_stale(const char *name)
{
    int fd = make_unix_socket(SOCK_STREAM, true, NULL, name);

    if (fd >= 0) {
        close(fd);
    }
    return fd == -ECONNREFUSED;
}

/* That the pid is nobody's is not enough: it may be one of another container
 * that has the same run folder. */
void
instance_remove_stale_sockets(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        int pid, n = 0;

        if (sscanf(entry->d_name, "snowrelayd.%d.ctl%n", &pid, &n) != 1 || !n
            || entry->d_name[n] || pid <= 0 || !is_gone(pid)) {
            continue;
        }
        char *name = xasprintf("%s/%s", folder, entry->d_name);
        if (is_stale(name) && !unlink(name)) {
            VLOG_INFO("%s: removed, since its process is gone", name);
        }
        free(name);
    }
    if (dir) {
        closedir(dir);
    }
}
