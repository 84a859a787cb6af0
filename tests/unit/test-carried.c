/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "carried.h"

#include "support.h"

#include "byte-order.h"
#include "flowset.h"
#include "inventory.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peers.h"
#include "util.h"

enum { MAX_FLOWS = 16, N_PEERS = 3, BROADCAST = 0x2, OWN_HOST = 0xa };

static const char *const names[N_PEERS] = { "192.0.2.7", "192.0.2.8",
                                            "192.0.2.9" };

/* What there is to look at: flows as others have made and compared them. */
struct fixture {
    struct carried c;
    struct peers peers;
    struct wanted_flow flows[MAX_FLOWS];
    struct wanted_flow *order[MAX_FLOWS];
    struct flowset set;
    struct inventory inv;
    uint64_t n_too_long;
    long long int now;
};

static struct fixture *f;

/* Makes those peers that are in 'kept', a bitmap, all there are. */
static void
keep_peers(unsigned int kept)
{
    static const struct peers_self self = { .ipv4 = true, .ipv6 = true };
    struct roster_entry entries[N_PEERS];
    struct endpoint endpoints[N_PEERS];
    size_t n = 0;

    for (size_t i = 0; i < N_PEERS; i++) {
        if (kept >> i & 1) {
            endpoints[n] = (struct endpoint){ .port = 7124 };
            assert_true(address_from_text(names[i], &endpoints[n].address));
            entries[n] = (struct roster_entry){
                .name = names[i],
                .source = ROSTER_CONFIGURED,
                .endpoints = &endpoints[n],
                .n = 1,
            };
            n++;
        }
    }
    peers_update(&f->peers, entries, n, &self, false, 1000);
    peers_choose_targets(&f->peers);
    assert_int_equal(f->peers.n_all, n);
}

/* Three peers, of which the first and the last are behind the tunnel. */
static int
set_up(void **state OVS_UNUSED)
{
    f = xzalloc(sizeof *f);
    f->now = 1000000;
    memset(&f->c, 0xa5, sizeof f->c);
    carried_init(&f->c);
    peers_init(&f->peers);
    keep_peers((1 << N_PEERS) - 1);
    f->peers.all[0]->tunnel.carried = true;
    f->peers.all[2]->tunnel.carried = true;
    hmap_init(&f->set.flows);
    f->set.order = f->order;
    inventory_init(&f->inv);
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    carried_destroy(&f->c);
    peers_destroy(&f->peers);
    hmap_destroy(&f->set.flows);
    inventory_clear(&f->inv);
    free(f);
    return 0;
}

/* Flows. */

/* Adds a flow, which the switch has. */
static struct wanted_flow *
add(uint64_t cookie, uint64_t tag)
{
    size_t i = 0;

    while (i < MAX_FLOWS && f->flows[i].in_place) {
        i++;
    }
    assert_in_range(i, 0, MAX_FLOWS - 1);

    struct wanted_flow *flow = &f->flows[i];
    *flow = (struct wanted_flow){ .tag = tag, .in_place = true };
    flow->fm.new_cookie = htonll(cookie);
    f->order[hmap_count(&f->set.flows)] = flow;
    hmap_insert(&f->set.flows, &flow->node, i);
    return flow;
}

/* Add the three kinds that are counted. */
static struct wanted_flow *
add_out(uint16_t port, uint8_t mark, uint8_t meter)
{
    return add(COOKIE_MESH_OUT, carried_out_tag(port, mark, meter, false));
}

static struct wanted_flow *
add_in(uint16_t port, uint32_t ip_destination)
{
    return add(COOKIE_MESH_IN, carried_in_tag(port, htonl(ip_destination)));
}

static struct wanted_flow *
add_source(size_t i)
{
    return add(COOKIE_MESH_SOURCE, f->peers.all[i]->path);
}

/* Has 'flow' not be wanted any more. */
static void
drop(struct wanted_flow *flow)
{
    size_t n = hmap_count(&f->set.flows), i = 0;

    while (f->order[i] != flow) {
        i++;
    }
    memmove(&f->order[i], &f->order[i + 1], (n - i - 1) * sizeof *f->order);
    hmap_remove(&f->set.flows, &flow->node);
    flow->in_place = false;
}

