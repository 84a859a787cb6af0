/* SPDX-License-Identifier: Apache-2.0 */

/* The tunnel ports in a real database, with a real switch behind it: an
 * ovsdb-server and an ovs-vswitchd of our own, with the userspace datapath, in
 * a folder and a network namespace of their own.  Needs root. */

#include <config.h>
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "endpoint.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "tunnel.h"
#include "tunnels.h"
#include "util.h"

enum {
    TIMEOUT_MS = 10000,

    /* For tunnels_set_intervals(): most goes faster here than elsewhere. */
    PAUSE_MS = 200,
    GRACE_MS = 200
};

#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"

static char directory[] = "/tmp/snowrelay-XXXXXX";
static char *database; /* unix:DIRECTORY/db.sock */

/* Programs. */

/* Runs the command line for a shell that 'format' makes, in the folder.
 * Returns what it wrote on stdout and stderr, without the last new-line, and
 * stores its exit status in '*status'.  The caller frees it. */
__attribute__((format(printf, 2, 0))) static char *
run_command(int *status, const char *format, va_list args)
{
    char *command = xvasprintf(format, args);
    char *line = xasprintf("cd %s && { %s; } 2>&1", directory, command);
    char *output = xzalloc(65536);
    FILE *stream = popen(line, "r");

    assert_non_null(stream);
    size_t n = fread(output, 1, 65535, stream);
    *status = pclose(stream);
    while (n && output[n - 1] == '\n') {
        output[--n] = '\0';
    }
    free(line);
    free(command);
    return output;
}

/* Runs a command line, which has to succeed.  Returns what it wrote, which the
 * caller frees. */
__attribute__((format(printf, 1, 2))) static char *
ask(const char *format, ...)
{
    va_list args;
    int status;

    va_start(args, format);
    char *output = run_command(&status, format, args);
    va_end(args);
    if (status) {
        fail_msg("\"%s\" failed: %s", format, output);
    }
    return output;
}

/* The same, for a command whose output does not matter. */
#define do_command(...) free(ask(__VA_ARGS__))

/* Fails the test unless a command line writes 'expected'. */
#define assert_output(EXPECTED, ...)                                          \
    do {                                                                      \
        char *output__ = ask(__VA_ARGS__);                                    \
        assert_string_equal(output__, EXPECTED);                              \
        free(output__);                                                       \
    } while (0)

static void
start_database(void)
{
    do_command("ovsdb-server --pidfile --detach --log-file -vconsole:off "
               "--remote=punix:db.sock --unixctl=ovsdb-server.ctl conf.db");
}

static void
kill_database(void)
{
    do_command("pid=$(cat ovsdb-server.pid); kill -9 $pid; "
               "while grep -q '^State:[^Z]*$' /proc/$pid/status 2> /dev/null; "
               "do sleep 0.02; done; "
               "rm -f db.sock");
}

/* Ends the programs whose pids are in the folder, and removes the folder. */
static void
clean_up(void)
{
    char *command =
        xasprintf("exec > /dev/null 2>&1; cd %s || exit; "
                  "for file in *.pid; do kill -9 $(cat $file); done; "
                  "cd / && rm -rf %s",
                  directory, directory);

    ignore(system(command));
    free(command);
}

/* A process that cleans up when we end, in whatever way: its read() returns
 * when the other end of the pipe is closed. */
static pid_t cleaner;
static int cleaner_fd;

static void
start_cleaner(void)
{
    int fds[2];
    char byte;

    if (pipe2(fds, O_CLOEXEC) || (cleaner = fork()) < 0) {
        perror("cannot start a process");
        exit(1);
    }
    if (!cleaner) {
        setsid(); /* A terminal's Ctrl-C is not for it. */
        close(fds[1]);
        ignore(read(fds[0], &byte, 1));
        clean_up();
        _exit(0);
    }
    close(fds[0]);
    cleaner_fd = fds[1];
}

static void
end_cleaner(void)
{
    close(cleaner_fd);
    waitpid(cleaner, NULL, 0);
}

/* Starts the switch and its database. */
static int
start_switch(void **state OVS_UNUSED)
{
    do_command("ovsdb-tool create conf.db " SCHEMA);
    start_database();
    do_command("ovs-vsctl --no-wait init");
    do_command("ovs-vswitchd --pidfile --detach --log-file -vconsole:off");
    database = xasprintf("unix:%s/db.sock", directory);
    return 0;
}

static int
forget_switch(void **state OVS_UNUSED)
{
    free(database);
    return 0;
}

/* Tunnels. */

static struct tunnel
make_tunnel(enum tunnel_type type, const char *remote)
{
    struct in6_addr address;

    assert_true(address_from_text(remote, &address));
    return tunnel_to(type, &address);
}

/* The mesh's, from 'local', "::" for anywhere. */
static struct tunnel
make_mesh_tunnel(enum tunnel_type type, uint32_t vni, const char *local)
{
    struct in6_addr address;

    assert_true(address_from_text(local, &address));
    return tunnel_of_mesh(type, vni, &address);
}

static struct tunnels *
make_tunnels(const char *where)
{
    struct tunnels *t = tunnels_create(where, "br0");

    tunnels_set_intervals(t, PAUSE_MS, GRACE_MS);
    return t;
}

/* Lets 't' run until 'condition' is true, 'ms' milliseconds at most.  Returns
 * false if it is not true by then. */
