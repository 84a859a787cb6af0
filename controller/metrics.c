/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "metrics.h"

#include <inttypes.h>
#include <string.h>

#include "announcement.h"
#include "counters.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "usage.h"
#include "util.h"

/* The format: a head for each metric, then a line for each series of it. */

static void
put_head(struct ds *out, const char *name, const char *type, const char *help)
{
    ds_put_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Appends the label 'name' with the value 'text' to 'out', as the first one
 * if 'first'. */
static void
put_label(struct ds *out, bool first, const char *name, const char *text)
{
    ds_put_format(out, "%s%s=\"", first ? "{" : ",", name);
    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '\n') {
            ds_put_cstr(out, "\\n");
        } else {
            if (*p == '\\' || *p == '"') {
                ds_put_char(out, '\\');
            }
            ds_put_char(out, *p);
        }
    }
    ds_put_char(out, '"');
}

static void
put_count(struct ds *out, int64_t n)
{
    ds_put_format(out, " %" PRId64 "\n", n);
}

/* Appends the metric 'name', which has one series of the value 'n'. */
static void
put_one(struct ds *out, const char *name, const char *type, const char *help,
        int64_t n)
{
    put_head(out, name, type, help);
    ds_put_cstr(out, name);
    put_count(out, n);
}

static void
put_seconds(struct ds *out, const char *name, const char *type,
            const char *help, double seconds)
{
    put_head(out, name, type, help);
    ds_put_format(out, "%s %.3f\n", name, seconds);
}

/* Reading "status json". */

static int64_t
count_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool
is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* Returns "" where there is no text. */
static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* This relay. */

static void
put_relay(const json_t *status, struct ds *out)
{
    const json_t *segment = json_object_get(status, "segment");
    const json_t *forwarder = json_object_get(segment, "forwarder");

    put_head(out, "snowrelay_build_info", "gauge",
             "Which version this is; always 1.");
    ds_put_cstr(out, "snowrelay_build_info");
    put_label(out, true, "version", text_of(status, "version"));
    ds_put_cstr(out, "} 1\n");

    put_one(out, "snowrelay_switch_connected", "gauge",
            "Whether the switch is connected, has the relay's flows, and "
            "punts.",
            is_true(status, "connected"));
    put_one(out, "snowrelay_flows_in_place", "gauge",
            "Whether the switch has what it should have, as of the last look.",
            is_true(status, "flows_in_place"));
    put_one(out, "snowrelay_forwarder", "gauge",
            "Whether this relay is the designated forwarder of its segment.",
            is_true(forwarder, "self"));

    put_head(out, "snowrelay_relay_state", "gauge",
             "What this relay is to its segment: 1 for the state it is in.");
    for (int i = 0; i < RELAY_N_STATES; i++) {
        ds_put_cstr(out, "snowrelay_relay_state");
        put_label(out, true, "state", relay_state_name(i));
        ds_put_char(out, '}');
        put_count(out,
                  !strcmp(relay_state_name(i), text_of(segment, "state")));
    }
    put_one(out, "snowrelay_segment_relays", "gauge",
            "Relays of this segment that announce themselves, but for this "
            "one.",
            json_array_size(json_object_get(segment, "relays")));
}

static void
put_paused(const json_t *status, struct ds *out)
{
    const json_t *segment = json_object_get(status, "segment");
    const json_t *paused = json_object_get(segment, "paused");
    size_t i, j;
    json_t *port, *pause;

    put_head(out, "snowrelay_port_paused", "gauge",
             "Whether a broadcast port is not punted at present, since copies "
             "came back.");
    json_array_foreach(json_object_get(status, "ports"), i, port)
    {
        bool is_paused = false;

        json_array_foreach(paused, j, pause)
        {
            is_paused |= count_of(pause, "port") == json_integer_value(port);
        }
        ds_put_format(out,
                      "snowrelay_port_paused{port=\"%" JSON_INTEGER_FORMAT
                      "\"} %d\n",
                      json_integer_value(port), is_paused);
    }
}

