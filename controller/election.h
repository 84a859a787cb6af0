/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_ELECTION_H
#define SNOWRELAY_ELECTION_H 1

/* clang-format off */
/* Election: which of the relays of a segment forwards for it.
 *
 * That one is the designated forwarder, in the way and by the name of RFC 7432,
 * section 8.5, and RFC 8584: it alone punts the segment's broadcasts and emits
 * what the mesh brings.  The others stand by.
 *
 *                   dead time over      none forwards, and none
 *          LISTENING ----------> STANDBY that goes before this one
 *              ^                  ^   |
 *              |                  |   v
 *    claim not |                  +- CLAIMING
 *    fulfilled +------------------|---+ |
 *                                 |     | flows in place
 *              another forwards,  |     v
 *              that goes before   +- FORWARDING ----> LEAVING ----> GONE
 *              this one                        told to     another
 *                                                          forwards
 *
 * Of two relays the one with the greater priority goes before the other; of two
 * with the same, the one with the lower relay id, and then session.  Who
 * forwards goes on forwarding until it is silent for its dead time, leaves, or
 * one of a greater priority stands by; so a relay that returns takes nothing
 * over from one like itself.  Where two forward, since neither could hear the
 * other, the one that goes before the other remains.
 *
 * Every change is announced at once.  Who takes over forwards from the moment
 * that it says so, and who is taken over from goes on until it hears that.  So
 * as long as one does, who takes over waits for ELECTION_SETTLE_MS.
 *
 * A forwarder that could not announce itself for its dead time takes it that it
 * has been replaced.  One that nobody else was there with goes on when its
 * switch returns.  One whose claim its switch does not fulfil listens again, for
 * ELECTION_HOLD_OFF dead times.
 *
 * A port that the forwarder does not relay is forwarded by the relay that goes
 * before the others of those that stand by and relay it.
 *
 * Pure: no I/O, no clock.  All times are in ms, as of time_msec(). */
/* clang-format on */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "announcement.h"
#include "candidates.h"

enum {
    /* Between announcements of which nothing but others' is the cause. */
    ELECTION_ANSWER_MS = 20,

    /* How long one that leaves waits for another one to forward, and how long
     * it stays after that, until the others know that it is gone. */
    ELECTION_LEAVE_MS = 800,
    ELECTION_GONE_MS = 200,

    /* How long it may take until a switch does what its flows say.  Open
     * vSwitch confirms them before its datapath, which remembers what it did
     * with the last frame of the kind, has heard of them. */
    ELECTION_SETTLE_MS = 200,

    ELECTION_HOLD_OFF = 10
};

/* How this relay takes part. */
struct election_params {
    bool on;          /* Else it forwards whatever there is. */
    uint8_t priority; /* Not 0. */
    uint32_t hello_ms;
    uint32_t dead_ms;
    const uint16_t *ports; /* Broadcast ports; none to take no part. */
    size_t n_ports;
};

struct election {
    /* This relay, as it is announced. */
    struct announcement self;
    bool on;
    bool known;  /* Its id and session. */
    bool online; /* Can it hear and be heard? */

    long long int since;   /* Of its state. */
    bool forwards;         /* See election_forwards(). */
    bool placed;           /* Does the switch have what its claim needs? */
    bool left;             /* See election_has_left(). */
    long long int until;   /* When its state ends by itself, or LLONG_MAX. */
    long long int vacant;  /* Since nobody forwards or claims to. */
    enum relay_reason gap; /* Why that is so. */

    long long int announced; /* When it last was. */
    long long int announce;  /* When it is to be, or LLONG_MAX. */

    struct candidates candidates; /* The others. */

    unsigned int seqno; /* Grows whenever an answer may be another one. */
};

void election_init(struct election *);

/* Set how this relay takes part, and who it is.  Of 'self' the relay id, the
 * session, the MAC and the address count; as long as the first three are not
 * known it says nothing, and waits. */
void
election_configure(struct election *, const struct election_params *params,
                   long long int now);
void election_set_self(struct election *, const struct announcement *self,
                       long long int now);

/* Takes in that the segment can be heard and spoken to, or not any more. */
void election_set_online(struct election *, bool online, long long int now);

/* Takes in an announcement that came. */
void election_take(struct election *, const struct announcement *,
                   long long int now);

/* Takes in that the switch has the flows of a forwarder. */
void election_in_place(struct election *, long long int now);

/* Begins to leave. */
void election_leave(struct election *, long long int now);

/* Returns true when that is done. */
bool election_has_left(const struct election *);

/* To be called before frames are carried: what has piled up while this relay
 * was halted is another one's by now. */
void election_wake(struct election *, long long int now);

/* Takes in that time goes by. */
void election_run(struct election *, long long int now);

/* Returns when to call election_run(), or to announce, LLONG_MAX for never. */
long long int election_deadline(const struct election *, long long int now);

/* Returns true if this relay is to be announced now, by what
 * election_announce() stores in '*announcement'.  election_announced() takes
 * in whether that was sent. */
bool election_wants_to_announce(const struct election *, long long int now);
void election_announce(const struct election *, long long int now,
                       struct announcement *announcement);
void election_announced(struct election *, bool sent, long long int now);

/* Returns what this relay is to its segment. */
enum relay_state election_state(const struct election *);

/* Returns true if this relay forwards. */
bool election_forwards(const struct election *);

/* Return true if it forwards broadcasts of 'port', which it relays, and if its
 * switch should punt them. */
bool election_forwards_port(const struct election *, uint16_t port);
bool election_punts_port(const struct election *, uint16_t port);

/* Returns true unless it is still to be found out who forwards. */
bool election_is_decided(const struct election *);

/* Returns the relay that forwards, or is about to, if it is another one, else
 * NULL. */
const struct candidate *election_forwarder(const struct election *);

#endif /* election.h */
