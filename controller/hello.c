/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "hello.h"

#include <string.h>

#include "byte-order.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

enum { FLAG_ANSWER = 1 << 0, FLAG_ANSWERS = 1 << 1 };

enum {
    ITEM_PADDING = 0,
    ITEM_MACS = 1,
    ITEM_PORTS = 2,
    ITEM_ROLE = 3,
    ITEM_TUNNEL = 4
};

enum { TUNNEL_FLAG_HEARS = 1 << 0 };

/* The fixed part, as it is on the wire. */
struct fixed {
    uint8_t version_min;
    uint8_t version_max;
    uint8_t flags;
    uint8_t length;
    ovs_be32 interval;
    ovs_be64 timestamp;
    ovs_be32 path;
    ovs_be32 echo_path;
    ovs_be64 echo_session;
    ovs_be64 echo_timestamp;
    ovs_be32 held;
    ovs_be32 zero;
    ovs_be64 received;
    ovs_be64 lost;
};
BUILD_ASSERT_DECL(sizeof(struct fixed) == 64);

struct item {
    ovs_be16 type;
    ovs_be16 length; /* Of the value. */
};

/* The value of an item of type ITEM_TUNNEL. */
struct tunnel_item {
    uint8_t type;
    uint8_t flags;
    ovs_be16 zero;
    ovs_be32 vni;
    ovs_be64 token;
};
BUILD_ASSERT_DECL(sizeof(struct tunnel_item) == HELLO_TUNNEL_LEN);

/* Appends an item to '*p', unless it would go beyond 'end'. */
static void
put_item(uint8_t **p, const uint8_t *end, uint16_t type, const void *value,
         size_t length)
{
    const struct item item = { htons(type), htons(length) };

    if (sizeof item + length > (size_t) (end - *p)) {
        return;
    }
    memcpy(*p, &item, sizeof item);
    memcpy(*p + sizeof item, value, length);
    *p += sizeof item + length;
}

static void
put_tunnel(uint8_t **p, const uint8_t *end, const struct hello_tunnel *tunnel)
{
    const struct tunnel_item item = {
        .type = tunnel->type,
        .flags = tunnel->hears ? TUNNEL_FLAG_HEARS : 0,
        .vni = htonl(tunnel->vni),
        .token = htonll(tunnel->token),
    };

    put_item(p, end, ITEM_TUNNEL, &item, sizeof item);
}

size_t
hello_encode(const struct hello *h, uint8_t *body, size_t max)
{
    const struct fixed fixed = {
        .version_min = h->version_min,
        .version_max = h->version_max,
        .flags =
            ((h->answer ? FLAG_ANSWER : 0) | (h->answers ? FLAG_ANSWERS : 0)),
        .length = sizeof fixed,
        .interval = htonl(h->interval),
        .timestamp = htonll(h->timestamp),
        .path = htonl(h->path),
        .echo_path = htonl(h->echo_path),
        .echo_session = htonll(h->echo_session),
        .echo_timestamp = htonll(h->echo_timestamp),
        .held = htonl(h->held),
        .received = htonll(h->received),
        .lost = htonll(h->lost),
    };
    ovs_be16 ports[HELLO_MAX_PORTS];
    const uint8_t *end = body + MIN(max, HELLO_MAX_LEN);
    uint8_t *p = body + sizeof fixed;

    if (max < sizeof fixed) {
        return 0;
    }
    memcpy(body, &fixed, sizeof fixed);
    put_item(&p, end, ITEM_MACS, h->macs, h->n_macs * sizeof *h->macs);
    for (size_t i = 0; i < h->n_ports; i++) {
        ports[i] = htons(h->ports[i]);
    }
    put_item(&p, end, ITEM_PORTS, ports, h->n_ports * sizeof *ports);
    if (h->role) {
        const ovs_be64 forwarder = htonll(h->forwarder);
        uint8_t role[HELLO_ROLE_LEN] = { h->role };

        memcpy(role + 1, &forwarder, sizeof forwarder);
        put_item(&p, end, ITEM_ROLE, role, sizeof role);
    }
    if (h->tunnel.type) {
        put_tunnel(&p, end, &h->tunnel);
    }
    return p - body;
}

