/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-replicate.h"

#include <inttypes.h>

#include "conf.h"
#include "openvswitch/dynamic-string.h"
#include "replicate.h"
#include "tally.h"
#include "util.h"

/* Returns the id of the first of the groups of 'r'. */
static uint32_t
group_id(const struct config *config, const struct rule *r)
{
    return (config->id_base + r->slot
            + (rule_takes(r, false) ? 0 : VARIANT_IPV6 * RULE_MAX));
}

static void
show_collector(const struct collector *c, const struct way_report *report,
               const struct collector_tally *tally, struct ds *out)
{
    ds_put_format(
        out, "    %-28s %-8s %12" PRIu64 " %15" PRIu64 "  %s%s\n", c->text,
        report->state ? report->state : "pending", tally->n_packets,
        tally->n_bytes, report->via ? report->via : "waiting for the switch",
        c->kind == COLLECTOR_HOST && c->keep_source ? ", source kept" : "");
    if (report->note) {
        ds_put_format(out, "        %s\n", report->note);
    }
}

char *
show_replicate(const struct config *config, const struct replicate *replicate)
{
    const struct tally *tally = replicate_tally(replicate);
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
                           replicate_report(replicate, i, j),
                           &tally->of[i].collectors[j], &out);
        }
        ds_put_format(&out, "    not copied: %" PRIu64 " IP fragments\n",
                      tally->of[i].n_fragments);
    }
    return ds_steal_cstr(&out);
}

static json_t *
string_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *
collector_to_json(const struct collector *c, const struct way_report *report,
                  const struct collector_tally *tally)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:I, s:I}", "collector", c->text,
                     "state", report->state ? report->state : "pending", "via",
                     string_or_null(report->via), "note",
                     string_or_null(report->note), "datagrams",
                     (json_int_t) tally->n_packets, "bytes",
                     (json_int_t) tally->n_bytes);
}

json_t *
replicate_to_json(const struct config *config,
                  const struct replicate *replicate)
{
    const struct tally *tally = replicate_tally(replicate);
    json_t *array = json_array();

    for (size_t i = 0; i < config->replicate.n; i++) {
        const struct rule *r = &config->replicate.rules[i];
        json_t *collectors = json_array();
        char *match = rule_to_text(r);

        for (size_t j = 0; j < r->n_collectors; j++) {
            json_array_append_new(
                collectors,
                collector_to_json(&r->collectors[j],
                                  replicate_report(replicate, i, j),
                                  &tally->of[i].collectors[j]));
        }
        json_array_append_new(
            array,
            json_pack("{s:s, s:i, s:s, s:I, s:s, s:o, s:I, s:o}", "name",
                      r->name, "port", r->port, "match", match, "group",
                      (json_int_t) group_id(config, r), "spread",
                      r->spread ? "source" : "none", "problem",
                      string_or_null(replicate_problem(replicate, i)),
                      "fragments", (json_int_t) tally->of[i].n_fragments,
                      "collectors", collectors));
        free(match);
    }
    return array;
}
