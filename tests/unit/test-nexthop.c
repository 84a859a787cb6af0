/* SPDX-License-Identifier: Apache-2.0 */

/* Next hops against the real kernel, in a network namespace of this test's
 * own, with neighbours in a second one.  Both go with the test, however it
 * ends. */

#include <config.h>
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "endpoint.h"
#include "nexthop.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

enum {
    TIMEOUT_MS = 60000, /* Long enough for anything but a mistake. */

    /* For nexthops_set_intervals(): most goes faster here than elsewhere. */
    ASK_MS = NEXTHOP_ASK_MS / 10,
    PROBE_MS = NEXTHOP_PROBE_MS / 20,

    /* The kernel solicits so often, three times, until a neighbour that does
     * not answer fails. */
    SOLICIT_MS = 50
};

/* The neighbours' namespace is that of this process; they are the addresses of
 * its card v1, at the other end of v0. */
static pid_t neighbours;

static char log_file[] = "/tmp/snowrelay-XXXXXX";

static void run(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);
static void run_there(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);
static bool succeeds(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);

/* Runs the shell command 'format'. */
static void
run(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *command = xvasprintf(format, args);
    va_end(args);
    if (system(command)) {
        fail_msg("failed: %s", command);
    }
    free(command);
}

/* The same where the neighbours are. */
static void
run_there(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *command = xvasprintf(format, args);
    va_end(args);
    run("nsenter -t %d -n sh -c '%s'", neighbours, command);
    free(command);
}

/* Returns true if the shell command 'format' succeeds. */
static bool
succeeds(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *command = xvasprintf(format, args);
    va_end(args);
    int status = system(command);
    free(command);
    return !status;
}

/* Addresses of new interfaces are good at once, there are no others than those
 * that a test makes, and nothing is sent that no test wants. */
static void
quiet_ipv6(void)
{
    run("for name in all default; do"
        "    cd /proc/sys/net/ipv6/conf/$name &&"
        "    echo 0 > accept_dad && echo 0 > dad_transmits &&"
        "    echo 0 > accept_ra && echo 0 > router_solicitations &&"
        "    echo 1 > addr_gen_mode || exit 1;"
        " done");
}

