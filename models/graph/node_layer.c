// SPDX-License-Identifier: MIT
// node_layer.c: the steps that layers consist of beside their norms and attention: products, convolution, and
// feed-forward by tiles. Each kind is three things: what it notes down, what it compiles to forward and backward, and
// the call that a step makes.
#include <stdio.h>

#include "compile.h"

// ---- Products

enum { FORWARD, DX, DW }; // products of a linear layer

static bool run_product(graph *g, const step *s) {
    return matmul_run(g->products[s->product].made, s->m[1].data, s->m[2].data, s->m[3].data, s->m[0].data);
}

static bool run_col_sums(graph *g, const step *s) {
    pointwise_col_sums(threads_of(g), s->m[0].data, s->m[1]);
    return true;
}

bool run_copy(graph *g, const step *s) {
    pointwise_copy(threads_of(g), s->m[0], s->m[1]);
    return true;
}

static void emit_product(compiler *c, const node *n, const char *suffix, int product, view out, view a, view b,
                         view bias) {
    const matmul_spec *const spec = &c->g->products[product].spec;
    step *const s = EMIT(c, n, suffix, STEP_MATMUL, run_product, out, a, b, bias);
    s->product = product;
    s->shown.flops = 2.0 * (double)spec->m * (double)spec->k * (double)spec->n;
}

void linear_product(compiler *c, const node *n, view out) {
    emit_product(c, n, "", n->product[FORWARD], out, tensor_value(c, n->in[0]), tensor_value(c, n->param[WEIGHT]),
                 tensor_value(c, n->param[BIAS]));
}

static void linear_forward(compiler *c, const node *n) { linear_product(c, n, tensor_value(c, n->out)); }

void linear_gradients(compiler *c, const node *n, view dout) {
    emit_product(c, n, ".dw", n->product[DW], parameter_gradient(c, n->param[WEIGHT]), dout, tensor_value(c, n->in[0]),
                 view_none());
    if (n->param[BIAS] != NO_TENSOR)
        EMIT(c, n, ".db", STEP_OTHER, run_col_sums, parameter_gradient(c, n->param[BIAS]), dout);
    if (c->g->tensors[n->in[0]].constant)
        return;
    const view place = gradient_place(c, n->in[0]);
    emit_product(c, n, ".dx", n->product[DX], place, dout, tensor_value(c, n->param[WEIGHT]), view_none());
    gradient_arrived(c, n, n->in[0], place);
}

static void linear_backward(compiler *c, const node *n) {
    view dout = gradient_of(c, n->out);
    if (dout.dtype != c->g->config.dtype) {
        need(c, n->scratch[0], dout.rows * dout.cols * norm_dtype_bytes(c->g->config.dtype));
        const view rounded = view_of_storage(n->scratch[0], c->g->config.dtype, dout.rows, dout.cols);
        EMIT(c, n, ".round", STEP_OTHER, run_copy, rounded, dout);
        dout = rounded;
    }
    linear_gradients(c, n, dout);
}

void linear_note(graph *g, node *n, tensor x, tensor weight, tensor bias) {
    const size_t rows = g->tensors[x].rows, in = g->tensors[x].cols, out = g->tensors[weight].rows;
    const norm_dtype dtype = g->config.dtype;
    n->param[WEIGHT] = weight;
    n->param[BIAS] = bias;
    n->product[FORWARD] = graph_product(g,
                                        (matmul_spec){.m = rows,
                                                      .k = in,
                                                      .n = out,
                                                      .dtype = dtype,
                                                      .transpose_b = true,
                                                      .bias = bias != NO_TENSOR,
                                                      .pack_b = !g->train},
                                        weight);
    if (!g->train)
        return;
    n->product[DX] = graph_product(g, (matmul_spec){.m = rows, .k = out, .n = in, .dtype = dtype}, weight);
    n->product[DW] = graph_product(
        g,
        (matmul_spec){
            .m = out, .k = rows, .n = in, .dtype = dtype, .transpose_a = true, .accumulate = true, .f32_result = true},
        weight);
}

