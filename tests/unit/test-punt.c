/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "punt.h"

#include "support.h"

#include "byte-order.h"
#include "endpoint.h"
#include "flow.h"
#include "frame.h"
#include "openflow/nicira-ext.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-prop.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

/* Length of what is in front of the properties of a NXT_PACKET_IN2. */
enum { HEADER_LEN = 16 };

static const uint8_t userdata_5076[] = { PUNT_BROADCAST, 5076 >> 8,
                                         5076 & 0xff };

/* Returns a packet-in of 'frame' in 'format', with the pipeline's metadata,
 * which came in through a tunnel, if 'tunnel' is not NULL, and the 'n' bytes
 * of userdata at 'userdata'. */
static struct ofpbuf *
encode_tunnelled(enum ofputil_packet_in_format format, const uint8_t *frame,
                 size_t length, const uint8_t *userdata, size_t n,
                 const struct flow_tnl *tunnel)
{
    struct ofputil_packet_in_private pin = {
        .base = {
            .packet = CONST_CAST(uint8_t *, frame),
            .packet_len = length,
            .reason = OFPR_ACTION,
            .cookie = htonll(UINT64_C(0x534e4f5700010001)),
            .userdata = CONST_CAST(uint8_t *, userdata),
            .userdata_len = n,
        },
    };

    match_init_catchall(&pin.base.flow_metadata);
    match_set_in_port(&pin.base.flow_metadata, 3);
    if (tunnel) {
        struct flow flow;

        /* As a switch does it. */
        memset(&flow, 0, sizeof flow);
        flow.tunnel = *tunnel;
        flow.in_port.ofp_port = u16_to_ofp(3);
        flow.regs[15] = 4;
        flow_get_metadata(&flow, &pin.base.flow_metadata);
    }
    return ofputil_encode_packet_in_private(&pin, OFPUTIL_P_OF15_OXM, format);
}

/* The same of a frame that came out of no tunnel. */
static struct ofpbuf *
encode(enum ofputil_packet_in_format format, const uint8_t *frame,
       size_t length, const uint8_t *userdata, size_t n)
{
    return encode_tunnelled(format, frame, length, userdata, n, NULL);
}

static struct ofpbuf *
encode_punt(const uint8_t *frame, size_t length)
{
    return encode(OFPUTIL_PACKET_IN_NXT2, frame, length, userdata_5076,
                  sizeof userdata_5076);
}

/* Fails the test unless the message in 'message', which it frees, is not a
 * punt. */
static void
assert_no_punt(struct ofpbuf *message)
{
    struct ofp_header *oh = copy_exactly(message->data, message->size);
    struct punt punt;

    assert_false(punt_decode(oh, &punt));
    free(oh);
    ofpbuf_delete(message);
}

/* Fails the test unless the 'length' bytes at 'oh' are a punt of 'frame' on
 * port 5076, in their own memory. */
static void
assert_punt(struct ofp_header *oh, const uint8_t *frame, size_t length)
{
    struct punt punt;

    assert_true(punt_decode(oh, &punt));
    assert_int_equal(punt.kind, PUNT_BROADCAST);
    assert_int_equal(punt.port, 5076);
    assert_int_equal(punt.length, length);
    assert_memory_equal(punt.frame, frame, length);
    assert_in_range((uintptr_t) punt.frame, (uintptr_t) oh + HEADER_LEN,
                    (uintptr_t) oh + ntohs(oh->length) - length);
}

static void
test_captured_broadcasts(void **state OVS_UNUSED)
{
    struct capture c;

    capture_read(&c, "epics-client-segment.pcap");
    for (size_t i = 0; i < c.n; i++) {
        const struct packet *p = &c.packets[i];
        struct ofpbuf *message = encode_punt(p->bytes, p->length);
        struct ofp_header *oh = copy_exactly(message->data, message->size);

        assert_punt(oh, p->bytes, p->length);
        free(oh);
        ofpbuf_delete(message);
    }
    capture_free(&c);
}

/* Padding follows a property whose length is not a multiple of 8; it is not
 * the frame's. */
