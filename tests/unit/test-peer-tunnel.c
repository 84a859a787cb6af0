/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peer-tunnel.h"

#include "support.h"

#include <limits.h>

#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

/* What a peer says that has a tunnel. */
static const struct hello_tunnel offer = {
    .type = HELLO_VXLAN,
    .vni = 0x534e4d,
    .token = UINT64_C(0x1112131415161718),
};

/* Hands 't' a hello with 'theirs', which is an answer if 'answers'. */
static bool
take(struct peer_tunnel *t, const struct hello_tunnel *theirs, bool answers)
{
    const struct hello h = { .tunnel = *theirs, .answers = answers };

    return peer_tunnel_take_hello(t, &h);
}

static void
assert_theirs(const struct peer_tunnel *t, const struct hello_tunnel *expected)
{
    assert_int_equal(t->theirs.type, expected->type);
    assert_int_equal(t->theirs.vni, expected->vni);
    assert_true(t->theirs.token == expected->token);
    assert_int_equal(t->theirs.hears, expected->hears);
}

static void
test_nothing_is_known_at_first(void **state OVS_UNUSED)
{
    struct peer_tunnel t;

    memset(&t, 0xa5, sizeof t);
    peer_tunnel_init(&t);
    assert_int_equal(t.theirs.type, HELLO_NO_TUNNEL);
    assert_true(t.heard == LLONG_MIN);
    assert_true(IN6_IS_ADDR_UNSPECIFIED(&t.source));
    assert_false(t.placing || t.accepted || t.hears || t.chosen || t.carried);
    assert_int_equal(t.max_len, 0);
    assert_true(t.next_probe == 0);
    assert_true(t.tx == 0 && t.rx == 0);
}

/* Who knows one can send probes in somebody else's name. */
static void
test_each_peer_has_a_token_of_its_own(void **state OVS_UNUSED)
{
    struct peer_tunnel all[100];

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        peer_tunnel_init(&all[i]);
        assert_true(all[i].token);
        for (size_t j = 0; j < i; j++) {
            assert_true(all[j].token != all[i].token);
        }
    }

    /* Also the second time. */
    const uint64_t before = all[0].token;
    peer_tunnel_init(&all[0]);
    assert_true(all[0].token != before);
}

/* Each of the fields is news when it changes, and only then. */
static void
test_what_is_news(void **state OVS_UNUSED)
{
    struct hello_tunnel said = offer;
    struct peer_tunnel t;

    peer_tunnel_init(&t);
    assert_true(take(&t, &said, false));
    assert_theirs(&t, &offer);
    assert_false(take(&t, &said, false));

    said.type = HELLO_GENEVE;
    assert_true(take(&t, &said, false));
    assert_false(take(&t, &said, true));
    said.vni++;
    assert_true(take(&t, &said, true));
    assert_false(take(&t, &said, false));
    said.hears = true;
    assert_true(take(&t, &said, false));
    assert_false(take(&t, &said, false));
    said.hears = false;
    assert_true(take(&t, &said, false));
    said.token++;
    assert_true(take(&t, &said, false));
    assert_false(take(&t, &said, false));
    assert_theirs(&t, &said);
}

static void
test_an_answer_without_room_says_nothing(void **state OVS_UNUSED)
{
    const struct hello_tunnel none = { .type = HELLO_NO_TUNNEL };
    struct hello_tunnel said = offer;
    struct peer_tunnel t;

    said.hears = true;
    peer_tunnel_init(&t);
    assert_false(take(&t, &none, true));
    assert_false(take(&t, &none, false));
    take(&t, &said, false);
    t.next_probe = 77;
    t.n_probes = 3;
    assert_false(take(&t, &none, true));
    assert_theirs(&t, &said);
    assert_true(t.next_probe == 77);
    assert_int_equal(t.n_probes, 3);

    /* Any other hello has room. */
    assert_true(take(&t, &none, false));
    assert_theirs(&t, &none);
    assert_false(take(&t, &none, false));
}

