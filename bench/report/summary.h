// SPDX-License-Identifier: MIT
// summary.h: from samples to numbers. Every interval is an exact order-statistic interval over launches; ratios are
// made of paired samples.
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdbool.h>
#include <stddef.h>

#include "bound.h"
#include "measure/run.h"
#include "measure/sampler.h"
#include "plan/plan.h"
#include "sample_index.h"

// Borrows the plan and the observations. machine: nothing, until somebody says what this one is.
typedef struct {
    const plan *plan;
    sample_index samples;
    bound_machine machine;
} summary;
bool summary_make(summary *s, const plan *p, const observations *all);
void summary_free(summary *s);

// What is read off a sample.
enum {
    KERNELS_TIME, // ns of one call
    KERNELS_LOG_TIME,
    KERNELS_CLOCK,          // GHz of the first thread's core
    KERNELS_CLOCKED_CYCLES, // time times clock times threads, for none of a team that waits is idle
    KERNELS_PEAK,           // GFLOP/s of the team's FMA units
    KERNELS_PAGE_FAULTS,    // of a call
    KERNELS_COUNTED         // and counter: what the team's threads counted together in one call
};
// The median over launches of each launch's median sample; NaN where any sample lacks it.
stats_interval summary_median(const summary *s, size_t index, int reading);
// The team's core cycles, counted (*source "counters") or, where a sample was not, clocked ("clock"). NaN, and "",
// where any sample lacks both.
stats_interval summary_cycles(const summary *s, size_t index, const char **source);
// How far launches differ: largest less smallest of their medians, in percent of the median of them. NaN: there is
// none.
double summary_spread_pct(const summary *s, size_t index);
// Time of cell a over that of cell b, which is of the same group: in each round, the mean of the log times of a's two
// samples less that of b's; median over a launch's rounds; median and interval over launches.
stats_interval summary_ratio(const summary *s, size_t a, size_t b);

// The cell of the group with this op in its default variant, in the same form and cell_level; where there is none, for
// a library's cell the library's own. SIZE_MAX if the plan has neither.
size_t summary_partner(const plan *p, size_t index, norm_op op);
// The fastest identity of the group in the cell's plan_ceiling_form; SIZE_MAX if none was timed.
size_t summary_identity(const summary *s, size_t index);

// A row narrower than this on both sides is stable.
#define SUMMARY_STABLE 0.04

// Writes kernels.csv. *missing: rows that were never timed though planned. 0 or errno.
int summary_write(const summary *s, const char *path, const run *r, size_t *missing);

#endif
