/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "overlap.h"

#include "support.h"

#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

/* Makes a pattern of the UDP port 'port' for the source 'from', the
 * destination 'destination' and the ingress port 'in_port', NULL for any. */
static struct pattern
make(uint16_t port, const char *from, const char *destination,
     const char *in_port)
{
    struct pattern p;

    memset(&p, 0, sizeof p);
    p.port = port;
    p.in_port = in_port;
    assert_true(subnet_from_text(from, &p.from));
    p.ipv6 = address_is_ipv6(&p.from.address);
    if (destination) {
        p.has_destination = true;
        assert_true(address_from_text(destination, &p.destination));
    }
    return p;
}

/* Returns the cell of 'cells' with just the pattern 'p', which must be there
 * once. */
static const struct cell *
cell_of(const struct cells *cells, const struct pattern *p)
{
    const struct cell *found = NULL;

    for (size_t i = 0; i < cells->n; i++) {
        const struct pattern *q = &cells->cells[i].pattern;

        if (pattern_contains(p, q) && pattern_contains(q, p)) {
            assert_null(found);
            found = &cells->cells[i];
        }
    }
    assert_non_null(found);
    return found;
}

static void
assert_cell(const struct cells *cells, const struct pattern p, uint64_t rules,
            bool exempt)
{
    const struct cell *cell = cell_of(cells, &p);

    assert_int_equal(cell->rules, rules);
    assert_int_equal(cell->exempt, exempt);
}

static void
add(struct cells *cells, const struct pattern p, uint64_t rules)
{
    cells_add(cells, &p, rules);
}

static void
test_any_source(void **state OVS_UNUSED)
{
    struct subnet any, expected;

    memset(&any, 0xff, sizeof any);
    pattern_any_source(false, &any);
    assert_true(subnet_from_text("0.0.0.0/0", &expected));
    assert_true(ipv6_addr_equals(&any.address, &expected.address));
    assert_int_equal(any.prefix, 96);
    pattern_any_source(true, &any);
    assert_true(subnet_from_text("::/0", &expected));
    assert_true(ipv6_addr_equals(&any.address, &expected.address));
    assert_int_equal(any.prefix, 0);
}

static void
test_specificity(void **state OVS_UNUSED)
{
    static const struct {
        const char *from, *destination, *in_port;
        unsigned int specificity;
    } patterns[] = {
        { "0.0.0.0/0", NULL, NULL, 0 },
        { "::/0", NULL, NULL, 0 },
        { "10.0.0.0/8", NULL, NULL, 8 },
        { "fd00::/8", NULL, NULL, 8 },
        { "0.0.0.0/0", "10.1.0.1", NULL, 1 },
        { "::/0", NULL, "eth1", 1 },
        { "10.0.0.1", "10.1.0.1", "eth1", 34 },
        { "2001:db8::1", "2001:db8::2", "eth1", PATTERN_MAX_SPECIFICITY },
    };

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        const struct pattern p = make(
            9, patterns[i].from, patterns[i].destination, patterns[i].in_port);
        const struct pattern fragments = make(
            0, patterns[i].from, patterns[i].destination, patterns[i].in_port);

        assert_int_equal(pattern_specificity(&p), patterns[i].specificity);
        assert_int_equal(pattern_specificity(&fragments),
                         patterns[i].specificity);
    }
}

