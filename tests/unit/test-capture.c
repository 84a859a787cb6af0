/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture-file.h"
#include "capture-record.h"
#include "filter.h"
#include "latch.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "pcapng.h"
#include "tap.h"
#include "util.h"

static char folder[] = "/tmp/snowrelay-test-capture.XXXXXX";
static char file[64];
static struct latch latch;

static int
set_up(void **state OVS_UNUSED)
{
    latch_init(&latch);
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(file, sizeof file, "%s/capture.pcapng", folder);
    return 0;
}

static int
tear_down(void **state OVS_UNUSED)
{
    latch_destroy(&latch);
    return rmdir(folder);
}

static int
remove_file(void **state OVS_UNUSED)
{
    unlink(file);
    return 0;
}

/* A UDP broadcast from a port that is 'number'. */
static uint8_t *
broadcast(uint16_t number, size_t length)
{
    static uint8_t frame[9014];

    memset(frame, 0, sizeof frame);
    memset(frame, 0xff, 6);
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[16] = (length - 14) >> 8;
    frame[17] = length - 14;
    frame[23] = IPPROTO_UDP;
    frame[34] = number >> 8;
    frame[35] = number;
    frame[36] = 5076 >> 8;
    frame[37] = 5076 & 0xff;
    return frame;
}

static struct tap_event
event_at(enum tap_point point, const uint8_t *frame, size_t length)
{
    return (struct tap_event){
        .point = point,
        .bytes = frame,
        .length = length,
        .is_frame = true,
    };
}

static void
take(struct capture *c, enum tap_point point, uint16_t number, size_t length)
{
    struct tap_event event =
        event_at(point, broadcast(number, length), length);

    capture_take(c, &event);
}

static const struct capture_options defaults = {
    .file = file,
    .max_size = 1000000000,
    .seconds = 100,
};

/* Waits until 'c' is past 'state', or for a minute. */
static void
wait_past(const struct capture *c, enum capture_state state)
{
    for (int i = 0; i < 6000 && capture_state(c) <= state; i++) {
        usleep(10000);
    }
    assert_true(capture_state(c) > state);
    assert_true(latch_poll(&latch));
}

static struct capture *
start(const struct capture_options *options)
{
    struct capture *c;

    assert_int_equal(capture_start(options, &latch, &c), 0);
    wait_past(c, CAPTURE_OPENING);
    return c;
}

/* Ends 'c', which has to have ended because of 'end' and 'error'. */
static struct capture_numbers
finish(struct capture *c, enum capture_end end, int error)
{
    struct capture_numbers numbers;
    int found;

    capture_stop(c);
    wait_past(c, CAPTURE_RUNNING);
    assert_int_equal(capture_why_ended(c, &found), end);
    assert_int_equal(found, error);
    capture_numbers(c, &numbers);
    assert_true(capture_destroy(c));
    return numbers;
}

/* What is in a file. */
struct contents {
    uint64_t size;
    uint64_t n_packets;                       /* As libpcap has it. */
    uint64_t n[CAPTURE_N_INTERFACES];         /* As the blocks have it... */
    uint64_t n_missing[CAPTURE_N_INTERFACES]; /* ...between packets... */
    uint64_t seen[CAPTURE_N_INTERFACES];      /* ...and in the end. */
    uint64_t lost[CAPTURE_N_INTERFACES];
    int n_statistics;
};

static uint32_t
u32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof value);
    return value;
}

static uint64_t
u64(const uint8_t *p)
{
    uint64_t value;

    memcpy(&value, p, sizeof value);
    return value;
}

/* Returns the value of option 'code' among those from 'p' to 'end', or 0. */
static uint64_t
option(const uint8_t *p, const uint8_t *end, int code)
{
    while (p + 4 <= end) {
        int found = u32(p) & 0xffff;
        int length = u32(p) >> 16;

        if (found == code) {
            return u64(p + 4);
        }
        p += 4 + ROUND_UP(length, 4);
    }
    return 0;
}

