/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "election.h"

#include "support.h"
#include "support-election.h"

/* One relay by itself, to which the tests tell what others say. */

enum { START = 7000123, HELLO = 100, DEAD = 350, OWN = 0x50 };

/* How long it waits for its switch while another one forwards. */
enum { SETTLE = DEAD / 3 };
BUILD_ASSERT_DECL((int) SETTLE < (int) ELECTION_SETTLE_MS);

/* Ids of others: one that goes before this relay, and one that does not. */
enum { BEFORE = 0x10, AFTER = 0x90 };

static struct election e;
static long long int now;
static struct election_params params;
static struct announcement self;

/* What this relay said last, when, and how often it has said anything. */
static struct announcement said;
static long long int said_at;
static unsigned int n_said;
static bool can_send;

/* An iteration of the main loop.  Whatever the state, the next one is not due
 * at once. */
static void
iterate_alone(void)
{
    const enum relay_state state = e.self.state;
    const unsigned int seqno = e.seqno;

    election_run(&e, now);
    assert_true(e.self.state == state || e.seqno != seqno);
    if (election_wants_to_announce(&e, now)) {
        if (can_send) {
            election_announce(&e, now, &said);
            said_at = now;
            n_said++;
        }
        election_announced(&e, can_send, now);
        assert_false(election_wants_to_announce(&e, now));
    }
    assert_true(election_deadline(&e, now) > now);
}

/* Has time go by until 'when', with all that is due then. */
static void
pass_until(long long int when)
{
    long long int deadline;

    while ((deadline = election_deadline(&e, now)) <= when) {
        now = MAX(now, deadline);
        iterate_alone();
    }
    now = when;
}

static void
pass(long long int ms)
{
    pass_until(now + ms);
}

/* What a relay with the id 'id' says that is like this one. */
static struct announcement
of(uint64_t id, enum relay_state state)
{
    struct announcement a = {
        .mac = ETH_ADDR_C(02, 00, 00, 00, 01, 00),
        .state = state,
        .priority = 100,
        .relay_id = id,
        .session = id * 0x1000,
        .hello_ms = HELLO,
        .dead_ms = DEAD,
    };

    a.mac.ea[5] = id;
    memcpy(a.ports, all_ports, sizeof all_ports);
    a.n_ports = ARRAY_SIZE(all_ports);
    return a;
}

/* Hands this relay 'a', as it comes from the wire. */
static void
hear(const struct announcement *a)
{
    uint8_t frame[ANNOUNCEMENT_MAX_LEN];
    struct announcement heard;

    size_t length = announcement_encode(a, frame);
    assert_int_equal(announcement_decode(frame, length, &heard),
                     ANNOUNCEMENT_OK);
    election_take(&e, &heard, now);
    iterate_alone();
}

static void
hear_of(uint64_t id, enum relay_state state)
{
    const struct announcement a = of(id, state);

    hear(&a);
}

/* Has time go by until 'when', with 'a' coming every hello interval. */
static void
keep_hearing_until(struct announcement a, long long int when)
{
    while (now < when) {
        hear(&a);
        const long long int ms = MIN(HELLO, when - now);
        pass(ms);
        a.age_ms += ms;
    }
}

static void
keep_hearing(const struct announcement a, long long int ms)
{
    keep_hearing_until(a, now + ms);
}

static void
configure_alone(void)
{
    election_configure(&e, &params, now);
    iterate_alone();
}

static void
set_online_alone(bool online)
{
    election_set_online(&e, online, now);
    iterate_alone();
}

static void
set_in_place(void)
{
    election_in_place(&e, now);
    iterate_alone();
}

static void
leave_alone(void)
{
    election_leave(&e, now);
    iterate_alone();
}

static void
assert_is(enum relay_state state, enum relay_reason reason)
{
    assert_string_equal(relay_state_name(e.self.state),
                        relay_state_name(state));
    assert_string_equal(relay_reason_text(e.self.reason),
                        relay_reason_text(reason));
    assert_int_equal(election_forwards(&e),
                     state == RELAY_FORWARDING || state == RELAY_LEAVING);
}

/* Fails the test unless this relay's last announcement is of what it is, and
 * was made 'ms' ago. */
static void
assert_said(long long int ms)
{
    assert_true(said_at == now - ms);
    assert_string_equal(relay_state_name(said.state),
                        relay_state_name(e.self.state));
    assert_string_equal(relay_reason_text(said.reason),
                        relay_reason_text(e.self.reason));
    assert_true(said.age_ms == (uint64_t) (said_at - e.since));
}

/* A relay that nothing is known to yet. */
static void
prepare(void)
{
    memset(&e, 0xa5, sizeof e);
    election_init(&e);
    now = START;
    n_said = 0;
    can_send = true;
    params = (struct election_params){
        .on = true,
        .priority = 100,
        .hello_ms = HELLO,
        .dead_ms = DEAD,
        .ports = all_ports,
        .n_ports = ARRAY_SIZE(all_ports),
    };
    self = (struct announcement){
        .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 50),
        .relay_id = OWN,
        .session = 77,
        .address = IN6ADDR_LOOPBACK_INIT,
    };
}

/* Has it know all, and listen from now on. */
static void
begin(void)
{
    prepare();
    election_configure(&e, &params, now);
    election_set_self(&e, &self, now);
    election_set_online(&e, true, now);
    iterate_alone();
    assert_is(RELAY_LISTENING, REASON_STARTED);
}

/* Has it stand by, for relay 'id' forwards. */
static void
begin_standby(uint64_t id)
{
    begin();
    keep_hearing(of(id, RELAY_FORWARDING), DEAD);
    assert_is(RELAY_STANDBY, REASON_LATER);
}

/* Has it forward alone. */
static void
begin_forwarder(void)
{
    begin();
    pass(DEAD);
    assert_is(RELAY_CLAIMING, REASON_ALONE);
    set_in_place();
    assert_is(RELAY_FORWARDING, REASON_ALONE);
}

/* Has it be in 'state', as each other relay of which 'id' is one. */
static void
begin_in(enum relay_state state, uint64_t id)
{
    switch (state) {
    case RELAY_OFF: prepare(); break;

    case RELAY_LISTENING:
        begin();
        hear_of(id, RELAY_STANDBY);
        break;

    case RELAY_STANDBY: begin_standby(id); break;

    case RELAY_CLAIMING:
        begin_standby(id);
        params.priority = 200;
        configure_alone();
        break;

    case RELAY_FORWARDING:
        begin_forwarder();
        hear_of(id, RELAY_STANDBY);
        break;

    case RELAY_LEAVING:
    case RELAY_GONE:
        begin_in(state == RELAY_LEAVING ? RELAY_FORWARDING : RELAY_STANDBY,
                 id);
        leave_alone();
        break;

    case RELAY_N_STATES: OVS_NOT_REACHED();
    }
    assert_string_equal(relay_state_name(e.self.state),
                        relay_state_name(state));
}

/* What docs/segment-protocol.md tells of. */
static void
test_constants(void **state OVS_UNUSED)
{
    assert_int_equal(CANDIDATES_MAX, 64);
    assert_int_equal(ELECTION_ANSWER_MS, 20);
    assert_int_equal(ELECTION_LEAVE_MS, 800);
    assert_int_equal(ELECTION_GONE_MS, 200);
    assert_int_equal(ELECTION_SETTLE_MS, 200);
    assert_int_equal(ELECTION_HOLD_OFF, 10);
}

/* Beginning. */

static void
test_one_that_knows_nothing_does_nothing(void **state OVS_UNUSED)
{
    prepare();
    assert_true(election_deadline(&e, now) == LLONG_MAX);
    assert_false(election_wants_to_announce(&e, now + 1000000));
    assert_false(election_forwards(&e));
    assert_true(election_is_decided(&e)); /* It takes no part. */
    assert_false(election_has_left(&e));
    assert_null(election_forwarder(&e));
    for (size_t i = 0; i < ARRAY_SIZE(all_ports); i++) {
        assert_false(election_forwards_port(&e, all_ports[i]));
        assert_false(election_punts_port(&e, all_ports[i]));
    }
}

static void
test_a_lone_relay_listens_then_claims_then_forwards(void **state OVS_UNUSED)
{
    begin();
    assert_said(0);
    assert_int_equal(n_said, 1);
    pass(DEAD - 1);
    assert_is(RELAY_LISTENING, REASON_STARTED);
    assert_false(election_is_decided(&e));
    assert_false(election_punts_port(&e, all_ports[0]));

    pass(1);
    assert_is(RELAY_CLAIMING, REASON_ALONE);
    assert_said(0);
    assert_false(election_forwards_port(&e, all_ports[0]));
    assert_true(election_punts_port(&e, all_ports[0]));
    pass(30);
    assert_is(RELAY_CLAIMING, REASON_ALONE);

    set_in_place();
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    assert_said(0);
    assert_true(election_forwards_port(&e, all_ports[0]));
    assert_true(election_punts_port(&e, all_ports[0]));
    assert_null(election_forwarder(&e));
    pass(100 * DEAD);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
}

/* It is until it has listened, and whenever it listens again. */
static void
test_what_is_decided(void **state OVS_UNUSED)
{
    for (enum relay_state s = RELAY_LISTENING; s <= RELAY_GONE; s++) {
        begin_in(s, BEFORE);
        assert_int_equal(election_is_decided(&e), s != RELAY_LISTENING);
        assert_int_equal(election_state(&e), s);
    }
    begin_standby(BEFORE);
    set_online_alone(false);
    assert_false(election_is_decided(&e));
}

/* Whatever comes to be known first, it listens from when the last of it is. */
static void
test_it_listens_once_all_is_known(void **state OVS_UNUSED)
{
    static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                     { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        prepare();
        for (size_t k = 0; k < 3; k++) {
            pass(10 * DEAD);
            assert_int_equal(n_said, 0);
            assert_true(e.self.state == RELAY_OFF
                        || e.self.state == RELAY_LISTENING);
            switch (orders[i][k]) {
            case 0: election_configure(&e, &params, now); break;
            case 1: election_set_self(&e, &self, now); break;
            case 2: election_set_online(&e, true, now); break;
            }
            if (k < 2) {
                iterate_alone();
            }
        }
        iterate_alone();
        assert_is(RELAY_LISTENING, REASON_STARTED);
        assert_said(0);
        pass(DEAD - 1);
        assert_is(RELAY_LISTENING, REASON_STARTED);
        pass(1);
        assert_is(RELAY_CLAIMING, REASON_ALONE);
    }
}

/* Of who it is the address may be unknown. */
static void
test_who_it_must_know_to_be(void **state OVS_UNUSED)
{
    for (int i = 0; i < 4; i++) {
        prepare();
        election_configure(&e, &params, now);
        election_set_online(&e, true, now);
        switch (i) {
        case 0: self.relay_id = 0; break;
        case 1: self.session = 0; break;
        case 2: memset(&self.mac, 0, sizeof self.mac); break;
        case 3: memset(&self.address, 0, sizeof self.address); break;
        }
        election_set_self(&e, &self, now);
        iterate_alone();
        pass(10 * DEAD);
        if (i == 3) {
            assert_is(RELAY_CLAIMING, REASON_ALONE);
        } else {
            assert_is(RELAY_LISTENING, REASON_STARTED);
            assert_int_equal(n_said, 0);
        }
    }
}

/* One that does not know any more who it is goes on like one whose switch is
 * not there: it cannot speak either. */
static void
test_one_that_forgets_who_it_is(void **state OVS_UNUSED)
{
    for (enum relay_state s = RELAY_LISTENING; s <= RELAY_GONE; s++) {
        begin_in(s, BEFORE);
        memset(&self.mac, 0, sizeof self.mac);
        election_set_self(&e, &self, now);
        iterate_alone();
        n_said = 0;
        pass(100 * DEAD);
        assert_int_equal(n_said, 0);
        if (s >= RELAY_LEAVING) {
            assert_is(RELAY_GONE, REASON_STOPPED);
            assert_true(election_has_left(&e));
        } else {
            assert_is(RELAY_LISTENING, REASON_STARTED);
        }
        leave_alone();
        assert_true(election_has_left(&e));
    }
}

