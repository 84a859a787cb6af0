/* SPDX-License-Identifier: Apache-2.0 */

/* What is shown alike everywhere, and the segment, which is shown with it. */

#include <config.h>
#include "show.h"
#include "show-segment.h"

#include "support.h"

#include <ctype.h>
#include <time.h>

#include "announcement.h"
#include "conf.h"
#include "frame.h"
#include "loop-guard.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "segment.h"
#include "timeval.h"
#include "util.h"

/* Tables. */

enum { MAX_CELLS = 24 };

/* Fails the test unless the table of 'n_rows' rows of 'n_columns' cells each,
 * the 'texts', is 'expected'.  What is before it stays. */
static void
assert_table(const char *const *texts, size_t n_rows, size_t n_columns,
             const bool *numbers, const char *expected)
{
    static show_cell cells[MAX_CELLS];
    struct ds out = DS_EMPTY_INITIALIZER;

    assert_in_range(n_rows * n_columns, 0, MAX_CELLS);
    memset(cells, '#', sizeof cells); /* Behind each text, too. */
    for (size_t i = 0; i < n_rows * n_columns; i++) {
        ovs_strlcpy(cells[i], texts[i], SHOW_CELL_SIZE);
    }
    ds_put_cstr(&out, "before\n");
    show_table(cells, n_rows, n_columns, numbers, &out);

    char *whole = xasprintf("before\n%s", expected);
    assert_string_equal(ds_cstr(&out), whole);
    assert_null(strstr(ds_cstr(&out), " \n"));
    free(whole);
    ds_destroy(&out);
}

static void
test_a_table(void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        "NAME",     "N", "WHY",      "COUNT",  /* */
        "a",        "7", "so",       "1",      /* */
        "somebody", "",  "for that", "123456", /* */
        "",         "-", "",         "-",      /* */
    };
    static const bool numbers[] = { false, true, false, true };

    assert_table(texts, 4, 4, numbers,
                 "NAME      N  WHY        COUNT\n"
                 "a         7  so             1\n"
                 "somebody     for that  123456\n"
                 "          -                 -\n");
}

/* What stands last is not padded. */
static void
test_a_table_that_ends_in_words(void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        "N",   "WHY",         /* */
        "100", "so",          /* */
        "7",   "for a while", /* */
    };
    static const bool numbers[] = { true, false };

    assert_table(texts, 3, 2, numbers,
                 "  N  WHY\n"
                 "100  so\n"
                 "  7  for a while\n");
}

static void
test_tables_of_one_column(void **state OVS_UNUSED)
{
    static const char *const texts[] = { "WHY", "so", "for that" };
    static const bool yes = true, no = false;

    assert_table(texts, 3, 1, &no, "WHY\nso\nfor that\n");
    assert_table(texts, 3, 1, &yes, "     WHY\n      so\nfor that\n");
    assert_table(texts, 2, 1, &yes, "WHY\n so\n");
}

static void
test_tables_without_anything(void **state OVS_UNUSED)
{
    static const char *const texts[] = { "NAME", "WHY" };
    static const bool numbers[] = { false, false };

    assert_table(texts, 1, 2, numbers, "NAME  WHY\n");
    assert_table(texts, 0, 2, numbers, "");
}

/* As long as a cell can be. */
static void
test_a_table_with_long_cells(void **state OVS_UNUSED)
{
    char longest[SHOW_CELL_SIZE], expected[4 * SHOW_CELL_SIZE];
    const char *const texts[] = { "A", "B", longest, longest };
    static const bool numbers[] = { true, false };

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    snprintf(expected, sizeof expected, "%*s  B\n%s  %s\n", SHOW_CELL_SIZE - 1,
             "A", longest, longest);
    assert_table(texts, 2, 2, numbers, expected);
}

/* Times and ids. */

static void
assert_time(long long int ms, const char *expected)
{
    show_cell cell;

    memset(cell, '#', sizeof cell);
    show_time(ms, cell);
    assert_string_equal(cell, expected);
}

