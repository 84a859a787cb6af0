/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_CHANNEL_H
#define SNOWRELAY_CHANNEL_H 1

/* Channel: the OpenFlow connection that carries frames.
 *
 * The relay has two connections to the switch, in the way of OpenFlow's main
 * and auxiliary connections (OpenFlow 1.5.1, section 6.3.8).  The bridge
 * module has the main one, an rconn, for everything that is rare.  This one
 * carries only punts and emissions, so that neither waits for a flow dump, and
 * it reads and writes many messages with one system call, in memory that is
 * never allocated again; an rconn would take two reads, one allocation and a
 * lock for each frame.
 *
 * The connection is made, and made again when it breaks, with pauses of less
 * than a second.  Once made, it is told to bring packet-ins of the relay's
 * controller id in the format NXT_PACKET_IN2 and nothing else. */

#include <stdbool.h>
#include <stddef.h>

struct channel;
struct emit;
struct ofp_header;
struct ofpbuf;

/* Makes a channel that connects to 'target', an OVS connection method such as
 * "unix:/run/openvswitch/br0.mgmt". */
struct channel *channel_create(const char *target);
void channel_destroy(struct channel *);

/* Connects and keeps the connection up.  Messages in 'emit' that the switch
 * has read a part of when the connection breaks are given up; returns their
 * number. */
unsigned int channel_run(struct channel *, struct emit *emit);
void channel_wait(struct channel *, const struct emit *emit);

/* Returns true if frames can be sent and received. */
bool channel_is_open(const struct channel *);

/* Returns a number that grows by one each time the channel opens. */
unsigned int channel_seqno(const struct channel *);

/* Reads what the switch has sent, with one system call.  Returns false if
 * there was nothing to read.  Sets '*more' if there may be more than was read.
 * Pointers from channel_next() become invalid. */
bool channel_read(struct channel *, bool *more);

/* Returns the next message that channel_read() read, aligned on 8 bytes, in
 * the channel's memory but for the caller to change.  Returns NULL if there is
 * no whole one left.  Handshake, echo and error messages are dealt with
 * within. */
struct ofp_header *channel_next(struct channel *);

/* Takes over 'msg', an OpenFlow message that channel_write() sends before the
 * frames that wait.  Returns false, and drops 'msg', if the channel is not
 * open or the switch has not read all that the last channel_write() sent. */
bool channel_send(struct channel *, struct ofpbuf *msg);

/* Writes the frames in 'emit' as far as the switch takes them.  Returns the
 * number of frames written to their end. */
unsigned int channel_write(struct channel *, struct emit *emit);

#endif /* channel.h */
