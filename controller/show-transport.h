/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SHOW_TRANSPORT_H
#define SNOWRELAY_SHOW_TRANSPORT_H 1

/* What is shown of how frames get to the peers: for people, and for programs.
 */

#include <jansson.h>

struct config;
struct relay;

/* Returns a line, without its end, which the caller frees: "udp", or which
 * tunnel port there is, or why there is none, and how many peers are behind
 * it. */
char *show_transport(const struct config *config, const struct relay *relay);

/* The same as an object. */
json_t *
show_transport_json(const struct config *config, const struct relay *relay);

#endif /* show-transport.h */
