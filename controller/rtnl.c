/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "rtnl.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint.h"
#include "netlink-notifier.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "privsep.h"
#include "socket-util.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(rtnl);

/* States of an entry in which its MAC address is good. */
enum {
    NUD_GOOD = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE
               | NUD_PERMANENT | NUD_NOARP
};

/* Multicast groups: the first tells of neighbours, the others of what may
 * change routes. */
static const int groups[] = {
    RTNLGRP_NEIGH,       RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR,
    RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
    RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,  RTNLGRP_NEXTHOP,
};

struct rtnl_listener {
    struct nln *nln;
    struct nln_notifier *notifiers[ARRAY_SIZE(groups)];
    struct rtnl_entry entry; /* What parse_change() found. */
    rtnl_route_func *route_changed;
    rtnl_entry_func *entry_changed;
    void *aux;
};

/* Addresses as rtnetlink has them. */

static int
address_family(const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address) ? AF_INET : AF_INET6;
}

static unsigned int
address_bits(const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address) ? 32 : 128;
}

static void
put_address(struct ofpbuf *buf, uint16_t type, const struct in6_addr *address)
{
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        nl_msg_put_be32(buf, type, in6_addr_get_mapped_ipv4(address));
    } else {
        nl_msg_put_in6_addr(buf, type, address);
    }
}

/* Stores the IPv4 or IPv6 address of 'length' bytes at 'bytes'.  Returns false
 * if it is neither. */
static bool
get_address(const void *bytes, size_t length, struct in6_addr *address)
{
    if (length == sizeof(ovs_be32)) {
        in6_addr_set_mapped_ipv4(address, get_unaligned_be32(bytes));
    } else if (length == sizeof *address) {
        memcpy(address, bytes, sizeof *address);
    } else {
        return false;
    }
    return true;
}

static bool
get_attr_address(const struct nlattr *attr, struct in6_addr *address)
{
    return attr
           && get_address(nl_attr_get(attr), nl_attr_get_size(attr), address);
}

/* Neighbours. */

/* Parses 'buf', a message about a neighbour.  Returns false if it is about
 * something else: a bridge's forwarding table, or a proxy entry. */
static bool
parse_entry(const struct ofpbuf *buf, struct rtnl_entry *entry)
{
    static const struct nl_policy policy[] = {
        [NDA_DST] = { .type = NL_A_UNSPEC, .optional = true },
        [NDA_LLADDR] = { .type = NL_A_UNSPEC, .optional = true },
        [NDA_FLAGS_EXT] = { .type = NL_A_U32, .optional = true },
    };
    const size_t offset = NLMSG_HDRLEN + sizeof(struct ndmsg);
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (buf->size < offset
        || !nl_policy_parse(buf, offset, policy, attrs, ARRAY_SIZE(policy))) {
        return false;
    }

    const struct nlmsghdr *nlmsg = buf->data;
    const struct ndmsg *ndm = ofpbuf_at_assert(buf, NLMSG_HDRLEN, sizeof *ndm);
    memset(entry, 0, sizeof *entry);
    if ((ndm->ndm_family != AF_INET && ndm->ndm_family != AF_INET6)
        || ndm->ndm_flags & NTF_PROXY
        || !get_attr_address(attrs[NDA_DST], &entry->address)) {
        return false;
    }
    entry->present = nlmsg->nlmsg_type == RTM_NEWNEIGH;
    entry->by_request = nlmsg->nlmsg_pid != 0;
    entry->ifindex = ndm->ndm_ifindex;
    entry->state = ndm->ndm_state;
    entry->flags = ndm->ndm_flags;
    if (attrs[NDA_FLAGS_EXT]) {
        entry->ext_flags = nl_attr_get_u32(attrs[NDA_FLAGS_EXT]);
    }
    if (attrs[NDA_LLADDR]
        && nl_attr_get_size(attrs[NDA_LLADDR]) == sizeof entry->mac) {
        memcpy(&entry->mac, nl_attr_get(attrs[NDA_LLADDR]), sizeof entry->mac);
        entry->has_mac = true;
    }
    return true;
}

