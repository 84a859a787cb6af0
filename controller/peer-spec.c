/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "peer-spec.h"

#include "endpoint.h"
#include "names.h"
#include "util.h"

static void
append(struct peer_specs *specs, const char *text, char *host, uint16_t port)
{
    specs->all = xrealloc(specs->all, (specs->n + 1) * sizeof *specs->all);
    specs->all[specs->n++] = (struct peer_spec){ xstrdup(text), host, port };
}

char *
peer_specs_add(struct peer_specs *specs, const char *text, bool allow_service)
{
    uint16_t port;
    char *host;

    char *error = host_port_split(text, 0, &host, &port);
    if (error) {
        return error;
    }
    if (name_is_service(host) && (!allow_service || port)) {
        free(host);
        return xstrdup(allow_service
                           ? "names a service, which has ports of its own"
                           : "names a service, which only mesh.discover "
                             "looks up");
    }
    /* Of names that lead to peers none is an address anyway. */
    struct in6_addr address;
    const char *why = (!allow_service && address_from_text(host, &address)
                           ? address_why_no_host(&address)
                           : NULL);
    if (why) {
        free(host);
        return xstrdup(why);
    }
    append(specs, text, host, port);
    return NULL;
}

static void
spec_uninit(struct peer_spec *spec)
{
    free(spec->text);
    free(spec->host);
}

void
peer_specs_remove(struct peer_specs *specs, size_t i)
{
    spec_uninit(&specs->all[i]);
    specs->n--;
    for (; i < specs->n; i++) {
        specs->all[i] = specs->all[i + 1];
    }
}

void
peer_specs_clear(struct peer_specs *specs)
{
    for (size_t i = 0; i < specs->n; i++) {
        spec_uninit(&specs->all[i]);
    }
    free(specs->all);
    specs->all = NULL;
    specs->n = 0;
}

void
peer_specs_copy(struct peer_specs *specs, const struct peer_specs *others)
{
    peer_specs_clear(specs);
    for (size_t i = 0; i < others->n; i++) {
        const struct peer_spec *spec = &others->all[i];
        append(specs, spec->text, xstrdup(spec->host), spec->port);
    }
}
