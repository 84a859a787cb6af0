/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "self.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(self);

void
self_init(struct self *self)
{
    seal_init();
    memset(self, 0, sizeof *self);
    randombytes_buf(&self->salt, sizeof self->salt);
}

void
self_set_id(struct self *self, uint64_t id)
{
    if (id == self->id) {
        return;
    }
    self->id = id;
    do {
        /* Nobody may be able to guess it: what echoes it has heard us. */
        randombytes_buf(&self->session, sizeof self->session);
    } while (!self->session);
    self->news = true;
    VLOG_INFO("relay id is %016" PRIx64 ", session %016" PRIx64, id,
              self->session);
}

void
self_set_local_mac(struct self *self, struct eth_addr mac)
{
    self->local_mac = mac;
    self->local_mac_known = true;
    self->news = true;
}

void
self_set_ports(struct self *self, const uint16_t *ports, size_t n)
{
    ovs_assert(n <= HELLO_MAX_PORTS);
    self->news |=
        (n != self->n_ports || memcmp(self->ports, ports, n * sizeof *ports));
    memcpy(self->ports, ports, n * sizeof *ports);
    self->n_ports = n;
}

void
self_set_interval(struct self *self, uint32_t interval)
{
    self->news |= interval != self->interval;
    self->interval = interval;
}

void
self_set_role(struct self *self, enum relay_state role, uint64_t forwarder)
{
    /* Who else forwards can wait. */
    self->news |= role != self->role;
    self->role = role;
    self->forwarder = forwarder;
}

void
self_set_tunnel(struct self *self, enum hello_tunnel_type type, uint32_t vni)
{
    self->news |= type != self->tunnel.type || vni != self->tunnel.vni;
    self->tunnel.type = type;
    self->tunnel.vni = vni;
}

void
self_set_key(struct self *self, const struct seal_key *key)
{
    self->sealed = key != NULL;
    if (key) {
        self->key = *key;
    } else {
        sodium_memzero(&self->key, sizeof self->key);
    }
}

bool
self_is_known(const struct self *self)
{
    return self->id && self->local_mac_known;
}
