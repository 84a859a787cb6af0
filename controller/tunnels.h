/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TUNNELS_H
#define SNOWRELAY_TUNNELS_H 1

/* Tunnels: the tunnel ports of one bridge.
 *
 * A collector behind a tunnel is reached by output to a tunnel port.  This
 * module keeps, through the Open vSwitch database (ovs-vswitchd.conf.db(5)),
 * just those tunnel ports on the bridge that are wanted:
 *
 *    database changed,        compare ---- the same -----> nothing
 *    or what is wanted  --->     |
 *                                +-- different --> one transaction, then
 *                                                  compare again
 *
 * A port of ours, as "ovs-vsctl list Port" and "list Interface" show it:
 *
 *    Port        name           see tunnel_port_name()
 *                external_ids   snowrelay=replicate: the mark; whatever
 *                               bears it on our bridge is ours
 *                trunks         4095
 *    Interface   name           the port's
 *                type           vxlan, geneve or gre
 *                options        remote_ip, and key=5459535 (0x534e4f)
 *
 * The only VLAN of the port is one that hosts do not use (IEEE Std 802.1Q
 * reserves 0xfff), so that NORMAL floods nothing into a tunnel, and drops what
 * comes out of one.  Output to the port by a flow heeds no VLANs, and sends
 * the frame as it is.  It stands in the database, so it holds from the first
 * moment after the switch restarts.
 *
 * A port that is as it should be is never touched, so that a restarted daemon
 * takes over what a dead one left without a gap.  Options other than those
 * above are the administrator's and stay as they are.  A marked port that is
 * not wanted is removed, a wanted one that somebody removed or changed is put
 * back, at most once a second.  Ports of other bridges are never touched, nor
 * is a port of our name without the mark.
 *
 * While the database does not answer the ports stay, and so does what is known
 * of them.  The connection is made again when it does. */

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

enum tunnel_type { TUNNEL_VXLAN, TUNNEL_GENEVE, TUNNEL_GRE };

/* Where a tunnel leads to. */
struct tunnel {
    enum tunnel_type type;
    struct in6_addr remote; /* An IPv4 address as an IPv4-mapped one. */
};

/* Pure: no I/O, no state. */

/* Returns "vxlan", "geneve" or "gre". */
const char *tunnel_type_name(enum tunnel_type type);

/* Parses 'text', one of these names.  Returns false, and leaves '*type' alone,
 * if it is anything else. */
bool tunnel_type_from_text(const char *text, enum tunnel_type *type);

/* Writes the name of the port of 'tunnel' to 'name': "srv-" for VXLAN, "srg-"
 * for Geneve or "srr-" for GRE, and eight hexadecimal digits.  They are the
 * address where it is an IPv4 one (srv-ac1e0002 is VXLAN to 172.30.0.2), else
 * the 32-bit FNV-1a hash of its 16 bytes (offset basis 0x811c9dc5, prime
 * 0x01000193; see http://www.isthe.com/chongo/tech/comp/fnv/).  The name of a
 * tunnel is thus the same everywhere and always. */
void tunnel_port_name(const struct tunnel *tunnel, char name[IFNAMSIZ]);

/* Returns true if 'name' looks like such a name. */
bool tunnel_is_port_name(const char *name);

/* Returns the command for a shell that makes the port of 'tunnel' on 'bridge'
 * just as this module does.  The caller frees it. */
char *tunnel_command(const struct tunnel *tunnel, const char *bridge);

/* The ports in the database. */

struct tunnels;

/* Makes an object that keeps the tunnel ports of the bridge named 'bridge' in
 * the database at 'database', an OVSDB connection method such as
 * unix:/var/run/openvswitch/db.sock.  Nothing is wanted at first: ports of
 * ours that are there are removed, unless tunnels_set() comes before
 * tunnels_run().
 *
 * This also keeps libopenvswitch from logging its attempts to connect (module
 * "reconnect", level "info"), because a host without tunnels may well have its
 * database elsewhere; this module itself says so if a port is wanted. */
struct tunnels *tunnels_create(const char *database, const char *bridge);

/* The ports stay. */
void tunnels_destroy(struct tunnels *);

void tunnels_run(struct tunnels *);
void tunnels_wait(struct tunnels *);

/* Makes the 'n' tunnels in 'wanted' what there should be.  It may name one
 * more than once.  With 'keep' ports of ours that are not wanted stay, as long
 * as it is not known yet where some tunnels lead to.  After tunnels_remove()
 * this has no effect. */
void tunnels_set(struct tunnels *, const struct tunnel *wanted, size_t n,
                 bool keep);

/* Returns a number that changes whenever a port wanted may have come or gone,
 * or may work or fail for another reason than before. */
unsigned int tunnels_seqno(const struct tunnels *);

/* Returns true if the port of 'tunnel' is wanted, is in the database as it
 * should be, and the switch has given it an OpenFlow port number. */
bool tunnels_is_present(const struct tunnels *, const struct tunnel *tunnel);

/* Returns why the port of 'tunnel' does not work: what the switch or the
 * database says, that there is no such bridge, or that somebody else has a
 * port of its name.  Returns NULL if it works, if that is not known yet, or if
 * it is not wanted.  Valid until the next call to tunnels_run(),
 * tunnels_set(), or tunnels_remove(). */
const char *tunnels_error(const struct tunnels *, const struct tunnel *tunnel);

/* Begins to remove all ports of ours from the bridge.  Nothing is put back
 * from then on. */
void tunnels_remove(struct tunnels *);

/* Returns true once, after tunnels_remove(), the database has none of them, or
 * if it cannot be asked. */
bool tunnels_is_removed(const struct tunnels *);

#endif /* tunnels.h */
