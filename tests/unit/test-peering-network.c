/* SPDX-License-Identifier: Apache-2.0 */

/* Relays that find, watch and lose each other over time, on a network that
 * loses, doubles and reorders datagrams, or is cut. */

#include <config.h>
#include "peering.h"

#include "support-peering.h"

#include "openvswitch/vlog.h"

static bool
is_up(size_t i, size_t j)
{
    return !strcmp(peer_state_name(peer_of(i, j)), "up");
}

/* Has time go by until the clock of node 'i' shows 'ms'. */
static void
run_until(size_t i, long long int ms)
{
    assert_true(ms >= clock_ms(i));
    run_for(ms - clock_ms(i));
    assert_true(clock_ms(i) == ms);
}

/* Finding each other. */

static void
test_two_relays_meet_within_a_round_trip(void **state OVS_UNUSED)
{
    net.delay[0][1] = 3700;
    net.delay[1][0] = 1300;
    introduce(2);
    start(0);
    run_for(100);
    assert_state(0, 1, "probing");
    assert_int_equal(n_targets(0), 0);

    start(1);
    assert_state(1, 0, "probing");
    run_for(5);
    assert_both_up(0, 1);
    assert_reason(0, 1, "it says hello");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(n_targets(i), 1);
        assert_true(peer_of(i, !i)->speaks_ours);
        assert_string_equal(peer_format_name(peer_of(i, !i)), "snowrelay");
        assert_true(peer_of(i, !i)->up_since > 0);
    }
}

/* Whatever the clocks show, and whoever asks. */
static void
test_round_trip_times_are_exact(void **state OVS_UNUSED)
{
    net.delay[0][1] = 3721;
    net.delay[1][0] = 1280;
    nodes[1].ahead = 777777777777333;
    start_all(2);
    for (int seconds = 0; seconds < 20; seconds++) {
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(peer_of(i, !i)->liveness.rtt, 5001);
            assert_int_equal(peer_of(i, !i)->liveness.smoothed_rtt, 5001);
        }
        run_for(1000);
    }
}

static void
test_round_trip_times_follow_the_network(void **state OVS_UNUSED)
{
    start_all(2);
    assert_int_equal(peer_of(0, 1)->liveness.rtt, 2000);
    net.delay[0][1] = 90000;
    run_for(2500);
    assert_int_equal(peer_of(0, 1)->liveness.rtt, 91000);
    assert_int_equal(peer_of(1, 0)->liveness.rtt, 91000);
    assert_in_range(peer_of(0, 1)->liveness.smoothed_rtt, 2001, 90999);
}

/* Who says hello rarely is not taken for dead by who does often. */
static void
test_relays_of_different_paces(void **state OVS_UNUSED)
{
    nodes[0].config.hello_ms = 100;
    nodes[1].config.hello_ms = 5000;
    start_all(2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(peer_of(i, !i)->liveness.interval,
                         nodes[!i].config.hello_ms);
    }
    long long int since[] = { peer_of(0, 1)->liveness.since,
                              peer_of(1, 0)->liveness.since };

    for (int i = 0; i < 600; i++) {
        run_for(100);
        assert_both_up(0, 1);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_true(peer_of(i, !i)->liveness.since == since[i]);
    }
}

/* Also if who is rare has been silent for long. */
static void
test_a_late_relay_of_another_pace(void **state OVS_UNUSED)
{
    nodes[0].config.hello_ms = 1000;
    nodes[1].config.hello_ms = 60000;
    introduce(2);
    start(0);
    run_for(100000);
    net.cut[1][0] = true;
    start(1);
    net.cut[1][0] = false;
    run_for(40000);
    assert_both_up(0, 1);
    const long long int since = peer_of(1, 0)->liveness.since;
    run_for(60000);
    assert_both_up(0, 1);
    assert_true(peer_of(1, 0)->liveness.since == since);
}

