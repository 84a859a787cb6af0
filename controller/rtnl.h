/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RTNL_H
#define SNOWRELAY_RTNL_H 1

/* Routes and neighbours as the kernel has them, by rtnetlink(7): what it says
 * of one, how it is made to ask for a neighbour, and what changes.
 *
 * RTM_GETROUTE answers like "ip route get", as if the host itself sent there;
 * RTM_GETNEIGH answers like "ip neighbour get" (Linux 5.0).  IPv4 addresses
 * are IPv4-mapped, see endpoint.h.
 *
 * Nothing waits for the network: the kernel answers out of its tables. */

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/types.h"

/* Routes. */

enum rtnl_route_kind {
    RTNL_NOWHERE,  /* No route, or one that says so: blackhole, unreachable,
                    * prohibit.  Broadcast and multicast addresses have none
                    * either. */
    RTNL_OWN,      /* To one of this host's own addresses. */
    RTNL_DEVICE,   /* To a device that needs no MAC address: not an Ethernet
                    * one, a point-to-point one such as tun, or without ARP. */
    RTNL_NEIGHBOUR /* To a neighbour, whose MAC address is needed. */
};

/* What the kernel says about an address.  Of RTNL_NOWHERE only the kind means
 * anything. */
struct rtnl_route {
    enum rtnl_route_kind kind;
    int ifindex;             /* Of RTNL_NEIGHBOUR, else 0. */
    char device[IFNAMSIZ];   /* The interface's name. */
    struct in6_addr gateway; /* The neighbour: the route's gateway, which may
                              * be an IPv6 one for an IPv4 address, or the
                              * address itself. */
    struct in6_addr source;  /* What the kernel would send from, "::" if it has
                              * no address to send from. */
};

/* Reads the route to 'address', through the interface 'ifindex' unless that is
 * 0.  Returns false if the kernel could not answer, true also if it answered
 * that there is none. */
bool rtnl_read_route(const struct in6_addr *address, int ifindex,
                     struct rtnl_route *);

/* Neighbours. */

/* What the kernel says about a neighbour: an entry of its table. */
struct rtnl_entry {
    int ifindex;
    struct in6_addr address;
    bool present; /* Is there one?  Without, nothing below means anything. */
    bool by_request;    /* Made by a program, not by the kernel on its own. */
    uint16_t state;     /* NUD_*. */
    uint8_t flags;      /* NTF_*. */
    uint32_t ext_flags; /* NTF_EXT_*. */
    bool has_mac;
    struct eth_addr mac;
};

/* Reads the entry of the neighbour with 'address' on the interface 'ifindex'.
 * Returns false if it cannot be read, true also if there is none. */
bool rtnl_read_entry(int ifindex, const struct in6_addr *address,
                     struct rtnl_entry *);

/* Returns true if 'entry' has a MAC address that is good. */
bool rtnl_entry_is_good(const struct rtnl_entry *entry);

/* Returns true if 'entry' is of a neighbour that does not answer.  One that a
 * program made fail says nothing of that: failing is the first thing that the
 * kernel does to an entry that somebody deletes. */
bool rtnl_entry_is_failed(const struct rtnl_entry *entry);

/* Makes the kernel ask for the neighbour whose entry, as just read, is
 * 'entry': for its MAC address (ARP, neighbour solicitation), or whether it is
 * still there.
 *
 * Entries that somebody else keeps (permanent, externally learned or managed
 * ones) are left alone, and so are good ones of IPv6 neighbours on an
 * interface without link-local address, where the kernel cannot ask on its
 * own.  Needs CAP_NET_ADMIN, or privilege separation (privsep.h). */
void rtnl_solicit(const struct rtnl_entry *entry);

/* Changes. */

/* Called for what may have changed any route: a device, an address, a route,
 * a rule; and if there were more changes than could be taken, of whatever
 * kind. */
typedef void rtnl_route_func(void *aux);

/* Called for a neighbour's entry that changed. */
typedef void rtnl_entry_func(const struct rtnl_entry *, void *aux);

struct rtnl_listener;

/* Makes an object that calls these functions from rtnl_listener_run().  It
 * does not listen yet. */
struct rtnl_listener *
rtnl_listener_create(rtnl_route_func *route_changed,
                     rtnl_entry_func *entry_changed, void *aux);
void rtnl_listener_destroy(struct rtnl_listener *);

/* Begins to listen, or tries again where that failed, and ceases to: who does
 * not want to know is not woken up by changes. */
void rtnl_listener_start(struct rtnl_listener *);
void rtnl_listener_stop(struct rtnl_listener *);

void rtnl_listener_run(struct rtnl_listener *);
void rtnl_listener_wait(struct rtnl_listener *);

#endif /* rtnl.h */
