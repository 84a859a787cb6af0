/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "talkers.h"

#include "support.h"

#include "counters.h"
#include "endpoint.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "tap.h"
#include "util.h"

enum { NOW = 1000000, FRAME_LEN = 60 };

/* Fills in 'bytes', a broadcast of 'ip' to UDP port 5076. */
static void
make_frame(uint8_t bytes[FRAME_LEN], uint32_t ip)
{
    memset(bytes, 0, FRAME_LEN);
    memset(bytes, 0xff, ETH_ADDR_LEN);
    bytes[6] = 2;
    bytes[11] = ip & 0xff;
    put16(bytes + 12, 0x0800);
    bytes[14] = 0x45;
    bytes[23] = IPPROTO_UDP;
    put16(bytes + 26, ip >> 16);
    put16(bytes + 28, ip & 0xffff);
    put16(bytes + 36, 5076);
}

/* Has 'ip' send 'n' frames, heard at 'point', from 'from' in the mesh unless
 * that is NULL. */
static void
tell(struct talkers *t, enum tap_point point, const struct endpoint *from,
     uint32_t ip, size_t n, long long int now)
{
    uint8_t frame[FRAME_LEN];
    const struct tap_event event = {
        .point = point,
        .direction = from ? DIRECTION_MESH : DIRECTION_PUNT,
        .reason = DROP_LOOP,
        .from = from,
        .bytes = frame,
        .length = sizeof frame,
        .is_frame = true,
    };

    make_frame(frame, ip);
    for (size_t i = 0; i < n; i++) {
        talkers_take(t, &event, now);
    }
}

static void
punt(struct talkers *t, uint32_t ip, size_t n, long long int now)
{
    tell(t, TAP_PUNT, NULL, ip, n, now);
}

static const struct talker *
find(const struct talkers *t, uint32_t ip)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->all[i].key.ip == htonl(ip)) {
            return &t->all[i];
        }
    }
    return NULL;
}

/* Checks all that must hold between the parts of 't'. */
static void
check(const struct talkers *t)
{
    uint64_t sum = 0, before = 0;
    size_t n = 0, n_groups = 0;

    for (int16_t g = t->fewest; g >= 0; g = t->groups[g].next) {
        assert_true(t->groups[g].n > before);
        before = t->groups[g].n;
        assert_true(t->groups[g].first >= 0);
        n_groups++;
        for (int16_t i = t->groups[g].first; i >= 0; i = t->all[i].next) {
            assert_int_equal(t->all[i].group, g);
            assert_true(t->all[i].n == t->groups[g].n);
            assert_true(t->all[i].n_over < t->all[i].n);
            sum += t->all[i].n;
            n++;
        }
    }
    assert_int_equal(n, t->n);
    assert_true(sum == t->n_frames);

    size_t n_free = 0;
    for (int16_t g = t->free_groups; g >= 0; g = t->groups[g].next) {
        n_free++;
    }
    assert_int_equal(n_groups + n_free, ARRAY_SIZE(t->groups));

    size_t n_hashed = 0;
    for (size_t b = 0; b < ARRAY_SIZE(t->buckets); b++) {
        for (int16_t i = t->buckets[b]; i >= 0; i = t->all[i].hash_next) {
            n_hashed++;
        }
    }
    assert_int_equal(n_hashed, t->n);
}

static struct talkers *
create(void)
{
    struct talkers *t = xmalloc(sizeof *t);

    talkers_init(t, 7, 0);
    check(t);
    return t;
}

static void
test_counts(void **state OVS_UNUSED)
{
    struct talkers *t = create();

    punt(t, 0x0a000001, 3, NOW);
    punt(t, 0x0a000002, 1, NOW);
    punt(t, 0x0a000001, 2, NOW);
    check(t);
    assert_int_equal(t->n, 2);
    assert_true(find(t, 0x0a000001)->n == 5);
    assert_true(find(t, 0x0a000001)->n_over == 0);
    assert_true(find(t, 0x0a000001)->n_bytes == 5 * FRAME_LEN);
    assert_int_equal(find(t, 0x0a000001)->port, 5076);
    assert_int_equal(find(t, 0x0a000001)->mac.ea[5], 1);
    assert_true(find(t, 0x0a000002)->n == 1);
    free(t);
}

