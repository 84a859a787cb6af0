/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "seal.h"

#include "support.h"

#include <sodium.h>

#include "openvswitch/util.h"
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

enum { LONGEST = 9014 };

#define SESSION UINT64_C(0x2122232425262728)
#define PATH UINT32_C(0x31323334)
#define SALT UINT32_C(0x41424344)
#define SEQ UINT64_C(0x6162636465666768)

/* Lengths of bodies: around the blocks of the cipher, and those of frames. */
static const size_t lengths[] = { 0,    1,    15,   16,   17,   63,
                                  64,   65,   127,  128,  129,  511,
                                  1418, 1499, 1500, 4096, 9000, LONGEST };

/* A key whose bytes are all 'byte' but for one. */
static struct seal_key
key_of(uint8_t byte)
{
    uint8_t bytes[SEAL_KEY_LEN];
    struct seal_key key;

    memset(bytes, byte, sizeof bytes);
    bytes[0] = ~byte;
    memset(&key, 0xa5, sizeof key);
    seal_key_set(&key, bytes);
    return key;
}

/* A sealer of the stream of above. */
static struct sealer
sealer_of(const struct seal_key *key)
{
    struct sealer sealer = { .counter = 0 };

    sealer_set(&sealer, key, SESSION, PATH, SALT);
    return sealer;
}

/* Returns the key of the stream that 'datagram' is of, under 'key'. */
static struct seal_subkey
subkey_of(const struct seal_key *key, const uint8_t *datagram)
{
    struct seal_subkey subkey;

    seal_derive(key, datagram + OFS_SESSION, &subkey);
    return subkey;
}

/* Fills in a body that is different for each length. */
static void
make_body(uint8_t *body, size_t length)
{
    uint32_t seed = length + 1;

    for (size_t i = 0; i < length; i++) {
        body[i] = next_random(&seed);
    }
}

/* Seals a body of 'length' bytes with 'key'.  The caller frees it. */
static uint8_t *
make_sealed(const struct seal_key *key, size_t length)
{
    struct sealer sealer = sealer_of(key);
    uint8_t *body = malloc(length + 1);
    uint8_t *datagram = malloc(length + SEAL_OVERHEAD);

    make_body(body, length);
    assert_int_equal(seal(&sealer, 2, SEQ, body, length, datagram),
                     length + SEAL_OVERHEAD);
    free(body);
    return datagram;
}

/* What is sealed. */

/* Byte for byte what the library makes of it in one go, with the 24 bytes from
 * the session on for a nonce. */
static void
test_it_is_xchacha20_poly1305(void **state OVS_UNUSED)
{
    static uint8_t body[LONGEST], expected[LONGEST + SEAL_TAG_LEN];

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        const struct seal_key key = key_of(i);
        struct sealer sealer = sealer_of(&key);
        const size_t length = lengths[i];
        uint8_t *datagram = malloc(length + SEAL_OVERHEAD);
        unsigned long long int n;

        make_body(body, length);
        sealer.counter = UINT64_C(0x5152535455565758) * i;
        assert_int_equal(seal(&sealer, i, SEQ + i, body, length, datagram),
                         length + SEAL_OVERHEAD);
        crypto_aead_xchacha20poly1305_ietf_encrypt(
            expected, &n, body, length, datagram, SEAL_HEADER_LEN, NULL,
            datagram + OFS_SESSION, key.bytes);
        assert_int_equal(n, length + SEAL_TAG_LEN);
        assert_memory_equal(datagram + SEAL_HEADER_LEN, expected, n);
        free(datagram);
    }
}

static void
test_every_byte_of_the_header(void **state OVS_UNUSED)
{
    uint8_t expected[SEAL_HEADER_LEN] = {
        'S',  'E',  1,    0x77,                         /* */
        0,    0,                                        /* Key id. */
        0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, /* Session. */
        0x31, 0x32, 0x33, 0x34,                         /* Path. */
        0x41, 0x42, 0x43, 0x44,                         /* Salt. */
        0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, /* Counter. */
        0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, /* Seq. */
    };
    const struct seal_key key = key_of(3);
    struct sealer sealer = sealer_of(&key);
    uint8_t datagram[SEAL_OVERHEAD + 3];
    struct seal_header header;
    bool newer = true;

    put16(&expected[OFS_KEY_ID], key.id);
    sealer.counter = UINT64_C(0x5152535455565758);
    seal(&sealer, 0x77, SEQ, "abc", 3, datagram);
    assert_memory_equal(datagram, expected, sizeof expected);

    assert_true(seal_parse(datagram, sizeof datagram, &header, &newer));
    assert_false(newer);
    assert_int_equal(header.type, 0x77);
    assert_int_equal(header.key_id, key.id);
    assert_true(header.session == SESSION);
    assert_true(header.counter == UINT64_C(0x5152535455565758));
    assert_true(header.seq == SEQ);
    assert_ptr_equal(header.stream, datagram + OFS_SESSION);
}

