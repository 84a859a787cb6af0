/* SPDX-License-Identifier: Apache-2.0 */

/* bench-switch: what two switches allow a relay at most.
 *
 *     bench-switch FROM TO ACTIONS COUNTS
 *
 * A relay with no work of its own.  One process reads what the switch FROM
 * punts, as the relay does, in large pieces (channel.h), takes the frames out
 * of it (punt.h) and passes them on; another one, its child, hands the very
 * same frames to the switch TO, in packet-outs with ACTIONS (emit.h), as many
 * with one write as there are.  Both run in the same modules as the relay
 * where the switches are concerned, and beyond that do nothing: no frame is
 * looked at, there are no peers, no checks, no limits and no counting but of
 * frames.  FROM and TO are OVS connection methods; flows that punt are for
 * somebody else to put in place.
 *
 * The network between the two is left out as well.  What stands for it is a
 * pair of local sockets that carries all frames of one read in one message, so
 * that two system calls move hundreds of them.  It holds PAIR_BYTES.  When the
 * switch TO does not read as fast as the switch FROM punts, what has no room
 * is dropped there, and counted.
 *
 * A switch is spared a round of its main loop for each frame that is handed to
 * it together with another one, and where CPUs are shared that is what the
 * other switch lacks then: its socket for packets overflows.  So between two
 * writes of the second process there are at least PAUSE_US, and what comes
 * meanwhile is handed over together.  At the low rate at which latency is
 * measured it never has to wait for that.
 *
 * COUNTS is a file of three 64-bit numbers in the machine's byte order, always
 * up to date: frames passed on by the first process, frames that it dropped,
 * frames that the switch TO has read from the second process.
 *
 * When both are connected it prints a line, the pids of both processes.  Ends
 * on SIGTERM, or when the connection to one of the switches is lost. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "emit.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "punt.h"
#include "timeval.h"
#include "util.h"

enum {
    EXIT_USAGE = 2,

    /* Frames with their lengths in one message: as much as one read of the
     * channel holds. */
    MESSAGE_BYTES = 128 * 1024,

    PAIR_BYTES = 4 * 1024 * 1024,

    /* See above. */
    PAUSE_US = 500,

    /* Frames to hand over together.  With another message, and all that is put
     * in front of each frame, they are less than the ring of emissions. */
    GATHER_BYTES = 128 * 1024
};

static struct counts {
    uint64_t passed_on;
    uint64_t dropped;
    uint64_t emitted;
} * counts;

/* A message for the other process: for each frame its length, in 2 bytes, and
 * its bytes. */
struct message {
    size_t length;
    unsigned int n_frames;
    uint8_t bytes[MESSAGE_BYTES];
};

static void
open_counts(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || ftruncate(fd, sizeof *counts)) {
        ovs_fatal(errno, "%s", name);
    }
    counts =
        mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (counts == MAP_FAILED) {
        ovs_fatal(errno, "%s", name);
    }
    close(fd);
}

static void
open_pair(int fds[2])
{
    const int size = PAIR_BYTES;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds)) {
        ovs_fatal(errno, "socketpair");
    }
    if (setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)) {
        ovs_fatal(errno, "SO_SNDBUFFORCE");
    }
}

/* Connects to 'target'.  Nothing goes out through 'emit' meanwhile. */
static struct channel *
connect_to(const char *target, struct emit *emit)
{
    struct channel *c = channel_create(target);

    for (;;) {
        bool more;

        channel_run(c, emit);
        channel_read(c, &more);
        while (channel_next(c)) {
            continue;
        }
        channel_write(c, emit);
        if (channel_is_open(c)) {
            return c;
        }
        channel_wait(c, emit);
        poll_block();
    }
}

/* Keeps the channel up.  There is nothing to measure without it. */
static void
keep(struct channel *c, struct emit *emit)
{
    channel_run(c, emit);
    if (!channel_is_open(c)) {
        ovs_fatal(0, "the switch is gone");
    }
}

/* Sends 'm' to the other process and empties it. */
static void
send_message(int fd, struct message *m)
{
    if (!m->length) {
        return;
    }
    if (send(fd, m->bytes, m->length, MSG_NOSIGNAL) >= 0) {
        counts->passed_on += m->n_frames;
    } else if (errno == EAGAIN) {
        counts->dropped += m->n_frames;
    } else {
        ovs_fatal(errno, "send");
    }
    m->length = m->n_frames = 0;
}