static void
set_time_zone(const char *name)
{
    setenv("TZ", name, true);
    tzset();
}

static void
test_times_as_people_read_them(void **state OVS_UNUSED)
{
    assert_time(0, "-");
    assert_time(1, "1970-01-01 00:00:00");
    assert_time(999, "1970-01-01 00:00:00");
    assert_time(1000, "1970-01-01 00:00:01");
    assert_time(1700000000999, "2023-11-14 22:13:20");
    assert_time(4102444799000, "2099-12-31 23:59:59");

    /* Where they are. */
    set_time_zone("HERE-5:30");
    assert_time(1700000000999, "2023-11-15 03:43:20");
    assert_time(0, "-");
    set_time_zone("UTC");
}

/* Fails the test unless 'json', which it frees, is the text 'expected', null
 * if that is NULL. */
static void
assert_json_text(json_t *json, const char *expected)
{
    assert_non_null(json);
    if (expected) {
        assert_true(json_is_string(json));
        assert_string_equal(json_string_value(json), expected);
    } else {
        assert_true(json_is_null(json));
    }
    json_decref(json);
}

/* By the same clock everywhere. */
static void
test_times_as_programs_read_them(void **state OVS_UNUSED)
{
    static const char *const zones[] = { "UTC", "HERE-5:30" };

    for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
        set_time_zone(zones[i]);
        assert_json_text(show_time_json(0), NULL);
        assert_json_text(show_time_json(1), "1970-01-01T00:00:00Z");
        assert_json_text(show_time_json(1000), "1970-01-01T00:00:01Z");
        assert_json_text(show_time_json(1700000000999),
                         "2023-11-14T22:13:20Z");
    }
    set_time_zone("UTC");
}

static void
test_ids(void **state OVS_UNUSED)
{
    assert_json_text(show_id_json(0), NULL);
    assert_json_text(show_id_json(1), "0000000000000001");
    assert_json_text(show_id_json(UINT64_C(0x0102030405060708)),
                     "0102030405060708");
    assert_json_text(show_id_json(UINT64_MAX), "ffffffffffffffff");
}

/* The segment. */

enum { HELLO_MS = 250, DEAD_MS = 800 };

#define ID UINT64_C(0x0102030405060708)

/* When all here happens, as of time_msec(): some seconds ago, in the middle of
 * a second of the wall clock, so that it is clear which one it was. */
static long long int when;

/* That second. */
static long long int when_wall;

static struct segment segment;
static struct loop_guard *guard;

static int
set_up(void **state OVS_UNUSED)
{
    const long long int now = time_msec(), wall = time_wall_msec();

    when_wall = wall - wall % 1000 - 10000;
    when = now - (wall - when_wall) + 500;
    segment_init(&segment);
    guard = loop_guard_create();
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    loop_guard_destroy(guard);
    return 0;
}

/* Returns the time 'ms' after 'when' as people read it, until the next call
 * but three. */
static const char *
wall_text(long long int ms)
{
    static show_cell cells[4];
    static int i;

    i = (i + 1) % ARRAY_SIZE(cells);
    show_time(when_wall + ms, cells[i]);
    return cells[i];
}

/* Returns a configuration with the 'n' ports of 5076, 5064 and 9. */
static struct config
make_config(bool election, size_t n)
{
    return (struct config){
        .election = election,
        .priority = 100,
        .announce_ms = HELLO_MS,
        .dead_ms = DEAD_MS,
        .ports = { 5076, 5064, 9 },
        .n_ports = n,
    };
}

static struct in6_addr
ipv4(uint32_t address)
{
    struct in6_addr a;

    in6_addr_set_mapped_ipv4(&a, htonl(address));
    return a;
}

/* Begins a relay with the first 'n_ports' ports, at 192.0.2.1, that knows
 * itself and hears others, and 'listened' ms later. */
