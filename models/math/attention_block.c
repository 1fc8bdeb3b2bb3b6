// SPDX-License-Identifier: MIT
// attention_block.c: see attention_block.h.
#include "attention_block.h"

#include <math.h>
#include <omp.h>

#include <dnnl.h>

#include "pointwise.h"
#include "scratch.h"

static const float MASKED = -100.0f; // what Swin adds to the scores of positions that were not side by side

static float *take(char *base, size_t *offset, size_t rows, size_t cols) {
    float *const here = base ? (float *)(base + *offset) : NULL;
    *offset += scratch_align(rows * cols * sizeof(float));
    return here;
}

workspace attention_place(const attention *a, char *base) {
    const attention_spec *const s = &a->spec;
    const bool converts = s->dtype != NORM_F32;
    workspace w = {0};
    w.scores = take(base, &w.bytes, a->rows, s->context);
    if (converts) {
        w.q = take(base, &w.bytes, a->rows, s->head_dim);
        w.out = take(base, &w.bytes, a->rows, s->head_dim);
        w.tile = take(base, &w.bytes, ATTENTION_TILE, s->head_dim);
    }
    if (s->train && a->chunk == 0)
        w.dscores = take(base, &w.bytes, a->rows, s->context);
    if (s->train && converts) {
        w.dq = take(base, &w.bytes, a->rows, s->head_dim);
        w.dk = take(base, &w.bytes, s->context, s->head_dim);
        w.dv = take(base, &w.bytes, s->context, s->head_dim);
    }
    return w;
}

// ---- Operands

matrix block_part(matrix m, size_t row, size_t col, size_t rows, size_t cols) {
    m.data = (char *)m.data + (row * m.stride + col) * norm_dtype_bytes(m.dtype);
    m.rows = rows;
    m.cols = cols;
    return m;
}

// The matrix as f32: itself, or the copy made of it.
matrix block_widened(matrix m, float *copy) {
    if (m.dtype == NORM_F32)
        return m;
    const matrix wide = {NORM_F32, m.rows, m.cols, m.cols, copy};
    pointwise_copy(1, wide, m);
    return wide;
}

// Where an f32 result for m is computed: in m itself, or in a copy that `narrow` rounds into it.
matrix block_wide_result(matrix m, float *copy) {
    return m.dtype == NORM_F32 ? m : (matrix){NORM_F32, m.rows, m.cols, m.cols, copy};
}
void block_narrow(matrix m, matrix wide) {
    if (m.dtype != NORM_F32)
        pointwise_copy(1, m, wide);
}

// c = factor op(a) op(b), or c += that; all f32.
static bool multiply_by(float factor, matrix c, matrix a, bool transpose_a, matrix b, bool transpose_b,
                        bool accumulate) {
    const size_t k = transpose_a ? a.rows : a.cols;
    return dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', (dnnl_dim_t)c.rows, (dnnl_dim_t)c.cols,
                      (dnnl_dim_t)k, factor, a.data, (dnnl_dim_t)a.stride, b.data, (dnnl_dim_t)b.stride,
                      accumulate ? 1 : 0, c.data, (dnnl_dim_t)c.stride) == dnnl_success;
}

bool block_multiply(matrix c, matrix a, bool transpose_a, matrix b, bool transpose_b, bool accumulate) {
    return multiply_by(1, c, a, transpose_a, b, transpose_b, accumulate);
}

// head: of the queries, or of the keys if stacked.
block attention_block(const attention *a, size_t sequence, size_t head, size_t index) {
    const attention_spec *const s = &a->spec;
    const size_t group = s->heads / s->kv_heads;
    if (a->stacked)
        return (block){sequence, head, sequence, head * group, s->context - 1, 0, group, s->context};
    const size_t begin = index * a->block, left = s->tokens - begin, rows = left < a->block ? left : a->block;
    const size_t first = s->causal ? s->context - s->tokens + begin : 0;
    return (block){sequence, head / group, sequence * s->tokens + begin,         head, first,
                   begin,    rows,         s->causal ? first + rows : s->context};
}

// The block's part of q, out or one of their gradients.
matrix block_queries(const attention *a, const block *b, matrix m) {
    const size_t head_dim = a->spec.head_dim;
    matrix rows = block_part(m, b->row, b->head * head_dim, b->rows, head_dim);
    if (a->stacked)
        rows.stride = head_dim;
    return rows;
}

