/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TEMPLATE_H
#define SNOWRELAY_TEMPLATE_H 1

/* Templates: the text in flows/ and how its ${names} are filled in.
 *
 * What the switch is told is written in flows/, in the syntax of ovs-ofctl(8)
 * with a few ${names}, and $[...] around what is left out where a name in it
 * has no value; the build compiles those files in.  This module knows nothing
 * of their meaning: it finds a file by its name and replaces names by values.
 * Pure: no I/O, no state. */

#include "openvswitch/shash.h"
#include "openvswitch/compiler.h"

/* One file of flows/. */
struct template
{
    const char *name; /* File name, such as "punt.flow". */
    const char *text; /* Its content. */
};

/* All files of flows/, made by the build.  The last one has a null name. */
extern const struct template templates[];

/* Returns the text of the file 'name' of flows/.  The file must exist: its
 * name is a constant in the caller. */
const char *template_text(const char *name);

/* Sets 'name' to 'value', which it takes over, in 'values', a map for
 * template_expand(). */
void template_set(struct shash *values, const char *name, char *value);

/* Fills in 'text', which may have several lines, from 'values', a map from a
 * name to a "const char *".  Lines that start with '#' and empty lines are
 * left out, and so is the end of the last line.
 *
 * On success returns NULL and stores the text in '*result'; the caller frees
 * it.  Otherwise, where 'text' uses a name that 'values' does not have,
 * outside of
 * $[...], or does not close a brace or bracket, returns a message that the
 * caller frees and sets
 * '*result' to NULL. */
char *template_expand(const char *text, const struct shash *values,
                      char **result) OVS_WARN_UNUSED_RESULT;

#endif /* template.h */
