// SPDX-License-Identifier: MIT
// layers_summary.c: see layers_summary.h.
#include "layers_summary.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "base/order.h"

// ---- Readings

// The times of a sample's steps of one kind, added up, and the operations of its products.
static double time_of(const layers_plan *p, const observation *o, step_kind kind, double *flops) {
    size_t begin, end;
    double ns = 0;
    layers_plan_steps(p, o->item, &begin, &end);
    for (size_t i = begin; i < end && i - begin < o->sample.list_length; i++)
        if (p->steps[i].step.kind == kind) {
            ns += o->sample.list[i - begin];
            if (flops != NULL)
                *flops += p->steps[i].step.flops;
        }
    return ns;
}

double layers_reading(const void *of, const observation *o, int reading) {
    double flops = 0;
    switch (reading) {
    case READING_TIME:
        return o->sample.value[SAMPLE_TIME];
    case READING_NORM:
        return time_of(of, o, STEP_NORM, NULL);
    case READING_NORM_SHARE:
        return time_of(of, o, STEP_NORM, NULL) / o->sample.value[SAMPLE_TIME];
    case READING_LOG_NORM:
        return log(time_of(of, o, STEP_NORM, NULL));
    case READING_LOG_SITES:
        return log(time_of(of, o, STEP_NORM, NULL) + time_of(of, o, STEP_RESIDUAL, NULL));
    case READING_MATMUL_SHARE:
        return time_of(of, o, STEP_MATMUL, NULL) / o->sample.value[SAMPLE_TIME];
    case READING_MATMUL_FLOPS: {
        const double ns = time_of(of, o, STEP_MATMUL, &flops);
        return ns > 0 ? 1e9 * flops / ns : NAN;
    }
    case READING_PEAK_FRACTION: {
        const double ns = time_of(of, o, STEP_MATMUL, &flops);
        return ns > 0 && o->sample.value[LAYERS_PEAK] > 0 ? flops / ns / o->sample.value[LAYERS_PEAK] : NAN;
    }
    case READING_LOG_REST:
        return log(o->sample.value[SAMPLE_TIME] - time_of(of, o, STEP_NORM, NULL));
    case READING_TIMING:
        // One reading before the first step and one for the sample's own clock come on top.
        return (double)(o->sample.list_length + 2) * o->sample.value[LAYERS_CLOCK] / o->sample.value[SAMPLE_TIME];
    case READING_LINE:
        return o->sample.value[LAYERS_LINE];
    case READING_LOG_TIME:
        return log(o->sample.value[SAMPLE_TIME]);
    case READING_PAGE_FAULTS:
        return o->sample.value[LAYERS_PAGE_FAULTS];
    }
    return NAN;
}

bool layers_summary_make(layers_summary *s, const layers_plan *p, const observations *all) {
    *s = (layers_summary){.plan = p};
    return sample_index_make(&s->samples, p, p->schedule.count, all, layers_reading);
}

void layers_summary_free(layers_summary *s) { sample_index_free(&s->samples); }

stats_interval layers_summary_median(const layers_summary *s, size_t arm, int reading) {
    return sample_index_median(&s->samples, arm, reading);
}

bool layers_summary_has(const layers_summary *s, size_t arm) {
    return arm != SIZE_MAX && sample_index_count(&s->samples, arm) > 0;
}

static stats_interval difference(const layers_summary *s, size_t a, size_t b, int reading) {
    return sample_index_difference(&s->samples, a, b, reading, SERIES_CONFIDENCE);
}

