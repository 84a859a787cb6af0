/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_EMIT_H
#define SNOWRELAY_EMIT_H 1

/* Emission: frames on their way to the switch, as packet-outs.
 *
 * An OFPT_PACKET_OUT (OpenFlow 1.5.1, section 7.3.6) is the same for each
 * frame but for its length, so it is encoded once for each of the actions in
 * flows/ and copied in front of each frame.  The messages wait in a ring, one
 * behind the other as the switch will read them, and so one write hands over
 * many.
 *
 *            tail: sent up to here          head: next frame goes here
 *              v                              v
 *     |        | packet-out | packet-out | ...|               |
 *
 * The ring is bounded.  When it is full the oldest frame is dropped for the
 * newest, and a frame that has waited for EMIT_STALE_MS is dropped when the
 * switch reads again: a broadcast that is a second old is worthless, and its
 * sender has asked again.  A message of which the switch has read a part is
 * always sent to its end.
 *
 * Pure: no I/O.  The channel does the writing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"

enum {
    EMIT_RING_BYTES = 1 << 20,  /* A power of 2. */
    EMIT_RING_FRAMES = 1 << 13, /* A power of 2. */
    EMIT_STALE_MS = 1000
};

struct emit;
struct ofpbuf;
struct tap;

struct emit *emit_create(void);
void emit_destroy(struct emit *);

/* Has 'tap' told of each frame that is dropped from now on. */
void emit_set_tap(struct emit *, struct tap *tap);

/* Sets what happens to frames from now on: 'keep' and 'rewrite' are actions in
 * the syntax of ovs-ofctl, for frames whose IP destination stays and for
 * frames whose IP destination changes.  Returns NULL, or a message that the
 * caller frees, and then nothing is changed. */
char *emit_set_actions(struct emit *, const char *keep,
                       const char *rewrite) OVS_WARN_UNUSED_RESULT;

/* Encodes a packet-out of the 'length' bytes at 'frame' with 'actions', in the
 * syntax of ovs-ofctl, for frames that are not the mesh's, and stores it in
 * '*msg', which the caller owns.  Returns NULL, or a message that the caller
 * frees, and then stores nothing. */
char *emit_encode(const char *actions, const uint8_t *frame, size_t length,
                  struct ofpbuf **msg) OVS_WARN_UNUSED_RESULT;

/* Returns true once emit_set_actions() has succeeded.  Only then may frames be
 * put. */
bool emit_is_ready(const struct emit *);

/* Puts a copy of the 'length' bytes (at most FRAME_MAX) at 'frame' into the
 * ring, with the actions for a rewritten destination if 'rewrite'.  'now' is
 * time_msec().  Returns the number of older frames that were dropped to make
 * room. */
unsigned int emit_put(struct emit *, const uint8_t *frame, size_t length,
                      bool rewrite, long long int now);

/* Drops the frames that were put EMIT_STALE_MS or more before 'now'.  Returns
 * how many. */
unsigned int emit_drop_stale(struct emit *, long long int now);

/* Drops the rest of a message begun, because the connection it began on is
 * gone.  Returns how many frames that were: 0 or 1. */
unsigned int emit_abandon(struct emit *);

/* Returns true if a part of the oldest message was written, but not all. */
bool emit_is_begun(const struct emit *);

/* Returns how many bytes of that message are left, 0 if there is none. */
size_t emit_rest(const struct emit *);

/* Returns the next bytes to write and their number in '*length', which is 0 if
 * there are none.  They are whole messages except at the end of the ring. */
const void *emit_peek(const struct emit *, size_t *length);

/* Notes that the first 'length' of the bytes from emit_peek() were written.
 * Returns the number of frames that were thereby written to their end. */
unsigned int emit_advance(struct emit *, size_t length);

/* Returns the number of frames in the ring. */
unsigned int emit_count(const struct emit *);

#endif /* emit.h */
