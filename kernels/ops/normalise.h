// SPDX-License-Identifier: MIT
// normalise.h: what the ops that sum over a row, layernorm and rmsnorm, do alike: forward by rows and by pieces of
// them, backward, and their table. Included once, behind what an op has of its own:
//
//   OP, BASE, PARAMS   the op, its variant without a suffix, and the parameters that it can have
//   CENTRED         whether a mean is subtracted
//   ROW_CHAINS      how many chains of sums run side by side
//   row_sums        the sums of a row that overlaps: row_clear, row_add of a vector to chain k, row_flush after a piece
//   row_factors     what is kept of a row for backward, with a member rstd. Factors go by pointer: some by value are
//                   moved packed, which level scalar must not do
//   row_finish      factors of row_sums; false for a row that is to be summed otherwise
//   row_moments     the mean into the factors of a row, and the variance or mean square as result
//   row_mean_of, row_set_mean   the mean in factors, as a number
//   row_apply       what writing needs of a row: x, y, ahead, and what row_prepare leaves for row_normed, which has x
//                   normalised, before gamma and beta
//   ROW_SUMS        how many sums a row has: row_terms adds a vector to each; row_vectors leaves a vector of each
//   rows_together   factors of narrow rows: rows_moments has the variances of their means of sums, false if one of them
//                   is to be summed otherwise; rows_finish takes these means; rows_keep and rows_prepare are of one row
//   row_constants   what backward needs of a row, with a member r: backward_row makes them; normed_of has n of x, and
//                   gradient_of dx / r of g = gamma dy and n
#ifndef NORMALISE_H
#define NORMALISE_H

#include "extreme.h"
#include "schedule.h"

// A span of columns through `count` rows.
SIMD_INLINE void apply(kernel_spec spec, const void *gamma, const void *beta, const row_apply *rows, size_t count,
                       size_t c, size_t n) {
    affine_span with;
    get_affine(spec, gamma, beta, c, n, &with);
    UNROLL_BLOCK for (size_t i = 0; i < count; i++) {
        fetch_ahead(spec, rows[i].ahead, c, n);
        vf x[SPAN];
        v_get_span(spec.dtype, rows[i].x, c, n, x);
        UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) x[h] =
            affine(spec, &with, h, row_normed(spec, &rows[i], x[h]));
        put_result(spec, rows[i].y, c, n, x);
    }
}

SIMD_SHARED void apply_left(kernel_spec spec, const norm_args *a, const row_apply *rows, size_t count, size_t c) {
    for_each_left(a->cols, for (size_t i = 0; i < count; i++) apply(spec, a->gamma, a->beta, rows + i, 1, c, n));
}

SIMD_INLINE void apply_rows(kernel_spec spec, const norm_args *a, const row_apply *rows, size_t count) {
    const void *const gamma = a->gamma, *const beta = a->beta;
    row_apply held[BLOCK]; // in registers, where `rows`, whose address is handed on, cannot be
    // cppcheck-suppress uninitvar ; count is at least one
    UNROLL_BLOCK for (size_t i = 0; i < count; i++) held[i] = rows[i];
    const size_t span = span_of(spec.dtype);
    for_each_span(span, a->cols, apply(spec, gamma, beta, held, count, c, span), apply_left(spec, a, rows, count, c));
}

SIMD_INLINE void apply_block(kernel_spec spec, const norm_args *a, const row_apply *rows, size_t count) {
    if (!writes_pairs(spec, a->cols, count)) {
        apply_rows(spec, a, rows, count);
        return;
    }
    for (size_t pair = 0; pair < BLOCK; pair += PAIR)
        apply_rows(spec, a, rows + pair, PAIR);
}

