/* SPDX-License-Identifier: Apache-2.0 */

/* What a relay makes of the datagrams that come to it: of hellos and what they
 * echo, of frames and byes, whoever they are from. */

#include <config.h>
#include "peering.h"

#include "support-peering.h"

#include "openvswitch/vlog.h"

/* As in the peering: see there. */
enum { MAX_ANSWERS = 16, ANSWERS_MS = 500 };

static struct made
make_bye(uint64_t id, uint64_t session)
{
    return make(WIRE_TYPE_BYE, id, session, 0, NULL, 0);
}

/* Formats. */

static void
test_versions_to_come_are_dropped(void **state OVS_UNUSED)
{
    struct made m = make_hello(7, 7, &plain_hello);

    know(0, "10.0.0.2");
    start(0);
    m.bytes[2] = WIRE_VERSION_MAX + 1;
    assert_dropped(0, "10.0.0.2", m, DROP_VERSION);
    m.bytes[2] = 255;
    assert_dropped(0, "10.0.0.2", m, DROP_VERSION);
    assert_state(0, 1, "probing");
    assert_int_equal(peer_of(0, 1)->rx, 0);
}

static void
test_wrong_formats_are_dropped(void **state OVS_UNUSED)
{
    const struct made whole = make_hello(7, 7, &plain_hello);
    const struct made all[] = {
        { .length = 0 },
        { .bytes = "S", .length = 1 },
        { .bytes = "XX and more", .length = 11 },
        make(0, 7, 7, 7, NULL, 0),
        make(99, 7, 7, 7, NULL, 0),
        make(WIRE_TYPE_HELLO, 7, 7, 7, NULL, 0),
    };

    know(0, "10.0.0.2");
    start(0);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_dropped(0, "10.0.0.2", all[i], DROP_FORMAT);
    }
    for (size_t length = 0; length < whole.length; length++) {
        struct made m = whole;

        /* But for where its items end a hello cannot be cut. */
        m.length = length;
        if (length != WIRE_HEADER_LEN + 64
            && length != WIRE_HEADER_LEN + 64 + 4) {
            assert_dropped(0, "10.0.0.2", m, DROP_FORMAT);
        }
    }
    assert_state(0, 1, "probing");
    assert_taken(0, "10.0.0.2", whole, PEERING_CONTROL);
    assert_state(0, 1, "up");
}

static void
test_what_is_too_long_is_dropped(void **state OVS_UNUSED)
{
    const struct made all[] = {
        make_snowsignal(),
        make_frame(7, 7, 7),
        make_hello(7, 7, &plain_hello),
    };
    const struct endpoint from = endpoint_of("10.0.0.2");

    know(0, "10.0.0.2");
    start(0);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        int reason;

        assert_int_equal(
            take_from(0, &from, all[i].bytes, all[i].length, true, &reason),
            PEERING_DROP);
        assert_int_equal(reason, FRAME_OVERSIZE);
    }
    assert_state(0, 1, "probing");
    assert_int_equal(peer_of(0, 1)->rx, 0);
}

/* One of which the format is not known is sent no frames in it. */
static void
test_a_relay_of_other_versions(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    h.version_min = h.version_max = WIRE_VERSION_MAX + 1;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_int_equal(n_targets(0), 1);
    assert_false(peer_of(0, 1)->speaks_ours);

    /* Until it speaks ours as well. */
    h.version_min = WIRE_VERSION_MAX;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_true(peer_of(0, 1)->speaks_ours);
    h.version_min = h.version_max;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_false(peer_of(0, 1)->speaks_ours);
}

/* Sending to a relay from one of SnowSignal's ports, a new one each time. */
static void
test_snowsignal_sends_from_any_port(void **state OVS_UNUSED)
{
    struct endpoint from = endpoint_of("10.0.0.2");
    const struct made m = make_snowsignal();
    int reason;

    know(0, "10.0.0.2");
    start(0);
    from.port = 40000;
    assert_int_equal(take_from(0, &from, m.bytes, m.length, false, &reason),
                     PEERING_FRAME);
    assert_state(0, 1, "snowsignal");
}

/* Its MACs leave, and so does what else was known of the relay. */
static void
test_a_downgraded_node_is_snowsignals(void **state OVS_UNUSED)
{
    size_t n;

    start_all(2);
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    stop(1);
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    assert_state(0, 1, "up");
    run_for(4000);
    assert_state(0, 1, "down");
    run_for(1000);
    assert_false(peering_macs_changed(nodes[0].peering, clock_us(0)));

    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    assert_state(0, 1, "snowsignal");
    assert_reason(0, 1, "it sends SnowSignal's format and no hellos");
    assert_null(peer_of(0, 1)->remote);
    assert_false(peer_of(0, 1)->speaks_ours);
    assert_int_equal(n_targets(0), 1);
    run_for(200);
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 0);
}

/* One that does not hear us sends in SnowSignal's format and is a relay all
 * the same. */
static void
test_hellos_count_more_than_formats(void **state OVS_UNUSED)
{
    start_all(2);
    for (int i = 0; i < 10; i++) {
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
        run_for(500);
        assert_state(0, 1, "up");
    }
}

/* Hellos. */

static void
test_what_hellos_say_is_known(void **state OVS_UNUSED)
{
    start_all(2);
    for (size_t i = 0; i < 2; i++) {
        const struct remote *remote = peer_of(i, !i)->remote;

        assert_non_null(remote);
        assert_true(remote->id == nodes[!i].id);
        assert_true(remote->session == session_of(!i));
        assert_int_equal(remote->version, WIRE_VERSION_MAX);
        assert_int_equal(remote->n_macs, 1);
        assert_true(eth_addr_equals(remote->macs[0], nodes[!i].mac));
        assert_int_equal(remote->n_ports, 2);
        assert_int_equal(remote->ports[0], 5076);
        assert_int_equal(remote->ports[1], 6000 + !i);
    }
}

/* A peer may become another relay. */
static void
test_another_relay_at_the_same_address(void **state OVS_UNUSED)
{
    size_t n;

    start_all(2);
    nodes[1].id = 0x777;
    nodes[1].mac.ea[5] = 0x77;
    stop(1);
    start(1);
    run_for(2);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->remote->id == 0x777);
    assert_true(peer_of(0, 1)->speaks_ours);
    run_for(200);
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    const struct eth_addr *macs = peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 1);
    assert_true(eth_addr_equals(macs[0], nodes[1].mac));
}

/* Times that cannot be are not taken for round-trip times. */
static void
test_impossible_round_trip_times(void **state OVS_UNUSED)
{
    static const struct {
        long long int timestamp; /* As far as it is before now, us. */
        uint32_t held;
        uint32_t rtt;
    } all[] = {
        { 0, 0, 1 },
        { 700, 200, 500 },
        { 700, 701, 0 },
        { -1, 0, 0 },
        { HELLO_MAX_INTERVAL_MS * 1000LL - 1, 0, 59999999 },
        { HELLO_MAX_INTERVAL_MS * 1000LL, 0, 0 },
        { 1LL << 62, 0, 0 },

        /* What has not heard us for so long does not count. */
        { 2999999 + 5, 2999999, 5 },
        { 3000000 + 5, 3000000, 0 },
        { UINT32_MAX + 5LL, UINT32_MAX, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct hello h = plain_hello;

        set_up(NULL);
        know(0, "10.0.0.2");
        start(0);
        h.echo_path = peer_of(0, 1)->path;
        h.echo_session = session_of(0);
        h.echo_timestamp = clock_us(0) - all[i].timestamp;
        h.held = all[i].held;
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
        assert_state(0, 1, "up");
        assert_int_equal(peer_of(0, 1)->liveness.rtt, all[i].rtt);
        tear_down(NULL);
    }
}

/* An echo of what was not said to this peer, in this session, does not show
 * that it hears us. */
static void
test_an_echo_of_something_else(void **state OVS_UNUSED)
{
    static const struct {
        uint32_t path;
        uint64_t session;
    } wrong[] = { { 1, 0 }, { 0, 1 } };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct hello h = plain_hello;

        set_up(NULL);
        know(0, "10.0.0.2");
        start(0);
        h.echo_path = peer_of(0, 1)->path + wrong[i].path;
        h.echo_session = session_of(0) + wrong[i].session;
        h.echo_timestamp = clock_us(0) - 500;
        for (int k = 0; k <= LIVENESS_MAX_MISSED; k++) {
            assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
            assert_int_equal(peer_of(0, 1)->liveness.rtt, 0);
            assert_int_equal(peer_of(0, 1)->liveness.unheard, k);
        }
        assert_state(0, 1, "suspect");
        tear_down(NULL);
    }
}

