/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ports.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "packets.h"
#include "util.h"

void
ports_init(struct ports *p)
{
    memset(p, 0, sizeof *p);
    ofputil_port_map_init(&p->map);
}

void
ports_destroy(struct ports *p)
{
    ofputil_port_map_destroy(&p->map);
    free(p->ports);
}

/* Makes the map anew, since one cannot take a port out of it. */
static void
note_change(struct ports *p)
{
    ofputil_port_map_destroy(&p->map);
    ofputil_port_map_init(&p->map);
    for (size_t i = 0; i < p->n; i++) {
        ofputil_port_map_put(&p->map, p->ports[i].number, p->ports[i].name);
    }
    p->seqno++;
}

void
ports_clear(struct ports *p)
{
    if (p->n) {
        p->n = 0;
        note_change(p);
    }
}

static bool
is_down(const struct ofputil_phy_port *desc)
{
    return desc->config & OFPUTIL_PC_PORT_DOWN;
}

void
ports_put(struct ports *p, const struct ofputil_phy_port *desc)
{
    struct port *port = CONST_CAST(struct port *, ports_get(p, desc->port_no));

    if (port && !strcmp(port->name, desc->name)
        && eth_addr_equals(port->mac, desc->hw_addr)
        && port->down == is_down(desc)) {
        return;
    }
    bool new = !port;
    if (new) {
        if (p->n >= p->allocated) {
            p->ports = x2nrealloc(p->ports, &p->allocated, sizeof *p->ports);
        }
        port = &p->ports[p->n++];
    }
    ovs_strlcpy(port->name, desc->name, sizeof port->name);
    port->number = desc->port_no;
    port->mac = desc->hw_addr;
    port->down = is_down(desc);
    if (new) {
        ofputil_port_map_put(&p->map, port->number, port->name);
        p->seqno++;
    } else {
        note_change(p);
    }
}

void
ports_remove(struct ports *p, ofp_port_t number)
{
    struct port *port = CONST_CAST(struct port *, ports_get(p, number));

    if (port) {
        *port = p->ports[--p->n];
        note_change(p);
    }
}

void
ports_make_up(struct ports *p, const char *name, struct eth_addr mac)
{
    struct ofputil_phy_port desc = { .port_no = u16_to_ofp(p->n + 1),
                                     .hw_addr = mac };

    if (!ports_find(p, name)) {
        ovs_strlcpy(desc.name, name, sizeof desc.name);
        ports_put(p, &desc);
    }
}

const struct port *
ports_find(const struct ports *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (!strcmp(p->ports[i].name, name)) {
            return &p->ports[i];
        }
    }
    return NULL;
}

const struct port *
ports_get(const struct ports *p, ofp_port_t number)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->ports[i].number == number) {
            return &p->ports[i];
        }
    }
    return NULL;
}