/* Has the switch have counted so much for 'flow'. */
static void
set_count(struct wanted_flow *flow, uint64_t n_packets, uint64_t n_bytes)
{
    flow->n_packets = n_packets;
    flow->n_bytes = n_bytes;
}

static void
look(void)
{
    carried_take(&f->c, &f->peers, &f->set, &f->inv, f->n_too_long, f->now);
    f->now += 10;
}

/* Looks until what may have been punted is known not to have been. */
static void
look_for_long(void)
{
    for (int i = 0; i < 2; i++) {
        f->now += CARRIED_HOLD_MS;
        look();
    }
}

/* Looks, having the switch have counted 'n' frames of 100 bytes for 'flow'. */
static void
look_at(struct wanted_flow *flow, uint64_t n)
{
    set_count(flow, n, 100 * n);
    look();
}

/* Looks while the switch has 'flow', but not as it should: what was counted at
 * last means nothing. */
static void
look_out_of_place(struct wanted_flow *flow)
{
    const struct wanted_flow before = *flow;

    flow->in_place = false;
    set_count(flow, 777777, 77777777);
    look();
    flow->in_place = true;
    set_count(flow, before.n_packets, before.n_bytes);
}

static void
assert_totals(uint64_t relayed, uint64_t tx, uint64_t emitted)
{
    assert_int_equal(f->c.relayed, relayed);
    assert_int_equal(f->c.tx, tx);
    assert_int_equal(f->c.emitted, emitted);
}

/* Fails the test unless so much was sent to each peer behind the tunnel, and
 * nothing to the other. */
static void
assert_sent(uint64_t tx, uint64_t tx_bytes)
{
    for (size_t i = 0; i < N_PEERS; i++) {
        const struct peer_tunnel *t = &f->peers.all[i]->tunnel;

        assert_int_equal(t->tx, t->carried ? tx : 0);
        assert_int_equal(t->tx_bytes, t->carried ? tx_bytes : 0);
    }
}

/* Fails the test unless so much has come from the 'i'th peer. */
static void
assert_heard(size_t i, uint64_t rx, uint64_t rx_bytes)
{
    assert_int_equal(f->peers.all[i]->tunnel.rx, rx);
    assert_int_equal(f->peers.all[i]->tunnel.rx_bytes, rx_bytes);
}

/* Counting. */

static void
test_nothing_is_counted_at_first(void **state OVS_UNUSED)
{
    assert_totals(0, 0, 0);
    look();
    assert_totals(0, 0, 0);
    assert_sent(0, 0);

    struct wanted_flow *out = add_out(5076, BROADCAST, 0);
    look_at(out, 0);
    assert_totals(0, 0, 0);
    assert_sent(0, 0);
}

static void
test_counts_add_up(void **state OVS_UNUSED)
{
    struct wanted_flow *own_host = add_out(5076, OWN_HOST, 0);
    struct wanted_flow *broadcast = add_out(5076, BROADCAST, 0);
    struct wanted_flow *other = add_out(5064, BROADCAST, 1);
    struct wanted_flow *in = add_in(5076, INADDR_BROADCAST);
    struct wanted_flow *any = add_in(5076, 0);

    set_count(own_host, 1, 100);
    set_count(broadcast, 20, 2000);
    set_count(other, 300, 30000);
    set_count(in, 4, 400);
    look_at(any, 50);
    assert_totals(321, 642, 54);
    assert_sent(321, 32100);

    look();
    assert_totals(321, 642, 54);
    assert_sent(321, 32100);

    set_count(broadcast, 21, 3400);
    set_count(any, 57, 5700);
    look();
    assert_totals(322, 644, 61);
    assert_sent(322, 33500);
}

/* Other flows of ours count as well, for others. */
static void
test_other_flows_are_none_of_this(void **state OVS_UNUSED)
{
    const uint64_t tag = carried_out_tag(5076, BROADCAST, 0, false);

    set_count(add(COOKIE_MESH_BROADCAST, tag), 10, 1000);
    set_count(add(COOKIE_MESH_OWN_HOST, tag), 10, 1000);
    set_count(add(COOKIE_TUNNEL, tag), 10, 1000);
    set_count(add(COOKIE_TUNNEL, f->peers.all[0]->path), 10, 1000);
    look();
    assert_totals(0, 0, 0);
    assert_sent(0, 0);
    assert_heard(0, 0, 0);
}

