/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SUPPORT_ELECTION_H
#define SNOWRELAY_SUPPORT_ELECTION_H 1

/* Support: relays of one Ethernet segment, as the daemon drives them, on a
 * clock and a network that are made up.
 *
 * Nobody is called but when a frame comes, when its switch has its flows, and
 * when election_deadline() says so: a deadline that is missing or late shows
 * as a failure.  As Ethernet does, the network keeps what goes from one relay
 * to another in order.
 *
 * Include it after <config.h>, election.h and support.h. */

#include <inttypes.h>
#include <limits.h>

#include "announcement.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

enum { MAX_RELAYS = 6, MAX_FLIGHTS = 4096, MAX_DELAY = 30, MAX_IN_PLACE = 60 };

/* The broadcast ports that there are. */
static const uint16_t all_ports[] = { 5064, 5065, 5076 };

/* What an election answers. */
struct answers {
    enum relay_state state;
    bool forwards;
    bool decided;
    bool forwards_port[ARRAY_SIZE(all_ports)];
    bool punts_port[ARRAY_SIZE(all_ports)];
    uint64_t forwarder; /* 0 for none. */
    uint64_t session;   /* Of that one. */
};

struct relay_on_segment {
    struct election election;
    bool runs;
    bool leaves;
    bool halted; /* What comes for it piles up. */
    bool online;
    int part; /* Of the segment: those of another part are not heard. */

    uint64_t id;
    uint64_t session;
    struct election_params params;
    uint16_t ports[ARRAY_SIZE(all_ports)];

    /* What it claims, and when its switch has the flows for it. */
    long long int claimed;
    long long int in_place;
    unsigned int min_in_place, max_in_place; /* How long that takes. */

    long long int deadline; /* As the election said last. */

    uint64_t n_said;       /* Its announcements, */
    uint64_t n_causes;     /* what may have caused them but the time, */
    long long int started; /* and since when they are counted. */
};

/* An announcement on its way. */
struct flight {
    size_t from, to;
    uint64_t session; /* Of whom it goes to. */
    long long int arrival;
    uint8_t bytes[ANNOUNCEMENT_MAX_LEN];
    size_t length;
};

struct segment {
    long long int now;
    uint32_t seed;
    uint32_t first_seed; /* To begin again with. */
    bool trace;

    struct relay_on_segment relays[MAX_RELAYS];
    size_t n;
    uint64_t n_sessions;

    unsigned int loss;                 /* Of what is sent, in percent. */
    unsigned int failures;             /* To send, in percent. */
    unsigned int min_delay, max_delay; /* ms. */
    long long int last[MAX_RELAYS][MAX_RELAYS];
    struct flight flights[MAX_FLIGHTS];
    size_t n_flights;

    /* Called whenever anything may have changed, and with false before the
     * clock goes on to 'until'. */
    void (*look)(bool changed, long long int until);
};

static struct segment segment;

static inline unsigned int
random_below(unsigned int n)
{
    return next_random(&segment.seed) % n;
}

static inline unsigned int
random_from_to(unsigned int low, unsigned int high)
{
    return low + random_below(high - low + 1);
}

static inline bool
happens(unsigned int percent)
{
    return random_below(100) < percent;
}

static inline const char *
state_of(size_t i)
{
    return relay_state_name(segment.relays[i].election.self.state);
}

static inline void
expect(bool ok, const char *format, ...) OVS_PRINTF_FORMAT(2, 3);
static inline void
trace(size_t i, const char *format, ...) OVS_PRINTF_FORMAT(2, 3);

/* Fails the test unless 'ok'.  Says how to have it happen again. */
static inline void
expect(bool ok, const char *format, ...)
{
    if (ok) {
        return;
    }

    char message[256];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    for (size_t i = 0; i < segment.n; i++) {
        const struct relay_on_segment *r = &segment.relays[i];

        print_error("relay %" PRIuSIZE ": part %d, %s%s, priority %d, "
                    "%" PRIuSIZE " candidates, hello %" PRIu32
                    " ms, dead %" PRIu32 " ms\n",
                    i, r->part, !r->runs ? "ended, " : "", state_of(i),
                    r->params.priority, r->election.candidates.n,
                    r->params.hello_ms, r->params.dead_ms);
    }
    fail_msg("at %lld ms: %s (ELECTION_SEED=%" PRIu32 " ELECTION_SEQUENCES=1"
             " ELECTION_TRACE=1)",
             segment.now, message, segment.first_seed);
}

