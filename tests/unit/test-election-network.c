/* SPDX-License-Identifier: Apache-2.0 */

/* Relays of one segment to which things happen at random.  What must hold of
 * them whatever that is is looked at all the time.
 *
 * ELECTION_SEED, ELECTION_SEQUENCES and ELECTION_TRACE are for a sequence that
 * fails: they choose the first seed and how many there are, and tell what
 * happens. */

#include <config.h>
#include "election.h"

#include "support.h"
#include "support-election.h"

enum {
    SEQUENCES = 4000,
    DISTURBANCES = 14,
    N_PARTS = 3,

    /* How long a forwarder takes from when it is one's turn until all know,
     * ms: two announcements that others wait for, one more for an answer, and
     * the flows. */
    TAKE_OVER_MS =
        MAX_IN_PLACE + 4 * MAX_DELAY + ELECTION_ANSWER_MS + ELECTION_SETTLE_MS,

    /* How often a relay may speak within a second, besides its hellos: as
     * often as it is disturbed and the others change. */
    MAX_SAID_A_SECOND = 15,
};

/* What has been seen so far. */
static struct {
    uint32_t max_hello, max_dead;

    long long int last_event;
    long long int settled; /* When all have come to terms about that. */
    long long int forwarded[N_PARTS]; /* When there last was a forwarder. */
    int guarded[N_PARTS];             /* The one that goes on, or -1. */

    long long int second; /* When the announcements were last counted. */
    uint64_t n_said[MAX_RELAYS];
    uint64_t sessions[MAX_RELAYS];

    /* Of all sequences. */
    uint64_t n_quiet, n_guarded, n_orphans, n_handed_over, n_said_most;
} seen;

/* Who is there. */

/* Returns true if relay 'i' takes part in the election of 'part'. */
static bool
is_in(size_t i, int part)
{
    const struct relay_on_segment *r = &segment.relays[i];

    return (r->runs && !r->halted && r->online && r->part == part
            && r->params.on && r->params.n_ports);
}

/* Returns true if relay 'i' is one that could forward. */
static bool
is_ready(size_t i, int part)
{
    enum relay_state state = segment.relays[i].election.self.state;

    return (is_in(i, part) && !segment.relays[i].leaves
            && (state == RELAY_STANDBY || state == RELAY_CLAIMING
                || state == RELAY_FORWARDING));
}

static bool
relays_port(size_t i, uint16_t port)
{
    const struct election_params *params = &segment.relays[i].params;

    for (size_t k = 0; k < params->n_ports; k++) {
        if (params->ports[k] == port) {
            return true;
        }
    }
    return false;
}

/* Fails the test unless one relay, and only one, forwards each port that any
 * of those that are ready relays. */
static void
look_at_ports(int part)
{
    for (size_t k = 0; k < ARRAY_SIZE(all_ports); k++) {
        size_t n_relay = 0, n_forward = 0;

        for (size_t i = 0; i < segment.n; i++) {
            const struct election *e = &segment.relays[i].election;

            if (is_ready(i, part) && relays_port(i, all_ports[k])) {
                n_relay++;
                if (election_forwards_port(e, all_ports[k])) {
                    n_forward++;
                    seen.n_orphans += !election_forwards(e);
                }
            }
        }
        expect(n_forward == (n_relay > 0),
               "port %d, which %" PRIuSIZE " relays relay, %" PRIuSIZE
               " forward",
               all_ports[k], n_relay, n_forward);
    }
}

/* Fails the test unless all in 'part' agree, since nothing has happened for
 * long, on 'forwarder', one of 'n'. */
