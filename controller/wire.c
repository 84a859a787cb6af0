/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire.h"

#include <string.h>

#include "byte-order.h"
#include "unaligned.h"
#include "util.h"

/* Where things are in our own header. */
enum {
    OFS_VERSION = 2,
    OFS_TYPE = 3,
    OFS_HEADER_LEN = 4,
    OFS_RELAY_ID = 6,
    OFS_SESSION = 14,
    OFS_SEQ = 22
};

static uint64_t
get_be64(const uint8_t *p)
{
    return ntohll(get_unaligned_be64((const ovs_be64 *) p));
}

static void
put_be64(uint8_t *p, uint64_t value)
{
    put_unaligned_be64((ovs_be64 *) p, htonll(value));
}

enum wire_kind
wire_kind_of_type(uint8_t type)
{
    switch (type) {
    case WIRE_TYPE_FRAME: return WIRE_FRAME;
    case WIRE_TYPE_HELLO: return WIRE_HELLO;
    case WIRE_TYPE_BYE: return WIRE_BYE;
    default: return WIRE_OTHER;
    }
}

bool
wire_pull_relay_id(struct wire *w)
{
    if (w->length < WIRE_RELAY_ID_LEN) {
        return false;
    }
    w->relay_id = get_be64(w->body);
    w->body += WIRE_RELAY_ID_LEN;
    w->length -= WIRE_RELAY_ID_LEN;
    return w->relay_id != 0;
}

void
wire_encode_relay_id(uint8_t body[WIRE_RELAY_ID_LEN], uint64_t relay_id)
{
    put_be64(body, relay_id);
}

/* Takes apart a datagram that begins with our magic. */
static void
decode_own(uint8_t *datagram, size_t length, struct wire *w)
{
    uint8_t version = datagram[OFS_VERSION];
    uint8_t header_length = datagram[OFS_HEADER_LEN];

    if (version > WIRE_VERSION_MAX) {
        w->kind = WIRE_NEWER;
        return;
    } else if (version < WIRE_VERSION_MIN || header_length < WIRE_HEADER_LEN
               || header_length > length) {
        return;
    }

    w->relay_id = get_be64(datagram + OFS_RELAY_ID);
    w->session = get_be64(datagram + OFS_SESSION);
    w->seq = get_be64(datagram + OFS_SEQ);
    w->body = datagram + header_length;
    w->length = length - header_length;
    if (!w->relay_id || !w->session) {
        return;
    }
    w->kind = wire_kind_of_type(datagram[OFS_TYPE]);
}

void
wire_decode(uint8_t *datagram, size_t length, struct wire *w)
{
    w->kind = WIRE_MALFORMED;
    w->datagram = NULL;
    w->stream = NULL;
    w->key_id = 0;
    if (length >= WIRE_SNOWSIGNAL_LEN
        && !memcmp(datagram, WIRE_SNOWSIGNAL_MAGIC, WIRE_SNOWSIGNAL_LEN)) {
        w->kind = WIRE_SNOWSIGNAL;
        w->body = datagram + WIRE_SNOWSIGNAL_LEN;
        w->length = length - WIRE_SNOWSIGNAL_LEN;
    } else if (length >= WIRE_HEADER_LEN
               && !memcmp(datagram, WIRE_MAGIC, sizeof WIRE_MAGIC - 1)) {
        decode_own(datagram, length, w);
    } else if (length >= sizeof SEAL_MAGIC - 1
               && !memcmp(datagram, SEAL_MAGIC, sizeof SEAL_MAGIC - 1)) {
        w->kind = WIRE_SEALED;
        w->datagram = datagram;
        w->datagram_length = length;
    }
}

void
wire_encode_header(uint8_t header[WIRE_HEADER_LEN], enum wire_type type,
                   uint64_t relay_id, uint64_t session, uint64_t seq)
{
    memset(header, 0, WIRE_HEADER_LEN);
    memcpy(header, WIRE_MAGIC, sizeof WIRE_MAGIC - 1);
    header[OFS_VERSION] = WIRE_VERSION_MIN;
    header[OFS_TYPE] = type;
    header[OFS_HEADER_LEN] = WIRE_HEADER_LEN;
    put_be64(header + OFS_RELAY_ID, relay_id);
    put_be64(header + OFS_SESSION, session);
    put_be64(header + OFS_SEQ, seq);
}

void
wire_set_seq(uint8_t header[WIRE_HEADER_LEN], uint64_t seq)
{
    put_be64(header + OFS_SEQ, seq);
}
