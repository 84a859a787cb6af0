/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "privsep.h"

#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fatal-signal.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "privsep-server.h"
#include "socket-util.h"
#include "util.h"

/* Files of the tests, in a folder of their own. */
static char folder[] = "/tmp/test-privsep.XXXXXX";
static char *listened, *other_listened; /* Only the first is registered. */
static char *config, *other_file;
static char *pipe_file;
static char *log_file;
static char *to_remove, *not_to_remove;

static int listener, other_listener;

/* The privileged process of a test. */
static int client; /* The daemon's end. */
static pid_t server;

static char *
place(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static void
write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int
listen_on(const char *name)
{
    int fd = make_unix_socket(SOCK_STREAM, true, name, NULL);

    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static int
make_files(void **state OVS_UNUSED)
{
    if (!mkdtemp(folder)) {
        return -1;
    }
    listened = place("listened");
    other_listened = place("other");
    config = place("config");
    other_file = place("secret");
    pipe_file = place("pipe");
    log_file = place("log");
    to_remove = place("remove");
    not_to_remove = place("keep");
    listener = listen_on(listened);
    other_listener = listen_on(other_listened);
    write_file(config, "configuration");
    write_file(other_file, "secret");
    assert_int_equal(mkfifo(pipe_file, 0600), 0);

    privsep_register(PRIVSEP_CONNECT, listened);
    privsep_register(PRIVSEP_OPEN, config);
    privsep_register(PRIVSEP_OPEN, pipe_file);
    privsep_register(PRIVSEP_OPEN, NULL);
    privsep_register(PRIVSEP_OPEN, config);
    privsep_register(PRIVSEP_UNLINK, to_remove);
    privsep_register(PRIVSEP_LOG, log_file);
    return 0;
}

static int
remove_files(void **state OVS_UNUSED)
{
    char *const files[] = { listened,      other_listened, config,
                            other_file,    pipe_file,      to_remove,
                            not_to_remove, log_file };

    close(listener);
    close(other_listener);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        fatal_signal_remove_file_to_unlink(files[i]);
        unlink(files[i]);
        free(files[i]);
    }
    return rmdir(folder);
}

/* Forks a process that serves 'client', as the privileged one does, and
 * nothing else of that. */
static int
start(void **state OVS_UNUSED)
{
    const struct rlimit few = { .rlim_cur = 64, .rlim_max = 64 };
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
        return -1;
    }
    fflush(NULL);
    server = fork();
    if (!server) {
        close(fds[0]);
        setrlimit(RLIMIT_NOFILE, &few);
        privsep_forget();
        privsep_serve(fds[1]);
        _exit(42);
    }
    close(fds[1]);
    client = fds[0];
    privsep_use(client, server);
    return server > 0 ? 0 : -1;
}

/* At the end of the socket the server ends as well. */
static int
stop(void **state OVS_UNUSED)
{
    int status;

    privsep_forget();
    if (server) {
        if (waitpid(server, &status, 0) != server || !WIFEXITED(status)
            || WEXITSTATUS(status) != 42) {
            return -1;
        }
    }
    return 0;
}

/* Paths. */

static void
test_paths_have_numbers(void **state OVS_UNUSED)
{
    assert_string_equal(privsep_path(PRIVSEP_OPEN, 0), config);
    assert_string_equal(privsep_path(PRIVSEP_OPEN, 1), pipe_file);
    assert_null(privsep_path(PRIVSEP_OPEN, 2));
    assert_null(privsep_path(PRIVSEP_OPEN, UINT32_MAX));
    assert_string_equal(privsep_path(PRIVSEP_CONNECT, 0), listened);
    assert_null(privsep_path(PRIVSEP_CONNECT, 1));
    assert_null(privsep_path(PRIVSEP_SOLICIT, 0));
}

/* Requests, as the daemon makes them. */

static void
assert_reads(int fd, const char *expected)
{
    char text[64];

    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof text);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(text, expected, n);
    close(fd);
}

static bool
is_accepted(int fd)
{
    int accepted = accept(fd, NULL, NULL);

    if (accepted >= 0) {
        close(accepted);
    }
    return accepted >= 0;
}

static void
test_connecting(void **state OVS_UNUSED)
{
    assert_true(privsep_may_connect(listened));
    int fd = privsep_connect(listened);
    assert_true(fd >= 0);
    assert_true(is_accepted(listener));
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);

    assert_false(privsep_may_connect(other_listened));
    assert_int_equal(privsep_connect(other_listened), -EPERM);
    assert_false(is_accepted(other_listener));
}