static void
test_apart_by_origin(void **state OVS_UNUSED)
{
    struct talkers *t = create();
    struct endpoint a = { .port = 7124 }, b = { .port = 7124 };

    assert_true(address_from_text("192.0.2.1", &a.address));
    assert_true(address_from_text("192.0.2.2", &b.address));
    punt(t, 0x0a000001, 1, NOW);
    tell(t, TAP_RECEIVE, &a, 0x0a000001, 2, NOW);
    tell(t, TAP_RECEIVE, &b, 0x0a000001, 3, NOW);
    a.port = 999;
    tell(t, TAP_RECEIVE, &a, 0x0a000001, 1, NOW);
    check(t);
    assert_int_equal(t->n, 3);
    free(t);
}

static void
test_drops(void **state OVS_UNUSED)
{
    struct talkers *t = create();

    tell(t, TAP_DROP, NULL, 0x0a000001, 1, NOW);
    assert_int_equal(t->n, 0);
    punt(t, 0x0a000001, 2, NOW);
    tell(t, TAP_DROP, NULL, 0x0a000001, 1, NOW);
    tell(t, TAP_SEND, NULL, 0x0a000001, 1, NOW);
    assert_true(find(t, 0x0a000001)->n == 2);
    assert_true(find(t, 0x0a000001)->n_dropped == 1);
    assert_int_equal(find(t, 0x0a000001)->reason, DROP_LOOP);
    free(t);
}

/* Has the switch drop a frame of 'ip' that was to be emitted. */
static void
drop_late(struct talkers *t, uint32_t ip)
{
    uint8_t frame[FRAME_LEN];
    const struct tap_event event = {
        .point = TAP_DROP,
        .direction = DIRECTION_MESH,
        .reason = DROP_QUEUE_FULL,
        .bytes = frame,
        .length = sizeof frame,
        .is_frame = true,
    };

    make_frame(frame, ip);
    talkers_take(t, &event, NOW);
}

/* Who brought what has waited for the switch is not known any more. */
static void
test_late_drops(void **state OVS_UNUSED)
{
    struct endpoint a = { .address = in6addr_loopback };
    struct endpoint b = { .address = in6addr_loopback };
    const struct endpoint nobody = { .address = in6addr_any };
    struct talkers *t = create();

    b.address.s6_addr[15] = 2;
    punt(t, 0x0a000001, 1, NOW + 50);
    drop_late(t, 0x0a000001);
    assert_true(find(t, 0x0a000001)->n_dropped == 0);

    /* One of somebody who is not known, as out of a tunnel, is like others. */
    tell(t, TAP_RECEIVE, &nobody, 0x0a000002, 1, NOW + 10);
    tell(t, TAP_RECEIVE, &a, 0x0a000002, 1, NOW + 30);
    tell(t, TAP_RECEIVE, &b, 0x0a000002, 1, NOW + 20);
    tell(t, TAP_RECEIVE, &b, 0x0a000003, 1, NOW + 40);
    drop_late(t, 0x0a000002);
    assert_true(find(t, 0x0a000001)->n_dropped == 0);
    for (size_t i = 0; i < t->n; i++) {
        const struct talker *talker = &t->all[i];
        bool is_it = (talker->key.ip == htonl(0x0a000002)
                      && ipv6_addr_equals(&talker->key.from, &a.address));

        assert_true(talker->n_dropped == is_it);
    }
    check(t);
    free(t);
}

/* Of frames without an IPv4 header the MAC counts; what is no frame has
 * nobody who sent it. */
static void
test_broken_ones(void **state OVS_UNUSED)
{
    uint8_t whole[FRAME_LEN];
    struct talkers *t = create();

    make_frame(whole, 0x0a000001);
    for (size_t length = 0; length <= FRAME_LEN; length++) {
        uint8_t *bytes = copy_exactly(whole, length);
        struct tap_event event = {
            .point = TAP_PUNT,
            .bytes = bytes,
            .length = length,
            .is_frame = true,
        };

        talkers_take(t, &event, NOW);
        event.is_frame = false;
        talkers_take(t, &event, NOW);
        free(bytes);
    }
    check(t);
    assert_int_equal(t->n, 2);
    assert_true(find(t, 0)->n == 34 - 14);
    assert_int_equal(find(t, 0)->key.mac.ea[5], 1);
    assert_true(find(t, 0x0a000001)->n == FRAME_LEN - 34 + 1);

    /* An IP header that is said to be longer than the frame. */
    whole[14] = 0x4f;
    struct tap_event event = {
        .point = TAP_PUNT, .bytes = whole, .length = 40, .is_frame = true
    };
    talkers_take(t, &event, NOW);
    assert_int_equal(find(t, 0x0a000001)->port, 0);
    free(t);
}