/* Begins a request about a neighbour. */
static void
put_entry_request(struct ofpbuf *request, uint16_t type, uint16_t flags,
                  int ifindex, const struct in6_addr *address, uint16_t state,
                  uint8_t ndm_flags)
{
    ofpbuf_init(request, 0);
    nl_msg_put_nlmsghdr(request, sizeof(struct ndmsg), type,
                        NLM_F_REQUEST | flags);
    struct ndmsg *ndm = ofpbuf_put_zeros(request, sizeof *ndm);
    ndm->ndm_family = address_family(address);
    ndm->ndm_ifindex = ifindex;
    ndm->ndm_state = state;
    ndm->ndm_flags = ndm_flags;
    put_address(request, NDA_DST, address);
}

bool
rtnl_read_entry(int ifindex, const struct in6_addr *address,
                struct rtnl_entry *entry)
{
    struct ofpbuf request, *reply;
    bool ok;

    put_entry_request(&request, RTM_GETNEIGH, 0, ifindex, address, 0, 0);
    int error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);
    if (error) {
        memset(entry, 0, sizeof *entry);
        entry->ifindex = ifindex;
        entry->address = *address;
        return error == ENOENT;
    }
    ok = parse_entry(reply, entry);
    entry->by_request = false; /* This answer is, its content is not. */
    ofpbuf_delete(reply);
    return ok;
}

bool
rtnl_entry_is_good(const struct rtnl_entry *entry)
{
    return entry->present && entry->state & NUD_GOOD && entry->has_mac;
}

bool
rtnl_entry_is_failed(const struct rtnl_entry *entry)
{
    return entry->present && entry->state & NUD_FAILED && !entry->by_request;
}

/* Routes. */

/* Returns true if frames through 'device' go to neighbours' MAC addresses.
 * Returns false, and sets '*error', also if it cannot be told. */
static bool
has_neighbours(const char *device, int *error)
{
    struct ifreq ifr;

    *error = af_inet_ifreq_ioctl(device, &ifr, SIOCGIFFLAGS, "SIOCGIFFLAGS");
    if (*error
        || ifr.ifr_flags & (IFF_LOOPBACK | IFF_NOARP | IFF_POINTOPOINT)) {
        return false;
    }
    *error = af_inet_ifreq_ioctl(device, &ifr, SIOCGIFHWADDR, "SIOCGIFHWADDR");
    return !*error && ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

/* Parses 'buf', the kernel's answer how to reach 'address'. */
static void
parse_route(const struct ofpbuf *buf, const struct in6_addr *address,
            struct rtnl_route *route)
{
    static const struct nl_policy policy[] = {
        [RTA_OIF] = { .type = NL_A_U32 },
        [RTA_GATEWAY] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_PREFSRC] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_VIA] = { .type = NL_A_UNSPEC,
                      .min_len = sizeof(struct rtvia),
                      .optional = true },
    };
    const size_t offset = NLMSG_HDRLEN + sizeof(struct rtmsg);
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    int error;

    if (buf->size < offset
        || !nl_policy_parse(buf, offset, policy, attrs, ARRAY_SIZE(policy))) {
        return;
    }

    const struct rtmsg *rtm = ofpbuf_at_assert(buf, NLMSG_HDRLEN, sizeof *rtm);
    int ifindex = nl_attr_get_u32(attrs[RTA_OIF]);
    if ((rtm->rtm_type != RTN_UNICAST && rtm->rtm_type != RTN_LOCAL)
        || !if_indextoname(ifindex, route->device)) {
        return;
    }

    route->gateway = *address;
    if (attrs[RTA_VIA]) {
        const struct rtvia *via = nl_attr_get(attrs[RTA_VIA]);
        size_t length = nl_attr_get_size(attrs[RTA_VIA]) - sizeof *via;

        if (!get_address(via->rtvia_addr, length, &route->gateway)) {
            return;
        }
    } else {
        get_attr_address(attrs[RTA_GATEWAY], &route->gateway);
    }
    get_attr_address(attrs[RTA_PREFSRC], &route->source);

    if (rtm->rtm_type == RTN_LOCAL) {
        route->kind = RTNL_OWN;
    } else if (has_neighbours(route->device, &error)) {
        route->kind = RTNL_NEIGHBOUR;
        route->ifindex = ifindex;
    } else if (!error) {
        route->kind = RTNL_DEVICE;
    }
}