/* The same port and mark in flows of two kinds are two flows. */
static void
test_tags_are_of_a_kind(void **state OVS_UNUSED)
{
    const uint64_t tag = f->peers.all[0]->path;
    struct wanted_flow *out = add(COOKIE_MESH_OUT, tag);
    struct wanted_flow *in = add(COOKIE_MESH_IN, tag);
    struct wanted_flow *source = add(COOKIE_MESH_SOURCE, tag);

    for (uint64_t n = 10; n <= 30; n += 10) {
        set_count(out, n, 100 * n);
        set_count(in, n + 1, 100 * n);
        look_at(source, n + 2);
        assert_totals(n, 2 * n, n + 1);
        assert_sent(n, 100 * n);
        assert_heard(0, n + 2, 100 * n + 200);
    }
}

/* Flows that change. */

/* One that is made anew begins at 0. */
static void
test_counts_that_go_back(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);
    struct wanted_flow *in = add_in(5076, 0);
    struct wanted_flow *source = add_source(1);

    set_count(out, 10, 1000);
    set_count(in, 10, 1000);
    look_at(source, 10);
    set_count(out, 3, 300);
    set_count(in, 4, 400);
    look_at(source, 5);
    assert_totals(13, 26, 14);
    assert_sent(13, 1300);
    assert_heard(1, 15, 1500);

    set_count(out, 0, 0);
    set_count(in, 0, 0);
    look_at(source, 0);
    assert_totals(13, 26, 14);
    look_at(out, 1);
    assert_totals(14, 28, 14);
    assert_sent(14, 1400);
    assert_heard(1, 15, 1500);
}

/* Either count tells that both have begun anew. */
static void
test_bytes_go_back_with_the_frames(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    set_count(out, 10, 600);
    look();
    set_count(out, 3, 4200);
    look();
    assert_totals(13, 26, 0);
    assert_sent(13, 4800);

    set_count(out, 20, 1200);
    look();
    assert_totals(33, 66, 0);
    assert_sent(33, 6000);
}

static void
test_flows_that_are_not_in_place_for_a_while(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);
    struct wanted_flow *in = add_in(5076, INADDR_BROADCAST);
    struct wanted_flow *source = add_source(1);

    set_count(out, 10, 1000);
    set_count(in, 20, 2000);
    look_at(source, 30);
    look_out_of_place(out);
    look_out_of_place(in);
    look_out_of_place(source);
    set_count(out, 11, 1100);
    set_count(in, 22, 2200);
    look_at(source, 33);
    assert_totals(11, 22, 22);
    assert_sent(11, 1100);
    assert_heard(1, 33, 3300);
}

/* All that the switch has counted for it. */
static void
test_a_flow_that_is_not_in_place_at_first(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    look_out_of_place(out);
    assert_totals(0, 0, 0);
    look_at(out, 10);
    look_for_long();
    assert_totals(10, 20, 0);
}

/* If it comes back it is another one. */
static void
test_flows_that_are_gone_are_forgotten(void **state OVS_UNUSED)
{
    for (uint64_t n = 1; n <= 3; n++) {
        struct wanted_flow *out = add_out(5076, BROADCAST, 0);
        struct wanted_flow *in = add_in(5076, INADDR_BROADCAST);
        struct wanted_flow *source = add_source(1);

        f->inv.meter_dropped[0] = 2;
        set_count(out, 10, 1000);
        set_count(in, 10, 1000);
        look_at(source, 10);
        assert_totals(8 * n, 16 * n, 10 * n);
        assert_sent(8 * n, 800 * n);
        assert_heard(1, 10 * n, 1000 * n);

        drop(out);
        drop(in);
        drop(source);
        look();
        assert_int_equal(hmap_count(&f->c.seen), 0);
    }
}

/* Others stay. */
static void
test_one_of_two_flows_is_gone(void **state OVS_UNUSED)
{
    struct wanted_flow *first = add_out(5076, BROADCAST, 0);
    struct wanted_flow *second = add_out(5064, BROADCAST, 0);

    set_count(first, 10, 1000);
    look_at(second, 10);
    drop(first);
    look_at(second, 11);
    assert_totals(21, 42, 0);
    add_out(5076, BROADCAST, 0);
    look_at(second, 12);
    assert_totals(22, 44, 0);
}

