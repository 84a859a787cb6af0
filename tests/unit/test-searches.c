/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "searches.h"

#include "support.h"

#include <arpa/inet.h>
#include <malloc.h>

#include "openvswitch/util.h"
#include "random.h"
#include "util.h"

enum { NOW = 5000000, SECOND = 1000, MINUTE = 60 * SECOND };

/* A client: 10.1.0.LAST. */
static struct asker
client(uint8_t last, uint16_t port)
{
    return (struct asker){ .address = htonl(0x0a010000 | last),
                           .port = port,
                           .local = true,
                           .destination = htonl(0x0a0100ff) };
}

static void
search_by(struct searches *s, const char *name, struct asker asker,
          long long int now)
{
    const struct ask ask = { (const uint8_t *) name, strlen(name) };

    searches_take(s, SEARCH_PVA, &ask, &asker, now);
}

/* By the client that all is about. */
static void
search(struct searches *s, const char *name, long long int now)
{
    search_by(s, name, client(10, 34023), now);
}

/* Returns what is known of 'name', NULL if that is nothing. */
static const struct search *
known(const struct searches *s, const char *name)
{
    static const struct search *top[SEARCHES_MAX];
    size_t n = searches_top(s, NOW, top, SEARCHES_MAX);

    assert_int_equal(n, searches_totals(s)->n_names);
    for (size_t i = 0; i < n; i++) {
        if (top[i]->length == strlen(name)
            && !memcmp(top[i]->name, name, strlen(name))) {
            return top[i];
        }
    }
    return NULL;
}

static bool
is_unanswered(const struct searches *s, const char *name, long long int now)
{
    return search_is_unanswered(known(s, name), now);
}

static void
assert_counts(const struct searches *s, const char *name, uint64_t count,
              uint64_t repeated)
{
    const struct search *search_ = known(s, name);

    assert_non_null(search_);
    assert_int_equal(search_->count, count);
    assert_int_equal(search_->repeated, repeated);
}

/* What is counted. */

static void
test_names_and_protocols(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    const struct asker asker = client(10, 34023);
    const struct search *top[8];

    search(s, "A", NOW);
    search(s, "AB", NOW);
    search(s, "B", NOW);
    searches_take(s, SEARCH_CA, &(struct ask){ (const uint8_t *) "A", 1 },
                  &asker, NOW);
    assert_int_equal(searches_top(s, NOW, top, 8), 4);
    assert_int_equal(searches_totals(s)->n[SEARCH_PVA], 3);
    assert_int_equal(searches_totals(s)->n[SEARCH_CA], 1);
    assert_int_equal(top[0]->protocol, SEARCH_PVA);
    assert_int_equal(top[1]->protocol, SEARCH_CA);
    assert_memory_equal(top[2]->name, "AB", 2);
    assert_memory_equal(top[3]->name, "B", 1);

    searches_clear(s, SEARCH_PVA);
    assert_int_equal(searches_top(s, NOW, top, 8), 1);
    assert_int_equal(top[0]->protocol, SEARCH_CA);
    assert_int_equal(searches_totals(s)->forgotten, 0);
    searches_destroy(s);
}

static void
test_who_repeats(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();

    search(s, "A", NOW);
    assert_counts(s, "A", 1, 0);
    search(s, "A", NOW + 32);
    assert_counts(s, "A", 2, 1);

    /* Others on the same host, and elsewhere, do not repeat it. */
    search_by(s, "A", client(10, 34024), NOW + 40);
    search_by(s, "A", client(11, 34023), NOW + 40);
    assert_counts(s, "A", 4, 1);
    search_by(s, "A", client(11, 34023), NOW + 80);
    assert_counts(s, "A", 5, 2);

    /* Who was silent long begins anew. */
    search(s, "A", NOW + 60 * MINUTE);
    assert_counts(s, "A", 6, 2);
    search(s, "A", NOW + 60 * MINUTE + 32);
    assert_counts(s, "A", 7, 3);
    assert_int_equal(searches_totals(s)->repeated[SEARCH_PVA], 3);
    searches_destroy(s);
}