/* Answering. */

/* Node 0 gets a hello with the flag 'answer' every ms, for 'ms'.  Returns how
 * many it says meanwhile. */
static size_t
flood(unsigned int ms, bool answer)
{
    struct hello h = plain_hello;
    const size_t first = nodes[0].n_said;

    h.answer = answer;
    for (unsigned int i = 0; i < ms; i++) {
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
        net.now += 1000;
    }
    return nodes[0].n_said - first;
}

static void
test_answers_are_limited(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    assert_int_equal(flood(1, true), 1); /* At once. */
    assert_int_equal(flood(ANSWERS_MS - 1, true), MAX_ANSWERS - 1);
    assert_int_equal(flood(1, true), 1);
    net.now += 1000000;
    assert_int_equal(flood(10 * ANSWERS_MS, true), 10 * MAX_ANSWERS);
}

/* Each peer by itself. */
static void
test_the_limit_is_each_peers_own(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    start(0);
    h.answer = true;
    assert_int_equal(flood(2 * MAX_ANSWERS, true), MAX_ANSWERS);
    assert_taken(0, "10.0.0.3", make_hello(8, 8, &h), PEERING_CONTROL);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, 2 + MAX_ANSWERS + 1);
    assert_int_equal(n_hellos(0, &nodes[2].address, 2), 1);
}

static void
test_who_does_not_ask_gets_no_answer(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    assert_int_equal(flood(1000, false), 0);
}

/* What an answer says of the hello that it answers. */
static void
test_an_answer_echoes(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_int_equal(nodes[0].said[0].hello.echo_path, 0);
    assert_true(nodes[0].said[0].hello.echo_session == 0);
    h.answer = true;
    h.path = UINT32_MAX;
    h.timestamp = UINT64_MAX;
    assert_taken(0, "10.0.0.2", make_hello(7, UINT64_MAX - 1, &h),
                 PEERING_CONTROL);
    const struct said *answer = &nodes[0].said[1];
    assert_int_equal(answer->hello.version_min, WIRE_VERSION_MIN);
    assert_int_equal(answer->hello.version_max, WIRE_VERSION_MAX);
    assert_false(answer->hello.answer);
    assert_int_equal(answer->hello.interval, 1000);
    assert_int_equal(answer->hello.echo_path, UINT32_MAX);
    assert_true(answer->hello.echo_session == UINT64_MAX - 1);
    assert_true(answer->hello.echo_timestamp == UINT64_MAX);
    assert_int_equal(answer->hello.held, 0);
    assert_true(answer->session == session_of(0));

    /* The next one in its turn. */
    net.cut[0][1] = true;
    run_for(1000);
    assert_int_equal(nodes[0].said[2].hello.held, 1000000);
}

/* What is held longer than can be said. */
static void
test_a_hello_held_for_hours(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    net.now += 2LL * UINT32_MAX;
    run_node(0);
    assert_int_equal(nodes[0].said[nodes[0].n_said - 1].hello.held,
                     UINT32_MAX);
}

/* Hellos by another way. */

/* A hello by another way is answered at once, whether it asks or not, and what
 * is echoed in turn stays the same. */
static void
test_a_hello_from_elsewhere_is_answered(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    run_node(0);
    run_for(400);
    const size_t first = nodes[0].n_said;
    const long long int next = peer_of(0, 1)->liveness.next_hello;

    h.path = 2;
    h.timestamp = 12345;
    for (size_t k = 0; k < 2; k++) {
        const struct said *said = &nodes[0].said[first + k];

        h.answer = false;
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
        assert_int_equal(nodes[0].n_said, first + k + 1);
        assert_true(said->hello.answers);
        assert_false(said->hello.answer);
        assert_int_equal(said->hello.echo_path, 2);
        assert_true(said->hello.echo_session == 7);
        assert_true(said->hello.echo_timestamp == 12345);
        assert_int_equal(said->hello.held, 0);
        assert_true(said->when == clock_us(0));
        assert_int_equal(said->hello.path, peer_of(0, 1)->path);
    }
    assert_true(peer_of(0, 1)->liveness.next_hello == next);
    assert_int_equal(peer_of(0, 1)->echo.path, 1);
    run_for(1000);
    assert_int_equal(nodes[0].n_said, first + 3);
    assert_false(nodes[0].said[first + 2].hello.answers);
    assert_int_equal(nodes[0].said[first + 2].hello.echo_path, 1);
    assert_true(nodes[0].said[first + 2].hello.held >= 1000000);
}

/* Who asks has not heard of us by any other way. */
static void
test_who_asks_from_elsewhere_is_echoed_from_then_on(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    run_node(0);
    run_for(400);
    const size_t first = nodes[0].n_said;

    h.path = 2;
    h.answer = true;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, first + 1);
    assert_false(nodes[0].said[first].hello.answers);
    assert_int_equal(nodes[0].said[first].hello.echo_path, 2);
    assert_int_equal(peer_of(0, 1)->echo.path, 2);
}

/* What is an answer itself is not, or there would be no end. */
static void
test_answers_are_not_answered(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    run_node(0);
    const size_t first = nodes[0].n_said;
    h.answers = true;
    h.echo_session = peering_session(nodes[0].peering);
    for (int i = 0; i < 10; i++) {
        h.path++;
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    }
    assert_int_equal(nodes[0].n_said, first);

    /* Unless its sender has not heard of us. */
    h.answer = true;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, first + 1);
}

/* They are somebody else's doing, who says hello in this relay's name. */
static void
test_answers_to_other_sessions_count_for_nothing(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    run_node(0);
    const size_t first = nodes[0].n_said;
    const struct peer before = *peer_of(0, 1);

    h.answers = h.answer = true;
    h.echo_session = peering_session(nodes[0].peering) + 1;
    for (int i = 0; i < 10; i++) {
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
        assert_taken(0, "10.0.0.2", make_hello(8, 9, &h), PEERING_CONTROL);
    }
    assert_int_equal(nodes[0].n_said, first);
    assert_memory_equal(&before.liveness, &peer_of(0, 1)->liveness,
                        sizeof before.liveness);
    assert_ptr_equal(before.remote, peer_of(0, 1)->remote);
}

/* Hellos by all ways together. */
static void
test_answers_to_elsewhere_are_limited(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    const size_t first = nodes[0].n_said;
    for (int i = 0; i < 10 * MAX_ANSWERS; i++) {
        h.path++;
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    }
    assert_int_equal(nodes[0].n_said - first, MAX_ANSWERS);
}

/* One way is as good as another when the first has fallen silent, or when its
 * relay has started anew. */
