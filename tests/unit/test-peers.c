/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peers.h"

#include "support.h"

#include <limits.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "remotes.h"
#include "util.h"

enum { NOW = 1000000, INTERVAL = 1000, MAX_ENTRIES = 64 };

static struct endpoint
endpoint(const char *text)
{
    struct endpoint e;
    char *host;

    assert_no_error(host_port_split(text, 7124, &host, &e.port));
    assert_true(address_from_text(host, &e.address));
    free(host);
    return e;
}

/* A roster's entries, and the memory that they need. */
struct entries {
    struct roster_entry all[MAX_ENTRIES];
    size_t n;
    char *copy;
};

/* Appends the entry 'text' to 'es'; see entries_init(). */
static void
add_entry(struct entries *es, char *text)
{
    struct roster_entry *e = &es->all[es->n++];
    char *list = strpbrk(text, "=~");
    char *save = NULL;

    assert_true(es->n <= MAX_ENTRIES);
    *e = (struct roster_entry){ .name = text };
    e->source = (*text == '+'           ? ROSTER_ADDED
                 : *text == '('         ? ROSTER_SELF
                 : list && *list == '~' ? ROSTER_DISCOVERED
                                        : ROSTER_CONFIGURED);
    if (e->source == ROSTER_ADDED) {
        e->name++;
    }
    if (list) {
        *list++ = '\0';
    }
    list = xstrdup(list                       ? list
                   : e->source == ROSTER_SELF ? "127.0.0.1"
                                              : e->name);
    for (char *one = strtok_r(list, ",", &save); one;
         one = strtok_r(NULL, ",", &save)) {
        e->endpoints =
            xrealloc(e->endpoints, (e->n + 1) * sizeof *e->endpoints);
        e->endpoints[e->n++] = endpoint(one);
    }
    free(list);
}

/* Makes entries of 'list', which has spaces between them:
 *
 *     192.0.2.7:7125     a peer by its address, with or without a port
 *     b=192.0.2.7,...    a peer by its name, with its addresses
 *     r~192.0.2.7        a peer that the name "r" led to
 *     +...               the first or the second of these, added by people
 *     (self)             this relay itself */
static void
entries_init(struct entries *es, const char *list)
{
    char *save = NULL;

    memset(es, 0, sizeof *es);
    es->copy = xstrdup(list);
    for (char *text = strtok_r(es->copy, " ", &save); text;
         text = strtok_r(NULL, " ", &save)) {
        add_entry(es, text);
    }
}

static void
entries_destroy(struct entries *es)
{
    for (size_t i = 0; i < es->n; i++) {
        free(es->all[i].endpoints);
    }
    free(es->copy);
}

/* Makes 'list' the peers of a mesh that can send to the families 'ipv4' and
 * 'ipv6', at 'now'.  Those that are not in it stay if 'keep', and the return
 * value is whether any did.  192.0.2.1:7124 leads to this relay, whose host
 * also has 10.0.0.1.  Nothing of the roster's lives on. */
static bool
update_at(struct peers *peers, const char *list, bool ipv4, bool ipv6,
          bool keep, long long int now)
{
    const struct endpoint local[] = { endpoint("192.0.2.1"),
                                      endpoint("10.0.0.1") };
    const struct peers_self self = {
        .ipv4 = ipv4,
        .ipv6 = ipv6,
        .own = local,
        .n_own = 1,
        .local = local,
        .n_local = ARRAY_SIZE(local),
    };
    struct entries es;

    entries_init(&es, list);
    bool kept = peers_update(peers, es.all, es.n, &self, keep, now);
    entries_destroy(&es);
    return kept;
}

/* Makes 'list' the peers and no others. */
static void
update_for(struct peers *peers, const char *list, bool ipv4, bool ipv6)
{
    assert_false(update_at(peers, list, ipv4, ipv6, false, NOW));
}

static void
update(struct peers *peers, const char *list)
{
    update_for(peers, list, true, true);
    peers_choose_targets(peers);
}

/* The same, at 'now'. */
static void
update_later(struct peers *peers, const char *list, long long int now)
{
    assert_false(update_at(peers, list, true, true, false, now));
    peers_choose_targets(peers);
}

/* Makes 'list' the peers, with those besides that are not in it.  Returns true
 * if there are any of these. */
static bool
update_keeping(struct peers *peers, const char *list)
{
    bool kept = update_at(peers, list, true, true, true, NOW);

    peers_choose_targets(peers);
    return kept;
}

/* Begins with the peers in 'list'. */
static void
setup(struct peers *peers, const char *list)
{
    peers_init(peers);
    update(peers, list);
}

/* Has the liveness of 'peer' get to 'state' in the way that leads there. */
static void
bring(struct peer *peer, enum liveness_state state)
{
    struct liveness *l = &peer->liveness;

    liveness_init(l, NOW);
    switch (state) {
    case LIVENESS_PROBING: break;
    case LIVENESS_SILENT:
        liveness_asked(l, INTERVAL, NOW);
        liveness_run(l, NOW + LIVENESS_PROBE_MS);
        break;
    case LIVENESS_SNOWSIGNAL: liveness_snowsignal(l, NOW); break;
    case LIVENESS_UP: liveness_hello(l, INTERVAL, true, NOW); break;
    case LIVENESS_SUSPECT:
        liveness_hello(l, INTERVAL, true, NOW);
        liveness_run(l, NOW + 2 * INTERVAL);
        break;
    case LIVENESS_DOWN:
        liveness_hello(l, INTERVAL, true, NOW);
        liveness_bye(l, NOW);
        break;
    }
    assert_int_equal(l->state, state);
}

static const enum liveness_state all_states[] = {
    LIVENESS_PROBING, LIVENESS_SILENT,  LIVENESS_SNOWSIGNAL,
    LIVENESS_UP,      LIVENESS_SUSPECT, LIVENESS_DOWN
};

/* Brings the 'i'th peer to 'state', and says so. */
static void
bring_nth(struct peers *peers, size_t i, enum liveness_state state)
{
    bring(peers->all[i], state);
    peers_choose_targets(peers);
}

/* Has the 'i'th peer lead to 'remote', and up. */
static void
bring_up(struct peers *peers, size_t i, struct remote *remote)
{
    peer_set_remote(peers->all[i], remote);
    bring_nth(peers, i, LIVENESS_UP);
}

/* Has all peers that are said hello to answer by nothing, so that they get
 * frames. */
static void
let_all_be_silent(struct peers *peers)
{
    for (size_t i = 0; i < peers->n_all; i++) {
        if (peer_is_greeted(peers->all[i])) {
            bring(peers->all[i], LIVENESS_SILENT);
        }
    }
    peers_choose_targets(peers);
}

/* Fails the test unless the peers are those in 'expected': a line for each,
 * with its name, its source, its state, and where it is sent to if it is. */
static void
assert_peers(const struct peers *peers, const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < peers->n_all; i++) {
        const struct peer *peer = peers->all[i];
        char target[ENDPOINT_TEXT_SIZE];

        ds_put_format(&s, "%s %s %s", peer->name,
                      roster_source_name(peer->source), peer_state_name(peer));
        if (peer->role == PEER_OTHER) {
            ds_put_format(&s, " %s", endpoint_format(&peer->target, target));
        }
        ds_put_char(&s, '\n');
    }
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
}

/* Fails the test unless just the peers whose targets are in 'expected', with a
 * space after each, get frames, in this order. */
static void
assert_targets(const struct peers *peers, const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < peers->n_targets; i++) {
        char target[ENDPOINT_TEXT_SIZE];

        ds_put_format(&s, "%s ",
                      endpoint_format(&peers->targets[i]->target, target));
    }
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
}

/* Fails the test unless a datagram from 'text' is from the 'i'th peer. */
static void
assert_from_peer(const struct peers *peers, const char *text, size_t i)
{
    const struct endpoint from = endpoint(text);
    struct peer *peer;

    assert_int_equal(peers_identify(peers, &from, &peer), ORIGIN_PEER);
    assert_ptr_equal(peer, peers->all[i]);
}

/* Fails the test unless a datagram from 'text' is from 'origin', no peer. */
static void
assert_from(const struct peers *peers, const char *text,
            enum peers_origin origin)
{
    const struct endpoint from = endpoint(text);
    struct peer *peer = (struct peer *) &from; /* Anything but NULL. */

    assert_int_equal(peers_identify(peers, &from, &peer), origin);
    assert_null(peer);
}

/* What is known of a peer, to see whether it stays known. */
struct known {
    struct peer *peer;
    struct peer copy;
};

/* Fills in all that may become known of the 'i'th peer, which then leads to
 * 'remote', and returns it. */
static struct known
get_to_know(struct peers *peers, size_t i, struct remote *remote)
{
    struct peer *peer = peers->all[i];

    bring_up(peers, i, remote);
    liveness_rtt(&peer->liveness, 1234);
    peer->has_echo = true;
    peer->echo.path = 77;
    peer->echo.timestamp = 78;
    peer->up_since = 79;
    peer->answers_since = NOW;
    peer->n_answers = 5;
    peer->tunnel.theirs.type = HELLO_GENEVE;
    peer->tunnel.heard = NOW;
    peer->tunnel.accepted = true;
    peer->tunnel.max_len = 1464;
    peer->tx = 10;
    peer->tx_bytes = 11;
    peer->tx_errors = 12;
    peer->rx = 13;
    peer->rx_bytes = 14;
    return (struct known){ .peer = peer, .copy = *peer };
}

/* Fails the test unless 'peer' has the statistics of 'known'. */
static void
assert_statistics(const struct peer *peer, const struct known *known)
{
    assert_int_equal(peer->tx, known->copy.tx);
    assert_int_equal(peer->tx_bytes, known->copy.tx_bytes);
    assert_int_equal(peer->tx_errors, known->copy.tx_errors);
    assert_int_equal(peer->rx, known->copy.rx);
    assert_int_equal(peer->rx_bytes, known->copy.rx_bytes);
}

/* Fails the test unless the 'i'th peer is the one that is 'known', and all
 * that was known of it still is. */
static void
assert_still_known(const struct peers *peers, size_t i,
                   const struct known *known)
{
    const struct peer *peer = peers->all[i];

    assert_ptr_equal(peer, known->peer);
    assert_statistics(peer, known);
    assert_int_equal(peer->role, PEER_OTHER);
    assert_true(endpoint_equal(&peer->target, &known->copy.target));
    assert_int_equal(peer->path, known->copy.path);
    assert_ptr_equal(peer->remote, known->copy.remote);
    assert_ptr_equal(peer->remote->peer, peer);
    assert_true(peer->has_echo);
    assert_memory_equal(&peer->echo, &known->copy.echo, sizeof peer->echo);
    assert_int_equal(peer->up_since, known->copy.up_since);
    assert_int_equal(peer->answers_since, NOW);
    assert_int_equal(peer->n_answers, 5);
    assert_int_equal(peer->liveness.state, LIVENESS_UP);
    assert_int_equal(peer->liveness.since, known->copy.liveness.since);
    assert_int_equal(peer->liveness.rtt, 1234);
    assert_memory_equal(&peer->tunnel, &known->copy.tunnel,
                        sizeof peer->tunnel);
}

/* Fails the test unless nothing is known of who is where the 'i'th peer, which
 * may be the one that was 'known', is sent to. */
static void
assert_anew(const struct peers *peers, size_t i, const struct known *known)
{
    const struct peer *peer = peers->all[i];

    assert_int_equal(peer->liveness.state, LIVENESS_PROBING);
    assert_int_equal(peer->liveness.rtt, 0);
    assert_int_equal(peer->liveness.next_hello, NOW);
    assert_null(peer->remote);
    assert_false(peer->has_echo);
    assert_int_equal(peer->up_since, 0);
    assert_int_equal(peer->n_answers, 0);
    assert_int_not_equal(peer->path, known->copy.path);
    assert_int_equal(peer->tunnel.theirs.type, HELLO_NO_TUNNEL);
    assert_true(peer->tunnel.heard == LLONG_MIN);
    assert_false(peer->tunnel.accepted);
    assert_int_equal(peer->tunnel.max_len, 0);
    assert_true(peer->tunnel.token
                && peer->tunnel.token != known->copy.tunnel.token);
}