static void
test_copies(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    struct asker other = client(10, 34023);

    /* To another broadcast address of the client's, each time. */
    other.destination = htonl(0xffffffff);
    for (int i = 0; i < 3; i++) {
        search(s, "A", NOW + i * 32);
        search_by(s, "A", other, NOW + i * 32 + 1);
        search_by(s, "A", other, NOW + i * 32 + SEARCHES_COPY_MS);
    }
    assert_counts(s, "A", 3, 2);

    /* To the same it is a repeat, however soon it comes. */
    search(s, "A", NOW + 2 * 32);
    assert_counts(s, "A", 4, 3);

    /* Later it is one, whatever it is sent to. */
    search_by(s, "A", other, NOW + 2 * 32 + SEARCHES_COPY_MS + 1);
    assert_counts(s, "A", 5, 4);
    searches_destroy(s);
}

/* What a relay carries to itself, and the other way round. */
static void
test_copies_by_another_way(void **state OVS_UNUSED)
{
    for (int local = 0; local < 2; local++) {
        struct searches *s = searches_create();
        struct asker first = client(10, 34023);
        struct asker other = first;

        first.local = local;
        other.local = !local;
        for (int i = 0; i < 3; i++) {
            search_by(s, "A", first, NOW + i * SECOND);
            search_by(s, "A", other, NOW + i * SECOND + 900);
        }
        assert_counts(s, "A", 3, 2);
        assert_int_equal(known(s, "A")->clients[0].asker.local, local);

        /* The client may have moved. */
        search_by(s, "A", other, NOW + 5 * SECOND);
        assert_counts(s, "A", 4, 3);
        searches_destroy(s);
    }
}

static void
test_times(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();

    search(s, "A", NOW);
    search(s, "A", NOW + 777);
    assert_int_equal(known(s, "A")->first, NOW);
    assert_int_equal(known(s, "A")->last, NOW + 777);
    searches_destroy(s);
}

static double
rate_of(const struct searches *s, const char *name, long long int now)
{
    return search_rate(known(s, name), now);
}

static void
test_rates(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    long long int now = NOW;

    /* Once in ten seconds at most, as long as nothing more is known. */
    search(s, "A", now);
    assert_true(rate_of(s, "A", now) > 0.09 && rate_of(s, "A", now) < 0.11);

    /* Twice a second, told after a few seconds and after many. */
    for (int i = 0; i < 600; i++) {
        search(s, "B", now += 500);
        if (i == 40 || i == 599) {
            double rate = rate_of(s, "B", now);
            assert_true(rate > 1.9 && rate < 2.15);
        }
    }
    double after = rate_of(s, "B", now + MINUTE);
    assert_true(after > 0.7 && after < 0.8); /* 2/e */
    assert_true(rate_of(s, "B", now + 60 * MINUTE) < 1e-6);
    searches_destroy(s);
}

/* What is unanswered. */

/* Has 'name' searched for as pvxs does, for 'seconds': a second later each
 * time, up to 30 s.  Returns when the last search was. */
static long long int
search_as_pvxs(struct searches *s, const char *name, int seconds)
{
    long long int now = NOW;

    search(s, name, now);
    search(s, name, now + 188);
    for (long long int pace = 1; now - NOW < seconds * SECOND;
         pace = MIN(pace + 1, 30)) {
        search(s, name, now += pace * SECOND);
    }
    return now;
}

static void
test_pvxs_without_answer(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    long long int now = search_as_pvxs(s, "A", 10);

    assert_false(is_unanswered(s, "A", now));
    searches_destroy(s);

    for (int seconds = 15; seconds < 7200; seconds += 97) {
        s = searches_create();
        now = search_as_pvxs(s, "A", seconds);
        assert_true(is_unanswered(s, "A", now));
        assert_true(is_unanswered(s, "A", now + 31 * SECOND) || seconds < 31);
        assert_int_equal(searches_unanswered(s, now), 1);
        assert_false(is_unanswered(s, "A", now + 86 * SECOND));
        assert_int_equal(searches_unanswered(s, now + 86 * SECOND), 0);
        searches_destroy(s);
    }
}

/* libca doubles its intervals, up to five minutes. */
static void
test_libca_without_answer(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    long long int now = NOW, pace = 32;

    for (int i = 0; i < 200; i++) {
        search(s, "A", now);
        assert_int_equal(is_unanswered(s, "A", now), now - NOW > 16 * SECOND);
        if (now - NOW > 16 * SECOND) {
            assert_true(is_unanswered(s, "A", now + pace));
        }
        now += pace;
        pace = MIN(2 * pace, 5 * MINUTE);
    }
    assert_true(is_unanswered(s, "A", now));
    assert_false(is_unanswered(s, "A", now + 8 * MINUTE));
    searches_destroy(s);
}

