/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_USAGE_H
#define SNOWRELAY_USAGE_H 1

/* Usage: what this process uses of its host, as proc(5) has it. */

#include <stdint.h>

struct usage {
    double cpu;        /* User and system time, seconds. */
    double start_time; /* Since 1970, seconds. */
    uint64_t resident; /* Bytes. */
    uint64_t virtual;  /* The same. */
    uint64_t open_fds;
    uint64_t max_fds;
};

/* Fills in '*usage'.  What cannot be found out is 0. */
void usage_look(struct usage *usage);

#endif /* usage.h */
