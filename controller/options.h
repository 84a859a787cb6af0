/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_OPTIONS_H
#define SNOWRELAY_OPTIONS_H 1

/* Options: the command line, taken apart but not yet judged.
 *
 * The options are SnowSignal's, some of our own, and those that every Open
 * vSwitch daemon has (ovs-vswitchd(8)).  What a value means is conf.h's
 * business. */

#include <stdbool.h>
#include <sys/types.h>

#include "openvswitch/compiler.h"
#include "svec.h"
#include "tls-options.h"

/* Exit status for wrong options and wrong configuration. */
enum { EXIT_USAGE = 2 };

/* The command line.  Strings are NULL where an option was not given. */
struct options {
    const char *target_interface;
    const char *broadcast_port;
    const char *mesh_port;
    const char *transport;
    const char *log_level;
    char *config_file; /* Absolute, also from SNOWRELAY_CONFIG. */
    const char *switch_target;
    const char *database;
    const char *user; /* USER[:GROUP]. */
    uid_t uid;        /* Whom that makes it run as; for who finds out. */
    struct svec other_relays;
    bool check_config;
    bool print_flows;
    const char *generate_key; /* File to make. */
    struct svec verbosity;    /* Arguments of -v, "" where it has none. */
    const char *pidfile;      /* Of --pidfile, if it has one. */
    bool log;                 /* Was --log-file given? */
    const char *log_file;     /* Its argument, if it has one. */
    struct tls_options tls;
};

/* Takes apart 'argv' into '*options', whose strings point into 'argv'.  Sets
 * up the logging and process options of libopenvswitch on the way, but for
 * what makes or reads a file; stores the argument of --unixctl in
 * '*unixctl_path', NULL if there is none.
 *
 * Exits: with status 0 after --help or --version, with EXIT_USAGE and a line
 * on stderr if the command line is wrong. */
void options_parse(int argc, char *argv[], struct options *options,
                   char **unixctl_path);
void options_destroy(struct options *options);

/* Prints 'error', which it frees, as one line on stderr, and exits with
 * EXIT_USAGE. */
void options_refuse(char *error) OVS_NO_RETURN;

#endif /* options.h */
