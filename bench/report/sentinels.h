// SPDX-License-Identifier: MIT
// sentinels.h: a time over that of rows that never change. What moves bytes alone (op identity) tells how fast the
// machine was on a day; what is left of a time over that is the kernel.
#ifndef SENTINELS_H
#define SENTINELS_H

#include "results.h"

typedef enum { SENTINEL_NONE, SENTINEL_PLACE, SENTINEL_SHAPE } sentinel_kind;
const char *sentinel_kind_name(sentinel_kind k); // "same shape"; "" for none

// The logarithm of a result's time over the geometric mean of its sentinels in each of the runs, NaN where it was not
// measured. Sentinels are copies of the same dtype, pass, threads, placement and cache, of the same shape, else of the
// same place that holds the data; and only those that every run has which has the result. A sentinel itself, and what
// has none, is taken alone.
sentinel_kind sentinels_over(const results *runs, size_t count, const char *name, double *values);

#endif
