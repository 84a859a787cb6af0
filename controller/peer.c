/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peer.h"

#include "openvswitch/util.h"
#include "remotes.h"
#include "util.h"

void
peer_set_remote(struct peer *peer, struct remote *remote)
{
    if (peer->remote == remote) {
        return;
    }
    if (peer->remote && peer->remote->peer == peer) {
        peer->remote->peer = NULL;
    }
    peer->remote = remote;
}

bool
peer_is_on_segment(const struct peer *peer)
{
    return peer->remote && peer->remote->on_segment;
}

bool
peer_is_greeted(const struct peer *peer)
{
    return peer->role == PEER_OTHER && peer->source != ROSTER_SELF;
}

/* Returns true if 'peer' is the same remote as another one, which gets the
 * frames. */
static bool
is_alternate(const struct peer *peer)
{
    return (peer->remote && peer->remote->peer && peer->remote->peer != peer);
}

const char *
peer_state_name(const struct peer *peer)
{
    switch (peer->role) {
    case PEER_UNRESOLVED: return "unresolved";
    case PEER_UNREACHABLE: return "unreachable";
    case PEER_OWN: return "own";
    case PEER_DUPLICATE: return "duplicate";
    case PEER_OTHER: break;
    }
    if (peer->source == ROSTER_SELF) {
        return "self";
    }
    if (peer->liveness.state == LIVENESS_UP) {
        if (peer_is_on_segment(peer)) {
            return "segment";
        } else if (is_alternate(peer)) {
            return "alternate";
        }
    }
    return liveness_state_name(peer->liveness.state);
}

const char *
peer_reason(const struct peer *peer)
{
    switch (peer->role) {
    case PEER_UNRESOLVED: return "its name has no address yet";
    case PEER_UNREACHABLE: return "mesh.address does not let us send there";
    case PEER_OWN: return "it is this relay";
    case PEER_DUPLICATE: return "another peer has its address";
    case PEER_OTHER: break;
    }
    if (peer->source == ROSTER_SELF) {
        return "there is no other peer";
    }
    if (peer->liveness.state == LIVENESS_UP) {
        if (peer_is_on_segment(peer)) {
            return "it is on this relay's own segment";
        } else if (is_alternate(peer)) {
            return "another peer leads to the same relay";
        }
    }
    return peer->liveness.reason;
}

const char *
peer_transport_name(const struct peer *peer)
{
    return (!peer->tunnel.carried                     ? "udp"
            : peer->tunnel.theirs.type == HELLO_VXLAN ? "vxlan"
                                                      : "geneve");
}

const char *
peer_format_name(const struct peer *peer)
{
    if (peer->role != PEER_OTHER) {
        return "unknown";
    } else if (peer->source == ROSTER_SELF
               || peer->liveness.state == LIVENESS_SNOWSIGNAL) {
        return "snowsignal";
    }
    return peer->remote ? "snowrelay" : "unknown";
}
