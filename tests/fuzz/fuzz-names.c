/* SPDX-License-Identifier: Apache-2.0 */

/* Answers of name servers, and where the names lead to by them.
 *
 * The answers go the whole way.  c-ares' is the first part, which is not built
 * with coverage: it finds the question that an answer is for, and parses the
 * records, those of services in ares_parse_srv_reply(), which resolver.c
 * calls.  Ours is the rest: resolver.c, which makes addresses and hosts of
 * what c-ares found or did not find, and names.c, what becomes of the names.
 *
 * An input says in its first byte what is asked for; answers follow, each with
 * its length.  An answer gets the id and the question of what was asked put in
 * front, since the fuzzer would hardly guess those: the input has what is
 * between them, flags and counts, and the records.  When there are no more
 * the server says that there is no such name.
 *
 * c-ares has its sockets played here, and the linker (see the Makefile) its
 * options, the clock, and the route to IPv6 addresses. */

#include <config.h>
#include "fuzz.h"

#include <ares.h>
#include <ctype.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "packets.h"
#include "resolver.h"
#include "sset.h"
#include "timeval.h"

enum {
    /* In the first byte, besides a bit for each name. */
    HAS_ROUTE = 1 << 4,
    ASKS_FOR_LESS = 1 << 5,

    HEADER_LEN = 12,
    FLAGS_OFS = 2,
    NO_SUCH_NAME = 0x8583, /* A response to a query, as flags. */

    MAX_PENDING = 64,
    MAX_MESSAGE = 512,
    MAX_RUNS = 40,
    N_ROUNDS = 3
};

static const char *const names[] = {
    "a.example",
    "_s._udp.example",
    "b.example",
    "_t._udp.example",
};

static struct in_addr server = { .s_addr = 0x350200c0 };

static struct input answers;
static long long int now;
static bool has_route;

/* What was asked and has no answer yet. */
static struct {
    uint8_t bytes[MAX_MESSAGE];
    size_t length;
    ares_socket_t fd;
} pending[MAX_PENDING];
static size_t n_pending;
static ares_socket_t last_fd;

/* The linker's. */

int __real_ares_init_options(ares_channel *, struct ares_options *, int);
int __wrap_ares_init_options(ares_channel *, struct ares_options *, int);
long long int __wrap_time_msec(void);
int __wrap_socket(int, int, int);
int __wrap_connect(int, const struct sockaddr *, socklen_t);

long long int
__wrap_time_msec(void)
{
    return now;
}

int
__wrap_socket(int domain OVS_UNUSED, int type OVS_UNUSED,
              int protocol OVS_UNUSED)
{
    return INT32_MAX;
}

int
__wrap_connect(int fd OVS_UNUSED, const struct sockaddr *sa OVS_UNUSED,
               socklen_t length OVS_UNUSED)
{
    return has_route ? 0 : -1;
}

/* The sockets. */

static ares_socket_t
open_socket(int domain OVS_UNUSED, int type, int protocol OVS_UNUSED,
            void *aux OVS_UNUSED)
{
    if (type != SOCK_DGRAM) {
        errno = EACCES;
        return ARES_SOCKET_BAD;
    }
    return ++last_fd;
}

static int
close_socket(ares_socket_t fd OVS_UNUSED, void *aux OVS_UNUSED)
{
    return 0;
}

static int
connect_socket(ares_socket_t fd OVS_UNUSED,
               const struct sockaddr *sa OVS_UNUSED,
               ares_socklen_t length OVS_UNUSED, void *aux OVS_UNUSED)
{
    return 0;
}

/* Returns where the question in 'query' ends, whose name is one that people
 * could have written. */
static size_t
end_of_question(const uint8_t *query, size_t length)
{
    size_t at = HEADER_LEN;

    while (at < length && query[at]) {
        const size_t end = at + query[at];

        CHECK(query[at] < 64 && end < length);
        while (at++ < end) {
            CHECK(isgraph(query[at]));
        }
    }
    CHECK(at + 5 <= length);
    return at + 5;
}

static ares_ssize_t
send_query(ares_socket_t fd, const struct iovec *iov, int n,
           void *aux OVS_UNUSED)
{
    CHECK(n == 1 && iov->iov_len <= MAX_MESSAGE);
    if (n_pending < MAX_PENDING) {
        memcpy(pending[n_pending].bytes, iov->iov_base, iov->iov_len);
        pending[n_pending].length = iov->iov_len;
        pending[n_pending++].fd = fd;
    }
    return iov->iov_len;
}

/* Writes what the server answers to 'query' to 'answer', of 'size' bytes.
 * Returns its length. */
static size_t
answer(const uint8_t *query, size_t length, uint8_t *answer, size_t size)
{
    const size_t question = end_of_question(query, length);
    const bool no_more = !answers.left;
    size_t n;
    const uint8_t *bytes = take_bytes(&answers, take16(&answers), &n);
    const size_t begin = MIN(n, HEADER_LEN - FLAGS_OFS);

    memset(answer, 0, HEADER_LEN);
    memcpy(answer, query, question);
    if (no_more) {
        put16(answer + FLAGS_OFS, NO_SUCH_NAME);
        return question;
    }
    memcpy(answer + FLAGS_OFS, bytes, begin);
    n = MIN(n - begin, size - question);
    memcpy(answer + question, bytes + begin, n);
    return question + n;
}

