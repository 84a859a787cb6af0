/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_REQUESTS_H
#define SNOWRELAY_REQUESTS_H 1

/* Requests: the OpenFlow 1.5 messages with which the bridge module asks the
 * switch for something, but for the flow and meter mods of a flow set.
 *
 * Each function returns a message with a transaction id of its own, which the
 * caller frees or sends.  Pure: no I/O, no state. */

#include <stdint.h>

struct ofpbuf;
struct ovs_list;

/* Asks for no asynchronous messages but those about ports. */
struct ofpbuf *request_port_status(void);

/* Asks for the description of the bridge's own port. */
struct ofpbuf *request_local_port(void);

/* Asks for a report whenever somebody else adds, changes or removes one of the
 * flows in flows/monitor.match. */
struct ofpbuf *request_flow_monitor(void);

/* Ask for the flows of ours, and for all meters. */
struct ofpbuf *request_flows(void);
struct ofpbuf *request_meters(void);

/* Asks for the removal of all flows of ours. */
struct ofpbuf *request_no_flows(void);

/* Asks for the removal of the meter 'id'. */
struct ofpbuf *request_no_meter(uint32_t id);

/* Makes of 'flow_mods', a list of "struct ofpbuf", the messages that have the
 * switch apply them in order and all or none: the bundle 'id' is opened, gets
 * each of them, and is committed (OpenFlow 1.5.1, section 6.9).  The last
 * message is the commitment, whose reply says that all is done. */
void requests_bundle(struct ovs_list *flow_mods, uint32_t id);

#endif /* requests.h */
