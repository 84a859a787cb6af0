/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RULE_H
#define SNOWRELAY_RULE_H 1

/* Rules: what is replicated, and to whom.
 *
 * A rule says which UDP datagrams it is about, and lists the collectors: each
 * of them gets a copy, or, where the rule spreads, each exporter's datagrams
 * go to one of them.  Rules add up: a datagram that several rules are about
 * goes to the collectors of all of them.
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"
#include "openvswitch/compiler.h"
#include "openvswitch/types.h"
#include "subnets.h"
#include "tunnel.h"

enum {
    RULE_MAX = 64, /* Rules.  A set of them is a uint64_t. */
    RULE_MAX_FROM = 256,
    RULE_MAX_COLLECTORS = 64
};

/* How a collector is reached. */
enum collector_kind {
    COLLECTOR_LOCAL, /* A port of this host. */
    COLLECTOR_HOST,  /* A port of another host. */
    COLLECTOR_TUNNEL /* A switch that gets the frame as it is. */
};

/* A destination of a rule. */
struct collector {
    enum collector_kind kind;
    char *host;              /* Address or name; NULL for COLLECTOR_LOCAL. */
    uint16_t port;           /* 0 for COLLECTOR_TUNNEL. */
    bool keep_source;        /* Keep the exporter's address? */
    bool source_given;       /* Does the configuration say? */
    enum tunnel_type tunnel; /* Of COLLECTOR_TUNNEL. */
    char *out_port;          /* Port of the bridge, and MAC of the next hop, of
                              * COLLECTOR_HOST where the kernel is not to be
                              * asked; NULL where it is. */
    struct eth_addr mac;     /* Zero if not given. */

    /* Worked out by rules_check(). */
    char *text;         /* Such as ":7343" or "vxlan:192.0.2.2". */
    uint32_t bucket_id; /* Of its bucket in the rule's group. */
};

struct rule {
    char *name; /* Of no other rule. */

    /* What it is about. */
    uint16_t port;               /* UDP destination port. */
    struct subnets from;         /* Exporters; none for all of them. */
    struct in6_addr destination; /* IP destination, if... */
    bool has_destination;        /* ...there is one. */
    char *in_port;               /* Port of the bridge, NULL for any. */

    /* What comes out of a tunnel from a switch that has a collector of this
     * kind; NULL where the rule is about the bridge's own traffic. */
    char *remote; /* Address or name. */
    enum tunnel_type tunnel;
    bool tunnel_given;

    bool spread; /* One collector for each exporter? */
    struct collector *collectors;
    size_t n_collectors;

    /* Worked out by rules_check(). */
    uint32_t slot; /* From 0 to RULE_MAX - 1, no other rule's: the place of
                    * its groups in the ids that are ours. */
};

/* A list of rules. */
struct rules {
    struct rule *rules;
    size_t n;
};

void rules_clear(struct rules *);

/* Appends a rule without anything, or a collector without anything to 'rule'.
 * Return NULL if there are too many. */
struct rule *rules_add(struct rules *);
struct collector *rule_add_collector(struct rule *rule);

/* Setters.  'source' names where 'text' is from in the message that they
 * return, for the caller to free, if it is wrong. */
char *rule_set_name(struct rule *, const char *source,
                    const char *text) OVS_WARN_UNUSED_RESULT;
char *rule_add_from(struct rule *, const char *source,
                    const char *text) OVS_WARN_UNUSED_RESULT;
char *rule_set_destination(struct rule *, const char *source,
                           const char *text) OVS_WARN_UNUSED_RESULT;
char *rule_set_in_port(struct rule *, const char *source,
                       const char *text) OVS_WARN_UNUSED_RESULT;
char *rule_set_spread(struct rule *, const char *source,
                      const char *text) OVS_WARN_UNUSED_RESULT;
char *rule_set_tunnel(struct rule *, const char *source,
                      const char *text) OVS_WARN_UNUSED_RESULT;
char *rule_set_remote(struct rule *, const char *source,
                      const char *text) OVS_WARN_UNUSED_RESULT;
char *collector_set_host(struct collector *, const char *source,
                         const char *text) OVS_WARN_UNUSED_RESULT;
char *collector_set_source(struct collector *, const char *source,
                           const char *text) OVS_WARN_UNUSED_RESULT;
char *collector_set_tunnel(struct collector *, const char *source,
                           const char *text) OVS_WARN_UNUSED_RESULT;
char *collector_set_out_port(struct collector *, const char *source,
                             const char *text) OVS_WARN_UNUSED_RESULT;
char *collector_set_mac(struct collector *, const char *source,
                        const char *text) OVS_WARN_UNUSED_RESULT;

/* Checks 'rules' as a whole, which the user wrote at 'source', and works out
 * what follows from it.  Returns NULL, or a message that the caller frees.
 *
 * Both the slots and the bucket ids are hashes of names: a collector keeps its
 * bucket when others come and go, which is what makes a spread stable, and a
 * rule keeps its groups, unless its hash is that of a rule before it. */
char *rules_check(struct rules *, const char *source) OVS_WARN_UNUSED_RESULT;

/* Returns true if 'rule' can be about datagrams of the IP version: its subnets
 * and its destination allow it. */
bool rule_takes(const struct rule *rule, bool ipv6);

/* Writes what 'rule' is about, for people, such as "udp port 6343 from
 * 10.0.0.0/8", and returns it; the caller frees it. */
char *rule_to_text(const struct rule *rule);

#endif /* rule.h */
