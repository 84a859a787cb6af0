/* SPDX-License-Identifier: Apache-2.0 */

/* Relays of a sealed mesh: that they find each other, lose nothing while they
 * change their keys, and that who has no key can do nothing with what he
 * records. */

#include <config.h>
#include "peering.h"
#include "peering-private.h"

#include "support-peering.h"

#include <unistd.h>

#include "openvswitch/vlog.h"

/* As in the peering: see there. */
enum {
    MAX_ANSWERS = 16,
    ANSWERS_MS = 500,
    MAX_STRANGERS = PEERING_ANSWER_BURST / PEERING_ANSWER_TOKENS
};

/* Seals the first 'n' nodes with one key and introduces them. */
static void
introduce_sealed(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        give_keys(i, 0, 1);
    }
    introduce(n);
}

static void
start_sealed(size_t n)
{
    introduce_sealed(n);
    for (size_t i = 0; i < n; i++) {
        start(i);
    }
    run_for(500);
}

static size_t
n_streams(size_t i)
{
    return hmap_count(&nodes[i].peering->streams.by_id);
}

static size_t
n_remotes(size_t i)
{
    return hmap_count(&nodes[i].peering->remotes.by_id);
}

/* Fails the test unless the first 'n' nodes know each other to be up, as who
 * they are. */
static void
check_all_up(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(n_targets(i), n - 1);
        for (size_t j = 0; j < n; j++) {
            if (j != i) {
                const struct peer *peer = peer_of(i, j);

                assert_state(i, j, "up");
                assert_true(peer->speaks_ours);
                assert_true(peer->remote->id == nodes[j].id);
                assert_true(peer->remote->session == session_of(j));
                assert_ptr_equal(peer->remote->peer, peer);
            }
        }
    }
}

/* Has a frame of each of the first 'n' nodes come to all others, once. */
static void
check_frames(size_t n)
{
    const uint32_t first = net.n_frames;

    for (size_t i = 0; i < n; i++) {
        send_frame(i);
    }
    run_for(10);
    for (uint32_t number = first; number < net.n_frames; number++) {
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(has_taken(i, number),
                             net.frame_sender[number] != i);
        }
    }
}

/* Meeting. */

/* There is one round trip more to it than in a mesh that is not sealed, and
 * half of that less for who comes last. */
static void
test_two_relays_meet_within_one_and_a_half_round_trips(void **state OVS_UNUSED)
{
    net.delay[0][1] = 3700;
    net.delay[1][0] = 1300;
    introduce_sealed(2);
    start(0);
    run_for(100);
    assert_state(0, 1, "probing");
    assert_int_equal(n_targets(0), 0);

    start(1);
    assert_state(1, 0, "probing");
    run_for(5);
    assert_state(1, 0, "up");
    assert_int_equal(n_targets(1), 1);
    run_for(2);
    check_all_up(2);
    for (int i = 0; i < 1000; i++) {
        check_frames(2);
    }
    check_all_up(2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(nodes[i].n_drops[DROP_REPLAY], 0);
        assert_int_equal(nodes[i].n_drops[DROP_DUPLICATE], 0);
        assert_int_equal(peer_of(i, !i)->remote->window.lost, 0);
        assert_int_equal(peer_of(i, !i)->liveness.rtt, 5000);
        assert_int_equal(n_streams(i), 1);
    }
}

/* Whoever begins, and if both do. */
static void
test_who_begins_plays_no_part(void **state OVS_UNUSED)
{
    for (unsigned int ms = 0; ms < 2500; ms += 83) {
        set_up(NULL);
        introduce_sealed(2);
        start(0);
        run_for(ms);
        start(1);
        run_for(4);
        check_all_up(2);
        check_frames(2);
        tear_down(NULL);
    }
}

static void
test_hellos_that_are_lost_are_made_up_for(void **state OVS_UNUSED)
{
    for (int lost = 0; lost < 4; lost++) {
        set_up(NULL);
        introduce_sealed(2);
        start(0);
        net.delay[0][1] = net.delay[1][0] = 1000;
        for (int k = 0; k < 3; k++) {
            /* One after the other. */
            net.cut[1][0] = k == lost;
            net.cut[0][1] = k + 2 == lost;
            if (!k) {
                start(1);
            } else {
                run_for(1);
            }
        }
        memset(net.cut, 0, sizeof net.cut);
        run_for(2100);
        check_all_up(2);
        check_frames(2);
        tear_down(NULL);
    }
}

/* Neither of the two is down for it, and frames cross after a round trip. */
static void
test_a_relay_that_restarts(void **state OVS_UNUSED)
{
    start_sealed(2);
    for (int i = 0; i < 20; i++) {
        const size_t k = i % 2;

        stop(k);
        start(k);
        run_for(4);
        check_all_up(2);
        check_frames(2);
        for (int ms = 0; ms < 3000 + i; ms += 10) {
            run_for(10);
            check_all_up(2);
        }
        check_frames(2);
    }
}

/* Returns the number of the way by which the next frame to 'peer' goes. */
static uint32_t
path_of_sealer(const struct peer *peer)
{
    uint32_t path = 0;

    for (size_t i = 14; i < 18; i++) {
        path = path << 8 | peer->sealer.header[i];
    }
    return path;
}

/* What is sealed for one relay is of another stream than what is for the next
 * one at the same address. */
static void
test_another_relay_at_the_same_address(void **state OVS_UNUSED)
{
    start_sealed(3);
    for (int i = 0; i < 10; i++) {
        const uint32_t path = peer_of(0, 1)->path;

        check_frames(3);
        if (i % 2) {
            run_for(4000);
        }
        nodes[1].id += 0x1000;
        stop(1);
        start(1);
        for (int ms = 0; ms < 6; ms++) {
            /* What goes next is of the stream of who is known to be there. */
            deliver_until(net.now + 1000);
            assert_int_equal(path_of_sealer(peer_of(0, 1)),
                             peer_of(0, 1)->path);
            for (size_t k = 0; k < 3; k++) {
                run_node(k);
            }
        }
        check_all_up(3);
        check_frames(3);
        assert_int_not_equal(peer_of(0, 1)->path, path);
        run_for(2000);
        check_all_up(3);
        assert_int_equal(peer_of(0, 1)->liveness.rtt, 2000);
        assert_int_equal(peer_of(0, 1)->liveness.unheard, 0);
    }
}

static void
test_a_relay_that_leaves(void **state OVS_UNUSED)
{
    start_sealed(2);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    assert_state(0, 1, "down");
    assert_reason(0, 1, "it has left");
    assert_int_equal(n_targets(0), 0); /* Nobody gets SnowSignal's format. */
    stop(1);
    start(1);
    run_for(1004);
    check_all_up(2);
    check_frames(2);
}

