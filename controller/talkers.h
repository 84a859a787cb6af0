/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TALKERS_H
#define SNOWRELAY_TALKERS_H 1

/* Talkers: who broadcasts most.
 *
 * Counts the frames of each source, an IP address, or a MAC where there is
 * none, apart by where they come from: this segment, or a peer.  The memory is
 * bounded: a source that is not among the TALKERS_MAX known takes the place of
 * the one with the fewest frames, and goes on from its count, of which is kept
 * how much may be too much.  So whoever has sent more than one in TALKERS_MAX
 * of all frames is among them for sure, however many others there are, and
 * has sent no more than what is said ("Space-Saving", with the
 * "Stream-Summary" that makes each step take the same time; A. Metwally, D.
 * Agrawal, A. El Abbadi: Efficient Computation of Frequent and Top-k Elements
 * in Data Streams, ICDT 2005).
 *
 *    groups, by count:     1 ------- 4 ------- 5      the fewest first
 *                          |         |         |
 *    talkers:              a         b         c
 *                          d
 *
 * A drop for which nobody knows the peer any more, since the frame has waited
 * for the switch, is that of the source that was heard last.
 *
 * Nothing is allocated for a frame, and a step does not take longer for more
 * sources, but for those that share a place in the hash table.
 *
 * Pure: no I/O, no clock.  All times are in ms, as of time_msec(). */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct tap_event;

enum {
    TALKERS_MAX = 256,

    /* Rates are of about so long. */
    TALKERS_RATE_MS = 5000,

    TALKERS_N_BUCKETS = 512 /* Of the hash table: a power of 2. */
};

/* Who it is. */
struct talker_key {
    ovs_be32 ip;          /* 0 if its frames have no IPv4 header. */
    struct eth_addr mac;  /* All 0 unless 'ip' is. */
    uint16_t from_mesh;   /* 1 if it is behind a peer, 0 if local. */
    struct in6_addr from; /* That peer's address, "::" if not known. */
};

struct talker {
    struct talker_key key;
    struct eth_addr mac; /* Of its last frame. */
    uint16_t port;       /* UDP destination port of that, 0 if not known. */
    uint64_t n;          /* Frames, as many at most... */
    uint64_t n_over;     /* ...of which so many may be those of others. */
    uint64_t n_bytes;    /* Of those that are its own for sure. */
    uint64_t n_dropped;  /* The same. */
    int reason;          /* Of its last drop, an enum drop_reason. */
    bool switched;       /* Was its last frame carried by the switch? */
    long long int last;  /* When that came. */

    /* Its frames in the span of TALKERS_RATE_MS that began at 'span', and in
     * the one before. */
    long long int span;
    uint32_t n_span, n_before;

    /* Its places in the hash table and in its group: indexes, -1 for none. */
    int16_t hash_next;
    int16_t group, next, prev;
};

/* The talkers with the same number of frames. */
struct talker_group {
    uint64_t n;
    int16_t first;      /* One of them. */
    int16_t next, prev; /* The groups with the next greater and smaller 'n'. */
};

struct talkers {
    struct talker all[TALKERS_MAX];
    size_t n;
    struct talker_group groups[TALKERS_MAX + 1];
    int16_t free_groups; /* Linked by 'next'. */
    int16_t fewest;      /* The first group, -1 for none. */
    int16_t buckets[TALKERS_N_BUCKETS];
    uint32_t basis; /* Of the hash: nobody can choose whom to meet. */

    uint64_t n_frames;   /* That were counted, of anybody. */
    uint64_t n_switched; /* Those of them that were copies of what the switch
                          * carried. */
    long long int since; /* Wall clock, ms. */
};

/* Makes 't' one that knows nobody.  'basis' is any number, 'since' the wall
 * clock's time. */
void talkers_init(struct talkers *t, uint32_t basis, long long int since);

/* Takes in 'event', which happened at 'now'. */
void talkers_take(struct talkers *, const struct tap_event *event,
                  long long int now);

/* Returns the frames a second of 'talker' over the last TALKERS_RATE_MS or
 * somewhat more. */
double talker_rate(const struct talker *talker, long long int now);

/* Stores in 'top' those 'n' who send the most frames a second now, and of
 * those alike in that, have sent the most, the first first.  Returns how many
 * there are. */
size_t talkers_top(const struct talkers *, const struct talker **top, size_t n,
                   long long int now);

#endif /* talkers.h */
