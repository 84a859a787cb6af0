/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire.h"

#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "liveness.h"
#include "mesh.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "peers.h"
#include "remotes.h"
#include "timeval.h"
#include "util.h"

/* Ethernet, IP and UDP in front of the datagrams of snowsignal-mesh.pcap. */
enum { OUTER_HEADERS = 14 + 20 + 8 };

/* Where things are in our own header. */
enum {
    OFS_VERSION = 2,
    OFS_TYPE = 3,
    OFS_HEADER_LEN = 4,
    OFS_ZERO = 5,
    OFS_SEQ = 22
};

#define RELAY_ID UINT64_C(0x1112131415161718)
#define SESSION UINT64_C(0x2122232425262728)
#define SEQ UINT64_C(0x3132333435363738)

/* A header with these, by hand. */
static const uint8_t example[WIRE_HEADER_LEN] = {
    'S',  'R',  1,    3,    30,   0,                /* Up to the zero. */
    0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, /* Relay id. */
    0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, /* Session id. */
    0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, /* Seq. */
};

/* The datagrams of a capture of a mesh of SnowSignal nodes. */
static void
read_datagrams(struct capture *c)
{
    capture_read(c, "snowsignal-mesh.pcap");
    assert_int_equal(c->n, 10);
    for (size_t i = 0; i < c->n; i++) {
        struct packet *p = &c->packets[i];
        uint8_t *datagram =
            copy_exactly(p->bytes + OUTER_HEADERS, p->length - OUTER_HEADERS);

        free(p->bytes);
        p->bytes = datagram;
        p->length -= OUTER_HEADERS;
    }
}

/* What a "struct wire" holds where nothing has been filled in. */
static const struct wire untouched = {
    .relay_id = UINT64_C(0xa5a5a5a5a5a5a5a5),
    .session = UINT64_C(0xa6a6a6a6a6a6a6a6),
    .seq = UINT64_C(0xa7a7a7a7a7a7a7a7),
    .length = 0xa8,
};

/* Takes apart the 'length' bytes at 'datagram'. */
static struct wire
decode(uint8_t *datagram, size_t length)
{
    struct wire w = untouched;

    w.kind = UINT8_MAX; /* None. */
    wire_decode(datagram, length, &w);
    return w;
}

/* Fails the test unless nothing but the kind of 'w' is filled in. */
static void
assert_only_kind(const struct wire *w, enum wire_kind kind)
{
    assert_int_equal(w->kind, kind);
    assert_true(w->relay_id == untouched.relay_id);
    assert_true(w->session == untouched.session);
    assert_true(w->seq == untouched.seq);
    assert_null(w->body);
    assert_int_equal(w->length, untouched.length);
}

/* Fails the test unless 'w' is what 'datagram' holds, which has the ids of the
 * example and a body of the 'length' bytes at 'offset'. */
static void
assert_own(const struct wire *w, enum wire_kind kind, const uint8_t *datagram,
           size_t offset, size_t length)
{
    assert_int_equal(w->kind, kind);
    assert_true(w->relay_id == RELAY_ID);
    assert_true(w->session == SESSION);
    assert_true(w->seq == SEQ);
    assert_ptr_equal(w->body, datagram + offset);
    assert_int_equal(w->length, length);
}

/* SnowSignal's format. */

static void
test_captured_datagrams_hold_frames(void **state OVS_UNUSED)
{
    struct capture c;

    read_datagrams(&c);
    for (size_t i = 0; i < c.n; i++) {
        struct packet *p = &c.packets[i];
        const struct wire w = decode(p->bytes, p->length);
        struct frame frame;

        assert_int_equal(w.kind, WIRE_SNOWSIGNAL);
        assert_ptr_equal(w.body, p->bytes + 2);
        assert_int_equal(w.length, p->length - 2);
        assert_int_equal(frame_check(w.body, w.length, &frame), FRAME_OK);
        assert_true(frame.port == 5064 || frame.port == 5065
                    || frame.port == 5076);
    }
    capture_free(&c);
}

static void
assert_malformed(const void *bytes, size_t length)
{
    uint8_t *datagram = copy_exactly(bytes, length);
    const struct wire w = decode(datagram, length);

    assert_only_kind(&w, WIRE_MALFORMED);
    free(datagram);
}

static void
test_short_datagrams_are_malformed(void **state OVS_UNUSED)
{
    uint8_t datagram[] = "SS";

    assert_malformed("", 0);
    assert_malformed("S", 1);

    /* What an earlier datagram has left behind this one does not count. */
    assert_int_equal(decode(datagram, 0).kind, WIRE_MALFORMED);
    assert_int_equal(decode(datagram, 1).kind, WIRE_MALFORMED);
}

static void
test_datagrams_of_others_are_malformed(void **state OVS_UNUSED)
{
    assert_malformed("ss", 2);
    assert_malformed("S\0frame", 7);
    assert_malformed("Ssframe", 7);
    assert_malformed("sSframe", 7);
    assert_malformed("XSframe", 7);
    assert_malformed("\xff\xff\xff\xff\xff\xff", 6);
}

/* What is in the frame is not this module's business, even if that is
 * nothing, or more than a frame may be, or looks like our own header. */
static void
test_any_frame_of_snowsignals(void **state OVS_UNUSED)
{
    static uint8_t datagram[WIRE_MAX + 100] = "SSSR";

    for (size_t length = 2; length <= sizeof datagram; length++) {
        const struct wire w = decode(datagram, length);

        assert_int_equal(w.kind, WIRE_SNOWSIGNAL);
        assert_ptr_equal(w.body, datagram + 2);
        assert_int_equal(w.length, length - 2);
        assert_true(w.relay_id == untouched.relay_id);
        assert_true(w.session == untouched.session);
        assert_true(w.seq == untouched.seq);
    }
}

/* Our own format. */

static void
test_every_byte_of_the_header(void **state OVS_UNUSED)
{
    uint8_t header[WIRE_HEADER_LEN + 1];

    memset(header, 0xa5, sizeof header);
    wire_encode_header(header, WIRE_TYPE_BYE, RELAY_ID, SESSION, SEQ);
    assert_memory_equal(header, example, sizeof example);
    assert_int_equal(header[WIRE_HEADER_LEN], 0xa5);
    wire_encode_header(header, WIRE_TYPE_FRAME, RELAY_ID, SESSION, SEQ);
    assert_int_equal(header[OFS_TYPE], 1);
    wire_encode_header(header, WIRE_TYPE_HELLO, RELAY_ID, SESSION, SEQ);
    assert_int_equal(header[OFS_TYPE], 2);
}

static void
test_the_number_changes_by_itself(void **state OVS_UNUSED)
{
    static const uint64_t numbers[] = { 0, 1, 0x80, UINT64_C(1) << 63,
                                        UINT64_MAX };
    uint8_t header[WIRE_HEADER_LEN + 1];

    memcpy(header, example, sizeof example);
    header[WIRE_HEADER_LEN] = 0xa5;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        wire_set_seq(header, numbers[i]);
        assert_memory_equal(header, example, OFS_SEQ);
        assert_int_equal(header[WIRE_HEADER_LEN], 0xa5);
        assert_true(decode(header, WIRE_HEADER_LEN).seq == numbers[i]);
    }
    wire_set_seq(header, SEQ);
    assert_memory_equal(header, example, sizeof example);
}

