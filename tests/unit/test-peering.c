/* SPDX-License-Identifier: Apache-2.0 */

/* Relays that find, watch and lose each other, on a network that is simulated
 * here.  The mesh and the host are mocks: what a relay says goes into a list
 * of datagrams under way, and comes out of it late, twice, in another order or
 * not at all, as the test wants it.  The clock is the network's. */

#include <config.h>
#include "peering.h"

#include "support-resolver.h"

#include <unistd.h>

#include "conf.h"
#include "hello.h"
#include "host.h"
#include "mesh.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peer-macs.h"
#include "peers.h"
#include "random.h"
#include "remotes.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"
#include "wire.h"

enum {
    N_NODES = 6,
    MESH_PORT = 7124,
    MAX_SAID = 4096,
    MAX_FRAMES = 65536,
    MAX_WAYS = 2,

    /* As in the peering: see there. */
    KEEP_MS = 8000,
    MAX_ANSWERS = 16,
    ANSWERS_MS = 500,
    RECALL_MS = 1000,

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
    size_t n_unsent; /* Said since mesh_flush(), in 'under_way'. */
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
    uint32_t n_frames;
} net;

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

static long long int
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

void
mesh_say(struct mesh *mesh, struct peer *peer, const void *message,
         size_t length)
{
    struct node *node = &nodes[mesh->node];
    uint8_t *copy = copy_exactly(message, length);
    struct endpoint to;
    struct wire w;

    /* As the mesh wrote it, and for its socket. */
    assert_int_equal(peer->ss.ss_family, mesh->ipv6 ? AF_INET6 : AF_INET);
    assert_true(endpoint_from_sockaddr((struct sockaddr *) &peer->ss, &to));
    assert_true(length <= MESH_MAX_MESSAGE);
    add_flight(mesh->node, &to, message, length);
    mesh->n_unsent++;

    wire_decode(copy, length, &w);
    assert_true(w.kind == WIRE_HELLO || w.kind == WIRE_BYE);
    assert_true(w.relay_id == node->id);
    if (node->n_said < MAX_SAID) {
        struct said *said = &node->said[node->n_said];

        said->when = clock_us(mesh->node);
        said->to = to;
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
    free(copy);
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
    free(d.bytes);
    return verdict;
}

/* Takes in that the frame 'number', in our own format, has come to node 'i',
 * which judged it so: it counts the first time, and only then. */
static void
check_frame(size_t i, uint32_t number, enum peering_verdict verdict)
{
    uint8_t *seen = &nodes[i].seen[number];
    const size_t sender = net.frame_sender[number];

    if (verdict == PEERING_FRAME) {
        assert_false(*seen & SEEN_TAKEN);
        *seen |= SEEN_TAKEN;
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
    wire_decode(copy, f->length, &w);
    if (w.kind == WIRE_FRAME && w.length == FRAME_LEN) {
        uint32_t number;

        memcpy(&number, w.body, sizeof number);
        check_frame(i, number, verdict);
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
    net.flights = NULL;
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

static bool
is_up(size_t i, size_t j)
{
    return !strcmp(peer_state_name(peer_of(i, j)), "up");
}

/* Fails the test unless 'i' and 'j' know each other to be up. */
static void
assert_both_up(size_t i, size_t j)
{
    assert_state(i, j, "up");
    assert_state(j, i, "up");
}

static void
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
static size_t
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

/* Has time go by until the clock of node 'i' shows 'ms'. */
static void
run_until(size_t i, long long int ms)
{
    assert_true(ms >= clock_ms(i));
    run_for(ms - clock_ms(i));
    assert_true(clock_ms(i) == ms);
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
    for (size_t k = 0; k < peers->n_targets; k++) {
        struct peer *peer = peers->targets[k];
        uint8_t bytes[WIRE_HEADER_LEN + FRAME_LEN];
        size_t length = WIRE_SNOWSIGNAL_LEN;

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

static struct made
make_hello(uint64_t id, uint64_t session, const struct hello *h)
{
    uint8_t body[HELLO_MAX_LEN];

    return make(WIRE_TYPE_HELLO, id, session, 0, body, hello_encode(h, body));
}

static struct made
make_frame(uint64_t id, uint64_t session, uint64_t seq)
{
    return make(WIRE_TYPE_FRAME, id, session, seq, "a frame", 7);
}

static struct made
make_bye(uint64_t id, uint64_t session)
{
    return make(WIRE_TYPE_BYE, id, session, 0, NULL, 0);
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

static void
assert_dropped(size_t i, const char *from, const struct made m, int expected)
{
    int reason;

    assert_int_equal(take(i, from, m, &reason), PEERING_DROP);
    assert_string_equal(drop_reason_name(reason), drop_reason_name(expected));
}

/* Finding each other. */

static void
test_two_relays_meet_within_a_round_trip(void **state OVS_UNUSED)
{
    net.delay[0][1] = 3700;
    net.delay[1][0] = 1300;
    introduce(2);
    start(0);
    run_for(100);
    assert_state(0, 1, "probing");
    assert_int_equal(n_targets(0), 0);

    start(1);
    assert_state(1, 0, "probing");
    run_for(5);
    assert_both_up(0, 1);
    assert_reason(0, 1, "it says hello");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(n_targets(i), 1);
        assert_true(peer_of(i, !i)->speaks_ours);
        assert_string_equal(peer_format_name(peer_of(i, !i)), "snowrelay");
        assert_true(peer_of(i, !i)->up_since > 0);
    }
}

static void
test_what_hellos_say_is_known(void **state OVS_UNUSED)
{
    start_all(2);
    for (size_t i = 0; i < 2; i++) {
        const struct remote *remote = peer_of(i, !i)->remote;

        assert_non_null(remote);
        assert_true(remote->id == nodes[!i].id);
        assert_true(remote->session == session_of(!i));
        assert_int_equal(remote->version, WIRE_VERSION_MAX);
        assert_int_equal(remote->n_macs, 1);
        assert_true(eth_addr_equals(remote->macs[0], nodes[!i].mac));
        assert_int_equal(remote->n_ports, 2);
        assert_int_equal(remote->ports[0], 5076);
        assert_int_equal(remote->ports[1], 6000 + !i);
    }
}

/* Its frames would come back to who does not know its MAC. */
static void
test_without_a_mac_nobody_is_greeted(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    h.answer = true;
    know(0, "10.0.0.2");
    nodes[0].peering = peering_create();
    peering_configure(nodes[0].peering, &nodes[0].config);
    peering_set_id(nodes[0].peering, nodes[0].id);
    update(0);
    run_node(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    run_for(5000);
    assert_int_equal(nodes[0].n_said, 0);
    assert_false(peering_has_begun(nodes[0].peering));

    peering_set_local_mac(nodes[0].peering, nodes[0].mac);
    run_node(0);
    assert_int_equal(nodes[0].n_said, 1);
    assert_int_equal(nodes[0].said[0].hello.n_macs, 1);
    assert_true(eth_addr_equals(nodes[0].said[0].hello.macs[0], nodes[0].mac));
}

/* A greeting must say that it wants an answer until there is one. */
static void
test_a_relay_asks_until_it_is_answered(void **state OVS_UNUSED)
{
    introduce(2);
    start(0);
    run_for(5000);
    for (size_t k = 0; k < nodes[0].n_said; k++) {
        assert_true(nodes[0].said[k].hello.answer);
    }
    start(1);
    run_for(100);
    size_t first = nodes[0].n_said;
    run_for(5000);
    assert_in_range(nodes[0].n_said - first, 5, 6);
    for (size_t k = first; k < nodes[0].n_said; k++) {
        assert_false(nodes[0].said[k].hello.answer);
    }
}

/* Whatever the clocks show, and whoever asks. */
static void
test_round_trip_times_are_exact(void **state OVS_UNUSED)
{
    net.delay[0][1] = 3721;
    net.delay[1][0] = 1280;
    nodes[1].ahead = 777777777777333;
    start_all(2);
    for (int seconds = 0; seconds < 20; seconds++) {
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(peer_of(i, !i)->liveness.rtt, 5001);
            assert_int_equal(peer_of(i, !i)->liveness.smoothed_rtt, 5001);
        }
        run_for(1000);
    }
}

static void
test_round_trip_times_follow_the_network(void **state OVS_UNUSED)
{
    start_all(2);
    assert_int_equal(peer_of(0, 1)->liveness.rtt, 2000);
    net.delay[0][1] = 90000;
    run_for(2500);
    assert_int_equal(peer_of(0, 1)->liveness.rtt, 91000);
    assert_int_equal(peer_of(1, 0)->liveness.rtt, 91000);
    assert_in_range(peer_of(0, 1)->liveness.smoothed_rtt, 2001, 90999);
}

/* Each says hello about once a second, to each, and nothing flaps. */
static void
test_the_pace_of_hellos(void **state OVS_UNUSED)
{
    start_all(4);
    size_t first = nodes[0].n_said;
    long long int since = peer_of(0, 1)->liveness.since;

    run_for(60000);
    for (size_t j = 1; j < 4; j++) {
        assert_in_range(n_hellos(0, &nodes[j].address, first), 60, 69);
    }
    assert_int_equal(nodes[0].n_said - first, n_hellos(0, NULL, first));
    assert_true(peer_of(0, 1)->liveness.since == since);
}

/* Those whose turn is soon are greeted with the others. */
static void
test_hellos_to_many_go_together(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(100);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.3"));
    update(0);
    run_node(0);
    size_t first = nodes[0].n_said;
    assert_int_equal(first, 2);
    run_for(900);
    assert_int_equal(n_hellos(0, &nodes[1].address, first), 1);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 1);
}

/* Who says hello rarely is not taken for dead by who does often. */
static void
test_relays_of_different_paces(void **state OVS_UNUSED)
{
    nodes[0].config.hello_ms = 100;
    nodes[1].config.hello_ms = 5000;
    start_all(2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(peer_of(i, !i)->liveness.interval,
                         nodes[!i].config.hello_ms);
    }
    long long int since[] = { peer_of(0, 1)->liveness.since,
                              peer_of(1, 0)->liveness.since };

    for (int i = 0; i < 600; i++) {
        run_for(100);
        assert_both_up(0, 1);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_true(peer_of(i, !i)->liveness.since == since[i]);
    }
}

/* Also if who is rare has been silent for long. */
static void
test_a_late_relay_of_another_pace(void **state OVS_UNUSED)
{
    nodes[0].config.hello_ms = 1000;
    nodes[1].config.hello_ms = 60000;
    introduce(2);
    start(0);
    run_for(100000);
    net.cut[1][0] = true;
    start(1);
    net.cut[1][0] = false;
    run_for(40000);
    assert_both_up(0, 1);
    const long long int since = peer_of(1, 0)->liveness.since;
    run_for(60000);
    assert_both_up(0, 1);
    assert_true(peer_of(1, 0)->liveness.since == since);
}

/* This relay. */

static void
test_without_an_id_nobody_is_greeted(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    h.answer = true;
    nodes[0].id = 0;
    know(0, "10.0.0.2");
    start(0);
    run_for(5000);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, 0);
    assert_false(peering_has_begun(nodes[0].peering));
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_int_equal(nodes[0].n_said, 0);
}

/* One that comes late is made up for. */
static void
test_an_id_sets_the_hellos_going(void **state OVS_UNUSED)
{
    nodes[0].id = 0;
    introduce(2);
    start(0);
    run_for(1000);
    assert_true(peering_id(nodes[0].peering) == 0);
    nodes[0].id = 0x100;
    peering_set_id(nodes[0].peering, 0x100);
    assert_true(peering_id(nodes[0].peering) == 0x100);
    run_node(0);
    assert_int_equal(nodes[0].n_said, 1);
    start(1);
    run_for(3);
    assert_both_up(0, 1);
}

static void
test_an_id_of_the_configuration(void **state OVS_UNUSED)
{
    nodes[0].config.relay_id_auto = false;
    nodes[0].config.relay_id = UINT64_MAX;
    nodes[0].peering = peering_create();
    assert_true(peering_id(nodes[0].peering) == 0);
    peering_configure(nodes[0].peering, &nodes[0].config);
    assert_true(peering_id(nodes[0].peering) == UINT64_MAX);
    assert_true(session_of(0) != 0);

    const uint64_t session = session_of(0);
    peering_configure(nodes[0].peering, &nodes[0].config);
    assert_true(session_of(0) == session);
}

/* The others then see another relay, and count its frames by themselves. */
static void
test_another_id_is_another_relay(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = session_of(0);

    peering_set_id(nodes[0].peering, nodes[0].id);
    assert_true(session_of(0) == session);
    nodes[0].id = 0x999;
    peering_set_id(nodes[0].peering, 0x999);
    assert_true(session_of(0) != session);
    run_node(0);
    run_for(1);
    assert_both_up(0, 1);
    assert_true(peer_of(1, 0)->remote->id == 0x999);

    uint32_t number = send_frame(0);
    run_for(2);
    assert_true(has_taken(1, number));
}

/* The header that frames get is that of the hellos. */
static void
test_frames_get_this_relays_header(void **state OVS_UNUSED)
{
    uint8_t expected[WIRE_HEADER_LEN];

    start_all(2);
    wire_encode_header(expected, WIRE_TYPE_FRAME, nodes[0].id,
                       nodes[0].said[0].session, 0);
    assert_memory_equal(peering_peers(nodes[0].peering)->header, expected,
                        sizeof expected);
}

/* Only for testing, so that one relay alone does something. */
static void
test_without_peers_a_relay_is_its_own(void **state OVS_UNUSED)
{
    start(0);
    run_for(3000);
    assert_int_equal(nodes[0].n_said, 0);
    assert_int_equal(n_targets(0), 1);
    struct peer *self = peering_peers(nodes[0].peering)->targets[0];
    assert_string_equal(peer_state_name(self), "self");
    assert_false(self->speaks_ours);
    assert_taken(0, "127.0.0.1", make_snowsignal(), PEERING_FRAME);
    assert_true(peering_has_begun(nodes[0].peering));

    /* It has no use for hellos, nor for byes. */
    struct hello h = plain_hello;
    h.answer = true;
    assert_taken(0, "127.0.0.1", make_hello(7, 7, &h), PEERING_CONTROL);
    h.path = self->path;
    assert_dropped(0, "127.0.0.1", make_hello(nodes[0].id, session_of(0), &h),
                   DROP_OWN);
    assert_null(self->remote);
    assert_string_equal(peer_state_name(self), "self");
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_int_equal(nodes[0].n_said, 0);
}

/* A relay that relays nothing has not even itself. */
static void
test_without_ports_a_relay_has_nobody(void **state OVS_UNUSED)
{
    nodes[0].config.n_ports = 0;
    start(0);
    assert_int_equal(peering_peers(nodes[0].peering)->n_all, 0);
}

/* The same list is given to everybody. */
static void
test_the_own_address_is_set_aside(void **state OVS_UNUSED)
{
    static const struct {
        const char *local, *peer, *state;
    } all[] = {
        { "0.0.0.0", "10.0.0.1", "own" },
        { "::", "10.0.0.1", "own" },
        { "10.0.0.1", "10.0.0.1", "own" },
        { "10.0.0.9", "10.0.0.1", "probing" }, /* Another relay's here. */
        { "0.0.0.0", "10.0.0.1:7125", "probing" },
        { "0.0.0.0", "127.0.0.1", "probing" }, /* Who writes it means it. */
        { "127.0.0.1", "127.0.0.1", "probing" },
        { "0.0.0.0", "127.9.9.9", "probing" },
        { "::", "::1", "probing" },
        { "0.0.0.0", "10.0.0.7", "probing" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        static const char *const loopback[] = { "127.0.0.1", "127.9.9.9",
                                                "::1" };

        set_up(NULL);
        nodes[0].mesh.local = endpoint_of(all[i].local);
        for (size_t j = 0; j < ARRAY_SIZE(loopback); j++) {
            if (!strcmp(all[i].peer, loopback[j])) {
                nodes[0].host.addresses[1].address =
                    endpoint_of(loopback[j]).address;
                nodes[0].host.n = 2;
            }
        }
        know(0, all[i].peer);
        start(0);
        assert_string_equal(
            peer_state_name(peering_peers(nodes[0].peering)->all[0]),
            all[i].state);
        tear_down(NULL);
    }
}

static void
test_who_cannot_be_sent_to_is_not_greeted(void **state OVS_UNUSED)
{
    nodes[0].mesh.ipv6 = false;
    nodes[1].address = endpoint_of("2001:db8::2");
    know(0, "2001:db8::2");
    know(0, "10.0.0.3");
    start(0);
    run_for(1000);
    assert_state(0, 1, "unreachable");
    assert_int_equal(n_hellos(0, &nodes[1].address, 0), 0);
    assert_int_equal(n_hellos(0, &nodes[2].address, 0), 2);
}

/* Addresses are in the form that the present socket takes. */
static void
test_another_mesh(void **state OVS_UNUSED)
{
    start_all(2);
    nodes[0].mesh.ipv6 = false;
    update(0);
    assert_int_equal(peer_of(0, 1)->ss.ss_family, AF_INET);
    run_for(5000);
    assert_both_up(0, 1);
}

/* Falling silent. */

static void
test_a_dead_relay_is_suspect_then_down(void **state OVS_UNUSED)
{
    start_all(2);
    stop(1);
    const long long int heard = peer_of(0, 1)->liveness.heard;

    run_until(0, heard + 1249);
    assert_state(0, 1, "up");
    run_until(0, heard + 1250);
    assert_state(0, 1, "suspect");
    assert_reason(0, 1, "a hello missed");
    assert_true(peer_of(0, 1)->speaks_ours);
    run_until(0, heard + 3249);
    assert_state(0, 1, "suspect");
    run_until(0, heard + 3250);
    assert_state(0, 1, "down");
    assert_reason(0, 1, "three hellos missed");
    assert_int_equal(peer_of(0, 1)->up_since, 0);

    /* It may be a node of SnowSignal now. */
    assert_int_equal(n_targets(0), 1);
    assert_false(peer_of(0, 1)->speaks_ours);
}

/* Who is down is asked as often as ever. */
static void
test_a_dead_relay_is_asked_on(void **state OVS_UNUSED)
{
    start_all(2);
    stop(1);
    run_for(10000);
    size_t first = nodes[0].n_said;
    run_for(60000);
    assert_int_equal(n_hellos(0, &nodes[1].address, first), 60);
}

static void
test_a_relay_that_returns_is_up_at_once(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = peer_of(0, 1)->remote->session;
    const uint64_t id = peer_of(0, 1)->remote->id;

    stop(1);
    run_for(20000);
    assert_state(0, 1, "down");
    start(1);
    run_for(2);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->remote->id == id);
    assert_true(peer_of(0, 1)->remote->session != session);
    assert_true(peer_of(0, 1)->remote->last_session == session);
    assert_true(peer_of(0, 1)->remote->session == session_of(1));
    assert_true(peer_of(0, 1)->up_since > 0);
}

/* So fast that nobody noticed. */
static void
test_a_relay_that_restarts_is_never_down(void **state OVS_UNUSED)
{
    start_all(2);
    const long long int since = peer_of(0, 1)->liveness.since;

    for (int i = 0; i < 5; i++) {
        run_for(1500);
        stop(1);
        peer_of(0, 1)->up_since = 1;
        run_for(100);
        start(1);
        run_for(2);
        assert_both_up(0, 1);
        assert_true(peer_of(0, 1)->up_since > 1);
        assert_true(peer_of(0, 1)->remote->session == session_of(1));
        uint32_t there = send_frame(0), back = send_frame(1);
        run_for(2);
        assert_true(has_taken(1, there) && has_taken(0, back));
    }
    assert_true(peer_of(0, 1)->liveness.since == since);
}

/* Who starts thrice in three seconds has not been deaf. */
static void
test_one_that_starts_again_and_again(void **state OVS_UNUSED)
{
    start_all(2);
    for (int i = 0; i < 4; i++) {
        stop(1);
        run_for(100);
        start(1);
        run_for(100);
        assert_state(0, 1, "up");
    }
}

/* Even if its first hellos are lost, one more is enough. */
static void
test_a_healed_network_is_noticed_within_a_hello(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = peer_of(0, 1)->remote->session;

    for (int i = 0; i < 5; i++) {
        send_frame(0);
        send_frame(1);
    }
    run_for(2);
    net.cut[0][1] = net.cut[1][0] = true;
    run_for(2 * REMOTES_MAX_IDLE_MS);
    assert_state(0, 1, "down");
    assert_state(1, 0, "down");
    net.cut[0][1] = net.cut[1][0] = false;
    run_for(1000 + 2);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->remote->session == session);
    assert_int_equal(peer_of(0, 1)->remote->next_seq, 5);
    assert_int_equal(peer_of(0, 1)->remote->window.received, 5);
}

/* A single one that is lost is worth a suspicion and no more. */
static void
test_a_lost_hello_is_made_up_for(void **state OVS_UNUSED)
{
    start_all(2);
    const long long int heard = peer_of(0, 1)->liveness.heard;

    net.cut[1][0] = true;
    run_until(0, heard + 1500);
    assert_state(0, 1, "suspect");
    net.cut[1][0] = false;
    run_for(1000);
    assert_both_up(0, 1);
    for (int i = 0; i < 100; i++) {
        run_for(100);
        assert_both_up(0, 1);
    }
}

/* A relay that is busy with frames is there. */
static void
test_frames_keep_a_relay_up(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = session_of(1);

    stop(1);
    for (uint64_t seq = 0; seq < 20; seq++) {
        assert_taken(0, "10.0.0.2", make_frame(nodes[1].id, session, seq),
                     PEERING_FRAME);
        run_for(1000);
        assert_state(0, 1, "up");
    }
}

/* But not somebody else's, nor what has come before. */
static void
test_other_frames_keep_nobody_up(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = session_of(1);

    stop(1);
    for (uint64_t seq = 0; seq < 20; seq++) {
        assert_taken(0, "10.0.0.2", make_frame(7, 7, seq), PEERING_FRAME);
        take(0, "10.0.0.2", make_frame(nodes[1].id, session, 0), &(int){ 0 });
        run_for(250);
    }
    assert_state(0, 1, "down");
}

static void
test_bye_is_understood(void **state OVS_UNUSED)
{
    start_all(3);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    for (size_t i = 0; i < 3; i += 2) {
        assert_state(i, 1, "down");
        assert_reason(i, 1, "it has left");
        assert_false(peer_of(i, 1)->speaks_ours);
        assert_int_equal(peer_of(i, 1)->up_since, 0);
    }
    assert_both_up(0, 2);

    /* Nothing follows. */
    const size_t n_said = nodes[1].n_said;
    assert_int_equal(nodes[1].said[n_said - 1].kind, WIRE_BYE);
    for (int i = 0; i < 10000; i++) {
        run_node(1);
        net.now += 1000;
    }
    assert_int_equal(nodes[1].n_said, n_said);
}

/* And if it returns after that, it is up. */
static void
test_hello_after_bye(void **state OVS_UNUSED)
{
    start_all(2);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    stop(1);
    run_for(500);
    start(1);
    run_for(2);
    assert_both_up(0, 1);
}

/* Somebody may still ask meanwhile. */
static void
test_who_has_left_answers_nobody(void **state OVS_UNUSED)
{
    start_all(2);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    const size_t n_said = nodes[1].n_said;

    run_for(5000);
    assert_true(nodes[0].said[nodes[0].n_said - 1].hello.answer);
    assert_int_equal(nodes[1].n_said, n_said);
    assert_state(0, 1, "down");
}

/* A bye counts only if it is from who the peer is now. */
static void
test_bye_of_somebody_else(void **state OVS_UNUSED)
{
    start_all(3);
    const uint64_t session = session_of(1);

    assert_taken(0, "10.0.0.2", make_bye(nodes[1].id, session ^ 1),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.2", make_bye(nodes[1].id ^ 0xf000, session),
                 PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_state(0, 2, "up");
    assert_taken(0, "10.0.0.2", make_bye(nodes[1].id, session),
                 PEERING_CONTROL);
    assert_state(0, 1, "down");
}

/* Who never answered may not understand a bye. */
static void
test_bye_is_for_those_who_are_known(void **state OVS_UNUSED)
{
    introduce(3);
    start(0);
    start(1);
    run_for(500);
    const size_t first = nodes[0].n_said;

    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_int_equal(nodes[0].n_said, first + 1);
    assert_int_equal(nodes[0].said[first].kind, WIRE_BYE);
    assert_true(endpoint_equal(&nodes[0].said[first].to, &nodes[1].address));
}

/* Who does not know himself would send frames without an id to somebody who
 * understands them. */
static void
test_no_hello_counts_without_an_id(void **state OVS_UNUSED)
{
    nodes[0].id = 0;
    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_null(peer_of(0, 1)->remote);
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_int_equal(nodes[0].n_said, 0);
}

/* A network that works in one direction. */
static void
test_one_way_is_suspect(void **state OVS_UNUSED)
{
    start_all(2);
    net.cut[0][1] = true;
    run_for(4000);
    assert_state(1, 0, "down");
    run_for(4000);
    for (int i = 0; i < 300; i++) {
        run_for(100);
        assert_state(0, 1, "suspect");
        assert_reason(0, 1, "it does not hear this relay");
        assert_state(1, 0, "down");
    }
    net.cut[0][1] = false;
    run_for(1002);
    assert_state(1, 0, "up");
    run_for(1000);
    assert_both_up(0, 1);
}

/* The moment is three of its hellos after three of ours were lost. */
static void
test_one_way_takes_its_time(void **state OVS_UNUSED)
{
    start_all(2);
    net.cut[0][1] = true;
    run_for(2900);
    assert_state(0, 1, "up");
    assert_int_equal(peer_of(0, 1)->liveness.unheard, 0);
    run_for(1100);
    assert_state(0, 1, "up");
    assert_in_range(peer_of(0, 1)->liveness.unheard, 1, 2);
}

/* The reason is the present one. */
static void
test_the_reason_of_a_suspicion(void **state OVS_UNUSED)
{
    start_all(2);
    net.cut[0][1] = true;
    for (int i = 0; peer_of(0, 1)->liveness.unheard < 2; i++) {
        assert_in_range(i, 0, 10000);
        run_for(1);
    }
    net.cut[1][0] = true;
    run_for(1500);
    assert_reason(0, 1, "a hello missed");
    net.cut[1][0] = false;
    run_for(5000);
    assert_state(0, 1, "suspect");
    assert_reason(0, 1, "it does not hear this relay");
}

/* A relay that has never heard us greets us ever more rarely, says so, and is
 * not taken for dead meanwhile. */
static void
test_one_way_from_the_beginning(void **state OVS_UNUSED)
{
    introduce(2);
    net.cut[0][1] = true;
    start(0);
    start(1);
    run_for(60000);
    for (int i = 0; i < 200; i++) {
        run_for(1000);
        assert_state(0, 1, "suspect");
        assert_reason(0, 1, "it does not hear this relay");
        assert_state(1, 0, "silent");
    }
    net.cut[0][1] = false;
    run_for(2002);
    assert_both_up(0, 1);
}

/* SnowSignal. */

static void
test_nobody_answers(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(199);
    assert_state(0, 1, "probing");
    assert_int_equal(n_targets(0), 0);
    run_for(1);
    assert_state(0, 1, "silent");
    assert_string_equal(peer_format_name(peer_of(0, 1)), "unknown");
    assert_int_equal(n_targets(0), 1);
    assert_false(peer_of(0, 1)->speaks_ours);
}

/* Fails the test unless node 0 greeted 'to' ever more rarely, as exactly as
 * 'slack' ms, and in the end as rarely as can be. */
static void
assert_ever_rarer(const struct endpoint *to, long long int slack)
{
    const long long int longest = LIVENESS_MAX_PROBE_INTERVAL_MS;
    long long int last = 0, gap = 0;
    size_t n = 0;

    assert_in_range(nodes[0].n_said, 1, MAX_SAID);
    for (size_t k = 0; k < nodes[0].n_said; k++) {
        const struct said *said = &nodes[0].said[k];

        if (!endpoint_equal(&said->to, to)) {
            continue;
        }
        if (n > 0) {
            long long int next = (said->when - last) / 1000;

            assert_true(next >= gap - slack);
            assert_true(next <= longest + slack);
            gap = MAX(gap, next);
        }
        last = said->when;
        n++;
    }
    assert_true(gap >= longest - slack);
    assert_in_range(n, 5, 30);
}

static void
test_snowsignal_is_greeted_ever_more_rarely(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    for (int i = 0; i < 300; i++) {
        run_for(1000);
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
        assert_state(0, 1, "snowsignal");
        assert_string_equal(peer_format_name(peer_of(0, 1)), "snowsignal");
        assert_false(peer_of(0, 1)->speaks_ours);
        assert_int_equal(n_targets(0), 1);
    }
    assert_ever_rarer(&nodes[1].address, 0);
}

/* Also where its turn is found early, because another's has come. */
static void
test_snowsignal_among_others(void **state OVS_UNUSED)
{
    introduce(3);
    start(0);
    start(2);
    for (int i = 0; i < 300; i++) {
        run_for(1000);
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    }
    assert_state(0, 1, "snowsignal");
    assert_both_up(0, 2);
    assert_ever_rarer(&nodes[1].address, 1000 / 8);
}

static void
test_the_silent_are_greeted_ever_more_rarely(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(300000);
    assert_state(0, 1, "silent");
    assert_ever_rarer(&nodes[1].address, 0);
}

/* Sending to a relay from one of SnowSignal's ports, a new one each time. */
static void
test_snowsignal_sends_from_any_port(void **state OVS_UNUSED)
{
    struct endpoint from = endpoint_of("10.0.0.2");
    const struct made m = make_snowsignal();
    int reason;

    know(0, "10.0.0.2");
    start(0);
    from.port = 40000;
    assert_int_equal(take_from(0, &from, m.bytes, m.length, false, &reason),
                     PEERING_FRAME);
    assert_state(0, 1, "snowsignal");
}

static void
test_an_upgraded_node_is_up(void **state OVS_UNUSED)
{
    introduce(2);
    start(0);
    for (int i = 0; i < 100; i++) {
        run_for(1000);
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    }
    assert_state(0, 1, "snowsignal");
    start(1);
    run_for(2);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->speaks_ours);
    for (int i = 0; i < 100; i++) {
        run_for(100);
        assert_both_up(0, 1);
    }
}

/* Its MACs leave, and so does what else was known of the relay. */
static void
test_a_downgraded_node_is_snowsignals(void **state OVS_UNUSED)
{
    size_t n;

    start_all(2);
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    stop(1);
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    assert_state(0, 1, "up");
    run_for(4000);
    assert_state(0, 1, "down");
    run_for(1000);
    assert_false(peering_macs_changed(nodes[0].peering, clock_us(0)));

    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    assert_state(0, 1, "snowsignal");
    assert_reason(0, 1, "it sends SnowSignal's format and no hellos");
    assert_null(peer_of(0, 1)->remote);
    assert_false(peer_of(0, 1)->speaks_ours);
    assert_int_equal(n_targets(0), 1);
    run_for(200);
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 0);
}

/* Its silence begins when it does, not with the first hello ever. */
static void
test_a_downgraded_node_is_asked_again_soon(void **state OVS_UNUSED)
{
    start_all(2);
    run_for(60000);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    stop(1);
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    assert_state(0, 1, "snowsignal");
    const size_t first = nodes[0].n_said;
    run_for(8000);
    assert_in_range(n_hellos(0, NULL, first), 2, 4);
}

/* One that is found out to be a relay hears of us as often as it expects. */
static void
test_one_that_was_silent_is_greeted_soon(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(70000);
    assert_state(0, 1, "silent");
    const size_t first = nodes[0].n_said;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(1000);
    assert_int_equal(n_hellos(0, NULL, first), 1);
}

/* One that does not hear us sends in SnowSignal's format and is a relay all
 * the same. */
static void
test_hellos_count_more_than_formats(void **state OVS_UNUSED)
{
    start_all(2);
    for (int i = 0; i < 10; i++) {
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
        run_for(500);
        assert_state(0, 1, "up");
    }
}

/* Oneself. */

/* An address that leads here without being one of this host's. */
static void
test_the_own_hello_sets_a_peer_aside(void **state OVS_UNUSED)
{
    know(0, "10.0.0.99");
    know(0, "10.0.0.2");
    nodes[0].address = endpoint_of("10.0.0.99");
    nodes[0].source = nodes[0].address;
    start(0);
    assert_state(0, 0, "probing");
    run_for(1);
    assert_state(0, 0, "own");
    assert_int_equal(nodes[0].n_drops[DROP_OWN], 1);

    run_for(5000);
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 1);
    assert_int_equal(n_targets(0), 1);
    update(0);
    run_for(5000);
    assert_state(0, 0, "own");
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 1);
}

