/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "remotes.h"

#include <string.h>

#include "hash.h"
#include "openvswitch/util.h"
#include "util.h"
#include "wire.h"

void
remotes_init(struct remotes *remotes)
{
    hmap_init(&remotes->by_id);
    remotes->first_seq = 0;
    remotes->segment = NULL;
    remotes->n_segment = 0;
}

void
remotes_destroy(struct remotes *remotes)
{
    struct remote *remote;

    HMAP_FOR_EACH_POP (remote, node, &remotes->by_id) {
        free(remote);
    }
    hmap_destroy(&remotes->by_id);
    free(remotes->segment);
}

struct remote *
remotes_find(const struct remotes *remotes, uint64_t id)
{
    struct remote *remote;

    HMAP_FOR_EACH_WITH_HASH(remote, node, hash_uint64(id), &remotes->by_id)
    {
        if (remote->id == id) {
            return remote;
        }
    }
    return NULL;
}

static bool
is_on_segment(const struct remotes *remotes, uint64_t id)
{
    for (size_t i = 0; i < remotes->n_segment; i++) {
        if (remotes->segment[i] == id) {
            return true;
        }
    }
    return false;
}

void
remotes_set_segment(struct remotes *remotes, const uint64_t *ids, size_t n)
{
    struct remote *remote;

    free(remotes->segment);
    remotes->segment = n ? xmemdup(ids, n * sizeof *ids) : NULL;
    remotes->n_segment = n;
    HMAP_FOR_EACH (remote, node, &remotes->by_id) {
        remote->on_segment = is_on_segment(remotes, remote->id);
    }
}

struct remote *
remotes_get(struct remotes *remotes, uint64_t id, uint64_t session,
            long long int now)
{
    struct remote *remote = remotes_find(remotes, id);

    if (!remote && hmap_count(&remotes->by_id) < REMOTES_MAX) {
        remote = xzalloc(sizeof *remote);
        remote->id = id;
        remote->session = session;
        remote->started = remote->heard = now;
        remote->next_seq = remotes->first_seq;
        remote->on_segment = is_on_segment(remotes, id);
        window_init(&remote->window);
        hmap_insert(&remotes->by_id, &remote->node, hash_uint64(id));
    }
    return remote;
}

void
remotes_expire(struct remotes *remotes, long long int now,
               bool (*is_used)(const struct remote *, const void *),
               const void *aux)
{
    struct remote *remote;

    HMAP_FOR_EACH_SAFE (remote, node, &remotes->by_id) {
        if (now - remote->heard >= REMOTES_MAX_IDLE_MS
            && !is_used(remote, aux)) {
            remotes->first_seq = MAX(remotes->first_seq, remote->next_seq);
            hmap_remove(&remotes->by_id, &remote->node);
            free(remote);
        }
    }
}

bool
remote_take_session(struct remote *remote, uint64_t session, long long int now)
{
    if (session == remote->session) {
        return true;
    } else if (session == remote->last_session
               && now - MAX(remote->started, remote->heard)
                      <= REMOTES_MAX_LATE_MS) {
        return false;
    }
    remote->last_session = remote->session;
    remote->session = session;
    remote->started = now;
    window_restart(&remote->window);
    return true;
}

bool
remote_take_hello(struct remote *remote, const struct hello *h)
{
    bool changed =
        (h->n_macs
         && (remote->n_macs != h->n_macs
             || memcmp(remote->macs, h->macs, h->n_macs * sizeof *h->macs)));

    if (changed) {
        memcpy(remote->macs, h->macs, sizeof remote->macs);
        remote->n_macs = h->n_macs;
    }
    if (h->n_ports) {
        memcpy(remote->ports, h->ports, sizeof remote->ports);
        remote->n_ports = h->n_ports;
    }
    remote->superseded = false;
    remote->received = h->received;
    remote->lost = h->lost;
    if (h->role || !h->answers) {
        remote->role = h->role;
        remote->forwarder = h->forwarder;
        if (h->forwarder && h->forwarder != remote->id) {
            remote->other = h->forwarder;
        }
    }
    remote->version = (h->version_max >= WIRE_VERSION_MIN
                               && h->version_min <= WIRE_VERSION_MAX
                           ? MIN(h->version_max, WIRE_VERSION_MAX)
                           : 0);
    return changed;
}

bool
remotes_supersede(struct remotes *remotes, const struct remote *remote)
{
    struct remote *other =
        remote->other ? remotes_find(remotes, remote->other) : NULL;

    if (!other || other->superseded || other->role != RELAY_FORWARDING) {
        return false;
    }
    other->superseded = true;
    return true;
}