static void
test_the_way_that_is_echoed_changes(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    h.path = 2;
    net.now += LIVENESS_MAX_MISSED * 1000000 - 1;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(peer_of(0, 1)->echo.path, 1);
    net.now += 1;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(peer_of(0, 1)->echo.path, 2);
    h.path = 3;
    assert_taken(0, "10.0.0.2", make_hello(7, 8, &h), PEERING_CONTROL);
    assert_int_equal(peer_of(0, 1)->echo.path, 3);
    assert_true(peer_of(0, 1)->echo.session == 8);
}

/* Answers from where we did not ask. */

static void
test_an_echo_from_an_accepted_address_counts(void **state OVS_UNUSED)
{
    introduce(2);
    accept_from(0, "10.0.9.0/24");
    nodes[1].source = endpoint_of("10.0.9.2");
    start(0);
    start(1);
    run_for(2);
    assert_both_up(0, 1);
    assert_int_equal(peer_of(0, 1)->liveness.rtt, 2000);
    for (int i = 0; i < 100; i++) {
        run_for(100);
        assert_both_up(0, 1);
    }
    uint32_t number = send_frame(1);
    run_for(2);
    assert_true(has_taken(0, number));
}

static void
test_an_answer_from_elsewhere_is_dropped(void **state OVS_UNUSED)
{
    introduce(2);
    nodes[1].source = endpoint_of("10.0.9.2");
    start(0);
    start(1);
    run_for(5000);
    assert_state(0, 1, "silent");
    assert_true(nodes[0].n_drops[DROP_UNKNOWN_SENDER] > 0);
}

/* It must be ours, of now. */
static void
test_a_wrong_echo_does_not_count(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    accept_from(0, "10.0.9.0/24");
    start(0);
    const uint64_t session = session_of(0);
    const uint32_t path = peer_of(0, 1)->path;

    h.echo_path = path;
    h.echo_session = session ^ 1;
    assert_taken(0, "10.0.9.2", make_hello(7, 7, &h), PEERING_CONTROL);
    h.echo_path = path + 1;
    h.echo_session = session;
    assert_taken(0, "10.0.9.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_state(0, 1, "probing");
    h.echo_path = path;
    assert_taken(0, "10.0.9.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_state(0, 1, "up");
}

/* Two relays that answer from each other's address are told apart. */
static void
test_an_echo_tells_better_than_an_address(void **state OVS_UNUSED)
{
    introduce(3);
    nodes[1].source = nodes[2].address;
    nodes[2].source = nodes[1].address;
    for (size_t i = 0; i < 3; i++) {
        start(i);
    }
    run_for(5000);
    assert_both_up(0, 1);
    assert_both_up(0, 2);
    assert_true(peer_of(0, 1)->remote->id == nodes[1].id);
    assert_true(peer_of(0, 2)->remote->id == nodes[2].id);
}

/* Two addresses of the same relay. */
static void
test_one_relay_by_two_ways(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    know(1, "10.0.0.1");
    start(1);
    start(0);

    /* Node 2 is another address of node 1. */
    struct hello h = plain_hello;
    h.echo_path = peer_of(0, 2)->path;
    h.echo_session = session_of(0);
    run_for(500);
    assert_taken(0, "10.0.0.3", make_hello(nodes[1].id, session_of(1), &h),
                 PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_state(0, 2, "alternate");
    assert_reason(0, 2, "another peer leads to the same relay");
    assert_int_equal(n_targets(0), 1);
    assert_ptr_equal(peering_peers(nodes[0].peering)->targets[0],
                     peer_of(0, 1));
}

/* Each way has what was said by it. */
static void
test_a_tunnel_by_two_ways(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    know(1, "10.0.0.1");
    start(1);
    start(0);
    run_for(500);

    struct hello h = plain_hello;
    h.echo_path = peer_of(0, 2)->path;
    h.echo_session = session_of(0);
    h.tunnel = (struct hello_tunnel){ HELLO_GENEVE, 5, 6, true };
    assert_taken(0, "10.0.0.3", make_hello(nodes[1].id, session_of(1), &h),
                 PEERING_CONTROL);
    assert_int_equal(peer_of(0, 2)->tunnel.theirs.type, HELLO_GENEVE);
    assert_int_equal(peer_of(0, 1)->tunnel.theirs.type, HELLO_NO_TUNNEL);

    /* By the other address of the peer: what it echoes counts. */
    h.tunnel.vni = 7;
    assert_taken(0, "10.0.0.2", make_hello(nodes[1].id, session_of(1), &h),
                 PEERING_CONTROL);
    assert_int_equal(peer_of(0, 2)->tunnel.theirs.vni, 7);
    assert_int_equal(peer_of(0, 1)->tunnel.theirs.type, HELLO_NO_TUNNEL);
}

/* Who has fallen silent, and is told of by another one that forwards for its
 * segment, is superseded until it says something itself: both are news. */
static void
test_who_is_superseded_and_comes_back(void **state OVS_UNUSED)
{
    struct hello a = plain_hello, b = plain_hello;
    struct peers *peers;

    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    start(0);
    peers = peering_peers(nodes[0].peering);
    a.role = RELAY_FORWARDING;
    a.forwarder = 8;
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &a), PEERING_CONTROL);
    b.role = RELAY_STANDBY;
    b.forwarder = 8;
    b.path = 2;
    assert_taken(0, "10.0.0.3", make_hello(9, 9, &b), PEERING_CONTROL);
    unsigned int seqno = peers->tunnel_seqno;
    b.role = RELAY_FORWARDING;
    b.forwarder = 9;
    assert_taken(0, "10.0.0.3", make_hello(9, 9, &b), PEERING_CONTROL);
    assert_true(peer_of(0, 1)->remote->superseded);
    assert_int_not_equal(peers->tunnel_seqno, seqno);

    seqno = peers->tunnel_seqno;
    assert_taken(0, "10.0.0.3", make_hello(9, 9, &b), PEERING_CONTROL);
    assert_int_equal(peers->tunnel_seqno, seqno);
    a.role = RELAY_STANDBY;
    a.forwarder = 9;
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &a), PEERING_CONTROL);
    assert_false(peer_of(0, 1)->remote->superseded);
    assert_int_not_equal(peers->tunnel_seqno, seqno);
    seqno = peers->tunnel_seqno;
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &a), PEERING_CONTROL);
    assert_int_equal(peers->tunnel_seqno, seqno);
}

/* One that comes by another way than those that are echoed says nothing of
 * the tunnel: its token is that of another peer. */
static void
test_a_tunnel_from_elsewhere(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    h.tunnel = (struct hello_tunnel){ HELLO_VXLAN, 5, 6, true };
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &h), PEERING_CONTROL);
    assert_true(peer_of(0, 1)->tunnel.theirs.token == 6);
    h.path = 77;
    h.tunnel = (struct hello_tunnel){ HELLO_VXLAN, 5, 9, false };
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &h), PEERING_CONTROL);
    assert_true(peer_of(0, 1)->tunnel.theirs.token == 6);
    assert_true(peer_of(0, 1)->tunnel.theirs.hears);
}

/* An address that becomes a relay that gets frames already gets none. */
static void
test_an_address_moves_to_a_known_relay(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.3", make_hello(8, 8, &plain_hello),
                 PEERING_CONTROL);
    assert_int_equal(n_targets(0), 2);
    assert_taken(0, "10.0.0.3", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_int_equal(n_targets(0), 1);
    assert_state(0, 2, "alternate");
}

/* Strangers, and senders that are accepted. */