/* Frames. */

static void
put_drops(const json_t *counters, struct ds *out)
{
    static const char *const keys[N_DIRECTIONS] = {
        [DIRECTION_PUNT] = "punt_dropped",
        [DIRECTION_MESH] = "mesh_dropped",
    };

    put_head(out, "snowrelay_frames_dropped_total", "counter",
             "Frames dropped, by where they came from and by reason.");
    for (int d = 0; d < N_DIRECTIONS; d++) {
        const json_t *drops = json_object_get(counters, keys[d]);

        for (int reason = FRAME_OK + 1; reason < N_DROP_REASONS; reason++) {
            ds_put_cstr(out, "snowrelay_frames_dropped_total");
            put_label(out, true, "direction", direction_name(d));
            put_label(out, false, "reason", drop_reason_name(reason));
            ds_put_char(out, '}');
            put_count(out, count_of(drops, drop_reason_name(reason)));
        }
    }
}

static void
put_frames(const json_t *status, struct ds *out)
{
    const json_t *c = json_object_get(status, "counters");

    put_one(out, "snowrelay_frames_punted_total", "counter",
            "Broadcasts that came from the switch for the mesh.",
            count_of(c, "punted"));
    put_one(out, "snowrelay_frames_relayed_total", "counter",
            "Those of them that were sent to at least one peer.",
            count_of(c, "relayed"));
    put_one(out, "snowrelay_datagrams_sent_total", "counter",
            "Copies sent to peers, one for each frame and peer.",
            count_of(c, "mesh_tx"));
    put_one(out, "snowrelay_datagrams_received_total", "counter",
            "Datagrams that came from the mesh, but for hellos.",
            count_of(c, "mesh_rx"));
    put_one(out, "snowrelay_frames_emitted_total", "counter",
            "Frames of peers that were handed to the switch.",
            count_of(c, "emitted"));
    put_one(out, "snowrelay_frames_queued", "gauge",
            "Frames that wait for the switch.", count_of(c, "queued"));
    put_drops(c, out);
}

/* The tunnel. */

static void
put_tunnel(const json_t *status, struct ds *out)
{
    const json_t *transport = json_object_get(status, "transport");
    const json_t *carried = json_object_get(transport, "carried");

    put_one(out, "snowrelay_tunnel_up", "gauge",
            "Whether there is the tunnel port to peers.",
            is_true(transport, "there"));
    put_one(out, "snowrelay_tunnel_peers", "gauge",
            "Peers that are sent to through the tunnel.",
            count_of(transport, "peers"));
    put_one(
        out, "snowrelay_switch_frames_relayed_total", "counter",
        "Of snowrelay_frames_relayed_total, what the switch has carried by "
        "itself.",
        count_of(carried, "relayed"));
    put_one(out, "snowrelay_switch_datagrams_sent_total", "counter",
            "Of snowrelay_datagrams_sent_total, the same.",
            count_of(carried, "tx"));
    put_one(out, "snowrelay_switch_frames_emitted_total", "counter",
            "Of snowrelay_frames_emitted_total, the same.",
            count_of(carried, "emitted"));
}

/* Peers. */

/* How a peer's state is counted. */
static const struct {
    const char *state;
    int up; /* -1 where nobody says hello. */
} peer_states[] = {
    { "up", 1 },          { "segment", 1 },    { "alternate", 1 },
    { "probing", 0 },     { "silent", 0 },     { "suspect", 0 },
    { "down", 0 },        { "unresolved", 0 }, { "unreachable", 0 },
    { "snowsignal", -1 }, { "duplicate", -1 }, { "own", -1 },
    { "self", -1 },
};

