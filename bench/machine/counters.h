// SPDX-License-Identifier: MIT
// counters.h: hardware counters of a team's threads (perf_event_open, user mode alone), where the kernel allows them.
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stddef.h>

#define COUNTER_LIST(X)                                                                                                \
    X(CYCLES, cycles, PERF_COUNT_HW_CPU_CYCLES)                                                                        \
    X(INSTRUCTIONS, instructions, PERF_COUNT_HW_INSTRUCTIONS)                                                          \
    X(CACHE_MISSES, cache_misses, PERF_COUNT_HW_CACHE_MISSES)
#define COUNTER_ROW(ID, ...) COUNTER_##ID,
typedef enum { COUNTER_LIST(COUNTER_ROW) COUNTERS } counter;
#undef COUNTER_ROW
const char *counter_name(counter which);

// What was counted; NaN where nothing was.
typedef struct {
    double value[COUNTERS];
} counter_values;

// Opens a counter of the calling thread, in the group of descriptor `leader` (-1: a group of its own). -1 with errno.
typedef int counters_opener(counter which, int leader);
int counters_perf(counter which, int leader); // the kernel's

enum { COUNTERS_REASON_SIZE = 128 };

// Whether this thread can open the counter; if not, why, with the command that mends it where there is one.
bool counter_works(counter which, counters_opener *open, char *reason, size_t size);

// The counters of the threads of one OpenMP team. Zero-initialised: counts nothing, at no cost.
typedef struct {
    size_t threads;              // 0: nothing is counted
    int (*descriptor)[COUNTERS]; // of each thread; the first that is not -1 leads its group
} counters;

// Opens what every thread of the team can open; what one of them cannot is not counted. false if that is nothing: then
// k counts nothing. To be closed before the team changes.
bool counters_open(counters *k, size_t threads, counters_opener *open);
void counters_close(counters *k);

// The sums over the team, each thread reading its own (a read of another's would interrupt it): a system call, about a
// microsecond, and on several threads a parallel region. Threads that wait for each other count on, as they spin.
counter_values counters_now(const counters *k);
counter_values counter_change(const counter_values *before, const counter_values *after);

#endif
