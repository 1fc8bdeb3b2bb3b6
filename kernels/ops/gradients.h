// SPDX-License-Identifier: MIT
// gradients.h: parameter gradients of the fused kernels, which are sums over rows: a partial row per slice, reduced in
// a second stage.
//
// In f32 a sum of n equal numbers is off by up to n / 2 units of 2^-24. So a partial row takes the rows of a run alone,
// those of a block added up first, and is then added to a row of doubles; slices are added up in doubles, too. So a
// gradient of equal terms is off by half a unit for each block of a run, and by one or two more, at any number of rows
// and threads.
#ifndef GRADIENTS_H
#define GRADIENTS_H

#include "rows.h"

enum { RUN_ROWS = BLOCK > 1 ? 16 * BLOCK : 32 };

// A slice's partial gradients: of gamma and beta a number per column, NULL where there is no such parameter.
typedef struct {
    float *dgamma, *dbeta;
} partials;
// Of alpha and shift one number, the sum over all of its elements, in as many parts as a vector has lanes. And how far
// ahead rows are fetched meanwhile, 0: not at all.
typedef struct {
    double dalpha[SIMD_WIDTH], dshift[SIMD_WIDTH];
    size_t rows_ahead;
} tensor_sums;
// A slice's, as the second stage reads them.
typedef struct {
    double dalpha, dshift;
} slice_totals;

// Whether a slice may have more rows than a run. All slices do the same, so that the second stage knows.
SIMD_INLINE bool has_runs(size_t rows, size_t slices) { return rows > RUN_ROWS * slices; }

// What a slice has in the workspace: a partial row for each of `count` column gradients, and behind them a row of
// doubles for each, twice as long. Every row begins a cache line.
enum { ROW_PARTS = 3 };
typedef struct {
    void *workspace;
    size_t rows, cols;
} gradient_rows;
SIMD_INLINE gradient_rows gradient_rows_of(const norm_args *a) {
    gradient_rows g;
    g.workspace = a->workspace;
    g.rows = a->rows;
    g.cols = a->cols;
    return g;
}
SIMD_INLINE float *partial_columns(gradient_rows g, size_t index, size_t which, size_t count) {
    return (float *)((char *)g.workspace + (index * ROW_PARTS * count + which) * align64(g.cols * sizeof(float)));
}
SIMD_INLINE double *wide_columns(gradient_rows g, size_t index, size_t which, size_t count) {
    return (double *)(void *)partial_columns(g, index, count + 2 * which, count);
}
// Behind all slices' rows a cache line for each slice.
SIMD_INLINE slice_totals *totals_of(kernel_spec spec, const norm_args *a, const norm_slice *slice, size_t index) {
    return (slice_totals *)((char *)partial_columns(gradient_rows_of(a), slice->count, 0, column_gradients(spec)) +
                            index * 64);
}

SIMD_SHARED void zero_columns(float *sums, size_t cols) {
    for_each_vector(cols, v_store(sums + c, v_zero()), v_store_part(sums + c, v_zero(), cols - c));
}
SIMD_SHARED void zero_wide(double *sums, size_t cols) {
    for (size_t c = 0; c < cols; c++)
        sums[c] = 0.0;
}

SIMD_INLINE void flush_step(float *sums, double *wide, size_t c) {
    v_add_to_doubles(wide + c, v_load(sums + c));
    v_store(sums + c, v_zero());
}
SIMD_INLINE void flush_rest(float *sums, double *wide, size_t c, size_t cols) {
    for (; c < cols; c++) {
        wide[c] += (double)sums[c];
        sums[c] = 0.0f;
    }
}
// The end of a run: its partial row is added to the doubles, and begins anew.
SIMD_SHARED void flush_columns(float *sums, double *wide, size_t cols) {
    for_each_vector(cols, flush_step(sums, wide, c), flush_rest(sums, wide, c, cols));
}

// A span of f32 stands as it meets spans of bf16, its even places before its odd ones, until its run or slice ends.
SIMD_INLINE bool is_dealt(kernel_spec spec, bool by_spans) { return by_spans && span_of(spec.dtype) > SIMD_WIDTH; }
SIMD_INLINE size_t dealt_place(bool dealt, size_t cols, size_t i) {
    const size_t first = i - i % (SPAN * SIMD_WIDTH), place = i - first;
    return dealt && first + SPAN * SIMD_WIDTH <= cols ? first + place % SPAN * SIMD_WIDTH + place / SPAN : i;
}
SIMD_SHARED void order_columns(float *sums, size_t cols) {
    (void)sums;
#ifdef SIMD_PAIRS
    for (size_t c = 0; c + SPAN * SIMD_WIDTH <= cols; c += SPAN * SIMD_WIDTH) {
        vf ordered[SPAN];
        v_riffle(v_load(sums + c), v_load(sums + c + SIMD_WIDTH), ordered);
        v_store(sums + c, ordered[0]);
        v_store(sums + c + SIMD_WIDTH, ordered[1]);
    }
#else
    (void)cols;
#endif
}

