/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "readiness.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bridge.h"
#include "conf.h"
#include "node.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "peering.h"
#include "peers.h"
#include "relay.h"
#include "show-segment.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(readiness);

enum {
    /* Between two lines on what the process does. */
    STATUS_INTERVAL_MS = 1000,

    /* Bytes that may wait for a service manager that does not read. */
    MAX_UNSENT = 4096
};

struct readiness {
    const struct node *node;
    bool wanted;             /* Is there anybody to tell? */
    int fd;                  /* The socket, connected, -1 if it is not. */
    char *unsent;            /* What could not be sent yet, or NULL. */
    char *line;              /* What was told last. */
    long long int next_line; /* When to look again, as of time_msec(). */
    bool skipped; /* Was it too early, so that something may have changed? */
};

/* Says that the service manager cannot be told, because of 'error', a positive
 * errno, and gives it up. */
static void
give_up(struct readiness *r, int error)
{
    VLOG_WARN("cannot tell the service manager at %s how this is: %s",
              getenv("NOTIFY_SOCKET"), ovs_strerror(error));
    if (r->fd >= 0) {
        close(r->fd);
        r->fd = -1;
    }
    r->wanted = false;
}

/* Connects to the socket 'name', which is abstract if it begins with "@" (see
 * unix(7)).  Returns 0 or a positive errno. */
static int
connect_to(struct readiness *r, const char *name)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    size_t length = strlen(name);

    if (length >= sizeof sun.sun_path) {
        return ENAMETOOLONG;
    }
    memcpy(sun.sun_path, name, length);
    if (*name == '@') {
        sun.sun_path[0] = '\0';
    } else if (*name != '/') {
        return EAFNOSUPPORT;
    }
    r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    length += offsetof(struct sockaddr_un, sun_path) + (*name != '@');
    return (r->fd < 0 || connect(r->fd, (struct sockaddr *) &sun, length)
                ? errno
                : 0);
}

struct readiness *
readiness_create(const struct node *node)
{
    struct readiness *r = xzalloc(sizeof *r);
    const char *name = getenv("NOTIFY_SOCKET");

    r->node = node;
    r->fd = -1;
    r->wanted = name && *name;
    if (r->wanted) {
        int error = connect_to(r, name);

        if (error) {
            give_up(r, error);
        }
    }
    return r;
}

void
readiness_destroy(struct readiness *r)
{
    if (r->fd >= 0) {
        close(r->fd);
    }
    free(r->unsent);
    free(r->line);
    free(r);
}

/* Sends 'message', behind what could not be sent before.  If the service
 * manager does not read, it waits for the next one. */
static void
tell(struct readiness *r, const char *message)
{
    if (!r->wanted) {
        return;
    }

    /* Of too much that has not been sent the last is what counts. */
    char *whole = (r->unsent && strlen(r->unsent) < MAX_UNSENT
                       ? xasprintf("%s\n%s", r->unsent, message)
                       : xstrdup(message));
    free(r->unsent);
    r->unsent = NULL;
    if (send(r->fd, whole, strlen(whole), MSG_NOSIGNAL) >= 0) {
        free(whole);
    } else if (errno == EAGAIN) {
        r->unsent = whole;
    } else {
        give_up(r, errno);
        free(whole);
    }
}

/* Appends what the relay does to 'line'. */
static void
put_relay(const struct node *node, struct ds *line)
{
    const struct relay *relay = node_relay(node);
    const struct config *config = node_config(node);
    const struct peers *peers = peering_peers(relay_peering(relay));
    char *forwarder = show_segment_forwarder(relay_segment(relay));

    ds_put_cstr(line, "; relaying");
    for (size_t i = 0; i < config->n_ports; i++) {
        ds_put_format(line, "%s %u", i ? "," : "", config->ports[i]);
    }
    ds_put_format(line,
                  "; %" PRIuSIZE " peers, %" PRIuSIZE
                  " of them sent to; forwarder: %s",
                  peers->n_all, peers->n_targets, forwarder);
    free(forwarder);
}

/* Returns what `status` says first, in one line, which the caller frees. */
static char *
status_line(const struct node *node)
{
    const struct config *config = node_config(node);
    struct ds line = DS_EMPTY_INITIALIZER;

    ds_put_format(&line, "bridge %s %s", config->bridge,
                  node_is_connected(node) ? "connected, flows in place"
                  : bridge_is_connected(node_bridge(node))
                      ? "connected, flows not in place yet"
                      : "not connected");
    if (config->n_ports) {
        put_relay(node, &line);
    } else {
        ds_put_cstr(&line, "; relaying nothing");
    }
    if (config->replicate.n) {
        ds_put_format(&line, "; %" PRIuSIZE " replication %s",
                      config->replicate.n,
                      config->replicate.n == 1 ? "rule" : "rules");
    }
    return ds_steal_cstr(&line);
}

/* Sends 'state', which ends in a newline or is empty, and the line. */
static void
tell_line(struct readiness *r, const char *state, char *line)
{
    char *message = xasprintf("%sSTATUS=%s", state, line);

    tell(r, message);
    free(message);
    free(r->line);
    r->line = line;
    r->next_line = time_msec() + STATUS_INTERVAL_MS;
    r->skipped = false;
}

void
readiness_ready(struct readiness *r)
{
    if (r->wanted) {
        tell_line(r, "READY=1\n", status_line(r->node));
    }
}

/* The time is for units of the type notify-reload. */
void
readiness_reloading(struct readiness *r)
{
    char *message;
    struct timespec now;

    xclock_gettime(CLOCK_MONOTONIC, &now);
    message = xasprintf("RELOADING=1\nMONOTONIC_USEC=%lld",
                        now.tv_sec * 1000000LL + now.tv_nsec / 1000);
    tell(r, message);
    free(message);
}

void
readiness_stopping(struct readiness *r)
{
    tell(r, "STOPPING=1\nSTATUS=stopping");
}

void
readiness_run(struct readiness *r)
{
    if (!r->wanted) {
        return;
    }
    if (time_msec() < r->next_line) {
        r->skipped = true;
        return;
    }

    char *line = status_line(r->node);
    if (!r->unsent && r->line && !strcmp(line, r->line)) {
        r->next_line = time_msec() + STATUS_INTERVAL_MS;
        r->skipped = false;
        free(line);
    } else {
        tell_line(r, "", line);
    }
}

/* One look follows what has happened since the last one, and then none until
 * something else wakes the process. */
void
readiness_wait(const struct readiness *r)
{
    if (r->skipped || r->unsent) {
        poll_timer_wait_until(r->next_line);
    }
}
