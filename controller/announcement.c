/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "announcement.h"

#include <string.h>

#include "openvswitch/util.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Offsets within the frame. */
enum {
    ETH_SRC_OFS = 6,
    ETH_TYPE_OFS = 12,
    MAGIC_OFS = 14,
    VERSION_OFS = 18,
    STATE_OFS = 19,
    REASON_OFS = 20,
    PRIORITY_OFS = 21,
    RELAY_ID_OFS = 22,
    SESSION_OFS = 30,
    HELLO_OFS = 38,
    DEAD_OFS = 42,
    AGE_OFS = 46,
    ADDRESS_OFS = 54,
    N_PORTS_OFS = 71,
    PORTS_OFS = ANNOUNCEMENT_MIN_LEN
};

#define MAGIC "SNOW"
enum { MAGIC_LEN = sizeof MAGIC - 1 };

static void
put_be16(uint8_t *p, uint16_t value)
{
    put_unaligned_be16((ovs_be16 *) p, htons(value));
}

static void
put_be32(uint8_t *p, uint32_t value)
{
    put_unaligned_be32((ovs_be32 *) p, htonl(value));
}

static void
put_be64(uint8_t *p, uint64_t value)
{
    put_unaligned_be64((ovs_be64 *) p, htonll(value));
}

static uint16_t
get_be16(const uint8_t *p)
{
    return ntohs(get_unaligned_be16((const ovs_be16 *) p));
}

static uint32_t
get_be32(const uint8_t *p)
{
    return ntohl(get_unaligned_be32((const ovs_be32 *) p));
}

static uint64_t
get_be64(const uint8_t *p)
{
    return ntohll(get_unaligned_be64((const ovs_be64 *) p));
}

size_t
announcement_encode(const struct announcement *a, uint8_t *frame)
{
    const struct eth_addr to = ANNOUNCEMENT_MAC;

    ovs_assert(a->n_ports <= ANNOUNCEMENT_MAX_PORTS);
    memset(frame, 0, ANNOUNCEMENT_MIN_LEN);
    memcpy(frame, &to, ETH_ADDR_LEN);
    memcpy(frame + ETH_SRC_OFS, &a->mac, ETH_ADDR_LEN);
    put_be16(frame + ETH_TYPE_OFS, ANNOUNCEMENT_ETH_TYPE);
    memcpy(frame + MAGIC_OFS, MAGIC, MAGIC_LEN);
    frame[VERSION_OFS] = ANNOUNCEMENT_VERSION;
    frame[STATE_OFS] = a->state;
    frame[REASON_OFS] = a->reason;
    frame[PRIORITY_OFS] = a->priority;
    put_be64(frame + RELAY_ID_OFS, a->relay_id);
    put_be64(frame + SESSION_OFS, a->session);
    put_be32(frame + HELLO_OFS, a->hello_ms);
    put_be32(frame + DEAD_OFS, a->dead_ms);
    put_be64(frame + AGE_OFS, a->age_ms);
    memcpy(frame + ADDRESS_OFS, &a->address, sizeof a->address);
    frame[N_PORTS_OFS] = a->n_ports;
    for (size_t i = 0; i < a->n_ports; i++) {
        put_be16(frame + PORTS_OFS + 2 * i, a->ports[i]);
    }
    return PORTS_OFS + 2 * a->n_ports;
}

/* Returns 'value', or the nearest of 'low' and 'high' if it is not between
 * them. */
static uint32_t
clamp(uint32_t value, uint32_t low, uint32_t high)
{
    return MIN(MAX(value, low), high);
}

/* Returns true if 'a' says what a relay can say. */
static bool
makes_sense(const struct announcement *a)
{
    return (!eth_addr_is_multicast(a->mac) && !eth_addr_is_zero(a->mac)
            && a->state > RELAY_OFF && a->state < RELAY_N_STATES && a->priority
            && a->relay_id && a->session);
}

enum announcement_verdict
announcement_decode(const uint8_t *frame, size_t length,
                    struct announcement *a)
{
    const struct eth_addr to = ANNOUNCEMENT_MAC;

    if (length < ANNOUNCEMENT_MIN_LEN || memcmp(frame, &to, ETH_ADDR_LEN)
        || get_be16(frame + ETH_TYPE_OFS) != ANNOUNCEMENT_ETH_TYPE
        || memcmp(frame + MAGIC_OFS, MAGIC, MAGIC_LEN)) {
        return ANNOUNCEMENT_MALFORMED;
    }
    if (frame[VERSION_OFS] > ANNOUNCEMENT_VERSION) {
        return ANNOUNCEMENT_NEWER;
    }

    memset(a, 0, sizeof *a);
    memcpy(&a->mac, frame + ETH_SRC_OFS, ETH_ADDR_LEN);
    a->state = frame[STATE_OFS];
    a->reason = frame[REASON_OFS] < REASON_N ? frame[REASON_OFS] : REASON_NONE;
    a->priority = frame[PRIORITY_OFS];
    a->relay_id = get_be64(frame + RELAY_ID_OFS);
    a->session = get_be64(frame + SESSION_OFS);
    a->hello_ms = clamp(get_be32(frame + HELLO_OFS), ANNOUNCEMENT_MIN_HELLO_MS,
                        ANNOUNCEMENT_MAX_HELLO_MS);
    a->dead_ms = clamp(get_be32(frame + DEAD_OFS), ANNOUNCEMENT_MIN_DEAD_MS,
                       ANNOUNCEMENT_MAX_DEAD_MS);
    a->age_ms = get_be64(frame + AGE_OFS);
    memcpy(&a->address, frame + ADDRESS_OFS, sizeof a->address);
    a->n_ports = frame[N_PORTS_OFS];
    if (frame[VERSION_OFS] != ANNOUNCEMENT_VERSION || !makes_sense(a)
        || a->n_ports > ANNOUNCEMENT_MAX_PORTS
        || length < PORTS_OFS + 2 * a->n_ports) {
        return ANNOUNCEMENT_MALFORMED;
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        a->ports[i] = get_be16(frame + PORTS_OFS + 2 * i);
    }
    return ANNOUNCEMENT_OK;
}

const char *
relay_state_name(enum relay_state state)
{
    switch (state) {
    case RELAY_OFF: return "off";
    case RELAY_LISTENING: return "listening";
    case RELAY_STANDBY: return "standby";
    case RELAY_CLAIMING: return "claiming";
    case RELAY_FORWARDING: return "forwarding";
    case RELAY_LEAVING: return "leaving";
    case RELAY_GONE: return "gone";
    case RELAY_N_STATES: break;
    }
    OVS_NOT_REACHED();
}

const char *
relay_reason_text(enum relay_reason reason)
{
    switch (reason) {
    case REASON_NONE: return "for a reason not known here";
    case REASON_STARTED: return "it has started, or its switch has";
    case REASON_ALONE: return "no other relay was ready";
    case REASON_ORDER: return "its relay id is the lowest";
    case REASON_PRIORITY: return "its priority is the highest";
    case REASON_LEFT: return "the forwarder before it left";
    case REASON_SILENT: return "the forwarder before it fell silent";
    case REASON_OFF: return "its election is off";
    case REASON_LATER: return "another relay forwards";
    case REASON_YIELDED:
        return "two forwarded, and the other one goes before it";
    case REASON_REFUSED: return "its switch did not take its flows in time";
    case REASON_STOPPED: return "it was told to leave";
    case REASON_N: break;
    }
    OVS_NOT_REACHED();
}