// A span of partial rows, which several rows are added to: dgamma is the sum of dy n, n being what gamma multiplies,
// dbeta that of dy.
typedef struct {
    vf dgamma[SPAN], dbeta[SPAN];
    vf other_dbeta[SPAN]; // of a block's last two rows
} partial_span;

SIMD_INLINE void sums_get(const float *sums, size_t c, size_t n, vf out[SPAN]) {
    out[0] = v_get(NORM_F32, sums, c, n < SIMD_WIDTH ? n : SIMD_WIDTH);
    if (span_vectors(n) > 1)
        out[SPAN - 1] = v_load(sums + c + SIMD_WIDTH);
}
SIMD_INLINE void sums_put(float *sums, size_t c, size_t n, const vf a[SPAN]) {
    v_put(NORM_F32, sums, c, n < SIMD_WIDTH ? n : SIMD_WIDTH, a[0]);
    if (span_vectors(n) > 1)
        v_store(sums + c + SIMD_WIDTH, a[SPAN - 1]);
}

SIMD_INLINE void partial_get(kernel_spec spec, const partials *p, size_t c, size_t n, partial_span *sums) {
    UNROLL_SPAN for (size_t h = 0; h < SPAN; h++) sums->dgamma[h] = sums->dbeta[h] = v_zero();
    if (spec.params & NORM_GAMMA)
        sums_get(p->dgamma, c, n, sums->dgamma);
    if (spec.params & NORM_BETA)
        sums_get(p->dbeta, c, n, sums->dbeta);
}
// The sums of a block's rows begin with its first row (partial_add); those of rows that go alone, at the partial row.
SIMD_INLINE void partial_begin(kernel_spec spec, const partials *p, size_t c, size_t n, partial_span *sums) {
    UNROLL_SPAN for (size_t h = 0; h < SPAN; h++) // dead where a block is full
        sums->dgamma[h] = sums->dbeta[h] = sums->other_dbeta[h] = v_zero();
    if (BLOCK == 1)
        partial_get(spec, p, c, n, sums);
}
// Of row i of the block: in dbeta by pairs, for pairs of equal numbers and pairs of such pairs are added exactly; in
// dgamma one after the other, where a pair more would cost an operation, and equal terms are off by a unit or two.
SIMD_INLINE void partial_add(partial_span *sums, size_t i, size_t h, vf dy, vf normed) {
    vf *const dbeta = i < PAIR || BLOCK == 1 ? &sums->dbeta[h] : &sums->other_dbeta[h];
    sums->dgamma[h] = BLOCK > 1 && i == 0 ? v_mul(dy, normed) : v_fma(dy, normed, sums->dgamma[h]);
    *dbeta = BLOCK > 1 && i % PAIR == 0 ? dy : v_add(dy, *dbeta);
}
SIMD_INLINE void partial_end(kernel_spec spec, const partials *p, size_t c, size_t n, partial_span *sums) {
    if (BLOCK > 1) {
        partial_span before;
        partial_get(spec, p, c, n, &before);
        UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) {
            sums->dgamma[h] = v_add(before.dgamma[h], sums->dgamma[h]);
            sums->dbeta[h] = v_add(before.dbeta[h], v_add(sums->dbeta[h], sums->other_dbeta[h]));
        }
    }
    if (spec.params & NORM_GAMMA)
        sums_put(p->dgamma, c, n, sums->dgamma);
    if (spec.params & NORM_BETA)
        sums_put(p->dbeta, c, n, sums->dbeta);
}

// Backward of `count` rows, 1 to BLOCK: dx, and what they add to the parameter gradients.
typedef void backward_rows(const norm_args *a, size_t row, size_t count, partials partial, tensor_sums *total);

// Rows that a norm cannot compute in f32 (extreme.h) go alone. ordinary() says how many of `count` rows come before the
// first such one. NULL: an op without them.
typedef struct {
    size_t (*ordinary)(const norm_args *a, size_t row, size_t count);
    void (*backward)(kernel_spec spec, const norm_args *a, size_t row, partials partial);
} extreme_rows;

SIMD_INLINE void backward_run(kernel_spec spec, const norm_args *a, size_t begin, size_t end, backward_rows *rows,
                              const extreme_rows *extreme, partials partial, tensor_sums *total) {
    for (size_t row = begin, count; row < end; row += count) {
        count = end - row < BLOCK ? end - row : BLOCK;
        if (extreme != NULL) {
            count = extreme->ordinary(a, row, count);
            if (count == 0) {
                extreme->backward(spec, a, row, partial);
                count = 1;
                continue;
            }
        }
        rows(a, row, count, partial, total);
    }
}