/* A process to hold the neighbours' namespace. */
static pid_t
fork_namespace(void)
{
    int fds[2];
    char byte;

    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        close(fds[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!unshare(CLONE_NEWNET)) {
            quiet_ipv6();
            ignore(write(fds[1], "", 1));
            for (;;) {
                pause();
            }
        }
        _exit(1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    return pid;
}

static int
set_up_group(void **state OVS_UNUSED)
{
    int fd = mkstemp(log_file);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(vlog_set_log_file(log_file), 0);
    vlog_set_levels(vlog_module_from_name("nexthop"), VLF_FILE, VLL_DBG);
    vlog_set_levels(vlog_module_from_name("netlink_notifier"), VLF_FILE,
                    VLL_WARN);
    quiet_ipv6();
    run("ip link set lo up");
    return 0;
}

static int
tear_down_group(void **state OVS_UNUSED)
{
    vlog_close_log_file();
    unlink(log_file);
    return 0;
}

/* Makes the kernel solicit those behind 'device' every 'ms', three times. */
static void
set_solicitation(const char *device, int ms)
{
    run("for family in ipv4 ipv6; do"
        "    echo %d > /proc/sys/net/$family/neigh/%s/retrans_time_ms ||"
        "    exit 1;"
        " done",
        ms, device);
}

/* Makes v0 here and v1 there, with addresses of 10.1.0.0/24 and fd00:1::/64,
 * and fe80::a and fe80::2. */
static int
set_up(void **state)
{
    neighbours = fork_namespace();
    run("ip link add v0 address 02:00:00:00:00:01 type veth"
        " peer name v1 address 02:00:00:00:00:02 netns %d",
        neighbours);
    run("ip addr add 10.1.0.1/24 dev v0 && ip addr add fd00:1::1/64 dev v0 &&"
        " ip addr add fe80::a/64 dev v0 && ip link set v0 up");
    run_there("ip addr add 10.1.0.2/24 dev v1 &&"
              " ip addr add fd00:1::2/64 dev v1 &&"
              " ip addr add fe80::2/64 dev v1 && ip link set v1 up");
    /* Even without duplicate address detection the kernel takes its time. */
    run("for i in $(seq 200); do"
        "    ip -6 addr show dev v0 tentative | grep -q . || exit 0;"
        "    sleep 0.05;"
        " done; exit 1");
    set_solicitation("v0", SOLICIT_MS);
    *state = nexthops_create();
    nexthops_set_intervals(*state, ASK_MS, PROBE_MS);
    return 0;
}

static int
tear_down(void **state)
{
    nexthops_destroy(*state);
    run("for link in $(ip -o link | cut -d: -f2 | cut -d@ -f1); do"
        "    [ $link = lo ] || ip link del $link || exit 1;"
        " done;"
        " ip route flush table main; ip -6 route flush table main;"
        " ip nexthop flush > /dev/null; ip rule flush; ip -6 rule flush;"
        " for family in -4 -6; do ip $family rule add pref 32766 lookup main;"
        " done");
    kill(neighbours, SIGKILL);
    assert_int_equal(waitpid(neighbours, NULL, 0), neighbours);
    return 0;
}

static struct in6_addr
address(const char *text)
{
    struct in6_addr a;

    assert_true(address_from_text(text, &a));
    return a;
}

static void
set(struct nexthops *n, const char *const texts[], size_t n_texts)
{
    struct in6_addr addresses[64];

    assert_in_range(n_texts, 0, ARRAY_SIZE(addresses));
    for (size_t i = 0; i < n_texts; i++) {
        addresses[i] = address(texts[i]);
    }
    nexthops_set(n, addresses, n_texts);
}

#define SET(N, ...)                                                           \
    set(N, (const char *const[]){ __VA_ARGS__ },                              \
        ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

static const struct nexthop *
get(const struct nexthops *n, const char *text)
{
    struct in6_addr a = address(text);
    const struct nexthop *nh = nexthops_get(n, &a);

    if (!nh) {
        fail_msg("nothing is known of %s", text);
    }
    return nh;
}

/* One turn of a main loop, which begins after something happened or
 * 'deadline' came. */
static void
turn(struct nexthops *n, long long int deadline)
{
    nexthops_wait(n);
    poll_timer_wait_until(deadline);
    poll_block();
    nexthops_run(n);
}

/* Returns what is known of 'text' in a line: STATE, and unless that says it
 * all DEVICE GATEWAY SOURCE MAC.  The caller frees it. */
static char *
describe(const struct nexthops *n, const char *text)
{
    const struct nexthop *nh = get(n, text);
    char gateway[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN];

    if (nh->state == NEXTHOP_NO_ROUTE || nh->state == NEXTHOP_OWN) {
        return xstrdup(nexthop_state_name(nh->state));
    }
    return xasprintf(
        "%s %s %s %s " ETH_ADDR_FMT, nexthop_state_name(nh->state), nh->device,
        address_format(&nh->gateway, gateway),
        address_format(&nh->source, source), ETH_ADDR_ARGS(nh->mac));
}

/* Waits until the description of 'text' is 'expected'. */
static void
wait_until(struct nexthops *n, const char *text, const char *expected)
{
    long long int deadline = time_msec() + TIMEOUT_MS;

    for (;;) {
        char *found = describe(n, text);

        if (!strcmp(found, expected)) {
            free(found);
            return;
        } else if (time_msec() >= deadline) {
            fail_msg("%s: %s instead of %s", text, found, expected);
        }
        free(found);
        turn(n, deadline);
    }
}

/* Fails the test unless the description of 'text' is 'expected'. */
static void
assert_is(const struct nexthops *n, const char *text, const char *expected)
{
    char *found = describe(n, text);

    assert_string_equal(found, expected);
    free(found);
}

/* Waits until 'text' is in 'state'. */
static void
wait_for_state(struct nexthops *n, const char *text, enum nexthop_state state)
{
    long long int deadline = time_msec() + TIMEOUT_MS;

    while (get(n, text)->state != state) {
        if (time_msec() >= deadline) {
            fail_msg("%s: %s instead of %s", text,
                     nexthop_state_name(get(n, text)->state),
                     nexthop_state_name(state));
        }
        turn(n, deadline);
    }
}

/* Runs 'n' for 'ms', and returns how often it had to be run. */
static unsigned int
run_for(struct nexthops *n, int ms)
{
    long long int end = time_msec() + ms;
    unsigned int n_turns = 0;

    while (time_msec() < end) {
        turn(n, end);
        n_turns++;
    }
    return n_turns;
}

/* Runs 'n' until the shell command 'command' succeeds. */
static void
run_until(struct nexthops *n, const char *command)
{
    long long int deadline = time_msec() + TIMEOUT_MS;

    while (!succeeds("%s", command)) {
        if (time_msec() >= deadline) {
            fail_msg("in vain: %s", command);
        }
        run_for(n, 50);
    }
}

/* Returns how many lines with 'text' there are in the log. */
static unsigned int
count_in_log(const char *text)
{
    FILE *file = fopen(log_file, "r");
    unsigned int count = 0;
    char line[512];

    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        count += strstr(line, text) != NULL;
    }
    fclose(file);
    return count;
}

/* Returns how often everything was read again so far. */
static unsigned int
count_reads(void)
{
    return count_in_log("|DBG|reading ");
}

/* What the neighbours are in most tests. */
#define READY_2 "ready v0 10.1.0.2 10.1.0.1 02:00:00:00:00:02"
#define READY6_2 "ready v0 fd00:1::2 fd00:1::1 02:00:00:00:00:02"
#define NO_MAC "00:00:00:00:00:00"

static void
test_neighbours_on_the_link(void **state)
{
    SET(*state, "10.1.0.2", "fd00:1::2");
    wait_until(*state, "10.1.0.2", READY_2);
    wait_until(*state, "fd00:1::2", READY6_2);
}

static void
test_a_neighbour_that_the_kernel_knows_is_ready_at_once(void **state)
{
    run("ip neigh add 10.1.0.2 dev v0 lladdr 02:00:00:00:00:02 nud stale");
    run("ip neigh add fd00:1::2 dev v0 lladdr 02:00:00:00:00:02 nud stale");
    SET(*state, "10.1.0.2", "fd00:1::2");
    assert_is(*state, "10.1.0.2", READY_2);
    assert_is(*state, "fd00:1::2", READY6_2);
}

static void
test_routes_through_gateways(void **state)
{
    run("ip route add 10.2.0.0/16 via 10.1.0.2 &&"
        " ip route add fd00:2::/32 via fd00:1::2");
    SET(*state, "10.2.3.4", "fd00:2::5", "10.3.0.1", "fd00:3::1");
    wait_until(*state, "10.2.3.4", READY_2);
    wait_until(*state, "fd00:2::5", READY6_2);
    assert_is(*state, "10.3.0.1", "no route");
    assert_is(*state, "fd00:3::1", "no route");

    run("ip route add default via 10.1.0.2 &&"
        " ip route add default via fd00:1::2");
    wait_until(*state, "10.3.0.1", READY_2);
    wait_until(*state, "fd00:3::1", READY6_2);
}

static void
test_a_link_local_gateway(void **state)
{
    run("ip route add fd00:2::/32 via fe80::2 dev v0");
    SET(*state, "fd00:2::5", "fe80::2");
    wait_until(*state, "fd00:2::5",
               "ready v0 fe80::2 fd00:1::1 02:00:00:00:00:02");
    wait_until(*state, "fe80::2",
               "ready v0 fe80::2 fe80::a 02:00:00:00:00:02");
}

static void
test_ipv4_through_an_ipv6_gateway(void **state)
{
    run("ip route add 10.2.0.0/16 via inet6 fe80::2 dev v0 &&"
        " ip route add 10.3.0.0/16 via inet6 fd00:1::2 dev v0");
    SET(*state, "10.2.0.1", "10.3.0.1");
    wait_until(*state, "10.2.0.1",
               "ready v0 fe80::2 10.1.0.1 02:00:00:00:00:02");
    wait_until(*state, "10.3.0.1",
               "ready v0 fd00:1::2 10.1.0.1 02:00:00:00:00:02");
}

static void
test_routes_that_lead_nowhere(void **state)
{
    SET(*state, "10.9.0.1", "10.9.1.1", "10.9.2.1", "10.9.3.1", "fd00:9::1",
        "fd00:9:1::1", "fd00:9:2::1", "224.0.0.1", "10.1.0.255",
        "255.255.255.255", "ff02::1");
    run("ip route add default via 10.1.0.2 &&"
        " ip route add default via fd00:1::2");
    wait_until(*state, "10.9.0.1", READY_2);
    wait_until(*state, "fd00:9::1", READY6_2);
    run("ip route add blackhole 10.9.0.0/24 &&"
        " ip route add unreachable 10.9.1.0/24 &&"
        " ip route add prohibit 10.9.2.0/24 &&"
        " ip route add throw 10.9.3.0/24 &&"
        " ip route add blackhole fd00:9::/48 &&"
        " ip route add unreachable fd00:9:1::/48 &&"
        " ip route add prohibit fd00:9:2::/48 &&"
        " ip rule add to 10.9.3.0/24 blackhole");
    wait_until(*state, "10.9.0.1", "no route");
    wait_until(*state, "10.9.1.1", "no route");
    wait_until(*state, "10.9.2.1", "no route");
    wait_until(*state, "10.9.3.1", "no route");
    wait_until(*state, "fd00:9::1", "no route");
    wait_until(*state, "fd00:9:1::1", "no route");
    wait_until(*state, "fd00:9:2::1", "no route");
    assert_is(*state, "224.0.0.1", "no route");
    assert_is(*state, "10.1.0.255", "no route");
    assert_is(*state, "255.255.255.255", "no route");
    assert_is(*state, "ff02::1", "no route");
}

static void
test_own_addresses(void **state)
{
    SET(*state, "10.1.0.1", "fd00:1::1", "fe80::a", "127.0.0.1", "::1",
        "10.1.0.2");
    assert_is(*state, "10.1.0.1", "own");
    assert_is(*state, "fd00:1::1", "own");
    assert_is(*state, "fe80::a", "own");
    assert_is(*state, "127.0.0.1", "own");
    assert_is(*state, "::1", "own");
    wait_until(*state, "10.1.0.2", READY_2);

    /* Addresses come and go. */
    run_there("ip addr del 10.1.0.2/24 dev v1");
    run("ip addr add 10.1.0.2/24 dev v0");
    wait_until(*state, "10.1.0.2", "own");
    run("ip addr del 10.1.0.2/24 dev v0");
    run_there("ip addr add 10.1.0.2/24 dev v1");
    wait_until(*state, "10.1.0.2", READY_2);
}

static void
test_a_neighbour_that_answers_late(void **state)
{
    const char *addresses[] = { "10.1.0.3", "fd00:1::3" };

    set(*state, addresses, ARRAY_SIZE(addresses));
    assert_is(*state, "10.1.0.3", "pending v0 10.1.0.3 10.1.0.1 " NO_MAC);
    assert_is(*state, "fd00:1::3", "pending v0 fd00:1::3 fd00:1::1 " NO_MAC);
    wait_until(*state, "10.1.0.3", "failed v0 10.1.0.3 10.1.0.1 " NO_MAC);
    wait_until(*state, "fd00:1::3", "failed v0 fd00:1::3 fd00:1::1 " NO_MAC);

    /* It fails once, however often it is asked, and the kernel's entry comes
     * and goes, and is incomplete when it is read. */
    unsigned int seqno = nexthops_seqno(*state);
    set_solicitation("v0", 2 * ASK_MS);
    run_for(*state, 3 * ASK_MS);
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        run("ip neigh del %s dev v0", addresses[i]);
    }
    run_for(*state, 3 * ASK_MS);
    assert_int_equal(nexthops_seqno(*state), seqno);
    assert_int_equal(get(*state, "10.1.0.3")->state, NEXTHOP_FAILED);
    assert_int_equal(get(*state, "fd00:1::3")->state, NEXTHOP_FAILED);

    run_there("ip addr add 10.1.0.3/24 dev v1 &&"
              " ip addr add fd00:1::3/64 dev v1");
    wait_until(*state, "10.1.0.3",
               "ready v0 10.1.0.3 10.1.0.1 02:00:00:00:00:02");
    wait_until(*state, "fd00:1::3",
               "ready v0 fd00:1::3 fd00:1::1 02:00:00:00:00:02");
    assert_in_range(nexthops_seqno(*state) - seqno, 1, 2);
}

/* Makes w0 and w1, another pair of cards, with 10.3.0.1 and 10.3.0.2, and
 * fd00:3::1 and fd00:3::2. */
static void
add_second_pair(void)
{
    run("ip link add w0 type veth peer name w1 address 02:00:00:00:00:12"
        " netns %d && ip addr add 10.3.0.1/24 dev w0 &&"
        " ip addr add fd00:3::1/64 dev w0 && ip addr add fe80::1/64 dev w0 &&"
        " ip link set w0 up",
        neighbours);
    run_there("ip addr add 10.3.0.2/24 dev w1 &&"
              " ip addr add fd00:3::2/64 dev w1 && ip link set w1 up");
    set_solicitation("w0", SOLICIT_MS);
}

/* A card that is exchanged says nothing, neither does a host that is switched
 * off, and nobody but the module asks. */
static void
test_neighbours_that_change_silently(void **state)
{
    add_second_pair();
    SET(*state, "10.1.0.2", "fd00:1::2", "10.3.0.2", "fd00:3::2");
    wait_until(*state, "10.1.0.2", READY_2);
    wait_until(*state, "fd00:1::2", READY6_2);
    wait_until(*state, "10.3.0.2",
               "ready w0 10.3.0.2 10.3.0.1 02:00:00:00:00:12");
    wait_until(*state, "fd00:3::2",
               "ready w0 fd00:3::2 fd00:3::1 02:00:00:00:00:12");

    run_there("ip link set v1 address 02:00:00:00:00:22 &&"
              " ip addr flush dev w1");
    wait_until(*state, "10.3.0.2", "failed w0 10.3.0.2 10.3.0.1 " NO_MAC);
    wait_until(*state, "fd00:3::2", "failed w0 fd00:3::2 fd00:3::1 " NO_MAC);
    wait_until(*state, "10.1.0.2",
               "ready v0 10.1.0.2 10.1.0.1 02:00:00:00:00:22");
    wait_until(*state, "fd00:1::2",
               "ready v0 fd00:1::2 fd00:1::1 02:00:00:00:00:22");
}

static void
test_a_mac_address_that_the_kernel_learns(void **state)
{
    SET(*state, "10.1.0.2");
    wait_until(*state, "10.1.0.2", READY_2);
    unsigned int seqno = nexthops_seqno(*state);
    run("ip neigh replace 10.1.0.2 dev v0 lladdr 02:00:00:00:00:33"
        " nud permanent");
    wait_until(*state, "10.1.0.2",
               "ready v0 10.1.0.2 10.1.0.1 02:00:00:00:00:33");
    assert_int_equal(nexthops_seqno(*state), seqno + 1);
}

/* Asking would take away what makes these entries theirs who made them. */
static void
test_entries_of_somebody_else_stay_what_they_are(void **state)
{
    run("ip neigh add 10.1.0.5 dev v0 lladdr 02:00:00:00:00:05 nud permanent"
        " && ip neigh add 10.1.0.6 dev v0 lladdr 02:00:00:00:00:06 nud noarp"
        " && ip neigh add 10.1.0.7 dev v0 lladdr 02:00:00:00:00:07 nud stale"
        "    extern_learn"
        " && ip neigh add 10.1.0.2 dev v0 managed"
        " && ip neigh add fd00:1::5 dev v0 lladdr 02:00:00:00:00:05"
        "    nud permanent");
    SET(*state, "10.1.0.5", "10.1.0.6", "10.1.0.7", "fd00:1::5", "10.1.0.2");
    wait_until(*state, "10.1.0.2", READY_2);
    assert_is(*state, "10.1.0.5",
              "ready v0 10.1.0.5 10.1.0.1 02:00:00:00:00:05");
    assert_is(*state, "10.1.0.6",
              "ready v0 10.1.0.6 10.1.0.1 02:00:00:00:00:06");
    assert_is(*state, "10.1.0.7",
              "ready v0 10.1.0.7 10.1.0.1 02:00:00:00:00:07");
    assert_is(*state, "fd00:1::5",
              "ready v0 fd00:1::5 fd00:1::1 02:00:00:00:00:05");

    run_for(*state, PROBE_MS + ASK_MS);
    run("ip neigh show 10.1.0.5 | grep -q PERMANENT &&"
        " ip neigh show 10.1.0.6 nud all | grep -q NOARP &&"
        " ip neigh show 10.1.0.7 | grep -q 'extern_learn.*STALE' &&"
        " ip neigh show 10.1.0.2 | grep -q managed &&"
        " ip neigh show fd00:1::5 | grep -q PERMANENT");
}

/* The kernel forgets a neighbour, in one way and another. */
static void
test_a_deleted_entry_does_not_flap(void **state)
{
    const char *known = "ip neigh show dev v0 10.1.0.2 | grep -q lladdr &&"
                        " ip neigh show dev v0 fd00:1::2 | grep -q lladdr";

    SET(*state, "10.1.0.2", "fd00:1::2");
    wait_until(*state, "10.1.0.2", READY_2);
    wait_until(*state, "fd00:1::2", READY6_2);
    unsigned int seqno = nexthops_seqno(*state);

    run("ip neigh del 10.1.0.2 dev v0 && ip neigh del fd00:1::2 dev v0");
    run_until(*state, known);
    run("ip link set v0 address 02:00:00:00:00:11"); /* Forgets all. */
    run_until(*state, known);
    assert_int_equal(nexthops_seqno(*state), seqno);
    assert_is(*state, "10.1.0.2", READY_2);
    assert_is(*state, "fd00:1::2", READY6_2);

    /* But if it is deleted and does not answer it is gone. */
    run_there("ip addr flush dev v1");
    run("ip neigh del 10.1.0.2 dev v0 && ip neigh del fd00:1::2 dev v0");
    wait_for_state(*state, "10.1.0.2", NEXTHOP_FAILED);
    wait_for_state(*state, "fd00:1::2", NEXTHOP_FAILED);
}

static void
test_routes_that_change(void **state)
{
    const char *ready_w0 = "ready w0 10.3.0.2 10.3.0.1 02:00:00:00:00:12";

    add_second_pair();
    run_there("ip addr add 10.1.0.4/24 dev v1");
    run("ip route add 10.2.0.0/16 via 10.1.0.2");
    SET(*state, "10.2.0.1", "fd00:2::1");
    wait_until(*state, "10.2.0.1", READY_2);
    run_for(*state, 300); /* Whatever the first changes made be read again. */
    run("ip route add fd00:2::/48 via fd00:1::2");
    wait_until(*state, "fd00:2::1", READY6_2);
    run_for(*state, 300);

    run("ip route replace 10.2.0.0/16 via 10.1.0.4");
    wait_until(*state, "10.2.0.1",
               "ready v0 10.1.0.4 10.1.0.1 02:00:00:00:00:02");
    run("ip route add 10.2.0.0/24 via 10.3.0.2");
    wait_until(*state, "10.2.0.1", ready_w0);
    run("ip route del 10.2.0.0/24");
    wait_until(*state, "10.2.0.1",
               "ready v0 10.1.0.4 10.1.0.1 02:00:00:00:00:02");
    run("ip route del 10.2.0.0/16");
    wait_until(*state, "10.2.0.1", "no route");

    /* By rule, and by next hop object, of which alone this kernel tells. */
    run("ip route add 10.2.0.0/16 via 10.3.0.2 table 7");
    run("ip rule add to 10.2.0.0/16 lookup 7");
    wait_until(*state, "10.2.0.1", ready_w0);
    run("ip rule del to 10.2.0.0/16");
    wait_until(*state, "10.2.0.1", "no route");
    run("echo 0 > /proc/sys/net/ipv4/nexthop_compat_mode");
    run("ip nexthop add id 5 via 10.1.0.2 dev v0 &&"
        " ip route add 10.2.0.0/16 nhid 5");
    wait_until(*state, "10.2.0.1", READY_2);
    run("ip nexthop replace id 5 via 10.3.0.2 dev w0");
    wait_until(*state, "10.2.0.1", ready_w0);
}

static void
test_devices_that_change(void **state)
{
    add_second_pair();
    SET(*state, "10.1.0.2", "fd00:1::2", "10.3.0.2");
    wait_until(*state, "10.1.0.2", READY_2);
    wait_until(*state, "10.3.0.2",
               "ready w0 10.3.0.2 10.3.0.1 02:00:00:00:00:12");

    /* Down. */
    run("ip link set v0 down");
    wait_until(*state, "10.1.0.2", "no route");
    wait_until(*state, "fd00:1::2", "no route");
    run("ip link set v0 up && ip addr add fd00:1::1/64 dev v0 &&"
        " ip addr add fe80::a/64 dev v0");
    wait_until(*state, "10.1.0.2", READY_2);
    wait_until(*state, "fd00:1::2", READY6_2);

    /* Without carrier. */
    run_there("ip link set v1 down");
    wait_until(*state, "10.1.0.2", "failed v0 10.1.0.2 10.1.0.1 " NO_MAC);
    run_there("ip link set v1 up");
    wait_until(*state, "10.1.0.2", READY_2);

    /* Without ARP, of which only the device's own change tells. */
    run("echo 1 > /proc/sys/net/ipv6/conf/w0/disable_ipv6");
    run_for(*state, 300);
    run("ip link set w0 arp off");
    wait_until(*state, "10.3.0.2", "ready w0 10.3.0.2 10.3.0.1 " NO_MAC);
    run("ip link set w0 arp on");
    wait_until(*state, "10.3.0.2",
               "ready w0 10.3.0.2 10.3.0.1 02:00:00:00:00:12");

    /* Under another name. */
    run("ip link set w0 name x0");
    wait_until(*state, "10.3.0.2",
               "ready x0 10.3.0.2 10.3.0.1 02:00:00:00:00:12");

    /* Gone. */
    run("ip link del x0");
    wait_until(*state, "10.3.0.2", "no route");
}

/* Makes the device 'name', a tun or tap one by 'flags', of the type 'type'.
 * Closing what it returns removes it. */
static int
make_device(const char *name, int flags, int type)
{
    struct ifreq ifr = { .ifr_flags = flags | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR);

    strcpy(ifr.ifr_name, name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETLINK, type)) {
        fail_msg("no tun device: %s", ovs_strerror(errno));
    }
    return fd;
}

