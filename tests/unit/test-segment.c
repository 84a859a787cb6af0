/* SPDX-License-Identifier: Apache-2.0 */

/* What the segment adds to the election, which has tests of its own: frames
 * for announcements, and who has come and gone. */

#include <config.h>
#include "segment.h"

#include "support.h"

#include <limits.h>

#include "conf.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

enum { NOW = 1000000, HELLO_MS = 200, DEAD_MS = 700 };

/* This relay. */
#define ID UINT64_C(0x0102030405060708)
#define SESSION UINT64_C(0x1112131415161718)

static const struct eth_addr mac = ETH_ADDR_C(02, 00, 00, 00, 00, 01);

/* Returns a configuration in which one relay of the segment forwards. */
static struct config
make_config(void)
{
    return (struct config){
        .election = true,
        .priority = 77,
        .announce_ms = HELLO_MS,
        .dead_ms = DEAD_MS,
        .ports = { 5076, 5064 },
        .n_ports = 2,
    };
}

/* Makes '*s' the segment of a relay that knows itself and hears others. */
static void
set_up(struct segment *s)
{
    const struct config config = make_config();
    const struct announcement self = {
        .relay_id = ID,
        .session = SESSION,
        .mac = mac,
        .address = in6addr_loopback,
    };

    segment_init(s);
    segment_configure(s, &config, NOW);
    election_set_self(&s->election, &self, NOW);
    election_set_online(&s->election, true, NOW);
}

/* Returns what the 'i'th other relay says. */
static struct announcement
other(uint8_t i)
{
    struct announcement a = {
        .mac = ETH_ADDR_C(02, 00, 00, 00, 01, 00),
        .state = RELAY_STANDBY,
        .reason = REASON_LATER,
        .priority = 100,
        .relay_id = 1000 + i,
        .session = 2000 + i,
        .hello_ms = HELLO_MS,
        .dead_ms = DEAD_MS,
        .age_ms = 5000,
        .ports = { 5076 },
        .n_ports = 1,
    };

    a.mac.ea[5] = i;
    return a;
}

/* Has 's' take in the 'length' bytes at 'bytes', in memory that ends there. */
static void
take_bytes(struct segment *s, const uint8_t *bytes, size_t length,
           long long int now)
{
    uint8_t *copy = copy_exactly(bytes, length);

    segment_take(s, copy, length, now);
    free(copy);
}

static void
take(struct segment *s, const struct announcement *a, long long int now)
{
    uint8_t frame[ANNOUNCEMENT_MAX_LEN];

    take_bytes(s, frame, announcement_encode(a, frame), now);
}

/* Fails the test unless there is news, and just the 'n' ids in 'expected' are
 * gone, in any order. */
static void
assert_news(struct segment *s, const uint64_t *expected, size_t n)
{
    uint64_t gone[CANDIDATES_MAX + 1];
    size_t n_gone = SIZE_MAX;

    memset(gone, 0xa5, sizeof gone);
    assert_true(segment_news(s, gone, &n_gone));
    assert_int_equal(n_gone, n);
    for (size_t i = 0; i < n; i++) {
        size_t found = 0;

        for (size_t j = 0; j < n; j++) {
            found += gone[j] == expected[i];
        }
        assert_int_equal(found, 1);
    }
    assert_true(gone[n] == UINT64_C(0xa5a5a5a5a5a5a5a5));

    /* Once. */
    n_gone = SIZE_MAX;
    assert_false(segment_news(s, gone, &n_gone));
    assert_int_equal(n_gone, 0);
}

#define ASSERT_GONE(SEGMENT, ...)                                             \
    assert_news(SEGMENT, (const uint64_t[]){ __VA_ARGS__ },                   \
                ARRAY_SIZE(((const uint64_t[]){ __VA_ARGS__ })))

static void
assert_no_news(struct segment *s)
{
    uint64_t gone[CANDIDATES_MAX];
    size_t n_gone = SIZE_MAX;

    assert_false(segment_news(s, gone, &n_gone));
    assert_int_equal(n_gone, 0);
}

/* Fails the test unless those on the segment are the 'n' others numbered so in
 * 'numbers', in any order, with their MACs. */
