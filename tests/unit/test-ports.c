/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ports.h"

#include "support.h"

#include "flow.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

/* Adds the port, whose MAC ends in 'mac'. */
static void
put(struct ports *p, const char *name, uint16_t number, uint8_t mac)
{
    struct ofputil_phy_port desc;

    memset(&desc, 0, sizeof desc);
    ovs_strlcpy(desc.name, name, sizeof desc.name);
    desc.port_no = u16_to_ofp(number);
    desc.hw_addr.ea[0] = 2;
    desc.hw_addr.ea[5] = mac;
    ports_put(p, &desc);
}

/* Fails the test unless all that can be asked says that there is just this
 * port of the name and number. */
static void
assert_there(const struct ports *p, const char *name, uint16_t number,
             uint8_t mac)
{
    const struct port *port = ports_find(p, name);

    assert_non_null(port);
    assert_ptr_equal(port, ports_get(p, u16_to_ofp(number)));
    assert_string_equal(port->name, name);
    assert_int_equal(port->number, u16_to_ofp(number));
    assert_int_equal(port->mac.ea[0], 2);
    assert_int_equal(port->mac.ea[5], mac);
    assert_int_equal(ofputil_port_map_get_number(&p->map, name),
                     u16_to_ofp(number));
    assert_string_equal(ofputil_port_map_get_name(&p->map, u16_to_ofp(number)),
                        name);
}

static void
assert_no_name(const struct ports *p, const char *name)
{
    assert_null(ports_find(p, name));
    assert_int_equal(ofputil_port_map_get_number(&p->map, name), OFPP_NONE);
}

static void
assert_no_number(const struct ports *p, uint16_t number)
{
    assert_null(ports_get(p, u16_to_ofp(number)));
    assert_null(ofputil_port_map_get_name(&p->map, u16_to_ofp(number)));
}

static void
test_coming_and_going(void **state OVS_UNUSED)
{
    struct ports p;

    ports_init(&p);
    assert_no_name(&p, "eth1");
    assert_no_number(&p, 1);
    for (unsigned int i = 1; i <= 20; i++) {
        char name[16];

        snprintf(name, sizeof name, "eth%u", i);
        put(&p, name, i, i);
    }
    put(&p, "br0", ofp_to_u16(OFPP_LOCAL), 99);
    assert_int_equal(p.n, 21);
    assert_there(&p, "eth1", 1, 1);
    assert_there(&p, "eth20", 20, 20);
    assert_there(&p, "br0", ofp_to_u16(OFPP_LOCAL), 99);

    ports_remove(&p, u16_to_ofp(1)); /* The first, one more, the last. */
    ports_remove(&p, u16_to_ofp(7));
    ports_remove(&p, OFPP_LOCAL);
    assert_int_equal(p.n, 18);
    assert_no_name(&p, "eth1");
    assert_no_number(&p, 1);
    assert_no_name(&p, "eth7");
    assert_no_name(&p, "br0");
    for (unsigned int i = 2; i <= 20; i++) {
        char name[16];

        snprintf(name, sizeof name, "eth%u", i);
        if (i != 7) {
            assert_there(&p, name, i, i);
        }
    }

    ports_clear(&p);
    assert_int_equal(p.n, 0);
    assert_no_name(&p, "eth2");
    assert_no_number(&p, 2);
    put(&p, "eth2", 3, 4);
    assert_there(&p, "eth2", 3, 4);
    ports_destroy(&p);
}

/* A number that is given to another name, and the other way round. */
static void
test_changing(void **state OVS_UNUSED)
{
    struct ports p;

    ports_init(&p);
    put(&p, "eth1", 1, 1);
    put(&p, "eth2", 2, 2);
    put(&p, "eth9", 2, 2);
    assert_int_equal(p.n, 2);
    assert_there(&p, "eth9", 2, 2);
    assert_no_name(&p, "eth2");
    put(&p, "eth9", 2, 3);
    assert_there(&p, "eth9", 2, 3);

    ports_remove(&p, u16_to_ofp(1));
    put(&p, "eth1", 5, 1);
    assert_there(&p, "eth1", 5, 1);
    assert_no_number(&p, 1);
    ports_destroy(&p);
}

/* The sequence number changes with the ports, and only then. */
static void
test_seqno(void **state OVS_UNUSED)
{
    struct ports p;
    unsigned int seqno;

    ports_init(&p);
    seqno = p.seqno;
    ports_clear(&p);
    ports_remove(&p, u16_to_ofp(1));
    assert_int_equal(p.seqno, seqno);

    put(&p, "eth1", 1, 1);
    assert_int_not_equal(p.seqno, seqno);
    seqno = p.seqno;
    put(&p, "eth1", 1, 1);
    ports_remove(&p, u16_to_ofp(2));
    assert_int_equal(p.seqno, seqno);

    put(&p, "eth1", 1, 2);
    assert_int_not_equal(p.seqno, seqno);
    seqno = p.seqno;
    put(&p, "eth2", 1, 2);
    assert_int_not_equal(p.seqno, seqno);
    seqno = p.seqno;
    ports_remove(&p, u16_to_ofp(1));
    assert_int_not_equal(p.seqno, seqno);

    put(&p, "eth1", 1, 1);
    seqno = p.seqno;
    ports_clear(&p);
    assert_int_not_equal(p.seqno, seqno);
    ports_destroy(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coming_and_going),
        cmocka_unit_test(test_changing),
        cmocka_unit_test(test_seqno),
    };
    return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
