/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "punt.h"

#include "openflow/nicira-ext.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-prop.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "unaligned.h"
#include "util.h"

/* Kind and port. */
enum { USERDATA_LEN = 3 };

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

bool
punt_decode(struct ofp_header *oh, struct punt *punt)
{
    if (!is_packet_in2(oh)) {
        return false;
    }

    const uint8_t *userdata = NULL;
    punt->frame = NULL;

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
            if (ofpbuf_msgsize(&payload) != USERDATA_LEN) {
                return false;
            }
            userdata = payload.msg;
            break;

        case NXPINT_FULL_LEN:
            return false; /* Only there if the frame is cut. */

        default: break;
        }
    }
    if (!punt->frame || !userdata || userdata[0] < PUNT_BROADCAST
        || userdata[0] > PUNT_ANNOUNCEMENT) {
        return false;
    }
    punt->kind = userdata[0];
    punt->port = userdata[1] << 8 | userdata[2];
    return true;
}

char *
punt_userdata(enum punt_kind kind, uint16_t port)
{
    return xasprintf("%02x.%02x.%02x", kind, port >> 8, port & 0xff);
}
