/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "talkers.h"

#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "endpoint.h"
#include "hash.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "tap.h"
#include "util.h"

BUILD_ASSERT_DECL(sizeof(struct talker_key) == 28);
BUILD_ASSERT_DECL(IS_POW2(TALKERS_N_BUCKETS));

void
talkers_init(struct talkers *t, uint32_t basis, long long int since)
{
    memset(t, 0, sizeof *t);
    t->basis = basis;
    t->since = since;
    t->fewest = -1;
    for (size_t i = 0; i < ARRAY_SIZE(t->groups); i++) {
        t->groups[i].next = i + 1 < ARRAY_SIZE(t->groups) ? (int) i + 1 : -1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(t->buckets); i++) {
        t->buckets[i] = -1;
    }
}

/* Groups. */

/* Makes a group of the count 'n' behind the group 'prev', -1 to be the
 * first. */
static int16_t
make_group(struct talkers *t, uint64_t n, int16_t prev)
{
    int16_t i = t->free_groups;
    struct talker_group *g = &t->groups[i];

    t->free_groups = g->next;
    g->n = n;
    g->first = -1;
    g->prev = prev;
    g->next = prev < 0 ? t->fewest : t->groups[prev].next;
    if (g->next >= 0) {
        t->groups[g->next].prev = i;
    }
    if (prev < 0) {
        t->fewest = i;
    } else {
        t->groups[prev].next = i;
    }
    return i;
}

static void
free_group(struct talkers *t, int16_t i)
{
    struct talker_group *g = &t->groups[i];

    if (g->next >= 0) {
        t->groups[g->next].prev = g->prev;
    }
    if (g->prev >= 0) {
        t->groups[g->prev].next = g->next;
    } else {
        t->fewest = g->next;
    }
    g->next = t->free_groups;
    t->free_groups = i;
}

static void
join_group(struct talkers *t, int16_t group, int16_t i)
{
    struct talker_group *g = &t->groups[group];
    struct talker *talker = &t->all[i];

    talker->group = group;
    talker->prev = -1;
    talker->next = g->first;
    if (g->first >= 0) {
        t->all[g->first].prev = i;
    }
    g->first = i;
}

/* Takes talker 'i' out of its group, which may be empty then. */
static void
leave_group(struct talkers *t, int16_t i)
{
    struct talker *talker = &t->all[i];

    if (talker->next >= 0) {
        t->all[talker->next].prev = talker->prev;
    }
    if (talker->prev >= 0) {
        t->all[talker->prev].next = talker->next;
    } else {
        t->groups[talker->group].first = talker->next;
    }
}

/* Moves talker 'i' to the group of one frame more. */
static void
count(struct talkers *t, int16_t i)
{
    struct talker *talker = &t->all[i];
    int16_t old = talker->group;
    int16_t next = t->groups[old].next;

    talker->n++;
    leave_group(t, i);
    if (next < 0 || t->groups[next].n != talker->n) {
        next = make_group(t, talker->n, old);
    }
    if (t->groups[old].first < 0) {
        free_group(t, old);
    }
    join_group(t, next, i);
}

/* The hash table, in which the same source behind several peers is in the same
 * bucket. */

enum { KEY_WITHOUT_PEER = offsetof(struct talker_key, from) };

static int16_t *
bucket_of(struct talkers *t, const struct talker_key *key)
{
    return &t->buckets[hash_bytes(key, KEY_WITHOUT_PEER, t->basis)
                       & (TALKERS_N_BUCKETS - 1)];
}

static int16_t
find(struct talkers *t, const struct talker_key *key)
{
    int16_t i = *bucket_of(t, key);

    while (i >= 0 && memcmp(&t->all[i].key, key, sizeof *key)) {
        i = t->all[i].hash_next;
    }
    return i;
}

/* Returns the one of 'key' behind whatever peer that was heard last. */
static int16_t
find_behind_any_peer(struct talkers *t, const struct talker_key *key)
{
    int16_t last = -1;

    for (int16_t i = *bucket_of(t, key); i >= 0; i = t->all[i].hash_next) {
        if (!memcmp(&t->all[i].key, key, KEY_WITHOUT_PEER)
            && (last < 0 || t->all[i].last > t->all[last].last)) {
            last = i;
        }
    }
    return last;
}

static void
forget(struct talkers *t, int16_t i)
{
    int16_t *p = bucket_of(t, &t->all[i].key);

    while (*p != i) {
        p = &t->all[*p].hash_next;
    }
    *p = t->all[i].hash_next;
}

/* Returns a place for 'key', which has none: a free one, or that of a talker
 * with the fewest frames, whose count it keeps. */
static int16_t
take_place(struct talkers *t, const struct talker_key *key)
{
    struct talker *talker;
    int16_t i;

    if (t->n < TALKERS_MAX) {
        i = t->n++;
        talker = &t->all[i];
        if (t->fewest < 0 || t->groups[t->fewest].n) {
            make_group(t, 0, -1);
        }
        join_group(t, t->fewest, i);
    } else {
        i = t->groups[t->fewest].first;
        forget(t, i);
        talker = &t->all[i];

        struct talker place = *talker;
        memset(talker, 0, sizeof *talker);
        talker->n = talker->n_over = place.n;
        talker->group = place.group;
        talker->next = place.next;
        talker->prev = place.prev;
    }
    talker->key = *key;

    int16_t *bucket = bucket_of(t, key);
    talker->hash_next = *bucket;
    *bucket = i;
    return i;
}

