/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "bridge.h"

#include <string.h>

#include "flowset.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
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

    /* What the switch said of itself. */
    struct eth_addr mac;
    bool mac_known;

    struct flowset *wanted; /* NULL at first. */
    enum bridge_state state;
    bool in_place;
    bool told_refusal;         /* Has a refusal been logged? */
    bool no_meters;            /* Has the switch refused a meter? */
    bool differences_expected; /* Is a difference found not somebody else's? */
    long long int next_audit;  /* time_msec(). */
    unsigned int audit_seqno;

    /* The audit in progress, or the last one. */
    struct ovs_list installed; /* Of "struct installed_flow". */
    struct ofputil_meter_config meters[FLOWSET_MAX_METERS];
    bool meter_found[FLOWSET_MAX_METERS]; /* By id, less 'wanted->id_base'. */
    ovs_be32 flows_xid, meters_xid;       /* 0 once answered. */

    /* Meters of a wanted set before, to be deleted when no flow of ours names
     * them any more. */
    uint32_t old_id_base;
    size_t n_old_meters;

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
    ovs_list_init(&b->installed);
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

/* Forgets what the last audit found. */
static void
clear_installed(struct bridge *b)
{
    installed_flows_clear(&b->installed);
    for (size_t i = 0; i < FLOWSET_MAX_METERS; i++) {
        free(b->meters[i].bands);
        b->meters[i].bands = NULL;
        b->meter_found[i] = false;
    }
}

void
bridge_destroy(struct bridge *b)
{
    if (b) {
        rconn_destroy(b->rconn);
        clear_installed(b);
        free_wanted(b);
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
    return b->mac_known;
}

bool
bridge_is_in_place(const struct bridge *b)
{
    return b->in_place;
}

unsigned int
bridge_audit_seqno(const struct bridge *b)
{
    return b->audit_seqno;
}

const struct flowset *
bridge_wanted(const struct bridge *b, const struct ovs_list **installed)
{
    *installed = &b->installed;
    return b->wanted;
}

const struct ofputil_meter_config *
bridge_installed_meter(const struct bridge *b, size_t i)
{
    return b->meter_found[i] ? &b->meters[i] : NULL;
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
    audit_within(b, 0);

    /* An audit under way may have read already what changed since. */
    return b->audit_seqno + (b->state == BRIDGE_DUMPING);
}

/* Sends the deletion of the 'n' meters from 'id_base' on. */
static void
delete_meters(struct bridge *b, uint32_t id_base, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        send_message(b, request_no_meter(id_base + i));
    }
}

