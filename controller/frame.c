/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "frame.h"

#include <string.h>

#include "csum.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Offsets within the headers. */
enum {
    ETH_TYPE_OFS = 12,
    IP_TOTAL_LENGTH_OFS = 2,
    IP_FRAGMENT_OFS = 6,
    IP_PROTOCOL_OFS = 9,
    IP_SRC_OFS = 12,
    IP_DST_OFS = 16,
    UDP_DST_OFS = 2,
    UDP_LENGTH_OFS = 4,
    UDP_CHECKSUM_OFS = 6,
};

static ovs_be16
get_be16(const uint8_t *p)
{
    return get_unaligned_be16((const ovs_be16 *) p);
}

static ovs_be32
get_be32(const uint8_t *p)
{
    return get_unaligned_be32((const ovs_be32 *) p);
}

/* Folds 'sum' into 16 bits (RFC 1071). */
static uint16_t
fold(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

/* Returns false if the checksum of the UDP datagram of 'length' bytes at
 * 'udp', carried by the IP header at 'ip', is wrong.  Completes it where it
 * holds only the sum of the pseudo-header. */
static bool
check_udp_checksum(const uint8_t *ip, uint8_t *udp, uint16_t length)
{
    const uint16_t field =
        (OVS_FORCE uint16_t) get_be16(udp + UDP_CHECKSUM_OFS);
    if (!field) {
        return true; /* The sender chose to send none (RFC 768). */
    }

    /* One's complement sums do not depend on the byte order, so everything
     * here stays in network byte order. */
    uint32_t pseudo = csum_continue(0, ip + IP_SRC_OFS, 8);
    pseudo = csum_add16(pseudo, htons(IPPROTO_UDP));
    pseudo = csum_add16(pseudo, htons(length));

    const uint16_t all = fold(csum_continue(pseudo, udp, length));
    if (all == 0xffff) {
        return true;
    }
    if (field != fold(pseudo)) {
        return false;
    }

    /* What a card would do: the sum over the datagram, in which the field
     * holds the pseudo-header's part already.  A sum of zero is sent as all
     * ones, because zero says that there is none. */
    ovs_be16 sum = csum_finish(csum_continue(0, udp, length));
    put_unaligned_be16((ovs_be16 *) (udp + UDP_CHECKSUM_OFS),
                       sum ? sum : htons(0xffff));
    return true;
}

enum frame_verdict
frame_check(uint8_t *bytes, size_t length, struct frame *frame)
{
    if (length > FRAME_MAX) {
        return FRAME_OVERSIZE;
    }
    if (length < ETH_HEADER_LEN) {
        return FRAME_SHORT;
    }
    if (memcmp(bytes, "\xff\xff\xff\xff\xff\xff", ETH_ADDR_LEN)) {
        return FRAME_NOT_BROADCAST;
    }

    const ovs_be16 eth_type = get_be16(bytes + ETH_TYPE_OFS);
    if (eth_type_vlan(eth_type)) {
        return FRAME_VLAN;
    }
    if (eth_type != htons(ETH_TYPE_IP)) {
        return FRAME_NOT_IPV4;
    }

    const uint8_t *ip = bytes + ETH_HEADER_LEN;
    const size_t left = length - ETH_HEADER_LEN;
    if (left < IP_HEADER_LEN) {
        return FRAME_SHORT;
    }
    if (ip[0] >> 4 != 4) {
        return FRAME_NOT_IPV4;
    }
    const size_t ip_header = (ip[0] & 0xf) * 4;
    const size_t ip_length = ntohs(get_be16(ip + IP_TOTAL_LENGTH_OFS));
    if (ip_header < IP_HEADER_LEN || ip_length < ip_header
        || ip_length > left) {
        return FRAME_IP_HEADER;
    }
    if (csum(ip, ip_header)) {
        return FRAME_IP_CHECKSUM;
    }
    if (get_be16(ip + IP_FRAGMENT_OFS)
        & htons(IP_MORE_FRAGMENTS | IP_FRAG_OFF_MASK)) {
        return FRAME_FRAGMENT;
    }
    if (ip[IP_PROTOCOL_OFS] != IPPROTO_UDP) {
        return FRAME_NOT_UDP;
    }

    /* A UDP length below what IP carries is legal, and every host accepts it;
     * one above cannot be true. */
    uint8_t *udp = bytes + ETH_HEADER_LEN + ip_header;
    if (ip_length - ip_header < UDP_HEADER_LEN) {
        return FRAME_UDP_LENGTH;
    }
    const uint16_t udp_length = ntohs(get_be16(udp + UDP_LENGTH_OFS));
    if (udp_length < UDP_HEADER_LEN || udp_length > ip_length - ip_header) {
        return FRAME_UDP_LENGTH;
    }
    const ovs_be16 sum_as_it_came = get_be16(udp + UDP_CHECKSUM_OFS);
    if (!check_udp_checksum(ip, udp, udp_length)) {
        return FRAME_UDP_CHECKSUM;
    }

    frame->bytes = bytes;
    frame->length = length;
    frame->ip_src = get_be32(ip + IP_SRC_OFS);
    frame->ip_dst = get_be32(ip + IP_DST_OFS);
    frame->port = ntohs(get_be16(udp + UDP_DST_OFS));
    frame->udp_ofs = udp - bytes;
    frame->udp_length = udp_length;
    frame->completed = get_be16(udp + UDP_CHECKSUM_OFS) != sum_as_it_came;
    return FRAME_OK;
}

const char *
frame_verdict_name(enum frame_verdict verdict)
{
    switch (verdict) {
    case FRAME_OK: return "ok";
    case FRAME_OVERSIZE: return "oversize";
    case FRAME_SHORT: return "short";
    case FRAME_NOT_BROADCAST: return "not_broadcast";
    case FRAME_VLAN: return "vlan";
    case FRAME_NOT_IPV4: return "not_ipv4";
    case FRAME_IP_HEADER: return "ip_header";
    case FRAME_IP_CHECKSUM: return "ip_checksum";
    case FRAME_FRAGMENT: return "fragment";
    case FRAME_NOT_UDP: return "not_udp";
    case FRAME_UDP_LENGTH: return "udp_length";
    case FRAME_UDP_CHECKSUM: return "udp_checksum";
    case FRAME_N_VERDICTS: break;
    }
    OVS_NOT_REACHED();
}
