/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "sandbox.h"

#include "support.h"

#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "openvswitch/util.h"
#include "util.h"

/* Runs 'function' in a process of its own and returns its wait status. */
static int
in_process(void (*function)(void))
{
    int status;

    fflush(NULL);
    pid_t pid = fork();
    if (!pid) {
        function();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Ends the process with status 1 and a line that names 'what', unless it is
 * true. */
static void
check(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s (errno: %s)\n", what, strerror(errno));
        _exit(1);
    }
}
#define CHECK(CONDITION) check(CONDITION, #CONDITION)

/* The sanitizer's own needs keep the filter away. */
static void
needs_filter(void)
{
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
}

/* Makes one system call with nothing in particular as its arguments. */
static long int the_call;

static void
make_the_call(void)
{
    CHECK(sandbox_filter_daemon());
    syscall(the_call, 0, 0, 0, 0, 0, 0);
}

static void
test_calls_that_kill(void **state OVS_UNUSED)
{
    static const long int calls[] = {
        SYS_execve,
        SYS_execveat,
        SYS_ptrace,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_bpf,
        SYS_init_module,
        SYS_finit_module,
        SYS_delete_module,
        SYS_mount,
        SYS_umount2,
        SYS_pivot_root,
        SYS_chroot,
        SYS_unshare,
        SYS_setns,
        SYS_kexec_load,
        SYS_keyctl,
        SYS_add_key,
        SYS_request_key,
        SYS_userfaultfd,
        SYS_perf_event_open,
        SYS_open_by_handle_at,
        SYS_reboot,
    };

    needs_filter();
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        the_call = calls[i];
        int status = in_process(make_the_call);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
            fail_msg("system call %ld: status %#x", the_call, status);
        }
    }
}

/* A real one, with real arguments. */
static void
start_a_shell(void)
{
    CHECK(sandbox_filter_daemon());
    execl("/bin/sh", "sh", "-c", "exit 0", NULL);
}

