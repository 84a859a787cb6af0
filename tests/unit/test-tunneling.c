/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tunneling.h"

#include "support.h"

#include <limits.h>

#include "conf.h"
#include "frame.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "peers.h"
#include "remotes.h"
#include "tunnel-probe.h"
#include "util.h"

enum { MAX_PEERS = TUNNELING_MAX + 8, INTERVAL = 1000, NOW = 1000000 };

static struct in6_addr
address(const char *text)
{
    struct in6_addr a;

    assert_true(address_from_text(text, &a));
    return a;
}

/* The tunneling, and peers that are made here. */
struct fixture {
    struct config config;
    struct tunneling t;
    struct peers peers;
    struct peer all[MAX_PEERS];
    struct remote remotes[MAX_PEERS];
    struct peer *pointers[MAX_PEERS];
    struct peer *targets[MAX_PEERS];
    struct peer *others[MAX_PEERS];
};

static struct fixture *f;

/* Makes frames to the 'i'th peer, and probes, up to 'length' bytes long. */
static void
set_length(size_t i, size_t length)
{
    f->all[i].tunnel.max_len = f->all[i].tunnel.probe_len = length;
}

/* Makes the first 'n' peers, all of which are up, have a tunnel like ours, and
 * get frames. */
static void
make_peers(size_t n)
{
    f->peers.all = f->pointers;
    f->peers.targets = f->targets;
    f->peers.n_all = f->peers.n_targets = n;
    for (size_t i = 0; i < n; i++) {
        struct peer *peer = &f->all[i];

        peer->name = xasprintf("peer%" PRIuSIZE, i);
        peer->log = (struct vlog_rate_limit) VLOG_RATE_LIMIT_INIT(6, 20);
        peer->role = PEER_OTHER;
        peer->source = ROSTER_CONFIGURED;
        peer->path = 100 + i;
        peer->remote = &f->remotes[i];
        peer->remote->peer = peer;
        in6_addr_set_mapped_ipv4(&peer->target.address,
                                 htonl(0x0a000000 + i + 1));
        peer->liveness.state = LIVENESS_UP;
        peer->liveness.interval = INTERVAL;
        peer_tunnel_init(&peer->tunnel);
        peer->tunnel.theirs = (struct hello_tunnel){
            .type = HELLO_VXLAN,
            .vni = CONFIG_VNI,
            .token = 7000 + i,
        };
        set_length(i, 1464);
        f->pointers[i] = f->targets[i] = peer;
    }
}

static void
configure(bool tunneled, enum tunnel_type type, uint32_t vni)
{
    f->config.tunneled = tunneled;
    f->config.tunnel_type = type;
    f->config.vni = vni;
    f->config.hello_ms = INTERVAL;
    f->config.n_ports = 1;
    tunneling_configure(&f->t, &f->config);
}

static int
set_up(void **state OVS_UNUSED)
{
    f = xzalloc(sizeof *f);
    f->config.mesh.address = in6addr_any;
    memset(&f->t, 0xa5, sizeof f->t);
    tunneling_init(&f->t);
    configure(true, TUNNEL_VXLAN, CONFIG_VNI);
    tunneling_set_there(&f->t, true);
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < f->peers.n_all; i++) {
        free(f->all[i].name);
    }
    tunneling_destroy(&f->t);
    free(f);
    return 0;
}

static bool
update(void)
{
    return tunneling_update(&f->t, &f->peers);
}

/* What this relay has. */

static void
test_the_tunnel_that_is_configured(void **state OVS_UNUSED)
{
    struct tunneling *t = &f->t;

    assert_true(t->on);
    assert_int_equal(t->interval, INTERVAL);
    assert_int_equal(t->tunnel.use, TUNNEL_MESH);
    assert_int_equal(t->tunnel.key, CONFIG_VNI);
    assert_true(IN6_IS_ADDR_UNSPECIFIED(&t->tunnel.local));

    /* 0.0.0.0 and :: are no addresses to have tunnels from. */
    in6_addr_set_mapped_ipv4(&f->config.mesh.address, htonl(INADDR_ANY));
    configure(true, TUNNEL_GENEVE, 1);
    assert_true(IN6_IS_ADDR_UNSPECIFIED(&t->tunnel.local));
    assert_int_equal(t->tunnel.type, TUNNEL_GENEVE);
    assert_int_equal(t->tunnel.key, 1);
    f->config.mesh.address = address("192.0.2.1");
    configure(true, TUNNEL_GENEVE, 1);
    assert_memory_equal(&t->tunnel.local, &f->config.mesh.address, 16);

    configure(false, TUNNEL_GENEVE, 1);
    assert_false(t->on);
    f->config.tunneled = true;
    f->config.n_ports = 0; /* Nothing is relayed. */
    tunneling_configure(t, &f->config);
    assert_false(t->on);
}

