/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SUPPORT_SEARCH_H
#define SNOWRELAY_SUPPORT_SEARCH_H 1

/* Support for tests of searches: datagrams, put together piece by piece.
 *
 * Include it after support.h. */

#include <stdbool.h>

#include "search.h"

struct datagram {
    uint8_t bytes[65536];
    size_t length;
    bool little_endian;
};

static inline void
put_bytes(struct datagram *d, const void *bytes, size_t length)
{
    assert_true(d->length + length <= sizeof d->bytes);
    memcpy(d->bytes + d->length, bytes, length);
    d->length += length;
}

/* Writes 'value' in 'length' bytes to 'p'. */
static inline void
write_number(uint8_t *p, uint32_t value, size_t length, bool little_endian)
{
    for (size_t i = 0; i < length; i++) {
        p[little_endian ? i : length - 1 - i] = value >> 8 * i & 0xff;
    }
}

static inline void
put_number(struct datagram *d, uint32_t value, size_t length)
{
    uint8_t bytes[4];

    write_number(bytes, value, length, d->little_endian);
    put_bytes(d, bytes, length);
}

/* PVAccess. */

static inline void
put_pva_header(struct datagram *d, uint8_t flags, uint8_t command,
               uint32_t size)
{
    const uint8_t header[] = { 0xca, 2, flags | (d->little_endian ? 0 : 0x80),
                               command };

    put_bytes(d, header, sizeof header);
    put_number(d, size, 4);
}

/* A string of less than 254 bytes. */
static inline void
put_pva_string(struct datagram *d, const char *text)
{
    put_number(d, strlen(text), 1);
    put_bytes(d, text, strlen(text));
}

/* Begins a search for 'n' names, which are to follow.  Returns where in 'd'
 * the message begins, for end_pva_search(). */
static inline size_t
begin_pva_search(struct datagram *d, uint16_t n)
{
    size_t start = d->length;

    put_pva_header(d, 0, 3, 0);
    put_number(d, 0x66696e64, 4);
    put_bytes(d, "\0\0\0\0", 4);
    put_bytes(d, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    put_number(d, 34023, 2);
    put_number(d, 1, 1);
    put_pva_string(d, "tcp");
    put_number(d, n, 2);
    return start;
}

static inline void
put_pva_name(struct datagram *d, const char *name)
{
    put_number(d, 0x12345678, 4);
    put_pva_string(d, name);
}

/* Writes the size of the message that began at 'start' and ends here. */
static inline void
end_pva_search(struct datagram *d, size_t start)
{
    write_number(d->bytes + start + 4, d->length - start - 8, 4,
                 d->little_endian);
}

/* A search for one name. */
static inline void
put_pva_search(struct datagram *d, const char *name)
{
    size_t start = begin_pva_search(d, 1);

    put_pva_name(d, name);
    end_pva_search(d, start);
}

/* Channel Access. */

static inline void
put_ca_header(struct datagram *d, uint16_t command, uint16_t size,
              uint16_t type, uint16_t count, uint32_t p1, uint32_t p2)
{
    const uint16_t words[] = { command, size, type, count };

    for (int i = 0; i < 4; i++) {
        put_number(d, words[i], 2);
    }
    put_number(d, p1, 4);
    put_number(d, p2, 4);
}

static inline void
put_ca_version(struct datagram *d)
{
    put_ca_header(d, 0, 0, 1, 13, 7, 0);
}

static inline void
put_ca_search(struct datagram *d, const char *name)
{
    size_t length = strlen(name);
    size_t size = (length + 8) / 8 * 8;

    put_ca_header(d, 6, size, 5, 13, 1, 1);
    put_bytes(d, name, length);
    put_bytes(d, "\0\0\0\0\0\0\0", size - length);
}

/* Reading. */

typedef enum search_verdict
read_function(const uint8_t *, size_t, struct asks *);

/* Has 'read' read 'd', in an allocation of just its length, and fails the test
 * unless it finds that 'verdict' and, one behind the other and with a bar
 * between them, the 'names'. */
static inline void
assert_asks(read_function *read, const struct datagram *d,
            enum search_verdict verdict, const char *names)
{
    static struct asks asks;
    static char found[65536];
    size_t length = 0;

    memset(&asks, 0xee, sizeof asks);
    uint8_t *bytes = copy_exactly(d->bytes, d->length);
    assert_int_equal(read(bytes, d->length, &asks), verdict);
    for (size_t i = 0; i < asks.n; i++) {
        if (i) {
            found[length++] = '|';
        }
        assert_in_range(asks.of[i].length, 1, SEARCH_MAX_NAME);
        memcpy(found + length, asks.of[i].name, asks.of[i].length);
        length += asks.of[i].length;
    }
    found[length] = '\0';
    assert_string_equal(found, names);
    free(bytes);
}

#endif /* support-search.h */
