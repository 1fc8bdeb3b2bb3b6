// SPDX-License-Identifier: MIT
// rmsnorm, fused and add_fused: y = gamma x r with r = 1 / sqrt(mean(x^2) + eps). Forward reads a row twice, the second
// time from cache, and saves r. Backward, with n = x r and g = gamma dy: dx = r (g - n mean(g n)), dgamma = sum over
// rows of dy n. `std_noaffine` has no gamma.
#include "gradients.h"
#include "schedule.h"

SIMD_INLINE void square_step(kernel_spec spec, const row_source *row, vf *sums, size_t c, size_t n) {
    vf x[SPAN];
    row_first(spec, row, c, n, x);
    UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) add_square(&sums[h], x[h]);
}

SIMD_SHARED vf squares_left(kernel_spec spec, row_source row, size_t c, size_t cols) {
    vf sum = v_zero();
    for_each_left(cols, square_step(spec, &row, &sum, c, n));
    return sum;
}

SIMD_INLINE vf row_squares(kernel_spec spec, const row_source *row, size_t cols, double *wide) {
    const size_t span = span_of(spec.dtype);
    vf sums[ACCUMULATORS];
    sum_columns(span, cols, sums, wide, square_step(spec, row, &sums[k], c, span),
                add_to(&sums[0], squares_left(spec, *row, c, cols)));
    return sums[0];
}
SIMD_INLINE float row_mean_square(kernel_spec spec, const row_source *row, size_t cols) {
    double wide = 0.0;
    const vf squares = row_squares(spec, row, cols, &wide);
    return row_mean(ACCUMULATORS, wide, v_sum(squares), cols);
}

// What writing needs of a row.
typedef struct {
    const void *x;
    void *y;
    row_fetch ahead;
    vf r;
} row_apply;

#define CENTRED false
enum { ROW_CHAINS = ACCUMULATORS };
typedef struct {
    vf squares[ROW_CHAINS];
    double wide;
} row_sums;
typedef struct {
    float rstd;
} row_factors;

SIMD_INLINE void row_clear(row_sums *sums) {
    v_clear(sums->squares, ROW_CHAINS);
    sums->wide = 0.0;
}
SIMD_INLINE void row_add(row_sums *sums, size_t k, vf x) { add_square(&sums->squares[k], x); }
SIMD_INLINE void row_flush(row_sums *sums) { flush_chains(sums->squares, &sums->wide); }
// Refuses an extreme row.
SIMD_INLINE bool row_finish(row_sums *sums, size_t cols, float eps, row_factors *out) {
    out->rstd = row_rstd(row_mean(ROW_CHAINS, sums->wide, v_sum(v_tree_sum(sums->squares)), cols), eps);
    return is_ordinary(out->rstd);
}
SIMD_INLINE float row_moments(kernel_spec spec, const row_source *row, size_t cols, row_factors *out) {
    (void)out;
    return row_mean_square(spec, row, cols);
}
SIMD_INLINE double row_mean_of(const row_factors *f) {
    (void)f;
    return 0.0;
}
SIMD_INLINE void row_set_mean(row_factors *out, double mean) {
    (void)out;
    (void)mean;
}
SIMD_INLINE void row_prepare(row_apply *out, const void *x, void *y, const row_factors *f) {
    out->x = x;
    out->y = y;
    out->r = v_set1(f->rstd);
}

#ifdef SIMD_SUMS
// Of narrow rows (narrow.h).
enum { ROW_SUMS = 1 };
typedef struct {
    float rstd[SIMD_WIDTH];
} rows_together;
SIMD_INLINE void row_terms(vf sums[ROW_SUMS], vf x) { add_square(&sums[0], x); }
SIMD_INLINE void row_vectors(kernel_spec spec, const row_source *row, size_t cols, vf out[ROW_SUMS]) {
    double wide = 0.0;
    out[0] = row_squares(spec, row, cols, &wide);
}
SIMD_INLINE bool rows_moments(const vf means[ROW_SUMS], vf *mean_square) {
    *mean_square = means[0];
    return true;
}
SIMD_INLINE void rows_finish(const vf means[ROW_SUMS], vf rstd, rows_together *out) {
    (void)means;
    v_store(out->rstd, rstd);
}
SIMD_INLINE void rows_keep(const rows_together *f, size_t i, row_factors *out) { out->rstd = f->rstd[i]; }
SIMD_INLINE void rows_prepare(row_apply *out, const void *x, void *y, const rows_together *f, size_t i) {
    *out = (row_apply){.x = x, .y = y, .r = v_set1(f->rstd[i])};
}
#endif

SIMD_INLINE vf row_normed(kernel_spec spec, const row_apply *row, vf x) {
    (void)spec;
    return v_mul(x, row->r);
}

typedef struct {
    vf r, mean_gn;
} row_constants;

SIMD_INLINE vf normed_of(vf x, const row_constants *k) { return v_mul(x, k->r); }

SIMD_INLINE void dot_step(kernel_spec spec, const void *gamma, const row_pair *row, vf r, vf *sums, size_t c,
                          size_t n) {
    affine_span with;
    vf dy[SPAN], x[SPAN];
    get_gamma(spec, gamma, c, n, &with);
    v_get_span(spec.dtype, row->dy, c, n, dy);
    v_get_span(spec.dtype, row->x, c, n, x);
    UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) sums[h] =
        v_fma(times_gamma(spec, &with, h, dy[h]), v_mul(x[h], r), sums[h]);
}

SIMD_SHARED vf dot_left(kernel_spec spec, const norm_args *a, row_pair row, vf r, size_t c) {
    vf sum = v_zero();
    for_each_left(a->cols, dot_step(spec, a->gamma, &row, r, &sum, c, n));
    return sum;
}

// Through a pointer: the ABI returns two floats packed in one register, which level scalar must not do.
SIMD_INLINE void backward_row(kernel_spec spec, const norm_args *a, const row_pair *row, const row_factors *f,
                              row_constants *out) {
    const void *const gamma = a->gamma;
    const vf r = v_set1(f->rstd);
    vf sums[ACCUMULATORS];
    double wide = 0.0;
    const size_t span = span_of(spec.dtype);
    sum_columns(span, a->cols, sums, &wide, dot_step(spec, gamma, row, r, &sums[k], c, span),
                add_to(&sums[0], dot_left(spec, a, *row, r, c)));
    out->r = r;
    out->mean_gn = v_set1(row_mean(ACCUMULATORS, wide, v_sum(sums[0]), a->cols));
}

SIMD_INLINE vf gradient_of(vf g, vf normed, const row_constants *k) { return v_fnma(normed, k->mean_gn, g); }

#define OP NORM_RMSNORM
#define BASE std
#define PARAMS NORM_GAMMA
#include "normalise.h"

#define VARIANTS(X, name, DTYPE)                                                                                       \
    NORM_VARIANTS_WITHOUT_BETA(X, name, DTYPE, std, 0) NORM_VARIANT_F32_AFFINE(X, name, DTYPE, std, 0)
#define STREAMED(X, name, DTYPE) X(name, DTYPE, std, , NORM_GAMMA, 0)
NORM_FUSED_TABLE(rmsnorm);
