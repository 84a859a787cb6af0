/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_STREAMS_H
#define SNOWRELAY_STREAMS_H 1

/* Streams: the sealed datagrams of other relays, and which of them are new.
 *
 * A datagram that was sealed with the mesh's key was made by a relay of the
 * mesh, but who sends it now may be somebody who recorded it.  So a stream is
 * accepted only when a hello in it shows that its sender has just heard from
 * us, which the caller judges (peering-hear.c):
 *
 *    hello of an unknown stream --check--> caller --proves itself--> accepted
 *                                             | does not
 *                                             v
 *                                     answered, forgotten
 *
 *    anything else of an unknown stream: refused, unchecked
 *    anything of an accepted stream --replay window--> --check--> caller
 *
 * So who has no key costs one check for each datagram and no memory, and what
 * was recorded is refused, whether it comes in its own session (by the window)
 * or in one that has ended (it proves nothing).  What was held back on its way
 * and never came is refused when it is some seconds late.
 *
 * Pure: no I/O, no clock. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/hmap.h"
#include "seal.h"

struct stream_state;
struct wire;

enum {
    /* More are not kept; those from which nothing comes go first. */
    STREAMS_MAX = 8192,

    /* How long one from which nothing comes is remembered. */
    STREAMS_MAX_IDLE_MS = 300000,

    /* How long one is remembered in any case: longer than what a hello echoes
     * proves anything. */
    STREAMS_MIN_IDLE_MS = 15000,

    /* How late a datagram may come, at least, after others of its stream that
     * were sealed later.  One that comes twice as late is refused. */
    STREAMS_MAX_LATE_MS = 5000
};

struct streams {
    struct seal_keys keys;
    struct hmap by_id; /* Of "struct stream_state". */
};

void streams_init(struct streams *);
void streams_destroy(struct streams *);

/* Makes 'keys', which are copied, the ones to open with.  Streams go on if
 * they are sealed with one of them. */
void streams_set_keys(struct streams *, const struct seal_keys *keys);

/* Opens the datagram in 'w', of kind WIRE_SEALED, in its place, and makes 'w'
 * what was in it.  Then w->stream is the stream if that is accepted, or else
 * NULL and w->kind is WIRE_HELLO.  Returns FRAME_OK, or the reason why it is
 * to be dropped. */
int streams_open(struct streams *, struct wire *w, long long int now);

/* Accepts the stream of 'w', a hello that streams_open() has opened.  What was
 * sealed before it is refused from now on.  Returns false if there is no room
 * for one more. */
bool streams_accept(struct streams *, struct wire *w, long long int now);

/* Forgets those from which nothing has come for STREAMS_MAX_IDLE_MS. */
void streams_expire(struct streams *, long long int now);

#endif /* streams.h */
