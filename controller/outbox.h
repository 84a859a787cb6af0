/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_OUTBOX_H
#define SNOWRELAY_OUTBOX_H 1

/* Outbox: frames on their way to the peers, as datagrams.
 *
 * Datagrams are collected and handed to the kernel with one sendmmsg().  Those
 * that follow each other to the same peer and are equally long, the last one
 * perhaps shorter, are a run: one message, which the kernel takes through the
 * stack at once and cuts into the datagrams as late as it can, in the card if
 * that does it (UDP_SEGMENT, udp(7)).  The peer gets the same datagrams one
 * way or the other.
 *
 *      peer A, 132 bytes   A, 132   A, 90   B, 132   B, 132   B, 1600
 *     '-------------- run ---------------' '----- run -----' '-alone-'
 *
 * The kernel makes no fragments of what it cuts, so datagrams that are longer
 * than the MTU go alone; it says so itself, and so it is tried, once for each
 * peer and length.  A run that it refuses for whatever reason is sent again
 * one by one.
 *
 * Frames are sent from where they are, with a header in front, or sealed into
 * memory of the outbox, see wire.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"

struct frame;
struct outbox;
struct peer;
struct peers;

enum {
    /* Most frames between outbox_begin() and outbox_end(). */
    OUTBOX_MAX_FRAMES = 256,

    /* Most datagrams in a run: what all kernels that make any take. */
    OUTBOX_MAX_RUN = 64,

    /* Peers are first taken for ones that take runs of any length. */
    OUTBOX_ANY_LENGTH = UINT16_MAX
};

/* Makes an outbox that sends through 'fd', a UDP socket, which stays the
 * caller's. */
struct outbox *outbox_create(int fd);
void outbox_destroy(struct outbox *);

/* Returns true if the kernel knows runs. */
bool outbox_makes_runs(const struct outbox *);

/* Gets ready for the first OUTBOX_MAX_FRAMES of 'frames', which stay the
 * caller's and where they are until outbox_end(). */
void outbox_begin(struct outbox *, const struct frame *frames);

/* Puts the 'i'th frame into the outbox, for 'peer', one of 'peers', in the
 * format that it speaks, and numbers it.  Sends what is in the outbox if there
 * is no room for more. */
void outbox_put(struct outbox *, const struct peers *peers, struct peer *peer,
                size_t i);

/* Sends what is left, and returns how many datagrams were sent since
 * outbox_begin().  Stores in '*n_relayed' how many frames were sent to at
 * least one peer.  What was sent, and what the kernel did not take, is counted
 * for each peer. */
size_t outbox_end(struct outbox *, size_t *n_relayed) OVS_WARN_UNUSED_RESULT;

/* Returns true if the 'i'th of the frames of outbox_begin() was sent to at
 * least one peer. */
bool outbox_has_relayed(const struct outbox *, size_t i);

/* Says that the kernel did not take something to 'peer', because of 'error',
 * a positive errno. */
void outbox_send_failed(const struct peer *peer, int error);

#endif /* outbox.h */