static void
test_our_own_datagrams_are_taken_apart(void **state OVS_UNUSED)
{
    static const struct {
        enum wire_type type;
        enum wire_kind kind;
    } types[] = {
        { WIRE_TYPE_FRAME, WIRE_FRAME },
        { WIRE_TYPE_HELLO, WIRE_HELLO },
        { WIRE_TYPE_BYE, WIRE_BYE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        for (size_t length = WIRE_HEADER_LEN; length < 200; length++) {
            uint8_t *datagram = calloc(1, length);

            wire_encode_header(datagram, types[i].type, RELAY_ID, SESSION,
                               SEQ);
            const struct wire w = decode(datagram, length);
            assert_own(&w, types[i].kind, datagram, WIRE_HEADER_LEN,
                       length - WIRE_HEADER_LEN);
            free(datagram);
        }
    }
}

static void
test_extreme_ids(void **state OVS_UNUSED)
{
    static const uint64_t ids[] = { 0, 1, INT64_MAX, UINT64_C(1) << 63,
                                    UINT64_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        uint8_t header[WIRE_HEADER_LEN];

        wire_encode_header(header, WIRE_TYPE_HELLO, ids[i], ids[4 - i],
                           ~ids[i]);
        const struct wire w = decode(header, sizeof header);
        assert_true(w.relay_id == ids[i]);
        assert_true(w.session == ids[4 - i]);
        assert_true(w.seq == ~ids[i]);
    }
}

static void
test_unknown_types_are_told_from_malformed_ones(void **state OVS_UNUSED)
{
    for (unsigned int type = 0; type <= UINT8_MAX; type++) {
        uint8_t datagram[WIRE_HEADER_LEN + 5] = { 0 };

        if (type >= WIRE_TYPE_FRAME && type <= WIRE_TYPE_BYE) {
            continue;
        }
        memcpy(datagram, example, sizeof example);
        datagram[OFS_TYPE] = type;
        const struct wire w = decode(datagram, sizeof datagram);
        assert_own(&w, WIRE_OTHER, datagram, WIRE_HEADER_LEN, 5);
    }
}

/* Whatever follows: nobody can know what that means there. */
static void
test_newer_versions_are_told_from_malformed_ones(void **state OVS_UNUSED)
{
    for (unsigned int version = 0; version <= UINT8_MAX; version++) {
        static const uint8_t header_lengths[] = { 0, 29, 30, 31, 255 };

        for (size_t i = 0; i < ARRAY_SIZE(header_lengths); i++) {
            uint8_t datagram[WIRE_HEADER_LEN];
            bool good = header_lengths[i] == WIRE_HEADER_LEN;

            memcpy(datagram, example, sizeof example);
            datagram[OFS_VERSION] = version;
            datagram[OFS_TYPE] = version;
            datagram[OFS_HEADER_LEN] = header_lengths[i];
            const struct wire w = decode(datagram, sizeof datagram);
            if (version > WIRE_VERSION_MAX) {
                assert_only_kind(&w, WIRE_NEWER);
            } else if (version < WIRE_VERSION_MIN || !good) {
                assert_only_kind(&w, WIRE_MALFORMED);
            } else {
                assert_own(&w, WIRE_FRAME, datagram, WIRE_HEADER_LEN, 0);
            }
        }
    }
}

/* A longer header has more in it, which is skipped; it cannot be shorter, and
 * must end within the datagram. */
static void
test_every_header_length(void **state OVS_UNUSED)
{
    static const size_t lengths[] = { WIRE_HEADER_LEN, WIRE_HEADER_LEN + 1,
                                      100, 255, 300 };

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        for (unsigned int header_length = 0; header_length <= UINT8_MAX;
             header_length++) {
            uint8_t *datagram = calloc(1, lengths[i]);

            memcpy(datagram, example, sizeof example);
            datagram[OFS_HEADER_LEN] = header_length;
            const struct wire w = decode(datagram, lengths[i]);
            if (header_length < WIRE_HEADER_LEN
                || header_length > lengths[i]) {
                assert_only_kind(&w, WIRE_MALFORMED);
            } else {
                assert_own(&w, WIRE_BYE, datagram, header_length,
                           lengths[i] - header_length);
            }
            free(datagram);
        }
    }
}

static void
test_a_header_cut_short_is_malformed(void **state OVS_UNUSED)
{
    for (size_t length = 0; length < WIRE_HEADER_LEN; length++) {
        assert_malformed(example, length);
    }
}

static void
test_another_magic_is_malformed(void **state OVS_UNUSED)
{
    for (int bit = 0; bit < 16; bit++) {
        uint8_t datagram[WIRE_HEADER_LEN];

        memcpy(datagram, example, sizeof example);
        datagram[bit / 8] ^= 1 << bit % 8;
        if (memcmp(datagram, WIRE_SNOWSIGNAL_MAGIC, 2)) {
            assert_malformed(datagram, sizeof datagram);
        }
    }
}

/* A byte that means nothing yet is for versions to come. */
/* Every relay and every start of it has a number of its own. */
static void
test_ids_and_sessions_are_not_zero(void **state OVS_UNUSED)
{
    for (int i = 0; i < 2; i++) {
        uint8_t datagram[WIRE_HEADER_LEN];
        struct wire w;

        wire_encode_header(datagram, WIRE_TYPE_FRAME, i, !i, 7);
        wire_decode(datagram, sizeof datagram, &w);
        assert_int_equal(w.kind, WIRE_MALFORMED);
    }
}

static void
test_the_byte_that_is_zero_is_ignored(void **state OVS_UNUSED)
{
    uint8_t datagram[WIRE_HEADER_LEN];

    memcpy(datagram, example, sizeof example);
    datagram[OFS_ZERO] = 0xff;
    const struct wire w = decode(datagram, sizeof datagram);
    assert_own(&w, WIRE_BYE, datagram, WIRE_HEADER_LEN, 0);
}

/* Sealed. */

/* Whatever follows the magic: that is for who has the key to look at. */
static void
test_sealed_datagrams_are_told_from_others(void **state OVS_UNUSED)
{
    static uint8_t datagram[WIRE_MAX + 100] = "SESS";

    for (size_t length = 2; length <= sizeof datagram; length++) {
        struct wire w = untouched;

        w.stream = (struct stream_state *) datagram; /* Anything. */
        w.key_id = 1;
        wire_decode(datagram, length, &w);
        assert_only_kind(&w, WIRE_SEALED);
        assert_ptr_equal(w.datagram, datagram);
        assert_int_equal(w.datagram_length, length);
        assert_null(w.stream);
        assert_int_equal(w.key_id, 0);
    }
    assert_malformed("Sexy", 4);
    assert_malformed("sE12", 4);
}

/* Of nothing else is there a datagram to open. */
static void
test_what_is_not_sealed_cannot_be_opened(void **state OVS_UNUSED)
{
    static const char *const texts[] = { "SS", "SR", "XX", "S" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        uint8_t datagram[WIRE_HEADER_LEN];
        struct wire w = untouched;

        memcpy(datagram, example, sizeof example);
        memcpy(datagram, texts[i], strlen(texts[i]));
        w.datagram = datagram;
        w.stream = (struct stream_state *) datagram;
        w.key_id = 1;
        wire_decode(datagram, i < 3 ? sizeof datagram : 1, &w);
        assert_null(w.datagram);
        assert_null(w.stream);
        assert_int_equal(w.key_id, 0);
    }
}

static void
test_kinds_of_types(void **state OVS_UNUSED)
{
    for (unsigned int type = 0; type <= UINT8_MAX; type++) {
        assert_int_equal(wire_kind_of_type(type),
                         type == WIRE_TYPE_FRAME   ? WIRE_FRAME
                         : type == WIRE_TYPE_HELLO ? WIRE_HELLO
                         : type == WIRE_TYPE_BYE   ? WIRE_BYE
                                                   : WIRE_OTHER);
    }
}

static void
test_the_relay_id_in_front(void **state OVS_UNUSED)
{
    static const uint8_t bytes[] = { 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                                     0x17, 0x18, 'a',  'b',  'c' };
    uint8_t encoded[WIRE_RELAY_ID_LEN + 1];

    memset(encoded, 0xa5, sizeof encoded);
    wire_encode_relay_id(encoded, RELAY_ID);
    assert_memory_equal(encoded, bytes, WIRE_RELAY_ID_LEN);
    assert_int_equal(encoded[WIRE_RELAY_ID_LEN], 0xa5);

    for (size_t length = 0; length <= sizeof bytes; length++) {
        uint8_t *body = copy_exactly(bytes, length);
        struct wire w = untouched;

        w.body = body;
        w.length = length;
        assert_int_equal(wire_pull_relay_id(&w), length >= WIRE_RELAY_ID_LEN);
        if (length < WIRE_RELAY_ID_LEN) {
            assert_ptr_equal(w.body, body);
            assert_int_equal(w.length, length);
        } else {
            assert_true(w.relay_id == RELAY_ID);
            assert_ptr_equal(w.body, body + WIRE_RELAY_ID_LEN);
            assert_int_equal(w.length, length - WIRE_RELAY_ID_LEN);
        }
        free(body);
    }
}

static void
test_nobody_has_the_relay_id_zero(void **state OVS_UNUSED)
{
    for (size_t i = 0; i <= WIRE_RELAY_ID_LEN; i++) {
        uint8_t body[WIRE_RELAY_ID_LEN] = { 0 };
        struct wire w = untouched;

        if (i < WIRE_RELAY_ID_LEN) {
            body[i] = 0x80;
        }
        w.body = body;
        w.length = sizeof body;
        assert_int_equal(wire_pull_relay_id(&w), i < WIRE_RELAY_ID_LEN);
    }
}

/* The other way, through the sockets of a mesh and of others. */

