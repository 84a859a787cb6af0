/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "roster.h"

#include "support-resolver.h"

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

/* Before and after each test. */
static int
clear(void **state OVS_UNUSED)
{
    mock_forget();
    return 0;
}

/* Adds the texts in 'list', which has spaces in between, to 'specs'. */
static void
add_specs(struct peer_specs *specs, const char *list)
{
    char *copy = xstrdup(list);
    char *save = NULL;

    for (char *text = strtok_r(copy, " ", &save); text;
         text = strtok_r(NULL, " ", &save)) {
        assert_no_error(peer_specs_add(specs, text, true));
    }
    free(copy);
}

/* Configures the peers 'configured' and the names 'discovered', both lists
 * with spaces in between, for a mesh at 'mesh'. */
static void
configure_at(struct roster *r, const char *configured, const char *discovered,
             const char *mesh, bool test_self)
{
    struct peer_specs peers = { .n = 0 }, discover = { .n = 0 };
    struct endpoint endpoint;
    char *host;

    add_specs(&peers, configured);
    add_specs(&discover, discovered);
    assert_no_error(host_port_split(mesh, 7124, &host, &endpoint.port));
    assert_true(address_from_text(host, &endpoint.address));
    roster_configure(r, &peers, &discover, &endpoint, test_self);
    free(host);
    peer_specs_clear(&peers);
    peer_specs_clear(&discover);
}

static void
configure(struct roster *r, const char *configured, const char *discovered)
{
    configure_at(r, configured, discovered, "0.0.0.0:7124", false);
}

/* Begins with 'configured' and 'discovered'. */
static void
setup(struct roster *r, const char *configured, const char *discovered)
{
    roster_init(r);
    configure(r, configured, discovered);
}

/* Fails the test unless the peers that there should be are 'expected': a line
 * for each, with its source, its name and its endpoints. */
static void
assert_entries(const struct roster *r, const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct roster_entry *entries;
    size_t n = roster_entries(r, NULL, &entries);

    for (size_t i = 0; i < n; i++) {
        const struct roster_entry *e = &entries[i];
        char text[ENDPOINT_TEXT_SIZE];

        ds_put_format(&s, "%s %s", roster_source_name(e->source), e->name);
        for (size_t j = 0; j < e->n; j++) {
            ds_put_format(&s, " %s", endpoint_format(&e->endpoints[j], text));
        }
        ds_put_char(&s, '\n');
    }
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
    roster_entries_free(entries, n);
}

/* Add and remove 'text', which must be right. */
static void
add(struct roster *r, const char *text)
{
    assert_no_error(roster_add(r, NULL, text));
}

static void
drop(struct roster *r, const char *text)
{
    assert_no_error(roster_remove(r, NULL, text));
}

/* Fail the test unless adding, or removing, 'text' gives the message that
 * consists of it in quotes and 'message'. */
static void
assert_add_error(struct roster *r, const char *text, const char *message)
{
    char *whole = xasprintf("\"%s\" %s", text, message);

    assert_error(roster_add(r, NULL, text), whole);
    free(whole);
}

static void
assert_remove_error(struct roster *r, const char *text, const char *message)
{
    char *whole = xasprintf("\"%s\" %s", text, message);

    assert_error(roster_remove(r, NULL, text), whole);
    free(whole);
}

#define ALREADY "is a peer already"
#define NO_PEER "is no peer; mesh/show has those that are"

/* What there should be. */

static void
test_nobody(void **state OVS_UNUSED)
{
    struct roster r;

    roster_init(&r);
    assert_entries(&r, "");
    configure(&r, "", "");
    assert_entries(&r, "");
    roster_destroy(&r);
}

static void
test_addresses_of_the_configuration(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "192.0.2.8 192.0.2.7:7125 2001:db8::7 [2001:db8::8]:1", "");
    assert_entries(&r, "configured 192.0.2.8 192.0.2.8:7124\n"
                       "configured 192.0.2.7:7125 192.0.2.7:7125\n"
                       "configured 2001:db8::7 [2001:db8::7]:7124\n"
                       "configured [2001:db8::8]:1 [2001:db8::8]:1\n");
    roster_destroy(&r);
}

/* Whether each is another relay is not for the roster to say. */
static void
test_what_is_configured_twice_is_there_twice(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "192.0.2.7 192.0.2.7", "");
    assert_entries(&r, "configured 192.0.2.7 192.0.2.7:7124\n"
                       "configured 192.0.2.7 192.0.2.7:7124\n");
    roster_destroy(&r);
}

static void
test_a_name_is_one_peer_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relay-b", "192.0.2.8", "2001:db8::7", "192.0.2.7");
    setup(&r, "relay-b:7125 192.0.2.9 relay-b", "");

    /* In the order in which the resolver has the addresses. */
    assert_entries(&r, "configured relay-b:7125 192.0.2.8:7125 "
                       "[2001:db8::7]:7125 192.0.2.7:7125\n"
                       "configured 192.0.2.9 192.0.2.9:7124\n"
                       "configured relay-b 192.0.2.8:7124 "
                       "[2001:db8::7]:7124 192.0.2.7:7124\n");
    roster_destroy(&r);
}