static void
test_devices_without_neighbours(void **state)
{
    int tun = make_device("t0", IFF_TUN, ARPHRD_NONE);
    int tap = make_device("i0", IFF_TAP, ARPHRD_INFINIBAND);

    run("ip addr add 10.4.0.1/24 dev t0 && ip link set t0 up &&"
        " ip addr add 10.7.0.1/24 dev i0 && ip link set i0 up &&"
        " ip link add d0 type veth peer name d1 netns %d &&"
        " ip link set d0 arp off && ip addr add 10.5.0.1/24 dev d0 &&"
        " ip addr add fd00:5::1/64 dev d0 && ip link set d0 up &&"
        " ip route add 10.6.0.0/16 dev lo",
        neighbours);
    run_there("ip link set d1 up");
    set_solicitation("d0", SOLICIT_MS);
    SET(*state, "10.4.0.2", "10.5.0.2", "fd00:5::2", "10.6.0.2", "10.7.0.2");
    assert_is(*state, "10.4.0.2", "ready t0 10.4.0.2 10.4.0.1 " NO_MAC);
    assert_is(*state, "10.5.0.2", "ready d0 10.5.0.2 10.5.0.1 " NO_MAC);
    assert_is(*state, "fd00:5::2", "ready d0 fd00:5::2 fd00:5::1 " NO_MAC);
    assert_is(*state, "10.7.0.2", "ready i0 10.7.0.2 10.7.0.1 " NO_MAC);
    assert_int_equal(get(*state, "10.6.0.2")->state, NEXTHOP_READY);

    /* One that begins to have neighbours. */
    run("ip link set d0 arp on");
    wait_until(*state, "10.5.0.2", "failed d0 10.5.0.2 10.5.0.1 " NO_MAC);
    close(tun);
    wait_until(*state, "10.4.0.2", "no route");
    close(tap);
    wait_until(*state, "10.7.0.2", "no route");
}

