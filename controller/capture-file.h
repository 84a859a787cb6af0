/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CAPTURE_FILE_H
#define SNOWRELAY_CAPTURE_FILE_H 1

/* Capture file: records (capture-record.h) on their way to a disk.
 *
 * Packets are collected and written some hundred kilobytes at a time.  The
 * file never grows beyond its largest size, in which there is always room for
 * the counters at its end.  Whatever goes wrong with the disk, the file is cut
 * to its last whole block, so that what was written before can be read.
 *
 * Writing may take as long as the disk likes, and is for a thread that may be
 * kept waiting.  A file that grows too large for the process (RLIMIT_FSIZE)
 * raises SIGXFSZ, which that thread has to block. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture-record.h"
#include "openvswitch/compiler.h"
#include "openvswitch/ofpbuf.h"

/* The least that the largest size may be. */
enum { CAPTURE_FILE_MIN_SIZE = 10000 };

struct capture_file {
    int fd;
    uint64_t max_size;
    uint64_t start;        /* ns since 1970. */
    uint64_t size;         /* Bytes in the file... */
    uint64_t n_frames;     /* ...and packets, in whole blocks. */
    struct ofpbuf waiting; /* Blocks to be written. */
    uint64_t n_seen[CAPTURE_N_INTERFACES]; /* Packets, waiting ones too. */
};

/* Makes the file 'name', which must not exist yet, not even as a symbolic
 * link.  Returns a file descriptor or a negative errno value. */
int capture_file_make(const char *name);

/* Begins the capture in the file 'fd', which it takes over, at the time
 * 'start'.  The file gets no larger than 'max_size' bytes.  'filter' is the
 * one that its packets have passed, NULL for none. */
void capture_file_init(struct capture_file *, int fd, uint64_t max_size,
                       const char *filter, uint64_t start);

/* Adds a record, whose frame is the 'length' bytes at 'frame'.  Returns false
 * if there is no room for it in the largest size. */
bool capture_file_put(struct capture_file *, const struct capture_record *,
                      const uint8_t *frame, size_t length);

/* Returns true if enough is waiting for it to be worth the while. */
bool capture_file_is_full(const struct capture_file *);

/* Writes what is waiting.  Returns 0, or a positive errno value, and then
 * nothing more can be written. */
int capture_file_write(struct capture_file *) OVS_WARN_UNUSED_RESULT;

/* Ends the file at the time 'end': unless 'failed', writes what is waiting and
 * the counters, in which 'n_missing' packets of each interface are missing.
 * Waits until it is on the disk, and closes it.  Returns 0 or a positive errno
 * value. */
int capture_file_finish(struct capture_file *, bool failed, uint64_t end,
                        const uint64_t n_missing[CAPTURE_N_INTERFACES])
    OVS_WARN_UNUSED_RESULT;

#endif /* capture-file.h */
