/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "names.h"

#include "support.h"

#include <limits.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

/* Answers that are no addresses. */
#define DENIED "denied"
#define FAILED "failed"

static const char service[] = "_snowrelay._udp.example.org";

/* What was logged, from where logged() has read it. */
static FILE *log_stream;

struct fixture {
    struct names names;
    unsigned int seqno; /* When moved() was last called. */
};

/* Routes. */

static bool
has_route(const struct in6_addr *address)
{
    assert_true(address_is_ipv6(address));
    return true;
}

static bool
has_no_route(const struct in6_addr *address)
{
    assert_true(address_is_ipv6(address));
    return false;
}

/* Has routes to addresses that are odd. */
static bool
has_route_if_odd(const struct in6_addr *address)
{
    assert_true(address_is_ipv6(address));
    return address->s6_addr[15] & 1;
}

/* Helpers. */

/* Returns what was logged since the last call.  Valid until the next one. */
static const char *
logged(void)
{
    static char text[8192];

    clearerr(log_stream); /* Read on where the end was. */
    size_t n = fread(text, 1, sizeof text - 1, log_stream);
    assert_true(n < sizeof text - 1);
    text[n] = '\0';
    return text;
}

/* Makes 'list', which has spaces in between, the names that are wanted. */
static void
want(struct fixture *f, const char *list)
{
    struct sset texts = SSET_INITIALIZER(&texts);

    sset_from_delimited_string(&texts, list, " ");
    names_set_wanted(&f->names, &texts);
    sset_destroy(&texts);
}

/* Begins with the names in 'list' wanted. */
static void
begin_with_routes(struct fixture *f, const char *list,
                  bool (*routes)(const struct in6_addr *))
{
    names_init(&f->names, routes);
    f->seqno = f->names.seqno;
    want(f, list);
    logged();
}

static void
begin(struct fixture *f, const char *list)
{
    begin_with_routes(f, list, has_route);
}

static void
end(struct fixture *f)
{
    names_destroy(&f->names);
}

/* Returns the name 'text', or NULL. */
static struct name *
find(const struct fixture *f, const char *text)
{
    return shash_find_data(&f->names.all, text);
}

/* Returns the name 'text', which must be there. */
static struct name *
get(const struct fixture *f, const char *text)
{
    struct name *name = find(f, text);

    assert_non_null(name);
    assert_string_equal(name->text, text);
    return name;
}

/* Returns true if the sequence number has changed since the last call. */
static bool
moved(struct fixture *f)
{
    unsigned int last = f->seqno;

    f->seqno = f->names.seqno;
    return f->seqno != last;
}

/* Stores the addresses in 'list', which has spaces in between, in an array
 * that it returns and that the caller frees. */
static struct in6_addr *
parse_addresses(const char *list, size_t *n)
{
    struct in6_addr all[16];
    char *copy = xstrdup(list);
    char *save = NULL;

    *n = 0;
    for (char *text = strtok_r(copy, " ", &save); text;
         text = strtok_r(NULL, " ", &save)) {
        assert_true(*n < ARRAY_SIZE(all));
        assert_true(address_from_text(text, &all[(*n)++]));
    }
    free(copy);
    return copy_exactly(all, *n * sizeof *all);
}

/* Has the name 'text' answered 'answer' for 'version': a list of addresses,
 * DENIED or FAILED. */
static void
take(struct fixture *f, const char *text, enum name_version version,
     const char *answer)
{
    if (!strcmp(answer, DENIED) || !strcmp(answer, FAILED)) {
        names_take_none(get(f, text), version,
                        !strcmp(answer, DENIED) ? NAME_DENIED : NAME_FAILED);
        return;
    }

    size_t n;
    struct in6_addr *addresses = parse_addresses(answer, &n);
    names_take_addresses(&f->names, get(f, text), version, addresses, n);
    free(addresses);
}

static void
judge(struct fixture *f, const char *text)
{
    names_judge_host(&f->names, get(f, text), "no luck");
}

/* Has the host 'text' answered both versions. */
static void
answer(struct fixture *f, const char *text, const char *v4, const char *v6)
{
    take(f, text, NAME_V4, v4);
    take(f, text, NAME_V6, v6);
    judge(f, text);
}

/* Has the service 'text' answered the hosts in 'list', each with a colon and
 * its port, and with spaces in between. */
static void
take_hosts(struct fixture *f, const char *text, const char *list)
{
    struct name_host hosts[16];
    char *copy = xstrdup(list);
    char *save = NULL;
    size_t n = 0;

    for (char *host = strtok_r(copy, " ", &save); host;
         host = strtok_r(NULL, " ", &save)) {
        char *colon = strrchr(host, ':');

        assert_true(n < ARRAY_SIZE(hosts));
        hosts[n].port = atoi(colon + 1);
        *colon = '\0';
        hosts[n++].text = host;
    }

    struct name_host *exact = copy_exactly(hosts, n * sizeof *hosts);
    names_take_hosts(&f->names, get(f, text), exact, n);
    free(exact);
    free(copy);
}

/* Returns the endpoints that 'text' leads to, with spaces in between, and
 * without ports where they are 0.  Valid until the next call. */
static const char *
leads_to(const struct fixture *f, const char *text)
{
    static char result[4096];
    const struct resolution *res = &get(f, text)->resolution;
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < res->n; i++) {
        const struct endpoint *e = &res->endpoints[i];
        char one[ENDPOINT_TEXT_SIZE];

        ds_put_format(&s, "%s%s", i ? " " : "",
                      e->port ? endpoint_format(e, one)
                              : address_format(&e->address, one));
    }
    assert_true(s.length < sizeof result);
    ovs_strlcpy(result, ds_cstr(&s), sizeof result);
    ds_destroy(&s);
    return result;
}

static void
assert_leads(const struct fixture *f, const char *text, const char *expected)
{
    assert_string_equal(leads_to(f, text), expected);
}

/* Fails the test unless the names are those in 'list', which has spaces in
 * between. */
static void
assert_names(const struct fixture *f, const char *list)
{
    const struct shash_node **nodes = shash_sort(&f->names.all);
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < shash_count(&f->names.all); i++) {
        const struct name *name = nodes[i]->data;

        assert_string_equal(name->text, nodes[i]->name);
        ds_put_format(&s, "%s%s", i ? " " : "", name->text);
    }
    assert_string_equal(ds_cstr(&s), list);
    ds_destroy(&s);
    free(nodes);
}

/* Which there are. */

static void
test_there_are_none_at_first(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "");
    assert_names(&f, "");
    names_sweep(&f.names);
    assert_names(&f, "");
    assert_false(moved(&f));
    end(&f);
}

static void
test_services_begin_with_an_underscore(void **state OVS_UNUSED)
{
    assert_true(name_is_service(service));
    assert_true(name_is_service("_"));
    assert_true(name_is_service("_alpha"));
    assert_false(name_is_service(""));
    assert_false(name_is_service("alpha"));
    assert_false(name_is_service("alpha_"));
    assert_false(name_is_service("alpha._udp.example.org"));
}

static void
test_a_new_name_leads_nowhere(void **state OVS_UNUSED)
{
    static const char *const texts[] = { "alpha", service };
    struct fixture f;

    begin(&f, "alpha _snowrelay._udp.example.org");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const struct name *name = get(&f, texts[i]);

        assert_true(name->wanted);
        assert_false(name->told);
        assert_false(name->asked);
        assert_int_equal(name->n_pending, 0);
        assert_int_equal(name->n_hosts, 0);
        assert_int_equal(name->resolution.n, 0);
    }
    assert_false(moved(&f));
    assert_string_equal(logged(), "");
    end(&f);
}

static void
test_those_wanted_are_there(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha beta");
    assert_names(&f, "alpha beta");
    want(&f, "beta gamma alpha");
    assert_names(&f, "alpha beta gamma");
    want(&f, "gamma");
    assert_names(&f, "gamma");
    want(&f, "");
    assert_names(&f, "");
    end(&f);
}

