// SPDX-License-Identifier: MIT
// identity: y = x, dx = dy; in form add_fused, sum = x + branch, y = sum, dx = dsum + dy. What moving the bytes costs
// with this level's loads and stores, in the same slices as the norms.
#include "rows.h"

SIMD_INLINE void copy_row(norm_dtype dtype, const void *from, void *to, size_t cols) {
    const float *const source = from;
    float *const target = to;
    // Bits are moved, not numbers: pairs of bf16 travel as one f32 lane, an odd last one alone.
    const size_t lanes = dtype == NORM_F32 ? cols : cols / 2;
    for_each_vector(lanes, v_store(target + c, v_load(source + c)),
                    v_store_part(target + c, v_load_part(source + c, lanes - c), lanes - c));
    if (dtype == NORM_BF16 && cols % 2 != 0)
        ((uint16_t *)to)[cols - 1] = ((const uint16_t *)from)[cols - 1];
}

SIMD_INLINE void add_step(norm_dtype dtype, const void *a, const void *b, void *out, size_t c, size_t n) {
    v_put(dtype, out, c, n, v_add(v_get(dtype, a, c, n), v_get(dtype, b, c, n)));
}
SIMD_INLINE void add_row(norm_dtype dtype, const void *a, const void *b, void *out, size_t cols) {
    for_each_vector(cols, add_step(dtype, a, b, out, c, SIMD_WIDTH), add_step(dtype, a, b, out, c, cols - c));
}

SIMD_INLINE void forward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    for (size_t row = slice->begin; row < slice->end; row++) {
        const row_source source = row_source_at(spec, a, row);
        if (spec.form == NORM_ADD_FUSED)
            add_row(spec.dtype, source.x, source.branch, source.sum, a->cols);
        copy_row(spec.dtype, row_again(spec, &source), row_of_mut(spec.dtype, a->y, row, a->y_stride), a->cols);
    }
}

SIMD_INLINE void backward(kernel_spec spec, const norm_args *a, const norm_slice *slice) {
    for (size_t row = slice->begin; row < slice->end; row++) {
        const void *const dy = row_of(spec.dtype, a->dy, row, a->dy_stride);
        void *const dx = row_of_mut(spec.dtype, a->dx, row, a->dx_stride);
        if (spec.form == NORM_ADD_FUSED)
            add_row(spec.dtype, row_of(spec.dtype, a->dsum, row, a->dsum_stride), dy, dx, a->cols);
        else
            copy_row(spec.dtype, dy, dx, a->cols);
    }
}

#define FORMS(X, name, DTYPE) X(name, DTYPE, NORM_FUSED, 2, 2) X(add_##name, DTYPE, NORM_ADD_FUSED, 4, 3)
#define DEFINE_FORM(name, DTYPE, FORM, forward_tensors, backward_tensors) NORM_DEFINE_PASSES(name, DTYPE, FORM, 0, 0)
#define FORM_ROW(name, DTYPE, FORM, forward_tensors, backward_tensors)                                                 \
    {.op = NORM_IDENTITY,                                                                                              \
     .variant = "std",                                                                                                 \
     .form = FORM,                                                                                                     \
     .level = NORM_LEVEL_ID,                                                                                           \
     .dtype = DTYPE,                                                                                                   \
     .pass = {NORM_STAGES({forward_##name, NORM_SPLIT_ROWS, (forward_tensors)*DTYPE##_BYTES}),                         \
              NORM_STAGES({backward_##name, NORM_SPLIT_ROWS, (backward_tensors)*DTYPE##_BYTES})}},
#define DEFINE(name, DTYPE) FORMS(DEFINE_FORM, name, DTYPE)
#define ROWS(name, DTYPE) FORMS(FORM_ROW, name, DTYPE)
NORM_EACH_DTYPE(DEFINE)
static const norm_impl impls[] = {NORM_EACH_DTYPE(ROWS)};
NORM_TABLE(identity, impls);
