/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "template.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "util.h"

const char *
template_text(const char *name)
{
    const struct template *t;

    for (t = templates; t->name; t++) {
        if (!strcmp(t->name, name)) {
            return t->text;
        }
    }
    OVS_NOT_REACHED();
}

void
template_set(struct shash *values, const char *name, char *value)
{
    free(shash_replace(values, name, value));
}

/* Appends the line of 'length' bytes at 'line' to 'out', filled in. */
static char *
expand_line(const char *line, size_t length, const struct shash *values,
            struct ds *out)
{
    const char *end = line + length;

    while (line < end) {
        const char *dollar = memmem(line, end - line, "${", 2);
        if (!dollar) {
            ds_put_buffer(out, line, end - line);
            return NULL;
        }
        ds_put_buffer(out, line, dollar - line);

        const char *name = dollar + 2;
        const char *brace = memchr(name, '}', end - name);
        if (!brace) {
            return xasprintf("template: \"%.*s\" lacks its }",
                             (int) (end - dollar), dollar);
        }

        char *key = xmemdup0(name, brace - name);
        const char *value = shash_find_data(values, key);
        if (!value) {
            char *error = xasprintf("template: ${%s} has no value", key);
            free(key);
            return error;
        }
        free(key);
        ds_put_cstr(out, value);
        line = brace + 1;
    }
    return NULL;
}

char *
template_expand(const char *text, const struct shash *values, char **result)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    *result = NULL;
    while (*text) {
        size_t length = strcspn(text, "\n");

        if (length && text[0] != '#') {
            if (out.length) {
                ds_put_char(&out, '\n');
            }
            char *error = expand_line(text, length, values, &out);
            if (error) {
                ds_destroy(&out);
                return error;
            }
        }
        text += length + (text[length] == '\n');
    }
    *result = ds_steal_cstr(&out);
    return NULL;
}
