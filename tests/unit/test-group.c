/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "group.h"

#include "support.h"
#include "support-group.h"

#include "flow.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "util.h"

#define COPY                                                                  \
    "group_id=7,type=all,"                                                    \
    "bucket=bucket_id=11,actions=set_field:02:00:00:00:00:01->eth_dst,"       \
    "set_field:10.1.0.1->ip_dst,set_field:7343->udp_dst,output:LOCAL,"        \
    "bucket=bucket_id=12,actions=output:eth1,"                                \
    "bucket=bucket_id=13,actions=drop"
#define SPREAD                                                                \
    "group_id=7,type=select,selection_method=hash,fields(ip_src,ipv6_src),"   \
    "bucket=bucket_id=11,actions=output:LOCAL,"                               \
    "bucket=bucket_id=12,actions=output:eth1"

static struct ofputil_port_map port_map;

static int
make_ports(void **state OVS_UNUSED)
{
    ofputil_port_map_init(&port_map);
    ofputil_port_map_put(&port_map, u16_to_ofp(1), "eth1");
    ofputil_port_map_put(&port_map, u16_to_ofp(2), "eth2");
    return 0;
}

static int
forget_ports(void **state OVS_UNUSED)
{
    ofputil_port_map_destroy(&port_map);
    return 0;
}

/* A group that is wanted, and what the switch has. */
struct fixture {
    struct wanted_group group;
    struct wanted_group *wanted[1];
    struct ovs_list installed;
};

/* Makes the group of 'text' the wanted one, with the bucket 'open' being open
 * if that is not 0. */
static void
want(struct fixture *f, const char *text, uint32_t open)
{
    uint32_t *ids = open ? xmemdup(&open, sizeof open) : NULL;

    assert_no_error(wanted_group_init(&f->group, xstrdup(text), &port_map, ids,
                                      open ? 1 : 0));
    f->wanted[0] = &f->group;
    ovs_list_init(&f->installed);
}

static void
destroy(struct fixture *f)
{
    wanted_group_uninit(&f->group);
    installed_groups_clear(&f->installed);
    assert_true(ovs_list_is_empty(&f->installed));
}

/* Adds to 'installed' the group of 'text'. */
static void
install(struct ovs_list *installed, const char *text)
{
    enum ofputil_protocol usable;
    struct ofputil_group_mod gm;

    assert_no_error(parse_ofp_group_mod_str(&gm, OFPGC11_ADD, text, &port_map,
                                            NULL, &usable));
    struct ofpbuf *msg =
        ofputil_encode_group_mod(OFP15_VERSION, &gm, NULL, -1);
    install_message(installed, msg);
    ofpbuf_delete(msg);
    ofputil_uninit_group_mod(&gm);
}

/* Fails the test unless comparing finds 'n' differences, and the wanted group
 * in place or not. */
static void
assert_compares(struct fixture *f, size_t n, bool in_place)
{
    assert_int_equal(groups_compare(f->wanted, 1, &f->installed), n);
    assert_int_equal(f->group.in_place, in_place);
}

/* Does what the group says, on a switch that then has it as wanted. */
static void
put_in_place(struct fixture *f, uint16_t command)
{
    struct ofputil_group_mod gm;

    struct ofpbuf *msg = group_encode(&f->group);
    const struct ofp_header *oh = msg->data;
    assert_int_equal(oh->version, OFP15_VERSION);
    assert_int_equal(ofputil_decode_group_mod(oh, &gm), 0);
    assert_int_equal(gm.command, command);
    assert_int_equal(gm.group_id, f->group.gm.group_id);
    ofputil_uninit_group_mod(&gm);

    installed_groups_clear(&f->installed);
    install_message(&f->installed, msg);
    ofpbuf_delete(msg);
    assert_compares(f, 0, true);
}

/* Returns the 'i'th bucket of 'buckets'. */
static struct ofputil_bucket *
bucket(const struct ovs_list *buckets, size_t i)
{
    struct ofputil_bucket *b;

    LIST_FOR_EACH (b, list_node, buckets) {
        if (!i--) {
            return b;
        }
    }
    fail();
    return NULL;
}

