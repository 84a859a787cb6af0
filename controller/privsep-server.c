/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "privsep-server.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "command-line.h"
#include "daemon.h"
#include "endpoint.h"
#include "fatal-signal.h"
#include "mesh.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "privsep.h"
#include "rtnl.h"
#include "sandbox.h"
#include "signals.h"
#include "socket-util.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(privileged);

/* Where the socket is in this process; the next ones are closed. */
enum { SERVER_FD = STDERR_FILENO + 1 };

/* Operations.  Each returns a negative errno, or what it brings. */

static int
serve_connect(const struct privsep_request *request)
{
    const char *path = privsep_path(PRIVSEP_CONNECT, request->path);

    return path ? make_unix_socket(SOCK_STREAM, true, NULL, path) : -EPERM;
}

/* Only regular files: opening anything else may wait. */
static int
serve_open(const struct privsep_request *request)
{
    const char *path = privsep_path(PRIVSEP_OPEN, request->path);
    struct stat s;

    if (!path) {
        return -EPERM;
    }
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &s) || !S_ISREG(s.st_mode))) {
        close(fd);
        return -EINVAL;
    }
    return fd >= 0 ? fd : -errno;
}

/* Where the log is opened, for writing at its end.  Its folder may be one that
 * the daemon's user can write, so the name may have become that of a file
 * which is no log at all: no links are followed. */
static int
serve_log(const struct privsep_request *request)
{
    const char *path = privsep_path(PRIVSEP_LOG, request->path);
    struct stat s;

    if (!path) {
        return -EPERM;
    }
    int fd = open(path,
                  O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK
                      | O_NOCTTY | O_CLOEXEC,
                  0660);
    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &s) || !S_ISREG(s.st_mode) || s.st_nlink > 1) {
        close(fd);
        return -EINVAL;
    }

    /* This process's own log, too: that very file, whatever has become of
     * its name. */
    char *same = xasprintf("/proc/self/fd/%d", fd);
    vlog_set_log_file(same);
    free(same);
    return fd;
}

static int
serve_unlink(const struct privsep_request *request)
{
    const char *path = privsep_path(PRIVSEP_UNLINK, request->path);

    return !path ? -EPERM : unlink(path) ? -errno : 0;
}

/* Asks about neighbours, and nobody else.  What the kernel knows of one is
 * read here: what the daemon says of it might be wrong, and entries that
 * somebody else keeps are to be left alone. */
static int
serve_solicit(const struct privsep_request *request)
{
    const struct in6_addr *address = &request->address;
    struct rtnl_entry entry;
    char device[IFNAMSIZ];
    bool is_unicast;

    if (IN6_IS_ADDR_V4MAPPED(address)) {
        ovs_be32 ip = in6_addr_get_mapped_ipv4(address);

        is_unicast =
            (ip && !ip_is_multicast(ip) && (ntohl(ip) >> 24) != IN_LOOPBACKNET
             && ip != htonl(INADDR_BROADCAST));
    } else {
        is_unicast =
            !(IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_LOOPBACK(address)
              || IN6_IS_ADDR_MULTICAST(address));
    }
    if (!is_unicast || request->ifindex <= 0) {
        return -EPERM;
    }
    if (!if_indextoname(request->ifindex, device)) {
        return -ENODEV;
    }
    if (rtnl_read_entry(request->ifindex, address, &entry)) {
        rtnl_solicit(&entry);
    }
    return 0;
}

static int
serve_bind(const struct privsep_request *request)
{
    struct sockaddr_storage ss;
    struct endpoint endpoint = {
        .address = request->address,
        .port = request->port,
    };
    socklen_t length = endpoint_to_sockaddr(&endpoint, &ss);

    return (request->port && ss.ss_family == request->family
                ? mesh_open_socket(&ss, length)
                : -EPERM);
}

static int
serve_request(const struct privsep_request *request)
{
    switch (request->op) {
    case PRIVSEP_CONNECT: return serve_connect(request);
    case PRIVSEP_OPEN: return serve_open(request);
    case PRIVSEP_LOG: return serve_log(request);
    case PRIVSEP_UNLINK: return serve_unlink(request);
    case PRIVSEP_SOLICIT: return serve_solicit(request);
    case PRIVSEP_BIND: return serve_bind(request);
    default: return -EPERM;
    }
}

