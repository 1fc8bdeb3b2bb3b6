// SPDX-License-Identifier: MIT
// kernel.h: what the levelled sources share: addressing, accumulators, and the one symbol that each of their objects
// exports.
#ifndef KERNEL_H
#define KERNEL_H

#include "dtype.h"
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
#else
#define NORM_EACH_DTYPE(X) X(f32, NORM_F32) X(bf16, NORM_BF16) X(f16, NORM_F16)
#endif
#ifdef SIMD_FLUSHES_BF16
#define FLUSHES true // norm_impl's
#else
#define FLUSHES false
#endif

// What a kernel is compiled for. Constants wherever it is handed on, so that the branches on them are gone; in one
// register where it goes to what is shared.
typedef struct {
    uint8_t dtype, form, params; // norm_dtype, norm_form, NORM_GAMMA | ...
    uint8_t algorithm;           // inside the op, where there is a choice
    bool streams;                // y goes past the caches; its rows begin at a vector's alignment
    bool fetches;                // rows are fetched ahead, as the schedule says
} kernel_spec;

// A span of a row of y.
SIMD_INLINE void put_result(kernel_spec spec, void *row, size_t i, size_t n, const vf a[SPAN]) {
#ifdef SIMD_STREAM
    if (spec.streams && n >= SIMD_WIDTH) {
        v_stream_span(spec.dtype, row, i, n, a);
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

// An op's table: every variant in forms fused and add_fused and in every dtype, and some in form fused again with
// streamed results, as variant `*_nt`. Its file defines OP, ELEMENTWISE, SAVED_PER_ROW (the bytes that forward leaves
// for backward), VARIANTS(X, name, DTYPE), a list of X(name, DTYPE, base, suffix, params, algorithm), whose names are
// base and suffix in one, STREAMED, those of them that have such a twin, EXTREME_ROWS, an extreme_rows of gradients.h,
// and two functions that take a kernel_spec: forward, of a slice, and backward, a backward_rows. Without parameters
// there is nothing to reduce. PIECES and PIECES_OF are NORM_DEFINE_PIECES and NORM_PIECES_OF with the functions
// sum_piece and apply_piece, or empty.
#define NORM_FUSED_TABLE(unit)                                                                                         \
    NORM_EACH_DTYPE(NORM_DEFINE_VARIANTS)                                                                              \
    NORM_EACH_DTYPE(NORM_DEFINE_STREAMED)                                                                              \
    static const norm_impl impls[] = {NORM_EACH_DTYPE(NORM_VARIANT_ROWS) NORM_EACH_DTYPE(NORM_STREAMED_ROWS)};         \
    NORM_TABLE(unit, impls)

// The variants of one algorithm: with all parameters of the op's PARAMS; without beta, as the paper's LLaMA; and with
// neither gamma nor beta, as DiT.
#define NORM_VARIANTS(X, name, DTYPE, base, ALGORITHM)                                                                 \
    X(name, DTYPE, base, , PARAMS, ALGORITHM)                                                                          \
    X(name, DTYPE, base, _nobeta, PARAMS & ~NORM_BETA, ALGORITHM)                                                      \
    X(name, DTYPE, base, _noaffine, PARAMS & ~(NORM_GAMMA | NORM_BETA), ALGORITHM)
// And of tensors of 16 bits one with gamma and beta in f32.
#define NORM_OF_16_BITS_f32(...)
#define NORM_OF_16_BITS_bf16(...) __VA_ARGS__
#define NORM_OF_16_BITS_f16(...) __VA_ARGS__
#define NORM_VARIANT_F32_AFFINE(X, name, DTYPE, base, ALGORITHM)                                                       \
    NORM_OF_16_BITS_##name(X(name, DTYPE, base, _f32affine, (PARAMS) | NORM_F32_AFFINE, ALGORITHM))
#define NORM_VARIANTS_WITHOUT_BETA(X, name, DTYPE, base, ALGORITHM)                                                    \
    X(name, DTYPE, base, , PARAMS, ALGORITHM) X(name, DTYPE, base, _noaffine, PARAMS & ~NORM_GAMMA, ALGORITHM)

#define NORM_DEFINE_VARIANTS(name, DTYPE) VARIANTS(NORM_DEFINE_VARIANT, name, DTYPE)
#define NORM_DEFINE_VARIANT(name, DTYPE, base, suffix, PARAMS, ALGORITHM)                                              \
    NORM_DEFINE_PASSES(base##suffix##_##name, DTYPE, NORM_FUSED, PARAMS, ALGORITHM)                                    \
    NORM_DEFINE_PASSES(base##suffix##_add_##name, DTYPE, NORM_ADD_FUSED, PARAMS, ALGORITHM)                            \
    PIECES(base##suffix##_##name, DTYPE, NORM_FUSED, PARAMS, ALGORITHM)                                                \
    PIECES(base##suffix##_add_##name, DTYPE, NORM_ADD_FUSED, PARAMS, ALGORITHM)                                        \
    static void reduce_##base##suffix##_##name(const norm_args *a, const norm_slice *s) {                              \
        reduce((kernel_spec){DTYPE, NORM_FUSED, PARAMS, ALGORITHM, false, false}, a, s);                               \
    }
// Where rows are taken alone the compiler is told so: a loop over rows inside the one over columns would stay, and that
// one would not be vectorised.
// What a schedule asks for beside rows that are summed has code of its own, out of line, so that the other stays what
// it is without.
#define NORM_DEFINE_PASSES(name, ...)                                                                                  \
    SIMD_SHARED void forward_asked_##name(const norm_args *a, const norm_slice *s) {                                   \
        forward((kernel_spec){__VA_ARGS__, false, true}, a, s);                                                        \
    }                                                                                                                  \
    static void forward_##name(const norm_args *a, const norm_slice *s) {                                              \
        const kernel_spec spec = {__VA_ARGS__, false, false};                                                          \
        if (can_fetch(spec) && asks_more(s))                                                                           \
            forward_asked_##name(a, s);                                                                                \
        else                                                                                                           \
            forward(spec, a, s);                                                                                       \
    }                                                                                                                  \
    static void rows_##name(const norm_args *a, size_t row, size_t count, partials partial, tensor_sums *total) {      \
        backward((kernel_spec){__VA_ARGS__, false, false}, a, row, BLOCK == 1 ? 1 : count, partial, total);            \
    }                                                                                                                  \
    SIMD_SHARED void rows_asked_##name(const norm_args *a, size_t row, size_t count, partials partial,                 \
                                       tensor_sums *total) {                                                           \
        backward((kernel_spec){__VA_ARGS__, false, true}, a, row, BLOCK == 1 ? 1 : count, partial, total);             \
    }                                                                                                                  \
    static void backward_##name(const norm_args *a, const norm_slice *s) {                                             \
        const kernel_spec spec = {__VA_ARGS__, false, false};                                                          \
        backward_slice(spec, a, s, can_fetch(spec) && asks_more(s) ? rows_asked_##name : rows_##name, EXTREME_ROWS,    \
                       !ELEMENTWISE);                                                                                  \
    }

