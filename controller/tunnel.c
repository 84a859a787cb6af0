/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tunnel.h"

#include <inttypes.h>
#include <string.h>

#include "endpoint.h"
#include "openvswitch/util.h"
#include "smap.h"
#include "util.h"

static const char *const type_names[] = {
    [TUNNEL_VXLAN] = "vxlan",
    [TUNNEL_GENEVE] = "geneve",
    [TUNNEL_GRE] = "gre",
};

const char *
tunnel_type_name(enum tunnel_type type)
{
    return type_names[type];
}

bool
tunnel_type_from_text(const char *text, enum tunnel_type *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(type_names); i++) {
        if (!strcmp(text, type_names[i])) {
            *type = i;
            return true;
        }
    }
    return false;
}

bool
tunnel_equal(const struct tunnel *a, const struct tunnel *b)
{
    return a->type == b->type && IN6_ARE_ADDR_EQUAL(&a->remote, &b->remote);
}

void
tunnel_port_name(const struct tunnel *tunnel, char name[IFNAMSIZ])
{
    static const char letters[] = {
        [TUNNEL_VXLAN] = 'v',
        [TUNNEL_GENEVE] = 'g',
        [TUNNEL_GRE] = 'r',
    };
    const uint8_t *bytes = tunnel->remote.s6_addr;
    uint32_t number;

    if (IN6_IS_ADDR_V4MAPPED(&tunnel->remote)) {
        number = ((uint32_t) bytes[12] << 24 | bytes[13] << 16 | bytes[14] << 8
                  | bytes[15]);
    } else {
        number = 0x811c9dc5;
        for (size_t i = 0; i < sizeof tunnel->remote.s6_addr; i++) {
            number = (number ^ bytes[i]) * UINT32_C(0x01000193);
        }
    }
    snprintf(name, IFNAMSIZ, "sr%c-%08" PRIx32, letters[tunnel->type], number);
}

bool
tunnel_is_port_name(const char *name)
{
    return (name[0] == 's' && name[1] == 'r' && name[2]
            && strchr("vgr", name[2]) && name[3] == '-'
            && strspn(name + 4, "0123456789abcdef") == 8 && !name[12]);
}

char *
tunnel_command(const struct tunnel *tunnel, const char *bridge)
{
    char address[INET6_ADDRSTRLEN], name[IFNAMSIZ];
    /* ovs-vsctl takes an IPv6 address for a string only if it is quoted. */
    const char *quote = (IN6_IS_ADDR_V4MAPPED(&tunnel->remote) ? "" : "'\"");
    const char *unquote = *quote ? "\"'" : "";

    tunnel_port_name(tunnel, name);
    return xasprintf("ovs-vsctl --may-exist add-port %s %s trunks=%d"
                     " -- set Port %s external_ids:%s=%s"
                     " -- set Interface %s type=%s"
                     " options:remote_ip=%s%s%s options:key=%d",
                     bridge, name, TUNNEL_TRUNK, name, TUNNEL_MARK_KEY,
                     TUNNEL_MARK_VALUE, name, tunnel_type_name(tunnel->type),
                     quote, address_format(&tunnel->remote, address), unquote,
                     TUNNEL_KEY);
}

void
tunnel_put_options(const struct tunnel *tunnel, struct smap *options)
{
    char address[INET6_ADDRSTRLEN];

    smap_add(options, "remote_ip", address_format(&tunnel->remote, address));
    smap_add_format(options, "key", "%d", TUNNEL_KEY);
}
