/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "error-line.h"

#include "support.h"

#include "openvswitch/util.h"
#include "util.h"

static void
assert_line(const char *error, const char *expected)
{
    char *line = error_line(xstrdup(error));

    assert_string_equal(line, expected);
    free(line);
}

static void
test_lines(void **state OVS_UNUSED)
{
    static const struct {
        const char *error;
        const char *line;
    } all[] = {
        { "", "" },
        { "a: \"b\" is not c", "a: \"b\" is not c" },
        { "back\\slash", "back\\slash" },
        { "a\nb\r\tc", "a\\nb\\r\\tc" },
        { "\x1b[2Jx\x7f\x01", "\\x1b[2Jx\\x7f\\x01" },
        { " ~", " ~" },

        /* UTF-8, and what is not. */
        { "r\xc3\xa9seau \xe2\x82\xac \xf0\x9f\x90\xa7",
          "r\xc3\xa9seau \xe2\x82\xac \xf0\x9f\x90\xa7" },
        { "\xc2\xa0", "\xc2\xa0" },
        { "\xc2\x9b"
          "1m",
          "\\xc2\\x9b"
          "1m" },
        { "\xff", "\\xff" },
        { "\x80", "\\x80" },
        { "\xc3", "\\xc3" },
        { "\xc3(", "\\xc3(" },
        { "\xe2\x82", "\\xe2\\x82" },
        { "\xc1\x81", "\\xc1\\x81" },
        { "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_line(all[i].error, all[i].line);
    }
    assert_null(error_line(NULL));
}

/* Of what is too long the beginning and the end stay. */
static void
test_long_lines(void **state OVS_UNUSED)
{
    static const char *const letters[] = { "x", "\xc3\xa9", "\xe2\x82\xac",
                                           "\xf0\x9f\x90\xa7", "\n" };

    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        for (size_t n = 0; n < 1000; n++) {
            char *error = xmalloc(n * 4 + 100);
            char *s = error + sprintf(error, "name: \"");
            for (size_t j = 0; j < n; j++) {
                s = stpcpy(s, letters[i]);
            }
            strcpy(s, "\" is wrong");
            size_t length = strlen(error) + (letters[i][0] == '\n' ? n : 0);

            char *line = error_line(error);
            assert_int_equal(strncmp(line, "name: \"", 7), 0);
            assert_string_equal(line + strlen(line) - 10, "\" is wrong");
            if (length <= ERROR_LINE_MAX) {
                assert_int_equal(strlen(line), length);
                assert_null(strstr(line, "..."));
            } else {
                assert_in_range(strlen(line), ERROR_LINE_MAX - 6,
                                ERROR_LINE_MAX);
                assert_non_null(strstr(line, "..."));
                assert_null(strstr(line, "\\x")); /* No half characters. */
            }
            char *again = error_line(xstrdup(line));
            assert_string_equal(again, line);
            free(again);
            free(line);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long_lines),
    };
    return cmocka_run_group_tests_name("error line", tests, NULL, NULL);
}
