/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peer-spec.h"

#include "support.h"

#include <ctype.h>

#include "openvswitch/util.h"
#include "util.h"

#define NOT_A_HOST                                                            \
    "is neither an address nor a host name, with or without :PORT"
#define NOT_A_HOST_PORT "has no port from 1 to 65535 after the colon"
#define NOT_IN_BRACKETS "is not of the form [ADDRESS]:PORT"
#define NO_SERVICE "names a service, which only mesh.discover looks up"
#define NO_SERVICE_PORT "names a service, which has ports of its own"

/* Adds 'text', which must be right, to 'specs'. */
static void
add(struct peer_specs *specs, const char *text)
{
    assert_no_error(peer_specs_add(specs, text, true));
}

/* Fails the test unless the texts of 'specs' are those in 'expected', with a
 * space after each. */
static void
assert_texts(const struct peer_specs *specs, const char *expected)
{
    char texts[256] = "";

    for (size_t i = 0; i < specs->n; i++) {
        size_t length = strlen(texts);

        snprintf(texts + length, sizeof texts - length, "%s ",
                 specs->all[i].text);
    }
    assert_string_equal(texts, expected);
}

static void
test_what_is_written_is_taken_apart(void **state OVS_UNUSED)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } all[] = {
        { "192.0.2.7", "192.0.2.7", 0 },
        { "192.0.2.7:7125", "192.0.2.7", 7125 },
        { "2001:db8::7", "2001:db8::7", 0 },
        { "[2001:db8::7]", "2001:db8::7", 0 },
        { "[2001:db8::7]:7125", "2001:db8::7", 7125 },
        { "::ffff:192.0.2.7", "::ffff:192.0.2.7", 0 },
        { "relay-b", "relay-b", 0 },
        { "relay-b:1", "relay-b", 1 },
        { "relay-b:65535", "relay-b", 65535 },
        { "Relay_b.example.org.:7124", "Relay_b.example.org.", 7124 },
        { "_snowrelay._udp.example.org", "_snowrelay._udp.example.org", 0 },
        { "_", "_", 0 },
    };
    struct peer_specs specs = { .n = 0 };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        add(&specs, all[i].text);
    }
    assert_int_equal(specs.n, ARRAY_SIZE(all));
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_string_equal(specs.all[i].text, all[i].text);
        assert_string_equal(specs.all[i].host, all[i].host);
        assert_int_equal(specs.all[i].port, all[i].port);
    }
    peer_specs_clear(&specs);
}

static void
test_what_is_wrong_is_refused(void **state OVS_UNUSED)
{
    static const struct {
        const char *text, *message;
    } all[] = {
        { "", NOT_A_HOST },
        { ".", NOT_A_HOST },
        { "a..b", NOT_A_HOST },
        { "a b", NOT_A_HOST },
        { "-a", NOT_A_HOST },
        { "300.1.1.1", NOT_A_HOST },
        { "7124", NOT_A_HOST },
        { "10.0.0.0/8", NOT_A_HOST },
        { "a:1:2", NOT_A_HOST },
        { "r\xc3\xa9seau", NOT_A_HOST },
        { ":", NOT_A_HOST_PORT },
        { "a:", NOT_A_HOST_PORT },
        { "a:0", NOT_A_HOST_PORT },
        { "a:65536", NOT_A_HOST_PORT },
        { "a:-1", NOT_A_HOST_PORT },
        { "a:+1", NOT_A_HOST_PORT },
        { "a: 1", NOT_A_HOST_PORT },
        { "a:1 ", NOT_A_HOST_PORT },
        { "a:x", NOT_A_HOST_PORT },
        { "[2001:db8::7]:", NOT_A_HOST_PORT },
        { "[2001:db8::7", NOT_IN_BRACKETS },
        { "[2001:db8::7]7", NOT_IN_BRACKETS },
        { "[", NOT_IN_BRACKETS },
        { "[]", NOT_A_HOST },
        { ":7124", NOT_A_HOST },
    };
    struct peer_specs specs = { .n = 0 };

    add(&specs, "before");
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        for (int allow_service = 0; allow_service < 2; allow_service++) {
            assert_error(peer_specs_add(&specs, all[i].text, allow_service),
                         all[i].message);
            assert_texts(&specs, "before ");
        }
    }
    peer_specs_clear(&specs);
}

/* Each byte that there is, within a name. */
static void
test_characters_of_names(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 };

    for (int byte = 1; byte <= UINT8_MAX; byte++) {
        const char text[] = { 'x', byte, 'y', '\0' };
        char *error = peer_specs_add(&specs, text, true);
        bool right =
            (byte < 0x80 && (isalnum(byte) || strchr("-_.", byte) != NULL));

        assert_int_equal(!error, right);
        assert_int_equal(specs.n, right);
        if (byte == ':') {
            assert_error(error, NOT_A_HOST_PORT);
        } else if (!right) {
            assert_error(error, NOT_A_HOST);
        }
        peer_specs_clear(&specs);
    }
}

static void
test_the_longest_names(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 };
    char name[256];

    memset(name, 'a', sizeof name);
    name[63] = '\0';
    add(&specs, name);
    name[63] = 'a';
    name[64] = '\0';
    assert_error(peer_specs_add(&specs, name, true), NOT_A_HOST);

    memset(name, 'a', sizeof name);
    name[63] = name[127] = name[191] = '.';
    name[253] = '\0';
    add(&specs, name);
    assert_string_equal(specs.all[1].host, name);
    name[253] = 'a';
    name[254] = '\0';
    assert_error(peer_specs_add(&specs, name, true), NOT_A_HOST);
    assert_int_equal(specs.n, 2);
    peer_specs_clear(&specs);
}

