/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_WINDOW_H
#define SNOWRELAY_WINDOW_H 1

/* Window: which of a row of numbered frames have come.
 *
 * A sender numbers its frames with 64-bit numbers that grow by one and wrap
 * around (compared as RFC 1982 compares serial numbers).  The window remembers
 * of the last WINDOW_SIZE of them whether each has come, as a replay window
 * does (RFC 4303, section 3.4.3):
 *
 *      first                   next - WINDOW_SIZE              next
 *        v                       v                               v
 *     ---+-----------------------+-------------------------------+---------
 *                 too old        |  come or missing, a bit each  |  to come
 *
 * so that a frame counts once however often it comes, and what has not come is
 * known.  A number that is skipped is lost until it comes after all, which
 * makes it a reordered one.
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stdint.h>

enum {
    WINDOW_SIZE = 4096, /* A power of 2. */

    /* Announcements in a row that contradict the window before it gives in. */
    WINDOW_PATIENCE = 3
};

enum window_verdict {
    WINDOW_NEW,       /* Has not come before. */
    WINDOW_DUPLICATE, /* Has. */
    WINDOW_OLD        /* Too old to tell; must be taken for a duplicate. */
};

struct window {
    bool begun;           /* Is 'next' known? */
    uint64_t first;       /* 'next' when it became known, or a later one that
                           * is older than the window. */
    uint64_t next;        /* The greatest number that has come, plus one. */
    unsigned int doubted; /* Announcements in a row that contradicted it. */
    uint64_t bits[WINDOW_SIZE / 64];

    /* Since the beginning, over all calls to window_restart(). */
    uint64_t received;   /* Each number once. */
    uint64_t lost;       /* Skipped and not come since. */
    uint64_t duplicated; /* Come again, or too old. */
    uint64_t reordered;  /* Come after a greater one. */
};

/* Makes a window that has seen nothing and counted nothing. */
void window_init(struct window *);

/* Forgets what has come, for a sender that begins to count anew.  What was
 * counted stays. */
void window_restart(struct window *);

/* Makes a window of which all numbers before 'next' have come, and counted
 * nothing. */
void window_begin(struct window *, uint64_t next);

/* Returns true if 'seq' has come or is too old to tell. */
bool window_has(const struct window *, uint64_t seq);

/* Judges a frame with the number 'seq', which has come, and counts it. */
enum window_verdict window_take(struct window *, uint64_t seq);

/* Takes in that the sender's next frame will have the number 'next': what was
 * sent before and has not come is lost.  A sender that says WINDOW_PATIENCE
 * times in a row that its next number is older than the window can tell is
 * believed, so that no frame with a mistaken number shuts the others out for
 * good. */
void window_expect(struct window *, uint64_t next);

/* The same, from a sender that may not remember what it sent to us: what is
 * skipped is not lost, if that is more than the window can tell. */
void window_skip(struct window *, uint64_t next);

#endif /* window.h */
