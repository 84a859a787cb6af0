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
options_parse(int argc, char *argv[], struct options *o, char **unixctl_path)
{
    char *short_options_ =
        ovs_cmdl_long_options_to_short_options(long_options);

    /* The leading '-' brings arguments that belong to no option in their
     * place, so that --other-relays can take several. */
    char *short_options = xasprintf("-%s", short_options_);
    const char *config_file = NULL;
    bool after_other_relays = false;

    memset(o, 0, sizeof *o);
    svec_init(&o->other_relays);
    svec_init(&o->verbosity);
    *unixctl_path = NULL;

    replace_ll(argc, argv);
    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);

        if (c == -1) {
            break;
        }
        if (c == 1) {
            if (!after_other_relays) {
                fprintf(stderr,
                        "%s: %s: not an option, and no option before "
                        "it takes it\n",
                        program_name, optarg);
                exit(EXIT_USAGE);
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
                fprintf(stderr, "%s: --verbose: %s\n", program_name, error);
                exit(EXIT_USAGE);
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

        switch (c) {
        case 't': o->target_interface = optarg; break;
        case 'b': o->broadcast_port = optarg; break;
        case 'm': o->mesh_port = optarg; break;
        case 'l': o->log_level = optarg; break;
        case OPT_OTHER_RELAYS: svec_add(&o->other_relays, optarg); break;
        case OPT_CONFIG: config_file = optarg; break;
        case OPT_CHECK_CONFIG: o->check_config = true; break;
        case OPT_PRINT_FLOWS: o->print_flows = true; break;
        case OPT_SWITCH: o->switch_target = optarg; break;
        case OPT_DB: o->database = optarg; break;
        case OPT_GENERATE_KEY: o->generate_key = optarg; break;
        case OPT_UNIXCTL: *unixctl_path = optarg; break;

        case 'h': print_usage(); exit(EXIT_SUCCESS);
        case 'V': ovs_print_version(0, 0); exit(EXIT_SUCCESS);

        case OPT_BOOTSTRAP_CA_CERT:
            stream_ssl_set_ca_cert_file(optarg, true);
            break;
        case OPT_PEER_CA_CERT:
            stream_ssl_set_peer_ca_cert_file(optarg);
            break;

            DAEMON_OPTION_HANDLERS
            VLOG_OPTION_HANDLERS
            STREAM_SSL_OPTION_HANDLERS

        case '?':
            fprintf(stderr, "%s: see --help\n", program_name);
            exit(EXIT_USAGE);
        default: OVS_NOT_REACHED();
        }
    }
    for (int i = optind; i < argc; i++) { /* What follows "--". */
        fprintf(stderr, "%s: %s: not an option\n", program_name, argv[i]);
        exit(EXIT_USAGE);
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
