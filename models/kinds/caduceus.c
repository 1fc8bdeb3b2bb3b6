// SPDX-License-Identifier: MIT
// caduceus.c: Caduceus-PS, a model of both strands of DNA: pre-norm; in the place of attention and feed-forward, Mamba
// along the sequence and along it from its end, added, with the same first and last product; no biases but of
// convolutions and steps. A strand is a sequence of its own, which reads the complement from the end: to store it the
// other way round, as the published code does, changes only where its numbers stand. Both directions have products of
// their own, as published, though the shared ones could be taken once for both.
#include "graph/graph.h"

typedef struct {
    const char *in, *conv, *silu, *x, *rank, *steps, *softplus, *scan, *gated, *out;
} names;

// What both directions share.
typedef struct {
    linear_weights in, out;
} shared;

static tensor mamba_of(graph *g, tensor h, const shared *w, const names *n) {
    enum { TAPS = 4 };
    const model_shape *const m = graph_config(g)->shape;
    const size_t inner = m->ffn, rank = model_step_rank(m);
    const tensor both = graph_linear_by(g, n->in, h, &w->in), gate = graph_columns(g, both, inner, inner);
    const tensor mixed = graph_causal_conv(g, n->conv, graph_columns(g, both, 0, inner), TAPS);
    const tensor x = graph_activation(g, n->silu, ACTIVATION_SILU, mixed);
    const tensor made = graph_linear(g, n->x, x, rank + 2 * MODEL_SCAN_STATES, false);
    const linear_weights stepping = graph_weights(g, n->steps, rank, inner, true);
    graph_draw_about(g, stepping.bias, -4.0, 1.0); // whose softplus is a small step
    const tensor ranked = graph_copied(g, n->rank, graph_columns(g, made, 0, rank));
    const tensor steps =
        graph_activation(g, n->softplus, ACTIVATION_SOFTPLUS, graph_linear_by(g, n->steps, ranked, &stepping));
    const tensor y = graph_scan(g, n->scan, x, steps, made);
    return graph_linear_by(g, n->out, graph_swiglu(g, n->gated, gate, y), &w->out);
}

static residual layer_of(graph *g, residual x) {
    static const names there = {"there.in",    "there.conv",     "there.silu", "there.x",     "there.rank",
                                "there.steps", "there.softplus", "there.scan", "there.gated", "there.out"};
    static const names back = {"back.in",    "back.conv",     "back.silu", "back.x",     "back.rank",
                               "back.steps", "back.softplus", "back.scan", "back.gated", "back.out"};
    const layer_config *const config = graph_config(g);
    const model_shape *const m = config->shape;
    const row_order reverse = {.kind = MOVE_REVERSE, .side = config->tokens};
    const tensor h = graph_add_norm(g, "mixer", &x, m->alpha);
    const shared w = {graph_weights(g, "mixer.in", m->dim, 2 * m->ffn, false),
                      graph_weights(g, "mixer.out", m->ffn, m->dim, false)};
    const tensor forward = mamba_of(g, h, &w, &there);
    const tensor reversed = mamba_of(g, graph_move(g, "back.turn", h, &reverse, false), &w, &back);
    x.branch = graph_add(g, "mixer.sum", forward, graph_move(g, "back.return", reversed, &reverse, true));
    return x;
}

// The tokens of the second strand are drawn like those of the first, and each strand has logits and labels of its own;
// the published head adds those of complements, sixteen columns.
static void model(graph *g, size_t depth) {
    const model_shape *const m = graph_config(g)->shape;
    const embedding e = graph_embed(g, "embed", m->vocab, m->dim);
    residual x = graph_layers(g, (residual){e.x, NO_TENSOR}, depth);
    const tensor h = graph_add_norm(g, "final", &x, m->alpha);
    graph_head(g, "head", h, m->vocab, false, m->tied_head ? e.table : NO_TENSOR);
}

const model_parts caduceus_parts = {layer_of, model, .decode = false};
