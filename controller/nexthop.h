/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_NEXTHOP_H
#define SNOWRELAY_NEXTHOP_H 1

/* Next hops: how this host reaches the addresses asked for: through which
 * device, to which MAC address, from which address of its own.
 *
 * All of it comes from the kernel's routes and neighbours (see rtnl.h), as if
 * the host itself sent there.  Where the kernel does not know a neighbour's
 * MAC address yet it is made to ask for it.  What changes is followed: the
 * kernel says so, and all is read again every NEXTHOP_READ_MS besides.
 *
 * A neighbour that is not READY is asked for every NEXTHOP_ASK_MS.  One that
 * is READY is asked whether it is still there every NEXTHOP_PROBE_MS: so that
 * a new MAC address is noticed though nobody else talks to the neighbour, and
 * so that the switches on the way keep knowing where it is.  Some entries of
 * the kernel's are left alone, see rtnl_solicit().  Asking needs
 * CAP_NET_ADMIN.
 *
 * Nothing waits for the network. */

#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>

#include "openvswitch/types.h"

enum {
    NEXTHOP_ASK_MS = 1000,
    NEXTHOP_PROBE_MS = 10000,
    NEXTHOP_READ_MS = 30000
};

enum nexthop_state {
    NEXTHOP_NO_ROUTE, /* No route, or one that says so: blackhole,
                       * unreachable, prohibit.  Broadcast and multicast
                       * addresses have none either. */
    NEXTHOP_OWN,      /* One of this host's own addresses. */
    NEXTHOP_PENDING,  /* The neighbour is being asked for its MAC address. */
    NEXTHOP_FAILED,   /* The neighbour does not answer.  It stays so, however
                       * often it is asked, until it does. */
    NEXTHOP_READY     /* All is known. */
};

/* How to reach an address.  In NEXTHOP_NO_ROUTE only the state means anything.
 *
 * A neighbour that once answered stays READY with its last MAC address while
 * its entry in the kernel's table comes and goes, as the kernel forgets
 * entries that nobody uses: only when it does not answer is it FAILED. */
struct nexthop {
    enum nexthop_state state;
    char device[IFNAMSIZ];
    struct in6_addr gateway; /* The neighbour: the route's gateway, which may
                              * be an IPv6 one for an IPv4 address, or the
                              * address itself. */
    struct in6_addr source;  /* What the kernel would send from, "::" if it has
                              * no address to send from. */
    struct eth_addr mac;     /* The neighbour's, in NEXTHOP_READY.  Zero where
                              * the device needs none: not an Ethernet one, a
                              * point-to-point one such as tun, or without
                              * ARP. */
};

struct nexthops;

struct nexthops *nexthops_create(void);
void nexthops_destroy(struct nexthops *);

/* Makes the 'n_addresses' addresses at 'addresses' those to keep track of;
 * IPv4 ones are IPv4-mapped, see endpoint.h.  New ones are looked up before it
 * returns, so that what the kernel knows already is there at once, and what it
 * does not has been asked for.  What is known of those that stay is kept. */
void nexthops_set(struct nexthops *, const struct in6_addr *addresses,
                  size_t n_addresses);

/* For tests, which cannot wait so long: has 'ask_ms' and 'probe_ms' instead of
 * NEXTHOP_ASK_MS and NEXTHOP_PROBE_MS, from the next time on that one of them
 * begins. */
void nexthops_set_intervals(struct nexthops *, int ask_ms, int probe_ms);

/* Does what can be done without waiting, and says when to be called again. */
void nexthops_run(struct nexthops *);
void nexthops_wait(struct nexthops *);

/* Returns a number that changes whenever an answer of nexthops_get() does. */
unsigned int nexthops_seqno(const struct nexthops *);

/* Returns how to reach 'address', NULL if it is none of those to keep track
 * of.  Valid until the next call to nexthops_run() or nexthops_set(). */
const struct nexthop *
nexthops_get(const struct nexthops *, const struct in6_addr *address);

/* Returns the name of 'state', such as "no route". */
const char *nexthop_state_name(enum nexthop_state state);

#endif /* nexthop.h */
