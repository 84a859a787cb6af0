/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TUNNEL_PROBE_H
#define SNOWRELAY_TUNNEL_PROBE_H 1

/* Tunnel probes: frames that relays send each other through the tunnel, to
 * find out whether frames get through, and to keep the switch's knowledge of
 * the way there fresh.
 *
 *     0     6     12       14     18        19  20      28
 *    +-----+-----+--------+------+---------+---+-------+----------
 *    | dst | src | 0x88b5 | SNOW | version | 0 | token | padding
 *    |     |     |        |      |    1    |   |       |    0
 *    +-----+-----+--------+------+---------+---+-------+----------
 *
 * They have the type of announcements (announcement.h), but go to
 * 03:53:4e:4f:57:02, and never to a segment.  The token is what the receiver
 * has told the sender, and nobody else, in a hello: so a probe says whose it
 * is, and cannot be made up.
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

enum { TUNNEL_PROBE_MIN_LEN = 60 };

/* Writes a probe of 'length' bytes, at least TUNNEL_PROBE_MIN_LEN, from 'mac'
 * with 'token' to 'frame'. */
void tunnel_probe_encode(uint8_t *frame, size_t length, struct eth_addr mac,
                         uint64_t token);

/* Stores the token of the probe of 'length' bytes at 'frame' in '*token' and
 * returns true, or returns false if it is none. */
bool tunnel_probe_decode(const uint8_t *frame, size_t length, uint64_t *token);

#endif /* tunnel-probe.h */