/* What is said is what is known. */
static void
test_announcements_hold_what_is_known(void **state OVS_UNUSED)
{
    prepare();
    params.priority = 7;
    params.hello_ms = 123;
    params.dead_ms = 456;
    params.n_ports = 2;
    election_configure(&e, &params, now);
    election_set_self(&e, &self, now);
    election_set_online(&e, true, now);
    pass(123);
    iterate_alone();
    assert_int_equal(n_said, 2);
    assert_int_equal(said.state, RELAY_LISTENING);
    assert_int_equal(said.reason, REASON_STARTED);
    assert_true(said.age_ms == 123);
    assert_int_equal(said.priority, 7);
    assert_int_equal(said.hello_ms, 123);
    assert_int_equal(said.dead_ms, 456);
    assert_true(said.relay_id == self.relay_id);
    assert_true(said.session == self.session);
    assert_memory_equal(&said.mac, &self.mac, sizeof self.mac);
    assert_memory_equal(&said.address, &self.address, sizeof self.address);
    assert_int_equal(said.n_ports, 2);
    assert_memory_equal(said.ports, all_ports, 2 * sizeof *all_ports);
}

static void
test_hellos_are_regular(void **state OVS_UNUSED)
{
    begin_forwarder();
    pass(1);
    for (int i = 0; i < 20; i++) {
        n_said = 0;
        pass(HELLO);
        assert_int_equal(n_said, 1);
        assert_said(1);
    }
}

/* What an announcement holds is told at once when it is another. */
static void
test_what_changes_is_announced_at_once(void **state OVS_UNUSED)
{
    static const uint16_t other_ports[] = { 5064, 5066, 5076 };

    begin_forwarder();
    for (int i = 0; i < 9; i++) {
        pass(HELLO / 2);
        n_said = 0;
        switch (i) {
        case 0: params.priority = 101; break;
        case 1: params.hello_ms++; break;
        case 2: params.dead_ms++; break;
        case 3: params.n_ports--; break;
        case 4: params.n_ports++; break;
        case 5: params.ports = other_ports; break;
        case 6: self.address.s6_addr[0] = 0xfd; break;
        case 7: self.mac.ea[5]++; break;
        case 8: self.session++; break;
        }
        const unsigned int seqno = e.seqno;
        election_configure(&e, &params, now);
        election_set_self(&e, &self, now);
        assert_true(e.seqno != seqno);
        iterate_alone();
        assert_int_equal(n_said, 1);
        assert_said(0);
        assert_int_equal(said.priority, params.priority);
        assert_int_equal(said.hello_ms, params.hello_ms);
        assert_int_equal(said.dead_ms, params.dead_ms);
        assert_int_equal(said.n_ports, params.n_ports);
        assert_memory_equal(said.ports, params.ports,
                            params.n_ports * sizeof *params.ports);
        assert_true(said.session == self.session);
        assert_memory_equal(&said.mac, &self.mac, sizeof self.mac);
        assert_memory_equal(&said.address, &self.address, sizeof self.address);
    }

    /* The same again is no change. */
    pass(HELLO / 2);
    n_said = 0;
    const unsigned int seqno = e.seqno;
    election_configure(&e, &params, now);
    election_set_self(&e, &self, now);
    election_set_online(&e, true, now);
    assert_int_equal(e.seqno, seqno);
    iterate_alone();
    assert_int_equal(n_said, 0);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
}

/* Nobody is forgotten, and nothing begins anew, for that. */
static void
test_what_changes_is_no_new_beginning(void **state OVS_UNUSED)
{
    for (enum relay_state s = RELAY_LISTENING; s <= RELAY_LEAVING; s++) {
        begin_in(s, AFTER);
        const long long int since = e.since;
        pass(1);
        self.address.s6_addr[0] = 0xfd;
        election_set_self(&e, &self, now);
        self.session++;
        election_set_self(&e, &self, now);
        self.mac.ea[5]++;
        election_set_self(&e, &self, now);
        iterate_alone();
        assert_int_equal(e.self.state, s);
        assert_true(e.since == since);
        assert_int_equal(e.candidates.n, 1);
    }
}

/* Frames are carried before time goes by: what others say counts for them. */
static void
test_what_comes_counts_at_once(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_GONE);

    begin_standby(BEFORE);
    election_take(&e, &a, now);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    begin_standby(BEFORE);
    a.state = RELAY_LEAVING;
    election_take(&e, &a, now);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    begin_forwarder();
    a.state = RELAY_FORWARDING;
    election_take(&e, &a, now);
    assert_is(RELAY_STANDBY, REASON_YIELDED);
    params.priority = 101;
    election_configure(&e, &params, now);
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);

    begin_forwarder();
    a.relay_id = AFTER;
    election_take(&e, &a, now);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    self.relay_id = AFTER + 1;
    election_set_self(&e, &self, now);
    assert_is(RELAY_STANDBY, REASON_YIELDED);
}

/* Standing by. */

static void
test_a_second_relay_stands_by(void **state OVS_UNUSED)
{
    static const uint64_t ids[] = { BEFORE, AFTER };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        begin_standby(ids[i]);
        assert_said(0);
        assert_true(election_is_decided(&e));
        assert_true(election_forwarder(&e)->said.relay_id == ids[i]);
        for (size_t k = 0; k < ARRAY_SIZE(all_ports); k++) {
            assert_false(election_forwards_port(&e, all_ports[k]));
            assert_false(election_punts_port(&e, all_ports[k]));
        }
        keep_hearing(of(ids[i], RELAY_FORWARDING), 100 * DEAD);
        assert_is(RELAY_STANDBY, REASON_LATER);
    }
}

/* It hears the first announcement of another one, and of another session. */
static void
test_one_that_comes_is_answered(void **state OVS_UNUSED)
{
    struct announcement a = of(AFTER, RELAY_LISTENING);

    begin_forwarder();
    pass(ELECTION_ANSWER_MS);
    n_said = 0;
    hear(&a);
    assert_int_equal(n_said, 1);
    assert_said(0);
    for (int i = 0; i < 30; i++) {
        pass(1);
        hear(&a);
    }
    assert_int_equal(n_said, 1);
    a.session++;
    hear(&a);
    assert_int_equal(n_said, 2);
}

/* Not more often than that: whoever comes together is answered together. */
static void
test_answers_are_not_frequent(void **state OVS_UNUSED)
{
    begin_forwarder();
    n_said = 0;
    for (uint64_t id = 1; id < 40; id++) {
        hear_of(OWN + id, RELAY_LISTENING);
        pass(1);
    }
    pass(ELECTION_ANSWER_MS);
    assert_int_equal(n_said, 2);

    begin_forwarder();
    pass(1);
    n_said = 0;
    hear_of(AFTER, RELAY_LISTENING);
    pass(ELECTION_ANSWER_MS - 2);
    assert_int_equal(n_said, 0);
    pass(1);
    assert_int_equal(n_said, 1);
    assert_said(0);
}

/* Priorities. */

static void
test_a_greater_priority_takes_over(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_FORWARDING);

    for (int priority = 99; priority <= 101; priority++) {
        begin();
        a.priority = priority;
        keep_hearing(a, DEAD);
        if (priority >= 100) {
            assert_is(RELAY_STANDBY, REASON_LATER);
            continue;
        }
        assert_is(RELAY_CLAIMING, REASON_PRIORITY);
        assert_said(0);
        assert_true(election_forwarder(&e)->said.relay_id == BEFORE);
        keep_hearing(a, DEAD - 1);
        assert_is(RELAY_CLAIMING, REASON_PRIORITY);

        /* The other one goes on until the switch will have begun. */
        set_in_place();
        keep_hearing(a, SETTLE - 1);
        assert_is(RELAY_CLAIMING, REASON_PRIORITY);
        keep_hearing(a, 1);
        assert_is(RELAY_FORWARDING, REASON_PRIORITY);
        assert_said(0);
    }
}

/* Of several it is the turn of the first. */
static void
test_only_the_first_takes_over(void **state OVS_UNUSED)
{
    struct announcement f = of(1, RELAY_FORWARDING);

    f.priority = 50;
    for (int i = 0; i < 4; i++) {
        const bool is_first = i >= 2;
        struct announcement other = of(i < 2 ? BEFORE : AFTER, RELAY_STANDBY);

        if (i == 1 || i == 3) {
            other.relay_id = i == 1 ? AFTER : BEFORE;
            other.priority += i == 1 ? 1 : -1;
        }
        begin();
        pass(DEAD - 1);
        hear(&f);
        hear(&other);
        pass(1);
        assert_int_equal(e.self.state,
                         is_first ? RELAY_CLAIMING : RELAY_STANDBY);
    }
}

/* By the session, where the id is the same. */
static void
test_the_order_of_two_with_one_id(void **state OVS_UNUSED)
{
    for (int i = -1; i <= 1; i += 2) {
        struct announcement a = of(OWN, RELAY_STANDBY);

        a.session = self.session + i;
        begin();
        keep_hearing(a, DEAD);
        assert_int_equal(e.self.state, i > 0 ? RELAY_CLAIMING : RELAY_STANDBY);
    }
}

/* Who is taken over from goes on until it hears that. */
static void
test_the_forwarder_goes_on_until_another_one_forwards(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_STANDBY);

    begin_forwarder();
    a.priority = 101;
    hear(&a);
    pass(10);
    a.state = RELAY_CLAIMING;
    hear(&a);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    pass(50);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    a.state = RELAY_FORWARDING;
    hear(&a);
    assert_is(RELAY_STANDBY, REASON_LATER);
    assert_said(0);
    assert_true(election_forwarder(&e)->said.relay_id == BEFORE);
}

static void
test_a_priority_may_change(void **state OVS_UNUSED)
{
    begin_standby(BEFORE);
    params.priority = 101;
    configure_alone();
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);
    set_in_place();
    pass(SETTLE);
    assert_is(RELAY_FORWARDING, REASON_PRIORITY);

    struct announcement a = of(BEFORE, RELAY_STANDBY);
    hear(&a);
    params.priority = 1;
    configure_alone();
    assert_is(RELAY_FORWARDING, REASON_PRIORITY);
    a.state = RELAY_FORWARDING;
    hear(&a);
    assert_is(RELAY_STANDBY, REASON_LATER);

    /* The other one's, too. */
    a.priority = 1;
    hear(&a);
    assert_is(RELAY_STANDBY, REASON_LATER);
    params.priority = 2;
    configure_alone();
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);
    a.priority = 2;
    hear(&a);
    assert_is(RELAY_STANDBY, REASON_LATER);
    a.priority = 1;
    hear(&a);
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);
}

/* Claims. */

/* Two that claim at once: the one that goes before the other goes on. */
static void
test_two_that_claim(void **state OVS_UNUSED)
{
    begin();
    pass(DEAD);
    hear_of(AFTER, RELAY_CLAIMING);
    assert_is(RELAY_CLAIMING, REASON_ALONE);
    hear_of(BEFORE, RELAY_CLAIMING);
    assert_is(RELAY_STANDBY, REASON_LATER);
    assert_said(0);
}

/* A claim is given up for one that forwards, unless that is to be taken over
 * from. */
static void
test_a_claim_against_a_forwarder(void **state OVS_UNUSED)
{
    for (int priority = 99; priority <= 101; priority++) {
        struct announcement a = of(AFTER, RELAY_FORWARDING);

        begin();
        pass(DEAD);
        a.priority = priority;
        hear(&a);
        assert_int_equal(e.self.state,
                         priority < 100 ? RELAY_CLAIMING : RELAY_STANDBY);
    }
}

/* One that stands by or listens is no reason. */
static void
test_a_claim_stands_against_others(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = { RELAY_LISTENING, RELAY_STANDBY,
                                               RELAY_LEAVING };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin();
        pass(DEAD);
        hear_of(BEFORE, states[i]);
        assert_is(RELAY_CLAIMING, REASON_ALONE);
    }
}

