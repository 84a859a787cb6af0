/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "readiness.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

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

/* Between two lines on what the process does. */
enum { STATUS_INTERVAL_MS = 1000 };

struct readiness {
    const struct node *node;
    bool wanted;             /* Is there anybody to tell? */
    bool failed;             /* Has the log said that it does not work? */
    char *line;              /* What was told last. */
    long long int next_line; /* When to look again, as of time_msec(). */
    bool skipped; /* Was it too early, so that something may have changed? */
};

struct readiness *
readiness_create(const struct node *node)
{
    struct readiness *r = xzalloc(sizeof *r);
    const char *socket = getenv("NOTIFY_SOCKET");

    r->node = node;
    r->wanted = socket && *socket;
    return r;
}

void
readiness_destroy(struct readiness *r)
{
    free(r->line);
    free(r);
}

/* Sends 'message'. */
static void
tell(struct readiness *r, const char *message)
{
    int error = r->wanted ? sd_notify(false, message) : 0;

    if (error < 0 && !r->failed) {
        r->failed = true;
        VLOG_WARN("cannot tell the service manager at %s how this is: %s",
                  getenv("NOTIFY_SOCKET"), ovs_strerror(-error));
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
    if (r->line && !strcmp(line, r->line)) {
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
    if (r->skipped) {
        poll_timer_wait_until(r->next_line);
    }
}
