// SPDX-License-Identifier: MIT
// swin.c: Swin Transformer: pre-norm; attention within windows of an image, in every other layer after the image was
// moved round by half a window; a learned bias by distance; one product for q, k and v, erf GELU, biases.
#include "graph/graph.h"

static residual layer_of(graph *g, residual x) {
    const layer_config *const k = graph_config(g);
    const model_shape *const m = k->shape;
    const model_stage s = graph_stage(g, x.stream);
    const size_t across = s.side / m->window, shift = graph_layer(g) % 2 == 1 && across > 1 ? m->window / 2 : 0;
    const row_order windows = {.kind = MOVE_WINDOWS, .side = s.side, .window = m->window, .shift = shift};
    tensor h = graph_norm(g, "attention.norm", x.stream, m->alpha_attention);
    h = graph_move(g, "attention.windows", h, &windows, false);
    const tensor qkv = graph_linear(g, "attention.qkv", h, 3 * s.width, true);
    const attention_grid grid = {.sequences = k->batch * across * across,
                                 .tokens = m->window * m->window,
                                 .heads = s.heads,
                                 .bias = graph_relative_bias(g, "attention.distance", m->window, s.heads),
                                 .bias_groups = 1,
                                 .window = m->window,
                                 .windows_across = across,
                                 .shift = shift};
    const tensor mixed = graph_attention_within(g, "attention.heads", graph_columns(g, qkv, 0, s.width),
                                                graph_columns(g, qkv, s.width, s.width),
                                                graph_columns(g, qkv, 2 * s.width, s.width), &grid);
    h = graph_linear(g, "attention.o", mixed, s.width, true);
    x.branch = graph_move(g, "attention.image", h, &windows, true);

    h = graph_add_norm(g, "ffn", &x, m->alpha);
    h = graph_feed_forward(g, "ffn", h, ACTIVATION_GELU_ERF, s.ffn);
    return (residual){graph_add(g, "add", x.stream, h), NO_TENSOR};
}

// The stem is a convolution whose stride is its size: a product over flattened patches, which are the input. Between
// stages, squares of 2 x 2 positions are normed side by side and go through a product; they stand in another order than
// in Swin's own code, which is the same up to an order of columns. `depth` layers per stage, or as many as it has.
static void model(graph *g, size_t depth) {
    const layer_config *const k = graph_config(g);
    const model_shape *const m = k->shape;
    const size_t side = m->stages[0].side;
    const tensor patches = graph_data(g, "input.patches", k->batch * side * side, 4 * 4 * 3, 1.0);
    tensor x = graph_linear(g, "stem", patches, m->stages[0].width, true);
    x = graph_norm(g, "stem.norm", x, m->alpha);
    static const char *const names[MODEL_STAGES][3] = {{"", "", ""},
                                                       {"down1.squares", "down1.norm", "down1"},
                                                       {"down2.squares", "down2.norm", "down2"},
                                                       {"down3.squares", "down3.norm", "down3"}};
    for (size_t i = 0; i < model_stages(m); i++) {
        if (i > 0) {
            x = graph_squares(g, names[i][0], x, m->stages[i - 1].side);
            x = graph_norm(g, names[i][1], x, m->alpha);
            x = graph_linear(g, names[i][2], x, m->stages[i].width, false);
        }
        const size_t layers = depth < m->stages[i].blocks ? depth : m->stages[i].blocks;
        x = graph_layers(g, (residual){x, NO_TENSOR}, layers).stream;
    }
    x = graph_norm(g, "head.norm", x, m->alpha);
    graph_head(g, "head", graph_mean(g, "head.mean", x), m->vocab, true, NO_TENSOR);
}

const model_parts swin_parts = {layer_of, model, .decode = false};
