/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_GREETING_H
#define SNOWRELAY_GREETING_H 1

/* Greeting: what this relay says to a peer, and what a peer's hello says of
 * the way between them.
 *
 * The clock is the caller's. */

#include <stdbool.h>
#include <stdint.h>

struct endpoint;
struct hello;
struct mesh;
struct peer;
struct remote;
struct sealer;
struct self;
struct wire;

/* Has what goes to 'peer' sealed with the key of 'self'. */
void greeting_set_key(const struct self *self, struct peer *peer);

/* Says hello to 'peer' through 'mesh', which the caller flushes.  If it is not
 * known who is there its header says 'first_seq' for the number of the next
 * frame. */
void greeting_say(const struct self *self, struct mesh *mesh,
                  struct peer *peer, uint64_t first_seq, long long int now_us);

/* Tells 'peer', of which is known who is there, that this relay leaves. */
void
greeting_leave(const struct self *self, struct mesh *mesh, struct peer *peer);

/* Says hello to 'peer' in answer to the hello in 'asked', which came from it:
 * with no more bytes than that. */
void
greeting_reply(const struct self *self, struct mesh *mesh, struct peer *peer,
               const struct wire *asked, long long int now_us);

/* Answers the hello 'h', which came from 'peer' in 'w' just now by another way
 * than others, or from a sender that has yet to 'prove' that it is there and
 * is therefore asked for an answer.  If it is not known who is there the
 * header says 'first_seq'.  The next hello to the peer is due as before, and
 * nothing is noted of this one. */
void
greeting_answer(const struct self *self, struct mesh *mesh, struct peer *peer,
                const struct hello *h, const struct wire *w,
                uint64_t first_seq, bool prove, long long int now_us);

/* The same for a sender at 'to' that is no peer but has the key of the mesh.
 * 'sealer' is the one for all of these; 'remote' is who sent it, NULL if that
 * is not accepted. */
void
greeting_answer_stranger(const struct self *self, struct mesh *mesh,
                         const struct endpoint *to, struct sealer *sealer,
                         const struct remote *remote, const struct hello *h,
                         const struct wire *w, uint64_t first_seq, bool prove,
                         long long int now_us);

/* Takes in what 'h', a hello from 'peer' that came in 'w' just now, says about
 * the way to it.  It is the one to echo from then on, unless it came
 * 'elsewhere'.  Returns true if the state of the peer changed by that. */
bool greeting_take(const struct self *self, struct peer *peer,
                   const struct hello *h, const struct wire *w, bool elsewhere,
                   long long int now_us);

#endif /* greeting.h */
