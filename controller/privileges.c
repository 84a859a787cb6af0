/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "privileges.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "daemon-private.h"
#include "dirs.h"
#include "openvswitch/vlog.h"
#include "privsep-server.h"
#include "privsep.h"
#include "sandbox.h"
#include "util.h"

/* Registers what 'target', an OVS connection method, connects to. */
static void
register_target(const char *target)
{
    if (!strncmp(target, "unix:", 5)) {
        char *path = abs_file_name(ovs_rundir(), target + 5);

        privsep_register(PRIVSEP_CONNECT, path);
        free(path);
    }
}

/* Registers the control socket, whose name is made as unixctl_server_create()
 * makes it. */
static void
register_unixctl(const char *unixctl)
{
    if (!unixctl || strcmp(unixctl, "none")) {
        char *path = (unixctl ? abs_file_name(ovs_rundir(), unixctl)
                              : xasprintf("%s/%s.%ld.ctl", ovs_rundir(),
                                          program_name, (long int) getpid()));

        privsep_register(PRIVSEP_UNLINK, path);
        free(path);
    }
}

void
privileges_separate(const struct config *config, const char *config_file,
                    const char *unixctl)
{
    register_target(config->switch_target);
    register_target(config->database);
    privsep_register(PRIVSEP_OPEN, config_file);
    privsep_register(PRIVSEP_OPEN, config->key_file);
    privsep_register(PRIVSEP_UNLINK, pidfile);
    register_unixctl(unixctl);

    char *log_file = vlog_get_log_file();
    privsep_register(PRIVSEP_LOG, log_file);
    free(log_file);
    privsep_start();
}

void
privileges_drop(const struct sandbox_user *user)
{
    privsep_unlink_at_exit();
    sandbox_enter(user);
}