static void
test_an_upgraded_node_is_up(void **state OVS_UNUSED)
{
    introduce(2);
    start(0);
    for (int i = 0; i < 100; i++) {
        run_for(1000);
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    }
    assert_state(0, 1, "snowsignal");
    start(1);
    run_for(2);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->speaks_ours);
    for (int i = 0; i < 100; i++) {
        run_for(100);
        assert_both_up(0, 1);
    }
}

/* Falling silent. */

static void
test_a_dead_relay_is_suspect_then_down(void **state OVS_UNUSED)
{
    start_all(2);
    stop(1);
    const long long int heard = peer_of(0, 1)->liveness.heard;

    run_until(0, heard + 1249);
    assert_state(0, 1, "up");
    run_until(0, heard + 1250);
    assert_state(0, 1, "suspect");
    assert_reason(0, 1, "a hello missed");
    assert_true(peer_of(0, 1)->speaks_ours);
    run_until(0, heard + 3249);
    assert_state(0, 1, "suspect");
    run_until(0, heard + 3250);
    assert_state(0, 1, "down");
    assert_reason(0, 1, "three hellos missed");
    assert_int_equal(peer_of(0, 1)->up_since, 0);

    /* It may be a node of SnowSignal now. */
    assert_int_equal(n_targets(0), 1);
    assert_false(peer_of(0, 1)->speaks_ours);
}

/* Who is down is asked as often as ever. */
static void
test_a_dead_relay_is_asked_on(void **state OVS_UNUSED)
{
    start_all(2);
    stop(1);
    run_for(10000);
    size_t first = nodes[0].n_said;
    run_for(60000);
    assert_int_equal(n_hellos(0, &nodes[1].address, first), 60);
}

static void
test_a_relay_that_returns_is_up_at_once(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = peer_of(0, 1)->remote->session;
    const uint64_t id = peer_of(0, 1)->remote->id;

    stop(1);
    run_for(20000);
    assert_state(0, 1, "down");
    start(1);
    run_for(2);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->remote->id == id);
    assert_true(peer_of(0, 1)->remote->session != session);
    assert_true(peer_of(0, 1)->remote->last_session == session);
    assert_true(peer_of(0, 1)->remote->session == session_of(1));
    assert_true(peer_of(0, 1)->up_since > 0);
}

/* So fast that nobody noticed. */
static void
test_a_relay_that_restarts_is_never_down(void **state OVS_UNUSED)
{
    start_all(2);
    const long long int since = peer_of(0, 1)->liveness.since;

    for (int i = 0; i < 5; i++) {
        run_for(1500);
        stop(1);
        peer_of(0, 1)->up_since = 1;
        run_for(100);
        start(1);
        run_for(2);
        assert_both_up(0, 1);
        assert_true(peer_of(0, 1)->up_since > 1);
        assert_true(peer_of(0, 1)->remote->session == session_of(1));
        uint32_t there = send_frame(0), back = send_frame(1);
        run_for(2);
        assert_true(has_taken(1, there) && has_taken(0, back));
    }
    assert_true(peer_of(0, 1)->liveness.since == since);
}

/* Who starts thrice in three seconds has not been deaf. */
static void
test_one_that_starts_again_and_again(void **state OVS_UNUSED)
{
    start_all(2);
    for (int i = 0; i < 4; i++) {
        stop(1);
        run_for(100);
        start(1);
        run_for(100);
        assert_state(0, 1, "up");
    }
}

/* Even if its first hellos are lost, one more is enough. */
static void
test_a_healed_network_is_noticed_within_a_hello(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = peer_of(0, 1)->remote->session;

    for (int i = 0; i < 5; i++) {
        send_frame(0);
        send_frame(1);
    }
    run_for(2);
    net.cut[0][1] = net.cut[1][0] = true;
    run_for(2 * REMOTES_MAX_IDLE_MS);
    assert_state(0, 1, "down");
    assert_state(1, 0, "down");
    net.cut[0][1] = net.cut[1][0] = false;
    run_for(1000 + 2);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->remote->session == session);
    assert_int_equal(peer_of(0, 1)->remote->next_seq, 5);
    assert_int_equal(peer_of(0, 1)->remote->window.received, 5);
}

