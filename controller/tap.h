/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TAP_H
#define SNOWRELAY_TAP_H 1

/* Tap: what becomes of each frame, told to those who look on.
 *
 * Each step of a frame's way (relay.h) is an event:
 *
 *    switch --punt--> ... --send--> peers      or ... --drop
 *    peers --receive--> ... --emit--> switch   or ... --drop
 *
 * A frame that is emitted may still be dropped while it waits for the switch.
 *
 * The log is told of each frame's way with one line at its end, at level debug
 * of the module "frames"; others who look on are members of "struct tap". None
 * of them can change a frame, and none but the log, which is written at once,
 * can make it wait.  While there are none the tap costs two comparisons for a
 * step.
 *
 * What the switch itself carries to and from peers (mesh-flows.h) is seen only
 * as far as the switch sends copies: some, or all if tap_wants_all(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "openvswitch/vlog.h"

struct capture;
struct config;
struct endpoint;
struct inspect;
struct talkers;

enum tap_point {
    TAP_PUNT,    /* Came from the switch. */
    TAP_SEND,    /* Was sent to peers. */
    TAP_RECEIVE, /* Came from a peer. */
    TAP_EMIT,    /* Was put into the queue to the switch. */
    TAP_DROP,    /* Ended here. */
    TAP_N_POINTS
};

struct tap_event {
    enum tap_point point;
    enum direction direction; /* Where the frame came from. */
    int reason;               /* TAP_DROP: an enum drop_reason. */
    bool switched;  /* The switch carries it; this is a copy of it. */
    bool rewritten; /* TAP_EMIT: the switch writes its IP destination anew. */
    size_t n_peers; /* TAP_SEND: to how many. */

    /* Where in the mesh it came from, NULL if that is not known: it is from
     * the switch, out of a tunnel, or dropped in the queue to the switch. */
    const struct endpoint *from;

    /* The frame, from the Ethernet destination on, or if not 'is_frame' the
     * payload of a datagram of the mesh in which no frame was found, or that
     * was sent by nobody whom the relay listens to.  A frame
     * at TAP_PUNT, TAP_RECEIVE and TAP_DROP may be anything; at TAP_SEND and
     * TAP_EMIT it is one that frame_check() found to be right. */
    const uint8_t *bytes;
    size_t length;
    bool is_frame;
};

struct tap {
    bool on;                 /* Does anybody but the log look on? */
    struct capture *capture; /* Each of these NULL if there is none. */
    struct inspect *inspect;
    struct talkers *talkers;
};

/* Takes over from 'config' who is to look on.  A tap begins with zeros. */
void tap_configure(struct tap *, const struct config *config);
void tap_destroy(struct tap *);

/* Has 'capture', which stays the caller's, look on, or with NULL none. */
void tap_set_capture(struct tap *, struct capture *capture);

/* Tells of 'event', which happened at 'now', time_msec(). */
void tap_tell(struct tap *, const struct tap_event *event, long long int now);

/* Returns true if somebody has to see a copy of each frame that the switch
 * carries. */
bool tap_wants_all(const struct tap *);

extern struct vlog_module *VLM_frames;

/* Returns true if anybody looks on. */
static inline bool
tap_is_on(const struct tap *tap)
{
    return tap->on || vlog_is_enabled(VLM_frames, VLL_DBG);
}

#endif /* tap.h */