/* Somebody else: a socket on 127.0.0.1. */
struct other {
    int fd;
    struct sockaddr_in address;
};

enum { MAX_OTHERS = 2 };

/* The kernel, as the mesh sees it. */
static struct {
    bool ignorant;           /* Does it not know UDP_GRO? */
    unsigned int n_messages; /* That were received. */
} kernel;

int
setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    if (level == IPPROTO_UDP && option == UDP_GRO && kernel.ignorant) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return syscall(SYS_setsockopt, fd, level, option, value, length);
}

int
recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags,
         struct timespec *timeout)
{
    int retval = syscall(SYS_recvmmsg, fd, msgs, n, flags, timeout);

    kernel.n_messages += MAX(retval, 0);
    return retval;
}

/* A mesh on this host and others that are its only peers. */
struct loopback {
    struct mesh *mesh;
    struct sockaddr_in mesh_address;
    struct peers peers;
    struct remotes remotes;
    struct other others[MAX_OTHERS];
    size_t n_others;
};

/* A time; no clock is needed. */
enum { NOW = 7000123 };

/* Opens a UDP socket on 127.0.0.1 and stores in '*sin' where that is. */
static int
open_socket(struct sockaddr_in *sin)
{
    socklen_t length = sizeof *sin;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    *sin = (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *) sin, sizeof *sin), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) sin, &length), 0);
    return fd;
}

/* Makes 'n' others the peers, none of which answers hellos. */
static void
make_peers(struct loopback *l, size_t n)
{
    static const char *const names[MAX_OTHERS] = { "peer", "other" };
    struct endpoint endpoints[MAX_OTHERS];
    struct roster_entry entries[MAX_OTHERS];

    l->n_others = n;
    for (size_t i = 0; i < n; i++) {
        l->others[i].fd = open_socket(&l->others[i].address);
        assert_true(endpoint_from_sockaddr(
            (struct sockaddr *) &l->others[i].address, &endpoints[i]));
        entries[i] = (struct roster_entry){ .name = names[i],
                                            .source = ROSTER_CONFIGURED,
                                            .endpoints = &endpoints[i],
                                            .n = 1 };
    }
    peers_init(&l->peers);
    remotes_init(&l->remotes);
    wire_encode_header(l->peers.header, WIRE_TYPE_FRAME, RELAY_ID, SESSION,
                       SEQ);
    peers_update(&l->peers, entries, n, &(struct peers_self){ .ipv4 = true },
                 false, NOW);
    for (size_t i = 0; i < n; i++) {
        struct peer *peer = l->peers.all[i];

        liveness_asked(&peer->liveness, 1000, NOW);
        assert_true(liveness_run(&peer->liveness, NOW + LIVENESS_PROBE_MS));
        mesh_address_peer(l->mesh, peer);
    }
    peers_choose_targets(&l->peers);
    assert_int_equal(l->peers.n_targets, n);
}

/* Opens the mesh on 127.0.0.1, or on all addresses if 'any': then an IPv6
 * socket may serve the IPv4 peers, of which there are 'n'. */
static void
loopback_open(struct loopback *l, bool any, size_t n)
{
    struct endpoint local;

    /* A port that is free, unless somebody takes it just now. */
    close(open_socket(&l->mesh_address));
    assert_true(
        endpoint_from_sockaddr((struct sockaddr *) &l->mesh_address, &local));
    if (any) {
        assert_true(address_from_text("0.0.0.0", &local.address));
    }
    assert_no_error(mesh_open(&local, &l->mesh));
    make_peers(l, n);
}

static void
loopback_close(struct loopback *l)
{
    mesh_close(l->mesh);
    peers_destroy(&l->peers);
    remotes_destroy(&l->remotes);
    for (size_t i = 0; i < l->n_others; i++) {
        close(l->others[i].fd);
    }
}

/* Lets the 'i'th peer be a relay of ours, the next frame to which will have
 * the number 'seq'. */
static struct remote *
speak_ours(struct loopback *l, size_t i, uint64_t seq)
{
    const struct hello h = { .version_min = WIRE_VERSION_MIN,
                             .version_max = WIRE_VERSION_MAX };
    struct remote *remote = remotes_get(&l->remotes, i + 1, 1, NOW);
    struct peer *peer = l->peers.all[i];

    remote_take_hello(remote, &h);
    remote->next_seq = seq;
    liveness_hello(&peer->liveness, 1000, true, NOW + LIVENESS_PROBE_MS);
    peer_set_remote(peer, remote);
    peers_choose_targets(&l->peers);
    assert_true(peer->speaks_ours);
    return remote;
}

/* Makes the 'i'th peer one to whose port nothing can be sent. */
static void
make_unreachable(struct loopback *l, size_t i)
{
    struct peer *peer = l->peers.all[i];

    peer->target.port = 0;
    mesh_address_peer(l->mesh, peer);
}

/* Receives what has come to the 'i'th other, which must not be nothing, and
 * returns its length. */
static size_t
receive(const struct loopback *l, size_t i, uint8_t received[WIRE_MAX])
{
    struct pollfd pfd = { .fd = l->others[i].fd, .events = POLLIN };

    assert_int_equal(poll(&pfd, 1, 5000), 1);
    ssize_t n = recv(pfd.fd, received, WIRE_MAX, 0);
    assert_true(n >= 0);
    return n;
}

/* Fails the test unless nothing has come to the 'i'th other, which has some
 * time for it. */
static void
assert_nothing_came(const struct loopback *l, size_t i)
{
    struct pollfd pfd = { .fd = l->others[i].fd, .events = POLLIN };

    assert_int_equal(poll(&pfd, 1, 20), 0);
}

/* Fails the test unless the 'i'th other gets 'frame' in our own format with
 * the number 'seq'. */
static void
assert_gets_ours(const struct loopback *l, size_t i, uint64_t seq,
                 const struct frame *frame)
{
    uint8_t expected[WIRE_HEADER_LEN], received[WIRE_MAX];

    wire_encode_header(expected, WIRE_TYPE_FRAME, RELAY_ID, SESSION, seq);
    assert_int_equal(receive(l, i, received), WIRE_HEADER_LEN + frame->length);
    assert_memory_equal(received, expected, WIRE_HEADER_LEN);
    assert_memory_equal(received + WIRE_HEADER_LEN, frame->bytes,
                        frame->length);
}

/* Fails the test unless the 'i'th other gets 'frame' in SnowSignal's format.
 */
static void
assert_gets_snowsignals(const struct loopback *l, size_t i,
                        const struct frame *frame)
{
    uint8_t received[WIRE_MAX];

    assert_int_equal(receive(l, i, received), 2 + frame->length);
    assert_memory_equal(received, "SS", 2);
    assert_memory_equal(received + 2, frame->bytes, frame->length);
}

/* Frames for the mesh to send; what is in them plays no part. */
struct frames {
    struct frame all[300];
    uint8_t bytes[300][60];
};

/* Makes frames that differ in content and length. */
static void
make_frames(struct frames *f)
{
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < ARRAY_SIZE(f->all); i++) {
        memset(f->bytes[i], i, sizeof f->bytes[i]);
        f->all[i].bytes = f->bytes[i];
        f->all[i].length = 14 + i % 47;
    }
}

/* Sends the frames of the captured datagrams through the mesh.  A node of
 * SnowSignal must not be able to tell what comes out from what another such
 * node would send: the same bytes. */
static void
send_captured(bool any)
{
    struct loopback l;
    struct capture c;

    loopback_open(&l, any, 1);
    read_datagrams(&c);
    for (size_t i = 0; i < c.n; i++) {
        struct packet *p = &c.packets[i];
        uint8_t received[WIRE_MAX];
        struct frame frame;
        size_t n_relayed;

        frame.bytes = copy_exactly(p->bytes + 2, p->length - 2);
        frame.length = p->length - 2;
        assert_int_equal(mesh_send(l.mesh, &frame, 1, &l.peers,
                                   l.peers.targets, l.peers.n_targets,
                                   &n_relayed),
                         1);
        assert_int_equal(n_relayed, 1);
        assert_int_equal(receive(&l, 0, received), p->length);
        assert_memory_equal(received, p->bytes, p->length);
        assert_int_equal(l.peers.targets[0]->tx, i + 1);
        free(frame.bytes);
    }
    capture_free(&c);
    loopback_close(&l);
}

static void
test_the_mesh_sends_what_snowsignal_sends(void **state OVS_UNUSED)
{
    send_captured(false);
}

static void
test_so_does_a_mesh_on_all_addresses(void **state OVS_UNUSED)
{
    send_captured(true);
}