/* A single one that is lost is worth a suspicion and no more. */
static void
test_a_lost_hello_is_made_up_for(void **state OVS_UNUSED)
{
    start_all(2);
    const long long int heard = peer_of(0, 1)->liveness.heard;

    net.cut[1][0] = true;
    run_until(0, heard + 1500);
    assert_state(0, 1, "suspect");
    net.cut[1][0] = false;
    run_for(1000);
    assert_both_up(0, 1);
    for (int i = 0; i < 100; i++) {
        run_for(100);
        assert_both_up(0, 1);
    }
}

/* A relay that is busy with frames is there. */
static void
test_frames_keep_a_relay_up(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = session_of(1);

    stop(1);
    for (uint64_t seq = 0; seq < 20; seq++) {
        assert_taken(0, "10.0.0.2", make_frame(nodes[1].id, session, seq),
                     PEERING_FRAME);
        run_for(1000);
        assert_state(0, 1, "up");
    }
}

/* But not somebody else's, nor what has come before. */
static void
test_other_frames_keep_nobody_up(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = session_of(1);

    stop(1);
    for (uint64_t seq = 0; seq < 20; seq++) {
        assert_taken(0, "10.0.0.2", make_frame(7, 7, seq), PEERING_FRAME);
        take(0, "10.0.0.2", make_frame(nodes[1].id, session, 0), &(int){ 0 });
        run_for(250);
    }
    assert_state(0, 1, "down");
}

/* A network that works in one direction. */

static void
test_one_way_is_suspect(void **state OVS_UNUSED)
{
    start_all(2);
    net.cut[0][1] = true;
    run_for(4000);
    assert_state(1, 0, "down");
    run_for(4000);
    for (int i = 0; i < 300; i++) {
        run_for(100);
        assert_state(0, 1, "suspect");
        assert_reason(0, 1, "it does not hear this relay");
        assert_state(1, 0, "down");
    }
    net.cut[0][1] = false;
    run_for(1002);
    assert_state(1, 0, "up");
    run_for(1000);
    assert_both_up(0, 1);
}

/* The moment is three of its hellos after three of ours were lost. */
static void
test_one_way_takes_its_time(void **state OVS_UNUSED)
{
    start_all(2);
    net.cut[0][1] = true;
    run_for(2900);
    assert_state(0, 1, "up");
    assert_int_equal(peer_of(0, 1)->liveness.unheard, 0);
    run_for(1100);
    assert_state(0, 1, "up");
    assert_in_range(peer_of(0, 1)->liveness.unheard, 1, 2);
}

/* The reason is the present one. */
static void
test_the_reason_of_a_suspicion(void **state OVS_UNUSED)
{
    start_all(2);
    net.cut[0][1] = true;
    for (int i = 0; peer_of(0, 1)->liveness.unheard < 2; i++) {
        assert_in_range(i, 0, 10000);
        run_for(1);
    }
    net.cut[1][0] = true;
    run_for(1500);
    assert_reason(0, 1, "a hello missed");
    net.cut[1][0] = false;
    run_for(5000);
    assert_state(0, 1, "suspect");
    assert_reason(0, 1, "it does not hear this relay");
}

/* A relay that has never heard us greets us ever more rarely, says so, and is
 * not taken for dead meanwhile. */
static void
test_one_way_from_the_beginning(void **state OVS_UNUSED)
{
    introduce(2);
    net.cut[0][1] = true;
    start(0);
    start(1);
    run_for(60000);
    for (int i = 0; i < 200; i++) {
        run_for(1000);
        assert_state(0, 1, "suspect");
        assert_reason(0, 1, "it does not hear this relay");
        assert_state(1, 0, "silent");
    }
    net.cut[0][1] = false;
    run_for(2002);
    assert_both_up(0, 1);
}

/* What is lost. */