static void
test_a_name_without_addresses_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "relay-b", "");
    assert_entries(&r, "configured relay-b\n");
    MOCK_RESOLVE("relay-b", "192.0.2.7");
    assert_entries(&r, "configured relay-b 192.0.2.7:7124\n");
    roster_destroy(&r);
}

static void
test_a_name_to_discover_by_is_many_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "", "tasks.relay");
    assert_entries(&r, "");
    MOCK_RESOLVE("tasks.relay", "192.0.2.7");
    assert_entries(&r, "discovered tasks.relay 192.0.2.7:7124\n");
    MOCK_RESOLVE("tasks.relay", "192.0.2.7", "192.0.2.8");
    assert_entries(&r, "discovered tasks.relay 192.0.2.7:7124\n"
                       "discovered tasks.relay 192.0.2.8:7124\n");
    MOCK_RESOLVE("tasks.relay", "192.0.2.8");
    assert_entries(&r, "discovered tasks.relay 192.0.2.8:7124\n");
    roster_destroy(&r);
}

/* Name servers rotate their answers. */
static void
test_discovered_are_in_order_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    /* IPv4 addresses are IPv6 ones that begin with ten null bytes. */
    static const char expected[] = "discovered relays 192.0.2.7:7124\n"
                                   "discovered relays 192.0.2.8:7124\n"
                                   "discovered relays 192.0.2.10:7124\n"
                                   "discovered relays [2001:db8::7]:7124\n";
    struct roster r;

    setup(&r, "", "relays");
    MOCK_RESOLVE("relays", "192.0.2.10", "192.0.2.8", "2001:db8::7",
                 "192.0.2.7");
    assert_entries(&r, expected);
    MOCK_RESOLVE("relays", "2001:db8::7", "192.0.2.7", "192.0.2.8",
                 "192.0.2.10");
    assert_entries(&r, expected);
    roster_destroy(&r);
}

static void
test_services_have_ports_of_their_own_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "", "_relay._udp.example");
    MOCK_RESOLVE("_relay._udp.example", "192.0.2.7:65535", "192.0.2.8:7124",
                 "192.0.2.7:1", "192.0.2.7:256");
    assert_entries(&r, "discovered _relay._udp.example 192.0.2.7:1\n"
                       "discovered _relay._udp.example 192.0.2.7:256\n"
                       "discovered _relay._udp.example 192.0.2.7:65535\n"
                       "discovered _relay._udp.example 192.0.2.8:7124\n");
    roster_destroy(&r);
}

static void
test_names_may_have_a_port_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.7");
    setup(&r, "", "relays:7125 relays");
    assert_entries(&r, "discovered relays:7125 192.0.2.7:7125\n"
                       "discovered relays 192.0.2.7:7124\n");
    roster_destroy(&r);
}

static void
test_the_port_is_the_present_one_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.8");
    setup(&r, "192.0.2.7 192.0.2.9:7124", "relays");
    add(&r, "192.0.2.6");
    configure_at(&r, "192.0.2.7 192.0.2.9:7124", "relays", "0.0.0.0:7000",
                 false);
    assert_entries(&r, "configured 192.0.2.7 192.0.2.7:7000\n"
                       "configured 192.0.2.9:7124 192.0.2.9:7124\n"
                       "added 192.0.2.6 192.0.2.6:7000\n"
                       "discovered relays 192.0.2.8:7000\n");
    roster_destroy(&r);
}

static void
test_sources_come_one_after_the_other_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("b-relays", "192.0.2.4", "192.0.2.3");
    MOCK_RESOLVE("a-relays", "192.0.2.2");
    setup(&r, "192.0.2.9 192.0.2.8", "b-relays a-relays");
    add(&r, "192.0.2.7");
    add(&r, "192.0.2.6");
    assert_entries(&r, "configured 192.0.2.9 192.0.2.9:7124\n"
                       "configured 192.0.2.8 192.0.2.8:7124\n"
                       "added 192.0.2.7 192.0.2.7:7124\n"
                       "added 192.0.2.6 192.0.2.6:7124\n"
                       "discovered b-relays 192.0.2.3:7124\n"
                       "discovered b-relays 192.0.2.4:7124\n"
                       "discovered a-relays 192.0.2.2:7124\n");
    roster_destroy(&r);
}

static void
test_the_configuration_is_copied(void **state OVS_UNUSED)
{
    struct peer_specs peers = { .n = 0 }, discover = { .n = 0 };
    struct endpoint mesh = { .port = 7124 };
    struct roster r;

    roster_init(&r);
    add_specs(&peers, "192.0.2.7");
    add_specs(&discover, "relays");
    roster_configure(&r, &peers, &discover, &mesh, false);
    peer_specs_clear(&peers);
    peer_specs_clear(&discover);
    mesh.port = 1;
    MOCK_RESOLVE("relays", "192.0.2.8");
    assert_entries(&r, "configured 192.0.2.7 192.0.2.7:7124\n"
                       "discovered relays 192.0.2.8:7124\n");
    roster_destroy(&r);
}

/* Adding. */