static void
test_who_stands_by_lets_another_one_claim(void **state OVS_UNUSED)
{
    static const uint64_t ids[] = { BEFORE, AFTER };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        begin();
        pass(DEAD - 1);
        hear_of(ids[i], RELAY_CLAIMING);
        pass(1);
        assert_is(RELAY_STANDBY, REASON_LATER);
        assert_true(election_forwarder(&e)->said.relay_id == ids[i]);
    }
}

/* One whose switch does not take its flows lets others have a try, if there
 * are any. */
static void
test_a_claim_that_is_not_fulfilled(void **state OVS_UNUSED)
{
    begin();
    hear_of(AFTER, RELAY_STANDBY);
    keep_hearing(of(AFTER, RELAY_STANDBY), DEAD);
    assert_is(RELAY_CLAIMING, REASON_ORDER);
    keep_hearing(of(AFTER, RELAY_STANDBY), DEAD - 1);
    assert_is(RELAY_CLAIMING, REASON_ORDER);
    pass(1);
    assert_is(RELAY_LISTENING, REASON_REFUSED);
    assert_said(0);

    /* Even if it does by now. */
    set_in_place();
    assert_is(RELAY_LISTENING, REASON_REFUSED);
    keep_hearing(of(AFTER, RELAY_CLAIMING), 60);
    keep_hearing(of(AFTER, RELAY_FORWARDING),
                 ELECTION_HOLD_OFF * DEAD - 60 - 1);
    assert_is(RELAY_LISTENING, REASON_REFUSED);
    pass(1);
    assert_is(RELAY_STANDBY, REASON_LATER);
    keep_hearing(of(AFTER, RELAY_FORWARDING), DEAD);
    assert_is(RELAY_STANDBY, REASON_LATER);
}

/* Also where all others are silent: then it claims when that is over. */
static void
test_a_hold_off_ends(void **state OVS_UNUSED)
{
    begin();
    keep_hearing(of(AFTER, RELAY_STANDBY), 2 * DEAD);
    assert_is(RELAY_LISTENING, REASON_REFUSED);
    pass(ELECTION_HOLD_OFF * DEAD - 1);
    assert_is(RELAY_LISTENING, REASON_REFUSED);
    pass(1);
    assert_int_equal(e.self.state, RELAY_CLAIMING);
}

static void
test_a_claim_of_a_lone_relay_stands(void **state OVS_UNUSED)
{
    begin();
    pass(100 * DEAD);
    assert_is(RELAY_CLAIMING, REASON_ALONE);

    /* One that only listens could not forward instead. */
    keep_hearing(of(AFTER, RELAY_LISTENING), 2 * DEAD);
    assert_is(RELAY_CLAIMING, REASON_ALONE);

    /* One that stands by could, once this dead time is over, too. */
    keep_hearing(of(AFTER, RELAY_STANDBY), DEAD - 1);
    assert_is(RELAY_CLAIMING, REASON_ALONE);
    pass(1);
    assert_is(RELAY_LISTENING, REASON_REFUSED);
}

static void
test_an_overdue_claim_does_not_count(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_CLAIMING);

    /* It does as long as it is not. */
    begin_standby(AFTER);
    a.age_ms = 10;
    keep_hearing(a, DEAD - 10 - 1);
    hear_of(AFTER, RELAY_GONE);
    assert_is(RELAY_STANDBY, REASON_LATER);
    pass(1);
    assert_int_equal(e.self.state, RELAY_CLAIMING);

    /* Nor does one that was so before it came. */
    begin_standby(AFTER);
    a.age_ms = DEAD;
    hear(&a);
    hear_of(AFTER, RELAY_GONE);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    hear(&a);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    a.age_ms = DEAD - 100; /* It may have been under way for less long. */
    hear(&a);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    a.age_ms = DEAD - 101;
    hear(&a);
    assert_is(RELAY_STANDBY, REASON_LATER);
}

/* An age is what another one says: it may be anything. */
static void
test_ages_that_cannot_be(void **state OVS_UNUSED)
{
    static const uint64_t ages[] = { UINT64_MAX, UINT64_C(1) << 63, INT64_MAX,
                                     (UINT64_C(1) << 63) - START,
                                     UINT64_C(3155760000001) };
    static const enum relay_state states[] = { RELAY_LISTENING, RELAY_STANDBY,
                                               RELAY_CLAIMING,
                                               RELAY_FORWARDING,
                                               RELAY_LEAVING };

    for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(states); k++) {
            struct announcement a = of(BEFORE, states[k]);

            begin();
            a.age_ms = ages[i];
            hear(&a);
            assert_true(e.candidates.all[0].since
                        == now - INT64_C(3155760000000));
            pass(DEAD - 1);
            hear(&a);
            pass(1);
            assert_int_equal(e.self.state,
                             states[k] == RELAY_STANDBY
                                     || states[k] == RELAY_FORWARDING
                                 ? RELAY_STANDBY
                                 : RELAY_CLAIMING);
            pass(DEAD);
        }
    }
}

/* The first to claim may not do so, whatever the reason. */
static void
test_one_that_does_not_claim_is_not_waited_for(void **state OVS_UNUSED)
{
    begin_standby(AFTER);
    hear_of(BEFORE, RELAY_STANDBY);
    hear_of(AFTER, RELAY_GONE);
    assert_null(election_forwarder(&e));
    keep_hearing(of(BEFORE, RELAY_STANDBY), DEAD - 1);
    assert_is(RELAY_STANDBY, REASON_LATER);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_LEFT);

    /* A claim begins the time anew. */
    begin_standby(AFTER);
    hear_of(BEFORE, RELAY_STANDBY);
    hear_of(AFTER, RELAY_GONE);
    keep_hearing(of(BEFORE, RELAY_STANDBY), 200);
    hear_of(BEFORE, RELAY_CLAIMING);
    pass(50);
    hear_of(BEFORE, RELAY_STANDBY);
    keep_hearing(of(BEFORE, RELAY_STANDBY), DEAD - 1);
    assert_is(RELAY_STANDBY, REASON_LATER);
    pass(1);
    assert_int_equal(e.self.state, RELAY_CLAIMING);
}

/* Of relays that start together, within an interval, the first claims, not the
 * one that was the first to start. */
static void
test_one_that_is_almost_ready_is_waited_for(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_LISTENING);

    /* It is ready in less than an interval. */
    a.reason = REASON_STARTED;
    begin();
    pass(DEAD - 1);
    a.age_ms = DEAD - HELLO;
    hear(&a);
    pass(1);
    assert_is(RELAY_STANDBY, REASON_LATER);
    pass(HELLO);
    assert_is(RELAY_STANDBY, REASON_LATER);
    hear_of(BEFORE, RELAY_CLAIMING);
    assert_is(RELAY_STANDBY, REASON_LATER);

    /* Not ready for longer. */
    begin();
    pass(DEAD - 1);
    a.age_ms = DEAD - HELLO - 1;
    hear(&a);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_ALONE);

    /* Should have been ready for less. */
    begin();
    pass(DEAD - 1);
    a.age_ms = DEAD;
    hear(&a);
    pass(HELLO - 1);
    assert_is(RELAY_STANDBY, REASON_LATER);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_ALONE);
    begin();
    pass(DEAD - 1);
    a.age_ms = DEAD + HELLO - 1;
    hear(&a);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_ALONE);

    /* It is this one's turn. */
    begin();
    pass(DEAD - 1);
    a.age_ms = DEAD - HELLO;
    a.relay_id = AFTER;
    hear(&a);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_ALONE);

    /* It has not started, but was refused. */
    begin();
    pass(DEAD - 1);
    a = of(BEFORE, RELAY_LISTENING);
    a.age_ms = DEAD - HELLO;
    a.reason = REASON_REFUSED;
    hear(&a);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_ALONE);
}

/* Where one is to be followed there is no time for that. */
static void
test_none_is_waited_for_when_one_is_to_be_followed(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_LISTENING);

    begin_standby(AFTER);
    a.reason = REASON_STARTED;
    a.age_ms = DEAD - 1;
    hear(&a);
    hear_of(AFTER, RELAY_LEAVING);
    assert_is(RELAY_CLAIMING, REASON_LEFT);

    /* Nor when one of a lower priority is to be taken over from. */
    begin_standby(AFTER);
    a.priority = 255;
    hear(&a);
    params.priority = 101;
    configure_alone();
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);
}

/* As soon as none is left that goes before this one. */
static void
test_turns_change(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = { RELAY_LISTENING, RELAY_LEAVING,
                                               RELAY_GONE };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin_standby(AFTER);
        hear_of(BEFORE, RELAY_STANDBY);
        hear_of(AFTER, RELAY_GONE);
        pass(10);
        assert_is(RELAY_STANDBY, REASON_LATER);
        hear_of(BEFORE, states[i]);
        assert_int_equal(e.self.state, RELAY_CLAIMING);
    }

    begin_standby(AFTER);
    hear_of(BEFORE, RELAY_STANDBY);
    pass(10);
    hear_of(AFTER, RELAY_GONE);
    pass(DEAD - 10 - 1);
    assert_is(RELAY_STANDBY, REASON_LATER);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
}

static void
test_why_it_claims(void **state OVS_UNUSED)
{
    struct announcement a = of(AFTER, RELAY_STANDBY);

    /* The id is the lowest. */
    begin();
    keep_hearing(a, DEAD);
    assert_is(RELAY_CLAIMING, REASON_ORDER);
    set_in_place();
    assert_is(RELAY_FORWARDING, REASON_ORDER);

    /* The priority is the greatest. */
    begin();
    a.priority = 99;
    keep_hearing(a, DEAD);
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);

    /* There was another one. */
    begin_standby(BEFORE);
    pass(DEAD);
    assert_is(RELAY_CLAIMING, REASON_SILENT);
    begin_standby(BEFORE);
    hear_of(BEFORE, RELAY_GONE);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    begin_standby(BEFORE);
    hear_of(BEFORE, RELAY_LEAVING);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    begin_standby(BEFORE);
    hear_of(AFTER, RELAY_STANDBY);
    hear_of(BEFORE, RELAY_LISTENING);
    assert_is(RELAY_CLAIMING, REASON_LEFT);

    begin_standby(AFTER);
    hear_of(AFTER, RELAY_STANDBY);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    begin();
    pass(DEAD - 1);
    hear_of(AFTER, RELAY_CLAIMING);
    pass(1);
    hear_of(AFTER, RELAY_LISTENING);
    assert_is(RELAY_CLAIMING, REASON_LEFT);

    /* It was this one itself. */
    set_in_place();
    set_online_alone(false);
    set_online_alone(true);
    pass(DEAD);
    assert_is(RELAY_CLAIMING, REASON_ALONE);

    /* One that stood by does not count, nor one before another one. */
    begin();
    hear_of(BEFORE, RELAY_STANDBY);
    hear_of(AFTER, RELAY_STANDBY);
    pass(DEAD - 1);
    hear_of(AFTER, RELAY_STANDBY);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_ORDER);
    begin_standby(BEFORE);
    hear_of(BEFORE, RELAY_GONE);
    hear_of(AFTER, RELAY_FORWARDING);
    assert_is(RELAY_STANDBY, REASON_LATER);
    pass(DEAD);
    assert_is(RELAY_CLAIMING, REASON_SILENT);
}

/* A claim that was given up leaves no gap. */
static void
test_one_that_claims_may_fall_silent(void **state OVS_UNUSED)
{
    begin();
    pass(DEAD - 1);
    hear_of(BEFORE, RELAY_CLAIMING);
    pass(DEAD - 1);
    assert_is(RELAY_STANDBY, REASON_LATER);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_SILENT);
}

/* Two that forward. */

