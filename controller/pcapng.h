/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PCAPNG_H
#define SNOWRELAY_PCAPNG_H 1

/* pcapng: packets as Wireshark and tcpdump read them from a file.
 *
 * A file is a row of blocks, each of which says how long it is, in front and
 * at its end, so that a file that is cut between two blocks is a whole one:
 *
 *    Section Header, Interface Description for each interface,
 *    Enhanced Packet for each packet, Interface Statistics for each interface
 *
 * Interfaces are numbered from 0 in the order of their descriptions.  All
 * integers are in this host's byte order, which the section's header tells;
 * times are in nanoseconds since 1970.  See draft-ietf-opsawg-pcapng, "PCAP
 * Next Generation (pcapng) Capture File Format", sections 3 and 4.
 *
 * Pure: no I/O, no state. */

#include <stddef.h>
#include <stdint.h>

struct ofpbuf;

/* The type of packets that begin with an Ethernet header. */
enum { PCAPNG_LINKTYPE_ETHERNET = 1 };

/* Longest packets in the file, as it says; libpcap reads only files in which
 * this, and the link type, is the same for all interfaces. */
enum { PCAPNG_SNAPLEN = 262144 };

struct pcapng_interface {
    const char *name;
    const char *description; /* NULL for none. */
    const char *filter;      /* In libpcap's syntax, NULL for none. */
};

/* Which way a packet went through its interface. */
enum pcapng_direction {
    PCAPNG_DIRECTION_UNKNOWN,
    PCAPNG_INBOUND,
    PCAPNG_OUTBOUND
};

struct pcapng_packet {
    uint32_t interface;
    uint64_t time;
    enum pcapng_direction direction;
    uint64_t n_missing;  /* Packets of the interface that were left out between
                          * the one before and this one. */
    const char *comment; /* NULL for none. */
    const uint8_t *bytes;
    size_t length;
};

struct pcapng_statistics {
    uint32_t interface;
    uint64_t start, end; /* Times. */
    uint64_t n_seen;     /* Packets, those in the file and the others. */
    uint64_t n_missing;  /* The others. */
};

/* Each of these appends a block to 'out'. */
void pcapng_put_section(struct ofpbuf *out, const char *application);
void pcapng_put_interface(struct ofpbuf *out,
                          const struct pcapng_interface *interface);
void pcapng_put_packet(struct ofpbuf *out, const struct pcapng_packet *packet);

/* This one is always of PCAPNG_STATISTICS_LENGTH bytes. */
enum { PCAPNG_STATISTICS_LENGTH = 20 + 4 * 12 + 4 + 4 };
void pcapng_put_statistics(struct ofpbuf *out,
                           const struct pcapng_statistics *statistics);

/* Returns how many of the 'length' bytes at 'bytes', which begin with a block,
 * are whole blocks, and stores in '*n_packets' how many of these are packets.
 */
size_t
pcapng_whole_blocks(const uint8_t *bytes, size_t length, uint64_t *n_packets);

#endif /* pcapng.h */
