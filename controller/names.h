/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_NAMES_H
#define SNOWRELAY_NAMES_H 1

/* Names: where they lead to, as far as answers tell.
 *
 * A name is that of a host, which has addresses of either IP version, or,
 * where it begins with an underscore as "_snowrelay._udp.example.org" does,
 * that of a service (RFC 2782), which has hosts, whose names are looked up in
 * turn, and a port with each of them.  Priorities and weights play no part:
 * all hosts count.
 *
 * What cannot be looked up keeps what was last known of it, each host and each
 * IP version by itself, whether a server says that there is no such name or no
 * server answers.  The log says so once, and once again when it is found
 * again.  A host that has one IP version and is denied the other does not have
 * that.
 *
 * Addresses that no host can have, unspecified, multicast or broadcast ones,
 * are as good as none.
 *
 * The resolver (resolver.h) asks and brings the answers.  Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"

struct sset;

/* More of a name are ignored. */
enum { NAMES_MAX_ENDPOINTS = 1024, NAMES_MAX_HOSTS = 1024 };

/* Where a name leads to. */
struct resolution {
    struct endpoint *endpoints; /* The port is 0 where the name is a host's. */
    size_t n;                   /* 0 as long as no address was found. */
    bool cut;                   /* Were there more than are taken? */
};

/* IP versions, as indexes. */
enum name_version { NAME_V4, NAME_V6, NAME_N_VERSIONS };

/* What the last question for something was answered. */
enum name_answer {
    NAME_FOUND,
    NAME_DENIED, /* There is no such thing. */
    NAME_FAILED  /* Nobody knows. */
};

/* The addresses of a host, of one IP version. */
struct name_addresses {
    struct in6_addr *all;
    size_t n;
    enum name_answer answer;
};

/* A host of a service. */
struct name_host {
    char *text;
    uint16_t port;
};

struct name {
    char *text;
    bool wanted;                /* By our caller, or only by a service? */
    bool told;                  /* Has the present failure been logged? */
    struct vlog_rate_limit log; /* Of what is logged of it. */
    struct resolution resolution;

    struct name_addresses addresses[NAME_N_VERSIONS]; /* Of a host. */
    struct name_host *hosts;                          /* Of a service. */
    size_t n_hosts;

    /* For the resolver: was it asked for in this round, and how many of the
     * questions have no answer? */
    bool asked;
    size_t n_pending;
};

struct names {
    struct shash all;   /* From text to "struct name". */
    size_t n_services;  /* Those that are wanted. */
    unsigned int seqno; /* Changes whenever a name leads elsewhere, or to the
                         * same in another order. */

    /* Returns true if this host has a route to an IPv6 address. */
    bool (*has_route)(const struct in6_addr *);
};

void names_init(struct names *, bool (*has_route)(const struct in6_addr *));
void names_destroy(struct names *);

/* Returns true if 'text' is the name of a service. */
bool name_is_service(const char *text);

/* Makes 'texts' the names that are wanted.  What is known of those that stay
 * is kept. */
void names_set_wanted(struct names *, const struct sset *texts);

/* Forgets the names that are neither wanted nor hosts of a service that is. */
void names_sweep(struct names *);

/* Take in an answer: the 'n' addresses of one IP version that 'name' has,
 * which count at once; or that it has none.  When both versions
 * have an answer names_judge_host() must follow, with what the C library of
 * the resolver calls the failure, if there is one. */
void names_take_addresses(struct names *, struct name *name,
                          enum name_version version,
                          const struct in6_addr *addresses, size_t n);
void names_take_none(struct name *name, enum name_version version,
                     enum name_answer answer);
void names_judge_host(struct names *, struct name *name, const char *failure);

/* Makes the 'n' 'hosts', of which those that are no hosts are left out, the
 * hosts of the service 'name'.  Their names are among the names then. */
void names_take_hosts(struct names *, struct name *name,
                      const struct name_host *hosts, size_t n);

/* Takes in that 'name' cannot be looked up, because of 'failure'. */
void name_take_failure(struct name *name, const char *failure);

#endif /* names.h */
