// SPDX-License-Identifier: MIT
// sequence_rows.c: the rows of a causal convolution over the vector vocabulary, compiled once per level.
#include "sequence_rows.h"

#include "ops/kernel.h"

#define UNROLL_TAPS _Pragma("GCC unroll 4")
_Static_assert(CAUSAL_TAPS == 4, "UNROLL_TAPS unrolls four");

SIMD_INLINE void weigh_step(norm_dtype dtype, size_t cols, const void *const x[], const float *weights,
                            const float *bias, void *y, size_t c, size_t n) {
    vf sum = bias != NULL ? v_get(NORM_F32, bias, c, n) : v_zero();
    UNROLL_TAPS for (size_t j = 0; j < CAUSAL_TAPS; j++) sum =
        v_fma(v_get(NORM_F32, weights + j * cols, c, n), v_get(dtype, x[j], c, n), sum);
    v_put(dtype, y, c, n, sum);
}

SIMD_INLINE void gather_step(norm_dtype dtype, size_t cols, const void *const x[], const void *dy, float *dweights,
                             float *dbias, size_t c, size_t n) {
    const vf d = v_get(dtype, dy, c, n);
    UNROLL_TAPS for (size_t j = 0; j < CAUSAL_TAPS; j++) {
        float *const sums = dweights + j * cols;
        v_put(NORM_F32, sums, c, n, v_fma(d, v_get(dtype, x[j], c, n), v_get(NORM_F32, sums, c, n)));
    }
    v_put(NORM_F32, dbias, c, n, v_add(d, v_get(NORM_F32, dbias, c, n)));
}

// The pointers are copied, lest a compiler fear that a store changes them.
#define LOCAL_TAPS                                                                                                     \
    { x[0], x[1], x[2], x[3] }

#define DEFINE(name, DTYPE)                                                                                            \
    static void weigh_##name(size_t cols, const void *const x[CAUSAL_TAPS], const float *weights, const float *bias,   \
                             void *y) {                                                                                \
        const void *const own[CAUSAL_TAPS] = LOCAL_TAPS;                                                               \
        for_each_vector(cols, weigh_step(DTYPE, cols, own, weights, bias, y, c, SIMD_WIDTH),                           \
                        weigh_step(DTYPE, cols, own, weights, bias, y, c, cols - c));                                  \
    }                                                                                                                  \
    static void gather_##name(size_t cols, size_t begin, size_t end, const void *const x[CAUSAL_TAPS], const void *dy, \
                              float *dweights, float *dbias) {                                                         \
        const void *const own[CAUSAL_TAPS] = LOCAL_TAPS;                                                               \
        for_each_vector(end - begin, gather_step(DTYPE, cols, own, dy, dweights, dbias, begin + c, SIMD_WIDTH),        \
                        gather_step(DTYPE, cols, own, dy, dweights, dbias, begin + c, end - begin - c));               \
    }
DEFINE(f32, NORM_F32)
DEFINE(bf16, NORM_BF16)
DEFINE(f16, NORM_F16)

#define ROWS(name)                                                                                                     \
    { .weigh = weigh_##name, .gather = gather_##name }

extern const sequence_rows NORM_PASTE3(sequence_, rows, NORM_LEVEL_NAME)[MODEL_DTYPES];
const sequence_rows NORM_PASTE3(sequence_, rows, NORM_LEVEL_NAME)[MODEL_DTYPES] = {
    [NORM_F32] = ROWS(f32), [NORM_BF16] = ROWS(bf16), [NORM_F16] = ROWS(f16)};
