/* SPDX-License-Identifier: Apache-2.0 */

/* The channel against a switch that is played by hand over a local socket, to
 * send what a real one sends rarely: pieces of messages, messages of odd
 * length, a connection that breaks in the middle of a frame.  Real switches
 * are in the system tests. */

#include <config.h>
#include "support.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel.h"
#include "emit.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "punt.h"
#include "timeval.h"
#include "util.h"

enum { FRAME_BYTES = 61, TIMEOUT_MS = 5000 };

/* A channel and the hand-played switch at its other end. */
struct fixture {
    char directory[32];
    char socket[64];
    int listener;
    int fd; /* The switch's end, -1 if none. */
    struct emit *emit;
    struct channel *channel;
};

static int
set_up(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    char *target;

    strcpy(f->directory, "/tmp/snowrelay-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->socket, sizeof f->socket, "%s/switch", f->directory);
    memcpy(sun.sun_path, f->socket, strlen(f->socket) + 1);
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *) &sun, sizeof sun),
                     0);
    assert_int_equal(listen(f->listener, 1), 0);
    f->fd = -1;

    f->emit = emit_create();
    assert_null(emit_set_actions(f->emit, "NORMAL", "NORMAL"));
    target = xasprintf("unix:%s", f->socket);
    f->channel = channel_create(target);
    free(target);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    channel_destroy(f->channel);
    emit_destroy(f->emit);
    if (f->fd >= 0) {
        close(f->fd);
    }
    close(f->listener);
    unlink(f->socket);
    rmdir(f->directory);
    free(f);
    return 0;
}

/* Sends all of the 'length' bytes at 'bytes' as the switch. */
static void
switch_sends(struct fixture *f, const void *bytes, size_t length)
{
    assert_int_equal(send(f->fd, bytes, length, 0), length);
}

static void
switch_sends_message(struct fixture *f, struct ofpbuf *msg)
{
    ofpmsg_update_length(msg);
    switch_sends(f, msg->data, msg->size);
    ofpbuf_delete(msg);
}

/* Runs the channel once; no message is expected. */
static void
run_channel(struct fixture *f)
{
    bool more;

    channel_run(f->channel, f->emit);
    if (channel_read(f->channel, &more)) {
        assert_null(channel_next(f->channel));
    }
    channel_write(f->channel, f->emit);
}

/* Plays the switch until the channel is open. */
static void
open_channel(struct fixture *f)
{
    long long int deadline = time_msec() + TIMEOUT_MS;

    while (!channel_is_open(f->channel)) {
        assert_true(time_msec() < deadline);
        run_channel(f);
        if (f->fd < 0) {
            f->fd = accept(f->listener, NULL, NULL);
            if (f->fd >= 0) {
                const struct timeval timeout = { .tv_sec = TIMEOUT_MS / 1000 };
                setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
                           sizeof timeout);
                switch_sends_message(
                    f, ofputil_encode_hello(1u << OFP15_VERSION));
            }
        }
        channel_wait(f->channel, f->emit);
        poll_timer_wait(10);
        poll_block();
    }
    channel_write(f->channel, f->emit);
}

/* Returns a punt of a frame of FRAME_BYTES bytes of 'fill'. */
static struct ofpbuf *
make_punt(uint8_t fill)
{
    const uint8_t userdata[] = { PUNT_BROADCAST, 0x13, 0xd4 };
    uint8_t frame[FRAME_BYTES];
    struct ofputil_packet_in_private pin = {
        .base = {
            .packet = frame,
            .packet_len = sizeof frame,
            .cookie = OVS_BE64_MAX,
            .userdata = CONST_CAST(uint8_t *, userdata),
            .userdata_len = sizeof userdata,
        },
    };

    memset(frame, fill, sizeof frame);
    return ofputil_encode_packet_in_private(&pin, OFPUTIL_P_OF15_OXM,
                                            OFPUTIL_PACKET_IN_NXT2);
}

/* Returns an error message of 77 bytes, which is no multiple of 8. */
static struct ofpbuf *
make_odd_error(void)
{
    uint8_t refused[65] = { OFP15_VERSION, 0, 0, sizeof refused };
    struct ofpbuf *msg = ofperr_encode_reply(OFPERR_OFPBRC_BAD_LEN,
                                             (struct ofp_header *) refused);

    /* The library encodes at most 64 bytes of what was refused. */
    ofpbuf_put(msg, refused, 1);
    ofpmsg_update_length(msg);
    return msg;
}

