/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

bool
port_from_text(const char *text, uint16_t *port)
{
    unsigned int value;

    if (!isdigit((unsigned char) text[0]) || strlen(text) > 5
        || !str_to_uint(text, 10, &value) || value < 1 || value > 65535) {
        return false;
    }
    *port = value;
    return true;
}

bool
address_from_text(const char *text, struct in6_addr *address)
{
    struct in_addr v4;

    if (inet_pton(AF_INET, text, &v4) == 1) {
        in6_addr_set_mapped_ipv4(address, v4.s_addr);
        return true;
    }
    return inet_pton(AF_INET6, text, address) == 1;
}

bool
address_is_ipv6(const struct in6_addr *address)
{
    return !IN6_IS_ADDR_V4MAPPED(address);
}

const char *
address_why_no_host(const struct in6_addr *address)
{
    ovs_be32 ip = in6_addr_get_mapped_ipv4(address);

    if (IN6_IS_ADDR_MULTICAST(address) || IN6_IS_ADDR_UNSPECIFIED(address)
        || (!address_is_ipv6(address)
            && (!ip || ip_is_multicast(ip)
                || ip == htonl(INADDR_BROADCAST)))) {
        return "is not the address of one host";
    }
    if (IN6_IS_ADDR_LINKLOCAL(address)) {
        return "is a link-local address, which does not say through which "
               "interface";
    }
    return NULL;
}

const char *
address_format(const struct in6_addr *address, char *text)
{
    ovs_be32 v4 = in6_addr_get_mapped_ipv4(address);

    if (IN6_IS_ADDR_V4MAPPED(address)) {
        inet_ntop(AF_INET, &v4, text, INET6_ADDRSTRLEN);
    } else {
        inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
    }
    return text;
}

bool
host_name_is_possible(const char *host)
{
    size_t label = 0;

    if (strlen(host) > 253) {
        return false;
    }
    for (const char *p = host; *p; p++) {
        if (*p == '.') {
            if (!label) {
                return false;
            }
            label = 0;
        } else if ((isalnum((unsigned char) *p) || *p == '_'
                    || (*p == '-' && label))
                   && label < 63) {
            label++;
        } else {
            return false;
        }
    }

    /* A name of digits and dots only is a mistyped address. */
    return *host && host[strspn(host, "0123456789.")];
}

char *
host_port_split(const char *text, uint16_t default_port, char **hostp,
                uint16_t *portp)
{
    const char *port = NULL;
    struct in6_addr address;
    char *host;

    if (text[0] == '[') {
        const char *bracket = strchr(text, ']');
        if (!bracket || (bracket[1] && bracket[1] != ':')) {
            return xstrdup("is not of the form [ADDRESS]:PORT");
        }
        host = xmemdup0(text + 1, bracket - text - 1);
        port = bracket[1] ? bracket + 2 : NULL;
    } else if (address_from_text(text, &address)) {
        host = xstrdup(text); /* Its colons are not a port's. */
    } else {
        const char *colon = strrchr(text, ':');
        host = colon ? xmemdup0(text, colon - text) : xstrdup(text);
        port = colon ? colon + 1 : NULL;
    }

    if (port && !port_from_text(port, portp)) {
        free(host);
        return xstrdup("has no port from 1 to 65535 after the colon");
    } else if (!port) {
        *portp = default_port;
    }
    if (!address_from_text(host, &address) && !host_name_is_possible(host)) {
        free(host);
        return xstrdup("is neither an address nor a host name, with or "
                       "without :PORT");
    }
    *hostp = host;
    return NULL;
}

bool
subnet_from_text(const char *text, struct subnet *subnet)
{
    char host[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "/");

    if (length >= sizeof host) {
        return false;
    }
    memcpy(host, text, length);
    host[length] = '\0';
    if (!address_from_text(host, &subnet->address)) {
        return false;
    }

    bool v4 = IN6_IS_ADDR_V4MAPPED(&subnet->address);
    unsigned int bits = v4 ? 32 : 128;
    unsigned int prefix = bits;
    if (text[length]
        && (!isdigit((unsigned char) text[length + 1])
            || !str_to_uint(text + length + 1, 10, &prefix)
            || prefix > bits)) {
        return false;
    }
    subnet->prefix = prefix + 128 - bits;

    struct in6_addr mask = ipv6_create_mask(subnet->prefix);
    subnet->address = ipv6_addr_bitand(&subnet->address, &mask);
    return true;
}

bool
subnet_contains(const struct subnet *subnet, const struct in6_addr *address)
{
    struct in6_addr mask = ipv6_create_mask(subnet->prefix);
    struct in6_addr network = ipv6_addr_bitand(address, &mask);

    return ipv6_addr_equals(&network, &subnet->address);
}

const char *
endpoint_format(const struct endpoint *endpoint, char *text)
{
    char address[INET6_ADDRSTRLEN];

    address_format(&endpoint->address, address);
    snprintf(text, ENDPOINT_TEXT_SIZE,
             IN6_IS_ADDR_V4MAPPED(&endpoint->address) ? "%s:%u" : "[%s]:%u",
             address, endpoint->port);
    return text;
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return (a->port == b->port && ipv6_addr_equals(&a->address, &b->address));
}

bool
endpoint_is_any(const struct endpoint *endpoint)
{
    return (IN6_IS_ADDR_UNSPECIFIED(&endpoint->address)
            || (IN6_IS_ADDR_V4MAPPED(&endpoint->address)
                && !in6_addr_get_mapped_ipv4(&endpoint->address)));
}

socklen_t
endpoint_to_sockaddr(const struct endpoint *endpoint,
                     struct sockaddr_storage *ss)
{
    if (IN6_IS_ADDR_V4MAPPED(&endpoint->address)) {
        struct sockaddr_in *sin = (struct sockaddr_in *) ss;

        memset(ss, 0, sizeof *ss);
        sin->sin_family = AF_INET;
        sin->sin_port = htons(endpoint->port);
        sin->sin_addr.s_addr = in6_addr_get_mapped_ipv4(&endpoint->address);
        return sizeof *sin;
    }
    return endpoint_to_sockaddr6(endpoint, ss);
}

socklen_t
endpoint_to_sockaddr6(const struct endpoint *endpoint,
                      struct sockaddr_storage *ss)
{
    struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *) ss;

    memset(ss, 0, sizeof *ss);
    sin6->sin6_family = AF_INET6;
    sin6->sin6_port = htons(endpoint->port);
    sin6->sin6_addr = endpoint->address;
    return sizeof *sin6;
}

bool
endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *endpoint)
{
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *sin = (const struct sockaddr_in *) sa;
        in6_addr_set_mapped_ipv4(&endpoint->address, sin->sin_addr.s_addr);
        endpoint->port = ntohs(sin->sin_port);
        return true;
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *) sa;
        endpoint->address = sin6->sin6_addr;
        endpoint->port = ntohs(sin6->sin6_port);
        return true;
    }
    return false;
}
