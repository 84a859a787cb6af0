/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RESOLVER_H
#define SNOWRELAY_RESOLVER_H 1

/* Resolver: the addresses of host names, looked up again and again without
 * ever waiting for an answer.
 *
 * Each name is looked up at once and then every RESOLVER_INTERVAL_MS, or as
 * soon after as dead servers have timed out, through the C-Ares library:
 * /etc/hosts first, then the name servers and search domains of
 * /etc/resolv.conf, which are read afresh for each round.  A name that cannot
 * be looked up keeps the addresses it had. */

#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"

struct sset;

enum {
    RESOLVER_INTERVAL_MS = 10000,
    RESOLVER_MAX_ADDRESSES = 16 /* More addresses of a name are ignored. */
};

/* What is known of a name. */
struct resolution {
    struct in6_addr addresses[RESOLVER_MAX_ADDRESSES];
    size_t n; /* 0 as long as it was never found. */
};

struct resolver;

struct resolver *resolver_create(void);
void resolver_destroy(struct resolver *);

/* Makes 'names' the names to look up.  New ones are looked up at once; what is
 * known of those that stay is kept. */
void resolver_set_names(struct resolver *, const struct sset *names);

/* Does what can be done without waiting, and says when to be called again. */
void resolver_run(struct resolver *);
void resolver_wait(struct resolver *);

/* Returns a number that changes whenever an address of any name does. */
unsigned int resolver_seqno(const struct resolver *);

/* Returns what is known of 'name', which must be one of the names.  Valid
 * until the next call to resolver_run() or resolver_set_names(). */
const struct resolution *
resolver_get(const struct resolver *, const char *name);

#endif /* resolver.h */
