/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "election.h"
#include "endpoint.h"
#include "loop-guard.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "segment.h"
#include "show.h"
#include "timeval.h"
#include "util.h"

/* Returns the wall clock's time, in ms, when time_msec() was 'then', 0 if that
 * is 0. */
static long long int
wall_time(long long int then)
{
    return then ? time_wall_msec() - (time_msec() - then) : 0;
}

/* Writes to 'text' where people find the relay that 'a' announces: its
 * address, or where it has none its MAC. */
static void
format_address(const struct announcement *a, char text[INET6_ADDRSTRLEN])
{
    if (ipv6_addr_equals(&a->address, &in6addr_any)) {
        snprintf(text, INET6_ADDRSTRLEN, ETH_ADDR_FMT, ETH_ADDR_ARGS(a->mac));
    } else {
        address_format(&a->address, text);
    }
}

/* For people. */

/* Appends who forwards to 'out'. */
static void
put_forwarder(const struct election *e, struct ds *out)
{
    const struct candidate *c = election_forwarder(e);
    char address[INET6_ADDRSTRLEN];

    if (election_forwards(e)) {
        ds_put_cstr(out, "self");
    } else if (!c) {
        ds_put_cstr(out, "none");
    } else {
        format_address(&c->said, address);
        ds_put_format(out, "%016" PRIx64 " %s", c->said.relay_id, address);
    }
}

/* Returns the reason of who forwards, or of this relay if nobody does. */
static enum relay_reason
forwarder_reason(const struct election *e)
{
    const struct candidate *c = election_forwarder(e);

    return c ? c->said.reason : e->self.reason;
}

/* Returns since when there is that forwarder, or none, as wall_time(). */
static long long int
forwarder_since(const struct election *e)
{
    const struct candidate *c = election_forwarder(e);

    return wall_time(c ? c->since : e->since);
}

char *
show_segment_forwarder(const struct segment *s)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    show_cell since;

    show_time(forwarder_since(&s->election), since);
    put_forwarder(&s->election, &out);
    ds_put_format(&out, ", since %s: %s", since,
                  relay_reason_text(forwarder_reason(&s->election)));
    return ds_steal_cstr(&out);
}

enum column {
    COLUMN_RELAY,
    COLUMN_ADDRESS,
    COLUMN_MAC,
    COLUMN_PRIORITY,
    COLUMN_STATE,
    COLUMN_SINCE,
    COLUMN_HEARD,
    COLUMN_WHY,
    N_COLUMNS
};

/* Fills in the row for the relay that 'a' announces, in its state since
 * 'since', whose last announcement came at 'heard', or 0. */
static void
fill_row(const struct announcement *a, long long int since,
         long long int heard, show_cell *cells)
{
    snprintf(cells[COLUMN_RELAY], SHOW_CELL_SIZE, "%016" PRIx64, a->relay_id);
    format_address(a, cells[COLUMN_ADDRESS]);
    snprintf(cells[COLUMN_MAC], SHOW_CELL_SIZE, ETH_ADDR_FMT,
             ETH_ADDR_ARGS(a->mac));
    snprintf(cells[COLUMN_PRIORITY], SHOW_CELL_SIZE, "%u", a->priority);
    ovs_strlcpy(cells[COLUMN_STATE], relay_state_name(a->state),
                SHOW_CELL_SIZE);
    show_time(wall_time(since), cells[COLUMN_SINCE]);
    if (heard) {
        snprintf(cells[COLUMN_HEARD], SHOW_CELL_SIZE, "%lld ms ago",
                 time_msec() - heard);
    } else {
        ovs_strlcpy(cells[COLUMN_HEARD], "self", SHOW_CELL_SIZE);
    }
    ovs_strlcpy(cells[COLUMN_WHY], relay_reason_text(a->reason),
                SHOW_CELL_SIZE);
}

/* Appends the relays of the segment to 'out', this one first. */
static void
put_relays(const struct election *e, struct ds *out)
{
    static const char *const names[N_COLUMNS] = {
        "RELAY", "ADDRESS", "MAC", "PRIORITY", "STATE", "SINCE", "HEARD", "WHY"
    };
    static const bool numbers[N_COLUMNS] = {
        [COLUMN_PRIORITY] = true, [COLUMN_HEARD] = true
    };
    show_cell *cells =
        xcalloc((e->candidates.n + 2) * N_COLUMNS, sizeof *cells);

    for (int i = 0; i < N_COLUMNS; i++) {
        ovs_strlcpy(cells[i], names[i], SHOW_CELL_SIZE);
    }
    fill_row(&e->self, e->since, 0, &cells[N_COLUMNS]);
    for (size_t i = 0; i < e->candidates.n; i++) {
        const struct candidate *c = &e->candidates.all[i];

        fill_row(&c->said, c->since, c->heard, &cells[(i + 2) * N_COLUMNS]);
    }
    show_table(cells, e->candidates.n + 2, N_COLUMNS, numbers, out);
    free(cells);
}

/* Appends to 'out' the ports that the forwarder does not relay, but this relay
 * does. */
