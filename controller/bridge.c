/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "bridge.h"

#include <string.h>

#include "flowset.h"
#include "inventory.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofp-switch.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "ports.h"
#include "requests.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bridge);

enum {
    MAX_BACKOFF_S = 8, /* The channel knows earlier; see bridge_reconnect(). */
    PROBE_S = 5,       /* Over a network; rconn skips local sockets. */

    /* Changes by others that come within this time cost one audit. */
    SETTLE_MS = 50,

    /* Pause after the switch refused our flows. */
    RETRY_MS = 1000,

    MESSAGES_PER_RUN = 64,
};

enum bridge_state {
    BRIDGE_IDLE,     /* Nothing to do until 'next_audit'. */
    BRIDGE_DUMPING,  /* Waiting for flows and meters. */
    BRIDGE_CHANGING, /* Waiting for the bundle to be committed. */
    BRIDGE_REMOVING, /* Waiting for the barrier behind removals. */
    BRIDGE_REMOVED
};

struct bridge {
    char *target;
    struct rconn *rconn;
    unsigned int connection; /* rconn_get_connection_seqno() handled. */

    struct ports ports;
    struct eth_addr mac; /* The bridge's own, as last told. */
    uint64_t id;         /* Its datapath id, 0 while not known. */
    ovs_be32 ports_xid;  /* Of the question for ports, 0 once answered. */
    bool listing;        /* Has part of it been answered? */
    bool ports_known;    /* Has it ever been answered? */

    struct flowset *wanted; /* NULL at first. */
    enum bridge_state state;
    bool in_place;
    bool told_in_place;        /* Has that been logged? */
    bool told_refusal;         /* Has a refusal been logged? */
    bool no_meters;            /* Has the switch refused a meter? */
    bool differences_expected; /* Is a difference found not somebody else's? */
    long long int next_audit;  /* time_msec(). */
    unsigned int audits_begun;
    unsigned int audit_seqno; /* 'audits_begun' when the last one to be
                               * finished began. */

    /* The audit in progress, or the last one. */
    struct inventory inventory;

    /* Where the meters and groups of a wanted set before were.  They are to be
     * deleted when no flow of ours names them any more. */
    uint32_t old_id_base;
    bool has_old_ids;

    /* The change in progress. */
    uint32_t bundle_id;
    ovs_be32 commit_xid;
    ovs_be32 first_meter_xid, last_meter_xid;

    ovs_be32 barrier_xid; /* Of the removal in progress. */
};

struct bridge *
bridge_create(const char *target)
{
    struct bridge *b = xzalloc(sizeof *b);

    b->target = xstrdup(target);
    b->rconn = rconn_create(PROBE_S, MAX_BACKOFF_S, DSCP_DEFAULT,
                            1u << OFP15_VERSION);
    b->next_audit = LLONG_MAX;
    inventory_init(&b->inventory);
    ports_init(&b->ports);
    rconn_connect(b->rconn, target, target);
    b->connection = rconn_get_connection_seqno(b->rconn);
    return b;
}

static void
free_wanted(struct bridge *b)
{
    if (b->wanted) {
        flowset_destroy(b->wanted);
        free(b->wanted);
        b->wanted = NULL;
    }
}

void
bridge_destroy(struct bridge *b)
{
    if (b) {
        rconn_destroy(b->rconn);
        inventory_clear(&b->inventory);
        free_wanted(b);
        ports_destroy(&b->ports);
        free(b->target);
        free(b);
    }
}

void
bridge_reconnect(struct bridge *b)
{
    if (!rconn_is_connected(b->rconn)) {
        rconn_connect(b->rconn, b->target, b->target);
    }
}

bool
bridge_is_connected(const struct bridge *b)
{
    return rconn_is_connected(b->rconn);
}

bool
bridge_get_mac(const struct bridge *b, struct eth_addr *mac)
{
    *mac = b->mac;
    return !eth_addr_is_zero(b->mac);
}

bool
bridge_get_id(const struct bridge *b, uint64_t *id)
{
    *id = b->id;
    return b->id != 0;
}

const struct ports *
bridge_ports(const struct bridge *b)
{
    return b->ports_known && !b->ports_xid ? &b->ports : NULL;
}

