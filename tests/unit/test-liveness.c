/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "liveness.h"

#include "support.h"

#include <limits.h>

#include "openvswitch/util.h"
#include "util.h"

/* The clock begins at a time that is none of the numbers in this file. */
enum { START = 7000123, INTERVAL = 1000 };

static const uint32_t intervals[] = { 100, 101, 250, 1000, 30000, 60000 };

static const enum liveness_state all_states[] = {
    LIVENESS_PROBING, LIVENESS_SILENT,  LIVENESS_SNOWSIGNAL,
    LIVENESS_UP,      LIVENESS_SUSPECT, LIVENESS_DOWN,
};

/* When the 'n'th hello of a peer that was heard at 'heard' is missed: one that
 * is a quarter of an interval late is not missed yet. */
static long long int
missed(long long int heard, int n, uint32_t interval)
{
    return heard + (long long int) n * interval + interval / 4;
}

/* Fails the test unless 'l' is in 'state'. */
static void
assert_state(const struct liveness *l, enum liveness_state state)
{
    assert_string_equal(liveness_state_name(l->state),
                        liveness_state_name(state));
}

/* Makes a peer that is in 'state' at '*now', which goes by meanwhile. */
static struct liveness
make(enum liveness_state state, long long int *now)
{
    struct liveness l;

    memset(&l, 0xa5, sizeof l);
    *now = START;
    liveness_init(&l, *now);
    liveness_asked(&l, INTERVAL, *now);
    switch (state) {
    case LIVENESS_PROBING: break;

    case LIVENESS_SILENT:
        *now += LIVENESS_PROBE_MS;
        assert_true(liveness_run(&l, *now));
        break;

    case LIVENESS_SNOWSIGNAL:
        *now += 1;
        assert_true(liveness_snowsignal(&l, *now));
        break;

    case LIVENESS_UP:
        *now += 1;
        assert_true(liveness_hello(&l, INTERVAL, true, *now));
        break;

    case LIVENESS_SUSPECT:
    case LIVENESS_DOWN:
        *now += 1;
        assert_true(liveness_hello(&l, INTERVAL, true, *now));
        *now = liveness_deadline(&l);
        assert_true(liveness_run(&l, *now));
        if (state == LIVENESS_DOWN) {
            *now = liveness_deadline(&l);
            assert_true(liveness_run(&l, *now));
        }
        break;
    }
    assert_state(&l, state);
    return l;
}

static void
test_a_peer_begins_with_a_probe(void **state OVS_UNUSED)
{
    struct liveness l;

    memset(&l, 0xa5, sizeof l);
    liveness_init(&l, START);
    assert_state(&l, LIVENESS_PROBING);
    assert_true(l.since == START);
    assert_non_null(l.reason);
    assert_true(l.next_hello <= START);
    assert_true(l.asked < 0);
    assert_int_equal(l.n_asked, 0);
    assert_int_equal(l.rtt, 0);
    assert_int_equal(l.smoothed_rtt, 0);
    assert_false(liveness_is_heard(&l));
}

static void
test_who_was_not_asked_is_not_silent(void **state OVS_UNUSED)
{
    struct liveness l;

    liveness_init(&l, START);
    assert_true(liveness_deadline(&l) == LLONG_MAX);
    assert_false(liveness_run(&l, START + 1000 * LIVENESS_PROBE_MS));
    assert_state(&l, LIVENESS_PROBING);
}

static void
test_who_does_not_answer_in_time_is_silent(void **state OVS_UNUSED)
{
    struct liveness l;

    liveness_init(&l, START);
    liveness_asked(&l, INTERVAL, START + 50);
    assert_true(liveness_deadline(&l) == START + 50 + LIVENESS_PROBE_MS);
    assert_false(liveness_run(&l, START + 50));
    assert_false(liveness_run(&l, START + 50 + LIVENESS_PROBE_MS - 1));
    assert_state(&l, LIVENESS_PROBING);
    assert_true(liveness_run(&l, START + 50 + LIVENESS_PROBE_MS));
    assert_state(&l, LIVENESS_SILENT);
    assert_true(l.since == START + 50 + LIVENESS_PROBE_MS);
    assert_true(liveness_deadline(&l) == LLONG_MAX);
}

