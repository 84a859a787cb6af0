/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SEAL_H
#define SNOWRELAY_SEAL_H 1

/* Seal: a datagram that nobody without the mesh's key can read, change or make
 * up.
 *
 *      0      2         3      4     6         14     18     22        30
 *     +------+---------+------+-----+---------+------+------+---------+-----
 *     | S  E | version | type | key | session | path | salt | counter | seq
 *     |      |         |      | id  |         |      |      |         |
 *     +------+---------+------+-----+---------+------+------+---------+-----
 *      38
 *     +---------------------------+----------+
 *     | body, encrypted           | tag (16) |
 *     +---------------------------+----------+
 *
 * The AEAD is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, over RFC 8439),
 * by libsodium: encrypted is the body, authenticated are the header and the
 * body.  The nonce is the 24 bytes from 'session' to 'counter'.
 *
 * A nonce never comes twice with one key: what a relay sends to one address is
 * a stream, which is told from all others by the relay's session and its salt,
 * 96 bits that are drawn at random at each start, and by the path, which is
 * another number for each address; and within a stream the counter grows by
 * one with each datagram.  A stream whose key changes goes on counting.
 *
 * XChaCha20 turns key and stream into a key of the stream, and then is
 * ChaCha20 with that key and the counter for its nonce.  The stream's key is
 * kept, so that it is worked out once for each stream and not for each
 * datagram.
 *
 * Who has sent what, and whether it has come before, is in streams.h.  Pure:
 * no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_MAGIC "SE"

enum {
    SEAL_VERSION = 1,
    SEAL_KEY_LEN = 32,
    SEAL_STREAM_LEN = 16, /* Session, path, salt. */
    SEAL_HEADER_LEN = 38,
    SEAL_TAG_LEN = 16,

    /* What a seal adds to a body. */
    SEAL_OVERHEAD = SEAL_HEADER_LEN + SEAL_TAG_LEN,

    /* One to seal with, and one that is taken besides while the mesh changes
     * its key. */
    SEAL_MAX_KEYS = 2
};

struct seal_key {
    uint8_t bytes[SEAL_KEY_LEN];
    uint16_t id; /* Tells which of two it is, and nothing else of it. */
};

/* The keys of a mesh.  Without any it is not sealed. */
struct seal_keys {
    struct seal_key all[SEAL_MAX_KEYS]; /* The first one seals. */
    size_t n;
};

/* The key of a stream, worked out of a mesh's key. */
struct seal_subkey {
    uint8_t bytes[SEAL_KEY_LEN];
};

/* Seals one stream.  All zeros is one that seals nothing yet. */
struct sealer {
    struct seal_subkey subkey;
    uint8_t header[SEAL_HEADER_LEN]; /* But for type and numbers. */
    uint64_t counter;                /* Of the next datagram. */
};

/* A sealed datagram's header, taken apart. */
struct seal_header {
    uint8_t type;
    uint16_t key_id;
    uint64_t session;
    uint64_t counter;
    uint64_t seq;
    const uint8_t *stream; /* SEAL_STREAM_LEN bytes in the datagram. */
};

/* Makes libsodium ready.  Must be called before anything else here, as often
 * as one likes. */
void seal_init(void);

/* Stores 'bytes' and the id that follows from them in '*key'. */
void seal_key_set(struct seal_key *key, const uint8_t bytes[SEAL_KEY_LEN]);

/* Returns the key with 'id', or NULL. */
const struct seal_key *
seal_keys_find(const struct seal_keys *keys, uint16_t id);

/* Makes 'sealer' seal with 'key' what goes by 'path' in 'session', whose
 * 'salt' is.  One that does so already, or did with another key, counts on. */
void sealer_set(struct sealer *sealer, const struct seal_key *key,
                uint64_t session, uint32_t path, uint32_t salt);

/* Returns true if 'sealer' seals. */
bool sealer_is_set(const struct sealer *sealer);

/* Seals the 'length' bytes at 'body' as a datagram of 'type' with the sequence
 * number 'seq', and writes it to 'datagram', which has room for SEAL_OVERHEAD
 * bytes more than the body.  Returns its length. */
size_t seal(struct sealer *sealer, uint8_t type, uint64_t seq,
            const void *body, size_t length, uint8_t *datagram);

/* Takes apart the header of the 'length' bytes at 'datagram', which begin with
 * SEAL_MAGIC.  Returns false if they cannot be a sealed datagram, and sets
 * '*newer' to whether they may be one of a version to come. */
bool seal_parse(const uint8_t *datagram, size_t length,
                struct seal_header *header, bool *newer);

/* Works out the key of 'stream' from 'key'. */
void
seal_derive(const struct seal_key *key, const uint8_t stream[SEAL_STREAM_LEN],
            struct seal_subkey *subkey);

/* Checks the 'length' bytes at 'datagram', whose header seal_parse() took for
 * one, with 'subkey'.  If they are what was sealed with it, decrypts the body
 * in its place, from SEAL_HEADER_LEN on, stores its length in '*body_length',
 * and returns true.  Otherwise the body is lost: libsodium overwrites it, lest
 * anybody use it. */
bool seal_open(const struct seal_subkey *subkey, uint8_t *datagram,
               size_t length, size_t *body_length);

#endif /* seal.h */