static void
put_peer(const json_t *peer, const char *metric, struct ds *out)
{
    ds_put_cstr(out, metric);
    put_label(out, true, "peer", text_of(peer, "address"));
    put_label(out, false, "name", text_of(peer, "name"));
}

static void
put_peer_states(const json_t *peers, struct ds *out)
{
    size_t i;
    json_t *peer;

    put_head(out, "snowrelay_peers", "gauge", "Peers, by state.");
    for (size_t s = 0; s < ARRAY_SIZE(peer_states); s++) {
        int n = 0;

        json_array_foreach(peers, i, peer)
        {
            n += !strcmp(text_of(peer, "state"), peer_states[s].state);
        }
        ds_put_cstr(out, "snowrelay_peers");
        put_label(out, true, "state", peer_states[s].state);
        ds_put_char(out, '}');
        put_count(out, n);
    }

    put_head(
        out, "snowrelay_peer_up", "gauge",
        "Whether a peer answers; not there for those that are not asked.");
    json_array_foreach(peers, i, peer)
    {
        for (size_t s = 0; s < ARRAY_SIZE(peer_states); s++) {
            if (peer_states[s].up >= 0
                && !strcmp(text_of(peer, "state"), peer_states[s].state)) {
                put_peer(peer, "snowrelay_peer_up", out);
                ds_put_char(out, '}');
                put_count(out, peer_states[s].up);
            }
        }
    }
}

static void
put_peer_infos(const json_t *peers, struct ds *out)
{
    static const char *const labels[] = {
        "relay_id", "forwarder", "format", "transport", "role",
    };
    size_t i;
    json_t *peer;

    put_head(out, "snowrelay_peer_info", "gauge",
             "What a peer says of itself; always 1.");
    json_array_foreach(peers, i, peer)
    {
        put_peer(peer, "snowrelay_peer_info", out);
        for (size_t j = 0; j < ARRAY_SIZE(labels); j++) {
            put_label(out, false, labels[j], text_of(peer, labels[j]));
        }
        ds_put_cstr(out, "} 1\n");
    }
}

static void
put_peer_rtts(const json_t *peers, struct ds *out)
{
    size_t i;
    json_t *peer;

    put_head(
        out, "snowrelay_peer_rtt_seconds", "gauge",
        "Round-trip time to a peer, smoothed; not there while not known.");
    json_array_foreach(peers, i, peer)
    {
        const json_t *rtt = json_object_get(peer, "rtt_us");

        if (json_is_integer(rtt)) {
            put_peer(peer, "snowrelay_peer_rtt_seconds", out);
            ds_put_format(out, "} %.6f\n", json_integer_value(rtt) / 1e6);
        }
    }
}

static void
put_peer_counters(const json_t *peers, struct ds *out)
{
    static const struct {
        const char *key;
        const char *name;
        const char *help;
        bool goes_down; /* A frame that is late was not lost. */
    } counters[] = {
        { "tx", "snowrelay_peer_sent_frames_total", "Frames sent to a peer.",
          false },
        { "tx_bytes", "snowrelay_peer_sent_bytes_total",
          "Bytes of the frames sent to a peer.", false },
        { "tx_errors", "snowrelay_peer_send_errors_total",
          "Frames that the kernel refused to send to a peer.", false },
        { "tx_lost", "snowrelay_peer_sent_lost_frames",
          "Frames sent to a peer that it says have not come.", true },
        { "rx", "snowrelay_peer_received_frames_total",
          "Frames received from a peer.", false },
        { "rx_bytes", "snowrelay_peer_received_bytes_total",
          "Bytes of the frames received from a peer.", false },
        { "rx_limited", "snowrelay_peer_limited_frames_total",
          "Frames of a peer that were more than it may send.", false },
        { "lost", "snowrelay_peer_lost_frames",
          "Frames of a peer that have not come.", true },
        { "duplicated", "snowrelay_peer_duplicated_frames_total",
          "Frames of a peer that have come again.", false },
        { "reordered", "snowrelay_peer_reordered_frames_total",
          "Frames of a peer that have come after later ones.", false },
    };
    size_t i;
    json_t *peer;

    for (size_t c = 0; c < ARRAY_SIZE(counters); c++) {
        put_head(out, counters[c].name,
                 counters[c].goes_down ? "gauge" : "counter",
                 counters[c].help);
        json_array_foreach(peers, i, peer)
        {
            const json_t *n = json_object_get(peer, counters[c].key);

            if (json_is_integer(n)) {
                put_peer(peer, counters[c].name, out);
                ds_put_char(out, '}');
                put_count(out, json_integer_value(n));
            }
        }
    }
}