/* Who has been taken for somebody else gets no more frames. */
static void
test_the_own_hello_comes_late(void **state OVS_UNUSED)
{
    know(0, "10.0.0.99");
    nodes[0].address = endpoint_of("10.0.0.99");
    nodes[0].source = nodes[0].address;
    net.cut[0][0] = true;
    start(0);
    run_for(500);
    assert_state(0, 0, "silent");
    assert_int_equal(n_targets(0), 1);
    net.cut[0][0] = false;
    run_for(1000);
    assert_state(0, 0, "own");
    assert_int_equal(n_targets(0), 0);
}

/* Whoever says hello from there. */
static void
test_who_is_set_aside_is_not_answered(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.99");
    assert_true(subnet_from_text("10.0.0.99", &nodes[0].accept));
    nodes[0].config.accept = &nodes[0].accept;
    nodes[0].config.n_accept = 1;
    nodes[0].address = endpoint_of("10.0.0.99");
    nodes[0].source = nodes[0].address;
    start(0);
    run_for(1);
    assert_state(0, 0, "own");
    h.answer = true;
    h.echo_path = peer_of(0, 0)->path;
    h.echo_session = session_of(0);
    assert_taken(0, "10.0.0.99", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_taken(0, "10.0.0.99", make_snowsignal(), PEERING_FRAME);
    assert_state(0, 0, "own");
    assert_null(peer_of(0, 0)->remote);
    assert_true(peer_of(0, 0)->liveness.state == LIVENESS_PROBING);
    assert_int_equal(n_targets(0), 0);
    assert_int_equal(nodes[0].n_said, 1);
}

/* A hello of before, or with a number that nobody has, tells nothing. */
static void
test_an_own_hello_with_an_unknown_path(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    const uint64_t session = session_of(0);
    h.path = peer_of(0, 1)->path + 1;
    assert_dropped(0, "10.0.0.2", make_hello(nodes[0].id, session, &h),
                   DROP_OWN);
    assert_state(0, 1, "probing");

    h.path--;
    assert_dropped(0, "10.0.0.2", make_hello(nodes[0].id, session ^ 1, &h),
                   DROP_OWN);
    assert_dropped(0, "10.0.0.2", make_bye(nodes[0].id, session), DROP_OWN);
    assert_dropped(0, "10.0.0.2", make_frame(nodes[0].id, session, 1),
                   DROP_OWN);
    assert_dropped(0, "10.0.0.2",
                   make(WIRE_TYPE_HELLO, nodes[0].id, session, 0, "short", 5),
                   DROP_OWN);
    assert_state(0, 1, "probing");
    assert_dropped(0, "10.0.0.2", make_hello(nodes[0].id, session, &h),
                   DROP_OWN);
    assert_state(0, 1, "own");
}

/* Another one with the same id. */
static void
test_a_clone_is_dropped(void **state OVS_UNUSED)
{
    nodes[1].id = nodes[0].id;
    introduce(2);
    start(0);
    start(1);
    run_for(5000);
    for (size_t i = 0; i < 2; i++) {
        size_t n = 0;

        assert_state(i, !i, "silent");
        assert_null(peer_of(i, !i)->remote);
        for (int reason = 0; reason < N_DROP_REASONS; reason++) {
            n += nodes[i].n_drops[reason];
        }
        assert_true(n > 0);
        assert_int_equal(nodes[i].n_drops[DROP_OWN], n);
        assert_int_equal(nodes[i].n_frames, 0);
    }

    const uint64_t session = session_of(1);
    assert_dropped(0, "10.0.0.2", make_frame(nodes[0].id, session, 7),
                   DROP_OWN);
    assert_dropped(0, "10.0.0.2", make_bye(nodes[0].id, session), DROP_OWN);
    assert_dropped(0, "192.0.2.1", make_frame(nodes[0].id, session, 7),
                   DROP_OWN);
    assert_state(0, 1, "silent");
}

/* A relay that has no id yet is not the clone of one that says it has 0. */
static void
test_nobody_is_a_clone_without_an_id(void **state OVS_UNUSED)
{
    nodes[0].id = 0;
    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_frame(1, 1, 7), PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(0, 1, 7), DROP_FORMAT);
}

