// SPDX-License-Identifier: MIT
// pairformer.c: the pair track of AlphaFold 3's Pairformer as Boltz-1 has it: a row for each pair of tokens; sums over
// triangles of pairs, attention along rows and along columns, SwiGLU; eight norms. Left out is the single track, two
// hundredths of the work, but for what it takes of the pairs: the bias of its attention, with the norm before it.
#include <stdio.h>

#include "graph/graph.h"

// The names of a module's steps.
typedef struct {
    const char *a, *b, *gated, *sums, *rows, *result_norm, *o, *z, *out;
} triangle_names;

static tensor triangles_of(graph *g, tensor h, const triangle_names *n, bool incoming) {
    const model_shape *const m = graph_config(g)->shape;
    const tensor values = graph_channels(g, n->a, h, 2 * m->dim, false);
    const tensor gates = graph_channels(g, n->b, h, 2 * m->dim, false);
    const tensor sums = graph_triangles(g, n->sums, graph_glu(g, n->gated, values, gates), incoming);
    const tensor normed = graph_norm(g, n->result_norm, graph_transposed(g, n->rows, sums), m->alpha);
    const tensor result = graph_linear(g, n->o, normed, m->dim, false);
    return graph_glu(g, n->out, result, graph_linear(g, n->z, h, m->dim, false));
}

typedef struct {
    const char *there, *q, *k, *v, *bias, *heads, *g, *gated, *o, *back;
} attention_names;

// Along rows: pair (i, j) sees the pairs (i, k). Along columns, the same of the pairs' mirror image.
static tensor attention_of(graph *g, tensor h, const attention_names *n, bool along_columns) {
    const layer_config *const config = graph_config(g);
    const model_shape *const m = config->shape;
    const row_order mirror = {.kind = MOVE_MIRROR, .side = config->tokens};
    if (along_columns)
        h = graph_move(g, n->there, h, &mirror, false);
    const tensor q = graph_linear(g, n->q, h, m->dim, false), k = graph_linear(g, n->k, h, m->dim, false),
                 v = graph_linear(g, n->v, h, m->dim, false);
    const tensor bias = graph_channels(g, n->bias, h, m->heads, true);
    const attention_grid grid = {.sequences = config->batch * config->tokens,
                                 .tokens = config->tokens,
                                 .heads = m->heads,
                                 .bias = graph_reshape(g, bias, config->tokens),
                                 .bias_groups = config->batch};
    const tensor mixed = graph_attention_within(g, n->heads, q, k, v, &grid);
    const tensor gated = graph_glu(g, n->gated, mixed, graph_linear(g, n->g, h, m->dim, false));
    h = graph_linear(g, n->o, gated, m->dim, false);
    return along_columns ? graph_move(g, n->back, h, &mirror, true) : h;
}

// What the single track reads of a layer: the layer's second output.
static void give_bias(graph *g, tensor z) {
    char name[32];
    snprintf(name, sizeof name, "output.bias%zu", graph_layer(g));
    const tensor bias = graph_channels(g, "bias", z, MODEL_PAIR_HEADS, false);
    if (graph_config(g)->part == PART_LAYER)
        graph_output(g, name, bias);
    else
        graph_target(g, name + sizeof "output", bias);
}

static residual layer_of(graph *g, residual x) {
    static const triangle_names out = {"out.values",      "out.gates", "out.gated", "out.sums", "out.rows",
                                       "out.result.norm", "out.o",     "out.z",     "out.out"};
    static const triangle_names in = {"in.values",      "in.gates", "in.gated", "in.sums", "in.rows",
                                      "in.result.norm", "in.o",     "in.z",     "in.out"};
    static const attention_names rows = {"",           "rows.q", "rows.k",     "rows.v", "rows.bias",
                                         "rows.heads", "rows.g", "rows.gated", "rows.o", ""};
    static const attention_names columns = {"columns.there", "columns.q", "columns.k",     "columns.v", "columns.bias",
                                            "columns.heads", "columns.g", "columns.gated", "columns.o", "columns.back"};
    const model_shape *const m = graph_config(g)->shape;
    x.branch = triangles_of(g, graph_norm(g, "out.norm", x.stream, m->alpha), &out, false);
    x.branch = triangles_of(g, graph_add_norm(g, "in", &x, m->alpha), &in, true);
    x.branch = attention_of(g, graph_add_norm(g, "rows", &x, m->alpha_attention), &rows, false);
    x.branch = attention_of(g, graph_add_norm(g, "columns", &x, m->alpha_attention), &columns, true);
    const tensor h = graph_add_norm(g, "ffn", &x, m->alpha);
    const tensor gate = graph_linear(g, "ffn.gate", h, m->ffn, false), up = graph_linear(g, "ffn.up", h, m->ffn, false);
    x.branch = graph_linear(g, "ffn.down", graph_swiglu(g, "ffn.swiglu", gate, up), m->dim, false);
    give_bias(g, graph_add_norm(g, "bias", &x, m->alpha));
    return (residual){x.stream, NO_TENSOR};
}

// The ends: a product from how two tokens lie in their chains, and the head of distances. Left out: what single tokens
// add to pairs, templates and the modules before, and that a distance is the same both ways.
static void model(graph *g, size_t depth) {
    enum { RELATIVE = 139 };
    const model_shape *const m = graph_config(g)->shape;
    const tensor features = graph_input(g, "input.features", graph_rows(g), RELATIVE, 1.0);
    const residual x = {graph_linear(g, "embed", features, m->dim, false), NO_TENSOR};
    graph_head(g, "head", graph_layers(g, x, depth).stream, m->vocab, true, NO_TENSOR);
}

const model_parts pairformer_parts = {layer_of, model, .decode = false};