bool layers_summary_delta(const layers_summary *s, size_t arm, layers_delta *d) {
    const size_t native = layers_plan_partner(s->plan, arm, layers_arm_at(s->plan, arm)->key.model->native);
    if (native == arm || !layers_summary_has(s, native) || !layers_summary_has(s, arm))
        return false;
    const double whole = layers_summary_median(s, native, READING_TIME).median;
    d->in_place = stats_scaled(difference(s, arm, native, READING_NORM), 100 / whole);
    d->total = stats_scaled(difference(s, arm, native, READING_TIME), 100 / whole);
    d->norms = INTERVAL_NONE;
    if (layers_arm_at(s->plan, arm)->slot.op != NORM_IDENTITY && layers_arm_at(s->plan, arm)->slot.repeats > 0) {
        const stats_interval log_ratio = difference(s, arm, native, READING_LOG_NORM);
        d->norms = log_ratio;
        d->norms.median = 100 * expm1(log_ratio.median);
        d->norms.lo = 100 * expm1(log_ratio.lo);
        d->norms.hi = 100 * expm1(log_ratio.hi);
    }
    // For ratios near 1 their logarithm is the difference.
    d->rest = stats_scaled(sample_index_difference(&s->samples, arm, native, READING_LOG_REST, 0.90), 100);
    const double margin = REST_MARGIN;
    d->rest_equivalent = isnan(d->rest.lo)                             ? -1
                         : d->rest.lo > -margin && d->rest.hi < margin ? 1
                         : d->rest.lo > margin || d->rest.hi < -margin ? 0
                                                                       : -1;
    return true;
}

bool layers_summary_one_sweep(const layers_summary *s, size_t arm, stats_interval *ratio) {
    const norm_slot *const slot = &layers_arm_at(s->plan, arm)->slot;
    size_t begin, end;
    schedule_group(&s->plan->schedule, s->plan->schedule.items[arm].group, &begin, &end);
    for (size_t i = begin; slot->form == NORM_ADD_FUSED && i < end; i++) {
        const norm_slot *const apart = &layers_arm_at(s->plan, i)->slot;
        if (apart->form != NORM_FUSED || apart->repeats != 1 || apart->op != slot->op ||
            strcmp(apart->variant, slot->variant) != 0 || strcmp(apart->level, slot->level) != 0 ||
            !layers_summary_has(s, i) || !layers_summary_has(s, arm))
            continue;
        *ratio = sample_index_ratio(&s->samples, arm, i, READING_LOG_SITES);
        return true;
    }
    return false;
}

// Whether two arms of a group differ in their calls at most.
static bool same_but_calls(const norm_slot *a, const norm_slot *b) {
    return a->op == b->op && a->form == b->form && strcmp(a->variant, b->variant) == 0 &&
           strcmp(a->level, b->level) == 0;
}

// From one call a site to more: a slope, for a call that repeats another finds its input in a cache, which the first
// need not. From none to one the rest of the layer may change as well, for what follows then reads another tensor: in
// one run of ConvNeXt's first stage (Zen 5) GELU took 220 us without a norm and 274 with one call or four.
bool layers_summary_call(const layers_summary *s, size_t arm, double *clock_ns, stats_interval *ratio) {
    const norm_slot *const slot = &layers_arm_at(s->plan, arm)->slot;
    size_t begin, end;
    schedule_group(&s->plan->schedule, s->plan->schedule.items[arm].group, &begin, &end);
    for (size_t one = begin; slot->repeats != 1 && one < end; one++) {
        const norm_slot *const other = &layers_arm_at(s->plan, one)->slot;
        if (other->repeats != 1 || !same_but_calls(other, slot) || !layers_summary_has(s, one) ||
            !layers_summary_has(s, arm))
            continue;
        const size_t more = slot->repeats > 1 ? arm : one, fewer = slot->repeats > 1 ? one : arm;
        const double calls =
            (double)layers_arm_at(s->plan, more)->slot.repeats - layers_arm_at(s->plan, fewer)->slot.repeats;
        const double clock = difference(s, more, fewer, READING_NORM).median;
        *clock_ns = clock / calls;
        *ratio = stats_scaled(difference(s, more, fewer, READING_TIME), clock > 0 ? 1 / clock : (double)NAN);
        return true;
    }
    return false;
}