static void
put_frame(int fd, struct message *m, const struct punt *p)
{
    const uint16_t length = p->length;

    if (m->length + sizeof length + length > sizeof m->bytes) {
        send_message(fd, m);
    }
    memcpy(m->bytes + m->length, &length, sizeof length);
    memcpy(m->bytes + m->length + sizeof length, p->frame, length);
    m->length += sizeof length + length;
    m->n_frames++;
}

/* The first process: from the switch to 'fd'. */
static _Noreturn void
read_punts(struct channel *c, struct emit *nothing, int fd)
{
    static struct message m;

    for (;;) {
        bool more = true;

        keep(c, nothing);
        while (more && channel_read(c, &more)) {
            struct ofp_header *oh;
            struct punt p;

            while ((oh = channel_next(c))) {
                if (punt_decode(oh, &p)) {
                    put_frame(fd, &m, &p);
                }
            }
            send_message(fd, &m);
        }
        channel_write(c, nothing);
        channel_wait(c, nothing);
        poll_block();
    }
}

/* Receives a message.  Returns false if there is none yet. */
static bool
receive_message(int fd, struct message *m)
{
    ssize_t n = recv(fd, m->bytes, sizeof m->bytes, 0);

    if (n < 0 && errno == EAGAIN) {
        return false;
    }
    if (n <= 0) {
        ovs_fatal(n ? errno : 0, "recv");
    }
    m->length = n;
    return true;
}

static void
put_frames(struct emit *emit, const struct message *m)
{
    for (size_t ofs = 0; ofs < m->length;) {
        uint16_t length;

        memcpy(&length, m->bytes + ofs, sizeof length);
        ofs += sizeof length;
        emit_put(emit, m->bytes + ofs, length, false, time_msec());
        ofs += length;
    }
}

/* Puts what has come, and what comes until PAUSE_US have gone by since it did
 * so before. */
static void
gather(struct emit *emit, int fd)
{
    static struct message m;
    static long long int next;

    size_t n_bytes = 0;

    while (n_bytes < GATHER_BYTES && receive_message(fd, &m)) {
        long long int now = time_usec();

        put_frames(emit, &m);
        if (!n_bytes && now < next) {
            usleep(next - now);
        }
        n_bytes += m.length;
    }
    if (n_bytes) {
        next = time_usec() + PAUSE_US;
    }
}

/* The second process: from 'fd' to the switch.  It takes more when the switch
 * has read all, so the ring is never too small. */
static _Noreturn void
write_frames(struct channel *c, struct emit *emit, int fd)
{
    for (;;) {
        bool more;

        keep(c, emit);
        if (channel_read(c, &more)) {
            while (channel_next(c)) {
                continue;
            }
        }
        for (;;) {
            counts->emitted += channel_write(c, emit);
            if (emit_count(emit)) {
                break; /* The switch does not read. */
            }
            gather(emit, fd);
            if (!emit_count(emit)) {
                poll_fd_wait(fd, POLLIN);
                break;
            }
        }
        channel_wait(c, emit);
        poll_block();
    }
}

/* Starts the second process, which ends with this one, and returns its pid
 * once it is connected. */
static pid_t
start_writer(const char *target, const char *actions, const int fds[2])
{
    int ready[2];
    char byte;

    if (pipe(ready)) {
        ovs_fatal(errno, "pipe");
    }
    pid_t pid = fork();
    if (pid < 0) {
        ovs_fatal(errno, "fork");
    }
    if (!pid) {
        struct emit *emit = emit_create();

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        close(fds[0]);
        close(ready[0]);
        char *error = emit_set_actions(emit, actions, actions);
        if (error) {
            ovs_fatal(0, "%s", error);
        }
        struct channel *c = connect_to(target, emit);
        if (write(ready[1], "", 1) != 1) {
            ovs_fatal(errno, "pipe");
        }
        close(ready[1]);
        write_frames(c, emit, fds[1]);
    }
    close(fds[1]);
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        ovs_fatal(0, "%s: cannot connect", target);
    }
    close(ready[0]);
    return pid;
}

int
main(int argc, char *argv[])
{
    int fds[2];

    ovs_set_program_name(argv[0], SNOWRELAY_VERSION);
    if (argc != 5) {
        fputs("usage: bench-switch FROM TO ACTIONS COUNTS\n", stderr);
        return EXIT_USAGE;
    }
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
    open_counts(argv[4]);
    open_pair(fds);

    pid_t writer = start_writer(argv[2], argv[3], fds);
    struct emit *nothing = emit_create();
    struct channel *c = connect_to(argv[1], nothing);

    printf("%ld %ld\n", (long int) getpid(), (long int) writer);
    if (fflush(stdout)) {
        ovs_fatal(errno, "standard output");
    }
    read_punts(c, nothing, fds[0]);
}
