/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tunnels.h"

#include <inttypes.h>
#include <string.h>

#include "error-line.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "tunnel-row.h"
#include "tunnel.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(tunnels);

enum {
    /* How long the database may stay silent before it is mentioned. */
    GRACE_MS = 2000,

    /* Least time between two changes that undo what somebody else did, so that
     * two who disagree do not keep the switch busy, and after the database
     * refused one. */
    PAUSE_MS = 1000,

    /* Pause after the database could not be asked. */
    AGAIN_MS = 100
};

/* A wanted tunnel. */
struct port {
    struct hmap_node hmap_node; /* In struct tunnels's 'ports', by name. */
    struct tunnel tunnel;
    char name[IFNAMSIZ];

    /* What is known of it. */
    bool placed;  /* Is it in the database as it should be? */
    bool failed;  /* Has the switch failed to make it? */
    bool present; /* See tunnels_is_present(). */
    char *error;  /* NULL if none. */

    /* What the database has under its name, while it is being read. */
    const struct ovsrec_bridge *bridge;
    const struct ovsrec_port *row;
    bool name_taken; /* Has another port an interface of its name? */
};

struct tunnels {
    char *database;
    char *bridge;
    struct ovsdb_idl *idl;
    unsigned int seqno;
    int pause_ms, grace_ms; /* See tunnels_set_intervals(). */

    struct hmap ports; /* Of "struct port". */
    struct {
        bool removing;
        bool keep;  /* Do ports stay that are not wanted? */
        bool clean; /* Had the database none but wanted ports at last? */
    } uses[N_TUNNEL_USES];

    /* Reading the database. */
    unsigned int idl_seqno; /* ovsdb_idl_get_seqno() read. */
    bool dirty;             /* Is it to be read again in any case? */
    bool retry;             /* Is the switch to try again what failed? */

    /* Changing it. */
    struct ovsdb_idl_txn *txn; /* In progress, or NULL. */
    struct ds changes;         /* What it does, for the log. */
    long long int next_change; /* Not before this time_msec(). */
    char *refusal;             /* Why the last one failed, or NULL. */

    long long int silent_since; /* time_msec(), LLONG_MAX if it answers. */
    bool told_silence;
};

/* Keeps the module "reconnect", which only OVSDB connections use here, from
 * logging at level "info".  A level that somebody asked for stays. */
static void
quiet_reconnect(void)
{
    struct vlog_module *module = vlog_module_from_name("reconnect");

    for (int i = 0; module && i < VLF_N_DESTINATIONS; i++) {
        if (vlog_get_level(module, i) == VLL_INFO) {
            vlog_set_levels(module, i, VLL_WARN);
        }
    }
}

struct tunnels *
tunnels_create(const char *database, const char *bridge)
{
    struct tunnels *t = xzalloc(sizeof *t);

    quiet_reconnect();
    t->database = xstrdup(database);
    t->bridge = xstrdup(bridge);
    t->idl = ovsdb_idl_create(database, &ovsrec_idl_class, false, true);
    tunnel_row_add_columns(t->idl);
    t->idl_seqno = ovsdb_idl_get_seqno(t->idl);
    hmap_init(&t->ports);
    ds_init(&t->changes);
    t->silent_since = time_msec();
    tunnels_set_intervals(t, PAUSE_MS, GRACE_MS);
    return t;
}

static void
free_port(struct tunnels *t, struct port *port)
{
    hmap_remove(&t->ports, &port->hmap_node);
    free(port->error);
    free(port);
}

void
tunnels_destroy(struct tunnels *t)
{
    if (t) {
        struct port *port;

        HMAP_FOR_EACH_SAFE (port, hmap_node, &t->ports) {
            free_port(t, port);
        }
        hmap_destroy(&t->ports);
        if (t->txn) {
            ovsdb_idl_txn_destroy(t->txn);
        }
        ovsdb_idl_destroy(t->idl);
        ds_destroy(&t->changes);
        free(t->refusal);
        free(t->bridge);
        free(t->database);
        free(t);
    }
}

/* What is wanted. */

