/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node.h"

#include <string.h>

#include "bridge.h"
#include "conf.h"
#include "flowset.h"
#include "host.h"
#include "inventory.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "relay.h"
#include "replicate.h"
#include "resolver.h"
#include "sset.h"
#include "timeval.h"
#include "tunnels.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(node);

/* How long the switch may take for one change before it is told the next.
 * However often there is news, each one is brought to its end. */
enum { MAX_UPDATE_MS = 500 };

struct node {
    struct config *config;
    struct bridge *bridge;
    struct host *host;
    struct resolver *resolver;
    struct tunnels *tunnels;
    struct relay *relay;
    struct replicate *replicate;

    bool flows_changed;        /* Since update_flows(). */
    long long int next_update; /* See MAX_UPDATE_MS, time_msec(). */
    char *problem; /* Why the flows could not be updated, or NULL. */
    unsigned int audit_seqno;
    bool stopping; /* Was node_stop() called? */
    bool removing; /* Are the flows being removed? */
    bool cleanup;  /* Those of replication, too? */
};

/* Puts together what the switch is to be told, as far as the jobs know it. */
static void
update_flows(struct node *n)
{
    struct flowset *set = xmalloc(sizeof *set);

    flowset_init(set, n->config->id_base);
    char *error = relay_add_flows(n->relay, set);
    if (!error) {
        error = replicate_add_flows(n->replicate, set);
    }
    if (error) {
        /* The configuration was checked, but not with all addresses that this
         * host may get.  What the switch has is better than nothing. */
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_ERR_RL(&rl, "the switch keeps the flows it has: %s", error);
        flowset_destroy(set);
        free(set);
    } else {
        bridge_set_wanted(n->bridge, set);
    }
    free(n->problem);
    n->problem = error;
}

/* Has the names looked up that the jobs want. */
static void
update_names(struct node *n)
{
    struct sset names = SSET_INITIALIZER(&names);

    relay_add_names(n->relay, &names);
    replicate_add_names(n->replicate, &names);
    resolver_set_names(n->resolver, &names);
    sset_destroy(&names);
}

/* Takes from 'config' what can be taken at any time. */
static void
apply_config(struct node *n, struct config *config)
{
    struct config *before = n->config;

    n->config = config;
    relay_configure(n->relay, config);
    replicate_configure(n->replicate, config);
    config_destroy(before);
    update_names(n);
}

/* Returns true if the switch is to be told what has changed. */
static bool
may_update_flows(const struct node *n)
{
    return (n->flows_changed
            && (time_msec() >= n->next_update || bridge_is_in_place(n->bridge)
                || !bridge_is_connected(n->bridge)));
}

/* Tells everybody what the others found out. */
static void
run_news(struct node *n)
{
    const struct ports *ports = bridge_ports(n->bridge);
    struct eth_addr mac;

    bool mac_known = bridge_get_mac(n->bridge, &mac);
    n->flows_changed |= relay_update(n->relay);
    n->flows_changed |= replicate_update(n->replicate, ports, mac);
    if (n->audit_seqno != bridge_audit_seqno(n->bridge)) {
        n->audit_seqno = bridge_audit_seqno(n->bridge);
        relay_count(n->relay, bridge_wanted(n->bridge),
                    bridge_inventory(n->bridge));
        replicate_count(n->replicate, bridge_wanted(n->bridge),
                        bridge_inventory(n->bridge));
    }
    if (may_update_flows(n) && ports && mac_known
        && relay_knows_flows(n->relay)) {
        n->flows_changed = false;
        n->next_update = time_msec() + MAX_UPDATE_MS;
        update_flows(n);
    }
}

char *
node_create(struct config *config, struct node **nodep)
{
    struct node *n = xzalloc(sizeof *n);

    n->host = host_create();
    n->resolver = resolver_create();
    n->bridge = bridge_create(config->switch_target);
    n->tunnels = tunnels_create(config->database, config->bridge);

    char *error = relay_create(config, n->host, n->resolver, n->bridge,
                               n->tunnels, &n->relay);
    if (error) {
        node_destroy(n);
        *nodep = NULL;
        return error;
    }
    n->replicate = replicate_create(n->host, n->resolver, n->tunnels);
    apply_config(n, config);
    run_news(n);
    *nodep = n;
    return NULL;
}

