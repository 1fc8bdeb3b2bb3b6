// SPDX-License-Identifier: MIT
// esm.c: ESM-2, a model of proteins: pre-norm, rotary embeddings, every residue sees every other, erf GELU, biases
// everywhere. Its queries are scaled before they are rotated, which is the same as scaling scores.
#include "graph/graph.h"

static residual layer_of(graph *g, residual x) {
    const model_shape *const m = graph_config(g)->shape;
    const size_t dim = m->dim;
    tensor h = graph_add_norm(g, "attention", &x, m->alpha_attention);
    const tensor q = graph_linear(g, "attention.q", h, dim, true);
    const tensor k = graph_linear(g, "attention.k", h, dim, true);
    const tensor v = graph_linear(g, "attention.v", h, dim, true);
    const tensor mixed = graph_attention(g, "attention.heads", graph_rope(g, "attention.q.rope", q),
                                         graph_rope(g, "attention.k.rope", k), v, false);
    x.branch = graph_linear(g, "attention.o", mixed, dim, true);

    h = graph_add_norm(g, "ffn", &x, m->alpha);
    x.branch = graph_feed_forward(g, "ffn", h, ACTIVATION_GELU_ERF, m->ffn);
    return x;
}

// The head has a product and a norm of its own before that with the embedding. Masked residues are inputs like others,
// and the loss is over every residue, so that its cost is that of the largest batch of masked ones.
static void model(graph *g, size_t depth) {
    const model_shape *const m = graph_config(g)->shape;
    const embedding e = graph_embed(g, "embed", m->vocab, m->dim);
    residual x = graph_layers(g, (residual){e.x, NO_TENSOR}, depth);
    tensor h = graph_add_norm(g, "final", &x, m->alpha);
    h = graph_activation(g, "head.gelu", ACTIVATION_GELU_ERF, graph_linear(g, "head.project", h, m->dim, true));
    graph_head(g, "head", graph_norm(g, "head.norm", h, m->alpha), m->vocab, true, e.table);
}

const model_parts esm_parts = {layer_of, model, .decode = false};
