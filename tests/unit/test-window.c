/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "window.h"

#include "support.h"

#include "openvswitch/util.h"
#include "util.h"

/* Where numbers begin in tests that run at several places. */
static const uint64_t places[] = {
    0,
    1,
    12345,
    (UINT64_C(1) << 32) - 3,
    (UINT64_C(1) << 63) - 3,
    UINT64_C(1) << 63,
    UINT64_MAX - WINDOW_SIZE,
    UINT64_MAX - 3,
    UINT64_MAX,
};

/* Fails the test unless 'w' has counted this. */
static void
assert_counts(const struct window *w, uint64_t received, uint64_t lost,
              uint64_t duplicated, uint64_t reordered)
{
    assert_true(w->received == received);
    assert_true(w->lost == lost);
    assert_true(w->duplicated == duplicated);
    assert_true(w->reordered == reordered);
}

/* Takes the 'n' numbers from 'seq' on, which must be new. */
static void
take_row(struct window *w, uint64_t seq, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        assert_int_equal(window_take(w, seq + i), WINDOW_NEW);
    }
}

/* Begins at 'next' without having taken a frame. */
static void
begin_at(struct window *w, uint64_t next)
{
    window_init(w);
    window_expect(w, next);
}

static void
test_a_new_window_has_counted_nothing(void **state OVS_UNUSED)
{
    struct window w;

    memset(&w, 0xff, sizeof w);
    window_init(&w);
    assert_false(w.begun);
    assert_counts(&w, 0, 0, 0, 0);
}

static void
test_a_row_is_neither_lost_nor_reordered(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        take_row(&w, places[i], 3 * WINDOW_SIZE);
        assert_counts(&w, 3 * WINDOW_SIZE, 0, 0, 0);
        assert_true(w.next == places[i] + 3 * WINDOW_SIZE);
    }
}

static void
test_a_frame_counts_once(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        for (uint64_t seq = places[i]; seq != places[i] + 200; seq++) {
            assert_int_equal(window_take(&w, seq), WINDOW_NEW);
            assert_int_equal(window_take(&w, seq), WINDOW_DUPLICATE);
        }
        for (uint64_t seq = places[i]; seq != places[i] + 200; seq++) {
            assert_int_equal(window_take(&w, seq), WINDOW_DUPLICATE);
        }
        assert_counts(&w, 200, 0, 400, 0);
    }
}

static void
test_what_is_skipped_is_lost(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        take_row(&w, places[i], 1);
        take_row(&w, places[i] + 4, 1);
        assert_counts(&w, 2, 3, 0, 0);
        take_row(&w, places[i] + 6, 1);
        assert_counts(&w, 3, 4, 0, 0);
    }
}

static void
test_what_comes_after_all_is_reordered(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        take_row(&w, places[i], 1);
        take_row(&w, places[i] + 4, 1);
        take_row(&w, places[i] + 2, 1);
        assert_counts(&w, 3, 2, 0, 1);
        assert_int_equal(window_take(&w, places[i] + 2), WINDOW_DUPLICATE);
        take_row(&w, places[i] + 1, 1);
        take_row(&w, places[i] + 3, 1);
        assert_counts(&w, 5, 0, 1, 3);
        assert_true(w.next == places[i] + 5);
    }
}

/* A whole window backwards, all of it as late as can be. */
static void
test_a_window_backwards(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        begin_at(&w, places[i]);
        for (uint64_t j = WINDOW_SIZE; j-- > 0;) {
            take_row(&w, places[i] + j, 1);
        }
        assert_counts(&w, WINDOW_SIZE, 0, 0, WINDOW_SIZE - 1);
        for (uint64_t j = 0; j < WINDOW_SIZE; j++) {
            assert_int_equal(window_take(&w, places[i] + j), WINDOW_DUPLICATE);
        }
    }
}

/* The oldest number that the window can tell, and the one before. */
static void
test_the_edge_of_the_window(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        begin_at(&w, places[i]);
        take_row(&w, places[i] + WINDOW_SIZE, 1);
        assert_counts(&w, 1, WINDOW_SIZE, 0, 0);

        assert_int_equal(window_take(&w, places[i]), WINDOW_OLD);
        assert_counts(&w, 1, WINDOW_SIZE, 1, 0);
        take_row(&w, places[i] + 1, 1);
        assert_counts(&w, 2, WINDOW_SIZE - 1, 1, 1);
        assert_int_equal(window_take(&w, places[i] + 1), WINDOW_DUPLICATE);

        /* The next one pushes it out. */
        take_row(&w, places[i] + WINDOW_SIZE + 1, 1);
        assert_int_equal(window_take(&w, places[i] + 1), WINDOW_OLD);
        take_row(&w, places[i] + 2, 1);
        assert_counts(&w, 4, WINDOW_SIZE - 2, 3, 2);
    }
}