/* What the dead have sent is forgotten. */
static void
test_streams_of_the_dead_are_forgotten(void **state OVS_UNUSED)
{
    start_sealed(3);
    for (int i = 0; i < 5; i++) {
        stop(1);
        start(1);
        run_for(2000);
    }
    stop(1);
    assert_int_equal(n_streams(0), 7);
    run_for(STREAMS_MAX_IDLE_MS + 61000);
    assert_int_equal(n_streams(0), 1);
    assert_both_up(0, 2);
    start(1);
    run_for(1100);
    check_all_up(3);
    check_frames(3);
}

/* Not even to itself. */
static void
test_without_peers_nobody_gets_frames(void **state OVS_UNUSED)
{
    give_keys(0, 0, 1);
    start(0);
    run_for(1000);
    assert_false(peering_is_self(nodes[0].peering));
    assert_int_equal(peering_peers(nodes[0].peering)->n_all, 0);
    assert_int_equal(n_targets(0), 0);
}

/* Which means that it is no peer's. */
static void
test_one_number_is_no_peers(void **state OVS_UNUSED)
{
    introduce_sealed(2);
    start(0);
    struct peers *peers = peering_peers(nodes[0].peering);
    const uint32_t path = peer_of(0, 1)->path;

    peers->last_path = PEERS_NO_PATH - 2;
    peers_renumber(peers, peer_of(0, 1));
    assert_int_equal(peer_of(0, 1)->path, PEERS_NO_PATH - 1);
    assert_ptr_equal(peers_by_path(peers, PEERS_NO_PATH - 1), peer_of(0, 1));
    assert_null(peers_by_path(peers, path));
    peers_renumber(peers, peer_of(0, 1));
    assert_in_range(peer_of(0, 1)->path, 1, 10);
    assert_null(peers_by_path(peers, PEERS_NO_PATH));
    assert_null(peers_by_path(peers, 0));
}

/* Hellos to one that never answers, and no frames. */
static void
test_nobody_answers(void **state OVS_UNUSED)
{
    introduce_sealed(2);
    start(0);
    for (int i = 0; i < 100; i++) {
        run_for(100);
        assert_int_equal(n_targets(0), 0);
        send_frame(0);
    }
    assert_state(0, 1, "silent");
    assert_true(peering_has_begun(nodes[0].peering));
}

/* Keys. */

static void
test_relays_with_different_keys_never_meet(void **state OVS_UNUSED)
{
    introduce(2);
    give_keys(0, 0, 1);
    give_keys(1, 1, 1);
    start(0);
    start(1);
    run_for(60000);
    for (size_t i = 0; i < 2; i++) {
        assert_state(i, !i, "silent");
        assert_int_equal(n_targets(i), 0);
        assert_int_equal(n_streams(i), 0);
        assert_int_equal(n_remotes(i), 0);
        assert_int_equal(nodes[i].n_drops[DROP_SEAL], nodes[!i].n_said);
    }

    /* Until one gets the other's. */
    give_keys(1, 0, 1);
    run_for(31000);
    check_all_up(2);
    check_frames(2);
}

/* One of the two is not sealed. */
static void
test_sealed_and_plain_relays_never_meet(void **state OVS_UNUSED)
{
    introduce(2);
    give_keys(0, 0, 1);
    start(0);
    start(1);
    for (int i = 0; i < 60; i++) {
        run_for(1000);
        send_frame(0);
        send_frame(1);
    }
    run_for(2);
    assert_state(0, 1, "silent");
    assert_state(1, 0, "silent");
    assert_int_equal(n_targets(0), 0);
    assert_int_equal(nodes[0].n_frames, 0);
    assert_int_equal(nodes[1].n_frames, 0);
    assert_int_equal(nodes[0].n_drops[DROP_UNSEALED], nodes[1].n_said + 60);
    assert_int_equal(nodes[1].n_drops[DROP_SEALED], nodes[0].n_said);
}

static void
test_what_is_not_sealed_is_refused(void **state OVS_UNUSED)
{
    start_sealed(2);
    const uint64_t id = nodes[1].id, session = session_of(1);
    const struct made all[] = {
        make_snowsignal(),
        make_frame(id, session, 0),
        make_hello(id, session, &plain_hello),
        make(WIRE_TYPE_BYE, id, session, 0, NULL, 0),
        make(99, id, session, 0, NULL, 0),
        make_own_hello(peer_of(0, 1)),
        { .bytes = "", .length = 0 },
        { .bytes = "S", .length = 1 },
        { .bytes = "XX and more", .length = 11 },
    };

    accept_from(0, "10.0.9.0/24");
    give_keys(0, 0, 1);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_dropped(0, "10.0.0.2", all[i], DROP_UNSEALED);
        assert_dropped(0, "10.0.9.1", all[i], DROP_UNSEALED);
        assert_dropped(0, "192.0.2.1", all[i], DROP_UNSEALED);
    }
    check_all_up(2);
    assert_int_equal(peer_of(0, 1)->rx, 0);
}

/* What is sealed means nothing without a key, whoever sends it. */
static void
test_what_is_sealed_is_refused_without_a_key(void **state OVS_UNUSED)
{
    const struct made m = { .bytes = "SE and more", .length = 11 };

    start_all(2);
    assert_dropped(0, "10.0.0.2", m, DROP_SEALED);
    assert_dropped(0, "10.0.0.3", m, DROP_UNKNOWN_SENDER);
    assert_both_up(0, 1);
}

static void
test_what_is_too_long_is_dropped(void **state OVS_UNUSED)
{
    const struct endpoint from = endpoint_of("10.0.0.2");
    const struct made sealed = { .bytes = "SE and more", .length = 11 };
    const struct made plain = make_snowsignal();
    int reason;

    start_sealed(2);
    assert_int_equal(
        take_from(0, &from, sealed.bytes, sealed.length, true, &reason),
        PEERING_DROP);
    assert_int_equal(reason, FRAME_OVERSIZE);
    assert_int_equal(
        take_from(0, &from, plain.bytes, plain.length, true, &reason),
        PEERING_DROP);
    assert_int_equal(reason, DROP_UNSEALED);
}

/* Sends a frame of each and lets a few ms go by, for 'ms'. */
static void
send_on(size_t n, unsigned int ms)
{
    for (unsigned int k = 0; k < ms; k += 5) {
        for (size_t i = 0; i < n; i++) {
            send_frame(i);
        }
        run_for(5);
    }
}

