// SPDX-License-Identifier: MIT
// dyt, fused: y = gamma tanh(alpha x) + beta; one sweep, no reduction over the row. Variants by their tanh: `libm`
// calls tanhf for each element, `u2` is ours; `*_nobeta` has no beta, as in the paper's LLaMA. Backward recomputes t =
// tanh(alpha x) rather than read it back: with u = gamma dy (1 - t^2), dx = alpha u, dalpha = sum of u x, dgamma = sum
// of dy t, dbeta = sum of dy.
#include "rows.h"
#include "simd_math.h"

typedef enum { TANH_LIBM, TANH_U2 } tanh_kind;

SIMD_INLINE vf v_tanh(tanh_kind kind, vf z) { return kind == TANH_U2 ? v_tanh_u2(z) : v_tanh_libm(z); }

SIMD_INLINE void apply(norm_dtype dtype, tanh_kind kind, bool beta, const void *gamma_row, const void *beta_row,
                       const void *x, void *y, vf alpha, size_t c, size_t n) {
    const vf t = v_tanh(kind, v_mul(alpha, v_get(dtype, x, c, n)));
    const vf gamma = v_get(dtype, gamma_row, c, n);
    v_put(dtype, y, c, n, beta ? v_fma(gamma, t, v_get(dtype, beta_row, c, n)) : v_mul(gamma, t));
}

SIMD_INLINE void forward(norm_dtype dtype, tanh_kind kind, bool beta, const norm_args *a, const norm_slice *slice) {
    const void *const gamma = a->gamma, *const beta_row = a->beta;
    const size_t cols = a->cols;
    const vf alpha = v_set1(a->alpha);
    for (size_t row = slice->begin; row < slice->end; row++) {
        const void *const x = row_of(dtype, a->x, row, a->x_stride);
        void *const y = row_of_mut(dtype, a->y, row, a->y_stride);
        for_each_vector(cols, apply(dtype, kind, beta, gamma, beta_row, x, y, alpha, c, SIMD_WIDTH),
                        apply(dtype, kind, beta, gamma, beta_row, x, y, alpha, c, cols - c));
    }
}

// A vector of columns through `count` rows: the partial gradients are loaded and stored once for all of them.
SIMD_INLINE void backward_step(norm_dtype dtype, tanh_kind kind, bool beta, const void *gamma_row, vf alpha,
                               const row_pair *rows, size_t count, float *dgamma, float *dbeta, vf *dalpha, size_t c,
                               size_t n) {
    const vf gamma = v_get(dtype, gamma_row, c, n), one = v_set1(1.0f);
    vf sum_gamma = v_get(NORM_F32, dgamma, c, n), sum_beta = beta ? v_get(NORM_F32, dbeta, c, n) : v_zero();
    for (size_t i = 0; i < count; i++) {
        const vf x = v_get(dtype, rows[i].x, c, n), dy = v_get(dtype, rows[i].dy, c, n);
        const vf t = v_tanh(kind, v_mul(alpha, x));
        const vf u = v_mul(v_mul(gamma, dy), v_fnma(t, t, one));
        *dalpha = v_fma(u, x, *dalpha);
        sum_gamma = v_fma(dy, t, sum_gamma);
        sum_beta = v_add(dy, sum_beta);
        v_put(dtype, rows[i].dx, c, n, v_mul(alpha, u));
    }
    v_put(NORM_F32, dgamma, c, n, sum_gamma);
    if (beta)
        v_put(NORM_F32, dbeta, c, n, sum_beta);
}

// dalpha sums over the whole tensor. It is kept in double and flushed to it after every DALPHA_RUN vectors, so that its
// error does not grow with the tensor.
enum { DALPHA_RUN = 64 };

SIMD_INLINE void backward_block(norm_dtype dtype, tanh_kind kind, bool beta, const norm_args *a, size_t row,
                                size_t count, float *dgamma, float *dbeta, double *dalpha) {
    const void *const gamma = a->gamma;
    const vf alpha = v_set1(a->alpha);
    const size_t cols = a->cols;
    row_pair rows[BLOCK];
    for (size_t i = 0; i < count; i++)
        rows[i] = row_pair_at(dtype, a, row + i);
    for (size_t first = 0; first < cols; first += DALPHA_RUN * SIMD_WIDTH) {
        const size_t left = cols - first, end = left < DALPHA_RUN * SIMD_WIDTH ? cols : first + DALPHA_RUN * SIMD_WIDTH;
        vf sum = v_zero();
        size_t c = first;
        for (; c + SIMD_WIDTH <= end; c += SIMD_WIDTH)
            backward_step(dtype, kind, beta, gamma, alpha, rows, count, dgamma, dbeta, &sum, c, SIMD_WIDTH);
        if (c < end)
            backward_step(dtype, kind, beta, gamma, alpha, rows, count, dgamma, dbeta, &sum, c, end - c);
        *dalpha += (double)v_sum(sum);
    }
}