/* Returns true if 'port' is that of 'tunnel'. */
static bool
is_port_of(const struct port *port, const struct tunnel *tunnel)
{
    return tunnel_equal(&port->tunnel, tunnel);
}

/* Returns the wanted port of 'tunnel', NULL if there is none. */
static struct port *
find_port(const struct tunnels *t, const struct tunnel *tunnel)
{
    char name[IFNAMSIZ];
    struct port *port;

    tunnel_port_name(tunnel, name);
    HMAP_FOR_EACH_WITH_HASH(port, hmap_node, hash_string(name, 0), &t->ports)
    {
        if (is_port_of(port, tunnel)) {
            return port;
        }
    }
    return NULL;
}

/* Returns the wanted port named 'name', NULL if there is none.  Where hashes
 * of two IPv6 addresses are the same it is that of the lower address. */
static struct port *
find_port_by_name(const struct tunnels *t, const char *name)
{
    struct port *port, *found = NULL;

    HMAP_FOR_EACH_WITH_HASH(port, hmap_node, hash_string(name, 0), &t->ports)
    {
        if (!strcmp(port->name, name)
            && (!found
                || memcmp(&port->tunnel.remote, &found->tunnel.remote,
                          sizeof port->tunnel.remote)
                       < 0)) {
            found = port;
        }
    }
    return found;
}

static void
add_port(struct tunnels *t, const struct tunnel *tunnel)
{
    struct port *port = xzalloc(sizeof *port);

    port->tunnel = *tunnel;
    tunnel_port_name(tunnel, port->name);
    hmap_insert(&t->ports, &port->hmap_node, hash_string(port->name, 0));
}

/* Returns true if 'port' is that of one of the 'n' tunnels in 'all'. */
static bool
is_among(const struct port *port, const struct tunnel *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_port_of(port, &all[i])) {
            return true;
        }
    }
    return false;
}

/* Notes whether 'port' is present and what is wrong with it, 'error', which it
 * takes ownership of; NULL if nothing is. */
static void
set_state(struct tunnels *t, struct port *port, bool present, char *error)
{
    if (present != port->present
        || !nullable_string_is_equal(error, port->error)) {
        t->seqno++;
    }
    port->present = present;
    free(port->error);
    port->error = error;
}

/* Returns true if the database can be asked. */
static bool
answers(const struct tunnels *t)
{
    return (ovsdb_idl_is_connected(t->idl)
            && ovsdb_idl_has_ever_connected(t->idl));
}

/* Speaks of a database that does not answer, if that matters to a port. */
static void
complain(struct tunnels *t)
{
    struct port *port;

    if (!t->told_silence && !hmap_is_empty(&t->ports)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl,
                     "%s: the database does not answer; the tunnel ports of "
                     "%s stay as they are until it does",
                     t->database, t->bridge);
        t->told_silence = true;
    }
    HMAP_FOR_EACH (port, hmap_node, &t->ports) {
        if (!port->placed && !port->error) {
            set_state(
                t, port, false,
                xasprintf("the database %s does not answer", t->database));
        }
    }
}

/* Notes since when the database has been silent. */
static void
run_silence(struct tunnels *t)
{
    if (answers(t)) {
        if (t->told_silence) {
            VLOG_INFO("%s: the database answers again", t->database);
        }
        t->told_silence = false;
        t->silent_since = LLONG_MAX;
    } else {
        t->silent_since = MIN(t->silent_since, time_msec());
        if (time_msec() >= t->silent_since + t->grace_ms) {
            complain(t);
        }
    }
}

/* Sees to it that the database is read and changed as soon as may be. */
static void
start_anew(struct tunnels *t)
{
    free(t->refusal);
    t->refusal = NULL;
    t->dirty = true;
    for (int use = 0; use < N_TUNNEL_USES; use++) {
        t->uses[use].clean = false;
    }
    t->next_change = 0;
}

void
tunnels_set_intervals(struct tunnels *t, int pause_ms, int grace_ms)
{
    t->pause_ms = pause_ms;
    t->grace_ms = grace_ms;
}

/* Takes out of the wanted ports those of 'use' that are not among the 'n'
 * tunnels in 'wanted'.  Returns true if there were any. */
