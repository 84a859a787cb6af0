/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "capture.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture-file.h"
#include "capture-record.h"
#include "capture-ring.h"
#include "filter.h"
#include "latch.h"
#include "openvswitch/util.h"
#include "ovs-atomic.h"
#include "tap.h"
#include "util.h"

enum {
    RING_SIZE = 8 * 1024 * 1024,

    /* How long a record waits, at most, for the thread to look. */
    LOOK_MS = 100,

    /* How long to wait for the thread when the process ends. */
    PATIENCE_S = 3
};

/* A record in the ring: this, and behind it 'length' bytes. */
struct entry {
    struct capture_record record;
    size_t length;
};

struct capture {
    struct capture_options options; /* With copies of the strings. */
    struct latch *latch;
    struct capture_ring *ring;

    pthread_t thread;

    /* The relay's thread's. */
    uint64_t n_missing[CAPTURE_N_INTERFACES]; /* Left out since the last that
                                               * was not. */

    /* Of both. */
    ATOMIC(int) state;     /* An enum capture_state. */
    ATOMIC(bool) stopping; /* Is nothing more to be taken? */
    ATOMIC(bool) asleep;   /* Does the thread wait for 'wake'? */
    ATOMIC(uint64_t) n_left_out[CAPTURE_N_INTERFACES];
    ATOMIC(uint64_t) n_frames, n_bytes; /* In the file. */
    sem_t wake, gone;

    /* The capture's thread's, until 'state' says so. */
    struct capture_file file;
    long long int started; /* CAPTURE_RUNNING; monotonic, ms. */
    long long int ended;   /* CAPTURE_ENDED, as the rest; or 0. */
    enum capture_end end;
    int error;
};

static uint64_t
wall_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static long long int
monotonic_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* The relay's thread. */

/* Puts 'record', whose frame is the bytes at 'head' and those at 'tail', into
 * the ring, or counts that there was no room. */
static void
put_entry(struct capture *c, struct capture_record *record,
          const uint8_t *head, size_t head_length, const uint8_t *tail,
          size_t tail_length)
{
    const size_t length = head_length + tail_length;
    uint64_t *n_missing = &c->n_missing[record->interface];
    struct entry *entry =
        capture_ring_reserve(c->ring, sizeof *entry + length);

    if (!entry) {
        uint64_t n;

        ++*n_missing;
        atomic_add_relaxed(&c->n_left_out[record->interface], 1, &n);
        return;
    }
    record->n_missing = *n_missing;
    *n_missing = 0;
    entry->record = *record;
    entry->length = length;

    uint8_t *frame = (uint8_t *) (entry + 1);
    if (head_length) {
        memcpy(frame, head, head_length);
    }
    if (tail_length) {
        memcpy(frame + head_length, tail, tail_length);
    }
    capture_ring_commit(c->ring);
}

/* Wakes the thread, if it sleeps and there is much to do. */
static void
wake_if_filling(struct capture *c)
{
    bool asleep;

    atomic_read_relaxed(&c->asleep, &asleep);
    if (asleep && capture_ring_is_filling(c->ring)) {
        atomic_store_relaxed(&c->asleep, false);
        sem_post(&c->wake);
    }
}

/* Takes 'event', of a datagram without a frame, as 'record', with headers in
 * front. */
static void
take_datagram(struct capture *c, const struct tap_event *event,
              struct capture_record *record)
{
    uint8_t headers[CAPTURE_HEADERS_MAX];
    size_t n = capture_make_headers(event->from, &c->options.mesh,
                                    event->bytes, event->length, headers);

    if (c->options.filter) {
        uint8_t *whole = xmalloc(n + event->length);

        memcpy(whole, headers, n);
        if (event->length) {
            memcpy(whole + n, event->bytes, event->length);
        }
        bool matches =
            filter_matches(c->options.filter, whole, n + event->length);
        free(whole);
        if (!matches) {
            return;
        }
    }
    put_entry(c, record, headers, n, event->bytes, event->length);
}

