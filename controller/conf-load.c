/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "conf-load.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf-file.h"
#include "conf.h"
#include "error-line.h"
#include "key-file.h"
#include "openvswitch/util.h"
#include "options.h"
#include "privsep.h"
#include "timeval.h"
#include "util.h"

/* Sets the broadcast ports to those in 'text', which has commas in between. */
static char *
set_ports(struct config *c, const char *source, const char *text)
{
    char *copy = xstrdup(text);
    char *save = copy;
    char *error = NULL;
    char *port;

    config_clear_ports(c);
    while (!error && (port = strsep(&save, ",")) != NULL) {
        error = config_set_port(c, source, port);
    }
    free(copy);
    return error;
}

/* A relative name of a key file is one in the folder of the configuration
 * file, 'name'. */
static void
place_key_file(struct config *c, const char *name)
{
    char *folder = dir_name(name);
    char *file = abs_file_name(folder, c->key_file);

    free(folder);
    free(c->key_file);
    c->key_file = file;
}

/* No configuration is longer; a device or a log given by mistake is.  Nor does
 * one take longer to come out of a pipe; a reload holds up everything else. */
enum { MAX_BYTES = 1024 * 1024, MAX_WAIT_MS = 2000 };

/* Reads at most 'max' bytes from 'fd' to 'text' and stores their number in
 * '*length'.  Returns 0 or an errno value. */
static int
read_bytes(int fd, char *text, size_t max, size_t *length)
{
    long long int deadline = time_msec() + MAX_WAIT_MS;
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };

    for (*length = 0; *length < max;) {
        long long int left = deadline - time_msec();
        int n_ready = left > 0 ? poll(&pollfd, 1, left) : 0;

        if (!n_ready) {
            return ETIMEDOUT;
        }
        ssize_t n = n_ready < 0 ? -1 : read(fd, text + *length, max - *length);
        if (n > 0) {
            *length += n;
        } else if (!n) {
            break;
        } else if (errno != EINTR && errno != EAGAIN) {
            return errno;
        }
    }
    return 0;
}

/* Reads the file 'name' into 'c'. */
static char *
read_file(struct config *c, const char *name)
{
    int fd = privsep_open(name);
    if (fd < 0) {
        return xasprintf("%s: cannot open the configuration file: %s", name,
                         fd == -EINVAL ? "not a regular file"
                                       : ovs_strerror(-fd));
    }

    char *text = xmalloc(MAX_BYTES + 1);
    size_t length;
    int read_error = read_bytes(fd, text, MAX_BYTES + 1, &length);
    char *error;

    close(fd);
    if (read_error) {
        error = xasprintf("%s: cannot read the configuration file: %s", name,
                          ovs_strerror(read_error));
    } else if (length > MAX_BYTES) {
        error =
            xasprintf("%s: longer than 1 MiB, so not a configuration", name);
    } else {
        error = config_parse_json(c, text, length, name);
    }
    free(text);
    if (!error && c->key_file) {
        place_key_file(c, name);
    }
    return error;
}

/* A value that may come from the command line or from the environment. */
struct setting {
    const char *option_name; /* NULL if there is none. */
    const char *option;      /* Value from the command line, or NULL. */
    const char *variable;    /* Name in the environment. */
    char *(*set)(struct config *, const char *source, const char *text);
};

static char *
apply_setting(struct config *c, const struct setting *s)
{
    const char *value = getenv(s->variable);

    if (s->option) {
        return s->set(c, s->option_name, s->option);
    }
    return value && *value ? s->set(c, s->variable, value) : NULL;
}

/* Applies the command line and the environment to 'c'. */
static char *
apply_options(struct config *c, const struct options *o)
{
    const struct setting settings[] = {
        { "--target-interface", o->target_interface, "TARGET_INTERFACE",
          config_set_bridge },
        { "--broadcast-port", o->broadcast_port, "BDCAST_PORT", set_ports },
        { "--mesh-port", o->mesh_port, "MESH_PORT", config_set_mesh_port },
        { "--transport", o->transport, "MESH_TRANSPORT",
          config_set_transport },
        { "--log-level", o->log_level, "LOGLEVEL", config_set_log_level },
        { NULL, NULL, "SERVICENAME", config_set_service },
    };
    char *error = NULL;

    for (size_t i = 0; !error && i < ARRAY_SIZE(settings); i++) {
        error = apply_setting(c, &settings[i]);
    }
    if (!error && o->other_relays.n) {
        peer_specs_clear(&c->peers);
    }
    for (size_t i = 0; !error && i < o->other_relays.n; i++) {
        error = config_add_peer(c, "--other-relays", o->other_relays.names[i]);
    }
    return error;
}

/* Reads the keys of the mesh, if there are any, for 'user'. */
static char *
read_keys(struct config *c, uid_t user)
{
    return c->key_file ? key_file_read(c->key_file, user, &c->keys) : NULL;
}

/* Applies all that 'options' ask for to 'c', the weakest source first. */
static char *
apply_sources(struct config *c, const struct options *options)
{
    char *error = NULL;

    if (options->config_file) {
        error = read_file(c, options->config_file);
    }
    if (!error) {
        error = apply_options(c, options);
    }
    if (!error && options->switch_target) {
        error = config_set_switch(c, "--switch", options->switch_target);
    }
    if (!error && options->database) {
        error = config_set_database(c, "--db", options->database);
    }
    if (!error) {
        error = config_check(c);
    }
    return error ? error : read_keys(c, options->uid);
}

char *
config_load(const struct options *options, struct config **configp)
{
    struct config *c = config_create();
    char *error = error_line(apply_sources(c, options));

    if (error) {
        config_destroy(c);
        c = NULL;
    }
    *configp = c;
    return error;
}
