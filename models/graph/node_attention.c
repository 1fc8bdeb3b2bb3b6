// SPDX-License-Identifier: MIT
// node_attention.c: the steps of attention: rotary embeddings, caches of keys and values, biases by distance, and
// scores with their softmax.
#include <stdio.h>

#include "compile.h"
#include "math/window.h"

// ---- Rotary embedding and caches

static bool run_rope(graph *g, const step *s) {
    const layer_config *const k = &g->config;
    pointwise_rope(threads_of(g), s->m[0], k->shape->head_dim, s->m[1].data, k->tokens, k->context,
                   s->shown.pass == NORM_BACKWARD);
    return true;
}

static view angles_of(const compiler *c) {
    return view_of_storage(c->g->angles, NORM_F32, c->g->angle_rows, c->g->config.shape->head_dim);
}

static void rope_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_ROPE, run_rope, tensor_value(c, n->out), angles_of(c));
}

// The gradient is turned back where it stands: it has no reader but the one that made x.
static void rope_backward(compiler *c, const node *n) {
    EMIT(c, n, ".grad", STEP_ROPE, run_rope, gradient_of(c, n->out), angles_of(c));
}

// x's place may hold the result of a norm. None that reads its result in backward may stand there: those are without
// gamma, which the norms of heads have.
tensor graph_rope(graph *g, const char *name, tensor x) {
    static const node_kind kind = {rope_forward, rope_backward};
    if (g->angles == NONE) {
        g->angle_rows = g->config.context + g->config.tokens;
        g->angles =
            graph_storage(g, size_product(size_product(g->angle_rows, g->config.shape->head_dim), sizeof(float)), true);
    }
    const tensor out = graph_reshape(g, x, g->tensors[x].cols);
    graph_node(g, &kind, name, x, out);
    return out;
}

static void cache_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_copy, tensor_value(c, n->out), tensor_value(c, n->in[0]));
}

// Decode only, which has no backward.
static void no_backward(compiler *c, const node *n) {
    (void)c;
    (void)n;
}

// The new token's keys or values, one row per sequence, into the last row of each sequence's cache, where they are seen
// as an output.
static tensor note_cache(graph *g, const char *stem, const char *which, tensor x) {
    static const node_kind kind = {cache_forward, no_backward};
    const size_t keys = g->config.context + 1, cols = g->tensors[x].cols;
    char full[NAME_SIZE * 3], added[NAME_SIZE * 3 + 8], name[NAME_SIZE];
    snprintf(full, sizeof full, "%s%s.cache.%s", g->scope, stem, which);
    snprintf(added, sizeof added, "%s.added", full);
    snprintf(name, sizeof name, "%s.cache.%s", stem, which);
    const tensor cache = graph_data(g, full, size_product(g->config.batch, keys), cols, 1.0);
    const tensor last = graph_view(g, cache, g->config.batch, cols, g->config.context * cols, keys * cols);
    graph_node(g, &kind, name, x, last);
    graph_output(g, added, last);
    return cache;
}

// ---- Attention

static attention *attention_of(const graph *g, const step *s) { return g->resources[s->node->resource].attention; }

static bool run_attention(graph *g, const step *s) {
    const matrix *const m = s->m;
    return m[4].data != NULL ? attention_forward_biased(attention_of(g, s), m[1], m[2], m[3], m[4], m[0])
                             : attention_forward(attention_of(g, s), m[1], m[2], m[3], m[0]);
}

static bool run_attention_backward(graph *g, const step *s) {
    const matrix *const m = s->m;
    attention *const a = attention_of(g, s);
    return m[7].data != NULL ? attention_backward_biased(a, m[0], m[1], m[2], m[7], m[3], m[4], m[5], m[6], m[8])
                             : attention_backward(a, m[0], m[1], m[2], m[3], m[4], m[5], m[6]);
}

// Of the two products: each of a query's keys takes head_dim multiplications and additions twice.
static double attention_flops(const attention_spec *a) {
    const double queries = (double)a->tokens, before = (double)a->context - queries;
    const double pairs = a->causal ? queries * before + queries * (queries + 1.0) / 2.0 : queries * (double)a->context;
    return 4.0 * (double)a->batch * (double)a->heads * (double)a->head_dim * pairs;
}

enum { Q, K, V, BIAS_OF_SCORES }; // in

static void attention_compile(compiler *c, const node *n) {
    step *const s = EMIT(c, n, "", STEP_ATTENTION, run_attention, tensor_value(c, n->out), tensor_value(c, n->in[Q]),
                         tensor_value(c, n->in[K]), tensor_value(c, n->in[V]), tensor_value(c, n->in[BIAS_OF_SCORES]));
    s->shown.flops = attention_flops(&c->g->resources[n->resource].attention_spec);
}

