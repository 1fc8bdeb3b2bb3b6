// SPDX-License-Identifier: MIT
// Products through oneDNN: directly where it has one for the dtype, else in f32, tile by tile through converted copies.
#include "matmul.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onednn.h"
#include "pointwise.h"
#include "scratch.h"

// Tiles of converted copies: at most this many rows or columns of C, and this many bytes of A and of B, so that scratch
// stays below 2 * 32 MiB + 16 MiB at any shape. B is converted once per tile of rows, and A once per product, so a
// conversion is shared by thousands of multiplications.
enum { TILE_MOST = 2048, TILE_BYTES = 32 << 20 };

// [0, total) in `count` parts of `size`, the last one of `last`.
typedef struct {
    size_t count, size, last;
} split;

static split split_whole(size_t total) { return (split){1, total, total}; }

static split split_tiles(size_t total, size_t k) {
    const size_t fit = TILE_BYTES / sizeof(float) / k;
    const size_t most = fit < 1 ? 1 : fit > TILE_MOST ? TILE_MOST : fit;
    const size_t size = (total + (total + most - 1) / most - 1) / ((total + most - 1) / most); // parts of like size
    const size_t count = (total + size - 1) / size;
    return (split){count, size, total - (count - 1) * size};
}

struct matmul {
    matmul_spec spec;
    bool via_f32;
    split rows, cols;    // of C
    onednn_op ops[2][2]; // [last tile of rows][last tile of cols]; of [0] only what there is
    char *packed;        // pack_b: one layout per tile of cols
    size_t packed_each;  // bytes from one to the next
    char describe[64];
};

static norm_dtype result_dtype(const matmul_spec *s) { return s->f32_result ? NORM_F32 : s->dtype; }
// Whether a tile of C is computed in scratch, to be rounded from there.
static bool rounds_result(const matmul *m) { return m->via_f32 && result_dtype(&m->spec) != NORM_F32; }

static onednn_tensor dense(norm_dtype dtype, size_t rows, size_t cols, size_t stride, bool transposed) {
    const dnnl_dim_t step = (dnnl_dim_t)stride;
    return (onednn_tensor){.dtype = dtype,
                           .ndims = 2,
                           .dims = {(dnnl_dim_t)rows, (dnnl_dim_t)cols},
                           .strides = {transposed ? 1 : step, transposed ? step : 1}};
}

// B's tile of `cols` columns as it is given: within the whole of B, or as a converted copy.
static onednn_tensor b_tile(const matmul *m, size_t cols) {
    const matmul_spec *const s = &m->spec;
    return dense(m->via_f32 ? NORM_F32 : s->dtype, s->k, cols, s->transpose_b ? s->k : cols, s->transpose_b);
}

static dnnl_status_t make_op(matmul *m, size_t last_row, size_t last_col, const onednn_op *like) {
    const matmul_spec *const s = &m->spec;
    const norm_dtype dtype = m->via_f32 ? NORM_F32 : s->dtype;
    const size_t rows = last_row ? m->rows.last : m->rows.size, cols = last_col ? m->cols.last : m->cols.size;
    const onednn_tensor a = dense(dtype, rows, s->k, s->transpose_a ? rows : s->k, s->transpose_a);
    onednn_tensor b = b_tile(m, cols);
    b.any = s->pack_b;
    const onednn_tensor bias = dense(dtype, 1, cols, cols, false);
    const onednn_tensor c =
        rounds_result(m) ? dense(NORM_F32, rows, cols, cols, false) : dense(result_dtype(s), rows, cols, s->n, false);
    return onednn_matmul(&m->ops[last_row][last_col], &a, &b, s->bias ? &bias : NULL, &c, s->accumulate, like);
}

static void free_ops(matmul *m) {
    for (size_t i = 0; i < 4; i++)
        onednn_free(&m->ops[i / 2][i % 2]);
}

