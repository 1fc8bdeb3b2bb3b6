// SPDX-License-Identifier: MIT
// dit.c: Diffusion Transformer with adaLN-Zero: norms without parameters, shifted, scaled and gated by what each
// sample's condition asks for; one product for q, k and v, tanh GELU, biases.
#include "graph/graph.h"

// A vector of width dim per sample: time step and class, embedded.
static tensor condition(graph *g) {
    const layer_config *const k = graph_config(g);
    return graph_input(g, "input.condition", k->batch, k->shape->dim, 1.0);
}

static tensor part(graph *g, tensor modulation, size_t index) {
    const size_t dim = graph_config(g)->shape->dim;
    return graph_columns(g, modulation, index * dim, dim);
}

static residual layer_of(graph *g, residual x) {
    const model_shape *const m = graph_config(g)->shape;
    const size_t dim = m->dim;
    const tensor c = graph_activation(g, "modulation.silu", ACTIVATION_SILU, condition(g));
    const tensor modulation = graph_condition(g, "modulation", c, 6 * dim);

    tensor h = graph_add_norm(g, "attention", &x, m->alpha_attention);
    h = graph_modulate(g, "attention.modulate", h, part(g, modulation, 0), part(g, modulation, 1));
    const tensor qkv = graph_linear(g, "attention.qkv", h, 3 * dim, true);
    const tensor mixed = graph_attention(g, "attention.heads", graph_columns(g, qkv, 0, dim),
                                         graph_columns(g, qkv, dim, dim), graph_columns(g, qkv, 2 * dim, dim), false);
    h = graph_linear(g, "attention.o", mixed, dim, true);
    x.branch = graph_gate(g, "attention.gate", h, part(g, modulation, 2));

    h = graph_add_norm(g, "ffn", &x, m->alpha);
    h = graph_modulate(g, "ffn.modulate", h, part(g, modulation, 3), part(g, modulation, 4));
    h = graph_feed_forward(g, "ffn", h, ACTIVATION_GELU_TANH, m->ffn);
    x.branch = graph_gate(g, "ffn.gate", h, part(g, modulation, 5));
    return x;
}

// Left out, because they hold no norm: what embeds time step and class (two products per sample), and the positions,
// which are constants added once. Half of an output patch's values are the variance that DiT also predicts.
static void model(graph *g, size_t depth) {
    const model_shape *const m = graph_config(g)->shape;
    const tensor patches = graph_data(g, "input.patches", graph_rows(g), m->vocab / 2, 1.0);
    residual x = {graph_linear(g, "embed", patches, m->dim, true), NO_TENSOR};
    x = graph_layers(g, x, depth);

    const tensor c = graph_activation(g, "final.silu", ACTIVATION_SILU, condition(g));
    const tensor modulation = graph_condition(g, "final.modulation", c, 2 * m->dim);
    tensor h = graph_add_norm(g, "final", &x, m->alpha);
    h = graph_modulate(g, "final.modulate", h, part(g, modulation, 0), part(g, modulation, 1));
    graph_target(g, "noise", graph_linear(g, "head", h, m->vocab, true));
}

const model_parts dit_parts = {layer_of, model, .decode = false};
