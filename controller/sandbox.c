/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(sandbox);

/* Users. */

/* Finds the supplementary groups of 'user'. */
static void
find_groups(struct sandbox_user *user)
{
    int n = 16;

    do {
        user->n_groups = n;
        user->groups = xrealloc(user->groups, n * sizeof *user->groups);
    } while (getgrouplist(user->name, user->gid, user->groups, &n) < 0);
    user->n_groups = n;
}

char *
sandbox_user_find(const char *spec, struct sandbox_user *user)
{
    bool root = !geteuid();

    memset(user, 0, sizeof *user);
    user->given = spec != NULL;
    user->uid = geteuid();
    user->gid = getegid();
    if (!spec && (!root || !getpwnam(SANDBOX_DEFAULT_USER))) {
        return NULL;
    }

    const char *text = spec ? spec : SANDBOX_DEFAULT_USER;
    size_t length = strcspn(text, ":");
    user->name = xmemdup0(text, length);
    const struct passwd *pw = getpwnam(user->name);
    if (!pw) {
        return xasprintf("--user: there is no user \"%s\"", user->name);
    }
    user->uid = pw->pw_uid;
    user->gid = pw->pw_gid;
    if (text[length]) {
        const struct group *gr = getgrnam(text + length + 1);

        if (!gr) {
            return xasprintf("--user: there is no group \"%s\"",
                             text + length + 1);
        }
        user->gid = gr->gr_gid;
    }
    find_groups(user);
    return NULL;
}

char *
sandbox_user_check(const struct sandbox_user *user)
{
    return (
        !geteuid() || user->uid == geteuid()
            ? NULL
            : xasprintf("--user: only root can become \"%s\"", user->name));
}

void
sandbox_user_uninit(struct sandbox_user *user)
{
    free(user->name);
    free(user->groups);
}

/* Becomes 'user'.  A root without the capability to change its groups may
 * still be told to stay root. */
static void
become(const struct sandbox_user *user)
{
    bool same = user->uid == geteuid() && user->gid == getegid();

    if ((setgroups(user->n_groups, user->groups) && !(same && errno == EPERM))
        || setresgid(user->gid, user->gid, user->gid)
        || setresuid(user->uid, user->uid, user->uid)) {
        VLOG_FATAL("cannot become user %s: %s", user->name,
                   ovs_strerror(errno));
    }
}

/* Capabilities. */

/* Takes those not in 'keep' from the bounding set, which takes CAP_SETPCAP.
 * Without that there is nothing to take that execve() could bring back. */
static void
limit_bounding_set(uint64_t keep)
{
    for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++) {
        if (!(keep & SANDBOX_CAP(cap)) && cap_drop_bound(cap)
            && errno != EPERM) {
            VLOG_FATAL("cannot give up capability %d: %s", cap,
                       ovs_strerror(errno));
        }
    }
}

uint64_t
sandbox_limit_capabilities(uint64_t keep)
{
    cap_t old = cap_get_proc();
    cap_t new = cap_init();
    uint64_t kept = 0;

    if (!old || !new) {
        VLOG_FATAL("cannot read capabilities: %s", ovs_strerror(errno));
    }
    for (cap_value_t cap = 0; cap < 64; cap++) {
        cap_flag_value_t value;

        if (keep & SANDBOX_CAP(cap)
            && !cap_get_flag(old, cap, CAP_PERMITTED, &value)
            && value == CAP_SET) {
            cap_set_flag(new, CAP_PERMITTED, 1, &cap, CAP_SET);
            cap_set_flag(new, CAP_EFFECTIVE, 1, &cap, CAP_SET);
            kept |= SANDBOX_CAP(cap);
        }
    }
    limit_bounding_set(keep);
    if (cap_reset_ambient() || cap_set_proc(new)) {
        VLOG_FATAL("cannot give up capabilities: %s", ovs_strerror(errno));
    }
    cap_free(old);
    cap_free(new);
    return kept;
}

/* System calls. */

#ifndef __SANITIZE_ADDRESS__
/* What no correct run makes, and who has taken the process over wants. */
static const int deadly_calls[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(open_tree),
    SCMP_SYS(move_mount),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(personality),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(syslog),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(modify_ldt),
    SCMP_SYS(lookup_dcookie),
    SCMP_SYS(vhangup),
};

/* Adds 'calls' to 'filter'.  Calls that this architecture does not have are
 * left out by libseccomp. */
static int
add_calls(scmp_filter_ctx filter, const struct sandbox_call *calls, size_t n)
{
    int error = 0;

    for (size_t i = 0; !error && i < ARRAY_SIZE(deadly_calls); i++) {
        error = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS,
                                 deadly_calls[i], 0);
    }
    for (size_t i = 0; !error && i < n; i++) {
        const struct sandbox_call *call = &calls[i];

        if (call->arg < 0) {
            error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 0);
        } else {
            error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                     SCMP_CMP64(call->arg, SCMP_CMP_MASKED_EQ,
                                                call->mask, call->value));
        }
    }
    return error;
}