SIMD_INLINE void row_keep(void *saved, size_t row, const row_factors *f) {
    if (saved != NULL)
        ((row_factors *)saved)[row] = *f;
}
// false, with a zero kept, for an extreme row.
SIMD_INLINE bool row_whole(kernel_spec spec, const norm_args *a, size_t row, row_factors *out) {
    const row_source source = row_source_at(spec, a, row);
    const float variance = row_moments(spec, &source, a->cols, out);
    out->rstd = row_rstd(variance, a->eps);
    if (!is_ordinary(out->rstd))
        out->rstd = 0.0f;
    row_keep(a->saved, row, out);
    return out->rstd > 0.0f;
}

// What goes before an extreme row is written without it. The rows written are returned.
SIMD_INLINE size_t forward_rows(kernel_spec spec, const norm_schedule *how, const norm_args *a, const norm_slice *slice,
                                size_t row, size_t count) {
    row_apply rows[BLOCK];
    UNROLL_BLOCK for (size_t i = 0; i < count; i++) {
        row_factors f;
        if (!row_whole(spec, a, row + i, &f)) {
            if (i > 0)
                apply_left(spec, a, rows, i, 0);
            extreme_forward(spec, CENTRED, a, row + i);
            return i + 1;
        }
        const row_source source = row_source_at(spec, a, row + i);
        row_prepare(&rows[i], row_again(spec, &source), row_of_mut(spec.dtype, a->y, row + i, a->y_stride), &f);
        rows[i].ahead = row_ahead(spec, how, a, slice, row + i, count);
    }
    apply_block(spec, a, rows, count);
    return count;
}

#include "narrow.h"

// Rows that overlap: each is written while the second next is summed, whose sums, root and division the next one hides.
// Results are those of rows by blocks, bit for bit.
enum { OVERLAP = 2 }; // rows ahead

// Four vectors are read, then four written, and the compiler may not mix them with the next four, or a row takes 1.1
// times as long. Nothing is called in the loop, and what two rows have is scalars.
SIMD_INLINE void overlap_sum(kernel_spec spec, const row_source *source, row_sums *sums, size_t c, size_t from) {
    const size_t span = span_of(spec.dtype), vectors = span_vectors(span);
    UNROLL_ACCUMULATORS for (size_t k = from; k < from + HALF; k += vectors) {
        vf x[SPAN];
        row_first(spec, source, c + k * SIMD_WIDTH, span, x);
        UNROLL_SPAN for (size_t h = 0; h < vectors; h++) row_add(sums, k + h, x[h]);
    }
}
SIMD_INLINE void overlap_write(kernel_spec spec, const norm_args *a, const row_apply *now, size_t c, size_t from) {
    const size_t span = span_of(spec.dtype), vectors = span_vectors(span);
    UNROLL_ACCUMULATORS for (size_t k = from; k < from + HALF; k += vectors)
        apply(spec, a->gamma, a->beta, now, 1, c + k * SIMD_WIDTH, span);
}
// Sums a row, whole steps of the sums, and writes another one, if there is one.
SIMD_INLINE void overlap_row(kernel_spec spec, const norm_args *a, const row_source *source, row_sums *sums,
                             const row_apply *now) {
    row_clear(sums);
    for (size_t c = 0, end; c < a->cols;) {
        end = a->cols - c <= piece_cols(ROW_CHAINS) ? a->cols : c + piece_cols(ROW_CHAINS);
        for (; c < end; c += ROW_CHAINS * SIMD_WIDTH)
            UNROLL_ACCUMULATORS for (size_t from = 0; from < ROW_CHAINS; from += HALF) {
                overlap_sum(spec, source, sums, c, from);
                if (now != NULL) {
                    overlap_write(spec, a, now, c, from);
                    __asm__ volatile("" ::: "memory"); // for the compiler alone
                }
            }
        if (end < a->cols)
            row_flush(sums);
    }
}
SIMD_INLINE void overlap_prepare(kernel_spec spec, const norm_schedule *how, const norm_args *a,
                                 const norm_slice *slice, size_t row, const row_factors *factors, row_apply *out) {
    const row_source source = row_source_at(spec, a, row);
    row_prepare(out, row_again(spec, &source), row_of_mut(spec.dtype, a->y, row, a->y_stride), factors);
    out->ahead = row_ahead(spec, how, a, slice, row, OVERLAP + 1);
}

