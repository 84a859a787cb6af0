/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "roster.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/util.h"
#include "resolver.h"
#include "sset.h"
#include "util.h"

void
roster_init(struct roster *r)
{
    memset(r, 0, sizeof *r);
}

void
roster_destroy(struct roster *r)
{
    peer_specs_clear(&r->configured);
    peer_specs_clear(&r->discovered);
    peer_specs_clear(&r->added);
    peer_specs_clear(&r->removed);
}

void
roster_configure(struct roster *r, const struct peer_specs *configured,
                 const struct peer_specs *discovered,
                 const struct endpoint *mesh, bool test_self)
{
    peer_specs_copy(&r->configured, configured);
    peer_specs_copy(&r->discovered, discovered);
    r->mesh = *mesh;
    r->test_self = test_self;
}

bool
roster_is_self(const struct roster *r)
{
    return (r->test_self && !r->changed && !r->configured.n
            && !r->discovered.n);
}

/* Returns the port that 'spec' stands for. */
static uint16_t
spec_port(const struct roster *r, const struct peer_spec *spec)
{
    return spec->port ? spec->port : r->mesh.port;
}

/* Returns true if 'a' and 'b' mean the same. */
static bool
same_spec(const struct roster *r, const struct peer_spec *a,
          const struct peer_spec *b)
{
    struct in6_addr address_a, address_b;

    if (spec_port(r, a) != spec_port(r, b)) {
        return false;
    }
    if (address_from_text(a->host, &address_a)
        && address_from_text(b->host, &address_b)) {
        return !memcmp(&address_a, &address_b, sizeof address_a);
    }
    return !strcasecmp(a->host, b->host);
}

/* Returns the index in 'specs' of what means the same as 'spec', SIZE_MAX if
 * there is nothing. */