/* Judging datagrams. */

static void
test_unknown_senders_are_dropped(void **state OVS_UNUSED)
{
    struct made newer = make_frame(7, 7, 7);

    newer.bytes[2] = WIRE_VERSION_MAX + 1;
    const struct made all[] = {
        make_snowsignal(),
        make_frame(7, 7, 7),
        make_hello(7, 7, &plain_hello),
        make_bye(7, 7),
        make(99, 7, 7, 7, NULL, 0),
        newer,
        { .bytes = "XX", .length = 2 },
        { .length = 0 },
    };

    start_all(2);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_dropped(0, "10.0.0.9", all[i], DROP_UNKNOWN_SENDER);
        assert_dropped(0, "2001:db8::9", all[i], DROP_UNKNOWN_SENDER);
    }
    assert_int_equal(nodes[0].n_frames, 0);
}

/* A stranger who knows our numbers is a stranger nevertheless. */
static void
test_an_echo_does_not_make_a_stranger_known(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    h.echo_path = peer_of(0, 1)->path;
    h.echo_session = session_of(0);
    assert_dropped(0, "10.0.0.9", make_hello(7, 7, &h), DROP_UNKNOWN_SENDER);
    assert_state(0, 1, "probing");
}

static void
test_a_frame_counts_once(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t session = session_of(1);
    struct peer *peer = peer_of(0, 1);

    assert_taken(0, "10.0.0.2", make_frame(nodes[1].id, session, 1),
                 PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(nodes[1].id, session, 1),
                   DROP_DUPLICATE);
    assert_taken(0, "10.0.0.2", make_frame(nodes[1].id, session, 0),
                 PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(nodes[1].id, session, 0),
                   DROP_DUPLICATE);

    /* Counted as often as it came. */
    assert_int_equal(peer->rx, 4);
    assert_int_equal(peer->rx_bytes, 4 * 7);
    assert_int_equal(peer->remote->window.received, 2);
    assert_int_equal(peer->remote->window.duplicated, 2);
}

/* Wherever they come from. */
static void
test_a_frame_counts_once_by_several_ways(void **state OVS_UNUSED)
{
    introduce(2);
    assert_true(subnet_from_text("10.0.9.0/24", &nodes[0].accept));
    nodes[0].config.accept = &nodes[0].accept;
    nodes[0].config.n_accept = 1;
    start(0);
    assert_taken(0, "10.0.0.2", make_frame(7, 7, 1), PEERING_FRAME);
    assert_dropped(0, "10.0.9.2", make_frame(7, 7, 1), DROP_DUPLICATE);
    assert_taken(0, "10.0.9.2", make_frame(7, 7, 2), PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(7, 7, 2), DROP_DUPLICATE);
    assert_taken(0, "10.0.9.2", make_frame(8, 7, 2), PEERING_FRAME);
}

/* SnowSignal numbers nothing, so all of its frames count. */
static void
test_snowsignals_frames_all_count(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    for (int i = 0; i < 3; i++) {
        assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    }
    assert_int_equal(peer_of(0, 1)->rx, 3);
    assert_int_equal(peer_of(0, 1)->rx_bytes, 3 * 7);
}

/* A relay that starts anew numbers its frames anew; what is still under way
 * from before is too late. */
static void
test_frames_of_a_new_session(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t before = session_of(1);
    const uint64_t id = nodes[1].id;

    assert_taken(0, "10.0.0.2", make_frame(id, before, 0), PEERING_FRAME);
    assert_taken(0, "10.0.0.2", make_frame(id, before ^ 1, 0), PEERING_FRAME);
    assert_dropped(0, "10.0.0.2", make_frame(id, before ^ 1, 0),
                   DROP_DUPLICATE);
    assert_dropped(0, "10.0.0.2", make_frame(id, before, 0), DROP_DUPLICATE);
    assert_dropped(0, "10.0.0.2", make_frame(id, before, 1), DROP_DUPLICATE);
    assert_true(peer_of(0, 1)->remote->session == (before ^ 1));
}

/* And late hellos do not bring the old session back. */
static void
test_hellos_of_the_old_session(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    start_all(2);
    const uint64_t before = session_of(1);

    stop(1);
    start(1);
    run_for(2);
    const uint64_t now = session_of(1);
    const uint32_t path = peer_of(0, 1)->echo.path;
    h.path = path + 7;
    assert_taken(0, "10.0.0.2", make_hello(nodes[1].id, before, &h),
                 PEERING_CONTROL);
    assert_true(peer_of(0, 1)->remote->session == now);
    assert_int_equal(peer_of(0, 1)->echo.path, path);
    assert_true(peer_of(0, 1)->echo.session == now);
}

static void
test_versions_to_come_are_dropped(void **state OVS_UNUSED)
{
    struct made m = make_hello(7, 7, &plain_hello);

    know(0, "10.0.0.2");
    start(0);
    m.bytes[2] = WIRE_VERSION_MAX + 1;
    assert_dropped(0, "10.0.0.2", m, DROP_VERSION);
    m.bytes[2] = 255;
    assert_dropped(0, "10.0.0.2", m, DROP_VERSION);
    assert_state(0, 1, "probing");
    assert_int_equal(peer_of(0, 1)->rx, 0);
}

static void
test_wrong_formats_are_dropped(void **state OVS_UNUSED)
{
    const struct made whole = make_hello(7, 7, &plain_hello);
    const struct made all[] = {
        { .length = 0 },
        { .bytes = "S", .length = 1 },
        { .bytes = "XX and more", .length = 11 },
        make(0, 7, 7, 7, NULL, 0),
        make(99, 7, 7, 7, NULL, 0),
        make(WIRE_TYPE_HELLO, 7, 7, 7, NULL, 0),
    };

    know(0, "10.0.0.2");
    start(0);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_dropped(0, "10.0.0.2", all[i], DROP_FORMAT);
    }
    for (size_t length = 0; length < whole.length; length++) {
        struct made m = whole;

        /* But for where its items end a hello cannot be cut. */
        m.length = length;
        if (length != WIRE_HEADER_LEN + 64
            && length != WIRE_HEADER_LEN + 64 + 4) {
            assert_dropped(0, "10.0.0.2", m, DROP_FORMAT);
        }
    }
    assert_state(0, 1, "probing");
    assert_taken(0, "10.0.0.2", whole, PEERING_CONTROL);
    assert_state(0, 1, "up");
}

static void
test_what_is_too_long_is_dropped(void **state OVS_UNUSED)
{
    const struct made all[] = {
        make_snowsignal(),
        make_frame(7, 7, 7),
        make_hello(7, 7, &plain_hello),
    };
    const struct endpoint from = endpoint_of("10.0.0.2");

    know(0, "10.0.0.2");
    start(0);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        int reason;

        assert_int_equal(
            take_from(0, &from, all[i].bytes, all[i].length, true, &reason),
            PEERING_DROP);
        assert_int_equal(reason, FRAME_OVERSIZE);
    }
    assert_state(0, 1, "probing");
    assert_int_equal(peer_of(0, 1)->rx, 0);
}

static void
test_accepted_senders_frames_pass(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    assert_true(subnet_from_text("10.0.9.0/24", &nodes[0].accept));
    nodes[0].config.accept = &nodes[0].accept;
    nodes[0].config.n_accept = 1;
    start(0);
    assert_taken(0, "10.0.9.1", make_snowsignal(), PEERING_FRAME);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
    assert_dropped(0, "10.0.9.1", make_frame(7, 7, 7), DROP_DUPLICATE);
    assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.9.1", make_bye(7, 7), PEERING_CONTROL);
    assert_dropped(0, "10.0.10.1", make_frame(7, 7, 8), DROP_UNKNOWN_SENDER);

    /* They are nobody's. */
    assert_state(0, 1, "probing");
    assert_int_equal(peer_of(0, 1)->rx, 0);
    assert_int_equal(nodes[0].n_said, 1);
}

/* Lets node 0 accept datagrams from 10.0.9.0/24, starts it, and has it know
 * the relay 7 by a frame from there and, for 'ms', by hellos. */
static void
accept_relay(unsigned int ms)
{
    know(0, "10.0.0.2");
    assert_true(subnet_from_text("10.0.9.0/24", &nodes[0].accept));
    nodes[0].config.accept = &nodes[0].accept;
    nodes[0].config.n_accept = 1;
    start(0);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
    for (unsigned int i = 0; i < ms; i += 10000) {
        run_for(10000);
        assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                     PEERING_CONTROL);
    }
}

/* As long as it says hello, even if nobody asks it to. */
static void
test_an_accepted_relay_is_remembered(void **state OVS_UNUSED)
{
    accept_relay(3 * REMOTES_MAX_IDLE_MS);
    assert_dropped(0, "10.0.9.1", make_frame(7, 7, 7), DROP_DUPLICATE);
}

static void
test_an_accepted_relay_is_forgotten(void **state OVS_UNUSED)
{
    accept_relay(0);
    run_for(REMOTES_MAX_IDLE_MS / 2);
    assert_dropped(0, "10.0.9.1", make_frame(7, 7, 7), DROP_DUPLICATE);
    run_for(REMOTES_MAX_IDLE_MS);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
}

/* So that nobody fills the memory. */
static void
test_more_relays_than_are_listened_to(void **state OVS_UNUSED)
{
    accept_relay(0);
    for (uint64_t id = 1000; id < 1000 + REMOTES_MAX - 1; id++) {
        assert_taken(0, "10.0.9.1", make_hello(id, 7, &plain_hello),
                     PEERING_CONTROL);
    }
    assert_dropped(0, "10.0.9.1", make_frame(9, 7, 7), DROP_DUPLICATE);
    assert_taken(0, "10.0.0.2", make_hello(9, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_state(0, 1, "probing");
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 8), PEERING_FRAME);

    run_for(2 * REMOTES_MAX_IDLE_MS);
    assert_taken(0, "10.0.9.1", make_frame(9, 7, 7), PEERING_FRAME);
}

/* Answers from where we did not ask. */

static void
test_an_echo_from_an_accepted_address_counts(void **state OVS_UNUSED)
{
    introduce(2);
    assert_true(subnet_from_text("10.0.9.0/24", &nodes[0].accept));
    nodes[0].config.accept = &nodes[0].accept;
    nodes[0].config.n_accept = 1;
    nodes[1].source = endpoint_of("10.0.9.2");
    start(0);
    start(1);
    run_for(2);
    assert_both_up(0, 1);
    assert_int_equal(peer_of(0, 1)->liveness.rtt, 2000);
    for (int i = 0; i < 100; i++) {
        run_for(100);
        assert_both_up(0, 1);
    }
    uint32_t number = send_frame(1);
    run_for(2);
    assert_true(has_taken(0, number));
}