static bool
run_until(struct tunnels *t, bool (*condition)(struct tunnels *, const void *),
          const void *aux, int ms)
{
    long long int deadline = time_msec() + ms;

    for (;;) {
        tunnels_run(t);
        if (condition && condition(t, aux)) {
            return true;
        }
        if (time_msec() >= deadline) {
            return false;
        }
        tunnels_wait(t);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

static bool
is_present(struct tunnels *t, const void *tunnel)
{
    return tunnels_is_present(t, tunnel) && !tunnels_error(t, tunnel);
}

static bool
is_absent(struct tunnels *t, const void *tunnel)
{
    return !tunnels_is_present(t, tunnel);
}

static bool
has_error(struct tunnels *t, const void *tunnel)
{
    return tunnels_error(t, tunnel) != NULL;
}

static bool
is_removed(struct tunnels *t, const void *aux OVS_UNUSED)
{
    return tunnels_is_removed(t, TUNNEL_REPLICATE);
}

static bool
is_mesh_removed(struct tunnels *t, const void *aux OVS_UNUSED)
{
    return tunnels_is_removed(t, TUNNEL_MESH);
}

static void
wait_for(struct tunnels *t, bool (*condition)(struct tunnels *, const void *),
         const struct tunnel *tunnel)
{
    assert_true(run_until(t, condition, tunnel, TIMEOUT_MS));
}

/* Lets 't' run for 'ms' milliseconds. */
static void
run_for(struct tunnels *t, int ms)
{
    run_until(t, NULL, NULL, ms);
}

/* Counts how often a caller's loop would turn within 'ms'. */
static unsigned int
count_turns(struct tunnels *t, int ms)
{
    long long int deadline = time_msec() + ms;
    unsigned int n = 0;

    while (time_msec() < deadline) {
        tunnels_run(t);
        tunnels_wait(t);
        poll_timer_wait_until(deadline);
        poll_block();
        n++;
    }
    return n;
}

/* Waits until 'tunnel' has an error, which has to be 'expected', as in
 * assert_error(). */
static void
wait_for_error(struct tunnels *t, const struct tunnel *tunnel,
               const char *expected)
{
    wait_for(t, has_error, tunnel);
    assert_error(xstrdup(tunnels_error(t, tunnel)), expected);
    assert_false(tunnels_is_present(t, tunnel));
}

/* Returns the value of next_cfg, which each change increments. */
static int
count_changes(void)
{
    char *text = ask("ovs-vsctl get Open_vSwitch . next_cfg");
    int n = atoi(text);

    free(text);
    return n;
}

/* The UUIDs of the rows of the port 'name'. */
static char *
get_rows(const char *name)
{
    return ask("ovs-vsctl get Port %s _uuid -- get Interface %s _uuid", name,
               name);
}

static void
assert_same_rows(const char *name, char *rows)
{
    assert_output(rows,
                  "ovs-vsctl get Port %s _uuid -- get Interface %s "
                  "_uuid",
                  name, name);
    free(rows);
}

/* Fails the test unless br0 has a port of ours 'name' with these properties
 * and nothing else that matters. */
static void
assert_marked_port(const char *name, const char *mark, const char *type,
                   const char *options)
{
    char *expected = xasprintf("br0\n[]\n[4095]\n{snowrelay=%s}\n[]\n1\n"
                               "%s\n%s",
                               mark, type, options);

    assert_output(expected,
                  "ovs-vsctl port-to-br %s -- "
                  "get Port %s tag trunks external_ids vlan_mode && "
                  "ovs-vsctl get Port %s interfaces | tr ',' '\\n' | wc -l && "
                  "ovs-vsctl get Interface %s type options",
                  name, name, name, name);
    free(expected);
}

static void
assert_port(const char *name, const char *type, const char *options)
{
    assert_marked_port(name, "replicate", type, options);
}

static void
assert_mesh_port(const char *type, const char *options)
{
    assert_marked_port("srm-00534e4d", "mesh", type, options);
}

#define OPTIONS_2 "{key=\"5459535\", remote_ip=\"172.30.0.2\"}"

/* A bridge br0, another br1, and an object that has read the database. */
static int
set_up(void **state)
{
    do_command("ovs-vsctl --timeout=10 "
               "-- add-br br0 -- set Bridge br0 datapath_type=netdev "
               "-- add-br br1 -- set Bridge br1 datapath_type=netdev");
    *state = make_tunnels(database);
    return 0;
}

static int
tear_down(void **state)
{
    tunnels_destroy(*state);
    do_command("ovs-vsctl --timeout=10 --if-exists del-br br0 "
               "-- --if-exists del-br br1");
    return 0;
}

/* Names and commands. */

static void
assert_name(enum tunnel_type type, const char *remote, const char *expected)
{
    const struct tunnel tunnel = make_tunnel(type, remote);
    char name[IFNAMSIZ];

    tunnel_port_name(&tunnel, name);
    assert_string_equal(name, expected);
    assert_true(tunnel_is_port_name(name));
}

static void
test_port_names(void **state OVS_UNUSED)
{
    assert_name(TUNNEL_VXLAN, "172.30.0.2", "srv-ac1e0002");
    assert_name(TUNNEL_GENEVE, "172.30.0.2", "srg-ac1e0002");
    assert_name(TUNNEL_GRE, "172.30.0.2", "srr-ac1e0002");
    assert_name(TUNNEL_GRE, "10.1.0.11", "srr-0a01000b");
    assert_name(TUNNEL_VXLAN, "255.254.253.252", "srv-fffefdfc");
    assert_name(TUNNEL_VXLAN, "0.0.0.1", "srv-00000001");
    assert_name(TUNNEL_VXLAN, "::ffff:172.30.0.2", "srv-ac1e0002");
    assert_name(TUNNEL_VXLAN, "fd30::2", "srv-2b3048ae");
    assert_name(TUNNEL_GENEVE, "2001:db8::7", "srg-6c5b01ce");
    assert_name(TUNNEL_GRE, "::1", "srr-68691772");
}

static void
test_other_names(void **state OVS_UNUSED)
{
    const char *const others[] = {
        "",
        "sr",
        "srv-",
        "srv-ac1e000",
        "srx-ac1e00",
        "srv-ac1e0002a",
        "srv-AC1E0002",
        "srv_ac1e0002",
        "br0",
        "xrv-ac1e0002",
        "srx-ac1e0002",
        "sr-ac1e00020",
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_false(tunnel_is_port_name(others[i]));
    }
}

static void
test_type_names(void **state OVS_UNUSED)
{
    for (enum tunnel_type type = TUNNEL_VXLAN; type <= TUNNEL_GRE; type++) {
        enum tunnel_type parsed = TUNNEL_GRE + 1;
        assert_true(tunnel_type_from_text(tunnel_type_name(type), &parsed));
        assert_int_equal(parsed, type);
    }

    const char *const wrong[] = { "", "VXLAN", "vxlan ", "stt", "gre6" };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        enum tunnel_type parsed = TUNNEL_GENEVE;
        assert_false(tunnel_type_from_text(wrong[i], &parsed));
        assert_int_equal(parsed, TUNNEL_GENEVE);
    }
}

static void
test_command_text(void **state OVS_UNUSED)
{
    const struct tunnel v4 = make_tunnel(TUNNEL_VXLAN, "172.30.0.2");
    const struct tunnel v6 = make_tunnel(TUNNEL_GRE, "::1");
    char *command = tunnel_command(&v4, "br0");

    assert_string_equal(command,
                        "ovs-vsctl --may-exist add-port br0 srv-ac1e0002 "
                        "trunks=4095 "
                        "-- set Port srv-ac1e0002 "
                        "external_ids:snowrelay=replicate "
                        "-- set Interface srv-ac1e0002 type=vxlan "
                        "options:remote_ip=172.30.0.2 options:key=5459535");
    free(command);

    command = tunnel_command(&v6, "br1");
    assert_string_equal(command,
                        "ovs-vsctl --may-exist add-port br1 srr-68691772 "
                        "trunks=4095 "
                        "-- set Port srr-68691772 "
                        "external_ids:snowrelay=replicate "
                        "-- set Interface srr-68691772 type=gre "
                        "options:remote_ip='\"::1\"' options:key=5459535");
    free(command);
}

/* The mesh's. */

static void
assert_mesh_name(enum tunnel_type type, uint32_t vni, const char *local,
                 const char *expected)
{
    const struct tunnel tunnel = make_mesh_tunnel(type, vni, local);
    char name[IFNAMSIZ];

    tunnel_port_name(&tunnel, name);
    assert_string_equal(name, expected);
    assert_false(tunnel_is_port_name(name)); /* None of replication's. */
}

static void
test_names_of_the_meshs_port(void **state OVS_UNUSED)
{
    assert_mesh_name(TUNNEL_VXLAN, 0x534e4d, "::", "srm-00534e4d");
    assert_mesh_name(TUNNEL_GENEVE, 0x534e4d, "172.30.0.1", "srm-00534e4d");
    assert_mesh_name(TUNNEL_VXLAN, 1, "::", "srm-00000001");
    assert_mesh_name(TUNNEL_VXLAN, 0xffffff, "fd30::1", "srm-00ffffff");
}

static void
assert_mesh_command(enum tunnel_type type, const char *local,
                    const char *expected)
{
    const struct tunnel tunnel = make_mesh_tunnel(type, 7, local);
    char *command = tunnel_command(&tunnel, "br0");

    assert_string_equal(command, expected);
    free(command);
}

static void
test_commands_for_the_meshs_port(void **state OVS_UNUSED)
{
#define MESH_COMMAND(TYPE, MORE)                                              \
    "ovs-vsctl --may-exist add-port br0 srm-00000007 trunks=4095 "            \
    "-- set Port srm-00000007 external_ids:snowrelay=mesh "                   \
    "-- set Interface srm-00000007 type=" TYPE " options:remote_ip=flow" MORE \
    " options:key=7"
    assert_mesh_command(TUNNEL_VXLAN, "::", MESH_COMMAND("vxlan", ""));
    assert_mesh_command(
        TUNNEL_GENEVE, "172.30.0.1",
        MESH_COMMAND("geneve", " options:local_ip=172.30.0.1"));
    assert_mesh_command(
        TUNNEL_GENEVE, "fd30::1",
        MESH_COMMAND("geneve", " options:local_ip='\"fd30::1\"'"));
}

/* Each of what makes a tunnel counts. */
static void
test_which_tunnels_are_the_same(void **state OVS_UNUSED)
{
    const struct tunnel all[] = {
        make_mesh_tunnel(TUNNEL_VXLAN, 1, "::"),
        make_mesh_tunnel(TUNNEL_GENEVE, 1, "::"),
        make_mesh_tunnel(TUNNEL_VXLAN, 2, "::"),
        make_mesh_tunnel(TUNNEL_VXLAN, 1, "172.30.0.1"),
        make_mesh_tunnel(TUNNEL_VXLAN, 1, "172.30.0.2"),
        make_tunnel(TUNNEL_VXLAN, "172.30.0.1"),
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        { .use = TUNNEL_REPLICATE, .type = TUNNEL_VXLAN, .key = 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(all); j++) {
            assert_int_equal(tunnel_equal(&all[i], &all[j]), i == j);
        }
    }
    assert_string_equal(tunnel_mark(TUNNEL_MESH), "mesh");
    assert_string_equal(tunnel_mark(TUNNEL_REPLICATE), "replicate");
}

/* The headers of IP, of UDP and of VXLAN, or Geneve without options, take 36
 * bytes with IPv4 and 56 with IPv6. */
static void
test_the_longest_frame(void **state OVS_UNUSED)
{
    struct in6_addr v4, v6;

    assert_true(address_from_text("172.30.0.2", &v4));
    assert_true(address_from_text("fd30::2", &v6));
    assert_int_equal(tunnel_max_len(&v4, 1500), 1464);
    assert_int_equal(tunnel_max_len(&v6, 1500), 1444);
    assert_int_equal(tunnel_max_len(&v4, 9000), 8964);
    assert_int_equal(tunnel_max_len(&v4, 65535), 65499);
    assert_int_equal(tunnel_max_len(&v4, 37), 1);
    assert_int_equal(tunnel_max_len(&v6, 57), 1);
    for (size_t mtu = 0; mtu <= 36; mtu++) {
        assert_int_equal(tunnel_max_len(&v4, mtu), 0);
        assert_int_equal(tunnel_max_len(&v6, mtu + 20), 0);
    }
}

/* The ports on a real switch. */

static void
test_ports_are_added_and_removed(void **state)
{
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        make_tunnel(TUNNEL_GENEVE, "172.30.0.2"),
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"), /* Again. */
        make_tunnel(TUNNEL_GRE, "172.30.0.2"),
        make_tunnel(TUNNEL_VXLAN, "fd30::2"),
    };
    struct tunnels *t = *state;
    int n_changes = count_changes();
    unsigned int seqno = tunnels_seqno(t);

    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        wait_for(t, is_present, &wanted[i]);
    }
    assert_int_not_equal(tunnels_seqno(t), seqno);
    assert_int_equal(count_changes(), n_changes + 1);
    assert_port("srv-ac1e0002", "vxlan", OPTIONS_2);
    assert_port("srg-ac1e0002", "geneve", OPTIONS_2);
    assert_port("srr-ac1e0002", "gre", OPTIONS_2);
    assert_port("srv-2b3048ae", "vxlan",
                "{key=\"5459535\", remote_ip=\"fd30::2\"}");
    assert_output("4", "ovs-vsctl list-ports br0 | wc -l");
    do_command("ovsdb-tool -mm show-log conf.db | "
               "grep 'snowrelayd: add .*srv-ac1e0002.* on br0'");
    do_command("ovs-ofctl show br0 | grep '(srv-ac1e0002)'");

    /* Nothing happens to those that stay. */
    char *rows = get_rows("srg-ac1e0002");
    n_changes = count_changes();
    seqno = tunnels_seqno(t);
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    run_for(t, 200);
    assert_int_equal(tunnels_seqno(t), seqno);
    assert_int_equal(count_changes(), n_changes);

    tunnels_set(t, TUNNEL_REPLICATE, &wanted[1], 1, false);
    assert_int_not_equal(tunnels_seqno(t), seqno);
    assert_null(tunnels_error(t, &wanted[0]));
    assert_false(tunnels_is_present(t, &wanted[0]));
    run_for(t, 300);
    assert_output("srg-ac1e0002", "ovs-vsctl list-ports br0");
    assert_same_rows("srg-ac1e0002", rows);
}

