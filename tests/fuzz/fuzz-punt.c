/* SPDX-License-Identifier: Apache-2.0 */

/* What comes from the switch: a stream of bytes, which the channel cuts into
 * messages, and the punts among them.
 *
 * An input says in its first byte how long the pieces are in which the stream
 * comes, in the second how often it is repeated and how it ends; the stream
 * follows.  The connection is played here: in the place of functions of
 * libopenvswitch's stream.h the linker takes those with __wrap_ before their
 * names (see the Makefile). */

#include <config.h>
#include "fuzz.h"

#include <errno.h>

#include "announcement.h"
#include "channel.h"
#include "emit.h"
#include "frame.h"
#include "openflow/nicira-ext.h"
#include "openflow/openflow.h"
#include "punt.h"
#include "stream.h"
#include "tunnel-probe.h"

enum {
    /* In the second byte. */
    TWICE = 1 << 0,
    FOR_LONG = 7 << 1, /* All of these bits. */
    ENDS = 1 << 7,

    /* Types of messages (OpenFlow 1.5.1, section 7.1.1). */
    HELLO = 0,
    ECHO_REPLY = 3,
    EXPERIMENTER = 4,
    PACKET_IN2 = 30, /* One of Nicira's, by its subtype. */

    LONG_STREAM = 160 * 1024,
    MAX_PUNTS = 64
};

/* The stream, and the part of it that the channel has read. */
static struct {
    uint8_t *bytes;
    size_t length, piece, read;
    bool ends; /* Or is there just no more for now? */
} from_switch;

/* The stream as it is to be cut. */
static struct {
    size_t at;
    bool open; /* Has the switch said hello? */
} expected;

/* Punts that were not looked at again yet, and their frames as they were. */
static struct {
    struct punt punt;
    uint8_t *copy;
} punts[MAX_PUNTS];
static size_t n_punts;

/* The connection. */

int __wrap_stream_open_with_default_port(const char *, uint16_t,
                                         struct stream **, uint8_t);
int __wrap_stream_connect(struct stream *);
int __wrap_stream_recv(struct stream *, void *, size_t);
int __wrap_stream_send(struct stream *, const void *, size_t);
void __wrap_stream_run(struct stream *);
void __wrap_stream_run_wait(struct stream *);
void __wrap_stream_close(struct stream *);

int
__wrap_stream_open_with_default_port(const char *name OVS_UNUSED,
                                     uint16_t port OVS_UNUSED,
                                     struct stream **streamp,
                                     uint8_t dscp OVS_UNUSED)
{
    *streamp = (struct stream *) &from_switch;
    return 0;
}

int
__wrap_stream_connect(struct stream *stream OVS_UNUSED)
{
    return 0;
}

int
__wrap_stream_recv(struct stream *stream OVS_UNUSED, void *buffer, size_t n)
{
    n = MIN(MIN(n, from_switch.piece), from_switch.length - from_switch.read);
    if (!n) {
        return from_switch.ends ? 0 : -EAGAIN;
    }
    memcpy(buffer, from_switch.bytes + from_switch.read, n);
    from_switch.read += n;
    return n;
}

/* The switch takes it, and it is made of whole messages. */
int
__wrap_stream_send(struct stream *stream OVS_UNUSED, const void *bytes,
                   size_t n)
{
    size_t at = 0;

    while (at < n) {
        CHECK(n - at >= sizeof(struct ofp_header));
        const size_t length = be16((const uint8_t *) bytes + at + 2);
        CHECK(length >= sizeof(struct ofp_header) && length <= n - at);
        at += length;
    }
    return n;
}

void
__wrap_stream_run(struct stream *stream OVS_UNUSED)
{
}

void
__wrap_stream_run_wait(struct stream *stream OVS_UNUSED)
{
}

void
__wrap_stream_close(struct stream *stream OVS_UNUSED)
{
}

/* Checks. */

/* Goes on in the stream to the message 'oh', which the channel says comes
 * next.  What it says nothing of is about the connection, or came before the
 * switch had said hello. */
static void
find_message(const struct ofp_header *oh)
{
    const size_t length = ntohs(oh->length);

    for (;;) {
        const uint8_t *p = from_switch.bytes + expected.at;

        CHECK(expected.at + sizeof *oh <= from_switch.read);
        const size_t n = be16(p + 2);
        CHECK(n >= sizeof *oh && expected.at + n <= from_switch.read);
        expected.at += n;
        if (expected.open && n == length && !memcmp(p, oh, n)) {
            return;
        }
        CHECK(!expected.open || p[1] <= ECHO_REPLY);
        expected.open |= p[1] == HELLO && p[0] >= OFP15_VERSION;
    }
}

static uint32_t
be32(const uint8_t *p)
{
    return (uint32_t) be16(p) << 16 | be16(p + 2);
}

/* The same as punt_decode(), by OpenFlow 1.5.1, section 7.1.3, and
 * openflow/nicira-ext.h. */
