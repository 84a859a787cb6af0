/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_KEY_FILE_H
#define SNOWRELAY_KEY_FILE_H 1

/* Key file: where the keys of a sealed mesh are kept.
 *
 * Text.  Each line is a key, 32 random bytes in base64 (RFC 4648, section 4),
 * or empty, or a comment after '#'.  The first key seals; a second one is
 * taken besides.  Nobody but its owner may be able to read or write it. */

#include <sys/types.h>

#include "openvswitch/compiler.h"

struct seal_keys;

/* Reads the keys in the file 'name', which belongs to root or to 'user', whom
 * this runs as or will run as, into '*keys'.  Returns NULL, or a message that
 * the caller frees, which says nothing of what is in the file, and then
 * '*keys' is all zeros. */
char *key_file_read(const char *name, uid_t user,
                    struct seal_keys *keys) OVS_WARN_UNUSED_RESULT;

/* Makes the file 'name', with a new key in it, for its owner only, whatever
 * the umask.  Never overwrites a file.  Returns NULL, or a message that the
 * caller frees, and then there is no new file. */
char *key_file_generate(const char *name) OVS_WARN_UNUSED_RESULT;

#endif /* key-file.h */
