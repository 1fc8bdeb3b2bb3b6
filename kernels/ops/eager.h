// SPDX-License-Identifier: MIT
// eager.h: the form `eager`, ideal op by op: one sweep over the whole tensor per elementary operation, through
// temporaries of its size that are allocated once and kept, so that nothing is left but what the bytes cost. The lists
// of operations are those of automatic differentiation: rmsnorm casts to f32 and back as the LLaMA of the usual model
// library does, layernorm likewise, dyt stays in its dtype and rounds after every operation. `*_nobeta` are the same
// lists without the steps of beta, and `*_noaffine` without those of gamma, too, the last step left writing y.
// Temporaries that backward needs live in `saved`, the others in `workspace`; without `saved` all do, and one takes the
// place of another that is done with.
#ifndef EAGER_H
#define EAGER_H

#include "extreme.h"
#include "sweeps.h"

// Temporaries are cut off a buffer in a fixed order, each beginning a cache line; run.c leaves room for that.
typedef struct {
    char *next;
    size_t rows, cols;
} arena;
SIMD_INLINE void *take(arena *from, size_t bytes) {
    void *const data = from->next;
    from->next += align64(bytes);
    return data;
}
SIMD_INLINE tensor take_full(arena *from, norm_dtype dtype) {
    return (tensor){take(from, from->rows * from->cols * dtype_size(dtype)), from->cols};
}
SIMD_INLINE float *take_rows(arena *from) { return take(from, from->rows * sizeof(float)); }

// Every tensor of one call, by its name in the lists below. In f32 casts are no operations, so x32 is x, h is normed,
// and so on.
typedef struct {
    tensor x, y, dy, dx, gamma, beta, alpha; // the caller's
    tensor x32, centred, normed, h, t;       // saved
    float *mean, *rstd;                      // saved
    tensor square, scaled; // forward's scratch: in `saved` too, so that one pointer serves a whole forward
    tensor product, dh, dh32, d1, q, spread, p1, p2, d2, d32; // backward's scratch
    float *row;                                               // backward's scratch
    double *partial;                                          // one per slice, a cache line each
} tensors;

// Forward alone: a temporary takes the place of one that nobody reads any more.
SIMD_INLINE void locate_reused(norm_op op, norm_dtype dtype, const norm_args *a, tensors *t) {
    const bool low = dtype != NORM_F32;
    arena scratch = {a->workspace, a->rows, a->cols};
    if (op == NORM_DYT) {
        t->scaled = take_full(&scratch, dtype);
        t->t = take_full(&scratch, dtype);
        return;
    }
    t->mean = take_rows(&scratch);
    t->rstd = take_rows(&scratch);
    const tensor first = take_full(&scratch, NORM_F32), second = take_full(&scratch, NORM_F32);
    if (op == NORM_RMSNORM) {
        t->x32 = t->centred = low ? first : t->x;
        t->square = t->normed = second;
        t->h = low ? first : second;
    } else {
        t->x32 = low ? first : t->x;
        t->centred = second;
        t->square = t->normed = first;
        t->h = low ? second : first;
        t->scaled = low ? first : second;
    }
}

