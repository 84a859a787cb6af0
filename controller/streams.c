/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "streams.h"

#include <sodium.h>
#include <string.h>

#include "counters.h"
#include "hash.h"
#include "openvswitch/util.h"
#include "util.h"
#include "window.h"
#include "wire.h"

struct stream_state {
    struct hmap_node node; /* In "struct streams" 'by_id'. */
    uint8_t id[SEAL_STREAM_LEN];
    uint64_t relay_id;    /* Who sends it. */
    struct window window; /* Of its counters. */
    long long int heard;  /* ms. */

    /* Counters before 'floor' are too late: at 'marked', at least
     * STREAMS_MAX_LATE_MS after 'floor' was next, 'mark' was. */
    uint64_t floor, mark;
    long long int marked;

    /* The key that its last datagram was sealed with. */
    bool has_subkey;
    uint16_t key_id;
    struct seal_subkey subkey;
};

/* Frees 'stream', and leaves nothing of its key. */
static void
destroy(struct stream_state *stream)
{
    sodium_memzero(&stream->subkey, sizeof stream->subkey);
    free(stream);
}

void
streams_init(struct streams *streams)
{
    memset(streams, 0, sizeof *streams);
    hmap_init(&streams->by_id);
}

void
streams_destroy(struct streams *streams)
{
    struct stream_state *stream;

    HMAP_FOR_EACH_POP (stream, node, &streams->by_id) {
        destroy(stream);
    }
    hmap_destroy(&streams->by_id);
    sodium_memzero(&streams->keys, sizeof streams->keys);
}

void
streams_set_keys(struct streams *streams, const struct seal_keys *keys)
{
    struct stream_state *stream;

    streams->keys = *keys;
    HMAP_FOR_EACH (stream, node, &streams->by_id) {
        stream->has_subkey = false; /* Its key may be gone. */
    }
}

static uint32_t
hash_id(const uint8_t *id)
{
    return hash_bytes(id, SEAL_STREAM_LEN, 0);
}

static struct stream_state *
find(const struct streams *streams, const uint8_t *id)
{
    struct stream_state *stream;

    HMAP_FOR_EACH_WITH_HASH(stream, node, hash_id(id), &streams->by_id)
    {
        if (!memcmp(stream->id, id, SEAL_STREAM_LEN)) {
            return stream;
        }
    }
    return NULL;
}

/* Stores the key for a datagram with 'header', of 'stream' or, if that is
 * NULL, of one that is not accepted, in '*subkey'.  Returns false if it is not
 * sealed with a key of ours. */
static bool
get_subkey(const struct streams *streams, const struct stream_state *stream,
           const struct seal_header *header, struct seal_subkey *subkey)
{
    if (stream && stream->has_subkey && stream->key_id == header->key_id) {
        *subkey = stream->subkey;
        return true;
    }
    const struct seal_key *key =
        seal_keys_find(&streams->keys, header->key_id);
    if (!key) {
        return false;
    }
    seal_derive(key, header->stream, subkey);
    return true;
}

/* Makes 'w', which was sealed as 'header' says, what its body of 'length'
 * bytes is.  Returns false if that is malformed. */
static bool
take_body(struct wire *w, const struct seal_header *header, size_t length,
          const struct stream_state *stream)
{
    w->key_id = header->key_id;
    w->session = header->session;
    w->seq = header->seq;
    w->body = w->datagram + SEAL_HEADER_LEN;
    w->length = length;
    w->kind = wire_kind_of_type(header->type);
    if (w->kind == WIRE_FRAME) {
        w->relay_id = stream->relay_id;
        return true;
    }
    return (wire_pull_relay_id(w)
            && (!stream || w->relay_id == stream->relay_id));
}

/* Returns true if a datagram of 'stream' with 'counter' has come, or comes too
 * late. */
static bool
is_replay(const struct stream_state *stream, uint64_t counter,
          long long int now)
{
    return ((int64_t) (counter - stream->floor) < 0
            || window_has(&stream->window, counter)
            || now - stream->heard >= STREAMS_MAX_IDLE_MS);
}

/* Notes that a datagram of 'stream' with 'counter' has come. */
static void
take_counter(struct stream_state *stream, uint64_t counter, long long int now)
{
    window_take(&stream->window, counter);
    stream->heard = now;
    if (now - stream->marked >= STREAMS_MAX_LATE_MS) {
        stream->floor = stream->mark;
        stream->mark = stream->window.next;
        stream->marked = now;
    }
}

int
streams_open(struct streams *streams, struct wire *w, long long int now)
{
    struct seal_header header;
    struct seal_subkey subkey;
    size_t length;
    bool newer;

    w->stream = NULL;
    if (!seal_parse(w->datagram, w->datagram_length, &header, &newer)) {
        return newer ? DROP_VERSION : DROP_FORMAT;
    }

    struct stream_state *stream = find(streams, header.stream);
    if (stream ? is_replay(stream, header.counter, now)
               : header.type != WIRE_TYPE_HELLO) {
        return DROP_REPLAY;
    }
    if (!get_subkey(streams, stream, &header, &subkey)
        || !seal_open(&subkey, w->datagram, w->datagram_length, &length)) {
        return DROP_SEAL;
    }
    if (stream) {
        take_counter(stream, header.counter, now);
        stream->key_id = header.key_id;
        stream->subkey = subkey;
        stream->has_subkey = true;
        w->stream = stream;
    }
    return take_body(w, &header, length, stream) ? FRAME_OK : DROP_FORMAT;
}

/* Makes room for one more stream, if there is none, at the cost of the one
 * from which nothing has come for longest.  Returns false if something has
 * come from all just now. */
static bool
make_room(struct streams *streams, long long int now)
{
    struct stream_state *stream, *idlest = NULL;

    if (hmap_count(&streams->by_id) < STREAMS_MAX) {
        return true;
    }
    HMAP_FOR_EACH (stream, node, &streams->by_id) {
        if (!idlest || stream->heard < idlest->heard) {
            idlest = stream;
        }
    }
    if (now - idlest->heard < STREAMS_MIN_IDLE_MS) {
        return false;
    }
    hmap_remove(&streams->by_id, &idlest->node);
    destroy(idlest);
    return true;
}

bool
streams_accept(struct streams *streams, struct wire *w, long long int now)
{
    struct seal_header header;
    bool newer;

    if (!make_room(streams, now)
        || !seal_parse(w->datagram, w->datagram_length, &header, &newer)) {
        return false;
    }

    struct stream_state *stream = xzalloc(sizeof *stream);
    memcpy(stream->id, header.stream, sizeof stream->id);
    stream->relay_id = w->relay_id;
    stream->heard = now;
    window_begin(&stream->window, header.counter + 1);
    stream->floor = stream->mark = header.counter + 1;
    stream->marked = now;
    hmap_insert(&streams->by_id, &stream->node, hash_id(stream->id));
    w->stream = stream;
    return true;
}

void
streams_expire(struct streams *streams, long long int now)
{
    struct stream_state *stream;

    HMAP_FOR_EACH_SAFE (stream, node, &streams->by_id) {
        if (now - stream->heard >= STREAMS_MAX_IDLE_MS) {
            hmap_remove(&streams->by_id, &stream->node);
            destroy(stream);
        }
    }
}
