/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "conf.h"
#include "conf-file.h"
#include "conf-json.h"
#include "conf-load.h"

#include "support.h"

#include <getopt.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dirs.h"
#include "error-line.h"
#include "inspect.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "options.h"
#include "packets.h"
#include "util.h"

/* The file that the tests write, and what it is called in messages: the tests
 * run in a directory of their own, so that its name is the same each time. */
#define FILE_NAME "test.json"
static char config_file[] = FILE_NAME;

static const char *const variables[] = {
    "TARGET_INTERFACE", "BDCAST_PORT",      "MESH_PORT",      "LOGLEVEL",
    "SERVICENAME",      "SNOWRELAY_CONFIG", "MESH_TRANSPORT",
};

static char directory[] = "/tmp/snowrelay-test-conf.XXXXXX";

static int
enter_directory(void **state OVS_UNUSED)
{
    return !mkdtemp(directory) || chdir(directory);
}

static int
leave_directory(void **state OVS_UNUSED)
{
    return chdir("/") || rmdir(directory);
}

/* Before and after each test. */
static int
clear(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        unsetenv(variables[i]);
    }
    unlink(FILE_NAME);
    return 0;
}

static void
write_bytes(const char *bytes, size_t length)
{
    FILE *file = fopen(FILE_NAME, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Reads the configuration that 'o' asks for, which must be right. */
static struct config *
load(const struct options *o)
{
    struct config *c;

    assert_no_error(config_load(o, &c));
    assert_non_null(c);
    return c;
}

/* Reads the file with 'text', which must be right. */
static struct config *
load_text(const char *text)
{
    struct options o = { .config_file = config_file };

    write_bytes(text, strlen(text));
    return load(&o);
}

/* Fails the test unless reading the configuration that 'o' asks for gives the
 * message 'expected'. */
static void
assert_load_error(const struct options *o, const char *expected)
{
    struct config *c = (struct config *) o; /* Anything but NULL. */

    assert_error(config_load(o, &c), expected);
    assert_null(c);
}

/* Fails the test unless reading the file with 'text' gives the message
 * 'expected', before which stands the name of the file. */
static void
assert_text_error(const char *text, const char *expected)
{
    struct options o = { .config_file = config_file };
    char *whole = xasprintf(FILE_NAME ": %s", expected);

    write_bytes(text, strlen(text));
    assert_load_error(&o, whole);
    free(whole);
}

/* Where values come from. */

static void
test_defaults(void **state OVS_UNUSED)
{
    struct options o = { 0 };
    struct config *c = load(&o);
    char address[INET6_ADDRSTRLEN];

    char *target = xasprintf("unix:%s/br0.mgmt", ovs_rundir());
    assert_string_equal(c->switch_target, target);
    free(target);

    target = xasprintf("unix:%s/db.sock", ovs_rundir());
    assert_string_equal(c->database, target);
    free(target);

    assert_string_equal(c->bridge, "br0");
    assert_int_equal(c->replicate.n, 0);
    assert_int_equal(c->id_base, 0x534e00);
    assert_int_equal(c->n_ports, 1);
    assert_int_equal(c->ports[0], 5076);
    assert_int_equal(c->destination, DESTINATION_AUTO);
    assert_true(c->local_mac_auto);
    assert_int_equal(c->max_pps, 10000);
    assert_int_equal(c->flow_priority, 20000);
    assert_string_equal(c->forward, "NORMAL");
    assert_true(c->election);
    assert_int_equal(c->priority, 100);
    assert_int_equal(c->announce_ms, 200);
    assert_int_equal(c->dead_ms, 700);
    assert_int_equal(c->n_others, 0);
    assert_string_equal(address_format(&c->mesh.address, address), "0.0.0.0");
    assert_int_equal(c->mesh.port, 7124);
    assert_int_equal(c->peers.n, 0);
    assert_int_equal(c->discover.n, 0);
    assert_true(c->relay_id_auto);
    assert_int_equal(c->hello_ms, 1000);
    assert_int_equal(c->accept.n, 0);
    assert_string_equal(c->log_level, "info");
    assert_int_equal(c->from.n, 0);
    assert_null(c->filter);
    assert_false(c->http_on);
    assert_int_equal(c->inspect, 0);
    config_destroy(c);
}

/* Who is relayed, and who looks on. */
static void
test_from_filter_http_and_inspect(void **state OVS_UNUSED)
{
    struct config *c = load_text(
        "{\"relay\": {\"from\": [\"10.1.2.3/16\", \"192.0.2.9\"],"
        "             \"filter\": \"udp port 5076\"},"
        " \"http\": \"[::1]:9714\", \"inspect\": [\"ca\", \"pva\", \"ca\"]}");
    char text[ENDPOINT_TEXT_SIZE];

    assert_int_equal(c->from.n, 2);
    assert_int_equal(c->from.all[0].prefix, 96 + 16);
    assert_string_equal(c->from.texts[0], "10.1.2.3/16");
    assert_int_equal(c->from.all[1].prefix, 128);
    assert_string_equal(c->filter_text, "udp port 5076");
    assert_non_null(c->filter);
    assert_true(c->http_on);
    assert_string_equal(endpoint_format(&c->http, text), "[::1]:9714");
    assert_int_equal(c->inspect, INSPECT_PVA | INSPECT_CA);

    char *json = config_to_json(c);
    const char *const parts[] = {
        "\"from\": [\n      \"10.1.2.3/16\",\n      \"192.0.2.9\"\n    ]",
        "\"filter\": \"udp port 5076\"",
        "\"http\": \"[::1]:9714\"",
        "\"inspect\": [\n    \"pva\",\n    \"ca\"\n  ]",
    };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        assert_non_null(strstr(json, parts[i]));
    }
    free(json);
    config_destroy(c);

    /* One subnet needs no array; nothing to inspect is none. */
    c = load_text("{\"relay\": {\"from\": \"10.1.0.0/16\"}, \"inspect\": []}");
    assert_int_equal(c->from.n, 1);
    assert_int_equal(c->inspect, 0);
    config_destroy(c);
}

/* Fails the test unless 'specs' are the 'n' in 'expected'. */
static void
assert_specs(const struct peer_specs *specs, const struct peer_spec *expected,
             size_t n)
{
    assert_int_equal(specs->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(specs->all[i].text, expected[i].text);
        assert_string_equal(specs->all[i].host, expected[i].host);
        assert_int_equal(specs->all[i].port, expected[i].port);
    }
}

static void
test_file(void **state OVS_UNUSED)
{
    struct config *c = load_text(
        "{\"bridge\": \"lab\", \"id_base\": 4096,"
        " \"relay\": {\"ports\": [5064, 5065], \"destination\": \"limited\","
        "             \"local_mac\": \"02:00:00:00:00:0a\","
        "             \"max_pps\": 50, \"flow_priority\": 7,"
        "             \"forward\": \"resubmit(,10)\"},"
        " \"segment\": {\"election\": false, \"priority\": 7,"
        "               \"hello_ms\": 333, \"dead_ms\": 1234,"
        "               \"local_macs\": [\"02:00:00:00:00:0b\","
        "                                \"00:01:02:03:04:05\"]},"
        " \"mesh\": {\"address\": \"192.0.2.1\", \"port\": 7000,"
        "            \"peers\": [\"relay-b\", \"192.0.2.7:7125\","
        "                        \"[2001:db8::7]:7126\", \"2001:db8::8\"],"
        "            \"discover\": [\"relays\", \"relays:7125\","
        "                           \"_snowrelay._udp.example.org\"],"
        "            \"relay_id\": \"00000000000A0b0C\", \"hello_ms\": 250,"
        "            \"accept\": [\"10.0.0.0/8\", \"2001:db8::/32\"]}}");
    const struct eth_addr mac = ETH_ADDR_C(02, 00, 00, 00, 00, 0a);
    const struct eth_addr others[] = { ETH_ADDR_C(02, 00, 00, 00, 00, 0b),
                                       ETH_ADDR_C(00, 01, 02, 03, 04, 05) };
    char address[INET6_ADDRSTRLEN];

    assert_string_equal(c->bridge, "lab");
    assert_int_equal(c->id_base, 4096);
    assert_int_equal(c->n_ports, 2);
    assert_int_equal(c->ports[0], 5064);
    assert_int_equal(c->ports[1], 5065);
    assert_int_equal(c->destination, DESTINATION_LIMITED);
    assert_false(c->local_mac_auto);
    assert_true(eth_addr_equals(c->local_mac, mac));
    assert_int_equal(c->max_pps, 50);
    assert_int_equal(c->flow_priority, 7);
    assert_string_equal(c->forward, "resubmit(,10)");
    assert_false(c->election);
    assert_int_equal(c->priority, 7);
    assert_int_equal(c->announce_ms, 333);
    assert_int_equal(c->dead_ms, 1234);
    assert_int_equal(c->n_others, ARRAY_SIZE(others));
    assert_memory_equal(c->others, others, sizeof others);
    assert_string_equal(address_format(&c->mesh.address, address),
                        "192.0.2.1");
    assert_int_equal(c->mesh.port, 7000);

    /* Where no port is given it is for the roster to fill in. */
    char relay_b[] = "relay-b", address_b[] = "192.0.2.7:7125";
    char host_b[] = "192.0.2.7", address_c[] = "[2001:db8::7]:7126";
    char host_c[] = "2001:db8::7", address_d[] = "2001:db8::8";
    char relays[] = "relays", relays_7125[] = "relays:7125";
    char service[] = "_snowrelay._udp.example.org";
    const struct peer_spec peers[] = {
        { relay_b, relay_b, 0 },
        { address_b, host_b, 7125 },
        { address_c, host_c, 7126 },
        { address_d, address_d, 0 },
    };
    const struct peer_spec discover[] = {
        { relays, relays, 0 },
        { relays_7125, relays, 7125 },
        { service, service, 0 },
    };
    assert_specs(&c->peers, peers, ARRAY_SIZE(peers));
    assert_specs(&c->discover, discover, ARRAY_SIZE(discover));
    assert_false(c->relay_id_auto);
    assert_int_equal(c->relay_id, 0xa0b0c);
    assert_int_equal(c->hello_ms, 250);

    assert_int_equal(c->accept.n, 2);
    assert_string_equal(c->accept.texts[0], "10.0.0.0/8");
    assert_int_equal(c->accept.all[0].prefix, 96 + 8);
    assert_string_equal(c->accept.texts[1], "2001:db8::/32");
    assert_int_equal(c->accept.all[1].prefix, 32);
    config_destroy(c);
}

/* Returns what 'c' has for one setting, as text. */
typedef void get_function(const struct config *c, struct ds *);

static void
get_bridge(const struct config *c, struct ds *s)
{
    ds_put_cstr(s, c->bridge);
}

static void
get_ports(const struct config *c, struct ds *s)
{
    for (size_t i = 0; i < c->n_ports; i++) {
        ds_put_format(s, "%s%u", i ? "," : "", c->ports[i]);
    }
}

static void
get_transport(const struct config *c, struct ds *s)
{
    ds_put_cstr(s, config_transport(c));
}

static void
get_mesh_port(const struct config *c, struct ds *s)
{
    ds_put_format(s, "%u", c->mesh.port);
}

static void
get_log_level(const struct config *c, struct ds *s)
{
    ds_put_cstr(s, c->log_level);
}

/* A setting with a value from each source.  'file' is the text of the whole
 * file, NULL for what a file cannot set. */
struct precedence {
    size_t option; /* Offset in struct options. */
    const char *variable;
    const char *from_option, *from_variable, *file, *from_file, *by_default;
    get_function *get;
};

static const struct precedence precedences[] = {
    { offsetof(struct options, target_interface), "TARGET_INTERFACE",
      "br-option", "br-variable", "{\"bridge\": \"br-file\"}", "br-file",
      "br0", get_bridge },
    { offsetof(struct options, broadcast_port), "BDCAST_PORT", "1111,1112",
      "2221,2222", "{\"relay\": {\"ports\": [3331, 3332]}}", "3331,3332",
      "5076", get_ports },
    { offsetof(struct options, mesh_port), "MESH_PORT", "1111", "2222",
      "{\"mesh\": {\"port\": 3333}}", "3333", "7124", get_mesh_port },
    { offsetof(struct options, transport), "MESH_TRANSPORT", "vxlan", "geneve",
      "{\"mesh\": {\"transport\": \"vxlan\"}}", "vxlan", "udp",
      get_transport },
    { offsetof(struct options, log_level), "LOGLEVEL", "debug", "critical",
      NULL, "info", "info", get_log_level },
};

static void
assert_setting(const struct precedence *p, const struct options *o,
               const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct config *c = load(o);

    p->get(c, &s);
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
    config_destroy(c);
}

/* Command line, environment, file, default: takes away one after the other. */
static void
test_precedence(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(precedences); i++) {
        const struct precedence *p = &precedences[i];
        struct options o = { .config_file = p->file ? config_file : NULL };
        const char **option = (const char **) ((char *) &o + p->option);

        if (p->file) {
            write_bytes(p->file, strlen(p->file));
        }
        setenv(p->variable, p->from_variable, true);
        *option = p->from_option;
        assert_setting(p, &o, p->from_option);

        *option = NULL;
        assert_setting(p, &o, p->from_variable);

        setenv(p->variable, "", true); /* As if it were not set. */
        assert_setting(p, &o, p->from_file);
        unsetenv(p->variable);
        assert_setting(p, &o, p->from_file);

        o.config_file = NULL;
        assert_setting(p, &o, p->by_default);
    }
}

