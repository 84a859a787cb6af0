/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_ROSTER_H
#define SNOWRELAY_ROSTER_H 1

/* Roster: which peers there should be.
 *
 * They come from the configuration, which names peers and names to discover
 * peers by; from what the resolver says of names; and from people who add and
 * remove some while the relay runs, which holds until the next start, whatever
 * configuration is loaded meanwhile.
 *
 * A name among the peers is one peer, which has all the addresses of the name;
 * a name to discover by is as many peers as it has addresses.
 *
 * Pure: no I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"
#include "openvswitch/compiler.h"
#include "peer-spec.h"

struct resolver;
struct sset;

/* Where a peer is known from. */
enum roster_source {
    ROSTER_CONFIGURED,
    ROSTER_ADDED, /* While running. */
    ROSTER_DISCOVERED,
    ROSTER_SELF /* There is no other peer: this relay itself, for testing. */
};

/* A peer that there should be. */
struct roster_entry {
    const char *name; /* As it was written; not owned. */
    enum roster_source source;
    struct endpoint *endpoints; /* Where it may be, the ports filled in. */
    size_t n;                   /* 0 if that is not known yet. */
};

struct roster {
    struct peer_specs configured;
    struct peer_specs discovered;
    struct endpoint mesh; /* Where this relay listens. */
    bool test_self;       /* Relay to this one if there is nobody else? */

    struct peer_specs added;
    struct peer_specs removed; /* Texts of specs, and addresses. */
    bool changed; /* Has anything been added or removed, if only for a while?
                   * Who does that does not want to hear himself. */
};

void roster_init(struct roster *);
void roster_destroy(struct roster *);

/* Takes in the configuration: its peers, the names to discover by, and where
 * the mesh is.  If 'test_self' a relay that has none of these, and to which
 * nobody has added any, gets itself for a peer. */
void roster_configure(struct roster *, const struct peer_specs *configured,
                      const struct peer_specs *discovered,
                      const struct endpoint *mesh, bool test_self);

/* Returns true if the only peer is this relay itself. */
bool roster_is_self(const struct roster *);

/* Add, or remove, what was written as 'text', until the next start.  Added are
 * peers.  Removed are peers, a name to discover by with all its peers, or, if
 * 'text' is the address of one that was discovered, that one; 'resolver' knows
 * which these are.  What was removed can be added again.  Return NULL, or a
 * message that the caller frees. */
char *roster_add(struct roster *, const struct resolver *resolver,
                 const char *text) OVS_WARN_UNUSED_RESULT;
char *roster_remove(struct roster *, const struct resolver *resolver,
                    const char *text) OVS_WARN_UNUSED_RESULT;

/* Adds the names that have to be looked up to 'names'. */
void roster_add_names(const struct roster *, struct sset *names);

/* Returns true if there is a name of which no address is known yet. */
bool roster_is_waiting(const struct roster *, const struct resolver *resolver);

/* Stores in '*entries' the peers that there should be, in the order of their
 * sources and of the configuration, those of one name in the order of their
 * addresses.  Returns their number.  The caller frees them with
 * roster_entries_free(). */
size_t roster_entries(const struct roster *, const struct resolver *resolver,
                      struct roster_entry **entries);
void roster_entries_free(struct roster_entry *entries, size_t n);

/* A word for 'source', such as "discovered". */
const char *roster_source_name(enum roster_source source);

#endif /* roster.h */
