// SPDX-License-Identifier: MIT
// step_clock.c: see step_clock.h.
#include "step_clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static double kernel_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); // cannot fail on this clock
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>

static double tick_ns; // 0: not known, or not to be known
static uint64_t first_tick;

// "Invariant TSC": one rate, whatever the clock of the core (AMD64 manual 3, CPUID Fn8000_0007 EDX; Intel's the same).
static bool ticks_evenly(void) {
    unsigned a, b, c, d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d >> 8 & 1) != 0;
}

// Both clocks at one moment: again if something came in between, which a reading of 25 ns shows.
static uint64_t at_once(double *ns) {
    enum { TICKS = 1000, TRIES = 100 };
    uint64_t before, after;
    int tries = 0;
    do {
        before = __rdtsc();
        *ns = kernel_ns();
        after = __rdtsc();
    } while (after - before > TICKS && ++tries < TRIES);
    return before + (after - before) / 2;
}

void step_clock_begin(void) {
    double begin, end;
    if (tick_ns > 0 || !ticks_evenly())
        return;
    first_tick = at_once(&begin);
    uint64_t last;
    do
        last = at_once(&end);
    while (end - begin < 5e6);
    tick_ns = (end - begin) / (double)(last - first_tick);
}

double step_clock_ns(void) { return tick_ns > 0 ? tick_ns * (double)(__rdtsc() - first_tick) : kernel_ns(); }

#else

void step_clock_begin(void) {}
double step_clock_ns(void) { return kernel_ns(); }

#endif
