/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "remotes.h"

#include "support.h"

#include "hash.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"
#include "wire.h"

/* Ids and sessions that are none of the small numbers in this file. */
#define ID UINT64_C(0x0102030405060708)
#define SESSION UINT64_C(0x1112131415161718)

enum { START = 7000123 };

/* An is_used() that marks the remote whose id 'id_' points to, or none. */
static bool
has_id(const struct remote *remote, const void *id_)
{
    const uint64_t *id = id_;

    return id && remote->id == *id;
}

static void
test_there_is_nobody_at_first(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    assert_null(remotes_find(&remotes, ID));
    assert_null(remotes_find(&remotes, 0));
    remotes_expire(&remotes, START, has_id, NULL);
    remotes_destroy(&remotes);
}

static void
test_a_new_remote_has_told_nothing(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    const struct remote *r = remotes_get(&remotes, ID, SESSION, START);
    assert_true(r->id == ID);
    assert_true(r->session == SESSION);
    assert_true(r->last_session == 0);
    assert_true(r->started == START);
    assert_true(r->heard == START);
    assert_false(r->window.begun);
    assert_true(r->window.received == 0);
    assert_true(r->next_seq == 0);
    assert_null(r->peer);
    assert_int_equal(r->version, 0);
    assert_int_equal(r->n_macs, 0);
    assert_int_equal(r->n_ports, 0);
    assert_int_equal(r->role, RELAY_OFF);
    assert_true(r->forwarder == 0);
    assert_false(r->on_segment);
    remotes_destroy(&remotes);
}

static void
test_a_remote_is_made_once(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    const struct remote *r = remotes_get(&remotes, ID, SESSION, START);
    assert_ptr_equal(remotes_find(&remotes, ID), r);
    assert_ptr_equal(remotes_get(&remotes, ID, SESSION + 1, START + 1), r);
    assert_int_equal(hmap_count(&remotes.by_id), 1);

    /* Finding it is no sign of life. */
    assert_true(r->session == SESSION);
    assert_true(r->started == START);
    assert_true(r->heard == START);
    remotes_destroy(&remotes);
}

