/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_FILTER_H
#define SNOWRELAY_FILTER_H 1

/* Filter: which frames, said as an expression of libpcap (pcap-filter(7)).
 *
 * The expression is compiled once, for Ethernet frames, and the program is run
 * by libpcap's interpreter for each frame, in the memory that the frame is in.
 *
 * Names of hosts and networks are not looked up, neither in files nor in the
 * DNS: the answer would be as old as the configuration, and the daemon would
 * have to wait for it.  Names of ports and protocols are known, as the host's
 * files have them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"

struct filter;

/* Compiles 'expression'.  Returns NULL and stores the filter in '*filterp', or
 * returns libpcap's message, which the caller frees, and stores NULL. */
char *filter_compile(const char *expression,
                     struct filter **filterp) OVS_WARN_UNUSED_RESULT;
void filter_destroy(struct filter *);

/* Returns true if the frame of 'length' bytes at 'bytes', from the Ethernet
 * destination on, is one of those that the expression is about. */
bool
filter_matches(const struct filter *, const uint8_t *bytes, size_t length);

#endif /* filter.h */
