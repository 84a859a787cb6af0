/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel's idea of paths, in a network namespace of our own.  Needs
 * root. */

#include <config.h>
#include "path-mtu.h"

#include "support.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#include "endpoint.h"
#include "openvswitch/util.h"
#include "util.h"

static void
do_command(const char *command)
{
    assert_int_equal(system(command), 0);
}

static void
assert_mtu(const char *to, size_t expected)
{
    struct in6_addr address;

    assert_true(address_from_text(to, &address));
    assert_int_equal(path_mtu(&address), expected);
}

/* A namespace has nothing but lo, which is down. */
static void
test_no_route(void **state OVS_UNUSED)
{
    assert_mtu("192.0.2.7", 0);
    assert_mtu("2001:db8::7", 0);
}

static void
test_the_mtu_of_the_device(void **state OVS_UNUSED)
{
    do_command("ip link set lo mtu 5000 up");
    assert_mtu("127.0.0.1", 5000);
    assert_mtu("127.0.0.2", 5000);
    assert_mtu("::1", 5000);

    do_command("ip link add left type veth peer name right && ip link set "
               "right up && "
               "ip link set left mtu 1400 up && "
               "ip address add 192.0.2.1/24 dev left && "
               "ip address add 2001:db8::1/64 dev left nodad");
    assert_mtu("192.0.2.7", 1400);
    assert_mtu("2001:db8::7", 1400);
    assert_mtu("198.51.100.7", 0);
    assert_mtu("192.0.2.255", 0); /* Nothing that frames are sent to. */
}

/* As it is after a router has told. */
static void
test_the_mtu_of_a_route(void **state OVS_UNUSED)
{
    do_command("ip route add 198.51.100.0/24 via 192.0.2.7 mtu 1300 && "
               "ip -6 route add 2001:db8:1::/64 via 2001:db8::7 mtu 1350");
    assert_mtu("198.51.100.7", 1300);
    assert_mtu("2001:db8:1::7", 1350);
    do_command("ip route add unreachable 203.0.113.0/24");
    assert_mtu("203.0.113.7", 0);
}

/* Each call opens a socket, and none is left open. */
static void
test_many_calls(void **state OVS_UNUSED)
{
    const struct rlimit few = { 32, 32 };

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i < 64; i++) {
        assert_mtu("192.0.2.7", 1400);
        assert_mtu("203.0.113.7", 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_route),
        cmocka_unit_test(test_the_mtu_of_the_device),
        cmocka_unit_test(test_the_mtu_of_a_route),
        cmocka_unit_test(test_many_calls),
    };

    if (unshare(CLONE_NEWNET)) {
        fprintf(stderr,
                "no tests of paths: cannot make a network namespace (%s)\n",
                ovs_strerror(errno));
        return errno == EPERM ? 0 : 1;
    }
    return cmocka_run_group_tests_name("path MTU", tests, NULL, NULL);
}