/* Fails the test unless the command line, with '--config=' and 'option' if
 * that is not NULL, and the environment as it is name the file 'expected' of
 * this directory, NULL for none. */
static void
assert_config_file(const char *option, const char *expected)
{
    char program[] = "snowrelayd", config[64];
    char *argv[] = { program, config, NULL };
    char *unixctl_path;
    struct options o;

    snprintf(config, sizeof config, "--config=%s", option ? option : "");
    optind = 0; /* Begin anew, getopt(3). */
    options_parse(option ? 2 : 1, argv, &o, &unixctl_path);

    char *absolute = expected ? abs_file_name(NULL, expected) : NULL;
    if (absolute) {
        assert_int_equal(absolute[0], '/');
        assert_non_null(o.config_file);
        assert_string_equal(o.config_file, absolute);
    } else {
        assert_null(o.config_file);
    }
    free(absolute);
    options_destroy(&o);
}

/* A daemon leaves the directory it was started in, so the name becomes an
 * absolute one at once. */
static void
test_precedence_of_the_file_itself(void **state OVS_UNUSED)
{
    assert_config_file(NULL, NULL);
    assert_config_file("option.json", "option.json");
    setenv("SNOWRELAY_CONFIG", "variable.json", true);
    assert_config_file("option.json", "option.json");
    assert_config_file(NULL, "variable.json");
    setenv("SNOWRELAY_CONFIG", "", true);
    assert_config_file(NULL, NULL);
}

static void
test_other_relays_replace_the_files(void **state OVS_UNUSED)
{
    struct options o = { .config_file = config_file, .mesh_port = "7000" };
    const char *text = "{\"mesh\": {\"peers\": [\"a\", \"b\", \"c\"]}}";
    struct config *c;

    write_bytes(text, strlen(text));
    c = load(&o);
    assert_int_equal(c->peers.n, 3);
    config_destroy(c);

    svec_add(&o.other_relays, "d");
    svec_add(&o.other_relays, "192.0.2.7:7125");
    c = load(&o);
    assert_int_equal(c->peers.n, 2);
    assert_string_equal(c->peers.all[0].host, "d");
    assert_int_equal(c->peers.all[0].port, 0);
    assert_string_equal(c->peers.all[1].host, "192.0.2.7");
    assert_int_equal(c->peers.all[1].port, 7125);
    config_destroy(c);
    svec_destroy(&o.other_relays);
}

/* Names to discover by are none of the other relays. */
static void
test_other_relays_leave_discovery_alone(void **state OVS_UNUSED)
{
    struct options o = { .config_file = config_file };
    const char *text = "{\"mesh\": {\"discover\": [\"a\", \"b\"]}}";

    write_bytes(text, strlen(text));
    svec_add(&o.other_relays, "d");
    struct config *c = load(&o);
    assert_int_equal(c->peers.n, 1);
    assert_int_equal(c->discover.n, 2);
    config_destroy(c);
    svec_destroy(&o.other_relays);
}

/* Docker Swarm answers a service's name with "tasks." before it with the
 * addresses of all its containers. */
static void
test_service_name(void **state OVS_UNUSED)
{
    struct options o = { 0 };

    setenv("SERVICENAME", "relay", true);
    struct config *c = load(&o);
    assert_int_equal(c->discover.n, 1);
    assert_string_equal(c->discover.all[0].text, "tasks.relay");
    assert_string_equal(c->discover.all[0].host, "tasks.relay");
    assert_int_equal(c->discover.all[0].port, 0);
    assert_int_equal(c->peers.n, 0);
    config_destroy(c);
}

static void
test_service_name_replaces_the_files(void **state OVS_UNUSED)
{
    struct options o = { .config_file = config_file };
    const char *text = "{\"mesh\": {\"discover\": [\"a\", \"b\"],"
                       " \"peers\": [\"c\"]}}";
    struct config *c;

    write_bytes(text, strlen(text));
    setenv("SERVICENAME", "", true); /* As if it were not set. */
    c = load(&o);
    assert_int_equal(c->discover.n, 2);
    config_destroy(c);

    setenv("SERVICENAME", "relay", true);
    c = load(&o);
    assert_int_equal(c->discover.n, 1);
    assert_string_equal(c->discover.all[0].text, "tasks.relay");
    assert_int_equal(c->peers.n, 1);
    config_destroy(c);
}

static void
test_switch(void **state OVS_UNUSED)
{
    struct options o = { .target_interface = "lab" };
    struct config *c = load(&o);

    char *target = xasprintf("unix:%s/lab.mgmt", ovs_rundir());
    assert_string_equal(c->switch_target, target);
    free(target);
    config_destroy(c);

    o.switch_target = "tcp:192.0.2.1:6653";
    c = load(&o);
    assert_string_equal(c->switch_target, "tcp:192.0.2.1:6653");
    config_destroy(c);
}

static void
test_database(void **state OVS_UNUSED)
{
    static const char *const targets[] = { "unix:/run/db.sock",
                                           "tcp:192.0.2.1:6640",
                                           "ssl:[2001:db8::1]:6640" };

    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        struct options o = { .database = targets[i] };
        struct config *c = load(&o);

        assert_string_equal(c->database, targets[i]);
        assert_no_error(config_set_database(c, "x", "unix:a"));
        assert_string_equal(c->database, "unix:a");
        assert_error(config_set_database(c, "x", "a"),
                     "x: \"a\" is not an OVSDB connection method "
                     "(unix:FILE, tcp:HOST:PORT or ssl:HOST:PORT)");
        assert_string_equal(c->database, "unix:a");
        config_destroy(c);
    }
}

/* Wrong values. */

/* Sixteen characters, one more than an interface's name has. */
#define LONG_NAME "br-abcdefghijklm"

/* A wrong value of a setting that the command line, and for all but
 * "--switch" and "--db" the environment too, can have. */
struct wrong_setting {
    size_t option;        /* Offset in struct options. */
    const char *name;     /* Of the option. */
    const char *variable; /* NULL if there is none. */
    const char *value;
    const char *message;
};

#define BRIDGE                                                                \
    offsetof(struct options, target_interface), "--target-interface",         \
        "TARGET_INTERFACE"
#define PORTS                                                                 \
    offsetof(struct options, broadcast_port), "--broadcast-port", "BDCAST_PORT"
#define MESH_PORT                                                             \
    offsetof(struct options, mesh_port), "--mesh-port", "MESH_PORT"
#define LOG_LEVEL                                                             \
    offsetof(struct options, log_level), "--log-level", "LOGLEVEL"
#define SWITCH offsetof(struct options, switch_target), "--switch", NULL
#define DATABASE offsetof(struct options, database), "--db", NULL

#define NOT_A_BRIDGE                                                          \
    "is not a bridge name (1 to 15 ASCII characters, no spaces or slashes)"
#define NOT_A_PORT "is not a port (1 to 65535)"
#define CLASH(PORT)                                                           \
    "--broadcast-port, relay.ports: " PORT                                    \
    " is also the mesh port (--mesh-port, mesh.port); they must differ"
#define NOT_A_LEVEL "is none of debug, info, warning, error, critical"
#define NOT_A_METHOD                                                          \
    "is not an OVS connection method (unix:FILE, tcp:HOST[:PORT] or "         \
    "ssl:HOST[:PORT])"
#define NOT_A_DATABASE                                                        \
    "is not an OVSDB connection method (unix:FILE, tcp:HOST:PORT or "         \
    "ssl:HOST:PORT)"

static const struct wrong_setting wrong_settings[] = {
    { BRIDGE, LONG_NAME, "\"" LONG_NAME "\" " NOT_A_BRIDGE },
    { BRIDGE, "br 0", "\"br 0\" " NOT_A_BRIDGE },
    { BRIDGE, "../br0", "\"../br0\" " NOT_A_BRIDGE },
    { BRIDGE, "br\n0", "\"br\\n0\" " NOT_A_BRIDGE },
    { BRIDGE, "\x1b[2J", "\"\\x1b[2J\" " NOT_A_BRIDGE },
    { BRIDGE, "br\xff", "\"br\\xff\" " NOT_A_BRIDGE },
    { PORTS, "0", "\"0\" " NOT_A_PORT },
    { PORTS, "65536", "\"65536\" " NOT_A_PORT },
    { PORTS, "pva", "\"pva\" " NOT_A_PORT },
    { PORTS, "5076,", "\"\" " NOT_A_PORT },
    { PORTS, "5076 5064", "\"5076 5064\" " NOT_A_PORT },
    { PORTS, "5076,5064,5076", "port 5076 is given twice" },
    { MESH_PORT, "0", "\"0\" " NOT_A_PORT },
    { MESH_PORT, "-1", "\"-1\" " NOT_A_PORT },
    { MESH_PORT, "0x1bd4", "\"0x1bd4\" " NOT_A_PORT },
    { LOG_LEVEL, "loud", "\"loud\" " NOT_A_LEVEL },
    { LOG_LEVEL, "INFO", "\"INFO\" " NOT_A_LEVEL },
    { SWITCH, "192.0.2.1", "\"192.0.2.1\" " NOT_A_METHOD },
    { SWITCH, "smoke:signals", "\"smoke:signals\" " NOT_A_METHOD },
    { SWITCH, "tcp:192.0.2.1\xff", "\"tcp:192.0.2.1\\xff\" " NOT_A_METHOD },
    { SWITCH, "", "\"\" " NOT_A_METHOD },
    { DATABASE, "192.0.2.1", "\"192.0.2.1\" " NOT_A_DATABASE },
    { DATABASE, "smoke:signals", "\"smoke:signals\" " NOT_A_DATABASE },
    { DATABASE, "ptcp:6640", "\"ptcp:6640\" " NOT_A_DATABASE },
    { DATABASE, "unix:a b", "\"unix:a b\" " NOT_A_DATABASE },
    { DATABASE, "unix:\xff", "\"unix:\\xff\" " NOT_A_DATABASE },
    { DATABASE, "", "\"\" " NOT_A_DATABASE },
};

static void
test_wrong_options_and_variables(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong_settings); i++) {
        const struct wrong_setting *w = &wrong_settings[i];
        struct options o = { 0 };
        const char **option = (const char **) ((char *) &o + w->option);

        *option = w->value;
        char *message = xasprintf("%s: %s", w->name, w->message);
        assert_load_error(&o, message);
        free(message);

        *option = NULL;
        if (w->variable) {
            setenv(w->variable, w->value, true);
            message = xasprintf("%s: %s", w->variable, w->message);
            assert_load_error(&o, message);
            free(message);
            unsetenv(w->variable);
        }
    }
}

/* An option that is there but empty is wrong, unlike an empty variable. */
static void
test_empty_options(void **state OVS_UNUSED)
{
    struct options bridge = { .target_interface = "" };
    struct options ports = { .broadcast_port = "" };

    assert_load_error(&bridge, "--target-interface: \"\" " NOT_A_BRIDGE);
    assert_load_error(&ports, "--broadcast-port: \"\" " NOT_A_PORT);
}

static void
test_wrong_other_relays(void **state OVS_UNUSED)
{
    struct options o = { 0 };

    svec_add(&o.other_relays, "relay-b");
    svec_add(&o.other_relays, "relay-c:0");
    assert_load_error(&o, "--other-relays: \"relay-c:0\" has no port from 1 "
                          "to 65535 after the colon");
    svec_clear(&o.other_relays);
    svec_add(&o.other_relays, "_relay._udp.example");
    assert_load_error(&o, "--other-relays: \"_relay._udp.example\" names a "
                          "service, which only mesh.discover looks up");
    svec_destroy(&o.other_relays);
}

static void
test_wrong_service_names(void **state OVS_UNUSED)
{
    static const char *const names[] = {
        "relay:7124", "relay:0", "relay:", "a b",    " ",
        ".",          "a..b",    "[::1]",  "relay/", "r\xc3\xa9seau",
    };
    struct options o = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *message = xasprintf("SERVICENAME: \"%s\" is not the name of a "
                                  "service",
                                  names[i]);

        setenv("SERVICENAME", names[i], true);
        assert_load_error(&o, message);
        free(message);
    }
}