static void
test_frames_of_all_lengths(void **state OVS_UNUSED)
{
    static uint8_t frame[FRAME_MAX];

    for (size_t i = 0; i < sizeof frame; i++) {
        frame[i] = 0xff - i % 251;
    }
    for (size_t length = 1; length <= sizeof frame;
         length += length < 100 || length > sizeof frame - 9 ? 1 : 97) {
        struct ofpbuf *message = encode_punt(frame, length);

        assert_punt(message->data, frame, length);
        ofpbuf_delete(message);
    }
}

/* Fails the test unless what a punt of 'kind', 'port' and 'generation' has
 * with it is read as these. */
static void
check_userdata(enum punt_kind kind, uint16_t port, uint16_t generation)
{
    /* It goes through the syntax of the controller action, as it does on its
     * way to the switch. */
    char *userdata = punt_userdata(kind, port, generation);
    char *text = xasprintf("controller(userdata=%s)", userdata);
    enum ofputil_protocol usable;
    struct ofpbuf ofpacts;
    struct punt punt;

    ofpbuf_init(&ofpacts, 0);
    const struct ofpact_parse_params pp = {
        .ofpacts = &ofpacts,
        .usable_protocols = &usable,
    };
    assert_no_error(ofpacts_parse_actions(text, &pp));

    const struct ofpact_controller *a = ofpact_get_CONTROLLER(ofpacts.data);
    struct ofpbuf *message =
        encode(OFPUTIL_PACKET_IN_NXT2, (const uint8_t *) "frame", 5,
               a->userdata, a->userdata_len);
    memset(&punt, 0xa5, sizeof punt);
    assert_true(punt_decode(message->data, &punt));
    assert_int_equal(punt.kind, kind);
    assert_int_equal(punt.port, port);
    assert_int_equal(punt.generation, generation);
    assert_int_equal(punt.length, 5);
    assert_memory_equal(punt.frame, "frame", 5);

    ofpbuf_delete(message);
    ofpbuf_uninit(&ofpacts);
    free(text);
    free(userdata);
}

/* Announcements have none. */
static void
test_each_kind_and_port(void **state OVS_UNUSED)
{
    static const uint16_t ports[] = { 0, 1, 255, 256, 5076, 65535 };

    for (int kind = PUNT_BROADCAST; kind < PUNT_N_KINDS; kind++) {
        for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
            for (size_t j = 0; j < ARRAY_SIZE(ports); j++) {
                check_userdata(kind, ports[i], ports[j]);
            }
        }
    }
}