static void
test_two_forwarders_meet(void **state OVS_UNUSED)
{
    /* The one that goes before this one. */
    begin_forwarder();
    hear_of(BEFORE, RELAY_FORWARDING);
    assert_is(RELAY_STANDBY, REASON_YIELDED);
    assert_said(0);

    begin_forwarder();
    struct announcement a = of(AFTER, RELAY_FORWARDING);
    a.priority = 101;
    hear(&a);
    assert_is(RELAY_STANDBY, REASON_LATER);

    /* The one that does not is told, as often as it says that it forwards. */
    for (int priority = 99; priority <= 100; priority++) {
        a = of(priority == 100 ? AFTER : BEFORE, RELAY_FORWARDING);
        a.priority = priority;
        begin_forwarder();
        pass(30);
        n_said = 0;
        hear(&a);
        assert_is(RELAY_FORWARDING, REASON_ALONE);
        assert_int_equal(n_said, 1);
        pass(30);
        assert_int_equal(n_said, 1);
        a.state = RELAY_CLAIMING;
        hear(&a);
        assert_int_equal(n_said, 2);
        assert_is(RELAY_FORWARDING, REASON_ALONE);
        pass(30);
        a.state = RELAY_STANDBY;
        hear(&a);
        assert_int_equal(n_said, 2);
        assert_null(election_forwarder(&e));
    }
}

/* How often this one is called makes no difference to what it says. */
static void
test_iterations_cause_no_announcements(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = { RELAY_LISTENING, RELAY_STANDBY,
                                               RELAY_CLAIMING,
                                               RELAY_FORWARDING,
                                               RELAY_LEAVING };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin_forwarder();
        hear_of(AFTER, states[i]);
        pass(ELECTION_ANSWER_MS);
        n_said = 0;
        for (int k = 0; k < HELLO; k++) {
            pass(1);
            iterate_alone();
        }
        assert_int_equal(n_said, 1);
        assert_is(RELAY_FORWARDING, REASON_ALONE);
    }
}

/* Of several others one that goes before this one is enough. */
static void
test_three_forwarders_meet(void **state OVS_UNUSED)
{
    begin_forwarder();
    hear_of(AFTER, RELAY_FORWARDING);
    hear_of(BEFORE, RELAY_FORWARDING);
    assert_is(RELAY_STANDBY, REASON_YIELDED);
    assert_true(election_forwarder(&e)->said.relay_id == BEFORE);

    begin_forwarder();
    hear_of(BEFORE, RELAY_FORWARDING);
    hear_of(AFTER, RELAY_FORWARDING);
    assert_true(election_forwarder(&e)->said.relay_id == BEFORE);
}

/* Leaving. */

static void
test_a_clean_leave(void **state OVS_UNUSED)
{
    begin_in(RELAY_FORWARDING, AFTER);
    pass(10);
    leave_alone();
    assert_is(RELAY_LEAVING, REASON_STOPPED);
    assert_said(0);
    assert_false(election_has_left(&e));
    assert_true(election_forwards_port(&e, all_ports[0]));
    assert_true(election_punts_port(&e, all_ports[0]));

    pass(5);
    hear_of(AFTER, RELAY_CLAIMING);
    assert_is(RELAY_LEAVING, REASON_STOPPED);
    pass(50);
    assert_is(RELAY_LEAVING, REASON_STOPPED);
    n_said = 0;
    hear_of(AFTER, RELAY_FORWARDING);
    assert_is(RELAY_GONE, REASON_STOPPED);
    assert_said(0);
    assert_false(election_punts_port(&e, all_ports[0]));

    /* It says twice that it is gone. */
    pass(ELECTION_GONE_MS / 2 - 1);
    assert_int_equal(n_said, 1);
    pass(1);
    assert_int_equal(n_said, 2);
    pass(ELECTION_GONE_MS / 2 - 1);
    assert_int_equal(n_said, 2);
    assert_false(election_has_left(&e));
    pass(1);
    assert_true(election_has_left(&e));
    pass(10 * DEAD);
    assert_int_equal(n_said, 2);
    assert_true(election_deadline(&e, now) == LLONG_MAX);
}

/* Nobody forwards after it: there is an end to its patience. */
static void
test_a_leave_that_nobody_follows(void **state OVS_UNUSED)
{
    begin_in(RELAY_FORWARDING, AFTER);
    leave_alone();
    keep_hearing(of(AFTER, RELAY_STANDBY), ELECTION_LEAVE_MS - 1);
    assert_is(RELAY_LEAVING, REASON_STOPPED);
    pass(1);
    assert_is(RELAY_GONE, REASON_STOPPED);
    pass(ELECTION_GONE_MS);
    assert_true(election_has_left(&e));
}

/* Those who could forward instead may be there no more. */
static void
test_a_leave_when_the_others_leave_too(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = { RELAY_LISTENING, RELAY_LEAVING,
                                               RELAY_GONE };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin_in(RELAY_FORWARDING, AFTER);
        leave_alone();
        pass(10);
        assert_is(RELAY_LEAVING, REASON_STOPPED);
        hear_of(AFTER, states[i]);
        assert_is(RELAY_GONE, REASON_STOPPED);
    }

    begin_in(RELAY_FORWARDING, AFTER);
    pass(DEAD - 100);
    leave_alone();
    pass(99);
    assert_is(RELAY_LEAVING, REASON_STOPPED);
    pass(1);
    assert_is(RELAY_GONE, REASON_STOPPED);
    assert_true(election_has_left(&e));
}

/* One that leaves too is none that forwards from now on. */
static void
test_two_that_leave(void **state OVS_UNUSED)
{
    begin_in(RELAY_FORWARDING, AFTER);
    hear_of(BEFORE, RELAY_LEAVING);
    leave_alone();
    assert_is(RELAY_LEAVING, REASON_STOPPED);
    hear_of(BEFORE, RELAY_LEAVING);
    assert_is(RELAY_LEAVING, REASON_STOPPED);
    hear_of(AFTER, RELAY_FORWARDING);
    assert_is(RELAY_GONE, REASON_STOPPED);
}

/* Whatever its pace is otherwise. */
static void
test_one_that_is_gone_says_so_twice(void **state OVS_UNUSED)
{
    static const uint32_t paces[] = { 50, 90, 110, 10000 };

    for (size_t i = 0; i < ARRAY_SIZE(paces); i++) {
        begin_in(RELAY_STANDBY, BEFORE);
        params.hello_ms = paces[i];
        params.dead_ms = 60000;
        configure_alone();
        leave_alone();
        n_said = 0;
        pass(ELECTION_GONE_MS / 2 - 1);
        assert_int_equal(n_said, 0);
        pass(1);
        assert_int_equal(n_said, 1);
        pass(10 * DEAD);
        assert_int_equal(n_said, 1);
    }
}

/* Nobody is there to be told; it is said once, for who comes just then. */
static void
test_a_lone_relay_leaves_at_once(void **state OVS_UNUSED)
{
    begin_forwarder();
    n_said = 0;
    leave_alone();
    assert_is(RELAY_GONE, REASON_STOPPED);
    assert_true(election_has_left(&e));
    pass(10 * DEAD);
    assert_int_equal(n_said, 1);
    assert_true(election_deadline(&e, now) == LLONG_MAX);
    assert_true(election_has_left(&e));

    /* And if it cannot be said, it is not. */
    begin_forwarder();
    can_send = false;
    leave_alone();
    assert_true(election_has_left(&e));
    pass(10 * DEAD);
    assert_true(election_deadline(&e, now) == LLONG_MAX);
}

/* One that does not forward just says that it is gone. */
static void
test_others_leave_at_once(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = { RELAY_LISTENING, RELAY_STANDBY,
                                               RELAY_CLAIMING };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin_in(states[i], BEFORE);
        n_said = 0;
        leave_alone();
        assert_is(RELAY_GONE, REASON_STOPPED);
        assert_said(0);
        pass(ELECTION_GONE_MS - 1);
        assert_false(election_has_left(&e));
        pass(1);
        assert_true(election_has_left(&e));
        assert_int_equal(n_said, 2);
    }

    /* So does one that others listen to, but could not follow. */
    begin_forwarder();
    hear_of(AFTER, RELAY_LISTENING);
    leave_alone();
    assert_is(RELAY_GONE, REASON_STOPPED);
    assert_false(election_has_left(&e));
}

/* One that is gone is not moved by anything any more. */
static void
test_one_that_is_gone_stays_so(void **state OVS_UNUSED)
{
    begin_in(RELAY_GONE, BEFORE);
    hear_of(BEFORE, RELAY_GONE);
    hear_of(AFTER, RELAY_LISTENING);
    set_in_place();
    set_online_alone(false);
    set_online_alone(true);
    election_wake(&e, now);
    assert_is(RELAY_GONE, REASON_STOPPED);
    pass(ELECTION_GONE_MS);
    assert_true(election_has_left(&e));
    hear_of(AFTER, RELAY_LISTENING);
    set_online_alone(false);
    set_online_alone(true);
    pass(10 * DEAD);
    assert_is(RELAY_GONE, REASON_STOPPED);
    assert_true(election_has_left(&e));
}

/* Who has not been heard, or takes no part, has nobody to tell. */
static void
test_a_leave_of_one_that_takes_no_part(void **state OVS_UNUSED)
{
    for (int i = 0; i < 5; i++) {
        begin_forwarder();
        switch (i) {
        case 0: prepare(); break;
        case 1: params.on = false; break;
        case 2: params.n_ports = 0; break;
        case 3: set_online_alone(false); break;
        case 4: break;
        }
        if (i == 1 || i == 2) {
            hear_of(AFTER, RELAY_STANDBY);
            configure_alone();
        } else if (i == 4) {
            hear_of(AFTER, RELAY_FORWARDING);
            set_online_alone(false);
        }
        n_said = 0;
        leave_alone();
        assert_true(election_has_left(&e));
        assert_false(election_forwards(&e));
        assert_int_equal(e.self.state,
                         e.self.n_ports ? RELAY_GONE : RELAY_OFF);
        pass(10 * DEAD);
        assert_int_equal(n_said, 0);
        assert_true(election_deadline(&e, now) == LLONG_MAX);
    }
}

static void
test_the_switch_goes_while_one_leaves(void **state OVS_UNUSED)
{
    begin_in(RELAY_LEAVING, AFTER);
    set_online_alone(false);
    assert_is(RELAY_GONE, REASON_STOPPED);
    assert_true(election_has_left(&e));
}

/* What others do when one leaves or dies. */

static void
test_who_leaves_is_followed_at_once(void **state OVS_UNUSED)
{
    begin_standby(BEFORE);
    pass(10);
    hear_of(BEFORE, RELAY_LEAVING);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    assert_said(0);
    assert_true(election_forwarder(&e)->said.relay_id == BEFORE);
    pass(10);
    set_in_place();
    pass(SETTLE - 1);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    pass(1);
    assert_is(RELAY_FORWARDING, REASON_LEFT);
    assert_said(0);
    hear_of(BEFORE, RELAY_GONE);
    assert_int_equal(e.candidates.n, 0);
    assert_is(RELAY_FORWARDING, REASON_LEFT);
}

/* There is nothing to wait for when the one before does not go on. */
static void
test_who_claims_forwards_at_once_when_nobody_does(void **state OVS_UNUSED)
{
    begin_standby(BEFORE);
    hear_of(BEFORE, RELAY_LEAVING);
    set_in_place();
    pass(10);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    hear_of(BEFORE, RELAY_GONE);
    assert_is(RELAY_FORWARDING, REASON_LEFT);

    /* Nor when it falls silent. */
    begin_standby(BEFORE);
    hear_of(BEFORE, RELAY_FORWARDING);
    pass(DEAD - 10);
    params.priority = 101;
    configure_alone();
    set_in_place();
    pass(9);
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);
    pass(1);
    assert_is(RELAY_FORWARDING, REASON_PRIORITY);
}

