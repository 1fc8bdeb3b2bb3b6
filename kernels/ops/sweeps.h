// SPDX-License-Identifier: MIT
// sweeps.h: one sweep over a whole tensor per elementary operation: what the forms eager and framework, and SLEEF's
// tanh in them, are lists of.
#ifndef SWEEPS_H
#define SWEEPS_H

#include <math.h>

#include "rows.h"
#include "simd/simd_math.h"

// A tensor as an operand: a whole matrix, or a vector or scalar that is broadcast over it. What it extends over and its
// dtype are known where it is used.
typedef enum { FULL, PER_COL, PER_ROW, SCALAR } extent;
typedef struct {
    void *data;
    size_t stride;
} tensor;

// SIMD_SLEEF: v_tanh_sleef, of a unit outside this library.
#ifdef SIMD_MVEC
#define WITH_MVEC(...) __VA_ARGS__
#else
#define WITH_MVEC(...)
#endif
#ifdef SIMD_SLEEF
#define WITH_SLEEF(...) __VA_ARGS__
#else
#define WITH_SLEEF(...)
#endif

// The elementary operations of the lists, on one or two operands.
typedef enum { CAST, ADD, SUB, MUL, NEG, SQUARE, TANH_LIBM, TANH_U2, TANH_MVEC, TANH_SLEEF, TANH_GRAD } elementary;

SIMD_INLINE vf compute(elementary op, vf a, vf b) {
    switch (op) {
    case ADD:
        return v_add(a, b);
    case SUB:
        return v_sub(a, b);
    case MUL:
        return v_mul(a, b);
    case NEG:
        return v_sub(v_zero(), a);
    case SQUARE:
        return v_mul(a, a);
    case TANH_U2:
        return v_tanh_u2(a);
    case TANH_GRAD: // dt (1 - t^2)
        return v_mul(a, v_fnma(b, b, v_set1(1.0f)));
    case TANH_LIBM:
        return v_tanh_libm(a);
    case TANH_MVEC:
#ifdef SIMD_MVEC
        return v_tanh_mvec(a);
#endif
    case TANH_SLEEF:
#ifdef SIMD_SLEEF
        return v_tanh_sleef(a);
#endif
    case CAST:
        break;
    }
    return a;
}

SIMD_INLINE vf fetch(extent over, norm_dtype dtype, tensor t, size_t row, size_t c, size_t n) {
    switch (over) {
    case FULL:
        return v_get(dtype, row_of(dtype, t.data, row, t.stride), c, n);
    case PER_COL:
        return v_get(dtype, t.data, c, n);
    case PER_ROW:
        return v_set1(((const float *)t.data)[row]);
    case SCALAR:
        break;
    }
    return v_set1(*(const float *)t.data);
}

// X(op, dtype of out, dtype of a and b, extent of a, extent of b): the kinds of sweep that the lists below are made of,
// one loop each for all stages of that kind. A unary operation is given its operand twice.
#define SWEEP_KINDS(X)                                                                                                 \
    X(CAST, NORM_F32, NORM_F32, FULL, FULL)                                                                            \
    X(CAST, NORM_F32, NORM_F32, PER_ROW, PER_ROW)                                                                      \
    X(SQUARE, NORM_F32, NORM_F32, FULL, FULL)                                                                          \
    X(NEG, NORM_F32, NORM_F32, FULL, FULL)                                                                             \
    X(ADD, NORM_F32, NORM_F32, FULL, FULL)                                                                             \
    X(SUB, NORM_F32, NORM_F32, FULL, PER_ROW)                                                                          \
    X(MUL, NORM_F32, NORM_F32, FULL, PER_ROW)                                                                          \
    SWEEP_KINDS_OF(X, NORM_F32) SWEEP_KINDS_CAST(X, NORM_BF16) SWEEP_KINDS_CAST(X, NORM_F16)
#define SWEEP_KINDS_CAST(X, D) X(CAST, NORM_F32, D, FULL, FULL) X(CAST, D, NORM_F32, FULL, FULL) SWEEP_KINDS_OF(X, D)
#define SWEEP_KINDS_OF(X, D)                                                                                           \
    X(MUL, D, D, FULL, FULL)                                                                                           \
    X(MUL, D, D, FULL, PER_COL)                                                                                        \
    X(MUL, D, D, FULL, SCALAR)                                                                                         \
    X(ADD, D, D, FULL, PER_COL)                                                                                        \
    X(TANH_LIBM, D, D, FULL, FULL)                                                                                     \
    X(TANH_U2, D, D, FULL, FULL)                                                                                       \
    WITH_MVEC(X(TANH_MVEC, D, D, FULL, FULL)) WITH_SLEEF(X(TANH_SLEEF, D, D, FULL, FULL)) X(TANH_GRAD, D, D, FULL, FULL)

