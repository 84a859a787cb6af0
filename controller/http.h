/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_HTTP_H
#define SNOWRELAY_HTTP_H 1

/* HTTP: the relay for browsers and for Prometheus.
 *
 *    clients --libmicrohttpd--> who asks for what --> document.h
 *
 * Read-only: no request changes anything, none is a reason to do more than
 * make a document, and what is made is made for all who ask within a short
 * time.  There is no authentication; whoever reaches the address may read.
 *
 * It runs in the daemon's own loop, after the frames.  Clients cannot take
 * more than is theirs: there may be HTTP_MAX_CONNECTIONS, HTTP_MAX_FROM_ONE of
 * them from one address, each with HTTP_MEMORY bytes for its request,
 * HTTP_IDLE_S to go on and HTTP_LIFE_MS in all, and each gets one answer. */

#include "openvswitch/compiler.h"

struct config;
struct http;
struct node;

enum {
    HTTP_MAX_CONNECTIONS = 64,
    HTTP_MAX_FROM_ONE = 32,
    HTTP_MEMORY = 16 * 1024,
    HTTP_IDLE_S = 5,
    HTTP_LIFE_MS = 15000
};

/* Makes a server that tells of 'node' and listens nowhere yet. */
struct http *http_create(struct node *node);
void http_destroy(struct http *);

/* Opens the address that 'config' asks for, if it is not open already.
 * http_use() then goes on there, or http_forget() where it was.  Returns NULL,
 * or a message that the caller frees, and then nothing has changed. */
char *http_prepare(struct http *,
                   const struct config *config) OVS_WARN_UNUSED_RESULT;
void http_use(struct http *);
void http_forget(struct http *);

/* Ceases to listen. */
void http_close(struct http *);

void http_run(struct http *);
void http_wait(struct http *);

#endif /* http.h */
