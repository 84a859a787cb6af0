/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tunnel-row.h"

#include <net/if.h>
#include <string.h>

#include "endpoint.h"
#include "openvswitch/util.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "tunnel.h"
#include "util.h"
#include "vswitch-idl.h"

void
tunnel_row_add_columns(struct ovsdb_idl *idl)
{
    const struct ovsdb_idl_column *columns[] = {
        &ovsrec_bridge_col_name,       &ovsrec_bridge_col_ports,
        &ovsrec_port_col_name,         &ovsrec_port_col_external_ids,
        &ovsrec_port_col_interfaces,   &ovsrec_port_col_tag,
        &ovsrec_port_col_trunks,       &ovsrec_port_col_vlan_mode,
        &ovsrec_interface_col_name,    &ovsrec_interface_col_type,
        &ovsrec_interface_col_options, &ovsrec_interface_col_error,
        &ovsrec_interface_col_ofport,
    };

    ovsdb_idl_add_table(idl, &ovsrec_table_open_vswitch);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
    }
}

bool
tunnel_row_is_marked(const struct ovsrec_port *row, enum tunnel_use use)
{
    const char *mark = smap_get(&row->external_ids, TUNNEL_MARK_KEY);

    return mark && !strcmp(mark, tunnel_mark(use));
}

const struct ovsrec_interface *
tunnel_row_interface(const struct ovsrec_port *row)
{
    for (size_t i = 0; i < row->n_interfaces; i++) {
        if (!strcmp(row->interfaces[i]->name, row->name)) {
            return row->interfaces[i];
        }
    }
    return NULL;
}

static bool
options_are_right(const struct ovsrec_interface *interface,
                  const struct tunnel *tunnel, const struct smap *wanted)
{
    const struct smap_node *node;

    SMAP_FOR_EACH(node, &interface->options)
    {
        if (tunnel_excludes_option(tunnel, node->key)) {
            return false;
        }
    }
    SMAP_FOR_EACH(node, wanted)
    {
        const char *value = smap_get(&interface->options, node->key);
        if (!value || strcmp(value, node->value)) {
            return false;
        }
    }
    return true;
}

bool
tunnel_row_is_right(const struct ovsrec_port *row, const struct tunnel *tunnel)
{
    const struct ovsrec_interface *interface = tunnel_row_interface(row);
    struct smap options = SMAP_INITIALIZER(&options);
    bool right = (interface && row->n_interfaces == 1 && !row->n_tag
                  && row->n_trunks == 1 && row->trunks[0] == TUNNEL_TRUNK
                  && !row->vlan_mode
                  && !strcmp(interface->type, tunnel_type_name(tunnel->type)));

    tunnel_put_options(tunnel, &options);
    right = right && options_are_right(interface, tunnel, &options);
    smap_destroy(&options);
    return right;
}

/* Makes 'interface' that of the port of 'tunnel'. */
static void
write_interface(const struct ovsrec_interface *interface,
                const struct tunnel *tunnel)
{
    struct smap options = SMAP_INITIALIZER(&options);
    const struct smap_node *node;

    tunnel_put_options(tunnel, &options);
    SMAP_FOR_EACH(node, &options)
    {
        ovsrec_interface_update_options_setkey(interface, node->key,
                                               node->value);
    }
    smap_destroy(&options);
    SMAP_FOR_EACH(node, &interface->options)
    {
        if (tunnel_excludes_option(tunnel, node->key)) {
            ovsrec_interface_update_options_delkey(interface, node->key);
        }
    }
    ovsrec_interface_set_type(interface, tunnel_type_name(tunnel->type));
}

static struct ovsrec_interface *
insert_interface(struct ovsdb_idl_txn *txn, const struct tunnel *tunnel)
{
    struct ovsrec_interface *interface = ovsrec_interface_insert(txn);
    struct smap options = SMAP_INITIALIZER(&options);
    char name[IFNAMSIZ];

    tunnel_port_name(tunnel, name);
    tunnel_put_options(tunnel, &options);
    ovsrec_interface_set_name(interface, name);
    ovsrec_interface_set_type(interface, tunnel_type_name(tunnel->type));
    ovsrec_interface_set_options(interface, &options);
    smap_destroy(&options);
    return interface;
}

/* Makes the columns of 'row' those of a port of ours, but for the mark. */
static void
write_port(const struct ovsrec_port *row,
           const struct ovsrec_interface *interface)
{
    const int64_t trunk = TUNNEL_TRUNK;
    struct ovsrec_interface *interfaces[] = { CONST_CAST(
        struct ovsrec_interface *, interface) };

    ovsrec_port_set_interfaces(row, interfaces, ARRAY_SIZE(interfaces));
    ovsrec_port_set_trunks(row, &trunk, 1);
    ovsrec_port_set_tag(row, NULL, 0);
    ovsrec_port_set_vlan_mode(row, NULL);
}

void
tunnel_row_insert(struct ovsdb_idl_txn *txn,
                  const struct ovsrec_bridge *bridge,
                  const struct tunnel *tunnel)
{
    const struct smap mark =
        SMAP_CONST1(&mark, TUNNEL_MARK_KEY, tunnel_mark(tunnel->use));
    struct ovsrec_port *row = ovsrec_port_insert(txn);
    char name[IFNAMSIZ];

    tunnel_port_name(tunnel, name);
    ovsrec_port_set_name(row, name);
    ovsrec_port_set_external_ids(row, &mark);
    write_port(row, insert_interface(txn, tunnel));
    ovsrec_bridge_update_ports_addvalue(bridge, row);
}

void
tunnel_row_correct(struct ovsdb_idl_txn *txn, const struct ovsrec_port *row,
                   const struct tunnel *tunnel)
{
    const struct ovsrec_interface *interface = tunnel_row_interface(row);

    if (interface) {
        write_interface(interface, tunnel);
    } else {
        interface = insert_interface(txn, tunnel);
    }
    write_port(row, interface);
}

bool
tunnel_row_is_protected(const struct ovsdb_idl *idl, enum tunnel_type type,
                        const struct in6_addr *remote)
{
    static const char *const keys[] = { "psk", "remote_cert", "remote_name" };
    const struct ovsrec_interface *row;

    OVSREC_INTERFACE_FOR_EACH(row, idl)
    {
        const char *to = smap_get(&row->options, "remote_ip");
        struct in6_addr address;

        if (strcmp(row->type, tunnel_type_name(type)) || !to
            || !address_from_text(to, &address)
            || !IN6_ARE_ADDR_EQUAL(&address, remote)) {
            continue;
        }
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
            if (smap_get(&row->options, keys[i])) {
                return true;
            }
        }
    }
    return false;
}
