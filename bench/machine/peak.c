// SPDX-License-Identifier: MIT
// peak.c: see peak.h.
#include "peak.h"

#include <math.h>
#include <omp.h>
#include <time.h>

#include "norm.h"
#include "peak_loop.h"

#define DECLARE(ID, name, features) extern const peak_loop peak_loop_##name;
#define POINTER(ID, name, features) &peak_loop_##name,
NORM_LEVEL_LIST(DECLARE)
static const peak_loop *const loops[NORM_LEVELS] = {NORM_LEVEL_LIST(POINTER)};

// Bursts of about a millisecond, the first of which wake the units and settle the clock: ten milliseconds in all.
enum { BURSTS = 10, COUNT = 100000 };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// bf16-only levels hold the same loop as the level below, so the strongest one will do.
static const peak_loop *best_loop(void) {
    const peak_loop *best = loops[NORM_LEVEL_SCALAR];
    for (norm_level level = 0; level < NORM_LEVELS; level++)
        if (!norm_level_is_auto(level) && norm_level_missing(level) == NULL)
            best = loops[level];
    return best;
}

static double flops_of(const peak_loop *loop, int threads) {
    double fastest = INFINITY;
    for (int burst = 0; burst < BURSTS; burst++) {
        float sum = 0;
        double begin = 0, end = 0;
        // From the last thread's start to the last one's end.
#pragma omp parallel num_threads(threads) reduction(+ : sum)
        {
#pragma omp barrier
#pragma omp master
            begin = seconds();
            sum += loop->run(COUNT, 0.5f, 1.0f);
#pragma omp barrier
#pragma omp master
            end = seconds();
        }
        // 0.5 x + 1 tends to 2; that the sum is looked at keeps the loop from being left out.
        if (sum > 0 && end - begin < fastest)
            fastest = end - begin;
    }
    return loop->flops * (double)COUNT * threads / fastest;
}

double peak_flops(int threads, norm_dtype dtype) {
    const peak_loop *const products = dtype == NORM_BF16 ? peak_bf16_loop() : NULL;
    const double fma = flops_of(best_loop(), threads);
    return products != NULL ? fmax(fma, flops_of(products, threads)) : fma;
}