static void
test_parsing(void **state OVS_UNUSED)
{
    struct fixture f;

    want(&f, COPY, 13);
    assert_string_equal(f.group.text, COPY);
    assert_int_equal(f.group.gm.group_id, 7);
    assert_int_equal(f.group.gm.type, OFPGT11_ALL);
    assert_int_equal(ovs_list_size(&f.group.gm.buckets), 3);
    assert_int_equal(bucket(&f.group.gm.buckets, 0)->bucket_id, 11);
    assert_int_equal(bucket(&f.group.gm.buckets, 2)->bucket_id, 13);
    assert_int_equal(bucket(&f.group.gm.buckets, 2)->ofpacts_len, 0);
    assert_int_equal(f.group.n_open, 1);
    assert_int_equal(f.group.open[0], 13);
    destroy(&f);

    want(&f, SPREAD, 0);
    assert_int_equal(f.group.gm.type, OFPGT11_SELECT);
    assert_string_equal(f.group.gm.props.selection_method, "hash");
    assert_int_equal(f.group.n_open, 0);
    destroy(&f);
}

/* Then text and ids stay the caller's. */
static void
test_wrong_texts(void **state OVS_UNUSED)
{
    static const struct {
        const char *text, *message;
    } texts[] = {
        { "group_id=7,type=some", "invalid group type some" },
        { "type=all", "must specify a group_id" },
        { "group_id=7,type=all,bucket=actions=output:eth9",
          "eth9: output to unknown port" },
        { "group_id=7,type=all,bucket=bucket_id=1,actions=up", "*" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct wanted_group group;
        char *text = xstrdup(texts[i].text);
        uint32_t *open = xcalloc(1, sizeof *open);

        assert_error(wanted_group_init(&group, text, &port_map, open, 1),
                     texts[i].message);
        free(text);
        free(open);
    }
}

static void
test_all_in_place(void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        COPY,
        SPREAD,
        "group_id=7,type=all",
        "group_id=7,type=select,selection_method=hash,fields(ip_src,ipv6_src)",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct fixture f;

        want(&f, texts[i], 0);
        install(&f.installed, texts[i]);
        assert_compares(&f, 0, true);
        assert_true(f.group.exists);
        assert_true(CONTAINER_OF(ovs_list_front(&f.installed),
                                 struct installed_group, node)
                        ->wanted);
        put_in_place(&f, OFPGC11_MODIFY);
        destroy(&f);
    }
}

static void
test_nothing_in_place(void **state OVS_UNUSED)
{
    static const char *const texts[] = { COPY, SPREAD };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct fixture f;

        want(&f, texts[i], 0);
        assert_compares(&f, 1, false);
        assert_false(f.group.exists);
        put_in_place(&f, OFPGC11_ADD);
        destroy(&f);
    }
}

