/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_HOST_H
#define SNOWRELAY_HOST_H 1

/* Host: the IP addresses of this machine's interfaces, and its sysctls.
 *
 * A picture of them is taken at the start and again whenever the kernel says
 * (rtnetlink(7)) that an address changed. */

#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"
#include "openvswitch/types.h"

/* One address of one interface. */
struct host_address {
    char interface[16];
    struct in6_addr address;
    ovs_be32 broadcast; /* IPv4 broadcast address, 0 if none. */
    ovs_be32 netmask;   /* Of the IPv4 subnet that has it, 0 if none. */
};

struct host;

struct host *host_create(void);
void host_destroy(struct host *);

void host_run(struct host *);
void host_wait(struct host *);

/* Returns a number that changes whenever the addresses may have. */
unsigned int host_seqno(const struct host *);

/* Returns the addresses and stores their number in '*n'.  Valid until the next
 * call to host_run(). */
const struct host_address *host_addresses(const struct host *, size_t *n);

/* Returns the value of the sysctl at 'path' under /proc/sys, such as
 * "net/ipv4/ip_forward", as this process' network namespace has it; -1 if
 * there is none. */
int host_sysctl(const char *path);

/* Returns true if the interface 'name', which is known to be a port of an Open
 * vSwitch bridge, is an internal one: what a switch puts out there comes in to
 * this host. */
bool host_is_internal_port(const char *name);

#endif /* host.h */
