/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "http-host.h"

#include <string.h>
#include <strings.h>

#include "endpoint.h"

/* Room for a DNS name, or an address. */
enum { HOST_SIZE = 256 };

/* Copies to 'host' what is before the port in 'header', without brackets and
 * without a dot at its end.  Returns false if there is no such thing. */
static bool
split(const char *header, char host[HOST_SIZE])
{
    const char *end;

    if (header[0] == '[') {
        header++;
        end = strchr(header, ']');
        if (!end || (end[1] && end[1] != ':')) {
            return false;
        }
    } else {
        end = header + strcspn(header, ":");
    }
    size_t length = end - header;

    if (!length || length >= HOST_SIZE) {
        return false;
    }
    memcpy(host, header, length);
    host[length] = '\0';
    if (length > 1 && host[length - 1] == '.') {
        host[length - 1] = '\0';
    }
    return true;
}

/* Returns true if 'name' is 'zone' or ends in '.' and 'zone'. */
static bool
is_within(const char *name, const char *zone)
{
    size_t n = strlen(name);
    size_t z = strlen(zone);

    return (n >= z && !strcasecmp(name + n - z, zone)
            && (n == z || name[n - z - 1] == '.'));
}

bool
http_host_is_ours(const char *header, const char *own_name)
{
    struct in6_addr address;
    char host[HOST_SIZE];

    if (!header) {
        return true;
    }
    if (!split(header, host)) {
        return false;
    }
    size_t label = strcspn(own_name, ".");

    return (address_from_text(host, &address) || is_within(host, "localhost")
            || (label
                && (!strcasecmp(host, own_name)
                    || (strlen(host) == label
                        && !strncasecmp(host, own_name, label)))));
}
