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
enum { BUCKET, METER };

/* What the switch had counted for a flow, a bucket or a meter. */
struct seen {
    struct hmap_node node;
    ovs_be64 cookie; /* Or one of those. */
    uint64_t tag;    /* Or the id of the bucket, or the meter's number. */
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
find_seen(struct carried *c, ovs_be64 cookie, uint64_t tag)
{
    const uint32_t hash = hash_2words(hash_uint64(cookie), hash_uint64(tag));
    struct seen *seen;

    HMAP_FOR_EACH_WITH_HASH(seen, node, hash, &c->seen)
    {
        if (seen->cookie == cookie && seen->tag == tag) {
            return seen;
        }
    }
    seen = xzalloc(sizeof *seen);
    seen->cookie = cookie;
    seen->tag = tag;
    hmap_insert(&c->seen, &seen->node, hash);
    return seen;
}

/* Returns by how much 'now' is more than '*before', or all of it if it has
 * begun at 0 again, and makes that what was before. */
static uint64_t
advance(uint64_t *before, uint64_t now)
{
    uint64_t delta = now >= *before ? now - *before : now;

    *before = now;
    return delta;
}

/* Takes in what was counted for the flow, or bucket, of 'cookie' and 'tag'.
 * Returns how many frames are new; adds their bytes to '*n_bytes', unless that
 * is NULL. */
static uint64_t
take(struct carried *c, ovs_be64 cookie, uint64_t tag, uint64_t n_packets,
     uint64_t bytes, uint64_t *n_bytes)
{
    struct seen *seen = find_seen(c, cookie, tag);
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

/* What was not sent although it was counted for the group. */
struct not_sent {
    const struct inventory *inv;
    uint64_t n; /* So many frames. */
};

/* Adds to 'not_sent' what the meter of 'flow', one of mesh-out.flow, has cut.
 */
static void
take_meter(struct carried *c, const struct wanted_flow *flow,
           struct not_sent *not_sent)
{
    const uint8_t i = flow->tag >> CARRIED_METER_SHIFT;

    /* Two flows may have the same. */
    not_sent->n +=
        take(c, htonll(METER), i, not_sent->inv->meter_dropped[i], 0, NULL);
}

static void
take_flow(struct carried *c, const struct peers *peers,
          const struct wanted_flow *flow, uint64_t *relayed,
          struct not_sent *not_sent)
{
    const ovs_be64 cookie = flow->fm.new_cookie;
    const uint64_t tag = flow->tag & ~CARRIED_PUNTED;

    if (cookie == htonll(COOKIE_MESH_SOURCE)) {
        struct peer *peer = peers_by_path(peers, tag);

        if (peer) {
            peer->tunnel.rx += take(c, cookie, tag, flow->n_packets,
                                    flow->n_bytes, &peer->tunnel.rx_bytes);
        }
    } else if (cookie == htonll(COOKIE_MESH_IN)) {
        c->emitted +=
            take(c, cookie, tag, flow->n_packets, flow->n_bytes, NULL);
    } else if (cookie == htonll(COOKIE_MESH_OUT)) {
        uint64_t n =
            take(c, cookie, tag, flow->n_packets, flow->n_bytes, NULL);

        *relayed += flow->tag & CARRIED_PUNTED ? 0 : n;
        take_meter(c, flow, not_sent);
    }
}

/* Takes in what was counted for the buckets of 'group', of which 'n_not_sent'
 * frames were not sent. */
static void
take_group(struct carried *c, const struct peers *peers,
           const struct installed_group *group, uint64_t n_not_sent)
{
    for (size_t i = 0; i < group->n_counts; i++) {
        const struct bucket_count *count = &group->counts[i];
        struct peer *peer = peers_by_path(peers, count->bucket_id);
        uint64_t n_bytes = 0;
        uint64_t n = take(c, htonll(BUCKET), count->bucket_id,
                          count->n_packets, count->n_bytes, &n_bytes);

        n -= MIN(n, n_not_sent);
        c->tx += n;
        if (peer) {
            peer->tunnel.tx += n;
            peer->tunnel.tx_bytes += n_bytes;
        }
    }
}

void
carried_take(struct carried *c, const struct peers *peers,
             const struct flowset *set, const struct inventory *inv,
             uint64_t n_too_long)
{
    const struct installed_group *group =
        installed_group_find(&inv->groups, set->id_base + FLOWSET_MESH_GROUP);
    struct not_sent not_sent = { inv, advance(&c->n_too_long, n_too_long) };
    uint64_t relayed = 0;

    c->round++;
    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        if (set->order[i]->in_place) {
            take_flow(c, peers, set->order[i], &relayed, &not_sent);
        }
    }
    c->relayed += relayed - MIN(relayed, not_sent.n);
    if (group) {
        take_group(c, peers, group, not_sent.n);
    }
    forget_old(c);
}