/* Nor where others that could forward do not. */
static void
test_who_claims_waits_for_a_forwarder_only(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = { RELAY_LISTENING, RELAY_STANDBY,
                                               RELAY_CLAIMING };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin();
        pass(DEAD - 1);
        hear_of(AFTER, states[i]);
        pass(1);
        if (states[i] == RELAY_CLAIMING) {
            hear_of(AFTER, RELAY_LISTENING);
            hear_of(AFTER, RELAY_CLAIMING);
        }
        set_in_place();
        assert_int_equal(e.self.state, RELAY_FORWARDING);
    }
}

/* However often it is told that the switch has its flows. */
static void
test_the_wait_for_the_switch_begins_once(void **state OVS_UNUSED)
{
    begin_in(RELAY_CLAIMING, BEFORE);
    set_in_place();
    for (int i = 1; i < SETTLE; i++) {
        hear_of(BEFORE, RELAY_FORWARDING);
        pass(1);
        set_in_place();
        assert_is(RELAY_CLAIMING, REASON_PRIORITY);
    }
    pass(1);
    assert_is(RELAY_FORWARDING, REASON_PRIORITY);
}

/* Its flows are late, but there: that is no reason to give up. */
static void
test_a_claim_may_take_longer_once_its_flows_are_there(void **state OVS_UNUSED)
{
    begin_in(RELAY_CLAIMING, BEFORE);
    keep_hearing(of(BEFORE, RELAY_FORWARDING), DEAD - 1);
    set_in_place();
    keep_hearing(of(BEFORE, RELAY_FORWARDING), SETTLE - 1);
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);
    keep_hearing(of(BEFORE, RELAY_FORWARDING), 1);
    assert_is(RELAY_FORWARDING, REASON_PRIORITY);
}

/* It may still be another one's turn; and what was there for one claim may not
 * be for the next one. */
static void
test_a_claim_may_end_while_it_waits_for_the_switch(void **state OVS_UNUSED)
{
    struct announcement a = of(AFTER, RELAY_FORWARDING);

    begin_in(RELAY_CLAIMING, BEFORE);
    set_in_place();
    pass(10);
    a.priority = 200;
    hear(&a);
    assert_is(RELAY_STANDBY, REASON_LATER);
    a.priority = 199;
    hear(&a);
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);
    hear_of(BEFORE, RELAY_GONE);
    keep_hearing(a, DEAD - 1);
    assert_is(RELAY_CLAIMING, REASON_PRIORITY);
    set_in_place();
    keep_hearing(a, SETTLE);
    assert_is(RELAY_FORWARDING, REASON_PRIORITY);
}

/* One with a long dead time does not wait for a third of it. */
static void
test_who_claims_waits_no_longer_than_a_switch_takes(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_LEAVING);

    begin_standby(BEFORE);
    params.dead_ms = 10 * DEAD;
    configure_alone();
    a.dead_ms = 10 * DEAD;
    hear(&a);
    set_in_place();
    pass(ELECTION_SETTLE_MS - 1);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    pass(1);
    assert_is(RELAY_FORWARDING, REASON_LEFT);
}

static void
test_who_dies_is_replaced_when_its_dead_time_is_over(void **state OVS_UNUSED)
{
    static const uint32_t dead[] = { 150, DEAD, 10 * DEAD };

    for (size_t i = 0; i < ARRAY_SIZE(dead); i++) {
        struct announcement a = of(BEFORE, RELAY_FORWARDING);

        begin_standby(BEFORE);
        a.dead_ms = dead[i];
        hear(&a);
        pass(dead[i] - 1);
        assert_is(RELAY_STANDBY, REASON_LATER);
        assert_non_null(election_forwarder(&e));
        pass(1);
        assert_is(RELAY_CLAIMING, REASON_SILENT);
        assert_said(0);
        assert_null(election_forwarder(&e));
        assert_int_equal(e.candidates.n, 0);
    }
}

static void
test_a_forwarder_that_restarts_is_replaced_at_once(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_LISTENING);

    begin_standby(BEFORE);
    pass(10);
    a.session++;
    hear(&a);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    set_in_place();
    keep_hearing(a, DEAD);
    a.state = RELAY_STANDBY;
    keep_hearing(a, DEAD);
    assert_is(RELAY_FORWARDING, REASON_LEFT);
    assert_int_equal(e.candidates.n, 1);
}

/* A word of its last session that comes late, or comes back. */
static void
test_one_is_not_gone_by_another_session(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_GONE);

    begin_standby(BEFORE);
    a.session--;
    hear(&a);
    assert_is(RELAY_STANDBY, REASON_LATER);
    assert_true(election_forwarder(&e)->said.relay_id == BEFORE);
    hear_of(AFTER, RELAY_GONE);
    assert_int_equal(e.candidates.n, 1);
}

/* All who are silent are lost, in whatever order they came. */
static void
test_several_die_at_once(void **state OVS_UNUSED)
{
    begin_standby(BEFORE);
    hear_of(BEFORE, RELAY_FORWARDING);
    for (uint64_t id = 1; id < 8; id++) {
        hear_of(AFTER + id, RELAY_STANDBY);
    }
    pass(100);
    hear_of(AFTER + 4, RELAY_STANDBY);
    assert_int_equal(e.candidates.n, 8);
    pass(DEAD - 100);
    assert_int_equal(e.candidates.n, 1);
    assert_true(e.candidates.all[0].said.relay_id == AFTER + 4);
    assert_is(RELAY_CLAIMING, REASON_SILENT);
}

/* The switch, and the process. */

/* Nobody else was there with it: so nobody has taken over. */
static void
test_a_lone_forwarder_goes_on_when_its_switch_returns(void **state OVS_UNUSED)
{
    begin_forwarder();
    n_said = 0;
    set_online_alone(false);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    pass(100 * DEAD);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    assert_int_equal(n_said, 0);
    set_online_alone(true);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    assert_int_equal(n_said, 1);
    assert_said(0);

    /* It says so even if it has not been away for long. */
    pass(10);
    set_online_alone(false);
    pass(10);
    set_online_alone(true);
    assert_int_equal(n_said, 2);
    assert_said(0);
}

static void
test_others_listen_when_their_switch_returns(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = { RELAY_LISTENING, RELAY_STANDBY,
                                               RELAY_CLAIMING,
                                               RELAY_FORWARDING };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin_in(states[i], BEFORE);
        pass(10);
        n_said = 0;
        unsigned int seqno = e.seqno;
        set_online_alone(false);
        assert_true(e.seqno != seqno);
        assert_is(RELAY_LISTENING, REASON_STARTED);
        assert_null(election_forwarder(&e));
        hear_of(BEFORE, RELAY_FORWARDING);
        assert_int_equal(e.candidates.n, 0);
        set_in_place();
        pass(100 * DEAD);
        assert_is(RELAY_LISTENING, REASON_STARTED);
        assert_int_equal(n_said, 0);

        seqno = e.seqno;
        set_online_alone(true);
        assert_true(e.seqno != seqno);
        assert_said(0);
        keep_hearing(of(AFTER, RELAY_FORWARDING), DEAD - 1);
        assert_is(RELAY_LISTENING, REASON_STARTED);
        pass(1);
        assert_int_equal(e.self.state, states[i] == RELAY_CLAIMING
                                           ? RELAY_CLAIMING
                                           : RELAY_STANDBY);
        assert_int_equal(e.candidates.n, 1);
    }

    /* And claim, if nobody is there. */
    begin_in(RELAY_FORWARDING, BEFORE);
    set_online_alone(false);
    set_online_alone(true);
    pass(DEAD);
    assert_is(RELAY_CLAIMING, REASON_ALONE);
}

/* Something is in place of a claim of before. */
static void
test_flows_in_place_count_for_a_claim_only(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = {
        RELAY_OFF,        RELAY_LISTENING, RELAY_STANDBY,
        RELAY_FORWARDING, RELAY_LEAVING,   RELAY_GONE,
    };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin_in(states[i], BEFORE);
        const long long int since = e.since;
        set_in_place();
        assert_int_equal(e.self.state, states[i]);
        assert_true(e.since == since);
    }
}

/* One that was halted for as long as others believe it dead, with 'others' or
 * without. */
static void
sleep_and_wake(enum relay_state state, bool others, long long int ms)
{
    begin_in(state, AFTER);
    hear_of(AFTER, !others                  ? RELAY_GONE
                   : state == RELAY_STANDBY ? RELAY_FORWARDING
                                            : RELAY_STANDBY);
    now = said_at + ms;
    election_wake(&e, now);
}

static void
test_one_that_was_halted_has_been_replaced(void **state OVS_UNUSED)
{
    sleep_and_wake(RELAY_FORWARDING, true, DEAD - 1);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    sleep_and_wake(RELAY_FORWARDING, false, 100 * DEAD);
    assert_is(RELAY_FORWARDING, REASON_ALONE);

    sleep_and_wake(RELAY_FORWARDING, true, DEAD);
    assert_is(RELAY_LISTENING, REASON_STARTED);
    iterate_alone();
    assert_said(0);
    keep_hearing(of(AFTER, RELAY_FORWARDING), DEAD - 1);
    assert_is(RELAY_LISTENING, REASON_STARTED);
    pass(1);
    assert_is(RELAY_STANDBY, REASON_LATER);

    sleep_and_wake(RELAY_LISTENING, true, DEAD);
    assert_is(RELAY_LISTENING, REASON_STARTED);
    sleep_and_wake(RELAY_STANDBY, true, DEAD);
    assert_is(RELAY_STANDBY, REASON_LATER);
    sleep_and_wake(RELAY_GONE, true, DEAD);
    assert_is(RELAY_GONE, REASON_STOPPED);
}

/* Its switch may have had the flows for long: they are too late. */
static void
test_a_claim_does_not_outlast_a_halt(void **state OVS_UNUSED)
{
    sleep_and_wake(RELAY_CLAIMING, true, DEAD - 1);
    assert_int_equal(e.self.state, RELAY_CLAIMING);
    sleep_and_wake(RELAY_CLAIMING, true, DEAD);
    assert_is(RELAY_LISTENING, REASON_STARTED);
    set_in_place();
    assert_is(RELAY_LISTENING, REASON_STARTED);
}

/* Nor has one been heard whose announcements could not be sent. */
static void
test_one_that_could_not_announce_has_been_replaced(void **state OVS_UNUSED)
{
    begin_in(RELAY_FORWARDING, AFTER);
    pass(10);
    can_send = false;
    const long long int last = said_at;
    while (now < last + DEAD - 1) {
        hear_of(AFTER, RELAY_STANDBY);
        pass_until(MIN(now + HELLO, last + DEAD - 1));
        election_wake(&e, now);
    }
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    pass(1);
    election_wake(&e, now);
    assert_is(RELAY_LISTENING, REASON_STARTED);
}

/* One whose switch has been away has not announced itself meanwhile, but is
 * not to be replaced for that. */
static void
test_a_switch_that_returns_is_no_halt(void **state OVS_UNUSED)
{
    const struct announcement a = of(AFTER, RELAY_LISTENING);

    begin_forwarder();
    set_online_alone(false);
    pass(10 * DEAD);
    election_wake(&e, now);
    election_set_online(&e, true, now);
    election_wake(&e, now);
    election_take(&e, &a, now);
    election_wake(&e, now);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
}

/* Who announced itself in time for the pace that was is not late by the one
 * that is. */
static void
test_a_shorter_pace_is_no_halt(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = { RELAY_CLAIMING,
                                               RELAY_FORWARDING };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin_in(states[i], AFTER);
        hear_of(AFTER, i ? RELAY_STANDBY : RELAY_FORWARDING);
        const enum relay_reason reason = e.self.reason;
        now = said_at + DEAD - 10;
        params.hello_ms = HELLO / 4;
        params.dead_ms = DEAD / 4;
        election_configure(&e, &params, now);
        election_wake(&e, now);
        assert_is(states[i], reason);
        iterate_alone();
        assert_is(states[i], reason);
        assert_said(0); /* The others are told of the pace at once. */
        assert_int_equal(said.dead_ms, DEAD / 4);

        /* From then on it counts. */
        now += DEAD / 4 - 1;
        election_wake(&e, now);
        assert_is(states[i], reason);
        now++;
        election_wake(&e, now);
        assert_is(RELAY_LISTENING, REASON_STARTED);
    }
}

