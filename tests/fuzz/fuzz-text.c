/* SPDX-License-Identifier: Apache-2.0 */

/* What people write for addresses, ports, subnets and peers. */

#include <config.h>
#include "fuzz.h"

#include "endpoint.h"
#include "names.h"
#include "peer-spec.h"

/* An address that was read is written so that it is read again. */
static void
check_address(const struct in6_addr *address)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr again;

    CHECK(address_format(address, text) == text);
    CHECK(address_from_text(text, &again));
    CHECK(!memcmp(address, &again, sizeof again));
    CHECK(address_is_ipv6(address) == !!strchr(text, ':'));
}

/* So is an endpoint, by either socket address. */
static void
check_endpoint(const struct endpoint *e)
{
    char text[ENDPOINT_TEXT_SIZE];
    struct sockaddr_storage ss;
    struct endpoint again;
    char *host;

    CHECK(!host_port_split(endpoint_format(e, text), 0, &host, &again.port));
    CHECK(address_from_text(host, &again.address));
    CHECK(endpoint_equal(e, &again));
    free(host);

    CHECK(endpoint_to_sockaddr(e, &ss)
          && endpoint_from_sockaddr((struct sockaddr *) &ss, &again)
          && endpoint_equal(e, &again));
    CHECK(endpoint_to_sockaddr6(e, &ss)
          && endpoint_from_sockaddr((struct sockaddr *) &ss, &again)
          && endpoint_equal(e, &again));
}

static void
check_host_port(const char *text)
{
    struct endpoint e;
    char *host;
    char *error = host_port_split(text, 7124, &host, &e.port);

    if (error) {
        CHECK(error[0] && !strchr(error, '\n'));
        free(error);
        return;
    }
    CHECK(host[0] && strlen(host) <= 253 && strlen(host) <= strlen(text));
    CHECK(e.port);
    if (address_from_text(host, &e.address)) {
        check_address(&e.address);
        check_endpoint(&e);
    }
    free(host);
}

static void
check_subnet(const char *text)
{
    struct in6_addr address;
    struct subnet subnet;

    if (subnet_from_text(text, &subnet)) {
        CHECK(subnet.prefix <= 128);
        CHECK(subnet_contains(&subnet, &subnet.address));
        check_address(&subnet.address);
    }
    if (address_from_text(text, &address)) {
        check_address(&address);
        CHECK(subnet_from_text(text, &subnet) && subnet.prefix == 128);
        CHECK(subnet_contains(&subnet, &address));
    }
}

static void
check_spec(const char *text, bool allow_service)
{
    struct peer_specs specs = { .n = 0 }, copies = { .n = 0 };
    char *error = peer_specs_add(&specs, text, allow_service);

    CHECK(specs.n == !error);
    free(error);
    if (specs.n) {
        const struct peer_spec *spec = &specs.all[0];

        CHECK(!strcmp(spec->text, text));
        CHECK(!name_is_service(spec->host) || (allow_service && !spec->port));
        peer_specs_copy(&copies, &specs);
        CHECK(copies.n == 1 && !strcmp(copies.all[0].host, spec->host));
        peer_specs_remove(&copies, 0);
        peer_specs_clear(&copies);
    }
    peer_specs_clear(&specs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = xmemdup0((const char *) bytes, length);
    uint16_t port = 0;

    fuzz_begin();
    if (port_from_text(text, &port)) {
        CHECK(port && (unsigned) atoi(text) == port);
    }
    check_host_port(text);
    check_subnet(text);
    check_spec(text, true);
    check_spec(text, false);
    free(text);
    return 0;
}