bool
bridge_is_in_place(const struct bridge *b)
{
    return b->in_place;
}

bool
bridge_is_complete(const struct bridge *b)
{
    return b->in_place && !b->wanted->partial;
}

unsigned int
bridge_audit_seqno(const struct bridge *b)
{
    return b->audit_seqno;
}

const struct flowset *
bridge_wanted(const struct bridge *b)
{
    return b->wanted;
}

const struct inventory *
bridge_inventory(const struct bridge *b)
{
    return &b->inventory;
}

/* Sends 'msg' and returns its transaction id. */
static ovs_be32
send_message(struct bridge *b, struct ofpbuf *msg)
{
    ovs_be32 xid = ((struct ofp_header *) msg->data)->xid;

    rconn_send(b->rconn, msg, NULL);
    return xid;
}

/* Audits. */

static void
audit_within(struct bridge *b, int ms)
{
    b->next_audit = MIN(b->next_audit, time_msec() + ms);
}

unsigned int
bridge_audit(struct bridge *b)
{
    if (bridge_is_connected(b)) {
        audit_within(b, 0);
    }

    /* One that is under way may have read already what changed since. */
    return b->audits_begun;
}

BUILD_ASSERT_DECL((int) FLOWSET_MAX_METERS <= (int) GROUP_MAX_IDS);

/* Returns true if 'id' is one of the wanted set's range, of meters or groups.
 */
static bool
is_wanted_id(const struct bridge *b, uint32_t id)
{
    return b->wanted && id - b->wanted->id_base < GROUP_MAX_IDS;
}

/* Sends the deletion of all meters that are ours from 'id_base' on, and of the
 * relay's group, or of all groups if 'groups', but for those of the wanted
 * set's range if 'keep_wanted'.  What is not there is deleted without an
 * error. */
static void
delete_ids(struct bridge *b, uint32_t id_base, bool groups, bool keep_wanted)
{
    for (uint32_t i = 0; i < FLOWSET_MAX_METERS; i++) {
        if (!keep_wanted || !is_wanted_id(b, id_base + i)) {
            send_message(b, request_no_meter(id_base + i));
        }
    }
    for (uint32_t i = 0; i < GROUP_MAX_IDS; i++) {
        if ((groups || i == FLOWSET_MESH_GROUP)
            && (!keep_wanted || !is_wanted_id(b, id_base + i))) {
            send_message(b, group_encode_deletion(id_base + i));
        }
    }
}

void
bridge_set_wanted(struct bridge *b, struct flowset *set)
{
    if (b->wanted && b->wanted->id_base != set->id_base) {
        b->old_id_base = b->wanted->id_base;
        b->has_old_ids = true;
    }
    free_wanted(b);
    inventory_clear(&b->inventory);
    b->wanted = set;
    b->in_place = false;
    b->told_refusal = false;
    b->no_meters = false;
    b->differences_expected = true;
    if (b->state == BRIDGE_DUMPING || b->state == BRIDGE_CHANGING) {
        b->state = BRIDGE_IDLE;
    }
    if (bridge_is_connected(b)) {
        audit_within(b, 0);
    }
}

/* Sends 'requests', which it empties.  Returns the id of the last one. */
static ovs_be32
send_messages(struct bridge *b, struct ovs_list *requests)
{
    struct ofpbuf *request;
    ovs_be32 xid = 0;

    LIST_FOR_EACH_POP (request, list_node, requests) {
        xid = send_message(b, request);
    }
    return xid;
}

/* Asks for everything of ours. */
static void
begin_audit(struct bridge *b)
{
    struct ovs_list requests = OVS_LIST_INITIALIZER(&requests);

    inventory_ask(&b->inventory, b->wanted->id_base, &requests);
    send_messages(b, &requests);
    b->state = BRIDGE_DUMPING;
    b->audits_begun++;
    b->next_audit = time_msec() + BRIDGE_AUDIT_MS;
}

/* Returns the message that brings the 'i'th of our meter ids to what is
 * wanted, or NULL if it is there already.  Sets '*added' if the meter was not
 * there. */