/* Who the peers are. */

static void
test_nobody(void **state OVS_UNUSED)
{
    struct peers peers;
    struct peer *peer;

    peers_init(&peers);
    assert_from(&peers, "192.0.2.7", ORIGIN_UNKNOWN);
    assert_null(peers_by_path(&peers, 0));
    assert_null(peers_by_path(&peers, 1));
    peers_choose_targets(&peers);
    assert_targets(&peers, "");
    update(&peers, "");
    assert_peers(&peers, "");
    assert_targets(&peers, "");
    const struct endpoint any = endpoint("0.0.0.0");
    assert_int_equal(peers_identify(&peers, &any, &peer), ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

static void
test_peers_are_in_the_order_of_the_roster(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.9 b:7000=192.0.2.8:7000 [2001:db8::7]:7125 "
                  "+192.0.2.6 +c=192.0.2.5 r~192.0.2.4 r~192.0.2.3");
    assert_peers(&peers,
                 "192.0.2.9 configured probing 192.0.2.9:7124\n"
                 "b:7000 configured probing 192.0.2.8:7000\n"
                 "[2001:db8::7]:7125 configured probing [2001:db8::7]:7125\n"
                 "192.0.2.6 added probing 192.0.2.6:7124\n"
                 "c added probing 192.0.2.5:7124\n"
                 "r discovered probing 192.0.2.4:7124\n"
                 "r discovered probing 192.0.2.3:7124\n");
    let_all_be_silent(&peers);
    assert_targets(&peers, "192.0.2.9:7124 192.0.2.8:7000 [2001:db8::7]:7125 "
                           "192.0.2.6:7124 192.0.2.5:7124 192.0.2.4:7124 "
                           "192.0.2.3:7124 ");
    peers_destroy(&peers);
}

/* The same list may be given to every relay, this one's own address
 * included. */
static void
test_own_address_is_set_aside(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.1 192.0.2.7 +b=192.0.2.1 192.0.2.1:7000");
    assert_peers(&peers, "192.0.2.1 configured own\n"
                         "192.0.2.7 configured probing 192.0.2.7:7124\n"
                         "b added own\n"
                         "192.0.2.1:7000 configured probing 192.0.2.1:7000\n");
    let_all_be_silent(&peers);
    assert_targets(&peers, "192.0.2.7:7124 192.0.2.1:7000 ");

    /* Another relay on this host has the address, so what comes from there is
     * that one's. */
    assert_from_peer(&peers, "192.0.2.1", 3);
    peers_destroy(&peers);
}

/* What this relay sends must not come in again as a peer's. */
static void
test_own_address_is_no_peers(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.1 192.0.2.7");
    assert_from(&peers, "192.0.2.1", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

static void
test_own_addresses_that_are_discovered_are_left_out(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "r~192.0.2.1 r~192.0.2.7 r~192.0.2.1:7000");
    assert_peers(&peers, "r discovered probing 192.0.2.7:7124\n"
                         "r discovered probing 192.0.2.1:7000\n");
    update(&peers, "r~192.0.2.1");
    assert_peers(&peers, "");
    assert_from(&peers, "192.0.2.1", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

/* Whoever writes an address of this host where this relay does not listen
 * means it; whoever discovers it cannot mean another host. */
static void
test_addresses_of_this_host(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "10.0.0.1");
    assert_peers(&peers, "10.0.0.1 configured probing 10.0.0.1:7124\n");
    update(&peers, "b=10.0.0.1");
    assert_peers(&peers, "b configured probing 10.0.0.1:7124\n");
    update(&peers, "+10.0.0.1");
    assert_peers(&peers, "10.0.0.1 added probing 10.0.0.1:7124\n");
    update(&peers, "r~10.0.0.1 r~10.0.0.1:7000");
    assert_peers(&peers, "r discovered probing 10.0.0.1:7000\n");
    peers_destroy(&peers);
}

static void
test_duplicates_are_set_aside(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.7 192.0.2.7:7124 b=192.0.2.7 192.0.2.7:7000 "
                  "+[::ffff:192.0.2.7]:7124");
    assert_peers(&peers, "192.0.2.7 configured probing 192.0.2.7:7124\n"
                         "192.0.2.7:7124 configured duplicate\n"
                         "b configured duplicate\n"
                         "192.0.2.7:7000 configured probing 192.0.2.7:7000\n"
                         "[::ffff:192.0.2.7]:7124 added duplicate\n");
    let_all_be_silent(&peers);
    assert_targets(&peers, "192.0.2.7:7124 192.0.2.7:7000 ");
    assert_from_peer(&peers, "192.0.2.7", 0);

    /* Goes the first, the second is one no longer. */
    update(&peers, "192.0.2.7:7124 b=192.0.2.7");
    assert_peers(&peers, "192.0.2.7:7124 configured probing 192.0.2.7:7124\n"
                         "b configured duplicate\n");
    peers_destroy(&peers);
}

static void
test_duplicates_that_are_discovered_are_left_out(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.7 r~192.0.2.7 r~192.0.2.8 q~192.0.2.8 "
                  "r~192.0.2.7:7000 r~192.0.2.8");
    assert_peers(&peers, "192.0.2.7 configured probing 192.0.2.7:7124\n"
                         "r discovered probing 192.0.2.8:7124\n"
                         "r discovered probing 192.0.2.7:7000\n");
    assert_from_peer(&peers, "192.0.2.8", 1);

    /* Its time comes when the other one goes. */
    update(&peers, "r~192.0.2.7 q~192.0.2.8");
    assert_peers(&peers, "r discovered probing 192.0.2.7:7124\n"
                         "q discovered probing 192.0.2.8:7124\n");
    peers_destroy(&peers);
}

/* A name is sent to at one address, so that its others may be those of more
 * relays. */
static void
test_a_name_takes_only_one_of_its_addresses(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b=192.0.2.7,192.0.2.8 r~192.0.2.7 r~192.0.2.8");
    assert_peers(&peers, "b configured probing 192.0.2.7:7124\n"
                         "r discovered probing 192.0.2.8:7124\n");
    assert_from_peer(&peers, "192.0.2.7", 0);
    assert_from_peer(&peers, "192.0.2.8", 1);
    peers_destroy(&peers);
}

static void
test_names_without_addresses_are_unresolved(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b= 192.0.2.9 c=");
    assert_peers(&peers, "b configured unresolved\n"
                         "192.0.2.9 configured probing 192.0.2.9:7124\n"
                         "c configured unresolved\n");
    let_all_be_silent(&peers);
    assert_targets(&peers, "192.0.2.9:7124 ");
    assert_from(&peers, "::", ORIGIN_UNKNOWN);
    update(&peers, "b=192.0.2.7 192.0.2.9 c=192.0.2.9");
    assert_peers(&peers, "b configured probing 192.0.2.7:7124\n"
                         "192.0.2.9 configured silent 192.0.2.9:7124\n"
                         "c configured duplicate\n");
    peers_destroy(&peers);
}

/* A mesh that is bound to an address of one family cannot send to the
 * other. */
static void
test_peers_of_a_family_that_cannot_be_sent_to(void **state OVS_UNUSED)
{
    static const char list[] = "192.0.2.7 [2001:db8::7]:7124 r~2001:db8::8";
    struct peers peers;

    setup(&peers, "");
    update_for(&peers, list, true, false);
    assert_peers(&peers, "192.0.2.7 configured probing 192.0.2.7:7124\n"
                         "[2001:db8::7]:7124 configured unreachable\n"
                         "r discovered unreachable\n");
    let_all_be_silent(&peers);
    assert_targets(&peers, "192.0.2.7:7124 ");
    assert_from(&peers, "2001:db8::7", ORIGIN_UNKNOWN);
    assert_from(&peers, "2001:db8::8", ORIGIN_UNKNOWN);

    update_for(&peers, list, false, true);
    assert_peers(&peers,
                 "192.0.2.7 configured unreachable\n"
                 "[2001:db8::7]:7124 configured probing [2001:db8::7]:7124\n"
                 "r discovered probing [2001:db8::8]:7124\n");
    assert_from(&peers, "192.0.2.7", ORIGIN_UNKNOWN);

    update_for(&peers, list, true, true);
    let_all_be_silent(&peers);
    assert_targets(&peers,
                   "192.0.2.7:7124 [2001:db8::7]:7124 [2001:db8::8]:7124 ");
    peers_destroy(&peers);
}

/* A name with addresses of both families is sent to at one that can be. */
static void
test_the_family_of_a_name(void **state OVS_UNUSED)
{
    static const char list[] = "b=2001:db8::7,192.0.2.7";
    struct peers peers;

    setup(&peers, list);
    assert_peers(&peers, "b configured probing [2001:db8::7]:7124\n");
    update_for(&peers, list, true, false);
    assert_peers(&peers, "b configured probing 192.0.2.7:7124\n");
    update(&peers, list); /* Stays what it is. */
    assert_peers(&peers, "b configured probing 192.0.2.7:7124\n");
    update_for(&peers, list, false, true);
    assert_peers(&peers, "b configured probing [2001:db8::7]:7124\n");
    update_for(&peers, list, false, false);
    assert_peers(&peers, "b configured unreachable\n");
    assert_targets(&peers, "");

    /* Nothing was chosen any more. */
    update(&peers, "b=192.0.2.7,2001:db8::7");
    assert_peers(&peers, "b configured probing 192.0.2.7:7124\n");
    peers_destroy(&peers);
}

/* What stays known. */

static void
test_nothing_changes_what_is_known(void **state OVS_UNUSED)
{
    struct remote b = { .version = 1 }, c = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7 b=192.0.2.8,192.0.2.9 +192.0.2.6 r~192.0.2.5");
    const struct known first = get_to_know(&peers, 0, &b);
    const struct known last = get_to_know(&peers, 3, &c);
    for (int i = 0; i < 3; i++) {
        update(&peers,
               "192.0.2.7 b=192.0.2.8,192.0.2.9 +192.0.2.6 r~192.0.2.5");
        assert_still_known(&peers, 0, &first);
        assert_still_known(&peers, 3, &last);
    }
    assert_targets(&peers, "192.0.2.7:7124 192.0.2.5:7124 ");
    peers_destroy(&peers);
}

/* Each list has the peer that is known, "192.0.2.7:7124", once, at 'at'. */
struct passage {
    const char *list;
    size_t at;
};

/* Goes from each of the 'n' lists in 'passages' to the next one, and fails the
 * test unless the peer stays known. */
static void
assert_known_throughout(const struct passage *passages, size_t n)
{
    struct remote remote = { .version = 1 };
    struct peers peers;

    setup(&peers, passages[0].list);
    const struct known known = get_to_know(&peers, passages[0].at, &remote);
    for (size_t i = 0; i < n; i++) {
        update(&peers, passages[i].list);
        assert_still_known(&peers, passages[i].at, &known);
        assert_from_peer(&peers, "192.0.2.7", passages[i].at);
        assert_targets(&peers, "192.0.2.7:7124 ");
    }
    peers_destroy(&peers);
    assert_null(remote.peer);
}

#define ASSERT_KNOWN_THROUGHOUT(PASSAGES)                                     \
    assert_known_throughout(PASSAGES, ARRAY_SIZE(PASSAGES))

static void
test_known_while_a_discovered_list_grows_and_shrinks(void **state OVS_UNUSED)
{
    static const struct passage passages[] = {
        { "r~192.0.2.7", 0 },
        { "r~192.0.2.7 r~192.0.2.8", 0 },
        { "r~192.0.2.6 r~192.0.2.7 r~192.0.2.8 r~192.0.2.9", 1 },
        { "r~192.0.2.5 r~192.0.2.7", 1 },
        { "r~192.0.2.7 r~192.0.2.7:7000", 0 },
        { "r~192.0.2.7", 0 },
    };

    ASSERT_KNOWN_THROUGHOUT(passages);
}

static void
test_known_while_a_discovered_list_rotates(void **state OVS_UNUSED)
{
    static const struct passage passages[] = {
        { "r~192.0.2.7 r~192.0.2.8 r~192.0.2.9", 0 },
        { "r~192.0.2.9 r~192.0.2.7 r~192.0.2.8", 1 },
        { "r~192.0.2.8 r~192.0.2.9 r~192.0.2.7", 2 },
    };

    ASSERT_KNOWN_THROUGHOUT(passages);
}

static void
test_known_while_a_names_list_changes(void **state OVS_UNUSED)
{
    static const struct passage passages[] = {
        { "b=192.0.2.7", 0 },
        { "b=192.0.2.7,192.0.2.8", 0 },
        { "b=192.0.2.8,192.0.2.7", 0 },
        { "b=192.0.2.6,2001:db8::7,192.0.2.7,192.0.2.9", 0 },
        { "192.0.2.9 b=192.0.2.9,192.0.2.7", 1 },
        { "b=192.0.2.7 192.0.2.9", 0 },
    };

    ASSERT_KNOWN_THROUGHOUT(passages);
}

static void
test_known_from_elsewhere(void **state OVS_UNUSED)
{
    static const struct passage passages[] = {
        { "192.0.2.7", 0 },
        { "r~192.0.2.7", 0 },
        { "192.0.2.7", 0 },
        { "+192.0.2.7", 0 },
        { "r~192.0.2.7", 0 },
        { "q~192.0.2.7", 0 },
        { "b=192.0.2.7", 0 },
        { "+c=192.0.2.8,192.0.2.7", 0 },
        { "192.0.2.7:7124", 0 },
        { "192.0.2.6 r~192.0.2.7", 1 },
        { "b= 192.0.2.7", 1 },
        { "b= r~192.0.2.7", 1 },
        { "[::ffff:192.0.2.7]:7124", 0 },
        { "x~192.0.2.7 r~::", 0 },
    };

    ASSERT_KNOWN_THROUGHOUT(passages);
}

/* In between it is known from both. */
static void
test_known_from_elsewhere_besides(void **state OVS_UNUSED)
{
    static const struct passage passages[] = {
        { "192.0.2.7", 0 },
        { "192.0.2.7 r~192.0.2.7", 0 },
        { "r~192.0.2.7", 0 },
        { "192.0.2.7 r~192.0.2.7", 0 },
        { "192.0.2.7", 0 },
        { "192.0.2.7 q~192.0.2.7 r~192.0.2.7", 0 },
        { "q~192.0.2.7 r~192.0.2.7", 0 },
        { "r~192.0.2.7", 0 },
        { "q~192.0.2.7 r~192.0.2.7", 0 },
        { "+192.0.2.7 r~192.0.2.7", 0 },
        { "r~192.0.2.7", 0 },
        { "b=192.0.2.8,192.0.2.7 r~192.0.2.7", 0 },
    };

    ASSERT_KNOWN_THROUGHOUT(passages);
}

/* Which of the two is set aside stays the same. */
static void
test_known_although_configured_twice(void **state OVS_UNUSED)
{
    static const struct passage passages[] = {
        { "192.0.2.7 192.0.2.7", 0 },
        { "192.0.2.7 192.0.2.7", 0 },
        { "192.0.2.7 192.0.2.7 192.0.2.7", 0 },
        { "192.0.2.7", 0 },
        { "b=192.0.2.7 b=192.0.2.7", 0 },
        { "b=192.0.2.7 b=192.0.2.7", 0 },
    };

    ASSERT_KNOWN_THROUGHOUT(passages);
}

/* A name keeps what is known of it also when the address that goes to it was
 * listed by itself, and the other way round. */
static void
test_names_and_addresses_do_not_mix(void **state OVS_UNUSED)
{
    struct remote b = { .version = 1 }, c = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7 b=192.0.2.8");
    const struct known first = get_to_know(&peers, 0, &b);
    const struct known second = get_to_know(&peers, 1, &c);
    update(&peers, "b=192.0.2.7,192.0.2.8 192.0.2.7");
    assert_still_known(&peers, 0, &second);
    assert_still_known(&peers, 1, &first);
    assert_from_peer(&peers, "192.0.2.7", 1);
    assert_from_peer(&peers, "192.0.2.8", 0);
    peers_destroy(&peers);
}

/* "r" is a peer's name and one to discover by. */
static void
test_a_name_of_both_kinds(void **state OVS_UNUSED)
{
    struct remote b = { .version = 1 }, c = { .version = 1 };
    struct peers peers;

    setup(&peers, "r=192.0.2.7 r~192.0.2.8");
    const struct known first = get_to_know(&peers, 0, &b);
    const struct known second = get_to_know(&peers, 1, &c);
    update(&peers, "r=192.0.2.7 r~192.0.2.8 r~192.0.2.9");
    assert_still_known(&peers, 0, &first);
    assert_still_known(&peers, 1, &second);
    peers_destroy(&peers);
}

static void
test_of_a_new_peer_nothing_is_known(void **state OVS_UNUSED)
{
    struct remote remote = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7");
    const struct known known = get_to_know(&peers, 0, &remote);
    update(&peers, "192.0.2.7 192.0.2.8 192.0.2.7:7000 r~192.0.2.9");
    assert_still_known(&peers, 0, &known);
    for (size_t i = 1; i < peers.n_all; i++) {
        assert_anew(&peers, i, &known);
        assert_int_equal(peers.all[i]->tx + peers.all[i]->tx_bytes, 0);
        assert_int_equal(peers.all[i]->rx + peers.all[i]->rx_bytes, 0);
        assert_int_equal(peers.all[i]->tx_errors, 0);
    }
    peers_destroy(&peers);
}

static void
test_who_goes_and_comes_back_is_new(void **state OVS_UNUSED)
{
    static const char *const lists[] = { "192.0.2.7", "r~192.0.2.7",
                                         "b=192.0.2.7" };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        struct remote remote = { .version = 1 };
        struct peers peers;

        setup(&peers, lists[i]);
        const struct known known = get_to_know(&peers, 0, &remote);
        update(&peers, "192.0.2.7:7000");
        assert_null(remote.peer);
        assert_int_equal(peers.all[0]->tx, 0);
        assert_targets(&peers, "");
        assert_from_peer(&peers, "192.0.2.7", 0); /* Now another one's. */
        update(&peers, "");
        assert_from(&peers, "192.0.2.7", ORIGIN_UNKNOWN);
        update(&peers, lists[i]);
        assert_anew(&peers, 0, &known);
        assert_int_equal(peers.all[0]->tx, 0);
        peers_destroy(&peers);
    }
}

