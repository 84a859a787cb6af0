/* SPDX-License-Identifier: Apache-2.0 */

/* bench-peers: many relays for one relay to talk to.
 *
 *     bench-peers ADDRESS PORT [--peers N] [--silent N] [--vni VNI] [--seconds
 * S]
 *
 * Stands in for --peers (200) relays at once.  Each has a UDP socket of its
 * own: the first on ADDRESS, the others on the addresses that follow it, all
 * of them on PORT.  This host must have these addresses already.
 *
 * Each does in the mesh what a relay does that gets frames and has none to
 * send.  It has its own relay id, session and local MAC.  It learns where the
 * relay under test is from that one's first hello, answers at once if asked to
 * and says hello every second from then on, with the echo and with what has
 * come and what is missing.  The peers take turns in that second, because real
 * relays have nothing that would make them speak at the same time.  The last
 * --silent of them hear everything and say nothing.
 *
 * With --vni each says that it has a VXLAN tunnel with that VNI, and that
 * probes come through it, as they do; what comes to UDP port 4789 with the VNI
 * is counted for all of them together.
 *
 * What comes is looked at no more often than every TICK_MS, so that a burst
 * wakes this process up once and not 200 times: waking others up is work that
 * a relay has to do on one machine, and does not have to do on a network.
 *
 * Ends --seconds after its start, or on SIGTERM or SIGINT, and then prints one
 * line of JSON:
 *
 *     hellos          that came to all sockets
 *     asked, met      on how many sockets any came, and such that echo ours
 *     frames          that came to all sockets in either format; those in our
 *                     own, which are numbered, count once each
 *     least, most     of these on any one socket
 *     snowsignal      how many of the frames were in SnowSignal's format
 *     missing         numbered frames that have not come
 *     duplicates      numbered frames that have come again
 *     malformed       datagrams that are neither
 *     tunnelled       broadcast frames that came in VXLAN
 *     socket_drops    datagrams that the sockets had no room for
 *
 * The exit status is 0 if the sockets could be opened, 1 if not, 2 for a wrong
 * command line. */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "hello.h"
#include "liveness.h"
#include "openvswitch/util.h"
#include "util.h"
#include "window.h"
#include "wire.h"

enum {
    MAX_PEERS = 1000,
    INTERVAL_MS = 1000, /* Between hellos. */
    TICK_MS = 1,

    VXLAN_PORT = 4789,

    /* Datagrams in one system call. */
    BATCH = 32,

    /* Enough of a datagram to count a frame and to read any hello. */
    DATAGRAM_BYTES = 1024,

    /* Room for bursts in the kernel: what gets lost is to be the relay's loss
     * and not that of a receiver that had to wait for a CPU. */
    SOCKET_BUFFER = 4 * 1024 * 1024,

    USEC_PER_MSEC = 1000
};

/* A relay that is not there, and what it knows of the one that is. */
struct stand_in {
    int fd;
    bool silent;
    uint64_t id;
    uint64_t session;
    struct eth_addr mac;

    /* The last hello. */
    bool has_echo;
    struct sockaddr_in from;
    uint64_t relay_session;
    struct hello heard;
    int64_t arrived; /* us. */

    bool met;             /* Has it echoed one of our hellos? */
    struct window window; /* Of its frames. */

    uint64_t hellos;
    uint64_t snowsignal; /* Frames in that format. */
    uint64_t malformed;
};

static struct stand_in peers[MAX_PEERS];
static size_t n_peers = 200;

/* VXLAN (RFC 7348). */
static uint32_t vni; /* 0 for none. */
static int tunnel_fd = -1;
static uint64_t tunnelled;

static volatile sig_atomic_t stopped;

static int64_t
now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

/* Saying hello. */

/* Returns true if the relay's hellos come, or came until now. */
static bool
is_heard(const struct stand_in *p, int64_t now)
{
    int64_t ms = (now - p->arrived) / USEC_PER_MSEC;

    return p->has_echo && ms < LIVENESS_MAX_MISSED * p->heard.interval;
}