/* Who is asked every 100 ms has no more time than others. */
static void
test_the_first_hello_counts(void **state OVS_UNUSED)
{
    struct liveness l;

    liveness_init(&l, START);
    liveness_asked(&l, 100, START);
    liveness_asked(&l, 100, START + 100);
    liveness_asked(&l, 100, START + 150);
    assert_true(liveness_deadline(&l) == START + LIVENESS_PROBE_MS);
    assert_true(liveness_run(&l, START + LIVENESS_PROBE_MS));
}

/* What can come from a peer. */
enum event { HELLO, DEAF_HELLO, FRAME, SNOWSIGNAL, BYE, NOTHING, N_EVENTS };

/* Lets 'event' happen.  Returns what the module does. */
static bool
happen(struct liveness *l, enum event event, long long int now)
{
    switch (event) {
    case HELLO: return liveness_hello(l, INTERVAL, true, now);
    case DEAF_HELLO: return liveness_hello(l, INTERVAL, false, now);
    case FRAME: liveness_frame(l, now); return false;
    case SNOWSIGNAL: return liveness_snowsignal(l, now);
    case BYE: return liveness_bye(l, now);
    case NOTHING: return liveness_run(l, now);
    case N_EVENTS: break;
    }
    OVS_NOT_REACHED();
}

/* The diagram of the header, by rows of what is and columns of what comes. */
static void
test_every_event_in_every_state(void **state OVS_UNUSED)
{
    enum {
        PROBING = LIVENESS_PROBING,
        SILENT = LIVENESS_SILENT,
        SS = LIVENESS_SNOWSIGNAL,
        UP = LIVENESS_UP,
        SUSPECT = LIVENESS_SUSPECT,
        DOWN = LIVENESS_DOWN
    };
    static const unsigned int next[][N_EVENTS] = {
        /* HELLO, DEAF_HELLO, FRAME, SNOWSIGNAL, BYE, NOTHING. */
        [PROBING] = { UP, UP, PROBING, SS, PROBING, PROBING },
        [SILENT] = { UP, UP, SILENT, SS, SILENT, SILENT },
        [SS] = { UP, UP, SS, SS, SS, SS },
        [UP] = { UP, UP, UP, UP, DOWN, UP },
        [SUSPECT] = { UP, UP, SUSPECT, SUSPECT, DOWN, SUSPECT },
        [DOWN] = { UP, UP, DOWN, SS, DOWN, DOWN },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all_states); i++) {
        for (enum event e = 0; e < N_EVENTS; e++) {
            long long int now;
            struct liveness l = make(all_states[i], &now);
            const long long int since = l.since;
            const char *reason = l.reason;
            bool other = next[all_states[i]][e] != all_states[i];

            assert_int_equal(happen(&l, e, now + 5), other);
            assert_state(&l, next[all_states[i]][e]);
            assert_true(l.since == (other ? now + 5 : since));
            assert_int_equal(strcmp(l.reason, reason) != 0, other);
            if (other) {
                /* The same again is no change. */
                assert_false(happen(&l, e, now + 6));
                assert_state(&l, next[all_states[i]][e]);
                assert_true(l.since == now + 5);
            }
        }
    }
}

static void
test_those_whose_hellos_come_are_heard(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(all_states); i++) {
        long long int now;
        struct liveness l = make(all_states[i], &now);

        assert_int_equal(liveness_is_heard(&l),
                         all_states[i] == LIVENESS_UP
                             || all_states[i] == LIVENESS_SUSPECT);
    }
}