static bool
drop_ports(struct tunnels *t, enum tunnel_use use, const struct tunnel *wanted,
           size_t n)
{
    struct port *port;
    bool any = false;

    HMAP_FOR_EACH_SAFE (port, hmap_node, &t->ports) {
        if (port->tunnel.use == use && !is_among(port, wanted, n)) {
            free_port(t, port);
            any = true;
        }
    }
    return any;
}

void
tunnels_set(struct tunnels *t, enum tunnel_use use,
            const struct tunnel *wanted, size_t n, bool keep)
{
    bool changed = keep != t->uses[use].keep;

    if (t->uses[use].removing) {
        return;
    }
    t->uses[use].keep = keep;
    changed |= drop_ports(t, use, wanted, n);
    for (size_t i = 0; i < n; i++) {
        if (!find_port(t, &wanted[i])) {
            add_port(t, &wanted[i]);
            changed = true;
        }
    }
    if (changed) {
        t->seqno++;
        start_anew(t);
        run_silence(t);
    }
}

unsigned int
tunnels_seqno(const struct tunnels *t)
{
    return t->seqno;
}

bool
tunnels_is_present(const struct tunnels *t, const struct tunnel *tunnel)
{
    const struct port *port = find_port(t, tunnel);

    return port && port->present;
}

const char *
tunnels_error(const struct tunnels *t, const struct tunnel *tunnel)
{
    const struct port *port = find_port(t, tunnel);

    return port ? port->error : NULL;
}

bool
tunnels_is_protected(const struct tunnels *t, enum tunnel_type type,
                     const struct in6_addr *remote)
{
    return tunnel_row_is_protected(t->idl, type, remote);
}

void
tunnels_remove(struct tunnels *t, enum tunnel_use use)
{
    t->uses[use].keep = false;
    t->uses[use].removing = true;
    drop_ports(t, use, NULL, 0);
    t->seqno++;
    start_anew(t);
}

/* Notes that 'port' does not work because of 'error', which it takes ownership
 * of, and logs it. */
static void
set_error(struct tunnels *t, struct port *port, char *error)
{
    if (!nullable_string_is_equal(error, port->error)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);
        VLOG_WARN_RL(&rl, "%s: tunnel port %s does not work: %s", t->bridge,
                     port->name, error);
    }
    set_state(t, port, false, error);
}

/* Reading the database. */

static const struct ovsrec_bridge *
find_bridge(const struct tunnels *t)
{
    const struct ovsrec_bridge *bridge;

    OVSREC_BRIDGE_FOR_EACH(bridge, t->idl)
    {
        if (!strcmp(bridge->name, t->bridge)) {
            return bridge;
        }
    }
    return NULL;
}

/* Notes what the database has under the names of the wanted ports. */
static void
look_up_ports(struct tunnels *t)
{
    const struct ovsrec_bridge *bridge;
    struct port *port;

    HMAP_FOR_EACH (port, hmap_node, &t->ports) {
        port->bridge = NULL;
        port->row = NULL;
        port->name_taken = false;
    }
    OVSREC_BRIDGE_FOR_EACH(bridge, t->idl)
    {
        for (size_t i = 0; i < bridge->n_ports; i++) {
            const struct ovsrec_port *row = bridge->ports[i];

            port = find_port_by_name(t, row->name);
            if (port) {
                port->bridge = bridge;
                port->row = row;
            }
            for (size_t j = 0; j < row->n_interfaces; j++) {
                struct port *other =
                    find_port_by_name(t, row->interfaces[j]->name);
                if (other && other != port) {
                    other->name_taken = true;
                }
            }
        }
    }
}

/* Changing it.  The functions below add to a transaction that is open. */

static void
note_change(struct tunnels *t, const char *verb, const char *name)
{
    ds_put_format(&t->changes, "%s%s %s", t->changes.length ? ", " : "", verb,
                  name);
}

/* Brings 'port', which 'bridge' lacks or has in another form, to what it
 * should be. */
