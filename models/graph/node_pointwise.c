// SPDX-License-Identifier: MIT
// node_pointwise.c: the steps that take each element by itself: activations, modulation, gates and scales.
#include "compile.h"
#include "math/batch_norm.h"

// ---- Activations

static bool run_swiglu(graph *g, const step *s) {
    pointwise_swiglu(threads_of(g), s->m[0], s->m[1], s->m[2]);
    return true;
}

static bool run_swiglu_backward(graph *g, const step *s) {
    pointwise_swiglu_backward(threads_of(g), s->m[0], s->m[1], s->m[2], s->m[3], s->m[4]);
    return true;
}

static void swiglu_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_ACTIVATION, run_swiglu, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->in[1]));
}

static void swiglu_backward(compiler *c, const node *n) {
    const view dgate = gradient_place(c, n->in[0]), dup = gradient_place(c, n->in[1]);
    EMIT(c, n, ".grad", STEP_ACTIVATION, run_swiglu_backward, dgate, dup, tensor_value(c, n->in[0]),
         tensor_value(c, n->in[1]), gradient_of(c, n->out));
    gradient_arrived(c, n, n->in[0], dgate);
    gradient_arrived(c, n, n->in[1], dup);
}

tensor graph_swiglu(graph *g, const char *name, tensor gate, tensor up) {
    static const node_kind kind = {swiglu_forward, swiglu_backward};
    const size_t rows = g->tensors[gate].rows, cols = g->tensors[gate].cols;
    const bool in_place = !g->train && g->tensors[gate].parent == NO_TENSOR;
    const tensor out = in_place ? graph_reshape(g, gate, cols) : graph_tensor(g, g->config.dtype, rows, cols);
    graph_node(g, &kind, name, gate, out)->in[1] = up;
    return out;
}

static bool run_glu(graph *g, const step *s) {
    pointwise_glu(threads_of(g), s->m[0], s->m[1], s->m[2]);
    return true;
}

static bool run_glu_backward(graph *g, const step *s) {
    pointwise_glu_backward(threads_of(g), s->m[0], s->m[1], s->m[2], s->m[3], s->m[4]);
    return true;
}

static void glu_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_ACTIVATION, run_glu, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->in[1]));
}

static void glu_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]), dgate = gradient_place(c, n->in[1]);
    EMIT(c, n, ".grad", STEP_ACTIVATION, run_glu_backward, dx, dgate, tensor_value(c, n->in[0]),
         tensor_value(c, n->in[1]), gradient_of(c, n->out));
    gradient_arrived(c, n, n->in[0], dx);
    gradient_arrived(c, n, n->in[1], dgate);
}

tensor graph_glu(graph *g, const char *name, tensor x, tensor gate) {
    static const node_kind kind = {glu_forward, glu_backward};
    const size_t rows = g->tensors[x].rows, cols = g->tensors[x].cols;
    const bool in_place = !g->train && g->tensors[x].parent == NO_TENSOR;
    const tensor out = in_place ? graph_reshape(g, x, cols) : graph_tensor(g, g->config.dtype, rows, cols);
    graph_node(g, &kind, name, x, out)->in[1] = gate;
    return out;
}

static bool run_activation(graph *g, const step *s) {
    pointwise_activation(threads_of(g), s->node->activation, s->m[0], s->m[1]);
    return true;
}

static bool run_activation_backward(graph *g, const step *s) {
    pointwise_activation_backward(threads_of(g), s->node->activation, s->m[0], s->m[1], s->m[2]);
    return true;
}

static void activation_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_ACTIVATION, run_activation, tensor_value(c, n->out), tensor_value(c, n->in[0]));
}

static void activation_backward(compiler *c, const node *n) {
    const view place = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_ACTIVATION, run_activation_backward, place, tensor_value(c, n->in[0]),
         gradient_of(c, n->out));
    gradient_arrived(c, n, n->in[0], place);
}

