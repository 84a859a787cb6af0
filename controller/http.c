/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "http.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf.h"
#include "document.h"
#include "endpoint.h"
#include "http-host.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(http);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

/* Room for a host's name. */
enum { NAME_SIZE = HOST_NAME_MAX + 1 };

/* Connections that the kernel keeps until they are accepted. */
enum { BACKLOG = 128 };

/* Where to listen. */
struct listener {
    int fd; /* -1 for nowhere. */
    struct endpoint at;
};

struct http {
    struct documents *documents;
    struct MHD_Daemon *mhd; /* NULL while it listens nowhere. */
    struct listener listener;
    struct ovs_list connections; /* Of "struct connection", the oldest
                                  * first. */

    /* From http_prepare() on. */
    bool prepared;
    struct listener next;
    bool silenced; /* Was the listener's port taken from it for 'next'? */
};

/* One that a client has made. */
struct connection {
    struct ovs_list node; /* In "struct http" 'connections'. */
    int fd;
    long long int end; /* When it is cut, ms. */
};

/* Connections. */

static void
note_connection(void *http_, struct MHD_Connection *mhd_connection,
                void **connectionp, enum MHD_ConnectionNotificationCode code)
{
    struct http *http = http_;
    struct connection *c = *connectionp;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        c = xmalloc(sizeof *c);
        c->fd = MHD_get_connection_info(mhd_connection,
                                        MHD_CONNECTION_INFO_CONNECTION_FD)
                    ->connect_fd;
        c->end = time_msec() + HTTP_LIFE_MS;
        ovs_list_push_back(&http->connections, &c->node);
        *connectionp = c;
    } else if (c) {
        ovs_list_remove(&c->node);
        free(c);
        *connectionp = NULL;
    }
}

/* Cuts the connections that have been there for too long, however busy they
 * are. */
static void
cut_connections(struct http *http)
{
    const long long int now = time_msec();
    struct connection *c;

    LIST_FOR_EACH (c, node, &http->connections) {
        if (c->end > now) {
            if (c->end == LLONG_MAX) {
                continue;
            }
            break;
        }
        VLOG_DBG_RL(&rl, "a client took more than %d s", HTTP_LIFE_MS / 1000);
        shutdown(c->fd, SHUT_RDWR); /* libmicrohttpd notices and closes it. */
        c->end = LLONG_MAX;
    }
}

/* Requests. */

/* Answers with the 'text', which is 'status'. */
static enum MHD_Result
refuse(struct MHD_Connection *connection, unsigned int status,
       const char *text, const char *allow)
{
    struct MHD_Response *response = document_of_text(text, allow);
    enum MHD_Result result = MHD_queue_response(connection, status, response);

    MHD_destroy_response(response);
    return result;
}

/* Returns true if 'connection' asks for this host. */
static bool
is_for_us(struct MHD_Connection *connection)
{
    char own_name[NAME_SIZE] = "";

    gethostname(own_name, sizeof own_name - 1);
    return http_host_is_ours(MHD_lookup_connection_value(connection,
                                                         MHD_HEADER_KIND,
                                                         MHD_HTTP_HEADER_HOST),
                             own_name);
}

/* Answers a request, of which the headers have come. */
static enum MHD_Result
answer(void *http_, struct MHD_Connection *connection, const char *path,
       const char *method, const char *version OVS_UNUSED,
       const char *body OVS_UNUSED, size_t *body_size OVS_UNUSED,
       void **requestp OVS_UNUSED)
{
    struct http *http = http_;
    bool guarded;

    if (strcmp(method, MHD_HTTP_METHOD_GET)
        && strcmp(method, MHD_HTTP_METHOD_HEAD)) {
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                      "Nothing can be changed here: GET and HEAD only.\n",
                      "GET, HEAD");
    }
    struct MHD_Response *response =
        documents_get(http->documents, path, &guarded);

    if (!response) {
        return refuse(connection, MHD_HTTP_NOT_FOUND,
                      "There are /, /status.json and /metrics.\n", NULL);
    }
    if (guarded && !is_for_us(connection)) {
        return refuse(connection, MHD_HTTP_MISDIRECTED_REQUEST,
                      "Ask for this relay by its address or by its host's "
                      "name: it cannot tell whose other names are.\n",
                      NULL);
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static void OVS_PRINTF_FORMAT(2, 0)
    log_message(void *http OVS_UNUSED, const char *format, va_list args)
{
    if (VLOG_IS_DBG_ENABLED()) {
        char *text = xvasprintf(format, args);

        text[strcspn(text, "\n")] = '\0';
        VLOG_DBG_RL(&rl, "libmicrohttpd: %s", text);
        free(text);
    }
}

/* Listening. */

/* Returns a socket that listens at 'at', or a negative errno. */
static int
open_socket(const struct endpoint *at)
{
    const int yes = 1, no = 0;
    struct sockaddr_storage ss;
    socklen_t ss_len = endpoint_to_sockaddr(at, &ss);
    int fd =
        socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes)
        || (ss.ss_family == AF_INET6
            && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no))
        || bind(fd, (const struct sockaddr *) &ss, ss_len)
        || listen(fd, BACKLOG)) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

