/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "nexthop.h"

#include <limits.h>
#include <string.h>

#include "endpoint.h"
#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "rtnl.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(nexthop);

/* At least so long lies between two times that all is read, however many
 * routes change. */
enum { READ_PAUSE_MS = 100 };

/* A neighbour that at least one of the addresses is reached through. */
struct neighbour {
    struct hmap_node node; /* In 'neighbours', by interface and address. */
    int ifindex;
    struct in6_addr address;
    enum nexthop_state state; /* NEXTHOP_PENDING, _FAILED or _READY. */
    struct eth_addr mac;      /* Zero but in NEXTHOP_READY. */
    long long int asked;      /* time_msec() when asked last. */
    long long int next_ask;
    bool used; /* For sweep(). */
};

/* An address to keep track of. */
struct target {
    struct hmap_node node; /* In 'targets', by address. */
    struct in6_addr address;
    struct nexthop nexthop; /* The answer. */
    bool answered;          /* Has it one? */
    struct rtnl_route route;
    struct neighbour *neighbour; /* NULL if there is none to ask. */
    bool wanted;                 /* For nexthops_set(). */
};

struct nexthops {
    struct rtnl_listener *listener;
    int ask_ms, probe_ms; /* See nexthops_set_intervals(). */
    struct hmap targets;
    struct hmap neighbours;
    bool changed;            /* Are there answers to be worked out? */
    long long int last_read; /* time_msec(). */
    long long int next_read;
    long long int next_ask; /* The first of all neighbours'. */
    unsigned int seqno;
};

const char *
nexthop_state_name(enum nexthop_state state)
{
    switch (state) {
    case NEXTHOP_NO_ROUTE: return "no route";
    case NEXTHOP_OWN: return "own";
    case NEXTHOP_PENDING: return "pending";
    case NEXTHOP_FAILED: return "failed";
    case NEXTHOP_READY: return "ready";
    }
    OVS_NOT_REACHED();
}

/* Neighbours. */

static uint32_t
hash_neighbour(int ifindex, const struct in6_addr *address)
{
    return hash_bytes(address, sizeof *address, ifindex);
}

static struct neighbour *
find_neighbour(const struct nexthops *n, int ifindex,
               const struct in6_addr *address)
{
    uint32_t hash = hash_neighbour(ifindex, address);
    struct neighbour *nb;

    HMAP_FOR_EACH_WITH_HASH(nb, node, hash, &n->neighbours)
    {
        if (nb->ifindex == ifindex
            && ipv6_addr_equals(&nb->address, address)) {
            return nb;
        }
    }
    return NULL;
}

static void
set_next_ask(struct nexthops *n, struct neighbour *nb, long long int when)
{
    nb->next_ask = when;
    n->next_ask = MIN(n->next_ask, when);
}

/* Asks for 'nb' as soon as it may be. */
static void
ask_soon(struct nexthops *n, struct neighbour *nb)
{
    set_next_ask(n, nb, MIN(nb->next_ask, nb->asked + n->ask_ms));
}

/* Takes what the kernel says about 'nb'. */
static void
take_entry(struct nexthops *n, struct neighbour *nb,
           const struct rtnl_entry *entry)
{
    enum nexthop_state state = nb->state;
    struct eth_addr mac = nb->mac;
    bool good = rtnl_entry_is_good(entry);

    if (good) {
        state = NEXTHOP_READY;
        mac = entry->mac;
    } else if (rtnl_entry_is_failed(entry)) {
        state = NEXTHOP_FAILED;
        mac = eth_addr_zero;
    } /* Else there is no entry, or one that says nothing yet. */

    if (!good) {
        ask_soon(n, nb);
    } else if (nb->state != NEXTHOP_READY) {
        set_next_ask(n, nb, nb->asked + n->probe_ms);
    }
    if (state != nb->state || !eth_addr_equals(mac, nb->mac)) {
        nb->state = state;
        nb->mac = mac;
        n->changed = true;
    }
}

/* Asks for 'nb', unless the kernel's table says it need not be. */
static void
ask(struct nexthops *n, struct neighbour *nb)
{
    struct rtnl_entry entry;

    nb->asked = time_msec();
    if (rtnl_read_entry(nb->ifindex, &nb->address, &entry)) {
        take_entry(n, nb, &entry);
        rtnl_solicit(&entry);
    }
    nb->next_ask =
        nb->asked + (nb->state == NEXTHOP_READY ? n->probe_ms : n->ask_ms);
}

/* Asks for all neighbours whose time has come. */
static void
ask_all(struct nexthops *n)
{
    long long int now = time_msec(), next_ask = LLONG_MAX;
    struct neighbour *nb;

    HMAP_FOR_EACH (nb, node, &n->neighbours) {
        if (now >= nb->next_ask) {
            ask(n, nb);
        }
        next_ask = MIN(next_ask, nb->next_ask);
    }
    n->next_ask = next_ask;
}

