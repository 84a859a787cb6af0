/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_RESOLVER_H
#define SNOWRELAY_RESOLVER_H 1

/* Resolver: looks names up, again and again, without ever waiting for an
 * answer.
 *
 * Each name of a host is looked up for its A and its AAAA records, each name
 * of a service for its SRV records and those of its hosts, at once and then
 * every RESOLVER_INTERVAL_MS, through the c-ares library: /etc/hosts first,
 * then the name servers and search domains of /etc/resolv.conf, which are read
 * afresh for each round.  What has no answer when the next round is due has
 * failed.  What the answers mean, and what becomes of a name without one, is
 * in names.h. */

#include <stdbool.h>

#include "names.h"

struct sset;

enum {
    /* Less than the 10 seconds within which a change is to be noticed, so that
     * a first name server that is dead may cost its second. */
    RESOLVER_INTERVAL_MS = 8000
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

/* Returns a number that changes whenever any name leads elsewhere. */
unsigned int resolver_seqno(const struct resolver *);

/* Returns what is known of 'name', which must be one of the names.  Valid
 * until the next call to resolver_run() or resolver_set_names(). */
const struct resolution *
resolver_get(const struct resolver *, const char *name);

#endif /* resolver.h */
