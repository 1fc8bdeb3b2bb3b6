// SPDX-License-Identifier: MIT
// Attention: heads and blocks of queries shared out over the team, each by one thread with a product of the library
// that is single-threaded there.
//
// A block's scores stand whole, so softmax needs no running maximum, and backward recomputes them instead of keeping
// them: Dao et al. 2022 (arXiv 2205.14135), algorithm 4, with whole rows. Products are the library's sgemm rather than
// prepared primitives: it takes any stride and length at run time, as causal blocks need, and on tiles like these it
// reaches the rate of a large product. They are f32 in both dtypes: without matrix units a bf16 product is no faster,
// and conversions cost one element per row of a block.
#include "attention.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include <dnnl.h>

#include "pointwise.h"
#include "scratch.h"

// Queries of a block: enough to reuse a tile of keys from cache; causal ones fewer, since a block computes scores up to
// its last query's for all of its queries. Keys of a tile: its product's operands stay in a second-level cache.
enum { BLOCK_MOST = 256, BLOCK_MOST_CAUSAL = 128, TILE = 512, SCORES_BYTES = 64 << 20 };

struct attention {
    attention_spec spec;
    // With one query per sequence, the query heads that share a key head are the rows of one block.
    bool stacked;
    size_t rows;          // of a block, at most
    size_t blocks, block; // of tokens: their number, and the tokens of each but the last
    size_t threads;
    size_t bytes; // of scratch
};

// What one thread works in, all f32. Copies are there for bf16 alone.
typedef struct {
    float *scores, *dscores; // (rows, context)
    float *q, *out, *dq;     // (rows, head_dim)
    float *tile;             // (TILE, head_dim) of keys or values
    float *dk, *dv;          // (context, head_dim)
    size_t bytes;
} workspace;

static float *take(char *base, size_t *offset, size_t rows, size_t cols) {
    float *const here = base ? (float *)(base + *offset) : NULL;
    *offset += scratch_align(rows * cols * sizeof(float));
    return here;
}

static workspace place(const attention *a, char *base) {
    const attention_spec *const s = &a->spec;
    const bool converts = s->dtype != NORM_F32;
    workspace w = {0};
    w.scores = take(base, &w.bytes, a->rows, s->context);
    if (converts) {
        w.q = take(base, &w.bytes, a->rows, s->head_dim);
        w.out = take(base, &w.bytes, a->rows, s->head_dim);
        w.tile = take(base, &w.bytes, TILE, s->head_dim);
    }
    if (s->train)
        w.dscores = take(base, &w.bytes, a->rows, s->context);
    if (s->train && converts) {
        w.dq = take(base, &w.bytes, a->rows, s->head_dim);
        w.dk = take(base, &w.bytes, s->context, s->head_dim);
        w.dv = take(base, &w.bytes, s->context, s->head_dim);
    }
    return w;
}

static size_t blocks_of(size_t total, size_t most) { return (total + most - 1) / most; }

attention *attention_make(const attention_spec *spec, char error[ATTENTION_ERROR_SIZE]) {
    if (spec->batch < 1 || spec->heads < 1 || spec->kv_heads < 1 || spec->head_dim < 1 || spec->tokens < 1 ||
        spec->context < 1 || spec->heads % spec->kv_heads != 0 || (spec->causal && spec->context < spec->tokens)) {
        snprintf(error, ATTENTION_ERROR_SIZE,
                 "no attention has %zu sequences of %zu tokens and %zu keys, %zu heads of %zu on %zu", spec->batch,
                 spec->tokens, spec->context, spec->heads, spec->head_dim, spec->kv_heads);
        return NULL;
    }
    attention *const a = calloc(1, sizeof *a);
    if (!a) {
        snprintf(error, ATTENTION_ERROR_SIZE, "out of memory");
        return NULL;
    }
    a->spec = *spec;
    a->threads = (size_t)omp_get_max_threads();
    a->stacked = spec->tokens == 1;
    const size_t row_bytes = a->threads * spec->context * sizeof(float) * (spec->train ? 2 : 1);
    const size_t fit = SCORES_BYTES / row_bytes, most = spec->causal ? BLOCK_MOST_CAUSAL : BLOCK_MOST;
    const size_t limit = fit < 1 ? 1 : fit < most ? fit : most;
    a->block = blocks_of(spec->tokens, blocks_of(spec->tokens, limit)); // blocks of like size
    a->blocks = blocks_of(spec->tokens, a->block);
    a->rows = a->stacked ? spec->heads / spec->kv_heads : a->block;
    a->bytes = a->threads * place(a, NULL).bytes;
    if (!scratch_reserve(a->bytes)) {
        snprintf(error, ATTENTION_ERROR_SIZE, "out of memory: attention needs %zu bytes", a->bytes);
        free(a);
        return NULL;
    }
    return a;
}

void attention_free(attention *a) {
    if (!a)
        return;
    scratch_release();
    free(a);
}

size_t attention_bytes(const attention *a) { return a->bytes; }

