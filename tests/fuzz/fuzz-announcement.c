/* SPDX-License-Identifier: Apache-2.0 */

/* Announcements, as they come from the segment, and what becomes of an
 * election by what they say.
 *
 * An input begins with how this relay takes part: its priority and a byte for
 * the rest.  What happens to it follows, see 'enum event', each with what it
 * needs.  The clock is made up: a relay is called when something comes, and
 * when election_deadline() says so. */

#include <config.h>
#include "fuzz.h"

#include <limits.h>

#include "announcement.h"
#include "election.h"
#include "packets.h"

enum event {
    COMES,      /* Time, a length and so many bytes of a frame. */
    SAYS,       /* Time, who, its state and its priority. */
    TIME,       /* Time. */
    HALTS,      /* The same, without being called. */
    IN_PLACE,   /* Nothing. */
    ONLINE,     /* Is it? */
    CONFIGURES, /* How it takes part. */
    BECOMES,    /* Another relay. */
    LEAVES,     /* Nothing. */
    N_EVENTS
};

/* Of the byte that says how this relay takes part. */
enum { OFF = 1 << 0, N_PORTS = 3 << 1, SLOW = 1 << 3 };

/* How often a relay that sleeps may have to be called until it does. */
enum { MAX_CALLS = 3 };

static const uint16_t ports[] = { 5076, 5064, 5065 };

static struct election e;
static long long int now;

/* What an election answers. */
struct answers {
    enum relay_state state;
    bool forwards, decided;
    bool forwards_port[ARRAY_SIZE(ports)], punts_port[ARRAY_SIZE(ports)];
    uint64_t forwarder, session;
};

static struct answers
ask(void)
{
    const struct candidate *forwarder = election_forwarder(&e);
    struct answers a;

    memset(&a, 0, sizeof a);
    a.state = election_state(&e);
    a.forwards = election_forwards(&e);
    a.decided = election_is_decided(&e);
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        a.forwards_port[i] = election_forwards_port(&e, ports[i]);
        a.punts_port[i] = election_punts_port(&e, ports[i]);
    }
    if (forwarder) {
        a.forwarder = forwarder->said.relay_id;
        a.session = forwarder->said.session;
    }
    return a;
}

/* Answers as of the last time that the number of the answers was another. */
static struct answers answers;
static unsigned int seqno;

static void
check_election(void)
{
    const struct candidates *cs = &e.candidates;
    const struct answers a = ask();

    CHECK(cs->n <= CANDIDATES_MAX);
    for (size_t i = 0; i < cs->n; i++) {
        const struct announcement *said = &cs->all[i].said;

        CHECK(said->state > RELAY_OFF && said->state < RELAY_GONE);
        for (size_t j = 0; j < i; j++) {
            CHECK(cs->all[j].said.relay_id != said->relay_id);
        }
    }
    CHECK(a.state < RELAY_N_STATES);
    CHECK(!a.forwarder || cs->n);

    /* Whoever asks again only when the number grows misses nothing. */
    CHECK(e.seqno != seqno || !memcmp(&a, &answers, sizeof a));
    answers = a;
    seqno = e.seqno;
}

/* What is read is written so that the same is read again, and has what the
 * frame had. */
static void
check_announcement(const struct announcement *a, const uint8_t *frame)
{
    uint8_t *said = malloc(ANNOUNCEMENT_MAX_LEN);
    uint8_t *said_again = malloc(ANNOUNCEMENT_MAX_LEN);
    struct announcement again;

    CHECK(a->hello_ms >= ANNOUNCEMENT_MIN_HELLO_MS
          && a->hello_ms <= ANNOUNCEMENT_MAX_HELLO_MS);
    CHECK(a->dead_ms >= ANNOUNCEMENT_MIN_DEAD_MS
          && a->dead_ms <= ANNOUNCEMENT_MAX_DEAD_MS);
    CHECK(a->n_ports <= ANNOUNCEMENT_MAX_PORTS);
    CHECK(relay_state_name(a->state)[0] && relay_reason_text(a->reason)[0]);

    const size_t n = announcement_encode(a, said);
    CHECK(n == ANNOUNCEMENT_MIN_LEN + 2 * a->n_ports);
    CHECK(announcement_decode(said, n, &again) == ANNOUNCEMENT_OK);
    CHECK(announcement_encode(&again, said_again) == n);
    CHECK(!memcmp(said, said_again, n));
    if (frame) {
        CHECK(!memcmp(a, &again, sizeof again));
        CHECK(!memcmp(said, frame, 20)); /* Up to the state. */
        CHECK(!memcmp(said + 21, frame + 21, 38 - 21));
        CHECK(!memcmp(said + 46, frame + 46, 70 - 46));
        CHECK(!memcmp(said + 74, frame + 74, n - 74));
    }
    free(said_again);
    free(said);
}

