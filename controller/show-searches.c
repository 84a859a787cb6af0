/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-searches.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "searches.h"
#include "show.h"
#include "timeval.h"
#include "util.h"

void
show_search_name(const struct search *s, struct ds *out)
{
    for (size_t i = 0; i < s->length; i++) {
        uint8_t c = s->name[i];

        if (c == '\\') {
            ds_put_cstr(out, "\\\\");
        } else if (c >= 0x20 && c < 0x7f) {
            ds_put_char(out, c);
        } else {
            ds_put_format(out, "\\x%02x", c);
        }
    }
}

/* The clients of a name at one address. */
struct host {
    ovs_be32 address;
    bool local;
    uint64_t count;
};

static int
compare_hosts(const void *a_, const void *b_)
{
    const struct host *a = a_;
    const struct host *b = b_;

    return (a->count != b->count ? (a->count > b->count ? -1 : 1)
            : a->address != b->address
                ? (ntohl(a->address) < ntohl(b->address) ? -1 : 1)
                : b->local - a->local);
}

/* Stores in 'hosts' those that clients of 's' are on, first those that
 * searched most.  Returns their number. */
static size_t
find_hosts(const struct search *s, struct host hosts[SEARCHES_MAX_CLIENTS])
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_clients; i++) {
        const struct search_client *c = &s->clients[i];
        size_t j = 0;

        while (j < n
               && (hosts[j].address != c->asker.address
                   || hosts[j].local != c->asker.local)) {
            j++;
        }
        if (j == n) {
            hosts[n++] = (struct host){ c->asker.address, c->asker.local, 0 };
        }
        hosts[j].count += c->count;
    }
    qsort(hosts, n, sizeof *hosts, compare_hosts);
    return n;
}

/* Returns the wall clock's time, in ms, when time_msec() was 'then'. */
static long long int
wall_time(long long int then)
{
    return time_wall_msec() - (time_msec() - then);
}

/* For people. */

enum column {
    COLUMN_PROTOCOL,
    COLUMN_COUNT,
    COLUMN_REPEATED,
    COLUMN_RATE,
    COLUMN_UNANSWERED,
    COLUMN_LAST,
    COLUMN_FROM,
    COLUMN_NAME,
    N_COLUMNS
};

/* Hosts in a row of the table. */
enum { N_SHOWN_HOSTS = 3 };

/* Writes 'text' to 'cell', cut off if it is too long. */
static void
put_cell(const char *text, show_cell cell)
{
    ovs_strlcpy(cell, text, SHOW_CELL_SIZE);
    if (strlen(text) >= SHOW_CELL_SIZE) {
        ovs_strlcpy(cell + SHOW_CELL_SIZE - 4, "...", 4);
    }
}

/* Writes to 'cell' who searches for 's'. */
static void
fill_from(const struct search *s, show_cell cell)
{
    struct host hosts[SEARCHES_MAX_CLIENTS];
    size_t n = find_hosts(s, hosts);
    uint64_t others = s->others;
    struct ds text = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        if (i >= N_SHOWN_HOSTS) {
            others += hosts[i].count;
            continue;
        }
        ds_put_format(&text, "%s" IP_FMT "%s %" PRIu64, i ? ", " : "",
                      IP_ARGS(hosts[i].address),
                      hosts[i].local ? "" : " (mesh)", hosts[i].count);
    }
    if (others) {
        ds_put_format(&text, ", others %" PRIu64, others);
    }
    put_cell(ds_cstr(&text), cell);
    ds_destroy(&text);
}

static void
fill_row(const struct search *s, long long int now, show_cell *cells)
{
    struct ds name = DS_EMPTY_INITIALIZER;

    put_cell(inspect_protocol_name(s->protocol), cells[COLUMN_PROTOCOL]);
    snprintf(cells[COLUMN_COUNT], SHOW_CELL_SIZE, "%" PRIu64, s->count);
    snprintf(cells[COLUMN_REPEATED], SHOW_CELL_SIZE, "%" PRIu64, s->repeated);
    snprintf(cells[COLUMN_RATE], SHOW_CELL_SIZE, "%.3f", search_rate(s, now));
    put_cell(search_is_unanswered(s, now) ? "yes" : "-",
             cells[COLUMN_UNANSWERED]);
    show_time(wall_time(s->last), cells[COLUMN_LAST]);
    fill_from(s, cells[COLUMN_FROM]);
    show_search_name(s, &name);
    put_cell(ds_cstr(&name), cells[COLUMN_NAME]);
    ds_destroy(&name);
}

static void
put_table(const struct search **top, size_t n, struct ds *out)
{
    static const struct {
        const char *name;
        bool is_number;
    } columns[] = {
        [COLUMN_PROTOCOL] = { "PROTOCOL", false },
        [COLUMN_COUNT] = { "SEARCHES", true },
        [COLUMN_REPEATED] = { "REPEATED", true },
        [COLUMN_RATE] = { "PER SECOND", true },
        [COLUMN_UNANSWERED] = { "UNANSWERED", false },
        [COLUMN_LAST] = { "LAST", false },
        [COLUMN_FROM] = { "FROM", false },
        [COLUMN_NAME] = { "NAME", false },
    };
    const long long int now = time_msec();
    show_cell *cells = xcalloc((n + 1) * N_COLUMNS, sizeof *cells);
    bool numbers[N_COLUMNS];

    for (int i = 0; i < N_COLUMNS; i++) {
        ovs_strlcpy(cells[i], columns[i].name, SHOW_CELL_SIZE);
        numbers[i] = columns[i].is_number;
    }
    for (size_t i = 0; i < n; i++) {
        fill_row(top[i], now, &cells[(i + 1) * N_COLUMNS]);
    }
    show_table(cells, n + 1, N_COLUMNS, numbers, out);
    free(cells);
}