static void
test_the_printed_command_makes_the_same_port(void **state)
{
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        make_tunnel(TUNNEL_GENEVE, "fd30::2"),
    };
    struct tunnels *t = *state;

    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        char *command = tunnel_command(&wanted[i], "br0");
        do_command("%s", command);
        do_command("%s", command); /* It may be given again. */
        free(command);
    }
    int n_changes = count_changes();
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        wait_for(t, is_present, &wanted[i]);
    }
    run_for(t, 200);
    assert_int_equal(count_changes(), n_changes);
}

static void
test_a_port_that_somebody_removes_is_put_back(void **state)
{
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        make_tunnel(TUNNEL_VXLAN, "172.30.0.99"),
    };
    struct tunnels *t = *state;

    tunnels_set(t, TUNNEL_REPLICATE, wanted, 1, false);
    wait_for(t, is_present, wanted);
    run_for(t, PAUSE_MS);

    /* At once, because the last change is long ago: the next pause would not
     * end in time. */
    tunnels_set_intervals(t, 10 * TIMEOUT_MS, GRACE_MS);
    unsigned int seqno = tunnels_seqno(t);
    do_command("ovs-vsctl del-port br0 srv-ac1e0002");
    wait_for(t, is_absent, wanted);
    assert_int_not_equal(tunnels_seqno(t), seqno);
    wait_for(t, is_present, wanted);
    assert_port("srv-ac1e0002", "vxlan", OPTIONS_2);

    /* Somebody who insists does not keep us busy. */
    int n_changes = count_changes();
    do_command("ovs-vsctl del-port br0 srv-ac1e0002");
    wait_for(t, is_absent, wanted);
    assert_in_range(count_turns(t, 300), 1, 8);
    assert_int_equal(count_changes(), n_changes + 1);

    /* But he does not win. */
    tunnels_set_intervals(t, PAUSE_MS, GRACE_MS);
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted),
                false); /* Ends the pause. */
    wait_for(t, is_present, wanted);

    /* With the pause of everyday, which is between the two changes. */
    tunnels_destroy(t);
    *state = t = tunnels_create(database, "br0");
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    wait_for(t, is_present, wanted);
    n_changes = count_changes();
    long long int begin = time_msec();
    for (int i = 1; i <= 2; i++) {
        do_command("ovs-vsctl del-port br0 srv-ac1e0002");
        wait_for(t, is_absent, wanted);
        wait_for(t, is_present, wanted);
        assert_int_equal(count_changes(), n_changes + 2 * i);
    }
    assert_true(time_msec() - begin >= 1000);
}