static void
change_port(struct tunnels *t, const struct ovsrec_bridge *bridge,
            struct port *port)
{
    if (port->placed && time_msec() >= t->next_change) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl,
                     "%s: somebody else %s our tunnel port %s; putting it "
                     "back",
                     t->bridge, port->row ? "changed" : "removed", port->name);
        port->placed = false;
    }
    if (!port->row) {
        note_change(t, "add", port->name);
        tunnel_row_insert(t->txn, bridge, &port->tunnel);
    } else {
        note_change(t, "correct", port->name);
        tunnel_row_correct(t->txn, port->row, &port->tunnel);
    }
}

/* Returns why we cannot have 'port', a message that the caller frees, or NULL
 * if we can.  'bridge' is ours, NULL if there is none. */
static char *
find_obstacle(const struct tunnels *t, const struct ovsrec_bridge *bridge,
              const struct port *port)
{
    if (find_port_by_name(t, port->name) != port) {
        return xasprintf("the port of another tunnel is named %s, too",
                         port->name);
    } else if (!bridge) {
        return xasprintf("there is no bridge %s", t->bridge);
    } else if (port->row && port->bridge != bridge) {
        return xasprintf("bridge %s has a port of that name",
                         port->bridge->name);
    } else if (port->name_taken
               || (port->row
                   && !tunnel_row_is_marked(port->row, port->tunnel.use))) {
        return xstrdup("a port of that name is somebody else's");
    }
    return NULL;
}

/* Takes over what the switch says of 'port', which is as it should be. */
static void
read_state(struct tunnels *t, struct port *port)
{
    const struct ovsrec_interface *interface = tunnel_row_interface(port->row);

    port->failed = interface->error && *interface->error;
    if (port->failed) {
        /* Only the first line, for where a line has to do. */
        set_error(t, port,
                  error_line(xmemdup0(interface->error,
                                      strcspn(interface->error, "\n"))));
    } else {
        bool present = interface->n_ofport && interface->ofport[0] > 0;
        if (present && !port->present) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 20);
            VLOG_INFO_RL(&rl, "%s: tunnel port %s is OpenFlow port %" PRId64,
                         t->bridge, port->name, interface->ofport[0]);
        }
        set_state(t, port, present, NULL);
    }
}

/* Compares 'port' with what the database has, and makes up for the difference.
 */
static void
compare_port(struct tunnels *t, const struct ovsrec_bridge *bridge,
             struct port *port)
{
    char *obstacle = find_obstacle(t, bridge, port);

    port->failed = false;
    if (obstacle) {
        port->placed = false;
        set_error(t, port, obstacle);
    } else if (port->row && tunnel_row_is_right(port->row, &port->tunnel)) {
        port->placed = true;
        read_state(t, port);
    } else {
        change_port(t, bridge, port);
        if (t->refusal) {
            set_error(
                t, port,
                xasprintf("the database refused the change: %s", t->refusal));
        } else {
            set_state(t, port, false, NULL);
        }
    }
}

/* Takes off 'bridge' the ports of 'use' that are not wanted. */
static void
remove_leftovers(struct tunnels *t, const struct ovsrec_bridge *bridge,
                 enum tunnel_use use)
{
    for (size_t i = 0; i < bridge->n_ports; i++) {
        const struct ovsrec_port *row = bridge->ports[i];

        if (tunnel_row_is_marked(row, use) && !t->uses[use].keep
            && !find_port_by_name(t, row->name)) {
            note_change(t, "remove", row->name);
            ovsrec_bridge_update_ports_delvalue(bridge, row);
            t->uses[use].clean = false;
        }
    }
}

/* Has the switch try again to make a port of ours that it failed to make, if
 * the database has changed since: what was in the way may be gone.  By itself
 * the switch tries only when its next reconfiguration happens to come. */
static void
retry_failed(struct tunnels *t)
{
    struct port *port;

    HMAP_FOR_EACH (port, hmap_node, &t->ports) {
        if (port->failed && t->retry) {
            note_change(t, "retry", port->name);
        }
    }
}

/* Sends the transaction, or gives it up if it has no changes or comes too
 * early. */