static void
begin_with(size_t n_ports, long long int listened)
{
    const struct config config = make_config(true, n_ports);
    const struct announcement self = {
        .relay_id = ID,
        .session = 1,
        .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 01),
        .address = ipv4(0xc0000201),
    };

    segment_configure(&segment, &config, when);
    election_set_self(&segment.election, &self, when);
    election_set_online(&segment.election, true, when);
    loop_guard_configure(guard, config.ports, n_ports, 0);
    election_run(&segment.election, when + listened);
}

/* Returns what another relay says, which is at 192.0.2.7 and relays 5076. */
static struct announcement
other(void)
{
    return (struct announcement){
        .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 07),
        .state = RELAY_FORWARDING,
        .reason = REASON_ORDER,
        .priority = 100,
        .relay_id = 0x77,
        .session = 7,
        .hello_ms = HELLO_MS,
        .dead_ms = DEAD_MS,
        .age_ms = 60000,
        .address = ipv4(0xc0000207),
        .ports = { 5076 },
        .n_ports = 1,
    };
}

/* Takes in 'a' 'ms' after 'when'. */
static void
hear(const struct announcement *a, long long int ms)
{
    uint8_t frame[ANNOUNCEMENT_MAX_LEN];

    segment_take(&segment, frame, announcement_encode(a, frame), when + ms);
}

/* Has 'n' copies of what was emitted on 'port' come 'ms' after 'when' from
 * 02:00:00:00:00:63. */
static void
send_copies(uint16_t port, int n, long long int ms)
{
    uint8_t bytes[14 + 20 + 8] = { [6] = 2,
                                   [14 + 20 + 2] = port >> 8,
                                   [14 + 20 + 3] = port & 0xff };
    const struct frame frame = {
        .bytes = bytes,
        .length = sizeof bytes,
        .ip_src = htonl(0xc0000209),
        .port = port,
        .udp_ofs = 14 + 20,
        .udp_length = 8,
    };

    assert_false(loop_guard_emit(guard, &frame, true, when + ms));
    bytes[6 + 5] = 0x63;
    while (n--) {
        assert_true(loop_guard_punt(guard, &frame, true, true, when + ms));
    }
}

/* Fails the test unless the number before " ms ago" each time that it is in
 * 'text' is how long it has been since 'heard' after 'when', and makes its
 * digits '#'. */
static void
check_ages(char *text, long long int heard)
{
    for (char *p = strstr(text, " ms ago"); p; p = strstr(p + 1, " ms ago")) {
        const long long int most = time_msec() - (when + heard);
        char *digits = p;

        while (isdigit((unsigned char) digits[-1])) {
            digits--;
        }
        /* A test that takes longer is none of this. */
        assert_in_range(atoll(digits), most - 10000, most);
        memset(digits, '#', p - digits);
    }
}

/* Fails the test unless show_segment() returns 'expected', which it frees.
 * Others were heard 'heard' ms after 'when'. */
static void
assert_shown(long long int heard, char *expected)
{
    char *text = show_segment(&segment, guard);

    check_ages(text, heard);
    assert_string_equal(text, expected);
    assert_null(strstr(text, " \n"));
    free(text);
    free(expected);
}

/* The same of show_segment_forwarder(). */
static void
assert_forwarder_shown(char *expected)
{
    char *text = show_segment_forwarder(&segment);

    assert_string_equal(text, expected);
    free(text);
    free(expected);
}

#define ELECTION_ON "election: on, announced every 250 ms, dead after 800 ms\n"

static void
test_this_relay_forwards(void **state OVS_UNUSED)
{
    begin_with(2, DEAD_MS);
    election_in_place(&segment.election, when + 3000);
    assert_shown(
        0,
        xasprintf("forwarder: self\n"
                  "since: %s\n"
                  "why: no other relay was ready\n" ELECTION_ON
                  "RELAY             ADDRESS    MAC                PRIORITY  "
                  "STATE       SINCE                HEARD  WHY\n"
                  "0102030405060708  192.0.2.1  02:00:00:00:00:01       100  "
                  "forwarding  %s   self  no other relay was ready\n",
                  wall_text(3000), wall_text(3000)));
    assert_forwarder_shown(xasprintf(
        "self, since %s: no other relay was ready", wall_text(3000)));
}

