/* SPDX-License-Identifier: Apache-2.0 */

/* Who the peers of a relay are, and what it says to them: this relay itself,
 * the configuration, names, who is added, removed and kept, and waiting. */

#include <config.h>
#include "peering.h"

#include "support-peering.h"

#include <limits.h>
#include <unistd.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "peer-macs.h"
#include "peering-private.h"
#include "sset.h"
#include "timeval.h"

/* As in the peering: see there. */
enum { KEEP_MS = 8000, NEWS_MS = 100, RECALL_MS = 1000 };

/* Fails the test unless the MACs of the peers of node 0 are those of the nodes
 * whose bits are set in 'expected', each once. */
static void
assert_macs(unsigned int expected)
{
    size_t n;
    const struct eth_addr *macs = peering_macs(nodes[0].peering, &n);
    unsigned int found = 0;

    for (size_t k = 0; k < n; k++) {
        size_t i = macs[k].ea[5] - 1;

        assert_in_range(i, 0, N_NODES - 1);
        assert_true(eth_addr_equals(macs[k], nodes[i].mac));
        assert_false(found >> i & 1);
        found |= 1u << i;
    }
    assert_int_equal(found, expected);
}

static bool
macs_changed(void)
{
    return peering_macs_changed(nodes[0].peering, clock_us(0));
}

/* This relay. */

static void
test_without_an_id_nobody_is_greeted(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    h.answer = true;
    nodes[0].id = 0;
    know(0, "10.0.0.2");
    start(0);
    run_for(5000);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, 0);
    assert_false(peering_has_begun(nodes[0].peering));
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_int_equal(nodes[0].n_said, 0);
}

/* One that comes late is made up for. */
static void
test_an_id_sets_the_hellos_going(void **state OVS_UNUSED)
{
    nodes[0].id = 0;
    introduce(2);
    start(0);
    run_for(1000);
    assert_true(peering_id(nodes[0].peering) == 0);
    nodes[0].id = 0x100;
    peering_set_id(nodes[0].peering, 0x100);
    assert_true(peering_id(nodes[0].peering) == 0x100);
    run_node(0);
    assert_int_equal(nodes[0].n_said, 1);
    start(1);
    run_for(3);
    assert_both_up(0, 1);
}