static void
test_a_port_that_somebody_changes_is_corrected(void **state)
{
    const char *const changes[] = {
        "set Interface srv-ac1e0002 options:remote_ip=172.30.0.3",
        "set Interface srv-ac1e0002 options:key=7",
        "remove Interface srv-ac1e0002 options key",
        "set Interface srv-ac1e0002 type=geneve",
        "set Port srv-ac1e0002 tag=1",
        "set Port srv-ac1e0002 trunks=1",
        "add Port srv-ac1e0002 trunks 1",
        "clear Port srv-ac1e0002 trunks",
        "set Port srv-ac1e0002 vlan_mode=native-tagged",
        "-- --id=@i create Interface name=other type=internal "
        "-- set Port srv-ac1e0002 interfaces=@i",
        "-- --id=@i create Interface name=other type=internal "
        "-- add Port srv-ac1e0002 interfaces @i",
    };
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        make_tunnel(TUNNEL_VXLAN, "172.30.0.99"),
    };
    struct tunnels *t = *state;

    tunnels_set(t, TUNNEL_REPLICATE, wanted, 1, false);
    wait_for(t, is_present, wanted);
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        char *row = ask("ovs-vsctl get Port srv-ac1e0002 _uuid");
        do_command("ovs-vsctl %s", changes[i]);
        wait_for(t, is_absent, wanted);
        tunnels_set(t, TUNNEL_REPLICATE, wanted, 1 + i % 2,
                    false); /* This cuts the pause short. */
        wait_for(t, is_present, wanted);
        assert_port("srv-ac1e0002", "vxlan", OPTIONS_2);
        assert_output(row, "ovs-vsctl get Port srv-ac1e0002 _uuid");
        free(row);
    }

    /* What is not ours to say stays. */
    int n_changes = count_changes();
    do_command("ovs-vsctl set Interface srv-ac1e0002 options:csum=true "
               "-- set Port srv-ac1e0002 external_ids:who=me");
    run_for(t, 2 * PAUSE_MS);
    assert_int_equal(count_changes(), n_changes + 1);
    do_command("ovs-vsctl set Interface srv-ac1e0002 options:key=7");
    wait_for(t, is_absent, wanted);
    wait_for(t, is_present, wanted);
    assert_output("{csum=\"true\", key=\"5459535\", remote_ip=\"172.30.0.2\"}"
                  "\n{snowrelay=replicate, who=me}",
                  "ovs-vsctl get Interface srv-ac1e0002 options "
                  "-- get Port srv-ac1e0002 external_ids");
}

