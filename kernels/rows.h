// SPDX-License-Identifier: MIT
// rows.h: what the fused kernels share about rows: sums over one, blocks of several, and parameter gradients as one
// partial row per slice, reduced in a second stage.
#ifndef ROWS_H
#define ROWS_H

#include <math.h>

#include "kernel.h"

// Sums over the columns into sums[0], a vector, through ACCUMULATORS independent chains: step_full adds vector c to
// sums[k], step_part the last, partial vector to sums[0].
#define sum_columns(cols, sums, step_full, step_part)                                                                  \
    do {                                                                                                               \
        v_clear(sums);                                                                                                 \
        size_t first = 0;                                                                                              \
        for (; first + STEP <= (cols); first += STEP) {                                                                \
            UNROLL_ACCUMULATORS for (size_t k = 0; k < ACCUMULATORS; k++) {                                            \
                const size_t c = first + k * SIMD_WIDTH;                                                               \
                step_full;                                                                                             \
            }                                                                                                          \
        }                                                                                                              \
        v_tree_sum(sums);                                                                                              \
        size_t c = first;                                                                                              \
        for (; c + SIMD_WIDTH <= (cols); c += SIMD_WIDTH) {                                                            \
            const size_t k = 0;                                                                                        \
            step_full;                                                                                                 \
        }                                                                                                              \
        if (c < (cols))                                                                                                \
            step_part;                                                                                                 \
    } while (0)

SIMD_INLINE void squares_step(norm_dtype dtype, const void *x, vf mean, bool centred, vf *sum, size_t c, size_t n) {
    const vf raw = v_get(dtype, x, c, n);
    const vf value = centred ? v_keep(v_sub(raw, mean), n) : raw;
    *sum = v_fma(value, value, *sum);
}

// Sum of (x - mean)^2 over a row, or of x^2 if not centred.
SIMD_INLINE float row_squares(norm_dtype dtype, const void *x, size_t cols, float mean, bool centred) {
    const vf m = v_set1(mean);
    vf sums[ACCUMULATORS];
    sum_columns(cols, sums, squares_step(dtype, x, m, centred, &sums[k], c, SIMD_WIDTH),
                squares_step(dtype, x, m, centred, &sums[0], c, cols - c));
    return v_sum(sums[0]);
}

SIMD_INLINE float row_rstd(float squares, size_t cols, float eps) { return 1.0f / sqrtf(squares / (float)cols + eps); }

// Rows that backward takes together, so that the partial parameter gradients, which do not fit in registers, are loaded
// and stored once for all of them. More rows would need more cache than a core has: 4 rows of 4096 f32, of x and of dy,
// are 128 KiB.
enum { BLOCK = 4 };

typedef struct {
    const void *x, *dy;
    void *dx;
} row_pair;

SIMD_INLINE row_pair row_pair_at(norm_dtype dtype, const norm_args *a, size_t row) {
    return (row_pair){row_of(dtype, a->x, row, a->x_stride), row_of(dtype, a->dy, row, a->dy_stride),
                      row_of_mut(dtype, a->dx, row, a->dx_stride)};
}

#define for_each_block(slice, call_block, call_row)                                                                    \
    do {                                                                                                               \
        size_t row = (slice)->begin;                                                                                   \
        for (; row + BLOCK <= (slice)->end; row += BLOCK)                                                              \
            call_block;                                                                                                \
        for (; row < (slice)->end; row++)                                                                              \
            call_row;                                                                                                  \
    } while (0)

// The partial sums of one slice for the `which`-th of `count` column gradients, (cols) floats; each begins a cache line
// of its own.
SIMD_INLINE float *partial_columns(const norm_args *a, size_t index, size_t which, size_t count) {
    return (float *)((char *)a->workspace + (index * count + which) * align64(a->cols * sizeof(float)));
}

SIMD_INLINE void zero_columns(float *sums, size_t cols) {
    for_each_vector(cols, v_store(sums + c, v_zero()), v_store_part(sums + c, v_zero(), cols - c));
}

SIMD_INLINE void reduce_step(const norm_args *a, size_t slices, float *out, size_t which, size_t count, size_t c,
                             size_t n) {
    vf sum = v_zero();
    for (size_t i = 0; i < slices; i++)
        sum = v_add(sum, v_get(NORM_F32, partial_columns(a, i, which, count), c, n));
    v_put(NORM_F32, out, c, n, sum);
}

// The second stage: the slices' partial sums of some columns, added up.
SIMD_INLINE void reduce_columns(const norm_args *a, const norm_slice *slice, float *out, size_t which, size_t count) {
    size_t c = slice->begin;
    for (; c + SIMD_WIDTH <= slice->end; c += SIMD_WIDTH)
        reduce_step(a, slice->count, out, which, count, c, SIMD_WIDTH);
    if (c < slice->end)
        reduce_step(a, slice->count, out, which, count, c, slice->end - c);
}

#endif
