/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "conf-file.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "announcement.h"
#include "conf.h"
#include "hello.h"
#include "openvswitch/util.h"
#include "util.h"

/* A key of an object of the file and who takes its value: one of these. */
struct key {
    const char *name;

    /* Takes a string; or each string of an array. */
    char *(*text)(struct config *, const char *path, const char *text);
    char *(*texts)(struct config *, const char *path, const char *text);

    /* Takes anything else. */
    char *(*value)(struct config *, const char *path, const json_t *value);
};

static const char *
type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "a whole number";
    case JSON_REAL: return "a number with a fraction";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    OVS_NOT_REACHED();
}

/* Returns what is wrong with 'value', found at 'path', which should have been
 * 'wanted', such as "a string". */
static char *
type_error(const char *path, const json_t *value, const char *wanted)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    char *error =
        xasprintf("%s: %.40s%s is %s, not %s", path, text,
                  strlen(text) > 40 ? "..." : "", type_name(value), wanted);
    free(text);
    return error;
}

/* Stores the whole number 'value', which must be from 'min' to 'max', in
 * '*result'. */
static char *
get_integer(const char *path, const json_t *value, int64_t min, int64_t max,
            int64_t *result)
{
    if (!json_is_integer(value)) {
        char *wanted =
            xasprintf("a whole number from %" PRId64 " to %" PRId64, min, max);
        char *error = type_error(path, value, wanted);
        free(wanted);
        return error;
    }
    *result = json_integer_value(value);
    if (*result < min || *result > max) {
        return xasprintf("%s: %" PRId64 " is not from %" PRId64 " to %" PRId64,
                         path, *result, min, max);
    }
    return NULL;
}

/* Gives the string 'value' to 'set'. */
static char *
give_string(struct config *c, const char *path, const json_t *value,
            char *(*set)(struct config *, const char *, const char *) )
{
    return (json_is_string(value) ? set(c, path, json_string_value(value))
                                  : type_error(path, value, "a string"));
}

/* Gives each element of the array 'value' to 'set'. */
static char *
give_elements(struct config *c, const char *path, const json_t *value,
              char *(*set)(struct config *, const char *, const json_t *) )
{
    char *error = NULL;

    if (!json_is_array(value)) {
        return type_error(path, value, "an array");
    }
    for (size_t i = 0; !error && i < json_array_size(value); i++) {
        char *element = xasprintf("%s[%" PRIuSIZE "]", path, i);
        error = set(c, element, json_array_get(value, i));
        free(element);
    }
    return error;
}

/* Gives each string of the array 'value' to 'set'. */
static char *
give_strings(struct config *c, const char *path, const json_t *value,
             char *(*set)(struct config *, const char *, const char *) )
{
    char *error = NULL;

    if (!json_is_array(value)) {
        return type_error(path, value, "an array");
    }
    for (size_t i = 0; !error && i < json_array_size(value); i++) {
        char *element = xasprintf("%s[%" PRIuSIZE "]", path, i);
        error = give_string(c, element, json_array_get(value, i), set);
        free(element);
    }
    return error;
}

/* Gives the string 'value', a subnet, or each string of an array to 'add'. */
static char *
give_subnets(struct config *c, const char *path, const json_t *value,
             char *(*add)(struct config *, const char *, const char *) )
{
    if (json_is_array(value) && !json_array_size(value)) {
        return xasprintf("%s: [] is nobody; leave \"from\" out for everybody",
                         path);
    }
    return (json_is_string(value) ? add(c, path, json_string_value(value))
                                  : give_strings(c, path, value, add));
}

/* Gives 'value', found at 'path', to who takes the value of 'key'. */
static char *
give_value(struct config *c, const char *path, const json_t *value,
           const struct key *key)
{
    if (key->text) {
        return give_string(c, path, value, key->text);
    } else if (key->texts) {
        return give_strings(c, path, value, key->texts);
    }
    return key->value(c, path, value);
}

/* Returns how many characters must be inserted, deleted or replaced to make
 * 'b' of 'a' (Levenshtein's distance). */