// Returns the first row that it left, for row_finish may refuse one. `waiting` rows have been summed and not yet
// written. Addresses wait for no memory, or a row's beginning shows.
SIMD_INLINE size_t overlap(kernel_spec spec, const norm_schedule *how, const norm_args *a, const norm_slice *slice) {
    const norm_args args = *a;
    const norm_schedule schedule = *how;
    const norm_slice rows = *slice;
    size_t row = rows.begin;
    row_factors first = {0}, second = {0};
    row_sums sums;
    row_apply now = {0};
    size_t waiting = 0;
    bool refused = false;
    while (waiting < OVERLAP && !refused) {
        const row_source source = row_source_at(spec, &args, row + waiting);
        overlap_row(spec, &args, &source, &sums, NULL);
        first = second;
        refused = !row_finish(&sums, args.cols, args.eps, &second);
        if (!refused)
            row_keep(args.saved, row + waiting++, &second);
    }
    for (; row + OVERLAP < rows.end && !refused; row++) {
        const row_source source = row_source_at(spec, &args, row + OVERLAP);
        overlap_prepare(spec, &schedule, &args, &rows, row, &first, &now);
        overlap_row(spec, &args, &source, &sums, &now);
        first = second;
        refused = !row_finish(&sums, args.cols, args.eps, &second);
        if (!refused)
            row_keep(args.saved, row + OVERLAP, &second);
        else
            waiting--;
    }
    for (; waiting > 0; waiting--, row++) {
        overlap_prepare(spec, &schedule, &args, &rows, row, &first, &now);
        first = second;
        for (size_t c = 0; c < args.cols; c += HALF * SIMD_WIDTH)
            overlap_write(spec, &args, &now, c, 0);
    }
    return row;
}

// The row that overlap() left has been summed in add_fused, perhaps in place of x or branch: it is normalised as any x,
// from there.
SIMD_SHARED void forward_summed(uint8_t params, const norm_schedule *how, const norm_args *a, const norm_slice *slice,
                                size_t row) {
    norm_args summed = *a;
    summed.x = a->sum;
    summed.x_stride = a->sum_stride;
    forward_rows((kernel_spec){.dtype = NORM_F32, .form = NORM_FUSED, .params = params}, how, &summed, slice, row, 1);
}

// f16's gamma and beta take two operations a vector to become f32, bf16's one: of several rows they are widened once,
// where f32 of them leaves room for rows in the nearest cache, and the rest is the variant that has them so.
enum { WIDENED_COLS = 2048, WIDENED_ROWS = 2 * BLOCK };
typedef void forward_stage(const norm_args *a, const norm_slice *slice);
SIMD_SHARED void forward_widened(const norm_args *a, const norm_slice *slice, forward_stage *run) {
    float gamma[WIDENED_COLS] __attribute__((aligned(64))), beta[WIDENED_COLS] __attribute__((aligned(64)));
    norm_args own = *a;
    for (size_t c = 0, n; c < a->cols; c += n) {
        n = a->cols - c < SIMD_WIDTH ? a->cols - c : SIMD_WIDTH;
        v_put(NORM_F32, gamma, c, n, v_get(NORM_F16, a->gamma, c, n));
        if (PARAMS & NORM_BETA)
            v_put(NORM_F32, beta, c, n, v_get(NORM_F16, a->beta, c, n));
    }
    own.gamma = gamma;
    own.beta = beta;
    run(&own, slice);
}
SIMD_INLINE bool widens(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    return BLOCK > 1 && SIMD_WIDTH > 1 && spec.dtype == NORM_F16 && spec.params == PARAMS && !spec.streams &&
           !spec.fetches && a->cols <= WIDENED_COLS && slice->end - slice->begin >= WIDENED_ROWS;
}
#ifdef SIMD_HARDWARE_BF16
#define F32_AFFINE(form) NULL // a level without f16
#else
static forward_stage NORM_PASTE3(forward_, BASE, f32affine_f16), NORM_PASTE3(forward_, BASE, f32affine_add_f16);
#define F32_AFFINE(form)                                                                                               \
    ((form) == NORM_ADD_FUSED ? NORM_PASTE3(forward_, BASE, f32affine_add_f16)                                         \
                              : NORM_PASTE3(forward_, BASE, f32affine_f16))