static void
put_other_ports(const struct election *e, struct ds *out)
{
    const struct candidate *c = election_forwarder(e);

    for (size_t i = 0; c && i < e->self.n_ports; i++) {
        uint16_t port = e->self.ports[i];

        if (!candidate_relays(c, port)) {
            ds_put_format(out, "port %u: not relayed by the forwarder, %s\n",
                          port,
                          election_forwards_port(e, port)
                              ? "but by this relay"
                              : "but by another one that stands by");
        }
    }
}

/* Appends the ports that are not punted to 'out'. */
static void
put_paused_ports(const struct loop_guard *guard, struct ds *out)
{
    size_t n;
    const struct loop_port *ports = loop_guard_ports(guard, &n);

    for (size_t i = 0; i < n; i++) {
        const struct loop_port *p = &ports[i];
        show_cell until;

        if (p->paused) {
            show_time(wall_time(p->until), until);
            ds_put_format(
                out,
                "port %u: not punted until %s: %" PRIu64
                " broadcasts came back, the last one from " ETH_ADDR_FMT "\n",
                p->port, until, p->n_copies, ETH_ADDR_ARGS(p->mac));
        }
    }
}

char *
show_segment(const struct segment *s, const struct loop_guard *guard)
{
    const struct election *e = &s->election;
    struct ds out = DS_EMPTY_INITIALIZER;
    show_cell since;

    ds_put_cstr(&out, "forwarder: ");
    put_forwarder(e, &out);
    if (!e->self.n_ports) {
        ds_put_cstr(&out, "\nwhy: this relay relays nothing\n");
        return ds_steal_cstr(&out);
    }
    show_time(forwarder_since(e), since);
    ds_put_format(&out, "\nsince: %s\nwhy: %s\n", since,
                  relay_reason_text(forwarder_reason(e)));
    if (e->on) {
        ds_put_format(&out,
                      "election: on, announced every %" PRIu32
                      " ms, dead after "
                      "%" PRIu32 " ms\n",
                      e->self.hello_ms, e->self.dead_ms);
    } else {
        ds_put_cstr(&out, "election: off\n");
    }
    put_other_ports(e, &out);
    put_paused_ports(guard, &out);
    if (e->on) {
        put_relays(e, &out);
    }
    return ds_steal_cstr(&out);
}

/* For programs. */

static json_t *
ports_to_json(const struct announcement *a)
{
    json_t *ports = json_array();

    for (size_t i = 0; i < a->n_ports; i++) {
        json_array_append_new(ports, json_integer(a->ports[i]));
    }
    return ports;
}

/* Returns what 'a' says, with the address as people find the relay. */
static json_t *
announcement_to_json(const struct announcement *a, long long int since)
{
    char address[INET6_ADDRSTRLEN];

    format_address(a, address);
    return json_pack(
        "{s:o, s:s, s:o, s:i, s:s, s:s, s:o, s:o}", "relay_id",
        show_id_json(a->relay_id), "address", address, "mac",
        json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(a->mac)), "priority",
        a->priority, "state", relay_state_name(a->state), "reason",
        relay_reason_text(a->reason), "since",
        show_time_json(wall_time(since)), "ports", ports_to_json(a));
}

static json_t *
forwarder_to_json(const struct election *e)
{
    const struct candidate *c = election_forwarder(e);
    const struct announcement *a = c ? &c->said : &e->self;
    char address[INET6_ADDRSTRLEN];

    if (!c && !election_forwards(e)) {
        return json_null();
    }
    format_address(a, address);
    return json_pack("{s:b, s:o, s:s, s:o, s:s}", "self", !c, "relay_id",
                     show_id_json(a->relay_id), "address", address, "since",
                     show_time_json(forwarder_since(e)), "reason",
                     relay_reason_text(forwarder_reason(e)));
}

static json_t *
paused_to_json(const struct loop_guard *guard)
{
    size_t n;
    const struct loop_port *ports = loop_guard_ports(guard, &n);
    json_t *paused = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct loop_port *p = &ports[i];

        if (p->paused) {
            json_array_append_new(
                paused,
                json_pack("{s:i, s:o, s:I, s:o}", "port", p->port, "until",
                          show_time_json(wall_time(p->until)), "copies",
                          (json_int_t) p->n_copies, "mac",
                          json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(p->mac))));
        }
    }
    return paused;
}

json_t *
show_segment_json(const struct segment *s, const struct loop_guard *guard)
{
    const struct election *e = &s->election;
    json_t *relays = json_array();

    for (size_t i = 0; i < e->candidates.n; i++) {
        const struct candidate *c = &e->candidates.all[i];
        json_t *relay = announcement_to_json(&c->said, c->since);

        json_object_set_new(relay, "heard_ms",
                            json_integer(time_msec() - c->heard));
        json_array_append_new(relays, relay);
    }
    return json_pack("{s:b, s:s, s:s, s:o, s:i, s:o, s:o, s:o}", "election",
                     e->on, "state",
                     e->on ? relay_state_name(e->self.state) : "off", "reason",
                     relay_reason_text(e->self.reason), "since",
                     show_time_json(wall_time(e->since)), "priority",
                     e->self.priority, "forwarder", forwarder_to_json(e),
                     "relays", relays, "paused", paused_to_json(guard));
}
