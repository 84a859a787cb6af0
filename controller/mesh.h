/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_MESH_H
#define SNOWRELAY_MESH_H 1

/* Mesh: the relay's UDP socket and the datagrams that go through it.
 *
 * Sends each of many frames to each of many peers with few system calls, see
 * outbox.h, and receives many datagrams with one, into memory of the mesh.
 * Equally long ones from the same sender may come as one message, a run, if
 * they have been one on their way here, or the card's driver has put them
 * together (UDP_GRO, udp(7)).  A datagram longer than the path's MTU is sent
 * in IP fragments, so that a frame of any size crosses whole.
 *
 * Who is a peer and what a frame is are not known here, only which format a
 * peer speaks, and where its numbers are. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"
#include "openvswitch/compiler.h"

struct frame;
struct mesh;
struct peer;
struct peers;

enum {
    /* Most datagrams that mesh_receive() returns at a time. */
    MESH_BATCH = 64,

    /* Longest message of mesh_say(). */
    MESH_MAX_MESSAGE = 512
};

/* A datagram received, in memory of the mesh. */
struct mesh_datagram {
    struct endpoint from;
    uint8_t *bytes;
    size_t length;
    bool truncated; /* Was longer than any frame we carry. */
};

/* Opens the mesh's socket on 'local' and stores the mesh in '*meshp'.  The
 * addresses 0.0.0.0 and :: both stand for all addresses of this host, IPv4 and
 * IPv6.  Returns NULL, or a message that the caller frees, and then stores
 * NULL. */
char *mesh_open(const struct endpoint *local,
                struct mesh **meshp) OVS_WARN_UNUSED_RESULT;
void mesh_close(struct mesh *);

/* Returns a socket like the mesh's, bound to 'ss' of 'ss_len' bytes, or a
 * negative errno.  What mesh_open() does, for the process that may
 * (privsep.h). */
int mesh_open_socket(const struct sockaddr_storage *ss, socklen_t ss_len);

/* Returns where the mesh listens, as mesh_open() was told. */
const struct endpoint *mesh_local(const struct mesh *);

/* Returns true if the mesh can send to IPv6 addresses, or to IPv4 ones. */
bool mesh_sends_ipv4(const struct mesh *);
bool mesh_sends_ipv6(const struct mesh *);

/* Writes the address of 'peer', which mesh_send() then uses, in the form that
 * the socket takes.  To be called whenever the peer's target or the mesh
 * changes. */
void mesh_address_peer(const struct mesh *, struct peer *peer);

/* Sends the 'n_frames' frames in 'frames' to each of the 'n_targets' of
 * 'peers' in 'targets', in the format that it speaks, and numbers and counts
 * them for each.  One that the kernel does not take has used up its number.
 * Stores in
 * '*n_relayed' how many frames were sent to at least one.  Returns the number
 * of datagrams that were sent. */
uint64_t mesh_send(struct mesh *, const struct frame *frames, size_t n_frames,
                   const struct peers *peers, struct peer *const *targets,
                   size_t n_targets, size_t *n_relayed);

/* Returns true if the 'i'th frame of the last mesh_send(), which was of at
 * most OUTBOX_MAX_FRAMES (outbox.h), was sent to at least one peer. */
bool mesh_has_relayed(const struct mesh *, size_t i);

/* Sends the 'length' bytes of 'message', which are copied, to 'peer', at the
 * latest when mesh_flush() is called.  No peer may go or move before that.
 * Messages are not counted, and one that the kernel does not take is lost. */
void
mesh_say(struct mesh *, struct peer *peer, const void *message, size_t length);
void mesh_flush(struct mesh *);

/* The same to 'to', which is no peer, at once. */
void mesh_say_to(struct mesh *, const struct endpoint *to, const void *message,
                 size_t length);

/* Receives up to MESH_BATCH datagrams without waiting, stores a pointer to
 * them in '*datagrams' and returns their number.  They are valid until the
 * next call. */
size_t mesh_receive(struct mesh *, struct mesh_datagram **datagrams);

/* Causes poll_block() to wake up when there is something to receive, or
 * received already. */
void mesh_wait(struct mesh *);

#endif /* mesh.h */
