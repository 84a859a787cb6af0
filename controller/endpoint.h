/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_ENDPOINT_H
#define SNOWRELAY_ENDPOINT_H 1

/* Endpoints: IP addresses, ports and how people write them.
 *
 * An address is kept as an IPv6 address, an IPv4 one as an IPv4-mapped address
 * (RFC 4291, section 2.5.5.2), so that both kinds compare and hash alike.
 * Pure: no I/O, no state. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "openvswitch/compiler.h"

/* Where a datagram goes to or came from. */
struct endpoint {
    struct in6_addr address;
    uint16_t port; /* Host byte order. */
};

/* A range of addresses, such as 10.0.0.0/8. */
struct subnet {
    struct in6_addr address;
    unsigned int prefix; /* Bits, of 128: an IPv4 /8 is 104. */
};

/* Longest text of endpoint_format(), with its null byte: brackets, a colon and
 * five digits around an address. */
enum { ENDPOINT_TEXT_SIZE = INET6_ADDRSTRLEN + 8 };

/* Parses 'text', a decimal number from 1 to 65535.  Returns false, and leaves
 * '*port' alone, if it is anything else. */
bool port_from_text(const char *text, uint16_t *port);

/* Parses 'text', an IPv4 or IPv6 address without port or brackets.  Returns
 * false if it is anything else. */
bool address_from_text(const char *text, struct in6_addr *address);

/* Returns true if 'address' is an IPv6 one, not an IPv4-mapped one. */
bool address_is_ipv6(const struct in6_addr *address);

/* Returns what keeps 'address' from being that of one host to which datagrams
 * can be sent, as the end of a sentence, or NULL if nothing does. */
const char *address_why_no_host(const struct in6_addr *address);

/* Writes 'address' to 'text', of INET6_ADDRSTRLEN bytes, and returns 'text'.
 */
const char *address_format(const struct in6_addr *address, char *text);

/* Returns true if 'text' could be a DNS name of a host (RFC 1123): labels of
 * letters, digits, hyphens and underscores, of 1 to 63 characters, between
 * dots. */
bool host_name_is_possible(const char *text);

/* Splits 'text', of the form HOST, HOST:PORT, ADDRESS, or [ADDRESS]:PORT, into
 * a host that the caller frees and a port, 'default_port' where it names none.
 * The host is an address or looks like a DNS name (RFC 1123).
 *
 * Returns NULL, or a message that the caller frees and that says what is wrong
 * without repeating 'text'. */
char *host_port_split(const char *text, uint16_t default_port, char **host,
                      uint16_t *port) OVS_WARN_UNUSED_RESULT;

/* Parses 'text', an address or ADDRESS/PREFIX.  Returns false if it is
 * anything else. */
bool subnet_from_text(const char *text, struct subnet *subnet);

/* Returns true if 'address' lies in 'subnet'. */
bool
subnet_contains(const struct subnet *subnet, const struct in6_addr *address);

/* Writes 'endpoint' to 'text', of ENDPOINT_TEXT_SIZE bytes, as ADDRESS:PORT or
 * [ADDRESS]:PORT, and returns 'text'. */
const char *endpoint_format(const struct endpoint *endpoint, char *text);

/* Returns true if 'a' and 'b' are the same address and port. */
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* Returns true if the address of 'endpoint' is 0.0.0.0 or ::, which stand for
 * all addresses of a host. */
bool endpoint_is_any(const struct endpoint *endpoint);

/* Stores 'endpoint' in '*ss' as an AF_INET or AF_INET6 socket address and
 * returns its length. */
socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint,
                               struct sockaddr_storage *ss);

/* The same, always as an AF_INET6 socket address. */
socklen_t endpoint_to_sockaddr6(const struct endpoint *endpoint,
                                struct sockaddr_storage *ss);

/* Stores the IPv4 or IPv6 socket address 'sa' in '*endpoint'.  Returns false
 * if 'sa' is of another family. */
bool
endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *endpoint);

#endif /* endpoint.h */