static void
test_the_next_instance_takes_over_without_touching(void **state)
{
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        make_tunnel(TUNNEL_GRE, "fd30::2"),
    };

    tunnels_set(*state, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    wait_for(*state, is_present, &wanted[0]);
    wait_for(*state, is_present, &wanted[1]);
    char *rows[] = { get_rows("srv-ac1e0002"), get_rows("srr-2b3048ae") };
    int n_changes = count_changes();

    tunnels_destroy(*state);
    *state = make_tunnels(database);
    tunnels_set(*state, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    wait_for(*state, is_present, &wanted[0]);
    wait_for(*state, is_present, &wanted[1]);
    run_for(*state, 200);
    assert_int_equal(count_changes(), n_changes);
    assert_same_rows("srv-ac1e0002", rows[0]);
    assert_same_rows("srr-2b3048ae", rows[1]);
}

static void
test_what_a_dead_instance_left_is_removed(void **state)
{
    struct tunnels *t = *state;
    const struct tunnel wanted = make_tunnel(TUNNEL_VXLAN, "172.30.0.2");

    do_command(
        "ovs-vsctl add-port br0 srv-ac1e0009 trunks=4095 "
        "-- set Port srv-ac1e0009 external_ids:snowrelay=replicate "
        "-- set Interface srv-ac1e0009 type=vxlan "
        "options:remote_ip=172.30.0.9 "
        "-- add-port br0 marked -- set Interface marked type=internal "
        "-- set Port marked external_ids:snowrelay=replicate "
        "-- add-port br0 srv-ac1e0008 -- set Interface srv-ac1e0008 "
        "type=internal "
        "-- add-port br0 otherwise -- set Interface otherwise type=internal "
        "-- set Port otherwise external_ids:snowrelay=else "
        "-- add-port br1 elsewhere -- set Interface elsewhere type=internal "
        "-- set Port elsewhere external_ids:snowrelay=replicate");
    tunnels_set(t, TUNNEL_REPLICATE, &wanted, 1, false);
    wait_for(t, is_present, &wanted);
    assert_output("otherwise\nsrv-ac1e0002\nsrv-ac1e0008\nelsewhere",
                  "ovs-vsctl list-ports br0 -- list-ports br1");

    /* Nor is anything wanted by one that is told nothing. */
    tunnels_destroy(t);
    *state = t = make_tunnels(database);
    run_for(t, 500);
    assert_output("otherwise\nsrv-ac1e0008\nelsewhere",
                  "ovs-vsctl list-ports br0 -- list-ports br1");
}

static void
test_a_port_stays_while_it_is_not_known_where_tunnels_lead(void **state)
{
    struct tunnels *t = *state;
    const struct tunnel wanted = make_tunnel(TUNNEL_VXLAN, "172.30.0.2");

    do_command("ovs-vsctl add-port br0 srv-ac1e0009 trunks=4095 "
               "-- set Port srv-ac1e0009 external_ids:snowrelay=replicate "
               "-- set Interface srv-ac1e0009 type=vxlan "
               "options:remote_ip=172.30.0.9 options:key=5459535");
    tunnels_set(t, TUNNEL_REPLICATE, &wanted, 1, true);
    wait_for(t, is_present, &wanted);
    run_for(t, 2 * PAUSE_MS);
    assert_output("srv-ac1e0002\nsrv-ac1e0009", "ovs-vsctl list-ports br0");

    /* Then it is known. */
    tunnels_set(t, TUNNEL_REPLICATE, &wanted, 1, false);
    run_for(t, 2 * PAUSE_MS);
    assert_output("srv-ac1e0002", "ovs-vsctl list-ports br0");
}

static void
test_a_port_of_somebody_else_is_not_touched(void **state)
{
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        make_tunnel(TUNNEL_VXLAN, "172.30.0.3"),
        make_tunnel(TUNNEL_VXLAN, "172.30.0.4"),
        make_tunnel(TUNNEL_VXLAN, "172.30.0.5"),
    };
    struct tunnels *t = *state;

    do_command("ovs-vsctl add-port br0 srv-ac1e0002 "
               "-- set Interface srv-ac1e0002 type=internal "
               "-- add-bond br0 bond srv-ac1e0003 second "
               "-- set Interface srv-ac1e0003 type=internal "
               "-- set Interface second type=internal "
               "-- add-port br1 srv-ac1e0004 "
               "-- set Port srv-ac1e0004 external_ids:snowrelay=replicate "
               "-- set Interface srv-ac1e0004 type=internal");
    char *rows[] = { get_rows("srv-ac1e0002"), get_rows("srv-ac1e0004") };
    int n_changes = count_changes();
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    wait_for_error(t, &wanted[0], "a port of that name is somebody else's");
    wait_for_error(t, &wanted[1], "a port of that name is somebody else's");
    wait_for_error(t, &wanted[2], "bridge br1 has a port of that name");
    wait_for(t, is_present, &wanted[3]); /* It has nothing to do with it. */
    run_for(t, 2 * PAUSE_MS);
    assert_int_equal(count_changes(), n_changes + 1);
    assert_same_rows("srv-ac1e0002", rows[0]);
    assert_same_rows("srv-ac1e0004", rows[1]);
    assert_output("internal\ninternal\n[]",
                  "ovs-vsctl get Interface srv-ac1e0002 type "
                  "-- get Interface srv-ac1e0003 type "
                  "-- get Port srv-ac1e0002 tag");

    /* Nor when it leaves; then there is room. */
    unsigned int seqno = tunnels_seqno(t);
    do_command("ovs-vsctl del-port br0 srv-ac1e0002 -- del-port br0 bond "
               "-- del-port br1 srv-ac1e0004");
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        wait_for(t, is_present, &wanted[i]);
    }
    assert_int_not_equal(tunnels_seqno(t), seqno);
    assert_port("srv-ac1e0002", "vxlan", OPTIONS_2);
}

static void
test_two_tunnels_whose_names_hash_alike(void **state)
{
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "2001:db8::1895:81b4:32a4:6275"),
        make_tunnel(TUNNEL_VXLAN, "2001:db8::3:3ed"),
    };
    struct tunnels *t = *state;

    assert_name(TUNNEL_VXLAN, "2001:db8::1895:81b4:32a4:6275", "srv-733f1e5a");
    assert_name(TUNNEL_VXLAN, "2001:db8::3:3ed", "srv-733f1e5a");
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    wait_for(t, is_present, &wanted[1]);
    wait_for_error(t, &wanted[0],
                   "the port of another tunnel is named srv-733f1e5a, too");
    assert_port("srv-733f1e5a", "vxlan",
                "{key=\"5459535\", remote_ip=\"2001:db8::3:3ed\"}");
    tunnels_set(t, TUNNEL_REPLICATE, wanted, 1, false);
    wait_for(t, is_present, &wanted[0]);
    assert_port(
        "srv-733f1e5a", "vxlan",
        "{key=\"5459535\", remote_ip=\"2001:db8::1895:81b4:32a4:6275\"}");
}

static void
test_a_bridge_that_is_made_later(void **state)
{
    const struct tunnel wanted = make_tunnel(TUNNEL_VXLAN, "172.30.0.2");
    struct tunnels *t = *state;

    do_command("ovs-vsctl del-br br0");
    tunnels_set(t, TUNNEL_REPLICATE, &wanted, 1, false);
    wait_for_error(t, &wanted, "there is no bridge br0");
    for (int i = 0; i < 2; i++) {
        do_command("ovs-vsctl add-br br0 "
                   "-- set Bridge br0 datapath_type=netdev");
        wait_for(t, is_present, &wanted);
        assert_port("srv-ac1e0002", "vxlan", OPTIONS_2);
        do_command("ovs-vsctl del-br br0");
        wait_for_error(t, &wanted, "there is no bridge br0");
    }
}

static void
test_what_the_switch_says_is_wrong(void **state)
{
    const struct tunnel wanted = make_tunnel(TUNNEL_VXLAN, "172.30.0.2");
    struct tunnels *t = *state;

    /* The switch cannot tell two tunnels with the same options apart. */
    do_command("ovs-vsctl add-port br1 theirs "
               "-- set Interface theirs type=vxlan "
               "options:remote_ip=172.30.0.2 options:key=5459535");
    tunnels_set(t, TUNNEL_REPLICATE, &wanted, 1, false);
    wait_for_error(t, &wanted, "could not add network device srv-ac1e0002*");
    assert_port("srv-ac1e0002", "vxlan", OPTIONS_2);

    /* The switch is made to try again once for each change of the database,
     * no more. */
    int n_changes = count_changes(), n_before, n_rounds = 0;
    do {
        assert_in_range(++n_rounds, 1, 10);
        n_before = n_changes;
        run_for(t, 2 * PAUSE_MS);
        n_changes = count_changes();
    } while (n_changes != n_before);
    unsigned int seqno = tunnels_seqno(t);
    do_command("ovs-vsctl del-port br1 theirs");
    wait_for(t, is_present, &wanted);
    assert_int_not_equal(tunnels_seqno(t), seqno);
}

