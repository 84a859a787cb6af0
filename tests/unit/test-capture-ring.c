/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "capture-ring.h"

#include "support.h"

#include <pthread.h>
#include <sched.h>

#include "openvswitch/util.h"
#include "util.h"

/* Puts a record of 'length' bytes, all 'value', into 'ring'.  Returns false if
 * there is no room for it. */
static bool
put(struct capture_ring *ring, size_t length, uint8_t value)
{
    void *record = capture_ring_reserve(ring, length);

    if (!record) {
        return false;
    }
    assert_int_equal((uintptr_t) record % 8, 0);
    memset(record, value, length);
    capture_ring_commit(ring);
    return true;
}

/* Takes the oldest record, which has to be 'length' bytes, all 'value'. */
static void
take(struct capture_ring *ring, size_t length, uint8_t value)
{
    size_t found;
    const uint8_t *record = capture_ring_peek(ring, &found);

    assert_non_null(record);
    assert_int_equal(found, length);
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(record[i], value);
    }
    capture_ring_release(ring);
}

static void
none(struct capture_ring *ring)
{
    size_t length;

    assert_null(capture_ring_peek(ring, &length));
}

static void
test_in_order(void **state OVS_UNUSED)
{
    struct capture_ring *ring = capture_ring_create(256);

    none(ring);
    assert_true(put(ring, 10, 1));
    assert_true(put(ring, 0, 2));
    assert_true(put(ring, 33, 3));
    take(ring, 10, 1);
    take(ring, 0, 2);
    take(ring, 33, 3);
    none(ring);
    capture_ring_destroy(ring);
}

/* What is reserved is nothing yet. */
static void
test_commit(void **state OVS_UNUSED)
{
    struct capture_ring *ring = capture_ring_create(256);

    assert_non_null(capture_ring_reserve(ring, 8));
    none(ring);
    assert_true(put(ring, 16, 1)); /* In its place. */
    take(ring, 16, 1);
    none(ring);
    capture_ring_destroy(ring);
}

static void
test_full(void **state OVS_UNUSED)
{
    struct capture_ring *ring = capture_ring_create(256);

    /* 64 bytes each, with the header. */
    for (int i = 0; i < 4; i++) {
        assert_true(put(ring, 56, i));
    }
    assert_false(put(ring, 0, 9));
    take(ring, 56, 0);
    assert_false(put(ring, 57, 9));
    assert_true(put(ring, 56, 4));
    assert_false(put(ring, 0, 9));
    for (int i = 1; i <= 4; i++) {
        take(ring, 56, i);
    }
    none(ring);

    assert_false(put(ring, 249, 9));
    assert_false(put(ring, 257, 9));
    assert_null(capture_ring_reserve(ring, SIZE_MAX));
    capture_ring_destroy(ring);
}

/* The longest that fits, and the longest that fits wherever the ring is. */
static void
test_longest(void **state OVS_UNUSED)
{
    struct capture_ring *ring = capture_ring_create(256);

    assert_false(put(ring, 249, 1));
    assert_true(put(ring, 248, 1));
    take(ring, 248, 1);
    for (int i = 0; i < 100; i++) {
        assert_true(put(ring, i, i));
        take(ring, i, i);
        assert_true(put(ring, 120, i));
        take(ring, 120, i);
    }
    capture_ring_destroy(ring);
}

/* Records of all lengths at all places of the ring. */
static void
test_wrap_around(void **state OVS_UNUSED)
{
    for (size_t length = 0; length <= 100; length++) {
        struct capture_ring *ring = capture_ring_create(256);
        uint8_t first = 0, next = 0;

        for (int i = 0; i < 200; i++) {
            while (put(ring, length, next)) {
                next++;
            }
            take(ring, length, first++);
        }
        while (first != next) {
            take(ring, length, first++);
        }
        none(ring);
        capture_ring_destroy(ring);
    }
}

/* A record that fits the ring, but neither before its end nor behind its
 * beginning, has to wait. */
static void
test_no_room_in_one_piece(void **state OVS_UNUSED)
{
    struct capture_ring *ring = capture_ring_create(256);

    assert_true(put(ring, 120, 1));
    take(ring, 120, 1);
    assert_false(put(ring, 200, 2));
    assert_true(put(ring, 120, 3)); /* Up to the end. */
    take(ring, 120, 3);
    assert_true(put(ring, 200, 4));
    take(ring, 200, 4);
    capture_ring_destroy(ring);
}

static void
test_filling(void **state OVS_UNUSED)
{
    struct capture_ring *ring = capture_ring_create(256);

    assert_false(capture_ring_is_filling(ring));
    assert_true(put(ring, 48, 1));
    assert_false(capture_ring_is_filling(ring));
    assert_true(put(ring, 0, 2));
    assert_true(capture_ring_is_filling(ring));
    take(ring, 48, 1);
    assert_false(capture_ring_is_filling(ring));
    capture_ring_destroy(ring);
}

/* Two threads.  Each record tells its number and is as long, and made of, what
 * its number says. */

enum { N_RECORDS = 200000 };

static size_t
length_of(uint32_t number)
{
    return sizeof number + number * 7919 % 120;
}

static void *
produce(void *ring_)
{
    struct capture_ring *ring = ring_;

    for (uint32_t i = 0; i < N_RECORDS; i++) {
        const size_t length = length_of(i);
        uint8_t *record;

        while (!(record = capture_ring_reserve(ring, length))) {
            sched_yield();
        }
        memset(record, i, length);
        memcpy(record, &i, sizeof i);
        capture_ring_commit(ring);
    }
    return NULL;
}

static void
test_two_threads(void **state OVS_UNUSED)
{
    struct capture_ring *ring = capture_ring_create(1024);
    pthread_t producer;

    assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
    for (uint32_t i = 0; i < N_RECORDS; i++) {
        const uint8_t *record;
        uint32_t number;
        size_t length;

        while (!(record = capture_ring_peek(ring, &length))) {
            sched_yield();
        }
        assert_int_equal(length, length_of(i));
        memcpy(&number, record, sizeof number);
        assert_int_equal(number, i);
        for (size_t j = sizeof number; j < length; j++) {
            assert_int_equal(record[j], (uint8_t) i);
        }
        capture_ring_release(ring);
    }
    none(ring);
    pthread_join(producer, NULL);
    capture_ring_destroy(ring);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_commit),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_wrap_around),
        cmocka_unit_test(test_no_room_in_one_piece),
        cmocka_unit_test(test_filling),
        cmocka_unit_test(test_two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
