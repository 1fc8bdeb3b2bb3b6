// SPDX-License-Identifier: MIT
// layernorm, fused, variant twopass: y = gamma (x - m) r + beta with m = mean(x), r = 1 / sqrt(mean((x - m)^2) + eps).
// Forward reads a row three times, all but the first from cache, and saves m and r. The variance is that of the centred
// values, so a large mean costs it nothing. Backward, with n = (x - m) r and g = gamma dy: dx = r (g - mean(g) - n
// mean(g n)), dgamma = sum of dy n, dbeta = sum of dy.
#include "rows.h"

SIMD_INLINE void sum_step(norm_dtype dtype, const void *x, vf *sum, size_t c, size_t n) {
    *sum = v_add(*sum, v_get(dtype, x, c, n));
}

SIMD_INLINE float row_mean(norm_dtype dtype, const void *x, size_t cols) {
    vf sums[ACCUMULATORS];
    sum_columns(cols, sums, sum_step(dtype, x, &sums[k], c, SIMD_WIDTH), sum_step(dtype, x, &sums[0], c, cols - c));
    return v_sum(sums[0]) / (float)cols;
}

SIMD_INLINE void apply(norm_dtype dtype, const void *gamma, const void *beta, const void *x, void *y, vf mean, vf r,
                       size_t c, size_t n) {
    const vf normed = v_mul(v_sub(v_get(dtype, x, c, n), mean), r);
    v_put(dtype, y, c, n, v_fma(v_get(dtype, gamma, c, n), normed, v_get(dtype, beta, c, n)));
}

SIMD_INLINE void forward(norm_dtype dtype, const norm_args *a, const norm_slice *slice) {
    const void *const gamma = a->gamma, *const beta = a->beta;
    const size_t cols = a->cols;
    float *const saved = a->saved;
    for (size_t row = slice->begin; row < slice->end; row++) {
        const void *const x = row_of(dtype, a->x, row, a->x_stride);
        void *const y = row_of_mut(dtype, a->y, row, a->y_stride);
        const float m = row_mean(dtype, x, cols);
        const float rstd = row_rstd(row_squares(dtype, x, cols, m, true), cols, a->eps);
        if (saved != NULL) {
            saved[2 * row] = m;
            saved[2 * row + 1] = rstd;
        }
        const vf mean = v_set1(m), r = v_set1(rstd);
        for_each_vector(cols, apply(dtype, gamma, beta, x, y, mean, r, c, SIMD_WIDTH),
                        apply(dtype, gamma, beta, x, y, mean, r, c, cols - c));
    }
}

typedef struct {
    vf mean, r, mean_g, mean_gn;
} row_constants;

SIMD_INLINE void dot_step(norm_dtype dtype, const void *gamma, const row_pair *row, vf mean, vf r, vf *sum_g,
                          vf *sum_gn, size_t c, size_t n) {
    // gamma and dy are zero in missing lanes, so g is, and the padding adds nothing.
    const vf g = v_mul(v_get(dtype, gamma, c, n), v_get(dtype, row->dy, c, n));
    *sum_g = v_add(*sum_g, g);
    *sum_gn = v_fma(g, v_mul(v_sub(v_get(dtype, row->x, c, n), mean), r), *sum_gn);
}

// Through a pointer: the ABI returns floats packed in registers, which level scalar must not do.
SIMD_INLINE void backward_row(norm_dtype dtype, const norm_args *a, const row_pair *row, const float *stats,
                              row_constants *out) {
    const void *const gamma = a->gamma;
    const vf mean = v_set1(stats[0]), r = v_set1(stats[1]);
    vf g[ACCUMULATORS], gn[ACCUMULATORS];
    v_clear(g);
    sum_columns(a->cols, gn, dot_step(dtype, gamma, row, mean, r, &g[k], &gn[k], c, SIMD_WIDTH),
                dot_step(dtype, gamma, row, mean, r, &g[0], &gn[0], c, a->cols - c));
    const float cols = (float)a->cols;
    out->mean = mean;
    out->r = r;
    out->mean_g = v_set1(v_sum(v_tree_sum(g)) / cols);
    out->mean_gn = v_set1(v_sum(gn[0]) / cols);
}