static void
test_an_answer_from_elsewhere_is_dropped(void **state OVS_UNUSED)
{
    introduce(2);
    nodes[1].source = endpoint_of("10.0.9.2");
    start(0);
    start(1);
    run_for(5000);
    assert_state(0, 1, "silent");
    assert_true(nodes[0].n_drops[DROP_UNKNOWN_SENDER] > 0);
}

/* It must be ours, of now. */
static void
test_a_wrong_echo_does_not_count(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    assert_true(subnet_from_text("10.0.9.0/24", &nodes[0].accept));
    nodes[0].config.accept = &nodes[0].accept;
    nodes[0].config.n_accept = 1;
    start(0);
    const uint64_t session = session_of(0);
    const uint32_t path = peer_of(0, 1)->path;

    h.echo_path = path;
    h.echo_session = session ^ 1;
    assert_taken(0, "10.0.9.2", make_hello(7, 7, &h), PEERING_CONTROL);
    h.echo_path = path + 1;
    h.echo_session = session;
    assert_taken(0, "10.0.9.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_state(0, 1, "probing");
    h.echo_path = path;
    assert_taken(0, "10.0.9.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_state(0, 1, "up");
}

/* Two relays that answer from each other's address are told apart. */
static void
test_an_echo_tells_better_than_an_address(void **state OVS_UNUSED)
{
    introduce(3);
    nodes[1].source = nodes[2].address;
    nodes[2].source = nodes[1].address;
    for (size_t i = 0; i < 3; i++) {
        start(i);
    }
    run_for(5000);
    assert_both_up(0, 1);
    assert_both_up(0, 2);
    assert_true(peer_of(0, 1)->remote->id == nodes[1].id);
    assert_true(peer_of(0, 2)->remote->id == nodes[2].id);
}

/* Two addresses of the same relay. */
static void
test_one_relay_by_two_ways(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    know(1, "10.0.0.1");
    start(1);
    start(0);

    /* Node 2 is another address of node 1. */
    struct hello h = plain_hello;
    h.echo_path = peer_of(0, 2)->path;
    h.echo_session = session_of(0);
    run_for(500);
    assert_taken(0, "10.0.0.3", make_hello(nodes[1].id, session_of(1), &h),
                 PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_state(0, 2, "alternate");
    assert_reason(0, 2, "another peer leads to the same relay");
    assert_int_equal(n_targets(0), 1);
    assert_ptr_equal(peering_peers(nodes[0].peering)->targets[0],
                     peer_of(0, 1));
}

/* An address that becomes a relay that gets frames already gets none. */
static void
test_an_address_moves_to_a_known_relay(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.3", make_hello(8, 8, &plain_hello),
                 PEERING_CONTROL);
    assert_int_equal(n_targets(0), 2);
    assert_taken(0, "10.0.0.3", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_int_equal(n_targets(0), 1);
    assert_state(0, 2, "alternate");
}

/* Answering. */

/* Node 0 gets a hello with the flag 'answer' every ms, for 'ms'.  Returns how
 * many it says meanwhile. */
static size_t
flood(unsigned int ms, bool answer)
{
    struct hello h = plain_hello;
    const size_t first = nodes[0].n_said;

    h.answer = answer;
    for (unsigned int i = 0; i < ms; i++) {
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
        net.now += 1000;
    }
    return nodes[0].n_said - first;
}

static void
test_answers_are_limited(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    assert_int_equal(flood(1, true), 1); /* At once. */
    assert_int_equal(flood(ANSWERS_MS - 1, true), MAX_ANSWERS - 1);
    assert_int_equal(flood(1, true), 1);
    net.now += 1000000;
    assert_int_equal(flood(10 * ANSWERS_MS, true), 10 * MAX_ANSWERS);
}

/* Each peer by itself. */
static void
test_the_limit_is_each_peers_own(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    start(0);
    h.answer = true;
    assert_int_equal(flood(2 * MAX_ANSWERS, true), MAX_ANSWERS);
    assert_taken(0, "10.0.0.3", make_hello(8, 8, &h), PEERING_CONTROL);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, 2 + MAX_ANSWERS + 1);
    assert_int_equal(n_hellos(0, &nodes[2].address, 2), 1);
}

static void
test_who_does_not_ask_gets_no_answer(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    assert_int_equal(flood(1000, false), 0);
}

/* What an answer says of the hello that it answers. */
static void
test_an_answer_echoes(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_int_equal(nodes[0].said[0].hello.echo_path, 0);
    assert_true(nodes[0].said[0].hello.echo_session == 0);
    h.answer = true;
    h.path = UINT32_MAX;
    h.timestamp = UINT64_MAX;
    assert_taken(0, "10.0.0.2", make_hello(7, UINT64_MAX - 1, &h),
                 PEERING_CONTROL);
    const struct said *answer = &nodes[0].said[1];
    assert_int_equal(answer->hello.version_min, WIRE_VERSION_MIN);
    assert_int_equal(answer->hello.version_max, WIRE_VERSION_MAX);
    assert_false(answer->hello.answer);
    assert_int_equal(answer->hello.interval, 1000);
    assert_int_equal(answer->hello.echo_path, UINT32_MAX);
    assert_true(answer->hello.echo_session == UINT64_MAX - 1);
    assert_true(answer->hello.echo_timestamp == UINT64_MAX);
    assert_int_equal(answer->hello.held, 0);
    assert_true(answer->session == session_of(0));

    /* The next one in its turn. */
    net.cut[0][1] = true;
    run_for(1000);
    assert_int_equal(nodes[0].said[2].hello.held, 1000000);
}

/* What is held longer than can be said. */
static void
test_a_hello_held_for_hours(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    net.now += 2LL * UINT32_MAX;
    run_node(0);
    assert_int_equal(nodes[0].said[nodes[0].n_said - 1].hello.held,
                     UINT32_MAX);
}

/* Times that cannot be are not taken for round-trip times. */
static void
test_impossible_round_trip_times(void **state OVS_UNUSED)
{
    static const struct {
        long long int timestamp; /* As far as it is before now, us. */
        uint32_t held;
        uint32_t rtt;
    } all[] = {
        { 0, 0, 1 },
        { 700, 200, 500 },
        { 700, 701, 0 },
        { -1, 0, 0 },
        { HELLO_MAX_INTERVAL_MS * 1000LL - 1, 0, 59999999 },
        { HELLO_MAX_INTERVAL_MS * 1000LL, 0, 0 },
        { 1LL << 62, 0, 0 },

        /* What has not heard us for so long does not count. */
        { 2999999 + 5, 2999999, 5 },
        { 3000000 + 5, 3000000, 0 },
        { UINT32_MAX + 5LL, UINT32_MAX, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct hello h = plain_hello;

        set_up(NULL);
        know(0, "10.0.0.2");
        start(0);
        h.echo_path = peer_of(0, 1)->path;
        h.echo_session = session_of(0);
        h.echo_timestamp = clock_us(0) - all[i].timestamp;
        h.held = all[i].held;
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
        assert_state(0, 1, "up");
        assert_int_equal(peer_of(0, 1)->liveness.rtt, all[i].rtt);
        tear_down(NULL);
    }
}

/* An echo of what was not said to this peer, in this session, does not show
 * that it hears us. */
static void
test_an_echo_of_something_else(void **state OVS_UNUSED)
{
    static const struct {
        uint32_t path;
        uint64_t session;
    } wrong[] = { { 1, 0 }, { 0, 1 } };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct hello h = plain_hello;

        set_up(NULL);
        know(0, "10.0.0.2");
        start(0);
        h.echo_path = peer_of(0, 1)->path + wrong[i].path;
        h.echo_session = session_of(0) + wrong[i].session;
        h.echo_timestamp = clock_us(0) - 500;
        for (int k = 0; k <= LIVENESS_MAX_MISSED; k++) {
            assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
            assert_int_equal(peer_of(0, 1)->liveness.rtt, 0);
            assert_int_equal(peer_of(0, 1)->liveness.unheard, k);
        }
        assert_state(0, 1, "suspect");
        tear_down(NULL);
    }
}

/* One of which the format is not known is sent no frames in it. */
static void
test_a_relay_of_other_versions(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    h.version_min = h.version_max = WIRE_VERSION_MAX + 1;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_int_equal(n_targets(0), 1);
    assert_false(peer_of(0, 1)->speaks_ours);

    /* Until it speaks ours as well. */
    h.version_min = WIRE_VERSION_MAX;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_true(peer_of(0, 1)->speaks_ours);
    h.version_min = h.version_max;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_false(peer_of(0, 1)->speaks_ours);
}

/* A peer may become another relay. */
static void
test_another_relay_at_the_same_address(void **state OVS_UNUSED)
{
    size_t n;

    start_all(2);
    nodes[1].id = 0x777;
    nodes[1].mac.ea[5] = 0x77;
    stop(1);
    start(1);
    run_for(2);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->remote->id == 0x777);
    assert_true(peer_of(0, 1)->speaks_ours);
    run_for(200);
    assert_true(peering_macs_changed(nodes[0].peering, clock_us(0)));
    const struct eth_addr *macs = peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 1);
    assert_true(eth_addr_equals(macs[0], nodes[1].mac));
}

/* What is lost. */

/* Each knows, from the other's hellos, what became of its frames. */
static void
test_losses_are_told(void **state OVS_UNUSED)
{
    enum { FRAMES = 500 };

    start_all(2);
    net.loss = 20;
    net.dups = 10;
    for (int i = 0; i < FRAMES; i++) {
        send_frame(0);
    }
    net.loss = net.dups = 0;
    run_for(3000);

    const struct remote *seen = peer_of(0, 1)->remote;
    const struct window *window = &peer_of(1, 0)->remote->window;
    assert_int_equal(seen->received + seen->lost, FRAMES);
    assert_in_range(seen->lost, FRAMES / 10, FRAMES / 3);
    assert_true(window->received == seen->received);
    assert_true(window->lost == seen->lost);
    assert_int_equal(nodes[1].n_frames, seen->received);
    assert_true(window->duplicated > 0);
    assert_int_equal(nodes[1].n_drops[DROP_DUPLICATE], window->duplicated);
}

/* Even if all are. */
static void
test_hellos_tell_of_frames_that_never_came(void **state OVS_UNUSED)
{
    start_all(2);
    net.cut[0][1] = true;
    for (int i = 0; i < 7; i++) {
        send_frame(0);
    }
    net.cut[0][1] = false;
    const size_t first = nodes[0].n_said;
    run_for(2500);
    assert_int_equal(nodes[0].said[first].seq, 7);
    assert_int_equal(peer_of(1, 0)->remote->window.lost, 7);
    assert_int_equal(peer_of(0, 1)->remote->lost, 7);
    assert_int_equal(peer_of(0, 1)->remote->received, 0);
}

/* Having begun. */

static void
test_begun_when_all_are_known(void **state OVS_UNUSED)
{
    introduce(3);
    for (size_t i = 0; i < 3; i++) {
        start(i);
        assert_false(peering_has_begun(nodes[i].peering));
    }
    run_for(2000);
    for (size_t i = 0; i < 3; i++) {
        assert_true(peering_has_begun(nodes[i].peering));
    }
}

static void
test_begun_when_somebody_does_not_answer(void **state OVS_UNUSED)
{
    introduce(3);
    start(0);
    start(1);
    run_for(199);
    assert_both_up(0, 1);
    assert_false(peering_has_begun(nodes[0].peering));
    run_for(1);
    assert_true(peering_has_begun(nodes[0].peering));

    /* For good. */
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.4"));
    update(0);
    run_node(0);
    assert_state(0, 3, "probing");
    assert_true(peering_has_begun(nodes[0].peering));
}

/* At once, when what the last one is shows by itself. */
static void
test_begun_with_a_frame_of_snowsignals(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    run_for(5);
    assert_taken(0, "10.0.0.2", make_snowsignal(), PEERING_FRAME);
    run_node(0);
    assert_true(peering_has_begun(nodes[0].peering));
}

static void
test_begun_with_nobody_to_ask(void **state OVS_UNUSED)
{
    know(0, "10.0.0.1");
    start(0);
    assert_state(0, 0, "own");
    assert_true(peering_has_begun(nodes[0].peering));
}

/* What a name leads to may have flows that are there already. */
static void
test_begun_when_names_are_known(void **state OVS_UNUSED)
{
    know(0, "relay-b");
    know(1, "10.0.0.1");
    start(0);
    start(1);
    run_for(400);
    assert_false(peering_has_begun(nodes[0].peering));
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    run_node(0);
    assert_false(peering_has_begun(nodes[0].peering));
    run_for(5);
    assert_both_up(0, 1);
    assert_true(peering_has_begun(nodes[0].peering));
}

static void
test_begun_when_names_stay_unknown(void **state OVS_UNUSED)
{
    know(0, "relay-b");
    start(0);
    run_for(499);
    assert_false(peering_has_begun(nodes[0].peering));
    run_for(1);
    assert_true(peering_has_begun(nodes[0].peering));
}

/* MACs. */

/* Fails the test unless the MACs of the peers of node 0 are those of the nodes
 * whose bits are set in 'expected', each once. */
static void
assert_macs(unsigned int expected)
{
    size_t n;
    const struct eth_addr *macs = peering_macs(nodes[0].peering, &n);
    unsigned int found = 0;

    for (size_t k = 0; k < n; k++) {
        size_t i = macs[k].ea[5] - 1;

        assert_in_range(i, 0, N_NODES - 1);
        assert_true(eth_addr_equals(macs[k], nodes[i].mac));
        assert_false(found >> i & 1);
        found |= 1u << i;
    }
    assert_int_equal(found, expected);
}

static bool
macs_changed(void)
{
    return peering_macs_changed(nodes[0].peering, clock_us(0));
}

static void
test_changes_of_macs_are_gathered(void **state OVS_UNUSED)
{
    introduce(4);
    for (size_t i = 0; i < 4; i++) {
        start(i);
    }
    assert_false(macs_changed());
    assert_macs(0);
    run_for(2);

    /* The first ones at once. */
    assert_true(peering_has_begun(nodes[0].peering));
    assert_true(macs_changed());
    assert_macs(0xe);
    for (int i = 0; i < 5000; i++) {
        run_for(1);
        assert_false(macs_changed());
    }
    assert_macs(0xe);
}

/* When the last one is known not to answer. */
static void
test_the_first_macs_come_with_the_beginning(void **state OVS_UNUSED)
{
    introduce(3);
    start(0);
    start(1);
    for (int i = 1; i < LIVENESS_PROBE_MS; i++) {
        run_for(1);
        assert_false(macs_changed());
    }
    run_for(1);
    assert_true(peering_has_begun(nodes[0].peering));
    assert_true(macs_changed());
    assert_macs(0x2);
}

/* From the first one on, so that ever more of them do not put it off. */
static void
test_changes_of_macs_do_not_wait_for_each_other(void **state OVS_UNUSED)
{
    introduce(4);
    start(0);
    run_for(1000);
    assert_false(macs_changed());
    start(1);
    run_for(1);
    start(2);
    run_for(PEER_MACS_SETTLE_MS - 1);
    start(3);
    assert_false(macs_changed());
    run_for(1);
    assert_true(macs_changed());
    assert_macs(0xe);
}

/* What nobody asks for in time is not lost. */
static void
test_changes_of_macs_are_kept(void **state OVS_UNUSED)
{
    start_all(3);
    run_for(100000);
    assert_true(macs_changed());
    assert_false(macs_changed());
    assert_macs(0x6);
}

static void
test_a_mac_of_two_peers_is_one(void **state OVS_UNUSED)
{
    size_t n;

    nodes[2].mac = nodes[1].mac;
    start_all(4);
    assert_true(macs_changed());
    const struct eth_addr *macs = peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 2);
    assert_true(eth_addr_equals(macs[0], nodes[1].mac));
    assert_true(eth_addr_equals(macs[1], nodes[3].mac));

    /* One of the two goes, the MAC stays. */
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.3"));
    update(0);
    run_for(1000);
    assert_false(macs_changed());
    peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, 2);
}