static void
look_at_quiet(int part, size_t forwarder, size_t n, bool any_ready)
{
    expect(n <= 1, "%" PRIuSIZE " forward for part %d", n, part);
    expect(n == any_ready, "nobody forwards for part %d", part);
    if (!n) {
        return;
    }

    const struct relay_on_segment *f = &segment.relays[forwarder];

    seen.n_quiet++;
    seen.guarded[part] = forwarder;
    for (size_t i = 0; i < segment.n; i++) {
        if (i != forwarder && is_in(i, part)) {
            const struct candidate *c =
                election_forwarder(&segment.relays[i].election);

            expect(segment.relays[i].params.priority <= f->params.priority
                       || !is_ready(i, part),
                   "relay %" PRIuSIZE " forwards, although %" PRIuSIZE
                   " has a greater priority",
                   forwarder, i);
            expect(c && c->said.relay_id == f->id
                       && c->said.session == f->session,
                   "relay %" PRIuSIZE " does not know who forwards", i);
        }
    }
    look_at_ports(part);
}

/* Looks at what each of 'part' is at 'when'. */
static void
look_at_part(int part, long long int when)
{
    size_t forwarder = 0, n = 0;
    bool any_ready = false;

    for (size_t i = 0; i < segment.n; i++) {
        if (is_in(i, part) && is_forwarder(i)) {
            forwarder = i;
            n++;
        }
        any_ready |= is_ready(i, part);
        expect(!is_in(i, part)
                   || segment.relays[i].election.self.reason != REASON_REFUSED,
               "relay %" PRIuSIZE " has given up its claim", i);
    }

    if (n || !any_ready) {
        seen.forwarded[part] = when;
    }
    expect(when - MAX(seen.forwarded[part], seen.last_event)
               <= seen.max_dead + TAKE_OVER_MS,
           "nobody has forwarded for part %d since %lld", part,
           seen.forwarded[part]);
    if (seen.guarded[part] >= 0) {
        seen.n_guarded++;
        expect(is_in(seen.guarded[part], part)
                   && is_forwarder(seen.guarded[part]),
               "relay %d does not go on forwarding", seen.guarded[part]);
    }
    if (when > seen.settled && !segment.loss) {
        look_at_quiet(part, forwarder, n, any_ready);
    }
}

/* Fails the test if a relay speaks too often. */
static void
look_at_announcements(void)
{
    bool is_over = segment.now - seen.second >= 1000;

    for (size_t i = 0; i < segment.n; i++) {
        const struct relay_on_segment *r = &segment.relays[i];

        if (r->session != seen.sessions[i]) {
            seen.sessions[i] = r->session;
            seen.n_said[i] = 0;
        }
        if (r->runs) {
            uint64_t n = r->n_said - seen.n_said[i];
            uint64_t n_hellos = 1000 / r->params.hello_ms + 1;

            expect(n <= n_hellos + MAX_SAID_A_SECOND,
                   "relay %" PRIuSIZE " speaks %" PRIu64 " times a second", i,
                   n);
            expect(r->n_said <= r->n_causes + 1
                                    + ((segment.now - r->started)
                                       / r->params.hello_ms),
                   "relay %" PRIuSIZE " speaks without a cause", i);
            seen.n_said_most =
                MAX(seen.n_said_most, n > n_hellos ? n - n_hellos : 0);
        }
        if (is_over) {
            seen.n_said[i] = r->n_said;
        }
    }
    if (is_over) {
        seen.second = segment.now;
    }
}

static void
look(bool changed, long long int until)
{
    for (int part = 0; part < N_PARTS; part++) {
        look_at_part(part, until);
    }
    if (changed) {
        look_at_announcements();
    }
}

/* What happens to them. */

/* Takes in that something happens that all have come to terms about after
 * 'ms', as long as nothing is lost. */
static void
note_event(long long int ms)
{
    seen.last_event = segment.now;
    seen.settled = MAX(seen.settled, segment.now + ms + TAKE_OVER_MS);
}

/* Takes in that relay 'i' need not go on forwarding. */
static void
unguard(size_t i)
{
    for (int part = 0; part < N_PARTS; part++) {
        if (seen.guarded[part] == (int) i) {
            seen.guarded[part] = -1;
        }
    }
}