/* Frames. */

/* Tells in '*key' whose frame 'event' is about, and in '*port' its UDP
 * destination port, 0 if it has none.  Returns false if that cannot be
 * told. */
static bool
whose(const struct tap_event *event, struct talker_key *key, uint16_t *port)
{
    enum { IP = ETH_HEADER_LEN, IP_SRC = IP + 12, IP_MIN = IP + 20 };
    const uint8_t *b = event->bytes;

    memset(key, 0, sizeof *key);
    *port = 0;
    if (!event->is_frame || event->length < ETH_HEADER_LEN) {
        return false;
    }
    key->from_mesh = event->direction == DIRECTION_MESH;
    if (event->from) {
        key->from = event->from->address;
    }
    if (event->length >= IP_MIN && b[12] == 0x08 && b[13] == 0x00
        && b[IP] >> 4 == 4) {
        size_t udp = IP + 4 * (b[IP] & 0xf);

        memcpy(&key->ip, b + IP_SRC, sizeof key->ip);
        if (b[IP + 9] == IPPROTO_UDP && udp + 4 <= event->length) {
            *port = b[udp + 2] << 8 | b[udp + 3];
        }
    }
    if (!key->ip) {
        memcpy(&key->mac, b + ETH_ADDR_LEN, ETH_ADDR_LEN);
    }
    return true;
}

/* Notes that 'talker' has sent a frame at 'now'. */
static void
count_in_span(struct talker *talker, long long int now)
{
    if (now >= talker->span + TALKERS_RATE_MS || now < talker->span) {
        bool follows = now < talker->span + 2 * TALKERS_RATE_MS;

        talker->n_before = follows ? talker->n_span : 0;
        talker->n_span = 0;
        talker->span = now - now % TALKERS_RATE_MS;
    }
    talker->n_span += talker->n_span < UINT32_MAX;
}

/* Notes the frame of 'event', which 'key' has sent to 'port'. */
static void
take_frame(struct talkers *t, const struct talker_key *key, uint16_t port,
           const struct tap_event *event, long long int now)
{
    int16_t i = find(t, key);

    if (i < 0) {
        i = take_place(t, key);
    }
    struct talker *talker = &t->all[i];
    memcpy(&talker->mac, event->bytes + ETH_ADDR_LEN, ETH_ADDR_LEN);
    talker->port = port;
    talker->n_bytes += event->length;
    talker->switched = event->switched;
    talker->last = now;
    count_in_span(talker, now);
    count(t, i);
    t->n_frames++;
    t->n_switched += event->switched;
}

void
talkers_take(struct talkers *t, const struct tap_event *event,
             long long int now)
{
    struct talker_key key;
    uint16_t port;

    switch (event->point) {
    case TAP_PUNT:
    case TAP_RECEIVE:
        if (whose(event, &key, &port)) {
            take_frame(t, &key, port, event, now);
        }
        break;
    case TAP_DROP:
        if (whose(event, &key, &port)) {
            /* What waits for the switch has forgotten its peer. */
            int16_t i =
                (key.from_mesh && !event->from ? find_behind_any_peer(t, &key)
                                               : find(t, &key));
            if (i >= 0) {
                t->all[i].n_dropped++;
                t->all[i].reason = event->reason;
            }
        }
        break;
    case TAP_SEND:
    case TAP_EMIT: break;
    case TAP_N_POINTS: OVS_NOT_REACHED();
    }
}

/* For those who look on. */

double
talker_rate(const struct talker *talker, long long int now)
{
    long long int span = now - now % TALKERS_RATE_MS;
    double past = (double) (now - span) / TALKERS_RATE_MS;
    double n = 0;

    if (talker->span == span) {
        n = talker->n_span + talker->n_before * (1 - past);
    } else if (talker->span + TALKERS_RATE_MS == span) {
        n = talker->n_span * (1 - past);
    }
    return n * 1000 / TALKERS_RATE_MS;
}

/* Returns true if 'a' comes before 'b'. */
static bool
goes_before(const struct talker *a, const struct talker *b, long long int now)
{
    double rate_a = talker_rate(a, now);
    double rate_b = talker_rate(b, now);

    return rate_a > rate_b || (rate_a >= rate_b && a->n > b->n);
}

size_t
talkers_top(const struct talkers *t, const struct talker **top, size_t n,
            long long int now)
{
    size_t n_top = 0;

    for (size_t i = 0; i < t->n; i++) {
        const struct talker *talker = &t->all[i];
        size_t j = n_top;

        if (n_top < n) {
            n_top++;
        } else if (!n || !goes_before(talker, top[n - 1], now)) {
            continue;
        } else {
            j = n - 1;
        }
        for (; j > 0 && goes_before(talker, top[j - 1], now); j--) {
            top[j] = top[j - 1];
        }
        top[j] = talker;
    }
    return n_top;
}
