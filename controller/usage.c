/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "usage.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "openvswitch/util.h"
#include "timeval.h"
#include "util.h"

/* Reads the first line of 'path' into 'line', of 'size' bytes, which is empty
 * if there is none. */
static void
read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "r");

    if (!file || !fgets(line, size, file)) {
        line[0] = '\0';
    }
    if (file) {
        fclose(file);
    }
}

static void
look_at_memory(struct usage *usage)
{
    uint64_t page = sysconf(_SC_PAGESIZE);
    uint64_t pages, resident;
    char line[256];

    read_line("/proc/self/statm", line, sizeof line);
    if (sscanf(line, "%" SCNu64 " %" SCNu64, &pages, &resident) == 2) {
        usage->virtual = pages * page;
        usage->resident = resident * page;
    }
}

/* When it started is kept in ticks since the host did. */
static void
look_at_start(struct usage *usage)
{
    static double start_time; /* Whatever the clocks do from then on. */
    struct timespec since_boot;
    unsigned long long int ticks;
    char line[1024];

    if (start_time > 0) {
        usage->start_time = start_time;
        return;
    }
    read_line("/proc/self/stat", line, sizeof line);

    /* The name, in parentheses, may hold anything; the start time is the 20th
     * word after it. */
    const char *p = strrchr(line, ')');
    for (int i = 0; i < 20 && p; i++) {
        p = strchr(p + 1, ' ');
    }
    if (p && sscanf(p, " %llu", &ticks) == 1
        && !clock_gettime(CLOCK_BOOTTIME, &since_boot)) {
        double age = since_boot.tv_sec + since_boot.tv_nsec / 1e9
                     - (double) ticks / sysconf(_SC_CLK_TCK);

        start_time = time_wall_msec() / 1000.0 - age;
        usage->start_time = start_time;
    }
}

static void
look_at_fds(struct usage *usage)
{
    struct rlimit limit;
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        usage->open_fds += entry->d_name[0] != '.';
    }
    if (dir) {
        closedir(dir);
        usage->open_fds--; /* Its own. */
    }
    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        usage->max_fds = limit.rlim_cur;
    }
}

void
usage_look(struct usage *usage)
{
    struct rusage times;

    memset(usage, 0, sizeof *usage);
    if (!getrusage(RUSAGE_SELF, &times)) {
        usage->cpu =
            (times.ru_utime.tv_sec + times.ru_stime.tv_sec
             + times.ru_utime.tv_usec / 1e6 + times.ru_stime.tv_usec / 1e6);
    }
    look_at_memory(usage);
    look_at_start(usage);
    look_at_fds(usage);
}