/* Who starts anew draws another token, knows nothing of our probes, and has to
 * prove again that its own come. */
static void
test_another_token_begins_the_probes_anew(void **state OVS_UNUSED)
{
    struct hello_tunnel said = offer;
    struct peer_tunnel t;

    peer_tunnel_init(&t);
    take(&t, &said, false);
    t.next_probe = 1000;
    t.n_probes = 10;
    t.heard = 900;
    t.hears = true;
    said.hears = true;
    take(&t, &said, false);
    assert_true(t.next_probe == 1000);
    assert_int_equal(t.n_probes, 10);
    assert_true(t.heard == 900 && t.hears);

    said.token++;
    take(&t, &said, false);
    assert_true(t.next_probe == 0);
    assert_int_equal(t.n_probes, 0);
    assert_true(t.heard == LLONG_MIN && !t.hears);
}

/* Our side stays as it is, whatever the peer says, unless it starts anew. */
static void
test_hellos_leave_the_other_direction_alone(void **state OVS_UNUSED)
{
    struct hello_tunnel said = offer;
    struct peer_tunnel t;

    peer_tunnel_init(&t);
    take(&t, &said, false);
    const uint64_t token = t.token;
    t.heard = 5;
    t.placing = t.accepted = t.hears = true;
    in6_addr_set_mapped_ipv4(&t.source, htonl(0x0a000001));
    const struct in6_addr source = t.source;
    said.hears = true;
    take(&t, &said, false);
    said.type = HELLO_GENEVE;
    said.vni++;
    take(&t, &said, false);
    assert_true(t.token == token);
    assert_true(t.heard == 5);
    assert_true(t.placing && t.accepted && t.hears);
    assert_true(IN6_ARE_ADDR_EQUAL(&t.source, &source));
}

/* Generations. */

/* Fails the test unless 't' carries just the generations from 'from' up to but
 * without 'until', of those around them.  The numbers may wrap around. */
static void
assert_carried(const struct peer_tunnel *t, uint16_t from, uint16_t until)
{
    bool in = false;

    for (uint16_t i = from - 1000; i != (uint16_t) (until + 1000); i++) {
        in = (in || i == from) && i != until;
        assert_int_equal(peer_tunnel_carried(t, i), in && i);
    }
}

