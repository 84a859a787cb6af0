/* SPDX-License-Identifier: Apache-2.0 */

/* Datagrams of a sealed mesh, and what the peering makes of them: of what is
 * sealed rightly, whatever is in it, of what is not, and of what comes again.
 *
 * An input is a list of what happens, see 'enum event', each with what it
 * needs.  The mesh, the host and the resolver are played here, as in the unit
 * tests of the peering, and the clock is made up.  The keys are known, so that
 * what is behind the seal is reached. */

#include <config.h>
#include "fuzz.h"

#include <sodium.h>

#include "conf.h"
#include "counters.h"
#include "hello.h"
#include "host.h"
#include "mesh.h"
#include "packets.h"
#include "peering-private.h"
#include "peering.h"
#include "resolver.h"
#include "seal.h"
#include "wire.h"

enum event {
    /* Up to here: a sealed datagram, with these bits of 'enum how'.  Its time,
     * its stream, its type, its key, and a length and so many bytes follow. */
    LAST_SEALED = 15,

    RAW,    /* Its time, its sender, and a length and so many bytes. */
    BROKEN, /* The last one again, with another bit. */
    AGAIN,  /* An earlier one, from anywhere: which, and the sender. */
    TIME,   /* Time. */
    KEYS,   /* Which ones. */
    LEAVES, /* Nothing. */
    N_EVENTS
};

/* How a datagram is sealed. */
enum {
    ECHOES = 1 << 0,   /* A hello is made to echo one of ours. */
    HAS_ID = 1 << 1,   /* The right relay id is put in front of the bytes. */
    IS_OURS = 1 << 2,  /* The relay id is made to be our own. */
    IS_HELLO = 1 << 3, /* The bytes are put behind a hello's fixed part. */
};

enum {
    MESH_PORT = 7124,
    N_KEYS = 3,
    N_SENDERS = 6,
    N_KEPT = 64,
    MAX_PATHS = 64,
    MAX_BYTES = 600
};

static const char *const peers[] = { "192.0.2.1", "192.0.2.2", "2001:db8::1",
                                     "192.0.2.9" };

/* Peers, one that nobody knows, this host, and one to accept from. */
static const char *const senders[N_SENDERS] = {
    "192.0.2.1",   "192.0.2.2", "2001:db8::1",
    "203.0.113.1", "192.0.2.9", "198.51.100.7"
};

/* Which keys there are, by turns: the first one seals. */
static const uint8_t key_sets[][2] = {
    { 0, 1 }, { 1, 0 }, { 0, 0 }, { 1, 2 }
};

struct host {
    struct host_address address;
};

struct mesh {
    struct endpoint local;
};

/* A datagram that came. */
struct kept {
    uint8_t bytes[SEAL_OVERHEAD + WIRE_RELAY_ID_LEN + 64 + MAX_BYTES];
    size_t length;
    struct endpoint from;
    bool is_sealed; /* Rightly, with 'key'. */
    size_t key;
};

static struct host host;
static struct mesh mesh;
static struct subnet accepted;
static struct seal_key keys[N_KEYS];
static struct config config;
static struct peering *p;
static long long int now_us;

static struct sealer sealers[256];
static struct kept kept[N_KEPT];
static size_t n_kept;

/* What was said. */
static size_t n_said, n_bytes_said, n_unsent;
static uint64_t next_counters[MAX_PATHS + 1];
static uint64_t last_timestamp;
static uint32_t last_path;

/* Others' functions. */

const struct resolution *
resolver_get(const struct resolver *resolver OVS_UNUSED,
             const char *name OVS_UNUSED)
{
    static const struct resolution nothing;

    return &nothing;
}

const struct host_address *
host_addresses(const struct host *h, size_t *n)
{
    *n = 1;
    return &h->address;
}

const struct endpoint *
mesh_local(const struct mesh *m)
{
    return &m->local;
}

bool
mesh_sends_ipv4(const struct mesh *m OVS_UNUSED)
{
    return true;
}

bool
mesh_sends_ipv6(const struct mesh *m OVS_UNUSED)
{
    return true;
}

void
mesh_address_peer(const struct mesh *m OVS_UNUSED, struct peer *peer)
{
    peer->ss_len = endpoint_to_sockaddr6(&peer->target, &peer->ss);
}

