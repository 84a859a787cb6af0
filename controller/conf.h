/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CONF_H
#define SNOWRELAY_CONF_H 1

/* Configuration: what this relay is to do.
 *
 * Each value comes from the command line, else from the environment, else from
 * the JSON file, else it has a default.  All of them are checked together
 * before any of them is used, so that a wrong file changes nothing.  Every
 * error is one line that names the option, the variable or the JSON path, the
 * value, and what is allowed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"
#include "openvswitch/compiler.h"
#include "openvswitch/types.h"
#include "peers.h"
#include "segment.h"

struct options;

enum {
    CONFIG_MAX_PORTS = 64,
    CONFIG_MAX_PEERS = 4096,
    CONFIG_MAX_ACCEPT = 256
};

struct config {
    char *bridge;
    char *switch_target; /* OVS connection method. */
    uint32_t id_base;    /* First id of meters and groups of ours. */

    /* Relay. */
    uint16_t ports[CONFIG_MAX_PORTS];
    size_t n_ports; /* 0 to relay nothing. */
    enum segment_policy destination;
    bool local_mac_auto; /* The bridge's own MAC; else 'local_mac'. */
    struct eth_addr local_mac;
    uint32_t max_pps;       /* Punts a second for each port. */
    uint16_t flow_priority; /* Of the punt flows. */
    char *forward;          /* What follows a punt: OpenFlow actions. */

    /* Mesh. */
    struct endpoint mesh; /* Where to listen. */
    struct peer_spec *peers;
    size_t n_peers;
    struct subnet *accept; /* Senders to accept besides the peers. */
    char **accept_texts;
    size_t n_accept;

    const char *log_level; /* debug, info, warning, error or critical. */
};

/* Reads the configuration that 'options', the environment and the file ask
 * for. Returns NULL and stores in '*configp' a configuration that the caller
 * frees with config_destroy(), or returns a message that the caller frees. */
char *config_load(const struct options *options,
                  struct config **configp) OVS_WARN_UNUSED_RESULT;
void config_destroy(struct config *);

/* Returns 'config' as the text of a JSON file that would give the same,
 * indented for people.  The caller frees it. */
char *config_to_json(const struct config *config);

/* Fills the JSON text 'text' into 'config'; 'name' stands for the file in
 * messages.  Returns NULL or a message that the caller frees. */
char *config_parse_json(struct config *config, const char *text, size_t length,
                        const char *name) OVS_WARN_UNUSED_RESULT;

/* Setters, for the readers of the sources.  'source' names where 'text' is
 * from in the message that they return if it is wrong. */
char *config_set_bridge(struct config *, const char *source,
                        const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_port(struct config *, const char *source,
                      const char *text) OVS_WARN_UNUSED_RESULT;
char *config_add_peer(struct config *, const char *source,
                      const char *text) OVS_WARN_UNUSED_RESULT;
char *config_add_accept(struct config *, const char *source,
                        const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_mesh_address(struct config *, const char *source,
                              const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_destination(struct config *, const char *source,
                             const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_local_mac(struct config *, const char *source,
                           const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_forward(struct config *, const char *source,
                         const char *text) OVS_WARN_UNUSED_RESULT;
void config_clear_ports(struct config *);
void config_clear_peers(struct config *);

#endif /* conf.h */
