/* SPDX-License-Identifier: Apache-2.0 */

/* Datagrams of the mesh, in SnowSignal's format and in our own, whoever they
 * come from and whenever, and what the peering makes of them.
 *
 * An input is a list of what happens, see 'enum event', each with what it
 * needs.  The mesh, the host and the resolver are played here, as in the unit
 * tests of the peering, and the clock is made up.
 *
 * What is behind the mesh's own code, the frame, is fuzz-frame's. */

#include <config.h>
#include "fuzz.h"

#include "conf.h"
#include "counters.h"
#include "hello.h"
#include "host.h"
#include "mesh.h"
#include "packets.h"
#include "peering-private.h"
#include "peering.h"
#include "resolver.h"
#include "wire.h"

enum event {
    /* Up to here: a datagram.  Its time, its sender, a length and so many
     * bytes follow. */
    LAST_DATAGRAM = 7,

    TIME,          /* Time. */
    SEGMENT,       /* Which of the peers' relays are on it. */
    CROWD,         /* How many relays, more than fit from ALL on, and from
                    * which id on. */
    CONFIGURATION, /* Which one. */
    FORGOTTEN,     /* Whose MACs. */
    ROLE,          /* Which one. */
    LEAVES,        /* Nothing. */
    N_EVENTS
};

/* Of a datagram, as bits of its event. */
enum {
    ECHOES = 1 << 0, /* A hello is made to echo one of ours. */
    TRUNCATED = 1 << 1,
    IS_OURS = 1 << 2 /* The relay id is made to be our own. */
};

enum {
    MESH_PORT = 7124,
    ALL = 250,
    MAX_CROWD = REMOTES_MAX + 500,

    /* As in the peering: at most so many answers to a peer in so many ms, and
     * in any so many ms at most twice as many. */
    MAX_ANSWERS = 16,
    ANSWERS_MS = 500,
    MAX_PATHS = 256
};

/* Peers, those with ports besides, in each configuration. */
static const char *const configurations[][6] = {
    { "192.0.2.1", "192.0.2.2", "192.0.2.3:7125", "2001:db8::1", "192.0.2.9" },
    { "192.0.2.1", "192.0.2.1:7125", "192.0.2.2", "192.0.2.4", "relay-b" },
    { "192.0.2.3" },
    { NULL },
};

/* Who may send: peers, some of them from other ports, one to accept from, one
 * that nobody knows, and this host. */
static const struct {
    const char *address;
    uint16_t port;
} senders[] = {
    { "192.0.2.1", 7124 },    { "192.0.2.2", 7124 }, { "192.0.2.3", 7125 },
    { "2001:db8::1", 7124 },  { "192.0.2.1", 7125 }, { "192.0.2.2", 40000 },
    { "198.51.100.7", 7124 }, { "203.0.113.1", 9 },  { "192.0.2.9", 7124 },
};

struct host {
    struct host_address address;
};

struct mesh {
    struct endpoint local;
};

static struct host host;
static struct mesh mesh;
static struct subnet accepted;
static struct config configs[ARRAY_SIZE(configurations)];
static struct peering *p;
static long long int now_us;
static size_t n_crowd;

/* What is said while a datagram is taken, and to whom last; and when each peer
 * was answered. */
static size_t n_said, n_unsent;
static const struct peer *said_to;
static struct {
    uint32_t path;
    size_t n;
    long long int when[2 * MAX_ANSWERS]; /* ms. */
} answers[MAX_PATHS];

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

void
mesh_say(struct mesh *m OVS_UNUSED, struct peer *peer, const void *message,
         size_t length)
{
    uint8_t *copy = copy_exactly(message, length);
    struct hello h;
    struct wire w;

    CHECK(length <= MESH_MAX_MESSAGE);
    CHECK(peer_is_greeted(peer));
    wire_decode(copy, length, &w);
    CHECK(w.kind == WIRE_BYE || w.kind == WIRE_HELLO);
    CHECK(w.kind == WIRE_BYE || hello_decode(w.body, w.length, &h));
    CHECK(w.relay_id == peering_id(p) && w.session == peering_session(p));
    free(copy);
    n_said++;
    n_unsent++;
    said_to = peer;
}

/* Without a key nobody is answered who is no peer. */
void
mesh_say_to(struct mesh *m OVS_UNUSED, const struct endpoint *to OVS_UNUSED,
            const void *message OVS_UNUSED, size_t length OVS_UNUSED)
{
    CHECK(false);
}

void
mesh_flush(struct mesh *m OVS_UNUSED)
{
    n_unsent = 0;
}

/* Checks. */