static void
test_a_name_whose_address_moves_begins_anew(void **state OVS_UNUSED)
{
    static const struct {
        const char *before, *after, *state;
    } all[] = {
        { "b=192.0.2.7", "b=192.0.2.8",
          "b configured probing 192.0.2.8:7124\n" },
        { "b=192.0.2.7,192.0.2.8", "b=192.0.2.8",
          "b configured probing 192.0.2.8:7124\n" },
        { "b=192.0.2.7", "b=192.0.2.7:7000",
          "b configured probing 192.0.2.7:7000\n" },
        { "b=192.0.2.7", "b=2001:db8::7",
          "b configured probing [2001:db8::7]:7124\n" },
        { "b=192.0.2.7", "b=192.0.2.1", "b configured own\n" },
        { "b=192.0.2.7", "b=", "b configured unresolved\n" },
        { "192.0.2.9 b=192.0.2.7", "192.0.2.9 b=192.0.2.9",
          "192.0.2.9 configured probing 192.0.2.9:7124\n"
          "b configured duplicate\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct remote remote = { .version = 1 };
        struct peers peers;

        setup(&peers, all[i].before);
        const size_t last = peers.n_all - 1;
        const struct known known = get_to_know(&peers, last, &remote);
        update(&peers, all[i].after);
        assert_peers(&peers, all[i].state);
        assert_ptr_equal(peers.all[last], known.peer);
        assert_statistics(peers.all[last], &known);
        assert_anew(&peers, last, &known);
        assert_null(remote.peer);
        assert_targets(&peers, "");
        peers_destroy(&peers);
    }
}

/* Of two names that swap their addresses each keeps its name. */
static void
test_names_that_swap_their_addresses_begin_anew(void **state OVS_UNUSED)
{
    struct remote b = { .version = 1 }, c = { .version = 1 };
    struct peers peers;

    setup(&peers, "b=192.0.2.7 c=192.0.2.8");
    const struct known first = get_to_know(&peers, 0, &b);
    const struct known second = get_to_know(&peers, 1, &c);
    update(&peers, "b=192.0.2.8 c=192.0.2.7");
    assert_ptr_equal(peers.all[0], first.peer);
    assert_ptr_equal(peers.all[1], second.peer);
    assert_anew(&peers, 0, &first);
    assert_anew(&peers, 1, &second);
    assert_peers(&peers, "b configured probing 192.0.2.8:7124\n"
                         "c configured probing 192.0.2.7:7124\n");
    peers_destroy(&peers);
}

static void
test_who_can_be_sent_to_no_longer_begins_anew(void **state OVS_UNUSED)
{
    struct remote remote = { .version = 1 };
    struct peers peers;

    setup(&peers, "2001:db8::7");
    const struct known known = get_to_know(&peers, 0, &remote);
    update_for(&peers, "2001:db8::7", true, false);
    assert_anew(&peers, 0, &known);
    update(&peers, "2001:db8::7");
    assert_ptr_equal(peers.all[0], known.peer);
    assert_anew(&peers, 0, &known);
    assert_statistics(peers.all[0], &known);
    peers_destroy(&peers);
}

/* Nothing can be known of one that is set aside, so that its number, and since
 * when it is asked, need not change each time. */
static void
test_who_is_set_aside_does_not_begin_anew(void **state OVS_UNUSED)
{
    static const char list[] = "b= 2001:db8::7 192.0.2.1 192.0.2.7 "
                               "192.0.2.7:7124";
    uint32_t paths[5];
    struct peers peers;

    peers_init(&peers);
    update_for(&peers, list, true, false);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        paths[i] = peers.all[i]->path;
    }
    for (int step = 1; step < 4; step++) {
        update_at(&peers, list, true, false, false, NOW + step);
        assert_int_equal(peers.n_all, ARRAY_SIZE(paths));
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
            assert_int_equal(peers.all[i]->path, paths[i]);
            assert_int_equal(peers.all[i]->liveness.since, NOW);
        }
    }
    peers_destroy(&peers);
}