/* Clients that have been searching for long when the relay begins. */
static void
test_long_intervals_from_the_first_on(void **state OVS_UNUSED)
{
    static const long long int paces[] = { 5 * SECOND, 30 * SECOND, MINUTE,
                                           5 * MINUTE };

    for (size_t i = 0; i < ARRAY_SIZE(paces); i++) {
        struct searches *s = searches_create();
        long long int now = NOW;

        for (int j = 0; j <= SEARCHES_MIN_REPEATS + 5; j++) {
            search(s, "A", now += paces[i]);
            assert_int_equal(is_unanswered(s, "A", now),
                             j >= SEARCHES_MIN_REPEATS);
        }
        assert_false(is_unanswered(s, "A", now + 3 * paces[i] + 10 * SECOND));
        searches_destroy(s);
    }
}

/* A server that has just begun has clients search at once, and then wait as
 * long as before. */
static void
test_a_search_sooner_than_usual(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    long long int now = search_as_pvxs(s, "A", 1000);

    for (int i = 0; i < 10; i++) {
        search(s, "A", now + 2 * SECOND);
        now += 30 * SECOND;
        assert_true(is_unanswered(s, "A", now));
        search(s, "A", now);
    }
    searches_destroy(s);
}

/* Clients that are answered, each after its second search at the latest, one
 * each second. */
static void
test_clients_that_are_answered(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();

    for (int i = 0; i < 1000; i++) {
        long long int now = NOW + i * SECOND;

        search_by(s, "A", client(10 + i % 5, 1024 + i), now);
        search_by(s, "A", client(10 + i % 5, 1024 + i), now + 188);
        assert_false(is_unanswered(s, "A", now + 188));
    }
    assert_counts(s, "A", 2000, 1000);
    searches_destroy(s);
}

/* A script that runs caget each five seconds, which gives up after one. */
static void
test_a_script_without_answer(void **state OVS_UNUSED)
{
    static const int at[] = { 0, 32, 96, 224, 480, 992 };
    struct searches *s = searches_create();

    for (int i = 0; i < 10; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(at); j++) {
            search_by(s, "A", client(10, 40000 + i),
                      NOW + i * 5 * SECOND + at[j]);
        }
    }
    assert_counts(s, "A", 60, 50);
    assert_true(is_unanswered(s, "A", NOW + 46 * SECOND));
    searches_destroy(s);
}

/* A server that was away for a minute: then it is over, though other clients
 * search and are answered. */
static void
test_an_answer_at_last(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    long long int now = search_as_pvxs(s, "A", 60);

    assert_true(is_unanswered(s, "A", now));
    for (int i = 0; i < 60; i++) {
        search_by(s, "A", client(20 + i, 34023), now += SECOND);
    }
    assert_false(is_unanswered(s, "A", now));

    /* When it goes away again that is a new row. */
    search(s, "A", now += 60 * MINUTE);
    for (int i = 0; i < SEARCHES_MIN_REPEATS + 5; i++) {
        search(s, "A", now += SECOND);
        assert_false(is_unanswered(s, "A", now));
    }
    search(s, "A", now += SECOND);
    assert_true(is_unanswered(s, "A", now));
    searches_destroy(s);
}

/* Clients. */

static void
test_many_clients(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    uint64_t sum = 0;

    /* The first searches on. */
    for (int i = 0; i < 200; i++) {
        search(s, "A", NOW + i * SECOND);
        search_by(s, "A", client(20 + i, 34023), NOW + i * SECOND + 500);
    }

    const struct search *a = known(s, "A");
    assert_int_equal(a->n_clients, SEARCHES_MAX_CLIENTS);
    assert_int_equal(a->others, 200 - SEARCHES_MAX_CLIENTS + 1);
    for (size_t i = 0; i < a->n_clients; i++) {
        sum += a->clients[i].count;
    }
    assert_int_equal(sum + a->others, a->count);
    assert_int_equal(a->clients[0].asker.address, htonl(0x0a01000a));
    assert_int_equal(a->clients[0].count, 200);
    searches_destroy(s);
}

