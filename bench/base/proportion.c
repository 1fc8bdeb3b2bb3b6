// SPDX-License-Identifier: MIT
// proportion.c: see proportion.h.
#include "proportion.h"

#include <math.h>

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