/* libopenvswitch's own connections, too; that it is the server which makes
 * them shows once there is none. */
static void
test_sockets_of_libopenvswitch(void **state OVS_UNUSED)
{
    int fd = make_unix_socket(SOCK_STREAM, true, NULL, listened);
    assert_true(fd >= 0);
    assert_true(is_accepted(listener));
    close(fd);

    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
    assert_int_equal(make_unix_socket(SOCK_STREAM, true, NULL, listened),
                     -EOWNERDEAD);
    assert_false(is_accepted(listener));
    fd = make_unix_socket(SOCK_STREAM, true, NULL, other_listened);
    assert_true(fd >= 0);
    assert_true(is_accepted(other_listener));
    close(fd);

    privsep_forget();
    fd = make_unix_socket(SOCK_STREAM, true, NULL, listened);
    assert_true(fd >= 0);
    assert_true(is_accepted(listener));
    close(fd);
}

static void
test_opening(void **state OVS_UNUSED)
{
    assert_reads(privsep_open(config), "configuration");
    assert_reads(privsep_open(other_file), "secret"); /* By itself. */
    assert_int_equal(privsep_open("/nowhere"), -ENOENT);
}

/* A file that is replaced by another one is another one. */
static void
test_opening_what_has_changed(void **state OVS_UNUSED)
{
    char *new = place("new");

    write_file(new, "new one");
    assert_int_equal(rename(new, config), 0);
    assert_reads(privsep_open(config), "new one");
    assert_int_equal(unlink(config), 0);
    assert_int_equal(privsep_open(config), -ENOENT);
    write_file(config, "configuration");
    assert_reads(privsep_open(config), "configuration");
    free(new);
}

/* Nobody writes to the pipe: opening it would wait. */
static void
test_only_files_are_opened(void **state OVS_UNUSED)
{
    assert_int_equal(privsep_open(pipe_file), -EINVAL);
    assert_reads(privsep_open(config), "configuration");
}

static void
test_logging(void **state OVS_UNUSED)
{
    assert_true(privsep_may_log(log_file));
    assert_false(privsep_may_log(other_file));
    assert_int_equal(privsep_open_log(other_file), -EPERM);

    /* As libopenvswitch opens it. */
    for (int i = 0; i < 2; i++) {
        int fd = open(log_file, O_WRONLY | O_CREAT | O_APPEND, 0660);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "line\n", 5), 5);
        close(fd);
    }
    assert_reads(open(log_file, O_RDONLY), "line\nline\n");
    unlink(log_file);

    /* It is the server that does. */
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
    assert_int_equal(open(log_file, O_WRONLY | O_CREAT | O_APPEND, 0660), -1);
    assert_int_equal(errno, EOWNERDEAD);
    assert_int_equal(access(log_file, F_OK), -1);
}

/* What got the log's name and is no log is not written to. */
static void
test_a_log_that_is_none(void **state OVS_UNUSED)
{
    assert_int_equal(symlink(other_file, log_file), 0);
    assert_int_equal(privsep_open_log(log_file), -ELOOP);
    unlink(log_file);
    assert_int_equal(symlink("nowhere", log_file), 0);
    assert_int_equal(privsep_open_log(log_file), -ELOOP);
    unlink(log_file);
    assert_int_equal(link(other_file, log_file), 0);
    assert_int_equal(privsep_open_log(log_file), -EINVAL);
    unlink(log_file);
    assert_int_equal(link(pipe_file, log_file), 0);
    assert_int_equal(privsep_open_log(log_file), -ENXIO);
    unlink(log_file);
    assert_int_equal(mkdir(log_file, 0700), 0);
    assert_int_equal(privsep_open_log(log_file), -EISDIR);
    rmdir(log_file);
}

static void
test_removing(void **state OVS_UNUSED)
{
    write_file(to_remove, "");
    write_file(not_to_remove, "");
    assert_true(privsep_may_unlink(to_remove));
    assert_false(privsep_may_unlink(not_to_remove));
    assert_int_equal(privsep_unlink(not_to_remove), -EPERM);
    assert_int_equal(access(not_to_remove, F_OK), 0);
    assert_int_equal(fatal_signal_unlink_file_now(to_remove), 0);
    assert_int_equal(access(to_remove, F_OK), -1);

    /* Somebody else's by now. */
    write_file(to_remove, "");
    assert_int_equal(privsep_unlink(to_remove), 0);
    assert_int_equal(access(to_remove, F_OK), 0);
    assert_int_equal(fatal_signal_unlink_file_now(not_to_remove), 0);
    assert_int_equal(access(not_to_remove, F_OK), -1);
}