static void
test_what_is_known_of_those_that_stay_is_kept(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha beta _x");
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    answer(&f, "beta", FAILED, FAILED);
    take_hosts(&f, "_x", "gamma:7");
    answer(&f, "gamma", "10.1.0.3", DENIED);
    const struct name *alpha = get(&f, "alpha"), *x = get(&f, "_x");
    moved(&f);

    want(&f, "alpha beta _x delta");
    assert_ptr_equal(get(&f, "alpha"), alpha);
    assert_ptr_equal(get(&f, "_x"), x);
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.1");
    assert_leads(&f, "_x", "10.1.0.3:7");
    assert_leads(&f, "gamma", "10.1.0.3");
    assert_true(get(&f, "beta")->told);
    assert_false(moved(&f));
    end(&f);
}

static void
test_those_not_wanted_are_forgotten(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha beta");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    answer(&f, "beta", FAILED, FAILED);
    want(&f, "");
    want(&f, "alpha beta");
    assert_leads(&f, "alpha", "");
    assert_false(get(&f, "beta")->told);

    /* Nor does anything come back later. */
    answer(&f, "alpha", FAILED, "2001:db8::1");
    assert_leads(&f, "alpha", "2001:db8::1");
    end(&f);
}

static void
test_the_texts_are_copied(void **state OVS_UNUSED)
{
    struct sset texts = SSET_INITIALIZER(&texts);
    struct fixture f;

    begin(&f, "");
    sset_add(&texts, "alpha");
    names_set_wanted(&f.names, &texts);
    sset_destroy(&texts);
    assert_names(&f, "alpha");
    end(&f);
}

static void
test_sweeping_leaves_those_wanted(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha _x");
    names_sweep(&f.names);
    assert_names(&f, "_x alpha");
    end(&f);
}

/* Hosts. */

static void
test_addresses_keep_their_order(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "10.1.0.3 10.1.0.1 10.1.0.2",
           "2001:db8::2 2001:db8::3 2001:db8::1");
    assert_leads(&f, "alpha",
                 "2001:db8::2 2001:db8::3 2001:db8::1 "
                 "10.1.0.3 10.1.0.1 10.1.0.2");
    end(&f);
}

static void
test_the_addresses_of_a_host_have_no_port(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    const struct resolution *res = &get(&f, "alpha")->resolution;
    assert_int_equal(res->n, 2);
    assert_int_equal(res->endpoints[0].port, 0);
    assert_int_equal(res->endpoints[1].port, 0);
    end(&f);
}

/* What becomes of a host with an address of each version, 10.1.0.1 and
 * 2001:db8::1, and of one that has none, by what is answered next. */
static const struct {
    const char *v4, *v6;
    const char *known;   /* Where the former leads then. */
    const char *unknown; /* The same of the latter. */
    bool fails;
} answers[] = {
    { "10.1.0.2", "2001:db8::2", "2001:db8::2 10.1.0.2",
      "2001:db8::2 10.1.0.2", false },
    { "10.1.0.2", DENIED, "10.1.0.2", "10.1.0.2", false },
    { "10.1.0.2", FAILED, "2001:db8::1 10.1.0.2", "10.1.0.2", false },
    { DENIED, "2001:db8::2", "2001:db8::2", "2001:db8::2", false },
    { DENIED, DENIED, "2001:db8::1 10.1.0.1", "", true },
    { DENIED, FAILED, "2001:db8::1 10.1.0.1", "", true },
    { FAILED, "2001:db8::2", "2001:db8::2 10.1.0.1", "2001:db8::2", false },
    { FAILED, DENIED, "2001:db8::1 10.1.0.1", "", true },
    { FAILED, FAILED, "2001:db8::1 10.1.0.1", "", true },
};

static void
test_all_answers_to_a_host_that_is_known(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        for (int order = 0; order < 2; order++) {
            struct fixture f;

            begin(&f, "alpha");
            answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
            moved(&f);
            take(&f, "alpha", order ? NAME_V6 : NAME_V4,
                 order ? answers[i].v6 : answers[i].v4);
            take(&f, "alpha", order ? NAME_V4 : NAME_V6,
                 order ? answers[i].v4 : answers[i].v6);
            judge(&f, "alpha");
            assert_leads(&f, "alpha", answers[i].known);
            assert_int_equal(get(&f, "alpha")->told, answers[i].fails);
            assert_int_equal(moved(&f), !answers[i].fails);
            end(&f);
        }
    }
}

static void
test_all_answers_to_a_host_that_is_unknown(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        struct fixture f;

        begin(&f, "alpha");
        answer(&f, "alpha", answers[i].v4, answers[i].v6);
        assert_leads(&f, "alpha", answers[i].unknown);
        assert_int_equal(get(&f, "alpha")->told, answers[i].fails);
        assert_int_equal(moved(&f), !answers[i].fails);
        end(&f);
    }
}

/* After each pair of answers each other one, to a host that is known: what
 * was answered before the last matters by what it left only. */
static void
test_all_answers_after_all_answers(void **state OVS_UNUSED)
{
    static const char *const v4[] = { "10.1.0.1", "10.1.0.2", "10.1.0.3" };
    static const char *const v6[] = { "2001:db8::1", "2001:db8::2",
                                      "2001:db8::3" };
    enum { FOUND, IS_DENIED, HAS_FAILED, N };

    for (int i = 0; i < N * N * N * N; i++) {
        const int kinds[][2] = { { i % N, i / N % N },
                                 { i / N / N % N, i / N / N / N } };
        const char *has4 = v4[0], *has6 = v6[0];
        struct fixture f;

        begin(&f, "alpha");
        answer(&f, "alpha", v4[0], v6[0]);
        for (int j = 0; j < 2; j++) {
            int a = kinds[j][0], b = kinds[j][1];

            answer(&f, "alpha",
                   a == FOUND ? v4[j + 1] : (a == IS_DENIED ? DENIED : FAILED),
                   b == FOUND ? v6[j + 1]
                              : (b == IS_DENIED ? DENIED : FAILED));
            if (a == FOUND || b == FOUND) {
                has4 = a == FOUND ? v4[j + 1] : a == IS_DENIED ? NULL : has4;
                has6 = b == FOUND ? v6[j + 1] : b == IS_DENIED ? NULL : has6;
            }
        }

        char *expected = xasprintf("%s%s%s", has6 ? has6 : "",
                                   has4 && has6 ? " " : "", has4 ? has4 : "");
        assert_leads(&f, "alpha", expected);
        free(expected);
        end(&f);
    }
}

static void
test_addresses_count_at_once(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    take(&f, "alpha", NAME_V4, "10.1.0.1");
    assert_leads(&f, "alpha", "10.1.0.1");
    assert_true(moved(&f));
    take(&f, "alpha", NAME_V6, "2001:db8::1");
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.1");
    assert_true(moved(&f));
    judge(&f, "alpha");
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.1");
    assert_false(moved(&f));
    end(&f);
}

/* The other version may be found yet, or not. */
static void
test_a_denial_does_not_count_at_once(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    moved(&f);
    take(&f, "alpha", NAME_V6, DENIED);
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.1");
    take(&f, "alpha", NAME_V4, "10.1.0.1");
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.1");
    assert_false(moved(&f));
    judge(&f, "alpha");
    assert_leads(&f, "alpha", "10.1.0.1");
    assert_true(moved(&f));
    end(&f);
}

static void
test_a_version_that_went_can_come_back(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    answer(&f, "alpha", DENIED, "2001:db8::1");
    answer(&f, "alpha", FAILED, "2001:db8::1");
    assert_leads(&f, "alpha", "2001:db8::1");
    answer(&f, "alpha", FAILED, FAILED);
    assert_leads(&f, "alpha", "2001:db8::1");
    answer(&f, "alpha", "10.1.0.1", FAILED);
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.1");
    end(&f);
}

static void
test_new_addresses_take_the_place_of_old_ones(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "10.1.0.1 10.1.0.2 10.1.0.3", DENIED);
    answer(&f, "alpha", "10.1.0.4", DENIED);
    assert_leads(&f, "alpha", "10.1.0.4");
    answer(&f, "alpha", "10.1.0.1 10.1.0.4", DENIED);
    assert_leads(&f, "alpha", "10.1.0.1 10.1.0.4");
    end(&f);
}