static void
test_a_relay_gets_another_mac(void **state OVS_UNUSED)
{
    start_all(2);
    assert_true(macs_changed());
    run_for(300);
    nodes[1].mac.ea[0] = 0x06;
    peering_set_local_mac(nodes[1].peering, nodes[1].mac);
    run_for(2 + PEER_MACS_SETTLE_MS - 2);
    assert_false(macs_changed());
    run_for(2);
    assert_true(macs_changed());
    assert_macs(0x2);
}

/* More than one relay may have: all that fit in a hello. */
static void
test_a_relay_with_many_macs(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;
    size_t n;

    know(0, "10.0.0.2");
    start(0);
    h.n_macs = HELLO_MAX_MACS;
    for (size_t i = 0; i < HELLO_MAX_MACS; i++) {
        h.macs[i] = (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 01, 00);
        h.macs[i].ea[5] = HELLO_MAX_MACS - i;
    }
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    net.now += 200000;
    assert_true(macs_changed());
    const struct eth_addr *macs = peering_macs(nodes[0].peering, &n);
    assert_int_equal(n, HELLO_MAX_MACS);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(macs[i].ea[5], i + 1);
    }
}

/* A change that is taken back meanwhile is none. */
static void
test_a_passing_change_of_macs(void **state OVS_UNUSED)
{
    start_all(3);
    assert_true(macs_changed());
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(10);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(1000);
    assert_false(macs_changed());
    assert_macs(0x6);
}

/* Who is down may still have frames under way in the segment. */
static void
test_macs_of_the_dead_stay(void **state OVS_UNUSED)
{
    start_all(3);
    assert_true(macs_changed());
    stop(1);
    run_for(10000);
    assert_state(0, 1, "down");
    assert_false(macs_changed());
    assert_macs(0x6);
}

/* Adding and removing. */

static void
test_peers_come_at_run_time(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    know(1, "10.0.0.1");
    know(2, "10.0.0.1");
    for (size_t i = 0; i < 3; i++) {
        start(i);
    }
    run_for(3000);
    assert_both_up(0, 1);
    const long long int since = peer_of(0, 1)->liveness.since;
    assert_state(2, 0, "silent");

    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.3"));
    update(0);
    run_node(0);
    run_for(3);
    assert_both_up(0, 2);
    assert_int_equal(peer_of(0, 2)->source, ROSTER_ADDED);
    assert_true(peer_of(0, 1)->liveness.since == since);
    assert_error(peering_add(nodes[0].peering, NULL, "10.0.0.3"),
                 "\"10.0.0.3\" is a peer already");
}

static void
test_peers_go_at_run_time(void **state OVS_UNUSED)
{
    start_all(3);
    assert_true(macs_changed());
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    const size_t first = nodes[0].n_said;

    run_for(5000);
    assert_null(find_peer(0, 1));
    assert_int_equal(n_hellos(0, &nodes[1].address, first), 0);
    assert_both_up(0, 2);
    assert_int_equal(n_targets(0), 1);
    assert_true(macs_changed());
    assert_macs(0x4);
    assert_state(1, 0, "down");
    assert_dropped(0, "10.0.0.2", make_snowsignal(), DROP_UNKNOWN_SENDER);
    assert_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2:99"),
                 "\"10.0.0.2:99\" is no peer; mesh/show has those that are");

    /* And return. */
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_node(0);
    run_for(2);
    assert_both_up(0, 1);
}

/* Frames go on where they were, for the other side knows what came. */
static void
test_a_peer_that_returns_goes_on_counting(void **state OVS_UNUSED)
{
    start_all(2);
    for (int i = 0; i < 10; i++) {
        send_frame(0);
    }
    run_for(10);
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(5000);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_node(0);
    run_for(10);
    uint32_t number = send_frame(0);
    run_for(10);
    assert_true(has_taken(1, number));
}

/* Even if we have forgotten it meanwhile. */
static void
test_a_peer_that_returns_late_goes_on_counting(void **state OVS_UNUSED)
{
    know(0, "10.0.0.3");
    start_all(2);
    for (int i = 0; i < 10; i++) {
        send_frame(0);
    }
    run_for(10);
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(2 * REMOTES_MAX_IDLE_MS);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    const size_t first = nodes[0].n_said;
    run_node(0);
    assert_int_equal(nodes[0].said[first].seq, 10);
    run_for(10);
    assert_both_up(0, 1);
    uint32_t number = send_frame(0);
    run_for(10);
    assert_true(has_taken(1, number));
}

static void
test_a_new_configuration(void **state OVS_UNUSED)
{
    start_all(3);
    const long long int since = peer_of(0, 2)->liveness.since;

    peer_specs_clear(&nodes[0].config.peers);
    know(0, "10.0.0.4");
    know(0, "10.0.0.3");
    nodes[0].config.ports[0] = 99;
    nodes[0].config.n_ports = 1;
    nodes[0].config.hello_ms = 200;
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_for(2000);
    assert_null(find_peer(0, 1));
    assert_state(0, 3, "silent");
    assert_both_up(0, 2);
    assert_true(peer_of(0, 2)->liveness.since == since);
    assert_int_equal(peer_of(2, 0)->liveness.interval, 200);
    assert_int_equal(peer_of(2, 0)->remote->n_ports, 1);
    assert_int_equal(peer_of(2, 0)->remote->ports[0], 99);
}

/* What the others should know they are told at once, of a new port as well. */
static void
test_news_are_told_at_once(void **state OVS_UNUSED)
{
    start_all(2);
    size_t first = nodes[0].n_said;

    run_node(0);
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
    assert_int_equal(nodes[0].n_said, first);

    nodes[0].config.ports[1]++;
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 1);
    assert_int_equal(nodes[0].said[first].hello.ports[1], 6001);

    nodes[0].config.n_ports = 1;
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
    assert_int_equal(nodes[0].said[first + 1].hello.n_ports, 1);

    peering_set_local_mac(nodes[0].peering, nodes[3].mac);
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 3);
    assert_true(
        eth_addr_equals(nodes[0].said[first + 2].hello.macs[0], nodes[3].mac));
    run_node(0);
    assert_int_equal(nodes[0].n_said, first + 3);
}

/* Of any number that a configuration may have. */
static void
test_all_ports_fit_in_a_hello(void **state OVS_UNUSED)
{
    introduce(2);
    nodes[0].config.n_ports = CONFIG_MAX_PORTS;
    for (size_t i = 0; i < CONFIG_MAX_PORTS; i++) {
        nodes[0].config.ports[i] = UINT16_MAX - i;
    }
    start(0);
    start(1);
    run_for(5);
    const struct remote *remote = peer_of(1, 0)->remote;
    assert_int_equal(remote->n_ports, CONFIG_MAX_PORTS);
    for (size_t i = 0; i < CONFIG_MAX_PORTS; i++) {
        assert_int_equal(remote->ports[i], UINT16_MAX - i);
    }
}

static void
test_names(void **state OVS_UNUSED)
{
    struct sset names = SSET_INITIALIZER(&names);

    know(0, "relay-b");
    know(0, "10.0.0.4");
    assert_no_error(
        peer_specs_add(&nodes[0].config.discover, "_mesh._udp.test", true));
    know(1, "10.0.0.1");
    start(0);
    start(1);
    peering_add_names(nodes[0].peering, &names);
    assert_int_equal(sset_count(&names), 2);
    assert_true(sset_contains(&names, "relay-b"));
    assert_true(sset_contains(&names, "_mesh._udp.test"));
    run_for(1000);
    assert_null(find_peer(0, 1));

    /* Found. */
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    run_node(0);
    run_for(2);
    assert_both_up(0, 1);

    /* Led elsewhere: what was known is not true of there. */
    MOCK_RESOLVE("relay-b", "10.0.0.3");
    update(0);
    assert_state(0, 2, "probing");
    assert_null(peer_of(0, 2)->remote);
    run_for(1000);
    assert_state(0, 2, "silent");
    assert_null(find_peer(0, 1));

    /* Added and removed ones. */
    assert_no_error(peering_add(nodes[0].peering, NULL, "relay-c:99"));
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.4"));
    sset_clear(&names);
    peering_add_names(nodes[0].peering, &names);
    assert_int_equal(sset_count(&names), 3);
    assert_true(sset_contains(&names, "relay-c"));
    sset_destroy(&names);
}

/* Nothing of that is news to who has it. */
static void
test_an_update_without_news(void **state OVS_UNUSED)
{
    start_all(3);
    assert_true(macs_changed());
    const long long int since = peer_of(0, 1)->liveness.since;
    const size_t first = nodes[0].n_said;

    for (int i = 0; i < 100; i++) {
        update(0);
        run_for(10);
        assert_both_up(0, 1);
        assert_false(macs_changed());
    }
    assert_true(peer_of(0, 1)->liveness.since == since);
    assert_in_range(n_hellos(0, NULL, first), 2, 4);
    assert_int_equal(n_targets(0), 2);
}

/* Waiting. */

/* With the real clock: who runs when peering_wait() wakes it finds that
 * something is due, and not before. */
static void
test_waiting(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    net.now = time_msec() * 1000;
    start(0);
    const long long int due = clock_ms(0) + LIVENESS_PROBE_MS;

    /* Nobody waits for MACs. */
    peering_macs_changed(nodes[0].peering, clock_us(0) + 1000000);

    alarm(60);
    while (!strcmp(peer_state_name(peer_of(0, 1)), "probing")) {
        peering_wait(nodes[0].peering);
        poll_block();
        net.now = time_msec() * 1000;
        run_node(0);
    }
    alarm(0);
    assert_state(0, 1, "silent");
    assert_true(time_msec() >= due);
}

/* For MACs nobody else wakes. */
static void
test_waiting_for_macs(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    nodes[0].id = 0; /* So that nothing else is due. */
    net.now = time_msec() * 1000;
    start(0);
    const long long int due = clock_ms(0) + PEER_MACS_SETTLE_MS;

    alarm(60);
    peering_wait(nodes[0].peering);
    poll_block();
    alarm(0);
    assert_true(time_msec() >= due);
}

/* Nor for what the others should know at once. */
static void
test_waiting_with_news(void **state OVS_UNUSED)
{
    know(0, "10.0.0.1");
    net.now = time_msec() * 1000;
    start(0);
    peering_macs_changed(nodes[0].peering, clock_us(0) + 1000000);
    peering_set_local_mac(nodes[0].peering, nodes[3].mac);

    alarm(30);
    peering_wait(nodes[0].peering);
    poll_block();
    alarm(0);
}

/* At random. */

/* Has a frame of each of the first 'n' nodes that live come to all others of
 * them, once. */
static void
check_frames_come(size_t n)
{
    uint32_t first = net.n_frames;

    for (size_t i = 0; i < n; i++) {
        if (nodes[i].peering) {
            send_frame(i);
        }
    }
    run_for(500);
    for (uint32_t number = first; number < net.n_frames; number++) {
        for (size_t i = 0; i < n; i++) {
            if (nodes[i].peering) {
                assert_int_equal(has_taken(i, number),
                                 net.frame_sender[number] != i);
            }
        }
    }
}

/* Fails the test unless those of the first 'n' nodes who live know each other
 * to be up, and nobody knows a dead one to be. */
static void
check_who_lives(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t n_macs = 0, n_known = 0;

        if (!nodes[i].peering) {
            continue;
        }
        for (size_t j = 0; j < n; j++) {
            const struct peer *peer = peer_of(i, j);

            if (j == i) {
                assert_state(i, j, "own");
            } else if (nodes[j].peering) {
                assert_state(i, j, "up");
                assert_true(peer->speaks_ours);
                assert_true(peer->remote->id == nodes[j].id);
                assert_true(peer->remote->session == session_of(j));
                assert_in_range(peer->liveness.rtt, 2 * 1000,
                                2 * (1000 + 2 * net.jitter));
            } else if (peer->remote) {
                assert_state(i, j, "down");
            } else {
                /* Has never been heard, but perhaps its frames. */
                assert_true(peer->liveness.state == LIVENESS_SILENT
                            || peer->liveness.state == LIVENESS_SNOWSIGNAL);
            }
            n_known += peer->remote != NULL;
        }
        peering_macs_changed(nodes[i].peering, clock_us(i));
        peering_macs(nodes[i].peering, &n_macs);
        assert_int_equal(n_macs, n_known);
        assert_true(peering_has_begun(nodes[i].peering));
        assert_int_equal(nodes[i].n_drops[DROP_OWN], 0);
        assert_int_equal(nodes[i].n_drops[DROP_UNKNOWN_SENDER], 0);
        assert_int_equal(nodes[i].n_drops[DROP_FORMAT], 0);
    }
}

/* Something happens to the first 'n' nodes. */
static void
disturb(size_t n)
{
    size_t i = next_random(&net.seed) % n;
    size_t j = next_random(&net.seed) % n;

    switch (next_random(&net.seed) % 32) {
    case 0:
        if (nodes[i].peering) {
            stop(i);
        }
        break;
    case 1:
        if (nodes[i].peering) {
            peering_leave(nodes[i].peering, &nodes[i].mesh);
            stop(i);
        }
        break;
    case 2:
    case 3:
    case 11:
    case 12:
    case 13:
        if (!nodes[i].peering) {
            start(i);
        }
        break;
    case 4: net.cut[i][j] = net.cut[j][i] = true; break;
    case 5: net.cut[i][j] = true; break;
    case 6:
    case 7:
    case 8:
    case 14: net.cut[i][j] = net.cut[j][i] = false; break;
    case 15: memset(net.cut, 0, sizeof net.cut); break;
    case 9: /* All of one side. */
        for (size_t k = 0; k < n; k++) {
            net.cut[i][k] = net.cut[k][i] = next_random(&net.seed) % 2;
        }
        break;
    case 10:
        if (nodes[i].peering) {
            update(i);
        }
        break;
    default:
        for (size_t k = next_random(&net.seed) % 8; nodes[i].peering && k < 8;
             k++) {
            send_frame(i);
        }
        break;
    }
}

/* Returns how often anybody was up for anybody else, in the end of a step. */
static size_t
simulate(uint32_t seed, size_t n, unsigned int steps)
{
    size_t n_up = 0;

    introduce(n);
    net.seed = seed;
    net.jitter = 30000;
    net.loss = net.dups = 10;
    for (unsigned int step = 0; step < steps; step++) {
        disturb(n);

        /* A datagram lives shorter than a relay is dead, or a session of two
         * restarts ago could be taken for a new one. */
        run_for(65 + next_random(&net.seed) % 200);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; nodes[i].peering && j < n; j++) {
                n_up += i != j && is_up(i, j);
            }
        }
    }

    /* Or it would prove little. */
    assert_true(nodes[0].n_frames > steps / 4);
    assert_true(nodes[0].n_drops[DROP_DUPLICATE] > steps / 50);

    memset(net.cut, 0, sizeof net.cut);
    net.loss = 0;
    run_for(LIVENESS_MAX_PROBE_INTERVAL_MS + 5000);
    check_who_lives(n);
    check_frames_come(n);
    return n_up;
}

static void
test_random_networks(void **state OVS_UNUSED)
{
    enum { ROUNDS = 12, STEPS = 5000 };
    size_t n_up = 0;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        set_up(NULL);
        n_up += simulate(round + 1, 3 + round % 4, STEPS);
        tear_down(NULL);
    }
    assert_true(n_up > 3 * ROUNDS * STEPS);
}

/* A network that only loses, doubles and reorders takes nobody down for good,
 * and what comes counts once. */
static void
test_a_bad_network(void **state OVS_UNUSED)
{
    enum { SECONDS = 300 };
    size_t n_up = 0;

    start_all(3);
    net.jitter = 400000;
    net.loss = net.dups = 20;
    for (int i = 0; i < SECONDS * 10; i++) {
        send_frame(i % 3);
        run_for(100);
        n_up += is_up(0, 1);
    }
    assert_true(n_up > SECONDS * 10 * 2 / 3);
    net.loss = 0;
    run_for(5000);
    check_who_lives(3);
    check_frames_come(3);
}

