/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "searches.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/util.h"
#include "random.h"
#include "util.h"

enum { N_SETS = SEARCHES_MAX / SEARCHES_WAYS };

/* The shortest time that a rate is told of. */
enum { MIN_RATE_MS = 10000 };

struct place {
    uint64_t digest;       /* Of the name and its protocol. */
    struct search *search; /* NULL if it is free. */
};

struct searches {
    struct place places[SEARCHES_MAX]; /* SEARCHES_WAYS for each hash. */
    uint32_t basis;                    /* Of digests. */
    struct searches_totals totals;
};

struct searches *
searches_create(void)
{
    struct searches *searches = xzalloc(sizeof *searches);

    searches->basis = random_uint32();
    return searches;
}

/* Makes 'p' a free place. */
static void
forget(struct searches *searches, struct place *p)
{
    free(p->search);
    p->search = NULL;
    searches->totals.n_names--;
}

void
searches_clear(struct searches *searches, enum search_protocol protocol)
{
    for (size_t i = 0; i < SEARCHES_MAX; i++) {
        struct place *p = &searches->places[i];

        if (p->search && p->search->protocol == protocol) {
            forget(searches, p);
        }
    }
}

void
searches_destroy(struct searches *searches)
{
    if (searches) {
        for (int protocol = 0; protocol < SEARCH_N_PROTOCOLS; protocol++) {
            searches_clear(searches, protocol);
        }
        free(searches);
    }
}

/* Names. */

/* Returns true if of two names in full places 'a' is to be forgotten rather
 * than 'b'. */
static bool
is_worth_less(const struct search *a, const struct search *b,
              long long int now)
{
    bool a_repeated = a->row > 0, b_repeated = b->row > 0;
    bool a_goes_on = a_repeated && now <= a->until;
    bool b_goes_on = b_repeated && now <= b->until;

    if (a_repeated != b_repeated) {
        return b_repeated;
    } else if (a_goes_on != b_goes_on) {
        return b_goes_on;
    }
    return a_goes_on && a->row != b->row ? a->row < b->row : a->last < b->last;
}

/* Returns a free place in 'set', which somebody may have had to leave. */
static struct place *
find_room(struct searches *searches, struct place *set, long long int now)
{
    struct place *least = &set[0];

    for (size_t i = 0; i < SEARCHES_WAYS; i++) {
        struct place *p = &set[i];

        if (!p->search) {
            return p;
        } else if (is_worth_less(p->search, least->search, now)) {
            least = p;
        }
    }
    forget(searches, least);
    searches->totals.forgotten++;
    return least;
}

/* Returns what is known of the name in 'ask', which may be nothing yet. */
static struct search *
find_search(struct searches *searches, enum search_protocol protocol,
            const struct ask *ask, long long int now)
{
    ovs_u128 hash;

    hash_bytes128(ask->name, ask->length, hash_int(protocol, searches->basis),
                  &hash);

    struct place *set =
        &searches->places[hash.u64.hi % N_SETS * SEARCHES_WAYS];
    for (size_t i = 0; i < SEARCHES_WAYS; i++) {
        struct search *s = set[i].search;

        if (s && set[i].digest == hash.u64.lo && s->protocol == protocol
            && s->length == ask->length
            && !memcmp(s->name, ask->name, ask->length)) {
            return s;
        }
    }

    struct place *p = find_room(searches, set, now);
    struct search *s = xzalloc(sizeof *s + ask->length);
    s->protocol = protocol;
    s->length = ask->length;
    memcpy(s->name, ask->name, ask->length);
    s->first = now;
    s->until = LLONG_MIN;
    p->digest = hash.u64.lo;
    p->search = s;
    searches->totals.n_names++;
    return s;
}

/* Clients. */

/* Returns a client of 's' other than 'c' that has the same address, and came
 * the same way, NULL if there is none. */
static struct search_client *
find_neighbor(struct search *s, const struct search_client *c)
{
    for (size_t i = 0; i < s->n_clients; i++) {
        struct search_client *other = &s->clients[i];

        if (other != c && other->asker.address == c->asker.address
            && other->asker.local == c->asker.local) {
            return other;
        }
    }
    return NULL;
}

/* Returns a client of 's' that is to be forgotten: the one that has been
 * silent longest, of those whose address is remembered nevertheless if there
 * are any. */
static struct search_client *
choose_client(struct search *s)
{
    struct search_client *chosen = NULL;
    bool chosen_has_neighbor = false;

    for (size_t i = 0; i < s->n_clients; i++) {
        struct search_client *c = &s->clients[i];
        bool has_neighbor = find_neighbor(s, c);

        if (!chosen || has_neighbor > chosen_has_neighbor
            || (has_neighbor == chosen_has_neighbor
                && c->last < chosen->last)) {
            chosen = c;
            chosen_has_neighbor = has_neighbor;
        }
    }
    return chosen;
}

