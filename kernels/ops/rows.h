// SPDX-License-Identifier: MIT
// rows.h: what the fused kernels share about rows: sums over one, blocks of several, and the tables of their variants.
#ifndef ROWS_H
#define ROWS_H

#include <math.h>

#include "kernel.h"

// A sum over a row adds at most this many vectors to a chain in f32; longer rows are summed in pieces of so many
// columns, whose sums are added up in double. n numbers of which one is far larger than all others lose up to n / 2
// units of 2^-24 in a chain, and so do n equal ones.
enum { CHAIN_VECTORS = SIMD_WIDTH < 8 ? 32 : 64 };
SIMD_INLINE size_t piece_cols(size_t chains) { return CHAIN_VECTORS * chains * SIMD_WIDTH; }

// Runs c over the columns with `chains` independent chains of sums: step_full adds the vectors of the span at c to the
// chains from k on, step_rest what is left, less than a span, to chain 0. `flush` stands between two pieces: it adds
// what the chains have to doubles, and clears them.
#define for_each_chain(chains, span, cols, flush, step_full, step_rest)                                                \
    do {                                                                                                               \
        size_t c = 0;                                                                                                  \
        for (;;) {                                                                                                     \
            const bool last_ = (cols)-c <= piece_cols(chains);                                                         \
            const size_t end_ = last_ ? (cols) : c + piece_cols(chains);                                               \
            for (size_t step_ = c; step_ + (chains)*SIMD_WIDTH <= end_; step_ = c) {                                   \
                UNROLL_ACCUMULATORS for (size_t k = 0; k < (chains); k += (span) / SIMD_WIDTH) {                       \
                    c = step_ + k * SIMD_WIDTH;                                                                        \
                    step_full;                                                                                         \
                }                                                                                                      \
                c = step_ + (chains)*SIMD_WIDTH;                                                                       \
            }                                                                                                          \
            if (last_)                                                                                                 \
                break;                                                                                                 \
            flush;                                                                                                     \
        }                                                                                                              \
        const size_t k = 0;                                                                                            \
        for (; c + (span) <= (cols); c += (span))                                                                      \
            step_full;                                                                                                 \
        if ((span) > 1 && c < (cols))                                                                                  \
            step_rest;                                                                                                 \
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

// Of a row of one piece by a factor that is the same for every row: a division for each took rmsnorm and layernorm 1.01
// to 1.04 times as long at 64x256 and 64x768 f32. It costs the mean one more rounding. `wide` has the pieces before.
SIMD_INLINE float row_mean(size_t chains, double wide, float last, size_t cols) {
    return cols <= piece_cols(chains) ? last * (1.0f / (float)cols) : (float)((wide + (double)last) / double_of(cols));
}
SIMD_INLINE float row_rstd(float mean_square, float eps) { return 1.0f / sqrtf(mean_square + eps); }
// Whether that was of a finite normal number. If not, a square may have been out of range, or lost most of its bits:
// the row is computed anew in double (extreme.h), and saved with a zero.
SIMD_INLINE bool is_ordinary(float rstd) { return rstd > 0.0f && rstd <= 0x1p63f; }

// Rows that are taken together. In backward, so that the partial parameter gradients, which do not fit in registers,
// are loaded and stored once for all of them; in forward, so that gamma and beta are loaded once, and so that the sums
// of one row hide the latency of the root and the division of another: rmsnorm takes 0.86 times as long as row by row
// at 64x768 f32 on AVX2, layernorm 0.94. More rows would need more cache than a core has: 4 rows of 4096 f32, of x and
// of dy, are 128 KiB; and more registers: 3 for each of 4 rows of layernorm are 12 of AVX2's 16. A row goes
// alone where the compiler is to vectorise: it leaves loops over columns with several rows in them as they are, which
// took rmsnorm twice as long.
#ifdef SIMD_PLAIN
enum { BLOCK = 1, PAIR = BLOCK };
#else
enum { BLOCK = 4, PAIR = BLOCK / 2 };
#endif
// Loops over the rows of a block inside one over columns are unrolled whole, so that registers hold what rows have.
#define UNROLL_BLOCK _Pragma("GCC unroll 4")

typedef struct {
    const void *x, *dy, *dsum;
    void *dx;
} row_pair;

SIMD_INLINE row_pair row_pair_at(kernel_spec spec, const norm_args *a, size_t row) {
    return (row_pair){row_of(spec.dtype, a->x, row, a->x_stride), row_of(spec.dtype, a->dy, row, a->dy_stride),
                      spec.form == NORM_ADD_FUSED ? row_of(spec.dtype, a->dsum, row, a->dsum_stride) : NULL,
                      row_of_mut(spec.dtype, a->dx, row, a->dx_stride)};
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

// Where forward waits for caches rather than computes: not in bf16, nor with narrow vectors, and in add_fused for
// tensors that are read and written but once.
SIMD_INLINE bool is_bound_by_cache(kernel_spec spec) {
    return spec.dtype == NORM_F32 && spec.form == NORM_FUSED && SIMD_WIDTH > 4 && BLOCK > 1;
}
// Whether `count` rows of x and y fit in the nearest cache, the least that current cores have, with gamma and beta.
SIMD_INLINE bool rows_fit(kernel_spec spec, size_t cols, size_t count) {
    enum { NEAREST_CACHE_BYTES = 32768 };
    return (2 * count + column_gradients(spec)) * cols * sizeof(float) < NEAREST_CACHE_BYTES;
}

// How many rows of the slice a norm's forward sums before it writes them, from `row` on.
// A row that fits in the nearest cache where a block does not goes alone, for its second reading is from there:
// rmsnorm takes 0.81 to 0.94 times as long in rows of 1024 to 2048 f32 (AVX2; AVX-512 0.83 to 0.99), layernorm 0.88 to
// 0.98 up to 1536. bf16 loses up to 0.13, as it does what it computes; layernorm's rows of 4096 lose 0.3, for gamma and
// beta then come from farther.
// Streams go row by row, or lines that are not yet whole are pushed out: 4 rows of 4096 f32 at once, whose addresses
// differ by a power of two, took 5 times as long on Zen 3; in turns of 32 vectors, whose lines are whole, 0.87 to 1.34
// on Zen 4, better in f32 and worse in bf16.
SIMD_INLINE size_t rows_summed(kernel_spec spec, const norm_slice *slice, size_t row, size_t cols) {
    if (spec.streams || slice->end - row < BLOCK)
        return 1;
    return is_bound_by_cache(spec) && !rows_fit(spec, cols, BLOCK) && rows_fit(spec, cols, 1) ? 1 : BLOCK;
}

// Makes `call` for all rows of the slice, `row` the first of `count`, a constant: a variable one takes up to 1.04 times
// as long where it is one. It returns how many it has written.
#define for_each_block(spec, cols, slice, call)                                                                        \
    for (size_t row = (slice)->begin, rows_; row < (slice)->end; row += rows_) {                                       \
        rows_ = rows_summed(spec, slice, row, cols);                                                                   \
        if (rows_ == BLOCK) {                                                                                          \
            enum { count = BLOCK };                                                                                    \
            rows_ = call;                                                                                              \
        } else {                                                                                                       \
            enum { count = 1 };                                                                                        \
            rows_ = call;                                                                                              \
        }                                                                                                              \
    }

// Writes a block's rows by the op's apply_rows(). Of a block that fits in the nearest cache two at a time: the first
// are written while the last sums are awaited. At 64x768 f32 rmsnorm takes 0.95 (AVX2) and 0.94 (AVX-512) times as
// long, layernorm 0.98 and 0.97; rows of 4096, whose gamma is then read twice, took 1.04 to 1.16. The next pair summed
// in the loop that writes one took rmsnorm 1.15 to 1.22 and layernorm 0.94 to 1.08 (64x768, 197x768, 64x512; Zen 5).
#define apply_block(spec, a, rows, count)                                                                              \
    do {                                                                                                               \
        if ((count) == BLOCK && is_bound_by_cache(spec) && rows_fit(spec, (a)->cols, BLOCK))                           \
            for (size_t pair_ = 0; pair_ < BLOCK; pair_ += PAIR)                                                       \
                apply_rows(spec, a, (rows) + pair_, PAIR);                                                             \
        else                                                                                                           \
            apply_rows(spec, a, rows, count);                                                                          \
    } while (0)

// The longest row, in bytes, of those that are summed while another one is written; 0 where none is, for there it loses
// or is untried. Rows are whole steps of the sums, and a slice has a block of them at least.
//
// FEW, Zen 5, one thread: f32 fused at AVX-512, while rows fit beside each other in the nearest cache. rmsnorm takes
// 0.71 (64x768), 0.63 (64x1024) and 0.95 to 0.97 (512x768, 2048x768) times as long as by blocks, layernorm 0.69, 0.61
// and 0.90 to 0.93; rmsnorm 1.03 to 1.07 at 4x768 and 197x768, where it begins to come from a farther cache. Rows of
// 2048 take rmsnorm 0.98 to 1.13, of 4096 1.2. On AVX2 rmsnorm takes 0.9 to 1.2, layernorm 0.7 to 1.02.
//
// MOST, Emerald Rapids, one thread, rows of 512 to 2048 f32 unless said. fused: AVX-512 rmsnorm 0.89 to 1.04, layernorm
// 0.75 to 0.92; AVX2, up to 8192, 0.59 to 0.98 and 0.51 to 0.95, for which the blocks' rows, four at once, may be too
// many; add_fused: AVX-512 0.86 to 1.02 and 0.83 to 0.94, AVX2 0.65 to 0.94, up to 4096. AVX-512 at 3072 to 8192: 0.89
// to 1.02 and 0.99 to 1.09. bf16 streams, up to 8192: 0.79 to 0.98, both norms, where streams of f32 take 0.97 to 1.27
// (4096 columns), and regular stores of bf16 up to 1.13 in cache and 0.82 to 0.95 beyond.
SIMD_INLINE size_t overlap_longest(kernel_spec spec, norm_overlap how) {
    enum { VECTOR = SIMD_WIDTH * sizeof(float), NARROW = 32, WIDE = 64, FEW_BYTES = 6144, MOST_BYTES = 8192 };
    if (how == NORM_OVERLAP_NONE || BLOCK == 1 || VECTOR < NARROW)
        return 0;
    if (how == NORM_OVERLAP_FEW)
        return is_bound_by_cache(spec) && !spec.streams && VECTOR == WIDE ? FEW_BYTES : 0;
    if (spec.streams)
        return spec.dtype == NORM_BF16 ? SIZE_MAX : 0;
    return spec.dtype == NORM_BF16 ? 0 : VECTOR == WIDE ? MOST_BYTES : SIZE_MAX;
}
SIMD_INLINE bool overlaps(kernel_spec spec, const norm_slice *slice, size_t cols, size_t chains) {
    const size_t longest = overlap_longest(spec, slice->overlap);
    return longest > 0 && cols * dtype_size(spec.dtype) <= longest && cols % (chains * SIMD_WIDTH) == 0 &&
           slice->end - slice->begin >= BLOCK;
}

// Defines overlap(), which writes the rows of a slice in turn, each while the second next is summed, whose sums, root
// and division the next one hides; it returns the first row that it left, for row_finish may refuse one. Results are
// those of rows by blocks, bit for bit. Of the op's own: row_sums, row_factors and row_apply, and functions that clear
// sums, add a vector to chain k of them, flush them after a piece, make factors of them, keep those for backward, and
// prepare and do the writing.
// Four vectors are read, then four written: one by one take 1.1 times as long (64x768 f32), and so do the next four
// read before these are written, as gcc schedules them unless told. Nothing is called in the loop, what two rows have
// is scalars, and addresses wait for no memory, or a row's beginning shows, with up to 1.3 times as long. `waiting`
// rows have been summed and not yet written.
enum { OVERLAP = 2, OVERLAPPED = 1 };              // rows ahead; a norm's algorithm
#define IN_ORDER __asm__ volatile("" ::: "memory") // for the compiler alone
#define OVERLAP_SUM(c, from)                                                                                           \
    UNROLL_ACCUMULATORS for (size_t k = (from); k < (from) + HALF; k += vectors) {                                     \
        vf x_[SPAN];                                                                                                   \
        row_first(spec, &source, (c) + k * SIMD_WIDTH, span, x_);                                                      \
        UNROLL_SPAN for (size_t v_ = 0; v_ < vectors; v_++) row_add(&sums, k + v_, x_[v_]);                            \
    }
#define OVERLAP_WRITE(c, from)                                                                                         \
    UNROLL_ACCUMULATORS for (size_t k = (from); k < (from) + HALF; k += vectors)                                       \
        apply(spec, args.gamma, args.beta, &now, 1, (c) + k * SIMD_WIDTH, span)
// Whole steps of the sums, and after all pieces but the last a flush.
#define for_each_piece_step(cols, flush, ...)                                                                          \
    for (size_t c = 0, piece_; c < (cols);) {                                                                          \
        piece_ = (cols)-c <= piece_cols(ROW_CHAINS) ? (cols) : c + piece_cols(ROW_CHAINS);                             \
        for (; c < piece_; c += ROW_CHAINS * SIMD_WIDTH)                                                               \
            __VA_ARGS__;                                                                                               \
        if (piece_ < (cols))                                                                                           \
            flush;                                                                                                     \
    }
#define NORM_DEFINE_OVERLAP                                                                                            \
    SIMD_INLINE void overlap_prepare(kernel_spec spec, const norm_args *a, const norm_slice *slice, size_t row,        \
                                     const row_factors *factors, row_apply *out) {                                     \
        const row_source source = row_source_at(spec, a, row);                                                         \
        row_prepare(out, row_again(spec, &source), row_of_mut(spec.dtype, a->y, row, a->y_stride), factors);           \
        out->ahead = row_ahead(spec, a, slice, row);                                                                   \
    }                                                                                                                  \
    SIMD_INLINE size_t overlap(kernel_spec spec, const norm_args *a, const norm_slice *slice) {                        \
        const norm_args args = *a;                                                                                     \
        const norm_slice rows = *slice;                                                                                \
        const size_t span = span_of(spec.dtype), vectors = span_vectors(span);                                         \
        size_t row = rows.begin;                                                                                       \
        row_factors first = {0}, second = {0};                                                                         \
        row_sums sums;                                                                                                 \
        row_apply now = {0};                                                                                           \
        size_t waiting = 0;                                                                                            \
        bool refused = false;                                                                                          \
        while (waiting < OVERLAP && !refused) {                                                                        \
            const row_source source = row_source_at(spec, &args, row + waiting);                                       \
            row_clear(&sums);                                                                                          \
            for_each_piece_step(args.cols, row_flush(&sums),                                                           \
                                UNROLL_ACCUMULATORS for (size_t h = 0; h < ROW_CHAINS; h += HALF) OVERLAP_SUM(c, h));  \
            first = second;                                                                                            \
            refused = !row_finish(&sums, args.cols, args.eps, &second);                                                \
            if (!refused)                                                                                              \
                row_keep(args.saved, row + waiting++, &second);                                                        \
        }                                                                                                              \
        for (; row + OVERLAP < rows.end && !refused; row++) {                                                          \
            const row_source source = row_source_at(spec, &args, row + OVERLAP);                                       \
            row_clear(&sums);                                                                                          \
            overlap_prepare(spec, &args, &rows, row, &first, &now);                                                    \
            for_each_piece_step(                                                                                       \
                args.cols, row_flush(&sums), UNROLL_ACCUMULATORS for (size_t h = 0; h < ROW_CHAINS; h += HALF) {       \
                    OVERLAP_SUM(c, h);                                                                                 \
                    OVERLAP_WRITE(c, h);                                                                               \
                    IN_ORDER;                                                                                          \
                });                                                                                                    \
            first = second;                                                                                            \
            refused = !row_finish(&sums, args.cols, args.eps, &second);                                                \
            if (!refused)                                                                                              \
                row_keep(args.saved, row + OVERLAP, &second);                                                          \
            else                                                                                                       \
                waiting--;                                                                                             \
        }                                                                                                              \
        for (; waiting > 0; waiting--, row++) {                                                                        \
            overlap_prepare(spec, &args, &rows, row, &first, &now);                                                    \
            first = second;                                                                                            \
            for (size_t c = 0; c < args.cols; c += HALF * SIMD_WIDTH)                                                  \
                OVERLAP_WRITE(c, 0);                                                                                   \
        }                                                                                                              \
        return row;                                                                                                    \
    }

// Defines forward(), which writes all rows of a slice, by forward_rows() what does not overlap. The row that overlap()
// left has been summed in add_fused, perhaps in place of x or branch: it is normalised as any x, from there.
#define NORM_DEFINE_FORWARD                                                                                            \
    SIMD_SHARED void forward_summed(uint8_t params, const norm_args *a, const norm_slice *slice, size_t row) {         \
        norm_args summed = *a;                                                                                         \
        summed.x = a->sum;                                                                                             \
        summed.x_stride = a->sum_stride;                                                                               \
        forward_rows((kernel_spec){.dtype = NORM_F32, .form = NORM_FUSED, .params = params}, &summed, slice, row, 1);  \
    }                                                                                                                  \
    SIMD_INLINE void forward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {                          \
        norm_slice left = *slice;                                                                                      \
        if (overlaps(spec, slice, a->cols, ROW_CHAINS)) {                                                              \
            kernel_spec overlapped = spec;                                                                             \
            overlapped.algorithm = OVERLAPPED;                                                                         \
            left.begin = overlap(overlapped, a, slice);                                                                \
            if (spec.form == NORM_ADD_FUSED && left.begin < left.end)                                                  \
                forward_summed(spec.params, a, slice, left.begin++);                                                   \
        }                                                                                                              \
        for_each_block(spec, a->cols, &left, forward_rows(spec, a, &left, row, count));                                \
    }

// What streams is bound by memory, and a norm would wait for its reading of a row before it begins to write: so while a
// row is written, one AHEAD_BYTES further on is fetched. The next row alone, which there is then too little time for,
// took layernorm 1.03 to 1.5 and rmsnorm 1.05 to 1.4 times as long in rows of 512 to 4096 f32 on Zen 4, most of it at
// 1024 to 2048; 16384 takes the same but for rows of 4096, 1.06 to 1.14, and 49152 and 131072 the same. Fetching into
// the nearest cache gains nothing more, and on Granite Rapids loses what is gained. With regular stores fetching took
// 1.05 at 64x768 on both.
//
// Zen 4 drops a fetch when too many are on their way, so there each line is asked for four times, which a load of it
// costs next to nothing: twice takes the same up to 1280 columns, and 1.1 to 1.2 at 2048 and 1.4 to 1.6 at 4096 times
// as long. On Granite Rapids four times take the norms 1.05 to 1.18 times as long as once (rows of 768 to 4096 f32),
// perhaps because fetches wait in the same buffers as streamed stores. dyt, whose tanh fills what a core looks ahead,
// takes 0.50 (AVX-512) and 0.81 (AVX2) of the time at 4096 columns on Zen 4, 0.73 on Granite Rapids; a copy, which the
// hardware keeps up with, 1.0 to 1.1, and so has none.
//
// Rows are read in one direction only, or the hardware does not keep up: the next row summed before one is written took
// 1.05 to 1.9 times as long, four rows summed and then written 1.2 to 1.5 in rows of 768 and 1024. Summing the next row
// in the loop that writes one took f32 1.3 times as long with AVX2's half lines; see overlap_longest. Fetching while a
// row is summed took 1.0 to 1.2 on Granite Rapids.
typedef struct {
    const void *row;
    bool again;
} row_fetch;

SIMD_INLINE row_fetch row_ahead(kernel_spec spec, const norm_args *a, const norm_slice *slice, size_t row) {
    enum { AHEAD_BYTES = 32768 };
    const size_t row_bytes = a->cols * dtype_size(spec.dtype), rows = (AHEAD_BYTES + row_bytes - 1) / row_bytes;
    return (row_fetch){row_of(spec.dtype, a->x, rows < slice->end - row ? row + rows : row, a->x_stride),
                       slice->refetches};
}
// A span is at most a line.
SIMD_INLINE void fetch_ahead(kernel_spec spec, row_fetch ahead, size_t c, size_t n) {
    enum { READ, SECOND_LEVEL = 2, ASKED_EVERY = 16 };
    const size_t size = dtype_size(spec.dtype);
    const char *const span = (const char *)ahead.row + c * size;
    if (!spec.streams)
        return;
    __builtin_prefetch(span, READ, SECOND_LEVEL);
    if (ahead.again)
        UNROLL_BLOCK for (size_t at = ASKED_EVERY; at < span_vectors(n) * SIMD_WIDTH * size; at += ASKED_EVERY)
            __builtin_prefetch(span + at, READ, SECOND_LEVEL);
}

// gamma and beta of a span of columns, for affine and times_gamma alone: a gamma that is not there multiplies by one.
// Together, for as two arrays gcc 12 spills more in dyt on AVX2, which then takes 1.06 times as long.
typedef struct {
    vf gamma[SPAN], beta[SPAN];
} affine_span;

SIMD_INLINE void get_affine(kernel_spec spec, const void *gamma, const void *beta, size_t c, size_t n,
                            affine_span *out) {
    // For the compiler, which does not see that what is not there is not used.
    UNROLL_SPAN for (size_t h = 0; h < SPAN; h++) out->gamma[h] = out->beta[h] = v_zero();
    if (spec.params & NORM_GAMMA)
        v_get_span(spec.dtype, gamma, c, n, out->gamma);
    if (spec.params & NORM_BETA)
        v_get_span(spec.dtype, beta, c, n, out->beta);
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

// An op's table: every variant in forms fused and add_fused and in every dtype, and some in form fused again with
// streamed results, as variant `*_nt`. Its file defines OP, ELEMENTWISE, SAVED_PER_ROW (the bytes that forward leaves
// for backward), VARIANTS(X, name, DTYPE), a list of X(name, DTYPE, variant, params, algorithm), STREAMED, those of
// them that have such a twin, EXTREME_ROWS, an extreme_rows of gradients.h, and two functions that take a kernel_spec:
// forward, of a slice, and backward, a backward_rows. Without parameters there is nothing to reduce. PIECES and
// PIECES_OF are NORM_DEFINE_PIECES and NORM_PIECES_OF with the functions sum_piece and apply_piece, or empty.
#define NORM_FUSED_TABLE(unit)                                                                                         \
    NORM_EACH_DTYPE(NORM_DEFINE_VARIANTS)                                                                              \
    NORM_EACH_DTYPE(NORM_DEFINE_STREAMED)                                                                              \
    static const norm_impl impls[] = {NORM_EACH_DTYPE(NORM_VARIANT_ROWS) NORM_EACH_DTYPE(NORM_STREAMED_ROWS)};         \
    NORM_TABLE(unit, impls)

#define NORM_DEFINE_VARIANTS(name, DTYPE) VARIANTS(NORM_DEFINE_VARIANT, name, DTYPE)
#define NORM_DEFINE_VARIANT(name, DTYPE, variant, PARAMS, ALGORITHM)                                                   \
    NORM_DEFINE_PASSES(variant##_##name, DTYPE, NORM_FUSED, PARAMS, ALGORITHM)                                         \
    NORM_DEFINE_PASSES(variant##_add_##name, DTYPE, NORM_ADD_FUSED, PARAMS, ALGORITHM)                                 \
    PIECES(variant##_##name, DTYPE, NORM_FUSED, PARAMS, ALGORITHM)                                                     \
    PIECES(variant##_add_##name, DTYPE, NORM_ADD_FUSED, PARAMS, ALGORITHM)                                             \
    static void reduce_##variant##_##name(const norm_args *a, const norm_slice *s) {                                   \
        reduce((kernel_spec){DTYPE, NORM_FUSED, PARAMS, ALGORITHM, false}, a, s);                                      \
    }
// Where rows are taken alone the compiler is told so: a loop over rows inside the one over columns would stay, and that
// one would not be vectorised (rmsnorm's backward at auto_avx2: 2.8 times as long).
#define NORM_DEFINE_PASSES(name, ...)                                                                                  \
    static void forward_##name(const norm_args *a, const norm_slice *s) {                                              \
        forward((kernel_spec){__VA_ARGS__, false}, a, s);                                                              \
    }                                                                                                                  \
    static void rows_##name(const norm_args *a, size_t row, size_t count, partials partial, tensor_sums *total) {      \
        backward((kernel_spec){__VA_ARGS__, false}, a, row, BLOCK == 1 ? 1 : count, partial, total);                   \
    }                                                                                                                  \
    static void backward_##name(const norm_args *a, const norm_slice *s) {                                             \
        backward_slice((kernel_spec){__VA_ARGS__, false}, a, s, rows_##name, EXTREME_ROWS, !ELEMENTWISE);              \
    }

// The op's functions of a piece of a row, for the files of ops that sum over it; squash.h has none.
#define NORM_DEFINE_PIECES(name, ...)                                                                                  \
    static void sum_##name(const norm_args *a, size_t row, norm_moments *out) {                                        \
        sum_piece((kernel_spec){__VA_ARGS__, false}, a, row, out);                                                     \
    }                                                                                                                  \
    static void apply_##name(const norm_args *a, size_t row, const norm_moments *whole) {                              \
        apply_piece((kernel_spec){__VA_ARGS__, false}, a, row, whole);                                                 \
    }
#define NORM_PIECES_OF(name)                                                                                           \
    { sum_##name, apply_##name }

#define NORM_VARIANT_ROWS(name, DTYPE) VARIANTS(NORM_VARIANT_ROW, name, DTYPE)
#define NORM_VARIANT_ROW(name, DTYPE, variant, PARAMS, ALGORITHM)                                                      \
    NORM_FORM_ROW(#variant, DTYPE, NORM_FUSED, PARAMS, false, variant##_##name, variant##_##name, variant##_##name, 2, \
                  3)                                                                                                   \
    NORM_FORM_ROW(#variant, DTYPE, NORM_ADD_FUSED, PARAMS, false, variant##_add_##name, variant##_add_##name,          \
                  variant##_##name, 4, 4)
#define NORM_FORM_ROW(VARIANT, DTYPE, FORM, PARAMS, STREAMS, forth, back, reducer, forward_tensors, backward_tensors)  \
    {.op = OP,                                                                                                         \
     .variant = VARIANT,                                                                                               \
     .form = FORM,                                                                                                     \
     .level = NORM_LEVEL_ID,                                                                                           \
     .dtype = DTYPE,                                                                                                   \
     .params = PARAMS,                                                                                                 \
     .elementwise = ELEMENTWISE,                                                                                       \
     .streams = STREAMS,                                                                                               \
     .pass = {NORM_STAGES({forward_##forth, NORM_SPLIT_ROWS, (forward_tensors)*DTYPE##_BYTES}),                        \
              {(const norm_stage[]){{backward_##back, NORM_SPLIT_ROWS, (backward_tensors)*DTYPE##_BYTES},              \
                                    {reduce_##reducer, NORM_SPLIT_COLS, 0}},                                           \
               (PARAMS) != 0 ? 2 : 1}},                                                                                \
     .piece = PIECES_OF(back),                                                                                         \
     .saved = {.per_row = SAVED_PER_ROW},                                                                              \
     .workspace = {.per_slice_col =                                                                                    \
                       ROW_PARTS * sizeof(float) * (((PARAMS)&NORM_GAMMA ? 1 : 0) + ((PARAMS)&NORM_BETA ? 1 : 0)),     \
                   .per_slice = sizeof(double) * (((PARAMS)&NORM_ALPHA ? 1 : 0) + ((PARAMS)&NORM_SHIFT ? 1 : 0))},     \
     .flushes = FLUSHES},

#ifdef SIMD_STREAM
// Whether every row of a result begins where a vector may be streamed to; if not, a variant `*_nt` stores as its twin.
SIMD_INLINE bool is_streamable(norm_dtype dtype, const void *data, size_t stride) {
    return ((uintptr_t)data | stride * dtype_size(dtype)) % (SIMD_WIDTH * sizeof(float)) == 0;
}
// Forward alone: dx streamed from the rows of a block took 1.2 to 2.1 times as long as with regular stores at 4096x4096
// on Zen 3, and row by row the partial gradients would be loaded and stored for each of them.
#define NORM_DEFINE_STREAMED_FORWARD(name, twin, DTYPE, ...)                                                           \
    static void forward_##name(const norm_args *a, const norm_slice *s) {                                              \
        if (!is_streamable(DTYPE, a->y, a->y_stride)) {                                                                \
            forward_##twin(a, s);                                                                                      \
            return;                                                                                                    \
        }                                                                                                              \
        forward((kernel_spec){DTYPE, __VA_ARGS__, true}, a, s);                                                        \
        v_stream_fence();                                                                                              \
    }
#define NORM_DEFINE_STREAMED(name, DTYPE) STREAMED(NORM_DEFINE_STREAMED_VARIANT, name, DTYPE)
#define NORM_DEFINE_STREAMED_VARIANT(name, DTYPE, variant, PARAMS, ALGORITHM)                                          \
    NORM_DEFINE_STREAMED_FORWARD(variant##_nt_##name, variant##_##name, DTYPE, NORM_FUSED, PARAMS, ALGORITHM)
#define NORM_STREAMED_ROWS(name, DTYPE) STREAMED(NORM_STREAMED_ROW, name, DTYPE)
#define NORM_STREAMED_ROW(name, DTYPE, variant, PARAMS, ALGORITHM)                                                     \
    NORM_FORM_ROW(#variant "_nt", DTYPE, NORM_FUSED, PARAMS, true, variant##_nt_##name, variant##_##name,              \
                  variant##_##name, 2, 3)
#else
#define NORM_DEFINE_STREAMED(name, DTYPE)
#define NORM_STREAMED_ROWS(name, DTYPE)
#endif

#endif
