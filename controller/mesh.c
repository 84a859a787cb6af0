/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "mesh.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "frame.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "outbox.h"
#include "packets.h"
#include "peers.h"
#include "privsep.h"
#include "seal.h"
#include "socket-util.h"
#include "util.h"
#include "wire.h"

VLOG_DEFINE_THIS_MODULE(mesh);

enum {
    /* Messages handed to the kernel with one sendmmsg(). */
    SAY_BATCH = 64,

    /* Room for bursts in the kernel, in bytes. */
    SOCKET_BUFFER = 4 * 1024 * 1024,

    /* Room for a datagram.  The frame in it begins WIRE_SNOWSIGNAL_LEN,
     * WIRE_HEADER_LEN or SEAL_HEADER_LEN bytes later, so that its IP header is
     * aligned on 4 bytes, for speed. */
    SLOT_SIZE = ROUND_UP(WIRE_MAX + 1, 64),

    /* The same for a run: as many datagrams as an IP packet may hold, and some
     * bytes, or else all slots would begin in the same few cache lines. */
    RUN_MAX = UINT16_MAX,
    RUN_SLOT_SIZE = ROUND_UP(RUN_MAX, 64) + 5 * 64
};
BUILD_ASSERT_DECL((SEAL_HEADER_LEN + ETH_HEADER_LEN) % 4 == 0);
BUILD_ASSERT_DECL((WIRE_SNOWSIGNAL_LEN + ETH_HEADER_LEN) % 4 == 0);
BUILD_ASSERT_DECL((WIRE_HEADER_LEN + ETH_HEADER_LEN) % 4 == 0);

/* Room for what the kernel says of a run. */
union run_control {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

struct mesh {
    struct endpoint local;
    int fd;
    bool ipv6; /* Is it an AF_INET6 socket? */

    /* Receiving: messages, each a datagram or a run. */
    struct mmsghdr rx_msgs[MESH_BATCH];
    size_t rx_used; /* Of 'rx_msgs', since prepare_rx(). */
    size_t rx_next; /* The first of them not yet handed on to its end... */
    size_t rx_ofs;  /* ...and how far it is, in bytes. */
    union run_control rx_controls[MESH_BATCH];
    struct iovec rx_iovs[MESH_BATCH];
    struct sockaddr_storage rx_from[MESH_BATCH];
    struct mesh_datagram datagrams[MESH_BATCH];
    uint8_t *slots; /* MESH_BATCH of 'slot_size' bytes each. */
    size_t slot_size;
    bool takes_runs; /* May a message be a run? */

    struct outbox *outbox; /* Of frames. */

    /* Sending: messages collected for one sendmmsg(). */
    struct mmsghdr say_msgs[SAY_BATCH];
    struct iovec say_iovs[SAY_BATCH];
    uint8_t say_bytes[SAY_BATCH][MESH_MAX_MESSAGE];
    struct peer *say_peers[SAY_BATCH];
    size_t n_say;
};

/* Sets an option of a socket whose failure costs no more than speed. */
static void
try_option(int fd, int level, int option, int value)
{
    ignore(setsockopt(fd, level, option, &value, sizeof value));
}

int
mesh_open_socket(const struct sockaddr_storage *ss, socklen_t ss_len)
{
    const int no = 0;

    if (privsep_is_on()) {
        return privsep_bind(ss);
    }
    int fd =
        socket(ss->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }

    /* Fragments are how a long frame crosses, so the kernel must neither
     * refuse a datagram longer than the MTU nor forbid routers to cut it. */
    try_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    if (ss->ss_family == AF_INET6) {
        try_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    }
    try_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
    try_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);

    if ((ss->ss_family == AF_INET6
         && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no))
        || bind(fd, (const struct sockaddr *) ss, ss_len)) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/* Makes the first 'n' of 'rx_msgs' ready for recvmmsg(). */
static void
prepare_rx(struct mesh *mesh, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mesh->rx_msgs[i].msg_hdr = (struct msghdr){
            .msg_name = &mesh->rx_from[i],
            .msg_namelen = sizeof mesh->rx_from[i],
            .msg_iov = &mesh->rx_iovs[i],
            .msg_iovlen = 1,
            .msg_control = &mesh->rx_controls[i],
            .msg_controllen = sizeof mesh->rx_controls[i],
        };
    }
}

