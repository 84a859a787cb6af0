/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "status.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "conf.h"
#include "error-line.h"
#include "node.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "relay.h"
#include "show-capture.h"
#include "show-flows.h"
#include "show-mesh.h"
#include "show-replicate.h"
#include "show-searches.h"
#include "show-segment.h"
#include "show-talkers.h"
#include "show-transport.h"
#include "show.h"
#include "tap.h"
#include "timeval.h"
#include "tunneling.h"
#include "unixctl.h"
#include "util.h"

/* How long a command waits for the switch. */
enum { AUDIT_TIMEOUT_MS = 2000 };

/* A command that waits for an audit, to answer with what the switch has now.
 */
struct waiting {
    struct ovs_list node;
    struct unixctl_conn *conn;
    char *(*text)(const struct node *); /* Makes the answer. */
    unsigned int seqno;     /* Answer once the audit is past this... */
    long long int deadline; /* ...or at this time_msec(). */
};

struct status {
    struct node *node;
    struct ovs_list waiting; /* Of "struct waiting". */
};

/* status */

static void
format_mac(const struct relay *relay, char text[ETH_ADDR_STRLEN + 1])
{
    struct eth_addr mac;

    if (relay_local_mac(relay, &mac)) {
        snprintf(text, ETH_ADDR_STRLEN + 1, ETH_ADDR_FMT, ETH_ADDR_ARGS(mac));
    } else {
        ovs_strlcpy(text, "unknown", ETH_ADDR_STRLEN + 1);
    }
}

static void
format_relay_id(const struct relay *relay, char text[17])
{
    uint64_t id = peering_id(relay_peering(relay));

    snprintf(text, 17, id ? "%016" PRIx64 : "unknown", id);
}

/* Returns the drops of 'direction', or those of both if it is N_DIRECTIONS, by
 * reason.  Reasons without any are left out. */
static json_t *
drops_to_json(const struct counters *counters, enum direction direction)
{
    json_t *drops = json_object();

    for (int reason = 0; reason < N_DROP_REASONS; reason++) {
        uint64_t n = 0;

        for (int d = 0; d < N_DIRECTIONS; d++) {
            if (direction == N_DIRECTIONS || (int) direction == d) {
                n += counters->dropped[d][reason];
            }
        }
        if (n) {
            json_object_set_new(drops, drop_reason_name(reason),
                                json_integer(n));
        }
    }
    return drops;
}

/* Adds to 'root' where and when it is said, and what is wrong. */
static void
add_host(json_t *root, const struct node *node)
{
    char host[HOST_NAME_MAX + 1] = "";

    gethostname(host, sizeof host - 1);
    json_object_set_new(root, "version", json_string(SNOWRELAY_VERSION));
    json_object_set_new(root, "host", json_string(host));
    json_object_set_new(root, "time", show_time_json(time_wall_msec()));
    json_object_set_new(root, "problem",
                        node_problem(node) ? json_string(node_problem(node))
                                           : json_null());
}

