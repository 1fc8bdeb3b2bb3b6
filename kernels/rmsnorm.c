// SPDX-License-Identifier: MIT
// rmsnorm, fused: y = gamma x r with r = 1 / sqrt(mean(x^2) + eps). Forward reads a row twice, the second time from
// cache, and saves r. Backward, with n = x r and g = gamma dy: dx = r (g - n mean(g n)), dgamma = sum over rows of dy
// n.
#include "rows.h"

SIMD_INLINE void apply(norm_dtype dtype, const void *gamma, const void *x, void *y, vf r, size_t c, size_t n) {
    v_put(dtype, y, c, n, v_mul(v_get(dtype, gamma, c, n), v_mul(v_get(dtype, x, c, n), r)));
}

SIMD_INLINE void forward(norm_dtype dtype, const norm_args *a, const norm_slice *slice) {
    const void *const gamma = a->gamma;
    const size_t cols = a->cols;
    float *const saved = a->saved;
    for (size_t row = slice->begin; row < slice->end; row++) {
        const void *const x = row_of(dtype, a->x, row, a->x_stride);
        void *const y = row_of_mut(dtype, a->y, row, a->y_stride);
        const float rstd = row_rstd(row_squares(dtype, x, cols, 0.0f, false), cols, a->eps);
        if (saved != NULL)
            saved[row] = rstd;
        const vf r = v_set1(rstd);
        for_each_vector(cols, apply(dtype, gamma, x, y, r, c, SIMD_WIDTH), apply(dtype, gamma, x, y, r, c, cols - c));
    }
}

typedef struct {
    vf r, mean_gn;
} row_constants;

SIMD_INLINE void dot_step(norm_dtype dtype, const void *gamma, const row_pair *row, vf r, vf *sum, size_t c, size_t n) {
    const vf g = v_mul(v_get(dtype, gamma, c, n), v_get(dtype, row->dy, c, n));
    *sum = v_fma(g, v_mul(v_get(dtype, row->x, c, n), r), *sum);
}

// Through a pointer: the ABI returns two floats packed in one register, which level scalar must not do.
SIMD_INLINE void backward_row(norm_dtype dtype, const norm_args *a, const row_pair *row, float rstd,
                              row_constants *out) {
    const void *const gamma = a->gamma;
    const vf r = v_set1(rstd);
    vf sums[ACCUMULATORS];
    sum_columns(a->cols, sums, dot_step(dtype, gamma, row, r, &sums[k], c, SIMD_WIDTH),
                dot_step(dtype, gamma, row, r, &sums[0], c, a->cols - c));
    out->r = r;
    out->mean_gn = v_set1(v_sum(sums[0]) / (float)a->cols);
}

// A vector of columns through `count` rows: the partial dgamma is loaded and stored once for all of them.
SIMD_INLINE void backward_step(norm_dtype dtype, const void *gamma_row, const row_pair *rows, const row_constants *k,
                               size_t count, float *dgamma, size_t c, size_t n) {
    const vf gamma = v_get(dtype, gamma_row, c, n);
    vf sum = v_get(NORM_F32, dgamma, c, n);
    for (size_t i = 0; i < count; i++) {
        const vf dy = v_get(dtype, rows[i].dy, c, n);
        const vf normed = v_mul(v_get(dtype, rows[i].x, c, n), k[i].r);
        const vf dx = v_mul(k[i].r, v_fnma(normed, k[i].mean_gn, v_mul(gamma, dy)));
        sum = v_fma(dy, normed, sum);
        v_put(dtype, rows[i].dx, c, n, dx);
    }
    v_put(NORM_F32, dgamma, c, n, sum);
}

SIMD_INLINE void backward_block(norm_dtype dtype, const norm_args *a, size_t row, size_t count, float *dgamma) {
    const void *const gamma = a->gamma;
    const size_t cols = a->cols;
    row_pair rows[BLOCK];
    row_constants k[BLOCK];
    for (size_t i = 0; i < count; i++) {
        rows[i] = row_pair_at(dtype, a, row + i);
        backward_row(dtype, a, &rows[i], ((const float *)a->saved)[row + i], &k[i]);
    }
    for_each_vector(cols, backward_step(dtype, gamma, rows, k, count, dgamma, c, SIMD_WIDTH),
                    backward_step(dtype, gamma, rows, k, count, dgamma, c, cols - c));
}

SIMD_INLINE void backward(norm_dtype dtype, const norm_args *a, const norm_slice *slice) {
    float *const dgamma = partial_columns(a, slice->index, 0, 1);
    zero_columns(dgamma, a->cols);
    for_each_block(slice, backward_block(dtype, a, row, BLOCK, dgamma), backward_block(dtype, a, row, 1, dgamma));
}

static void reduce(const norm_args *a, const norm_slice *slice) { reduce_columns(a, slice, a->dgamma, 0, 1); }

#define DEFINE(name, DTYPE)                                                                                            \
    static void forward_##name(const norm_args *a, const norm_slice *s) { forward(DTYPE, a, s); }                      \
    static void backward_##name(const norm_args *a, const norm_slice *s) { backward(DTYPE, a, s); }
NORM_EACH_DTYPE(DEFINE)

#define ROW(name, DTYPE)                                                                                               \
    {.op = NORM_RMSNORM,                                                                                               \
     .variant = "std",                                                                                                 \
     .form = NORM_FUSED,                                                                                               \
     .level = NORM_LEVEL_ID,                                                                                           \
     .dtype = DTYPE,                                                                                                   \
     .params = NORM_GAMMA,                                                                                             \
     .pass = {NORM_STAGES({forward_##name, NORM_SPLIT_ROWS, 2 * DTYPE##_BYTES}),                                       \
              NORM_STAGES({backward_##name, NORM_SPLIT_ROWS, 3 * DTYPE##_BYTES}, {reduce, NORM_SPLIT_COLS, 0})},       \
     .saved = {.per_row = sizeof(float)},                                                                              \
     .workspace = {.per_slice_col = sizeof(float)}},
static const norm_impl impls[] = {NORM_EACH_DTYPE(ROW)};
NORM_TABLE(rmsnorm, impls);