static void
assert_there(const struct segment *s, const uint8_t *numbers, size_t n)
{
    assert_int_equal(s->n, n);
    for (size_t i = 0; i < n; i++) {
        const struct announcement a = other(numbers[i]);
        size_t found = 0;

        for (size_t j = 0; j < n; j++) {
            if (s->ids[j] == a.relay_id) {
                assert_true(eth_addr_equals(s->macs[j], a.mac));
                found++;
            }
        }
        assert_int_equal(found, 1);
    }
}

#define ASSERT_THERE(SEGMENT, ...)                                            \
    assert_there(SEGMENT, (const uint8_t[]){ __VA_ARGS__ },                   \
                 ARRAY_SIZE(((const uint8_t[]){ __VA_ARGS__ })))

/* Who listens. */

static void
test_a_new_segment(void **state OVS_UNUSED)
{
    uint8_t frame[ANNOUNCEMENT_MAX_LEN];
    struct segment s;

    memset(&s, 0xa5, sizeof s);
    segment_init(&s);
    assert_false(segment_listens(&s));
    assert_int_equal(segment_announcement(&s, frame, NOW), 0);
    assert_no_news(&s);
    assert_int_equal(s.n, 0);
    assert_int_equal(election_state(&s.election), RELAY_OFF);
    assert_true(election_deadline(&s.election, NOW) == LLONG_MAX);
}

static void
test_the_configuration_is_passed_on(void **state OVS_UNUSED)
{
    struct config config = make_config();
    struct segment s;

    segment_init(&s);
    segment_configure(&s, &config, NOW);
    const struct election *e = &s.election;
    assert_true(e->on);
    assert_int_equal(e->self.priority, 77);
    assert_int_equal(e->self.hello_ms, HELLO_MS);
    assert_int_equal(e->self.dead_ms, DEAD_MS);
    assert_int_equal(e->self.n_ports, 2);
    assert_int_equal(e->self.ports[0], 5076);
    assert_int_equal(e->self.ports[1], 5064);
    assert_int_equal(election_state(e), RELAY_LISTENING);
    assert_true(e->since == NOW);
    assert_true(segment_listens(&s));

    config.priority = 255;
    config.announce_ms = 50;
    config.dead_ms = 60000;
    config.ports[0] = 9;
    config.n_ports = 1;
    segment_configure(&s, &config, NOW + 1);
    assert_int_equal(e->self.priority, 255);
    assert_int_equal(e->self.hello_ms, 50);
    assert_int_equal(e->self.dead_ms, 60000);
    assert_int_equal(e->self.n_ports, 1);
    assert_int_equal(e->self.ports[0], 9);
    assert_true(segment_listens(&s));
}

static void
test_who_listens(void **state OVS_UNUSED)
{
    for (int on = 0; on < 2; on++) {
        for (size_t n_ports = 0; n_ports < 3; n_ports++) {
            struct config config = make_config();
            struct segment s;

            config.election = on;
            config.n_ports = n_ports;
            segment_init(&s);
            segment_configure(&s, &config, NOW);
            assert_int_equal(segment_listens(&s), on && n_ports);

            /* And after another configuration. */
            set_up(&s);
            assert_true(segment_listens(&s));
            segment_configure(&s, &config, NOW + 1);
            assert_int_equal(segment_listens(&s), on && n_ports);
        }
    }
}

/* Without an election this relay forwards, whoever else is there. */
static void
test_without_an_election(void **state OVS_UNUSED)
{
    struct config config = make_config();
    const struct announcement a = other(1);
    struct segment s;

    config.election = false;
    set_up(&s);
    segment_configure(&s, &config, NOW);
    assert_true(election_forwards(&s.election));
    take(&s, &a, NOW);
    assert_int_equal(s.election.candidates.n, 0);
    assert_true(election_forwards(&s.election));
}

/* Announcements of others. */

static void
test_an_announcement_is_taken_in(void **state OVS_UNUSED)
{
    const struct announcement a = other(1);
    struct segment s;

    set_up(&s);
    take(&s, &a, NOW + 5);
    assert_int_equal(s.election.candidates.n, 1);
    const struct candidate *c = &s.election.candidates.all[0];
    assert_true(c->said.relay_id == a.relay_id);
    assert_true(c->said.session == a.session);
    assert_true(eth_addr_equals(c->said.mac, a.mac));
    assert_int_equal(c->said.state, RELAY_STANDBY);
    assert_int_equal(c->said.n_ports, 1);
    assert_true(c->heard == NOW + 5);
    assert_true(c->since == NOW + 5 - 5000);
}