void
capture_take(struct capture *c, const struct tap_event *event)
{
    struct capture_record record;

    bool stopping;

    atomic_read_relaxed(&c->stopping, &stopping);
    if (stopping || capture_state(c) != CAPTURE_RUNNING) {
        return;
    }
    if (!event->is_frame) {
        if (event->point == TAP_DROP) {
            capture_record_init(&record, event, wall_clock());
            take_datagram(c, event, &record);
        }
    } else if (!c->options.filter
               || filter_matches(c->options.filter, event->bytes,
                                 event->length)) {
        capture_record_init(&record, event, wall_clock());
        put_entry(c, &record, event->bytes, event->length, NULL, 0);
    }
    wake_if_filling(c);
}

/* The capture's thread. */

static void
set_state(struct capture *c, enum capture_state state)
{
    atomic_store_explicit(&c->state, (int) state, memory_order_release);
    latch_set(c->latch);
}

/* Notes why the capture ends.  Returns false, for "it goes on". */
static bool
end_because(struct capture *c, enum capture_end end, int error)
{
    c->end = end;
    c->error = error;
    return false;
}

/* Writes what is waiting for the file.  Returns false if that ends the
 * capture. */
static bool
write_file(struct capture *c)
{
    int error = capture_file_write(&c->file);

    atomic_store_relaxed(&c->n_frames, c->file.n_frames);
    atomic_store_relaxed(&c->n_bytes, c->file.size);
    return error ? end_because(c, CAPTURE_END_WRITE, error) : true;
}

/* Returns false if the capture has run for as long as it may. */
static bool
has_time(struct capture *c)
{
    return (monotonic_ms() - c->started < c->options.seconds * 1000LL
            || end_because(c, CAPTURE_END_TIME, 0));
}

/* Takes what is in the ring to the file.  Returns false if that ends the
 * capture. */
static bool
empty_ring(struct capture *c)
{
    const struct entry *entry;
    size_t length;

    while ((entry = capture_ring_peek(c->ring, &length)) != NULL) {
        if (!capture_file_put(&c->file, &entry->record,
                              (const uint8_t *) (entry + 1), entry->length)) {
            return end_because(c, CAPTURE_END_SIZE, 0);
        }
        capture_ring_release(c->ring);
        if (capture_file_is_full(&c->file)
            && (!write_file(c) || !has_time(c))) {
            return false;
        }
    }
    return write_file(c);
}

/* Waits for the ring to fill, for LOOK_MS, or for the end. */
static void
wait_for_ring(struct capture *c)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    atomic_store_relaxed(&c->asleep, true);
    sem_clockwait(&c->wake, CLOCK_MONOTONIC, &until);
    atomic_store_relaxed(&c->asleep, false);
}

/* Writes until the capture ends. */
static void
write_all(struct capture *c)
{
    bool stopping;

    do {
        wait_for_ring(c);
        atomic_read_explicit(&c->stopping, &stopping, memory_order_acquire);
    } while (empty_ring(c) && has_time(c) && !stopping);
}

/* Ends the file.  One in which nothing could be written is removed. */
static void
finish_file(struct capture *c)
{
    uint64_t n_missing[CAPTURE_N_INTERFACES];

    for (int i = 0; i < CAPTURE_N_INTERFACES; i++) {
        atomic_read_relaxed(&c->n_left_out[i], &n_missing[i]);
    }
    int error = capture_file_finish(&c->file, c->end == CAPTURE_END_WRITE,
                                    wall_clock(), n_missing);
    if (error && c->end != CAPTURE_END_WRITE) {
        end_because(c, CAPTURE_END_WRITE, error);
    }
    atomic_store_relaxed(&c->n_frames, c->file.n_frames);
    atomic_store_relaxed(&c->n_bytes, c->file.size);
    if (!c->file.size) {
        unlink(c->options.file);
    }
}

