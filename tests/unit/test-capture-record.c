/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "capture-record.h"

#include "support.h"

#include <arpa/inet.h>

#include "csum.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "pcapng.h"
#include "util.h"

static const uint8_t payload[] = "SSno frame"; /* An odd number of bytes. */

static struct endpoint
endpoint(const char *address, uint16_t port)
{
    struct endpoint e = { .port = port };

    assert_true(address_from_text(address, &e.address));
    return e;
}

/* Checks that the record of 'event' is a packet of 'interface' with 'comment'.
 */
static void
check(const struct tap_event *event, enum capture_interface interface,
      uint32_t flags, const char *comment)
{
    struct capture_record record;
    struct ofpbuf out;
    struct ofpbuf expected;

    capture_record_init(&record, event, 12345);
    record.n_missing = 3;
    ofpbuf_init(&out, 0);
    capture_record_put(&out, &record, payload, sizeof payload);

    const struct pcapng_packet packet = {
        .interface = interface,
        .time = 12345,
        .direction = flags,
        .n_missing = 3,
        .comment = comment,
        .bytes = payload,
        .length = sizeof payload,
    };
    ofpbuf_init(&expected, 0);
    pcapng_put_packet(&expected, &packet);
    if (!memmem(out.data, out.size, comment, strlen(comment))) {
        fail_msg("no comment \"%s\"", comment);
    }
    assert_int_equal(out.size, expected.size);
    assert_memory_equal(out.data, expected.data, out.size);
    ofpbuf_uninit(&out);
    ofpbuf_uninit(&expected);
}

static void
test_comments(void **state OVS_UNUSED)
{
    const struct endpoint peer = endpoint("172.30.0.2", 7124);
    const struct endpoint peer6 = endpoint("fd30::2", 7124);
    const struct tap_event punt = {
        .point = TAP_PUNT,
        .direction = DIRECTION_PUNT,
        .is_frame = true,
    };
    const struct tap_event receive = {
        .point = TAP_RECEIVE,
        .direction = DIRECTION_MESH,
        .from = &peer,
        .is_frame = true,
    };
    struct tap_event event;

    check(&punt, 0, 1, "from the switch");
    event = punt;
    event.switched = true;
    check(&event, 0, 1,
          "from the switch; the switch carries it, and this is a copy");
    event = punt;
    event.point = TAP_SEND;
    event.n_peers = 3;
    check(&event, 1, 2, "to 3 peers");
    event.n_peers = 1;
    check(&event, 1, 2, "to 1 peer");
    event.switched = true;
    check(&event, 1, 2,
          "to 1 peer; the switch carries it, and this is a copy");
    check(&receive, 2, 1, "from 172.30.0.2:7124");
    event = receive;
    event.from = &peer6;
    check(&event, 2, 1, "from [fd30::2]:7124");
    event.from = NULL;
    check(&event, 2, 1, "from the mesh");
    event = receive;
    event.point = TAP_EMIT;
    check(&event, 3, 2, "from 172.30.0.2:7124");
    event.rewritten = true;
    check(&event, 3, 2,
          "from 172.30.0.2:7124; destination rewritten by the switch");
    event = punt;
    event.point = TAP_DROP;
    event.reason = DROP_LOOP;
    check(&event, 4, 0, "loop; from the switch");
    event = receive;
    event.point = TAP_DROP;
    event.reason = FRAME_UDP_CHECKSUM;
    check(&event, 4, 0, "udp_checksum; from 172.30.0.2:7124");
    event.is_frame = false;
    event.reason = DROP_FORMAT;
    check(&event, 5, 1,
          "format; from 172.30.0.2:7124; made-up Ethernet, IP and UDP "
          "headers");
}

/* Checks the made-up headers of a datagram, but for its addresses, and returns
 * where the IP header is. */
