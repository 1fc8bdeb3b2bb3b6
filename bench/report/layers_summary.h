// SPDX-License-Identifier: MIT
// layers_summary.h: from the samples of a run of layers to its numbers: layers.csv and steps.csv.
// Every interval is an exact order-statistic interval over launches (series.h).
#ifndef LAYERS_SUMMARY_H
#define LAYERS_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "measure/layers.h"
#include "measure/run.h"
#include "plan/layers_plan.h"
#include "sample_index.h"

// Borrows the plan and the observations.
typedef struct {
    const layers_plan *plan;
    sample_index samples;
} layers_summary;
bool layers_summary_make(layers_summary *s, const layers_plan *p, const observations *all);
void layers_summary_free(layers_summary *s);

// What is read off a sample.
enum {
    READING_TIME,       // ns of the whole layer
    READING_NORM,       // ns of its norm steps, in place
    READING_NORM_SHARE, // of the whole
    READING_LOG_NORM,   // of its norm steps
    READING_LOG_SITES,  // of its norms and residual adds
    READING_MATMUL_SHARE,
    READING_MATMUL_FLOPS,  // per second, while products run
    READING_PEAK_FRACTION, // of that
    READING_LOG_REST,      // of the whole less its norm steps
    READING_TIMING,        // share of the whole that timing its steps takes: an upper bound
    READING_LINE,          // ns of a cache line from core to core
    READING_PAGE_FAULTS,   // of a call
    READING_LOG_TIME,      // of the whole layer
};
double layers_reading(const void *plan, const observation *o, int reading); // a sample_reading
stats_interval layers_summary_median(const layers_summary *s, size_t arm, int reading);
bool layers_summary_has(const layers_summary *s, size_t arm); // samples; SIZE_MAX: no such arm, so none

// How much of a layer's time the norm in arm's slots adds to that of the model's own norm, in percent of the latter.
typedef struct {
    stats_interval in_place; // from the norm steps alone: exact as long as the rest of the layer is the same
    stats_interval norms;    // of the norm steps themselves, in percent of the native norm's; NaN: no norm steps
    stats_interval total;    // from the whole layers
    int rest_equivalent;     // 1: the rest is the same within REST_MARGIN; 0: it is not; -1: cannot be told
    stats_interval rest;     // of the rest's ratio, in percent; 90 %: two one-sided tests at 5 %
} layers_delta;
// False if the group has no such partner or it was not measured.
bool layers_summary_delta(const layers_summary *s, size_t arm, layers_delta *d);

// What one sweep is worth: the time of the norms and residual adds of an arm in form add_fused over that of the same
// op, variant and level in form fused, which adds in a step of its own; from paired samples. False: no such two.
bool layers_summary_one_sweep(const layers_summary *s, size_t arm, stats_interval *ratio);

// Samples of one arm whose cores stood alike: near, where a line passed between them quickly, or far.
typedef enum { CORES_NEAR, CORES_FAR, CORES_PLACES } cores_place;
typedef struct {
    stats_interval share;   // of the norm; n: launches
    stats_interval line_ns; // what a line took
} layers_placed;
// Tells an arm's samples apart by the time a line took, where those times' medians over launches fall in two classes,
// the largest gap between them a factor of PLACES_GAP or more. False: they do not.
bool layers_summary_placed(const layers_summary *s, size_t arm, layers_placed places[CORES_PLACES]);
// Within a class lines took 1.5 times as long in one launch as in another, between the classes 3.6 times (40 to 60 and
// 210 to 230 ns, Zen 5).
#define PLACES_GAP 2

// What the parts of a model, its ends and depth times a layer, take over what the whole takes, arm being a row of part
// model: paired by launches, in each of which the parts and the whole were measured as processes of their own layers.
// The layer is that of the least depth in the plan. False if a part or the whole was not measured.
bool layers_summary_composition(const layers_summary *s, size_t arm, stats_interval *ratio);

// What a call at every site takes between an arm and the one of its group that calls its norm once a site and is the
// same but for that: by the clock around each call, and by whole layers over that. False: no such two.
bool layers_summary_call(const layers_summary *s, size_t arm, double *clock_ns, stats_interval *ratio);

// Of the rest of a layer, in percent: what counts as the same (reference: two one-sided tests).
#define REST_MARGIN 0.25
// A row whose norm share is known to within this is stable.
#define SHARE_STABLE 0.05

// 0 or errno. *missing: rows that were never timed though planned.
int layers_summary_write(const layers_summary *s, const char *path, const run *r, size_t *missing);
int layers_summary_write_steps(const layers_summary *s, const char *path, const run *r);

#endif
