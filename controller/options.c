/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "daemon.h"
#include "dirs.h"
#include "endpoint.h"
#include "error-line.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "stream-ssl.h"
#include "stream.h"
#include "util.h"

enum {
    OPT_OTHER_RELAYS = UCHAR_MAX + 1,
    OPT_CONFIG,
    OPT_CHECK_CONFIG,
    OPT_PRINT_FLOWS,
    OPT_SWITCH,
    OPT_DB,
    OPT_GENERATE_KEY,
    OPT_UNIXCTL,
    OPT_TRANSPORT,
    OPT_BOOTSTRAP_CA_CERT,
    OPT_PEER_CA_CERT,
    VLOG_OPTION_ENUMS,
    DAEMON_OPTION_ENUMS,
    SSL_OPTION_ENUMS
};

static const struct option long_options[] = {
    { "target-interface", required_argument, NULL, 't' },
    { "broadcast-port", required_argument, NULL, 'b' },
    { "mesh-port", required_argument, NULL, 'm' },
    { "transport", required_argument, NULL, OPT_TRANSPORT },
    { "log-level", required_argument, NULL, 'l' },
    { "other-relays", required_argument, NULL, OPT_OTHER_RELAYS },
    { "config", required_argument, NULL, OPT_CONFIG },
    { "check-config", no_argument, NULL, OPT_CHECK_CONFIG },
    { "print-flows", no_argument, NULL, OPT_PRINT_FLOWS },
    { "switch", required_argument, NULL, OPT_SWITCH },
    { "db", required_argument, NULL, OPT_DB },
    { "generate-key", required_argument, NULL, OPT_GENERATE_KEY },
    { "unixctl", required_argument, NULL, OPT_UNIXCTL },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    DAEMON_LONG_OPTIONS,
    VLOG_LONG_OPTIONS,
    STREAM_SSL_LONG_OPTIONS,
    { "bootstrap-ca-cert", required_argument, NULL, OPT_BOOTSTRAP_CA_CERT },
    { "peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT },
    { NULL, 0, NULL, 0 },
};

static void
print_usage(void)
{
    printf(
        "snowrelayd: relays UDP broadcasts between Open vSwitch bridges, and "
        "has\n"
        "the switch copy UDP streams to many collectors\n"
        "usage: %s [OPTIONS]\n\n"
        "Relay options (each also from the environment, as shown):\n"
        "  -t, --target-interface=BRIDGE  bridge to serve "
        "(TARGET_INTERFACE; br0)\n"
        "  -b, --broadcast-port=PORT[,..] ports to relay "
        "(BDCAST_PORT; 5076)\n"
        "  -m, --mesh-port=PORT           UDP port of the mesh "
        "(MESH_PORT; 7124)\n"
        "  --transport=TRANSPORT          how frames get to the peers: udp, "
        "vxlan, geneve\n"
        "                                 (MESH_TRANSPORT; udp)\n"
        "  --other-relays RELAY [RELAY..] the peers: ADDRESS, NAME, "
        "either with :PORT\n"
        "  SERVICENAME (environment only) Docker Swarm service whose tasks "
        "are "
        "peers\n"
        "  -l, -ll, --log-level=LEVEL     debug, info, warning, error, "
        "critical\n"
        "                                 (LOGLEVEL; info)\n"
        "  --config=FILE                  JSON configuration file "
        "(SNOWRELAY_CONFIG)\n"
        "  --switch=TARGET                where the switch is, an OVS "
        "connection method\n"
        "                                 (default: "
        "unix:%s/BRIDGE.mgmt)\n"
        "  --db=DATABASE                  where its database is, for tunnel "
        "ports\n"
        "                                 (default: unix:%s/db.sock)\n"
        "  --user=USER[:GROUP]            whom to become after the start "
        "(default: snowrelay\n"
        "                                 if root starts it and there is such "
        "a user)\n\n"
        "Other ways to run:\n"
        "  --check-config                 check, print the effective "
        "configuration, exit\n"
        "  --print-flows                  print what the switch would be "
        "told, exit\n"
        "  --generate-key=FILE            make a key file for a sealed mesh, "
        "exit\n"
        "  -h, --help                     print this, exit\n"
        "  -V, --version                  print the version, exit\n",
        program_name, ovs_rundir(), ovs_rundir());
    daemon_usage();
    vlog_usage();
    stream_usage("switch", true, false, true);
    printf("\nControl:\n"
           "  --unixctl=SOCKET               override the name of the control "
           "socket\n");
}

/* SnowSignal's short form of --log-level is "-ll", which getopt would take for
 * "-l l". */
static void
replace_ll(int argc, char *argv[])
{
    static char log_level[] = "--log-level";

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-ll")) {
            argv[i] = log_level;
        }
    }
}

