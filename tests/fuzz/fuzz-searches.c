/* SPDX-License-Identifier: Apache-2.0 */

/* The inspection of searches: datagrams of both protocols and of neither, from
 * some clients, as time goes by, and frames that may be anything.
 *
 * An input is a row of events.  Each has a byte that says
 *
 *     0x01  whether it is a whole frame, or a datagram
 *     0x02  whether it came from the mesh, or from the segment
 *     0x04  to which of two addresses it was sent
 *     0xf8  from which of 32 clients it is
 *
 * a byte of which the square is how many ms after the last one it comes, two
 * of length, and the bytes. */

#include <config.h>
#include "fuzz.h"

#include <jansson.h>
#include <math.h>

#include "ca-search.h"
#include "inspect.h"
#include "metrics.h"
#include "openvswitch/dynamic-string.h"
#include "pva-search.h"
#include "searches.h"
#include "show-searches.h"
#include "tap.h"
#include "usage.h"

enum { START = 1000000, HEADERS = 14 + 20 + 8 };

/* Reads 'payload' with 'read' and returns what it finds, after checking it. */
static enum search_verdict
read_payload(enum search_verdict (*read)(const uint8_t *, size_t,
                                         struct asks *),
             const uint8_t *payload, size_t length)
{
    static struct asks asks, again;

    memset(&asks, 0xee, sizeof asks);
    memset(&again, 0x77, sizeof again);
    enum search_verdict verdict = read(payload, length, &asks);
    CHECK(verdict <= SEARCH_MALFORMED);
    CHECK(asks.n <= SEARCH_MAX_ASKS);
    CHECK(asks.n == SEARCH_MAX_ASKS || !asks.more);
    CHECK(verdict != SEARCH_NONE || !asks.n);
    for (size_t i = 0; i < asks.n; i++) {
        const struct ask *ask = &asks.of[i];

        CHECK(ask->length && ask->length <= SEARCH_MAX_NAME);
        CHECK(ask->name > payload
              && ask->name + ask->length <= payload + length);
        CHECK(!memchr(ask->name, 0, ask->length));
        CHECK(!i || ask->name > ask[-1].name + ask[-1].length);
    }
    CHECK(read(payload, length, &again) == verdict && again.n == asks.n);
    return verdict;
}

static void
read_both(const uint8_t *payload, size_t length)
{
    enum search_verdict pva = read_payload(pva_search_read, payload, length);
    enum search_verdict ca = read_payload(ca_search_read, payload, length);

    CHECK(pva == SEARCH_NONE || ca == SEARCH_NONE);
}

/* Returns a frame with the 'length' bytes at 'payload' in an allocation of
 * just its length, HEADERS more. */
static uint8_t *
wrap(const uint8_t *payload, size_t length, uint8_t client, uint8_t to)
{
    uint8_t *frame = malloc(HEADERS + length);

    memset(frame, 0, HEADERS);
    frame[12] = 8;
    frame[14] = 0x45;
    put16(frame + 16, HEADERS - 14 + length);
    frame[23] = 17;
    frame[29] = client / 4;
    frame[33] = to;
    put16(frame + 34, 1024 + client % 4);
    put16(frame + 38, 8 + length);
    memcpy(frame + HEADERS, payload, length);
    return frame;
}

static void
check_search(const struct search *s, long long int now)
{
    uint64_t count = s->others;

    CHECK(s->protocol < SEARCH_N_PROTOCOLS);
    CHECK(s->length && s->length <= SEARCH_MAX_NAME);
    CHECK(s->n_clients && s->n_clients <= SEARCHES_MAX_CLIENTS);
    for (size_t i = 0; i < s->n_clients; i++) {
        const struct search_client *c = &s->clients[i];

        CHECK(c->count);
        CHECK(c->begun >= s->first && c->begun <= c->last);
        CHECK(c->last <= s->last && c->pace >= 0);
        count += c->count;
        for (size_t j = 0; j < i; j++) {
            CHECK(s->clients[j].asker.address != c->asker.address
                  || s->clients[j].asker.port != c->asker.port);
        }
    }
    CHECK(count == s->count);
    CHECK(s->repeated < s->count && s->row <= s->repeated);
    CHECK(s->first >= START && s->first <= s->last && s->last <= now);
    CHECK(!s->row || (s->begun <= s->ended && s->ended < s->until));
    double rate = search_rate(s, now);
    CHECK(isfinite(rate) && rate > 0 && rate <= s->count);
    CHECK(!search_is_unanswered(s, now)
          || (s->row >= SEARCHES_MIN_REPEATS
              && s->last - s->first >= SEARCHES_MIN_MS));
}

static void
check_inspect(const struct inspect *inspect, uint64_t n_events,
              long long int now)
{
    static const struct search *top[SEARCHES_MAX];
    const struct searches *searches = inspect_searches(inspect);
    const struct searches_totals *t = searches_totals(searches);
    const struct inspect_counts *counts = inspect_counts(inspect);
    size_t n = searches_top(searches, now, top, SEARCHES_MAX);
    size_t n_unanswered = 0;
    uint64_t sum = 0;

    CHECK(n == t->n_names && n <= SEARCHES_MAX);
    for (size_t i = 0; i < n; i++) {
        check_search(top[i], now);
        n_unanswered += search_is_unanswered(top[i], now);
        sum += top[i]->count;
    }
    CHECK(n_unanswered == searches_unanswered(searches, now));
    CHECK(sum <= t->n[SEARCH_PVA] + t->n[SEARCH_CA]);
    CHECK(t->forgotten || sum == t->n[SEARCH_PVA] + t->n[SEARCH_CA]);
    CHECK(counts->datagrams <= n_events);
    CHECK(counts->malformed <= counts->datagrams);
    CHECK(counts->skipped <= n_events);
}

/* Shows it in all ways. */
static void
show(const struct inspect *inspect)
{
    struct ds metrics = DS_EMPTY_INITIALIZER;
    char *text = show_searches(inspect, SHOW_SEARCHES_NAMES);
    const struct usage usage = { .open_fds = 0 };
    json_t *json = show_searches_json(inspect);

    CHECK(json);
    json_t *status = json_pack("{s:O}", "searches", json);
    metrics_put(status, &usage, &metrics);
    json_decref(status);
    for (const char *p = text; *p; p++) {
        CHECK(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
    }
    for (const char *p = ds_cstr(&metrics); *p; p++) {
        CHECK(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
    }
    ds_destroy(&metrics);
    json_decref(json);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input in = { bytes, length };
    long long int now = START;
    uint64_t n_events = 0;

    fuzz_begin();
    struct inspect *inspect = inspect_create(INSPECT_PVA | INSPECT_CA);
    while (in.left) {
        uint8_t how = take8(&in);
        uint8_t pause = take8(&in);
        size_t n;
        const uint8_t *some = take_bytes(&in, take16(&in), &n);
        bool whole = how & 1;
        struct tap_event event = {
            .point = how & 2 ? TAP_EMIT : TAP_SEND,
            .direction = how & 2 ? DIRECTION_MESH : DIRECTION_PUNT,
            .length = whole ? n : HEADERS + n,
            .is_frame = true,
        };
        uint8_t *copy = copy_exactly(some, n);
        uint8_t *frame = whole ? copy : wrap(copy, n, how >> 3, how >> 2 & 1);

        read_both(copy, n);
        event.bytes = frame;
        now += pause * pause;
        inspect_take(inspect, &event, now);
        n_events++;
        if (frame != copy) {
            free(frame);
        }
        free(copy);
    }
    check_inspect(inspect, n_events, now);
    show(inspect);
    inspect_destroy(inspect);
    return 0;
}