static void
test_same_port_for_broadcasts_and_mesh(void **state OVS_UNUSED)
{
    struct options o = { .broadcast_port = "5076,7000", .mesh_port = "7000" };

    assert_load_error(&o, CLASH("7000"));
    o.mesh_port = NULL;
    config_destroy(load(&o));
    o.broadcast_port = "7124"; /* The mesh port's default. */
    assert_load_error(&o, CLASH("7124"));
}

/* Files that are no configuration. */
static void
test_unreadable_files(void **state OVS_UNUSED)
{
    static char bytes[1024 * 1024 + 1];
    char missing[] = "/nonexistent/snowrelay.json", folder[] = "/";
    struct options o = { .config_file = missing };

    assert_load_error(&o, "/nonexistent/snowrelay.json: cannot open the "
                          "configuration file: No such file or directory");
    o.config_file = folder;
    assert_load_error(&o,
                      "/: cannot read the configuration file: Is a directory");

    o.config_file = config_file;
    memset(bytes, ' ', sizeof bytes);
    bytes[0] = '{';
    bytes[1] = '}';
    write_bytes(bytes, sizeof bytes);
    assert_load_error(&o,
                      FILE_NAME ": longer than 1 MiB, so not a configuration");
    write_bytes(bytes, sizeof bytes - 1);
    config_destroy(load(&o));
}

#define RELAY(TEXT) "{\"relay\": {" TEXT "}}"
#define MESH(TEXT) "{\"mesh\": {" TEXT "}}"
#define SEGMENT(TEXT) "{\"segment\": {" TEXT "}}"

#define AT_LEAST "the least that a configuration can be is {}"

static void
test_invalid_json(void **state OVS_UNUSED)
{
    static const struct {
        const char *text;
        const char *message;
    } texts[] = {
        { "", FILE_NAME ": empty; " AT_LEAST },
        { " \t\r\n", FILE_NAME ": empty; " AT_LEAST },
        { "\xef\xbb\xbf{}", FILE_NAME ": begins with a byte order mark, "
                                      "which UTF-8 has no need of" },
        { "\xff\xfe{", FILE_NAME ": UTF-16; a configuration is in UTF-8" },
        { "\xfe\xff{", FILE_NAME ": UTF-16; a configuration is in UTF-8" },
        { "\x80", FILE_NAME ":1:0: not valid JSON: *" },
        { "{\"bridge\": \"br\xe9\"}", FILE_NAME ":1:14: not valid JSON: *" },
        { "{\"bridge\": \"a\\u0000b\"}",
          FILE_NAME ":1:21: not valid JSON: \\u0000 is not allowed" },
        { "{\"bri\\u0000dge\": \"a\"}", FILE_NAME ":1:15: not valid JSON: *" },
        { "{\"bridge\": \"a\nb\"}",
          FILE_NAME ":1:13: not valid JSON: unexpected newline*" },
        { "true", FILE_NAME ":1:4: not valid JSON: *" },
        { "\"br0\"", FILE_NAME ":1:5: not valid JSON: *" },
        { "{'bridge': 1}", FILE_NAME ":1:2: not valid JSON: *" },
        { "// br0\n{}", FILE_NAME ":1:1: not valid JSON: *" },
        { "{\"bridge\": \"br0\",}", FILE_NAME ":1:18: not valid JSON: *" },
        { "{\n\"bridge\" \"br0\"}", FILE_NAME ":2:14: not valid JSON: *" },
        { "{} {}", FILE_NAME ":1:4: not valid JSON: *" },
        { "{\"bridge\": \"a\", \"bridge\": \"b\"}",
          FILE_NAME ":1:24: not valid JSON: duplicate object key*" },
        { MESH("\"port\": 1, \"port\": 1"),
          FILE_NAME ":1:27: not valid JSON: duplicate object key*" },
        { "{\"id_base\": 99999999999999999999}",
          FILE_NAME ":1:32: not valid JSON: too big integer*" },
        { "{\"id_base\": 9223372036854775808}",
          FILE_NAME ":1:31: not valid JSON: too big integer*" },
        { "{\"id_base\": 1e999}",
          FILE_NAME ":1:17: not valid JSON: real number overflow*" },
        { "{\"id_base\": 01}", FILE_NAME ":1:13: not valid JSON: *" },
        { "{\"id_base\": 0x1}", FILE_NAME ":1:14: not valid JSON: *" },
        { "{\"id_base\": NaN}", FILE_NAME ":1:15: not valid JSON: *" },
    };
    struct options o = { .config_file = config_file };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        write_bytes(texts[i].text, strlen(texts[i].text));
        assert_load_error(&o, texts[i].message);
    }
}

/* Arrays within arrays, as many as the parser takes and one more. */
static void
test_deep_nesting(void **state OVS_UNUSED)
{
    struct options o = { .config_file = config_file };

    for (int depth = 2047; depth <= 2048; depth++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&s, "{\"bridge\": ");
        ds_put_char_multiple(&s, '[', depth);
        ds_put_char_multiple(&s, ']', depth);
        ds_put_char(&s, '}');
        write_bytes(ds_cstr(&s), s.length);
        assert_load_error(&o, depth == 2047 ? FILE_NAME ": bridge: [[[[*"
                                            : FILE_NAME
                                  ":1:2059: not valid JSON: "
                                  "maximum parsing depth*");
        ds_destroy(&s);
    }
}

/* Of a value that is a book the beginning and the end are repeated. */
static void
test_long_values(void **state OVS_UNUSED)
{
    struct options o = { .config_file = config_file };
    struct ds s = DS_EMPTY_INITIALIZER;
    struct config *c;

    ds_put_cstr(&s, "{\"bridge\": \"");
    ds_put_char_multiple(&s, 'k', 500000);
    ds_put_cstr(&s, "\"}");
    write_bytes(ds_cstr(&s), s.length);
    char *error = config_load(&o, &c);
    assert_non_null(error);
    assert_int_equal(strlen(error), ERROR_LINE_MAX);
    assert_non_null(strstr(error, "kkk...kkk"));
    assert_non_null(strstr(error, "kkk\" " NOT_A_BRIDGE));
    assert_error(error, FILE_NAME ": bridge: \"kkkk*");
    ds_destroy(&s);
}

/* A pipe is read like a file, as a shell's <(...) needs it; but one into which
 * nobody writes must not hold up a reload for ever. */
static void
test_pipes(void **state OVS_UNUSED)
{
    struct options o = { .config_file = config_file };
    const char *text = "{\"bridge\": \"br7\"}";

    assert_int_equal(mkfifo(FILE_NAME, 0600), 0);
    assert_load_error(&o, FILE_NAME ": cannot read the configuration file: "
                                    "Connection timed out");

    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
    close(fds[1]);
    o.config_file = xasprintf("/proc/self/fd/%d", fds[0]);
    struct config *c = load(&o);
    assert_string_equal(c->bridge, "br7");
    config_destroy(c);
    free(o.config_file);
    close(fds[0]);
}

/* A text for the file and what must be said of it. */
struct wrong_text {
    const char *text;
    const char *message; /* Without the file's name. */
};

#define NOT_A_PORT_RANGE "is not from 1 to 65535"
#define NOT_A_MAC                                                             \
    "is neither auto nor a unicast MAC address such as 02:00:00:00:00:01"
#define NOT_ONE_CARDS_MAC                                                     \
    "is not a unicast MAC address such as 02:00:00:00:00:01"
#define NOT_ACTIONS                                                           \
    "is not a list of OpenFlow actions such as NORMAL or resubmit(,10): "
#define NOT_A_HOST                                                            \
    "is neither an address nor a host name, with or without :PORT"
#define NOT_A_HOST_PORT "has no port from 1 to 65535 after the colon"
#define NOT_ONE_HOST "is not the address of one host"
#define LINK_LOCAL                                                            \
    "is a link-local address, which does not say through which interface"
#define NOT_A_SUBNET "is not an address or ADDRESS/PREFIX"
#define NOT_A_LISTENER                                                        \
    "is not ADDRESS:PORT, such as 127.0.0.1:9714 or [::1]:9714"
#define NO_SERVICE "names a service, which only mesh.discover looks up"
#define NOT_A_NAME_BUT_AN_ADDRESS                                             \
    "is an address, not a name; mesh.peers is for those"
#define NOT_AN_ID                                                             \
    "is neither auto nor 16 hexadecimal digits, not all of them 0"

