/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tunnel-probe.h"

#include <string.h>

#include "announcement.h"
#include "byte-order.h"
#include "openvswitch/util.h"
#include "packets.h"

#define MAGIC "SNOW"

enum { PROBE_VERSION = 1 };

static const struct eth_addr destination = ETH_ADDR_C(03, 53, 4e, 4f, 57, 02);

struct probe {
    struct eth_addr dst, src;
    ovs_be16 type;
    char magic[4];
    uint8_t version;
    uint8_t zero;
    uint8_t token[8];
};
BUILD_ASSERT_DECL(sizeof(struct probe) == 28);

void
tunnel_probe_encode(uint8_t *frame, size_t length, struct eth_addr mac,
                    uint64_t token)
{
    struct probe probe = {
        .dst = destination,
        .src = mac,
        .type = htons(ANNOUNCEMENT_ETH_TYPE),
        .version = PROBE_VERSION,
    };
    const ovs_be64 network_token = htonll(token);

    memcpy(probe.magic, MAGIC, sizeof probe.magic);
    memcpy(probe.token, &network_token, sizeof probe.token);
    memcpy(frame, &probe, sizeof probe);
    memset(frame + sizeof probe, 0, length - sizeof probe);
}

bool
tunnel_probe_decode(const uint8_t *frame, size_t length, uint64_t *token)
{
    struct probe probe;
    ovs_be64 network_token;

    if (length < sizeof probe) {
        return false;
    }
    memcpy(&probe, frame, sizeof probe);
    memcpy(&network_token, probe.token, sizeof network_token);
    *token = ntohll(network_token);
    return (eth_addr_equals(probe.dst, destination)
            && probe.type == htons(ANNOUNCEMENT_ETH_TYPE)
            && !memcmp(probe.magic, MAGIC, sizeof probe.magic)
            && probe.version == PROBE_VERSION && *token);
}