/* Its MACs are no peer's any more. */
static void
test_macs_of_one_set_aside_leave(void **state OVS_UNUSED)
{
    start_all(2);
    assert_true(macs_changed());
    assert_macs(0x2);
    nodes[0].host.addresses[1].address = nodes[1].address.address;
    nodes[0].host.n = 2;
    update(0);
    assert_state(0, 1, "own");
    run_for(1000);
    assert_true(macs_changed());
    assert_macs(0);
}

/* When one of two with the same id is gone, the other is heard again. */
static void
test_the_clone_of_a_peer_goes(void **state OVS_UNUSED)
{
    nodes[2].id = nodes[1].id;
    introduce(3);
    start(0);
    start(1);
    run_for(5000);
    assert_state(0, 1, "up");
    start(2);
    run_for(20000);
    stop(2);
    run_for(60000);
    assert_state(0, 1, "up");
}

/* A datagram of two sessions ago is no reason not to hear the present one. */
static void
test_a_very_late_datagram(void **state OVS_UNUSED)
{
    start_all(2);
    const uint64_t first = session_of(1);

    for (int i = 0; i < 2; i++) {
        stop(1);
        run_for(100);
        start(1);
        run_for(10);
    }
    take(0, "10.0.0.2", make_frame(nodes[1].id, first, 3), &(int){ 0 });
    run_for(60000);
    assert_state(0, 1, "up");
}

/* A relay is heard by what it echoes, so its bye should be too. */
static void
test_bye_from_an_accepted_address(void **state OVS_UNUSED)
{
    introduce(2);
    assert_true(subnet_from_text("10.0.9.0/24", &nodes[0].accept));
    nodes[0].config.accept = &nodes[0].accept;
    nodes[0].config.n_accept = 1;
    nodes[1].source = endpoint_of("10.0.9.2");
    start(0);
    start(1);
    run_for(500);
    assert_both_up(0, 1);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    assert_state(0, 1, "down");
}

/* A relay that only accepts forgets as others do. */
static void
test_who_greets_nobody_forgets_too(void **state OVS_UNUSED)
{
    know(0, "10.0.0.1");
    assert_true(subnet_from_text("10.0.9.0/24", &nodes[0].accept));
    nodes[0].config.accept = &nodes[0].accept;
    nodes[0].config.n_accept = 1;
    start(0);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
    run_for(3 * REMOTES_MAX_IDLE_MS);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
}

/* Oneself, again. */

/* What node 0 says to 'peer', as it comes back to it. */
static struct made
make_own_hello(const struct peer *peer)
{
    struct hello h = plain_hello;

    h.path = peer->path;
    return make_hello(nodes[0].id, session_of(0), &h);
}

/* Where another relay has answered the network sends the hello back. */
static void
test_a_hello_sent_back_sets_nobody_aside(void **state OVS_UNUSED)
{
    start_all(2);
    const struct remote *remote = peer_of(0, 1)->remote;
    const uint32_t path = peer_of(0, 1)->path;

    for (int i = 0; i < 100; i++) {
        assert_dropped(0, "10.0.0.2", make_own_hello(peer_of(0, 1)), DROP_OWN);
        assert_false(peering_wants_update(nodes[0].peering, clock_us(0)));
        run_for(100);
        assert_state(0, 1, "up");
    }
    assert_ptr_equal(peer_of(0, 1)->remote, remote);
    assert_int_equal(peer_of(0, 1)->path, path);

    /* Nor when it is down. */
    stop(1);
    run_for(10000);
    assert_state(0, 1, "down");
    assert_dropped(0, "10.0.0.2", make_own_hello(peer_of(0, 1)), DROP_OWN);
    assert_state(0, 1, "down");
    start(1);
    run_for(2);
    assert_both_up(0, 1);
}

/* Has node 0 know an address that leads to itself, and find that out. */
static void
find_itself(void)
{
    nodes[0].address = nodes[0].source = endpoint_of("10.0.0.99");
    start(0);
    run_for(1);
}

/* The address may have become somebody else's, so it is asked. */
static void
test_who_was_set_aside_is_asked_again(void **state OVS_UNUSED)
{
    know(0, "10.0.0.99");
    find_itself();
    assert_state(0, 0, "own");
    for (size_t n = 1; n <= 5; n++) {
        assert_int_equal(nodes[0].n_said, n);
        run_for(PEERS_SELF_MS - 1);
        assert_state(0, 0, "own");
        assert_int_equal(nodes[0].n_said, n);
        run_for(1);
        assert_state(0, 0, "probing");
        assert_int_equal(n_targets(0), 0);
        run_for(1);
        assert_state(0, 0, "own");
        assert_int_equal(n_targets(0), 0);
        assert_int_equal(nodes[0].n_said, n + 1);
    }
}

/* And answers. */
static void
test_who_was_set_aside_is_somebody_else_now(void **state OVS_UNUSED)
{
    know(0, "10.0.0.99");
    know(1, "10.0.0.99");
    find_itself();
    assert_state(0, 0, "own");

    nodes[0].address = nodes[0].source = endpoint_of("10.0.0.1");
    nodes[1].address = nodes[1].source = endpoint_of("10.0.0.99");
    nodes[1].host.addresses[0].address = nodes[1].address.address;
    assert_no_error(peer_specs_add(&nodes[1].config.peers, "10.0.0.1", true));
    start(1);
    run_for(PEERS_SELF_MS - 1000);
    assert_state(0, 1, "own");
    run_for(1000);
    run_for(5);
    assert_both_up(0, 1);
    assert_true(peer_of(0, 1)->remote->id == nodes[1].id);
}

/* One that nobody asked for by itself is no peer meanwhile, and asked too. */
static void
test_a_discovered_one_is_asked_again(void **state OVS_UNUSED)
{
    MOCK_RESOLVE("_mesh._udp.test", "10.0.0.2:7124", "10.0.0.99:7124");
    assert_no_error(
        peer_specs_add(&nodes[0].config.discover, "_mesh._udp.test", true));
    find_itself();
    const struct peers *peers = peering_peers(nodes[0].peering);

    assert_int_equal(peers->n_all, 1);
    assert_null(find_peer(0, 0));
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 1);
    run_for(PEERS_SELF_MS - 1);
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 1);
    run_for(1);
    assert_state(0, 0, "probing");
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 2);
    run_for(1);
    assert_int_equal(peers->n_all, 1);
    run_for(PEERS_SELF_MS / 2);
    assert_int_equal(n_hellos(0, &nodes[0].address, 0), 2);
}

static void
test_updates_are_wanted_in_time(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    start(0);
    const struct peering *p = nodes[0].peering;
    const long long int now = clock_us(0);

    assert_false(peering_wants_update(p, now));
    assert_false(peering_wants_update(p, now + (1LL << 40)));
    assert_dropped(0, "10.0.0.2", make_own_hello(peer_of(0, 1)), DROP_OWN);
    assert_true(peering_wants_update(p, now));
    update(0);
    assert_false(peering_wants_update(p, now));
    assert_false(peering_wants_update(p, now + 1000LL * PEERS_SELF_MS - 1));
    assert_true(peering_wants_update(p, now + 1000LL * PEERS_SELF_MS));

    /* An update meanwhile does not put it off. */
    net.now += 1000000;
    update(0);
    assert_false(peering_wants_update(p, now + 1000LL * PEERS_SELF_MS - 1));
    assert_true(peering_wants_update(p, now + 1000LL * PEERS_SELF_MS));
}

/* Who has nothing else to do waits for an update. */
static void
test_waiting_for_an_update(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    net.now = time_msec() * 1000;
    start(0);
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    assert_dropped(0, "10.0.0.2", make_own_hello(peer_of(0, 1)), DROP_OWN);
    peering_macs_changed(nodes[0].peering, clock_us(0) + 1000000);
    assert_true(peering_wants_update(nodes[0].peering, clock_us(0)));

    alarm(30);
    peering_wait(nodes[0].peering);
    poll_block();
    alarm(0);
}

/* Several ways to one relay. */

/* Gives node 'i' another address, by which it is 'delay' us farther away. */
static void
add_way(size_t i, const char *address, long long int delay)
{
    struct node *node = &nodes[i];

    assert_in_range(node->n_ways, 0, MAX_WAYS - 1);
    node->ways[node->n_ways++] = (struct way){
        .address = endpoint_of(address),
        .delay = delay,
    };
}

/* Returns the peer of node 'i' that is sent to at the 'k'th other address of
 * node 'j'. */
static struct peer *
peer_by_way(size_t i, size_t j, size_t k)
{
    struct peer *peer = find_peer_at(i, &nodes[j].ways[k].address);

    assert_non_null(peer);
    return peer;
}

/* Has the nodes 0 and 1 live for two minutes.  Fails the test unless all peers
 * of node 0 stay up with round-trip times of their own, just one gets frames,
 * which come once, and the two say little. */
static void
check_ways(size_t n_ways)
{
    enum { SECONDS = 120 };
    const uint64_t n_sent = net.n_sent;

    for (int i = 0; i < SECONDS; i++) {
        const struct remote *remote = peer_of(0, 1)->remote;
        uint32_t number;

        assert_int_equal(peer_of(0, 1)->liveness.state, LIVENESS_UP);
        assert_int_equal(peer_of(0, 1)->liveness.rtt, 2000);
        assert_true(remote->id == nodes[1].id);
        for (size_t k = 0; k < n_ways; k++) {
            const struct peer *peer = peer_by_way(0, 1, k);

            assert_int_equal(peer->liveness.state, LIVENESS_UP);
            assert_int_equal(peer->liveness.rtt,
                             2000 + nodes[1].ways[k].delay);
            assert_int_equal(peer->liveness.unheard, 0);
            assert_ptr_equal(peer->remote, remote);
        }
        assert_int_equal(n_targets(0), 1);
        assert_int_equal(n_targets(1), 1);
        number = send_frame(0);
        send_frame(1);
        run_for(1000);
        assert_true(has_taken(1, number));
        assert_true(has_taken(0, number + 1));
    }
    assert_int_equal(nodes[0].n_drops[DROP_DUPLICATE], 0);
    assert_int_equal(nodes[1].n_drops[DROP_DUPLICATE], 0);
    assert_in_range(net.n_sent - n_sent, SECONDS * (2 + 2),
                    SECONDS * (2 + 2 * (1 + n_ways) + 2));
}

static void
test_one_of_two_addresses(void **state OVS_UNUSED)
{
    add_way(1, "10.0.0.102", 10000);
    introduce(2);
    know(0, "10.0.0.102");
    start(0);
    start(1);
    run_for(1500);
    check_ways(1);
    assert_state(1, 0, "up");
}

static void
test_one_of_three_addresses(void **state OVS_UNUSED)
{
    add_way(1, "10.0.0.102", 10000);
    add_way(1, "10.0.0.103", 130000);
    introduce(2);
    know(0, "10.0.0.102");
    know(0, "10.0.0.103");
    start(1);
    run_for(3000);
    start(0);
    run_for(1500);
    check_ways(2);
    assert_state(1, 0, "up");
}

/* Also if one of the two says hello far more often. */
static void
test_ways_of_relays_of_different_paces(void **state OVS_UNUSED)
{
    static const uint32_t paces[][2] = { { 100, 5000 }, { 5000, 100 } };

    for (size_t i = 0; i < ARRAY_SIZE(paces); i++) {
        set_up(NULL);
        add_way(1, "10.0.0.102", 10000);
        introduce(2);
        know(0, "10.0.0.102");
        nodes[0].config.hello_ms = paces[i][0];
        nodes[1].config.hello_ms = paces[i][1];
        start(0);
        start(1);
        run_for(10000);
        const long long int since = peer_of(0, 1)->liveness.since;
        const uint64_t n_sent = net.n_sent;
        for (int k = 0; k < 600; k++) {
            run_for(100);
            assert_int_equal(peer_of(0, 1)->liveness.state, LIVENESS_UP);
            assert_int_equal(peer_by_way(0, 1, 0)->liveness.state,
                             LIVENESS_UP);
            assert_state(1, 0, "up");
        }
        assert_int_equal(peer_by_way(0, 1, 0)->liveness.rtt, 12000);
        assert_true(peer_of(0, 1)->liveness.since == since);
        assert_in_range(net.n_sent - n_sent, 60 * 10, 60 * 35);
        tear_down(NULL);
    }
}

/* The same on both sides, which send from one address each. */
static void
test_both_by_two_addresses(void **state OVS_UNUSED)
{
    add_way(0, "10.0.0.101", 0);
    add_way(1, "10.0.0.102", 10000);
    introduce(2);
    know(0, "10.0.0.102");
    know(1, "10.0.0.101");
    start(0);
    start(1);
    run_for(1500);
    for (int i = 0; i < 120; i++) {
        const uint64_t n_sent = net.n_sent;

        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(peer_of(k, !k)->liveness.state, LIVENESS_UP);
            assert_int_equal(peer_by_way(k, !k, 0)->liveness.state,
                             LIVENESS_UP);
            assert_ptr_equal(peer_of(k, !k)->remote,
                             peer_by_way(k, !k, 0)->remote);
            assert_int_equal(peer_of(k, !k)->liveness.unheard, 0);
            assert_int_equal(peer_by_way(k, !k, 0)->liveness.unheard, 0);
            assert_int_equal(n_targets(k), 1);
        }
        run_for(1000);
        assert_in_range(net.n_sent - n_sent, 2, 12);
    }
    check_frames_come(2);
    assert_int_equal(nodes[0].n_drops[DROP_DUPLICATE], 0);
    assert_int_equal(nodes[1].n_drops[DROP_DUPLICATE], 0);
}

/* A hello by another way is answered at once, whether it asks or not, and what
 * is echoed in turn stays the same. */
static void
test_a_hello_from_elsewhere_is_answered(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    run_node(0);
    run_for(400);
    const size_t first = nodes[0].n_said;
    const long long int next = peer_of(0, 1)->liveness.next_hello;

    h.path = 2;
    h.timestamp = 12345;
    for (size_t k = 0; k < 2; k++) {
        const struct said *said = &nodes[0].said[first + k];

        h.answer = false;
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
        assert_int_equal(nodes[0].n_said, first + k + 1);
        assert_true(said->hello.answers);
        assert_false(said->hello.answer);
        assert_int_equal(said->hello.echo_path, 2);
        assert_true(said->hello.echo_session == 7);
        assert_true(said->hello.echo_timestamp == 12345);
        assert_int_equal(said->hello.held, 0);
        assert_true(said->when == clock_us(0));
        assert_int_equal(said->hello.path, peer_of(0, 1)->path);
    }
    assert_true(peer_of(0, 1)->liveness.next_hello == next);
    assert_int_equal(peer_of(0, 1)->echo.path, 1);
    run_for(1000);
    assert_int_equal(nodes[0].n_said, first + 3);
    assert_false(nodes[0].said[first + 2].hello.answers);
    assert_int_equal(nodes[0].said[first + 2].hello.echo_path, 1);
    assert_true(nodes[0].said[first + 2].hello.held >= 1000000);
}

/* Who asks has not heard of us by any other way. */
static void
test_who_asks_from_elsewhere_is_echoed_from_then_on(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    run_node(0);
    run_for(400);
    const size_t first = nodes[0].n_said;

    h.path = 2;
    h.answer = true;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, first + 1);
    assert_false(nodes[0].said[first].hello.answers);
    assert_int_equal(nodes[0].said[first].hello.echo_path, 2);
    assert_int_equal(peer_of(0, 1)->echo.path, 2);
}

/* What is an answer itself is not, or there would be no end. */
static void
test_answers_are_not_answered(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    run_node(0);
    const size_t first = nodes[0].n_said;
    h.answers = true;
    for (int i = 0; i < 10; i++) {
        h.path++;
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    }
    assert_int_equal(nodes[0].n_said, first);

    /* Unless its sender has not heard of us. */
    h.answer = true;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, first + 1);
}

