/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "counters.h"

#include "openvswitch/util.h"
#include "util.h"

const char *
drop_reason_name(enum drop_reason reason)
{
    if ((int) reason < FRAME_N_VERDICTS) {
        return frame_verdict_name((enum frame_verdict) reason);
    }
    switch (reason) {
    case DROP_PORT: return "port";
    case DROP_NO_PEER: return "no_peer";
    case DROP_SEND: return "send";
    case DROP_UNKNOWN_SENDER: return "unknown_sender";
    case DROP_OWN: return "own";
    case DROP_SEGMENT: return "segment";
    case DROP_STANDBY: return "standby";
    case DROP_LOOP: return "loop";
    case DROP_DUPLICATE: return "duplicate";
    case DROP_UNSEALED: return "unsealed";
    case DROP_SEALED: return "sealed";
    case DROP_SEAL: return "seal";
    case DROP_REPLAY: return "replay";
    case DROP_RATE: return "rate";
    case DROP_OWN_SOURCE: return "own_source";
    case DROP_VERSION: return "version";
    case DROP_FORMAT: return "format";
    case DROP_SOURCE: return "source";
    case DROP_FILTER: return "filter";
    case DROP_NO_SWITCH: return "no_switch";
    case DROP_QUEUE_FULL: return "queue_full";
    case DROP_STALE: return "stale";
    case DROP_DISCONNECTED: return "disconnected";
    case N_DROP_REASONS: break;
    }
    OVS_NOT_REACHED();
}

const char *
direction_name(enum direction direction)
{
    return direction == DIRECTION_PUNT ? "punt" : "mesh";
}
