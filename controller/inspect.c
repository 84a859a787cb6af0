/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "inspect.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "ca-search.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "pva-search.h"
#include "searches.h"
#include "tap.h"
#include "util.h"

struct inspect {
    unsigned int protocols;
    struct searches *searches;
    struct inspect_counts counts;

    /* So many names and datagrams may be looked at, in thousandths, as it was
     * at 'filled'.  Less than none if the last datagram had more names than
     * that. */
    long long int budget;
    long long int filled;

    struct asks asks; /* Of the datagram that is looked at. */
};

static const struct {
    const char *name;
    enum search_verdict (*read)(const uint8_t *payload, size_t length,
                                struct asks *);
} protocols[SEARCH_N_PROTOCOLS] = {
    [SEARCH_PVA] = { "pva", pva_search_read },
    [SEARCH_CA] = { "ca", ca_search_read },
};

struct inspect *
inspect_create(unsigned int wanted)
{
    struct inspect *inspect = xzalloc(sizeof *inspect);

    inspect->searches = searches_create();
    inspect->protocols = wanted;
    return inspect;
}

void
inspect_destroy(struct inspect *inspect)
{
    if (inspect) {
        searches_destroy(inspect->searches);
        free(inspect);
    }
}

void
inspect_configure(struct inspect *inspect, unsigned int wanted)
{
    for (int i = 0; i < SEARCH_N_PROTOCOLS; i++) {
        if (inspect->protocols & ~wanted & 1u << i) {
            searches_clear(inspect->searches, i);
        }
    }
    inspect->protocols = wanted;
}

/* Frames. */

/* Returns true if 'event' is the one of its frame's way at which the frame is
 * looked at, and stores in '*local' whether it came from the segment. */
static bool
is_looked_at(const struct tap_event *event, bool *local)
{
    *local = event->direction == DIRECTION_PUNT;
    return (event->is_frame
            && (event->point == TAP_SEND || event->point == TAP_EMIT
                || (event->switched
                    && (event->point == TAP_PUNT
                        || event->point == TAP_RECEIVE))));
}

/* Finds the payload of the UDP datagram in the frame of 'event', which may be
 * anything, and who sent it.  Returns NULL if there is none. */
static const uint8_t *
find_payload(const struct tap_event *event, struct asker *asker,
             size_t *length)
{
    const uint8_t *end = event->bytes + event->length;
    struct ip_header h;
    struct udp_header udp;

    if (event->length < ETH_HEADER_LEN + IP_HEADER_LEN + UDP_HEADER_LEN
        || event->bytes[12] != 0x08 || event->bytes[13]) {
        return NULL;
    }
    memcpy(&h, event->bytes + ETH_HEADER_LEN, sizeof h);
    size_t ip_length = IP_IHL(h.ip_ihl_ver) * 4;
    const uint8_t *p = event->bytes + ETH_HEADER_LEN + ip_length;
    if (IP_VER(h.ip_ihl_ver) != 4 || ip_length < IP_HEADER_LEN
        || h.ip_proto != IPPROTO_UDP || IP_IS_FRAGMENT(h.ip_frag_off)
        || p > end || (size_t) (end - p) < UDP_HEADER_LEN) {
        return NULL;
    }
    memcpy(&udp, p, sizeof udp);
    size_t udp_length = ntohs(udp.udp_len);
    if (udp_length < UDP_HEADER_LEN || udp_length > (size_t) (end - p)) {
        return NULL;
    }
    asker->address = get_16aligned_be32(&h.ip_src);
    asker->destination = get_16aligned_be32(&h.ip_dst);
    asker->port = ntohs(udp.udp_src);
    *length = udp_length - UDP_HEADER_LEN;
    return p + UDP_HEADER_LEN;
}

/* Takes in the datagram with 'payload' that 'asker' sent. */
static void
take_datagram(struct inspect *inspect, const uint8_t *payload, size_t length,
              const struct asker *asker, long long int now)
{
    struct asks *asks = &inspect->asks;

    for (int i = 0; i < SEARCH_N_PROTOCOLS; i++) {
        enum search_verdict verdict =
            (inspect->protocols & 1u << i
                 ? protocols[i].read(payload, length, asks)
                 : SEARCH_NONE);

        if (verdict == SEARCH_NONE) {
            continue;
        }
        for (size_t j = 0; j < asks->n; j++) {
            searches_take(inspect->searches, i, &asks->of[j], asker, now);
        }
        inspect->budget -= 1000 * (1 + (long long int) asks->n);
        inspect->counts.datagrams++;
        inspect->counts.malformed += verdict == SEARCH_MALFORMED;
        inspect->counts.skipped += asks->more;
        return;
    }
}

void
inspect_take(struct inspect *inspect, const struct tap_event *event,
             long long int now)
{
    struct asker asker;
    size_t length;

    if (!is_looked_at(event, &asker.local)) {
        return;
    }
    inspect->budget += MIN(now - inspect->filled, 1000) * INSPECT_RATE;
    inspect->budget = MIN(inspect->budget, 1000LL * INSPECT_RATE);
    inspect->filled = now;
    if (inspect->budget <= 0) {
        inspect->counts.skipped++;
        return;
    }

    const uint8_t *payload = find_payload(event, &asker, &length);
    if (payload) {
        take_datagram(inspect, payload, length, &asker, now);
    }
}

/* For those who look on. */

unsigned int
inspect_protocols(const struct inspect *inspect)
{
    return inspect->protocols;
}

const struct inspect_counts *
inspect_counts(const struct inspect *inspect)
{
    return &inspect->counts;
}

const struct searches *
inspect_searches(const struct inspect *inspect)
{
    return inspect->searches;
}

const char *
inspect_protocol_name(enum search_protocol protocol)
{
    return protocols[protocol].name;
}
