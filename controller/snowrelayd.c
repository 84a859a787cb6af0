/* SPDX-License-Identifier: Apache-2.0 */

/* snowrelayd: relays UDP broadcasts between Open vSwitch bridges. */

#include <config.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture-command.h"
#include "command-line.h"
#include "conf-load.h"
#include "conf-json.h"
#include "conf.h"
#include "daemon.h"
#include "dirs.h"
#include "error-line.h"
#include "fatal-signal.h"
#include "http.h"
#include "instance.h"
#include "key-file.h"
#include "log-level.h"
#include "memory.h"
#include "node.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "options.h"
#include "own-files.h"
#include "print-flows.h"
#include "privileges.h"
#include "privsep.h"
#include "readiness.h"
#include "sandbox.h"
#include "ovs-thread.h"
#include "simap.h"
#include "socket-util.h"
#include "peering.h"
#include "peers.h"
#include "relay.h"
#include "signals.h"
#include "status.h"
#include "timeval.h"
#include "tls-options.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(snowrelayd);

enum {
    /* How long to wait for another relay to take over and the switch to take
     * our flows off on exit, and with --cleanup. */
    STOP_TIMEOUT_MS = 2000,
    CLEANUP_TIMEOUT_MS = 5000,

    /* How long everything else may wait while there are frames to carry. */
    BUSY_MS = 5
};

/* What the control commands need. */
struct daemon {
    const struct options *options;
    struct node *node;
    struct http *http;
    struct readiness *readiness;
    bool exiting;
    bool cleanup;                   /* Take replication off the switch, too? */
    struct unixctl_conn *exit_conn; /* To answer when done, or NULL. */
};

/* Control commands. */

/* Answers with 'error', which it frees. */
static void
refuse(struct unixctl_conn *conn, char *error)
{
    error = error_line(error);
    unixctl_command_reply_error(conn, error);
    free(error);
}

static void
handle_exit(struct unixctl_conn *conn, int argc, const char *argv[],
            void *daemon_)
{
    struct daemon *d = daemon_;

    if (argc > 1 && strcmp(argv[1], "--cleanup")) {
        refuse(conn, xasprintf("exit: \"%s\" is not --cleanup", argv[1]));
        return;
    }
    d->exiting = true;
    d->cleanup |= argc > 1;
    if (d->exit_conn) {
        unixctl_command_reply(conn, NULL);
    } else {
        d->exit_conn = conn;
    }
}

/* Reads the configuration again and goes on with it.  Returns NULL, or a
 * message that the caller frees, and then nothing has changed. */
static char *OVS_WARN_UNUSED_RESULT
reload(struct daemon *d)
{
    struct config *config;

    readiness_reloading(d->readiness);
    char *error = config_load(d->options, &config);
    if (!error) {
        error = http_prepare(d->http, config);
        error = error ? error : node_reconfigure(d->node, config);
        error = error_line(error);
        if (error) {
            http_forget(d->http);
            config_destroy(config);
        } else {
            http_use(d->http);
        }
    }
    if (error) {
        VLOG_ERR("configuration not reloaded: %s", error);
    } else {
        VLOG_INFO("configuration reloaded");
    }
    readiness_ready(d->readiness);
    return error;
}

static void
handle_reload(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *daemon_)
{
    char *error = reload(daemon_);

    if (error) {
        refuse(conn, error);
    } else {
        unixctl_command_reply(conn, "configuration reloaded\n");
    }
}

/* Answers that the peer 'text' was 'done' by a command, and what follows from
 * that, or 'error', which is freed. */
static void
answer_peer_command(struct unixctl_conn *conn, const char *text,
                    const char *done, const char *then, char *error)
{
    if (error) {
        refuse(conn, error);
        return;
    }
    char *answer =
        xasprintf("peer %s %s until the next start; %s\n", text, done, then);
    VLOG_INFO("peer %s: %s by command until the next start", text, done);
    unixctl_command_reply(conn, answer);
    free(answer);
}

static void
handle_add_peer(struct unixctl_conn *conn, int argc OVS_UNUSED,
                const char *argv[], void *daemon_)
{
    const struct daemon *d = daemon_;

    answer_peer_command(conn, argv[1], "added",
                        "put it into mesh.peers to keep it",
                        node_add_peer(d->node, argv[1]));
}

