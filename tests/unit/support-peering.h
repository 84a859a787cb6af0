/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SUPPORT_PEERING_H
#define SNOWRELAY_SUPPORT_PEERING_H 1

/* Relays on a network that is simulated here, for the tests of the peering.
 *
 * The mesh, the host and the resolver are mocks: what a relay says goes into a
 * list of datagrams under way, and comes out of it late, twice, in another
 * order or not at all, as 'net' has it.  Each node may be a relay, with a
 * clock that shows what it likes, or just an address.  The clock of all is the
 * network's, so that minutes pass in no time: run_for() has everybody live on.
 * Frames are numbered, and it is checked of each that it counts once.  Nodes
 * that have keys seal what they say; nobody is kept from looking into it here.
 */

#include "support-resolver.h"

#include "conf.h"
#include "hello.h"
#include "host.h"
#include "mesh.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "random.h"
#include "remotes.h"
#include "seal.h"
#include "util.h"
#include "wire.h"

enum {
    N_NODES = 6,
    MESH_PORT = 7124,
    MAX_SAID = 4096,
    MAX_FRAMES = 65536,
    MAX_WAYS = 2,
    N_KEYS = 3,

    /* Of the frames sent here: their number and nothing else. */
    FRAME_LEN = sizeof(uint32_t)
};

/* What a relay said, and when, by its clock. */
struct said {
    long long int when;
    struct endpoint to;
    enum wire_kind kind;
    uint64_t session;
    uint64_t seq;
    struct hello hello; /* Of a hello. */
};

/* Mock. */
struct host {
    struct host_address addresses[2];
    size_t n;
};

/* Mock.  Belongs to one node. */
struct mesh {
    struct endpoint local;
    bool ipv4, ipv6; /* What it sends to. */
    size_t node;
    size_t n_unsent; /* Said since mesh_flush(): the last flights. */
};

/* Another address that leads to a node. */
struct way {
    struct endpoint address;
    struct endpoint source; /* Where datagrams to it come from, if its port is
                             * not 0. */
    long long int delay;    /* us, more than to the node's first address. */
};

/* One end of the network: a relay, or what else a test makes of it. */
struct node {
    struct endpoint address; /* Where it is sent to. */
    struct endpoint source;  /* Where its datagrams come from. */
    struct way ways[MAX_WAYS];
    size_t n_ways;
    struct host host;
    struct mesh mesh;
    struct config config;
    struct subnet accept;
    struct eth_addr mac;
    uint64_t id;
    long long int ahead; /* How much its clock shows more, us. */

    struct peering *peering; /* NULL while it does not run. */
    unsigned int life;       /* How often it has started. */

    struct said said[MAX_SAID]; /* The first ones. */
    size_t n_said;
    size_t n_bytes_said;
    size_t n_frames; /* Judged to be looked at. */
    size_t n_drops[N_DROP_REASONS];
    uint8_t seen[MAX_FRAMES]; /* What of each frame came, see 'enum seen'. */
};

/* What a node has of a frame in our own format. */
enum seen { SEEN_COME = 1 << 0, SEEN_TAKEN = 1 << 1 };

/* A datagram under way. */
struct flight {
    long long int arrival; /* LLONG_MAX until mesh_flush(). */
    uint64_t order;
    struct endpoint from, to;
    uint8_t bytes[MESH_MAX_MESSAGE];
    size_t length;
};

static struct node nodes[N_NODES];

static struct {
    long long int now; /* us */
    uint32_t seed;
    long long int delay[N_NODES][N_NODES]; /* us, from and to */
    bool cut[N_NODES][N_NODES];
    unsigned int jitter;     /* us, at most, besides 'delay'. */
    unsigned int loss, dups; /* Percent. */

    struct flight *flights;
    size_t n_flights, allocated;
    uint64_t n_sent;

    /* Who sent each frame, and in which life. */
    size_t frame_sender[MAX_FRAMES];
    unsigned int frame_life[MAX_FRAMES];
    unsigned int frame_lives[MAX_FRAMES][N_NODES]; /* Of all others, then. */
    uint32_t n_frames;

    /* Is all that is sent recorded, whether it arrives or not? */
    bool records;
    struct flight *records_all;
    size_t n_records, allocated_records;
} net;

/* Those that nodes may have. */
static struct seal_key mesh_keys[N_KEYS];

/* The network. */

static struct endpoint
endpoint_of(const char *text)
{
    struct endpoint e = { .port = MESH_PORT };

    assert_true(address_from_text(text, &e.address));
    return e;
}

