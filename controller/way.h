/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_WAY_H
#define SNOWRELAY_WAY_H 1

/* Way: how a copy gets to its collector.
 *
 * If the host's route to the collector leaves through the bridge, so does the
 * copy, straight from the switch to the next hop.  If it leaves through
 * another card, the switch hands the copy to the host, whose routing carries
 * it on; then settings of the host may drop it, and are named. */

#include <stdbool.h>

#include "openvswitch/types.h"
#include "place.h"

struct collector;
struct host;
struct nexthops;
struct ports;
struct rule;
struct tunnels;

/* What datagrams of one IP version do to get to a collector. */
enum way_kind {
    WAY_NONE,   /* There is none: the collector is of the other version. */
    WAY_OPEN,   /* Not known yet: as the switch has it. */
    WAY_DOWN,   /* Known, and known not to work: nothing is sent. */
    WAY_LOCAL,  /* To a program on this host. */
    WAY_ROUTED, /* Through this host's routing. */
    WAY_DIRECT, /* From a port that is the host's own, as if it had sent it. */
    WAY_PORT,   /* Out of any other port of the bridge to the next hop. */
    WAY_TUNNEL, /* Out of a tunnel port. */
    N_WAY_KINDS
};

struct way {
    enum way_kind kind;
    struct in6_addr address;    /* The collector's; not of WAY_TUNNEL. */
    struct in6_addr source;     /* This host's, to be written... */
    bool rewrite;               /* ...if so. */
    struct eth_addr next_hop;   /* MAC, of WAY_DIRECT and WAY_PORT. */
    struct eth_addr source_mac; /* The same. */
    char out_port[16];          /* Name, of WAY_DIRECT, _PORT and _TUNNEL. */
    bool as_told;               /* Is WAY_PORT the configuration's? */
};

/* The ways to one collector. */
struct collector_ways {
    struct way of[N_VERSIONS];
};

/* Returns true if 'way', to the collector 'c' of 'rule', leads where what is
 * addressed to this host goes anyway: to a program on the rule's own port. */
bool way_is_original(const struct rule *rule, const struct collector *c,
                     const struct way *way);

/* What is asked for the ways. */
struct surroundings {
    const char *bridge; /* Its name. */
    struct eth_addr bridge_mac;
    const struct host *host;
    const struct ports *ports;
    const struct nexthops *nexthops;
    const struct tunnels *tunnels;
};

/* What is to be said of the ways to a collector. */
struct way_report {
    const char *state; /* "up", "down" or "pending". */
    char *via;         /* How copies get there, or why not. */
    char *note;        /* What may drop them on the way, or NULL. */
};

void way_report_uninit(struct way_report *);

/* Works out the ways to the collector 'c' of 'rule', which is at 'place', and
 * what is to be said of them, which the caller frees. */
void ways_find(const struct surroundings *, const struct rule *rule,
               const struct collector *c, const struct place *place,
               struct collector_ways *ways, struct way_report *report);

#endif /* way.h */
