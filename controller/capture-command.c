/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "capture-command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture-file.h"
#include "capture.h"
#include "conf.h"
#include "error-line.h"
#include "filter.h"
#include "latch.h"
#include "node.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "show-capture.h"
#include "unicode.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(capture);

#define DEFAULT_SIZE UINT64_C(100000000)
#define MAX_SIZE UINT64_C(1000000000000)
enum { DEFAULT_SECONDS = 600, MAX_SECONDS = 7 * 24 * 3600 };

struct capture_command {
    struct node *node;
    const char *user;
    struct latch latch; /* Set when the capture's state has changed. */
    struct capture *capture;
    bool running; /* Is it on the tap? */
    char *last;   /* What to say of the last one, NULL for none. */
    struct unixctl_conn *start_conn, *stop_conn; /* To answer, or NULL. */
};

/* Answers, if there is whom to answer. */

/* Frees 'error'. */
static void
refuse(struct unixctl_conn *conn, char *error)
{
    error = error_line(error);
    if (conn) {
        unixctl_command_reply_error(conn, error);
    }
    free(error);
}

/* Frees 'text'. */
static void
answer(struct unixctl_conn *conn, char *text)
{
    if (conn) {
        unixctl_command_reply(conn, text);
    }
    free(text);
}

/* Options. */

/* Parses 'text', a number from 'min' to 'max', which with 'units' may have K,
 * M or G behind it.  Returns false if it is anything else. */
static bool
parse_number(const char *text, bool units, uint64_t min, uint64_t max,
             uint64_t *number)
{
    static const char letters[] = "KMG";
    char *end;

    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    unsigned long long int n = strtoull(text, &end, 10);
    if (errno || n > max) {
        return false;
    }
    const char *letter = units && *end ? strchr(letters, *end) : NULL;
    if (letter) {
        for (const char *p = letters; p <= letter; p++) {
            if (n > max / 1000) {
                return false;
            }
            n *= 1000;
        }
        end++;
    }
    *number = n;
    return !*end && n >= min && n <= max;
}

/* Takes in the option 'name' with 'value', which is NULL if there is none.
 * Returns NULL, or a message that the caller frees. */
static char *OVS_WARN_UNUSED_RESULT
parse_option(const char *name, const char *value,
             struct capture_options *options)
{
    uint64_t number;

    if (strcmp(name, "--seconds") && strcmp(name, "--size")) {
        return xasprintf("\"%s\" is neither --seconds nor --size", name);
    }
    if (!value) {
        return xasprintf("%s: a number must follow", name);
    }
    if (!strcmp(name, "--size")) {
        return (parse_number(value, true, CAPTURE_FILE_MIN_SIZE, MAX_SIZE,
                             &options->max_size)
                    ? NULL
                    : xasprintf("--size: \"%s\" is not a number of bytes from "
                                "10K to 1000G",
                                value));
    }
    if (!parse_number(value, false, 1, MAX_SECONDS, &number)) {
        return xasprintf("--seconds: \"%s\" is not a number from 1 to %d",
                         value, MAX_SECONDS);
    }
    options->seconds = number;
    return NULL;
}

/* Returns the 'n' words of 'words' with blanks in between, or NULL if there is
 * nothing in them.  The caller frees it. */
static char *
join(int n, const char *words[])
{
    struct ds text = DS_EMPTY_INITIALIZER;

    for (int i = 0; i < n; i++) {
        ds_put_format(&text, "%s%s", i ? " " : "", words[i]);
    }
    if (ds_cstr(&text)[strspn(ds_cstr(&text), " \t\n")]) {
        return ds_steal_cstr(&text);
    }
    ds_destroy(&text);
    return NULL;
}

/* Returns NULL if 'text' can be shown in a line, or a message that the caller
 * frees. */
static char *OVS_WARN_UNUSED_RESULT
check_line(const char *text)
{
    char *problem = utf8_validate(text, NULL);
    bool bad = problem != NULL;

    for (const char *p = text; *p; p++) {
        /* Control characters: of ASCII, and C1 in UTF-8. */
        bad |= ((unsigned char) *p < ' ' || *p == 0x7f
                || ((uint8_t) p[0] == 0xc2 && (uint8_t) p[1] < 0xa0));
    }
    free(problem);
    return (bad ? xasprintf("\"%s\" has characters that cannot be shown", text)
                : NULL);
}

/* Parses what follows the command's name.  'options->expression', and the
 * filter if that succeeds, are the caller's to free.  Returns NULL, or a
 * message that the caller frees. */