#define SWEEP_NAME(OP, OUT, IN, A_OVER, B_OVER) sweep_##OP##_##OUT##_##IN##_##A_OVER##_##B_OVER
#define SWEEP_STEP(OP, OUT, IN, A_OVER, B_OVER, n)                                                                     \
    v_put(OUT, to, c, n, compute(OP, fetch(A_OVER, IN, a, row, c, n), fetch(B_OVER, IN, b, row, c, n)))
// out = op(a, b) over the rows of a slice, rounded to out's dtype. Tensors come as pointer and stride: handed on as
// structs, they would keep all of a stage's tensors in memory.
#define DEFINE_SWEEP(OP, OUT, IN, A_OVER, B_OVER)                                                                      \
    SIMD_SHARED void SWEEP_NAME(OP, OUT, IN, A_OVER, B_OVER)(const norm_slice *slice, size_t cols, void *out,          \
                                                             size_t out_stride, void *a_data, size_t a_stride,         \
                                                             void *b_data, size_t b_stride) {                          \
        const tensor a = {a_data, a_stride}, b = {b_data, b_stride};                                                   \
        for (size_t row = slice->begin; row < slice->end; row++) {                                                     \
            void *const to = row_of_mut(OUT, out, row, out_stride);                                                    \
            for_each_vector(cols, SWEEP_STEP(OP, OUT, IN, A_OVER, B_OVER, SIMD_WIDTH),                                 \
                            SWEEP_STEP(OP, OUT, IN, A_OVER, B_OVER, cols - c));                                        \
        }                                                                                                              \
    }
SWEEP_KINDS(DEFINE_SWEEP)

SIMD_INLINE double row_total(norm_dtype dtype, tensor a, size_t row, size_t cols) {
    vf sums[ACCUMULATORS];
    double wide = 0.0;
    sum_columns(SIMD_WIDTH, cols, sums, &wide, add_to(&sums[k], fetch(FULL, dtype, a, row, c, SIMD_WIDTH)),
                add_to(&sums[0], fetch(FULL, dtype, a, row, c, cols - c)));
    return wide + (double)v_sum(sums[0]);
}

// out[row] = sum of a row, divided by `divisor`: of a row of one piece what a division in f32 gives, for a quotient of
// two floats that is rounded to double first is rounded the same.
SIMD_SHARED void row_sums_of(const norm_slice *slice, size_t cols, float *out, void *data, size_t stride,
                             float divisor) {
    for (size_t row = slice->begin; row < slice->end; row++)
        out[row] = (float)(row_total(NORM_F32, (tensor){data, stride}, row, cols) / (double)divisor);
}
SIMD_INLINE void row_sums(const norm_slice *slice, size_t cols, float *out, tensor a, float divisor) {
    row_sums_of(slice, cols, out, a.data, a.stride, divisor);
}

