// SPDX-License-Identifier: MIT
// mobilevit.c: the Transformers of MobileViT's three last stages: pre-norm, one product for q, k and v, SiLU, biases.
// Each of the four positions of a square of 2 x 2 sees those in its place in the other squares: four sequences an
// image. Rows stand so, sequence by sequence, from end to end of a stage; they are put so once a stage, which is left
// out.
#include "graph/graph.h"

enum { PLACES = 4 };

static residual layer_of(graph *g, residual x) {
    const layer_config *const k = graph_config(g);
    const model_shape *const m = k->shape;
    const model_stage s = graph_stage(g, x.stream);
    tensor h = graph_norm(g, "attention.norm", x.stream, m->alpha_attention);
    const tensor qkv = graph_linear(g, "attention.qkv", h, 3 * s.width, true);
    const attention_grid grid = {
        .sequences = PLACES * k->batch, .tokens = s.side * s.side / PLACES, .heads = s.heads, .bias = NO_TENSOR};
    const tensor mixed = graph_attention_within(g, "attention.heads", graph_columns(g, qkv, 0, s.width),
                                                graph_columns(g, qkv, s.width, s.width),
                                                graph_columns(g, qkv, 2 * s.width, s.width), &grid);
    x.branch = graph_linear(g, "attention.o", mixed, s.width, true);

    h = graph_add_norm(g, "ffn", &x, m->alpha);
    h = graph_feed_forward(g, "ffn", h, ACTIVATION_SILU, s.ffn);
    return (residual){graph_add(g, "add", x.stream, h), NO_TENSOR};
}

// A stage's own ends: a product from the channels of the convolutions, the layers, a norm, a product back. Left out,
// because they hold no norm that is replaced: the convolutions with their batch norms before, between and behind, so
// that each stage has an input and an output of its own.
static void model(graph *g, size_t depth) {
    const layer_config *const k = graph_config(g);
    const model_shape *const m = k->shape;
    static const char *const names[MODEL_STAGES][5] = {{"input.features1", "in1", "stage1.norm", "out1", "targets1"},
                                                       {"input.features2", "in2", "stage2.norm", "out2", "targets2"},
                                                       {"input.features3", "in3", "stage3.norm", "out3", "targets3"},
                                                       {"input.features4", "in4", "stage4.norm", "out4", "targets4"}};
    for (size_t i = 0; i < model_stages(m); i++) {
        const size_t side = m->stages[i].side, channels = m->stages[i].width * 2 / 3;
        tensor x = graph_input(g, names[i][0], k->batch * side * side, channels, 1.0);
        x = graph_linear(g, names[i][1], x, m->stages[i].width, false);
        const size_t layers = depth < m->stages[i].blocks ? depth : m->stages[i].blocks;
        x = graph_layers(g, (residual){x, NO_TENSOR}, layers).stream;
        x = graph_norm(g, names[i][2], x, m->alpha);
        graph_target(g, names[i][4], graph_linear(g, names[i][3], x, channels, false));
    }
}

const model_parts mobilevit_parts = {layer_of, model, .decode = false};