/* Fails the test unless 'frame' is one of make_punt(fill). */
static void
assert_frame(const uint8_t *frame, uint8_t fill)
{
    for (size_t i = 0; i < FRAME_BYTES; i++) {
        assert_int_equal(frame[i], fill);
    }
}

static void
test_what_a_mock_switch_is_told_first(void **state)
{
    const enum ofptype expected[] = {
        OFPTYPE_HELLO,
        OFPTYPE_SET_CONTROLLER_ID,
        OFPTYPE_SET_PACKET_IN_FORMAT,
        OFPTYPE_SET_ASYNC_CONFIG,
    };
    struct fixture *f = *state;
    uint64_t bytes[512];

    open_channel(f);
    ssize_t n = recv(f->fd, bytes, sizeof bytes, 0);
    struct ofpbuf b = ofpbuf_const_initializer(bytes, n);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        enum ofptype type;

        assert_true(b.size >= sizeof(struct ofp_header));
        const struct ofp_header *oh = b.data;
        assert_int_equal(ofptype_decode(&type, oh), 0);
        assert_int_equal(type, expected[i]);
        ofpbuf_pull(&b, ntohs(oh->length));
    }
    assert_int_equal(b.size, 0);
}

static void
test_frames_from_a_mock_switch_stay_whole_around_an_odd_message(void **state)
{
    struct fixture *f = *state;
    const uint8_t *frames[3];
    struct ofp_header *oh;
    struct punt punt;
    size_t n = 0;
    bool more;

    open_channel(f);
    switch_sends_message(f, make_punt(0xaa));
    switch_sends_message(f, make_odd_error());
    switch_sends_message(f, make_punt(0xbb));
    switch_sends_message(f, make_odd_error());
    switch_sends_message(f, make_punt(0xcc));

    assert_true(channel_read(f->channel, &more));
    assert_false(more);
    while ((oh = channel_next(f->channel)) != NULL) {
        assert_int_equal((uintptr_t) oh % 8, 0);
        assert_true(punt_decode(oh, &punt));
        assert_int_equal(punt.length, FRAME_BYTES);
        assert_true(n < ARRAY_SIZE(frames));
        frames[n++] = punt.frame;
    }
    assert_int_equal(n, 3);
    assert_frame(frames[0], 0xaa);
    assert_frame(frames[1], 0xbb);
    assert_frame(frames[2], 0xcc);
}

static void
test_a_message_from_a_mock_switch_in_pieces(void **state)
{
    struct fixture *f = *state;
    struct ofpbuf *msg = make_punt(0xdd);
    struct ofp_header *oh = NULL;
    struct punt punt;
    bool more;

    open_channel(f);
    ofpmsg_update_length(msg);
    for (size_t i = 0; i < msg->size; i++) {
        assert_null(oh);
        switch_sends(f, (uint8_t *) msg->data + i, 1);
        assert_true(channel_read(f->channel, &more));
        oh = channel_next(f->channel);
    }
    ofpbuf_delete(msg);
    assert_non_null(oh);
    assert_true(punt_decode(oh, &punt));
    assert_frame(punt.frame, 0xdd);
}

static void
test_an_echo_request_of_a_mock_switch_is_answered(void **state)
{
    struct fixture *f = *state;
    struct ofp_header reply;
    uint8_t ignored[512];
    enum ofptype type;

    open_channel(f);
    assert_true(recv(f->fd, ignored, sizeof ignored, 0) > 0);
    switch_sends_message(f, ofputil_encode_echo_request(OFP15_VERSION));
    run_channel(f);
    assert_int_equal(recv(f->fd, &reply, sizeof reply, 0), sizeof reply);
    assert_int_equal(ofptype_decode(&type, &reply), 0);
    assert_int_equal(type, OFPTYPE_ECHO_REPLY);
}

/* With what the request held; what is sent next is in its place. */
static void
test_an_echo_request_of_a_mock_switch_that_holds_something(void **state)
{
    struct fixture *f = *state;
    uint8_t ignored[512], reply[64];

    open_channel(f);
    assert_true(recv(f->fd, ignored, sizeof ignored, 0) > 0);
    struct ofpbuf *msg = ofputil_encode_echo_request(OFP15_VERSION);
    ofpbuf_put(msg, "are you there", 13);
    switch_sends_message(f, msg);
    switch_sends_message(f, ofputil_encode_echo_request(OFP15_VERSION));
    run_channel(f);
    assert_int_equal(recv(f->fd, reply, sizeof reply, 0), 8 + 13 + 8);
    assert_int_equal(reply[2] << 8 | reply[3], 8 + 13);
    assert_memory_equal(reply + 8, "are you there", 13);
    assert_int_equal(reply[21 + 2] << 8 | reply[21 + 3], 8);
}

