/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "filter.h"

#include <netdb.h>
#include <string.h>
#include <pcap/pcap.h>
#include <pcap/namedb.h>

#include "frame.h"
#include "openvswitch/util.h"
#include "util.h"

struct filter {
    struct bpf_program program;
};

/* libpcap calls these for what may be a name, through its dynamic symbols, so
 * that a program's own go before libpcap's.  They look nothing up. */

struct addrinfo *
pcap_nametoaddrinfo(const char *name)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST,
        .ai_socktype = SOCK_STREAM,
        .ai_protocol = IPPROTO_TCP,
    };
    struct addrinfo *result;

    return getaddrinfo(name, NULL, &hints, &result) ? NULL : result;
}

bpf_u_int32
pcap_nametonetaddr(const char *name OVS_UNUSED)
{
    return 0;
}

u_char *
pcap_ether_hostton(const char *name OVS_UNUSED)
{
    return NULL;
}

/* Returns true if 'message', libpcap's, is that it knows no address of a
 * name. */
static bool
is_unknown_name(const char *message)
{
    return (!strncmp(message, "unknown host", 12)
            || !strncmp(message, "unknown network", 15)
            || !strncmp(message, "unknown ether host", 18));
}

char *
filter_compile(const char *expression, struct filter **filterp)
{
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, FRAME_MAX);
    struct filter *f = xzalloc(sizeof *f);
    char *error = NULL;

    ovs_assert(pcap);
    if (pcap_compile(pcap, &f->program, expression, 1, PCAP_NETMASK_UNKNOWN)) {
        error = xstrdup(pcap_geterr(pcap));
        if (is_unknown_name(error)) {
            char *whole = xasprintf("%s: names are not looked up", error);
            free(error);
            error = whole;
        }
        free(f);
        f = NULL;
    }
    pcap_close(pcap);
    *filterp = f;
    return error;
}

void
filter_destroy(struct filter *f)
{
    if (f) {
        pcap_freecode(&f->program);
        free(f);
    }
}

bool
filter_matches(const struct filter *f, const uint8_t *bytes, size_t length)
{
    const struct pcap_pkthdr header = { .caplen = length, .len = length };

    return pcap_offline_filter(&f->program, &header, bytes) != 0;
}
