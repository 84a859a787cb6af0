/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "carried.h"

#include "byte-order.h"
#include "flowset.h"
#include "hash.h"
#include "inventory.h"
#include "peers.h"
#include "util.h"

/* In place of a flow's cookie. */
enum { METER };

/* What the switch had counted for a flow or a meter. */
struct seen {
    struct hmap_node node;
    ovs_be64 cookie; /* Or that. */
    uint64_t key;    /* Of the flow, or the meter's number. */
    uint64_t n_packets, n_bytes;
    unsigned int round;
};

void
carried_init(struct carried *c)
{
    *c = (struct carried){ .relayed = 0 };
    hmap_init(&c->seen);
}

void
carried_destroy(struct carried *c)
{
    struct seen *seen;

    HMAP_FOR_EACH_POP (seen, node, &c->seen) {
        free(seen);
    }
    hmap_destroy(&c->seen);
}

static struct seen *
find_seen(struct carried *c, ovs_be64 cookie, uint64_t key)
{
    const uint32_t hash = hash_2words(hash_uint64(cookie), hash_uint64(key));
    struct seen *seen;

    HMAP_FOR_EACH_WITH_HASH(seen, node, hash, &c->seen)
    {
        if (seen->cookie == cookie && seen->key == key) {
            return seen;
        }
    }
    seen = xzalloc(sizeof *seen);
    seen->cookie = cookie;
    seen->key = key;
    hmap_insert(&c->seen, &seen->node, hash);
    return seen;
}

/* Returns by how much 'now' is more than '*before', and makes that what was
 * before. */
static uint64_t
advance(uint64_t *before, uint64_t now)
{
    uint64_t delta = now - *before;

    *before = now;
    return delta;
}

/* Takes in what was counted for the flow, or meter, of 'cookie' and 'key'.
 * Returns how many frames are new; adds their bytes to '*n_bytes', unless that
 * is NULL. */
static uint64_t
take(struct carried *c, ovs_be64 cookie, uint64_t key, uint64_t n_packets,
     uint64_t bytes, uint64_t *n_bytes)
{
    struct seen *seen = find_seen(c, cookie, key);

    if (n_packets < seen->n_packets || bytes < seen->n_bytes) {
        /* Both have begun at 0 again, whatever the other one is now. */
        seen->n_packets = seen->n_bytes = 0;
    }
    uint64_t delta = advance(&seen->n_packets, n_packets);

    bytes = advance(&seen->n_bytes, bytes);
    if (n_bytes) {
        *n_bytes += bytes;
    }
    seen->round = c->round;
    return delta;
}

/* Forgets what there is no more. */
static void
forget_old(struct carried *c)
{
    struct seen *seen;

    HMAP_FOR_EACH_SAFE (seen, node, &c->seen) {
        if (seen->round != c->round) {
            hmap_remove(&c->seen, &seen->node);
            free(seen);
        }
    }
}

/* What has come since the last look. */
struct news {
    uint64_t n_frames, n_bytes; /* Of the flows to the group. */
    uint64_t not_sent;          /* Those that did not get to the group. */
    bool ambiguous; /* May frames that come now be punted as well? */
};

/* Returns the number of the meter of 'flow', one of mesh-out.flow. */
static uint8_t
meter_of(const struct wanted_flow *flow)
{
    return flow->tag >> CARRIED_METER_SHIFT;
}

/* Returns what tells 'flow' from others with its cookie.  That stays the same
 * when only its actions change, which the switch goes on counting for: whether
 * it is punted as well, and by which meter. */
static uint64_t
key_of(const struct wanted_flow *flow)
{
    return (flow->fm.new_cookie == htonll(COOKIE_MESH_OUT)
                ? flow->tag & ((UINT64_C(1) << CARRIED_METER_SHIFT) - 1)
                : flow->tag);
}

/* Takes in what was counted for 'flow', one of mesh-out.flow, and what its
 * meter has cut. */
static void
take_out(struct carried *c, const struct wanted_flow *flow,
         const struct inventory *inv, struct news *news)
{
    const uint8_t i = meter_of(flow);
    uint64_t n = take(c, flow->fm.new_cookie, key_of(flow), flow->n_packets,
                      flow->n_bytes, &news->n_bytes);

    news->n_frames += n;
    news->ambiguous |= flow->tag >> CARRIED_PUNTED_SHIFT;
    /* Two flows may have the same. */
    news->not_sent +=
        take(c, htonll(METER), i, inv->meter_dropped[i], 0, NULL);
}