static void
test_a_mock_switch_that_sends_nonsense_is_left(void **state)
{
    const uint8_t nonsense[8] = { OFP15_VERSION, 10, 0, 4 };
    struct fixture *f = *state;

    open_channel(f);
    switch_sends(f, nonsense, sizeof nonsense);
    run_channel(f);
    run_channel(f);
    assert_false(channel_is_open(f->channel));
}

/* A frame of which the switch has read a part cannot be sent again over
 * another connection; those behind it can. */
static void
test_a_mock_switch_that_goes_in_the_middle_of_a_frame(void **state)
{
    struct fixture *f = *state;
    uint8_t frame[1000] = { 0 };
    unsigned int n_before, n_lost = 0;

    open_channel(f);
    for (int i = 0; i < 1000; i++) {
        emit_put(f->emit, frame, sizeof frame, false, time_msec());
    }
    channel_write(f->channel, f->emit); /* Until the socket is full. */
    n_before = emit_count(f->emit);
    assert_true(n_before > 0 && n_before < 1000);
    assert_true(emit_is_begun(f->emit));

    close(f->fd);
    f->fd = -1;
    for (int i = 0; i < 2; i++) {
        bool more;
        channel_read(f->channel, &more);
        n_lost += channel_run(f->channel, f->emit);
    }
    assert_false(channel_is_open(f->channel));
    assert_int_equal(n_lost, 1);
    assert_int_equal(emit_count(f->emit), n_before - 1);

    unsigned int seqno = channel_seqno(f->channel);
    open_channel(f);
    assert_int_equal(channel_seqno(f->channel), seqno + 1);
}

/* Messages between frames. */

/* Returns a packet-out of a frame of FRAME_BYTES bytes of 'fill'. */
static struct ofpbuf *
make_message(uint8_t fill)
{
    uint8_t frame[FRAME_BYTES];
    struct ofpbuf *msg;

    memset(frame, fill, sizeof frame);
    assert_no_error(emit_encode("NORMAL", frame, sizeof frame, &msg));
    return msg;
}

/* What a switch has read. */
struct read {
    uint8_t *bytes;
    size_t length, allocated;
};

/* Reads as the switch what there is, or with 'wait' at least something. */
static void
switch_reads(struct fixture *f, struct read *r, bool wait)
{
    ssize_t n;

    do {
        if (r->allocated - r->length < 65536) {
            r->allocated += 1 << 20;
            r->bytes = xrealloc(r->bytes, r->allocated);
        }
        n = recv(f->fd, r->bytes + r->length, 65536, wait ? 0 : MSG_DONTWAIT);
        r->length += MAX(n, 0);
        assert_true(n > 0 || !wait);
        wait = false;
    } while (n > 0);
}

/* Returns the last byte of the frame in the 'i'th packet-out that was read, or
 * -1 if there are not as many. */
static int
fill_of_packet_out(const struct read *r, size_t i)
{
    for (size_t at = 0; at + sizeof(struct ofp_header) <= r->length;) {
        struct ofp_header oh;
        enum ofptype type;

        memcpy(&oh, r->bytes + at, sizeof oh);
        const size_t length = ntohs(oh.length);
        assert_true(length >= sizeof oh);
        if (r->length - at < length) {
            break;
        }
        uint64_t *whole = copy_exactly(r->bytes + at, length);
        assert_int_equal(
            ofptype_decode(&type, (const struct ofp_header *) whole), 0);
        free(whole);
        at += length;
        if (type == OFPTYPE_PACKET_OUT && !i--) {
            return r->bytes[at - 1];
        }
    }
    return -1;
}

static void
test_a_message_for_a_mock_switch_that_is_not_there(void **state)
{
    struct fixture *f = *state;

    assert_false(channel_send(f->channel, make_message(1)));
    run_channel(f); /* Connecting, or waiting for a hello. */
    assert_false(channel_send(f->channel, make_message(2)));
    open_channel(f);
    assert_true(channel_send(f->channel, make_message(3)));

    close(f->fd);
    f->fd = -1;
    for (int i = 0; i < 2; i++) {
        bool more;
        channel_read(f->channel, &more);
        channel_run(f->channel, f->emit);
    }
    assert_false(channel_is_open(f->channel));
    assert_false(channel_send(f->channel, make_message(4)));

    /* What waited goes with the connection. */
    struct read r = { .bytes = NULL };
    open_channel(f);
    channel_write(f->channel, f->emit);
    switch_reads(f, &r, true);
    assert_int_equal(fill_of_packet_out(&r, 0), -1);
    free(r.bytes);
}