/* Checks what is said: sealed with the first key, of a stream that counts. */
static void
check_said(const void *message, size_t length)
{
    const struct seal_key *key = &config.keys.all[0];
    uint8_t *copy = copy_exactly(message, length);
    struct seal_header header;
    struct seal_subkey subkey;
    struct hello h;
    struct wire w;
    bool newer;

    CHECK(length <= MESH_MAX_MESSAGE);
    wire_decode(copy, length, &w);
    CHECK(w.kind == WIRE_SEALED);
    CHECK(seal_parse(copy, length, &header, &newer));
    CHECK(header.key_id == key->id);
    CHECK(header.session == peering_session(p));
    seal_derive(key, header.stream, &subkey);
    CHECK(seal_open(&subkey, copy, length, &w.length));
    w.body = copy + SEAL_HEADER_LEN;
    CHECK(wire_pull_relay_id(&w) && w.relay_id == peering_id(p));
    CHECK(header.type == WIRE_TYPE_HELLO || header.type == WIRE_TYPE_BYE);
    if (header.type == WIRE_TYPE_HELLO) {
        CHECK(hello_decode(w.body, w.length, &h));
        last_timestamp = h.timestamp;
        last_path = h.path;
    }

    /* No number comes twice. */
    uint32_t path = 0;
    for (size_t i = 8; i < 12; i++) {
        path = path << 8 | header.stream[i];
    }
    CHECK(path);
    if (path < MAX_PATHS || path == PEERS_NO_PATH) {
        uint64_t *next = &next_counters[MIN(path, MAX_PATHS)];

        CHECK(header.counter >= *next);
        *next = header.counter + 1;
    }
    free(copy);
    n_said++;
    n_bytes_said += length;
}

void
mesh_say(struct mesh *m OVS_UNUSED, struct peer *peer, const void *message,
         size_t length)
{
    CHECK(peer_is_greeted(peer));
    check_said(message, length);
    n_unsent++;
}

void
mesh_say_to(struct mesh *m OVS_UNUSED, const struct endpoint *to OVS_UNUSED,
            const void *message, size_t length)
{
    CHECK(!n_unsent);
    check_said(message, length);
}

void
mesh_flush(struct mesh *m OVS_UNUSED)
{
    n_unsent = 0;
}

/* Checks. */

static void
check_peering(void)
{
    const struct peers *all = peering_peers(p);

    CHECK(!n_unsent && all->sealed);
    CHECK(hmap_count(&p->streams.by_id) <= STREAMS_MAX);
    for (size_t i = 0; i < all->n_all; i++) {
        const struct peer *peer = all->all[i];

        CHECK(peer_state_name(peer)[0] && peer_reason(peer)[0]);
        CHECK(peer->liveness.state != LIVENESS_SNOWSIGNAL);
        if (peer->remote) {
            CHECK(remotes_find(&p->remotes, peer->remote->id) == peer->remote);
        }
    }
    for (size_t i = 0; i < all->n_targets; i++) {
        const struct peer *peer = all->targets[i];

        CHECK(peer->remote && peer->remote->version);
        CHECK(liveness_is_heard(&peer->liveness));
        CHECK(sealer_is_set(&peer->sealer));
        for (size_t j = 0; j < i; j++) {
            CHECK(all->targets[j]->remote != peer->remote);
        }
    }
}

/* Returns true if this relay has the key with the number 'key'. */
static bool
has_key(size_t key)
{
    return seal_keys_find(&config.keys, keys[key].id) != NULL;
}

