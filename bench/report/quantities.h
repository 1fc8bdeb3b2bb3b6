// SPDX-License-Identifier: MIT
// quantities.h: what a run's tables say of times, changes and shares, each with an interval.
#ifndef QUANTITIES_H
#define QUANTITIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/stats.h"
#include "filter.h"
#include "tables.h"

// How a value was come by, or why there is none.
typedef struct {
    const run_tables *run;
    const char *method;       // "in place", "totals", "totals, paired", "paired", "times"; "" as long as there is none
    char why[TABLES_MESSAGE]; // there is none; "" as long as there is
} asking;

// A norm in the slots of a layer, and, of part model, of the ends: a model is its ends and so many times its layer.
typedef struct {
    bool is_model;
    size_t layers;
} extent;
typedef struct {
    table_row layer, ends;
} arm;
// Finds an arm; like: one whose conditions it must share, NULL: none. What was found of it is set even if false.
bool find_arm(asking *a, arm *found, const filter *who, const filter *where, extent e, const arm *like);
// The row of the model's own norm beside a row of layers.csv: that which nothing is held against.
table_row native_row(const run_tables *r, table_row row);

// A median of an arm, as "time_ns". No norm at all takes no time.
stats_interval arm_value(asking *a, const arm *of, const char *stem, extent e);

// The change of the total in percent. Where the rest of the layer was shown to be the same in both arms, that of the
// norms, timed in place, relative to the total; else that of the totals. From paired samples where the table has them.
stats_interval total_change(asking *a, const arm *subject, const arm *baseline, extent e);
// Of the norms' own time, in percent.
stats_interval norm_change(asking *a, const arm *subject, const arm *baseline, extent e);
// Of the norms as subtraction has them: the whole less the whole without norms.
stats_interval by_identity_change(asking *a, const arm *subject, const arm *baseline, extent e);
// Of the time of the part, in percent.
stats_interval norm_share(asking *a, const arm *of, extent e);

// Time over time of two rows of kernels.csv: from paired samples where the table has them.
stats_interval time_ratio(asking *a, table_row subject, table_row baseline);

// Of least times, of an element: the fastest row that a filter finds, whichever stores it has.
table_row fastest_row(asking *a, const filter *f);
double least_time_ratio(table_row subject, table_row baseline);
double least_speed_ratio(table_row subject, table_row baseline); // in bytes a second

#endif
