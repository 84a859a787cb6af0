/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SELF_H
#define SNOWRELAY_SELF_H 1

/* Self: who this relay is to the others.
 *
 * It has an id, which stays the same over restarts, a session, which does not,
 * and says of itself what its local MAC is, which ports it relays, and how
 * often it says hello.  Pure: no I/O, but for the random numbers that sessions
 * are. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hello.h"
#include "openvswitch/types.h"
#include "seal.h"

struct self {
    uint64_t id;      /* 0 while it is not known. */
    uint64_t session; /* Drawn with the id; never 0 then. */
    uint32_t salt;    /* Drawn at the beginning: see seal.h. */
    bool sealed;      /* Is what it says sealed, with 'key'? */
    struct seal_key key;
    uint32_t interval; /* Between hellos, ms. */
    uint16_t ports[HELLO_MAX_PORTS];
    size_t n_ports;
    struct eth_addr local_mac;
    bool local_mac_known;
    enum relay_state role; /* On its segment, RELAY_OFF for no word. */
    uint64_t forwarder;    /* Who forwards for that, 0 if nobody is known. */
    struct hello_tunnel tunnel; /* Type and VNI of its tunnel port. */

    /* Has something changed that the others should hear of at once?  For who
     * tells them. */
    bool news;
};

void self_init(struct self *);

/* Say who it is. */
void self_set_id(struct self *, uint64_t id);
void self_set_local_mac(struct self *, struct eth_addr mac);
void self_set_ports(struct self *, const uint16_t *ports, size_t n);
void self_set_interval(struct self *, uint32_t interval);
void self_set_role(struct self *, enum relay_state role, uint64_t forwarder);

/* Sets which tunnel port it has, HELLO_NO_TUNNEL for none. */
void self_set_tunnel(struct self *, enum hello_tunnel_type type, uint32_t vni);

/* Has what it says sealed with 'key', which is copied, or not if that is
 * NULL. */
void self_set_key(struct self *, const struct seal_key *key);

/* Returns true if it is known well enough to say hello. */
bool self_is_known(const struct self *);

#endif /* self.h */