static char *OVS_WARN_UNUSED_RESULT
parse_arguments(int argc, const char *argv[], struct capture_options *options)
{
    int i = 1;

    for (; i < argc && !strncmp(argv[i], "--", 2); i += 2) {
        char *error =
            parse_option(argv[i], i + 1 < argc ? argv[i + 1] : NULL, options);
        if (error) {
            return error;
        }
    }
    if (i >= argc) {
        return xstrdup("the name of a file must follow");
    }
    options->file = argv[i++];
    if (options->file[0] != '/') {
        return xasprintf("\"%s\" does not begin with a slash, and the daemon "
                         "has a working folder of its own",
                         options->file);
    }
    options->expression = join(argc - i, argv + i);
    char *problem = check_line(options->file);
    if (!problem && options->expression) {
        problem = check_line(options->expression);
    }
    if (problem) {
        return problem;
    }
    if (options->expression) {
        char *message = filter_compile(options->expression, &options->filter);
        if (message) {
            char *error =
                xasprintf("filter \"%s\": %s", options->expression, message);
            free(message);
            return error;
        }
    }
    return NULL;
}

/* The capture. */

/* Puts 'capture', or with NULL none, on the tap. */
static void
set_tap(struct capture_command *cmd, struct capture *capture)
{
    node_set_capture(cmd->node, capture);
    cmd->running = capture != NULL;
    poll_immediate_wake(); /* The switch may have to be told. */
}

static void
start(struct unixctl_conn *conn, int argc, const char *argv[], void *cmd_)
{
    struct capture_command *cmd = cmd_;
    struct capture_options options = {
        .max_size = DEFAULT_SIZE,
        .seconds = DEFAULT_SECONDS,
        .mesh = node_config(cmd->node)->mesh,
    };
    char *error =
        (cmd->capture ? xasprintf("a capture is running already, into \"%s\"",
                                  capture_options(cmd->capture)->file)
                      : parse_arguments(argc, argv, &options));

    if (!error) {
        int code = capture_start(&options, &cmd->latch, &cmd->capture);

        if (code) {
            filter_destroy(options.filter);
            error = xasprintf("no thread for it: %s", ovs_strerror(code));
        }
    }
    free(CONST_CAST(char *, options.expression));
    if (error) {
        refuse(conn, xasprintf("capture/start: %s", error));
        free(error);
    } else {
        cmd->start_conn = conn;
    }
}

static void
stop(struct unixctl_conn *conn, int argc OVS_UNUSED,
     const char *argv[] OVS_UNUSED, void *cmd_)
{
    struct capture_command *cmd = cmd_;

    if (!cmd->capture) {
        refuse(conn, xasprintf("capture/stop: no capture is running%s%s",
                               cmd->last ? "; the last: " : "",
                               cmd->last ? cmd->last : ""));
    } else if (cmd->stop_conn) {
        refuse(conn, xasprintf("capture/stop: the capture into \"%s\" is "
                               "being ended already",
                               capture_options(cmd->capture)->file));
    } else {
        cmd->stop_conn = conn;
        capture_stop(cmd->capture);
    }
}

static void
show(struct unixctl_conn *conn, int argc OVS_UNUSED,
     const char *argv[] OVS_UNUSED, void *cmd_)
{
    struct capture_command *cmd = cmd_;
    char *now = show_capture(cmd->running ? cmd->capture : NULL);

    answer(conn, xasprintf("running: %s\nlast: %s\n", now,
                           cmd->last ? cmd->last : "none"));
    free(now);
}

/* Returns true if 'capture' has ended because something went wrong. */
static bool
has_failed(const struct capture *capture)
{
    int error;

    capture_why_ended(capture, &error);
    return error != 0;
}

/* The file has been made. */
static void
begin(struct capture_command *cmd)
{
    const struct capture_options *o = capture_options(cmd->capture);
    char *text = xasprintf(
        "capture into %s started: at most %" PRIu64 " bytes, %u s%s%s\n",
        o->file, o->max_size, o->seconds, o->expression ? "; filter: " : "",
        o->expression ? o->expression : "");

    set_tap(cmd, cmd->capture);
    VLOG_INFO("capture into %s started: at most %" PRIu64 " bytes, %u s; "
              "filter: %s",
              o->file, o->max_size, o->seconds,
              o->expression ? o->expression : "none");
    answer(cmd->start_conn, text);
    cmd->start_conn = NULL;
}

/* Returns why the file 'name' could not be made, as errno value 'code' has it.
 */