// A vector of columns through `count` rows: the partial gradients are loaded and stored once for all of them.
SIMD_INLINE void backward_step(norm_dtype dtype, const void *gamma_row, const row_pair *rows, const row_constants *k,
                               size_t count, float *dgamma, float *dbeta, size_t c, size_t n) {
    const vf gamma = v_get(dtype, gamma_row, c, n);
    vf sum_gamma = v_get(NORM_F32, dgamma, c, n), sum_beta = v_get(NORM_F32, dbeta, c, n);
    for (size_t i = 0; i < count; i++) {
        const vf dy = v_get(dtype, rows[i].dy, c, n);
        const vf normed = v_mul(v_sub(v_get(dtype, rows[i].x, c, n), k[i].mean), k[i].r);
        const vf centred = v_sub(v_mul(gamma, dy), k[i].mean_g);
        sum_gamma = v_fma(dy, normed, sum_gamma);
        sum_beta = v_add(dy, sum_beta);
        v_put(dtype, rows[i].dx, c, n, v_mul(k[i].r, v_fnma(normed, k[i].mean_gn, centred)));
    }
    v_put(NORM_F32, dgamma, c, n, sum_gamma);
    v_put(NORM_F32, dbeta, c, n, sum_beta);
}

SIMD_INLINE void backward_block(norm_dtype dtype, const norm_args *a, size_t row, size_t count, float *dgamma,
                                float *dbeta) {
    const void *const gamma = a->gamma;
    const size_t cols = a->cols;
    row_pair rows[BLOCK];
    row_constants k[BLOCK];
    for (size_t i = 0; i < count; i++) {
        rows[i] = row_pair_at(dtype, a, row + i);
        backward_row(dtype, a, &rows[i], (const float *)a->saved + 2 * (row + i), &k[i]);
    }
    for_each_vector(cols, backward_step(dtype, gamma, rows, k, count, dgamma, dbeta, c, SIMD_WIDTH),
                    backward_step(dtype, gamma, rows, k, count, dgamma, dbeta, c, cols - c));
}

SIMD_INLINE void backward(norm_dtype dtype, const norm_args *a, const norm_slice *slice) {
    float *const dgamma = partial_columns(a, slice->index, 0, 2), *const dbeta = partial_columns(a, slice->index, 1, 2);
    zero_columns(dgamma, a->cols);
    zero_columns(dbeta, a->cols);
    for_each_block(slice, backward_block(dtype, a, row, BLOCK, dgamma, dbeta),
                   backward_block(dtype, a, row, 1, dgamma, dbeta));
}

static void reduce(const norm_args *a, const norm_slice *slice) {
    reduce_columns(a, slice, a->dgamma, 0, 2);
    reduce_columns(a, slice, a->dbeta, 1, 2);
}

#define DEFINE(name, DTYPE)                                                                                            \
    static void forward_##name(const norm_args *a, const norm_slice *s) { forward(DTYPE, a, s); }                      \
    static void backward_##name(const norm_args *a, const norm_slice *s) { backward(DTYPE, a, s); }
NORM_EACH_DTYPE(DEFINE)

#define ROW(name, DTYPE)                                                                                               \
    {.op = NORM_LAYERNORM,                                                                                             \
     .variant = "twopass",                                                                                             \
     .form = NORM_FUSED,                                                                                               \
     .level = NORM_LEVEL_ID,                                                                                           \
     .dtype = DTYPE,                                                                                                   \
     .params = NORM_GAMMA | NORM_BETA,                                                                                 \
     .pass = {NORM_STAGES({forward_##name, NORM_SPLIT_ROWS, 2 * DTYPE##_BYTES}),                                       \
              NORM_STAGES({backward_##name, NORM_SPLIT_ROWS, 3 * DTYPE##_BYTES}, {reduce, NORM_SPLIT_COLS, 0})},       \
     .saved = {.per_row = 2 * sizeof(float)},                                                                          \
     .workspace = {.per_slice_col = 2 * sizeof(float)}},
static const norm_impl impls[] = {NORM_EACH_DTYPE(ROW)};
NORM_TABLE(layernorm, impls);