/* Returns what 's' has of the client 'asker', which may be nothing yet. */
static struct search_client *
find_client(struct search *s, const struct asker *asker)
{
    for (size_t i = 0; i < s->n_clients; i++) {
        struct search_client *c = &s->clients[i];

        if (c->asker.address == asker->address
            && c->asker.port == asker->port) {
            return c;
        }
    }

    struct search_client *c;
    if (s->n_clients < SEARCHES_MAX_CLIENTS) {
        c = &s->clients[s->n_clients++];
    } else {
        c = choose_client(s);
        struct search_client *neighbor = find_neighbor(s, c);
        *(neighbor ? &neighbor->count : &s->others) += c->count;
    }
    *c = (struct search_client){ .asker = *asker };
    return c;
}

/* Returns after which time the next repeat of 'c' is overdue. */
static long long int
deadline_of(const struct search_client *c)
{
    return c->last
           + (c->pace ? c->pace * 5 / 2 : (long long int) SEARCHES_PACE_MS)
           + SEARCHES_PATIENCE_MS;
}

static bool
is_copy(const struct search_client *c, const struct asker *asker,
        long long int now)
{
    bool same_way = c->asker.local == asker->local;

    return (c->count
            && now - c->last
                   <= (same_way ? SEARCHES_COPY_MS : SEARCHES_OTHER_WAY_MS)
            && !(same_way && c->asker.destination == asker->destination));
}

/* Takes in that 'c' searched at 'now', in 's'.  Returns true if it repeated
 * itself.  What made it search sooner than usual (a server has just begun)
 * does not make it faster, so it loses no more than a quarter of its pace at
 * once. */
static bool
take_client(struct search *s, struct search_client *c, long long int now)
{
    bool repeats = c->count && now <= deadline_of(c);

    c->pace = repeats ? MAX(now - c->last, c->pace * 3 / 4) : 0;
    c->begun = repeats ? c->begun : now;
    c->last = now;
    c->count++;
    if (now - c->begun >= SEARCHES_ANSWER_MS) {
        if (now > s->until) {
            s->row = 0;
            s->begun = now;
        }
        s->row++;
        s->ended = now;
        s->until = MAX(s->until, deadline_of(c));
    }
    return repeats;
}

void
searches_take(struct searches *searches, enum search_protocol protocol,
              const struct ask *ask, const struct asker *asker,
              long long int now)
{
    struct search *s = find_search(searches, protocol, ask, now);
    struct search_client *c = find_client(s, asker);

    if (is_copy(c, asker, now)) {
        return;
    }
    c->asker = *asker;
    if (take_client(s, c, now)) {
        s->repeated++;
        searches->totals.repeated[protocol]++;
    }
    s->count++;
    searches->totals.n[protocol]++;
    s->weight =
        1 + s->weight * exp(-(double) (now - s->last) / SEARCHES_RATE_MS);
    s->last = now;
}

/* For those who look on. */

const struct searches_totals *
searches_totals(const struct searches *searches)
{
    return &searches->totals;
}

size_t
searches_unanswered(const struct searches *searches, long long int now)
{
    size_t n = 0;

    for (size_t i = 0; i < SEARCHES_MAX; i++) {
        const struct search *s = searches->places[i].search;

        n += s && search_is_unanswered(s, now);
    }
    return n;
}

bool
search_is_unanswered(const struct search *s, long long int now)
{
    return (s->row >= SEARCHES_MIN_REPEATS
            && s->ended - s->begun >= SEARCHES_MIN_MS && now <= s->until);
}

double
search_rate(const struct search *s, long long int now)
{
    double age = MAX(now - s->first, MIN_RATE_MS);
    double weight =
        s->weight * exp(-(double) (now - s->last) / SEARCHES_RATE_MS);

    return weight * 1000 / SEARCHES_RATE_MS
           / (1 - exp(-age / SEARCHES_RATE_MS));
}

/* A name in the order of searches_top(). */
struct ranked {
    const struct search *search;
    bool unanswered;
};

static int
compare_names(const struct search *a, const struct search *b)
{
    int order = memcmp(a->name, b->name, MIN(a->length, b->length));

    return order                       ? order
           : a->length != b->length    ? (a->length < b->length ? -1 : 1)
           : a->protocol < b->protocol ? -1
                                       : 1;
}

static int
compare_ranked(const void *a_, const void *b_)
{
    const struct ranked *a = a_;
    const struct ranked *b = b_;

    if (a->unanswered != b->unanswered) {
        return a->unanswered ? -1 : 1;
    } else if (a->search->repeated != b->search->repeated) {
        return a->search->repeated > b->search->repeated ? -1 : 1;
    } else if (a->search->count != b->search->count) {
        return a->search->count > b->search->count ? -1 : 1;
    }
    return compare_names(a->search, b->search);
}

size_t
searches_top(const struct searches *searches, long long int now,
             const struct search **top, size_t max)
{
    struct ranked *all = xmalloc(SEARCHES_MAX * sizeof *all);
    size_t n = 0;

    for (size_t i = 0; i < SEARCHES_MAX; i++) {
        const struct search *s = searches->places[i].search;

        if (s) {
            all[n++] = (struct ranked){ s, search_is_unanswered(s, now) };
        }
    }
    qsort(all, n, sizeof *all, compare_ranked);
    n = MIN(n, max);
    for (size_t i = 0; i < n; i++) {
        top[i] = all[i].search;
    }
    free(all);
    return n;
}