static void
say_hello(const struct stand_in *p, int64_t now)
{
    uint8_t datagram[WIRE_HEADER_LEN + HELLO_MAX_LEN];
    const struct hello h = {
        .version_min = WIRE_VERSION_MIN,
        .version_max = WIRE_VERSION_MAX,
        .answer = !is_heard(p, now),
        .interval = INTERVAL_MS,
        .timestamp = now,
        .path = 1,
        .echo_path = p->heard.path,
        .echo_session = p->relay_session,
        .echo_timestamp = p->heard.timestamp,
        .held = MIN(now - p->arrived, UINT32_MAX),
        .received = p->window.received,
        .lost = p->window.lost,
        .macs[0] = p->mac,
        .n_macs = 1,
        .tunnel = { .type = vni ? HELLO_VXLAN : HELLO_NO_TUNNEL,
                    .vni = vni,
                    .token = p->id,
                    .hears = p->hellos > 1 },
    };

    wire_encode_header(datagram, WIRE_TYPE_HELLO, p->id, p->session, 0);
    size_t length =
        hello_encode(&h, datagram + WIRE_HEADER_LEN, HELLO_MAX_LEN);

    /* As a relay's own, a hello that the kernel does not take is lost. */
    ignore(sendto(p->fd, datagram, WIRE_HEADER_LEN + length, 0,
                  (const struct sockaddr *) &p->from, sizeof p->from));
}

/* Has those say hello whose turn has come.  Returns when the next turn is. */
static int64_t
take_turns(int64_t start, int64_t now)
{
    static uint64_t turn;

    for (;; turn++) {
        const struct stand_in *p = &peers[turn % n_peers];
        int64_t due =
            start + turn * (uint64_t) INTERVAL_MS * USEC_PER_MSEC / n_peers;

        if (due > now) {
            return due;
        }
        if (p->has_echo && !p->silent) {
            say_hello(p, now);
        }
    }
}

/* Hearing. */

static void
take_hello(struct stand_in *p, const struct wire *w,
           const struct sockaddr_in *from, int64_t now)
{
    struct hello h;

    if (!hello_decode(w->body, w->length, &h)) {
        p->malformed++;
        return;
    }
    if (p->relay_session != w->session) {
        window_restart(&p->window);
    }
    p->hellos++;
    p->has_echo = true;
    p->from = *from;
    p->relay_session = w->session;
    p->heard = h;
    p->arrived = now;
    p->met |= h.echo_session == p->session;
    window_expect(&p->window, w->seq);
    if (h.answer && !p->silent) {
        say_hello(p, now);
    }
}

static void
take_datagram(struct stand_in *p, uint8_t *datagram, size_t length,
              const struct sockaddr_in *from, int64_t now)
{
    struct wire w;

    wire_decode(datagram, length, &w);
    switch (w.kind) {
    case WIRE_SNOWSIGNAL: p->snowsignal++; break;
    case WIRE_FRAME: window_take(&p->window, w.seq); break;
    case WIRE_HELLO: take_hello(p, &w, from, now); break;
    case WIRE_BYE: p->has_echo = false; break;
    case WIRE_MALFORMED:
    case WIRE_NEWER:
    case WIRE_SEALED:
    case WIRE_OTHER: p->malformed++; break;
    }
}

/* Takes in all that has come for 'p'. */
static void
receive(struct stand_in *p)
{
    static uint8_t datagrams[BATCH][DATAGRAM_BYTES];
    struct sockaddr_in from[BATCH];
    struct iovec iovs[BATCH];
    struct mmsghdr msgs[BATCH];
    int n;

    do {
        for (size_t i = 0; i < BATCH; i++) {
            iovs[i] = (struct iovec){ datagrams[i], sizeof datagrams[i] };
            msgs[i].msg_hdr = (struct msghdr){
                .msg_name = &from[i],
                .msg_namelen = sizeof from[i],
                .msg_iov = &iovs[i],
                .msg_iovlen = 1,
            };
        }
        n = recvmmsg(p->fd, msgs, BATCH, MSG_DONTWAIT, NULL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            ovs_fatal(errno, "recvmmsg");
        }
        int64_t now = now_us();
        for (int i = 0; i < n; i++) {
            take_datagram(p, datagrams[i], msgs[i].msg_len, &from[i], now);
        }
    } while (n == BATCH);
}