/* Ids that are alike in all but a bit, and extreme ones. */
static void
test_remotes_are_told_apart(void **state OVS_UNUSED)
{
    struct remote *made[66];
    uint64_t ids[66];
    struct remotes remotes;

    remotes_init(&remotes);
    for (size_t i = 0; i < 64; i++) {
        ids[i] = UINT64_C(1) << i;
    }
    ids[64] = 0;
    ids[65] = UINT64_MAX;
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_null(remotes_find(&remotes, ids[i]));
        made[i] = remotes_get(&remotes, ids[i], SESSION, START);
        assert_true(made[i]->id == ids[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_ptr_equal(remotes_find(&remotes, ids[i]), made[i]);
    }
    assert_int_equal(hmap_count(&remotes.by_id), ARRAY_SIZE(ids));
    remotes_destroy(&remotes);
}

/* An id and its hash. */
struct hashed {
    uint32_t hash;
    uint64_t id;
};

static int
compare_hashes(const void *a_, const void *b_)
{
    const struct hashed *a = a_, *b = b_;

    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* Of so many random ids some have the same hash. */
static void
test_remotes_with_the_same_hash_are_told_apart(void **state OVS_UNUSED)
{
    enum { N = 400000 };
    struct hashed *all = calloc(N, sizeof *all);
    struct remotes remotes;
    uint32_t seed = 13;
    bool found = false;

    for (size_t i = 0; i < N; i++) {
        all[i].id = (uint64_t) next_random(&seed) << 32 | next_random(&seed);
        all[i].hash = hash_uint64(all[i].id);
    }
    qsort(all, N, sizeof *all, compare_hashes);

    remotes_init(&remotes);
    for (size_t i = 1; i < N; i++) {
        if (all[i].hash == all[i - 1].hash && all[i].id != all[i - 1].id) {
            const struct remote *a =
                remotes_get(&remotes, all[i - 1].id, SESSION, START);

            assert_null(remotes_find(&remotes, all[i].id));
            const struct remote *b =
                remotes_get(&remotes, all[i].id, SESSION, START);
            assert_ptr_not_equal(a, b);
            assert_ptr_equal(remotes_find(&remotes, all[i - 1].id), a);
            assert_ptr_equal(remotes_find(&remotes, all[i].id), b);
            found = true;
            break;
        }
    }
    assert_true(found);
    remotes_destroy(&remotes);
    free(all);
}

static void
test_there_is_room_for_so_many(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    for (uint64_t id = 1; id <= REMOTES_MAX; id++) {
        assert_non_null(remotes_get(&remotes, id, SESSION, START + (id == 1)));
    }
    assert_null(remotes_get(&remotes, REMOTES_MAX + 1, SESSION, START));
    assert_null(remotes_find(&remotes, REMOTES_MAX + 1));

    /* Those that are there are found as ever. */
    for (uint64_t id = 1; id <= REMOTES_MAX; id++) {
        assert_true(remotes_get(&remotes, id, SESSION, START)->id == id);
    }

    /* There is room again. */
    remotes_expire(&remotes, START + REMOTES_MAX_IDLE_MS, has_id, NULL);
    assert_int_equal(hmap_count(&remotes.by_id), 1);
    assert_non_null(remotes_find(&remotes, 1));
    assert_non_null(remotes_get(&remotes, REMOTES_MAX + 1, SESSION, START));
    remotes_destroy(&remotes);
}

static void
test_the_idle_are_forgotten_in_time(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    remotes_get(&remotes, ID, SESSION, START);
    remotes_expire(&remotes, START, has_id, NULL);
    remotes_expire(&remotes, START + REMOTES_MAX_IDLE_MS - 1, has_id, NULL);
    assert_non_null(remotes_find(&remotes, ID));
    remotes_expire(&remotes, START + REMOTES_MAX_IDLE_MS, has_id, NULL);
    assert_null(remotes_find(&remotes, ID));

    /* It is another one when it comes back. */
    const struct remote *r =
        remotes_get(&remotes, ID, SESSION + 1, START + 70000);
    assert_true(r->session == SESSION + 1);
    assert_true(r->started == START + 70000);
    remotes_destroy(&remotes);
}

static void
test_who_is_heard_of_is_not_forgotten(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    remotes_get(&remotes, ID, SESSION, START)->heard += 10;
    remotes_get(&remotes, ID + 1, SESSION, START);
    remotes_expire(&remotes, START + REMOTES_MAX_IDLE_MS + 9, has_id, NULL);
    assert_non_null(remotes_find(&remotes, ID));
    assert_null(remotes_find(&remotes, ID + 1));
    remotes_destroy(&remotes);
}

static void
test_who_is_used_is_not_forgotten(void **state OVS_UNUSED)
{
    const uint64_t used = ID + 5;
    struct remotes remotes;

    remotes_init(&remotes);
    for (uint64_t id = ID; id < ID + 10; id++) {
        remotes_get(&remotes, id, SESSION, START);
    }
    remotes_expire(&remotes, START + 100 * REMOTES_MAX_IDLE_MS, has_id, &used);
    assert_int_equal(hmap_count(&remotes.by_id), 1);
    assert_non_null(remotes_find(&remotes, used));
    remotes_destroy(&remotes);
}

/* One that was forgotten may remember the numbers that it got. */
static void
test_numbers_go_on_after_forgetting(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    assert_true(remotes_get(&remotes, ID, SESSION, START)->next_seq == 0);
    remotes_get(&remotes, ID, SESSION, START)->next_seq = 5000;
    remotes_get(&remotes, ID + 1, SESSION, START)->next_seq = 300;
    remotes_expire(&remotes, START + REMOTES_MAX_IDLE_MS, has_id, NULL);
    assert_int_equal(hmap_count(&remotes.by_id), 0);
    assert_true(remotes_get(&remotes, ID, SESSION, START)->next_seq >= 5000);
    remotes_destroy(&remotes);
}

/* Sessions. */

/* Makes a remote of which the frames 10 and 12 have come, and a hello. */
static struct remote *
make(struct remotes *remotes)
{
    const struct hello h = { .version_min = WIRE_VERSION_MIN,
                             .version_max = WIRE_VERSION_MAX,
                             .macs[0] = ETH_ADDR_C(02, 00, 00, 00, 00, 01),
                             .n_macs = 1 };

    remotes_init(remotes);
    struct remote *r = remotes_get(remotes, ID, SESSION, START);
    assert_true(remote_take_hello(r, &h));
    assert_int_equal(window_take(&r->window, 10), WINDOW_NEW);
    assert_int_equal(window_take(&r->window, 12), WINDOW_NEW);
    r->next_seq = 77;
    return r;
}

static void
test_the_present_session_goes_on(void **state OVS_UNUSED)
{
    struct remotes remotes;
    struct remote *r = make(&remotes);

    assert_true(remote_take_session(r, SESSION, START + 5));
    assert_true(r->session == SESSION);
    assert_true(r->last_session == 0);
    assert_true(r->started == START);
    assert_int_equal(window_take(&r->window, 12), WINDOW_DUPLICATE);
    remotes_destroy(&remotes);
}

static void
test_a_new_session_numbers_anew(void **state OVS_UNUSED)
{
    struct remotes remotes;
    struct remote *r = make(&remotes);

    assert_true(remote_take_session(r, SESSION + 1, START + 5));
    assert_true(r->session == SESSION + 1);
    assert_true(r->last_session == SESSION);
    assert_true(r->started == START + 5);
    assert_false(r->window.begun);
    assert_int_equal(window_take(&r->window, 12), WINDOW_NEW);

    /* What has been counted, sent and told remains. */
    assert_true(r->window.received == 3);
    assert_true(r->window.lost == 1);
    assert_true(r->next_seq == 77);
    assert_int_equal(r->n_macs, 1);
    assert_int_equal(r->version, WIRE_VERSION_MAX);
    remotes_destroy(&remotes);
}

static void
test_the_session_before_is_refused(void **state OVS_UNUSED)
{
    struct remotes remotes;
    struct remote *r = make(&remotes);

    assert_true(remote_take_session(r, SESSION + 1, START + 5));
    assert_int_equal(window_take(&r->window, 3), WINDOW_NEW);
    for (int i = 0; i < 3; i++) {
        assert_false(remote_take_session(r, SESSION, START + 10));
        assert_true(r->session == SESSION + 1);
        assert_true(r->started == START + 5);
        assert_int_equal(window_take(&r->window, 3), WINDOW_DUPLICATE);
        assert_true(remote_take_session(r, SESSION + 1, START + 15));
    }
    remotes_destroy(&remotes);
}

/* Sessions have no order: any but the last two is a new one. */
static void
test_one_session_after_another(void **state OVS_UNUSED)
{
    static const uint64_t sessions[] = { UINT64_MAX, 1, SESSION + 1,
                                         SESSION - 1 };
    struct remotes remotes;
    struct remote *r = make(&remotes);
    uint64_t last = SESSION;

    for (size_t i = 0; i < ARRAY_SIZE(sessions); i++) {
        assert_true(remote_take_session(r, sessions[i], START + i));
        assert_true(r->session == sessions[i]);
        assert_true(r->last_session == last);
        assert_false(remote_take_session(r, last, START + i));
        last = sessions[i];
    }
    remotes_destroy(&remotes);
}

/* Hellos. */

static void
test_what_a_hello_says_is_noted(void **state OVS_UNUSED)
{
    struct hello h = { .version_min = 1, .version_max = 1 };
    struct remotes remotes;

    remotes_init(&remotes);
    struct remote *r = remotes_get(&remotes, ID, SESSION, START);
    h.n_macs = HELLO_MAX_MACS;
    for (size_t i = 0; i < HELLO_MAX_MACS; i++) {
        h.macs[i].ea[5] = i + 1;
    }
    h.n_ports = HELLO_MAX_PORTS;
    for (size_t i = 0; i < HELLO_MAX_PORTS; i++) {
        h.ports[i] = 65535 - i;
    }
    h.received = UINT64_MAX;
    h.lost = UINT64_MAX - 1;
    h.role = RELAY_GONE;
    h.forwarder = UINT64_MAX - 2;
    assert_true(remote_take_hello(r, &h));
    assert_int_equal(r->n_macs, HELLO_MAX_MACS);
    assert_memory_equal(r->macs, h.macs, sizeof h.macs);
    assert_int_equal(r->n_ports, HELLO_MAX_PORTS);
    assert_memory_equal(r->ports, h.ports, sizeof h.ports);
    assert_true(r->received == UINT64_MAX);
    assert_true(r->lost == UINT64_MAX - 1);
    assert_int_equal(r->role, RELAY_GONE);
    assert_true(r->forwarder == UINT64_MAX - 2);

    /* Nothing but what it says. */
    assert_true(r->session == SESSION);
    assert_true(r->heard == START);
    assert_false(r->window.begun);
    assert_false(r->on_segment);

    /* The last one holds, but MACs and ports of which it does not speak. */
    h = (struct hello){ .version_min = 1, .version_max = 1 };
    assert_false(remote_take_hello(r, &h));
    assert_int_equal(r->n_macs, HELLO_MAX_MACS);
    assert_int_equal(r->n_ports, HELLO_MAX_PORTS);
    assert_true(r->received == 0);
    assert_true(r->lost == 0);
    assert_int_equal(r->role, RELAY_OFF);
    assert_true(r->forwarder == 0);
    remotes_destroy(&remotes);
}

/* Another role alone is no change of MACs. */
static void
test_a_change_of_role_is_none_of_macs(void **state OVS_UNUSED)
{
    struct remotes remotes;
    struct remote *r = make(&remotes);
    struct hello h = { .n_macs = 1, .macs[0] = r->macs[0] };

    h.role = RELAY_STANDBY;
    h.forwarder = 7;
    assert_false(remote_take_hello(r, &h));
    assert_int_equal(r->role, RELAY_STANDBY);
    assert_true(r->forwarder == 7);
    remotes_destroy(&remotes);
}

/* Hands 'r' a hello of a relay that is 'role' on its segment, for which
 * 'forwarder' forwards.  Returns true if another one is superseded by that. */
static bool
take_role(struct remotes *remotes, struct remote *r, enum relay_state role,
          uint64_t forwarder)
{
    const struct hello h = { .version_min = 1,
                             .version_max = 1,
                             .role = role,
                             .forwarder = forwarder };
    const enum relay_state before = r->role;

    remote_take_hello(r, &h);
    return (before != RELAY_FORWARDING && role == RELAY_FORWARDING
            && remotes_supersede(remotes, r));
}

/* Who forwards now knows best whom it has replaced, until that one says
 * something itself. */
static void
test_who_is_superseded(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    struct remote *a = remotes_get(&remotes, 1, SESSION, START);
    struct remote *b = remotes_get(&remotes, 2, SESSION, START);
    struct remote *c = remotes_get(&remotes, 3, SESSION, START);
    assert_false(take_role(&remotes, a, RELAY_FORWARDING, 1));
    assert_false(take_role(&remotes, c, RELAY_FORWARDING, 3));
    assert_false(take_role(&remotes, b, RELAY_STANDBY, 1));
    assert_false(take_role(&remotes, b, RELAY_CLAIMING, 1));
    assert_false(a->superseded);
    assert_true(take_role(&remotes, b, RELAY_FORWARDING, 2));
    assert_true(a->superseded);
    assert_false(b->superseded || c->superseded);
    assert_false(take_role(&remotes, b, RELAY_FORWARDING, 2)); /* No news. */
    assert_true(a->superseded);

    /* It is there after all. */
    assert_false(take_role(&remotes, a, RELAY_FORWARDING, 1));
    assert_false(a->superseded);
    assert_false(take_role(&remotes, b, RELAY_FORWARDING, 2));
    assert_false(a->superseded);
    remotes_destroy(&remotes);
}

static void
test_who_is_not_superseded(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    struct remote *a = remotes_get(&remotes, 1, SESSION, START);
    struct remote *b = remotes_get(&remotes, 2, SESSION, START);

    /* One that did not forward, or that has said itself that it does not
     * any more. */
    take_role(&remotes, a, RELAY_LEAVING, 1);
    take_role(&remotes, b, RELAY_STANDBY, 1);
    assert_false(take_role(&remotes, b, RELAY_FORWARDING, 2));
    assert_false(a->superseded);

    /* Nor one of another segment: there nobody forwarded before, or somebody
     * who is not known. */
    struct remote *c = remotes_get(&remotes, 3, SESSION, START);
    take_role(&remotes, a, RELAY_FORWARDING, 1);
    take_role(&remotes, c, RELAY_STANDBY, 0);
    assert_false(take_role(&remotes, c, RELAY_FORWARDING, 3));
    take_role(&remotes, c, RELAY_STANDBY, 9);
    assert_false(take_role(&remotes, c, RELAY_FORWARDING, 3));
    assert_false(a->superseded);
    remotes_destroy(&remotes);
}

/* Each row after the one before. */
static void
test_changed_macs(void **state OVS_UNUSED)
{
    static const struct {
        size_t n;
        uint8_t last[3]; /* Bytes of the MACs. */
        bool changed;
    } hellos[] = {
        { 0, { 0, 0, 0 }, false }, { 1, { 1, 0, 0 }, true },
        { 1, { 1, 0, 0 }, false }, { 1, { 1, 9, 9 }, false },
        { 1, { 2, 0, 0 }, true },  { 3, { 2, 3, 4 }, true },
        { 3, { 2, 3, 4 }, false }, { 3, { 2, 3, 5 }, true },
        { 2, { 2, 3, 5 }, true },  { 2, { 2, 4, 5 }, true },
        { 3, { 2, 4, 0 }, true },  { 0, { 2, 4, 0 }, false },
        { 0, { 0, 0, 0 }, false }, { 3, { 2, 4, 0 }, false },
    };
    struct remotes remotes;
    size_t n = 0;

    remotes_init(&remotes);
    struct remote *r = remotes_get(&remotes, ID, SESSION, START);
    for (size_t i = 0; i < ARRAY_SIZE(hellos); i++) {
        struct hello h = { .n_macs = hellos[i].n, .n_ports = i };

        for (size_t j = 0; j < ARRAY_SIZE(hellos[i].last); j++) {
            h.macs[j].ea[5] = hellos[i].last[j];
        }
        assert_int_equal(remote_take_hello(r, &h), hellos[i].changed);
        n = hellos[i].n ? hellos[i].n : n;
        assert_int_equal(r->n_macs, n);
    }
    remotes_destroy(&remotes);
}

static void
test_a_change_of_ports_is_none_of_macs(void **state OVS_UNUSED)
{
    struct remotes remotes;
    struct remote *r = make(&remotes);
    struct hello h = { .n_macs = 1, .macs[0] = r->macs[0] };

    h.n_ports = 1;
    h.ports[0] = 5064;
    assert_false(remote_take_hello(r, &h));
    assert_int_equal(r->n_ports, 1);
    assert_int_equal(r->ports[0], 5064);
    remotes_destroy(&remotes);
}

/* The greatest version that both speak, whatever these are. */
static void
test_versions(void **state OVS_UNUSED)
{
    struct remotes remotes;

    remotes_init(&remotes);
    struct remote *r = remotes_get(&remotes, ID, SESSION, START);
    for (unsigned int min = 0; min < 6; min++) {
        for (unsigned int max = min; max < 6; max++) {
            const struct hello h = { .version_min = min, .version_max = max };
            unsigned int best = 0;

            for (unsigned int v = WIRE_VERSION_MIN; v <= WIRE_VERSION_MAX;
                 v++) {
                best = v >= min && v <= max ? v : best;
            }
            remote_take_hello(r, &h);
            assert_int_equal(r->version, best);
        }
    }
    remote_take_hello(r, &(struct hello){ .version_max = UINT8_MAX });
    assert_int_equal(r->version, WIRE_VERSION_MAX);
    remote_take_hello(
        r, &(struct hello){ .version_min = 200, .version_max = UINT8_MAX });
    assert_int_equal(r->version, 0);
    remotes_destroy(&remotes);
}

/* The segment. */

/* Fails the test unless just those of the ten from ID on are on the segment
 * whose bit is set in 'expected'. */
static void
assert_on_segment(const struct remotes *remotes, unsigned int expected)
{
    for (uint64_t i = 0; i < 10; i++) {
        const struct remote *r = remotes_find(remotes, ID + i);

        if (r) {
            assert_int_equal(r->on_segment, expected >> i & 1);
        }
    }
}

/* Those that are known, and those that will be. */
static void
test_who_is_on_the_segment(void **state OVS_UNUSED)
{
    uint64_t ids[] = { ID + 1, ID + 2, ID + 9, ID + 5 };
    struct remotes remotes;

    remotes_init(&remotes);
    for (uint64_t i = 0; i < 5; i++) {
        remotes_get(&remotes, ID + i, SESSION, START);
    }
    assert_on_segment(&remotes, 0);
    remotes_set_segment(&remotes, ids, ARRAY_SIZE(ids));
    memset(ids, 0, sizeof ids); /* Nobody else's memory. */
    assert_on_segment(&remotes, 1 << 1 | 1 << 2);
    for (uint64_t i = 5; i < 10; i++) {
        assert_null(remotes_find(&remotes, ID + i));
        assert_int_equal(
            remotes_get(&remotes, ID + i, SESSION, START)->on_segment,
            i == 5 || i == 9);
    }
    assert_on_segment(&remotes, 1 << 1 | 1 << 2 | 1 << 5 | 1 << 9);

    /* Who is forgotten and comes back is still on it. */
    remotes_expire(&remotes, START + REMOTES_MAX_IDLE_MS, has_id, NULL);
    assert_null(remotes_find(&remotes, ID + 1));
    assert_true(remotes_get(&remotes, ID + 1, SESSION, START)->on_segment);
    assert_false(remotes_get(&remotes, ID + 3, SESSION, START)->on_segment);
    remotes_destroy(&remotes);
}

static void
test_the_segment_changes(void **state OVS_UNUSED)
{
    static const struct {
        uint64_t ids[3];
        size_t n;
        unsigned int expected;
    } all[] = {
        { { ID }, 1, 1 << 0 },
        { { ID + 1, ID }, 2, 1 << 0 | 1 << 1 },
        { { ID + 1, ID }, 2, 1 << 0 | 1 << 1 },
        { { ID + 1, ID }, 1, 1 << 1 },
        { { ID + 1, ID }, 0, 0 },
        { { ID + 7, ID + 8, ID + 9 }, 3, 1 << 7 | 1 << 8 | 1 << 9 },
        { { 0, UINT64_MAX }, 2, 0 },
        { { ID + 7, ID + 7 }, 2, 1 << 7 },
        { { 0 }, 0, 0 },
    };
    struct remotes remotes;

    remotes_init(&remotes);
    remotes_set_segment(&remotes, NULL, 0); /* When nobody is there. */
    for (uint64_t i = 0; i < 10; i++) {
        remotes_get(&remotes, ID + i, SESSION, START);
    }
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        remotes_set_segment(&remotes, all[i].ids, all[i].n);
        assert_on_segment(&remotes, all[i].expected);
    }
    remotes_get(&remotes, ID + 10, SESSION, START);
    assert_false(remotes_find(&remotes, ID + 10)->on_segment);
    remotes_destroy(&remotes);
}

/* What else is known of a relay does not depend on it, nor does it on a
 * session or a hello. */
static void
test_the_segment_and_all_else(void **state OVS_UNUSED)
{
    const uint64_t id = ID;
    const struct hello h = { .version_min = WIRE_VERSION_MIN,
                             .version_max = WIRE_VERSION_MAX };
    struct remotes remotes;
    struct remote *r = make(&remotes);

    remotes_set_segment(&remotes, &id, 1);
    assert_true(r->on_segment);
    assert_int_equal(r->n_macs, 1);
    assert_true(r->window.received == 2);
    assert_true(remote_take_session(r, SESSION + 1, START + 1));
    assert_true(r->on_segment);
    remote_take_hello(r, &h);
    assert_true(r->on_segment);
    remotes_destroy(&remotes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_is_nobody_at_first),
        cmocka_unit_test(test_a_new_remote_has_told_nothing),
        cmocka_unit_test(test_a_remote_is_made_once),
        cmocka_unit_test(test_remotes_are_told_apart),
        cmocka_unit_test(test_remotes_with_the_same_hash_are_told_apart),
        cmocka_unit_test(test_there_is_room_for_so_many),
        cmocka_unit_test(test_the_idle_are_forgotten_in_time),
        cmocka_unit_test(test_who_is_heard_of_is_not_forgotten),
        cmocka_unit_test(test_who_is_used_is_not_forgotten),
        cmocka_unit_test(test_numbers_go_on_after_forgetting),
        cmocka_unit_test(test_the_present_session_goes_on),
        cmocka_unit_test(test_a_new_session_numbers_anew),
        cmocka_unit_test(test_the_session_before_is_refused),
        cmocka_unit_test(test_one_session_after_another),
        cmocka_unit_test(test_what_a_hello_says_is_noted),
        cmocka_unit_test(test_who_is_superseded),
        cmocka_unit_test(test_who_is_not_superseded),
        cmocka_unit_test(test_changed_macs),
        cmocka_unit_test(test_a_change_of_ports_is_none_of_macs),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_a_change_of_role_is_none_of_macs),
        cmocka_unit_test(test_who_is_on_the_segment),
        cmocka_unit_test(test_the_segment_changes),
        cmocka_unit_test(test_the_segment_and_all_else),
    };
    return cmocka_run_group_tests_name("remotes", tests, NULL, NULL);
}
