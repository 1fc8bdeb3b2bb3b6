// SPDX-License-Identifier: MIT
// rows.h: what the fused kernels share about rows: sums over one, blocks of several, and the parameters along them.
#ifndef ROWS_H
#define ROWS_H

#include <math.h>

#include "kernel.h"

// A sum over a row adds at most this many vectors to a chain in f32; longer rows are summed in pieces of so many
// columns, whose sums are added up in double. n numbers of which one is far larger than all others lose up to n / 2
// units of 2^-24 in a chain, and so do n equal ones.
enum { CHAIN_VECTORS = SIMD_WIDTH < 8 ? 32 : SIMD_WIDTH <= 16 ? 64 : 1024 / SIMD_WIDTH };
SIMD_INLINE size_t piece_cols(size_t chains) { return CHAIN_VECTORS * chains * SIMD_WIDTH; }

// Two parts of for_each_chain: steps of all chains up to `end`, and what is left of the row.
#define chain_steps(chains, span, end, step_full)                                                                      \
    for (size_t step_ = c; step_ + (chains)*SIMD_WIDTH <= (end); step_ = c) {                                          \
        UNROLL_ACCUMULATORS for (size_t k = 0; k < (chains); k += (span) / SIMD_WIDTH) {                               \
            c = step_ + k * SIMD_WIDTH;                                                                                \
            step_full;                                                                                                 \
        }                                                                                                              \
        c = step_ + (chains)*SIMD_WIDTH;                                                                               \
    }
#define chain_rest(span, cols, step_full, step_rest)                                                                   \
    const size_t k = 0;                                                                                                \
    for (; c + (span) <= (cols); c += (span))                                                                          \
        step_full;                                                                                                     \
    if ((span) > 1 && c < (cols)) {                                                                                    \
        step_rest;                                                                                                     \
    }

// Runs c over the columns with `chains` independent chains of sums: step_full adds the vectors of the span at c to the
// chains from k on, step_rest what is left, less than a span, to chain 0. `flush` stands between two pieces: it adds
// what the chains have to doubles, and clears them.
#define for_each_chain(chains, span, cols, flush, step_full, step_rest)                                                \
    do {                                                                                                               \
        size_t c = 0;                                                                                                  \
        for (;;) {                                                                                                     \
            const bool last_ = (cols)-c <= piece_cols(chains);                                                         \
            const size_t end_ = last_ ? (cols) : c + piece_cols(chains);                                               \
            chain_steps(chains, span, end_, step_full);                                                                \
            if (last_)                                                                                                 \
                break;                                                                                                 \
            flush;                                                                                                     \
        }                                                                                                              \
        chain_rest(span, cols, step_full, step_rest);                                                                  \
    } while (0)

// Sums over the columns through ACCUMULATORS chains into sums[0], a vector, and of all pieces but the last into *wide.
#define sum_columns(span, cols, sums, wide, step_full, step_rest)                                                      \
    do {                                                                                                               \
        v_clear(sums, ACCUMULATORS);                                                                                   \
        for_each_chain(ACCUMULATORS, span, cols, flush_chains(sums, wide), step_full, step_rest);                      \
        v_tree_sum(sums);                                                                                              \
    } while (0)

SIMD_INLINE void flush_chains(vf sums[ACCUMULATORS], double *wide) {
    *wide += (double)v_sum(v_tree_sum(sums));
    v_clear(sums, ACCUMULATORS);
}
SIMD_INLINE void flush_half(vf sums[HALF], double *wide) {
    *wide += (double)v_sum(v_half_sum(sums));
    v_clear(sums, HALF);
}

SIMD_INLINE void add_to(vf *sum, vf a) { *sum = v_add(*sum, a); }
SIMD_INLINE void add_square(vf *sum, vf a) { *sum = v_fma(a, a, *sum); }

// A row to be normalised: x, or in add_fused the sum of x and branch, which is made as it is read for the first time.
typedef struct {
    const void *x, *branch;
    void *sum;
} row_source;

SIMD_INLINE row_source row_source_at(kernel_spec spec, const norm_args *a, size_t row) {
    row_source source = {.x = row_of(spec.dtype, a->x, row, a->x_stride)};
    if (spec.form == NORM_ADD_FUSED) {
        source.branch = row_of(spec.dtype, a->branch, row, a->branch_stride);
        source.sum = row_of_mut(spec.dtype, a->sum, row, a->sum_stride);
    }
    return source;
}