/* Sends three times to a peer that speaks our own format. */
static void
send_ours(bool any)
{
    struct loopback l;
    struct frames f;

    make_frames(&f);
    loopback_open(&l, any, 1);
    struct remote *remote = speak_ours(&l, 0, 7);
    for (size_t i = 0; i < 3; i++) {
        size_t n_relayed;

        assert_int_equal(mesh_send(l.mesh, &f.all[2 * i], 2, &l.peers,
                                   l.peers.targets, l.peers.n_targets,
                                   &n_relayed),
                         2);
        assert_int_equal(n_relayed, 2);
        assert_true(remote->next_seq == 7 + 2 * (i + 1));
        assert_gets_ours(&l, 0, 7 + 2 * i, &f.all[2 * i]);
        assert_gets_ours(&l, 0, 8 + 2 * i, &f.all[2 * i + 1]);
    }
    assert_nothing_came(&l, 0);
    loopback_close(&l);
}

static void
test_who_speaks_ours_gets_growing_numbers(void **state OVS_UNUSED)
{
    send_ours(false);
}

static void
test_also_from_a_mesh_on_all_addresses(void **state OVS_UNUSED)
{
    send_ours(true);
}

static void
test_the_numbers_wrap_around(void **state OVS_UNUSED)
{
    struct loopback l;
    struct frames f;
    size_t n_relayed;

    make_frames(&f);
    loopback_open(&l, false, 1);
    struct remote *remote = speak_ours(&l, 0, UINT64_MAX - 1);
    mesh_send(l.mesh, f.all, 3, &l.peers, l.peers.targets, l.peers.n_targets,
              &n_relayed);
    assert_gets_ours(&l, 0, UINT64_MAX - 1, &f.all[0]);
    assert_gets_ours(&l, 0, UINT64_MAX, &f.all[1]);
    assert_gets_ours(&l, 0, 0, &f.all[2]);
    assert_true(remote->next_seq == 1);
    loopback_close(&l);
}

static void
test_each_peer_gets_the_format_that_it_speaks(void **state OVS_UNUSED)
{
    for (size_t ours = 0; ours < 2; ours++) {
        struct loopback l;
        struct frames f;
        size_t n_relayed;

        make_frames(&f);
        loopback_open(&l, false, 2);
        speak_ours(&l, ours, 100);
        assert_int_equal(mesh_send(l.mesh, f.all, 20, &l.peers,
                                   l.peers.targets, l.peers.n_targets,
                                   &n_relayed),
                         40);
        assert_int_equal(n_relayed, 20);
        for (size_t i = 0; i < 20; i++) {
            assert_gets_ours(&l, ours, 100 + i, &f.all[i]);
            assert_gets_snowsignals(&l, !ours, &f.all[i]);
        }
        loopback_close(&l);
    }
}

/* Who does not say hello any more, or speaks other versions, is still a
 * remote; its numbers stand still meanwhile. */
static void
test_who_speaks_ours_no_longer_gets_snowsignals(void **state OVS_UNUSED)
{
    for (int i = 0; i < 2; i++) {
        struct loopback l;
        struct frames f;
        size_t n_relayed;

        make_frames(&f);
        loopback_open(&l, false, 1);
        struct remote *remote = speak_ours(&l, 0, 7);
        if (i) {
            remote->version = 0;
        } else {
            liveness_bye(&l.peers.all[0]->liveness, NOW + LIVENESS_PROBE_MS);
        }
        peers_choose_targets(&l.peers);
        assert_int_equal(mesh_send(l.mesh, f.all, 1, &l.peers, l.peers.targets,
                                   l.peers.n_targets, &n_relayed),
                         1);
        assert_gets_snowsignals(&l, 0, &f.all[0]);
        assert_ptr_equal(l.peers.all[0]->remote, remote);
        assert_true(remote->next_seq == 7);
        loopback_close(&l);
    }
}

/* Many at once, and each peer with its own numbers. */
static void
test_more_frames_than_a_system_call_takes(void **state OVS_UNUSED)
{
    enum { N = 150 };
    struct loopback l;
    struct frames f;
    size_t n_relayed;

    make_frames(&f);
    loopback_open(&l, false, 2);
    speak_ours(&l, 0, 1000);
    speak_ours(&l, 1, 0);
    assert_int_equal(mesh_send(l.mesh, f.all, N, &l.peers, l.peers.targets,
                               l.peers.n_targets, &n_relayed),
                     2 * N);
    assert_int_equal(n_relayed, N);
    for (size_t i = 0; i < N; i++) {
        assert_gets_ours(&l, 0, 1000 + i, &f.all[i]);
        assert_gets_ours(&l, 1, i, &f.all[i]);
    }
    loopback_close(&l);
}

/* Of a frame its own bytes count, whatever the header. */
static void
test_what_is_sent_is_counted(void **state OVS_UNUSED)
{
    struct loopback l;
    struct frames f;
    size_t n_relayed;

    make_frames(&f);
    loopback_open(&l, false, 2);
    speak_ours(&l, 1, 0);
    mesh_send(l.mesh, &f.all[1], 2, &l.peers, l.peers.targets,
              l.peers.n_targets, &n_relayed);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(l.peers.all[i]->tx, 2);
        assert_int_equal(l.peers.all[i]->tx_bytes,
                         f.all[1].length + f.all[2].length);
        assert_int_equal(l.peers.all[i]->tx_errors, 0);
    }
    loopback_close(&l);
}

/* Only those who are told, and their numbers alone go on. */
static void
test_some_of_the_targets(void **state OVS_UNUSED)
{
    for (size_t who = 0; who < 2; who++) {
        struct peer *some[1];
        struct loopback l;
        struct frames f;
        size_t n_relayed;

        make_frames(&f);
        loopback_open(&l, false, 2);
        struct remote *remotes[] = { speak_ours(&l, 0, 100),
                                     speak_ours(&l, 1, 200) };
        some[0] = l.peers.all[who];
        assert_int_equal(
            mesh_send(l.mesh, f.all, 3, &l.peers, some, 1, &n_relayed), 3);
        assert_int_equal(n_relayed, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_gets_ours(&l, who, 100 * (who + 1) + i, &f.all[i]);
        }
        assert_nothing_came(&l, !who);
        assert_true(remotes[who]->next_seq == 100 * (who + 1) + 3);
        assert_true(remotes[!who]->next_seq == 100 * (!who + 1));
        assert_int_equal(l.peers.all[who]->tx, 3);
        assert_int_equal(l.peers.all[!who]->tx, 0);

        /* Nobody, although there are targets. */
        assert_int_equal(
            mesh_send(l.mesh, f.all, 3, &l.peers, some, 0, &n_relayed), 0);
        assert_int_equal(n_relayed, 0);
        assert_nothing_came(&l, who);
        assert_int_equal(l.peers.n_targets, 2);
        loopback_close(&l);
    }
}

static void
test_nothing_to_send(void **state OVS_UNUSED)
{
    size_t n_relayed = 5;
    struct loopback l;
    struct frames f;

    make_frames(&f);
    loopback_open(&l, false, 1);
    assert_int_equal(mesh_send(l.mesh, f.all, 0, &l.peers, l.peers.targets,
                               l.peers.n_targets, &n_relayed),
                     0);
    assert_int_equal(n_relayed, 0);
    l.peers.n_targets = 0;
    n_relayed = 5;
    assert_int_equal(mesh_send(l.mesh, f.all, 3, &l.peers, l.peers.targets,
                               l.peers.n_targets, &n_relayed),
                     0);
    assert_int_equal(n_relayed, 0);
    assert_nothing_came(&l, 0);
    loopback_close(&l);
}

/* A frame is relayed if anybody gets it, and counts once. */
static void
test_a_peer_that_fails_does_not_keep_back_others(void **state OVS_UNUSED)
{
    for (size_t bad = 0; bad < 2; bad++) {
        struct loopback l;
        struct frames f;
        size_t n_relayed;

        make_frames(&f);
        loopback_open(&l, false, 2);
        make_unreachable(&l, bad);
        speak_ours(&l, !bad, 5);
        assert_int_equal(mesh_send(l.mesh, f.all, 3, &l.peers, l.peers.targets,
                                   l.peers.n_targets, &n_relayed),
                         3);
        assert_int_equal(n_relayed, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_gets_ours(&l, !bad, 5 + i, &f.all[i]);
        }
        assert_int_equal(l.peers.all[!bad]->tx, 3);
        assert_int_equal(l.peers.all[!bad]->tx_errors, 0);
        assert_int_equal(l.peers.all[bad]->tx, 0);
        assert_int_equal(l.peers.all[bad]->tx_bytes, 0);
        assert_int_equal(l.peers.all[bad]->tx_errors, 3);

        make_unreachable(&l, !bad);
        assert_int_equal(mesh_send(l.mesh, f.all, 3, &l.peers, l.peers.targets,
                                   l.peers.n_targets, &n_relayed),
                         0);
        assert_int_equal(n_relayed, 0);
        loopback_close(&l);
    }
}