/* Nothing that came before a jump is taken for what is now in its place. */
static void
test_jumps_leave_no_traces(void **state OVS_UNUSED)
{
    static const uint64_t jumps[] = {
        1,
        2,
        63,
        64,
        65,
        WINDOW_SIZE - 1,
        WINDOW_SIZE,
        WINDOW_SIZE + 1,
        2 * WINDOW_SIZE,
        UINT64_C(1) << 32,
        UINT64_C(1) << 62,
    };

    for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
        uint64_t missing = MIN(jumps[i], WINDOW_SIZE - 1);
        struct window w;

        window_init(&w);
        take_row(&w, 0, WINDOW_SIZE);
        uint64_t seq = WINDOW_SIZE + jumps[i];
        take_row(&w, seq, 1);
        assert_counts(&w, WINDOW_SIZE + 1, jumps[i], 0, 0);
        take_row(&w, seq - missing, missing);
        assert_counts(&w, WINDOW_SIZE + 1 + missing, jumps[i] - missing, 0,
                      missing);
    }
}

/* What is less than half of all numbers ahead is greater, as in RFC 1982,
 * which does not say what just a half is. */
static void
test_half_of_all_numbers_are_greater(void **state OVS_UNUSED)
{
    const uint64_t half = UINT64_C(1) << 63;

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        begin_at(&w, places[i]);
        assert_int_equal(window_take(&w, places[i] + half + 1), WINDOW_OLD);
        assert_true(w.next == places[i]);
        assert_int_equal(window_take(&w, places[i] + half - 1), WINDOW_NEW);
        assert_true(w.next == places[i] + half);
    }
}

/* A frame that was sent before the first that came was never missed. */
static void
test_what_came_before_the_beginning_was_not_lost(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        take_row(&w, places[i], 1);
        take_row(&w, places[i] + 2, 1);
        take_row(&w, places[i] - 1, 1);
        assert_counts(&w, 3, 1, 0, 1);
        assert_int_equal(window_take(&w, places[i] - 1), WINDOW_DUPLICATE);
        take_row(&w, places[i] - WINDOW_SIZE + 3, 1);
        assert_counts(&w, 4, 1, 1, 2);
        assert_int_equal(window_take(&w, places[i] - WINDOW_SIZE + 2),
                         WINDOW_OLD);

        /* The first of all can be lost, and is found again. */
        begin_at(&w, places[i]);
        take_row(&w, places[i] + 1, 1);
        assert_counts(&w, 1, 1, 0, 0);
        take_row(&w, places[i], 1);
        assert_counts(&w, 2, 0, 0, 1);
    }
}

static void
test_an_announcement_begins_the_window(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        begin_at(&w, places[i]);
        assert_true(w.begun);
        assert_true(w.next == places[i]);
        assert_counts(&w, 0, 0, 0, 0);
        take_row(&w, places[i] + 2, 1);
        assert_counts(&w, 1, 2, 0, 0);
    }
}

static void
test_what_is_announced_and_has_not_come_is_lost(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        take_row(&w, places[i], 1);
        window_expect(&w, places[i] + 1);
        assert_counts(&w, 1, 0, 0, 0);
        window_expect(&w, places[i] + 4);
        assert_counts(&w, 1, 3, 0, 0);
        window_expect(&w, places[i] + 4);
        assert_counts(&w, 1, 3, 0, 0);

        take_row(&w, places[i] + 4, 1);
        assert_counts(&w, 2, 3, 0, 0);
        take_row(&w, places[i] + 3, 1);
        assert_counts(&w, 3, 2, 0, 1);
    }
}

/* Datagrams overtake each other. */
static void
test_a_late_announcement_changes_nothing(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        take_row(&w, places[i], WINDOW_SIZE);
        for (int j = 0; j < 3 * WINDOW_PATIENCE; j++) {
            window_expect(&w, places[i] + j);
            assert_true(w.next == places[i] + WINDOW_SIZE);
        }
        assert_counts(&w, WINDOW_SIZE, 0, 0, 0);
        assert_int_equal(window_take(&w, places[i]), WINDOW_DUPLICATE);
    }
}

