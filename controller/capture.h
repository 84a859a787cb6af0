/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CAPTURE_H
#define SNOWRELAY_CAPTURE_H 1

/* Capture: what becomes of frames, into a file, while the relay runs.
 *
 *    relay's thread                      capture's own thread
 *    tap --> capture_take() --> capture-ring --> capture-file --> disk
 *
 * The relay never waits for a capture.  It copies frames into a ring in
 * memory; a thread makes the file and writes it, and alone waits for the disk.
 * What does not fit into the ring, since the disk is slow, is left out, and
 * the file says where and how many.
 *
 * A capture ends when it is told to, when it has reached its largest size or
 * its time, and when the file cannot be written.  Whatever it is, the file
 * then has whole blocks only. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"
#include "openvswitch/compiler.h"

struct capture;
struct filter;
struct latch;
struct tap_event;

struct capture_options {
    const char *file;       /* A name that begins with a slash. */
    const char *expression; /* The filter's, NULL for none. */
    struct filter *filter;
    uint64_t max_size;    /* Bytes. */
    unsigned int seconds; /* To run, at most. */
    struct endpoint mesh; /* Where datagrams of the mesh come to. */
};

enum capture_state {
    CAPTURE_OPENING, /* The file is being made. */
    CAPTURE_RUNNING,
    CAPTURE_ENDED
};

/* Why it has ended. */
enum capture_end {
    CAPTURE_END_STOP, /* capture_stop(). */
    CAPTURE_END_SIZE,
    CAPTURE_END_TIME,
    CAPTURE_END_OPEN, /* The file could not be made... */
    CAPTURE_END_WRITE /* ...or written. */
};

struct capture_numbers {
    uint64_t frames;   /* In the file. */
    uint64_t left_out; /* Frames for which there was no room in the ring. */
    uint64_t bytes;    /* Of the file. */
    long long int ms;  /* How long it has run, or ran. */
};

/* Starts a capture, which takes over the filter if it succeeds.  Sets 'latch',
 * which must live as long as it, whenever its state has changed.  Returns 0 or
 * a positive errno value. */
int capture_start(const struct capture_options *, struct latch *latch,
                  struct capture **capturep) OVS_WARN_UNUSED_RESULT;

/* Takes 'event', if the capture is running and its filter lets it pass. */
void capture_take(struct capture *, const struct tap_event *event);

/* Begins to end the capture: what was taken before will be in the file. */
void capture_stop(struct capture *);

/* Waits for some seconds until it has ended, and frees it.  A capture whose
 * disk does not answer even then is left alone with its memory, and false is
 * returned: its latch must stay. */
bool capture_destroy(struct capture *);

/* For those who look on. */
enum capture_state capture_state(const struct capture *);
const struct capture_options *capture_options(const struct capture *);
void capture_numbers(const struct capture *, struct capture_numbers *);

/* Stores in '*error' a positive errno value, if there is one for the cause. */
enum capture_end capture_why_ended(const struct capture *, int *error);

#endif /* capture.h */