static void
test_unknown_senders_are_dropped(void **state OVS_UNUSED)
{
    struct made newer = make_frame(7, 7, 7);

    newer.bytes[2] = WIRE_VERSION_MAX + 1;
    const struct made all[] = {
        make_snowsignal(),
        make_frame(7, 7, 7),
        make_hello(7, 7, &plain_hello),
        make_bye(7, 7),
        make(99, 7, 7, 7, NULL, 0),
        newer,
        { .bytes = "XX", .length = 2 },
        { .length = 0 },
    };

    start_all(2);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_dropped(0, "10.0.0.9", all[i], DROP_UNKNOWN_SENDER);
        assert_dropped(0, "2001:db8::9", all[i], DROP_UNKNOWN_SENDER);
    }
    assert_int_equal(nodes[0].n_frames, 0);
}

/* A stranger who knows our numbers is a stranger nevertheless. */
static void
test_an_echo_does_not_make_a_stranger_known(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    h.echo_path = peer_of(0, 1)->path;
    h.echo_session = session_of(0);
    assert_dropped(0, "10.0.0.9", make_hello(7, 7, &h), DROP_UNKNOWN_SENDER);
    assert_state(0, 1, "probing");
}

static void
test_accepted_senders_frames_pass(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    accept_from(0, "10.0.9.0/24");
    start(0);
    assert_taken(0, "10.0.9.1", make_snowsignal(), PEERING_FRAME);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
    assert_dropped(0, "10.0.9.1", make_frame(7, 7, 7), DROP_DUPLICATE);
    assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.9.1", make_bye(7, 7), PEERING_CONTROL);
    assert_dropped(0, "10.0.10.1", make_frame(7, 7, 8), DROP_UNKNOWN_SENDER);

    /* They are nobody's. */
    assert_state(0, 1, "probing");
    assert_int_equal(peer_of(0, 1)->rx, 0);
    assert_int_equal(nodes[0].n_said, 1);
}

/* Lets node 0 accept datagrams from 10.0.9.0/24, starts it, and has it know
 * the relay 7 by a frame from there and, for 'ms', by hellos. */
static void
accept_relay(unsigned int ms)
{
    know(0, "10.0.0.2");
    accept_from(0, "10.0.9.0/24");
    start(0);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
    for (unsigned int i = 0; i < ms; i += 10000) {
        run_for(10000);
        assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                     PEERING_CONTROL);
    }
}

/* As long as it says hello, even if nobody asks it to. */
static void
test_an_accepted_relay_is_remembered(void **state OVS_UNUSED)
{
    accept_relay(3 * REMOTES_MAX_IDLE_MS);
    assert_dropped(0, "10.0.9.1", make_frame(7, 7, 7), DROP_DUPLICATE);
}

static void
test_an_accepted_relay_is_forgotten(void **state OVS_UNUSED)
{
    accept_relay(0);
    run_for(REMOTES_MAX_IDLE_MS / 2);
    assert_dropped(0, "10.0.9.1", make_frame(7, 7, 7), DROP_DUPLICATE);
    run_for(REMOTES_MAX_IDLE_MS);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
}

/* A relay that only accepts forgets as others do. */
static void
test_who_greets_nobody_forgets_too(void **state OVS_UNUSED)
{
    know(0, "10.0.0.1");
    accept_from(0, "10.0.9.0/24");
    start(0);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
    run_for(3 * REMOTES_MAX_IDLE_MS);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
}

/* So that nobody fills the memory. */
static void
test_more_relays_than_are_listened_to(void **state OVS_UNUSED)
{
    accept_relay(0);
    for (uint64_t id = 1000; id < 1000 + REMOTES_MAX - 1; id++) {
        assert_taken(0, "10.0.9.1", make_hello(id, 7, &plain_hello),
                     PEERING_CONTROL);
    }
    assert_dropped(0, "10.0.9.1", make_frame(9, 7, 7), DROP_DUPLICATE);
    assert_taken(0, "10.0.0.2", make_hello(9, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_state(0, 1, "probing");
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 8), PEERING_FRAME);

    run_for(2 * REMOTES_MAX_IDLE_MS);
    assert_taken(0, "10.0.9.1", make_frame(9, 7, 7), PEERING_FRAME);
}

/* Who is no peer by any address gets none. */
static void
test_accepted_strangers_get_no_answer(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    accept_relay(0);
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &plain_hello),
                 PEERING_CONTROL);
    run_node(0);
    const size_t first = nodes[0].n_said;
    h.answer = true;
    assert_taken(0, "10.0.9.1", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, first);

    /* Where it is, the one that is has an answer, as often as others. */
    h.path = 77;
    for (int i = 0; i < 2 * MAX_ANSWERS; i++) {
        h.answer = i % 2;
        assert_taken(0, "10.0.9.1", make_hello(8, 8, &h), PEERING_CONTROL);
    }
    assert_int_equal(n_hellos(0, &nodes[1].address, first), MAX_ANSWERS);
    assert_int_equal(nodes[0].n_said, first + MAX_ANSWERS);
    assert_true(nodes[0].said[first].hello.answers);
    assert_int_equal(nodes[0].said[first].hello.echo_path, 77);

    net.now += ANSWERS_MS * 1000;
    h.answer = false;
    h.answers = true;
    assert_taken(0, "10.0.9.1", make_hello(8, 8, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, first + MAX_ANSWERS);
}

/* Frames and farewells from an accepted address. */
static void
test_what_an_accepted_address_sends_is_its_peers(void **state OVS_UNUSED)
{
    accept_relay(0);
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &plain_hello),
                 PEERING_CONTROL);
    struct peer *peer = peer_of(0, 1);

    for (unsigned int i = 0; i < 100; i++) {
        assert_taken(0, "10.0.9.1", make_frame(8, 8, i), PEERING_FRAME);
        run_for(100);
        assert_state(0, 1, "up");
    }
    assert_dropped(0, "10.0.9.1", make_frame(8, 8, 99), DROP_DUPLICATE);
    assert_int_equal(peer->rx, 101);
    assert_int_equal(peer->rx_bytes, 101 * 7);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 8), PEERING_FRAME);
    assert_taken(0, "10.0.9.1", make_snowsignal(), PEERING_FRAME);
    assert_int_equal(peer->rx, 101);

    assert_taken(0, "10.0.9.1", make_bye(7, 7), PEERING_CONTROL);
    assert_taken(0, "10.0.9.1", make_bye(8, 9), PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_taken(0, "10.0.9.1", make_bye(8, 8), PEERING_CONTROL);
    assert_state(0, 1, "down");
}

/* Those from another peer's address too: the id tells whose they are. */
static void
test_frames_count_for_whom_they_are_from(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.3", make_hello(8, 8, &plain_hello),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.3", make_frame(7, 7, 0), PEERING_FRAME);
    assert_int_equal(peer_of(0, 1)->rx, 1);
    assert_int_equal(peer_of(0, 2)->rx, 0);
    assert_taken(0, "10.0.0.3", make_frame(9, 9, 0), PEERING_FRAME);
    assert_int_equal(peer_of(0, 2)->rx, 1);
}

/* Frames and sessions. */

static void
test_a_frame_counts_once(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = session_of(1);
    struct peer *peer = peer_of(0, 1);

    assert_taken(0, "10.0.0.2", make_frame(nodes[1].id, session, 1),
                 PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(nodes[1].id, session, 1),
                   DROP_DUPLICATE);
    assert_taken(0, "10.0.0.2", make_frame(nodes[1].id, session, 0),
                 PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(nodes[1].id, session, 0),
                   DROP_DUPLICATE);

    /* Counted as often as it came. */
    assert_int_equal(peer->rx, 4);
    assert_int_equal(peer->rx_bytes, 4 * 7);
    assert_int_equal(peer->remote->window.received, 2);
    assert_int_equal(peer->remote->window.duplicated, 2);
}

