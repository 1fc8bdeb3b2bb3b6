// SPDX-License-Identifier: MIT
// identity: y = x, dx = dy; in form add_fused, sum = x + branch, y = sum, dx = dsum + dy. What moving the bytes costs
// with this level's loads and stores, in the same slices as the norms; variant `std_nt` with stores past the caches.
#include "rows.h"

SIMD_INLINE void copy_step(kernel_spec spec, void *to, size_t c, size_t n, vf a) {
    const vf one[SPAN] = {a};
    put_result(spec, to, c, n, one);
}

SIMD_INLINE void copy_row(kernel_spec spec, const void *from, void *to, size_t cols) {
    const float *const source = from;
    // Bits are moved, not numbers: pairs of 16 bits travel as one f32 lane, an odd last one alone.
    const size_t in_lane = sizeof *source / dtype_size(spec.dtype), lanes = cols / in_lane;
    const bool odd = cols % in_lane != 0;
    spec.dtype = NORM_F32;
    for_each_vector(lanes, copy_step(spec, to, c, SIMD_WIDTH, v_load(source + c)),
                    copy_step(spec, to, c, lanes - c, v_load_part(source + c, lanes - c)));
    if (odd)
        ((uint16_t *)to)[cols - 1] = ((const uint16_t *)from)[cols - 1];
}

SIMD_INLINE void add_step(norm_dtype dtype, const void *a, const void *b, void *out, size_t c, size_t n) {
    vf sum[SPAN], other[SPAN];
    v_get_span(dtype, a, c, n, sum);
    v_get_span(dtype, b, c, n, other);
    UNROLL_SPAN for (size_t h = 0; h < span_vectors(n); h++) add_to(&sum[h], other[h]);
    v_put_span(dtype, out, c, n, sum);
}
SIMD_SHARED void add_left(norm_dtype dtype, const void *a, const void *b, void *out, size_t c, size_t cols) {
    for_each_left(cols, add_step(dtype, a, b, out, c, n));
}
SIMD_INLINE void add_row(norm_dtype dtype, const void *a, const void *b, void *out, size_t cols) {
    const size_t span = span_of(dtype);
    for_each_span(span, cols, add_step(dtype, a, b, out, c, span), add_left(dtype, a, b, out, c, cols));
}

SIMD_INLINE void forward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    for (size_t row = slice->begin; row < slice->end; row++) {
        const row_source source = row_source_at(spec, a, row);
        if (spec.form == NORM_ADD_FUSED)
            add_row(spec.dtype, source.x, source.branch, source.sum, a->cols);
        copy_row(spec, row_again(spec, &source), row_of_mut(spec.dtype, a->y, row, a->y_stride), a->cols);
    }
}

SIMD_INLINE void backward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    for (size_t row = slice->begin; row < slice->end; row++) {
        const void *const dy = row_of(spec.dtype, a->dy, row, a->dy_stride);
        void *const dx = row_of_mut(spec.dtype, a->dx, row, a->dx_stride);
        if (spec.form == NORM_ADD_FUSED)
            add_row(spec.dtype, row_of(spec.dtype, a->dsum, row, a->dsum_stride), dy, dx, a->cols);
        else
            copy_row(spec, dy, dx, a->cols);
    }
}

#define FORMS(X, name, DTYPE) X(name, DTYPE, NORM_FUSED, 2, 2) X(add_##name, DTYPE, NORM_ADD_FUSED, 4, 3)
#define DEFINE_FORM(name, DTYPE, FORM, forward_tensors, backward_tensors)                                              \
    static void forward_##name(const norm_args *a, const norm_slice *s) {                                              \
        forward((kernel_spec){DTYPE, FORM, 0, 0, false, false}, a, s);                                                 \
    }                                                                                                                  \
    static void backward_##name(const norm_args *a, const norm_slice *s) {                                             \
        backward((kernel_spec){DTYPE, FORM, 0, 0, false, false}, a, s);                                                \
    }
#define FORM_ROW(name, DTYPE, FORM, forward_tensors, backward_tensors)                                                 \
    IDENTITY_ROW("", name, name, DTYPE, FORM, false, forward_tensors, backward_tensors)
#define IDENTITY_ROW(SUFFIX, forth, back, DTYPE, FORM, STREAMS, forward_tensors, backward_tensors)                     \
    {.op = NORM_IDENTITY,                                                                                              \
     .base = "std",                                                                                                    \
     .variant = "std" SUFFIX,                                                                                          \
     .form = FORM,                                                                                                     \
     .level = NORM_LEVEL_ID,                                                                                           \
     .dtype = DTYPE,                                                                                                   \
     .elementwise = true,                                                                                              \
     .streams = STREAMS,                                                                                               \
     .pass = {NORM_STAGES({forward_##forth, NORM_SPLIT_ROWS, (forward_tensors)*DTYPE##_BYTES}),                        \
              NORM_STAGES({backward_##back, NORM_SPLIT_ROWS, (backward_tensors)*DTYPE##_BYTES})},                      \
     .flushes = FLUSHES && (FORM) == NORM_ADD_FUSED}, // a copy rounds nothing
#define DEFINE(name, DTYPE) FORMS(DEFINE_FORM, name, DTYPE)
#define ROWS(name, DTYPE) FORMS(FORM_ROW, name, DTYPE)
#ifdef SIMD_STREAM
#define DEFINE_NT(name, DTYPE) NORM_DEFINE_STREAMED_FORWARD(nt_##name, name, DTYPE, NORM_FUSED, 0, 0)
#define ROWS_NT(name, DTYPE) IDENTITY_ROW("_nt", nt_##name, name, DTYPE, NORM_FUSED, true, 2, 2)
#else
#define DEFINE_NT(name, DTYPE)
#define ROWS_NT(name, DTYPE)
#endif
NORM_EACH_DTYPE(DEFINE)
NORM_EACH_DTYPE(DEFINE_NT)
static const norm_impl impls[] = {NORM_EACH_DTYPE(ROWS) NORM_EACH_DTYPE(ROWS_NT)};
NORM_TABLE(identity, impls);
