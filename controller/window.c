/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "window.h"

#include <string.h>

#include "util.h"

BUILD_ASSERT_DECL(IS_POW2(WINDOW_SIZE));

void
window_init(struct window *w)
{
    memset(w, 0, sizeof *w);
}

void
window_restart(struct window *w)
{
    w->begun = false;
    w->doubted = 0;
    memset(w->bits, 0, sizeof w->bits);
}

static void
begin(struct window *w, uint64_t next)
{
    w->begun = true;
    w->first = w->next = next;
}

void
window_begin(struct window *w, uint64_t next)
{
    window_init(w);
    memset(w->bits, 0xff, sizeof w->bits);
    begin(w, next);
}

static bool
has_come(const struct window *w, uint64_t seq)
{
    return w->bits[seq % WINDOW_SIZE / 64] >> seq % 64 & 1;
}

static void
set_come(struct window *w, uint64_t seq, bool come)
{
    uint64_t bit = UINT64_C(1) << seq % 64;
    uint64_t *word = &w->bits[seq % WINDOW_SIZE / 64];

    *word = come ? *word | bit : *word & ~bit;
}

/* Moves the window up to 'next', at or after where it is.  All in between is
 * lost as far as is known. */
static void
advance(struct window *w, uint64_t next)
{
    uint64_t n = next - w->next;

    if (n >= WINDOW_SIZE) {
        memset(w->bits, 0, sizeof w->bits);
    } else {
        for (uint64_t seq = w->next; seq != next; seq++) {
            set_come(w, seq, false);
        }
    }
    w->lost += n;
    w->next = next;
    if (w->next - w->first > WINDOW_SIZE) {
        w->first = w->next - WINDOW_SIZE; /* So that it never is far away. */
    }
}

bool
window_has(const struct window *w, uint64_t seq)
{
    return (w->begun && (int64_t) (seq - w->next) < 0
            && (w->next - seq > WINDOW_SIZE || has_come(w, seq)));
}

enum window_verdict
window_take(struct window *w, uint64_t seq)
{
    if (!w->begun) {
        begin(w, seq);
    }

    if ((int64_t) (seq - w->next) >= 0) {
        advance(w, seq);
        w->next++;
    } else if (w->next - seq > WINDOW_SIZE) {
        w->duplicated++;
        return WINDOW_OLD;
    } else if (has_come(w, seq)) {
        w->duplicated++;
        return WINDOW_DUPLICATE;
    } else {
        /* What was sent before the window began was never counted as lost. */
        w->lost -= w->lost && (int64_t) (seq - w->first) >= 0;
        w->reordered++;
    }
    set_come(w, seq, true);
    w->received++;
    return WINDOW_NEW;
}

void
window_expect(struct window *w, uint64_t next)
{
    if (!w->begun) {
        begin(w, next);
    } else if ((int64_t) (next - w->next) >= 0) {
        advance(w, next);
        w->doubted = 0;
    } else if (w->next - next <= WINDOW_SIZE) {
        w->doubted = 0; /* Overtaken by frames. */
    } else if (++w->doubted >= WINDOW_PATIENCE) {
        window_restart(w);
        begin(w, next);
    }
}

void
window_skip(struct window *w, uint64_t next)
{
    if (w->begun && (int64_t) (next - w->next) > WINDOW_SIZE) {
        uint64_t lost = w->lost;

        advance(w, next);
        w->first = next;
        w->lost = lost;
    }
    window_expect(w, next);
}
