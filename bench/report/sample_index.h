// SPDX-License-Identifier: MIT
// sample_index.h: a run's samples in order, and what can be said of what is read off them. Every interval is an exact
// order-statistic interval over launches (series.h).
#ifndef SAMPLE_INDEX_H
#define SAMPLE_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/series.h"
#include "measure/sample.h"

// What can be read off a sample of a plan: `reading` is one of the plan's own list of them.
typedef double sample_reading(const void *plan, const observation *o, int reading);

// Borrows the plan and the observations.
typedef struct {
    const void *plan;
    sample_reading *read;
    const observation **sorted; // by item, launch, sample
    size_t *first;              // of each item; first[count] is the end
    series_point *points;       // scratch: two items' series
    double *medians;            // scratch: an item's launches
} sample_index;
// items: of the plan. false: no memory.
bool sample_index_make(sample_index *x, const void *plan, size_t items, const observations *all, sample_reading *read);
void sample_index_free(sample_index *x);

size_t sample_index_count(const sample_index *x, size_t item);
// The smallest time of an item's samples, and the share of them that were preempted in percent; NaN of none.
double sample_index_fastest(const sample_index *x, size_t item);
double sample_index_preempted_pct(const sample_index *x, size_t item);
// In the scratch, until it is read again.
series sample_index_series(const sample_index *x, size_t item, int reading);
// Over launches; of what any sample lacks, none.
stats_interval sample_index_median(const sample_index *x, size_t item, int reading);
// Of item a less that of item b of the same group, paired by rounds. Of logarithms: a over b.
stats_interval sample_index_difference(const sample_index *x, size_t a, size_t b, int reading, double confidence);
// What each launch says of that, and which it is: series_launch_differences.
size_t sample_index_launch_differences(const sample_index *x, size_t a, size_t b, int reading, double *values,
                                       size_t *launches);
stats_interval sample_index_ratio(const sample_index *x, size_t a, size_t b, int log_reading);

#endif