/* Each knows, from the other's hellos, what became of its frames. */
static void
test_losses_are_told(void **state OVS_UNUSED)
{
    enum { FRAMES = 500 };

    start_all(2);
    net.loss = 20;
    net.dups = 10;
    for (int i = 0; i < FRAMES; i++) {
        send_frame(0);
    }
    net.loss = net.dups = 0;
    run_for(3000);

    const struct remote *seen = peer_of(0, 1)->remote;
    const struct window *window = &peer_of(1, 0)->remote->window;
    assert_int_equal(seen->received + seen->lost, FRAMES);
    assert_in_range(seen->lost, FRAMES / 10, FRAMES / 3);
    assert_true(window->received == seen->received);
    assert_true(window->lost == seen->lost);
    assert_int_equal(nodes[1].n_frames, seen->received);
    assert_true(window->duplicated > 0);
    assert_int_equal(nodes[1].n_drops[DROP_DUPLICATE], window->duplicated);
}

/* Even if all are. */
static void
test_hellos_tell_of_frames_that_never_came(void **state OVS_UNUSED)
{
    start_all(2);
    net.cut[0][1] = true;
    for (int i = 0; i < 7; i++) {
        send_frame(0);
    }
    net.cut[0][1] = false;
    const size_t first = nodes[0].n_said;
    run_for(2500);
    assert_int_equal(nodes[0].said[first].seq, 7);
    assert_int_equal(peer_of(1, 0)->remote->window.lost, 7);
    assert_int_equal(peer_of(0, 1)->remote->lost, 7);
    assert_int_equal(peer_of(0, 1)->remote->received, 0);
}

/* Several ways to one relay. */

/* Has a frame of each of the first 'n' nodes that live come to all others of
 * them, once. */
static void
check_frames_come(size_t n)
{
    uint32_t first = net.n_frames;

    for (size_t i = 0; i < n; i++) {
        if (nodes[i].peering) {
            send_frame(i);
        }
    }
    run_for(500);
    for (uint32_t number = first; number < net.n_frames; number++) {
        for (size_t i = 0; i < n; i++) {
            if (nodes[i].peering) {
                assert_int_equal(has_taken(i, number),
                                 net.frame_sender[number] != i);
            }
        }
    }
}

/* Gives node 'i' another address, by which it is 'delay' us farther away. */
static void
add_way(size_t i, const char *address, long long int delay)
{
    struct node *node = &nodes[i];

    assert_in_range(node->n_ways, 0, MAX_WAYS - 1);
    node->ways[node->n_ways++] = (struct way){
        .address = endpoint_of(address),
        .delay = delay,
    };
}

/* Returns the peer of node 'i' that is sent to at the 'k'th other address of
 * node 'j'. */
static struct peer *
peer_by_way(size_t i, size_t j, size_t k)
{
    struct peer *peer = find_peer_at(i, &nodes[j].ways[k].address);

    assert_non_null(peer);
    return peer;
}

/* Has the nodes 0 and 1 live for two minutes.  Fails the test unless all peers
 * of node 0 stay up with round-trip times of their own, just one gets frames,
 * which come once, and the two say little. */
static void
check_ways(size_t n_ways)
{
    enum { SECONDS = 120 };
    const uint64_t n_sent = net.n_sent;

    for (int i = 0; i < SECONDS; i++) {
        const struct remote *remote = peer_of(0, 1)->remote;
        uint32_t number;

        assert_int_equal(peer_of(0, 1)->liveness.state, LIVENESS_UP);
        assert_int_equal(peer_of(0, 1)->liveness.rtt, 2000);
        assert_true(remote->id == nodes[1].id);
        for (size_t k = 0; k < n_ways; k++) {
            const struct peer *peer = peer_by_way(0, 1, k);

            assert_int_equal(peer->liveness.state, LIVENESS_UP);
            assert_int_equal(peer->liveness.rtt,
                             2000 + nodes[1].ways[k].delay);
            assert_int_equal(peer->liveness.unheard, 0);
            assert_ptr_equal(peer->remote, remote);
        }
        assert_int_equal(n_targets(0), 1);
        assert_int_equal(n_targets(1), 1);
        number = send_frame(0);
        send_frame(1);
        run_for(1000);
        assert_true(has_taken(1, number));
        assert_true(has_taken(0, number + 1));
    }
    assert_int_equal(nodes[0].n_drops[DROP_DUPLICATE], 0);
    assert_int_equal(nodes[1].n_drops[DROP_DUPLICATE], 0);
    assert_in_range(net.n_sent - n_sent, SECONDS * (2 + 2),
                    SECONDS * (2 + 2 * (1 + n_ways) + 2));
}