static size_t
edit_distance(const char *a, const char *b)
{
    size_t length = strlen(b);
    size_t row[64];

    if (length >= ARRAY_SIZE(row)) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (; *a; a++) {
        size_t diagonal = row[0]++;

        for (size_t j = 1; j <= length; j++) {
            size_t replaced = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[length];
}

/* Returns the message for the key 'name', found at 'path', that is none of the
 * 'n' keys in 'keys'. */
static char *
unknown_key(const char *path, const char *name, const struct key keys[],
            size_t n)
{
    const char *nearest = NULL;
    size_t nearest_distance = SIZE_MAX;

    for (size_t i = 0; i < n; i++) {
        size_t distance = edit_distance(name, keys[i].name);
        if (distance < nearest_distance) {
            nearest_distance = distance;
            nearest = keys[i].name;
        }
    }
    return xasprintf("%s: unknown key; the nearest known one is \"%s\"", path,
                     nearest);
}

/* Gives each value of the object 'object', found at 'path', to the setter of
 * its key, which must be one of the 'n' in 'keys'. */
static char *
give_members(struct config *c, const char *path, const json_t *object,
             const struct key keys[], size_t n)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object)) {
        return type_error(*path ? path : "the file", object, "an object");
    }
    json_object_foreach(CONST_CAST(json_t *, object), name, value)
    {
        char *member =
            xasprintf("%s%s%s", path, *path ? "." : "", *name ? name : "\"\"");
        const struct key *key = NULL;
        char *error;

        for (size_t i = 0; i < n; i++) {
            if (!strcmp(keys[i].name, name)) {
                key = &keys[i];
            }
        }
        error = (!key ? unknown_key(member, name, keys, n)
                      : give_value(c, member, value, key));
        free(member);
        if (error) {
            return error;
        }
    }
    return NULL;
}

/* Setters. */

static char *
set_id_base(struct config *c, const char *path, const json_t *value)
{
    int64_t base = c->id_base;

    /* OpenFlow's greatest meter id, less room for ours. */
    char *error = get_integer(path, value, 1, 0xffff0000 - 4096, &base);
    c->id_base = base;
    return error;
}

/* Stores the port 'value' in '*port'. */
static char *
get_port(const char *path, const json_t *value, uint16_t *port)
{
    int64_t number = 0;
    char *error = get_integer(path, value, 1, 65535, &number);

    if (!error) {
        *port = number;
    }
    return error;
}

static char *
set_port_element(struct config *c, const char *path, const json_t *value)
{
    uint16_t port;
    char *error = get_port(path, value, &port);

    if (!error) {
        char *text = xasprintf("%u", port);
        error = config_set_port(c, path, text);
        free(text);
    }
    return error;
}

static char *
set_ports(struct config *c, const char *path, const json_t *value)
{
    config_clear_ports(c);
    return give_elements(c, path, value, set_port_element);
}

/* Stores the frames a second in 'value' in '*max_pps'. */
static char *
get_pps(const char *path, const json_t *value, uint32_t *max_pps)
{
    int64_t number = *max_pps;
    char *error = get_integer(path, value, 1, CONFIG_MAX_PPS, &number);

    *max_pps = number;
    return error;
}

static char *
set_max_pps(struct config *c, const char *path, const json_t *value)
{
    return get_pps(path, value, &c->max_pps);
}

static char *
set_mesh_max_pps(struct config *c, const char *path, const json_t *value)
{
    return get_pps(path, value, &c->mesh_max_pps);
}

static char *
set_flow_priority(struct config *c, const char *path, const json_t *value)
{
    int64_t priority = c->flow_priority;

    /* The own host's flows are two above. */
    char *error = get_integer(path, value, 1, 65535 - 2, &priority);
    c->flow_priority = priority;
    return error;
}

static char *
set_mesh_port(struct config *c, const char *path, const json_t *value)
{
    return get_port(path, value, &c->mesh.port);
}

/* Stores 'value', ms, which must be from 'min' to 'max', in '*ms'. */
static char *
get_ms(const char *path, const json_t *value, uint32_t min, uint32_t max,
       uint32_t *ms)
{
    int64_t number = *ms;
    char *error = get_integer(path, value, min, max, &number);

    *ms = number;
    return error;
}

static char *
set_hello_ms(struct config *c, const char *path, const json_t *value)
{
    return get_ms(path, value, HELLO_MIN_INTERVAL_MS, HELLO_MAX_INTERVAL_MS,
                  &c->hello_ms);
}

static char *
set_vni(struct config *c, const char *path, const json_t *value)
{
    int64_t vni = c->vni;
    char *error = get_integer(path, value, 1, HELLO_MAX_VNI, &vni);

    c->vni = vni;
    return error;
}

static char *
set_election(struct config *c, const char *path, const json_t *value)
{
    if (!json_is_boolean(value)) {
        return type_error(path, value, "true or false");
    }
    c->election = json_is_true(value);
    return NULL;
}

