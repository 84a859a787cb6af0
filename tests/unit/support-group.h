/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SUPPORT_GROUP_H
#define SNOWRELAY_SUPPORT_GROUP_H 1

/* Support: groups as a switch has them.  Include it after support.h. */

#include "group.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"

/* Adds to 'installed' the group of the group mod 'msg', as a switch does that
 * is told so and then asked. */
static inline void
install_message(struct ovs_list *installed, const struct ofpbuf *msg)
{
    struct ofputil_group_desc desc, decoded;
    struct ofputil_group_mod gm;
    struct ovs_list replies;

    assert_int_equal(ofputil_decode_group_mod(msg->data, &gm), 0);
    struct ofpbuf *question =
        ofputil_encode_group_desc_request(OFP15_VERSION, OFPG_ALL);
    ofpmp_init(&replies, question->data);
    desc.type = gm.type;
    desc.group_id = gm.group_id;
    desc.props = gm.props;
    ofputil_append_group_desc_reply(&desc, &gm.buckets, &replies);

    struct ofpbuf *reply =
        CONTAINER_OF(ovs_list_front(&replies), struct ofpbuf, list_node);
    ofpmsg_update_length(reply);
    struct ofpbuf received =
        ofpbuf_const_initializer(reply->data, reply->size);
    assert_int_equal(
        ofputil_decode_group_desc_reply(&decoded, &received, OFP15_VERSION),
        0);
    installed_group_add(installed, &decoded);
    ofpbuf_list_delete(&replies);
    ofpbuf_delete(question);
    ofputil_uninit_group_mod(&gm);
}

#endif /* support-group.h */
