// SPDX-License-Identifier: MIT
// dyt, fused and add_fused: y = gamma tanh(alpha x) + beta; one sweep, no reduction over the row. Variants by their
// tanh: `libm` calls tanhf for each element, `u2` is ours; `*_nobeta` has no beta, as in the paper's LLaMA, and
// `*_noaffine` has alpha alone, as in DiT. Backward recomputes t = tanh(alpha x) rather than read it back: with u =
// gamma dy (1 - t^2), dx = alpha u, dalpha = sum of u x, dgamma = sum of dy t, dbeta = sum of dy.
#include "rows.h"
#include "simd_math.h"

enum { TANH_LIBM, TANH_U2 };

SIMD_INLINE vf v_tanh(kernel_spec spec, vf z) { return spec.algorithm == TANH_U2 ? v_tanh_u2(z) : v_tanh_libm(z); }

SIMD_INLINE void apply(kernel_spec spec, const void *gamma, const void *beta, const row_source *row, void *y, vf alpha,
                       size_t c, size_t n) {
    const vf t = v_tanh(spec, v_mul(alpha, row_first(spec, row, c, n)));
    v_put(spec.dtype, y, c, n, affine(spec, gamma, beta, t, c, n));
}

SIMD_INLINE void forward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    const void *const gamma = a->gamma, *const beta = a->beta;
    const size_t cols = a->cols;
    const vf alpha = v_set1(a->alpha);
    for (size_t row = slice->begin; row < slice->end; row++) {
        const row_source source = row_source_at(spec, a, row);
        void *const y = row_of_mut(spec.dtype, a->y, row, a->y_stride);
        for_each_vector(cols, apply(spec, gamma, beta, &source, y, alpha, c, SIMD_WIDTH),
                        apply(spec, gamma, beta, &source, y, alpha, c, cols - c));
    }
}

// A vector of columns through `count` rows: the partial gradients are loaded and stored once for all of them.
SIMD_INLINE void backward_step(kernel_spec spec, const void *gamma_row, vf alpha, const row_pair *rows, size_t count,
                               const partials *partial, vf *dalpha, size_t c, size_t n) {
    const vf gamma = get_gamma(spec, gamma_row, c, n), one = v_set1(1.0f);
    partial_vector sums;
    partial_get(spec, partial, c, n, &sums);
    for (size_t i = 0; i < count; i++) {
        const vf x = v_get(spec.dtype, rows[i].x, c, n), dy = v_get(spec.dtype, rows[i].dy, c, n);
        const vf t = v_tanh(spec, v_mul(alpha, x));
        const vf u = v_mul(times_gamma(spec, gamma, dy), v_fnma(t, t, one));
        *dalpha = v_fma(u, x, *dalpha);
        partial_add(&sums, dy, t);
        put_dx(spec, &rows[i], alpha, u, c, n);
    }
    partial_put(spec, partial, c, n, &sums);
}

// dalpha sums over the whole tensor. It is kept in double and flushed to it after every DALPHA_RUN vectors, so that its
// error does not grow with the tensor.
enum { DALPHA_RUN = 64 };

SIMD_INLINE void backward_block(kernel_spec spec, const norm_args *a, size_t row, size_t count, const partials *partial,
                                double *dalpha) {
    const void *const gamma = a->gamma;
    const vf alpha = v_set1(a->alpha);
    const size_t cols = a->cols;
    row_pair rows[BLOCK];
    for (size_t i = 0; i < count; i++)
        rows[i] = row_pair_at(spec, a, row + i);
    for (size_t first = 0; first < cols; first += DALPHA_RUN * SIMD_WIDTH) {
        const size_t left = cols - first, end = left < DALPHA_RUN * SIMD_WIDTH ? cols : first + DALPHA_RUN * SIMD_WIDTH;
        vf sum = v_zero();
        size_t c = first;
        for (; c + SIMD_WIDTH <= end; c += SIMD_WIDTH)
            backward_step(spec, gamma, alpha, rows, count, partial, &sum, c, SIMD_WIDTH);
        if (c < end)
            backward_step(spec, gamma, alpha, rows, count, partial, &sum, c, end - c);
        *dalpha += (double)v_sum(sum);
    }
}

// The slices' partial dalpha stand behind their partial columns, a cache line each.
SIMD_INLINE double *partial_dalpha(kernel_spec spec, const norm_args *a, const norm_slice *slice, size_t index) {
    return (double *)((char *)partial_columns(a, slice->count, 0, column_gradients(spec)) + index * 64);
}

SIMD_INLINE void backward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    const partials partial = zeroed_partials(spec, a, slice->index);
    double dalpha = 0.0;
    for_each_block(slice, backward_block(spec, a, row, BLOCK, &partial, &dalpha),
                   backward_block(spec, a, row, 1, &partial, &dalpha));
    *partial_dalpha(spec, a, slice, slice->index) = dalpha;
}

SIMD_INLINE void reduce(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    reduce_partials(spec, a, slice);
    if (slice->index != 0)
        return;
    double sum = 0.0;
    for (size_t i = 0; i < slice->count; i++)
        sum += *partial_dalpha(spec, a, slice, i);
    *a->dalpha = (float)sum;
}

#define OP NORM_DYT
#define SAVED_PER_ROW 0
#define VARIANTS(X, name, DTYPE)                                                                                       \
    X(name, DTYPE, u2, NORM_GAMMA | NORM_BETA | NORM_ALPHA, TANH_U2)                                                   \
    X(name, DTYPE, u2_nobeta, NORM_GAMMA | NORM_ALPHA, TANH_U2)                                                        \
    X(name, DTYPE, u2_noaffine, NORM_ALPHA, TANH_U2)                                                                   \
    X(name, DTYPE, libm, NORM_GAMMA | NORM_BETA | NORM_ALPHA, TANH_LIBM)                                               \
    X(name, DTYPE, libm_nobeta, NORM_GAMMA | NORM_ALPHA, TANH_LIBM)
NORM_FUSED_TABLE(dyt);
