/* SPDX-License-Identifier: Apache-2.0 */

/* bench-probe: the two ends of a benchmark.
 *
 *     bench-probe send ADDRESS PORT [--rate N] [--count N] [--seconds S]
 *                                   [--size BYTES] [--run ID]
 *     bench-probe recv PORT...      [--count N] [--seconds S] [--idle-ms N]
 *                                   [--tick-ms N] [--run ID]
 *     bench-probe cpu PID...
 *
 * "send" sends UDP datagrams that carry a sequence number and the time of
 * sending; "recv" counts them and says how many came, how many of them twice
 * or out of order, and how long they took.  Both are meant to run on one
 * machine, in network namespaces of their own: these share CLOCK_MONOTONIC,
 * so one subtraction gives the time on the way.
 *
 * "send" keeps to absolute deadlines.  Up to TICKS_PER_SECOND frames a second
 * every frame has its own deadline and system call, so that a latency does not
 * hold the time spent waiting for a batch to fill; above that, as many frames
 * as are due in a tick go out in one sendmmsg().  --rate 0 sends without a
 * pause.
 *
 * "recv" ends when --count different frames have come, --idle-ms after the
 * last frame, --seconds after its start, or on SIGTERM or SIGINT, whichever is
 * first.  Each of several ports counts for itself: --count is what all of them
 * have to see, --idle-ms runs from the last frame to any of them.
 *
 * With --tick-ms "recv" looks at its sockets that often, and not whenever a
 * frame comes: many receivers that all want to be woken up at once would spend
 * the CPU that what is under test should have.  Latencies then hold up to a
 * tick of waiting.  Several ports need it.
 *
 * --run marks the datagrams of one run.  A receiver that is given it counts
 * the datagrams of other runs as "foreign" and leaves them out of everything
 * else, so that latecomers of the run before cannot falsify the next.
 *
 * "send" ends after --count frames, --seconds after its start, or on SIGTERM
 * or SIGINT, and says how many it has sent.  "silence_ms" of "recv" is the
 * longest time between two frames, "first_us" the time of day when the first
 * one came, in microseconds since 1970.
 *
 * "cpu" prints the CPU time that each process has used so far, all its threads
 * together, in nanoseconds: utime plus stime of /proc/PID/stat without being
 * rounded to clock ticks.
 *
 * "send" prints one line of JSON, "recv" one for each port, in the order they
 * were given in.  The exit status is 0 if the run could be made (whatever it
 * measured), 1 if it could not, 2 for a wrong command line. */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_PER_USEC INT64_C(1000)

/* Most datagrams in one system call. */
#define MAX_BATCH 64

/* Largest UDP payload of IPv4. */
#define MAX_PAYLOAD 65507

/* A sender that wakes up more often than this spends the CPU that the relay
 * under test should have. */
#define TICKS_PER_SECOND 5000

/* A sender that was kept from running makes up for this much and no more.
 * Making up for everything would turn each of its own hiccups into a burst
 * far above the rate that is being measured. */
#define MAX_LAG_NS NSEC_PER_MSEC

/* How often a receiver looks up from an idle socket. */
#define RECV_TICK_NS (10 * NSEC_PER_MSEC)

/* Most ports to receive on. */
#define MAX_PORTS 64

/* Enough for seconds of traffic, so that what gets lost is lost by the relay
 * and not by a receiver that had to wait for a CPU. */
#define RECV_BUFFER (64 * 1024 * 1024)

/* Start of each payload, in host byte order: it never leaves the machine. */
struct probe {
    uint32_t magic; /* PROBE_MAGIC. */
    uint32_t run;   /* --run. */
    uint64_t seq;   /* Counts up from 0. */
    int64_t sent;   /* CLOCK_MONOTONIC, in nanoseconds. */
};

#define PROBE_MAGIC 0x534e5750u

/* A receiver keeps a bit for each sequence number.  Numbers beyond this many
 * cannot be those of a run that ends while somebody watches. */
#define MAX_SEQ (UINT64_C(1) << 32)

struct options {
    uint64_t rate;    /* Frames a second, 0 for as many as possible. */
    uint64_t count;   /* Frames, UINT64_MAX for no limit. */
    int64_t duration; /* Nanoseconds, INT64_MAX for no limit. */
    int64_t idle;     /* Nanoseconds, INT64_MAX for no limit. */
    int64_t tick;     /* Nanoseconds, 0 to receive what comes at once. */
    size_t size;      /* Payload, in bytes. */
    uint32_t run;     /* 0 for a receiver of all runs. */
};

