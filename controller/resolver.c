/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "resolver.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
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

/* IP versions, as indexes. */
enum version { V4, V6, N_VERSIONS };

/* What is known of a host's addresses of one IP version. */
struct addresses {
    struct lookup *lookup; /* Whose they are. */
    struct in6_addr *all;
    size_t n;
    int status; /* Of the last look-up, ARES_SUCCESS and so on. */
};

/* A host of a service. */
struct service_host {
    char *name;
    uint16_t port;
};

/* A name that is looked up. */
struct lookup {
    struct resolver *resolver;
    char *name;
    bool wanted;      /* By our caller, or only by a service? */
    size_t n_pending; /* Questions of this round without an answer. */
    bool told;        /* Has the present failure been logged? */
    struct resolution resolution;

    struct addresses addresses[N_VERSIONS]; /* Of a host. */
    struct service_host *hosts;             /* Of a service. */
    size_t n_hosts;
};

struct resolver {
    struct shash lookups;     /* From name to "struct lookup". */
    ares_channel channel;     /* Of the round in flight, or NULL. */
    size_t n_pending;         /* Questions of it without an answer. */
    bool ending;              /* Is that round being given up? */
    long long int next_round; /* time_msec(), LLONG_MAX for never. */
    unsigned int seqno;
};

/* Life. */

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

bool
resolver_is_service(const char *name)
{
    return name[0] == '_';
}

static struct lookup *
lookup_create(struct resolver *r, const char *name)
{
    struct lookup *lookup = xzalloc(sizeof *lookup);

    lookup->resolver = r;
    lookup->name = xstrdup(name);
    for (int version = 0; version < N_VERSIONS; version++) {
        lookup->addresses[version].lookup = lookup;
    }
    shash_add(&r->lookups, name, lookup);
    return lookup;
}

static void
free_hosts(struct lookup *lookup)
{
    for (size_t i = 0; i < lookup->n_hosts; i++) {
        free(lookup->hosts[i].name);
    }
    free(lookup->hosts);
    lookup->hosts = NULL;
    lookup->n_hosts = 0;
}

static void
lookup_destroy(struct lookup *lookup)
{
    for (int version = 0; version < N_VERSIONS; version++) {
        free(lookup->addresses[version].all);
    }
    free_hosts(lookup);
    free(lookup->resolution.endpoints);
    free(lookup->name);
    free(lookup);
}

/* Gives up the round in flight, if there is one. */
static void
end_round(struct resolver *r)
{
    if (r->channel) {
        struct shash_node *node;

        r->ending = true;
        ares_destroy(r->channel);
        r->ending = false;
        r->channel = NULL;
        r->n_pending = 0;
        SHASH_FOR_EACH (node, &r->lookups) {
            struct lookup *lookup = node->data;
            lookup->n_pending = 0;
        }
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

/* Returns true if a service has the host 'name'. */
static bool
is_host_of_service(const struct resolver *r, const char *name)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &r->lookups) {
        const struct lookup *service = node->data;

        for (size_t i = 0; service->wanted && i < service->n_hosts; i++) {
            if (!strcmp(service->hosts[i].name, name)) {
                return true;
            }
        }
    }
    return false;
}

/* Forgets the names that nobody wants any more.  No round may be in flight,
 * since its questions point to them. */
static void
sweep(struct resolver *r)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &r->lookups) {
        struct lookup *lookup = node->data;

        if (!lookup->wanted && !is_host_of_service(r, lookup->name)) {
            shash_delete(&r->lookups, node);
            lookup_destroy(lookup);
        }
    }
}

void
resolver_set_names(struct resolver *r, const struct sset *names)
{
    struct shash_node *node;
    const char *name;

    end_round(r);
    SHASH_FOR_EACH (node, &r->lookups) {
        struct lookup *lookup = node->data;
        lookup->wanted = sset_contains(names, node->name);
    }
    sweep(r);
    SSET_FOR_EACH (name, names) {
        struct lookup *lookup = shash_find_data(&r->lookups, name);

        if (!lookup) {
            lookup = lookup_create(r, name);
        }
        lookup->wanted = true;
    }
    r->next_round = shash_is_empty(&r->lookups) ? LLONG_MAX : time_msec();
}

/* Putting together what is known. */

/* Appends 'address' and 'port' to '*res', unless they are there. */
static void
add_endpoint(struct resolution *res, const struct in6_addr *address,
             uint16_t port)
{
    const struct endpoint endpoint = { .address = *address, .port = port };

    for (size_t i = 0; i < res->n; i++) {
        if (endpoint_equal(&res->endpoints[i], &endpoint)) {
            return;
        }
    }
    if (res->n < RESOLVER_MAX_ENDPOINTS) {
        res->endpoints =
            xrealloc(res->endpoints, (res->n + 1) * sizeof *res->endpoints);
        res->endpoints[res->n++] = endpoint;
    }
}

