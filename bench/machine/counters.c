// SPDX-License-Identifier: MIT
// counters.c: see counters.h.
#include "counters.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/perf_event.h>
#include <sys/syscall.h>
#endif

#define NAME(ID, name, event) #name,
static const char *const names[COUNTERS] = {COUNTER_LIST(NAME)};

const char *counter_name(counter which) { return names[which]; }

#ifdef __linux__
#define EVENT(ID, name, event) event,
static const uint64_t events[COUNTERS] = {COUNTER_LIST(EVENT)};

int counters_perf(counter which, int leader) {
    // Pinned: on the hardware whenever the thread runs, so no count is an estimate; a group for which there is no room
    // reads as nothing.
    struct perf_event_attr event = {.type = PERF_TYPE_HARDWARE,
                                    .size = sizeof event,
                                    .config = events[which],
                                    .read_format = PERF_FORMAT_GROUP,
                                    .pinned = leader < 0,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &event, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}
#else
int counters_perf(counter which, int leader) {
    (void)which, (void)leader;
    errno = ENOSYS;
    return -1;
}
#endif

// Above this, user mode alone is forbidden too: 3 and 4 are distributions' own.
enum { PARANOID_USER = 2 };

static int paranoid(void) {
    int level = PARANOID_USER;
    FILE *const file = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
    if (file == NULL)
        return level;
    if (fscanf(file, "%d", &level) != 1)
        level = PARANOID_USER;
    fclose(file);
    return level;
}

static void explain(int error, char *reason, size_t size) {
    const int level = paranoid();
    if (error == ENOENT || error == EOPNOTSUPP || error == ENODEV)
        snprintf(reason, size, "this CPU, or the hypervisor in front of it, has no such counter");
    else if (error == ENOSYS)
        snprintf(reason, size, "this kernel was built without perf events");
    else if ((error == EACCES || error == EPERM) && level > PARANOID_USER)
        snprintf(reason, size, "kernel.perf_event_paranoid is %d: sudo sysctl kernel.perf_event_paranoid=%d", level,
                 PARANOID_USER);
    else if (error == EACCES || error == EPERM)
        snprintf(reason, size, "forbidden here, as containers do: start the container with --cap-add PERFMON");
    else
        snprintf(reason, size, "perf_event_open: %s", strerror(error));
}

bool counter_works(counter which, counters_opener *open, char *reason, size_t size) {
    const int descriptor = open(which, -1);
    if (descriptor >= 0) {
        (void)close(descriptor);
        return true;
    }
    explain(errno, reason, size);
    return false;
}

static int leader_of(const int descriptor[COUNTERS]) {
    for (counter which = 0; which < COUNTERS; which++)
        if (descriptor[which] >= 0)
            return descriptor[which];
    return -1;
}

static void close_one(int *descriptor) {
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
}

bool counters_open(counters *k, size_t threads, counters_opener *open) {
    bool works[COUNTERS] = {false};
    *k = (counters){threads, malloc(threads * sizeof *k->descriptor)};
    if (k->descriptor == NULL) {
        *k = (counters){0};
        return false;
    }
    memset(k->descriptor, -1, threads * sizeof *k->descriptor);
    // Trying first leaves no thread with another group than the rest: what one lacks none opens.
    for (counter which = 0; which < COUNTERS; which++) {
        size_t opened = 0;
#pragma omp parallel num_threads((int)threads) reduction(+ : opened) if (threads > 1)
        {
            int *const own = k->descriptor[omp_get_thread_num()];
            own[which] = open(which, leader_of(own));
            opened += own[which] >= 0;
        }
        works[which] = opened == threads;
        for (size_t i = 0; !works[which] && i < threads; i++)
            close_one(&k->descriptor[i][which]);
    }
    if (leader_of(k->descriptor[0]) < 0)
        counters_close(k);
    return k->threads > 0;
}

void counters_close(counters *k) {
    for (size_t i = 0; i < k->threads; i++)
        for (counter which = COUNTERS; which-- > 0;) // the leader last
            close_one(&k->descriptor[i][which]);
    free(k->descriptor);
    *k = (counters){0};
}

// What a thread's group has counted, in the order in which it was opened. false: it was not on the hardware.
static bool read_group(const int descriptor[COUNTERS], uint64_t value[COUNTERS]) {
    struct {
        uint64_t count, value[COUNTERS];
    } group;
    size_t members = 0;
    for (counter which = 0; which < COUNTERS; which++)
        members += descriptor[which] >= 0;
    const size_t bytes = (1 + members) * sizeof(uint64_t);
    if (read(leader_of(descriptor), &group, bytes) != (ssize_t)bytes || group.count != members)
        return false;
    for (counter which = 0, next = 0; which < COUNTERS; which++)
        value[which] = descriptor[which] >= 0 ? group.value[next++] : 0;
    return true;
}

counter_values counters_now(const counters *k) {
    uint64_t sum[COUNTERS] = {0};
    size_t threads = 0; // of which the groups could be read
    counter_values now;
    if (k->threads > 0) {
#pragma omp parallel num_threads((int)k->threads) reduction(+ : sum, threads) if (k->threads > 1)
        {
            uint64_t own[COUNTERS];
            if (read_group(k->descriptor[omp_get_thread_num()], own)) {
                threads++;
                for (counter which = 0; which < COUNTERS; which++)
                    sum[which] += own[which];
            }
        }
    }
    for (counter which = 0; which < COUNTERS; which++)
        now.value[which] =
            threads > 0 && threads == k->threads && k->descriptor[0][which] >= 0 ? (double)sum[which] : (double)NAN;
    return now;
}

counter_values counter_change(const counter_values *before, const counter_values *after) {
    counter_values between;
    for (counter which = 0; which < COUNTERS; which++)
        between.value[which] = after->value[which] - before->value[which];
    return between;
}
