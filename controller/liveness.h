/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_LIVENESS_H
#define SNOWRELAY_LIVENESS_H 1

/* clang-format off */
/* Liveness: is the relay at the other end there, and how far away is it?
 *
 * One for each peer.  It is told what comes from the peer and when, and says
 * when the next hello is due and what state the peer is in:
 *
 *             no answer in LIVENESS_PROBE_MS
 *     PROBING ------------------------------> SILENT
 *        |                                       | SnowSignal's format
 *        | hello                                 v
 *        |                                   SNOWSIGNAL
 *        v                                       ^
 *        UP ----> SUSPECT ----> DOWN ------------+
 *           a hello       three
 *           missed,       missed,
 *           or deaf       or a bye
 *
 * A hello leads to UP from everywhere, unless it shows once more that its
 * sender does not hear us.  A frame in SnowSignal's format leads to SNOWSIGNAL
 * from where no hellos come.  Who never answered may be a node of SnowSignal,
 * which cannot, so hellos to it become rare; it ignores them.
 *
 * A hello counts as missed a quarter of an interval after it was due.  Frames
 * in our own format are signs of life as good as hellos.
 *
 * Pure: no I/O, no clock.  All times are in ms, as of time_msec(), unless they
 * say us. */
/* clang-format on */

#include <stdbool.h>
#include <stdint.h>

enum {
    /* How long a new peer may take for its first answer before it gets frames
     * in the format that everybody understands. */
    LIVENESS_PROBE_MS = 200,

    /* Between hellos to who does not answer, at the end. */
    LIVENESS_MAX_PROBE_INTERVAL_MS = 30000,

    /* Hellos missed by one who is down, and hellos in a row, after the first,
     * of one who does not hear us. */
    LIVENESS_MAX_MISSED = 3
};

enum liveness_state {
    LIVENESS_PROBING,    /* Just asked for the first time. */
    LIVENESS_SILENT,     /* Never answered. */
    LIVENESS_SNOWSIGNAL, /* Speaks SnowSignal's format, so it cannot answer. */
    LIVENESS_UP,
    LIVENESS_SUSPECT,
    LIVENESS_DOWN
};

struct liveness {
    enum liveness_state state;
    const char *reason;       /* Why it is in that state. */
    long long int since;      /* Of the state. */
    long long int heard;      /* The last sign of life of one that answers. */
    uint32_t interval;        /* Between its hellos, as it says. */
    unsigned int unheard;     /* Its hellos in a row that echo none of ours. */
    long long int asked;      /* The first hello to it, -1 for none yet. */
    unsigned int n_asked;     /* Hellos to it since its last sign of life. */
    long long int next_hello; /* When the next hello to it is due. */

    /* Round-trip times, us; 0 while not known. */
    uint32_t rtt;          /* The last one. */
    uint32_t smoothed_rtt; /* As in RFC 6298. */
};

/* Begins with a peer of which nothing is known. */
void liveness_init(struct liveness *, long long int now);

/* Notes that a hello was sent to it, by a relay that sends one every
 * 'interval' ms. */
void liveness_asked(struct liveness *, uint32_t interval, long long int now);

/* Take in a sign of life, and return true if the state changed by that: a
 * hello, which names the sender's 'interval' and says whether it 'hears_us'; a
 * frame in our own format; a frame in SnowSignal's; a farewell. */
bool liveness_hello(struct liveness *, uint32_t interval, bool hears_us,
                    long long int now);
void liveness_frame(struct liveness *, long long int now);
bool liveness_snowsignal(struct liveness *, long long int now);
bool liveness_bye(struct liveness *, long long int now);

/* Takes in a round-trip time in us. */
void liveness_rtt(struct liveness *, uint32_t rtt);

/* Takes in that time goes by.  Returns true if the state changed by that. */
bool liveness_run(struct liveness *, long long int now);

/* Returns when to call liveness_run() again, LLONG_MAX for never. */
long long int liveness_deadline(const struct liveness *);

/* Returns true if its hellos or frames come, or came until now. */
bool liveness_is_heard(const struct liveness *);

/* A word for 'state', such as "up". */
const char *liveness_state_name(enum liveness_state state);

#endif /* liveness.h */