/* Fails the test unless the source address for 'text' is 'expected', and what
 * a socket would send from. */
static void
assert_source(struct nexthops *n, const char *text, const char *expected)
{
    struct endpoint endpoint = { address(text), 9 };
    struct sockaddr_storage ss;
    socklen_t length = endpoint_to_sockaddr(&endpoint, &ss);
    char found[INET6_ADDRSTRLEN];
    struct in6_addr source;

    int fd = socket(ss.ss_family, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &ss, length), 0);
    length = sizeof ss;
    assert_int_equal(getsockname(fd, (struct sockaddr *) &ss, &length), 0);
    close(fd);
    assert_true(endpoint_from_sockaddr((struct sockaddr *) &ss, &endpoint));
    assert_string_equal(address_format(&endpoint.address, found), expected);

    source = get(n, text)->source;
    assert_string_equal(address_format(&source, found), expected);
}

static void
test_source_addresses(void **state)
{
    run("ip addr add 10.1.0.11/24 dev v0 && ip addr add 10.8.0.1/24 dev v0 &&"
        " ip addr add fd00:8::1/64 dev v0 && ip addr add fd00:1::11/64 dev v0"
        " preferred_lft 0 &&"
        " ip route add 10.2.0.0/16 via 10.8.0.2 &&"
        " ip route add 10.3.0.0/16 via 10.1.0.2 src 10.1.0.11 &&"
        " ip route add fd00:2::/48 via fd00:1::2 src fd00:8::1 &&"
        " ip route add fd00:8:3::/48 via fe80::2 dev v0");
    SET(*state, "10.1.0.2", "10.2.0.1", "10.3.0.1", "10.8.0.2", "fd00:1::2",
        "fd00:2::1", "fd00:8::2", "fd00:8:3::2", "10.1.0.1", "fd00:8::1");
    assert_source(*state, "10.1.0.2", "10.1.0.1");
    assert_source(*state, "10.2.0.1", "10.8.0.1");
    assert_source(*state, "10.3.0.1", "10.1.0.11");
    assert_source(*state, "10.8.0.2", "10.8.0.1");
    assert_source(*state, "fd00:1::2", "fd00:1::1");
    assert_source(*state, "fd00:2::1", "fd00:8::1");
    assert_source(*state, "fd00:8::2", "fd00:8::1");
    assert_source(*state, "fd00:8:3::2", "fd00:8::1");
    assert_source(*state, "10.1.0.1", "10.1.0.1");
    assert_source(*state, "fd00:8::1", "fd00:8::1");

    /* They change. */
    wait_until(*state, "10.1.0.2", READY_2);
    run("ip route add 10.1.0.2 dev v0 src 10.8.0.1");
    wait_until(*state, "10.1.0.2",
               "ready v0 10.1.0.2 10.8.0.1 02:00:00:00:00:02");
    wait_until(*state, "fd00:1::2", READY6_2);
    run_for(*state, 300);
    run("ip addr change fd00:1::11/64 dev v0 preferred_lft forever &&"
        " ip addr change fd00:1::1/64 dev v0 preferred_lft 0");
    wait_until(*state, "fd00:1::2",
               "ready v0 fd00:1::2 fd00:1::11 02:00:00:00:00:02");
}

