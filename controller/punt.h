/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PUNT_H
#define SNOWRELAY_PUNT_H 1

/* Punts: the frame inside a packet-in.
 *
 * The flows in flows/ send broadcasts to this relay as NXT_PACKET_IN2 messages
 * (see enum nx_packet_in2_prop_type in openflow/nicira-ext.h).  Their
 * "userdata" comes back in each message and says which kind of punt it is:
 *
 *      0      1              3                    5
 *     +------+--------------+--------------------+
 *     | kind | port (BE16)  | generation (BE16)  |
 *     +------+--------------+--------------------+
 *
 * The generation is only there where the switch itself has sent the frame to
 * some of the peers (tunneling.h), and says to which.
 *
 * Only what the relay needs is read; the pipeline's metadata, which takes most
 * of the time to decode, is skipped.  Pure: no I/O, no state. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofp_header;

/* The OpenFlow controller id of the relay's punts: "SN". */
enum { PUNT_CONTROLLER_ID = 0x534e };

enum punt_kind {
    PUNT_BROADCAST = 1, /* A broadcast to relay. */
    PUNT_OWN_HOST,      /* The same, from a program on this very host. */
    PUNT_ANNOUNCEMENT,  /* Of a relay on the segment (announcement.h). */
    PUNT_PROBE,         /* Of a peer, out of the tunnel (tunnel-probe.h). */
    PUNT_TUNNEL,        /* A peer's frame, out of the tunnel. */
    PUNT_WATCH,         /* One of the broadcasts that the switch has sent to
                         * all peers: only to be looked at. */
    PUNT_WATCH_TUNNEL,  /* One of the peers' broadcasts that the switch has
                         * emitted, likewise. */
    PUNT_N_KINDS
};

/* A punted frame, in the memory of the packet-in. */
struct punt {
    enum punt_kind kind;
    uint16_t port;       /* Broadcast port of the flow, 0 if it has none. */
    uint16_t generation; /* See above; 0 if there is none. */
    uint8_t *frame;      /* From the Ethernet destination on. */
    size_t length;
    const void *metadata; /* The pipeline's, for punt_tunnel_source(). */
    size_t metadata_length;
};

/* If 'oh', a whole OpenFlow message in host memory, aligned on 8 bytes, is a
 * punt of one of our flows with its frame complete, fills in '*punt', which
 * then points into the message, and returns true.  Otherwise returns false. */
bool punt_decode(struct ofp_header *oh, struct punt *punt);

/* Stores in '*source' where the tunnel that the frame of 'punt' came out of
 * comes from, an IPv4 address as an IPv4-mapped one, and returns true. Returns
 * false if it came out of none. */
bool punt_tunnel_source(const struct punt *punt, struct in6_addr *source);

/* Returns the userdata of punts of 'kind' for broadcast port 'port', with
 * 'generation' unless that is 0, in the syntax of the controller action, such
 * as "01.13.d4".  The caller frees it. */
char *punt_userdata(enum punt_kind kind, uint16_t port, uint16_t generation);

#endif /* punt.h */