static void
test_added_are_peers_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relay-b", "192.0.2.9", "192.0.2.8");
    setup(&r, "", "");
    add(&r, "192.0.2.7");
    add(&r, "relay-b:7125");
    add(&r, "[2001:db8::7]:7126");
    assert_entries(&r, "added 192.0.2.7 192.0.2.7:7124\n"
                       "added relay-b:7125 192.0.2.9:7125 192.0.2.8:7125\n"
                       "added [2001:db8::7]:7126 [2001:db8::7]:7126\n");
    roster_destroy(&r);
}

static void
test_what_is_a_peer_cannot_be_added_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        /* Configured, however it is written. */
        "192.0.2.7",
        "192.0.2.7:7124",
        "::ffff:192.0.2.7",
        "[::ffff:192.0.2.7]:7124",
        "relay-b",
        "relay-b:7124",
        "2001:db8:0::7",

        /* Added. */
        "192.0.2.9",
        "192.0.2.9:7124",

        /* Discovered. */
        "192.0.2.8",
        "192.0.2.8:7124",
        "192.0.2.8:7125",
    };
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.8");
    MOCK_RESOLVE("_relay._udp.example", "192.0.2.8:7125");
    setup(&r, "192.0.2.7 relay-b 2001:db8::7", "relays _relay._udp.example");
    add(&r, "192.0.2.9");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_add_error(&r, texts[i], ALREADY);
    }
    assert_int_equal(r.added.n, 1);
    roster_destroy(&r);
}

/* Another port is another relay. */
static void
test_another_port_can_be_added_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.8");
    setup(&r, "192.0.2.7 relay-b", "relays");
    add(&r, "192.0.2.7:7125");
    add(&r, "192.0.2.8:7125");
    add(&r, "relay-b:7125");
    assert_int_equal(r.added.n, 3);
    roster_destroy(&r);
}

/* A name may lead elsewhere tomorrow. */
static void
test_a_name_is_not_its_address_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relay-b", "192.0.2.7");
    setup(&r, "relay-b", "");
    add(&r, "192.0.2.7");
    assert_entries(&r, "configured relay-b 192.0.2.7:7124\n"
                       "added 192.0.2.7 192.0.2.7:7124\n");
    roster_destroy(&r);
}

/* Its peers are there already. */
static void
test_a_discovering_name_is_not_added_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.7");
    setup(&r, "", "relays");
    assert_add_error(&r, "relays", ALREADY);
    assert_entries(&r, "discovered relays 192.0.2.7:7124\n");
    roster_destroy(&r);
}

static void
test_what_is_wrong_cannot_be_added(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "", "");
    assert_add_error(&r, "",
                     "is neither an address nor a host name, with or without "
                     ":PORT");
    assert_add_error(&r, "a:0", "has no port from 1 to 65535 after the colon");
    assert_add_error(&r, "_relay._udp.example",
                     "names a service, which only mesh.discover looks up");
    assert_entries(&r, "");
    roster_destroy(&r);
}

static void
test_added_stay_whatever_is_configured(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "192.0.2.8", "");
    add(&r, "192.0.2.7");
    configure(&r, "192.0.2.9", "");
    assert_entries(&r, "configured 192.0.2.9 192.0.2.9:7124\n"
                       "added 192.0.2.7 192.0.2.7:7124\n");

    /* The configuration has it as well, and then no longer. */
    configure(&r, "192.0.2.7:7124", "");
    assert_entries(&r, "configured 192.0.2.7:7124 192.0.2.7:7124\n");
    configure(&r, "", "");
    assert_entries(&r, "added 192.0.2.7 192.0.2.7:7124\n");
    roster_destroy(&r);
}

/* Removing. */

static void
test_added_can_be_removed(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "192.0.2.9", "");
    add(&r, "192.0.2.7");
    add(&r, "relay-b");
    drop(&r, "192.0.2.7:7124"); /* Written in another way. */
    assert_entries(&r, "configured 192.0.2.9 192.0.2.9:7124\n"
                       "added relay-b\n");
    drop(&r, "relay-b");
    assert_entries(&r, "configured 192.0.2.9 192.0.2.9:7124\n");

    add(&r, "192.0.2.7");
    assert_entries(&r, "configured 192.0.2.9 192.0.2.9:7124\n"
                       "added 192.0.2.7 192.0.2.7:7124\n");
    roster_destroy(&r);
}

static void
test_configured_can_be_removed_and_added_again(void **state OVS_UNUSED)
{
    static const char *const texts[] = { "192.0.2.7", "192.0.2.7:7124",
                                         "::ffff:192.0.2.7" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct roster r;

        setup(&r, "relay-b 192.0.2.7 192.0.2.7:7125", "");
        drop(&r, texts[i]);
        assert_entries(&r, "configured relay-b\n"
                           "configured 192.0.2.7:7125 192.0.2.7:7125\n");

        /* It is what it was, at its place. */
        add(&r, texts[ARRAY_SIZE(texts) - 1 - i]);
        assert_entries(&r, "configured relay-b\n"
                           "configured 192.0.2.7 192.0.2.7:7124\n"
                           "configured 192.0.2.7:7125 192.0.2.7:7125\n");
        assert_add_error(&r, "192.0.2.7", ALREADY);
        roster_destroy(&r);
    }
}