/* Whatever else is punted changes nothing. */
static void
test_what_is_no_announcement(void **state OVS_UNUSED)
{
    const struct announcement a = other(1);
    uint8_t good[ANNOUNCEMENT_MAX_LEN], bad[ANNOUNCEMENT_MAX_LEN];
    struct segment s, before;

    set_up(&s);
    memcpy(&before, &s, sizeof s);
    const size_t length = announcement_encode(&a, good);
    for (size_t n = 0; n < length; n++) {
        take_bytes(&s, good, n, NOW + 5);
    }

    /* To another MAC, of another type, another magic, of no version, of
     * versions to come, of no state and of one that is not known. */
    static const struct {
        size_t offset;
        uint8_t value;
    } damages[] = { { 0, 2 },    { 13, 0xb6 }, { 14, 's' }, { 18, 0 },
                    { 18, 2 },   { 18, 255 },  { 19, 0 },   { 19, 7 },
                    { 19, 255 }, { 21, 0 },    { 71, 2 },   { 71, 255 } };
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        memcpy(bad, good, length);
        assert_int_not_equal(bad[damages[i].offset], damages[i].value);
        bad[damages[i].offset] = damages[i].value;
        take_bytes(&s, bad, length, NOW + 5);
    }
    assert_memory_equal(&s, &before, sizeof s);

    take_bytes(&s, good, length, NOW + 5);
    assert_int_equal(s.election.candidates.n, 1);
}

/* Announcing this relay. */

static void
test_who_does_not_know_itself_says_nothing(void **state OVS_UNUSED)
{
    const struct config config = make_config();
    uint8_t frame[ANNOUNCEMENT_MAX_LEN];
    struct segment s;

    segment_init(&s);
    segment_configure(&s, &config, NOW);
    assert_int_equal(segment_announcement(&s, frame, NOW), 0);
    election_set_online(&s.election, true, NOW);
    assert_int_equal(segment_announcement(&s, frame, NOW + 10000), 0);

    set_up(&s);
    assert_int_not_equal(segment_announcement(&s, frame, NOW), 0);
    election_set_online(&s.election, false, NOW);
    assert_int_equal(segment_announcement(&s, frame, NOW), 0);
}

static void
test_this_relay_is_announced(void **state OVS_UNUSED)
{
    uint8_t frame[ANNOUNCEMENT_MAX_LEN];
    struct announcement a;
    struct segment s;

    set_up(&s);
    memset(frame, 0xa5, sizeof frame);
    size_t length = segment_announcement(&s, frame, NOW + 30);
    assert_int_equal(length, ANNOUNCEMENT_MIN_LEN + 2 * 2);
    for (size_t i = length; i < sizeof frame; i++) {
        assert_int_equal(frame[i], 0xa5);
    }
    assert_int_equal(announcement_decode(frame, length, &a), ANNOUNCEMENT_OK);
    assert_true(eth_addr_equals(a.mac, mac));
    assert_true(a.relay_id == ID);
    assert_true(a.session == SESSION);
    assert_true(ipv6_addr_equals(&a.address, &in6addr_loopback));
    assert_int_equal(a.state, RELAY_LISTENING);
    assert_int_equal(a.reason, REASON_STARTED);
    assert_int_equal(a.priority, 77);
    assert_int_equal(a.hello_ms, HELLO_MS);
    assert_int_equal(a.dead_ms, DEAD_MS);
    assert_true(a.age_ms == 30);
    assert_int_equal(a.n_ports, 2);
    assert_int_equal(a.ports[0], 5076);
    assert_int_equal(a.ports[1], 5064);

    /* Again and again until it has been sent, and then in its turn. */
    assert_int_equal(segment_announcement(&s, frame, NOW + 30), length);
    election_announced(&s.election, true, NOW + 30);
    assert_int_equal(segment_announcement(&s, frame, NOW + 30), 0);
    assert_int_equal(segment_announcement(&s, frame, NOW + 30 + HELLO_MS - 1),
                     0);
    assert_int_equal(segment_announcement(&s, frame, NOW + 30 + HELLO_MS),
                     length);
    assert_int_equal(announcement_decode(frame, length, &a), ANNOUNCEMENT_OK);
    assert_true(a.age_ms == 30 + HELLO_MS);
}

