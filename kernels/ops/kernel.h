// SPDX-License-Identifier: MIT
// kernel.h: what the levelled sources share: addressing, accumulators, and the one symbol that each of their objects
// exports.
#ifndef KERNEL_H
#define KERNEL_H

#include "simd/simd.h"
#include "table.h"

#define NORM_PASTE3_(a, b, c) a##b##_##c
#define NORM_PASTE3(a, b, c) NORM_PASTE3_(a, b, c)
// The table of a unit: norm_<unit>_<level>. Hidden from users of the shared library, visible to registry.c.
#define NORM_TABLE(unit, array)                                                                                        \
    extern const norm_table NORM_PASTE3(norm_, unit, NORM_LEVEL_NAME);                                                 \
    const norm_table NORM_PASTE3(norm_, unit, NORM_LEVEL_NAME) = {array, sizeof(array) / sizeof *(array)}

#define NORM_NO_TABLE(unit)                                                                                            \
    extern const norm_table NORM_PASTE3(norm_, unit, NORM_LEVEL_NAME);                                                 \
    const norm_table NORM_PASTE3(norm_, unit, NORM_LEVEL_NAME) = {NULL, 0}

// The dtypes of a unit at this level. Where only the bf16 conversion differs from the level below, f32 code would be
// the same again.
#ifdef SIMD_HARDWARE_BF16
#define NORM_EACH_DTYPE(X) X(bf16, NORM_BF16)
#define FLUSHES true // norm_impl's
#else
#define NORM_EACH_DTYPE(X) X(f32, NORM_F32) X(bf16, NORM_BF16)
#define FLUSHES false
#endif

// What a kernel is compiled for. Constants wherever it is handed on, so that the branches on them are gone; in one
// register where it goes to what is shared.
typedef struct {
    uint8_t dtype, form, params; // norm_dtype, norm_form, NORM_GAMMA | ...
    uint8_t algorithm;           // inside the op, where there is a choice
    bool streams;                // y goes past the caches; its rows begin at a vector's alignment
} kernel_spec;

// A span of a row of y.
SIMD_INLINE void put_result(kernel_spec spec, void *row, size_t i, size_t n, const vf a[SPAN]) {
#ifdef SIMD_STREAM
    if (spec.streams && n >= SIMD_WIDTH) {
        if (spec.dtype == NORM_F32)
            v_stream((float *)row + i, a[0]);
        else if (n == SIMD_WIDTH)
            v_stream_bf16((uint16_t *)row + i, a[0]);
        else
            v_stream((void *)((uint16_t *)row + i), v_float(v_interleave_bf16(a[0], a[SPAN - 1])));
        return;
    }
#endif
    v_put_span(spec.dtype, row, i, n, a);
}

// clang converts an unsigned number by packed instructions, which level scalar must not have.
SIMD_INLINE double double_of(size_t n) { return (double)(ptrdiff_t)n; }

#define NORM_STAGES(...)                                                                                               \
    { (const norm_stage[]){__VA_ARGS__}, sizeof((norm_stage[]){__VA_ARGS__}) / sizeof(norm_stage) }

// Independent partial sums per row: enough to hide the latency of an addition (4 cycles at two a cycle on current
// cores). Of two sums that run side by side each has HALF of them: together they hide as much, and AVX2's 16 registers
// hold them.
enum { ACCUMULATORS = 8, HALF = ACCUMULATORS / 2, STEP = ACCUMULATORS * SIMD_WIDTH };

enum { NORM_F32_BYTES = sizeof(float), NORM_BF16_BYTES = sizeof(uint16_t) };
SIMD_INLINE size_t dtype_size(norm_dtype dtype) { return dtype == NORM_F32 ? NORM_F32_BYTES : NORM_BF16_BYTES; }

SIMD_INLINE const void *row_of(norm_dtype dtype, const void *data, size_t row, size_t stride) {
    return (const char *)data + row * stride * dtype_size(dtype);
}
SIMD_INLINE void *row_of_mut(norm_dtype dtype, void *data, size_t row, size_t stride) {
    return (char *)data + row * stride * dtype_size(dtype);
}

// Loops over accumulators are unrolled whole, or they would live in memory.
#define UNROLL_ACCUMULATORS _Pragma("GCC unroll 8")

SIMD_INLINE void v_clear(vf *sums, size_t count) {
    UNROLL_ACCUMULATORS for (size_t k = 0; k < count; k++) sums[k] = v_zero();
}

SIMD_INLINE vf v_half_sum(vf sums[HALF]) { return v_add(v_add(sums[0], sums[1]), v_add(sums[2], sums[3])); }
SIMD_INLINE vf v_tree_sum(vf sums[ACCUMULATORS]) {
    UNROLL_ACCUMULATORS for (size_t k = 0; k < HALF; k++) sums[k] = v_add(sums[k], sums[k + HALF]);
    return sums[0] = v_half_sum(sums);
}
_Static_assert(ACCUMULATORS == 8 && HALF == 4, "v_tree_sum adds eight, v_half_sum four");

// Bytes up to the next multiple of 64: how parts of saved and workspace are laid out. run.c sizes them with the same
// rule.
static inline size_t align64(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

// Runs c over the columns in steps of a span: call_full for each whole one, call_rest once for what is left. Both are
// the same always-inlined function, which takes the number of elements; in call_full that is a constant, so the main
// loop holds no partial load or store.
#define for_each_span(span, cols, call_full, call_rest)                                                                \
    do {                                                                                                               \
        const size_t end_ =                                                                                            \
            (cols); /* read once: a store might change what it is read from, for all a compiler knows */               \
        size_t c = 0;                                                                                                  \
        for (; c + (span) <= end_; c += (span))                                                                        \
            call_full;                                                                                                 \
        if ((span) > 1 && c < end_)                                                                                    \
            call_rest;                                                                                                 \
    } while (0)
#define for_each_vector(cols, call_full, call_part) for_each_span(SIMD_WIDTH, cols, call_full, call_part)

// What is left of a span, from c on: a vector, fewer elements, or both.
#define for_each_left(cols, call)                                                                                      \
    for (size_t n; c < (cols); c += n) {                                                                               \
        n = (cols)-c < SIMD_WIDTH ? (cols)-c : SIMD_WIDTH;                                                             \
        call;                                                                                                          \
    }

#endif