static bool
is_punt(const uint8_t *m, size_t length, struct punt *punt)
{
    const uint8_t *frame = NULL, *userdata = NULL;
    uint16_t userdata_length = 0;

    if (m[1] != EXPERIMENTER || length < 16 || length % 8
        || be32(m + 8) != NX_VENDOR_ID || be32(m + 12) != PACKET_IN2) {
        return false;
    }
    for (size_t at = 16; at < length; at += ROUND_UP(be16(m + at + 2), 8)) {
        const uint8_t *p = m + at;
        const uint16_t type = be16(p), n = be16(p + 2);

        if (n < 4 || ROUND_UP(n, 8) > length - at || type == NXPINT_FULL_LEN
            || (type == UINT16_MAX && (n < 12 || !be32(p + 4)))) {
            return false;
        } else if (type == NXPINT_PACKET) {
            frame = p + 4;
            punt->length = n - 4;
        } else if (type == NXPINT_USERDATA) {
            userdata = p + 4;
            userdata_length = n - 4;
        }
    }
    if (!frame || (userdata_length != 3 && userdata_length != 5)
        || !userdata[0] || userdata[0] > 7) {
        return false;
    }
    punt->frame = CONST_CAST(uint8_t *, frame);
    punt->kind = userdata[0];
    punt->port = be16(userdata + 1);
    punt->generation = userdata_length == 5 ? be16(userdata + 3) : 0;
    return true;
}

static void
check_frame(const struct punt *punt)
{
    struct announcement a;
    struct frame f;

    if (punt->kind == PUNT_ANNOUNCEMENT) {
        uint8_t *copy = copy_exactly(punt->frame, punt->length);

        if (announcement_decode(copy, punt->length, &a) == ANNOUNCEMENT_OK) {
            CHECK(a.n_ports <= ANNOUNCEMENT_MAX_PORTS);
        }
        free(copy);
    } else if (frame_check(punt->frame, punt->length, &f) == FRAME_OK) {
        CHECK(f.bytes == punt->frame && f.length == punt->length);
    }
}

/* What comes out of a tunnel is from somewhere, whatever is in it. */
static void
check_tunnel(const struct punt *punt)
{
    struct punt copied = *punt;
    struct in6_addr source, again;
    uint64_t token = 0;

    const bool known = punt_tunnel_source(punt, &source);
    if (punt->metadata) {
        void *copy = copy_exactly(punt->metadata, punt->metadata_length);

        copied.metadata = copy;
        CHECK(punt_tunnel_source(&copied, &again) == known);
        CHECK(!known || IN6_ARE_ADDR_EQUAL(&source, &again));
        free(copy);
    } else {
        CHECK(!known);
    }

    uint8_t *frame = copy_exactly(punt->frame, punt->length);
    if (tunnel_probe_decode(frame, punt->length, &token)) {
        CHECK(token);
        CHECK(punt->length >= 28);
        CHECK(!memcmp(frame, "\x03SNOW\x02", 6));
    }
    free(frame);
}

static void
look_at(struct ofp_header *oh)
{
    const size_t length = ntohs(oh->length);
    struct ofp_header *copy;
    struct punt punt, copied, wanted;

    CHECK((uintptr_t) oh % 8 == 0);
    find_message(oh);

    /* It makes no difference what is behind it. */
    copy = copy_exactly(oh, length);
    const bool decoded = punt_decode(oh, &punt);
    CHECK(is_punt((uint8_t *) oh, length, &wanted) == decoded);
    CHECK(punt_decode(copy, &copied) == decoded);
    if (decoded) {
        CHECK(punt.kind == wanted.kind && punt.port == wanted.port);
        CHECK(punt.generation == wanted.generation);
        CHECK(punt.frame == wanted.frame && punt.length == wanted.length);
        CHECK(copied.frame - (uint8_t *) copy == punt.frame - (uint8_t *) oh);
        CHECK(copied.length == punt.length);
        check_tunnel(&punt);
        check_frame(&punt);
        if (n_punts < MAX_PUNTS) {
            punts[n_punts].punt = punt;
            punts[n_punts++].copy = copy_exactly(punt.frame, punt.length);
        }
    }
    free(copy);
}

/* Until more is read frames stay as they are: the relay gathers them. */
static void
look_at_punts_again(void)
{
    for (size_t i = 0; i < n_punts; i++) {
        const struct punt *punt = &punts[i].punt;

        CHECK(!memcmp(punt->frame, punts[i].copy, punt->length));
        free(punts[i].copy);
    }
    n_punts = 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct emit *emit;
    struct input in = { bytes, length };
    struct ofp_header *oh;
    bool more;

    fuzz_begin();
    if (!emit) {
        emit = emit_create();
    }

    const size_t piece = take8(&in);
    const uint8_t how = take8(&in);
    const size_t times =
        ((how & FOR_LONG) == FOR_LONG && in.left ? LONG_STREAM / in.left
                                                 : 1 + (how & TWICE));
    memset(&from_switch, 0, sizeof from_switch);
    memset(&expected, 0, sizeof expected);
    from_switch.bytes = malloc(in.left * times);
    from_switch.piece = (piece + 1) * (piece + 1);
    from_switch.ends = how & ENDS;
    for (size_t i = 0; i < times && in.left; i++) {
        memcpy(from_switch.bytes + from_switch.length, in.bytes, in.left);
        from_switch.length += in.left;
    }

    struct channel *c = channel_create("tcp:192.0.2.1:6653");
    do {
        channel_run(c, emit);
        channel_write(c, emit);
        if (!channel_read(c, &more)) {
            break;
        }
        while ((oh = channel_next(c)) != NULL) {
            CHECK(channel_is_open(c));
            look_at(oh);
        }
        look_at_punts_again();
    } while (from_switch.read < from_switch.length || from_switch.ends);
    channel_run(c, emit);
    channel_destroy(c);
    free(from_switch.bytes);
    return 0;
}