tensor linear_weight(graph *g, const char *name, size_t out, size_t in, bool read) {
    // The initial deviation of GPT-2, BERT and ViT: small enough that activations neither grow nor die in a layer.
    const tensor t = graph_parameter(g, g->config.dtype, name, ".weight", out, in, 0.0, 0.02);
    if (!g->failed && !g->train && g->config.packed_only && !read) {
        g->storages[g->tensors[t].storage].last = -1; // nobody's
        g->tensors[t].storage = NONE;
    }
    return t;
}

static const node_kind linear_kind = {linear_forward, linear_backward};

linear_weights graph_weights(graph *g, const char *name, size_t in, size_t out, bool bias) {
    const tensor weight = linear_weight(g, name, out, in, false);
    return (linear_weights){weight,
                            bias ? graph_parameter(g, g->config.dtype, name, ".bias", 1, out, 0.0, 0.02) : NO_TENSOR};
}

static node *note_linear(graph *g, const char *name, tensor x, linear_weights p, tensor result) {
    node *const n = graph_node(g, &linear_kind, name, x, result);
    linear_note(g, n, x, p.weight, p.bias);
    return n;
}

tensor graph_linear_by(graph *g, const char *name, tensor x, const linear_weights *w) {
    const tensor result = graph_tensor(g, g->config.dtype, g->tensors[x].rows, g->tensors[w->weight].rows);
    note_linear(g, name, x, *w, result);
    return result;
}

tensor graph_linear(graph *g, const char *name, tensor x, size_t out, bool bias) {
    const linear_weights w = graph_weights(g, name, g->tensors[x].cols, out, bias);
    return graph_linear_by(g, name, x, &w);
}

tensor graph_condition(graph *g, const char *name, tensor x, size_t out) {
    const tensor result = graph_linear(g, name, x, out, true);
    const int rounded = graph_storage(g, 0, false);
    if (!g->failed) {
        g->tensors[result].gradient_f32 = true;
        g->nodes[g->node_count - 1].scratch[0] = rounded;
    }
    return result;
}

// ---- Feed-forward

// Rows that go through both products at a time. A tile's activations should stay in the cores' caches: of sizes between
// 1 and 12 MiB, ConvNeXt-B's first stage with eight images took 0.95 to 0.98 of the time that it takes whole (two
// threads, f32, Zen 5). Its rows should be so many that reading the weights again for each is nothing beside the
// multiplications: tiles of fewer than 448 took up to 1.16 times as long. And tiles should be many: what is written by
// tiles is divided over the team otherwise than by the steps around, and with one image, of two tiles, that took more
// than the tiles gave, 1.03 times as long.
static size_t tile_rows(const graph *g, size_t rows, size_t width) {
    enum { TILE_BYTES = 4 << 20, ROWS_LEAST = 768, TILES_LEAST = 4 };
    const size_t most = TILE_BYTES / (width * norm_dtype_bytes(g->config.dtype));
    if (g->train || most < ROWS_LEAST || rows <= TILES_LEAST * most)
        return rows;
    const size_t tiles = (rows + most - 1) / most;
    return (rows + tiles - 1) / tiles;
}