#endif

SIMD_INLINE void forward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    if (widens(spec, a, slice)) {
        forward_widened(a, slice, F32_AFFINE(spec.form));
        return;
    }
    const norm_schedule *const how = schedule_of(spec, slice);
    norm_slice left = *slice;
    const bool narrow = goes_narrow(spec, how, slice, a->cols);
    narrow_state state = {slice->begin, 0};
    if (!narrow && overlaps(spec, how, slice, a->cols, ROW_CHAINS)) {
        kernel_spec overlapped = spec;
        overlapped.algorithm = UNSHIFTED;
        left.begin = overlap(overlapped, how, a, slice);
        if (spec.form == NORM_ADD_FUSED && left.begin < left.end)
            forward_summed(spec.params, how, a, slice, left.begin++);
    }
    // Two calls with a constant count: a variable one takes up to 1.04 times as long where it is one.
    for (size_t row = left.begin, rows; row < left.end; row += rows) {
        rows = narrow ? narrow_forward(spec, a, &state, row, left.end) : 0;
        if (rows > 0)
            continue;
        rows = rows_summed(spec, how, left.end - row, a->cols);
        if (rows == BLOCK)
            rows = forward_rows(spec, how, a, &left, row, BLOCK);
        else
            rows = forward_rows(spec, how, a, &left, row, 1);
    }
}

SIMD_INLINE void sum_piece(kernel_spec spec, const norm_args *a, size_t row, norm_moments *out) {
    const row_source source = row_source_at(spec, a, row);
    row_factors f;
    const float variance = row_moments(spec, &source, a->cols, &f);
    out->mean = row_mean_of(&f);
    out->variance = variance;
    if (!is_ordinary(row_rstd(variance, a->eps)))
        extreme_moments(spec.dtype, CENTRED, row_again(spec, &source), a->cols, out);
}
SIMD_INLINE void apply_piece(kernel_spec spec, const norm_args *a, size_t row, const norm_moments *whole) {
    const row_source source = row_source_at(spec, a, row);
    void *const y = row_of_mut(spec.dtype, a->y, row, a->y_stride);
    row_apply piece = {0};
    row_factors f;
    row_set_mean(&f, whole->mean);
    f.rstd = row_rstd((float)whole->variance, a->eps);
    if (!is_ordinary(f.rstd)) {
        f.rstd = 0.0f;
        row_keep(a->saved, row, &f);
        extreme_apply(spec, a, row_again(spec, &source), y, whole);
        return;
    }
    row_keep(a->saved, row, &f);
    row_prepare(&piece, row_again(spec, &source), y, &f);
    apply_rows(spec, a, &piece, 1);
}

