/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "capture-file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "openvswitch/util.h"
#include "pcapng.h"
#include "util.h"

enum {
    /* Bytes to write at a time. */
    ENOUGH = 256 * 1024,

    /* What the counters of all interfaces need. */
    COUNTERS = CAPTURE_N_INTERFACES * PCAPNG_STATISTICS_LENGTH,

    /* The file tells so many characters of its filter. */
    MAX_FILTER = 1000
};

int
capture_file_make(const char *name)
{
    int fd =
        open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);

    if (fd < 0) {
        return -errno;
    }
    return fd;
}

void
capture_file_init(struct capture_file *f, int fd, uint64_t max_size,
                  const char *filter, uint64_t start)
{
    char *told = filter ? xasprintf("%.*s", MAX_FILTER, filter) : NULL;

    *f = (struct capture_file){
        .fd = fd,
        .max_size = max_size,
        .start = start,
    };
    ofpbuf_init(&f->waiting, 2 * ENOUGH);
    pcapng_put_section(&f->waiting, "snowrelayd " SNOWRELAY_VERSION);
    for (int i = 0; i < CAPTURE_N_INTERFACES; i++) {
        const struct pcapng_interface interface = {
            .name = capture_interface_name(i),
            .description = capture_interface_description(i),
            .filter = told,
        };
        pcapng_put_interface(&f->waiting, &interface);
    }
    free(told);
}

bool
capture_file_put(struct capture_file *f, const struct capture_record *record,
                 const uint8_t *frame, size_t length)
{
    const uint32_t before = f->waiting.size;

    capture_record_put(&f->waiting, record, frame, length);
    if (f->size + f->waiting.size + COUNTERS > f->max_size) {
        f->waiting.size = before;
        return false;
    }
    f->n_seen[record->interface]++;
    return true;
}

bool
capture_file_is_full(const struct capture_file *f)
{
    return f->waiting.size >= ENOUGH;
}

int
capture_file_write(struct capture_file *f)
{
    const uint8_t *bytes = f->waiting.data;
    size_t length = f->waiting.size;
    size_t written = 0;
    uint64_t n_packets;
    int error = 0;

    while (written < length && !error) {
        ssize_t n = write(f->fd, bytes + written, length - written);

        if (n > 0) {
            written += n;
        } else if (!n || errno != EINTR) {
            error = n ? errno : ENOSPC;
        }
    }

    size_t whole = pcapng_whole_blocks(bytes, written, &n_packets);
    f->size += whole;
    f->n_frames += n_packets;
    if (whole < written) {
        /* Where even that fails the last block stays a half one, at which
         * those who read the file stop. */
        ignore(ftruncate(f->fd, f->size));
    }
    ofpbuf_clear(&f->waiting);
    return error;
}

int
capture_file_finish(struct capture_file *f, bool failed, uint64_t end,
                    const uint64_t n_missing[CAPTURE_N_INTERFACES])
{
    int error = 0;

    if (!failed) {
        for (int i = 0; i < CAPTURE_N_INTERFACES; i++) {
            const struct pcapng_statistics statistics = {
                .interface = i,
                .start = f->start,
                .end = end,
                .n_seen = f->n_seen[i] + n_missing[i],
                .n_missing = n_missing[i],
            };
            pcapng_put_statistics(&f->waiting, &statistics);
        }
        error = capture_file_write(f);
    }
    if (fdatasync(f->fd) && !error) {
        error = errno;
    }
    if (close(f->fd) && !error) {
        error = errno;
    }
    ofpbuf_uninit(&f->waiting);
    return error;
}
