/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "template.h"

#include "support.h"

#include <glob.h>
#include <stdbool.h>

#include "openvswitch/util.h"
#include "util.h"

/* Fails the test unless 'text' expands to 'expected', with ${port} being 5076,
 * ${empty} nothing and ${dollar} what looks like a name itself. */
static void
assert_expands(const char *text, const char *expected)
{
    struct shash values = SHASH_INITIALIZER(&values);
    char *result;

    shash_add(&values, "port", "5076");
    shash_add(&values, "empty", "");
    shash_add(&values, "dollar", "${port}");
    assert_no_error(template_expand(text, &values, &result));
    assert_string_equal(result, expected);
    free(result);
    shash_destroy(&values);
}

/* Fails the test unless expanding 'text', with only ${port} known, gives the
 * message 'expected'. */
static void
assert_expansion_error(const char *text, const char *expected)
{
    struct shash values = SHASH_INITIALIZER(&values);
    char *result = (char *) text; /* Anything but NULL. */

    shash_add(&values, "port", "5076");
    assert_error(template_expand(text, &values, &result), expected);
    assert_null(result);
    shash_destroy(&values);
}

static void
test_values(void **state OVS_UNUSED)
{
    assert_expands("tp_dst=${port}", "tp_dst=5076");
    assert_expands("${port}", "5076");
    assert_expands("${port}${port},${port}", "50765076,5076");
    assert_expands("a${empty}b", "ab");
    assert_expands("no name", "no name");
}

/* A value is never looked into. */
static void
test_values_that_look_like_names(void **state OVS_UNUSED)
{
    assert_expands("${dollar}", "${port}");
}

static void
test_dollars_and_braces(void **state OVS_UNUSED)
{
    assert_expands("$port {port} $ { } $", "$port {port} $ { } $");
    assert_expands("$${port}}", "$5076}");
}

static void
test_lines(void **state OVS_UNUSED)
{
    assert_expands("", "");
    assert_expands("\n\n", "");
    assert_expands("one\n", "one");
    assert_expands("one\ntwo", "one\ntwo");
    assert_expands("\none ${port}\n\ntwo ${port}\n", "one 5076\ntwo 5076");
}

static void
test_comments(void **state OVS_UNUSED)
{
    assert_expands("# What is it?\none\n#\ntwo\n# The end.", "one\ntwo");
    assert_expands("# ${unknown} ${unclosed\none", "one");
    assert_expands("one # two", "one # two");
}

static void
test_unknown_names(void **state OVS_UNUSED)
{
    assert_expansion_error("${prot}", "template: ${prot} has no value");
    assert_expansion_error("${}", "template: ${} has no value");
    assert_expansion_error("${port}\n${por}", "template: ${por} has no value");
    assert_expansion_error("${ports}", "template: ${ports} has no value");
    assert_expansion_error("${Port}", "template: ${Port} has no value");
}

static void
test_unclosed_braces(void **state OVS_UNUSED)
{
    assert_expansion_error("a,${port", "template: \"${port\" lacks its }");
    assert_expansion_error("${", "template: \"${\" lacks its }");
    assert_expansion_error("${port},${port\nnext}",
                           "template: \"${port\" lacks its }");
}

/* What is in $[...] is left out where a name in it has no value, or an empty
 * one. */
static void
test_options(void **state OVS_UNUSED)
{
    assert_expands("a$[,port=${port}]b", "a,port=5076b");
    assert_expands("a$[,port=${none}]b", "ab");
    assert_expands("a$[,port=${empty}]b", "ab");
    assert_expands("a$[,${port},${none}]b", "ab");
    assert_expands("a$[,${none},${port}]b", "ab");
    assert_expands("a$[,${port},${port}]b", "a,5076,5076b");
    assert_expands("$[${port}]", "5076");
    assert_expands("$[${none}]", "");
    assert_expands("$[${port}]$[${none}]${port}$[${port}]", "507650765076");
    assert_expands("a$[]b", "ab");
    assert_expands("a$[no name]b", "ano nameb");
    assert_expands("$[${dollar}]", "${port}");
    assert_expands("[a]$[${port}]]", "[a]5076]");
    assert_expands("a$[${none}]\n$[${port}]\n", "a\n5076");
    assert_expands("# $[${none}\n$[${port}]", "5076");
}