// norm_op and dtype are constants where this is inlined: what is left are a few additions.
SIMD_INLINE tensors locate(norm_op op, norm_dtype dtype, const norm_args *a, norm_pass pass) {
    const bool low = dtype != NORM_F32;
    tensors t = {.x = operand(a->x, a->x_stride),
                 .y = operand(a->y, a->y_stride),
                 .dy = operand(a->dy, a->dy_stride),
                 .dx = operand(a->dx, a->dx_stride),
                 .gamma = vector(a->gamma),
                 .beta = vector(a->beta),
                 .alpha = vector(&a->alpha)};
    if (pass == NORM_FORWARD && a->saved == NULL) {
        locate_reused(op, dtype, a, &t);
        return t;
    }
    arena saved = {a->saved, a->rows, a->cols};
    if (op == NORM_DYT) {
        t.t = take_full(&saved, dtype);
        t.scaled = take_full(&saved, dtype);
    } else {
        t.mean = take_rows(&saved);
        t.rstd = take_rows(&saved);
        t.x32 = low ? take_full(&saved, NORM_F32) : t.x;
        t.centred = op == NORM_LAYERNORM ? take_full(&saved, NORM_F32) : t.x32;
        t.square = take_full(&saved, NORM_F32);
        t.normed = take_full(&saved, NORM_F32);
        t.h = low ? take_full(&saved, dtype) : t.normed;
        t.scaled = op == NORM_LAYERNORM ? take_full(&saved, dtype) : t.y;
    }
    if (pass == NORM_FORWARD)
        return t;
    arena scratch = {a->workspace, a->rows, a->cols};
    t.product = take_full(&scratch, dtype);
    t.dh = take_full(&scratch, dtype);
    if (op == NORM_DYT) {
        t.d1 = take_full(&scratch, dtype);
        t.partial = (double *)scratch.next;
        return t;
    }
    t.row = take_rows(&scratch);
    t.dh32 = low ? take_full(&scratch, NORM_F32) : t.dh;
    t.d1 = take_full(&scratch, NORM_F32);
    t.q = take_full(&scratch, NORM_F32);
    t.spread = take_full(&scratch, NORM_F32);
    t.p1 = take_full(&scratch, NORM_F32);
    t.p2 = take_full(&scratch, NORM_F32);
    t.d2 = take_full(&scratch, NORM_F32);
    t.d32 = take_full(&scratch, NORM_F32);
    return t;
}

// Without gamma, what it would have multiplied is y itself, and what its gradient would have given is dy.
SIMD_INLINE void drop_gamma(norm_dtype dtype, tensors *t) {
    t->t = t->h = t->y;
    t->dh = t->dy;
    if (dtype == NORM_F32) {
        t->normed = t->y;
        t->dh32 = t->dy;
    }
}