static const struct wrong_text wrong_values[] = {
    { "{\"bridge\": \"\"}", "bridge: \"\" " NOT_A_BRIDGE },
    { "{\"bridge\": \"" LONG_NAME "\"}",
      "bridge: \"" LONG_NAME "\" " NOT_A_BRIDGE },
    { "{\"id_base\": 0}", "id_base: 0 is not from 1 to 4294897664" },
    { "{\"id_base\": 4294897665}",
      "id_base: 4294897665 is not from 1 to 4294897664" },
    { "{\"id_base\": -1}", "id_base: -1 is not from 1 to 4294897664" },

    { RELAY("\"ports\": [5076, 0]"), "relay.ports[1]: 0 " NOT_A_PORT_RANGE },
    { RELAY("\"ports\": [-1]"), "relay.ports[0]: -1 " NOT_A_PORT_RANGE },
    { RELAY("\"ports\": [9223372036854775807]"),
      "relay.ports[0]: 9223372036854775807 " NOT_A_PORT_RANGE },
    { RELAY("\"ports\": [65536]"), "relay.ports[0]: 65536 " NOT_A_PORT_RANGE },
    { RELAY("\"ports\": [9, 9]"), "relay.ports[1]: port 9 is given twice" },
    { RELAY("\"destination\": \"\""),
      "relay.destination: \"\" is none of auto, keep, limited" },
    { RELAY("\"destination\": \"Auto\""),
      "relay.destination: \"Auto\" is none of auto, keep, limited" },
    { RELAY("\"local_mac\": \"\""), "relay.local_mac: \"\" " NOT_A_MAC },
    { RELAY("\"local_mac\": \"02:00:00:00:01\""),
      "relay.local_mac: \"02:00:00:00:01\" " NOT_A_MAC },
    { RELAY("\"local_mac\": \"ff:ff:ff:ff:ff:ff\""),
      "relay.local_mac: \"ff:ff:ff:ff:ff:ff\" " NOT_A_MAC },
    { RELAY("\"local_mac\": \"01:00:5e:00:00:01\""),
      "relay.local_mac: \"01:00:5e:00:00:01\" " NOT_A_MAC },
    { RELAY("\"local_mac\": \"00:00:00:00:00:00\""),
      "relay.local_mac: \"00:00:00:00:00:00\" " NOT_A_MAC },
    { RELAY("\"max_pps\": 0"), "relay.max_pps: 0 is not from 1 to 10000000" },
    { RELAY("\"max_pps\": 10000001"),
      "relay.max_pps: 10000001 is not from 1 to 10000000" },
    { RELAY("\"flow_priority\": 0"),
      "relay.flow_priority: 0 is not from 1 to 65533" },
    { RELAY("\"flow_priority\": 65534"),
      "relay.flow_priority: 65534 is not from 1 to 65533" },
    { RELAY("\"forward\": \"\""),
      "relay.forward: \"\" " NOT_ACTIONS "it is empty" },
    { RELAY("\"forward\": \" \""),
      "relay.forward: \" \" " NOT_ACTIONS "it is empty" },
    { RELAY("\"forward\": \"NORMAL\\nNORMAL\""),
      "relay.forward: \"NORMAL\\nNORMAL\" " NOT_ACTIONS
      "it has several lines" },
    { RELAY("\"forward\": \"NORMALLY\""),
      "relay.forward: \"NORMALLY\" " NOT_ACTIONS "*" },

    { SEGMENT("\"priority\": 0"), "segment.priority: 0 is not from 1 to 255" },
    { SEGMENT("\"priority\": 256"),
      "segment.priority: 256 is not from 1 to 255" },
    { SEGMENT("\"priority\": -1"),
      "segment.priority: -1 is not from 1 to 255" },
    { SEGMENT("\"priority\": 4294967297"),
      "segment.priority: 4294967297 is not from 1 to 255" },
    { SEGMENT("\"hello_ms\": 49"),
      "segment.hello_ms: 49 is not from 50 to 10000" },
    { SEGMENT("\"hello_ms\": 10001"),
      "segment.hello_ms: 10001 is not from 50 to 10000" },
    { SEGMENT("\"hello_ms\": -200"),
      "segment.hello_ms: -200 is not from 50 to 10000" },
    { SEGMENT("\"hello_ms\": 4294967396"),
      "segment.hello_ms: 4294967396 is not from 50 to 10000" },
    { SEGMENT("\"dead_ms\": 149"),
      "segment.dead_ms: 149 is not from 150 to 60000" },
    { SEGMENT("\"dead_ms\": 60001"),
      "segment.dead_ms: 60001 is not from 150 to 60000" },
    { SEGMENT("\"dead_ms\": -700"),
      "segment.dead_ms: -700 is not from 150 to 60000" },
    { SEGMENT("\"local_macs\": [\"\"]"),
      "segment.local_macs[0]: \"\" " NOT_ONE_CARDS_MAC },
    { SEGMENT("\"local_macs\": [\"auto\"]"),
      "segment.local_macs[0]: \"auto\" " NOT_ONE_CARDS_MAC },
    { SEGMENT("\"local_macs\": [\"02:00:00:00:00:01\", \"02:00:00:00:01\"]"),
      "segment.local_macs[1]: \"02:00:00:00:01\" " NOT_ONE_CARDS_MAC },
    { SEGMENT("\"local_macs\": [\"02:00:00:00:00:01 \"]"),
      "segment.local_macs[0]: \"02:00:00:00:00:01 \" " NOT_ONE_CARDS_MAC },
    { SEGMENT("\"local_macs\": [\"ff:ff:ff:ff:ff:ff\"]"),
      "segment.local_macs[0]: \"ff:ff:ff:ff:ff:ff\" " NOT_ONE_CARDS_MAC },
    { SEGMENT("\"local_macs\": [\"01:00:5e:00:00:01\"]"),
      "segment.local_macs[0]: \"01:00:5e:00:00:01\" " NOT_ONE_CARDS_MAC },
    { SEGMENT("\"local_macs\": [\"00:00:00:00:00:00\"]"),
      "segment.local_macs[0]: \"00:00:00:00:00:00\" " NOT_ONE_CARDS_MAC },

    { MESH("\"address\": \"\""),
      "mesh.address: \"\" is not an IPv4 or IPv6 address" },
    { MESH("\"address\": \"224.0.0.1\""),
      "mesh.address: \"224.0.0.1\" " NOT_ONE_HOST },
    { MESH("\"address\": \"255.255.255.255\""),
      "mesh.address: \"255.255.255.255\" " NOT_ONE_HOST },
    { MESH("\"address\": \"ff02::1\""),
      "mesh.address: \"ff02::1\" " NOT_ONE_HOST },
    { MESH("\"address\": \"fe80::1\""),
      "mesh.address: \"fe80::1\" " LINK_LOCAL },
    { MESH("\"address\": \"relay-a\""),
      "mesh.address: \"relay-a\" is not an IPv4 or IPv6 address" },
    { MESH("\"port\": 0"), "mesh.port: 0 " NOT_A_PORT_RANGE },
    { MESH("\"port\": 65536"), "mesh.port: 65536 " NOT_A_PORT_RANGE },
    { MESH("\"peers\": [\"\"]"), "mesh.peers[0]: \"\" " NOT_A_HOST },
    { MESH("\"peers\": [\"224.0.0.1\"]"),
      "mesh.peers[0]: \"224.0.0.1\" " NOT_ONE_HOST },
    { MESH("\"peers\": [\"a\", \"255.255.255.255:7124\"]"),
      "mesh.peers[1]: \"255.255.255.255:7124\" " NOT_ONE_HOST },
    { MESH("\"peers\": [\"0.0.0.0\"]"),
      "mesh.peers[0]: \"0.0.0.0\" " NOT_ONE_HOST },
    { MESH("\"peers\": [\"[::]:7124\"]"),
      "mesh.peers[0]: \"[::]:7124\" " NOT_ONE_HOST },
    { MESH("\"peers\": [\"ff02::1\"]"),
      "mesh.peers[0]: \"ff02::1\" " NOT_ONE_HOST },
    { MESH("\"peers\": [\"[fe80::1]:7124\"]"),
      "mesh.peers[0]: \"[fe80::1]:7124\" " LINK_LOCAL },
    { MESH("\"peers\": [\"a\", \"300.1.1.1\"]"),
      "mesh.peers[1]: \"300.1.1.1\" " NOT_A_HOST },
    { MESH("\"peers\": [\"a:70000\"]"),
      "mesh.peers[0]: \"a:70000\" " NOT_A_HOST_PORT },
    { MESH("\"peers\": [\"[2001:db8::1\"]"),
      "mesh.peers[0]: \"[2001:db8::1\" is not of the form "
      "[ADDRESS]:PORT" },
    { MESH("\"peers\": [\"a\", \"_relay._udp.example\"]"),
      "mesh.peers[1]: \"_relay._udp.example\" " NO_SERVICE },
    { MESH("\"peers\": [\"_relay._udp.example:7124\"]"),
      "mesh.peers[0]: \"_relay._udp.example:7124\" " NO_SERVICE },
    { MESH("\"discover\": [\"\"]"), "mesh.discover[0]: \"\" " NOT_A_HOST },
    { MESH("\"discover\": [\"a:70000\"]"),
      "mesh.discover[0]: \"a:70000\" " NOT_A_HOST_PORT },
    { MESH("\"discover\": [\"a\", \"192.0.2.7\"]"),
      "mesh.discover[1]: \"192.0.2.7\" " NOT_A_NAME_BUT_AN_ADDRESS },
    { MESH("\"discover\": [\"192.0.2.7:7124\"]"),
      "mesh.discover[0]: \"192.0.2.7:7124\" " NOT_A_NAME_BUT_AN_ADDRESS },
    { MESH("\"discover\": [\"2001:db8::7\"]"),
      "mesh.discover[0]: \"2001:db8::7\" " NOT_A_NAME_BUT_AN_ADDRESS },
    { MESH("\"discover\": [\"[2001:db8::7]:7124\"]"),
      "mesh.discover[0]: \"[2001:db8::7]:7124\" " NOT_A_NAME_BUT_AN_ADDRESS },
    { MESH("\"discover\": [\"_relay._udp.example:7124\"]"),
      "mesh.discover[0]: \"_relay._udp.example:7124\" names a service, which "
      "has ports of its own" },
    { MESH("\"relay_id\": \"\""), "mesh.relay_id: \"\" " NOT_AN_ID },
    { MESH("\"relay_id\": \"Auto\""), "mesh.relay_id: \"Auto\" " NOT_AN_ID },
    { MESH("\"relay_id\": \"0000000000000000\""),
      "mesh.relay_id: \"0000000000000000\" " NOT_AN_ID },
    { MESH("\"relay_id\": \"000000000000001\""),
      "mesh.relay_id: \"000000000000001\" " NOT_AN_ID },
    { MESH("\"relay_id\": \"00000000000000001\""),
      "mesh.relay_id: \"00000000000000001\" " NOT_AN_ID },
    { MESH("\"relay_id\": \"000000000000000g\""),
      "mesh.relay_id: \"000000000000000g\" " NOT_AN_ID },
    { MESH("\"relay_id\": \"0x00000000000001\""),
      "mesh.relay_id: \"0x00000000000001\" " NOT_AN_ID },
    { MESH("\"relay_id\": \"-000000000000001\""),
      "mesh.relay_id: \"-000000000000001\" " NOT_AN_ID },
    { MESH("\"relay_id\": \" 000000000000001\""),
      "mesh.relay_id: \" 000000000000001\" " NOT_AN_ID },
    { MESH("\"max_pps\": 0"), "mesh.max_pps: 0 is not from 1 to 10000000" },
    { MESH("\"max_pps\": 10000001"),
      "mesh.max_pps: 10000001 is not from 1 to 10000000" },
    { MESH("\"max_pps\": 4294967297"),
      "mesh.max_pps: 4294967297 is not from 1 to 10000000" },
    { MESH("\"transport\": \"gre\""),
      "mesh.transport: \"gre\" is not udp, vxlan or geneve" },
    { MESH("\"transport\": \"VXLAN\""),
      "mesh.transport: \"VXLAN\" is not udp, vxlan or geneve" },
    { MESH("\"vni\": 0"), "mesh.vni: 0 is not from 1 to 16777215" },
    { MESH("\"vni\": 16777216"),
      "mesh.vni: 16777216 is not from 1 to 16777215" },
    { MESH("\"key_file\": \"\""), "mesh.key_file: \"\" is not a file name" },
    { MESH("\"hello_ms\": 99"), "mesh.hello_ms: 99 is not from 100 to 60000" },
    { MESH("\"hello_ms\": 60001"),
      "mesh.hello_ms: 60001 is not from 100 to 60000" },
    { MESH("\"hello_ms\": -100"),
      "mesh.hello_ms: -100 is not from 100 to 60000" },
    { MESH("\"hello_ms\": 4294967296"),
      "mesh.hello_ms: 4294967296 is not from 100 to 60000" },
    { MESH("\"accept\": [\"10.0.0.0/8\", \"10.0.0.0/33\"]"),
      "mesh.accept[1]: \"10.0.0.0/33\" " NOT_A_SUBNET },
    { MESH("\"accept\": [\"relay-b\"]"),
      "mesh.accept[0]: \"relay-b\" " NOT_A_SUBNET },
    { RELAY("\"from\": \"10.0.0.0/33\""),
      "relay.from: \"10.0.0.0/33\" " NOT_A_SUBNET },
    { RELAY("\"from\": [\"10.0.0.1\", \"fd00::/8\"]"),
      "relay.from[1]: \"fd00::/8\" is not IPv4, as broadcasts are" },
    { RELAY("\"from\": [\"10.0.0.1/8\", \"10.0.0.2/8\"]"),
      "relay.from[1]: \"10.0.0.2/8\" is given twice" },
    { RELAY("\"from\": []"),
      "relay.from: [] is nobody; leave \"from\" out for everybody" },
    { RELAY("\"filter\": \"udp and\""),
      "relay.filter: \"udp and\": can't parse filter expression: syntax "
      "error" },
    { RELAY("\"filter\": \"src host relay-b\""),
      "relay.filter: \"src host relay-b\": unknown host 'relay-b': names "
      "are not looked up" },
    { "{\"http\": \"9714\"}", "http: \"9714\" " NOT_A_LISTENER },
    { "{\"http\": \"127.0.0.1\"}", "http: \"127.0.0.1\" " NOT_A_LISTENER },
    { "{\"http\": \"::1:9714\"}", "http: \"::1:9714\" " NOT_A_LISTENER },
    { "{\"http\": \"relay-b:9714\"}",
      "http: \"relay-b:9714\" " NOT_A_LISTENER },
    { "{\"http\": \"127.0.0.1:0\"}", "http: \"127.0.0.1:0\" " NOT_A_LISTENER },
    { "{\"http\": \"\"}", "http: \"\" " NOT_A_LISTENER },
    { "{\"inspect\": [\"pva\", \"PVA\"]}",
      "inspect[1]: \"PVA\" is neither pva nor ca" },
};