static void
test_another_relay_forwards(void **state OVS_UNUSED)
{
    struct announcement a = other();

    begin_with(1, 0);
    hear(&a, -9000);
    a.relay_id = UINT64_MAX;
    a.mac.ea[5] = 8;
    a.address = in6addr_loopback;
    a.priority = 1;
    a.state = RELAY_STANDBY;
    a.reason = REASON_LATER;
    a.age_ms = 0;
    hear(&a, -9000);
    assert_shown(
        -9000,
        xasprintf(
            "forwarder: 0000000000000077 192.0.2.7\n"
            "since: %s\n"
            "why: its relay id is the lowest\n" ELECTION_ON
            "RELAY             ADDRESS    MAC                PRIORITY  "
            "STATE       SINCE                       HEARD  WHY\n"
            "0102030405060708  192.0.2.1  02:00:00:00:00:01       100  "
            "listening   %s          self  it has started, or its switch "
            "has\n"
            "0000000000000077  192.0.2.7  02:00:00:00:00:07       100  "
            "forwarding  %s  ##### ms ago  its relay id is the lowest\n"
            "ffffffffffffffff  ::1        02:00:00:00:00:08         1  "
            "standby     %s  ##### ms ago  another relay forwards\n",
            wall_text(-69000), wall_text(0), wall_text(-69000),
            wall_text(-9000)));
    assert_forwarder_shown(
        xasprintf("0000000000000077 192.0.2.7, since %s: its relay "
                  "id is the lowest",
                  wall_text(-69000)));
}

/* One that is about to forward is the forwarder already. */
static void
test_another_relay_claims_to_forward(void **state OVS_UNUSED)
{
    struct announcement a = other();

    a.state = RELAY_CLAIMING;
    a.reason = REASON_SILENT;
    a.age_ms = 0; /* It may claim no longer than its dead time. */
    begin_with(1, 0);
    hear(&a, 0);
    assert_forwarder_shown(
        xasprintf("0000000000000077 192.0.2.7, since %s: the "
                  "forwarder before it fell silent",
                  wall_text(0)));
}

/* One that is nowhere to be found is known by its MAC. */
static void
test_relays_without_an_address(void **state OVS_UNUSED)
{
    const struct announcement self = {
        .relay_id = ID,
        .session = 1,
        .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 01),
    };
    struct announcement a = other();

    a.address = in6addr_any;
    begin_with(1, 0);
    election_set_self(&segment.election, &self, when);
    hear(&a, -9000);
    assert_shown(
        -9000,
        xasprintf("forwarder: 0000000000000077 02:00:00:00:00:07\n"
                  "since: %s\n"
                  "why: its relay id is the lowest\n" ELECTION_ON
                  "RELAY             ADDRESS            MAC                "
                  "PRIORITY  STATE       SINCE                       HEARD  "
                  "WHY\n"
                  "0102030405060708  02:00:00:00:00:01  02:00:00:00:00:01  "
                  "     100  listening   %s          self  "
                  "it has started, or its switch has\n"
                  "0000000000000077  02:00:00:00:00:07  02:00:00:00:00:07  "
                  "     100  forwarding  %s  ##### ms ago  "
                  "its relay id is the lowest\n",
                  wall_text(-69000), wall_text(0), wall_text(-69000)));
    assert_forwarder_shown(
        xasprintf("0000000000000077 02:00:00:00:00:07, since %s: its "
                  "relay id is the lowest",
                  wall_text(-69000)));
}

/* Before anybody forwards it is told what this relay does about it. */
static void
test_nobody_forwards(void **state OVS_UNUSED)
{
    struct announcement a = other();

    begin_with(1, 0);
    a.state = RELAY_STANDBY;
    hear(&a, 0);
    char *text = show_segment(&segment, guard);
    char *expected = xasprintf("forwarder: none\n"
                               "since: %s\n"
                               "why: it has started, or its switch has\n",
                               wall_text(0));
    assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
    free(expected);
    free(text);
    assert_forwarder_shown(xasprintf(
        "none, since %s: it has started, or its switch has", wall_text(0)));
}

