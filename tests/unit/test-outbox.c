/* SPDX-License-Identifier: Apache-2.0 */

/* Frames on their way to the peers, through real sockets of a loopback with
 * the MTU of an Ethernet. */

#include <config.h>
#include "support.h"

#include "outbox.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frame.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "peers.h"
#include "remotes.h"
#include "seal.h"
#include "util.h"
#include "wire.h"

enum {
    MTU = 1500,
    MAX_OTHERS = 2,
    RELAY_ID = 0x1234,
    SESSION = 77,
    SALT = 7,
    SNDBUF = 4 * 1024 * 1024
};

/* The kernel, as the outbox sees it: the real one but for what it is told to
 * refuse. */
static struct {
    int ignorance;   /* errno of UDP_SEGMENT, 0 if it is known. */
    int refuse_runs; /* errno of all runs, 0 for none. */
    int refuse_all;  /* The same of everything. */
    unsigned int n_calls;
    unsigned int n_messages; /* That were taken. */
    unsigned int n_runs;     /* Those of them that were runs. */
    unsigned int n_tried;    /* Runs, those included that were refused. */
} kernel;

int
setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    if (level == IPPROTO_UDP && option == UDP_SEGMENT && kernel.ignorance) {
        errno = kernel.ignorance;
        return -1;
    }
    return syscall(SYS_setsockopt, fd, level, option, value, length);
}

static bool
is_run(const struct mmsghdr *msg)
{
    return msg->msg_hdr.msg_controllen > 0;
}

int
sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags)
{
    unsigned int n_willing = 0;
    int retval = 0;

    kernel.n_calls++;
    while (n_willing < n && !kernel.refuse_all
           && !(kernel.refuse_runs && is_run(&msgs[n_willing]))) {
        n_willing++;
    }
    if (n_willing) {
        retval = syscall(SYS_sendmmsg, fd, msgs, n_willing, flags);
    } else {
        errno = kernel.refuse_all ? kernel.refuse_all : kernel.refuse_runs;
        retval = -1;
    }
    for (int i = 0; i < retval; i++) {
        kernel.n_messages++;
        kernel.n_runs += is_run(&msgs[i]);
        kernel.n_tried += is_run(&msgs[i]);
    }
    kernel.n_tried += retval < 0 && is_run(msgs);
    return retval;
}

/* An outbox and the peers that it sends to. */
struct fixture {
    int fd;
    struct outbox *outbox;
    struct peers peers;
    struct peer all[MAX_OTHERS];
    struct remote remotes[MAX_OTHERS];
    int others[MAX_OTHERS]; /* The peers' sockets. */
};

static socklen_t
make_address(bool ipv6, struct sockaddr_storage *ss)
{
    struct endpoint local = { .port = 0 };

    assert_true(address_from_text(ipv6 ? "::1" : "127.0.0.1", &local.address));
    return endpoint_to_sockaddr(&local, ss);
}

static int
open_socket(bool ipv6)
{
    struct sockaddr_storage ss;
    const socklen_t length = make_address(ipv6, &ss);
    const int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const int size = SNDBUF, dont = IP_PMTUDISC_DONT;

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &ss, length), 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont, sizeof dont);
    return fd;
}

/* Makes an outbox with two peers: one that speaks our format, and one that
 * speaks SnowSignal's unless 'both'. */
static void
fixture_init(struct fixture *f, bool ipv6, bool both)
{
    memset(f, 0, sizeof *f);
    f->fd = open_socket(ipv6);
    f->outbox = outbox_create(f->fd);
    wire_encode_header(f->peers.header, WIRE_TYPE_FRAME, RELAY_ID, SESSION, 0);
    for (size_t i = 0; i < MAX_OTHERS; i++) {
        struct peer *peer = &f->all[i];

        f->others[i] = open_socket(ipv6);
        peer->ss_len = sizeof peer->ss;
        assert_int_equal(getsockname(f->others[i],
                                     (struct sockaddr *) &peer->ss,
                                     &peer->ss_len),
                         0);
        peer->name = CONST_CAST(char *, "peer");
        peer->max_segment = OUTBOX_ANY_LENGTH;
        peer->speaks_ours = !i || both;
        peer->remote = &f->remotes[i];
    }
    memset(&kernel, 0, sizeof kernel);
}

static void
fixture_destroy(struct fixture *f)
{
    outbox_destroy(f->outbox);
    close(f->fd);
    for (size_t i = 0; i < MAX_OTHERS; i++) {
        close(f->others[i]);
    }
    memset(&kernel, 0, sizeof kernel);
}