/* Reads the blocks of 'file' on a host whose byte order is that of the
 * options' headers. */
static void
read_blocks(struct contents *contents)
{
    FILE *stream = fopen(file, "rb");
    uint8_t header[8];

    assert_non_null(stream);
    while (fread(header, sizeof header, 1, stream) == 1) {
        uint32_t type = u32(header);
        uint32_t length = u32(header + 4);
        uint8_t *block = xmalloc(length - 8);

        assert_int_equal(fread(block, length - 8, 1, stream), 1);
        assert_int_equal(u32(block + length - 12), length);
        const uint8_t *end = block + length - 12;
        uint32_t interface = u32(block);

        if (type == 6) {
            const uint8_t *options = block + 20 + ROUND_UP(u32(block + 12), 4);

            contents->n[interface]++;
            contents->n_missing[interface] += option(options, end, 4);
        } else if (type == 5) {
            contents->n_statistics++;
            contents->seen[interface] = option(block + 12, end, 4);
            contents->lost[interface] = option(block + 12, end, 5);
        }
        free(block);
    }
    fclose(stream);
}

static struct contents
read_file(void)
{
    struct contents contents = { .size = 0 };
    char error[PCAP_ERRBUF_SIZE] = "";
    struct pcap_pkthdr *header;
    const u_char *bytes;
    struct stat s;
    int result;

    pcap_t *pcap = pcap_open_offline(file, error);
    if (!pcap) {
        fail_msg("%s", error);
    }
    assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
    while ((result = pcap_next_ex(pcap, &header, &bytes)) == 1) {
        contents.n_packets++;
        assert_int_equal(header->caplen, header->len);
    }
    assert_int_equal(result, PCAP_ERROR_BREAK);
    pcap_close(pcap);
    assert_int_equal(stat(file, &s), 0);
    contents.size = s.st_size;
    read_blocks(&contents);
    return contents;
}

/* Tests. */

static void
test_all_points(void **state OVS_UNUSED)
{
    const time_t before = time(NULL);
    struct capture *c = start(&defaults);
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    struct stat s;

    for (int i = 0; i < 1000; i++) {
        take(c, i % TAP_N_POINTS, i, 60 + i);
    }
    struct capture_numbers numbers = finish(c, CAPTURE_END_STOP, 0);
    struct contents contents = read_file();

    assert_int_equal(numbers.frames, 1000);
    assert_int_equal(numbers.left_out, 0);
    assert_int_equal(numbers.bytes, contents.size);
    assert_int_equal(contents.n_packets, 1000);
    assert_int_equal(contents.n_statistics, CAPTURE_N_INTERFACES);
    for (int i = 0; i < TAP_N_POINTS; i++) {
        assert_int_equal(contents.n[i], 200);
        assert_int_equal(contents.seen[i], 200);
        assert_int_equal(contents.lost[i], 0);
    }
    assert_int_equal(contents.n[CAPTURE_REFUSED], 0);
    assert_int_equal(stat(file, &s), 0);
    assert_int_equal(s.st_mode & ~0640 & 0777, 0);

    pcap_t *pcap = pcap_open_offline(file, error);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(pcap_next_ex(pcap, &header, &bytes), 1);
        assert_int_equal(header->len, 60 + i);
        assert_memory_equal(bytes, broadcast(i, 60 + i), 60 + i);
        assert_in_range(header->ts.tv_sec, before, time(NULL));
    }
    pcap_close(pcap);
}

static void
test_datagrams(void **state OVS_UNUSED)
{
    const struct endpoint from = { .port = 4000 };
    struct tap_event event = {
        .point = TAP_DROP,
        .direction = DIRECTION_MESH,
        .reason = DROP_FORMAT,
        .from = &from,
        .bytes = (const uint8_t *) "nonsense",
        .length = 8,
    };
    struct capture *c = start(&defaults);

    capture_take(c, &event);
    event.length = 0;
    event.bytes = NULL;
    event.from = NULL;
    capture_take(c, &event);
    event.point = TAP_RECEIVE; /* Told once, as what was dropped. */
    capture_take(c, &event);
    assert_int_equal(finish(c, CAPTURE_END_STOP, 0).frames, 2);
    assert_int_equal(read_file().n[CAPTURE_REFUSED], 2);
}

