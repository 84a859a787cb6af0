/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TUNNEL_ROW_H
#define SNOWRELAY_TUNNEL_ROW_H 1

/* A tunnel's port as a row of the Open vSwitch database's table Port, with its
 * row of the table Interface: whether they are as tunnel.h has them, and how
 * they get so.  Columns that tunnel.h does not speak of are never touched.
 *
 * The rows are those of an IDL (ovsdb-idl.h), which is the caller's. */

#include <stdbool.h>

#include "tunnel.h"

struct ovsdb_idl;
struct ovsdb_idl_txn;
struct ovsrec_bridge;
struct ovsrec_interface;
struct ovsrec_port;

/* Registers with 'idl' the columns that this module and tunnels.c read. */
void tunnel_row_add_columns(struct ovsdb_idl *idl);

/* Returns true if 'row' bears our mark of 'use'. */
bool tunnel_row_is_marked(const struct ovsrec_port *row, enum tunnel_use use);

/* Returns the interface of the port 'row' that has the port's name, NULL if
 * there is none. */
const struct ovsrec_interface *
tunnel_row_interface(const struct ovsrec_port *row);

/* Returns true if 'row', which has the name and the mark, is as the port of
 * 'tunnel' should be. */
bool tunnel_row_is_right(const struct ovsrec_port *row,
                         const struct tunnel *tunnel);

/* These add to the open transaction 'txn': a port of 'tunnel' on 'bridge', and
 * what makes 'row', which has the name and the mark, that of 'tunnel'. */
void tunnel_row_insert(struct ovsdb_idl_txn *txn,
                       const struct ovsrec_bridge *bridge,
                       const struct tunnel *tunnel);
void
tunnel_row_correct(struct ovsdb_idl_txn *txn, const struct ovsrec_port *row,
                   const struct tunnel *tunnel);

/* See tunnels_is_protected(). */
bool
tunnel_row_is_protected(const struct ovsdb_idl *idl, enum tunnel_type type,
                        const struct in6_addr *remote);

#endif /* tunnel-row.h */
