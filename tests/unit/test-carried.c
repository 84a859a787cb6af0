/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "carried.h"

#include "support.h"

#include "byte-order.h"
#include "flowset.h"
#include "hash.h"
#include "inventory.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "peers.h"
#include "template.h"
#include "util.h"

enum { N_PEERS = 3, OUT, IN, SOURCE };

/* Marks of the segment's broadcasts and of the own host's. */
enum { SEGMENT = 0x2, OWN_HOST = 0xa };

/* Wanted flows, with what a switch has counted, and peers behind the tunnel,
 * whose numbers are 100, 101 and 102. */
struct fixture {
    struct carried c;
    struct flowset set;
    struct inventory inv;
    struct peers peers;
    struct peer all[N_PEERS];
    struct peer *pointers[N_PEERS];
    uint64_t n_too_long;
};

static struct fixture *f;

static int
set_up(void **state OVS_UNUSED)
{
    f = xzalloc(sizeof *f);
    memset(&f->c, 0xa5, sizeof f->c);
    carried_init(&f->c);
    flowset_init(&f->set, 7000);
    peers_init(&f->peers);
    f->peers.all = f->pointers;
    f->peers.n_all = N_PEERS;
    for (size_t i = 0; i < N_PEERS; i++) {
        f->pointers[i] = &f->all[i];
        f->all[i].path = 100 + i;
        hmap_insert(&f->peers.by_path, &f->all[i].path_node,
                    hash_int(f->all[i].path, 0));
    }
    f->all[0].tunnel.carried = f->all[1].tunnel.carried = true;
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    hmap_clear(&f->peers.by_path);
    f->peers.all = NULL;
    peers_destroy(&f->peers);
    flowset_destroy(&f->set);
    carried_destroy(&f->c);
    free(f);
    return 0;
}

/* Adds a flow of 'kind' with 'tag', which is in place. */
static struct wanted_flow *
add_flow(int kind, uint64_t tag)
{
    static const uint64_t cookies[] = { [OUT] = COOKIE_MESH_OUT,
                                        [IN] = COOKIE_MESH_IN,
                                        [SOURCE] = COOKIE_MESH_SOURCE };
    const size_t n = hmap_count(&f->set.flows);
    struct shash values = SHASH_INITIALIZER(&values);

    /* Any flow will do, as long as it is another one. */
    template_set(&values, "tunnel_port", xstrdup("1"));
    template_set(&values, "guard_priority", xasprintf("%" PRIuSIZE, n + 1));
    assert_no_error(
        flowset_add_flow(&f->set, "mesh-guard.flow", &values, NULL));
    shash_destroy_free_data(&values);
    struct wanted_flow *flow = f->set.order[n];
    flow->fm.new_cookie = htonll(cookies[kind]);
    flow->tag = tag;
    flow->in_place = true;
    return flow;
}

/* Makes 'n' frames of 100 bytes each the counts of 'flow'. */
static void
count(struct wanted_flow *flow, uint64_t n)
{
    flow->n_packets = n;
    flow->n_bytes = 100 * n;
}

static void
take(void)
{
    carried_take(&f->c, &f->peers, &f->set, &f->inv, f->n_too_long);
}

/* Fails the test unless so many have been counted by now. */
static void
assert_counts(uint64_t relayed, uint64_t tx, uint64_t emitted)
{
    assert_int_equal(f->c.relayed, relayed);
    assert_int_equal(f->c.tx, tx);
    assert_int_equal(f->c.emitted, emitted);
}

static void
assert_sent(size_t i, uint64_t n, uint64_t n_bytes)
{
    assert_int_equal(f->all[i].tunnel.tx, n);
    assert_int_equal(f->all[i].tunnel.tx_bytes, n_bytes);
}

static void
test_nothing_at_first(void **state OVS_UNUSED)
{
    assert_counts(0, 0, 0);
    take();
    assert_counts(0, 0, 0);
}

/* A broadcast is one, whoever gets it; what counts is what is new. */
static void
test_what_is_sent(void **state OVS_UNUSED)
{
    struct wanted_flow *a =
        add_flow(OUT, carried_out_tag(5076, SEGMENT, 0, 0));
    struct wanted_flow *b =
        add_flow(OUT, carried_out_tag(5076, OWN_HOST, 0, 0));

    count(a, 10);
    take();
    assert_counts(10, 20, 0);
    take();
    assert_counts(10, 20, 0);
    count(a, 13);
    count(b, 2);
    take();
    assert_counts(15, 30, 0);
    assert_sent(0, 15, 1500);
    assert_sent(1, 15, 1500);
    assert_sent(2, 0, 0);

    /* The others are whoever they are then. */
    f->all[1].tunnel.carried = false;
    count(b, 7);
    take();
    assert_counts(20, 35, 0);
    assert_sent(0, 20, 2000);
    assert_sent(1, 15, 1500);
}