static void
test_hosts_are_told_apart(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha beta");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    assert_leads(&f, "beta", "");
    answer(&f, "beta", "10.1.0.2", DENIED);
    answer(&f, "alpha", FAILED, FAILED);
    assert_leads(&f, "alpha", "10.1.0.1");
    assert_leads(&f, "beta", "10.1.0.2");
    assert_true(get(&f, "alpha")->told);
    assert_false(get(&f, "beta")->told);
    end(&f);
}

static void
test_no_answer_leaves_all(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    moved(&f);
    name_take_failure(get(&f, "alpha"), "timeout");
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.1");
    assert_true(get(&f, "alpha")->told);
    assert_false(moved(&f));
    end(&f);
}

/* The order of versions. */

static void
test_without_a_route_ipv6_comes_last(void **state OVS_UNUSED)
{
    struct fixture f;

    begin_with_routes(&f, "alpha", has_no_route);
    answer(&f, "alpha", "10.1.0.2 10.1.0.1", "2001:db8::1 2001:db8::3");
    assert_leads(&f, "alpha", "10.1.0.2 10.1.0.1 2001:db8::1 2001:db8::3");
    end(&f);
}

static void
test_each_host_has_a_route_or_not(void **state OVS_UNUSED)
{
    struct fixture f;

    begin_with_routes(&f, "alpha beta _x", has_route_if_odd);
    take_hosts(&f, "_x", "alpha:7 beta:8");
    answer(&f, "alpha", "10.1.0.1", "2001:db8::2");
    answer(&f, "beta", "10.1.0.2", "2001:db8::1");
    assert_leads(&f, "alpha", "10.1.0.1 2001:db8::2");
    assert_leads(&f, "beta", "2001:db8::1 10.1.0.2");
    assert_leads(&f, "_x",
                 "10.1.0.1:7 [2001:db8::2]:7 [2001:db8::1]:8 10.1.0.2:8");
    end(&f);
}

static void
test_one_version_alone_needs_no_route(void **state OVS_UNUSED)
{
    struct fixture f;

    begin_with_routes(&f, "alpha beta", has_no_route);
    answer(&f, "alpha", DENIED, "2001:db8::1");
    answer(&f, "beta", "10.1.0.1", DENIED);
    assert_leads(&f, "alpha", "2001:db8::1");
    assert_leads(&f, "beta", "10.1.0.1");
    end(&f);
}

/* The one whose route was asked for, and whether there is one. */
static struct in6_addr asked;
static bool there_is_a_route;
static unsigned int n_asked;

static bool
note_route(const struct in6_addr *address)
{
    asked = *address;
    n_asked++;
    return there_is_a_route;
}

static void
test_the_route_is_that_to_the_first_ipv6_address(void **state OVS_UNUSED)
{
    char text[INET6_ADDRSTRLEN];
    struct fixture f;

    begin_with_routes(&f, "alpha", note_route);
    n_asked = 0;
    answer(&f, "alpha", "10.1.0.1", DENIED);
    assert_int_equal(n_asked, 0);
    answer(&f, "alpha", "10.1.0.1", "2001:db8::2 2001:db8::1");
    assert_true(n_asked > 0);
    assert_string_equal(address_format(&asked, text), "2001:db8::2");
    end(&f);
}

/* What was known of IPv6 is not asked about when the host has none. */
static void
test_no_route_is_asked_for_once_ipv6_has_gone(void **state OVS_UNUSED)
{
    struct fixture f;

    begin_with_routes(&f, "alpha", note_route);
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    n_asked = 0;
    answer(&f, "alpha", "10.1.0.1", DENIED);
    assert_int_equal(n_asked, 0);
    end(&f);
}

static void
test_a_route_counts_with_the_next_answer(void **state OVS_UNUSED)
{
    struct fixture f;

    begin_with_routes(&f, "alpha", note_route);
    there_is_a_route = false;
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    moved(&f);
    there_is_a_route = true;
    assert_leads(&f, "alpha", "10.1.0.1 2001:db8::1");
    answer(&f, "alpha", FAILED, FAILED);
    assert_leads(&f, "alpha", "10.1.0.1 2001:db8::1");
    assert_false(moved(&f));
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.1");
    assert_true(moved(&f));
    end(&f);
}

/* Duplicates. */

static void
test_an_address_counts_once(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "10.1.0.2 10.1.0.1 10.1.0.2 10.1.0.2 10.1.0.1",
           "2001:db8::1 2001:db8::1");
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.2 10.1.0.1");
    end(&f);
}

/* Addresses that differ in one bit are others. */
static void
test_addresses_are_told_apart(void **state OVS_UNUSED)
{
    struct in6_addr addresses[128];
    struct fixture f;

    begin(&f, "alpha");
    memset(addresses, 0, sizeof addresses);
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        addresses[i].s6_addr[i / 8] = 1 << i % 8;
    }
    names_take_addresses(&f.names, get(&f, "alpha"), NAME_V6, addresses,
                         ARRAY_SIZE(addresses));
    assert_int_equal(get(&f, "alpha")->resolution.n, ARRAY_SIZE(addresses));
    end(&f);
}

static void
test_an_endpoint_of_a_service_counts_once(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7 beta:7 alpha:7 gamma:8");
    answer(&f, "alpha", "10.1.0.1 10.1.0.2", DENIED);
    answer(&f, "beta", "10.1.0.2 10.1.0.3", DENIED);
    answer(&f, "gamma", "10.1.0.1", DENIED);
    assert_leads(&f, "_x", "10.1.0.1:7 10.1.0.2:7 10.1.0.3:7 10.1.0.1:8");
    end(&f);
}

static void
test_another_answer_that_only_repeats_is_no_news(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "10.1.0.1 10.1.0.2", DENIED);
    moved(&f);
    answer(&f, "alpha", "10.1.0.1 10.1.0.2 10.1.0.1", DENIED);
    assert_false(moved(&f));
    end(&f);
}

/* The limit. */

/* Has 'text' answered the 'n' addresses from 'first' on, of 'version'. */
static void
take_many(struct fixture *f, const char *text, enum name_version version,
          size_t first, size_t n)
{
    struct in6_addr *addresses = xcalloc(n, sizeof *addresses);

    for (size_t i = 0; i < n; i++) {
        if (version == NAME_V4) {
            in6_addr_set_mapped_ipv4(&addresses[i],
                                     htonl(0x0a000000 + first + i));
        } else {
            ovs_be32 low = htonl(first + i);

            assert_true(address_from_text("2001:db8::", &addresses[i]));
            memcpy(&addresses[i].s6_addr[12], &low, sizeof low);
        }
    }
    names_take_addresses(&f->names, get(f, text), version, addresses, n);
    free(addresses);
}

/* Fails the test unless the number 'i' of those that 'text' leads to is
 * 'expected'. */
static void
assert_nth(const struct fixture *f, const char *text, size_t i,
           const char *expected)
{
    const struct resolution *res = &get(f, text)->resolution;
    char one[ENDPOINT_TEXT_SIZE];

    assert_true(i < res->n);
    assert_string_equal(endpoint_format(&res->endpoints[i], one), expected);
}

static void
test_more_than_so_many_are_ignored(void **state OVS_UNUSED)
{
    static const size_t ns[] = { NAMES_MAX_ENDPOINTS - 1, NAMES_MAX_ENDPOINTS,
                                 NAMES_MAX_ENDPOINTS + 1,
                                 3 * NAMES_MAX_ENDPOINTS };

    for (size_t i = 0; i < ARRAY_SIZE(ns); i++) {
        struct fixture f;

        begin(&f, "alpha");
        take_many(&f, "alpha", NAME_V4, 1, ns[i]);
        assert_int_equal(get(&f, "alpha")->resolution.n,
                         MIN(ns[i], NAMES_MAX_ENDPOINTS));
        assert_nth(&f, "alpha", 0, "10.0.0.1:0");
        assert_nth(&f, "alpha", NAMES_MAX_ENDPOINTS - 2, "10.0.3.255:0");
        end(&f);
    }
}