/* Who comes back at the address that it had has been forgotten once. */
static void
test_who_can_be_sent_to_again_keeps_its_number(void **state OVS_UNUSED)
{
    static const struct {
        const char *before, *between;
        bool ipv6; /* Between. */
    } all[] = {
        { "b=192.0.2.7", "b=", true },
        { "b=2001:db8::7", "b=2001:db8::7", false },
        { "192.0.2.8 b=192.0.2.7", "r=192.0.2.8 b=", true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct remote remote = { .version = 1 };
        struct peers peers;

        setup(&peers, all[i].before);
        const size_t last = peers.n_all - 1;
        const struct known known = get_to_know(&peers, last, &remote);
        update_for(&peers, all[i].between, true, all[i].ipv6);
        assert_anew(&peers, last, &known);
        const uint32_t path = peers.all[last]->path;
        update(&peers, all[i].before);
        assert_ptr_equal(peers.all[last], known.peer);
        assert_anew(&peers, last, &known);
        assert_int_equal(peers.all[last]->path, path);
        assert_int_equal(peers.all[last]->role, PEER_OTHER);
        peers_destroy(&peers);
    }
}

static void
test_the_address_of_this_relay_changes(void **state OVS_UNUSED)
{
    const struct endpoint before = endpoint("192.0.2.1");
    const struct endpoint after = endpoint("192.0.2.2");
    struct peers_self self = { .ipv4 = true, .own = &before, .n_own = 1 };
    struct entries es;
    struct peers peers;

    peers_init(&peers);
    entries_init(&es, "192.0.2.1 192.0.2.2");
    peers_update(&peers, es.all, es.n, &self, false, NOW);
    assert_peers(&peers, "192.0.2.1 configured own\n"
                         "192.0.2.2 configured probing 192.0.2.2:7124\n");
    self.own = &after;
    peers_update(&peers, es.all, es.n, &self, false, NOW);
    assert_peers(&peers, "192.0.2.1 configured probing 192.0.2.1:7124\n"
                         "192.0.2.2 configured own\n");
    entries_destroy(&es);
    peers_destroy(&peers);
}

/* Who stays for a while although it is named no more. */

static void
test_who_is_kept_stays_known(void **state OVS_UNUSED)
{
    static const char *const lists[] = { "", "192.0.2.9",
                                         "c=", "c= r~192.0.2.9" };
    static const char *const kept[] = { "192.0.2.7", "b=192.0.2.7",
                                        "+192.0.2.7", "r~192.0.2.7" };

    for (size_t i = 0; i < ARRAY_SIZE(lists) * ARRAY_SIZE(kept); i++) {
        struct remote remote = { .version = 1 };
        struct peers peers;

        setup(&peers, kept[i % ARRAY_SIZE(kept)]);
        const struct known known = get_to_know(&peers, 0, &remote);
        for (int step = 0; step < 3; step++) {
            assert_true(update_keeping(&peers, lists[i / ARRAY_SIZE(kept)]));

            /* After all that are named. */
            assert_still_known(&peers, peers.n_all - 1, &known);
            assert_from_peer(&peers, "192.0.2.7", peers.n_all - 1);
            assert_ptr_equal(peers_by_path(&peers, known.copy.path),
                             known.peer);
            assert_targets(&peers, "192.0.2.7:7124 ");
        }
        update(&peers, lists[i / ARRAY_SIZE(kept)]);
        assert_null(remote.peer);
        assert_null(peers_by_path(&peers, known.copy.path));
        assert_targets(&peers, "");
        peers_destroy(&peers);
    }
}

/* All its addresses do. */
static void
test_who_is_kept_is_heard_from_all_its_addresses(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b=192.0.2.7,192.0.2.8");
    assert_true(update_keeping(&peers, "192.0.2.9"));
    assert_from_peer(&peers, "192.0.2.7", 1);
    assert_from_peer(&peers, "192.0.2.8", 1);
    assert_from_peer(&peers, "192.0.2.9", 0);
    peers_destroy(&peers);
}

static void
test_of_many_that_are_kept_none_is_lost(void **state OVS_UNUSED)
{
    struct peers peers;
    size_t n = 0;

    setup(&peers, "192.0.2.5 192.0.2.6 +192.0.2.7 r~192.0.2.8 b=192.0.2.9");
    let_all_be_silent(&peers);
    assert_true(update_keeping(&peers, "192.0.2.6 c="));
    assert_int_equal(peers.n_all, 6);
    assert_string_equal(peers.all[0]->name, "192.0.2.6");
    assert_string_equal(peers.all[1]->name, "c");
    for (size_t i = 2; i < peers.n_all; i++) {
        assert_string_equal(peer_state_name(peers.all[i]), "silent");
        n += in6_addr_get_mapped_ipv4(&peers.all[i]->target.address)
             != htonl(0);
    }
    assert_int_equal(n, 4);
    assert_int_equal(peers.n_targets, 5);
    peers_destroy(&peers);
}

/* The name that is waited for leads to one that was kept. */
static void
test_who_is_kept_goes_over_to_its_new_name(void **state OVS_UNUSED)
{
    static const char *const lists[] = { "r~192.0.2.7", "+192.0.2.7",
                                         "c=192.0.2.7", "b=192.0.2.7" };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        for (int keep = 0; keep < 2; keep++) {
            struct remote remote = { .version = 1 };
            struct peers peers;

            setup(&peers, "192.0.2.7:7124");
            const struct known known = get_to_know(&peers, 0, &remote);
            assert_true(update_keeping(&peers, "b="));
            if (keep) {
                assert_false(update_keeping(&peers, lists[i]));
            } else {
                update(&peers, lists[i]);
            }
            assert_int_equal(peers.n_all, 1);
            assert_still_known(&peers, 0, &known);
            peers_destroy(&peers);
        }
    }
}

/* A name that was this relay and leads nowhere any more wants no update. */
static void
test_nobody_asks_about_a_name_that_leads_nowhere(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b=192.0.2.8");
    peer_set_self(&peers, peers.all[0], NOW);
    assert_true(peers_self_deadline(&peers) == NOW + PEERS_SELF_MS);
    update_later(&peers, "b=", NOW + PEERS_SELF_MS);
    assert_true(peers_self_deadline(&peers) == LLONG_MAX);
    peers_destroy(&peers);
}

/* Those that nothing is sent to are nothing to keep. */
static void
test_who_is_set_aside_is_not_kept(void **state OVS_UNUSED)
{
    struct peers peers;

    peers_init(&peers);
    update_for(&peers, "b= 2001:db8::7 192.0.2.1 192.0.2.7 192.0.2.7:7124",
               true, false);
    assert_true(update_keeping(&peers, ""));
    assert_peers(&peers, "192.0.2.7 configured probing 192.0.2.7:7124\n");
    peers_destroy(&peers);

    setup(&peers, "b=192.0.2.8 r~192.0.2.9");
    peer_set_self(&peers, peers.all[0], NOW);
    peer_set_self(&peers, peers.all[1], NOW);
    assert_false(update_keeping(&peers, ""));
    assert_peers(&peers, "");
    assert_true(peers_self_deadline(&peers) == LLONG_MAX);
    peers_destroy(&peers);
}

static void
test_this_relay_itself_is_not_kept(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "(self)");
    assert_false(update_keeping(&peers, "b="));
    assert_peers(&peers, "b configured unresolved\n");
    peers_destroy(&peers);
}

static void
test_nobody_to_keep(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "");
    assert_false(update_keeping(&peers, ""));
    assert_false(update_keeping(&peers, "192.0.2.7 b="));
    assert_false(update_keeping(&peers, "192.0.2.7 b=192.0.2.8"));
    assert_int_equal(peers.n_all, 2);
    peers_destroy(&peers);
}

/* A name that is known already moves to the address of one that is kept. */
static void
test_whose_address_another_has_got_is_not_sent_to(void **state OVS_UNUSED)
{
    static const char *const lists[] = { "192.0.2.8 b=192.0.2.7",
                                         "r~192.0.2.8 b=192.0.2.7" };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        struct remote remote = { .version = 1 };
        struct peers peers;

        setup(&peers, lists[i]);
        const struct known known = get_to_know(&peers, 0, &remote);
        update_keeping(&peers, "b=192.0.2.8");
        assert_null(remote.peer);
        assert_null(peers_by_path(&peers, known.copy.path));
        assert_from_peer(&peers, "192.0.2.8", 0);
        assert_string_equal(peers.all[0]->name, "b");
        assert_int_equal(peers.n_all, i ? 1 : 2);
        let_all_be_silent(&peers);
        assert_targets(&peers, "192.0.2.8:7124 ");
        peers_destroy(&peers);
    }
}

/* Until peers_choose_targets() nobody gets frames, and no peer that is gone is
 * found. */
static void
test_between_updating_and_choosing(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.7 192.0.2.8");
    let_all_be_silent(&peers);
    update_for(&peers, "192.0.2.8", true, true);
    assert_targets(&peers, "");
    assert_from(&peers, "192.0.2.7", ORIGIN_UNKNOWN);
    assert_from_peer(&peers, "192.0.2.8", 0);
    peers_choose_targets(&peers);
    assert_targets(&peers, "192.0.2.8:7124 ");
    peers_destroy(&peers);
}

/* Who a datagram is from. */

static void
test_any_source_port_will_do(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.7 192.0.2.8:7000 [2001:db8::7]:7124");
    assert_from_peer(&peers, "192.0.2.7", 0);
    assert_from_peer(&peers, "192.0.2.7:1", 0);
    assert_from_peer(&peers, "192.0.2.8:7124", 1);
    assert_from_peer(&peers, "[::ffff:192.0.2.8]:65535", 1);
    assert_from_peer(&peers, "[2001:db8::7]:40000", 2);
    peers_destroy(&peers);
}

