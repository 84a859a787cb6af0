/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_ANNOUNCEMENT_H
#define SNOWRELAY_ANNOUNCEMENT_H 1

/* Announcements: what the relays of one segment tell each other on it.
 *
 * An Ethernet frame of the EtherType that IEEE Std 802 leaves to local
 * experiments, to a multicast address that only relays listen to, from the
 * sender's local MAC:
 *
 *      0     6     12       14     18        19      20       21         22
 *     +-----+-----+--------+------+---------+-------+--------+----------+
 *     | dst | src | 0x88b5 | SNOW | version | state | reason | priority |
 *     +-----+-----+--------+------+---------+-------+--------+----------+
 *     22        30        38      42     46    54        70   71
 *     +----------+---------+-------+------+-----+---------+---+----------
 *     | relay id | session | hello | dead | age | address | 0 | number of
 *     +----------+---------+-------+------+-----+---------+---+----------
 *          72  74
 *     -----+---+------------
 *      ports | 0 | the ports, 2 bytes each
 *     -----+---+------------
 *
 * docs/segment-protocol.md has every field.  Pure: no I/O, no state. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

/* Where announcements go: a locally administered group address. */
#define ANNOUNCEMENT_MAC ETH_ADDR_C(03, 53, 4e, 4f, 57, 01)

enum {
    ANNOUNCEMENT_ETH_TYPE = 0x88b5, /* Local Experimental EtherType 1. */
    ANNOUNCEMENT_VERSION = 1,

    ANNOUNCEMENT_MAX_PORTS = 64,

    /* What announcement_encode() writes at least and at most. */
    ANNOUNCEMENT_MIN_LEN = 74,
    ANNOUNCEMENT_MAX_LEN = 74 + 2 * ANNOUNCEMENT_MAX_PORTS,

    /* Between announcements, and how long one that is silent counts, ms. */
    ANNOUNCEMENT_MIN_HELLO_MS = 50,
    ANNOUNCEMENT_MAX_HELLO_MS = 10000,
    ANNOUNCEMENT_MIN_DEAD_MS = 150,
    ANNOUNCEMENT_MAX_DEAD_MS = 60000
};

/* What a relay is to its segment.  The numbers are those of the wire; one that
 * has the state 0 says nothing. */
enum relay_state {
    RELAY_OFF = 0,    /* Takes no part, since it relays nothing. */
    RELAY_LISTENING,  /* Has started, and finds out who else is there. */
    RELAY_STANDBY,    /* Carries its own host's broadcasts only. */
    RELAY_CLAIMING,   /* Is to forward as soon as its switch has the flows. */
    RELAY_FORWARDING, /* Is the designated forwarder. */
    RELAY_LEAVING,    /* Forwards until another one does. */
    RELAY_GONE,       /* Has left. */
    RELAY_N_STATES
};

/* Why.  The numbers are those of the wire. */
enum relay_reason {
    REASON_NONE = 0,
    REASON_STARTED,  /* It has started, or its switch has. */
    REASON_ALONE,    /* Forwards, for no other was ready. */
    REASON_ORDER,    /* Forwards, for its relay id is the lowest. */
    REASON_PRIORITY, /* Forwards, for its priority is the highest. */
    REASON_LEFT,     /* Forwards, for the one before it left. */
    REASON_SILENT,   /* Forwards, for the one before it fell silent. */
    REASON_OFF,      /* Forwards, for its election is off. */
    REASON_LATER,    /* Stands by, for another one forwards. */
    REASON_YIELDED, /* Stands by, for one that goes before it forwards, too. */
    REASON_REFUSED, /* Listens, for its switch did not take its flows. */
    REASON_STOPPED, /* Leaves. */
    REASON_N
};

struct announcement {
    struct eth_addr mac; /* The sender's local MAC. */
    enum relay_state state;
    enum relay_reason reason;
    uint8_t priority;        /* Greater goes before; never 0. */
    uint64_t relay_id;       /* Never 0. */
    uint64_t session;        /* Never 0. */
    uint32_t hello_ms;       /* Between the sender's announcements. */
    uint32_t dead_ms;        /* How long it counts after its last one. */
    uint64_t age_ms;         /* Since it has been in its state. */
    struct in6_addr address; /* Where people find it, "::" for nowhere. */
    uint16_t ports[ANNOUNCEMENT_MAX_PORTS]; /* Its broadcast ports. */
    size_t n_ports;
};

/* What a frame is. */
enum announcement_verdict {
    ANNOUNCEMENT_OK,
    ANNOUNCEMENT_MALFORMED, /* No announcement, or a broken one. */
    ANNOUNCEMENT_NEWER      /* Of a version to come. */
};

/* Writes 'announcement' to 'frame', of ANNOUNCEMENT_MAX_LEN bytes.  Returns
 * how many bytes it takes. */
size_t
announcement_encode(const struct announcement *announcement, uint8_t *frame);

/* Reads the 'length' bytes at 'frame', an Ethernet frame without its FCS, into
 * '*announcement'.  What follows the ports is ignored; times out of bounds are
 * taken for the nearest ones within, a reason that is not known for
 * REASON_NONE.  Unless the verdict is ANNOUNCEMENT_OK '*announcement' is
 * indeterminate. */
enum announcement_verdict
announcement_decode(const uint8_t *frame, size_t length,
                    struct announcement *announcement);

/* A word for 'state', such as "forwarding", and what 'reason' says, such as
 * "the forwarder before it left". */
const char *relay_state_name(enum relay_state state);
const char *relay_reason_text(enum relay_reason reason);

#endif /* announcement.h */