// Where values fall in two: the middle of the widest gap, in ratio, for single samples scatter about the medians of
// launches that are given; NaN if it is narrower than PLACES_GAP.
static double middle_of_gap(double *values, size_t count) {
    double widest = PLACES_GAP, middle = NAN;
    size_t known = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[known++] = values[i];
    qsort(values, known, sizeof *values, order_reals);
    for (size_t i = 1; i < known; i++)
        if (values[i] >= widest * values[i - 1]) {
            widest = values[i] / values[i - 1];
            middle = sqrt(values[i] * values[i - 1]);
        }
    return middle;
}

// The points of an arm's reading in the launches of one place, moved to the front.
static series series_at(const layers_summary *s, size_t arm, int reading, cores_place place, double far_ns) {
    const sample_index *const x = &s->samples;
    const series all = sample_index_series(x, arm, reading);
    size_t kept = 0;
    for (size_t i = 0; i < all.count; i++) {
        const double line_ns = x->sorted[x->first[arm] + i]->sample.value[LAYERS_LINE];
        if (place == CORES_FAR ? line_ns >= far_ns : line_ns < far_ns)
            x->points[kept++] = all.points[i];
    }
    return (series){x->points, kept};
}

bool layers_summary_placed(const layers_summary *s, size_t arm, layers_placed places[CORES_PLACES]) {
    double *const lines = s->samples.medians;
    const double far_ns =
        middle_of_gap(lines, series_launch_medians(sample_index_series(&s->samples, arm, READING_LINE), lines));
    for (cores_place place = 0; !isnan(far_ns) && place < CORES_PLACES; place++) {
        places[place].share = series_median(series_at(s, arm, READING_NORM_SHARE, place, far_ns));
        places[place].line_ns = series_median(series_at(s, arm, READING_LINE, place, far_ns));
    }
    return !isnan(far_ns);
}

// The median time of an arm in one launch; NaN if it has none.
static double launch_median(const layers_summary *s, size_t arm, size_t launch) {
    const series all = sample_index_series(&s->samples, arm, READING_TIME);
    size_t begin = 0, end;
    while (begin < all.count && all.points[begin].launch < launch)
        begin++;
    for (end = begin; end < all.count && all.points[end].launch == launch;)
        end++;
    double median = NAN;
    const series one = {all.points + begin, end - begin};
    return series_launch_medians(one, &median) == 1 ? median : NAN;
}

// The arm of `part`, the one of least depth, that has all else in common with an arm. SIZE_MAX: none that was measured.
static size_t part_of(const layers_summary *s, size_t arm, model_part part) {
    const layers_plan *const p = s->plan;
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < p->schedule.count; i++) {
        layers_arm like = *layers_arm_at(p, arm);
        like.key.part = part;
        like.key.depth = layers_arm_at(p, i)->key.depth;
        if (layers_arm_equal(&like, layers_arm_at(p, i)) && layers_summary_has(s, i) &&
            (found == SIZE_MAX || like.key.depth < layers_arm_at(p, found)->key.depth))
            found = i;
    }
    return found;
}

bool layers_summary_composition(const layers_summary *s, size_t arm, stats_interval *ratio) {
    const layers_key *const k = &layers_arm_at(s->plan, arm)->key;
    // A stack of several stages is no number of times one layer.
    if (k->part != PART_MODEL || layers_has_stages(k->model) || !layers_summary_has(s, arm))
        return false;
    const size_t ends = part_of(s, arm, PART_ENDS), one = part_of(s, arm, PART_LAYER);
    if (ends == SIZE_MAX || one == SIZE_MAX)
        return false;
    const double times = (double)k->depth / (double)layers_arm_at(s->plan, one)->key.depth;
    const size_t launches = s->samples.sorted[s->samples.first[arm + 1] - 1]->launch + 1;
    double *const ratios = malloc(launches * sizeof *ratios);
    size_t count = 0;
    for (size_t launch = 0; ratios != NULL && launch < launches; launch++) {
        const double parts = launch_median(s, ends, launch) + times * launch_median(s, one, launch);
        const double value = parts / launch_median(s, arm, launch);
        if (!isnan(value))
            ratios[count++] = value;
    }
    *ratio = stats_median_interval(ratios, count, SERIES_CONFIDENCE);
    free(ratios);
    return count > 0;
}