static void
test_what_is_offered(void **state OVS_UNUSED)
{
    assert_int_equal(tunneling_offer(&f->t), HELLO_VXLAN);
    configure(true, TUNNEL_GENEVE, 1);
    assert_int_equal(tunneling_offer(&f->t), HELLO_GENEVE);
    tunneling_set_there(&f->t, false);
    assert_int_equal(tunneling_offer(&f->t), HELLO_NO_TUNNEL);
    tunneling_set_there(&f->t, true);
    configure(false, TUNNEL_GENEVE, 1);
    assert_int_equal(tunneling_offer(&f->t), HELLO_NO_TUNNEL);
}

/* Whom it fits. */

static void
test_whom_the_tunnel_fits(void **state OVS_UNUSED)
{
    make_peers(1);
    struct peer *peer = &f->all[0];
    struct remote *remote = peer->remote;
    const struct peer good = *peer;

    assert_true(tunneling_fits(&f->t, peer));

    static const enum liveness_state states[] = {
        LIVENESS_PROBING, LIVENESS_SILENT,  LIVENESS_SNOWSIGNAL,
        LIVENESS_UP,      LIVENESS_SUSPECT, LIVENESS_DOWN
    };
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        peer->liveness.state = states[i];
        assert_int_equal(tunneling_fits(&f->t, peer),
                         states[i] == LIVENESS_UP
                             || states[i] == LIVENESS_SUSPECT);
    }
    *peer = good;
    for (int role = PEER_UNRESOLVED; role < PEER_OTHER; role++) {
        peer->role = role;
        assert_false(tunneling_fits(&f->t, peer));
    }
    *peer = good;
    peer->source = ROSTER_SELF;
    assert_false(tunneling_fits(&f->t, peer));
    *peer = good;
    remote->on_segment = true;
    assert_false(tunneling_fits(&f->t, peer));
    remote->on_segment = false;
    remote->superseded = true;
    assert_false(tunneling_fits(&f->t, peer));
    remote->superseded = false;
    peer->tunnel.theirs.type = HELLO_GENEVE;
    assert_false(tunneling_fits(&f->t, peer));
    *peer = good;
    peer->tunnel.theirs.vni++;
    assert_false(tunneling_fits(&f->t, peer));
    *peer = good;
    peer->tunnel.theirs.type = HELLO_NO_TUNNEL;
    assert_false(tunneling_fits(&f->t, peer));

    /* Nor if we have none: nobody's tunnel is like that. */
    tunneling_set_there(&f->t, false);
    assert_false(tunneling_fits(&f->t, peer));
    *peer = good;
    assert_false(tunneling_fits(&f->t, peer));
}

/* Who gets frames through it. */

static void
test_who_is_sent_to(void **state OVS_UNUSED)
{
    make_peers(6);
    assert_false(update());
    assert_int_equal(f->t.n_targets, 0);
    assert_int_equal(f->t.generation, 0);

    for (size_t i = 0; i < 6; i++) {
        f->all[i].tunnel.theirs.hears = i != 1;
    }
    set_length(2, TUNNEL_PROBE_MIN_LEN - 1);
    f->all[3].tunnel.theirs.vni++;
    f->targets[4] = &f->all[5]; /* The fifth gets no frames. */
    f->peers.n_targets = 5;
    set_length(0, 2000);
    set_length(4, 900); /* So this one does not matter. */
    assert_true(update());
    assert_int_equal(f->t.n_targets, 2);
    assert_int_equal(f->t.targets[0].id, 100);
    assert_int_equal(f->t.targets[1].id, 105);
    assert_memory_equal(&f->t.targets[1].address, &f->all[5].target.address,
                        16);
    assert_int_equal(f->t.max_len, 1464);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(f->all[i].tunnel.carried, i == 0 || i == 5);
        assert_int_equal(f->all[i].tunnel.chosen, i == 0 || i == 5);
    }
    set_length(2, TUNNEL_PROBE_MIN_LEN);
    assert_true(update());
    assert_int_equal(f->t.n_targets, 3);
    assert_int_equal(f->t.max_len, TUNNEL_PROBE_MIN_LEN);
}

