/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "error-line.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "util.h"

/* What begins a line that is too long, and what ends it: the name of what is
 * wrong, and what is allowed. */
enum { HEAD = 320, TAIL = ERROR_LINE_MAX - HEAD - 3 };

/* Returns the length of the UTF-8 character at 's' of which one can be sure
 * that it only shows itself: not of a control character, U+0000 to U+001F and
 * U+007F to U+009F.  Returns 0 if there is none. */
static size_t
harmless_length(const char *s)
{
    uint8_t first = s[0];
    size_t length = (first < 0x80   ? 1
                     : first < 0xc2 ? 0
                     : first < 0xe0 ? 2
                     : first < 0xf0 ? 3
                     : first < 0xf5 ? 4
                                    : 0);
    if (length == 1) {
        return first >= 0x20 && first != 0x7f;
    }
    for (size_t i = 1; i < length; i++) {
        if (((uint8_t) s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return first == 0xc2 && (uint8_t) s[1] < 0xa0 ? 0 : length;
}

static void
put_escaped(struct ds *line, uint8_t byte)
{
    switch (byte) {
    case '\n': ds_put_cstr(line, "\\n"); break;
    case '\r': ds_put_cstr(line, "\\r"); break;
    case '\t': ds_put_cstr(line, "\\t"); break;
    default: ds_put_format(line, "\\x%02x", byte);
    }
}

/* Returns true if a character begins at the byte 'byte'. */
static bool
begins_character(char byte)
{
    return ((uint8_t) byte & 0xc0) != 0x80;
}

char *
error_line(char *error)
{
    struct ds line = DS_EMPTY_INITIALIZER;

    if (!error) {
        return NULL;
    }
    for (const char *s = error; *s;) {
        size_t length = harmless_length(s);

        if (length) {
            ds_put_buffer(&line, s, length);
            s += length;
        } else {
            put_escaped(&line, *s++);
        }
    }
    free(error);

    char *text = ds_steal_cstr(&line);
    size_t length = strlen(text);
    if (length > ERROR_LINE_MAX) {
        size_t head = HEAD, tail = length - TAIL;

        while (!begins_character(text[head])) {
            head--;
        }
        while (!begins_character(text[tail])) {
            tail++;
        }
        memcpy(text + head, "...", 3);
        memmove(text + head + 3, text + tail, length - tail + 1);
    }
    return text;
}
