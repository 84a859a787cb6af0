/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "election.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(election);

/* The longest age that is believed, 100 years: so sums stay in bounds. */
#define MAX_AGE_MS UINT64_C(3155760000000)

/* How long announcements may be under way, give or take. */
enum { MAX_UNDER_WAY_MS = 100 };

void
election_init(struct election *e)
{
    memset(e, 0, sizeof *e);
    e->until = e->announce = e->vacant = LLONG_MAX;
    e->gap = REASON_ALONE;
    e->self.state = RELAY_OFF;
}

/* This relay's state. */

/* Returns true if it takes part in the election. */
static bool
takes_part(const struct election *e)
{
    return e->on && e->self.n_ports;
}

/* Returns true if it can be heard as who it is. */
static bool
can_speak(const struct election *e)
{
    return e->known && e->online;
}

static void
announce_now(struct election *e, long long int now)
{
    e->announce = MIN(e->announce, now);
}

/* Has what others said be answered. */
static void
answer(struct election *e, long long int now)
{
    announce_now(e, MAX(now, e->announced + ELECTION_ANSWER_MS));
}

/* Says what this relay is now. */
static void
log_state(const struct election *e)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 20);
    const char *reason = relay_reason_text(e->self.reason);

    if (e->self.state == RELAY_FORWARDING) {
        VLOG_INFO_RL(&rl, "this relay forwards for its segment: %s", reason);
    } else {
        VLOG_INFO_RL(&rl, "this relay is %s: %s",
                     relay_state_name(e->self.state), reason);
    }
}

/* Enters 'state', which ends by itself at 'until', without a word. */
static void
enter_silently(struct election *e, enum relay_state state,
               enum relay_reason reason, long long int until,
               long long int now)
{
    e->self.state = state;
    e->self.reason = reason;
    e->since = now;
    e->until = until;
    e->forwards = (state == RELAY_FORWARDING || state == RELAY_LEAVING);
    e->placed = false;
    e->left = false;
    e->vacant = LLONG_MAX;
    e->seqno++;
    announce_now(e, now);
}

static void
enter(struct election *e, enum relay_state state, enum relay_reason reason,
      long long int until, long long int now)
{
    bool same = e->self.state == state && e->self.reason == reason;

    enter_silently(e, state, reason, until, now);
    if (!same) {
        log_state(e);
    }
}

/* Listens for 'dead_times' dead times, or, where this relay cannot be heard,
 * until it can. */
static void
listen_for(struct election *e, int dead_times, enum relay_reason reason,
           long long int now)
{
    enter(e, RELAY_LISTENING, reason,
          can_speak(e) ? now + (long long int) dead_times * e->self.dead_ms
                       : LLONG_MAX,
          now);
}

/* Returns why this relay claims to forward.  'holder' is the one that does
 * now, or NULL. */
static enum relay_reason
reason_to_claim(const struct election *e, const struct candidate *holder,
                long long int now)
{
    const struct candidate *first =
        candidates_first(&e->candidates, candidate_is_eligible, now);

    if (!holder && e->gap != REASON_ALONE) {
        return e->gap;
    } else if (!first || !relay_goes_before(&e->self, &first->said)) {
        return REASON_ALONE;
    }
    return (e->self.priority > first->said.priority ? REASON_PRIORITY
                                                    : REASON_ORDER);
}

static void
claim(struct election *e, const struct candidate *holder, long long int now)
{
    enter(e, RELAY_CLAIMING, reason_to_claim(e, holder, now),
          now + e->self.dead_ms, now);
}

static void
be_gone(struct election *e, long long int now)
{
    enter(e, RELAY_GONE, REASON_STOPPED,
          e->candidates.n ? now + ELECTION_GONE_MS : LLONG_MAX, now);
    e->left = !e->candidates.n;
}

/* Takes in that 'holder' forwards, or about to, or that nobody is if that is
 * NULL. */
static void
note_holder(struct election *e, const struct candidate *holder,
            long long int now)
{
    if (holder || e->forwards) {
        e->vacant = LLONG_MAX;
        e->gap = REASON_ALONE;
    } else if (e->vacant == LLONG_MAX) {
        e->vacant = now;
    }
}

/* Claims to forward if it is this relay's turn.  Of relays that start together
 * it is not the turn of the one that was the first to have listened. */