static void
test_strangers_are_unknown(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.7");
    assert_from(&peers, "192.0.2.9", ORIGIN_UNKNOWN);
    assert_from(&peers, "192.0.3.7", ORIGIN_UNKNOWN);
    assert_from(&peers, "2001:db8::7", ORIGIN_UNKNOWN);
    assert_from(&peers, "0.0.0.0", ORIGIN_UNKNOWN);
    assert_from(&peers, "::", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

static void
test_names_are_heard_from_all_their_addresses(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b=192.0.2.7,192.0.2.8,2001:db8::7");
    assert_from_peer(&peers, "192.0.2.7", 0);
    assert_from_peer(&peers, "192.0.2.8:9", 0);
    assert_from_peer(&peers, "2001:db8::7", 0);
    update(&peers, "b=192.0.2.6,192.0.2.8");
    assert_from_peer(&peers, "192.0.2.6", 0);
    assert_from_peer(&peers, "192.0.2.8", 0);
    assert_from(&peers, "192.0.2.7", ORIGIN_UNKNOWN);
    assert_from(&peers, "2001:db8::7", ORIGIN_UNKNOWN);

    /* Also from those that the mesh cannot send to. */
    update_for(&peers, "b=192.0.2.6,2001:db8::6", true, false);
    assert_from_peer(&peers, "2001:db8::6", 0);
    peers_destroy(&peers);
}

static void
test_a_source_port_tells_peers_apart(void **state OVS_UNUSED)
{
    static const char *const lists[] = {
        "192.0.2.7:1 192.0.2.7:2 192.0.2.7:3",
        "192.0.2.7:3 192.0.2.7:2 192.0.2.7:1",
        "r~192.0.2.7:2 r~192.0.2.7:1 r~192.0.2.7:3",
    };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        const struct endpoint other = endpoint("192.0.2.7:40000");
        struct peer *peer;
        struct peers peers;

        setup(&peers, lists[i]);
        let_all_be_silent(&peers);
        assert_int_equal(peers.n_targets, 3);
        for (size_t j = 0; j < peers.n_all; j++) {
            char target[ENDPOINT_TEXT_SIZE];

            assert_from_peer(
                &peers, endpoint_format(&peers.all[j]->target, target), j);
        }

        /* No other port is a stranger's. */
        assert_int_equal(peers_identify(&peers, &other, &peer), ORIGIN_PEER);
        assert_true(peer == peers.all[0] || peer == peers.all[1]
                    || peer == peers.all[2]);
        peers_destroy(&peers);
    }
}

/* Of several names that have an address it is the first one's, except that who
 * is sent to there comes first. */
static void
test_an_address_of_several_names(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b=192.0.2.7,192.0.2.9 c=192.0.2.8,192.0.2.9");
    assert_from_peer(&peers, "192.0.2.9", 0);
    update(&peers, "b=192.0.2.7,192.0.2.8 c=192.0.2.8,192.0.2.7");
    assert_from_peer(&peers, "192.0.2.7", 0);
    assert_from_peer(&peers, "192.0.2.8", 1);
    peers_destroy(&peers);
}

static void
test_subnets_to_accept_from(void **state OVS_UNUSED)
{
    struct subnet accept[2];
    struct peers peers;

    assert_true(subnet_from_text("10.0.0.0/8", &accept[0]));
    assert_true(subnet_from_text("2001:db8::/32", &accept[1]));
    setup(&peers, "10.0.0.7");
    peers_set_accept(&peers, accept, ARRAY_SIZE(accept));
    memset(accept, 0, sizeof accept); /* They were copied. */

    for (int i = 0; i < 2; i++) {
        assert_from(&peers, "10.255.0.1", ORIGIN_ACCEPTED);
        assert_from(&peers, "10.0.0.0", ORIGIN_ACCEPTED);
        assert_from(&peers, "2001:db8::1", ORIGIN_ACCEPTED);
        assert_from(&peers, "11.0.0.1", ORIGIN_UNKNOWN);
        assert_from(&peers, "2001:db9::1", ORIGIN_UNKNOWN);
        assert_from_peer(&peers, "10.0.0.7", 0);
        update(&peers, "10.0.0.7"); /* They stay. */
    }
    peers_destroy(&peers);
}

static void
test_subnets_replace_those_before(void **state OVS_UNUSED)
{
    struct subnet accept;
    struct peers peers;

    setup(&peers, "");
    assert_true(subnet_from_text("10.0.0.0/8", &accept));
    peers_set_accept(&peers, &accept, 1);
    assert_true(subnet_from_text("192.0.2.0/24", &accept));
    peers_set_accept(&peers, &accept, 1);
    assert_from(&peers, "10.0.0.1", ORIGIN_UNKNOWN);
    assert_from(&peers, "192.0.2.7", ORIGIN_ACCEPTED);
    peers_set_accept(&peers, NULL, 0);
    assert_from(&peers, "192.0.2.7", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

/* Numbers of ours. */

static void
test_each_peer_has_a_number(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.7 b=192.0.2.8 r~192.0.2.9 192.0.2.7:7000");
    assert_null(peers_by_path(&peers, 0));
    assert_null(peers_by_path(&peers, UINT32_MAX));
    for (size_t i = 0; i < peers.n_all; i++) {
        assert_int_not_equal(peers.all[i]->path, 0);
        assert_ptr_equal(peers_by_path(&peers, peers.all[i]->path),
                         peers.all[i]);
    }
    peers_destroy(&peers);
}

/* What comes late from where a peer was is not taken for the peer's. */
static void
test_no_number_comes_back(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b=192.0.2.7");
    const uint32_t before = peers.all[0]->path;
    update(&peers, "b=192.0.2.8");
    assert_null(peers_by_path(&peers, before));
    update(&peers, "b=192.0.2.7");
    assert_null(peers_by_path(&peers, before));
    update(&peers, "");
    update(&peers, "b=192.0.2.7");
    assert_null(peers_by_path(&peers, before));
    peers_destroy(&peers);
}

/* The row of numbers ends some day, and 0 is none. */
static void
test_numbers_wrap_around(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "");
    peers.last_path = UINT32_MAX - 3;
    update(&peers, "192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8 192.0.2.9");
    for (size_t i = 0; i < peers.n_all; i++) {
        assert_int_not_equal(peers.all[i]->path, 0);
        assert_ptr_equal(peers_by_path(&peers, peers.all[i]->path),
                         peers.all[i]);
    }
    assert_true(peers.last_path < 100);
    assert_null(peers_by_path(&peers, 0));
    peers_destroy(&peers);
}

static void
test_no_two_have_the_same_number(void **state OVS_UNUSED)
{
    struct peers peers;
    size_t n = 0;

    setup(&peers, "192.0.2.5 192.0.2.6 192.0.2.7");
    const uint32_t paths[] = { peers.all[0]->path, peers.all[1]->path,
                               peers.all[2]->path };
    peers.last_path = UINT32_MAX; /* Once around. */
    update(&peers, "192.0.2.5 192.0.2.6 192.0.2.7 b=192.0.2.8 c=192.0.2.9");
    for (size_t i = 0; i < peers.n_all; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(peers.all[i]->path, peers.all[j]->path);
        }
        assert_ptr_equal(peers_by_path(&peers, peers.all[i]->path),
                         peers.all[i]);
        n += i < ARRAY_SIZE(paths) && peers.all[i]->path == paths[i];
    }
    assert_int_equal(n, 3);

    /* Nor does one that moves get another's. */
    peers.last_path = paths[0] - 1;
    update(&peers, "192.0.2.5 192.0.2.6 192.0.2.7 b=192.0.2.3 c=192.0.2.9");
    assert_ptr_equal(peers_by_path(&peers, paths[0]), peers.all[0]);
    assert_ptr_equal(peers_by_path(&peers, peers.all[3]->path), peers.all[3]);
    peers_destroy(&peers);
}

static void
test_who_goes_leaves_no_number(void **state OVS_UNUSED)
{
    struct peers peers;
    uint32_t paths[4];

    setup(&peers, "192.0.2.7 b=192.0.2.8 +192.0.2.6 r~192.0.2.9");
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        paths[i] = peers.all[i]->path;
    }
    update(&peers, "");
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        assert_null(peers_by_path(&peers, paths[i]));
    }
    assert_int_equal(hmap_count(&peers.by_path), 0);
    peers_destroy(&peers);
}

/* Many, so that they share buckets. */
static void
test_many_are_found_by_their_numbers(void **state OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct peers peers;

    for (int i = 0; i < MAX_ENTRIES; i++) {
        ds_put_format(&s, "192.0.2.%d ", 100 + i);
    }
    setup(&peers, ds_cstr(&s));
    ds_destroy(&s);
    for (size_t i = 0; i < peers.n_all; i++) {
        assert_ptr_equal(peers_by_path(&peers, peers.all[i]->path),
                         peers.all[i]);
    }
    assert_null(peers_by_path(&peers, peers.last_path + 1));
    peers_destroy(&peers);
}

/* Found to be this relay. */

static void
test_who_is_found_to_be_this_relay_is_set_aside(void **state OVS_UNUSED)
{
    struct remote remote = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7 b=192.0.2.8,192.0.2.9");
    const struct known known = get_to_know(&peers, 1, &remote);
    assert_targets(&peers, "192.0.2.8:7124 ");
    peer_set_self(&peers, peers.all[1], NOW);
    peers_choose_targets(&peers);
    assert_peers(&peers, "192.0.2.7 configured probing 192.0.2.7:7124\n"
                         "b configured own\n");
    assert_targets(&peers, "");
    assert_false(peer_is_greeted(peers.all[1]));
    assert_false(peers.all[1]->speaks_ours);
    assert_anew(&peers, 1, &known);
    assert_null(remote.peer);
    peers_destroy(&peers);
}

static void
test_who_is_this_relay_stays_so_with_the_address(void **state OVS_UNUSED)
{
    static const char *const lists[] = {
        "b=192.0.2.8", "b=192.0.2.8,192.0.2.9", "b=192.0.2.9,192.0.2.8",
        "c=192.0.2.7 b=192.0.2.8", "+b=192.0.2.8"
    };
    struct peers peers;

    setup(&peers, "b=192.0.2.8");
    peer_set_self(&peers, peers.all[0], NOW);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        update(&peers, lists[i]);
        assert_string_equal(peer_state_name(peers.all[peers.n_all - 1]),
                            "own");
    }

    /* Not with another one, nor when it comes back. */
    update(&peers, "b=192.0.2.9");
    assert_peers(&peers, "b configured probing 192.0.2.9:7124\n");
    update(&peers, "b=192.0.2.8");
    assert_peers(&peers, "b configured probing 192.0.2.8:7124\n");
    peers_destroy(&peers);
}

/* The address may have become somebody else's meanwhile. */
static void
test_who_is_this_relay_is_asked_again_after_a_while(void **state OVS_UNUSED)
{
    static const char *const lists[] = { "b=192.0.2.8", "192.0.2.8",
                                         "+192.0.2.8", "r~192.0.2.8" };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        const size_t n = i < 3; /* The last one is not even a peer. */
        const long long int end = NOW + 5 + PEERS_SELF_MS;
        struct peers peers;

        setup(&peers, lists[i]);
        peer_set_self(&peers, peers.all[0], NOW + 5);
        for (int step = 0; step < 2; step++) {
            update_later(&peers, lists[i], step ? end - 1 : NOW + 6);
            assert_int_equal(peers.n_all, n);
            assert_from(&peers, "192.0.2.8", ORIGIN_UNKNOWN);
            assert_true(peers_self_deadline(&peers) == end);
        }
        update_later(&peers, lists[i], end);
        assert_int_equal(peers.n_all, 1);
        assert_true(peer_is_greeted(peers.all[0]));
        assert_string_equal(peer_state_name(peers.all[0]), "probing");
        assert_from_peer(&peers, "192.0.2.8", 0);
        assert_true(peers_self_deadline(&peers) == LLONG_MAX);
        assert_true(peers.all[0]->liveness.next_hello <= end);

        /* It still is. */
        peer_set_self(&peers, peers.all[0], end + 7);
        update_later(&peers, lists[i], end + 7);
        assert_int_equal(peers.n_all, n);
        assert_true(peers_self_deadline(&peers) == end + 7 + PEERS_SELF_MS);
        peers_destroy(&peers);
    }
}

static void
test_the_first_that_is_to_be_asked_again(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "");
    assert_true(peers_self_deadline(&peers) == LLONG_MAX);
    update(&peers, "192.0.2.7 b=192.0.2.8 r~192.0.2.9 192.0.2.1");
    assert_true(peers_self_deadline(&peers) == LLONG_MAX);
    peer_set_self(&peers, peers.all[1], NOW + 20);
    assert_true(peers_self_deadline(&peers) == NOW + 20 + PEERS_SELF_MS);
    peer_set_self(&peers, peers.all[2], NOW + 10);
    assert_true(peers_self_deadline(&peers) == NOW + 10 + PEERS_SELF_MS);

    /* Also once it is no peer any more. */
    update(&peers, "192.0.2.7 b=192.0.2.8 r~192.0.2.9 192.0.2.1");
    assert_int_equal(peers.n_all, 3);
    assert_true(peers_self_deadline(&peers) == NOW + 10 + PEERS_SELF_MS);
    update(&peers, "192.0.2.7 b=192.0.2.8");
    assert_true(peers_self_deadline(&peers) == NOW + 20 + PEERS_SELF_MS);
    update(&peers, "192.0.2.7 b=192.0.2.6");
    assert_true(peers_self_deadline(&peers) == LLONG_MAX);
    peers_destroy(&peers);
}

/* So that it is said once in a while of one that is asked again and again. */
static void
test_it_is_remembered_what_was_said_of_an_address(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b=192.0.2.8");
    assert_false(peers.all[0]->told_self);
    peer_set_self(&peers, peers.all[0], NOW);
    assert_true(peers.all[0]->told_self);
    update_later(&peers, "b=192.0.2.8", NOW + PEERS_SELF_MS);
    assert_int_equal(peers.all[0]->role, PEER_OTHER);
    assert_true(peers.all[0]->told_self);
    update_later(&peers, "b=192.0.2.9", NOW + PEERS_SELF_MS);
    assert_false(peers.all[0]->told_self);
    update_later(&peers, "b=192.0.2.8", NOW + PEERS_SELF_MS);
    assert_false(peers.all[0]->told_self);
    peers_destroy(&peers);
}

static void
test_another_address_is_not_this_relays(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b=192.0.2.8");
    peer_set_self(&peers, peers.all[0], NOW);
    update_for(&peers, "b=2001:db8::8", true, false);
    assert_peers(&peers, "b configured unreachable\n");
    update(&peers, "b=2001:db8::8");
    assert_peers(&peers, "b configured probing [2001:db8::8]:7124\n");
    peers_destroy(&peers);
}

static void
test_discovered_and_found_to_be_this_relay(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "r~192.0.2.8 r~192.0.2.9");
    peer_set_self(&peers, peers.all[0], NOW);
    peers_choose_targets(&peers);
    for (int i = 0; i < 3; i++) {
        update(&peers, "r~192.0.2.8 r~192.0.2.9");
        assert_peers(&peers, "r discovered probing 192.0.2.9:7124\n");
        assert_from(&peers, "192.0.2.8", ORIGIN_UNKNOWN);
    }

    /* It was somebody else's for a while, who knows whose it is now. */
    update(&peers, "r~192.0.2.9");
    update(&peers, "r~192.0.2.8 r~192.0.2.9");
    assert_peers(&peers, "r discovered probing 192.0.2.8:7124\n"
                         "r discovered probing 192.0.2.9:7124\n");
    peers_destroy(&peers);
}

