/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tap.h"

#include <stdlib.h>

#include "capture.h"
#include "conf.h"
#include "endpoint.h"
#include "inspect.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "random.h"
#include "talkers.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(frames);

/* Appends to 'line' what the frame of 'event' is, as far as it can be read
 * without having been checked. */
static void
put_frame(const struct tap_event *event, struct ds *line)
{
    const uint8_t *ip = event->bytes + ETH_HEADER_LEN;
    const size_t length = event->length;
    const size_t header = length > ETH_HEADER_LEN ? (ip[0] & 0xf) * 4 : 0;
    const size_t udp = ETH_HEADER_LEN + header;

    if (event->is_frame && length >= ETH_HEADER_LEN + IP_HEADER_LEN
        && header >= IP_HEADER_LEN && length >= udp + UDP_HEADER_LEN
        && event->bytes[12] == 0x08 && event->bytes[13] == 0
        && ip[9] == IPPROTO_UDP) {
        const uint8_t *port = event->bytes + udp;

        ds_put_format(line, "%u.%u.%u.%u:%u > %u.%u.%u.%u:%u, ", ip[12],
                      ip[13], ip[14], ip[15], port[0] << 8 | port[1], ip[16],
                      ip[17], ip[18], ip[19], port[2] << 8 | port[3]);
    }
    ds_put_format(line, "%s of %" PRIuSIZE " bytes: ",
                  event->is_frame ? "frame" : "datagram", length);
}

/* Appends to 'line' where the frame of 'event' came from. */
static void
put_origin(const struct tap_event *event, struct ds *line)
{
    char from[ENDPOINT_TEXT_SIZE];

    if (event->direction == DIRECTION_PUNT) {
        ds_put_cstr(line, "punted");
    } else if (event->from) {
        ds_put_format(line, "received from %s",
                      endpoint_format(event->from, from));
    } else {
        ds_put_cstr(line, "received");
    }
}

/* Appends to 'line' what became of it in the end. */
static void
put_end(const struct tap_event *event, struct ds *line)
{
    switch (event->point) {
    case TAP_SEND:
        ds_put_format(line, ", sent to %" PRIuSIZE " peer%s", event->n_peers,
                      event->n_peers == 1 ? "" : "s");
        break;
    case TAP_EMIT:
        ds_put_format(line, ", emitted%s",
                      event->rewritten ? " with its destination rewritten"
                                       : "");
        break;
    case TAP_DROP:
        ds_put_format(line, ", dropped: %s",
                      drop_reason_name((enum drop_reason) event->reason));
        break;
    case TAP_PUNT:
        ds_put_cstr(line, " as a copy, sent on by the switch");
        break;
    case TAP_RECEIVE:
        ds_put_cstr(line, " as a copy, emitted by the switch");
        break;
    case TAP_N_POINTS: OVS_NOT_REACHED();
    }
}

/* Logs the whole way of the frame of 'event', if this is its end. */
static void
log_way(const struct tap_event *event)
{
    struct ds line = DS_EMPTY_INITIALIZER;

    if ((event->point == TAP_PUNT || event->point == TAP_RECEIVE)
        && !event->switched) {
        return;
    }
    put_frame(event, &line);
    put_origin(event, &line);
    put_end(event, &line);
    VLOG_DBG("%s", ds_cstr(&line));
    ds_destroy(&line);
}

/* Begins, or ceases, to count who broadcasts most. */
static void
configure_talkers(struct tap *tap, bool on)
{
    if (on && !tap->talkers) {
        tap->talkers = xmalloc(sizeof *tap->talkers);
        talkers_init(tap->talkers, random_uint32(), time_wall_msec());
    } else if (!on) {
        free(tap->talkers);
        tap->talkers = NULL;
    }
}

/* Works out anew whether anybody looks on. */
static void
update(struct tap *tap)
{
    tap->on = tap->capture || tap->inspect || tap->talkers;
}

void
tap_configure(struct tap *tap, const struct config *config)
{
    if (!config->inspect) {
        inspect_destroy(tap->inspect);
        tap->inspect = NULL;
    } else if (tap->inspect) {
        inspect_configure(tap->inspect, config->inspect);
    } else {
        tap->inspect = inspect_create(config->inspect);
    }
    configure_talkers(tap, config->http_on);
    update(tap);
}

void
tap_destroy(struct tap *tap)
{
    inspect_destroy(tap->inspect);
    free(tap->talkers);
}

void
tap_set_capture(struct tap *tap, struct capture *capture)
{
    tap->capture = capture;
    update(tap);
}

void
tap_tell(struct tap *tap, const struct tap_event *event, long long int now)
{
    if (tap->capture) {
        capture_take(tap->capture, event);
    }
    if (VLOG_IS_DBG_ENABLED()) {
        log_way(event);
    }
    if (tap->inspect) {
        inspect_take(tap->inspect, event, now);
    }
    if (tap->talkers) {
        talkers_take(tap->talkers, event, now);
    }
}

bool
tap_wants_all(const struct tap *tap)
{
    /* The talkers are content with some. */
    return tap->capture || tap->inspect;
}