/* Without an election nobody else is known of. */
static void
test_the_election_is_off(void **state OVS_UNUSED)
{
    const struct config config = make_config(false, 1);
    const struct announcement a = other();

    begin_with(1, 0);
    hear(&a, 0);
    segment_configure(&segment, &config, when + 2000);
    assert_shown(0, xasprintf("forwarder: self\n"
                              "since: %s\n"
                              "why: its election is off\n"
                              "election: off\n",
                              wall_text(2000)));
    assert_forwarder_shown(
        xasprintf("self, since %s: its election is off", wall_text(2000)));
}

/* From the start, too. */
static void
test_the_election_was_never_on(void **state OVS_UNUSED)
{
    const struct config config = make_config(false, 1);

    segment_configure(&segment, &config, when);
    segment_configure(&segment, &config, when + 5000);
    assert_forwarder_shown(
        xasprintf("self, since %s: its election is off", wall_text(0)));
}

static void
test_nothing_is_relayed(void **state OVS_UNUSED)
{
    struct config config = make_config(true, 0);

    segment_configure(&segment, &config, when);
    assert_shown(0,
                 xstrdup("forwarder: none\nwhy: this relay relays nothing\n"));
    config.election = false;
    segment_configure(&segment, &config, when);
    assert_shown(0,
                 xstrdup("forwarder: none\nwhy: this relay relays nothing\n"));
}

/* Nor any more. */
static void
test_nothing_is_relayed_any_more(void **state OVS_UNUSED)
{
    for (int election = 0; election < 2; election++) {
        struct config config = make_config(election, 1);

        begin_with(1, DEAD_MS);
        election_in_place(&segment.election, when + DEAD_MS);
        segment_configure(&segment, &config, when + 1000);
        assert_true(election_forwards(&segment.election));
        config.n_ports = 0;
        segment_configure(&segment, &config, when + 2000);
        assert_shown(
            0, xstrdup("forwarder: none\nwhy: this relay relays nothing\n"));
        tear_down(NULL);
        set_up(NULL);
    }
}

/* The ports that the forwarder leaves to those that stand by. */
static void
test_ports_that_the_forwarder_does_not_relay(void **state OVS_UNUSED)
{
    struct announcement a = other();

    begin_with(3, 0);
    hear(&a, 0);
    a.relay_id = 0x66;
    a.state = RELAY_STANDBY;
    a.ports[0] = 5064;
    hear(&a, 100);
    election_run(&segment.election, when + DEAD_MS - 1);
    assert_int_equal(election_state(&segment.election), RELAY_LISTENING);
    a = other();
    hear(&a, DEAD_MS - 1);
    election_run(&segment.election, when + DEAD_MS);
    assert_int_equal(election_state(&segment.election), RELAY_STANDBY);

    char *text = show_segment(&segment, guard);
    const char *ports = strstr(text, "\nelection: on");
    assert_non_null(ports);
    assert_non_null(strstr(
        ports, "dead after 800 ms\n"
               "port 5064: not relayed by the forwarder, but by another one "
               "that stands by\n"
               "port 9: not relayed by the forwarder, but by this relay\n"
               "RELAY "));
    assert_null(strstr(text, "port 5076"));
    free(text);

    /* Who forwards itself relays all of its own. */
    a.state = RELAY_GONE;
    hear(&a, DEAD_MS);
    a.relay_id = 0x66;
    hear(&a, DEAD_MS);
    election_in_place(&segment.election, when + DEAD_MS);
    assert_true(election_forwards(&segment.election));
    text = show_segment(&segment, guard);
    assert_null(strstr(text, "port "));
    free(text);
}

