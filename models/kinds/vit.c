// SPDX-License-Identifier: MIT
// vit.c: Vision Transformer: pre-norm, one product for q, k and v, erf GELU, biases everywhere.
#include "graph/graph.h"

static residual layer_of(graph *g, residual x) {
    const model_shape *const m = graph_config(g)->shape;
    const size_t dim = m->dim;
    tensor h = graph_add_norm(g, "attention", &x, m->alpha_attention);
    const tensor qkv = graph_linear(g, "attention.qkv", h, 3 * dim, true);
    const tensor mixed = graph_attention(g, "attention.heads", graph_columns(g, qkv, 0, dim),
                                         graph_columns(g, qkv, dim, dim), graph_columns(g, qkv, 2 * dim, dim), false);
    x.branch = graph_linear(g, "attention.o", mixed, dim, true);

    h = graph_add_norm(g, "ffn", &x, m->alpha);
    x.branch = graph_feed_forward(g, "ffn", h, ACTIVATION_GELU_ERF, m->ffn);
    return x;
}

// The patch embedding is a convolution whose stride is its size: a product over flattened patches, which are the input.
static void model(graph *g, size_t depth) {
    const layer_config *const k = graph_config(g);
    const model_shape *const m = k->shape;
    const tensor patches = graph_data(g, "input.patches", k->batch * (k->tokens - 1), 16 * 16 * 3, 1.0);
    const tensor embedded = graph_linear(g, "embed", patches, m->dim, true);
    const tensor tokens = graph_positions(g, "positions", embedded, true);
    residual x = graph_layers(g, (residual){tokens, NO_TENSOR}, depth);
    const tensor h = graph_add_norm(g, "final", &x, m->alpha);
    graph_head(g, "head", graph_first(g, "class", h), m->vocab, true, NO_TENSOR);
}

const model_parts vit_parts = {layer_of, model, .decode = false};