/* Returns the neighbour with 'address' on the interface 'ifindex'.  A new one
 * is read from the kernel's table, and asked for, next. */
static struct neighbour *
get_neighbour(struct nexthops *n, int ifindex, const struct in6_addr *address)
{
    struct neighbour *nb = find_neighbour(n, ifindex, address);

    if (!nb) {
        nb = xzalloc(sizeof *nb);
        nb->ifindex = ifindex;
        nb->address = *address;
        nb->state = NEXTHOP_PENDING;
        hmap_insert(&n->neighbours, &nb->node,
                    hash_neighbour(ifindex, address));
        set_next_ask(n, nb, time_msec());
    }
    return nb;
}

/* Frees the neighbours that no address is reached through any more. */
static void
sweep(struct nexthops *n)
{
    struct target *target;
    struct neighbour *nb;

    HMAP_FOR_EACH (nb, node, &n->neighbours) {
        nb->used = false;
    }
    HMAP_FOR_EACH (target, node, &n->targets) {
        if (target->neighbour) {
            target->neighbour->used = true;
        }
    }
    HMAP_FOR_EACH_SAFE (nb, node, &n->neighbours) {
        if (!nb->used) {
            hmap_remove(&n->neighbours, &nb->node);
            free(nb);
        }
    }
}

/* Addresses to keep track of. */

static struct target *
find_target(const struct nexthops *n, const struct in6_addr *address)
{
    uint32_t hash = hash_bytes(address, sizeof *address, 0);
    struct target *target;

    HMAP_FOR_EACH_WITH_HASH(target, node, hash, &n->targets)
    {
        if (ipv6_addr_equals(&target->address, address)) {
            return target;
        }
    }
    return NULL;
}

static void
look_up(struct nexthops *n, struct target *target)
{
    struct rtnl_route route;

    if (rtnl_read_route(&target->address, 0, &route)) {
        target->route = route;
        target->neighbour =
            (route.kind == RTNL_NEIGHBOUR
                 ? get_neighbour(n, route.ifindex, &route.gateway)
                 : NULL);
        n->changed = true;
    } else {
        n->next_read = MIN(n->next_read, time_msec() + n->ask_ms);
    }
}

/* Reads all routes and neighbours. */
static void
read_all(struct nexthops *n)
{
    struct target *target;
    struct neighbour *nb;

    VLOG_DBG("reading %" PRIuSIZE " routes", hmap_count(&n->targets));
    n->last_read = time_msec();
    n->next_read = n->last_read + NEXTHOP_READ_MS;
    HMAP_FOR_EACH (target, node, &n->targets) {
        look_up(n, target);
    }
    sweep(n);
    HMAP_FOR_EACH (nb, node, &n->neighbours) {
        struct rtnl_entry entry;

        if (rtnl_read_entry(nb->ifindex, &nb->address, &entry)) {
            take_entry(n, nb, &entry);
        }
    }
}

/* Returns true if 'nh' is what 'target' has for an answer already. */
static bool
is_answer(const struct target *target, const struct nexthop *nh)
{
    return target->answered && target->nexthop.state == nh->state
           && !strcmp(target->nexthop.device, nh->device)
           && ipv6_addr_equals(&target->nexthop.gateway, &nh->gateway)
           && ipv6_addr_equals(&target->nexthop.source, &nh->source)
           && eth_addr_equals(target->nexthop.mac, nh->mac);
}

static void
log_answer(const struct target *target)
{
    const struct nexthop *nh = &target->nexthop;
    char address[INET6_ADDRSTRLEN], gateway[INET6_ADDRSTRLEN];

    if (!VLOG_IS_DBG_ENABLED()) {
        return;
    }
    address_format(&target->address, address);
    address_format(&nh->gateway, gateway);
    if (nh->state == NEXTHOP_NO_ROUTE || nh->state == NEXTHOP_OWN) {
        VLOG_DBG("%s: %s", address, nexthop_state_name(nh->state));
    } else if (eth_addr_is_zero(nh->mac)) {
        VLOG_DBG("%s: %s, %s on %s", address, nexthop_state_name(nh->state),
                 gateway, nh->device);
    } else {
        VLOG_DBG("%s: %s, %s on %s is " ETH_ADDR_FMT, address,
                 nexthop_state_name(nh->state), gateway, nh->device,
                 ETH_ADDR_ARGS(nh->mac));
    }
}

