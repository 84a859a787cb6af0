/* SPDX-License-Identifier: Apache-2.0 */

/* What is shown of how frames get to the peers: of all of them together, and
 * of each in the table of the mesh.
 *
 * The relay and its peering are mocks, which have just what is shown. */

#include <config.h>
#include "show-transport.h"

#include "support.h"

#include "carried.h"
#include "conf.h"
#include "frame.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peering.h"
#include "peers.h"
#include "relay.h"
#include "remotes.h"
#include "seal.h"
#include "show-mesh.h"
#include "tunneling.h"
#include "util.h"

enum { N_PEERS = 3 };

/* Mock. */
struct peering {
    struct peers peers;
    struct peer all[N_PEERS];
    struct remote remote; /* Who is where the first peer is. */
    struct peer *pointers[N_PEERS];
    struct seal_keys keys;
};

/* Mock. */
struct relay {
    struct tunneling tunneling;
    struct carried carried;
    struct peering peering;
    const char *problem;
    bool lets_carry;
};

struct peers *
peering_peers(const struct peering *p)
{
    return CONST_CAST(struct peers *, &p->peers);
}

const struct seal_keys *
peering_keys(const struct peering *p)
{
    return &p->keys;
}

uint64_t
peering_id(const struct peering *p OVS_UNUSED)
{
    return 0x77;
}

const struct peering *
relay_peering(const struct relay *r)
{
    return &r->peering;
}

const struct tunneling *
relay_tunneling(const struct relay *r)
{
    return &r->tunneling;
}

const struct carried *
relay_carried(const struct relay *r)
{
    return &r->carried;
}

const char *
relay_tunnel_problem(const struct relay *r)
{
    return r->problem;
}

bool
relay_lets_switch_carry(const struct relay *r)
{
    return r->lets_carry;
}

static struct config config;
static struct relay *r;

/* Returns the 'i'th peer. */
static struct peer *
peer(size_t i)
{
    return &r->peering.all[i];
}

/* Makes the transport a tunnel of 'type', or datagrams unless 'tunneled'. */
static void
configure(bool tunneled, enum tunnel_type type)
{
    config = (struct config){
        .tunneled = tunneled,
        .tunnel_type = type,
        .vni = CONFIG_VNI,
        .hello_ms = 1000,
        .n_ports = 1,
    };
    tunneling_configure(&r->tunneling, &config);
}

/* Three peers, which get datagrams as yet, and a VXLAN port that is there. */
static int
set_up(void **state OVS_UNUSED)
{
    static char *const names[] = { "one", "two", "three" };

    r = xzalloc(sizeof *r);
    tunneling_init(&r->tunneling);
    configure(true, TUNNEL_VXLAN);
    tunneling_set_there(&r->tunneling, true);
    r->lets_carry = true;
    for (size_t i = 0; i < N_PEERS; i++) {
        peer(i)->name = names[i];
        peer(i)->role = PEER_OTHER;
        in6_addr_set_mapped_ipv4(&peer(i)->target.address,
                                 htonl(0xc0000207 + i));
        peer(i)->target.port = 7124;
        liveness_init(&peer(i)->liveness, 0);
        peer_tunnel_init(&peer(i)->tunnel);
        r->peering.pointers[i] = peer(i);
    }
    peer(0)->remote = &r->peering.remote;
    r->peering.peers.all = r->peering.peers.targets = r->peering.pointers;
    r->peering.peers.n_all = r->peering.peers.n_targets = N_PEERS;
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    tunneling_destroy(&r->tunneling);
    free(r);
    return 0;
}

/* Has the first 'n' peers be behind a tunnel, in which frames may be 1464
 * bytes long. */
static void
carry_to(size_t n)
{
    r->tunneling.n_targets = n;
    r->tunneling.max_len = n ? 1464 : FRAME_MAX;
    for (size_t i = 0; i < n; i++) {
        struct peer_tunnel *t = &peer(i)->tunnel;

        t->theirs.type = HELLO_VXLAN;
        t->theirs.vni = CONFIG_VNI;
        t->max_len = 1464;
        t->carried = true;
    }
}

