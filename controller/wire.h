/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_WIRE_H
#define SNOWRELAY_WIRE_H 1

/* The mesh's wire format: what one UDP datagram between relays holds.
 *
 *      0        2
 *     +----+----+--------------------
 *     | S  | S  | whole Ethernet frame, without its FCS
 *     +----+----+--------------------
 *
 * This is the format of SnowSignal, so its nodes and ours understand each
 * other.  Pure: no I/O, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define WIRE_MAGIC "SS"

enum {
    WIRE_HEADER_LEN = sizeof WIRE_MAGIC - 1,

    /* The longest datagram that can hold a frame we carry. */
    WIRE_MAX = WIRE_HEADER_LEN + FRAME_MAX
};

/* If the 'length' bytes at 'datagram' are in this format, stores where in it
 * the frame is and how long and returns true.  The frame itself is not looked
 * at.  Otherwise returns false. */
bool wire_decode(uint8_t *datagram, size_t length, uint8_t **frame,
                 size_t *frame_length);

#endif /* wire.h */