/* Programs that are run again and again on one host do not push out another
 * host, and are counted for theirs. */
static void
test_many_clients_on_a_host(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    uint64_t here = 0;

    search_by(s, "A", client(20, 34023), NOW);
    for (int i = 0; i < 1000; i++) {
        search_by(s, "A", client(10, 1024 + i), NOW + SECOND + i);
    }

    const struct search *a = known(s, "A");
    assert_int_equal(a->others, 0);
    for (size_t i = 0; i < a->n_clients; i++) {
        here += (a->clients[i].asker.address == htonl(0x0a01000a)
                     ? a->clients[i].count
                     : 0);
    }
    assert_int_equal(here, 1000);
    searches_destroy(s);
}

/* The order. */

static void
test_order(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    const struct search *top[5];

    search_as_pvxs(s, "UNANSWERED", 20);
    for (int i = 0; i < 50; i++) {
        search(s, "OFTEN", NOW + i * 10);
    }
    search(s, "TWICE", NOW);
    search(s, "TWICE", NOW + 50);
    search_by(s, "MANY", client(10, 1), NOW);
    search_by(s, "MANY", client(10, 2), NOW);
    search(s, "ONCE", NOW);
    assert_int_equal(searches_top(s, NOW + 20 * SECOND, top, 5), 5);

    static const char *const order[] = { "UNANSWERED", "OFTEN", "TWICE",
                                         "MANY", "ONCE" };
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        assert_int_equal(top[i]->length, strlen(order[i]));
        assert_memory_equal(top[i]->name, order[i], strlen(order[i]));
    }
    assert_int_equal(searches_top(s, NOW, top, 2), 2);
    searches_destroy(s);
}

/* Memory. */

static const char *
random_name(uint32_t *state)
{
    static char name[64];

    snprintf(name, sizeof name, "RANDOM:%08" PRIx32 ":%08" PRIx32,
             next_random(state), next_random(state));
    return name;
}

/* Twenty names that are searched for each 30 seconds, among a million that are
 * searched for once, in five minutes. */
static void
test_a_flood_of_names(void **state OVS_UNUSED)
{
    enum { N_STEADY = 20, N_RANDOM = 1000000, LASTS = 5 * MINUTE };
    struct searches *s = searches_create();
    uint32_t random = 1;
    int searched = 0;
    char name[32];

    for (int i = 0; i < N_RANDOM; i++) {
        long long int elapsed = (long long int) LASTS * i / N_RANDOM;

        if (elapsed >= searched * 30LL * SECOND) {
            searched++;
            for (int j = 0; j < N_STEADY; j++) {
                snprintf(name, sizeof name, "STEADY:%d", j);
                /* These have been searched for before the flood, too. */
                for (int k = searched == 1 ? -10 : 0; k <= 0; k++) {
                    search(s, name, NOW + elapsed + k * 30LL * SECOND);
                }
            }
        }
        search_by(s, random_name(&random), client(66, random), NOW + elapsed);
    }
    assert_int_equal(searched, 10);

    const struct search *top[N_STEADY];
    assert_int_equal(searches_top(s, NOW + LASTS, top, N_STEADY), N_STEADY);
    for (int i = 0; i < N_STEADY; i++) {
        assert_memory_equal(top[i]->name, "STEADY:", 7);
        assert_int_equal(top[i]->count, 20);
        assert_true(search_is_unanswered(top[i], NOW + LASTS));
    }
    assert_in_range(searches_totals(s)->n_names, SEARCHES_MAX - 16,
                    SEARCHES_MAX);
    assert_int_equal(searches_totals(s)->forgotten,
                     N_RANDOM + N_STEADY - searches_totals(s)->n_names);
    searches_destroy(s);
}

/* Names that are repeated as well, but not for as long. */
static void
test_a_flood_of_repeated_names(void **state OVS_UNUSED)
{
    enum { N_STEADY = 20, N_FLOOD = 20000 };
    struct searches *s = searches_create();
    uint32_t random = 1;
    char name[32];

    for (int j = 0; j < N_STEADY; j++) {
        snprintf(name, sizeof name, "STEADY:%d", j);
        for (int i = -20; i <= 0; i++) {
            search(s, name, NOW + i * 30LL * SECOND);
        }
    }
    for (int i = 0; i < N_FLOOD; i++) {
        const char *flood = random_name(&random);

        for (int j = 0; j < 3; j++) {
            search_by(s, flood, client(66, 1), NOW + i + j * 300);
        }
    }
    for (int j = 0; j < N_STEADY; j++) {
        snprintf(name, sizeof name, "STEADY:%d", j);
        assert_counts(s, name, 21, 20);
    }
    searches_destroy(s);
}

