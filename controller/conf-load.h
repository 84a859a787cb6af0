/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CONF_LOAD_H
#define SNOWRELAY_CONF_LOAD_H 1

/* Loading the configuration from where it comes from.
 *
 * Each value comes from the command line, else from the environment, else from
 * the JSON file, else it has a default.  All of them are checked together
 * before any of them is used, so that a wrong file changes nothing. */

#include "openvswitch/compiler.h"

struct config;
struct options;

/* Reads the configuration that 'options', the environment and the file ask
 * for.  Returns NULL and stores in '*configp' a configuration that the caller
 * frees with config_destroy(), or returns a message of one line that the
 * caller frees and stores NULL. */
char *config_load(const struct options *options,
                  struct config **configp) OVS_WARN_UNUSED_RESULT;

#endif /* conf-load.h */