static void
test_what_the_database_refuses(void **state)
{
    const struct tunnel wanted = make_tunnel(TUNNEL_VXLAN, "172.30.0.2");
    struct tunnels *t = *state;

    run_for(t, 200);
    do_command("ovs-appctl -t $PWD/ovsdb-server.ctl "
               "ovsdb-server/set-active-ovsdb-server unix:nowhere && "
               "ovs-appctl -t $PWD/ovsdb-server.ctl "
               "ovsdb-server/connect-active-ovsdb-server");
    tunnels_set(t, TUNNEL_REPLICATE, &wanted, 1, false);
    wait_for_error(t, &wanted, "the database refused the change: *");
    run_for(t, 2 * PAUSE_MS);
    assert_non_null(tunnels_error(t, &wanted));

    do_command("ovs-appctl -t $PWD/ovsdb-server.ctl "
               "ovsdb-server/disconnect-active-ovsdb-server");
    wait_for(t, is_present, &wanted);
    assert_port("srv-ac1e0002", "vxlan", OPTIONS_2);

    /* That is forgotten now. */
    do_command("ovs-vsctl del-port br0 srv-ac1e0002");
    wait_for(t, is_absent, &wanted);
    assert_null(tunnels_error(t, &wanted));
}

static void
test_a_database_that_is_restarted(void **state)
{
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        make_tunnel(TUNNEL_GRE, "172.30.0.2"),
    };
    struct tunnels *t = *state;

    tunnels_set(t, TUNNEL_REPLICATE, wanted, 1, false);
    wait_for(t, is_present, &wanted[0]);
    char *rows = get_rows("srv-ac1e0002");
    int n_changes = count_changes();
    kill_database();
    run_for(t, GRACE_MS / 3);
    assert_true(tunnels_is_present(t, &wanted[0])); /* It stays. */
    assert_null(tunnels_error(t, &wanted[0]));

    /* One that is wanted meanwhile waits. */
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    char *error = xasprintf("the database %s does not answer", database);
    wait_for_error(t, &wanted[1], error);
    assert_null(tunnels_error(t, &wanted[0]));
    free(error);
    unsigned int n_turns = count_turns(t, 200);

    start_database();
    assert_in_range(n_turns, 1, 10);
    wait_for(t, is_present, &wanted[1]);
    assert_port("srr-ac1e0002", "gre", OPTIONS_2);
    assert_same_rows("srv-ac1e0002", rows);
    assert_int_equal(count_changes(), n_changes + 1);
}

static void
test_all_of_them_are_removed(void **state)
{
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        make_tunnel(TUNNEL_GRE, "172.30.0.2"),
    };
    struct tunnels *t = *state;

    do_command(
        "ovs-vsctl add-port br0 theirs -- set Interface theirs type=internal "
        "-- add-port br1 elsewhere -- set Interface elsewhere type=internal "
        "-- set Port elsewhere external_ids:snowrelay=replicate");
    tunnels_set_intervals(t, 10 * TIMEOUT_MS, GRACE_MS); /* Too long. */
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    wait_for(t, is_present, &wanted[0]);
    wait_for(t, is_present, &wanted[1]);
    assert_false(tunnels_is_removed(t, TUNNEL_REPLICATE));

    tunnels_remove(t, TUNNEL_REPLICATE);
    assert_false(tunnels_is_removed(t, TUNNEL_REPLICATE));
    wait_for(t, is_removed, NULL);
    assert_output("theirs\nelsewhere",
                  "ovs-vsctl list-ports br0 -- list-ports br1");
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    run_for(t, 300);
    assert_true(tunnels_is_removed(t, TUNNEL_REPLICATE));
    assert_output("theirs", "ovs-vsctl list-ports br0");
}

/* The mesh's port beside those of replication. */

/* Has 't' make a port for each use, and waits until both are there. */
static void
set_both(struct tunnels *t, const struct tunnel *mesh,
         const struct tunnel *copies)
{
    tunnels_set(t, TUNNEL_REPLICATE, copies, 1, false);
    tunnels_set(t, TUNNEL_MESH, mesh, 1, false);
    wait_for(t, is_present, mesh);
    wait_for(t, is_present, copies);
}

static void
test_each_use_has_its_own_ports(void **state)
{
    const struct tunnel mesh = make_mesh_tunnel(TUNNEL_VXLAN, 0x534e4d, "::");
    const struct tunnel copies = make_tunnel(TUNNEL_VXLAN, "172.30.0.2");
    struct tunnels *t = *state;

    set_both(t, &mesh, &copies);
    assert_mesh_port("vxlan", "{key=\"5459533\", remote_ip=flow}");
    assert_port("srv-ac1e0002", "vxlan", OPTIONS_2);

    /* What one of them wants is nothing to the other. */
    char *rows = get_rows("srm-00534e4d");
    tunnels_set(t, TUNNEL_REPLICATE, NULL, 0, false);
    run_for(t, 2 * PAUSE_MS);
    assert_output("srm-00534e4d", "ovs-vsctl list-ports br0");
    tunnels_set(t, TUNNEL_REPLICATE, &copies, 1, false);
    wait_for(t, is_present, &copies);
    tunnels_remove(t, TUNNEL_REPLICATE);
    wait_for(t, is_removed, NULL);
    assert_false(tunnels_is_removed(t, TUNNEL_MESH));
    assert_true(tunnels_is_present(t, &mesh));
    assert_same_rows("srm-00534e4d", rows);
}

static void
test_only_the_meshs_port_is_removed(void **state)
{
    const struct tunnel mesh = make_mesh_tunnel(TUNNEL_VXLAN, 0x534e4d, "::");
    const struct tunnel copies = make_tunnel(TUNNEL_VXLAN, "172.30.0.2");
    struct tunnels *t = *state;

    set_both(t, &mesh, &copies);
    char *rows = get_rows("srv-ac1e0002");
    tunnels_remove(t, TUNNEL_MESH);
    wait_for(t, is_mesh_removed, NULL);
    assert_false(tunnels_is_removed(t, TUNNEL_REPLICATE));
    assert_output("srv-ac1e0002", "ovs-vsctl list-ports br0");
    tunnels_set(t, TUNNEL_MESH, &mesh, 1, false); /* Too late. */
    run_for(t, 2 * PAUSE_MS);
    assert_output("srv-ac1e0002", "ovs-vsctl list-ports br0");
    assert_same_rows("srv-ac1e0002", rows);
}