static void
test_the_limit_is_that_of_both_versions(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    take_many(&f, "alpha", NAME_V4, 1, 100);
    take_many(&f, "alpha", NAME_V6, 1, NAMES_MAX_ENDPOINTS - 1);
    assert_int_equal(get(&f, "alpha")->resolution.n, NAMES_MAX_ENDPOINTS);
    assert_nth(&f, "alpha", 0, "[2001:db8::1]:0");
    assert_nth(&f, "alpha", NAMES_MAX_ENDPOINTS - 1, "10.0.0.1:0");
    end(&f);
}

static void
test_the_limit_is_that_of_all_hosts_of_a_service(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7 beta:8 gamma:9");
    take_many(&f, "gamma", NAME_V4, 1, 1);
    take_many(&f, "alpha", NAME_V4, 1, 600);
    take_many(&f, "beta", NAME_V4, 1, 600);
    assert_int_equal(get(&f, "_x")->resolution.n, NAMES_MAX_ENDPOINTS);
    assert_nth(&f, "_x", 599, "10.0.2.88:7");
    assert_nth(&f, "_x", 600, "10.0.0.1:8");
    assert_nth(&f, "_x", NAMES_MAX_ENDPOINTS - 1, "10.0.1.168:8");
    assert_int_equal(get(&f, "beta")->resolution.n, 600);
    end(&f);
}

static void
test_duplicates_do_not_count_for_the_limit(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7 beta:7");
    take_many(&f, "alpha", NAME_V4, 1, NAMES_MAX_ENDPOINTS - 1);
    take_many(&f, "beta", NAME_V4, 1, NAMES_MAX_ENDPOINTS);
    assert_int_equal(get(&f, "_x")->resolution.n, NAMES_MAX_ENDPOINTS);
    assert_nth(&f, "_x", NAMES_MAX_ENDPOINTS - 1, "10.0.4.0:7");
    end(&f);
}

static void
test_those_ignored_are_no_news(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    take_many(&f, "alpha", NAME_V4, 1, NAMES_MAX_ENDPOINTS + 1);
    assert_true(moved(&f));
    take_many(&f, "alpha", NAME_V4, 1, NAMES_MAX_ENDPOINTS + 2);
    assert_false(moved(&f));
    take_many(&f, "alpha", NAME_V4, 2, NAMES_MAX_ENDPOINTS + 1);
    assert_true(moved(&f));
    end(&f);
}

/* Addresses that no host can have. */

static const struct {
    const char *address;
    bool possible;
} possible[] = {
    { "0.0.0.0", false },
    { "0.0.0.1", true },
    { "1.0.0.0", true },
    { "127.0.0.1", true },
    { "223.255.255.255", true },
    { "224.0.0.0", false },
    { "224.0.0.1", false },
    { "239.255.255.255", false },
    { "240.0.0.0", true },
    { "255.255.255.254", true },
    { "255.255.255.255", false },
    { "::ffff:0.0.0.0", false },
    { "::ffff:224.0.0.1", false },
    { "::ffff:10.1.0.1", true },
    { "::", false },
    { "::1", true },
    { "::e000:1", true },
    { "fe80::1", true },
    { "feff:ffff::1", true },
    { "ff00::", false },
    { "ff02::1", false },
    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false },
};

static void
test_addresses_that_no_host_can_have_are_left_out(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(possible); i++) {
        struct in6_addr address;
        struct fixture f;

        assert_true(address_from_text(possible[i].address, &address));
        bool v6 = address_is_ipv6(&address);
        char *list = xasprintf(v6 ? "2001:db8::1 %s 2001:db8::2"
                                  : "10.1.0.8 %s 10.1.0.9",
                               possible[i].address);
        begin(&f, "alpha");
        take(&f, "alpha", v6 ? NAME_V6 : NAME_V4, list);
        const struct resolution *res = &get(&f, "alpha")->resolution;
        assert_int_equal(res->n, possible[i].possible ? 3 : 2);
        assert_false(res->cut);
        assert_int_equal(
            ipv6_addr_equals(&res->endpoints[1].address, &address),
            possible[i].possible);
        free(list);
        end(&f);
    }
}

static void
test_a_host_may_have_no_other_addresses(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "0.0.0.0 224.0.0.1", "ff02::1 ::");
    assert_leads(&f, "alpha", "");
    assert_false(moved(&f));
    answer(&f, "alpha", "10.1.0.1", "ff02::1 ::");
    assert_leads(&f, "alpha", "10.1.0.1");
    assert_true(moved(&f));
    answer(&f, "alpha", "255.255.255.255 10.1.0.1", "::");
    assert_false(moved(&f));

    /* As good as no answer, so that what is known stays. */
    answer(&f, "alpha", "0.0.0.0", "::");
    assert_false(moved(&f));
    assert_leads(&f, "alpha", "10.1.0.1");
    end(&f);
}

static void
test_a_service_has_none_of_these_either(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7 beta:8");
    answer(&f, "alpha", "0.0.0.0 10.1.0.1", "2001:db8::1 ff02::1");
    answer(&f, "beta", "239.0.0.1", "::");
    assert_leads(&f, "_x", "[2001:db8::1]:7 10.1.0.1:7");
    end(&f);
}

/* Where there is no room for more these are not what is cut off. */
static void
test_those_left_out_do_not_count_for_the_limit(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    take_many(&f, "alpha", NAME_V4, 1, NAMES_MAX_ENDPOINTS);
    take(&f, "alpha", NAME_V6, "ff02::1 ::");
    assert_int_equal(get(&f, "alpha")->resolution.n, NAMES_MAX_ENDPOINTS);
    assert_false(get(&f, "alpha")->resolution.cut);
    assert_string_equal(logged(), "");
    end(&f);
}

/* The sequence number. */

static void
test_the_same_answer_is_no_news(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha _x");
    take_hosts(&f, "_x", "alpha:7 beta:8");
    answer(&f, "alpha", "10.1.0.1 10.1.0.2", "2001:db8::1");
    answer(&f, "beta", "10.1.0.3", DENIED);
    assert_true(moved(&f));
    for (int i = 0; i < 3; i++) {
        take_hosts(&f, "_x", "alpha:7 beta:8");
        answer(&f, "alpha", "10.1.0.1 10.1.0.2", "2001:db8::1");
        answer(&f, "beta", "10.1.0.3", DENIED);
        assert_false(moved(&f));
    }
    end(&f);
}

static void
test_each_change_of_an_address_is_news(void **state OVS_UNUSED)
{
    static const char *const lists[] = {
        "10.1.0.1",          "10.1.0.2",          "10.1.0.2 10.1.0.1",
        "10.1.0.2 10.1.0.3", "10.1.0.4 10.1.0.3", "10.1.0.4",
    };
    struct fixture f;

    begin(&f, "alpha");
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        answer(&f, "alpha", lists[i], DENIED);
        assert_true(moved(&f));
    }
    end(&f);
}

static void
test_another_port_is_news(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7");
    assert_false(moved(&f)); /* It leads nowhere yet. */
    answer(&f, "alpha", "10.1.0.1", DENIED);
    assert_true(moved(&f));
    take_hosts(&f, "_x", "alpha:8");
    assert_true(moved(&f));
    assert_leads(&f, "_x", "10.1.0.1:8");
    take_hosts(&f, "_x", "alpha:8 beta:9");
    assert_false(moved(&f));
    end(&f);
}

static void
test_other_hosts_with_the_same_addresses_are_no_news(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha beta _x");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    answer(&f, "beta", "10.1.0.1", DENIED);
    take_hosts(&f, "_x", "alpha:7");
    assert_true(moved(&f));
    take_hosts(&f, "_x", "beta:7");
    assert_false(moved(&f));
    end(&f);
}

static void
test_names_that_come_and_go_are_no_news(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha _x");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    take_hosts(&f, "_x", "alpha:7");
    moved(&f);
    want(&f, "alpha _y");
    want(&f, "alpha beta");
    names_sweep(&f.names);
    assert_false(moved(&f));
    end(&f);
}