static void
fixture_seal(struct fixture *f)
{
    static const uint8_t bytes[SEAL_KEY_LEN] = "not a key that anybody has";
    struct seal_key key;

    seal_init();
    seal_key_set(&key, bytes);
    f->peers.sealed = true;
    for (size_t i = 0; i < MAX_OTHERS; i++) {
        sealer_set(&f->all[i].sealer, &key, SESSION, i, SALT);
    }
}

/* Makes frames of the 'n' lengths in 'lengths', of different content. */
static void
make_frames(const size_t *lengths, size_t n, struct frame *frames)
{
    static uint8_t bytes[OUTBOX_MAX_FRAMES][FRAME_MAX];

    for (size_t i = 0; i < n; i++) {
        memset(bytes[i], i, lengths[i]);
        frames[i] = (struct frame){ .bytes = bytes[i], .length = lengths[i] };
    }
}

/* Puts the 'n' 'frames' into the outbox for the first 'n_peers' peers and
 * sends them.  Returns the number of datagrams sent. */
static size_t
send_to(struct fixture *f, const struct frame *frames, size_t n,
        size_t n_peers, size_t *n_relayed)
{
    outbox_begin(f->outbox, frames);
    for (size_t j = 0; j < n_peers; j++) {
        for (size_t i = 0; i < n; i++) {
            outbox_put(f->outbox, &f->peers, &f->all[j], i);
        }
    }
    return outbox_end(f->outbox, n_relayed);
}

/* Receives a datagram at the 'i'th peer, which must have come, and returns its
 * length. */
static size_t
receive(const struct fixture *f, size_t i, uint8_t *received)
{
    struct pollfd pfd = { .fd = f->others[i], .events = POLLIN };

    assert_int_equal(poll(&pfd, 1, 5000), 1);
    ssize_t n = recv(pfd.fd, received, WIRE_MAX, 0);
    assert_true(n >= 0);
    return n;
}

static void
assert_nothing_came(const struct fixture *f, size_t i)
{
    struct pollfd pfd = { .fd = f->others[i], .events = POLLIN };

    assert_int_equal(poll(&pfd, 1, 20), 0);
}

/* Fails the test unless the 'length' bytes at 'datagram' are 'frame' for the
 * 'i'th peer, with the number 'seq'. */
static void
assert_is(const struct fixture *f, size_t i, uint8_t *datagram, size_t length,
          const struct frame *frame, uint64_t seq)
{
    uint8_t header[WIRE_HEADER_LEN];
    size_t header_len = WIRE_SNOWSIGNAL_LEN;

    if (f->peers.sealed) {
        struct seal_header h;
        bool newer;

        assert_true(seal_parse(datagram, length, &h, &newer));
        assert_true(h.seq == seq);
        assert_true(h.counter == seq);
        assert_true(
            seal_open(&f->all[i].sealer.subkey, datagram, length, &length));
        header_len = SEAL_HEADER_LEN;
        length += header_len;
    } else if (f->all[i].speaks_ours) {
        wire_encode_header(header, WIRE_TYPE_FRAME, RELAY_ID, SESSION, seq);
        assert_memory_equal(datagram, header, sizeof header);
        header_len = sizeof header;
    } else {
        assert_memory_equal(datagram, WIRE_SNOWSIGNAL_MAGIC, header_len);
    }
    assert_int_equal(length, header_len + frame->length);
    assert_memory_equal(datagram + header_len, frame->bytes, frame->length);
}

/* Fails the test unless the 'i'th peer gets the 'n' 'frames' and nothing else,
 * in their order, numbered from 'seq' on. */
static void
assert_gets(const struct fixture *f, size_t i, const struct frame *frames,
            size_t n, uint64_t seq)
{
    static uint8_t datagram[WIRE_MAX];

    for (size_t j = 0; j < n; j++) {
        const size_t length = receive(f, i, datagram);

        assert_is(f, i, datagram, length, &frames[j], seq + j);
    }
    assert_nothing_came(f, i);
}

/* Fails the test unless 'n' 'frames' have been counted for the 'i'th peer. */
static void
assert_counted(const struct fixture *f, size_t i, const struct frame *frames,
               size_t n)
{
    uint64_t bytes = 0;

    for (size_t j = 0; j < n; j++) {
        bytes += frames[j].length;
    }
    assert_int_equal(f->all[i].tx, n);
    assert_int_equal(f->all[i].tx_bytes, bytes);
    assert_int_equal(f->all[i].tx_errors, 0);
}

/* Sends frames of the 'n' lengths in 'lengths' to the first peer and fails the
 * test unless they arrive in 'n_messages' messages, of which 'n_runs' are
 * runs. */