char *
show_searches(const struct inspect *inspect, size_t n)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    if (!inspect) {
        return xstrdup("searches are not inspected\n");
    }

    const struct searches *searches = inspect_searches(inspect);
    const struct inspect_counts *c = inspect_counts(inspect);
    const struct searches_totals *t = searches_totals(searches);
    const struct search **top = xcalloc(n, sizeof *top);
    const char *separator = "";

    for (int i = 0; i < SEARCH_N_PROTOCOLS; i++) {
        if (inspect_protocols(inspect) & 1u << i) {
            ds_put_format(&out, "%s%s", separator, inspect_protocol_name(i));
            separator = ", ";
        }
    }
    ds_put_format(&out,
                  ": datagrams %" PRIu64 ", names %" PRIuSIZE
                  ", unanswered %" PRIuSIZE ", forgotten %" PRIu64
                  ", skipped %" PRIu64 ", malformed %" PRIu64 "\n",
                  c->datagrams, t->n_names,
                  searches_unanswered(searches, time_msec()), t->forgotten,
                  c->skipped, c->malformed);
    n = searches_top(searches, time_msec(), top, n);
    put_table(top, n, &out);
    free(top);
    return ds_steal_cstr(&out);
}

/* For programs. */

/* Returns the UDP ports of the clients of 's' on 'host'. */
static json_t *
ports_to_json(const struct search *s, const struct host *host)
{
    json_t *array = json_array();

    for (size_t i = 0; i < s->n_clients; i++) {
        const struct asker *asker = &s->clients[i].asker;

        if (asker->address == host->address && asker->local == host->local) {
            json_array_append_new(array, json_integer(asker->port));
        }
    }
    return array;
}

static json_t *
hosts_to_json(const struct search *s)
{
    struct host hosts[SEARCHES_MAX_CLIENTS];
    size_t n = find_hosts(s, hosts);
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        json_t *address = json_sprintf(IP_FMT, IP_ARGS(hosts[i].address));

        json_array_append_new(
            array,
            json_pack("{s:o, s:o, s:I, s:b}", "address", address, "ports",
                      ports_to_json(s, &hosts[i]), "count",
                      (json_int_t) hosts[i].count, "local", hosts[i].local));
    }
    return array;
}

static json_t *
search_to_json(const struct search *s, long long int now)
{
    struct ds name = DS_EMPTY_INITIALIZER;

    show_search_name(s, &name);
    /* clang-format off */
    json_t *object = json_pack(
        "{s:s, s:s, s:I, s:f, s:I, s:b, s:o, s:o, s:o, s:I}",
        "name", ds_cstr(&name),
        "protocol", inspect_protocol_name(s->protocol),
        "count", (json_int_t) s->count,
        "rate", round(search_rate(s, now) * 1000) / 1000,
        "repeated", (json_int_t) s->repeated,
        "unanswered", search_is_unanswered(s, now),
        "first", show_time_json(wall_time(s->first)),
        "last", show_time_json(wall_time(s->last)),
        "from", hosts_to_json(s),
        "others", (json_int_t) s->others);
    /* clang-format on */
    ds_destroy(&name);
    return object;
}

/* Returns an object with the 'counts' of the protocols that are inspected. */
static json_t *
protocols_to_json(const struct inspect *inspect,
                  const uint64_t counts[SEARCH_N_PROTOCOLS])
{
    json_t *object = json_object();

    for (int i = 0; i < SEARCH_N_PROTOCOLS; i++) {
        if (inspect_protocols(inspect) & 1u << i) {
            json_object_set_new(object, inspect_protocol_name(i),
                                json_integer(counts[i]));
        }
    }
    return object;
}

/* Returns the names of the protocols that are inspected. */
static json_t *
protocol_names_to_json(const struct inspect *inspect)
{
    json_t *array = json_array();

    for (int i = 0; i < SEARCH_N_PROTOCOLS; i++) {
        if (inspect_protocols(inspect) & 1u << i) {
            json_array_append_new(array,
                                  json_string(inspect_protocol_name(i)));
        }
    }
    return array;
}

json_t *
show_searches_json(const struct inspect *inspect)
{
    if (!inspect) {
        return json_null();
    }

    const struct searches *searches = inspect_searches(inspect);
    const struct inspect_counts *c = inspect_counts(inspect);
    const struct searches_totals *t = searches_totals(searches);
    const struct search *top[SHOW_SEARCHES_NAMES];
    const long long int now = time_msec();
    size_t n = searches_top(searches, now, top, SHOW_SEARCHES_NAMES);
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        json_array_append_new(array, search_to_json(top[i], now));
    }
    /* clang-format off */
    return json_pack(
        "{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}",
        "protocols", protocol_names_to_json(inspect),
        "datagrams", (json_int_t) c->datagrams,
        "names", (json_int_t) t->n_names,
        "unanswered", (json_int_t) searches_unanswered(searches, now),
        "forgotten", (json_int_t) t->forgotten,
        "skipped", (json_int_t) c->skipped,
        "malformed", (json_int_t) c->malformed,
        "requests", protocols_to_json(inspect, t->n),
        "repeated", protocols_to_json(inspect, t->repeated),
        "top", array);
    /* clang-format on */
}
