// SPDX-License-Identifier: MIT
// layernorm, fused and add_fused, variant onepass: y = gamma (x - m) r + beta with m = mean(x), r = 1 / sqrt(mean((x -
// m)^2) + eps). Backward, with n = (x - m) r and g = gamma dy: dx = r (g - mean(g) - n mean(g n)), dgamma = sum of dy
// n, dbeta = sum of dy. `onepass_nobeta` has no beta, and `onepass_noaffine` neither gamma nor beta, as in DiT.
//
// Forward reads a row twice, the second time from cache. The first sweep sums d = x - h and d^2 for a shift h, at first
// zero: s = mean(d), v = mean(d^2) - s^2. m = h + s is never rounded to one number: x - m is (x - h) - s, forward and
// backward, so h, s and r are what is saved.
//
// What that costs, in u = 2^-24, with q = s^2 / v and sums that are within k u of the sum of their terms' magnitudes:
//   s           k u sqrt(v + s^2), so k sqrt(1 + q) u in n
//   v           k u (v + s^2) + 2 |s| k u sqrt(v + s^2), relative k (1 + q + 2 sqrt(q (1 + q))) u, half of that in r
//   x - h       one rounding, of the difference: (|n| + sqrt(q)) u in n, wherever h is
// Nothing else depends on the mean, and for q <= 1 it is 1.4 k u + 2.4 k u |n| + u (|n| + 1), whatever the mean and the
// order of the elements. A row with |m| > std has q > 1 at h = 0, and is summed again with h + s in the place of h.
//
// The limit cannot be less than 1, for the new h is rounded: with all x on a grid of step g and the mean at fraction f
// of a step, the nearest float is off by min(f, 1 - f) g, and v is at least f (1 - f) g^2, so q <= f / (1 - f) <= 1 for
// f <= 1/2. Two shifts are enough: s is off by a part k u of m after the first sweep, which leaves q > 1 only if std
// is less than k u |m|, a few steps of x's own grid, and by (k u)^2 after the second, which gives the nearest float.
//
// The mean of the first elements would save rows with |m| > std the second sweep, but costs all rows a subtraction per
// vector in the sweep that every row has. Means of activations are smaller than their deviations, and the second sweep
// reads from cache: no more readings than with a pass for the mean and one for the variance.
#include "gradients.h"
#include "schedule.h"

// The mean is shift + rest. What forward saves of a row.
typedef struct {
    float shift, rest, rstd;
} row_statistics;

// x - shift, the first time of a shift that is zero.
SIMD_INLINE void deviation(kernel_spec spec, const row_source *row, bool first, vf shift, size_t c, size_t n,
                           vf d[SPAN]) {
    if (first) {
        row_first(spec, row, c, n, d);
        return;
    }
    v_get_span(spec.dtype, row_again(spec, row), c, n, d);
    UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) d[h] = v_sub(d[h], shift);
    if (n < SIMD_WIDTH)
        d[0] = v_keep(d[0], n);
}

SIMD_INLINE void moment_step(kernel_spec spec, const row_source *row, bool first, vf shift, vf *sums, vf *squares,
                             size_t c, size_t n) {
    vf d[SPAN];
    deviation(spec, row, first, shift, c, n, d);
    UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) {
        add_to(&sums[h], d[h]);
        add_square(&squares[h], d[h]);
    }
}

SIMD_SHARED void moments_left(kernel_spec spec, row_source row, bool first, vf shift, vf *sum, vf *square, size_t c,
                              size_t cols) {
    for_each_left(cols, moment_step(spec, &row, first, shift, sum, square, c, n));
}

// The sums of a row's last piece, a vector of d and one of d^2, and of those before.
enum { ROW_SUMS = 2 };
SIMD_INLINE void row_sums_of(kernel_spec spec, const row_source *row, size_t cols, bool first, vf shift,
                             vf out[ROW_SUMS], double wide[ROW_SUMS]) {
    const size_t span = span_of(spec.dtype);
    vf sums[HALF], squares[HALF], left[2] = {v_zero(), v_zero()}; // in memory, unlike the others
    v_clear(sums, HALF);
    v_clear(squares, HALF);
    for_each_chain(HALF, span, cols, (flush_half(sums, &wide[0]), flush_half(squares, &wide[1])),
                   moment_step(spec, row, first, shift, &sums[k], &squares[k], c, span),
                   moments_left(spec, *row, first, shift, &left[0], &left[1], c, cols));
    add_to(&sums[0], left[0]);
    add_to(&squares[0], left[1]);
    out[0] = v_half_sum(sums);
    out[1] = v_half_sum(squares);
}
// Sums with the shift in *s; leaves the rest of the mean there and returns the variance.
SIMD_INLINE float row_sweep(kernel_spec spec, const row_source *row, size_t cols, bool first, row_statistics *s) {
    vf sums[ROW_SUMS];
    double wide[ROW_SUMS] = {0.0, 0.0};
    row_sums_of(spec, row, cols, first, v_set1(s->shift), sums, wide);
    s->rest = row_mean(HALF, wide[0], v_sum(sums[0]), cols);
    return row_mean(HALF, wide[1], v_sum(sums[1]), cols) - s->rest * s->rest;
}