static void
assert_messages(const size_t *lengths, size_t n, unsigned int n_messages,
                unsigned int n_runs)
{
    struct frame frames[OUTBOX_MAX_FRAMES];
    struct fixture f;
    size_t n_relayed;

    fixture_init(&f, false, true);
    assert_true(outbox_makes_runs(f.outbox));
    make_frames(lengths, n, frames);
    assert_int_equal(send_to(&f, frames, n, 1, &n_relayed), n);
    assert_int_equal(n_relayed, n);
    assert_int_equal(kernel.n_messages, n_messages);
    assert_int_equal(kernel.n_runs, n_runs);
    assert_int_equal(kernel.n_tried, n_runs);
    assert_gets(&f, 0, frames, n, 0);
    assert_counted(&f, 0, frames, n);
    fixture_destroy(&f);
}

static void
test_equally_long_datagrams_are_one_message(void **state OVS_UNUSED)
{
    assert_messages((size_t[]){ 60, 60, 60, 60, 60 }, 5, 1, 1);
}

static void
test_one_alone_is_no_run(void **state OVS_UNUSED)
{
    assert_messages((size_t[]){ 60 }, 1, 1, 0);
    assert_messages((size_t[]){ 60, 61, 62 }, 3, 3, 0);
    assert_messages(NULL, 0, 0, 0);
}

/* What is cut ends with one that may be shorter. */
static void
test_a_shorter_one_ends_a_run(void **state OVS_UNUSED)
{
    assert_messages((size_t[]){ 60, 60, 14, 60, 60, 80, 80, 14, 14 }, 9, 4, 3);
    assert_messages((size_t[]){ 100, 99, 98, 97 }, 4, 2, 2);
}

static void
test_runs_are_as_long_as_every_kernel_takes(void **state OVS_UNUSED)
{
    size_t lengths[OUTBOX_MAX_FRAMES];

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        lengths[i] = 60;
    }
    assert_messages(lengths, 256, 4, 4);
    assert_messages(lengths, 65, 2, 1);

    /* 45 of them are an IP packet. */
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        lengths[i] = 1400;
    }
    assert_messages(lengths, 60, 2, 2);
}

/* Frames of many lengths, in runs and not. */
static void
make_mixed_frames(struct frame *frames, size_t n)
{
    size_t lengths[OUTBOX_MAX_FRAMES];

    for (size_t i = 0; i < n; i++) {
        lengths[i] = i % 7 ? 60 + i / 11 * 20 : 14 + i;
    }
    make_frames(lengths, n, frames);
}

/* Each gets the datagrams that it would get one by one, whoever it is. */
static void
test_two_peers_get_all_in_their_formats(void **state OVS_UNUSED)
{
    for (int i = 0; i < 6; i++) {
        struct frame frames[OUTBOX_MAX_FRAMES];
        const size_t n = i / 2 % 3 ? 1 + 85 * (i / 2) : OUTBOX_MAX_FRAMES;
        struct fixture f;
        size_t n_relayed;

        fixture_init(&f, i % 2, false);
        make_mixed_frames(frames, n);
        for (uint64_t round = 0; round < 3; round++) {
            assert_int_equal(send_to(&f, frames, n, 2, &n_relayed), 2 * n);
            assert_int_equal(n_relayed, n);
            assert_gets(&f, 0, frames, n, n * round);
            assert_gets(&f, 1, frames, n, n * round);
        }
        assert_true(kernel.n_runs > 0);
        assert_int_equal(f.remotes[0].next_seq, 3 * n);
        assert_int_equal(f.all[0].tx, 3 * n);
        assert_int_equal(f.all[1].tx, 3 * n);
        fixture_destroy(&f);
    }
}

/* Also if the mesh is sealed only from now on. */
static void
test_two_peers_get_all_sealed(void **state OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct frame frames[OUTBOX_MAX_FRAMES];
        struct fixture f;
        size_t n_relayed;

        fixture_init(&f, ipv6, true);
        make_mixed_frames(frames, 200);
        assert_int_equal(send_to(&f, frames, 1, 2, &n_relayed), 2);
        assert_gets(&f, 0, frames, 1, 0);
        assert_gets(&f, 1, frames, 1, 0);

        fixture_seal(&f);
        f.remotes[0].next_seq = f.remotes[1].next_seq = 0;
        assert_int_equal(send_to(&f, frames, 200, 2, &n_relayed), 400);
        assert_int_equal(n_relayed, 200);
        assert_true(kernel.n_runs > 0);
        for (size_t i = 0; i < 2; i++) {
            assert_gets(&f, i, frames, 200, 0);
            assert_int_equal(f.all[i].tx, 201);
        }
        fixture_destroy(&f);
    }
}

