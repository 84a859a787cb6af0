/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "loop-guard.h"

#include <limits.h>
#include <string.h>

#include "frame.h"
#include "hash.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "random.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(loop);

/* Places for digests, a power of 2. */
enum { N_PLACES = 8192 };

/* A frame that is remembered.  Times are in ms, modulo 2^32, and 0 for
 * never. */
struct memory {
    uint64_t digest;
    uint32_t relayed;
    uint32_t emitted;
    struct eth_addr source;         /* Of the frame that was relayed. */
    struct eth_addr emitted_source; /* Of the one that was emitted, before. */
    bool understood;                /* Was that one? */
    uint32_t counted;               /* Since when emissions are counted. */
    unsigned int n_emitted;         /* So many. */
    uint16_t n_laps;                /* Since it was last dropped for them... */
    uint16_t max_laps;              /* ...which it is after so many, or 0. */
    uint16_t n_looks; /* So often it was seen among some, at most. */
};

struct loop_guard {
    struct memory places[N_PLACES];
    uint32_t basis; /* Of digests, so that nobody can make two alike. */

    struct loop_port *ports;
    size_t n_ports;
    int patience;
    const struct eth_addr *macs;
    size_t n_macs;
    unsigned int seqno;
};

struct loop_guard *
loop_guard_create(void)
{
    struct loop_guard *g = xzalloc(sizeof *g);

    g->basis = random_uint32();
    return g;
}

void
loop_guard_destroy(struct loop_guard *g)
{
    if (g) {
        free(g->ports);
        free(g);
    }
}

static struct loop_port *
find_port(const struct loop_guard *g, uint16_t port)
{
    for (size_t i = 0; i < g->n_ports; i++) {
        if (g->ports[i].port == port) {
            return &g->ports[i];
        }
    }
    return NULL;
}

void
loop_guard_configure(struct loop_guard *g, const uint16_t *ports,
                     size_t n_ports, int patience)
{
    struct loop_port *new = xcalloc(n_ports, sizeof *new);

    for (size_t i = 0; i < n_ports; i++) {
        const struct loop_port *before = find_port(g, ports[i]);

        if (before) {
            new[i] = *before;
        }
        new[i].port = ports[i];
    }
    free(g->ports);
    g->ports = new;
    g->n_ports = n_ports;
    g->patience = patience;
    g->seqno++;
}

void
loop_guard_set_macs(struct loop_guard *g, const struct eth_addr *macs,
                    size_t n)
{
    g->macs = macs;
    g->n_macs = n;
}

/* Digests. */

/* Returns 'now' as "struct memory" has times. */
static uint32_t
short_time(long long int now)
{
    return (uint32_t) now ? (uint32_t) now : 1;
}

/* Returns true if 'then' is not long ago. */
static bool
is_recent(uint32_t then, uint32_t now)
{
    return then && now - then <= LOOP_GUARD_MS;
}

/* Returns a digest of what no relay changes in 'frame'. */
static uint64_t
digest(const struct loop_guard *g, const struct frame *frame)
{
    const uint8_t *udp = frame->bytes + frame->udp_ofs;
    ovs_u128 hash;

    /* The ports, then, behind length and checksum, the payload. */
    uint32_t basis = hash_2words(g->basis, (OVS_FORCE uint32_t) frame->ip_src);
    basis = hash_bytes(udp, 4, basis);
    hash_bytes128(udp + 8, frame->udp_length - 8, basis, &hash);
    return hash.u64.lo;
}

/* Returns how long ago 'm' last came, one way or the other. */
static uint32_t
age_of(const struct memory *m, uint32_t now)
{
    return MIN(m->relayed ? now - m->relayed : UINT32_MAX,
               m->emitted ? now - m->emitted : UINT32_MAX);
}

/* Returns the place of 'digest', which is new there if it was not
 * remembered. */
static struct memory *
remember(struct loop_guard *g, uint64_t digest_, uint32_t now)
{
    struct memory *pair = &g->places[digest_ % N_PLACES & ~1u];
    struct memory *oldest = NULL;

    for (int i = 0; i < 2; i++) {
        struct memory *m = &pair[i];

        if (m->digest == digest_) {
            return m;
        } else if (!oldest || age_of(m, now) > age_of(oldest, now)) {
            oldest = m;
        }
    }
    *oldest = (struct memory){ .digest = digest_ };
    return oldest;
}