/* As it is to be done: taken besides by all, sealed with by all, alone. */
static void
test_keys_change_without_loss(void **state OVS_UNUSED)
{
    enum { N = 3 };
    static const struct {
        size_t first, n;
    } steps[] = { { 0, 2 }, { 1, 2 }, { 1, 1 }, { 1, 2 }, { 2, 2 }, { 2, 1 } };

    /* {1, 2} has the second key first, and the third one besides. */
    net.delay[0][1] = 7000;
    net.delay[2][0] = 4000;
    start_sealed(N);
    const uint32_t first = net.n_frames;
    const long long int since = peer_of(0, 1)->liveness.since;

    send_on(N, 1000);
    for (size_t step = 0; step < ARRAY_SIZE(steps); step++) {
        for (size_t i = 0; i < N; i++) {
            struct seal_keys *keys = &nodes[i].config.keys;

            give_keys(i, steps[step].first, steps[step].n);
            if (step == 1) {
                keys->all[1] = mesh_keys[0]; /* The old one is still taken. */
            } else if (step == 4) {
                keys->all[1] = mesh_keys[1];
            }
            peering_configure(nodes[i].peering, &nodes[i].config);
            update(i);
            send_on(N, 100);
        }
        send_on(N, 1500);
        check_all_up(N);
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j < N; j++) {
                if (i != j) {
                    assert_int_equal(peer_of(i, j)->remote->key_id,
                                     nodes[j].config.keys.all[0].id);
                }
            }
        }
    }
    run_for(100);
    for (uint32_t number = first; number < net.n_frames; number++) {
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(has_taken(i, number),
                             net.frame_sender[number] != i);
        }
    }
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(nodes[i].n_drops[DROP_SEAL], 0);
        assert_int_equal(nodes[i].n_drops[DROP_REPLAY], 0);
        assert_int_equal(n_streams(i), N - 1);
    }
    assert_true(peer_of(0, 1)->liveness.since == since);
}

/* Also without the step between: then what is under way is lost, and no more.
 */
static void
test_keys_that_change_at_once(void **state OVS_UNUSED)
{
    start_sealed(2);
    for (size_t key = 1; key < N_KEYS; key++) {
        give_keys(0, key, 1);
        give_keys(1, key, 1);
        run_for(2);
        check_frames(2);
        check_all_up(2);
    }
}

/* A mesh that begins, or ceases, to be sealed. */
static void
test_a_mesh_is_sealed_from_now_on(void **state OVS_UNUSED)
{
    start_all(2);
    for (int i = 0; i < 3; i++) {
        give_keys(0, 0, 1);
        give_keys(1, 0, 1);
        run_for(2100);
        check_all_up(2);
        check_frames(2);
        give_keys(0, 0, 0);
        give_keys(1, 0, 0);
        run_for(2100);
        check_all_up(2);
        check_frames(2);
    }
}

/* Strangers. */

/* Who has the key is heard, whoever he is: a hub needs no list. */
static void
test_a_hub_without_peers(void **state OVS_UNUSED)
{
    enum { N = 4 };

    for (size_t i = 0; i < N; i++) {
        give_keys(i, 0, 1);
        if (i) {
            know(i, "10.0.0.1");
        }
    }
    start(0);
    assert_int_equal(n_targets(0), 0);
    for (size_t i = 1; i < N; i++) {
        start(i);
    }
    run_for(20);
    for (int seconds = 0; seconds < 60; seconds++) {
        for (size_t i = 1; i < N; i++) {
            assert_state(i, 0, "up");
            assert_int_equal(peer_of(i, 0)->liveness.rtt, 2000);
            assert_int_equal(peer_of(i, 0)->liveness.unheard, 0);
            const uint32_t number = send_frame(i);
            run_for(2);
            assert_true(has_taken(0, number));
        }
        run_for(1000 - 2 * (N - 1));
    }
    assert_int_equal(n_streams(0), N - 1);
    assert_int_equal(n_remotes(0), N - 1);
    assert_int_equal(nodes[0].n_drops[DROP_REPLAY], 0);

    /* It answers, and says no more. */
    assert_in_range(nodes[0].n_said, 60 * (N - 1), 64 * (N - 1));

    /* It starts anew. */
    stop(0);
    start(0);
    run_for(2500);
    for (size_t i = 1; i < N; i++) {
        assert_state(i, 0, "up");
        const uint32_t number = send_frame(i);
        run_for(2);
        assert_true(has_taken(0, number));
    }

    /* And falls silent. */
    stop(0);
    run_for(4000);
    assert_state(1, 0, "down");
}

/* Nobody is told that who leaves is there, whoever asks. */
static void
test_who_has_left_answers_no_stranger(void **state OVS_UNUSED)
{
    for (int i = 0; i < 2; i++) {
        set_up(NULL);
        give_keys(0, 0, 1);
        give_keys(1, 0, 1);
        know(1, "10.0.0.1");
        start(0);
        if (i) {
            start(1);
            run_for(500);
            assert_state(1, 0, "up");
        }
        peering_leave(nodes[0].peering, &nodes[0].mesh);
        const size_t n_said = nodes[0].n_said;
        if (!i) {
            start(1);
        }
        run_for(5000);
        assert_int_equal(nodes[0].n_said, n_said);
        assert_state(1, 0, i ? "down" : "silent");
        tear_down(NULL);
    }
}

/* Several ways. */

static void
add_way(size_t i, const char *address, const char *source, long long int delay)
{
    struct way *way = &nodes[i].ways[nodes[i].n_ways++];

    *way = (struct way){ .address = endpoint_of(address), .delay = delay };
    if (source) {
        way->source = endpoint_of(source);
    }
}

/* One relay that another one knows by two addresses: one gets frames, and both
 * are up. */
static void
test_two_addresses_of_one_relay(void **state OVS_UNUSED)
{
    for (int i = 0; i < 2; i++) {
        set_up(NULL);
        /* The second time what is sent there comes from where nobody is known
         * to be. */
        add_way(1, "10.0.0.102", i ? "10.0.9.1" : NULL, 10000);
        add_way(0, "10.0.9.1", NULL, 0);
        introduce_sealed(2);
        know(0, "10.0.0.102");
        start(0);
        start(1);
        run_for(4000);
        for (int seconds = 0; seconds < 60; seconds++) {
            const struct peer *first = peer_of(0, 1);
            const struct peer *second =
                find_peer_at(0, &nodes[1].ways[0].address);

            assert_int_equal(first->liveness.state, LIVENESS_UP);
            assert_int_equal(second->liveness.state, LIVENESS_UP);
            assert_ptr_equal(first->remote, second->remote);
            assert_int_equal(first->liveness.rtt, 2000);
            assert_int_equal(second->liveness.rtt, 12000);
            assert_int_equal(first->liveness.unheard, 0);
            assert_int_equal(second->liveness.unheard, 0);
            assert_int_equal(n_targets(0), 1);
            assert_int_equal(n_targets(1), 1);
            assert_state(1, 0, "up");
            check_frames(2);
            run_for(990);
        }
        assert_int_equal(nodes[0].n_drops[DROP_REPLAY], 0);
        assert_int_equal(nodes[1].n_drops[DROP_REPLAY], 0);
        assert_int_equal(n_streams(1), 2);
        tear_down(NULL);
    }
}

/* Recorders. */

/* Hands the 'k'th record to node 'i', as from 'from'.  It is never a frame,
 * and is answered to no more than one datagram. */
static void
replay_from(size_t k, size_t i, const struct endpoint *from)
{
    const struct flight *f = &net.records_all[k];
    int reason;

    if (nodes[i].peering) {
        assert_int_not_equal(
            take_from(i, from, f->bytes, f->length, false, &reason),
            PEERING_FRAME);
    }
}