static void
test_nobody_goes_down_who_was_not_heard(void **state OVS_UNUSED)
{
    static const enum liveness_state states[] = { LIVENESS_SILENT,
                                                  LIVENESS_SNOWSIGNAL,
                                                  LIVENESS_DOWN };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        long long int now;
        struct liveness l = make(states[i], &now);

        assert_true(liveness_deadline(&l) == LLONG_MAX);
        for (int j = 0; j < 100; j++) {
            now += INTERVAL;
            liveness_asked(&l, INTERVAL, now);
            liveness_frame(&l, now);
            assert_false(liveness_run(&l, now));
            assert_false(liveness_bye(&l, now));
            assert_state(&l, states[i]);
            assert_true(liveness_deadline(&l) == LLONG_MAX);
        }
    }
}

/* The peer's own interval counts, not how often we say hello. */
static void
test_missed_hellos(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(intervals); i++) {
        const long long int first = missed(START, 1, intervals[i]);
        const long long int third =
            missed(START, LIVENESS_MAX_MISSED, intervals[i]);
        struct liveness l;

        liveness_init(&l, START);
        liveness_hello(&l, intervals[i], true, START);
        liveness_asked(&l, INTERVAL, START);
        assert_true(liveness_deadline(&l) == first);
        assert_false(liveness_run(&l, first - 1));
        assert_state(&l, LIVENESS_UP);
        assert_true(liveness_run(&l, first));
        assert_state(&l, LIVENESS_SUSPECT);
        assert_true(l.since == first);

        assert_false(liveness_run(&l, first));
        assert_true(liveness_deadline(&l) == third);
        assert_false(liveness_run(&l, third - 1));
        assert_state(&l, LIVENESS_SUSPECT);
        assert_true(liveness_run(&l, third));
        assert_state(&l, LIVENESS_DOWN);
        assert_true(l.since == third);
        assert_true(liveness_deadline(&l) == LLONG_MAX);
        assert_false(liveness_run(&l, third));
    }
}

/* Where time went by without a call, that is one change. */
static void
test_a_late_run_finds_a_peer_down_at_once(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_UP, &now);

    assert_true(liveness_run(&l, now + 100 * INTERVAL));
    assert_state(&l, LIVENESS_DOWN);
    assert_false(liveness_run(&l, now + 100 * INTERVAL));
}

static void
test_each_hello_puts_off_the_deadline(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_UP, &now);

    for (int i = 0; i < 100; i++) {
        now += INTERVAL;
        assert_false(liveness_run(&l, now));
        assert_false(liveness_hello(&l, INTERVAL, true, now));
        assert_true(liveness_deadline(&l) == missed(now, 1, INTERVAL));
    }
    assert_state(&l, LIVENESS_UP);
}

static void
test_the_last_hello_says_when_the_next_is_due(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_UP, &now);

    assert_false(liveness_hello(&l, 60000, true, now));
    assert_int_equal(l.interval, 60000);
    assert_true(liveness_deadline(&l) == missed(now, 1, 60000));
    assert_false(liveness_run(&l, now + 60000));
    assert_false(liveness_hello(&l, 100, true, now + 60000));
    assert_true(liveness_deadline(&l) == missed(now + 60000, 1, 100));
}

static void
test_frames_are_signs_of_life(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_UP, &now);

    for (int i = 0; i < 100; i++) {
        now += INTERVAL;
        liveness_frame(&l, now);
        assert_true(l.heard == now);
        assert_false(liveness_run(&l, now));
    }
    assert_true(liveness_deadline(&l) == missed(now, 1, INTERVAL));
    assert_state(&l, LIVENESS_UP);
}

/* Frames keep a suspect from going down, but only a hello clears it. */
static void
test_frames_put_off_the_end_of_a_suspect(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_SUSPECT, &now);

    for (int i = 0; i < 100; i++) {
        now += INTERVAL;
        liveness_frame(&l, now);
        assert_false(liveness_run(&l, now));
        assert_state(&l, LIVENESS_SUSPECT);
        assert_true(liveness_deadline(&l)
                    == missed(now, LIVENESS_MAX_MISSED, INTERVAL));
    }
    assert_true(liveness_hello(&l, INTERVAL, true, now));
    assert_state(&l, LIVENESS_UP);
}