static char *
set_priority(struct config *c, const char *path, const json_t *value)
{
    int64_t priority = c->priority;
    char *error = get_integer(path, value, 1, UINT8_MAX, &priority);

    c->priority = priority;
    return error;
}

static char *
set_announce_ms(struct config *c, const char *path, const json_t *value)
{
    return get_ms(path, value, ANNOUNCEMENT_MIN_HELLO_MS,
                  ANNOUNCEMENT_MAX_HELLO_MS, &c->announce_ms);
}

static char *
set_dead_ms(struct config *c, const char *path, const json_t *value)
{
    return get_ms(path, value, ANNOUNCEMENT_MIN_DEAD_MS,
                  ANNOUNCEMENT_MAX_DEAD_MS, &c->dead_ms);
}

static char *
set_segment(struct config *c, const char *path, const json_t *value)
{
    static const struct key keys[] = {
        { "election", .value = set_election },
        { "priority", .value = set_priority },
        { "hello_ms", .value = set_announce_ms },
        { "dead_ms", .value = set_dead_ms },
        { "local_macs", .texts = config_add_other },
    };
    return give_members(c, path, value, keys, ARRAY_SIZE(keys));
}

static char *
set_from(struct config *c, const char *path, const json_t *value)
{
    return give_subnets(c, path, value, config_add_from);
}

static char *
set_relay(struct config *c, const char *path, const json_t *value)
{
    static const struct key keys[] = {
        { "ports", .value = set_ports },
        { "destination", .text = config_set_destination },
        { "local_mac", .text = config_set_local_mac },
        { "max_pps", .value = set_max_pps },
        { "flow_priority", .value = set_flow_priority },
        { "forward", .text = config_set_forward },
        { "from", .value = set_from },
        { "filter", .text = config_set_filter },
    };
    return give_members(c, path, value, keys, ARRAY_SIZE(keys));
}

static char *
set_mesh(struct config *c, const char *path, const json_t *value)
{
    static const struct key keys[] = {
        { "address", .text = config_set_mesh_address },
        { "port", .value = set_mesh_port },
        { "peers", .texts = config_add_peer },
        { "accept", .texts = config_add_accept },
        { "discover", .texts = config_add_discover },
        { "relay_id", .text = config_set_relay_id },
        { "hello_ms", .value = set_hello_ms },
        { "max_pps", .value = set_mesh_max_pps },
        { "key_file", .text = config_set_key_file },
        { "transport", .text = config_set_transport },
        { "vni", .value = set_vni },
    };
    return give_members(c, path, value, keys, ARRAY_SIZE(keys));
}

/* Rules.  The last one is being read, and its last collector. */

static struct rule *
last_rule(struct config *c)
{
    return &c->replicate.rules[c->replicate.n - 1];
}

static struct collector *
last_collector(struct config *c)
{
    struct rule *r = last_rule(c);

    return &r->collectors[r->n_collectors - 1];
}

static char *
set_collector_host(struct config *c, const char *path, const char *text)
{
    return collector_set_host(last_collector(c), path, text);
}

static char *
set_collector_source(struct config *c, const char *path, const char *text)
{
    return collector_set_source(last_collector(c), path, text);
}

static char *
set_collector_tunnel(struct config *c, const char *path, const char *text)
{
    return collector_set_tunnel(last_collector(c), path, text);
}

static char *
set_collector_out_port(struct config *c, const char *path, const char *text)
{
    return collector_set_out_port(last_collector(c), path, text);
}

static char *
set_collector_mac(struct config *c, const char *path, const char *text)
{
    return collector_set_mac(last_collector(c), path, text);
}

static char *
set_collector_port(struct config *c, const char *path, const json_t *value)
{
    return get_port(path, value, &last_collector(c)->port);
}

static char *
add_collector(struct config *c, const char *path, const json_t *value)
{
    static const struct key keys[] = {
        { "host", .text = set_collector_host },
        { "port", .value = set_collector_port },
        { "source", .text = set_collector_source },
        { "tunnel", .text = set_collector_tunnel },
        { "out_port", .text = set_collector_out_port },
        { "mac", .text = set_collector_mac },
    };
    if (!rule_add_collector(last_rule(c))) {
        return xasprintf("%s: more than %d collectors", path,
                         RULE_MAX_COLLECTORS);
    }
    return give_members(c, path, value, keys, ARRAY_SIZE(keys));
}