static char *
explain(const struct capture_command *cmd, const char *name, int code)
{
    char *folder = dir_name(name);
    char *who = (cmd->user ? xasprintf("user \"%s\"", cmd->user)
                           : xasprintf("uid %ld", (long int) geteuid()));
    char *error;

    if (code == EEXIST) {
        error = xasprintf("\"%s\" is there already, and nothing is "
                          "overwritten",
                          name);
    } else if (code == EACCES || code == EPERM) {
        error = xasprintf("cannot make \"%s\": %s: the daemon, %s, must be "
                          "able to write in \"%s\"",
                          name, ovs_strerror(code), who, folder);
    } else {
        error = xasprintf("cannot make \"%s\": %s", name, ovs_strerror(code));
    }
    free(who);
    free(folder);
    return error;
}

/* The file could not be made, or not be begun. */
static void
give_up(struct capture_command *cmd)
{
    const char *name = capture_options(cmd->capture)->file;
    int code;
    char *error =
        (capture_why_ended(cmd->capture, &code) == CAPTURE_END_OPEN
             ? explain(cmd, name, code)
             : xasprintf("cannot write \"%s\": %s", name, ovs_strerror(code)));

    refuse(cmd->start_conn, xasprintf("capture/start: %s", error));
    cmd->start_conn = NULL;
    free(error);
    if (cmd->stop_conn) {
        refuse(cmd->stop_conn, xstrdup("capture/stop: it has not started"));
        cmd->stop_conn = NULL;
    }
}

/* A capture that was running has ended. */
static void
end(struct capture_command *cmd)
{
    char *why = show_capture_end(cmd->capture);
    char *numbers = show_capture_numbers(cmd->capture);
    bool bad = has_failed(cmd->capture);

    set_tap(cmd, NULL);
    free(cmd->last);
    cmd->last = error_line(xasprintf(
        "%s ended %s: %s", capture_options(cmd->capture)->file, why, numbers));
    VLOG(bad ? VLL_WARN : VLL_INFO, "capture into %s ended %s: %s",
         capture_options(cmd->capture)->file, why, numbers);
    if (bad) {
        refuse(cmd->stop_conn, xasprintf("capture/stop: %s", cmd->last));
    } else {
        answer(cmd->stop_conn, xasprintf("capture into %s\n", cmd->last));
    }
    cmd->stop_conn = NULL;
    free(numbers);
    free(why);
}

void
capture_command_run(struct capture_command *cmd)
{
    if (!latch_poll(&cmd->latch) || !cmd->capture) {
        return;
    }

    enum capture_state state = capture_state(cmd->capture);
    if (!cmd->running && state != CAPTURE_OPENING
        && !(state == CAPTURE_ENDED && has_failed(cmd->capture))) {
        begin(cmd);
    }
    if (state == CAPTURE_ENDED) {
        if (cmd->running) {
            end(cmd);
        } else {
            give_up(cmd);
        }
        capture_destroy(cmd->capture);
        cmd->capture = NULL;
    }
}

void
capture_command_wait(struct capture_command *cmd)
{
    latch_wait(&cmd->latch);
}

struct capture_command *
capture_command_create(struct node *node, const char *user)
{
    struct capture_command *cmd = xzalloc(sizeof *cmd);

    cmd->node = node;
    cmd->user = user;
    latch_init(&cmd->latch);
    unixctl_command_register(
        "capture/start", "[--seconds N] [--size N[K|M|G]] FILE [FILTER...]", 1,
        INT_MAX, start, cmd);
    unixctl_command_register("capture/stop", "", 0, 0, stop, cmd);
    unixctl_command_register("capture/show", "", 0, 0, show, cmd);
    return cmd;
}

void
capture_command_destroy(struct capture_command *cmd)
{
    if (!cmd) {
        return;
    }
    set_tap(cmd, NULL);
    refuse(cmd->start_conn, xstrdup("snowrelayd is exiting"));
    refuse(cmd->stop_conn, xstrdup("snowrelayd is exiting"));
    free(cmd->last);
    if (cmd->capture) {
        char *file = error_line(xstrdup(capture_options(cmd->capture)->file));

        if (!capture_destroy(cmd->capture)) {
            VLOG_WARN("capture into %s: the disk does not answer, and what "
                      "waits for it is lost",
                      file);
            free(file);
            return; /* The capture's thread still has the latch. */
        }
        VLOG_INFO("capture into %s ended, since snowrelayd is exiting", file);
        free(file);
    }
    latch_destroy(&cmd->latch);
    free(cmd);
}