static void
test_one_of_two_addresses(void **state OVS_UNUSED)
{
    add_way(1, "10.0.0.102", 10000);
    introduce(2);
    know(0, "10.0.0.102");
    start(0);
    start(1);
    run_for(1500);
    check_ways(1);
    assert_state(1, 0, "up");
}

static void
test_one_of_three_addresses(void **state OVS_UNUSED)
{
    add_way(1, "10.0.0.102", 10000);
    add_way(1, "10.0.0.103", 130000);
    introduce(2);
    know(0, "10.0.0.102");
    know(0, "10.0.0.103");
    start(1);
    run_for(3000);
    start(0);
    run_for(1500);
    check_ways(2);
    assert_state(1, 0, "up");
}

/* Also if one of the two says hello far more often. */
static void
test_ways_of_relays_of_different_paces(void **state OVS_UNUSED)
{
    static const uint32_t paces[][2] = { { 100, 5000 }, { 5000, 100 } };

    for (size_t i = 0; i < ARRAY_SIZE(paces); i++) {
        set_up(NULL);
        add_way(1, "10.0.0.102", 10000);
        introduce(2);
        know(0, "10.0.0.102");
        nodes[0].config.hello_ms = paces[i][0];
        nodes[1].config.hello_ms = paces[i][1];
        start(0);
        start(1);
        run_for(10000);
        const long long int since = peer_of(0, 1)->liveness.since;
        const uint64_t n_sent = net.n_sent;
        for (int k = 0; k < 600; k++) {
            run_for(100);
            assert_int_equal(peer_of(0, 1)->liveness.state, LIVENESS_UP);
            assert_int_equal(peer_by_way(0, 1, 0)->liveness.state,
                             LIVENESS_UP);
            assert_state(1, 0, "up");
        }
        assert_int_equal(peer_by_way(0, 1, 0)->liveness.rtt, 12000);
        assert_true(peer_of(0, 1)->liveness.since == since);
        assert_in_range(net.n_sent - n_sent, 60 * 10, 60 * 35);
        tear_down(NULL);
    }
}

/* The same on both sides, which send from one address each. */
static void
test_both_by_two_addresses(void **state OVS_UNUSED)
{
    add_way(0, "10.0.0.101", 0);
    add_way(1, "10.0.0.102", 10000);
    introduce(2);
    know(0, "10.0.0.102");
    know(1, "10.0.0.101");
    start(0);
    start(1);
    run_for(1500);
    for (int i = 0; i < 120; i++) {
        const uint64_t n_sent = net.n_sent;

        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(peer_of(k, !k)->liveness.state, LIVENESS_UP);
            assert_int_equal(peer_by_way(k, !k, 0)->liveness.state,
                             LIVENESS_UP);
            assert_ptr_equal(peer_of(k, !k)->remote,
                             peer_by_way(k, !k, 0)->remote);
            assert_int_equal(peer_of(k, !k)->liveness.unheard, 0);
            assert_int_equal(peer_by_way(k, !k, 0)->liveness.unheard, 0);
            assert_int_equal(n_targets(k), 1);
        }
        run_for(1000);
        assert_in_range(net.n_sent - n_sent, 2, 12);
    }
    check_frames_come(2);
    assert_int_equal(nodes[0].n_drops[DROP_DUPLICATE], 0);
    assert_int_equal(nodes[1].n_drops[DROP_DUPLICATE], 0);
}

