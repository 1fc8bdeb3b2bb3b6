// SPDX-License-Identifier: MIT
// math_rows.h: what one levelled object of math_rows.c exports.
#ifndef MATH_ROWS_H
#define MATH_ROWS_H

#include <stddef.h>

typedef struct {
    void (*exp_u2)(size_t count, const float *x, float *y);
    void (*erf_u2)(size_t count, const float *x, float *y);
} math_rows;

#endif
