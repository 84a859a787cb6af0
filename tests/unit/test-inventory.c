/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "inventory.h"

#include "support.h"

#include "flow.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "requests.h"
#include "util.h"

enum { ID_BASE = 7000 };

/* An inventory, the questions it asks, and the answer to one of them. */
struct fixture {
    struct inventory inv;
    struct ovs_list questions;
    struct ovs_list replies;
};

/* Returns the question for 'part'. */
static struct ofpbuf *
question(const struct fixture *f, enum inventory_part part)
{
    struct ofpbuf *msg;
    int i = 0;

    LIST_FOR_EACH (msg, list_node, &f->questions) {
        if (i++ == (int) part) {
            return msg;
        }
    }
    fail();
    return NULL;
}

static ovs_be32
xid_of(const struct fixture *f, enum inventory_part part)
{
    return ((const struct ofp_header *) question(f, part)->data)->xid;
}

static void
setup(struct fixture *f)
{
    inventory_init(&f->inv);
    ovs_list_init(&f->questions);
    ovs_list_init(&f->replies);
    assert_true(inventory_is_complete(&f->inv));
    inventory_ask(&f->inv, ID_BASE, &f->questions);
    assert_int_equal(ovs_list_size(&f->questions), N_INVENTORY_PARTS);
    assert_false(inventory_is_complete(&f->inv));
}

static void
teardown(struct fixture *f)
{
    inventory_clear(&f->inv);
    assert_true(ovs_list_is_empty(&f->inv.flows));
    assert_true(ovs_list_is_empty(&f->inv.groups));
    ofpbuf_list_delete(&f->questions);
    ofpbuf_list_delete(&f->replies);
}

static void
begin_reply(struct fixture *f, enum inventory_part part)
{
    ofpbuf_list_delete(&f->replies);
    ofpmp_init(&f->replies, question(f, part)->data);
}

/* Gives the messages of the answer to the inventory, the first 'n' at most. */
static void
give(struct fixture *f, size_t n)
{
    struct ofpbuf *msg;

    LIST_FOR_EACH (msg, list_node, &f->replies) {
        if (n > 0) {
            n--;
            ofpmsg_update_length(msg);
            void *copy = copy_exactly(msg->data, msg->size);
            inventory_take(&f->inv, copy);
            free(copy);
        }
    }
}

/* Answers with nothing. */
static void
give_nothing(struct fixture *f, enum inventory_part part)
{
    begin_reply(f, part);
    give(f, SIZE_MAX);
}

static void
append_flow(struct fixture *f, uint16_t port)
{
    struct ofputil_flow_stats fs = { .cookie = htonll(COOKIE_RELAY),
                                     .priority = 7,
                                     .packet_count = port,
                                     .idle_age = -1,
                                     .hard_age = -1 };
    uint64_t stub[64 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);

    ofpact_put_OUTPUT(&ofpacts)->port = OFPP_NORMAL;
    match_init_catchall(&fs.match);
    match_set_default_packet_type(&fs.match);
    match_set_dl_type(&fs.match, htons(ETH_TYPE_IP));
    match_set_nw_proto(&fs.match, IPPROTO_UDP);
    match_set_tp_dst(&fs.match, htons(port));
    fs.ofpacts = ofpacts.data;
    fs.ofpacts_len = ofpacts.size;
    ofputil_append_flow_stats_reply(&fs, &f->replies, NULL);
    ofpbuf_uninit(&ofpacts);
}

/* Appends the group 'id' with two buckets, and its counts. */
static void
append_group(struct fixture *f, uint32_t id)
{
    enum ofputil_protocol usable;
    struct ofputil_group_mod gm;
    char *text = xasprintf("group_id=%u,type=all,"
                           "bucket=bucket_id=1,actions=output:1,"
                           "bucket=bucket_id=2,actions=drop",
                           id);

    assert_no_error(
        parse_ofp_group_mod_str(&gm, OFPGC11_ADD, text, NULL, NULL, &usable));
    const struct ofputil_group_desc desc = { .type = gm.type,
                                             .group_id = id,
                                             .props = gm.props };
    ofputil_append_group_desc_reply(&desc, &gm.buckets, &f->replies);
    ofputil_uninit_group_mod(&gm);
    free(text);
}

static void
append_group_counts(struct fixture *f, uint32_t id)
{
    struct bucket_counter counters[] = { { id, 10 * id },
                                         { id + 1, 10 * id + 1 } };
    const struct ofputil_group_stats stats = { .group_id = id,
                                               .n_buckets = 2,
                                               .bucket_stats = counters };

    ofputil_append_group_stats(&f->replies, &stats);
}

static void
append_meter(struct fixture *f, uint32_t id, uint32_t rate)
{
    struct ofputil_meter_band band = { .type = OFPMBT13_DROP, .rate = rate };
    const struct ofputil_meter_config config = {
        .meter_id = id, .flags = OFPMF13_KBPS, .n_bands = 1, .bands = &band
    };

    ofputil_append_meter_config(&f->replies, &config);
}