static void
test_services_are_allowed_or_not(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 };

    assert_error(peer_specs_add(&specs, "_a._udp.example", false), NO_SERVICE);
    assert_error(peer_specs_add(&specs, "_a._udp.example:7", false),
                 NO_SERVICE);
    assert_error(peer_specs_add(&specs, "[_a]", false), NO_SERVICE);
    assert_int_equal(specs.n, 0);
    assert_no_error(peer_specs_add(&specs, "_a._udp.example", true));
    assert_no_error(peer_specs_add(&specs, "a_b._udp.example", false));
    assert_texts(&specs, "_a._udp.example a_b._udp.example ");
    peer_specs_clear(&specs);
}

static void
test_services_have_no_port(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 };

    assert_error(peer_specs_add(&specs, "_a._udp.example:7124", true),
                 NO_SERVICE_PORT);
    assert_error(peer_specs_add(&specs, "_a._udp.example:0", true),
                 NOT_A_HOST_PORT);
    assert_int_equal(specs.n, 0);
    assert_no_error(peer_specs_add(&specs, "a._udp.example:7124", true));
    peer_specs_clear(&specs);
}

/* Nothing says that they differ. */
static void
test_the_same_may_be_there_twice(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 };

    add(&specs, "a");
    add(&specs, "a");
    assert_texts(&specs, "a a ");
    peer_specs_clear(&specs);
}

/* Whoever wrote it may write something else there. */
static void
test_the_text_is_copied(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 };
    char text[] = "relay-b:7125";

    add(&specs, text);
    memset(text, 'x', sizeof text - 1);
    assert_string_equal(specs.all[0].text, "relay-b:7125");
    assert_string_equal(specs.all[0].host, "relay-b");
    peer_specs_clear(&specs);
}

static void
test_any_of_them_can_be_removed(void **state OVS_UNUSED)
{
    static const struct {
        size_t i;
        const char *rest;
    } all[] = { { 0, "b c:3 " }, { 1, "a c:3 " }, { 2, "a b " } };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct peer_specs specs = { .n = 0 };

        add(&specs, "a");
        add(&specs, "b");
        add(&specs, "c:3");
        peer_specs_remove(&specs, all[i].i);
        assert_texts(&specs, all[i].rest);

        /* There is room for another one at the end. */
        add(&specs, "d");
        assert_string_equal(specs.all[2].text, "d");
        assert_int_equal(specs.n, 3);
        peer_specs_clear(&specs);
    }
}

static void
test_the_last_one_can_be_removed(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 };

    add(&specs, "a");
    peer_specs_remove(&specs, 0);
    assert_int_equal(specs.n, 0);
    add(&specs, "b");
    assert_texts(&specs, "b ");
    peer_specs_clear(&specs);
}

static void
test_what_is_cleared_can_be_used_again(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 };

    peer_specs_clear(&specs);
    assert_int_equal(specs.n, 0);
    add(&specs, "a");
    add(&specs, "b");
    peer_specs_clear(&specs);
    assert_int_equal(specs.n, 0);
    assert_null(specs.all);
    peer_specs_clear(&specs);
    add(&specs, "c");
    assert_texts(&specs, "c ");
    peer_specs_clear(&specs);
}

static void
test_a_copy_replaces_what_was_there(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 }, others = { .n = 0 };

    add(&specs, "old");
    add(&specs, "older");
    add(&others, "a:7125");
    add(&others, "_b._udp.example");
    add(&others, "[2001:db8::7]:7126");
    peer_specs_copy(&specs, &others);
    assert_int_equal(specs.n, 3);
    for (size_t i = 0; i < specs.n; i++) {
        assert_string_equal(specs.all[i].text, others.all[i].text);
        assert_string_equal(specs.all[i].host, others.all[i].host);
        assert_int_equal(specs.all[i].port, others.all[i].port);
    }
    peer_specs_clear(&specs);
    peer_specs_clear(&others);
}

static void
test_a_copy_stays_when_the_others_go(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 }, others = { .n = 0 };

    add(&others, "a:7125");
    add(&others, "b");
    peer_specs_copy(&specs, &others);
    peer_specs_remove(&others, 0);
    assert_texts(&specs, "a:7125 b ");
    peer_specs_clear(&others);
    assert_texts(&specs, "a:7125 b ");
    assert_string_equal(specs.all[0].host, "a");
    peer_specs_clear(&specs);
}

static void
test_a_copy_of_nothing_is_nothing(void **state OVS_UNUSED)
{
    struct peer_specs specs = { .n = 0 }, others = { .n = 0 };

    add(&specs, "old");
    peer_specs_copy(&specs, &others);
    assert_int_equal(specs.n, 0);
    peer_specs_copy(&specs, &others);
    assert_int_equal(specs.n, 0);
    peer_specs_clear(&specs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_taken_apart),
        cmocka_unit_test(test_what_is_wrong_is_refused),
        cmocka_unit_test(test_characters_of_names),
        cmocka_unit_test(test_the_longest_names),
        cmocka_unit_test(test_services_are_allowed_or_not),
        cmocka_unit_test(test_services_have_no_port),
        cmocka_unit_test(test_the_same_may_be_there_twice),
        cmocka_unit_test(test_the_text_is_copied),
        cmocka_unit_test(test_any_of_them_can_be_removed),
        cmocka_unit_test(test_the_last_one_can_be_removed),
        cmocka_unit_test(test_what_is_cleared_can_be_used_again),
        cmocka_unit_test(test_a_copy_replaces_what_was_there),
        cmocka_unit_test(test_a_copy_stays_when_the_others_go),
        cmocka_unit_test(test_a_copy_of_nothing_is_nothing),
    };
    return cmocka_run_group_tests_name("peer specs", tests, NULL, NULL);
}