static inline void
trace(size_t i, const char *format, ...)
{
    if (segment.trace) {
        va_list args;

        printf("%8lld  %*s%" PRIuSIZE ": ", segment.now, (int) i * 8, "", i);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        putchar('\n');
    }
}

/* Returns true if 'a' and 'b' hear each other. */
static inline bool
are_connected(size_t a, size_t b)
{
    const struct relay_on_segment *ra = &segment.relays[a];
    const struct relay_on_segment *rb = &segment.relays[b];

    return (ra->runs && rb->runs && ra->online && rb->online
            && ra->part == rb->part);
}

static inline struct answers
answers_of(const struct election *e)
{
    const struct candidate *forwarder = election_forwarder(e);
    struct answers a;

    memset(&a, 0, sizeof a);
    a.state = election_state(e);
    a.forwards = election_forwards(e);
    a.decided = election_is_decided(e);
    for (size_t i = 0; i < ARRAY_SIZE(all_ports); i++) {
        a.forwards_port[i] = election_forwards_port(e, all_ports[i]);
        a.punts_port[i] = election_punts_port(e, all_ports[i]);
    }
    if (forwarder) {
        a.forwarder = forwarder->said.relay_id;
        a.session = forwarder->said.session;
    }
    return a;
}

/* Whoever asks again only when the number grows must not miss anything. */
static inline void
assert_answers_have_a_number(const struct election *e,
                             const struct answers *before, unsigned int seqno)
{
    const struct answers after = answers_of(e);

    expect(e->seqno != seqno || !memcmp(before, &after, sizeof after),
           "another answer, but the same seqno");
}

/* Sends what relay 'i' says to all others. */
static inline void
say(size_t i, const struct announcement *said)
{
    struct relay_on_segment *r = &segment.relays[i];

    trace(i, "%s (%s), since %" PRIu64 " ms", relay_state_name(said->state),
          relay_reason_text(said->reason), said->age_ms);
    r->n_said++;
    for (size_t j = 0; j < segment.n; j++) {
        if (j == i || !are_connected(i, j) || happens(segment.loss)) {
            continue;
        }

        struct flight *f = &segment.flights[segment.n_flights++];
        expect(segment.n_flights < MAX_FLIGHTS, "too much is said");
        f->from = i;
        f->to = j;
        f->session = segment.relays[j].session;
        f->arrival =
            segment.now + random_from_to(segment.min_delay, segment.max_delay);
        f->arrival = MAX(f->arrival, segment.last[i][j]);
        segment.last[i][j] = f->arrival;
        f->length = announcement_encode(said, f->bytes);
    }
}

/* Has 'r' be run for nothing some time before its deadline: nothing may come
 * of it, or that deadline is too late. */
static inline void
run_for_nothing(const struct relay_on_segment *r)
{
    static struct election copy;
    const struct election *e = &r->election;
    long long int wait =
        (r->deadline == LLONG_MAX ? 100000 : r->deadline - segment.now);

    copy = *e;
    election_run(&copy, segment.now + random_below(wait));
    expect(copy.self.state == e->self.state && copy.since == e->since
               && copy.seqno == e->seqno && copy.forwards == e->forwards
               && copy.left == e->left && copy.announce == e->announce
               && copy.candidates.n == e->candidates.n
               && election_deadline(&copy, segment.now) == r->deadline,
           "not called in time");
}

/* Hands relay 'i' the announcement in 'f'. */
static inline void
take(size_t i, const struct flight *f)
{
    struct relay_on_segment *r = &segment.relays[i];
    struct election *e = &r->election;
    uint8_t *frame = copy_exactly(f->bytes, f->length);
    const struct answers before = answers_of(e);
    const unsigned int seqno = e->seqno;
    const enum relay_state state = e->self.state;
    struct announcement a;
    bool known = false;

    expect(announcement_decode(frame, f->length, &a) == ANNOUNCEMENT_OK,
           "what a relay says is no announcement");
    free(frame);
    for (size_t k = 0; k < e->candidates.n; k++) {
        known |= (e->candidates.all[k].said.relay_id == a.relay_id
                  && e->candidates.all[k].said.session == a.session);
    }
    election_take(e, &a, segment.now);
    assert_answers_have_a_number(e, &before, seqno);
    r->n_causes +=
        (!known + (e->self.state != state)
         + (e->self.state == RELAY_FORWARDING
            && (a.state == RELAY_FORWARDING || a.state == RELAY_CLAIMING)));
}

