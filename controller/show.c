/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "util.h"

void
show_table(const show_cell *cells, size_t n_rows, size_t n_columns,
           const bool *numbers, struct ds *out)
{
    int *widths = xcalloc(n_columns, sizeof *widths);

    for (size_t i = 0; i < n_rows * n_columns; i++) {
        int *width = &widths[i % n_columns];
        *width = MAX(*width, (int) strlen(cells[i]));
    }
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t j = 0; j < n_columns; j++) {
            const char *cell = cells[i * n_columns + j];
            bool last = j == n_columns - 1;

            if (numbers[j]) {
                ds_put_format(out, "%*s", widths[j], cell);
            } else {
                ds_put_format(out, "%-*s", last ? 0 : widths[j], cell);
            }
            ds_put_cstr(out, last ? "\n" : "  ");
        }
    }
    free(widths);
}

void
show_time(long long int ms, show_cell cell)
{
    time_t seconds = ms / 1000;
    struct tm tm;

    if (ms) {
        strftime(cell, SHOW_CELL_SIZE, "%F %T", localtime_r(&seconds, &tm));
    } else {
        ovs_strlcpy(cell, "-", SHOW_CELL_SIZE);
    }
}

json_t *
show_id_json(uint64_t id)
{
    return id ? json_sprintf("%016" PRIx64, id) : json_null();
}

json_t *
show_time_json(long long int ms)
{
    time_t seconds = ms / 1000;
    char text[32];
    struct tm tm;

    if (!ms) {
        return json_null();
    }
    strftime(text, sizeof text, "%FT%TZ", gmtime_r(&seconds, &tm));
    return json_string(text);
}
