/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_HELLO_H
#define SNOWRELAY_HELLO_H 1

/* Hellos: what relays of ours tell each other every second.
 *
 * A hello follows a header of type WIRE_TYPE_HELLO (wire.h).  It has a fixed
 * part, whose length it states, and then items of a type, a length and a
 * value:
 *
 *      0     1     2       3        4          8           16     20
 *     +-----+-----+-------+--------+----------+-----------+------+------+
 *     | min | max | flags | length | interval | timestamp | path | echo |
 *     |     |     |       |        |          |           |      | path |
 *     +-----+-----+-------+--------+----------+-----------+------+------+
 *      24             32               40       44  48         56     64
 *     +--------------+----------------+--------+---+----------+------+-------
 *     | echo session | echo timestamp | held   | 0 | received | lost | items
 *     +--------------+----------------+--------+---+----------+------+-------
 *
 * The sender's 'timestamp' comes back in the receiver's next hello as the echo
 * together with how long it was held there, which gives the round-trip time
 * whatever the two clocks say.  'path' is the number by which the sender knows
 * the receiver; it comes back as well, so that an answer is recognized from
 * whatever address it comes.
 *
 * docs/mesh-protocol.md has every field.  Pure: no I/O, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "announcement.h"
#include "openvswitch/types.h"

enum {
    HELLO_MAX_MACS = 16,
    HELLO_MAX_PORTS = 64,
    HELLO_ROLE_LEN = 9,
    HELLO_TUNNEL_LEN = 16,

    /* What hello_encode() writes at most. */
    HELLO_MAX_LEN = 64 + 4 + HELLO_MAX_MACS * 6 + 4 + HELLO_MAX_PORTS * 2 + 4
                    + HELLO_ROLE_LEN + 4 + HELLO_TUNNEL_LEN,

    HELLO_MAX_VNI = 0xffffff,

    HELLO_MIN_INTERVAL_MS = 100,
    HELLO_MAX_INTERVAL_MS = 60000
};

/* What a relay says of its tunnel port. */
enum hello_tunnel_type {
    HELLO_NO_TUNNEL, /* It has none. */
    HELLO_VXLAN,     /* RFC 7348. */
    HELLO_GENEVE,    /* RFC 8926. */
    HELLO_N_TUNNEL_TYPES
};

struct hello_tunnel {
    enum hello_tunnel_type type;
    uint32_t vni;   /* 24 bits. */
    uint64_t token; /* What the receiver's probes are to bring
                     * (tunnel-probe.h). */
    bool hears;     /* They come, so frames may. */
};

struct hello {
    uint8_t version_min; /* Versions of the wire format that the sender */
    uint8_t version_max; /* speaks. */
    bool answer;         /* Has not heard of the receiver: answer at once. */
    bool answers;        /* Is itself an answer to a hello that came by another
                          * way than most: needs none. */
    uint32_t interval;   /* Between the sender's hellos, ms. */
    uint64_t timestamp;  /* The sender's clock, us from any beginning. */
    uint32_t path;       /* The sender's number for the receiver, not 0. */

    /* From the last hello that the sender had from the receiver, all 0 without
     * one. */
    uint32_t echo_path;
    uint64_t echo_session;
    uint64_t echo_timestamp;
    uint32_t held; /* Since it came, us; UINT32_MAX for longer. */

    /* Of the receiver's frames. */
    uint64_t received;
    uint64_t lost;

    struct eth_addr macs[HELLO_MAX_MACS]; /* The sender's local MACs. */
    size_t n_macs;                        /* 0 if it does not say so. */
    uint16_t ports[HELLO_MAX_PORTS];      /* Its broadcast ports. */
    size_t n_ports;                       /* 0 likewise. */

    /* What it is to its segment, and the relay that forwards for that one, 0
     * if none is known.  RELAY_OFF if it does not say so. */
    enum relay_state role;
    uint64_t forwarder;

    struct hello_tunnel tunnel;
};

/* Writes 'hello' to 'body', of HELLO_MAX_LEN bytes, of which it takes no more
 * than 'max': what does not fit besides its fixed part is left out.  Returns
 * how many bytes it takes, 0 if not even that fits. */
size_t hello_encode(const struct hello *hello, uint8_t *body, size_t max);

/* Makes the hello of 'length' bytes at 'body' one of HELLO_MAX_LEN bytes, by
 * an item that means nothing, if there is room for that: so that its answer,
 * which must not be longer, may say everything.  Returns its new length. */
size_t hello_pad(uint8_t *body, size_t length);

/* Reads the 'length' bytes at 'body' into '*hello'.  Items of unknown types,
 * addresses that cannot be a relay's, the port 0, and what is more than fits
 * are left out; an interval out of bounds is taken for the nearest one within.
 * Returns false if 'body' is no hello; '*hello' is indeterminate then. */
bool hello_decode(const uint8_t *body, size_t length, struct hello *hello);

#endif /* hello.h */