/* Written out: a switch may have flows of a relay that has ended. */
static void
test_userdata_text(void **state OVS_UNUSED)
{
    static const struct {
        enum punt_kind kind;
        uint16_t port, generation;
        const char *text;
    } all[] = {
        { PUNT_BROADCAST, 5076, 0, "01.13.d4" },
        { PUNT_OWN_HOST, 5076, 0, "02.13.d4" },
        { PUNT_ANNOUNCEMENT, 0, 0, "03.00.00" },
        { PUNT_PROBE, 0, 0, "04.00.00" },
        { PUNT_TUNNEL, 5076, 0, "05.13.d4" },
        { PUNT_WATCH, 5076, 0, "06.13.d4" },
        { PUNT_WATCH_TUNNEL, 5076, 0, "07.13.d4" },
        { PUNT_BROADCAST, 5076, 0x0807, "01.13.d4.08.07" },
        { PUNT_OWN_HOST, 0x102, 0xff00, "02.01.02.ff.00" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        char *text =
            punt_userdata(all[i].kind, all[i].port, all[i].generation);

        assert_string_equal(text, all[i].text);
        free(text);
    }
}

static void
test_other_userdata(void **state OVS_UNUSED)
{
    static const struct {
        uint8_t bytes[8];
        size_t n;
    } others[] = {
        { { 0 }, 0 },
        { { 1 }, 1 },
        { { 1, 0x13 }, 2 },
        { { 1, 0x13, 0xd4, 0 }, 4 },
        { { 2 }, 1 },
        { { 2, 0x13 }, 2 },
        { { 2, 0x13, 0xd4, 0 }, 4 },
        { { 3 }, 1 },
        { { 3, 0 }, 2 },
        { { 3, 0, 0, 0 }, 4 },
        { { 1, 0x13, 0xd4, 0, 7, 0 }, 6 },
        { { 4, 0, 0, 0 }, 4 },
        { { 0, 0x13, 0xd4, 0, 7 }, 5 },
        { { PUNT_N_KINDS, 0x13, 0xd4, 0, 7 }, 5 },
        { { 1, 0x13, 0xd4, 0, 0, 0, 0, 0 }, 8 },
        { { 0, 0x13, 0xd4 }, 3 },
        { { PUNT_N_KINDS, 0x13, 0xd4 }, 3 },
        { { 0xff, 0x13, 0xd4 }, 3 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_no_punt(encode(OFPUTIL_PACKET_IN_NXT2,
                              (const uint8_t *) "frame", 5, others[i].bytes,
                              others[i].n));
    }
}

/* Makes a NXT_PACKET_IN2 without properties. */
static struct ofpbuf *
empty_packet_in(void)
{
    return ofpraw_alloc_xid(OFPRAW_NXT_PACKET_IN2, OFP15_VERSION, 0, 0);
}

/* Where the tunnel leads from. */

static struct in6_addr
address(const char *text)
{
    struct in6_addr a;

    assert_true(address_from_text(text, &a));
    return a;
}

/* Returns a punt of a frame out of a tunnel from 'source' to 'local', in its
 * own memory, which the caller frees. */
static struct ofp_header *
make_tunnelled(const char *source, const char *local, struct punt *punt)
{
    struct flow_tnl tunnel;

    memset(&tunnel, 0, sizeof tunnel);
    if (strchr(local, ':')) {
        tunnel.ipv6_src = address(source);
        tunnel.ipv6_dst = address(local);
    } else {
        const struct in6_addr from = address(source), to = address(local);

        tunnel.ip_src = in6_addr_get_mapped_ipv4(&from);
        tunnel.ip_dst = in6_addr_get_mapped_ipv4(&to);
    }
    tunnel.tun_id = htonll(0x534e4d);
    struct ofpbuf *message =
        encode_tunnelled(OFPUTIL_PACKET_IN_NXT2, (const uint8_t *) "probe", 5,
                         (const uint8_t *) "\x04\0\0", 3, &tunnel);
    struct ofp_header *oh = copy_exactly(message->data, message->size);

    ofpbuf_delete(message);
    memset(punt, 0xa5, sizeof *punt);
    assert_true(punt_decode(oh, punt));
    assert_int_equal(punt->kind, PUNT_PROBE);
    return oh;
}

static void
test_the_source_of_a_tunnel(void **state OVS_UNUSED)
{
    static const struct {
        const char *source, *local;
    } all[] = {
        { "192.0.2.7", "192.0.2.1" },
        { "0.0.0.1", "255.255.255.255" },
        { "2001:db8::7", "2001:db8::1" },
        { "fe80::7", "fe80::1" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        const struct in6_addr expected = address(all[i].source);
        struct in6_addr source;
        struct punt punt;

        struct ofp_header *oh =
            make_tunnelled(all[i].source, all[i].local, &punt);
        memset(&source, 0xa5, sizeof source);
        assert_true(punt_tunnel_source(&punt, &source));
        assert_memory_equal(&source, &expected, sizeof source);
        free(oh);
    }
}

static void
test_out_of_no_tunnel(void **state OVS_UNUSED)
{
    struct ofpbuf *message = encode_punt((const uint8_t *) "frame", 5);
    struct in6_addr source;
    struct punt punt;

    assert_true(punt_decode(message->data, &punt));
    assert_false(punt_tunnel_source(&punt, &source));
    ofpbuf_delete(message);

    /* Without any metadata. */
    message = empty_packet_in();
    ofpprop_put(message, NXPINT_USERDATA, userdata_5076, 3);
    ofpprop_put(message, NXPINT_PACKET, "frame", 5);
    ofpmsg_update_length(message);
    memset(&punt, 0xa5, sizeof punt);
    assert_true(punt_decode(message->data, &punt));
    assert_null(punt.metadata);
    assert_false(punt_tunnel_source(&punt, &source));
    ofpbuf_delete(message);

    /* With such as there is no field for, or cut short. */
    for (size_t n = 1; n < 5; n++) {
        message = empty_packet_in();
        ofpprop_put(message, NXPINT_USERDATA, userdata_5076, 3);
        ofpprop_put(message, NXPINT_PACKET, "frame", 5);
        ofpprop_put(message, NXPINT_METADATA, "\x7f\xff\xff\xff", n);
        ofpmsg_update_length(message);
        assert_true(punt_decode(message->data, &punt));
        assert_false(punt_tunnel_source(&punt, &source));
        ofpbuf_delete(message);
    }
}

/* Cut off at each length, and damaged anywhere.  Nothing beyond may be read,
 * which the address sanitizer sees. */
static void
test_damaged_metadata(void **state OVS_UNUSED)
{
    static const char *const locals[] = { "192.0.2.1", "2001:db8::1" };
    uint32_t random = 5;

    for (size_t i = 0; i < 2; i++) {
        struct punt punt;
        struct ofp_header *oh =
            make_tunnelled(i ? "2001:db8::7" : "192.0.2.7", locals[i], &punt);
        const void *metadata = punt.metadata;
        const size_t length = punt.metadata_length;
        struct in6_addr source;

        for (size_t n = 0; n < length; n++) {
            void *copy = copy_exactly(metadata, n);

            punt.metadata = copy;
            punt.metadata_length = n;
            punt_tunnel_source(&punt, &source);
            free(copy);
        }
        for (int k = 0; k < 100000; k++) {
            uint8_t *copy = copy_exactly(metadata, length);

            for (int n = next_random(&random) % 3; n >= 0; n--) {
                copy[next_random(&random) % length] = next_random(&random);
            }
            punt.metadata = copy;
            punt.metadata_length = length;
            punt_tunnel_source(&punt, &source);
            free(copy);
        }
        free(oh);
    }
}

/* A switch that sends but a part of the frame says how long it was. */
static void
test_a_part_of_a_frame(void **state OVS_UNUSED)
{
    struct ofpbuf *message = encode_punt((const uint8_t *) "frame", 5);

    ofpprop_put_u32(message, NXPINT_FULL_LEN, 60);
    ofpmsg_update_length(message);
    assert_no_punt(message);
}

static void
test_properties_that_lack(void **state OVS_UNUSED)
{
    struct ofpbuf *message = empty_packet_in();
    ofpmsg_update_length(message);
    assert_no_punt(message);

    message = empty_packet_in();
    ofpprop_put(message, NXPINT_PACKET, "frame", 5);
    ofpmsg_update_length(message);
    assert_no_punt(message);

    message = empty_packet_in();
    ofpprop_put(message, NXPINT_USERDATA, userdata_5076, 3);
    ofpmsg_update_length(message);
    assert_no_punt(message);
}

/* OpenFlow leaves it to the switch in which order properties come, and which
 * more of them there are. */
static void
test_properties_in_another_order(void **state OVS_UNUSED)
{
    struct ofpbuf *message = empty_packet_in();

    ofpprop_put_u8(message, NXPINT_REASON, OFPR_ACTION);
    ofpprop_put(message, NXPINT_USERDATA, userdata_5076, 3);
    ofpprop_put_u32(message, 0x7abc, 1); /* Known to nobody yet. */
    ofpprop_put(message, NXPINT_PACKET, "frame", 5);
    ofpmsg_update_length(message);
    assert_punt(message->data, (const uint8_t *) "frame", 5);
    ofpbuf_delete(message);
}

static void
test_other_messages(void **state OVS_UNUSED)
{
    const uint8_t *frame = (const uint8_t *) "frame";

    assert_no_punt(encode(OFPUTIL_PACKET_IN_STD, frame, 5, userdata_5076, 3));
    assert_no_punt(encode(OFPUTIL_PACKET_IN_NXT, frame, 5, userdata_5076, 3));
    assert_no_punt(ofputil_encode_set_packet_in_format(
        OFP15_VERSION, OFPUTIL_PACKET_IN_NXT2));
    assert_no_punt(ofpraw_alloc(OFPRAW_OFPT_HELLO, OFP15_VERSION, 0));
    assert_no_punt(ofpraw_alloc(OFPRAW_OFPT_ECHO_REQUEST, OFP15_VERSION, 0));

    /* With all that a punt has but its type. */
    struct ofpbuf *resume =
        ofpraw_alloc_xid(OFPRAW_NXT_RESUME, OFP15_VERSION, 0, 0);
    ofpprop_put(resume, NXPINT_PACKET, frame, 5);
    ofpprop_put(resume, NXPINT_USERDATA, userdata_5076, 3);
    ofpmsg_update_length(resume);
    assert_no_punt(resume);

    struct ofpbuf *punt = encode_punt(frame, 5);
    struct ofpbuf *echo =
        ofpraw_alloc(OFPRAW_OFPT_ECHO_REQUEST, OFP15_VERSION, 0);
    ofpbuf_put(echo, (const struct ofp_header *) punt->data + 1,
               punt->size - sizeof(struct ofp_header));
    ofpmsg_update_length(echo);
    assert_no_punt(echo);
    ofpbuf_delete(punt);
}

/* Each thing that makes a NXT_PACKET_IN2 one: its type, the experimenter and
 * the experimenter's subtype. */
static void
test_each_byte_of_the_type(void **state OVS_UNUSED)
{
    static const size_t offsets[] = { 1, 8, 9, 10, 11, 12, 13, 14, 15 };

    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        struct ofpbuf *message = encode_punt((const uint8_t *) "frame", 5);

        ((uint8_t *) message->data)[offsets[i]] ^= 1;
        assert_no_punt(message);
    }
}

/* Cuts a punt off at each length that a message can have.  Nothing beyond may
 * be read, which the address sanitizer sees, and what is called a punt must
 * have its whole frame. */
static void
test_cut_off_anywhere(void **state OVS_UNUSED)
{
    struct capture c;

    capture_read(&c, "epics-client-segment.pcap");
    const struct packet *p = &c.packets[0];
    struct ofpbuf *message = encode_punt(p->bytes, p->length);

    for (size_t n = sizeof(struct ofp_header); n < message->size; n++) {
        struct ofp_header *oh = copy_exactly(message->data, n);
        struct punt punt;

        oh->length = htons(n);
        assert_false(punt_decode(oh, &punt)); /* The userdata comes last. */
        free(oh);
    }

    /* The same with the userdata first, so that there is a punt as soon as the
     * frame is whole. */
    struct ofpbuf *other = empty_packet_in();
    ofpprop_put(other, NXPINT_USERDATA, userdata_5076, 3);
    ofpprop_put(other, NXPINT_PACKET, p->bytes, p->length);
    const size_t whole = other->size;
    ofpprop_put_u64(other, NXPINT_COOKIE, 1);
    for (size_t n = sizeof(struct ofp_header); n <= other->size; n++) {
        struct ofp_header *oh = copy_exactly(other->data, n);
        struct punt punt;

        oh->length = htons(n);
        if (n == whole || n == other->size) {
            assert_punt(oh, p->bytes, p->length);
        } else {
            assert_false(punt_decode(oh, &punt));
        }
        free(oh);
    }
    ofpbuf_delete(other);
    ofpbuf_delete(message);
    capture_free(&c);
}

/* Damages a punt anywhere, the lengths of its properties included. */
static void
test_damaged_anywhere(void **state OVS_UNUSED)
{
    struct ofpbuf *message = encode_punt((const uint8_t *) "a frame", 7);
    uint32_t random = 21326;

    for (int i = 0; i < 100000; i++) {
        struct ofp_header *oh = copy_exactly(message->data, message->size);
        struct punt punt;

        for (int n = next_random(&random) % 4; n >= 0; n--) {
            size_t at = HEADER_LEN
                        + next_random(&random) % (message->size - HEADER_LEN);
            ((uint8_t *) oh)[at] = next_random(&random);
        }
        if (punt_decode(oh, &punt)) {
            size_t at = punt.frame - (const uint8_t *) oh;

            assert_in_range(at, HEADER_LEN, message->size);
            assert_true(punt.length <= message->size - at);
        }
        free(oh);
    }
    ofpbuf_delete(message);
}

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captured_broadcasts),
        cmocka_unit_test(test_frames_of_all_lengths),
        cmocka_unit_test(test_each_kind_and_port),
        cmocka_unit_test(test_userdata_text),
        cmocka_unit_test(test_other_userdata),
        cmocka_unit_test(test_the_source_of_a_tunnel),
        cmocka_unit_test(test_out_of_no_tunnel),
        cmocka_unit_test(test_damaged_metadata),
        cmocka_unit_test(test_a_part_of_a_frame),
        cmocka_unit_test(test_properties_that_lack),
        cmocka_unit_test(test_properties_in_another_order),
        cmocka_unit_test(test_other_messages),
        cmocka_unit_test(test_each_byte_of_the_type),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_damaged_anywhere),
    };
    return cmocka_run_group_tests_name("punt", tests, NULL, NULL);
}
