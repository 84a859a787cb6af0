/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "key-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "openvswitch/util.h"
#include "privsep.h"
#include "seal.h"
#include "util.h"

enum {
    /* No file with two keys is longer. */
    MAX_BYTES = 4096,

    /* A key in base64, and the null byte. */
    TEXT_SIZE =
        sodium_base64_ENCODED_LEN(SEAL_KEY_LEN, sodium_base64_VARIANT_ORIGINAL)
};

/* Checks that the open file 'fd', 'name', is its owner's only, who is root or
 * 'user'.  Returns NULL, or a message that the caller frees. */
static char *
check_owner(int fd, const char *name, uid_t user)
{
    struct stat s;

    if (fstat(fd, &s)) {
        return xasprintf("%s: cannot look at the key file: %s", name,
                         ovs_strerror(errno));
    } else if (!S_ISREG(s.st_mode)) {
        return xasprintf("%s: the key file is not a regular file", name);
    } else if (s.st_mode & (S_IRWXG | S_IRWXO)) {
        return xasprintf("%s: others can use the key file, its mode is %04o: "
                         "run chmod 600 on it, and make another key if "
                         "somebody may have read it",
                         name, s.st_mode & 07777);
    } else if (s.st_uid && s.st_uid != user) {
        return xasprintf("%s: the key file belongs to user %u, neither to "
                         "root nor to user %u, who runs this",
                         name, (unsigned int) s.st_uid, (unsigned int) user);
    }
    return NULL;
}

/* Adds the key in 'text', line 'line' of 'name', to '*keys'. */
static char *
add_key(struct seal_keys *keys, const char *text, const char *name, int line)
{
    uint8_t bytes[SEAL_KEY_LEN];
    struct seal_key key;
    char *error = NULL;
    size_t length;

    if (sodium_base642bin(bytes, sizeof bytes, text, strlen(text), NULL,
                          &length, NULL, sodium_base64_VARIANT_ORIGINAL)
        || length != sizeof bytes) {
        sodium_memzero(bytes, sizeof bytes);
        return xasprintf("%s:%d: not a key of %d bytes in base64; snowrelayd "
                         "--generate-key makes one",
                         name, line, SEAL_KEY_LEN);
    }
    seal_key_set(&key, bytes);
    if (sodium_is_zero(bytes, sizeof bytes)) {
        error = xasprintf("%s:%d: a key of zeros is no secret", name, line);
    } else if (keys->n == SEAL_MAX_KEYS) {
        error =
            xasprintf("%s:%d: more than %d keys", name, line, SEAL_MAX_KEYS);
    } else if (seal_keys_find(keys, key.id)) {
        error = xasprintf("%s:%d: the same key as the one before, or one that "
                          "cannot be told from it",
                          name, line);
    } else {
        keys->all[keys->n++] = key;
    }
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(&key, sizeof key);
    return error;
}

/* Reads the keys in 'text', which is changed, into '*keys'. */
static char *
parse(struct seal_keys *keys, char *text, const char *name)
{
    char *error = NULL;
    char *line;
    int n = 0;

    while (!error && (line = strsep(&text, "\n")) != NULL) {
        n++;
        line[strcspn(line, "#")] = '\0';
        line += strspn(line, " \t");
        for (size_t i = strlen(line); i && strchr(" \t\r", line[i - 1]); i--) {
            line[i - 1] = '\0';
        }
        if (*line) {
            error = add_key(keys, line, name, n);
        }
    }
    if (!error && !keys->n) {
        error = xasprintf("%s: no key in the key file; snowrelayd "
                          "--generate-key makes one",
                          name);
    }
    return error;
}

/* Reads the open file 'fd', 'name', to its end.  Stores what is in it, which
 * the caller frees, in '*text', and returns NULL, or returns a message. */
static char *
read_all(int fd, const char *name, char **text)
{
    size_t length = 0;

    *text = xzalloc(MAX_BYTES + 1);
    while (length <= MAX_BYTES) {
        ssize_t n = read(fd, *text + length, MAX_BYTES + 1 - length);

        if (!n) {
            break;
        } else if (n > 0) {
            length += n;
        } else if (errno != EINTR) {
            return xasprintf("%s: cannot read the key file: %s", name,
                             ovs_strerror(errno));
        }
    }
    if (length > MAX_BYTES || strlen(*text) != length) {
        return xasprintf("%s: not a key file", name);
    }
    return NULL;
}

/* Opens the file 'name' without waiting for anybody who may be at its other
 * end.  Returns a file descriptor, or a negative errno. */
static int
open_file(const char *name)
{
    if (privsep_is_on()) {
        return privsep_open(name);
    }
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        fd = -errno;
    }
    return fd;
}

char *
key_file_read(const char *name, uid_t user, struct seal_keys *keys)
{
    char *text = NULL;

    seal_init();
    sodium_memzero(keys, sizeof *keys);
    int fd = open_file(name);
    if (fd < 0) {
        return xasprintf("%s: cannot open the key file: %s%s", name,
                         ovs_strerror(-fd),
                         fd == -EACCES && privsep_is_on()
                             ? "; one of another name than at the start must "
                               "be the user's who runs this"
                             : "");
    }
    char *error = check_owner(fd, name, user);
    if (!error) {
        error = read_all(fd, name, &text);
    }
    if (!error) {
        error = parse(keys, text, name);
    }
    close(fd);
    if (text) {
        sodium_memzero(text, MAX_BYTES + 1);
        free(text);
    }
    if (error) {
        sodium_memzero(keys, sizeof *keys);
    }
    return error;
}

char *
key_file_generate(const char *name)
{
    uint8_t bytes[SEAL_KEY_LEN];
    char text[TEXT_SIZE];
    char *error = NULL;

    seal_init();
    int fd =
        open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return xasprintf("%s: cannot make the key file: %s", name,
                         errno == EEXIST
                             ? "it is there already, and may be in use"
                             : ovs_strerror(errno));
    }
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(text, sizeof text, bytes, sizeof bytes,
                      sodium_base64_VARIANT_ORIGINAL);
    text[TEXT_SIZE - 1] = '\n'; /* In place of the null byte. */
    ssize_t n = write(fd, text, sizeof text);
    if (n != sizeof text || fchmod(fd, S_IRUSR | S_IWUSR) || fsync(fd)) {
        error = xasprintf("%s: cannot write the key file: %s", name,
                          n >= 0 && n != sizeof text ? "no space left"
                                                     : ovs_strerror(errno));
        unlink(name);
    }
    close(fd);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(text, sizeof text);
    return error;
}
