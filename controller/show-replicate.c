/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-replicate.h"

#include <inttypes.h>

#include "conf.h"
#include "openvswitch/dynamic-string.h"
#include "replicate.h"
#include "util.h"

/* Returns the id of the first of the groups of 'r'. */
static uint32_t
group_id(const struct config *config, const struct rule *r)
{
    return (config->id_base + r->slot
            + (rule_takes(r, false) ? 0 : VARIANT_IPV6 * RULE_MAX));
}

static void
show_collector(const struct collector *c,
               const struct collector_status *status, struct ds *out)
{
    ds_put_format(
        out, "    %-28s %-8s %12" PRIu64 " %15" PRIu64 "  %s%s\n", c->text,
        status->report.state ? status->report.state : "pending",
        status->n_packets, status->n_bytes,
        status->report.via ? status->report.via : "waiting for the switch",
        c->kind == COLLECTOR_HOST && c->keep_source ? ", source kept" : "");
    if (status->report.note) {
        ds_put_format(out, "        %s\n", status->report.note);
    }
}

char *
show_replicate(const struct config *config, const struct replicate *replicate)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    if (!config->replicate.n) {
        ds_put_cstr(&out, "no rules\n");
    }
    for (size_t i = 0; i < config->replicate.n; i++) {
        const struct rule *r = &config->replicate.rules[i];
        const char *problem = replicate_problem(replicate, i);
        char *match = rule_to_text(r);

        ds_put_format(&out, "%s: %s%s, group %" PRIu32 "\n", r->name, match,
                      r->spread ? ", each exporter to one of" : "",
                      group_id(config, r));
        free(match);
        if (problem) {
            ds_put_format(&out, "    no datagrams: %s\n", problem);
        }
        ds_put_format(&out, "    %-28s %-8s %12s %15s  %s\n", "COLLECTOR",
                      "STATE", "DATAGRAMS", "BYTES", "VIA");
        for (size_t j = 0; j < r->n_collectors; j++) {
            show_collector(&r->collectors[j],
                           replicate_collector(replicate, i, j), &out);
        }
        ds_put_format(&out, "    not copied: %" PRIu64 " IP fragments\n",
                      replicate_fragments(replicate, i));
    }
    return ds_steal_cstr(&out);
}

static json_t *
string_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *
collector_to_json(const struct collector *c,
                  const struct collector_status *status)
{
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:I, s:I}", "collector", c->text, "state",
        status->report.state ? status->report.state : "pending", "via",
        string_or_null(status->report.via), "note",
        string_or_null(status->report.note), "datagrams",
        (json_int_t) status->n_packets, "bytes", (json_int_t) status->n_bytes);
}

json_t *
replicate_to_json(const struct config *config,
                  const struct replicate *replicate)
{
    json_t *array = json_array();

    for (size_t i = 0; i < config->replicate.n; i++) {
        const struct rule *r = &config->replicate.rules[i];
        json_t *collectors = json_array();
        char *match = rule_to_text(r);

        for (size_t j = 0; j < r->n_collectors; j++) {
            json_array_append_new(
                collectors,
                collector_to_json(&r->collectors[j],
                                  replicate_collector(replicate, i, j)));
        }
        json_array_append_new(
            array,
            json_pack("{s:s, s:i, s:s, s:I, s:s, s:o, s:I, s:o}", "name",
                      r->name, "port", r->port, "match", match, "group",
                      (json_int_t) group_id(config, r), "spread",
                      r->spread ? "source" : "none", "problem",
                      string_or_null(replicate_problem(replicate, i)),
                      "fragments",
                      (json_int_t) replicate_fragments(replicate, i),
                      "collectors", collectors));
        free(match);
    }
    return array;
}
