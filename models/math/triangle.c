// SPDX-License-Identifier: MIT
// triangle.c: see triangle.h. The products are as many as there are channels, and small, so that each is one thread's.
#include "triangle.h"

#include <omp.h>

#include <dnnl.h>

#include "pointwise.h"

enum { OPERANDS = 3 }; // of a product

size_t triangle_bytes(const triangle_shape *s, norm_dtype dtype) {
    const size_t each = OPERANDS * s->tokens * s->tokens * sizeof(float);
    return dtype == NORM_F32 ? 0 : (size_t)omp_get_max_threads() * each;
}

// The index-th of a tensor's matrices.
static matrix matrix_at(const triangle_shape *s, matrix m, size_t index) {
    const size_t each = s->tokens * s->tokens, offset = index / s->batch * m.stride + index % s->batch * each;
    return (matrix){m.dtype, s->tokens, s->tokens, s->tokens, (char *)m.data + offset * norm_dtype_bytes(m.dtype)};
}

static matrix widened(matrix m, float *copy) {
    if (m.dtype == NORM_F32)
        return m;
    const matrix wide = {NORM_F32, m.rows, m.cols, m.cols, copy};
    pointwise_copy(1, wide, m);
    return wide;
}

// c = op(a) op(b)
static bool multiply(matrix c, matrix a, bool transpose_a, matrix b, bool transpose_b, float *scratch) {
    const size_t each = c.rows * c.cols;
    const matrix x = widened(a, scratch), y = widened(b, scratch + each);
    const matrix to = c.dtype == NORM_F32 ? c : (matrix){NORM_F32, c.rows, c.cols, c.cols, scratch + 2 * each};
    const dnnl_dim_t n = (dnnl_dim_t)c.rows;
    if (dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', n, n, n, 1, x.data, n, y.data, n, 0, to.data, n) !=
        dnnl_success)
        return false;
    if (c.dtype != NORM_F32)
        pointwise_copy(1, c, to);
    return true;
}

static float *own_scratch(const triangle_shape *s, float *scratch) {
    return scratch != NULL ? scratch + (size_t)omp_get_thread_num() * OPERANDS * s->tokens * s->tokens : NULL;
}

bool triangle_forward(const triangle_shape *s, matrix a, matrix b, matrix out, float *scratch) {
    bool ok = true;
#pragma omp parallel for schedule(dynamic) default(none) firstprivate(s, a, b, out, scratch) reduction(&& : ok)
    for (size_t i = 0; i < out.rows * s->batch; i++)
        ok = multiply(matrix_at(s, out, i), matrix_at(s, a, i), s->incoming, matrix_at(s, b, i), !s->incoming,
                      own_scratch(s, scratch)) &&
             ok;
    return ok;
}

bool triangle_backward(const triangle_shape *s, matrix a, matrix b, matrix dout, matrix da, matrix db, float *scratch) {
    bool ok = true;
#pragma omp parallel for schedule(dynamic) default(none) firstprivate(s, a, b, dout, da, db, scratch) reduction(&& : ok)
    for (size_t i = 0; i < dout.rows * s->batch; i++) {
        const matrix x = matrix_at(s, a, i), y = matrix_at(s, b, i), d = matrix_at(s, dout, i);
        const matrix dx = matrix_at(s, da, i), dy = matrix_at(s, db, i);
        float *const own = own_scratch(s, scratch);
        ok = (s->incoming ? multiply(dx, y, false, d, true, own) && multiply(dy, x, false, d, false, own)
                          : multiply(dx, d, false, y, false, own) && multiply(dy, d, true, x, false, own)) &&
             ok;
    }
    return ok;
}

// ---- Transposition

// A tile of 32 x 32 elements of f32 is 4 KiB to be read and as much to be written, in lines of its own.
enum { TILE = 32 };

#define TRANSPOSE_TILE(type)                                                                                           \
    for (size_t c = first_col; c < last_col; c++)                                                                      \
        for (size_t r = first_row; r < last_row; r++)                                                                  \
    ((type *)out.data)[c * out.stride + r] = ((const type *)x.data)[r * x.stride + c]

static void transpose_tile(matrix out, matrix x, size_t first_row, size_t first_col) {
    const size_t last_row = first_row + TILE < x.rows ? first_row + TILE : x.rows;
    const size_t last_col = first_col + TILE < x.cols ? first_col + TILE : x.cols;
    if (norm_dtype_bytes(x.dtype) == sizeof(uint32_t)) {
        TRANSPOSE_TILE(uint32_t);
    } else {
        TRANSPOSE_TILE(uint16_t);
    }
}

void transpose(int threads, matrix out, matrix x) {
    const size_t down = (x.rows + TILE - 1) / TILE, across = (x.cols + TILE - 1) / TILE;
#pragma omp parallel for num_threads(threads) default(none) firstprivate(out, x, down, across)
    for (size_t i = 0; i < down * across; i++)
        transpose_tile(out, x, i / across * TILE, i % across * TILE);
}