/* Groups that are like SPREAD, or COPY, but for one thing. */
static void
test_each_difference_is_found(void **state OVS_UNUSED)
{
#define METHOD "selection_method=hash,fields(ip_src,ipv6_src),"
#define TO_LOCAL "bucket=bucket_id=11,actions=output:LOCAL"
#define TO_ETH1 "bucket=bucket_id=12,actions=output:eth1"
    static const struct {
        const char *wanted, *installed;
    } pairs[] = {
        { SPREAD, "group_id=7,type=all," TO_LOCAL "," TO_ETH1 },
        { SPREAD, "group_id=7,type=select," TO_LOCAL "," TO_ETH1 },
        { SPREAD, "group_id=7,type=select,selection_method=dp_hash," TO_LOCAL
                  "," TO_ETH1 },
        { SPREAD, "group_id=7,type=select,selection_method=hash,"
                  "fields(ip_src)," TO_LOCAL "," TO_ETH1 },
        { SPREAD, "group_id=7,type=select,selection_method=hash,"
                  "fields(ip_src,ipv6_src,ip_dst)," TO_LOCAL "," TO_ETH1 },
        { SPREAD,
          "group_id=7,type=select,selection_method=hash,"
          "fields(ip_src=255.255.0.0,ipv6_src)," TO_LOCAL "," TO_ETH1 },
        { SPREAD, "group_id=7,type=select,selection_method=hash,"
                  "selection_method_param=1,fields(ip_src,ipv6_src)," TO_LOCAL
                  "," TO_ETH1 },
        { SPREAD, "group_id=7,type=select," METHOD TO_LOCAL },
        { SPREAD, "group_id=7,type=select," METHOD TO_ETH1 },
        { SPREAD, "group_id=7,type=select," METHOD TO_ETH1 "," TO_LOCAL },
        { SPREAD, "group_id=7,type=select," METHOD TO_LOCAL "," TO_ETH1
                  ",bucket=bucket_id=13,actions=output:eth2" },
        { SPREAD, "group_id=7,type=select," METHOD TO_LOCAL
                  ",bucket=bucket_id=13,actions=output:eth1" },
        { SPREAD, "group_id=7,type=select," METHOD TO_LOCAL
                  ",bucket=bucket_id=12,actions=output:eth2" },
        { SPREAD, "group_id=7,type=select," METHOD TO_LOCAL
                  ",bucket=bucket_id=12,weight:2,actions=output:eth1" },
        { SPREAD, "group_id=7,type=select," METHOD TO_LOCAL
                  ",bucket=bucket_id=12,watch_port:2,actions=output:eth1" },
        { SPREAD, "group_id=7,type=select," METHOD TO_LOCAL
                  ",bucket=bucket_id=12,watch_group:9,actions=output:eth1" },
        { SPREAD, "group_id=7,type=select," METHOD TO_LOCAL
                  ",bucket=bucket_id=12,actions=drop" },
        { SPREAD, "group_id=7,type=select," METHOD TO_LOCAL
                  ",bucket=bucket_id=12,actions=output:eth1,output:eth1" },
        { "group_id=7,type=all," TO_LOCAL,
          "group_id=7,type=indirect,bucket=actions=output:LOCAL" },
        { SPREAD, "group_id=7,type=select,selection_method=hash,"
                  "fields(ip_dst,ipv6_src)," TO_LOCAL "," TO_ETH1 },
        { "group_id=7,type=all", "group_id=7,type=select" },
        { "group_id=7,type=all", "group_id=7,type=all," TO_LOCAL },
        { "group_id=7,type=all," TO_LOCAL, "group_id=7,type=all" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        struct fixture f;

        want(&f, pairs[i].wanted, 0);
        install(&f.installed, pairs[i].installed);
        assert_compares(&f, 1, false);
        assert_true(f.group.exists);
        put_in_place(&f, OFPGC11_MODIFY);
        destroy(&f);
    }
}

/* Changes one thing of 'desc', which is installed, at random.  Each may have a
 * few values, so that two changes may undo each other. */
static void
change_at_random(struct ofputil_group_desc *desc, uint32_t *seed)
{
    size_t n = ovs_list_size(&desc->buckets);
    struct ofputil_bucket *b = bucket(&desc->buckets, next_random(seed) % n);
    uint32_t value = next_random(seed) % 2 + 1;

    switch (next_random(seed) % 9) {
    case 0: b->bucket_id += value; break;
    case 1: b->weight += value; break;
    case 2: b->watch_port = u16_to_ofp(value); break;
    case 3: b->watch_group = value; break;
    case 4: b->ofpacts_len = 0; break;
    case 5:
        ofpact_get_OUTPUT(b->ofpacts)->port = u16_to_ofp(40 + value);
        break;
    case 6: desc->props.selection_method_param += value; break;
    case 7: desc->props.selection_method[value] = 'x'; break;
    case 8:
        desc->props.fields
            .values[next_random(seed) % desc->props.fields.values_size] ^=
            value;
        break;
    }
}

static void
test_random_changes_are_found(void **state OVS_UNUSED)
{
    uint32_t seed = 30;

    for (int i = 0; i < 1000; i++) {
        struct fixture f;

        want(&f, SPREAD, 0);
        install(&f.installed, SPREAD);
        struct installed_group *inst = CONTAINER_OF(
            ovs_list_front(&f.installed), struct installed_group, node);
        change_at_random(&inst->desc, &seed);
        assert_compares(&f, 1, false);
        put_in_place(&f, OFPGC11_MODIFY);
        destroy(&f);
    }
}

static void
test_open_buckets(void **state OVS_UNUSED)
{
#define OPEN "bucket=bucket_id=12,actions=drop"
    static const struct {
        const char *wanted, *installed; /* Bucket 12 is the open one. */
        bool in_place;
        const char *result;
    } groups[] = {
        /* There is one: it stays, whatever it does. */
        { "group_id=7,type=all," TO_LOCAL "," OPEN,
          "group_id=7,type=all," TO_LOCAL "," TO_ETH1, true,
          "group_id=7,type=all," TO_LOCAL "," TO_ETH1 },
        { "group_id=7,type=select," METHOD TO_LOCAL "," OPEN, SPREAD, true,
          SPREAD },

        /* It stays where something else is to be changed. */
        { "group_id=7,type=all," TO_LOCAL "," OPEN,
          "group_id=7,type=all," TO_ETH1, false,
          "group_id=7,type=all," TO_LOCAL "," TO_ETH1 },
        { "group_id=7,type=select," METHOD OPEN "," TO_LOCAL, SPREAD, false,
          "group_id=7,type=select," METHOD TO_ETH1 "," TO_LOCAL },
        { "group_id=7,type=select," METHOD TO_LOCAL "," OPEN,
          "group_id=7,type=all," TO_ETH1, false, SPREAD },

        /* Just the actions stay. */
        { "group_id=7,type=select," METHOD TO_LOCAL "," OPEN,
          "group_id=7,type=select," METHOD TO_LOCAL
          ",bucket=bucket_id=12,weight:9,actions=output:eth1",
          false, SPREAD },

        /* There is none. */
        { "group_id=7,type=all," TO_LOCAL "," OPEN, NULL, false,
          "group_id=7,type=all," TO_LOCAL "," OPEN },
        { "group_id=7,type=all," TO_LOCAL "," OPEN,
          "group_id=7,type=all," TO_LOCAL, false,
          "group_id=7,type=all," TO_LOCAL "," OPEN },
        { "group_id=7,type=all," TO_LOCAL "," OPEN,
          "group_id=7,type=all," TO_LOCAL "," OPEN, true,
          "group_id=7,type=all," TO_LOCAL "," OPEN },
        { "group_id=7,type=select," METHOD TO_LOCAL "," OPEN, NULL, false,
          "group_id=7,type=select," METHOD TO_LOCAL },
        { "group_id=7,type=select," METHOD TO_LOCAL "," OPEN,
          "group_id=7,type=select," METHOD TO_LOCAL, true,
          "group_id=7,type=select," METHOD TO_LOCAL },
        { "group_id=7,type=select," METHOD TO_LOCAL "," OPEN,
          "group_id=7,type=select," METHOD TO_LOCAL "," OPEN, false,
          "group_id=7,type=select," METHOD TO_LOCAL },
        { "group_id=7,type=select," METHOD OPEN, NULL, false,
          "group_id=7,type=select,selection_method=hash,"
          "fields(ip_src,ipv6_src)" },

        /* Another group has one. */
        { "group_id=8,type=all," TO_LOCAL "," OPEN,
          "group_id=7,type=all," TO_LOCAL "," TO_ETH1, false,
          "group_id=8,type=all," TO_LOCAL "," OPEN },
    };

    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        struct fixture f, result;
        bool other = !strncmp(groups[i].wanted, "group_id=8", 10);

        want(&f, groups[i].wanted, 12);
        if (groups[i].installed) {
            install(&f.installed, groups[i].installed);
        }
        assert_compares(&f, !groups[i].in_place + other, groups[i].in_place);
        put_in_place(&f, groups[i].installed && !other ? OFPGC11_MODIFY
                                                       : OFPGC11_ADD);

        /* What is there now is the result, and comparing changes nothing. */
        want(&result, groups[i].result, 0);
        assert_int_equal(groups_compare(result.wanted, 1, &f.installed), 0);
        destroy(&result);
        assert_compares(&f, 0, true);
        destroy(&f);
    }
}

