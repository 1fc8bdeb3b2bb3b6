// SPDX-License-Identifier: MIT
// stats.h: order statistics with exact intervals. No distribution is assumed, nothing is resampled, nothing is dropped.
#ifndef STATS_H
#define STATS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double median, lo, hi; // lo, hi: NaN when n is too small for the level
    double coverage;       // what [lo, hi] really covers, from Bin(n, 1/2); 0 if NaN
    size_t n;
} stats_interval;

// Median of n values, mean of the middle two if n is even. NaN if n is 0. Does not reorder `values`.
double stats_median(const double *values, size_t n);

// Ranks k (1-based) of the narrowest symmetric order-statistic interval [x(k), x(n+1-k)] for the median whose exact
// coverage under Bin(n, 1/2) is at least `confidence`; 0 if even [min, max] falls short (n < 6 at 0.95).
size_t stats_median_rank(size_t n, double confidence, double *coverage);
stats_interval stats_median_interval(const double *values, size_t n, double confidence);
stats_interval stats_scaled(stats_interval i, double factor); // factor > 0: in another unit

// Seeded generator: xoshiro256++ seeded by splitmix64 (Blackman and Vigna, 2019).
typedef struct {
    uint64_t s[4];
} stats_rng;
void stats_rng_seed(stats_rng *rng, uint64_t seed, uint64_t stream);
uint64_t stats_rng_next(stats_rng *rng);
uint64_t stats_rng_below(stats_rng *rng, uint64_t bound); // unbiased; bound >= 1
double stats_rng_uniform(stats_rng *rng);                 // [0, 1)
double stats_rng_normal(stats_rng *rng);                  // mean 0, deviation 1
void stats_shuffle(stats_rng *rng, size_t *items, size_t n);

// What so many hits in so many trials say of a probability.
// The share of hits, as median, and the exact interval of Clopper and Pearson (1934), which covers with at least
// `confidence`. NaN without a trial.
stats_interval proportion_interval(size_t hits, size_t trials, double confidence);

#endif