/* Hands 'k' over, and checks what becomes of it.  Returns the verdict. */
static enum peering_verdict
take_once(const struct kept *k)
{
    const size_t n_streams = hmap_count(&p->streams.by_id);
    const size_t n_remotes = hmap_count(&p->remotes.by_id);
    struct mesh_datagram d = {
        .from = k->from,
        .bytes = copy_exactly(k->bytes, k->length),
        .length = k->length,
    };
    int reason = -1;
    struct wire w;

    n_said = n_bytes_said = 0;
    wire_decode(d.bytes, d.length, &w);
    const bool is_sealed = w.kind == WIRE_SEALED;
    enum peering_verdict verdict =
        peering_take(p, &mesh, &d, &w, now_us, &reason);

    if (verdict == PEERING_DROP) {
        CHECK(reason > 0 && reason < N_DROP_REASONS);
        CHECK(hmap_count(&p->remotes.by_id) <= n_remotes + 1);
    } else {
        CHECK(reason == -1);
        CHECK(k->is_sealed && has_key(k->key));
    }
    CHECK(is_sealed || reason == DROP_UNSEALED);
    CHECK(reason != DROP_UNSEALED || !is_sealed);
    CHECK(reason != DROP_UNKNOWN_SENDER && reason != DROP_SEALED);
    if (verdict == PEERING_FRAME) {
        CHECK(w.kind == WIRE_FRAME && w.stream);
        CHECK(w.length == k->length - SEAL_OVERHEAD);
    }
    if (!k->is_sealed || !has_key(k->key)) {
        CHECK(!n_said);
        CHECK(hmap_count(&p->streams.by_id) == n_streams);
        CHECK(hmap_count(&p->remotes.by_id) == n_remotes);
    }
    CHECK(n_said <= (verdict == PEERING_CONTROL && w.kind == WIRE_HELLO));
    CHECK(n_bytes_said <= k->length);
    free(d.bytes);
    check_peering();
    return verdict;
}

/* The same, and twice: what is of an accepted stream has come before then. */
static void
take(const struct kept *k)
{
    const size_t n_streams = hmap_count(&p->streams.by_id);
    enum peering_verdict verdict = take_once(k);

    if (verdict == PEERING_FRAME
        || hmap_count(&p->streams.by_id) > n_streams) {
        CHECK(take_once(k) == PEERING_DROP);
    }
}

/* Datagrams. */

static struct endpoint
sender(uint8_t who)
{
    struct endpoint e = { .port = MESH_PORT };

    CHECK(address_from_text(senders[who % N_SENDERS], &e.address));
    return e;
}

static struct kept *
next_kept(uint8_t who)
{
    struct kept *k = &kept[n_kept++ % N_KEPT];

    memset(k, 0, sizeof *k);
    k->from = sender(who);
    return k;
}

/* Writes a hello, which echoes one of ours if it 'echoes', to 'body', of
 * HELLO_MAX_LEN bytes.  Returns its length. */
static size_t
make_hello(uint8_t *body, uint8_t stream, bool echoes, bool answer)
{
    struct hello h = {
        .version_min = WIRE_VERSION_MIN,
        .version_max = WIRE_VERSION_MAX,
        .answer = answer,
        .answers = stream & 0x40,
        .interval = 1000,
        .timestamp = now_us,
        .path = 1 + (stream & 7),
    };

    if (echoes) {
        h.echo_session = peering_session(p);
        h.echo_path = last_path;
        h.echo_timestamp = last_timestamp;
    }
    return hello_encode(&h, body, HELLO_MAX_LEN);
}

/* A stream is of one of four relays, in one of two sessions, by one of eight
 * paths. */
static void
take_sealed(struct input *in, uint8_t how)
{
    const uint8_t stream = take8(in), type = take8(in), key = take8(in);
    struct kept *k = next_kept(stream);
    uint8_t body[WIRE_RELAY_ID_LEN + HELLO_MAX_LEN + MAX_BYTES];
    size_t n = 0, taken;

    if (how & (HAS_ID | IS_OURS)) {
        wire_encode_relay_id(body, how & IS_OURS ? peering_id(p)
                                                 : 100 + (stream >> 3 & 3));
        n += WIRE_RELAY_ID_LEN;
    }
    if (how & IS_HELLO) {
        n += make_hello(body + n, stream, how & ECHOES, type & 0x80);
    }
    const size_t wanted = take16(in);
    const uint8_t *bytes =
        take_bytes(in, MIN(wanted, MAX_BYTES - HELLO_MAX_LEN), &taken);
    if (taken) {
        memcpy(body + n, bytes, taken);
    }
    n += taken;

    k->key = key % N_KEYS;
    k->is_sealed = true;
    sealer_set(&sealers[stream], &keys[k->key], 1 + (stream >> 3), stream & 7,
               7);
    k->length =
        seal(&sealers[stream], how & IS_HELLO ? WIRE_TYPE_HELLO : type % 5,
             key >> 2, body, n, k->bytes);
    take(k);
}