/* Ids of ours, and of others beside them. */
static const uint32_t ids[] = {
    ID_BASE - 1,   ID_BASE, ID_BASE + 1, ID_BASE + 255, ID_BASE + 256,
    ID_BASE + 257, 1
};

static bool
is_our_group(uint32_t id)
{
    return id >= ID_BASE && id <= ID_BASE + 256;
}

static void
test_questions(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f);
    for (int i = 0; i < N_INVENTORY_PARTS; i++) {
        assert_true(f.inv.xids[i] && f.inv.xids[i] == xid_of(&f, i));
        assert_int_equal(inventory_asks_flows(&f.inv, xid_of(&f, i)),
                         i == INVENTORY_FLOWS);
        for (int j = 0; j < i; j++) {
            assert_true(f.inv.xids[i] != f.inv.xids[j]);
        }
    }
    for (int i = 0; i < N_INVENTORY_PARTS; i++) {
        assert_false(inventory_is_complete(&f.inv));
        give_nothing(&f, i);
        assert_int_equal(f.inv.xids[i], 0);
        assert_false(inventory_asks_flows(&f.inv, xid_of(&f, i)));
    }
    assert_true(inventory_is_complete(&f.inv));
    assert_false(inventory_asks_flows(&f.inv, 0));
    teardown(&f);
}

static void
test_flows(void **state OVS_UNUSED)
{
    const struct installed_flow *flow;
    struct fixture f;
    uint16_t port = 1;

    setup(&f);
    begin_reply(&f, INVENTORY_FLOWS);
    append_flow(&f, 1);
    append_flow(&f, 2);
    give(&f, SIZE_MAX);
    assert_int_equal(ovs_list_size(&f.inv.flows), 2);
    LIST_FOR_EACH (flow, node, &f.inv.flows) {
        assert_int_equal(flow->fs.match.flow.tp_dst, htons(port));
        assert_int_equal(flow->fs.packet_count, port);
        assert_int_equal(flow->fs.ofpacts->type, OFPACT_OUTPUT);
        port++;
    }
    teardown(&f);
}

static void
test_meters(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f);
    begin_reply(&f, INVENTORY_METERS);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        append_meter(&f, ids[i], 100 + i);
    }
    append_meter(&f, ID_BASE, 99); /* Once more: the last one counts. */
    give(&f, SIZE_MAX);
    for (size_t i = 0; i < FLOWSET_MAX_METERS; i++) {
        const struct ofputil_meter_config *config = inventory_meter(&f.inv, i);

        assert_int_equal(config != NULL, i < 2 || i == 255);
        if (config) {
            assert_int_equal(config->meter_id, ID_BASE + i);
            assert_int_equal(config->n_bands, 1);
            assert_int_equal(config->bands[0].rate, i == 0   ? 99
                                                    : i == 1 ? 102
                                                             : 103);
        }
    }
    inventory_clear(&f.inv);
    assert_null(inventory_meter(&f.inv, 0));
    teardown(&f);
}

/* Those of others are left alone. */
static void
test_groups(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f);
    begin_reply(&f, INVENTORY_GROUPS);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        append_group(&f, ids[i]);
    }
    give(&f, SIZE_MAX);
    begin_reply(&f, INVENTORY_GROUP_COUNTS);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        append_group_counts(&f, ids[i]);
    }
    append_group_counts(&f, ID_BASE + 9); /* Not described. */
    give(&f, SIZE_MAX);

    assert_int_equal(ovs_list_size(&f.inv.groups), 4);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        const struct installed_group *group =
            installed_group_find(&f.inv.groups, ids[i]);

        assert_int_equal(group != NULL, is_our_group(ids[i]));
        if (group) {
            assert_int_equal(group->n_counts, 2);
            for (uint32_t j = 0; j < 2; j++) {
                assert_int_equal(group->counts[j].bucket_id, 1 + j);
                assert_int_equal(group->counts[j].n_packets, ids[i] + j);
                assert_int_equal(group->counts[j].n_bytes, 10 * ids[i] + j);
            }
            assert_true(group->counts[0].sends && !group->counts[1].sends);
        }
    }
    teardown(&f);
}

