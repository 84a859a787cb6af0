/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CAPTURE_RECORD_H
#define SNOWRELAY_CAPTURE_RECORD_H 1

/* Capture record: what happened to one frame, and how a capture tells it.
 *
 * A capture has an interface for each point of a frame's way (tap.h), on which
 * the frame is a packet, with a comment that says where and why:
 *
 *    punt     from the switch
 *    send     to 3 peers
 *    receive  from 172.30.0.2:7124
 *    emit     from 172.30.0.2:7124; destination rewritten by the switch
 *    drop     loop; from the switch
 *    refused  format; from 172.30.0.9:7124; made-up Ethernet, IP and UDP ...
 *
 * The last one is for what came from the mesh and has no frame in it that
 * could be found.  It is shown as the UDP datagram that it was; the headers in
 * front are made up, and the Ethernet header is there since libpcap reads only
 * files whose interfaces are all of one type.
 *
 * Pure: no I/O, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "endpoint.h"
#include "tap.h"

struct ofpbuf;

enum capture_interface {
    /* As in enum tap_point. */
    CAPTURE_PUNT,
    CAPTURE_SEND,
    CAPTURE_RECEIVE,
    CAPTURE_EMIT,
    CAPTURE_DROP,

    CAPTURE_REFUSED,
    CAPTURE_N_INTERFACES
};

struct capture_record {
    uint64_t time;      /* ns since 1970. */
    uint64_t n_missing; /* Records of the interface left out before this. */
    enum capture_interface interface;
    enum direction direction; /* The rest is as in struct tap_event. */
    int reason;
    bool dropped;
    bool switched;
    bool rewritten;
    bool has_from;
    struct endpoint from;
    size_t n_peers;
};

/* Headers in front of a datagram that is shown as one, at most: Ethernet, IPv6
 * and UDP. */
enum { CAPTURE_HEADERS_MAX = 14 + 40 + 8 };

/* Returns the name of 'interface', and what it is, in a sentence without its
 * full stop. */
const char *capture_interface_name(enum capture_interface);
const char *capture_interface_description(enum capture_interface);

/* Makes a record of 'event', at 'time'.  'n_missing' is 0 in it. */
void capture_record_init(struct capture_record *,
                         const struct tap_event *event, uint64_t time);

/* Makes the Ethernet, IP and UDP headers of a datagram with 'length' bytes of
 * 'payload' from 'from', NULL if that is not known, to 'to', in 'headers', and
 * returns their length.  An address of 'to' that stands for any, or is of
 * the other IP version, becomes 0.0.0.0 or ::. */
size_t
capture_make_headers(const struct endpoint *from, const struct endpoint *to,
                     const uint8_t *payload, size_t length,
                     uint8_t headers[CAPTURE_HEADERS_MAX]);

/* Appends the record, whose frame is the 'length' bytes at 'frame', to 'out',
 * as a packet of a pcapng file. */
void capture_record_put(struct ofpbuf *out, const struct capture_record *,
                        const uint8_t *frame, size_t length);

#endif /* capture-record.h */
