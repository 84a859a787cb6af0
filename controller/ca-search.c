/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ca-search.h"

#include <string.h>

#include "byte-order.h"
#include "openvswitch/util.h"
#include "util.h"

enum { COMMAND_VERSION = 0, COMMAND_SEARCH = 6 };

/* Data types of a search. */
enum { DO_NOT_REPLY = 5, DO_REPLY = 10 };

/* No minor version has been above 13 in 30 years. */
enum { MAX_VERSION = 99 };

/* A name, a 0, and what fills it up. */
enum { MAX_SIZE = ROUND_UP(SEARCH_MAX_NAME + 1, 8) };

struct header {
    ovs_be16 command;
    ovs_be16 size;
    ovs_be16 type;
    ovs_be16 count;
    ovs_be32 parameter[2];
};
BUILD_ASSERT_DECL(sizeof(struct header) == 16);

static bool
is_version(const struct header *h)
{
    return (ntohs(h->command) == COMMAND_VERSION && !h->size
            && ntohs(h->count) > 0 && ntohs(h->count) <= MAX_VERSION);
}

static bool
is_search(const struct header *h)
{
    uint16_t type = ntohs(h->type);
    uint16_t size = ntohs(h->size);

    return (ntohs(h->command) == COMMAND_SEARCH && size && size % 8 == 0
            && size <= MAX_SIZE && (type == DO_NOT_REPLY || type == DO_REPLY)
            && ntohs(h->count) <= MAX_VERSION
            && h->parameter[0] == h->parameter[1]);
}

/* Adds the name in the 'size' bytes at 'payload' to 'asks'.  Returns false if
 * there is none. */
static bool
add_name(const uint8_t *payload, size_t size, struct asks *asks)
{
    size_t length = strnlen((const char *) payload, size);

    if (!length || length > SEARCH_MAX_NAME) {
        return false;
    } else if (asks->n >= SEARCH_MAX_ASKS) {
        asks->more = true;
    } else {
        asks->of[asks->n++] = (struct ask){ payload, length };
    }
    return true;
}

enum search_verdict
ca_search_read(const uint8_t *payload, size_t length, struct asks *asks)
{
    enum search_verdict verdict = SEARCH_NONE; /* If it ends here... */
    enum search_verdict broken = SEARCH_NONE;  /* ...or goes on wrongly. */
    struct header h;

    asks->n = 0;
    asks->more = false;
    if (length < sizeof h) {
        return SEARCH_NONE;
    }
    memcpy(&h, payload, sizeof h);
    if (!is_version(&h) && !is_search(&h)) {
        return SEARCH_NONE;
    }
    while (length && !asks->more) {
        if (length < sizeof h) {
            return broken;
        }
        memcpy(&h, payload, sizeof h);
        payload += sizeof h;
        length -= sizeof h;

        size_t size = ntohs(h.size);
        if (ntohs(h.command) == COMMAND_SEARCH) {
            broken = SEARCH_MALFORMED;
            verdict = SEARCH_ASKS;
            if (!is_search(&h) || size > length
                || !add_name(payload, size, asks)) {
                return broken;
            }
        } else if (size > length) {
            return broken;
        }
        payload += size;
        length -= size;
    }
    return verdict;
}