static dnnl_status_t make_ops(matmul *m, bool via_f32) {
    const matmul_spec *const s = &m->spec;
    m->via_f32 = via_f32;
    m->rows = via_f32 ? split_tiles(s->m, s->k) : split_whole(s->m);
    m->cols = via_f32 ? split_tiles(s->n, s->k) : split_whole(s->n);
    dnnl_status_t status = dnnl_success;
    for (size_t j = m->cols.count > 1 ? 0 : 1; status == dnnl_success && j < 2; j++) {
        status = make_op(m, 1, j, NULL);
        // One packed tile serves all tiles of rows, so they share its layout.
        if (status == dnnl_success && m->rows.count > 1)
            status = make_op(m, 0, j, s->pack_b ? &m->ops[1][j] : NULL);
    }
    if (status == dnnl_success && s->dtype != NORM_F32 && !via_f32 && onednn_is_reference(&m->ops[1][1]))
        status = dnnl_unimplemented;
    if (status != dnnl_success)
        free_ops(m);
    return status;
}

// Where the converted copies stand in scratch.
typedef struct {
    float *a, *b, *c, *bias;
    size_t bytes;
} copies;

static copies place(const matmul *m) {
    const matmul_spec *const s = &m->spec;
    copies at = {0};
    if (!m->via_f32)
        return at;
    char *const base = scratch_data();
    const size_t a = scratch_align(m->rows.size * s->k * sizeof(float));
    const size_t b = scratch_align(m->cols.size * s->k * sizeof(float));
    const size_t c = rounds_result(m) ? scratch_align(m->rows.size * m->cols.size * sizeof(float)) : 0;
    const size_t bias = s->bias ? scratch_align(s->n * sizeof(float)) : 0;
    at.bytes = a + b + c + bias;
    if (base) {
        at.a = (float *)base;
        at.b = (float *)(base + a);
        at.c = (float *)(base + a + b);
        at.bias = (float *)(base + a + b + c);
    }
    return at;
}

matmul *matmul_make(const matmul_spec *spec, char error[MATMUL_ERROR_SIZE]) {
    matmul *const m = calloc(1, sizeof *m);
    if (!m) {
        snprintf(error, MATMUL_ERROR_SIZE, "out of memory");
        return NULL;
    }
    m->spec = *spec;
    if (onednn_refusal() != NULL) {
        snprintf(error, MATMUL_ERROR_SIZE, "products need %s", onednn_refusal());
        goto failed;
    }
    if (spec->m < 1 || spec->k < 1 || spec->n < 1) {
        snprintf(error, MATMUL_ERROR_SIZE, "a product of no elements: %zu x %zu x %zu", spec->m, spec->k, spec->n);
        goto failed;
    }
    dnnl_status_t status = make_ops(m, false);
    if (status != dnnl_success && spec->dtype != NORM_F32)
        status = make_ops(m, true);
    if (status != dnnl_success) {
        snprintf(error, MATMUL_ERROR_SIZE, "%s has no product of %zu x %zu x %zu: %s", matmul_library(), spec->m,
                 spec->k, spec->n, onednn_error(status));
        goto failed;
    }
    snprintf(m->describe, sizeof m->describe, "%s%s", onednn_name(&m->ops[1][1]), m->via_f32 ? " via f32" : "");
    if (spec->pack_b) {
        for (size_t j = m->cols.count > 1 ? 0 : 1; j < 2; j++) {
            const size_t bytes = scratch_align(onednn_bytes(&m->ops[1][j], 1));
            m->packed_each = bytes > m->packed_each ? bytes : m->packed_each;
        }
        m->packed = scratch_allocate(m->packed_each * m->cols.count);
    }
    if ((spec->pack_b && !m->packed) || !scratch_reserve(place(m).bytes)) {
        snprintf(error, MATMUL_ERROR_SIZE, "out of memory for a product of %zu x %zu x %zu", spec->m, spec->k, spec->n);
        goto failed;
    }
    return m;

failed:
    free_ops(m);
    free(m->packed);
    free(m);
    return NULL;
}

void matmul_free(matmul *m) {
    if (!m)
        return;
    scratch_release();
    free_ops(m);
    free(m->packed);
    free(m);
}

size_t matmul_bytes(const matmul *m) {
    size_t bytes = sizeof *m + m->packed_each * m->cols.count;
    for (size_t i = 0; i < 4; i++)
        bytes += onednn_scratch(&m->ops[i / 2][i % 2]);
    return bytes;
}

const char *matmul_describe(const matmul *m) { return m->describe; }