/* All of them together. */

static void
assert_shown(const char *expected)
{
    char *text = show_transport(&config, r);

    assert_string_equal(text, expected);
    free(text);
}

static void
test_datagrams(void **state OVS_UNUSED)
{
    configure(false, TUNNEL_VXLAN);
    assert_shown("udp");
}

static void
test_a_port_that_is_not_there(void **state OVS_UNUSED)
{
    tunneling_set_there(&r->tunneling, false);
    assert_shown("vxlan, no tunnel port srm-00534e4d yet: peers get "
                 "datagrams");
    r->problem = "somebody else's is there";
    assert_shown("vxlan, no tunnel port srm-00534e4d: somebody else's is "
                 "there: peers get datagrams");
}

static void
test_a_port_that_is_there(void **state OVS_UNUSED)
{
    assert_shown("vxlan, tunnel port srm-00534e4d, VNI 5459533, 0 of 3 "
                 "peers");
    r->lets_carry = false;
    assert_shown("vxlan, tunnel port srm-00534e4d, VNI 5459533, 0 of 3 "
                 "peers");

    /* There is more to say of it with somebody there. */
    carry_to(2);
    assert_shown("vxlan, tunnel port srm-00534e4d, VNI 5459533, 2 of 3 peers, "
                 "frames of up to 1464 bytes; at present the relay carries "
                 "them itself");
    r->lets_carry = true;
    assert_shown("vxlan, tunnel port srm-00534e4d, VNI 5459533, 2 of 3 peers, "
                 "frames of up to 1464 bytes");
    r->peering.peers.n_targets = 2;
    assert_shown("vxlan, tunnel port srm-00534e4d, VNI 5459533, 2 of 2 peers, "
                 "frames of up to 1464 bytes");
}

static void
test_geneve(void **state OVS_UNUSED)
{
    configure(true, TUNNEL_GENEVE);
    tunneling_set_there(&r->tunneling, true);
    assert_shown("geneve, tunnel port srm-00534e4d, VNI 5459533, 0 of 3 "
                 "peers");
}

/* Fails the test unless 'json', which it frees, is what 'expected' says, with
 * ' for ". */
static void
assert_json(json_t *json, const char *expected)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    char *want = xstrdup(expected);

    for (char *p = want; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    assert_string_equal(text, want);
    free(want);
    free(text);
    json_decref(json);
}

static void
test_datagrams_in_json(void **state OVS_UNUSED)
{
    configure(false, TUNNEL_VXLAN);
    tunneling_set_there(&r->tunneling, false);
    r->lets_carry = false;
    assert_json(show_transport_json(&config, r),
                "{'type':'udp','port':null,'vni':null,'problem':null,"
                "'there':false,'peers':0,'max_len':null,'carrying':false,"
                "'carried':{'relayed':0,'tx':0,'emitted':0}}");
}

static void
test_a_port_that_is_not_there_in_json(void **state OVS_UNUSED)
{
    tunneling_set_there(&r->tunneling, false);
    r->problem = "somebody else's is there";
    r->lets_carry = false;
    json_t *json = show_transport_json(&config, r);
    assert_string_equal(json_string_value(json_object_get(json, "problem")),
                        r->problem);
    assert_true(json_is_false(json_object_get(json, "there")));
    assert_string_equal(json_string_value(json_object_get(json, "port")),
                        "srm-00534e4d");
    json_decref(json);
}

static void
test_a_port_that_is_there_in_json(void **state OVS_UNUSED)
{
    carry_to(2);
    r->carried.relayed = UINT64_C(1) << 40;
    r->carried.tx = 20;
    r->carried.emitted = 3;
    assert_json(show_transport_json(&config, r),
                "{'type':'vxlan','port':'srm-00534e4d','vni':5459533,"
                "'problem':null,'there':true,'peers':2,'max_len':1464,"
                "'carrying':true,"
                "'carried':{'relayed':1099511627776,'tx':20,'emitted':3}}");
}

/* Each of them. */

/* Has the first peer have a tunnel and be sent to through it, the second have
 * one, and the third none. */
