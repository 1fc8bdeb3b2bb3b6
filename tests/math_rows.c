// SPDX-License-Identifier: MIT
// math_rows.c: the functions of simd_math.h over arrays, compiled once per level, for test_math.
#include "math_rows.h"

#include "kernel.h"
#include "simd_math.h"

#define DEFINE(name, function)                                                                                         \
    static void name(size_t count, const float *x, float *y) {                                                         \
        for_each_vector(count, v_store(y + c, function(v_load(x + c))),                                                \
                        v_store_part(y + c, function(v_load_part(x + c, count - c)), count - c));                      \
    }
DEFINE(exp_u2, v_exp_u2)
DEFINE(erf_u2, v_erf_u2)

extern const math_rows NORM_PASTE3(math_, rows, NORM_LEVEL_NAME);
const math_rows NORM_PASTE3(math_, rows, NORM_LEVEL_NAME) = {exp_u2, erf_u2};
