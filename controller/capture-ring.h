/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CAPTURE_RING_H
#define SNOWRELAY_CAPTURE_RING_H 1

/* Capture ring: records on their way from one thread to one other.
 *
 *    producer: capture_ring_reserve(), fill it in, capture_ring_commit()
 *    consumer: capture_ring_peek(), use it, capture_ring_release()
 *
 * A ring of bytes that neither thread locks, and neither ever waits for the
 * other: a record for which there is no room is not taken, and the one who has
 * it counts it.  Each record lies in one piece, so the rest of the ring is
 * skipped where the next one does not fit before its end; one of up to half
 * the ring, less 8 bytes, finds room in an empty ring wherever that is. */

#include <stdbool.h>
#include <stddef.h>

struct capture_ring;

/* Makes a ring of 'size' bytes, a power of 2 from 64 on. */
struct capture_ring *capture_ring_create(size_t size);
void capture_ring_destroy(struct capture_ring *);

/* Returns room for a record of 'length' bytes, aligned for whatever is in it,
 * or NULL if there is none now. */
void *capture_ring_reserve(struct capture_ring *, size_t length);

/* Lets the consumer see the record that was reserved last. */
void capture_ring_commit(struct capture_ring *);

/* Returns true if, as the producer sees it, a quarter of the ring or more is
 * in use. */
bool capture_ring_is_filling(const struct capture_ring *);

/* Returns the oldest record, and stores its length in '*length', or returns
 * NULL if there is none. */
const void *capture_ring_peek(struct capture_ring *, size_t *length);

/* Gives its room back. */
void capture_ring_release(struct capture_ring *);

#endif /* capture-ring.h */