static void
make_some(void)
{
    carry_to(1);
    peer(0)->rx = 1;
    peer(0)->tx = 2;
    peer(0)->rx_bytes = 100;
    peer(0)->tx_bytes = 200;

    struct peer_tunnel *t = &peer(0)->tunnel;
    t->rx = 10;
    t->tx = 20;
    t->rx_bytes = 1000;
    t->tx_bytes = 2000;
    t->hears = true;
    assert_true(address_from_text("2001:db8::7", &t->source));
    t->is_protected = true;

    t = &peer(1)->tunnel;
    t->theirs.type = HELLO_GENEVE;
    t->theirs.vni = 7;
    t->theirs.hears = true;
    peer(2)->rx = 5;
    peer(2)->tx = 6;
}

static void
test_peers_for_people(void **state OVS_UNUSED)
{
    make_some();
    char *text = show_mesh(&r->peering);
    assert_string_equal(
        text,
        "PEER            NAME   FORMAT     TRANSPORT  STATE    ROLE  UP SINCE "
        " RX  TX  LOST  TX LOST  RTT\n"
        "192.0.2.7:7124  one    snowrelay  vxlan      probing  -     -        "
        " 11  22     0        0    -\n"
        "192.0.2.8:7124  two    unknown    udp        probing  -     -        "
        "  0   0     -        -    -\n"
        "192.0.2.9:7124  three  unknown    udp        probing  -     -        "
        "  5   6     -        -    -\n");
    free(text);
}

/* Fails the test unless the 'i'th peer is sent to by 'transport', its tunnel
 * is what 'expected' says, and so much was sent to it and has come from it,
 * either way. */
static void
assert_peer(size_t i, const char *transport, const char *expected, uint64_t rx,
            uint64_t rx_bytes, uint64_t tx, uint64_t tx_bytes)
{
    json_t *all = show_mesh_json(&r->peering);
    const json_t *json = json_array_get(all, i);

    assert_string_equal(json_string_value(json_object_get(json, "transport")),
                        transport);
    assert_json(json_incref(json_object_get(json, "tunnel")), expected);
    assert_int_equal(json_integer_value(json_object_get(json, "rx")), rx);
    assert_int_equal(json_integer_value(json_object_get(json, "rx_bytes")),
                     rx_bytes);
    assert_int_equal(json_integer_value(json_object_get(json, "tx")), tx);
    assert_int_equal(json_integer_value(json_object_get(json, "tx_bytes")),
                     tx_bytes);
    json_decref(all);
}

static void
test_peers_in_json(void **state OVS_UNUSED)
{
    make_some();
    assert_peer(0, "vxlan",
                "{'type':'vxlan','vni':5459533,'heard':true,'hears':false,"
                "'from':'2001:db8::7','max_len':1464,'ipsec':true,"
                "'rx':10,'tx':20}",
                11, 1100, 22, 2200);
    assert_peer(1, "udp",
                "{'type':'geneve','vni':7,'heard':false,'hears':true,"
                "'from':null,'max_len':0,'ipsec':false,'rx':0,'tx':0}",
                0, 0, 0, 0);
    assert_peer(2, "udp", "null", 5, 0, 6, 0);

    peer(1)->tunnel.carried = true;
    assert_peer(1, "geneve",
                "{'type':'geneve','vni':7,'heard':false,'hears':true,"
                "'from':null,'max_len':0,'ipsec':false,'rx':0,'tx':0}",
                0, 0, 0, 0);
}

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);

#define TEST(NAME)                                                            \
    {                                                                         \
#NAME "_with_a_mock_of_the_relay", NAME, set_up, tear_down, NULL      \
    }
    const struct CMUnitTest tests[] = {
        TEST(test_datagrams),
        TEST(test_a_port_that_is_not_there),
        TEST(test_a_port_that_is_there),
        TEST(test_geneve),
        TEST(test_datagrams_in_json),
        TEST(test_a_port_that_is_not_there_in_json),
        TEST(test_a_port_that_is_there_in_json),
        TEST(test_peers_for_people),
        TEST(test_peers_in_json),
    };
    return cmocka_run_group_tests_name("show-transport", tests, NULL, NULL);
}