enum { SHIFTS = 2 };

SIMD_INLINE float sweep_shifted(norm_dtype dtype, const row_source *row, size_t cols, row_statistics *s) {
    return row_sweep((kernel_spec){.dtype = (uint8_t)dtype, .form = NORM_FUSED}, row, cols, false, s);
}
// With a mean above the deviation: the row is read again, now x alone, in one copy per dtype.
SIMD_SHARED float row_sweep_again(norm_dtype dtype, const void *x, size_t cols, float variance, row_statistics *s) {
    const row_source row = {.x = x};
    for (int i = 0; i < SHIFTS && s->rest * s->rest > variance; i++) {
        s->shift += s->rest;
#define SWEEP_OF(ID, ...)                                                                                              \
    case NORM_##ID:                                                                                                    \
        variance = sweep_shifted(NORM_##ID, &row, cols, s);                                                            \
        break;
        DTYPE_SWITCH(dtype, SWEEP_OF)
#undef SWEEP_OF
    }
    return variance;
}

// Leaves the mean in *s, and returns the variance.
SIMD_INLINE float row_moments(kernel_spec spec, const row_source *row, size_t cols, row_statistics *s) {
    s->shift = 0;
    const float variance = row_sweep(spec, row, cols, true, s);
    return s->rest * s->rest > variance ? row_sweep_again(spec.dtype, row_again(spec, row), cols, variance, s)
                                        : variance;
}

// What writing needs of a row: n = (x - shift) r + offset with offset = -rest r, whose rounding is worth u |rest| r, at
// most u.
typedef struct {
    const void *x;
    void *y;
    row_fetch ahead;
    vf shift, r, offset;
} row_apply;

#define CENTRED true
enum { ROW_CHAINS = HALF };
typedef struct {
    vf sums[ROW_CHAINS], squares[ROW_CHAINS];
    double wide_sum, wide_square;
} row_sums;
typedef row_statistics row_factors;

SIMD_INLINE void row_clear(row_sums *sums) {
    v_clear(sums->sums, ROW_CHAINS);
    v_clear(sums->squares, ROW_CHAINS);
    sums->wide_sum = 0.0;
    sums->wide_square = 0.0;
}
SIMD_INLINE void row_add(row_sums *sums, size_t k, vf x) {
    add_to(&sums->sums[k], x);
    add_square(&sums->squares[k], x);
}
SIMD_INLINE void row_flush(row_sums *sums) {
    flush_half(sums->sums, &sums->wide_sum);
    flush_half(sums->squares, &sums->wide_square);
}
// Refuses a row that is to be summed again, and an extreme one.
SIMD_INLINE bool row_finish(row_sums *sums, size_t cols, float eps, row_factors *out) {
    const float mean = row_mean(ROW_CHAINS, sums->wide_sum, v_sum(v_half_sum(sums->sums)), cols);
    const float square = row_mean(ROW_CHAINS, sums->wide_square, v_sum(v_half_sum(sums->squares)), cols);
    const float variance = square - mean * mean;
    out->shift = 0;
    out->rest = mean;
    out->rstd = row_rstd(variance, eps);
    return mean * mean <= variance && is_ordinary(out->rstd);
}
SIMD_INLINE double row_mean_of(const row_factors *f) { return (double)f->shift + (double)f->rest; }
// As its nearest float and the rest, which is what a second sweep leaves.
SIMD_INLINE void row_set_mean(row_factors *out, double mean) {
    out->shift = (float)mean;
    out->rest = (float)(mean - (double)out->shift);
}
SIMD_INLINE void row_prepare(row_apply *out, const void *x, void *y, const row_factors *f) {
    out->x = x;
    out->y = y;
    out->shift = v_set1(f->shift);
    out->r = v_set1(f->rstd);
    out->offset = v_set1(-f->rest * f->rstd);
}

#ifdef SIMD_SUMS
// Of narrow rows (narrow.h).
typedef struct {
    float rest[SIMD_WIDTH], rstd[SIMD_WIDTH], offset[SIMD_WIDTH];
} rows_together;
SIMD_INLINE void row_terms(vf sums[ROW_SUMS], vf x) {
    add_to(&sums[0], x);
    add_square(&sums[1], x);
}
SIMD_INLINE void row_vectors(kernel_spec spec, const row_source *row, size_t cols, vf out[ROW_SUMS]) {
    double wide[ROW_SUMS] = {0.0, 0.0};
    row_sums_of(spec, row, cols, true, v_zero(), out, wide);
}
SIMD_INLINE bool rows_moments(const vf means[ROW_SUMS], vf *variance) {
    const vf square = v_mul(means[0], means[0]);
    *variance = v_sub(means[1], square);
    return v_all(v_less(v_sub(square, *variance), v_set1(0x1p-149f))); // square <= variance
}
SIMD_INLINE void rows_finish(const vf means[ROW_SUMS], vf rstd, rows_together *out) {
    v_store(out->rest, means[0]);
    v_store(out->rstd, rstd);
    v_store(out->offset, v_mul(means[0], v_sub(v_zero(), rstd)));
}
SIMD_INLINE void rows_keep(const rows_together *f, size_t i, row_factors *out) {
    *out = (row_factors){.shift = 0.0f, .rest = f->rest[i], .rstd = f->rstd[i]};
}
SIMD_INLINE void rows_prepare(row_apply *out, const void *x, void *y, const rows_together *f, size_t i) {
    *out = (row_apply){.x = x, .y = y, .r = v_set1(f->rstd[i]), .offset = v_set1(f->offset[i])};
}
#endif

SIMD_INLINE vf row_normed(kernel_spec spec, const row_apply *row, vf x) {
    const vf d = spec.algorithm == UNSHIFTED ? x : v_sub(x, row->shift);
    return v_fma(d, row->r, row->offset);
}

typedef struct {
    vf shift, rest, r, mean_g, mean_gn;
} row_constants;

SIMD_INLINE vf normed_of(vf x, const row_constants *k) { return v_mul(v_sub(v_sub(x, k->shift), k->rest), k->r); }

SIMD_INLINE void dot_step(kernel_spec spec, const void *gamma, const row_pair *row, const row_constants *k, vf *sums_g,
                          vf *sums_gn, size_t c, size_t n) {
    affine_span with;
    vf dy[SPAN], x[SPAN];
    get_gamma(spec, gamma, c, n, &with);
    v_get_span(spec.dtype, row->dy, c, n, dy);
    v_get_span(spec.dtype, row->x, c, n, x);
    UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) {
        // dy is zero in missing lanes, so g is, and the padding adds nothing.
        const vf g = times_gamma(spec, &with, h, dy[h]);
        add_to(&sums_g[h], g);
        sums_gn[h] = v_fma(g, normed_of(x[h], k), sums_gn[h]);
    }
}