/* Begins to serve at 'listener', whose socket it takes over. */
static void
start(struct http *http, struct listener listener)
{
    char text[ENDPOINT_TEXT_SIZE];

    /* Without a port of its own, and without threads: it is run by
     * http_run(). */
    http->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, answer, http,
        MHD_OPTION_EXTERNAL_LOGGER, log_message, http,
        MHD_OPTION_LISTEN_SOCKET, listener.fd, MHD_OPTION_NOTIFY_CONNECTION,
        note_connection, http, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned int) HTTP_MAX_CONNECTIONS,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned int) HTTP_MAX_FROM_ONE,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int) HTTP_IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HTTP_MEMORY,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!http->mhd) {
        VLOG_ERR(
            "cannot serve web clients on %s: libmicrohttpd does not start",
            endpoint_format(&listener.at, text));
        close(listener.fd);
        return;
    }
    http->listener = listener;
    VLOG_INFO("serving web clients on %s",
              endpoint_format(&listener.at, text));
}

void
http_close(struct http *http)
{
    if (http->mhd) {
        MHD_stop_daemon(http->mhd); /* Closes the socket. */
        http->mhd = NULL;
        http->listener.fd = -1;
    }
}

struct http *
http_create(struct node *node)
{
    struct http *http = xzalloc(sizeof *http);

    http->documents = documents_create(node);
    http->listener.fd = http->next.fd = -1;
    ovs_list_init(&http->connections);
    return http;
}

void
http_destroy(struct http *http)
{
    if (http) {
        http_close(http);
        documents_destroy(http->documents);
        free(http);
    }
}

char *
http_prepare(struct http *http, const struct config *config)
{
    struct listener *next = &http->next;
    char text[ENDPOINT_TEXT_SIZE];

    *next = (struct listener){ .fd = -1, .at = config->http };
    http->prepared = true;
    http->silenced = false;
    if (!config->http_on) {
        return NULL;
    }
    if (http->mhd && endpoint_equal(&http->listener.at, &next->at)) {
        http->prepared = false; /* It goes on. */
        return NULL;
    }
    next->fd = open_socket(&next->at);
    if (next->fd == -EADDRINUSE && http->mhd
        && http->listener.at.port == next->at.port) {
        /* Our own socket may be in the way.  What is shut down so stays bound,
         * and can listen again. */
        http->silenced = true;
        shutdown(http->listener.fd, SHUT_RDWR);
        next->fd = open_socket(&next->at);
    }
    if (next->fd < 0) {
        char *error = xasprintf("http: cannot listen on TCP %s: %s",
                                endpoint_format(&next->at, text),
                                ovs_strerror(-next->fd));
        next->fd = -1;
        http_forget(http);
        return error;
    }
    return NULL;
}

void
http_use(struct http *http)
{
    if (!http->prepared) {
        return;
    }
    http->prepared = false;
    if (http->mhd && http->next.fd < 0) {
        VLOG_INFO("not serving web clients any more");
    }
    http_close(http);
    if (http->next.fd >= 0) {
        start(http, http->next);
        http->next.fd = -1;
    }
}

void
http_forget(struct http *http)
{
    if (!http->prepared) {
        return;
    }
    http->prepared = false;
    if (http->next.fd >= 0) {
        close(http->next.fd);
        http->next.fd = -1;
    }
    if (http->silenced && listen(http->listener.fd, BACKLOG)) {
        VLOG_ERR("cannot serve web clients any more: %s", ovs_strerror(errno));
        http_close(http);
    }
}

void
http_run(struct http *http)
{
    if (http->mhd) {
        cut_connections(http);
        MHD_run(http->mhd);
    }
}

void
http_wait(struct http *http)
{
    const union MHD_DaemonInfo *info;
    struct connection *c;
    MHD_UNSIGNED_LONG_LONG timeout;

    if (!http->mhd) {
        return;
    }
    info = MHD_get_daemon_info(http->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    poll_fd_wait(info->epoll_fd, POLLIN);
    if (MHD_get_timeout(http->mhd, &timeout) == MHD_YES) {
        poll_timer_wait(MIN(timeout, HTTP_LIFE_MS));
    }
    LIST_FOR_EACH (c, node, &http->connections) {
        if (c->end != LLONG_MAX) {
            poll_timer_wait_until(c->end);
            break;
        }
    }
}
