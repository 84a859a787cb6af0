/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "greeting.h"

#include <string.h>

#include "hello.h"
#include "mesh.h"
#include "openvswitch/util.h"
#include "peers.h"
#include "remotes.h"
#include "self.h"
#include "util.h"
#include "wire.h"

/* Puts 'echo' into '*h'. */
static void
put_echo(const struct peer_echo *echo, long long int now_us, struct hello *h)
{
    h->echo_path = echo->path;
    h->echo_session = echo->session;
    h->echo_timestamp = echo->timestamp;
    h->held = MIN(now_us - echo->arrived, UINT32_MAX);
}

/* Fills in '*h' for 'peer'. */
static void
compose_hello(const struct self *self, const struct peer *peer,
              long long int now_us, struct hello *h)
{
    const struct remote *remote = peer->remote;

    *h = (struct hello){
        .version_min = WIRE_VERSION_MIN,
        .version_max = WIRE_VERSION_MAX,
        .answer = !liveness_is_heard(&peer->liveness),
        .interval =
            MAX(peer->liveness.next_hello - now_us / 1000, self->interval),
        .timestamp = now_us,
        .path = peer->path,
        .n_macs = 1,
        .macs[0] = self->local_mac,
        .n_ports = self->n_ports,
        .role = self->role,
        .forwarder = self->forwarder,
    };
    memcpy(h->ports, self->ports, self->n_ports * sizeof *h->ports);
    if (peer->has_echo) {
        put_echo(&peer->echo, now_us, h);
    }
    if (remote) {
        h->received = remote->window.received;
        h->lost = remote->window.lost;
    }
}

/* Sends 'h' to 'peer'. */
static void
send_hello(const struct self *self, struct mesh *mesh, struct peer *peer,
           uint64_t first_seq, const struct hello *h)
{
    uint8_t datagram[WIRE_HEADER_LEN + HELLO_MAX_LEN];

    wire_encode_header(datagram, WIRE_TYPE_HELLO, self->id, self->session,
                       peer->remote ? peer->remote->next_seq : first_seq);
    size_t length = hello_encode(h, datagram + WIRE_HEADER_LEN);
    mesh_say(mesh, peer, datagram, WIRE_HEADER_LEN + length);
}

void
greeting_say(const struct self *self, struct mesh *mesh, struct peer *peer,
             uint64_t first_seq, long long int now_us)
{
    struct hello h;

    liveness_asked(&peer->liveness, self->interval, now_us / 1000);
    compose_hello(self, peer, now_us, &h);
    send_hello(self, mesh, peer, first_seq, &h);
}

/* Returns what there is to echo of 'h', which came in 'w' just now. */
static struct peer_echo
make_echo(const struct hello *h, const struct wire *w, long long int now_us)
{
    return (struct peer_echo){
        .path = h->path,
        .session = w->session,
        .timestamp = h->timestamp,
        .arrived = now_us,
    };
}

void
greeting_answer(const struct self *self, struct mesh *mesh, struct peer *peer,
                const struct hello *asked, const struct wire *w,
                long long int now_us)
{
    const struct peer_echo echo = make_echo(asked, w, now_us);
    struct hello h;

    compose_hello(self, peer, now_us, &h);
    h.answers = true;
    /* By this way no more come than answers to what is asked by it. */
    h.interval = MAX(h.interval, asked->interval);
    put_echo(&echo, now_us, &h);
    send_hello(self, mesh, peer, 0, &h);
}

void
greeting_leave(const struct self *self, struct mesh *mesh, struct peer *peer)
{
    uint8_t datagram[WIRE_HEADER_LEN];

    wire_encode_header(datagram, WIRE_TYPE_BYE, self->id, self->session,
                       peer->remote->next_seq);
    mesh_say(mesh, peer, datagram, sizeof datagram);
}

bool
greeting_take(const struct self *self, struct peer *peer,
              const struct hello *h, const struct wire *w, bool elsewhere,
              long long int now_us)
{
    bool hears_us = false;

    if (h->echo_session == self->session && h->echo_path == peer->path) {
        int64_t rtt = now_us - h->echo_timestamp - h->held;

        hears_us = h->held / 1000 < LIVENESS_MAX_MISSED * self->interval;
        if (hears_us && rtt >= 0
            && rtt < 1000 * (int64_t) HELLO_MAX_INTERVAL_MS) {
            liveness_rtt(&peer->liveness, rtt);
        }
    }
    if (!elsewhere) {
        peer->has_echo = true;
        peer->echo = make_echo(h, w, now_us);
    }
    return liveness_hello(&peer->liveness, h->interval, hears_us,
                          now_us / 1000);
}
