/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "nexthop.h"

#include <errno.h>
#include <limits.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint.h"
#include "hash.h"
#include "netlink-notifier.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(nexthop);

/* At least so long lies between two times that all is read, however many
 * routes change. */
enum { READ_PAUSE_MS = 100 };

/* What the kernel says about a neighbour: an entry of its table. */
struct entry {
    bool present;    /* Is there one? */
    bool by_request; /* Made by a program, not by the kernel on its own. */
    int ifindex;
    struct in6_addr address;
    uint16_t state;     /* NUD_*. */
    uint8_t flags;      /* NTF_*. */
    uint32_t ext_flags; /* NTF_EXT_*. */
    bool has_mac;
    struct eth_addr mac;
};

/* States of an entry in which its MAC address is good. */
enum {
    NUD_GOOD = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE
               | NUD_PERMANENT | NUD_NOARP
};

/* What the kernel says about an address. */
struct route {
    struct nexthop nexthop; /* Without the neighbour's part. */
    int ifindex;            /* Of the neighbour, 0 if there is none to ask. */
};

/* A neighbour that at least one of the addresses is reached through. */
struct neighbour {
    struct hmap_node node; /* In 'neighbours', by interface and address. */
    int ifindex;
    struct in6_addr address;
    enum nexthop_state state; /* NEXTHOP_PENDING, _FAILED or _READY. */
    struct eth_addr mac;      /* Zero but in NEXTHOP_READY. */
    long long int asked;      /* time_msec() when asked last. */
    long long int next_ask;
    bool used; /* For sweep(). */
};

/* An address to keep track of. */
struct target {
    struct hmap_node node; /* In 'targets', by address. */
    struct in6_addr address;
    struct nexthop nexthop; /* The answer. */
    bool answered;          /* Has it one? */
    struct route route;
    struct neighbour *neighbour; /* NULL if there is none to ask. */
    bool wanted;                 /* For nexthops_set(). */
};

struct nexthops {
    struct nln *nln; /* rtnetlink(7) multicasts. */
    struct nln_notifier *notifiers[9];
    struct entry entry; /* What parse_change() found. */
    struct hmap targets;
    struct hmap neighbours;
    bool changed;            /* Are there answers to be worked out? */
    long long int last_read; /* time_msec(). */
    long long int next_read;
    long long int next_ask; /* The first of all neighbours'. */
    unsigned int seqno;
};

static const int groups[] = {
    RTNLGRP_NEIGH,       RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR,
    RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
    RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,  RTNLGRP_NEXTHOP,
};
BUILD_ASSERT_DECL(ARRAY_SIZE(groups)
                  == ARRAY_SIZE(((struct nexthops *) NULL)->notifiers));

const char *
nexthop_state_name(enum nexthop_state state)
{
    switch (state) {
    case NEXTHOP_NO_ROUTE: return "no route";
    case NEXTHOP_OWN: return "own";
    case NEXTHOP_PENDING: return "pending";
    case NEXTHOP_FAILED: return "failed";
    case NEXTHOP_READY: return "ready";
    }
    OVS_NOT_REACHED();
}

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

/* Requests to the kernel. */

/* Parses 'buf', a message about a neighbour.  Returns false if it is about
 * something else: a bridge's forwarding table, or a proxy entry. */
static bool
parse_entry(const struct ofpbuf *buf, struct entry *entry)
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
                  const struct neighbour *neighbour, uint16_t state,
                  uint8_t ndm_flags)
{
    ofpbuf_init(request, 0);
    nl_msg_put_nlmsghdr(request, sizeof(struct ndmsg), type,
                        NLM_F_REQUEST | flags);
    struct ndmsg *ndm = ofpbuf_put_zeros(request, sizeof *ndm);
    ndm->ndm_family = address_family(&neighbour->address);
    ndm->ndm_ifindex = neighbour->ifindex;
    ndm->ndm_state = state;
    ndm->ndm_flags = ndm_flags;
    put_address(request, NDA_DST, &neighbour->address);
}

/* Reads the entry of 'neighbour' in the kernel's table.  Returns false if it
 * cannot be read. */
