/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_WIRE_H
#define SNOWRELAY_WIRE_H 1

/* The mesh's wire formats: what one UDP datagram between relays holds.
 *
 * SnowSignal's, which every relay understands:
 *
 *      0        2
 *     +----+----+--------------------
 *     | S  | S  | whole Ethernet frame, without its FCS
 *     +----+----+--------------------
 *
 * and our own, between relays that have told each other that they speak it.
 * All numbers are in network byte order:
 *
 *      0        2         3      4        5       6       14        22     30
 *     +----+----+---------+------+--------+-------+-------+---------+------+--
 *     | S  | R  | version | type | header | 0     | relay | session | seq  |
 *     |    |    |         |      | length |       | id    | id      |      |
 *     +----+----+---------+------+--------+-------+-------+---------+------+--
 *
 *     version  what the receiver must know at least to understand the rest
 *     type     what follows the header: enum wire_type
 *     seq      of a frame, its number, which grows by one for each frame to
 *              the same relay; of anything else, the number that the next
 *              frame will have
 *
 * Where the mesh is sealed everything is in datagrams of a third format, which
 * is in seal.h; their body is a frame, or else the sender's relay id, 8 bytes,
 * and what follows the header in our own format.
 *
 * docs/mesh-protocol.md describes all byte by byte, and what relays of other
 * versions may do.  Pure: no I/O, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "seal.h"

#define WIRE_SNOWSIGNAL_MAGIC "SS"
#define WIRE_MAGIC "SR"

enum {
    /* The versions of our own format that this program speaks. */
    WIRE_VERSION_MIN = 1,
    WIRE_VERSION_MAX = 1,

    WIRE_SNOWSIGNAL_LEN = sizeof WIRE_SNOWSIGNAL_MAGIC - 1,
    WIRE_HEADER_LEN = 30,

    /* The longest datagram that can hold a frame we carry, behind the longest
     * header of a version to come. */
    WIRE_MAX = UINT8_MAX + FRAME_MAX,

    /* In front of what a sealed datagram holds that is no frame. */
    WIRE_RELAY_ID_LEN = 8
};

/* What follows our own header. */
enum wire_type {
    WIRE_TYPE_FRAME = 1, /* A whole Ethernet frame, without its FCS. */
    WIRE_TYPE_HELLO = 2, /* See hello.h. */
    WIRE_TYPE_BYE = 3,   /* Nothing: the sender leaves. */
};

/* What a datagram is. */
enum wire_kind {
    WIRE_MALFORMED,  /* Neither format. */
    WIRE_NEWER,      /* Our own, of a version that we do not speak. */
    WIRE_OTHER,      /* Our own, of a type that we do not know. */
    WIRE_SEALED,     /* Sealed: see streams_open(). */
    WIRE_SNOWSIGNAL, /* A frame in SnowSignal's format. */
    WIRE_FRAME,
    WIRE_HELLO,
    WIRE_BYE
};

/* A datagram taken apart, in its own memory. */
struct wire {
    enum wire_kind kind;
    uint64_t relay_id; /* This and the next two: not of WIRE_SNOWSIGNAL.  The
                        * first two are not 0. */
    uint64_t session;
    uint64_t seq;
    uint8_t *body; /* The frame, or what else follows the header. */
    size_t length; /* Of 'body'. */

    /* Of one that is, or was, sealed: all of it, and the stream that it is of
     * if that is accepted.  NULL of all others. */
    uint8_t *datagram;
    size_t datagram_length;
    struct stream_state *stream;
    uint16_t key_id; /* Of the key that it was sealed with. */
};

/* Returns true if 'w' is, or was, sealed. */
static inline bool
wire_was_sealed(const struct wire *w)
{
    return w->datagram != NULL;
}

/* Takes apart the 'length' bytes at 'datagram'.  The body is not looked at.
 * Of datagrams that are WIRE_MALFORMED or WIRE_NEWER only 'kind' means
 * anything, of those that are WIRE_SEALED only what is all of it. */
void wire_decode(uint8_t *datagram, size_t length, struct wire *);

/* Returns what a datagram of 'type', an enum wire_type, is. */
enum wire_kind wire_kind_of_type(uint8_t type);

/* Moves the relay id that the body of 'w', which was sealed, begins with to
 * where it belongs.  Returns false if there is none. */
bool wire_pull_relay_id(struct wire *w);

/* Writes the relay id that the body of a sealed datagram begins with. */
void wire_encode_relay_id(uint8_t body[WIRE_RELAY_ID_LEN], uint64_t relay_id);

/* Writes a header of our own to 'header'. */
void wire_encode_header(uint8_t header[WIRE_HEADER_LEN], enum wire_type type,
                        uint64_t relay_id, uint64_t session, uint64_t seq);

/* Changes the number in 'header'. */
void wire_set_seq(uint8_t header[WIRE_HEADER_LEN], uint64_t seq);

#endif /* wire.h */
