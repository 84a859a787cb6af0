/* SPDX-License-Identifier: Apache-2.0 */

/* Inspection, from frames to what is shown. */

#include <config.h>
#include "inspect.h"
#include "show-searches.h"

#include "support.h"
#include "support-search.h"

#include <arpa/inet.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "searches.h"
#include "tap.h"
#include "timeval.h"
#include "util.h"

enum { NOW = 5000000, HEADERS = 14 + 20 + 8, BOTH = INSPECT_PVA | INSPECT_CA };

/* Frames. */

/* Writes to 'bytes' a frame with 'd' from 10.1.0.LAST, and returns its
 * length. */
static size_t
write_frame(uint8_t *bytes, uint8_t last, uint16_t port,
            const struct datagram *d)
{
    static const uint8_t headers[HEADERS] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,   0, 0,  0,    1,    8,
        0,    0x45, 0,    0,    0,    0,    0, 0,   0, 64, 17,   0,    0,
        10,   1,    0,    0,    10,   1,    0, 255, 0, 0,  0x13, 0xd4,
    };

    memcpy(bytes, headers, HEADERS);
    put16(bytes + 16, HEADERS - 14 + d->length);
    bytes[29] = last;
    put16(bytes + 34, port);
    put16(bytes + 38, 8 + d->length);
    memcpy(bytes + HEADERS, d->bytes, d->length);
    return HEADERS + d->length;
}

/* What a frame of the segment is on its way. */
static struct tap_event
sent(const uint8_t *bytes, size_t length)
{
    return (struct tap_event){ .point = TAP_SEND,
                               .direction = DIRECTION_PUNT,
                               .n_peers = 1,
                               .bytes = bytes,
                               .length = length,
                               .is_frame = true };
}

/* Has 'inspect' look at a frame with 'd', of the client 10.1.0.LAST. */
static void
take(struct inspect *inspect, const struct datagram *d, uint8_t last,
     long long int now)
{
    uint8_t bytes[9014];
    size_t length = write_frame(bytes, last, 34023, d);
    struct tap_event event = sent(bytes, length);

    inspect_take(inspect, &event, now);
}

static const struct datagram *
pva(const char *name)
{
    static struct datagram d;

    d.length = 0;
    put_pva_search(&d, name);
    return &d;
}

static size_t
n_names(const struct inspect *inspect)
{
    return searches_totals(inspect_searches(inspect))->n_names;
}

static void
assert_counts(const struct inspect *inspect, uint64_t datagrams,
              uint64_t skipped, uint64_t malformed)
{
    const struct inspect_counts *c = inspect_counts(inspect);

    assert_int_equal(c->datagrams, datagrams);
    assert_int_equal(c->skipped, skipped);
    assert_int_equal(c->malformed, malformed);
}

/* Each event of a frame's way, and whether it is the one that counts. */
static void
test_events(void **state OVS_UNUSED)
{
    for (int point = 0; point < TAP_N_POINTS; point++) {
        for (int flags = 0; flags < 8; flags++) {
            struct inspect *inspect = inspect_create(BOTH);
            uint8_t bytes[256];
            size_t length = write_frame(bytes, 10, 34023, pva("A"));
            struct tap_event event = sent(bytes, length);
            bool arrives = point == TAP_PUNT || point == TAP_RECEIVE;

            event.point = point;
            event.direction = flags & 1 ? DIRECTION_MESH : DIRECTION_PUNT;
            event.switched = flags & 2;
            event.is_frame = !(flags & 4);
            inspect_take(inspect, &event, NOW);
            if (event.is_frame && point != TAP_DROP
                && (!arrives || event.switched)) {
                const struct search *s;

                assert_counts(inspect, 1, 0, 0);
                assert_int_equal(
                    searches_top(inspect_searches(inspect), NOW, &s, 1), 1);
                assert_int_equal(s->clients[0].asker.local, !(flags & 1));
                assert_int_equal(s->clients[0].asker.address,
                                 htonl(0x0a01000a));
                assert_int_equal(s->clients[0].asker.port, 34023);
                assert_int_equal(s->clients[0].asker.destination,
                                 htonl(0x0a0100ff));
            } else {
                assert_counts(inspect, 0, 0, 0);
            }
            inspect_destroy(inspect);
        }
    }
}