static struct ofpbuf *
change_meter(const struct bridge *b, size_t i, bool *added)
{
    const struct ofputil_meter_config *there =
        inventory_meter(&b->inventory, i);
    struct ofputil_meter_mod mm;

    if (i >= b->wanted->n_meters) {
        return (there && !b->wanted->partial
                    ? request_no_meter(there->meter_id)
                    : NULL);
    }
    if (wanted_meter_equal(&b->wanted->meters[i], there)) {
        return NULL;
    }
    *added |= !there;
    mm = b->wanted->meters[i].mm;
    mm.command = there ? OFPMC13_MODIFY : OFPMC13_ADD;
    return ofputil_encode_meter_mod(OFP15_VERSION, &mm);
}

/* Brings the meters to what is wanted.  Meters are not among the messages that
 * a bundle may hold in Open vSwitch, and flows may name only meters that are
 * there, so this comes before the bundle.  Returns the number of changes, and
 * sets '*added' if a meter was not there. */
static size_t
change_meters(struct bridge *b, bool *added)
{
    size_t n = 0;

    *added = false;
    for (size_t i = 0; i < FLOWSET_MAX_METERS && !b->no_meters; i++) {
        struct ofpbuf *msg = change_meter(b, i, added);
        if (msg) {
            b->last_meter_xid = send_message(b, msg);
            if (!n++) {
                b->first_meter_xid = b->last_meter_xid;
            }
        }
    }
    return n;
}

/* Notes that the switch has what it should have. */
static void
set_in_place(struct bridge *b)
{
    if (b->has_old_ids) {
        delete_ids(b, b->old_id_base, true, true);
        b->has_old_ids = false;
    }
    if (!b->told_in_place) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 10);
        VLOG_INFO_RL(&rl,
                     "%s: %" PRIuSIZE " flows, %" PRIuSIZE
                     " meters and %" PRIuSIZE " groups in place",
                     b->target, hmap_count(&b->wanted->flows),
                     b->wanted->n_meters, b->wanted->n_groups);
    }
    b->in_place = true;
    b->told_in_place = true;
    b->told_refusal = false;
    b->differences_expected = false;
    b->state = BRIDGE_IDLE;
}

/* Compares what the switch has with what is wanted and makes up for the
 * difference. */
static void
finish_audit(struct bridge *b)
{
    struct ovs_list requests = OVS_LIST_INITIALIZER(&requests);
    size_t n_flows =
        flowset_compare(b->wanted, &b->inventory.flows, &b->inventory.groups);
    bool meter_added;
    size_t n_meters = change_meters(b, &meter_added);

    b->audit_seqno = b->audits_begun;
    if (!n_flows && !n_meters) {
        set_in_place(b);
        return;
    }
    if (!b->differences_expected) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl,
                     "%s: somebody else changed or removed %" PRIuSIZE
                     " of our flows or groups and %" PRIuSIZE
                     " of our meters; putting them back",
                     b->target, n_flows, n_meters);
    }

    if (meter_added) {
        /* Open vSwitch binds a flow to a meter when the flow is installed.  A
         * flow that was there before its meter would go without, or with
         * whatever meter has taken the old one's place. */
        flowset_distrust(b->wanted);
    }

    /* An empty bundle is sent all the same: its commitment tells that the
     * switch is done with the meters. */
    flowset_changes(b->wanted, &b->inventory.flows, &b->inventory.groups,
                    &requests);
    b->told_in_place = false;
    requests_bundle(&requests, ++b->bundle_id);
    b->commit_xid = send_messages(b, &requests);
    b->state = BRIDGE_CHANGING;
}

/* Messages from the switch. */

/* Asks for what is needed once for each connection. */
static void
greet_switch(struct bridge *b)
{
    struct ovs_list requests = OVS_LIST_INITIALIZER(&requests);

    send_message(b, request_news());
    send_message(b, request_features());
    b->ports_xid = send_message(b, request_ports());
    b->listing = false;
    request_flow_monitors(&requests);
    send_messages(b, &requests);
}

static void
handle_features(struct bridge *b, const struct ofp_header *oh)
{
    struct ofpbuf msg = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_switch_features features;

    if (!ofputil_pull_switch_features(&msg, &features)) {
        b->id = features.datapath_id;
    }
}