/* However many others there are, who sends more than one in TALKERS_MAX of all
 * frames is known, and has sent what is said but for 'n_over'. */
static void
test_many_others(void **state OVS_UNUSED)
{
    enum { N = 200000, LOUD = 5 };
    struct talkers *t = create();
    uint64_t sent[LOUD] = { 0 };
    uint32_t random = 1;

    for (int i = 0; i < N; i++) {
        uint32_t r = next_random(&random);

        if (r % 100 < LOUD && i > 1000) {
            sent[r % 100]++;
            punt(t, 0x0a000000 + r % 100, 1, NOW);
        } else {
            punt(t, 0x14000000 + r % 100000, 1, NOW);
        }
    }
    check(t);
    assert_int_equal(t->n, TALKERS_MAX);
    for (int i = 0; i < LOUD; i++) {
        const struct talker *talker = find(t, 0x0a000000 + i);

        assert_non_null(talker);
        assert_true(talker->n >= sent[i]);
        assert_true(talker->n - talker->n_over <= sent[i]);
        assert_true(talker->n_over > 0);
        assert_true(talker->n_over <= N / TALKERS_MAX);
    }

    const struct talker *top[LOUD];
    assert_int_equal(talkers_top(t, top, LOUD, NOW), LOUD);
    for (int i = 0; i < LOUD; i++) {
        assert_int_equal(ntohl(top[i]->key.ip) >> 24, 0x0a);
    }
    free(t);
}

/* The same talkers in any order, one after the other. */
static void
test_all_orders(void **state OVS_UNUSED)
{
    struct talkers *t = create();
    uint32_t random = 99;

    for (int i = 0; i < 20000; i++) {
        punt(t, next_random(&random) % (TALKERS_MAX + 40), 1, NOW + i);
        if (i % 97 == 0) {
            check(t);
        }
    }
    check(t);
    free(t);
}

static bool
about(double a, double b)
{
    return a > b - 0.01 && a < b + 0.01;
}

static void
test_rates(void **state OVS_UNUSED)
{
    const long long int begin = 100LL * TALKERS_RATE_MS;
    struct talkers *t = create();

    for (int ms = 0; ms < 2 * TALKERS_RATE_MS; ms += 100) {
        punt(t, 1, 1, begin + ms); /* 10 a second. */
    }
    const struct talker *talker = find(t, 1);
    long long int end = begin + 2 * TALKERS_RATE_MS;

    assert_true(about(talker_rate(talker, end - 1), 10));
    assert_true(about(talker_rate(talker, end + TALKERS_RATE_MS / 2), 5));
    assert_true(about(talker_rate(talker, end + TALKERS_RATE_MS), 0));
    punt(t, 1, 1, end + 10 * TALKERS_RATE_MS);
    assert_true(about(talker_rate(talker, end + 10 * TALKERS_RATE_MS), 0.2));
    free(t);
}

static void
test_top_is_who_sends_now(void **state OVS_UNUSED)
{
    struct talkers *t = create();
    const struct talker *top[3];

    punt(t, 1, 100, NOW); /* Long ago. */
    punt(t, 2, 50, NOW);
    punt(t, 3, 2, NOW + 60000);
    punt(t, 4, 9, NOW + 60000);
    assert_int_equal(talkers_top(t, top, 3, NOW + 60000), 3);
    assert_int_equal(ntohl(top[0]->key.ip), 4);
    assert_int_equal(ntohl(top[1]->key.ip), 3);
    assert_int_equal(ntohl(top[2]->key.ip), 1);
    assert_int_equal(talkers_top(t, top, 0, NOW), 0);
    free(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_apart_by_origin),
        cmocka_unit_test(test_drops),
        cmocka_unit_test(test_late_drops),
        cmocka_unit_test(test_broken_ones),
        cmocka_unit_test(test_many_others),
        cmocka_unit_test(test_all_orders),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_top_is_who_sends_now),
    };
    return cmocka_run_group_tests_name("talkers", tests, NULL, NULL);
}
