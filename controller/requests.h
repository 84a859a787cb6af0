/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_REQUESTS_H
#define SNOWRELAY_REQUESTS_H 1

/* Requests: the OpenFlow 1.5 messages with which the bridge module asks the
 * switch for something, but for the flow, group and meter mods of a flow set.
 *
 * Each function returns a message with a transaction id of its own, which the
 * caller frees or sends.  Pure: no I/O, no state. */

#include <stdint.h>

struct ofpbuf;
struct ovs_list;

/* Asks for no asynchronous messages but those about ports, and about what
 * others do to groups and meters (OpenFlow 1.5.1, section 7.4.7). */
struct ofpbuf *request_news(void);

/* Asks for what the switch is, its datapath id above all. */
struct ofpbuf *request_features(void);

/* Asks for the descriptions of all ports. */
struct ofpbuf *request_ports(void);

/* Appends to 'requests' what asks for a report whenever somebody else adds,
 * changes or removes one of the flows in flows/monitor.match.  A request each,
 * since a switch may refuse one. */
void request_flow_monitors(struct ovs_list *requests);

/* Ask for the flows of ours, for all meters, for all groups, and for what has
 * been counted for them. */
struct ofpbuf *request_flows(void);
struct ofpbuf *request_meters(void);
struct ofpbuf *request_meter_counts(void);
struct ofpbuf *request_groups(void);
struct ofpbuf *request_group_counts(void);

/* Asks for the removal of all flows of the kind 'cookie', such as
 * COOKIE_RELAY. */
struct ofpbuf *request_no_flows(uint64_t cookie);

/* Asks for the removal of the meter 'id'. */
struct ofpbuf *request_no_meter(uint32_t id);

/* Makes of 'mods', flow and group mods, a list of "struct ofpbuf", the
 * messages that have the switch apply them in order and all or none: the
 * bundle 'id' is opened, gets each of them, and is committed (OpenFlow 1.5.1,
 * section 6.9).  The last message is the commitment, whose reply says that all
 * is done. */
void requests_bundle(struct ovs_list *mods, uint32_t id);

#endif /* requests.h */
