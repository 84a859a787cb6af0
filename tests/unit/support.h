/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SUPPORT_H
#define SNOWRELAY_SUPPORT_H 1

/* Support: what several unit tests need.
 *
 * Include it after <config.h> and before anything else of cmocka's.  The tests
 * run at the top of the tree; SNOWRELAY_TOP names it where they do not. */

#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Packets of a capture. */
struct packet {
    uint8_t *bytes; /* An allocation of just 'length' bytes. */
    size_t length;
};

struct capture {
    struct packet packets[64];
    size_t n;
};

/* A place in the tree.  Valid until the next call. */
static inline const char *
path_in_tree(const char *name)
{
    static char path[4096];
    const char *top = getenv("SNOWRELAY_TOP");

    snprintf(path, sizeof path, "%s/%s", top ? top : ".", name);
    return path;
}

/* Returns a copy of the 'length' bytes at 'bytes' in an allocation of just
 * that length, so that the address sanitizer sees what is read beyond them. */
static inline void *
copy_exactly(const void *bytes, size_t length)
{
    void *copy = malloc(length);

    assert_true(copy || !length);
    if (length) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

/* Reads the capture 'name' of tests/captures. */
static inline void
capture_read(struct capture *capture, const char *name)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    struct pcap_pkthdr *header;
    const u_char *bytes;
    char file[256];

    snprintf(file, sizeof file, "tests/captures/%s", name);
    pcap_t *pcap = pcap_open_offline(path_in_tree(file), error);
    if (!pcap) {
        fail_msg("%s", error);
    }
    assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);

    capture->n = 0;
    while (pcap_next_ex(pcap, &header, &bytes) == 1) {
        struct packet *packet = &capture->packets[capture->n++];

        assert_in_range(capture->n, 1,
                        sizeof capture->packets / sizeof *packet);
        assert_int_equal(header->caplen, header->len);
        packet->length = header->caplen;
        packet->bytes = copy_exactly(bytes, header->caplen);
    }
    pcap_close(pcap);
}

static inline void
capture_free(struct capture *capture)
{
    for (size_t i = 0; i < capture->n; i++) {
        free(capture->packets[i].bytes);
    }
    capture->n = 0;
}

/* Fails the test if 'error', which it frees, is a message. */
static inline void
assert_no_error(char *error)
{
    if (error) {
        fail_msg("unexpected error: %s", error);
    }
}

/* Fails the test unless the message 'error', which it frees, is 'expected'. If
 * 'expected' ends in an asterisk only what is before it must be the same; that
 * is for messages whose end is somebody else's, such as the C library's. */
static inline void
assert_error(char *error, const char *expected)
{
    size_t length = strlen(expected);

    if (!error) {
        fail_msg("no error where this was expected: %s", expected);
    }
    if (length && expected[length - 1] == '*') {
        assert_true(strlen(error) >= length);
        error[length - 1] = '*';
        error[length] = '\0';
    }
    assert_string_equal(error, expected);
    free(error);
}

/* The next of a row of numbers that is the same each time (xorshift, G.
 * Marsaglia, 2003).  '*state' begins as anything but 0. */
static inline uint32_t
next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Writes 'value' to 'p' in network byte order. */
static inline void
put16(uint8_t *p, uint16_t value)
{
    p[0] = value >> 8;
    p[1] = value & 0xff;
}

/* Returns the one's complement sum of 'sum' and the 'n' bytes at 'p'
 * (RFC 1071). */
static inline uint16_t
ones_sum(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        sum += p[i] << 8 | (i + 1 < n ? p[i + 1] : 0);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

#endif /* support.h */