/* A node's clock. */
static long long int
clock_us(size_t i)
{
    return net.now + nodes[i].ahead;
}

static inline long long int
clock_ms(size_t i)
{
    return clock_us(i) / 1000;
}

/* Returns the other address of node 'i' that 'address' is, or NULL. */
static const struct way *
find_way(size_t i, const struct endpoint *address)
{
    for (size_t k = 0; k < nodes[i].n_ways; k++) {
        if (endpoint_equal(&nodes[i].ways[k].address, address)) {
            return &nodes[i].ways[k];
        }
    }
    return NULL;
}

/* Returns the node that is sent to at 'address', N_NODES if there is none. */
static size_t
node_at(const struct endpoint *address)
{
    size_t i = 0;

    while (i < N_NODES && !endpoint_equal(&nodes[i].address, address)
           && !find_way(i, address)) {
        i++;
    }
    return i;
}

static struct flight *
add_flight(size_t i, const struct endpoint *to, const void *bytes,
           size_t length)
{
    if (net.n_flights == net.allocated) {
        net.allocated = 2 * net.allocated + 64;
        net.flights =
            xrealloc(net.flights, net.allocated * sizeof *net.flights);
    }

    struct flight *f = &net.flights[net.n_flights++];
    assert_in_range(length, 0, sizeof f->bytes);
    f->arrival = LLONG_MAX;
    f->order = net.n_sent++;
    f->from = nodes[i].source;
    f->to = *to;
    memcpy(f->bytes, bytes, length);
    f->length = length;
    return f;
}

/* Notes a datagram that is sent. */
static void
record(const struct flight *f)
{
    if (!net.records) {
        return;
    }
    if (net.n_records == net.allocated_records) {
        net.allocated_records = 2 * net.allocated_records + 64;
        net.records_all = xrealloc(
            net.records_all, net.allocated_records * sizeof *net.records_all);
    }
    net.records_all[net.n_records++] = *f;
}

/* Returns true in 'percent' of the cases. */
static bool
happens(unsigned int percent)
{
    return percent && next_random(&net.seed) % 100 < percent;
}

/* Sends the last 'n' flights on their way, from node 'i'. */
static void
take_off(size_t i, size_t n)
{
    size_t first = net.n_flights - n;

    for (size_t k = net.n_flights; k-- > first;) {
        struct flight *f = &net.flights[k];
        size_t to = node_at(&f->to);

        record(f);
        if (to == N_NODES || net.cut[i][to] || happens(net.loss)) {
            *f = net.flights[--net.n_flights];
            continue;
        }
        const struct way *way = find_way(to, &f->to);
        f->arrival = net.now + net.delay[i][to] + (way ? way->delay : 0);
        if (way && way->source.port) {
            f->from = way->source;
        }
        if (net.jitter) {
            f->arrival += next_random(&net.seed) % net.jitter;
        }
        if (happens(net.dups)) {
            const struct flight copy = *f;
            struct flight *twin =
                add_flight(i, &copy.to, copy.bytes, copy.length);

            twin->arrival = copy.arrival;
            if (net.jitter) {
                twin->arrival += next_random(&net.seed) % net.jitter;
            }
        }
    }
}

/* Mocks. */

const struct host_address *
host_addresses(const struct host *host, size_t *n)
{
    *n = host->n;
    return host->addresses;
}

const struct endpoint *
mesh_local(const struct mesh *mesh)
{
    return &mesh->local;
}

bool
mesh_sends_ipv4(const struct mesh *mesh)
{
    return mesh->ipv4;
}

bool
mesh_sends_ipv6(const struct mesh *mesh)
{
    return mesh->ipv6;
}

void
mesh_address_peer(const struct mesh *mesh, struct peer *peer)
{
    peer->ss_len =
        (mesh->ipv6 ? endpoint_to_sockaddr6(&peer->target, &peer->ss)
                    : endpoint_to_sockaddr(&peer->target, &peer->ss));
}

/* Takes apart the 'length' bytes at 'datagram', which are changed, as
 * somebody who has all keys. */