static void
handle_del_peer(struct unixctl_conn *conn, int argc OVS_UNUSED,
                const char *argv[], void *daemon_)
{
    const struct daemon *d = daemon_;

    answer_peer_command(conn, argv[1], "removed",
                        "what the configuration names returns then",
                        node_remove_peer(d->node, argv[1]));
}

/* Signals.  libopenvswitch would end the process at once; the flows have to go
 * first, and SIGHUP reloads. */

static int signal_fds[2]; /* A pipe from the handler to the loop. */
static volatile sig_atomic_t caught_hup, caught_term, caught_chld;

static void
catch_signal(int signo)
{
    if (signo == SIGHUP) {
        caught_hup = true;
    } else if (signo == SIGCHLD) {
        caught_chld = true;
    } else {
        caught_term = true;
    }
    ignore(write(signal_fds[1], "", 1));
}

static void
signals_init(void)
{
    const int caught[] = { SIGHUP, SIGINT, SIGTERM, SIGCHLD };

    xpipe_nonblocking(signal_fds);
    for (size_t i = 0; i < ARRAY_SIZE(caught); i++) {
        struct sigaction action = { .sa_handler = catch_signal };
        xsigaction(caught[i], &action, NULL);
    }
}

static void
signals_run(struct daemon *d)
{
    char byte[16];

    if (!caught_hup && !caught_term && !caught_chld) {
        return;
    }
    while (read(signal_fds[0], byte, sizeof byte) > 0) {
        continue;
    }
    if (caught_chld) {
        caught_chld = false;
        privsep_run();
    }
    if (caught_hup) {
        caught_hup = false;
        free(reload(d)); /* It has logged what went wrong. */
    }
    if (caught_term) {
        d->exiting = true;
    }
}

static void
signals_wait(void)
{
    poll_fd_wait(signal_fds[0], POLLIN);
}

/* Takes our flows off the switch, for as long as that may take. */
static void
stop(struct daemon *d, struct unixctl_server *unixctl)
{
    long long int deadline =
        time_msec() + (d->cleanup ? CLEANUP_TIMEOUT_MS : STOP_TIMEOUT_MS);

    node_stop(d->node, d->cleanup);
    while (!node_is_stopped(d->node) && time_msec() < deadline) {
        node_carry(d->node);
        node_run(d->node);
        unixctl_server_run(unixctl);

        node_wait(d->node);
        unixctl_server_wait(unixctl);
        poll_timer_wait_until(deadline);
        if (!node_is_stopped(d->node)) {
            poll_block();
        }
    }
    const char *problem = NULL;

    if (!node_is_stopped(d->node)) {
        problem = "the switch did not confirm that our flows are gone";
    } else if (d->cleanup && !node_has_switch(d->node)) {
        problem = "the switch is not connected: what is in it stays";
    }
    if (problem) {
        VLOG_WARN("exiting, but %s", problem);
    } else {
        VLOG_INFO("exiting");
    }
    if (d->exit_conn) {
        if (problem && d->cleanup) {
            refuse(d->exit_conn, xasprintf("exiting, but %s", problem));
        } else {
            unixctl_command_reply(d->exit_conn, NULL);
        }
    }
}

/* For memory/show. */
static void
report_memory(const struct node *node)
{
    const struct relay *relay = node_relay(node);

    memory_run();
    if (memory_should_report()) {
        struct simap usage = SIMAP_INITIALIZER(&usage);

        simap_increase(&usage, "peers",
                       peering_peers(relay_peering(relay))->n_all);
        simap_increase(&usage, "queued", relay_queued(relay));
        memory_report(&usage);
        simap_destroy(&usage);
    }
}

