/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SHOW_H
#define SNOWRELAY_SHOW_H 1

/* What is shown alike wherever it is shown: tables, ids and times.  Pure: no
 * I/O. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds;

/* Room for a cell: a DNS name and a port fit. */
enum { SHOW_CELL_SIZE = 272 };
typedef char show_cell[SHOW_CELL_SIZE];

/* Appends to 'out' a table of the 'n_rows' rows of 'n_columns' 'cells' each,
 * of which the first is the heading.  Columns that are 'numbers' stand right.
 */
void show_table(const show_cell *cells, size_t n_rows, size_t n_columns,
                const bool *numbers, struct ds *out);

/* Writes 'ms', a time since 1970, to 'cell' as people here read it, "-" if it
 * is 0. */
void show_time(long long int ms, show_cell cell);

/* Return an id of 16 hexadecimal digits, null if it is 0; and 'ms', a time
 * since 1970, in the form of RFC 3339, null if it is 0.  The caller owns
 * them. */
json_t *show_id_json(uint64_t id);
json_t *show_time_json(long long int ms);

#endif /* show.h */