SIMD_INLINE double sum_of_lanes(const double *lanes) {
    double sum = 0.0;
    for (size_t k = 0; k < SIMD_WIDTH; k++)
        sum += lanes[k];
    return sum;
}

SIMD_SHARED void backward_slice(kernel_spec spec, const norm_args *a, const norm_slice *slice, backward_rows *rows,
                                const extreme_rows *extreme, bool by_spans) {
    const size_t count = column_gradients(spec);
    const gradient_rows g = gradient_rows_of(a);
    const bool runs = has_runs(a->rows, slice->count);
    float *const columns[] = {spec.params & NORM_GAMMA ? partial_columns(g, slice->index, 0, count) : NULL,
                              spec.params & NORM_BETA ? partial_columns(g, slice->index, 1, count) : NULL};
    partials partial;
    partial.dgamma = columns[0];
    partial.dbeta = columns[1];
    for (size_t which = 0; which < count; which++) {
        zero_columns(columns[which], a->cols);
        if (runs)
            zero_wide(wide_columns(g, slice->index, which, count), a->cols);
    }
    const size_t ahead = slice->schedule == NULL ? 0 : rows_ahead(slice->schedule, a->cols * dtype_size(spec.dtype));
    tensor_sums total = {.rows_ahead = ahead == 0 || ahead > BLOCK ? ahead : BLOCK};
    zero_wide(total.dalpha, SIMD_WIDTH);
    zero_wide(total.dshift, SIMD_WIDTH);
    for (size_t begin = slice->begin, end; begin < slice->end; begin = end) {
        end = runs && slice->end - begin > RUN_ROWS ? begin + RUN_ROWS : slice->end;
        backward_run(spec, a, begin, end, rows, extreme, partial, &total);
        for (size_t which = 0; which < count; which++) {
            if (is_dealt(spec, by_spans))
                order_columns(columns[which], a->cols);
            if (runs)
                flush_columns(columns[which], wide_columns(g, slice->index, which, count), a->cols);
        }
    }
    if (spec.params & (NORM_ALPHA | NORM_SHIFT)) {
        slice_totals *const sums = totals_of(spec, a, slice, slice->index);
        sums->dalpha = sum_of_lanes(total.dalpha);
        sums->dshift = sum_of_lanes(total.dshift);
    }
}

// n columns of what the slices have summed, added up.
SIMD_INLINE void reduce_step(gradient_rows g, size_t slices, float *out, size_t which, size_t count, size_t c,
                             size_t n) {
    if (slices == 1 && !has_runs(g.rows, slices)) {
        v_put(NORM_F32, out, c, n, v_get(NORM_F32, partial_columns(g, 0, which, count), c, n));
        return;
    }
    double sums[SIMD_WIDTH] = {0.0};
    for (size_t i = 0; i < slices; i++)
        if (!has_runs(g.rows, slices))
            v_add_to_doubles(sums, v_get(NORM_F32, partial_columns(g, i, which, count), c, n));
        else
            for (size_t k = 0; k < n; k++)
                sums[k] += wide_columns(g, i, which, count)[c + k];
    v_put(NORM_F32, out, c, n, v_from_doubles(sums));
}
// Those of the slice's, of what `slices` slices have summed.
SIMD_SHARED void reduce_columns(void *workspace, size_t rows, size_t cols, const norm_slice *slice, size_t slices,
                                float *out, size_t which, size_t count) {
    gradient_rows g;
    g.workspace = workspace;
    g.rows = rows;
    g.cols = cols;
    size_t c = slice->begin;
    for (; c + SIMD_WIDTH <= slice->end; c += SIMD_WIDTH)
        reduce_step(g, slices, out, which, count, c, SIMD_WIDTH);
    if (c < slice->end)
        reduce_step(g, slices, out, which, count, c, slice->end - c);
}

// The second stage.
SIMD_SHARED void reduce(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    if (spec.params & NORM_GAMMA)
        reduce_columns(a->workspace, a->rows, a->cols, slice, slice->count, a->dgamma, 0, column_gradients(spec));
    if (spec.params & NORM_BETA)
        reduce_columns(a->workspace, a->rows, a->cols, slice, slice->count, a->dbeta, 1, column_gradients(spec));
    if (slice->index != 0)
        return;
    double dalpha = 0.0, dshift = 0.0;
    if (spec.params & (NORM_ALPHA | NORM_SHIFT))
        for (size_t i = 0; i < slice->count; i++) {
            dalpha += totals_of(spec, a, slice, i)->dalpha;
            dshift += totals_of(spec, a, slice, i)->dshift;
        }
    if (spec.params & NORM_ALPHA)
        *a->dalpha = (float)dalpha;
    if (spec.params & NORM_SHIFT)
        *a->dshift = (float)dshift;
}

#endif
