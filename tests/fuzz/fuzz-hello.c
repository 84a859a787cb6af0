/* SPDX-License-Identifier: Apache-2.0 */

/* Hellos, without the header of the mesh's datagram. */

#include <config.h>
#include "fuzz.h"

#include "hello.h"
#include "packets.h"

static void
check_hello(const struct hello *h)
{
    CHECK(h->version_min <= h->version_max);
    CHECK(h->path);
    CHECK(h->interval >= HELLO_MIN_INTERVAL_MS
          && h->interval <= HELLO_MAX_INTERVAL_MS);
    CHECK(h->n_macs <= HELLO_MAX_MACS);
    for (size_t i = 0; i < h->n_macs; i++) {
        CHECK(!eth_addr_is_zero(h->macs[i])
              && !eth_addr_is_multicast(h->macs[i]));
    }
    CHECK(h->n_ports <= HELLO_MAX_PORTS);
    for (size_t i = 0; i < h->n_ports; i++) {
        CHECK(h->ports[i]);
    }
    CHECK(h->role < RELAY_N_STATES);
    CHECK(relay_state_name(h->role));
    CHECK(h->tunnel.type < HELLO_N_TUNNEL_TYPES);
    CHECK(h->tunnel.vni <= HELLO_MAX_VNI);
    CHECK(h->tunnel.type || (!h->tunnel.vni && !h->tunnel.token));
}

static void
check_same(const struct hello *a, const struct hello *b)
{
    CHECK(a->version_min == b->version_min);
    CHECK(a->version_max == b->version_max);
    CHECK(a->answer == b->answer && a->answers == b->answers);
    CHECK(a->interval == b->interval);
    CHECK(a->timestamp == b->timestamp && a->path == b->path);
    CHECK(a->echo_path == b->echo_path);
    CHECK(a->echo_session == b->echo_session);
    CHECK(a->echo_timestamp == b->echo_timestamp);
    CHECK(a->held == b->held);
    CHECK(a->received == b->received && a->lost == b->lost);
    CHECK(a->n_macs == b->n_macs);
    CHECK(!memcmp(a->macs, b->macs, a->n_macs * sizeof *a->macs));
    CHECK(a->n_ports == b->n_ports);
    CHECK(!memcmp(a->ports, b->ports, a->n_ports * sizeof *a->ports));
    CHECK(a->role == b->role && a->forwarder == b->forwarder);
    CHECK(a->tunnel.type == b->tunnel.type && a->tunnel.vni == b->tunnel.vni);
    CHECK(a->tunnel.token == b->tunnel.token
          && a->tunnel.hears == b->tunnel.hears);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    uint8_t *body = copy_exactly(bytes, length);
    struct hello h, again;

    fuzz_begin();
    if (hello_decode(body, length, &h)) {
        uint8_t *said = malloc(HELLO_MAX_LEN);
        uint8_t *said_again = malloc(HELLO_MAX_LEN);

        check_hello(&h);
        size_t n = hello_encode(&h, said, HELLO_MAX_LEN);
        CHECK(n <= HELLO_MAX_LEN);
        CHECK(hello_decode(said, n, &again));
        check_hello(&again);
        check_same(&h, &again);
        CHECK(hello_encode(&again, said_again, HELLO_MAX_LEN) == n);
        CHECK(!memcmp(said, said_again, n));
        free(said_again);
        free(said);
    }
    free(body);
    return 0;
}