static void
test_numbers_begin_anew_after_the_last(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    f.names.seqno = f.seqno = UINT_MAX;
    answer(&f, "alpha", "10.1.0.1", DENIED);
    assert_int_equal(f.names.seqno, 0);
    assert_true(moved(&f));
    end(&f);
}

/* Services. */

static void
test_the_hosts_of_a_service_are_names(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, service);
    take_hosts(&f, service, "alpha:7 beta:8");
    assert_names(&f, "_snowrelay._udp.example.org alpha beta");
    assert_true(get(&f, service)->wanted);
    assert_false(get(&f, "alpha")->wanted);
    assert_false(get(&f, "beta")->wanted);
    assert_false(get(&f, "alpha")->asked);
    assert_leads(&f, service, "");
    end(&f);
}

static void
test_a_service_leads_to_its_hosts_in_turn(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "beta:65535 alpha:1");
    answer(&f, "alpha", "10.1.0.1 10.1.0.2", "2001:db8::1");
    assert_leads(&f, "_x", "[2001:db8::1]:1 10.1.0.1:1 10.1.0.2:1");
    answer(&f, "beta", "10.1.0.3", "2001:db8::3");
    assert_leads(&f, "_x",
                 "[2001:db8::3]:65535 10.1.0.3:65535 "
                 "[2001:db8::1]:1 10.1.0.1:1 10.1.0.2:1");
    assert_leads(&f, "alpha", "2001:db8::1 10.1.0.1 10.1.0.2");
    end(&f);
}

static void
test_addresses_known_before_count_at_once(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha _x");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    moved(&f);
    take_hosts(&f, "_x", "alpha:7");
    assert_leads(&f, "_x", "10.1.0.1:7");
    assert_true(moved(&f));
    end(&f);
}

static void
test_addresses_found_after_count_at_once(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7");
    take(&f, "alpha", NAME_V6, "2001:db8::1");
    assert_leads(&f, "_x", "[2001:db8::1]:7");
    take(&f, "alpha", NAME_V4, "10.1.0.1");
    assert_leads(&f, "_x", "[2001:db8::1]:7 10.1.0.1:7");
    end(&f);
}

/* Services come and go, and hosts reach those that there are. */
static void
test_a_host_reaches_services_as_long_as_there_are_some(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    assert_int_equal(f.names.n_services, 0);
    answer(&f, "alpha", "10.1.0.1", DENIED);

    want(&f, "alpha _x");
    assert_int_equal(f.names.n_services, 1);
    take_hosts(&f, "_x", "alpha:7");
    answer(&f, "alpha", "10.1.0.2", DENIED);
    assert_leads(&f, "_x", "10.1.0.2:7");

    want(&f, "alpha _x _y");
    assert_int_equal(f.names.n_services, 2);
    take_hosts(&f, "_y", "alpha:8");
    want(&f, "_y alpha");
    assert_int_equal(f.names.n_services, 1);
    answer(&f, "alpha", "10.1.0.3", DENIED);
    assert_leads(&f, "_y", "10.1.0.3:8");

    /* Wanted as before. */
    want(&f, "_y");
    assert_int_equal(f.names.n_services, 1);
    answer(&f, "alpha", "10.1.0.4", DENIED);
    assert_leads(&f, "_y", "10.1.0.4:8");

    want(&f, "alpha");
    assert_int_equal(f.names.n_services, 0);
    answer(&f, "alpha", "10.1.0.5", DENIED);
    assert_leads(&f, "alpha", "10.1.0.5");
    want(&f, "alpha _x");
    take_hosts(&f, "_x", "alpha:7");
    answer(&f, "alpha", "10.1.0.6", DENIED);
    assert_leads(&f, "_x", "10.1.0.6:7");
    end(&f);
}

static void
test_a_host_can_have_several_ports(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7 beta:7 alpha:8");
    answer(&f, "alpha", "10.1.0.1 10.1.0.2", DENIED);
    answer(&f, "beta", "10.1.0.3", DENIED);
    assert_leads(&f, "_x",
                 "10.1.0.1:7 10.1.0.2:7 10.1.0.3:7 10.1.0.1:8 10.1.0.2:8");
    end(&f);
}

static void
test_a_host_of_two_services_and_by_itself(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x _y alpha");
    take_hosts(&f, "_x", "alpha:7");
    take_hosts(&f, "_y", "beta:1 alpha:8");
    assert_true(get(&f, "alpha")->wanted);
    answer(&f, "alpha", "10.1.0.1", DENIED);
    assert_leads(&f, "_x", "10.1.0.1:7");
    assert_leads(&f, "_y", "10.1.0.1:8");
    assert_leads(&f, "alpha", "10.1.0.1");
    answer(&f, "alpha", DENIED, "2001:db8::1");
    assert_leads(&f, "_x", "[2001:db8::1]:7");
    assert_leads(&f, "_y", "[2001:db8::1]:8");
    assert_leads(&f, "alpha", "2001:db8::1");
    end(&f);
}

static void
test_a_host_leaves_other_services_alone(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x _y");
    take_hosts(&f, "_x", "alpha:7");
    take_hosts(&f, "_y", "beta:8");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    assert_leads(&f, "_x", "10.1.0.1:7");
    assert_leads(&f, "_y", "");
    end(&f);
}

static void
test_what_is_no_host_is_left_out(void **state OVS_UNUSED)
{
    static const struct {
        const char *hosts;
        const char *names; /* Those that there are then. */
        size_t n_hosts;
    } records[] = {
        { "", "_x", 0 },
        { ".:7", "_x", 0 },
        { ":7", "_x", 0 },
        { "alpha:0", "_x", 0 },
        { ".:0", "_x", 0 },
        { "_y:7", "_x", 0 },
        { "_x:7", "_x", 0 },
        { "_alpha.example.org:7", "_x", 0 },
        { ".:7 alpha:0 _y:7 :7 beta:8", "_x beta", 1 },
        { "beta:8 .:7", "_x beta", 1 },
        { "beta:0 beta:8 beta:0", "_x beta", 1 },
        { "alpha:7 _y:7 beta:8", "_x alpha beta", 2 },
        { "a_b:7 alpha.:7", "_x a_b alpha.", 2 },
        { "al\\000pha:7 al\tpha:7 \"alpha\":7 beta:8", "_x beta", 1 },
        { "alpha..b:7 -alpha:7 \xc3\xa4:7 beta:8", "_x beta", 1 },
        { "10.1.0.9:7 2001:db8::9:7", "10.1.0.9 2001:db8::9 _x", 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        struct fixture f;

        begin(&f, "_x");
        take_hosts(&f, "_x", records[i].hosts);
        assert_int_equal(get(&f, "_x")->n_hosts, records[i].n_hosts);
        assert_names(&f, records[i].names);
        if (find(&f, "beta")) {
            answer(&f, "beta", "10.1.0.2", DENIED);
            assert_leads(&f, "_x", "10.1.0.2:8");
        }
        end(&f);
    }
}

static void
test_a_service_that_is_not_to_be_had_leads_nowhere(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    moved(&f);
    take_hosts(&f, "_x", ".:0");
    assert_leads(&f, "_x", "");
    assert_true(moved(&f));
    end(&f);
}

static void
test_a_host_that_fails_keeps_its_endpoints(void **state OVS_UNUSED)
{
    static const char *const none[][2] = {
        { DENIED, DENIED },
        { DENIED, FAILED },
        { FAILED, DENIED },
        { FAILED, FAILED },
    };

    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        struct fixture f;

        begin(&f, "_x");
        take_hosts(&f, "_x", "alpha:7 beta:8");
        answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
        answer(&f, "beta", "10.1.0.2", DENIED);
        moved(&f);
        answer(&f, "alpha", none[i][0], none[i][1]);
        take_hosts(&f, "_x", "alpha:7 beta:8");
        assert_leads(&f, "_x", "[2001:db8::1]:7 10.1.0.1:7 10.1.0.2:8");
        assert_false(moved(&f));
        end(&f);
    }
}

static void
test_a_version_that_goes_takes_its_endpoints_along(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7");
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    answer(&f, "alpha", DENIED, "2001:db8::1");
    assert_leads(&f, "_x", "[2001:db8::1]:7");
    end(&f);
}