/* However long it has been what it is. */
static void
test_a_shorter_pace_after_a_long_time(void **state OVS_UNUSED)
{
    begin_in(RELAY_FORWARDING, AFTER);
    keep_hearing(of(AFTER, RELAY_STANDBY), 10 * DEAD);
    now = said_at + HELLO;
    params.dead_ms = HELLO;
    election_configure(&e, &params, now);
    election_wake(&e, now);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
}

/* One that was halted does not owe it to a configuration, the same as before
 * or another one, that it goes on. */
static void
test_a_configuration_is_no_excuse(void **state OVS_UNUSED)
{
    for (int i = 0; i < 2; i++) {
        begin_in(RELAY_FORWARDING, AFTER);
        now = said_at + DEAD;
        params.hello_ms += i;
        election_configure(&e, &params, now);
        election_wake(&e, now);
        assert_is(RELAY_LISTENING, REASON_STARTED);
    }
}

/* Configuration. */

/* Whose election is off forwards, whatever others do. */
static void
test_an_election_that_is_off(void **state OVS_UNUSED)
{
    prepare();
    params.on = false;
    configure_alone();
    election_set_self(&e, &self, now);
    set_online_alone(true);
    now++;
    configure_alone();
    assert_true(e.since == START);
    assert_true(election_forwards(&e));
    assert_true(election_is_decided(&e));
    assert_true(election_forwards_port(&e, all_ports[0]));
    assert_true(election_punts_port(&e, all_ports[0]));
    assert_int_equal(election_state(&e), RELAY_FORWARDING);
    assert_int_equal(e.self.reason, REASON_OFF);
    assert_null(election_forwarder(&e));
    hear_of(BEFORE, RELAY_FORWARDING);
    assert_int_equal(e.candidates.n, 0);
    set_online_alone(false);
    set_online_alone(true);
    election_wake(&e, now + 100 * DEAD);
    pass(100 * DEAD);
    assert_true(election_forwards(&e));
    assert_int_equal(n_said, 0);
    assert_true(election_deadline(&e, now) == LLONG_MAX);
    unsigned int seqno = e.seqno;
    leave_alone();
    assert_true(election_has_left(&e));
    assert_false(election_forwards(&e));
    assert_int_equal(election_state(&e), RELAY_OFF);
    assert_true(e.seqno != seqno);

    /* It forwards when it is configured once more, and that is news. */
    seqno = e.seqno;
    configure_alone();
    assert_true(election_forwards(&e));
    assert_true(e.seqno != seqno);
}

/* It tells the others that they cannot count on it any more. */
static void
test_an_election_is_switched_off(void **state OVS_UNUSED)
{
    static const enum relay_state states[] = { RELAY_LISTENING, RELAY_STANDBY,
                                               RELAY_CLAIMING,
                                               RELAY_FORWARDING };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin_in(states[i], BEFORE);
        n_said = 0;
        params.on = false;
        const unsigned int seqno = e.seqno;
        configure_alone();
        assert_true(e.seqno != seqno);
        assert_true(election_forwards(&e));
        assert_int_equal(election_state(&e), RELAY_FORWARDING);
        assert_true(e.since == now);
        assert_int_equal(e.self.reason, REASON_OFF);
        assert_int_equal(said.state, RELAY_GONE);
        assert_true(said_at == now);
        hear_of(BEFORE, RELAY_FORWARDING);
        assert_int_equal(e.candidates.n, 0);
        pass(10 * DEAD);
        assert_int_equal(n_said, 2);
        assert_true(election_forwards(&e));
        assert_true(election_deadline(&e, now) == LLONG_MAX);
    }
}

/* It goes on until it hears that another one does that goes before it. */
static void
test_an_election_is_switched_on(void **state OVS_UNUSED)
{
    static const uint64_t ids[] = { BEFORE, AFTER };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        prepare();
        params.on = false;
        configure_alone();
        election_set_self(&e, &self, now);
        set_online_alone(true);
        pass(10 * DEAD);
        params.on = true;
        configure_alone();
        assert_is(RELAY_FORWARDING, REASON_ALONE);
        assert_said(0);
        pass(10);
        hear_of(ids[i], RELAY_FORWARDING);
        assert_int_equal(e.self.state,
                         ids[i] == BEFORE ? RELAY_STANDBY : RELAY_FORWARDING);
    }
}

/* As many as fit into an announcement. */
static void
test_as_many_ports_as_there_can_be(void **state OVS_UNUSED)
{
    uint16_t ports[ANNOUNCEMENT_MAX_PORTS];

    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        ports[i] = 5000 + i;
    }
    prepare();
    params.ports = ports;
    params.n_ports = ARRAY_SIZE(ports);
    election_configure(&e, &params, now);
    election_set_self(&e, &self, now);
    set_online_alone(true);
    assert_int_equal(said.n_ports, ARRAY_SIZE(ports));
    assert_memory_equal(said.ports, ports, sizeof ports);
}

/* Whoever relays nothing takes no part. */
static void
test_no_ports(void **state OVS_UNUSED)
{
    for (int on = 0; on <= 1; on++) {
        prepare();
        params.on = on;
        params.ports = NULL;
        params.n_ports = 0;
        configure_alone();
        election_set_self(&e, &self, now);
        set_online_alone(true);
        hear_of(BEFORE, RELAY_FORWARDING);
        pass(10 * DEAD);
        assert_int_equal(e.candidates.n, 0);
        assert_false(election_forwards(&e));
        assert_true(election_is_decided(&e));
        assert_int_equal(election_state(&e), RELAY_OFF);
        assert_int_equal(n_said, 0);
        assert_true(election_deadline(&e, now) == LLONG_MAX);
    }
}

static void
test_ports_come_and_go(void **state OVS_UNUSED)
{
    begin_in(RELAY_FORWARDING, AFTER);
    n_said = 0;
    params.n_ports = 0;
    params.ports = NULL;
    configure_alone();
    assert_false(election_forwards(&e));
    assert_int_equal(said.state, RELAY_GONE);
    assert_int_equal(e.candidates.n, 0);
    assert_is(RELAY_GONE, REASON_STOPPED);
    assert_false(election_has_left(&e));
    pass(ELECTION_GONE_MS - 1);
    assert_is(RELAY_GONE, REASON_STOPPED);
    assert_int_equal(n_said, 2);
    unsigned int seqno = e.seqno;
    pass(1);
    assert_is(RELAY_OFF, REASON_NONE);
    assert_int_equal(election_state(&e), RELAY_OFF);
    assert_int_not_equal(e.seqno, seqno);
    seqno = e.seqno;
    pass(10 * DEAD);
    iterate_alone();
    assert_int_equal(e.seqno, seqno); /* Once. */
    assert_int_equal(n_said, 2);
    assert_int_equal(said.state, RELAY_GONE);
    assert_true(election_deadline(&e, now) == LLONG_MAX);

    params.ports = all_ports;
    params.n_ports = 1;
    configure_alone();
    assert_is(RELAY_LISTENING, REASON_STARTED);
    assert_false(election_has_left(&e));
    assert_said(0);
    pass(DEAD);
    assert_is(RELAY_CLAIMING, REASON_ALONE);
}

/* One that knows of nobody says that it is gone all the same, for somebody may
 * know of it, and nothing else: none is off to others. */
static void
test_the_ports_of_a_lone_relay_go(void **state OVS_UNUSED)
{
    begin_forwarder();
    pass(HELLO / 2);
    n_said = 0;
    params.n_ports = 0;
    configure_alone();
    assert_int_equal(n_said, 1);
    assert_string_equal(relay_state_name(said.state),
                        relay_state_name(RELAY_GONE));
    assert_false(election_forwards(&e));
    pass(10 * DEAD);
    iterate_alone();
    assert_is(RELAY_OFF, REASON_NONE);
    assert_int_equal(n_said, 1);
    assert_true(election_deadline(&e, now) == LLONG_MAX);
}

/* Nor once its switch returns. */
static void
test_the_ports_go_while_the_switch_is_away(void **state OVS_UNUSED)
{
    for (int alone = 0; alone < 2; alone++) {
        begin_in(RELAY_FORWARDING, AFTER);
        if (alone) {
            hear_of(AFTER, RELAY_GONE);
        }
        set_online_alone(false);
        memset(&said, 0, sizeof said);
        n_said = 0;
        params.n_ports = 0;
        configure_alone();
        pass(10 * DEAD);
        set_online_alone(true);
        pass(10 * DEAD);
        iterate_alone();
        assert_is(RELAY_OFF, REASON_NONE);
        assert_true(election_deadline(&e, now) == LLONG_MAX);
        if (n_said) {
            assert_int_equal(said.state, RELAY_GONE);
        }
    }
}

/* Whose election is off forwards nothing where there is nothing to relay, and
 * does not do so by and by when it takes part. */
static void
test_ports_come_and_go_without_an_election(void **state OVS_UNUSED)
{
    prepare();
    params.on = false;
    election_set_self(&e, &self, now);
    set_online_alone(true);
    configure_alone();
    assert_true(election_forwards(&e));

    params.n_ports = 0;
    const unsigned int seqno = e.seqno;
    configure_alone();
    assert_false(election_forwards(&e));
    assert_true(e.seqno != seqno);
    params.n_ports = 1;
    configure_alone();
    assert_true(election_forwards(&e));

    params.n_ports = 0;
    params.on = true;
    configure_alone();
    assert_false(election_forwards(&e));
    params.n_ports = 1;
    configure_alone();
    assert_is(RELAY_LISTENING, REASON_STARTED);
}

/* Times of others and its own are what counts next. */
static void
test_times_may_change(void **state OVS_UNUSED)
{
    begin_forwarder();
    params.hello_ms = 1000;
    params.dead_ms = 3000;
    configure_alone();
    n_said = 0;
    pass(10000);
    assert_int_equal(n_said, 10);
    set_online_alone(false);
    set_online_alone(true);
    hear_of(AFTER, RELAY_STANDBY);
    set_online_alone(false);
    set_online_alone(true);
    pass(2999);
    assert_is(RELAY_LISTENING, REASON_STARTED);
    pass(1);
    assert_is(RELAY_CLAIMING, REASON_ALONE);
}

/* Others. */

static void
test_more_relays_than_there_is_room_for(void **state OVS_UNUSED)
{
    struct announcement a = of(AFTER, RELAY_STANDBY);

    begin_forwarder();
    for (uint64_t id = 1; id <= CANDIDATES_MAX + 10; id++) {
        a.relay_id = AFTER + id;
        hear(&a);
        assert_int_equal(e.candidates.n, MIN(id, CANDIDATES_MAX));
    }

    /* Those there is no room for are not listened to, the others still are. */
    a.relay_id = BEFORE;
    a.state = RELAY_FORWARDING;
    hear(&a);
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    a.relay_id = AFTER + CANDIDATES_MAX;
    a.priority = 101;
    hear(&a);
    assert_is(RELAY_STANDBY, REASON_LATER);

    /* And there is room again. */
    a.state = RELAY_GONE;
    hear(&a);
    assert_int_equal(e.candidates.n, CANDIDATES_MAX - 1);
    hear_of(BEFORE, RELAY_FORWARDING);
    assert_int_equal(e.candidates.n, CANDIDATES_MAX);
    pass(10 * DEAD);
    assert_int_equal(e.candidates.n, 0);
}