// ---- Operands

static matrix part(matrix m, size_t row, size_t col, size_t rows, size_t cols) {
    m.data = (char *)m.data + (row * m.stride + col) * norm_dtype_bytes(m.dtype);
    m.rows = rows;
    m.cols = cols;
    return m;
}

// The matrix as f32: itself, or the copy made of it.
static matrix widened(matrix m, float *copy) {
    if (m.dtype == NORM_F32)
        return m;
    const matrix wide = {NORM_F32, m.rows, m.cols, m.cols, copy};
    pointwise_copy(1, wide, m);
    return wide;
}

// Where an f32 result for m is computed: in m itself, or in a copy that `narrow` rounds into it.
static matrix wide_result(matrix m, float *copy) {
    return m.dtype == NORM_F32 ? m : (matrix){NORM_F32, m.rows, m.cols, m.cols, copy};
}
static void narrow(matrix m, matrix wide) {
    if (m.dtype != NORM_F32)
        pointwise_copy(1, m, wide);
}

// c = op(a) op(b), or c += that; all f32.
static bool multiply(matrix c, matrix a, bool transpose_a, matrix b, bool transpose_b, bool accumulate) {
    const size_t k = transpose_a ? a.rows : a.cols;
    return dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', (dnnl_dim_t)c.rows, (dnnl_dim_t)c.cols,
                      (dnnl_dim_t)k, 1, a.data, (dnnl_dim_t)a.stride, b.data, (dnnl_dim_t)b.stride, accumulate ? 1 : 0,
                      c.data, (dnnl_dim_t)c.stride) == dnnl_success;
}

// A block of queries and the keys that it attends to.
typedef struct {
    size_t sequence, kv_head;
    size_t row, head; // its first row in q and out, and its head there
    size_t first;     // position of its first query among the keys
    size_t rows, keys;
} block;

// head: of the queries, or of the keys if stacked.
static block block_at(const attention *a, size_t sequence, size_t head, size_t index) {
    const attention_spec *const s = &a->spec;
    const size_t group = s->heads / s->kv_heads;
    if (a->stacked)
        return (block){sequence, head, sequence, head * group, s->context - 1, group, s->context};
    const size_t begin = index * a->block, left = s->tokens - begin, rows = left < a->block ? left : a->block;
    const size_t first = s->causal ? s->context - s->tokens + begin : 0;
    return (block){sequence, head / group, sequence * s->tokens + begin,         head,
                   first,    rows,         s->causal ? first + rows : s->context};
}

// The block's part of q, out or one of their gradients.
static matrix queries(const attention *a, const block *b, matrix m) {
    const size_t head_dim = a->spec.head_dim;
    matrix rows = part(m, b->row, b->head * head_dim, b->rows, head_dim);
    if (a->stacked)
        rows.stride = head_dim;
    return rows;
}

// Keys [begin, end) of the block's head, or values, or one of their gradients.
static matrix keys(const attention *a, const block *b, matrix m, size_t begin, size_t end) {
    const size_t head_dim = a->spec.head_dim;
    return part(m, b->sequence * a->spec.context + begin, b->kv_head * head_dim, end - begin, head_dim);
}

static size_t tile_end(const block *b, size_t begin) { return b->keys - begin < TILE ? b->keys : begin + TILE; }

static matrix scores_of(const attention *a, const block *b, float *data) {
    return (matrix){NORM_F32, b->rows, b->keys, a->spec.context, data};
}

static float scale_of(const attention *a) { return (float)(1 / sqrt((double)a->spec.head_dim)); }

// to = rows (rows, head_dim) m^T, m being keys or values.
static bool against_keys(const attention *a, const block *b, workspace *w, matrix to, matrix rows, matrix m) {
    bool ok = true;
    for (size_t begin = 0; ok && begin < b->keys; begin += TILE) {
        const size_t end = tile_end(b, begin);
        ok = multiply(part(to, 0, begin, b->rows, end - begin), rows, false,
                      widened(keys(a, b, m, begin, end), w->tile), true, false);
    }
    return ok;
}

// to (rows, head_dim) = weights (rows, keys) m, m being keys or values.
static bool over_keys(const attention *a, const block *b, workspace *w, matrix to, matrix weights, matrix m) {
    bool ok = true;
    for (size_t begin = 0; ok && begin < b->keys; begin += TILE) {
        const size_t end = tile_end(b, begin);
        ok = multiply(to, part(weights, 0, begin, b->rows, end - begin), false,
                      widened(keys(a, b, m, begin, end), w->tile), false, begin > 0);
    }
    return ok;
}

static bool probabilities(const attention *a, const block *b, workspace *w, matrix q, matrix k, matrix *p) {
    *p = scores_of(a, b, w->scores);
    if (!against_keys(a, b, w, *p, q, k))
        return false;
    pointwise_softmax(1, *p, scale_of(a), a->spec.causal && !a->stacked, b->first);
    return true;
}

