/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SUPPORT_RESOLVER_H
#define SNOWRELAY_SUPPORT_RESOLVER_H 1

/* A mock of the resolver, for the tests of those who ask it: it knows a few
 * names, by what is stored with mock_resolve(), and nothing of any other. */

#include "support.h"

#include "endpoint.h"
#include "openvswitch/util.h"
#include "resolver.h"
#include "util.h"

enum { MOCK_NAMES = 8, MOCK_ENDPOINTS = 512 };

static struct {
    const char *name;
    struct resolution resolution;
    struct endpoint endpoints[MOCK_ENDPOINTS];
} mock_names[MOCK_NAMES];

const struct resolution *
resolver_get(const struct resolver *resolver OVS_UNUSED, const char *name)
{
    static const struct resolution nothing;

    for (size_t i = 0; i < MOCK_NAMES && mock_names[i].name; i++) {
        if (!strcmp(mock_names[i].name, name)) {
            return &mock_names[i].resolution;
        }
    }
    return &nothing;
}

/* Makes the 'n' endpoints at 'endpoints' where 'name' leads to. */
static inline void
mock_resolve_endpoints(const char *name, const struct endpoint *endpoints,
                       size_t n)
{
    size_t i = 0;

    while (mock_names[i].name && strcmp(mock_names[i].name, name)) {
        assert_true(++i < MOCK_NAMES);
    }
    assert_true(n <= MOCK_ENDPOINTS);
    mock_names[i].name = name;
    mock_names[i].resolution.endpoints = mock_names[i].endpoints;
    mock_names[i].resolution.n = n;
    for (size_t j = 0; j < n; j++) {
        mock_names[i].endpoints[j] = endpoints[j];
    }
}

/* The same, for addresses, of which those of a service's hosts have ports, as
 * in "192.0.2.7:7124": 'texts' ends with a null pointer. */
static inline void
mock_resolve(const char *name, const char *const texts[])
{
    struct endpoint endpoints[16];
    size_t n = 0;

    for (; texts[n]; n++) {
        char *host;

        assert_true(n < ARRAY_SIZE(endpoints));
        assert_no_error(
            host_port_split(texts[n], 0, &host, &endpoints[n].port));
        assert_true(address_from_text(host, &endpoints[n].address));
        free(host);
    }
    mock_resolve_endpoints(name, endpoints, n);
}

/* Forgets all names. */
static inline void
mock_forget(void)
{
    memset(mock_names, 0, sizeof mock_names);
}

#define MOCK_RESOLVE(NAME, ...)                                               \
    mock_resolve(NAME, (const char *const[]){ __VA_ARGS__, NULL })

#endif /* support-resolver.h */