static char *
set_rule_to(struct config *c, const char *path, const json_t *value)
{
    return give_elements(c, path, value, add_collector);
}

static char *
set_rule_name(struct config *c, const char *path, const char *text)
{
    return rule_set_name(last_rule(c), path, text);
}

static char *
set_rule_port(struct config *c, const char *path, const json_t *value)
{
    return get_port(path, value, &last_rule(c)->port);
}

static char *
add_rule_from(struct config *c, const char *path, const char *text)
{
    return rule_add_from(last_rule(c), path, text);
}

static char *
set_rule_from(struct config *c, const char *path, const json_t *value)
{
    return give_subnets(c, path, value, add_rule_from);
}

static char *
set_rule_destination(struct config *c, const char *path, const char *text)
{
    return rule_set_destination(last_rule(c), path, text);
}

static char *
set_rule_in_port(struct config *c, const char *path, const char *text)
{
    return rule_set_in_port(last_rule(c), path, text);
}

static char *
set_rule_spread(struct config *c, const char *path, const char *text)
{
    return rule_set_spread(last_rule(c), path, text);
}

static char *
set_rule_tunnel(struct config *c, const char *path, const char *text)
{
    return rule_set_tunnel(last_rule(c), path, text);
}

static char *
set_rule_remote(struct config *c, const char *path, const char *text)
{
    return rule_set_remote(last_rule(c), path, text);
}

static char *
add_rule(struct config *c, const char *path, const json_t *value)
{
    static const struct key keys[] = {
        { "name", .text = set_rule_name },
        { "port", .value = set_rule_port },
        { "from", .value = set_rule_from },
        { "destination", .text = set_rule_destination },
        { "in_port", .text = set_rule_in_port },
        { "spread", .text = set_rule_spread },
        { "tunnel", .text = set_rule_tunnel },
        { "remote", .text = set_rule_remote },
        { "to", .value = set_rule_to },
    };
    if (!rules_add(&c->replicate)) {
        return xasprintf("%s: more than %d rules", path, RULE_MAX);
    }
    return give_members(c, path, value, keys, ARRAY_SIZE(keys));
}

static char *
set_replicate(struct config *c, const char *path, const json_t *value)
{
    rules_clear(&c->replicate);
    return give_elements(c, path, value, add_rule);
}

static char *
set_root(struct config *c, const json_t *root)
{
    static const struct key keys[] = {
        { "bridge", .text = config_set_bridge },
        { "id_base", .value = set_id_base },
        { "relay", .value = set_relay },
        { "segment", .value = set_segment },
        { "mesh", .value = set_mesh },
        { "replicate", .value = set_replicate },
        { "http", .text = config_set_http },
        { "inspect", .texts = config_add_inspect },
    };
    return give_members(c, "", root, keys, ARRAY_SIZE(keys));
}

/* Returns what is wrong with the 'length' bytes at 'text' of which a parser
 * would only say that they are wrong, or NULL. */
static const char *
why_no_text(const char *text, size_t length)
{
    static const char blanks[] = " \t\r\n";
    const uint8_t *bytes = (const uint8_t *) text;

    if (length >= 2
        && ((bytes[0] == 0xff && bytes[1] == 0xfe)
            || (bytes[0] == 0xfe && bytes[1] == 0xff))) {
        return "UTF-16; a configuration is in UTF-8";
    }
    if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        return "begins with a byte order mark, which UTF-8 has no need of";
    }
    for (size_t i = 0; i < length; i++) {
        if (!memchr(blanks, text[i], sizeof blanks - 1)) {
            return NULL;
        }
    }
    return "empty; the least that a configuration can be is {}";
}

char *
config_parse_json(struct config *c, const char *text, size_t length,
                  const char *name)
{
    const char *why = why_no_text(text, length);
    if (why) {
        return xasprintf("%s: %s", name, why);
    }

    json_error_t json_error;
    json_t *root =
        json_loadb(text, length, JSON_REJECT_DUPLICATES, &json_error);
    if (!root) {
        return xasprintf("%s:%d:%d: not valid JSON: %s", name, json_error.line,
                         json_error.column,
                         json_error_code(&json_error)
                                 == json_error_null_character
                             ? "\\u0000 is not allowed"
                             : json_error.text);
    }

    char *error = set_root(c, root);
    json_decref(root);
    if (error) {
        char *whole = xasprintf("%s: %s", name, error);
        free(error);
        error = whole;
    }
    return error;
}
