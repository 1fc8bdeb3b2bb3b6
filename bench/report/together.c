// SPDX-License-Identifier: MIT
// together.c: see together.h.
#include "together.h"

#include <math.h>
#include <stdlib.h>

#include "base/interval.h"
#include "base/paired.h"

#define LEAST 1e-9              // so far out an interval of a few launches says nothing more
#define END_DEVIATIONS 1.959964 // of a normal distribution's 95 % interval

// The probability of a value so far above a bound, if it lies there: one-sided. toward: the interval's end on the
// bound's side.
static double beyond(double value, double toward, double bound) {
    const double deviation = fabs(value - toward) / END_DEVIATIONS;
    return deviation > 0 ? fmax(0.5 * erfc(fabs(value - bound) / deviation * sqrt(0.5)), LEAST) : LEAST;
}

// That the verdict is wrong; NaN where nothing was told.
static double p_of(const finding *f) {
    const stats_interval *const i = &f->value;
    const judge_bounds *const b = &f->asked->holds;
    if (f->verdict == VERDICT_CANNOT_TELL || !interval_known(i) || !isnan(b->expected))
        return (double)NAN;
    if (f->verdict == VERDICT_DOES_NOT_HOLD)
        return i->median < b->lo ? beyond(i->median, i->hi, b->lo) : beyond(i->median, i->lo, b->hi);
    const double low = isnan(b->lo) ? 0 : beyond(i->median, i->lo, b->lo);
    return fmax(low, isnan(b->hi) ? 0 : beyond(i->median, i->hi, b->hi));
}

void judge_together(findings *all) {
    double *const p = malloc((all->count + 1) * sizeof *p);
    size_t told = 0;
    for (size_t i = 0; i < all->count; i++) {
        finding *const f = &all->items[i];
        f->p_value = f->p_together = p_of(f);
        f->verdict_together = f->verdict;
        if (p != NULL && !isnan(f->p_value))
            p[told++] = f->p_value;
    }
    if (p != NULL)
        paired_holm(p, told);
    for (size_t i = 0, at = 0; p != NULL && i < all->count; i++)
        if (!isnan(all->items[i].p_value)) {
            all->items[i].p_together = p[at++];
            if (all->items[i].p_together > TOGETHER_LEVEL)
                all->items[i].verdict_together = VERDICT_CANNOT_TELL;
        }
    free(p);
}
