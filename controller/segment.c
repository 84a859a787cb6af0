/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "segment.h"

#include <string.h>

#include "announcement.h"
#include "conf.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(segment);

BUILD_ASSERT_DECL((int) ANNOUNCEMENT_MAX_PORTS >= (int) CONFIG_MAX_PORTS);

void
segment_init(struct segment *s)
{
    memset(s, 0, sizeof *s);
    election_init(&s->election);
}

void
segment_configure(struct segment *s, const struct config *config,
                  long long int now)
{
    const struct election_params params = {
        .on = config->election,
        .priority = config->priority,
        .hello_ms = config->announce_ms,
        .dead_ms = config->dead_ms,
        .ports = config->ports,
        .n_ports = config->n_ports,
    };

    election_configure(&s->election, &params, now);
}

void
segment_take(struct segment *s, const uint8_t *frame, size_t length,
             long long int now)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    struct announcement a;
    struct eth_addr from;

    switch (announcement_decode(frame, length, &a)) {
    case ANNOUNCEMENT_OK: election_take(&s->election, &a, now); break;

    case ANNOUNCEMENT_NEWER:
        memcpy(&from, frame + ETH_ADDR_LEN, sizeof from);
        VLOG_WARN_RL(&rl,
                     "the relay with the MAC " ETH_ADDR_FMT
                     " on the segment announces itself in a way that this one "
                     "is too old to understand",
                     ETH_ADDR_ARGS(from));
        break;

    case ANNOUNCEMENT_MALFORMED:
        VLOG_DBG("not an announcement, %" PRIuSIZE " bytes", length);
        break;
    }
}

size_t
segment_announcement(const struct segment *s, uint8_t *frame,
                     long long int now)
{
    struct announcement a;

    if (!election_wants_to_announce(&s->election, now)) {
        return 0;
    }
    election_announce(&s->election, now, &a);
    return announcement_encode(&a, frame);
}

static bool
has_id(const struct election *e, uint64_t id)
{
    for (size_t i = 0; i < e->candidates.n; i++) {
        if (e->candidates.all[i].said.relay_id == id) {
            return true;
        }
    }
    return false;
}

bool
segment_news(struct segment *s, uint64_t gone[CANDIDATES_MAX], size_t *n_gone)
{
    const struct election *e = &s->election;

    *n_gone = 0;
    if (s->seqno == e->seqno) {
        return false;
    }
    s->seqno = e->seqno;
    for (size_t i = 0; i < s->n; i++) {
        if (!has_id(e, s->ids[i])) {
            gone[(*n_gone)++] = s->ids[i];
            s->gone_macs[s->next_gone++ % SEGMENT_MAX_GONE] = s->macs[i];
        }
    }
    s->n = e->candidates.n;
    for (size_t i = 0; i < s->n; i++) {
        s->ids[i] = e->candidates.all[i].said.relay_id;
        s->macs[i] = e->candidates.all[i].said.mac;
    }
    return true;
}

bool
segment_listens(const struct segment *s)
{
    return s->election.on && s->election.self.n_ports;
}