static void *
run(void *c_)
{
    struct capture *c = c_;
    sigset_t all;

    /* Signals are for the relay's thread; SIGXFSZ is for nobody. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);

    int fd = capture_file_make(c->options.file);
    if (fd < 0) {
        end_because(c, CAPTURE_END_OPEN, -fd);
    } else {
        capture_file_init(&c->file, fd, c->options.max_size,
                          c->options.expression, wall_clock());
        c->started = monotonic_ms();
        if (write_file(c)) {
            set_state(c, CAPTURE_RUNNING);
            write_all(c);
        }
        /* The disk may take its time for the end. */
        atomic_store_relaxed(&c->stopping, true);
        c->ended = monotonic_ms();
        finish_file(c);
    }
    sem_post(&c->gone);
    set_state(c, CAPTURE_ENDED);
    return NULL;
}

/* Its beginning and end. */

static void
free_capture(struct capture *c)
{
    sem_destroy(&c->gone);
    sem_destroy(&c->wake);
    capture_ring_destroy(c->ring);
    filter_destroy(c->options.filter);
    free(CONST_CAST(char *, c->options.expression));
    free(CONST_CAST(char *, c->options.file));
    free(c);
}

/* Not with ovs_thread_create(), which ends the process if there cannot be one
 * more thread. */
static int
start_thread(struct capture *c)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 512 * 1024);
    int error = pthread_create(&c->thread, &attr, run, c);
    pthread_attr_destroy(&attr);
    return error;
}

int
capture_start(const struct capture_options *options, struct latch *latch,
              struct capture **capturep)
{
    struct capture *c = xzalloc(sizeof *c);

    c->options = *options;
    c->options.file = xstrdup(options->file);
    c->options.expression = nullable_xstrdup(options->expression);
    c->latch = latch;
    c->ring = capture_ring_create(RING_SIZE);
    atomic_init(&c->state, (int) CAPTURE_OPENING);
    atomic_init(&c->stopping, false);
    atomic_init(&c->asleep, false);
    for (int i = 0; i < CAPTURE_N_INTERFACES; i++) {
        atomic_init(&c->n_left_out[i], 0);
    }
    atomic_init(&c->n_frames, 0);
    atomic_init(&c->n_bytes, 0);
    sem_init(&c->wake, 0, 0);
    sem_init(&c->gone, 0, 0);

    int error = start_thread(c);
    if (error) {
        c->options.filter = NULL; /* It stays the caller's. */
        free_capture(c);
        c = NULL;
    }
    *capturep = c;
    return error;
}

void
capture_stop(struct capture *c)
{
    bool stopping;

    atomic_read_relaxed(&c->stopping, &stopping);
    if (!stopping) {
        atomic_store_explicit(&c->stopping, true, memory_order_release);
        sem_post(&c->wake);
    }
}

bool
capture_destroy(struct capture *c)
{
    struct timespec until;

    if (!c) {
        return true;
    }
    capture_stop(c);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    while (sem_clockwait(&c->gone, CLOCK_MONOTONIC, &until)) {
        if (errno != EINTR) {
            pthread_detach(c->thread);
            return false;
        }
    }
    pthread_join(c->thread, NULL);
    free_capture(c);
    return true;
}

/* For those who look on. */

enum capture_state
capture_state(const struct capture *c_)
{
    struct capture *c = CONST_CAST(struct capture *, c_);
    int state;

    atomic_read_explicit(&c->state, &state, memory_order_acquire);
    return state;
}

const struct capture_options *
capture_options(const struct capture *c)
{
    return &c->options;
}

void
capture_numbers(const struct capture *c_, struct capture_numbers *numbers)
{
    struct capture *c = CONST_CAST(struct capture *, c_);
    enum capture_state state = capture_state(c);

    *numbers = (struct capture_numbers){ .frames = 0 };
    atomic_read_relaxed(&c->n_frames, &numbers->frames);
    atomic_read_relaxed(&c->n_bytes, &numbers->bytes);
    for (int i = 0; i < CAPTURE_N_INTERFACES; i++) {
        uint64_t n;

        atomic_read_relaxed(&c->n_left_out[i], &n);
        numbers->left_out += n;
    }
    if (state == CAPTURE_RUNNING) {
        numbers->ms = monotonic_ms() - c->started;
    } else if (state == CAPTURE_ENDED && c->ended) {
        numbers->ms = c->ended - c->started;
    }
}

enum capture_end
capture_why_ended(const struct capture *c, int *error)
{
    *error = c->error;
    return c->end;
}