/* Frames of one that is not heard are as late as they may be. */
static void
test_frames_do_not_bring_back(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_DOWN, &now);
    const long long int heard = l.heard;

    liveness_frame(&l, now + 1);
    assert_state(&l, LIVENESS_DOWN);
    assert_true(l.heard == heard);
    assert_true(liveness_deadline(&l) == LLONG_MAX);
}

/* The first hello of a peer cannot echo what it has not heard yet. */
static void
test_who_does_not_hear_us_is_suspect(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_SILENT, &now);

    assert_true(liveness_hello(&l, INTERVAL, false, now));
    for (int i = 1; i < LIVENESS_MAX_MISSED; i++) {
        now += INTERVAL;
        assert_false(liveness_hello(&l, INTERVAL, false, now));
        assert_state(&l, LIVENESS_UP);
        assert_int_equal(l.unheard, i);
    }
    now += INTERVAL;
    assert_true(liveness_hello(&l, INTERVAL, false, now));
    assert_state(&l, LIVENESS_SUSPECT);
    assert_true(l.since == now);

    /* It stays so as long as it goes on like that, and never is down. */
    for (int i = 0; i < 100; i++) {
        now += INTERVAL;
        assert_false(liveness_run(&l, now));
        assert_false(liveness_hello(&l, INTERVAL, false, now));
        assert_state(&l, LIVENESS_SUSPECT);
    }
    assert_true(liveness_hello(&l, INTERVAL, true, now));
    assert_state(&l, LIVENESS_UP);
    assert_int_equal(l.unheard, 0);
}

static void
test_who_does_not_hear_us_goes_down_like_others(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_UP, &now);

    for (int i = 0; i < LIVENESS_MAX_MISSED; i++) {
        liveness_hello(&l, INTERVAL, false, now);
    }
    assert_state(&l, LIVENESS_SUSPECT);
    assert_false(liveness_run(&l, missed(now, 1, INTERVAL)));
    assert_true(liveness_deadline(&l)
                == missed(now, LIVENESS_MAX_MISSED, INTERVAL));
    assert_true(liveness_run(&l, liveness_deadline(&l)));
    assert_state(&l, LIVENESS_DOWN);

    /* When it comes back it has as much time as a new one. */
    assert_true(liveness_hello(&l, INTERVAL, false, now));
    assert_state(&l, LIVENESS_UP);
    assert_int_equal(l.unheard, 0);
}

static void
test_hellos_must_go_unheard_in_a_row(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_UP, &now);

    for (int i = 0; i < 10; i++) {
        for (int j = 1; j < LIVENESS_MAX_MISSED; j++) {
            assert_false(liveness_hello(&l, INTERVAL, false, now));
        }
        assert_false(liveness_hello(&l, INTERVAL, true, now));
        assert_state(&l, LIVENESS_UP);
    }
}

/* When hellos are due. */

static void
test_hellos_to_the_silent_become_rare(void **state OVS_UNUSED)
{
    static const enum liveness_state states[] = { LIVENESS_PROBING,
                                                  LIVENESS_SILENT,
                                                  LIVENESS_SNOWSIGNAL };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(intervals); j++) {
            const long long int most =
                MAX(intervals[j], LIVENESS_MAX_PROBE_INTERVAL_MS);
            long long int wait = intervals[j], now;
            struct liveness l = make(states[i], &now);

            l.n_asked = 0;
            for (int k = 0; k < 100; k++) {
                liveness_asked(&l, intervals[j], now);
                assert_true(l.next_hello == now + wait);
                now = l.next_hello;
                wait = MIN(2 * wait, most);
            }
            assert_true(wait == most);
        }
    }
}

/* The second hello comes an interval after the first, twice that later the
 * third, and so on. */
