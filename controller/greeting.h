/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_GREETING_H
#define SNOWRELAY_GREETING_H 1

/* Greeting: what this relay says to a peer, and what a peer's hello says of
 * the way between them.
 *
 * The clock is the caller's. */

#include <stdbool.h>
#include <stdint.h>

struct hello;
struct mesh;
struct peer;
struct self;
struct wire;

/* Says hello to 'peer' through 'mesh', which the caller flushes.  If it is not
 * known who is there its header says 'first_seq' for the number of the next
 * frame. */
void greeting_say(const struct self *self, struct mesh *mesh,
                  struct peer *peer, uint64_t first_seq, long long int now_us);

/* Tells 'peer', of which is known who is there, that this relay leaves. */
void
greeting_leave(const struct self *self, struct mesh *mesh, struct peer *peer);

/* Answers the hello 'h', which came from 'peer' in 'w' just now by another way
 * than others.  The next hello to the peer is due as before. */
void greeting_answer(const struct self *self, struct mesh *mesh,
                     struct peer *peer, const struct hello *h,
                     const struct wire *w, long long int now_us);

/* Takes in what 'h', a hello from 'peer' that came in 'w' just now, says about
 * the way to it.  It is the one to echo from then on, unless it came
 * 'elsewhere'.  Returns true if the state of the peer changed by that. */
bool greeting_take(const struct self *self, struct peer *peer,
                   const struct hello *h, const struct wire *w, bool elsewhere,
                   long long int now_us);

#endif /* greeting.h */