SIMD_SHARED void dot_left(kernel_spec spec, const norm_args *a, const row_pair *row, const row_constants *k, vf *sum_g,
                          vf *sum_gn, size_t c) {
    for_each_left(a->cols, dot_step(spec, a->gamma, row, k, sum_g, sum_gn, c, n));
}

// Through a pointer: the ABI returns floats packed in registers, which level scalar must not do.
SIMD_INLINE void backward_row(kernel_spec spec, const norm_args *a, const row_pair *row, const row_statistics *s,
                              row_constants *out) {
    const void *const gamma = a->gamma;
    row_constants row_k = {.shift = v_set1(s->shift), .rest = v_set1(s->rest), .r = v_set1(s->rstd)};
    vf g[HALF], gn[HALF];
    v_clear(g, HALF);
    v_clear(gn, HALF);
    double wide_g = 0.0, wide_gn = 0.0;
    const size_t span = span_of(spec.dtype);
    for_each_chain(HALF, span, a->cols, (flush_half(g, &wide_g), flush_half(gn, &wide_gn)),
                   dot_step(spec, gamma, row, &row_k, &g[k], &gn[k], c, span),
                   dot_left(spec, a, row, &row_k, &g[0], &gn[0], c));
    row_k.mean_g = v_set1(row_mean(HALF, wide_g, v_sum(v_half_sum(g)), a->cols));
    row_k.mean_gn = v_set1(row_mean(HALF, wide_gn, v_sum(v_half_sum(gn)), a->cols));
    *out = row_k;
}

SIMD_INLINE vf gradient_of(vf g, vf normed, const row_constants *k) {
    return v_fnma(normed, k->mean_gn, v_sub(g, k->mean_g));
}

#define OP NORM_LAYERNORM
#define BASE onepass
#define PARAMS (NORM_GAMMA | NORM_BETA)
#include "normalise.h"

#define VARIANTS(X, name, DTYPE)                                                                                       \
    NORM_VARIANTS(X, name, DTYPE, onepass, 0) NORM_VARIANT_F32_AFFINE(X, name, DTYPE, onepass, 0)
#define STREAMED(X, name, DTYPE)                                                                                       \
    X(name, DTYPE, onepass, , NORM_GAMMA | NORM_BETA, 0) X(name, DTYPE, onepass, _nobeta, NORM_GAMMA, 0)
NORM_FUSED_TABLE(layernorm);