static void
test_the_first_hellos(void **state OVS_UNUSED)
{
    static const int waits[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
    long long int now = START;
    struct liveness l;

    liveness_init(&l, now);
    for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
        liveness_asked(&l, 1000, now);
        assert_true(l.next_hello == now + 1000 * waits[i]);
        now = l.next_hello;
        liveness_run(&l, now);
    }
    assert_state(&l, LIVENESS_SILENT);
}

/* Also of one that is down: it may be back at any time. */
static void
test_hellos_to_those_who_answered_stay_frequent(void **state OVS_UNUSED)
{
    static const enum liveness_state states[] = { LIVENESS_UP,
                                                  LIVENESS_SUSPECT,
                                                  LIVENESS_DOWN };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(intervals); j++) {
            long long int now;
            struct liveness l = make(states[i], &now);

            for (int k = 0; k < 100; k++) {
                liveness_asked(&l, intervals[j], now);
                assert_true(l.next_hello == now + intervals[j]);
                now = l.next_hello;
            }
        }
    }
}

/* It need not wait for its turn among the silent ones. */
static void
test_who_breaks_its_silence_hears_from_us_soon(void **state OVS_UNUSED)
{
    static const enum liveness_state states[] = { LIVENESS_SILENT,
                                                  LIVENESS_SNOWSIGNAL };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        long long int now;
        struct liveness l = make(states[i], &now);

        for (int j = 0; j < 10; j++) {
            liveness_asked(&l, INTERVAL, now);
        }
        assert_true(l.next_hello == now + LIVENESS_MAX_PROBE_INTERVAL_MS);
        assert_true(liveness_hello(&l, INTERVAL, true, now));
        assert_true(l.next_hello == now); /* Whatever the peer's interval. */
        assert_int_equal(l.n_asked, 0);
    }
}

static void
test_a_hello_never_puts_off_ours(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(all_states); i++) {
        long long int now;
        struct liveness l = make(all_states[i], &now);

        l.next_hello = now + 10;
        liveness_hello(&l, 60000, true, now);
        assert_true(l.next_hello <= now + 10);
        liveness_hello(&l, 60000, true, now + 5);
        assert_true(l.next_hello <= now + 10);
    }
}

/* Round-trip times. */

static void
test_the_first_rtt_is_the_smoothed_one(void **state OVS_UNUSED)
{
    static const uint32_t rtts[] = { 1, 7, 150, 1000000, UINT32_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(rtts); i++) {
        long long int now;
        struct liveness l = make(LIVENESS_UP, &now);

        liveness_rtt(&l, rtts[i]);
        assert_int_equal(l.rtt, rtts[i]);
        assert_int_equal(l.smoothed_rtt, rtts[i]);
    }
}