/* Not more than a group can hold: the others get datagrams. */
static void
test_no_more_than_a_group_takes(void **state OVS_UNUSED)
{
    make_peers(MAX_PEERS);
    for (size_t i = 0; i < MAX_PEERS; i++) {
        f->all[i].tunnel.theirs.hears = i != 3;
        set_length(i, 1400 - i);
    }
    assert_true(update());
    assert_int_equal(f->t.n_targets, TUNNELING_MAX);
    assert_int_equal(f->t.targets[TUNNELING_MAX - 1].id, 100 + TUNNELING_MAX);
    assert_int_equal(f->t.max_len, 1400 - TUNNELING_MAX);
    assert_true(tunneling_leaves_others(&f->peers));
    assert_int_equal(tunneling_others(&f->peers, f->t.generation, f->others),
                     MAX_PEERS - TUNNELING_MAX);
    assert_ptr_equal(f->others[0], &f->all[3]);
    assert_ptr_equal(f->others[1], &f->all[TUNNELING_MAX + 1]);
}

/* The generation is about whom, and how long: nothing else matters to the
 * switch. */
static void
test_when_a_generation_begins(void **state OVS_UNUSED)
{
    make_peers(3);
    for (size_t i = 0; i < 3; i++) {
        f->all[i].tunnel.theirs.hears = true;
    }
    assert_true(update());
    assert_int_equal(f->t.generation, 1);
    assert_false(update());
    f->all[0].tunnel.theirs.token++;
    f->all[0].tunnel.next_probe++;
    set_length(0, 9000); /* Not the shortest. */
    assert_false(update());
    assert_int_equal(f->t.generation, 1);

    set_length(0, 1400);
    assert_true(update());
    assert_int_equal(f->t.generation, 2);
    f->all[1].tunnel.theirs.hears = false;
    assert_true(update());
    assert_int_equal(f->t.generation, 3);
    f->all[2].target.address.s6_addr[15] = 77;
    assert_true(update());
    assert_int_equal(f->t.generation, 4);
    f->all[2].path = 5000;
    assert_true(update());
    assert_int_equal(f->t.generation, 5);

    /* Who is let in is none of its business. */
    f->all[1].tunnel.source = f->all[1].target.address;
    assert_true(update());
    assert_int_equal(f->t.generation, 5);

    /* Without targets no length counts. */
    f->all[0].tunnel.theirs.hears = f->all[2].tunnel.theirs.hears = false;
    assert_true(update());
    assert_int_equal(f->t.n_targets, 0);
    assert_int_equal(f->t.generation, 6);
    set_length(0, 1000);
    assert_false(update());
    assert_int_equal(f->t.generation, 6);

    /* 0 is none. */
    f->t.generation = UINT16_MAX;
    f->all[0].tunnel.theirs.hears = true;
    assert_true(update());
    assert_int_equal(f->t.generation, 1);
}

/* Who has got a frame from the switch, and who has not. */

static void
assert_others(uint16_t generation, const char *expected)
{
    char text[MAX_PEERS + 1];
    size_t n = tunneling_others(&f->peers, generation, f->others);

    for (size_t i = 0; i < n; i++) {
        text[i] = 'a' + (f->others[i] - f->all);
    }
    text[n] = '\0';
    assert_string_equal(text, expected);
}