static void
test_contains(void **state OVS_UNUSED)
{
    static const struct {
        const char *from, *destination, *in_port;
        uint16_t port;
    } all[] = {
        { "0.0.0.0/0", NULL, NULL, 9 },          /* 0 */
        { "10.0.0.0/8", NULL, NULL, 9 },         /* 1 */
        { "10.1.0.0/16", NULL, NULL, 9 },        /* 2 */
        { "11.0.0.0/8", NULL, NULL, 9 },         /* 3 */
        { "0.0.0.0/0", "10.1.0.1", NULL, 9 },    /* 4 */
        { "0.0.0.0/0", NULL, "eth1", 9 },        /* 5 */
        { "10.0.0.0/8", "10.1.0.1", NULL, 9 },   /* 6 */
        { "10.0.0.0/8", "10.1.0.2", "eth1", 9 }, /* 7 */
        { "0.0.0.0/0", NULL, NULL, 0 },          /* 8 */
        { "::/0", NULL, NULL, 9 },               /* 9 */
        { "10.0.0.0/8", NULL, "eth2", 9 },       /* 10 */
    };
    /* What each contains, a bit for each. */
    static const unsigned int contained[ARRAY_SIZE(all)] = {
        0x4ff, 0x4c6, 0x004, 0x008, 0x050, 0x0a0,
        0x040, 0x080, 0x100, 0x200, 0x400,
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(all); j++) {
            const struct pattern outer = make(
                all[i].port, all[i].from, all[i].destination, all[i].in_port);
            const struct pattern inner = make(
                all[j].port, all[j].from, all[j].destination, all[j].in_port);

            assert_int_equal(pattern_contains(&outer, &inner),
                             contained[i] >> j & 1);
        }
    }
}

/* The example of the header. */
static void
test_two_rules(void **state OVS_UNUSED)
{
    struct cells cells = CELLS_INITIALIZER;

    add(&cells, make(9, "10.0.0.0/8", NULL, NULL), 1);
    add(&cells, make(9, "0.0.0.0/0", "10.1.0.1", NULL), 2);
    assert_true(cells_close(&cells, 100));
    assert_int_equal(cells.n, 3);
    assert_cell(&cells, make(9, "10.0.0.0/8", NULL, NULL), 1, false);
    assert_cell(&cells, make(9, "0.0.0.0/0", "10.1.0.1", NULL), 2, false);
    assert_cell(&cells, make(9, "10.0.0.0/8", "10.1.0.1", NULL), 3, false);
    cells_destroy(&cells);
    assert_int_equal(cells.n, 0);
}

/* Three that overlap in pairs and all together. */
static void
test_three_rules(void **state OVS_UNUSED)
{
    struct cells cells = CELLS_INITIALIZER;

    add(&cells, make(9, "10.0.0.0/8", NULL, NULL), 1);
    add(&cells, make(9, "0.0.0.0/0", "10.1.0.1", NULL), 2);
    add(&cells, make(9, "0.0.0.0/0", NULL, "eth1"), 4);
    assert_true(cells_close(&cells, 100));
    assert_int_equal(cells.n, 7);
    assert_cell(&cells, make(9, "10.0.0.0/8", "10.1.0.1", NULL), 3, false);
    assert_cell(&cells, make(9, "10.0.0.0/8", NULL, "eth1"), 5, false);
    assert_cell(&cells, make(9, "0.0.0.0/0", "10.1.0.1", "eth1"), 6, false);
    assert_cell(&cells, make(9, "10.0.0.0/8", "10.1.0.1", "eth1"), 7, false);
    cells_destroy(&cells);
}

/* One inside the other needs no third, and the inner one is about both. */
static void
test_nested_rules(void **state OVS_UNUSED)
{
    struct cells cells = CELLS_INITIALIZER;

    add(&cells, make(9, "10.1.0.0/16", NULL, NULL), 1);
    add(&cells, make(9, "10.0.0.0/8", NULL, NULL), 2);
    add(&cells, make(9, "10.1.2.3", NULL, NULL), UINT64_C(1) << 63);
    assert_true(cells_close(&cells, 3));
    assert_int_equal(cells.n, 3);
    assert_cell(&cells, make(9, "10.0.0.0/8", NULL, NULL), 2, false);
    assert_cell(&cells, make(9, "10.1.0.0/16", NULL, NULL), 3, false);
    assert_cell(&cells, make(9, "10.1.2.3", NULL, NULL), UINT64_C(1) << 63 | 3,
                false);
    cells_destroy(&cells);
}