static void
unguard_all(void)
{
    for (int part = 0; part < N_PARTS; part++) {
        seen.guarded[part] = -1;
    }
}

/* Takes in that relay 'i' is there, or has another priority: one that has a
 * lower one than it need not go on. */
static void
unguard_lower(size_t i)
{
    for (int part = 0; part < N_PARTS; part++) {
        int f = seen.guarded[part];

        if (f >= 0
            && segment.relays[f].params.priority
                   < segment.relays[i].params.priority) {
            seen.guarded[part] = -1;
        }
    }
}

static void
begin(size_t i)
{
    note_event(seen.max_dead);
    unguard_lower(i);
    start(i);
}

static void
end(size_t i)
{
    unguard(i);
    note_event(seen.max_dead);
    stop(i);
}

/* Has relay 'i' leave.  If others know of it, and are ready, there is a
 * forwarder all the time. */
static void
take_leave(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];
    const int part = r->part;
    bool is_quiet = segment.now > seen.settled && !segment.loss && r->online;
    bool any_ready = false;

    for (size_t j = 0; j < segment.n; j++) {
        any_ready |= j != i && is_ready(j, part);
    }
    unguard(i);
    note_event(segment.loss ? seen.max_dead : ELECTION_GONE_MS);
    leave(i);
    if (!is_quiet || !any_ready) {
        note_event(ELECTION_LEAVE_MS + seen.max_dead);
        return;
    }
    while (r->runs) {
        size_t n = 0;

        for (size_t j = 0; j < segment.n; j++) {
            n += is_in(j, part) && is_forwarder(j);
        }
        expect(n > 0, "nobody forwards while relay %" PRIuSIZE " leaves", i);
        run_for(1);
        expect(segment.now - seen.last_event <= 1000, "it does not leave");
    }
    seen.n_handed_over++;
}

static void
change_online(size_t i, bool online)
{
    unguard(i);
    note_event(seen.max_dead);
    if (online) {
        /* It may have gone on forwarding. */
        unguard_all();
        note_event(MAX(seen.max_hello, seen.max_dead));
    }
    set_online(i, online);
}

/* Halts relay 'i' for a while.  If others believe it dead by then, it must
 * not go on as it was before, nor take anything over. */
static void
sleep_and_wake(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];
    bool was_alone = !r->election.candidates.n;
    const long long int ms = random_below(3 * r->params.dead_ms);

    if (r->election.self.state == RELAY_CLAIMING && ms > r->params.dead_ms / 2
        && (was_alone || ms < r->params.dead_ms)) {
        /* It takes it that its switch was slow, and listens for long. */
        return;
    }
    unguard(i);
    note_event(seen.max_dead);
    halt(i);
    run_for(ms);
    note_event(MAX(seen.max_hello, seen.max_dead));
    unguard_lower(i);
    if (ms < r->params.dead_ms || was_alone || r->leaves || !r->params.on) {
        unguard_all();
        go_on(i);
    } else {
        go_on(i);
        expect(!is_forwarder(i) || !r->online,
               "relay %" PRIuSIZE " goes on forwarding", i);
    }
}

/* Cuts the segment into as many as 'n_parts' pieces. */
static void
cut(unsigned int n_parts)
{
    unguard_all();
    note_event(MAX(seen.max_hello, seen.max_dead));
    for (size_t i = 0; i < segment.n; i++) {
        segment.relays[i].part = random_below(n_parts);
    }
    for (int part = 0; part < N_PARTS; part++) {
        trace(0, "parts: %d %d %d %d %d %d", segment.relays[0].part,
              segment.relays[1].part, segment.relays[2].part,
              segment.relays[3].part, segment.relays[4].part,
              segment.relays[5].part);
        break;
    }
}

/* All that knew each other still do: two forwarders that meet take no longer
 * than until one of them says hello. */
