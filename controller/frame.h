/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_FRAME_H
#define SNOWRELAY_FRAME_H 1

/* Frames: is this one a broadcast worth carrying, and is it whole?
 *
 * A frame is relayed if it is an untagged Ethernet II frame to
 * ff:ff:ff:ff:ff:ff that holds a whole IPv4 UDP datagram whose lengths agree
 * with each other and whose checksums are right.  Both ends of the relay check
 * it: the one that punts, because the segment may bring anything, and the one
 * that emits, because the mesh may.
 *
 * A sender whose driver promises checksum offload (veth, tap and virtio do)
 * leaves only the sum of the pseudo-header in the UDP checksum field,
 * expecting hardware to add the rest.  No hardware follows here, so
 * frame_check() completes such a sum.  A wrong checksum is never replaced by a
 * right one: the frame is dropped.
 *
 * Layout (RFC 894, RFC 791, RFC 768), without IP options:
 *
 *      0  6   12     14                 34                42
 *     +--+---+------+------------------+-----------------+---------+----
 *     |dst|src|0x0800| IPv4 (20 bytes)  | UDP (8 bytes)   | payload | pad
 *     +--+---+------+------------------+-----------------+---------+----
 *
 * Pure: no I/O, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

/* The longest frame carried: an Ethernet header and an IP packet of 9,000
 * bytes, which is what "jumbo frames" mean to most equipment. */
enum { FRAME_MAX = 14 + 9000 };

/* What frame_check() finds, in the order in which it looks. */
enum frame_verdict {
    FRAME_OK,
    FRAME_OVERSIZE,      /* Longer than FRAME_MAX. */
    FRAME_SHORT,         /* Too short for the headers it needs. */
    FRAME_NOT_BROADCAST, /* Ethernet destination not ff:ff:... */
    FRAME_VLAN,          /* Has a VLAN tag: another segment's. */
    FRAME_NOT_IPV4,      /* Another EtherType, or IP version not 4. */
    FRAME_IP_HEADER,     /* IP header length or total length wrong. */
    FRAME_IP_CHECKSUM,   /* IP header checksum wrong. */
    FRAME_FRAGMENT,      /* Part of a fragmented datagram. */
    FRAME_NOT_UDP,       /* Another IP protocol. */
    FRAME_UDP_LENGTH,    /* UDP length does not fit the IP length. */
    FRAME_UDP_CHECKSUM,  /* UDP checksum wrong. */
    FRAME_N_VERDICTS
};

/* A frame in somebody else's memory, and what was read from it. */
struct frame {
    uint8_t *bytes; /* From the Ethernet destination on. */
    size_t length;  /* Of 'bytes', padding included. */
    ovs_be32 ip_src;
    ovs_be32 ip_dst;
    uint16_t port;       /* UDP destination port. */
    uint16_t udp_ofs;    /* Where the UDP header begins. */
    uint16_t udp_length; /* Of the UDP header and its payload. */
    bool completed;      /* Was its checksum only begun? */
};

/* Checks the 'length' bytes at 'bytes' and, if the UDP checksum is only begun,
 * completes it in place; nothing else is changed.  On FRAME_OK '*frame' is
 * filled in and points to 'bytes'; otherwise it is indeterminate. */
enum frame_verdict frame_check(uint8_t *bytes, size_t length, struct frame *);

/* A word for 'verdict', as counters and logs use it, such as "ip_checksum". */
const char *frame_verdict_name(enum frame_verdict verdict);

#endif /* frame.h */