static void
test_paused_ports(void **state OVS_UNUSED)
{
    const struct config config = make_config(false, 3);

    begin_with(3, 0);
    segment_configure(&segment, &config, when);
    send_copies(5076, 3, 2000);
    send_copies(5064, 5, 2000);
    send_copies(9, 4, 4000);
    assert_shown(
        0, xasprintf(
               "forwarder: self\n"
               "since: %s\n"
               "why: its election is off\n"
               "election: off\n"
               "port 5064: not punted until %s: 5 broadcasts came back, the "
               "last one from 02:00:00:00:00:63\n"
               "port 9: not punted until %s: 4 broadcasts came back, the "
               "last one from 02:00:00:00:00:63\n",
               wall_text(0), wall_text(3000), wall_text(5000)));

    /* Before the relays. */
    begin_with(3, 0);
    loop_guard_run(guard, when + 3000);
    send_copies(9, 4, 4000);
    char *text = show_segment(&segment, guard);
    assert_non_null(strstr(text,
                           " came back, the last one from 02:00:00:00:00:63\n"
                           "RELAY "));
    assert_null(strstr(text, "port 5064"));
    free(text);
}

/* For programs. */

/* Fails the test unless show_segment_json() returns 'expected', which it
 * frees, with "heard_ms" in all of its relays as long as has passed since
 * 'heard' after 'when'. */
static void
assert_json(json_t *expected, long long int heard)
{
    json_t *json = show_segment_json(&segment, guard);
    json_t *relay;
    size_t i;

    assert_non_null(json);
    assert_non_null(expected);
    json_array_foreach(json_object_get(json, "relays"), i, relay)
    {
        const long long int most = time_msec() - (when + heard);

        assert_in_range(json_integer_value(json_object_get(relay, "heard_ms")),
                        most - 10000, most);
        assert_int_equal(json_object_del(relay, "heard_ms"), 0);
    }
    if (!json_equal(json, expected)) {
        char *a = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);
        char *b = json_dumps(expected, JSON_INDENT(2) | JSON_SORT_KEYS);

        assert_string_equal(a, b);
    }
    json_decref(json);
    json_decref(expected);
}

/* Returns the time 'ms' after 'when' as programs read it. */
static json_t *
wall_json(long long int ms)
{
    return show_time_json(when_wall + ms);
}

static void
test_this_relay_forwards_in_json(void **state OVS_UNUSED)
{
    begin_with(2, DEAD_MS);
    election_in_place(&segment.election, when + 3000);
    assert_json(
        json_pack("{s:b, s:s, s:s, s:o, s:i, s:{s:b, s:s, s:s, s:o, s:s},"
                  " s:[], s:[]}",
                  "election", true, "state", "forwarding", "reason",
                  "no other relay was ready", "since", wall_json(3000),
                  "priority", 100, "forwarder", "self", true, "relay_id",
                  "0102030405060708", "address", "192.0.2.1", "since",
                  wall_json(3000), "reason", "no other relay was ready",
                  "relays", "paused"),
        0);
}

static void
test_another_relay_forwards_in_json(void **state OVS_UNUSED)
{
    struct announcement a = other();

    begin_with(3, 0);
    hear(&a, -9000);
    a.relay_id = UINT64_MAX;
    a.mac.ea[5] = 8;
    a.address = in6addr_any;
    a.priority = 255;
    a.state = RELAY_STANDBY;
    a.reason = REASON_LATER;
    a.ports[1] = 65535;
    a.n_ports = 2;
    hear(&a, -9000);
    send_copies(5064, 6, 2000);
    assert_json(
        json_pack(
            "{s:b, s:s, s:s, s:o, s:i, s:{s:b, s:s, s:s, s:o, s:s},"
            " s:[{s:s, s:s, s:s, s:i, s:s, s:s, s:o, s:[i]},"
            "    {s:s, s:s, s:s, s:i, s:s, s:s, s:o, s:[i, i]}],"
            " s:[{s:i, s:o, s:i, s:s}]}",
            "election", true, "state", "listening", "reason",
            "it has started, or its switch has", "since", wall_json(0),
            "priority", 100, "forwarder", "self", false, "relay_id",
            "0000000000000077", "address", "192.0.2.7", "since",
            wall_json(-69000), "reason", "its relay id is the lowest",
            "relays", "relay_id", "0000000000000077", "address", "192.0.2.7",
            "mac", "02:00:00:00:00:07", "priority", 100, "state", "forwarding",
            "reason", "its relay id is the lowest", "since", wall_json(-69000),
            "ports", 5076, "relay_id", "ffffffffffffffff", "address",
            "02:00:00:00:00:08", "mac", "02:00:00:00:00:08", "priority", 255,
            "state", "standby", "reason", "another relay forwards", "since",
            wall_json(-69000), "ports", 5076, 65535, "paused", "port", 5064,
            "until", wall_json(3000), "copies", 6, "mac", "02:00:00:00:00:63"),
        -9000);
}

