/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peer-macs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hello.h"
#include "packets.h"
#include "peers.h"
#include "remotes.h"
#include "util.h"

void
peer_macs_init(struct peer_macs *macs)
{
    *macs = (struct peer_macs){ .changed = LLONG_MAX };
}

void
peer_macs_destroy(struct peer_macs *macs)
{
    free(macs->all);
}

void
peer_macs_note(struct peer_macs *macs, long long int now)
{
    macs->changed = MIN(macs->changed, now);
}

void
peer_macs_note_all(struct peer_macs *macs)
{
    macs->changed = 0;
}

static int
compare_macs(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct eth_addr));
}

/* Stores in '*all', which the caller frees, the local MACs of all 'peers',
 * each once, and returns their number. */
static size_t
collect(const struct peers *peers, struct eth_addr **all_)
{
    struct eth_addr *all = xcalloc(peers->n_all * HELLO_MAX_MACS, sizeof *all);
    size_t n_all = 0, n = 0;

    for (size_t i = 0; i < peers->n_all; i++) {
        const struct remote *remote = peers->all[i]->remote;

        for (size_t j = 0; remote && j < remote->n_macs; j++) {
            all[n_all++] = remote->macs[j];
        }
    }
    if (n_all) {
        qsort(all, n_all, sizeof *all, compare_macs);
    }
    for (size_t i = 0; i < n_all; i++) {
        if (!n || !eth_addr_equals(all[n - 1], all[i])) {
            all[n++] = all[i];
        }
    }
    *all_ = all;
    return n;
}

long long int
peer_macs_deadline(const struct peer_macs *macs)
{
    return (macs->changed == LLONG_MAX ? LLONG_MAX
                                       : macs->changed + PEER_MACS_SETTLE_MS);
}

bool
peer_macs_update(struct peer_macs *macs, const struct peers *peers,
                 long long int now)
{
    struct eth_addr *all;

    if (now < peer_macs_deadline(macs)) {
        return false;
    }
    macs->changed = LLONG_MAX;

    size_t n = collect(peers, &all);
    bool changed =
        (n != macs->n || (n && memcmp(all, macs->all, n * sizeof *all)));
    free(macs->all);
    macs->all = all;
    macs->n = n;
    return changed;
}
