/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "instance.h"

#include "support.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "openvswitch/util.h"
#include "socket-util.h"
#include "util.h"

static char folder[] = "/tmp/test-instance.XXXXXX";

static int
make_folder(void **state OVS_UNUSED)
{
    return mkdtemp(folder) ? setenv("OVS_RUNDIR", folder, 1) : -1;
}

static int
remove_folder(void **state OVS_UNUSED)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while ((entry = readdir(dir)) != NULL) {
        unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
    return rmdir(folder);
}


/* Names. */

static void
assert_file(const char *bridge, const char *target, const char *expected)
{
    char *file = instance_file(bridge, target);

    assert_true(!strncmp(file, folder, strlen(folder)));
    assert_string_equal(file + strlen(folder), expected);
    free(file);
}

static void
test_names(void **state OVS_UNUSED)
{
    char *usual = xasprintf("unix:%s/br0.mgmt", folder);

    assert_file("br0", usual, "/snowrelayd-br0");
    assert_file("br0", "unix:/run/x.mgmt", "/snowrelayd-unix__run_x.mgmt");
    assert_file("br0", "tcp:192.0.2.1:6653", "/snowrelayd-tcp_192.0.2.1_6653");
    assert_file("br0", "ssl:[2001:db8::1]:6653",
                "/snowrelayd-ssl__2001_db8__1__6653");
    free(usual);
}

/* Locks. */

/* Holds the lock for 'bridge' and 'target' in a process of its own, until
 * release(). */
static int holding[2];

static pid_t
hold(const char *bridge, const char *target)
{
    int held[2];
    char byte;

    assert_int_equal(pipe(held) + pipe(holding), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (!pid) {
        close(holding[1]);
        char *error = instance_lock(bridge, target);
        if (error || write(held[1], "", 1) != 1) {
            _exit(1);
        }
        _exit(read(holding[0], &byte, 1) ? 1 : 0);
    }
    close(held[1]);
    close(holding[0]);
    assert_int_equal(read(held[0], &byte, 1), 1);
    close(held[0]);
    return pid;
}

static void
release(pid_t pid)
{
    close(holding[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_one_for_a_bridge(void **state OVS_UNUSED)
{
    char *target = xasprintf("unix:%s/br0.mgmt", folder);
    pid_t pid = hold("br0", target);
    char *expected = xasprintf("bridge br0 is served already, by the "
                               "snowrelayd with pid %ld",
                               (long int) pid);

    assert_error(instance_check("br0", target), expected);
    assert_error(instance_check("br0", target), expected); /* It is kept. */
    assert_error(instance_lock("br0", target), expected);
    assert_no_error(instance_check("br1", "tcp:192.0.2.1"));
    assert_no_error(instance_check("br0", "tcp:192.0.2.1"));

    release(pid);
    assert_no_error(instance_check("br0", target));
    assert_no_error(instance_lock("br0", target));
    free(expected);
    free(target);
}

static void
test_a_folder_that_is_not_there(void **state OVS_UNUSED)
{
    assert_no_error(instance_check("no/folder", "tcp:x"));
}

/* Control sockets. */

static int
listen_as(int pid, char **name)
{
    *name = xasprintf("%s/snowrelayd.%d.ctl", folder, pid);
    int fd = make_unix_socket(SOCK_STREAM, true, *name, NULL);

    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* Returns the pid of a process that is gone. */
static pid_t
dead_pid(void)
{
    pid_t pid = fork();

    if (!pid) {
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    return pid;
}

static void
test_stale_sockets(void **state OVS_UNUSED)
{
    char *stale, *of_a_zombie, *of_another_container, *alive, *other;

    close(listen_as(dead_pid(), &stale));
    pid_t zombie = fork();
    if (!zombie) {
        _exit(0);
    }
    siginfo_t dead;
    waitid(P_PID, zombie, &dead, WEXITED | WNOWAIT);
    close(listen_as(zombie, &of_a_zombie));
    int fd = listen_as(dead_pid(), &of_another_container);
    close(listen_as(getpid(), &alive));
    other = xasprintf("%s/snowrelayd.%d.ctl.old", folder, dead_pid());
    assert_int_equal(link(stale, other), 0);

    instance_remove_stale_sockets(folder);
    waitpid(zombie, NULL, 0);
    assert_int_equal(access(stale, F_OK), -1);
    assert_int_equal(access(of_a_zombie, F_OK), -1);
    assert_int_equal(access(of_another_container, F_OK), 0);
    assert_int_equal(access(alive, F_OK), 0);
    assert_int_equal(access(other, F_OK), 0);
    instance_remove_stale_sockets("/nowhere");

    close(fd);
    free(stale);
    free(of_a_zombie);
    free(of_another_container);
    free(alive);
    free(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_one_for_a_bridge),
        cmocka_unit_test(test_a_folder_that_is_not_there),
        cmocka_unit_test(test_stale_sockets),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