/* Hands any record to any of the first 'n' nodes, as from any address. */
static void
replay_any(size_t n)
{
    const size_t k = next_random(&net.seed) % net.n_records;
    const struct flight f = net.records_all[k];
    struct endpoint from = f.from;
    size_t i = node_at(&f.to);

    switch (next_random(&net.seed) % 4) {
    case 0: from = nodes[next_random(&net.seed) % n].source; break;
    case 1: from = endpoint_of("192.0.2.66"); break;
    case 2: from.port = next_random(&net.seed) % 65535 + 1; break;
    default: break;
    }
    if (i >= n || next_random(&net.seed) % 2) {
        i = next_random(&net.seed) % n;
    }
    replay_from(k, i, &from);
}

/* Stops and starts node 'i'. */
static void
restart(size_t i)
{
    stop(i);
    start(i);
}

/* Everything that was ever sent, at any later time and to whomever, is no
 * frame, changes nobody's state, and leaves nothing behind. */
static void
test_what_was_recorded_changes_nothing(void **state OVS_UNUSED)
{
    enum { N = 3, STEPS = 3000 };

    net.records = true;
    start_sealed(N);
    for (int i = 0; i < 8; i++) {
        send_on(N, 700);
        restart(i % N);
        run_for(1100);
    }
    send_on(N, 3000);
    check_all_up(N);
    assert_true(net.n_records > 4000);

    size_t streams[N], remotes[N];
    for (size_t i = 0; i < N; i++) {
        streams[i] = n_streams(i);
        remotes[i] = n_remotes(i);
    }
    for (int step = 0; step < STEPS; step++) {
        for (size_t k = next_random(&net.seed) % 8; k < 8; k++) {
            replay_any(N);
            check_all_up(N);
        }
        run_for(next_random(&net.seed) % 30);
        check_all_up(N);
        for (size_t i = 0; i < N; i++) {
            /* One more of each relay: its answers to strangers, as which its
             * peers' hellos may be brought to it. */
            assert_true(n_streams(i) <= streams[i] + N - 1);
            assert_true(n_remotes(i) <= remotes[i]);
        }
        if (step % 100 == 0) {
            check_frames(N);
        }
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            assert_true(i == j || peer_of(i, j)->remote->window.lost == 0);
        }
    }
}

/* Nor does it show who is not there to be there. */
static void
test_the_dead_stay_dead(void **state OVS_UNUSED)
{
    enum { N = 3 };

    net.records = true;
    start_sealed(N);
    send_on(N, 2000);
    restart(1);
    run_for(2000);
    send_on(N, 500);
    stop(1);
    run_for(5000);
    assert_state(0, 1, "down");
    assert_state(2, 1, "down");
    for (int step = 0; step < 3000; step++) {
        for (int k = 0; k < 5; k++) {
            replay_any(N);
        }
        run_for(next_random(&net.seed) % 20);
        assert_state(0, 1, "down");
        assert_state(2, 1, "down");
        assert_both_up(0, 2);
    }
    start(1);
    run_for(1100);
    check_all_up(N);
    check_frames(N);
}

/* Each by itself and in its order, as it was sent, to who has started anew. */
static void
test_a_session_is_played_again(void **state OVS_UNUSED)
{
    net.records = true;
    start_sealed(2);
    send_on(2, 3000);
    run_for(100);
    stop(0);
    stop(1);
    net.records = false;
    const size_t n = net.n_records;

    for (size_t alone = 0; alone < 2; alone++) {
        start(alone);
        run_for(500);
        for (size_t k = 0; k < n; k++) {
            const struct flight *f = &net.records_all[k];

            for (size_t i = 0; i < 2; i++) {
                replay_from(k, i, &f->from);
                run_for(k % 3);
            }
        }
        assert_state(alone, !alone, "silent");
        assert_int_equal(n_streams(alone), 0);
        assert_int_equal(n_remotes(alone), 0);
        assert_int_equal(n_targets(alone), 0);
        stop(alone);
    }
}

/* Not even at once: before the other one could have answered. */
static void
test_hellos_that_are_sent_back(void **state OVS_UNUSED)
{
    net.records = true;
    introduce_sealed(2);
    start(0);
    for (int i = 0; i < 100; i++) {
        run_for(100);
        const size_t n = net.n_records;

        for (size_t k = 0; k < n; k++) {
            replay_from(k, 0, &nodes[1].address);
            replay_from(k, 0, &nodes[0].address);
        }
        assert_true(peer_of(0, 1)->role == PEER_OTHER);
        assert_int_equal(n_streams(0), 0);
    }
    assert_state(0, 1, "silent");
    start(1);
    run_for(1004);
    check_all_up(2);
    check_frames(2);
}

/* A hello to one relay means nothing to another one.  What that one answers
 * must not be taken for an answer of the first. */
static void
test_a_hello_that_goes_to_somebody_else(void **state OVS_UNUSED)
{
    enum { N = 3 };

    net.records = true;
    start_sealed(N);
    for (int i = 0; i < 300; i++) {
        const size_t first = net.n_records;

        run_for(20);
        for (size_t k = first; k < net.n_records; k++) {
            const struct flight f = net.records_all[k];

            for (size_t to = 0; to < N; to++) {
                replay_from(k, to, &f.from);
            }
        }
        for (int ms = 0; ms < 5; ms++) {
            run_for(1);
            check_all_up(N);
        }
        check_frames(N);
    }
}

/* The hellos to one that has never answered are brought to another one, whose
 * challenge does not show that it is there. */
static void
test_a_hello_to_nobody_goes_to_somebody_else(void **state OVS_UNUSED)
{
    introduce_sealed(3);
    start(0);
    start(2);
    run_for(500);
    assert_both_up(0, 2);
    net.records = true;
    for (int i = 0; i < 1000; i++) {
        size_t k = net.n_records;

        run_for(100);
        for (const size_t end = net.n_records; k < end; k++) {
            struct flight f = net.records_all[k];
            struct hello h;
            struct wire w;

            if (node_at(&f.to) != 1 || node_at(&f.from) != 0) {
                continue;
            }
            look_into(f.bytes, f.length, &w);
            if (w.kind == WIRE_HELLO && hello_decode(w.body, w.length, &h)
                && !h.answers) {
                replay_from(k, 2, &f.from);
            }
        }
        run_for(3);
        assert_state(0, 1, "silent");
        assert_both_up(0, 2);
    }
    assert_int_equal(n_streams(2), 1);
}

/* Whatever is sent is brought to everybody at once.  A frame is taken by who
 * it is for, once, and by nobody else. */
static void
test_frames_are_for_one_relay(void **state OVS_UNUSED)
{
    enum { N = 3 };

    net.records = true;
    start_sealed(N);
    for (int i = 0; i < 60; i++) {
        const uint32_t first_frame = net.n_frames;
        size_t first = net.n_records;

        /* Each is dead for a while, so that the others' numbers for each other
         * are ahead of those for it. */
        if (i % 10 == 5) {
            stop(i / 10 % N);
        } else if (i % 10 == 9) {
            start(i / 10 % N);
        }
        for (int ms = 0; ms < 300; ms++) {
            for (size_t j = 0; j < N; j++) {
                if (nodes[j].peering && ms % 10 == 0) {
                    send_frame(j);
                }
            }
            run_for(1);
            for (const size_t end = net.n_records; first < end; first++) {
                const struct flight f = net.records_all[first];

                for (size_t to = 0; to < N; to++) {
                    if (to != node_at(&f.to)) {
                        replay_from(first, to, &f.from);
                    }
                }
            }
        }
        assert_true(net.n_frames - first_frame >= 60);
    }
}