/* Hellos by all ways together. */
static void
test_answers_to_elsewhere_are_limited(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    const size_t first = nodes[0].n_said;
    for (int i = 0; i < 10 * MAX_ANSWERS; i++) {
        h.path++;
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    }
    assert_int_equal(nodes[0].n_said - first, MAX_ANSWERS);
}

/* One way is as good as another when the first has fallen silent, or when its
 * relay has started anew. */
static void
test_the_way_that_is_echoed_changes(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    h.path = 2;
    net.now += LIVENESS_MAX_MISSED * 1000000 - 1;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(peer_of(0, 1)->echo.path, 1);
    net.now += 1;
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(peer_of(0, 1)->echo.path, 2);
    h.path = 3;
    assert_taken(0, "10.0.0.2", make_hello(7, 8, &h), PEERING_CONTROL);
    assert_int_equal(peer_of(0, 1)->echo.path, 3);
    assert_true(peer_of(0, 1)->echo.session == 8);
}

/* A peer whose other address sends from where nobody is known. */
static void
test_two_addresses_of_one_that_accepts(void **state OVS_UNUSED)
{
    /* What node 0 sends to 10.0.0.102 comes from 10.0.9.1. */
    add_way(1, "10.0.0.102", 10000);
    nodes[1].ways[0].source = endpoint_of("10.0.9.1");
    introduce(2);
    know(0, "10.0.0.102");
    assert_true(subnet_from_text("10.0.9.0/24", &nodes[1].accept));
    nodes[1].config.accept = &nodes[1].accept;
    nodes[1].config.n_accept = 1;
    start(0);
    start(1);
    run_for(1500);
    check_ways(1);
    assert_state(1, 0, "up");
}

/* But one that is no peer by any address gets none. */
static void
test_accepted_strangers_get_no_answer(void **state OVS_UNUSED)
{
    struct hello h = plain_hello;

    accept_relay(0);
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &plain_hello),
                 PEERING_CONTROL);
    run_node(0);
    const size_t first = nodes[0].n_said;
    h.answer = true;
    assert_taken(0, "10.0.9.1", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, first);

    /* Where it is, the one that is has an answer, as often as others. */
    h.path = 77;
    for (int i = 0; i < 2 * MAX_ANSWERS; i++) {
        h.answer = i % 2;
        assert_taken(0, "10.0.9.1", make_hello(8, 8, &h), PEERING_CONTROL);
    }
    assert_int_equal(n_hellos(0, &nodes[1].address, first), MAX_ANSWERS);
    assert_int_equal(nodes[0].n_said, first + MAX_ANSWERS);
    assert_true(nodes[0].said[first].hello.answers);
    assert_int_equal(nodes[0].said[first].hello.echo_path, 77);

    net.now += ANSWERS_MS * 1000;
    h.answer = false;
    h.answers = true;
    assert_taken(0, "10.0.9.1", make_hello(8, 8, &h), PEERING_CONTROL);
    assert_int_equal(nodes[0].n_said, first + MAX_ANSWERS);
}

/* Frames and farewells from an accepted address. */
static void
test_what_an_accepted_address_sends_is_its_peers(void **state OVS_UNUSED)
{
    accept_relay(0);
    assert_taken(0, "10.0.0.2", make_hello(8, 8, &plain_hello),
                 PEERING_CONTROL);
    struct peer *peer = peer_of(0, 1);

    for (unsigned int i = 0; i < 100; i++) {
        assert_taken(0, "10.0.9.1", make_frame(8, 8, i), PEERING_FRAME);
        run_for(100);
        assert_state(0, 1, "up");
    }
    assert_dropped(0, "10.0.9.1", make_frame(8, 8, 99), DROP_DUPLICATE);
    assert_int_equal(peer->rx, 101);
    assert_int_equal(peer->rx_bytes, 101 * 7);
    assert_taken(0, "10.0.9.1", make_frame(7, 7, 8), PEERING_FRAME);
    assert_taken(0, "10.0.9.1", make_snowsignal(), PEERING_FRAME);
    assert_int_equal(peer->rx, 101);

    assert_taken(0, "10.0.9.1", make_bye(7, 7), PEERING_CONTROL);
    assert_taken(0, "10.0.9.1", make_bye(8, 9), PEERING_CONTROL);
    assert_state(0, 1, "up");
    assert_taken(0, "10.0.9.1", make_bye(8, 8), PEERING_CONTROL);
    assert_state(0, 1, "down");
}

/* Those from another peer's address too: the id tells whose they are. */
static void
test_frames_count_for_whom_they_are_from(void **state OVS_UNUSED)
{
    know(0, "10.0.0.2");
    know(0, "10.0.0.3");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.3", make_hello(8, 8, &plain_hello),
                 PEERING_CONTROL);
    assert_taken(0, "10.0.0.3", make_frame(7, 7, 0), PEERING_FRAME);
    assert_int_equal(peer_of(0, 1)->rx, 1);
    assert_int_equal(peer_of(0, 2)->rx, 0);
    assert_taken(0, "10.0.0.3", make_frame(9, 9, 0), PEERING_FRAME);
    assert_int_equal(peer_of(0, 2)->rx, 1);
}

/* A bye ends all ways to its relay. */
static void
test_a_bye_by_one_of_two_ways(void **state OVS_UNUSED)
{
    add_way(1, "10.0.0.102", 10000);
    introduce(2);
    know(0, "10.0.0.102");
    start(0);
    start(1);
    run_for(1500);
    peering_leave(nodes[1].peering, &nodes[1].mesh);
    run_for(1);
    assert_int_equal(peer_of(0, 1)->liveness.state, LIVENESS_DOWN);
    assert_int_equal(peer_by_way(0, 1, 0)->liveness.state, LIVENESS_DOWN);
}

/* Asking the silent. */

/* Has node 0 know three that are silent, and 10.0.0.2. */
static void
fall_silent(void)
{
    introduce(5);
    assert_true(subnet_from_text("10.0.9.0/24", &nodes[0].accept));
    nodes[0].config.accept = &nodes[0].accept;
    nodes[0].config.n_accept = 1;
    start(0);
    run_for(70000);
    assert_state(0, 2, "silent");
    assert_state(0, 4, "silent");
}

/* One of them may be the relay that comes up. */
static void
test_the_silent_are_greeted_when_a_relay_comes_up(void **state OVS_UNUSED)
{
    fall_silent();
    for (uint64_t session = 7; session < 9; session++) {
        const size_t first = nodes[0].n_said;

        assert_taken(0, "10.0.0.2", make_hello(7, session, &plain_hello),
                     PEERING_CONTROL);
        run_for(1);
        for (size_t j = 2; j < 5; j++) {
            assert_int_equal(n_hellos(0, &nodes[j].address, first), 1);
        }
        run_for(1500);
        assert_taken(0, "10.0.0.2", make_hello(7, session, &plain_hello),
                     PEERING_CONTROL);
        run_for(1500);
        for (size_t j = 2; j < 5; j++) {
            assert_int_equal(n_hellos(0, &nodes[j].address, first), 1);
        }
    }
}

/* Whether or not it is a peer. */
static void
test_the_silent_are_greeted_when_a_relay_is_accepted(void **state OVS_UNUSED)
{
    fall_silent();
    const size_t first = nodes[0].n_said;

    assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(1);
    for (size_t j = 1; j < 5; j++) {
        assert_int_equal(n_hellos(0, &nodes[j].address, first), 1);
    }
}

/* Even if its frames come first. */
static void
test_the_silent_are_greeted_after_frames(void **state OVS_UNUSED)
{
    fall_silent();
    const size_t first = nodes[0].n_said;

    assert_taken(0, "10.0.9.1", make_frame(7, 7, 7), PEERING_FRAME);
    assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(1);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 1);
}

/* However many come up. */
static void
test_the_silent_are_greeted_once_a_second(void **state OVS_UNUSED)
{
    fall_silent();
    const size_t first = nodes[0].n_said;

    for (uint64_t id = 0x1000; id < 0x1000 + 10 * RECALL_MS / 100; id++) {
        assert_taken(0, "10.0.9.1", make_hello(id, 7, &plain_hello),
                     PEERING_CONTROL);
        run_for(100);
    }
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 10);

    /* The last ones are not forgotten, and then there is silence. */
    run_for(RECALL_MS);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 11);
    run_for(5 * RECALL_MS);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 11);
}

/* Whatever else there is to do meanwhile. */
static void
test_the_silent_are_greeted_once_a_second_among_others(void **state OVS_UNUSED)
{
    nodes[0].config.hello_ms = 100;
    fall_silent();
    assert_taken(0, "10.0.0.2", make_hello(0x999, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(RECALL_MS);
    const size_t first = nodes[0].n_said;

    for (uint64_t id = 0x1000; id < 0x1000 + 30; id++) {
        assert_taken(0, "10.0.9.1", make_hello(id, 7, &plain_hello),
                     PEERING_CONTROL);
        run_for(100);
    }
    assert_in_range(n_hellos(0, &nodes[1].address, first), 28, 40);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 3);
}

static void
test_the_silent_are_greeted_in_time(void **state OVS_UNUSED)
{
    fall_silent();
    const size_t first = nodes[0].n_said;

    assert_taken(0, "10.0.9.1", make_hello(7, 7, &plain_hello),
                 PEERING_CONTROL);
    run_for(1);
    assert_taken(0, "10.0.9.1", make_hello(8, 7, &plain_hello),
                 PEERING_CONTROL);
    peering_set_local_mac(nodes[0].peering, nodes[0].mac);
    run_node(0);
    run_for(RECALL_MS - 1);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 1);
    run_for(1);
    assert_int_equal(n_hellos(0, &nodes[2].address, first), 2);
}

/* New configurations. */

/* Loads a configuration into node 0 that has the peers 'a' and 'b', or one of
 * them if 'b' is NULL. */
static void
reconfigure(const char *a, const char *b)
{
    peer_specs_clear(&nodes[0].config.peers);
    know(0, a);
    if (b) {
        know(0, b);
    }
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
}

/* Fails the test unless frames between the first two nodes come, once, for
 * 'ms'. */
static void
check_exchange(unsigned int ms)
{
    for (unsigned int i = 0; i < ms; i += 50) {
        uint32_t number = send_frame(0);

        send_frame(1);
        run_for(50);
        assert_true(has_taken(1, number));
        assert_true(has_taken(0, number + 1));
    }
}

/* The name may be that of the peer that goes. */
static void
test_peers_stay_until_names_are_known(void **state OVS_UNUSED)
{
    start_all(2);
    struct peer *peer = peer_of(0, 1);
    const long long int since = peer->liveness.since;

    reconfigure("relay-b", NULL);
    assert_ptr_equal(find_peer(0, 1), peer);
    check_exchange(3000);
    assert_ptr_equal(find_peer(0, 1), peer);
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    assert_ptr_equal(find_peer(0, 1), peer);
    assert_string_equal(peer->name, "relay-b");
    assert_int_equal(peering_peers(nodes[0].peering)->n_all, 1);
    check_exchange(KEEP_MS + 1000);
    assert_ptr_equal(find_peer(0, 1), peer);
    assert_true(peer->liveness.since == since);
    assert_both_up(0, 1);
}

/* Also while another name is still unknown. */
static void
test_peers_stay_while_some_names_are_known(void **state OVS_UNUSED)
{
    start_all(2);
    struct peer *peer = peer_of(0, 1);

    reconfigure("relay-b", "relay-c");
    check_exchange(1000);
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    assert_ptr_equal(find_peer(0, 1), peer);
    check_exchange(1000);
    MOCK_RESOLVE("relay-c", "10.0.0.3");
    update(0);
    assert_ptr_equal(find_peer(0, 1), peer);
    check_exchange(KEEP_MS);
    assert_int_equal(peering_peers(nodes[0].peering)->n_all, 2);
}

static void
test_peers_stay_for_some_seconds(void **state OVS_UNUSED)
{
    start_all(2);
    reconfigure("relay-b", NULL);
    const long long int end = clock_us(0) + KEEP_MS * 1000;

    assert_false(peering_wants_update(nodes[0].peering, end - 1000));
    assert_true(peering_wants_update(nodes[0].peering, end));
    run_for(KEEP_MS - 1);
    assert_both_up(0, 1);
    update(0); /* Does not put it off. */
    assert_both_up(0, 1);
    run_for(1);
    assert_null(find_peer(0, 1));
    assert_int_equal(n_targets(0), 0);
    assert_false(peering_wants_update(nodes[0].peering, INT64_C(1) << 60));
}

/* Names that lead elsewhere end it. */
static void
test_peers_go_when_names_lead_elsewhere(void **state OVS_UNUSED)
{
    start_all(2);
    reconfigure("relay-b", NULL);
    run_for(1000);
    assert_both_up(0, 1);
    MOCK_RESOLVE("relay-b", "10.0.0.3");
    update(0);
    assert_null(find_peer(0, 1));
    assert_state(0, 2, "probing");
    assert_false(peering_wants_update(nodes[0].peering, INT64_C(1) << 60));
}

static void
test_peers_go_at_once_without_unknown_names(void **state OVS_UNUSED)
{
    start_all(3);
    MOCK_RESOLVE("relay-b", "10.0.0.3");
    reconfigure("relay-b", NULL);
    assert_null(find_peer(0, 1));
    assert_state(0, 2, "up");
    assert_int_equal(n_targets(0), 1);
}

/* Names that are unknown for other reasons keep nobody. */
static void
test_removed_peers_go_at_once(void **state OVS_UNUSED)
{
    introduce(3);
    know(0, "relay-b");
    for (size_t i = 0; i < 3; i++) {
        start(i);
    }
    run_for(500);
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    assert_null(find_peer(0, 1));
    assert_both_up(0, 2);
}

/* Everybody is to know at once how often there is something to hear. */
static void
test_a_new_pace_is_told_at_once(void **state OVS_UNUSED)
{
    static const uint32_t paces[] = { 60000, 100, 5000, 200, 1000 };

    start_all(3);
    const long long int since[] = { 0, peer_of(1, 0)->liveness.since,
                                    peer_of(2, 0)->liveness.since };

    for (size_t k = 0; k < ARRAY_SIZE(paces); k++) {
        const size_t first = nodes[0].n_said;

        nodes[0].config.hello_ms = paces[k];
        peering_configure(nodes[0].peering, &nodes[0].config);
        update(0);
        run_node(0);
        assert_int_equal(nodes[0].n_said, first + 2);
        run_for(1);
        for (size_t j = 1; j < 3; j++) {
            assert_int_equal(peer_of(j, 0)->liveness.interval, paces[k]);
        }
        for (int i = 0; i < 3000; i++) {
            run_for(1);
            assert_both_up(0, 1);
            assert_both_up(0, 2);
        }
    }
    for (size_t j = 1; j < 3; j++) {
        assert_true(peer_of(j, 0)->liveness.since == since[j]);
    }
}

/* A relay that relays nothing has no peers. */
static void
test_without_a_mesh_there_are_no_peers(void **state OVS_UNUSED)
{
    start_all(2);
    struct peering *p = nodes[0].peering;

    assert_true(macs_changed());
    know(0, "relay-b"); /* Keeps nobody. */
    peering_leave(p, &nodes[0].mesh);
    peering_configure(p, &nodes[0].config);
    peering_update(p, NULL, &nodes[0].host, NULL, clock_us(0));
    const size_t first = nodes[0].n_said;
    assert_int_equal(peering_peers(p)->n_all, 0);
    assert_int_equal(n_targets(0), 0);
    assert_false(peering_wants_update(p, INT64_C(1) << 60));
    run_for(5000);
    assert_int_equal(nodes[0].n_said, first);
    assert_state(1, 0, "down");
    assert_dropped(0, "10.0.0.2", make_frame(7, 7, 7), DROP_UNKNOWN_SENDER);
    assert_true(macs_changed());
    assert_macs(0);

    /* Everything begins anew with another one. */
    update(0);
    assert_state(0, 1, "probing");
    assert_null(peer_of(0, 1)->remote);
    run_node(0);
    run_for(3);
    assert_both_up(0, 1);
    check_exchange(1000);
    assert_true(macs_changed());
    assert_macs(0x2);
}

