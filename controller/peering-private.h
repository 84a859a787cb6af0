/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PEERING_PRIVATE_H
#define SNOWRELAY_PEERING_PRIVATE_H 1

/* What the two parts of peering share, and nobody else: peering.c, which keeps
 * the peers and says hello, and peering-hear.c, which judges what comes from
 * the mesh. */

#include <stdbool.h>

#include "openvswitch/token-bucket.h"
#include "peer-macs.h"
#include "peers.h"
#include "remotes.h"
#include "roster.h"
#include "self.h"
#include "streams.h"

struct mesh;

enum {
    /* What a frame takes out of its bucket, which is filled every ms. */
    PEERING_FRAME_TOKENS = 1000,

    /* The same of an answer to who has proved nothing: at most 100 a second.
     */
    PEERING_ANSWER_TOKENS = 10,
    PEERING_ANSWER_RATE = 1,
    PEERING_ANSWER_BURST = 100
};

struct peering {
    struct self self;
    bool left; /* Have the peers been told that this relay leaves? */

    /* The others. */
    struct roster roster;
    struct peers peers;
    struct remotes remotes;
    struct peer_macs macs;

    /* A sealed mesh. */
    struct streams streams;       /* Of the others. */
    struct sealer stranger;       /* Of answers to who is no peer. */
    struct token_bucket answers;  /* Of answers to who proves nothing. */
    struct token_bucket accepted; /* Of frames of who is accepted, no peer. */
    uint32_t max_pps;             /* Frames a second from each. */

    long long int next_news;  /* When the others may be told news, ms. */
    long long int next_check; /* When peering_run() has something to do, ms. */
    long long int next_update; /* When peering_update() has, ms. */
    bool reconfigured;         /* Since peering_update()? */
    long long int keep_until;  /* See KEEP_MS, ms. */

    bool waiting;        /* Is there a name without an address yet? */
    long long int known; /* When this relay knew itself, ms, or -1. */
    bool begun;

    bool recall; /* Has a relay come up that silent peers may be? */
    long long int next_recall; /* When they may be asked, ms. */
    long long int next_expiry; /* When remotes_expire() is due, ms. */
};

/* Says hello to 'peer' through 'mesh', which the caller flushes. */
void peering_say_hello(struct peering *, struct mesh *mesh, struct peer *peer,
                       long long int now_us);

/* Makes 'bucket' one for the frames of one peer. */
void peering_limit(const struct peering *, struct token_bucket *bucket);

/* Notes that the state of 'peer' changed, and logs it. */
void peering_state_changed(struct peering *, struct peer *peer);

/* Has peering_run() look at 'peer' in time. */
void peering_check_in_time(struct peering *, const struct peer *peer);

/* Has those who are silent be said hello to, since a relay has come up that
 * one of them may be by another of its addresses. */
void peering_recall(struct peering *);

#endif /* peering-private.h */
