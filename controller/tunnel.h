/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TUNNEL_H
#define SNOWRELAY_TUNNEL_H 1

/* A tunnel, and the port of a bridge that leads into it.
 *
 * Replication has a port for each collector behind a tunnel, and outputs
 * copies to it.  The mesh has one port for all peers: the flows say where to,
 * and from where.  As "ovs-vsctl list Port" and "list Interface" show it, a
 * port of ours is
 *
 *    Port        name           see tunnel_port_name()
 *                external_ids   snowrelay=replicate or snowrelay=mesh: the
 *                               mark; whatever bears it on our bridge is ours
 *                trunks         4095
 *    Interface   name           the port's
 *                type           vxlan, geneve or gre
 *                options        of replication: remote_ip, key=5459535
 *                               (0x534e4f); of the mesh: remote_ip=flow, key,
 *                               and local_ip if the mesh has one address
 *
 * The only VLAN of the port is one that hosts do not use (IEEE Std 802.1Q
 * reserves 0xfff), so that NORMAL floods nothing into a tunnel, and drops what
 * comes out of one.  Output to the port by a flow heeds no VLANs, and sends
 * the frame as it is.  It stands in the database, so it holds from the first
 * moment after the switch restarts.
 *
 * Options other than those above are the administrator's.
 *
 * Pure: no I/O, no state. */

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smap;

#define TUNNEL_MARK_KEY "snowrelay"

enum { TUNNEL_TRUNK = 4095, TUNNEL_KEY = 0x534e4f };

/* Whose a tunnel is. */
enum tunnel_use { TUNNEL_REPLICATE, TUNNEL_MESH, N_TUNNEL_USES };

enum tunnel_type { TUNNEL_VXLAN, TUNNEL_GENEVE, TUNNEL_GRE };

/* Where a tunnel leads to.  An IPv4 address is an IPv4-mapped one, and one
 * that is not said is ::. */
struct tunnel {
    enum tunnel_use use;
    enum tunnel_type type;
    uint32_t key; /* RFC 7348's VNI, RFC 8926's, or RFC 2890's key. */
    struct in6_addr remote;
    struct in6_addr local;
};

/* Returns replication's tunnel of 'type' to 'remote'. */
struct tunnel tunnel_to(enum tunnel_type type, const struct in6_addr *remote);

/* Returns the mesh's tunnel of 'type' with 'vni', from 'local'. */
struct tunnel tunnel_of_mesh(enum tunnel_type type, uint32_t vni,
                             const struct in6_addr *local);

/* Returns true if 'a' and 'b' are the same. */
bool tunnel_equal(const struct tunnel *a, const struct tunnel *b);

/* Returns the value of the mark of 'use'. */
const char *tunnel_mark(enum tunnel_use use);

/* Returns "vxlan", "geneve" or "gre". */
const char *tunnel_type_name(enum tunnel_type type);

/* Parses 'text', one of these names.  Returns false, and leaves '*type' alone,
 * if it is anything else. */
bool tunnel_type_from_text(const char *text, enum tunnel_type *type);

/* Writes the name of the port of 'tunnel' to 'name'.  That of the mesh is
 * "srm-" and the VNI in eight hexadecimal digits.  Those of replication are
 * "srv-" for VXLAN, "srg-" for Geneve or "srr-" for GRE, and eight hexadecimal
 * digits: the address where it is an IPv4 one (srv-ac1e0002 is VXLAN to
 * 172.30.0.2), else the 32-bit FNV-1a hash of its 16 bytes (offset basis
 * 0x811c9dc5, prime 0x01000193; see
 * http://www.isthe.com/chongo/tech/comp/fnv/). The name of a tunnel is thus
 * the same everywhere and always. */
void tunnel_port_name(const struct tunnel *tunnel, char name[IFNAMSIZ]);

/* Returns true if 'name' looks like that of a port of replication. */
bool tunnel_is_port_name(const char *name);

/* Returns the command for a shell that makes the port of 'tunnel' on 'bridge',
 * as above.  The caller frees it. */
char *tunnel_command(const struct tunnel *tunnel, const char *bridge);

/* Returns the length of the longest Ethernet frame, from the destination on
 * and without FCS, that a path to 'remote' takes in a VXLAN or Geneve tunnel:
 * a path whose IP packets are up to 'mtu' bytes long.  Returns 0 if that is
 * too little for any. */
size_t tunnel_max_len(const struct in6_addr *remote, size_t mtu);

/* Adds to 'options' those that the interface of 'tunnel' has to have. */
void tunnel_put_options(const struct tunnel *tunnel, struct smap *options);

/* Returns true if the interface of 'tunnel' must not have the option 'key'. */
bool tunnel_excludes_option(const struct tunnel *tunnel, const char *key);

#endif /* tunnel.h */