/* Wherever they come from. */
static void
test_a_frame_counts_once_by_several_ways(void **state OVS_UNUSED)
{
    introduce(2);
    accept_from(0, "10.0.9.0/24");
    start(0);
    assert_taken(0, "10.0.0.2", make_frame(7, 7, 1), PEERING_FRAME);
    assert_dropped(0, "10.0.9.2", make_frame(7, 7, 1), DROP_DUPLICATE);
    assert_taken(0, "10.0.9.2", make_frame(7, 7, 2), PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(7, 7, 2), DROP_DUPLICATE);
    assert_taken(0, "10.0.9.2", make_frame(8, 7, 2), PEERING_FRAME);
}

/* SnowSignal numbers nothing, so all of its frames count. */
static void
test_snowsignals_frames_all_count(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    for (int i = 0; i < 3; i++) {
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    }
    assert_int_equal(peer_of(0, 1)->rx, 3);
    assert_int_equal(peer_of(0, 1)->rx_bytes, 3 * 7);
}

/* A relay that starts anew numbers its frames anew; what is still under way
 * from before is too late. */
static void
test_frames_of_a_new_session(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t before = session_of(1);
    const uint64_t id = nodes[1].id;

    assert_taken(0, "10.0.0.2", make_frame(id, before, 0), PEERING_FRAME);
    assert_taken(0, "10.0.0.2", make_frame(id, before ^ 1, 0), PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(id, before ^ 1, 0),
                   DROP_DUPLICATE);
    assert_dropped(0, "10.0.0.2", make_frame(id, before, 0), DROP_DUPLICATE);
    assert_dropped(0, "10.0.0.2", make_frame(id, before, 1), DROP_DUPLICATE);
    assert_true(peer_of(0, 1)->remote->session == (before ^ 1));
}

/* And late hellos do not bring the old session back. */
static void
test_hellos_of_the_old_session(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    start_all(2);
    const uint64_t before = session_of(1);

    stop(1);
    start(1);
    run_for(2);
    const uint64_t now = session_of(1);
    const uint32_t path = peer_of(0, 1)->echo.path;
    h.path = path + 7;
    assert_taken(0, "10.0.0.2", make_hello(nodes[1].id, before, &h),
                 PEERING_CONTROL);
    assert_true(peer_of(0, 1)->remote->session == now);
    assert_int_equal(peer_of(0, 1)->echo.path, path);
    assert_true(peer_of(0, 1)->echo.session == now);
}

/* A datagram of two sessions ago is no reason not to hear the present one. */
static void
test_a_very_late_datagram(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t first = session_of(1);

    for (int i = 0; i < 2; i++) {
        stop(1);
        run_for(100);
        start(1);
        run_for(10);
    }
    take(0, "10.0.0.2", make_frame(nodes[1].id, first, 3), &(int){ 0 });
    run_for(60000);
    assert_state(0, 1, "up");
}

/* Returns how many frames of the relay 7 are lost when, after a first frame, a
 * hello says that the next one will be the 'seq'th. */
static uint64_t
count_lost(uint64_t seq, bool answer)
{
    struct hello h = plain_hello;
    uint8_t body[HELLO_MAX_LEN];
    uint64_t lost;

    set_up(NULL);
    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_taken(0, "10.0.0.2", make_frame(7, 7, 0), PEERING_FRAME);
    h.answer = answer;
    assert_taken(0, "10.0.0.2",
                 make(WIRE_TYPE_HELLO, 7, 7, seq, body,
                      hello_encode(&h, body, sizeof body)),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.2", make_frame(7, 7, seq), PEERING_FRAME);
    lost = peer_of(0, 1)->remote->window.lost;
    tear_down(NULL);
    return lost;
}

/* One that has forgotten us numbers on from anywhere. */
static void
test_numbers_that_were_skipped_are_not_lost(void **state OVS_UNUSED)
{
    static const struct {
        uint64_t seq;
        bool answer;
        uint64_t lost;
    } all[] = {
        { 1, true, 0 },
        { 6, true, 5 },
        { 6, false, 5 },
        { 1 + WINDOW_SIZE, true, WINDOW_SIZE },
        { 2 + WINDOW_SIZE, true, 0 },
        { 2 + WINDOW_SIZE, false, WINDOW_SIZE + 1 },
        { 1000000, true, 0 },
        { 1000000, false, 999999 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_int_equal(count_lost(all[i].seq, all[i].answer), all[i].lost);
    }
}

/* Oneself. */

/* An address that leads here without being one of this host's. */
static void
test_the_own_hello_sets_a_peer_aside(void **state OVS_UNUSED)
{
    know(0, "10.0.0.99");
    know(0, "10.0.0.2");
    nodes[0].address = endpoint_of("10.0.0.99");
    nodes[0].source = nodes[0].address;
    start(0);
    assert_state(0, 0, "probing");
    run_for(1);
    assert_state(0, 0, "own");
    assert_int_equal(nodes[0].n_drops[DROP_OWN], 1);

    run_for(5000);
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 1);
    assert_int_equal(n_targets(0), 1);
    update(0);
    run_for(5000);
    assert_state(0, 0, "own");
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 1);
}

/* Who has been taken for somebody else gets no more frames. */
static void
test_the_own_hello_comes_late(void **state OVS_UNUSED)
{
    know(0, "10.0.0.99");
    nodes[0].address = endpoint_of("10.0.0.99");
    nodes[0].source = nodes[0].address;
    net.cut[0][0] = true;
    start(0);
    run_for(500);
    assert_state(0, 0, "silent");
    assert_int_equal(n_targets(0), 1);
    net.cut[0][0] = false;
    run_for(1000);
    assert_state(0, 0, "own");
    assert_int_equal(n_targets(0), 0);
}