/* A peer whose other address sends from where nobody is known. */
static void
test_two_addresses_of_one_that_accepts(void **state OVS_UNUSED)
{
    /* What node 0 sends to 10.0.0.102 comes from 10.0.9.1. */
    add_way(1, "10.0.0.102", 10000);
    nodes[1].ways[0].source = endpoint_of("10.0.9.1");
    introduce(2);
    know(0, "10.0.0.102");
    accept_from(1, "10.0.9.0/24");
    start(0);
    start(1);
    run_for(1500);
    check_ways(1);
    assert_state(1, 0, "up");
}

/* A bye ends all ways to its relay. */
static void
test_a_bye_by_one_of_two_ways(void **state OVS_UNUSED)
{
    add_way(1, "10.0.0.102", 10000);
    introduce(2);
    know(0, "10.0.0.102");
    start(0);
    start(1);
    run_for(1500);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    assert_int_equal(peer_of(0, 1)->liveness.state, LIVENESS_DOWN);
    assert_int_equal(peer_by_way(0, 1, 0)->liveness.state, LIVENESS_DOWN);
}

/* At random. */

/* Fails the test unless those of the first 'n' nodes who live know each other
 * to be up, and nobody knows a dead one to be. */
static void
check_who_lives(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t n_macs = 0, n_known = 0, n_alive = 0;

        if (!nodes[i].peering) {
            continue;
        }
        for (size_t j = 0; j < n; j++) {
            const struct peer *peer = peer_of(i, j);

            if (j == i) {
                assert_state(i, j, "own");
            } else if (nodes[j].peering) {
                n_alive++;
                assert_state(i, j, "up");
                assert_true(peer->speaks_ours);
                assert_true(peer->remote->id == nodes[j].id);
                assert_true(peer->remote->session == session_of(j));
                assert_in_range(peer->liveness.rtt, 2 * 1000,
                                2 * (1000 + 2 * net.jitter));
            } else if (peer->remote) {
                assert_state(i, j, "down");
            } else {
                /* Has never been heard, but perhaps its frames. */
                assert_true(peer->liveness.state == LIVENESS_SILENT
                            || peer->liveness.state == LIVENESS_SNOWSIGNAL);
            }
            n_known += peer->remote != NULL;
        }
        peering_macs_changed(nodes[i].peering, clock_us(i));
        peering_macs(nodes[i].peering, &n_macs);
        /* Those of one that has said bye are forgotten. */
        assert_in_range(n_macs, n_alive, n_known);
        assert_true(peering_has_begun(nodes[i].peering));
        assert_int_equal(nodes[i].n_drops[DROP_OWN], 0);
        assert_int_equal(nodes[i].n_drops[DROP_UNKNOWN_SENDER], 0);
        assert_int_equal(nodes[i].n_drops[DROP_FORMAT], 0);
    }
}

/* Something happens to the first 'n' nodes. */
static void
disturb(size_t n)
{
    size_t i = next_random(&net.seed) % n;
    size_t j = next_random(&net.seed) % n;

    switch (next_random(&net.seed) % 32) {
    case 0:
        if (nodes[i].peering) {
            stop(i);
        }
        break;
    case 1:
        if (nodes[i].peering) {
            peering_leave(nodes[i].peering, &nodes[i].mesh);
            stop(i);
        }
        break;
    case 2:
    case 3:
    case 11:
    case 12:
    case 13:
        if (!nodes[i].peering) {
            start(i);
        }
        break;
    case 4: net.cut[i][j] = net.cut[j][i] = true; break;
    case 5: net.cut[i][j] = true; break;
    case 6:
    case 7:
    case 8:
    case 14: net.cut[i][j] = net.cut[j][i] = false; break;
    case 15: memset(net.cut, 0, sizeof net.cut); break;
    case 9: /* All of one side. */
        for (size_t k = 0; k < n; k++) {
            net.cut[i][k] = net.cut[k][i] = next_random(&net.seed) % 2;
        }
        break;
    case 10:
        if (nodes[i].peering) {
            update(i);
        }
        break;
    default:
        for (size_t k = next_random(&net.seed) % 8; nodes[i].peering && k < 8;
             k++) {
            send_frame(i);
        }
        break;
    }
}

