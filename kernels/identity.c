// SPDX-License-Identifier: MIT
// identity: y = x, dx = dy. What moving the bytes costs with this level's loads and stores, in the same slices as the
// norms.
#include "kernel.h"

SIMD_INLINE void copy(norm_dtype dtype, const norm_slice *slice, size_t cols, const void *from, size_t from_stride,
                      void *to, size_t to_stride) {
    for (size_t row = slice->begin; row < slice->end; row++) {
        const float *const source = row_of(dtype, from, row, from_stride);
        float *const target = row_of_mut(dtype, to, row, to_stride);
        // Bits are moved, not numbers: pairs of bf16 travel as one f32 lane, an odd last one alone.
        const size_t lanes = dtype == NORM_F32 ? cols : cols / 2;
        for_each_vector(lanes, v_store(target + c, v_load(source + c)),
                        v_store_part(target + c, v_load_part(source + c, lanes - c), lanes - c));
        if (dtype == NORM_BF16 && cols % 2 != 0)
            ((uint16_t *)target)[cols - 1] = ((const uint16_t *)source)[cols - 1];
    }
}

#define DEFINE(name, DTYPE)                                                                                            \
    static void forward_##name(const norm_args *a, const norm_slice *s) {                                              \
        copy(DTYPE, s, a->cols, a->x, a->x_stride, a->y, a->y_stride);                                                 \
    }                                                                                                                  \
    static void backward_##name(const norm_args *a, const norm_slice *s) {                                             \
        copy(DTYPE, s, a->cols, a->dy, a->dy_stride, a->dx, a->dx_stride);                                             \
    }
NORM_EACH_DTYPE(DEFINE)

#define ROW(name, DTYPE)                                                                                               \
    {.op = NORM_IDENTITY,                                                                                              \
     .variant = "std",                                                                                                 \
     .form = NORM_FUSED,                                                                                               \
     .level = NORM_LEVEL_ID,                                                                                           \
     .dtype = DTYPE,                                                                                                   \
     .pass = {NORM_STAGES({forward_##name, NORM_SPLIT_ROWS, 2 * DTYPE##_BYTES}),                                       \
              NORM_STAGES({backward_##name, NORM_SPLIT_ROWS, 2 * DTYPE##_BYTES})}},
static const norm_impl impls[] = {NORM_EACH_DTYPE(ROW)};
NORM_TABLE(identity, impls);