/* Returns the source MAC of 'frame'. */
static struct eth_addr
source_of(const struct frame *frame)
{
    struct eth_addr mac;

    memcpy(&mac, frame->bytes + ETH_ADDR_LEN, sizeof mac);
    return mac;
}

/* Pauses. */

static bool
is_known(const struct loop_guard *g, struct eth_addr mac)
{
    for (size_t i = 0; i < g->n_macs; i++) {
        if (eth_addr_equals(g->macs[i], mac)) {
            return true;
        }
    }
    return false;
}

static void
pause_port(struct loop_guard *g, struct loop_port *p, long long int now)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 10);
    bool again = p->pause && now - p->until < LOOP_GUARD_CALM_MS;

    p->pause = again ? MIN(2 * p->pause, LOOP_GUARD_MAX_PAUSE_MS)
                     : LOOP_GUARD_MIN_PAUSE_MS;
    p->paused = true;
    p->until = now + p->pause;
    p->n_pauses++;
    g->seqno++;
    VLOG_WARN_RL(
        &rl,
        "port %u: %u broadcasts that were relayed or emitted here have "
        "just come back, the last one from " ETH_ADDR_FMT
        "; not punting the port for %u s.  If another relay has that "
        "MAC, switch its election on, or name the MAC in "
        "segment.local_macs",
        p->port, MAX(p->n_echoes, p->n_recent), ETH_ADDR_ARGS(p->mac),
        p->pause / 1000);
}

/* Counts a copy from a MAC that is not known, an 'echo' of what was just
 * emitted or another one.  Returns true if it is one too many. */
static bool
count_copy(const struct loop_guard *g, struct loop_port *p, bool echo,
           long long int now)
{
    if (now - p->last > LOOP_GUARD_MS) {
        p->n_echoes = 0;
    }
    p->last = now;
    if (echo && !p->n_echoes++) {
        p->first = now;
    }
    if (now - p->second >= 1000) {
        p->second = now;
        p->n_recent = 0;
    }
    p->n_recent++;
    return (
        (p->n_echoes >= LOOP_GUARD_MIN_COPIES && now - p->first >= g->patience)
        || p->n_recent >= LOOP_GUARD_MAX_COPIES);
}

/* Takes in that 'frame' is a copy, perhaps an 'echo'. */
static void
take_copy(struct loop_guard *g, const struct frame *frame, bool echo,
          long long int now)
{
    struct loop_port *p = find_port(g, frame->port);
    struct eth_addr mac = source_of(frame);

    if (!p) {
        return;
    }
    p->n_copies++;
    if (is_known(g, mac)) {
        return; /* The loop filter will have it. */
    }
    p->mac = mac;
    if (count_copy(g, p, echo, now) && !p->paused) {
        pause_port(g, p, now);
    }
}

/* Counts that a broadcast of another network has come to 'p' once more.
 * Returns true if there are many of them. */
static bool
count_lap(struct loop_port *p, long long int now)
{
    if (now - p->lapping >= 1000) {
        p->lapping = now;
        p->n_laps = 0;
    }
    return ++p->n_laps > LOOP_GUARD_LAPS_PER_S;
}

/* Takes in that 'frame', a broadcast of another network, was punted, from the
 * same MAC as before if 'm' remembers that it was.  Returns true if it is to
 * be dropped, which ends it if it goes round. */
static bool
take_lap(struct loop_guard *g, struct memory *m, const struct frame *frame,
         long long int now_)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    struct loop_port *p = find_port(g, frame->port);
    const uint32_t now = short_time(now_);

    if (!is_recent(m->relayed, now)) {
        m->max_laps = 0;
    }
    if (!p || !m->relayed || now - m->relayed > LOOP_GUARD_LAP_MS) {
        m->n_laps = 0;
        return false;
    }
    m->n_laps++;

    const unsigned int max = MAX(m->max_laps, LOOP_GUARD_MIN_LAPS);
    const bool many = count_lap(p, now_);
    if (m->n_laps < (many ? max : LOOP_GUARD_MAX_LAPS)) {
        return false;
    }
    m->max_laps = MIN(2 * max, LOOP_GUARD_MAX_LAPS);
    m->n_laps = 0;
    p->n_copies++;
    VLOG_WARN_RL(&rl,
                 "port %u: broadcasts of " IP_FMT ", which is of another "
                 "network, come again and again from " ETH_ADDR_FMT
                 ", as if they went round; dropping one now and then, which "
                 "ends that",
                 p->port, IP_ARGS(frame->ip_src), ETH_ADDR_ARGS(m->source));
    return true;
}