static volatile sig_atomic_t stopped;

/* Errors. */

static _Noreturn void __attribute__((format(printf, 2, 3)))
die(int status, const char *format, ...)
{
    va_list args;

    fputs("bench-probe: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    putc('\n', stderr);
    exit(status);
}

static _Noreturn void
die_errno(const char *what)
{
    die(EXIT_FAILURE, "%s: %s", what, strerror(errno));
}

/* The line of JSON is the result: if it cannot be written, there is none. */
static void
flush_stdout(void)
{
    if (fflush(stdout) || ferror(stdout)) {
        die_errno("standard output");
    }
}

/* Time. */

static int64_t
timespec_to_ns(const struct timespec *ts)
{
    return ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
}

static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return timespec_to_ns(&ts);
}

static void
sleep_until(int64_t when)
{
    struct timespec ts = {
        .tv_sec = when / NSEC_PER_SEC,
        .tv_nsec = when % NSEC_PER_SEC,
    };

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* 'start' plus 'duration', where INT64_MAX stands for "never". */
static int64_t
deadline_after(int64_t start, int64_t duration)
{
    return duration > INT64_MAX - start ? INT64_MAX : start + duration;
}

/* Command line. */

static uint64_t
parse_uint(const char *name, const char *s, uint64_t min, uint64_t max)
{
    char *end;

    /* strtoull() would take a sign, and wrap a negative number around. */
    errno = 0;
    uint64_t value = strtoull(s, &end, 10);
    if (errno || s[0] < '0' || s[0] > '9' || *end || value < min
        || value > max) {
        die(2, "%s: \"%s\" is not a number from %" PRIu64 " to %" PRIu64, name,
            s, min, max);
    }
    return value;
}

static int64_t
parse_seconds(const char *name, const char *s)
{
    char *end;
    double value = strtod(s, &end);

    if (end == s || *end || !(value > 0 && value <= 86400)) {
        die(2, "%s: \"%s\" is not a number of seconds from 0 to 86400", name,
            s);
    }
    return value * NSEC_PER_SEC;
}

enum {
    OPT_RATE = 0x100,
    OPT_COUNT,
    OPT_SECONDS,
    OPT_SIZE,
    OPT_RUN,
    OPT_IDLE_MS,
    OPT_TICK_MS,
};

static const struct option send_options[] = {
    { "rate", required_argument, NULL, OPT_RATE },
    { "count", required_argument, NULL, OPT_COUNT },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "size", required_argument, NULL, OPT_SIZE },
    { "run", required_argument, NULL, OPT_RUN },
    { NULL, 0, NULL, 0 },
};

static const struct option recv_options[] = {
    { "count", required_argument, NULL, OPT_COUNT },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "idle-ms", required_argument, NULL, OPT_IDLE_MS },
    { "tick-ms", required_argument, NULL, OPT_TICK_MS },
    { "run", required_argument, NULL, OPT_RUN },
    { NULL, 0, NULL, 0 },
};

/* Parses the options of a subcommand and leaves 'optind' at its first
 * argument, of which there are 'min_args' to 'max_args', described by
 * 'args'. */
static struct options
parse_options(int argc, char *argv[], const struct option long_options[],
              int min_args, int max_args, const char *args)
{
    struct options options = {
        .rate = 1000,
        .count = UINT64_MAX,
        .duration = INT64_MAX,
        .idle = INT64_MAX,
        .size = 60,
    };
    int c;

    while ((c = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        switch (c) {
        case OPT_RATE:
            options.rate = parse_uint("--rate", optarg, 0, 100000000);
            break;
        case OPT_COUNT:
            options.count = parse_uint("--count", optarg, 1, MAX_SEQ);
            break;
        case OPT_SECONDS:
            options.duration = parse_seconds("--seconds", optarg);
            break;
        case OPT_SIZE:
            options.size = parse_uint("--size", optarg, sizeof(struct probe),
                                      MAX_PAYLOAD);
            break;
        case OPT_RUN:
            options.run = parse_uint("--run", optarg, 1, UINT32_MAX);
            break;
        case OPT_IDLE_MS:
            options.idle = parse_uint("--idle-ms", optarg, 1, 86400000);
            options.idle *= NSEC_PER_MSEC;
            break;
        case OPT_TICK_MS:
            options.tick = parse_uint("--tick-ms", optarg, 1, 1000);
            options.tick *= NSEC_PER_MSEC;
            break;
        case ':': die(2, "%s needs a value", argv[optind - 1]);
        default: die(2, "%s: not an option of %s", argv[optind - 1], argv[0]);
        }
    }
    if (argc - optind < min_args || argc - optind > max_args) {
        die(2, "%s needs %s", argv[0], args);
    }
    return options;
}

static uint16_t
parse_port(const char *s)
{
    return parse_uint("port", s, 1, UINT16_MAX);
}

static int
open_socket(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0) {
        die_errno("socket");
    }
    if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on)) {
        die_errno("SO_BROADCAST");
    }
    return fd;
}