/* The kernel does not solicit for its own sake there. */
static void
test_an_interface_without_link_local_address(void **state)
{
    run("ip addr del fe80::a/64 dev v0");
    SET(*state, "fd00:1::2", "fd00:1::3");
    wait_until(*state, "fd00:1::2", READY6_2);
    wait_for_state(*state, "fd00:1::3", NEXTHOP_FAILED);
    run_there("ip addr add fd00:1::3/64 dev v1");
    wait_for_state(*state, "fd00:1::3", NEXTHOP_READY);

    /* It would fail if it was probed. */
    unsigned int seqno = nexthops_seqno(*state);
    run_for(*state, PROBE_MS + 4 * SOLICIT_MS);
    assert_int_equal(nexthops_seqno(*state), seqno);
}

static void
test_those_to_keep_track_of_change(void **state)
{
    struct in6_addr gone = address("fd00:1::2");

    assert_null(nexthops_get(*state, &gone));
    SET(*state, "10.1.0.2", "fd00:1::2", "10.1.0.2");
    wait_until(*state, "10.1.0.2", READY_2);
    wait_until(*state, "fd00:1::2", READY6_2);
    unsigned int seqno = nexthops_seqno(*state);

    SET(*state, "fd00:1::2", "10.1.0.2");
    assert_int_equal(nexthops_seqno(*state), seqno);

    /* What is known is kept, though the kernel has forgotten it. */
    run("ip neigh del 10.1.0.2 dev v0");
    SET(*state, "10.1.0.2", "10.1.0.9");
    assert_int_not_equal(nexthops_seqno(*state), seqno);
    assert_is(*state, "10.1.0.2", READY_2);
    assert_is(*state, "10.1.0.9", "pending v0 10.1.0.9 10.1.0.1 " NO_MAC);
    assert_null(nexthops_get(*state, &gone));

    /* Two through the same neighbour, of which one goes. */
    run("ip route add 10.2.0.0/16 via 10.1.0.2");
    SET(*state, "10.2.0.1", "10.2.0.2");
    wait_until(*state, "10.2.0.1", READY_2);
    assert_is(*state, "10.2.0.2", READY_2);
    SET(*state, "10.2.0.2");
    assert_is(*state, "10.2.0.2", READY_2);
    set(*state, NULL, 0);
    assert_null(nexthops_get(*state, &gone));
    SET(*state, "fd00:1::2");
    wait_until(*state, "fd00:1::2", READY6_2);
}