/* A bucket that only says "drop" is not open, and is never left out. */
static void
test_closed_buckets(void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        "group_id=7,type=all," TO_LOCAL "," OPEN,
        "group_id=7,type=select," METHOD TO_LOCAL "," OPEN,
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct fixture f;

        want(&f, texts[i], 11);
        install(&f.installed,
                i ? SPREAD : "group_id=7,type=all," TO_LOCAL "," TO_ETH1);
        assert_compares(&f, 1, false);
        put_in_place(&f, OFPGC11_MODIFY);

        const struct installed_group *inst =
            installed_group_find(&f.installed, 7);
        assert_int_equal(ovs_list_size(&inst->desc.buckets), 2);
        assert_int_equal(bucket(&inst->desc.buckets, 1)->ofpacts_len, 0);
        assert_true(bucket(&inst->desc.buckets, 0)->ofpacts_len > 0);
        destroy(&f);
    }
}

static void
test_several_groups(void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        "group_id=1,type=all,bucket=bucket_id=1,actions=output:eth1",
        "group_id=2,type=all,bucket=bucket_id=1,actions=output:eth1",
        "group_id=3,type=all,bucket=bucket_id=1,actions=output:eth1",
    };
    struct ovs_list installed = OVS_LIST_INITIALIZER(&installed);
    struct wanted_group groups[ARRAY_SIZE(texts)];
    struct wanted_group *wanted[ARRAY_SIZE(texts)];

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_no_error(wanted_group_init(&groups[i], xstrdup(texts[i]),
                                          &port_map, NULL, 0));
        wanted[i] = &groups[i];
    }
    /* 2 is as it should be, 3 is not, 1 is not there, 4 and 5 should not. */
    install(&installed, "group_id=5,type=all");
    install(&installed, texts[1]);
    install(&installed, "group_id=3,type=all");
    install(&installed, "group_id=4,type=all");

    for (int again = 0; again < 2; again++) {
        assert_int_equal(groups_compare(wanted, 3, &installed), 4);
        assert_false(groups[0].in_place || groups[0].exists);
        assert_true(groups[1].in_place && groups[1].exists);
        assert_true(!groups[2].in_place && groups[2].exists);
        for (uint32_t id = 2; id <= 5; id++) {
            assert_int_equal(installed_group_find(&installed, id)->wanted,
                             id <= 3);
        }
        assert_null(installed_group_find(&installed, 1));
    }

    /* Nothing of an earlier comparison remains. */
    assert_int_equal(groups_compare(wanted, 1, &installed), 5);
    assert_false(installed_group_find(&installed, 2)->wanted);
    assert_int_equal(groups_compare(wanted, 0, &installed), 4);
    installed_groups_clear(&installed);
    assert_int_equal(groups_compare(wanted, 3, &installed), 3);
    assert_false(groups[1].in_place || groups[1].exists);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        wanted_group_uninit(&groups[i]);
    }
}