static void
test_a_service_that_fails_keeps_its_hosts(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    moved(&f);
    name_take_failure(get(&f, "_x"), "timeout");
    names_sweep(&f.names);
    assert_names(&f, "_x alpha");
    assert_leads(&f, "_x", "10.1.0.1:7");
    assert_false(moved(&f));

    /* They are still looked up. */
    answer(&f, "alpha", "10.1.0.2", DENIED);
    assert_leads(&f, "_x", "10.1.0.2:7");
    end(&f);
}

static void
test_records_that_go_take_their_endpoints_along(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7 beta:8 alpha:9");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    answer(&f, "beta", "10.1.0.2", DENIED);
    moved(&f);
    take_hosts(&f, "_x", "beta:8 alpha:9");
    assert_leads(&f, "_x", "10.1.0.2:8 10.1.0.1:9");
    assert_true(moved(&f));
    take_hosts(&f, "_x", "beta:8");
    assert_leads(&f, "_x", "10.1.0.2:8");
    assert_true(moved(&f));

    /* What becomes of the former host no longer matters. */
    answer(&f, "alpha", "10.1.0.3", DENIED);
    assert_leads(&f, "_x", "10.1.0.2:8");
    end(&f);
}

static void
test_records_that_come_back_are_known(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    take_hosts(&f, "_x", "beta:8");
    take_hosts(&f, "_x", "alpha:7"); /* Not swept in between. */
    assert_leads(&f, "_x", "10.1.0.1:7");
    end(&f);
}

/* Hosts that are swept, or not. */

static void
test_hosts_stay_until_they_are_swept(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7 beta:8");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    take_hosts(&f, "_x", "beta:8");
    assert_names(&f, "_x alpha beta");
    assert_leads(&f, "alpha", "10.1.0.1");
    names_sweep(&f.names);
    assert_names(&f, "_x beta");

    take_hosts(&f, "_x", "alpha:7");
    assert_leads(&f, "_x", ""); /* Forgotten. */
    end(&f);
}

static void
test_hosts_go_with_the_last_service(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x _y _z");
    take_hosts(&f, "_x", "alpha:7 beta:7");
    take_hosts(&f, "_y", "gamma:1 alpha:8");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    want(&f, "_y _z");
    assert_names(&f, "_y _z alpha gamma");
    assert_leads(&f, "_y", "10.1.0.1:8");
    want(&f, "_z");
    assert_names(&f, "_z");
    end(&f);
}

/* Which of the two is swept first is up to their hashes. */
static void
test_no_host_outlives_its_service(void **state OVS_UNUSED)
{
    for (int i = 0; i < 100; i++) {
        char *x = xasprintf("_%d", i), *hosts = xasprintf("b%d:1 a%d:2", i, i);
        struct fixture f;

        begin(&f, x);
        take_hosts(&f, x, hosts);
        assert_int_equal(shash_count(&f.names.all), 3);
        want(&f, "");
        assert_names(&f, "");
        end(&f);
        free(hosts);
        free(x);
    }
}

static void
test_a_host_that_is_wanted_stays(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x alpha");
    take_hosts(&f, "_x", "alpha:7");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    take_hosts(&f, "_x", "beta:8");
    names_sweep(&f.names);
    assert_names(&f, "_x alpha beta");
    want(&f, "alpha");
    assert_names(&f, "alpha");
    assert_leads(&f, "alpha", "10.1.0.1");
    end(&f);
}

static void
test_a_host_that_is_wanted_no_longer_may_be_a_services(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x alpha");
    take_hosts(&f, "_x", "alpha:7");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    want(&f, "_x");
    assert_names(&f, "_x alpha");
    assert_false(get(&f, "alpha")->wanted);
    assert_leads(&f, "_x", "10.1.0.1:7");
    take_hosts(&f, "_x", "beta:7");
    names_sweep(&f.names);
    assert_names(&f, "_x beta");
    end(&f);
}

static void
test_a_services_host_may_become_wanted(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    take_hosts(&f, "_x", "alpha:7");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    want(&f, "_x alpha");
    assert_true(get(&f, "alpha")->wanted);
    assert_leads(&f, "alpha", "10.1.0.1");
    want(&f, "alpha");
    assert_names(&f, "alpha");
    assert_leads(&f, "alpha", "10.1.0.1");
    end(&f);
}

/* The log. */

static void
test_a_failure_is_told_once(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", FAILED, DENIED);
    assert_string_equal(
        logged(), "WARN alpha: no address found (no luck); asking again\n");
    answer(&f, "alpha", DENIED, FAILED);
    name_take_failure(get(&f, "alpha"), "timeout");
    want(&f, "alpha beta");
    answer(&f, "alpha", FAILED, FAILED);
    assert_string_equal(logged(), "");
    end(&f);
}

static void
test_a_failure_tells_that_addresses_stay(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    answer(&f, "alpha", FAILED, FAILED);
    assert_string_equal(logged(),
                        "WARN alpha: no address found (no luck); its last "
                        "known ones stay\n");
    end(&f);
}

static void
test_what_is_found_again_is_told_once(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", FAILED, FAILED);
    logged();
    answer(&f, "alpha", "10.1.0.1", DENIED);
    assert_string_equal(logged(), "INFO alpha: address found again\n");
    answer(&f, "alpha", "10.1.0.2", "2001:db8::1");
    assert_string_equal(logged(), "");
    answer(&f, "alpha", FAILED, FAILED);
    assert_string_equal(logged(),
                        "WARN alpha: no address found (no luck); its last "
                        "known ones stay\n");
    answer(&f, "alpha", FAILED, "2001:db8::1");
    assert_string_equal(logged(), "INFO alpha: address found again\n");
    end(&f);
}

static void
test_what_is_found_is_not_told(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha _x");
    answer(&f, "alpha", "10.1.0.1", "2001:db8::1");
    answer(&f, "alpha", "10.1.0.2", DENIED);
    answer(&f, "alpha", FAILED, "2001:db8::1");
    take_hosts(&f, "_x", "alpha:7 beta:8");
    assert_string_equal(logged(), "");
    end(&f);
}

static void
test_a_service_and_its_hosts_are_told_each_for_itself(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "_x");
    name_take_failure(get(&f, "_x"), "timeout");
    assert_string_equal(logged(),
                        "WARN _x: no address found (timeout); asking again\n");
    take_hosts(&f, "_x", "alpha:7");
    assert_string_equal(logged(), "INFO _x: address found again\n");
    answer(&f, "alpha", FAILED, FAILED);
    assert_string_equal(
        logged(), "WARN alpha: no address found (no luck); asking again\n");
    name_take_failure(get(&f, "_x"), "timeout");
    assert_string_equal(logged(),
                        "WARN _x: no address found (timeout); asking again\n");
    answer(&f, "alpha", "10.1.0.1", DENIED);
    assert_string_equal(logged(), "INFO alpha: address found again\n");
    take_hosts(&f, "_x", "alpha:7");
    assert_string_equal(logged(), "INFO _x: address found again\n");
    name_take_failure(get(&f, "_x"), "timeout");
    assert_string_equal(logged(),
                        "WARN _x: no address found (timeout); its last known "
                        "ones stay\n");
    end(&f);
}

static void
test_a_forgotten_failure_is_told_again(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    answer(&f, "alpha", FAILED, FAILED);
    want(&f, "");
    want(&f, "alpha");
    logged();
    answer(&f, "alpha", FAILED, FAILED);
    assert_string_equal(
        logged(), "WARN alpha: no address found (no luck); asking again\n");
    end(&f);
}

static void
test_the_limit_is_told_once(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    take_many(&f, "alpha", NAME_V4, 1, NAMES_MAX_ENDPOINTS - 1);
    assert_string_equal(logged(), "");
    take_many(&f, "alpha", NAME_V4, 1, NAMES_MAX_ENDPOINTS + 1);
    assert_string_equal(logged(),
                        "WARN alpha: more addresses than 1024 are ignored\n");
    take_many(&f, "alpha", NAME_V4, 9, NAMES_MAX_ENDPOINTS + 2);
    take(&f, "alpha", NAME_V6, FAILED);
    judge(&f, "alpha");
    assert_string_equal(logged(), "");
    take_many(&f, "alpha", NAME_V4, 1, 1);
    take_many(&f, "alpha", NAME_V4, 1, NAMES_MAX_ENDPOINTS + 1);
    assert_string_equal(logged(),
                        "WARN alpha: more addresses than 1024 are ignored\n");
    end(&f);
}

