/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tap.h"

#include "support.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "emit.h"
#include "endpoint.h"
#include "frame.h"
#include "openflow/openflow.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "util.h"

static char log_file[] = "/tmp/snowrelay-test-tap.XXXXXX";

static int
set_up(void **state OVS_UNUSED)
{
    int fd = mkstemp(log_file);

    assert_true(fd >= 0);
    close(fd);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    assert_int_equal(vlog_set_log_file(log_file), 0);
    vlog_set_levels(vlog_module_from_name("frames"), VLF_FILE, VLL_DBG);
    vlog_set_pattern(VLF_FILE, "%m");
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    vlog_close_log_file();
    unlink(log_file);
    return 0;
}

/* Returns the log since the last call.  Valid until the next. */
static const char *
new_log(void)
{
    static char *text;
    static long int read_up_to;
    FILE *stream = fopen(log_file, "r");
    long int length;

    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    length = ftell(stream) - read_up_to;
    free(text);
    text = xzalloc(length + 1);
    assert_int_equal(fseek(stream, read_up_to, SEEK_SET), 0);
    assert_int_equal(fread(text, 1, length, stream), length);
    read_up_to += length;
    fclose(stream);
    return text;
}

/* Writes a broadcast of 'length' bytes from UDP port 'port' to 'frame'. */
static void
make_frame(uint8_t *frame, size_t length, uint16_t port)
{
    memset(frame, 0, length);
    memset(frame, 0xff, 6);
    put16(frame + 12, 0x0800);
    frame[14] = 0x45;
    put16(frame + 16, length - 14);
    frame[23] = IPPROTO_UDP;
    memcpy(frame + 26, (uint8_t[]){ 10, 1, 0, 9 }, 4);
    memcpy(frame + 30, (uint8_t[]){ 10, 1, 0, 255 }, 4);
    put16(frame + 34, port);
    put16(frame + 36, 5076);
    put16(frame + 38, length - 34);
}

static void
assert_logged(const struct tap_event *event, const char *expected)
{
    struct tap tap = { .on = false };

    assert_true(tap_is_on(&tap));
    tap_tell(&tap, event, 0);
    assert_string_equal(new_log(), expected);
}

/* One line, at the end of the frame's way. */
static void
test_log(void **state OVS_UNUSED)
{
    uint8_t bytes[60];
    struct endpoint peer = { .port = 7124 };
    struct tap_event event = {
        .direction = DIRECTION_PUNT,
        .n_peers = 1,
        .reason = DROP_LOOP,
        .bytes = bytes,
        .length = sizeof bytes,
        .is_frame = true,
    };

    make_frame(bytes, sizeof bytes, 4711);
    assert_true(address_from_text("192.0.2.7", &peer.address));
#define FRAME "10.1.0.9:4711 > 10.1.0.255:5076, frame of 60 bytes: "
    event.point = TAP_PUNT;
    assert_logged(&event, "");
    event.point = TAP_SEND;
    assert_logged(&event, FRAME "punted, sent to 1 peer\n");
    event.n_peers = 12;
    assert_logged(&event, FRAME "punted, sent to 12 peers\n");
    event.point = TAP_DROP;
    assert_logged(&event, FRAME "punted, dropped: loop\n");
    event.point = TAP_PUNT;
    event.switched = true;
    assert_logged(&event, FRAME "punted as a copy, sent on by the switch\n");

    event.direction = DIRECTION_MESH;
    event.point = TAP_RECEIVE;
    assert_logged(&event, FRAME "received as a copy, emitted by the switch\n");
    event.switched = false;
    event.from = &peer;
    assert_logged(&event, "");
    event.point = TAP_EMIT;
    assert_logged(&event, FRAME "received from 192.0.2.7:7124, emitted\n");
    event.rewritten = true;
    assert_logged(&event, FRAME "received from 192.0.2.7:7124, emitted with "
                                "its destination rewritten\n");
    event.point = TAP_DROP;
    event.reason = FRAME_UDP_CHECKSUM;
    assert_logged(&event, FRAME "received from 192.0.2.7:7124, dropped: "
                                "udp_checksum\n");
#undef FRAME
}

/* What is no frame, or a broken one, is not read beyond its end. */
static void
test_log_of_what_cannot_be_read(void **state OVS_UNUSED)
{
    uint8_t whole[60];
    struct endpoint peer = { .port = 9 };

    make_frame(whole, sizeof whole, 4711);
    assert_true(address_from_text("2001:db8::7", &peer.address));
    for (size_t length = 0; length < 42; length++) {
        uint8_t *bytes = copy_exactly(whole, length);
        char *expected = xasprintf("%s of %zu bytes: received from "
                                   "[2001:db8::7]:9, dropped: short\n",
                                   length % 2 ? "frame" : "datagram", length);
        const struct tap_event event = {
            .point = TAP_DROP,
            .direction = DIRECTION_MESH,
            .reason = FRAME_SHORT,
            .from = &peer,
            .bytes = bytes,
            .length = length,
            .is_frame = length % 2,
        };

        assert_logged(&event, expected);
        free(expected);
        free(bytes);
    }

    /* IP options that end behind the frame. */
    whole[14] = 0x4f;
    const struct tap_event event = {
        .point = TAP_DROP,
        .direction = DIRECTION_PUNT,
        .reason = FRAME_IP_HEADER,
        .bytes = whole,
        .length = sizeof whole,
        .is_frame = true,
    };
    assert_logged(&event, "frame of 60 bytes: punted, dropped: ip_header\n");
}