// The op's functions of a piece of a row, for the files of ops that sum over it; squash.h has none.
#define NORM_DEFINE_PIECES(name, ...)                                                                                  \
    static void sum_##name(const norm_args *a, size_t row, norm_moments *out) {                                        \
        sum_piece((kernel_spec){__VA_ARGS__, false, false}, a, row, out);                                              \
    }                                                                                                                  \
    static void apply_##name(const norm_args *a, size_t row, const norm_moments *whole) {                              \
        apply_piece((kernel_spec){__VA_ARGS__, false, false}, a, row, whole);                                          \
    }
#define NORM_PIECES_OF(name)                                                                                           \
    { sum_##name, apply_##name }

#define NORM_VARIANT_ROWS(name, DTYPE) VARIANTS(NORM_VARIANT_ROW, name, DTYPE)
#define NORM_VARIANT_ROW(name, DTYPE, base, suffix, PARAMS, ALGORITHM)                                                 \
    NORM_FORM_ROW(#base, #suffix, DTYPE, NORM_FUSED, PARAMS, false, base##suffix##_##name, base##suffix##_##name,      \
                  base##suffix##_##name, 2, 3)                                                                         \
    NORM_FORM_ROW(#base, #suffix, DTYPE, NORM_ADD_FUSED, PARAMS, false, base##suffix##_add_##name,                     \
                  base##suffix##_add_##name, base##suffix##_##name, 4, 4)
#define NORM_FORM_ROW(BASE, SUFFIX, DTYPE, FORM, PARAMS, STREAMS, forth, back, reducer, forward_tensors,               \
                      backward_tensors)                                                                                \
    {.op = OP,                                                                                                         \
     .base = BASE,                                                                                                     \
     .variant = BASE SUFFIX,                                                                                           \
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
// Forward alone: dx streamed from the rows of a block would push out lines that are not yet whole, and row by row the
// partial gradients would be loaded and stored for each of them.
#define NORM_DEFINE_STREAMED_FORWARD(name, twin, DTYPE, ...)                                                           \
    static void forward_##name(const norm_args *a, const norm_slice *s) {                                              \
        if (!is_streamable(DTYPE, a->y, a->y_stride)) {                                                                \
            forward_##twin(a, s);                                                                                      \
            return;                                                                                                    \
        }                                                                                                              \
        forward((kernel_spec){DTYPE, __VA_ARGS__, true, true}, a, s);                                                  \
        v_stream_fence();                                                                                              \
    }
#define NORM_DEFINE_STREAMED(name, DTYPE) STREAMED(NORM_DEFINE_STREAMED_VARIANT, name, DTYPE)
#define NORM_DEFINE_STREAMED_VARIANT(name, DTYPE, base, suffix, PARAMS, ALGORITHM)                                     \
    NORM_DEFINE_STREAMED_FORWARD(base##suffix##_nt_##name, base##suffix##_##name, DTYPE, NORM_FUSED, PARAMS, ALGORITHM)
#define NORM_STREAMED_ROWS(name, DTYPE) STREAMED(NORM_STREAMED_ROW, name, DTYPE)
#define NORM_STREAMED_ROW(name, DTYPE, base, suffix, PARAMS, ALGORITHM)                                                \
    NORM_FORM_ROW(#base, #suffix "_nt", DTYPE, NORM_FUSED, PARAMS, true, base##suffix##_nt_##name,                     \
                  base##suffix##_##name, base##suffix##_##name, 2, 3)
#else
#define NORM_DEFINE_STREAMED(name, DTYPE)
#define NORM_STREAMED_ROWS(name, DTYPE)
#endif

#endif