json_t *
status_json(const struct node *node)
{
    const struct relay *relay = node_relay(node);
    const struct config *config = node_config(node);
    const struct counters c = relay_counters(relay);
    char mac[ETH_ADDR_STRLEN + 1];
    char mesh[ENDPOINT_TEXT_SIZE];
    json_t *ports = json_array();

    for (size_t i = 0; i < config->n_ports; i++) {
        json_array_append_new(ports, json_integer(config->ports[i]));
    }
    format_mac(relay, mac);

    /* clang-format off */
    json_t *root = json_pack(
        "{s:s, s:s, s:b, s:b, s:s, s:o, s:o, s:o, s:o, s:o,"
        " s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:i, s:o, s:o, s:o}, s:o, s:o, s:o, s:o}",
        "bridge", config->bridge,
        "switch", config->switch_target,
        "connected", node_is_connected(node),
        "flows_in_place", bridge_is_in_place(node_bridge(node)),
        "local_mac", mac,
        "ports", ports,
        "mesh", config->n_ports ? json_string(endpoint_format(&config->mesh, mesh))
                                : json_null(),
        "relay_id", show_mesh_id_json(relay_peering(relay)),
        "keys", show_mesh_keys_json(relay_peering(relay)),
        "peers", show_mesh_json(relay_peering(relay)),
        "transport", show_transport_json(config, relay),
        "segment", show_segment_json(relay_segment(relay), relay_loop_guard(relay)),
        "counters",
            "punted", (json_int_t) c.punted,
            "relayed", (json_int_t) c.relayed,
            "mesh_tx", (json_int_t) c.mesh_tx,
            "mesh_rx", (json_int_t) c.mesh_rx,
            "emitted", (json_int_t) c.emitted,
            "queued", relay_queued(relay),
            "dropped", drops_to_json(&c, N_DIRECTIONS),
            "punt_dropped", drops_to_json(&c, DIRECTION_PUNT),
            "mesh_dropped", drops_to_json(&c, DIRECTION_MESH),
        "replicate", replicate_to_json(config, node_replicate(node)),
        "searches", show_searches_json(relay_tap(relay)->inspect),
        "capture", show_capture_json(relay_tap(relay)->capture),
        "talkers", show_talkers_json(relay_tap(relay)->talkers,
                                     peering_peers(relay_peering(relay))));
    /* clang-format on */
    add_host(root, node);
    return root;
}

static char *
status_to_json(const struct node *node)
{
    json_t *root = status_json(node);
    char *text = json_dumps(root, JSON_INDENT(2));

    json_decref(root);
    return text;
}

/* Appends a line for the drops of 'direction' to 'out'. */
static void
format_drops(const struct counters *counters, enum direction direction,
             struct ds *out)
{
    bool any = false;

    ds_put_format(out, "%s dropped:", direction_name(direction));
    for (int reason = 0; reason < N_DROP_REASONS; reason++) {
        if (counters->dropped[direction][reason]) {
            ds_put_format(out, " %s %" PRIu64, drop_reason_name(reason),
                          counters->dropped[direction][reason]);
            any = true;
        }
    }
    ds_put_cstr(out, any ? "\n" : " none\n");
}

/* Appends the rules to 'out', if there are any. */
static void
show_rules_in_status(const struct node *node, struct ds *out)
{
    if (node_config(node)->replicate.n) {
        char *rules = show_replicate(node_config(node), node_replicate(node));

        ds_put_format(out, "replication:\n%s", rules);
        free(rules);
    }
}

static char *
status_to_text(const struct node *node)
{
    const struct relay *relay = node_relay(node);
    const struct config *config = node_config(node);
    const struct counters c = relay_counters(relay);
    const struct peers *peers = peering_peers(relay_peering(relay));
    struct ds out = DS_EMPTY_INITIALIZER;
    char mac[ETH_ADDR_STRLEN + 1];
    char id[17];
    char mesh[ENDPOINT_TEXT_SIZE];

    format_mac(relay, mac);
    format_relay_id(relay, id);
    ds_put_format(&out, "bridge: %s at %s, %s\n", config->bridge,
                  config->switch_target,
                  node_is_connected(node) ? "connected, flows in place"
                  : bridge_is_connected(node_bridge(node))
                      ? "connected, flows not in place yet"
                      : "not connected");
    if (node_problem(node)) {
        ds_put_format(&out, "flows not up to date: %s\n", node_problem(node));
    }
    ds_put_format(&out, "local MAC: %s\nports:", mac);
    for (size_t i = 0; i < config->n_ports; i++) {
        ds_put_format(&out, " %u", config->ports[i]);
    }
    ds_put_cstr(&out, config->n_ports ? "\n" : " none\n");
    if (!config->n_ports) {
        ds_put_cstr(&out, "mesh: none, nothing is relayed\n");
        show_rules_in_status(node, &out);
        return ds_steal_cstr(&out);
    }
    ds_put_format(&out,
                  "mesh: %s, relay id %s, %" PRIuSIZE " peers, %" PRIuSIZE
                  " of them sent to\n",
                  endpoint_format(&config->mesh, mesh), id, peers->n_all,
                  peers->n_targets);
    char *seal = show_mesh_seal(relay_peering(relay));
    char *forwarder = show_segment_forwarder(relay_segment(relay));
    ds_put_format(&out, "seal: %s\nsegment: forwarder: %s\n", seal, forwarder);
    free(seal);
    free(forwarder);
    char *transport = show_transport(config, relay);
    ds_put_format(&out, "transport: %s\n", transport);
    free(transport);
    ds_put_format(&out,
                  "to the mesh: punted %" PRIu64 ", relayed %" PRIu64
                  ", datagrams sent %" PRIu64 "\n",
                  c.punted, c.relayed, c.mesh_tx);
    ds_put_format(&out,
                  "from the mesh: datagrams received %" PRIu64
                  ", emitted %" PRIu64 ", queued %u\n",
                  c.mesh_rx, c.emitted, relay_queued(relay));
    format_drops(&c, DIRECTION_PUNT, &out);
    format_drops(&c, DIRECTION_MESH, &out);
    char *capture = show_capture(relay_tap(relay)->capture);
    ds_put_format(&out, "capture: %s\n", capture);
    free(capture);
    show_rules_in_status(node, &out);
    return ds_steal_cstr(&out);
}

