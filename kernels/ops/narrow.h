// SPDX-License-Identifier: MIT
// narrow.h: forward of narrow rows, as many together as a vector has lanes: their sums are added up in one tree, and
// one root and one division serve them all. Results are those of rows by blocks, bit for bit: terms go through the same
// chains, and the tree adds the same lanes. Included by normalise.h.
#ifndef NARROW_H
#define NARROW_H

// Rows that were refused go by blocks, and so do up to sixteen times as many, doubled at each refusal, or rows would be
// summed in vain.
typedef struct {
    size_t blocks_until; // rows before it go by blocks
    unsigned refusals;
} narrow_state;

#ifdef SIMD_SUMS
_Static_assert(SIMD_WIDTH % BLOCK == 0, "rows together are whole blocks");
// Beyond NARROW_COLS a row's own work hides its root. Rows that may overlap do so instead, but the shortest of AVX-512.
enum { NARROW_ROWS = SIMD_WIDTH, NARROW_COLS = 256, NARROW_FIRST = SIMD_WIDTH > 8 ? 64 : 0 };

// Not where the schedule says how many rows are summed.
SIMD_INLINE bool goes_narrow(kernel_spec spec, const norm_schedule *how, const norm_slice *slice, size_t cols) {
    return spec.form == NORM_FUSED && !spec.streams && !spec.fetches && cols <= NARROW_COLS && how->rows_summed == 0 &&
           slice->end - slice->begin >= NARROW_ROWS &&
           (cols <= NARROW_FIRST || !overlaps(spec, how, slice, cols, ROW_CHAINS));
}

// A span of columns through a block of rows that are too short for all chains: the h-th vector goes to chain h.
SIMD_INLINE void narrow_step(kernel_spec spec, const row_source rows[BLOCK], vf sums[BLOCK][SPAN][ROW_SUMS], size_t c,
                             size_t n) {
    UNROLL_BLOCK for (size_t i = 0; i < BLOCK; i++) {
        vf x[SPAN];
        row_first(spec, &rows[i], c, n, x);
        UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) row_terms(sums[i][h], x[h]);
    }
}
SIMD_INLINE void narrow_block(kernel_spec spec, const norm_args *a, size_t row, size_t at,
                              vf sums[ROW_SUMS][NARROW_ROWS]) {
    const size_t cols = a->cols, span = span_of(spec.dtype);
    row_source rows[BLOCK];
    vf chains[BLOCK][SPAN][ROW_SUMS], left[BLOCK][SPAN][ROW_SUMS];
    UNROLL_BLOCK for (size_t i = 0; i < BLOCK; i++) {
        rows[i] = row_source_at(spec, a, row + i);
        UNROLL_SPAN for (size_t h = 0; h < SPAN; h++) {
            v_clear(chains[i][h], ROW_SUMS);
            v_clear(left[i][h], ROW_SUMS);
        }
    }
    size_t c = 0;
    for (; c + span <= cols; c += span)
        narrow_step(spec, rows, chains, c, span);
    if (c < cols) {
        for_each_left(cols, narrow_step(spec, rows, left, c, n));
        UNROLL_BLOCK for (size_t i = 0; i < BLOCK; i++) UNROLL_SPAN for (size_t k = 0; k < ROW_SUMS; k++)
            add_to(&chains[i][0][k], left[i][0][k]);
    }
    UNROLL_BLOCK for (size_t i = 0; i < BLOCK; i++) UNROLL_SPAN for (size_t k = 0; k < ROW_SUMS; k++) sums[k][at + i] =
        span > SIMD_WIDTH ? v_add(chains[i][0][k], chains[i][SPAN - 1][k]) : chains[i][0][k];
}