/* They are sent in fragments, and asked for once. */
static void
test_what_is_longer_than_the_mtu(void **state OVS_UNUSED)
{
    const size_t lengths[] = { 3000, 3000, 3000, 60, 60, 60, 9000, 9000, 60 };
    const size_t n = ARRAY_SIZE(lengths);

    for (int i = 0; i < 4; i++) {
        struct frame frames[OUTBOX_MAX_FRAMES];
        struct fixture f;
        size_t n_relayed;

        fixture_init(&f, i % 2, true);
        if (i / 2) {
            fixture_seal(&f);
        }
        make_frames(lengths, n, frames);
        assert_int_equal(send_to(&f, frames, n, 1, &n_relayed), n);
        assert_int_equal(n_relayed, n);
        assert_gets(&f, 0, frames, n, 0);
        assert_counted(&f, 0, frames, n);
        assert_int_equal(kernel.n_runs, 1);
        assert_int_equal(kernel.n_tried, 2);

        assert_int_equal(send_to(&f, frames, n, 1, &n_relayed), n);
        assert_gets(&f, 0, frames, n, n);
        assert_int_equal(kernel.n_runs, 2);
        assert_int_equal(kernel.n_tried, 3);
        fixture_destroy(&f);
    }
}

/* The longest datagrams that the MTU lets through go in runs. */
static void
test_what_is_as_long_as_the_mtu(void **state OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        const size_t fits = MTU - (ipv6 ? 40 : 20) - 8 - WIRE_HEADER_LEN;
        const size_t lengths[] = { fits + 1, fits + 1, fits, fits, fits };
        struct frame frames[OUTBOX_MAX_FRAMES];
        struct fixture f;
        size_t n_relayed;

        fixture_init(&f, ipv6, true);
        make_frames(lengths, 5, frames);
        assert_int_equal(send_to(&f, frames, 5, 1, &n_relayed), 5);
        assert_gets(&f, 0, frames, 5, 0);
        assert_int_equal(kernel.n_tried, 2);
        assert_int_equal(kernel.n_runs, 1);
        fixture_destroy(&f);
    }
}

/* Nothing is lost, nothing comes twice, and the order stays. */
static void
test_runs_that_are_refused_go_one_by_one(void **state OVS_UNUSED)
{
    static const int errors[] = { EINVAL,     EMSGSIZE, EIO,    ENOPROTOOPT,
                                  EOPNOTSUPP, EPERM,    ENOMEM, ENOBUFS };

    for (size_t i = 0; i < 2 * ARRAY_SIZE(errors); i++) {
        struct frame frames[OUTBOX_MAX_FRAMES];
        struct fixture f;
        size_t n_relayed;

        fixture_init(&f, false, i % 2);
        if (i % 2) {
            fixture_seal(&f);
        }
        kernel.refuse_runs = errors[i / 2];
        make_mixed_frames(frames, 150);
        assert_int_equal(send_to(&f, frames, 150, 2, &n_relayed), 300);
        assert_int_equal(n_relayed, 150);
        assert_true(kernel.n_tried > 0);
        assert_int_equal(kernel.n_messages, 300);
        for (size_t j = 0; j < 2; j++) {
            assert_gets(&f, j, frames, 150, 0);
            assert_counted(&f, j, frames, 150);
        }
        fixture_destroy(&f);
    }
}

/* Where nothing can be cut no run is tried again until the peer gets another
 * address. */
static void
test_runs_that_cannot_be_are_tried_once(void **state OVS_UNUSED)
{
    struct frame frames[OUTBOX_MAX_FRAMES];
    struct fixture f;
    size_t n_relayed;

    fixture_init(&f, false, true);
    kernel.refuse_runs = EIO;
    make_frames((size_t[]){ 60, 60, 90, 90 }, 4, frames);
    for (uint64_t round = 0; round < 3; round++) {
        assert_int_equal(send_to(&f, frames, 4, 2, &n_relayed), 8);
        assert_gets(&f, 0, frames, 4, 4 * round);
        assert_gets(&f, 1, frames, 4, 4 * round);
    }
    assert_int_equal(kernel.n_tried, 2);
    fixture_destroy(&f);
}