/* Nothing in common. */
static void
test_apart(void **state OVS_UNUSED)
{
    static const struct {
        const char *from, *destination, *in_port;
        uint16_t port;
    } all[] = {
        { "10.0.0.0/8", "10.1.0.1", "eth1", 9 },
        { "11.0.0.0/8", "10.1.0.1", "eth1", 9 },
        { "10.0.0.0/8", "10.1.0.2", "eth1", 9 },
        { "10.0.0.0/8", "10.1.0.1", "eth2", 9 },
        { "10.0.0.0/8", "10.1.0.1", "eth1", 8 },
        { "10.0.0.0/8", "10.1.0.1", "eth1", 0 },
        { "fd00::/8", "fd00::1", "eth1", 9 },
    };
    struct cells cells = CELLS_INITIALIZER;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        add(&cells,
            make(all[i].port, all[i].from, all[i].destination, all[i].in_port),
            UINT64_C(1) << i);
    }
    assert_true(cells_close(&cells, ARRAY_SIZE(all)));
    assert_int_equal(cells.n, ARRAY_SIZE(all));
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_int_equal(cells.cells[i].rules, UINT64_C(1) << i);
        assert_false(cells.cells[i].exempt);
    }
    cells_destroy(&cells);
}

/* The same pattern, however written, is one cell, at once and in the end. */
static void
test_same_pattern(void **state OVS_UNUSED)
{
    char eth1[] = "eth1";
    struct cells cells = CELLS_INITIALIZER;

    add(&cells, make(9, "10.1.2.3/8", NULL, "eth1"), 1);
    add(&cells, make(9, "10.0.0.0/8", NULL, eth1), 2);
    assert_int_equal(cells.n, 1);
    assert_true(cells_close(&cells, 1));
    assert_int_equal(cells.n, 1);
    assert_int_equal(cells.cells[0].rules, 3);
    cells_destroy(&cells);
}

static void
test_exemption(void **state OVS_UNUSED)
{
    struct cells cells = CELLS_INITIALIZER;

    add(&cells, make(9, "0.0.0.0/0", "10.9.0.1", "LOCAL"), 0);
    add(&cells, make(9, "10.0.0.0/8", NULL, NULL), 1);
    add(&cells, make(9, "0.0.0.0/0", "10.9.0.1", NULL), 2);
    assert_true(cells_close(&cells, 100));
    assert_int_equal(cells.n, 5);
    assert_cell(&cells, make(9, "0.0.0.0/0", "10.9.0.1", "LOCAL"), 2, true);
    assert_cell(&cells, make(9, "10.0.0.0/8", "10.9.0.1", "LOCAL"), 3, true);
    assert_cell(&cells, make(9, "10.0.0.0/8", "10.9.0.1", NULL), 3, false);
    assert_cell(&cells, make(9, "0.0.0.0/0", "10.9.0.1", NULL), 2, false);
    assert_cell(&cells, make(9, "10.0.0.0/8", NULL, NULL), 1, false);
    cells_destroy(&cells);
}

/* An exemption with just the pattern of a rule. */
static void
test_exemption_of_all(void **state OVS_UNUSED)
{
    for (int order = 0; order < 2; order++) {
        struct cells cells = CELLS_INITIALIZER;

        add(&cells, make(9, "10.0.0.0/8", NULL, NULL), order ? 0 : 1);
        add(&cells, make(9, "10.0.0.0/8", NULL, NULL), order ? 1 : 0);
        assert_true(cells_close(&cells, 1));
        assert_cell(&cells, make(9, "10.0.0.0/8", NULL, NULL), 1, true);
        cells_destroy(&cells);
    }
}

/* Two that overlap take three cells; those given count as well. */
static void
test_max(void **state OVS_UNUSED)
{
    for (size_t max = 0; max < 5; max++) {
        struct cells overlapping = CELLS_INITIALIZER;
        struct cells apart = CELLS_INITIALIZER;

        add(&overlapping, make(9, "10.0.0.0/8", NULL, NULL), 1);
        add(&overlapping, make(9, "0.0.0.0/0", NULL, "eth1"), 2);
        assert_int_equal(cells_close(&overlapping, max), max >= 3);
        cells_destroy(&overlapping);

        add(&apart, make(9, "10.0.0.0/8", NULL, NULL), 1);
        add(&apart, make(9, "11.0.0.0/8", NULL, NULL), 2);
        assert_int_equal(cells_close(&apart, max), max >= 2);
        cells_destroy(&apart);
    }
}