// A span of columns through `count` rows: the partial gradients are loaded and stored once for all of them.
SIMD_INLINE void backward_step(kernel_spec spec, const void *gamma, const row_pair *rows, const pair_fetch *ahead,
                               const row_constants *k, size_t count, const partials *partial, size_t c, size_t n) {
    affine_span with;
    get_gamma(spec, gamma, c, n, &with);
    partial_span sums;
    partial_begin(spec, partial, c, n, &sums);
    UNROLL_BLOCK for (size_t i = 0; i < count; i++) {
        vf dy[SPAN], x[SPAN], t[SPAN];
        fetch_pair(spec, ahead == NULL ? NULL : ahead + i, c, n);
        v_get_span(spec.dtype, rows[i].dy, c, n, dy);
        v_get_span(spec.dtype, rows[i].x, c, n, x);
        UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) {
            const vf normed = normed_of(x[h], &k[i]);
            partial_add(&sums, i, h, dy[h], normed);
            t[h] = gradient_of(times_gamma(spec, &with, h, dy[h]), normed, &k[i]);
        }
        put_dx(spec, &rows[i], k[i].r, t, c, n);
    }
    partial_end(spec, partial, c, n, &sums);
}

SIMD_SHARED void backward_left(kernel_spec spec, const norm_args *a, const row_pair *rows, const row_constants *k,
                               size_t count, partials partial, size_t c) {
    for_each_left(a->cols, backward_step(spec, a->gamma, rows, NULL, k, count, &partial, c, n));
}

// Of rows whose count it does not know clang keeps all in memory, and takes up to 1.3 times as long: there a block has
// a loop of its own. With that one gcc takes up to 1.09 times as long.
#ifdef __clang__
enum { BLOCKS_APART = true };
#else
enum { BLOCKS_APART = false };
#endif
SIMD_INLINE void backward_block(kernel_spec spec, const norm_args *a, const row_pair *rows, const pair_fetch *ahead,
                                const row_constants *k, partials partial) {
    const void *const gamma = a->gamma;
    row_pair held[BLOCK]; // as in apply_rows
    row_constants constants[BLOCK];
    UNROLL_BLOCK for (size_t i = 0; i < BLOCK; i++) {
        held[i] = rows[i];
        constants[i] = k[i];
    }
    const size_t span = span_of(spec.dtype);
    for_each_span(span, a->cols, backward_step(spec, gamma, held, ahead, constants, BLOCK, &partial, c, span),
                  backward_left(spec, a, rows, k, BLOCK, partial, c));
}

SIMD_INLINE void backward(kernel_spec spec, const norm_args *a, size_t row, size_t count, partials partial,
                          tensor_sums *total) {
    const void *const gamma = a->gamma;
    row_pair rows[BLOCK];
    pair_fetch ahead[BLOCK] = {{{NULL, false}, {NULL, false}}}; // for gcc, which sees no count but four
    row_constants k[BLOCK];
    UNROLL_BLOCK for (size_t i = 0; i < count; i++) {
        rows[i] = row_pair_at(spec, a, row + i);
        if (spec.fetches)
            ahead[i] = pair_ahead(spec, a, row + i, total->rows_ahead);
        backward_row(spec, a, &rows[i], (const row_factors *)a->saved + row + i, &k[i]);
    }
    if (BLOCKS_APART && count == BLOCK) {
        backward_block(spec, a, rows, spec.fetches ? ahead : NULL, k, partial);
        return;
    }
    const size_t span = span_of(spec.dtype);
    for_each_span(span, a->cols,
                  backward_step(spec, gamma, rows, spec.fetches ? ahead : NULL, k, count, &partial, c, span),
                  backward_left(spec, a, rows, k, count, partial, c));
}

static size_t ordinary_rows(const norm_args *a, size_t row, size_t count) {
    const row_factors *const saved = a->saved;
    for (size_t i = 0; i < count; i++)
        if (!is_ordinary(saved[row + i].rstd))
            return i;
    return count;
}
static void backward_extreme(kernel_spec spec, const norm_args *a, size_t row, partials partial) {
    extreme_backward(spec, CENTRED, a, row, partial);
}
static const extreme_rows extreme = {ordinary_rows, backward_extreme};

#define EXTREME_ROWS &extreme
#define ELEMENTWISE false
#define SAVED_PER_ROW sizeof(row_factors)
#define PIECES NORM_DEFINE_PIECES
#define PIECES_OF NORM_PIECES_OF

#endif