/* Replies with 'text', which it frees. */
static void
reply(struct unixctl_conn *conn, char *text)
{
    unixctl_command_reply(conn, text);
    free(text);
}

/* Answers 'conn' with 'text', after an audit if there can be one. */
static void
reply_after_audit(struct status *status, struct unixctl_conn *conn,
                  char *(*text)(const struct node *) )
{
    struct bridge *bridge = node_bridge(status->node);

    if (!bridge_is_connected(bridge) || !bridge_wanted(bridge)) {
        reply(conn, text(status->node));
        return;
    }

    struct waiting *w = xmalloc(sizeof *w);
    w->conn = conn;
    w->text = text;
    w->seqno = bridge_audit(bridge);
    w->deadline = time_msec() + AUDIT_TIMEOUT_MS;
    ovs_list_push_back(&status->waiting, &w->node);
}

bool
status_is_counted_by_switch(const struct node *node)
{
    return (node_config(node)->replicate.n
            || relay_tunneling(node_relay(node))->there);
}

static void
show_status(struct unixctl_conn *conn, int argc, const char *argv[],
            void *status_)
{
    struct status *status = status_;
    bool json = argc > 1 && !strcmp(argv[1], "json");
    char *(*text)(const struct node *) =
        json ? status_to_json : status_to_text;

    if (argc > 1 && !json) {
        char *error =
            error_line(xasprintf("status: \"%s\" is not json", argv[1]));
        unixctl_command_reply_error(conn, error);
        free(error);
    } else if (status_is_counted_by_switch(status->node)) {
        reply_after_audit(status, conn, text);
    } else {
        reply(conn, text(status->node));
    }
}

/* replicate/show */

static char *
rules_to_text(const struct node *node)
{
    char *rules = show_replicate(node_config(node), node_replicate(node));

    if (!node_has_switch(node)) {
        char *text = xasprintf("not connected to the switch: as it was last\n"
                               "%s",
                               rules);
        free(rules);
        return text;
    }
    return rules;
}

static void
show_rules(struct unixctl_conn *conn, int argc OVS_UNUSED,
           const char *argv[] OVS_UNUSED, void *status_)
{
    reply_after_audit(status_, conn, rules_to_text);
}

/* mesh/show */

static char *
mesh_to_text(const struct node *node)
{
    const struct relay *relay = node_relay(node);
    char *mesh = show_mesh(relay_peering(relay));

    if (!node_config(node)->n_ports) {
        return mesh;
    }
    char *seal = show_mesh_seal(relay_peering(relay));
    char *transport = show_transport(node_config(node), relay);
    char *forwarder = show_segment_forwarder(relay_segment(relay));
    char *text =
        xasprintf("%sseal: %s\ntransport: %s\nsegment: forwarder: %s\n", mesh,
                  seal, transport, forwarder);
    free(mesh);
    free(seal);
    free(transport);
    free(forwarder);
    return text;
}