/* Who has left and is configured again goes on, without a new mesh. */
static void
test_a_relay_that_stays_after_all(void **state OVS_UNUSED)
{
    start_all(2);
    peering_leave(nodes[0].peering, &nodes[0].mesh);
    run_for(2000);
    assert_state(1, 0, "down");
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    run_node(0);
    run_for(2);
    assert_both_up(0, 1);
    check_exchange(1000);
}

/* Without a MAC or an id there is nothing to answer, so nothing counts. */
static void
test_no_hello_counts_before_this_relay_knows_itself(void **state OVS_UNUSED)
{
    for (int what = 0; what < 2; what++) {
        struct hello h = plain_hello;

        set_up(NULL);
        h.n_macs = 1;
        h.macs[0] = nodes[1].mac;
        know(0, "10.0.0.2");
        nodes[0].peering = peering_create();
        peering_configure(nodes[0].peering, &nodes[0].config);
        if (what) {
            peering_set_id(nodes[0].peering, nodes[0].id);
        } else {
            peering_set_local_mac(nodes[0].peering, nodes[0].mac);
        }
        update(0);
        for (int i = 0; i < 5; i++) {
            assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
            run_for(100);
        }
        assert_state(0, 1, "probing");
        assert_null(peer_of(0, 1)->remote);
        assert_false(peer_of(0, 1)->has_echo);
        assert_false(macs_changed());
        assert_macs(0);
        assert_int_equal(nodes[0].n_said, 0);

        peering_set_id(nodes[0].peering, nodes[0].id);
        peering_set_local_mac(nodes[0].peering, nodes[0].mac);
        run_node(0);
        assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
        assert_state(0, 1, "up");
        tear_down(NULL);
    }
}

/* Returns how many frames of the relay 7 are lost when, after a first frame, a
 * hello says that the next one will be the 'seq'th. */
static uint64_t
count_lost(uint64_t seq, bool answer)
{
    struct hello h = plain_hello;
    uint8_t body[HELLO_MAX_LEN];
    uint64_t lost;

    set_up(NULL);
    know(0, "10.0.0.2");
    start(0);
    assert_taken(0, "10.0.0.2", make_hello(7, 7, &h), PEERING_CONTROL);
    assert_taken(0, "10.0.0.2", make_frame(7, 7, 0), PEERING_FRAME);
    h.answer = answer;
    assert_taken(
        0, "10.0.0.2",
        make(WIRE_TYPE_HELLO, 7, 7, seq, body, hello_encode(&h, body)),
        PEERING_CONTROL);
    assert_taken(0, "10.0.0.2", make_frame(7, 7, seq), PEERING_FRAME);
    lost = peer_of(0, 1)->remote->window.lost;
    tear_down(NULL);
    return lost;
}

/* One that has forgotten us numbers on from anywhere. */
static void
test_numbers_that_were_skipped_are_not_lost(void **state OVS_UNUSED)
{
    static const struct {
        uint64_t seq;
        bool answer;
        uint64_t lost;
    } all[] = {
        { 1, true, 0 },
        { 6, true, 5 },
        { 6, false, 5 },
        { 1 + WINDOW_SIZE, true, WINDOW_SIZE },
        { 2 + WINDOW_SIZE, true, 0 },
        { 2 + WINDOW_SIZE, false, WINDOW_SIZE + 1 },
        { 1000000, true, 0 },
        { 1000000, false, 999999 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_int_equal(count_lost(all[i].seq, all[i].answer), all[i].lost);
    }
}

/* A name that has led here and leads nowhere any more has nothing due. */
static void
test_one_set_aside_loses_its_address(void **state OVS_UNUSED)
{
    know(0, "relay-b");
    MOCK_RESOLVE("relay-b", "10.0.0.99");
    find_itself();
    assert_state(0, 0, "own");
    mock_resolve_endpoints("relay-b", NULL, 0);
    update(0);
    run_for(PEERS_SELF_MS + 1000);
    assert_false(peering_wants_update(nodes[0].peering, INT64_C(1) << 60));

    MOCK_RESOLVE("relay-b", "10.0.0.99");
    update(0);
    assert_state(0, 0, "probing");
    run_for(2);
    assert_state(0, 0, "own");
}

/* Where a name leads then is asked at once. */
static void
test_one_set_aside_moves(void **state OVS_UNUSED)
{
    know(0, "relay-b");
    MOCK_RESOLVE("relay-b", "10.0.0.99");
    find_itself();
    assert_state(0, 0, "own");
    MOCK_RESOLVE("relay-b", "10.0.0.2");
    update(0);
    assert_state(0, 1, "probing");
    assert_false(peering_wants_update(nodes[0].peering, INT64_C(1) << 60));
}

/* Peers that stay are judged as all others are, and only those stay that get
 * frames. */
static void
test_peers_that_stay_are_judged(void **state OVS_UNUSED)
{
    start_all(2);
    assert_state(0, 0, "own");
    reconfigure("relay-b", NULL);
    assert_null(find_peer(0, 0));
    assert_state(0, 1, "up");
    nodes[0].host.addresses[1].address = nodes[1].address.address;
    nodes[0].host.n = 2;
    update(0);
    assert_state(0, 1, "own");
    assert_int_equal(n_targets(0), 0);
    update(0);
    assert_null(find_peer(0, 1));
}

/* One that is discovered then goes on too. */
static void
test_peers_stay_until_they_are_discovered(void **state OVS_UNUSED)
{
    start_all(2);
    struct peer *peer = peer_of(0, 1);

    peer_specs_clear(&nodes[0].config.peers);
    assert_no_error(
        peer_specs_add(&nodes[0].config.discover, "_mesh._udp.test", true));
    peering_configure(nodes[0].peering, &nodes[0].config);
    update(0);
    check_exchange(2000);
    MOCK_RESOLVE("_mesh._udp.test", "10.0.0.2:7124", "10.0.0.3:7124");
    update(0);
    assert_ptr_equal(find_peer(0, 1), peer);
    assert_int_equal(peer->source, ROSTER_DISCOVERED);
    check_exchange(KEEP_MS);
    assert_ptr_equal(find_peer(0, 1), peer);
}

/* A peer that goes and comes back is the same one for the other side. */
static void
test_another_number_for_the_same_way(void **state OVS_UNUSED)
{
    start_all(2);
    assert_no_error(peering_remove(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_for(300);
    assert_no_error(peering_add(nodes[0].peering, NULL, "10.0.0.2"));
    update(0);
    run_node(0);
    run_for(2);
    const uint64_t n_sent = net.n_sent;
    for (int i = 0; i < 100; i++) {
        assert_both_up(0, 1);
        assert_int_equal(peer_of(0, 1)->liveness.rtt, 2000);
        run_for(100);
    }
    assert_int_equal(peer_of(1, 0)->echo.path, peer_of(0, 1)->path);
    assert_in_range(net.n_sent - n_sent, 10 * 2, 10 * 3);
}

#define TEST(NAME)                                                            \
    {                                                                         \
#NAME "_with_a_mock_of_the_mesh", NAME, set_up, tear_down, NULL       \
    }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_two_relays_meet_within_a_round_trip),
        TEST(test_what_hellos_say_is_known),
        TEST(test_without_a_mac_nobody_is_greeted),
        TEST(test_a_relay_asks_until_it_is_answered),
        TEST(test_round_trip_times_are_exact),
        TEST(test_round_trip_times_follow_the_network),
        TEST(test_the_pace_of_hellos),
        TEST(test_hellos_to_many_go_together),
        TEST(test_relays_of_different_paces),
        TEST(test_a_late_relay_of_another_pace),
        TEST(test_without_an_id_nobody_is_greeted),
        TEST(test_an_id_sets_the_hellos_going),
        TEST(test_an_id_of_the_configuration),
        TEST(test_another_id_is_another_relay),
        TEST(test_frames_get_this_relays_header),
        TEST(test_without_peers_a_relay_is_its_own),
        TEST(test_without_ports_a_relay_has_nobody),
        TEST(test_the_own_address_is_set_aside),
        TEST(test_who_cannot_be_sent_to_is_not_greeted),
        TEST(test_another_mesh),
        TEST(test_a_dead_relay_is_suspect_then_down),
        TEST(test_a_dead_relay_is_asked_on),
        TEST(test_a_relay_that_returns_is_up_at_once),
        TEST(test_a_relay_that_restarts_is_never_down),
        TEST(test_one_that_starts_again_and_again),
        TEST(test_a_healed_network_is_noticed_within_a_hello),
        TEST(test_a_lost_hello_is_made_up_for),
        TEST(test_frames_keep_a_relay_up),
        TEST(test_other_frames_keep_nobody_up),
        TEST(test_bye_is_understood),
        TEST(test_hello_after_bye),
        TEST(test_who_has_left_answers_nobody),
        TEST(test_bye_of_somebody_else),
        TEST(test_bye_is_for_those_who_are_known),
        TEST(test_no_hello_counts_without_an_id),
        TEST(test_one_way_is_suspect),
        TEST(test_one_way_takes_its_time),
        TEST(test_the_reason_of_a_suspicion),
        TEST(test_one_way_from_the_beginning),
        TEST(test_nobody_answers),
        TEST(test_snowsignal_is_greeted_ever_more_rarely),
        TEST(test_snowsignal_among_others),
        TEST(test_the_silent_are_greeted_ever_more_rarely),
        TEST(test_snowsignal_sends_from_any_port),
        TEST(test_an_upgraded_node_is_up),
        TEST(test_a_downgraded_node_is_snowsignals),
        TEST(test_a_downgraded_node_is_asked_again_soon),
        TEST(test_one_that_was_silent_is_greeted_soon),
        TEST(test_hellos_count_more_than_formats),
        TEST(test_the_own_hello_sets_a_peer_aside),
        TEST(test_the_own_hello_comes_late),
        TEST(test_who_is_set_aside_is_not_answered),
        TEST(test_an_own_hello_with_an_unknown_path),
        TEST(test_a_clone_is_dropped),
        TEST(test_nobody_is_a_clone_without_an_id),
        TEST(test_unknown_senders_are_dropped),
        TEST(test_an_echo_does_not_make_a_stranger_known),
        TEST(test_a_frame_counts_once),
        TEST(test_a_frame_counts_once_by_several_ways),
        TEST(test_snowsignals_frames_all_count),
        TEST(test_frames_of_a_new_session),
        TEST(test_hellos_of_the_old_session),
        TEST(test_versions_to_come_are_dropped),
        TEST(test_wrong_formats_are_dropped),
        TEST(test_what_is_too_long_is_dropped),
        TEST(test_accepted_senders_frames_pass),
        TEST(test_an_accepted_relay_is_remembered),
        TEST(test_an_accepted_relay_is_forgotten),
        TEST(test_more_relays_than_are_listened_to),
        TEST(test_an_echo_from_an_accepted_address_counts),
        TEST(test_an_answer_from_elsewhere_is_dropped),
        TEST(test_a_wrong_echo_does_not_count),
        TEST(test_an_echo_tells_better_than_an_address),
        TEST(test_one_relay_by_two_ways),
        TEST(test_an_address_moves_to_a_known_relay),
        TEST(test_answers_are_limited),
        TEST(test_the_limit_is_each_peers_own),
        TEST(test_who_does_not_ask_gets_no_answer),
        TEST(test_an_answer_echoes),
        TEST(test_a_hello_held_for_hours),
        TEST(test_impossible_round_trip_times),
        TEST(test_an_echo_of_something_else),
        TEST(test_a_relay_of_other_versions),
        TEST(test_another_relay_at_the_same_address),
        TEST(test_losses_are_told),
        TEST(test_hellos_tell_of_frames_that_never_came),
        TEST(test_begun_when_all_are_known),
        TEST(test_begun_when_somebody_does_not_answer),
        TEST(test_begun_with_a_frame_of_snowsignals),
        TEST(test_begun_with_nobody_to_ask),
        TEST(test_begun_when_names_are_known),
        TEST(test_begun_when_names_stay_unknown),
        TEST(test_changes_of_macs_are_gathered),
        TEST(test_the_first_macs_come_with_the_beginning),
        TEST(test_changes_of_macs_do_not_wait_for_each_other),
        TEST(test_changes_of_macs_are_kept),
        TEST(test_a_mac_of_two_peers_is_one),
        TEST(test_a_relay_gets_another_mac),
        TEST(test_a_relay_with_many_macs),
        TEST(test_a_passing_change_of_macs),
        TEST(test_macs_of_the_dead_stay),
        TEST(test_peers_come_at_run_time),
        TEST(test_peers_go_at_run_time),
        TEST(test_a_peer_that_returns_goes_on_counting),
        TEST(test_a_peer_that_returns_late_goes_on_counting),
        TEST(test_a_new_configuration),
        TEST(test_news_are_told_at_once),
        TEST(test_all_ports_fit_in_a_hello),
        TEST(test_names),
        TEST(test_an_update_without_news),
        TEST(test_waiting),
        TEST(test_waiting_for_macs),
        TEST(test_waiting_with_news),
        TEST(test_random_networks),
        TEST(test_a_bad_network),
        TEST(test_macs_of_one_set_aside_leave),
        TEST(test_the_clone_of_a_peer_goes),
        TEST(test_a_very_late_datagram),
        TEST(test_bye_from_an_accepted_address),
        TEST(test_who_greets_nobody_forgets_too),
        TEST(test_a_hello_sent_back_sets_nobody_aside),
        TEST(test_who_was_set_aside_is_asked_again),
        TEST(test_who_was_set_aside_is_somebody_else_now),
        TEST(test_a_discovered_one_is_asked_again),
        TEST(test_updates_are_wanted_in_time),
        TEST(test_waiting_for_an_update),
        TEST(test_one_of_two_addresses),
        TEST(test_one_of_three_addresses),
        TEST(test_ways_of_relays_of_different_paces),
        TEST(test_both_by_two_addresses),
        TEST(test_a_hello_from_elsewhere_is_answered),
        TEST(test_who_asks_from_elsewhere_is_echoed_from_then_on),
        TEST(test_answers_are_not_answered),
        TEST(test_answers_to_elsewhere_are_limited),
        TEST(test_the_way_that_is_echoed_changes),
        TEST(test_two_addresses_of_one_that_accepts),
        TEST(test_accepted_strangers_get_no_answer),
        TEST(test_what_an_accepted_address_sends_is_its_peers),
        TEST(test_frames_count_for_whom_they_are_from),
        TEST(test_a_bye_by_one_of_two_ways),
        TEST(test_the_silent_are_greeted_when_a_relay_comes_up),
        TEST(test_the_silent_are_greeted_when_a_relay_is_accepted),
        TEST(test_the_silent_are_greeted_after_frames),
        TEST(test_the_silent_are_greeted_once_a_second),
        TEST(test_the_silent_are_greeted_once_a_second_among_others),
        TEST(test_the_silent_are_greeted_in_time),
        TEST(test_peers_stay_until_names_are_known),
        TEST(test_peers_stay_while_some_names_are_known),
        TEST(test_peers_stay_for_some_seconds),
        TEST(test_peers_go_when_names_lead_elsewhere),
        TEST(test_peers_go_at_once_without_unknown_names),
        TEST(test_removed_peers_go_at_once),
        TEST(test_a_new_pace_is_told_at_once),
        TEST(test_without_a_mesh_there_are_no_peers),
        TEST(test_a_relay_that_stays_after_all),
        TEST(test_no_hello_counts_before_this_relay_knows_itself),
        TEST(test_numbers_that_were_skipped_are_not_lost),
        TEST(test_one_set_aside_loses_its_address),
        TEST(test_one_set_aside_moves),
        TEST(test_peers_that_stay_are_judged),
        TEST(test_peers_stay_until_they_are_discovered),
        TEST(test_another_number_for_the_same_way),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests_name("peering", tests, NULL, NULL);
}
