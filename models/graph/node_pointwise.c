// SPDX-License-Identifier: MIT
// node_pointwise.c: the steps that take each element by itself: activations, modulation, gates and scales.
#include "compile.h"

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
    const tensor out = g->train ? graph_tensor(g, g->config.dtype, rows, cols) : graph_reshape(g, gate, cols);
    graph_node(g, &kind, name, gate, out)->in[1] = up;
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

tensor graph_scale(graph *g, const char *name, tensor x, double initial) {
    static const node_kind kind = {scale_forward, scale_backward};
    const size_t rows = g->tensors[x].rows, cols = g->tensors[x].cols;
    const tensor weight = graph_parameter(g, g->config.dtype, name, ".weight", 1, cols, initial, initial / 10.0);
    const tensor out = graph_tensor(g, g->config.dtype, rows, cols);
    node *const n = graph_node(g, &kind, name, x, out);
    n->param[WEIGHT] = weight;
    n->scratch[0] = graph_storage(g, 0, false);
    return out;
}