static void
stand_by(struct election *e, const struct candidate *holder, long long int now)
{
    bool start = !holder && e->gap == REASON_ALONE;
    const struct candidate *first = candidates_first(
        &e->candidates, start ? candidate_is_contender : candidate_is_eligible,
        now);
    bool is_first = !first || relay_goes_before(&e->self, &first->said);

    if (holder ? is_first && e->self.priority > holder->said.priority
               : is_first || now - e->vacant >= e->self.dead_ms) {
        claim(e, holder, now);
    }
}

/* Gives up the claim if it is another one's turn, or it is not fulfilled.
 * Forwards if it is, but while another one does, only once the switch will
 * have begun to punt. */
static void
uphold_claim(struct election *e, long long int now)
{
    for (size_t i = 0; i < e->candidates.n; i++) {
        const struct candidate *c = &e->candidates.all[i];

        if (candidate_is_holder(c, now)
            && (c->said.state == RELAY_FORWARDING
                    ? c->said.priority >= e->self.priority
                    : relay_goes_before(&c->said, &e->self))) {
            enter(e, RELAY_STANDBY, REASON_LATER, LLONG_MAX, now);
            return;
        }
    }
    if (e->placed) {
        if (now >= e->until
            || !candidates_first(&e->candidates, candidate_is_serving, now)) {
            enter(e, RELAY_FORWARDING, e->self.reason, LLONG_MAX, now);
        }
    } else if (now < e->until) {
        return;
    } else if (!candidates_first(&e->candidates, candidate_is_eligible, now)) {
        e->until = now + e->self.dead_ms;
    } else {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl,
                     "the switch did not take the flows to forward with for "
                     "%" PRIu32 " ms: another relay's turn",
                     e->self.dead_ms);
        listen_for(e, ELECTION_HOLD_OFF, REASON_REFUSED, now);
    }
}

/* Yields if another one forwards that goes before this one. */
static void
go_on_forwarding(struct election *e, long long int now)
{
    const struct candidate *other =
        candidates_first(&e->candidates, candidate_is_forwarding, now);

    if (other && relay_goes_before(&other->said, &e->self)) {
        enter(e, RELAY_STANDBY,
              other->said.priority > e->self.priority ? REASON_LATER
                                                      : REASON_YIELDED,
              LLONG_MAX, now);
    }
}

/* Moves on as far as what is known has it. */
static void
evaluate(struct election *e, long long int now)
{
    if (!takes_part(e) || !can_speak(e)) {
        return;
    }

    bool was_listening = e->self.state == RELAY_LISTENING && now >= e->until;
    if (was_listening) {
        enter_silently(e, RELAY_STANDBY, REASON_LATER, LLONG_MAX, now);
    }

    const struct candidate *holder =
        candidates_first(&e->candidates, candidate_is_holder, now);
    note_holder(e, holder, now);
    switch (e->self.state) {
    case RELAY_STANDBY: stand_by(e, holder, now); break;

    case RELAY_CLAIMING: uphold_claim(e, now); break;

    case RELAY_FORWARDING: go_on_forwarding(e, now); break;

    case RELAY_LEAVING:
        if (candidates_first(&e->candidates, candidate_is_forwarding, now)
            || now >= e->until
            || !candidates_first(&e->candidates, candidate_is_eligible, now)) {
            be_gone(e, now);
        }
        break;

    case RELAY_OFF:
    case RELAY_LISTENING:
    case RELAY_GONE:
    case RELAY_N_STATES: break;
    }
    if (was_listening && e->self.state == RELAY_STANDBY) {
        log_state(e);
    }
}

/* What others tell. */