/* Messages. */

/* Has the mesh say the 'n' messages with the numbers from 'first' on to the
 * 'i'th peer.  They are as different in length as in content. */
static void
say(struct loopback *l, size_t i, unsigned int first, unsigned int n)
{
    uint8_t message[MESH_MAX_MESSAGE];

    for (unsigned int j = first; j < first + n; j++) {
        memset(message, j, sizeof message);
        mesh_say(l->mesh, l->peers.all[i], message, 1 + j);

        /* It is copied. */
        memset(message, 0xa5, sizeof message);
    }
}

/* Fails the test unless the 'i'th other gets just these, in their order. */
static void
assert_told(const struct loopback *l, size_t i, unsigned int first,
            unsigned int n)
{
    for (unsigned int j = first; j < first + n; j++) {
        uint8_t expected[MESH_MAX_MESSAGE], received[WIRE_MAX];

        memset(expected, j, sizeof expected);
        assert_int_equal(receive(l, i, received), 1 + j);
        assert_memory_equal(received, expected, 1 + j);
    }
    assert_nothing_came(l, i);
}

static void
test_messages_wait_for_a_flush(void **state OVS_UNUSED)
{
    struct loopback l;

    loopback_open(&l, false, 2);
    say(&l, 0, 0, 20);
    say(&l, 1, 30, 5);
    say(&l, 0, 20, 5);
    assert_nothing_came(&l, 0);
    assert_nothing_came(&l, 1);
    mesh_flush(l.mesh);
    assert_told(&l, 0, 0, 25);
    assert_told(&l, 1, 30, 5);
    loopback_close(&l);
}

static void
test_a_flush_sends_messages_once(void **state OVS_UNUSED)
{
    struct loopback l;

    loopback_open(&l, false, 1);
    mesh_flush(l.mesh);
    assert_nothing_came(&l, 0);
    say(&l, 0, 0, 3);
    mesh_flush(l.mesh);
    assert_told(&l, 0, 0, 3);
    mesh_flush(l.mesh);
    assert_nothing_came(&l, 0);
    say(&l, 0, 10, 2);
    mesh_flush(l.mesh);
    assert_told(&l, 0, 10, 2);
    loopback_close(&l);
}

/* As many as a system call takes, one less, one more, and many more. */
static void
test_any_number_of_messages_arrives(void **state OVS_UNUSED)
{
    static const unsigned int numbers[] = { 1, 63, 64, 65, 128, 129, 200 };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct loopback l;

        loopback_open(&l, i % 2, 1);
        say(&l, 0, 0, numbers[i]);
        mesh_flush(l.mesh);
        assert_told(&l, 0, 0, numbers[i]);
        loopback_close(&l);
    }
}

static void
test_the_longest_and_the_shortest_message(void **state OVS_UNUSED)
{
    uint8_t received[WIRE_MAX];
    struct loopback l;

    loopback_open(&l, false, 1);
    say(&l, 0, MESH_MAX_MESSAGE - 1, 1);
    mesh_say(l.mesh, l.peers.all[0], "", 0);
    mesh_flush(l.mesh);
    assert_int_equal(receive(&l, 0, received), MESH_MAX_MESSAGE);
    assert_int_equal(receive(&l, 0, received), 0);
    loopback_close(&l);
}

static void
test_a_message_that_fails_does_not_keep_back_others(void **state OVS_UNUSED)
{
    struct loopback l;

    loopback_open(&l, false, 2);
    make_unreachable(&l, 0);
    say(&l, 0, 0, 1);
    say(&l, 1, 10, 1);
    say(&l, 0, 1, 2);
    say(&l, 1, 11, 3);
    say(&l, 0, 3, 1);
    mesh_flush(l.mesh);
    assert_told(&l, 1, 10, 4);
    mesh_flush(l.mesh);
    assert_nothing_came(&l, 1);
    loopback_close(&l);
}

static void
test_messages_are_not_counted(void **state OVS_UNUSED)
{
    struct loopback l;

    loopback_open(&l, false, 2);
    struct remote *remote = speak_ours(&l, 0, 9);
    make_unreachable(&l, 1);
    say(&l, 0, 0, 2);
    say(&l, 1, 0, 2);
    mesh_flush(l.mesh);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(l.peers.all[i]->tx, 0);
        assert_int_equal(l.peers.all[i]->tx_bytes, 0);
        assert_int_equal(l.peers.all[i]->tx_errors, 0);
    }
    assert_true(remote->next_seq == 9);
    loopback_close(&l);
}

/* Frames do not flush messages, nor the other way. */
static void
test_messages_and_frames_go_their_own_ways(void **state OVS_UNUSED)
{
    struct loopback l;
    struct frames f;
    size_t n_relayed;

    make_frames(&f);
    loopback_open(&l, false, 1);
    say(&l, 0, 0, 2);
    mesh_send(l.mesh, f.all, 1, &l.peers, l.peers.targets, l.peers.n_targets,
              &n_relayed);
    assert_gets_snowsignals(&l, 0, &f.all[0]);
    assert_nothing_came(&l, 0);
    mesh_flush(l.mesh);
    assert_told(&l, 0, 0, 2);
    loopback_close(&l);
}

/* Receiving. */

/* Waits for a datagram of the loopback's first peer and receives it. */
static const struct mesh_datagram *
receive_one(struct loopback *l)
{
    struct mesh_datagram *datagrams;

    for (int i = 0; i < 1000; i++) {
        size_t n = mesh_receive(l->mesh, &datagrams);
        if (n) {
            struct peer *peer;

            assert_int_equal(n, 1);
            assert_int_equal(
                peers_identify(&l->peers, &datagrams->from, &peer),
                ORIGIN_PEER);
            assert_ptr_equal(peer, l->peers.all[0]);
            return datagrams;
        }
        poll(NULL, 0, 5);
    }
    fail();
    return NULL;
}

static void
send_to_mesh(struct loopback *l, const void *bytes, size_t length)
{
    assert_int_equal(sendto(l->others[0].fd, bytes, length, 0,
                            (struct sockaddr *) &l->mesh_address,
                            sizeof l->mesh_address),
                     length);
}

static void
receive_captured(bool any)
{
    struct loopback l;
    struct capture c;

    loopback_open(&l, any, 1);
    read_datagrams(&c);
    for (size_t i = 0; i < c.n; i++) {
        const struct packet *p = &c.packets[i];

        send_to_mesh(&l, p->bytes, p->length);
        const struct mesh_datagram *d = receive_one(&l);
        assert_false(d->truncated);
        const struct wire w = decode(d->bytes, d->length);
        assert_int_equal(w.kind, WIRE_SNOWSIGNAL);
        assert_int_equal(w.length, p->length - 2);
        assert_memory_equal(w.body, p->bytes + 2, w.length);
    }
    capture_free(&c);
    loopback_close(&l);
}

static void
test_the_mesh_receives_what_snowsignal_sends(void **state OVS_UNUSED)
{
    receive_captured(false);
}

static void
test_so_does_one_that_hears_all_addresses(void **state OVS_UNUSED)
{
    receive_captured(true);
}

static void
test_the_mesh_receives_our_own_format(void **state OVS_UNUSED)
{
    uint8_t datagram[WIRE_HEADER_LEN + 100] = { 0 };
    struct loopback l;

    loopback_open(&l, false, 1);
    wire_encode_header(datagram, WIRE_TYPE_FRAME, RELAY_ID, SESSION, SEQ);
    send_to_mesh(&l, datagram, sizeof datagram);
    const struct mesh_datagram *d = receive_one(&l);
    const struct wire w = decode(d->bytes, d->length);
    assert_own(&w, WIRE_FRAME, d->bytes, WIRE_HEADER_LEN, 100);
    loopback_close(&l);
}

/* The source port is known as well. */
static void
test_the_mesh_knows_who_sent(void **state OVS_UNUSED)
{
    for (int any = 0; any < 2; any++) {
        struct endpoint from;
        struct loopback l;

        loopback_open(&l, any, 1);
        send_to_mesh(&l, "SS", 2);
        assert_true(endpoint_from_sockaddr(
            (struct sockaddr *) &l.others[0].address, &from));
        assert_true(endpoint_equal(&receive_one(&l)->from, &from));
        loopback_close(&l);
    }
}