int
main(int argc, char *argv[])
{
    struct daemon d = { .node = NULL };
    struct unixctl_server *unixctl;
    struct options options;
    struct config *config;
    struct sandbox_user user;
    char *unixctl_path;

    ovs_cmdl_proctitle_init(argc, argv);
    ovs_set_program_name("snowrelayd", SNOWRELAY_VERSION);
    ovsthread_id_init();
    set_pidfile(NULL); /* Without it ovs-appctl does not find us. */
    options_parse(argc, argv, &options, &unixctl_path);
    d.options = &options;

    if (options.generate_key) {
        char *error = key_file_generate(options.generate_key);
        if (error) {
            options_refuse(error);
        }
        options_destroy(&options);
        return 0;
    }

    char *error = sandbox_user_find(options.user, &user);
    if (!error) {
        options.uid = user.name ? user.uid : geteuid();
        /* libopenvswitch would log what is in the error anyway. */
        vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
        error = config_load(&options, &config);
        vlog_set_levels(NULL, VLF_CONSOLE, VLL_INFO);
    }
    if (!error) {
        error = tls_options_check(&options.tls, options.switch_target,
                                  options.database);
    }
    if (error) {
        options_refuse(error);
    }
    if (options.check_config) {
        char *json = config_to_json(config);
        puts(json);
        free(json);
    }
    if (options.print_flows) {
        error = print_flows(config);
        if (error) {
            options_refuse(error);
        }
    }
    if (options.check_config || options.print_flows) {
        config_destroy(config);
        options_destroy(&options);
        sandbox_user_uninit(&user);
        return 0;
    }

    error = sandbox_user_check(&user);
    if (!error) {
        error = own_files_open(&options, unixctl_path);
    }
    if (error) {
        options_refuse(error);
    }
    tls_options_use(&options.tls);
    log_level_set(config->log_level);
    for (size_t i = 0; i < options.verbosity.n; i++) {
        const char *arg = options.verbosity.names[i];
        vlog_set_verbosity(*arg ? arg : NULL); /* Checked already. */
    }
    fatal_ignore_sigpipe();
    error = instance_check(config->bridge, config->switch_target);
    if (error) {
        ovs_fatal(0, "%s", error);
    }
    daemonize_start(false);
    error = instance_lock(config->bridge, config->switch_target);
    if (error) {
        VLOG_FATAL("%s", error);
    }
    instance_remove_stale_sockets(ovs_rundir());
    signals_init();
    privileges_separate(config, options.config_file, unixctl_path);

    if (unixctl_server_create(unixctl_path, &unixctl)) {
        exit(EXIT_FAILURE);
    }
    error = node_create(config, &d.node);
    if (error) {
        VLOG_FATAL("%s", error);
    }
    d.http = http_create(d.node);
    error = http_prepare(d.http, node_config(d.node));
    if (error) {
        VLOG_FATAL("%s", error);
    }
    http_use(d.http);
    struct status *status = status_create(d.node);
    struct capture_command *capture =
        capture_command_create(d.node, user.name);
    unixctl_command_register("exit", "[--cleanup]", 0, 1, handle_exit, &d);
    unixctl_command_register("config/reload", "", 0, 0, handle_reload, &d);
    unixctl_command_register("mesh/add-peer", "PEER", 1, 1, handle_add_peer,
                             &d);
    unixctl_command_register("mesh/del-peer", "PEER", 1, 1, handle_del_peer,
                             &d);
    d.readiness = readiness_create(d.node);
    privileges_drop(&user);
    daemonize_complete();
    readiness_ready(d.readiness);

    long long int next_rest = 0;
    while (!d.exiting) {
        if (node_carry(d.node) && time_msec() < next_rest) {
            /* To wait for what waits anyway costs more than the frames. */
            node_carry_wait(d.node);
            poll_timer_wait_until(next_rest);
        } else {
            next_rest = time_msec() + BUSY_MS;
            report_memory(d.node);
            node_run(d.node);
            unixctl_server_run(unixctl);
            status_run(status);
            capture_command_run(capture);
            http_run(d.http);
            signals_run(&d);
            readiness_run(d.readiness);

            memory_wait();
            node_wait(d.node);
            unixctl_server_wait(unixctl);
            status_wait(status);
            capture_command_wait(capture);
            http_wait(d.http);
            signals_wait();
            readiness_wait(d.readiness);
            if (d.exiting) {
                poll_immediate_wake();
            }
        }
        poll_block();
    }

    readiness_stopping(d.readiness);
    http_close(d.http);
    stop(&d, unixctl);
    capture_command_destroy(capture);
    http_destroy(d.http);
    readiness_destroy(d.readiness);
    status_destroy(status);
    unixctl_server_destroy(unixctl);
    node_destroy(d.node);
    sandbox_user_uninit(&user);
    options_destroy(&options);
    return 0;
}
