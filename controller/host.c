/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "netlink-notifier.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(host);

struct host {
    struct nln *nln;                   /* rtnetlink(7) multicasts. */
    struct nln_notifier *notifiers[2]; /* For IPv4 and for IPv6 addresses. */
    int ignored;                       /* Where parse_change() puts nothing. */
    bool changed;                      /* Since the last picture. */
    struct host_address *addresses;
    size_t n_addresses;
    size_t allocated;
    unsigned int seqno;
};

/* Returns the multicast group that the rtnetlink message 'buf' was sent to.
 * What changed does not matter, because all addresses are read again. */
static int
parse_change(struct ofpbuf *buf, void *change OVS_UNUSED)
{
    const struct nlmsghdr *nlmsg = buf->data;
    const struct ifaddrmsg *ifa = (const struct ifaddrmsg *) (nlmsg + 1);

    if (buf->size < sizeof *nlmsg + sizeof *ifa
        || (nlmsg->nlmsg_type != RTM_NEWADDR
            && nlmsg->nlmsg_type != RTM_DELADDR)) {
        return 0;
    }
    return (ifa->ifa_family == AF_INET ? RTNLGRP_IPV4_IFADDR
                                       : RTNLGRP_IPV6_IFADDR);
}

static void
note_change(const void *change OVS_UNUSED, void *host_)
{
    struct host *host = host_;

    host->changed = true;
}

/* Returns the IPv4 broadcast address of 'ifa', 0 if it has none.  An address
 * that was given without one shows itself there; the kernel takes the last
 * address of the subnet for it then, and so does everybody else. */
static ovs_be32
get_broadcast(const struct ifaddrs *ifa)
{
    const struct sockaddr_in *address = (void *) ifa->ifa_addr;
    const struct sockaddr_in *broadcast = (void *) ifa->ifa_broadaddr;
    const struct sockaddr_in *netmask = (void *) ifa->ifa_netmask;

    if (address->sin_family != AF_INET || !(ifa->ifa_flags & IFF_BROADCAST)
        || !netmask || ntohl(~netmask->sin_addr.s_addr) <= 1) {
        return 0;
    }
    if (broadcast && broadcast->sin_addr.s_addr
        && broadcast->sin_addr.s_addr != address->sin_addr.s_addr) {
        return broadcast->sin_addr.s_addr;
    }
    return address->sin_addr.s_addr | ~netmask->sin_addr.s_addr;
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
        a->interface[strcspn(a->interface, ":")] = '\0'; /* No label. */
        a->address = endpoint.address;
        a->broadcast = get_broadcast(ifa);
        a->netmask = (a->broadcast ? ALIGNED_CAST(const struct sockaddr_in *,
                                                  ifa->ifa_netmask)
                                         ->sin_addr.s_addr
                                   : 0);
    }
    freeifaddrs(all);
    host->seqno++;
}

struct host *
host_create(void)
{
    struct host *host = xzalloc(sizeof *host);

    host->nln = nln_create(NETLINK_ROUTE, parse_change, &host->ignored);
    host->notifiers[0] =
        nln_notifier_create(host->nln, RTNLGRP_IPV4_IFADDR, note_change, host);
    host->notifiers[1] =
        nln_notifier_create(host->nln, RTNLGRP_IPV6_IFADDR, note_change, host);
    take_picture(host);
    return host;
}

void
host_destroy(struct host *host)
{
    if (host) {
        for (size_t i = 0; i < ARRAY_SIZE(host->notifiers); i++) {
            nln_notifier_destroy(host->notifiers[i]);
        }
        nln_destroy(host->nln);
        free(host->addresses);
        free(host);
    }
}

void
host_run(struct host *host)
{
    nln_run(host->nln);
    if (host->changed) {
        host->changed = false;
        take_picture(host);
    }
}

void
host_wait(struct host *host)
{
    nln_wait(host->nln);
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

int
host_sysctl(const char *path)
{
    char *file = xasprintf("/proc/sys/%s", path);
    FILE *stream = fopen(file, "r");
    int value = -1;

    free(file);
    if (stream) {
        if (fscanf(stream, "%d", &value) != 1) {
            value = -1;
        }
        fclose(stream);
    }
    return value;
}

bool
host_is_internal_port(const char *name)
{
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
    struct ifreq ifr;

    /* The kernel's datapath has a driver of its own; the userspace datapath's
     * internal ports are tap devices. */
    memset(&ifr, 0, sizeof ifr);
    ifr.ifr_data = (void *) &info;
    return (!af_inet_ifreq_ioctl(name, &ifr, SIOCETHTOOL, "ETHTOOL_GDRVINFO")
            && (!strcmp(info.driver, "openvswitch")
                || !strcmp(info.driver, "tun")));
}