char *
mesh_open(const struct endpoint *local, struct mesh **meshp)
{
    struct endpoint bound = *local;
    struct sockaddr_storage ss;
    const int yes = 1;

    /* One socket serves both families if it is bound to all addresses. */
    if (endpoint_is_any(local)) {
        bound.address = in6addr_any;
    }
    socklen_t ss_len = endpoint_to_sockaddr(&bound, &ss);
    int fd = mesh_open_socket(&ss, ss_len);

    if (endpoint_is_any(local)
        && (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)) {
        /* A host without IPv6. */
        in6_addr_set_mapped_ipv4(&bound.address, htonl(INADDR_ANY));
        ss_len = endpoint_to_sockaddr(&bound, &ss);
        fd = mesh_open_socket(&ss, ss_len);
    }
    if (fd < 0) {
        char text[ENDPOINT_TEXT_SIZE];

        *meshp = NULL;
        return xasprintf("cannot listen for the mesh on UDP %s: %s",
                         endpoint_format(local, text), ovs_strerror(-fd));
    }

    struct mesh *mesh = xzalloc(sizeof *mesh);
    mesh->local = *local;
    mesh->fd = fd;
    mesh->ipv6 = ss.ss_family == AF_INET6;
    mesh->takes_runs = !setsockopt(fd, IPPROTO_UDP, UDP_GRO, &yes, sizeof yes);
    mesh->slot_size = mesh->takes_runs ? RUN_SLOT_SIZE : SLOT_SIZE;
    mesh->slots = xmalloc_cacheline(MESH_BATCH * mesh->slot_size);
    mesh->outbox = outbox_create(fd);
    for (size_t i = 0; i < MESH_BATCH; i++) {
        mesh->rx_iovs[i].iov_base = mesh->slots + i * mesh->slot_size;
        mesh->rx_iovs[i].iov_len = mesh->takes_runs ? RUN_MAX : WIRE_MAX;
    }
    prepare_rx(mesh, MESH_BATCH);
    *meshp = mesh;
    return NULL;
}

void
mesh_close(struct mesh *mesh)
{
    if (mesh) {
        close(mesh->fd);
        free_cacheline(mesh->slots);
        outbox_destroy(mesh->outbox);
        free(mesh);
    }
}

const struct endpoint *
mesh_local(const struct mesh *mesh)
{
    return &mesh->local;
}

/* Writes 'endpoint' to '*ss' in the form that the socket takes.  Returns its
 * length. */
static socklen_t
get_address(const struct mesh *mesh, const struct endpoint *endpoint,
            struct sockaddr_storage *ss)
{
    return (mesh->ipv6 ? endpoint_to_sockaddr6(endpoint, ss)
                       : endpoint_to_sockaddr(endpoint, ss));
}

void
mesh_address_peer(const struct mesh *mesh, struct peer *peer)
{
    peer->ss_len = get_address(mesh, &peer->target, &peer->ss);
    peer->max_segment = OUTBOX_ANY_LENGTH;
}

bool
mesh_sends_ipv4(const struct mesh *mesh)
{
    return !mesh->ipv6 || endpoint_is_any(&mesh->local);
}

bool
mesh_sends_ipv6(const struct mesh *mesh)
{
    return mesh->ipv6;
}

/* Sends the 'n_frames' frames in 'frames', at most OUTBOX_MAX_FRAMES, to each
 * of the 'n_targets' in 'targets': all to one, then all to the next, because
 * the kernel takes those to the same peer at once. */
static size_t
send_some(struct mesh *mesh, const struct frame *frames, size_t n_frames,
          const struct peers *peers, struct peer *const *targets,
          size_t n_targets, size_t *n_relayed)
{
    outbox_begin(mesh->outbox, frames);
    for (size_t j = 0; j < n_targets; j++) {
        for (size_t i = 0; i < n_frames; i++) {
            outbox_put(mesh->outbox, peers, targets[j], i);
        }
    }
    return outbox_end(mesh->outbox, n_relayed);
}

uint64_t
mesh_send(struct mesh *mesh, const struct frame *frames, size_t n_frames,
          const struct peers *peers, struct peer *const *targets,
          size_t n_targets, size_t *n_relayed)
{
    uint64_t n_sent = 0;

    *n_relayed = 0;
    for (size_t i = 0; i < n_frames; i += OUTBOX_MAX_FRAMES) {
        size_t n = MIN(n_frames - i, (size_t) OUTBOX_MAX_FRAMES);
        size_t n_some;

        n_sent +=
            send_some(mesh, &frames[i], n, peers, targets, n_targets, &n_some);
        *n_relayed += n_some;
    }
    return n_sent;
}

