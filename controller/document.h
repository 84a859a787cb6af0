/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_DOCUMENT_H
#define SNOWRELAY_DOCUMENT_H 1

/* Documents: what the HTTP server has to give.
 *
 *    /              the page (page.h), which reads:
 *    /status.json   what "status json" says
 *    /metrics       the same for Prometheus (metrics.h)
 *
 * The last two are made when they are asked for, but no more than once in
 * DOCUMENT_AGE_MS, and large ones more rarely: so whoever asks again and again
 * does not keep the relay busy.  What the switch counts is in them as of the
 * last look, and looked at anew for the next time. */

#include <stdbool.h>

struct MHD_Response;
struct documents;
struct node;

enum {
    /* As old as a document may be when it is given, at least... */
    DOCUMENT_AGE_MS = 200,

    /* ...and for each ms that it took to make it, and each so many bytes. */
    DOCUMENT_REST = 20,
    DOCUMENT_BYTES_PER_MS = 1024,

    /* Between two looks at what the switch has counted. */
    DOCUMENT_AUDIT_MS = 1000
};

struct documents *documents_create(struct node *);
void documents_destroy(struct documents *);

/* Returns the document at 'path', NULL if there is none.  It stays for as long
 * as the documents do and this function is not called again; libmicrohttpd
 * takes its own share when it is queued.  Stores in '*guarded' whether it is
 * only for those who ask for this host by a name that nobody else can give
 * away (http-host.h). */
struct MHD_Response *
documents_get(struct documents *, const char *path, bool *guarded);

/* Makes a document of the text 'text' for those who get none of these, with
 * 'allow' for its Allow header, or NULL.  The caller destroys it. */
struct MHD_Response *document_of_text(const char *text, const char *allow);

#endif /* document.h */
