/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "names.h"

#include <string.h>

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(names);

/* Life. */

void
names_init(struct names *names, bool (*has_route)(const struct in6_addr *))
{
    shash_init(&names->all);
    names->n_services = 0;
    names->seqno = 0;
    names->has_route = has_route;
}

static struct name *
name_create(struct names *names, const char *text)
{
    struct name *name = xzalloc(sizeof *name);

    name->text = xstrdup(text);
    name->log = (struct vlog_rate_limit) VLOG_RATE_LIMIT_INIT(6, 20);
    shash_add(&names->all, text, name);
    return name;
}

static void
free_hosts(struct name *name)
{
    for (size_t i = 0; i < name->n_hosts; i++) {
        free(name->hosts[i].text);
    }
    free(name->hosts);
    name->hosts = NULL;
    name->n_hosts = 0;
}

static void
name_destroy(struct name *name)
{
    for (int version = 0; version < NAME_N_VERSIONS; version++) {
        free(name->addresses[version].all);
    }
    free_hosts(name);
    free(name->resolution.endpoints);
    free(name->text);
    free(name);
}

void
names_destroy(struct names *names)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &names->all) {
        name_destroy(node->data);
    }
    shash_destroy(&names->all);
}

bool
name_is_service(const char *text)
{
    return text[0] == '_';
}

/* Which there are. */

/* Returns true if the service 'name' has the host 'text'. */
static bool
has_host(const struct name *name, const char *text)
{
    for (size_t i = 0; i < name->n_hosts; i++) {
        if (!strcmp(name->hosts[i].text, text)) {
            return true;
        }
    }
    return false;
}

/* Returns true if a service that is wanted has the host 'text'. */
static bool
is_wanted_host(const struct names *names, const char *text)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &names->all) {
        const struct name *service = node->data;

        if (service->wanted && has_host(service, text)) {
            return true;
        }
    }
    return false;
}

void
names_sweep(struct names *names)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &names->all) {
        struct name *name = node->data;

        if (!name->wanted && !is_wanted_host(names, name->text)) {
            shash_delete(&names->all, node);
            name_destroy(name);
        }
    }
}

void
names_set_wanted(struct names *names, const struct sset *texts)
{
    struct shash_node *node;
    const char *text;

    SHASH_FOR_EACH (node, &names->all) {
        struct name *name = node->data;
        name->wanted = sset_contains(texts, name->text);
    }
    names_sweep(names);
    names->n_services = 0;
    SSET_FOR_EACH (text, texts) {
        struct name *name = shash_find_data(&names->all, text);

        if (!name) {
            name = name_create(names, text);
        }
        name->wanted = true;
        names->n_services += name_is_service(text);
    }
}

/* Putting together what is known. */

/* Appends 'address' and 'port' to '*res', unless they are there. */
static void
add_endpoint(struct resolution *res, const struct in6_addr *address,
             uint16_t port)
{
    const struct endpoint endpoint = { .address = *address, .port = port };

    for (size_t i = 0; i < res->n; i++) {
        if (endpoint_equal(&res->endpoints[i], &endpoint)) {
            return;
        }
    }
    if (res->n >= NAMES_MAX_ENDPOINTS) {
        res->cut = true;
        return;
    }
    res->endpoints =
        xrealloc(res->endpoints, (res->n + 1) * sizeof *res->endpoints);
    res->endpoints[res->n++] = endpoint;
}

/* Appends the addresses of the host 'name' to '*res', each with 'port': of
 * those that are known IPv6 ones first, where there is a route to them, as RFC
 * 6724 has it. */
static void
add_host(const struct names *names, const struct name *name, uint16_t port,
         struct resolution *res)
{
    const struct name_addresses *v6 = &name->addresses[NAME_V6];
    bool v6_first = v6->n && names->has_route(&v6->all[0]);

    for (int i = 0; i < NAME_N_VERSIONS; i++) {
        const struct name_addresses *a =
            &name->addresses[(i == 0) == v6_first ? NAME_V6 : NAME_V4];

        for (size_t j = 0; j < a->n; j++) {
            add_endpoint(res, &a->all[j], port);
        }
    }
}

static bool
resolution_equal(const struct resolution *a, const struct resolution *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!endpoint_equal(&a->endpoints[i], &b->endpoints[i])) {
            return false;
        }
    }
    return true;
}

/* Works out where 'name' leads to, from what is known.  Returns true if that
 * is elsewhere than before. */
