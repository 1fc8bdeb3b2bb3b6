// SPDX-License-Identifier: MIT
// math_rows.h: what one levelled object of math_rows.c exports.
#ifndef MATH_ROWS_H
#define MATH_ROWS_H

#include <stddef.h>

// X(ID, name): the functions of simd_math.h whose name states an accuracy, v_<name>.
#define MATH_FUNCTION_LIST(X) X(TANH_U2, tanh_u2) X(TANH_LP, tanh_lp) X(ERF_U2, erf_u2) X(EXP_U2, exp_u2)

#define MATH_ROW(ID, name) MATH_##ID,
enum { MATH_FUNCTION_LIST(MATH_ROW) MATH_FUNCTIONS };
#undef MATH_ROW

// y[i] = f(x[i]), i < count.
typedef void math_function(size_t count, const float *x, float *y);

typedef struct {
    math_function *by[MATH_FUNCTIONS];
} math_rows;

#endif
