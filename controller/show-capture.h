/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SHOW_CAPTURE_H
#define SNOWRELAY_SHOW_CAPTURE_H 1

/* A capture (capture.h) as text for people and as JSON for programs.  The
 * caller frees what is returned. */

#include <jansson.h>

struct capture;

/* Returns what there is of 'capture', such as "7 frames, 0 left out, 1234
 * bytes, 1.5 s". */
char *show_capture_numbers(const struct capture *);

/* Returns the line of 'capture', which is running, or NULL for none, without
 * its end. */
char *show_capture(const struct capture *);

/* Returns the same as an object, or JSON's null. */
json_t *show_capture_json(const struct capture *);

/* Returns in which way 'capture', which has ended, has done so, as the end of
 * a sentence. */
char *show_capture_end(const struct capture *);

#endif /* show-capture.h */
