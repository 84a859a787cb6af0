/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "self.h"

#include "support.h"

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

static const struct eth_addr mac = ETH_ADDR_C(02, 00, 00, 00, 01, 01);

static void
test_it_is_known_by_its_id_and_its_mac(void **state OVS_UNUSED)
{
    struct self self;

    memset(&self, 0xff, sizeof self);
    self_init(&self);
    assert_false(self_is_known(&self));
    self_set_id(&self, 1);
    assert_false(self_is_known(&self));
    self_set_local_mac(&self, mac);
    assert_true(self_is_known(&self));
    assert_true(eth_addr_equals(self.local_mac, mac));

    self_init(&self);
    self_set_local_mac(&self, mac);
    assert_false(self_is_known(&self));
}

static void
test_another_id_begins_another_session(void **state OVS_UNUSED)
{
    struct self self;

    self_init(&self);
    self_set_id(&self, 1);
    uint64_t session = self.session;
    assert_true(session);
    assert_true(self.id == 1);

    self.news = false;
    self_set_id(&self, 1);
    assert_true(self.session == session);
    assert_false(self.news);

    self_set_id(&self, 2);
    assert_true(self.id == 2);
    assert_true(self.session && self.session != session);
    assert_true(self.news);
}

static void
test_each_start_has_a_session_of_its_own(void **state OVS_UNUSED)
{
    struct self a, b;

    self_init(&a);
    self_init(&b);
    self_set_id(&a, 1);
    self_set_id(&b, 1);
    assert_true(a.session != b.session);
}

static void
test_what_changes_is_news(void **state OVS_UNUSED)
{
    const uint16_t ports[] = { 5064, 5076 };
    const uint16_t others[] = { 5064, 5065 };
    struct self self;

    self_init(&self);
    assert_false(self.news);
    self_set_local_mac(&self, mac);
    assert_true(self.news);

    self.news = false;
    self_set_ports(&self, ports, 2);
    assert_true(self.news);
    assert_int_equal(self.n_ports, 2);
    assert_memory_equal(self.ports, ports, sizeof ports);

    self.news = false;
    self_set_ports(&self, ports, 2);
    assert_false(self.news);
    self_set_ports(&self, others, 2);
    assert_true(self.news);

    self.news = false;
    self_set_ports(&self, others, 1);
    assert_true(self.news);
    assert_int_equal(self.n_ports, 1);
}

/* Who is told less often than it expects takes this relay for gone. */
static void
test_another_interval_is_news(void **state OVS_UNUSED)
{
    static const uint32_t intervals[] = { 1000, 1, 0x10001, UINT32_MAX, 0 };
    struct self self;

    self_init(&self);
    for (size_t i = 0; i < ARRAY_SIZE(intervals); i++) {
        self.news = false;
        self_set_interval(&self, intervals[i]);
        assert_int_equal(self.interval, intervals[i]);
        assert_true(self.news);
        self.news = false;
        self_set_interval(&self, intervals[i]);
        assert_int_equal(self.interval, intervals[i]);
        assert_false(self.news);
    }
}

/* The others are to know soon what this relay is.  Who else forwards goes with
 * the next hello. */
static void
test_another_role_is_news(void **state OVS_UNUSED)
{
    static const struct {
        enum relay_state role;
        uint64_t forwarder;
        bool news; /* After the one before. */
    } roles[] = {
        { RELAY_OFF, 0, false },
        { RELAY_LISTENING, 0, true },
        { RELAY_LISTENING, 0, false },
        { RELAY_LISTENING, 7, false },
        { RELAY_STANDBY, 7, true },
        { RELAY_STANDBY, 7, false },
        { RELAY_STANDBY, UINT64_C(7) << 32 | 7, false },
        { RELAY_CLAIMING, UINT64_C(7) << 32 | 7, true },
        { RELAY_FORWARDING, 1, true },
        { RELAY_FORWARDING, 2, false },
        { RELAY_GONE, 0, true },
        { RELAY_OFF, 0, true },
        { RELAY_OFF, 1, false },
    };
    struct self self;

    self_init(&self);
    assert_int_equal(self.role, RELAY_OFF);
    assert_true(self.forwarder == 0);
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        self.news = false;
        self_set_role(&self, roles[i].role, roles[i].forwarder);
        assert_int_equal(self.role, roles[i].role);
        assert_true(self.forwarder == roles[i].forwarder);
        assert_int_equal(self.news, roles[i].news);
    }
}

/* Who does not know that it is there, or gone, sends in vain. */
static void
test_another_tunnel_is_news(void **state OVS_UNUSED)
{
    static const struct {
        enum hello_tunnel_type type;
        uint32_t vni;
        bool news; /* After the one before. */
    } tunnels[] = {
        { HELLO_NO_TUNNEL, 0, false },
        { HELLO_VXLAN, 0, true },
        { HELLO_VXLAN, 0, false },
        { HELLO_VXLAN, 1, true },
        { HELLO_VXLAN, 1, false },
        { HELLO_GENEVE, 1, true },
        { HELLO_GENEVE, HELLO_MAX_VNI, true },
        { HELLO_NO_TUNNEL, HELLO_MAX_VNI, true },
        { HELLO_NO_TUNNEL, HELLO_MAX_VNI, false },
    };
    struct self self;

    self_init(&self);
    assert_int_equal(self.tunnel.type, HELLO_NO_TUNNEL);
    for (size_t i = 0; i < ARRAY_SIZE(tunnels); i++) {
        self.news = false;
        self_set_tunnel(&self, tunnels[i].type, tunnels[i].vni);
        assert_int_equal(self.tunnel.type, tunnels[i].type);
        assert_int_equal(self.tunnel.vni, tunnels[i].vni);
        assert_int_equal(self.news, tunnels[i].news);
    }
    self_set_role(&self, RELAY_STANDBY, 0);
    self_set_tunnel(&self, HELLO_NO_TUNNEL, HELLO_MAX_VNI);
    assert_true(self.news);
}

/* Until somebody has told it, it remains news. */
static void
test_news_stay_when_nothing_else_changes(void **state OVS_UNUSED)
{
    const uint16_t port = 5064;
    struct self self;

    self_init(&self);
    self_set_interval(&self, 1000);
    self_set_interval(&self, 1000);
    assert_true(self.news);
    self_set_ports(&self, &port, 1);
    self_set_ports(&self, &port, 1);
    assert_true(self.news);
    self_set_role(&self, RELAY_OFF, 0);
    assert_true(self.news);
}

int
main(void)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_known_by_its_id_and_its_mac),
        cmocka_unit_test(test_another_id_begins_another_session),
        cmocka_unit_test(test_each_start_has_a_session_of_its_own),
        cmocka_unit_test(test_what_changes_is_news),
        cmocka_unit_test(test_another_interval_is_news),
        cmocka_unit_test(test_another_role_is_news),
        cmocka_unit_test(test_another_tunnel_is_news),
        cmocka_unit_test(test_news_stay_when_nothing_else_changes),
    };
    return cmocka_run_group_tests_name("self", tests, NULL, NULL);
}
