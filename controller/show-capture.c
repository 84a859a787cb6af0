/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-capture.h"

#include <inttypes.h>

#include "capture.h"
#include "error-line.h"
#include "openvswitch/util.h"
#include "util.h"

char *
show_capture_numbers(const struct capture *capture)
{
    struct capture_numbers n;

    capture_numbers(capture, &n);
    return xasprintf("%" PRIu64 " frames, %" PRIu64 " left out, %" PRIu64
                     " bytes, %lld.%lld s",
                     n.frames, n.left_out, n.bytes, n.ms / 1000,
                     n.ms / 100 % 10);
}

char *
show_capture(const struct capture *capture)
{
    if (!capture) {
        return xstrdup("none");
    }

    const struct capture_options *options = capture_options(capture);
    char *numbers = show_capture_numbers(capture);
    char *text =
        xasprintf("%s: %s; at most %" PRIu64 " bytes, %u s%s%s", options->file,
                  numbers, options->max_size, options->seconds,
                  options->expression ? "; filter: " : "",
                  options->expression ? options->expression : "");
    free(numbers);
    return error_line(text);
}

/* Returns 'text', which may be anything, as JSON's string, or null. */
static json_t *
to_json(const char *text)
{
    if (!text) {
        return json_null();
    }
    char *line = error_line(xstrdup(text));
    json_t *string = json_string(line);
    free(line);
    return string;
}

json_t *
show_capture_json(const struct capture *capture)
{
    if (!capture) {
        return json_null();
    }

    const struct capture_options *options = capture_options(capture);
    struct capture_numbers n;

    capture_numbers(capture, &n);
    /* clang-format off */
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:f, s:I, s:i}",
                     "file", to_json(options->file),
                     "filter", to_json(options->expression),
                     "frames", (json_int_t) n.frames,
                     "left_out", (json_int_t) n.left_out,
                     "bytes", (json_int_t) n.bytes,
                     "seconds", n.ms / 1000.0,
                     "max_bytes", (json_int_t) options->max_size,
                     "max_seconds", (int) options->seconds);
    /* clang-format on */
}

char *
show_capture_end(const struct capture *capture)
{
    const struct capture_options *options = capture_options(capture);
    int error;

    switch (capture_why_ended(capture, &error)) {
    case CAPTURE_END_STOP: return xstrdup("as told");
    case CAPTURE_END_SIZE:
        return xasprintf("at its largest size, %" PRIu64 " bytes",
                         options->max_size);
    case CAPTURE_END_TIME: return xasprintf("after %u s", options->seconds);
    case CAPTURE_END_OPEN:
        return xasprintf("since it cannot be made: %s", ovs_strerror(error));
    case CAPTURE_END_WRITE:
        return xasprintf("since it cannot be written: %s",
                         ovs_strerror(error));
    }
    OVS_NOT_REACHED();
}