void
election_configure(struct election *e, const struct election_params *p,
                   long long int now)
{
    struct announcement *self = &e->self;
    const bool took_part = takes_part(e);

    ovs_assert(p->n_ports <= ANNOUNCEMENT_MAX_PORTS);
    if (e->on != p->on || self->priority != p->priority
        || self->hello_ms != p->hello_ms || self->dead_ms != p->dead_ms
        || self->n_ports != p->n_ports
        || (p->n_ports
            && memcmp(self->ports, p->ports, p->n_ports * sizeof *p->ports))) {
        e->seqno++;
        if (took_part) {
            announce_now(e, now);
        }
        if (now - e->announced < self->dead_ms) {
            e->announced = now; /* Not too late for another pace. */
        }
    }
    self->priority = p->priority;
    self->hello_ms = p->hello_ms;
    self->dead_ms = p->dead_ms;
    if (p->n_ports) {
        memcpy(self->ports, p->ports, p->n_ports * sizeof *p->ports);
    }
    self->n_ports = p->n_ports;
    e->on = p->on;

    const bool forwards = e->forwards;
    if (took_part && !takes_part(e)) {
        be_gone(e, now);
        e->candidates.n = 0;
    }
    if (!self->n_ports) {
        e->forwards = false;
    } else if (!e->on) {
        /* Those that take part are told that this one does not any more. */
        if (!e->forwards) {
            e->since = now;
            e->seqno++;
        }
        e->self.reason = REASON_OFF;
        e->forwards = true;
    } else if (!took_part && takes_part(e)) {
        if (forwards) {
            /* It goes on, and finds out who else does. */
            enter(e, RELAY_FORWARDING, REASON_ALONE, LLONG_MAX, now);
        } else {
            listen_for(e, 1, REASON_STARTED, now);
        }
    }
    evaluate(e, now);
}

/* Takes in that this relay can be heard from now on, or not any more, unless
 * that is as it 'could' be before. */
static void
change_speech(struct election *e, bool could, long long int now)
{
    const bool was_alone = !e->candidates.n;

    if (can_speak(e) == could) {
        return;
    }
    e->announced = now;
    if (!takes_part(e) || e->self.state == RELAY_GONE) {
        return;
    }
    if (could) {
        e->candidates.n = 0;
    }
    if (e->self.state == RELAY_LEAVING) {
        be_gone(e, now);
    } else if (e->self.state == RELAY_FORWARDING && was_alone) {
        announce_now(e, now);
    } else {
        listen_for(e, 1, REASON_STARTED, now);
    }
}

void
election_set_self(struct election *e, const struct announcement *self,
                  long long int now)
{
    const bool could = can_speak(e);

    if (e->self.relay_id == self->relay_id && e->self.session == self->session
        && eth_addr_equals(e->self.mac, self->mac)
        && ipv6_addr_equals(&e->self.address, &self->address)) {
        return;
    }
    e->self.relay_id = self->relay_id;
    e->self.session = self->session;
    e->self.mac = self->mac;
    e->self.address = self->address;
    e->known =
        (self->relay_id && self->session && !eth_addr_is_zero(self->mac));
    e->seqno++;
    change_speech(e, could, now);
    if (takes_part(e)) {
        announce_now(e, now);
        evaluate(e, now);
    }
}

void
election_set_online(struct election *e, bool online, long long int now)
{
    const bool could = can_speak(e);

    if (e->online != online) {
        e->online = online;
        e->seqno++;
        change_speech(e, could, now);
    }
}

/* Takes in that 'c' is not there any more, because of 'gap'. */
static void
lose_candidate(struct election *e, struct candidate *c, enum relay_reason gap)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 10);

    if (c->said.state >= RELAY_CLAIMING) {
        e->gap = gap;
    }
    VLOG_INFO_RL(
        &rl, "relay %016" PRIx64 " is not on the segment any more: %s",
        c->said.relay_id, gap == REASON_LEFT ? "it left" : "it fell silent");
    candidates_remove(&e->candidates, c);
    e->seqno++;
}

/* Takes in that 'a' comes from somebody with this relay's own id. */
static void
hear_double(const struct announcement *a)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

    VLOG_WARN_RL(&rl,
                 "the relay with the MAC " ETH_ADDR_FMT
                 " on the segment has this relay's id %016" PRIx64
                 "; give one of them another mesh.relay_id",
                 ETH_ADDR_ARGS(a->mac), a->relay_id);
}

/* Takes in whether 'c' claims longer than it may. */
static void
note_overdue(struct election *e, struct candidate *c, long long int now)
{
    bool overdue = candidate_is_overdue(c, now);

    e->seqno += overdue != c->overdue;
    c->overdue = overdue;
}