/* Takes in the description of a port. */
static void
put_port(struct bridge *b, const struct ofputil_phy_port *port)
{
    ports_put(&b->ports, port);
    if (port->port_no == OFPP_LOCAL && !eth_addr_is_zero(port->hw_addr)
        && !eth_addr_equals(b->mac, port->hw_addr)) {
        VLOG_DBG("%s: bridge MAC is " ETH_ADDR_FMT, b->target,
                 ETH_ADDR_ARGS(port->hw_addr));
        b->mac = port->hw_addr;
    }
}

static void
handle_port_status(struct bridge *b, const struct ofp_header *oh)
{
    struct ofputil_port_status ps;

    if (ofputil_decode_port_status(oh, &ps)) {
        return;
    }
    if (ps.reason == OFPPR_DELETE) {
        ports_remove(&b->ports, ps.desc.port_no);
    } else {
        put_port(b, &ps.desc);
    }
}

static void
handle_port_desc(struct bridge *b, const struct ofp_header *oh)
{
    struct ofpbuf msg = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_phy_port port;

    if (oh->xid != b->ports_xid) {
        return;
    }
    if (!b->listing) {
        ports_clear(&b->ports); /* Those of the last connection. */
        b->listing = true;
    }
    ofpraw_pull_assert(&msg);
    while (!ofputil_pull_phy_port(oh->version, &msg, &port)) {
        put_port(b, &port);
    }
    if (!ofpmp_more(oh)) {
        b->ports_xid = 0;
        b->ports_known = true;
    }
}

/* Looks whether a flow monitor's message is about what somebody else did. */
static void
handle_flow_update(struct bridge *b, const struct ofp_header *oh)
{
    struct ofpbuf msg = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofpbuf ofpacts;

    ofpbuf_init(&ofpacts, 0);
    for (;;) {
        struct ofputil_flow_update update;
        int retval = ofputil_decode_flow_update(&update, &msg, &ofpacts);

        if (retval) {
            break;
        }
        if (update.event != OFPFME_ABBREV) {
            audit_within(b, SETTLE_MS);
        }
    }
    ofpbuf_uninit(&ofpacts);
}

static void
handle_bundle_control(struct bridge *b, const struct ofp_header *oh)
{
    if (b->state == BRIDGE_CHANGING && oh->xid == b->commit_xid) {
        set_in_place(b);
    }
}

/* Returns true if 'xid' is between 'first' and 'last'. */
static bool
xid_between(ovs_be32 xid, ovs_be32 first, ovs_be32 last)
{
    return ntohl(xid) - ntohl(first) <= ntohl(last) - ntohl(first);
}

static void
handle_error(struct bridge *b, const struct ofp_header *oh)
{
    const char *error = ofperr_to_string(ofperr_decode_msg(oh, NULL));

    if (b->state == BRIDGE_DUMPING
        && inventory_asks_flows(&b->inventory, oh->xid)) {
        inventory_clear(&b->inventory);
        b->state = BRIDGE_IDLE;
        audit_within(b, RETRY_MS);
    } else if (inventory_refused(&b->inventory, oh->xid)) {
        VLOG_DBG("%s: no meters or no groups: %s", b->target, error);
    } else if (b->state != BRIDGE_CHANGING) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl, "%s: the switch refused a message: %s", b->target,
                     error);
    } else if (oh->xid == b->commit_xid) {
        if (!b->told_refusal) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
            VLOG_ERR_RL(&rl,
                        "%s: the switch refused our flows, trying again: %s",
                        b->target, error);
        }
        b->told_refusal = true;
        b->state = BRIDGE_IDLE;
        b->in_place = false;
        audit_within(b, RETRY_MS);
    } else if (xid_between(oh->xid, b->first_meter_xid, b->last_meter_xid)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl,
                     "%s: the switch refused a meter, punts are not "
                     "limited to relay.max_pps: %s",
                     b->target, error);
        b->no_meters = true;
    } else if (!b->told_refusal) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_ERR_RL(&rl, "%s: the switch refused a flow or group: %s",
                    b->target, error);
    }
}

static void
handle_barrier_reply(struct bridge *b, const struct ofp_header *oh)
{
    if (b->state == BRIDGE_REMOVING && oh->xid == b->barrier_xid) {
        b->state = BRIDGE_REMOVED;
    }
}

