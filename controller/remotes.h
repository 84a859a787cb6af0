/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_REMOTES_H
#define SNOWRELAY_REMOTES_H 1

/* Remotes: the relays of ours at the other ends, by their relay ids.
 *
 * A peer is an address; who answers there is a remote.  Two peers may be the
 * same remote, by two of its addresses, and a peer may become another one.
 * What does not depend on the address is here: which of its frames have come,
 * how many were sent to it, and what its hellos say of it.
 *
 * A remote that starts anew has a new session, and numbers its frames anew.
 *
 * Pure: no I/O, no clock. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hello.h"
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"
#include "window.h"

struct peer;

enum {
    /* More are not listened to. */
    REMOTES_MAX = 8192,

    /* How long one that no peer leads to is remembered. */
    REMOTES_MAX_IDLE_MS = 60000,

    /* How late a datagram of a session that has ended may come.  One that
     * comes later is from somebody else with the same id. */
    REMOTES_MAX_LATE_MS = 5000
};

struct remote {
    struct hmap_node node; /* In "struct remotes" 'by_id'. */
    uint64_t id;
    uint64_t session;
    uint64_t last_session; /* The one before, 0 if there was none. */
    long long int started; /* When 'session' was first heard of, ms. */
    long long int heard;   /* When it was last, but for frames, ms. */
    uint64_t greeted;      /* The session of its last hello, 0 for none. */

    struct window window; /* Of its frames. */
    uint64_t next_seq;    /* Of the next frame to it. */
    struct peer *peer;    /* The one peer by which it gets frames, or NULL. */

    /* What its hellos say. */
    uint8_t version; /* The greatest version that both speak, 0 for none. */
    struct eth_addr macs[HELLO_MAX_MACS];
    size_t n_macs;
    uint16_t ports[HELLO_MAX_PORTS];
    size_t n_ports;
    uint64_t received, lost; /* Of our frames, as it counts them. */
    enum relay_state role;   /* See struct hello. */
    uint64_t forwarder;
    uint64_t other;  /* Who else forwarded for it at last, 0 for nobody. */
    bool superseded; /* Does another one forward for its segment, of which it
                      * has not said itself that it knows? */

    /* In a sealed mesh. */
    uint16_t key_id; /* Of the key of its last hello. */
    uint64_t proved; /* The last timestamp of ours that it has echoed in time,
                      * us. */

    bool on_segment; /* Is it on this relay's segment? */
};

struct remotes {
    struct hmap by_id;

    /* Where frames to a new one begin, beyond those to all that were
     * forgotten: one that is met again may remember us. */
    uint64_t first_seq;

    uint64_t *segment; /* Ids of those on this relay's segment. */
    size_t n_segment;
};

void remotes_init(struct remotes *);
void remotes_destroy(struct remotes *);

/* Returns the remote with 'id', or NULL. */
struct remote *remotes_find(const struct remotes *, uint64_t id);

/* The same, but makes it if there is none, and room. */
struct remote *remotes_get(struct remotes *, uint64_t id, uint64_t session,
                           long long int now);

/* Makes those with the 'n' 'ids', and those that will have one of them, the
 * ones on this relay's segment. */
void remotes_set_segment(struct remotes *, const uint64_t *ids, size_t n);

/* Forgets those that 'is_used' does not mark and that have not been heard of
 * for REMOTES_MAX_IDLE_MS.  'is_used' returns true for those that are to
 * stay. */
void remotes_expire(struct remotes *, long long int now,
                    bool (*is_used)(const struct remote *, const void *aux),
                    const void *aux);

/* Takes in that a datagram of 'session', which is never 0, came from 'remote'.
 * Returns false if that is the session before the present one, whose datagrams
 * come too late.  But if nothing was heard of the present one for
 * REMOTES_MAX_LATE_MS it is that one which was the mistake: a datagram that
 * had been under way for long, or another relay with the same id, which is
 * gone. */
bool remote_take_session(struct remote *, uint64_t session, long long int now);

/* Takes in what 'hello' says of its sender.  MACs and ports of which it says
 * nothing stay as they were, and so does the role if it is an answer, which
 * may have had no room for that.  Returns true if its MACs changed. */
bool remote_take_hello(struct remote *, const struct hello *hello);

/* Takes in that 'remote' has come to forward for its segment, where another
 * one did: if that one has not said so itself, its switch may still do what it
 * did when its relay fell silent.  Returns true if that is news. */
bool remotes_supersede(struct remotes *, const struct remote *remote);

#endif /* remotes.h */