/* Hellos of a session that has ended make the one who answers look deaf. */
static void
test_hellos_of_a_session_that_has_ended(void **state OVS_UNUSED)
{
    net.records = true;
    start_sealed(2);
    run_for(5000);
    net.records = false;
    restart(0);
    run_for(2000);
    check_all_up(2);
    for (int i = 0; i < 1000; i++) {
        const size_t k = next_random(&net.seed) % net.n_records;

        replay_from(k, 1, &nodes[0].address);
        replay_from(k, 0, &nodes[1].address);
        run_for(7);
        check_all_up(2);
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(peer_of(j, !j)->liveness.unheard, 0);
            assert_int_equal(peer_of(j, !j)->liveness.rtt, 2000);
        }
    }
}

/* What was lost on its way, and recorded before that, is the one thing that a
 * recorder can still hand over.  It does not bring back a session that has
 * ended. */
static void
test_what_never_came_does_not_bring_back_a_session(void **state OVS_UNUSED)
{
    net.records = true;
    start_sealed(2);
    run_for(1000);
    const size_t first = net.n_records;

    net.cut[0][1] = true; /* From here on it hears nothing. */
    send_on(1, 1100);
    const size_t end = net.n_records;
    restart(0);
    net.cut[0][1] = false;
    run_for(2000);
    restart(0);
    run_for(2000);
    check_all_up(2);
    for (size_t k = first; k < end; k++) {
        const struct flight *f = &net.records_all[k];
        int reason;

        if (node_at(&f->to) == 1) {
            assert_int_equal(
                take_from(1, &f->from, f->bytes, f->length, false, &reason)
                    == PEERING_FRAME,
                false);
            check_all_up(2);
        }
    }
    check_frames(2);
}

/* Answers to who proves nothing. */

/* Makes the hello of a relay that has the key of 'sealer', as its first one.
 */
static struct made
seal_hello(struct sealer *sealer, uint64_t id, const struct hello *h)
{
    uint8_t body[WIRE_RELAY_ID_LEN + HELLO_MAX_LEN];
    struct made m;

    wire_encode_relay_id(body, id);
    m.length =
        seal(sealer, WIRE_TYPE_HELLO, 0, body,
             WIRE_RELAY_ID_LEN
                 + hello_encode(h, body + WIRE_RELAY_ID_LEN, HELLO_MAX_LEN),
             m.bytes);
    return m;
}

static void
test_answers_to_strangers_are_limited(void **state OVS_UNUSED)
{
    struct sealer sealer = { .counter = 0 };

    give_keys(0, 0, 1);
    start(0);
    sealer_set(&sealer, &mesh_keys[0], 7, 7, 7);
    const struct made m = seal_hello(&sealer, 7, &plain_hello);
    for (int i = 0; i < 2000; i++) {
        char from[INET6_ADDRSTRLEN];

        snprintf(from, sizeof from, "10.9.%d.%d", i / 250, i % 250 + 1);
        assert_taken(0, from, m, PEERING_CONTROL);
    }

    /* Real time, which may go on as it likes meanwhile. */
    assert_in_range(nodes[0].n_said, MAX_STRANGERS, 500);
    assert_int_equal(n_streams(0), 0);
    assert_int_equal(n_remotes(0), 0);
}

static void
test_answers_to_peers_are_limited(void **state OVS_UNUSED)
{
    struct sealer sealer = { .counter = 0 };

    give_keys(0, 0, 1);
    know(0, "10.0.0.2");
    start(0);
    sealer_set(&sealer, &mesh_keys[0], 7, 7, 7);
    const struct made m = seal_hello(&sealer, 7, &plain_hello);
    const size_t first = nodes[0].n_said;

    for (int i = 0; i < 10 * ANSWERS_MS; i++) {
        assert_taken(0, "10.0.0.2", m, PEERING_CONTROL);
        net.now += 1000;
    }
    assert_int_equal(nodes[0].n_said - first, 10 * MAX_ANSWERS);
    assert_state(0, 1, "probing");
    assert_int_equal(n_streams(0), 0);
    assert_int_equal(n_remotes(0), 0);
}

/* What an answer to who proves nothing says, and what he must say to that. */
static void
test_what_proves_that_one_is_there(void **state OVS_UNUSED)
{
    static const struct {
        uint64_t session;  /* Another one than ours, by so much. */
        long long int ago; /* us. */
        bool proof;
    } all[] = {
        { 0, 0, true },
        { 0, 5000000, true },
        { 0, 10000000, true },
        { 0, 10000001, false },
        { 0, 60000000, false },
        { 0, -1, false },
        { 0, INT64_MIN / 2, false },
        { 1, 0, false },
        { UINT64_C(1) << 63, 0, false },
    };

    for (size_t i = 0; i < 2 * ARRAY_SIZE(all); i++) {
        const char *from = i % 2 ? "10.0.0.2" : "192.0.2.1";
        struct sealer sealer = { .counter = 0 };
        struct hello h = plain_hello;

        set_up(NULL);
        net.now = 3600000000;
        give_keys(0, 0, 1);
        know(0, "10.0.0.2");
        start(0);
        sealer_set(&sealer, &mesh_keys[0], 7, 7, 7);
        h.timestamp = 12345;
        const size_t first = nodes[0].n_said;
        assert_taken(0, from, seal_hello(&sealer, 7, &h), PEERING_CONTROL);
        const struct said *said = &nodes[0].said[first];
        assert_int_equal(nodes[0].n_said, first + 1);
        assert_true(said->hello.answer);
        assert_true(said->hello.answers);
        assert_true(said->hello.echo_session == 7);
        assert_true(said->hello.echo_timestamp == 12345);
        assert_true(said->hello.timestamp == (uint64_t) clock_us(0));
        assert_int_equal(said->hello.path == PEERS_NO_PATH, !(i % 2));
        assert_int_equal(n_streams(0), 0);

        h.echo_session = session_of(0) + all[i / 2].session;
        h.echo_timestamp = clock_us(0) - all[i / 2].ago;
        h.echo_path = said->hello.path;
        assert_taken(0, from, seal_hello(&sealer, 7, &h), PEERING_CONTROL);
        assert_int_equal(n_streams(0), all[i / 2].proof);
        assert_int_equal(n_remotes(0), all[i / 2].proof);
        if (i % 2) {
            assert_state(0, 1, all[i / 2].proof ? "up" : "probing");
        }
        tear_down(NULL);
    }
}

/* Which hellos of a stranger are answered once he has proved himself: not what
 * is an answer itself, unless it asks. */
