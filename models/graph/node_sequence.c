// SPDX-License-Identifier: MIT
// node_sequence.c: the steps along sequences that are no attention: convolutions in which a token sees those before it.
#include "compile.h"
#include "math/causal.h"
#include "math/scan.h"

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
    step *const s = EMIT(c, n, "", STEP_CONV, run_causal, tensor_value(c, n->out), tensor_value(c, n->in[0]),
                         tensor_value(c, n->param[WEIGHT]), tensor_value(c, n->param[BIAS]), scratch_of(c, n));
    s->shown.flops = causal_flops(c, n);
}

static void causal_compile_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    step *const s =
        EMIT(c, n, ".grad", STEP_CONV, run_causal_backward, dx, tensor_value(c, n->in[0]),
             tensor_value(c, n->param[WEIGHT]), gradient_of(c, n->out), parameter_gradient(c, n->param[WEIGHT]),
             parameter_gradient(c, n->param[BIAS]), scratch_of(c, n));
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
    const int r =
        graph_resource(g, (resource_note){.kind = RESOURCE_LONG_CONV, .long_spec = {rows / tokens, tokens, channels}});
    node *const n = graph_node(g, &kind, name, x, out);
    n->in[FILTER] = filter;
    n->param[SKIP] = skip;
    n->resource = r;
    return out;
}

// ---- Scans

enum { STEP = 1, INTO, OUT_OF }; // in
enum { LOG_RATES, SCAN_SKIP };   // param
enum { SCAN_MEMORY };            // scratch

static scan_shape scan_shape_of(const graph *g, const node *n) {
    const tensor_note *const x = &g->tensors[n->in[0]];
    return (scan_shape){x->rows / g->config.tokens, g->config.tokens, x->cols};
}

static view memory_of(const compiler *c, const node *n) {
    const scan_shape s = scan_shape_of(c->g, n);
    const size_t bytes = scan_bytes(threads_of(c->g), &s, c->g->config.dtype, c->g->train);
    need(c, n->scratch[SCAN_MEMORY], bytes);
    return view_of_storage(n->scratch[SCAN_MEMORY], NORM_F32, 1, bytes / sizeof(float));
}

// y, x, step, in, out, log_rates, skip, memory
static bool run_scan(graph *g, const step *s) {
    const scan_shape shape = scan_shape_of(g, s->node);
    const scan_operands o = {s->m[1], s->m[2], s->m[3], s->m[4], s->m[5], s->m[6]};
    scan_forward(threads_of(g), &shape, &o, s->m[0], g->train, s->m[7].data);
    return true;
}

// dx, dstep, din, dout, x, step, in, out, log_rates, skip, dlog_rates, dskip, dy, memory
static bool run_scan_backward(graph *g, const step *s) {
    const scan_shape shape = scan_shape_of(g, s->node);
    const scan_operands o = {s->m[4], s->m[5], s->m[6], s->m[7], s->m[8], s->m[9]};
    const scan_gradients gradients = {s->m[0], s->m[1], s->m[2], s->m[3], s->m[10].data, s->m[11].data};
    scan_backward(threads_of(g), &shape, &o, s->m[12], &gradients, s->m[13].data);
    return true;
}

static void scan_compile(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_SCAN, run_scan, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->in[STEP]), tensor_value(c, n->in[INTO]), tensor_value(c, n->in[OUT_OF]),
         tensor_value(c, n->param[LOG_RATES]), tensor_value(c, n->param[SCAN_SKIP]), memory_of(c, n));
}

static void scan_compile_backward(compiler *c, const node *n) {
    view share[NODE_TENSORS];
    for (size_t i = 0; i < NODE_TENSORS; i++)
        share[i] = gradient_place(c, n->in[i]);
    EMIT(c, n, ".grad", STEP_SCAN, run_scan_backward, share[0], share[STEP], share[INTO], share[OUT_OF],
         tensor_value(c, n->in[0]), tensor_value(c, n->in[STEP]), tensor_value(c, n->in[INTO]),
         tensor_value(c, n->in[OUT_OF]), tensor_value(c, n->param[LOG_RATES]), tensor_value(c, n->param[SCAN_SKIP]),
         parameter_gradient(c, n->param[LOG_RATES]), parameter_gradient(c, n->param[SCAN_SKIP]), gradient_of(c, n->out),
         memory_of(c, n));
    for (size_t i = 0; i < NODE_TENSORS; i++)
        gradient_arrived(c, n, n->in[i], share[i]);
}

tensor graph_scan(graph *g, const char *name, tensor x, tensor steps, tensor inout) {
    static const node_kind kind = {scan_compile, scan_compile_backward};
    const size_t rows = g->tensors[x].rows, channels = g->tensors[x].cols;
    const size_t first = g->tensors[inout].cols - 2 * SCAN_STATES;
    const norm_dtype dtype = g->config.dtype;
    // Rates as from one to the number of states, which trained ones begin with.
    const tensor rates = graph_parameter(g, dtype, name, ".log_rates", channels, SCAN_STATES, 1.9, 0.7);
    const tensor skip = graph_parameter(g, dtype, name, ".skip", 1, channels, 1.0, 0.3);
    const tensor in = graph_columns(g, inout, first, SCAN_STATES),
                 out = graph_columns(g, inout, first + SCAN_STATES, SCAN_STATES);
    const tensor y = graph_tensor(g, dtype, rows, channels);
    const int memory = graph_storage(g, 0, false);
    node *const n = graph_node(g, &kind, name, x, y);
    n->in[STEP] = steps;
    n->in[INTO] = in;
    n->in[OUT_OF] = out;
    n->param[LOG_RATES] = rates;
    n->param[SCAN_SKIP] = skip;
    n->scratch[SCAN_MEMORY] = memory;
    return y;
}