static int team_of(const attention *a) {
    const int now = omp_get_max_threads();
    return (size_t)now < a->threads ? now : (int)a->threads;
}

static workspace own_workspace(const attention *a) {
    return place(a, (char *)scratch_data() + (size_t)omp_get_thread_num() * (a->bytes / a->threads));
}

// ---- Forward

static bool forward_block(const attention *a, const block *b, workspace *w, matrix q, matrix k, matrix v, matrix out) {
    const matrix to = queries(a, b, out), wide = wide_result(to, w->out);
    matrix p;
    if (!probabilities(a, b, w, widened(queries(a, b, q), w->q), k, &p) || !over_keys(a, b, w, wide, p, v))
        return false;
    narrow(to, wide);
    return true;
}

bool attention_forward(attention *a, matrix q, matrix k, matrix v, matrix out) {
    const size_t heads = a->stacked ? a->spec.kv_heads : a->spec.heads, all_heads = a->spec.batch * heads;
    bool ok = true;
#pragma omp parallel num_threads(team_of(a)) default(none) firstprivate(a, q, k, v, out, heads, all_heads)              \
    reduction(&& : ok)
    {
        workspace w = own_workspace(a);
        // Causal blocks grow with their index: the longest come first, so that no thread is left alone with one.
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < a->blocks * all_heads; i++) {
            const size_t head = i % all_heads;
            const block b = block_at(a, head / heads, head % heads, a->blocks - 1 - i / all_heads);
            ok = forward_block(a, &b, &w, q, k, v, out) && ok;
        }
    }
    return ok;
}

// ---- Backward

// dp becomes the gradient of the products of queries and keys: of softmax(scale * scores) with value p, where dp is
// that of p: scale * p * (dp - sum(p * dp)), row by row.
static void softmax_backward(matrix dp, matrix p, float scale) {
    for (size_t row = 0; row < p.rows; row++) {
        const float *const pr = (const float *)p.data + row * p.stride;
        float *const dr = (float *)dp.data + row * dp.stride;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < p.cols; i++)
            sum += pr[i] * dr[i];
#pragma omp simd
        for (size_t i = 0; i < p.cols; i++)
            dr[i] = scale * pr[i] * (dr[i] - sum);
    }
}

typedef struct {
    matrix q, k, v, dout, dq;
    matrix dk, dv; // of one head of keys, f32
} gradients;

// Adds the block's part to dk and dv, or begins them.
static bool backward_block(const attention *a, const block *b, workspace *w, const gradients *g, bool begins) {
    const matrix q = widened(queries(a, b, g->q), w->q), dout = widened(queries(a, b, g->dout), w->out);
    const matrix dq = queries(a, b, g->dq), wide_dq = wide_result(dq, w->dq);
    const matrix dp = scores_of(a, b, w->dscores);
    matrix p;
    if (!probabilities(a, b, w, q, g->k, &p) || !against_keys(a, b, w, dp, dout, g->v) ||
        !multiply(part(g->dv, 0, 0, b->keys, g->dv.cols), p, true, dout, false, !begins))
        return false;
    softmax_backward(dp, p, scale_of(a));
    if (!over_keys(a, b, w, wide_dq, dp, g->k) ||
        !multiply(part(g->dk, 0, 0, b->keys, g->dk.cols), dp, true, q, false, !begins))
        return false;
    narrow(dq, wide_dq);
    return true;
}

bool attention_backward(attention *a, matrix q, matrix k, matrix v, matrix dout, matrix dq, matrix dk, matrix dv) {
    const attention_spec *const s = &a->spec;
    if (!s->train)
        return false;
    const size_t per_head = a->stacked ? 1 : s->heads / s->kv_heads; // heads of queries that are blocks of their own
    bool ok = true;
    // A head of keys is one thread's, so that its gradients are summed by one, in an order that does not depend on the
    // team.
#pragma omp parallel num_threads(team_of(a)) default(none) firstprivate(a, s, q, k, v, dout, dq, dk, dv, per_head)      \
    reduction(&& : ok)
    {
        workspace w = own_workspace(a);
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < s->batch * s->kv_heads; i++) {
            const size_t sequence = i / s->kv_heads, kv_head = i % s->kv_heads;
            const block whole = {.sequence = sequence, .kv_head = kv_head};
            const matrix to_dk = keys(a, &whole, dk, 0, s->context), to_dv = keys(a, &whole, dv, 0, s->context);
            const gradients g = {q, k, v, dout, dq, wide_result(to_dk, w.dk), wide_result(to_dv, w.dv)};
            // The last block comes first: it alone reaches all keys, so it can begin the sums.
            for (size_t j = 0; ok && j < per_head * a->blocks; j++) {
                const block b = block_at(a, sequence, kv_head * per_head + j % per_head, a->blocks - 1 - j / per_head);
                ok = backward_block(a, &b, &w, &g, j == 0);
            }
            narrow(to_dk, g.dk);
            narrow(to_dv, g.dv);
        }
    }
    return ok;
}