/* Serving. */

/* Logs that what 'format' describes was refused.  A daemon that is in its
 * right mind asks for no such thing, so somebody should see it even if there
 * is neither a log file nor a terminal. */
static void OVS_PRINTF_FORMAT(1, 2) refused(const char *format, ...)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 10);
    va_list args;

    if (!vlog_should_drop(&this_module, VLL_WARN, &rl)) {
        va_start(args, format);
        char *what = xvasprintf(format, args);
        va_end(args);
        VLOG_WARN("privileged process refused: %s", what);
        syslog(LOG_DAEMON | LOG_WARNING, "privileged process refused: %s",
               what);
        free(what);
    }
}

/* Receives a request.  Returns false at the end. */
static bool
receive_request(int fd, struct privsep_request *request)
{
    for (;;) {
        struct iovec iov = { .iov_base = request, .iov_len = sizeof *request };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

        /* Without room for it the kernel discards what else may come, such as
         * file descriptors, and says so. */
        ssize_t length = recvmsg(fd, &msg, 0);

        if (length == sizeof *request
            && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
            return true;
        } else if (length < 0 && errno == EINTR) {
            continue;
        } else if (length <= 0) {
            return false;
        }
        refused("a request of %s%" PRIdSIZE " bytes",
                msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? "more than " : "",
                length);
    }
}

/* Sends a reply with 'result', that of serve_request().  Returns false at the
 * end. */
static bool
send_reply(int fd, const struct privsep_request *request, int result)
{
    bool brings_fd = privsep_brings_fd(request->op);
    struct privsep_reply reply = {
        .seq = request->seq,
        .error = result < 0 ? -result : 0,
    };
    struct iovec iov = { .iov_base = &reply, .iov_len = sizeof reply };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    ssize_t length;

    if (brings_fd && result >= 0) {
        memset(&control, 0, sizeof control);
        msg.msg_control = &control;
        msg.msg_controllen = sizeof control;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &result, sizeof result);
    }
    do {
        length = sendmsg(fd, &msg, MSG_NOSIGNAL);
    } while (length < 0 && errno == EINTR);
    if (brings_fd && result >= 0) {
        close(result);
    }
    return length == sizeof reply;
}

void
privsep_serve(int fd)
{
    struct privsep_request request;

    while (receive_request(fd, &request)) {
        int result = serve_request(&request);

        if (result == -EPERM) {
            refused("operation %" PRIu32 ", path %" PRIu32
                    ", interface %" PRId32 ", family %" PRIu16
                    ", port %" PRIu16,
                    request.op, request.path, request.ifindex, request.family,
                    request.port);
        }
        if (!send_reply(fd, &request, result)) {
            return;
        }
    }
}

/* Starting. */

/* Leaves no file descriptors of the daemon's open but 'fd', which becomes
 * SERVER_FD, and the standard ones.  Both processes write to the log file, and
 * each has opened it. */
static void
keep_only(int fd)
{
    struct vlog_module *vlog = vlog_module_from_name("vlog");
    char *log_file = vlog_get_log_file();

    /* That a log file is opened is for the daemon to say. */
    vlog_set_levels(vlog, VLF_ANY_DESTINATION, VLL_WARN);
    vlog_close_log_file();

    /* libopenvswitch cannot open its way to syslog again. */
    vlog_set_levels(NULL, VLF_SYSLOG, VLL_OFF);
    closelog();

    if (fd != SERVER_FD && dup3(fd, SERVER_FD, O_CLOEXEC) < 0) {
        VLOG_FATAL("cannot start the privileged process: dup3: %s",
                   ovs_strerror(errno));
    }
    if (close_range(SERVER_FD + 1, ~0U, 0)) {
        for (int i = SERVER_FD + 1; i < sysconf(_SC_OPEN_MAX); i++) {
            close(i); /* An old kernel. */
        }
    }
    if (log_file) {
        vlog_set_log_file(log_file);
        free(log_file);
    }

    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        if (get_detach()) {
            dup2(null, STDERR_FILENO);
        }
        close(null);
    } else {
        VLOG_FATAL("cannot start the privileged process: /dev/null: %s",
                   ovs_strerror(errno));
    }
}