// out[c] = sum of a column, for the columns of a slice; several vectors side by side so that a row's visit uses whole
// cache lines. In runs of rows, as parameter gradients are summed elsewhere (gradients.h).
enum { SIDE_BY_SIDE = 4, SIDE_RUN = 32 };
// Rows [begin, end) of `vectors` vectors from column c on, the last of them n elements.
SIMD_INLINE void run_of_columns(norm_dtype dtype, tensor a, size_t begin, size_t end, size_t c, size_t vectors,
                                size_t n, vf *sums) {
    for (size_t k = 0; k < vectors; k++)
        sums[k] = v_zero();
    for (size_t row = begin; row < end; row++)
        for (size_t k = 0; k < vectors; k++)
            add_to(&sums[k], fetch(FULL, dtype, a, row, c + k * SIMD_WIDTH, n));
}
SIMD_INLINE void sum_some_columns(norm_dtype dtype, tensor a, size_t rows, size_t c, size_t vectors, size_t n,
                                  float *out) {
    vf sums[SIDE_BY_SIDE];
    double wide[SIDE_BY_SIDE * SIMD_WIDTH] = {0.0};
    size_t row = 0;
    for (; rows - row > SIDE_RUN; row += SIDE_RUN) {
        run_of_columns(dtype, a, row, row + SIDE_RUN, c, vectors, n, sums);
        for (size_t k = 0; k < vectors; k++)
            v_add_to_doubles(wide + k * SIMD_WIDTH, sums[k]);
    }
    run_of_columns(dtype, a, row, rows, c, vectors, n, sums);
    for (size_t k = 0; k < vectors; k++) {
        v_add_to_doubles(wide + k * SIMD_WIDTH, sums[k]);
        v_put(NORM_F32, out, c + k * SIMD_WIDTH, n, v_from_doubles(wide + k * SIMD_WIDTH));
    }
}
SIMD_INLINE void col_sums_of(norm_dtype dtype, const norm_slice *slice, size_t rows, float *out, tensor a) {
    size_t c = slice->begin;
    for (; c + SIDE_BY_SIDE * SIMD_WIDTH <= slice->end; c += SIDE_BY_SIDE * SIMD_WIDTH)
        sum_some_columns(dtype, a, rows, c, SIDE_BY_SIDE, SIMD_WIDTH, out);
    for (size_t n; c < slice->end; c += n) {
        n = slice->end - c < SIMD_WIDTH ? slice->end - c : SIMD_WIDTH;
        sum_some_columns(dtype, a, rows, c, 1, n, out);
    }
}
SIMD_SHARED void col_sums_shared(norm_dtype dtype, const norm_slice *slice, size_t rows, float *out, void *data,
                                 size_t stride) {
#define SUMS_OF(ID, ...)                                                                                               \
    case NORM_##ID:                                                                                                    \
        col_sums_of(NORM_##ID, slice, rows, out, (tensor){data, stride});                                              \
        break;
    DTYPE_SWITCH(dtype, SUMS_OF)
#undef SUMS_OF
}
SIMD_INLINE void col_sums(norm_dtype dtype, const norm_slice *slice, size_t rows, float *out, tensor a) {
    col_sums_shared(dtype, slice, rows, out, a.data, a.stride);
}

SIMD_INLINE tensor operand(const void *data, size_t stride) { return (tensor){(void *)(uintptr_t)data, stride}; }
SIMD_INLINE tensor vector(const void *data) { return operand(data, 0); }

#define SWEEP(OP, OUT, IN, A_OVER, B_OVER, out, x, y)                                                                  \
    SWEEP_NAME(OP, OUT, IN, A_OVER, B_OVER)                                                                            \
    (s, a->cols, (out).data, (out).stride, (x).data, (x).stride, (y).data, (y).stride)
// Matrices, and a matrix with a vector or scalar, by their names.
#define UNARY(OP, OUT, IN, out, x) SWEEP(OP, OUT, IN, FULL, FULL, t.out, t.x, t.x)
#define BINARY(OP, D, B_OVER, out, x, y) SWEEP(OP, D, D, FULL, B_OVER, t.out, t.x, t.y)
#define BY_ROW(OP, out, x, row) SWEEP(OP, NORM_F32, NORM_F32, FULL, PER_ROW, t.out, t.x, vector(t.row))
#define SPREAD(out, row) SWEEP(CAST, NORM_F32, NORM_F32, PER_ROW, PER_ROW, t.out, vector(t.row), vector(t.row))

// eps is added per row.
SIMD_INLINE void add_eps(const norm_slice *s, float *stat, float eps) {
    for (size_t row = s->begin; row < s->end; row++)
        stat[row] += eps;
}
// Gradient of the mean square (or variance) per element, from row = sum of d normed / d rstd: -rstd^3 / 2 of it, spread
// over cols elements.
SIMD_INLINE void root_grad(const norm_slice *s, float *row, const float *rstd, size_t cols) {
    for (size_t r = s->begin; r < s->end; r++)
        row[r] = row[r] * -0.5f * rstd[r] * rstd[r] * rstd[r] / (float)cols;
}
// The sum over the whole tensor: a double per slice, in the slice's own cache line, then one thread adds them up.
// Parts of a row are short, for a tensor of equal numbers rounds the same way each time.
enum { PARTIAL_STEP = 64 / sizeof(double), TOTAL_RUN = 16 * STEP };
SIMD_INLINE void total(norm_dtype dtype, const norm_slice *s, size_t cols, double *partial, tensor a) {
    double sum = 0.0;
    for (size_t row = s->begin; row < s->end; row++)
        for (size_t c = 0; c < cols; c += TOTAL_RUN)
            sum += row_total(dtype, (tensor){(char *)a.data + c * dtype_size(dtype), a.stride}, row,
                             cols - c < TOTAL_RUN ? cols - c : TOTAL_RUN);
    partial[s->index * PARTIAL_STEP] = sum;
}
SIMD_INLINE void join_total(const norm_slice *s, float *out, const double *partial) {
    if (s->index != 0)
        return;
    double sum = 0.0;
    for (size_t i = 0; i < s->count; i++)
        sum += partial[i * PARTIAL_STEP];
    *out = (float)sum;
}

#endif