/* As many as there are before the next write. */
static void
test_messages_for_a_mock_switch_wait(void **state)
{
    struct read r = { .bytes = NULL };
    struct fixture *f = *state;

    open_channel(f);
    assert_true(channel_send(f->channel, make_message(1)));
    assert_true(channel_send(f->channel, make_message(2)));
    channel_write(f->channel, f->emit);
    assert_true(channel_send(f->channel, make_message(3)));
    channel_write(f->channel, f->emit);
    switch_reads(f, &r, true);
    assert_int_equal(fill_of_packet_out(&r, 0), 1);
    assert_int_equal(fill_of_packet_out(&r, 1), 2);
    assert_int_equal(fill_of_packet_out(&r, 2), 3);
    assert_int_equal(fill_of_packet_out(&r, 3), -1);
    free(r.bytes);
}

static void
test_messages_for_a_mock_switch_go_before_frames(void **state)
{
    struct read r = { .bytes = NULL };
    struct fixture *f = *state;
    uint8_t frame[FRAME_BYTES];

    open_channel(f);
    memset(frame, 0xaa, sizeof frame);
    for (int i = 0; i < 3; i++) {
        emit_put(f->emit, frame, sizeof frame, false, time_msec());
    }
    assert_true(channel_send(f->channel, make_message(1)));
    assert_int_equal(channel_write(f->channel, f->emit), 3);
    switch_reads(f, &r, true);
    assert_int_equal(fill_of_packet_out(&r, 0), 1);
    for (size_t i = 1; i <= 3; i++) {
        assert_int_equal(fill_of_packet_out(&r, i), 0xaa);
    }
    assert_int_equal(fill_of_packet_out(&r, 4), -1);
    free(r.bytes);
}

/* A frame of which the switch has read a part is completed; those that wait
 * behind it are not in the way, however many there are.  What the switch does
 * not read in time need not be said. */
static void
test_a_message_for_a_mock_switch_that_reads_slowly(void **state)
{
    struct read r = { .bytes = NULL };
    struct fixture *f = *state;
    unsigned int n_written;
    uint8_t frame[1000];

    open_channel(f);
    memset(frame, 0xaa, sizeof frame);
    for (int i = 0; i < 1000; i++) {
        emit_put(f->emit, frame, sizeof frame, false, time_msec());
    }
    n_written = channel_write(f->channel, f->emit);
    assert_true(n_written < 1000);
    assert_true(emit_is_begun(f->emit));
    assert_true(channel_send(f->channel, make_message(1)));
    assert_int_equal(channel_write(f->channel, f->emit), 0);
    assert_false(channel_send(f->channel, make_message(2)));

    unsigned int n = n_written;
    while (emit_count(f->emit)) {
        switch_reads(f, &r, true);
        n += channel_write(f->channel, f->emit);
    }
    channel_write(f->channel, f->emit);
    switch_reads(f, &r, false);
    assert_int_equal(n, 1000);
    for (unsigned int i = 0; i < n_written + 1; i++) {
        assert_int_equal(fill_of_packet_out(&r, i), 0xaa);
    }
    assert_int_equal(fill_of_packet_out(&r, n_written + 1), 1);
    assert_int_equal(fill_of_packet_out(&r, 1000), 0xaa);
    assert_int_equal(fill_of_packet_out(&r, 1001), -1);
    free(r.bytes);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_a_mock_switch_is_told_first),
        TEST(test_frames_from_a_mock_switch_stay_whole_around_an_odd_message),
        TEST(test_a_message_from_a_mock_switch_in_pieces),
        TEST(test_an_echo_request_of_a_mock_switch_is_answered),
        TEST(test_an_echo_request_of_a_mock_switch_that_holds_something),
        TEST(test_a_mock_switch_that_sends_nonsense_is_left),
        TEST(test_a_mock_switch_that_goes_in_the_middle_of_a_frame),
        TEST(test_a_message_for_a_mock_switch_that_is_not_there),
        TEST(test_messages_for_a_mock_switch_wait),
        TEST(test_messages_for_a_mock_switch_go_before_frames),
        TEST(test_a_message_for_a_mock_switch_that_reads_slowly),
    };

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
