/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "self.h"

#include <inttypes.h>
#include <string.h>

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(self);

void
self_init(struct self *self)
{
    memset(self, 0, sizeof *self);
}

void
self_set_id(struct self *self, uint64_t id)
{
    if (id == self->id) {
        return;
    }
    self->id = id;
    do {
        self->session = random_uint64();
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

bool
self_is_known(const struct self *self)
{
    return self->id && self->local_mac_known;
}
