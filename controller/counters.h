/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_COUNTERS_H
#define SNOWRELAY_COUNTERS_H 1

/* Counters: what became of every frame.
 *
 * They add up, in each direction:
 *
 *    punted  = relayed + the drops of DIRECTION_PUNT
 *    mesh_rx = emitted + the drops of DIRECTION_MESH + frames still queued
 *
 * "mesh_tx" counts datagrams, one for each relayed frame and peer.  What
 * relays tell each other besides, in hellos, is not counted here.  What the
 * switch carries without the relay is counted in carried.h, and added where
 * people look. */

#include <stdint.h>

#include "frame.h"

/* Where a frame came from. */
enum direction {
    DIRECTION_PUNT, /* The switch: on its way to the mesh. */
    DIRECTION_MESH, /* The mesh: on its way to the switch. */
    N_DIRECTIONS
};

/* Why a frame was dropped: first all the verdicts of frame_check(), of which
 * FRAME_OK is never counted, then the others. */
enum drop_reason {
    DROP_PORT = FRAME_N_VERDICTS, /* To a port that we do not relay. */
    DROP_NO_PEER,                 /* Punted, but nobody to send it to. */
    DROP_SEND,                    /* Punted, but sent to no peer: the kernel
                                   * refused. */
    DROP_UNKNOWN_SENDER,          /* From an address that is no peer's. */
    DROP_OWN,                     /* From this relay itself. */
    DROP_SEGMENT,                 /* From a relay of the same segment. */
    DROP_STANDBY,                 /* Another relay forwards. */
    DROP_LOOP,                    /* A copy of one that came before. */
    DROP_DUPLICATE,    /* Has come before, or so late that it may have. */
    DROP_UNSEALED,     /* Not sealed, but the mesh is. */
    DROP_SEALED,       /* Sealed, but this relay has no key. */
    DROP_SEAL,         /* Its seal does not fit: forged, or another key. */
    DROP_REPLAY,       /* Sealed, but recorded by somebody and sent again, or
                        * by a sender that we have not answered yet. */
    DROP_RATE,         /* More than this peer may send. */
    DROP_OWN_SOURCE,   /* Its IP source is the bridge's own address. */
    DROP_VERSION,      /* Of a version of the wire format to come. */
    DROP_FORMAT,       /* A datagram in none of the mesh's wire formats, or
                        * a message of the switch that is no punt. */
    DROP_SOURCE,       /* Its IP source is none of relay.from. */
    DROP_FILTER,       /* relay.filter leaves it out. */
    DROP_NO_SWITCH,    /* The switch's MAC is not known yet. */
    DROP_QUEUE_FULL,   /* The switch read too slowly. */
    DROP_STALE,        /* Waited too long for the switch. */
    DROP_DISCONNECTED, /* The switch went while it was written. */
    N_DROP_REASONS
};

struct counters {
    uint64_t punted;  /* Frames from the switch. */
    uint64_t relayed; /* Frames sent to at least one peer. */
    uint64_t mesh_tx; /* Datagrams sent. */
    uint64_t mesh_rx; /* Datagrams received, but for hellos and byes that were
                       * taken. */
    uint64_t emitted; /* Frames handed to the switch. */
    uint64_t dropped[N_DIRECTIONS][N_DROP_REASONS];
};

/* Notes that 'n' frames of 'direction' were dropped for 'reason', an enum
 * drop_reason or an enum frame_verdict. */
static inline void
counters_drop(struct counters *counters, enum direction direction, int reason,
              uint64_t n)
{
    counters->dropped[direction][reason] += n;
}

/* A word for 'reason', such as "udp_checksum". */
const char *drop_reason_name(enum drop_reason reason);

/* A word for 'direction': "punt" or "mesh". */
const char *direction_name(enum direction direction);

#endif /* counters.h */