static void
heal(void)
{
    unguard_all();
    note_event(seen.max_hello);
    trace(0, "one part");
    for (size_t i = 0; i < segment.n; i++) {
        segment.relays[i].part = 0;
    }
}

static void
choose_priority(size_t i)
{
    static const uint8_t priorities[] = { 100, 100, 100, 99, 101, 1, 255 };

    segment.relays[i].params.priority =
        priorities[random_below(ARRAY_SIZE(priorities))];
}

/* Has relay 'i' relay some ports, but no longer none. */
static void
choose_ports(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];

    r->params.n_ports = 0;
    while (!r->params.n_ports) {
        for (size_t k = 0; k < ARRAY_SIZE(all_ports); k++) {
            if (happens(70)) {
                r->ports[r->params.n_ports++] = all_ports[k];
            }
        }
    }
}

/* Has relay 'i' relay other ports, or none. */
static void
change_ports(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];

    if (!r->params.n_ports) {
        note_event(seen.max_dead);
        unguard_lower(i);
        choose_ports(i);
    } else if (happens(20)) {
        unguard(i);
        note_event(seen.max_dead);
        r->params.n_ports = 0;
    } else {
        note_event(0);
        choose_ports(i);
    }
    configure(i);
}

/* Has relay 'i' take part no longer, and forward whatever there is, or take
 * part again, and go on forwarding until it hears who else does. */
static void
switch_election(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];

    r->params.on = !r->params.on;
    if (r->params.on) {
        unguard_all();
    } else {
        unguard(i);
    }
    note_event(MAX(seen.max_hello, seen.max_dead));
    configure(i);
    expect(r->params.on || !r->params.n_ports || is_forwarder(i),
           "relay %" PRIuSIZE
           " does not forward, although its election is off",
           i);
}

/* Something happens. */
static void
disturb(void)
{
    size_t i = random_below(segment.n);
    struct relay_on_segment *r = &segment.relays[i];

    switch (random_below(19)) {
    case 0:
    case 1:
        if (r->runs) {
            end(i);
        } else {
            begin(i);
        }
        break;

    case 2:
    case 3:
        if (r->runs && !r->leaves) {
            take_leave(i);
        } else if (!r->runs) {
            begin(i);
        }
        break;

    case 4:
        if (r->runs) {
            end(i);
            run_for(random_below(seen.max_dead));
            begin(i);
        }
        break;

    case 5:
    case 6:
        if (r->runs) {
            change_online(i, !r->online);
        }
        break;

    case 7: cut(2); break;
    case 8: cut(N_PARTS); break;
    case 9:
    case 10: heal(); break;

    case 11:
    case 12:
    case 13:
        choose_priority(i);
        if (r->runs) {
            note_event(0);
            unguard(i);
            unguard_lower(i);
            configure(i);
        }
        break;

    case 14:
        if (r->runs && !r->leaves) {
            change_ports(i);
        }
        break;

    case 18:
        if (r->runs && !r->leaves) {
            switch_election(i);
        }
        break;

    case 15:
    case 16:
        if (r->runs) {
            sleep_and_wake(i);
        }
        break;

    case 17:
        for (size_t j = 0; j < segment.n; j++) {
            if (!segment.relays[j].runs) {
                begin(j);
            }
        }
        break;
    }
}

/* How long nothing happens then: not long enough for anything, for some of it,
 * or for all of it. */
static void
rest(void)
{
    switch (random_below(4)) {
    case 0: run_for(random_below(50)); break;
    case 1: run_for(random_below(seen.max_dead)); break;
    default: run_for(random_below(2 * (seen.max_dead + TAKE_OVER_MS))); break;
    }
}

