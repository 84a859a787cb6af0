/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_FUZZ_H
#define SNOWRELAY_FUZZ_H 1

/* What the fuzz targets share.
 *
 * A target is one file, fuzz-NAME.c, with LLVMFuzzerTestOneInput() and the
 * checks that go with it, of what the module's header promises: that nothing
 * crashes is not enough.  tests/fuzz/seeds.py, in the function NAME, makes
 * inputs for it to begin with, and NAME.dict, if there is one, has words that
 * occur in them.  Where the modules under test have to be played to, the
 * target defines functions of others itself, as unit tests do, or has the
 * linker put its own in their place, as fuzz-punt.c.
 *
 * The same input must always have the same things happen: a target has its own
 * clock and its own network, and sets the seeds of what draws lots.
 *
 * Include it after <config.h>. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Ends the program, which is a finding, unless CONDITION. */
#define CHECK(CONDITION)                                                      \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,        \
                    #CONDITION);                                              \
            abort();                                                          \
        }                                                                     \
    } while (0)

/* To be called for each input.  What is logged is put together, as that might
 * go wrong, but goes nowhere. */
static inline void
fuzz_begin(void)
{
    static bool begun;

    if (!begun) {
        begun = true;
        vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
        vlog_set_log_file("/dev/null");
        vlog_set_levels(NULL, VLF_FILE, VLL_INFO);
    }
    random_set_seed(1);
}

/* Returns a copy of the 'length' bytes at 'bytes' in an allocation of just
 * that length, so that the address sanitizer sees what is read beyond them. */
static inline void *
copy_exactly(const void *bytes, size_t length)
{
    void *copy = malloc(length);

    if (length) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

/* An input that is used up piece by piece. */
struct input {
    const uint8_t *bytes;
    size_t left;
};

/* Take what is next.  What is not there any more is 0. */
static inline uint8_t
take8(struct input *in)
{
    if (!in->left) {
        return 0;
    }
    in->left--;
    return *in->bytes++;
}

static inline uint16_t
take16(struct input *in)
{
    uint16_t high = take8(in);

    return high << 8 | take8(in);
}

/* Takes up to 'length' bytes, and stores their number in '*taken'. */
static inline const uint8_t *
take_bytes(struct input *in, size_t length, size_t *taken)
{
    const uint8_t *bytes = in->bytes;

    *taken = MIN(length, in->left);
    in->bytes += *taken;
    in->left -= *taken;
    return bytes;
}

static inline uint16_t
be16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

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

#endif /* fuzz.h */