tensor activation_note(graph *g, const char *name, activation which, tensor x, bool again) {
    static const node_kind kind = {activation_forward, activation_backward};
    const size_t rows = g->tensors[x].rows, cols = g->tensors[x].cols;
    const bool kept = g->train || g->tensors[x].name[0] != '\0';
    const tensor out = kept ? graph_tensor(g, g->config.dtype, rows, cols) : graph_reshape(g, x, cols);
    node *const n = graph_node(g, &kind, name, x, out);
    n->activation = which;
    n->again = again;
    return out;
}

tensor graph_activation(graph *g, const char *name, activation which, tensor x) {
    return activation_note(g, name, which, x, false);
}

// ---- Modulation

static bool run_modulate(graph *g, const step *s) {
    pointwise_modulate(threads_of(g), s->m[0], s->m[1], s->m[2], s->m[3]);
    return true;
}

static bool run_modulate_backward(graph *g, const step *s) {
    pointwise_modulate_backward(threads_of(g), s->m[0], s->m[1], s->m[2], s->m[3], s->m[4], s->m[5]);
    return true;
}

static void modulate_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_modulate, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->in[1]), tensor_value(c, n->in[2]));
}

static void modulate_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]), dshift = gradient_place(c, n->in[1]),
               dscale = gradient_place(c, n->in[2]);
    EMIT(c, n, ".grad", STEP_OTHER, run_modulate_backward, dx, dshift, dscale, tensor_value(c, n->in[0]),
         tensor_value(c, n->in[2]), gradient_of(c, n->out));
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_modulate(graph *g, const char *name, tensor x, tensor shift, tensor scale) {
    static const node_kind kind = {modulate_forward, modulate_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->tensors[x].rows, g->tensors[x].cols);
    node *const n = graph_node(g, &kind, name, x, out);
    n->in[1] = shift;
    n->in[2] = scale;
    return out;
}

static bool run_gate(graph *g, const step *s) {
    pointwise_gate(threads_of(g), s->m[0], s->m[1], s->m[2]);
    return true;
}

static bool run_gate_backward(graph *g, const step *s) {
    pointwise_gate_backward(threads_of(g), s->m[0], s->m[1], s->m[2], s->m[3], s->m[4]);
    return true;
}

static void gate_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_gate, tensor_value(c, n->out), tensor_value(c, n->in[0]), tensor_value(c, n->in[1]));
}

static void gate_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]), dgate = gradient_place(c, n->in[1]);
    EMIT(c, n, ".grad", STEP_OTHER, run_gate_backward, dx, dgate, tensor_value(c, n->in[0]), tensor_value(c, n->in[1]),
         gradient_of(c, n->out));
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_gate(graph *g, const char *name, tensor x, tensor gate) {
    static const node_kind kind = {gate_forward, gate_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->tensors[x].rows, g->tensors[x].cols);
    graph_node(g, &kind, name, x, out)->in[1] = gate;
    return out;
}

// A weight per column is a gate that all rows share.
static void scale_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_gate, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->param[WEIGHT]));
}

static void scale_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]), share = gradient_share(c, n, 0, n->param[WEIGHT]);
    EMIT(c, n, ".grad", STEP_OTHER, run_gate_backward, dx, share, tensor_value(c, n->in[0]),
         tensor_value(c, n->param[WEIGHT]), gradient_of(c, n->out));
    EMIT(c, n, ".accumulate", STEP_OTHER, run_accumulate, parameter_gradient(c, n->param[WEIGHT]), share);
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_scale_by(graph *g, const char *name, tensor x, tensor weight) {
    static const node_kind kind = {scale_forward, scale_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->tensors[x].rows, g->tensors[x].cols);
    node *const n = graph_node(g, &kind, name, x, out);
    n->param[WEIGHT] = weight;
    n->scratch[0] = graph_storage(g, 0, false);
    return out;
}

tensor graph_scale(graph *g, const char *name, tensor x, double initial) {
    return graph_scale_by(g, name, x, graph_vector(g, name, g->tensors[x].cols, initial, initial / 10.0));
}

