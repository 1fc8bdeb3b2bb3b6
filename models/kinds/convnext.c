// SPDX-License-Identifier: MIT
// convnext.c: ConvNeXt: depthwise convolution, a norm over channels at every position, two products with erf GELU,
// layer scale. Rows are positions of all images, channels last.
#include "graph/graph.h"

static residual layer_of(graph *g, residual x) {
    const layer_config *const k = graph_config(g);
    const model_stage s = graph_stage(g, x.stream);
    tensor h = graph_conv(g, "conv", x.stream, s.side, 7);
    h = graph_norm(g, "norm", h, k->shape->alpha);
    h = graph_feed_forward(g, "ffn", h, ACTIVATION_GELU_ERF, s.ffn);
    // As large as trained ones: beside timm's initial 1e-6, f32 would not show what the branch computed.
    h = graph_scale(g, "scale", h, 0.1);
    return (residual){graph_add(g, "add", x.stream, h), NO_TENSOR};
}

// The stem and the steps between stages are convolutions whose stride is their size: products over squares of
// positions. `depth` layers per stage, or as many as the stage has: 27 is the whole model.
static void model(graph *g, size_t depth) {
    const layer_config *const k = graph_config(g);
    const model_shape *const m = k->shape;
    const size_t side = m->stages[0].side;
    const tensor patches = graph_data(g, "input.patches", k->batch * side * side, 4 * 4 * 3, 1.0);
    tensor x = graph_linear(g, "stem", patches, m->stages[0].width, true);
    x = graph_norm(g, "stem.norm", x, m->alpha);
    static const char *const names[MODEL_STAGES][3] = {{"", "", ""},
                                                       {"down1.norm", "down1.squares", "down1"},
                                                       {"down2.norm", "down2.squares", "down2"},
                                                       {"down3.norm", "down3.squares", "down3"}};
    for (size_t i = 0; i < MODEL_STAGES; i++) {
        if (i > 0) {
            x = graph_norm(g, names[i][0], x, m->alpha);
            x = graph_squares(g, names[i][1], x, m->stages[i - 1].side);
            x = graph_linear(g, names[i][2], x, m->stages[i].width, true);
        }
        const size_t layers = depth < m->stages[i].blocks ? depth : m->stages[i].blocks;
        x = graph_layers(g, (residual){x, NO_TENSOR}, layers).stream;
    }
    const tensor pooled = graph_norm(g, "head.norm", graph_mean(g, "head.mean", x), m->alpha);
    graph_head(g, "head", pooled, m->vocab, true, NO_TENSOR);
}

const model_parts convnext_parts = {layer_of, model, .decode = false};