static void
test_nobody_looks_on(void **state OVS_UNUSED)
{
    struct tap tap = { .on = false };

    vlog_set_levels(vlog_module_from_name("frames"), VLF_FILE, VLL_INFO);
    assert_false(tap_is_on(&tap));
    assert_false(tap_wants_all(&tap));
    vlog_set_levels(vlog_module_from_name("frames"), VLF_FILE, VLL_DBG);
}

/* What became of the frame from a port. */
enum end { WAITS, COMES_OUT, QUEUE_FULL, STALE, DISCONNECTED };
enum { N_PORTS = 60000 };
static uint8_t ends[N_PORTS];

static void
note_end(unsigned int port, enum end end)
{
    assert_in_range(port, 1, N_PORTS - 1);
    assert_int_equal(ends[port], WAITS);
    ends[port] = end;
}

/* Takes in the drops that were logged. */
static unsigned int
take_log(void)
{
    static const char *const reasons[] = { [QUEUE_FULL] = "queue_full",
                                           [STALE] = "stale",
                                           [DISCONNECTED] = "disconnected" };
    unsigned int n = 0;

    for (const char *line = new_log(); *line; line = strchr(line, '\n') + 1) {
        unsigned int port;
        char reason[32];

        assert_int_equal(
            sscanf(line,
                   "10.1.0.9:%u > 10.1.0.255:5076, frame of %*u bytes: "
                   "received, dropped: %31[a-z_]",
                   &port, reason),
            2);
        for (int i = QUEUE_FULL; i <= DISCONNECTED; i++) {
            if (!strcmp(reason, reasons[i])) {
                note_end(port, i);
                n++;
            }
        }
    }
    return n;
}

/* The stream of messages that a switch gets. */
struct reader {
    uint8_t bytes[UINT16_MAX];
    size_t n;
};

/* Takes in the next 'length' bytes of the stream. */
static void
take_output(struct reader *r, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        struct ofp_header oh;

        r->bytes[r->n++] = bytes[i];
        if (r->n < sizeof oh) {
            continue;
        }
        memcpy(&oh, r->bytes, sizeof oh);
        if (r->n == ntohs(oh.length)) {
            /* The frames are all 200 bytes long. */
            const uint8_t *udp = r->bytes + r->n - 200 + 34;

            note_end(udp[0] << 8 | udp[1], COMES_OUT);
            r->n = 0;
        }
    }
}

/* Writes some of what is in the ring, or loses the connection. */
static void
write_some(struct emit *e, struct reader *r, uint32_t *random)
{
    size_t length;
    const void *bytes = emit_peek(e, &length);

    if (next_random(random) % 16 == 0) {
        emit_abandon(e);
        r->n = 0;
        return;
    }
    const size_t taken = next_random(random) % 3000;
    length = MIN(length, taken);
    take_output(r, bytes, length);
    emit_advance(e, length);
}

/* Each frame comes out, or is told to be dropped, once. */
static void
test_what_is_dropped_in_the_queue(void **state OVS_UNUSED)
{
    struct emit *e = emit_create();
    struct reader reader = { .n = 0 };
    struct tap tap = { .on = false };
    unsigned int n_dropped = 0, n_told = 0, counts[DISCONNECTED + 1] = { 0 };
    uint32_t random = 7;
    uint8_t frame[200];

    emit_set_tap(e, &tap);
    assert_no_error(emit_set_actions(e, "NORMAL", "IN_PORT,NORMAL"));
    for (unsigned int port = 1; port < N_PORTS; port++) {
        /* Slower at times, so that the ring fills, and what is in it ages. */
        const bool slow = port / 5000 % 2;

        make_frame(frame, sizeof frame, port);
        n_dropped += emit_put(e, frame, sizeof frame, next_random(&random) % 2,
                              port / 4);
        if (next_random(&random) % (slow ? 40 : 2) == 0) {
            n_dropped += emit_drop_stale(e, port / 4);
            write_some(e, &reader, &random);
        }
        if (port % 500 == 0) {
            n_told += take_log();
        }
    }
    n_told += take_log();
    for (unsigned int port = 1; port < N_PORTS; port++) {
        counts[ends[port]]++;
    }
    assert_int_equal(counts[WAITS], emit_count(e));
    assert_int_equal(counts[QUEUE_FULL] + counts[STALE], n_dropped);
    assert_int_equal(n_told, n_dropped + counts[DISCONNECTED]);
    for (int i = COMES_OUT; i <= DISCONNECTED; i++) {
        assert_in_range(counts[i], 10, N_PORTS);
    }
    emit_destroy(e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_log_of_what_cannot_be_read),
        cmocka_unit_test(test_nobody_looks_on),
        cmocka_unit_test(test_what_is_dropped_in_the_queue),
    };
    return cmocka_run_group_tests_name("tap", tests, set_up, tear_down);
}