/* Returns true if this host has a route to the IPv6 address 'address'. */
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

/* Appends the addresses of the host 'lookup' to '*res', each with 'port': IPv6
 * ones first where there is a route to them, as RFC 6724 has it. */
static void
add_host(const struct lookup *lookup, uint16_t port, struct resolution *res)
{
    const struct addresses *v6 = &lookup->addresses[V6];
    bool prefer_v6 = v6->n && has_route(&v6->all[0]);

    for (int i = 0; i < N_VERSIONS; i++) {
        const struct addresses *a =
            &lookup->addresses[(i == 0) == prefer_v6 ? V6 : V4];

        for (size_t j = 0; j < a->n; j++) {
            add_endpoint(res, &a->all[j], port);
        }
    }
}

static bool
resolution_equal(const struct resolution *a, const struct resolution *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!endpoint_equal(&a->endpoints[i], &b->endpoints[i])) {
            return false;
        }
    }
    return true;
}

/* Works out where 'lookup' leads to, from what is known. */
static void
put_together(struct lookup *lookup)
{
    struct resolver *r = lookup->resolver;
    struct resolution *old = &lookup->resolution;
    struct resolution new = { .n = 0 };

    if (!resolver_is_service(lookup->name)) {
        add_host(lookup, 0, &new);
    }
    for (size_t i = 0; i < lookup->n_hosts; i++) {
        const struct lookup *host =
            shash_find_data(&r->lookups, lookup->hosts[i].name);
        if (host) {
            add_host(host, lookup->hosts[i].port, &new);
        }
    }
    if (new.n == RESOLVER_MAX_ENDPOINTS && old->n != new.n) {
        VLOG_WARN("%s: has more addresses than %d; the others are ignored",
                  lookup->name, RESOLVER_MAX_ENDPOINTS);
    }

    r->seqno += !resolution_equal(&new, old);
    free(old->endpoints);
    *old = new;
}

/* Passes on that the addresses of the host 'lookup' changed. */
static void
publish_host(struct lookup *lookup)
{
    struct shash_node *node;

    put_together(lookup);
    SHASH_FOR_EACH (node, &lookup->resolver->lookups) {
        struct lookup *service = node->data;

        for (size_t i = 0; i < service->n_hosts; i++) {
            if (!strcmp(service->hosts[i].name, lookup->name)) {
                put_together(service);
                break;
            }
        }
    }
}

/* Says that 'lookup' cannot be looked up, unless it has been said. */
static void
tell_failure(struct lookup *lookup, int status)
{
    if (!lookup->told) {
        lookup->told = true;
        VLOG_WARN("%s: no address found (%s)%s", lookup->name,
                  ares_strerror(status),
                  lookup->resolution.n ? "; its last known ones stay"
                                       : "; asking again");
    }
}

/* Says that 'lookup' is found again, if its failure was told. */
static void
tell_success(struct lookup *lookup)
{
    if (lookup->told) {
        lookup->told = false;
        VLOG_INFO("%s: address found again", lookup->name);
    }
}

/* Questions and answers. */

static bool
is_abandoned(const struct resolver *r, int status)
{
    return (r->ending || status == ARES_EDESTRUCTION
            || status == ARES_ECANCELLED);
}

/* Counts an answer to 'lookup'. */
static void
count_answer(struct lookup *lookup)
{
    lookup->n_pending--;
    lookup->resolver->n_pending--;
}

/* Stores the addresses in 'info' in '*a'. */
static void
take_addresses(const struct ares_addrinfo *info, struct addresses *a)
{
    a->n = 0;
    for (const struct ares_addrinfo_node *node = info->nodes;
         node && a->n < RESOLVER_MAX_ENDPOINTS; node = node->ai_next) {
        struct endpoint endpoint;

        if (endpoint_from_sockaddr(node->ai_addr, &endpoint)) {
            a->all = xrealloc(a->all, (a->n + 1) * sizeof *a->all);
            a->all[a->n++] = endpoint.address;
        }
    }
}

/* Returns true if the server says that there are no such addresses, rather
 * than nothing. */