static void
test_wrong_options(void **state OVS_UNUSED)
{
    assert_expansion_error("a$[b", "template: \"$[b\" lacks its ]");
    assert_expansion_error("$[${port}", "template: \"$[${port}\" lacks its ]");
    assert_expansion_error("$[${port}]$[", "template: \"$[\" lacks its ]");
    assert_expansion_error("$[a\n]", "template: \"$[a\" lacks its ]");
    assert_expansion_error("$[${port]}", "template: \"${port\" lacks its }");
    assert_expansion_error("$[${none},${port]}",
                           "template: \"${port\" lacks its }");
    assert_expansion_error("${none}$[${port}]",
                           "template: ${none} has no value");
    assert_expansion_error("${none}$[", "template: ${none} has no value");
    assert_expansion_error("$[${none}]${none}",
                           "template: ${none} has no value");
}

static void
test_setting(void **state OVS_UNUSED)
{
    struct shash values = SHASH_INITIALIZER(&values);

    template_set(&values, "a", xstrdup("1"));
    template_set(&values, "b", xstrdup("2"));
    template_set(&values, "a", xstrdup("3"));
    assert_int_equal(shash_count(&values), 2);
    assert_string_equal(shash_find_data(&values, "a"), "3");
    assert_string_equal(shash_find_data(&values, "b"), "2");
    shash_destroy_free_data(&values);
}

/* The compiled-in templates are the files of flows/, all of them. */

static char *
read_whole(const char *name)
{
    char *file = xasprintf("flows/%s", name);
    FILE *stream = fopen(path_in_tree(file), "r");
    char *text = xzalloc(65536);

    if (!stream) {
        fail_msg("there is no %s", file);
    }
    assert_in_range(fread(text, 1, 65536, stream), 1, 65535);
    fclose(stream);
    free(file);
    return text;
}

static void
test_each_template_is_a_file(void **state OVS_UNUSED)
{
    for (const struct template *t = templates; t->name; t++) {
        char *text = read_whole(t->name);

        assert_string_equal(t->text, text);
        assert_ptr_equal(template_text(t->name), t->text);
        free(text);
    }
}

static bool
is_template(const char *name)
{
    for (const struct template *t = templates; t->name; t++) {
        if (!strcmp(t->name, name)) {
            return true;
        }
    }
    return false;
}

static void
test_each_file_is_a_template(void **state OVS_UNUSED)
{
    glob_t files;

    assert_int_equal(glob(path_in_tree("flows/*"), 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *name = strrchr(files.gl_pathv[i], '/') + 1;

        if (strcmp(name, "README.md") && !is_template(name)) {
            fail_msg("flows/%s is not compiled in", name);
        }
    }
    globfree(&files);
}

/* flows/README.md explains every file and every name in it. */
static void
test_the_manual_has_each_file_and_name(void **state OVS_UNUSED)
{
    char *manual = read_whole("README.md");

    for (const struct template *t = templates; t->name; t++) {
        char *file = xasprintf("`%s`", t->name);
        assert_non_null(strstr(manual, file));
        free(file);

        const char *dollar = t->text;
        while ((dollar = strstr(dollar, "${")) != NULL) {
            size_t length = strcspn(dollar, "}") + 1;
            char *name = xasprintf("`%.*s`", (int) length, dollar);

            if (!strstr(manual, name)) {
                fail_msg("flows/README.md does not have %s", name);
            }
            free(name);
            dollar += length;
        }
    }
    free(manual);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_values_that_look_like_names),
        cmocka_unit_test(test_dollars_and_braces),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_unclosed_braces),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_setting),
        cmocka_unit_test(test_each_template_is_a_file),
        cmocka_unit_test(test_each_file_is_a_template),
        cmocka_unit_test(test_the_manual_has_each_file_and_name),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
