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

/* Appends the 'length' bytes at 'text' to 'out', filled in.  Sets '*missing'
 * if a name has no value, or an empty one; without 'missing' the former is an
 * error. */
static char *
expand_names(const char *text, size_t length, const struct shash *values,
             bool *missing, struct ds *out)
{
    const char *end = text + length;

    while (text < end) {
        const char *dollar = memmem(text, end - text, "${", 2);
        if (!dollar) {
            ds_put_buffer(out, text, end - text);
            return NULL;
        }
        ds_put_buffer(out, text, dollar - text);

        const char *name = dollar + 2;
        const char *brace = memchr(name, '}', end - name);
        if (!brace) {
            return xasprintf("template: \"%.*s\" lacks its }",
                             (int) (end - dollar), dollar);
        }

        char *key = xmemdup0(name, brace - name);
        const char *value = shash_find_data(values, key);
        if (!value && !missing) {
            char *error = xasprintf("template: ${%s} has no value", key);
            free(key);
            return error;
        }
        free(key);
        if (missing && (!value || !*value)) {
            *missing = true;
        } else {
            ds_put_cstr(out, value);
        }
        text = brace + 1;
    }
    return NULL;
}

/* Appends the inside of a $[...] of 'length' bytes at 'text' to 'out', filled
 * in, or nothing if a name in it has no value. */
static char *
expand_option(const char *text, size_t length, const struct shash *values,
              struct ds *out)
{
    size_t before = out->length;
    bool missing = false;
    char *error = expand_names(text, length, values, &missing, out);

    if (missing) {
        ds_truncate(out, before);
    }
    return error;
}

/* Appends the line of 'length' bytes at 'line' to 'out', filled in. */
static char *
expand_line(const char *line, size_t length, const struct shash *values,
            struct ds *out)
{
    const char *end = line + length;
    char *error = NULL;

    while (!error && line < end) {
        const char *option = memmem(line, end - line, "$[", 2);
        if (!option) {
            return expand_names(line, end - line, values, NULL, out);
        }
        error = expand_names(line, option - line, values, NULL, out);

        const char *bracket = memchr(option, ']', end - option);
        if (!error && !bracket) {
            error = xasprintf("template: \"%.*s\" lacks its ]",
                              (int) (end - option), option);
        }
        if (!error) {
            error =
                expand_option(option + 2, bracket - option - 2, values, out);
            line = bracket + 1;
        }
    }
    return error;
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