static const struct wrong_text wrong_types[] = {
    { "[]", "the file: [] is an array, not an object" },
    { "{\"bridge\": {}}", "bridge: {} is an object, not a string" },
    { "{\"bridge\": null}", "bridge: null is null, not a string" },
    { "{\"id_base\": \"1\"}",
      "id_base: \"1\" is a string, not a whole number from 1 to "
      "4294897664" },
    { "{\"relay\": []}", "relay: [] is an array, not an object" },
    { "{\"mesh\": \"\"}", "mesh: \"\" is a string, not an object" },
    { RELAY("\"ports\": 5076"),
      "relay.ports: 5076 is a whole number, not an array" },
    { RELAY("\"ports\": [1e3]"),
      "relay.ports[0]: 1000.0 is a number with a fraction, not a whole number "
      "from 1 to 65535" },
    { RELAY("\"ports\": [5076, 5077.0]"),
      "relay.ports[1]: 5077.0 is a number with a fraction, not a whole number "
      "from 1 to 65535" },
    { RELAY("\"ports\": [\"5076\"]"),
      "relay.ports[0]: \"5076\" is a string, not a whole number from 1 to "
      "65535" },
    { RELAY("\"destination\": true"),
      "relay.destination: true is true, not a string" },
    { RELAY("\"local_mac\": false"),
      "relay.local_mac: false is false, not a string" },
    { RELAY("\"max_pps\": 0.5"),
      "relay.max_pps: 0.5 is a number with a fraction, not a whole number "
      "from 1 to 10000000" },
    { RELAY("\"flow_priority\": {}"),
      "relay.flow_priority: {} is an object, not a whole number from 1 to "
      "65533" },
    { RELAY("\"forward\": [ \"NORMAL\" ]"),
      "relay.forward: [\"NORMAL\"] is an array, not a string" },
    { "{\"segment\": true}", "segment: true is true, not an object" },
    { SEGMENT("\"election\": 1"),
      "segment.election: 1 is a whole number, not true or false" },
    { SEGMENT("\"election\": \"true\""),
      "segment.election: \"true\" is a string, not true or false" },
    { SEGMENT("\"election\": null"),
      "segment.election: null is null, not true or false" },
    { SEGMENT("\"priority\": \"1\""),
      "segment.priority: \"1\" is a string, not a whole number from 1 to "
      "255" },
    { SEGMENT("\"hello_ms\": 200.5"),
      "segment.hello_ms: 200.5 is a number with a fraction, not a whole "
      "number from 50 to 10000" },
    { SEGMENT("\"dead_ms\": []"),
      "segment.dead_ms: [] is an array, not a whole number from 150 to "
      "60000" },
    { SEGMENT("\"local_macs\": \"02:00:00:00:00:01\""),
      "segment.local_macs: \"02:00:00:00:00:01\" is a string, not an array" },
    { SEGMENT("\"local_macs\": [\"02:00:00:00:00:01\", 2]"),
      "segment.local_macs[1]: 2 is a whole number, not a string" },
    { MESH("\"address\": 1"),
      "mesh.address: 1 is a whole number, not a string" },
    { MESH("\"port\": \"7124\""),
      "mesh.port: \"7124\" is a string, not a whole number from 1 to "
      "65535" },
    { MESH("\"peers\": \"relay-b\""),
      "mesh.peers: \"relay-b\" is a string, not an array" },
    { MESH("\"peers\": [\"relay-b\", 7]"),
      "mesh.peers[1]: 7 is a whole number, not a string" },
    { MESH("\"discover\": \"relays\""),
      "mesh.discover: \"relays\" is a string, not an array" },
    { MESH("\"discover\": [\"relays\", false]"),
      "mesh.discover[1]: false is false, not a string" },
    { MESH("\"relay_id\": 1"),
      "mesh.relay_id: 1 is a whole number, not a string" },
    { MESH("\"max_pps\": \"all\""),
      "mesh.max_pps: \"all\" is a string, not a whole number from 1 to "
      "10000000" },
    { MESH("\"transport\": 1"),
      "mesh.transport: 1 is a whole number, not a string" },
    { MESH("\"vni\": \"1\""),
      "mesh.vni: \"1\" is a string, not a whole number from 1 to 16777215" },
    { MESH("\"key_file\": [\"k\"]"),
      "mesh.key_file: [\"k\"] is an array, not a string" },
    { MESH("\"hello_ms\": \"1000\""),
      "mesh.hello_ms: \"1000\" is a string, not a whole number from 100 to "
      "60000" },
    { MESH("\"hello_ms\": 1000.0"),
      "mesh.hello_ms: 1000.0 is a number with a fraction, not a whole number "
      "from 100 to 60000" },
    { MESH("\"accept\": {}"), "mesh.accept: {} is an object, not an array" },
    { RELAY("\"from\": {}"), "relay.from: {} is an object, not an array" },
    { RELAY("\"from\": [1]"),
      "relay.from[0]: 1 is a whole number, not a string" },
    { RELAY("\"filter\": [\"udp\"]"),
      "relay.filter: [\"udp\"] is an array, not a string" },
    { "{\"http\": 9714}", "http: 9714 is a whole number, not a string" },
    { "{\"inspect\": true}", "inspect: true is true, not an array" },
    { "{\"inspect\": [null]}", "inspect[0]: null is null, not a string" },
    { MESH("\"accept\": [null]"),
      "mesh.accept[0]: null is null, not a string" },

    /* A long value is cut: 40 characters, of which one is the quote. */
    { MESH("\"peers\": \"abcdefghijabcdefghijabcdefghijabcdefgh\""),
      "mesh.peers: \"abcdefghijabcdefghijabcdefghijabcdefgh\" is a string, "
      "not an array" },
    { MESH("\"peers\": \"abcdefghijabcdefghijabcdefghijabcdefghi\""),
      "mesh.peers: \"abcdefghijabcdefghijabcdefghijabcdefghi... is a string, "
      "not an array" },
};

static const struct wrong_text unknown_keys[] = {
    { "{\"brigde\": 1}",
      "brigde: unknown key; the nearest known one is \"bridge\"" },
    { "{\"BRIDGE\": 1}", "BRIDGE: unknown key; the nearest known one is \"*" },
    { "{\"idbase\": 1}",
      "idbase: unknown key; the nearest known one is \"id_base\"" },
    { "{\"relays\": 1}",
      "relays: unknown key; the nearest known one is \"relay\"" },
    { "{\"mash\": 1}", "mash: unknown key; the nearest known one is "
                       "\"mesh\"" },
    { "{\"segments\": 1}",
      "segments: unknown key; the nearest known one is \"segment\"" },
    { "{\"replicates\": 1}",
      "replicates: unknown key; the nearest known one is \"replicate\"" },
    { "{\"https\": 1}",
      "https: unknown key; the nearest known one is \"http\"" },
    { "{\"inspects\": 1}",
      "inspects: unknown key; the nearest known one is \"inspect\"" },
    { "{\"\": 1}", "\"\": unknown key; the nearest known one is \"*" },
    { MESH("\"\": 1"),
      "mesh.\"\": unknown key; the nearest known one is \"*" },
    { MESH("\"a\\nb\": 1"),
      "mesh.a\\nb: unknown key; the nearest known one is \"*" },
    { RELAY("\"port\": 1"),
      "relay.port: unknown key; the nearest known one is \"ports\"" },
    { RELAY("\"destinations\": 1"),
      "relay.destinations: unknown key; the nearest known one is "
      "\"destination\"" },
    { RELAY("\"localmac\": 1"),
      "relay.localmac: unknown key; the nearest known one is \"local_mac\"" },
    { RELAY("\"filtre\": 1"),
      "relay.filtre: unknown key; the nearest known one is \"filter\"" },
    { RELAY("\"pps\": 1"),
      "relay.pps: unknown key; the nearest known one is \"ports\"" },
    { RELAY("\"maxpps\": 1"),
      "relay.maxpps: unknown key; the nearest known one is \"max_pps\"" },
    { RELAY("\"priority\": 1"),
      "relay.priority: unknown key; the nearest known one is \"*" },
    { RELAY("\"flowpriority\": 1"),
      "relay.flowpriority: unknown key; the nearest known one is "
      "\"flow_priority\"" },
    { RELAY("\"forwards\": 1"),
      "relay.forwards: unknown key; the nearest known one is \"forward\"" },
    { SEGMENT("\"elections\": 1"),
      "segment.elections: unknown key; the nearest known one is "
      "\"election\"" },
    { SEGMENT("\"prio\": 1"),
      "segment.prio: unknown key; the nearest known one is \"priority\"" },
    { SEGMENT("\"hello\": 1"),
      "segment.hello: unknown key; the nearest known one is \"hello_ms\"" },
    { SEGMENT("\"dead\": 1"),
      "segment.dead: unknown key; the nearest known one is \"dead_ms\"" },
    { SEGMENT("\"local_mac\": 1"),
      "segment.local_mac: unknown key; the nearest known one is "
      "\"local_macs\"" },
    { MESH("\"adress\": 1"),
      "mesh.adress: unknown key; the nearest known one is \"address\"" },
    { MESH("\"ports\": 1"),
      "mesh.ports: unknown key; the nearest known one is \"port\"" },
    { MESH("\"peer\": 1"),
      "mesh.peer: unknown key; the nearest known one is \"peers\"" },
    { MESH("\"except\": 1"),
      "mesh.except: unknown key; the nearest known one is \"accept\"" },
    { MESH("\"discovery\": 1"),
      "mesh.discovery: unknown key; the nearest known one is \"discover\"" },
    { MESH("\"relayid\": 1"),
      "mesh.relayid: unknown key; the nearest known one is \"relay_id\"" },
    { MESH("\"hello\": 1"),
      "mesh.hello: unknown key; the nearest known one is \"hello_ms\"" },
    { MESH("\"keyfile\": 1"),
      "mesh.keyfile: unknown key; the nearest known one is \"key_file\"" },
    { MESH("\"transports\": 1"),
      "mesh.transports: unknown key; the nearest known one is "
      "\"transport\"" },
};

/* A rule with 'TEXT' besides what it must have, one with 'TEXT' for its
 * collectors, and one with the port 9 and nothing else but 'TEXT'. */
#define RULE(TEXT)                                                            \
    "{\"replicate\": [{\"port\": 9, \"to\": [{\"port\": 8}], " TEXT "}]}"
#define TO(TEXT) "{\"replicate\": [{\"port\": 9, \"to\": " TEXT "}]}"
#define BARE(TEXT) "{\"replicate\": [{" TEXT "}]}"

#define NOT_A_NAME                                                            \
    "is not a name (1 to 63 ASCII characters, no spaces or quotes)"
#define A_PORT "a whole number from 1 to 65535"

static const struct wrong_text wrong_rules[] = {
    /* Values. */
    { RULE("\"name\": \"a b\""), "replicate[0].name: \"a b\" " NOT_A_NAME },
    { BARE("\"port\": 0"), "replicate[0].port: 0 " NOT_A_PORT_RANGE },
    { BARE("\"port\": 65536"), "replicate[0].port: 65536 " NOT_A_PORT_RANGE },
    { RULE("\"from\": \"relay-b\""),
      "replicate[0].from: \"relay-b\" " NOT_A_SUBNET },
    { RULE("\"from\": []"), "replicate[0].from: [] is nobody; leave \"from\" "
                            "out for everybody" },
    { RULE("\"from\": [\"::/0\", \"::/129\"]"),
      "replicate[0].from[1]: \"::/129\" " NOT_A_SUBNET },
    { RULE("\"destination\": \"relay-b\""),
      "replicate[0].destination: \"relay-b\" is not an IPv4 or IPv6 "
      "address" },
    { RULE("\"in_port\": \"1\""),
      "replicate[0].in_port: \"1\" is not the name of a port of the bridge "
      "(1 to 15 ASCII characters)" },
    { RULE("\"spread\": \"evenly\""),
      "replicate[0].spread: \"evenly\" is not source" },
    { RULE("\"tunnel\": \"stt\""),
      "replicate[0].tunnel: \"stt\" is none of vxlan, geneve, gre" },
    { RULE("\"remote\": \"a:1\""),
      "replicate[0].remote: \"a:1\" has a port; only the "
      "address or name belongs here" },
    { TO("[{\"port\": 8}, {\"port\": 0}]"),
      "replicate[0].to[1].port: 0 " NOT_A_PORT_RANGE },
    { TO("[{\"host\": \"a b\"}]"),
      "replicate[0].to[0].host: \"a b\" " NOT_A_HOST },
    { TO("[{\"host\": \"127.0.0.1\"}]"),
      "replicate[0].to[0].host: \"127.0.0.1\" is this host; for a port of it "
      "leave \"host\" out" },
    { TO("[{\"host\": \"a:1\"}]"),
      "replicate[0].to[0].host: \"a:1\" has a port; only the "
      "address or name belongs here" },
    { TO("[{\"host\": \"a\", \"out_port\": \"1\"}]"),
      "replicate[0].to[0].out_port: \"1\" is not the name of a port of the "
      "bridge (1 to 15 ASCII characters)" },
    { TO("[{\"host\": \"a\"},"
         " {\"host\": \"a\", \"mac\": \"01:00:5e:00:00:01\"}]"),
      "replicate[0].to[1].mac: \"01:00:5e:00:00:01\" is not a unicast MAC "
      "address such as 02:00:00:00:00:01" },
    { TO("[{\"host\": \"a\", \"source\": \"drop\"}]"),
      "replicate[0].to[0].source: \"drop\" is neither rewrite nor keep" },
    { TO("[{\"host\": \"a\", \"tunnel\": \"\"}]"),
      "replicate[0].to[0].tunnel: \"\" is none of vxlan, geneve, gre" },

    /* Types. */
    { "{\"replicate\": {}}", "replicate: {} is an object, not an array" },
    { "{\"replicate\": [[]]}", "replicate[0]: [] is an array, not an object" },
    { RULE("\"name\": 1"),
      "replicate[0].name: 1 is a whole number, not a string" },
    { BARE("\"port\": \"sflow\""),
      "replicate[0].port: \"sflow\" is a string, not " A_PORT },
    { RULE("\"from\": 10"),
      "replicate[0].from: 10 is a whole number, not an array" },
    { RULE("\"from\": [\"::/0\", null]"),
      "replicate[0].from[1]: null is null, not a string" },
    { RULE("\"destination\": []"),
      "replicate[0].destination: [] is an array, not a string" },
    { RULE("\"in_port\": 1"),
      "replicate[0].in_port: 1 is a whole number, not a string" },
    { RULE("\"spread\": true"),
      "replicate[0].spread: true is true, not a string" },
    { RULE("\"tunnel\": {}"),
      "replicate[0].tunnel: {} is an object, not a string" },
    { RULE("\"remote\": 1.5"),
      "replicate[0].remote: 1.5 is a number with a fraction, not a string" },
    { TO("{}"), "replicate[0].to: {} is an object, not an array" },
    { TO("[7343]"),
      "replicate[0].to[0]: 7343 is a whole number, not an object" },
    { TO("[{\"host\": 1}]"),
      "replicate[0].to[0].host: 1 is a whole number, not a string" },
    { TO("[{\"port\": \"1\"}]"),
      "replicate[0].to[0].port: \"1\" is a string, not " A_PORT },
    { TO("[{\"source\": false}]"),
      "replicate[0].to[0].source: false is false, not a string" },
    { TO("[{\"tunnel\": null}]"),
      "replicate[0].to[0].tunnel: null is null, not a string" },
    { TO("[{\"out_port\": 1}]"),
      "replicate[0].to[0].out_port: 1 is a whole number, not a string" },
    { TO("[{\"mac\": []}]"),
      "replicate[0].to[0].mac: [] is an array, not a string" },

    /* Keys. */
    { RULE("\"ports\": 1"),
      "replicate[0].ports: unknown key; the nearest known one is \"port\"" },
    { RULE("\"inport\": 1"),
      "replicate[0].inport: unknown key; the nearest known one is "
      "\"in_port\"" },
    { RULE("\"names\": 1"),
      "replicate[0].names: unknown key; the nearest known one is \"name\"" },
    { RULE("\"form\": 1"),
      "replicate[0].form: unknown key; the nearest known one is \"*" },
    { RULE("\"destinations\": 1"),
      "replicate[0].destinations: unknown key; the nearest known one is "
      "\"destination\"" },
    { RULE("\"spreads\": 1"),
      "replicate[0].spreads: unknown key; the nearest known one is "
      "\"spread\"" },
    { RULE("\"tunnels\": 1"),
      "replicate[0].tunnels: unknown key; the nearest known one is "
      "\"tunnel\"" },
    { RULE("\"remotes\": 1"),
      "replicate[0].remotes: unknown key; the nearest known one is "
      "\"remote\"" },
    { TO("[{\"hosts\": 1}]"),
      "replicate[0].to[0].hosts: unknown key; the nearest known one is "
      "\"host\"" },
    { TO("[{\"sources\": 1}]"),
      "replicate[0].to[0].sources: unknown key; the nearest known one is "
      "\"source\"" },
    { TO("[{\"outport\": 1}]"),
      "replicate[0].to[0].outport: unknown key; the nearest known one is "
      "\"out_port\"" },
    { TO("[{\"macs\": 1}]"),
      "replicate[0].to[0].macs: unknown key; the nearest known one is "
      "\"mac\"" },
};

