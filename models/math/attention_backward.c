// SPDX-License-Identifier: MIT
// attention_backward.c: the gradients of attention.h.
#include "attention_block.h"

#include <string.h>

#include "scratch.h"

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
    matrix q, k, v, bias, dout, dq;
    matrix dk, dv; // of all; backward_block: of one head of keys, f32
} gradients;

// Where the gradients of a block's scores are kept until those of its chunk of sequences are added up.
static float *kept_scores(const attention *a, const block *b) {
    const attention_spec *const s = &a->spec;
    float *const kept = (float *)((char *)scratch_data() + a->threads * a->each);
    return kept + ((b->sequence % a->chunk * s->heads + b->head) * s->tokens + b->token) * s->context;
}

// Adds row `row` of the gradient of the bias over the sequences [first, first + count), which are a chunk or its start,
// in their order, so that the sum does not depend on the team.
static void add_bias_row(const attention *a, matrix dbias, size_t row, size_t first, size_t count) {
    const attention_spec *const s = &a->spec;
    const float back = 1 / attention_scale(a); // kept are the gradients of products, not of scaled ones
    const size_t each = s->batch / s->bias_groups;
    const block at = {.head = row / (s->bias_groups * s->tokens), .token = row % s->tokens};
    const size_t group = row / s->tokens % s->bias_groups;
    float *const sum = (float *)dbias.data + row * dbias.stride;
    if (first == 0)
        memset(sum, 0, s->context * sizeof *sum);
    for (size_t sequence = first; sequence < first + count; sequence++) {
        block b = at;
        b.sequence = sequence;
        if (sequence / each != group)
            continue;
        const float *const from = kept_scores(a, &b);
#pragma omp simd
        for (size_t c = 0; c < s->context; c++)
            sum[c] += back * from[c];
    }
}

// Adds the block's part to dk and dv, or begins them.
static bool backward_block(const attention *a, const block *b, workspace *w, const gradients *g, bool begins) {
    const matrix q = block_widened(block_queries(a, b, g->q), w->q),
                 dout = block_widened(block_queries(a, b, g->dout), w->out);
    const matrix dq = block_queries(a, b, g->dq), wide_dq = block_wide_result(dq, w->dq);
    const matrix dp = block_scores(a, b, a->chunk > 0 ? kept_scores(a, b) : w->dscores);
    matrix p;
    if (!block_probabilities(a, b, w, q, g->k, g->bias, &p) || !block_against_keys(a, b, w, dp, 1, dout, g->v, false) ||
        !block_multiply(block_part(g->dv, 0, 0, b->keys, g->dv.cols), p, true, dout, false, !begins))
        return false;
    softmax_backward(dp, p, attention_scale(a));
    if (!block_over_keys(a, b, w, wide_dq, dp, g->k) ||
        !block_multiply(block_part(g->dk, 0, 0, b->keys, g->dk.cols), dp, true, q, false, !begins))
        return false;
    block_narrow(dq, wide_dq);
    return true;
}

static bool backward_head(const attention *a, workspace *w, const gradients *all, size_t sequence, size_t kv_head,
                          size_t per_head) {
    const block whole = {.sequence = sequence, .kv_head = kv_head};
    const matrix to_dk = block_keys(a, &whole, all->dk, 0, a->spec.context),
                 to_dv = block_keys(a, &whole, all->dv, 0, a->spec.context);
    gradients g = *all;
    g.dk = block_wide_result(to_dk, w->dk);
    g.dv = block_wide_result(to_dv, w->dv);
    bool ok = true;
    // The last block comes first: it alone reaches all keys, so it can begin the sums.
    for (size_t j = 0; ok && j < per_head * a->blocks; j++) {
        const block b = attention_block(a, sequence, kv_head * per_head + j % per_head, a->blocks - 1 - j / per_head);
        ok = backward_block(a, &b, w, &g, j == 0);
    }
    block_narrow(to_dk, g.dk);
    block_narrow(to_dv, g.dv);
    return ok;
}

bool attention_backward(attention *a, matrix q, matrix k, matrix v, matrix dout, matrix dq, matrix dk, matrix dv) {
    return a->spec.bias_groups == 0 &&
           attention_backward_biased(a, q, k, v, (matrix){0}, dout, dq, dk, dv, (matrix){0});
}

bool attention_backward_biased(attention *a, matrix q, matrix k, matrix v, matrix bias, matrix dout, matrix dq,
                               matrix dk, matrix dv, matrix dbias) {
    const attention_spec *const s = &a->spec;
    if (!s->train)
        return false;
    const size_t per_head = a->stacked ? 1 : s->heads / s->kv_heads; // heads of queries that are blocks of their own
    bool ok = true;
    const size_t chunk = a->chunk > 0 ? a->chunk : s->batch;
    const gradients g = {.q = q, .k = k, .v = v, .bias = bias, .dout = dout, .dq = dq, .dk = dk, .dv = dv};
#pragma omp parallel num_threads(attention_team(a)) default(none) firstprivate(a, s, g, dbias, per_head, chunk)                \
    reduction(&& : ok)
    {
        workspace w = attention_workspace(a);
        for (size_t first = 0; first < s->batch; first += chunk) {
            const size_t count = s->batch - first < chunk ? s->batch - first : chunk;
            // A head of keys is one thread's, so that its gradients are summed by one, in an order that does not depend
            // on the team.
#pragma omp for schedule(dynamic)
            for (size_t i = first * s->kv_heads; i < (first + count) * s->kv_heads; i++)
                ok = backward_head(a, &w, &g, i / s->kv_heads, i % s->kv_heads, per_head) && ok;
            if (a->chunk == 0)
                continue;
#pragma omp for schedule(static)
            for (size_t row = 0; row < dbias.rows; row++)
                add_bias_row(a, dbias, row, first, count);
        }
    }
    return ok;
}