/* It would send a run as one datagram. */
static void
test_a_kernel_that_knows_no_runs(void **state OVS_UNUSED)
{
    struct frame frames[OUTBOX_MAX_FRAMES];
    struct fixture f;
    size_t n_relayed;

    fixture_init(&f, false, true);
    outbox_destroy(f.outbox);
    kernel.ignorance = ENOPROTOOPT;
    f.outbox = outbox_create(f.fd);
    assert_false(outbox_makes_runs(f.outbox));
    make_mixed_frames(frames, 100);
    assert_int_equal(send_to(&f, frames, 100, 2, &n_relayed), 200);
    assert_int_equal(kernel.n_messages, 200);
    assert_int_equal(kernel.n_tried, 0);
    assert_gets(&f, 0, frames, 100, 0);
    assert_gets(&f, 1, frames, 100, 0);
    fixture_destroy(&f);
}

/* Then nobody gets anything, and what was not sent is an error of each. */
static void
test_no_room_in_the_kernel(void **state OVS_UNUSED)
{
    static const int errors[] = { EAGAIN, ENOBUFS };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct frame frames[OUTBOX_MAX_FRAMES];
        struct fixture f;
        size_t n_relayed;

        fixture_init(&f, false, true);
        kernel.refuse_all = errors[i];
        make_mixed_frames(frames, 50);
        assert_int_equal(send_to(&f, frames, 50, 2, &n_relayed), 0);
        assert_int_equal(n_relayed, 0);
        assert_int_equal(kernel.n_calls, 1); /* It has said so. */
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(f.all[j].tx, 0);
            assert_int_equal(f.all[j].tx_errors, 50);
            assert_nothing_came(&f, j);
        }

        /* The numbers are used up, and the next frames are none of those. */
        kernel.refuse_all = 0;
        assert_int_equal(send_to(&f, frames, 50, 2, &n_relayed), 100);
        assert_gets(&f, 0, frames, 50, 50);
        assert_gets(&f, 1, frames, 50, 50);
        fixture_destroy(&f);
    }
}

/* One frame counts once, and if anybody gets it. */
static void
test_a_peer_that_fails_does_not_keep_back_others(void **state OVS_UNUSED)
{
    for (size_t bad = 0; bad < 2; bad++) {
        struct frame frames[OUTBOX_MAX_FRAMES];
        struct fixture f;
        size_t n_relayed;

        fixture_init(&f, false, true);
        make_mixed_frames(frames, 100);
        ((struct sockaddr_in *) &f.all[bad].ss)->sin_port = 0;
        assert_int_equal(send_to(&f, frames, 100, 2, &n_relayed), 100);
        assert_int_equal(n_relayed, 100);
        assert_gets(&f, !bad, frames, 100, 0);
        assert_counted(&f, !bad, frames, 100);
        assert_int_equal(f.all[bad].tx, 0);
        assert_int_equal(f.all[bad].tx_bytes, 0);
        assert_int_equal(f.all[bad].tx_errors, 100);

        ((struct sockaddr_in *) &f.all[!bad].ss)->sin_port = 0;
        assert_int_equal(send_to(&f, frames, 100, 2, &n_relayed), 0);
        assert_int_equal(n_relayed, 0);
        fixture_destroy(&f);
    }
}

/* Gives this process a network of its own, of which the loopback is up and has
 * MTU.  Returns false if it may not. */
static bool
make_network(void)
{
    struct ifreq ifr = { .ifr_name = "lo" };

    if (unshare(CLONE_NEWNET)) {
        return false;
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ifr.ifr_flags = IFF_UP;
    bool up = !ioctl(fd, SIOCSIFFLAGS, &ifr);
    ifr.ifr_mtu = MTU;
    bool ok = up && !ioctl(fd, SIOCSIFMTU, &ifr);
    close(fd);
    return ok;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equally_long_datagrams_are_one_message),
        cmocka_unit_test(test_one_alone_is_no_run),
        cmocka_unit_test(test_a_shorter_one_ends_a_run),
        cmocka_unit_test(test_runs_are_as_long_as_every_kernel_takes),
        cmocka_unit_test(test_two_peers_get_all_in_their_formats),
        cmocka_unit_test(test_two_peers_get_all_sealed),
        cmocka_unit_test(test_what_is_longer_than_the_mtu),
        cmocka_unit_test(test_what_is_as_long_as_the_mtu),
        cmocka_unit_test(test_runs_that_are_refused_go_one_by_one),
        cmocka_unit_test(test_runs_that_cannot_be_are_tried_once),
        cmocka_unit_test(test_a_kernel_that_knows_no_runs),
        cmocka_unit_test(test_no_room_in_the_kernel),
        cmocka_unit_test(test_a_peer_that_fails_does_not_keep_back_others),
    };

    /* Who cannot be sent to need not be said. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);
    if (!make_network()) {
        printf("outbox: skipped, no network namespace: %s\n",
               ovs_strerror(errno));
        return 0;
    }
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
