// SPDX-License-Identifier: MIT
// node_sequence.c: the steps along sequences that are no attention: convolutions in which a token sees those before it.
#include "compile.h"
#include "math/causal.h"

// ---- Short convolutions

enum { SCRATCH }; // scratch

static view scratch_of(const compiler *c, const node *n) {
    const size_t bytes = causal_bytes(c->g->tensors[n->out].cols);
    need(c, n->scratch[SCRATCH], bytes);
    return view_of_storage(n->scratch[SCRATCH], NORM_F32, 1, bytes / sizeof(float));
}

// y, x, weights, bias, scratch
static bool run_causal(graph *g, const step *s) {
    causal_forward(threads_of(g), g->config.tokens, s->m[1], s->m[2], s->m[3], s->m[0], s->m[4].data);
    return true;
}

// dx, x, weights, dy, dweights, dbias, scratch
static bool run_causal_backward(graph *g, const step *s) {
    causal_backward(threads_of(g), g->config.tokens, s->m[1], s->m[2], s->m[3], s->m[0], s->m[4].data, s->m[5].data,
                    s->m[6].data);
    return true;
}

static double causal_flops(const compiler *c, const node *n) {
    const tensor_note *const x = &c->g->tensors[n->in[0]], *const w = &c->g->tensors[n->param[WEIGHT]];
    return 2.0 * (double)x->rows * (double)x->cols * (double)w->cols;
}

static void causal_compile(compiler *c, const node *n) {
    step *const s =
        EMIT(c, n, "", STEP_CONV, run_causal, tensor_value(c, n->out), tensor_value(c, n->in[0]),
             tensor_value(c, n->param[WEIGHT]), tensor_value(c, n->param[BIAS]), scratch_of(c, n));
    s->shown.flops = causal_flops(c, n);
}

static void causal_compile_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    step *const s = EMIT(c, n, ".grad", STEP_CONV, run_causal_backward, dx, tensor_value(c, n->in[0]),
                         tensor_value(c, n->param[WEIGHT]), gradient_of(c, n->out),
                         parameter_gradient(c, n->param[WEIGHT]), parameter_gradient(c, n->param[BIAS]),
                         scratch_of(c, n));
    s->shown.flops = 2.0 * causal_flops(c, n); // of the input and of the weights
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_causal_conv(graph *g, const char *name, tensor x, size_t taps) {
    static const node_kind kind = {causal_compile, causal_compile_backward};
    const size_t rows = g->tensors[x].rows, channels = g->tensors[x].cols;
    const norm_dtype dtype = g->config.dtype;
    // Larger than weights of products, for only so many are added: as uniform between the inverse roots of the taps.
    const double deviation = taps < CAUSAL_TAPS ? 1.0 / 3.0 : 0.29;
    const tensor weight = graph_parameter(g, dtype, name, ".weight", channels, taps, 0.0, deviation);
    const tensor bias = graph_parameter(g, dtype, name, ".bias", 1, channels, 0.0, deviation);
    const tensor out = graph_tensor(g, dtype, rows, channels);
    const int scratch = graph_storage(g, 0, false);
    node *const n = graph_node(g, &kind, name, x, out);
    n->param[WEIGHT] = weight;
    n->param[BIAS] = bias;
    n->scratch[SCRATCH] = scratch;
    return out;
}

// ---- Convolutions as long as the sequence

enum { FILTER = 1 }; // in
enum { SKIP };       // param

// y, x, filter, skip
static bool run_long(graph *g, const step *s) {
    long_conv_forward(g->resources[s->node->resource].long_conv, s->m[1], s->m[2], s->m[3], s->m[0]);
    return true;
}

// dx, dfilter, x, filter, skip, dy, dskip
static bool run_long_backward(graph *g, const step *s) {
    long_conv_backward(g->resources[s->node->resource].long_conv, s->m[2], s->m[3], s->m[4], s->m[5], s->m[0], s->m[1],
                       s->m[6].data);
    return true;
}

static void long_compile(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_FFT, run_long, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->in[FILTER]), tensor_value(c, n->param[SKIP]));
}

static void long_compile_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]), dfilter = gradient_place(c, n->in[FILTER]);
    EMIT(c, n, ".grad", STEP_FFT, run_long_backward, dx, dfilter, tensor_value(c, n->in[0]),
         tensor_value(c, n->in[FILTER]), tensor_value(c, n->param[SKIP]), gradient_of(c, n->out),
         parameter_gradient(c, n->param[SKIP]));
    gradient_arrived(c, n, n->in[0], dx);
    gradient_arrived(c, n, n->in[FILTER], dfilter);
}

tensor graph_long_conv(graph *g, const char *name, tensor x, tensor filter) {
    static const node_kind kind = {long_compile, long_compile_backward};
    const size_t rows = g->tensors[x].rows, channels = g->tensors[x].cols, tokens = g->config.tokens;
    const tensor skip = graph_parameter(g, g->config.dtype, name, ".skip", 1, channels, 0.0, 1.0);
    const tensor out = graph_tensor(g, g->config.dtype, rows, channels);
    const int r = graph_resource(
        g, (resource_note){.kind = RESOURCE_LONG_CONV, .long_spec = {rows / tokens, tokens, channels}});
    node *const n = graph_node(g, &kind, name, x, out);
    n->in[FILTER] = filter;
    n->param[SKIP] = skip;
    n->resource = r;
    return out;
}