/* Makes 'count' entries of neighbours that nobody asked for, each of them
 * unlike what it was before. */
static void
make_foreign_entries(int count)
{
    FILE *ip = popen("ip -batch -", "w");
    static uint8_t generation;

    assert_non_null(ip);
    generation++;
    for (int i = 0; i < count; i++) {
        fprintf(ip,
                "neigh replace 10.20.%d.%d lladdr 02:00:00:%02x:%02x:%02x"
                " dev v0 nud permanent\n",
                i / 250, i % 250 + 1, generation, i / 250, i % 250);
    }
    assert_int_equal(pclose(ip), 0);
}

static void
test_thousands_of_foreign_neighbours(void **state)
{
    SET(*state, "10.1.0.2", "10.1.0.5");
    wait_until(*state, "10.1.0.2", READY_2);
    wait_for_state(*state, "10.1.0.5", NEXTHOP_FAILED);

    /* None of them makes anything be read again, as happens every 30 s. */
    unsigned int seqno = nexthops_seqno(*state);
    unsigned int n_reads = count_reads();
    for (int i = 0; i < 12; i++) {
        make_foreign_entries(300);
        run_for(*state, 110);
    }
    assert_in_range(count_reads() - n_reads, 0, 5);
    assert_int_equal(nexthops_seqno(*state), seqno);

    /* One among them that was asked for. */
    make_foreign_entries(1000);
    run("ip neigh replace 10.1.0.5 dev v0 lladdr 02:00:00:00:00:05"
        " nud permanent");
    make_foreign_entries(1000);
    wait_until(*state, "10.1.0.5",
               "ready v0 10.1.0.5 10.1.0.1 02:00:00:00:00:05");
}

