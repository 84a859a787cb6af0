/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SHOW_MESH_H
#define SNOWRELAY_SHOW_MESH_H 1

/* The mesh for people and for programs: who the peers are, how they are, and
 * what went to and came from each.  Pure: no I/O. */

#include <jansson.h>

struct peering;

/* Returns a table with a line for each peer, which the caller frees. */
char *show_mesh(const struct peering *);

/* Returns a few words on which keys the mesh is sealed with, and how many
 * peers seal with which, which the caller frees. */
char *show_mesh_seal(const struct peering *);

/* Return the peers, this relay's id, and the ids of the keys, null if the mesh
 * is not sealed, for "status json".  The caller owns them. */
json_t *show_mesh_json(const struct peering *);
json_t *show_mesh_id_json(const struct peering *);
json_t *show_mesh_keys_json(const struct peering *);

#endif /* show-mesh.h */
