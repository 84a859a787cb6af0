/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peers.h"

#include "support.h"

#include <arpa/inet.h>

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "util.h"

/* A mock of the resolver: it knows a single name, by what is stored here. */
static const char *mock_name;
static struct resolution mock_resolution;

const struct resolution *
resolver_get(const struct resolver *resolver OVS_UNUSED, const char *name)
{
    assert_string_equal(name, mock_name);
    return &mock_resolution;
}

static struct in6_addr
address(const char *text)
{
    struct in6_addr a;

    assert_true(address_from_text(text, &a));
    return a;
}

/* Makes the 'n' addresses in 'texts' those that the mock has for "relay-b". */
static void
mock_resolve(const char *const texts[], size_t n)
{
    mock_name = "relay-b";
    mock_resolution.n = n;
    for (size_t i = 0; i < n; i++) {
        mock_resolution.addresses[i] = address(texts[i]);
    }
}

/* Updates 'peers' for a mesh that can send to the families 'ipv4' and 'ipv6'.
 * This relay's own endpoint is 192.0.2.1:7124. */
static void
update(struct peers *peers, bool ipv4, bool ipv6)
{
    const struct endpoint own = { address("192.0.2.1"), 7124 };
    const struct peers_self self = { ipv4, ipv6, &own, 1 };

    peers_update(peers, NULL, &self);
}

/* Makes the 'n' HOST:PORTs in 'texts' the peers. */
static void
configure(struct peers *peers, const char *const texts[], size_t n)
{
    struct peer_spec specs[8];

    assert_in_range(n, 0, ARRAY_SIZE(specs));
    for (size_t i = 0; i < n; i++) {
        specs[i].text = xstrdup(texts[i]);
        assert_no_error(
            host_port_split(texts[i], 7124, &specs[i].host, &specs[i].port));
    }
    peers_configure(peers, specs, n, peers->accept, 0);
    for (size_t i = 0; i < n; i++) {
        free(specs[i].text);
        free(specs[i].host);
    }
    update(peers, true, true);
}