static void
on_signal(int signo)
{
    (void) signo;
    stopped = true;
}

/* Has SIGTERM and SIGINT end the loop, and not the process.  There is no
 * SA_RESTART: they have to get through to the loop. */
static void
catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

/* Sending. */

/* Sends the 'n' messages in 'msgs', all of them.  That an earlier one found
 * nobody at its destination, or no way to it, is no reason to stop: copies of
 * it go elsewhere, and those are what somebody counts. */
static void
send_batch(int fd, struct mmsghdr *msgs, unsigned int n)
{
    while (n > 0) {
        int done = sendmmsg(fd, msgs, n, 0);

        if (done > 0) {
            msgs += done;
            n -= done;
        } else if (errno == ENOBUFS || errno == EAGAIN) {
            sleep_until(now_ns() + 20 * NSEC_PER_USEC);
        } else if (errno != EINTR && errno != ECONNREFUSED
                   && errno != EHOSTUNREACH) {
            die_errno("sendmmsg");
        }
    }
}

static int
send_main(int argc, char *argv[])
{
    static const char args[] = "exactly an address and a port";
    struct options options =
        parse_options(argc, argv, send_options, 2, 2, args);
    if (options.count == UINT64_MAX && options.duration == INT64_MAX) {
        die(2, "send needs --count or --seconds");
    }

    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(parse_port(argv[optind + 1])),
    };
    if (inet_pton(AF_INET, argv[optind], &to.sin_addr) != 1) {
        die(2, "address: \"%s\" is not an IPv4 address", argv[optind]);
    }

    /* A connected socket saves looking up the route for each frame. */
    int fd = open_socket();
    if (connect(fd, (struct sockaddr *) &to, sizeof to)) {
        die_errno(argv[optind]);
    }

    catch_signals();

    /* By default a sleep may be 50 us late, which is a good part of what a
     * relay takes. */
    prctl(PR_SET_TIMERSLACK, 1UL);

    uint64_t batch = options.rate / TICKS_PER_SECOND;
    if (batch < 1) {
        batch = 1;
    }
    if (batch > MAX_BATCH || options.rate == 0) {
        batch = MAX_BATCH;
    }

    uint8_t *payloads = calloc(batch, options.size);
    struct mmsghdr msgs[MAX_BATCH] = { 0 };
    struct iovec iovs[MAX_BATCH];
    if (!payloads) {
        die_errno("payloads");
    }
    for (size_t i = 0; i < batch; i++) {
        iovs[i].iov_base = payloads + i * options.size;
        iovs[i].iov_len = options.size;
        msgs[i].msg_hdr.msg_iov = &iovs[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }

    struct probe probe = { .magic = PROBE_MAGIC, .run = options.run };
    int64_t start = now_ns();
    int64_t end = deadline_after(start, options.duration);

    /* Frame 'base_seq' is due at 'base'.  Counting from there keeps the rate
     * exact: a sum of rounded intervals would drift. */
    int64_t base = start;
    uint64_t base_seq = 0;
    uint64_t n_slips = 0;
    int64_t now = start;

    while (!stopped && probe.seq < options.count && now < end) {
        if (options.rate) {
            int64_t due = base
                          + (int64_t) ((double) (probe.seq - base_seq)
                                       * NSEC_PER_SEC / options.rate);
            if (due >= end) {
                break;
            }
            if (now < due) {
                sleep_until(due);
                now = now_ns();
            } else if (now - due > MAX_LAG_NS) {
                base = now;
                base_seq = probe.seq;
                n_slips++;
            }
        }

        uint64_t left = options.count - probe.seq;
        size_t n = left < batch ? left : batch;
        probe.sent = now;
        for (size_t i = 0; i < n; i++, probe.seq++) {
            memcpy(iovs[i].iov_base, &probe, sizeof probe);
        }
        send_batch(fd, msgs, n);
        now = now_ns();
    }

    double seconds = (double) (now - start) / NSEC_PER_SEC;
    printf("{\"sent\": %" PRIu64 ", \"seconds\": %.6f, \"rate\": %.1f, "
           "\"size\": %zu, \"slips\": %" PRIu64 "}\n",
           probe.seq, seconds, probe.seq / seconds, options.size, n_slips);
    flush_stdout();
    free(payloads);
    close(fd);
    return 0;
}