static void
take_raw(struct input *in)
{
    struct kept *k = next_kept(take8(in));
    const size_t wanted = take16(in);
    const uint8_t *bytes =
        take_bytes(in, MIN(wanted, sizeof k->bytes), &k->length);

    if (k->length) {
        memcpy(k->bytes, bytes, k->length);
    }
    take(k);
}

static void
take_broken(uint16_t bit)
{
    if (n_kept) {
        struct kept k = kept[(n_kept - 1) % N_KEPT];

        if (k.length && k.is_sealed) {
            k.bytes[bit / 8 % k.length] ^= 1 << bit % 8;
            k.is_sealed = false;
            take(&k);
        }
    }
}

static void
take_again(uint8_t which, uint8_t who)
{
    if (n_kept) {
        struct kept k = kept[which % MIN(n_kept, N_KEPT)];

        k.from = sender(who);
        take(&k);
    }
}

/* What else happens. */

static void
run(void)
{
    if (peering_wants_update(p, now_us)) {
        peering_update(p, NULL, &host, &mesh, now_us);
    }
    peering_run(p, &mesh, now_us);
    check_peering();
}

static void
pass(uint8_t time)
{
    const long long int ms = time * time;

    for (int i = 0; i < 8; i++) {
        now_us += ms * 1000 / 8;
        run();
    }
}

static void
set_keys(uint8_t which)
{
    const uint8_t *set = key_sets[which % ARRAY_SIZE(key_sets)];

    config.keys.n = set[0] == set[1] ? 1 : 2;
    for (size_t i = 0; i < config.keys.n; i++) {
        config.keys.all[i] = keys[set[i]];
    }
    peering_configure(p, &config);
    peering_update(p, NULL, &host, &mesh, now_us);
}

static void
happen(struct input *in)
{
    const uint8_t event = take8(in) % N_EVENTS;

    if (event <= LAST_SEALED) {
        pass(take8(in));
        take_sealed(in, event);
        return;
    }
    switch (event) {
    case RAW:
        pass(take8(in));
        take_raw(in);
        break;
    case BROKEN: take_broken(take16(in)); break;
    case AGAIN: {
        const uint8_t which = take8(in);

        take_again(which, take8(in));
        break;
    }
    case TIME: pass(take8(in)); break;
    case KEYS:
        set_keys(take8(in));
        run();
        break;
    case LEAVES: peering_leave(p, &mesh); break;
    default: CHECK(false);
    }
    check_peering();
}

/* What libsodium draws, the same each time. */

static const char *
random_name(void)
{
    return "the same each time";
}

static uint32_t
random_number(void)
{
    return random_uint32();
}

static void
set_up(void)
{
    static struct randombytes_implementation same = {
        .implementation_name = random_name,
        .random = random_number,
        .buf = random_bytes,
    };

    randombytes_set_implementation(&same);
    seal_init();
    for (size_t i = 0; i < N_KEYS; i++) {
        uint8_t bytes[SEAL_KEY_LEN];

        memset(bytes, i + 1, sizeof bytes);
        seal_key_set(&keys[i], bytes);
    }
    CHECK(address_from_text("192.0.2.9", &host.address.address));
    CHECK(address_from_text("0.0.0.0", &mesh.local.address));
    mesh.local.port = MESH_PORT;
    CHECK(subnet_from_text("198.51.100.0/24", &accepted));
    config.mesh = mesh.local;
    config.relay_id_auto = true;
    config.hello_ms = 1000;
    config.ports[0] = 5076;
    config.n_ports = 1;
    config.max_pps = 1000000; /* Real time plays no part. */
    config.accept.all = &accepted;
    config.accept.n = 1;
    for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
        CHECK(!peer_specs_add(&config.peers, peers[i], false));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input in = { bytes, length };

    fuzz_begin();
    if (!config.n_ports) {
        set_up();
    }
    now_us = 1000000000;
    n_kept = n_said = n_bytes_said = n_unsent = 0;
    last_timestamp = last_path = 0;
    memset(next_counters, 0, sizeof next_counters);
    memset(sealers, 0, sizeof sealers);

    p = peering_create();
    set_keys(take8(&in));
    peering_set_local_mac(
        p, (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 00, 09));
    peering_set_id(p, 9);
    run();
    while (in.left) {
        happen(&in);
    }
    peering_destroy(p);
    return 0;
}
