/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "pva-search.h"

#include <string.h>

#include "openvswitch/util.h"
#include "util.h"

enum { MAGIC = 0xca, HEADER_LEN = 8, COMMAND_SEARCH = 3 };

/* Flags of the header. */
enum {
    FLAG_CONTROL = 1 << 0,
    FLAGS_UNUSED = 7 << 1,
    FLAGS_SEGMENT = 3 << 4,
    FLAG_BIG_ENDIAN = 1 << 7
};

/* The part of a search in front of the protocols. */
enum { FIXED_LEN = 4 + 1 + 3 + 16 + 2 };

/* More than any client has in a datagram: so that there is an end to it. */
enum { MAX_MESSAGES = 256, MAX_PROTOCOLS = 16 };

/* First bytes of a size that have another meaning. */
enum { SIZE_NONE = 0xff, SIZE_LONG = 0xfe };

/* What is left of a message. */
struct rest {
    const uint8_t *bytes;
    size_t length;
    bool big_endian;
    bool broken; /* Was there less than there should have been? */
};

/* Takes the next 'length' bytes.  Returns NULL if there are not so many, and
 * then there are none from now on. */
static const uint8_t *
take(struct rest *rest, size_t length)
{
    const uint8_t *bytes = rest->bytes;

    if (rest->broken || length > rest->length) {
        rest->broken = true;
        return NULL;
    }
    rest->bytes += length;
    rest->length -= length;
    return bytes;
}

/* Takes the next number of 'length' bytes. */
static uint32_t
take_number(struct rest *rest, size_t length)
{
    const uint8_t *bytes = take(rest, length);
    uint32_t number = 0;

    for (size_t i = 0; bytes && i < length; i++) {
        number = number << 8 | bytes[rest->big_endian ? i : length - 1 - i];
    }
    return number;
}

/* Takes the next size. */
static uint32_t
take_size(struct rest *rest)
{
    uint32_t size = take_number(rest, 1);

    return size == SIZE_NONE   ? 0
           : size == SIZE_LONG ? take_number(rest, 4)
                               : size;
}

/* Takes the next name and adds it to 'asks'. */
static void
take_name(struct rest *rest, struct asks *asks)
{
    take(rest, 4);

    size_t length = take_size(rest);
    const uint8_t *name = take(rest, length);

    if (!name || !length || length > SEARCH_MAX_NAME
        || memchr(name, 0, length)) {
        rest->broken = true;
    } else if (asks->n >= SEARCH_MAX_ASKS) {
        asks->more = true;
    } else {
        asks->of[asks->n++] = (struct ask){ name, length };
    }
}

/* Takes a search. */
static void
take_search(struct rest *rest, struct asks *asks)
{
    take(rest, FIXED_LEN);

    uint32_t n_protocols = take_size(rest);
    rest->broken |= n_protocols > MAX_PROTOCOLS;
    for (uint32_t n = n_protocols; n && !rest->broken; n--) {
        take(rest, take_size(rest));
    }
    for (uint32_t n = take_number(rest, 2); n && !rest->broken && !asks->more;
         n--) {
        take_name(rest, asks);
    }
}

enum search_verdict
pva_search_read(const uint8_t *payload, size_t length, struct asks *asks)
{
    struct rest datagram = { .bytes = payload, .length = length };
    enum search_verdict verdict = SEARCH_NONE; /* If it ends here... */
    enum search_verdict broken = SEARCH_NONE;  /* ...or goes on wrongly. */

    asks->n = 0;
    asks->more = false;
    if (length < HEADER_LEN || payload[0] != MAGIC
        || payload[2] & FLAGS_UNUSED) {
        return SEARCH_NONE;
    }
    for (int i = 0; datagram.length && !asks->more; i++) {
        const uint8_t *header = take(&datagram, HEADER_LEN);

        if (!header || header[0] != MAGIC || i >= MAX_MESSAGES) {
            return broken;
        } else if (header[2] & FLAG_CONTROL) {
            continue; /* What would be the size is something else. */
        }

        struct rest message = {
            .bytes = header + 4,
            .length = 4,
            .big_endian = header[2] & FLAG_BIG_ENDIAN,
        };
        size_t size = take_number(&message, 4);
        bool whole = size <= datagram.length;

        message.length = MIN(size, datagram.length);
        message.bytes = take(&datagram, message.length);
        if (header[3] == COMMAND_SEARCH && !(header[2] & FLAGS_SEGMENT)) {
            take_search(&message, asks);
            verdict = SEARCH_ASKS;
            broken = SEARCH_MALFORMED;
        }
        if (!whole || message.broken) {
            return broken;
        }
    }
    return verdict;
}