/* Returns how to reach 'target', of what is known. */
static struct nexthop
make_answer(const struct target *target)
{
    const struct rtnl_route *route = &target->route;
    struct nexthop nh = { .gateway = route->gateway, .source = route->source };

    ovs_strlcpy(nh.device, route->device, sizeof nh.device);
    switch (route->kind) {
    case RTNL_NOWHERE: nh.state = NEXTHOP_NO_ROUTE; break;
    case RTNL_OWN: nh.state = NEXTHOP_OWN; break;
    case RTNL_DEVICE: nh.state = NEXTHOP_READY; break;
    case RTNL_NEIGHBOUR:
        nh.state = target->neighbour->state;
        nh.mac = target->neighbour->mac;
        break;
    }
    return nh;
}

/* Makes answers of what is known. */
static void
work_out(struct nexthops *n)
{
    struct target *target;
    bool differs = false;

    HMAP_FOR_EACH (target, node, &n->targets) {
        struct nexthop answer = make_answer(target);

        if (!is_answer(target, &answer)) {
            target->nexthop = answer;
            target->answered = true;
            differs = true;
            log_answer(target);
        }
    }
    n->seqno += differs;
    n->changed = false;
}

/* What changes. */

static void
note_route(void *n_)
{
    struct nexthops *n = n_;

    n->next_read = MIN(n->next_read, n->last_read + READ_PAUSE_MS);
}

/* Only of a neighbour it matters what changed, because there may be thousands
 * that nobody asked for. */
static void
note_entry(const struct rtnl_entry *entry, void *n_)
{
    struct nexthops *n = n_;
    struct neighbour *nb = find_neighbour(n, entry->ifindex, &entry->address);

    if (nb) {
        take_entry(n, nb, entry);
    }
}

/* The whole. */

struct nexthops *
nexthops_create(void)
{
    struct nexthops *n = xzalloc(sizeof *n);

    n->listener = rtnl_listener_create(note_route, note_entry, n);
    nexthops_set_intervals(n, NEXTHOP_ASK_MS, NEXTHOP_PROBE_MS);
    hmap_init(&n->targets);
    hmap_init(&n->neighbours);
    n->next_read = n->next_ask = LLONG_MAX;
    return n;
}

void
nexthops_destroy(struct nexthops *n)
{
    if (n) {
        nexthops_set(n, NULL, 0);
        hmap_destroy(&n->neighbours);
        hmap_destroy(&n->targets);
        rtnl_listener_destroy(n->listener);
        free(n);
    }
}

void
nexthops_set_intervals(struct nexthops *n, int ask_ms, int probe_ms)
{
    n->ask_ms = ask_ms;
    n->probe_ms = probe_ms;
}

void
nexthops_set(struct nexthops *n, const struct in6_addr *addresses,
             size_t n_addresses)
{
    struct target *target;

    if (n_addresses) {
        /* First: nothing may change in between. */
        rtnl_listener_start(n->listener);
        if (hmap_is_empty(&n->targets)) {
            n->last_read = time_msec();
            n->next_read = n->last_read + NEXTHOP_READ_MS;
        }
    }
    HMAP_FOR_EACH (target, node, &n->targets) {
        target->wanted = false;
    }
    for (size_t i = 0; i < n_addresses; i++) {
        target = find_target(n, &addresses[i]);
        if (!target) {
            target = xzalloc(sizeof *target);
            target->address = addresses[i];
            hmap_insert(
                &n->targets, &target->node,
                hash_bytes(&target->address, sizeof target->address, 0));
            look_up(n, target);
        }
        target->wanted = true;
    }
    HMAP_FOR_EACH_SAFE (target, node, &n->targets) {
        if (!target->wanted) {
            hmap_remove(&n->targets, &target->node);
            free(target);
            n->seqno++;
        }
    }
    sweep(n);
    if (hmap_is_empty(&n->targets)) {
        rtnl_listener_stop(n->listener);
        n->next_read = LLONG_MAX;
    }
    ask_all(n);
    work_out(n);
}

void
nexthops_run(struct nexthops *n)
{
    rtnl_listener_run(n->listener);
    if (time_msec() >= n->next_read) {
        read_all(n);
    }
    if (time_msec() >= n->next_ask) {
        ask_all(n);
    }
    if (n->changed) {
        work_out(n);
    }
}

void
nexthops_wait(struct nexthops *n)
{
    long long int when = MIN(n->next_read, n->next_ask);

    rtnl_listener_wait(n->listener);
    if (when != LLONG_MAX) {
        poll_timer_wait_until(when);
    }
}

unsigned int
nexthops_seqno(const struct nexthops *n)
{
    return n->seqno;
}

const struct nexthop *
nexthops_get(const struct nexthops *n, const struct in6_addr *address)
{
    const struct target *target = find_target(n, address);

    return target ? &target->nexthop : NULL;
}