static void
commit(struct tunnels *t)
{
    const struct ovsrec_open_vswitch *ovs = ovsrec_open_vswitch_first(t->idl);

    if (!t->changes.length || time_msec() < t->next_change) {
        t->dirty = t->changes.length > 0;
        ovsdb_idl_txn_abort(t->txn);
        ovsdb_idl_txn_destroy(t->txn);
        t->txn = NULL;
        return;
    }

    /* This has the switch look, and tells those who wait for it until when. */
    if (ovs) {
        ovsdb_idl_txn_increment(t->txn, &ovs->header_,
                                &ovsrec_open_vswitch_col_next_cfg, true);
    }
    ovsdb_idl_txn_add_comment(t->txn, "snowrelayd: %s on %s",
                              ds_cstr(&t->changes), t->bridge);
    ovsdb_idl_txn_commit(t->txn);
}

/* Compares what the database has with what is wanted and makes up for the
 * difference. */
static void
compare(struct tunnels *t)
{
    const struct ovsrec_bridge *bridge = find_bridge(t);
    struct port *port;

    if (t->idl_seqno != ovsdb_idl_get_seqno(t->idl)) {
        t->idl_seqno = ovsdb_idl_get_seqno(t->idl);
        t->retry = true;
    }
    t->dirty = false;
    ds_clear(&t->changes);
    look_up_ports(t);
    t->txn = ovsdb_idl_txn_create(t->idl);
    HMAP_FOR_EACH (port, hmap_node, &t->ports) {
        compare_port(t, bridge, port);
    }
    for (int use = 0; use < N_TUNNEL_USES; use++) {
        t->uses[use].clean = true;
        if (bridge) {
            remove_leftovers(t, bridge, use);
        }
    }
    retry_failed(t);
    commit(t);
}

/* Notes that the database refused the transaction. */
static void
note_refusal(struct tunnels *t, const char *reason)
{
    if (!nullable_string_is_equal(reason, t->refusal)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl, "%s: the database refused to %s on %s: %s",
                     t->database, ds_cstr(&t->changes), t->bridge, reason);
    }
    free(t->refusal);
    t->refusal = xstrdup(reason);
}

/* Ends the transaction in progress, if its outcome is known. */
static void
run_transaction(struct tunnels *t)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(t->txn);

    if (status == TXN_INCOMPLETE) {
        return;
    }

    /* What came of it is in the database, or something else has to be tried.
     * Where the wanted has changed meanwhile there is no pause. */
    bool hurry = t->dirty;
    t->dirty = true;
    if (status == TXN_SUCCESS || status == TXN_UNCHANGED) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 20);
        VLOG_INFO_RL(&rl, "%s: tunnel ports changed: %s", t->bridge,
                     ds_cstr(&t->changes));
        t->retry = false;
        free(t->refusal);
        t->refusal = NULL;
        t->next_change = hurry ? 0 : time_msec() + t->pause_ms;
    } else if (status == TXN_ERROR) {
        note_refusal(t, ovsdb_idl_txn_get_error(t->txn));
        t->next_change = time_msec() + t->pause_ms;
    } else {
        t->next_change = time_msec() + AGAIN_MS;
    }
    ovsdb_idl_txn_destroy(t->txn);
    t->txn = NULL;
}

/* Returns true if the database differs from what it was when it was read, or
 * is to be read again. */
static bool
needs_reading(const struct tunnels *t)
{
    return t->dirty || ovsdb_idl_get_seqno(t->idl) != t->idl_seqno;
}

void
tunnels_run(struct tunnels *t)
{
    ovsdb_idl_run(t->idl);
    if (t->txn) {
        run_transaction(t);
    }
    run_silence(t);
    if (!t->txn && answers(t) && needs_reading(t)) {
        compare(t);
    }
}

void
tunnels_wait(struct tunnels *t)
{
    ovsdb_idl_wait(t->idl);
    if (t->txn) {
        ovsdb_idl_txn_wait(t->txn);
    } else if (answers(t) && needs_reading(t)) {
        poll_timer_wait_until(t->next_change);
    }
    if (!answers(t) && !t->told_silence && !hmap_is_empty(&t->ports)) {
        poll_timer_wait_until(t->silent_since + t->grace_ms);
    }
}

bool
tunnels_is_removed(const struct tunnels *t, enum tunnel_use use)
{
    return (t->uses[use].removing
            && ((t->uses[use].clean && !t->txn) || !answers(t)));
}
