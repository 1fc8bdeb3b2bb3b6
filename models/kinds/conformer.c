// SPDX-License-Identifier: MIT
// conformer.c: Conformer as torchaudio has it: half a feed-forward, attention, a convolution along the sequence between
// two products, half a feed-forward, each behind a norm of its own, and a norm at the end; SiLU, biases. Left out is
// the bias by relative positions that the paper's attention adds to its scores, as torchaudio leaves it out.
#include "graph/graph.h"

static tensor attention_of(graph *g, tensor h) {
    const size_t dim = graph_config(g)->shape->dim;
    const tensor qkv = graph_linear(g, "attention.qkv", h, 3 * dim, true);
    const tensor mixed = graph_attention(g, "attention.heads", graph_columns(g, qkv, 0, dim),
                                         graph_columns(g, qkv, dim, dim), graph_columns(g, qkv, 2 * dim, dim), false);
    return graph_linear(g, "attention.o", mixed, dim, true);
}

// A product to twice the channels, of which one half gates the other; over each channel its own convolution.
static tensor mix_of(graph *g, tensor h) {
    enum { KERNEL = 31 };
    const size_t dim = graph_config(g)->shape->dim;
    const tensor wide = graph_linear(g, "mix.up", h, 2 * dim, true);
    h = graph_glu(g, "mix.glu", graph_columns(g, wide, 0, dim), graph_columns(g, wide, dim, dim));
    h = graph_line_conv(g, "mix.conv", h, KERNEL);
    h = graph_activation(g, "mix.silu", ACTIVATION_SILU, graph_batch_norm(g, "mix.batchnorm", h));
    return graph_linear(g, "mix.down", h, dim, true);
}

static residual layer_of(graph *g, residual x) {
    const model_shape *const m = graph_config(g)->shape;
    tensor h = graph_norm(g, "ffn1.norm", x.stream, m->alpha);
    x.branch = graph_times(g, "ffn1.half", graph_feed_forward(g, "ffn1", h, ACTIVATION_SILU, m->ffn), 0.5);
    x.branch = attention_of(g, graph_add_norm(g, "attention", &x, m->alpha_attention));
    x.branch = mix_of(g, graph_add_norm(g, "mix", &x, m->alpha));
    h = graph_add_norm(g, "ffn2", &x, m->alpha);
    x.branch = graph_times(g, "ffn2.half", graph_feed_forward(g, "ffn2", h, ACTIVATION_SILU, m->ffn), 0.5);
    return (residual){graph_add_norm(g, "final", &x, m->alpha), NO_TENSOR};
}

// Left out, because they hold no norm: the two convolutions that make a frame of four, whose results are the input, and
// what follows the encoder, for which a squared error stands in.
static void model(graph *g, size_t depth) {
    const model_shape *const m = graph_config(g)->shape;
    const tensor frames = graph_input(g, "input.features", graph_rows(g), m->vocab, 1.0);
    const residual x = {graph_linear(g, "project", frames, m->dim, true), NO_TENSOR};
    graph_target(g, "targets", graph_layers(g, x, depth).stream);
}

const model_parts conformer_parts = {layer_of, model, .decode = false};
