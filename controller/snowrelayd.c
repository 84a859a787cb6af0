/* SPDX-License-Identifier: Apache-2.0 */

/* snowrelayd: relays UDP broadcasts between Open vSwitch bridges. */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conf-load.h"
#include "conf.h"
#include "daemon.h"
#include "fatal-signal.h"
#include "flowset.h"
#include "host.h"
#include "memory.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "options.h"
#include "ovs-thread.h"
#include "packets.h"
#include "simap.h"
#include "socket-util.h"
#include "relay.h"
#include "signals.h"
#include "status.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(snowrelayd);

enum {
    /* How long to wait for the switch to take our flows off on exit. */
    STOP_TIMEOUT_MS = 1000,

    /* How long everything else may wait while there are frames to carry. */
    BUSY_MS = 5
};

/* What the control commands need. */
struct daemon {
    const struct options *options;
    struct relay *relay;
    bool exiting;
    struct unixctl_conn *exit_conn; /* To answer when done, or NULL. */
};

/* Prints 'error', which it frees, on stderr and exits with EXIT_USAGE. */
static void OVS_NO_RETURN
die(char *error)
{
    fprintf(stderr, "%s: %s\n", program_name, error);
    free(error);
    exit(EXIT_USAGE);
}

/* --print-flows */

/* Stores the MAC of this host's interface 'name' in '*mac'. */
static bool
get_interface_mac(const char *name, struct eth_addr *mac)
{
    struct ifreq ifr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memset(&ifr, 0, sizeof ifr);
    ovs_strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    bool ok = fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &ifr);
    if (ok) {
        memcpy(mac, ifr.ifr_hwaddr.sa_data, sizeof *mac);
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* Prints each line of 'text' as an argument of ovs-ofctl's command 'command'.
 */
static void
print_command(const struct config *config, const char *command,
              const char *text)
{
    printf("ovs-ofctl -O OpenFlow15 %s %s '%s'\n", command, config->bridge,
           text);
}

/* Prints what the switch would be told, as commands for a shell. */
static void
print_flows(const struct config *config)
{
    struct eth_addr mac = config->local_mac;
    struct segment segment = { .policy = config->destination };
    struct host *host = host_create();
    size_t n_addresses;
    const struct host_address *addresses = host_addresses(host, &n_addresses);
    bool mac_known =
        (!config->local_mac_auto || get_interface_mac(config->bridge, &mac));

    segment_update(&segment, config->destination, config->bridge, addresses,
                   n_addresses);
    host_destroy(host);

    const struct flowset_params params = {
        .ports = config->ports,
        .n_ports = config->n_ports,
        .local_macs = &mac,
        .n_local_macs = mac_known,
        .flow_priority = config->flow_priority,
        .id_base = config->id_base,
        .max_pps = config->max_pps,
        .forward = config->forward,
        .destination = segment_destination(&segment),
    };
    struct flowset set;
    char *error = flowset_build(&params, &set);
    if (error) {
        die(error);
    }
    for (size_t i = 0; i < set.n_meters; i++) {
        print_command(config, "add-meter", set.meters[i].text);
    }
    for (size_t i = 0; i < hmap_count(&set.flows); i++) {
        print_command(config, "add-flow", set.order[i]->text);
    }
    if (mac_known) {
        printf("# a frame from the mesh: packet-out, in_port=CONTROLLER, "
               "actions=%s\n"
               "# its IP destination rewritten: packet-out, "
               "in_port=CONTROLLER, actions=%s\n",
               set.emit_keep, set.emit_rewrite);
    } else {
        printf("# no loop filter: this host has no interface %s to take the "
               "local MAC from; set relay.local_mac\n",
               config->bridge);
    }
    flowset_destroy(&set);
}

/* Control commands. */

static void
handle_exit(struct unixctl_conn *conn, int argc, const char *argv[],
            void *daemon_)
{
    struct daemon *d = daemon_;

    if (argc > 1 && strcmp(argv[1], "--cleanup")) {
        char *error = xasprintf("exit: \"%s\" is not --cleanup", argv[1]);
        unixctl_command_reply_error(conn, error);
        free(error);
        return;
    }
    d->exiting = true;
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
    char *error = config_load(d->options, &config);

    if (!error) {
        error = relay_reconfigure(d->relay, config);
        if (error) {
            config_destroy(config);
        }
    }
    if (error) {
        VLOG_ERR("configuration not reloaded: %s", error);
    } else {
        VLOG_INFO("configuration reloaded");
    }
    return error;
}

static void
handle_reload(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *daemon_)
{
    char *error = reload(daemon_);

    if (error) {
        unixctl_command_reply_error(conn, error);
        free(error);
    } else {
        unixctl_command_reply(conn, "configuration reloaded\n");
    }
}

/* Signals.  libopenvswitch would end the process at once; the flows have to go
 * first, and SIGHUP reloads. */

static int signal_fds[2]; /* A pipe from the handler to the loop. */
static volatile sig_atomic_t caught_hup, caught_term;

static void
catch_signal(int signo)
{
    if (signo == SIGHUP) {
        caught_hup = true;
    } else {
        caught_term = true;
    }
    ignore(write(signal_fds[1], "", 1));
}

static void
signals_init(void)
{
    const int caught[] = { SIGHUP, SIGINT, SIGTERM };

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

    if (!caught_hup && !caught_term) {
        return;
    }
    while (read(signal_fds[0], byte, sizeof byte) > 0) {
        continue;
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

/* Logging. */

/* Sets the log level that 'name' stands for.  Below "info" only our own
 * modules talk: libopenvswitch would tell of every pass through the main loop.
 */
static void
set_log_level(const char *name)
{
    static const char *const own_modules[] = {
        "snowrelayd", "relay", "bridge",   "channel",
        "mesh",       "peers", "resolver", "host",
    };
    static const struct {
        const char *name;
        enum vlog_level level;
    } levels[] = {
        { "debug", VLL_DBG },     { "info", VLL_INFO },
        { "warning", VLL_WARN },  { "error", VLL_ERR },
        { "critical", VLL_EMER },
    };

    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        if (strcmp(levels[i].name, name)) {
            continue;
        }
        if (levels[i].level != VLL_DBG) {
            vlog_set_levels(NULL, VLF_ANY_DESTINATION, levels[i].level);
            continue;
        }
        for (size_t j = 0; j < ARRAY_SIZE(own_modules); j++) {
            struct vlog_module *module = vlog_module_from_name(own_modules[j]);
            vlog_set_levels(module, VLF_CONSOLE, VLL_DBG);
            vlog_set_levels(module, VLF_FILE, VLL_DBG);
        }
    }
}

/* Takes our flows off the switch, for as long as that may take. */
static void
stop(struct daemon *d, struct unixctl_server *unixctl)
{
    long long int deadline = time_msec() + STOP_TIMEOUT_MS;

    relay_stop(d->relay);
    while (!relay_is_stopped(d->relay) && time_msec() < deadline) {
        relay_carry(d->relay);
        relay_run(d->relay);
        unixctl_server_run(unixctl);

        relay_wait(d->relay);
        unixctl_server_wait(unixctl);
        poll_timer_wait_until(deadline);
        if (!relay_is_stopped(d->relay)) {
            poll_block();
        }
    }
    if (relay_is_stopped(d->relay)) {
        VLOG_INFO("exiting");
    } else {
        VLOG_WARN("exiting, but the switch did not confirm that our flows "
                  "are gone");
    }
    if (d->exit_conn) {
        unixctl_command_reply(d->exit_conn, NULL);
    }
}

/* For memory/show. */
static void
report_memory(const struct relay *relay)
{
    memory_run();
    if (memory_should_report()) {
        struct simap usage = SIMAP_INITIALIZER(&usage);

        simap_increase(&usage, "peers", relay_peers(relay)->n_all);
        simap_increase(&usage, "queued", relay_queued(relay));
        memory_report(&usage);
        simap_destroy(&usage);
    }
}

int
main(int argc, char *argv[])
{
    struct daemon d = { .relay = NULL };
    struct unixctl_server *unixctl;
    struct options options;
    struct config *config;
    char *unixctl_path;

    ovs_set_program_name("snowrelayd", SNOWRELAY_VERSION);
    ovsthread_id_init();
    set_pidfile(NULL); /* Without it ovs-appctl does not find us. */
    options_parse(argc, argv, &options, &unixctl_path);
    d.options = &options;

    char *error = config_load(&options, &config);
    if (error) {
        die(error);
    }
    if (options.check_config) {
        char *json = config_to_json(config);
        puts(json);
        free(json);
    }
    if (options.print_flows) {
        print_flows(config);
    }
    if (options.check_config || options.print_flows) {
        config_destroy(config);
        options_destroy(&options);
        return 0;
    }

    set_log_level(config->log_level);
    for (size_t i = 0; i < options.verbosity.n; i++) {
        const char *arg = options.verbosity.names[i];
        vlog_set_verbosity(*arg ? arg : NULL); /* Checked already. */
    }
    fatal_ignore_sigpipe();
    daemonize_start(false);
    signals_init();

    if (unixctl_server_create(unixctl_path, &unixctl)) {
        exit(EXIT_FAILURE);
    }
    error = relay_create(config, &d.relay);
    if (error) {
        VLOG_FATAL("%s", error);
    }
    struct status *status = status_create(d.relay);
    unixctl_command_register("exit", "[--cleanup]", 0, 1, handle_exit, &d);
    unixctl_command_register("config/reload", "", 0, 0, handle_reload, &d);
    daemonize_complete();

    long long int next_rest = 0;
    while (!d.exiting) {
        bool busy = relay_carry(d.relay);

        if (!busy || time_msec() >= next_rest) {
            next_rest = time_msec() + BUSY_MS;
            report_memory(d.relay);
            relay_run(d.relay);
            unixctl_server_run(unixctl);
            status_run(status);
            signals_run(&d);
        }

        memory_wait();
        relay_wait(d.relay);
        unixctl_server_wait(unixctl);
        status_wait(status);
        signals_wait();
        if (d.exiting) {
            poll_immediate_wake();
        }
        poll_block();
    }

    stop(&d, unixctl);
    status_destroy(status);
    unixctl_server_destroy(unixctl);
    relay_destroy(d.relay);
    options_destroy(&options);
    return 0;
}
