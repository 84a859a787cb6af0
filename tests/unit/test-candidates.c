/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "candidates.h"

#include "support.h"

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

enum { NOW = 1000000, HELLO_MS = 100, DEAD_MS = 350 };

static struct candidates candidates;

/* Returns what a relay says. */
static struct announcement
of(uint64_t id, uint8_t priority, uint64_t session)
{
    return (struct announcement){
        .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 01),
        .state = RELAY_STANDBY,
        .reason = REASON_LATER,
        .priority = priority,
        .relay_id = id,
        .session = session,
        .hello_ms = HELLO_MS,
        .dead_ms = DEAD_MS,
    };
}

/* Has the relay 'id' be there, in 'state' since 'since'. */
static struct candidate *
add(uint64_t id, enum relay_state state, long long int since)
{
    struct announcement a = of(id, 100, 1);
    struct candidate *c = candidates_get(&candidates, &a);

    a.state = state;
    a.reason = REASON_STARTED;
    c->said = a;
    c->heard = NOW;
    c->since = since;
    return c;
}

static int
set_up(void **state OVS_UNUSED)
{
    memset(&candidates, 0, sizeof candidates);
    return 0;
}

/* The greater priority, then the lower id, then the lower session; each to all
 * of its bits. */
static void
test_the_order_of_relays(void **state OVS_UNUSED)
{
    const struct announcement in_order[] = {
        of(7, 255, 7),          of(UINT64_MAX, 101, 1),
        of(1, 100, UINT64_MAX), of(2, 100, 1),
        of(2, 100, 2),          of(2, 100, UINT64_C(1) << 32),
        of(2, 100, UINT64_MAX), of(UINT64_C(1) << 32, 100, 1),
        of(UINT64_MAX, 100, 1), of(0, 1, 0),
    };

    for (size_t i = 0; i < ARRAY_SIZE(in_order); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(in_order); j++) {
            assert_int_equal(relay_goes_before(&in_order[i], &in_order[j]),
                             i < j);
        }
    }
}