static void
test_configured_names_can_be_removed_and_added_again(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "relay-b relay-b:7125 relay-c", "");
    drop(&r, "relay-b:7124");
    assert_entries(&r, "configured relay-b:7125\nconfigured relay-c\n");
    add(&r, "relay-b");
    assert_entries(&r, "configured relay-b\nconfigured relay-b:7125\n"
                       "configured relay-c\n");
    roster_destroy(&r);
}

static void
test_all_of_a_kind_are_removed(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "192.0.2.7 192.0.2.7:7124 192.0.2.8", "");
    drop(&r, "192.0.2.7");
    assert_entries(&r, "configured 192.0.2.8 192.0.2.8:7124\n");
    roster_destroy(&r);
}

static void
test_who_is_no_peer_cannot_be_removed_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        "192.0.2.6",    "192.0.2.7:7125",      "192.0.2.8:7125", "relay-c",
        "relay-b:7125", "192.0.2.9", /* An address of a name. */
        "relays:1",     "_relay._tcp.example",
    };
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.8");
    MOCK_RESOLVE("relay-b", "192.0.2.9");
    setup(&r, "192.0.2.7 relay-b", "relays");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_remove_error(&r, texts[i], NO_PEER);
    }
    assert_int_equal(r.removed.n, 0);
    roster_destroy(&r);
}

static void
test_what_is_wrong_cannot_be_removed(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "192.0.2.7", "");
    assert_remove_error(&r, "a:0",
                        "has no port from 1 to 65535 after the colon");
    assert_remove_error(&r, "_relay._udp.example:7124",
                        "names a service, which has ports of its own");
    assert_entries(&r, "configured 192.0.2.7 192.0.2.7:7124\n");
    roster_destroy(&r);
}

static void
test_nothing_can_be_removed_twice_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    static const char *const texts[] = { "192.0.2.7", "relay-b", "192.0.2.8",
                                         "relays", "192.0.2.9" };
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.8", "192.0.2.10");
    setup(&r, "192.0.2.7 relay-b", "relays");
    add(&r, "192.0.2.9");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        drop(&r, texts[i]);
        assert_remove_error(&r, texts[i], NO_PEER);
    }
    assert_entries(&r, "");
    assert_remove_error(&r, "192.0.2.10", NO_PEER);
    roster_destroy(&r);
}

/* One name has it and people have added it: it is gone from both. */
static void
test_a_peer_of_two_sources_is_removed_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "", "relays");
    add(&r, "192.0.2.7");
    MOCK_RESOLVE("relays", "192.0.2.7", "192.0.2.8");
    assert_entries(&r, "added 192.0.2.7 192.0.2.7:7124\n"
                       "discovered relays 192.0.2.7:7124\n"
                       "discovered relays 192.0.2.8:7124\n");
    drop(&r, "192.0.2.7");
    assert_entries(&r, "discovered relays 192.0.2.8:7124\n");
    configure(&r, "192.0.2.7", "relays");
    assert_entries(&r, "discovered relays 192.0.2.8:7124\n");
    roster_destroy(&r);
}

static void
test_what_was_added_and_configured_is_removed(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "", "");
    add(&r, "192.0.2.7");
    configure(&r, "192.0.2.7", "");
    drop(&r, "192.0.2.7");
    assert_entries(&r, "");
    configure(&r, "", "");
    assert_entries(&r, "");
    add(&r, "192.0.2.7");
    assert_entries(&r, "added 192.0.2.7 192.0.2.7:7124\n");
    roster_destroy(&r);
}

static void
test_a_discovered_one_is_removed_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.7", "192.0.2.8");
    setup(&r, "", "relays");
    drop(&r, "192.0.2.7");
    assert_entries(&r, "discovered relays 192.0.2.8:7124\n");

    /* Also when the name loses and gets it again. */
    MOCK_RESOLVE("relays", "192.0.2.8", "192.0.2.9");
    assert_entries(&r, "discovered relays 192.0.2.8:7124\n"
                       "discovered relays 192.0.2.9:7124\n");
    MOCK_RESOLVE("relays", "192.0.2.7", "192.0.2.9");
    assert_entries(&r, "discovered relays 192.0.2.9:7124\n");

    add(&r, "::ffff:192.0.2.7");
    assert_entries(&r, "discovered relays 192.0.2.7:7124\n"
                       "discovered relays 192.0.2.9:7124\n");
    roster_destroy(&r);
}

/* Of a service only the one with the port. */
static void
test_a_discovered_port_is_removed_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("_relay._udp.example", "192.0.2.7:7124", "192.0.2.7:7125",
                 "192.0.2.7:7126");
    setup(&r, "", "_relay._udp.example");
    drop(&r, "192.0.2.7:7125");
    assert_entries(&r, "discovered _relay._udp.example 192.0.2.7:7124\n"
                       "discovered _relay._udp.example 192.0.2.7:7126\n");
    drop(&r, "192.0.2.7");
    assert_entries(&r, "discovered _relay._udp.example 192.0.2.7:7126\n");
    roster_destroy(&r);
}