/* Returns true if an answer may be another one with 'b' instead of 'a'. */
static bool
says_more(const struct announcement *a, const struct announcement *b)
{
    return (a->state != b->state || a->priority != b->priority
            || a->session != b->session || !eth_addr_equals(a->mac, b->mac)
            || a->n_ports != b->n_ports
            || memcmp(a->ports, b->ports, a->n_ports * sizeof *a->ports));
}

void
election_take(struct election *e, const struct announcement *a,
              long long int now)
{
    if (!takes_part(e) || e->self.state == RELAY_GONE || !can_speak(e)
        || (a->relay_id == e->self.relay_id
            && a->session == e->self.session)) {
        return;
    }
    if (a->relay_id == e->self.relay_id) {
        hear_double(a);
    }
    if (a->state == RELAY_GONE) {
        struct candidate *c = candidates_find(&e->candidates, a->relay_id);

        if (c && c->said.session == a->session) {
            lose_candidate(e, c, REASON_LEFT);
            evaluate(e, now);
        }
        return;
    }

    struct candidate *c = candidates_get(&e->candidates, a);
    if (!c) {
        return;
    }
    if (c->said.session != a->session) {
        answer(e, now); /* It has just come, and is to know of this one. */
    }
    if ((c->said.state == RELAY_FORWARDING || c->said.state == RELAY_CLAIMING)
        && (a->state <= RELAY_STANDBY || a->state == RELAY_LEAVING)) {
        e->gap = REASON_LEFT;
    }
    if (says_more(&c->said, a)) {
        e->seqno++;
    }

    /* How long an announcement was under way makes no difference. */
    long long int since = now - (long long int) MIN(a->age_ms, MAX_AGE_MS);
    if (c->said.state != a->state || c->said.session != a->session
        || llabs(since - c->since) > MAX_UNDER_WAY_MS) {
        c->since = since;
    }
    c->said = *a;
    c->heard = now;
    note_overdue(e, c, now);
    evaluate(e, now);
    if (e->self.state == RELAY_FORWARDING && candidate_is_holder(c, now)
        && !relay_goes_before(&c->said, &e->self)) {
        answer(e, now); /* It has not heard of this one. */
    }
}

void
election_in_place(struct election *e, long long int now)
{
    if (e->self.state == RELAY_CLAIMING && !e->placed) {
        e->placed = true;
        e->until = now + MIN(ELECTION_SETTLE_MS, e->self.dead_ms / 3);
        evaluate(e, now);
    }
}

void
election_leave(struct election *e, long long int now)
{
    if (!takes_part(e) || !can_speak(e)) {
        e->self.state = RELAY_GONE;
        e->forwards = false;
        e->left = true;
        e->until = e->announce = LLONG_MAX;
        e->seqno++;
    } else if (e->forwards
               && candidates_first(&e->candidates, candidate_is_eligible,
                                   now)) {
        enter(e, RELAY_LEAVING, REASON_STOPPED, now + ELECTION_LEAVE_MS, now);
    } else {
        be_gone(e, now);
    }
}

bool
election_has_left(const struct election *e)
{
    return e->left;
}

void
election_wake(struct election *e, long long int now)
{
    if (takes_part(e) && can_speak(e)
        && (e->self.state == RELAY_FORWARDING
            || e->self.state == RELAY_CLAIMING)
        && e->candidates.n && now - e->announced >= e->self.dead_ms) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(
            &rl,
            "this relay could not announce itself for %lld ms: it takes "
            "it that another one forwards",
            now - e->announced);
        listen_for(e, 1, REASON_STARTED, now);
    }
}

/* Has one that is gone for want of ports, and has said so, be off. */
static void
stay_off(struct election *e)
{
    if (e->left && !e->self.n_ports && e->self.state != RELAY_OFF
        && e->announce == LLONG_MAX) {
        e->self.state = RELAY_OFF;
        e->self.reason = REASON_NONE;
        e->seqno++;
    }
}

void
election_run(struct election *e, long long int now)
{
    if (e->self.state == RELAY_GONE && now >= e->until) {
        e->left = true;
        e->until = e->announce = LLONG_MAX;
    }
    stay_off(e);
    for (size_t i = e->candidates.n; i-- > 0;) {
        if (now >= candidate_deadline(&e->candidates.all[i])) {
            lose_candidate(e, &e->candidates.all[i], REASON_SILENT);
        }
    }
    for (size_t i = 0; i < e->candidates.n; i++) {
        note_overdue(e, &e->candidates.all[i], now);
    }
    evaluate(e, now);
}