/* It is not gone before it is, although there is nothing else to remove. */
static void
test_the_meshs_port_stays_while_the_database_refuses(void **state)
{
    const struct tunnel mesh = make_mesh_tunnel(TUNNEL_VXLAN, 0x534e4d, "::");
    struct tunnels *t = *state;

    tunnels_set(t, TUNNEL_MESH, &mesh, 1, false);
    wait_for(t, is_present, &mesh);
    do_command("ovs-appctl -t $PWD/ovsdb-server.ctl "
               "ovsdb-server/set-active-ovsdb-server unix:nowhere && "
               "ovs-appctl -t $PWD/ovsdb-server.ctl "
               "ovsdb-server/connect-active-ovsdb-server");
    tunnels_remove(t, TUNNEL_MESH);
    assert_false(run_until(t, is_mesh_removed, NULL, 3 * PAUSE_MS));
    do_command("ovs-appctl -t $PWD/ovsdb-server.ctl "
               "ovsdb-server/disconnect-active-ovsdb-server");
    wait_for(t, is_mesh_removed, NULL);
    assert_output("", "ovs-vsctl list-ports br0");
}

/* That keep is one's own, too. */
static void
test_leftovers_of_the_mesh(void **state)
{
    const struct tunnel mesh = make_mesh_tunnel(TUNNEL_VXLAN, 0x534e4d, "::");
    struct tunnels *t = *state;

    do_command("ovs-vsctl add-port br0 srm-00000001 trunks=4095 "
               "-- set Port srm-00000001 external_ids:snowrelay=mesh "
               "-- set Interface srm-00000001 type=vxlan "
               "options:remote_ip=flow options:key=1 "
               "-- add-port br0 srv-ac1e0009 trunks=4095 "
               "-- set Port srv-ac1e0009 external_ids:snowrelay=replicate "
               "-- set Interface srv-ac1e0009 type=vxlan "
               "options:remote_ip=172.30.0.9 options:key=5459535");
    tunnels_set(t, TUNNEL_REPLICATE, NULL, 0, true);
    tunnels_set(t, TUNNEL_MESH, &mesh, 1, false);
    wait_for(t, is_present, &mesh);
    run_for(t, 2 * PAUSE_MS);
    assert_output("srm-00534e4d\nsrv-ac1e0009", "ovs-vsctl list-ports br0");
}

/* Another type, or another address, is a change of the same port. */
static void
test_the_meshs_port_becomes_another(void **state)
{
    static const struct {
        enum tunnel_type type;
        const char *local, *options;
    } all[] = {
        { TUNNEL_VXLAN, "::", "{key=\"5459533\", remote_ip=flow}" },
        { TUNNEL_GENEVE, "::", "{key=\"5459533\", remote_ip=flow}" },
        { TUNNEL_GENEVE, "172.30.0.1",
          "{key=\"5459533\", local_ip=\"172.30.0.1\", remote_ip=flow}" },
        { TUNNEL_VXLAN, "fd30::1",
          "{key=\"5459533\", local_ip=\"fd30::1\", remote_ip=flow}" },
        { TUNNEL_VXLAN, "::", "{key=\"5459533\", remote_ip=flow}" },
    };
    struct tunnels *t = *state;
    char *row = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        const struct tunnel mesh =
            make_mesh_tunnel(all[i].type, 0x534e4d, all[i].local);

        tunnels_set(t, TUNNEL_MESH, &mesh, 1, false);
        assert_false(tunnels_is_present(t, &mesh)); /* Not yet. */
        wait_for(t, is_present, &mesh);
        assert_mesh_port(tunnel_type_name(all[i].type), all[i].options);
        if (row) {
            assert_output(row, "ovs-vsctl get Port srm-00534e4d _uuid");
        } else {
            row = ask("ovs-vsctl get Port srm-00534e4d _uuid");
        }
    }
    free(row);

    /* Another VNI is another port. */
    const struct tunnel other = make_mesh_tunnel(TUNNEL_VXLAN, 8, "::");
    tunnels_set(t, TUNNEL_MESH, &other, 1, false);
    wait_for(t, is_present, &other);
    assert_output("srm-00000008", "ovs-vsctl list-ports br0");
}

static void
test_the_meshs_port_is_corrected(void **state)
{
    static const char *const changes[] = {
        "set Interface srm-00534e4d options:local_ip=172.30.0.9",
        "set Interface srm-00534e4d options:remote_ip=172.30.0.9",
        "set Interface srm-00534e4d options:key=7",
        "set Interface srm-00534e4d type=geneve",
    };
    const struct tunnel mesh = make_mesh_tunnel(TUNNEL_VXLAN, 0x534e4d, "::");
    struct tunnels *t = *state;

    tunnels_set(t, TUNNEL_MESH, &mesh, 1, false);
    wait_for(t, is_present, &mesh);
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        do_command("ovs-vsctl %s", changes[i]);
        wait_for(t, is_absent, &mesh);
        wait_for(t, is_present, &mesh);
        assert_mesh_port("vxlan", "{key=\"5459533\", remote_ip=flow}");
    }

    /* The rest is the administrator's. */
    do_command("ovs-vsctl set Interface srm-00534e4d options:tos=inherit");
    int n_changes = count_changes();
    run_for(t, 2 * PAUSE_MS);
    assert_int_equal(count_changes(), n_changes);
    assert_true(tunnels_is_present(t, &mesh));
}

/* A port with the name of the mesh's but without its mark is somebody else's.
 */
static void
test_a_port_with_another_mark(void **state)
{
    const struct tunnel mesh = make_mesh_tunnel(TUNNEL_VXLAN, 0x534e4d, "::");
    struct tunnels *t = *state;

    do_command("ovs-vsctl add-port br0 srm-00534e4d "
               "-- set Port srm-00534e4d external_ids:snowrelay=else "
               "-- set Interface srm-00534e4d type=internal");
    tunnels_set(t, TUNNEL_MESH, &mesh, 1, false);
    wait_for_error(t, &mesh, "a port of that name is somebody else's");
    do_command("ovs-vsctl del-port br0 srm-00534e4d");
    wait_for(t, is_present, &mesh);
}

/* IPsec. */

static bool
is_protected(const struct tunnels *t, enum tunnel_type type,
             const char *remote)
{
    struct in6_addr address;

    assert_true(address_from_text(remote, &address));
    return tunnels_is_protected(t, type, &address);
}

