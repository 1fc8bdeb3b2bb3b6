// SPDX-License-Identifier: MIT
// broken.h: plain C kernels with one defect at a time.
#ifndef BROKEN_H
#define BROKEN_H

#include "norm.h"

// What is wrong with the kernels below.
typedef enum {
    NONE,
    ALL_ZERO,
    ONE_OFF,
    TAIL_MISSED,
    WRITES_PAST_END,
    WRITES_FAR_PAST_END,
    WRITES_BEFORE_START,
    WRITES_BETWEEN_ROWS,
    WRITES_INPUT,
    READS_PAST_END,
    READS_BEFORE_START,
    BIASED_VARIANCE,
    NAN_OUTPUT,
    INFINITE_OUTPUT,
    SWAPPED_PARAMETERS,
    ONE_PASS_VARIANCE,
    DX_WITHOUT_MEAN,
    DGAMMA_MISSES_A_ROW,
    DALPHA_IN_BF16,
    WRONG_STRIDE,
    SUM_TAIL_MISSED,
    SUM_WRITES_PAST_END,
    BRANCH_NOT_NORMALISED,
    DSUM_FORGOTTEN,
    DX_WRITES_SUM,
} defect;

extern defect broken_by;
extern double broken_off_by; // ONE_OFF: how many scale * epsilon

extern const norm_impl broken_layernorm, broken_add_layernorm, broken_dyt;

#endif