/* Returns how many of the names OLD:0 to OLD:N-1 are known. */
static size_t
count_old(const struct searches *s, int n)
{
    char name[32];
    size_t known_ = 0;

    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "OLD:%d", i);
        known_ += known(s, name) != NULL;
    }
    return known_;
}

/* Of names that are searched for once the latest are remembered. */
static void
test_the_latest_names(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    uint32_t random = 1;
    char name[32];

    for (int i = 0; i < 100000; i++) {
        search(s, random_name(&random), NOW + i);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "OLD:%d", i);
        search(s, name, NOW + 100000 + i);
    }
    assert_int_equal(count_old(s, 500), 500);
    searches_destroy(s);
}

/* What was repeated once stays, even if that is over, while there is what
 * never was. */
static void
test_once_repeated(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    uint32_t random = 1;
    char name[32];

    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "OLD:%d", i);
        search(s, name, NOW);
        search(s, name, NOW + SECOND);
    }
    for (int i = 0; i < 100000; i++) {
        search(s, random_name(&random), NOW + 60LL * MINUTE + i);
    }
    assert_int_equal(count_old(s, 500), 500);
    searches_destroy(s);
}

/* Rows that have ended give way. */
static void
test_what_is_over_is_forgotten(void **state OVS_UNUSED)
{
    struct searches *s = searches_create();
    uint32_t random = 1;
    char name[32];

    for (int i = 0; i < SEARCHES_MAX; i++) {
        snprintf(name, sizeof name, "OLD:%d", i);
        for (int j = 0; j < 100; j++) {
            search(s, name, NOW + j * SECOND);
        }
    }
    size_t before = searches_unanswered(s, NOW + 100 * SECOND);
    assert_in_range(before, SEARCHES_MAX * 3 / 4, SEARCHES_MAX);
    for (int i = 0; i < 10 * SEARCHES_MAX; i++) {
        const char *new = random_name(&random);

        for (int j = 0; j < 3; j++) {
            search(s, new, NOW + 60LL * MINUTE + j * SECOND);
        }
    }
    assert_int_equal(count_old(s, 100), 0);
    searches_destroy(s);
}

/* The figures of the manual. */
static void
test_memory(void **state OVS_UNUSED)
{
    static const struct {
        size_t length; /* Of the names. */
        size_t bytes;
    } cases[] = { { 30, 2500000 }, { SEARCH_MAX_NAME, 4500000 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t before = mallinfo2().uordblks;
        struct searches *s = searches_create();

        for (int j = 0; j < 100000; j++) {
            char name[SEARCH_MAX_NAME + 1];

            snprintf(name, sizeof name, "%0*d", (int) cases[i].length, j);
            search(s, name, NOW);
        }
        size_t used = mallinfo2().uordblks - before;
        print_message("%" PRIuSIZE " bytes for %" PRIuSIZE
                      " names of %" PRIuSIZE " bytes\n",
                      used, searches_totals(s)->n_names, cases[i].length);
        assert_in_range(used, 0, cases[i].bytes);
        searches_destroy(s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_protocols),
        cmocka_unit_test(test_who_repeats),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_copies_by_another_way),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_pvxs_without_answer),
        cmocka_unit_test(test_libca_without_answer),
        cmocka_unit_test(test_long_intervals_from_the_first_on),
        cmocka_unit_test(test_a_search_sooner_than_usual),
        cmocka_unit_test(test_clients_that_are_answered),
        cmocka_unit_test(test_a_script_without_answer),
        cmocka_unit_test(test_an_answer_at_last),
        cmocka_unit_test(test_many_clients),
        cmocka_unit_test(test_many_clients_on_a_host),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_a_flood_of_names),
        cmocka_unit_test(test_a_flood_of_repeated_names),
        cmocka_unit_test(test_the_latest_names),
        cmocka_unit_test(test_once_repeated),
        cmocka_unit_test(test_what_is_over_is_forgotten),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