/* The longest frame fits in either format, and nothing longer is taken for a
 * frame. */
static void
test_the_longest_datagram(void **state OVS_UNUSED)
{
    static uint8_t datagram[WIRE_MAX + 1] = WIRE_SNOWSIGNAL_MAGIC;
    struct frame frame;
    struct loopback l;

    loopback_open(&l, false, 1);
    send_to_mesh(&l, datagram, WIRE_SNOWSIGNAL_LEN + FRAME_MAX + 1);
    const struct mesh_datagram *d = receive_one(&l);
    struct wire w = decode(d->bytes, d->length);
    assert_int_equal(w.length, FRAME_MAX + 1);
    assert_int_equal(frame_check(w.body, w.length, &frame), FRAME_OVERSIZE);

    wire_encode_header(datagram, WIRE_TYPE_FRAME, RELAY_ID, SESSION, SEQ);
    send_to_mesh(&l, datagram, WIRE_HEADER_LEN + FRAME_MAX);
    d = receive_one(&l);
    assert_false(d->truncated);
    assert_int_equal(d->length, WIRE_HEADER_LEN + FRAME_MAX);
    w = decode(d->bytes, d->length);
    assert_own(&w, WIRE_FRAME, d->bytes, WIRE_HEADER_LEN, FRAME_MAX);
    loopback_close(&l);
}

/* A version to come may have a longer header, which is skipped, and carry
 * frames that are as long. */
static void
test_the_longest_frame_behind_the_longest_header(void **state OVS_UNUSED)
{
    static uint8_t datagram[UINT8_MAX + FRAME_MAX + 1];
    struct frame frame;
    struct loopback l;

    loopback_open(&l, false, 1);
    memset(datagram, 0xa5, sizeof datagram);
    memset(datagram + UINT8_MAX, 2, sizeof datagram - UINT8_MAX);
    wire_encode_header(datagram, WIRE_TYPE_FRAME, RELAY_ID, SESSION, SEQ);
    datagram[OFS_HEADER_LEN] = UINT8_MAX;
    send_to_mesh(&l, datagram, sizeof datagram - 1);
    const struct mesh_datagram *d = receive_one(&l);
    assert_false(d->truncated);
    assert_int_equal(d->length, sizeof datagram - 1);
    assert_memory_equal(d->bytes, datagram, d->length);
    const struct wire w = decode(d->bytes, d->length);
    assert_own(&w, WIRE_FRAME, d->bytes, UINT8_MAX, FRAME_MAX);
    assert_int_not_equal(frame_check(w.body, w.length, &frame),
                         FRAME_OVERSIZE);

    /* A byte more can hold no frame, whatever its header. */
    send_to_mesh(&l, datagram, sizeof datagram);
    assert_true(receive_one(&l)->truncated);
    loopback_close(&l);
}

static void
test_the_longest_frame_is_sent_in_our_format(void **state OVS_UNUSED)
{
    static uint8_t bytes[FRAME_MAX];
    const struct frame frame = { .bytes = bytes, .length = sizeof bytes };
    struct loopback l;
    size_t n_relayed;

    memset(bytes, 0x5a, sizeof bytes);
    loopback_open(&l, false, 1);
    speak_ours(&l, 0, 3);
    assert_int_equal(mesh_send(l.mesh, &frame, 1, &l.peers, l.peers.targets,
                               l.peers.n_targets, &n_relayed),
                     1);
    assert_gets_ours(&l, 0, 3, &frame);
    loopback_close(&l);
}

/* Runs. */

/* Sends the 'n' datagrams of 'length' bytes at 'bytes', the last one of which
 * is only 'last' long, to the mesh in one message, from the 'i'th other. */
static void
send_run(struct loopback *l, size_t i, uint8_t *bytes, uint16_t length,
         size_t n, size_t last)
{
    struct iovec iov = { .iov_base = bytes,
                         .iov_len = (n - 1) * length + last };
    union {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(sizeof length)];
    } control = { .header = { .cmsg_level = IPPROTO_UDP,
                              .cmsg_type = UDP_SEGMENT,
                              .cmsg_len = CMSG_LEN(sizeof length) } };
    struct msghdr msg = { .msg_name = &l->mesh_address,
                          .msg_namelen = sizeof l->mesh_address,
                          .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof control };

    memcpy(CMSG_DATA(&control.header), &length, sizeof length);
    assert_int_equal(sendmsg(l->others[i].fd, &msg, 0), iov.iov_len);
}

/* Fails the test unless 'd' is 'length' bytes at 'bytes' from the 'i'th other.
 */
static void
assert_came(const struct loopback *l, const struct mesh_datagram *d, size_t i,
            const uint8_t *bytes, size_t length)
{
    struct endpoint from;

    assert_true(endpoint_from_sockaddr(
        (const struct sockaddr *) &l->others[i].address, &from));
    assert_true(endpoint_equal(&d->from, &from));
    assert_false(d->truncated);
    assert_int_equal(d->length, length);
    assert_memory_equal(d->bytes, bytes, length);
}

/* Each datagram comes by itself, whether or not the kernel brings many at
 * once. */
static void
test_runs_are_received_as_datagrams(void **state OVS_UNUSED)
{
    for (int i = 0; i < 4; i++) {
        static uint8_t bytes[2][64 * 51];
        struct mesh_datagram *datagrams;
        struct loopback l;

        kernel.ignorant = i / 2;
        loopback_open(&l, i % 2, 2);
        for (size_t j = 0; j < sizeof bytes[0]; j++) {
            bytes[0][j] = j / 51;
            bytes[1][j] = j / 45 ^ 0x80;
        }
        kernel.n_messages = 0;
        send_run(&l, 0, bytes[0], 51, 20, 7);
        send_run(&l, 1, bytes[1], 45, 3, 45);
        send_to_mesh(&l, "SS", 2);
        send_run(&l, 0, bytes[0], 51, 2, 1);

        assert_int_equal(mesh_receive(l.mesh, &datagrams), 26);
        assert_int_equal(kernel.n_messages, kernel.ignorant ? 26 : 4);
        for (size_t j = 0; j < 19; j++) {
            assert_came(&l, &datagrams[j], 0, &bytes[0][51 * j], 51);
        }
        assert_came(&l, &datagrams[19], 0, &bytes[0][51 * 19], 7);
        for (size_t j = 0; j < 3; j++) {
            assert_came(&l, &datagrams[20 + j], 1, &bytes[1][45 * j], 45);
        }
        assert_came(&l, &datagrams[23], 0, (const uint8_t *) "SS", 2);
        assert_came(&l, &datagrams[24], 0, bytes[0], 51);
        assert_came(&l, &datagrams[25], 0, &bytes[0][51], 1);
        assert_int_equal(mesh_receive(l.mesh, &datagrams), 0);
        loopback_close(&l);
    }
    kernel.ignorant = false;
}

/* Those that do not fit in a batch come with the next ones, and are not
 * forgotten. */
static void
test_more_datagrams_than_a_batch(void **state OVS_UNUSED)
{
    enum { RUNS = 5, RUN = 50, LENGTH = 60 };
    static uint8_t bytes[RUNS * RUN][LENGTH];
    struct mesh_datagram *datagrams;
    struct loopback l;
    size_t n_received = 0;

    loopback_open(&l, false, 1);
    for (size_t i = 0; i < RUNS * RUN; i++) {
        memset(bytes[i], i, LENGTH);
    }
    for (size_t i = 0; i < RUNS; i++) {
        send_run(&l, 0, bytes[i * RUN], LENGTH, RUN, LENGTH);
    }
    while (n_received < RUNS * RUN) {
        const long long int begin = time_msec();

        /* There is always something to wake up for. */
        mesh_wait(l.mesh);
        poll_timer_wait(20000);
        poll_block();
        assert_true(time_msec() - begin < 10000);

        const size_t n = mesh_receive(l.mesh, &datagrams);
        const size_t left = RUNS * RUN - n_received;
        assert_int_equal(n, MIN(left, (size_t) MESH_BATCH));
        for (size_t i = 0; i < n; i++) {
            assert_came(&l, &datagrams[i], 0, bytes[n_received++], LENGTH);
        }
    }
    assert_int_equal(mesh_receive(l.mesh, &datagrams), 0);
    loopback_close(&l);
}

