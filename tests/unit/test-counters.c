/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "counters.h"

#include "support.h"

#include <ctype.h>

#include "openvswitch/util.h"
#include "util.h"

/* What a program that reads them looks for. */
static const char *const names[N_DROP_REASONS] = {
    [FRAME_OK] = "ok",
    [FRAME_UDP_CHECKSUM] = "udp_checksum",
    [DROP_PORT] = "port",
    [DROP_NO_PEER] = "no_peer",
    [DROP_SEND] = "send",
    [DROP_UNKNOWN_SENDER] = "unknown_sender",
    [DROP_OWN] = "own",
    [DROP_SEGMENT] = "segment",
    [DROP_STANDBY] = "standby",
    [DROP_LOOP] = "loop",
    [DROP_DUPLICATE] = "duplicate",
    [DROP_UNSEALED] = "unsealed",
    [DROP_SEALED] = "sealed",
    [DROP_SEAL] = "seal",
    [DROP_REPLAY] = "replay",
    [DROP_RATE] = "rate",
    [DROP_OWN_SOURCE] = "own_source",
    [DROP_VERSION] = "version",
    [DROP_FORMAT] = "format",
    [DROP_SOURCE] = "source",
    [DROP_FILTER] = "filter",
    [DROP_NO_SWITCH] = "no_switch",
    [DROP_QUEUE_FULL] = "queue_full",
    [DROP_STALE] = "stale",
    [DROP_DISCONNECTED] = "disconnected",
};

static void
test_reasons_have_names(void **state OVS_UNUSED)
{
    for (int i = 0; i < N_DROP_REASONS; i++) {
        const char *name = drop_reason_name(i);

        if (names[i]) {
            assert_string_equal(name, names[i]);
        } else {
            /* A verdict on a frame. */
            assert_in_range(i, 0, FRAME_N_VERDICTS - 1);
        }
        if (i < FRAME_N_VERDICTS) {
            assert_string_equal(name, frame_verdict_name(i));
        }
        for (const char *p = name; *p; p++) {
            assert_true(islower((unsigned char) *p) || *p == '_'
                        || isdigit((unsigned char) *p));
        }
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name, drop_reason_name(j));
        }
    }
}

static void
test_directions_have_names(void **state OVS_UNUSED)
{
    assert_string_equal(direction_name(DIRECTION_PUNT), "punt");
    assert_string_equal(direction_name(DIRECTION_MESH), "mesh");
}

static void
test_drops_add_up(void **state OVS_UNUSED)
{
    struct counters c;

    memset(&c, 0, sizeof c);
    counters_drop(&c, DIRECTION_PUNT, DROP_LOOP, 1);
    counters_drop(&c, DIRECTION_PUNT, DROP_LOOP, 2);
    counters_drop(&c, DIRECTION_MESH, DROP_LOOP, 5);
    counters_drop(&c, DIRECTION_MESH, FRAME_VLAN, 7);
    counters_drop(&c, DIRECTION_MESH, DROP_STANDBY, 0);
    for (int i = 0; i < N_DROP_REASONS; i++) {
        assert_true(c.dropped[DIRECTION_PUNT][i] == (i == DROP_LOOP ? 3 : 0));
        assert_true(c.dropped[DIRECTION_MESH][i]
                    == (i == DROP_LOOP    ? 5
                        : i == FRAME_VLAN ? 7
                                          : 0));
    }
    assert_true(c.punted == 0 && c.relayed == 0 && c.emitted == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reasons_have_names),
        cmocka_unit_test(test_directions_have_names),
        cmocka_unit_test(test_drops_add_up),
    };
    return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
