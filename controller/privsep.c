/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "privsep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fatal-signal.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "process.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(privsep);

/* How long the child may take, in seconds: it has to be scheduled. */
enum { TIMEOUT = 5 };

/* Registered paths, which stay as long as the process. */
struct paths {
    char *paths[PRIVSEP_MAX_PATHS];
    bool removed[PRIVSEP_MAX_PATHS]; /* Of PRIVSEP_UNLINK. */
    size_t n;
};

static struct paths registered[PRIVSEP_BIND + 1];

static bool on;           /* Are privileges separated? */
static int child_fd = -1; /* -1 also if the child is gone. */
static pid_t child_pid;
static uint32_t last_seq;

/* Paths. */

/* Returns the number of 'path', -1 if it is not registered for 'op'. */
static int
find_path(enum privsep_op op, const char *path)
{
    const struct paths *p = &registered[op];

    for (size_t i = 0; i < p->n; i++) {
        if (!strcmp(p->paths[i], path)) {
            return i;
        }
    }
    return -1;
}

void
privsep_register(enum privsep_op op, const char *path)
{
    struct paths *p = &registered[op];

    if (path && find_path(op, path) < 0) {
        ovs_assert(!on && p->n < PRIVSEP_MAX_PATHS);
        p->paths[p->n++] = xstrdup(path);
    }
}

const char *
privsep_path(enum privsep_op op, uint32_t i)
{
    return i < registered[op].n ? registered[op].paths[i] : NULL;
}

/* The child. */

void
privsep_use(int fd, pid_t pid)
{
    const struct timeval timeout = { .tv_sec = TIMEOUT };

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    on = true;
    child_fd = fd;
    child_pid = pid;
}

void
privsep_forget(void)
{
    if (child_fd >= 0) {
        close(child_fd);
    }
    on = false;
    child_fd = -1;
    child_pid = 0;
}

bool
privsep_is_on(void)
{
    return on;
}

/* Gives the child up because of 'why'. */
static void
lose_child(const char *why)
{
    VLOG_ERR("the privileged process (pid %ld) is gone: %s.  The connections "
             "that there are go on; no new one can be made to the switch, and "
             "the configuration cannot be reloaded, before a restart",
             (long int) child_pid, why);
    close(child_fd);
    child_fd = -1;
}

void
privsep_run(void)
{
    int status;

    if (on && child_pid > 0
        && waitpid(child_pid, &status, WNOHANG) == child_pid) {
        if (child_fd >= 0) {
            char *why = process_status_msg(status);
            lose_child(why);
            free(why);
        }
        child_pid = 0;
    }
}

/* Receives a reply and stores in '*fdp' the file descriptor that came with it,
 * -1 if none did.  Returns false if the child has not answered. */
static bool
receive_reply(struct privsep_reply *reply, int *fdp)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = { .iov_base = reply, .iov_len = sizeof *reply };
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    ssize_t length;

    *fdp = -1;
    do {
        length = recvmsg(child_fd, &msg, MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);

    const struct cmsghdr *cmsg = length > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS
        && cmsg->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(fdp, CMSG_DATA(cmsg), sizeof *fdp);
    }
    if (length == sizeof *reply) {
        return true;
    }
    int error = length < 0 ? errno : ECONNRESET;
    if (*fdp >= 0) {
        close(*fdp);
    }
    errno = error;
    return false;
}

/* Has 'request' done.  Returns a file descriptor, or 0 if the operation brings
 * none, or a negative errno. */
static int
transact(struct privsep_request *request)
{
    bool wants_fd = privsep_brings_fd(request->op);
    struct privsep_reply reply;
    int fd = -1;

    if (child_fd < 0) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_ERR_RL(&rl, "the privileged process is gone: restart snowrelayd");
        return -EOWNERDEAD;
    }
    request->seq = ++last_seq;
    if (send(child_fd, request, sizeof *request, MSG_NOSIGNAL)
            != sizeof *request
        || !receive_reply(&reply, &fd)) {
        lose_child(errno == EAGAIN ? "it does not answer"
                                   : ovs_strerror(errno));
        return -EOWNERDEAD;
    }
    if (reply.seq != request->seq || (!reply.error && wants_fd != (fd >= 0))
        || (reply.error && fd >= 0)) {
        if (fd >= 0) {
            close(fd);
        }
        lose_child("it gave a wrong answer");
        return -EOWNERDEAD;
    }
    return reply.error ? -reply.error : wants_fd ? fd : 0;
}

/* Has 'op' done with 'path'. */
static int
transact_path(enum privsep_op op, const char *path)
{
    int i = find_path(op, path);

    if (i < 0) {
        return -EPERM;
    }
    struct privsep_request request = { .op = op, .path = i };
    return transact(&request);
}

/* Requests. */

int
privsep_open(const char *path)
{
    if (on && find_path(PRIVSEP_OPEN, path) >= 0) {
        return transact_path(PRIVSEP_OPEN, path);
    }
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        fd = -errno;
    }
    return fd;
}

bool
privsep_may_connect(const char *path)
{
    return on && find_path(PRIVSEP_CONNECT, path) >= 0;
}

int
privsep_connect(const char *path)
{
    return transact_path(PRIVSEP_CONNECT, path);
}

bool
privsep_may_log(const char *path)
{
    return on && find_path(PRIVSEP_LOG, path) >= 0;
}

int
privsep_open_log(const char *path)
{
    return transact_path(PRIVSEP_LOG, path);
}

int
privsep_solicit(int ifindex, const struct in6_addr *address)
{
    struct privsep_request request = {
        .op = PRIVSEP_SOLICIT,
        .ifindex = ifindex,
        .address = *address,
    };
    return transact(&request);
}

int
privsep_bind(const struct sockaddr_storage *ss)
{
    struct privsep_request request = {
        .op = PRIVSEP_BIND,
        .family = ss->ss_family,
    };

    if (ss->ss_family == AF_INET) {
        const struct sockaddr_in *sin = (const struct sockaddr_in *) ss;

        in6_addr_set_mapped_ipv4(&request.address, sin->sin_addr.s_addr);
        request.port = ntohs(sin->sin_port);
    } else {
        const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *) ss;

        request.address = sin6->sin6_addr;
        request.port = ntohs(sin6->sin6_port);
    }
    return transact(&request);
}

/* Removing files. */

bool
privsep_may_unlink(const char *path)
{
    return on && find_path(PRIVSEP_UNLINK, path) >= 0;
}

int
privsep_unlink(const char *path)
{
    int i = find_path(PRIVSEP_UNLINK, path);
    struct paths *p = &registered[PRIVSEP_UNLINK];

    if (i < 0 || p->removed[i]) {
        return i < 0 ? -EPERM : 0;
    }
    p->removed[i] = true;
    fatal_signal_remove_file_to_unlink(path);
    return transact_path(PRIVSEP_UNLINK, path);
}

static void
unlink_all(void *aux OVS_UNUSED)
{
    const struct paths *p = &registered[PRIVSEP_UNLINK];

    for (size_t i = 0; on && i < p->n; i++) {
        if (child_fd < 0 || privsep_unlink(p->paths[i])) {
            unlink(p->paths[i]); /* It may be ours to remove. */
        }
    }
}

void
privsep_unlink_at_exit(void)
{
    if (on) {
        const struct paths *p = &registered[PRIVSEP_UNLINK];

        for (size_t i = 0; i < p->n; i++) {
            fatal_signal_remove_file_to_unlink(p->paths[i]);
        }
        fatal_signal_add_hook(unlink_all, NULL, NULL, true);
    }
}