/* What is wrong with the rules as a whole, which is found out when it is not
 * known any more where they are from. */
static const struct wrong_text wrong_whole_rules[] = {
    { BARE(""), "replicate[0]: \"port\" is missing" },
    { BARE("\"port\": 9"), "replicate[0]: \"to\" is missing or empty" },
    { TO("[]"), "replicate[0]: \"to\" is missing or empty" },
    { TO("[{\"port\": 8}, {}]"),
      "replicate[0].to[1]: neither \"host\" nor \"port\" is given" },
    { TO("[{\"host\": \"a\", \"out_port\": \"eth1\"}]"),
      "replicate[0].to[0]: \"out_port\" and \"mac\" go together, for a "
      "\"host\" without \"tunnel\"" },
    { RULE("\"tunnel\": \"gre\""),
      "replicate[0]: \"tunnel\" and \"remote\" go together: the kind of "
      "tunnel, and the switch at its other end" },
    { RULE("\"from\": \"::/0\", \"destination\": \"10.1.0.1\""),
      "replicate[0]: \"from\" and \"destination\" are of different IP "
      "versions" },
    { "{\"replicate\": [{\"port\": 9, \"to\": [{\"port\": 8}]},"
      " {\"port\": 9, \"to\": [{\"port\": 7}]}]}",
      "replicate[1].name: \"port-9\" is the name of a rule before it" },
};

static void
assert_text_errors(const struct wrong_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_text_error(texts[i].text, texts[i].message);
    }
}

static void
test_wrong_values_in_the_file(void **state OVS_UNUSED)
{
    assert_text_errors(wrong_values, ARRAY_SIZE(wrong_values));
}

static void
test_wrong_types_in_the_file(void **state OVS_UNUSED)
{
    assert_text_errors(wrong_types, ARRAY_SIZE(wrong_types));
}

static void
test_unknown_keys(void **state OVS_UNUSED)
{
    assert_text_errors(unknown_keys, ARRAY_SIZE(unknown_keys));
}

static void
test_wrong_rules_in_the_file(void **state OVS_UNUSED)
{
    struct options o = { .config_file = config_file };

    assert_text_errors(wrong_rules, ARRAY_SIZE(wrong_rules));
    for (size_t i = 0; i < ARRAY_SIZE(wrong_whole_rules); i++) {
        const struct wrong_text *w = &wrong_whole_rules[i];

        write_bytes(w->text, strlen(w->text));
        assert_load_error(&o, w->message);
    }
}

/* Appends to 's' an array called 'name' of the 'n' texts that 'format' makes
 * of the numbers from 0 on. */
static void OVS_PRINTF_FORMAT(4, 0)
    put_array(struct ds *s, const char *name, size_t n, const char *format)
{
    ds_put_format(s, "\"%s\": [", name);
    for (size_t i = 0; i < n; i++) {
        ds_put_cstr(s, i ? ", " : "");
        ds_put_format(s, format, (int) i + 1);
    }
    ds_put_cstr(s, "]");
}

/* Arrays that are as long as they may be, and one longer. */
static void
test_too_many(void **state OVS_UNUSED)
{
    static const struct {
        const char *object, *array, *format;
        size_t max;
        const char *message;
    } arrays[] = {
        { "relay", "ports", "%d", CONFIG_MAX_PORTS,
          "relay.ports[64]: more than 64 ports" },
        { "mesh", "peers", "\"relay-%d\"", CONFIG_MAX_PEERS,
          "mesh.peers[4096]: more than 4096 of them" },
        { "mesh", "discover", "\"relays-%d\"", CONFIG_MAX_PEERS,
          "mesh.discover[4096]: more than 4096 of them" },
        { "mesh", "accept", "\"::%d\"", CONFIG_MAX_ACCEPT,
          "mesh.accept[256]: more than 256 subnets" },
        { "segment", "local_macs", "\"02:00:00:00:00:%02x\"",
          CONFIG_MAX_LOCAL_MACS,
          "segment.local_macs[64]: more than 64 MAC addresses" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(arrays); i++) {
        for (size_t more = 0; more < 2; more++) {
            struct ds s = DS_EMPTY_INITIALIZER;

            ds_put_format(&s, "{\"%s\": {", arrays[i].object);
            put_array(&s, arrays[i].array, arrays[i].max + more,
                      arrays[i].format);
            ds_put_cstr(&s, "}}");
            if (more) {
                assert_text_error(ds_cstr(&s), arrays[i].message);
            } else {
                config_destroy(load_text(ds_cstr(&s)));
            }
            ds_destroy(&s);
        }
    }
}

/* The same of rules. */
static void
test_too_many_rules(void **state OVS_UNUSED)
{
    static const struct {
        const char *before, *array, *format, *after;
        int max;
        const char *message;
    } arrays[] = {
        { "{", "replicate", "{\"port\": %d, \"to\": [{\"port\": 99}]}", "}",
          RULE_MAX, "replicate[64]: more than 64 rules" },
        { "{\"replicate\": [{\"port\": 9, \"to\": [{\"port\": 8}], ", "from",
          "\"10.0.%d.0/24\"", "}]}", 255, NULL },
        { "{\"replicate\": [{\"port\": 9, \"to\": [{\"port\": 8}], ", "from",
          "\"::%x\"", "}]}", RULE_MAX_FROM,
          "replicate[0].from[256]: more than 256 subnets" },
        { "{\"replicate\": [{\"port\": 9, ", "to", "{\"port\": %d}", "}]}",
          RULE_MAX_COLLECTORS,
          "replicate[0].to[64]: more than 64 collectors" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(arrays); i++) {
        for (int more = 0; more < (arrays[i].message ? 2 : 1); more++) {
            struct ds s = DS_EMPTY_INITIALIZER;

            ds_put_cstr(&s, arrays[i].before);
            put_array(&s, arrays[i].array, arrays[i].max + more,
                      arrays[i].format);
            ds_put_cstr(&s, arrays[i].after);
            if (more) {
                assert_text_error(ds_cstr(&s), arrays[i].message);
            } else {
                config_destroy(load_text(ds_cstr(&s)));
            }
            ds_destroy(&s);
        }
    }
}

/* Rules take the place of those before. */
static void
test_rules_twice(void **state OVS_UNUSED)
{
    static const char text[] = RULE("\"name\": \"a\"");
    struct config *c = config_create();

    for (int i = 0; i < 2; i++) {
        assert_no_error(config_parse_json(c, text, strlen(text), "x"));
        assert_int_equal(c->replicate.n, 1);
        assert_int_equal(c->replicate.rules[0].n_collectors, 1);
    }
    config_destroy(c);
}

/* Who only replicates relays nothing, but who has anybody to relay to, or says
 * what to relay, does. */
static void
test_what_is_relayed_with_rules(void **state OVS_UNUSED)
{
#define WITH_RULE(TEXT)                                                       \
    "{\"replicate\": [{\"port\": 9, \"to\": [{\"port\": 8}]}]" TEXT "}"
    static const struct {
        const char *text;
        const char *service; /* Value of SERVICENAME. */
        const char *relay;   /* Value of --other-relays, NULL for none. */
        size_t n_ports;
    } all[] = {
        { WITH_RULE(""), "", NULL, 0 },
        { WITH_RULE(", \"mesh\": {\"peers\": [], \"discover\": []}"), "", NULL,
          0 },
        { WITH_RULE(", \"mesh\": {\"peers\": [\"a\"]}"), "", NULL, 1 },
        { WITH_RULE(", \"mesh\": {\"discover\": [\"a\"]}"), "", NULL, 1 },
        { WITH_RULE(", \"relay\": {\"ports\": [1, 2]}"), "", NULL, 2 },
        { WITH_RULE(", \"relay\": {\"ports\": []}"), "", NULL, 0 },
        { WITH_RULE(""), "relay", NULL, 1 },
        { WITH_RULE(""), "", "a", 1 },
        { "{\"mesh\": {\"discover\": [\"a\"]}}", "", NULL, 1 },
        { "{}", "", NULL, 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct options o = { .config_file = config_file };

        write_bytes(all[i].text, strlen(all[i].text));
        setenv("SERVICENAME", all[i].service, true);
        if (all[i].relay) {
            svec_add(&o.other_relays, all[i].relay);
        }
        struct config *c = load(&o);
        assert_int_equal(c->n_ports, all[i].n_ports);
        config_destroy(c);
        svec_destroy(&o.other_relays);
    }
}

/* Rules need room below and above the relay's flows. */
static void
test_flow_priority_with_rules(void **state OVS_UNUSED)
{
    static const struct {
        int priority;
        bool right; /* With rules. */
    } priorities[] = {
        { 1, false },    { 200, false },   { 201, true },
        { 65394, true }, { 65395, false }, { 65533, false },
    };
    struct options o = { .config_file = config_file };

    for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
        for (int n = 0; n < 2; n++) {
            char *text = xasprintf(
                "{\"relay\": {\"flow_priority\": %d}, \"replicate\": [%s]}",
                priorities[i].priority,
                n ? "{\"port\": 9, \"from\": [\"fd00::1\"],"
                    " \"destination\": \"fd00::2\", \"in_port\": \"eth1\","
                    " \"to\": [{\"port\": 8}]},"
                    "{\"port\": 10, \"tunnel\": \"gre\", \"remote\": \"a\","
                    " \"from\": \"fd00::1\", \"destination\": \"fd00::2\","
                    " \"to\": [{\"port\": 8}]}"
                  : "");

            if (n && !priorities[i].right) {
                char *message =
                    xasprintf("relay.flow_priority: %d is not from 201 to "
                              "65394, which leaves room for the flows of "
                              "\"replicate\"",
                              priorities[i].priority);

                write_bytes(text, strlen(text));
                assert_load_error(&o, message);
                free(message);
            } else {
                config_destroy(load_text(text));
            }
            free(text);
        }
    }
}

/* The VNI that replication's tunnels have is none for the mesh's. */
static void
test_the_vni_of_replication(void **state OVS_UNUSED)
{
    static const char *const transports[] = { "udp", "vxlan", "geneve" };
    struct options o = { .config_file = config_file };

    for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
        for (int vni = 5459534; vni <= 5459536; vni++) {
            char *text = xasprintf("{\"mesh\": {\"transport\": \"%s\", "
                                   "\"vni\": %d}}",
                                   transports[i], vni);

            if (i && vni == 5459535) {
                write_bytes(text, strlen(text));
                assert_load_error(&o, "mesh.vni: 5459535 is that of the "
                                      "tunnels of \"replicate\"");
            } else {
                config_destroy(load_text(text));
            }
            free(text);
        }
    }
}

/* The flows of the mesh's tunnel need room above the relay's others. */
static void
test_flow_priority_with_a_tunnel(void **state OVS_UNUSED)
{
    static const char *const transports[] = { "udp", "vxlan", "geneve" };
    static const int priorities[] = { 1, 65526, 65527, 65533 };
    struct options o = { .config_file = config_file };

    for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(priorities); j++) {
            char *text = xasprintf("{\"relay\": {\"flow_priority\": %d}, "
                                   "\"mesh\": {\"transport\": \"%s\"}}",
                                   priorities[j], transports[i]);

            if (i && priorities[j] > 65526) {
                char *message = xasprintf(
                    "relay.flow_priority: %d is not from 1 to 65526, which "
                    "leaves room for the flows of mesh.transport \"%s\"",
                    priorities[j], transports[i]);

                write_bytes(text, strlen(text));
                assert_load_error(&o, message);
                free(message);
            } else {
                config_destroy(load_text(text));
            }
            free(text);
        }
    }
}

