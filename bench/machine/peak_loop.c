// SPDX-License-Identifier: MIT
// peak_loop.c: independent chains of multiply-adds in the registers of one level, and nothing else.
#include "peak_loop.h"

#include "ops/kernel.h"

// An FMA takes 4 or 5 cycles and two begin in each on current cores, so ten chains fill them; twelve and two constants
// fit the sixteen registers that all levels but AVX-512 have.
enum { CHAINS = 12 };

static float run(size_t count, float factor, float addend) {
    const vf f = v_set1(factor), a = v_set1(addend);
    vf x[CHAINS];
#pragma GCC unroll 12
    for (size_t k = 0; k < CHAINS; k++)
        x[k] = v_set1((float)k);
    for (size_t i = 0; i < count; i++) {
#pragma GCC unroll 12
        for (size_t k = 0; k < CHAINS; k++)
            x[k] = v_fma(x[k], f, a);
    }
    vf sum = x[0];
#pragma GCC unroll 11
    for (size_t k = 1; k < CHAINS; k++)
        sum = v_add(sum, x[k]);
    return v_sum(sum);
}

extern const peak_loop NORM_PASTE3(peak_, loop, NORM_LEVEL_NAME);
const peak_loop NORM_PASTE3(peak_, loop, NORM_LEVEL_NAME) = {run, 2.0 * (double)CHAINS *(double)SIMD_WIDTH};
