/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CANDIDATES_H
#define SNOWRELAY_CANDIDATES_H 1

/* Candidates: the other relays of the segment, as they announce themselves.
 *
 * Pure: no I/O, no clock.  All times are in ms, as of time_msec(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "announcement.h"

/* More relays of one segment are not listened to. */
enum { CANDIDATES_MAX = 64 };

struct candidate {
    struct announcement said; /* Its last announcement. */
    long long int heard;      /* When that came. */
    long long int since;      /* When it got into its state. */
    bool overdue; /* Has it claimed longer than it may, as of the last look? */
};

struct candidates {
    struct candidate all[CANDIDATES_MAX]; /* In no order. */
    size_t n;
};

/* Returns true if the relay that 'a' announces goes before the one that 'b'
 * does: see election.h. */
bool
relay_goes_before(const struct announcement *a, const struct announcement *b);

/* Return the candidate with the relay id 'id', NULL if there is none; the one
 * for 'announcement', which is made if there is none, and zeroed then, NULL if
 * there is no room. */
struct candidate *candidates_find(struct candidates *, uint64_t id);
struct candidate *
candidates_get(struct candidates *, const struct announcement *announcement);

/* Forgets 'candidate'.  Another one takes its place. */
void candidates_remove(struct candidates *, struct candidate *candidate);

/* What is asked of a candidate. */
typedef bool candidate_is(const struct candidate *, long long int now);
candidate_is candidate_is_forwarding;
candidate_is candidate_is_serving;      /* Does so still, also if it leaves. */
candidate_is candidate_is_overdue;      /* Claims longer than it may. */
candidate_is candidate_is_holder;       /* Forwards, or is about to. */
candidate_is candidate_is_eligible;     /* Could, if nobody else did. */
candidate_is candidate_is_almost_ready; /* Could then, within its interval. */
candidate_is candidate_is_contender;    /* One of the last two. */

/* Returns that one of the candidates of which 'is' is true that goes before
 * the others, NULL if there is none. */
const struct candidate *candidates_first(const struct candidates *,
                                         candidate_is *is, long long int now);

/* Returns when 'candidate' has been silent for its dead time. */
long long int candidate_deadline(const struct candidate *candidate);

/* Returns true if 'candidate' relays 'port'. */
bool candidate_relays(const struct candidate *candidate, uint16_t port);

#endif /* candidates.h */