static void
test_filter(void **state OVS_UNUSED)
{
    const struct endpoint from = { .port = 4000 };
    struct capture_options options = defaults;
    struct tap_event event = {
        .point = TAP_DROP,
        .reason = DROP_FORMAT,
        .from = &from,
        .bytes = (const uint8_t *) "nonsense",
        .length = 8,
    };

    options.expression = "udp src portrange 100-109 or ip6";
    assert_null(filter_compile(options.expression, &options.filter));
    struct capture *c = start(&options);
    for (int i = 0; i < 1000; i++) {
        take(c, TAP_PUNT, i, 100);
    }
    /* It is about the made-up headers, too. */
    capture_take(c, &event);
    struct endpoint from4 = from;
    assert_true(address_from_text("10.0.0.1", &from4.address));
    event.from = &from4;
    capture_take(c, &event);
    assert_int_equal(finish(c, CAPTURE_END_STOP, 0).frames, 11);

    struct contents contents = read_file();
    assert_int_equal(contents.n[CAPTURE_PUNT], 10);
    assert_int_equal(contents.n[CAPTURE_REFUSED], 1);
}

/* Lets the threads that we have started run only when we do not. */
static void
put_others_behind(void)
{
    DIR *tasks = opendir("/proc/self/task");
    const struct sched_param none = { 0 };
    struct dirent *entry;
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    assert_non_null(tasks);
    while ((entry = readdir(tasks)) != NULL) {
        pid_t tid = atoi(entry->d_name);

        if (tid) {
            assert_int_equal(sched_setaffinity(tid, sizeof one, &one), 0);
        }
        if (tid && tid != getpid()) {
            assert_int_equal(sched_setscheduler(tid, SCHED_IDLE, &none), 0);
        }
    }
    closedir(tasks);
}

/* What does not fit is left out, and told: by the command, between packets and
 * in the end.  For ten seconds at most, until it has come to that. */
static void
test_full_ring(void **state OVS_UNUSED)
{
    enum { LENGTH = 9000, BURST = 2000 };
    struct capture *c = start(&defaults);
    struct capture_numbers numbers = { .frames = 0 };
    uint64_t taken = 0;
    cpu_set_t all;

    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    put_others_behind();
    for (int i = 0; i < 100 && !numbers.left_out; i++) {
        for (int j = 0; j < BURST; j++) {
            take(c, j % 3 ? TAP_PUNT : TAP_DROP, j, LENGTH);
        }
        taken += BURST;
        capture_numbers(c, &numbers);
        usleep(100000);
    }
    assert_int_not_equal(numbers.left_out, 0);
    usleep(200000);
    take(c, TAP_PUNT, 1, LENGTH);
    take(c, TAP_DROP, 1, LENGTH);
    taken += 2;
    numbers = finish(c, CAPTURE_END_STOP, 0);
    sched_setaffinity(0, sizeof all, &all);

    struct contents contents = read_file();
    assert_int_equal(numbers.frames + numbers.left_out, taken);
    assert_int_equal(contents.n_packets, numbers.frames);
    assert_int_equal(contents.lost[CAPTURE_PUNT] + contents.lost[CAPTURE_DROP],
                     numbers.left_out);
    for (int i = 0; i < CAPTURE_N_INTERFACES; i++) {
        assert_int_equal(contents.n_missing[i], contents.lost[i]);
        assert_int_equal(contents.n[i] + contents.lost[i], contents.seen[i]);
    }
}

