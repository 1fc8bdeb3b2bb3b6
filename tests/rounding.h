// SPDX-License-Identifier: MIT
// rounding.h: the most that rounding to a dtype takes from a value or adds to it, unless it overflows: u of the value,
// half the distance of neighbours, or half the least denormal.
#ifndef ROUNDING_H
#define ROUNDING_H

#include <math.h>

#include "dtype.h"

static inline double rounding_of(norm_dtype dtype, double value) {
    return dtype_epsilon(dtype) / 2 * fmax(fabs(value), dtype_smallest(dtype));
}

#endif
