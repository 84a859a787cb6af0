/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SEARCHES_H
#define SNOWRELAY_SEARCHES_H 1

/* Searches: which names have been searched for, by whom, and which of them
 * again and again.
 *
 * A client is an IP address and a UDP source port: the client libraries of
 * both protocols search through one socket each, so two programs on a host are
 * two clients.  (The ids in the searches tell less: those of PVAccess begin
 * with the same number in each client.)
 *
 * A client that searches for a name that it has searched for before repeats
 * itself, unless it is so long ago that it must have begun anew.  What comes
 * within SEARCHES_COPY_MS to another IP destination is no search at all, but a
 * copy: clients send each search to all of their broadcast addresses at once.
 * So is what comes from the mesh if within SEARCHES_OTHER_WAY_MS it came from
 * the segment, or the other way round: what a relay carries to itself comes by
 * twice.
 *
 * Clients repeat a search until a server answers.  The answer is unicast and
 * not to be seen here, but that they stop is:
 *
 *     A name is unanswered if it is searched for again and again: if in the
 *     present row of repeats there were SEARCHES_MIN_REPEATS or more, over
 *     SEARCHES_MIN_MS or longer, and the next is not overdue.
 *
 * Repeats within SEARCHES_ANSWER_MS of when the client began do not count for
 * that, since so long an answer may take.  The next repeat is overdue after
 * two and a half times the interval in which the client has repeated itself,
 * SEARCHES_PACE_MS as long as it has not, and SEARCHES_PATIENCE_MS: libca
 * doubles its interval each time, up to five minutes; pvxs adds a second each
 * time, up to 30.  A row ends when the next repeat is overdue for each client.
 *
 * Memory is bounded to SEARCHES_MAX names: 2.3 MB with names of usual
 * length, 4.3 MB with the longest.  The hash of a name says which
 * SEARCHES_WAYS places it may have.  If all are taken, forgotten is
 *
 *     - the one that has been silent longest, of those without any row;
 *     - otherwise, the one that has been silent longest, of those whose row
 *       has ended;
 *     - otherwise, the one repeated least in the present row.
 *
 * So no number of names that are searched for once pushes out one that is
 * repeated, and those that are repeated push out the one with least weight,
 * which is what keeps the heavy ones in place in the algorithm Space-Saving
 * (A. Metwally, D. Agrawal, A. El Abbadi: Efficient Computation of Frequent
 * and Top-k Elements in Data Streams, ICDT 2005).  Other than there the new
 * name does not inherit the count of the old: what is counted here for a name
 * was searched for.  Names that share places are not easily chosen, as the
 * hash begins with a random number.
 *
 * Pure: no I/O, no clock.  All times are in ms, as of time_msec(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"
#include "search.h"

struct searches;

enum {
    SEARCHES_WAYS = 16,
    SEARCHES_MAX = 256 * SEARCHES_WAYS,
    SEARCHES_MAX_CLIENTS = 8, /* Remembered of each name. */

    SEARCHES_COPY_MS = 20, /* libca repeats itself after 32. */
    SEARCHES_OTHER_WAY_MS = 2000,
    SEARCHES_ANSWER_MS = 250,
    SEARCHES_MIN_REPEATS = 5,
    SEARCHES_MIN_MS = 10000,
    SEARCHES_PACE_MS = 300000, /* Longest interval of libca. */
    SEARCHES_PATIENCE_MS = 10000,

    SEARCHES_RATE_MS = 60000 /* Over which rates are averaged. */
};

/* Who searches, and which way the search came. */
struct asker {
    ovs_be32 address;
    uint16_t port;        /* UDP source port. */
    bool local;           /* From the segment, not from the mesh? */
    ovs_be32 destination; /* IP destination. */
};

/* What is known of a client that searched for a name. */
struct search_client {
    struct asker asker;  /* The way is that of the last search. */
    uint64_t count;      /* So many, and those of clients of this address that
                          * are not remembered any more. */
    long long int begun; /* When the present row began, and... */
    long long int last;  /* ...when it was repeated last. */
    long long int pace;  /* At what interval, 0 before the first repeat. */
};

/* What is known of a name. */
struct search {
    enum search_protocol protocol;
    uint64_t count;            /* Searches for it. */
    uint64_t repeated;         /* So many of them were repeats. */
    long long int first, last; /* When the first came, and the last. */
    double weight;             /* Of the searches, at the time of the last. */

    /* The present row of repeats, or the last one. */
    uint64_t row;        /* So many repeats that count, 0 for no row yet. */
    long long int begun; /* When the first of them came... */
    long long int ended; /* ...and the last. */
    long long int until; /* After that the next is overdue. */

    struct search_client clients[SEARCHES_MAX_CLIENTS];
    size_t n_clients;
    uint64_t others; /* Searches of clients not remembered any more. */

    size_t length; /* Of the name, which may have any bytes but 0. */
    uint8_t name[];
};

/* What has been counted, ever since, by protocol. */
struct searches_totals {
    uint64_t n[SEARCH_N_PROTOCOLS];        /* Searches for a name. */
    uint64_t repeated[SEARCH_N_PROTOCOLS]; /* So many of them were repeats. */
    uint64_t forgotten;                    /* Names. */
    size_t n_names;                        /* Now remembered. */
};

struct searches *searches_create(void);
void searches_destroy(struct searches *);

/* Takes in that 'asker' searched for the name in 'ask', at 'now'. */
void
searches_take(struct searches *, enum search_protocol, const struct ask *ask,
              const struct asker *asker, long long int now);

/* Forgets all names of 'protocol', which are not counted as forgotten. */
void searches_clear(struct searches *, enum search_protocol protocol);

const struct searches_totals *searches_totals(const struct searches *);

/* Stores in 'top', which has room for 'max', what comes first in this order:
 * what is unanswered, then what was repeated most, then what was searched for
 * most.  Returns how many there are.  They stay until the next change. */
size_t searches_top(const struct searches *, long long int now,
                    const struct search **top, size_t max);

/* Returns how many names are unanswered. */
size_t searches_unanswered(const struct searches *, long long int now);

/* Returns true if the name of 's' is unanswered. */
bool search_is_unanswered(const struct search *s, long long int now);

/* Returns the searches for the name of 's' a second, averaged over
 * SEARCHES_RATE_MS, or since the first if that is later, newer ones with
 * greater weight. */
double search_rate(const struct search *s, long long int now);

#endif /* searches.h */
