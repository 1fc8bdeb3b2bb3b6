// SPDX-License-Identifier: MIT
// history.h: many runs, and where times changed. Runs of one machine and build flags are a history; in each, rows of
// one kind are a group, whose series has a value for each run: the mean over its rows of the logarithm of the time over
// the sentinels' (sentinels.h), each row less its own median. Its changes are those of changes.h.
#ifndef HISTORY_H
#define HISTORY_H

#include "base/changes.h"
#include "sentinels.h"

// p, the smallest change that counts, and the runs that have to follow one.
#define HISTORY_ALPHA 0.001
#define HISTORY_LEAST 0.02
enum { HISTORY_POINTS = 5, HISTORY_SHUFFLES = 1999 };
// With fewer runs no order of them is as rare as HISTORY_ALPHA.
enum { HISTORY_RUNS = 13 };

// What rows of a group share: op, form, level, dtype, pass and class: where the data lies and the state of the caches,
// or the model and its phase.
enum { HISTORY_WORD = 40 };
typedef struct {
    run_table table;
    result_quantity quantity;
    char op[HISTORY_WORD], form[HISTORY_WORD], level[HISTORY_WORD], dtype[HISTORY_WORD], pass[HISTORY_WORD],
        kind[2 * HISTORY_WORD];
} history_group_name;

// A run in a group's series: a row of history.csv.
typedef struct {
    const results *run, *before; // before: the run before it in the series; NULL: it is the first
    const history_group_name *name;
    size_t history, rows; // number of the history, from 1; rows of the group in this run
    double shift, level;  // the series' value less its first level's, and the level there, as ratios
    double change, p;     // a change begins here: its ratio, and its p; NaN: none does
    changes_kind kind;    // of the group
    double drift;         // of the group, as a ratio from the first run to the last; NaN: none
} history_point;

typedef struct {
    results *runs; // in the order of their times
    size_t count, histories;
    history_group_name *groups;
    size_t group_count;
    history_point *points;            // group after group
    size_t point_count, short_groups; // groups with fewer than HISTORY_RUNS
} history;

// Takes over the runs. false: no memory.
bool history_make(history *h, results *runs, size_t count);
void history_free(history *h);

// For people: the changes alone.
void history_print(FILE *out, const void *what, bool markdown);

#endif
