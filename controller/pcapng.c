/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "pcapng.h"

#include <string.h>

#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "util.h"

/* The numbers of the draft; its section is behind each. */
enum block_type {
    BLOCK_INTERFACE = 1,       /* 4.2 */
    BLOCK_STATISTICS = 5,      /* 4.6 */
    BLOCK_PACKET = 6,          /* 4.3 */
    BLOCK_SECTION = 0x0a0d0d0a /* 4.1 */
};

enum option {
    OPT_END = 0, /* 3.5, as the next one */
    OPT_COMMENT = 1,
    SHB_USERAPPL = 4, /* 4.1 */
    IF_NAME = 2,      /* 4.2 */
    IF_DESCRIPTION = 3,
    IF_TSRESOL = 9,
    IF_FILTER = 11,
    EPB_FLAGS = 2, /* 4.3 */
    EPB_DROPCOUNT = 4,
    ISB_STARTTIME = 2, /* 4.6 */
    ISB_ENDTIME = 3,
    ISB_IFRECV = 4,
    ISB_IFDROP = 5
};

enum {
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    TIMES_IN_NANOSECONDS = 9, /* A negative power of ten. */
    FILTER_IS_TEXT = 0,       /* Not one that is compiled. */
    BLOCK_HEADER = 8,         /* Type and length. */
    BLOCK_LEAST = BLOCK_HEADER + 4
};

static void
put_u16(struct ofpbuf *out, uint16_t value)
{
    ofpbuf_put(out, &value, sizeof value);
}

static void
put_u32(struct ofpbuf *out, uint32_t value)
{
    ofpbuf_put(out, &value, sizeof value);
}

/* A time has its upper half first, whatever the byte order (section 4.3). */
static void
put_time(struct ofpbuf *out, uint64_t time)
{
    put_u32(out, time >> 32);
    put_u32(out, time);
}

/* Appends bytes that make 'length' a multiple of 4. */
static void
pad(struct ofpbuf *out, size_t length)
{
    ofpbuf_put_zeros(out, ROUND_UP(length, 4) - length);
}

/* Appends the header of an option of 'length' bytes. */
static void
begin_option(struct ofpbuf *out, enum option code, size_t length)
{
    put_u16(out, code);
    put_u16(out, length);
}

/* Appends an option, cut where an option cannot be longer. */
static void
put_option(struct ofpbuf *out, enum option code, const void *value,
           size_t length)
{
    length = MIN(length, UINT16_MAX);
    begin_option(out, code, length);
    ofpbuf_put(out, value, length);
    pad(out, length);
}

/* Appends an option, unless 'text' is NULL. */
static void
put_text(struct ofpbuf *out, enum option code, const char *text)
{
    if (text) {
        put_option(out, code, text, strlen(text));
    }
}

static void
put_time_option(struct ofpbuf *out, enum option code, uint64_t time)
{
    begin_option(out, code, sizeof time);
    put_time(out, time);
}

/* Begins a block and returns where. */
static size_t
begin_block(struct ofpbuf *out, enum block_type type)
{
    size_t start = out->size;

    put_u32(out, type);
    put_u32(out, 0);
    return start;
}

/* Ends the options, if there are any, and the block that began at 'start'. */
static void
end_block(struct ofpbuf *out, size_t start)
{
    uint32_t length = out->size - start + sizeof length;

    put_u32(out, length);
    memcpy((uint8_t *) out->data + start + 4, &length, sizeof length);
}

static void
end_options(struct ofpbuf *out)
{
    begin_option(out, OPT_END, 0);
}

void
pcapng_put_section(struct ofpbuf *out, const char *application)
{
    const int64_t unknown = -1;
    size_t start = begin_block(out, BLOCK_SECTION);

    put_u32(out, BYTE_ORDER_MAGIC);
    put_u16(out, 1); /* Version 1.0. */
    put_u16(out, 0);
    ofpbuf_put(out, &unknown, sizeof unknown); /* The section's length. */
    put_text(out, SHB_USERAPPL, application);
    end_options(out);
    end_block(out, start);
}

void
pcapng_put_interface(struct ofpbuf *out,
                     const struct pcapng_interface *interface)
{
    const uint8_t resolution = TIMES_IN_NANOSECONDS;
    size_t start = begin_block(out, BLOCK_INTERFACE);

    put_u16(out, PCAPNG_LINKTYPE_ETHERNET);
    put_u16(out, 0); /* Reserved. */
    put_u32(out, PCAPNG_SNAPLEN);
    put_text(out, IF_NAME, interface->name);
    put_text(out, IF_DESCRIPTION, interface->description);
    put_option(out, IF_TSRESOL, &resolution, sizeof resolution);
    if (interface->filter) {
        const uint8_t kind = FILTER_IS_TEXT;
        size_t length = MIN(strlen(interface->filter), UINT16_MAX - 1);

        begin_option(out, IF_FILTER, 1 + length);
        ofpbuf_put(out, &kind, sizeof kind);
        ofpbuf_put(out, interface->filter, length);
        pad(out, 1 + length);
    }
    end_options(out);
    end_block(out, start);
}

void
pcapng_put_packet(struct ofpbuf *out, const struct pcapng_packet *packet)
{
    const uint32_t flags = packet->direction;
    size_t start = begin_block(out, BLOCK_PACKET);

    put_u32(out, packet->interface);
    put_time(out, packet->time);
    put_u32(out, packet->length); /* In the file. */
    put_u32(out, packet->length); /* On the wire. */
    ofpbuf_put(out, packet->bytes, packet->length);
    pad(out, packet->length);
    if (flags) {
        put_option(out, EPB_FLAGS, &flags, sizeof flags);
    }
    if (packet->n_missing) {
        put_option(out, EPB_DROPCOUNT, &packet->n_missing,
                   sizeof packet->n_missing);
    }
    put_text(out, OPT_COMMENT, packet->comment);
    if (flags || packet->n_missing || packet->comment) {
        end_options(out);
    }
    end_block(out, start);
}

void
pcapng_put_statistics(struct ofpbuf *out,
                      const struct pcapng_statistics *statistics)
{
    size_t start = begin_block(out, BLOCK_STATISTICS);

    put_u32(out, statistics->interface);
    put_time(out, statistics->end);
    put_time_option(out, ISB_STARTTIME, statistics->start);
    put_time_option(out, ISB_ENDTIME, statistics->end);
    put_option(out, ISB_IFRECV, &statistics->n_seen,
               sizeof statistics->n_seen);
    put_option(out, ISB_IFDROP, &statistics->n_missing,
               sizeof statistics->n_missing);
    end_options(out);
    end_block(out, start);
}

size_t
pcapng_whole_blocks(const uint8_t *bytes, size_t length, uint64_t *n_packets)
{
    size_t whole = 0;

    *n_packets = 0;
    while (length - whole >= BLOCK_LEAST) {
        uint32_t type, block_length;

        memcpy(&type, bytes + whole, sizeof type);
        memcpy(&block_length, bytes + whole + 4, sizeof block_length);
        if (block_length < BLOCK_LEAST || block_length > length - whole) {
            break;
        }
        *n_packets += type == BLOCK_PACKET;
        whole += block_length;
    }
    return whole;
}