static bool
read_entry(const struct neighbour *neighbour, struct entry *entry)
{
    struct ofpbuf request, *reply;
    bool ok;

    put_entry_request(&request, RTM_GETNEIGH, 0, neighbour, 0, 0);
    int error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);
    if (error) {
        memset(entry, 0, sizeof *entry);
        return error == ENOENT;
    }
    ok = parse_entry(reply, entry);
    entry->by_request = false; /* This answer is, its content is not. */
    ofpbuf_delete(reply);
    return ok;
}

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
            struct route *route)
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
    struct nexthop *nh = &route->nexthop;
    int error;

    if (buf->size < offset
        || !nl_policy_parse(buf, offset, policy, attrs, ARRAY_SIZE(policy))) {
        return;
    }

    const struct rtmsg *rtm = ofpbuf_at_assert(buf, NLMSG_HDRLEN, sizeof *rtm);
    int ifindex = nl_attr_get_u32(attrs[RTA_OIF]);
    if ((rtm->rtm_type != RTN_UNICAST && rtm->rtm_type != RTN_LOCAL)
        || !if_indextoname(ifindex, nh->device)) {
        return;
    }

    nh->gateway = *address;
    if (attrs[RTA_VIA]) {
        const struct rtvia *via = nl_attr_get(attrs[RTA_VIA]);
        size_t length = nl_attr_get_size(attrs[RTA_VIA]) - sizeof *via;

        if (!get_address(via->rtvia_addr, length, &nh->gateway)) {
            return;
        }
    } else {
        get_attr_address(attrs[RTA_GATEWAY], &nh->gateway);
    }
    get_attr_address(attrs[RTA_PREFSRC], &nh->source);

    if (rtm->rtm_type == RTN_LOCAL) {
        nh->state = NEXTHOP_OWN;
    } else if (has_neighbours(nh->device, &error)) {
        nh->state = NEXTHOP_PENDING;
        route->ifindex = ifindex;
    } else if (!error) {
        nh->state = NEXTHOP_READY;
    }
}

/* Asks the kernel for the route to 'address', through the interface 'ifindex'
 * unless that is 0.  Returns false if it could not answer, true also if it
 * answered that there is none. */
static bool
read_route(const struct in6_addr *address, int ifindex, struct route *route)
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
    route->nexthop.state = NEXTHOP_NO_ROUTE;
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

/* Returns true if the interface 'ifindex' has an IPv6 link-local address. */
static bool
has_link_local(int ifindex)
{
    struct in6_addr somebody = { .s6_addr = { 0xfe, 0x80, [15] = 1 } };
    struct route route;

    return read_route(&somebody, ifindex, &route)
           && IN6_IS_ADDR_LINKLOCAL(&route.nexthop.source);
}

/* Sends an empty datagram to the discard service of 'neighbour', an IPv6 one,
 * not farther than the link. */
static void
send_datagram(const struct neighbour *neighbour)
{
    struct sockaddr_in6 sin6 = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(9),
        .sin6_addr = neighbour->address,
        .sin6_scope_id = neighbour->ifindex,
    };
    const int hops = 1;
    char device[IFNAMSIZ];

    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    if (if_indextoname(neighbour->ifindex, device)
        && !setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device))
        && !setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops,
                       sizeof hops)) {
        ignore(sendto(fd, "", 0, 0, (struct sockaddr *) &sin6, sizeof sin6));
    }
    close(fd);
}

/* Makes the kernel ask for 'neighbour', whose entry is 'entry', with a request
 * to its table, so that no datagram need be sent to anybody.
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
static void
solicit(const struct neighbour *neighbour, const struct entry *entry)
{
    uint16_t state = NUD_NONE;
    uint16_t flags = NLM_F_ACK;
    uint8_t ndm_flags = NTF_USE;

    if (entry->state & (NUD_PERMANENT | NUD_NOARP)
        || entry->flags & NTF_EXT_LEARNED
        || entry->ext_flags & NTF_EXT_MANAGED) {
        return;
    } else if (entry->state & (NUD_INCOMPLETE | NUD_PROBE)) {
        return; /* The kernel is about it. */
    } else if (!IN6_IS_ADDR_V4MAPPED(&neighbour->address)
               && !has_link_local(neighbour->ifindex)) {
        if (!(entry->state & NUD_GOOD)) {
            send_datagram(neighbour);
        }
        return;
    } else if (entry->state & NUD_GOOD) {
        state = NUD_PROBE;
        ndm_flags = 0;
    } else if (!entry->present) {
        flags |= NLM_F_CREATE | NLM_F_EXCL;
    }

    struct ofpbuf request;
    put_entry_request(&request, RTM_NEWNEIGH, flags, neighbour, state,
                      ndm_flags);
    int error = nl_transact(NETLINK_ROUTE, &request, NULL);
    ofpbuf_uninit(&request);
    if (error && error != EEXIST && error != ENOENT && error != ENODEV) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
        char text[INET6_ADDRSTRLEN];

        VLOG_WARN_RL(&rl, "%s: cannot make the kernel ask for it: %s",
                     address_format(&neighbour->address, text),
                     ovs_strerror(error));
    }
}