/* As many as there may be, and such that most pairs have something in common:
 * a daemon that takes seconds for it does nothing else meanwhile. */
static void
test_many(void **state OVS_UNUSED)
{
    struct cells cells = CELLS_INITIALIZER;
    char text[64];

    for (unsigned int i = 0; i < 32; i++) {
        for (unsigned int prefix = 0; prefix < 128; prefix++) {
            snprintf(text, sizeof text, "ffff:ffff:ffff:ffff::/%u", prefix);
            struct pattern p = make(9, text, NULL, NULL);

            snprintf(text, sizeof text, "fd00::%x", i);
            assert_true(address_from_text(text, &p.destination));
            p.has_destination = i > 0;
            cells_add(&cells, &p, UINT64_C(1) << i);
        }
    }
    size_t n = cells.n;
    assert_true(cells_close(&cells, 4096));
    assert_int_equal(cells.n, n);
    cells_destroy(&cells);
}

/* Random patterns and random datagrams, of so few different values that they
 * overlap in all ways. */

struct datagram {
    bool ipv6;
    uint16_t port;
    struct in6_addr source, destination;
    const char *in_port;
};

/* A pattern as it was given. */
struct given {
    struct pattern pattern;
    uint64_t rules; /* 0 for an exemption. */
};

static const char *const in_ports[] = { "eth1", "eth2", "LOCAL" };

/* Returns one of eight addresses, in a subnet of 16. */
static struct in6_addr
random_address(bool ipv6, uint32_t *seed)
{
    uint32_t last = next_random(seed) % 8;
    struct in6_addr a;

    if (ipv6) {
        a = in6addr_any;
        a.s6_addr[0] = 0xfd;
        a.s6_addr[15] = last;
    } else {
        in6_addr_set_mapped_ipv4(&a, htonl(0x0a000000 | last));
    }
    return a;
}

static struct datagram
random_datagram(uint32_t *seed)
{
    struct datagram d;

    d.ipv6 = next_random(seed) % 3 == 0;
    d.port = next_random(seed) % 3;
    d.source = random_address(d.ipv6, seed);
    d.destination = random_address(d.ipv6, seed);
    d.in_port = in_ports[next_random(seed) % ARRAY_SIZE(in_ports)];
    return d;
}

/* Returns a pattern that matches 'd' and more. */
static struct pattern
random_pattern(const struct datagram *d, uint32_t *seed)
{
    static const unsigned int prefixes[] = { 96, 104, 125, 126, 127, 128 };
    struct pattern p;

    memset(&p, 0, sizeof p);
    p.ipv6 = d->ipv6;
    p.port = d->port;
    p.from.prefix = prefixes[next_random(seed) % ARRAY_SIZE(prefixes)];
    if (p.ipv6 && next_random(seed) % 3 == 0) {
        p.from.prefix = next_random(seed) % 9;
    }

    struct in6_addr mask = ipv6_create_mask(p.from.prefix);
    p.from.address = ipv6_addr_bitand(&d->source, &mask);
    if (next_random(seed) % 2) {
        p.has_destination = true;
        p.destination = d->destination;
    }
    if (next_random(seed) % 2) {
        p.in_port = d->in_port;
    }
    return p;
}

/* Returns true if 'p' matches 'd', without the help of what is tested. */
static bool
matches(const struct pattern *p, const struct datagram *d)
{
    if (p->ipv6 != d->ipv6 || p->port != d->port
        || (p->in_port && strcmp(p->in_port, d->in_port))
        || (p->has_destination
            && memcmp(&p->destination, &d->destination,
                      sizeof d->destination))) {
        return false;
    }
    for (unsigned int i = 0; i < p->from.prefix; i++) {
        int bit = 7 - i % 8;

        if ((p->from.address.s6_addr[i / 8] ^ d->source.s6_addr[i / 8]) >> bit
            & 1) {
            return false;
        }
    }
    return true;
}