/* A port's place in the configuration has changed, which makes its flow's
 * actions others; the switch goes on counting. */
static void
test_a_flow_that_gets_another_meter(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    look_at(out, 10);
    out->tag = carried_out_tag(5076, BROADCAST, 1, false);
    look_at(out, 11);
    assert_totals(11, 22, 0);
    out->tag = carried_out_tag(5076, BROADCAST, 255, false);
    look_out_of_place(out);
    look_at(out, 12);
    look_for_long();
    assert_totals(12, 24, 0);
    assert_sent(12, 1200);
}

/* What was not sent. */

static void
test_frames_that_are_too_long(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    f->n_too_long = 3;
    look_at(out, 10);
    assert_totals(7, 14, 0);
    assert_sent(7, 700);

    look_at(out, 15);
    assert_totals(12, 24, 0);
    f->n_too_long = 4;
    look_at(out, 20);
    assert_totals(16, 32, 0);
    assert_sent(16, 1600);
}

static void
test_frames_that_a_meter_cut(void **state OVS_UNUSED)
{
    struct wanted_flow *first = add_out(5076, BROADCAST, 0);
    struct wanted_flow *last = add_out(5064, BROADCAST, 255);

    f->inv.meter_dropped[0] = 3;
    f->inv.meter_dropped[1] = 1000; /* Somebody else's. */
    f->inv.meter_dropped[255] = 4;
    set_count(first, 10, 1000);
    look_at(last, 10);
    assert_totals(13, 26, 0);
    assert_sent(13, 1300);

    f->inv.meter_dropped[0] = 5;
    look_at(last, 20);
    assert_totals(21, 42, 0);
    assert_sent(21, 2100);

    /* Meters begin at 0 again, too. */
    f->inv.meter_dropped[0] = 1;
    look_at(last, 30);
    assert_totals(30, 60, 0);
    assert_sent(30, 3000);
}

static void
test_two_flows_with_the_same_meter(void **state OVS_UNUSED)
{
    struct wanted_flow *own_host = add_out(5076, OWN_HOST, 2);
    struct wanted_flow *broadcast = add_out(5076, BROADCAST, 2);

    f->inv.meter_dropped[2] = 4;
    set_count(own_host, 10, 1000);
    look_at(broadcast, 10);
    assert_totals(16, 32, 0);
    assert_sent(16, 1600);

    f->inv.meter_dropped[2] = 6;
    look_at(own_host, 16);
    assert_totals(20, 40, 0);
    assert_sent(20, 2000);
}

/* What was cut before is not cut again. */
static void
test_a_meter_of_a_flow_that_is_not_in_place(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 1);

    f->inv.meter_dropped[1] = 4;
    look_at(out, 10);
    look_out_of_place(out);
    look_at(out, 20);
    look_for_long();
    assert_totals(16, 32, 0);
    assert_sent(16, 1600);
}

static void
test_meters_and_lengths_add_up(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    f->inv.meter_dropped[0] = 2;
    f->n_too_long = 3;
    look_at(out, 10);
    assert_totals(5, 10, 0);
    assert_sent(5, 500);
}

/* The counts are not all of the same moment. */
static void
test_never_fewer_than_none_are_sent(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    f->inv.meter_dropped[0] = 4;
    f->n_too_long = 3;
    look_at(out, 5);
    assert_totals(0, 0, 0);
    assert_sent(0, 0);
    look_at(out, 10);
    assert_totals(5, 10, 0);
    assert_sent(5, 500);

    f->n_too_long = 4;
    f->inv.meter_dropped[0] = 5;
    look();
    assert_totals(5, 10, 0);
    assert_sent(5, 500);
}

/* Frames that are punted as well are counted as relayed elsewhere. */

/* Has 'out' be punted as well, or not any more. */
static void
set_punted(struct wanted_flow *out, bool punted)
{
    out->tag = carried_out_tag(5076, BROADCAST, 0, punted);
}

static void
test_punted_frames_are_sent_but_not_relayed_here(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    f->c.n_punted = 10;
    look_at(out, 10);
    f->c.n_punted = 12;
    look_at(out, 12);
    look_for_long();
    assert_totals(0, 24, 0);
    assert_sent(12, 1200);
}

