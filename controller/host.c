/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "host.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#include "if-notifier.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(host);

struct host {
    struct if_notifier *notifier;
    bool changed; /* Since the last picture. */
    struct host_address *addresses;
    size_t n_addresses;
    size_t allocated;
    unsigned int seqno;
};

static void
note_change(void *host_)
{
    struct host *host = host_;

    host->changed = true;
}

/* Returns the IPv4 broadcast address of 'ifa', 0 if it has none. */
static ovs_be32
get_broadcast(const struct ifaddrs *ifa)
{
    if (ifa->ifa_addr->sa_family != AF_INET || !ifa->ifa_broadaddr
        || !(ifa->ifa_flags & IFF_BROADCAST)) {
        return 0;
    }
    return ((const struct sockaddr_in *) ifa->ifa_broadaddr)->sin_addr.s_addr;
}

static void
take_picture(struct host *host)
{
    struct ifaddrs *all, *ifa;

    if (getifaddrs(&all)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
        VLOG_WARN_RL(&rl, "cannot list this host's addresses: %s",
                     ovs_strerror(errno));
        return;
    }

    host->n_addresses = 0;
    for (ifa = all; ifa; ifa = ifa->ifa_next) {
        struct endpoint endpoint;

        if (!ifa->ifa_addr
            || !endpoint_from_sockaddr(ifa->ifa_addr, &endpoint)) {
            continue;
        }
        if (host->n_addresses >= host->allocated) {
            host->addresses = x2nrealloc(host->addresses, &host->allocated,
                                         sizeof *host->addresses);
        }

        struct host_address *a = &host->addresses[host->n_addresses++];
        ovs_strlcpy(a->interface, ifa->ifa_name, sizeof a->interface);
        a->address = endpoint.address;
        a->broadcast = get_broadcast(ifa);
    }
    freeifaddrs(all);
    host->seqno++;
}

struct host *
host_create(void)
{
    struct host *host = xzalloc(sizeof *host);

    host->notifier = if_notifier_create(note_change, host);
    take_picture(host);
    return host;
}

void
host_destroy(struct host *host)
{
    if (host) {
        if_notifier_destroy(host->notifier);
        free(host->addresses);
        free(host);
    }
}

void
host_run(struct host *host)
{
    if_notifier_run();
    if (host->changed) {
        host->changed = false;
        take_picture(host);
    }
}

void
host_wait(struct host *host)
{
    if_notifier_wait();
    if (host->changed) {
        poll_immediate_wake();
    }
}

unsigned int
host_seqno(const struct host *host)
{
    return host->seqno;
}

const struct host_address *
host_addresses(const struct host *host, size_t *n)
{
    *n = host->n_addresses;
    return host->addresses;
}