// The first reading of a row, once for each of its spans. The sum is read back, for what is normalised is what was
// rounded; compilers keep it in a register.
SIMD_INLINE void row_first(kernel_spec spec, const row_source *row, size_t c, size_t n, vf x[SPAN]) {
    v_get_span(spec.dtype, row->x, c, n, x);
    if (spec.form != NORM_ADD_FUSED)
        return;
    vf branch[SPAN];
    v_get_span(spec.dtype, row->branch, c, n, branch);
    UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) x[h] = v_add(x[h], branch[h]);
    v_put_span(spec.dtype, row->sum, c, n, x);
    v_get_span(spec.dtype, row->sum, c, n, x);
}
// The same values for further readings.
SIMD_INLINE const void *row_again(kernel_spec spec, const row_source *row) {
    return spec.form == NORM_ADD_FUSED ? row->sum : row->x;
}

// Of a row of one piece by a factor that is the same for every row, cheaper than a division for each, though it costs
// the mean one more rounding. `wide` has the pieces before.
SIMD_INLINE float row_mean(size_t chains, double wide, float last, size_t cols) {
    return cols <= piece_cols(chains) ? last * (1.0f / (float)cols) : (float)((wide + (double)last) / double_of(cols));
}
SIMD_INLINE float row_rstd(float mean_square, float eps) { return 1.0f / sqrtf(mean_square + eps); }
// Whether that was of a finite normal number. If not, a square may have been out of range, or lost most of its bits:
// the row is computed anew in double (extreme.h), and saved with a zero.
SIMD_INLINE bool is_ordinary(float rstd) { return rstd > 0.0f && rstd <= 0x1p63f; }

// Rows that are taken together: backward loads and stores its partial gradients once for all of them, forward gamma and
// beta, and sums of one row hide the root of another. More would need more registers and cache than a core has. A row
// goes alone where the compiler is to vectorise: it leaves loops over columns with several rows in them as they are.
#ifdef SIMD_PLAIN
enum { BLOCK = 1, PAIR = BLOCK };
#else
enum { BLOCK = 4, PAIR = BLOCK / 2 };
#endif
// Loops over the rows of a block inside one over columns are unrolled whole, so that registers hold what rows have.
#define UNROLL_BLOCK _Pragma("GCC unroll 4")

// What is bound by memory would wait for its reading of rows before it begins to write: so while a row is written,
// another one is fetched, in one direction only, or the hardware does not keep up. Where a CPU drops a fetch when too
// many are on their way, each line is asked for four times.
typedef struct {
    const void *row; // NULL: none
    bool again;
} row_fetch;

// Whether there is code for it beside streams, which always fetch: where vectors are wide enough to wait for memory.
SIMD_INLINE bool can_fetch(kernel_spec spec) {
    return BLOCK > 1 && SIMD_WIDTH > 4 && spec.form == NORM_FUSED && !spec.streams;
}
SIMD_INLINE bool asks_more(const norm_slice *slice) {
    const norm_schedule *const how = slice->schedule;
    return how != NULL && (how->fetch_bytes > 0 || how->tile_cols > 0);
}

SIMD_INLINE size_t rows_ahead(const norm_schedule *how, size_t row_bytes) {
    return (how->fetch_bytes + row_bytes - 1) / row_bytes;
}
// Of a span of a row that is to be read; a span is at most a line.
SIMD_INLINE void fetch_ahead(kernel_spec spec, row_fetch ahead, size_t c, size_t n) {
    enum { READ, SECOND_LEVEL = 2, ASKED_EVERY = 16 };
    const size_t size = dtype_size(spec.dtype);
    if (!spec.fetches || (!spec.streams && ahead.row == NULL))
        return;
    const char *const span = (const char *)ahead.row + c * size;
    __builtin_prefetch(span, READ, SECOND_LEVEL);
    if (ahead.again)
        UNROLL_BLOCK for (size_t at = ASKED_EVERY; at < span_vectors(n) * SIMD_WIDTH * size; at += ASKED_EVERY)
            __builtin_prefetch(span + at, READ, SECOND_LEVEL);
}

typedef struct {
    const void *x, *dy, *dsum;
    void *dx;
} row_pair;

SIMD_INLINE row_pair row_pair_at(kernel_spec spec, const norm_args *a, size_t row) {
    return (row_pair){row_of(spec.dtype, a->x, row, a->x_stride), row_of(spec.dtype, a->dy, row, a->dy_stride),
                      spec.form == NORM_ADD_FUSED ? row_of(spec.dtype, a->dsum, row, a->dsum_stride) : NULL,
                      row_of_mut(spec.dtype, a->dx, row, a->dx_stride)};
}