static void
test_an_eighth_of_each_rtt_counts(void **state OVS_UNUSED)
{
    static const struct {
        uint32_t before, rtt, smoothed;
    } steps[] = {
        { 800, 1600, 900 },
        { 800, 800, 800 },
        { 800, 0, 700 },
        { 1, 1, 1 },
        { 1, 17, 3 },
        { 1, 0, 1 },
        { 2, 0, 1 },
        { UINT32_MAX, UINT32_MAX, UINT32_MAX },
        { UINT32_MAX, 7, UINT32_MAX / 8 * 7 + 7 },
        { 8, UINT32_MAX, UINT32_MAX / 8 + 7 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        long long int now;
        struct liveness l = make(LIVENESS_UP, &now);

        liveness_rtt(&l, steps[i].before);
        liveness_rtt(&l, steps[i].rtt);
        assert_int_equal(l.rtt, MAX(steps[i].rtt, 1));
        assert_int_equal(l.smoothed_rtt, steps[i].smoothed);
    }
}

/* 0 stands for what is not known. */
static void
test_an_rtt_is_never_0(void **state OVS_UNUSED)
{
    long long int now;
    struct liveness l = make(LIVENESS_UP, &now);

    liveness_rtt(&l, 0);
    assert_int_equal(l.rtt, 1);
    assert_int_equal(l.smoothed_rtt, 1);

    liveness_rtt(&l, UINT32_MAX);
    for (int i = 0; i < 1000; i++) {
        liveness_rtt(&l, 0);
        assert_int_not_equal(l.smoothed_rtt, 0);
    }
    assert_int_equal(l.smoothed_rtt, 1);
}

static void
test_the_smoothed_rtt_stays_among_the_rtts(void **state OVS_UNUSED)
{
    uint32_t seed = 9;
    long long int now;
    struct liveness l = make(LIVENESS_UP, &now);

    for (int i = 0; i < 10000; i++) {
        liveness_rtt(&l, 1000 + next_random(&seed) % 1001);
        assert_in_range(l.smoothed_rtt, 1000, 2000);
    }
}

static void
test_each_state_has_a_name_of_its_own(void **state OVS_UNUSED)
{
    static const char *const names[] = {
        [LIVENESS_PROBING] = "probing",       [LIVENESS_SILENT] = "silent",
        [LIVENESS_SNOWSIGNAL] = "snowsignal", [LIVENESS_UP] = "up",
        [LIVENESS_SUSPECT] = "suspect",       [LIVENESS_DOWN] = "down",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_string_equal(liveness_state_name(i), names[i]);
    }
}

/* A walk: what happens is random, and some things must hold whatever it is. */

/* What is known of a peer without the help of what is tested. */
struct known {
    long long int life;   /* Its last sign of life. */
    uint32_t interval;    /* As its last hello said. */
    unsigned int asked;   /* Hellos to it since its last. */
    unsigned int unheard; /* Its hellos in a row that do not hear us. */
};

/* Lets a random thing happen to 'l', and notes it in 'k'. */
static bool
step(struct liveness *l, struct known *k, uint32_t *seed, long long int now)
{
    const enum liveness_state before = l->state;
    const bool heard = liveness_is_heard(l);
    bool changed;

    switch (next_random(seed) % 16) {
    case 0:
    case 1:
    case 2: {
        bool hears_us = next_random(seed) % 3 == 0;

        k->life = now;
        k->interval = intervals[next_random(seed) % ARRAY_SIZE(intervals)];
        k->asked = 0;
        k->unheard = hears_us || !heard ? 0 : k->unheard + 1;
        changed = liveness_hello(l, k->interval, hears_us, now);
        assert_state(l, k->unheard < LIVENESS_MAX_MISSED ? LIVENESS_UP
                                                         : LIVENESS_SUSPECT);
        return changed;
    }

    case 3:
        liveness_frame(l, now);
        k->life = heard ? now : k->life;
        return false;

    case 4:
        if (next_random(seed) % 4) {
            return false;
        }
        changed = liveness_snowsignal(l, now);
        assert_state(l, heard ? before : LIVENESS_SNOWSIGNAL);
        return changed;

    case 5:
        if (next_random(seed) % 4) {
            return false;
        }
        changed = liveness_bye(l, now);
        assert_state(l, heard ? LIVENESS_DOWN : before);
        return changed;

    case 6:
    case 7: {
        const uint32_t interval =
            intervals[next_random(seed) % ARRAY_SIZE(intervals)];
        const bool once_heard = heard || before == LIVENESS_DOWN;

        liveness_asked(l, interval, now);
        k->asked++;
        assert_true(l->next_hello >= now + interval);
        assert_true(
            l->next_hello
            <= now
                   + MAX(interval,
                         once_heard ? 0 : LIVENESS_MAX_PROBE_INTERVAL_MS));
        assert_int_equal(l->n_asked, k->asked);
        return false;
    }

    default: {
        const long long int deadline = liveness_deadline(l);

        changed = liveness_run(l, now);
        assert_int_equal(changed, now >= deadline);
        assert_true(liveness_deadline(l) > now);
        assert_int_equal(l->state == LIVENESS_SILENT,
                         before == LIVENESS_SILENT
                             || (before == LIVENESS_PROBING && changed));
        if (!heard) {
            assert_true(l->state != LIVENESS_DOWN || !changed);
            assert_false(liveness_is_heard(l));
        } else if (l->state == LIVENESS_DOWN) {
            assert_true(now >= k->life
                                   + LIVENESS_MAX_MISSED
                                         * (long long int) k->interval);
        } else {
            assert_true(now < k->life
                                  + (LIVENESS_MAX_MISSED + 1)
                                        * (long long int) k->interval);
        }
        return changed;
    }
    }
}

static void
test_a_random_walk(void **state OVS_UNUSED)
{
    enum { WALKS = 300, STEPS = 300 };
    unsigned int seen[ARRAY_SIZE(all_states)] = { 0 };
    uint32_t seed = 17;

    for (int i = 0; i < WALKS; i++) {
        long long int now = START;
        struct known k = { 0, 0, 0, 0 };
        struct liveness l;

        liveness_init(&l, now);
        for (int j = 0; j < STEPS; j++) {
            const enum liveness_state before = l.state;
            const long long int since = l.since;

            switch (next_random(&seed) % 4) {
            case 0: now += next_random(&seed) % 50; break;
            case 1: now += next_random(&seed) % 3000; break;
            case 2:
                /* Just in time, or just before. */
                if (liveness_deadline(&l) != LLONG_MAX) {
                    now = MAX(now,
                              liveness_deadline(&l) - next_random(&seed) % 2);
                }
                break;
            default: break;
            }
            bool changed = step(&l, &k, &seed, now);
            assert_int_equal(changed, l.state != before);
            assert_true(l.since == (changed ? now : since));
            assert_int_equal(liveness_is_heard(&l),
                             l.state == LIVENESS_UP
                                 || l.state == LIVENESS_SUSPECT);
            seen[l.state]++;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
        assert_true(seen[i] > 100); /* Or it would prove little. */
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_peer_begins_with_a_probe),
        cmocka_unit_test(test_who_was_not_asked_is_not_silent),
        cmocka_unit_test(test_who_does_not_answer_in_time_is_silent),
        cmocka_unit_test(test_the_first_hello_counts),
        cmocka_unit_test(test_every_event_in_every_state),
        cmocka_unit_test(test_those_whose_hellos_come_are_heard),
        cmocka_unit_test(test_nobody_goes_down_who_was_not_heard),
        cmocka_unit_test(test_missed_hellos),
        cmocka_unit_test(test_a_late_run_finds_a_peer_down_at_once),
        cmocka_unit_test(test_each_hello_puts_off_the_deadline),
        cmocka_unit_test(test_the_last_hello_says_when_the_next_is_due),
        cmocka_unit_test(test_frames_are_signs_of_life),
        cmocka_unit_test(test_frames_put_off_the_end_of_a_suspect),
        cmocka_unit_test(test_frames_do_not_bring_back),
        cmocka_unit_test(test_who_does_not_hear_us_is_suspect),
        cmocka_unit_test(test_who_does_not_hear_us_goes_down_like_others),
        cmocka_unit_test(test_hellos_must_go_unheard_in_a_row),
        cmocka_unit_test(test_hellos_to_the_silent_become_rare),
        cmocka_unit_test(test_the_first_hellos),
        cmocka_unit_test(test_hellos_to_those_who_answered_stay_frequent),
        cmocka_unit_test(test_who_breaks_its_silence_hears_from_us_soon),
        cmocka_unit_test(test_a_hello_never_puts_off_ours),
        cmocka_unit_test(test_the_first_rtt_is_the_smoothed_one),
        cmocka_unit_test(test_an_eighth_of_each_rtt_counts),
        cmocka_unit_test(test_an_rtt_is_never_0),
        cmocka_unit_test(test_the_smoothed_rtt_stays_among_the_rtts),
        cmocka_unit_test(test_each_state_has_a_name_of_its_own),
        cmocka_unit_test(test_a_random_walk),
    };
    return cmocka_run_group_tests_name("liveness", tests, NULL, NULL);
}