static void
test_removed_from_all_names_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.7", "192.0.2.8");
    MOCK_RESOLVE("others", "192.0.2.7", "192.0.2.9");
    setup(&r, "", "relays others");
    drop(&r, "192.0.2.7");
    assert_entries(&r, "discovered relays 192.0.2.8:7124\n"
                       "discovered others 192.0.2.9:7124\n");
    roster_destroy(&r);
}

/* Gone from the name meanwhile, it is a peer of its own. */
static void
test_removed_and_then_lost_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.7", "192.0.2.8");
    setup(&r, "", "relays");
    drop(&r, "192.0.2.7");
    MOCK_RESOLVE("relays", "192.0.2.8");
    add(&r, "192.0.2.7");
    assert_entries(&r, "added 192.0.2.7 192.0.2.7:7124\n"
                       "discovered relays 192.0.2.8:7124\n");
    roster_destroy(&r);
}

static void
test_a_whole_name_is_removed_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.7", "192.0.2.8");
    MOCK_RESOLVE("others", "192.0.2.9");
    setup(&r, "192.0.2.6", "relays others");
    drop(&r, "relays");
    assert_entries(&r, "configured 192.0.2.6 192.0.2.6:7124\n"
                       "discovered others 192.0.2.9:7124\n");
    MOCK_RESOLVE("relays", "192.0.2.10");
    assert_entries(&r, "configured 192.0.2.6 192.0.2.6:7124\n"
                       "discovered others 192.0.2.9:7124\n");
    roster_destroy(&r);
}

static void
test_a_whole_name_is_added_again_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.7", "192.0.2.8");
    setup(&r, "", "relays");
    drop(&r, "relays");
    add(&r, "relays");
    assert_entries(&r, "discovered relays 192.0.2.7:7124\n"
                       "discovered relays 192.0.2.8:7124\n");
    assert_int_equal(r.added.n, 0);
    roster_destroy(&r);
}

static void
test_a_service_is_added_again_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("_relay._udp.example", "192.0.2.7:7125");
    setup(&r, "", "_relay._udp.example");
    drop(&r, "_relay._udp.example");
    assert_entries(&r, "");
    add(&r, "_relay._udp.example");
    assert_entries(&r, "discovered _relay._udp.example 192.0.2.7:7125\n");
    roster_destroy(&r);
}

static void
test_removed_stay_removed_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    struct roster r;

    MOCK_RESOLVE("relays", "192.0.2.8", "192.0.2.9");
    MOCK_RESOLVE("others", "192.0.2.10");
    setup(&r, "192.0.2.7 relay-b", "relays others");
    drop(&r, "192.0.2.7");
    drop(&r, "relay-b");
    drop(&r, "192.0.2.8");
    drop(&r, "others");
    for (int i = 0; i < 2; i++) {
        configure(&r, "relay-b 192.0.2.6 192.0.2.7:7124", "others relays");
        assert_entries(&r, "configured 192.0.2.6 192.0.2.6:7124\n"
                           "discovered relays 192.0.2.9:7124\n");
        configure(&r, "", "");
        assert_entries(&r, "");
    }

    /* Not even known by its address. */
    configure(&r, "192.0.2.8 192.0.2.10", "");
    assert_entries(&r, "configured 192.0.2.10 192.0.2.10:7124\n");
    roster_destroy(&r);
}

/* It is a peer again, now an added one. */
static void
test_what_is_configured_no_longer_can_be_added(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "192.0.2.7", "");
    drop(&r, "192.0.2.7");
    configure(&r, "", "");
    add(&r, "192.0.2.7");
    assert_entries(&r, "added 192.0.2.7 192.0.2.7:7124\n");
    configure(&r, "192.0.2.7", "");
    assert_entries(&r, "configured 192.0.2.7 192.0.2.7:7124\n");
    roster_destroy(&r);
}

/* Itself. */

static void
test_who_is_alone_has_itself(void **state OVS_UNUSED)
{
    static const struct {
        const char *mesh, *entries;
    } all[] = {
        { "192.0.2.1:7000", "self (self) 192.0.2.1:7000\n" },
        { "[2001:db8::1]:7000", "self (self) [2001:db8::1]:7000\n" },
        { "0.0.0.0:7000", "self (self) 127.0.0.1:7000\n" },
        { "[::]:7000", "self (self) 127.0.0.1:7000\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct roster r;

        roster_init(&r);
        assert_false(roster_is_self(&r));
        configure_at(&r, "", "", all[i].mesh, true);
        assert_true(roster_is_self(&r));
        assert_entries(&r, all[i].entries);

        configure_at(&r, "", "", all[i].mesh, false);
        assert_false(roster_is_self(&r));
        assert_entries(&r, "");
        roster_destroy(&r);
    }
}

static void
test_who_has_peers_has_not_itself_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    static const struct {
        const char *configured, *discovered, *entries;
    } all[] = {
        { "192.0.2.7", "", "configured 192.0.2.7 192.0.2.7:7124\n" },
        { "relay-b", "", "configured relay-b\n" },
        { "", "relays", "" }, /* There may be some soon. */
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct roster r;

        roster_init(&r);
        configure_at(&r, all[i].configured, all[i].discovered, "192.0.2.1",
                     true);
        assert_false(roster_is_self(&r));
        assert_entries(&r, all[i].entries);
        configure_at(&r, "", "", "192.0.2.1", true);
        assert_true(roster_is_self(&r));
        roster_destroy(&r);
    }
}