static void
test_largest_size(void **state OVS_UNUSED)
{
    struct capture_options options = defaults;
    enum { LENGTH = 500 };

    /* However little is left in the end. */
    for (int more = 0; more < LENGTH + 200; more += 60) {
        options.max_size = CAPTURE_FILE_MIN_SIZE + more;
        struct capture *c = start(&options);

        for (int i = 0; i < 1000; i++) {
            take(c, TAP_PUNT, i, LENGTH);
        }
        wait_past(c, CAPTURE_RUNNING);
        take(c, TAP_PUNT, 1, LENGTH); /* Nobody asks for that. */
        latch_set(&latch);
        struct capture_numbers numbers = finish(c, CAPTURE_END_SIZE, 0);
        struct contents contents = read_file();
        assert_int_equal(numbers.bytes, contents.size);
        assert_int_equal(numbers.frames, contents.n_packets);
        assert_true(contents.size <= options.max_size);
        assert_true(contents.size + LENGTH + 200 > options.max_size);
        assert_int_equal(contents.n_statistics, CAPTURE_N_INTERFACES);
        unlink(file);
    }
}

static void
test_time(void **state OVS_UNUSED)
{
    struct capture_options options = defaults;

    options.seconds = 1;
    struct capture *c = start(&options);
    take(c, TAP_PUNT, 1, 100);
    wait_past(c, CAPTURE_RUNNING);
    latch_set(&latch);
    struct capture_numbers numbers = finish(c, CAPTURE_END_TIME, 0);
    assert_true(numbers.ms >= 1000);
    assert_int_equal(numbers.frames, 1);
    assert_int_equal(read_file().n_packets, 1);
}

/* Frames come faster than they can be written, and never stop. */
static void
test_time_in_a_storm(void **state OVS_UNUSED)
{
    struct capture_options options = defaults;

    options.seconds = 1;
    options.max_size = UINT64_C(1000000000000);
    struct capture *c = start(&options);
    for (int i = 0; capture_state(c) == CAPTURE_RUNNING; i++) {
        take(c, TAP_PUNT, i, 60);
    }
    struct capture_numbers numbers = finish(c, CAPTURE_END_TIME, 0);
    assert_int_equal(read_file().n_packets, numbers.frames);
}

