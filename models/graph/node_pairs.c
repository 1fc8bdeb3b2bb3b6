// SPDX-License-Identifier: MIT
// node_pairs.c: the steps of a tensor of pairs whose channels stand one after another, (channels, rows): products into
// that layout, sums over triangles, and back to rows.
#include "compile.h"
#include "math/triangle.h"

// ---- A product into channels

enum { FORWARD, DX, DW };
enum { ROUNDED }; // scratch

static bool run_product(graph *g, const step *s) {
    return matmul_run(g->products[s->product].made, s->m[1].data, s->m[2].data, NULL, s->m[0].data);
}

static void emit_product(compiler *c, const node *n, const char *suffix, int product, view out, view a, view b) {
    const matmul_spec *const spec = &c->g->products[product].spec;
    step *const s = EMIT(c, n, suffix, STEP_MATMUL, run_product, out, a, b);
    s->product = product;
    s->shown.flops = 2.0 * (double)spec->m * (double)spec->k * (double)spec->n;
}

static void channels_forward(compiler *c, const node *n) {
    emit_product(c, n, "", n->product[FORWARD], tensor_value(c, n->out), tensor_value(c, n->param[WEIGHT]),
                 tensor_value(c, n->in[0]));
}

static void channels_backward(compiler *c, const node *n) {
    view dout = gradient_of(c, n->out);
    if (dout.dtype != c->g->config.dtype) {
        need(c, n->scratch[ROUNDED], dout.rows * dout.cols * norm_dtype_bytes(c->g->config.dtype));
        const view rounded = view_of_storage(n->scratch[ROUNDED], c->g->config.dtype, dout.rows, dout.cols);
        EMIT(c, n, ".round", STEP_OTHER, run_copy, rounded, dout);
        dout = rounded;
    }
    emit_product(c, n, ".dw", n->product[DW], parameter_gradient(c, n->param[WEIGHT]), dout, tensor_value(c, n->in[0]));
    const view place = gradient_place(c, n->in[0]);
    emit_product(c, n, ".dx", n->product[DX], place, dout, tensor_value(c, n->param[WEIGHT]));
    gradient_arrived(c, n, n->in[0], place);
}

tensor graph_channels(graph *g, const char *name, tensor x, size_t out, bool gradient_f32) {
    static const node_kind kind = {channels_forward, channels_backward};
    const size_t rows = g->tensors[x].rows, in = g->tensors[x].cols;
    const norm_dtype dtype = g->config.dtype;
    const tensor weight = linear_weight(g, name, out, in, true);
    const tensor result = graph_tensor(g, dtype, out, rows);
    const int rounded = graph_storage(g, 0, false);
    const int forward =
        graph_product(g, (matmul_spec){.m = out, .k = in, .n = rows, .dtype = dtype, .transpose_b = true}, weight);
    const int dx =
        graph_product(g, (matmul_spec){.m = rows, .k = out, .n = in, .dtype = dtype, .transpose_a = true}, weight);
    const int dw = graph_product(
        g, (matmul_spec){.m = out, .k = rows, .n = in, .dtype = dtype, .accumulate = true, .f32_result = true}, weight);
    if (!g->failed)
        g->tensors[result].gradient_f32 = gradient_f32;
    node *const n = graph_node(g, &kind, name, x, result);
    n->param[WEIGHT] = weight;
    n->product[FORWARD] = forward;
    n->product[DX] = dx;
    n->product[DW] = dw;
    n->scratch[ROUNDED] = rounded;
    return result;
}

// ---- Sums over triangles

enum { COPIES }; // scratch

static triangle_shape shape_of(const graph *g, const node *n) {
    return (triangle_shape){g->config.batch, g->config.tokens, n->size != 0};
}

static view copies_of(const compiler *c, const node *n) {
    const triangle_shape s = shape_of(c->g, n);
    const size_t bytes = triangle_bytes(&s, c->g->config.dtype);
    if (bytes == 0)
        return view_none();
    need(c, n->scratch[COPIES], bytes);
    return view_of_storage(n->scratch[COPIES], NORM_F32, 1, bytes / sizeof(float));
}

static double triangle_flops(const compiler *c, const node *n) {
    const double tokens = (double)c->g->config.tokens;
    return 2.0 * (double)c->g->config.batch * (double)c->g->tensors[n->out].rows * tokens * tokens * tokens;
}

// out, a, b, copies
static bool run_triangles(graph *g, const step *s) {
    const triangle_shape shape = shape_of(g, s->node);
    return triangle_forward(&shape, s->m[1], s->m[2], s->m[0], s->m[3].data);
}

// da, db, a, b, dout, copies
static bool run_triangles_backward(graph *g, const step *s) {
    const triangle_shape shape = shape_of(g, s->node);
    return triangle_backward(&shape, s->m[2], s->m[3], s->m[4], s->m[0], s->m[1], s->m[5].data);
}

static void triangles_forward(compiler *c, const node *n) {
    step *const s = EMIT(c, n, "", STEP_MATMUL, run_triangles, tensor_value(c, n->out), tensor_value(c, n->in[0]),
                         tensor_value(c, n->in[1]), copies_of(c, n));
    s->shown.flops = triangle_flops(c, n);
}

static void triangles_backward(compiler *c, const node *n) {
    const view da = gradient_place(c, n->in[0]), db = gradient_place(c, n->in[1]);
    step *const s = EMIT(c, n, ".grad", STEP_MATMUL, run_triangles_backward, da, db, tensor_value(c, n->in[0]),
                         tensor_value(c, n->in[1]), gradient_of(c, n->out), copies_of(c, n));
    s->shown.flops = 2.0 * triangle_flops(c, n);
    gradient_arrived(c, n, n->in[0], da);
    gradient_arrived(c, n, n->in[1], db);
}

tensor graph_triangles(graph *g, const char *name, tensor ab, bool incoming) {
    static const node_kind kind = {triangles_forward, triangles_backward};
    const size_t channels = g->tensors[ab].rows / 2, cols = g->tensors[ab].cols;
    const tensor a = graph_view(g, ab, channels, cols, 0, 0), b = graph_view(g, ab, channels, cols, channels * cols, 0);
    const tensor out = graph_tensor(g, g->config.dtype, channels, cols);
    const int copies = graph_storage(g, 0, false);
    node *const n = graph_node(g, &kind, name, a, out);
    n->in[1] = b;
    n->size = incoming;
    n->scratch[COPIES] = copies;
    return out;
}

// ---- Transposition

static bool run_transpose(graph *g, const step *s) {
    transpose(threads_of(g), s->m[0], s->m[1]);
    return true;
}

static void transposed_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_transpose, tensor_value(c, n->out), tensor_value(c, n->in[0]));
}

static void transposed_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_OTHER, run_transpose, dx, gradient_of(c, n->out));
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_transposed(graph *g, const char *name, tensor x) {
    static const node_kind kind = {transposed_forward, transposed_backward};
    const tensor out = graph_tensor(g, g->config.dtype, g->tensors[x].cols, g->tensors[x].rows);
    graph_node(g, &kind, name, x, out);
    return out;
}