// One vector of each sum of each row.
SIMD_INLINE void narrow_sums(kernel_spec spec, const norm_args *a, size_t row, vf sums[ROW_SUMS][NARROW_ROWS]) {
    if (a->cols < ROW_CHAINS * SIMD_WIDTH) {
        for (size_t at = 0; at < NARROW_ROWS; at += BLOCK)
            narrow_block(spec, a, row + at, at, sums);
        return;
    }
    for (size_t at = 0; at < NARROW_ROWS; at++) {
        const row_source source = row_source_at(spec, a, row + at);
        vf own[ROW_SUMS];
        row_vectors(spec, &source, a->cols, own);
        UNROLL_SPAN for (size_t k = 0; k < ROW_SUMS; k++) sums[k][at] = own[k];
    }
}

SIMD_INLINE void narrow_write(kernel_spec spec, const norm_args *a, size_t row, const rows_together *factors) {
    const size_t cols = a->cols, span = span_of(spec.dtype);
    const void *const gamma = a->gamma, *const beta = a->beta;
    for (size_t at = 0; at < NARROW_ROWS; at += BLOCK) {
        row_apply rows[BLOCK];
        UNROLL_BLOCK for (size_t i = 0; i < BLOCK; i++)
            rows_prepare(&rows[i], row_of(spec.dtype, a->x, row + at + i, a->x_stride),
                         row_of_mut(spec.dtype, a->y, row + at + i, a->y_stride), factors, at + i);
        size_t c = 0;
        for (; c + span <= cols; c += span)
            apply(spec, gamma, beta, rows, BLOCK, c, span);
        for_each_left(cols, apply(spec, gamma, beta, rows, BLOCK, c, n));
    }
}

// NARROW_ROWS rows from `row` on; false, with nothing written, if one of them is extreme or to be summed again.
SIMD_INLINE bool narrow_rows(kernel_spec spec, const norm_args *a, size_t row) {
    vf sums[ROW_SUMS][NARROW_ROWS], totals[ROW_SUMS], variance;
    rows_together factors;
    narrow_sums(spec, a, row, sums);
    UNROLL_SPAN for (size_t k = 0; k < ROW_SUMS; k++) totals[k] =
        v_mul(v_sums(sums[k]), v_set1(1.0f / (float)a->cols)); // as row_mean
    if (!rows_moments(totals, &variance))
        return false;
    const vf rstd = v_div(v_set1(1.0f), v_sqrt(v_add(variance, v_set1(a->eps))));
    if (!v_all(v_less(v_zero(), rstd)) || !v_all(v_less(rstd, v_set1(0x1.000002p63f))))
        return false;
    rows_finish(totals, rstd, &factors);
    if (a->saved != NULL)
        for (size_t i = 0; i < NARROW_ROWS; i++)
            rows_keep(&factors, i, (row_factors *)a->saved + row + i);
    kernel_spec unshifted = spec;
    unshifted.algorithm = UNSHIFTED;
    narrow_write(unshifted, a, row, &factors);
    return true;
}

// The rows that were written, from `row` on: NARROW_ROWS or none.
SIMD_INLINE size_t narrow_forward(kernel_spec spec, const norm_args *a, narrow_state *state, size_t row, size_t end) {
    enum { MOST_DOUBLED = 4 };
    if (row < state->blocks_until || end - row < NARROW_ROWS)
        return 0;
    if (narrow_rows(spec, a, row)) {
        state->refusals = 0;
        return NARROW_ROWS;
    }
    state->blocks_until = row + ((size_t)NARROW_ROWS << state->refusals);
    if (state->refusals < MOST_DOUBLED)
        state->refusals++;
    return 0;
}
#else
SIMD_INLINE bool goes_narrow(kernel_spec spec, const norm_schedule *how, const norm_slice *slice, size_t cols) {
    (void)spec, (void)how, (void)slice, (void)cols;
    return false;
}
SIMD_INLINE size_t narrow_forward(kernel_spec spec, const norm_args *a, narrow_state *state, size_t row, size_t end) {
    (void)spec, (void)a, (void)state, (void)row, (void)end;
    return 0;
}
#endif

#endif
