/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "print-flows.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conf.h"
#include "destination.h"
#include "flowset.h"
#include "frame.h"
#include "host.h"
#include "mesh-flows.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "own-addresses.h"
#include "packets.h"
#include "path-mtu.h"
#include "ports.h"
#include "relay-flows.h"
#include "replicate.h"
#include "resolver.h"
#include "sset.h"
#include "timeval.h"
#include "tunnel.h"
#include "tunnels.h"
#include "util.h"

/* How long to wait for the answers of name servers and neighbours. */
enum { LOOKUP_MS = 3000 };

/* Stores the MAC of this host's interface 'name' in '*mac'. */
static bool
get_interface_mac(const char *name, struct eth_addr *mac)
{
    struct ifreq ifr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memset(&ifr, 0, sizeof ifr);
    ovs_strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    bool ok = fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &ifr);
    if (ok) {
        memcpy(mac, ifr.ifr_hwaddr.sa_data, sizeof *mac);
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* Stores the MAC of the port 'name' in '*mac'; prints a remark if it is not
 * known. */
static void
find_mac(const char *name, struct eth_addr *mac)
{
    if (!get_interface_mac(name, mac)) {
        *mac = eth_addr_zero;
        printf("# this host has no interface %s: its MAC address is missing "
               "in what follows, and what goes out of it\n",
               name);
    }
}

/* Prints 'text' as an argument of ovs-ofctl's command 'command'. */
static void
print_command(const struct config *config, const char *command,
              const char *text)
{
    printf("ovs-ofctl -O OpenFlow15 %s %s '%s'\n", command, config->bridge,
           text);
}

static void
print_set(const struct config *config, const struct flowset *set)
{
    for (size_t i = 0; i < set->n_meters; i++) {
        print_command(config, "add-meter", set->meters[i].text);
    }
    for (size_t i = 0; i < set->n_groups; i++) {
        print_command(config, "add-group", set->groups[i]->text);
    }
    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        print_command(config, "add-flow", set->order[i]->text);
    }
}

/* The mesh's tunnel, with all peers behind it that are known by address. */
struct described_tunnel {
    struct mesh_tunnel mesh;
    struct ports ports;
    char name[IFNAMSIZ];
    struct mesh_end *ends;
    size_t n;
    struct own_addresses own;
};

/* Fills in '*d' from 'config', and prints the command that makes its port. */
static void
describe_tunnel(const struct config *config,
                const struct destination *destination,
                const struct host_address *addresses, size_t n_addresses,
                struct described_tunnel *d)
{
    const struct in6_addr any = in6addr_any;
    const struct tunnel tunnel = tunnel_of_mesh(
        config->tunnel_type, config->vni,
        endpoint_is_any(&config->mesh) ? &any : &config->mesh.address);
    size_t max_len = FRAME_MAX;

    ports_init(&d->ports);
    tunnel_port_name(&tunnel, d->name);
    ports_make_up(&d->ports, d->name, eth_addr_zero);
    d->ends = xcalloc(config->peers.n, sizeof *d->ends);
    d->n = 0;
    for (size_t i = 0; i < config->peers.n; i++) {
        struct in6_addr address;

        if (address_from_text(config->peers.all[i].host, &address)) {
            size_t mtu = path_mtu(&address);

            d->ends[d->n++] = (struct mesh_end){ i + 1, address };
            max_len =
                MIN(max_len,
                    tunnel_max_len(&address, mtu ? mtu : ETH_PAYLOAD_MAX));
        }
    }
    own_addresses_init(&d->own);
    own_addresses_update(&d->own, config->bridge, addresses, n_addresses);
    d->mesh = (struct mesh_tunnel){
        .port = d->name,
        .port_map = &d->ports.map,
        .targets = d->ends,
        .n_targets = d->n,
        .sources = d->ends,
        .n_sources = d->n,
        .max_len = max_len,
        .generation = 1,
        .others = d->n < config->peers.n || config->discover.n,
        .destination = destination,
        .own = &d->own,
    };

    char *command = tunnel_command(&tunnel, config->bridge);
    puts(command);
    free(command);
}

static void
forget_tunnel(struct described_tunnel *d)
{
    own_addresses_destroy(&d->own);
    ports_destroy(&d->ports);
    free(d->ends);
}

/* Adds the flows of a relay that forwards to 'set', and stores how it would
 * emit in '*actions', as relay_flows_actions() does. */
static char *
add_relay(const struct config *config, const struct host *host,
          struct flowset *set, struct relay_actions *actions)
{
    struct relay_port ports[CONFIG_MAX_PORTS];
    struct relay_mac macs[1 + CONFIG_MAX_LOCAL_MACS];
    size_t n_macs = 0;
    struct destination destination = { .policy = config->destination };
    struct eth_addr mac = config->local_mac;
    size_t n_addresses;
    const struct host_address *addresses = host_addresses(host, &n_addresses);
    bool mac_known =
        (!config->local_mac_auto || get_interface_mac(config->bridge, &mac));

    destination_update(&destination, config->destination, config->bridge,
                       addresses, n_addresses);
    relay_ports_forwarded(config->ports, config->n_ports, ports);
    if (mac_known) {
        macs[n_macs++] = (struct relay_mac){ mac, UINT64_MAX };
        for (size_t i = 0; i < config->n_others; i++) {
            macs[n_macs++] =
                (struct relay_mac){ config->others[i], UINT64_MAX };
        }
    }

    const bool tunneled = config->tunneled && config->n_ports;
    struct described_tunnel tunnel;