/* A histogram of latencies in nanoseconds.  Its buckets grow with the value,
 * so that none is wider than 1/128 of what is in it: percentiles are less than
 * 1% off at any scale, and adding a value costs next to nothing. */

#define HISTOGRAM_BITS 7
#define HISTOGRAM_STEPS (1 << HISTOGRAM_BITS)

struct histogram {
    uint64_t buckets[(64 - HISTOGRAM_BITS + 1) * HISTOGRAM_STEPS];
    uint64_t n;
    uint64_t max;
};

static void
histogram_add(struct histogram *h, uint64_t value)
{
    size_t i = value;

    if (value >= HISTOGRAM_STEPS) {
        int shift = 63 - HISTOGRAM_BITS - __builtin_clzll(value);

        i = ((size_t) shift << HISTOGRAM_BITS) + (value >> shift);
    }
    h->buckets[i]++;
    h->n++;
    if (value > h->max) {
        h->max = value;
    }
}

/* Returns the middle of the bucket that holds the value which 'percent' per
 * cent of all do not exceed.  'h' must not be empty. */
static double
histogram_percentile(const struct histogram *h, unsigned int percent)
{
    uint64_t rank = (h->n * percent + 99) / 100;
    uint64_t sum = 0;
    size_t i = 0;

    while ((sum += h->buckets[i]) < rank) {
        i++;
    }
    if (i < HISTOGRAM_STEPS) {
        return i;
    }

    int shift = (i >> HISTOGRAM_BITS) - 1;
    uint64_t step = i - ((size_t) shift << HISTOGRAM_BITS);
    double middle = (step + 0.5) * (UINT64_C(1) << shift);
    return middle < h->max ? middle : h->max;
}

/* Receiving. */

struct receiver {
    int fd;
    uint32_t run; /* What to count, 0 for all. */

    uint64_t distinct;
    uint64_t duplicates;
    uint64_t reordered; /* Came after one that was sent later. */
    uint64_t foreign;   /* Of another run, or none of ours at all. */
    int64_t first;      /* When the first and the last frame came. */
    int64_t last;
    int64_t silence; /* The longest time between two frames. */
    struct histogram latency;

    uint64_t *seen; /* A bit for each sequence number below 'n_seen'. */
    uint64_t n_seen;
    uint64_t next_seq; /* One more than the highest number so far. */
};

/* Marks 'seq', which must be less than MAX_SEQ, as seen.  Returns false if it
 * has been seen before. */
static bool
receiver_mark(struct receiver *r, uint64_t seq)
{
    if (seq >= r->n_seen) {
        uint64_t n = r->n_seen ? r->n_seen : 1 << 22;

        while (seq >= n) {
            n *= 2;
        }
        r->seen = realloc(r->seen, n / 8);
        if (!r->seen) {
            die_errno("sequence numbers");
        }
        memset((char *) r->seen + r->n_seen / 8, 0, (n - r->n_seen) / 8);
        r->n_seen = n;
    }

    uint64_t bit = UINT64_C(1) << seq % 64;
    bool is_new = !(r->seen[seq / 64] & bit);
    r->seen[seq / 64] |= bit;
    return is_new;
}