void
options_refuse(char *error)
{
    char *line = error_line(error);

    fprintf(stderr, "%s: %s\n", program_name, line);
    free(line);
    exit(EXIT_USAGE);
}

/* Returns how many long options begin with the 'length' bytes at 'name', and
 * stores the last one of them in '*option'. */
static size_t
count_options(const char *name, size_t length, const struct option **option)
{
    size_t n = 0;

    for (const struct option *o = long_options; o->name; o++) {
        if (!strncmp(o->name, name, length)) {
            *option = o;
            n++;
        }
    }
    return n;
}

/* Says what is wrong with the option that getopt_long() has just refused with
 * 'c', which is ':' if it lacks its value.  'optopt' is the option if that is
 * known. */
static void OVS_NO_RETURN
refuse_option(int c, const char *arg)
{
    size_t length = strcspn(arg, "=");
    const struct option *option = NULL;

    if (strncmp(arg, "--", 2)
        || (c == '?' && optopt && optopt <= UCHAR_MAX && !strchr(arg, '='))) {
        options_refuse(xasprintf(c == ':' ? "-%c: needs a value (see --help)"
                                          : "-%c: unknown option (see --help)",
                                 optopt));
    } else if (c == ':') {
        options_refuse(xasprintf("%s: needs a value (see --help)", arg));
    } else if (optopt) {
        options_refuse(xasprintf("%.*s: takes no value, but has \"%s\"",
                                 (int) length, arg,
                                 arg + length + (arg[length] == '=')));
    } else if (count_options(arg + 2, length - 2, &option) > 1) {
        options_refuse(xasprintf("%s: could be several options, such as --%s "
                                 "(see --help)",
                                 arg, option->name));
    }
    options_refuse(xasprintf("%s: unknown option (see --help)", arg));
}

/* Refuses an empty 'value' of 'option'; there may be none. */
static const char *
file_name(const char *option, const char *value)
{
    if (value && !*value) {
        options_refuse(
            xasprintf("%s: \"\" is not the name of a file", option));
    }
    return value;
}

/* Returns true if 'text' is of the form ADDRESS:PORT or [ADDRESS]:PORT. */
static bool
is_endpoint(const char *text)
{
    struct in6_addr address;
    uint16_t port = 0;
    char *host = NULL;
    char *error = host_port_split(text, 0, &host, &port);
    bool valid = !error && port && address_from_text(host, &address);

    free(error);
    free(host);
    return valid;
}

/* libopenvswitch would end the process. */
static void
check_syslog_method(const char *option, const char *method)
{
    if (strcmp(method, "libc") && strcmp(method, "null")
        && (strncmp(method, "unix:", 5) || !method[5])
        && (strncmp(method, "udp:", 4) || !is_endpoint(method + 4))) {
        options_refuse(xasprintf("%s: \"%s\" is none of libc, null, "
                                 "unix:FILE, udp:ADDRESS:PORT",
                                 option, method));
    }
}

static void
set_syslog_target(const char *target)
{
    if (!is_endpoint(target)) {
        options_refuse(xasprintf("--syslog-target: \"%s\" is not "
                                 "ADDRESS:PORT",
                                 target));
    }
    vlog_set_syslog_target(target);
}