/* Has this relay do what is due, until it sleeps. */
static void
call(void)
{
    for (int i = 0; i == 0 || election_deadline(&e, now) <= now; i++) {
        CHECK(i < MAX_CALLS);
        election_run(&e, now);
        check_election();
        if (election_wants_to_announce(&e, now)) {
            struct announcement said;

            election_announce(&e, now, &said);
            if (said.state != RELAY_OFF) {
                check_announcement(&said, NULL);
            }
            election_announced(&e, true, now);
            check_election();
            CHECK(!election_wants_to_announce(&e, now));
        }
    }
}

/* Has time go by, until it is 'end'. */
static void
pass(long long int end)
{
    long long int next;

    while ((next = election_deadline(&e, now)) <= end) {
        CHECK(next > now);
        now = next;
        call();
    }
    now = end;
}

static void
take(const struct announcement *a)
{
    election_wake(&e, now);
    check_election();
    election_take(&e, a, now);
}

/* Takes what comes next for a frame. */
static void
take_frame(struct input *in)
{
    size_t length;
    const uint8_t *bytes = take_bytes(in, take8(in), &length);
    uint8_t *frame = copy_exactly(bytes, length);
    struct announcement a;

    if (announcement_decode(frame, length, &a) == ANNOUNCEMENT_OK) {
        check_announcement(&a, frame);
        take(&a);
    }
    free(frame);
}

/* Takes what comes next for what a relay says, one of 256. */
static void
take_said(struct input *in)
{
    const uint8_t who = take8(in);
    const uint8_t state = take8(in);
    const uint8_t priority = take8(in);
    struct announcement a = {
        .mac = ETH_ADDR_C(02, 00, 00, 00, 01, 00),
        .state = 1 + state % (RELAY_N_STATES - 1),
        .reason = state / 8 % REASON_N,
        .priority = MAX(priority, 1),
        .relay_id = 1 + who,
        .session = 1 + state / 128,
        .hello_ms = 200,
        .dead_ms = 700,
        .ports = { 5076, 5064, 5065 },
        .n_ports = who % 4,
    };

    a.mac.ea[5] = who;
    take(&a);
}

static void
configure(struct input *in)
{
    const uint8_t priority = take8(in);
    const uint8_t how = take8(in);
    const struct election_params params = {
        .on = !(how & OFF),
        .priority = MAX(priority, 1),
        .hello_ms = how & SLOW ? 10000 : 200,
        .dead_ms = how & SLOW ? 60000 : 700,
        .ports = ports,
        .n_ports = ARRAY_SIZE(ports) - (how & N_PORTS) / 2,
    };

    election_configure(&e, &params, now);
}

static void
become(uint8_t who)
{
    struct announcement self = {
        .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 01),
        .relay_id = who,
        .session = 1000,
    };

    election_set_self(&e, &self, now);
}

static void
happen(struct input *in)
{
    const enum event event = take8(in) % N_EVENTS;

    if (event <= HALTS) {
        const long long int end = now + take8(in) * 10;

        if (event == HALTS) {
            now = end;
        } else {
            pass(end);
        }
    }
    switch (event) {
    case COMES: take_frame(in); break;
    case SAYS: take_said(in); break;
    case TIME: break;
    case HALTS: election_wake(&e, now); break;
    case IN_PLACE: election_in_place(&e, now); break;
    case ONLINE: election_set_online(&e, take8(in) & 1, now); break;
    case CONFIGURES: configure(in); break;
    case BECOMES: become(take8(in)); break;
    case LEAVES: election_leave(&e, now); break;
    case N_EVENTS: break;
    }
    check_election();
    call();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input in = { bytes, length };

    fuzz_begin();
    now = 1000000;
    election_init(&e);
    answers = ask();
    seqno = e.seqno;
    configure(&in);
    become(1);
    election_set_online(&e, true, now);
    check_election();
    call();
    while (in.left) {
        happen(&in);
    }
    pass(now + 2000);
    return 0;
}