static void
test_just_so_many_are_nothing_to_tell(void **state OVS_UNUSED)
{
    struct fixture f;

    begin(&f, "alpha");
    take_many(&f, "alpha", NAME_V4, 1, NAMES_MAX_ENDPOINTS);
    assert_string_equal(logged(), "");
    take_many(&f, "alpha", NAME_V4, 1, NAMES_MAX_ENDPOINTS + 1);
    assert_string_equal(logged(),
                        "WARN alpha: more addresses than 1024 are ignored\n");
    end(&f);
}

/* Against a model that works everything out anew each time. */

enum { N_HOSTS = 4, N_NAMES = 6, N_STEPS = 20000 };

static const char *const model_texts[N_NAMES] = { "a", "b",  "c",
                                                  "d", "_x", "_y" };

/* A name of the model, an address by its last number. */
struct model {
    bool exists, wanted, told;
    unsigned int addresses[NAME_N_VERSIONS][3];
    size_t n_addresses[NAME_N_VERSIONS];
    size_t hosts[4]; /* Indexes of them. */
    unsigned int ports[4];
    size_t n_hosts;
};

/* Appends the endpoints of the host 'm' to 's', which has a space before and
 * after each, unless they are there. */
static void
model_add_host(const struct model *m, unsigned int port, struct ds *s)
{
    bool v6_first = m->n_addresses[NAME_V6] && m->addresses[NAME_V6][0] & 1;

    for (int i = 0; i < NAME_N_VERSIONS; i++) {
        int version = v6_first ? !i : i;

        for (size_t j = 0; j < m->n_addresses[version]; j++) {
            unsigned int last = m->addresses[version][j];
            char *one;

            if (port) {
                one = xasprintf(version == NAME_V4 ? " 10.1.0.%u:%u "
                                                   : " [2001:db8::%u]:%u ",
                                last, port);
            } else {
                one = xasprintf(version == NAME_V4 ? " 10.1.0.%u "
                                                   : " 2001:db8::%u ",
                                last);
            }
            if (!strstr(ds_cstr(s), one)) {
                ds_put_cstr(s, one + 1);
            }
            free(one);
        }
    }
}

/* Returns where the name 'i' leads to, which the caller frees. */
static char *
model_leads_to(const struct model all[], size_t i)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_char(&s, ' ');
    if (i < N_HOSTS) {
        model_add_host(&all[i], 0, &s);
    }
    for (size_t j = 0; j < all[i].n_hosts; j++) {
        model_add_host(&all[all[i].hosts[j]], all[i].ports[j], &s);
    }
    return ds_steal_cstr(&s);
}

/* Notes that the name 'i' was found or not, and what is logged of it. */
static void
model_tell(struct model all[], size_t i, bool found, struct ds *log)
{
    char *leads = model_leads_to(all, i);

    if (all[i].told == found) {
        ds_put_format(
            log, "%s %s: %s\n", found ? "INFO" : "WARN", model_texts[i],
            found      ? "address found again"
            : leads[1] ? "no address found (no luck); its last known ones "
                         "stay"
                       : "no address found (no luck); asking again");
        all[i].told = !found;
    }
    free(leads);
}

static void
model_sweep(struct model all[])
{
    bool stays[N_NAMES];

    for (size_t i = 0; i < N_NAMES; i++) {
        stays[i] = all[i].exists && all[i].wanted;
    }
    for (size_t i = N_HOSTS; i < N_NAMES; i++) {
        for (size_t j = 0; stays[i] && j < all[i].n_hosts; j++) {
            stays[all[i].hosts[j]] = true;
        }
    }
    for (size_t i = 0; i < N_NAMES; i++) {
        if (!stays[i]) {
            memset(&all[i], 0, sizeof all[i]);
        }
    }
}

/* A test in progress. */
struct trial {
    struct fixture f;
    struct model all[N_NAMES];
    char *leads[N_NAMES]; /* At the last check, NULL for no such name. */
    struct ds log;
    uint32_t random;
};

static unsigned int
pick(struct trial *t, unsigned int n)
{
    return next_random(&t->random) % n;
}

/* Fails the test unless the names are as the model has it. */
static void
check(struct trial *t)
{
    bool news = false;
    size_t n = 0;

    for (size_t i = 0; i < N_NAMES; i++) {
        const struct model *m = &t->all[i];

        if (m->exists) {
            char *leads = model_leads_to(t->all, i);
            char *got = xasprintf(" %s", leads_to(&t->f, model_texts[i]));

            if (got[1]) {
                got = xrealloc(got, strlen(got) + 2);
                strcat(got, " ");
            }
            assert_string_equal(got, leads);
            assert_int_equal(get(&t->f, model_texts[i])->wanted, m->wanted);
            assert_int_equal(get(&t->f, model_texts[i])->told, m->told);
            get(&t->f, model_texts[i])->log.token_bucket.tokens = UINT_MAX;
            news |= t->leads[i] && strcmp(t->leads[i], leads);
            free(got);
            free(t->leads[i]);
            t->leads[i] = leads;
            n++;
        } else {
            free(t->leads[i]);
            t->leads[i] = NULL;
        }
    }
    assert_int_equal(shash_count(&t->f.names.all), n);
    assert_int_equal(moved(&t->f), news);
    assert_string_equal(logged(), ds_cstr(&t->log));
    ds_clear(&t->log);
}

static void
try_wanting(struct trial *t)
{
    struct ds list = DS_EMPTY_INITIALIZER;
    unsigned int bits = pick(t, 1 << N_NAMES);

    for (size_t i = 0; i < N_NAMES; i++) {
        t->all[i].wanted = bits >> i & 1;
        if (t->all[i].wanted) {
            ds_put_format(&list, "%s ", model_texts[i]);
        }
    }
    model_sweep(t->all);
    for (size_t i = 0; i < N_NAMES; i++) {
        t->all[i].wanted = bits >> i & 1;
        t->all[i].exists |= t->all[i].wanted;
    }
    want(&t->f, ds_cstr(&list));
    ds_destroy(&list);
}

/* Has the host 'i' answered one version.  Returns the answer. */
static enum name_answer
try_version(struct trial *t, size_t i, int version)
{
    enum name_answer kind = pick(t, 3);

    if (kind == NAME_FOUND) {
        struct ds list = DS_EMPTY_INITIALIZER;
        struct model *m = &t->all[i];

        m->n_addresses[version] = 1 + pick(t, 3);
        for (size_t j = 0; j < m->n_addresses[version]; j++) {
            m->addresses[version][j] = 1 + pick(t, 4);
            ds_put_format(&list,
                          version == NAME_V4 ? "10.1.0.%u " : "2001:db8::%u ",
                          m->addresses[version][j]);
        }
        take(&t->f, model_texts[i], version, ds_cstr(&list));
        ds_destroy(&list);
    } else {
        take(&t->f, model_texts[i], version,
             kind == NAME_DENIED ? DENIED : FAILED);
    }
    return kind;
}

/* Has the host 'i' answered both versions. */
static void
try_host(struct trial *t, size_t i)
{
    enum name_answer kinds[NAME_N_VERSIONS];
    int first = pick(t, 2);

    kinds[first] = try_version(t, i, first);
    check(t);
    kinds[!first] = try_version(t, i, !first);
    check(t);

    bool found = kinds[0] == NAME_FOUND || kinds[1] == NAME_FOUND;
    for (int version = 0; version < NAME_N_VERSIONS; version++) {
        if (found && kinds[version] == NAME_DENIED) {
            t->all[i].n_addresses[version] = 0;
        }
    }
    model_tell(t->all, i, found, &t->log);
    judge(&t->f, model_texts[i]);
}