void
options_parse(int argc, char *argv[], struct options *o, char **unixctl_path)
{
    char *short_options_ =
        ovs_cmdl_long_options_to_short_options(long_options);

    /* The leading '-' brings arguments that belong to no option in their
     * place, so that --other-relays can take several; the ':' leaves it to us
     * to say what is wrong. */
    char *short_options = xasprintf("-:%s", short_options_);
    const char *config_file = NULL;
    bool after_other_relays = false;

    memset(o, 0, sizeof *o);
    svec_init(&o->other_relays);
    svec_init(&o->verbosity);
    *unixctl_path = NULL;

    const char *syslog_method = getenv("OVS_SYSLOG_METHOD");
    if (syslog_method && *syslog_method) {
        check_syslog_method("OVS_SYSLOG_METHOD", syslog_method);
    }

    replace_ll(argc, argv);
    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);

        if (c == -1) {
            break;
        }
        if (c == 1) {
            if (!after_other_relays) {
                options_refuse(xasprintf("%s: not an option, and no option "
                                         "before it takes it",
                                         optarg));
            }
            svec_add(&o->other_relays, optarg);
            continue;
        }
        after_other_relays = c == OPT_OTHER_RELAYS;

        if (c == 'v') {
            /* These refine --log-level, wherever they stand, and are applied
             * once more after it. */
            char *error = optarg ? vlog_set_levels_from_string(optarg) : NULL;
            if (error) {
                char *whole =
                    xasprintf("--verbose: \"%s\": %s", optarg, error);
                free(error);
                options_refuse(whole);
            }
            svec_add(&o->verbosity, optarg ? optarg : "");
            continue;
        }
        if (c == OPT_USER_GROUP) {
            /* libopenvswitch would change the user before it makes the
             * pidfile. */
            o->user = optarg;
            continue;
        }

        if (c == OPT_PIDFILE) {
            o->pidfile = file_name("--pidfile", optarg);
        }

        switch (c) {
        case 't': o->target_interface = optarg; break;
        case 'b': o->broadcast_port = optarg; break;
        case 'm': o->mesh_port = optarg; break;
        case 'l': o->log_level = optarg; break;
        case OPT_TRANSPORT: o->transport = optarg; break;
        case OPT_OTHER_RELAYS: svec_add(&o->other_relays, optarg); break;
        case OPT_CONFIG: config_file = file_name("--config", optarg); break;
        case OPT_CHECK_CONFIG: o->check_config = true; break;
        case OPT_PRINT_FLOWS: o->print_flows = true; break;
        case OPT_SWITCH: o->switch_target = optarg; break;
        case OPT_DB: o->database = optarg; break;
        case OPT_GENERATE_KEY:
            o->generate_key = file_name("--generate-key", optarg);
            break;
        case OPT_UNIXCTL:
            file_name("--unixctl", optarg);
            *unixctl_path = optarg;
            break;

        case 'h': print_usage(); exit(EXIT_SUCCESS);
        case 'V': ovs_print_version(0, 0); exit(EXIT_SUCCESS);

        case OPT_LOG_FILE:
            o->log = true;
            o->log_file = file_name("--log-file", optarg);
            break;
        case OPT_SYSLOG_IMPL:
            check_syslog_method("--syslog-method", optarg);
            vlog_set_syslog_method(optarg);
            break;
        case OPT_SYSLOG_TARGET: set_syslog_target(optarg); break;

        case 'p': o->tls.private_key = optarg; break;
        case 'c': o->tls.certificate = optarg; break;
        case 'C': o->tls.ca_cert = optarg; break;
        case OPT_BOOTSTRAP_CA_CERT: o->tls.bootstrap_ca_cert = optarg; break;
        case OPT_PEER_CA_CERT: o->tls.peer_ca_cert = optarg; break;
        case OPT_SSL_PROTOCOLS: o->tls.protocols = optarg; break;
        case OPT_SSL_CIPHERS:
            o->tls.ciphers = optarg;
            break;

            DAEMON_OPTION_HANDLERS

        case '?':
        case ':': refuse_option(c, argv[optind - 1]);
        default: OVS_NOT_REACHED();
        }
    }
    if (optind < argc) { /* What follows "--". */
        options_refuse(xasprintf("%s: not an option", argv[optind]));
    }
    free(short_options);
    free(short_options_);

    /* A daemon changes its folder, and reads the file again later. */
    const char *variable = getenv("SNOWRELAY_CONFIG");
    if (!config_file && variable && *variable) {
        config_file = variable;
    }
    o->config_file = config_file ? abs_file_name(NULL, config_file) : NULL;
}

void
options_destroy(struct options *o)
{
    svec_destroy(&o->other_relays);
    svec_destroy(&o->verbosity);
    free(o->config_file);
}
