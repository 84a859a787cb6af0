/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_ERROR_LINE_H
#define SNOWRELAY_ERROR_LINE_H 1

/* Error line: a message that quotes what somebody gave, as one line.
 *
 * What was given can be anything: several lines, a terminal's control
 * sequences, a megabyte.  Pure. */

#include "openvswitch/compiler.h"

/* Bytes of the longest line. */
enum { ERROR_LINE_MAX = 640 };

/* Returns 'error' as one line that the caller frees, and frees 'error'.
 * Control characters, and what is not UTF-8, become escape sequences as in C;
 * of a line that is too long the middle is left out.  Returns NULL if 'error'
 * is NULL. */
char *error_line(char *error) OVS_WARN_UNUSED_RESULT;

#endif /* error-line.h */