// One stage: a function over a slice whose statement sees every tensor as t, the arguments as a and the slice as s. The
// casts are made for f32 as well, but in no list there. EDGE_STAGE: one that meets a tensor of drop_gamma, and so comes
// with gamma and without.
#define STAGE(op, name, DTYPE, pass, statement) STAGE_OF(op, op##_##name##_##DTYPE, DTYPE, true, pass, statement)
#define EDGE_STAGE(op, name, DTYPE, pass, statement)                                                                   \
    STAGE_OF(op, op##_##name##_##DTYPE##_affine, DTYPE, true, pass, statement)                                         \
    STAGE_OF(op, op##_##name##_##DTYPE##_noaffine, DTYPE, false, pass, statement)
#define STAGE_OF(op, function, DTYPE, affine, pass, statement)                                                         \
    __attribute__((unused)) static void function(const norm_args *a, const norm_slice *s) {                            \
        tensors t = locate(NORM_##op, DTYPE, a, pass);                                                                 \
        if (!affine)                                                                                                   \
            drop_gamma(DTYPE, &t);                                                                                     \
        statement;                                                                                                     \
    }

// The root of an extreme row, whose result would not be right, is told by zero.
SIMD_INLINE void ordinary_root(const norm_slice *s, float *stat) {
    for (size_t row = s->begin; row < s->end; row++) {
        const float rstd = 1.0f / sqrtf(stat[row]);
        stat[row] = is_ordinary(rstd) ? rstd : 0.0f;
    }
}

// Extreme rows, whose rstd is zero, are put right where their results are made: what forward multiplies by it, and what
// backward would have had by it, to which nothing is then added.
SIMD_INLINE const void *row_in(tensor t, size_t row) { return row_of(NORM_F32, t.data, row, t.stride); }
SIMD_INLINE void *row_out(tensor t, size_t row) { return row_of_mut(NORM_F32, t.data, row, t.stride); }

// From the caller's x: another tensor may have taken the place of x32.
SIMD_SHARED void mend_normed(norm_dtype dtype, bool centred, const norm_args *a, const norm_slice *s, const float *rstd,
                             tensor normed) {
    norm_moments m;
    for (size_t row = s->begin; row < s->end; row++)
        if (rstd[row] == 0.0f) {
            const void *const x = row_of(dtype, a->x, row, a->x_stride);
            float *const to = row_out(normed, row);
            extreme_moments(dtype, centred, x, a->cols, &m);
            for (size_t i = 0; i < a->cols; i++)
                to[i] = (float)((dtype_get(dtype, x, i) - m.mean) * extreme_rstd(&m, a->eps));
        }
}
SIMD_SHARED void mend_direct(bool centred, const norm_args *a, const norm_slice *s, const float *rstd, tensor x,
                             tensor g, tensor direct) {
    const kernel_spec spec = {.dtype = NORM_F32, .form = NORM_EAGER};
    norm_moments m;
    for (size_t row = s->begin; row < s->end; row++)
        if (rstd[row] == 0.0f) {
            const row_pair pair = {.x = row_in(x, row), .dy = row_in(g, row), .dx = row_out(direct, row)};
            extreme_moments(NORM_F32, centred, pair.x, a->cols, &m);
            extreme_dx(spec, centred, a, &pair, &m);
        }
}
SIMD_SHARED void mend_sum(const norm_args *a, const norm_slice *s, const float *rstd, tensor direct, tensor sum) {
    for (size_t row = s->begin; row < s->end; row++)
        if (rstd[row] == 0.0f)
            memcpy(row_out(sum, row), row_in(direct, row), a->cols * sizeof(float));
}

#define NORMED(OP, D, x)                                                                                               \
    BY_ROW(MUL, normed, x, rstd);                                                                                      \
    mend_normed(D, NORM_##OP == NORM_LAYERNORM, a, s, t.rstd, t.normed)
#define DIRECT(OP)                                                                                                     \
    BY_ROW(MUL, d1, dh32, rstd);                                                                                       \
    mend_direct(NORM_##OP == NORM_LAYERNORM, a, s, t.rstd, t.x32, t.dh32, t.d1)
#define JOINED(out, direct, other)                                                                                     \
    SWEEP(ADD, NORM_F32, NORM_F32, FULL, FULL, out, direct, other);                                                    \
    mend_sum(a, s, t.rstd, direct, out)
static const float two = 2.0f;

#define FORWARD_STAGES(D)                                                                                              \
    STAGE(RMSNORM, cast, D, NORM_FORWARD, UNARY(CAST, NORM_F32, D, x32, x))                                            \
    STAGE(RMSNORM, square, D, NORM_FORWARD, UNARY(SQUARE, NORM_F32, NORM_F32, square, x32))                            \
    STAGE(RMSNORM, mean, D, NORM_FORWARD, row_sums(s, a->cols, t.rstd, t.square, (float)a->cols))                      \
    STAGE(RMSNORM, eps, D, NORM_FORWARD, add_eps(s, t.rstd, a->eps))                                                   \
    STAGE(RMSNORM, rsqrt, D, NORM_FORWARD, ordinary_root(s, t.rstd))                                                   \
    EDGE_STAGE(RMSNORM, norm, D, NORM_FORWARD, NORMED(RMSNORM, D, x32))                                                \
    EDGE_STAGE(RMSNORM, down, D, NORM_FORWARD, UNARY(CAST, D, NORM_F32, h, normed))                                    \
    STAGE(RMSNORM, gamma, D, NORM_FORWARD, BINARY(MUL, D, PER_COL, y, h, gamma))                                       \
    STAGE(LAYERNORM, cast, D, NORM_FORWARD, UNARY(CAST, NORM_F32, D, x32, x))                                          \
    STAGE(LAYERNORM, mean, D, NORM_FORWARD, row_sums(s, a->cols, t.mean, t.x32, (float)a->cols))                       \
    STAGE(LAYERNORM, centre, D, NORM_FORWARD, BY_ROW(SUB, centred, x32, mean))                                         \
    STAGE(LAYERNORM, square, D, NORM_FORWARD, UNARY(SQUARE, NORM_F32, NORM_F32, square, centred))                      \
    STAGE(LAYERNORM, var, D, NORM_FORWARD, row_sums(s, a->cols, t.rstd, t.square, (float)a->cols))                     \
    STAGE(LAYERNORM, eps, D, NORM_FORWARD, add_eps(s, t.rstd, a->eps))                                                 \
    STAGE(LAYERNORM, rsqrt, D, NORM_FORWARD, ordinary_root(s, t.rstd))                                                 \
    EDGE_STAGE(LAYERNORM, norm, D, NORM_FORWARD, NORMED(LAYERNORM, D, centred))                                        \
    EDGE_STAGE(LAYERNORM, down, D, NORM_FORWARD, UNARY(CAST, D, NORM_F32, h, normed))                                  \
    STAGE(LAYERNORM, gamma, D, NORM_FORWARD, BINARY(MUL, D, PER_COL, y, h, gamma))                                     \
    STAGE(LAYERNORM, gamma_then, D, NORM_FORWARD, BINARY(MUL, D, PER_COL, scaled, h, gamma))                           \
    STAGE(LAYERNORM, beta, D, NORM_FORWARD, BINARY(ADD, D, PER_COL, y, scaled, beta))                                  \
    STAGE(DYT, alpha, D, NORM_FORWARD, BINARY(MUL, D, SCALAR, scaled, x, alpha))                                       \
    EDGE_STAGE(DYT, tanh_u2, D, NORM_FORWARD, UNARY(TANH_U2, D, D, t, scaled))                                         \
    EDGE_STAGE(DYT, tanh_libm, D, NORM_FORWARD, UNARY(TANH_LIBM, D, D, t, scaled))                                     \
    WITH_MVEC(EDGE_STAGE(DYT, tanh_mvec, D, NORM_FORWARD, UNARY(TANH_MVEC, D, D, t, scaled)))                          \
    WITH_SLEEF(EDGE_STAGE(DYT, tanh_sleef, D, NORM_FORWARD, UNARY(TANH_SLEEF, D, D, t, scaled)))                       \
    STAGE(DYT, gamma, D, NORM_FORWARD, BINARY(MUL, D, PER_COL, y, t, gamma))                                           \
    STAGE(DYT, gamma_then, D, NORM_FORWARD, BINARY(MUL, D, PER_COL, scaled, t, gamma))                                 \
    STAGE(DYT, beta, D, NORM_FORWARD, BINARY(ADD, D, PER_COL, y, scaled, beta))

// Backward of normed = centred * rstd and of what made rstd, the same for rmsnorm (whose centred is x32) and layernorm.
// The power's gradient is three operations, as automatic differentiation writes it: centred^1, times 2, times the
// gradient.
#define NORM_GRADIENT_STAGES(OP, D)                                                                                    \
    STAGE(OP, b_product, D, NORM_BACKWARD, BINARY(MUL, D, FULL, product, dy, h))                                       \
    STAGE(OP, b_dgamma, D, NORM_BACKWARD, col_sums(D, s, a->rows, a->dgamma, t.product))                               \
    STAGE(OP, b_dh, D, NORM_BACKWARD, BINARY(MUL, D, PER_COL, dh, dy, gamma))                                          \
    EDGE_STAGE(OP, b_up, D, NORM_BACKWARD, UNARY(CAST, NORM_F32, D, dh32, dh))                                         \
    EDGE_STAGE(OP, b_direct, D, NORM_BACKWARD, DIRECT(OP))                                                             \
    EDGE_STAGE(OP, b_q, D, NORM_BACKWARD, BINARY(MUL, NORM_F32, FULL, q, dh32, centred))                               \
    STAGE(OP, b_drstd, D, NORM_BACKWARD, row_sums(s, a->cols, t.row, t.q, 1.0f))                                       \
    STAGE(OP, b_root, D, NORM_BACKWARD, root_grad(s, t.row, t.rstd, a->cols))                                          \
    STAGE(OP, b_spread, D, NORM_BACKWARD, SPREAD(spread, row))                                                         \
    STAGE(OP, b_power, D, NORM_BACKWARD, UNARY(CAST, NORM_F32, NORM_F32, p1, centred))                                 \
    STAGE(OP, b_twice, D, NORM_BACKWARD, SWEEP(MUL, NORM_F32, NORM_F32, FULL, SCALAR, t.p2, t.p1, vector(&two)))       \
    STAGE(OP, b_square, D, NORM_BACKWARD, BINARY(MUL, NORM_F32, FULL, d2, p2, spread))                                 \
    STAGE(OP, b_add, D, NORM_BACKWARD, JOINED(NORM_##OP == NORM_RMSNORM && D == NORM_F32 ? t.dx : t.d32, t.d1, t.d2))

#define BACKWARD_STAGES(D)                                                                                             \
    NORM_GRADIENT_STAGES(RMSNORM, D)                                                                                   \
    STAGE(RMSNORM, b_down, D, NORM_BACKWARD, UNARY(CAST, D, NORM_F32, dx, d32))                                        \
    NORM_GRADIENT_STAGES(LAYERNORM, D)                                                                                 \
    STAGE(LAYERNORM, b_dbeta, D, NORM_BACKWARD, col_sums(D, s, a->rows, a->dbeta, t.dy))                               \
    STAGE(LAYERNORM, b_negate, D, NORM_BACKWARD, UNARY(NEG, NORM_F32, NORM_F32, q, d32))                               \
    STAGE(LAYERNORM, b_dmean, D, NORM_BACKWARD, row_sums(s, a->cols, t.row, t.q, (float)a->cols))                      \
    STAGE(LAYERNORM, b_share, D, NORM_BACKWARD, SPREAD(spread, row))                                                   \
    STAGE(LAYERNORM, b_join, D, NORM_BACKWARD, JOINED(D == NORM_F32 ? t.dx : t.d1, t.d32, t.spread))                   \
    STAGE(LAYERNORM, b_down, D, NORM_BACKWARD, UNARY(CAST, D, NORM_F32, dx, d1))                                       \
    STAGE(DYT, b_dbeta, D, NORM_BACKWARD, col_sums(D, s, a->rows, a->dbeta, t.dy))                                     \
    STAGE(DYT, b_product, D, NORM_BACKWARD, BINARY(MUL, D, FULL, product, dy, t))                                      \
    STAGE(DYT, b_dgamma, D, NORM_BACKWARD, col_sums(D, s, a->rows, a->dgamma, t.product))                              \
    STAGE(DYT, b_dt, D, NORM_BACKWARD, BINARY(MUL, D, PER_COL, dh, dy, gamma))                                         \
    EDGE_STAGE(DYT, b_tanh, D, NORM_BACKWARD, BINARY(TANH_GRAD, D, FULL, d1, dh, t))                                   \
    STAGE(DYT, b_dx, D, NORM_BACKWARD, BINARY(MUL, D, SCALAR, dx, d1, alpha))                                          \
    STAGE(DYT, b_xproduct, D, NORM_BACKWARD, BINARY(MUL, D, FULL, product, d1, x))                                     \
    STAGE(DYT, b_total, D, NORM_BACKWARD, total(D, s, a->cols, t.partial, t.product))                                  \
    STAGE(DYT, b_dalpha, D, NORM_BACKWARD, join_total(s, a->dalpha, t.partial))

#define DEFINE(name, D) FORWARD_STAGES(D) BACKWARD_STAGES(D)
NORM_EACH_DTYPE(DEFINE)

// The lists. A row: function, how it is split, and what it reads and writes per element, e being the size of the
// dtype's elements. A is affine or noaffine.
#define R(op, name, D, bytes)                                                                                          \
    { op##_##name##_##D, NORM_SPLIT_ROWS, bytes }
#define C(op, name, D, bytes)                                                                                          \
    { op##_##name##_##D, NORM_SPLIT_COLS, bytes }
#define EDGE(op, name, D, A, bytes)                                                                                    \
    { op##_##name##_##D##_##A, NORM_SPLIT_ROWS, bytes }
// Casts stand in the lists of bf16 and f16, the steps of gamma and beta in those of the variants that have them.
#define LIST_bf16(...) __VA_ARGS__
#define LIST_f16(...) __VA_ARGS__
#define LIST_f32(...)
#define LIST_affine(...) __VA_ARGS__
#define LIST_noaffine(...)

#define RMSNORM_FORWARD(T, D, e, A)                                                                                    \
    NORM_STAGES(LIST_##T(R(RMSNORM, cast, D, e + 4), ) R(RMSNORM, square, D, 8), R(RMSNORM, mean, D, 4),               \
                R(RMSNORM, eps, D, 0), R(RMSNORM, rsqrt, D, 0), EDGE(RMSNORM, norm, D, A, 8),                          \
                LIST_##T(EDGE(RMSNORM, down, D, A, 4 + e), ) LIST_##A(R(RMSNORM, gamma, D, 2 * e)))
#define LAYERNORM_NORMED(T, D, e, A)                                                                                   \
    LIST_##T(R(LAYERNORM, cast, D, e + 4), ) R(LAYERNORM, mean, D, 4), R(LAYERNORM, centre, D, 8),                     \
        R(LAYERNORM, square, D, 8), R(LAYERNORM, var, D, 4), R(LAYERNORM, eps, D, 0), R(LAYERNORM, rsqrt, D, 0),       \
        EDGE(LAYERNORM, norm, D, A, 8), LIST_##T(EDGE(LAYERNORM, down, D, A, 4 + e), )
#define LAYERNORM_FORWARD(T, D, e)                                                                                     \
    NORM_STAGES(LAYERNORM_NORMED(T, D, e, affine) R(LAYERNORM, gamma_then, D, 2 * e), R(LAYERNORM, beta, D, 2 * e))
#define LAYERNORM_FORWARD_NOBETA(T, D, e) NORM_STAGES(LAYERNORM_NORMED(T, D, e, affine) R(LAYERNORM, gamma, D, 2 * e))
#define LAYERNORM_FORWARD_NOAFFINE(T, D, e) NORM_STAGES(LAYERNORM_NORMED(T, D, e, noaffine))
#define NORM_GRADIENT(OP, T, D, e, A)                                                                                  \
    LIST_##A(R(OP, b_product, D, 3 * e), C(OP, b_dgamma, D, e), R(OP, b_dh, D, 2 * e), )                               \
        LIST_##T(EDGE(OP, b_up, D, A, e + 4), ) EDGE(OP, b_direct, D, A, 8),                                           \
        EDGE(OP, b_q, D, A, 12), R(OP, b_drstd, D, 4), R(OP, b_root, D, 0), R(OP, b_spread, D, 4),                     \
        R(OP, b_power, D, 8), R(OP, b_twice, D, 8), R(OP, b_square, D, 12), R(OP, b_add, D, 12)
#define RMSNORM_BACKWARD(T, D, e, A)                                                                                   \
    NORM_STAGES(NORM_GRADIENT(RMSNORM, T, D, e, A), LIST_##T(R(RMSNORM, b_down, D, 4 + e)))
#define LAYERNORM_GRADIENT(T, D, e, A)                                                                                 \
    NORM_GRADIENT(LAYERNORM, T, D, e, A), R(LAYERNORM, b_negate, D, 8), R(LAYERNORM, b_dmean, D, 4),                   \
        R(LAYERNORM, b_share, D, 4), R(LAYERNORM, b_join, D, 12), LIST_##T(R(LAYERNORM, b_down, D, 4 + e))
#define LAYERNORM_BACKWARD(T, D, e) NORM_STAGES(C(LAYERNORM, b_dbeta, D, e), LAYERNORM_GRADIENT(T, D, e, affine))
#define LAYERNORM_BACKWARD_NOBETA(T, D, e) NORM_STAGES(LAYERNORM_GRADIENT(T, D, e, affine))
#define LAYERNORM_BACKWARD_NOAFFINE(T, D, e) NORM_STAGES(LAYERNORM_GRADIENT(T, D, e, noaffine))
#define DYT_TANH(D, e, kind, A) R(DYT, alpha, D, 2 * e), EDGE(DYT, tanh_##kind, D, A, 2 * e)
#define DYT_FORWARD(D, e, kind)                                                                                        \
    NORM_STAGES(DYT_TANH(D, e, kind, affine), R(DYT, gamma_then, D, 2 * e), R(DYT, beta, D, 2 * e))
#define DYT_FORWARD_NOBETA(D, e, kind) NORM_STAGES(DYT_TANH(D, e, kind, affine), R(DYT, gamma, D, 2 * e))
#define DYT_FORWARD_NOAFFINE(D, e, kind) NORM_STAGES(DYT_TANH(D, e, kind, noaffine))
#define DYT_GRADIENT(D, e, A)                                                                                          \
    LIST_##A(R(DYT, b_product, D, 3 * e), C(DYT, b_dgamma, D, e), R(DYT, b_dt, D, 2 * e), )                            \
        EDGE(DYT, b_tanh, D, A, 3 * e),                                                                                \
        R(DYT, b_dx, D, 2 * e), R(DYT, b_xproduct, D, 3 * e), R(DYT, b_total, D, e), C(DYT, b_dalpha, D, 0)
#define DYT_BACKWARD(D, e) NORM_STAGES(C(DYT, b_dbeta, D, e), DYT_GRADIENT(D, e, affine))
#define DYT_BACKWARD_NOBETA(D, e) NORM_STAGES(DYT_GRADIENT(D, e, affine))
#define DYT_BACKWARD_NOAFFINE(D, e) NORM_STAGES(DYT_GRADIENT(D, e, noaffine))

// Without gamma, the y of dyt is the t that backward needs: in a framework one tensor is both.
#define IMPL(OP, name, suffix, D, which, forward, backward, saved_row, saved_element, work_row, work_element)          \
    {                                                                                                                  \
        .op = OP, .base = name, .variant = name suffix, .form = NORM_EAGER, .level = NORM_LEVEL_ID, .dtype = D,        \
        .params = which, .reads_y = OP == NORM_DYT && ((which)&NORM_GAMMA) == 0, .op_by_op = true,                     \
        .pass = {forward, backward}, .saved = {.per_row = saved_row, .per_element = saved_element},                    \
        .workspace = {.per_row = work_row, .per_element = work_element, .per_slice = sizeof(double)},                  \
        .flushes = FLUSHES                                                                                             \
    }

// A tanh of its name.
#define DYT_NOAFFINE_IMPL(D, kind, e)                                                                                  \
    IMPL(NORM_DYT, #kind, "_noaffine", D, NORM_ALPHA, DYT_FORWARD_NOAFFINE(D, e, kind), DYT_BACKWARD_NOAFFINE(D, e),   \
         0, 2 * (e), 0, 3 * (e))
#define DYT_IMPLS(D, kind, e)                                                                                          \
    IMPL(NORM_DYT, #kind, "", D, NORM_GAMMA | NORM_ALPHA | NORM_BETA, DYT_FORWARD(D, e, kind), DYT_BACKWARD(D, e), 0,  \
         2 * (e), 0, 3 * (e)),                                                                                         \
        IMPL(NORM_DYT, #kind, "_nobeta", D, NORM_GAMMA | NORM_ALPHA, DYT_FORWARD_NOBETA(D, e, kind),                   \
             DYT_BACKWARD_NOBETA(D, e), 0, 2 * (e), 0, 3 * (e))

#endif