/* What the switch copies may be anything. */
static void
test_frames_that_are_not_right(void **state OVS_UNUSED)
{
    static const struct {
        size_t offset;
        uint8_t value;
    } wrong[] = {
        { 12, 0x86 }, { 13, 6 }, { 14, 0x65 }, { 14, 0x44 }, { 14, 0x4f },
        { 20, 0x20 }, { 21, 1 }, { 23, 6 },    { 38, 1 },    { 39, 7 },
    };
    struct inspect *inspect = inspect_create(BOTH);
    uint8_t bytes[256];
    size_t length = write_frame(bytes, 10, 34023, pva("A"));

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        uint8_t *copy = copy_exactly(bytes, length);
        struct tap_event event = sent(copy, length);

        copy[wrong[i].offset] = wrong[i].value;
        inspect_take(inspect, &event, NOW);
        free(copy);
    }
    for (size_t n = 0; n < length; n++) {
        uint8_t *copy = copy_exactly(bytes, n);
        struct tap_event event = sent(copy, n);

        inspect_take(inspect, &event, NOW);
        free(copy);
    }
    assert_counts(inspect, 0, 0, 0);

    /* An IP header of 16 bytes, behind which all would be right. */
    uint8_t short_header[256];
    memcpy(short_header, bytes, 30);
    short_header[14] = 0x44;
    memcpy(short_header + 30, bytes + 34, length - 34);
    struct tap_event shorter = sent(short_header, length - 4);
    inspect_take(inspect, &shorter, NOW);
    assert_counts(inspect, 0, 0, 0);

    /* IP options are not wrong, nor is padding. */
    memmove(bytes + 38, bytes + 34, length - 34);
    memset(bytes + 34, 1, 4);
    bytes[14] = 0x46;
    struct tap_event event = sent(bytes, length + 4 + 20);
    inspect_take(inspect, &event, NOW);
    assert_counts(inspect, 1, 0, 0);
    inspect_destroy(inspect);
}

static void
test_protocols(void **state OVS_UNUSED)
{
    struct inspect *inspect = inspect_create(INSPECT_PVA);
    struct datagram ca = { .length = 0 };

    put_ca_version(&ca);
    put_ca_search(&ca, "A");
    take(inspect, &ca, 10, NOW);
    assert_counts(inspect, 0, 0, 0);
    take(inspect, pva("A"), 10, NOW);
    assert_counts(inspect, 1, 0, 0);

    inspect_configure(inspect, BOTH);
    take(inspect, &ca, 10, NOW);
    assert_int_equal(n_names(inspect), 2);

    /* What was known of the one that stays, stays. */
    inspect_configure(inspect, INSPECT_CA);
    assert_int_equal(inspect_protocols(inspect), INSPECT_CA);
    assert_int_equal(n_names(inspect), 1);
    take(inspect, pva("A"), 10, NOW);
    assert_int_equal(n_names(inspect), 1);
    assert_counts(inspect, 2, 0, 0);
    inspect_destroy(inspect);
}

static void
test_malformed_and_too_many(void **state OVS_UNUSED)
{
    struct inspect *inspect = inspect_create(BOTH);
    struct datagram d = *pva("A:B");

    d.length--;
    take(inspect, &d, 10, NOW);
    assert_counts(inspect, 1, 0, 1);
    assert_int_equal(n_names(inspect), 0);

    d.length = 0;
    size_t start = begin_pva_search(&d, 400);
    for (int i = 0; i < 400; i++) {
        char name[32];

        snprintf(name, sizeof name, "N%d", i);
        put_pva_name(&d, name);
    }
    end_pva_search(&d, start);
    take(inspect, &d, 10, NOW);
    assert_counts(inspect, 2, 1, 1);
    assert_int_equal(n_names(inspect), SEARCH_MAX_ASKS);
    inspect_destroy(inspect);
}

/* In a second no more is looked at than the budget allows; the next second
 * begins anew. */