/* As many ports as a configuration may have. */
static void
test_the_longest_announcement(void **state OVS_UNUSED)
{
    struct config config = make_config();
    uint8_t *frame = malloc(ANNOUNCEMENT_MAX_LEN);
    struct announcement a;
    struct segment s;

    config.n_ports = CONFIG_MAX_PORTS;
    for (size_t i = 0; i < CONFIG_MAX_PORTS; i++) {
        config.ports[i] = 65535 - i;
    }
    set_up(&s);
    segment_configure(&s, &config, NOW);
    const size_t length = segment_announcement(&s, frame, NOW);
    assert_int_equal(length, ANNOUNCEMENT_MIN_LEN + 2 * CONFIG_MAX_PORTS);
    assert_int_equal(announcement_decode(frame, length, &a), ANNOUNCEMENT_OK);
    assert_int_equal(a.n_ports, CONFIG_MAX_PORTS);
    assert_memory_equal(a.ports, config.ports, sizeof config.ports);
    free(frame);
}

/* What this relay says is nothing new to itself. */
static void
test_this_relay_does_not_hear_itself(void **state OVS_UNUSED)
{
    uint8_t frame[ANNOUNCEMENT_MAX_LEN];
    struct segment s;

    set_up(&s);
    take_bytes(&s, frame, segment_announcement(&s, frame, NOW), NOW);
    assert_int_equal(s.election.candidates.n, 0);
}

/* News. */

static void
test_who_comes_is_news(void **state OVS_UNUSED)
{
    const struct announcement a = other(1), b = other(2);
    struct segment s;

    set_up(&s);
    assert_news(&s, NULL, 0);
    take(&s, &a, NOW);
    assert_int_equal(s.n, 0); /* As of the last news. */
    assert_news(&s, NULL, 0);
    ASSERT_THERE(&s, 1);
    take(&s, &b, NOW);
    take(&s, &a, NOW + 1);
    assert_news(&s, NULL, 0);
    ASSERT_THERE(&s, 1, 2);

    /* Who only goes on is not. */
    take(&s, &a, NOW + 2);
    take(&s, &b, NOW + 3);
    assert_no_news(&s);
    ASSERT_THERE(&s, 1, 2);
}

static void
test_who_goes_is_news(void **state OVS_UNUSED)
{
    struct announcement all[4];
    struct segment s;

    set_up(&s);
    for (uint8_t i = 0; i < ARRAY_SIZE(all); i++) {
        all[i] = other(i);
        take(&s, &all[i], NOW);
    }
    assert_news(&s, NULL, 0);
    ASSERT_THERE(&s, 0, 1, 2, 3);

    /* One of the first, whose place another one takes. */
    all[1].state = RELAY_GONE;
    take(&s, &all[1], NOW + 1);
    ASSERT_GONE(&s, all[1].relay_id);
    ASSERT_THERE(&s, 0, 2, 3);

    /* The last two, one of which falls silent. */
    take(&s, &all[0], NOW + 2);
    all[2].state = RELAY_GONE;
    take(&s, &all[2], NOW + 2);
    election_run(&s.election, NOW + DEAD_MS);
    ASSERT_GONE(&s, all[2].relay_id, all[3].relay_id);
    ASSERT_THERE(&s, 0);

    election_run(&s.election, NOW + 2 + DEAD_MS);
    ASSERT_GONE(&s, all[0].relay_id);
    assert_int_equal(s.n, 0);

    /* They are gone once. */
    take(&s, &all[3], NOW + 3 + DEAD_MS);
    assert_news(&s, NULL, 0);
    ASSERT_THERE(&s, 3);
}

/* Who comes and goes in between has not been there. */
static void
test_who_has_not_been_there_is_not_gone(void **state OVS_UNUSED)
{
    struct announcement a = other(1), b = other(2);
    struct segment s;

    set_up(&s);
    take(&s, &a, NOW);
    assert_news(&s, NULL, 0);
    take(&s, &b, NOW + 1);
    b.state = RELAY_GONE;
    take(&s, &b, NOW + 2);
    assert_news(&s, NULL, 0);
    ASSERT_THERE(&s, 1);

    /* Who goes and comes back is still there. */
    a.state = RELAY_GONE;
    take(&s, &a, NOW + 3);
    a.state = RELAY_STANDBY;
    take(&s, &a, NOW + 4);
    assert_news(&s, NULL, 0);
    ASSERT_THERE(&s, 1);
}

