/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "show-talkers.h"

#include <math.h>

#include "counters.h"
#include "endpoint.h"
#include "packets.h"
#include "peers.h"
#include "show.h"
#include "talkers.h"
#include "timeval.h"

/* Returns where the frames of 'talker' come from: null for this segment. */
static json_t *
from_to_json(const struct talker *talker, const struct peers *peers)
{
    const struct endpoint from = { .address = talker->key.from };
    char address[INET6_ADDRSTRLEN];
    struct peer *peer;

    if (!talker->key.from_mesh) {
        return json_null();
    } else if (ipv6_addr_equals(&from.address, &in6addr_any)) {
        return json_pack("{s:n, s:n}", "address", "name");
    }
    peers_identify(peers, &from, &peer);
    return json_pack("{s:s, s:o}", "address",
                     address_format(&from.address, address), "name",
                     peer ? json_string(peer->name) : json_null());
}

static json_t *
talker_to_json(const struct talker *t, const struct peers *peers,
               long long int now)
{
    /* clang-format off */
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:f, s:o, s:I, s:o}",
        "address", t->key.ip ? json_sprintf(IP_FMT, IP_ARGS(t->key.ip))
                             : json_null(),
        "mac", json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(t->mac)),
        "port", t->port ? json_integer(t->port) : json_null(),
        "from", from_to_json(t, peers),
        "frames", (json_int_t) t->n,
        "frames_over", (json_int_t) t->n_over,
        "bytes", (json_int_t) t->n_bytes,
        "rate", round(talker_rate(t, now) * 100) / 100,
        "last", show_time_json(time_wall_msec() - (now - t->last)),
        "dropped", (json_int_t) t->n_dropped,
        "reason", t->n_dropped ? json_string(drop_reason_name(t->reason))
                               : json_null());
    /* clang-format on */
}

json_t *
show_talkers_json(const struct talkers *talkers, const struct peers *peers)
{
    const struct talker *top[SHOW_TALKERS_MAX];
    const long long int now = time_msec();

    if (!talkers) {
        return json_null();
    }
    size_t n = talkers_top(talkers, top, SHOW_TALKERS_MAX, now);
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        json_array_append_new(array, talker_to_json(top[i], peers, now));
    }
    return json_pack("{s:o, s:I, s:I, s:i, s:o}", "since",
                     show_time_json(talkers->since), "frames",
                     (json_int_t) talkers->n_frames, "sampled",
                     (json_int_t) talkers->n_switched, "known",
                     (int) talkers->n, "top", array);
}
