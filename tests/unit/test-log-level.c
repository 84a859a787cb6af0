/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of the log levels: which module says how much. */

#include <config.h>

#include "support.h"

#include <glob.h>

#include "log-level.h"
#include "names.h"
#include "openvswitch/vlog.h"
#include "util.h"

static enum vlog_level
level_of(const char *name, enum vlog_destination destination)
{
    struct vlog_module *module = vlog_module_from_name(name);

    assert_non_null(module);
    return vlog_get_level(module, destination);
}

static void
assert_level(const char *name, enum vlog_level level)
{
    assert_int_equal(level_of(name, VLF_CONSOLE), level);
    assert_int_equal(level_of(name, VLF_FILE), level);
}

static int
begin(void **state OVS_UNUSED)
{
    struct names names;

    /* What has modules of ours and of libopenvswitch's linked. */
    names_init(&names, NULL);
    names_destroy(&names);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_INFO);
    return 0;
}

static bool
is_listed(const char *name)
{
    for (size_t i = 0; log_modules[i]; i++) {
        if (!strcmp(log_modules[i], name)) {
            return true;
        }
    }
    return false;
}

/* Returns the name of the module that 'file' defines, or NULL.  Valid until
 * the next call. */
static const char *
find_module(const char *file)
{
    static char name[64];
    FILE *stream = fopen(file, "r");
    char line[256];
    bool found = false;

    assert_non_null(stream);
    while (!found && fgets(line, sizeof line, stream)) {
        const char *at = strstr(line, "VLOG_DEFINE_");

        found = at && sscanf(at, "%*[A-Z_](%63[a-z_])", name) == 1;
    }
    fclose(stream);
    return found ? name : NULL;
}

static void
test_every_module_is_listed_once(void **state OVS_UNUSED)
{
    size_t n = 0, n_listed = 0;
    glob_t files;

    assert_int_equal(glob(path_in_tree("controller/*.c"), 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *name = find_module(files.gl_pathv[i]);

        if (name && !is_listed(name)) {
            fail_msg("%s: no log module %s", files.gl_pathv[i], name);
        }
        n += name != NULL;
    }
    globfree(&files);
    while (log_modules[n_listed]) {
        n_listed++;
    }
    assert_int_equal(n_listed, n);
    assert_true(n > 30);
}

static void
test_info_leaves_out_what_libopenvswitch_counts(void **state OVS_UNUSED)
{
    log_level_set("info");
    assert_level("names", VLL_INFO);
    assert_level("vlog", VLL_INFO);
    assert_level("coverage", VLL_WARN);
    assert_level("poll_loop", VLL_WARN);
    assert_int_equal(level_of("poll_loop", VLF_SYSLOG), VLL_WARN);
}

static void
test_debug_is_for_our_modules(void **state OVS_UNUSED)
{
    log_level_set("debug");
    assert_level("names", VLL_DBG);
    assert_int_equal(level_of("names", VLF_SYSLOG), VLL_INFO);
    assert_level("vlog", VLL_INFO);
    assert_level("coverage", VLL_WARN);
    assert_level("poll_loop", VLL_WARN);
}

static void
test_the_others_are_for_all_modules(void **state OVS_UNUSED)
{
    static const struct {
        const char *name;
        enum vlog_level level;
    } rows[] = {
        { "warning", VLL_WARN },
        { "error", VLL_ERR },
        { "critical", VLL_EMER },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        log_level_set(rows[i].name);
        assert_level("names", rows[i].level);
        assert_level("vlog", rows[i].level);
        assert_level("coverage", rows[i].level);
        assert_int_equal(level_of("names", VLF_SYSLOG), rows[i].level);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_module_is_listed_once),
        cmocka_unit_test_setup(test_info_leaves_out_what_libopenvswitch_counts,
                               begin),
        cmocka_unit_test_setup(test_debug_is_for_our_modules, begin),
        cmocka_unit_test_setup(test_the_others_are_for_all_modules, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