static const uint8_t *
make(const struct endpoint *from, const struct endpoint *to, size_t length,
     uint8_t *packet)
{
    size_t n = capture_make_headers(from, to, payload, length, packet);
    const uint8_t *ip = packet + 14;
    const bool v6 = ip[0] >> 4 == 6;
    const uint8_t *udp = ip + (v6 ? 40 : 20);

    assert_int_equal(n, udp + 8 - packet);
    memcpy(packet + n, payload, length);
    assert_int_equal(packet[12] << 8 | packet[13], v6 ? 0x86dd : 0x0800);
    assert_int_equal(udp[4] << 8 | udp[5], 8 + length);
    if (v6) {
        assert_int_equal(ip[4] << 8 | ip[5], 8 + length);
        assert_int_equal(ip[6], IPPROTO_UDP);
    } else {
        assert_int_equal(ip[0], 0x45);
        assert_int_equal(ip[2] << 8 | ip[3], 28 + length);
        assert_int_equal(ip[9], IPPROTO_UDP);
        assert_int_equal(csum(ip, 20), 0);
    }

    /* With the checksum in it, the sum of all is 0 in ones' complement. */
    uint32_t sum = csum_continue(0, v6 ? ip + 8 : ip + 12, v6 ? 32 : 8);
    sum = csum_add32(sum, htonl(IPPROTO_UDP));
    sum = csum_add32(sum, htonl(8 + length));
    assert_int_equal(csum_finish(csum_continue(sum, udp, 8 + length)), 0);
    assert_int_not_equal(udp[6] << 8 | udp[7], 0);
    return ip;
}

static void
test_headers(void **state OVS_UNUSED)
{
    const struct endpoint from = endpoint("172.30.0.9", 40000);
    const struct endpoint from6 = endpoint("fd30::9", 40000);
    const struct endpoint any = endpoint("0.0.0.0", 7124);
    const struct endpoint any6 = endpoint("::", 7124);
    const struct endpoint here = endpoint("172.30.0.1", 7124);
    const struct endpoint here6 = endpoint("fd30::1", 7124);
    uint8_t packet[CAPTURE_HEADERS_MAX + sizeof payload];
    const uint8_t *ip;

    for (size_t length = 0; length <= sizeof payload; length++) {
        ip = make(&from, &any, length, packet);
        assert_memory_equal(ip + 12, "\xac\x1e\x00\x09\x00\x00\x00\x00", 8);
        assert_memory_equal(ip + 20, "\x9c\x40\x1b\xd4", 4);
        ip = make(&from, &any6, length, packet);
        assert_memory_equal(ip + 12, "\xac\x1e\x00\x09\x00\x00\x00\x00", 8);
        ip = make(&from, &here6, length, packet);
        assert_memory_equal(ip + 12, "\xac\x1e\x00\x09\x00\x00\x00\x00", 8);
        ip = make(&from, &here, length, packet);
        assert_memory_equal(ip + 12, "\xac\x1e\x00\x09\xac\x1e\x00\x01", 8);
        ip = make(NULL, &here, length, packet);
        assert_memory_equal(ip + 12, "\x00\x00\x00\x00\xac\x1e\x00\x01", 8);
        assert_memory_equal(ip + 20, "\x00\x00\x1b\xd4", 4);
        ip = make(&from6, &any6, length, packet);
        assert_memory_equal(ip + 8, &from6.address, 16);
        assert_memory_equal(ip + 24, &in6addr_any, 16);
        ip = make(&from6, &here6, length, packet);
        assert_memory_equal(ip + 24, &here6.address, 16);
        ip = make(&from6, &here, length, packet);
        assert_memory_equal(ip + 24, &in6addr_any, 16);
    }
}

static void
test_names(void **state OVS_UNUSED)
{
    static const char *const names[] = { "punt", "send", "receive",
                                         "emit", "drop", "refused" };

    assert_int_equal(ARRAY_SIZE(names), CAPTURE_N_INTERFACES);
    for (int i = 0; i < CAPTURE_N_INTERFACES; i++) {
        assert_string_equal(capture_interface_name(i), names[i]);
        assert_non_null(capture_interface_description(i));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