static void
test_what_is_this_relays_is_no_peers(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "b=192.0.2.8,192.0.2.9 192.0.2.8:7000");
    peer_set_self(&peers, peers.all[0], NOW);
    assert_from(&peers, "192.0.2.9", ORIGIN_UNKNOWN);
    assert_from_peer(&peers, "192.0.2.8", 1);
    peers_destroy(&peers);
}

/* Who gets frames, and how. */

/* Whoever is there, and where, before and after a hello has told who. */
static void
test_formats_and_words_in_each_state(void **state OVS_UNUSED)
{
    static const struct {
        enum liveness_state state;
        bool remote;     /* Is it known who is there? */
        uint8_t version; /* That both speak. */
        bool target, ours;
        const char *name, *format;
    } all[] = {
        { LIVENESS_PROBING, false, 0, false, false, "probing", "unknown" },
        { LIVENESS_PROBING, true, 1, false, false, "probing", "snowrelay" },
        { LIVENESS_SILENT, false, 0, true, false, "silent", "unknown" },
        { LIVENESS_SNOWSIGNAL, false, 0, true, false, "snowsignal",
          "snowsignal" },
        { LIVENESS_SNOWSIGNAL, true, 1, true, false, "snowsignal",
          "snowsignal" },
        { LIVENESS_UP, true, 1, true, true, "up", "snowrelay" },
        { LIVENESS_UP, true, 2, true, true, "up", "snowrelay" },
        { LIVENESS_UP, true, 0, true, false, "up", "snowrelay" },
        { LIVENESS_UP, false, 0, true, false, "up", "unknown" },
        { LIVENESS_SUSPECT, true, 1, true, true, "suspect", "snowrelay" },
        { LIVENESS_SUSPECT, true, 0, true, false, "suspect", "snowrelay" },
        { LIVENESS_DOWN, true, 1, true, false, "down", "snowrelay" },
        { LIVENESS_DOWN, false, 0, true, false, "down", "unknown" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct remote remote = { .version = all[i].version };
        struct peers peers;

        setup(&peers, "192.0.2.7");
        struct peer *peer = peers.all[0];
        peer->speaks_ours = true; /* As it may have been before. */
        peer_set_remote(peer, all[i].remote ? &remote : NULL);
        bring_nth(&peers, 0, all[i].state);

        assert_targets(&peers, all[i].target ? "192.0.2.7:7124 " : "");
        assert_int_equal(peer->speaks_ours, all[i].ours);
        assert_string_equal(peer_state_name(peer), all[i].name);
        assert_ptr_equal(peer_reason(peer), peer->liveness.reason);
        assert_string_equal(peer_format_name(peer), all[i].format);
        assert_true(peer_is_greeted(peer));
        peers_destroy(&peers);
    }
}

static void
test_words_of_those_that_are_set_aside(void **state OVS_UNUSED)
{
    static const struct {
        const char *name, *reason;
    } all[] = {
        { "unresolved", "its name has no address yet" },
        { "unreachable", "mesh.address does not let us send there" },
        { "own", "it is this relay" },
        { "duplicate", "another peer has its address" },
    };
    struct peers peers;

    peers_init(&peers);
    update_for(&peers, "b= 2001:db8::7 192.0.2.1 192.0.2.7 192.0.2.7:7124",
               true, false);
    assert_string_equal(peer_state_name(peers.all[3]), "probing");
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        const struct peer *peer = peers.all[i < 3 ? i : 4];

        assert_string_equal(peer_state_name(peer), all[i].name);
        assert_string_equal(peer_reason(peer), all[i].reason);
        assert_string_equal(peer_format_name(peer), "unknown");
        assert_false(peer_is_greeted(peer));
    }
    peers_destroy(&peers);
}

static void
test_this_relay_itself_gets_frames_at_once(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "(self)");
    assert_peers(&peers, "(self) self self 127.0.0.1:7124\n");
    assert_targets(&peers, "127.0.0.1:7124 ");
    assert_false(peer_is_greeted(peers.all[0]));
    assert_false(peers.all[0]->speaks_ours);
    assert_string_equal(peer_format_name(peers.all[0]), "snowsignal");
    assert_string_equal(peer_reason(peers.all[0]), "there is no other peer");
    assert_from_peer(&peers, "127.0.0.1:9", 0);

    update(&peers, "(self)");
    assert_targets(&peers, "127.0.0.1:7124 ");
    update(&peers, "192.0.2.7");
    assert_peers(&peers, "192.0.2.7 configured probing 192.0.2.7:7124\n");
    assert_from(&peers, "127.0.0.1", ORIGIN_UNKNOWN);
    peers_destroy(&peers);
}

/* Its address is this relay's, which is what is wanted. */
static void
test_this_relay_itself_is_not_set_aside(void **state OVS_UNUSED)
{
    const struct endpoint own = endpoint("127.0.0.1");
    const struct peers_self self = {
        .ipv4 = true, .own = &own, .n_own = 1, .local = &own, .n_local = 1
    };
    struct entries es;
    struct peers peers;

    peers_init(&peers);
    entries_init(&es, "(self)");
    peers_update(&peers, es.all, es.n, &self, false, NOW);
    assert_peers(&peers, "(self) self self 127.0.0.1:7124\n");
    entries_destroy(&es);
    peers_destroy(&peers);
}

static void
test_a_remote_is_noted_and_forgotten(void **state OVS_UNUSED)
{
    struct remote b = { .version = 1 }, c = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7");
    bring_up(&peers, 0, &b);
    assert_ptr_equal(peers.all[0]->remote, &b);
    assert_ptr_equal(b.peer, peers.all[0]);
    peer_set_remote(peers.all[0], &b);
    assert_ptr_equal(b.peer, peers.all[0]);

    peer_set_remote(peers.all[0], &c);
    assert_null(b.peer);
    peers_choose_targets(&peers);
    assert_ptr_equal(c.peer, peers.all[0]);
    peer_set_remote(peers.all[0], NULL);
    assert_null(c.peer);
    assert_null(peers.all[0]->remote);
    peers_destroy(&peers);
}

/* Nobody is left to point to. */
static void
test_remotes_outlive_peers(void **state OVS_UNUSED)
{
    struct remote b = { .version = 1 }, c = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7 192.0.2.8 192.0.2.9");
    bring_up(&peers, 0, &b);
    bring_up(&peers, 1, &c);
    bring_up(&peers, 2, &c);
    assert_ptr_equal(c.peer, peers.all[1]);
    peers_destroy(&peers);
    assert_null(b.peer);
    assert_null(c.peer);
}

/* Begins with two peers, and another one in between, of which the two lead to
 * 'remote', the first one first. */
static void
setup_two_ways(struct peers *peers, struct remote *remote)
{
    setup(peers, "192.0.2.7 192.0.2.8 192.0.2.9");
    *remote = (struct remote){ .version = 1 };
    bring_up(peers, 0, remote);
    bring_up(peers, 2, remote);
}

static void
test_two_peers_that_are_one_relay_get_frames_once(void **state OVS_UNUSED)
{
    struct remote remote;
    struct peers peers;

    setup_two_ways(&peers, &remote);
    assert_targets(&peers, "192.0.2.7:7124 ");
    assert_ptr_equal(remote.peer, peers.all[0]);
    assert_true(peers.all[0]->speaks_ours);
    assert_false(peers.all[2]->speaks_ours);
    assert_peers(&peers, "192.0.2.7 configured up 192.0.2.7:7124\n"
                         "192.0.2.8 configured probing 192.0.2.8:7124\n"
                         "192.0.2.9 configured alternate 192.0.2.9:7124\n");
    assert_string_equal(peer_reason(peers.all[2]),
                        "another peer leads to the same relay");
    assert_string_equal(peer_format_name(peers.all[2]), "snowrelay");

    /* It is heard, and must be, to take over some day. */
    assert_true(peer_is_greeted(peers.all[2]));
    assert_from_peer(&peers, "192.0.2.9", 2);
    peers_destroy(&peers);
}

/* Whoever is first in the configuration is not better than who was first. */
static void
test_the_first_one_that_is_up_gets_the_frames(void **state OVS_UNUSED)
{
    struct remote remote = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7 192.0.2.8");
    bring_up(&peers, 1, &remote);
    bring_up(&peers, 0, &remote);
    assert_targets(&peers, "192.0.2.8:7124 ");
    update(&peers, "192.0.2.7 192.0.2.8");
    assert_targets(&peers, "192.0.2.8:7124 ");
    update(&peers, "192.0.2.8 192.0.2.7");
    assert_targets(&peers, "192.0.2.8:7124 ");
    peers_destroy(&peers);
}

static void
test_the_other_one_takes_over_and_stays(void **state OVS_UNUSED)
{
    static const enum liveness_state worse[] = { LIVENESS_SUSPECT,
                                                 LIVENESS_DOWN };

    for (size_t i = 0; i < ARRAY_SIZE(worse); i++) {
        struct remote remote;
        struct peers peers;

        setup_two_ways(&peers, &remote);
        bring_nth(&peers, 0, worse[i]);
        assert_targets(&peers, "192.0.2.9:7124 ");
        assert_ptr_equal(remote.peer, peers.all[2]);
        assert_true(peers.all[2]->speaks_ours);
        assert_false(peers.all[0]->speaks_ours);
        assert_string_equal(peer_state_name(peers.all[2]), "up");
        assert_string_equal(peer_state_name(peers.all[0]),
                            liveness_state_name(worse[i]));
        assert_ptr_equal(peer_reason(peers.all[0]),
                         peers.all[0]->liveness.reason);

        /* It comes back, and there is no reason to go back. */
        bring_nth(&peers, 0, LIVENESS_UP);
        assert_targets(&peers, "192.0.2.9:7124 ");
        assert_string_equal(peer_state_name(peers.all[0]), "alternate");
        update(&peers, "192.0.2.7 192.0.2.8 192.0.2.9");
        assert_targets(&peers, "192.0.2.9:7124 ");

        /* But when the other one goes. */
        bring_nth(&peers, 2, worse[i]);
        assert_targets(&peers, "192.0.2.7:7124 ");
        peers_destroy(&peers);
    }
}

static void
test_who_is_worse_does_not_take_over(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(all_states); i++) {
        struct remote remote;
        struct peers peers;

        setup_two_ways(&peers, &remote);
        bring_nth(&peers, 2, all_states[i]);
        assert_targets(&peers, "192.0.2.7:7124 ");
        assert_ptr_equal(remote.peer, peers.all[0]);
        peers_destroy(&peers);
    }
}

/* It gets none itself, so it must not keep them from another one. */
static void
test_who_is_probing_does_not_stand_in_the_way(void **state OVS_UNUSED)
{
    struct remote remote = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7 192.0.2.8");
    peer_set_remote(peers.all[0], &remote);
    peers_choose_targets(&peers);
    assert_null(remote.peer);
    peer_set_remote(peers.all[1], &remote);
    bring_nth(&peers, 1, LIVENESS_DOWN);
    assert_targets(&peers, "192.0.2.8:7124 ");
    peers_destroy(&peers);
}

/* While none is up the frames go where they went. */
static void
test_two_that_are_as_bad_do_not_flap(void **state OVS_UNUSED)
{
    static const enum liveness_state bad[] = { LIVENESS_SUSPECT,
                                               LIVENESS_DOWN };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct remote remote;
        struct peers peers;

        setup_two_ways(&peers, &remote);
        bring(peers.all[0], bad[i]);
        bring_nth(&peers, 2, bad[i]);
        assert_targets(&peers, "192.0.2.7:7124 ");
        assert_string_equal(peer_state_name(peers.all[2]),
                            liveness_state_name(bad[i]));
        bring_nth(&peers, 2, bad[i]);
        assert_targets(&peers, "192.0.2.7:7124 ");
        peers_destroy(&peers);
    }
}

/* Who missed a hello may be there; who is down is not. */
static void
test_a_suspect_takes_over_from_one_that_is_down(void **state OVS_UNUSED)
{
    struct remote remote;
    struct peers peers;

    setup_two_ways(&peers, &remote);
    bring(peers.all[2], LIVENESS_SUSPECT);
    bring_nth(&peers, 0, LIVENESS_DOWN);
    assert_targets(&peers, "192.0.2.9:7124 ");
    assert_true(peers.all[2]->speaks_ours);
    bring_nth(&peers, 0, LIVENESS_SUSPECT);
    assert_targets(&peers, "192.0.2.9:7124 ");
    peers_destroy(&peers);
}