static void
test_the_first_that_is_added_ends_the_test(void **state OVS_UNUSED)
{
    struct roster r;

    roster_init(&r);
    configure_at(&r, "", "", "192.0.2.1", true);
    add(&r, "192.0.2.7");
    assert_false(roster_is_self(&r));
    assert_entries(&r, "added 192.0.2.7 192.0.2.7:7124\n");
    roster_destroy(&r);
}

static void
test_the_last_that_is_removed_does_not_begin_it(void **state OVS_UNUSED)
{
    struct roster r;

    roster_init(&r);
    configure_at(&r, "192.0.2.7", "", "192.0.2.1", true);
    drop(&r, "192.0.2.7");
    assert_false(roster_is_self(&r));
    assert_entries(&r, "");
    configure_at(&r, "", "", "192.0.2.1", true);
    assert_false(roster_is_self(&r));
    assert_entries(&r, "");
    roster_destroy(&r);
}

/* Nor does one that was only there for a while. */
static void
test_one_that_is_added_and_removed_does_not_begin_it(void **state OVS_UNUSED)
{
    struct roster r;

    roster_init(&r);
    configure_at(&r, "", "", "192.0.2.1", true);
    add(&r, "192.0.2.7");
    drop(&r, "192.0.2.7");
    assert_false(roster_is_self(&r));
    assert_entries(&r, "");
    roster_destroy(&r);
}

/* Names of hosts are the same in capitals (RFC 4343). */
static void
test_names_in_capitals(void **state OVS_UNUSED)
{
    struct roster r;

    roster_init(&r);
    configure_at(&r, "relay-b", "", "192.0.2.1", true);
    drop(&r, "RELAY-B");
    assert_entries(&r, "");
    roster_destroy(&r);
}

/* There is nothing of it to remove. */
static void
test_itself_cannot_be_removed(void **state OVS_UNUSED)
{
    struct roster r;

    roster_init(&r);
    configure_at(&r, "", "", "192.0.2.1", true);
    assert_remove_error(&r, "192.0.2.1", NO_PEER);
    assert_true(roster_is_self(&r));
    roster_destroy(&r);
}

/* Names. */

/* Fails the test unless the names to look up are those in 'expected', in the
 * order of the alphabet, with a space after each. */
static void
assert_names(const struct roster *r, const char *expected)
{
    struct sset names = SSET_INITIALIZER(&names);
    struct ds s = DS_EMPTY_INITIALIZER;

    roster_add_names(r, &names);

    const char **sorted = sset_sort(&names);
    for (size_t i = 0; i < sset_count(&names); i++) {
        ds_put_format(&s, "%s ", sorted[i]);
    }
    assert_string_equal(ds_cstr(&s), expected);
    free(sorted);
    ds_destroy(&s);
    sset_destroy(&names);
}

static void
test_names_to_look_up(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "b:7125 192.0.2.7 b 2001:db8::7", "d _e._udp.example b");
    add(&r, "c");
    add(&r, "192.0.2.8");
    assert_names(&r, "_e._udp.example b c d ");
    drop(&r, "c");
    assert_names(&r, "_e._udp.example b d ");
    configure(&r, "", "");
    assert_names(&r, "");
    roster_destroy(&r);
}

static void
test_others_names_to_look_up_stay(void **state OVS_UNUSED)
{
    struct sset names = SSET_INITIALIZER(&names);
    struct roster r;

    setup(&r, "b", "");
    sset_add(&names, "a");
    roster_add_names(&r, &names);
    assert_true(sset_contains(&names, "a"));
    assert_true(sset_contains(&names, "b"));
    sset_destroy(&names);
    roster_destroy(&r);
}

/* Names without an address. */

/* "b" is waited for, wherever it comes from, with or without a port. */
static void
test_names_are_waited_for_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    static const struct {
        const char *configured, *discovered, *added;
    } all[] = {
        { "b", "", NULL },
        { "192.0.2.7 b:7125", "", NULL },
        { "", "b", NULL },
        { "", "192.0.2.7 b:7125", NULL },
        { "192.0.2.7", "", "b" },
        { "", "", "b:7125" },
        { "c b", "c", NULL },
        { "b c", "c", NULL },
        { "c", "c b", "2001:db8::7" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct roster r;

        mock_forget();
        MOCK_RESOLVE("c", "192.0.2.8");
        setup(&r, all[i].configured, all[i].discovered);
        if (all[i].added) {
            add(&r, all[i].added);
        }
        assert_true(roster_is_waiting(&r, NULL));
        MOCK_RESOLVE("b", "192.0.2.9");
        assert_false(roster_is_waiting(&r, NULL));
        mock_resolve_endpoints("b", NULL, 0); /* It has gone. */
        assert_true(roster_is_waiting(&r, NULL));
        roster_destroy(&r);
    }
}