static void
test_others(void **state OVS_UNUSED)
{
    make_peers(4);
    assert_true(tunneling_leaves_others(&f->peers));
    assert_others(0, "abcd");
    assert_others(1, "abcd");

    f->all[0].tunnel.theirs.hears = f->all[2].tunnel.theirs.hears = true;
    update(); /* 1: a, c */
    assert_true(tunneling_leaves_others(&f->peers));
    f->all[1].tunnel.theirs.hears = f->all[3].tunnel.theirs.hears = true;
    update(); /* 2: all */
    assert_false(tunneling_leaves_others(&f->peers));
    f->all[2].tunnel.theirs.hears = false;
    update(); /* 3: a, b, d */
    assert_true(tunneling_leaves_others(&f->peers));
    assert_others(0, "abcd");
    assert_others(1, "bd");
    assert_others(2, "");
    assert_others(3, "c");
    assert_others(4, "c"); /* To come. */

    /* Just of those who get frames now. */
    f->targets[0] = &f->all[3];
    f->targets[1] = &f->all[2];
    f->peers.n_targets = 2;
    assert_others(0, "dc");
    assert_others(1, "d");
    assert_others(3, "c");
    f->peers.n_targets = 0;
    assert_others(1, "");
    assert_false(tunneling_leaves_others(&f->peers));
}

/* A peer that is not sent to any more has got what was sent before. */
static void
test_who_goes_has_got_what_was(void **state OVS_UNUSED)
{
    make_peers(2);
    f->all[0].tunnel.theirs.hears = f->all[1].tunnel.theirs.hears = true;
    update(); /* 1 */
    f->all[1].liveness.state = LIVENESS_DOWN;
    update(); /* 2: a */
    assert_others(1, "");
    assert_others(2, "b");
    tunneling_set_there(&f->t, false);
    update(); /* 3: none */
    assert_others(2, "b");
    assert_others(3, "ab");
}

/* From it. */

/* Has a probe of the 'i'th peer come from 'source' at 'now'. */
static struct peer *
probe(size_t i, const char *source, long long int now)
{
    const struct in6_addr from = address(source);

    return tunneling_take_probe(&f->t, &f->peers, f->all[i].tunnel.token,
                                &from, now);
}

/* Has the switch be told of all flows, and do what they say. */
static void
place(void)
{
    update();
    tunneling_placing(&f->t, &f->peers);
    tunneling_placed(&f->peers);
}

static void
test_whose_probe_it_is(void **state OVS_UNUSED)
{
    const struct in6_addr source = address("192.0.2.9");

    make_peers(3);
    assert_ptr_equal(probe(1, "192.0.2.9", NOW), &f->all[1]);
    assert_memory_equal(&f->all[1].tunnel.source, &source, 16);
    assert_true(f->all[1].tunnel.heard == NOW);
    assert_true(f->all[0].tunnel.heard == LLONG_MIN);
    assert_true(IN6_IS_ADDR_UNSPECIFIED(&f->all[0].tunnel.source));

    /* What is known of the address does not count. */
    assert_ptr_equal(probe(2, "192.0.2.9", NOW), &f->all[2]);

    /* No token of ours, and what the peers have told us for theirs. */
    assert_null(tunneling_take_probe(
        &f->t, &f->peers, f->all[0].tunnel.token + 1, &source, NOW));
    assert_null(tunneling_take_probe(&f->t, &f->peers, 7000, &source, NOW));

    /* One who has no tunnel like ours. */
    f->all[0].tunnel.theirs.vni++;
    assert_null(probe(0, "192.0.2.9", NOW));
    assert_true(f->all[0].tunnel.heard == LLONG_MIN);
}

static void
test_who_is_let_in(void **state OVS_UNUSED)
{
    make_peers(4);
    assert_false(update());
    assert_int_equal(f->t.n_sources, 0);
    probe(0, "192.0.2.1", NOW);
    assert_true(update());
    assert_false(update());
    probe(1, "2001:db8::1", NOW);
    probe(3, "192.0.2.3", NOW);
    assert_true(update());
    assert_int_equal(f->t.n_sources, 3);
    assert_int_equal(f->t.sources[0].id, 100);
    assert_int_equal(f->t.sources[1].id, 101);
    assert_int_equal(f->t.sources[2].id, 103);
    const struct in6_addr second = address("2001:db8::1");
    assert_memory_equal(&f->t.sources[1].address, &second, 16);
    assert_int_equal(f->t.n_targets, 0);
    assert_int_equal(f->t.generation, 0);

    /* Also without frames for it. */
    f->peers.n_targets = 0;
    assert_false(update());

    /* Two behind one address are let in once. */
    probe(3, "192.0.2.1", NOW);
    assert_true(update());
    assert_int_equal(f->t.n_sources, 2);
    f->all[0].liveness.state = LIVENESS_DOWN;
    assert_true(update());
    assert_int_equal(f->t.n_sources, 2);
    assert_int_equal(f->t.sources[1].id, 103);
    tunneling_set_there(&f->t, false);
    assert_true(update());
    assert_int_equal(f->t.n_sources, 0);
}

