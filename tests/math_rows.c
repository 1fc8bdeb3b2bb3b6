// SPDX-License-Identifier: MIT
// math_rows.c: the functions of simd_math.h over arrays, compiled once per level, for test_math and exhaustive.
#include "math_rows.h"

#include "ops/kernel.h"
#include "simd/simd_math.h"

#define DEFINE(ID, name)                                                                                               \
    static void name(size_t count, const float *x, float *y) {                                                         \
        for_each_vector(count, v_store(y + c, v_##name(v_load(x + c))),                                                \
                        v_store_part(y + c, v_##name(v_load_part(x + c, count - c)), count - c));                      \
    }
MATH_FUNCTION_LIST(DEFINE)

#define ENTRY(ID, name) [MATH_##ID] = name,
extern const math_rows NORM_PASTE3(math_, rows, NORM_LEVEL_NAME);
const math_rows NORM_PASTE3(math_, rows, NORM_LEVEL_NAME) = {{MATH_FUNCTION_LIST(ENTRY)}};