const char *matmul_library(void) {
    static char text[48];
    const dnnl_version_t *const v = dnnl_version();
    snprintf(text, sizeof text, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

// The part of a stored matrix of `cols` columns that begins at (row, col), whole or as its converted copy.
static const void *part(const matmul *m, const void *data, size_t stored_cols, size_t row, size_t col, size_t rows,
                        size_t cols, float *copy) {
    const matrix from = {m->spec.dtype, rows, cols, stored_cols,
                         (char *)(uintptr_t)data + (row * stored_cols + col) * norm_dtype_bytes(m->spec.dtype)};
    if (!m->via_f32)
        return from.data;
    pointwise_copy(omp_get_max_threads(), (matrix){NORM_F32, rows, cols, cols, copy}, from);
    return copy;
}

static const void *part_of_b(const matmul *m, const void *b, size_t first, size_t cols, float *copy) {
    const matmul_spec *const s = &m->spec;
    return s->transpose_b ? part(m, b, s->k, first, 0, cols, s->k, copy) : part(m, b, s->n, 0, first, s->k, cols, copy);
}

bool matmul_pack(matmul *m, const void *b) {
    bool ok = true;
    for (size_t j = 0; ok && j < m->cols.count; j++) {
        const size_t last = j + 1 == m->cols.count, cols = last ? m->cols.last : m->cols.size;
        const onednn_tensor given = b_tile(m, cols);
        onednn_op pack;
        if (onednn_reorder_in(&pack, &given, &m->ops[1][last], 1) != dnnl_success)
            return false;
        const void *const from = part_of_b(m, b, j * m->cols.size, cols, place(m).b);
        ok = onednn_run(&pack, (const void *const[]){from, m->packed + j * m->packed_each});
        onednn_free(&pack);
    }
    return ok;
}

// The tile of C that begins at (row, col).
static bool run_tile(matmul *m, const copies *at, const void *a, const void *b, const void *bias, void *c, size_t i,
                     size_t j) {
    const matmul_spec *const s = &m->spec;
    const size_t last_row = i + 1 == m->rows.count, last_col = j + 1 == m->cols.count;
    const size_t rows = last_row ? m->rows.last : m->rows.size, cols = last_col ? m->cols.last : m->cols.size;
    const size_t col = j * m->cols.size;
    const matrix whole = {result_dtype(s), rows, cols, s->n,
                          (char *)c + (i * m->rows.size * s->n + col) * norm_dtype_bytes(result_dtype(s))};
    const matrix rounded_from = {NORM_F32, rows, cols, cols, at->c};
    const bool rounds = rounds_result(m);
    if (rounds && s->accumulate)
        pointwise_copy(omp_get_max_threads(), rounded_from, whole);
    const void *data[ONEDNN_ARGS] = {a, b};
    size_t count = 2;
    if (s->bias)
        data[count++] = m->via_f32 ? at->bias + col : bias;
    data[count] = rounds ? at->c : whole.data;
    if (!onednn_run(&m->ops[last_row][last_col], data))
        return false;
    if (rounds)
        pointwise_copy(omp_get_max_threads(), whole, rounded_from);
    return true;
}

bool matmul_run(matmul *m, const void *a, const void *b, const void *bias, void *c) {
    const matmul_spec *const s = &m->spec;
    const copies at = place(m);
    if (s->bias && m->via_f32)
        (void)part(m, bias, s->n, 0, 0, 1, s->n, at.bias);
    for (size_t i = 0; i < m->rows.count; i++) {
        const size_t row = i * m->rows.size, rows = i + 1 == m->rows.count ? m->rows.last : m->rows.size;
        const void *const a_part =
            s->transpose_a ? part(m, a, s->m, 0, row, s->k, rows, at.a) : part(m, a, s->k, row, 0, rows, s->k, at.a);
        for (size_t j = 0; j < m->cols.count; j++) {
            const size_t cols = j + 1 == m->cols.count ? m->cols.last : m->cols.size;
            const void *const b_part =
                s->pack_b ? m->packed + j * m->packed_each : part_of_b(m, b, j * m->cols.size, cols, at.b);
            if (!run_tile(m, &at, a_part, b_part, bias, c, i, j))
                return false;
        }
    }
    return true;
}
