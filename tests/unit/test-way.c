/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "way.h"

#include "support.h"

#include "openvswitch/util.h"
#include "rule.h"
#include "util.h"

/* What is addressed to this host goes to its programs, whether the
 * configuration names the port alone or an address that is this host's. */
static void
test_original(void **state OVS_UNUSED)
{
    enum { RULE_PORT = 9 };
    static const struct {
        enum collector_kind collector;
        uint16_t port;
        bool remote;
        bool original; /* By WAY_LOCAL. */
    } cases[] = {
        { COLLECTOR_LOCAL, RULE_PORT, false, true },
        { COLLECTOR_LOCAL, 8, false, false },
        { COLLECTOR_HOST, RULE_PORT, false, true },
        { COLLECTOR_HOST, 8, false, false },
        { COLLECTOR_TUNNEL, 0, false, false },

        /* What comes out of a tunnel goes nowhere else. */
        { COLLECTOR_LOCAL, RULE_PORT, true, false },
        { COLLECTOR_HOST, RULE_PORT, true, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (enum way_kind kind = 0; kind < N_WAY_KINDS; kind++) {
            char remote[] = "A";
            struct rule rule = {
                .port = RULE_PORT,
                .remote = cases[i].remote ? remote : NULL,
            };
            struct collector c = {
                .kind = cases[i].collector,
                .port = cases[i].port,
            };
            struct way way = { .kind = kind };

            assert_int_equal(way_is_original(&rule, &c, &way),
                             kind == WAY_LOCAL && cases[i].original);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_original),
    };
    return cmocka_run_group_tests_name("way", tests, NULL, NULL);
}