/* One place may be another relay's by the next news. */
static void
test_one_goes_and_another_one_comes(void **state OVS_UNUSED)
{
    struct announcement a = other(1);
    const struct announcement b = other(2);
    struct segment s;

    set_up(&s);
    take(&s, &a, NOW);
    assert_news(&s, NULL, 0);
    a.state = RELAY_GONE;
    take(&s, &a, NOW + 1);
    take(&s, &b, NOW + 2);
    ASSERT_GONE(&s, a.relay_id);
    ASSERT_THERE(&s, 2);
}

static void
test_another_mac_is_news(void **state OVS_UNUSED)
{
    struct announcement a = other(1);
    struct segment s;

    set_up(&s);
    take(&s, &a, NOW);
    assert_news(&s, NULL, 0);
    a.mac.ea[4] = 99;
    take(&s, &a, NOW + 1);
    assert_false(eth_addr_equals(s.macs[0], a.mac));
    assert_news(&s, NULL, 0);
    assert_int_equal(s.n, 1);
    assert_true(eth_addr_equals(s.macs[0], a.mac));
}

/* So is what this relay becomes. */
static void
test_another_state_is_news(void **state OVS_UNUSED)
{
    struct segment s;

    set_up(&s);
    assert_news(&s, NULL, 0);
    election_run(&s.election, NOW + DEAD_MS - 1);
    assert_no_news(&s);
    election_run(&s.election, NOW + DEAD_MS);
    assert_int_equal(election_state(&s.election), RELAY_CLAIMING);
    assert_news(&s, NULL, 0);
    election_in_place(&s.election, NOW + DEAD_MS + 1);
    assert_int_equal(election_state(&s.election), RELAY_FORWARDING);
    assert_news(&s, NULL, 0);
}

/* Who does not listen any more does not know of anybody. */
static void
test_all_are_gone_with_the_election(void **state OVS_UNUSED)
{
    struct config config = make_config();
    const struct announcement a = other(1), b = other(2);
    struct segment s;

    set_up(&s);
    take(&s, &a, NOW);
    take(&s, &b, NOW);
    assert_news(&s, NULL, 0);
    config.election = false;
    segment_configure(&s, &config, NOW + 1);
    ASSERT_GONE(&s, a.relay_id, b.relay_id);
    assert_int_equal(s.n, 0);
}

/* Returns how often 'wanted' is among the MACs of those that went. */
static size_t
n_gone_macs(const struct segment *s, struct eth_addr wanted)
{
    size_t n = 0;

    for (size_t i = 0; i < SEGMENT_MAX_GONE; i++) {
        n += eth_addr_equals(s->gone_macs[i], wanted);
    }
    return n;
}

/* Fails the test unless the MACs of those that went are those of the 'n'
 * others from the 'first'th on. */
static void
assert_gone_macs(const struct segment *s, size_t first, size_t n)
{
    const struct eth_addr none = ETH_ADDR_C(00, 00, 00, 00, 00, 00);

    for (size_t i = first; i < first + n; i++) {
        assert_int_equal(n_gone_macs(s, other(i).mac), 1);
    }
    assert_int_equal(n_gone_macs(s, none), SEGMENT_MAX_GONE - n);
}

/* The last to go are remembered by their MACs, which may still be in what is
 * on its way, for two rounds. */
static void
test_macs_of_those_that_went(void **state OVS_UNUSED)
{
    enum { N = 2 * SEGMENT_MAX_GONE + 5 };
    struct segment s;

    assert_int_equal(SEGMENT_MAX_GONE, 16);
    set_up(&s);
    assert_gone_macs(&s, 0, 0);
    for (size_t i = 0; i < N; i++) {
        const size_t first = i < SEGMENT_MAX_GONE ? 0 : i - SEGMENT_MAX_GONE;
        struct announcement a = other(i);

        take(&s, &a, NOW);
        assert_news(&s, NULL, 0);
        assert_gone_macs(&s, first, i - first);

        a.state = RELAY_GONE;
        take(&s, &a, NOW);
        assert_gone_macs(&s, first, i - first); /* As of the last news. */
        ASSERT_GONE(&s, a.relay_id);
        assert_gone_macs(&s, i < SEGMENT_MAX_GONE ? 0 : first + 1,
                         MIN(i + 1, SEGMENT_MAX_GONE));
    }

    /* Who is there, comes or stays is not among them. */
    const struct announcement b = other(N);
    take(&s, &b, NOW);
    assert_news(&s, NULL, 0);
    assert_no_news(&s);
    assert_gone_macs(&s, N - SEGMENT_MAX_GONE, SEGMENT_MAX_GONE);
}