// Another tensor is a gate with a row for each row.
static void multiply_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_gate, tensor_value(c, n->out), tensor_value(c, n->in[0]), tensor_value(c, n->in[1]));
}

static void multiply_backward(compiler *c, const node *n) {
    static const char *const suffixes[] = {".da", ".db"};
    for (size_t i = 0; i < 2; i++) {
        if (c->g->tensors[n->in[i]].constant)
            continue;
        const view share = gradient_place(c, n->in[i]);
        EMIT(c, n, suffixes[i], STEP_OTHER, run_gate, share, gradient_of(c, n->out), tensor_value(c, n->in[1 - i]));
        gradient_arrived(c, n, n->in[i], share);
    }
}

tensor graph_multiply(graph *g, const char *name, tensor a, tensor b) {
    static const node_kind kind = {multiply_forward, multiply_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->tensors[a].rows, g->tensors[a].cols);
    graph_node(g, &kind, name, a, out)->in[1] = b;
    return out;
}

// A number is a gate that all rows and columns share.
static void times_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_gate, tensor_value(c, n->out), tensor_value(c, n->in[0]), tensor_value(c, n->in[1]));
}

static void times_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_OTHER, run_gate, dx, gradient_of(c, n->out), tensor_value(c, n->in[1]));
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_times(graph *g, const char *name, tensor x, double factor) {
    static const node_kind kind = {times_forward, times_backward};
    const size_t rows = g->tensors[x].rows, cols = g->tensors[x].cols;
    const tensor number = graph_constant(g, name, cols, factor);
    const tensor out = g->train ? graph_tensor(g, g->config.dtype, rows, cols) : graph_reshape(g, x, cols);
    graph_node(g, &kind, name, x, out)->in[1] = number;
    return out;
}

// ---- Batch norm

enum { STATISTICS }; // scratch

static view statistics_of(const compiler *c, const node *n) {
    const size_t cols = c->g->tensors[n->out].cols;
    need(c, n->scratch[STATISTICS], 2 * cols * sizeof(float));
    return view_of_storage(n->scratch[STATISTICS], NORM_F32, 2, cols);
}

// out, x, scale, shift, statistics
static bool run_batch_norm(graph *g, const step *s) {
    batch_norm(threads_of(g), s->m[0], s->m[1], s->m[2], s->m[3], g->config.shape->eps, s->m[4].data);
    return true;
}

// dx, x, scale, dout, statistics, dscale, dshift
static bool run_batch_norm_backward(graph *g, const step *s) {
    batch_norm_backward(threads_of(g), s->m[0], s->m[1], s->m[2], s->m[3], s->m[4].data, s->m[5].data, s->m[6].data);
    return true;
}

static void batch_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_batch_norm, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->param[0]), tensor_value(c, n->param[1]), statistics_of(c, n));
}

static void batch_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_OTHER, run_batch_norm_backward, dx, tensor_value(c, n->in[0]),
         tensor_value(c, n->param[0]), gradient_of(c, n->out), statistics_of(c, n), parameter_gradient(c, n->param[0]),
         parameter_gradient(c, n->param[1]));
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_batch_norm(graph *g, const char *name, tensor x) {
    static const node_kind kind = {batch_forward, batch_backward};
    const norm_dtype dtype = g->config.dtype;
    const size_t cols = g->tensors[x].cols;
    if (!g->train)
        return x;
    const tensor scale = graph_parameter(g, dtype, name, ".weight", 1, cols, 1.0, 0.1);
    const tensor shift = graph_parameter(g, dtype, name, ".bias", 1, cols, 0.0, 0.1);
    const tensor out = graph_tensor(g, dtype, g->tensors[x].rows, cols);
    const int statistics = graph_storage(g, 0, false);
    node *const n = graph_node(g, &kind, name, x, out);
    n->param[0] = scale;
    n->param[1] = shift;
    n->scratch[STATISTICS] = statistics;
    return out;
}