/* Neighbours. */

static uint32_t
hash_neighbour(int ifindex, const struct in6_addr *address)
{
    return hash_bytes(address, sizeof *address, ifindex);
}

static struct neighbour *
find_neighbour(const struct nexthops *n, int ifindex,
               const struct in6_addr *address)
{
    uint32_t hash = hash_neighbour(ifindex, address);
    struct neighbour *nb;

    HMAP_FOR_EACH_WITH_HASH(nb, node, hash, &n->neighbours)
    {
        if (nb->ifindex == ifindex
            && ipv6_addr_equals(&nb->address, address)) {
            return nb;
        }
    }
    return NULL;
}

static void
set_next_ask(struct nexthops *n, struct neighbour *nb, long long int when)
{
    nb->next_ask = when;
    n->next_ask = MIN(n->next_ask, when);
}

/* Asks for 'nb' as soon as it may be. */
static void
ask_soon(struct nexthops *n, struct neighbour *nb)
{
    set_next_ask(n, nb, MIN(nb->next_ask, nb->asked + NEXTHOP_ASK_MS));
}

/* Takes what the kernel says about 'nb'. */
static void
take_entry(struct nexthops *n, struct neighbour *nb, const struct entry *entry)
{
    enum nexthop_state state = nb->state;
    struct eth_addr mac = nb->mac;

    bool good = entry->present && entry->state & NUD_GOOD && entry->has_mac;

    if (good) {
        state = NEXTHOP_READY;
        mac = entry->mac;
    } else if (entry->present && entry->state & NUD_FAILED
               && !entry->by_request) {
        state = NEXTHOP_FAILED;
        mac = eth_addr_zero;
    }
    /* Else there is no entry, or one that says nothing yet.  Neither does one
     * that a program made fail: that is the first thing that the kernel does
     * when somebody deletes an entry. */

    if (!good) {
        ask_soon(n, nb);
    } else if (nb->state != NEXTHOP_READY) {
        set_next_ask(n, nb, nb->asked + NEXTHOP_PROBE_MS);
    }
    if (state != nb->state || !eth_addr_equals(mac, nb->mac)) {
        nb->state = state;
        nb->mac = mac;
        n->changed = true;
    }
}

/* Asks for 'nb', unless the kernel's table says it need not be. */
static void
ask(struct nexthops *n, struct neighbour *nb)
{
    struct entry entry;

    nb->asked = time_msec();
    if (read_entry(nb, &entry)) {
        take_entry(n, nb, &entry);
        solicit(nb, &entry);
    }
    nb->next_ask =
        nb->asked
        + (nb->state == NEXTHOP_READY ? NEXTHOP_PROBE_MS : NEXTHOP_ASK_MS);
}

/* Asks for all neighbours whose time has come. */
static void
ask_all(struct nexthops *n)
{
    long long int now = time_msec(), next_ask = LLONG_MAX;
    struct neighbour *nb;

    HMAP_FOR_EACH (nb, node, &n->neighbours) {
        if (now >= nb->next_ask) {
            ask(n, nb);
        }
        next_ask = MIN(next_ask, nb->next_ask);
    }
    n->next_ask = next_ask;
}

/* Returns the neighbour with 'address' on the interface 'ifindex'.  A new one
 * is read from the kernel's table, and asked for, next. */
static struct neighbour *
get_neighbour(struct nexthops *n, int ifindex, const struct in6_addr *address)
{
    struct neighbour *nb = find_neighbour(n, ifindex, address);

    if (!nb) {
        nb = xzalloc(sizeof *nb);
        nb->ifindex = ifindex;
        nb->address = *address;
        nb->state = NEXTHOP_PENDING;
        hmap_insert(&n->neighbours, &nb->node,
                    hash_neighbour(ifindex, address));
        set_next_ask(n, nb, time_msec());
    }
    return nb;
}