/* Whoever says hello from there. */
static void
test_who_is_set_aside_is_not_answered(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.99");
    accept_from(0, "10.0.0.99");
    nodes[0].address = endpoint_of("10.0.0.99");
    nodes[0].source = nodes[0].address;
    start(0);
    run_for(1);
    assert_state(0, 0, "own");
    h.answer = true;
    h.echo_path = peer_of(0, 0)->path;
    h.echo_session = session_of(0);
    assert_taken(0, "10.0.0.99", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_taken(0, "10.0.0.99", make_snowsignal(), PEERING_FRAME);
    assert_state(0, 0, "own");
    assert_null(peer_of(0, 0)->remote);
    assert_true(peer_of(0, 0)->liveness.state == LIVENESS_PROBING);
    assert_int_equal(n_targets(0), 0);
    assert_int_equal(nodes[0].n_said, 1);
}

/* A hello of before, or with a number that nobody has, tells nothing. */
static void
test_an_own_hello_with_an_unknown_path(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    const uint64_t session = session_of(0);
    h.path = peer_of(0, 1)->path + 1;
    assert_dropped(0, "10.0.0.2", make_hello(nodes[0].id, session, &h),
                   DROP_OWN);
    assert_state(0, 1, "probing");

    h.path--;
    assert_dropped(0, "10.0.0.2", make_hello(nodes[0].id, session ^ 1, &h),
                   DROP_OWN);
    assert_dropped(0, "10.0.0.2", make_bye(nodes[0].id, session), DROP_OWN);
    assert_dropped(0, "10.0.0.2", make_frame(nodes[0].id, session, 1),
                   DROP_OWN);
    assert_dropped(0, "10.0.0.2",
                   make(WIRE_TYPE_HELLO, nodes[0].id, session, 0, "short", 5),
                   DROP_OWN);
    assert_state(0, 1, "probing");
    assert_dropped(0, "10.0.0.2", make_hello(nodes[0].id, session, &h),
                   DROP_OWN);
    assert_state(0, 1, "own");
}

/* Where another relay has answered the network sends the hello back. */
static void
test_a_hello_sent_back_sets_nobody_aside(void **state OVS_UNUSED)
{
    start_all(2);
    const struct remote *remote = peer_of(0, 1)->remote;
    const uint32_t path = peer_of(0, 1)->path;

    for (int i = 0; i < 100; i++) {
        assert_dropped(0, "10.0.0.2", make_own_hello(peer_of(0, 1)), DROP_OWN);
        assert_false(peering_wants_update(nodes[0].peering, clock_us(0)));
        run_for(100);
        assert_state(0, 1, "up");
    }
    assert_ptr_equal(peer_of(0, 1)->remote, remote);
    assert_int_equal(peer_of(0, 1)->path, path);

    /* Nor when it is down. */
    stop(1);
    run_for(10000);
    assert_state(0, 1, "down");
    assert_dropped(0, "10.0.0.2", make_own_hello(peer_of(0, 1)), DROP_OWN);
    assert_state(0, 1, "down");
    start(1);
    run_for(2);
    assert_both_up(0, 1);
}

/* Has node 0 know an address that leads to itself, and find that out. */
static void
find_itself(void)
{
    nodes[0].address = nodes[0].source = endpoint_of("10.0.0.99");
    start(0);
    run_for(1);
}

/* The address may have become somebody else's, so it is asked. */
static void
test_who_was_set_aside_is_asked_again(void **state OVS_UNUSED)
{
    know(0, "10.0.0.99");
    find_itself();
    assert_state(0, 0, "own");
    for (size_t n = 1; n <= 5; n++) {
        assert_int_equal(nodes[0].n_said, n);
        run_for(PEERS_SELF_MS - 1);
        assert_state(0, 0, "own");
        assert_int_equal(nodes[0].n_said, n);
        run_for(1);
        assert_state(0, 0, "probing");
        assert_int_equal(n_targets(0), 0);
        run_for(1);
        assert_state(0, 0, "own");
        assert_int_equal(n_targets(0), 0);
        assert_int_equal(nodes[0].n_said, n + 1);
    }
}

/* And answers. */
static void
test_who_was_set_aside_is_somebody_else_now(void **state OVS_UNUSED)
{
    know(0, "10.0.0.99");
    know(1, "10.0.0.99");
    find_itself();
    assert_state(0, 0, "own");

    nodes[0].address = nodes[0].source = endpoint_of("10.0.0.1");
    nodes[1].address = nodes[1].source = endpoint_of("10.0.0.99");
    nodes[1].host.addresses[0].address = nodes[1].address.address;
    assert_no_error(peer_specs_add(&nodes[1].config.peers, "10.0.0.1", true));
    start(1);
    run_for(PEERS_SELF_MS - 1000);
    assert_state(0, 1, "own");
    run_for(1000);
    run_for(5);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->remote->id == nodes[1].id);
}

/* One that nobody asked for by itself is no peer meanwhile, and asked too. */
static void
test_a_discovered_one_is_asked_again(void **state OVS_UNUSED)
{
    MOCK_RESOLVE("_mesh._udp.test", "10.0.0.2:7124", "10.0.0.99:7124");
    assert_no_error(
        peer_specs_add(&nodes[0].config.discover, "_mesh._udp.test", true));
    find_itself();
    const struct peers *peers = peering_peers(nodes[0].peering);

    assert_int_equal(peers->n_all, 1);
    assert_null(find_peer(0, 0));
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 1);
    run_for(PEERS_SELF_MS - 1);
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 1);
    run_for(1);
    assert_state(0, 0, "probing");
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 2);
    run_for(1);
    assert_int_equal(peers->n_all, 1);
    run_for(PEERS_SELF_MS / 2);
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 2);
}

/* A name that has led here and leads nowhere any more has nothing due. */
static void
test_one_set_aside_loses_its_address(void **state OVS_UNUSED)
{
    know(0, "relay-b");
    MOCK_RESOLVE("relay-b", "10.0.0.99");
    find_itself();
    assert_state(0, 0, "own");
    mock_resolve_endpoints("relay-b", NULL, 0);
    update(0);
    run_for(PEERS_SELF_MS + 1000);
    assert_false(peering_wants_update(nodes[0].peering, INT64_C(1) << 60));

    MOCK_RESOLVE("relay-b", "10.0.0.99");
    update(0);
    assert_state(0, 0, "probing");
    run_for(2);
    assert_state(0, 0, "own");
}

/* Where a name leads then is asked at once. */
static void
test_one_set_aside_moves(void **state OVS_UNUSED)
{
    know(0, "relay-b");
    MOCK_RESOLVE("relay-b", "10.0.0.99");
    find_itself();
    assert_state(0, 0, "own");
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    assert_state(0, 1, "probing");
    assert_false(peering_wants_update(nodes[0].peering, INT64_C(1) << 60));
}

static void
test_updates_are_wanted_in_time(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    const struct peering *p = nodes[0].peering;
    const long long int now = clock_us(0);

    assert_false(peering_wants_update(p, now));
    assert_false(peering_wants_update(p, now + (1LL << 40)));
    assert_dropped(0, "10.0.0.2", make_own_hello(peer_of(0, 1)), DROP_OWN);
    assert_true(peering_wants_update(p, now));
    update(0);
    assert_false(peering_wants_update(p, now));
    assert_false(peering_wants_update(p, now + 1000LL * PEERS_SELF_MS - 1));
    assert_true(peering_wants_update(p, now + 1000LL * PEERS_SELF_MS));

    /* An update meanwhile does not put it off. */
    net.now += 1000000;
    update(0);
    assert_false(peering_wants_update(p, now + 1000LL * PEERS_SELF_MS - 1));
    assert_true(peering_wants_update(p, now + 1000LL * PEERS_SELF_MS));
}

/* Clones. */

/* Another one with the same id. */
static void
test_a_clone_is_dropped(void **state OVS_UNUSED)
{
    nodes[1].id = nodes[0].id;
    introduce(2);
    start(0);
    start(1);
    run_for(5000);
    for (size_t i = 0; i < 2; i++) {
        size_t n = 0;

        assert_state(i, !i, "silent");
        assert_null(peer_of(i, !i)->remote);
        for (int reason = 0; reason < N_DROP_REASONS; reason++) {
            n += nodes[i].n_drops[reason];
        }
        assert_true(n > 0);
        assert_int_equal(nodes[i].n_drops[DROP_OWN], n);
        assert_int_equal(nodes[i].n_frames, 0);
    }

    const uint64_t session = session_of(1);
    assert_dropped(0, "10.0.0.2", make_frame(nodes[0].id, session, 7),
                   DROP_OWN);
    assert_dropped(0, "10.0.0.2", make_bye(nodes[0].id, session), DROP_OWN);
    assert_dropped(0, "192.0.2.1", make_frame(nodes[0].id, session, 7),
                   DROP_OWN);
    assert_state(0, 1, "silent");
}

/* A relay that has no id yet is not the clone of one that says it has 0. */
static void
test_nobody_is_a_clone_without_an_id(void **state OVS_UNUSED)
{
    nodes[0].id = 0;
    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_frame(1, 1, 7), PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(0, 1, 7), DROP_FORMAT);
}

/* When one of two with the same id is gone, the other is heard again. */
static void
test_the_clone_of_a_peer_goes(void **state OVS_UNUSED)
{
    nodes[2].id = nodes[1].id;
    introduce(3);
    start(0);
    start(1);
    run_for(5000);
    assert_state(0, 1, "up");
    start(2);
    run_for(20000);
    stop(2);
    run_for(60000);
    assert_state(0, 1, "up");
}

