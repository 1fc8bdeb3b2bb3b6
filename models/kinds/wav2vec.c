// SPDX-License-Identifier: MIT
// wav2vec.c: the encoder of wav2vec 2.0: Base is post-norm, Large pre-norm; separate q, k and v, erf GELU, biases.
#include "graph/graph.h"

static tensor attention_of(graph *g, tensor h) {
    const size_t dim = graph_config(g)->shape->dim;
    const tensor q = graph_linear(g, "attention.q", h, dim, true);
    const tensor k = graph_linear(g, "attention.k", h, dim, true);
    const tensor v = graph_linear(g, "attention.v", h, dim, true);
    return graph_linear(g, "attention.o", graph_attention(g, "attention.heads", q, k, v, false), dim, true);
}

static residual pre_norm(graph *g, residual x) {
    const model_shape *const m = graph_config(g)->shape;
    x.branch = attention_of(g, graph_add_norm(g, "attention", &x, m->alpha_attention));
    x.branch = graph_feed_forward(g, "ffn", graph_add_norm(g, "ffn", &x, m->alpha), ACTIVATION_GELU_ERF, m->ffn);
    return x;
}

static residual post_norm(graph *g, residual x) {
    const model_shape *const m = graph_config(g)->shape;
    x.branch = attention_of(g, x.stream);
    x = (residual){graph_add_norm(g, "attention", &x, m->alpha_attention), NO_TENSOR};
    x.branch = graph_feed_forward(g, "ffn", x.stream, ACTIVATION_GELU_ERF, m->ffn);
    return (residual){graph_add_norm(g, "ffn", &x, m->alpha), NO_TENSOR};
}

static residual layer_of(graph *g, residual x) {
    return graph_config(g)->shape->post_norm ? post_norm(g, x) : pre_norm(g, x);
}

// Left out, because they hold no norm that the paper replaces: the convolutions that make features of sound (their
// GroupNorm stays in the paper's runs), the convolution that stands for positions, and the quantizer of the contrastive
// loss, for which a squared error stands in.
static void model(graph *g, size_t depth) {
    const model_shape *const m = graph_config(g)->shape;
    const tensor features = graph_input(g, "input.features", graph_rows(g), m->vocab, 1.0);
    const tensor normed = graph_norm(g, "features.norm", features, m->alpha);
    const tensor projected = graph_linear(g, "project", normed, m->dim, true);
    tensor out;
    if (m->post_norm) {
        const tensor h = graph_norm(g, "encoder.norm", projected, m->alpha);
        out = graph_layers(g, (residual){h, NO_TENSOR}, depth).stream;
    } else {
        residual x = graph_layers(g, (residual){projected, NO_TENSOR}, depth);
        out = graph_add_norm(g, "encoder", &x, m->alpha);
    }
    graph_target(g, "targets", out);
}

const model_parts wav2vec_parts = {layer_of, model, .decode = false};