static bool
is_peer(const struct peer *peer)
{
    for (size_t i = 0; i < p->peers.n_all; i++) {
        if (p->peers.all[i] == peer) {
            return true;
        }
    }
    return false;
}

static void
check_peers(void)
{
    const struct peers *peers = peering_peers(p);

    for (size_t i = 0; i < peers->n_all; i++) {
        const struct peer *peer = peers->all[i];

        CHECK(peer_state_name(peer)[0] && peer_format_name(peer)[0]);
        CHECK(peer_reason(peer));
        if (peer_is_greeted(peer)) {
            CHECK(peers_by_path(peers, peer->path) == peer);
        }
        if (peer->remote) {
            CHECK(remotes_find(&p->remotes, peer->remote->id) == peer->remote);
        }
    }
    CHECK(peers->n_targets <= peers->n_all);
    for (size_t i = 0; i < peers->n_targets; i++) {
        const struct peer *peer = peers->targets[i];

        CHECK(is_peer(peer) && peer->role == PEER_OTHER);
        CHECK(!peer_is_on_segment(peer));
        CHECK(!peer->speaks_ours || peer->remote);
        for (size_t j = 0; j < i; j++) {
            CHECK(peers->targets[j] != peer);
            CHECK(!peer->remote || peers->targets[j]->remote != peer->remote);
        }
    }
}

static void
check_remotes(void)
{
    const struct remote *remote;

    CHECK(hmap_count(&p->remotes.by_id) <= REMOTES_MAX);
    if (hmap_count(&p->remotes.by_id) > 64) {
        return; /* It would take too long. */
    }
    HMAP_FOR_EACH (remote, node, &p->remotes.by_id) {
        CHECK(remote->id && remote->session);
        CHECK(remote->n_macs <= HELLO_MAX_MACS);
        CHECK(remote->n_ports <= HELLO_MAX_PORTS);
        CHECK(remote->version <= WIRE_VERSION_MAX);
        CHECK(!remote->peer
              || (is_peer(remote->peer) && remote->peer->remote == remote));
    }
}

static void
check_macs(void)
{
    if (peering_macs_changed(p, now_us)) {
        size_t n;
        const struct eth_addr *macs = peering_macs(p, &n);

        for (size_t i = 0; i < n; i++) {
            CHECK(!eth_addr_is_zero(macs[i])
                  && !eth_addr_is_multicast(macs[i]));
            for (size_t j = 0; j < i; j++) {
                CHECK(!eth_addr_equals(macs[i], macs[j]));
            }
        }
    }
}

static void
check_peering(void)
{
    CHECK(!n_unsent);
    check_peers();
    check_remotes();
    check_macs();
}

/* Notes that 'peer' was answered now. */
static void
check_answer(const struct peer *peer)
{
    const long long int now = now_us / 1000;
    const size_t i = peer->path % MAX_PATHS;
    long long int *when;

    if (answers[i].path != peer->path) {
        memset(&answers[i], 0, sizeof answers[i]);
        answers[i].path = peer->path;
    }
    when = &answers[i].when[answers[i].n % ARRAY_SIZE(answers[i].when)];
    CHECK(answers[i].n < ARRAY_SIZE(answers[i].when)
          || now - *when >= ANSWERS_MS);
    answers[i].n++;
    *when = now;
}

/* What peers have counted. */
struct counts {
    uint64_t frames, bytes;
};

static struct counts
count(void)
{
    struct counts c = { 0, 0 };

    for (size_t i = 0; i < p->peers.n_all; i++) {
        c.frames += p->peers.all[i]->rx;
        c.bytes += p->peers.all[i]->rx_bytes;
    }
    return c;
}

/* Returns true if 'reason' is one why a frame in our own format is dropped. */
static bool
may_drop_frame(int reason)
{
    return reason == DROP_DUPLICATE || reason == DROP_SEGMENT;
}

/* Checks the verdict on the datagram 'd', in 'w', whose sender is known or
 * not. */
