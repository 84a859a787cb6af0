/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "print-flows.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conf.h"
#include "flowset.h"
#include "host.h"
#include "packets.h"
#include "relay-flows.h"
#include "segment.h"
#include "util.h"

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
    for (size_t i = 0; i < hmap_count(&set->flows); i++) {
        print_command(config, "add-flow", set->order[i]->text);
    }
}

/* Adds the relay's flows to 'set', and stores how it would emit in '*keep' and
 * '*rewrite', as relay_flows_emission() does. */
static char *
add_relay(const struct config *config, const struct host *host,
          struct flowset *set, char **keep, char **rewrite)
{
    struct segment segment = { .policy = config->destination };
    struct eth_addr mac = config->local_mac;
    size_t n_addresses;
    const struct host_address *addresses = host_addresses(host, &n_addresses);
    bool mac_known =
        (!config->local_mac_auto || get_interface_mac(config->bridge, &mac));

    segment_update(&segment, config->destination, config->bridge, addresses,
                   n_addresses);

    const struct relay_flows_params params = {
        .ports = config->ports,
        .n_ports = config->n_ports,
        .local_macs = &mac,
        .n_local_macs = mac_known,
        .flow_priority = config->flow_priority,
        .max_pps = config->max_pps,
        .forward = config->forward,
        .destination = segment_destination(&segment),
    };
    char *error = relay_flows_add(&params, set);
    return error ? error : relay_flows_emission(&params, keep, rewrite);
}

char *
print_flows(const struct config *config)
{
    struct host *host = host_create();
    char *keep = NULL, *rewrite = NULL;
    struct flowset set;

    flowset_init(&set, config->id_base);
    char *error = add_relay(config, host, &set, &keep, &rewrite);
    if (!error) {
        print_set(config, &set);
        if (keep) {
            printf("# a frame from the mesh: packet-out, in_port=CONTROLLER, "
                   "actions=%s\n"
                   "# its IP destination rewritten: packet-out, "
                   "in_port=CONTROLLER, actions=%s\n",
                   keep, rewrite);
        } else {
            printf("# no loop filter: this host has no interface %s to take "
                   "the local MAC from; set relay.local_mac\n",
                   config->bridge);
        }
    }
    free(keep);
    free(rewrite);
    flowset_destroy(&set);
    host_destroy(host);
    return error;
}
