/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "liveness.h"

#include <limits.h>
#include <string.h>

#include "hello.h"
#include "openvswitch/util.h"
#include "util.h"

void
liveness_init(struct liveness *l, long long int now)
{
    *l = (struct liveness){
        .state = LIVENESS_PROBING,
        .reason = "asked for the first time",
        .since = now,
        .asked = -1,
        .next_hello = now,
    };
}

/* Changes the state, for 'reason'.  Returns true if it is another one. */
static bool
change(struct liveness *l, enum liveness_state state, const char *reason,
       long long int now)
{
    l->reason = reason;
    if (l->state == state) {
        return false;
    }
    l->state = state;
    l->since = now;
    return true;
}

bool
liveness_is_heard(const struct liveness *l)
{
    return l->state == LIVENESS_UP || l->state == LIVENESS_SUSPECT;
}

/* Returns how long to wait between hellos to who does not answer, where
 * 'interval' is usual. */
static uint32_t
probe_interval(const struct liveness *l, uint32_t interval)
{
    uint64_t doubled = (uint64_t) interval << MIN(l->n_asked - 1, 16);

    return MIN(doubled, MAX(interval, LIVENESS_MAX_PROBE_INTERVAL_MS));
}

void
liveness_asked(struct liveness *l, uint32_t interval, long long int now)
{
    if (l->asked < 0) {
        l->asked = now;
    }
    l->n_asked++;

    /* One that is down has answered once, and is asked as often as ever. */
    bool unknown = !liveness_is_heard(l) && l->state != LIVENESS_DOWN;
    l->next_hello = now + (unknown ? probe_interval(l, interval) : interval);
}

bool
liveness_hello(struct liveness *l, uint32_t interval, bool hears_us,
               long long int now)
{
    bool first = !liveness_is_heard(l);

    l->heard = now;
    l->interval = interval;
    l->n_asked = 0;
    l->unheard = hears_us || first ? 0 : l->unheard + 1;
    if (first) {
        /* It is to hear of us at the usual pace from now on. */
        l->next_hello = MIN(l->next_hello, now);
    }
    return (
        l->unheard >= LIVENESS_MAX_MISSED
            ? change(l, LIVENESS_SUSPECT, "it does not hear this relay", now)
            : change(l, LIVENESS_UP, "it says hello", now));
}

void
liveness_frame(struct liveness *l, long long int now)
{
    if (liveness_is_heard(l)) {
        l->heard = now;
    }
}

bool
liveness_snowsignal(struct liveness *l, long long int now)
{
    return (!liveness_is_heard(l)
            && change(l, LIVENESS_SNOWSIGNAL,
                      "it sends SnowSignal's format and no hellos", now));
}

bool
liveness_bye(struct liveness *l, long long int now)
{
    return (liveness_is_heard(l)
            && change(l, LIVENESS_DOWN, "it has left", now));
}

void
liveness_rtt(struct liveness *l, uint32_t rtt)
{
    l->rtt = rtt = MAX(rtt, 1);
    l->smoothed_rtt =
        l->smoothed_rtt ? ((uint64_t) l->smoothed_rtt * 7 + rtt) / 8 : rtt;
}

/* Returns when the 'n'th hello has been missed: a quarter of an interval after
 * it was due. */
static long long int
missed(const struct liveness *l, int n)
{
    return l->heard + n * (long long int) l->interval + l->interval / 4;
}

bool
liveness_run(struct liveness *l, long long int now)
{
    switch (l->state) {
    case LIVENESS_PROBING:
        return (now >= liveness_deadline(l)
                && change(l, LIVENESS_SILENT,
                          "no answer to hellos; it gets SnowSignal's format",
                          now));

    case LIVENESS_UP:
    case LIVENESS_SUSPECT:
        if (now >= missed(l, LIVENESS_MAX_MISSED)) {
            return change(l, LIVENESS_DOWN, "three hellos missed", now);
        } else if (now >= missed(l, 1)) {
            return change(l, LIVENESS_SUSPECT, "a hello missed", now);
        }
        return false;

    case LIVENESS_SILENT:
    case LIVENESS_SNOWSIGNAL:
    case LIVENESS_DOWN: return false;
    }
    OVS_NOT_REACHED();
}

long long int
liveness_deadline(const struct liveness *l)
{
    switch (l->state) {
    case LIVENESS_PROBING:
        return l->asked < 0 ? LLONG_MAX : l->asked + LIVENESS_PROBE_MS;
    case LIVENESS_UP: return missed(l, 1);
    case LIVENESS_SUSPECT: return missed(l, LIVENESS_MAX_MISSED);
    case LIVENESS_SILENT:
    case LIVENESS_SNOWSIGNAL:
    case LIVENESS_DOWN: return LLONG_MAX;
    }
    OVS_NOT_REACHED();
}

const char *
liveness_state_name(enum liveness_state state)
{
    switch (state) {
    case LIVENESS_PROBING: return "probing";
    case LIVENESS_SILENT: return "silent";
    case LIVENESS_SNOWSIGNAL: return "snowsignal";
    case LIVENESS_UP: return "up";
    case LIVENESS_SUSPECT: return "suspect";
    case LIVENESS_DOWN: return "down";
    }
    OVS_NOT_REACHED();
}
