// SPDX-License-Identifier: MIT
// framework.h: the form `framework`: the operations of PyTorch's eager mode on a CPU, each with a result of its own
// (framework_run.c). rmsnorm is the LlamaRMSNorm of transformers, dyt the module of its authors; backward is the order
// of autograd: both products of a multiplication before a sum, the second factor's first, the power's gradient as it is
// written there, the sum of two gradients into the first. A bit of norm_life.frees stands at the last user of a tensor;
// what a Python name holds lives to the module's end. Small results are allocated, too: where PyTorch takes one from a
// large block that was freed, the next large result finds another block, whose lines the caches have not.
#ifndef FRAMEWORK_H
#define FRAMEWORK_H

#include "framework_level.h"
//
#include "framework_run.h"
#include "sweeps.h"

// Fewest elements of a thread: at::internal::GRAIN_SIZE, and what the functions of <vml.h> have.
enum { GRAIN = 32768, TANH_GRAIN = 2048 };

// Every tensor of one call, by its name in the lists below. In f32 casts are no operations, so x32 is x, h is normed,
// and the first gradient of x is dx.
typedef struct {
    tensor x, y, dy, dx, gamma, beta, alpha; // the caller's
    tensor x32, square, normed, h, scaled, t, weighted, product, dh, dh32, d1, q, spread, p1, p2, d2;
    float *mean, *shifted, *rstd, *row, *cube, *half, *root; // of each row
    double *partial;
} tensors;

SIMD_INLINE tensor made_at(const norm_args *a, norm_tensor which) {
    return (tensor){((const norm_made *)a->workspace)->at[which], a->cols};
}

SIMD_INLINE tensors locate(norm_dtype dtype, bool affine, const norm_args *a) {
    const bool low = dtype != NORM_F32;
    tensors t = {.x = operand(a->x, a->x_stride),
                 .y = operand(a->y, a->y_stride),
                 .dy = operand(a->dy, a->dy_stride),
                 .dx = operand(a->dx, a->dx_stride),
                 .gamma = vector(a->gamma),
                 .beta = vector(a->beta),
                 .alpha = vector(&a->alpha),
                 .square = made_at(a, MADE_SQUARE),
                 .scaled = made_at(a, MADE_SCALED),
                 .weighted = made_at(a, MADE_WEIGHTED),
                 .product = made_at(a, MADE_PRODUCT),
                 .q = made_at(a, MADE_Q),
                 .spread = made_at(a, MADE_SPREAD),
                 .p1 = made_at(a, MADE_P1),
                 .p2 = made_at(a, MADE_P2),
                 .d2 = made_at(a, MADE_D2),
                 .mean = made_at(a, MADE_MEAN).data,
                 .shifted = made_at(a, MADE_SHIFTED).data,
                 .rstd = made_at(a, MADE_STATS).data,
                 .row = made_at(a, MADE_ROW).data,
                 .cube = made_at(a, MADE_CUBE).data,
                 .half = made_at(a, MADE_HALF).data,
                 .root = made_at(a, MADE_ROOT).data,
                 .partial = ((const norm_made *)a->workspace)->scratch};
    t.x32 = low ? made_at(a, MADE_X32) : t.x;
    // Without gamma, what it would have multiplied is y itself, and what its gradient would have given is dy.
    t.t = affine ? made_at(a, MADE_T) : t.y;
    t.normed = low || affine ? made_at(a, MADE_NORMED) : t.y;
    t.h = !affine ? t.y : low ? made_at(a, MADE_H) : t.normed;
    t.dh = affine ? made_at(a, MADE_DH) : t.dy;
    t.dh32 = low ? made_at(a, MADE_DH32) : t.dh;
    t.d1 = made_at(a, MADE_D1);
    return t;
}