/* Replication. */

/* Appends the metric 'name' of each collector: its count 'key', or if that is
 * NULL, whether it is up. */
static void
put_collectors(const json_t *rules, const char *name, const char *type,
               const char *help, const char *key, struct ds *out)
{
    size_t i, j;
    json_t *rule, *collector;

    put_head(out, name, type, help);
    json_array_foreach(rules, i, rule)
    {
        json_array_foreach(json_object_get(rule, "collectors"), j, collector)
        {
            ds_put_cstr(out, name);
            put_label(out, true, "rule", text_of(rule, "name"));
            put_label(out, false, "collector",
                      text_of(collector, "collector"));
            ds_put_char(out, '}');
            put_count(out, key ? count_of(collector, key)
                               : !strcmp(text_of(collector, "state"), "up"));
        }
    }
}

static void
put_replicate(const json_t *status, struct ds *out)
{
    const json_t *rules = json_object_get(status, "replicate");
    size_t i;
    json_t *rule;

    put_collectors(rules, "snowrelay_replicate_collector_up", "gauge",
                   "Whether a collector of a rule is sent to.", NULL, out);
    put_collectors(rules, "snowrelay_replicate_collector_packets_total",
                   "counter", "Datagrams that the switch has sent to it.",
                   "datagrams", out);
    put_collectors(rules, "snowrelay_replicate_collector_bytes_total",
                   "counter", "Bytes of these.", "bytes", out);
    put_head(out, "snowrelay_replicate_fragments_total", "counter",
             "IP fragments that may have been for a rule, and were not "
             "copied.");
    json_array_foreach(rules, i, rule)
    {
        ds_put_cstr(out, "snowrelay_replicate_fragments_total");
        put_label(out, true, "rule", text_of(rule, "name"));
        ds_put_char(out, '}');
        put_count(out, count_of(rule, "fragments"));
    }
}

/* Searches. */

/* Appends the metric 'name', with the count 'key' of each protocol. */
static void
put_protocols(const json_t *searches, const char *name, const char *help,
              const char *key, struct ds *out)
{
    json_t *counts = json_object_get(searches, key);
    const char *protocol;
    json_t *n;

    put_head(out, name, "counter", help);
    json_object_foreach(counts, protocol, n)
    {
        ds_put_cstr(out, name);
        put_label(out, true, "protocol", protocol);
        ds_put_char(out, '}');
        put_count(out, json_integer_value(n));
    }
}

/* Appends the labels of 'search', one of the names that are asked for most. */
static void
put_search_labels(const json_t *search, struct ds *out)
{
    put_label(out, true, "protocol", text_of(search, "protocol"));
    put_label(out, false, "name", text_of(search, "name"));
}

/* Appends the metric 'name' of each of the names that are asked for most: its
 * count 'key', or whether that is true. */
static void
put_names(const json_t *searches, const char *name, const char *type,
          const char *help, const char *key, struct ds *out)
{
    size_t i;
    json_t *search;

    put_head(out, name, type, help);
    json_array_foreach(json_object_get(searches, "top"), i, search)
    {
        ds_put_cstr(out, name);
        put_search_labels(search, out);
        ds_put_char(out, '}');
        put_count(out, is_true(search, key) + count_of(search, key));
    }
}

