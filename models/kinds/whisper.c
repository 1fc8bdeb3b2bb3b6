// SPDX-License-Identifier: MIT
// whisper.c: the encoder of Whisper: pre-norm, separate q, k and v, of which k has no bias, erf GELU. Its queries and
// keys are both scaled by the fourth root of their length, which is the same as scaling scores.
#include "graph/graph.h"

static residual layer_of(graph *g, residual x) {
    const model_shape *const m = graph_config(g)->shape;
    const size_t dim = m->dim;
    tensor h = graph_add_norm(g, "attention", &x, m->alpha_attention);
    const tensor q = graph_linear(g, "attention.q", h, dim, true);
    const tensor k = graph_linear(g, "attention.k", h, dim, false);
    const tensor v = graph_linear(g, "attention.v", h, dim, true);
    const tensor mixed = graph_attention(g, "attention.heads", q, k, v, false);
    x.branch = graph_linear(g, "attention.o", mixed, dim, true);

    h = graph_add_norm(g, "ffn", &x, m->alpha);
    x.branch = graph_feed_forward(g, "ffn", h, ACTIVATION_GELU_ERF, m->ffn);
    return x;
}

// Left out, because they hold no norm: the two convolutions that make frames of sound, whose results are the input, the
// positions, which are constants added once, and the decoder, for which a squared error stands in.
static void model(graph *g, size_t depth) {
    const model_shape *const m = graph_config(g)->shape;
    const tensor frames = graph_input(g, "input.features", graph_rows(g), m->dim, 1.0);
    residual x = graph_layers(g, (residual){frames, NO_TENSOR}, depth);
    graph_target(g, "targets", graph_add_norm(g, "final", &x, m->alpha));
}

const model_parts whisper_parts = {layer_of, model, .decode = false};