static void
check_verdict(const struct mesh_datagram *d, const struct wire *w,
              bool is_known, enum peering_verdict verdict, int reason)
{
    struct hello h;

    if (verdict == PEERING_DROP) {
        CHECK(reason > 0 && reason < N_DROP_REASONS);
    } else {
        CHECK(reason == -1);
    }
    bool is_own = w->kind >= WIRE_FRAME && w->relay_id == peering_id(p);

    if (!is_known && !is_own) {
        CHECK(reason == DROP_UNKNOWN_SENDER);
        return;
    } else if (d->truncated) {
        CHECK(reason == FRAME_OVERSIZE);
        return;
    } else if (is_own) {
        CHECK(reason == DROP_OWN);
        return;
    }
    switch (w->kind) {
    case WIRE_MALFORMED:
    case WIRE_OTHER: CHECK(reason == DROP_FORMAT); break;
    case WIRE_NEWER: CHECK(reason == DROP_VERSION); break;
    case WIRE_SEALED: CHECK(reason == DROP_SEALED); break;
    case WIRE_SNOWSIGNAL:
        CHECK(verdict == PEERING_FRAME || reason == DROP_SEGMENT);
        break;
    case WIRE_FRAME:
        CHECK(verdict == PEERING_FRAME || may_drop_frame(reason));
        break;
    case WIRE_HELLO:
        if (hello_decode(w->body, w->length, &h)) {
            CHECK(verdict == PEERING_CONTROL);
        } else {
            CHECK(reason == DROP_FORMAT);
        }
        break;
    case WIRE_BYE: CHECK(verdict == PEERING_CONTROL); break;
    default: CHECK(false);
    }
}

/* Datagrams. */

static struct endpoint
sender(uint8_t who)
{
    struct endpoint e = { .port = senders[who % ARRAY_SIZE(senders)].port };

    CHECK(address_from_text(senders[who % ARRAY_SIZE(senders)].address,
                            &e.address));
    return e;
}

/* Hands 'd' over, and checks what becomes of it. */
static enum peering_verdict
take_once(const struct mesh_datagram *d)
{
    const struct counts before = count();
    uint8_t *copy = copy_exactly(d->bytes, d->length);
    struct peer *peer;
    int reason = -1;
    struct wire w;

    wire_decode(d->bytes, d->length, &w);
    const bool is_known =
        peers_identify(&p->peers, &d->from, &peer) != ORIGIN_UNKNOWN;
    n_said = 0;
    enum peering_verdict verdict =
        peering_take(p, &mesh, d, &w, now_us, &reason);
    check_verdict(d, &w, is_known, verdict, reason);
    CHECK(!d->length || !memcmp(d->bytes, copy, d->length));

    /* A frame counts once, and there is one answer to a hello, if any. */
    const struct counts after = count();
    const bool is_frame = w.kind == WIRE_FRAME || w.kind == WIRE_SNOWSIGNAL;
    CHECK(after.frames - before.frames <= is_frame);
    CHECK(after.bytes - before.bytes
          <= (after.frames > before.frames ? w.length : 0));
    CHECK(n_said <= (w.kind == WIRE_HELLO && verdict == PEERING_CONTROL));
    if (n_said) {
        check_answer(said_to);
    }
    free(copy);
    check_peering();
    return verdict;
}

/* The same, and twice: a frame in our own format then has come before. */
static void
take(const struct mesh_datagram *d)
{
    struct wire w;

    wire_decode(d->bytes, d->length, &w);
    if (take_once(d) == PEERING_FRAME && w.kind == WIRE_FRAME) {
        CHECK(take_once(d) == PEERING_DROP);
    }
}

/* Has the hello 'd', if it is one, echo what was said to 'who'. */
static void
make_echo(struct mesh_datagram *d, uint8_t who)
{
    struct hello h;
    struct wire w;

    wire_decode(d->bytes, d->length, &w);
    if (w.kind != WIRE_HELLO || !hello_decode(w.body, w.length, &h)
        || !p->peers.n_all) {
        return;
    }
    h.echo_session = peering_session(p);
    h.echo_path = p->peers.all[who % p->peers.n_all]->path;
    h.echo_timestamp = now_us - 1000;
    h.held = 500;

    uint8_t *said = malloc(WIRE_HEADER_LEN + HELLO_MAX_LEN);
    wire_encode_header(said, WIRE_TYPE_HELLO, w.relay_id, w.session, w.seq);
    free(d->bytes);
    d->length = WIRE_HEADER_LEN
                + hello_encode(&h, said + WIRE_HEADER_LEN, HELLO_MAX_LEN);
    d->bytes = copy_exactly(said, d->length);
    free(said);
}

static void
take_datagram(struct input *in, uint8_t how)
{
    const uint8_t who = take8(in);
    struct mesh_datagram d = {
        .from = sender(who),
        .truncated = how & TRUNCATED,
    };
    const uint8_t *bytes = take_bytes(in, take16(in), &d.length);

    d.bytes = copy_exactly(bytes, d.length);
    if (how & ECHOES) {
        make_echo(&d, who);
    }
    if (how & IS_OURS && d.length >= WIRE_HEADER_LEN) {
        const ovs_be64 id = htonll(peering_id(p));
        memcpy(d.bytes + 6, &id, sizeof id);
    }
    take(&d);
    free(d.bytes);
}

