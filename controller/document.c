/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "document.h"

#include <jansson.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "bridge.h"
#include "metrics.h"
#include "node.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "page.h"
#include "usage.h"
#include "status.h"
#include "timeval.h"
#include "util.h"

enum document_kind {
    DOCUMENT_PAGE,
    DOCUMENT_STATUS,
    DOCUMENT_METRICS,
    N_KINDS
};

/* One that was made. */
struct document {
    struct MHD_Response *response; /* NULL if it never was. */
    long long int made;
    long long int age; /* For how long it is good enough, ms. */
};

struct documents {
    struct node *node;
    struct document all[N_KINDS];
    long long int next_audit;
};

static const struct {
    const char *path;
    const char *type;
    bool guarded;
} kinds[N_KINDS] = {
    [DOCUMENT_PAGE] = { "/", "text/html; charset=utf-8", true },
    [DOCUMENT_STATUS] = { "/status.json", "application/json", true },

    /* Its readers are configured with names. */
    [DOCUMENT_METRICS] = { "/metrics", METRICS_CONTENT_TYPE, false },
};

/* Gives 'response' the headers of all, and its content's 'type'. */
static struct MHD_Response *
dress(struct MHD_Response *response, const char *type)
{
    const struct {
        const char *name;
        const char *value;
    } headers[] = {
        { "Content-Type", type },
        { "Content-Security-Policy", page_policy },
        { "X-Content-Type-Options", "nosniff" },
        { "X-Frame-Options", "DENY" },
        { "Referrer-Policy", "no-referrer" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
        { "Cache-Control", "no-store" },

        /* A connection is for one request, so that none is held for more. */
        { "Connection", "close" },
    };

    if (!response) {
        out_of_memory();
    }
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        if (MHD_add_response_header(response, headers[i].name,
                                    headers[i].value)
            != MHD_YES) {
            out_of_memory();
        }
    }
    return response;
}

struct documents *
documents_create(struct node *node)
{
    struct documents *d = xzalloc(sizeof *d);

    d->node = node;
    return d;
}

void
documents_destroy(struct documents *d)
{
    if (d) {
        for (size_t i = 0; i < N_KINDS; i++) {
            if (d->all[i].response) {
                MHD_destroy_response(d->all[i].response);
            }
        }
        free(d);
    }
}

/* Returns the text of a document of 'kind', which the caller frees. */
static char *
make_text(const struct documents *d, enum document_kind kind)
{
    json_t *status = status_json(d->node);
    char *text;

    if (kind == DOCUMENT_STATUS) {
        text = json_dumps(status, JSON_COMPACT);
    } else {
        struct ds out = DS_EMPTY_INITIALIZER;
        struct usage usage;

        usage_look(&usage);
        metrics_put(status, &usage, &out);
        text = ds_steal_cstr(&out);
    }
    json_decref(status);
    return text;
}

/* Makes 'document' of 'kind' anew.  Making takes no more than one part in
 * DOCUMENT_REST of the time, and there is one of DOCUMENT_BYTES_PER_MS bytes a
 * ms, however many ask and however slowly they read. */
static void
make(const struct documents *d, enum document_kind kind,
     struct document *document)
{
    const long long int begun = time_msec();
    struct MHD_Response *response;
    size_t length;

    if (document->response) {
        MHD_destroy_response(document->response);
    }
    if (kind == DOCUMENT_PAGE) {
        /* It is not written to. */
        length = strlen(page_html);
        response = MHD_create_response_from_buffer(
            length, CONST_CAST(char *, page_html), MHD_RESPMEM_PERSISTENT);
    } else {
        char *text = make_text(d, kind);

        length = strlen(text);
        response = MHD_create_response_from_buffer(length, text,
                                                   MHD_RESPMEM_MUST_FREE);
    }
    document->response = dress(response, kinds[kind].type);
    document->made = time_msec();
    document->age = MAX(DOCUMENT_AGE_MS,
                        MAX((document->made - begun) * DOCUMENT_REST,
                            (long long int) length / DOCUMENT_BYTES_PER_MS));
}

/* Returns true if 'document' of 'kind' is good enough at 'now'. */
static bool
is_fresh(const struct document *document, enum document_kind kind,
         long long int now)
{
    return (
        document->response
        && (kind == DOCUMENT_PAGE || now - document->made < document->age));
}

struct MHD_Response *
documents_get(struct documents *d, const char *path, bool *guarded)
{
    const long long int now = time_msec();
    int kind = 0;

    while (strcmp(kinds[kind].path, path)) {
        if (++kind == N_KINDS) {
            return NULL;
        }
    }
    struct document *document = &d->all[kind];

    *guarded = kinds[kind].guarded;
    if (!is_fresh(document, kind, now)) {
        make(d, kind, document);
    }
    if (kind != DOCUMENT_PAGE && now >= d->next_audit
        && status_is_counted_by_switch(d->node)) {
        bridge_audit(node_bridge(d->node));
        d->next_audit = now + DOCUMENT_AUDIT_MS;
    }
    return document->response;
}

struct MHD_Response *
document_of_text(const char *text, const char *allow)
{
    struct MHD_Response *response = dress(
        MHD_create_response_from_buffer(strlen(text), CONST_CAST(char *, text),
                                        MHD_RESPMEM_MUST_COPY),
        "text/plain; charset=utf-8");

    if (allow
        && MHD_add_response_header(response, "Allow", allow) != MHD_YES) {
        out_of_memory();
    }
    return response;
}