/* Its frames would come back to who does not know its MAC. */
static void
test_without_a_mac_nobody_is_greeted(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    h.answer = true;
    know(0, "10.0.0.2");
    nodes[0].peering = peering_create();
    peering_configure(nodes[0].peering, &nodes[0].config);
    peering_set_id(nodes[0].peering, nodes[0].id);
    update(0);
    run_node(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    run_for(5000);
    assert_int_equal(nodes[0].n_said, 0);
    assert_false(peering_has_begun(nodes[0].peering));

    peering_set_local_mac(nodes[0].peering, nodes[0].mac);
    run_node(0);
    assert_int_equal(nodes[0].n_said, 1);
    assert_int_equal(nodes[0].said[0].hello.n_macs, 1);
    assert_true(eth_addr_equals(nodes[0].said[0].hello.macs[0], nodes[0].mac));
}

/* Who does not know himself would send frames without an id to somebody who
 * understands them. */
static void
test_no_hello_counts_without_an_id(void **state OVS_UNUSED)
{
    nodes[0].id = 0;
    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_null(peer_of(0, 1)->remote);
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_int_equal(nodes[0].n_said, 0);
}

/* Without a MAC or an id there is nothing to answer, so nothing counts. */
static void
test_no_hello_counts_before_this_relay_knows_itself(void **state OVS_UNUSED)
{
    for (int what = 0; what < 2; what++) {
        struct hello h = plain_hello;

        set_up(NULL);
        h.n_macs = 1;
        h.macs[0] = nodes[1].mac;
        know(0, "10.0.0.2");
        nodes[0].peering = peering_create();
        peering_configure(nodes[0].peering, &nodes[0].config);
        if (what) {
            peering_set_id(nodes[0].peering, nodes[0].id);
        } else {
            peering_set_local_mac(nodes[0].peering, nodes[0].mac);
        }
        update(0);
        for (int i = 0; i < 5; i++) {
            assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
            run_for(100);
        }
        assert_state(0, 1, "probing");
        assert_null(peer_of(0, 1)->remote);
        assert_false(peer_of(0, 1)->has_echo);
        assert_false(macs_changed());
        assert_macs(0);
        assert_int_equal(nodes[0].n_said, 0);

        peering_set_id(nodes[0].peering, nodes[0].id);
        peering_set_local_mac(nodes[0].peering, nodes[0].mac);
        run_node(0);
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
        assert_state(0, 1, "up");
        tear_down(NULL);
    }
}

static void
test_an_id_of_the_configuration(void **state OVS_UNUSED)
{
    nodes[0].config.relay_id_auto = false;
    nodes[0].config.relay_id = UINT64_MAX;
    nodes[0].peering = peering_create();
    assert_true(peering_id(nodes[0].peering) == 0);
    peering_configure(nodes[0].peering, &nodes[0].config);
    assert_true(peering_id(nodes[0].peering) == UINT64_MAX);
    assert_true(session_of(0) != 0);

    const uint64_t session = session_of(0);
    peering_configure(nodes[0].peering, &nodes[0].config);
    assert_true(session_of(0) == session);
}

/* The others then see another relay, and count its frames by themselves. */
static void
test_another_id_is_another_relay(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = session_of(0);

    peering_set_id(nodes[0].peering, nodes[0].id);
    assert_true(session_of(0) == session);
    nodes[0].id = 0x999;
    peering_set_id(nodes[0].peering, 0x999);
    assert_true(session_of(0) != session);
    run_node(0);
    run_for(1);
    assert_both_up(0, 1);
    assert_true(peer_of(1, 0)->remote->id == 0x999);

    uint32_t number = send_frame(0);
    run_for(2);
    assert_true(has_taken(1, number));
}

/* And what they number for it goes on from where it was. */
static void
test_another_id_does_not_cost_frames_of_others(void **state OVS_UNUSED)
{
    start_all(2);
    for (int i = 0; i < 100; i++) {
        const uint32_t number = send_frame(1);

        run_for(1);
        assert_true(has_taken(0, number));
    }
    const uint64_t received = peer_of(0, 1)->remote->window.received;

    nodes[0].id = 0x999;
    peering_set_id(nodes[0].peering, 0x999);
    run_node(0);
    run_for(2);
    for (int i = 0; i < 10; i++) {
        const uint32_t number = send_frame(1);

        run_for(1);
        assert_true(has_taken(0, number));
    }
    assert_true(peer_of(0, 1)->remote->window.received == received + 10);
    assert_true(peer_of(0, 1)->remote->window.lost == 0);
}

/* The header that frames get is that of the hellos. */
static void
test_frames_get_this_relays_header(void **state OVS_UNUSED)
{
    uint8_t expected[WIRE_HEADER_LEN];

    start_all(2);
    wire_encode_header(expected, WIRE_TYPE_FRAME, nodes[0].id,
                       nodes[0].said[0].session, 0);
    assert_memory_equal(peering_peers(nodes[0].peering)->header, expected,
                        sizeof expected);
}

/* Only for testing, so that one relay alone does something. */
static void
test_without_peers_a_relay_is_its_own(void **state OVS_UNUSED)
{
    start(0);
    run_for(3000);
    assert_int_equal(nodes[0].n_said, 0);
    assert_int_equal(n_targets(0), 1);
    struct peer *self = peering_peers(nodes[0].peering)->targets[0];
    assert_string_equal(peer_state_name(self), "self");
    assert_false(self->speaks_ours);
    assert_taken(0, "127.0.0.1", make_snowsignal(), PEERING_FRAME);
    assert_true(peering_has_begun(nodes[0].peering));

    /* It has no use for hellos, nor for byes. */
    struct hello h = plain_hello;
    h.answer = true;
    assert_taken(0, "127.0.0.1", make_hello(7, 7, &h), PEERING_CONTROL);
    h.path = self->path;
    assert_dropped(0, "127.0.0.1", make_hello(nodes[0].id, session_of(0), &h),
                   DROP_OWN);
    assert_null(self->remote);
    assert_string_equal(peer_state_name(self), "self");
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_int_equal(nodes[0].n_said, 0);
}

/* A relay that relays nothing has not even itself. */
static void
test_without_ports_a_relay_has_nobody(void **state OVS_UNUSED)
{
    nodes[0].config.n_ports = 0;
    start(0);
    assert_int_equal(peering_peers(nodes[0].peering)->n_all, 0);
}

/* The same list is given to everybody. */
static void
test_the_own_address_is_set_aside(void **state OVS_UNUSED)
{
    static const struct {
        const char *local, *peer, *state;
    } all[] = {
        { "0.0.0.0", "10.0.0.1", "own" },
        { "::", "10.0.0.1", "own" },
        { "10.0.0.1", "10.0.0.1", "own" },
        { "10.0.0.9", "10.0.0.1", "probing" }, /* Another relay's here. */
        { "0.0.0.0", "10.0.0.1:7125", "probing" },
        { "0.0.0.0", "127.0.0.1", "probing" }, /* Who writes it means it. */
        { "127.0.0.1", "127.0.0.1", "probing" },
        { "0.0.0.0", "127.9.9.9", "probing" },
        { "::", "::1", "probing" },
        { "0.0.0.0", "10.0.0.7", "probing" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        static const char *const loopback[] = { "127.0.0.1", "127.9.9.9",
                                                "::1" };

        set_up(NULL);
        nodes[0].mesh.local = endpoint_of(all[i].local);
        for (size_t j = 0; j < ARRAY_SIZE(loopback); j++) {
            if (!strcmp(all[i].peer, loopback[j])) {
                nodes[0].host.addresses[1].address =
                    endpoint_of(loopback[j]).address;
                nodes[0].host.n = 2;
            }
        }
        know(0, all[i].peer);
        start(0);
        assert_string_equal(
            peer_state_name(peering_peers(nodes[0].peering)->all[0]),
            all[i].state);
        tear_down(NULL);
    }
}

/* Addresses are in the form that the present socket takes. */
static void
test_another_mesh(void **state OVS_UNUSED)
{
    start_all(2);
    nodes[0].mesh.ipv6 = false;
    update(0);
    assert_int_equal(peer_of(0, 1)->ss.ss_family, AF_INET);
    run_for(5000);
    assert_both_up(0, 1);
}

/* Saying hello. */

/* A greeting must say that it wants an answer until there is one. */
static void
test_a_relay_asks_until_it_is_answered(void **state OVS_UNUSED)
{
    introduce(2);
    start(0);
    run_for(5000);
    for (size_t k = 0; k < nodes[0].n_said; k++) {
        assert_true(nodes[0].said[k].hello.answer);
    }
    start(1);
    run_for(100);
    size_t first = nodes[0].n_said;
    run_for(5000);
    assert_in_range(nodes[0].n_said - first, 5, 6);
    for (size_t k = first; k < nodes[0].n_said; k++) {
        assert_false(nodes[0].said[k].hello.answer);
    }
}

/* Each says hello about once a second, to each, and nothing flaps. */
static void
test_the_pace_of_hellos(void **state OVS_UNUSED)
{
    start_all(4);
    size_t first = nodes[0].n_said;
    long long int since = peer_of(0, 1)->liveness.since;

    run_for(60000);
    for (size_t j = 1; j < 4; j++) {
        assert_in_range(n_hellos(0, &nodes[j].address, first), 60, 69);
    }
    assert_int_equal(nodes[0].n_said - first, n_hellos(0, NULL, first));
    assert_true(peer_of(0, 1)->liveness.since == since);
}

/* Those whose turn is soon are greeted with the others. */
static void
test_hellos_to_many_go_together(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(100);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.3"));
    update(0);
    run_node(0);
    size_t first = nodes[0].n_said;
    assert_int_equal(first, 2);
    run_for(900);
    assert_int_equal(n_hellos(0, &nodes[1].address, first), 1);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 1);
}

static void
test_who_cannot_be_sent_to_is_not_greeted(void **state OVS_UNUSED)
{
    nodes[0].mesh.ipv6 = false;
    nodes[1].address = endpoint_of("2001:db8::2");
    know(0, "2001:db8::2");
    know(0, "10.0.0.3");
    start(0);
    run_for(1000);
    assert_state(0, 1, "unreachable");
    assert_int_equal(n_hellos(0, &nodes[1].address, 0), 0);
    assert_int_equal(n_hellos(0, &nodes[2].address, 0), 2);
}

/* What the others should know they are told at once, of a new port as well. */
static void
test_news_are_told_at_once(void **state OVS_UNUSED)
{
    start_all(2);
    size_t first = nodes[0].n_said;

    run_node(0);
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
    assert_int_equal(nodes[0].n_said, first);

    nodes[0].config.ports[1]++;
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 1);
    assert_int_equal(nodes[0].said[first].hello.ports[1], 6001);

    run_for(NEWS_MS);
    nodes[0].config.n_ports = 1;
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 2);
    assert_int_equal(nodes[0].said[first + 1].hello.n_ports, 1);

    run_for(NEWS_MS);
    peering_set_local_mac(nodes[0].peering, nodes[3].mac);
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 3);
    assert_true(
        eth_addr_equals(nodes[0].said[first + 2].hello.macs[0], nodes[3].mac));
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 3);
}

/* Not all the time: what changes soon after is told together, in its time. */
static void
test_news_come_together(void **state OVS_UNUSED)
{
    start_all(3);
    run_for(NEWS_MS);
    const size_t first = nodes[0].n_said;

    peering_set_role(nodes[0].peering, RELAY_LISTENING, 0);
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 2); /* To each of the others. */
    peering_set_role(nodes[0].peering, RELAY_STANDBY, 7);
    run_node(0);
    run_for(NEWS_MS / 2);
    peering_set_local_mac(nodes[0].peering, nodes[3].mac);
    run_for(NEWS_MS / 2 - 2);
    peering_set_role(nodes[0].peering, RELAY_CLAIMING, 0);
    run_for(1);
    assert_int_equal(nodes[0].n_said, first + 2);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(peer_of(i, 0)->remote->role, RELAY_LISTENING);
    }
    run_for(1);
    assert_int_equal(nodes[0].n_said, first + 4);
    run_for(2);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(peer_of(i, 0)->remote->role, RELAY_CLAIMING);
        assert_true(
            eth_addr_equals(peer_of(i, 0)->remote->macs[0], nodes[3].mac));
    }

    /* Once, and the next ones wait again. */
    run_for(2 * NEWS_MS);
    assert_int_equal(nodes[0].n_said, first + 4);
    peering_set_role(nodes[0].peering, RELAY_FORWARDING, 0);
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 6);
    peering_set_role(nodes[0].peering, RELAY_STANDBY, 0);
    run_for(NEWS_MS - 1);
    assert_int_equal(nodes[0].n_said, first + 6);

    /* Whatever else is to be done meanwhile. */
    nodes[0].peering->next_check = 0;
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 6);
    run_for(1);
    assert_int_equal(nodes[0].n_said, first + 8);
}