static void
test_addresses_are_not_waited_for(void **state OVS_UNUSED)
{
    struct roster r;

    roster_init(&r);
    assert_false(roster_is_waiting(&r, NULL));
    configure(&r, "", "");
    assert_false(roster_is_waiting(&r, NULL));
    configure(&r, "192.0.2.7 2001:db8::7 [2001:db8::8]:7125", "192.0.2.9");
    add(&r, "192.0.2.8:7000");
    assert_false(roster_is_waiting(&r, NULL));
    configure_at(&r, "", "", "192.0.2.1", true);
    assert_false(roster_is_waiting(&r, NULL));
    roster_destroy(&r);
}

/* A service is waited for until a host of it has an address. */
static void
test_a_service_is_waited_for_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "192.0.2.7", "_relay._udp.example");
    assert_true(roster_is_waiting(&r, NULL));
    MOCK_RESOLVE("_relay._udp.example", "192.0.2.8:7125");
    assert_false(roster_is_waiting(&r, NULL));
    roster_destroy(&r);
}

static void
test_one_of_many_names_is_waited_for_with_a_mock_of_the_resolver(
    void **state OVS_UNUSED)
{
    static const char *const names[] = { "a", "b", "c", "d" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct roster r;

        mock_forget();
        setup(&r, "a b", "c");
        add(&r, "d");
        for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
            if (j != i) {
                MOCK_RESOLVE(names[j], "192.0.2.7");
            }
        }
        assert_true(roster_is_waiting(&r, NULL));
        MOCK_RESOLVE(names[i], "192.0.2.8");
        assert_false(roster_is_waiting(&r, NULL));
        roster_destroy(&r);
    }
}

static void
test_a_name_that_is_gone_is_not_waited_for(void **state OVS_UNUSED)
{
    struct roster r;

    setup(&r, "b", "");
    add(&r, "c");
    configure(&r, "192.0.2.7", "");
    assert_true(roster_is_waiting(&r, NULL));
    drop(&r, "c");
    assert_false(roster_is_waiting(&r, NULL));

    /* Nor is one that somebody has removed. */
    configure(&r, "b", "c");
    drop(&r, "b");
    assert_true(roster_is_waiting(&r, NULL));
    drop(&r, "c");
    assert_false(roster_is_waiting(&r, NULL));
    roster_destroy(&r);
}

static void
test_names_of_sources(void **state OVS_UNUSED)
{
    assert_string_equal(roster_source_name(ROSTER_CONFIGURED), "configured");
    assert_string_equal(roster_source_name(ROSTER_ADDED), "added");
    assert_string_equal(roster_source_name(ROSTER_DISCOVERED), "discovered");
    assert_string_equal(roster_source_name(ROSTER_SELF), "self");
}

/* All of it at random. */

enum { ADDRESSES = 6 };

/* What is known of each address. */
struct model {
    bool configured[ADDRESSES], discovered[ADDRESSES];
    bool added[ADDRESSES], removed[ADDRESSES];
};

/* Has 'r' configured, and the mock resolve, as 'm' says. */
static void
load_model(struct roster *r, const struct model *m)
{
    struct endpoint endpoints[ADDRESSES];
    struct ds list = DS_EMPTY_INITIALIZER;
    size_t n = 0;

    for (int i = 0; i < ADDRESSES; i++) {
        if (m->configured[i]) {
            ds_put_format(&list, "192.0.2.%d ", i);
        }
        if (m->discovered[i]) {
            in6_addr_set_mapped_ipv4(&endpoints[n].address,
                                     htonl(0xc0000200 + i));
            endpoints[n++].port = 0;
        }
    }
    configure(r, ds_cstr(&list), "relays");
    mock_resolve_endpoints("relays", endpoints, n);
    ds_destroy(&list);
}

/* Fails the test unless 'r' has just those peers that 'm' has. */
static void
assert_like_model(const struct roster *r, const struct model *m)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    const char *format = "%s %s192.0.2.%d%s 192.0.2.%d:7124\n";

    for (int i = 0; i < ADDRESSES; i++) {
        if (m->configured[i] && !m->removed[i]) {
            ds_put_format(&s, format, "configured", "", i, "", i);
        }
    }
    for (size_t j = 0; j < r->added.n; j++) { /* In the order of adding. */
        int i = atoi(strrchr(r->added.all[j].text, '.') + 1);

        assert_true(m->added[i]);
        if (!m->configured[i]) {
            ds_put_format(&s, format, "added", "", i, "", i);
        }
    }
    for (int i = 0; i < ADDRESSES; i++) {
        if (m->discovered[i] && !m->removed[i]) {
            ds_put_format(&s, "discovered relays 192.0.2.%d:7124\n", i);
        }
    }
    assert_entries(r, ds_cstr(&s));
    ds_destroy(&s);
}

