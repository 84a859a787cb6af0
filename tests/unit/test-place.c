/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "place.h"

#include "support-resolver.h"

#include "endpoint.h"
#include "openvswitch/util.h"
#include "packets.h"

/* Resolves 'p' with the mock having the addresses in 'texts', a null pointer
 * at the end. */
static void
resolve(struct place *p, const char *const texts[])
{
    mock_resolve("collector", texts);
    place_resolve(p, NULL);
}

#define RESOLVE(P, ...) resolve(P, (const char *const[]){ __VA_ARGS__, NULL })

/* Fails the test unless 'p' has these addresses, NULL for none. */
static void
assert_has(const struct place *p, const char *ipv4, const char *ipv6)
{
    char text[INET6_ADDRSTRLEN];

    assert_int_equal(p->known[IPV4], ipv4 != NULL);
    assert_int_equal(p->known[IPV6], ipv6 != NULL);
    assert_int_equal(place_is_known(p), ipv4 || ipv6);
    if (ipv4) {
        assert_string_equal(address_format(&p->address[IPV4], text), ipv4);
    }
    if (ipv6) {
        assert_string_equal(address_format(&p->address[IPV6], text), ipv6);
    }
    if (ipv4 || ipv6) {
        assert_string_equal(address_format(place_tunnel_end(p), text),
                            ipv4 ? ipv4 : ipv6);
    }
}

/* Nobody is asked for an address. */
static void
test_addresses(void **state OVS_UNUSED)
{
    struct place p;

    place_init(&p, "10.1.0.11");
    assert_false(p.by_name);
    assert_has(&p, "10.1.0.11", NULL);
    place_resolve(&p, NULL);
    assert_has(&p, "10.1.0.11", NULL);

    place_init(&p, "2001:db8::1");
    assert_false(p.by_name);
    assert_has(&p, NULL, "2001:db8::1");
    place_resolve(&p, NULL);
    assert_has(&p, NULL, "2001:db8::1");
}

static void
test_names(void **state OVS_UNUSED)
{
    struct place p;

    place_init(&p, "collector");
    assert_true(p.by_name);
    assert_string_equal(p.host, "collector");
    assert_has(&p, NULL, NULL);
    resolve(&p, (const char *const[]){ NULL });
    assert_has(&p, NULL, NULL);

    RESOLVE(&p, "10.1.0.12", "10.1.0.11");
    assert_has(&p, "10.1.0.12", NULL);
    RESOLVE(&p, "2001:db8::2", "10.1.0.11", "10.1.0.12", "2001:db8::1");
    assert_has(&p, "10.1.0.12", "2001:db8::2"); /* It stays. */
    RESOLVE(&p, "10.1.0.11", "2001:db8::1", "2001:db8::2");
    assert_has(&p, "10.1.0.11", "2001:db8::2");
    RESOLVE(&p, "2001:db8::1");
    assert_has(&p, NULL, "2001:db8::1");
    RESOLVE(&p, "10.1.0.11");
    assert_has(&p, "10.1.0.11", NULL);

    resolve(&p, (const char *const[]){ NULL }); /* Lost, but kept. */
    assert_has(&p, "10.1.0.11", NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
