/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "key-file.h"

#include "support.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "openvswitch/util.h"
#include "seal.h"
#include "util.h"

/* Keys of bytes that are all the same, 1 and 2, in base64. */
#define ONE "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define TWO "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

#define NO_KEY                                                                \
    "not a key of 32 bytes in base64; snowrelayd --generate-key makes one"

static char folder[64];

/* A file in the folder.  Valid until the next call. */
static const char *
path_of(const char *name)
{
    static char path[sizeof folder + 64];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Writes the 'length' bytes at 'bytes' to the file "key". */
static void
write_bytes(const void *bytes, size_t length)
{
    int fd = open(path_of("key"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
    assert_int_equal(chmod(path_of("key"), 0600), 0);
}

static void
write_text(const char *text)
{
    write_bytes(text, strlen(text));
}

/* Reads the file "key" into memory full of what is not so. */
static char *
read_keys(struct seal_keys *keys)
{
    memset(keys, 0xa5, sizeof *keys);
    return key_file_read(path_of("key"), geteuid(), keys);
}

/* Fails the test unless the file "key" is refused with the message 'expected',
 * behind its name, and nothing is left of its keys. */
static void
assert_refused(const char *expected)
{
    char *whole = xasprintf("%s%s", path_of("key"), expected);
    struct seal_keys keys;
    char *error = read_keys(&keys);

    assert_true(sodium_is_zero((const uint8_t *) &keys, sizeof keys));
    if (error) {
        assert_null(strstr(error, "AQEB"));
        assert_null(strstr(error, "AgIC"));
    }
    assert_error(error, whole);
    free(whole);
}

/* Fails the test unless 'key' is the one whose bytes are all 'byte'. */
static void
assert_key(const struct seal_key *key, uint8_t byte)
{
    uint8_t bytes[SEAL_KEY_LEN];
    struct seal_key expected;

    memset(bytes, byte, sizeof bytes);
    seal_key_set(&expected, bytes);
    assert_memory_equal(key->bytes, bytes, sizeof bytes);
    assert_int_equal(key->id, expected.id);
}

/* Reading. */

static void
test_good_files(void **state OVS_UNUSED)
{
    static const struct {
        const char *text;
        size_t n;
        uint8_t first;
    } files[] = {
        { ONE "\n", 1, 1 },
        { ONE, 1, 1 },
        { ONE "\r\n", 1, 1 },
        { ONE "\n\n\n", 1, 1 },
        { "\n \t\n" ONE "\n", 1, 1 },
        { "  \t" ONE " \t \n", 1, 1 },
        { "  \t" ONE " \t \r\n", 1, 1 },
        { "# The old one is " TWO "\n" ONE "\n", 1, 1 },
        { ONE "# made today\n", 1, 1 },
        { ONE " # made today", 1, 1 },
        { "#\n#\n" ONE "\n#", 1, 1 },
        { ONE "\n" TWO "\n", 2, 1 },
        { TWO "\n" ONE, 2, 2 },
        { ONE "\r\n" TWO "\r\n", 2, 1 },
        { "# a\n\n" TWO " # b\n# c\n\n" ONE "\n# d\n", 2, 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct seal_keys keys;

        write_text(files[i].text);
        assert_no_error(read_keys(&keys));
        assert_int_equal(keys.n, files[i].n);
        assert_key(&keys.all[0], files[i].first);
        if (keys.n > 1) {
            assert_key(&keys.all[1], 3 - files[i].first);
        }
    }
}

static void
test_bad_files(void **state OVS_UNUSED)
{
    static const struct {
        const char *text, *error;
    } files[] = {
        { "",
          ": no key in the key file; snowrelayd --generate-key makes one" },
        { "\n\n \t\r\n# " ONE,
          ": no key in the key file; snowrelayd --generate-key makes one" },
        { "garbage\n", ":1: " NO_KEY },
        { "\n# a\ngarbage\n", ":3: " NO_KEY },
        { ONE "\ngarbage\n", ":2: " NO_KEY },
        { ONE " " TWO "\n", ":1: " NO_KEY },
        { ONE ONE "\n", ":1: " NO_KEY },
        { ONE "=\n", ":1: " NO_KEY },
        { ONE "x\n", ":1: " NO_KEY },
        { "x" ONE "\n", ":1: " NO_KEY },

        /* 31, 33 and 24 bytes, one without its padding, and one in the other
         * alphabet. */
        { "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==\n", ":1: " NO_KEY },
        { "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n", ":1: " NO_KEY },
        { "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n", ":1: " NO_KEY },
        { "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\n", ":1: " NO_KEY },
        { "-_-_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n", ":1: " NO_KEY },

        /* Bits behind the last byte. */
        { "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF=\n", ":1: " NO_KEY },

        { "-----BEGIN PRIVATE KEY-----\n", ":1: " NO_KEY },
        { ONE "\n" ONE "\n",
          ":2: the same key as the one before, or one that cannot be told "
          "from it" },
        { ONE "\n" TWO "\n" ONE "\n", ":3: more than 2 keys" },
        { ONE "\n" TWO "\n#\n" ZERO "\n", ":4: a key of zeros is no secret" },
        { ZERO "\n", ":1: a key of zeros is no secret" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        write_text(files[i].text);
        assert_refused(files[i].error);
    }
}

static void
test_null_bytes(void **state OVS_UNUSED)
{
    static const char text[] = ONE "\n" TWO "\n";

    for (size_t i = 0; i < sizeof text - 1; i++) {
        char copy[sizeof text];

        memcpy(copy, text, sizeof text);
        copy[i] = '\0';
        write_bytes(copy, sizeof text - 1);
        assert_refused(": not a key file");
    }
}

/* As long as a file may be, and a byte longer. */
static void
test_long_files(void **state OVS_UNUSED)
{
    enum { MAX = 4096 };
    static char text[MAX + 2] = ONE "\n";
    struct seal_keys keys;

    memset(text + strlen(text), '#', MAX - strlen(text));
    assert_int_equal(strlen(text), MAX);
    write_text(text);
    assert_no_error(read_keys(&keys));
    assert_int_equal(keys.n, 1);
    text[MAX] = '\n';
    write_text(text);
    assert_refused(": not a key file");
}

/* Every bit that lets others use it. */
static void
test_modes(void **state OVS_UNUSED)
{
    write_text(ONE "\n");
    for (unsigned int mode = 0; mode <= 0777; mode++) {
        struct seal_keys keys;

        if ((mode & 0400) == 0 && geteuid()) {
            continue;
        }
        assert_int_equal(chmod(path_of("key"), mode), 0);
        if (mode & 077) {
            char *expected = xasprintf(
                ": others can use the key file, its mode is %04o: run chmod "
                "600 on it, and make another key if somebody may have read "
                "it",
                mode);

            assert_refused(expected);
            free(expected);
        } else {
            assert_no_error(read_keys(&keys));
        }
    }
}

static void
test_owners(void **state OVS_UNUSED)
{
    struct seal_keys keys;

    if (geteuid()) {
        skip();
    }
    write_text(ONE "\n");
    assert_int_equal(chown(path_of("key"), 12345, -1), 0);
    assert_refused(": the key file belongs to user 12345, neither to root nor "
                   "to user 0, who runs this");
    assert_no_error(key_file_read(path_of("key"), 12345, &keys));
    char *error = key_file_read(path_of("key"), 12346, &keys);
    assert_non_null(strstr(error, "neither to root nor to user 12346,"));
    assert_true(sodium_is_zero((const uint8_t *) &keys, sizeof keys));
    free(error);

    /* Root's are anybody's who can read them; the group tells nothing. */
    assert_int_equal(chown(path_of("key"), 0, 12345), 0);
    assert_no_error(read_keys(&keys));
    assert_no_error(key_file_read(path_of("key"), 12345, &keys));

    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(seteuid(12345), 0);
    assert_refused(": cannot open the key file: Permission denied");
    assert_int_equal(seteuid(0), 0);
}

static void
test_what_is_no_file(void **state OVS_UNUSED)
{
    assert_refused(": cannot open the key file: No such file or directory");
    assert_int_equal(mkdir(path_of("key"), 0700), 0);
    assert_refused(": the key file is not a regular file");
    assert_int_equal(rmdir(path_of("key")), 0);

    /* Which nobody writes to: that must not be waited for. */
    assert_int_equal(mkfifo(path_of("key"), 0600), 0);
    alarm(10);
    assert_refused(": the key file is not a regular file");
    alarm(0);
    assert_int_equal(unlink(path_of("key")), 0);

    assert_int_equal(symlink("/dev/zero", path_of("key")), 0);
    assert_refused(": the key file is not a regular file");
}

/* It counts whose the file is, not the link. */
static void
test_a_link_to_a_key(void **state OVS_UNUSED)
{
    char *target = xstrdup(path_of("target"));
    struct seal_keys keys;

    write_text(TWO "\n");
    assert_int_equal(rename(path_of("key"), target), 0);
    assert_int_equal(symlink("target", path_of("key")), 0);
    assert_no_error(read_keys(&keys));
    assert_key(&keys.all[0], 2);
    assert_int_equal(chmod(target, 0640), 0);
    assert_refused(": others can use the key file, its mode is 0640*");
    free(target);
}

/* Making. */

/* Makes the file "key", reads it, and returns the key. */
static struct seal_key
generate(void)
{
    struct seal_keys keys;
    struct stat s;

    assert_no_error(key_file_generate(path_of("key")));
    assert_int_equal(stat(path_of("key"), &s), 0);
    assert_int_equal(s.st_mode, S_IFREG | 0600);
    assert_int_equal(s.st_size, 45);
    assert_int_equal(s.st_uid, geteuid());
    assert_no_error(read_keys(&keys));
    assert_int_equal(keys.n, 1);
    return keys.all[0];
}

static void
test_a_key_is_made(void **state OVS_UNUSED)
{
    struct seal_key keys[20];

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        keys[i] = generate();
        assert_int_equal(unlink(path_of("key")), 0);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(keys[i].bytes, keys[j].bytes,
                                    SEAL_KEY_LEN);
        }
    }
}

static void
test_its_mode_does_not_depend_on_the_umask(void **state OVS_UNUSED)
{
    static const mode_t umasks[] = { 0, 022, 077, 0177, 0277, 0377, 0777 };

    for (size_t i = 0; i < ARRAY_SIZE(umasks); i++) {
        const mode_t before = umask(umasks[i]);

        generate();
        umask(before);
        assert_int_equal(unlink(path_of("key")), 0);
    }
}

/* Whatever is there stays what it was. */
static void
test_nothing_is_overwritten(void **state OVS_UNUSED)
{
    char *expected = xasprintf("%s: cannot make the key file: it is there "
                               "already, and may be in use",
                               path_of("key"));
    char *target = xstrdup(path_of("target"));
    struct seal_keys keys;
    struct stat s;

    write_text(ONE "\n");
    assert_error(key_file_generate(path_of("key")), expected);
    assert_no_error(read_keys(&keys));
    assert_key(&keys.all[0], 1);

    assert_int_equal(rename(path_of("key"), target), 0);
    assert_int_equal(symlink("target", path_of("key")), 0);
    assert_error(key_file_generate(path_of("key")), expected);
    assert_no_error(read_keys(&keys));
    assert_key(&keys.all[0], 1);

    assert_int_equal(unlink(target), 0); /* The link leads nowhere now. */
    assert_error(key_file_generate(path_of("key")), expected);
    assert_int_equal(lstat(target, &s), -1);
    free(target);

    assert_int_equal(unlink(path_of("key")), 0);
    assert_int_equal(mkdir(path_of("key"), 0700), 0);
    assert_error(key_file_generate(path_of("key")), expected);
    assert_int_equal(rmdir(path_of("key")), 0);
    free(expected);
}

static void
test_a_folder_that_is_not_there(void **state OVS_UNUSED)
{
    char *expected =
        xasprintf("%s: cannot make the key file: No such file or directory",
                  path_of("none/key"));

    assert_error(key_file_generate(path_of("none/key")), expected);
    free(expected);
}

static int
set_up(void **state OVS_UNUSED)
{
    seal_init();
    strcpy(folder, "/tmp/test-key-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int
tear_down(void **state OVS_UNUSED)
{
    unlink(path_of("key"));
    rmdir(path_of("key"));
    unlink(path_of("target"));
    return rmdir(folder);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_good_files),
        TEST(test_bad_files),
        TEST(test_null_bytes),
        TEST(test_long_files),
        TEST(test_modes),
        TEST(test_owners),
        TEST(test_what_is_no_file),
        TEST(test_a_link_to_a_key),
        TEST(test_a_key_is_made),
        TEST(test_its_mode_does_not_depend_on_the_umask),
        TEST(test_nothing_is_overwritten),
        TEST(test_a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests_name("key-file", tests, NULL, NULL);
}
