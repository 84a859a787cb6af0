/* SPDX-License-Identifier: Apache-2.0 */

/* The configuration file.
 *
 * The JSON itself is jansson's to parse, and the OpenFlow actions of
 * relay.forward and of the flows are libopenvswitch's; neither is built with
 * coverage. */

#include <config.h>
#include "fuzz.h"

#include <jansson.h>

#include "conf-file.h"
#include "conf-json.h"
#include "conf.h"
#include "error-line.h"

/* Returns the configuration in the 'length' bytes at 'text', NULL if it is
 * none. */
static struct config *
read_config(const char *text, size_t length)
{
    struct config *c = config_create();
    char *error = config_parse_json(c, text, length, "FILE");

    if (!error) {
        error = config_check(c);
    }
    if (error) {
        error = error_line(error); /* As who prints it does. */
        CHECK(error[0] && !strpbrk(error, "\r\n"));
        free(error);
        config_destroy(c);
        return NULL;
    }
    return c;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = copy_exactly(bytes, length);

    fuzz_begin();
    json_object_seed(1);
    struct config *c = read_config(text, length);
    if (c) {
        char *said = config_to_json(c);
        struct config *again = read_config(said, strlen(said));

        CHECK(again);
        char *said_again = config_to_json(again);
        CHECK(!strcmp(said, said_again));
        free(said_again);
        config_destroy(again);
        free(said);
        config_destroy(c);
    }
    free(text);
    return 0;
}
