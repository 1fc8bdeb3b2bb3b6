// SPDX-License-Identifier: MIT
// schedule.h: which rows when: how many are summed before they are written, which are summed while another one is
// written, and what is fetched ahead. Rules alone: what they gain on which CPU stands in docs/tuning.md.
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "rows.h"
#include "tuning.h"

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

// How many rows of the slice a norm's forward sums before it writes them, from `row` on. A row that fits in the nearest
// cache where a block does not goes alone, for its second reading is from there. Streams go row by row, or lines that
// are not yet whole are pushed out.
SIMD_INLINE size_t rows_summed(kernel_spec spec, const norm_slice *slice, size_t row, size_t cols) {
    if (spec.streams || slice->end - row < BLOCK)
        return 1;
    return is_bound_by_cache(spec) && !rows_fit(spec, cols, BLOCK) && rows_fit(spec, cols, 1) ? 1 : BLOCK;
}
// A block that fits in the nearest cache is written two rows at a time: the first are written while the last sums are
// awaited. Longer rows would have their gamma read twice.
SIMD_INLINE bool writes_pairs(kernel_spec spec, size_t cols, size_t count) {
    return count == BLOCK && is_bound_by_cache(spec) && rows_fit(spec, cols, BLOCK);
}

enum { OVERLAPPED = 1 }; // a norm's algorithm, where rows overlap

// The longest row, in bytes, of those that are summed while another one is written; 0 where none is, for there it loses
// or is untried.
SIMD_INLINE size_t overlap_longest(kernel_spec spec, const norm_tuning *tuning) {
    enum { VECTOR = SIMD_WIDTH * sizeof(float), NARROW = 32, WIDE = 64 };
    if (tuning == NULL || BLOCK == 1 || VECTOR < NARROW)
        return 0;
    if (spec.streams)
        return spec.dtype == NORM_BF16 ? tuning->overlap_streamed_bf16 : 0;
    if (spec.dtype != NORM_F32)
        return 0;
    if (spec.form == NORM_FUSED)
        return VECTOR == WIDE ? tuning->overlap_wide : tuning->overlap_narrow;
    return VECTOR == WIDE ? tuning->overlap_added_wide : tuning->overlap_added_narrow;
}
// Rows are whole steps of the sums, and a slice has a block of them at least.
SIMD_INLINE bool overlaps(kernel_spec spec, const norm_slice *slice, size_t cols, size_t chains) {
    const size_t longest = overlap_longest(spec, slice->tuning);
    return longest > 0 && cols * dtype_size(spec.dtype) <= longest && cols % (chains * SIMD_WIDTH) == 0 &&
           slice->end - slice->begin >= BLOCK;
}

// What streams is bound by memory, and a norm would wait for its reading of a row before it begins to write: so while a
// row is written, one AHEAD_BYTES further on is fetched, in one direction only, or the hardware does not keep up. Where
// a CPU drops a fetch when too many are on their way, each line is asked for four times.
typedef struct {
    const void *row;
    bool again;
} row_fetch;

SIMD_INLINE row_fetch row_ahead(kernel_spec spec, const norm_args *a, const norm_slice *slice, size_t row) {
    enum { AHEAD_BYTES = 32768 };
    const size_t row_bytes = a->cols * dtype_size(spec.dtype), rows = (AHEAD_BYTES + row_bytes - 1) / row_bytes;
    return (row_fetch){row_of(spec.dtype, a->x, rows < slice->end - row ? row + rows : row, a->x_stride),
                       spec.streams && slice->tuning != NULL && slice->tuning->refetches};
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

#endif