/* Takes in all that has come in VXLAN: behind a header of 8 bytes, in which
 * the VNI is at 4, an Ethernet frame. */
static void
receive_tunnelled(void)
{
    static const uint8_t broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static uint8_t packets[BATCH][DATAGRAM_BYTES];
    const uint8_t wanted[] = { vni >> 16, vni >> 8, vni };
    struct iovec iovs[BATCH];
    struct mmsghdr msgs[BATCH];
    int n;

    do {
        for (size_t i = 0; i < BATCH; i++) {
            iovs[i] = (struct iovec){ packets[i], sizeof packets[i] };
            msgs[i].msg_hdr =
                (struct msghdr){ .msg_iov = &iovs[i], .msg_iovlen = 1 };
        }
        n = recvmmsg(tunnel_fd, msgs, BATCH, MSG_DONTWAIT, NULL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            ovs_fatal(errno, "recvmmsg");
        }
        for (int i = 0; i < n; i++) {
            tunnelled +=
                (msgs[i].msg_len >= 8 + sizeof broadcast
                 && !memcmp(packets[i] + 4, wanted, sizeof wanted)
                 && !memcmp(packets[i] + 8, broadcast, sizeof broadcast));
        }
    } while (n == BATCH);
}

/* Life. */

/* Returns a UDP socket bound to 'at' that 'epoll' tells of, with 'ptr'. */
static int
open_socket(const struct sockaddr_in *at, int epoll, void *ptr)
{
    const int size = SOCKET_BUFFER;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = ptr };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        ovs_fatal(errno, "socket");
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size)) {
        ovs_fatal(errno, "SO_RCVBUF");
    }
    if (bind(fd, (const struct sockaddr *) at, sizeof *at)) {
        char text[INET_ADDRSTRLEN];

        ovs_fatal(errno, "%s",
                  inet_ntop(AF_INET, &at->sin_addr, text, sizeof text));
    }
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
        ovs_fatal(errno, "epoll_ctl");
    }
    return fd;
}

static void
open_tunnels(int epoll)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_port = htons(VXLAN_PORT),
    };

    tunnel_fd = open_socket(&at, epoll, NULL);
}

static void
open_peer(struct stand_in *p, size_t i, in_addr_t first, uint16_t port,
          int epoll)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(first + i),
    };

    p->fd = open_socket(&at, epoll, p);
    p->id = UINT64_C(0x0201000000000000) + i + 1;
    p->mac = (struct eth_addr) ETH_ADDR_C(02, 01, 00, 00, 00, 00);
    p->mac.ea[4] = (i + 1) >> 8;
    p->mac.ea[5] = i + 1;
    window_init(&p->window);
    if (getrandom(&p->session, sizeof p->session, 0) < 0) {
        ovs_fatal(errno, "getrandom");
    }
    p->session |= 1; /* 0 is none. */
}

/* Returns how many datagrams the socket itself has dropped. */
static uint32_t
socket_drops(int fd)
{
    uint32_t meminfo[SK_MEMINFO_VARS] = { 0 };
    socklen_t size = sizeof meminfo;

    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, meminfo, &size)) {
        ovs_fatal(errno, "SO_MEMINFO");
    }
    return meminfo[SK_MEMINFO_DROPS];
}

/* Prints what has come.  It is the result: if it cannot be written, there is
 * none. */
