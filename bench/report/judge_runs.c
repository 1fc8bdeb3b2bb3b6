// SPDX-License-Identifier: MIT
// judge_runs.c: see judge_runs.h.
#include "judge_runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double value_of(asking *a, const question *q, table_row own, const filter *baseline) {
    if (q->what == ASKED_BOUND_FRACTION)
        return row_real(own, "bound_fraction");
    if (q->what == ASKED_LEAST_CYCLES)
        return row_real(own, "cycles_per_element");
    const table_row other = fastest_row(a, baseline);
    return q->what == ASKED_LEAST_TIME ? least_time_ratio(own, other) : least_speed_ratio(own, other);
}

// What one run says.
typedef struct {
    double value; // NaN: nothing
    table_row row;
    size_t rows; // that have a value, where there is one
} answer;

static answer of_fastest(asking *a, const question *q, const filter *subject, const filter *baseline) {
    const table_row own = fastest_row(a, subject);
    const double value = value_of(a, q, own, baseline);
    return (answer){value, own, 1};
}

// Whether no other row of its op and conditions that fits is faster.
static bool is_fastest(asking *a, const filter *subject, table_row row) {
    filter like = *subject;
    filter_add_value(&like, row, "op");
    filter_add_conditions(&like, RUN_TABLE_KERNELS, row);
    const table_row fastest = fastest_row(a, &like);
    return fastest.table == row.table && fastest.at == row.at;
}

// The least or the most; of one row, asked of several runs, the one that is farther from the goal. NaN gives way.
static bool is_farther(const question *q, double value, double than) {
    const bool least = q->which == WHICH_ONE ? !isnan(q->holds.lo) : q->which == WHICH_LEAST;
    return isnan(than) || (least ? value < than : value > than);
}

static answer of_each(asking *a, const question *q, const filter *subject, const filter *baseline) {
    answer worst = {.value = NAN};
    table_row row = {0};
    while (filter_next(subject, a->run, RUN_TABLE_KERNELS, &row)) {
        if (!row_is_measured(row) || !is_fastest(a, subject, row))
            continue;
        filter against = *baseline;
        filter_add_conditions(&against, RUN_TABLE_KERNELS, row);
        const double value = value_of(a, q, row, &against);
        if (isnan(value))
            continue;
        worst.rows++;
        if (is_farther(q, value, worst.value)) {
            worst.value = value;
            worst.row = row;
        }
    }
    if (worst.rows == 0)
        (void)filter_find(subject, a->run, RUN_TABLE_KERNELS, a->why);
    return worst;
}

static answer answer_of(asking *a, const question *q) {
    filter subject = q->subject, baseline = q->baseline;
    (void)filter_add(&subject, q->where.text, a->why);
    (void)filter_add(&baseline, q->where.text, a->why);
    return q->which == WHICH_ONE ? of_fastest(a, q, &subject, &baseline) : of_each(a, q, &subject, &baseline);
}

void judge_runs(finding *f, const question *q, const run_tables *runs, size_t count) {
    double *const values = calloc(count + 1, sizeof *values);
    double farthest = NAN;
    size_t held = 0;
    for (size_t i = 0; values != NULL && i < count; i++) {
        asking a = {.run = &runs[i], .method = ""};
        const answer said = answer_of(&a, q);
        if (!row_is(f->subject) || (!isnan(said.value) && is_farther(q, said.value, farthest))) {
            f->subject = said.row;
            farthest = said.value;
        }
        if (isnan(said.value)) {
            snprintf(f->why, sizeof f->why, "%s", a.why);
            continue;
        }
        values[f->runs++] = said.value;
        f->rows = said.rows > f->rows ? said.rows : f->rows;
        f->value.lo = fmin(f->value.lo, said.value);
        f->value.hi = fmax(f->value.hi, said.value);
        held += !(said.value < q->holds.lo) && !(said.value > q->holds.hi);
    }
    f->method = q->what == ASKED_BOUND_FRACTION ? "medians" : "least times";
    if (f->runs > 0) {
        f->value.median = stats_median(values, f->runs);
        f->verdict = 3 * held >= 2 * f->runs ? VERDICT_HOLDS : VERDICT_DOES_NOT_HOLD;
    }
    free(values);
}