static void
test_which_hellos_of_strangers_are_answered(void **state OVS_UNUSED)
{
    struct sealer sealer = { .counter = 0 };
    struct hello h = plain_hello;

    give_keys(0, 0, 1);
    start(0);
    sealer_set(&sealer, &mesh_keys[0], 7, 7, 7);
    h.echo_session = session_of(0);
    h.echo_timestamp = clock_us(0);
    for (int flags = 0; flags < 8; flags++) {
        h.answers = flags & 1;
        h.answer = flags & 2;
        const size_t first = nodes[0].n_said;
        assert_taken(0, "192.0.2.1", seal_hello(&sealer, 7, &h),
                     PEERING_CONTROL);
        assert_int_equal(nodes[0].n_said - first, !h.answers || h.answer);
        if (nodes[0].n_said > first) {
            const struct said *said = &nodes[0].said[first];

            assert_true(said->hello.answers);
            assert_false(said->hello.answer);
            assert_int_equal(said->hello.path, PEERS_NO_PATH);
            assert_int_equal(said->hello.echo_path, h.path);
            assert_true(said->hello.echo_session == 7);
        }
    }
    assert_int_equal(n_streams(0), 1);
}

/* A peer that is set aside is none, whoever sends from there. */
static void
test_strangers_at_an_address_set_aside(void **state OVS_UNUSED)
{
    struct sealer sealer = { .counter = 0 };

    introduce_sealed(2);
    start(0);
    assert_state(0, 0, "own");
    sealer_set(&sealer, &mesh_keys[0], 7, 7, 7);
    for (int i = 0; i < 2; i++) {
        struct hello h = plain_hello;
        const size_t first = nodes[0].n_said;

        if (i) {
            h.echo_session = session_of(0);
            h.echo_timestamp = clock_us(0);
        }
        assert_taken(0, "10.0.0.1", seal_hello(&sealer, 7, &h),
                     PEERING_CONTROL);
        assert_int_equal(nodes[0].n_said, first + 1);
        assert_int_equal(nodes[0].said[first].hello.path, PEERS_NO_PATH);
        assert_int_equal(n_streams(0), i);
        assert_state(0, 0, "own");
    }
}

/* However long a hello is its answer is no longer: take_from() sees to that.
 */
static void
test_answers_are_no_longer_than_hellos(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < 4; i++) {
        const bool sealed = i % 2, known = i / 2;

        for (size_t length = 0; length <= 200; length++) {
            struct sealer sealer = { .counter = 0 };
            uint8_t body[WIRE_RELAY_ID_LEN + HELLO_MAX_LEN + 250] = { 0 };
            uint8_t *hello = body + WIRE_RELAY_ID_LEN;
            struct hello h = plain_hello;
            struct made m;

            set_up(NULL);
            for (size_t k = 0; k < CONFIG_MAX_PORTS; k++) {
                nodes[0].config.ports[k] = k + 1;
            }
            nodes[0].config.n_ports = CONFIG_MAX_PORTS;
            give_keys(0, 0, sealed);
            if (known) {
                know(0, "10.0.0.2");
            } else {
                accept_from(0, "10.0.0.2");
            }
            start(0);
            peering_set_role(nodes[0].peering, RELAY_FORWARDING, 9);

            h.answer = true;
            size_t n = hello_encode(&h, hello, HELLO_MAX_LEN);
            if (length) {
                put16(hello + n + 2, length - 1);
                n += 4 + length - 1;
            }
            if (sealed) {
                wire_encode_relay_id(body, 7);
                sealer_set(&sealer, &mesh_keys[0], 7, 7, 7);
                m.length = seal(&sealer, WIRE_TYPE_HELLO, 0, body,
                                WIRE_RELAY_ID_LEN + n, m.bytes);
            } else {
                m = make(WIRE_TYPE_HELLO, 7, 7, 0, hello, n);
            }
            const size_t said = nodes[0].n_bytes_said;
            assert_taken(0, "10.0.0.2", m, PEERING_CONTROL);
            if (sealed || known) {
                assert_true(nodes[0].n_bytes_said > said);
            } else {
                assert_true(nodes[0].n_bytes_said == said);
            }
            tear_down(NULL);
        }
    }
}

/* Who asks gets an answer that leaves nothing out, however little it has to
 * say itself, since it asks with many bytes; later it says no more than it has
 * to.
 */
static void
test_who_asks_is_told_everything(void **state OVS_UNUSED)
{
    for (int sealed = 0; sealed < 2; sealed++) {
        set_up(NULL);
        for (size_t k = 0; k < CONFIG_MAX_PORTS; k++) {
            nodes[1].config.ports[k] = k + 1;
        }
        nodes[1].config.n_ports = CONFIG_MAX_PORTS;
        nodes[0].config.n_ports = 1;
        give_keys(0, 0, sealed);
        give_keys(1, 0, sealed);
        introduce(2);
        start(1);
        peering_set_role(nodes[1].peering, RELAY_FORWARDING, 9);
        peering_set_tunnel(nodes[1].peering, HELLO_GENEVE, 77);
        run_for(5100);
        start(0);
        run_for(3);
        const struct remote *remote = peer_of(0, 1)->remote;
        assert_non_null(remote);
        assert_int_equal(peer_of(0, 1)->tunnel.theirs.type, HELLO_GENEVE);
        assert_true(peer_of(0, 1)->tunnel.theirs.token
                    == peer_of(1, 0)->tunnel.token);
        assert_int_equal(remote->n_ports, CONFIG_MAX_PORTS);
        assert_int_equal(remote->role, RELAY_FORWARDING);

        run_for(5000);
        const size_t said = nodes[0].n_said, bytes = nodes[0].n_bytes_said;
        const size_t length =
            64 + 10 + 6
            + (sealed ? SEAL_OVERHEAD + WIRE_RELAY_ID_LEN : WIRE_HEADER_LEN);
        run_for(5000);
        assert_in_range(nodes[0].n_said - said, 4, 6);
        assert_int_equal(nodes[0].n_bytes_said - bytes,
                         (nodes[0].n_said - said) * length);
        tear_down(NULL);
    }
}

/* Whoever has the key, and is no peer, is told of no tunnel: its probes could
 * not be told from others'. */
static void
test_strangers_are_told_of_no_tunnel(void **state OVS_UNUSED)
{
    give_keys(0, 0, 1);
    give_keys(1, 0, 1);
    know(0, "10.0.0.2");
    start(0);
    start(1);
    peering_set_tunnel(nodes[0].peering, HELLO_VXLAN, 77);
    peering_set_tunnel(nodes[1].peering, HELLO_VXLAN, 77);
    run_for(3000);
    assert_state(0, 1, "up");
    assert_true(nodes[1].n_said > 0);
    for (size_t k = 0; k < nodes[1].n_said; k++) {
        assert_int_equal(nodes[1].said[k].hello.tunnel.type, HELLO_NO_TUNNEL);
    }
    assert_int_equal(peer_of(0, 1)->tunnel.theirs.type, HELLO_NO_TUNNEL);
    size_t n = 0;
    for (size_t k = 0; k < nodes[0].n_said; k++) {
        n += nodes[0].said[k].hello.tunnel.type == HELLO_VXLAN;
    }
    assert_true(n > 0);
}