/* Whoever takes the place of one that goes, and how many go at once. */
static void
test_macs_of_some_of_several(void **state OVS_UNUSED)
{
    for (unsigned int going = 0; going < 1 << 4; going++) {
        struct announcement all[4];
        struct segment s;
        uint64_t ids[4];
        size_t n = 0;

        set_up(&s);
        for (uint8_t i = 0; i < ARRAY_SIZE(all); i++) {
            all[i] = other(i);
            take(&s, &all[i], NOW);
        }
        assert_news(&s, NULL, 0);
        for (uint8_t i = 0; i < ARRAY_SIZE(all); i++) {
            if (going >> i & 1) {
                all[i].state = RELAY_GONE;
                take(&s, &all[i], NOW + 1);
                ids[n++] = all[i].relay_id;
            }
        }
        const struct announcement more = other(9);
        take(&s, &more, NOW + 2);
        assert_news(&s, ids, n);
        for (uint8_t i = 0; i < ARRAY_SIZE(all); i++) {
            assert_int_equal(n_gone_macs(&s, all[i].mac), going >> i & 1);
        }
        assert_int_equal(n_gone_macs(&s, more.mac), 0);
    }
}

/* The MAC is the one that the relay had last. */
static void
test_the_mac_of_one_that_changed_it_and_went(void **state OVS_UNUSED)
{
    struct announcement a = other(1);
    struct segment s;

    set_up(&s);
    take(&s, &a, NOW);
    assert_news(&s, NULL, 0);
    a.mac.ea[4] = 99;
    take(&s, &a, NOW + 1);
    assert_news(&s, NULL, 0);
    a.state = RELAY_GONE;
    take(&s, &a, NOW + 2);
    ASSERT_GONE(&s, a.relay_id);
    assert_int_equal(n_gone_macs(&s, a.mac), 1);
    assert_int_equal(n_gone_macs(&s, other(1).mac), 0);
}

/* As many as are listened to, all at once. */
static void
test_as_many_as_there_may_be(void **state OVS_UNUSED)
{
    uint64_t ids[CANDIDATES_MAX];
    uint8_t numbers[CANDIDATES_MAX];
    struct segment s;

    set_up(&s);
    for (size_t i = 0; i < CANDIDATES_MAX; i++) {
        const struct announcement a = other(i);

        numbers[i] = i;
        ids[i] = a.relay_id;
        take(&s, &a, NOW);
    }
    assert_news(&s, NULL, 0);
    assert_there(&s, numbers, CANDIDATES_MAX);
    election_run(&s.election, NOW + DEAD_MS);
    assert_news(&s, ids, CANDIDATES_MAX);
    assert_int_equal(s.n, 0);

    /* More than are remembered. */
    size_t n_macs = 0;
    for (size_t i = 0; i < CANDIDATES_MAX; i++) {
        n_macs += n_gone_macs(&s, other(i).mac);
    }
    assert_int_equal(n_macs, SEGMENT_MAX_GONE);
}

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_segment),
        cmocka_unit_test(test_the_configuration_is_passed_on),
        cmocka_unit_test(test_who_listens),
        cmocka_unit_test(test_without_an_election),
        cmocka_unit_test(test_an_announcement_is_taken_in),
        cmocka_unit_test(test_what_is_no_announcement),
        cmocka_unit_test(test_who_does_not_know_itself_says_nothing),
        cmocka_unit_test(test_this_relay_is_announced),
        cmocka_unit_test(test_the_longest_announcement),
        cmocka_unit_test(test_this_relay_does_not_hear_itself),
        cmocka_unit_test(test_who_comes_is_news),
        cmocka_unit_test(test_who_goes_is_news),
        cmocka_unit_test(test_who_has_not_been_there_is_not_gone),
        cmocka_unit_test(test_one_goes_and_another_one_comes),
        cmocka_unit_test(test_another_mac_is_news),
        cmocka_unit_test(test_another_state_is_news),
        cmocka_unit_test(test_all_are_gone_with_the_election),
        cmocka_unit_test(test_macs_of_those_that_went),
        cmocka_unit_test(test_macs_of_some_of_several),
        cmocka_unit_test(test_the_mac_of_one_that_changed_it_and_went),
        cmocka_unit_test(test_as_many_as_there_may_be),
    };
    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
