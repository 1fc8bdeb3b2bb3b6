// SPDX-License-Identifier: MIT
// summary.c: see summary.h. The table is made in kernels_table.c.
#include "summary.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int in_order(const void *left, const void *right) {
    const observation *const a = left, *const b = right;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    if (a->launch != b->launch)
        return a->launch < b->launch ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

bool summary_make(summary *s, const plan *p, const observations *all) {
    *s = (summary){.plan = p};
    s->sorted = malloc((all->count + 1) * sizeof *s->sorted);
    s->first = calloc(p->schedule.count + 1, sizeof *s->first);
    s->points = malloc(2 * (all->count + 1) * sizeof *s->points);
    s->medians = malloc((all->count + 1) * sizeof *s->medians);
    if (s->sorted == NULL || s->first == NULL || s->points == NULL || s->medians == NULL) {
        summary_free(s);
        return false;
    }
    if (all->count > 0) {
        memcpy(s->sorted, all->items, all->count * sizeof *s->sorted);
        qsort(s->sorted, all->count, sizeof *s->sorted, in_order);
    }
    for (size_t index = 0, i = 0; index <= p->schedule.count; index++) {
        while (i < all->count && s->sorted[i].item < index)
            i++;
        s->first[index] = i;
    }
    return true;
}

void summary_free(summary *s) {
    free(s->sorted);
    free(s->first);
    free(s->points);
    free(s->medians);
    *s = (summary){0};
}

// What there is to know of a sample; from COUNTED on, a counter.
typedef enum { TIME, LOG_TIME, CLOCK, CLOCKED_CYCLES, PEAK, PAGE_FAULTS, COUNTED } quantity;

static double value_of(const observation *o, const cell *c, quantity what) {
    const sample *const s = &o->sample;
    switch (what) {
    case TIME:
        return s->value[SAMPLE_TIME];
    case LOG_TIME:
        return log(s->value[SAMPLE_TIME]);
    case CLOCK:
        return s->value[SAMPLE_CLOCK];
    case CLOCKED_CYCLES:
        return s->value[SAMPLE_TIME] * s->value[SAMPLE_CLOCK] * (double)c->threads;
    case PEAK:
        return s->value[SAMPLE_PEAK];
    case PAGE_FAULTS:
        return s->value[SAMPLE_PAGE_FAULTS];
    default:
        return s->value[(size_t)SAMPLE_CYCLES + (what - COUNTED)];
    }
}

// A cell's samples as a series at `points`.
static series series_of(const summary *s, size_t index, quantity what, series_point *points) {
    const size_t begin = s->first[index], count = s->first[index + 1] - begin;
    for (size_t i = 0; i < count; i++) {
        const observation *const o = &s->sorted[begin + i];
        points[i] = (series_point){o->launch, o->index, value_of(o, &plan_cells(s->plan)[index], what)};
    }
    return (series){points, count};
}

static const stats_interval none = {NAN, NAN, NAN, 0, 0};

// The median over launches of what every sample of the cell must have, or none: rows are compared, and one that leaves
// out samples is of other moments than the rest.
static stats_interval median_of(const summary *s, size_t index, quantity what) {
    const series all = series_of(s, index, what, s->points);
    for (size_t i = 0; i < all.count; i++)
        if (isnan(all.points[i].value))
            return none;
    return series_median(all);
}

stats_interval summary_time(const summary *s, size_t index) { return median_of(s, index, TIME); }

stats_interval summary_counted(const summary *s, size_t index, counter which) {
    return median_of(s, index, (quantity)((int)COUNTED + (int)which));
}

stats_interval summary_clock(const summary *s, size_t index) { return median_of(s, index, CLOCK); }
stats_interval summary_peak(const summary *s, size_t index) { return median_of(s, index, PEAK); }
stats_interval summary_page_faults(const summary *s, size_t index) { return median_of(s, index, PAGE_FAULTS); }

double summary_spread_pct(const summary *s, size_t index) {
    const size_t launches = series_launch_medians(series_of(s, index, TIME, s->points), s->medians);
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < launches; i++) {
        least = fmin(least, s->medians[i]);
        most = fmax(most, s->medians[i]);
    }
    return launches > 0 ? 100 * (most - least) / stats_median(s->medians, launches) : NAN;
}

stats_interval summary_cycles(const summary *s, size_t index, const char **source) {
    const stats_interval counted = summary_counted(s, index, COUNTER_CYCLES);
    *source = "counters";
    if (!isnan(counted.median))
        return counted;
    const stats_interval clocked = median_of(s, index, CLOCKED_CYCLES);
    *source = isnan(clocked.median) ? "" : "clock";
    return clocked;
}

stats_interval summary_ratio(const summary *s, size_t a, size_t b) {
    const series of_a = series_of(s, a, LOG_TIME, s->points);
    const series of_b = series_of(s, b, LOG_TIME, s->points + of_a.count);
    stats_interval result = series_difference(of_a, of_b, SERIES_CONFIDENCE);
    result.median = exp(result.median);
    result.lo = exp(result.lo);
    result.hi = exp(result.hi);
    return result;
}

size_t summary_partner(const plan *p, size_t index, norm_op op) {
    const norm_impl *const own = plan_cells(p)[index].impl;
    size_t begin, end, theirs = SIZE_MAX;
    schedule_group(&p->schedule, p->schedule.items[index].group, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const norm_impl *const impl = plan_cells(p)[i].impl;
        const bool dispatched = plan_cells(p)[i].dispatch_ns > 0;
        if (impl->op != op || impl->form != own->form || dispatched != (plan_cells(p)[index].dispatch_ns > 0))
            continue;
        if (impl->level == cell_level(own) && norm_is_default(impl))
            return i;
        if (impl->level == NORM_LEVEL_LIBRARY && own->level == impl->level)
            theirs = i;
    }
    return theirs;
}

size_t summary_rmsnorm(const plan *p, size_t index) { return summary_partner(p, index, NORM_RMSNORM); }

size_t summary_identity(const summary *s, size_t index) {
    const norm_form form = plan_ceiling_form(plan_cells(s->plan)[index].impl->form);
    size_t begin, end, fastest = SIZE_MAX;
    double best = INFINITY;
    schedule_group(&s->plan->schedule, s->plan->schedule.items[index].group, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const norm_impl *const impl = plan_cells(s->plan)[i].impl;
        const double ns = impl->op == NORM_IDENTITY && impl->form == form ? summary_time(s, i).median : NAN;
        if (ns < best) {
            best = ns;
            fastest = i;
        }
    }
    return fastest;
}
