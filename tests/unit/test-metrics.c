/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "metrics.h"

#include "support.h"

#include "counters.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "usage.h"
#include "util.h"

static const struct usage no_usage;

/* Returns the metrics of 'json', a "status json", which the caller frees. */
static char *
metrics_of(const char *json)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    json_error_t error;
    json_t *status = json_loads(json, 0, &error);

    if (!status) {
        fail_msg("%s", error.text);
    }
    metrics_put(status, &no_usage, &out);
    json_decref(status);
    return ds_steal_cstr(&out);
}

static size_t
count_lines(const char *text, const char *begin)
{
    size_t n = 0;

    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        n += !strncmp(p, begin, strlen(begin));
    }
    return n;
}

/* Fails the test unless 'text' has the line 'line' once. */
static void
assert_line(const char *text, const char *line)
{
    char *whole = xasprintf("%s\n", line);

    if (count_lines(text, whole) != 1) {
        fail_msg("not there once: %s", line);
    }
    free(whole);
}

static void
test_nothing_known(void **state OVS_UNUSED)
{
    char *text = metrics_of("{}");

    assert_line(text, "snowrelay_switch_connected 0");
    assert_line(text, "snowrelay_forwarder 0");
    assert_line(text, "snowrelay_frames_punted_total 0");
    assert_line(text, "# TYPE snowrelay_peer_up gauge");
    assert_int_equal(count_lines(text, "snowrelay_peer_up"), 0);
    free(text);
}

static void
test_each_has_a_head(void **state OVS_UNUSED)
{
    char *text = metrics_of("{}");

    assert_int_equal(count_lines(text, "# HELP "),
                     count_lines(text, "# TYPE "));
    assert_true(count_lines(text, "# TYPE ") > 40);
    free(text);
}

static void
test_all_reasons_from_the_beginning(void **state OVS_UNUSED)
{
    char *text = metrics_of("{\"counters\":{\"punt_dropped\":{\"loop\":3},"
                            "\"mesh_dropped\":{\"udp_checksum\":4}}}");

    assert_int_equal(count_lines(text, "snowrelay_frames_dropped_total"),
                     N_DIRECTIONS * (N_DROP_REASONS - 1));
    assert_line(text, "snowrelay_frames_dropped_total{direction=\"punt\","
                      "reason=\"loop\"} 3");
    assert_line(text, "snowrelay_frames_dropped_total{direction=\"mesh\","
                      "reason=\"loop\"} 0");
    assert_line(text, "snowrelay_frames_dropped_total{direction=\"mesh\","
                      "reason=\"udp_checksum\"} 4");
    free(text);
}

static void
test_labels_are_escaped(void **state OVS_UNUSED)
{
    char *text = metrics_of(
        "{\"peers\":[{\"name\":\"a\\\"b\\\\c\\nd}\",\"address\":null,"
        "\"state\":\"down\"}]}");

    assert_line(text,
                "snowrelay_peer_up{peer=\"\",name=\"a\\\"b\\\\c\\nd}\"} 0");
    free(text);
}

static void
test_large_numbers(void **state OVS_UNUSED)
{
    char *text = metrics_of("{\"counters\":{\"punted\":9007199254740993}}");

    assert_line(text, "snowrelay_frames_punted_total 9007199254740993");
    free(text);
}

static void
test_peers(void **state OVS_UNUSED)
{
    char *text = metrics_of(
        "{\"peers\":["
        "{\"name\":\"a\",\"address\":\"192.0.2.1:7124\",\"state\":\"up\","
        "\"rtt_us\":1234,\"lost\":5,\"tx\":6,\"relay_id\":\"01\"},"
        "{\"name\":\"b\",\"address\":\"192.0.2.2:7124\","
        "\"state\":\"snowsignal\",\"rtt_us\":null,\"lost\":null,\"tx\":7},"
        "{\"name\":\"c\",\"address\":\"192.0.2.3:7124\",\"state\":\"down\"}]"
        "}");

    assert_line(text,
                "snowrelay_peer_up{peer=\"192.0.2.1:7124\",name=\"a\"} 1");
    assert_line(text,
                "snowrelay_peer_up{peer=\"192.0.2.3:7124\",name=\"c\"} 0");
    assert_int_equal(count_lines(text, "snowrelay_peer_up{"), 2);
    assert_line(text, "snowrelay_peer_rtt_seconds{peer=\"192.0.2.1:7124\","
                      "name=\"a\"} 0.001234");
    assert_int_equal(count_lines(text, "snowrelay_peer_rtt_seconds{"), 1);
    assert_line(text, "snowrelay_peer_lost_frames{"
                      "peer=\"192.0.2.1:7124\",name=\"a\"} 5");
    assert_int_equal(count_lines(text, "snowrelay_peer_lost_frames{"), 1);
    assert_line(text, "snowrelay_peer_sent_frames_total{"
                      "peer=\"192.0.2.2:7124\",name=\"b\"} 7");
    assert_line(text, "snowrelay_peers{state=\"snowsignal\"} 1");
    assert_line(text, "snowrelay_peers{state=\"segment\"} 0");
    free(text);
}