/* The switch has counted them before the relay does, by any number of looks
 * within a second. */
static void
test_punted_frames_that_the_relay_counts_later(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    set_punted(out, true);
    for (uint64_t n = 0; n < 10 * CARRIED_HOLD_MS; n++) {
        f->c.n_punted = n - MIN(n, 50);
        set_count(out, n, 100 * n);
        look();
        assert_int_equal(f->c.relayed, 0);
        f->now += 5;
    }
    f->c.n_punted += 50;
    look_for_long();
    assert_int_equal(f->c.relayed, 0);
}

/* Of 10 frames of a flow that changes 4 are punted as well, of which 'n_soon'
 * are counted when the switch has counted all. */
static void
check_change(bool before, bool after, uint64_t n_soon)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    set_punted(out, before);
    look_at(out, 0);
    set_punted(out, after);
    f->c.n_punted = n_soon;
    look_at(out, 10);
    assert_int_equal(f->c.relayed, 0);
    f->c.n_punted = 4;
    look();
    assert_int_equal(f->c.relayed, 0);
    look_for_long();
    assert_int_equal(f->c.relayed, 6);
}

static void
test_frames_of_a_flow_that_begins_to_be_punted(void **state OVS_UNUSED)
{
    check_change(false, true, 0);
}

static void
test_frames_of_a_flow_that_is_punted_no_more(void **state OVS_UNUSED)
{
    check_change(true, false, 0);
}

/* It was in between two looks. */
static void
test_frames_of_a_flow_that_was_punted_for_a_while(void **state OVS_UNUSED)
{
    check_change(false, false, 1);
}

/* Some of what was punted the switch never counts, as the flow went before the
 * next look.  That must not be taken off what it carries later. */
static void
test_punted_frames_that_the_switch_never_counts(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    look_at(out, 100);
    assert_int_equal(f->c.relayed, 100);
    set_punted(out, true);
    look();
    f->c.n_punted = 50;
    drop(out);
    look();

    out = add_out(5076, BROADCAST, 0);
    f->now += 2 * CARRIED_HOLD_MS;
    look_at(out, 0);
    look_at(out, 30);
    assert_int_equal(f->c.relayed, 130);
}

/* Nor is it known of one that was not in place. */
static void
test_frames_of_a_flow_that_was_being_changed(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    look_out_of_place(out);
    look_at(out, 10);
    assert_int_equal(f->c.relayed, 0);
    f->c.n_punted = 3;
    look_for_long();
    assert_int_equal(f->c.relayed, 7);
}

/* The relay has counted them before the switch does. */
static void
test_punted_frames_that_the_switch_counts_later(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    look_at(out, 10);
    assert_totals(10, 20, 0);
    f->c.n_punted = 7;
    look_at(out, 10);
    assert_totals(10, 20, 0);
    look_at(out, 15);
    assert_totals(10, 30, 0);
    look_at(out, 17);
    assert_totals(10, 34, 0);
    look_at(out, 20);
    assert_totals(13, 40, 0);
}

/* What is not sent is relayed nowhere. */
static void
test_some_are_punted(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    f->c.n_punted = 4;
    f->n_too_long = 5;
    look_at(out, 20);
    look_for_long();
    assert_totals(11, 30, 0);
}

/* Peers. */

static void
test_frames_of_peers(void **state OVS_UNUSED)
{
    struct wanted_flow *first = add_source(0);
    struct wanted_flow *second = add_source(1);

    set_count(first, 10, 700);
    look_at(second, 1);
    set_count(first, 12, 900);
    look_at(second, 1);
    assert_heard(0, 12, 900);
    assert_heard(1, 1, 100);
    assert_heard(2, 0, 0);
    assert_totals(0, 0, 0);
    assert_sent(0, 0);
}

static void
test_frames_of_a_peer_that_is_gone(void **state OVS_UNUSED)
{
    struct wanted_flow *first = add_source(0);
    struct wanted_flow *second = add_source(1);

    set_count(first, 10, 1000);
    look_at(second, 20);
    keep_peers(1 << 1 | 1 << 2);
    set_count(first, 15, 1500);
    look_at(second, 22);
    assert_heard(0, 22, 2200); /* The second, which is the first now. */
    assert_heard(1, 0, 0);
    assert_int_equal(hmap_count(&f->c.seen), 1);
    look_out_of_place(first);
    look_at(first, 16);
    assert_heard(0, 22, 2200);
    assert_totals(0, 0, 0);
}