/* Returns how often anybody was up for anybody else, in the end of a step. */
static size_t
simulate(uint32_t seed, size_t n, unsigned int steps)
{
    size_t n_up = 0;

    introduce(n);
    net.seed = seed;
    net.jitter = 30000;
    net.loss = net.dups = 10;
    for (unsigned int step = 0; step < steps; step++) {
        disturb(n);

        /* A datagram lives shorter than a relay is dead, or a session of two
         * restarts ago could be taken for a new one. */
        run_for(65 + next_random(&net.seed) % 200);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; nodes[i].peering && j < n; j++) {
                n_up += i != j && is_up(i, j);
            }
        }
    }

    /* Or it would prove little. */
    assert_true(nodes[0].n_frames > steps / 4);
    assert_true(nodes[0].n_drops[DROP_DUPLICATE] > steps / 50);

    memset(net.cut, 0, sizeof net.cut);
    net.loss = 0;
    run_for(LIVENESS_MAX_PROBE_INTERVAL_MS + 5000);
    check_who_lives(n);
    check_frames_come(n);
    return n_up;
}

static void
test_random_networks(void **state OVS_UNUSED)
{
    enum { ROUNDS = 12, STEPS = 5000 };
    size_t n_up = 0;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        set_up(NULL);
        n_up += simulate(round + 1, 3 + round % 4, STEPS);
        tear_down(NULL);
    }
    assert_true(n_up > 3 * ROUNDS * STEPS);
}

/* A network that only loses, doubles and reorders takes nobody down for good,
 * and what comes counts once. */
static void
test_a_bad_network(void **state OVS_UNUSED)
{
    enum { SECONDS = 300 };
    size_t n_up = 0;

    start_all(3);
    net.jitter = 400000;
    net.loss = net.dups = 20;
    for (int i = 0; i < SECONDS * 10; i++) {
        send_frame(i % 3);
        run_for(100);
        n_up += is_up(0, 1);
    }
    assert_true(n_up > SECONDS * 10 * 2 / 3);
    net.loss = 0;
    run_for(5000);
    check_who_lives(3);
    check_frames_come(3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_two_relays_meet_within_a_round_trip),
        TEST(test_round_trip_times_are_exact),
        TEST(test_round_trip_times_follow_the_network),
        TEST(test_relays_of_different_paces),
        TEST(test_a_late_relay_of_another_pace),
        TEST(test_an_upgraded_node_is_up),
        TEST(test_a_dead_relay_is_suspect_then_down),
        TEST(test_a_dead_relay_is_asked_on),
        TEST(test_a_relay_that_returns_is_up_at_once),
        TEST(test_a_relay_that_restarts_is_never_down),
        TEST(test_one_that_starts_again_and_again),
        TEST(test_a_healed_network_is_noticed_within_a_hello),
        TEST(test_a_lost_hello_is_made_up_for),
        TEST(test_frames_keep_a_relay_up),
        TEST(test_other_frames_keep_nobody_up),
        TEST(test_one_way_is_suspect),
        TEST(test_one_way_takes_its_time),
        TEST(test_the_reason_of_a_suspicion),
        TEST(test_one_way_from_the_beginning),
        TEST(test_losses_are_told),
        TEST(test_hellos_tell_of_frames_that_never_came),
        TEST(test_one_of_two_addresses),
        TEST(test_one_of_three_addresses),
        TEST(test_ways_of_relays_of_different_paces),
        TEST(test_both_by_two_addresses),
        TEST(test_two_addresses_of_one_that_accepts),
        TEST(test_a_bye_by_one_of_two_ways),
        TEST(test_random_networks),
        TEST(test_a_bad_network),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests_name("peering-network", tests, NULL, NULL);
}
