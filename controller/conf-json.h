/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CONF_JSON_H
#define SNOWRELAY_CONF_JSON_H 1

/* The configuration as the JSON file that would give it. */

struct config;

/* Returns 'config' as the text of a JSON file that would give the same,
 * indented for people.  The caller frees it. */
char *config_to_json(const struct config *config);

#endif /* conf-json.h */