/* An answer that takes several messages is one only with the last of them. */
static void
test_answers_of_several_messages(void **state OVS_UNUSED)
{
    enum { N_FLOWS = 2000 };
    struct fixture f;

    setup(&f);
    begin_reply(&f, INVENTORY_FLOWS);
    for (int i = 0; i < N_FLOWS; i++) {
        append_flow(&f, i);
    }
    assert_in_range(ovs_list_size(&f.replies), 2, 10);
    give(&f, 1);
    assert_in_range(ovs_list_size(&f.inv.flows), 1, N_FLOWS - 1);
    assert_true(f.inv.xids[INVENTORY_FLOWS] != 0);
    assert_true(inventory_asks_flows(&f.inv, xid_of(&f, INVENTORY_FLOWS)));

    ofpbuf_delete(ofpbuf_from_list(ovs_list_pop_front(&f.replies)));
    give(&f, SIZE_MAX);
    assert_int_equal(ovs_list_size(&f.inv.flows), N_FLOWS);
    assert_int_equal(f.inv.xids[INVENTORY_FLOWS], 0);
    teardown(&f);

    setup(&f);
    begin_reply(&f, INVENTORY_GROUPS);
    for (uint32_t i = 0; i < 2000; i++) {
        append_group(&f, ID_BASE - 1000 + i);
    }
    assert_in_range(ovs_list_size(&f.replies), 2, 10);
    give(&f, SIZE_MAX);
    assert_int_equal(ovs_list_size(&f.inv.groups), GROUP_MAX_IDS);
    assert_int_equal(f.inv.xids[INVENTORY_GROUPS], 0);
    teardown(&f);
}

/* What answers something else. */
static void
test_other_messages(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f);
    begin_reply(&f, INVENTORY_FLOWS);
    append_flow(&f, 1);
    struct ofpbuf *reply = ofpbuf_from_list(ovs_list_front(&f.replies));
    struct ofp_header *oh = reply->data;

    /* Another question, or another kind of answer. */
    oh->xid = xid_of(&f, INVENTORY_GROUPS);
    give(&f, SIZE_MAX);
    oh->xid = htonl(0x12345678);
    give(&f, SIZE_MAX);
    assert_true(ovs_list_is_empty(&f.inv.flows));

    /* The same one once more, after it was answered, or nobody's. */
    oh->xid = xid_of(&f, INVENTORY_FLOWS);
    give(&f, SIZE_MAX);
    assert_int_equal(ovs_list_size(&f.inv.flows), 1);
    give(&f, SIZE_MAX);
    oh->xid = 0;
    give(&f, SIZE_MAX);
    assert_int_equal(ovs_list_size(&f.inv.flows), 1);
    assert_false(inventory_is_complete(&f.inv));

    struct ofpbuf *barrier =
        ofpraw_alloc(OFPRAW_OFPT11_BARRIER_REQUEST, OFP15_VERSION, 0);
    oh = barrier->data;
    oh->xid = xid_of(&f, INVENTORY_GROUPS);
    inventory_take(&f.inv, oh);
    assert_true(f.inv.xids[INVENTORY_GROUPS] != 0);
    ofpbuf_delete(barrier);
    teardown(&f);
}

/* A switch without meters says no, and the rest goes on. */
static void
test_refusals(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f);
    assert_false(inventory_refused(&f.inv, htonl(0x12345678)));
    assert_false(inventory_refused(&f.inv, 0));
    for (int i = 0; i < N_INVENTORY_PARTS; i++) {
        assert_false(inventory_is_complete(&f.inv));
        assert_true(inventory_refused(&f.inv, xid_of(&f, i)));
        assert_false(inventory_refused(&f.inv, xid_of(&f, i)));
    }
    assert_true(inventory_is_complete(&f.inv));
    assert_false(inventory_refused(&f.inv, 0));
    teardown(&f);
}

/* Asking again forgets everything, the old questions included. */
static void
test_asking_again(void **state OVS_UNUSED)
{
    struct fixture f;

    setup(&f);
    begin_reply(&f, INVENTORY_FLOWS);
    append_flow(&f, 1);
    give(&f, SIZE_MAX);
    begin_reply(&f, INVENTORY_METERS);
    append_meter(&f, ID_BASE, 1);
    give(&f, SIZE_MAX);
    begin_reply(&f, INVENTORY_GROUPS);
    append_group(&f, ID_BASE);
    give(&f, SIZE_MAX);

    ofpbuf_list_delete(&f.questions);
    inventory_ask(&f.inv, ID_BASE + 1, &f.questions);
    assert_true(ovs_list_is_empty(&f.inv.flows));
    assert_true(ovs_list_is_empty(&f.inv.groups));
    assert_null(inventory_meter(&f.inv, 0));
    give(&f, SIZE_MAX);
    assert_true(ovs_list_is_empty(&f.inv.groups));

    begin_reply(&f, INVENTORY_METERS);
    append_meter(&f, ID_BASE, 1);
    append_meter(&f, ID_BASE + 1, 2);
    give(&f, SIZE_MAX);
    assert_int_equal(inventory_meter(&f.inv, 0)->meter_id, ID_BASE + 1);
    assert_null(inventory_meter(&f.inv, 255));

    inventory_clear(&f.inv);
    assert_true(inventory_is_complete(&f.inv));
    teardown(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_flows),
        cmocka_unit_test(test_meters),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_answers_of_several_messages),
        cmocka_unit_test(test_other_messages),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_asking_again),
    };
    return cmocka_run_group_tests_name("inventory", tests, NULL, NULL);
}
