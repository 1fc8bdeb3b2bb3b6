// SPDX-License-Identifier: MIT
// core_clock.c: see core_clock.h.
#include "core_clock.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)

// The time of a short chain is taken from that of a long one, and with it what reading the clock and entering the loop
// cost: 25 ns, more than 1 % of a chain of 6000 cycles.
enum { LATENCY = 3, UNROLLED = 10, SHORT_CHAIN = 20, LONG_CHAIN = 200, TRIALS = 3 };

static double chain_ns(size_t length, double (*now_ns)(void)) {
    uint32_t x = 3;
    const double start = now_ns();
    for (size_t i = 0; i < length; i++) {
#pragma GCC unroll 10
        for (int k = 0; k < UNROLLED; k++)
            __asm__ volatile("imull %0, %0" : "+r"(x) : : "cc");
    }
    return now_ns() - start;
}

double core_clock_ghz(double (*now_ns)(void)) {
    double shortest = INFINITY, longest = INFINITY; // the fastest of each
    for (int i = 0; i < TRIALS; i++) {
        shortest = fmin(shortest, chain_ns(SHORT_CHAIN, now_ns));
        longest = fmin(longest, chain_ns(LONG_CHAIN, now_ns));
    }
    return longest > shortest ? (double)(LATENCY * UNROLLED * (LONG_CHAIN - SHORT_CHAIN)) / (longest - shortest)
                              : (double)NAN;
}

#else

double core_clock_ghz(double (*now_ns)(void)) {
    (void)now_ns;
    return (double)NAN;
}

#endif