/* Who is let in is worked out also when it is another one who is sent to. */
static void
test_both_change_at_once(void **state OVS_UNUSED)
{
    make_peers(2);
    f->all[0].tunnel.theirs.hears = true;
    probe(1, "192.0.2.1", NOW);
    assert_true(update());
    assert_int_equal(f->t.n_targets, 1);
    assert_int_equal(f->t.n_sources, 1);
    assert_false(update());
}

/* What a hello says is said just when the switch does let the probes'
 * sender in. */
static void
test_hears_when_all_is_in_place(void **state OVS_UNUSED)
{
    make_peers(2);
    struct peer *peer = &f->all[0];

    assert_false(tunneling_hears(&f->t, peer, NOW));
    place();
    assert_false(tunneling_hears(&f->t, peer, NOW));
    assert_false(peer->tunnel.placing || peer->tunnel.accepted);

    probe(0, "192.0.2.1", NOW);
    assert_false(tunneling_hears(&f->t, peer, NOW));
    update();
    assert_false(tunneling_hears(&f->t, peer, NOW));
    tunneling_placed(&f->peers); /* Of what was before. */
    assert_false(tunneling_hears(&f->t, peer, NOW));
    tunneling_placing(&f->t, &f->peers);
    assert_false(tunneling_hears(&f->t, peer, NOW));
    assert_false(peer->tunnel.hears);
    tunneling_placed(&f->peers);
    assert_true(tunneling_hears(&f->t, peer, NOW));
    assert_true(peer->tunnel.hears);
    assert_false(tunneling_hears(&f->t, peer, NOW)); /* No news. */
    assert_true(peer->tunnel.hears);
    assert_false(tunneling_hears(&f->t, &f->all[1], NOW));
    assert_false(f->all[1].tunnel.hears);

    /* Told once more of the same, it does all the time. */
    tunneling_placing(&f->t, &f->peers);
    assert_true(peer->tunnel.accepted);
    assert_false(tunneling_hears(&f->t, peer, NOW));
}

/* The flows without a peer are not for it when it is back. */
static void
test_who_is_not_let_in_any_more(void **state OVS_UNUSED)
{
    make_peers(1);
    struct peer *peer = &f->all[0];

    probe(0, "192.0.2.1", NOW);
    place();
    assert_true(tunneling_hears(&f->t, peer, NOW));
    tunneling_set_there(&f->t, false);
    assert_true(tunneling_hears(&f->t, peer, NOW));
    assert_false(peer->tunnel.hears);
    place();
    assert_false(peer->tunnel.placing || peer->tunnel.accepted);
    tunneling_set_there(&f->t, true);
    update();
    assert_false(tunneling_hears(&f->t, peer, NOW));
    place();
    assert_true(tunneling_hears(&f->t, peer, NOW));
}

/* As long as for hellos. */
static void
test_hears_until_probes_are_missed(void **state OVS_UNUSED)
{
    make_peers(1);
    struct peer *peer = &f->all[0];
    const long long int end = NOW + 3 * INTERVAL + INTERVAL / 4;

    probe(0, "192.0.2.1", NOW);
    place();
    tunneling_hears(&f->t, peer, NOW);
    assert_false(tunneling_hears(&f->t, peer, end - 1));
    assert_true(tunneling_deadline(&f->t, &f->peers) == 0);
    peer->tunnel.next_probe = LLONG_MAX;
    assert_true(tunneling_deadline(&f->t, &f->peers) == end);
    assert_true(tunneling_hears(&f->t, peer, end));
    assert_false(peer->tunnel.hears);
    assert_true(tunneling_deadline(&f->t, &f->peers) == LLONG_MAX);

    probe(0, "192.0.2.1", end + 5);
    assert_true(tunneling_hears(&f->t, peer, end + 5));
    assert_true(peer->tunnel.hears);

    /* By the sender's interval, not ours. */
    peer->liveness.interval = 60000;
    assert_true(tunneling_deadline(&f->t, &f->peers)
                == end + 5 + 3 * 60000 + 15000);
    assert_false(tunneling_hears(&f->t, peer, end + 100000));
    peer->liveness.interval = 100;
    assert_true(tunneling_hears(&f->t, peer, end + 5 + 325));
}

