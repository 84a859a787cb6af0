/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SUBNETS_H
#define SNOWRELAY_SUBNETS_H 1

/* Subnets: a list of them, as the configuration has it.  Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"
#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

struct subnets {
    struct subnet *all;
    char **texts; /* As they were written. */
    size_t n;
};

void subnets_clear(struct subnets *);

/* Appends the address or ADDRESS/PREFIX 'text'; there may be up to 'max'.
 * 'source' names where 'text' is from in the message that this returns if it
 * is wrong, and that the caller frees. */
char *subnets_add(struct subnets *, size_t max, const char *source,
                  const char *text) OVS_WARN_UNUSED_RESULT;

/* Returns true if 'address' lies in one of the subnets, which must all be IPv4
 * ones. */
bool subnets_contain_ipv4(const struct subnets *, ovs_be32 address);

#endif /* subnets.h */