/* Hellos that are due do not wait for news, and have them. */
static void
test_hellos_do_not_wait_for_news(void **state OVS_UNUSED)
{
    start_all(2);
    run_for(2000);
    size_t n = nodes[0].n_said;
    while (nodes[0].n_said == n) {
        run_for(1);
    }
    run_for(nodes[0].config.hello_ms - 50); /* The next one is near. */
    n = nodes[0].n_said;
    peering_set_role(nodes[0].peering, RELAY_LISTENING, 0);
    run_node(0);
    assert_int_equal(nodes[0].n_said, n + 1);

    for (int i = 0; i < 50; i++) {
        peering_set_role(nodes[0].peering,
                         i % 2 ? RELAY_STANDBY : RELAY_CLAIMING, 0);
        run_for(NEWS_MS);
    }
    assert_in_range(nodes[0].n_said - n, 49, 60);
    assert_both_up(0, 1);
}

/* Of any number that a configuration may have. */
static void
test_all_ports_fit_in_a_hello(void **state OVS_UNUSED)
{
    introduce(2);
    nodes[0].config.n_ports = CONFIG_MAX_PORTS;
    for (size_t i = 0; i < CONFIG_MAX_PORTS; i++) {
        nodes[0].config.ports[i] = UINT16_MAX - i;
    }
    start(0);
    start(1);
    run_for(5);
    const struct remote *remote = peer_of(1, 0)->remote;
    assert_int_equal(remote->n_ports, CONFIG_MAX_PORTS);
    for (size_t i = 0; i < CONFIG_MAX_PORTS; i++) {
        assert_int_equal(remote->ports[i], UINT16_MAX - i);
    }
}

/* Everybody is to know at once how often there is something to hear. */
static void
test_a_new_pace_is_told_at_once(void **state OVS_UNUSED)
{
    static const uint32_t paces[] = { 60000, 100, 5000, 200, 1000 };

    start_all(3);
    const long long int since[] = { 0, peer_of(1, 0)->liveness.since,
                                    peer_of(2, 0)->liveness.since };

    for (size_t k = 0; k < ARRAY_SIZE(paces); k++) {
        const size_t first = nodes[0].n_said;

        nodes[0].config.hello_ms = paces[k];
        peering_configure(nodes[0].peering, &nodes[0].config);
        update(0);
        run_node(0);
        assert_int_equal(nodes[0].n_said, first + 2);
        run_for(1);
        for (size_t j = 1; j < 3; j++) {
            assert_int_equal(peer_of(j, 0)->liveness.interval, paces[k]);
        }
        for (int i = 0; i < 3000; i++) {
            run_for(1);
            assert_both_up(0, 1);
            assert_both_up(0, 2);
        }
    }
    for (size_t j = 1; j < 3; j++) {
        assert_true(peer_of(j, 0)->liveness.since == since[j]);
    }
}

/* Asking who does not answer. */

static void
test_nobody_answers(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(199);
    assert_state(0, 1, "probing");
    assert_int_equal(n_targets(0), 0);
    run_for(1);
    assert_state(0, 1, "silent");
    assert_string_equal(peer_format_name(peer_of(0, 1)), "unknown");
    assert_int_equal(n_targets(0), 1);
    assert_false(peer_of(0, 1)->speaks_ours);
}

/* Fails the test unless node 0 greeted 'to' ever more rarely, as exactly as
 * 'slack' ms, and in the end as rarely as can be. */
static void
assert_ever_rarer(const struct endpoint *to, long long int slack)
{
    const long long int longest = LIVENESS_MAX_PROBE_INTERVAL_MS;
    long long int last = 0, gap = 0;
    size_t n = 0;

    assert_in_range(nodes[0].n_said, 1, MAX_SAID);
    for (size_t k = 0; k < nodes[0].n_said; k++) {
        const struct said *said = &nodes[0].said[k];

        if (!endpoint_equal(&said->to, to)) {
            continue;
        }
        if (n > 0) {
            long long int next = (said->when - last) / 1000;

            assert_true(next >= gap - slack);
            assert_true(next <= longest + slack);
            gap = MAX(gap, next);
        }
        last = said->when;
        n++;
    }
    assert_true(gap >= longest - slack);
    assert_in_range(n, 5, 30);
}

static void
test_snowsignal_is_greeted_ever_more_rarely(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    for (int i = 0; i < 300; i++) {
        run_for(1000);
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
        assert_state(0, 1, "snowsignal");
        assert_string_equal(peer_format_name(peer_of(0, 1)), "snowsignal");
        assert_false(peer_of(0, 1)->speaks_ours);
        assert_int_equal(n_targets(0), 1);
    }
    assert_ever_rarer(&nodes[1].address, 0);
}

/* Also where its turn is found early, because another's has come. */
static void
test_snowsignal_among_others(void **state OVS_UNUSED)
{
    introduce(3);
    start(0);
    start(2);
    for (int i = 0; i < 300; i++) {
        run_for(1000);
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    }
    assert_state(0, 1, "snowsignal");
    assert_both_up(0, 2);
    assert_ever_rarer(&nodes[1].address, 1000 / 8);
}

static void
test_the_silent_are_greeted_ever_more_rarely(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(300000);
    assert_state(0, 1, "silent");
    assert_ever_rarer(&nodes[1].address, 0);
}

/* Its silence begins when it does, not with the first hello ever. */
static void
test_a_downgraded_node_is_asked_again_soon(void **state OVS_UNUSED)
{
    start_all(2);
    run_for(60000);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    stop(1);
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    assert_state(0, 1, "snowsignal");
    const size_t first = nodes[0].n_said;
    run_for(8000);
    assert_in_range(n_hellos(0, NULL, first), 2, 4);
}

/* One that is found out to be a relay hears of us as often as it expects. */
static void
test_one_that_was_silent_is_greeted_soon(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(70000);
    assert_state(0, 1, "silent");
    const size_t first = nodes[0].n_said;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(1000);
    assert_int_equal(n_hellos(0, NULL, first), 1);
}

/* Has node 0 know three that are silent, and 10.0.0.2. */
static void
fall_silent(void)
{
    introduce(5);
    accept_from(0, "10.0.9.0/24");
    start(0);
    run_for(70000);
    assert_state(0, 2, "silent");
    assert_state(0, 4, "silent");
}

/* One of them may be the relay that comes up. */
static void
test_the_silent_are_greeted_when_a_relay_comes_up(void **state OVS_UNUSED)
{
    fall_silent();
    for (uint64_t session = 7; session < 9; session++) {
        const size_t first = nodes[0].n_said;

        assert_taken(0, "10.0.0.2", make_hello(7, session, &plain_hello),
                     PEERING_CONTROL);
        run_for(1);
        for (size_t j = 2; j < 5; j++) {
            assert_int_equal(n_hellos(0, &nodes[j].address, first), 1);
        }
        run_for(1500);
        assert_taken(0, "10.0.0.2", make_hello(7, session, &plain_hello),
                     PEERING_CONTROL);
        run_for(1500);
        for (size_t j = 2; j < 5; j++) {
            assert_int_equal(n_hellos(0, &nodes[j].address, first), 1);
        }
    }
}

/* Whether or not it is a peer. */
static void
test_the_silent_are_greeted_when_a_relay_is_accepted(void **state OVS_UNUSED)
{
    fall_silent();
    const size_t first = nodes[0].n_said;

    assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(1);
    for (size_t j = 1; j < 5; j++) {
        assert_int_equal(n_hellos(0, &nodes[j].address, first), 1);
    }
}