static void
test_a_source_that_moves(void **state OVS_UNUSED)
{
    make_peers(1);
    struct peer *peer = &f->all[0];

    probe(0, "192.0.2.1", NOW);
    place();
    tunneling_hears(&f->t, peer, NOW);
    probe(0, "192.0.2.1", NOW + 1);
    assert_true(peer->tunnel.placing && peer->tunnel.accepted);
    assert_false(tunneling_hears(&f->t, peer, NOW + 1));

    probe(0, "192.0.2.2", NOW + 2);
    assert_true(tunneling_hears(&f->t, peer, NOW + 2));
    assert_false(peer->tunnel.hears);
    tunneling_placed(&f->peers); /* What was before. */
    assert_false(tunneling_hears(&f->t, peer, NOW + 2));
    place();
    assert_int_equal(f->t.n_sources, 1);
    const struct in6_addr now = address("192.0.2.2");
    assert_memory_equal(&f->t.sources[0].address, &now, 16);
    assert_true(tunneling_hears(&f->t, peer, NOW + 2));
    assert_true(peer->tunnel.hears);

    /* While the switch is being told. */
    probe(0, "192.0.2.3", NOW + 3);
    update();
    tunneling_placing(&f->t, &f->peers);
    probe(0, "192.0.2.4", NOW + 3);
    tunneling_placed(&f->peers);
    tunneling_hears(&f->t, peer, NOW + 3);
    assert_false(peer->tunnel.hears);
}

/* Probes. */

static void
test_quick_probes_then_slow_ones(void **state OVS_UNUSED)
{
    long long int now = NOW;

    make_peers(1);
    struct peer *peer = &f->all[0];
    for (size_t i = 0; i < 3 * TUNNELING_QUICK_PROBES; i++) {
        tunneling_probed(&f->t, peer, true, now);
        assert_true(
            peer->tunnel.next_probe - now
            == (i < TUNNELING_QUICK_PROBES ? TUNNELING_QUICK_MS : INTERVAL));
        now = peer->tunnel.next_probe;
        assert_true(tunneling_deadline(&f->t, &f->peers) == now);
    }

    /* One that hears them needs no quick ones, and gets some when it does not
     * any more. */
    peer->tunnel.theirs.hears = true;
    tunneling_probed(&f->t, peer, true, now);
    assert_true(peer->tunnel.next_probe == now + INTERVAL);
    peer->tunnel.theirs.hears = false;
    for (size_t i = 0; i <= TUNNELING_QUICK_PROBES; i++) {
        tunneling_probed(&f->t, peer, true, now);
        assert_true(
            peer->tunnel.next_probe - now
            == (i < TUNNELING_QUICK_PROBES ? TUNNELING_QUICK_MS : INTERVAL));
    }

    /* Never less often than slow ones. */
    f->config.hello_ms = 100;
    tunneling_configure(&f->t, &f->config);
    peer->tunnel.n_probes = 0;
    tunneling_probed(&f->t, peer, true, now);
    assert_true(peer->tunnel.next_probe == now + 100);
}

static void
test_when_a_probe_is_due(void **state OVS_UNUSED)
{
    make_peers(1);
    struct peer *peer = &f->all[0];

    assert_true(tunneling_probes(&f->t, peer, NOW));
    tunneling_probed(&f->t, peer, true, NOW);
    assert_false(tunneling_probes(&f->t, peer, peer->tunnel.next_probe - 1));
    assert_true(tunneling_probes(&f->t, peer, peer->tunnel.next_probe));
    peer->tunnel.theirs.vni++;
    assert_false(tunneling_probes(&f->t, peer, peer->tunnel.next_probe));
}