/* The system calls for the operations above, for netlink, and for logging. */
static void
filter(void)
{
    const struct sandbox_call calls[] = {
        SANDBOX_CALL_IF(socket, 0, UINT32_MAX, AF_UNIX),
        SANDBOX_CALL_IF(socket, 0, UINT32_MAX, AF_INET),
        SANDBOX_CALL_IF(socket, 0, UINT32_MAX, AF_INET6),
        SANDBOX_CALL_IF(socket, 0, UINT32_MAX, AF_NETLINK),
        SANDBOX_CALL(bind),
        SANDBOX_CALL(connect),
        SANDBOX_CALL(getsockname),
        SANDBOX_CALL(getsockopt),
        SANDBOX_CALL(setsockopt),
        SANDBOX_CALL(sendto),
        SANDBOX_CALL(sendmsg),
        SANDBOX_CALL(recvmsg),
        SANDBOX_CALL(ioctl),
        SANDBOX_CALL(fcntl),
        SANDBOX_CALL(fcntl64),
        SANDBOX_CALL_IF(openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
        SANDBOX_CALL_IF(openat, 2, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND,
                        O_WRONLY | O_CREAT | O_APPEND),
        SANDBOX_CALL(read),
        SANDBOX_CALL(write),
        SANDBOX_CALL(writev),
        SANDBOX_CALL(lseek),
        SANDBOX_CALL(fstat),
        SANDBOX_CALL(newfstatat),
        SANDBOX_CALL(statx),
        SANDBOX_CALL(close),
        SANDBOX_CALL(unlink),
        SANDBOX_CALL(unlinkat),
        SANDBOX_CALL(poll),
        SANDBOX_CALL(ppoll),
        SANDBOX_CALL(brk),
        SANDBOX_CALL_IF(mmap, 2, PROT_EXEC, 0),
        SANDBOX_CALL_IF(mmap2, 2, PROT_EXEC, 0),
        SANDBOX_CALL(munmap),
        SANDBOX_CALL(mremap),
        SANDBOX_CALL(madvise),
        SANDBOX_CALL(futex),
        SANDBOX_CALL(getrandom),
        SANDBOX_CALL(getpid),
        SANDBOX_CALL(gettid),
        SANDBOX_CALL(clock_gettime),
        SANDBOX_CALL(clock_gettime64),
        SANDBOX_CALL(gettimeofday),
        SANDBOX_CALL(rt_sigaction),
        SANDBOX_CALL(rt_sigprocmask),
        SANDBOX_CALL(rt_sigreturn),
        SANDBOX_CALL(restart_syscall),
        SANDBOX_CALL_IF(tgkill, 0, UINT32_MAX, getpid()), /* abort(). */
        SANDBOX_CALL(exit_group),
    };
    sandbox_filter(calls, ARRAY_SIZE(calls));
}

/* The privileged process. */
static void OVS_NO_RETURN
run(int fd)
{
    const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
        struct sigaction action = { .sa_handler = SIG_IGN };
        xsigaction(ignored[i], &action, NULL);
    }
    fatal_signal_fork(); /* The files to remove at exit are the daemon's. */
    privsep_forget();
    set_subprogram_name("priv");
    ovs_cmdl_proctitle_set("privileged process");
    prctl(PR_SET_NAME, "snowrelay-priv", 0, 0, 0);
    keep_only(fd);
    ignore(chdir("/"));
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sandbox_limit_capabilities(SANDBOX_CAP(CAP_DAC_OVERRIDE)
                               | SANDBOX_CAP(CAP_NET_ADMIN)
                               | SANDBOX_CAP(CAP_NET_BIND_SERVICE));
    filter();
    privsep_serve(SERVER_FD);
    _exit(EXIT_SUCCESS);
}

void
privsep_start(void)
{
    int fds[2];

    if (geteuid()) {
        return;
    }
    assert_single_threaded();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
        VLOG_FATAL("cannot start the privileged process: socketpair: %s",
                   ovs_strerror(errno));
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        VLOG_FATAL("cannot start the privileged process: fork: %s",
                   ovs_strerror(errno));
    } else if (!pid) {
        close(fds[0]);
        run(fds[1]);
    }
    close(fds[1]);
    privsep_use(fds[0], pid);
}