/* A sender that insists on numbers older than the window can tell. */
static void
test_a_sender_that_insists_is_believed(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const uint64_t old = places[i] - WINDOW_SIZE - 1;
        struct window w;

        begin_at(&w, places[i]);
        for (int j = 0; j < WINDOW_PATIENCE; j++) {
            assert_true(w.next == places[i]);
            assert_int_equal(window_take(&w, old), WINDOW_OLD);
            window_expect(&w, old);
        }
        assert_true(w.next == old);
        assert_true(w.first == old);
        take_row(&w, old, 10);
        assert_counts(&w, 10, 0, WINDOW_PATIENCE, 0);
    }
}

/* The oldest number that the window can tell contradicts nothing. */
static void
test_the_edge_of_patience(void **state OVS_UNUSED)
{
    struct window w;

    begin_at(&w, 2 * WINDOW_SIZE);
    for (int i = 0; i < 2 * WINDOW_PATIENCE; i++) {
        window_expect(&w, WINDOW_SIZE);
    }
    assert_true(w.next == 2 * WINDOW_SIZE);
    for (int i = 0; i < WINDOW_PATIENCE; i++) {
        window_expect(&w, WINDOW_SIZE - 1);
    }
    assert_true(w.next == WINDOW_SIZE - 1);
}

/* Announces what contradicts the window at 'next', as often as it takes for
 * the sender to be all but believed. */
static void
try_patience(struct window *w, uint64_t next)
{
    for (int i = 0; i < WINDOW_PATIENCE - 1; i++) {
        window_expect(w, next - WINDOW_SIZE - 1);
        assert_true(w->next == next);
    }
}

static void
test_announcements_must_contradict_in_a_row(void **state OVS_UNUSED)
{
    const uint64_t next = 10 * WINDOW_SIZE;
    struct window w;

    begin_at(&w, next);
    try_patience(&w, next);
    window_expect(&w, next); /* Just what was expected. */
    try_patience(&w, next);
    window_expect(&w, next - 1); /* Overtaken. */
    try_patience(&w, next);
    window_expect(&w, next + 1); /* Some were lost. */
    try_patience(&w, next + 1);
    window_expect(&w, 0);
    assert_true(w.next == 0);

    /* The next time it takes as many. */
    window_expect(&w, next);
    try_patience(&w, next);
    window_restart(&w);
    window_expect(&w, next);
    try_patience(&w, next);
}

/* Frames that are known to be old say nothing about the announcements. */
static void
test_frames_do_not_restore_patience(void **state OVS_UNUSED)
{
    const uint64_t next = 10 * WINDOW_SIZE;
    struct window w;

    begin_at(&w, next);
    for (uint64_t i = 0; i < WINDOW_PATIENCE; i++) {
        window_expect(&w, i);
        window_take(&w, i);
    }
    assert_true(w.next == WINDOW_PATIENCE);
}

/* A single mistaken number, far ahead, takes the others with it only until the
 * sender has said a few hellos. */
static void
test_a_mistaken_number_does_not_shut_out_for_good(void **state OVS_UNUSED)
{
    struct window w;

    window_init(&w);
    take_row(&w, 0, 100);
    take_row(&w, UINT64_C(1) << 62, 1);
    assert_int_equal(window_take(&w, 100), WINDOW_OLD);
    for (uint64_t i = 0; i < WINDOW_PATIENCE; i++) {
        window_expect(&w, 101);
    }
    take_row(&w, 101, 100);
    assert_int_equal(window_take(&w, 150), WINDOW_DUPLICATE);
    assert_true(w.received == 201);
}

static void
test_a_restart_forgets_what_has_come(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        take_row(&w, 0, 10);
        take_row(&w, 11, 1);
        window_restart(&w);
        assert_false(w.begun);
        take_row(&w, places[i], 12);
        assert_true(w.first == places[i]);
        assert_true(w.next == places[i] + 12);
    }
}