// Keys [begin, end) of the block's head, or values, or one of their gradients.
matrix block_keys(const attention *a, const block *b, matrix m, size_t begin, size_t end) {
    const size_t head_dim = a->spec.head_dim;
    return block_part(m, b->sequence * a->spec.context + begin, b->kv_head * head_dim, end - begin, head_dim);
}

static size_t tile_end(const block *b, size_t begin) {
    return b->keys - begin < ATTENTION_TILE ? b->keys : begin + ATTENTION_TILE;
}

matrix block_scores(const attention *a, const block *b, float *data) {
    return (matrix){NORM_F32, b->rows, b->keys, a->spec.context, data};
}

float attention_scale(const attention *a) { return (float)(1 / sqrt((double)a->spec.head_dim)); }

// to = factor rows (rows, head_dim) m^T, or that is added to it, m being keys or values.
bool block_against_keys(const attention *a, const block *b, workspace *w, matrix to, float factor, matrix rows,
                        matrix m, bool accumulate) {
    bool ok = true;
    for (size_t begin = 0; ok && begin < b->keys; begin += ATTENTION_TILE) {
        const size_t end = tile_end(b, begin);
        ok = multiply_by(factor, block_part(to, 0, begin, b->rows, end - begin), rows, false,
                         block_widened(block_keys(a, b, m, begin, end), w->tile), true, accumulate);
    }
    return ok;
}

// to (rows, head_dim) = weights (rows, keys) m, m being keys or values.
bool block_over_keys(const attention *a, const block *b, workspace *w, matrix to, matrix weights, matrix m) {
    bool ok = true;
    for (size_t begin = 0; ok && begin < b->keys; begin += ATTENTION_TILE) {
        const size_t end = tile_end(b, begin);
        ok = block_multiply(to, block_part(weights, 0, begin, b->rows, end - begin), false,
                            block_widened(block_keys(a, b, m, begin, end), w->tile), false, begin > 0);
    }
    return ok;
}

// The first row of a block in a bias or its gradient.
static size_t bias_row(const attention *a, const block *b) {
    const attention_spec *const s = &a->spec;
    const size_t group = b->sequence / (s->batch / s->bias_groups);
    return (b->head * s->bias_groups + group) * s->tokens + b->token;
}

// Which part of an image that was moved round a row, or a column, of a window is in: those that came round are others.
static bool came_round(const attention_spec *s, size_t window, size_t place) {
    return window + 1 == s->windows_across && place + s->shift >= s->window;
}

static void mask_window(const attention *a, const block *b, matrix scores) {
    const attention_spec *const s = &a->spec;
    const size_t index = b->sequence % (s->windows_across * s->windows_across);
    const size_t down = index / s->windows_across, right = index % s->windows_across;
    if (down + 1 < s->windows_across && right + 1 < s->windows_across)
        return;
    for (size_t r = 0; r < scores.rows; r++) {
        const size_t token = b->token + r;
        const bool below = came_round(s, down, token / s->window), beyond = came_round(s, right, token % s->window);
        float *const row = (float *)scores.data + r * scores.stride;
        for (size_t key = 0; key < scores.cols; key++)
            if (came_round(s, down, key / s->window) != below || came_round(s, right, key % s->window) != beyond)
                row[key] += MASKED;
    }
}

bool block_probabilities(const attention *a, const block *b, workspace *w, matrix q, matrix k, matrix bias, matrix *p) {
    const bool biased = a->spec.bias_groups > 0;
    *p = block_scores(a, b, w->scores);
    if (biased)
        pointwise_copy(1, *p, block_part(bias, bias_row(a, b), 0, b->rows, b->keys));
    if (!block_against_keys(a, b, w, *p, biased ? attention_scale(a) : 1, q, k, biased))
        return false;
    if (a->spec.shift > 0)
        mask_window(a, b, *p);
    pointwise_softmax(1, *p, biased ? 1 : attention_scale(a), a->spec.causal && !a->stacked, b->first);
    return true;
}

int attention_team(const attention *a) {
    const int now = omp_get_max_threads();
    return (size_t)now < a->threads ? now : (int)a->threads;
}

workspace attention_workspace(const attention *a) {
    return attention_place(a, (char *)scratch_data() + (size_t)omp_get_thread_num() * a->each);
}
