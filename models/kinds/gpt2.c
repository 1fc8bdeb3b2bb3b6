// SPDX-License-Identifier: MIT
// gpt2.c: GPT-2: pre-norm, causal, one product for q, k and v, tanh GELU, biases everywhere, learned positions.
#include "graph/graph.h"

static residual layer_of(graph *g, residual x) {
    const model_shape *const m = graph_config(g)->shape;
    const size_t dim = m->dim;
    tensor h = graph_add_norm(g, "attention", &x, m->alpha_attention);
    const tensor qkv = graph_linear(g, "attention.qkv", h, 3 * dim, true);
    const tensor mixed = graph_attention(g, "attention.heads", graph_columns(g, qkv, 0, dim),
                                         graph_columns(g, qkv, dim, dim), graph_columns(g, qkv, 2 * dim, dim), true);
    x.branch = graph_linear(g, "attention.o", mixed, dim, true);

    h = graph_add_norm(g, "ffn", &x, m->alpha);
    x.branch = graph_feed_forward(g, "ffn", h, ACTIVATION_GELU_TANH, m->ffn);
    return x;
}

static void model(graph *g, size_t depth) {
    const model_shape *const m = graph_config(g)->shape;
    const embedding e = graph_embed(g, "embed", m->vocab, m->dim);
    const tensor tokens = graph_positions(g, "positions", e.x, false);
    residual x = graph_layers(g, (residual){tokens, NO_TENSOR}, depth);
    const tensor h = graph_add_norm(g, "final", &x, m->alpha);
    graph_head(g, "head", h, m->vocab, false, m->tied_head ? e.table : NO_TENSOR);
}

const model_parts gpt2_parts = {layer_of, model, .decode = true};