/* As of the look. */
static void
test_peers_that_come_and_go(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);

    look_at(out, 10);
    f->peers.all[0]->tunnel.carried = false;
    f->peers.all[1]->tunnel.carried = true;
    look_at(out, 15);
    assert_int_equal(f->peers.all[0]->tunnel.tx, 10);
    assert_int_equal(f->peers.all[0]->tunnel.tx_bytes, 1000);
    assert_int_equal(f->peers.all[1]->tunnel.tx, 5);
    assert_int_equal(f->peers.all[1]->tunnel.tx_bytes, 500);
    assert_int_equal(f->peers.all[2]->tunnel.tx, 15);
    assert_int_equal(f->peers.all[2]->tunnel.tx_bytes, 1500);
    assert_totals(15, 30, 0);

    keep_peers(1 << 2);
    look_at(out, 16);
    assert_int_equal(f->peers.all[0]->tunnel.tx, 16);
    assert_totals(16, 31, 0);
}

/* Bytes. */

static void
test_bytes_are_in_proportion(void **state OVS_UNUSED)
{
    struct wanted_flow *small = add_out(5076, OWN_HOST, 0);
    struct wanted_flow *big = add_out(5076, BROADCAST, 0);

    /* 8 of 10 frames. */
    f->inv.meter_dropped[0] = 2;
    set_count(small, 5, 300);
    set_count(big, 5, 7000);
    look();
    assert_sent(8, 5840);

    /* Of 3 frames 2, whose bytes are no whole number. */
    f->n_too_long = 1;
    set_count(big, 8, 7101);
    look();
    assert_sent(10, 5907);
}

/* Far more than a switch counts between two looks. */
static void
test_large_counts(void **state OVS_UNUSED)
{
    struct wanted_flow *out = add_out(5076, BROADCAST, 0);
    const uint64_t n = UINT64_C(4000000000);

    f->n_too_long = 1;
    set_count(out, n, 1400 * n);
    look();
    assert_totals(n - 1, 2 * (n - 1), 0);
    assert_sent(n - 1, 1400 * (n - 1));

    set_count(out, UINT64_MAX - 1, UINT64_MAX - 1);
    look();
    assert_int_equal(f->c.relayed, UINT64_MAX - 2);
}

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_counted_at_first),
        TEST(test_counts_add_up),
        TEST(test_other_flows_are_none_of_this),
        TEST(test_tags_are_of_a_kind),
        TEST(test_counts_that_go_back),
        TEST(test_bytes_go_back_with_the_frames),
        TEST(test_flows_that_are_not_in_place_for_a_while),
        TEST(test_a_flow_that_is_not_in_place_at_first),
        TEST(test_flows_that_are_gone_are_forgotten),
        TEST(test_one_of_two_flows_is_gone),
        TEST(test_a_flow_that_gets_another_meter),
        TEST(test_frames_that_are_too_long),
        TEST(test_frames_that_a_meter_cut),
        TEST(test_two_flows_with_the_same_meter),
        TEST(test_a_meter_of_a_flow_that_is_not_in_place),
        TEST(test_meters_and_lengths_add_up),
        TEST(test_never_fewer_than_none_are_sent),
        TEST(test_punted_frames_are_sent_but_not_relayed_here),
        TEST(test_punted_frames_that_the_relay_counts_later),
        TEST(test_frames_of_a_flow_that_begins_to_be_punted),
        TEST(test_frames_of_a_flow_that_is_punted_no_more),
        TEST(test_frames_of_a_flow_that_was_punted_for_a_while),
        TEST(test_punted_frames_that_the_switch_never_counts),
        TEST(test_frames_of_a_flow_that_was_being_changed),
        TEST(test_some_are_punted),
        TEST(test_punted_frames_that_the_switch_counts_later),
        TEST(test_frames_of_peers),
        TEST(test_frames_of_a_peer_that_is_gone),
        TEST(test_peers_that_come_and_go),
        TEST(test_bytes_are_in_proportion),
        TEST(test_large_counts),
    };
    return cmocka_run_group_tests_name("carried", tests, NULL, NULL);
}