/* Takes in that a broadcast of another network was seen among some, as
 * take_lap() does of all.  Returns true if it has been seen often, once. */
static bool
look_at_lap(struct memory *m, uint32_t now)
{
    if (!is_recent(m->relayed, now)) {
        m->n_looks = 0;
        return false;
    }
    if (m->n_looks < LOOP_GUARD_LOOKS) {
        return ++m->n_looks == LOOP_GUARD_LOOKS;
    }
    return false;
}

/* Takes in 'frame', which was punted, as one of 'all' or of some. */
static enum loop_verdict
take_punt(struct loop_guard *g, const struct frame *frame, bool understood,
          bool local, bool all, long long int now_)
{
    if (!frame->ip_src) {
        return LOOP_NEW;
    }

    const uint32_t now = short_time(now_);
    const struct eth_addr source = source_of(frame);
    struct memory *m = remember(g, digest(g, frame), now);
    if (is_recent(m->relayed, now) ? !eth_addr_equals(m->source, source)
                                   : is_recent(m->emitted, now)) {
        /* From the MAC that it had before it was emitted it is no echo:
         * another relay of the segment has brought it before its sender did.
         */
        bool echo = (m->emitted && now - m->emitted <= LOOP_GUARD_ECHO_MS
                     && !eth_addr_equals(m->emitted_source, source));
        take_copy(g, frame, echo, now_);
        return LOOP_COPY;
    }
    bool lap =
        !local && (all ? take_lap(g, m, frame, now_) : look_at_lap(m, now));
    m->relayed = now;
    m->source = source;
    m->understood = understood;
    return lap ? LOOP_LAP : LOOP_NEW;
}

enum loop_verdict
loop_guard_punt(struct loop_guard *g, const struct frame *frame,
                bool understood, bool local, long long int now)
{
    return take_punt(g, frame, understood, local, true, now);
}

enum loop_verdict
loop_guard_look(struct loop_guard *g, const struct frame *frame,
                bool understood, bool local, long long int now)
{
    return take_punt(g, frame, understood, local, false, now);
}

/* Counts an emission of 'm'.  Returns true if it is one too many. */
static bool
count_emission(struct memory *m, uint32_t now)
{
    if (!is_recent(m->counted, now)) {
        m->counted = now;
        m->n_emitted = 0;
    }
    return m->n_emitted++ >= LOOP_GUARD_MAX_EMISSIONS;
}

bool
loop_guard_emit(struct loop_guard *g, const struct frame *frame, bool numbered,
                long long int now_)
{
    if (!frame->ip_src) {
        return false;
    }

    const uint32_t now = short_time(now_);
    struct memory *m = remember(g, digest(g, frame), now);
    if (is_recent(m->relayed, now)
        && (m->understood || is_recent(m->emitted, now))) {
        return true;
    }
    if (count_emission(m, now) && !numbered) {
        return true;
    }
    m->emitted = now;
    m->emitted_source = source_of(frame);
    return false;
}

bool
loop_guard_is_paused(const struct loop_guard *g, uint16_t port)
{
    const struct loop_port *p = find_port(g, port);

    return p && p->paused;
}

void
loop_guard_run(struct loop_guard *g, long long int now)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 10);

    for (size_t i = 0; i < g->n_ports; i++) {
        struct loop_port *p = &g->ports[i];

        if (p->paused && now >= p->until) {
            p->paused = false;
            p->n_recent = p->n_echoes = 0;
            g->seqno++;
            VLOG_INFO_RL(&rl, "port %u: punting again", p->port);
        }
    }
}

long long int
loop_guard_deadline(const struct loop_guard *g)
{
    long long int deadline = LLONG_MAX;

    for (size_t i = 0; i < g->n_ports; i++) {
        if (g->ports[i].paused) {
            deadline = MIN(deadline, g->ports[i].until);
        }
    }
    return deadline;
}

unsigned int
loop_guard_seqno(const struct loop_guard *g)
{
    return g->seqno;
}

const struct loop_port *
loop_guard_ports(const struct loop_guard *g, size_t *n)
{
    *n = g->n_ports;
    return g->ports;
}