static void
test_what_is_sealed_opens_in_its_place(void **state OVS_UNUSED)
{
    static uint8_t body[LONGEST];
    const struct seal_key key = key_of(9);

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        const size_t length = lengths[i];
        uint8_t *datagram = make_sealed(&key, length);
        const struct seal_subkey subkey = subkey_of(&key, datagram);
        size_t n = SIZE_MAX;

        make_body(body, length);
        if (length > 16) {
            assert_memory_not_equal(datagram + SEAL_HEADER_LEN, body, length);
        }
        assert_true(seal_open(&subkey, datagram, length + SEAL_OVERHEAD, &n));
        assert_int_equal(n, length);
        assert_memory_equal(datagram + SEAL_HEADER_LEN, body, length);
        free(datagram);
    }
}

/* What is refused. */

/* Fails the test unless 'datagram' is refused, and nothing is to be seen of
 * what was in it. */
static void
assert_refused(const struct seal_key *key, uint8_t *datagram, size_t length)
{
    const struct seal_subkey subkey = subkey_of(key, datagram);
    uint8_t *before = copy_exactly(datagram, length);
    size_t n = 12345;

    assert_false(seal_open(&subkey, datagram, length, &n));
    assert_int_equal(n, 12345);
    assert_memory_equal(datagram, before, SEAL_HEADER_LEN);
    for (size_t i = SEAL_HEADER_LEN; i < length - SEAL_TAG_LEN; i++) {
        assert_int_equal(datagram[i], 0);
    }
    assert_memory_equal(datagram + length - SEAL_TAG_LEN,
                        before + length - SEAL_TAG_LEN, SEAL_TAG_LEN);
    free(before);
}

static void
test_every_flipped_bit_is_noticed(void **state OVS_UNUSED)
{
    static const size_t some[] = { 0, 1, 64, 100 };
    const struct seal_key key = key_of(1);

    for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
        const size_t length = some[i] + SEAL_OVERHEAD;
        uint8_t *whole = make_sealed(&key, some[i]);
        const struct seal_subkey subkey = subkey_of(&key, whole);
        size_t n;

        for (size_t bit = 0; bit < 8 * length; bit++) {
            uint8_t *datagram = copy_exactly(whole, length);

            datagram[bit / 8] ^= 1 << bit % 8;
            assert_refused(&key, datagram, length);

            /* Also with the key of the stream that it was of. */
            memcpy(datagram, whole, length);
            datagram[bit / 8] ^= 1 << bit % 8;
            assert_false(seal_open(&subkey, datagram, length, &n));
            free(datagram);
        }
        assert_true(seal_open(&subkey, whole, length, &n));
        free(whole);
    }
}

static void
test_every_truncated_length(void **state OVS_UNUSED)
{
    const struct seal_key key = key_of(1);
    uint8_t *datagram = make_sealed(&key, 100);

    for (size_t length = 0; length < 100 + SEAL_OVERHEAD; length++) {
        uint8_t *cut = copy_exactly(datagram, length);
        struct seal_header header;
        bool newer;

        assert_int_equal(seal_parse(cut, length, &header, &newer),
                         length >= SEAL_OVERHEAD);
        assert_false(newer);
        if (length >= SEAL_OVERHEAD) {
            assert_refused(&key, cut, length);
        }
        free(cut);
    }
    free(datagram);
}

/* Nor may there be more. */
static void
test_bytes_that_were_appended(void **state OVS_UNUSED)
{
    const struct seal_key key = key_of(1);
    uint8_t *datagram = make_sealed(&key, 100);

    for (size_t n = 1; n < 40; n++) {
        uint8_t longer[200] = { 0 };

        memcpy(longer, datagram, 100 + SEAL_OVERHEAD);
        assert_refused(&key, longer, 100 + SEAL_OVERHEAD + n);
    }
    free(datagram);
}

static void
test_another_key_does_not_open(void **state OVS_UNUSED)
{
    const struct seal_key key = key_of(1);

    for (size_t bit = 0; bit < 8 * SEAL_KEY_LEN; bit++) {
        uint8_t *datagram = make_sealed(&key, 50);
        struct seal_key other = key;

        other.bytes[bit / 8] ^= 1 << bit % 8;
        assert_refused(&other, datagram, 50 + SEAL_OVERHEAD);
        free(datagram);
    }
}

/* Headers. */