/* Fails the test unless the best cell for 'd' has just what applies to it. */
static void
assert_applies(const struct cells *cells, const struct given *given, size_t n,
               const struct datagram *d)
{
    const struct cell *best = NULL;
    bool exempt = false, any = false;
    uint64_t rules = 0;

    for (size_t i = 0; i < n; i++) {
        if (matches(&given[i].pattern, d)) {
            rules |= given[i].rules;
            exempt |= !given[i].rules;
            any = true;
        }
    }
    for (size_t i = 0; i < cells->n; i++) {
        const struct pattern *p = &cells->cells[i].pattern;

        if (!matches(p, d)) {
            continue;
        }
        if (!best
            || pattern_specificity(p) > pattern_specificity(&best->pattern)) {
            best = &cells->cells[i];
        }
    }
    assert_int_equal(best != NULL, any);
    if (!best) {
        return;
    }
    assert_true(best->rules == rules);
    assert_int_equal(best->exempt, exempt);
    for (size_t i = 0; i < cells->n; i++) {
        const struct pattern *p = &cells->cells[i].pattern;

        /* A switch could take either. */
        assert_false(&cells->cells[i] != best && matches(p, d)
                     && pattern_specificity(p)
                            == pattern_specificity(&best->pattern));
    }
}

static void
assert_no_duplicates(const struct cells *cells)
{
    for (size_t i = 0; i < cells->n; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct pattern *a = &cells->cells[i].pattern;
            const struct pattern *b = &cells->cells[j].pattern;

            assert_false(pattern_contains(a, b) && pattern_contains(b, a));
        }
    }
}

static void
test_random_rules(void **state OVS_UNUSED)
{
    enum { ROUNDS = 1000, DATAGRAMS = 40, MAX_GIVEN = 10 };
    uint32_t seed = 20;
    size_t most = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct cells cells = CELLS_INITIALIZER;
        struct given given[MAX_GIVEN];
        size_t n = 1 + next_random(&seed) % MAX_GIVEN;

        for (size_t j = 0; j < n; j++) {
            struct datagram d = random_datagram(&seed);

            /* Half of the rounds have one IP version and port. */
            d.ipv6 &= i % 2;
            d.source = random_address(d.ipv6, &seed);
            d.destination = random_address(d.ipv6, &seed);
            d.port = i % 2 ? d.port : 1;
            given[j].pattern = random_pattern(&d, &seed);
            given[j].rules = next_random(&seed) % 6
                                 ? UINT64_C(1) << next_random(&seed) % 64
                                 : 0;
            cells_add(&cells, &given[j].pattern, given[j].rules);
        }
        assert_true(cells_close(&cells, 4096));
        assert_no_duplicates(&cells);
        most = MAX(most, cells.n);

        for (int j = 0; j < DATAGRAMS; j++) {
            struct datagram d = random_datagram(&seed);

            assert_applies(&cells, given, n, &d);
        }

        /* Nothing is left to be added. */
        size_t n_cells = cells.n;
        assert_true(cells_close(&cells, 4096));
        assert_int_equal(cells.n, n_cells);
        cells_destroy(&cells);
    }
    assert_in_range(most, 20, 4096); /* Or it would prove little. */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_source),
        cmocka_unit_test(test_specificity),
        cmocka_unit_test(test_contains),
        cmocka_unit_test(test_two_rules),
        cmocka_unit_test(test_three_rules),
        cmocka_unit_test(test_nested_rules),
        cmocka_unit_test(test_apart),
        cmocka_unit_test(test_same_pattern),
        cmocka_unit_test(test_exemption),
        cmocka_unit_test(test_exemption_of_all),
        cmocka_unit_test(test_max),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_random_rules),
    };
    return cmocka_run_group_tests_name("overlap", tests, NULL, NULL);
}