/* Byes. */

static void
test_bye_is_understood(void **state OVS_UNUSED)
{
    start_all(3);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    for (size_t i = 0; i < 3; i += 2) {
        assert_state(i, 1, "down");
        assert_reason(i, 1, "it has left");
        assert_false(peer_of(i, 1)->speaks_ours);
        assert_int_equal(peer_of(i, 1)->up_since, 0);
    }
    assert_both_up(0, 2);

    /* Nothing follows. */
    const size_t n_said = nodes[1].n_said;
    assert_int_equal(nodes[1].said[n_said - 1].kind, WIRE_BYE);
    for (int i = 0; i < 10000; i++) {
        run_node(1);
        net.now += 1000;
    }
    assert_int_equal(nodes[1].n_said, n_said);
}

/* And if it returns after that, it is up. */
static void
test_hello_after_bye(void **state OVS_UNUSED)
{
    start_all(2);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    stop(1);
    run_for(500);
    start(1);
    run_for(2);
    assert_both_up(0, 1);
}

/* Somebody may still ask meanwhile. */
static void
test_who_has_left_answers_nobody(void **state OVS_UNUSED)
{
    start_all(2);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    const size_t n_said = nodes[1].n_said;

    run_for(5000);
    assert_true(nodes[0].said[nodes[0].n_said - 1].hello.answer);
    assert_int_equal(nodes[1].n_said, n_said);
    assert_state(0, 1, "down");
}

/* A bye counts only if it is from who the peer is now. */
static void
test_bye_of_somebody_else(void **state OVS_UNUSED)
{
    start_all(3);
    const uint64_t session = session_of(1);

    assert_taken(0, "10.0.0.2", make_bye(nodes[1].id, session ^ 1),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.2", make_bye(nodes[1].id ^ 0xf000, session),
                 PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_state(0, 2, "up");
    assert_taken(0, "10.0.0.2", make_bye(nodes[1].id, session),
                 PEERING_CONTROL);
    assert_state(0, 1, "down");
}

/* Who never answered may not understand a bye. */
static void
test_bye_is_for_those_who_are_known(void **state OVS_UNUSED)
{
    introduce(3);
    start(0);
    start(1);
    run_for(500);
    const size_t first = nodes[0].n_said;

    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_int_equal(nodes[0].n_said, first + 1);
    assert_int_equal(nodes[0].said[first].kind, WIRE_BYE);
    assert_true(endpoint_equal(&nodes[0].said[first].to, &nodes[1].address));
}

/* A relay is heard by what it echoes, so its bye should be too. */
static void
test_bye_from_an_accepted_address(void **state OVS_UNUSED)
{
    introduce(2);
    accept_from(0, "10.0.9.0/24");
    nodes[1].source = endpoint_of("10.0.9.2");
    start(0);
    start(1);
    run_for(500);
    assert_both_up(0, 1);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    assert_state(0, 1, "down");
}

/* Of one that has left, nothing is emitted any more that the loop filter would
 * be for, until it comes back. */
static void
test_bye_takes_the_macs_along(void **state OVS_UNUSED)
{
    size_t n;

    start_all(3);
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 2);
    assert_taken(0, "10.0.0.2", make_bye(nodes[1].id, session_of(1)),
                 PEERING_CONTROL);
    assert_state(0, 1, "down");
    assert_int_equal(peer_of(0, 1)->remote->n_macs, 0);

    /* At once. */
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    const struct eth_addr *macs = peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 1);
    assert_true(eth_addr_equals(macs[0], nodes[2].mac));

    /* Another bye says nothing new. */
    assert_taken(0, "10.0.0.2", make_bye(nodes[1].id, session_of(1)),
                 PEERING_CONTROL);
    assert_false(peering_macs_changed(nodes[0].peering, clock_us(0)));

    run_for(2000);
    assert_state(0, 1, "up");
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 2);
}

/* A bye that does not count leaves them where they are. */
static void
test_macs_stay_after_a_bye_of_somebody_else(void **state OVS_UNUSED)
{
    start_all(2);
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    assert_taken(0, "10.0.0.2", make_bye(nodes[1].id, session_of(1) ^ 1),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.2", make_bye(7, 7), PEERING_CONTROL);
    assert_int_equal(peer_of(0, 1)->remote->n_macs, 1);
    run_for(100);
    assert_false(peering_macs_changed(nodes[0].peering, clock_us(0)));
}

/* The segment. */

/* They hear the same as this relay. */
static void
test_frames_of_the_segment_are_dropped(void **state OVS_UNUSED)
{
    start_all(3);
    const uint64_t id = nodes[1].id, session = session_of(1);
    const struct peer *peer = peer_of(0, 1);

    assert_taken(0, "10.0.0.2", make_frame(id, session, 1), PEERING_FRAME);
    peering_set_segment(nodes[0].peering, &id, 1);
    assert_state(0, 1, "segment");
    assert_reason(0, 1, "it is on this relay's own segment");
    assert_dropped(0, "10.0.0.2", make_frame(id, session, 2), DROP_SEGMENT);
    assert_dropped(0, "10.0.0.2", make_snowsignal(), DROP_SEGMENT);

    /* What comes twice is counted so all the same. */
    assert_dropped(0, "10.0.0.2", make_frame(id, session, 1), DROP_DUPLICATE);
    assert_dropped(0, "10.0.0.2", make_frame(id, session, 2), DROP_DUPLICATE);
    assert_dropped(0, "10.0.0.2", make_frame(id, session, 4), DROP_SEGMENT);
    assert_int_equal(peer->rx, 6);
    assert_int_equal(peer->rx_bytes, 6 * 7);
    assert_int_equal(peer->remote->window.received, 3);
    assert_int_equal(peer->remote->window.duplicated, 2);

    /* Others' are not, by whatever address. */
    assert_taken(0, "10.0.0.3", make_frame(nodes[2].id, session_of(2), 1),
                 PEERING_FRAME);
    assert_taken(0, "10.0.0.3", make_snowsignal(), PEERING_FRAME);
    assert_taken(0, "10.0.0.2", make_frame(nodes[2].id, session_of(2), 2),
                 PEERING_FRAME);
    assert_dropped(0, "10.0.0.3", make_frame(id, session, 5), DROP_SEGMENT);

    /* Once it has left the segment. */
    peering_set_segment(nodes[0].peering, NULL, 0);
    assert_state(0, 1, "up");
    assert_taken(0, "10.0.0.2", make_frame(id, session, 6), PEERING_FRAME);
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(id, session, 5), DROP_DUPLICATE);
}

/* Nor does it get any. */
static void
test_the_segment_gets_no_frames(void **state OVS_UNUSED)
{
    start_all(3);
    const uint64_t id = nodes[1].id;

    assert_int_equal(n_targets(0), 2);
    peering_set_segment(nodes[0].peering, &id, 1);
    assert_int_equal(n_targets(0), 1);
    assert_false(peer_of(0, 1)->speaks_ours);
    assert_true(peer_of(0, 2)->speaks_ours);
    uint32_t number = send_frame(0);
    run_for(10);
    assert_false(has_taken(1, number));
    assert_true(has_taken(2, number));

    peering_set_segment(nodes[0].peering, NULL, 0);
    assert_int_equal(n_targets(0), 2);
    assert_true(peer_of(0, 1)->speaks_ours);
    number = send_frame(0);
    run_for(10);
    assert_true(has_taken(1, number));
    assert_true(has_taken(2, number));
}