/* Has the service 'i' answered. */
static void
try_service(struct trial *t, size_t i)
{
    struct ds list = DS_EMPTY_INITIALIZER;
    struct model *m = &t->all[i];
    size_t n = pick(t, 5);

    model_tell(t->all, i, true, &t->log);
    m->n_hosts = 0;
    for (size_t j = 0; j < n; j++) {
        size_t host = pick(t, N_HOSTS);
        unsigned int port = pick(t, 3);

        ds_put_format(&list, "%s:%u ", model_texts[host], port);
        if (port) {
            m->hosts[m->n_hosts] = host;
            m->ports[m->n_hosts++] = port;
            t->all[host].exists = true;
        }
    }
    take_hosts(&t->f, model_texts[i], ds_cstr(&list));
    ds_destroy(&list);
}

static void
test_names_at_random(void **state OVS_UNUSED)
{
    struct trial t = { .log = DS_EMPTY_INITIALIZER, .random = 20230823 };

    begin_with_routes(&t.f, "", has_route_if_odd);
    for (int step = 0; step < N_STEPS; step++) {
        unsigned int what = pick(&t, 20);
        size_t i = pick(&t, N_NAMES);

        if (what == 0) {
            try_wanting(&t);
        } else if (what == 1) {
            model_sweep(t.all);
            names_sweep(&t.f.names);
        } else if (!t.all[i].exists) {
            continue;
        } else if (what == 2) {
            model_tell(t.all, i, false, &t.log);
            name_take_failure(get(&t.f, model_texts[i]), "no luck");
        } else if (i < N_HOSTS) {
            try_host(&t, i);
        } else {
            try_service(&t, i);
        }
        check(&t);
    }
    end(&t.f);
    for (size_t i = 0; i < N_NAMES; i++) {
        free(t.leads[i]);
    }
    ds_destroy(&t.log);
}

/* Has the log in a file that is gone once it is open. */
static int
set_up_group(void **state OVS_UNUSED)
{
    char directory[] = "/tmp/test-names-XXXXXX";

    assert_non_null(mkdtemp(directory));
    char *file = xasprintf("%s/log", directory);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    assert_int_equal(vlog_set_log_file(file), 0);
    log_stream = fopen(file, "r");
    unlink(file);
    rmdir(directory);
    free(file);
    assert_non_null(log_stream);
    vlog_set_pattern(VLF_FILE, "%p %m");
    vlog_set_levels(vlog_module_from_name("names"), VLF_FILE, VLL_DBG);
    return 0;
}

static int
tear_down_group(void **state OVS_UNUSED)
{
    vlog_close_log_file();
    fclose(log_stream);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_are_none_at_first),
        cmocka_unit_test(test_services_begin_with_an_underscore),
        cmocka_unit_test(test_a_new_name_leads_nowhere),
        cmocka_unit_test(test_those_wanted_are_there),
        cmocka_unit_test(test_what_is_known_of_those_that_stay_is_kept),
        cmocka_unit_test(test_those_not_wanted_are_forgotten),
        cmocka_unit_test(test_the_texts_are_copied),
        cmocka_unit_test(test_sweeping_leaves_those_wanted),
        cmocka_unit_test(test_addresses_keep_their_order),
        cmocka_unit_test(test_the_addresses_of_a_host_have_no_port),
        cmocka_unit_test(test_all_answers_to_a_host_that_is_known),
        cmocka_unit_test(test_all_answers_to_a_host_that_is_unknown),
        cmocka_unit_test(test_all_answers_after_all_answers),
        cmocka_unit_test(test_addresses_count_at_once),
        cmocka_unit_test(test_a_denial_does_not_count_at_once),
        cmocka_unit_test(test_a_version_that_went_can_come_back),
        cmocka_unit_test(test_new_addresses_take_the_place_of_old_ones),
        cmocka_unit_test(test_hosts_are_told_apart),
        cmocka_unit_test(test_no_answer_leaves_all),
        cmocka_unit_test(test_without_a_route_ipv6_comes_last),
        cmocka_unit_test(test_each_host_has_a_route_or_not),
        cmocka_unit_test(test_one_version_alone_needs_no_route),
        cmocka_unit_test(test_the_route_is_that_to_the_first_ipv6_address),
        cmocka_unit_test(test_no_route_is_asked_for_once_ipv6_has_gone),
        cmocka_unit_test(test_a_route_counts_with_the_next_answer),
        cmocka_unit_test(test_addresses_that_no_host_can_have_are_left_out),
        cmocka_unit_test(test_a_host_may_have_no_other_addresses),
        cmocka_unit_test(test_a_service_has_none_of_these_either),
        cmocka_unit_test(test_those_left_out_do_not_count_for_the_limit),
        cmocka_unit_test(test_an_address_counts_once),
        cmocka_unit_test(test_addresses_are_told_apart),
        cmocka_unit_test(test_an_endpoint_of_a_service_counts_once),
        cmocka_unit_test(test_another_answer_that_only_repeats_is_no_news),
        cmocka_unit_test(test_more_than_so_many_are_ignored),
        cmocka_unit_test(test_the_limit_is_that_of_both_versions),
        cmocka_unit_test(test_the_limit_is_that_of_all_hosts_of_a_service),
        cmocka_unit_test(test_duplicates_do_not_count_for_the_limit),
        cmocka_unit_test(test_those_ignored_are_no_news),
        cmocka_unit_test(test_the_same_answer_is_no_news),
        cmocka_unit_test(test_each_change_of_an_address_is_news),
        cmocka_unit_test(test_another_port_is_news),
        cmocka_unit_test(test_other_hosts_with_the_same_addresses_are_no_news),
        cmocka_unit_test(test_names_that_come_and_go_are_no_news),
        cmocka_unit_test(test_numbers_begin_anew_after_the_last),
        cmocka_unit_test(test_the_hosts_of_a_service_are_names),
        cmocka_unit_test(test_a_service_leads_to_its_hosts_in_turn),
        cmocka_unit_test(test_addresses_known_before_count_at_once),
        cmocka_unit_test(test_addresses_found_after_count_at_once),
        cmocka_unit_test(
            test_a_host_reaches_services_as_long_as_there_are_some),
        cmocka_unit_test(test_a_host_can_have_several_ports),
        cmocka_unit_test(test_a_host_of_two_services_and_by_itself),
        cmocka_unit_test(test_a_host_leaves_other_services_alone),
        cmocka_unit_test(test_what_is_no_host_is_left_out),
        cmocka_unit_test(test_a_service_that_is_not_to_be_had_leads_nowhere),
        cmocka_unit_test(test_a_host_that_fails_keeps_its_endpoints),
        cmocka_unit_test(test_a_version_that_goes_takes_its_endpoints_along),
        cmocka_unit_test(test_a_service_that_fails_keeps_its_hosts),
        cmocka_unit_test(test_records_that_go_take_their_endpoints_along),
        cmocka_unit_test(test_records_that_come_back_are_known),
        cmocka_unit_test(test_hosts_stay_until_they_are_swept),
        cmocka_unit_test(test_hosts_go_with_the_last_service),
        cmocka_unit_test(test_no_host_outlives_its_service),
        cmocka_unit_test(test_a_host_that_is_wanted_stays),
        cmocka_unit_test(
            test_a_host_that_is_wanted_no_longer_may_be_a_services),
        cmocka_unit_test(test_a_services_host_may_become_wanted),
        cmocka_unit_test(test_a_failure_is_told_once),
        cmocka_unit_test(test_a_failure_tells_that_addresses_stay),
        cmocka_unit_test(test_what_is_found_again_is_told_once),
        cmocka_unit_test(test_what_is_found_is_not_told),
        cmocka_unit_test(
            test_a_service_and_its_hosts_are_told_each_for_itself),
        cmocka_unit_test(test_a_forgotten_failure_is_told_again),
        cmocka_unit_test(test_the_limit_is_told_once),
        cmocka_unit_test(test_just_so_many_are_nothing_to_tell),
        cmocka_unit_test(test_names_at_random),
    };
    return cmocka_run_group_tests_name("names", tests, set_up_group,
                                       tear_down_group);
}