static void
test_versions(void **state OVS_UNUSED)
{
    const struct seal_key key = key_of(1);
    uint8_t *datagram = make_sealed(&key, 0);

    for (unsigned int version = 0; version <= UINT8_MAX; version++) {
        datagram[OFS_VERSION] = version;
        for (size_t length = 2; length <= SEAL_OVERHEAD; length++) {
            uint8_t *copy = copy_exactly(datagram, length);
            struct seal_header header;
            bool newer;

            assert_int_equal(seal_parse(copy, length, &header, &newer),
                             version == SEAL_VERSION
                                 && length == SEAL_OVERHEAD);
            assert_int_equal(newer, version > SEAL_VERSION && length > 2);
            free(copy);
        }
    }
    free(datagram);
}

static void
test_sessions_are_not_zero(void **state OVS_UNUSED)
{
    const struct seal_key key = key_of(1);
    uint8_t *datagram = make_sealed(&key, 0);
    struct seal_header header;
    bool newer;

    for (size_t i = 0; i < 9; i++) {
        memset(datagram + OFS_SESSION, 0, 8);
        if (i < 8) {
            datagram[OFS_SESSION + i] = 1;
        }
        assert_int_equal(seal_parse(datagram, SEAL_OVERHEAD, &header, &newer),
                         i < 8);
        assert_false(newer);
    }
    free(datagram);
}

/* Keys. */

static void
test_keys_are_found_by_their_ids(void **state OVS_UNUSED)
{
    struct seal_keys keys = { .all = { key_of(1), key_of(2) }, .n = 2 };
    const uint16_t first = keys.all[0].id, second = keys.all[1].id;

    assert_int_not_equal(first, second);
    for (unsigned int id = 0; id <= UINT16_MAX; id++) {
        const struct seal_key *found = seal_keys_find(&keys, id);

        assert_ptr_equal(found, id == first    ? &keys.all[0]
                                : id == second ? &keys.all[1]
                                               : NULL);
    }
    keys.n = 1;
    assert_null(seal_keys_find(&keys, second));
    keys.n = 0;
    assert_null(seal_keys_find(&keys, first));
}

/* The id is the same each time, and another one for about every key, whichever
 * bit is another; it shows none of the key's bytes. */
static void
test_ids_follow_from_keys(void **state OVS_UNUSED)
{
    enum { N = 8 * SEAL_KEY_LEN };
    const uint8_t zeros[SEAL_KEY_LEN] = { 0 };
    struct seal_key none, keys[N];
    size_t n_same = 0;

    seal_key_set(&none, zeros);
    for (size_t i = 0; i < N; i++) {
        uint8_t bytes[SEAL_KEY_LEN] = { 0 };
        struct seal_key again;

        bytes[i / 8] = 1 << i % 8;
        seal_key_set(&keys[i], bytes);
        seal_key_set(&again, bytes);
        assert_memory_equal(keys[i].bytes, bytes, sizeof bytes);
        assert_int_equal(again.id, keys[i].id);
        n_same += keys[i].id == none.id;
        for (size_t j = 0; j < i; j++) {
            n_same += keys[j].id == keys[i].id;
        }
    }
    assert_in_range(n_same, 0, 4); /* Of 32,896 pairs. */
}

/* As it was the first time: two relays of different releases that disagree
 * about it cannot hear each other. */
static void
test_ids_do_not_change(void **state OVS_UNUSED)
{
    uint8_t bytes[SEAL_KEY_LEN], hash[crypto_generichash_BYTES];
    crypto_generichash_state hashing;
    struct seal_key key;

    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = i;
    }
    crypto_generichash_init(&hashing, (const uint8_t *) "snowrelay key id", 16,
                            sizeof hash);
    crypto_generichash_update(&hashing, bytes, sizeof bytes);
    crypto_generichash_final(&hashing, hash, sizeof hash);
    seal_key_set(&key, bytes);
    assert_int_equal(key.id, hash[0] << 8 | hash[1]);
}

/* Counting. */

static uint64_t
counter_of(const uint8_t *datagram)
{
    struct seal_header header;
    bool newer;

    assert_true(seal_parse(datagram, SEAL_OVERHEAD, &header, &newer));
    return header.counter;
}

static uint64_t
next_counter(struct sealer *sealer)
{
    uint8_t datagram[SEAL_OVERHEAD];

    seal(sealer, 1, 7, "", 0, datagram);
    return counter_of(datagram);
}

static void
test_the_counter_grows_by_one(void **state OVS_UNUSED)
{
    const struct seal_key key = key_of(1);
    struct sealer sealer = sealer_of(&key);

    for (uint64_t i = 0; i < 1000; i++) {
        assert_true(next_counter(&sealer) == i);
    }
}

static void
test_a_new_sealer_seals_nothing(void **state OVS_UNUSED)
{
    struct sealer sealer = { .counter = 0 };
    const struct seal_key key = key_of(1);

    assert_false(sealer_is_set(&sealer));
    sealer_set(&sealer, &key, SESSION, PATH, SALT);
    assert_true(sealer_is_set(&sealer));
    assert_true(sealer.counter == 0);
}