/* More changes than the socket has room for. */
static void
test_changes_that_are_lost(void **state)
{
    run("ip route add 10.2.0.0/16 via 10.1.0.2");
    SET(*state, "10.2.0.1");
    wait_until(*state, "10.2.0.1", READY_2);
    unsigned int n_overflows = count_in_log("overflowed");
    for (int i = 0; i < 10; i++) {
        make_foreign_entries(5000);
    }
    run("ip route replace 10.2.0.0/16 via 10.1.0.7");
    run("ip neigh replace 10.1.0.7 dev v0 lladdr 02:00:00:00:00:07"
        " nud permanent");
    unsigned int n_reads = count_reads();
    while (count_in_log("overflowed") == n_overflows) {
        turn(*state, time_msec() + TIMEOUT_MS);
    }
    run_for(*state, 300);
    assert_in_range(count_reads() - n_reads, 1, 5);
    wait_until(*state, "10.2.0.1",
               "ready v0 10.1.0.7 10.1.0.1 02:00:00:00:00:07");
}

static void
test_changing_routes_are_read_together(void **state)
{
    SET(*state, "10.2.0.1");
    unsigned int n_reads = count_reads();
    long long int start = time_msec();
    for (int i = 0; i < 50; i++) {
        run("ip route add 10.30.%d.0/24 via 10.1.0.2", i);
        run_for(*state, 5);
    }
    run("ip route add 10.2.0.0/16 via 10.1.0.2");
    wait_until(*state, "10.2.0.1", READY_2);
    assert_in_range(count_reads() - n_reads, 1,
                    (time_msec() - start) / 100 + 2);
}

