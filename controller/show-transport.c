/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-transport.h"

#include <inttypes.h>
#include <net/if.h>

#include "carried.h"
#include "conf.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "peering.h"
#include "peers.h"
#include "relay.h"
#include "tunneling.h"
#include "util.h"

char *
show_transport(const struct config *config, const struct relay *relay)
{
    const struct tunneling *t = relay_tunneling(relay);
    const char *problem = relay_tunnel_problem(relay);
    struct ds out = DS_EMPTY_INITIALIZER;
    char name[IFNAMSIZ];

    if (!t->on) {
        return xstrdup("udp");
    }
    tunnel_port_name(&t->tunnel, name);
    ds_put_format(&out, "%s, ", config_transport(config));
    if (!t->there) {
        ds_put_format(&out, "no tunnel port %s%s%s: peers get datagrams", name,
                      problem ? ": " : " yet", problem ? problem : "");
        return ds_steal_cstr(&out);
    }
    ds_put_format(&out,
                  "tunnel port %s, VNI %" PRIu32 ", %" PRIuSIZE
                  " of %" PRIuSIZE " peers",
                  name, t->tunnel.key, t->n_targets,
                  peering_peers(relay_peering(relay))->n_targets);
    if (t->n_targets) {
        ds_put_format(&out, ", frames of up to %" PRIuSIZE " bytes",
                      t->max_len);
        if (!relay_lets_switch_carry(relay)) {
            ds_put_cstr(&out, "; at present the relay carries them itself");
        }
    }
    return ds_steal_cstr(&out);
}

json_t *
show_transport_json(const struct config *config, const struct relay *relay)
{
    const struct tunneling *t = relay_tunneling(relay);
    const struct carried *c = relay_carried(relay);
    const char *problem = relay_tunnel_problem(relay);
    char name[IFNAMSIZ] = "";

    if (t->on) {
        tunnel_port_name(&t->tunnel, name);
    }
    /* clang-format off */
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:b, s:i, s:o, s:b, s:{s:I, s:I, s:I}}",
        "type", config_transport(config),
        "port", t->on ? json_string(name) : json_null(),
        "vni", t->on ? json_integer(t->tunnel.key) : json_null(),
        "problem", problem ? json_string(problem) : json_null(),
        "there", t->there,
        "peers", (int) t->n_targets,
        "max_len", t->n_targets ? json_integer(t->max_len) : json_null(),
        "carrying", relay_lets_switch_carry(relay),
        "carried",
            "relayed", (json_int_t) c->relayed,
            "tx", (json_int_t) c->tx,
            "emitted", (json_int_t) c->emitted);
    /* clang-format on */
}