static void
test_the_other_one_takes_over_from_one_that_goes(void **state OVS_UNUSED)
{
    static const char *const lists[] = { "192.0.2.8 192.0.2.9",
                                         "192.0.2.7:7000 192.0.2.9 192.0.2.8",
                                         "192.0.2.9" };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        struct remote remote;
        struct peers peers;

        setup_two_ways(&peers, &remote);
        struct peer *other = peers.all[2];
        update(&peers, lists[i]);
        assert_targets(&peers, "192.0.2.9:7124 ");
        assert_ptr_equal(remote.peer, other);
        assert_string_equal(peer_state_name(other), "up");
        peers_destroy(&peers);
    }
}

static void
test_the_other_one_takes_over_from_one_that_moves(void **state OVS_UNUSED)
{
    struct remote remote = { .version = 1 };
    struct peers peers;

    setup(&peers, "b=192.0.2.7 192.0.2.9");
    bring_up(&peers, 0, &remote);
    bring_up(&peers, 1, &remote);
    update(&peers, "b=192.0.2.8 192.0.2.9");
    assert_targets(&peers, "192.0.2.9:7124 ");
    assert_ptr_equal(remote.peer, peers.all[1]);

    /* At its new address it is the same relay again, but late. */
    bring_up(&peers, 0, &remote);
    assert_targets(&peers, "192.0.2.9:7124 ");
    peers_destroy(&peers);
}

static void
test_the_other_one_takes_over_from_one_that_is_another(void **state OVS_UNUSED)
{
    struct remote remote, c = { .version = 1 };
    struct peers peers;

    setup_two_ways(&peers, &remote);
    peer_set_remote(peers.all[0], &c);
    peers_choose_targets(&peers);
    assert_targets(&peers, "192.0.2.7:7124 192.0.2.9:7124 ");
    assert_ptr_equal(c.peer, peers.all[0]);
    assert_ptr_equal(remote.peer, peers.all[2]);

    /* It turns out to speak SnowSignal's format, so that nobody knows. */
    peer_set_remote(peers.all[0], NULL);
    bring_nth(&peers, 0, LIVENESS_SNOWSIGNAL);
    assert_null(c.peer);
    assert_targets(&peers, "192.0.2.7:7124 192.0.2.9:7124 ");
    peers_destroy(&peers);
}

/* Goes the one that gets no frames, the other one goes on. */
static void
test_who_goes_leaves_the_other_one_alone(void **state OVS_UNUSED)
{
    struct remote remote = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7 192.0.2.8 192.0.2.9");
    for (size_t i = peers.n_all; i > 0; i--) {
        bring_up(&peers, i - 1, &remote);
    }
    assert_targets(&peers, "192.0.2.9:7124 ");
    peer_set_remote(peers.all[0], NULL);
    peers_choose_targets(&peers);
    assert_ptr_equal(remote.peer, peers.all[2]);
    assert_targets(&peers, "192.0.2.7:7124 192.0.2.9:7124 ");
    update(&peers, "192.0.2.8 192.0.2.9");
    assert_targets(&peers, "192.0.2.9:7124 ");
    update(&peers, "192.0.2.9");
    assert_targets(&peers, "192.0.2.9:7124 ");
    peers_destroy(&peers);
}

static void
test_one_of_two_is_found_to_be_this_relay(void **state OVS_UNUSED)
{
    struct remote remote;
    struct peers peers;

    setup_two_ways(&peers, &remote);
    peer_set_self(&peers, peers.all[0], NOW);
    peers_choose_targets(&peers);
    assert_targets(&peers, "192.0.2.9:7124 ");
    assert_ptr_equal(remote.peer, peers.all[2]);
    peers_destroy(&peers);
}

/* Who is not known to be the same may be another. */
static void
test_peers_without_remotes_all_get_frames(void **state OVS_UNUSED)
{
    struct remote b = { .version = 1 }, c = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8");
    let_all_be_silent(&peers);
    bring_up(&peers, 1, &b);
    bring_up(&peers, 2, &c);
    assert_targets(&peers, "192.0.2.5:7124 192.0.2.6:7124 192.0.2.7:7124 "
                           "192.0.2.8:7124 ");
    peers_destroy(&peers);
}

/* At random. */

enum {
    HOSTS = 6,
    PORTS = 2,
    PLACES = HOSTS * PORTS, /* Where peers may be; host 0 is this relay's. */
    REMOTES = 3
};

/* What is known of each place: a number that was given to the peer which was
 * sent to there, 0 if none was. */
struct model {
    uint64_t tags[PLACES];
    uint64_t last_tag;
};

static const char *
place_text(int place)
{
    static char text[32];

    snprintf(text, sizeof text, "192.0.2.%d:%d", 1 + place / PORTS,
             7124 + place % PORTS);
    return text;
}

/* Returns a random roster, with what 'model' is to have where somebody is sent
 * to then: configured are addresses, and discovered those of two names. */
static char *
random_list(uint32_t *random, bool there[PLACES])
{
    static const char *const names[] = { "", "+", "q~", "r~" };
    struct ds s = DS_EMPTY_INITIALIZER;

    memset(there, 0, PLACES * sizeof *there);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const int first = next_random(random) % PLACES;

        for (int j = 0; j < PLACES; j++) {
            int place = (first + j) % PLACES;

            if (next_random(random) % 3
                || (i < 2 && there[place])) { /* One is enough. */
                continue;
            }
            ds_put_format(&s, "%s%s ", names[i], place_text(place));
            there[place] = place != 0;
        }
    }
    return ds_steal_cstr(&s);
}

/* Fails the test unless just the places that are 'there' have a peer that is
 * sent to there, and it is the one that was, if any was. */
static void
assert_like_model(const struct peers *peers, struct model *model,
                  const bool there[PLACES])
{
    struct model next = { .last_tag = model->last_tag };
    size_t n = 0;

    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];

        if (peer->role != PEER_OTHER) {
            assert_int_not_equal(peer->source, ROSTER_DISCOVERED);
            assert_null(peer->remote);
            continue;
        }

        const uint32_t host =
            ntohl(in6_addr_get_mapped_ipv4(&peer->target.address)) & 0xff;
        const int place = (host - 1) * PORTS + peer->target.port - 7124;

        assert_true(there[place]);
        assert_int_equal(next.tags[place], 0); /* Each once. */
        if (model->tags[place]) {
            assert_int_equal(peer->tx, model->tags[place]);
        } else {
            assert_int_equal(peer->tx, 0);
            assert_null(peer->remote);
            peer->tx = ++next.last_tag;
        }
        next.tags[place] = peer->tx;
        assert_from_peer(peers, place_text(place), i);
        assert_ptr_equal(peers_by_path(peers, peer->path), peer);
        n++;
    }
    for (int place = 0; place < PLACES; place++) {
        n -= there[place];
    }
    assert_int_equal(n, 0);
    *model = next;
}

/* Fails the test unless each of the 'remotes' that some peer leads to and that
 * may get frames has just one peer for them, and that is there. */
static void
assert_remotes(const struct peers *peers, const struct remote *remotes)
{
    size_t n = 0;

    for (size_t i = 0; i < REMOTES; i++) {
        size_t n_targets = 0;
        bool wanted = false;

        for (size_t j = 0; j < peers->n_all; j++) {
            const struct peer *peer = peers->all[j];

            wanted |= (peer->remote == &remotes[i]
                       && peer->liveness.state != LIVENESS_PROBING);
        }
        for (size_t j = 0; j < peers->n_targets; j++) {
            if (peers->targets[j]->remote == &remotes[i]) {
                assert_ptr_equal(remotes[i].peer, peers->targets[j]);
                n_targets++;
            }
        }
        assert_int_equal(n_targets, wanted);
        if (remotes[i].peer) { /* Nobody who is gone. */
            assert_ptr_equal(remotes[i].peer->remote, &remotes[i]);
        }
        n += n_targets;
    }
    for (size_t i = 0; i < peers->n_targets; i++) {
        n += !peers->targets[i]->remote;
    }
    assert_int_equal(n, peers->n_targets);
}

/* Has some peers change their states and remotes. */
static void
stir(const struct peers *peers, struct remote *remotes, uint32_t *random)
{
    for (size_t i = 0; i < peers->n_all; i++) {
        struct peer *peer = peers->all[i];

        if (peer_is_greeted(peer) && next_random(random) % 2) {
            struct remote *remote = &remotes[next_random(random) % REMOTES];

            bring(peer,
                  all_states[next_random(random) % ARRAY_SIZE(all_states)]);
            peer_set_remote(
                peer, (peer->liveness.state >= LIVENESS_UP ? remote : NULL));
        }
    }
}

static void
test_updates_at_random(void **state OVS_UNUSED)
{
    uint32_t random = 1;

    for (int round = 0; round < 30; round++) {
        struct remote remotes[REMOTES] = { { .version = 1 } };
        struct model model = { .last_tag = 0 };
        bool there[PLACES];
        struct peers peers;

        peers_init(&peers);
        for (int step = 0; step < 30; step++) {
            char *list = random_list(&random, there);

            update(&peers, list);
            assert_like_model(&peers, &model, there);
            assert_remotes(&peers, remotes);
            stir(&peers, remotes, &random);
            peers_choose_targets(&peers);
            assert_remotes(&peers, remotes);
            free(list);
        }
        peers_destroy(&peers);
        for (size_t i = 0; i < REMOTES; i++) {
            assert_null(remotes[i].peer);
        }
    }
}

/* Appends a name with some of the places for its addresses to 's'. */
static void
put_random_name(struct ds *s, const char *name, uint32_t *random)
{
    const char *between = "=";

    ds_put_cstr(s, name);
    for (int place = next_random(random) % PLACES; place < PLACES; place++) {
        if (next_random(random) % 3 == 0) {
            ds_put_format(s, "%s%s", between, place_text(place));
            between = ",";
        }
    }
    ds_put_cstr(s, *between == '=' ? "= " : " ");
}

/* Names have several addresses, of which one is sent to as long as it is
 * there. */
static void
test_names_at_random(void **state OVS_UNUSED)
{
    static const char *const names[] = { "b", "c", "+d", "b" };
    uint32_t random = 2;
    struct remote remotes[REMOTES] = { { .version = 1 } };
    struct peers peers;

    peers_init(&peers);
    for (int step = 0; step < 500; step++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        bool there[PLACES];

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            if (next_random(&random) % 4) {
                put_random_name(&s, names[i], &random);
            }
        }
        char *list = random_list(&random, there);
        ds_put_cstr(&s, list);
        free(list);

        update(&peers, ds_cstr(&s));
        ds_destroy(&s);
        for (size_t i = 0; i < peers.n_all; i++) {
            const struct peer *peer = peers.all[i];
            struct peer *from;
            bool found = false;

            if (peer->role != PEER_OTHER) {
                continue;
            }
            for (size_t j = 0; j < peer->n_endpoints; j++) {
                found |= endpoint_equal(&peer->target, &peer->endpoints[j]);
                assert_int_equal(
                    peers_identify(&peers, &peer->endpoints[j], &from),
                    ORIGIN_PEER);
            }
            assert_true(found);
            assert_int_equal(peers_identify(&peers, &peer->target, &from),
                             ORIGIN_PEER);
            assert_ptr_equal(from, peer);
        }
        assert_remotes(&peers, remotes);
        stir(&peers, remotes, &random);
        peers_choose_targets(&peers);
        assert_remotes(&peers, remotes);
    }
    peers_destroy(&peers);
}

/* The segment. */

/* Those of this relay's own get no frames, in whatever state they are; that
 * they have a card there, and no more is known of them, is no reason. */