static void
fill_in(struct sockaddr_storage *ss, int family, uint16_t port)
{
    memset(ss, 0, sizeof *ss);
    ss->ss_family = family;
    if (family == AF_INET) {
        struct sockaddr_in *sin = (struct sockaddr_in *) ss;
        sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        sin->sin_port = htons(port);
    } else {
        struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *) ss;
        sin6->sin6_addr = in6addr_loopback;
        sin6->sin6_port = htons(port);
    }
}

/* Returns a port that is free now. */
static uint16_t
free_port(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t length = sizeof sin;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *) &sin, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &sin, &length), 0);
    close(fd);
    return ntohs(sin.sin_port);
}

static void
test_binding(void **state OVS_UNUSED)
{
    struct sockaddr_storage ss, bound;
    uint16_t port = free_port();
    socklen_t length = sizeof bound;
    int type;

    fill_in(&ss, AF_INET, port);
    int fd = privsep_bind(&ss);
    assert_true(fd >= 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &bound, &length), 0);
    assert_int_equal(length, sizeof(struct sockaddr_in));
    assert_memory_equal(&bound, &ss, length);
    length = sizeof type;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length), 0);
    assert_int_equal(type, SOCK_DGRAM);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(privsep_bind(&ss), -EADDRINUSE);
    close(fd);

    fill_in(&ss, AF_INET6, port);
    fd = privsep_bind(&ss);
    if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL) {
        assert_true(fd >= 0);
        length = sizeof bound;
        assert_int_equal(getsockname(fd, (struct sockaddr *) &bound, &length),
                         0);
        assert_int_equal(length, sizeof(struct sockaddr_in6));
        assert_memory_equal(&bound, &ss, length);
        close(fd);
    }
    fill_in(&ss, AF_INET, 0);
    assert_int_equal(privsep_bind(&ss), -EPERM);
}

static void
test_soliciting_nobody(void **state OVS_UNUSED)
{
    static const char *const nobodies[] = {
        "::",
        "::1",
        "ff02::1",
        "::ffff:0.0.0.0",
        "::ffff:127.0.0.1",
        "::ffff:224.0.0.1",
        "::ffff:255.255.255.255",
    };
    struct in6_addr address;
    int lo = if_nametoindex("lo");

    for (size_t i = 0; i < ARRAY_SIZE(nobodies); i++) {
        assert_int_equal(inet_pton(AF_INET6, nobodies[i], &address), 1);
        assert_int_equal(privsep_solicit(lo, &address), -EPERM);
    }
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &address);
    assert_int_equal(privsep_solicit(0, &address), -EPERM);
    assert_int_equal(privsep_solicit(-1, &address), -EPERM);
    assert_int_equal(privsep_solicit(INT32_MAX, &address), -ENODEV);
    assert_int_equal(privsep_solicit(lo, &address), 0);
}

/* Requests, as a daemon that somebody else runs makes them. */

/* Sends the 'length' bytes of 'request', with the file descriptor 'fd' unless
 * that is negative. */
static void
send_raw(const void *request, size_t length, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = "";
    struct iovec iov = { CONST_CAST(void *, request), length };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (fd >= 0) {
        msg.msg_control = control;
        msg.msg_controllen = sizeof control;
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
    }
    assert_int_equal(sendmsg(client, &msg, 0), length);
}

/* Fails unless the next reply is to 'seq' and has 'error', and no file
 * descriptor with it. */
static void
assert_reply(uint32_t seq, int error)
{
    struct privsep_reply reply;
    char control[64];
    struct iovec iov = { &reply, sizeof reply };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control };

    assert_int_equal(recvmsg(client, &msg, 0), sizeof reply);
    assert_int_equal(reply.seq, seq);
    assert_int_equal(reply.error, error);
    assert_int_equal(msg.msg_controllen, 0);
}

/* Fails if there is a reply. */
static void
assert_no_reply(void)
{
    struct pollfd pfd = { .fd = client, .events = POLLIN };

    assert_int_equal(poll(&pfd, 1, 50), 0);
}