static void
show_mesh_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
                  const char *argv[] OVS_UNUSED, void *status_)
{
    struct status *status = status_;

    if (status_is_counted_by_switch(status->node)) {
        reply_after_audit(status, conn, mesh_to_text);
    } else {
        reply(conn, mesh_to_text(status->node));
    }
}

/* segment/show */

static void
show_segment_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
                     const char *argv[] OVS_UNUSED, void *status_)
{
    const struct status *status = status_;
    const struct relay *relay = node_relay(status->node);

    reply(conn, show_segment(relay_segment(relay), relay_loop_guard(relay)));
}

/* searches/show */

static void
show_searches_command(struct unixctl_conn *conn, int argc, const char *argv[],
                      void *status_)
{
    const struct status *status = status_;
    const struct relay *relay = node_relay(status->node);
    unsigned int n = SHOW_SEARCHES_NAMES;

    if (argc > 1
        && (!str_to_uint(argv[1], 10, &n) || !n || n > SHOW_SEARCHES_MAX)) {
        char *error = error_line(
            xasprintf("searches/show: \"%s\" is not a number from 1 to %d",
                      argv[1], SHOW_SEARCHES_MAX));
        unixctl_command_reply_error(conn, error);
        free(error);
        return;
    }
    reply(conn, show_searches(relay_tap(relay)->inspect, n));
}

/* flows/show */

static char *
flows_to_text(const struct node *node)
{
    const struct bridge *bridge = node_bridge(node);

    if (!bridge_wanted(bridge)) {
        return xstrdup("nothing is wanted yet: the local MAC is not known\n");
    }

    char *flows = show_flows(bridge_wanted(bridge), bridge_inventory(bridge));
    if (!bridge_is_connected(bridge)) {
        char *whole = xasprintf("not connected to the switch: what it has is "
                                "not known\n%s",
                                flows);
        free(flows);
        flows = whole;
    }
    return flows;
}

static void
show_flows_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
                   const char *argv[] OVS_UNUSED, void *status_)
{
    reply_after_audit(status_, conn, flows_to_text);
}

struct status *
status_create(struct node *node)
{
    struct status *status = xmalloc(sizeof *status);

    status->node = node;
    ovs_list_init(&status->waiting);
    unixctl_command_register("status", "[json]", 0, 1, show_status, status);
    unixctl_command_register("mesh/show", "", 0, 0, show_mesh_command, status);
    unixctl_command_register("segment/show", "", 0, 0, show_segment_command,
                             status);
    unixctl_command_register("searches/show", "[number]", 0, 1,
                             show_searches_command, status);
    unixctl_command_register("flows/show", "", 0, 0, show_flows_command,
                             status);
    unixctl_command_register("replicate/show", "", 0, 0, show_rules, status);
    return status;
}

void
status_destroy(struct status *status)
{
    if (status) {
        struct waiting *w;

        LIST_FOR_EACH_POP (w, node, &status->waiting) {
            unixctl_command_reply_error(w->conn, "snowrelayd is exiting");
            free(w);
        }
        free(status);
    }
}

void
status_run(struct status *status)
{
    struct bridge *bridge = node_bridge(status->node);
    struct waiting *w;

    LIST_FOR_EACH_SAFE (w, node, &status->waiting) {
        if ((int) (bridge_audit_seqno(bridge) - w->seqno) > 0) {
            reply(w->conn, w->text(status->node));
        } else if (time_msec() >= w->deadline) {
            unixctl_command_reply_error(w->conn, "the switch does not answer");
        } else {
            continue;
        }
        ovs_list_remove(&w->node);
        free(w);
    }
}

void
status_wait(struct status *status)
{
    struct waiting *w;

    LIST_FOR_EACH (w, node, &status->waiting) {
        poll_timer_wait_until(w->deadline);
    }
}