void
node_destroy(struct node *n)
{
    if (n) {
        replicate_destroy(n->replicate);
        relay_destroy(n->relay);
        tunnels_destroy(n->tunnels);
        bridge_destroy(n->bridge);
        resolver_destroy(n->resolver);
        host_destroy(n->host);
        config_destroy(n->config);
        free(n->problem);
        free(n);
    }
}

char *
node_reconfigure(struct node *n, struct config *config)
{
    if (strcmp(config->bridge, n->config->bridge)
        || strcmp(config->switch_target, n->config->switch_target)) {
        return xasprintf("bridge: \"%s\" cannot become \"%s\" while running; "
                         "restart for that",
                         n->config->bridge, config->bridge);
    }
    char *error = relay_move_mesh(n->relay, config);
    if (error) {
        return error;
    }
    apply_config(n, config);
    run_news(n);
    return NULL;
}

/* Passes on that peers have changed, unless 'error'.  Returns 'error'. */
static char *
peers_changed(struct node *n, char *error)
{
    if (!error) {
        update_names(n);
        run_news(n);
    }
    return error;
}

char *
node_add_peer(struct node *n, const char *text)
{
    return peers_changed(n, relay_add_peer(n->relay, text));
}

char *
node_remove_peer(struct node *n, const char *text)
{
    return peers_changed(n, relay_remove_peer(n->relay, text));
}

void
node_set_capture(struct node *n, struct capture *capture)
{
    relay_set_capture(n->relay, capture);
}

bool
node_carry(struct node *n)
{
    return relay_carry(n->relay);
}

void
node_carry_wait(struct node *n)
{
    relay_carry_wait(n->relay);
}

/* Begins to take what is ours off the switch. */
static void
remove_flows(struct node *n)
{
    bridge_remove(n->bridge, n->config->id_base, n->cleanup);
    tunnels_remove(n->tunnels, TUNNEL_MESH);
    if (n->cleanup) {
        tunnels_remove(n->tunnels, TUNNEL_REPLICATE);
    }
    n->removing = true;
}

void
node_run(struct node *n)
{
    host_run(n->host);
    resolver_run(n->resolver);
    bridge_run(n->bridge);
    tunnels_run(n->tunnels);
    relay_run(n->relay);
    replicate_run(n->replicate);
    if (n->removing) {
        return;
    }
    run_news(n);
    if (n->stopping && relay_has_left(n->relay)) {
        remove_flows(n);
    }
}

void
node_wait(struct node *n)
{
    host_wait(n->host);
    resolver_wait(n->resolver);
    bridge_wait(n->bridge);
    tunnels_wait(n->tunnels);
    relay_wait(n->relay);
    replicate_wait(n->replicate);
    if (n->flows_changed && n->next_update > time_msec()) {
        poll_timer_wait_until(n->next_update);
    }
}

void
node_stop(struct node *n, bool cleanup)
{
    n->stopping = true;
    n->cleanup = cleanup;
    relay_leave(n->relay);
}

bool
node_is_stopped(const struct node *n)
{
    return (
        n->removing && bridge_is_removed(n->bridge)
        && tunnels_is_removed(n->tunnels, TUNNEL_MESH)
        && (!n->cleanup || tunnels_is_removed(n->tunnels, TUNNEL_REPLICATE)));
}

const struct config *
node_config(const struct node *n)
{
    return n->config;
}

struct bridge *
node_bridge(const struct node *n)
{
    return n->bridge;
}

const struct replicate *
node_replicate(const struct node *n)
{
    return n->replicate;
}

const struct relay *
node_relay(const struct node *n)
{
    return n->relay;
}

bool
node_has_switch(const struct node *n)
{
    return bridge_is_connected(n->bridge);
}

const char *
node_problem(const struct node *n)
{
    return n->problem;
}

bool
node_is_connected(const struct node *n)
{
    return (bridge_is_connected(n->bridge) && bridge_is_complete(n->bridge)
            && relay_is_connected(n->relay));
}