/* One that is too long is one, wherever it is. */
static void
test_runs_of_long_datagrams(void **state OVS_UNUSED)
{
    static uint8_t bytes[7 * WIRE_MAX];
    struct mesh_datagram *datagrams;
    struct loopback l;

    loopback_open(&l, false, 1);
    memset(bytes, 0x33, sizeof bytes);
    send_run(&l, 0, bytes, WIRE_MAX, 7, 100);
    assert_int_equal(mesh_receive(l.mesh, &datagrams), 7);
    for (size_t i = 0; i < 7; i++) {
        assert_came(&l, &datagrams[i], 0, bytes, i < 6 ? WIRE_MAX : 100);
    }
    send_run(&l, 0, bytes, WIRE_MAX + 1, 7, 100);
    assert_int_equal(mesh_receive(l.mesh, &datagrams), 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(datagrams[i].truncated, i < 6);
    }
    assert_came(&l, &datagrams[6], 0, bytes, 100);
    loopback_close(&l);
}

/* What one mesh sends in runs another one receives. */
static void
test_from_mesh_to_mesh(void **state OVS_UNUSED)
{
    struct mesh_datagram *datagrams;
    struct loopback l;
    struct frames f;
    size_t n_relayed, n_received = 0;

    make_frames(&f);
    loopback_open(&l, false, 1);
    for (size_t i = 0; i < ARRAY_SIZE(f.all); i++) {
        f.all[i].length = 14 + i / 9;
    }
    assert_true(endpoint_from_sockaddr((struct sockaddr *) &l.mesh_address,
                                       &l.peers.all[0]->target));
    mesh_address_peer(l.mesh, l.peers.all[0]);
    assert_int_equal(mesh_send(l.mesh, f.all, 300, &l.peers, l.peers.targets,
                               l.peers.n_targets, &n_relayed),
                     300);
    assert_int_equal(n_relayed, 300);
    while (n_received < 300) {
        const size_t n = mesh_receive(l.mesh, &datagrams);

        assert_true(n > 0);
        for (size_t i = 0; i < n; i++) {
            const struct frame *frame = &f.all[n_received++];

            assert_int_equal(datagrams[i].length, 2 + frame->length);
            assert_memory_equal(datagrams[i].bytes, "SS", 2);
            assert_memory_equal(datagrams[i].bytes + 2, frame->bytes,
                                frame->length);
        }
    }
    loopback_close(&l);
}

/* Sealed meshes. */

enum { SALT = 7, LONGEST_SEALED = SEAL_OVERHEAD + FRAME_MAX };

static struct seal_key
make_key(void)
{
    static const uint8_t bytes[SEAL_KEY_LEN] = "not a key that anybody has";
    struct seal_key key;

    seal_init();
    seal_key_set(&key, bytes);
    return key;
}

/* Opens a mesh that is sealed, with 'n' relays for peers, the first frame to
 * the 'i'th of which has the number 1000 * 'i'. */
static void
loopback_open_sealed(struct loopback *l, bool any, size_t n)
{
    const struct seal_key key = make_key();

    loopback_open(l, any, n);
    l->peers.sealed = true;
    for (size_t i = 0; i < n; i++) {
        sealer_set(&l->peers.all[i]->sealer, &key, SESSION,
                   l->peers.all[i]->path, SALT);
        speak_ours(l, i, 1000 * i);
    }
    assert_int_equal(l->peers.n_targets, n);
}

/* Makes the receive buffer of the 'i'th other as large as many long frames
 * want it. */
static void
make_room(const struct loopback *l, size_t i)
{
    const int size = 8 * 1024 * 1024;

    if (setsockopt(l->others[i].fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
                   sizeof size)) {
        setsockopt(l->others[i].fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
}

/* Fails the test unless the 'i'th other gets 'frame' sealed for it, with the
 * number 'seq', as the 'counter'th datagram to it. */
static void
assert_gets_sealed(const struct loopback *l, size_t i, uint64_t seq,
                   uint64_t counter, const struct frame *frame)
{
    static uint8_t received[WIRE_MAX];
    const struct seal_key key = make_key();
    uint8_t path[4] = { 0, 0, 0, l->peers.all[i]->path };
    struct seal_header header;
    struct seal_subkey subkey;
    size_t length, n;
    bool newer;

    n = receive(l, i, received);
    assert_int_equal(n, SEAL_OVERHEAD + frame->length);
    assert_memory_equal(received, SEAL_MAGIC, 2);
    assert_true(seal_parse(received, n, &header, &newer));
    assert_int_equal(header.type, WIRE_TYPE_FRAME);
    assert_int_equal(header.key_id, key.id);
    assert_true(header.session == SESSION);
    assert_memory_equal(header.stream + 8, path, sizeof path);
    assert_true(header.counter == counter);
    assert_true(header.seq == seq);
    seal_derive(&key, header.stream, &subkey);
    assert_true(seal_open(&subkey, received, n, &length));
    assert_int_equal(length, frame->length);
    assert_memory_equal(received + SEAL_HEADER_LEN, frame->bytes, length);
}

static void
test_a_sealed_mesh_seals_for_each_peer(void **state OVS_UNUSED)
{
    for (int any = 0; any < 2; any++) {
        struct loopback l;
        struct frames f;
        size_t n_relayed;

        make_frames(&f);
        loopback_open_sealed(&l, any, 2);
        for (size_t round = 0; round < 3; round++) {
            assert_int_equal(mesh_send(l.mesh, &f.all[5 * round], 5, &l.peers,
                                       l.peers.targets, l.peers.n_targets,
                                       &n_relayed),
                             10);
            assert_int_equal(n_relayed, 5);
        }
        for (size_t i = 0; i < 15; i++) {
            for (size_t k = 0; k < 2; k++) {
                assert_gets_sealed(&l, k, 1000 * k + i, i, &f.all[i]);
            }
        }
        for (size_t k = 0; k < 2; k++) {
            const struct peer *peer = l.peers.all[k];
            uint64_t bytes = 0;

            assert_nothing_came(&l, k);
            assert_true(peer->remote->next_seq == 1000 * k + 15);
            for (size_t i = 0; i < 15; i++) {
                bytes += f.all[i].length;
            }
            assert_int_equal(peer->tx, 15);
            assert_true(peer->tx_bytes == bytes); /* Of frames, as ever. */
        }
        loopback_close(&l);
    }
}

/* What is sealed lies in the mesh's memory, the frames stay what they are. */
static void
test_frames_are_left_as_they_are(void **state OVS_UNUSED)
{
    struct loopback l;
    struct frames f, before;
    size_t n_relayed;

    make_frames(&f);
    memcpy(before.bytes, f.bytes, sizeof f.bytes);
    loopback_open_sealed(&l, false, 1);
    make_room(&l, 0);
    mesh_send(l.mesh, f.all, 300, &l.peers, l.peers.targets, l.peers.n_targets,
              &n_relayed);
    assert_int_equal(n_relayed, 300);
    assert_memory_equal(before.bytes, f.bytes, sizeof f.bytes);
    for (size_t i = 0; i < 300; i++) {
        assert_gets_sealed(&l, 0, i, i, &f.all[i]);
    }
    loopback_close(&l);
}

/* More at a time than there is room for sealed ones, of all lengths, so that
 * the room ends anywhere in them. */
static void
test_long_frames_in_a_sealed_mesh(void **state OVS_UNUSED)
{
    enum { N = 100 };
    static uint8_t bytes[N][FRAME_MAX];
    static struct frame all[N];
    struct loopback l;
    size_t n_relayed;

    loopback_open_sealed(&l, false, 2);
    for (size_t k = 0; k < 2; k++) {
        make_room(&l, k);
    }
    for (size_t i = 0; i < N; i++) {
        memset(bytes[i], i, FRAME_MAX);
        all[i].bytes = bytes[i];
        all[i].length = FRAME_MAX - i * i % 1000;
    }
    assert_int_equal(mesh_send(l.mesh, all, N, &l.peers, l.peers.targets,
                               l.peers.n_targets, &n_relayed),
                     2 * N);
    assert_int_equal(n_relayed, N);
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < 2; k++) {
            assert_gets_sealed(&l, k, 1000 * k + i, i, &all[i]);
        }
    }
    loopback_close(&l);
}

/* One that fails does not keep back another one, and its numbers are used up:
 * no two datagrams may have the same. */