/* But it is said hello to, and listened to, as ever. */
static void
test_the_segment_is_greeted(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t id = nodes[1].id;
    const size_t first = nodes[0].n_said;

    peering_set_segment(nodes[0].peering, &id, 1);
    run_for(10000);
    assert_state(0, 1, "segment");
    assert_state(1, 0, "up");
    assert_in_range(n_hellos(0, &nodes[1].address, first), 9, 11);
    stop(1);
    run_for(4000);
    assert_state(0, 1, "down");
    assert_int_equal(n_targets(0), 0);
    start(1);
    run_for(2000);
    assert_state(0, 1, "segment");
    assert_int_equal(n_targets(0), 0);
}

/* Who is known on the segment before it is in the mesh. */
static void
test_the_segment_is_known_first(void **state OVS_UNUSED)
{
    static const uint64_t ids[] = { 5, 7 };

    know(0, "10.0.0.2");
    accept_from(0, "10.0.9.0/24");
    start(0);
    peering_set_segment(nodes[0].peering, ids, ARRAY_SIZE(ids));
    assert_state(0, 1, "probing");
    assert_dropped(0, "10.0.0.2", make_frame(7, 7, 0), DROP_SEGMENT);
    assert_dropped(0, "10.0.9.1", make_frame(5, 5, 0), DROP_SEGMENT);
    assert_taken(0, "10.0.9.1", make_frame(8, 8, 0), PEERING_FRAME);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_state(0, 1, "segment");
    assert_int_equal(n_targets(0), 0);
    assert_dropped(0, "10.0.0.2", make_frame(7, 7, 1), DROP_SEGMENT);

    /* Another relay at the same address is elsewhere. */
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &plain_hello),
                 PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_int_equal(n_targets(0), 1);
    assert_taken(0, "10.0.0.2", make_frame(8, 8, 1), PEERING_FRAME);
}

/* One that gets another id expects the next number, not the first one. */
static void
test_another_relay_at_an_address_goes_on_counting(void **state OVS_UNUSED)
{
    static const struct {
        uint64_t id;
        uint64_t then, now; /* What its next number is, and is made. */
    } relays[] = {
        { 7, 0, 100 },
        { 8, 100, 200 },
        { 7, 200, 50 },
        { 8, 200, 0 },
    };

    know(0, "10.0.0.2");
    start(0);
    for (size_t i = 0; i < ARRAY_SIZE(relays); i++) {
        const uint64_t id = relays[i].id;

        assert_taken(0, "10.0.0.2", make_hello(id, id, &plain_hello),
                     PEERING_CONTROL);
        struct remote *remote = peer_of(0, 1)->remote;
        assert_true(remote->id == id);
        assert_true(remote->next_seq == relays[i].then);
        remote->next_seq = relays[i].now;
    }
}

/* A SnowSignal node that has a card on the segment may serve another one. */
static void
test_a_card_on_the_segment_tells_nothing(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    peer_of(0, 1)->on_link = true;
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    assert_state(0, 1, "snowsignal");
    assert_int_equal(n_targets(0), 1);
    run_for(100);
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    assert_int_equal(peer_of(0, 1)->rx, 2);

    /* Nor of one of ours, which says where it is. */
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_int_equal(n_targets(0), 1);
    assert_taken(0, "10.0.0.2", make_frame(7, 7, 0), PEERING_FRAME);
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_versions_to_come_are_dropped),
        TEST(test_wrong_formats_are_dropped),
        TEST(test_what_is_too_long_is_dropped),
        TEST(test_a_relay_of_other_versions),
        TEST(test_snowsignal_sends_from_any_port),
        TEST(test_a_downgraded_node_is_snowsignals),
        TEST(test_hellos_count_more_than_formats),
        TEST(test_what_hellos_say_is_known),
        TEST(test_another_relay_at_the_same_address),
        TEST(test_impossible_round_trip_times),
        TEST(test_an_echo_of_something_else),
        TEST(test_answers_are_limited),
        TEST(test_the_limit_is_each_peers_own),
        TEST(test_who_does_not_ask_gets_no_answer),
        TEST(test_an_answer_echoes),
        TEST(test_a_hello_held_for_hours),
        TEST(test_a_hello_from_elsewhere_is_answered),
        TEST(test_who_asks_from_elsewhere_is_echoed_from_then_on),
        TEST(test_answers_are_not_answered),
        TEST(test_answers_to_other_sessions_count_for_nothing),
        TEST(test_answers_to_elsewhere_are_limited),
        TEST(test_the_way_that_is_echoed_changes),
        TEST(test_an_echo_from_an_accepted_address_counts),
        TEST(test_an_answer_from_elsewhere_is_dropped),
        TEST(test_a_wrong_echo_does_not_count),
        TEST(test_an_echo_tells_better_than_an_address),
        TEST(test_one_relay_by_two_ways),
        TEST(test_a_tunnel_by_two_ways),
        TEST(test_who_is_superseded_and_comes_back),
        TEST(test_a_tunnel_from_elsewhere),
        TEST(test_an_address_moves_to_a_known_relay),
        TEST(test_unknown_senders_are_dropped),
        TEST(test_an_echo_does_not_make_a_stranger_known),
        TEST(test_accepted_senders_frames_pass),
        TEST(test_an_accepted_relay_is_remembered),
        TEST(test_an_accepted_relay_is_forgotten),
        TEST(test_who_greets_nobody_forgets_too),
        TEST(test_more_relays_than_are_listened_to),
        TEST(test_accepted_strangers_get_no_answer),
        TEST(test_what_an_accepted_address_sends_is_its_peers),
        TEST(test_frames_count_for_whom_they_are_from),
        TEST(test_a_frame_counts_once),
        TEST(test_a_frame_counts_once_by_several_ways),
        TEST(test_snowsignals_frames_all_count),
        TEST(test_frames_of_a_new_session),
        TEST(test_hellos_of_the_old_session),
        TEST(test_a_very_late_datagram),
        TEST(test_numbers_that_were_skipped_are_not_lost),
        TEST(test_the_own_hello_sets_a_peer_aside),
        TEST(test_the_own_hello_comes_late),
        TEST(test_who_is_set_aside_is_not_answered),
        TEST(test_an_own_hello_with_an_unknown_path),
        TEST(test_a_hello_sent_back_sets_nobody_aside),
        TEST(test_who_was_set_aside_is_asked_again),
        TEST(test_who_was_set_aside_is_somebody_else_now),
        TEST(test_a_discovered_one_is_asked_again),
        TEST(test_one_set_aside_loses_its_address),
        TEST(test_one_set_aside_moves),
        TEST(test_updates_are_wanted_in_time),
        TEST(test_a_clone_is_dropped),
        TEST(test_nobody_is_a_clone_without_an_id),
        TEST(test_the_clone_of_a_peer_goes),
        TEST(test_bye_is_understood),
        TEST(test_hello_after_bye),
        TEST(test_who_has_left_answers_nobody),
        TEST(test_bye_of_somebody_else),
        TEST(test_bye_is_for_those_who_are_known),
        TEST(test_bye_from_an_accepted_address),
        TEST(test_bye_takes_the_macs_along),
        TEST(test_macs_stay_after_a_bye_of_somebody_else),
        TEST(test_frames_of_the_segment_are_dropped),
        TEST(test_the_segment_gets_no_frames),
        TEST(test_the_segment_is_greeted),
        TEST(test_the_segment_is_known_first),
        TEST(test_a_card_on_the_segment_tells_nothing),
        TEST(test_another_relay_at_an_address_goes_on_counting),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests_name("peering-hear", tests, NULL, NULL);
}