static void
receiver_take(struct receiver *r, const uint8_t *payload, size_t size,
              int64_t now)
{
    struct probe probe;

    if (size < sizeof probe) {
        r->foreign++;
        return;
    }
    memcpy(&probe, payload, sizeof probe);
    if (probe.magic != PROBE_MAGIC || (r->run && probe.run != r->run)
        || probe.seq >= MAX_SEQ || probe.sent > now) {
        r->foreign++;
        return;
    }

    if (!r->first) {
        r->first = r->last = now;
    }
    if (now - r->last > r->silence) {
        r->silence = now - r->last;
    }
    r->last = now;
    if (!receiver_mark(r, probe.seq)) {
        r->duplicates++;
        return;
    }

    r->distinct++;
    if (probe.seq < r->next_seq) {
        r->reordered++;
    } else {
        r->next_seq = probe.seq + 1;
    }
    histogram_add(&r->latency, now - probe.sent);
}

/* Binds a socket to 'port' and gives it room for RECV_BUFFER bytes, or as many
 * as an unprivileged user may have. */
static int
open_receiver(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_ANY),
    };
    struct timeval tick = { .tv_usec = RECV_TICK_NS / NSEC_PER_USEC };
    int fd = open_socket();
    int size = RECV_BUFFER;
    int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)) {
        die_errno("SO_REUSEADDR");
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size)) {
        die_errno("SO_RCVBUF");
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick)) {
        die_errno("SO_RCVTIMEO");
    }
    if (bind(fd, (struct sockaddr *) &at, sizeof at)) {
        die(EXIT_FAILURE, "port %" PRIu16 ": %s", port, strerror(errno));
    }
    return fd;
}

/* Returns how many datagrams the socket itself has dropped: a loss that the
 * receiver has to answer for, not the relay. */
static uint32_t
socket_drops(int fd)
{
    uint32_t meminfo[SK_MEMINFO_VARS] = { 0 };
    socklen_t size = sizeof meminfo;

    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, meminfo, &size)) {
        die_errno("SO_MEMINFO");
    }
    return meminfo[SK_MEMINFO_DROPS];
}

/* Returns when the first frame came, by the wall clock, 0 if none did. */
static int64_t
first_us(const struct receiver *r)
{
    struct timespec wall;

    if (!r->first) {
        return 0;
    }
    clock_gettime(CLOCK_REALTIME, &wall);
    return (timespec_to_ns(&wall) - (now_ns() - r->first)) / NSEC_PER_USEC;
}

static void
print_received(const struct receiver *r)
{
    double seconds = (double) (r->last - r->first) / NSEC_PER_SEC;

    /* Two frames make one interval, so the first of them does not count. */
    double rate = seconds > 0 ? (r->distinct - 1) / seconds : 0;

    printf("{\"received\": %" PRIu64 ", \"distinct\": %" PRIu64
           ", \"duplicates\": %" PRIu64 ", \"reordered\": %" PRIu64
           ", \"foreign\": %" PRIu64 ", \"socket_drops\": %" PRIu32
           ", \"seconds\": %.6f, \"rate\": %.1f, \"silence_ms\": %" PRId64
           ", \"first_us\": %" PRId64,
           r->distinct + r->duplicates, r->distinct, r->duplicates,
           r->reordered, r->foreign, socket_drops(r->fd), seconds, rate,
           r->silence / NSEC_PER_MSEC, first_us(r));
    if (r->latency.n) {
        printf(", \"latency_us\": {\"median\": %.1f, \"p99\": %.1f, "
               "\"max\": %.1f}",
               histogram_percentile(&r->latency, 50) / NSEC_PER_USEC,
               histogram_percentile(&r->latency, 99) / NSEC_PER_USEC,
               (double) r->latency.max / NSEC_PER_USEC);
    } else {
        printf(", \"latency_us\": null");
    }
    printf("}\n");
}

/* Where recvmmsg() puts what it receives. */
struct batch {
    struct mmsghdr msgs[MAX_BATCH];
    struct iovec iovs[MAX_BATCH];
    uint8_t payloads[MAX_BATCH][sizeof(struct probe)];
};

static void
batch_init(struct batch *b)
{
    for (size_t i = 0; i < MAX_BATCH; i++) {
        /* What follows the probe in a datagram is padding and is cut. */
        b->iovs[i].iov_base = b->payloads[i];
        b->iovs[i].iov_len = sizeof b->payloads[i];
        b->msgs[i].msg_hdr.msg_iov = &b->iovs[i];
        b->msgs[i].msg_hdr.msg_iovlen = 1;
    }
}

