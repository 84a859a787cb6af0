/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-mesh.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "remotes.h"
#include "util.h"

/* For people. */

enum column {
    COLUMN_PEER,
    COLUMN_NAME,
    COLUMN_FORMAT,
    COLUMN_STATE,
    COLUMN_UP_SINCE,
    COLUMN_RX,
    COLUMN_TX,
    COLUMN_LOST,
    COLUMN_TX_LOST,
    COLUMN_RTT,
    N_COLUMNS
};

enum { CELL_SIZE = 272 }; /* A DNS name and a port fit. */

/* A line of the table. */
struct row {
    char cells[N_COLUMNS][CELL_SIZE];
};

static bool
is_number(enum column column)
{
    return column >= COLUMN_RX;
}

/* Returns true if the hellos of 'peer' tell of loss and distance. */
static bool
is_measured(const struct peer *peer)
{
    return peer->role == PEER_OTHER && peer->remote;
}

/* Writes 'us' to 'cell' as people read it. */
static void
format_rtt(uint32_t us, char cell[CELL_SIZE])
{
    if (us < 10000) {
        snprintf(cell, CELL_SIZE, "%" PRIu32 " us", us);
    } else {
        snprintf(cell, CELL_SIZE, "%.1f ms", us / 1000.0);
    }
}

static void
fill_row(const struct peer *peer, struct row *row)
{
    char(*cells)[CELL_SIZE] = row->cells;

    for (int i = 0; i < N_COLUMNS; i++) {
        ovs_strlcpy(cells[i], "-", CELL_SIZE);
    }
    if (peer->role != PEER_UNRESOLVED) {
        endpoint_format(&peer->target, cells[COLUMN_PEER]);
    }
    ovs_strlcpy(cells[COLUMN_NAME], peer->name, CELL_SIZE);
    ovs_strlcpy(cells[COLUMN_FORMAT], peer_format_name(peer), CELL_SIZE);
    ovs_strlcpy(cells[COLUMN_STATE], peer_state_name(peer), CELL_SIZE);
    if (peer->up_since) {
        time_t seconds = peer->up_since / 1000;
        struct tm tm;

        strftime(cells[COLUMN_UP_SINCE], CELL_SIZE, "%F %T",
                 localtime_r(&seconds, &tm));
    }
    snprintf(cells[COLUMN_RX], CELL_SIZE, "%" PRIu64, peer->rx);
    snprintf(cells[COLUMN_TX], CELL_SIZE, "%" PRIu64, peer->tx);
    if (is_measured(peer)) {
        snprintf(cells[COLUMN_LOST], CELL_SIZE, "%" PRIu64,
                 peer->remote->window.lost);
        snprintf(cells[COLUMN_TX_LOST], CELL_SIZE, "%" PRIu64,
                 peer->remote->lost);
        if (peer->liveness.smoothed_rtt) {
            format_rtt(peer->liveness.smoothed_rtt, cells[COLUMN_RTT]);
        }
    }
}

char *
show_mesh(const struct peering *peering)
{
    static const struct row heading = { { "PEER", "NAME", "FORMAT", "STATE",
                                          "UP SINCE", "RX", "TX", "LOST",
                                          "TX LOST", "RTT" } };
    const struct peers *peers = peering_peers(peering);
    size_t n = peers->n_all + 1;
    struct row *rows = xcalloc(n, sizeof *rows);
    struct ds out = DS_EMPTY_INITIALIZER;
    int widths[N_COLUMNS] = { 0 };

    rows[0] = heading;
    for (size_t i = 0; i < peers->n_all; i++) {
        fill_row(peers->all[i], &rows[i + 1]);
    }
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < N_COLUMNS; j++) {
            widths[j] = MAX(widths[j], (int) strlen(rows[i].cells[j]));
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < N_COLUMNS; j++) {
            ds_put_format(&out, is_number(j) ? "%*s" : "%-*s", widths[j],
                          rows[i].cells[j]);
            ds_put_cstr(&out, j < N_COLUMNS - 1 ? "  " : "\n");
        }
    }
    free(rows);
    return ds_steal_cstr(&out);
}

/* For programs. */

static json_t *
id_to_json(uint64_t id)
{
    return id ? json_sprintf("%016" PRIx64, id) : json_null();
}

/* Returns 'ms', a time since 1970, in the form of RFC 3339, null if it is 0.
 */
static json_t *
time_to_json(long long int ms)
{
    time_t seconds = ms / 1000;
    char text[32];
    struct tm tm;

    if (!ms) {
        return json_null();
    }
    strftime(text, sizeof text, "%FT%TZ", gmtime_r(&seconds, &tm));
    return json_string(text);
}

/* Returns 'us', null if it is 0. */
static json_t *
rtt_to_json(uint32_t us)
{
    return us ? json_integer(us) : json_null();
}

/* Adds to 'object' what is known of 'remote'. */
static void
add_remote(json_t *object, const struct remote *remote)
{
    json_t *macs = json_array();
    json_t *ports = json_array();

    for (size_t i = 0; i < remote->n_macs; i++) {
        json_array_append_new(
            macs, json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(remote->macs[i])));
    }
    for (size_t i = 0; i < remote->n_ports; i++) {
        json_array_append_new(ports, json_integer(remote->ports[i]));
    }
    json_object_set_new(object, "relay_id", id_to_json(remote->id));
    json_object_set_new(object, "local_macs", macs);
    json_object_set_new(object, "ports", ports);
    json_object_set_new(object, "lost", json_integer(remote->window.lost));
    json_object_set_new(object, "duplicated",
                        json_integer(remote->window.duplicated));
    json_object_set_new(object, "reordered",
                        json_integer(remote->window.reordered));
    json_object_set_new(object, "tx_lost", json_integer(remote->lost));
}

static json_t *
peer_to_json(const struct peer *peer)
{
    char address[ENDPOINT_TEXT_SIZE];
    json_t *at = (peer->role == PEER_UNRESOLVED
                      ? json_null()
                      : json_string(endpoint_format(&peer->target, address)));

    /* clang-format off */
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:n,"
        " s:o, s:o, s:n}",
        "name", peer->name,
        "source", roster_source_name(peer->source),
        "address", at,
        "format", peer_format_name(peer),
        "state", peer_state_name(peer),
        "reason", peer_reason(peer),
        "up_since", time_to_json(peer->up_since),
        "rx", (json_int_t) peer->rx,
        "rx_bytes", (json_int_t) peer->rx_bytes,
        "tx", (json_int_t) peer->tx,
        "tx_bytes", (json_int_t) peer->tx_bytes,
        "tx_errors", (json_int_t) peer->tx_errors,
        "lost",
        "rtt_us", rtt_to_json(peer->liveness.smoothed_rtt),
        "rtt_last_us", rtt_to_json(peer->liveness.rtt),
        "relay_id");
    /* clang-format on */
    if (is_measured(peer)) {
        add_remote(object, peer->remote);
    }
    return object;
}

json_t *
show_mesh_json(const struct peering *peering)
{
    const struct peers *peers = peering_peers(peering);
    json_t *array = json_array();

    for (size_t i = 0; i < peers->n_all; i++) {
        json_array_append_new(array, peer_to_json(peers->all[i]));
    }
    return array;
}

json_t *
show_mesh_id_json(const struct peering *peering)
{
    return id_to_json(peering_id(peering));
}