/* It is none of those that are counted. */
static void
test_a_probe_that_cannot_be_sent(void **state OVS_UNUSED)
{
    make_peers(1);
    struct peer *peer = &f->all[0];

    for (int i = 0; i < 3 * TUNNELING_QUICK_PROBES; i++) {
        tunneling_probed(&f->t, peer, false, NOW + i);
        assert_true(peer->tunnel.next_probe == NOW + i + TUNNELING_AGAIN_MS);
        assert_int_equal(peer->tunnel.n_probes, 0);
    }
    peer->tunnel.theirs.hears = true;
    tunneling_probed(&f->t, peer, false, NOW);
    assert_true(peer->tunnel.next_probe == NOW + TUNNELING_AGAIN_MS);
}

/* There is nothing to wait for where no probe can go: whoever did would do
 * nothing else. */
static void
test_no_way_for_probes(void **state OVS_UNUSED)
{
    make_peers(1);
    struct peer *peer = &f->all[0];

    set_length(0, TUNNEL_PROBE_MIN_LEN);
    assert_true(tunneling_probes(&f->t, peer, NOW));
    assert_true(tunneling_deadline(&f->t, &f->peers) == 0);
    for (size_t length = 0; length < TUNNEL_PROBE_MIN_LEN; length++) {
        set_length(0, length);
        assert_false(tunneling_probes(&f->t, peer, NOW));
        assert_true(tunneling_deadline(&f->t, &f->peers) == LLONG_MAX);
    }

    /* The peer's may come all the same. */
    probe(0, "192.0.2.1", NOW);
    place();
    assert_true(tunneling_hears(&f->t, peer, NOW));
    assert_true(tunneling_deadline(&f->t, &f->peers)
                == NOW + 3 * INTERVAL + INTERVAL / 4);
}

/* Long frames follow when long probes have proved that they can, and go at
 * once when it is known that they cannot. */
static void
test_a_path_that_takes_longer_frames(void **state OVS_UNUSED)
{
    const long long int proof = 5 * INTERVAL;

    make_peers(1);
    struct peer *peer = &f->all[0];
    struct peer_tunnel *pt = &peer->tunnel;

    /* Nothing goes there yet. */
    tunneling_set_length(&f->t, peer, 1000, NOW);
    assert_int_equal(pt->max_len, 1000);
    assert_int_equal(pt->probe_len, 1000);
    tunneling_set_length(&f->t, peer, 1400, NOW);
    assert_int_equal(pt->max_len, 1400);
    assert_int_equal(pt->probe_len, 1400);

    /* Now it does. */
    pt->theirs.hears = true;
    tunneling_set_length(&f->t, peer, 1464, NOW);
    assert_int_equal(pt->max_len, 1400);
    assert_int_equal(pt->probe_len, 1464);
    tunneling_set_length(&f->t, peer, 1464, NOW + proof - 1);
    assert_int_equal(pt->max_len, 1400);
    tunneling_set_length(&f->t, peer, 1464, NOW + proof);
    assert_int_equal(pt->max_len, 1464);
    assert_int_equal(pt->probe_len, 1464);

    /* Each length has to be proved. */
    tunneling_set_length(&f->t, peer, 2000, NOW + proof);
    tunneling_set_length(&f->t, peer, 3000, NOW + 2 * proof - 1);
    tunneling_set_length(&f->t, peer, 3000, NOW + 2 * proof);
    assert_int_equal(pt->max_len, 1464);
    assert_int_equal(pt->probe_len, 3000);

    /* One that is not longer has been. */
    tunneling_set_length(&f->t, peer, 1464, NOW + 2 * proof);
    assert_int_equal(pt->probe_len, 1464);
    tunneling_set_length(&f->t, peer, 900, NOW + 2 * proof);
    assert_int_equal(pt->max_len, 900);
    assert_int_equal(pt->probe_len, 900);

    /* When the long ones are lost nothing is left to be lost. */
    tunneling_set_length(&f->t, peer, 1464, NOW + 3 * proof);
    assert_int_equal(pt->max_len, 900);
    pt->theirs.hears = false;
    tunneling_set_length(&f->t, peer, 1464, NOW + 3 * proof + 1);
    assert_int_equal(pt->max_len, 1464);

    /* Nor when there is no way at all.  A new one has to be proved before
     * anything goes there. */
    pt->theirs.hears = true;
    update();
    assert_int_equal(f->t.n_targets, 1);
    tunneling_set_length(&f->t, peer, 0, NOW + 4 * proof);
    assert_int_equal(pt->max_len, 0);
    assert_int_equal(pt->probe_len, 0);
    update();
    assert_int_equal(f->t.n_targets, 0);
    tunneling_set_length(&f->t, peer, 1464, NOW + 4 * proof);
    update();
    assert_int_equal(f->t.n_targets, 0);
    assert_true(tunneling_probes(&f->t, peer, NOW));
    tunneling_set_length(&f->t, peer, 1464, NOW + 5 * proof);
    update();
    assert_int_equal(f->t.n_targets, 1);
}

