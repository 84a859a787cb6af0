/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CONF_FILE_H
#define SNOWRELAY_CONF_FILE_H 1

/* The JSON file of the configuration: its keys, their types, and what to say
 * when they are wrong.  Pure: the caller reads the file. */

#include <stddef.h>

#include "openvswitch/compiler.h"

struct config;

/* Fills the 'length' bytes of JSON at 'text' into 'config'; 'name' stands for
 * the file in messages.  Returns NULL or a message that the caller frees. */
char *config_parse_json(struct config *config, const char *text, size_t length,
                        const char *name) OVS_WARN_UNUSED_RESULT;

#endif /* conf-file.h */