static void
test_a_restart_keeps_what_was_counted(void **state OVS_UNUSED)
{
    struct window w;

    window_init(&w);
    take_row(&w, 10, 1);
    take_row(&w, 15, 1);
    take_row(&w, 12, 1);
    assert_int_equal(window_take(&w, 12), WINDOW_DUPLICATE);
    assert_counts(&w, 3, 3, 1, 1);
    window_restart(&w);
    assert_counts(&w, 3, 3, 1, 1);

    /* What was lost before remains so, whatever comes now. */
    take_row(&w, 14, 1);
    assert_counts(&w, 4, 3, 1, 1);
    take_row(&w, 13, 1);
    assert_counts(&w, 5, 3, 1, 2);
}

/* Announcements by a sender that has forgotten the receiver. */

/* How far ahead of what was expected. */
static const uint64_t skips[] = { WINDOW_SIZE + 1, WINDOW_SIZE + 2,
                                  3 * WINDOW_SIZE, UINT64_C(1) << 32,
                                  (UINT64_C(1) << 63) - 1 };

static void
test_a_skip_begins_the_window(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        window_skip(&w, places[i]);
        assert_true(w.begun);
        assert_true(w.first == places[i]);
        assert_true(w.next == places[i]);
        assert_counts(&w, 0, 0, 0, 0);
        take_row(&w, places[i] + 2, 1);
        assert_counts(&w, 1, 2, 0, 0);
    }
}

static void
test_what_is_skipped_by_a_long_way_is_not_lost(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(skips); j++) {
            const uint64_t next = places[i] + 5 + skips[j];
            struct window w;

            window_init(&w);
            take_row(&w, places[i], 2);
            take_row(&w, places[i] + 4, 1);
            window_skip(&w, next);
            assert_true(w.next == next);
            assert_true(w.first == next);

            /* What was lost before remains so. */
            assert_counts(&w, 3, 2, 0, 0);
            take_row(&w, next, 10);
            take_row(&w, next + 11, 1);
            assert_counts(&w, 14, 3, 0, 0);
            take_row(&w, next + 10, 1);
            assert_counts(&w, 15, 2, 0, 1);
        }
    }
}

/* What was sent before after all comes late, but was never lost. */
static void
test_what_was_skipped_may_come_late(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const uint64_t next = places[i] + 2 * WINDOW_SIZE;
        struct window w;

        window_init(&w);
        take_row(&w, places[i], 1);
        take_row(&w, places[i] + 2, 1);
        window_skip(&w, next);
        take_row(&w, next - 1, 1);
        take_row(&w, next - WINDOW_SIZE, 1);
        assert_int_equal(window_take(&w, next - 1), WINDOW_DUPLICATE);
        assert_int_equal(window_take(&w, next - WINDOW_SIZE - 1), WINDOW_OLD);
        assert_counts(&w, 4, 1, 2, 2);
    }
}

/* Nothing that came before is taken for what is now in its place. */
static void
test_a_skip_leaves_no_traces(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(skips); i++) {
        struct window w;

        window_init(&w);
        take_row(&w, 0, WINDOW_SIZE);
        window_skip(&w, WINDOW_SIZE + skips[i]);
        take_row(&w, WINDOW_SIZE + skips[i], WINDOW_SIZE);
        assert_counts(&w, 2 * WINDOW_SIZE, 0, 0, 0);
    }
}

/* What is not as far ahead may just have been lost on the way, as it is with
 * who remembers. */
static void
test_a_short_skip_is_as_any_announcement(void **state OVS_UNUSED)
{
    static const uint64_t all[] = { 0, 1, 2, 64, WINDOW_SIZE };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(all); j++) {
            struct window w, expected;

            window_init(&w);
            take_row(&w, places[i], 10);
            expected = w;
            window_expect(&expected, places[i] + 10 + all[j]);
            window_skip(&w, places[i] + 10 + all[j]);
            assert_memory_equal(&w, &expected, sizeof w);
            assert_counts(&w, 10, all[j], 0, 0);
        }
    }
}

/* Overtaken, or from a sender that begins anew. */
static void
test_a_skip_back_is_as_any_announcement(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const uint64_t old = places[i] - WINDOW_SIZE - 1;
        struct window w;

        begin_at(&w, places[i]);
        window_skip(&w, places[i] - 1);
        window_skip(&w, places[i] - WINDOW_SIZE);
        assert_true(w.next == places[i]);
        for (int j = 0; j < WINDOW_PATIENCE; j++) {
            assert_true(w.next == places[i]);
            window_skip(&w, old);
        }
        assert_true(w.next == old);
        assert_counts(&w, 0, 0, 0, 0);
    }
}

