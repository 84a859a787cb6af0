/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "seal.h"

#include <sodium.h>
#include <string.h>

#include "byte-order.h"
#include "openvswitch/util.h"
#include "unaligned.h"
#include "util.h"

/* Where things are in the header. */
enum {
    OFS_VERSION = 2,
    OFS_TYPE = 3,
    OFS_KEY_ID = 4,
    OFS_SESSION = 6,
    OFS_PATH = 14,
    OFS_SALT = 18,
    OFS_COUNTER = 22,
    OFS_SEQ = 30
};

BUILD_ASSERT_DECL(OFS_COUNTER - OFS_SESSION == SEAL_STREAM_LEN);
BUILD_ASSERT_DECL(OFS_SEQ + 8 == SEAL_HEADER_LEN);
BUILD_ASSERT_DECL(SEAL_STREAM_LEN + 8
                  == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
BUILD_ASSERT_DECL(SEAL_STREAM_LEN == crypto_core_hchacha20_INPUTBYTES);
BUILD_ASSERT_DECL((int) SEAL_KEY_LEN
                  == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
BUILD_ASSERT_DECL((int) SEAL_KEY_LEN == crypto_core_hchacha20_OUTPUTBYTES);
BUILD_ASSERT_DECL((int) SEAL_TAG_LEN
                  == crypto_aead_xchacha20poly1305_ietf_ABYTES);

void
seal_init(void)
{
    if (sodium_init() < 0) {
        ovs_fatal(0, "libsodium cannot be used");
    }
}

void
seal_key_set(struct seal_key *key, const uint8_t bytes[SEAL_KEY_LEN])
{
    static const char context[] = "snowrelay key id";
    uint8_t hash[crypto_generichash_BYTES];

    memcpy(key->bytes, bytes, sizeof key->bytes);
    crypto_generichash(hash, sizeof hash, bytes, SEAL_KEY_LEN,
                       (const uint8_t *) context, sizeof context - 1);
    key->id = hash[0] << 8 | hash[1];
}

const struct seal_key *
seal_keys_find(const struct seal_keys *keys, uint16_t id)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (keys->all[i].id == id) {
            return &keys->all[i];
        }
    }
    return NULL;
}

void
seal_derive(const struct seal_key *key, const uint8_t stream[SEAL_STREAM_LEN],
            struct seal_subkey *subkey)
{
    crypto_core_hchacha20(subkey->bytes, stream, key->bytes, NULL);
}

void
sealer_set(struct sealer *sealer, const struct seal_key *key, uint64_t session,
           uint32_t path, uint32_t salt)
{
    uint8_t header[SEAL_HEADER_LEN] = SEAL_MAGIC;

    header[OFS_VERSION] = SEAL_VERSION;
    put_unaligned_be16((ovs_be16 *) &header[OFS_KEY_ID], htons(key->id));
    put_unaligned_be64((ovs_be64 *) &header[OFS_SESSION], htonll(session));
    put_unaligned_be32((ovs_be32 *) &header[OFS_PATH], htonl(path));
    put_unaligned_be32((ovs_be32 *) &header[OFS_SALT], htonl(salt));
    if (memcmp(&header[OFS_SESSION], &sealer->header[OFS_SESSION],
               SEAL_STREAM_LEN)) {
        sealer->counter = 0;
    }
    memcpy(sealer->header, header, sizeof header);
    seal_derive(key, &header[OFS_SESSION], &sealer->subkey);
}

bool
sealer_is_set(const struct sealer *sealer)
{
    return sealer->header[OFS_VERSION] != 0;
}

/* Fills in the nonce of a datagram with 'header' as ChaCha20-Poly1305 has it
 * in XChaCha20-Poly1305: four zeros, and the counter. */
static void
make_nonce(const uint8_t *header,
           uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES])
{
    memset(nonce, 0, 4);
    memcpy(nonce + 4, header + OFS_COUNTER, 8);
}

size_t
seal(struct sealer *sealer, uint8_t type, uint64_t seq, const void *body,
     size_t length, uint8_t *datagram)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    uint8_t *sealed = datagram + SEAL_HEADER_LEN;

    memcpy(datagram, sealer->header, SEAL_HEADER_LEN);
    datagram[OFS_TYPE] = type;
    put_unaligned_be64((ovs_be64 *) &datagram[OFS_COUNTER],
                       htonll(sealer->counter++));
    put_unaligned_be64((ovs_be64 *) &datagram[OFS_SEQ], htonll(seq));
    make_nonce(datagram, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        sealed, sealed + length, NULL, body, length, datagram, SEAL_HEADER_LEN,
        NULL, nonce, sealer->subkey.bytes);
    return length + SEAL_OVERHEAD;
}

bool
seal_parse(const uint8_t *datagram, size_t length, struct seal_header *header,
           bool *newer)
{
    *newer = (length > OFS_VERSION && datagram[OFS_VERSION] > SEAL_VERSION);
    if (length < SEAL_OVERHEAD || datagram[OFS_VERSION] != SEAL_VERSION) {
        return false;
    }
    header->type = datagram[OFS_TYPE];
    header->key_id =
        ntohs(get_unaligned_be16((const ovs_be16 *) &datagram[OFS_KEY_ID]));
    header->session =
        ntohll(get_unaligned_be64((const ovs_be64 *) &datagram[OFS_SESSION]));
    header->counter =
        ntohll(get_unaligned_be64((const ovs_be64 *) &datagram[OFS_COUNTER]));
    header->seq =
        ntohll(get_unaligned_be64((const ovs_be64 *) &datagram[OFS_SEQ]));
    header->stream = &datagram[OFS_SESSION];
    return header->session != 0;
}

bool
seal_open(const struct seal_subkey *subkey, uint8_t *datagram, size_t length,
          size_t *body_length)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    uint8_t *body = datagram + SEAL_HEADER_LEN;
    size_t n = length - SEAL_OVERHEAD;

    make_nonce(datagram, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(
            body, NULL, body, n, body + n, datagram, SEAL_HEADER_LEN, nonce,
            subkey->bytes)) {
        return false;
    }
    *body_length = n;
    return true;
}