// One operation, as in eager.h. Both come with gamma and without.
#define STAGE(op, name, DTYPE, statement)                                                                              \
    STAGE_OF(op##_##name##_##DTYPE##_affine, DTYPE, true, statement)                                                   \
    STAGE_OF(op##_##name##_##DTYPE##_noaffine, DTYPE, false, statement)
#define STAGE_OF(function, DTYPE, affine, statement)                                                                   \
    __attribute__((unused)) static void function(const norm_args *a, const norm_slice *s) {                            \
        const tensors t = locate(DTYPE, affine, a);                                                                    \
        statement;                                                                                                     \
    }

// The gradient of a mean: a column of sums that is broadcast along the row and divided by a number that is broadcast,
// too. PyTorch's loops have vectors for one operand that is broadcast: with two, they go and divide element by element.
SIMD_SHARED void spread_quotient(const norm_slice *s, size_t cols, tensor out, const float *row) {
    const volatile float divisor = (float)cols;
    for (size_t r = s->begin; r < s->end; r++) {
        float *const to = (float *)out.data + r * out.stride;
        const volatile float *const sum = &row[r];
        for (size_t c = 0; c < cols; c++)
            to[c] = *sum / divisor;
    }
}

// Of each row, as PyTorch has them one by one.
#define OF_ROWS(name, expression)                                                                                      \
    SIMD_INLINE void name(const norm_slice *s, float *out, const float *in, float with) {                              \
        for (size_t r = s->begin; r < s->end; r++) {                                                                   \
            const float a = in[r];                                                                                     \
            out[r] = expression;                                                                                       \
        }                                                                                                              \
    }
OF_ROWS(plus, a + with)
OF_ROWS(times, a *with)
OF_ROWS(reciprocal_roots, with / sqrtf(a))
// The gradient of a root: -1/2 of that of rstd, times rstd thrice. Autograd makes the cube first, which is zero for
// rows beyond 1e13; here it is multiplied factor by factor, the same work for other bits.
SIMD_INLINE void cubed_products(const norm_slice *s, float *out, const float *a, const float *b) {
    for (size_t r = s->begin; r < s->end; r++)
        out[r] = a[r] * b[r] * b[r] * b[r];
}

SIMD_SHARED void total_of(norm_dtype dtype, const norm_slice *s, size_t cols, double *partial, void *data,
                          size_t stride) {
    total(dtype, s, cols, partial, (tensor){data, stride});
}
// One thread adds up what the slices of the operation before have left.
SIMD_INLINE void join_slices(const norm_args *a, const norm_slice *s, const double *partial) {
    norm_slice all = *s;
    all.count = ((const norm_made *)a->workspace)->slices;
    join_total(&all, a->dalpha, partial);
}

static const float two = 2.0f;

#define RMSNORM_STAGES(D)                                                                                              \
    STAGE(RMSNORM, cast, D, UNARY(CAST, NORM_F32, D, x32, x))                                                          \
    STAGE(RMSNORM, square, D, UNARY(SQUARE, NORM_F32, NORM_F32, square, x32))                                          \
    STAGE(RMSNORM, mean, D, row_sums(s, a->cols, t.mean, t.square, (float)a->cols))                                    \
    STAGE(RMSNORM, eps, D, plus(s, t.shifted, t.mean, a->eps))                                                         \
    STAGE(RMSNORM, rsqrt, D, reciprocal_roots(s, t.rstd, t.shifted, 1.0f))                                             \
    STAGE(RMSNORM, norm, D, BY_ROW(MUL, normed, x32, rstd))                                                            \
    STAGE(RMSNORM, down, D, UNARY(CAST, D, NORM_F32, h, normed))                                                       \
    STAGE(RMSNORM, gamma, D, BINARY(MUL, D, PER_COL, y, h, gamma))                                                     \
    STAGE(RMSNORM, b_product, D, BINARY(MUL, D, FULL, product, dy, h))                                                 \
    STAGE(RMSNORM, b_dh, D, BINARY(MUL, D, PER_COL, dh, dy, gamma))                                                    \
    STAGE(RMSNORM, b_dgamma, D, col_sums(D, s, a->rows, a->dgamma, t.product))                                         \
    STAGE(RMSNORM, b_up, D, UNARY(CAST, NORM_F32, D, dh32, dh))                                                        \
    STAGE(RMSNORM, b_direct, D,                                                                                        \
          SWEEP(MUL, NORM_F32, NORM_F32, FULL, PER_ROW, FIRST_GRADIENT(D), t.dh32, vector(t.rstd)))                    \
    STAGE(RMSNORM, b_q, D, BINARY(MUL, NORM_F32, FULL, q, dh32, x32))                                                  \
    STAGE(RMSNORM, b_drstd, D, row_sums(s, a->cols, t.row, t.q, 1.0f))                                                 \
    STAGE(RMSNORM, b_cube, D, times(s, t.cube, t.rstd, 1.0f))                                                          \
    STAGE(RMSNORM, b_half, D, times(s, t.half, t.row, -0.5f))                                                          \
    STAGE(RMSNORM, b_root, D, cubed_products(s, t.root, t.half, t.cube))                                               \
    STAGE(RMSNORM, b_spread, D, spread_quotient(s, a->cols, t.spread, t.root))                                         \
    STAGE(RMSNORM, b_power, D, UNARY(CAST, NORM_F32, NORM_F32, p1, x32))                                               \
    STAGE(RMSNORM, b_twice, D, SWEEP(MUL, NORM_F32, NORM_F32, FULL, SCALAR, t.p2, t.p1, vector(&two)))                 \
    STAGE(RMSNORM, b_square, D, BINARY(MUL, NORM_F32, FULL, d2, p2, spread))                                           \
    STAGE(RMSNORM, b_add, D, SWEEP(ADD, NORM_F32, NORM_F32, FULL, FULL, FIRST_GRADIENT(D), FIRST_GRADIENT(D), t.d2))   \
    STAGE(RMSNORM, b_down, D, UNARY(CAST, D, NORM_F32, dx, d1))
#define FIRST_GRADIENT(D) ((D) == NORM_F32 ? t.dx : t.d1)

// A library's function of many elements, which a unit outside this library brings, as SLEEF's.
#ifdef SIMD_MKL
#define WITH_MKL(...) __VA_ARGS__
void mkl_tanhf(size_t count, const float *x, float *y);
SIMD_INLINE void mkl_rows(const norm_slice *s, size_t cols, tensor out, tensor in) {
    // Rows without gaps are handed over at once, as PyTorch does.
    const bool whole = in.stride == cols && out.stride == cols && s->end > s->begin;
    const size_t rows = whole ? s->end - s->begin : 1;
    for (size_t row = s->begin; row < s->end; row += rows)
        mkl_tanhf(rows * cols, row_of(NORM_F32, in.data, row, in.stride),
                  row_of_mut(NORM_F32, out.data, row, out.stride));
}
#else
#define WITH_MKL(...)
#endif

// SLEEF's tanh of the machine's widest vectors.
#ifdef SIMD_SLEEF_WIDE
SIMD_SHARED void sleef_rows(norm_dtype dtype, const norm_slice *s, size_t cols, void *out, size_t out_stride,
                            const void *in, size_t in_stride) {
    for (size_t row = s->begin; row < s->end; row++) {
        const void *const from = row_of(dtype, in, row, in_stride);
        void *const to = row_of_mut(dtype, out, row, out_stride);
        size_t c = 0;
        for (; c + SIMD_SLEEF_WIDE <= cols; c += SIMD_SLEEF_WIDE)
            tanh_sleef_wide(dtype, to, from, c);
        for (size_t n; c < cols; c += n) {
            n = cols - c < SIMD_WIDTH ? cols - c : SIMD_WIDTH;
            v_put(dtype, to, c, n, v_tanh_sleef(v_get(dtype, from, c, n)));
        }
    }
}
#define TANH_OF_SLEEF(D) sleef_rows(D, s, a->cols, t.t.data, t.t.stride, t.scaled.data, t.scaled.stride)
#else
#define TANH_OF_SLEEF(D) UNARY(TANH_SLEEF, D, D, t, scaled)
#endif

#define DYT_STAGES(D)                                                                                                  \
    STAGE(DYT, alpha, D, BINARY(MUL, D, SCALAR, scaled, x, alpha))                                                     \
    STAGE(DYT, tanh_u2, D, UNARY(TANH_U2, D, D, t, scaled))                                                            \
    STAGE(DYT, tanh_libm, D, UNARY(TANH_LIBM, D, D, t, scaled))                                                        \
    WITH_MVEC(STAGE(DYT, tanh_mvec, D, UNARY(TANH_MVEC, D, D, t, scaled)))                                             \
    WITH_SLEEF(STAGE(DYT, tanh_sleef, D, TANH_OF_SLEEF(D)))                                                            \
    WITH_MKL(STAGE(DYT, tanh_mkl, D, mkl_rows(s, a->cols, t.t, t.scaled)))                                             \
    STAGE(DYT, gamma, D, BINARY(MUL, D, PER_COL, y, t, gamma))                                                         \
    STAGE(DYT, gamma_then, D, BINARY(MUL, D, PER_COL, weighted, t, gamma))                                             \
    STAGE(DYT, beta, D, BINARY(ADD, D, PER_COL, y, weighted, beta))                                                    \
    STAGE(DYT, b_dbeta, D, col_sums(D, s, a->rows, a->dbeta, t.dy))                                                    \
    STAGE(DYT, b_product, D, BINARY(MUL, D, FULL, product, dy, t))                                                     \
    STAGE(DYT, b_dt, D, BINARY(MUL, D, PER_COL, dh, dy, gamma))                                                        \
    STAGE(DYT, b_dgamma, D, col_sums(D, s, a->rows, a->dgamma, t.product))                                             \
    STAGE(DYT, b_tanh, D, BINARY(TANH_GRAD, D, FULL, d1, dh, t))                                                       \
    STAGE(DYT, b_dx, D, BINARY(MUL, D, SCALAR, dx, d1, alpha))                                                         \
    STAGE(DYT, b_xproduct, D, BINARY(MUL, D, FULL, product, d1, x))                                                    \
    STAGE(DYT, b_total, D, total_of(D, s, a->cols, t.partial, t.product.data, t.product.stride))                       \
    STAGE(DYT, b_dalpha, D, join_slices(a, s, t.partial))

#define DEFINE(name, D) RMSNORM_STAGES(D) DYT_STAGES(D)
NORM_EACH_DTYPE(DEFINE)

// The lists. Functions, what they read and write per element, the tensor that they make with its bytes per element
// (SMALL: four per row; C: those of an element per column), and those that are freed behind them. e: the size of the
// dtype's elements; A: affine or noaffine. Operations that make nothing large, of rows alone, have no bytes. K: STAGE
// or LIFE, for a list is two tables.
#define R(K, op, name, D, A, bytes, makes, each, frees)                                                                \
    OPERATION(K, op##_##name##_##D##_##A, ROWS, bytes, makes, each, 0, 0, frees, GRAIN, 1)
#define C(K, op, name, D, A, bytes, makes, frees)                                                                      \
    OPERATION(K, op##_##name##_##D##_##A, COLS, bytes, makes, 0, 0, bytes, frees, GRAIN, 1)
#define SMALL(K, op, name, D, A, bytes, makes, frees)                                                                  \
    OPERATION(K, op##_##name##_##D##_##A, ROWS, bytes, makes, 0, 4, 0, frees, GRAIN, 1)
// What a framework does not dispatch: the end of the operation before.
#define END(K, op, name, D, A) OPERATION(K, op##_##name##_##D##_##A, COLS, 0, NOTHING, 0, 0, 0, 0, GRAIN, 0)
#define OPERATION(K, ...) OPERATION_##K(__VA_ARGS__)
#define OPERATION_STAGE(function, SPLIT, bytes, ...)                                                                   \
    { function, NORM_SPLIT_##SPLIT, bytes }
#define OPERATION_LIFE(function, SPLIT, bytes, makes, per_element, per_row, per_col, frees, grain, calls)              \
    { MADE_##makes, per_element, per_row, per_col, frees, grain, calls }
// Casts stand in the lists of bf16 and f16, the steps of gamma and beta in those of the variants that have them.
#define LIST_bf16(...) __VA_ARGS__
#define LIST_f16(...) __VA_ARGS__
#define LIST_f32(...)
#define LIST_affine(...) __VA_ARGS__
#define LIST_noaffine(...)
// What the operation makes that is the last one in some variants.
#define NORMED_bf16_affine NORMED
#define NORMED_bf16_noaffine NORMED
#define NORMED_f16_affine NORMED
#define NORMED_f16_noaffine NORMED
#define NORMED_f32_affine NORMED
#define NORMED_f32_noaffine RESULT
#define CAST_affine H
#define CAST_noaffine RESULT
#define TANH_affine T
#define TANH_noaffine RESULT
#define GRADIENT_bf16 D1
#define GRADIENT_f16 D1
#define GRADIENT_f32 RESULT

#define RMSNORM_FORWARD(K, T, D, e, A)                                                                                 \
    LIST_##T(R(K, RMSNORM, cast, D, A, e + 4, X32, 4, 0), ) R(K, RMSNORM, square, D, A, 8, SQUARE, 4, 0),              \
        SMALL(K, RMSNORM, mean, D, A, 4, MEAN, MADE(SQUARE)), SMALL(K, RMSNORM, eps, D, A, 0, SHIFTED, 0),             \
        SMALL(K, RMSNORM, rsqrt, D, A, 0, STATS, MADE(SHIFTED)),                                                       \
        R(K, RMSNORM, norm, D, A, 8, NORMED_##T##_##A, 4, MADE(X32) | MADE(STATS)),                                    \
        LIST_##T(R(K, RMSNORM, down, D, A, 4 + e, CAST_##A, e, 0), )                                                   \
            LIST_##A(R(K, RMSNORM, gamma, D, A, 2 * e, RESULT, e, MADE(H) | MADE(NORMED) | MADE(MEAN)))
#define RMSNORM_BACKWARD(K, T, D, e, A)                                                                                \
    LIST_##A(R(K, RMSNORM, b_dh, D, A, 2 * e, DH, e, 0), R(K, RMSNORM, b_product, D, A, 3 * e, PRODUCT, e, 0),         \
             C(K, RMSNORM, b_dgamma, D, A, e, DGAMMA, MADE(PRODUCT) | MADE(H) | MADE(NORMED)), )                       \
        LIST_##T(R(K, RMSNORM, b_up, D, A, e + 4, DH32, 4, MADE(DH)), ) R(K, RMSNORM, b_q, D, A, 12, Q, 4, 0),         \
        R(K, RMSNORM, b_direct, D, A, 8, GRADIENT_##T, 4, 0),                                                          \
        SMALL(K, RMSNORM, b_drstd, D, A, 4, ROW, MADE(Q) | MADE(DH32) | MADE(DH)),                                     \
        SMALL(K, RMSNORM, b_cube, D, A, 0, CUBE, 0), SMALL(K, RMSNORM, b_half, D, A, 0, HALF, 0),                      \
        SMALL(K, RMSNORM, b_root, D, A, 0, ROOT, MADE(ROW) | MADE(CUBE) | MADE(HALF) | MADE(STATS)),                   \
        R(K, RMSNORM, b_spread, D, A, 4, SPREAD, 4, MADE(ROOT)), R(K, RMSNORM, b_power, D, A, 8, P1, 4, 0),            \
        R(K, RMSNORM, b_twice, D, A, 8, P2, 4, 0),                                                                     \
        R(K, RMSNORM, b_square, D, A, 12, D2, 4, MADE(P1) | MADE(P2) | MADE(SPREAD) | MADE(X32)),                      \
        R(K, RMSNORM, b_add, D, A, 12, NOTHING, 0, MADE(D2)),                                                          \
        LIST_##T(R(K, RMSNORM, b_down, D, A, 4 + e, RESULT, e, MADE(D1)))

#define DYT_TANH(K, D, e, kind, A)                                                                                     \
    R(K, DYT, alpha, D, A, 2 * e, SCALED, e, 0),                                                                       \
        OPERATION(K, DYT_tanh_##kind##_##D##_##A, ROWS, 2 * e, TANH_##A, e, 0, 0, MADE(SCALED), TANH_GRAIN, 1)
#define DYT_FORWARD(K, D, e, kind)                                                                                     \
    DYT_TANH(K, D, e, kind, affine), R(K, DYT, gamma_then, D, affine, 2 * e, WEIGHTED, e, 0),                          \
        R(K, DYT, beta, D, affine, 2 * e, RESULT, e, MADE(WEIGHTED) | MADE(T))
#define DYT_FORWARD_NOBETA(K, D, e, kind)                                                                              \
    DYT_TANH(K, D, e, kind, affine), R(K, DYT, gamma, D, affine, 2 * e, RESULT, e, MADE(T))
#define DYT_FORWARD_NOAFFINE(K, D, e, kind) DYT_TANH(K, D, e, kind, noaffine)
#define DYT_GRADIENT(K, D, e, A)                                                                                       \
    LIST_##A(R(K, DYT, b_product, D, A, 3 * e, PRODUCT, e, 0), R(K, DYT, b_dt, D, A, 2 * e, DH, e, 0),                 \
             C(K, DYT, b_dgamma, D, A, e, DGAMMA, MADE(PRODUCT)), )                                                    \
        R(K, DYT, b_tanh, D, A, 3 * e, D1, e, MADE(DH) | MADE(T)),                                                     \
        R(K, DYT, b_dx, D, A, 2 * e, RESULT, e, 0), R(K, DYT, b_xproduct, D, A, 3 * e, PRODUCT, e, 0),                 \
        R(K, DYT, b_total, D, A, e, NOTHING, 0, MADE(PRODUCT) | MADE(D1)), END(K, DYT, b_dalpha, D, A)
#define DYT_BACKWARD(K, D, e, kind) C(K, DYT, b_dbeta, D, affine, e, DBETA, 0), DYT_GRADIENT(K, D, e, affine)
#define DYT_BACKWARD_NOBETA(K, D, e, kind) DYT_GRADIENT(K, D, e, affine)
#define DYT_BACKWARD_NOAFFINE(K, D, e, kind) DYT_GRADIENT(K, D, e, noaffine)

// A pass of an implementation, as the two tables of its list.
#define LISTS(FORWARD, BACKWARD, ...)                                                                                  \
    .pass = {NORM_STAGES(FORWARD(STAGE, __VA_ARGS__)), NORM_STAGES(BACKWARD(STAGE, __VA_ARGS__))},                     \
    .lives = {(const norm_life[]){FORWARD(LIFE, __VA_ARGS__)}, (const norm_life[]){BACKWARD(LIFE, __VA_ARGS__)}}

// saved is the tensors that forward has made and kept. Without gamma, the y of dyt is the t that backward needs.
#define IMPL(OP, name, suffix, D, which, kept)                                                                         \
    .op = OP, .base = name, .variant = name suffix, .form = NORM_FRAMEWORK, .level = NORM_LEVEL_ID, .dtype = D,        \
    .params = which, .keeps = kept, .saved = {.fixed = (kept) != 0 ? MADE_SAVED : 0}
#define DYT_IMPL(D, name, suffix, which, kept)                                                                         \
    IMPL(NORM_DYT, name, suffix, D, which, kept), .reads_y = ((which)&NORM_GAMMA) == 0, .op_by_op = true,              \
                                                  .workspace = {.per_slice = sizeof(double)}
// A tanh of its name.
#define DYT_IMPLS(D, kind, e)                                                                                          \
    {DYT_IMPL(D, #kind, "", NORM_GAMMA | NORM_ALPHA | NORM_BETA, MADE(T)),                                             \
     LISTS(DYT_FORWARD, DYT_BACKWARD, D, e, kind)},                                                                    \
    {                                                                                                                  \
        DYT_IMPL(D, #kind, "_nobeta", NORM_GAMMA | NORM_ALPHA, MADE(T)),                                               \
            LISTS(DYT_FORWARD_NOBETA, DYT_BACKWARD_NOBETA, D, e, kind)                                                 \
    }
#define DYT_NOAFFINE_IMPL(D, kind, e)                                                                                  \
    { DYT_IMPL(D, #kind, "_noaffine", NORM_ALPHA, 0), LISTS(DYT_FORWARD_NOAFFINE, DYT_BACKWARD_NOAFFINE, D, e, kind) }

#endif