/* Even if its frames come first. */
static void
test_the_silent_are_greeted_after_frames(void **state OVS_UNUSED)
{
    fall_silent();
    const size_t first = nodes[0].n_said;

    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
    assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(1);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 1);
}

/* However many come up. */
static void
test_the_silent_are_greeted_once_a_second(void **state OVS_UNUSED)
{
    fall_silent();
    const size_t first = nodes[0].n_said;

    for (uint64_t id = 0x1000; id < 0x1000 + 10 * RECALL_MS / 100; id++) {
        assert_taken(0, "10.0.9.1", make_hello(id, 7, &plain_hello),
                     PEERING_CONTROL);
        run_for(100);
    }
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 10);

    /* The last ones are not forgotten, and then there is silence. */
    run_for(RECALL_MS);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 11);
    run_for(5 * RECALL_MS);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 11);
}

/* Whatever else there is to do meanwhile. */
static void
test_the_silent_are_greeted_once_a_second_among_others(void **state OVS_UNUSED)
{
    nodes[0].config.hello_ms = 100;
    fall_silent();
    assert_taken(0, "10.0.0.2", make_hello(0x999, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(RECALL_MS);
    const size_t first = nodes[0].n_said;

    for (uint64_t id = 0x1000; id < 0x1000 + 30; id++) {
        assert_taken(0, "10.0.9.1", make_hello(id, 7, &plain_hello),
                     PEERING_CONTROL);
        run_for(100);
    }
    assert_in_range(n_hellos(0, &nodes[1].address, first), 28, 40);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 3);
}

static void
test_the_silent_are_greeted_in_time(void **state OVS_UNUSED)
{
    fall_silent();
    const size_t first = nodes[0].n_said;

    assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(1);
    assert_taken(0, "10.0.9.1", make_hello(8, 7, &plain_hello),
                 PEERING_CONTROL);
    peering_set_local_mac(nodes[0].peering, nodes[0].mac);
    run_node(0);
    run_for(RECALL_MS - 1);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 1);
    run_for(1);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 2);
}

/* Having begun. */

static void
test_begun_when_all_are_known(void **state OVS_UNUSED)
{
    introduce(3);
    for (size_t i = 0; i < 3; i++) {
        start(i);
        assert_false(peering_has_begun(nodes[i].peering));
    }
    run_for(2000);
    for (size_t i = 0; i < 3; i++) {
        assert_true(peering_has_begun(nodes[i].peering));
    }
}

static void
test_begun_when_somebody_does_not_answer(void **state OVS_UNUSED)
{
    introduce(3);
    start(0);
    start(1);
    run_for(199);
    assert_both_up(0, 1);
    assert_false(peering_has_begun(nodes[0].peering));
    run_for(1);
    assert_true(peering_has_begun(nodes[0].peering));

    /* For good. */
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.4"));
    update(0);
    run_node(0);
    assert_state(0, 3, "probing");
    assert_true(peering_has_begun(nodes[0].peering));
}

/* At once, when what the last one is shows by itself. */
static void
test_begun_with_a_frame_of_snowsignals(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(5);
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    run_node(0);
    assert_true(peering_has_begun(nodes[0].peering));
}

static void
test_begun_with_nobody_to_ask(void **state OVS_UNUSED)
{
    know(0, "10.0.0.1");
    start(0);
    assert_state(0, 0, "own");
    assert_true(peering_has_begun(nodes[0].peering));
}

/* What a name leads to may have flows that are there already. */
static void
test_begun_when_names_are_known(void **state OVS_UNUSED)
{
    know(0, "relay-b");
    know(1, "10.0.0.1");
    start(0);
    start(1);
    run_for(400);
    assert_false(peering_has_begun(nodes[0].peering));
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    run_node(0);
    assert_false(peering_has_begun(nodes[0].peering));
    run_for(5);
    assert_both_up(0, 1);
    assert_true(peering_has_begun(nodes[0].peering));
}

static void
test_begun_when_names_stay_unknown(void **state OVS_UNUSED)
{
    know(0, "relay-b");
    start(0);
    run_for(499);
    assert_false(peering_has_begun(nodes[0].peering));
    run_for(1);
    assert_true(peering_has_begun(nodes[0].peering));
}

/* MACs. */

static void
test_changes_of_macs_are_gathered(void **state OVS_UNUSED)
{
    introduce(4);
    for (size_t i = 0; i < 4; i++) {
        start(i);
    }
    assert_false(macs_changed());
    assert_macs(0);
    run_for(2);

    /* The first ones at once. */
    assert_true(peering_has_begun(nodes[0].peering));
    assert_true(macs_changed());
    assert_macs(0xe);
    for (int i = 0; i < 5000; i++) {
        run_for(1);
        assert_false(macs_changed());
    }
    assert_macs(0xe);
}

/* When the last one is known not to answer. */
static void
test_the_first_macs_come_with_the_beginning(void **state OVS_UNUSED)
{
    introduce(3);
    start(0);
    start(1);
    for (int i = 1; i < LIVENESS_PROBE_MS; i++) {
        run_for(1);
        assert_false(macs_changed());
    }
    run_for(1);
    assert_true(peering_has_begun(nodes[0].peering));
    assert_true(macs_changed());
    assert_macs(0x2);
}

/* From the first one on, so that ever more of them do not put it off. */
static void
test_changes_of_macs_do_not_wait_for_each_other(void **state OVS_UNUSED)
{
    introduce(4);
    start(0);
    run_for(1000);
    assert_false(macs_changed());
    start(1);
    run_for(1);
    start(2);
    run_for(PEER_MACS_SETTLE_MS - 1);
    start(3);
    assert_false(macs_changed());
    run_for(1);
    assert_true(macs_changed());
    assert_macs(0xe);
}

/* What nobody asks for in time is not lost. */
static void
test_changes_of_macs_are_kept(void **state OVS_UNUSED)
{
    start_all(3);
    run_for(100000);
    assert_true(macs_changed());
    assert_false(macs_changed());
    assert_macs(0x6);
}

static void
test_a_mac_of_two_peers_is_one(void **state OVS_UNUSED)
{
    size_t n;

    nodes[2].mac = nodes[1].mac;
    start_all(4);
    assert_true(macs_changed());
    const struct eth_addr *macs = peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 2);
    assert_true(eth_addr_equals(macs[0], nodes[1].mac));
    assert_true(eth_addr_equals(macs[1], nodes[3].mac));

    /* One of the two goes, the MAC stays. */
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.3"));
    update(0);
    run_for(1000);
    assert_false(macs_changed());
    peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 2);
}

static void
test_a_relay_gets_another_mac(void **state OVS_UNUSED)
{
    start_all(2);
    assert_true(macs_changed());
    run_for(300);
    nodes[1].mac.ea[0] = 0x06;
    peering_set_local_mac(nodes[1].peering, nodes[1].mac);
    run_for(2 + PEER_MACS_SETTLE_MS - 2);
    assert_false(macs_changed());
    run_for(2);
    assert_true(macs_changed());
    assert_macs(0x2);
}

/* More than one relay may have: all that fit in a hello. */
static void
test_a_relay_with_many_macs(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;
    size_t n;

    know(0, "10.0.0.2");
    start(0);
    h.n_macs = HELLO_MAX_MACS;
    for (size_t i = 0; i < HELLO_MAX_MACS; i++) {
        h.macs[i] = (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 01, 00);
        h.macs[i].ea[5] = HELLO_MAX_MACS - i;
    }
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    net.now += 200000;
    assert_true(macs_changed());
    const struct eth_addr *macs = peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, HELLO_MAX_MACS);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(macs[i].ea[5], i + 1);
    }
}