/* How long an announcement was under way does not move what it tells of. */
static void
test_since_when_another_one_is_what_it_is(void **state OVS_UNUSED)
{
    struct announcement a = of(AFTER, RELAY_STANDBY);
    const struct candidate *c = &e.candidates.all[0];

    begin();
    a.age_ms = 5000;
    hear(&a);
    const long long int since = now - 5000;
    assert_true(c->since == since);
    for (int late = -100; late <= 100; late += 50) {
        pass(1);
        a.age_ms = now - since - late;
        hear(&a);
        assert_true(c->since == since);
        assert_true(c->heard == now);
    }

    /* But for more, or another state or session, there is another reason. */
    a.age_ms = now - since - 101;
    hear(&a);
    assert_true(c->since == since + 101);
    a.age_ms = now - since;
    hear(&a);
    assert_true(c->since == since);
    a.age_ms -= 10;
    a.state = RELAY_CLAIMING;
    hear(&a);
    assert_true(c->since == since + 10);
    a.age_ms -= 10;
    a.session++;
    hear(&a);
    assert_true(c->since == since + 20);
}

/* A loop brings back what was sent. */
static void
test_its_own_announcements_are_ignored(void **state OVS_UNUSED)
{
    begin_forwarder();
    n_said = 0;
    for (enum relay_state s = RELAY_LISTENING; s < RELAY_N_STATES; s++) {
        struct announcement a = said;

        a.state = s;
        a.priority = 255;
        hear(&a);
    }
    assert_is(RELAY_FORWARDING, REASON_ALONE);
    assert_int_equal(e.candidates.n, 0);
    assert_int_equal(n_said, 0);
}

/* Somebody has the same id: it is another one nevertheless. */
static void
test_its_own_id_with_another_session(void **state OVS_UNUSED)
{
    for (int i = -1; i <= 1; i += 2) {
        struct announcement a = of(OWN, RELAY_FORWARDING);

        begin_forwarder();
        a.session = self.session + i;
        hear(&a);
        assert_int_equal(e.candidates.n, 1);
        assert_int_equal(e.self.state,
                         i < 0 ? RELAY_STANDBY : RELAY_FORWARDING);
        a.state = RELAY_GONE;
        hear(&a);
        assert_int_equal(e.candidates.n, 0);
    }
}

static void
test_the_forwarder_of_several(void **state OVS_UNUSED)
{
    struct announcement a = of(AFTER + 1, RELAY_CLAIMING);

    begin();
    hear_of(BEFORE, RELAY_STANDBY);
    hear_of(BEFORE + 1, RELAY_LISTENING);
    assert_null(election_forwarder(&e));

    /* One that is about to; better one that still does; best one that does. */
    hear(&a);
    assert_true(election_forwarder(&e)->said.relay_id == AFTER + 1);
    hear_of(AFTER + 2, RELAY_LEAVING);
    assert_true(election_forwarder(&e)->said.relay_id == AFTER + 2);
    hear_of(AFTER + 3, RELAY_FORWARDING);
    assert_true(election_forwarder(&e)->said.relay_id == AFTER + 3);
    hear_of(AFTER, RELAY_LEAVING);
    hear_of(AFTER - 1, RELAY_CLAIMING);
    assert_true(election_forwarder(&e)->said.relay_id == AFTER + 3);
    hear_of(AFTER + 4, RELAY_FORWARDING);
    assert_true(election_forwarder(&e)->said.relay_id == AFTER + 3);
    hear_of(AFTER + 2, RELAY_FORWARDING);
    assert_true(election_forwarder(&e)->said.relay_id == AFTER + 2);
    a = of(AFTER + 5, RELAY_FORWARDING);
    a.priority = 101;
    hear(&a);
    assert_true(election_forwarder(&e)->said.relay_id == AFTER + 5);

    /* In whatever order they came. */
    begin();
    hear_of(AFTER, RELAY_LEAVING);
    hear_of(BEFORE, RELAY_CLAIMING);
    assert_true(election_forwarder(&e)->said.relay_id == AFTER);
}

/* One that claims longer than it may is not about to forward any more. */
static void
test_an_overdue_claim_is_none_of_the_forwarder(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_CLAIMING);
    unsigned int seqno;

    begin();
    hear_of(AFTER, RELAY_STANDBY);
    a.age_ms = DEAD - HELLO;
    hear(&a);
    pass(HELLO - 1);
    assert_non_null(election_forwarder(&e));
    seqno = e.seqno;
    pass(1);
    assert_null(election_forwarder(&e));
    assert_int_not_equal(e.seqno, seqno);
    seqno = e.seqno;
    iterate_alone();
    assert_int_equal(e.seqno, seqno);

    /* Unless it does after all, or claims anew: frames are carried before time
     * goes by. */
    a.state = RELAY_FORWARDING;
    a.age_ms = 0;
    election_take(&e, &a, now);
    assert_non_null(election_forwarder(&e));
    for (int i = 0; i < 2; i++) {
        a.state = RELAY_CLAIMING;
        a.age_ms = i ? 0 : 2 * DEAD;
        seqno = e.seqno;
        election_take(&e, &a, now);
        assert_int_equal(election_forwarder(&e) != NULL, i);
        assert_int_not_equal(e.seqno, seqno);
    }
}

/* Who asks again only when the number grows has the same answer. */
static void
test_the_number_grows_with_what_others_say(void **state OVS_UNUSED)
{
    struct announcement a = of(BEFORE, RELAY_FORWARDING);
    unsigned int seqno;

    begin_standby(BEFORE);
    hear(&a);
    seqno = e.seqno;
    hear(&a);
    pass(HELLO);
    a.age_ms = 1000;
    hear(&a);
    assert_int_equal(e.seqno, seqno);
    for (int i = 0; i < 7; i++) {
        switch (i) {
        case 0: a.priority++; break;
        case 1: a.session++; break;
        case 2: a.mac.ea[5]++; break;
        case 3: a.n_ports--; break;
        case 4: a.ports[0]++; break;
        case 5: a.state = RELAY_CLAIMING; break;
        case 6: a.state = RELAY_GONE; break;
        }
        hear(&a);
        assert_true(e.seqno != seqno);
        seqno = e.seqno;
    }
    hear_of(AFTER, RELAY_STANDBY);
    assert_true(e.seqno != seqno);
    seqno = e.seqno;
    pass(DEAD);
    assert_true(e.seqno != seqno);
}

/* Ports that the forwarder does not relay. */

/* Hears relay 'id', which relays 'n' ports from the 'first'th on. */
static void
hear_of_ports(uint64_t id, enum relay_state state, size_t first, size_t n)
{
    struct announcement a = of(id, state);

    memcpy(a.ports, &all_ports[first], n * sizeof *all_ports);
    a.n_ports = n;
    hear(&a);
}

static void
assert_forwards_only(size_t first, size_t n)
{
    for (size_t i = 0; i < ARRAY_SIZE(all_ports); i++) {
        assert_int_equal(election_forwards_port(&e, all_ports[i]),
                         i >= first && i < first + n);
    }
}

static void
assert_punts_only(size_t first, size_t n)
{
    for (size_t i = 0; i < ARRAY_SIZE(all_ports); i++) {
        assert_int_equal(election_punts_port(&e, all_ports[i]),
                         i >= first && i < first + n);
    }
}

static void
test_which_ports_a_candidate_relays(void **state OVS_UNUSED)
{
    struct candidate c = { .said = of(BEFORE, RELAY_STANDBY) };

    for (size_t n = 0; n <= ARRAY_SIZE(all_ports); n++) {
        c.said.n_ports = n;
        for (size_t i = 0; i < ARRAY_SIZE(all_ports); i++) {
            assert_int_equal(candidate_relays(&c, all_ports[i]), i < n);
        }
        assert_false(candidate_relays(&c, 0));
    }
}

/* The first of those that stand by and relay it steps in. */
static void
test_an_orphan_port(void **state OVS_UNUSED)
{
    begin_standby(AFTER);
    assert_forwards_only(0, 0);
    hear_of_ports(AFTER, RELAY_FORWARDING, 0, 1);
    assert_forwards_only(1, 2);
    assert_punts_only(1, 2);
    assert_false(election_forwards(&e));
    hear_of_ports(AFTER + 1, RELAY_STANDBY, 0, 3);
    assert_forwards_only(1, 2);
    hear_of_ports(BEFORE, RELAY_STANDBY, 0, 2);
    assert_forwards_only(2, 1);
    assert_punts_only(2, 1);

    /* Only one that stands by does. */
    hear_of_ports(BEFORE, RELAY_LISTENING, 0, 2);
    assert_forwards_only(1, 2);
    hear_of_ports(BEFORE, RELAY_STANDBY, 0, 2);
    hear_of_ports(BEFORE, RELAY_LEAVING, 0, 2);
    assert_forwards_only(1, 2);
    hear_of_ports(BEFORE, RELAY_STANDBY, 0, 2);
    hear_of_ports(BEFORE, RELAY_GONE, 0, 2);
    assert_forwards_only(1, 2);

    /* And only where there is a forwarder. */
    hear_of_ports(BEFORE, RELAY_STANDBY, 0, 1);
    hear_of_ports(AFTER, RELAY_GONE, 0, 1);
    assert_is(RELAY_STANDBY, REASON_LATER);
    assert_forwards_only(0, 0);
    hear_of_ports(BEFORE, RELAY_CLAIMING, 0, 1);
    assert_forwards_only(1, 2);
}

/* Who has not found out yet does not. */
static void
test_who_listens_does_not_step_in(void **state OVS_UNUSED)
{
    begin();
    hear_of_ports(AFTER, RELAY_FORWARDING, 0, 1);
    assert_forwards_only(0, 0);
    assert_punts_only(0, 0);
}

/* A claim takes its time: meanwhile the port is not left alone. */
static void
test_who_claims_still_steps_in(void **state OVS_UNUSED)
{
    begin_standby(AFTER);
    hear_of_ports(AFTER, RELAY_FORWARDING, 0, 1);
    hear_of_ports(AFTER, RELAY_LEAVING, 0, 1);
    assert_is(RELAY_CLAIMING, REASON_LEFT);
    assert_forwards_only(1, 2);
    assert_punts_only(0, 3);

    /* And no two do. */
    begin_standby(AFTER);
    hear_of_ports(AFTER, RELAY_FORWARDING, 0, 1);
    hear_of_ports(BEFORE, RELAY_STANDBY, 0, 2);
    hear_of_ports(AFTER, RELAY_LEAVING, 0, 1);
    assert_forwards_only(2, 1);
    hear_of_ports(BEFORE, RELAY_CLAIMING, 0, 2);
    assert_is(RELAY_STANDBY, REASON_LATER);
    assert_forwards_only(2, 1);
}

/* Deadlines. */

/* Whatever is heard in whatever state, and whether or not what is to be said
 * can be, there is time to sleep, and the wake-up is in time:
 * iterate_alone() sees to the first, pass_until() to the second. */
static void
test_there_is_always_time_to_sleep(void **state OVS_UNUSED)
{
    for (enum relay_state own = RELAY_LISTENING; own <= RELAY_GONE; own++) {
        for (enum relay_state s = RELAY_LISTENING; s <= RELAY_GONE; s++) {
            for (int i = 0; i < 16; i++) {
                struct announcement a = of(i & 1 ? BEFORE : AFTER, s);

                begin_in(own, i & 2 ? BEFORE : AFTER);
                can_send = i & 4;
                a.age_ms = i & 8 ? DEAD / 2 : 0;
                const unsigned int before = n_said;
                hear(&a);
                for (int k = 0; k < 5 * DEAD; k++) {
                    const long long int deadline = election_deadline(&e, now);

                    /* Nothing happens before. */
                    if (deadline > now + 1) {
                        const enum relay_state was = e.self.state;
                        const unsigned int seqno = e.seqno;

                        election_run(&e, now + 1);
                        assert_int_equal(e.self.state, was);
                        assert_int_equal(e.seqno, seqno);
                        assert_true(election_deadline(&e, now) == deadline);
                    }
                    pass(1);
                }
                assert_in_range(n_said - before, 0,
                                can_send ? 5 * DEAD / HELLO + 8 : 0);
            }
        }
    }
}