static void
handle_message(struct bridge *b, const struct ofp_header *oh)
{
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        return;
    }
    switch ((int) type) {
    case OFPTYPE_ECHO_REQUEST:
        send_message(b, ofputil_encode_echo_reply(oh));
        break;
    case OFPTYPE_FEATURES_REPLY: handle_features(b, oh); break;
    case OFPTYPE_PORT_STATUS: handle_port_status(b, oh); break;
    case OFPTYPE_PORT_DESC_STATS_REPLY: handle_port_desc(b, oh); break;
    case OFPTYPE_FLOW_STATS_REPLY:
    case OFPTYPE_METER_CONFIG_STATS_REPLY:
    case OFPTYPE_METER_STATS_REPLY:
    case OFPTYPE_GROUP_DESC_STATS_REPLY:
    case OFPTYPE_GROUP_STATS_REPLY: inventory_take(&b->inventory, oh); break;
    case OFPTYPE_REQUESTFORWARD: audit_within(b, SETTLE_MS); break;

    case OFPTYPE_FLOW_MONITOR_STATS_REPLY: handle_flow_update(b, oh); break;
    case OFPTYPE_BUNDLE_CONTROL: handle_bundle_control(b, oh); break;
    case OFPTYPE_BARRIER_REPLY: handle_barrier_reply(b, oh); break;
    case OFPTYPE_ERROR: handle_error(b, oh); break;
    default: break;
    }
}

/* Begins anew after the connection came up or went down. */
static void
handle_connection_change(struct bridge *b)
{
    unsigned int connection = rconn_get_connection_seqno(b->rconn);

    if (connection == b->connection) {
        return;
    }
    b->connection = connection;
    b->in_place = false;
    if (b->state == BRIDGE_REMOVING || b->state == BRIDGE_REMOVED) {
        b->state = BRIDGE_REMOVED;
        return;
    }
    b->state = BRIDGE_IDLE;
    b->told_in_place = false;
    b->told_refusal = false;
    b->no_meters = false;
    b->differences_expected = true;
    inventory_clear(&b->inventory);
    if (rconn_is_connected(b->rconn)) {
        greet_switch(b);
        b->next_audit = time_msec();
    } else {
        b->next_audit = LLONG_MAX;
    }
}

void
bridge_run(struct bridge *b)
{
    rconn_run(b->rconn);
    handle_connection_change(b);
    for (int i = 0; i < MESSAGES_PER_RUN; i++) {
        struct ofpbuf *msg = rconn_recv(b->rconn);
        if (!msg) {
            break;
        }
        handle_message(b, msg->data);
        ofpbuf_delete(msg);
    }

    if (!rconn_is_connected(b->rconn) || !b->wanted) {
        return;
    }
    /* The result of an audit stays to be looked at for at least one run. */
    if (b->state == BRIDGE_IDLE && time_msec() >= b->next_audit
        && !b->ports_xid) {
        begin_audit(b);
    } else if (b->state == BRIDGE_DUMPING
               && inventory_is_complete(&b->inventory)) {
        finish_audit(b);
    }
}

void
bridge_wait(struct bridge *b)
{
    rconn_run_wait(b->rconn);
    rconn_recv_wait(b->rconn);
    if (b->state == BRIDGE_IDLE && b->wanted && !b->ports_xid
        && b->next_audit != LLONG_MAX) {
        poll_timer_wait_until(b->next_audit);
    }
}

/* Removal. */

void
bridge_remove(struct bridge *b, uint32_t id_base, bool everything)
{
    b->in_place = false;
    if (!rconn_is_connected(b->rconn)) {
        b->state = BRIDGE_REMOVED;
        return;
    }

    send_message(b, request_no_flows(COOKIE_RELAY));
    if (everything) {
        send_message(b, request_no_flows(COOKIE_REPLICATE));
    }
    delete_ids(b, id_base, everything, false);
    if (b->has_old_ids) {
        delete_ids(b, b->old_id_base, everything, false);
    }
    b->barrier_xid =
        send_message(b, ofputil_encode_barrier_request(OFP15_VERSION));
    b->state = BRIDGE_REMOVING;
}

bool
bridge_is_removed(const struct bridge *b)
{
    return b->state == BRIDGE_REMOVED || !rconn_is_connected(b->rconn);
}