bool
sandbox_filter(const struct sandbox_call *calls, size_t n)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int error = -ENOMEM;

    if (filter) {
        error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                                 SCMP_ACT_KILL_PROCESS);
        error =
            error ? error : seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
        error = error ? error
                      : seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        error = error ? error : add_calls(filter, calls, n);
        error = error ? error : seccomp_load(filter);
        seccomp_release(filter);
    }
    if (error) {
        VLOG_WARN("cannot filter system calls: %s", ovs_strerror(-error));
    }
    return !error;
}
#else
bool
sandbox_filter(const struct sandbox_call *calls OVS_UNUSED,
               size_t n OVS_UNUSED)
{
    return false;
}
#endif

/* Which argument of clone() has the flags. */
#if defined __s390__ || defined __CRIS__
enum { CLONE_FLAGS = 1 };
#else
enum { CLONE_FLAGS = 0 };
#endif

bool
sandbox_filter_daemon(void)
{
    const struct sandbox_call calls[] = {
        /* Waiting, and time. */
        SANDBOX_CALL(poll),
        SANDBOX_CALL(ppoll),
        SANDBOX_CALL(select),
        SANDBOX_CALL(pselect6),
        SANDBOX_CALL(epoll_create1),
        SANDBOX_CALL(epoll_ctl),
        SANDBOX_CALL(epoll_wait),
        SANDBOX_CALL(epoll_pwait),
        SANDBOX_CALL(restart_syscall),
        SANDBOX_CALL(nanosleep),
        SANDBOX_CALL(clock_nanosleep),
        SANDBOX_CALL(clock_gettime),
        SANDBOX_CALL(clock_gettime64),
        SANDBOX_CALL(clock_getres),
        SANDBOX_CALL(gettimeofday),
        SANDBOX_CALL(time),
        SANDBOX_CALL(times),

        /* Sockets: the mesh, the switch, its database, control, name servers,
         * the kernel's tables, and syslog. */
        SANDBOX_CALL_IF(socket, 0, UINT32_MAX, AF_UNIX),
        SANDBOX_CALL_IF(socket, 0, UINT32_MAX, AF_INET),
        SANDBOX_CALL_IF(socket, 0, UINT32_MAX, AF_INET6),
        SANDBOX_CALL_IF(socket, 0, UINT32_MAX, AF_NETLINK),
        SANDBOX_CALL(socketpair),
        SANDBOX_CALL(bind),
        SANDBOX_CALL(listen),
        SANDBOX_CALL(accept),
        SANDBOX_CALL(accept4),
        SANDBOX_CALL(connect),
        SANDBOX_CALL(shutdown),
        SANDBOX_CALL(getsockname),
        SANDBOX_CALL(getpeername),
        SANDBOX_CALL(getsockopt),
        SANDBOX_CALL(setsockopt),
        SANDBOX_CALL(sendto),
        SANDBOX_CALL(sendmsg),
        SANDBOX_CALL(sendmmsg),
        SANDBOX_CALL(recvfrom),
        SANDBOX_CALL(recvmsg),
        SANDBOX_CALL(recvmmsg),
        SANDBOX_CALL(ioctl),

        /* Files: the log, resolv.conf, certificates, sysctls. */
        SANDBOX_CALL(open),
        SANDBOX_CALL(openat),
        SANDBOX_CALL(close),
        SANDBOX_CALL(read),
        SANDBOX_CALL(readv),
        SANDBOX_CALL(pread64),
        SANDBOX_CALL(write),
        SANDBOX_CALL(writev),
        SANDBOX_CALL(lseek),
        SANDBOX_CALL(_llseek),
        SANDBOX_CALL(stat),
        SANDBOX_CALL(lstat),
        SANDBOX_CALL(fstat),
        SANDBOX_CALL(stat64),
        SANDBOX_CALL(fstat64),
        SANDBOX_CALL(newfstatat),
        SANDBOX_CALL(fstatat64),
        SANDBOX_CALL(statx),
        SANDBOX_CALL(access),
        SANDBOX_CALL(faccessat),
        SANDBOX_CALL(faccessat2),
        SANDBOX_CALL(readlink),
        SANDBOX_CALL(readlinkat),
        SANDBOX_CALL(getdents64),
        SANDBOX_CALL(getcwd),
        SANDBOX_CALL(chdir),
        SANDBOX_CALL(unlink),
        SANDBOX_CALL(unlinkat),
        SANDBOX_CALL(fcntl),
        SANDBOX_CALL(fcntl64),
        SANDBOX_CALL(dup),
        SANDBOX_CALL(dup2),
        SANDBOX_CALL(dup3),
        SANDBOX_CALL(pipe),
        SANDBOX_CALL(pipe2),
        SANDBOX_CALL(eventfd2),
        SANDBOX_CALL(fsync),
        SANDBOX_CALL(fdatasync),
        SANDBOX_CALL(ftruncate),
        SANDBOX_CALL(ftruncate64),

        /* Memory, none of which becomes code. */
        SANDBOX_CALL(brk),
        SANDBOX_CALL_IF(mmap, 2, PROT_EXEC, 0),
        SANDBOX_CALL_IF(mmap2, 2, PROT_EXEC, 0),
        SANDBOX_CALL_IF(mprotect, 2, PROT_EXEC, 0),
        SANDBOX_CALL(munmap),
        SANDBOX_CALL(mremap),
        SANDBOX_CALL(madvise),
        SANDBOX_CALL(mlock),
        SANDBOX_CALL(munlock),

        /* Threads, which libopenvswitch may start. */
        SANDBOX_CALL_IF(clone, CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD),
        SANDBOX_CALL(set_robust_list),
        SANDBOX_CALL(rseq),
        SANDBOX_CALL(futex),
        SANDBOX_CALL(futex_time64),
        SANDBOX_CALL(membarrier),
        SANDBOX_CALL(sched_yield),
        SANDBOX_CALL(sched_getaffinity),
        SANDBOX_CALL(getcpu),
        SANDBOX_CALL(gettid),
        SANDBOX_CALL(exit),
        SANDBOX_CALL_IF(prctl, 0, UINT32_MAX, PR_SET_NAME),
        SANDBOX_CALL_IF(prctl, 0, UINT32_MAX, PR_GET_NAME),

        /* The process itself. */
        SANDBOX_CALL(exit_group),
        SANDBOX_CALL(wait4),
        SANDBOX_CALL(waitid),
        SANDBOX_CALL(rt_sigaction),
        SANDBOX_CALL(rt_sigprocmask),
        SANDBOX_CALL(rt_sigreturn),
        SANDBOX_CALL(sigaltstack),
        SANDBOX_CALL_IF(tgkill, 0, UINT32_MAX, getpid()), /* abort(). */
        SANDBOX_CALL(getrandom),
        SANDBOX_CALL(getpid),
        SANDBOX_CALL(getppid),
        SANDBOX_CALL(getuid),
        SANDBOX_CALL(geteuid),
        SANDBOX_CALL(getgid),
        SANDBOX_CALL(getegid),
        SANDBOX_CALL(getrusage),
        SANDBOX_CALL(getrlimit),
        SANDBOX_CALL(ugetrlimit),
        SANDBOX_CALL_IF(prlimit64, 2, UINT64_MAX, 0), /* Reads. */
        SANDBOX_CALL(sysinfo),
        SANDBOX_CALL(uname),
        SANDBOX_CALL(umask),
    };
    return sandbox_filter(calls, ARRAY_SIZE(calls));
}