void
bridge_set_wanted(struct bridge *b, struct flowset *set)
{
    if (b->wanted && b->wanted->id_base != set->id_base) {
        b->old_id_base = b->wanted->id_base;
        b->n_old_meters = b->wanted->n_meters;
    }
    free_wanted(b);
    clear_installed(b);
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

/* Asks for our flows and for all meters. */
static void
begin_audit(struct bridge *b)
{
    clear_installed(b);
    b->flows_xid = send_message(b, request_flows());
    b->meters_xid = send_message(b, request_meters());
    b->state = BRIDGE_DUMPING;
    b->next_audit = time_msec() + BRIDGE_AUDIT_MS;
}

/* Returns the message that brings the 'i'th of our meter ids to what is
 * wanted, or NULL if it is there already.  Sets '*added' if the meter was not
 * there. */
static struct ofpbuf *
change_meter(const struct bridge *b, size_t i, bool *added)
{
    const struct ofputil_meter_config *there = bridge_installed_meter(b, i);
    struct ofputil_meter_mod mm;

    if (i >= b->wanted->n_meters) {
        return there ? request_no_meter(there->meter_id) : NULL;
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

/* Sends the flow mods in 'requests', which it empties, as one bundle. */
static void
send_bundle(struct bridge *b, struct ovs_list *requests)
{
    struct ofpbuf *request;

    requests_bundle(requests, ++b->bundle_id);
    LIST_FOR_EACH_POP (request, list_node, requests) {
        b->commit_xid = send_message(b, request);
    }
}

/* Notes that the switch has what it should have. */
static void
set_in_place(struct bridge *b)
{
    delete_meters(b, b->old_id_base, b->n_old_meters);
    b->n_old_meters = 0;
    if (!b->in_place) {
        VLOG_INFO("%s: %" PRIuSIZE " flows and %" PRIuSIZE " meters in place",
                  b->target, hmap_count(&b->wanted->flows),
                  b->wanted->n_meters);
    }
    b->in_place = true;
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
    size_t n_flows = flowset_compare(b->wanted, &b->installed);
    bool meter_added;
    size_t n_meters = change_meters(b, &meter_added);

    b->audit_seqno++;
    if (!n_flows && !n_meters) {
        set_in_place(b);
        return;
    }
    if (!b->differences_expected) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl,
                     "%s: somebody else changed or removed %" PRIuSIZE
                     " of our flows and %" PRIuSIZE " of our meters; "
                     "putting them back",
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
    flowset_changes(b->wanted, &b->installed, &requests);
    send_bundle(b, &requests);
    b->state = BRIDGE_CHANGING;
}

/* Messages from the switch. */

/* Asks for what is needed once for each connection. */
static void
greet_switch(struct bridge *b)
{
    send_message(b, request_port_status());
    send_message(b, request_local_port());
    send_message(b, request_flow_monitor());
}

/* Takes the bridge's MAC from the description of its local port. */
static void
take_local_port(struct bridge *b, const struct ofputil_phy_port *port)
{
    if (port->port_no != OFPP_LOCAL || eth_addr_is_zero(port->hw_addr)
        || (b->mac_known && eth_addr_equals(b->mac, port->hw_addr))) {
        return;
    }
    VLOG_INFO("%s: bridge MAC is " ETH_ADDR_FMT, b->target,
              ETH_ADDR_ARGS(port->hw_addr));
    b->mac = port->hw_addr;
    b->mac_known = true;
}

static void
handle_port_status(struct bridge *b, const struct ofp_header *oh)
{
    struct ofputil_port_status ps;

    if (!ofputil_decode_port_status(oh, &ps)) {
        take_local_port(b, &ps.desc);
    }
}

static void
handle_port_desc(struct bridge *b, const struct ofp_header *oh)
{
    struct ofpbuf msg = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_phy_port port;

    ofpraw_pull_assert(&msg);
    while (!ofputil_pull_phy_port(oh->version, &msg, &port)) {
        take_local_port(b, &port);
    }
}

static void
handle_flow_stats(struct bridge *b, const struct ofp_header *oh)
{
    struct ofpbuf msg = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_flow_stats fs;
    struct ofpbuf ofpacts;

    if (b->state != BRIDGE_DUMPING || oh->xid != b->flows_xid) {
        return;
    }
    ofpbuf_init(&ofpacts, 0);
    while (!ofputil_decode_flow_stats_reply(&fs, &msg, true, &ofpacts)) {
        installed_flow_add(&b->installed, &fs);
    }
    ofpbuf_uninit(&ofpacts);
    if (!ofpmp_more(oh)) {
        b->flows_xid = 0;
    }
}

static void
handle_meter_config(struct bridge *b, const struct ofp_header *oh)
{
    struct ofpbuf msg = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_meter_config config;
    struct ofpbuf bands;

    if (b->state != BRIDGE_DUMPING || oh->xid != b->meters_xid) {
        return;
    }
    ofpbuf_init(&bands, 0);
    while (!ofputil_decode_meter_config(&msg, &config, &bands)) {
        uint32_t i = config.meter_id - b->wanted->id_base;

        if (i < FLOWSET_MAX_METERS) {
            free(b->meters[i].bands);
            b->meters[i] = config;
            b->meters[i].bands =
                xmemdup(config.bands, config.n_bands * sizeof *config.bands);
            b->meter_found[i] = true;
        }
    }
    ofpbuf_uninit(&bands);
    if (!ofpmp_more(oh)) {
        b->meters_xid = 0;
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

    if (oh->xid == b->meters_xid && b->state == BRIDGE_DUMPING) {
        b->meters_xid = 0; /* A datapath without meters. */
    } else if (oh->xid == b->flows_xid && b->state == BRIDGE_DUMPING) {
        b->state = BRIDGE_IDLE;
        audit_within(b, RETRY_MS);
    } else if (b->state != BRIDGE_CHANGING) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
        VLOG_WARN_RL(&rl, "%s: the switch refused a message: %s", b->target,
                     error);
    } else if (oh->xid == b->commit_xid) {
        if (!b->told_refusal) {
            VLOG_ERR("%s: the switch refused our flows (%s); trying again",
                     b->target, error);
        }
        b->told_refusal = true;
        b->state = BRIDGE_IDLE;
        b->in_place = false;
        audit_within(b, RETRY_MS);
    } else if (xid_between(oh->xid, b->first_meter_xid, b->last_meter_xid)) {
        VLOG_WARN("%s: the switch refused a meter (%s); punts are not "
                  "limited to relay.max_pps",
                  b->target, error);
        b->no_meters = true;
    } else if (!b->told_refusal) {
        VLOG_ERR("%s: the switch refused a flow: %s", b->target, error);
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
    case OFPTYPE_PORT_STATUS: handle_port_status(b, oh); break;
    case OFPTYPE_PORT_DESC_STATS_REPLY: handle_port_desc(b, oh); break;
    case OFPTYPE_FLOW_STATS_REPLY: handle_flow_stats(b, oh); break;
    case OFPTYPE_METER_CONFIG_STATS_REPLY: handle_meter_config(b, oh); break;
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
    b->told_refusal = false;
    b->no_meters = false;
    b->differences_expected = true;
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
    if (b->state == BRIDGE_DUMPING && !b->flows_xid && !b->meters_xid) {
        finish_audit(b);
    }
    if (b->state == BRIDGE_IDLE && time_msec() >= b->next_audit) {
        begin_audit(b);
    }
}

void
bridge_wait(struct bridge *b)
{
    rconn_run_wait(b->rconn);
    rconn_recv_wait(b->rconn);
    if (b->state == BRIDGE_IDLE && b->wanted && b->next_audit != LLONG_MAX) {
        poll_timer_wait_until(b->next_audit);
    }
}

/* Removal. */

void
bridge_remove(struct bridge *b)
{
    b->in_place = false;
    if (!rconn_is_connected(b->rconn)) {
        b->state = BRIDGE_REMOVED;
        return;
    }

    send_message(b, request_no_flows());
    if (b->wanted) {
        delete_meters(b, b->wanted->id_base, b->wanted->n_meters);
    }
    delete_meters(b, b->old_id_base, b->n_old_meters);
    b->barrier_xid =
        send_message(b, ofputil_encode_barrier_request(OFP15_VERSION));
    b->state = BRIDGE_REMOVING;
}

bool
bridge_is_removed(const struct bridge *b)
{
    return b->state == BRIDGE_REMOVED || !rconn_is_connected(b->rconn);
}