static void
test_what_is_protected(void **state)
{
    static const char *const keys[] = { "psk", "remote_cert", "remote_name" };
    struct tunnels *t = *state;

    run_for(t, 200);
    assert_false(is_protected(t, TUNNEL_VXLAN, "172.30.0.2"));
    do_command("ovs-vsctl add-port br1 safe -- set Interface safe type=vxlan "
               "options:remote_ip=172.30.0.2 options:key=99 "
               "-- add-port br1 safe6 -- set Interface safe6 type=geneve "
               "options:remote_ip='\"fd30::2\"' options:psk=secret "
               "-- add-port br1 flow -- set Interface flow type=vxlan "
               "options:remote_ip=flow options:key=98 options:psk=secret "
               "-- add-port br1 none -- set Interface none type=internal "
               "options:psk=secret");
    run_for(t, 200);
    assert_false(is_protected(t, TUNNEL_VXLAN, "172.30.0.2"));
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        do_command("ovs-vsctl set Interface safe options:%s=x", keys[i]);
        run_for(t, 200);
        assert_true(is_protected(t, TUNNEL_VXLAN, "172.30.0.2"));
        assert_false(is_protected(t, TUNNEL_GENEVE, "172.30.0.2"));
        assert_false(is_protected(t, TUNNEL_VXLAN, "172.30.0.3"));
        do_command("ovs-vsctl remove Interface safe options %s", keys[i]);
        run_for(t, 200);
        assert_false(is_protected(t, TUNNEL_VXLAN, "172.30.0.2"));
    }
    assert_true(is_protected(t, TUNNEL_GENEVE, "fd30::2"));
    assert_false(is_protected(t, TUNNEL_VXLAN, "fd30::2"));
    assert_false(is_protected(t, TUNNEL_VXLAN, "::"));
}

static void
test_nothing_turns_while_nothing_happens(void **state)
{
    const struct tunnel wanted[] = {
        make_tunnel(TUNNEL_VXLAN, "172.30.0.2"),
        make_tunnel(TUNNEL_VXLAN, "172.30.0.3"),
    };
    struct tunnels *t = *state;

    run_for(t, PAUSE_MS);
    assert_in_range(count_turns(t, 2 * PAUSE_MS), 1, 3);
    do_command("ovs-vsctl add-port br0 srv-ac1e0003 "
               "-- set Interface srv-ac1e0003 type=internal");
    tunnels_set(t, TUNNEL_REPLICATE, wanted, ARRAY_SIZE(wanted), false);
    wait_for(t, is_present, &wanted[0]);
    wait_for(t, has_error, &wanted[1]);
    run_for(t, PAUSE_MS);
    assert_in_range(count_turns(t, 2 * PAUSE_MS), 1, 3);
}

/* Logging. */

/* Returns what is logged of tunnels and connections while 't' runs for 'ms'.
 */
static char *
run_and_read_log(struct tunnels *t, int ms)
{
    do_command(": > test.log");
    run_for(t, ms);
    return ask("grep -v '|timeval|\\||coverage|\\||poll_loop|' test.log "
               "|| true");
}

static void
test_no_database_matters_only_if_a_port_is_wanted(void **state OVS_UNUSED)
{
    const struct tunnel wanted = make_tunnel(TUNNEL_VXLAN, "172.30.0.2");
    struct tunnels *t = make_tunnels("unix:/nowhere/db.sock");

    char *log = run_and_read_log(t, 2 * GRACE_MS);
    assert_string_equal(log, "");
    free(log);
    tunnels_set(t, TUNNEL_REPLICATE, &wanted, 1, false);
    wait_for_error(t, &wanted,
                   "the database unix:/nowhere/db.sock does not answer");
    log = run_and_read_log(t, 2 * GRACE_MS);
    assert_string_equal(log, "");
    free(log);
    tunnels_remove(t, TUNNEL_REPLICATE);
    assert_true(
        tunnels_is_removed(t, TUNNEL_REPLICATE)); /* It cannot be asked. */
    tunnels_destroy(t);

    t = tunnels_create("unix:/nowhere/db.sock", "br0");
    tunnels_set(t, TUNNEL_REPLICATE, &wanted, 1, false);
    assert_null(tunnels_error(t, &wanted)); /* Not known yet. */
    tunnels_set_intervals(t, PAUSE_MS, GRACE_MS);
    log = run_and_read_log(t, 2 * GRACE_MS);
    assert_non_null(strstr(log, "|tunnels|WARN|unix:/nowhere/db.sock: "));
    assert_null(strchr(log, '\n')); /* One line. */
    free(log);
    tunnels_destroy(t);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_names),
        cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_type_names),
        cmocka_unit_test(test_command_text),
        cmocka_unit_test(test_names_of_the_meshs_port),
        cmocka_unit_test(test_commands_for_the_meshs_port),
        cmocka_unit_test(test_which_tunnels_are_the_same),
        cmocka_unit_test(test_the_longest_frame),
        TEST(test_ports_are_added_and_removed),
        TEST(test_the_printed_command_makes_the_same_port),
        TEST(test_a_port_that_somebody_removes_is_put_back),
        TEST(test_a_port_that_somebody_changes_is_corrected),
        TEST(test_the_next_instance_takes_over_without_touching),
        TEST(test_what_a_dead_instance_left_is_removed),
        TEST(test_a_port_stays_while_it_is_not_known_where_tunnels_lead),
        TEST(test_a_port_of_somebody_else_is_not_touched),
        TEST(test_two_tunnels_whose_names_hash_alike),
        TEST(test_a_bridge_that_is_made_later),
        TEST(test_what_the_switch_says_is_wrong),
        TEST(test_what_the_database_refuses),
        TEST(test_a_database_that_is_restarted),
        TEST(test_all_of_them_are_removed),
        TEST(test_each_use_has_its_own_ports),
        TEST(test_only_the_meshs_port_is_removed),
        TEST(test_the_meshs_port_stays_while_the_database_refuses),
        TEST(test_leftovers_of_the_mesh),
        TEST(test_the_meshs_port_becomes_another),
        TEST(test_the_meshs_port_is_corrected),
        TEST(test_a_port_with_another_mark),
        TEST(test_what_is_protected),
        TEST(test_nothing_turns_while_nothing_happens),
        cmocka_unit_test(test_no_database_matters_only_if_a_port_is_wanted),
    };

    if (unshare(CLONE_NEWNET)) {
        fprintf(stderr,
                "no tests of tunnels: cannot make a network namespace "
                "(%s)\n",
                ovs_strerror(errno));
        return errno == EPERM ? 0 : 1;
    }
    if (!mkdtemp(directory)) {
        perror("mkdtemp");
        return 1;
    }
    setenv("OVS_RUNDIR", directory, true);
    setenv("OVS_LOGDIR", directory, true);
    setenv("OVS_DBDIR", directory, true);
    start_cleaner();
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    vlog_set_levels(NULL, VLF_SYSLOG, VLL_OFF);
    char *log = xasprintf("%s/test.log", directory);
    vlog_set_log_file(log);
    free(log);
    int n_failed = cmocka_run_group_tests_name("tunnels", tests, start_switch,
                                               forget_switch);
    end_cleaner();
    return n_failed;
}
