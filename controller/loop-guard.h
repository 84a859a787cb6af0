/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_LOOP_GUARD_H
#define SNOWRELAY_LOOP_GUARD_H 1

/* Loop guard: has this broadcast come this way before?
 *
 * The loop filter keeps what relays emit from being punted again, as far as
 * their MACs are known.  What comes back through a relay that nobody told of
 * is found here: for LOOP_GUARD_MS a digest is remembered of each frame that
 * was relayed, with its source MAC, and of each that was emitted.
 *
 *    punted:         emitted before, or relayed from another MAC -> a copy
 *    from the mesh:  relayed before                              -> a copy
 *
 * The same sender may say the same again.  And what was relayed with an IP
 * destination that no host of the segment understood may be emitted once, with
 * another one.  The digest is of the IP source, the
 * UDP ports and the payload, which no relay changes.  Senders without an
 * address cannot be told apart by it, so what they send is no copy ever.
 *
 * A copy is to be dropped, so that no loop goes round twice.  If copies of
 * what was emitted go on coming back from a MAC that is not known for a
 * relay's, or copies of anything at a great rate, the port is to be punted no
 * more for a while: LOOP_GUARD_MIN_PAUSE_MS, and twice as long each time that
 * it happens again within LOOP_GUARD_CALM_MS.
 *
 * What goes round by the same MAC each time looks like somebody who says the
 * same again and again, but for its IP source, which is of another network.
 * One of these is to be dropped after LOOP_GUARD_MIN_LAPS, another one after
 * twice as many more, and so on up to LOOP_GUARD_MAX_LAPS; where not more than
 * LOOP_GUARD_LAPS_PER_S come, after LOOP_GUARD_MAX_LAPS only.  That ends what
 * goes round; what somebody says loses next to nothing.
 *
 * The memory is bounded: of digests that share a place the oldest is
 * forgotten.
 *
 * Pure: no I/O, no clock.  All times are in ms, as of time_msec(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct frame;
struct loop_guard;

enum {
    /* How long a frame is remembered. */
    LOOP_GUARD_MS = 2000,

    /* Copies that pause a port: as many of what was emitted, each no later
     * than LOOP_GUARD_ECHO_MS after it was and LOOP_GUARD_MS after the one
     * before, over as long as two relays may take to find each other, see
     * loop_guard_configure()... */
    LOOP_GUARD_MIN_COPIES = 4,
    LOOP_GUARD_ECHO_MS = 100,

    /* ...or as many of anything in a second. */
    LOOP_GUARD_MAX_COPIES = 1000,

    /* How often a frame that comes without a number may be emitted within
     * LOOP_GUARD_MS.  Nodes of SnowSignal on two segments may send one round
     * between them where no relay ever punts it. */
    LOOP_GUARD_MAX_EMISSIONS = 8,

    /* How soon a frame comes again if that is to be a lap, how many of these
     * are many on a port, and as above. */
    LOOP_GUARD_LAP_MS = 250,
    LOOP_GUARD_LAPS_PER_S = 16,
    LOOP_GUARD_MIN_LAPS = 128,
    LOOP_GUARD_MAX_LAPS = 1024,

    /* Looks at one among some before all are punted. */
    LOOP_GUARD_LOOKS = 32,

    LOOP_GUARD_MIN_PAUSE_MS = 1000,
    LOOP_GUARD_MAX_PAUSE_MS = 64000,
    LOOP_GUARD_CALM_MS = 60000
};

/* What is known of a port. */
struct loop_port {
    uint16_t port;
    uint64_t n_copies; /* Ever. */

    /* From MACs that are not known. */
    long long int last;    /* When the last copy came. */
    unsigned int n_echoes; /* Of what had just been emitted, in a row. */
    long long int first;   /* When the first of these came. */
    unsigned int n_recent; /* In the second... */
    long long int second;  /* ...that began then. */
    struct eth_addr mac;   /* Its source. */
    unsigned int n_laps;   /* Of broadcasts of other networks, in the... */
    long long int lapping; /* ...second that began then. */
    bool paused;           /* Is it not to be punted? */
    long long int until;   /* When it is to be again, or was. */
    unsigned int pause;    /* Length of the last pause, 0 if there was none. */
    unsigned int n_pauses;
};

/* What a frame that was punted is. */
enum loop_verdict {
    LOOP_NEW,  /* Nothing that is known to have come before. */
    LOOP_COPY, /* To be dropped. */
    LOOP_LAP   /* Perhaps one that goes round by the same MAC each time. */
};

struct loop_guard *loop_guard_create(void);
void loop_guard_destroy(struct loop_guard *);

/* Makes the 'n_ports' in 'ports' those that are watched.  What is known of one
 * that stays, stays.  Relays that have just come to share a segment may take
 * 'patience' ms to know each other's MACs. */
void loop_guard_configure(struct loop_guard *, const uint16_t *ports,
                          size_t n_ports, int patience);

/* Makes the 'n' MACs at 'macs', which must stay until the next call, those
 * that are known for relays'. */
void loop_guard_set_macs(struct loop_guard *, const struct eth_addr *macs,
                         size_t n);

/* Takes in 'frame', which was punted, returns what it is, and remembers it
 * unless it is a copy.  It is 'understood' if the segment's hosts take its IP
 * destination for one that means them, and 'local' if they may have its IP
 * source.  One that is LOOP_LAP is to be dropped, too. */
enum loop_verdict
loop_guard_punt(struct loop_guard *, const struct frame *frame,
                bool understood, bool local, long long int now);

/* The same of 'frame', one of some that are looked at while the switch carries
 * all of them.  LOOP_LAP says, once of each, that all should be punted. */
enum loop_verdict
loop_guard_look(struct loop_guard *, const struct frame *frame,
                bool understood, bool local, long long int now);

/* Takes in 'frame', which is to be emitted, and is 'numbered' if it came in a
 * format with numbers.  Returns true if it is a copy, and otherwise remembers
 * it. */
bool loop_guard_emit(struct loop_guard *, const struct frame *frame,
                     bool numbered, long long int now);

/* Returns true if 'port' is not to be punted. */
bool loop_guard_is_paused(const struct loop_guard *, uint16_t port);

/* Takes in that time goes by. */
void loop_guard_run(struct loop_guard *, long long int now);

/* Returns when to call loop_guard_run(), LLONG_MAX for never. */
long long int loop_guard_deadline(const struct loop_guard *);

/* Returns a number that changes when a pause begins or ends. */
unsigned int loop_guard_seqno(const struct loop_guard *);

/* For those who look on: returns the ports and stores their number in '*n'. */
const struct loop_port *loop_guard_ports(const struct loop_guard *, size_t *n);

#endif /* loop-guard.h */