static void
look_into(uint8_t *datagram, size_t length, struct wire *w)
{
    struct seal_header header;
    struct seal_subkey subkey;
    size_t i = 0;
    bool newer;

    wire_decode(datagram, length, w);
    if (w->kind != WIRE_SEALED
        || !seal_parse(datagram, length, &header, &newer)) {
        return;
    }
    while (i < N_KEYS && mesh_keys[i].id != header.key_id) {
        i++;
    }
    if (i == N_KEYS) {
        return;
    }
    seal_derive(&mesh_keys[i], header.stream, &subkey);
    w->kind = WIRE_MALFORMED;
    if (!seal_open(&subkey, datagram, length, &w->length)) {
        return;
    }
    w->kind = wire_kind_of_type(header.type);
    w->body = datagram + SEAL_HEADER_LEN;
    w->session = header.session;
    w->seq = header.seq;
    w->key_id = header.key_id;
    if (w->kind != WIRE_FRAME) {
        assert_true(wire_pull_relay_id(w));
    }
}

/* Notes that 'node' said 'message' to 'to'. */
static void
note_said(struct node *node, const struct endpoint *to, const void *message,
          size_t length)
{
    uint8_t *copy = copy_exactly(message, length);
    struct wire w;

    look_into(copy, length, &w);
    assert_int_equal(w.datagram != NULL, node->config.keys.n > 0);
    assert_true(w.kind == WIRE_HELLO || w.kind == WIRE_BYE);
    assert_true(w.relay_id == node->id);
    assert_true(!w.datagram || w.key_id == node->config.keys.all[0].id);
    if (node->n_said < MAX_SAID) {
        struct said *said = &node->said[node->n_said];

        said->when = clock_us(node->mesh.node);
        said->to = *to;
        said->kind = w.kind;
        said->session = w.session;
        said->seq = w.seq;
        if (w.kind == WIRE_HELLO) {
            assert_true(hello_decode(w.body, w.length, &said->hello));
        } else {
            assert_int_equal(w.length, 0);
        }
    }
    node->n_said++;
    node->n_bytes_said += length;
    free(copy);
}

void
mesh_say(struct mesh *mesh, struct peer *peer, const void *message,
         size_t length)
{
    struct endpoint to;

    /* As the mesh wrote it, and for its socket. */
    assert_int_equal(peer->ss.ss_family, mesh->ipv6 ? AF_INET6 : AF_INET);
    assert_true(endpoint_from_sockaddr((struct sockaddr *) &peer->ss, &to));
    assert_true(length <= MESH_MAX_MESSAGE);
    add_flight(mesh->node, &to, message, length);
    mesh->n_unsent++;
    note_said(&nodes[mesh->node], &to, message, length);
}

void
mesh_say_to(struct mesh *mesh, const struct endpoint *to, const void *message,
            size_t length)
{
    assert_true(length <= MESH_MAX_MESSAGE);
    assert_int_equal(mesh->n_unsent, 0);
    add_flight(mesh->node, to, message, length);
    take_off(mesh->node, 1);
    note_said(&nodes[mesh->node], to, message, length);
}

void
mesh_flush(struct mesh *mesh)
{
    take_off(mesh->node, mesh->n_unsent);
    mesh->n_unsent = 0;
}

/* Nodes. */

/* Hands node 'i' the 'length' bytes at 'bytes', which come from 'from'. */
static enum peering_verdict
take_from(size_t i, const struct endpoint *from, const void *bytes,
          size_t length, bool truncated, int *reason)
{
    struct node *node = &nodes[i];
    struct mesh_datagram d = {
        .from = *from,
        .bytes = copy_exactly(bytes, length),
        .length = length,
        .truncated = truncated,
    };
    const size_t n_said = node->n_said, n_bytes = node->n_bytes_said;
    struct wire w;

    *reason = N_DROP_REASONS;
    wire_decode(d.bytes, length, &w);
    enum peering_verdict verdict =
        peering_take(node->peering, &node->mesh, &d, &w, clock_us(i), reason);
    if (verdict == PEERING_DROP) {
        assert_in_range(*reason, 1, N_DROP_REASONS - 1);
        node->n_drops[*reason]++;
    } else {
        assert_int_equal(*reason, N_DROP_REASONS);
        node->n_frames += verdict == PEERING_FRAME;
    }
    assert_int_equal(node->mesh.n_unsent, 0);

    /* Nobody gets more of us than he sends. */
    assert_in_range(node->n_said - n_said, 0, verdict == PEERING_CONTROL);
    assert_in_range(node->n_bytes_said - n_bytes, 0, length);
    free(d.bytes);
    return verdict;
}

/* Takes in that the frame 'number', in our own format or 'sealed', has come to
 * node 'i', which judged it so: it counts the first time, and only then.  A
 * sealed one does so unless the two had not met when it was sent, and it never
 * does for who has started anew since. */