/* Frees the neighbours that no address is reached through any more. */
static void
sweep(struct nexthops *n)
{
    struct target *target;
    struct neighbour *nb;

    HMAP_FOR_EACH (nb, node, &n->neighbours) {
        nb->used = false;
    }
    HMAP_FOR_EACH (target, node, &n->targets) {
        if (target->neighbour) {
            target->neighbour->used = true;
        }
    }
    HMAP_FOR_EACH_SAFE (nb, node, &n->neighbours) {
        if (!nb->used) {
            hmap_remove(&n->neighbours, &nb->node);
            free(nb);
        }
    }
}

/* Addresses to keep track of. */

static struct target *
find_target(const struct nexthops *n, const struct in6_addr *address)
{
    uint32_t hash = hash_bytes(address, sizeof *address, 0);
    struct target *target;

    HMAP_FOR_EACH_WITH_HASH(target, node, hash, &n->targets)
    {
        if (ipv6_addr_equals(&target->address, address)) {
            return target;
        }
    }
    return NULL;
}

static void
look_up(struct nexthops *n, struct target *target)
{
    struct route route;

    if (read_route(&target->address, 0, &route)) {
        target->route = route;
        target->neighbour =
            (route.ifindex
                 ? get_neighbour(n, route.ifindex, &route.nexthop.gateway)
                 : NULL);
        n->changed = true;
    } else {
        n->next_read = MIN(n->next_read, time_msec() + NEXTHOP_ASK_MS);
    }
}

/* Reads all routes and neighbours. */
static void
read_all(struct nexthops *n)
{
    struct target *target;
    struct neighbour *nb;

    VLOG_DBG("reading %" PRIuSIZE " routes", hmap_count(&n->targets));
    n->last_read = time_msec();
    n->next_read = n->last_read + NEXTHOP_READ_MS;
    HMAP_FOR_EACH (target, node, &n->targets) {
        look_up(n, target);
    }
    sweep(n);
    HMAP_FOR_EACH (nb, node, &n->neighbours) {
        struct entry entry;

        if (read_entry(nb, &entry)) {
            take_entry(n, nb, &entry);
        }
    }
}

/* Returns true if 'nh' is what 'target' has for an answer already. */
static bool
is_answer(const struct target *target, const struct nexthop *nh)
{
    return target->answered && target->nexthop.state == nh->state
           && !strcmp(target->nexthop.device, nh->device)
           && ipv6_addr_equals(&target->nexthop.gateway, &nh->gateway)
           && ipv6_addr_equals(&target->nexthop.source, &nh->source)
           && eth_addr_equals(target->nexthop.mac, nh->mac);
}

static void
log_answer(const struct target *target)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
    const struct nexthop *nh = &target->nexthop;
    char address[INET6_ADDRSTRLEN], gateway[INET6_ADDRSTRLEN];

    if (VLOG_DROP_INFO(&rl)) {
        return;
    }
    address_format(&target->address, address);
    address_format(&nh->gateway, gateway);
    if (nh->state == NEXTHOP_NO_ROUTE || nh->state == NEXTHOP_OWN) {
        VLOG_INFO("%s: %s", address, nexthop_state_name(nh->state));
    } else if (eth_addr_is_zero(nh->mac)) {
        VLOG_INFO("%s: %s, %s on %s", address, nexthop_state_name(nh->state),
                  gateway, nh->device);
    } else {
        VLOG_INFO("%s: %s, %s on %s is " ETH_ADDR_FMT, address,
                  nexthop_state_name(nh->state), gateway, nh->device,
                  ETH_ADDR_ARGS(nh->mac));
    }
}

/* Makes answers of what is known. */
static void
work_out(struct nexthops *n)
{
    struct target *target;
    bool differs = false;

    HMAP_FOR_EACH (target, node, &n->targets) {
        struct nexthop answer = target->route.nexthop;

        if (target->neighbour) {
            answer.state = target->neighbour->state;
            answer.mac = target->neighbour->mac;
        }
        if (!is_answer(target, &answer)) {
            target->nexthop = answer;
            target->answered = true;
            differs = true;
            log_answer(target);
        }
    }
    n->seqno += differs;
    n->changed = false;
}

/* What changes. */

/* Returns the multicast group that the rtnetlink message 'buf' was sent to.
 * Only of a neighbour it matters what changed, because there may be thousands
 * that nobody asked for; '*entry' has the interface 0 if it is not about a
 * neighbour. */
