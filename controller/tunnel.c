/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tunnel.h"

#include <inttypes.h>
#include <string.h>

#include "endpoint.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "packets.h"
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

struct tunnel
tunnel_to(enum tunnel_type type, const struct in6_addr *remote)
{
    return (struct tunnel){
        .use = TUNNEL_REPLICATE,
        .type = type,
        .key = TUNNEL_KEY,
        .remote = *remote,
    };
}

struct tunnel
tunnel_of_mesh(enum tunnel_type type, uint32_t vni,
               const struct in6_addr *local)
{
    return (struct tunnel){
        .use = TUNNEL_MESH,
        .type = type,
        .key = vni,
        .local = *local,
    };
}

bool
tunnel_equal(const struct tunnel *a, const struct tunnel *b)
{
    return (a->use == b->use && a->type == b->type && a->key == b->key
            && IN6_ARE_ADDR_EQUAL(&a->remote, &b->remote)
            && IN6_ARE_ADDR_EQUAL(&a->local, &b->local));
}

const char *
tunnel_mark(enum tunnel_use use)
{
    return use == TUNNEL_MESH ? "mesh" : "replicate";
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

    if (tunnel->use == TUNNEL_MESH) {
        number = tunnel->key;
    } else if (IN6_IS_ADDR_V4MAPPED(&tunnel->remote)) {
        number = ((uint32_t) bytes[12] << 24 | bytes[13] << 16 | bytes[14] << 8
                  | bytes[15]);
    } else {
        number = 0x811c9dc5;
        for (size_t i = 0; i < sizeof tunnel->remote.s6_addr; i++) {
            number = (number ^ bytes[i]) * UINT32_C(0x01000193);
        }
    }
    snprintf(name, IFNAMSIZ, "sr%c-%08" PRIx32,
             tunnel->use == TUNNEL_MESH ? 'm' : letters[tunnel->type], number);
}

bool
tunnel_is_port_name(const char *name)
{
    return (name[0] == 's' && name[1] == 'r' && name[2]
            && strchr("vgr", name[2]) && name[3] == '-'
            && strspn(name + 4, "0123456789abcdef") == 8 && !name[12]);
}

size_t
tunnel_max_len(const struct in6_addr *remote, size_t mtu)
{
    /* The IP header, that of UDP, and that of VXLAN (RFC 7348, section 5), or
     * of Geneve without options (RFC 8926, section 3.4). */
    const size_t overhead =
        (address_is_ipv6(remote) ? IPV6_HEADER_LEN : IP_HEADER_LEN)
        + UDP_HEADER_LEN + 8;

    return mtu > overhead ? mtu - overhead : 0;
}

/* Appends to 'command' the option 'key' of the interface. */
static void
put_option(struct ds *command, const char *key, const char *value)
{
    /* ovs-vsctl takes an IPv6 address for a string only if it is quoted. */
    bool quoted = strchr(value, ':');

    ds_put_format(command, " options:%s=%s%s%s", key, quoted ? "'\"" : "",
                  value, quoted ? "\"'" : "");
}

char *
tunnel_command(const struct tunnel *tunnel, const char *bridge)
{
    struct ds command = DS_EMPTY_INITIALIZER;
    struct smap options = SMAP_INITIALIZER(&options);
    char name[IFNAMSIZ];

    tunnel_port_name(tunnel, name);
    tunnel_put_options(tunnel, &options);
    ds_put_format(&command,
                  "ovs-vsctl --may-exist add-port %s %s trunks=%d"
                  " -- set Port %s external_ids:%s=%s"
                  " -- set Interface %s type=%s",
                  bridge, name, TUNNEL_TRUNK, name, TUNNEL_MARK_KEY,
                  tunnel_mark(tunnel->use), name,
                  tunnel_type_name(tunnel->type));
    const struct smap_node **sorted = smap_sort(&options);
    for (size_t i = smap_count(&options); i-- > 0;) {
        put_option(&command, sorted[i]->key, sorted[i]->value);
    }
    free(sorted);
    smap_destroy(&options);
    return ds_steal_cstr(&command);
}

void
tunnel_put_options(const struct tunnel *tunnel, struct smap *options)
{
    char address[INET6_ADDRSTRLEN];

    smap_add(options, "remote_ip",
             tunnel->use == TUNNEL_MESH
                 ? "flow"
                 : address_format(&tunnel->remote, address));
    smap_add_format(options, "key", "%" PRIu32, tunnel->key);
    if (!IN6_IS_ADDR_UNSPECIFIED(&tunnel->local)) {
        smap_add(options, "local_ip", address_format(&tunnel->local, address));
    }
}

bool
tunnel_excludes_option(const struct tunnel *tunnel, const char *key)
{
    return (tunnel->use == TUNNEL_MESH && !strcmp(key, "local_ip")
            && IN6_IS_ADDR_UNSPECIFIED(&tunnel->local));
}