/* A change that is taken back meanwhile is none. */
static void
test_a_passing_change_of_macs(void **state OVS_UNUSED)
{
    start_all(3);
    assert_true(macs_changed());
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(10);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(1000);
    assert_false(macs_changed());
    assert_macs(0x6);
}

/* Who is down may still have frames under way in the segment. */
static void
test_macs_of_the_dead_stay(void **state OVS_UNUSED)
{
    start_all(3);
    assert_true(macs_changed());
    stop(1);
    run_for(10000);
    assert_state(0, 1, "down");
    assert_false(macs_changed());
    assert_macs(0x6);
}

/* Its MACs are no peer's any more. */
static void
test_macs_of_one_set_aside_leave(void **state OVS_UNUSED)
{
    start_all(2);
    assert_true(macs_changed());
    assert_macs(0x2);
    nodes[0].host.addresses[1].address = nodes[1].address.address;
    nodes[0].host.n = 2;
    update(0);
    assert_state(0, 1, "own");
    run_for(1000);
    assert_true(macs_changed());
    assert_macs(0);
}

/* Who has left the segment emits nothing there; if it is still in the mesh it
 * says what its MACs are with its next hello. */
static void
test_macs_are_forgotten(void **state OVS_UNUSED)
{
    start_all(4);
    assert_true(macs_changed());
    assert_macs(0xe);
    run_for(300);
    peering_forget_macs(nodes[0].peering, nodes[2].id);
    assert_true(macs_changed()); /* At once. */
    assert_macs(0xa);
    assert_state(0, 2, "up");
    assert_int_equal(n_targets(0), 3);
    run_for(1000);
    assert_true(macs_changed());
    assert_macs(0xe);

    /* Of who is not known, or has none, there is nothing to forget. */
    peering_forget_macs(nodes[0].peering, 0x777);
    peering_forget_macs(nodes[0].peering, nodes[0].id);
    assert_false(macs_changed());
    peering_forget_macs(nodes[0].peering, nodes[2].id);
    assert_true(macs_changed());
    peering_forget_macs(nodes[0].peering, nodes[2].id);
    assert_false(macs_changed());
    assert_macs(0xa);
}

/* The role. */

/* Who forwards for a segment is told to all, at once. */
static void
test_a_role_is_told_at_once(void **state OVS_UNUSED)
{
    start_all(3);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(peer_of(i, 0)->remote->role, RELAY_OFF);
        assert_true(peer_of(i, 0)->remote->forwarder == 0);
    }
    run_for(300);
    peering_set_role(nodes[0].peering, RELAY_STANDBY, 0x777);
    run_for(2);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(peer_of(i, 0)->remote->role, RELAY_STANDBY);
        assert_true(peer_of(i, 0)->remote->forwarder == 0x777);
    }

    /* What is not new goes without saying. */
    const size_t first = nodes[0].n_said;
    peering_set_role(nodes[0].peering, RELAY_STANDBY, 0x777);
    run_for(300);
    assert_int_equal(nodes[0].n_said, first);

    /* Nor is another forwarder reason enough. */
    peering_set_role(nodes[0].peering, RELAY_STANDBY, 0x888);
    run_for(200);
    assert_int_equal(nodes[0].n_said, first);
    assert_true(peer_of(1, 0)->remote->forwarder == 0x777);
    run_for(nodes[0].config.hello_ms);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(peer_of(i, 0)->remote->role, RELAY_STANDBY);
        assert_true(peer_of(i, 0)->remote->forwarder == 0x888);
    }

    const size_t second = nodes[0].n_said;
    peering_set_role(nodes[0].peering, RELAY_FORWARDING, nodes[0].id);
    run_for(2);
    assert_int_equal(nodes[0].n_said, second + 2);
    assert_int_equal(peer_of(1, 0)->remote->role, RELAY_FORWARDING);
    assert_true(peer_of(1, 0)->remote->forwarder == nodes[0].id);

    /* It is said with each hello, until there is none. */
    run_for(5000);
    assert_int_equal(peer_of(1, 0)->remote->role, RELAY_FORWARDING);
    peering_set_role(nodes[0].peering, RELAY_OFF, 0);
    run_for(2);
    assert_int_equal(peer_of(1, 0)->remote->role, RELAY_OFF);
    assert_true(peer_of(1, 0)->remote->forwarder == 0);
}

/* Tunnels. */

/* Fails the test unless what node 'i' knows of the tunnel of node 'j' is what
 * that one told it. */
static void
assert_tunnel(size_t i, size_t j, enum hello_tunnel_type type, uint32_t vni,
              bool hears)
{
    const struct hello_tunnel *t = &peer_of(i, j)->tunnel.theirs;

    assert_int_equal(t->type, type);
    assert_int_equal(t->vni, vni);
    assert_int_equal(t->hears, hears);
    assert_true(t->token == (type ? peer_of(j, i)->tunnel.token : 0));
}

/* That it is there, which one it is, and that it is gone; each peer gets a
 * token of its own. */
static void
test_a_tunnel_is_told_at_once(void **state OVS_UNUSED)
{
    static const struct {
        enum hello_tunnel_type type;
        uint32_t vni;
    } all[] = {
        { HELLO_VXLAN, 77 },
        { HELLO_GENEVE, 77 },
        { HELLO_GENEVE, HELLO_MAX_VNI },
        { HELLO_NO_TUNNEL, 0 },
        { HELLO_VXLAN, 1 },
    };

    start_all(3);
    for (size_t i = 1; i < 3; i++) {
        assert_tunnel(i, 0, HELLO_NO_TUNNEL, 0, false);
    }
    for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
        unsigned int seqno = peering_peers(nodes[1].peering)->tunnel_seqno;

        run_for(300);
        assert_int_equal(peering_peers(nodes[1].peering)->tunnel_seqno, seqno);
        peering_set_tunnel(nodes[0].peering, all[k].type, all[k].vni);
        run_for(2);
        for (size_t i = 1; i < 3; i++) {
            assert_tunnel(i, 0, all[k].type, all[k].vni, false);
        }
        assert_int_not_equal(peering_peers(nodes[1].peering)->tunnel_seqno,
                             seqno);
        assert_true(peer_of(0, 1)->tunnel.token
                    != peer_of(0, 2)->tunnel.token);

        /* What is not new goes without saying, and nobody is told less. */
        const size_t first = nodes[0].n_said;
        peering_set_tunnel(nodes[0].peering, all[k].type, all[k].vni);
        run_for(200);
        assert_int_equal(nodes[0].n_said, first);
        run_for(3000);
        assert_tunnel(1, 0, all[k].type, all[k].vni, false);
        assert_tunnel(0, 1, HELLO_NO_TUNNEL, 0, false);
    }
}

/* One is told that its probes come, by one hello at once; the others need not
 * know. */
