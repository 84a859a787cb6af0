/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_SANDBOX_H
#define SNOWRELAY_SANDBOX_H 1

/* Sandbox: what a process takes away from itself before it reads what
 * strangers send: its user, its capabilities, and the system calls that it has
 * no use for.
 *
 * The filter of system calls is made here, with libseccomp, and not left to
 * SystemCallFilter= of a systemd unit alone: so containers and hosts without
 * systemd have it too, the daemon and its privileged child (privsep.h) each
 * have one of their own, and neither needs the calls that only the start
 * needs.  A unit may add one; a process may then do what both let it.
 *
 * A call that is not on the list fails with ENOSYS, as if the kernel were too
 * old for it: the C library and others have a way around that for what newer
 * versions of them may come to use, so an upgrade of a library does not kill
 * the daemon.  clone3() is such a call: its arguments cannot be looked at, so
 * that threads are made with clone(), which can be told from fork().  A call
 * that only somebody else's code would make kills the process. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "openvswitch/compiler.h"

/* Whom a process is to run as. */
struct sandbox_user {
    char *name;
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* Supplementary ones. */
    int n_groups;
    bool given; /* By --user, not the default? */
};

/* Who that is if it was started by root and without --user, if there is one.
 */
#define SANDBOX_DEFAULT_USER "snowrelay"

/* Finds the user that 'spec', of the form USER[:GROUP] or NULL, stands for;
 * who is not root stays who he is.  Returns NULL, or a message that the caller
 * frees.  '*user' is to be freed with sandbox_user_uninit() in either case. */
char *sandbox_user_find(const char *spec,
                        struct sandbox_user *user) OVS_WARN_UNUSED_RESULT;

/* Returns NULL if this process can become 'user', or a message that the caller
 * frees. */
char *sandbox_user_check(const struct sandbox_user *) OVS_WARN_UNUSED_RESULT;
void sandbox_user_uninit(struct sandbox_user *);

/* A set of capabilities. */
#define SANDBOX_CAP(CAP) (UINT64_C(1) << (CAP))

/* Gives up all capabilities but those in 'keep', for good, and returns those
 * that are left.  Ends the process if it cannot. */
uint64_t sandbox_limit_capabilities(uint64_t keep);

/* A system call that a filter lets pass: always, or if 'arg', the number of an
 * argument, has only 'value' of the bits in 'mask'. */
struct sandbox_call {
    int number;
    int arg; /* -1 for always. */
    uint64_t mask;
    uint64_t value;
};
#define SANDBOX_CALL(NAME)                                                    \
    {                                                                         \
        SCMP_SYS(NAME), -1, 0, 0                                              \
    }
#define SANDBOX_CALL_IF(NAME, ARG, MASK, VALUE)                               \
    {                                                                         \
        SCMP_SYS(NAME), ARG, MASK, VALUE                                      \
    }

/* Lets this process and all its threads make no other system calls than the
 * 'n' at 'calls', for good.  Returns false, and logs why, if the kernel cannot
 * do that.  Does nothing and returns false in builds with the address
 * sanitizer, which needs ptrace() and clone() to look for leaks. */
bool sandbox_filter(const struct sandbox_call *calls, size_t n);

/* The daemon's filter. */
bool sandbox_filter_daemon(void);

/* Makes this process, the daemon, one of 'user' and gives up all privileges.
 * To be called before there are threads. */
void sandbox_enter(const struct sandbox_user *user);

#endif /* sandbox.h */