static void
test_who_is_on_the_segment_gets_no_frames(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(all_states); i++) {
        for (int known = 0; known < 2; known++) {
            const enum liveness_state s = all_states[i];
            const bool says_so = known && s == LIVENESS_UP;
            struct remote remote = { .version = 1, .on_segment = true };
            struct peers peers;

            setup(&peers, "192.0.2.7 192.0.2.8");
            struct peer *peer = peers.all[0];
            const char *with =
                (s == LIVENESS_PROBING ? "192.0.2.8:7124 "
                                       : "192.0.2.7:7124 192.0.2.8:7124 ");
            peer_set_remote(peer, known ? &remote : NULL);
            peer->on_link = !known;
            peer->speaks_ours = true; /* As it may have been before. */
            bring_nth(&peers, 0, s);
            bring_nth(&peers, 1, LIVENESS_SILENT);

            assert_int_equal(peer_is_on_segment(peer), known);
            assert_targets(&peers, known ? "192.0.2.8:7124 " : with);
            if (known) {
                assert_false(peer->speaks_ours);
            }
            assert_string_equal(peer_state_name(peer),
                                says_so ? "segment" : liveness_state_name(s));
            assert_string_equal(peer_reason(peer),
                                says_so ? "it is on this relay's own segment"
                                        : peer->liveness.reason);
            assert_string_equal(peer_format_name(peer),
                                s == LIVENESS_SNOWSIGNAL ? "snowsignal"
                                : known                  ? "snowrelay"
                                                         : "unknown");
            assert_true(peer_is_greeted(peer));
            assert_from_peer(&peers, "192.0.2.7", 0);

            /* When it is not any more, it does. */
            remote.on_segment = peer->on_link = false;
            peers_choose_targets(&peers);
            assert_false(peer_is_on_segment(peer));
            assert_targets(&peers, with);
            assert_string_equal(peer_state_name(peer), liveness_state_name(s));
            assert_ptr_equal(peer_reason(peer), peer->liveness.reason);
            peers_destroy(&peers);
        }
    }
}

/* Who says who it is says by that where it is, whatever else is known. */
static void
test_a_remote_tells_better_than_a_link(void **state OVS_UNUSED)
{
    struct remote remote = { .version = 1 };
    struct peers peers;

    setup(&peers, "192.0.2.7");
    struct peer *peer = peers.all[0];
    peer->on_link = true;
    bring_up(&peers, 0, &remote);
    assert_false(peer_is_on_segment(peer));
    assert_targets(&peers, "192.0.2.7:7124 ");
    assert_string_equal(peer_state_name(peer), "up");

    remote.on_segment = true;
    peer->on_link = false;
    peers_choose_targets(&peers);
    assert_true(peer_is_on_segment(peer));
    assert_targets(&peers, "");
    assert_string_equal(peer_state_name(peer), "segment");

    /* Who does not any more is anywhere. */
    peer_set_remote(peer, NULL);
    peers_choose_targets(&peers);
    assert_false(peer_is_on_segment(peer));
    assert_targets(&peers, "192.0.2.7:7124 ");
    peers_destroy(&peers);
}

/* By whatever way. */
static void
test_two_ways_to_a_relay_of_the_segment(void **state OVS_UNUSED)
{
    struct remote remote;
    struct peers peers;

    setup_two_ways(&peers, &remote);
    remote.on_segment = true;
    peers_choose_targets(&peers);
    assert_targets(&peers, "");
    for (size_t i = 0; i < 3; i += 2) {
        assert_string_equal(peer_state_name(peers.all[i]), "segment");
        assert_false(peers.all[i]->speaks_ours);
    }

    /* The better one of the two gets the frames when it has left that. */
    bring_nth(&peers, 0, LIVENESS_DOWN);
    assert_targets(&peers, "");
    assert_string_equal(peer_state_name(peers.all[0]), "down");
    remote.on_segment = false;
    peers_choose_targets(&peers);
    assert_targets(&peers, "192.0.2.9:7124 ");
    assert_true(peers.all[2]->speaks_ours);
    bring_nth(&peers, 0, LIVENESS_UP);
    assert_string_equal(peer_state_name(peers.all[0]), "alternate");
    peers_destroy(&peers);

    /* Of two that were on it from the beginning it is the first one. */
    setup(&peers, "192.0.2.7 192.0.2.8");
    remote = (struct remote){ .version = 1, .on_segment = true };
    bring_up(&peers, 0, &remote);
    bring_up(&peers, 1, &remote);
    assert_targets(&peers, "");
    remote.on_segment = false;
    peers_choose_targets(&peers);
    assert_targets(&peers, "192.0.2.7:7124 ");
    peers_destroy(&peers);
}

static void
test_who_is_set_aside_is_not_called_of_the_segment(void **state OVS_UNUSED)
{
    struct remote remote = { .version = 1, .on_segment = true };
    struct peers peers;

    setup(&peers, "b= 192.0.2.1 192.0.2.7 192.0.2.7:7124");
    for (size_t i = 0; i < peers.n_all; i++) {
        peers.all[i]->liveness.state = LIVENESS_UP;
        peer_set_remote(peers.all[i], &remote);
    }
    assert_string_equal(peer_state_name(peers.all[0]), "unresolved");
    assert_string_equal(peer_state_name(peers.all[1]), "own");
    assert_string_equal(peer_state_name(peers.all[3]), "duplicate");
    assert_string_equal(peer_reason(peers.all[1]), "it is this relay");
    peers_destroy(&peers);
}

/* Whoever looks at the peers can tell that there may be others. */
static void
test_the_number_of_choices_grows(void **state OVS_UNUSED)
{
    struct peers peers;

    setup(&peers, "192.0.2.7");
    for (int i = 0; i < 3; i++) {
        const unsigned int seqno = peers.seqno;

        peers_choose_targets(&peers);
        assert_int_not_equal(peers.seqno, seqno);
    }
    peers_destroy(&peers);
}

int
main(void)
{
    /* What changes about peers is logged, which here only hides what
     * fails. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_peers_are_in_the_order_of_the_roster),
        cmocka_unit_test(test_own_address_is_set_aside),
        cmocka_unit_test(test_own_address_is_no_peers),
        cmocka_unit_test(test_own_addresses_that_are_discovered_are_left_out),
        cmocka_unit_test(test_addresses_of_this_host),
        cmocka_unit_test(test_duplicates_are_set_aside),
        cmocka_unit_test(test_duplicates_that_are_discovered_are_left_out),
        cmocka_unit_test(test_a_name_takes_only_one_of_its_addresses),
        cmocka_unit_test(test_names_without_addresses_are_unresolved),
        cmocka_unit_test(test_peers_of_a_family_that_cannot_be_sent_to),
        cmocka_unit_test(test_the_family_of_a_name),
        cmocka_unit_test(test_nothing_changes_what_is_known),
        cmocka_unit_test(test_known_while_a_discovered_list_grows_and_shrinks),
        cmocka_unit_test(test_known_while_a_discovered_list_rotates),
        cmocka_unit_test(test_known_while_a_names_list_changes),
        cmocka_unit_test(test_known_from_elsewhere),
        cmocka_unit_test(test_known_from_elsewhere_besides),
        cmocka_unit_test(test_known_although_configured_twice),
        cmocka_unit_test(test_names_and_addresses_do_not_mix),
        cmocka_unit_test(test_a_name_of_both_kinds),
        cmocka_unit_test(test_of_a_new_peer_nothing_is_known),
        cmocka_unit_test(test_who_goes_and_comes_back_is_new),
        cmocka_unit_test(test_a_name_whose_address_moves_begins_anew),
        cmocka_unit_test(test_names_that_swap_their_addresses_begin_anew),
        cmocka_unit_test(test_who_can_be_sent_to_no_longer_begins_anew),
        cmocka_unit_test(test_who_is_set_aside_does_not_begin_anew),
        cmocka_unit_test(test_who_can_be_sent_to_again_keeps_its_number),
        cmocka_unit_test(test_the_address_of_this_relay_changes),
        cmocka_unit_test(test_who_is_kept_stays_known),
        cmocka_unit_test(test_who_is_kept_is_heard_from_all_its_addresses),
        cmocka_unit_test(test_of_many_that_are_kept_none_is_lost),
        cmocka_unit_test(test_who_is_kept_goes_over_to_its_new_name),
        cmocka_unit_test(test_nobody_asks_about_a_name_that_leads_nowhere),
        cmocka_unit_test(test_who_is_set_aside_is_not_kept),
        cmocka_unit_test(test_this_relay_itself_is_not_kept),
        cmocka_unit_test(test_nobody_to_keep),
        cmocka_unit_test(test_whose_address_another_has_got_is_not_sent_to),
        cmocka_unit_test(test_between_updating_and_choosing),
        cmocka_unit_test(test_any_source_port_will_do),
        cmocka_unit_test(test_strangers_are_unknown),
        cmocka_unit_test(test_names_are_heard_from_all_their_addresses),
        cmocka_unit_test(test_a_source_port_tells_peers_apart),
        cmocka_unit_test(test_an_address_of_several_names),
        cmocka_unit_test(test_subnets_to_accept_from),
        cmocka_unit_test(test_subnets_replace_those_before),
        cmocka_unit_test(test_each_peer_has_a_number),
        cmocka_unit_test(test_no_number_comes_back),
        cmocka_unit_test(test_numbers_wrap_around),
        cmocka_unit_test(test_no_two_have_the_same_number),
        cmocka_unit_test(test_who_goes_leaves_no_number),
        cmocka_unit_test(test_many_are_found_by_their_numbers),
        cmocka_unit_test(test_who_is_found_to_be_this_relay_is_set_aside),
        cmocka_unit_test(test_who_is_this_relay_stays_so_with_the_address),
        cmocka_unit_test(test_who_is_this_relay_is_asked_again_after_a_while),
        cmocka_unit_test(test_the_first_that_is_to_be_asked_again),
        cmocka_unit_test(test_it_is_remembered_what_was_said_of_an_address),
        cmocka_unit_test(test_another_address_is_not_this_relays),
        cmocka_unit_test(test_discovered_and_found_to_be_this_relay),
        cmocka_unit_test(test_what_is_this_relays_is_no_peers),
        cmocka_unit_test(test_formats_and_words_in_each_state),
        cmocka_unit_test(test_words_of_those_that_are_set_aside),
        cmocka_unit_test(test_this_relay_itself_gets_frames_at_once),
        cmocka_unit_test(test_this_relay_itself_is_not_set_aside),
        cmocka_unit_test(test_a_remote_is_noted_and_forgotten),
        cmocka_unit_test(test_remotes_outlive_peers),
        cmocka_unit_test(test_two_peers_that_are_one_relay_get_frames_once),
        cmocka_unit_test(test_the_first_one_that_is_up_gets_the_frames),
        cmocka_unit_test(test_the_other_one_takes_over_and_stays),
        cmocka_unit_test(test_who_is_worse_does_not_take_over),
        cmocka_unit_test(test_who_is_probing_does_not_stand_in_the_way),
        cmocka_unit_test(test_two_that_are_as_bad_do_not_flap),
        cmocka_unit_test(test_a_suspect_takes_over_from_one_that_is_down),
        cmocka_unit_test(test_the_other_one_takes_over_from_one_that_goes),
        cmocka_unit_test(test_the_other_one_takes_over_from_one_that_moves),
        cmocka_unit_test(
            test_the_other_one_takes_over_from_one_that_is_another),
        cmocka_unit_test(test_who_goes_leaves_the_other_one_alone),
        cmocka_unit_test(test_one_of_two_is_found_to_be_this_relay),
        cmocka_unit_test(test_peers_without_remotes_all_get_frames),
        cmocka_unit_test(test_who_is_on_the_segment_gets_no_frames),
        cmocka_unit_test(test_a_remote_tells_better_than_a_link),
        cmocka_unit_test(test_two_ways_to_a_relay_of_the_segment),
        cmocka_unit_test(test_who_is_set_aside_is_not_called_of_the_segment),
        cmocka_unit_test(test_the_number_of_choices_grows),
        cmocka_unit_test(test_updates_at_random),
        cmocka_unit_test(test_names_at_random),
    };
    return cmocka_run_group_tests_name("peers", tests, NULL, NULL);
}