static void
test_a_skip_restores_patience(void **state OVS_UNUSED)
{
    const uint64_t next = 10 * WINDOW_SIZE;
    struct window w;

    begin_at(&w, next);
    try_patience(&w, next);
    window_skip(&w, 2 * next);
    try_patience(&w, 2 * next);
}

/* The model: what became of each number of a short piece of the row, without
 * anything that wraps around or is used again. */

enum { MODEL_SIZE = 1 << 16 };

struct model {
    bool begun;
    size_t next;
    unsigned int doubted;
    bool come[MODEL_SIZE];
    bool missed[MODEL_SIZE]; /* Skipped and not come since. */
    uint64_t received, lost, duplicated, reordered;
};

static void
model_restart(struct model *m)
{
    m->begun = false;
    m->doubted = 0;
    memset(m->come, 0, sizeof m->come);
    memset(m->missed, 0, sizeof m->missed);
}

/* Moves the model up to 'next'. */
static void
model_skip(struct model *m, size_t next)
{
    for (; m->next < next; m->next++) {
        m->missed[m->next] = true;
        m->lost++;
    }
}

static enum window_verdict
model_take(struct model *m, size_t i)
{
    if (!m->begun) {
        m->begun = true;
        m->next = i;
    }
    if (i + WINDOW_SIZE < m->next) {
        m->duplicated++;
        return WINDOW_OLD;
    } else if (m->come[i]) {
        m->duplicated++;
        return WINDOW_DUPLICATE;
    }
    m->reordered += i < m->next;
    model_skip(m, i);
    m->next = MAX(m->next, i + 1);
    m->lost -= m->missed[i];
    m->missed[i] = false;
    m->come[i] = true;
    m->received++;
    return WINDOW_NEW;
}

static void
model_expect(struct model *m, size_t next)
{
    if (m->begun && next + WINDOW_SIZE < m->next) {
        if (++m->doubted < WINDOW_PATIENCE) {
            return;
        }
        model_restart(m);
    }
    m->doubted = 0;
    if (!m->begun) {
        m->begun = true;
        m->next = next;
    }
    model_skip(m, next);
}

/* Returns a number for the next event: most often the one that is due, but
 * also later and earlier ones, with a liking for edges. */
static size_t
random_number(const struct model *m, uint32_t *seed)
{
    size_t r = next_random(seed);

    switch (next_random(seed) % 1024) {
    case 0: return m->next + WINDOW_SIZE - 2 + r % 4;
    case 1: return m->next - WINDOW_SIZE - 2 + r % 4;
    case 2: return m->next - 1 - r % WINDOW_SIZE;
    case 3: return m->next + r % 100;
    default: break;
    }
    switch (next_random(seed) % 8) {
    case 0: return m->next + r % 4;
    case 1: return m->next - 1 - r % 4;
    case 2: return m->next - 1 - r % 100;
    default: return m->next;
    }
}

/* Gives a window whose numbers begin at 'base' and the model the same random
 * events until the model is full, and compares the two. */
static void
compare_with_model(struct model *m, uint64_t base, uint32_t *seed)
{
    struct window w;

    memset(m, 0, sizeof *m);
    m->next = 3 * WINDOW_SIZE;
    window_init(&w);
    while (m->next < MODEL_SIZE - 2 * WINDOW_SIZE) {
        uint32_t r = next_random(seed) % 8000;
        size_t i = random_number(m, seed);

        if (r == 0) {
            model_restart(m);
            window_restart(&w);
        } else if (r < 5) {
            /* At the edge of patience, and of the window. */
            i = m->next - WINDOW_SIZE - 2 + r % 4;
            for (int j = 0; j < WINDOW_PATIENCE; j++) {
                model_expect(m, i);
                window_expect(&w, base + i);
            }
        } else if (r < 800) {
            model_expect(m, i);
            window_expect(&w, base + i);
        } else {
            assert_int_equal(window_take(&w, base + i), model_take(m, i));
        }
        assert_int_equal(w.begun, m->begun);
        if (m->begun) {
            assert_true(w.next == base + m->next);
        }
        assert_counts(&w, m->received, m->lost, m->duplicated, m->reordered);

        /* Believing brings the model back to where it has been. */
        if (m->next < 3 * WINDOW_SIZE) {
            m->next = 3 * WINDOW_SIZE;
            model_restart(m);
            window_restart(&w);
        }
    }
    assert_true(m->received > 1000 && m->lost > 1000 && m->duplicated > 50
                && m->reordered > 50); /* Or it would prove little. */
}