static void
test_that_probes_come_is_told_at_once(void **state OVS_UNUSED)
{
    start_all(3);
    peering_set_tunnel(nodes[0].peering, HELLO_VXLAN, 77);
    run_for(1300);
    for (int hears = 1; hears >= 0; hears--) {
        const size_t first = nodes[0].n_said;
        const unsigned int seqno =
            peering_peers(nodes[1].peering)->tunnel_seqno;

        peer_of(0, 1)->tunnel.hears = hears;
        peering_tell(nodes[0].peering, peer_of(0, 1));
        run_for(3);
        assert_tunnel(1, 0, HELLO_VXLAN, 77, hears);
        assert_int_not_equal(peering_peers(nodes[1].peering)->tunnel_seqno,
                             seqno);
        assert_tunnel(2, 0, HELLO_VXLAN, 77, false);
        assert_int_equal(n_hellos(0, &nodes[1].address, first), 1);
        assert_int_equal(nodes[0].n_said, first + 1);
        run_for(300);
    }
}

/* Who starts anew has other tokens, and has heard nothing. */
static void
test_a_relay_with_a_tunnel_starts_anew(void **state OVS_UNUSED)
{
    start_all(2);
    peering_set_tunnel(nodes[0].peering, HELLO_VXLAN, 77);
    peering_set_tunnel(nodes[1].peering, HELLO_VXLAN, 77);
    run_for(10);
    peer_of(0, 1)->tunnel.hears = true;
    peering_tell(nodes[0].peering, peer_of(0, 1));
    run_for(10);
    assert_tunnel(1, 0, HELLO_VXLAN, 77, true);
    const uint64_t before = peer_of(1, 0)->tunnel.theirs.token;
    const uint64_t own = peer_of(1, 0)->tunnel.token;

    stop(0);
    start(0);
    peering_set_tunnel(nodes[0].peering, HELLO_VXLAN, 77);
    run_for(20);
    assert_tunnel(1, 0, HELLO_VXLAN, 77, false);
    assert_true(peer_of(1, 0)->tunnel.theirs.token != before);

    /* What the other one told it stays so. */
    assert_true(peer_of(1, 0)->tunnel.token == own);
    assert_tunnel(0, 1, HELLO_VXLAN, 77, false);
}

static void
test_who_this_relay_is(void **state OVS_UNUSED)
{
    start(0);
    assert_true(peering_is_self(nodes[0].peering));
    assert_true(peering_id(nodes[0].peering) == nodes[0].id);
    assert_true(peering_session(nodes[0].peering) == session_of(0));
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    assert_false(peering_is_self(nodes[0].peering));
}

/* Adding and removing. */

static void
test_peers_come_at_run_time(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    know(1, "10.0.0.1");
    know(2, "10.0.0.1");
    for (size_t i = 0; i < 3; i++) {
        start(i);
    }
    run_for(3000);
    assert_both_up(0, 1);
    const long long int since = peer_of(0, 1)->liveness.since;
    assert_state(2, 0, "silent");

    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.3"));
    update(0);
    run_node(0);
    run_for(3);
    assert_both_up(0, 2);
    assert_int_equal(peer_of(0, 2)->source, ROSTER_ADDED);
    assert_true(peer_of(0, 1)->liveness.since == since);
    assert_error(peering_add(nodes[0].peering, NULL, "10.0.0.3"),
                 "\"10.0.0.3\" is a peer already");
}

static void
test_peers_go_at_run_time(void **state OVS_UNUSED)
{
    start_all(3);
    assert_true(macs_changed());
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    const size_t first = nodes[0].n_said;

    run_for(5000);
    assert_null(find_peer(0, 1));
    assert_int_equal(n_hellos(0, &nodes[1].address, first), 0);
    assert_both_up(0, 2);
    assert_int_equal(n_targets(0), 1);
    assert_true(macs_changed());
    assert_macs(0x4);
    assert_state(1, 0, "down");
    assert_dropped(0, "10.0.0.2", make_snowsignal(), DROP_UNKNOWN_SENDER);
    assert_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2:99"),
                 "\"10.0.0.2:99\" is no peer; mesh/show has those that are");

    /* And return. */
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_node(0);
    run_for(2);
    assert_both_up(0, 1);
}

/* Frames go on where they were, for the other side knows what came. */
static void
test_a_peer_that_returns_goes_on_counting(void **state OVS_UNUSED)
{
    start_all(2);
    for (int i = 0; i < 10; i++) {
        send_frame(0);
    }
    run_for(10);
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(5000);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_node(0);
    run_for(10);
    uint32_t number = send_frame(0);
    run_for(10);
    assert_true(has_taken(1, number));
}

/* Even if we have forgotten it meanwhile. */
static void
test_a_peer_that_returns_late_goes_on_counting(void **state OVS_UNUSED)
{
    know(0, "10.0.0.3");
    start_all(2);
    for (int i = 0; i < 10; i++) {
        send_frame(0);
    }
    run_for(10);
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(2 * REMOTES_MAX_IDLE_MS);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    const size_t first = nodes[0].n_said;
    run_node(0);
    assert_int_equal(nodes[0].said[first].seq, 10);
    run_for(10);
    assert_both_up(0, 1);
    uint32_t number = send_frame(0);
    run_for(10);
    assert_true(has_taken(1, number));
}

/* A peer that goes and comes back is the same one for the other side. */
static void
test_another_number_for_the_same_way(void **state OVS_UNUSED)
{
    start_all(2);
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(300);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_node(0);
    run_for(2);
    const uint64_t n_sent = net.n_sent;
    for (int i = 0; i < 100; i++) {
        assert_both_up(0, 1);
        assert_int_equal(peer_of(0, 1)->liveness.rtt, 2000);
        run_for(100);
    }
    assert_int_equal(peer_of(1, 0)->echo.path, peer_of(0, 1)->path);
    assert_in_range(net.n_sent - n_sent, 10 * 2, 10 * 3);
}

static void
test_names(void **state OVS_UNUSED)
{
    struct sset names = SSET_INITIALIZER(&names);

    know(0, "relay-b");
    know(0, "10.0.0.4");
    assert_no_error(
        peer_specs_add(&nodes[0].config.discover, "_mesh._udp.test", true));
    know(1, "10.0.0.1");
    start(0);
    start(1);
    peering_add_names(nodes[0].peering, &names);
    assert_int_equal(sset_count(&names), 2);
    assert_true(sset_contains(&names, "relay-b"));
    assert_true(sset_contains(&names, "_mesh._udp.test"));
    run_for(1000);
    assert_null(find_peer(0, 1));

    /* Found. */
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    run_node(0);
    run_for(2);
    assert_both_up(0, 1);

    /* Led elsewhere: what was known is not true of there. */
    MOCK_RESOLVE("relay-b", "10.0.0.3");
    update(0);
    assert_state(0, 2, "probing");
    assert_null(peer_of(0, 2)->remote);
    run_for(1000);
    assert_state(0, 2, "silent");
    assert_null(find_peer(0, 1));

    /* Added and removed ones. */
    assert_no_error(peering_add(nodes[0].peering, NULL, "relay-c:99"));
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.4"));
    sset_clear(&names);
    peering_add_names(nodes[0].peering, &names);
    assert_int_equal(sset_count(&names), 3);
    assert_true(sset_contains(&names, "relay-c"));
    sset_destroy(&names);
}

/* Nothing of that is news to who has it. */
static void
test_an_update_without_news(void **state OVS_UNUSED)
{
    start_all(3);
    assert_true(macs_changed());
    const long long int since = peer_of(0, 1)->liveness.since;
    const size_t first = nodes[0].n_said;

    for (int i = 0; i < 100; i++) {
        update(0);
        run_for(10);
        assert_both_up(0, 1);
        assert_false(macs_changed());
    }
    assert_true(peer_of(0, 1)->liveness.since == since);
    assert_in_range(n_hellos(0, NULL, first), 2, 4);
    assert_int_equal(n_targets(0), 2);
}