static void
print_counts(void)
{
    uint64_t hellos = 0, asked = 0, met = 0, frames = 0, least = UINT64_MAX;
    uint64_t most = 0, snowsignal = 0, missing = 0, duplicates = 0;
    uint64_t malformed = 0, drops = 0;

    for (size_t i = 0; i < n_peers; i++) {
        const struct stand_in *p = &peers[i];
        uint64_t n = p->window.received + p->snowsignal;

        hellos += p->hellos;
        asked += p->hellos > 0;
        met += p->met;
        frames += n;
        least = MIN(least, n);
        most = MAX(most, n);
        snowsignal += p->snowsignal;
        missing += p->window.lost;
        duplicates += p->window.duplicated;
        malformed += p->malformed;
        drops += socket_drops(p->fd);
    }
    if (vni) {
        drops += socket_drops(tunnel_fd);
    }
    printf("{\"peers\": %" PRIuSIZE ", \"hellos\": %" PRIu64
           ", \"asked\": %" PRIu64 ", \"met\": %" PRIu64
           ", \"frames\": %" PRIu64 ", \"least\": %" PRIu64
           ", \"most\": %" PRIu64 ", \"snowsignal\": %" PRIu64
           ", \"missing\": %" PRIu64 ", \"duplicates\": %" PRIu64
           ", \"malformed\": %" PRIu64 ", \"tunnelled\": %" PRIu64
           ", \"socket_drops\": %" PRIu64 "}\n",
           n_peers, hellos, asked, met, frames, least, most, snowsignal,
           missing, duplicates, malformed, tunnelled, drops);
    if (fflush(stdout) || ferror(stdout)) {
        ovs_fatal(errno, "standard output");
    }
}

static void
on_signal(int signo OVS_UNUSED)
{
    stopped = true;
}

/* Hears and speaks until 'end' or a signal. */
static void
run(int epoll, int64_t start, int64_t end)
{
    static struct epoll_event events[MAX_PEERS + 1];
    const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };

    while (!stopped) {
        int64_t now = now_us();

        if (now >= end) {
            break;
        }
        int64_t wait = MIN(take_turns(start, now), end) - now;
        int n = epoll_wait(epoll, events, n_peers + 1,
                           DIV_ROUND_UP(wait, USEC_PER_MSEC));
        if (n < 0 && errno != EINTR) {
            ovs_fatal(errno, "epoll_wait");
        }
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr) {
                receive(events[i].data.ptr);
            } else {
                receive_tunnelled();
            }
        }
        nanosleep(&tick, NULL);
    }
}

/* Command line. */

enum { EXIT_USAGE = 2 };

static unsigned int
parse_number(const char *name, const char *s, unsigned int min,
             unsigned int max)
{
    unsigned int value;

    if (!str_to_uint(s, 10, &value) || value < min || value > max) {
        fprintf(stderr, "%s: %s: \"%s\" is not a number from %u to %u\n",
                program_name, name, s, min, max);
        exit(EXIT_USAGE);
    }
    return value;
}

static _Noreturn void
usage(int status)
{
    fputs("usage: bench-peers ADDRESS PORT [--peers N] [--silent N] "
          "[--vni VNI] [--seconds S]\n",
          status ? stderr : stdout);
    exit(status);
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "peers", required_argument, NULL, 'p' },
        { "silent", required_argument, NULL, 'q' },
        { "vni", required_argument, NULL, 'v' },
        { "seconds", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    const struct sigaction action = { .sa_handler = on_signal };
    unsigned int n_silent = 0, seconds = 0;
    struct in_addr first;
    int c;

    ovs_set_program_name(argv[0], SNOWRELAY_VERSION);
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'p':
            n_peers = parse_number("--peers", optarg, 1, MAX_PEERS);
            break;
        case 'q':
            n_silent = parse_number("--silent", optarg, 0, MAX_PEERS);
            break;
        case 'v': vni = parse_number("--vni", optarg, 1, HELLO_MAX_VNI); break;
        case 's': seconds = parse_number("--seconds", optarg, 1, 86400); break;
        case 'h': usage(0);
        default: usage(EXIT_USAGE);
        }
    }
    if (argc - optind != 2 || !inet_aton(argv[optind], &first)
        || n_silent > n_peers) {
        usage(EXIT_USAGE);
    }
    uint16_t port = parse_number("port", argv[optind + 1], 1, UINT16_MAX);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        ovs_fatal(errno, "epoll_create1");
    }
    for (size_t i = 0; i < n_peers; i++) {
        open_peer(&peers[i], i, ntohl(first.s_addr), port, epoll);
        peers[i].silent = i >= n_peers - n_silent;
    }

    if (vni) {
        open_tunnels(epoll);
    }

    /* No SA_RESTART: a signal has to get through to the loop. */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    int64_t start = now_us();
    run(epoll, start,
        seconds ? start + seconds * INT64_C(1000000) : INT64_MAX);
    print_counts();
    return 0;
}