static void
test_it_sleeps_while_nothing_happens(void **state)
{
    /* Nobody to keep track of: not even changes wake it up. */
    make_foreign_entries(10);
    assert_int_equal(run_for(*state, 300), 1);

    /* One of each kind. */
    SET(*state, "10.1.0.2", "fd00:1::2", "10.1.0.9", "10.9.0.1", "10.1.0.1");
    wait_until(*state, "10.1.0.2", READY_2);
    wait_until(*state, "fd00:1::2", READY6_2);
    wait_for_state(*state, "10.1.0.9", NEXTHOP_FAILED);
    assert_in_range(run_for(*state, 6 * ASK_MS), 1, 100);

    /* With the intervals of everyday. */
    nexthops_destroy(*state);
    *state = nexthops_create();
    SET(*state, "10.1.0.2", "fd00:1::2", "10.1.0.9");
    wait_until(*state, "10.1.0.2", READY_2);
    wait_until(*state, "fd00:1::2", READY6_2);
    wait_for_state(*state, "10.1.0.9", NEXTHOP_FAILED);
    assert_in_range(run_for(*state, 3 * ASK_MS), 1, 20);
}

/* Returns true if the 'n' bytes at 'frame' are an ARP request or a neighbour
 * solicitation for 'wanted'. */
static bool
is_solicitation(const uint8_t *frame, size_t n, const struct in6_addr *wanted)
{
    ovs_be32 wanted4 = in6_addr_get_mapped_ipv4(wanted);

    if (IN6_IS_ADDR_V4MAPPED(wanted)) {
        return n >= 42 && frame[12] == 8 && frame[13] == 6 && frame[21] == 1
               && !memcmp(&frame[38], &wanted4, sizeof wanted4);
    }
    return n >= 78 && frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == 58
           && frame[54] == 135 && !memcmp(&frame[62], wanted, sizeof *wanted);
}

static void
test_neighbours_are_asked(void **state)
{
    struct {
        const char *text;
        int n_wanted; /* Solicitations that have not been seen yet. */
    } all[] = {
        { "10.1.0.2", 1 },
        { "fd00:1::2", 1 },
        { "10.1.0.9", 10 },
        { "fd00:1::9", 10 },
    };
    const char *texts[ARRAY_SIZE(all)];
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
    uint8_t frame[256];
    bool done = false;

    assert_true(fd >= 0);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        texts[i] = all[i].text;
    }
    set(*state, texts, ARRAY_SIZE(texts));
    wait_until(*state, "10.1.0.2", READY_2);
    wait_until(*state, "fd00:1::2", READY6_2);
    wait_for_state(*state, "10.1.0.9", NEXTHOP_FAILED);
    wait_for_state(*state, "fd00:1::9", NEXTHOP_FAILED);

    /* What is sent from now on. */
    while (recv(fd, frame, sizeof frame, 0) >= 0) {
        continue;
    }
    unsigned int seqno = nexthops_seqno(*state);
    long long int deadline = time_msec() + TIMEOUT_MS;
    while (!done) {
        struct sockaddr_ll sll;
        socklen_t length = sizeof sll;
        ssize_t n;

        assert_true(time_msec() < deadline);
        run_for(*state, ASK_MS / 2);
        while ((n = recvfrom(fd, frame, sizeof frame, 0,
                             (struct sockaddr *) &sll, &length))
               >= 0) {
            for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                struct in6_addr wanted = address(texts[i]);

                all[i].n_wanted -= sll.sll_pkttype == PACKET_OUTGOING
                                   && is_solicitation(frame, n, &wanted);
            }
        }
        done = true;
        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
            done = done && all[i].n_wanted <= 0;
        }
    }
    assert_int_equal(nexthops_seqno(*state), seqno);
    close(fd);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_neighbours_on_the_link),
        TEST(test_a_neighbour_that_the_kernel_knows_is_ready_at_once),
        TEST(test_routes_through_gateways),
        TEST(test_a_link_local_gateway),
        TEST(test_ipv4_through_an_ipv6_gateway),
        TEST(test_routes_that_lead_nowhere),
        TEST(test_own_addresses),
        TEST(test_a_neighbour_that_answers_late),
        TEST(test_neighbours_that_change_silently),
        TEST(test_a_mac_address_that_the_kernel_learns),
        TEST(test_entries_of_somebody_else_stay_what_they_are),
        TEST(test_a_deleted_entry_does_not_flap),
        TEST(test_routes_that_change),
        TEST(test_devices_that_change),
        TEST(test_devices_without_neighbours),
        TEST(test_source_addresses),
        TEST(test_an_interface_without_link_local_address),
        TEST(test_those_to_keep_track_of_change),
        TEST(test_thousands_of_foreign_neighbours),
        TEST(test_changes_that_are_lost),
        TEST(test_changing_routes_are_read_together),
        TEST(test_it_sleeps_while_nothing_happens),
        TEST(test_neighbours_are_asked),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    if (unshare(CLONE_NEWNET)) {
        printf("nexthop: skipped, no network namespace: %s\n",
               ovs_strerror(errno));
        return 0;
    }
    return cmocka_run_group_tests_name("nexthop", tests, set_up_group,
                                       tear_down_group);
}
