/* SPDX-License-Identifier: Apache-2.0 */

/* What the relay's words mean. */

"use strict";

/* Why frames are dropped, and whether that is as it should be ("usual") or
 * something to look into. */
const REASONS = {
    oversize: ["Longer than 9,000 bytes, the longest that is carried."],
    short: ["Ends before its headers do: broken on its way, or forged."],
    not_broadcast: ["Not to the broadcast address."],
    vlan: ["Has a VLAN tag, so it belongs to another segment."],
    not_ipv4: ["Not IPv4."],
    ip_header: ["The lengths in its IP header do not fit: broken or forged."],
    ip_checksum: ["The checksum of its IP header is wrong: broken on its way."],
    fragment: ["A part of a fragmented datagram; only whole ones are carried."],
    not_udp: ["Not UDP."],
    udp_length: ["The length in its UDP header does not fit: broken or forged."],
    udp_checksum: ["Its UDP checksum is wrong: broken on its way."],
    port: ["To a port that this relay does not relay; the other relays' ports differ from these."],
    no_peer: ["There was no peer to send it to."],
    send: ["The kernel refused to send it to any peer: look at routes and firewall."],
    unknown_sender: ["Sent by somebody who is no peer of this relay: a peer missing in mesh.peers, or a stranger."],
    own: ["Came from this relay itself, back to it.", "usual"],
    segment: ["Came from a relay of this segment, which has heard it here as well.", "usual"],
    standby: ["Another relay forwards for this segment; this one stands by.", "usual"],
    loop: ["A copy of one that had just been carried: some other way connects the segments, too."],
    duplicate: ["Has come before, or so late that it may have.", "usual"],
    unsealed: ["Not sealed, but this relay has a key: the sender has none."],
    sealed: ["Sealed, but this relay has no key."],
    seal: ["Its seal does not fit: the sender has another key, or it is forged."],
    replay: ["Recorded and sent again, or by a sender that has not been answered yet."],
    rate: ["More frames a second than this peer may send."],
    own_source: ["Claims to be from this host's own address: a loop, or an address used twice."],
    version: ["Of a later version of the mesh's format: that relay is newer than this one."],
    format: ["In none of the mesh's formats: something else sends to this port."],
    no_switch: ["The switch was not known yet.", "usual"],
    queue_full: ["The switch reads more slowly than the mesh sends."],
    stale: ["Waited too long for the switch."],
    disconnected: ["The connection to the switch broke while it was written."],
    source: ["Its sender is none of those that relay.from allows.", "usual"],
    filter: ["The filter leaves it out (relay.filter).", "usual"],
};

const DIRECTIONS = { punt: "from this segment", mesh: "from the mesh" };

/* What a relay is to its segment, and whether that is good. */
const ROLES = {
    forwarding: ["Forwards for this segment", "good"],
    standby: ["Stands by for this segment", "good"],
    listening: ["Finds out who else is on the segment", ""],
    claiming: ["About to forward for this segment", ""],
    leaving: ["Leaves, and forwards until another does", ""],
    gone: ["Has left", "down"],
    off: ["Relays nothing", ""],
};

/* How good the way to a peer is. */
const QUALITIES = {
    good: "answers, nothing lost",
    far: "20 ms away or more",
    some: "0.1 % lost or more",
    much: "5 % lost or more",
    down: "does not answer",
    unknown: "not measured",
};