/* The switch has no such filter, but it has subnets. */
static void
test_filter_with_a_tunnel(void **state OVS_UNUSED)
{
    const struct options o = { .config_file = config_file };
    const char *text = "{\"relay\": {\"filter\": \"udp\"},"
                       " \"mesh\": {\"transport\": \"geneve\"}}";

    write_bytes(text, strlen(text));
    assert_load_error(&o, "relay.filter: with mesh.transport \"geneve\" the "
                          "switch carries the frames and has no such filter; "
                          "relay.from is one that it has");
    config_destroy(load_text("{\"relay\": {\"from\": \"10.0.0.0/8\"},"
                             " \"mesh\": {\"transport\": \"geneve\"}}"));
}

static void
test_transport_and_vni(void **state OVS_UNUSED)
{
    struct config *c = load_text("{}");

    assert_false(c->tunneled);
    assert_string_equal(config_transport(c), "udp");
    assert_int_equal(c->vni, 0x534e4d);
    config_destroy(c);

    c = load_text(MESH("\"transport\": \"udp\", \"vni\": 1"));
    assert_false(c->tunneled);
    assert_int_equal(c->vni, 1);
    config_destroy(c);

    c = load_text(MESH("\"transport\": \"vxlan\", \"vni\": 16777215"));
    assert_true(c->tunneled);
    assert_int_equal(c->tunnel_type, TUNNEL_VXLAN);
    assert_string_equal(config_transport(c), "vxlan");
    assert_int_equal(c->vni, 16777215);
    config_destroy(c);

    c = load_text(MESH("\"transport\": \"geneve\""));
    assert_true(c->tunneled);
    assert_int_equal(c->tunnel_type, TUNNEL_GENEVE);
    assert_string_equal(config_transport(c), "geneve");
    config_destroy(c);

    /* The last word counts, in all of it. */
    c = config_create();
    assert_no_error(config_set_transport(c, "here", "geneve"));
    assert_no_error(config_set_transport(c, "here", "udp"));
    assert_false(c->tunneled);
    assert_string_equal(config_transport(c), "udp");
    config_destroy(c);
}

/* What each value may be at most and at least, the flows that come of it
 * included. */
static void
test_limits(void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        "{\"bridge\": \"br-abcdefghijkl\"}",
        "{\"id_base\": 1}",
        "{\"id_base\": 4294897664}",
        RELAY("\"ports\": [1, 65535]"),
        RELAY("\"ports\": []"),
        RELAY("\"max_pps\": 1"),
        RELAY("\"max_pps\": 10000000"),
        RELAY("\"flow_priority\": 1"),
        RELAY("\"flow_priority\": 65533"),
        RELAY("\"local_mac\": \"auto\""),
        "{\"segment\": {}}",
        SEGMENT("\"election\": true"),
        SEGMENT("\"election\": false"),
        SEGMENT("\"priority\": 1"),
        SEGMENT("\"priority\": 255"),
        SEGMENT("\"hello_ms\": 50"),
        SEGMENT("\"hello_ms\": 10000, \"dead_ms\": 60000"),
        SEGMENT("\"hello_ms\": 50, \"dead_ms\": 150"),
        SEGMENT("\"dead_ms\": 60000"),
        SEGMENT("\"local_macs\": []"),
        SEGMENT("\"local_macs\": [\"00:00:00:00:00:01\","
                " \"fe:ff:ff:ff:ff:ff\", \"00:00:00:00:00:01\"]"),
        MESH("\"port\": 1"),
        MESH("\"port\": 65535"),
        MESH("\"address\": \"::\""),
        MESH("\"peers\": [], \"discover\": [], \"accept\": []"),
        MESH("\"relay_id\": \"auto\""),
        MESH("\"relay_id\": \"0000000000000001\""),
        MESH("\"relay_id\": \"ffffffffffffffff\""),
        MESH("\"hello_ms\": 100"),
        MESH("\"hello_ms\": 60000"),
        MESH("\"transport\": \"vxlan\", \"address\": \"::\""),
        MESH("\"transport\": \"geneve\", \"address\": \"0.0.0.0\""),
        MESH("\"transport\": \"vxlan\", \"address\": \"192.0.2.1\""),
        MESH("\"transport\": \"vxlan\", \"address\": \"fd30::1\""),
        "{}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        config_destroy(load_text(texts[i]));
    }
}

/* One announcement may be lost, and the next one late: whatever of the two is
 * given, and in whatever order, by default or with the election off. */
static void
test_times_of_the_segment(void **state OVS_UNUSED)
{
    static const struct {
        const char *text;
        const char *message; /* NULL if it is right. */
    } all[] = {
        { SEGMENT("\"hello_ms\": 233"), NULL },
        { SEGMENT("\"hello_ms\": 234"),
          "segment.dead_ms: 700 is less than 3 times segment.hello_ms, which "
          "is 234" },
        { SEGMENT("\"dead_ms\": 600"), NULL },
        { SEGMENT("\"dead_ms\": 599"),
          "segment.dead_ms: 599 is less than 3 times segment.hello_ms, which "
          "is 200" },
        { SEGMENT("\"dead_ms\": 30000, \"hello_ms\": 10000"), NULL },
        { SEGMENT("\"hello_ms\": 10000, \"dead_ms\": 29999"),
          "segment.dead_ms: 29999 is less than 3 times segment.hello_ms, "
          "which is 10000" },
        { SEGMENT("\"dead_ms\": 150, \"election\": false"),
          "segment.dead_ms: 150 is less than 3 times segment.hello_ms, which "
          "is 200" },
    };
    struct options o = { .config_file = config_file };

    assert_int_equal(CONFIG_MIN_HELLOS, 3);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (all[i].message) {
            write_bytes(all[i].text, strlen(all[i].text));
            assert_load_error(&o, all[i].message);
        } else {
            config_destroy(load_text(all[i].text));
        }
    }
}

/* Actions that are actions, but not in the flows of ours, whose ports may be
 * given later. */
static void
test_forward_that_does_not_fit_the_flows(void **state OVS_UNUSED)
{
    static const struct {
        const char *forward;
        const char *text;
    } misfits[] = {
        { "set_field:80->tcp_dst,NORMAL",
          RELAY("\"forward\": \"set_field:80->tcp_dst,NORMAL\"") },
        { "set_field:80->tcp_dst,NORMAL",
          RELAY("\"forward\": \"set_field:80->tcp_dst,NORMAL\","
                " \"ports\": []") },
        { "drop", RELAY("\"forward\": \"drop\"") },
        { "drop", RELAY("\"forward\": \"drop\", \"ports\": []") },
    };
    struct options o = { .config_file = config_file };

    for (size_t i = 0; i < ARRAY_SIZE(misfits); i++) {
        char *message = xasprintf("relay.forward: \"%s\" cannot follow a punt "
                                  "or an emission: *",
                                  misfits[i].forward);

        write_bytes(misfits[i].text, strlen(misfits[i].text));
        assert_load_error(&o, message);
        free(message);
    }
}

/* Actions that fit broadcasts, which are IPv4, but not all copies. */
static void
test_forward_that_does_not_fit_the_rules(void **state OVS_UNUSED)
{
#define FORWARD                                                               \
    "\"relay\": {\"forward\": \"set_field:10.0.0.1->ip_dst,NORMAL\"}"
#define REPLICATE(FROM)                                                       \
    "{" FORWARD ", \"replicate\": [{\"port\": 9, \"from\": \"" FROM "\","     \
    " \"to\": [{\"port\": 8}]}]}"
    struct options o = { .config_file = config_file };

#define NO_ELECTION "\"segment\": {\"election\": false}"

    config_destroy(load_text("{" FORWARD ", " NO_ELECTION "}"));
    write_bytes("{" FORWARD "}", strlen("{" FORWARD "}"));
    assert_load_error(&o, "relay.forward: \"set_field:10.0.0.1->ip_dst,"
                          "NORMAL\" cannot follow an announcement, which is "
                          "not IP (segment.election false does without): *");

    /* Who relays nothing does not announce itself either. */
    config_destroy(load_text(RELAY(
        "\"forward\": \"set_field:10.0.0.1->ip_dst,NORMAL\", \"ports\": []")));
    config_destroy(load_text(REPLICATE("0.0.0.0/0")));
    write_bytes(REPLICATE("::/0"), strlen(REPLICATE("::/0")));
    assert_load_error(&o, "relay.forward: \"set_field:10.0.0.1->ip_dst,"
                          "NORMAL\" cannot follow a copy: *");
}

static void
test_too_many_flows_for_the_rules(void **state OVS_UNUSED)
{
    struct options o = { .config_file = config_file };
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, "{\"replicate\": [");
    for (int i = 0; i < 9; i++) {
        ds_put_format(&s,
                      "%s{\"name\": \"%d\", \"port\": 9,"
                      " \"to\": [{\"port\": 8}], ",
                      i ? "," : "", i);
        char *format = xasprintf("\"::%d:%%x\"", i);
        put_array(&s, "from", 256, format);
        free(format);
        ds_put_cstr(&s, "}");
    }
    ds_put_cstr(&s, "]}");
    write_bytes(ds_cstr(&s), s.length);
    assert_load_error(&o, "replicate: the rules take more than 4096 flows; *");
    ds_destroy(&s);
}

/* The configuration as JSON. */

/* Fails the test unless 'json', given as a file, is what comes out again. */
static void
assert_comes_out_again(const char *json)
{
    struct config *c = load_text(json);
    char *again = config_to_json(c);

    assert_string_equal(again, json);
    free(again);
    config_destroy(c);
}

static void
test_json_of_defaults(void **state OVS_UNUSED)
{
    struct options o = { 0 };
    struct config *c = load(&o);
    char *json = config_to_json(c);

    assert_string_equal(json, "{\n"
                              "  \"bridge\": \"br0\",\n"
                              "  \"id_base\": 5459456,\n"
                              "  \"relay\": {\n"
                              "    \"ports\": [\n"
                              "      5076\n"
                              "    ],\n"
                              "    \"destination\": \"auto\",\n"
                              "    \"local_mac\": \"auto\",\n"
                              "    \"max_pps\": 10000,\n"
                              "    \"flow_priority\": 20000,\n"
                              "    \"forward\": \"NORMAL\"\n"
                              "  },\n"
                              "  \"segment\": {\n"
                              "    \"election\": true,\n"
                              "    \"priority\": 100,\n"
                              "    \"hello_ms\": 200,\n"
                              "    \"dead_ms\": 700,\n"
                              "    \"local_macs\": []\n"
                              "  },\n"
                              "  \"mesh\": {\n"
                              "    \"address\": \"0.0.0.0\",\n"
                              "    \"port\": 7124,\n"
                              "    \"peers\": [],\n"
                              "    \"discover\": [],\n"
                              "    \"accept\": [],\n"
                              "    \"relay_id\": \"auto\",\n"
                              "    \"hello_ms\": 1000,\n"
                              "    \"max_pps\": 10000,\n"
                              "    \"transport\": \"udp\",\n"
                              "    \"vni\": 5459533\n"
                              "  },\n"
                              "  \"replicate\": []\n"
                              "}");
    assert_comes_out_again(json);
    free(json);
    config_destroy(c);
}

