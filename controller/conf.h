/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CONF_H
#define SNOWRELAY_CONF_H 1

/* Configuration: what this relay is to do.
 *
 * A configuration begins with the defaults; the setters put in what the
 * command line, the environment and the file say (conf-load.h, conf-file.h);
 * at the end it is checked as a whole.  Every error is one line that names the
 * option, the variable or the JSON path, the value, and what is allowed. Pure:
 * no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "destination.h"
#include "endpoint.h"
#include "openvswitch/compiler.h"
#include "openvswitch/types.h"
#include "peer-spec.h"
#include "rule.h"
#include "seal.h"
#include "subnets.h"
#include "tunnel.h"

struct filter;

enum {
    CONFIG_MAX_PORTS = 64, /* No more: see struct relay_mac. */
    CONFIG_MAX_PEERS = 4096,
    CONFIG_MAX_ACCEPT = 256,
    CONFIG_MAX_FROM = 64,
    CONFIG_MAX_LOCAL_MACS = 64,
    CONFIG_MAX_PPS = 10000000,

    /* Announcements within the time for which a silent relay counts. */
    CONFIG_MIN_HELLOS = 3,

    /* VNI of the mesh's tunnels: "SNM". */
    CONFIG_VNI = 0x534e4d
};

struct config {
    char *bridge;
    char *switch_target; /* OVS connection method. */
    uint32_t id_base;    /* First id of meters and groups of ours. */

    /* Relay. */
    uint16_t ports[CONFIG_MAX_PORTS];
    size_t n_ports;   /* 0 to relay nothing. */
    bool ports_given; /* Not the default ones? */
    enum destination_policy destination;
    bool local_mac_auto; /* The bridge's own MAC; else 'local_mac'. */
    struct eth_addr local_mac;
    uint32_t max_pps;       /* Punts a second for each port. */
    uint16_t flow_priority; /* Of the punt flows. */
    char *forward;          /* What follows a punt: OpenFlow actions. */
    struct subnets from;    /* Whose broadcasts are relayed; none for all. */
    char *filter_text;      /* Which of them, NULL for all... */
    struct filter *filter;  /* ...and the same, compiled. */

    /* Segment. */
    bool election;           /* Is one relay of the segment to forward? */
    uint8_t priority;        /* In the election. */
    uint32_t announce_ms;    /* Between announcements. */
    uint32_t dead_ms;        /* How long this relay counts without. */
    struct eth_addr *others; /* Local MACs of relays of the segment that do */
    size_t n_others;         /* not announce themselves. */

    /* Mesh. */
    struct endpoint mesh; /* Where to listen. */
    struct peer_specs peers;
    struct peer_specs discover; /* Names that lead to peers. */
    bool relay_id_auto;         /* The bridge's datapath id; else: */
    uint64_t relay_id;
    uint32_t hello_ms;     /* Between hellos. */
    uint32_t mesh_max_pps; /* Frames a second from each peer, 0 for as many as
                            * this relay would punt. */
    char *key_file;        /* NULL if the mesh is not sealed. */
    struct seal_keys keys; /* What is in it. */
    bool tunneled; /* Does the switch carry the frames, where it can? */
    enum tunnel_type tunnel_type; /* If so, in which tunnels... */
    uint32_t vni;                 /* ...and with which VNI. */
    struct subnets accept;        /* Senders to accept besides the peers. */

    struct rules replicate;
    char *database; /* OVSDB connection method, for tunnel ports. */

    bool http_on;         /* Is there a web server? */
    struct endpoint http; /* If so, where it listens. */
    unsigned int inspect; /* INSPECT_*: whose searches are looked into. */

    const char *log_level; /* debug, info, warning, error or critical. */
};

/* Returns a configuration of defaults, which the caller frees with
 * config_destroy(). */
struct config *config_create(void);
void config_destroy(struct config *);

/* Checks what no value can say of itself, and fills in what follows from the
 * others.  Returns NULL, or a message that the caller frees. */
char *config_check(struct config *) OVS_WARN_UNUSED_RESULT;

/* Returns the name of how frames get to the peers: "udp", "vxlan" or "geneve".
 */
const char *config_transport(const struct config *);

/* Returns how many frames a second each peer may send. */
static inline uint32_t
config_mesh_max_pps(const struct config *c)
{
    uint32_t as_here = c->max_pps * (c->n_ports ? c->n_ports : 1);

    return (c->mesh_max_pps            ? c->mesh_max_pps
            : as_here < CONFIG_MAX_PPS ? as_here
                                       : (uint32_t) CONFIG_MAX_PPS);
}

/* Setters, for the readers of the sources.  'source' names where 'text' is
 * from in the message that they return if it is wrong. */
char *config_set_bridge(struct config *, const char *source,
                        const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_port(struct config *, const char *source,
                      const char *text) OVS_WARN_UNUSED_RESULT;
char *config_add_peer(struct config *, const char *source,
                      const char *text) OVS_WARN_UNUSED_RESULT;
char *config_add_discover(struct config *, const char *source,
                          const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_service(struct config *, const char *source,
                         const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_relay_id(struct config *, const char *source,
                          const char *text) OVS_WARN_UNUSED_RESULT;
char *config_add_accept(struct config *, const char *source,
                        const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_mesh_address(struct config *, const char *source,
                              const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_mesh_port(struct config *, const char *source,
                           const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_log_level(struct config *, const char *source,
                           const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_switch(struct config *, const char *source,
                        const char *target) OVS_WARN_UNUSED_RESULT;
char *config_set_database(struct config *, const char *source,
                          const char *target) OVS_WARN_UNUSED_RESULT;
char *config_set_destination(struct config *, const char *source,
                             const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_local_mac(struct config *, const char *source,
                           const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_forward(struct config *, const char *source,
                         const char *text) OVS_WARN_UNUSED_RESULT;
char *config_add_from(struct config *, const char *source,
                      const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_filter(struct config *, const char *source,
                        const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_http(struct config *, const char *source,
                      const char *text) OVS_WARN_UNUSED_RESULT;
char *config_add_inspect(struct config *, const char *source,
                         const char *text) OVS_WARN_UNUSED_RESULT;
char *config_add_other(struct config *, const char *source,
                       const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_transport(struct config *, const char *source,
                           const char *text) OVS_WARN_UNUSED_RESULT;
char *config_set_key_file(struct config *, const char *source,
                          const char *text) OVS_WARN_UNUSED_RESULT;
void config_clear_ports(struct config *);

#endif /* conf.h */