static void
test_unknown_requests_are_refused(void **state OVS_UNUSED)
{
    static const uint32_t operations[] = { 0, PRIVSEP_BIND + 1, 100,
                                           UINT32_MAX };
    struct privsep_request request = { .seq = 7 };

    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        request.op = operations[i];
        send_raw(&request, sizeof request, -1);
        assert_reply(7, EPERM);
    }
    assert_reads(privsep_open(config), "configuration");
}

static void
test_unknown_paths_are_refused(void **state OVS_UNUSED)
{
    static const uint32_t operations[] = { PRIVSEP_CONNECT, PRIVSEP_OPEN,
                                           PRIVSEP_UNLINK, PRIVSEP_LOG };
    static const uint32_t paths[] = { 2, PRIVSEP_MAX_PATHS,
                                      PRIVSEP_MAX_PATHS + 1, INT32_MAX,
                                      UINT32_MAX };
    struct privsep_request request = { .seq = 8 };

    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(paths); j++) {
            request.op = operations[i];
            request.path = paths[j];
            send_raw(&request, sizeof request, -1);
            assert_reply(8, EPERM);
        }
    }
}

static void
test_wrong_addresses_are_refused(void **state OVS_UNUSED)
{
    struct privsep_request request = {
        .op = PRIVSEP_BIND, .seq = 9, .port = 7124, .address = in6addr_loopback
    };
    static const uint16_t families[] = { 0,          AF_UNIX,   AF_INET,
                                         AF_NETLINK, AF_PACKET, UINT16_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        request.family = families[i];
        send_raw(&request, sizeof request, -1);
        assert_reply(9, EPERM);
    }
    in6_addr_set_mapped_ipv4(&request.address, htonl(INADDR_LOOPBACK));
    request.family = AF_INET6;
    send_raw(&request, sizeof request, -1);
    assert_reply(9, EPERM);
}

static void
test_malformed_requests_are_ignored(void **state OVS_UNUSED)
{
    struct privsep_request requests[2] = {
        { .op = PRIVSEP_OPEN, .seq = 10 },
    };

    for (size_t length = 1; length < sizeof requests; length++) {
        if (length != sizeof requests[0]) {
            send_raw(requests, length, -1);
        }
    }
    assert_no_reply();
    assert_reads(privsep_open(config), "configuration");
}

/* One that brings a file descriptor is not served, and the file descriptor is
 * not kept. */
static void
test_file_descriptors_are_ignored(void **state OVS_UNUSED)
{
    struct privsep_request request = { .op = 0, .seq = 11 };
    int fds[2];
    char byte;

    assert_int_equal(pipe(fds), 0);
    send_raw(&request, sizeof request, fds[1]);
    close(fds[1]);
    assert_no_reply();
    assert_int_equal(read(fds[0], &byte, 1), 0); /* Nobody can write. */
    close(fds[0]);
    assert_reads(privsep_open(config), "configuration");
}

/* Many requests leave no file descriptors behind. */
static void
test_many_requests(void **state OVS_UNUSED)
{
    for (int i = 0; i < 200; i++) {
        int fd = privsep_open(config);
        assert_true(fd >= 0);
        close(fd);
    }
}

/* A privileged process that is not in its right mind, or gone. */

