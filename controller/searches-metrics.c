/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "searches-metrics.h"

#include <inttypes.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "util.h"

static int64_t
count_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void
put_head(struct ds *out, const char *name, const char *type, const char *help)
{
    ds_put_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Appends 'text' as the value of the label 'name'. */
static void
put_label(struct ds *out, const char *name, const char *text)
{
    ds_put_format(out, "%s=\"", name);
    for (; text && *text; text++) {
        if (*text == '\\' || *text == '"') {
            ds_put_char(out, '\\');
        }
        ds_put_char(out, *text);
    }
    ds_put_char(out, '"');
}

/* Appends the counter 'name' of each protocol, of 'key' in 'searches'. */
static void
put_by_protocol(const json_t *searches, const char *key, const char *name,
                const char *help, struct ds *out)
{
    json_t *protocols = json_object_get(searches, key);
    const char *protocol;
    json_t *value;

    put_head(out, name, "counter", help);
    json_object_foreach(protocols, protocol, value)
    {
        ds_put_format(out, "%s{", name);
        put_label(out, "protocol", protocol);
        ds_put_format(out, "} %" PRId64 "\n",
                      (int64_t) json_integer_value(value));
    }
}

/* Appends what has no labels. */
static void
put_totals(const json_t *searches, struct ds *out)
{
    static const struct {
        const char *key, *name, *type, *help;
    } metrics[] = {
        { "datagrams", "snowrelay_search_datagrams_total", "counter",
          "Datagrams with searches." },
        { "malformed", "snowrelay_search_malformed_total", "counter",
          "Datagrams with searches that are not right." },
        { "skipped", "snowrelay_search_skipped_total", "counter",
          "Frames not looked at, or not to their end, as there was too "
          "much." },
        { "forgotten", "snowrelay_search_forgotten_total", "counter",
          "Names forgotten, as there were too many." },
        { "names", "snowrelay_search_names", "gauge", "Names remembered." },
        { "unanswered", "snowrelay_search_unanswered_names", "gauge",
          "Names that are searched for again and again." },
    };

    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
        put_head(out, metrics[i].name, metrics[i].type, metrics[i].help);
        ds_put_format(out, "%s %" PRId64 "\n", metrics[i].name,
                      count_of(searches, metrics[i].key));
    }
}

/* Appends a gauge for each of the names that come first. */
static void
put_names(const json_t *searches, struct ds *out)
{
    static const char metric[] = "snowrelay_search_name_repeats";
    const json_t *top = json_object_get(searches, "top");
    size_t n = MIN(json_array_size(top), SEARCHES_METRICS_NAMES);

    put_head(out, metric, "gauge",
             "Repeated searches for a name, of the names that are searched "
             "for again and again, or were repeated most.");
    for (size_t i = 0; i < n; i++) {
        const json_t *search = json_array_get(top, i);

        ds_put_format(out, "%s{", metric);
        put_label(out, "protocol",
                  json_string_value(json_object_get(search, "protocol")));
        ds_put_char(out, ',');
        put_label(out, "name",
                  json_string_value(json_object_get(search, "name")));
        ds_put_format(out, "} %" PRId64 "\n", count_of(search, "repeated"));
    }
}

void
searches_metrics(const json_t *searches, struct ds *out)
{
    if (!json_is_object(searches)) {
        return;
    }
    put_by_protocol(searches, "requests", "snowrelay_search_requests_total",
                    "Searches for a name.", out);
    put_by_protocol(searches, "repeated", "snowrelay_search_repeated_total",
                    "Searches for a name that the same client had searched "
                    "for before.",
                    out);
    put_totals(searches, out);
    put_names(searches, out);
}