long long int
election_deadline(const struct election *e, long long int now)
{
    long long int deadline = e->until;

    if (can_speak(e)) {
        deadline = MIN(deadline, e->announce);
    }
    for (size_t i = 0; i < e->candidates.n; i++) {
        const struct candidate *c = &e->candidates.all[i];

        deadline = MIN(deadline, candidate_deadline(c));
        if (c->said.state == RELAY_CLAIMING && !candidate_is_overdue(c, now)) {
            deadline = MIN(deadline, c->since + c->said.dead_ms);
        } else if (candidate_is_almost_ready(c, now)) {
            deadline =
                MIN(deadline, c->since + c->said.dead_ms + c->said.hello_ms);
        }
    }
    if (e->vacant != LLONG_MAX && e->self.state == RELAY_STANDBY) {
        deadline = MIN(deadline, e->vacant + e->self.dead_ms);
    }
    return deadline;
}

/* Announcing. */

bool
election_wants_to_announce(const struct election *e, long long int now)
{
    return can_speak(e) && now >= e->announce;
}

void
election_announce(const struct election *e, long long int now,
                  struct announcement *a)
{
    *a = e->self;
    a->age_ms = now - e->since;
}

void
election_announced(struct election *e, bool sent, long long int now)
{
    if (sent) {
        e->announced = now;
    }
    if (e->left) {
        e->announce = LLONG_MAX;
        stay_off(e);
    } else if (!sent) {
        e->announce = now + ELECTION_ANSWER_MS;
    } else if (e->self.state == RELAY_GONE) {
        e->announce = now + ELECTION_GONE_MS / 2; /* It says so twice. */
    } else {
        e->announce = now + e->self.hello_ms;
    }
}

/* Answers. */

enum relay_state
election_state(const struct election *e)
{
    if (!e->on) {
        return e->forwards ? RELAY_FORWARDING : RELAY_OFF;
    }
    return e->self.state;
}

bool
election_forwards(const struct election *e)
{
    return e->forwards;
}

/* Returns true if one that is in 'state' steps in where the forwarder does not
 * relay a port.  One that claims goes on with it until it forwards. */
static bool
may_step_in(enum relay_state state)
{
    return state == RELAY_STANDBY || state == RELAY_CLAIMING;
}

/* Returns true if this relay, which does not forward, forwards 'port', since
 * the forwarder does not. */
static bool
steps_in(const struct election *e, uint16_t port)
{
    const struct candidate *forwarder = election_forwarder(e);

    if (!may_step_in(e->self.state) || !forwarder
        || candidate_relays(forwarder, port)) {
        return false;
    }
    for (size_t i = 0; i < e->candidates.n; i++) {
        const struct candidate *c = &e->candidates.all[i];

        if (may_step_in(c->said.state) && candidate_relays(c, port)
            && relay_goes_before(&c->said, &e->self)) {
            return false;
        }
    }
    return true;
}

bool
election_forwards_port(const struct election *e, uint16_t port)
{
    return e->forwards || steps_in(e, port);
}

bool
election_punts_port(const struct election *e, uint16_t port)
{
    return (e->self.state == RELAY_CLAIMING
            || election_forwards_port(e, port));
}

bool
election_is_decided(const struct election *e)
{
    return !takes_part(e) || e->self.state > RELAY_LISTENING;
}

const struct candidate *
election_forwarder(const struct election *e)
{
    /* One that leaves forwards until the one that claims to does. */
    static const int nearness[RELAY_N_STATES] = {
        [RELAY_CLAIMING] = 1,
        [RELAY_LEAVING] = 2,
        [RELAY_FORWARDING] = 3,
    };
    const struct candidate *best = NULL;

    if (e->forwards) {
        return NULL;
    }
    for (size_t i = 0; i < e->candidates.n; i++) {
        const struct candidate *c = &e->candidates.all[i];

        if (nearness[c->said.state] && !c->overdue
            && (!best
                || (nearness[c->said.state] != nearness[best->said.state]
                        ? nearness[c->said.state] > nearness[best->said.state]
                        : relay_goes_before(&c->said, &best->said)))) {
            best = c;
        }
    }
    return best;
}