#define CONFIGURE(PEERS, ...)                                                 \
    configure(PEERS, (const char *const[]){ __VA_ARGS__ },                    \
              ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

/* Fails the test unless the 'i'th peer is in 'state'. */
static void
assert_state(const struct peers *peers, size_t i, enum peer_state state)
{
    assert_string_equal(peer_state_name(peers->all[i]->state),
                        peer_state_name(state));
}

/* Fails the test unless just the peers with the numbers that follow, in this
 * order, are sent to. */
static void
assert_targets(const struct peers *peers, const size_t *numbers, size_t n)
{
    assert_int_equal(peers->n_targets, n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(peers->targets[i], peers->all[numbers[i]]);
    }
}

#define ASSERT_TARGETS(PEERS, ...)                                            \
    assert_targets(PEERS, (const size_t[]){ __VA_ARGS__ },                    \
                   ARRAY_SIZE(((const size_t[]){ __VA_ARGS__ })))

/* Fails the test unless the 'i'th peer is sent to at 'text'. */
static void
assert_target(const struct peers *peers, size_t i, const char *text)
{
    char target[ENDPOINT_TEXT_SIZE];

    assert_string_equal(endpoint_format(&peers->all[i]->target, target), text);
}

/* Fails the test unless a datagram from 'text' is from the 'i'th peer. */
static void
assert_from_peer(const struct peers *peers, const char *text, size_t i)
{
    struct in6_addr a = address(text);
    struct peer *peer;

    assert_int_equal(peers_identify(peers, &a, &peer), ORIGIN_PEER);
    assert_ptr_equal(peer, peers->all[i]);
}

/* Fails the test unless a datagram from 'text' is from 'origin', no peer. */
static void
assert_from(const struct peers *peers, const char *text,
            enum peers_origin origin)
{
    struct in6_addr a = address(text);
    struct peer *peer = (struct peer *) &a; /* Anything but NULL. */

    assert_int_equal(peers_identify(peers, &a, &peer), origin);
    assert_null(peer);
}

/* A source port plays no part: it is not even asked for. */
static void
test_peers_are_known_by_address(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    CONFIGURE(&peers, "192.0.2.7", "192.0.2.8:7000", "[2001:db8::7]:7124");
    ASSERT_TARGETS(&peers, 0, 1, 2);
    assert_target(&peers, 0, "192.0.2.7:7124");
    assert_target(&peers, 1, "192.0.2.8:7000");
    assert_target(&peers, 2, "[2001:db8::7]:7124");
    assert_from_peer(&peers, "192.0.2.7", 0);
    assert_from_peer(&peers, "192.0.2.8", 1);
    assert_from_peer(&peers, "::ffff:192.0.2.8", 1);
    assert_from_peer(&peers, "2001:db8::7", 2);
    peers_destroy(&peers);
}

static void
test_strangers_are_unknown(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    assert_from(&peers, "192.0.2.7", ORIGIN_UNKNOWN);
    CONFIGURE(&peers, "192.0.2.7");
    assert_from(&peers, "192.0.2.9", ORIGIN_UNKNOWN);
    assert_from(&peers, "2001:db8::7", ORIGIN_UNKNOWN);
    assert_from(&peers, "0.0.0.0", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

static void
test_subnets_to_accept_from(void **state OVS_UNUSED)
{
    char text[] = "10.0.0.7", host[] = "10.0.0.7";
    const struct peer_spec spec = { text, host, 7124 };
    struct subnet accept[2];
    struct peers peers;

    assert_true(subnet_from_text("10.0.0.0/8", &accept[0]));
    assert_true(subnet_from_text("2001:db8::/32", &accept[1]));
    peers_init(&peers);
    peers_configure(&peers, &spec, 1, accept, ARRAY_SIZE(accept));
    update(&peers, true, true);
    memset(accept, 0, sizeof accept); /* They were copied. */

    assert_from(&peers, "10.255.0.1", ORIGIN_ACCEPTED);
    assert_from(&peers, "2001:db8::1", ORIGIN_ACCEPTED);
    assert_from(&peers, "11.0.0.1", ORIGIN_UNKNOWN);
    assert_from(&peers, "2001:db9::1", ORIGIN_UNKNOWN);
    assert_from_peer(&peers, "10.0.0.7", 0);

    peers_configure(&peers, &spec, 1, NULL, 0);
    assert_from(&peers, "10.255.0.1", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

/* The same list may be given to every relay, this one's own address
 * included. */
static void
test_own_address_is_set_aside(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    CONFIGURE(&peers, "192.0.2.1", "192.0.2.7", "192.0.2.1:7000");
    assert_state(&peers, 0, PEER_OWN);
    assert_state(&peers, 1, PEER_READY);
    ASSERT_TARGETS(&peers, 1, 2);

    /* Another relay on this host has the address, so what comes from there is
     * that one's. */
    assert_state(&peers, 2, PEER_READY);
    assert_from_peer(&peers, "192.0.2.1", 2);
    peers_destroy(&peers);
}

/* What this relay sends must not come in again as a peer's. */
static void
test_own_address_is_no_peers(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    CONFIGURE(&peers, "192.0.2.1", "192.0.2.7");
    assert_from(&peers, "192.0.2.1", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

static void
test_duplicates_are_set_aside(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    CONFIGURE(&peers, "192.0.2.7", "192.0.2.7:7124", "::ffff:192.0.2.7",
              "192.0.2.7:7000");
    assert_state(&peers, 0, PEER_READY);
    assert_state(&peers, 1, PEER_DUPLICATE);
    assert_state(&peers, 2, PEER_DUPLICATE);
    assert_state(&peers, 3, PEER_READY); /* Another port, another relay. */
    ASSERT_TARGETS(&peers, 0, 3);
    assert_from_peer(&peers, "192.0.2.7", 0);

    /* Goes the first, the second is one no longer. */
    CONFIGURE(&peers, "192.0.2.7:7124", "192.0.2.8");
    assert_state(&peers, 0, PEER_READY);
    ASSERT_TARGETS(&peers, 0, 1);
    peers_destroy(&peers);
}

static void
test_reconfiguring_keeps_statistics(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    CONFIGURE(&peers, "192.0.2.7", "192.0.2.8");
    peers.all[1]->tx = 10;
    peers.all[1]->tx_errors = 11;
    peers.all[1]->rx = 12;

    CONFIGURE(&peers, "192.0.2.9", "192.0.2.8", "192.0.2.7:7000");
    assert_int_equal(peers.n_all, 3);
    assert_int_equal(peers.all[1]->tx, 10);
    assert_int_equal(peers.all[1]->tx_errors, 11);
    assert_int_equal(peers.all[1]->rx, 12);
    assert_int_equal(peers.all[0]->tx, 0);
    assert_int_equal(peers.all[2]->tx, 0); /* Another port, another peer. */
    ASSERT_TARGETS(&peers, 0, 1, 2);
    assert_target(&peers, 2, "192.0.2.7:7000");
    assert_from_peer(&peers, "192.0.2.9", 0);
    assert_from_peer(&peers, "192.0.2.7", 2);

    configure(&peers, NULL, 0);
    assert_int_equal(peers.n_all, 0);
    assert_int_equal(peers.n_targets, 0);
    assert_from(&peers, "192.0.2.8", ORIGIN_UNKNOWN);
    CONFIGURE(&peers, "192.0.2.8");
    assert_int_equal(peers.all[0]->tx, 0);
    peers_destroy(&peers);
}

/* Until the next update nobody is sent to, and no peer that is gone is
 * found. */
static void
test_between_configuring_and_updating(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    CONFIGURE(&peers, "192.0.2.7");
    peers_configure(&peers, NULL, 0, NULL, 0);
    assert_int_equal(peers.n_targets, 0);
    assert_from(&peers, "192.0.2.7", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

/* A mesh that is bound to an address of one family cannot send to the
 * other. */
static void
test_peers_of_a_family_that_cannot_be_sent_to(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    CONFIGURE(&peers, "192.0.2.7", "[2001:db8::7]:7124");
    update(&peers, true, false);
    assert_state(&peers, 1, PEER_UNREACHABLE);
    ASSERT_TARGETS(&peers, 0);
    assert_from(&peers, "2001:db8::7", ORIGIN_UNKNOWN);

    update(&peers, false, true);
    assert_state(&peers, 0, PEER_UNREACHABLE);
    ASSERT_TARGETS(&peers, 1);

    update(&peers, true, true);
    ASSERT_TARGETS(&peers, 0, 1);
    peers_destroy(&peers);
}

/* A name with addresses of both families is sent to at one that can be. */
static void
test_the_family_of_a_name_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    mock_resolve((const char *const[]){ "2001:db8::7", "192.0.2.7" }, 2);
    CONFIGURE(&peers, "relay-b");
    assert_target(&peers, 0, "[2001:db8::7]:7124");
    update(&peers, true, false);
    assert_state(&peers, 0, PEER_READY);
    assert_target(&peers, 0, "192.0.2.7:7124");
    update(&peers, true, true); /* Stays what it is. */
    assert_target(&peers, 0, "192.0.2.7:7124");
    update(&peers, false, true);
    assert_target(&peers, 0, "[2001:db8::7]:7124");
    update(&peers, false, false);
    assert_state(&peers, 0, PEER_UNREACHABLE);
    assert_int_equal(peers.n_targets, 0);
    peers_destroy(&peers);
}

static void
test_names_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    mock_resolve(NULL, 0);
    CONFIGURE(&peers, "relay-b:7000", "192.0.2.9");
    assert_state(&peers, 0, PEER_UNRESOLVED);
    ASSERT_TARGETS(&peers, 1);

    /* Sent to at one address, heard from all. */
    mock_resolve((const char *const[]){ "192.0.2.7", "192.0.2.8" }, 2);
    update(&peers, true, true);
    assert_state(&peers, 0, PEER_READY);
    ASSERT_TARGETS(&peers, 0, 1);
    assert_target(&peers, 0, "192.0.2.7:7000");
    assert_from_peer(&peers, "192.0.2.7", 0);
    assert_from_peer(&peers, "192.0.2.8", 0);

    /* The same two in another order change nothing. */
    mock_resolve((const char *const[]){ "192.0.2.8", "192.0.2.7" }, 2);
    update(&peers, true, true);
    assert_target(&peers, 0, "192.0.2.7:7000");

    /* Its address goes. */
    mock_resolve((const char *const[]){ "192.0.2.6", "192.0.2.8" }, 2);
    update(&peers, true, true);
    assert_target(&peers, 0, "192.0.2.6:7000");
    assert_from(&peers, "192.0.2.7", ORIGIN_UNKNOWN);

    /* The name is one of another peer, or of this relay. */
    mock_resolve((const char *const[]){ "192.0.2.9" }, 1);
    CONFIGURE(&peers, "192.0.2.9", "relay-b");
    assert_state(&peers, 1, PEER_DUPLICATE);
    ASSERT_TARGETS(&peers, 0);
    mock_resolve((const char *const[]){ "192.0.2.1" }, 1);
    update(&peers, true, true);
    assert_state(&peers, 1, PEER_OWN);
    ASSERT_TARGETS(&peers, 0);
    assert_from(&peers, "192.0.2.1", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

static void
test_a_shared_address_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    struct peers peers;

    /* The first of the configuration has what both have. */
    peers_init(&peers);
    mock_resolve((const char *const[]){ "192.0.2.8", "192.0.2.7" }, 2);
    CONFIGURE(&peers, "192.0.2.7", "relay-b");
    ASSERT_TARGETS(&peers, 0, 1);
    assert_from_peer(&peers, "192.0.2.7", 0);
    assert_from_peer(&peers, "192.0.2.8", 1);
    peers_destroy(&peers);
}

int
main(void)
{
    /* What changes about peers is logged, which here only hides what
     * fails. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers_are_known_by_address),
        cmocka_unit_test(test_strangers_are_unknown),
        cmocka_unit_test(test_subnets_to_accept_from),
        cmocka_unit_test(test_own_address_is_set_aside),
        cmocka_unit_test(test_own_address_is_no_peers),
        cmocka_unit_test(test_duplicates_are_set_aside),
        cmocka_unit_test(test_reconfiguring_keeps_statistics),
        cmocka_unit_test(test_between_configuring_and_updating),
        cmocka_unit_test(test_peers_of_a_family_that_cannot_be_sent_to),
        cmocka_unit_test(
            test_the_family_of_a_name_with_a_mock_of_the_resolver),
        cmocka_unit_test(test_names_with_a_mock_of_the_resolver),
        cmocka_unit_test(test_a_shared_address_with_a_mock_of_the_resolver),
    };
    return cmocka_run_group_tests_name("peers", tests, NULL, NULL);
}
