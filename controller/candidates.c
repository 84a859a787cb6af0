/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "candidates.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(candidates);

bool
relay_goes_before(const struct announcement *a, const struct announcement *b)
{
    if (a->priority != b->priority) {
        return a->priority > b->priority;
    } else if (a->relay_id != b->relay_id) {
        return a->relay_id < b->relay_id;
    }
    return a->session < b->session;
}

struct candidate *
candidates_find(struct candidates *cs, uint64_t id)
{
    for (size_t i = 0; i < cs->n; i++) {
        if (cs->all[i].said.relay_id == id) {
            return &cs->all[i];
        }
    }
    return NULL;
}

void
candidates_remove(struct candidates *cs, struct candidate *c)
{
    *c = cs->all[--cs->n];
}

struct candidate *
candidates_get(struct candidates *cs, const struct announcement *a)
{
    static struct vlog_rate_limit full_rl = VLOG_RATE_LIMIT_INIT(1, 5);
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 10);
    struct candidate *c = candidates_find(cs, a->relay_id);

    if (c) {
        return c;
    } else if (cs->n == CANDIDATES_MAX) {
        VLOG_WARN_RL(&full_rl,
                     "more than %d relays on the segment: %016" PRIx64
                     " is not listened to",
                     CANDIDATES_MAX, a->relay_id);
        return NULL;
    }
    VLOG_INFO_RL(&rl,
                 "relay %016" PRIx64
                 " is on the segment, with the MAC " ETH_ADDR_FMT ", %s",
                 a->relay_id, ETH_ADDR_ARGS(a->mac),
                 relay_state_name(a->state));
    c = &cs->all[cs->n++];
    memset(c, 0, sizeof *c);
    return c;
}

bool
candidate_is_forwarding(const struct candidate *c,
                        long long int now OVS_UNUSED)
{
    return c->said.state == RELAY_FORWARDING;
}

bool
candidate_is_serving(const struct candidate *c, long long int now OVS_UNUSED)
{
    return (c->said.state == RELAY_FORWARDING
            || c->said.state == RELAY_LEAVING);
}

bool
candidate_is_overdue(const struct candidate *c, long long int now)
{
    return (c->said.state == RELAY_CLAIMING
            && now - c->since >= c->said.dead_ms);
}

bool
candidate_is_holder(const struct candidate *c, long long int now)
{
    return (
        c->said.state == RELAY_FORWARDING
        || (c->said.state == RELAY_CLAIMING && !candidate_is_overdue(c, now)));
}

bool
candidate_is_eligible(const struct candidate *c, long long int now)
{
    return c->said.state == RELAY_STANDBY || candidate_is_holder(c, now);
}

bool
candidate_is_almost_ready(const struct candidate *c, long long int now)
{
    return (c->said.state == RELAY_LISTENING
            && c->said.reason == REASON_STARTED
            && llabs(c->since + c->said.dead_ms - now) < c->said.hello_ms);
}

bool
candidate_is_contender(const struct candidate *c, long long int now)
{
    return (candidate_is_eligible(c, now)
            || candidate_is_almost_ready(c, now));
}

const struct candidate *
candidates_first(const struct candidates *cs, candidate_is *is,
                 long long int now)
{
    const struct candidate *first = NULL;

    for (size_t i = 0; i < cs->n; i++) {
        const struct candidate *c = &cs->all[i];

        if (is(c, now)
            && (!first || relay_goes_before(&c->said, &first->said))) {
            first = c;
        }
    }
    return first;
}

long long int
candidate_deadline(const struct candidate *c)
{
    return c->heard + c->said.dead_ms;
}

bool
candidate_relays(const struct candidate *c, uint16_t port)
{
    for (size_t i = 0; i < c->said.n_ports; i++) {
        if (c->said.ports[i] == port) {
            return true;
        }
    }
    return false;
}
