// SPDX-License-Identifier: MIT
// peak.c: see peak.h.
#include "peak.h"

#include <math.h>
#include <omp.h>
#include <time.h>

#include "norm.h"
#include "peak_loop.h"

#define DECLARE(ID, name, features) extern const peak_level peak_loop_##name;
#define POINTER(ID, name, features) &peak_loop_##name,
NORM_LEVEL_LIST(DECLARE)
static const peak_level *const levels[NORM_LEVELS] = {NORM_LEVEL_LIST(POINTER)};

// Bursts of about a millisecond, the first of which wake the units and settle the clock: ten milliseconds in all.
enum { BURSTS = 10, COUNT = 100000 };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// bf16-only levels hold the same loops as the level below, so the strongest one will do.
static const peak_level *best_level(void) {
    const peak_level *best = levels[NORM_LEVEL_SCALAR];
    for (norm_level level = 0; level < NORM_LEVELS; level++)
        if (!norm_level_is_auto(level) && norm_level_missing(level) == NULL)
            best = levels[level];
    return best;
}

// The fastest burst, in seconds for each of so many times through.
static double seconds_of(peak_run *run, size_t count, float factor, float addend, int threads) {
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
            sum += run(count, factor, addend);
#pragma omp barrier
#pragma omp master
            end = seconds();
        }
        // That the sum, which is above zero, is looked at keeps the loop from being left out.
        if (sum > 0 && end - begin < fastest)
            fastest = end - begin;
    }
    return fastest / (double)count;
}

// 0.5 x + 1 tends to 2.
static double flops_of(const peak_loop *loop, int threads) {
    return loop->flops * threads / seconds_of(loop->run, COUNT, 0.5f, 1.0f, threads);
}

double peak_flops(int threads, norm_dtype dtype) {
    const peak_loop *const products = dtype == NORM_BF16 ? peak_bf16_loop() : NULL;
    const double fma = flops_of(&best_level()->fma, threads);
    return products != NULL ? fmax(fma, flops_of(products, threads)) : fma;
}

// What the compiler vectorises may use whatever the best level has.
static const peak_level *level_of(norm_level level) {
    return level < NORM_LEVELS && !norm_level_is_auto(level) ? levels[level] : best_level();
}

bool peak_fuses(norm_level level) { return level_of(level)->fuses; }

static peak_rates measure_rates(const peak_level *own) {
    const double fma = seconds_of(best_level()->fma.run, COUNT, 0.5f, 1.0f, 1) / best_level()->lanes;
    return (peak_rates){.multiply = own->lanes / seconds_of(own->multiply, COUNT, 1.0f, 0.0f, 1) * fma,
                        .any = own->lanes / seconds_of(own->any, COUNT, 1.0f, 0.0f, 1) * fma,
                        .chain_ns = 1e9 * seconds_of(own->chain, COUNT / 10, 1.0f, 0.0f, 1)};
}

// Measured once: a table that is written twice has the same bounds.
peak_rates peak_rates_of(norm_level level) {
    static peak_rates seen[NORM_LEVELS];
    if (level >= NORM_LEVELS || norm_level_missing(level) != NULL)
        return (peak_rates){NAN, NAN, NAN};
    if (!(seen[level].any > 0))
        seen[level] = measure_rates(level_of(level));
    return seen[level];
}
