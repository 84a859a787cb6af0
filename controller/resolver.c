/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "resolver.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(resolver);

struct resolver {
    struct names names;
    ares_channel channel;     /* Of the round in flight, or NULL. */
    size_t n_pending;         /* Questions of it without an answer. */
    bool more;                /* Are there names to be asked for yet? */
    bool expired;             /* Is it given up because its time is over? */
    long long int next_round; /* time_msec(), LLONG_MAX for never. */
};

/* Names asked for in one run.  c-ares reads /etc/hosts for each. */
enum { NAMES_PER_RUN = 16 };

/* What was asked. */
struct question {
    struct resolver *resolver;
    struct name *name;
    enum name_version version; /* If 'name' is a host. */
};

/* Life. */

static bool
has_route(const struct in6_addr *address)
{
    const struct endpoint endpoint = { .address = *address, .port = 1 };
    struct sockaddr_storage ss;
    socklen_t length = endpoint_to_sockaddr6(&endpoint, &ss);

    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    bool route = !connect(fd, (struct sockaddr *) &ss, length);
    close(fd);
    return route;
}

struct resolver *
resolver_create(void)
{
    struct resolver *r = xzalloc(sizeof *r);

    int error = ares_library_init(ARES_LIB_INIT_ALL);
    if (error) {
        ovs_fatal(0, "cannot set up name resolution: %s",
                  ares_strerror(error));
    }
    names_init(&r->names, has_route);
    r->next_round = LLONG_MAX;
    return r;
}

/* Ends the round in flight, if there is one.  Questions without an answer are
 * answered ARES_EDESTRUCTION. */
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
        end_round(r);
        names_destroy(&r->names);
        ares_library_cleanup();
        free(r);
    }
}

void
resolver_set_names(struct resolver *r, const struct sset *names)
{
    end_round(r); /* Its questions point to names that may go. */
    names_set_wanted(&r->names, names);
    r->next_round = shash_is_empty(&r->names.all) ? LLONG_MAX : time_msec();
}

/* Questions and answers. */

static struct question *
question_create(struct resolver *r, struct name *name,
                enum name_version version)
{
    struct question *q = xmalloc(sizeof *q);

    *q = (struct question){ r, name, version };
    name->n_pending++;
    r->n_pending++;
    return q;
}

/* Takes '*q' apart, which was answered, and frees it. */
static struct question
question_end(struct question *q)
{
    struct question copy = *q;

    free(q);
    copy.name->n_pending--;
    copy.resolver->n_pending--;
    return copy;
}

/* Returns true if 'status' is no answer to 'q', because the round was given
 * up.  If its time was over that is one: nobody has answered. */
static bool
is_abandoned(const struct question *q, int *status)
{
    if (*status != ARES_EDESTRUCTION && *status != ARES_ECANCELLED) {
        return false;
    }
    *status = ARES_ETIMEOUT;
    return !q->resolver->expired;
}

/* Takes the addresses in 'info' for the answer to 'q'. */
static void
take_addresses(const struct question *q, const struct ares_addrinfo *info)
{
    struct in6_addr addresses[NAMES_MAX_ENDPOINTS + 1];
    size_t n = 0;

    for (const struct ares_addrinfo_node *node = info->nodes;
         node && n < ARRAY_SIZE(addresses); node = node->ai_next) {
        struct endpoint endpoint;

        if (endpoint_from_sockaddr(node->ai_addr, &endpoint)) {
            addresses[n++] = endpoint.address;
        }
    }
    names_take_addresses(&q->resolver->names, q->name, q->version, addresses,
                         n);
}

/* Takes the answer to a question for the addresses of a host. */
static void
host_done(void *question, int status, int timeouts OVS_UNUSED,
          struct ares_addrinfo *info)
{
    struct question q = question_end(question);

    if (is_abandoned(&q, &status)) {
        return;
    }
    if (status == ARES_SUCCESS) {
        take_addresses(&q, info);
        ares_freeaddrinfo(info);
    } else {
        names_take_none(q.name, q.version,
                        status == ARES_ENOTFOUND || status == ARES_ENODATA
                            ? NAME_DENIED
                            : NAME_FAILED);
    }
    if (!q.name->n_pending) {
        names_judge_host(&q.resolver->names, q.name,
                         ares_strerror(status ? status : ARES_ENODATA));
    }
}

/* Asks for the addresses of the host 'name'. */
static void
ask_host(struct resolver *r, struct name *name)
{
    struct question *questions[NAME_N_VERSIONS];

    /* Both count before the first is answered, maybe at once. */
    for (int version = 0; version < NAME_N_VERSIONS; version++) {
        questions[version] = question_create(r, name, version);
    }
    for (int version = 0; version < NAME_N_VERSIONS; version++) {
        const struct ares_addrinfo_hints hints = {
            .ai_family = version == NAME_V4 ? AF_INET : AF_INET6,
            .ai_socktype = SOCK_DGRAM,
            .ai_flags = ARES_AI_NOSORT,
        };
        ares_getaddrinfo(r->channel, name->text, NULL, &hints, host_done,
                         questions[version]);
    }
}