static void
test_nobody_forwards_in_json(void **state OVS_UNUSED)
{
    begin_with(1, 0);
    assert_json(json_pack("{s:b, s:s, s:s, s:o, s:i, s:n, s:[], s:[]}",
                          "election", true, "state", "listening", "reason",
                          "it has started, or its switch has", "since",
                          wall_json(0), "priority", 100, "forwarder", "relays",
                          "paused"),
                0);
}

static void
test_the_election_is_off_in_json(void **state OVS_UNUSED)
{
    const struct config config = make_config(false, 1);

    begin_with(1, 0);
    segment_configure(&segment, &config, when + 2000);
    assert_json(
        json_pack("{s:b, s:s, s:s, s:o, s:i, s:{s:b, s:s, s:s, s:o, s:s},"
                  " s:[], s:[]}",
                  "election", false, "state", "off", "reason",
                  "its election is off", "since", wall_json(2000), "priority",
                  100, "forwarder", "self", true, "relay_id",
                  "0102030405060708", "address", "192.0.2.1", "since",
                  wall_json(2000), "reason", "its election is off", "relays",
                  "paused"),
        0);
}

/* A relay that has just started knows neither its id nor when. */
static void
test_a_new_segment_in_json(void **state OVS_UNUSED)
{
    json_t *json = show_segment_json(&segment, guard);

    assert_non_null(json);
    assert_true(json_is_null(json_object_get(json, "since")));
    assert_true(json_is_null(json_object_get(json, "forwarder")));
    json_decref(json);

    const struct config config = make_config(false, 1);
    segment_configure(&segment, &config, when);
    json = show_segment_json(&segment, guard);
    assert_non_null(json);
    const json_t *forwarder = json_object_get(json, "forwarder");
    assert_true(json_is_true(json_object_get(forwarder, "self")));
    assert_true(json_is_null(json_object_get(forwarder, "relay_id")));
    json_decref(json);
}

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    set_time_zone("UTC");

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table),
        cmocka_unit_test(test_a_table_that_ends_in_words),
        cmocka_unit_test(test_tables_of_one_column),
        cmocka_unit_test(test_tables_without_anything),
        cmocka_unit_test(test_a_table_with_long_cells),
        cmocka_unit_test(test_times_as_people_read_them),
        cmocka_unit_test(test_times_as_programs_read_them),
        cmocka_unit_test(test_ids),
        TEST(test_this_relay_forwards),
        TEST(test_another_relay_forwards),
        TEST(test_another_relay_claims_to_forward),
        TEST(test_relays_without_an_address),
        TEST(test_nobody_forwards),
        TEST(test_the_election_is_off),
        TEST(test_the_election_was_never_on),
        TEST(test_nothing_is_relayed),
        TEST(test_nothing_is_relayed_any_more),
        TEST(test_ports_that_the_forwarder_does_not_relay),
        TEST(test_paused_ports),
        TEST(test_this_relay_forwards_in_json),
        TEST(test_another_relay_forwards_in_json),
        TEST(test_nobody_forwards_in_json),
        TEST(test_the_election_is_off_in_json),
        TEST(test_a_new_segment_in_json),
    };
    return cmocka_run_group_tests_name("show", tests, NULL, NULL);
}
