/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "capture-ring.h"

#include <stdint.h>
#include <stdlib.h>

#include "openvswitch/util.h"
#include "ovs-atomic.h"
#include "util.h"

/* In front of each record.  All of them begin at a multiple of its size. */
struct header {
    uint64_t length; /* Of the record, or SKIP: go on where the ring begins. */
};

#define SKIP UINT64_MAX

/* 'head' and 'tail' count bytes from the beginning and never return to 0; they
 * differ by what is in use. */
struct capture_ring {
    size_t size;
    uint8_t *bytes;

    /* The producer's. */
    ATOMIC(size_t) head;
    size_t reserved; /* Where 'head' will be after the commit. */

    /* The two threads do not write to the same cache line. */
    uint8_t apart[CACHE_LINE_SIZE];

    /* The consumer's. */
    ATOMIC(size_t) tail;
};

struct capture_ring *
capture_ring_create(size_t size)
{
    struct capture_ring *ring = xmalloc(sizeof *ring);

    ovs_assert(IS_POW2(size) && size >= 64);
    ring->size = size;
    ring->bytes = xmalloc(size);
    ring->reserved = 0;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    return ring;
}

void
capture_ring_destroy(struct capture_ring *ring)
{
    if (ring) {
        free(ring->bytes);
        free(ring);
    }
}

/* Returns what lies at 'position', a value of 'head' or 'tail'. */
static struct header *
at(const struct capture_ring *ring, size_t position)
{
    return ALIGNED_CAST(struct header *,
                        ring->bytes + (position & (ring->size - 1)));
}

void *
capture_ring_reserve(struct capture_ring *ring, size_t length)
{
    size_t head, tail;
    size_t needed =
        sizeof(struct header) + ROUND_UP(length, sizeof(struct header));

    atomic_read_relaxed(&ring->head, &head);
    atomic_read_explicit(&ring->tail, &tail, memory_order_acquire);

    size_t room = ring->size - (head - tail);
    size_t before_end = ring->size - (head & (ring->size - 1));
    size_t skipped = needed > before_end ? before_end : 0;

    if (length > ring->size || needed > room || skipped > room - needed) {
        return NULL;
    }
    if (skipped) {
        at(ring, head)->length = SKIP;
        head += skipped;
    }
    at(ring, head)->length = length;
    ring->reserved = head + needed;
    return at(ring, head) + 1;
}

void
capture_ring_commit(struct capture_ring *ring)
{
    atomic_store_explicit(&ring->head, ring->reserved, memory_order_release);
}

bool
capture_ring_is_filling(const struct capture_ring *ring)
{
    struct capture_ring *r = CONST_CAST(struct capture_ring *, ring);
    size_t head, tail;

    atomic_read_relaxed(&r->head, &head);
    atomic_read_relaxed(&r->tail, &tail);
    return head - tail >= ring->size / 4;
}

const void *
capture_ring_peek(struct capture_ring *ring, size_t *length)
{
    size_t head, tail;

    atomic_read_explicit(&ring->head, &head, memory_order_acquire);
    atomic_read_relaxed(&ring->tail, &tail);
    if (head == tail) {
        return NULL;
    }
    if (at(ring, tail)->length == SKIP) {
        tail += ring->size - (tail & (ring->size - 1));
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
    }
    *length = at(ring, tail)->length;
    return at(ring, tail) + 1;
}

void
capture_ring_release(struct capture_ring *ring)
{
    size_t tail;

    atomic_read_relaxed(&ring->tail, &tail);
    tail += sizeof(struct header)
            + ROUND_UP(at(ring, tail)->length, sizeof(struct header));
    atomic_store_explicit(&ring->tail, tail, memory_order_release);
}
