/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PRIVSEP_H
#define SNOWRELAY_PRIVSEP_H 1

/* Privilege separation, in the sense of OpenSSH's: the daemon, which reads
 * what strangers send, has no privileges (sandbox.h).  The few things that
 * need some are done by a small child process that reads nothing but the
 * requests below, from a socket between the two.
 *
 * All paths are registered before the child is forked and have numbers from
 * then on, so no request has a path in it.  A daemon that is taken over can
 * ask for no more than what the configuration of its start names:
 *
 *     connect to the switch, and to its database
 *     open the configuration file (and the like) for reading
 *     open the log file for more of the same, after it was rotated
 *     have the kernel ask for a neighbour
 *     open a UDP socket for the mesh
 *     remove the pidfile and the control socket
 *
 * This is the daemon's half; privsep-server.h is the child's.  Where there is
 * no child, since the daemon was not started as root, it does these things by
 * itself, as far as it may.
 *
 * Requests wait for the child, which waits for nothing but the kernel.  None
 * is made for a frame.  Not for several threads at once. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* What the child is asked to do. */
enum privsep_op {
    PRIVSEP_CONNECT = 1, /* To the Unix socket 'path'. */
    PRIVSEP_OPEN,        /* The file 'path', for reading. */
    PRIVSEP_UNLINK,      /* The file 'path'. */
    PRIVSEP_LOG,         /* To the file 'path', at its end. */
    PRIVSEP_SOLICIT,     /* 'address' on the interface 'ifindex'. */
    PRIVSEP_BIND,        /* A socket of 'family' to 'address' and 'port'. */
};

/* A request.  What its operation has no use for is 0. */
struct privsep_request {
    uint32_t op;
    uint32_t seq;            /* The reply has the same. */
    uint32_t path;           /* Number of a path registered for 'op'. */
    int32_t ifindex;         /* */
    struct in6_addr address; /* IPv4 ones are IPv4-mapped. */
    uint16_t family;         /* AF_INET or AF_INET6. */
    uint16_t port;           /* In host byte order. */
};

/* Returns true if 'op' brings a file descriptor. */
static inline bool
privsep_brings_fd(uint32_t op)
{
    return (op == PRIVSEP_CONNECT || op == PRIVSEP_OPEN || op == PRIVSEP_LOG
            || op == PRIVSEP_BIND);
}

/* A reply.  With it comes a file descriptor if the operation brings one and
 * 'error' is 0. */
struct privsep_reply {
    uint32_t seq;
    int32_t error; /* 0, or a positive errno. */
};

/* Paths. */
enum { PRIVSEP_MAX_PATHS = 8 }; /* For each operation. */

/* Registers 'path' for 'op', before the child is forked.  A path that is
 * registered already, or NULL, changes nothing. */
void privsep_register(enum privsep_op, const char *path);

/* Returns the path with number 'i', NULL if there is none. */
const char *privsep_path(enum privsep_op, uint32_t i);

/* The daemon's requests. */

/* Begins to make requests to the child 'pid' at the other end of 'fd'. */
void privsep_use(int fd, pid_t pid);

/* Ceases to: what the child itself does first. */
void privsep_forget(void);

/* Returns true if privileges are separated, even if the child has died. */
bool privsep_is_on(void);

/* Opens the file 'path' for reading: the child does if 'path' is registered.
 * Returns a file descriptor or a negative errno. */
int privsep_open(const char *path);

/* Returns a socket that is connected to the Unix socket 'path' and does not
 * block, or a negative errno.  Asks nobody and returns -EPERM if 'path' is not
 * registered. */
int privsep_connect(const char *path);
bool privsep_may_connect(const char *path);

/* Returns the log file 'path', opened as vlog_set_log_file() does, or a
 * negative errno.  The same. */
int privsep_open_log(const char *path);
bool privsep_may_log(const char *path);

/* Has rtnl_solicit() done. */
int privsep_solicit(int ifindex, const struct in6_addr *address);

/* Returns a UDP socket for the mesh bound to 'ss', or a negative errno. */
int privsep_bind(const struct sockaddr_storage *ss);

/* Has the file 'path' removed, which was registered for PRIVSEP_UNLINK. What
 * is not removed so goes when the process exits, unless it is killed; then
 * libopenvswitch need not try. */
bool privsep_may_unlink(const char *path);
int privsep_unlink(const char *path);
void privsep_unlink_at_exit(void);

/* Notices that the child has died, after a SIGCHLD. */
void privsep_run(void);

#endif /* privsep.h */
