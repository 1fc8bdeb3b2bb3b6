// SPDX-License-Identifier: MIT
// Order statistics, their exact intervals, and the seeded generator.
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"

// A sorted copy for the caller to free. NULL, and so a NaN as the caller's result, if there is nothing to sort, a value
// is NaN (it has no rank) or memory ran out.
static double *sorted(const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (isnan(values[i]))
            return NULL;
    double *copy = n ? malloc(n * sizeof *copy) : NULL;
    if (copy) {
        memcpy(copy, values, n * sizeof *copy);
        qsort(copy, n, sizeof *copy, order_reals);
    }
    return copy;
}

static double middle(const double *ordered, size_t n) { return 0.5 * (ordered[(n - 1) / 2] + ordered[n / 2]); }

double stats_median(const double *values, size_t n) {
    double *ordered = sorted(values, n);
    const double median = ordered ? middle(ordered, n) : NAN;
    free(ordered);
    return median;
}

// The interval [x(k), x(n+1-k)] covers the median with probability P(k <= B <= n-k), B the number of values below it.
// Summing that from the centre outwards, where the terms are largest, needs no factorial and cannot underflow, however
// large n is.
size_t stats_median_rank(size_t n, double confidence, double *coverage) {
    if (coverage)
        *coverage = 0;
    if (n < 2)
        return 0;
    const size_t half = n / 2, pairs = (n + 1) / 2;
    double term = 1; // P(B = half) = prod (2i - 1) / 2i, also for odd n, where half and half + 1 are equally likely
    for (size_t i = 1; i <= pairs; i++)
        term *= (double)(2 * i - 1) / (double)(2 * i);
    size_t k = half;
    double covered = n % 2 ? 2 * term : term;
    while (covered < confidence && k > 1) {
        term *= (double)k / (double)(n - k + 1);
        covered += 2 * term;
        k--;
    }
    if (covered < confidence)
        return 0;
    if (coverage)
        *coverage = covered;
    return k;
}

stats_interval stats_median_interval(const double *values, size_t n, double confidence) {
    stats_interval interval = {.median = NAN, .lo = NAN, .hi = NAN, .n = n};
    double *ordered = sorted(values, n);
    if (!ordered)
        return interval;
    interval.median = middle(ordered, n);
    const size_t k = stats_median_rank(n, confidence, &interval.coverage);
    if (k) {
        interval.lo = ordered[k - 1];
        interval.hi = ordered[n - k];
    }
    free(ordered);
    return interval;
}

stats_interval stats_scaled(stats_interval i, double factor) {
    return (stats_interval){factor * i.median, factor * i.lo, factor * i.hi, i.coverage, i.n};
}

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// The seed is mixed before the stream enters, so that neighbouring seeds and neighbouring streams give unrelated
// sequences.
void stats_rng_seed(stats_rng *rng, uint64_t seed, uint64_t stream) {
    uint64_t state = splitmix64(&seed) ^ stream;
    for (size_t i = 0; i < 4; i++)
        rng->s[i] = splitmix64(&state);
}

static uint64_t rotate_left(uint64_t x, unsigned bits) { return (x << bits) | (x >> (64 - bits)); }

uint64_t stats_rng_next(stats_rng *rng) {
    uint64_t *s = rng->s;
    const uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
    const uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t stats_rng_below(stats_rng *rng, uint64_t bound) {
    // 2^64 mod bound: below it lie the draws that would make small results likelier.
    const uint64_t excess = (0 - bound) % bound;
    uint64_t draw;
    do
        draw = stats_rng_next(rng);
    while (draw < excess);
    return draw % bound;
}

double stats_rng_uniform(stats_rng *rng) { return (double)(stats_rng_next(rng) >> 11) * 0x1p-53; }

double stats_rng_normal(stats_rng *rng) {
    const double pi = 3.14159265358979323846;
    const double radius = sqrt(-2 * log(1 - stats_rng_uniform(rng))); // 1 - u is in (0, 1]
    return radius * cos(2 * pi * stats_rng_uniform(rng));
}

void stats_shuffle(stats_rng *rng, size_t *items, size_t n) {
    for (size_t i = n; i > 1; i--) {
        const size_t j = (size_t)stats_rng_below(rng, i);
        const size_t item = items[i - 1];
        items[i - 1] = items[j];
        items[j] = item;
    }
}

// ---- A share

// The probability of at least `hits` of the trials. Terms rise up to the mean and fall beyond it.
static double at_least(size_t hits, size_t trials, double p) {
    const double n = (double)trials;
    double sum = 0;
    for (size_t i = hits; i <= trials; i++) {
        const double k = (double)i;
        const double term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p));
        sum += term;
        if (k > n * p && term < 1e-17 * sum)
            break;
    }
    return sum;
}

// The p at which at least so many hits are as likely as `probability`, which grows with p.
static double where(size_t hits, size_t trials, double probability) {
    double lo = 0, hi = 1;
    for (int step = 0; step < 60; step++) {
        const double middle = 0.5 * (lo + hi);
        if (at_least(hits, trials, middle) < probability)
            lo = middle;
        else
            hi = middle;
    }
    return 0.5 * (lo + hi);
}

stats_interval proportion_interval(size_t hits, size_t trials, double confidence) {
    stats_interval i = {NAN, NAN, NAN, 0, trials};
    const double tail = 0.5 * (1 - confidence);
    if (trials == 0)
        return i;
    i.median = (double)hits / (double)trials;
    i.lo = hits == 0 ? 0 : where(hits, trials, tail);
    i.hi = hits == trials ? 1 : where(hits + 1, trials, 1 - tail);
    i.coverage = confidence;
    return i;
}