bool
rtnl_read_route(const struct in6_addr *address, int ifindex,
                struct rtnl_route *route)
{
    struct ofpbuf request, *reply;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof(struct rtmsg), RTM_GETROUTE,
                        NLM_F_REQUEST);
    struct rtmsg *rtm = ofpbuf_put_zeros(&request, sizeof *rtm);
    rtm->rtm_family = address_family(address);
    rtm->rtm_dst_len = address_bits(address);
    put_address(&request, RTA_DST, address);
    if (ifindex) {
        nl_msg_put_u32(&request, RTA_OIF, ifindex);
    }
    int error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);

    memset(route, 0, sizeof *route);
    route->kind = RTNL_NOWHERE;
    if (!error) {
        parse_route(reply, address, route);
        ofpbuf_delete(reply);
    } else if (error == ENOMEM || error == ENOBUFS || error == EMFILE
               || error == ENFILE) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

        VLOG_WARN_RL(&rl, "cannot read routes: %s", ovs_strerror(error));
        return false;
    }
    return true; /* Each kind of route that leads nowhere has an error. */
}

/* Asking for neighbours. */

/* Returns true if the interface 'ifindex' has an IPv6 link-local address. */
static bool
has_link_local(int ifindex)
{
    struct in6_addr somebody = { .s6_addr = { 0xfe, 0x80, [15] = 1 } };
    struct rtnl_route route;

    return rtnl_read_route(&somebody, ifindex, &route)
           && IN6_IS_ADDR_LINKLOCAL(&route.source);
}

/* Sends an empty datagram to the discard service of the neighbour of 'entry',
 * an IPv6 one, not farther than the link. */
static void
send_datagram(const struct rtnl_entry *entry)
{
    struct sockaddr_in6 sin6 = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(9),
        .sin6_addr = entry->address,
        .sin6_scope_id = entry->ifindex,
    };
    const int hops = 1;
    char device[IFNAMSIZ];

    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    if (if_indextoname(entry->ifindex, device)
        && !setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device))
        && !setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops,
                       sizeof hops)) {
        ignore(sendto(fd, "", 0, 0, (struct sockaddr *) &sin6, sizeof sin6));
    }
    close(fd);
}

/* A request to the kernel's table does it, so that no datagram need be sent to
 * anybody.
 *
 * Without an answer so far NTF_USE does what a datagram would: it begins to
 * solicit.  It would not for a neighbour that is known, at least not soon; a
 * probe of that begins with the state NUD_PROBE.
 *
 * Both take away from an entry what makes it permanent, externally learned or
 * managed.  Such an entry is not touched, and NLM_F_EXCL keeps the request for
 * one that was not there from meeting one that came since.
 *
 * On an interface that has no link-local address the kernel does not solicit
 * IPv6 neighbours unless it has a datagram to send, because it takes the
 * source address from that.  It fails them without having asked then.  So
 * there they get a datagram, and those that are known are left in peace. */
void
rtnl_solicit(const struct rtnl_entry *entry)
{
    uint16_t state = NUD_NONE;
    uint16_t flags = NLM_F_ACK;
    uint8_t ndm_flags = NTF_USE;

    if (privsep_is_on()) {
        privsep_solicit(entry->ifindex, &entry->address);
        return;
    }
    if (entry->state & (NUD_PERMANENT | NUD_NOARP)
        || entry->flags & NTF_EXT_LEARNED
        || entry->ext_flags & NTF_EXT_MANAGED) {
        return;
    } else if (entry->state & (NUD_INCOMPLETE | NUD_PROBE)) {
        return; /* The kernel is about it. */
    } else if (!IN6_IS_ADDR_V4MAPPED(&entry->address)
               && !has_link_local(entry->ifindex)) {
        if (!(entry->state & NUD_GOOD)) {
            send_datagram(entry);
        }
        return;
    } else if (entry->state & NUD_GOOD) {
        state = NUD_PROBE;
        ndm_flags = 0;
    } else if (!entry->present) {
        flags |= NLM_F_CREATE | NLM_F_EXCL;
    }

    struct ofpbuf request;
    put_entry_request(&request, RTM_NEWNEIGH, flags, entry->ifindex,
                      &entry->address, state, ndm_flags);
    int error = nl_transact(NETLINK_ROUTE, &request, NULL);
    ofpbuf_uninit(&request);
    if (error && error != EEXIST && error != ENOENT && error != ENODEV) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
        char text[INET6_ADDRSTRLEN];

        VLOG_WARN_RL(&rl, "%s: cannot make the kernel ask for it: %s",
                     address_format(&entry->address, text),
                     ovs_strerror(error));
    }
}

