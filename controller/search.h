/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SEARCH_H
#define SNOWRELAY_SEARCH_H 1

/* Searches, as EPICS clients broadcast them: who has the process variable of
 * this name?
 *
 * One datagram asks for many names.  Of the two protocols pva-search.h and
 * ca-search.h read what is asked for; they have this in common.  They
 * recognise their own by its content, whatever port it is sent to: a site may
 * have chosen its ports itself (EPICS_PVA_BROADCAST_PORT,
 * EPICS_CA_SERVER_PORT).
 *
 * Pure: no I/O, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum search_protocol { SEARCH_PVA, SEARCH_CA, SEARCH_N_PROTOCOLS };

enum {
    /* The longest name: clients and servers of both protocols refuse longer
     * ones. */
    SEARCH_MAX_NAME = 500,

    /* So many names of a datagram are read.  There is room for some 90 of
     * usual length in one of 1,500 bytes. */
    SEARCH_MAX_ASKS = 256
};

/* What a payload was found to be. */
enum search_verdict {
    SEARCH_NONE,     /* Another protocol's, or it asks for nothing. */
    SEARCH_ASKS,     /* It asks for the names, if any. */
    SEARCH_MALFORMED /* It begins so, but does not go on so.  It asks for the
                      * names that come before that. */
};

/* A name in somebody else's memory: from 1 to SEARCH_MAX_NAME bytes, any but
 * 0. */
struct ask {
    const uint8_t *name;
    size_t length;
};

struct asks {
    struct ask of[SEARCH_MAX_ASKS];
    size_t n;
    bool more; /* Were there more? */
};

#endif /* search.h */