static void
test_candidates_are_found_by_their_ids(void **state OVS_UNUSED)
{
    static const uint64_t ids[] = { 5, UINT64_C(5) << 32, 0, UINT64_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_null(candidates_find(&candidates, ids[i]));
        add(ids[i], RELAY_STANDBY, NOW);
        assert_int_equal(candidates.n, i + 1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        const struct announcement again = of(ids[i], 1, 99);

        assert_ptr_equal(candidates_find(&candidates, ids[i]),
                         &candidates.all[i]);
        assert_ptr_equal(candidates_get(&candidates, &again),
                         &candidates.all[i]);
        assert_int_equal(candidates.all[i].said.session, 1);
    }
    assert_int_equal(candidates.n, ARRAY_SIZE(ids));
}

/* The last one takes the place of one that goes, and a new one has nothing of
 * who was there before. */
static void
test_candidates_go(void **state OVS_UNUSED)
{
    const struct candidate nothing = { .heard = 0 };
    const struct announcement a = of(4, 100, 1);

    for (uint64_t id = 1; id <= 3; id++) {
        add(id, RELAY_FORWARDING, NOW);
    }
    candidates_remove(&candidates, candidates_find(&candidates, 1));
    assert_int_equal(candidates.n, 2);
    assert_null(candidates_find(&candidates, 1));
    assert_non_null(candidates_find(&candidates, 2));
    assert_non_null(candidates_find(&candidates, 3));
    candidates_remove(&candidates, candidates_find(&candidates, 2));
    candidates_remove(&candidates, candidates_find(&candidates, 3));
    assert_int_equal(candidates.n, 0);
    assert_null(candidates_find(&candidates, 3));

    assert_memory_equal(candidates_get(&candidates, &a), &nothing,
                        sizeof nothing);
    assert_int_equal(candidates.n, 1);
}

static void
test_there_is_room_for_so_many(void **state OVS_UNUSED)
{
    const struct announcement last = of(CANDIDATES_MAX, 100, 1);
    const struct announcement more = of(1000, 255, 1);

    for (uint64_t id = 1; id <= CANDIDATES_MAX; id++) {
        add(id, RELAY_STANDBY, NOW);
    }
    assert_int_equal(candidates.n, CANDIDATES_MAX);
    assert_null(candidates_get(&candidates, &more));
    assert_int_equal(candidates.n, CANDIDATES_MAX);
    assert_non_null(candidates_get(&candidates, &last));
    candidates_remove(&candidates, &candidates.all[0]);
    assert_non_null(candidates_get(&candidates, &more));
}

/* What a candidate is, by its state. */
static void
test_what_candidates_are(void **state OVS_UNUSED)
{
    static const struct {
        enum relay_state state;
        long long int age;
        const char *is; /* Forwarding, serving, overdue, holder, eligible,
                         * almost ready, contender. */
    } cases[] = {
        { RELAY_OFF, 0, "......." },
        { RELAY_LISTENING, 0, "......." },
        { RELAY_STANDBY, 0, "....e.c" },
        { RELAY_STANDBY, 10 * DEAD_MS, "....e.c" },
        { RELAY_CLAIMING, 0, "...he.c" },
        { RELAY_CLAIMING, DEAD_MS - 1, "...he.c" },
        { RELAY_CLAIMING, DEAD_MS, "..o...." },
        { RELAY_CLAIMING, 10 * DEAD_MS, "..o...." },
        { RELAY_FORWARDING, 0, "fs.he.c" },
        { RELAY_FORWARDING, 10 * DEAD_MS, "fs.he.c" },
        { RELAY_LEAVING, 0, ".s....." },
        { RELAY_LEAVING, 10 * DEAD_MS, ".s....." },
        { RELAY_GONE, 0, "......." },

        /* One that listens until about now. */
        { RELAY_LISTENING, DEAD_MS - HELLO_MS, "......." },
        { RELAY_LISTENING, DEAD_MS - HELLO_MS + 1, ".....ac" },
        { RELAY_LISTENING, DEAD_MS, ".....ac" },
        { RELAY_LISTENING, DEAD_MS + HELLO_MS - 1, ".....ac" },
        { RELAY_LISTENING, DEAD_MS + HELLO_MS, "......." },
    };
    static candidate_is *const questions[] = {
        candidate_is_forwarding, candidate_is_serving,
        candidate_is_overdue,    candidate_is_holder,
        candidate_is_eligible,   candidate_is_almost_ready,
        candidate_is_contender,
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct candidate *c = add(1, cases[i].state, NOW - cases[i].age);

        for (size_t k = 0; k < ARRAY_SIZE(questions); k++) {
            if (questions[k](c, NOW) != (cases[i].is[k] != '.')) {
                fail_msg("case %" PRIuSIZE ", question %" PRIuSIZE, i, k);
            }
        }
    }
}

/* One that listens again because its switch refused takes much longer. */
static void
test_who_was_refused_is_not_almost_ready(void **state OVS_UNUSED)
{
    struct candidate *c = add(1, RELAY_LISTENING, NOW - DEAD_MS);

    assert_true(candidate_is_almost_ready(c, NOW));
    c->said.reason = REASON_REFUSED;
    assert_false(candidate_is_almost_ready(c, NOW));
    assert_false(candidate_is_contender(c, NOW));
}

/* Of those that are asked for, wherever it stands. */
static void
test_the_first_of_several(void **state OVS_UNUSED)
{
    static const uint64_t ids[] = { 3, 1, 2 };

    assert_null(candidates_first(&candidates, candidate_is_eligible, NOW));
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        set_up(NULL);
        for (size_t k = 0; k < ARRAY_SIZE(ids); k++) {
            add(ids[(i + k) % ARRAY_SIZE(ids)], RELAY_STANDBY, NOW);
        }
        assert_ptr_equal(
            candidates_first(&candidates, candidate_is_eligible, NOW),
            candidates_find(&candidates, 1));
        assert_null(
            candidates_first(&candidates, candidate_is_forwarding, NOW));
        candidates_find(&candidates, 3)->said.state = RELAY_FORWARDING;
        assert_ptr_equal(
            candidates_first(&candidates, candidate_is_forwarding, NOW),
            candidates_find(&candidates, 3));
        assert_ptr_equal(
            candidates_first(&candidates, candidate_is_eligible, NOW),
            candidates_find(&candidates, 1));
        candidates_find(&candidates, 2)->said.priority = 101;
        assert_ptr_equal(
            candidates_first(&candidates, candidate_is_eligible, NOW),
            candidates_find(&candidates, 2));
    }

    /* As of the time that it is asked for. */
    set_up(NULL);
    add(1, RELAY_CLAIMING, NOW - DEAD_MS);
    add(2, RELAY_CLAIMING, NOW);
    assert_ptr_equal(candidates_first(&candidates, candidate_is_holder, NOW),
                     candidates_find(&candidates, 2));
    assert_ptr_equal(
        candidates_first(&candidates, candidate_is_holder, NOW - 1),
        candidates_find(&candidates, 1));
}

static void
test_the_deadline(void **state OVS_UNUSED)
{
    struct candidate *c = add(1, RELAY_STANDBY, 0);

    assert_true(candidate_deadline(c) == NOW + DEAD_MS);
    c->said.dead_ms = UINT32_MAX;
    assert_true(candidate_deadline(c) == NOW + 0xffffffffLL);
}

static void
test_which_ports_a_candidate_relays(void **state OVS_UNUSED)
{
    static const uint16_t ports[] = { 5064, 65535, 1 };
    struct candidate *c = add(1, RELAY_STANDBY, 0);

    memcpy(c->said.ports, ports, sizeof ports);
    for (size_t n = 0; n <= ARRAY_SIZE(ports); n++) {
        c->said.n_ports = n;
        for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
            assert_int_equal(candidate_relays(c, ports[i]), i < n);
        }
        assert_false(candidate_relays(c, 0));
        assert_false(candidate_relays(c, 5065));
    }
}

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);

#define TEST(NAME) cmocka_unit_test_setup(NAME, set_up)
    const struct CMUnitTest tests[] = {
        TEST(test_the_order_of_relays),
        TEST(test_candidates_are_found_by_their_ids),
        TEST(test_candidates_go),
        TEST(test_there_is_room_for_so_many),
        TEST(test_what_candidates_are),
        TEST(test_who_was_refused_is_not_almost_ready),
        TEST(test_the_first_of_several),
        TEST(test_the_deadline),
        TEST(test_which_ports_a_candidate_relays),
    };
    return cmocka_run_group_tests_name("candidates", tests, NULL, NULL);
}