static size_t
find_spec(const struct roster *r, const struct peer_specs *specs,
          const struct peer_spec *spec)
{
    for (size_t i = 0; i < specs->n; i++) {
        if (same_spec(r, &specs->all[i], spec)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool
has_spec(const struct roster *r, const struct peer_specs *specs,
         const struct peer_spec *spec)
{
    return find_spec(r, specs, spec) != SIZE_MAX;
}

/* Returns true if the peer at 'endpoint' was removed. */
static bool
is_removed(const struct roster *r, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < r->removed.n; i++) {
        const struct peer_spec *spec = &r->removed.all[i];
        struct endpoint removed = { .port = spec_port(r, spec) };

        if (address_from_text(spec->host, &removed.address)
            && endpoint_equal(&removed, endpoint)) {
            return true;
        }
    }
    return false;
}

/* Appends 'text' to 'specs'. */
static char *
add_text(struct peer_specs *specs, const char *text, bool allow_service)
{
    char *error = peer_specs_add(specs, text, allow_service);

    if (error) {
        char *whole = xasprintf("\"%s\" %s", text, error);
        free(error);
        return whole;
    }
    return NULL;
}

static int
compare_endpoints(const void *a_, const void *b_)
{
    const struct endpoint *a = a_;
    const struct endpoint *b = b_;
    int order = memcmp(&a->address, &b->address, sizeof a->address);

    return order ? order : (a->port > b->port) - (a->port < b->port);
}

/* Appends an entry for 'spec' with the 'n' endpoints in 'endpoints', whose
 * ports are those of 'spec' where they are 0. */
static void
add_entry(const struct roster *r, const struct peer_spec *spec,
          enum roster_source source, const struct endpoint *endpoints,
          size_t n, struct roster_entry **entries, size_t *n_entries)
{
    *entries = xrealloc(*entries, (*n_entries + 1) * sizeof **entries);

    struct roster_entry *e = &(*entries)[(*n_entries)++];
    e->name = spec->text;
    e->source = source;
    e->endpoints = xmemdup(endpoints, n * sizeof *endpoints);
    e->n = n;
    for (size_t i = 0; i < n; i++) {
        if (!e->endpoints[i].port) {
            e->endpoints[i].port = spec_port(r, spec);
        }
    }
}

/* Appends the peer 'spec'. */
static void
add_peer(const struct roster *r, const struct resolver *resolver,
         const struct peer_spec *spec, enum roster_source source,
         struct roster_entry **entries, size_t *n_entries)
{
    struct endpoint endpoint = { .port = 0 };

    if (has_spec(r, &r->removed, spec)) {
        return;
    }
    if (address_from_text(spec->host, &endpoint.address)) {
        add_entry(r, spec, source, &endpoint, 1, entries, n_entries);
    } else {
        const struct resolution *res = resolver_get(resolver, spec->host);
        add_entry(r, spec, source, res->endpoints, res->n, entries, n_entries);
    }
}

/* Appends all peers that 'spec' leads to. */
static void
add_discovered(const struct roster *r, const struct resolver *resolver,
               const struct peer_spec *spec, struct roster_entry **entries,
               size_t *n_entries)
{
    if (has_spec(r, &r->removed, spec)) {
        return;
    }

    const struct resolution *res = resolver_get(resolver, spec->host);
    struct endpoint *sorted = xmemdup(res->endpoints, res->n * sizeof *sorted);
    if (res->n) {
        qsort(sorted, res->n, sizeof *sorted, compare_endpoints);
    }
    for (size_t i = 0; i < res->n; i++) {
        if (!sorted[i].port) {
            sorted[i].port = spec_port(r, spec);
        }
        if (!is_removed(r, &sorted[i])) {
            add_entry(r, spec, ROSTER_DISCOVERED, &sorted[i], 1, entries,
                      n_entries);
        }
    }
    free(sorted);
}

/* Appends this relay itself. */
static void
add_self(const struct roster *r, struct roster_entry **entries,
         size_t *n_entries)
{
    const struct peer_spec self = { .text = CONST_CAST(char *, "(self)") };
    struct endpoint endpoint = r->mesh;

    if (endpoint_is_any(&endpoint)) {
        ignore(address_from_text("127.0.0.1", &endpoint.address));
    }
    add_entry(r, &self, ROSTER_SELF, &endpoint, 1, entries, n_entries);
}

size_t
roster_entries(const struct roster *r, const struct resolver *resolver,
               struct roster_entry **entries)
{
    size_t n = 0;

    *entries = NULL;
    if (roster_is_self(r)) {
        add_self(r, entries, &n);
    }
    for (size_t i = 0; i < r->configured.n; i++) {
        add_peer(r, resolver, &r->configured.all[i], ROSTER_CONFIGURED,
                 entries, &n);
    }
    for (size_t i = 0; i < r->added.n; i++) {
        if (!has_spec(r, &r->configured, &r->added.all[i])) {
            add_peer(r, resolver, &r->added.all[i], ROSTER_ADDED, entries, &n);
        }
    }
    for (size_t i = 0; i < r->discovered.n; i++) {
        add_discovered(r, resolver, &r->discovered.all[i], entries, &n);
    }
    return n;
}

void
roster_entries_free(struct roster_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(entries[i].endpoints);
    }
    free(entries);
}

/* Returns true if a name to discover by has the address that 'spec' is. */
static bool
is_discovered(const struct roster *r, const struct resolver *resolver,
              const struct peer_spec *spec)
{
    struct endpoint wanted = { .port = spec_port(r, spec) };
    struct roster_entry *entries;
    bool found = false;

    if (!address_from_text(spec->host, &wanted.address)) {
        return false;
    }
    size_t n = roster_entries(r, resolver, &entries);
    for (size_t i = 0; i < n; i++) {
        found |= (entries[i].source == ROSTER_DISCOVERED
                  && endpoint_equal(&entries[i].endpoints[0], &wanted));
    }
    roster_entries_free(entries, n);
    return found;
}

char *
roster_add(struct roster *r, const struct resolver *resolver, const char *text)
{
    struct peer_specs one = { .n = 0 };
    char *error = add_text(&one, text, true);

    if (error) {
        return error;
    }

    const struct peer_spec *spec = &one.all[0];
    size_t removed = find_spec(r, &r->removed, spec);
    if (removed != SIZE_MAX) {
        peer_specs_remove(&r->removed, removed);
    }
    if (has_spec(r, &r->added, spec) || has_spec(r, &r->configured, spec)
        || has_spec(r, &r->discovered, spec)
        || is_discovered(r, resolver, spec)) {
        error =
            (removed == SIZE_MAX ? xasprintf("\"%s\" is a peer already", text)
                                 : NULL);
    } else {
        error = add_text(&r->added, text, false);
    }
    r->changed |= !error;
    peer_specs_clear(&one);
    return error;
}

char *
roster_remove(struct roster *r, const struct resolver *resolver,
              const char *text)
{
    struct peer_specs one = { .n = 0 };
    char *error = add_text(&one, text, true);

    if (error) {
        return error;
    }

    const struct peer_spec *spec = &one.all[0];
    size_t added = find_spec(r, &r->added, spec);
    bool known =
        (has_spec(r, &r->configured, spec) || has_spec(r, &r->discovered, spec)
         || is_discovered(r, resolver, spec));
    if (added != SIZE_MAX) {
        peer_specs_remove(&r->added, added);
    }
    if (known && !has_spec(r, &r->removed, spec)) {
        error = add_text(&r->removed, text, true);
    } else if (added == SIZE_MAX) {
        error =
            xasprintf("\"%s\" is no peer; mesh/show has those that are", text);
    }
    r->changed |= !error;
    peer_specs_clear(&one);
    return error;
}

void
roster_add_names(const struct roster *r, struct sset *names)
{
    const struct peer_specs *all[] = { &r->configured, &r->added,
                                       &r->discovered };
    struct in6_addr address;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        for (size_t j = 0; j < all[i]->n; j++) {
            if (!address_from_text(all[i]->all[j].host, &address)) {
                sset_add(names, all[i]->all[j].host);
            }
        }
    }
}

bool
roster_is_waiting(const struct roster *r, const struct resolver *resolver)
{
    const struct peer_specs *all[] = { &r->configured, &r->added,
                                       &r->discovered };
    struct in6_addr address;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        for (size_t j = 0; j < all[i]->n; j++) {
            const struct peer_spec *spec = &all[i]->all[j];

            if (!address_from_text(spec->host, &address)
                && !has_spec(r, &r->removed, spec)
                && !resolver_get(resolver, spec->host)->n) {
                return true;
            }
        }
    }
    return false;
}

const char *
roster_source_name(enum roster_source source)
{
    switch (source) {
    case ROSTER_CONFIGURED: return "configured";
    case ROSTER_ADDED: return "added";
    case ROSTER_DISCOVERED: return "discovered";
    case ROSTER_SELF: return "self";
    }
    OVS_NOT_REACHED();
}
