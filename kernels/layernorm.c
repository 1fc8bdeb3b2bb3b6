// SPDX-License-Identifier: MIT
// layernorm, fused and add_fused, variant twopass: y = gamma (x - m) r + beta with m = mean(x), r = 1 / sqrt(mean((x -
// m)^2) + eps). Forward reads a row three times, all but the first from cache, and saves m and r. The variance is that
// of the centred values, so a large mean costs it nothing. Backward, with n = (x - m) r and g = gamma dy: dx = r (g -
// mean(g) - n mean(g n)), dgamma = sum of dy n, dbeta = sum of dy. `twopass_noaffine` has neither gamma nor beta, as in
// DiT.
#include "rows.h"

SIMD_INLINE float row_mean(kernel_spec spec, const row_source *row, size_t cols) {
    vf sums[ACCUMULATORS];
    sum_columns(cols, sums, add_to(&sums[k], row_first(spec, row, c, SIMD_WIDTH)),
                add_to(&sums[0], row_first(spec, row, c, cols - c)));
    return v_sum(sums[0]) / (float)cols;
}

SIMD_INLINE vf centred(norm_dtype dtype, const void *x, vf mean, size_t c, size_t n) {
    return v_sub(v_get(dtype, x, c, n), mean);
}

SIMD_INLINE float row_squares(norm_dtype dtype, const void *x, size_t cols, float m) {
    const vf mean = v_set1(m);
    vf sums[ACCUMULATORS];
    sum_columns(cols, sums, add_square(&sums[k], centred(dtype, x, mean, c, SIMD_WIDTH)),
                add_square(&sums[0], v_keep(centred(dtype, x, mean, c, cols - c), cols - c)));
    return v_sum(sums[0]);
}

SIMD_INLINE void apply(kernel_spec spec, const void *gamma, const void *beta, const void *x, void *y, vf mean, vf r,
                       size_t c, size_t n) {
    const vf normed = v_mul(centred(spec.dtype, x, mean, c, n), r);
    v_put(spec.dtype, y, c, n, affine(spec, gamma, beta, normed, c, n));
}

SIMD_INLINE void forward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    const void *const gamma = a->gamma, *const beta = a->beta;
    const size_t cols = a->cols;
    float *const saved = a->saved;
    for (size_t row = slice->begin; row < slice->end; row++) {
        const row_source source = row_source_at(spec, a, row);
        void *const y = row_of_mut(spec.dtype, a->y, row, a->y_stride);
        const float m = row_mean(spec, &source, cols);
        const void *const x = row_again(spec, &source);
        const float rstd = row_rstd(row_squares(spec.dtype, x, cols, m), cols, a->eps);
        if (saved != NULL) {
            saved[2 * row] = m;
            saved[2 * row + 1] = rstd;
        }
        const vf mean = v_set1(m), r = v_set1(rstd);
        for_each_vector(cols, apply(spec, gamma, beta, x, y, mean, r, c, SIMD_WIDTH),
                        apply(spec, gamma, beta, x, y, mean, r, c, cols - c));
    }
}

typedef struct {
    vf mean, r, mean_g, mean_gn;
} row_constants;

SIMD_INLINE void dot_step(kernel_spec spec, const void *gamma, const row_pair *row, vf mean, vf r, vf *sum_g,
                          vf *sum_gn, size_t c, size_t n) {
    // dy is zero in missing lanes, so g is, and the padding adds nothing.
    const vf g = times_gamma(spec, get_gamma(spec, gamma, c, n), v_get(spec.dtype, row->dy, c, n));
    *sum_g = v_add(*sum_g, g);
    *sum_gn = v_fma(g, v_mul(centred(spec.dtype, row->x, mean, c, n), r), *sum_gn);
}

// Through a pointer: the ABI returns floats packed in registers, which level scalar must not do.
SIMD_INLINE void backward_row(kernel_spec spec, const norm_args *a, const row_pair *row, const float *stats,
                              row_constants *out) {
    const void *const gamma = a->gamma;
    const vf mean = v_set1(stats[0]), r = v_set1(stats[1]);
    vf g[ACCUMULATORS], gn[ACCUMULATORS];
    v_clear(g);
    sum_columns(a->cols, gn, dot_step(spec, gamma, row, mean, r, &g[k], &gn[k], c, SIMD_WIDTH),
                dot_step(spec, gamma, row, mean, r, &g[0], &gn[0], c, a->cols - c));
    const float cols = (float)a->cols;
    out->mean = mean;
    out->r = r;
    out->mean_g = v_set1(v_sum(v_tree_sum(g)) / cols);
    out->mean_gn = v_set1(v_sum(gn[0]) / cols);
}

// A vector of columns through `count` rows: the partial gradients are loaded and stored once for all of them.
SIMD_INLINE void backward_step(kernel_spec spec, const void *gamma_row, const row_pair *rows, const row_constants *k,
                               size_t count, const partials *partial, size_t c, size_t n) {
    const vf gamma = get_gamma(spec, gamma_row, c, n);
    partial_vector sums;
    partial_get(spec, partial, c, n, &sums);
    for (size_t i = 0; i < count; i++) {
        const vf dy = v_get(spec.dtype, rows[i].dy, c, n);
        const vf normed = v_mul(centred(spec.dtype, rows[i].x, k[i].mean, c, n), k[i].r);
        const vf rest = v_sub(times_gamma(spec, gamma, dy), k[i].mean_g);
        partial_add(&sums, dy, normed);
        put_dx(spec, &rows[i], k[i].r, v_fnma(normed, k[i].mean_gn, rest), c, n);
    }
    partial_put(spec, partial, c, n, &sums);
}

SIMD_INLINE void backward_block(kernel_spec spec, const norm_args *a, size_t row, size_t count,
                                const partials *partial) {
    const void *const gamma = a->gamma;
    const size_t cols = a->cols;
    row_pair rows[BLOCK];
    row_constants k[BLOCK];
    for (size_t i = 0; i < count; i++) {
        rows[i] = row_pair_at(spec, a, row + i);
        backward_row(spec, a, &rows[i], (const float *)a->saved + 2 * (row + i), &k[i]);
    }
    for_each_vector(cols, backward_step(spec, gamma, rows, k, count, partial, c, SIMD_WIDTH),
                    backward_step(spec, gamma, rows, k, count, partial, c, cols - c));
}

SIMD_INLINE void backward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    const partials partial = zeroed_partials(spec, a, slice->index);
    for_each_block(slice, backward_block(spec, a, row, BLOCK, &partial), backward_block(spec, a, row, 1, &partial));
}

SIMD_INLINE void reduce(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    reduce_partials(spec, a, slice);
}

#define OP NORM_LAYERNORM
#define SAVED_PER_ROW (2 * sizeof(float))
#define VARIANTS(X, name, DTYPE)                                                                                       \
    X(name, DTYPE, twopass, NORM_GAMMA | NORM_BETA, 0)                                                                 \
    X(name, DTYPE, twopass_noaffine, 0, 0)
NORM_FUSED_TABLE(layernorm);