bool
mesh_has_relayed(const struct mesh *mesh, size_t i)
{
    return outbox_has_relayed(mesh->outbox, i);
}

void
mesh_flush(struct mesh *mesh)
{
    for (size_t i = 0; i < mesh->n_say;) {
        int retval =
            sendmmsg(mesh->fd, &mesh->say_msgs[i], mesh->n_say - i, 0);

        if (retval > 0) {
            i += retval;
        } else if (errno != EINTR) {
            outbox_send_failed(mesh->say_peers[i++], errno);
        }
    }
    mesh->n_say = 0;
}

void
mesh_say(struct mesh *mesh, struct peer *peer, const void *message,
         size_t length)
{
    size_t i = mesh->n_say++;

    ovs_assert(length <= MESH_MAX_MESSAGE);
    memcpy(mesh->say_bytes[i], message, length);
    mesh->say_iovs[i] = (struct iovec){ mesh->say_bytes[i], length };
    mesh->say_peers[i] = peer;
    mesh->say_msgs[i].msg_hdr = (struct msghdr){
        .msg_name = &peer->ss,
        .msg_namelen = peer->ss_len,
        .msg_iov = &mesh->say_iovs[i],
        .msg_iovlen = 1,
    };
    if (mesh->n_say == SAY_BATCH) {
        mesh_flush(mesh);
    }
}

void
mesh_say_to(struct mesh *mesh, const struct endpoint *to, const void *message,
            size_t length)
{
    struct sockaddr_storage ss;
    socklen_t ss_len = get_address(mesh, to, &ss);

    ignore(
        sendto(mesh->fd, message, length, 0, (struct sockaddr *) &ss, ss_len));
}

/* Returns how long the datagrams in 'msg' are, but for the last. */
static size_t
segment_length(struct mmsghdr *msg)
{
    const struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg->msg_hdr);
    int length = 0;

    if (cmsg && cmsg->cmsg_level == IPPROTO_UDP
        && cmsg->cmsg_type == UDP_GRO) {
        memcpy(&length, CMSG_DATA(cmsg), sizeof length);
    }
    return length > 0 ? (unsigned int) length : msg->msg_len;
}

/* Receives messages.  Returns false if there are none. */
static bool
receive_messages(struct mesh *mesh)
{
    prepare_rx(mesh, mesh->rx_used);
    mesh->rx_used = mesh->rx_next = mesh->rx_ofs = 0;

    int n = recvmmsg(mesh->fd, mesh->rx_msgs, MESH_BATCH, MSG_DONTWAIT, NULL);
    if (n < 0) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        if (errno != EAGAIN && errno != EINTR) {
            VLOG_WARN_RL(&rl, "cannot receive: %s", ovs_strerror(errno));
        }
        return false;
    }
    mesh->rx_used = n;
    return true;
}

/* Hands on the next datagram of those received. */
static void
take_next(struct mesh *mesh, struct mesh_datagram *d)
{
    const size_t i = mesh->rx_next;
    struct mmsghdr *msg = &mesh->rx_msgs[i];
    const size_t left = msg->msg_len - mesh->rx_ofs;

    endpoint_from_sockaddr((struct sockaddr *) &mesh->rx_from[i], &d->from);
    d->bytes = (uint8_t *) mesh->rx_iovs[i].iov_base + mesh->rx_ofs;
    d->length = MIN(left, segment_length(msg));
    mesh->rx_ofs += d->length;
    if (mesh->rx_ofs == msg->msg_len) {
        mesh->rx_next++;
        mesh->rx_ofs = 0;
    }
    d->truncated =
        (d->length > WIRE_MAX || msg->msg_hdr.msg_flags & MSG_TRUNC);
    d->length = MIN(d->length, (size_t) WIRE_MAX);
}

size_t
mesh_receive(struct mesh *mesh, struct mesh_datagram **datagrams)
{
    size_t n = 0;

    *datagrams = mesh->datagrams;
    if (mesh->rx_next == mesh->rx_used && !receive_messages(mesh)) {
        return 0;
    }
    while (n < MESH_BATCH && mesh->rx_next < mesh->rx_used) {
        take_next(mesh, &mesh->datagrams[n++]);
    }
    return n;
}

void
mesh_wait(struct mesh *mesh)
{
    poll_fd_wait(mesh->fd, POLLIN);
    if (mesh->rx_next < mesh->rx_used) {
        poll_immediate_wake();
    }
}