/* Of two ways to a relay the one that frames do not take might seem to be one
 * because of the other's probes. */
static void
test_one_way_of_several_is_probed(void **state OVS_UNUSED)
{
    make_peers(2);
    f->all[1].remote = f->all[0].remote;
    assert_true(tunneling_probes(&f->t, &f->all[0], NOW));
    assert_false(tunneling_probes(&f->t, &f->all[1], NOW));
    f->all[0].tunnel.next_probe = NOW + 5;
    assert_true(tunneling_deadline(&f->t, &f->peers) == NOW + 5);

    f->all[1].remote->peer = &f->all[1]; /* Frames go there now. */
    assert_false(tunneling_probes(&f->t, &f->all[0], NOW + 5));
    assert_true(tunneling_probes(&f->t, &f->all[1], NOW));
    assert_true(tunneling_deadline(&f->t, &f->peers) == 0);

    /* What comes may come by any. */
    assert_ptr_equal(probe(0, "192.0.2.1", NOW), &f->all[0]);
    place();
    assert_true(tunneling_hears(&f->t, &f->all[0], NOW));

    /* Who is there is not known. */
    f->all[0].remote = NULL;
    assert_false(tunneling_probes(&f->t, &f->all[0], NOW + 5));
}

static void
test_the_next_of_all_probes(void **state OVS_UNUSED)
{
    make_peers(3);
    for (size_t i = 0; i < 3; i++) {
        f->all[i].tunnel.next_probe = NOW - i;
    }
    assert_true(tunneling_deadline(&f->t, &f->peers) == NOW - 2);
    f->all[2].tunnel.theirs.vni++;
    assert_true(tunneling_deadline(&f->t, &f->peers) == NOW - 1);
    tunneling_set_there(&f->t, false);
    assert_true(tunneling_deadline(&f->t, &f->peers) == LLONG_MAX);
    f->peers.n_all = 0;
    assert_true(tunneling_deadline(&f->t, &f->peers) == LLONG_MAX);
    f->peers.n_all = 3;
}

/* An entry of a list of tests. */
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);

    const struct CMUnitTest tests[] = {
        TEST(test_the_tunnel_that_is_configured),
        TEST(test_what_is_offered),
        TEST(test_whom_the_tunnel_fits),
        TEST(test_who_is_sent_to),
        TEST(test_no_more_than_a_group_takes),
        TEST(test_when_a_generation_begins),
        TEST(test_others),
        TEST(test_who_goes_has_got_what_was),
        TEST(test_whose_probe_it_is),
        TEST(test_who_is_let_in),
        TEST(test_both_change_at_once),
        TEST(test_hears_when_all_is_in_place),
        TEST(test_who_is_not_let_in_any_more),
        TEST(test_hears_until_probes_are_missed),
        TEST(test_a_source_that_moves),
        TEST(test_quick_probes_then_slow_ones),
        TEST(test_when_a_probe_is_due),
        TEST(test_a_probe_that_cannot_be_sent),
        TEST(test_no_way_for_probes),
        TEST(test_a_path_that_takes_longer_frames),
        TEST(test_one_way_of_several_is_probed),
        TEST(test_the_next_of_all_probes),
    };
    return cmocka_run_group_tests_name("tunneling", tests, NULL, NULL);
}
