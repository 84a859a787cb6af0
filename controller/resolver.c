/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "resolver.h"

#include <ares.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(resolver);

/* A name that is looked up. */
struct lookup {
    struct resolver *resolver;
    char *name;
    struct resolution resolution;
    bool told; /* Has the present failure been logged? */
};

struct resolver {
    struct shash lookups;     /* From name to "struct lookup". */
    ares_channel channel;     /* Of the round in flight, or NULL. */
    size_t n_pending;         /* Look-ups of it without an answer. */
    long long int next_round; /* time_msec(), LLONG_MAX for never. */
    unsigned int seqno;
};

struct resolver *
resolver_create(void)
{
    struct resolver *r = xzalloc(sizeof *r);

    int error = ares_library_init(ARES_LIB_INIT_ALL);
    if (error) {
        ovs_fatal(0, "cannot set up name resolution: %s",
                  ares_strerror(error));
    }
    shash_init(&r->lookups);
    r->next_round = LLONG_MAX;
    return r;
}

static void
lookup_destroy(struct lookup *lookup)
{
    free(lookup->name);
    free(lookup);
}

/* Ends the round in flight, if there is one.  Look-ups without an answer are
 * told ARES_EDESTRUCTION. */
static void
end_round(struct resolver *r)
{
    if (r->channel) {
        ares_destroy(r->channel);
        r->channel = NULL;
    }
}

void
resolver_destroy(struct resolver *r)
{
    if (r) {
        struct shash_node *node;

        end_round(r);
        SHASH_FOR_EACH (node, &r->lookups) {
            lookup_destroy(node->data);
        }
        shash_destroy(&r->lookups);
        ares_library_cleanup();
        free(r);
    }
}

void
resolver_set_names(struct resolver *r, const struct sset *names)
{
    struct shash_node *node;
    const char *name;

    /* Look-ups in flight point to what may go now. */
    end_round(r);

    SHASH_FOR_EACH_SAFE (node, &r->lookups) {
        if (!sset_contains(names, node->name)) {
            lookup_destroy(node->data);
            shash_delete(&r->lookups, node);
        }
    }
    SSET_FOR_EACH (name, names) {
        if (!shash_find(&r->lookups, name)) {
            struct lookup *lookup = xzalloc(sizeof *lookup);
            lookup->resolver = r;
            lookup->name = xstrdup(name);
            shash_add(&r->lookups, name, lookup);
        }
    }
    r->next_round = shash_is_empty(&r->lookups) ? LLONG_MAX : time_msec();
}

/* Copies the addresses in 'info' to '*resolution'. */
static void
take_addresses(const struct ares_addrinfo *info, struct resolution *resolution)
{
    const struct ares_addrinfo_node *node;

    for (node = info->nodes; node && resolution->n < RESOLVER_MAX_ADDRESSES;
         node = node->ai_next) {
        struct endpoint endpoint;

        if (endpoint_from_sockaddr(node->ai_addr, &endpoint)) {
            resolution->addresses[resolution->n++] = endpoint.address;
        }
    }
}

/* Takes the answer to a look-up, which may be that there is none. */
static void
lookup_done(void *lookup_, int status, int timeouts OVS_UNUSED,
            struct ares_addrinfo *info)
{
    struct lookup *lookup = lookup_;
    struct resolver *r = lookup->resolver;
    struct resolution found = { .n = 0 };

    r->n_pending--;
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) {
        return;
    }
    if (status == ARES_SUCCESS) {
        take_addresses(info, &found);
        ares_freeaddrinfo(info);
    }

    if (!found.n) {
        if (!lookup->told) {
            lookup->told = true;
            VLOG_WARN("%s: no address found (%s)%s", lookup->name,
                      ares_strerror(status),
                      lookup->resolution.n ? "; its last known ones stay"
                                           : "; asking again");
        }
        return;
    }

    if (lookup->told) {
        VLOG_INFO("%s: address found again", lookup->name);
        lookup->told = false;
    }
    if (memcmp(&lookup->resolution, &found, sizeof found)) {
        lookup->resolution = found;
        r->seqno++;
    }
}

/* Asks for all names. */
static void
begin_round(struct resolver *r)
{
    struct ares_options options = { .timeout = 2000, .tries = 2 };
    int error = ares_init_options(&r->channel, &options,
                                  ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
        VLOG_WARN_RL(&rl, "cannot look up names: %s", ares_strerror(error));
        r->channel = NULL;
        return;
    }

    const struct ares_addrinfo_hints hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_DGRAM,
    };
    struct shash_node *node;
    r->n_pending = shash_count(&r->lookups);
    SHASH_FOR_EACH (node, &r->lookups) {
        struct lookup *lookup = node->data;
        ares_getaddrinfo(r->channel, lookup->name, NULL, &hints, lookup_done,
                         lookup);
    }
}

/* Stores the sockets of the round in flight in 'fds', and in 'events' the
 * poll(2) events that each waits for, 0 for none.  (c-ares has macros for the
 * bits of ares_getsock()'s answer, but they shift into the sign.) */
static void
get_sockets(struct resolver *r, ares_socket_t fds[ARES_GETSOCK_MAXNUM],
            short int events[ARES_GETSOCK_MAXNUM])
{
    unsigned int bits = ares_getsock(r->channel, fds, ARES_GETSOCK_MAXNUM);

    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        bool reads = bits >> i & 1;
        bool writes = bits >> (i + ARES_GETSOCK_MAXNUM) & 1;
        events[i] = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0);
    }
}

void
resolver_run(struct resolver *r)
{
    if (r->channel) {
        ares_socket_t fds[ARES_GETSOCK_MAXNUM];
        short int events[ARES_GETSOCK_MAXNUM];

        get_sockets(r, fds, events);
        for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
            if (events[i]) {
                ares_process_fd(
                    r->channel, events[i] & POLLIN ? fds[i] : ARES_SOCKET_BAD,
                    events[i] & POLLOUT ? fds[i] : ARES_SOCKET_BAD);
            }
        }
        ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        if (!r->n_pending) {
            end_round(r);
        }
    }
    if (!r->channel && time_msec() >= r->next_round) {
        begin_round(r);
        r->next_round = time_msec() + RESOLVER_INTERVAL_MS;
        if (!r->n_pending) {
            end_round(r); /* /etc/hosts answered everything. */
        }
    }
}

void
resolver_wait(struct resolver *r)
{
    if (!r->channel && r->next_round != LLONG_MAX) {
        poll_timer_wait_until(r->next_round);
    } else if (r->channel) {
        ares_socket_t fds[ARES_GETSOCK_MAXNUM];
        short int events[ARES_GETSOCK_MAXNUM];

        get_sockets(r, fds, events);
        for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
            if (events[i]) {
                poll_fd_wait(fds[i], events[i]);
            }
        }

        struct timeval tv;
        if (ares_timeout(r->channel, NULL, &tv)) {
            poll_timer_wait(tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1);
        }
    }
}

unsigned int
resolver_seqno(const struct resolver *r)
{
    return r->seqno;
}

const struct resolution *
resolver_get(const struct resolver *r, const char *name)
{
    const struct lookup *lookup = shash_find_data(&r->lookups, name);

    return &lookup->resolution;
}