/* New configurations. */

static void
test_a_new_configuration(void **state OVS_UNUSED)
{
    start_all(3);
    const long long int since = peer_of(0, 2)->liveness.since;

    peer_specs_clear(&nodes[0].config.peers);
    know(0, "10.0.0.4");
    know(0, "10.0.0.3");
    nodes[0].config.ports[0] = 99;
    nodes[0].config.n_ports = 1;
    nodes[0].config.hello_ms = 200;
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_for(2000);
    assert_null(find_peer(0, 1));
    assert_state(0, 3, "silent");
    assert_both_up(0, 2);
    assert_true(peer_of(0, 2)->liveness.since == since);
    assert_int_equal(peer_of(2, 0)->liveness.interval, 200);
    assert_int_equal(peer_of(2, 0)->remote->n_ports, 1);
    assert_int_equal(peer_of(2, 0)->remote->ports[0], 99);
}

/* Loads a configuration into node 0 that has the peers 'a' and 'b', or one of
 * them if 'b' is NULL. */
static void
reconfigure(const char *a, const char *b)
{
    peer_specs_clear(&nodes[0].config.peers);
    know(0, a);
    if (b) {
        know(0, b);
    }
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
}

/* Fails the test unless frames between the first two nodes come, once, for
 * 'ms'. */
static void
check_exchange(unsigned int ms)
{
    for (unsigned int i = 0; i < ms; i += 50) {
        uint32_t number = send_frame(0);

        send_frame(1);
        run_for(50);
        assert_true(has_taken(1, number));
        assert_true(has_taken(0, number + 1));
    }
}

/* The name may be that of the peer that goes. */
static void
test_peers_stay_until_names_are_known(void **state OVS_UNUSED)
{
    start_all(2);
    struct peer *peer = peer_of(0, 1);
    const long long int since = peer->liveness.since;

    reconfigure("relay-b", NULL);
    assert_ptr_equal(find_peer(0, 1), peer);
    check_exchange(3000);
    assert_ptr_equal(find_peer(0, 1), peer);
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    assert_ptr_equal(find_peer(0, 1), peer);
    assert_string_equal(peer->name, "relay-b");
    assert_int_equal(peering_peers(nodes[0].peering)->n_all, 1);
    check_exchange(KEEP_MS + 1000);
    assert_ptr_equal(find_peer(0, 1), peer);
    assert_true(peer->liveness.since == since);
    assert_both_up(0, 1);
}

/* Also while another name is still unknown. */
static void
test_peers_stay_while_some_names_are_known(void **state OVS_UNUSED)
{
    start_all(2);
    struct peer *peer = peer_of(0, 1);

    reconfigure("relay-b", "relay-c");
    check_exchange(1000);
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    assert_ptr_equal(find_peer(0, 1), peer);
    check_exchange(1000);
    MOCK_RESOLVE("relay-c", "10.0.0.3");
    update(0);
    assert_ptr_equal(find_peer(0, 1), peer);
    check_exchange(KEEP_MS);
    assert_int_equal(peering_peers(nodes[0].peering)->n_all, 2);
}

static void
test_peers_stay_for_some_seconds(void **state OVS_UNUSED)
{
    start_all(2);
    reconfigure("relay-b", NULL);
    const long long int end = clock_us(0) + KEEP_MS * 1000;

    assert_false(peering_wants_update(nodes[0].peering, end - 1000));
    assert_true(peering_wants_update(nodes[0].peering, end));
    run_for(KEEP_MS - 1);
    assert_both_up(0, 1);
    update(0); /* Does not put it off. */
    assert_both_up(0, 1);
    run_for(1);
    assert_null(find_peer(0, 1));
    assert_int_equal(n_targets(0), 0);
    assert_false(peering_wants_update(nodes[0].peering, INT64_C(1) << 60));
}

/* One that is discovered then goes on too. */
static void
test_peers_stay_until_they_are_discovered(void **state OVS_UNUSED)
{
    start_all(2);
    struct peer *peer = peer_of(0, 1);

    peer_specs_clear(&nodes[0].config.peers);
    assert_no_error(
        peer_specs_add(&nodes[0].config.discover, "_mesh._udp.test", true));
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    check_exchange(2000);
    MOCK_RESOLVE("_mesh._udp.test", "10.0.0.2:7124", "10.0.0.3:7124");
    update(0);
    assert_ptr_equal(find_peer(0, 1), peer);
    assert_int_equal(peer->source, ROSTER_DISCOVERED);
    check_exchange(KEEP_MS);
    assert_ptr_equal(find_peer(0, 1), peer);
}

/* Peers that stay are judged as all others are, and only those stay that get
 * frames. */
static void
test_peers_that_stay_are_judged(void **state OVS_UNUSED)
{
    start_all(2);
    assert_state(0, 0, "own");
    reconfigure("relay-b", NULL);
    assert_null(find_peer(0, 0));
    assert_state(0, 1, "up");
    nodes[0].host.addresses[1].address = nodes[1].address.address;
    nodes[0].host.n = 2;
    update(0);
    assert_state(0, 1, "own");
    assert_int_equal(n_targets(0), 0);
    update(0);
    assert_null(find_peer(0, 1));
}

/* Names that lead elsewhere end it. */
static void
test_peers_go_when_names_lead_elsewhere(void **state OVS_UNUSED)
{
    start_all(2);
    reconfigure("relay-b", NULL);
    run_for(1000);
    assert_both_up(0, 1);
    MOCK_RESOLVE("relay-b", "10.0.0.3");
    update(0);
    assert_null(find_peer(0, 1));
    assert_state(0, 2, "probing");
    assert_false(peering_wants_update(nodes[0].peering, INT64_C(1) << 60));
}

static void
test_peers_go_at_once_without_unknown_names(void **state OVS_UNUSED)
{
    start_all(3);
    MOCK_RESOLVE("relay-b", "10.0.0.3");
    reconfigure("relay-b", NULL);
    assert_null(find_peer(0, 1));
    assert_state(0, 2, "up");
    assert_int_equal(n_targets(0), 1);
}

/* Names that are unknown for other reasons keep nobody. */
static void
test_removed_peers_go_at_once(void **state OVS_UNUSED)
{
    introduce(3);
    know(0, "relay-b");
    for (size_t i = 0; i < 3; i++) {
        start(i);
    }
    run_for(500);
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    assert_null(find_peer(0, 1));
    assert_both_up(0, 2);
}

/* A relay that relays nothing has no peers. */
static void
test_without_a_mesh_there_are_no_peers(void **state OVS_UNUSED)
{
    start_all(2);
    struct peering *p = nodes[0].peering;

    assert_true(macs_changed());
    know(0, "relay-b"); /* Keeps nobody. */
    peering_leave(p, &nodes[0].mesh);
    peering_configure(p, &nodes[0].config);
    peering_update(p, NULL, &nodes[0].host, NULL, clock_us(0));
    const size_t first = nodes[0].n_said;
    assert_int_equal(peering_peers(p)->n_all, 0);
    assert_int_equal(n_targets(0), 0);
    assert_false(peering_wants_update(p, INT64_C(1) << 60));
    run_for(5000);
    assert_int_equal(nodes[0].n_said, first);
    assert_state(1, 0, "down");
    assert_dropped(0, "10.0.0.2", make_frame(7, 7, 7), DROP_UNKNOWN_SENDER);
    assert_true(macs_changed());
    assert_macs(0);

    /* Everything begins anew with another one. */
    update(0);
    assert_state(0, 1, "probing");
    assert_null(peer_of(0, 1)->remote);
    run_node(0);
    run_for(3);
    assert_both_up(0, 1);
    check_exchange(1000);
    assert_true(macs_changed());
    assert_macs(0x2);
}

