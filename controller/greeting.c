/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "greeting.h"

#include <string.h>

#include "hello.h"
#include "mesh.h"
#include "openvswitch/util.h"
#include "peers.h"
#include "remotes.h"
#include "seal.h"
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

/* Fills in '*h' with what this relay says to everybody, and with what it has
 * had from 'remote', which may be NULL. */
static void
compose(const struct self *self, const struct remote *remote, uint32_t path,
        long long int now_us, struct hello *h)
{
    *h = (struct hello){
        .version_min = WIRE_VERSION_MIN,
        .version_max = WIRE_VERSION_MAX,
        .interval = self->interval,
        .timestamp = now_us,
        .path = path,
        .n_macs = 1,
        .macs[0] = self->local_mac,
        .n_ports = self->n_ports,
        .role = self->role,
        .forwarder = self->forwarder,
    };
    memcpy(h->ports, self->ports, self->n_ports * sizeof *h->ports);
    if (remote) {
        h->received = remote->window.received;
        h->lost = remote->window.lost;
    }
}

/* The same for 'peer'. */
static void
compose_hello(const struct self *self, const struct peer *peer,
              long long int now_us, struct hello *h)
{
    compose(self, peer->remote, peer->path, now_us, h);
    h->answer = !liveness_is_heard(&peer->liveness);
    if (self->tunnel.type) {
        h->tunnel = self->tunnel;
        h->tunnel.token = peer->tunnel.token;
        h->tunnel.hears = peer->tunnel.hears;
    }
    h->interval =
        MAX(peer->liveness.next_hello - now_us / 1000, self->interval);
    if (peer->has_echo) {
        put_echo(&peer->echo, now_us, h);
    }
}

void
greeting_set_key(const struct self *self, struct peer *peer)
{
    sealer_set(&peer->sealer, &self->key, self->session, peer->path,
               self->salt);
}

/* Writes a datagram of 'type' with the 'length' bytes at 'body', which have
 * room for WIRE_RELAY_ID_LEN bytes in front of them, to 'datagram'.  Returns
 * its length. */
static size_t
encode(const struct self *self, struct sealer *sealer, uint32_t path,
       enum wire_type type, uint64_t seq, uint8_t *body, size_t length,
       uint8_t *datagram)
{
    if (self->sealed) {
        wire_encode_relay_id(body - WIRE_RELAY_ID_LEN, self->id);
        sealer_set(sealer, &self->key, self->session, path, self->salt);
        return seal(sealer, type, seq, body - WIRE_RELAY_ID_LEN,
                    WIRE_RELAY_ID_LEN + length, datagram);
    }
    wire_encode_header(datagram, type, self->id, self->session, seq);
    memcpy(datagram + WIRE_HEADER_LEN, body, length);
    return WIRE_HEADER_LEN + length;
}

/* What encode() puts around a body at most. */
enum { MAX_OVERHEAD = SEAL_OVERHEAD + WIRE_RELAY_ID_LEN };
BUILD_ASSERT_DECL(WIRE_HEADER_LEN <= (int) MAX_OVERHEAD);
BUILD_ASSERT_DECL(MAX_OVERHEAD + HELLO_MAX_LEN <= (int) MESH_MAX_MESSAGE);

/* Returns how long a hello may be that answers 'asked'. */
static size_t
answer_length(const struct wire *asked)
{
    return MIN(asked->length, HELLO_MAX_LEN);
}

/* Writes 'h', of at most 'max' bytes, as a datagram.  One that asks for an
 * answer is made as long as that may be.  Returns its length, 0 if 'max' is
 * too little. */
static size_t
encode_hello(const struct self *self, struct sealer *sealer, uint64_t seq,
             const struct hello *h, size_t max, uint8_t *datagram)
{
    uint8_t buffer[WIRE_RELAY_ID_LEN + HELLO_MAX_LEN];
    uint8_t *body = buffer + WIRE_RELAY_ID_LEN;
    size_t length = hello_encode(h, body, max);

    if (!length) {
        return 0;
    }
    if (h->answer && max == HELLO_MAX_LEN) {
        length = hello_pad(body, length);
    }
    return encode(self, sealer, h->path, WIRE_TYPE_HELLO, seq, body, length,
                  datagram);
}

/* Sends 'h', of at most 'max' bytes, to 'peer'. */
static void
send_hello(const struct self *self, struct mesh *mesh, struct peer *peer,
           uint64_t first_seq, const struct hello *h, size_t max)
{
    uint8_t datagram[MESH_MAX_MESSAGE];
    size_t length = encode_hello(
        self, &peer->sealer, peer->remote ? peer->remote->next_seq : first_seq,
        h, max, datagram);

    if (length) {
        mesh_say(mesh, peer, datagram, length);
    }
}

static void
say(const struct self *self, struct mesh *mesh, struct peer *peer,
    uint64_t first_seq, size_t max, long long int now_us)
{
    struct hello h;

    liveness_asked(&peer->liveness, self->interval, now_us / 1000);
    compose_hello(self, peer, now_us, &h);
    send_hello(self, mesh, peer, first_seq, &h, max);
}

void
greeting_say(const struct self *self, struct mesh *mesh, struct peer *peer,
             uint64_t first_seq, long long int now_us)
{
    say(self, mesh, peer, first_seq, HELLO_MAX_LEN, now_us);
}

void
greeting_reply(const struct self *self, struct mesh *mesh, struct peer *peer,
               const struct wire *asked, long long int now_us)
{
    say(self, mesh, peer, 0, answer_length(asked), now_us);
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

/* Makes 'h' the answer to 'asked', which came in 'w' just now. */
static void
make_answer(const struct hello *asked, const struct wire *w, bool prove,
            long long int now_us, struct hello *h)
{
    const struct peer_echo echo = make_echo(asked, w, now_us);

    h->answers = true;
    h->answer |= prove;
    /* By this way no more come than answers to what is asked by it. */
    h->interval = MAX(h->interval, asked->interval);
    put_echo(&echo, now_us, h);
}

void
greeting_answer(const struct self *self, struct mesh *mesh, struct peer *peer,
                const struct hello *asked, const struct wire *w,
                uint64_t first_seq, bool prove, long long int now_us)
{
    struct hello h;

    compose_hello(self, peer, now_us, &h);
    make_answer(asked, w, prove, now_us, &h);
    send_hello(self, mesh, peer, first_seq, &h, answer_length(w));
}

void
greeting_answer_stranger(const struct self *self, struct mesh *mesh,
                         const struct endpoint *to, struct sealer *sealer,
                         const struct remote *remote,
                         const struct hello *asked, const struct wire *w,
                         uint64_t first_seq, bool prove, long long int now_us)
{
    uint8_t datagram[MESH_MAX_MESSAGE];
    struct hello h;

    compose(self, remote, PEERS_NO_PATH, now_us, &h);
    make_answer(asked, w, prove, now_us, &h);
    size_t length =
        encode_hello(self, sealer, remote ? remote->next_seq : first_seq, &h,
                     answer_length(w), datagram);
    if (length) {
        mesh_say_to(mesh, to, datagram, length);
    }
}

void
greeting_leave(const struct self *self, struct mesh *mesh, struct peer *peer)
{
    uint8_t datagram[MESH_MAX_MESSAGE];
    uint8_t body[WIRE_RELAY_ID_LEN];

    mesh_say(mesh, peer, datagram,
             encode(self, &peer->sealer, peer->path, WIRE_TYPE_BYE,
                    peer->remote->next_seq, body + WIRE_RELAY_ID_LEN, 0,
                    datagram));
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
