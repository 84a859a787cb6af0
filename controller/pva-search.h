/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PVA_SEARCH_H
#define SNOWRELAY_PVA_SEARCH_H 1

/* Searches of PVAccess, after the "pvAccess Protocol Specification" (EPICS v4
 * working group, public working draft of October 2015, and its continuation in
 * the documentation of EPICS): "Message header", "CMD_SEARCH", "Sizes" and
 * "Strings".
 *
 * A datagram is a row of messages.  Each has a header
 *
 *      0      1       2     3       4
 *     +------+-------+-----+-------+--------------+
 *     | 0xca |version|flags|command| payload size |
 *     +------+-------+-----+-------+--------------+
 *
 * whose flags tell the byte order of all numbers of the message.  Control
 * messages have no payload.  A search, command 3, has
 *
 *     int        sequence number
 *     byte       flags
 *     byte[3]    reserved
 *     byte[16]   address to reply to
 *     short      port to reply to
 *     string[]   protocols to reply for
 *     short      number of names
 *     { int instance id, string name }[]
 *
 * in which a string, and the number of the protocols, begins with its size:
 * one byte up to 253, 0xfe and four bytes for more, or 0xff for none.
 *
 * All other messages are passed over: beacons, the origin tag that a forwarder
 * on the same host puts in front, and those that are but a segment of one,
 * which nobody can put together again from datagrams.
 *
 * Pure: no I/O, no state. */

#include "search.h"

/* Reads the 'length' bytes at 'payload', a UDP payload, and stores in 'asks'
 * the names that it asks for, which lie in 'payload'. */
enum search_verdict
pva_search_read(const uint8_t *payload, size_t length, struct asks *asks);

#endif /* pva-search.h */
