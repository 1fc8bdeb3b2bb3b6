// SPDX-License-Identifier: MIT
// peak_loop.c: what the units of one level do at most, in its registers alone: see peak_loop.h.
#include "peak_loop.h"

#include "ops/kernel.h"

// An FMA takes 4 or 5 cycles and two begin in each on current cores, so ten chains fill them; twelve and two constants
// fit the sixteen registers that all levels but AVX-512 have.
enum { CHAINS = 12 };

static float sum_of(const vf x[CHAINS]) {
    vf sum = x[0];
#pragma GCC unroll 11
    for (size_t k = 1; k < CHAINS; k++)
        sum = v_add(sum, x[k]);
    return v_sum(sum);
}

// A loop over all chains, the k-th of which is EACH.
#define RUN(name, EACH)                                                                                                \
    static float name(size_t count, float factor, float addend) {                                                      \
        const vf f = v_set1(factor), a = v_set1(addend);                                                               \
        vf x[CHAINS];                                                                                                  \
        (void)f, (void)a;                                                                                              \
        _Pragma("GCC unroll 12") for (size_t k = 0; k < CHAINS; k++) x[k] = v_set1((float)k);                          \
        for (size_t i = 0; i < count; i++) {                                                                           \
            _Pragma("GCC unroll 12") for (size_t k = 0; k < CHAINS; k++) x[k] = EACH;                                  \
        }                                                                                                              \
        return sum_of(x);                                                                                              \
    }
RUN(run_fma, v_fma(x[k], f, a))
RUN(run_multiply, v_mul(x[k], f))
RUN(run_any, k % 2 == 0 ? v_mul(x[k], f) : v_add(x[k], a))

static float run_chain(size_t count, float factor, float addend) {
    float x = 1;
    for (size_t i = 0; i < count; i++)
        x = 1.0f / sqrtf(v_sum(v_set1(x)) * factor + addend);
    return x;
}

extern const peak_level NORM_PASTE3(peak_, loop, NORM_LEVEL_NAME);
const peak_level NORM_PASTE3(peak_, loop,
                             NORM_LEVEL_NAME) = {.fma = {run_fma, 2.0 * (double)CHAINS *(double)SIMD_WIDTH},
                                                 .multiply = run_multiply,
                                                 .any = run_any,
                                                 .chain = run_chain,
                                                 .lanes = (double)CHAINS * (double)SIMD_WIDTH,
                                                 .fuses = SIMD_FMA};
