// SPDX-License-Identifier: MIT
// judge_runs.h: what is asked of several runs of kernels. A run has one number: of least times, of cycles, or the part
// of its bound that a row reaches. It holds if it does in two thirds of the runs that have a value.
#ifndef JUDGE_RUNS_H
#define JUDGE_RUNS_H

#include "judge.h"

// Sets the value, the verdict and the row that answers. Asked of the least or most, that is of the fastest row of each
// op, pass, dtype, shape and team that fits: over all runs the row with the least or most; rows without a value, as
// those without a bound or a baseline, do not count. A baseline is sought in the same conditions.
void judge_runs(finding *f, const question *q, const run_tables *runs, size_t count);

#endif
