/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "path-mtu.h"

#include <sys/socket.h>
#include <unistd.h>

#include "endpoint.h"

size_t
path_mtu(const struct in6_addr *address)
{
    /* Nothing is sent; that the port is the discard service's (RFC 863) does
     * not matter. */
    const struct endpoint endpoint = { *address, 9 };
    struct sockaddr_storage ss;
    socklen_t ss_len = endpoint_to_sockaddr(&endpoint, &ss);
    bool ipv6 = ss.ss_family == AF_INET6;
    int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int mtu = 0;
    socklen_t length = sizeof mtu;

    if (fd < 0) {
        return 0;
    }
    if (connect(fd, (struct sockaddr *) &ss, ss_len)
        || getsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
                      ipv6 ? IPV6_MTU : IP_MTU, &mtu, &length)) {
        mtu = 0;
    }
    close(fd);
    return mtu;
}
