// SPDX-License-Identifier: MIT
// Attention: heads and blocks of queries shared out over the team, each by one thread with a product of the library
// that is single-threaded there.
//
// A block's scores stand whole, so softmax needs no running maximum, and backward recomputes them instead of keeping
// them: Dao et al. 2022 (arXiv 2205.14135), algorithm 4, with whole rows. Products are the library's sgemm rather than
// prepared primitives: it takes any stride and length at run time, as causal blocks need, and on tiles like these it
// reaches the rate of a large product. They are f32 in both dtypes: without matrix units a bf16 product is no faster,
// and conversions cost one element per row of a block.
#include "attention_block.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "scratch.h"

// Queries of a block: enough to reuse a tile of keys from cache; causal ones fewer, since a block computes scores up to
// its last query's for all of its queries.
enum { BLOCK_MOST = 256, BLOCK_MOST_CAUSAL = 128, SCORES_BYTES = 64 << 20 };

// Gradients of scores that are kept until that of a bias is summed over sequences: few enough for a third-level cache.
enum { KEPT_BYTES = 16 << 20 };

static size_t blocks_of(size_t total, size_t most) { return (total + most - 1) / most; }

// Of one sequence's scores.
static size_t scores_bytes(const attention_spec *s) { return s->heads * s->tokens * s->context * sizeof(float); }

attention *attention_make(const attention_spec *spec, char error[ATTENTION_ERROR_SIZE]) {
    if (spec->batch < 1 || spec->heads < 1 || spec->kv_heads < 1 || spec->head_dim < 1 || spec->tokens < 1 ||
        spec->context < 1 || spec->heads % spec->kv_heads != 0 || (spec->causal && spec->context < spec->tokens) ||
        (spec->bias_groups > 0 && (spec->causal || spec->batch % spec->bias_groups != 0)) ||
        (spec->shift > 0 && (spec->bias_groups == 0 || spec->window * spec->window != spec->tokens))) {
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
    a->stacked = spec->tokens == 1 && spec->bias_groups == 0;
    const size_t row_bytes = a->threads * spec->context * sizeof(float) * (spec->train ? 2 : 1);
    const size_t fit = SCORES_BYTES / row_bytes, most = spec->causal ? BLOCK_MOST_CAUSAL : BLOCK_MOST;
    const size_t limit = fit < 1 ? 1 : fit < most ? fit : most;
    a->block = blocks_of(spec->tokens, blocks_of(spec->tokens, limit)); // blocks of like size
    a->blocks = blocks_of(spec->tokens, a->block);
    a->rows = a->stacked ? spec->heads / spec->kv_heads : a->block;
    if (spec->train && spec->bias_groups > 0) {
        const size_t fitting = KEPT_BYTES / scores_bytes(spec);
        a->chunk = fitting < 1 ? 1 : fitting < spec->batch ? fitting : spec->batch;
    }
    a->each = attention_place(a, NULL).bytes;
    a->bytes = a->threads * a->each + a->chunk * scores_bytes(spec);
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

// ---- Forward

static bool forward_block(const attention *a, const block *b, workspace *w, matrix q, matrix k, matrix v, matrix bias,
                          matrix out) {
    const matrix to = block_queries(a, b, out), wide = block_wide_result(to, w->out);
    matrix p;
    if (!block_probabilities(a, b, w, block_widened(block_queries(a, b, q), w->q), k, bias, &p) ||
        !block_over_keys(a, b, w, wide, p, v))
        return false;
    block_narrow(to, wide);
    return true;
}

bool attention_forward(attention *a, matrix q, matrix k, matrix v, matrix out) {
    return a->spec.bias_groups == 0 && attention_forward_biased(a, q, k, v, (matrix){0}, out);
}

bool attention_forward_biased(attention *a, matrix q, matrix k, matrix v, matrix bias, matrix out) {
    const size_t heads = a->stacked ? a->spec.kv_heads : a->spec.heads, all_heads = a->spec.batch * heads;
    bool ok = true;
#pragma omp parallel num_threads(attention_team(a)) default(none) firstprivate(a, q, k, v, bias, out, heads, all_heads)        \
    reduction(&& : ok)
    {
        workspace w = attention_workspace(a);
        // Causal blocks grow with their index: the longest come first, so that no thread is left alone with one.
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < a->blocks * all_heads; i++) {
            const size_t head = i % all_heads;
            const block b = attention_block(a, head / heads, head % heads, a->blocks - 1 - i / all_heads);
            ok = forward_block(a, &b, &w, q, k, v, bias, out) && ok;
        }
    }
    return ok;
}