static ares_ssize_t
receive_answer(ares_socket_t fd, void *buffer, size_t size,
               int flags OVS_UNUSED, struct sockaddr *from,
               ares_socklen_t *from_length, void *aux OVS_UNUSED)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons(53),
        .sin_addr = server,
    };
    size_t i = 0;

    while (i < n_pending && pending[i].fd != fd) {
        i++;
    }
    if (i == n_pending) {
        errno = EAGAIN;
        return -1;
    }
    if (from) {
        CHECK(*from_length >= sizeof sin);
        memcpy(from, &sin, sizeof sin);
        *from_length = sizeof sin;
    }
    CHECK(size >= MAX_MESSAGE);
    size_t n = answer(pending[i].bytes, pending[i].length, buffer, size);
    n_pending--;
    memmove(&pending[i], &pending[i + 1], (n_pending - i) * sizeof *pending);
    return n;
}

/* What the resolver wants, with the sockets from above, and nothing of this
 * host's own configuration. */
int
__wrap_ares_init_options(ares_channel *channel, struct ares_options *options,
                         int mask)
{
    static const struct ares_socket_functions functions = {
        open_socket, close_socket, connect_socket, receive_answer, send_query,
    };
    static char lookups[] = "b";

    options->servers = &server;
    options->nservers = 1;
    options->ndots = 1;
    options->lookups = lookups;
    mask |= (ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_NDOTS
             | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST);
    int error = __real_ares_init_options(channel, options, mask);
    CHECK(!error);
    ares_set_socket_functions(*channel, &functions, NULL);
    return error;
}

/* Checks. */

/* Returns true if a relay may be at 'address'. */
static bool
is_possible(const struct in6_addr *address)
{
    const uint32_t v4 = ntohl(in6_addr_get_mapped_ipv4(address));

    if (IN6_IS_ADDR_V4MAPPED(address)) {
        return v4 && v4 >> 28 != 14 && v4 != UINT32_MAX;
    }
    return address->s6_addr[0] != 0xff && !ipv6_is_zero(address);
}

static void
check_resolution(const char *name, const struct resolution *res)
{
    CHECK(res->n <= NAMES_MAX_ENDPOINTS);
    for (size_t i = 0; i < res->n; i++) {
        const struct endpoint *e = &res->endpoints[i];

        CHECK(is_possible(&e->address));
        CHECK(!e->port == !name_is_service(name));
        for (size_t j = 0; j < i && j < 64; j++) {
            CHECK(!endpoint_equal(e, &res->endpoints[j]));
        }
    }
}

static bool
is_same(const struct resolution *a, const struct resolution *b)
{
    bool same = a->n == b->n;

    for (size_t i = 0; same && i < a->n; i++) {
        same = endpoint_equal(&a->endpoints[i], &b->endpoints[i]);
    }
    return same;
}

/* Lets the resolver do what it can do now.  Who looks again only when the
 * number changes misses nothing, and a host that has been found is not lost.
 */
static void
run(struct resolver *r, const struct sset *wanted)
{
    struct resolution before[ARRAY_SIZE(names)] = { { .n = 0 } };
    const unsigned int seqno = resolver_seqno(r);

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (sset_contains(wanted, names[i])) {
            before[i] = *resolver_get(r, names[i]);
            before[i].endpoints =
                copy_exactly(before[i].endpoints,
                             before[i].n * sizeof *before[i].endpoints);
        }
    }
    resolver_run(r);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (sset_contains(wanted, names[i])) {
            const struct resolution *after = resolver_get(r, names[i]);

            check_resolution(names[i], after);
            CHECK(resolver_seqno(r) != seqno || is_same(after, &before[i]));
            CHECK(after->n || !before[i].n || name_is_service(names[i]));
        }
        free(before[i].endpoints);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sset wanted = SSET_INITIALIZER(&wanted);
    uint8_t asked;

    fuzz_begin();
    answers = (struct input){ bytes, length };
    asked = take8(&answers);
    has_route = asked & HAS_ROUTE;
    now = 1000000;
    n_pending = 0;
    last_fd = 1000;

    struct resolver *r = resolver_create();
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (asked & 1 << i) {
            sset_add(&wanted, names[i]);
        }
    }
    resolver_set_names(r, &wanted);
    for (int round = 0; round < N_ROUNDS; round++) {
        for (int i = 0; i < MAX_RUNS && (!i || n_pending); i++) {
            run(r, &wanted);
        }
        if (asked & ASKS_FOR_LESS && !sset_is_empty(&wanted)) {
            sset_delete(&wanted, SSET_NODE_FROM_NAME(SSET_FIRST(&wanted)));
            resolver_set_names(r, &wanted);
        }
        n_pending = 0;
        now += RESOLVER_INTERVAL_MS;
    }
    run(r, &wanted);
    resolver_destroy(r);
    sset_destroy(&wanted);
    return 0;
}
