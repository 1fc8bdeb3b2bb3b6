// SPDX-License-Identifier: MIT
// hyena.c: HyenaDNA, a model of genomes: pre-norm; in the place of attention, Hyena's operator of order 2, two gates
// about a convolution as long as the sequence, whose filter a small network makes of positions; tanh GELU, biases.
#include <math.h>

#include "graph/graph.h"
#include "math/draw.h"

// The network's input at a position: where it is in the longest sequence, 0 to 1, and a slow and a fast wave there. The
// longest has two tokens more than the published length, or than the config's.
enum { WAVES = 2, FEATURES = 1 + 2 * WAVES };

static double longest(const graph *g) {
    const layer_config *const k = graph_config(g);
    return (double)((k->tokens > k->shape->tokens ? k->tokens : k->shape->tokens) + 2);
}

static void fill_positions(const graph *g, matrix values) {
    static const double frequency[WAVES] = {1e-4, 1.0};
    const double length = longest(g);
    for (size_t t = 0; t < values.rows; t++) {
        const double angle = 2.0 * acos(-1.0) * (double)t / length;
        matrix_set(values, t, 0, (float)((double)t / (length - 1.0)));
        for (size_t i = 0; i < WAVES; i++) {
            matrix_set(values, t, 1 + i, (float)cos(frequency[i] * angle));
            matrix_set(values, t, 1 + WAVES + i, (float)-sin(frequency[i] * angle));
        }
    }
}

// How a filter fades: each channel by a rate of its own, from a hundredth at 1.5 times the longest sequence to one at
// 0.3 times.
static void fill_window(const graph *g, matrix values) {
    const double slowest = -log(0.01) / 1.5, fastest = -log(0.01) / 0.3, length = longest(g);
    for (size_t t = 0; t < values.rows; t++)
        for (size_t c = 0; c < values.cols; c++) {
            const double place = values.cols > 1 ? (double)c / (double)(values.cols - 1) : 0.0;
            const double rate = slowest + (fastest - slowest) * place;
            matrix_set(values, t, c, (float)exp(-rate * (double)t / (length - 1.0)));
        }
}

// (tokens, dim), the same for all sequences.
static tensor filter_of(graph *g) {
    static const char *const linear[] = {"filter.1", "filter.2", "filter.3"};
    static const char *const scaled[] = {"filter.1.scale", "filter.2.scale", "filter.3.scale"};
    static const char *const active[] = {"filter.1.sine", "filter.2.sine", "filter.3.sine"};
    const model_shape *const m = graph_config(g)->shape;
    const size_t tokens = graph_config(g)->tokens;
    const tensor frequencies = graph_vector(g, "filter.frequencies", m->filter, 10.0, 1.0);
    tensor h = graph_fixed(g, "input.positions", tokens, FEATURES, fill_positions);
    for (size_t i = 0; i < sizeof linear / sizeof *linear; i++) {
        h = graph_scale_by(g, scaled[i], graph_linear(g, linear[i], h, m->filter, true), frequencies);
        h = graph_activation(g, active[i], ACTIVATION_SINE, h);
    }
    h = graph_linear(g, "filter.out", h, m->dim, false);
    return graph_multiply(g, "filter.window", h, graph_fixed(g, "input.window", tokens, m->dim, fill_window));
}

static residual layer_of(graph *g, residual x) {
    enum { TAPS = 3 };
    const model_shape *const m = graph_config(g)->shape;
    const size_t dim = m->dim;
    tensor h = graph_add_norm(g, "mixer", &x, m->alpha_attention);
    h = graph_causal_conv(g, "mixer.conv", graph_linear(g, "mixer.in", h, 3 * dim, true), TAPS);
    const tensor first = graph_columns(g, h, 0, dim), second = graph_columns(g, h, dim, dim),
                 value = graph_columns(g, h, 2 * dim, dim);
    const tensor mixed =
        graph_long_conv(g, "mixer.long", graph_multiply(g, "mixer.before", value, second), filter_of(g));
    x.branch = graph_linear(g, "mixer.out", graph_multiply(g, "mixer.behind", mixed, first), dim, true);

    h = graph_add_norm(g, "ffn", &x, m->alpha);
    x.branch = graph_feed_forward(g, "ffn", h, ACTIVATION_GELU_TANH, m->ffn);
    return x;
}

static void model(graph *g, size_t depth) {
    const model_shape *const m = graph_config(g)->shape;
    const embedding e = graph_embed(g, "embed", m->vocab, m->dim);
    residual x = graph_layers(g, (residual){e.x, NO_TENSOR}, depth);
    const tensor h = graph_add_norm(g, "final", &x, m->alpha);
    graph_head(g, "head", h, m->vocab, false, m->tied_head ? e.table : NO_TENSOR);
}

const model_parts hyena_parts = {layer_of, model, .decode = false};