tensor graph_feed_forward(graph *g, const char *name, tensor x, activation kind, size_t width) {
    char up[NAME_SIZE], active_name[NAME_SIZE], down[NAME_SIZE];
    snprintf(up, sizeof up, "%.32s.up", name);
    snprintf(active_name, sizeof active_name, "%.32s.%s", name, kind == ACTIVATION_SILU ? "silu" : "gelu");
    snprintf(down, sizeof down, "%.32s.down", name);
    const size_t rows = g->tensors[x].rows, cols = g->tensors[x].cols, each = tile_rows(g, rows, width);
    const linear_weights wide = graph_weights(g, up, cols, width, true),
                         narrow = graph_weights(g, down, width, cols, true);
    const tensor hidden = graph_tensor(g, g->config.dtype, each, width);
    const tensor out = graph_tensor(g, g->config.dtype, rows, cols);
    for (size_t first = 0; first < rows; first += each) {
        // The last tile begins early, to be as long as the others and share their packed weights.
        const size_t begin = first + each <= rows ? first : rows - each;
        const tensor from = each < rows ? graph_view(g, x, each, cols, begin * cols, 0) : x;
        const tensor to = each < rows ? graph_view(g, out, each, cols, begin * cols, 0) : out;
        note_linear(g, up, from, wide, hidden)->again = first > 0;
        const tensor active = activation_note(g, active_name, kind, hidden, first > 0);
        note_linear(g, down, active, narrow, to)->again = first > 0;
    }
    return out;
}

// ---- Convolution

static bool run_conv(graph *g, const step *s) {
    return conv_forward(g->resources[s->node->resource].conv, s->m[1].data, s->m[2].data, s->m[3].data, s->m[0].data);
}

static bool run_conv_backward(graph *g, const step *s) {
    return conv_backward(g->resources[s->node->resource].conv, s->m[1].data, s->m[2].data, s->m[3].data, s->m[0].data,
                         s->m[4].data, s->m[5].data);
}

// Edges, where the kernel leaves the image, count as whole.
static double conv_flops(const conv_spec *s) {
    return 2.0 * (double)s->batch * (double)conv_positions(s) * (double)s->channels * (double)conv_taps(s);
}

static void conv_compile(compiler *c, const node *n) {
    step *const s = EMIT(c, n, "", STEP_CONV, run_conv, tensor_value(c, n->out), tensor_value(c, n->in[0]),
                         tensor_value(c, n->param[WEIGHT]), tensor_value(c, n->param[BIAS]));
    s->shown.flops = conv_flops(&c->g->resources[n->resource].conv_spec);
}

static void conv_compile_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    step *const s = EMIT(c, n, ".grad", STEP_CONV, run_conv_backward, dx, tensor_value(c, n->in[0]),
                         tensor_value(c, n->param[WEIGHT]), gradient_of(c, n->out),
                         parameter_gradient(c, n->param[WEIGHT]), parameter_gradient(c, n->param[BIAS]));
    s->shown.flops = 2.0 * conv_flops(&c->g->resources[n->resource].conv_spec); // of the input and of the weights
    gradient_arrived(c, n, n->in[0], dx);
}

static tensor note_conv(graph *g, const char *name, tensor x, size_t side, size_t kernel, bool line) {
    static const node_kind kind = {conv_compile, conv_compile_backward};
    const size_t rows = g->tensors[x].rows, channels = g->tensors[x].cols;
    const norm_dtype dtype = g->config.dtype;
    const conv_spec spec = {.batch = g->config.batch,
                            .side = side,
                            .channels = channels,
                            .kernel = kernel,
                            .line = line,
                            .dtype = dtype,
                            .train = g->train};
    const tensor weight = graph_parameter(g, dtype, name, ".weight", channels, conv_taps(&spec), 0.0, 0.02);
    const tensor bias = graph_parameter(g, dtype, name, ".bias", 1, channels, 0.0, 0.02);
    const tensor out = graph_tensor(g, dtype, rows, channels);
    const int r = graph_resource(g, (resource_note){.kind = RESOURCE_CONV, .conv_spec = spec});
    node *const n = graph_node(g, &kind, name, x, out);
    n->param[WEIGHT] = weight;
    n->param[BIAS] = bias;
    n->resource = r;
    return out;
}

tensor graph_conv(graph *g, const char *name, tensor x, size_t side, size_t kernel) {
    return note_conv(g, name, x, side, kernel, false);
}

tensor graph_line_conv(graph *g, const char *name, tensor x, size_t kernel) {
    return note_conv(g, name, x, g->tensors[x].rows / g->config.batch, kernel, true);
}
