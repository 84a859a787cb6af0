/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "capture-record.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>

#include "csum.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "pcapng.h"
#include "util.h"

static const struct {
    const char *name;
    const char *description;
    enum pcapng_direction direction;
} interfaces[CAPTURE_N_INTERFACES] = {
    [CAPTURE_PUNT] = { "punt", "Frames that came from the switch",
                       PCAPNG_INBOUND },
    [CAPTURE_SEND] = { "send", "Frames that were sent to peers",
                       PCAPNG_OUTBOUND },
    [CAPTURE_RECEIVE] = { "receive", "Frames that came from a peer",
                          PCAPNG_INBOUND },
    [CAPTURE_EMIT] = { "emit", "Frames for the switch to broadcast",
                       PCAPNG_OUTBOUND },
    [CAPTURE_DROP] = { "drop", "Frames that ended at the relay",
                       PCAPNG_DIRECTION_UNKNOWN },
    [CAPTURE_REFUSED] = { "refused",
                          "Datagrams from the mesh in which no frame was "
                          "found, behind made-up headers",
                          PCAPNG_INBOUND },
};

const char *
capture_interface_name(enum capture_interface interface)
{
    return interfaces[interface].name;
}

const char *
capture_interface_description(enum capture_interface interface)
{
    return interfaces[interface].description;
}

void
capture_record_init(struct capture_record *r, const struct tap_event *event,
                    uint64_t time)
{
    *r = (struct capture_record){
        .time = time,
        .interface = (event->is_frame ? (enum capture_interface) event->point
                                      : CAPTURE_REFUSED),
        .direction = event->direction,
        .dropped = event->point == TAP_DROP,
        .reason = event->reason,
        .switched = event->switched,
        .rewritten = event->rewritten,
        .n_peers = event->n_peers,
    };
    if (event->from) {
        r->has_from = true;
        r->from = *event->from;
    }
}

/* Made-up headers. */

/* Writes an IPv4 header and returns its length. */
static size_t
make_ipv4(const struct in6_addr *from, const struct in6_addr *to,
          size_t length, uint8_t *header)
{
    struct iphdr ip = {
        .version = 4,
        .ihl = sizeof ip / 4,
        .ttl = 64,
        .protocol = IPPROTO_UDP,
        .tot_len = htons(MIN(sizeof ip + length, UINT16_MAX)),
    };

    memcpy(&ip.saddr, &from->s6_addr[12], sizeof ip.saddr);
    if (!address_is_ipv6(to)) {
        memcpy(&ip.daddr, &to->s6_addr[12], sizeof ip.daddr);
    }
    ip.check = csum(&ip, sizeof ip);
    memcpy(header, &ip, sizeof ip);
    return sizeof ip;
}

static size_t
make_ipv6(const struct in6_addr *from, const struct in6_addr *to,
          size_t length, uint8_t *header)
{
    struct ip6_hdr ip = {
        .ip6_plen = htons(MIN(length, UINT16_MAX)),
        .ip6_nxt = IPPROTO_UDP,
        .ip6_hlim = 64,
        .ip6_src = *from,
    };

    ip.ip6_vfc = 6 << 4;
    if (address_is_ipv6(to)) {
        ip.ip6_dst = *to;
    }
    memcpy(header, &ip, sizeof ip);
    return sizeof ip;
}

/* Returns the checksum of 'udp', which holds none yet, and the 'length' bytes
 * of 'payload' behind it.  'addresses' are those of the IP header, of which
 * each has as many bytes as its version says.  IPv6 needs a checksum (RFC
 * 8200, section 8.1). */
static uint16_t
udp_checksum(const struct udphdr *udp, const uint8_t *payload, size_t length,
             const void *addresses, size_t address_length)
{
    uint32_t sum = csum_continue(0, addresses, 2 * address_length);

    sum = csum_add16(sum, htons(IPPROTO_UDP));
    sum = csum_add16(sum, udp->len);
    sum = csum_continue(sum, udp, sizeof *udp);
    uint16_t checksum = csum_finish(csum_continue(sum, payload, length));
    return checksum ? checksum : UINT16_MAX;
}

size_t
capture_make_headers(const struct endpoint *from, const struct endpoint *to,
                     const uint8_t *payload, size_t length,
                     uint8_t headers[CAPTURE_HEADERS_MAX])
{
    static const struct endpoint nobody = {
        .address.s6_addr = { [10] = 0xff, [11] = 0xff } /* 0.0.0.0 */
    };
    const struct endpoint *source = from ? from : &nobody;
    const bool v6 = address_is_ipv6(&source->address);
    const ovs_be16 eth_type = htons(v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    uint8_t *ip = headers + ETH_HEADER_LEN;
    struct udphdr udp = {
        .source = htons(source->port),
        .dest = htons(to->port),
        .len = htons(MIN(sizeof udp + length, UINT16_MAX)),
    };

    memset(headers, 0, 2 * ETH_ADDR_LEN);
    memcpy(headers + 2 * ETH_ADDR_LEN, &eth_type, sizeof eth_type);
    size_t ip_length = (v6 ? make_ipv6 : make_ipv4)(
        &source->address, &to->address, sizeof udp + length, ip);
    udp.check = (v6 ? udp_checksum(&udp, payload, length, ip + 8, 16)
                    : udp_checksum(&udp, payload, length, ip + 12, 4));
    memcpy(ip + ip_length, &udp, sizeof udp);
    return ETH_HEADER_LEN + ip_length + sizeof udp;
}

/* Comments. */

/* Appends 'part' to the comment 'out'. */
static void
    OVS_PRINTF_FORMAT(2, 3) add_part(struct ds *out, const char *format, ...)
{
    va_list args;

    if (out->length) {
        ds_put_cstr(out, "; ");
    }
    va_start(args, format);
    ds_put_format_valist(out, format, args);
    va_end(args);
}

static void
format_comment(const struct capture_record *r, struct ds *out)
{
    char from[ENDPOINT_TEXT_SIZE];

    if (r->dropped) {
        add_part(out, "%s", drop_reason_name(r->reason));
    }
    if (r->interface == CAPTURE_SEND) {
        add_part(out, "to %" PRIuSIZE " peer%s", r->n_peers,
                 r->n_peers == 1 ? "" : "s");
    } else if (r->has_from) {
        add_part(out, "from %s", endpoint_format(&r->from, from));
    } else {
        add_part(out, "from the %s",
                 r->direction == DIRECTION_PUNT ? "switch" : "mesh");
    }
    if (r->rewritten) {
        add_part(out, "destination rewritten by the switch");
    }
    if (r->switched) {
        add_part(out, "the switch carries it, and this is a copy");
    }
    if (r->interface == CAPTURE_REFUSED) {
        add_part(out, "made-up Ethernet, IP and UDP headers");
    }
}

void
capture_record_put(struct ofpbuf *out, const struct capture_record *r,
                   const uint8_t *frame, size_t length)
{
    struct ds comment = DS_EMPTY_INITIALIZER;

    format_comment(r, &comment);
    const struct pcapng_packet packet = {
        .interface = r->interface,
        .time = r->time,
        .direction = interfaces[r->interface].direction,
        .n_missing = r->n_missing,
        .comment = ds_cstr(&comment),
        .bytes = frame,
        .length = length,
    };
    pcapng_put_packet(out, &packet);
    ds_destroy(&comment);
}
