/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire.h"

#include "support.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mesh.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "peers.h"
#include "util.h"

/* Ethernet, IP and UDP in front of the datagrams of snowsignal-mesh.pcap. */
enum { OUTER_HEADERS = 14 + 20 + 8 };

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

static void
test_captured_datagrams_hold_frames(void **state OVS_UNUSED)
{
    struct capture c;

    read_datagrams(&c);
    for (size_t i = 0; i < c.n; i++) {
        struct packet *p = &c.packets[i];
        struct frame frame;
        uint8_t *bytes;
        size_t length;

        assert_true(wire_decode(p->bytes, p->length, &bytes, &length));
        assert_ptr_equal(bytes, p->bytes + 2);
        assert_int_equal(length, p->length - 2);
        assert_int_equal(frame_check(bytes, length, &frame), FRAME_OK);
        assert_true(frame.port == 5064 || frame.port == 5065
                    || frame.port == 5076);
    }
    capture_free(&c);
}

static void
assert_no_frame(const char *bytes, size_t length)
{
    uint8_t *datagram = copy_exactly(bytes, length);
    uint8_t *frame;
    size_t frame_length;

    assert_false(wire_decode(datagram, length, &frame, &frame_length));
    free(datagram);
}

static void
test_short_datagrams(void **state OVS_UNUSED)
{
    uint8_t datagram[] = "SS";
    uint8_t *frame;
    size_t length;

    assert_no_frame("", 0);
    assert_no_frame("S", 1);

    /* What an earlier datagram has left behind this one does not count. */
    assert_false(wire_decode(datagram, 0, &frame, &length));
    assert_false(wire_decode(datagram, 1, &frame, &length));
}

static void
test_other_magic(void **state OVS_UNUSED)
{
    assert_no_frame("ss", 2);
    assert_no_frame("S\0frame", 7);
    assert_no_frame("Ssframe", 7);
    assert_no_frame("sSframe", 7);
    assert_no_frame("XSframe", 7);
    assert_no_frame("\xff\xff\xff\xff\xff\xff", 6);
}

/* What is in the frame is not this module's business, even if that is
 * nothing. */
static void
test_any_frame(void **state OVS_UNUSED)
{
    uint8_t datagram[] = "SSSS";
    uint8_t *frame;
    size_t length;

    assert_true(wire_decode(datagram, 2, &frame, &length));
    assert_int_equal(length, 0);
    assert_true(wire_decode(datagram, 4, &frame, &length));
    assert_ptr_equal(frame, datagram + 2);
    assert_int_equal(length, 2);
}

/* The other way, through the sockets of a mesh and of somebody else. */

/* A mesh on this host and a socket on 127.0.0.1 that is its only peer. */
struct loopback {
    struct mesh *mesh;
    struct peers peers;
    int fd;
    struct sockaddr_in mesh_address;
};

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

/* Opens the mesh on 127.0.0.1, or on all addresses if 'any': then an IPv6
 * socket may serve the IPv4 peer. */
static void
loopback_open(struct loopback *l, bool any)
{
    struct sockaddr_in peer_address;
    struct endpoint local;

    l->fd = open_socket(&peer_address);

    /* A port that is free, unless somebody takes it just now. */
    close(open_socket(&l->mesh_address));
    assert_true(
        endpoint_from_sockaddr((struct sockaddr *) &l->mesh_address, &local));
    if (any) {
        assert_true(address_from_text("0.0.0.0", &local.address));
    }
    assert_no_error(mesh_open(&local, &l->mesh));

    struct peer_spec spec = { CONST_CAST(char *, "peer"),
                              CONST_CAST(char *, "127.0.0.1"),
                              ntohs(peer_address.sin_port) };
    peers_init(&l->peers);
    peers_configure(&l->peers, &spec, 1, NULL, 0);
    peers_update(&l->peers, NULL, &(struct peers_self){ .ipv4 = true });
    assert_int_equal(l->peers.n_targets, 1);
    mesh_address_peer(l->mesh, l->peers.targets[0]);
}

static void
loopback_close(struct loopback *l)
{
    mesh_close(l->mesh);
    peers_destroy(&l->peers);
    close(l->fd);
}

/* Sends the frames of the captured datagrams through the mesh.  A node of
 * SnowSignal must not be able to tell what comes out from what another such
 * node would send: the same bytes. */
static void
send_captured(bool any)
{
    struct loopback l;
    struct capture c;

    loopback_open(&l, any);
    read_datagrams(&c);
    for (size_t i = 0; i < c.n; i++) {
        struct packet *p = &c.packets[i];
        uint8_t received[WIRE_MAX];
        struct frame frame;
        size_t n_relayed;

        frame.bytes = copy_exactly(p->bytes + 2, p->length - 2);
        frame.length = p->length - 2;
        assert_int_equal(mesh_send(l.mesh, &frame, 1, &l.peers, &n_relayed),
                         1);
        assert_int_equal(n_relayed, 1);
        assert_int_equal(recv(l.fd, received, sizeof received, 0), p->length);
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

/* Waits for a datagram of the loopback's peer and receives it. */
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
                peers_identify(&l->peers, &datagrams->from.address, &peer),
                ORIGIN_PEER);
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
    assert_int_equal(sendto(l->fd, bytes, length, 0,
                            (struct sockaddr *) &l->mesh_address,
                            sizeof l->mesh_address),
                     length);
}

static void
receive_captured(bool any)
{
    struct loopback l;
    struct capture c;

    loopback_open(&l, any);
    read_datagrams(&c);
    for (size_t i = 0; i < c.n; i++) {
        const struct packet *p = &c.packets[i];
        uint8_t *frame;
        size_t length;

        send_to_mesh(&l, p->bytes, p->length);
        const struct mesh_datagram *d = receive_one(&l);
        assert_false(d->truncated);
        assert_true(wire_decode(d->bytes, d->length, &frame, &length));
        assert_int_equal(length, p->length - 2);
        assert_memory_equal(frame, p->bytes + 2, length);
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

/* The longest frame fits, and nothing longer is taken for a frame. */
static void
test_the_longest_datagram(void **state OVS_UNUSED)
{
    uint8_t datagram[WIRE_MAX + 1] = WIRE_MAGIC;
    struct loopback l;

    loopback_open(&l, false);
    send_to_mesh(&l, datagram, WIRE_MAX);
    const struct mesh_datagram *d = receive_one(&l);
    assert_false(d->truncated);
    assert_int_equal(d->length, WIRE_HEADER_LEN + FRAME_MAX);

    send_to_mesh(&l, datagram, WIRE_MAX + 1);
    assert_true(receive_one(&l)->truncated);
    loopback_close(&l);
}

int
main(void)
{
    /* That the peers are sent to need not be said. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captured_datagrams_hold_frames),
        cmocka_unit_test(test_short_datagrams),
        cmocka_unit_test(test_other_magic),
        cmocka_unit_test(test_any_frame),
        cmocka_unit_test(test_the_mesh_sends_what_snowsignal_sends),
        cmocka_unit_test(test_so_does_a_mesh_on_all_addresses),
        cmocka_unit_test(test_the_mesh_receives_what_snowsignal_sends),
        cmocka_unit_test(test_so_does_one_that_hears_all_addresses),
        cmocka_unit_test(test_the_longest_datagram),
    };
    return cmocka_run_group_tests_name("wire format", tests, NULL, NULL);
}
