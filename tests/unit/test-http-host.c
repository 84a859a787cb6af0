/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "http-host.h"

#include "support.h"

#include "openvswitch/util.h"
#include "util.h"

static void
test_names_that_nobody_else_can_give_away(void **state OVS_UNUSED)
{
    static const char *const ours[] = {
        "127.0.0.1",      "127.0.0.1:9714",   "10.1.0.1:80",
        "[::1]",          "[::1]:9714",       "localhost",
        "localhost:9714", "LOCALHOST",        "localhost.",
        "x.localhost:80", "relay-a",          "relay-a:9714",
        "Relay-A",        "relay-a.lab.test", "relay-a.lab.test.:9714",
    };

    assert_true(http_host_is_ours(NULL, "relay-a.lab.test"));
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
        if (!http_host_is_ours(ours[i], "relay-a.lab.test")) {
            fail_msg("\"%s\" is not taken for ours", ours[i]);
        }
    }
}

static void
test_names_of_others(void **state OVS_UNUSED)
{
    static const char *const others[] = {
        "",
        ":9714",
        "evil.test",
        "evil.test:9714",
        "127.0.0.1.evil.test",
        "localhost.evil.test",
        "notlocalhost",
        "relay-a.evil.test",
        "relay",
        "relay-ab",
        "[::1",
        "[::1]x",
        "[]",
        "[evil.test]",
        "127.0.0.1 evil.test",
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (http_host_is_ours(others[i], "relay-a.lab.test")) {
            fail_msg("\"%s\" is taken for ours", others[i]);
        }
    }
    assert_false(http_host_is_ours("", ""));
    assert_false(http_host_is_ours(".", ""));
}

static void
test_long_ones(void **state OVS_UNUSED)
{
    char name[1000];

    memset(name, 'a', sizeof name);
    for (size_t length = 1; length < sizeof name; length += 37) {
        char *header = copy_exactly(name, length + 1);

        header[length] = '\0';
        assert_false(http_host_is_ours(header, "relay-a"));
        free(header);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_that_nobody_else_can_give_away),
        cmocka_unit_test(test_names_of_others),
        cmocka_unit_test(test_long_ones),
    };
    return cmocka_run_group_tests_name("http-host", tests, NULL, NULL);
}