static void
test_random_events_against_a_model(void **state OVS_UNUSED)
{
    struct model *m = malloc(sizeof *m);
    uint32_t seed = 11;

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        /* Where numbers are like those of 'places' half way through. */
        compare_with_model(m, places[i] - MODEL_SIZE / 2, &seed);
        compare_with_model(m, places[i], &seed);
    }
    free(m);
}

/* A number far ahead of where the window began, the greatest that can be. */
static void
test_late_frames_after_the_widest_jump(void **state OVS_UNUSED)
{
    const uint64_t jump = UINT64_MAX >> 1;
    struct window w;

    begin_at(&w, 0);
    assert_int_equal(window_take(&w, jump), WINDOW_NEW);
    assert_int_equal(window_take(&w, jump + 2), WINDOW_NEW);
    assert_true(w.lost == jump + 1);
    assert_int_equal(window_take(&w, jump + 1), WINDOW_NEW);
    assert_true(w.lost == jump);
    assert_int_equal(w.reordered, 1);
}

/* Without restarts each number from the first to the next has either come or
 * is lost. */
static void
test_the_counts_add_up(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        uint32_t seed = 7;
        uint64_t n = 0;
        struct window w;

        begin_at(&w, places[i]);
        for (int j = 0; j < 20000; j++) {
            uint64_t ahead = next_random(&seed) % 40;

            /* Some are twenty late, but none from before the beginning. */
            uint64_t back = MIN(20, w.next - places[i]);
            window_take(&w, w.next + ahead - back);
            n++;
            assert_true(w.received + w.lost == w.next - places[i]);
            assert_true(w.received + w.duplicated == n);
            assert_true(w.reordered < w.received);
        }
        assert_true(w.lost > 0 && w.duplicated > 0 && w.reordered > 0);
    }
}

/* Windows of which all before some number have come. */

static void
test_all_before_the_beginning_have_come(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const uint64_t next = places[i];
        struct window w;

        memset(&w, 0xa5, sizeof w);
        window_begin(&w, next);
        assert_counts(&w, 0, 0, 0, 0);
        for (uint64_t back = 1; back <= WINDOW_SIZE + 5; back++) {
            assert_true(window_has(&w, next - back));
        }
        assert_true(window_has(&w, next - INT64_MAX));
        assert_false(window_has(&w, next));
        assert_false(window_has(&w, next + WINDOW_SIZE));
        assert_false(window_has(&w, next + INT64_MAX));

        for (uint64_t back = 1; back <= WINDOW_SIZE + 5; back++) {
            assert_int_equal(window_take(&w, next - back),
                             back > WINDOW_SIZE ? WINDOW_OLD
                                                : WINDOW_DUPLICATE);
        }
        assert_counts(&w, 0, 0, WINDOW_SIZE + 5, 0);
        take_row(&w, next, 3);
        assert_counts(&w, 3, 0, WINDOW_SIZE + 5, 0);
    }
}

/* What lies between the beginning and what comes has not come, as far as the
 * window reaches back. */
static void
test_a_jump_after_the_beginning(void **state OVS_UNUSED)
{
    static const uint64_t jumps[] = { 0,
                                      1,
                                      63,
                                      64,
                                      WINDOW_SIZE - 1,
                                      WINDOW_SIZE,
                                      WINDOW_SIZE + 1,
                                      3 * WINDOW_SIZE };

    for (size_t i = 0; i < ARRAY_SIZE(places) * ARRAY_SIZE(jumps); i++) {
        const uint64_t next = places[i / ARRAY_SIZE(jumps)];
        const uint64_t jump = jumps[i % ARRAY_SIZE(jumps)];
        struct window w;

        window_begin(&w, next);
        take_row(&w, next + jump, 1);
        assert_counts(&w, 1, jump, 0, 0);
        for (uint64_t seq = next - 3; seq != next + jump; seq++) {
            bool between = (int64_t) (seq - next) >= 0;

            assert_int_equal(window_has(&w, seq),
                             !between || next + jump + 1 - seq > WINDOW_SIZE);
        }
        assert_true(window_has(&w, next + jump));
    }
}

