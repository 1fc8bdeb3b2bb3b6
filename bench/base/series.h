// SPDX-License-Identifier: MIT
// series.h: one quantity as it was sampled: in rounds of two samples, ABBA, in several launches; and what can be said
// of it. Every interval is an exact order-statistic interval over launches (stats.h).
#ifndef SERIES_H
#define SERIES_H

#include <stddef.h>

#include "stats.h"

#define SERIES_CONFIDENCE 0.95

// index: of the sample within its launch; samples 2k and 2k + 1 are round k.
typedef struct {
    size_t launch, index;
    double value;
} series_point;

// Ordered by launch, then index.
typedef struct {
    const series_point *points;
    size_t count;
} series;

// The median of each launch's points, into medians, which has room for a series' count. How many launches.
size_t series_launch_medians(series s, double *medians);
// The median of the launches' medians.
stats_interval series_median(series s);
// What a has over b: in each round that both have whole, the mean of a's two values less that of b's; the median over a
// launch's rounds; median and interval over launches. n: launches that had such a round. confidence: of the interval.
stats_interval series_difference(series a, series b, double confidence);
// What each launch says of that: the median over its rounds, and which launch it is; of those that had such a round.
// values and launches (NULL: not asked for) have room for a's count. Returns how many; 0 if memory ran out.
size_t series_launch_differences(series a, series b, double *values, size_t *launches);

#endif