    if (tunneled) {
        describe_tunnel(config, &destination, addresses, n_addresses, &tunnel);
    }
    const struct relay_flows_params params = {
        .ports = ports,
        .n_ports = config->n_ports,
        .announcements = config->election && config->n_ports,
        .local_macs = macs,
        .n_local_macs = n_macs,
        .flow_priority = config->flow_priority,
        .max_pps = config->max_pps,
        .forward = config->forward,
        .from = &config->from,
        .destination = destination_address(&destination),
        .tunnel = tunneled ? &tunnel.mesh : NULL,
    };
    char *error = relay_flows_add(&params, set);
    if (tunneled) {
        forget_tunnel(&tunnel);
    }
    return error ? error : relay_flows_actions(&params, actions);
}

/* Replication. */

/* Waits until the collectors' names have been looked up and their neighbours
 * have answered, as far as they do in time, and gives 'replicate' the news. */
static void
wait_for_answers(struct replicate *replicate, struct resolver *resolver,
                 const struct ports *ports, struct eth_addr mac)
{
    long long int deadline = time_msec() + LOOKUP_MS;

    for (;;) {
        resolver_run(resolver);
        replicate_run(replicate);
        replicate_update(replicate, ports, mac);
        if (!replicate_is_pending(replicate) || time_msec() >= deadline) {
            break;
        }
        resolver_wait(resolver);
        replicate_wait(replicate);
        poll_timer_wait_until(MIN(deadline, time_msec() + 100));
        poll_block();
    }
}

/* Prints the commands that make the tunnel ports, and adds them to 'ports'. */
static void
print_tunnels(const struct config *config, const struct replicate *replicate,
              struct ports *ports)
{
    size_t n;
    struct tunnel *tunnels = replicate_tunnels(replicate, &n);

    for (size_t i = 0; i < n; i++) {
        char name[IFNAMSIZ];

        tunnel_port_name(&tunnels[i], name);
        if (!ports_find(ports, name)) {
            char *command = tunnel_command(&tunnels[i], config->bridge);
            puts(command);
            free(command);
            ports_make_up(ports, name, eth_addr_zero);
        }
    }
    free(tunnels);
}

/* Says of each collector that is not up why it gets nothing, and of each that
 * is what may be in the way. */
static void
print_remarks(const struct config *config, const struct replicate *replicate)
{
    for (size_t i = 0; i < config->replicate.n; i++) {
        const struct rule *r = &config->replicate.rules[i];

        for (size_t j = 0; j < r->n_collectors; j++) {
            const struct way_report *report =
                replicate_report(replicate, i, j);

            if (strcmp(report->state, "up")) {
                printf("# %s: no copies to %s: %s\n", r->name,
                       r->collectors[j].text, report->via);
            }
            if (report->note) {
                printf("# %s: copies to %s: %s\n", r->name,
                       r->collectors[j].text, report->note);
            }
        }
    }
}

/* Adds replication's flows to 'set', after a look at names and neighbours, and
 * prints what else there is to tell the switch. */
static char *
add_replication(const struct config *config, const struct host *host,
                struct flowset *set)
{
    struct resolver *resolver = resolver_create();
    /* It is not run, so that no port is made. */
    struct tunnels *tunnels = tunnels_create(config->database, config->bridge);
    struct replicate *replicate = replicate_create(host, resolver, tunnels);
    struct sset names = SSET_INITIALIZER(&names);
    struct eth_addr mac = eth_addr_zero;
    struct ports ports;

    ports_init(&ports);
    find_mac(config->bridge, &mac);
    struct ofputil_phy_port local = { .port_no = OFPP_LOCAL, .hw_addr = mac };
    ovs_strlcpy(local.name, config->bridge, sizeof local.name);
    ports_put(&ports, &local);
    for (size_t i = 0; i < config->replicate.n; i++) {
        const struct rule *r = &config->replicate.rules[i];
        struct eth_addr mac_of_port;

        if (r->in_port) {
            ports_make_up(&ports, r->in_port, eth_addr_zero);
        }
        for (size_t j = 0; j < r->n_collectors; j++) {
            if (r->collectors[j].out_port) {
                find_mac(r->collectors[j].out_port, &mac_of_port);
                ports_make_up(&ports, r->collectors[j].out_port, mac_of_port);
            }
        }
    }
    replicate_configure(replicate, config);
    replicate_add_names(replicate, &names);
    resolver_set_names(resolver, &names);
    wait_for_answers(replicate, resolver, &ports, mac);
    print_tunnels(config, replicate, &ports);
    replicate_update(replicate, &ports, mac);
    print_remarks(config, replicate);
    replicate_close(replicate);

    char *error = replicate_add_flows(replicate, set);
    sset_destroy(&names);
    replicate_destroy(replicate);
    tunnels_destroy(tunnels);
    resolver_destroy(resolver);
    ports_destroy(&ports);
    return error;
}

char *
print_flows(const struct config *config)
{
    /* What there is to say is in comments. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);

    struct host *host = host_create();
    struct relay_actions actions = { .keep = NULL };
    struct flowset set;

    flowset_init(&set, config->id_base);
    char *error = add_relay(config, host, &set, &actions);
    if (!error && config->replicate.n) {
        error = add_replication(config, host, &set);
    }
    if (!error) {
        print_set(config, &set);
        if (!config->n_ports) {
            /* Nothing is emitted. */
        } else if (actions.keep) {
            printf("# a frame from the mesh: packet-out, in_port=CONTROLLER, "
                   "actions=%s\n"
                   "# its IP destination rewritten: packet-out, "
                   "in_port=CONTROLLER, actions=%s\n",
                   actions.keep, actions.rewrite);
        } else {
            printf("# no loop filter: this host has no interface %s to take "
                   "the local MAC from; set relay.local_mac\n",
                   config->bridge);
        }
    }
    relay_actions_uninit(&actions);
    flowset_destroy(&set);
    host_destroy(host);
    return error;
}
