// SPDX-License-Identifier: MIT
// squash.h: the ops that squash each element on its own, fused and add_fused: y = gamma f(z) + beta, z = alpha x, or
// alpha x + shift where there is one. One sweep, no reduction over the row. Backward recomputes f(z) rather than read
// it back: with u = gamma dy f'(z), dx = alpha u, dalpha = sum of u x, dshift = sum of u, dgamma = sum of dy f(z),
// dbeta = sum of dy.
//
// An op's file includes this, defines squash(), which is all that the ops differ in, and its table; `*_nobeta` has no
// beta, as the paper's LLaMA, and `*_noaffine` neither gamma nor beta, as DiT.
#ifndef SQUASH_H
#define SQUASH_H

#include "rows.h"
#include "simd_math.h"

// f(z), and in *slope f'(z), unless it is NULL, as forward has it. A NaN gives a NaN.
SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope);

typedef struct {
    vf alpha, shift;
} squash_scalars;

SIMD_INLINE void get_scalars(kernel_spec spec, const norm_args *a, squash_scalars *k) {
    k->alpha = v_set1(a->alpha);
    k->shift = spec.params & NORM_SHIFT ? v_set1(a->shift) : v_zero();
}

SIMD_INLINE vf inner(kernel_spec spec, const squash_scalars *k, vf x) {
    return spec.params & NORM_SHIFT ? v_fma(k->alpha, x, k->shift) : v_mul(k->alpha, x);
}

SIMD_INLINE void apply(kernel_spec spec, const void *gamma, const void *beta, const row_source *row, void *y,
                       const squash_scalars *k, size_t c, size_t n) {
    const vf t = squash(spec, inner(spec, k, row_first(spec, row, c, n)), NULL);
    put_result(spec, y, c, n, affine(spec, gamma, beta, t, c, n));
}

SIMD_INLINE void forward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    const void *const gamma = a->gamma, *const beta = a->beta;
    const size_t cols = a->cols;
    squash_scalars k;
    get_scalars(spec, a, &k);
    for (size_t row = slice->begin; row < slice->end; row++) {
        const row_source source = row_source_at(spec, a, row);
        void *const y = row_of_mut(spec.dtype, a->y, row, a->y_stride);
        for_each_vector(cols, apply(spec, gamma, beta, &source, y, &k, c, SIMD_WIDTH),
                        apply(spec, gamma, beta, &source, y, &k, c, cols - c));
    }
}

// dalpha and dshift sum over the whole tensor. They are kept in double and flushed to it after every SUM_RUN vectors of
// a block's rows, so that their error does not grow with the tensor.
enum { SUM_RUN = 64 };

typedef struct {
    vf dalpha, dshift;
} run_sums;
typedef struct {
    double dalpha, dshift;
} tensor_sums;

// A vector of columns through `count` rows: the partial gradients are loaded and stored once for all of them.
SIMD_INLINE void backward_step(kernel_spec spec, const void *gamma_row, const squash_scalars *k, const row_pair *rows,
                               size_t count, const partials *partial, run_sums *run, size_t c, size_t n) {
    const vf gamma = get_gamma(spec, gamma_row, c, n);
    partial_vector sums;
    partial_get(spec, partial, c, n, &sums);
    for (size_t i = 0; i < count; i++) {
        const vf x = v_get(spec.dtype, rows[i].x, c, n), dy = v_get(spec.dtype, rows[i].dy, c, n);
        vf slope;
        const vf t = squash(spec, inner(spec, k, x), &slope);
        const vf u = v_mul(times_gamma(spec, gamma, dy), slope);
        run->dalpha = v_fma(u, x, run->dalpha);
        if (spec.params & NORM_SHIFT) // padding adds nothing, for there dy is zero
            run->dshift = v_add(u, run->dshift);
        partial_add(&sums, dy, t);
        put_dx(spec, &rows[i], k->alpha, u, c, n);
    }
    partial_put(spec, partial, c, n, &sums);
}

SIMD_INLINE void backward_block(kernel_spec spec, const norm_args *a, size_t row, size_t count, const partials *partial,
                                tensor_sums *total) {
    const void *const gamma = a->gamma;
    const size_t cols = a->cols;
    squash_scalars k;
    get_scalars(spec, a, &k);
    row_pair rows[BLOCK];
    for (size_t i = 0; i < count; i++)
        rows[i] = row_pair_at(spec, a, row + i);
    for (size_t first = 0; first < cols; first += SUM_RUN * SIMD_WIDTH) {
        const size_t left = cols - first, end = left < SUM_RUN * SIMD_WIDTH ? cols : first + SUM_RUN * SIMD_WIDTH;
        run_sums run = {v_zero(), v_zero()};
        size_t c = first;
        for (; c + SIMD_WIDTH <= end; c += SIMD_WIDTH)
            backward_step(spec, gamma, &k, rows, count, partial, &run, c, SIMD_WIDTH);
        if (c < end)
            backward_step(spec, gamma, &k, rows, count, partial, &run, c, end - c);
        total->dalpha += (double)v_sum(run.dalpha);
        if (spec.params & NORM_SHIFT)
            total->dshift += (double)v_sum(run.dshift);
    }
}

// The slices' sums stand behind their partial columns, a cache line each.
SIMD_INLINE tensor_sums *slice_sums(kernel_spec spec, const norm_args *a, const norm_slice *slice, size_t index) {
    return (tensor_sums *)((char *)partial_columns(a, slice->count, 0, column_gradients(spec)) + index * 64);
}

SIMD_INLINE void backward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    const partials partial = zeroed_partials(spec, a, slice->index);
    tensor_sums total = {0.0, 0.0};
    for_each_block(slice, backward_block(spec, a, row, BLOCK, &partial, &total),
                   backward_block(spec, a, row, 1, &partial, &total));
    *slice_sums(spec, a, slice, slice->index) = total;
}

SIMD_INLINE void reduce(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    reduce_partials(spec, a, slice);
    if (slice->index != 0)
        return;
    tensor_sums total = {0.0, 0.0};
    for (size_t i = 0; i < slice->count; i++) {
        total.dalpha += slice_sums(spec, a, slice, i)->dalpha;
        total.dshift += slice_sums(spec, a, slice, i)->dshift;
    }
    *a->dalpha = (float)total.dalpha;
    if (spec.params & NORM_SHIFT)
        *a->dshift = (float)total.dshift;
}

#define ELEMENTWISE true
#define SAVED_PER_ROW 0

// The variants of one algorithm, whose name is the variant's: PARAMS are those of the op.
#define SQUASH_VARIANTS(X, name, DTYPE, algorithm_name, PARAMS, ALGORITHM)                                             \
    X(name, DTYPE, algorithm_name, PARAMS, ALGORITHM)                                                                  \
    X(name, DTYPE, algorithm_name##_nobeta, (PARAMS) & ~NORM_BETA, ALGORITHM)                                          \
    X(name, DTYPE, algorithm_name##_noaffine, (PARAMS) & ~(NORM_GAMMA | NORM_BETA), ALGORITHM)

#endif
