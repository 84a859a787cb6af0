/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-mesh.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "remotes.h"
#include "seal.h"
#include "show.h"
#include "util.h"

/* For people. */

enum column {
    COLUMN_PEER,
    COLUMN_NAME,
    COLUMN_FORMAT,
    COLUMN_TRANSPORT,
    COLUMN_STATE,
    COLUMN_ROLE,
    COLUMN_UP_SINCE,
    COLUMN_RX,
    COLUMN_TX,
    COLUMN_LOST,
    COLUMN_TX_LOST,
    COLUMN_RTT,
    N_COLUMNS
};

/* Returns true if the hellos of 'peer' tell of loss and distance. */
static bool
is_measured(const struct peer *peer)
{
    return peer->role == PEER_OTHER && peer->remote;
}

/* Returns what 'peer' says that it is to its segment, RELAY_OFF if that is not
 * known. */
static enum relay_state
peer_role(const struct peer *peer)
{
    return (is_measured(peer) && liveness_is_heard(&peer->liveness)
                ? peer->remote->role
                : RELAY_OFF);
}

/* Writes 'us' to 'cell' as people read it. */
static void
format_rtt(uint32_t us, show_cell cell)
{
    if (us < 10000) {
        snprintf(cell, SHOW_CELL_SIZE, "%" PRIu32 " us", us);
    } else {
        snprintf(cell, SHOW_CELL_SIZE, "%.1f ms", us / 1000.0);
    }
}

/* A word for the format that 'peer' speaks. */
static const char *
format_name(const struct peers *peers, const struct peer *peer)
{
    return (peers->sealed && is_measured(peer) ? "sealed"
                                               : peer_format_name(peer));
}

static void
fill_row(const struct peers *peers, const struct peer *peer, show_cell *cells)
{
    for (int i = 0; i < N_COLUMNS; i++) {
        ovs_strlcpy(cells[i], "-", SHOW_CELL_SIZE);
    }
    if (peer->role != PEER_UNRESOLVED) {
        endpoint_format(&peer->target, cells[COLUMN_PEER]);
    }
    ovs_strlcpy(cells[COLUMN_NAME], peer->name, SHOW_CELL_SIZE);
    ovs_strlcpy(cells[COLUMN_FORMAT], format_name(peers, peer),
                SHOW_CELL_SIZE);
    ovs_strlcpy(cells[COLUMN_TRANSPORT], peer_transport_name(peer),
                SHOW_CELL_SIZE);
    ovs_strlcpy(cells[COLUMN_STATE], peer_state_name(peer), SHOW_CELL_SIZE);
    if (peer_role(peer)) {
        ovs_strlcpy(cells[COLUMN_ROLE], relay_state_name(peer_role(peer)),
                    SHOW_CELL_SIZE);
    }
    show_time(peer->up_since, cells[COLUMN_UP_SINCE]);
    snprintf(cells[COLUMN_RX], SHOW_CELL_SIZE, "%" PRIu64,
             peer->rx + peer->tunnel.rx);
    snprintf(cells[COLUMN_TX], SHOW_CELL_SIZE, "%" PRIu64,
             peer->tx + peer->tunnel.tx);
    if (is_measured(peer)) {
        snprintf(cells[COLUMN_LOST], SHOW_CELL_SIZE, "%" PRIu64,
                 peer->remote->window.lost);
        snprintf(cells[COLUMN_TX_LOST], SHOW_CELL_SIZE, "%" PRIu64,
                 peer->remote->lost);
        if (peer->liveness.smoothed_rtt) {
            format_rtt(peer->liveness.smoothed_rtt, cells[COLUMN_RTT]);
        }
    }
}

char *
show_mesh(const struct peering *peering)
{
    static const struct {
        const char *name;
        bool is_number;
    } columns[] = {
        [COLUMN_PEER] = { "PEER", false },
        [COLUMN_NAME] = { "NAME", false },
        [COLUMN_FORMAT] = { "FORMAT", false },
        [COLUMN_TRANSPORT] = { "TRANSPORT", false },
        [COLUMN_STATE] = { "STATE", false },
        [COLUMN_ROLE] = { "ROLE", false },
        [COLUMN_UP_SINCE] = { "UP SINCE", false },
        [COLUMN_RX] = { "RX", true },
        [COLUMN_TX] = { "TX", true },
        [COLUMN_LOST] = { "LOST", true },
        [COLUMN_TX_LOST] = { "TX LOST", true },
        [COLUMN_RTT] = { "RTT", true },
    };
    const struct peers *peers = peering_peers(peering);
    size_t n_rows = peers->n_all + 1;
    show_cell *cells = xcalloc(n_rows * N_COLUMNS, sizeof *cells);
    struct ds out = DS_EMPTY_INITIALIZER;
    bool numbers[N_COLUMNS];

    for (int i = 0; i < N_COLUMNS; i++) {
        ovs_strlcpy(cells[i], columns[i].name, SHOW_CELL_SIZE);
        numbers[i] = columns[i].is_number;
    }
    for (size_t i = 0; i < peers->n_all; i++) {
        fill_row(peers, peers->all[i], &cells[(i + 1) * N_COLUMNS]);
    }
    show_table(cells, n_rows, N_COLUMNS, numbers, &out);
    free(cells);
    return ds_steal_cstr(&out);
}

/* Returns how many of 'peers' seal with the key 'id', as of their last
 * hellos. */
