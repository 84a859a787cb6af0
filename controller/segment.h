/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SEGMENT_H
#define SNOWRELAY_SEGMENT_H 1

/* Segment: this relay among those of its Ethernet segment.
 *
 *    switch --channel--> punt --> announcement --> election
 *    election --> announcement --channel--> switch
 *
 * Says who else is there and whether this relay forwards (election.h), and
 * keeps the MACs that the others write into what they emit.
 *
 * Pure: no I/O; the caller brings frames, sends them, and has the clock, in
 * ms, as of time_msec(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "election.h"

struct config;

/* So many MACs of relays that are not there any more are remembered. */
enum { SEGMENT_MAX_GONE = 16 };

struct segment {
    struct election election;

    /* The relays of the segment that announce themselves, as of
     * segment_news(). */
    uint64_t ids[CANDIDATES_MAX];
    struct eth_addr macs[CANDIDATES_MAX];
    size_t n;
    struct eth_addr gone_macs[SEGMENT_MAX_GONE]; /* The last to go, in no
                                                  * order; some may be 0. */
    size_t next_gone;                            /* Where the next one goes. */
    unsigned int seqno;                          /* Of the election then. */
};

void segment_init(struct segment *);

/* Takes in 'config'. */
void segment_configure(struct segment *, const struct config *config,
                       long long int now);

/* Takes in an announcement, the 'length' bytes at 'frame', that was punted. */
void segment_take(struct segment *, const uint8_t *frame, size_t length,
                  long long int now);

/* If this relay is to be announced now, writes the frame to send to 'frame',
 * of ANNOUNCEMENT_MAX_LEN bytes, and returns its length, else 0.
 * election_announced() is to follow. */
size_t segment_announcement(const struct segment *, uint8_t *frame,
                            long long int now);

/* Takes in what the election has come to.  Returns true if that may be
 * something else than at the last call.  Then stores in 'gone' the ids of the
 * relays that are not on the segment any more, and their number in '*n_gone'.
 */
bool
segment_news(struct segment *, uint64_t gone[CANDIDATES_MAX], size_t *n_gone);

/* Returns true if announcements are to be punted. */
bool segment_listens(const struct segment *);

#endif /* segment.h */