static void
take_source(struct carried *c, const struct peers *peers,
            const struct wanted_flow *flow)
{
    struct peer *peer = peers_by_path(peers, flow->tag);

    if (peer) {
        peer->tunnel.rx +=
            take(c, flow->fm.new_cookie, flow->tag, flow->n_packets,
                 flow->n_bytes, &peer->tunnel.rx_bytes);
    }
}

/* Has what is known of 'flow', which the switch has not as it should, and of
 * its meter stay known: their counts go on. */
static void
keep(struct carried *c, const struct wanted_flow *flow)
{
    const ovs_be64 cookie = flow->fm.new_cookie;

    find_seen(c, cookie, key_of(flow))->round = c->round;
    if (cookie == htonll(COOKIE_MESH_OUT)) {
        find_seen(c, htonll(METER), meter_of(flow))->round = c->round;
    }
}

static void
take_flow(struct carried *c, const struct peers *peers,
          const struct wanted_flow *flow, const struct inventory *inv,
          struct news *news)
{
    const ovs_be64 cookie = flow->fm.new_cookie;

    if (!flow->in_place) {
        keep(c, flow);
        news->ambiguous |= cookie == htonll(COOKIE_MESH_OUT);
    } else if (cookie == htonll(COOKIE_MESH_SOURCE)) {
        take_source(c, peers, flow);
    } else if (cookie == htonll(COOKIE_MESH_IN)) {
        c->emitted +=
            take(c, cookie, flow->tag, flow->n_packets, flow->n_bytes, NULL);
    } else if (cookie == htonll(COOKIE_MESH_OUT)) {
        take_out(c, flow, inv, news);
    }
}

/* Returns how many of 'n_bytes', of 'n' frames, are those of 'part' of the
 * frames.  The product of the two may be too much for 64 bits. */
static uint64_t
bytes_of(uint64_t part, uint64_t n, uint64_t n_bytes)
{
    return n_bytes / n * part + n_bytes % n * part / n;
}

/* Notes that 'n' frames of 'n_bytes' were sent to each of 'peers' that the
 * switch sends to. */
static void
count_for_peers(struct carried *c, const struct peers *peers, uint64_t n,
                uint64_t n_bytes)
{
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer_tunnel *t = &peers->all[i]->tunnel;

        if (t->carried) {
            c->tx += n;
            t->tx += n;
            t->tx_bytes += n_bytes;
        }
    }
}

/* Notes that 'n' frames were sent to the group, as 'news' has it. */
static void
count_sent(struct carried *c, uint64_t n, const struct news *news,
           long long int now)
{
    const bool punted = advance(&c->was_punted, c->n_punted) > 0;
    const bool ambiguous = punted || news->ambiguous || c->was_ambiguous;

    if (now >= c->held + CARRIED_HOLD_MS) {
        c->n_sent += c->n_held[1];
        c->n_held[1] = c->n_held[0];
        c->n_held[0] = 0;
        c->held = now;
    }
    if (ambiguous) {
        c->ambiguous = now;
        c->n_held[0] += n;
    } else {
        if (now - c->ambiguous > 2 * CARRIED_HOLD_MS && !c->n_held[0]
            && !c->n_held[1]) {
            /* Punts that the switch has not counted by now it never will. */
            c->n_sent = MAX(c->n_sent, c->n_punted + c->relayed);
        }
        c->n_sent += n;
    }
    c->was_ambiguous = news->ambiguous;

    /* The punts of some may be counted before the switch counts these. */
    c->relayed = MAX(c->relayed, c->n_sent - MIN(c->n_sent, c->n_punted));
}

void
carried_take(struct carried *c, const struct peers *peers,
             const struct flowset *set, const struct inventory *inv,
             uint64_t n_too_long, long long int now)
{
    struct news news = { .not_sent = advance(&c->n_too_long, n_too_long) };
    uint64_t sent = 0;

    c->round++;
    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        take_flow(c, peers, set->order[i], inv, &news);
    }
    forget_old(c);
    if (news.n_frames) {
        sent = news.n_frames - MIN(news.n_frames, news.not_sent);
        count_for_peers(c, peers, sent,
                        bytes_of(sent, news.n_frames, news.n_bytes));
    }
    count_sent(c, sent, &news, now);
}