static void
test_budget(void **state OVS_UNUSED)
{
    enum { N = 20, COST = N + 1, FITS = INSPECT_RATE / COST + 1 };
    struct inspect *inspect = inspect_create(BOTH);
    struct datagram d = { .length = 0 };
    size_t start = begin_pva_search(&d, N);

    for (int i = 0; i < N; i++) {
        put_pva_name(&d, "A");
    }
    end_pva_search(&d, start);
    for (int i = 0; i < 2 * FITS; i++) {
        take(inspect, &d, 10, NOW);
    }
    assert_counts(inspect, FITS, FITS, 0);

    /* Half a second is good for half as much, an hour for no more than one. */
    for (int i = 0; i < FITS; i++) {
        take(inspect, &d, 10, NOW + 500);
    }
    assert_in_range(inspect_counts(inspect)->datagrams, FITS + FITS / 2 - 1,
                    FITS + FITS / 2 + 1);
    uint64_t before = inspect_counts(inspect)->datagrams;
    for (int i = 0; i < 2 * FITS; i++) {
        take(inspect, &d, 10, NOW + 3600000);
    }
    uint64_t after = inspect_counts(inspect)->datagrams;
    assert_in_range(after, before + FITS - 1, before + FITS);

    /* What is not used up in a second is not there for the next. */
    for (int i = 0; i < 10; i++) {
        take(inspect, pva("A"), 10, NOW + 2 * 3600000 + i * 1000);
    }
    after = inspect_counts(inspect)->datagrams;
    for (int i = 0; i < 2 * FITS; i++) {
        take(inspect, &d, 10, NOW + 2 * 3600000 + 9 * 1000);
    }
    assert_in_range(inspect_counts(inspect)->datagrams, after + FITS - 1,
                    after + FITS);
    after = inspect_counts(inspect)->datagrams;

    /* Other protocols cost nothing. */
    d.bytes[0] = 0;
    for (int i = 0; i < 2 * INSPECT_RATE; i++) {
        take(inspect, &d, 10, NOW + 3 * 3600000);
    }
    take(inspect, pva("A"), 10, NOW + 3 * 3600000);
    assert_int_equal(inspect_counts(inspect)->datagrams, after + 1);
    inspect_destroy(inspect);
}

/* What is shown. */

/* Has 'inspect' look at all frames of the capture 'name', as they come, the
 * last of them 'now'. */
static void
take_capture(struct inspect *inspect, const char *name, long long int now)
{
    struct capture c;

    capture_read(&c, name);
    for (size_t i = 0; i < c.n; i++) {
        struct tap_event event = sent(c.packets[i].bytes, c.packets[i].length);

        inspect_take(inspect, &event, now - 100 * (c.n - 1 - i));
    }
    capture_free(&c);
}

/* Returns the object of 'name' in 'json', and fails if there is none. */
static json_t *
find_name(json_t *json, const char *protocol, const char *name)
{
    json_t *found = NULL, *search;
    size_t i;

    json_array_foreach(json_object_get(json, "top"), i, search)
    {
        if (!strcmp(json_string_value(json_object_get(search, "name")), name)
            && !strcmp(json_string_value(json_object_get(search, "protocol")),
                       protocol)) {
            found = search;
        }
    }
    assert_non_null(found);
    return found;
}

static long long int
number(json_t *json, const char *key)
{
    assert_true(json_is_integer(json_object_get(json, key)));
    return json_integer_value(json_object_get(json, key));
}