static void
check_frame(size_t i, uint32_t number, bool is_sealed,
            enum peering_verdict verdict)
{
    uint8_t *seen = &nodes[i].seen[number];
    const size_t sender = net.frame_sender[number];

    if (verdict == PEERING_FRAME) {
        assert_false(*seen & SEEN_TAKEN);
        assert_true(!is_sealed || net.frame_lives[number][i] == nodes[i].life);
        *seen |= SEEN_TAKEN;
    } else if (is_sealed) {
        return;
    } else if (net.frame_life[number] == nodes[sender].life) {
        assert_true(*seen & SEEN_COME);
    }
    *seen |= SEEN_COME;
}

static void
deliver(const struct flight *f)
{
    size_t i = node_at(&f->to);
    uint8_t *copy;
    struct wire w;
    int reason;

    if (!nodes[i].peering) {
        return;
    }
    enum peering_verdict verdict =
        take_from(i, &f->from, f->bytes, f->length, false, &reason);

    copy = copy_exactly(f->bytes, f->length);
    look_into(copy, f->length, &w);
    if (w.kind == WIRE_FRAME && w.length == FRAME_LEN) {
        uint32_t number;

        memcpy(&number, w.body, sizeof number);
        check_frame(i, number, w.datagram != NULL, verdict);
    }
    free(copy);
}

/* Delivers what arrives until 'end', in the order in which it does. */
static void
deliver_until(long long int end)
{
    for (;;) {
        size_t best = SIZE_MAX;

        for (size_t k = 0; k < net.n_flights; k++) {
            const struct flight *f = &net.flights[k];

            if (f->arrival <= end
                && (best == SIZE_MAX || f->arrival < net.flights[best].arrival
                    || (f->arrival == net.flights[best].arrival
                        && f->order < net.flights[best].order))) {
                best = k;
            }
        }
        if (best == SIZE_MAX) {
            break;
        }

        const struct flight f = net.flights[best];
        net.flights[best] = net.flights[--net.n_flights];
        net.now = f.arrival;
        deliver(&f);
    }
    net.now = end;
}

static void
update(size_t i)
{
    struct node *node = &nodes[i];

    peering_update(node->peering, NULL, &node->host, &node->mesh, clock_us(i));
}

static void
run_node(size_t i)
{
    if (nodes[i].peering) {
        if (peering_wants_update(nodes[i].peering, clock_us(i))) {
            update(i);
            assert_false(peering_wants_update(nodes[i].peering, clock_us(i)));
        }
        peering_run(nodes[i].peering, &nodes[i].mesh, clock_us(i));
        assert_int_equal(nodes[i].mesh.n_unsent, 0);
    }
}

static void
run_for(unsigned int ms)
{
    while (ms--) {
        deliver_until(net.now + 1000);
        for (size_t i = 0; i < N_NODES; i++) {
            run_node(i);
        }
    }
}

static void
know(size_t i, const char *text)
{
    assert_no_error(peer_specs_add(&nodes[i].config.peers, text, true));
}

/* Has node 'i' accept datagrams from the subnet 'text'. */
static void
accept_from(size_t i, const char *text)
{
    assert_true(subnet_from_text(text, &nodes[i].accept));
    nodes[i].config.accept.all = &nodes[i].accept;
    nodes[i].config.accept.n = 1;
}

/* Gives node 'i' the 'n' of the keys that begin with the 'first'th.  One that
 * lives goes on with them. */
static inline void
give_keys(size_t i, size_t first, size_t n)
{
    struct seal_keys *keys = &nodes[i].config.keys;

    keys->n = n;
    for (size_t k = 0; k < n; k++) {
        keys->all[k] = mesh_keys[(first + k) % N_KEYS];
    }
    if (nodes[i].peering) {
        peering_configure(nodes[i].peering, &nodes[i].config);
        update(i);
    }
}

/* Starts node 'i' as a relay. */
static void
start(size_t i)
{
    struct node *node = &nodes[i];

    assert_null(node->peering);
    node->life++;
    memset(node->seen, 0, sizeof node->seen);
    node->peering = peering_create();
    peering_configure(node->peering, &node->config);
    peering_set_local_mac(node->peering, node->mac);
    peering_set_id(node->peering, node->id);
    update(i);
    run_node(i);
}

/* Ends it without a word. */
static void
stop(size_t i)
{
    peering_destroy(nodes[i].peering);
    nodes[i].peering = NULL;
}

/* Tells each of the first 'n' nodes of all of these. */
static void
introduce(size_t n)
{
    char text[ENDPOINT_TEXT_SIZE];

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            know(i, endpoint_format(&nodes[j].address, text));
        }
    }
}