/* Changes. */

/* Returns the multicast group that the rtnetlink message 'buf' was sent to.
 * From a message about a neighbour it also parses '*entry', which has the
 * interface 0 if it is about something else, see parse_entry(). */
static int
parse_change(struct ofpbuf *buf, void *entry_)
{
    const struct nlmsghdr *nlmsg = buf->data;
    const struct rtgenmsg *gen = (const struct rtgenmsg *) (nlmsg + 1);
    struct rtnl_entry *entry = entry_;

    if (buf->size < sizeof *nlmsg + sizeof *gen) {
        return 0;
    }
    bool ipv4 = gen->rtgen_family == AF_INET;
    switch (nlmsg->nlmsg_type) {
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        if (!parse_entry(buf, entry)) {
            memset(entry, 0, sizeof *entry);
        }
        return RTNLGRP_NEIGH;

    case RTM_NEWLINK:
    case RTM_DELLINK: return RTNLGRP_LINK;

    case RTM_NEWADDR:
    case RTM_DELADDR: return ipv4 ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR;

    case RTM_NEWROUTE:
    case RTM_DELROUTE: return ipv4 ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE;

    case RTM_NEWRULE:
    case RTM_DELRULE: return ipv4 ? RTNLGRP_IPV4_RULE : RTNLGRP_IPV6_RULE;

    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP: return RTNLGRP_NEXTHOP;
    }
    return 0;
}

/* Called with a null 'change' if there were more changes than could be taken.
 */
static void
note_route(const void *change OVS_UNUSED, void *l_)
{
    struct rtnl_listener *l = l_;

    l->route_changed(l->aux);
}

/* More changes than could be taken are left to note_route(), which is told of
 * them too. */
static void
note_entry(const void *change, void *l_)
{
    const struct rtnl_entry *entry = change;
    struct rtnl_listener *l = l_;

    if (entry && entry->ifindex) {
        l->entry_changed(entry, l->aux);
    }
}

struct rtnl_listener *
rtnl_listener_create(rtnl_route_func *route_changed,
                     rtnl_entry_func *entry_changed, void *aux)
{
    struct rtnl_listener *l = xzalloc(sizeof *l);

    l->nln = nln_create(NETLINK_ROUTE, parse_change, &l->entry);
    l->route_changed = route_changed;
    l->entry_changed = entry_changed;
    l->aux = aux;
    return l;
}

void
rtnl_listener_destroy(struct rtnl_listener *l)
{
    if (l) {
        rtnl_listener_stop(l);
        nln_destroy(l->nln);
        free(l);
    }
}

void
rtnl_listener_start(struct rtnl_listener *l)
{
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        if (!l->notifiers[i]) {
            l->notifiers[i] = nln_notifier_create(
                l->nln, groups[i],
                groups[i] == RTNLGRP_NEIGH ? note_entry : note_route, l);
        }
    }
}

void
rtnl_listener_stop(struct rtnl_listener *l)
{
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        nln_notifier_destroy(l->notifiers[i]);
        l->notifiers[i] = NULL;
    }
}

void
rtnl_listener_run(struct rtnl_listener *l)
{
    nln_run(l->nln);
}

void
rtnl_listener_wait(struct rtnl_listener *l)
{
    nln_wait(l->nln);
}