/* Takes 'records' for the answer to 'q', and asks for hosts that are new. */
static void
take_hosts(const struct question *q, const struct ares_srv_reply *records)
{
    struct resolver *r = q->resolver;
    struct name_host *hosts = NULL;
    size_t n = 0;

    for (const struct ares_srv_reply *record = records; record;
         record = record->next) {
        hosts = xrealloc(hosts, (n + 1) * sizeof *hosts);
        hosts[n++] = (struct name_host){ record->host, record->port };
    }

    names_take_hosts(&r->names, q->name, hosts, n);
    free(hosts);
    r->more = true; /* Some may be new. */
}

/* Takes the answer to a question for the hosts of a service. */
static void
service_done(void *question, int status, int timeouts OVS_UNUSED,
             unsigned char *answer, int length)
{
    struct question q = question_end(question);
    struct ares_srv_reply *records = NULL;

    if (is_abandoned(&q, &status)) {
        return;
    }
    if (status == ARES_SUCCESS) {
        status = ares_parse_srv_reply(answer, length, &records);
        if (status == ARES_SUCCESS && !records) {
            status = ARES_ENODATA; /* An alias that leads nowhere. */
        }
    }
    if (status == ARES_SUCCESS) {
        take_hosts(&q, records);
    } else {
        name_take_failure(q.name, ares_strerror(status));
    }
    if (records) {
        ares_free_data(records);
    }
}

static void
ask_service(struct resolver *r, struct name *name)
{
    ares_search(r->channel, name->text, ns_c_in, ns_t_srv, service_done,
                question_create(r, name, 0));
}

/* Stores in 'some' up to NAMES_PER_RUN names that were not asked for in this
 * round, and notes whether there are more.  Returns how many it stored. */
static size_t
take_some(struct resolver *r, struct name *some[NAMES_PER_RUN])
{
    struct shash_node *node;
    size_t n = 0;

    r->more = false;
    SHASH_FOR_EACH (node, &r->names.all) {
        struct name *name = node->data;

        if (name->asked) {
            continue;
        } else if (n == NAMES_PER_RUN) {
            r->more = true;
            break;
        }
        name->asked = true;
        some[n++] = name;
    }
    return n;
}

/* Asks for some of the names that were not asked for in this round. */
static void
ask_some(struct resolver *r)
{
    struct name *some[NAMES_PER_RUN];
    size_t n = take_some(r, some);

    for (size_t i = 0; i < n; i++) {
        if (name_is_service(some[i]->text)) {
            ask_service(r, some[i]);
        } else {
            ask_host(r, some[i]);
        }
    }
}

static void
begin_round(struct resolver *r)
{
    /* Three rounds over the servers take 7 seconds: 1, 2 and 4. */
    struct ares_options options = { .timeout = 1000, .tries = 3 };
    int error = ares_init_options(&r->channel, &options,
                                  ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
        VLOG_WARN_RL(&rl, "cannot look up names: %s", ares_strerror(error));
        r->channel = NULL;
        return;
    }

    struct shash_node *node;
    SHASH_FOR_EACH (node, &r->names.all) {
        struct name *name = node->data;
        name->asked = false;
    }
    r->more = true;
}

/* Gives up on what has had no answer for a whole round. */
static void
expire_round(struct resolver *r)
{
    r->expired = true;
    end_round(r);
    r->expired = false;
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
        if (r->more) {
            ask_some(r);
        } else if (!r->n_pending) {
            end_round(r);
        }
    }
    if (time_msec() >= r->next_round) {
        if (r->channel) {
            expire_round(r);
        }
        names_sweep(&r->names);
        begin_round(r);
        r->next_round = time_msec() + RESOLVER_INTERVAL_MS;
        if (r->channel) {
            ask_some(r);
        }
    }
}

void
resolver_wait(struct resolver *r)
{
    if (r->next_round != LLONG_MAX) {
        poll_timer_wait_until(r->next_round);
    }
    if (r->channel) {
        ares_socket_t fds[ARES_GETSOCK_MAXNUM];
        short int events[ARES_GETSOCK_MAXNUM];

        if (r->more || !r->n_pending) {
            poll_immediate_wake();
        }
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
    return r->names.seqno;
}

const struct resolution *
resolver_get(const struct resolver *r, const char *text)
{
    const struct name *name = shash_find_data(&r->names.all, text);

    return &name->resolution;
}