/* Many say hello that nobody has heard of. */
static void
take_crowd(size_t n, uint64_t id)
{
    const struct hello h = {
        .version_min = WIRE_VERSION_MIN,
        .version_max = WIRE_VERSION_MAX,
        .interval = 1000,
        .path = 1,
    };

    const struct endpoint from = sender(6);

    for (size_t i = 0; i < n && n_crowd < MAX_CROWD; i++, n_crowd++) {
        uint8_t bytes[WIRE_HEADER_LEN + HELLO_MAX_LEN];
        struct mesh_datagram d = { .from = from, .bytes = bytes };
        struct wire w;
        int reason;

        wire_encode_header(bytes, WIRE_TYPE_HELLO, id + i, 1, 0);
        d.length = WIRE_HEADER_LEN
                   + hello_encode(&h, bytes + WIRE_HEADER_LEN, HELLO_MAX_LEN);
        wire_decode(bytes, d.length, &w);
        CHECK(peering_take(p, &mesh, &d, &w, now_us, &reason)
              == PEERING_CONTROL);
    }
}

/* What else happens. */

static void
run(void)
{
    if (peering_wants_update(p, now_us)) {
        peering_update(p, NULL, &host, &mesh, now_us);
        CHECK(!peering_wants_update(p, now_us));
    }
    peering_run(p, &mesh, now_us);
    check_peering();
}

/* Has time go by. */
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
configure(uint8_t which)
{
    peering_configure(p, &configs[which % ARRAY_SIZE(configurations)]);
    peering_update(p, NULL, &host, &mesh, now_us);
    run();
}

/* Makes those that 'bits' has the relays of the segment. */
static void
set_segment(uint8_t bits)
{
    uint64_t ids[8];
    size_t n = 0;

    for (size_t i = 0; i < p->peers.n_all && i < ARRAY_SIZE(ids); i++) {
        if (bits & 1 << i && p->peers.all[i]->remote) {
            ids[n++] = p->peers.all[i]->remote->id;
        }
    }
    peering_set_segment(p, ids, n);
}

static void
forget_macs(uint8_t which)
{
    const size_t n = p->peers.n_all;

    if (n && p->peers.all[which % n]->remote) {
        peering_forget_macs(p, p->peers.all[which % n]->remote->id);
    }
}

static void
happen(struct input *in)
{
    const enum event event = take8(in) % N_EVENTS;
    uint8_t byte = event == LEAVES ? 0 : take8(in);

    if (event <= LAST_DATAGRAM) {
        pass(byte);
        take_datagram(in, event);
        return;
    }
    switch (event) {
    case TIME: pass(byte); break;
    case SEGMENT: set_segment(byte); break;
    case CROWD:
        take_crowd(byte < ALL ? byte : MAX_CROWD, 1000 + take8(in) * 100);
        break;
    case CONFIGURATION: configure(byte); break;
    case FORGOTTEN: forget_macs(byte); break;
    case ROLE: peering_set_role(p, byte % RELAY_N_STATES, byte); break;
    case LEAVES: peering_leave(p, &mesh); break;
    default: CHECK(false);
    }
    check_peering();
}

static void
set_up(void)
{
    CHECK(address_from_text("192.0.2.9", &host.address.address));
    CHECK(address_from_text("0.0.0.0", &mesh.local.address));
    mesh.local.port = MESH_PORT;
    CHECK(subnet_from_text("198.51.100.0/24", &accepted));
    for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
        struct config *c = &configs[i];

        c->mesh = mesh.local;
        c->relay_id_auto = true;
        c->hello_ms = 1000;
        c->max_pps = 1000000; /* Real time plays no part. */
        c->ports[0] = 5076;
        c->n_ports = 1;
        c->accept.all = &accepted;
        c->accept.n = 1;
        for (const char *const *peer = configurations[i]; *peer; peer++) {
            CHECK(!peer_specs_add(&c->peers, *peer, false));
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input in = { bytes, length };

    fuzz_begin();
    if (!configs[0].n_ports) {
        set_up();
    }
    now_us = 1000000000;
    n_crowd = n_unsent = 0;
    memset(answers, 0, sizeof answers);

    p = peering_create();
    peering_configure(p, &configs[take8(&in) % ARRAY_SIZE(configs)]);
    peering_set_local_mac(
        p, (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 00, 09));
    peering_set_id(p, 9);
    peering_update(p, NULL, &host, &mesh, now_us);
    run();
    while (in.left) {
        happen(&in);
    }
    peering_destroy(p);
    return 0;
}
