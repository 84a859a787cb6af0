/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PEERING_H
#define SNOWRELAY_PEERING_H 1

/* Peering: who the other relays are, and how they are.
 *
 *    configuration, resolver, people --> roster --> peers --> who gets frames
 *                 hellos from the mesh --> remotes, liveness --^
 *
 * Says hello to each peer through the mesh, at first to find out whether it
 * speaks our own format and then, if it does, to know that it is still there,
 * how far away it is and what it loses.  Judges who a datagram is from, and
 * whether its frame has come already.
 *
 * The clock is the caller's. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "announcement.h"
#include "counters.h"
#include "hello.h"
#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

struct config;
struct host;
struct mesh;
struct mesh_datagram;
struct peer;
struct peering;
struct peers;
struct resolver;
struct seal_keys;
struct sset;
struct wire;

/* What becomes of a datagram. */
enum peering_verdict {
    PEERING_FRAME,   /* Its frame is to be looked at. */
    PEERING_CONTROL, /* It was for us. */
    PEERING_DROP     /* It is dropped. */
};

struct peering *peering_create(void);
void peering_destroy(struct peering *);

/* Takes in 'config'.  peering_update() must follow. */
void peering_configure(struct peering *, const struct config *config);

/* Set this relay's id and its local MAC.  As long as one of them is not known
 * nobody is said hello to; when one changes all that are heard are, at once.
 */
void peering_set_id(struct peering *, uint64_t id);
void peering_set_local_mac(struct peering *, struct eth_addr mac);

/* Takes in what this relay is to its segment, and who forwards for that, to
 * tell the others; 0 if nobody is known. */
void
peering_set_role(struct peering *, enum relay_state role, uint64_t forwarder);

/* Takes in which tunnel port this relay has, to tell the others. */
void peering_set_tunnel(struct peering *, enum hello_tunnel_type type,
                        uint32_t vni);

/* Has 'peer' be said hello to at once: what there is to say of its tunnel has
 * changed. */
void peering_tell(struct peering *, struct peer *peer);

/* Makes the relays with the 'n' 'ids' those of this relay's own segment, who
 * get no frames, and whose frames are dropped. */
void peering_set_segment(struct peering *, const uint64_t *ids, size_t n);

/* Takes in that the relay with 'id' is not on the segment any more: until it
 * is heard of again its MACs are none for the loop filter. */
void peering_forget_macs(struct peering *, uint64_t id);

/* Adds the names that have to be looked up to 'names'. */
void peering_add_names(const struct peering *, struct sset *names);

/* Works out who the peers are, from what 'resolver' and 'host' know, and gives
 * them addresses for 'mesh', which may be another one than before, or NULL:
 * then there are none.  Peers that a new configuration does not name any more
 * stay for some seconds if it has a name of which no address is known yet,
 * which may lead to them. */
void peering_update(struct peering *, const struct resolver *resolver,
                    const struct host *host, struct mesh *mesh,
                    long long int now_us);

/* Returns true if peering_update() must be called because time has gone by. */
bool peering_wants_update(const struct peering *, long long int now_us);

/* Add or remove a peer until the next start, see roster_add() and
 * roster_remove().  The names to look up may change by that, and
 * peering_update() must follow.  Return NULL, or a message that the caller
 * frees. */
char *peering_add(struct peering *, const struct resolver *resolver,
                  const char *text) OVS_WARN_UNUSED_RESULT;
char *peering_remove(struct peering *, const struct resolver *resolver,
                     const char *text) OVS_WARN_UNUSED_RESULT;

/* Says hello through 'mesh' to whom it is time to, and notices who has fallen
 * silent. */
void peering_run(struct peering *, struct mesh *mesh, long long int now_us);
void peering_wait(const struct peering *);

/* Tells the peers that this relay leaves.  No hello follows until
 * peering_configure() is called. */
void peering_leave(struct peering *, struct mesh *mesh);

/* Judges the datagram 'd', taken apart in 'w', which has come through 'mesh'.
 * One that is sealed is opened in its place, and 'w' is what was in it then.
 * If the verdict is PEERING_DROP stores the reason in '*reason'. */
enum peering_verdict
peering_take(struct peering *, struct mesh *mesh,
             const struct mesh_datagram *d, struct wire *w,
             long long int now_us, int *reason);

/* Returns true if the peers' local MACs have changed since this function last
 * returned true, and not just now; of the first ones it tells as soon as the
 * peering has begun. */
bool peering_macs_changed(struct peering *, long long int now_us);

/* Returns the peers' local MACs, each once, as of then, and stores their
 * number in '*n'. */
const struct eth_addr *peering_macs(const struct peering *, size_t *n);

/* Returns true once it has been found out for the first time which format each
 * peer speaks, or that it does not answer.  Names that have no address within
 * half a second are not waited for. */
bool peering_has_begun(const struct peering *);

/* For those who send, and who look on. */
struct peers *peering_peers(const struct peering *);
uint64_t peering_id(const struct peering *);
uint64_t peering_session(const struct peering *);

/* Returns the keys of the mesh; there are none if it is not sealed. */
const struct seal_keys *peering_keys(const struct peering *);

/* Returns true if there is no peer but this relay itself, for testing. */
bool peering_is_self(const struct peering *);

#endif /* peering.h */