// The slices' partial dalpha stand behind their partial columns, a cache line each.
SIMD_INLINE double *partial_dalpha(const norm_args *a, const norm_slice *slice, size_t index, bool beta) {
    return (double *)((char *)partial_columns(a, slice->count, 0, beta ? 2 : 1) + index * 64);
}

SIMD_INLINE void backward(norm_dtype dtype, tanh_kind kind, bool beta, const norm_args *a, const norm_slice *slice) {
    const size_t columns = beta ? 2 : 1;
    float *const dgamma = partial_columns(a, slice->index, 0, columns);
    float *const dbeta = beta ? partial_columns(a, slice->index, 1, columns) : NULL;
    zero_columns(dgamma, a->cols);
    if (beta)
        zero_columns(dbeta, a->cols);
    double dalpha = 0.0;
    for_each_block(slice, backward_block(dtype, kind, beta, a, row, BLOCK, dgamma, dbeta, &dalpha),
                   backward_block(dtype, kind, beta, a, row, 1, dgamma, dbeta, &dalpha));
    *partial_dalpha(a, slice, slice->index, beta) = dalpha;
}

SIMD_INLINE void reduce(bool beta, const norm_args *a, const norm_slice *slice) {
    reduce_columns(a, slice, a->dgamma, 0, beta ? 2 : 1);
    if (beta)
        reduce_columns(a, slice, a->dbeta, 1, 2);
    if (slice->index != 0)
        return;
    double sum = 0.0;
    for (size_t i = 0; i < slice->count; i++)
        sum += *partial_dalpha(a, slice, i, beta);
    *a->dalpha = (float)sum;
}
static void reduce_beta(const norm_args *a, const norm_slice *s) { reduce(true, a, s); }
static void reduce_nobeta(const norm_args *a, const norm_slice *s) { reduce(false, a, s); }

#define DEFINE_VARIANT(name, DTYPE, kind, KIND, suffix, beta)                                                          \
    static void forward_##kind##suffix##_##name(const norm_args *a, const norm_slice *s) {                             \
        forward(DTYPE, KIND, beta, a, s);                                                                              \
    }                                                                                                                  \
    static void backward_##kind##suffix##_##name(const norm_args *a, const norm_slice *s) {                            \
        backward(DTYPE, KIND, beta, a, s);                                                                             \
    }
#define ROW_VARIANT(name, DTYPE, kind, KIND, suffix, has_beta)                                                         \
    {.op = NORM_DYT,                                                                                                   \
     .variant = #kind #suffix,                                                                                         \
     .form = NORM_FUSED,                                                                                               \
     .level = NORM_LEVEL_ID,                                                                                           \
     .dtype = DTYPE,                                                                                                   \
     .params = NORM_GAMMA | NORM_ALPHA | (has_beta ? NORM_BETA : 0),                                                   \
     .pass = {NORM_STAGES({forward_##kind##suffix##_##name, NORM_SPLIT_ROWS, 2 * DTYPE##_BYTES}),                      \
              NORM_STAGES({backward_##kind##suffix##_##name, NORM_SPLIT_ROWS, 3 * DTYPE##_BYTES},                      \
                          {has_beta ? reduce_beta : reduce_nobeta, NORM_SPLIT_COLS, 0})},                              \
     .workspace = {.per_slice_col = (has_beta ? 2 : 1) * sizeof(float), .per_slice = sizeof(double)}},
#define VARIANTS(X, name, DTYPE)                                                                                       \
    X(name, DTYPE, u2, TANH_U2, , true)                                                                                \
    X(name, DTYPE, u2, TANH_U2, _nobeta, false)                                                                        \
    X(name, DTYPE, libm, TANH_LIBM, , true)                                                                            \
    X(name, DTYPE, libm, TANH_LIBM, _nobeta, false)
#define DEFINE(name, DTYPE) VARIANTS(DEFINE_VARIANT, name, DTYPE)
#define ROW(name, DTYPE) VARIANTS(ROW_VARIANT, name, DTYPE)
NORM_EACH_DTYPE(DEFINE)
static const norm_impl impls[] = {NORM_EACH_DTYPE(ROW)};
NORM_TABLE(dyt, impls);