static int
parse_change(struct ofpbuf *buf, void *entry_)
{
    const struct nlmsghdr *nlmsg = buf->data;
    const struct rtgenmsg *gen = (const struct rtgenmsg *) (nlmsg + 1);
    struct entry *entry = entry_;

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

/* Called for what may change a route, and with a null 'change' if there were
 * more changes than could be taken. */
static void
note_change(const void *change OVS_UNUSED, void *n_)
{
    struct nexthops *n = n_;

    n->next_read = MIN(n->next_read, n->last_read + READ_PAUSE_MS);
}

/* Called for what changes about neighbours.  More than could be taken is left
 * to note_change(), which is told of it too. */
static void
note_neighbour(const void *change, void *n_)
{
    const struct entry *entry = change;
    struct nexthops *n = n_;

    if (entry && entry->ifindex) {
        struct neighbour *nb =
            find_neighbour(n, entry->ifindex, &entry->address);

        if (nb) {
            take_entry(n, nb, entry);
        }
    }
}

/* Begins to hear of changes.  Whoever keeps track of nothing does not want to
 * be woken up by them. */
static void
listen_for_changes(struct nexthops *n)
{
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        if (!n->notifiers[i]) {
            n->notifiers[i] = nln_notifier_create(
                n->nln, groups[i],
                groups[i] == RTNLGRP_NEIGH ? note_neighbour : note_change, n);
        }
    }
}

static void
ignore_changes(struct nexthops *n)
{
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        nln_notifier_destroy(n->notifiers[i]);
        n->notifiers[i] = NULL;
    }
}

/* The whole. */

struct nexthops *
nexthops_create(void)
{
    struct nexthops *n = xzalloc(sizeof *n);

    n->nln = nln_create(NETLINK_ROUTE, parse_change, &n->entry);
    hmap_init(&n->targets);
    hmap_init(&n->neighbours);
    n->next_read = n->next_ask = LLONG_MAX;
    return n;
}

void
nexthops_destroy(struct nexthops *n)
{
    if (n) {
        nexthops_set(n, NULL, 0);
        hmap_destroy(&n->neighbours);
        hmap_destroy(&n->targets);
        nln_destroy(n->nln);
        free(n);
    }
}

void
nexthops_set(struct nexthops *n, const struct in6_addr *addresses,
             size_t n_addresses)
{
    struct target *target;

    if (n_addresses) {
        listen_for_changes(n); /* First: nothing may change in between. */
        if (hmap_is_empty(&n->targets)) {
            n->last_read = time_msec();
            n->next_read = n->last_read + NEXTHOP_READ_MS;
        }
    }
    HMAP_FOR_EACH (target, node, &n->targets) {
        target->wanted = false;
    }
    for (size_t i = 0; i < n_addresses; i++) {
        target = find_target(n, &addresses[i]);
        if (!target) {
            target = xzalloc(sizeof *target);
            target->address = addresses[i];
            hmap_insert(
                &n->targets, &target->node,
                hash_bytes(&target->address, sizeof target->address, 0));
            look_up(n, target);
        }
        target->wanted = true;
    }
    HMAP_FOR_EACH_SAFE (target, node, &n->targets) {
        if (!target->wanted) {
            hmap_remove(&n->targets, &target->node);
            free(target);
            n->seqno++;
        }
    }
    sweep(n);
    if (hmap_is_empty(&n->targets)) {
        ignore_changes(n);
        n->next_read = LLONG_MAX;
    }
    ask_all(n);
    work_out(n);
}

void
nexthops_run(struct nexthops *n)
{
    nln_run(n->nln);
    if (time_msec() >= n->next_read) {
        read_all(n);
    }
    if (time_msec() >= n->next_ask) {
        ask_all(n);
    }
    if (n->changed) {
        work_out(n);
    }
}

void
nexthops_wait(struct nexthops *n)
{
    long long int when = MIN(n->next_read, n->next_ask);

    nln_wait(n->nln);
    if (when != LLONG_MAX) {
        poll_timer_wait_until(when);
    }
}

unsigned int
nexthops_seqno(const struct nexthops *n)
{
    return n->seqno;
}

const struct nexthop *
nexthops_get(const struct nexthops *n, const struct in6_addr *address)
{
    const struct target *target = find_target(n, address);

    return target ? &target->nexthop : NULL;
}