/* The same stream counts on, with whatever key, and any other begins. */
static void
test_which_streams_count_on(void **state OVS_UNUSED)
{
    static const struct {
        uint64_t session;
        uint32_t path, salt;
        uint8_t key;
        bool on;
    } all[] = {
        { SESSION, PATH, SALT, 1, true },
        { SESSION, PATH, SALT, 2, true },
        { SESSION ^ 1, PATH, SALT, 1, false },
        { SESSION ^ UINT64_C(1) << 63, PATH, SALT, 1, false },
        { SESSION, PATH ^ 1, SALT, 1, false },
        { SESSION, PATH ^ UINT32_C(1) << 31, SALT, 1, false },
        { SESSION, PATH, SALT ^ 1, 1, false },
        { SESSION, PATH, SALT ^ UINT32_C(1) << 31, 1, false },
        { SESSION ^ 1, PATH, SALT, 2, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        const struct seal_key first = key_of(1), key = key_of(all[i].key);
        struct sealer sealer = sealer_of(&first);
        uint8_t datagram[SEAL_OVERHEAD];
        size_t n;

        assert_true(next_counter(&sealer) == 0);
        assert_true(next_counter(&sealer) == 1);
        sealer_set(&sealer, &key, all[i].session, all[i].path, all[i].salt);
        assert_true(sealer.counter == (all[i].on ? 2 : 0));
        seal(&sealer, 1, 7, "", 0, datagram);
        assert_true(counter_of(datagram) == (all[i].on ? 2 : 0));

        const struct seal_subkey subkey = subkey_of(&key, datagram);
        assert_true(seal_open(&subkey, datagram, sizeof datagram, &n));
    }
}

/* What was used: a key and a nonce. */
struct used {
    uint8_t key;
    uint8_t nonce[SEAL_STREAM_LEN + 8];
};

static int
compare_used(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct used));
}

/* One sealer for each path, as the peers of one relay have it, which changes
 * its key and starts anew again and again. */
static void
test_no_nonce_comes_twice(void **state OVS_UNUSED)
{
    enum { N = 60000, PATHS = 5 };
    static struct sealer sealers[PATHS];
    static struct used used[N];
    uint64_t session = 1, last_session = 1;
    const uint32_t salt = SALT;
    uint32_t seed = 77;
    uint8_t key = 1;

    memset(sealers, 0, sizeof sealers);
    for (size_t i = 0; i < N; i++) {
        const struct seal_key k = key_of(key);
        size_t path = next_random(&seed) % PATHS;
        uint8_t datagram[SEAL_OVERHEAD];

        switch (next_random(&seed) % 1000) {
        case 0: key = 1 + next_random(&seed) % 3; break;
        case 1: session = ++last_session; break;
        default: break;
        }
        if (!sealer_is_set(&sealers[path]) || next_random(&seed) % 2) {
            sealer_set(&sealers[path], &k, session, path + 1, salt);
        }
        seal(&sealers[path], 1, next_random(&seed), "", 0, datagram);

        /* Which key it was sealed with tells its id. */
        used[i].key = 0;
        for (uint8_t j = 1; j <= 3; j++) {
            const struct seal_key candidate = key_of(j);

            if (candidate.id
                == (datagram[OFS_KEY_ID] << 8 | datagram[OFS_KEY_ID + 1])) {
                used[i].key = j;
            }
        }
        assert_int_not_equal(used[i].key, 0);
        memcpy(used[i].nonce, datagram + OFS_SESSION, sizeof used[i].nonce);
    }
    assert_true(last_session > N / 2000);
    qsort(used, N, sizeof *used, compare_used);
    for (size_t i = 1; i < N; i++) {
        assert_int_not_equal(compare_used(&used[i - 1], &used[i]), 0);
    }
}

static int
set_up(void **state OVS_UNUSED)
{
    seal_init();
    seal_init(); /* As often as one likes. */
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_xchacha20_poly1305),
        cmocka_unit_test(test_every_byte_of_the_header),
        cmocka_unit_test(test_what_is_sealed_opens_in_its_place),
        cmocka_unit_test(test_every_flipped_bit_is_noticed),
        cmocka_unit_test(test_every_truncated_length),
        cmocka_unit_test(test_bytes_that_were_appended),
        cmocka_unit_test(test_another_key_does_not_open),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_sessions_are_not_zero),
        cmocka_unit_test(test_keys_are_found_by_their_ids),
        cmocka_unit_test(test_ids_follow_from_keys),
        cmocka_unit_test(test_ids_do_not_change),
        cmocka_unit_test(test_the_counter_grows_by_one),
        cmocka_unit_test(test_a_new_sealer_seals_nothing),
        cmocka_unit_test(test_which_streams_count_on),
        cmocka_unit_test(test_no_nonce_comes_twice),
    };
    return cmocka_run_group_tests_name("seal", tests, set_up, NULL);
}