static void attention_compile_backward(compiler *c, const node *n) {
    const tensor bias = n->in[BIAS_OF_SCORES];
    const view dq = gradient_place(c, n->in[Q]), dk = gradient_place(c, n->in[K]), dv = gradient_place(c, n->in[V]);
    const view dbias = bias != NO_TENSOR ? gradient_place(c, bias) : view_none();
    step *const s = EMIT(c, n, ".grad", STEP_ATTENTION, run_attention_backward, tensor_value(c, n->in[Q]),
                         tensor_value(c, n->in[K]), tensor_value(c, n->in[V]), gradient_of(c, n->out), dq, dk, dv,
                         tensor_value(c, bias), dbias);
    // Four products for the forward pass's two; a repetition of the first is the implementation's own affair.
    s->shown.flops = 2.0 * attention_flops(&c->g->resources[n->resource].attention_spec);
    gradient_arrived(c, n, n->in[Q], dq);
    gradient_arrived(c, n, n->in[K], dk);
    gradient_arrived(c, n, n->in[V], dv);
    if (bias != NO_TENSOR)
        gradient_arrived(c, n, bias, dbias);
}

static tensor note_attention(graph *g, const char *name, tensor q, tensor k, tensor v, tensor bias,
                             const attention_spec *spec) {
    static const node_kind kind = {attention_compile, attention_compile_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->tensors[q].rows, g->tensors[q].cols);
    const int r = graph_resource(g, (resource_note){.attention_spec = *spec});
    node *const n = graph_node(g, &kind, name, q, out);
    n->in[K] = k;
    n->in[V] = v;
    n->in[BIAS_OF_SCORES] = bias;
    n->resource = r;
    return out;
}

tensor graph_attention(graph *g, const char *name, tensor q, tensor k, tensor v, bool causal) {
    const layer_config *const config = &g->config;
    const model_shape *const m = config->shape;
    const bool decode = config->phase == PHASE_DECODE;
    if (decode) {
        k = note_cache(g, name, "k", k);
        v = note_cache(g, name, "v", v);
    }
    const attention_spec spec = {.batch = config->batch,
                                 .heads = m->heads,
                                 .kv_heads = m->kv_heads,
                                 .head_dim = m->head_dim,
                                 .tokens = config->tokens,
                                 .context = decode ? config->context + 1 : config->tokens,
                                 .causal = causal,
                                 .train = g->train,
                                 .dtype = config->dtype};
    return note_attention(g, name, q, k, v, NO_TENSOR, &spec);
}

tensor graph_attention_within(graph *g, const char *name, tensor q, tensor k, tensor v, const attention_grid *grid) {
    const attention_spec spec = {.batch = grid->sequences,
                                 .heads = grid->heads,
                                 .kv_heads = grid->heads,
                                 .head_dim = g->tensors[q].cols / grid->heads,
                                 .tokens = grid->tokens,
                                 .context = grid->tokens,
                                 .train = g->train,
                                 .dtype = g->config.dtype,
                                 .bias_groups = grid->bias_groups,
                                 .window = grid->window,
                                 .windows_across = grid->windows_across,
                                 .shift = grid->shift};
    return note_attention(g, name, q, k, v, grid->bias, &spec);
}

// ---- Biases by distance

static bool run_bias(graph *g, const step *s) {
    window_bias(threads_of(g), s->m[0], s->m[1], s->node->size);
    return true;
}

static bool run_bias_backward(graph *g, const step *s) {
    window_bias_backward(threads_of(g), s->m[0], s->m[1], s->node->size);
    return true;
}

static void bias_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_bias, tensor_value(c, n->out), tensor_value(c, n->param[0]));
}

static void bias_backward(compiler *c, const node *n) {
    EMIT(c, n, ".grad", STEP_OTHER, run_bias_backward, parameter_gradient(c, n->param[0]), gradient_of(c, n->out));
}

tensor graph_relative_bias(graph *g, const char *name, size_t window, size_t heads) {
    static const node_kind kind = {bias_forward, bias_backward};
    const size_t distances = 2 * window - 1, tokens = window * window;
    const tensor table = graph_parameter(g, g->config.dtype, name, ".table", distances * distances, heads, 0.0, 0.02);
    const tensor out = graph_tensor(g, g->config.dtype, heads * tokens, tokens);
    if (!g->failed)
        g->tensors[out].gradient_f32 = true;
    node *const n = graph_node(g, &kind, name, NO_TENSOR, out);
    n->param[0] = table;
    n->size = window;
    return out;
}