static void
test_a_sealed_peer_that_fails(void **state OVS_UNUSED)
{
    struct loopback l;
    struct frames f;
    size_t n_relayed;

    make_frames(&f);
    loopback_open_sealed(&l, false, 2);
    const struct endpoint target = l.peers.all[0]->target;
    make_unreachable(&l, 0);
    assert_int_equal(mesh_send(l.mesh, f.all, 4, &l.peers, l.peers.targets,
                               l.peers.n_targets, &n_relayed),
                     4);
    assert_int_equal(n_relayed, 4);
    assert_int_equal(l.peers.all[0]->tx_errors, 4);
    assert_int_equal(l.peers.all[0]->tx, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_gets_sealed(&l, 1, 1000 + i, i, &f.all[i]);
    }
    l.peers.all[0]->target = target;
    mesh_address_peer(l.mesh, l.peers.all[0]);
    assert_int_equal(mesh_send(l.mesh, f.all, 1, &l.peers, l.peers.targets,
                               l.peers.n_targets, &n_relayed),
                     2);
    assert_gets_sealed(&l, 0, 4, 4, &f.all[0]);
    loopback_close(&l);
}

/* Nobody gets what is not sealed, whoever it is. */
static void
test_who_gets_no_frames_in_a_sealed_mesh(void **state OVS_UNUSED)
{
    for (int i = 0; i < 5; i++) {
        struct loopback l;
        struct frames f;
        size_t n_relayed;

        make_frames(&f);
        loopback_open_sealed(&l, false, 1);
        struct peer *peer = l.peers.all[0];

        switch (i) {
        case 0: peer->remote->version = 0; break;
        case 1: liveness_bye(&peer->liveness, NOW); break;
        case 2: memset(&peer->sealer, 0, sizeof peer->sealer); break;
        case 3:
            liveness_init(&peer->liveness, NOW);
            liveness_snowsignal(&peer->liveness, NOW);
            peer_set_remote(peer, NULL);
            break;
        case 4:
            peer->source = ROSTER_SELF;
            peer_set_remote(peer, NULL);
            break;
        }
        peers_choose_targets(&l.peers);
        assert_int_equal(l.peers.n_targets, 0);
        assert_int_equal(mesh_send(l.mesh, f.all, 3, &l.peers, l.peers.targets,
                                   l.peers.n_targets, &n_relayed),
                         0);
        assert_nothing_came(&l, 0);
        loopback_close(&l);
    }
}

/* Messages to who is no peer. */
static void
test_a_message_to_an_address(void **state OVS_UNUSED)
{
    for (int any = 0; any < 2; any++) {
        uint8_t received[WIRE_MAX];
        struct endpoint to;
        struct loopback l;

        loopback_open(&l, any, 2);
        say(&l, 0, 40, 1);
        assert_true(endpoint_from_sockaddr(
            (struct sockaddr *) &l.others[1].address, &to));
        mesh_say_to(l.mesh, &to, "a message", 9);
        assert_int_equal(receive(&l, 1, received), 9); /* At once. */
        assert_memory_equal(received, "a message", 9);
        assert_nothing_came(&l, 0);

        to.port = 0;
        mesh_say_to(l.mesh, &to, "nowhere", 7);
        mesh_flush(l.mesh);
        assert_told(&l, 0, 40, 1);
        assert_nothing_came(&l, 1);
        loopback_close(&l);
    }
}

/* The longest sealed frame is received whole. */
static void
test_the_longest_sealed_datagram(void **state OVS_UNUSED)
{
    static uint8_t datagram[LONGEST_SEALED], frame[FRAME_MAX];
    const struct seal_key key = make_key();
    struct sealer sealer = { .counter = 0 };
    struct seal_subkey subkey;
    struct loopback l;
    size_t length;

    loopback_open(&l, false, 1);
    memset(frame, 0x77, sizeof frame);
    sealer_set(&sealer, &key, SESSION, 1, SALT);
    assert_int_equal(
        seal(&sealer, WIRE_TYPE_FRAME, SEQ, frame, sizeof frame, datagram),
        sizeof datagram);
    send_to_mesh(&l, datagram, sizeof datagram);
    const struct mesh_datagram *d = receive_one(&l);
    assert_false(d->truncated);
    const struct wire w = decode(d->bytes, d->length);
    assert_only_kind(&w, WIRE_SEALED);
    assert_ptr_equal(w.datagram, d->bytes);
    assert_int_equal(w.datagram_length, sizeof datagram);
    seal_derive(&key, d->bytes + 6, &subkey);
    assert_true(seal_open(&subkey, w.datagram, w.datagram_length, &length));
    assert_int_equal(length, sizeof frame);
    assert_memory_equal(d->bytes + SEAL_HEADER_LEN, frame, length);
    loopback_close(&l);
}

int
main(void)
{
    /* Neither that the peers are sent to need be said, nor which of them the
     * tests have made unreachable. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captured_datagrams_hold_frames),
        cmocka_unit_test(test_short_datagrams_are_malformed),
        cmocka_unit_test(test_datagrams_of_others_are_malformed),
        cmocka_unit_test(test_any_frame_of_snowsignals),
        cmocka_unit_test(test_every_byte_of_the_header),
        cmocka_unit_test(test_the_number_changes_by_itself),
        cmocka_unit_test(test_our_own_datagrams_are_taken_apart),
        cmocka_unit_test(test_extreme_ids),
        cmocka_unit_test(test_unknown_types_are_told_from_malformed_ones),
        cmocka_unit_test(test_newer_versions_are_told_from_malformed_ones),
        cmocka_unit_test(test_every_header_length),
        cmocka_unit_test(test_a_header_cut_short_is_malformed),
        cmocka_unit_test(test_another_magic_is_malformed),
        cmocka_unit_test(test_ids_and_sessions_are_not_zero),
        cmocka_unit_test(test_the_byte_that_is_zero_is_ignored),
        cmocka_unit_test(test_sealed_datagrams_are_told_from_others),
        cmocka_unit_test(test_what_is_not_sealed_cannot_be_opened),
        cmocka_unit_test(test_kinds_of_types),
        cmocka_unit_test(test_the_relay_id_in_front),
        cmocka_unit_test(test_nobody_has_the_relay_id_zero),
        cmocka_unit_test(test_the_mesh_sends_what_snowsignal_sends),
        cmocka_unit_test(test_so_does_a_mesh_on_all_addresses),
        cmocka_unit_test(test_who_speaks_ours_gets_growing_numbers),
        cmocka_unit_test(test_also_from_a_mesh_on_all_addresses),
        cmocka_unit_test(test_the_numbers_wrap_around),
        cmocka_unit_test(test_each_peer_gets_the_format_that_it_speaks),
        cmocka_unit_test(test_who_speaks_ours_no_longer_gets_snowsignals),
        cmocka_unit_test(test_more_frames_than_a_system_call_takes),
        cmocka_unit_test(test_what_is_sent_is_counted),
        cmocka_unit_test(test_some_of_the_targets),
        cmocka_unit_test(test_nothing_to_send),
        cmocka_unit_test(test_a_peer_that_fails_does_not_keep_back_others),
        cmocka_unit_test(test_messages_wait_for_a_flush),
        cmocka_unit_test(test_a_flush_sends_messages_once),
        cmocka_unit_test(test_any_number_of_messages_arrives),
        cmocka_unit_test(test_the_longest_and_the_shortest_message),
        cmocka_unit_test(test_a_message_that_fails_does_not_keep_back_others),
        cmocka_unit_test(test_messages_are_not_counted),
        cmocka_unit_test(test_messages_and_frames_go_their_own_ways),
        cmocka_unit_test(test_the_mesh_receives_what_snowsignal_sends),
        cmocka_unit_test(test_so_does_one_that_hears_all_addresses),
        cmocka_unit_test(test_the_mesh_receives_our_own_format),
        cmocka_unit_test(test_the_mesh_knows_who_sent),
        cmocka_unit_test(test_the_longest_datagram),
        cmocka_unit_test(test_the_longest_frame_behind_the_longest_header),
        cmocka_unit_test(test_the_longest_frame_is_sent_in_our_format),
        cmocka_unit_test(test_runs_are_received_as_datagrams),
        cmocka_unit_test(test_more_datagrams_than_a_batch),
        cmocka_unit_test(test_runs_of_long_datagrams),
        cmocka_unit_test(test_from_mesh_to_mesh),
        cmocka_unit_test(test_a_sealed_mesh_seals_for_each_peer),
        cmocka_unit_test(test_frames_are_left_as_they_are),
        cmocka_unit_test(test_long_frames_in_a_sealed_mesh),
        cmocka_unit_test(test_a_sealed_peer_that_fails),
        cmocka_unit_test(test_who_gets_no_frames_in_a_sealed_mesh),
        cmocka_unit_test(test_a_message_to_an_address),
        cmocka_unit_test(test_the_longest_sealed_datagram),
    };
    return cmocka_run_group_tests_name("wire format", tests, NULL, NULL);
}