/* What could not be sent is tried again soon, but not at once. */
static void
test_what_could_not_be_sent_is_tried_again(void **state OVS_UNUSED)
{
    begin_forwarder();
    can_send = false;
    pass(HELLO);
    n_said = 0;
    for (int i = 0; i < 10; i++) {
        assert_true(election_deadline(&e, now) == now + ELECTION_ANSWER_MS);
        pass(ELECTION_ANSWER_MS);
    }
    assert_int_equal(n_said, 0);
    can_send = true;
    pass(ELECTION_ANSWER_MS);
    assert_int_equal(n_said, 1);
    pass(HELLO - 1);
    assert_int_equal(n_said, 1);
    pass(1);
    assert_int_equal(n_said, 2);
}

/* A segment of relays that really talk to each other. */

static const char *
states_now(void)
{
    static char states[MAX_RELAYS * 12];

    states[0] = '\0';
    for (size_t i = 0; i < segment.n; i++) {
        strcat(states, i ? " " : "");
        strcat(states, segment.relays[i].runs ? state_of(i) : "-");
    }
    return states;
}

static void
assert_states(const char *expected)
{
    assert_string_equal(states_now(), expected);
}

/* Has time go by until the states are the 'expected' ones, for as many as 'ms'
 * ms. */
static void
run_until_states(const char *expected, int ms)
{
    while (ms-- && strcmp(states_now(), expected)) {
        run_for(1);
    }
    assert_states(expected);
}

static void
test_relays_that_start_together(void **state OVS_UNUSED)
{
    segment_init(3, 1);
    for (size_t i = 3; i-- > 0;) {
        start(i);
    }
    run_for(349);
    assert_states("listening listening listening");
    run_for(3);
    assert_states("claiming standby standby");
    run_for(10);
    assert_states("forwarding standby standby");
    run_for(100000);
    assert_states("forwarding standby standby");
    assert_int_equal(segment.relays[0].election.self.reason, REASON_ALONE);
}

static void
test_relays_that_come_later_take_over_nothing(void **state OVS_UNUSED)
{
    segment_init(3, 1);
    start(2);
    run_for(1000);
    for (size_t i = 2; i-- > 0;) {
        start(i);
        run_for(5000);
    }
    assert_states("standby standby forwarding");
}

static void
test_one_takes_over_by_its_priority(void **state OVS_UNUSED)
{
    segment_init(2, 1);
    start(0);
    run_for(1000);
    segment.relays[1].params.priority = 101;
    segment.relays[1].min_in_place = segment.relays[1].max_in_place = 50;
    start(1);
    run_for(350);
    assert_states("forwarding claiming");
    run_for(49 + SETTLE);
    assert_states("forwarding claiming");
    run_for(1);
    assert_states("forwarding forwarding");
    run_for(1);
    assert_states("standby forwarding");
}

static void
test_one_leaves_and_another_one_follows(void **state OVS_UNUSED)
{
    segment_init(3, 1);
    for (size_t i = 0; i < 3; i++) {
        start(i);
        run_for(1000);
    }
    assert_states("forwarding standby standby");
    leave(0);
    assert_states("leaving standby standby");
    run_for(1);
    assert_states("leaving claiming standby");
    run_for(9 + SETTLE);
    assert_states("leaving claiming standby");
    run_for(1);
    assert_states("leaving forwarding standby");
    run_for(1);
    assert_states("gone forwarding standby");
    run_for(ELECTION_GONE_MS);
    assert_states("- forwarding standby");
    assert_int_equal(segment.relays[1].election.candidates.n, 1);
    assert_int_equal(segment.relays[2].election.candidates.n, 1);
    assert_int_equal(segment.relays[1].election.self.reason, REASON_LEFT);
}

/* One whose switch is slow. */
static void
test_another_one_follows_one_that_is_refused(void **state OVS_UNUSED)
{
    segment_init(3, 1);
    segment.relays[0].min_in_place = segment.relays[0].max_in_place = 10000000;
    for (size_t i = 0; i < 3; i++) {
        start(i);
    }
    run_for(360);
    assert_states("claiming standby standby");
    run_for(339);
    assert_states("claiming standby standby");
    run_for(3);
    assert_states("listening claiming standby");
    run_for(15);
    assert_states("listening forwarding standby");
    run_for(3480);
    assert_states("listening forwarding standby");
    run_for(20);
    assert_states("standby forwarding standby");

    /* If that one dies, it is the first one's turn again, and again in vain.
     */
    stop(1);
    run_until_states("claiming - standby", 355);
    run_for(345);
    assert_states("claiming - standby");
    run_until_states("listening - claiming", 7);
    run_until_states("listening - forwarding", 15);
}

static void
test_parts_of_a_segment_meet_again(void **state OVS_UNUSED)
{
    segment_init(4, 1);
    for (size_t i = 0; i < 4; i++) {
        start(i);
    }
    run_for(1000);
    assert_states("forwarding standby standby standby");
    segment.relays[0].part = segment.relays[3].part = 1;
    run_for(400);
    assert_states("forwarding forwarding standby standby");
    run_for(10000);
    assert_states("forwarding forwarding standby standby");
    segment.relays[0].part = segment.relays[3].part = 0;
    run_for(100 + 2);
    assert_states("forwarding standby standby standby");
    run_for(10000);
    assert_states("forwarding standby standby standby");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_one_that_knows_nothing_does_nothing),
        cmocka_unit_test(test_a_lone_relay_listens_then_claims_then_forwards),
        cmocka_unit_test(test_what_is_decided),
        cmocka_unit_test(test_it_listens_once_all_is_known),
        cmocka_unit_test(test_who_it_must_know_to_be),
        cmocka_unit_test(test_one_that_forgets_who_it_is),
        cmocka_unit_test(test_announcements_hold_what_is_known),
        cmocka_unit_test(test_hellos_are_regular),
        cmocka_unit_test(test_what_changes_is_announced_at_once),
        cmocka_unit_test(test_what_changes_is_no_new_beginning),
        cmocka_unit_test(test_what_comes_counts_at_once),
        cmocka_unit_test(test_a_second_relay_stands_by),
        cmocka_unit_test(test_one_that_comes_is_answered),
        cmocka_unit_test(test_answers_are_not_frequent),
        cmocka_unit_test(test_a_greater_priority_takes_over),
        cmocka_unit_test(test_only_the_first_takes_over),
        cmocka_unit_test(test_the_order_of_two_with_one_id),
        cmocka_unit_test(
            test_the_forwarder_goes_on_until_another_one_forwards),
        cmocka_unit_test(test_a_priority_may_change),
        cmocka_unit_test(test_two_that_claim),
        cmocka_unit_test(test_a_claim_against_a_forwarder),
        cmocka_unit_test(test_a_claim_stands_against_others),
        cmocka_unit_test(test_who_stands_by_lets_another_one_claim),
        cmocka_unit_test(test_a_claim_that_is_not_fulfilled),
        cmocka_unit_test(test_a_hold_off_ends),
        cmocka_unit_test(test_a_claim_of_a_lone_relay_stands),
        cmocka_unit_test(test_an_overdue_claim_does_not_count),
        cmocka_unit_test(test_ages_that_cannot_be),
        cmocka_unit_test(test_one_that_does_not_claim_is_not_waited_for),
        cmocka_unit_test(test_one_that_is_almost_ready_is_waited_for),
        cmocka_unit_test(test_none_is_waited_for_when_one_is_to_be_followed),
        cmocka_unit_test(test_turns_change),
        cmocka_unit_test(test_why_it_claims),
        cmocka_unit_test(test_one_that_claims_may_fall_silent),
        cmocka_unit_test(test_two_forwarders_meet),
        cmocka_unit_test(test_iterations_cause_no_announcements),
        cmocka_unit_test(test_three_forwarders_meet),
        cmocka_unit_test(test_a_clean_leave),
        cmocka_unit_test(test_a_leave_that_nobody_follows),
        cmocka_unit_test(test_a_leave_when_the_others_leave_too),
        cmocka_unit_test(test_two_that_leave),
        cmocka_unit_test(test_one_that_is_gone_says_so_twice),
        cmocka_unit_test(test_a_lone_relay_leaves_at_once),
        cmocka_unit_test(test_others_leave_at_once),
        cmocka_unit_test(test_one_that_is_gone_stays_so),
        cmocka_unit_test(test_a_leave_of_one_that_takes_no_part),
        cmocka_unit_test(test_the_switch_goes_while_one_leaves),
        cmocka_unit_test(test_who_leaves_is_followed_at_once),
        cmocka_unit_test(test_who_claims_forwards_at_once_when_nobody_does),
        cmocka_unit_test(test_who_claims_waits_for_a_forwarder_only),
        cmocka_unit_test(test_the_wait_for_the_switch_begins_once),
        cmocka_unit_test(
            test_a_claim_may_take_longer_once_its_flows_are_there),
        cmocka_unit_test(test_a_claim_may_end_while_it_waits_for_the_switch),
        cmocka_unit_test(test_who_claims_waits_no_longer_than_a_switch_takes),
        cmocka_unit_test(test_who_dies_is_replaced_when_its_dead_time_is_over),
        cmocka_unit_test(test_a_forwarder_that_restarts_is_replaced_at_once),
        cmocka_unit_test(test_one_is_not_gone_by_another_session),
        cmocka_unit_test(test_several_die_at_once),
        cmocka_unit_test(
            test_a_lone_forwarder_goes_on_when_its_switch_returns),
        cmocka_unit_test(test_others_listen_when_their_switch_returns),
        cmocka_unit_test(test_flows_in_place_count_for_a_claim_only),
        cmocka_unit_test(test_one_that_was_halted_has_been_replaced),
        cmocka_unit_test(test_a_claim_does_not_outlast_a_halt),
        cmocka_unit_test(test_one_that_could_not_announce_has_been_replaced),
        cmocka_unit_test(test_a_switch_that_returns_is_no_halt),
        cmocka_unit_test(test_a_shorter_pace_is_no_halt),
        cmocka_unit_test(test_a_shorter_pace_after_a_long_time),
        cmocka_unit_test(test_a_configuration_is_no_excuse),
        cmocka_unit_test(test_an_election_that_is_off),
        cmocka_unit_test(test_an_election_is_switched_off),
        cmocka_unit_test(test_an_election_is_switched_on),
        cmocka_unit_test(test_as_many_ports_as_there_can_be),
        cmocka_unit_test(test_no_ports),
        cmocka_unit_test(test_ports_come_and_go),
        cmocka_unit_test(test_the_ports_of_a_lone_relay_go),
        cmocka_unit_test(test_the_ports_go_while_the_switch_is_away),
        cmocka_unit_test(test_ports_come_and_go_without_an_election),
        cmocka_unit_test(test_times_may_change),
        cmocka_unit_test(test_more_relays_than_there_is_room_for),
        cmocka_unit_test(test_since_when_another_one_is_what_it_is),
        cmocka_unit_test(test_its_own_announcements_are_ignored),
        cmocka_unit_test(test_its_own_id_with_another_session),
        cmocka_unit_test(test_the_forwarder_of_several),
        cmocka_unit_test(test_an_overdue_claim_is_none_of_the_forwarder),
        cmocka_unit_test(test_the_number_grows_with_what_others_say),
        cmocka_unit_test(test_which_ports_a_candidate_relays),
        cmocka_unit_test(test_an_orphan_port),
        cmocka_unit_test(test_who_listens_does_not_step_in),
        cmocka_unit_test(test_who_claims_still_steps_in),
        cmocka_unit_test(test_there_is_always_time_to_sleep),
        cmocka_unit_test(test_what_could_not_be_sent_is_tried_again),
        cmocka_unit_test(test_relays_that_start_together),
        cmocka_unit_test(test_relays_that_come_later_take_over_nothing),
        cmocka_unit_test(test_one_takes_over_by_its_priority),
        cmocka_unit_test(test_one_leaves_and_another_one_follows),
        cmocka_unit_test(test_another_one_follows_one_that_is_refused),
        cmocka_unit_test(test_parts_of_a_segment_meet_again),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests_name("election", tests, NULL, NULL);
}