static void
test_generations_in_which_the_switch_carries(void **state OVS_UNUSED)
{
    static const struct {
        uint16_t from, until;
    } all[] = {
        { 1, 2 },         { 1, 500 },           { 2000, 2001 }, { 3000, 4000 },
        { 65535, 1 },     { 65534, 2 },         { 65000, 700 }, { 65535, 3 },
        { 32767, 32769 }, { 1, 65535 - 40000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        const uint16_t from = all[i].from, until = all[i].until;
        struct peer_tunnel t;

        peer_tunnel_init(&t);
        peer_tunnel_carry(&t, false, from - 1 ? from - 1 : UINT16_MAX);
        assert_false(peer_tunnel_carried(&t, from));
        peer_tunnel_carry(&t, true, from);
        assert_true(t.carried);
        assert_true(peer_tunnel_carried(&t, from));
        assert_false(peer_tunnel_carried(&t, from - 1));
        assert_true(peer_tunnel_carried(&t, until));
        peer_tunnel_carry(&t, false, until);
        assert_false(t.carried);
        assert_carried(&t, from, until);
    }
}

/* Generation 0 is that of frames that the switch sent to nobody. */
static void
test_without_a_generation_nothing_is_carried(void **state OVS_UNUSED)
{
    struct peer_tunnel t;

    peer_tunnel_init(&t);
    assert_false(peer_tunnel_carried(&t, 0));
    for (uint16_t from = 1; from < 10; from++) {
        peer_tunnel_carry(&t, true, UINT16_MAX - from);
        assert_false(peer_tunnel_carried(&t, 0));
        assert_true(peer_tunnel_carried(&t, UINT16_MAX));
        assert_true(peer_tunnel_carried(&t, 1));
        peer_tunnel_carry(&t, false, 5);
        assert_false(peer_tunnel_carried(&t, 0));
    }
}

static void
test_who_was_never_carried(void **state OVS_UNUSED)
{
    struct peer_tunnel t;

    peer_tunnel_init(&t);
    for (unsigned int i = 0; i <= UINT16_MAX; i++) {
        assert_false(peer_tunnel_carried(&t, i));
    }
    peer_tunnel_carry(&t, false, 5);
    for (unsigned int i = 0; i <= UINT16_MAX; i++) {
        assert_false(peer_tunnel_carried(&t, i));
    }
}

/* To say the same again changes nothing. */
static void
test_what_stays_the_same(void **state OVS_UNUSED)
{
    struct peer_tunnel t;

    peer_tunnel_init(&t);
    peer_tunnel_carry(&t, true, 10);
    peer_tunnel_carry(&t, true, 11);
    peer_tunnel_carry(&t, true, 15);
    peer_tunnel_carry(&t, false, 20);
    peer_tunnel_carry(&t, false, 21);
    assert_carried(&t, 10, 20);

    peer_tunnel_carry(&t, true, 30);
    assert_false(peer_tunnel_carried(&t, 29));
    assert_true(peer_tunnel_carried(&t, 30));
    peer_tunnel_carry(&t, false, 31);
    assert_carried(&t, 30, 31);
}

/* Numbers come again, but nobody is taken for one that is carried, or is not,
 * because of what was once. */
static void
test_generations_of_long_ago(void **state OVS_UNUSED)
{
    for (int carried = 0; carried < 2; carried++) {
        for (uint16_t first = 1; first < 60000; first += 9973) {
            uint16_t generation = first;
            struct peer_tunnel t;

            peer_tunnel_init(&t);
            peer_tunnel_carry(&t, true, generation++);
            for (int i = 0; i < 200000; i++) {
                generation += !generation;
                peer_tunnel_carry(&t, carried, generation);
                assert_int_equal(peer_tunnel_carried(&t, generation), carried);
                const uint16_t next =
                    generation == UINT16_MAX ? 1 : generation + 1;
                assert_int_equal(peer_tunnel_carried(&t, next), carried);
                for (int late = 2; late < 1000 && late < i; late *= 4) {
                    const uint16_t before = generation - late;
                    assert_int_equal(peer_tunnel_carried(&t, before),
                                     carried && before);
                }
                generation++;
            }
        }
    }
}

/* What was still counts while frames of then may be on their way. */
static void
test_generations_of_not_so_long_ago(void **state OVS_UNUSED)
{
    struct peer_tunnel t;

    peer_tunnel_init(&t);
    for (uint16_t i = 1; i < 40000; i++) {
        peer_tunnel_carry(&t, true, i);
    }
    for (uint16_t i = 40000; i < 41000; i++) {
        peer_tunnel_carry(&t, false, i);
        assert_true(peer_tunnel_carried(&t, 39999));
        assert_true(peer_tunnel_carried(&t, 39000));
        assert_false(peer_tunnel_carried(&t, 40000));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_known_at_first),
        cmocka_unit_test(test_each_peer_has_a_token_of_its_own),
        cmocka_unit_test(test_what_is_news),
        cmocka_unit_test(test_an_answer_without_room_says_nothing),
        cmocka_unit_test(test_another_token_begins_the_probes_anew),
        cmocka_unit_test(test_hellos_leave_the_other_direction_alone),
        cmocka_unit_test(test_generations_in_which_the_switch_carries),
        cmocka_unit_test(test_without_a_generation_nothing_is_carried),
        cmocka_unit_test(test_who_was_never_carried),
        cmocka_unit_test(test_what_stays_the_same),
        cmocka_unit_test(test_generations_of_long_ago),
        cmocka_unit_test(test_generations_of_not_so_long_ago),
    };
    return cmocka_run_group_tests_name("peer tunnel", tests, NULL, NULL);
}