/* Starts the first 'n' nodes, which know each other, and lets them meet. */
static void
start_all(size_t n)
{
    introduce(n);
    for (size_t i = 0; i < n; i++) {
        start(i);
    }
    run_for(500);
}

static int
set_up(void **state OVS_UNUSED)
{
    memset(nodes, 0, sizeof nodes);
    memset(&net, 0, sizeof net);
    mock_forget();
    net.now = 1000000;
    net.seed = 1;
    random_set_seed(1);
    seal_init();
    for (size_t i = 0; i < N_KEYS; i++) {
        uint8_t bytes[SEAL_KEY_LEN];

        memset(bytes, i + 1, sizeof bytes);
        seal_key_set(&mesh_keys[i], bytes);
    }

    for (size_t i = 0; i < N_NODES; i++) {
        struct node *node = &nodes[i];
        char text[INET6_ADDRSTRLEN];

        snprintf(text, sizeof text, "10.0.0.%" PRIuSIZE, i + 1);
        node->address = node->source = endpoint_of(text);
        node->host.addresses[0].address = node->address.address;
        node->host.n = 1;
        node->mesh.local = endpoint_of("0.0.0.0");
        node->mesh.ipv4 = node->mesh.ipv6 = true;
        node->mesh.node = i;
        node->mac = (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 00, 00);
        node->mac.ea[5] = i + 1;
        node->id = 0x100 + i;
        node->ahead = i * 1000000000000LL;

        node->config.relay_id_auto = true;
        node->config.mesh = node->mesh.local;
        node->config.hello_ms = 1000;
        node->config.ports[0] = 5076;
        node->config.ports[1] = 6000 + i;
        node->config.n_ports = 2;
        node->config.max_pps = 1000000;
        for (size_t j = 0; j < N_NODES; j++) {
            net.delay[i][j] = 1000;
        }
    }
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < N_NODES; i++) {
        stop(i);
        peer_specs_clear(&nodes[i].config.peers);
        peer_specs_clear(&nodes[i].config.discover);
    }
    free(net.flights);
    free(net.records_all);
    net.flights = net.records_all = NULL;
    return 0;
}

/* What is known of whom. */

/* Returns the session of node 'i', as its frames have it. */
static uint64_t
session_of(size_t i)
{
    uint8_t header[WIRE_HEADER_LEN];
    struct wire w;

    memcpy(header, peering_peers(nodes[i].peering)->header, sizeof header);
    wire_decode(header, sizeof header, &w);
    assert_int_equal(w.kind, WIRE_FRAME);
    return w.session;
}

/* Returns the peer of node 'i' that is sent to at 'address', or NULL. */
static struct peer *
find_peer_at(size_t i, const struct endpoint *address)
{
    struct peers *peers = peering_peers(nodes[i].peering);

    for (size_t k = 0; k < peers->n_all; k++) {
        struct peer *peer = peers->all[k];

        if (peer->n_endpoints && endpoint_equal(&peer->target, address)) {
            return peer;
        }
    }
    return NULL;
}

/* Returns what node 'i' knows of where node 'j' is. */
static struct peer *
find_peer(size_t i, size_t j)
{
    return find_peer_at(i, &nodes[j].address);
}

static struct peer *
peer_of(size_t i, size_t j)
{
    struct peer *peer = find_peer(i, j);

    assert_non_null(peer);
    return peer;
}

static void
assert_state(size_t i, size_t j, const char *state)
{
    assert_string_equal(peer_state_name(peer_of(i, j)), state);
}

/* Fails the test unless 'i' and 'j' know each other to be up. */
static void
assert_both_up(size_t i, size_t j)
{
    assert_state(i, j, "up");
    assert_state(j, i, "up");
}

static inline void
assert_reason(size_t i, size_t j, const char *reason)
{
    assert_string_equal(peer_reason(peer_of(i, j)), reason);
}

static size_t
n_targets(size_t i)
{
    return peering_peers(nodes[i].peering)->n_targets;
}

/* Returns how many hellos of node 'i' to 'to', or to anybody if that is NULL,
 * are among what it said from the 'first'th on. */
static inline size_t
n_hellos(size_t i, const struct endpoint *to, size_t first)
{
    size_t n = 0;

    assert_in_range(nodes[i].n_said, 0, MAX_SAID);
    for (size_t k = first; k < nodes[i].n_said; k++) {
        n += (nodes[i].said[k].kind == WIRE_HELLO
              && (!to || endpoint_equal(&nodes[i].said[k].to, to)));
    }
    return n;
}

