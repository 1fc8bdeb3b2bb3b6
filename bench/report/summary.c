// SPDX-License-Identifier: MIT
// summary.c: see summary.h. The table is made in kernels_table.c.
#include "summary.h"

#include <math.h>
#include <stdint.h>

static double value_of(const void *of, const observation *o, int reading) {
    const sample *const s = &o->sample;
    switch (reading) {
    case KERNELS_TIME:
        return s->value[SAMPLE_TIME];
    case KERNELS_LOG_TIME:
        return log(s->value[SAMPLE_TIME]);
    case KERNELS_CLOCK:
        return s->value[SAMPLE_CLOCK];
    case KERNELS_CLOCKED_CYCLES:
        return s->value[SAMPLE_TIME] * s->value[SAMPLE_CLOCK] * (double)plan_cells(of)[o->item].threads;
    case KERNELS_PEAK:
        return s->value[SAMPLE_PEAK];
    case KERNELS_PAGE_FAULTS:
        return s->value[SAMPLE_PAGE_FAULTS];
    default:
        return s->value[(int)SAMPLE_CYCLES + (reading - KERNELS_COUNTED)];
    }
}

bool summary_make(summary *s, const plan *p, const observations *all) {
    *s = (summary){.plan = p};
    return sample_index_make(&s->samples, p, p->schedule.count, all, value_of);
}

void summary_free(summary *s) { sample_index_free(&s->samples); }

stats_interval summary_median(const summary *s, size_t index, int reading) {
    return sample_index_median(&s->samples, index, reading);
}

double summary_spread_pct(const summary *s, size_t index) {
    double *const medians = s->samples.medians, least = INFINITY, most = 0;
    const size_t launches = series_launch_medians(sample_index_series(&s->samples, index, KERNELS_TIME), medians);
    for (size_t i = 0; i < launches; i++) {
        least = fmin(least, medians[i]);
        most = fmax(most, medians[i]);
    }
    return launches > 0 ? 100 * (most - least) / stats_median(medians, launches) : NAN;
}

stats_interval summary_cycles(const summary *s, size_t index, const char **source) {
    const stats_interval counted = summary_median(s, index, KERNELS_COUNTED + (int)COUNTER_CYCLES);
    *source = "counters";
    if (!isnan(counted.median))
        return counted;
    const stats_interval clocked = summary_median(s, index, KERNELS_CLOCKED_CYCLES);
    *source = isnan(clocked.median) ? "" : "clock";
    return clocked;
}

stats_interval summary_ratio(const summary *s, size_t a, size_t b) {
    return sample_index_ratio(&s->samples, a, b, KERNELS_LOG_TIME);
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
        if (impl->level == cell_level(own) && cell_is_partner(impl, own))
            return i;
        if (impl->level == NORM_LEVEL_LIBRARY && own->level == impl->level)
            theirs = i;
    }
    return theirs;
}

size_t summary_identity(const summary *s, size_t index) {
    const norm_form form = plan_ceiling_form(plan_cells(s->plan)[index].impl->form);
    size_t begin, end, fastest = SIZE_MAX;
    double best = INFINITY;
    schedule_group(&s->plan->schedule, s->plan->schedule.items[index].group, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const norm_impl *const impl = plan_cells(s->plan)[i].impl;
        const double ns =
            impl->op == NORM_IDENTITY && impl->form == form ? summary_median(s, i, KERNELS_TIME).median : NAN;
        if (ns < best) {
            best = ns;
            fastest = i;
        }
    }
    return fastest;
}