static bool
is_denial(int status)
{
    return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

/* Judges the host 'lookup' once both versions have an answer. */
static void
judge_host(struct lookup *lookup)
{
    struct addresses *v4 = &lookup->addresses[V4];
    struct addresses *v6 = &lookup->addresses[V6];

    if (v4->status && v6->status) {
        tell_failure(lookup, is_denial(v4->status) ? v6->status : v4->status);
        return;
    }

    /* One version found and the other denied: a host without the latter. */
    tell_success(lookup);
    for (int version = 0; version < N_VERSIONS; version++) {
        if (is_denial(lookup->addresses[version].status)) {
            lookup->addresses[version].n = 0;
        }
    }
    publish_host(lookup);
}

/* Takes the answer to a question for the addresses of one IP version. */
static void
host_done(void *addresses_, int status, int timeouts OVS_UNUSED,
          struct ares_addrinfo *info)
{
    struct addresses *a = addresses_;
    struct lookup *lookup = a->lookup;

    if (is_abandoned(lookup->resolver, status)) {
        return;
    }
    a->status = status;
    if (status == ARES_SUCCESS) {
        /* The other version's answer may be long in coming. */
        take_addresses(info, a);
        ares_freeaddrinfo(info);
        publish_host(lookup);
    }
    count_answer(lookup);
    if (!lookup->n_pending) {
        judge_host(lookup);
    }
}

/* Asks for the addresses of the host 'lookup'. */
static void
ask_host(struct lookup *lookup)
{
    struct resolver *r = lookup->resolver;

    lookup->n_pending += N_VERSIONS;
    r->n_pending += N_VERSIONS;
    for (int version = 0; version < N_VERSIONS; version++) {
        const struct ares_addrinfo_hints hints = {
            .ai_family = version == V4 ? AF_INET : AF_INET6,
            .ai_socktype = SOCK_DGRAM,
            .ai_flags = ARES_AI_NOSORT,
        };
        ares_getaddrinfo(r->channel, lookup->name, NULL, &hints, host_done,
                         &lookup->addresses[version]);
    }
}

/* Returns true if 'record' names a host.  One of "." says that the service is
 * not to be had (RFC 2782). */
static bool
names_host(const struct ares_srv_reply *record)
{
    return (record->host[0] && strcmp(record->host, ".") && record->port
            && !resolver_is_service(record->host));
}

/* Makes the answer 'records' the hosts of 'lookup', and asks for those that
 * are new. */
static void
take_hosts(struct lookup *lookup, const struct ares_srv_reply *records)
{
    struct resolver *r = lookup->resolver;

    free_hosts(lookup);
    for (const struct ares_srv_reply *record = records; record;
         record = record->next) {
        if (names_host(record)) {
            lookup->hosts = xrealloc(
                lookup->hosts, (lookup->n_hosts + 1) * sizeof *lookup->hosts);
            lookup->hosts[lookup->n_hosts++] = (struct service_host){
                .name = xstrdup(record->host),
                .port = record->port,
            };
        }
    }
    for (size_t i = 0; i < lookup->n_hosts; i++) {
        if (!shash_find(&r->lookups, lookup->hosts[i].name)) {
            ask_host(lookup_create(r, lookup->hosts[i].name));
        }
    }
    put_together(lookup);
}

/* Takes the answer to a question for a service. */
static void
service_done(void *lookup_, int status, int timeouts OVS_UNUSED,
             unsigned char *answer, int length)
{
    struct lookup *lookup = lookup_;
    struct ares_srv_reply *records = NULL;

    if (is_abandoned(lookup->resolver, status)) {
        return;
    }
    if (status == ARES_SUCCESS) {
        status = ares_parse_srv_reply(answer, length, &records);
    }
    if (status == ARES_SUCCESS) {
        tell_success(lookup);
        take_hosts(lookup, records);
    } else {
        tell_failure(lookup, status);
    }
    if (records) {
        ares_free_data(records);
    }
    count_answer(lookup);
}

static void
ask_service(struct lookup *lookup)
{
    struct resolver *r = lookup->resolver;

    lookup->n_pending++;
    r->n_pending++;
    ares_search(r->channel, lookup->name, ns_c_in, ns_t_srv, service_done,
                lookup);
}

/* Asks for all names. */
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

    /* /etc/hosts answers at once, and an answer may bring more names. */
    size_t n = shash_count(&r->lookups);
    const struct shash_node **nodes = shash_sort(&r->lookups);
    for (size_t i = 0; i < n; i++) {
        struct lookup *lookup = nodes[i]->data;

        if (lookup->n_pending) {
            continue; /* Asked as a service's host. */
        } else if (resolver_is_service(lookup->name)) {
            ask_service(lookup);
        } else {
            ask_host(lookup);
        }
    }
    free(nodes);
}

/* Gives up on what has had no answer for a whole round. */
static void
expire_round(struct resolver *r)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &r->lookups) {
        struct lookup *lookup = node->data;

        if (lookup->n_pending) {
            tell_failure(lookup, ARES_ETIMEOUT);
        }
    }
    end_round(r);
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
    if (time_msec() >= r->next_round) {
        if (r->channel) {
            expire_round(r);
        }
        sweep(r);
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
    if (r->next_round != LLONG_MAX) {
        poll_timer_wait_until(r->next_round);
    }
    if (r->channel) {
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
