// SPDX-License-Identifier: MIT
// changes.h: where the level of a series changes. E-Divisive (Matteson and James, 2014): a series is cut where the
// energy distance of the two sides is largest, if hardly a shuffle of it has as large a one, and then each side
// likewise. Wild values are brought nearer first, so that one of them is no level; shuffles assume no distribution, and
// pay for the search over places.
#ifndef CHANGES_H
#define CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    double alpha;    // share of shuffles that may do as well: the false alarms of a series without a change
    double least;    // difference of two levels, in the series' unit, below which they are one
    size_t points;   // that a level has at least
    size_t shuffles; // of a cut: alpha is reached only where 1 / (shuffles + 1) is below it
    uint64_t seed;
} changes_rule;

// A step: the series stands at `before` up to point at - 1 and at `after` from point `at` on: medians of the points
// between this change and its neighbours. p: of the shuffles.
typedef struct {
    size_t at;
    double before, after, p;
} change;

// A series that moves all the time is cut anywhere, so where a straight line says more of it than steps, by Bayes'
// criterion with absolute deviations, it is a drift, and has no steps.
typedef enum { CHANGES_NONE, CHANGES_STEPS, CHANGES_DRIFT } changes_kind;
typedef struct {
    changes_kind kind;
    change *steps; // in the order of the series
    size_t count;
    double drift; // from the first point to the last, along the line
} changes;

// false: no memory. Values are finite.
bool changes_find(changes *found, const double *values, size_t n, const changes_rule *rule);
void changes_free(changes *found);

#endif