/* Appends who asks for each of these names, as far as is remembered: few of a
 * name. */
static void
put_clients(const json_t *searches, struct ds *out)
{
    static const char name[] = "snowrelay_search_client_requests_total";
    size_t i, j;
    json_t *search, *client;

    put_head(out, name, "counter",
             "Searches for the names that are asked for most, by who asks.");
    json_array_foreach(json_object_get(searches, "top"), i, search)
    {
        json_array_foreach(json_object_get(search, "from"), j, client)
        {
            ds_put_cstr(out, name);
            put_search_labels(search, out);
            put_label(out, false, "client", text_of(client, "address"));
            put_label(out, false, "from",
                      is_true(client, "local") ? "segment" : "mesh");
            ds_put_char(out, '}');
            put_count(out, count_of(client, "count"));
        }
    }
}

static void
put_searches(const json_t *status, struct ds *out)
{
    const json_t *searches = json_object_get(status, "searches");

    put_one(out, "snowrelay_search_names", "gauge",
            "Names searched for that are remembered.",
            count_of(searches, "names"));
    put_one(out, "snowrelay_search_names_unanswered", "gauge",
            "Those of them that are asked for again and again.",
            count_of(searches, "unanswered"));
    put_one(out, "snowrelay_search_names_forgotten_total", "counter",
            "Names that were forgotten to make room.",
            count_of(searches, "forgotten"));
    put_one(out, "snowrelay_search_datagrams_total", "counter",
            "Datagrams that held searches.", count_of(searches, "datagrams"));
    put_one(out, "snowrelay_search_malformed_datagrams_total", "counter",
            "Those of them that do not hold what their headers say.",
            count_of(searches, "malformed"));
    put_one(out, "snowrelay_search_skipped_frames_total", "counter",
            "Frames that were not looked at to their end.",
            count_of(searches, "skipped"));
    put_protocols(searches, "snowrelay_search_requests_total",
                  "Searches for a name.", "requests", out);
    put_protocols(searches, "snowrelay_search_repeated_requests_total",
                  "Those of them that repeat one of the same client.",
                  "repeated", out);
    put_names(searches, "snowrelay_search_name_requests_total", "counter",
              "Searches for the names that are asked for most.", "count", out);
    put_names(searches, "snowrelay_search_name_repeated_requests_total",
              "counter", "Those of them that repeat one of the same client.",
              "repeated", out);
    put_names(searches, "snowrelay_search_name_unanswered", "gauge",
              "Whether such a name is asked for again and again.",
              "unanswered", out);
    put_clients(searches, out);
}

/* The process. */

static void
put_process(const struct usage *p, struct ds *out)
{
    put_seconds(out, "process_cpu_seconds_total", "counter",
                "User and system CPU time of the daemon.", p->cpu);
    put_seconds(out, "process_start_time_seconds", "gauge",
                "When the daemon started, since 1970.", p->start_time);
    put_one(out, "process_resident_memory_bytes", "gauge",
            "Resident memory of the daemon.", p->resident);
    put_one(out, "process_virtual_memory_bytes", "gauge",
            "Virtual memory of the daemon.", p->virtual);
    put_one(out, "process_open_fds", "gauge",
            "Open file descriptors of the daemon.", p->open_fds);
    put_one(out, "process_max_fds", "gauge", "How many it may open.",
            p->max_fds);
}

void
metrics_put(const json_t *status, const struct usage *usage, struct ds *out)
{
    const json_t *peers = json_object_get(status, "peers");

    put_relay(status, out);
    put_paused(status, out);
    put_frames(status, out);
    put_tunnel(status, out);
    put_peer_states(peers, out);
    put_peer_infos(peers, out);
    put_peer_rtts(peers, out);
    put_peer_counters(peers, out);
    put_replicate(status, out);
    put_searches(status, out);
    put_process(usage, out);
}