size_t
hello_pad(uint8_t *body, size_t length)
{
    const struct item item = { htons(ITEM_PADDING),
                               htons(HELLO_MAX_LEN - length - sizeof item) };

    if (length + sizeof item > HELLO_MAX_LEN) {
        return length;
    }
    memset(body + length, 0, HELLO_MAX_LEN - length);
    memcpy(body + length, &item, sizeof item);
    return HELLO_MAX_LEN;
}

static void
take_macs(const uint8_t *value, size_t length, struct hello *h)
{
    for (size_t i = 0; i + ETH_ADDR_LEN <= length; i += ETH_ADDR_LEN) {
        struct eth_addr mac;

        memcpy(&mac, value + i, sizeof mac);
        if (!eth_addr_is_multicast(mac) && !eth_addr_is_zero(mac)
            && h->n_macs < HELLO_MAX_MACS) {
            h->macs[h->n_macs++] = mac;
        }
    }
}

static void
take_ports(const uint8_t *value, size_t length, struct hello *h)
{
    for (size_t i = 0; i + 2 <= length; i += 2) {
        uint16_t port = value[i] << 8 | value[i + 1];

        if (port && h->n_ports < HELLO_MAX_PORTS) {
            h->ports[h->n_ports++] = port;
        }
    }
}

static void
take_role(const uint8_t *value, size_t length, struct hello *h)
{
    ovs_be64 forwarder;

    if (length >= HELLO_ROLE_LEN && value[0] > RELAY_OFF
        && value[0] < RELAY_N_STATES) {
        memcpy(&forwarder, value + 1, sizeof forwarder);
        h->role = value[0];
        h->forwarder = ntohll(forwarder);
    }
}

static void
take_tunnel(const uint8_t *value, size_t length, struct hello *h)
{
    struct tunnel_item item;

    if (length < sizeof item) {
        return;
    }
    memcpy(&item, value, sizeof item);
    if (item.type > HELLO_NO_TUNNEL && item.type < HELLO_N_TUNNEL_TYPES
        && ntohl(item.vni) <= HELLO_MAX_VNI) {
        h->tunnel = (struct hello_tunnel){
            .type = item.type,
            .vni = ntohl(item.vni),
            .token = ntohll(item.token),
            .hears = item.flags & TUNNEL_FLAG_HEARS,
        };
    }
}

/* Reads the items in the 'length' bytes at 'p'.  Returns false if they do not
 * end where the bytes do. */
static bool
take_items(const uint8_t *p, size_t length, struct hello *h)
{
    while (length > 0) {
        struct item item;

        if (length < sizeof item) {
            return false;
        }
        memcpy(&item, p, sizeof item);
        p += sizeof item;
        length -= sizeof item;

        size_t value_length = ntohs(item.length);
        if (value_length > length) {
            return false;
        }
        if (item.type == htons(ITEM_MACS)) {
            take_macs(p, value_length, h);
        } else if (item.type == htons(ITEM_PORTS)) {
            take_ports(p, value_length, h);
        } else if (item.type == htons(ITEM_ROLE)) {
            take_role(p, value_length, h);
        } else if (item.type == htons(ITEM_TUNNEL)) {
            take_tunnel(p, value_length, h);
        }
        p += value_length;
        length -= value_length;
    }
    return true;
}

bool
hello_decode(const uint8_t *body, size_t length, struct hello *h)
{
    struct fixed fixed;

    if (length < sizeof fixed) {
        return false;
    }
    memcpy(&fixed, body, sizeof fixed);
    if (fixed.length < sizeof fixed || fixed.length > length
        || fixed.version_min > fixed.version_max || !fixed.path) {
        return false;
    }

    uint32_t interval = ntohl(fixed.interval);
    *h = (struct hello){
        .version_min = fixed.version_min,
        .version_max = fixed.version_max,
        .answer = fixed.flags & FLAG_ANSWER,
        .answers = fixed.flags & FLAG_ANSWERS,
        .interval =
            MIN(MAX(interval, HELLO_MIN_INTERVAL_MS), HELLO_MAX_INTERVAL_MS),
        .timestamp = ntohll(fixed.timestamp),
        .path = ntohl(fixed.path),
        .echo_path = ntohl(fixed.echo_path),
        .echo_session = ntohll(fixed.echo_session),
        .echo_timestamp = ntohll(fixed.echo_timestamp),
        .held = ntohl(fixed.held),
        .received = ntohll(fixed.received),
        .lost = ntohll(fixed.lost),
    };
    return take_items(body + fixed.length, length - fixed.length, h);
}