static void
test_captures(void **state OVS_UNUSED)
{
    struct inspect *inspect = inspect_create(BOTH);

    take_capture(inspect, "epics-client-segment.pcap", time_msec());
    take_capture(inspect, "epics-server-segment.pcap", time_msec());

    json_t *json = show_searches_json(inspect);
    assert_int_equal(number(json, "datagrams"), 16);
    assert_int_equal(number(json, "names"), 83);
    assert_int_equal(number(json, "malformed"), 0);
    assert_int_equal(json_array_size(json_object_get(json, "top")), 50);
    json_t *requests = json_object_get(json, "requests");
    assert_int_equal(number(requests, "pva"), 2 + 160 + 2);
    assert_int_equal(number(requests, "ca"), 2 * 6);
    json_t *repeated = json_object_get(json, "repeated");
    assert_int_equal(number(repeated, "pva"), 1 + 80 + 1);
    assert_int_equal(number(repeated, "ca"), 2 * 5);

    json_t *ca = find_name(json, "ca", "ACC:SECTOR1:MAGNET");
    assert_int_equal(number(ca, "count"), 6);
    assert_int_equal(number(ca, "repeated"), 5);
    assert_int_equal(number(ca, "others"), 0);
    assert_true(json_is_false(json_object_get(ca, "unanswered")));
    json_t *from = json_object_get(ca, "from");
    assert_int_equal(json_array_size(from), 1);
    json_t *expected =
        json_pack("{s:s, s:[i], s:i, s:b}", "address", "10.1.0.10", "ports",
                  39505, "count", 6, "local", true);
    assert_true(json_equal(json_array_get(from, 0), expected));
    json_decref(expected);

    /* Two programs on the same host. */
    json_t *twice = find_name(json, "pva", "DEMO:TEMP");
    assert_int_equal(number(twice, "count"), 4);
    assert_int_equal(number(twice, "repeated"), 2);
    from = json_object_get(twice, "from");
    assert_int_equal(json_array_size(from), 1);
    assert_int_equal(number(json_array_get(from, 0), "count"), 4);
    json_t *ports = json_object_get(json_array_get(from, 0), "ports");
    assert_int_equal(json_array_size(ports), 2);
    assert_int_equal(json_integer_value(json_array_get(ports, 0)), 34023);
    assert_int_equal(json_integer_value(json_array_get(ports, 1)), 59390);
    json_decref(json);
    inspect_destroy(inspect);
}

static void
test_text(void **state OVS_UNUSED)
{
    struct inspect *inspect = inspect_create(BOTH);
    struct datagram d = { .length = 0 };
    long long int now = time_msec();

    put_pva_search(&d, "OLD:\x1b[2J\xc3\xa4\\\"");
    for (int i = 20; i >= 0; i--) {
        take(inspect, &d, 10, now - i * 1000);
        take(inspect, &d, 11, now - i * 1000);
    }
    for (int i = 0; i < 4; i++) {
        take(inspect, &d, 20 + i, now);
    }
    take(inspect, pva("NEW"), 10, now);

    char *text = show_searches(inspect, 50);
    static const char totals[] =
        "pva, ca: datagrams 47, names 2, unanswered 1, forgotten 0, skipped "
        "0, malformed 0\n"
        "PROTOCOL  SEARCHES  REPEATED  PER SECOND  UNANSWERED  LAST           "
        "      FROM                                               NAME\n"
        "pva             46        40       ";
    assert_memory_equal(text, totals, strlen(totals));
    assert_non_null(strstr(text, "  yes         "));
    assert_non_null(strstr(text, "  10.1.0.10 21, 10.1.0.11 21, 10.1.0.20 1, "
                                 "others 3  OLD:\\x1b[2J\\xc3\\xa4\\\\\"\n"));
    assert_non_null(strstr(text, "  -           "));
    assert_non_null(strstr(text, "  10.1.0.10 1  "));
    assert_non_null(strstr(text, "  NEW\n"));
    free(text);

    /* As many as are wanted. */
    text = show_searches(inspect, 1);
    assert_null(strstr(text, "NEW"));
    free(text);
    inspect_destroy(inspect);

    text = show_searches(NULL, 50);
    assert_string_equal(text, "searches are not inspected\n");
    free(text);
    assert_true(json_is_null(show_searches_json(NULL)));
}

/* The longest name, each byte of which takes four. */
static void
test_long_names(void **state OVS_UNUSED)
{
    struct inspect *inspect = inspect_create(BOTH);
    struct datagram d = { .length = 0 };
    char name[SEARCH_MAX_NAME + 1];

    memset(name, 0x80, sizeof name);
    name[SEARCH_MAX_NAME] = '\0';
    put_ca_search(&d, name);
    take(inspect, &d, 10, time_msec());
    char *text = show_searches(inspect, 50);
    assert_non_null(strstr(text, "\\x80..."));
    free(text);
    json_t *json = show_searches_json(inspect);
    json_t *search = json_array_get(json_object_get(json, "top"), 0);
    assert_int_equal(json_string_length(json_object_get(search, "name")),
                     4 * SEARCH_MAX_NAME);
    json_decref(json);
    inspect_destroy(inspect);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_frames_that_are_not_right),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_malformed_and_too_many),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_captures),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