/* Datagrams by hand. */

/* Sends a frame from node 'i' to everybody whom it sends frames to, each in
 * the format that it speaks, as the mesh does.  Returns its number. */
static uint32_t
send_frame(size_t i)
{
    const struct peers *peers = peering_peers(nodes[i].peering);
    uint32_t number = net.n_frames++;

    assert_true(number < MAX_FRAMES);
    net.frame_sender[number] = i;
    net.frame_life[number] = nodes[i].life;
    for (size_t k = 0; k < N_NODES; k++) {
        net.frame_lives[number][k] = nodes[k].life;
    }
    for (size_t k = 0; k < peers->n_targets; k++) {
        struct peer *peer = peers->targets[k];
        uint8_t bytes[SEAL_OVERHEAD + FRAME_LEN];
        size_t length = WIRE_SNOWSIGNAL_LEN;

        if (peers->sealed) {
            length =
                seal(&peer->sealer, WIRE_TYPE_FRAME, peer->remote->next_seq++,
                     &number, sizeof number, bytes);
            add_flight(i, &peer->target, bytes, length);
            take_off(i, 1);
            continue;
        }
        if (peer->speaks_ours) {
            length = WIRE_HEADER_LEN;
            memcpy(bytes, peers->header, length);
            wire_set_seq(bytes, peer->remote->next_seq++);
        } else {
            memcpy(bytes, WIRE_SNOWSIGNAL_MAGIC, length);
        }
        memcpy(bytes + length, &number, sizeof number);
        add_flight(i, &peer->target, bytes, length + FRAME_LEN);
        take_off(i, 1);
    }
    return number;
}

static bool
has_taken(size_t i, uint32_t number)
{
    return nodes[i].seen[number] & SEEN_TAKEN;
}

/* A datagram made here. */
struct made {
    uint8_t bytes[MESH_MAX_MESSAGE];
    size_t length;
};

/* Makes one in our own format, with 'length' bytes of 'body'. */
static struct made
make(enum wire_type type, uint64_t id, uint64_t session, uint64_t seq,
     const void *body, size_t length)
{
    struct made m = { .length = WIRE_HEADER_LEN + length };

    wire_encode_header(m.bytes, type, id, session, seq);
    if (length) {
        memcpy(m.bytes + WIRE_HEADER_LEN, body, length);
    }
    return m;
}

static inline struct made
make_hello(uint64_t id, uint64_t session, const struct hello *h)
{
    uint8_t body[HELLO_MAX_LEN];

    return make(WIRE_TYPE_HELLO, id, session, 0, body,
                hello_encode(h, body, sizeof body));
}

static struct made
make_frame(uint64_t id, uint64_t session, uint64_t seq)
{
    return make(WIRE_TYPE_FRAME, id, session, seq, "a frame", 7);
}

static struct made
make_snowsignal(void)
{
    return (struct made){ .bytes = "SSa frame", .length = 9 };
}

/* What a relay says that has heard of nobody. */
static const struct hello plain_hello = {
    .version_min = WIRE_VERSION_MIN,
    .version_max = WIRE_VERSION_MAX,
    .interval = 1000,
    .path = 1,
};

/* What node 0 says to 'peer', as it comes back to it. */
static inline struct made
make_own_hello(const struct peer *peer)
{
    struct hello h = plain_hello;

    h.path = peer->path;
    return make_hello(nodes[0].id, session_of(0), &h);
}

/* Hands 'm' to node 'i', as from 'from'. */
static enum peering_verdict
take(size_t i, const char *from, const struct made m, int *reason)
{
    const struct endpoint endpoint = endpoint_of(from);

    return take_from(i, &endpoint, m.bytes, m.length, false, reason);
}

static void
assert_taken(size_t i, const char *from, const struct made m,
             enum peering_verdict verdict)
{
    int reason;

    assert_int_equal(take(i, from, m, &reason), verdict);
}

static inline void
assert_dropped(size_t i, const char *from, const struct made m, int expected)
{
    int reason;

    assert_int_equal(take(i, from, m, &reason), PEERING_DROP);
    assert_string_equal(drop_reason_name(reason), drop_reason_name(expected));
}

/* An entry of a list of tests: all of them rest on the mocks of above. */
#define TEST(NAME)                                                            \
    {                                                                         \
#NAME "_with_a_mock_of_the_mesh", NAME, set_up, tear_down, NULL       \
    }

#endif /* support-peering.h */