static void
test_a_window_that_has_not_begun_has_nothing(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct window w;

        window_init(&w);
        assert_false(window_has(&w, places[i]));
        window_begin(&w, places[i]);
        window_restart(&w);
        assert_false(window_has(&w, places[i] - 1));
    }
}

/* Whatever has happened: what it has is what would not be new. */
static void
test_what_a_window_has_is_not_new(void **state OVS_UNUSED)
{
    size_t n_new = 0, n_old = 0;
    uint32_t seed = 11;

    for (int round = 0; round < 200; round++) {
        const uint64_t place = places[round % ARRAY_SIZE(places)];
        struct window w;

        window_init(&w);
        if (round % 3) {
            window_begin(&w, place);
        }
        for (int i = 0; i < 1000; i++) {
            const uint64_t near = w.begun ? w.next : place;
            uint64_t seq = near + next_random(&seed) % 30 - 15;

            switch (next_random(&seed) % 40) {
            case 0: seq = near - next_random(&seed) % 9000; break;
            case 1: seq = near + next_random(&seed) % 9000; break;
            case 2:
                seq = near - WINDOW_SIZE + next_random(&seed) % 3 - 1;
                break;
            case 3:
                window_expect(&w, near + next_random(&seed) % 5000 - 100);
                break;
            case 4: window_skip(&w, near + next_random(&seed) % 9000); break;
            case 5:
                if (next_random(&seed) % 4 == 0) {
                    window_restart(&w);
                }
                break;
            default: break;
            }
            const struct window before = w;
            const bool has = window_has(&w, seq);

            assert_memory_equal(&w, &before, sizeof w); /* Just looks. */
            assert_int_equal(window_take(&w, seq) != WINDOW_NEW, has);
            assert_true(window_has(&w, seq));
            n_new += !has;
            n_old += has;
        }
    }
    assert_true(n_new > 20000
                && n_old > 20000); /* Or it would prove little. */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_window_has_counted_nothing),
        cmocka_unit_test(test_a_row_is_neither_lost_nor_reordered),
        cmocka_unit_test(test_a_frame_counts_once),
        cmocka_unit_test(test_what_is_skipped_is_lost),
        cmocka_unit_test(test_what_comes_after_all_is_reordered),
        cmocka_unit_test(test_a_window_backwards),
        cmocka_unit_test(test_the_edge_of_the_window),
        cmocka_unit_test(test_jumps_leave_no_traces),
        cmocka_unit_test(test_half_of_all_numbers_are_greater),
        cmocka_unit_test(test_what_came_before_the_beginning_was_not_lost),
        cmocka_unit_test(test_an_announcement_begins_the_window),
        cmocka_unit_test(test_what_is_announced_and_has_not_come_is_lost),
        cmocka_unit_test(test_a_late_announcement_changes_nothing),
        cmocka_unit_test(test_a_sender_that_insists_is_believed),
        cmocka_unit_test(test_the_edge_of_patience),
        cmocka_unit_test(test_announcements_must_contradict_in_a_row),
        cmocka_unit_test(test_frames_do_not_restore_patience),
        cmocka_unit_test(test_a_mistaken_number_does_not_shut_out_for_good),
        cmocka_unit_test(test_a_restart_forgets_what_has_come),
        cmocka_unit_test(test_a_restart_keeps_what_was_counted),
        cmocka_unit_test(test_a_skip_begins_the_window),
        cmocka_unit_test(test_what_is_skipped_by_a_long_way_is_not_lost),
        cmocka_unit_test(test_what_was_skipped_may_come_late),
        cmocka_unit_test(test_a_skip_leaves_no_traces),
        cmocka_unit_test(test_a_short_skip_is_as_any_announcement),
        cmocka_unit_test(test_a_skip_back_is_as_any_announcement),
        cmocka_unit_test(test_a_skip_restores_patience),
        cmocka_unit_test(test_random_events_against_a_model),
        cmocka_unit_test(test_late_frames_after_the_widest_jump),
        cmocka_unit_test(test_the_counts_add_up),
        cmocka_unit_test(test_all_before_the_beginning_have_come),
        cmocka_unit_test(test_a_jump_after_the_beginning),
        cmocka_unit_test(test_a_window_that_has_not_begun_has_nothing),
        cmocka_unit_test(test_what_a_window_has_is_not_new),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