static void
test_deletion(void **state OVS_UNUSED)
{
    struct ofputil_group_mod gm;
    struct ofpbuf *msg = group_encode_deletion(0x534e07);

    assert_int_equal(ofputil_decode_group_mod(msg->data, &gm), 0);
    assert_int_equal(gm.command, OFPGC11_DELETE);
    assert_int_equal(gm.group_id, 0x534e07);
    assert_true(ovs_list_is_empty(&gm.buckets));
    ofputil_uninit_group_mod(&gm);
    ofpbuf_delete(msg);
}

static void
test_counts(void **state OVS_UNUSED)
{
    struct bucket_counter counters[4] = {
        { 10, 1000 }, { 20, 2000 }, { 30, 3000 }, { 40, 4000 }
    };
    struct ofputil_group_stats stats = { .group_id = 7,
                                         .n_buckets = 3,
                                         .bucket_stats = counters };
    struct ovs_list installed = OVS_LIST_INITIALIZER(&installed);

    install(&installed, COPY);
    struct installed_group *group = installed_group_find(&installed, 7);
    assert_int_equal(group->n_counts, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(group->counts[i].bucket_id, 11 + i);
        assert_int_equal(group->counts[i].sends, i < 2);
        assert_int_equal(group->counts[i].n_packets, 0);
    }
    installed_group_count(group, &stats);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(group->counts[i].n_packets, 10 * (i + 1));
        assert_int_equal(group->counts[i].n_bytes, 1000 * (i + 1));
    }

    /* Changed by somebody in between: more, or fewer. */
    stats.n_buckets = 4;
    installed_group_count(group, &stats);
    stats.n_buckets = 1;
    counters[0].packet_count = 11;
    installed_group_count(group, &stats);
    assert_int_equal(group->counts[0].n_packets, 11);
    assert_int_equal(group->counts[1].n_packets, 20);
    installed_groups_clear(&installed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parsing),
        cmocka_unit_test(test_wrong_texts),
        cmocka_unit_test(test_all_in_place),
        cmocka_unit_test(test_nothing_in_place),
        cmocka_unit_test(test_each_difference_is_found),
        cmocka_unit_test(test_random_changes_are_found),
        cmocka_unit_test(test_open_buckets),
        cmocka_unit_test(test_closed_buckets),
        cmocka_unit_test(test_several_groups),
        cmocka_unit_test(test_deletion),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests_name("group", tests, make_ports,
                                       forget_ports);
}