/* Two relays with different numbers of ports: who answers the shorter hellos
 * by another way must not seem to change its role each time. */
static void
test_a_role_that_does_not_fit_is_no_change(void **state OVS_UNUSED)
{
    for (size_t n_ports = 2; n_ports <= CONFIG_MAX_PORTS; n_ports++) {
        for (int sealed = 0; sealed < 2; sealed++) {
            set_up(NULL);
            for (size_t k = 0; k < n_ports; k++) {
                nodes[1].config.ports[k] = k + 1;
            }
            nodes[1].config.n_ports = n_ports;
            nodes[0].config.n_ports = 1;
            add_way(1, "10.0.0.102", NULL, 10000);
            give_keys(0, 0, sealed);
            give_keys(1, 0, sealed);
            introduce(2);
            know(0, "10.0.0.102");
            start(0);
            start(1);
            peering_set_role(nodes[1].peering, RELAY_FORWARDING, 9);
            peering_set_tunnel(nodes[1].peering, HELLO_VXLAN, 77);
            run_for(3500);
            for (int i = 0; i < 100; i++) {
                const struct remote *remote = peer_of(0, 1)->remote;

                run_for(31);
                assert_int_equal(peer_of(0, 1)->tunnel.theirs.type,
                                 HELLO_VXLAN);
                assert_int_equal(remote->role, RELAY_FORWARDING);
                assert_true(remote->forwarder == 9);
                assert_int_equal(remote->n_ports, n_ports);
                assert_int_equal(remote->n_macs, 1);
            }
            tear_down(NULL);
        }
    }
}

/* How many frames a peer may send. */

/* Has 'n' frames of the relay 'id' come to node 0 from 'from', and returns how
 * many of them pass. */
static size_t
flood_frames(const char *from, uint64_t id, uint64_t first, size_t n)
{
    const size_t before = nodes[0].n_frames;
    const size_t limited = nodes[0].n_drops[DROP_RATE];

    for (size_t i = 0; i < n; i++) {
        int reason;

        if (take(0, from, make_frame(id, id, first + i), &reason)
            == PEERING_DROP) {
            assert_int_equal(reason, DROP_RATE);
        }
    }
    assert_int_equal(
        nodes[0].n_frames - before + nodes[0].n_drops[DROP_RATE] - limited, n);
    return nodes[0].n_frames - before;
}

/* Those of two seconds at once, and no more; each peer by itself, and all that
 * are accepted together.  The clock is the real one: some ms may go by. */
static void
test_frames_are_limited(void **state OVS_UNUSED)
{
    enum { RATE = 10, N = 200 };

    nodes[0].config.mesh_max_pps = RATE;
    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    accept_from(0, "10.0.9.0/24");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    const size_t n = flood_frames("10.0.0.2", 7, 0, N);
    assert_in_range(n, 2 * RATE, 6 * RATE);
    assert_int_equal(peer_of(0, 1)->rx_limited, N - n);
    assert_int_equal(peer_of(0, 1)->rx, N);
    assert_int_equal(nodes[0].n_drops[DROP_RATE], N - n);
    assert_int_equal(peer_of(0, 1)->remote->window.received, N);

    assert_in_range(flood_frames("10.0.0.3", 8, 0, N), 2 * RATE, 6 * RATE);
    assert_in_range(flood_frames("10.0.9.1", 9, 0, N), 2 * RATE, 6 * RATE);
    assert_in_range(flood_frames("10.0.9.2", 10, 0, N), 0, 4 * RATE);
    assert_int_equal(peer_of(0, 1)->rx_limited, N - n);

    /* By whatever address it is the relay's own bucket. */
    assert_in_range(flood_frames("10.0.9.2", 7, N, N), 0, 4 * RATE);
    assert_true(peer_of(0, 1)->rx_limited > N - n);

    /* Hellos are not counted, nor what has come already. */
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_dropped(0, "10.0.0.2", make_frame(7, 7, 0), DROP_DUPLICATE);
}

static void
test_the_limit_comes_back(void **state OVS_UNUSED)
{
    enum { RATE = 100, N = 1000 };

    nodes[0].config.mesh_max_pps = RATE;
    know(0, "10.0.0.2");
    start(0);
    assert_in_range(flood_frames("10.0.0.2", 7, 0, N), 2 * RATE, 5 * RATE);
    usleep(300000);
    assert_in_range(flood_frames("10.0.0.2", 7, N, N), RATE / 5, 8 * RATE);

    /* A new configuration and an update give nothing, and a greater limit
     * counts at once. */
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    assert_in_range(flood_frames("10.0.0.2", 7, 2 * N, N), 0, RATE);
    nodes[0].config.mesh_max_pps = 1000 * RATE;
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    usleep(50000);
    assert_int_equal(flood_frames("10.0.0.2", 7, 3 * N, N), N);
}

/* SnowSignal's too; those of the segment cost nothing. */
static void
test_other_frames_are_limited_too(void **state OVS_UNUSED)
{
    enum { RATE = 10, N = 200 };
    const uint64_t id = 8;
    size_t n = 0;

    nodes[0].config.mesh_max_pps = RATE;
    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    start(0);
    for (int i = 0; i < N; i++) {
        int reason;

        n += take(0, "10.0.0.2", make_snowsignal(), &reason) == PEERING_FRAME;
    }
    assert_in_range(n, 2 * RATE, 6 * RATE);
    assert_int_equal(nodes[0].n_drops[DROP_RATE], N - n);
    assert_int_equal(peer_of(0, 1)->rx_limited, N - n);

    peering_set_segment(nodes[0].peering, &id, 1);
    for (uint64_t i = 0; i < N; i++) {
        assert_dropped(0, "10.0.0.3", make_frame(id, id, i), DROP_SEGMENT);
    }
    assert_int_equal(nodes[0].n_drops[DROP_RATE], N - n);
}

/* And those of a sealed mesh, also of who is no peer. */
static void
test_sealed_frames_are_limited(void **state OVS_UNUSED)
{
    enum { RATE = 10, N = 200 };

    for (int known = 0; known < 2; known++) {
        set_up(NULL);
        nodes[0].config.mesh_max_pps = RATE;
        give_keys(0, 0, 1);
        give_keys(1, 0, 1);
        know(1, "10.0.0.1");
        if (known) {
            know(0, "10.0.0.2");
        }
        start(0);
        start(1);
        run_for(1500);
        for (int i = 0; i < N; i++) {
            send_frame(1);
        }
        run_for(2);
        assert_in_range(nodes[0].n_frames, 2 * RATE, 6 * RATE);
        assert_int_equal(nodes[0].n_drops[DROP_RATE], N - nodes[0].n_frames);
        if (known) {
            assert_int_equal(peer_of(0, 1)->rx_limited, N - nodes[0].n_frames);
        }
        assert_state(1, 0, "up");
        tear_down(NULL);
    }
}

