// SPDX-License-Identifier: MIT
// schedule.h: which rows when: how many are summed before they are written, which are summed while another one is
// written, and what is fetched ahead. Rules alone: what they gain on which CPU stands in docs/tuning.md.
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "rows.h"

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

// The slice's; of one without, what is good anywhere.
SIMD_INLINE const norm_schedule *schedule_of(kernel_spec spec, const norm_slice *slice) {
    static const norm_schedule regular, streamed = {.fetch_bytes = 32768, .fetch_asks = 1};
    return slice->schedule != NULL ? slice->schedule : spec.streams ? &streamed : &regular;
}

// How many rows of the slice a norm's forward sums before it writes them, from `row` on, where its schedule does not
// say. A row that fits in the nearest cache where a block does not goes alone, for its second reading is from there.
// Streams go row by row, or lines that are not yet whole are pushed out.
SIMD_INLINE size_t rows_summed(kernel_spec spec, const norm_schedule *how, size_t left, size_t cols) {
    if (left < BLOCK)
        return 1;
    if (how->rows_summed > 0)
        return how->rows_summed == 1 ? 1 : BLOCK;
    return spec.streams || (is_bound_by_cache(spec) && !rows_fit(spec, cols, BLOCK) && rows_fit(spec, cols, 1)) ? 1
                                                                                                                : BLOCK;
}
// A block that fits in the nearest cache is written two rows at a time: the first are written while the last sums are
// awaited. Longer rows would have their gamma read twice.
SIMD_INLINE bool writes_pairs(kernel_spec spec, size_t cols, size_t count) {
    return count == BLOCK && is_bound_by_cache(spec) && rows_fit(spec, cols, BLOCK);
}

enum { UNSHIFTED = 1 }; // a norm's algorithm, where no row has a shift: rows that overlap, and narrow ones

// Whether there is code for it: where it won on some CPU.
SIMD_INLINE bool can_overlap(kernel_spec spec) {
    enum { LEAST_VECTOR = 32 };
    const bool wins = spec.form == NORM_ADD_FUSED ? spec.dtype == NORM_F32 : spec.dtype == NORM_BF16 || !spec.streams;
    return wins && BLOCK > 1 && SIMD_WIDTH * sizeof(float) >= LEAST_VECTOR;
}
// Rows are whole steps of the sums, and a slice has a block of them at least.
SIMD_INLINE bool overlaps(kernel_spec spec, const norm_schedule *how, const norm_slice *slice, size_t cols,
                          size_t chains) {
    return can_overlap(spec) && cols * dtype_size(spec.dtype) <= how->overlap_bytes &&
           cols % (chains * SIMD_WIDTH) == 0 && slice->end - slice->begin >= BLOCK;
}

// The row that is fetched while `row` is written: as far ahead as the schedule says, and at least `least` rows, for
// those before have been read.
SIMD_INLINE row_fetch row_ahead(kernel_spec spec, const norm_schedule *how, const norm_args *a, const norm_slice *slice,
                                size_t row, size_t least) {
    const size_t said = rows_ahead(how, a->cols * dtype_size(spec.dtype)), rows = said > least ? said : least;
    if (how->fetch_bytes == 0 && !spec.streams)
        return (row_fetch){NULL, false};
    const bool any = how->fetch_bytes > 0 && rows < slice->end - row;
    return (row_fetch){row_of(spec.dtype, a->x, any ? row + rows : row, a->x_stride), how->fetch_asks > 1};
}

#endif