/* Hands relay 'i' what has come for it. */
static inline void
take_all(size_t i)
{
    const struct relay_on_segment *r = &segment.relays[i];
    size_t n = 0;

    for (size_t k = 0; k < segment.n_flights; k++) {
        const struct flight *f = &segment.flights[k];

        if (f->to != i || f->arrival > segment.now) {
            segment.flights[n++] = *f;
        } else if (are_connected(f->from, i) && r->session == f->session) {
            take(i, f);
        }
    }
    segment.n_flights = n;
}

/* Has relay 'i' announce itself, if it wants to. */
static inline void
announce(size_t i)
{
    struct election *e = &segment.relays[i].election;
    const struct answers before = answers_of(e);
    const unsigned int seqno = e->seqno;

    if (election_wants_to_announce(e, segment.now)) {
        const bool sent = !happens(segment.failures);
        struct announcement said;

        if (sent) {
            election_announce(e, segment.now, &said);
            say(i, &said);
        }
        election_announced(e, sent, segment.now);
        expect(!election_wants_to_announce(e, segment.now),
               "wants to announce what it has just announced");
    }
    assert_answers_have_a_number(e, &before, seqno);
}

/* Arranges for the flows for what relay 'i' claims. */
static inline void
find_flows(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];

    if (r->election.self.state != RELAY_CLAIMING) {
        r->in_place = LLONG_MAX;
        r->claimed = -1;
    } else if (r->claimed != r->election.since) {
        r->claimed = r->election.since;
        r->in_place =
            segment.now + random_from_to(r->min_in_place, r->max_in_place);
    }
}

/* Has relay 'i' do all that is due, in the order of the daemon: what has come
 * is taken, then time goes by, then the switch is looked at. */
static inline void
iterate_once(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];
    struct election *e = &r->election;
    const enum relay_state state = e->self.state;

    election_wake(e, segment.now);
    r->n_causes += e->self.state != state;
    take_all(i);

    const struct answers before = answers_of(e);
    const unsigned int seqno = e->seqno;
    const enum relay_state taken = e->self.state;

    election_run(e, segment.now);
    r->n_causes += e->self.state != taken;
    assert_answers_have_a_number(e, &before, seqno);
    announce(i);
    find_flows(i);
    if (segment.now >= r->in_place) {
        const struct answers claimed = answers_of(e);
        const unsigned int claim_seqno = e->seqno;

        r->in_place = LLONG_MAX;
        r->n_causes++;
        election_in_place(e, segment.now);
        assert_answers_have_a_number(e, &claimed, claim_seqno);
    }
    r->deadline = election_deadline(e, segment.now);
}

/* Iterations of the main loop of relay 'i', until it sleeps. */
static inline void
iterate(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];
    int n = 0;

    do {
        iterate_once(i);
        expect(n++ < 3,
               "the deadline of relay %" PRIuSIZE " is over: it does "
               "not sleep",
               i);
    } while (r->deadline <= segment.now);
    if (r->leaves && election_has_left(&r->election)) {
        trace(i, "ends");
        r->runs = false;
    } else if (happens(10)) {
        run_for_nothing(r);
    }
    segment.look(true, segment.now);
}

/* Returns when relay 'i' is to be called next. */
static inline long long int
next_call(size_t i)
{
    const struct relay_on_segment *r = &segment.relays[i];
    long long int next = MIN(r->deadline, r->in_place);

    if (!r->runs || r->halted) {
        return LLONG_MAX;
    }
    for (size_t k = 0; k < segment.n_flights; k++) {
        if (segment.flights[k].to == i) {
            next = MIN(next, segment.flights[k].arrival);
        }
    }
    return next;
}

/* Returns when anything is to happen next. */
static inline long long int
next_time(void)
{
    long long int next = LLONG_MAX;

    for (size_t i = 0; i < segment.n; i++) {
        next = MIN(next, next_call(i));
    }
    return next;
}

/* Lets happen what is due now. */
static inline void
happen_now(void)
{
    for (size_t i = 0; i < segment.n; i++) {
        if (next_call(i) <= segment.now) {
            iterate(i);
        }
    }
}