static void
simulate(uint32_t seed)
{
    segment_init(2 + seed % (MAX_RELAYS - 1), seed);
    memset(&seen, 0, offsetof(typeof(seen), n_quiet));
    segment.look = look;
    segment.min_delay = 0;
    segment.max_delay = random_from_to(0, MAX_DELAY);
    segment.loss = happens(30) ? random_below(11) : 0;
    segment.failures = segment.loss && happens(30) ? random_below(20) : 0;
    unguard_all();
    seen.second = segment.now;
    for (size_t i = 0; i < segment.n; i++) {
        struct relay_on_segment *r = &segment.relays[i];

        r->params.hello_ms = random_from_to(50, 200);
        r->params.dead_ms = 3 * r->params.hello_ms + random_from_to(50, 150);
        r->min_in_place = 1;
        r->max_in_place = MAX_IN_PLACE;
        choose_priority(i);
        choose_ports(i);
        seen.max_hello = MAX(seen.max_hello, r->params.hello_ms);
        seen.max_dead = MAX(seen.max_dead, r->params.dead_ms);
    }
    for (int part = 0; part < N_PARTS; part++) {
        seen.forwarded[part] = segment.now;
    }
    note_event(0);
    for (size_t i = 0; i < segment.n; i++) {
        if (happens(70)) {
            begin(i);
            run_for(random_below(100));
        }
    }

    for (int k = 0; k < DISTURBANCES; k++) {
        disturb();
        rest();
    }

    /* In the end nothing is lost any more. */
    segment.loss = segment.failures = 0;
    note_event(ELECTION_LEAVE_MS + MAX(seen.max_hello, seen.max_dead));
    run_until(seen.settled + 2 * seen.max_dead);
}

/* Returns the number in the environment variable 'name', or 'otherwise'. */
static uint32_t
number_from(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 0) : otherwise;
}

static void
test_random_segments(void **state OVS_UNUSED)
{
    const uint32_t first = number_from("ELECTION_SEED", 1);
    const uint32_t n = number_from("ELECTION_SEQUENCES", SEQUENCES);

    segment.trace = getenv("ELECTION_TRACE") != NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (uint32_t i = 0; i < n; i++) {
        simulate(first + i);
    }
    if (getenv("ELECTION_TRACE") || getenv("ELECTION_COUNTS")) {
        printf("quiet %" PRIu64 ", guarded %" PRIu64 ", orphan ports %" PRIu64
               ", handed over %" PRIu64 ", most said %" PRIu64 "\n",
               seen.n_quiet, seen.n_guarded, seen.n_orphans,
               seen.n_handed_over, seen.n_said_most);
    }
}

/* Of relays that start within an interval the one that goes before the others
 * is the first to claim, whoever is the first to start. */
static void
test_random_starts(void **state OVS_UNUSED)
{
    const uint32_t first = number_from("ELECTION_SEED", 1);
    const uint32_t n = number_from("ELECTION_SEQUENCES", SEQUENCES);

    for (uint32_t k = 0; k < n; k++) {
        long long int starts[MAX_RELAYS];
        size_t best = 0;

        segment_init(2 + (first + k) % (MAX_RELAYS - 1), first + k);
        segment.min_delay = 0;
        segment.max_delay = MAX_DELAY;
        for (size_t i = 0; i < segment.n; i++) {
            struct relay_on_segment *r = &segment.relays[i];

            starts[i] =
                segment.now + random_below(r->params.hello_ms - MAX_DELAY);
            r->min_in_place = 1;
            r->max_in_place = MAX_IN_PLACE;
            choose_priority(i);
            if (r->params.priority > segment.relays[best].params.priority) {
                best = i;
            }
        }
        const long long int end = segment.now + 1000;
        while (segment.now < end) {
            for (size_t i = 0; i < segment.n; i++) {
                if (starts[i] == segment.now) {
                    start(i);
                }
                expect(i == best || !is_forwarder(i),
                       "relay %" PRIuSIZE " forwards before %" PRIuSIZE, i,
                       best);
            }
            run_for(1);
        }
        expect(is_forwarder(best), "relay %" PRIuSIZE " does not forward",
               best);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_segments),
        cmocka_unit_test(test_random_starts),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests_name("election-network", tests, NULL, NULL);
}
