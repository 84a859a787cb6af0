/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peer-macs.h"

#include "support.h"

#include <limits.h>

#include "openvswitch/util.h"
#include "packets.h"
#include "peers.h"
#include "remotes.h"
#include "util.h"

enum { NOW = 1000, SETTLED = NOW + PEER_MACS_SETTLE_MS };

#define MAC(LAST) ETH_ADDR_C(02, 00, 00, 00, 00, LAST)

/* Three peers, of which the first two may have a remote. */
struct fixture {
    struct peer peer[3];
    struct peer *all[3];
    struct remote remote[2];
    struct peers peers;
    struct peer_macs macs;
};

static void
fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < ARRAY_SIZE(f->peer); i++) {
        f->all[i] = &f->peer[i];
    }
    for (size_t i = 0; i < ARRAY_SIZE(f->remote); i++) {
        f->peer[i].remote = &f->remote[i];
    }
    f->peers.all = f->all;
    f->peers.n_all = ARRAY_SIZE(f->all);
    peer_macs_init(&f->macs);
}

/* Fails the test unless the MACs are those whose last bytes are in 'last', of
 * which there are 'n'. */
static void
assert_macs(const struct peer_macs *macs, const uint8_t *last, size_t n)
{
    assert_int_equal(macs->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(macs->all[i].ea[5], last[i]);
    }
}

#define ASSERT_MACS(MACS, ...)                                                \
    assert_macs(MACS, (const uint8_t[]){ __VA_ARGS__ },                       \
                ARRAY_SIZE(((const uint8_t[]){ __VA_ARGS__ })))

static void
test_macs_of_all_peers_each_once(void **state OVS_UNUSED)
{
    struct fixture f;

    fixture_init(&f);
    f.remote[0] = (struct remote){ .macs = { MAC(7), MAC(3) }, .n_macs = 2 };
    f.remote[1] = (struct remote){ .macs = { MAC(3), MAC(5) }, .n_macs = 2 };
    peer_macs_note(&f.macs, NOW);
    assert_true(peer_macs_update(&f.macs, &f.peers, SETTLED));
    ASSERT_MACS(&f.macs, 3, 5, 7);
    peer_macs_destroy(&f.macs);
}

static void
test_they_leave_with_the_peer(void **state OVS_UNUSED)
{
    struct fixture f;

    fixture_init(&f);
    f.remote[0] = (struct remote){ .macs = { MAC(7) }, .n_macs = 1 };
    f.remote[1] = (struct remote){ .macs = { MAC(3) }, .n_macs = 1 };
    peer_macs_note_all(&f.macs);
    assert_true(peer_macs_update(&f.macs, &f.peers, NOW));
    ASSERT_MACS(&f.macs, 3, 7);

    f.peer[1].remote = NULL;
    peer_macs_note_all(&f.macs);
    assert_true(peer_macs_update(&f.macs, &f.peers, NOW));
    ASSERT_MACS(&f.macs, 7);

    f.peers.n_all = 0;
    peer_macs_note_all(&f.macs);
    assert_true(peer_macs_update(&f.macs, &f.peers, NOW));
    assert_int_equal(f.macs.n, 0);
    peer_macs_destroy(&f.macs);
}

static void
test_changes_are_gathered_from_the_first_on(void **state OVS_UNUSED)
{
    struct fixture f;

    fixture_init(&f);
    assert_true(peer_macs_deadline(&f.macs) == LLONG_MAX);
    peer_macs_note(&f.macs, NOW);
    assert_true(peer_macs_deadline(&f.macs) == SETTLED);
    f.remote[0] = (struct remote){ .macs = { MAC(7) }, .n_macs = 1 };
    peer_macs_note(&f.macs, SETTLED - 1);
    assert_true(peer_macs_deadline(&f.macs) == SETTLED);
    assert_false(peer_macs_update(&f.macs, &f.peers, SETTLED - 1));
    assert_int_equal(f.macs.n, 0);
    assert_true(peer_macs_update(&f.macs, &f.peers, SETTLED));
    assert_true(peer_macs_deadline(&f.macs) == LLONG_MAX);
    peer_macs_destroy(&f.macs);
}

/* What is noted may be nothing new in the end. */
static void
test_the_same_are_no_change(void **state OVS_UNUSED)
{
    struct fixture f;

    fixture_init(&f);
    peer_macs_note_all(&f.macs);
    assert_false(peer_macs_update(&f.macs, &f.peers, NOW));

    f.remote[0] = (struct remote){ .macs = { MAC(7) }, .n_macs = 1 };
    assert_false(peer_macs_update(&f.macs, &f.peers, NOW)); /* Not noted. */
    peer_macs_note_all(&f.macs);
    assert_true(peer_macs_update(&f.macs, &f.peers, NOW));
    peer_macs_note_all(&f.macs);
    assert_false(peer_macs_update(&f.macs, &f.peers, NOW));

    /* As many, but others. */
    f.remote[0].macs[0] = (struct eth_addr) MAC(8);
    peer_macs_note_all(&f.macs);
    assert_true(peer_macs_update(&f.macs, &f.peers, NOW));
    ASSERT_MACS(&f.macs, 8);
    peer_macs_destroy(&f.macs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_macs_of_all_peers_each_once),
        cmocka_unit_test(test_they_leave_with_the_peer),
        cmocka_unit_test(test_changes_are_gathered_from_the_first_on),
        cmocka_unit_test(test_the_same_are_no_change),
    };
    return cmocka_run_group_tests_name("peer macs", tests, NULL, NULL);
}
