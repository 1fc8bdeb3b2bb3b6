// SPDX-License-Identifier: MIT
// sample_index.c: see sample_index.h.
#include "sample_index.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"

static int in_order(const void *left, const void *right) {
    const observation *const a = *(const observation *const *)left, *const b = *(const observation *const *)right;
    return ORDER_BY(order_size(a->item, b->item), order_size(a->launch, b->launch), order_size(a->index, b->index));
}

bool sample_index_make(sample_index *x, const void *plan, size_t items, const observations *all, sample_reading *read) {
    *x = (sample_index){.plan = plan, .read = read};
    x->sorted = malloc((all->count + 1) * sizeof(*x->sorted));
    x->first = calloc(items + 1, sizeof *x->first);
    x->points = malloc(2 * (all->count + 1) * sizeof *x->points);
    x->medians = malloc((all->count + 1) * sizeof *x->medians);
    if (x->sorted == NULL || x->first == NULL || x->points == NULL || x->medians == NULL) {
        sample_index_free(x);
        return false;
    }
    for (size_t i = 0; i < all->count; i++)
        x->sorted[i] = &all->items[i];
    qsort(x->sorted, all->count, sizeof(*x->sorted), in_order);
    for (size_t item = 0, i = 0; item <= items; item++) {
        while (i < all->count && x->sorted[i]->item < item)
            i++;
        x->first[item] = i;
    }
    return true;
}

void sample_index_free(sample_index *x) {
    free(x->sorted);
    free(x->first);
    free(x->points);
    free(x->medians);
    *x = (sample_index){0};
}

size_t sample_index_count(const sample_index *x, size_t item) { return x->first[item + 1] - x->first[item]; }

double sample_index_fastest(const sample_index *x, size_t item) {
    double fastest = NAN;
    for (size_t i = x->first[item]; i < x->first[item + 1]; i++)
        fastest = fmin(fastest, x->sorted[i]->sample.value[SAMPLE_TIME]);
    return fastest;
}

double sample_index_preempted_pct(const sample_index *x, size_t item) {
    double preempted = 0;
    for (size_t i = x->first[item]; i < x->first[item + 1]; i++)
        preempted += x->sorted[i]->sample.value[SAMPLE_PREEMPTED];
    return 100 * preempted / (double)sample_index_count(x, item);
}

static series series_at(const sample_index *x, size_t item, int reading, series_point *points) {
    const size_t count = sample_index_count(x, item);
    for (size_t i = 0; i < count; i++) {
        const observation *const o = x->sorted[x->first[item] + i];
        points[i] = (series_point){o->launch, o->index, x->read(x->plan, o, reading)};
    }
    return (series){points, count};
}

series sample_index_series(const sample_index *x, size_t item, int reading) {
    return series_at(x, item, reading, x->points);
}

stats_interval sample_index_median(const sample_index *x, size_t item, int reading) {
    return series_median(sample_index_series(x, item, reading));
}

stats_interval sample_index_difference(const sample_index *x, size_t a, size_t b, int reading, double confidence) {
    const series of_a = series_at(x, a, reading, x->points);
    const series of_b = series_at(x, b, reading, x->points + of_a.count);
    return series_difference(of_a, of_b, confidence);
}

size_t sample_index_launch_differences(const sample_index *x, size_t a, size_t b, int reading, double *values,
                                       size_t *launches) {
    const series of_a = series_at(x, a, reading, x->points);
    const series of_b = series_at(x, b, reading, x->points + of_a.count);
    return series_launch_differences(of_a, of_b, values, launches);
}

stats_interval sample_index_ratio(const sample_index *x, size_t a, size_t b, int log_reading) {
    stats_interval ratio = sample_index_difference(x, a, b, log_reading, SERIES_CONFIDENCE);
    ratio.median = exp(ratio.median);
    ratio.lo = exp(ratio.lo);
    ratio.hi = exp(ratio.hi);
    return ratio;
}