static size_t
count_peers(const struct peers *peers, uint16_t id)
{
    size_t n = 0;

    for (size_t i = 0; i < peers->n_all; i++) {
        const struct peer *peer = peers->all[i];

        n += (is_measured(peer) && liveness_is_heard(&peer->liveness)
              && peer->remote->key_id == id);
    }
    return n;
}

char *
show_mesh_seal(const struct peering *peering)
{
    const struct seal_keys *keys = peering_keys(peering);
    const struct peers *peers = peering_peers(peering);
    struct ds out = DS_EMPTY_INITIALIZER;

    if (!keys->n) {
        return xstrdup("off");
    }
    for (size_t i = 0; i < keys->n; i++) {
        size_t n = count_peers(peers, keys->all[i].id);

        ds_put_format(&out, "%s %04x (%" PRIuSIZE " peer%s)",
                      i ? ", also taken: key" : "key", keys->all[i].id, n,
                      n == 1 ? "" : "s");
    }
    return ds_steal_cstr(&out);
}

/* For programs. */

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
    json_object_set_new(object, "relay_id", show_id_json(remote->id));
    json_object_set_new(object, "local_macs", macs);
    json_object_set_new(object, "ports", ports);
    json_object_set_new(object, "forwarder", show_id_json(remote->forwarder));
    json_object_set_new(object, "lost", json_integer(remote->window.lost));
    json_object_set_new(object, "duplicated",
                        json_integer(remote->window.duplicated));
    json_object_set_new(object, "reordered",
                        json_integer(remote->window.reordered));
    json_object_set_new(object, "tx_lost", json_integer(remote->lost));
}

static json_t *
key_id_to_json(uint16_t id)
{
    return json_sprintf("%04x", id);
}

/* Returns what is known of the tunnel to 'peer', null if it has none. */
static json_t *
tunnel_to_json(const struct peer *peer)
{
    const struct peer_tunnel *t = &peer->tunnel;
    char source[INET6_ADDRSTRLEN];

    if (!t->theirs.type) {
        return json_null();
    }
    /* clang-format off */
    return json_pack(
        "{s:s, s:I, s:b, s:b, s:o, s:i, s:b, s:I, s:I}",
        "type", t->theirs.type == HELLO_VXLAN ? "vxlan" : "geneve",
        "vni", (json_int_t) t->theirs.vni,
        "heard", t->hears,
        "hears", t->theirs.hears,
        "from", IN6_IS_ADDR_UNSPECIFIED(&t->source)
                    ? json_null()
                    : json_string(address_format(&t->source, source)),
        "max_len", (int) t->max_len,
        "ipsec", t->is_protected,
        "rx", (json_int_t) t->rx,
        "tx", (json_int_t) t->tx);
    /* clang-format on */
}

static json_t *
peer_to_json(const struct peers *peers, const struct peer *peer)
{
    char address[ENDPOINT_TEXT_SIZE];
    json_t *at = (peer->role == PEER_UNRESOLVED
                      ? json_null()
                      : json_string(endpoint_format(&peer->target, address)));

    json_t *role =
        (peer_role(peer) ? json_string(relay_state_name(peer_role(peer)))
                         : json_null());

    /* clang-format off */
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I,"
        " s:n, s:o, s:o, s:n, s:s, s:o}",
        "name", peer->name,
        "source", roster_source_name(peer->source),
        "address", at,
        "format", format_name(peers, peer),
        "state", peer_state_name(peer),
        "reason", peer_reason(peer),
        "role", role,
        "up_since", show_time_json(peer->up_since),
        "rx", (json_int_t) (peer->rx + peer->tunnel.rx),
        "rx_bytes", (json_int_t) (peer->rx_bytes + peer->tunnel.rx_bytes),
        "rx_limited", (json_int_t) peer->rx_limited,
        "tx", (json_int_t) (peer->tx + peer->tunnel.tx),
        "tx_bytes", (json_int_t) (peer->tx_bytes + peer->tunnel.tx_bytes),
        "tx_errors", (json_int_t) peer->tx_errors,
        "lost",
        "rtt_us", rtt_to_json(peer->liveness.smoothed_rtt),
        "rtt_last_us", rtt_to_json(peer->liveness.rtt),
        "relay_id",
        "transport", peer_transport_name(peer),
        "tunnel", tunnel_to_json(peer));
    /* clang-format on */
    if (is_measured(peer)) {
        add_remote(object, peer->remote);
        if (peers->sealed) {
            json_object_set_new(object, "key",
                                key_id_to_json(peer->remote->key_id));
        }
    }
    return object;
}

json_t *
show_mesh_json(const struct peering *peering)
{
    const struct peers *peers = peering_peers(peering);
    json_t *array = json_array();

    for (size_t i = 0; i < peers->n_all; i++) {
        json_array_append_new(array, peer_to_json(peers, peers->all[i]));
    }
    return array;
}

json_t *
show_mesh_id_json(const struct peering *peering)
{
    return show_id_json(peering_id(peering));
}

json_t *
show_mesh_keys_json(const struct peering *peering)
{
    const struct seal_keys *keys = peering_keys(peering);
    json_t *array = keys->n ? json_array() : json_null();

    for (size_t i = 0; i < keys->n; i++) {
        json_array_append_new(array, key_id_to_json(keys->all[i].id));
    }
    return array;
}