/* Who has left and is configured again goes on, without a new mesh. */
static void
test_a_relay_that_stays_after_all(void **state OVS_UNUSED)
{
    start_all(2);
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    run_for(2000);
    assert_state(1, 0, "down");
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
    run_for(2);
    assert_both_up(0, 1);
    check_exchange(1000);
}

/* Waiting. */

/* With the real clock: who runs when peering_wait() wakes it finds that
 * something is due, and not before. */
static void
test_waiting(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    net.now = time_msec() * 1000;
    start(0);
    const long long int due = clock_ms(0) + LIVENESS_PROBE_MS;

    /* Nobody waits for MACs. */
    peering_macs_changed(nodes[0].peering, clock_us(0) + 1000000);

    alarm(60);
    while (!strcmp(peer_state_name(peer_of(0, 1)), "probing")) {
        peering_wait(nodes[0].peering);
        poll_block();
        net.now = time_msec() * 1000;
        run_node(0);
    }
    alarm(0);
    assert_state(0, 1, "silent");
    assert_true(time_msec() >= due);
}

/* For MACs nobody else wakes. */
static void
test_waiting_for_macs(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    nodes[0].id = 0; /* So that nothing else is due. */
    net.now = time_msec() * 1000;
    start(0);
    const long long int due = clock_ms(0) + PEER_MACS_SETTLE_MS;

    alarm(60);
    peering_wait(nodes[0].peering);
    poll_block();
    alarm(0);
    assert_true(time_msec() >= due);
}

/* Nor for what the others should know at once. */
static void
test_waiting_with_news(void **state OVS_UNUSED)
{
    know(0, "10.0.0.1");
    net.now = time_msec() * 1000;
    start(0);
    const long long int due = clock_ms(0) + NEWS_MS;
    peering_macs_changed(nodes[0].peering, clock_us(0) + 1000000);
    peering_set_local_mac(nodes[0].peering, nodes[3].mac);

    alarm(30);
    peering_wait(nodes[0].peering);
    poll_block();
    alarm(0);
    assert_true(time_msec() >= due);
    net.now = time_msec() * 1000;
    run_node(0);
    assert_false(nodes[0].peering->self.news);

    /* What is due is not put off by news that are not. */
    peering_set_local_mac(nodes[0].peering, nodes[2].mac);
    nodes[0].peering->next_news = LLONG_MAX / 2;
    nodes[0].peering->next_check = time_msec();
    alarm(30);
    peering_wait(nodes[0].peering);
    poll_block();
    alarm(0);
}

/* Who has nothing else to do waits for an update. */
static void
test_waiting_for_an_update(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    net.now = time_msec() * 1000;
    start(0);
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_dropped(0, "10.0.0.2", make_own_hello(peer_of(0, 1)), DROP_OWN);
    peering_macs_changed(nodes[0].peering, clock_us(0) + 1000000);
    assert_true(peering_wants_update(nodes[0].peering, clock_us(0)));

    alarm(30);
    peering_wait(nodes[0].peering);
    poll_block();
    alarm(0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_without_an_id_nobody_is_greeted),
        TEST(test_an_id_sets_the_hellos_going),
        TEST(test_without_a_mac_nobody_is_greeted),
        TEST(test_no_hello_counts_without_an_id),
        TEST(test_no_hello_counts_before_this_relay_knows_itself),
        TEST(test_an_id_of_the_configuration),
        TEST(test_another_id_is_another_relay),
        TEST(test_another_id_does_not_cost_frames_of_others),
        TEST(test_frames_get_this_relays_header),
        TEST(test_without_peers_a_relay_is_its_own),
        TEST(test_without_ports_a_relay_has_nobody),
        TEST(test_the_own_address_is_set_aside),
        TEST(test_another_mesh),
        TEST(test_a_relay_asks_until_it_is_answered),
        TEST(test_the_pace_of_hellos),
        TEST(test_hellos_to_many_go_together),
        TEST(test_who_cannot_be_sent_to_is_not_greeted),
        TEST(test_news_are_told_at_once),
        TEST(test_news_come_together),
        TEST(test_hellos_do_not_wait_for_news),
        TEST(test_all_ports_fit_in_a_hello),
        TEST(test_a_new_pace_is_told_at_once),
        TEST(test_nobody_answers),
        TEST(test_snowsignal_is_greeted_ever_more_rarely),
        TEST(test_snowsignal_among_others),
        TEST(test_the_silent_are_greeted_ever_more_rarely),
        TEST(test_a_downgraded_node_is_asked_again_soon),
        TEST(test_one_that_was_silent_is_greeted_soon),
        TEST(test_the_silent_are_greeted_when_a_relay_comes_up),
        TEST(test_the_silent_are_greeted_when_a_relay_is_accepted),
        TEST(test_the_silent_are_greeted_after_frames),
        TEST(test_the_silent_are_greeted_once_a_second),
        TEST(test_the_silent_are_greeted_once_a_second_among_others),
        TEST(test_the_silent_are_greeted_in_time),
        TEST(test_begun_when_all_are_known),
        TEST(test_begun_when_somebody_does_not_answer),
        TEST(test_begun_with_a_frame_of_snowsignals),
        TEST(test_begun_with_nobody_to_ask),
        TEST(test_begun_when_names_are_known),
        TEST(test_begun_when_names_stay_unknown),
        TEST(test_changes_of_macs_are_gathered),
        TEST(test_the_first_macs_come_with_the_beginning),
        TEST(test_changes_of_macs_do_not_wait_for_each_other),
        TEST(test_changes_of_macs_are_kept),
        TEST(test_a_mac_of_two_peers_is_one),
        TEST(test_a_relay_gets_another_mac),
        TEST(test_a_relay_with_many_macs),
        TEST(test_a_passing_change_of_macs),
        TEST(test_macs_of_the_dead_stay),
        TEST(test_macs_of_one_set_aside_leave),
        TEST(test_macs_are_forgotten),
        TEST(test_a_role_is_told_at_once),
        TEST(test_a_tunnel_is_told_at_once),
        TEST(test_that_probes_come_is_told_at_once),
        TEST(test_a_relay_with_a_tunnel_starts_anew),
        TEST(test_who_this_relay_is),
        TEST(test_peers_come_at_run_time),
        TEST(test_peers_go_at_run_time),
        TEST(test_a_peer_that_returns_goes_on_counting),
        TEST(test_a_peer_that_returns_late_goes_on_counting),
        TEST(test_another_number_for_the_same_way),
        TEST(test_names),
        TEST(test_an_update_without_news),
        TEST(test_a_new_configuration),
        TEST(test_peers_stay_until_names_are_known),
        TEST(test_peers_stay_while_some_names_are_known),
        TEST(test_peers_stay_for_some_seconds),
        TEST(test_peers_stay_until_they_are_discovered),
        TEST(test_peers_that_stay_are_judged),
        TEST(test_peers_go_when_names_lead_elsewhere),
        TEST(test_peers_go_at_once_without_unknown_names),
        TEST(test_removed_peers_go_at_once),
        TEST(test_without_a_mesh_there_are_no_peers),
        TEST(test_a_relay_that_stays_after_all),
        TEST(test_waiting),
        TEST(test_waiting_for_macs),
        TEST(test_waiting_with_news),
        TEST(test_waiting_for_an_update),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests_name("peering", tests, NULL, NULL);
}