// What is fetched while a pair is at work: the rows so far behind it, if there are any.
typedef struct {
    row_fetch x, dy;
} pair_fetch;
SIMD_INLINE pair_fetch pair_ahead(kernel_spec spec, const norm_args *a, size_t row, size_t rows_ahead) {
    pair_fetch ahead = {{NULL, false}, {NULL, false}};
    if (rows_ahead > 0 && rows_ahead < a->rows - row) {
        ahead.x.row = row_of(spec.dtype, a->x, row + rows_ahead, a->x_stride);
        ahead.dy.row = row_of(spec.dtype, a->dy, row + rows_ahead, a->dy_stride);
    }
    return ahead;
}
// Of a span; NULL: nothing.
SIMD_INLINE void fetch_pair(kernel_spec spec, const pair_fetch *ahead, size_t c, size_t n) {
    if (ahead == NULL)
        return;
    fetch_ahead(spec, ahead->x, c, n);
    fetch_ahead(spec, ahead->dy, c, n);
}

// dx = a b; in add_fused, which adds what else arrives at the sum, a b + dsum.
SIMD_INLINE void put_dx(kernel_spec spec, const row_pair *row, vf a, const vf b[SPAN], size_t c, size_t n) {
    const bool adds = spec.form == NORM_ADD_FUSED;
    vf dsum[SPAN], dx[SPAN];
    v_clear(dsum, SPAN); // for gcc, which warns of a second vector where there is but one
    v_clear(dx, SPAN);
    if (adds)
        v_get_span(spec.dtype, row->dsum, c, n, dsum);
    UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) dx[h] = adds ? v_fma(a, b[h], dsum[h]) : v_mul(a, b[h]);
    v_put_span(spec.dtype, row->dx, c, n, dx);
}

// How many gradients are one number per column: none, dgamma, or dgamma and dbeta.
SIMD_INLINE size_t column_gradients(kernel_spec spec) {
    return (spec.params & NORM_GAMMA ? 1 : 0) + (spec.params & NORM_BETA ? 1 : 0);
}

// gamma and beta of a span of columns, for affine and times_gamma alone: a gamma that is not there multiplies by one.
// Together, for as two arrays gcc 12 spills more in dyt on AVX2.
typedef struct {
    vf gamma[SPAN], beta[SPAN];
} affine_span;

SIMD_INLINE norm_dtype affine_dtype(kernel_spec spec) {
    return spec.params & NORM_F32_AFFINE ? NORM_F32 : (norm_dtype)spec.dtype;
}
// A span of either, in the order of a span of the row.
SIMD_INLINE void get_parameter(kernel_spec spec, const void *data, size_t c, size_t n, vf out[SPAN]) {
    if (affine_dtype(spec) != spec.dtype)
        v_get_f32_span(data, c, n, out);
    else
        v_get_span(spec.dtype, data, c, n, out);
}
SIMD_INLINE void get_affine(kernel_spec spec, const void *gamma, const void *beta, size_t c, size_t n,
                            affine_span *out) {
    // For the compiler, which does not see that what is not there is not used.
    UNROLL_SPAN for (size_t h = 0; h < SPAN; h++) out->gamma[h] = out->beta[h] = v_zero();
    if (spec.params & NORM_GAMMA)
        get_parameter(spec, gamma, c, n, out->gamma);
    if (spec.params & NORM_BETA)
        get_parameter(spec, beta, c, n, out->beta);
}
// Backward has no use for beta.
SIMD_INLINE void get_gamma(kernel_spec spec, const void *gamma, size_t c, size_t n, affine_span *out) {
    spec.params &= (uint8_t)~NORM_BETA;
    get_affine(spec, gamma, NULL, c, n, out);
}

// gamma a + beta of the h-th vector, with the parameters that there are.
SIMD_INLINE vf affine(kernel_spec spec, const affine_span *with, size_t h, vf a) {
    if (!(spec.params & NORM_GAMMA))
        return a;
    return spec.params & NORM_BETA ? v_fma(with->gamma[h], a, with->beta[h]) : v_mul(with->gamma[h], a);
}
SIMD_INLINE vf times_gamma(kernel_spec spec, const affine_span *with, size_t h, vf a) {
    return spec.params & NORM_GAMMA ? v_mul(with->gamma[h], a) : a;
}

#endif