static void
test_all_at_random_with_a_mock_of_the_resolver(void **state OVS_UNUSED)
{
    uint32_t random = 1;

    for (int round = 0; round < 50; round++) {
        struct model m = { { false }, { false }, { false }, { false } };
        struct roster r;

        roster_init(&r);
        load_model(&r, &m);
        for (int step = 0; step < 60; step++) {
            int i = next_random(&random) % ADDRESSES;
            bool known = m.configured[i] || m.discovered[i];
            bool there = m.added[i] || (known && !m.removed[i]);
            char *text = xasprintf("192.0.2.%d", i);

            switch (next_random(&random) % 4) {
            case 0: m.configured[i] = !m.configured[i]; break;
            case 1: m.discovered[i] = !m.discovered[i]; break;
            case 2:
                if (there) {
                    assert_add_error(&r, text, ALREADY);
                } else {
                    add(&r, text);
                    m.added[i] = !known;
                    m.removed[i] = false;
                }
                break;
            case 3:
                if (there) {
                    drop(&r, text);
                    m.added[i] = false;
                    m.removed[i] |= known;
                } else {
                    assert_remove_error(&r, text, NO_PEER);
                }
                break;
            }
            free(text);
            load_model(&r, &m);
            assert_like_model(&r, &m);
        }
        roster_destroy(&r);
    }
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, clear, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_nobody),
        TEST(test_addresses_of_the_configuration),
        TEST(test_what_is_configured_twice_is_there_twice),
        TEST(test_a_name_is_one_peer_with_a_mock_of_the_resolver),
        TEST(test_a_name_without_addresses_with_a_mock_of_the_resolver),
        TEST(test_a_name_to_discover_by_is_many_with_a_mock_of_the_resolver),
        TEST(test_discovered_are_in_order_with_a_mock_of_the_resolver),
        TEST(
            test_services_have_ports_of_their_own_with_a_mock_of_the_resolver),
        TEST(test_names_may_have_a_port_with_a_mock_of_the_resolver),
        TEST(test_the_port_is_the_present_one_with_a_mock_of_the_resolver),
        TEST(
            test_sources_come_one_after_the_other_with_a_mock_of_the_resolver),
        TEST(test_the_configuration_is_copied),
        TEST(test_added_are_peers_with_a_mock_of_the_resolver),
        TEST(test_what_is_a_peer_cannot_be_added_with_a_mock_of_the_resolver),
        TEST(test_another_port_can_be_added_with_a_mock_of_the_resolver),
        TEST(test_a_name_is_not_its_address_with_a_mock_of_the_resolver),
        TEST(test_a_discovering_name_is_not_added_with_a_mock_of_the_resolver),
        TEST(test_what_is_wrong_cannot_be_added),
        TEST(test_added_stay_whatever_is_configured),
        TEST(test_added_can_be_removed),
        TEST(test_configured_can_be_removed_and_added_again),
        TEST(test_configured_names_can_be_removed_and_added_again),
        TEST(test_all_of_a_kind_are_removed),
        TEST(
            test_who_is_no_peer_cannot_be_removed_with_a_mock_of_the_resolver),
        TEST(test_what_is_wrong_cannot_be_removed),
        TEST(test_nothing_can_be_removed_twice_with_a_mock_of_the_resolver),
        TEST(
            test_a_peer_of_two_sources_is_removed_with_a_mock_of_the_resolver),
        TEST(test_what_was_added_and_configured_is_removed),
        TEST(test_a_discovered_one_is_removed_with_a_mock_of_the_resolver),
        TEST(test_a_discovered_port_is_removed_with_a_mock_of_the_resolver),
        TEST(test_removed_from_all_names_with_a_mock_of_the_resolver),
        TEST(test_removed_and_then_lost_with_a_mock_of_the_resolver),
        TEST(test_a_whole_name_is_removed_with_a_mock_of_the_resolver),
        TEST(test_a_whole_name_is_added_again_with_a_mock_of_the_resolver),
        TEST(test_a_service_is_added_again_with_a_mock_of_the_resolver),
        TEST(test_removed_stay_removed_with_a_mock_of_the_resolver),
        TEST(test_what_is_configured_no_longer_can_be_added),
        TEST(test_who_is_alone_has_itself),
        TEST(test_who_has_peers_has_not_itself_with_a_mock_of_the_resolver),
        TEST(test_the_first_that_is_added_ends_the_test),
        TEST(test_the_last_that_is_removed_does_not_begin_it),
        TEST(test_one_that_is_added_and_removed_does_not_begin_it),
        TEST(test_names_in_capitals),
        TEST(test_itself_cannot_be_removed),
        TEST(test_names_to_look_up),
        TEST(test_others_names_to_look_up_stay),
        TEST(test_names_are_waited_for_with_a_mock_of_the_resolver),
        TEST(test_addresses_are_not_waited_for),
        TEST(test_a_service_is_waited_for_with_a_mock_of_the_resolver),
        TEST(test_one_of_many_names_is_waited_for_with_a_mock_of_the_resolver),
        TEST(test_a_name_that_is_gone_is_not_waited_for),
        TEST(test_names_of_sources),
        TEST(test_all_at_random_with_a_mock_of_the_resolver),
    };
    return cmocka_run_group_tests_name("roster", tests, NULL, NULL);
}
