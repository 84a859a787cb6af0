/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RESOLVER_H
#define SNOWRELAY_RESOLVER_H 1

/* Resolver: where names lead to, looked up again and again without ever
 * waiting for an answer.
 *
 * A name is that of a host, whose addresses are looked up (A and AAAA
 * records), or, where it begins with an underscore as
 * "_snowrelay._udp.example.org" does, that of a service (SRV records, RFC
 * 2782), whose hosts' addresses are looked up in turn.  A service's priorities
 * and weights play no part: all its hosts count.
 *
 * Each name is looked up at once and then every RESOLVER_INTERVAL_MS through
 * the c-ares library: /etc/hosts first, then the name servers and search
 * domains of /etc/resolv.conf, which are read afresh for each round.  What has
 * no answer when the next round is due has failed.
 *
 * What cannot be looked up keeps what was last known of it, each host and each
 * IP version by itself, whether a server says that there is no such name or no
 * server answers.  The log says so once, and once again when it is found
 * again. */

#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"

struct sset;

enum {
    /* Less than the 10 seconds within which a change is to be noticed, so that
     * a first name server that is dead may cost its second. */
    RESOLVER_INTERVAL_MS = 8000,

    RESOLVER_MAX_ENDPOINTS = 1024 /* More of a name are ignored. */
};

/* Where a name leads to. */
struct resolution {
    struct endpoint *endpoints; /* The port is 0 where the name is a host's. */
    size_t n;                   /* 0 as long as it was never found. */
};

struct resolver;

struct resolver *resolver_create(void);
void resolver_destroy(struct resolver *);

/* Returns true if 'name' is that of a service. */
bool resolver_is_service(const char *name);

/* Makes 'names' the names to look up.  New ones are looked up at once; what is
 * known of those that stay is kept. */
void resolver_set_names(struct resolver *, const struct sset *names);

/* Does what can be done without waiting, and says when to be called again. */
void resolver_run(struct resolver *);
void resolver_wait(struct resolver *);

/* Returns a number that changes whenever any name leads elsewhere. */
unsigned int resolver_seqno(const struct resolver *);

/* Returns what is known of 'name', which must be one of the names.  Valid
 * until the next call to resolver_run() or resolver_set_names(). */
const struct resolution *
resolver_get(const struct resolver *, const char *name);

#endif /* resolver.h */