/* With no value what it is by default, so that none can be lost. */
static void
test_json_round_trip(void **state OVS_UNUSED)
{
    static const char *const destinations[] = { "auto", "keep", "limited" };

    for (size_t i = 0; i < ARRAY_SIZE(destinations); i++) {
        struct ds text = DS_EMPTY_INITIALIZER;

        ds_put_format(&text,
                      "{\n"
                      "  \"bridge\": \"br-lab\",\n"
                      "  \"id_base\": 4294897664,\n"
                      "  \"relay\": {\n"
                      "    \"ports\": [\n"
                      "      5064,\n"
                      "      65535\n"
                      "    ],\n"
                      "    \"destination\": \"%s\",\n"
                      "    \"local_mac\": \"02:00:00:00:0a:0b\",\n"
                      "    \"max_pps\": 10000000,\n"
                      "    \"flow_priority\": 65526,\n"
                      "    \"forward\": \"resubmit(,10)\"\n"
                      "  },\n"
                      "  \"segment\": {\n"
                      "    \"election\": false,\n"
                      "    \"priority\": 255,\n"
                      "    \"hello_ms\": 50,\n"
                      "    \"dead_ms\": 60000,\n"
                      "    \"local_macs\": [\n"
                      "      \"02:00:00:00:0a:0c\",\n"
                      "      \"02:00:00:00:0a:0d\"\n"
                      "    ]\n"
                      "  },\n"
                      "  \"mesh\": {\n"
                      "    \"address\": \"2001:db8::1\",\n"
                      "    \"port\": 65534,\n"
                      "    \"peers\": [\n"
                      "      \"relay-b\",\n"
                      "      \"[2001:db8::2]:7000\"\n"
                      "    ],\n"
                      "    \"discover\": [\n"
                      "      \"relays:7001\",\n"
                      "      \"_snowrelay._udp.example.org\"\n"
                      "    ],\n"
                      "    \"accept\": [\n"
                      "      \"10.0.0.0/8\",\n"
                      "      \"2001:db8::/32\"\n"
                      "    ],\n"
                      "    \"relay_id\": \"00ffffffffffffff\",\n"
                      "    \"hello_ms\": 100,\n"
                      "    \"max_pps\": 250000,\n"
                      "    \"transport\": \"geneve\",\n"
                      "    \"vni\": 16777215\n"
                      "  },\n"
                      "  \"replicate\": []\n"
                      "}",
                      destinations[i]);
        assert_comes_out_again(ds_cstr(&text));
        ds_destroy(&text);
    }
}

/* Whatever a rule can have comes out again, and gives the same once more. */
static void
test_json_round_trip_of_rules(void **state OVS_UNUSED)
{
    static const char *const rules[] = {
        "    {\n"
        "      \"name\": \"a\",\n"
        "      \"port\": 6343,\n"
        "      \"from\": [\n"
        "        \"10.0.0.0/8\",\n"
        "        \"fd00::1/8\"\n"
        "      ],\n"
        "      \"destination\": \"10.1.0.1\",\n"
        "      \"in_port\": \"eth1\",\n"
        "      \"spread\": \"source\",\n"
        "      \"to\": [\n"
        "        {\n"
        "          \"port\": 7343\n"
        "        },\n"
        "        {\n"
        "          \"host\": \"collector\",\n"
        "          \"port\": 6344,\n"
        "          \"source\": \"rewrite\"\n"
        "        },\n"
        "        {\n"
        "          \"host\": \"2001:db8::1\",\n"
        "          \"port\": 6343,\n"
        "          \"source\": \"keep\"\n"
        "        },\n"
        "        {\n"
        "          \"host\": \"10.1.0.12\",\n"
        "          \"port\": 6343,\n"
        "          \"source\": \"rewrite\",\n"
        "          \"out_port\": \"eth2\",\n"
        "          \"mac\": \"02:00:00:00:0a:0b\"\n"
        "        },\n"
        "        {\n"
        "          \"host\": \"172.30.0.2\",\n"
        "          \"tunnel\": \"geneve\"\n"
        "        }\n"
        "      ]\n"
        "    }",
        "    {\n"
        "      \"name\": \"b/'%s\",\n"
        "      \"port\": 65535,\n"
        "      \"destination\": \"2001:db8::1\",\n"
        "      \"tunnel\": \"gre\",\n"
        "      \"remote\": \"switch-b\",\n"
        "      \"to\": [\n"
        "        {\n"
        "          \"port\": 1\n"
        "        }\n"
        "      ]\n"
        "    }",
    };
    struct options o = { 0 };
    struct config *c = load(&o);
    char *defaults = config_to_json(c);
    const char *end = "\"replicate\": []\n}";

    assert_string_equal(defaults + strlen(defaults) - strlen(end), end);
    char *text = xasprintf("%.*s\"replicate\": [\n%s,\n%s\n  ]\n}",
                           (int) (strlen(defaults) - strlen(end)), defaults,
                           rules[0], rules[1]);
    assert_comes_out_again(text);
    free(text);
    free(defaults);
    config_destroy(c);
}

/* What is short comes out in full. */
static void
test_json_of_short_rules(void **state OVS_UNUSED)
{
    struct config *c =
        load_text("{\"replicate\": [{\"port\": 9, \"from\": \"10.0.0.0/8\","
                  " \"to\": [{\"host\": \"[2001:db8::1]\"},"
                  " {\"host\": \"a\", \"mac\": \"2:0:0:0:A:B\","
                  " \"out_port\": \"eth1\"},"
                  " {\"port\": 8, \"source\": \"keep\"}]}]}");
    char *json = config_to_json(c);
    const char *rules = strstr(json, "\"replicate\"");

    assert_string_equal(rules, "\"replicate\": [\n"
                               "    {\n"
                               "      \"name\": \"port-9\",\n"
                               "      \"port\": 9,\n"
                               "      \"from\": [\n"
                               "        \"10.0.0.0/8\"\n"
                               "      ],\n"
                               "      \"to\": [\n"
                               "        {\n"
                               "          \"host\": \"2001:db8::1\",\n"
                               "          \"port\": 9,\n"
                               "          \"source\": \"rewrite\"\n"
                               "        },\n"
                               "        {\n"
                               "          \"host\": \"a\",\n"
                               "          \"port\": 9,\n"
                               "          \"source\": \"rewrite\",\n"
                               "          \"out_port\": \"eth1\",\n"
                               "          \"mac\": \"02:00:00:00:0a:0b\"\n"
                               "        },\n"
                               "        {\n"
                               "          \"port\": 8\n"
                               "        }\n"
                               "      ]\n"
                               "    }\n"
                               "  ]\n"
                               "}");
    assert_comes_out_again(json);
    free(json);
    config_destroy(c);
}

/* All digits are printed, in lower case. */
static void
test_json_of_relay_ids(void **state OVS_UNUSED)
{
    static const struct {
        const char *text;
        uint64_t id;
        const char *printed;
    } all[] = {
        { "0000000000000001", 1, "0000000000000001" },
        { "0123456789abcdef", 0x0123456789abcdef, "0123456789abcdef" },
        { "FEDCBA9876543210", 0xfedcba9876543210, "fedcba9876543210" },
        { "ffffffffffffffff", UINT64_MAX, "ffffffffffffffff" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct config *c = config_create();

        assert_no_error(config_set_relay_id(c, "x", all[i].text));
        assert_false(c->relay_id_auto);
        assert_true(c->relay_id == all[i].id);

        char *expected = xasprintf("\"relay_id\": \"%s\"", all[i].printed);
        char *json = config_to_json(c);
        assert_non_null(strstr(json, expected));
        free(json);
        free(expected);

        assert_no_error(config_set_relay_id(c, "x", "auto"));
        assert_true(c->relay_id_auto);
        config_destroy(c);
    }
}

/* However they are written. */
static void
test_json_of_other_relays_macs(void **state OVS_UNUSED)
{
    struct config *c = config_create();

    assert_no_error(config_add_other(c, "x", "2:0:0:0:A:C"));
    assert_no_error(config_add_other(c, "x", "FE:DC:BA:98:76:54"));
    assert_int_equal(c->n_others, 2);
    char *json = config_to_json(c);
    assert_non_null(strstr(json, "    \"local_macs\": [\n"
                                 "      \"02:00:00:00:0a:0c\",\n"
                                 "      \"fe:dc:ba:98:76:54\"\n"
                                 "    ]\n"));
    free(json);
    config_destroy(c);
}

/* A wrong value leaves the others as they were. */
static void
test_a_refused_value_changes_nothing(void **state OVS_UNUSED)
{
    struct config *c =
        load_text(RELAY("\"forward\": \"resubmit(,10)\", "
                        "\"local_mac\": \"02:00:00:00:0a:0b\""));

    assert_no_error(config_add_discover(c, "x", "relays"));
    char *before = config_to_json(c);

    assert_error(config_set_bridge(c, "x", ""), "x: \"\" " NOT_A_BRIDGE);
    assert_error(config_set_forward(c, "x", "up"),
                 "x: \"up\" " NOT_ACTIONS "*");
    assert_error(config_set_destination(c, "x", "up"),
                 "x: \"up\" is none of auto, keep, limited");
    assert_error(config_set_local_mac(c, "x", "01:00:5e:00:00:01"),
                 "x: \"01:00:5e:00:00:01\" " NOT_A_MAC);
    assert_error(config_set_local_mac(c, "x", "up"), "x: \"up\" " NOT_A_MAC);
    assert_error(config_add_other(c, "x", "up"),
                 "x: \"up\" " NOT_ONE_CARDS_MAC);
    assert_error(config_set_mesh_address(c, "x", "up"),
                 "x: \"up\" is not an IPv4 or IPv6 address");
    assert_error(config_add_peer(c, "x", ":"), "x: \":\" " NOT_A_HOST_PORT);
    assert_error(config_add_accept(c, "x", "up"), "x: \"up\" " NOT_A_SUBNET);
    assert_error(config_set_port(c, "x", "up"), "x: \"up\" " NOT_A_PORT);
    assert_error(config_add_discover(c, "x", "::"),
                 "x: \"::\" " NOT_A_NAME_BUT_AN_ADDRESS);
    assert_error(config_set_service(c, "x", "a:1"),
                 "x: \"a:1\" is not the name of a service");
    assert_error(config_set_service(c, "x", "a b"),
                 "x: \"a b\" is not the name of a service");
    assert_error(config_set_relay_id(c, "x", "up"), "x: \"up\" " NOT_AN_ID);

    assert_no_error(config_set_relay_id(c, "x", "0000000000000007"));
    free(before);
    before = config_to_json(c);
    assert_error(config_set_relay_id(c, "x", "0000000000000000"),
                 "x: \"0000000000000000\" " NOT_AN_ID);

    char *after = config_to_json(c);
    assert_string_equal(before, after);
    free(before);
    free(after);
    config_destroy(c);
}

int
main(void)
{
    /* libopenvswitch warns of wrong actions besides saying so in its error. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, clear, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_file),
        TEST(test_from_filter_http_and_inspect),
        TEST(test_precedence),
        TEST(test_precedence_of_the_file_itself),
        TEST(test_other_relays_replace_the_files),
        TEST(test_other_relays_leave_discovery_alone),
        TEST(test_service_name),
        TEST(test_service_name_replaces_the_files),
        TEST(test_switch),
        TEST(test_database),
        TEST(test_wrong_options_and_variables),
        TEST(test_empty_options),
        TEST(test_wrong_other_relays),
        TEST(test_wrong_service_names),
        TEST(test_same_port_for_broadcasts_and_mesh),
        TEST(test_unreadable_files),
        TEST(test_invalid_json),
        TEST(test_deep_nesting),
        TEST(test_long_values),
        TEST(test_pipes),
        TEST(test_wrong_values_in_the_file),
        TEST(test_wrong_types_in_the_file),
        TEST(test_unknown_keys),
        TEST(test_wrong_rules_in_the_file),
        TEST(test_too_many),
        TEST(test_too_many_rules),
        TEST(test_rules_twice),
        TEST(test_what_is_relayed_with_rules),
        TEST(test_flow_priority_with_rules),
        TEST(test_the_vni_of_replication),
        TEST(test_flow_priority_with_a_tunnel),
        TEST(test_filter_with_a_tunnel),
        TEST(test_transport_and_vni),
        TEST(test_limits),
        TEST(test_times_of_the_segment),
        TEST(test_forward_that_does_not_fit_the_flows),
        TEST(test_forward_that_does_not_fit_the_rules),
        TEST(test_too_many_flows_for_the_rules),
        TEST(test_json_of_defaults),
        TEST(test_json_round_trip),
        TEST(test_json_round_trip_of_rules),
        TEST(test_json_of_short_rules),
        TEST(test_json_of_relay_ids),
        TEST(test_json_of_other_relays_macs),
        TEST(test_a_refused_value_changes_nothing),
    };
    return cmocka_run_group_tests_name("configuration", tests, enter_directory,
                                       leave_directory);
}