static bool
put_together(struct names *names, struct name *name)
{
    struct resolution *old = &name->resolution;
    struct resolution new = { .n = 0 };

    if (!name_is_service(name->text)) {
        add_host(names, name, 0, &new);
    }
    for (size_t i = 0; i < name->n_hosts; i++) {
        const struct name_host *host = &name->hosts[i];
        add_host(names, shash_find_data(&names->all, host->text), host->port,
                 &new);
    }
    if (new.cut && !old->cut) {
        VLOG_WARN_RL(&name->log, "%s: more addresses than %d are ignored",
                     name->text, NAMES_MAX_ENDPOINTS);
    }
    bool moved = !resolution_equal(&new, old);
    names->seqno += moved;
    free(old->endpoints);
    *old = new;
    return moved;
}

/* Works out anew where the host 'name' and the services that have it lead to.
 */
static void
publish_host(struct names *names, struct name *name)
{
    struct shash_node *node;

    if (!put_together(names, name) || !names->n_services) {
        return;
    }
    SHASH_FOR_EACH (node, &names->all) {
        struct name *service = node->data;

        if (has_host(service, name->text)) {
            put_together(names, service);
        }
    }
}

/* Answers. */

void
name_take_failure(struct name *name, const char *failure)
{
    if (!name->told) {
        name->told = true;
        VLOG_WARN_RL(
            &name->log, "%s: no address found (%s); %s", name->text, failure,
            name->resolution.n ? "its last known ones stay" : "asking again");
    }
}

/* Notes that 'name' was found. */
static void
take_success(struct name *name)
{
    if (name->told) {
        name->told = false;
        VLOG_INFO_RL(&name->log, "%s: address found again", name->text);
    }
}

/* Returns true if a host may have 'address'. */
static bool
is_possible(const struct in6_addr *address)
{
    ovs_be32 v4 = in6_addr_get_mapped_ipv4(address);

    return (IN6_IS_ADDR_V4MAPPED(address)
                ? v4 && !ip_is_multicast(v4) && v4 != htonl(INADDR_BROADCAST)
                : !IN6_IS_ADDR_UNSPECIFIED(address)
                      && !IN6_IS_ADDR_MULTICAST(address));
}

void
names_take_addresses(struct names *names, struct name *name,
                     enum name_version version,
                     const struct in6_addr *addresses, size_t n)
{
    struct name_addresses *a = &name->addresses[version];
    struct in6_addr *all = xcalloc(n, sizeof *all);
    size_t n_possible = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_possible(&addresses[i])) {
            all[n_possible++] = addresses[i];
        }
    }
    if (!n_possible) {
        free(all);
        names_take_none(name, version, NAME_DENIED);
        return;
    }
    free(a->all);
    a->all = all;
    a->n = n_possible;
    a->answer = NAME_FOUND;
    publish_host(names, name);
}

void
names_take_none(struct name *name, enum name_version version,
                enum name_answer answer)
{
    name->addresses[version].answer = answer;
}

void
names_judge_host(struct names *names, struct name *name, const char *failure)
{
    struct name_addresses *a = name->addresses;

    if (a[NAME_V4].answer != NAME_FOUND && a[NAME_V6].answer != NAME_FOUND) {
        name_take_failure(name, failure);
        return;
    }
    take_success(name);
    for (int version = 0; version < NAME_N_VERSIONS; version++) {
        if (a[version].answer == NAME_DENIED) {
            a[version].n = 0;
        }
    }
    publish_host(names, name);
}

/* Returns true if 'host' is one.  A "." says that the service is not to be had
 * (RFC 2782); other texts that no host can have are a server's mistake. */
static bool
is_host(const struct name_host *host)
{
    struct in6_addr address;

    return (host->port && !name_is_service(host->text)
            && (host_name_is_possible(host->text)
                || address_from_text(host->text, &address)));
}

void
names_take_hosts(struct names *names, struct name *name,
                 const struct name_host *hosts, size_t n)
{
    take_success(name);
    free_hosts(name);
    name->hosts = xcalloc(n, sizeof *name->hosts);
    for (size_t i = 0; i < n && name->n_hosts < NAMES_MAX_HOSTS; i++) {
        if (is_host(&hosts[i])) {
            struct name_host *host = &name->hosts[name->n_hosts++];

            host->text = xstrdup(hosts[i].text);
            host->port = hosts[i].port;
            if (!shash_find(&names->all, host->text)) {
                name_create(names, host->text);
            }
        }
    }
    put_together(names, name);
}