/* Entering. */

/* Ends the process if 'prctl' fails, which is not expected to. */
static void
set_process(int option, unsigned long value)
{
    if (prctl(option, value, 0, 0, 0)) {
        VLOG_FATAL("cannot give up privileges: prctl(%d, %lu): %s", option,
                   value, ovs_strerror(errno));
    }
}

void
sandbox_enter(const struct sandbox_user *user)
{
    /* Where nobody serves as the privileged process, what the user was given
     * for this is kept. */
    const uint64_t own_use =
        (SANDBOX_CAP(CAP_NET_ADMIN) | SANDBOX_CAP(CAP_NET_BIND_SERVICE)
         | SANDBOX_CAP(CAP_DAC_OVERRIDE));
    bool root = !geteuid();
    uint64_t left;

    assert_single_threaded();
    if (root) {
        limit_bounding_set(0);
        if (user->name) {
            become(user);
        }
        left = sandbox_limit_capabilities(0);
    } else {
        left = sandbox_limit_capabilities(own_use);
    }
    set_process(PR_SET_NO_NEW_PRIVS, 1);
#ifdef __SANITIZE_ADDRESS__
    set_process(PR_SET_DUMPABLE, 1); /* Its leak check attaches to us. */
#else
    set_process(PR_SET_DUMPABLE, 0);
#endif
    if (root && !user->name) {
        VLOG_WARN("runs as root, though without capabilities: there is no "
                  "user " SANDBOX_DEFAULT_USER ", which ovs-setup.sh makes; "
                  "or name one with --user");
    }
    bool filtered = sandbox_filter_daemon();

    VLOG_INFO("runs as uid %ld, gid %ld (%s), %s, seccomp %s",
              (long int) getuid(), (long int) getgid(),
              user->name ? user->name
              : root     ? "root"
                         : "who started it",
              left ? "with what capabilities it was given"
                   : "without capabilities",
              filtered ? "on" : "off");
}