static void
test_no_program_can_be_started(void **state OVS_UNUSED)
{
    needs_filter();
    int status = in_process(start_a_shell);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static bool
no_such_call(long int retval)
{
    return retval == -1 && errno == ENOSYS;
}

static void *
map(int protection)
{
    /* cppcheck-suppress invalidFunctionArg */
    return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Returns true if there are sockets of 'domain'. */
static bool
has_socket(int domain, int type)
{
    int fd = socket(domain, type, 0);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static void
make_unlisted_calls(void)
{
    const struct rlimit limit = { .rlim_cur = 0, .rlim_max = 0 };
    struct clone_args args = { .flags = 0 };

    CHECK(sandbox_filter_daemon());
    CHECK(no_such_call(syscall(SYS_timerfd_create, 0, 0)));
    CHECK(no_such_call(syscall(SYS_setresuid, 0, 0, 0)));
    CHECK(no_such_call(syscall(SYS_capset, NULL, NULL)));
    CHECK(no_such_call(syscall(SYS_memfd_create, "", 0)));
    CHECK(no_such_call(syscall(SYS_seccomp, 0, 0, NULL)));
    CHECK(no_such_call(syscall(100000)));

    /* Calls that are listed, with arguments that are not. */
    CHECK(no_such_call(fork()));
    CHECK(no_such_call(syscall(SYS_clone3, &args, sizeof args)));
    CHECK(!has_socket(AF_PACKET, SOCK_RAW) && errno == ENOSYS);
    CHECK(!has_socket(AF_VSOCK, SOCK_STREAM) && errno == ENOSYS);
    void *code = map(PROT_READ | PROT_EXEC);
    CHECK(code == MAP_FAILED && errno == ENOSYS);
    void *page = map(PROT_READ | PROT_WRITE);
    CHECK(page != MAP_FAILED);
    CHECK(no_such_call(mprotect(page, 4096, PROT_READ | PROT_EXEC)));
    CHECK(no_such_call(setrlimit(RLIMIT_CORE, &limit)));
    CHECK(no_such_call(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)));
    CHECK(no_such_call(kill(getppid(), 0)));
    CHECK(no_such_call(syscall(SYS_tgkill, getppid(), getppid(), 0)));
}

static void
test_unlisted_calls_do_not_exist(void **state OVS_UNUSED)
{
    needs_filter();
    assert_int_equal(in_process(make_unlisted_calls), 0);
}

static void *
run_thread(void *ran)
{
    *(bool *) ran = true;
    return NULL;
}

static void
do_what_a_daemon_does(void)
{
    pthread_t thread;
    bool ran = false;

    CHECK(sandbox_filter_daemon());
    CHECK(!pthread_create(&thread, NULL, run_thread, &ran));
    CHECK(!pthread_join(thread, NULL));
    CHECK(ran);
    CHECK(has_socket(AF_INET6, SOCK_DGRAM));
    CHECK(has_socket(AF_NETLINK, SOCK_RAW));
    void *memory = malloc(64 * 1024 * 1024);
    CHECK(memory != NULL);
    free(memory);
    CHECK(!raise(0));
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file != NULL);
    fclose(file);
    abort();
}

/* To its very end, which is not that of the filter. */
static void
test_what_a_daemon_does_works(void **state OVS_UNUSED)
{
    needs_filter();
    int status = in_process(do_what_a_daemon_does);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* The filter goes to threads that are there already. */
static int go[2], gone[2];

static void *
call_from_thread(void *aux OVS_UNUSED)
{
    char byte;

    CHECK(read(go[0], &byte, 1) == 1);
    CHECK(no_such_call(syscall(SYS_timerfd_create, 0, 0)));
    CHECK(write(gone[1], "", 1) == 1);
    return NULL;
}

static void
filter_beside_a_thread(void)
{
    pthread_t thread;
    char byte;

    CHECK(!pipe(go) && !pipe(gone));
    CHECK(!pthread_create(&thread, NULL, call_from_thread, NULL));
    CHECK(sandbox_filter_daemon());
    CHECK(write(go[1], "", 1) == 1);
    CHECK(read(gone[0], &byte, 1) == 1);
}

static void
test_the_filter_is_for_all_threads(void **state OVS_UNUSED)
{
    needs_filter();
    assert_int_equal(in_process(filter_beside_a_thread), 0);
}

/* Capabilities. */

/* Returns what the kernel says of 'name', such as CapEff, of this process. */
static const char *
status_of(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    static char line[256];
    size_t length = strlen(name);

    CHECK(file != NULL);
    while (fgets(line, sizeof line, file)) {
        if (!strncmp(line, name, length) && line[length] == ':') {
            line[strcspn(line, "\n")] = '\0';
            fclose(file);
            return line + length + 1 + strspn(line + length + 1, "\t");
        }
    }
    fclose(file);
    return "";
}

/* Returns the set 'name'. */
static uint64_t
capabilities(const char *name)
{
    unsigned long long int set = ~0ULL;

    sscanf(status_of(name), "%llx", &set);
    return set;
}

static void
give_up_all(void)
{
    CHECK(sandbox_limit_capabilities(0) == 0);
    CHECK(capabilities("CapEff") == 0);
    CHECK(capabilities("CapPrm") == 0);
    CHECK(capabilities("CapInh") == 0);
    CHECK(capabilities("CapAmb") == 0);
    CHECK(capabilities("CapBnd") == 0);
}

static void
keep_one(void)
{
    const uint64_t kept = SANDBOX_CAP(CAP_NET_BIND_SERVICE);

    CHECK(sandbox_limit_capabilities(kept) == kept);
    CHECK(capabilities("CapEff") == kept);
    CHECK(capabilities("CapPrm") == kept);
    CHECK(capabilities("CapInh") == 0);
    CHECK(capabilities("CapAmb") == 0);
    CHECK(capabilities("CapBnd") == kept);
}

static void
take_back(void)
{
    CHECK(sandbox_limit_capabilities(0) == 0);
    CHECK(sandbox_limit_capabilities(SANDBOX_CAP(CAP_NET_ADMIN)) == 0);
    CHECK(capabilities("CapEff") == 0);
}

static void
test_capabilities(void **state OVS_UNUSED)
{
    if (geteuid()) {
        skip();
    }
    assert_int_equal(in_process(give_up_all), 0);
    assert_int_equal(in_process(keep_one), 0);
    assert_int_equal(in_process(take_back), 0);
}

/* Entering. */

/* All four of them: real, effective, saved, and for files. */
static bool
has_ids(const char *name, unsigned int id)
{
    char expected[64];

    snprintf(expected, sizeof expected, "%u\t%u\t%u\t%u", id, id, id, id);
    return !strcmp(status_of(name), expected);
}

static void
enter_as_nobody(void)
{
    struct sandbox_user user;
    char groups[32];

    CHECK(!sandbox_user_find("nobody", &user));
    CHECK(user.uid && user.gid);
    sandbox_enter(&user);
    CHECK(has_ids("Uid", user.uid));
    CHECK(has_ids("Gid", user.gid));
    snprintf(groups, sizeof groups, "%u ", user.gid);
    CHECK(!strcmp(status_of("Groups"), groups));
    CHECK(capabilities("CapEff") == 0 && capabilities("CapPrm") == 0);
    CHECK(capabilities("CapBnd") == 0 && capabilities("CapAmb") == 0);
    CHECK(capabilities("NoNewPrivs") == 1);
    sandbox_user_uninit(&user);
}

static void
enter_as_root(void)
{
    struct sandbox_user user;

    CHECK(!sandbox_user_find("root", &user));
    sandbox_enter(&user);
    CHECK(has_ids("Uid", 0));
    CHECK(capabilities("CapEff") == 0 && capabilities("CapPrm") == 0);
    CHECK(capabilities("CapBnd") == 0 && capabilities("CapAmb") == 0);
    CHECK(capabilities("NoNewPrivs") == 1);
    sandbox_user_uninit(&user);
}

static void
test_entering(void **state OVS_UNUSED)
{
    if (geteuid()) {
        skip();
    }
    assert_int_equal(in_process(enter_as_nobody), 0);
    assert_int_equal(in_process(enter_as_root), 0);
}

/* Users. */

static void
test_users(void **state OVS_UNUSED)
{
    struct sandbox_user user;

    if (geteuid()) {
        skip();
    }
    const struct passwd *nobody = getpwnam("nobody");
    uid_t uid = nobody->pw_uid;
    gid_t gid = nobody->pw_gid;

    assert_no_error(sandbox_user_find("nobody", &user));
    assert_string_equal(user.name, "nobody");
    assert_int_equal(user.uid, uid);
    assert_int_equal(user.gid, gid);
    assert_true(user.given);
    sandbox_user_uninit(&user);

    assert_no_error(sandbox_user_find("nobody:daemon", &user));
    assert_int_equal(user.uid, uid);
    assert_int_not_equal(user.gid, gid);
    assert_int_equal(user.groups[0], user.gid);
    sandbox_user_uninit(&user);

    assert_no_error(sandbox_user_find(NULL, &user));
    assert_false(user.given);
    assert_true((user.name != NULL) == (getpwnam("snowrelay") != NULL));
    sandbox_user_uninit(&user);
}

static void
test_unknown_users(void **state OVS_UNUSED)
{
    static const struct {
        const char *spec, *error;
    } wrong[] = {
        { "no-such-user", "--user: there is no user \"no-such-user\"" },
        { "", "--user: there is no user \"\"" },
        { ":daemon", "--user: there is no user \"\"" },
        { "nobody:", "--user: there is no group \"\"" },
        { "nobody:no-such", "--user: there is no group \"no-such\"" },
        { "root:daemon:x", "--user: there is no group \"daemon:x\"" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct sandbox_user user;

        assert_error(sandbox_user_find(wrong[i].spec, &user), wrong[i].error);
        sandbox_user_uninit(&user);
    }
}

static void
ask_as_nobody(void)
{
    struct sandbox_user user;

    CHECK(!setresuid(65534, 65534, 65534));
    CHECK(!sandbox_user_find(NULL, &user) && !user.name);
    CHECK(user.uid == 65534);
    CHECK(!sandbox_user_check(&user));
    CHECK(!sandbox_user_find("nobody", &user));
    CHECK(!sandbox_user_check(&user));
    CHECK(!sandbox_user_find("root", &user));
    char *error = sandbox_user_check(&user);
    CHECK(error && !strcmp(error, "--user: only root can become \"root\""));
}

static void
test_only_root_can_become_another(void **state OVS_UNUSED)
{
    if (geteuid()) {
        skip();
    }
    assert_int_equal(in_process(ask_as_nobody), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_that_kill),
        cmocka_unit_test(test_no_program_can_be_started),
        cmocka_unit_test(test_unlisted_calls_do_not_exist),
        cmocka_unit_test(test_what_a_daemon_does_works),
        cmocka_unit_test(test_the_filter_is_for_all_threads),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_entering),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_unknown_users),
        cmocka_unit_test(test_only_root_can_become_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
