/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "own-files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dirs.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "options.h"
#include "util.h"

/* Longest name, without its folder, of a socket that libopenvswitch can make
 * in a folder whose own name is long: there it is /proc/self/fd/N/NAME, and
 * sockaddr_un has room for 107 characters. */
enum { MAX_SOCKET_NAME = 80 };

char *
own_file_check(const char *option, const char *name)
{
    char *folder = dir_name(name);
    char *inside = xasprintf("%s/.", folder); /* Nowhere in a file. */
    char *error = NULL;
    struct stat s;

    if (!*name || name[strlen(name) - 1] == '/') {
        error =
            xasprintf("%s: \"%s\" is not the name of a file", option, name);
    } else if (access(inside, W_OK | X_OK)) {
        error = xasprintf("%s: cannot make \"%s\": %s: %s", option, name,
                          folder, ovs_strerror(errno));
    } else if (stat(name, &s)) {
        error =
            (errno == ENOENT ? NULL
                             : xasprintf("%s: cannot make \"%s\": %s", option,
                                         name, ovs_strerror(errno)));
    } else if (S_ISDIR(s.st_mode)) {
        error = xasprintf("%s: \"%s\" is a folder, not a file", option, name);
    }
    free(inside);
    free(folder);
    return error;
}

/* The folder of those for which no option names another one. */
static const char *
run_folder_option(const char *option)
{
    const char *folder = getenv("OVS_RUNDIR");

    return folder && *folder ? "OVS_RUNDIR" : option;
}

static char *
check_pidfile(const char *option_value)
{
    if (option_value) {
        char *name = abs_file_name(ovs_rundir(), option_value);
        char *error =
            own_file_check("--pidfile", *option_value ? name : option_value);
        free(name);
        return error;
    }
    char *name = xasprintf("%s/%s.pid", ovs_rundir(), program_name);
    char *error = own_file_check(run_folder_option("--pidfile"), name);
    free(name);
    return error;
}

/* What is in the place of the socket would be removed, whatever it is. */
static char *
check_socket(const char *name)
{
    const char *slash = strrchr(name, '/');
    struct stat s;
    char *error = own_file_check("--unixctl", name);

    if (error) {
        return error;
    }
    if (!lstat(name, &s) && !S_ISSOCK(s.st_mode)) {
        return xasprintf("--unixctl: \"%s\" is there, and is not a socket",
                         name);
    }
    if (slash && strlen(slash + 1) > MAX_SOCKET_NAME) {
        return xasprintf("--unixctl: \"%s\" has a name of more than %d "
                         "characters, too long for a socket",
                         name, MAX_SOCKET_NAME);
    }
    return NULL;
}

static char *
check_unixctl(const char *option_value)
{
    if (!option_value) {
        char *name = xasprintf("%s/%s.%ld.ctl", ovs_rundir(), program_name,
                               (long int) getpid());
        char *error = own_file_check(run_folder_option("--unixctl"), name);
        free(name);
        return error;
    }
    if (!strcmp(option_value, "none")) {
        return NULL;
    }
    char *name = abs_file_name(ovs_rundir(), option_value);
    char *error = check_socket(*option_value ? name : option_value);
    free(name);
    return error;
}

static char *
open_log(const char *option_value)
{
    const char *folder = getenv("OVS_LOGDIR");
    const char *option =
        (option_value || !folder || !*folder ? "--log-file" : "OVS_LOGDIR");
    char *name =
        (option_value ? xstrdup(option_value)
                      : xasprintf("%s/%s.log", ovs_logdir(), program_name));
    char *error = own_file_check(option, name);

    if (!error) {
        /* It would log that it cannot log. */
        struct vlog_module *vlog = vlog_module_from_name("vlog");
        enum vlog_level level = vlog_get_level(vlog, VLF_CONSOLE);

        vlog_set_levels(vlog, VLF_CONSOLE, VLL_OFF);
        int code = vlog_set_log_file(option_value);
        vlog_set_levels(vlog, VLF_CONSOLE, level);
        if (code) {
            error = xasprintf("%s: cannot open \"%s\": %s", option, name,
                              ovs_strerror(code));
        }
    }
    free(name);
    return error;
}

char *
own_files_open(const struct options *options, const char *unixctl_path)
{
    char *error = check_pidfile(options->pidfile);

    if (!error) {
        error = check_unixctl(unixctl_path);
    }
    if (!error && options->log) {
        error = open_log(options->log_file);
    }
    return error;
}