/* Returns how many file descriptors are open. */
static size_t
n_open(void)
{
    size_t n = 0;

    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

/* Lets a process answer the daemon's next request wrongly: with 'length' bytes
 * of a reply whose number is 'seq_off' away from the right one, with 'error',
 * and with a file descriptor if 'brings_fd'.  Fails unless the daemon gives
 * that process up. */
static void
ask_impostor(size_t length, uint32_t seq_off, int error, bool brings_fd)
{
    size_t before = n_open();
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    fflush(NULL);
    pid_t impostor = fork();
    if (!impostor) {
        struct privsep_request request;

        client = fds[1];
        if (recv(client, &request, sizeof request, 0) == sizeof request) {
            struct privsep_reply reply = { request.seq + seq_off, error };
            send_raw(&reply, length, brings_fd ? 0 : -1);
        }
        _exit(0);
    }
    privsep_use(fds[0], impostor);
    close(fds[1]);
    assert_int_equal(privsep_open(config), -EOWNERDEAD);
    assert_int_equal(privsep_open(config), -EOWNERDEAD);
    privsep_forget();
    assert_int_equal(n_open(), before); /* What came was closed. */
    waitpid(impostor, NULL, 0);
}

static void
test_wrong_replies(void **state OVS_UNUSED)
{
    const size_t length = sizeof(struct privsep_reply);

    ask_impostor(length, 1, 0, true);
    ask_impostor(length, -1, ENOENT, false);
    ask_impostor(length, 0, 0, false);
    ask_impostor(length, 0, ENOENT, true);
    ask_impostor(length - 1, 0, 0, true);
    ask_impostor(1, 0, 0, false);
}

static void
test_death(void **state OVS_UNUSED)
{
    kill(server, SIGKILL);
    siginfo_t dead;
    assert_int_equal(waitid(P_PID, server, &dead, WEXITED | WNOWAIT), 0);
    privsep_run();
    server = 0;
    assert_true(privsep_is_on());
    assert_int_equal(privsep_open(config), -EOWNERDEAD);
    assert_int_equal(privsep_connect(listened), -EOWNERDEAD);
    assert_false(is_accepted(listener));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* It was reaped. */
}

/* Without anybody having told of it. */
static void
test_sudden_death(void **state OVS_UNUSED)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
    assert_int_equal(privsep_open(config), -EOWNERDEAD);
    assert_int_equal(privsep_open(config), -EOWNERDEAD);
    assert_reads(privsep_open(other_file), "secret");
}

static void
test_without_separation(void **state OVS_UNUSED)
{
    assert_false(privsep_is_on());
    assert_false(privsep_may_connect(listened));
    assert_false(privsep_may_unlink(to_remove));
    assert_reads(privsep_open(config), "configuration");
}

/* All of it: with the few capabilities and system calls that it has. */
static void
test_the_real_one(void **state OVS_UNUSED)
{
    struct sockaddr_storage ss;
    struct in6_addr address;
    char text[4096];

    if (geteuid()) {
        skip();
    }
    vlog_set_levels(NULL, VLF_FILE, VLL_WARN);
    assert_int_equal(vlog_set_log_file(log_file), 0);
    privsep_start();
    assert_true(privsep_is_on());

    int fd = privsep_connect(listened);
    assert_true(fd >= 0);
    assert_true(is_accepted(listener));
    close(fd);
    assert_reads(privsep_open(config), "configuration");
    assert_int_equal(privsep_open(pipe_file), -EINVAL);
    fill_in(&ss, AF_INET, 711);
    fd = privsep_bind(&ss);
    assert_true(fd >= 0 || fd == -EADDRINUSE);
    close(fd);
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &address);
    assert_int_equal(privsep_solicit(if_nametoindex("lo"), &address), 0);
    inet_pton(AF_INET6, "::ffff:224.0.0.1", &address);
    assert_int_equal(privsep_solicit(if_nametoindex("lo"), &address), -EPERM);

    /* It wrote that to the log, and does so to the next one, too. */
    assert_int_equal(rename(log_file, to_remove), 0);
    fd = privsep_open_log(log_file);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(privsep_solicit(if_nametoindex("lo"), &address), -EPERM);
    const char *const logs[] = { to_remove, log_file };
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        FILE *file = fopen(logs[i], "r");
        assert_non_null(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        assert_non_null(strstr(text, "refused: operation"));
        fclose(file);
    }

    vlog_close_log_file();
    unlink(to_remove);
    unlink(log_file);
    privsep_forget();
    int status;
    assert_true(wait(&status) > 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, stop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_have_numbers),
        cmocka_unit_test(test_without_separation),
        TEST(test_connecting),
        TEST(test_sockets_of_libopenvswitch),
        TEST(test_opening),
        TEST(test_opening_what_has_changed),
        TEST(test_only_files_are_opened),
        TEST(test_logging),
        TEST(test_a_log_that_is_none),
        TEST(test_removing),
        TEST(test_binding),
        TEST(test_soliciting_nobody),
        TEST(test_unknown_requests_are_refused),
        TEST(test_unknown_paths_are_refused),
        TEST(test_wrong_addresses_are_refused),
        TEST(test_malformed_requests_are_ignored),
        TEST(test_file_descriptors_are_ignored),
        TEST(test_many_requests),
        TEST(test_death),
        TEST(test_sudden_death),
        cmocka_unit_test(test_wrong_replies),
        cmocka_unit_test(test_the_real_one),
    };

    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