/* At random. */

/* Something happens to the first 'n' nodes. */
static void
disturb(size_t n)
{
    size_t i = next_random(&net.seed) % n;
    size_t j = next_random(&net.seed) % n;

    switch (next_random(&net.seed) % 40) {
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
    case 4:
    case 5:
        if (!nodes[i].peering) {
            start(i);
        }
        break;
    case 6: net.cut[i][j] = net.cut[j][i] = true; break;
    case 7: net.cut[i][j] = true; break;
    case 8:
    case 9:
    case 10: net.cut[i][j] = net.cut[j][i] = false; break;
    case 11: memset(net.cut, 0, sizeof net.cut); break;
    case 12:
        if (nodes[i].peering) {
            update(i);
        }
        break;
    case 13: /* Two keys, either first; all have both at times. */
        give_keys(i, 0, 2);
        if (next_random(&net.seed) % 2) {
            const struct seal_key first = nodes[i].config.keys.all[0];

            nodes[i].config.keys.all[0] = nodes[i].config.keys.all[1];
            nodes[i].config.keys.all[1] = first;
            if (nodes[i].peering) {
                peering_configure(nodes[i].peering, &nodes[i].config);
                update(i);
            }
        }
        break;
    case 14: give_keys(i, next_random(&net.seed) % 2, 1); break;
    default:
        for (size_t k = next_random(&net.seed) % 8; nodes[i].peering && k < 8;
             k++) {
            send_frame(i);
        }
        break;
    }
}

/* Every frame comes once at most: deliver() sees to that; in the end all find
 * each other. */
static void
test_random_sealed_networks(void **state OVS_UNUSED)
{
    enum { ROUNDS = 8, STEPS = 3000 };

    for (uint32_t round = 0; round < ROUNDS; round++) {
        const size_t n = 3 + round % 3;

        set_up(NULL);
        introduce_sealed(n);
        net.seed = round + 1;
        net.jitter = 30000;
        net.loss = net.dups = 10;
        for (unsigned int step = 0; step < STEPS; step++) {
            disturb(n);
            run_for(65 + next_random(&net.seed) % 200);
        }
        /* Or it would prove little. */
        assert_true(nodes[0].n_frames > STEPS / 8);
        assert_true(nodes[0].n_drops[DROP_REPLAY] > STEPS / 50);

        memset(net.cut, 0, sizeof net.cut);
        net.loss = net.dups = net.jitter = 0;
        for (size_t i = 0; i < n; i++) {
            give_keys(i, 0, 1);
            if (!nodes[i].peering) {
                start(i);
            }
        }
        run_for(LIVENESS_MAX_PROBE_INTERVAL_MS + 5000);
        check_all_up(n);
        const uint32_t first = net.n_frames;
        send_on(n, 3000);
        run_for(100);
        for (uint32_t number = first; number < net.n_frames; number++) {
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(has_taken(i, number),
                                 net.frame_sender[number] != i);
            }
        }
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(nodes[i].n_drops[DROP_FORMAT], 0);
            assert_int_equal(nodes[i].n_drops[DROP_OWN], 0);
            assert_int_equal(nodes[i].n_drops[DROP_UNSEALED], 0);
        }
        tear_down(NULL);
    }
}

/* The same with somebody who plays again what he likes, all the time. */
static void
test_random_networks_with_a_recorder(void **state OVS_UNUSED)
{
    enum { N = 3, STEPS = 2000 };

    introduce_sealed(N);
    net.records = true;
    net.jitter = 20000;
    net.dups = 10;
    for (size_t i = 0; i < N; i++) {
        start(i);
    }
    for (int step = 0; step < STEPS; step++) {
        const size_t i = next_random(&net.seed) % N;

        for (size_t k = next_random(&net.seed) % 4; k < 4; k++) {
            send_frame(i);
        }
        if (step % 50 == 49) {
            restart(i);
        }
        run_for(30 + next_random(&net.seed) % 100);
        for (int k = 0; k < 3; k++) {
            const struct flight f =
                net.records_all[next_random(&net.seed) % net.n_records];
            struct endpoint to = f.to;

            /* deliver() sees to it that no frame counts twice. */
            if (next_random(&net.seed) % 2) {
                to = nodes[next_random(&net.seed) % N].address;
            }
            struct flight again = f;
            again.to = to;
            deliver(&again);
        }
    }
    net.jitter = net.dups = 0;
    run_for(3000);
    check_all_up(N);
    check_frames(N);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_two_relays_meet_within_one_and_a_half_round_trips),
        TEST(test_who_begins_plays_no_part),
        TEST(test_hellos_that_are_lost_are_made_up_for),
        TEST(test_a_relay_that_restarts),
        TEST(test_another_relay_at_the_same_address),
        TEST(test_a_relay_that_leaves),
        TEST(test_streams_of_the_dead_are_forgotten),
        TEST(test_without_peers_nobody_gets_frames),
        TEST(test_one_number_is_no_peers),
        TEST(test_nobody_answers),
        TEST(test_relays_with_different_keys_never_meet),
        TEST(test_sealed_and_plain_relays_never_meet),
        TEST(test_what_is_not_sealed_is_refused),
        TEST(test_what_is_sealed_is_refused_without_a_key),
        TEST(test_what_is_too_long_is_dropped),
        TEST(test_keys_change_without_loss),
        TEST(test_keys_that_change_at_once),
        TEST(test_a_mesh_is_sealed_from_now_on),
        TEST(test_a_hub_without_peers),
        TEST(test_who_has_left_answers_no_stranger),
        TEST(test_two_addresses_of_one_relay),
        TEST(test_what_was_recorded_changes_nothing),
        TEST(test_the_dead_stay_dead),
        TEST(test_a_session_is_played_again),
        TEST(test_hellos_that_are_sent_back),
        TEST(test_a_hello_that_goes_to_somebody_else),
        TEST(test_a_hello_to_nobody_goes_to_somebody_else),
        TEST(test_frames_are_for_one_relay),
        TEST(test_hellos_of_a_session_that_has_ended),
        TEST(test_what_never_came_does_not_bring_back_a_session),
        TEST(test_answers_to_strangers_are_limited),
        TEST(test_answers_to_peers_are_limited),
        TEST(test_what_proves_that_one_is_there),
        TEST(test_which_hellos_of_strangers_are_answered),
        TEST(test_strangers_at_an_address_set_aside),
        TEST(test_answers_are_no_longer_than_hellos),
        TEST(test_who_asks_is_told_everything),
        TEST(test_strangers_are_told_of_no_tunnel),
        TEST(test_a_role_that_does_not_fit_is_no_change),
        TEST(test_frames_are_limited),
        TEST(test_the_limit_comes_back),
        TEST(test_other_frames_are_limited_too),
        TEST(test_sealed_frames_are_limited),
        TEST(test_random_sealed_networks),
        TEST(test_random_networks_with_a_recorder),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests_name("peering-sealed", tests, NULL, NULL);
}
