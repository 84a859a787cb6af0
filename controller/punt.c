/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "punt.h"

#include "nx-match.h"
#include "openflow/nicira-ext.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-prop.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/match.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Without a generation, and with one. */
enum { USERDATA_LEN = 3, LONG_USERDATA_LEN = 5 };

/* Message type (OpenFlow 1.5.1, section 7.1.1) and, within it, the subtype of
 * NXT_PACKET_IN2 (openvswitch/ofp-msgs.h). */
enum { OFPT_EXPERIMENTER = 4, NXT_PACKET_IN2_SUBTYPE = 30 };

/* Length of the header of an OpenFlow experimenter message: struct ofp_header,
 * the experimenter's id and the message's subtype. */
enum { EXPERIMENTER_LEN = sizeof(struct ofp_header) + 8 };

/* Returns true if 'oh' is a NXT_PACKET_IN2.  ofptype_decode() would say so
 * too, after a hash lookup for each message. */
static bool
is_packet_in2(const struct ofp_header *oh)
{
    const ovs_be32 *experimenter = (const ovs_be32 *) (oh + 1);

    return (
        oh->type == OFPT_EXPERIMENTER && ntohs(oh->length) >= EXPERIMENTER_LEN
        && ntohs(oh->length) % 8 == 0 && experimenter[0] == htonl(NX_VENDOR_ID)
        && experimenter[1] == htonl(NXT_PACKET_IN2_SUBTYPE));
}

/* Takes over the 'length' bytes of 'userdata' into '*punt'.  Returns false if
 * they are not ours. */
static bool
read_userdata(const uint8_t *userdata, size_t length, struct punt *punt)
{
    if ((length != USERDATA_LEN && length != LONG_USERDATA_LEN)
        || userdata[0] < PUNT_BROADCAST || userdata[0] >= PUNT_N_KINDS) {
        return false;
    }
    punt->kind = userdata[0];
    punt->port = userdata[1] << 8 | userdata[2];
    punt->generation =
        length == LONG_USERDATA_LEN ? userdata[3] << 8 | userdata[4] : 0;
    return true;
}

bool
punt_decode(struct ofp_header *oh, struct punt *punt)
{
    if (!is_packet_in2(oh)) {
        return false;
    }

    const uint8_t *userdata = NULL;
    size_t userdata_length = 0;
    punt->frame = NULL;
    punt->metadata = NULL;

    struct ofpbuf properties =
        ofpbuf_const_initializer((uint8_t *) oh + EXPERIMENTER_LEN,
                                 ntohs(oh->length) - EXPERIMENTER_LEN);
    while (properties.size > 0) {
        struct ofpbuf payload;
        uint64_t type;

        if (ofpprop_pull(&properties, &payload, &type)) {
            return false;
        }
        switch (type) {
        case NXPINT_PACKET:
            punt->frame = payload.msg;
            punt->length = ofpbuf_msgsize(&payload);
            break;

        case NXPINT_USERDATA:
            userdata = payload.msg;
            userdata_length = ofpbuf_msgsize(&payload);
            break;

        case NXPINT_METADATA:
            punt->metadata = payload.msg;
            punt->metadata_length = ofpbuf_msgsize(&payload);
            break;

        case NXPINT_FULL_LEN:
            return false; /* Only there if the frame is cut. */

        default: break;
        }
    }
    return punt->frame && read_userdata(userdata, userdata_length, punt);
}

bool
punt_tunnel_source(const struct punt *punt, struct in6_addr *source)
{
    struct match match;

    if (!punt->metadata
        || oxm_decode_match(punt->metadata, punt->metadata_length, true, NULL,
                            NULL, &match)
        || !flow_tnl_dst_is_set(&match.flow.tunnel)) {
        return false;
    }
    *source = flow_tnl_src(&match.flow.tunnel);
    return true;
}

char *
punt_userdata(enum punt_kind kind, uint16_t port, uint16_t generation)
{
    return (generation
                ? xasprintf("%02x.%02x.%02x.%02x.%02x", kind, port >> 8,
                            port & 0xff, generation >> 8, generation & 0xff)
                : xasprintf("%02x.%02x.%02x", kind, port >> 8, port & 0xff));
}
