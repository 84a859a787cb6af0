/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CA_SEARCH_H
#define SNOWRELAY_CA_SEARCH_H 1

/* Searches of Channel Access, after the "Channel Access Protocol
 * Specification" (EPICS Base): "Messages", "CA_PROTO_VERSION" and
 * "CA_PROTO_SEARCH".
 *
 * A datagram is a row of messages, all numbers big-endian:
 *
 *      0       2            4         6          8           12
 *     +-------+------------+---------+----------+-----------+-----------+----
 *     |command|payload size|data type|data count|parameter 1|parameter 2|...
 *     +-------+------------+---------+----------+-----------+-----------+----
 *
 * A search, command 6, has the protocol's minor version for data count, twice
 * the client's id of the channel for parameters, and for data type 10 if it
 * wants to be told, too, that the name is not there, otherwise 5.  Its payload
 * is the name, ended by a 0 and filled up to a multiple of 8.  Clients put the
 * version message, command 0, in front.
 *
 * There is no magic number.  So a datagram counts as one of Channel Access
 * only if its first message is a search or a version message with these
 * properties, and all others are left alone: beacons, the repeater's messages,
 * and other protocols.
 *
 * Pure: no I/O, no state. */

#include "search.h"

/* Reads the 'length' bytes at 'payload', a UDP payload, and stores in 'asks'
 * the names that it asks for, which lie in 'payload'. */
enum search_verdict
ca_search_read(const uint8_t *payload, size_t length, struct asks *asks);

#endif /* ca-search.h */