static void
test_segment(void **state OVS_UNUSED)
{
    char *text = metrics_of(
        "{\"connected\":true,\"ports\":[5076,5064],"
        "\"segment\":{\"state\":\"forwarding\",\"forwarder\":{\"self\":true},"
        "\"relays\":[{},{}],\"paused\":[{\"port\":5064}]}}");

    assert_line(text, "snowrelay_switch_connected 1");
    assert_line(text, "snowrelay_forwarder 1");
    assert_line(text, "snowrelay_relay_state{state=\"forwarding\"} 1");
    assert_line(text, "snowrelay_relay_state{state=\"standby\"} 0");
    assert_line(text, "snowrelay_segment_relays 2");
    assert_line(text, "snowrelay_port_paused{port=\"5076\"} 0");
    assert_line(text, "snowrelay_port_paused{port=\"5064\"} 1");
    free(text);
}

static void
test_replication_and_searches(void **state OVS_UNUSED)
{
    char *text = metrics_of(
        "{\"replicate\":[{\"name\":\"sflow\",\"fragments\":2,\"collectors\":["
        "{\"collector\":\":7343\",\"state\":\"up\",\"datagrams\":8,"
        "\"bytes\":9}]}],"
        "\"searches\":{\"names\":3,\"unanswered\":1,"
        "\"requests\":{\"pva\":20,\"ca\":0},\"top\":[{\"name\":\"X:Y\","
        "\"protocol\":\"pva\",\"unanswered\":true,\"count\":12,"
        "\"repeated\":10,\"from\":[{\"address\":\"192.0.2.1\",\"count\":9,"
        "\"local\":true},{\"address\":\"192.0.2.1\",\"count\":3,"
        "\"local\":false}]}]}}");

    assert_line(text, "snowrelay_replicate_collector_up{rule=\"sflow\","
                      "collector=\":7343\"} 1");
    assert_line(text, "snowrelay_replicate_collector_packets_total{"
                      "rule=\"sflow\",collector=\":7343\"} 8");
    assert_line(text, "snowrelay_replicate_fragments_total{rule=\"sflow\"} 2");
    assert_line(text, "snowrelay_search_requests_total{protocol=\"pva\"} 20");
    assert_line(text, "snowrelay_search_requests_total{protocol=\"ca\"} 0");
    assert_line(text, "snowrelay_search_name_requests_total{protocol=\"pva\","
                      "name=\"X:Y\"} 12");
    assert_line(text, "snowrelay_search_name_repeated_requests_total{"
                      "protocol=\"pva\",name=\"X:Y\"} 10");
    assert_line(text, "snowrelay_search_name_unanswered{protocol=\"pva\","
                      "name=\"X:Y\"} 1");
    assert_line(text, "snowrelay_search_client_requests_total{"
                      "protocol=\"pva\",name=\"X:Y\",client=\"192.0.2.1\","
                      "from=\"segment\"} 9");
    assert_line(text, "snowrelay_search_client_requests_total{"
                      "protocol=\"pva\",name=\"X:Y\",client=\"192.0.2.1\","
                      "from=\"mesh\"} 3");
    assert_line(text, "snowrelay_search_names_unanswered 1");
    assert_line(text, "snowrelay_search_names 3");
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_each_has_a_head),
        cmocka_unit_test(test_all_reasons_from_the_beginning),
        cmocka_unit_test(test_labels_are_escaped),
        cmocka_unit_test(test_large_numbers),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_segment),
        cmocka_unit_test(test_replication_and_searches),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