/* The relay counts itself what it gets to see. */
static void
test_what_is_punted_as_well(void **state OVS_UNUSED)
{
    struct wanted_flow *a =
        add_flow(OUT, carried_out_tag(5076, SEGMENT, 0, 1));

    count(a, 10);
    take();
    assert_counts(0, 20, 0);

    /* The same flow becomes one that is not, and goes on counting. */
    a->tag = carried_out_tag(5076, SEGMENT, 0, 0);
    count(a, 14);
    take();
    assert_counts(4, 28, 0);
    count(a, 15);
    take();
    assert_counts(5, 30, 0);
}

/* A flow that is made anew begins at 0. */
static void
test_counts_that_begin_anew(void **state OVS_UNUSED)
{
    struct wanted_flow *a = add_flow(IN, carried_in_tag(5076, 0));
    struct wanted_flow *b =
        add_flow(IN, carried_in_tag(5076, htonl(0x0a0100ff)));

    count(a, 10);
    count(b, 5);
    take();
    assert_counts(0, 0, 15);
    count(a, 3);
    count(b, 6);
    take();
    assert_counts(0, 0, 19);

    /* One that the switch has not just now goes on, if it has it again. */
    a->in_place = false;
    count(a, 0);
    take();
    assert_counts(0, 0, 19);
    a->in_place = true;
    count(a, 5);
    take();
    assert_counts(0, 0, 21);
}

/* One that is not wanted any more, and comes back, is new. */
static void
test_flows_that_go(void **state OVS_UNUSED)
{
    struct wanted_flow *a = add_flow(IN, carried_in_tag(5076, 0));

    count(a, 10);
    take();
    a->tag = carried_in_tag(5064, 0);
    count(a, 1);
    take();
    assert_counts(0, 0, 11);
    a->tag = carried_in_tag(5076, 0);
    count(a, 12);
    take();
    assert_counts(0, 0, 23);
    assert_int_equal(hmap_count(&f->c.seen), 1);
}

/* What is too long does not get there, nor what a meter cuts, which two flows
 * may have. */
static void
test_what_is_not_sent(void **state OVS_UNUSED)
{
    struct wanted_flow *a =
        add_flow(OUT, carried_out_tag(5076, SEGMENT, 3, 0));
    struct wanted_flow *b =
        add_flow(OUT, carried_out_tag(5076, OWN_HOST, 3, 0));

    count(a, 10);
    f->n_too_long = 2;
    take();
    assert_counts(8, 16, 0);
    assert_sent(0, 8, 800);

    count(a, 20);
    count(b, 10);
    f->inv.meter_dropped[3] = 5;
    f->inv.meter_dropped[4] = 1000; /* Another port's. */
    take();
    assert_counts(23, 46, 0);
    assert_sent(0, 23, 2300);

    /* Counts do not come at the same time. */
    f->n_too_long = 100;
    count(a, 21);
    take();
    assert_counts(23, 46, 0);
}

static void
test_what_comes_from_a_peer(void **state OVS_UNUSED)
{
    struct wanted_flow *a = add_flow(SOURCE, 101);
    struct wanted_flow *b = add_flow(SOURCE, 999); /* Gone. */
    struct wanted_flow *other = add_flow(IN, carried_in_tag(101, 0));

    count(a, 10);
    count(b, 20);
    count(other, 11);
    take();
    count(a, 12);
    take();
    assert_counts(0, 0, 11);
    assert_int_equal(f->all[1].tunnel.rx, 12);
    assert_int_equal(f->all[1].tunnel.rx_bytes, 1200);
    assert_int_equal(f->all[0].tunnel.rx, 0);
}

/* An entry of a list of tests. */
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_at_first),       TEST(test_what_is_sent),
        TEST(test_what_is_punted_as_well), TEST(test_counts_that_begin_anew),
        TEST(test_flows_that_go),          TEST(test_what_is_not_sent),
        TEST(test_what_comes_from_a_peer),
    };
    return cmocka_run_group_tests_name("carried", tests, NULL, NULL);
}