/* Has time go by until 'end', with all that is due then. */
static inline void
run_until(long long int end)
{
    long long int next;

    while ((next = next_time()) <= end) {
        if (next > segment.now) {
            segment.look(false, next);
            segment.now = next;
        }
        happen_now();
    }
    segment.look(false, end);
    segment.now = end;
}

static inline void
run_for(long long int ms)
{
    run_until(segment.now + ms);
}

/* Tells relay 'i' what its configuration says now. */
static inline void
configure(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];
    const struct answers before = answers_of(&r->election);
    const unsigned int seqno = r->election.seqno;

    r->n_causes += 2;
    election_configure(&r->election, &r->params, segment.now);
    assert_answers_have_a_number(&r->election, &before, seqno);
    iterate(i);
}

/* Starts relay 'i', with a session of its own. */
static inline void
start(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];
    struct announcement self = {
        .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 00),
        .relay_id = r->id,
        .session = r->session = ++segment.n_sessions,
    };

    self.mac.ea[5] = i + 1;
    trace(i, "starts");
    r->runs = r->online = true;
    r->leaves = r->halted = false;
    r->claimed = -1;
    r->in_place = LLONG_MAX;
    r->n_said = 0;
    r->n_causes = 3;
    r->started = segment.now;
    election_init(&r->election);
    election_configure(&r->election, &r->params, segment.now);
    election_set_self(&r->election, &self, segment.now);
    election_set_online(&r->election, true, segment.now);
    iterate(i);
}

/* Ends it without a word. */
static inline void
stop(size_t i)
{
    trace(i, "is killed");
    segment.relays[i].runs = false;
    segment.look(true, segment.now);
}

/* Has it halt, and go on. */
static inline void
halt(size_t i)
{
    trace(i, "is halted");
    segment.relays[i].halted = true;
    segment.look(true, segment.now);
}

static inline void
go_on(size_t i)
{
    trace(i, "goes on");
    segment.relays[i].halted = false;
    iterate(i);
}

/* Has it leave. */
static inline void
leave(size_t i)
{
    struct relay_on_segment *r = &segment.relays[i];

    trace(i, "is told to leave");
    r->leaves = true;
    r->n_causes += 2 + ELECTION_GONE_MS / (ELECTION_GONE_MS / 2);
    election_leave(&r->election, segment.now);
    iterate(i);
}

static inline void
set_online(size_t i, bool online)
{
    struct relay_on_segment *r = &segment.relays[i];

    if (r->online != online) {
        const struct answers before = answers_of(&r->election);
        const unsigned int seqno = r->election.seqno;

        trace(i, online ? "finds its switch" : "loses its switch");
        r->online = online;
        r->n_causes += 2;
        election_set_online(&r->election, online, segment.now);
        assert_answers_have_a_number(&r->election, &before, seqno);
        iterate(i);
    }
}

static inline bool
is_forwarder(size_t i)
{
    return (segment.relays[i].runs && !segment.relays[i].halted
            && election_forwards(&segment.relays[i].election));
}

static inline void
look_away(bool changed OVS_UNUSED, long long int until OVS_UNUSED)
{
}

/* Makes a segment for 'n' relays, none of which runs yet. */
static inline void
segment_init(size_t n, uint32_t seed)
{
    bool traces = segment.trace;

    memset(&segment, 0, offsetof(struct segment, flights));
    segment.n_flights = 0;
    segment.trace = traces;
    segment.now = 1000000;
    segment.n = n;
    segment.first_seed = seed;
    segment.seed = MAX(seed * UINT32_C(2654435761), 1);
    next_random(&segment.seed);
    segment.min_delay = segment.max_delay = 1;
    segment.look = look_away;
    for (size_t i = 0; i < n; i++) {
        struct relay_on_segment *r = &segment.relays[i];

        r->id = 0x100 + i;
        memcpy(r->ports, all_ports, sizeof all_ports);
        r->params = (struct election_params){
            .on = true,
            .priority = 100,
            .hello_ms = 100,
            .dead_ms = 350,
            .ports = r->ports,
            .n_ports = ARRAY_SIZE(all_ports),
        };
        r->min_in_place = r->max_in_place = 10;
        election_init(&r->election);
    }
}

#endif /* support-election.h */