/* Receives what there is for 'r', for no longer than 'tick'.  If 'tick' is 0,
 * waits for something to come, RECV_TICK_NS at most.  Returns the time. */
static int64_t
receiver_run(struct receiver *r, struct batch *b, int64_t tick)
{
    int flags = tick ? MSG_DONTWAIT : MSG_WAITFORONE;
    int64_t end = now_ns() + tick;
    int64_t now;
    int n;

    do {
        n = recvmmsg(r->fd, b->msgs, MAX_BATCH, flags, NULL);
        now = now_ns();
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            die_errno("recvmmsg");
        }
        for (int i = 0; i < n; i++) {
            receiver_take(r, b->payloads[i], b->msgs[i].msg_len, now);
        }
    } while (n == MAX_BATCH && now < end);
    return now;
}

/* Returns whether each of the 'n' receivers has seen 'count' frames. */
static bool
receivers_complete(const struct receiver *receivers, size_t n, uint64_t count)
{
    for (size_t i = 0; i < n; i++) {
        if (receivers[i].distinct < count) {
            return false;
        }
    }
    return true;
}

/* Returns when the last frame came to any of the 'n' receivers, 0 if there was
 * none. */
static int64_t
receivers_last(const struct receiver *receivers, size_t n)
{
    int64_t last = 0;

    for (size_t i = 0; i < n; i++) {
        if (receivers[i].last > last) {
            last = receivers[i].last;
        }
    }
    return last;
}

static int
recv_main(int argc, char *argv[])
{
    static struct receiver receivers[MAX_PORTS];
    static struct batch batch;
    struct options options;

    options = parse_options(argc, argv, recv_options, 1, MAX_PORTS,
                            "a port, or several");
    size_t n = argc - optind;
    if (n > 1 && !options.tick) {
        die(2, "recv needs --tick-ms for several ports");
    }

    batch_init(&batch);

    catch_signals();
    for (size_t i = 0; i < n; i++) {
        receivers[i].fd = open_receiver(parse_port(argv[optind + i]));
        receivers[i].run = options.run;
    }

    int64_t now = now_ns();
    int64_t end = deadline_after(now, options.duration);
    int64_t last = 0;
    while (!stopped && !receivers_complete(receivers, n, options.count)
           && now < end && (!last || now - last < options.idle)) {
        if (options.tick) {
            sleep_until(now + options.tick);
        }
        for (size_t i = 0; i < n; i++) {
            now = receiver_run(&receivers[i], &batch, options.tick);
        }
        last = receivers_last(receivers, n);
    }

    for (size_t i = 0; i < n; i++) {
        print_received(&receivers[i]);
        free(receivers[i].seen);
        close(receivers[i].fd);
    }
    flush_stdout();
    return 0;
}

/* CPU time. */

static int
cpu_main(int argc, char *argv[])
{
    if (argc < 2) {
        die(2, "cpu needs at least one process id");
    }
    for (int i = 1; i < argc; i++) {
        pid_t pid = parse_uint("process id", argv[i], 1, INT32_MAX);
        struct timespec ts;
        clockid_t clock;
        int error = clock_getcpuclockid(pid, &clock);

        if (!error && clock_gettime(clock, &ts)) {
            error = errno;
        }
        if (error) {
            die(EXIT_FAILURE, "process %s: %s", argv[i], strerror(error));
        }
        printf("%" PRId64 "\n", timespec_to_ns(&ts));
    }
    flush_stdout();
    return 0;
}

static void
usage(FILE *stream)
{
    fputs("usage: bench-probe send ADDRESS PORT [--rate N] [--count N] "
          "[--seconds S]\n"
          "                        [--size BYTES] [--run ID]\n"
          "       bench-probe recv PORT... [--count N] [--seconds S] "
          "[--idle-ms N]\n"
          "                        [--tick-ms N] [--run ID]\n"
          "       bench-probe cpu PID...\n",
          stream);
}

int
main(int argc, char *argv[])
{
    static const struct command {
        const char *name;
        int (*run)(int argc, char *argv[]);
    } commands[] = {
        { "send", send_main },
        { "recv", recv_main },
        { "cpu", cpu_main },
    };

    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
        usage(stdout);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(argv[1], commands[i].name)) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    die(2, "\"%s\" is not a command: send, recv or cpu", argv[1]);
}