/* Runs 'function' in a process of its own, which must end well. */
static void
in_process(void (*function)(void))
{
    int status;

    fflush(NULL);
    pid_t pid = fork();
    if (!pid) {
        function();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

enum { FILE_LIMIT = 20001 };

static void
grow_too_large(void)
{
    const struct rlimit limit = { FILE_LIMIT, FILE_LIMIT };

    if (setrlimit(RLIMIT_FSIZE, &limit)) {
        _exit(2);
    }
    struct capture *c = start(&defaults);
    for (int i = 0; i < 1000; i++) {
        take(c, TAP_PUNT, i, 500);
    }
    wait_past(c, CAPTURE_RUNNING);
    latch_set(&latch);
    struct capture_numbers numbers = finish(c, CAPTURE_END_WRITE, EFBIG);
    if (!numbers.frames || numbers.bytes > FILE_LIMIT) {
        _exit(3);
    }
}

static void
test_limit_of_the_process(void **state OVS_UNUSED)
{
    in_process(grow_too_large);

    struct contents contents = read_file();
    assert_true(contents.size < FILE_LIMIT);
    assert_true(contents.size + 700 > FILE_LIMIT);
    assert_true(contents.n_packets > 20);
    assert_int_equal(contents.n_statistics, 0);
}

static void
no_file_at_all(void)
{
    const struct rlimit limit = { 10, 10 };

    if (setrlimit(RLIMIT_FSIZE, &limit)) {
        _exit(2);
    }
    struct capture *c;
    if (capture_start(&defaults, &latch, &c)) {
        _exit(3);
    }
    wait_past(c, CAPTURE_RUNNING);
    latch_set(&latch);
    finish(c, CAPTURE_END_WRITE, EFBIG);
}

/* A file in which not even the header has room is not left behind. */
static void
test_not_even_a_header(void **state OVS_UNUSED)
{
    in_process(no_file_at_all);
    assert_int_not_equal(access(file, F_OK), 0);
}

/* A real device that is always full. */
static void
test_full_device(void **state OVS_UNUSED)
{
    const uint64_t n_missing[CAPTURE_N_INTERFACES] = { 0 };
    struct tap_event event = event_at(TAP_PUNT, broadcast(1, 100), 100);
    struct capture_record record;
    struct capture_file f;

    capture_record_init(&record, &event, 1);
    capture_file_init(&f, open("/dev/full", O_WRONLY), 1000000, NULL, 1);
    assert_true(capture_file_put(&f, &record, event.bytes, event.length));
    assert_int_equal(capture_file_write(&f), ENOSPC);
    assert_int_equal(f.size, 0);
    assert_int_equal(f.n_frames, 0);
    /* There is nothing to sync, either. */
    assert_int_equal(capture_file_finish(&f, true, 2, n_missing), EINVAL);
}

/* The capture into 'name' does not begin. */
static void
refused(const char *name, int error)
{
    struct capture_options options = defaults;
    struct capture_numbers numbers;
    struct capture *c;
    int found;

    options.file = name;
    assert_int_equal(capture_start(&options, &latch, &c), 0);
    wait_past(c, CAPTURE_RUNNING);
    take(c, TAP_PUNT, 1, 100);
    assert_int_equal(capture_why_ended(c, &found), CAPTURE_END_OPEN);
    assert_int_equal(found, error);
    capture_numbers(c, &numbers);
    assert_int_equal(numbers.frames + numbers.bytes + numbers.ms, 0);
    assert_true(capture_destroy(c));
}

static void
test_file_that_is_there(void **state OVS_UNUSED)
{
    char link[80];
    FILE *stream = fopen(file, "w");

    fputs("dear", stream);
    fclose(stream);
    refused(file, EEXIST);
    assert_int_equal(truncate(file, 4), 0);
    struct stat s;
    assert_int_equal(stat(file, &s), 0);
    assert_int_equal(s.st_size, 4);
    unlink(file);

    /* One that leads to no file yet. */
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink(file, link), 0);
    refused(link, EEXIST);
    unlink(link);
    assert_int_not_equal(stat(file, &s), 0);

    refused(folder, EEXIST);
    snprintf(link, sizeof link, "%s/no/such/file", folder);
    refused(link, ENOENT);
}

/* At exit, nobody has stopped it. */
static void
test_destroy(void **state OVS_UNUSED)
{
    struct capture *c = start(&defaults);

    for (int i = 0; i < 100; i++) {
        take(c, TAP_PUNT, i, 100);
    }
    assert_true(capture_destroy(c));

    struct contents contents = read_file();
    assert_int_equal(contents.n_packets, 100);
    assert_int_equal(contents.n_statistics, CAPTURE_N_INTERFACES);
    assert_true(capture_destroy(NULL));
    latch_poll(&latch);
}

/* What is taken after the stop is not in the file, and does not keep it from
 * ending. */
static void
test_after_the_stop(void **state OVS_UNUSED)
{
    struct capture *c = start(&defaults);

    take(c, TAP_PUNT, 1, 100);
    capture_stop(c);
    while (capture_state(c) == CAPTURE_RUNNING) {
        take(c, TAP_PUNT, 2, 100);
    }
    assert_int_equal(finish(c, CAPTURE_END_STOP, 0).frames, 1);
    assert_int_equal(read_file().n_packets, 1);
}

int
main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_teardown(FUNCTION, remove_file)
    const struct CMUnitTest tests[] = {
        TEST(test_all_points),
        TEST(test_datagrams),
        TEST(test_filter),
        TEST(test_full_ring),
        TEST(test_largest_size),
        TEST(test_time),
        TEST(test_time_in_a_storm),
        TEST(test_limit_of_the_process),
        TEST(test_not_even_a_header),
        TEST(test_full_device),
        TEST(test_file_that_is_there),
        TEST(test_destroy),
        TEST(test_after_the_stop),
    };
#undef TEST

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
