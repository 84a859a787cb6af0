/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_INSPECT_H
#define SNOWRELAY_INSPECT_H 1

/* Inspection: which process variables are searched for in the frames that are
 * relayed.
 *
 * It looks at frames that were sent to peers or put into the queue to the
 * switch, and at the copies of what the switch carries itself; at each once.
 * Searches in them (search.h) are counted (searches.h).  Frames are not
 * changed.
 *
 * It endangers nothing: at most SEARCH_MAX_ASKS names of a datagram are looked
 * at, and INSPECT_RATE names and datagrams a second, as long on average; with
 * what is more nothing is done but to count it as skipped.
 *
 * Pure: no I/O, no clock. */

#include <stdint.h>

#include "search.h"

struct inspect;
struct searches;
struct tap_event;

/* Whose searches are looked into; bits. */
enum {
    INSPECT_PVA = 1 << SEARCH_PVA, /* EPICS PVAccess. */
    INSPECT_CA = 1 << SEARCH_CA    /* EPICS Channel Access. */
};

enum { INSPECT_RATE = 20000 };

struct inspect_counts {
    uint64_t datagrams; /* With searches. */
    uint64_t skipped;   /* Frames not looked at, or not to their end. */
    uint64_t malformed; /* Datagrams with searches that are not right. */
};

/* Returns an inspection of the searches of 'protocols', INSPECT_* bits, which
 * the caller frees with inspect_destroy(). */
struct inspect *inspect_create(unsigned int protocols);
void inspect_destroy(struct inspect *);

/* Makes it one of 'protocols'.  What is known of those that stay, stays. */
void inspect_configure(struct inspect *, unsigned int protocols);

/* Takes in 'event', which happened at 'now', in ms as of time_msec(). */
void inspect_take(struct inspect *, const struct tap_event *event,
                  long long int now);

/* For those who look on. */
unsigned int inspect_protocols(const struct inspect *);
const struct inspect_counts *inspect_counts(const struct inspect *);
const struct searches *inspect_searches(const struct inspect *);

/* Returns "pva" or "ca", as the configuration calls them. */
const char *inspect_protocol_name(enum search_protocol);

#endif /* inspect.h */
