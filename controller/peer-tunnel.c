/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peer-tunnel.h"

#include <limits.h>
#include <sodium.h>
#include <string.h>

/* Generations after which no frame that was punted in one is still on its way.
 * Two times as many must be less than half of all. */
enum { MAX_AGE = 10000 };

void
peer_tunnel_init(struct peer_tunnel *t)
{
    memset(t, 0, sizeof *t);
    t->heard = LLONG_MIN;
    while (!t->token) {
        randombytes_buf(&t->token, sizeof t->token);
    }
}

bool
peer_tunnel_take_hello(struct peer_tunnel *t, const struct hello *hello)
{
    const struct hello_tunnel before = t->theirs;

    if (!hello->tunnel.type && hello->answers) {
        return false; /* It may have had no room for that. */
    }
    t->theirs = hello->tunnel;
    if (before.token != t->theirs.token) {
        /* It has started anew, and may send probes of another length than
         * before. */
        t->heard = LLONG_MIN;
        t->hears = false;
        t->n_probes = 0;
        t->next_probe = 0;
    }
    return (before.type != t->theirs.type || before.vni != t->theirs.vni
            || before.hears != t->theirs.hears
            || before.token != t->theirs.token);
}

/* Forgets what was so long before 'generation' that its numbers would be taken
 * for some to come. */
static void
forget_old(struct peer_tunnel *t, uint16_t generation)
{
    const uint16_t oldest = generation - MAX_AGE;

    if (!t->carried && (uint16_t) (generation - t->until) > MAX_AGE) {
        t->from = 0;
    } else if (t->carried && (uint16_t) (generation - t->from) > MAX_AGE) {
        t->from = oldest ? oldest : 1;
    }
}

void
peer_tunnel_carry(struct peer_tunnel *t, bool carried, uint16_t generation)
{
    if (carried && !t->carried) {
        t->from = generation;
    } else if (!carried && t->carried) {
        t->until = generation;
    }
    t->carried = carried;
    forget_old(t, generation);
}

/* Returns true if generation 'a' is 'b' or came after it. */
static bool
is_since(uint16_t a, uint16_t b)
{
    return (int16_t) (a - b) >= 0;
}

bool
peer_tunnel_carried(const struct peer_tunnel *t, uint16_t generation)
{
    return (generation && t->from && is_since(generation, t->from)
            && (t->carried || !is_since(generation, t->until)));
}
