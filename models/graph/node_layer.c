// SPDX-License-Identifier: MIT
// node_layer.c: the steps that layers consist of: norm, products, attention and what stands between them. Each kind is
// three things: what it notes down, what it compiles to forward and backward, and the call that a step makes.
#include <stdio.h>
#include <string.h>

#include "compile.h"
#include "fresh.h"
#include "math/draw.h"

static int threads_of(const graph *g) { return g->config.threads; }

static void name_with(char name[NAME_SIZE], const char *stem, const char *tail) {
    snprintf(name, NAME_SIZE, "%s%s", stem, tail);
}

// A parameter's share of the gradient, before it is added: f32, one row.
static view share_of(const compiler *c, const node *n, int scratch, tensor parameter) {
    if (parameter == NO_TENSOR)
        return view_none();
    const size_t cols = c->g->tensors[parameter].cols;
    need(c, n->scratch[scratch], cols * sizeof(float));
    return view_of_storage(n->scratch[scratch], NORM_F32, 1, cols);
}

// ---- Norm

enum { SAVED, WORKSPACE, DGAMMA, DBETA, DALPHA, DSHIFT }; // scratch
enum { GAMMA, BETA, ALPHA, SHIFT, PARAMETERS };           // parameters
enum { NORMED, SUM, BRANCH };                             // in[0]: what is normed; joined: stream and branch
enum { F_Y, F_X, F_GAMMA, F_BETA, F_ALPHA, F_SHIFT, F_SAVED, F_WORKSPACE, F_BRANCH, F_SUM };
enum {
    B_DX,
    B_X,
    B_GAMMA,
    B_ALPHA,
    B_SHIFT,
    B_SAVED,
    B_WORKSPACE,
    B_DY,
    B_DSUM,
    B_DGAMMA,
    B_DBETA,
    B_DALPHA,
    B_DSHIFT,
    B_Y
};

static bool repeat_norm(const graph *g, const step *s, norm_pass pass, const norm_args *args) {
    for (unsigned i = 0; i < s->repeats; i++)
        if (norm_run(s->impl, pass, args, threads_of(g)) != NORM_OK)
            return false;
    return true;
}

// The same of form framework, whose result is a new tensor.
static bool repeat_fresh(const graph *g, const step *s, norm_pass pass, norm_args args) {
    void *result = NULL;
    args.fresh = &result;
    for (unsigned i = 0; i < s->repeats; i++) {
        if (norm_run(s->impl, pass, &args, threads_of(g)) != NORM_OK)
            return false;
        fresh_place(s->makes, result);
    }
    return true;
}

static bool call_norm(const graph *g, const step *s, norm_pass pass, const norm_args *args) {
    // Elsewhere the bytes may have been another storage's: each forward has its backward before the next.
    if (s->impl->form == NORM_FRAMEWORK && pass == NORM_FORWARD && args->saved != NULL)
        memset(args->saved, 0, norm_saved_bytes(s->impl, args->rows, args->cols));
    return s->makes != NULL ? repeat_fresh(g, s, pass, *args) : repeat_norm(g, s, pass, args);
}

static float scalar_of(matrix m) { return m.data != NULL ? matrix_get(m, 0, 0) : 0.0f; }

static bool run_norm(graph *g, const step *s) {
    const matrix *const m = s->m;
    const norm_args args = {.rows = m[F_Y].rows,
                            .cols = m[F_Y].cols,
                            .x_stride = m[F_X].stride,
                            .y_stride = m[F_Y].stride,
                            .branch_stride = m[F_BRANCH].stride,
                            .sum_stride = m[F_SUM].stride,
                            .x = m[F_X].data,
                            .branch = m[F_BRANCH].data,
                            .sum = m[F_SUM].data,
                            .y = m[F_Y].data,
                            .gamma = m[F_GAMMA].data,
                            .beta = m[F_BETA].data,
                            .alpha = scalar_of(m[F_ALPHA]),
                            .shift = scalar_of(m[F_SHIFT]),
                            .eps = g->config.shape->eps,
                            .saved = m[F_SAVED].data,
                            .workspace = m[F_WORKSPACE].data};
    return call_norm(g, s, NORM_FORWARD, &args);
}

static bool run_norm_backward(graph *g, const step *s) {
    const matrix *const m = s->m;
    const norm_args args = {.rows = m[B_DX].rows,
                            .cols = m[B_DX].cols,
                            .x_stride = m[B_X].stride,
                            .dy_stride = m[B_DY].stride,
                            .dx_stride = m[B_DX].stride,
                            .y_stride = m[B_Y].stride,
                            .dsum_stride = m[B_DSUM].stride,
                            .x = m[B_X].data,
                            .dy = m[B_DY].data,
                            .dsum = m[B_DSUM].data,
                            .dx = m[B_DX].data,
                            .y = m[B_Y].data,
                            .gamma = m[B_GAMMA].data,
                            .alpha = scalar_of(m[B_ALPHA]),
                            .shift = scalar_of(m[B_SHIFT]),
                            .eps = g->config.shape->eps,
                            .dgamma = m[B_DGAMMA].data,
                            .dbeta = m[B_DBETA].data,
                            .dalpha = m[B_DALPHA].data,
                            .dshift = m[B_DSHIFT].data,
                            .saved = m[B_SAVED].data,
                            .workspace = m[B_WORKSPACE].data};
    return call_norm(g, s, NORM_BACKWARD, &args);
}

static const norm_impl *impl_of(const compiler *c, const node *n) {
    return n->in[BRANCH] != NO_TENSOR && c->arm->add != NULL ? c->arm->add : c->arm->plain;
}

// Bytes as f32 elements, for those buffers whose layout is the implementation's own affair.
static view buffer(const compiler *c, int s, size_t bytes) {
    if (bytes == 0)
        return view_none();
    need(c, s, bytes);
    return view_of_storage(s, NORM_F32, 1, bytes / sizeof(float));
}

static view saved_of(const compiler *c, const node *n, const norm_impl *impl, view x) {
    return buffer(c, n->scratch[SAVED], c->g->train ? norm_saved_bytes(impl, x.rows, x.cols) : 0);
}

static view workspace_of(const compiler *c, const node *n, const norm_impl *impl, view x) {
    return buffer(c, n->scratch[WORKSPACE], norm_workspace_bytes(impl, x.rows, x.cols, threads_of(c->g)));
}

// The parameters that this arm's implementation has.
static tensor own(const norm_impl *impl, const node *n, int which) {
    static const unsigned bits[] = {
        [GAMMA] = NORM_GAMMA, [BETA] = NORM_BETA, [ALPHA] = NORM_ALPHA, [SHIFT] = NORM_SHIFT};
    return impl->params & bits[which] ? n->param[which] : NO_TENSOR;
}

static void norm_forward(compiler *c, const node *n) {
    const norm_impl *const impl = impl_of(c, n);
    if (impl == NULL) { // nothing is copied: who reads the normed tensor reads the tensor itself
        c->alias[n->out] = n->in[NORMED];
        return;
    }
    const bool joined = impl == c->arm->add;
    const view x = tensor_value(c, joined ? n->in[SUM] : n->in[NORMED]);
    step *const s = EMIT(
        c, n, "", STEP_NORM, run_norm, tensor_value(c, n->out), x, tensor_value(c, own(impl, n, GAMMA)),
        tensor_value(c, own(impl, n, BETA)), tensor_value(c, own(impl, n, ALPHA)), tensor_value(c, own(impl, n, SHIFT)),
        saved_of(c, n, impl, x), workspace_of(c, n, impl, x), joined ? tensor_value(c, n->in[BRANCH]) : view_none(),
        joined ? tensor_value(c, n->in[NORMED]) : view_none());
    s->impl = impl;
    s->repeats = c->arm->repeats;
}

static void norm_backward(compiler *c, const node *n) {
    const norm_impl *const forward = impl_of(c, n);
    if (forward == NULL)
        return;
    const tensor x = n->in[NORMED];
    const bool joined = forward == c->arm->add && gradient_has_arrived(c, x);
    // A sum that nobody but the norm reads has no gradient to join: then it is the backward of the norm alone, for
    // which both forms save the same.
    const norm_impl *const impl = joined ? forward : c->arm->plain;
    const view at = tensor_value(c, x), place = gradient_place(c, x);
    const view dgamma = share_of(c, n, DGAMMA, own(impl, n, GAMMA)), dbeta = share_of(c, n, DBETA, own(impl, n, BETA)),
               dalpha = share_of(c, n, DALPHA, own(impl, n, ALPHA)),
               dshift = share_of(c, n, DSHIFT, own(impl, n, SHIFT));
    step *const s =
        EMIT(c, n, ".grad", STEP_NORM, run_norm_backward, place, at, tensor_value(c, own(impl, n, GAMMA)),
             tensor_value(c, own(impl, n, ALPHA)), tensor_value(c, own(impl, n, SHIFT)), saved_of(c, n, forward, at),
             workspace_of(c, n, impl, at), gradient_of(c, n->out), joined ? gradient_of(c, x) : view_none(), dgamma,
             dbeta, dalpha, dshift, impl->reads_y ? tensor_value(c, n->out) : view_none());
    s->impl = impl;
    s->repeats = c->arm->repeats;
    if (joined)
        gradient_replace(c, x, place);
    else
        gradient_arrived(c, n, x, place);
    if (impl->params != 0)
        EMIT(c, n, ".accumulate", STEP_OTHER, run_accumulate, parameter_gradient(c, own(impl, n, GAMMA)), dgamma,
             parameter_gradient(c, own(impl, n, BETA)), dbeta, parameter_gradient(c, own(impl, n, ALPHA)), dalpha,
             parameter_gradient(c, own(impl, n, SHIFT)), dshift);
}

static tensor note_norm(graph *g, const char *name, tensor x, residual joined, float alpha) {
    static const node_kind kind = {norm_forward, norm_backward};
    const norm_dtype dtype = g->config.dtype;
    const size_t rows = g->tensors[x].rows, cols = g->tensors[x].cols;
    tensor param[PARAMETERS] = {NO_TENSOR, NO_TENSOR, NO_TENSOR, NO_TENSOR};
    // gamma and beta are drawn about their initial values; as trained ones, no two are equal. A shift is drawn about a
    // value that makes erf(alpha x + shift) no odd function: about its initial zero it could pass for absent.
    if (g->params & NORM_GAMMA)
        param[GAMMA] = graph_parameter(g, dtype, name, ".weight", 1, cols, 1.0, 0.1);
    if (g->params & NORM_BETA)
        param[BETA] = graph_parameter(g, dtype, name, ".bias", 1, cols, 0.0, 0.1);
    if (g->params & NORM_ALPHA)
        param[ALPHA] = graph_parameter(g, NORM_F32, name, ".alpha", 1, 1, (double)alpha, 0.0);
    if (g->params & NORM_SHIFT)
        param[SHIFT] = graph_parameter(g, dtype, name, ".shift", 1, 1, 0.25, 0.1);
    const tensor out = graph_tensor(g, dtype, rows, cols);
    node *const n = graph_node(g, &kind, name, x, out);
    n->in[SUM] = joined.stream;
    n->in[BRANCH] = joined.branch;
    for (int i = 0; i < PARAMETERS; i++)
        n->param[i] = param[i];
    for (int i = 0; i <= DSHIFT; i++)
        n->scratch[i] = graph_storage(g, 0, false);
    return out;
}

tensor graph_norm(graph *g, const char *name, tensor x, float alpha) {
    return note_norm(g, name, x, (residual){NO_TENSOR, NO_TENSOR}, alpha);
}

// ---- Residual adds

static void add_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_RESIDUAL, run_add, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->in[1]));
}

static void add_backward(compiler *c, const node *n) {
    const view both = gradient_of(c, n->out);
    gradient_alias(c, n, n->in[0], both);
    gradient_alias(c, n, n->in[1], both);
}

// An add whose sum is normed next, which does it in form add_fused.
static void joined_add_forward(compiler *c, const node *n) {
    if (c->arm->add == NULL)
        add_forward(c, n);
}

static tensor note_add(graph *g, const node_kind *kind, const char *name, tensor a, tensor b) {
    const tensor out = graph_tensor(g, g->config.dtype, g->tensors[a].rows, g->tensors[a].cols);
    graph_node(g, kind, name, a, out)->in[1] = b;
    return out;
}

tensor graph_add(graph *g, const char *name, tensor a, tensor b) {
    static const node_kind kind = {add_forward, add_backward};
    return note_add(g, &kind, name, a, b);
}

tensor graph_add_norm(graph *g, const char *name, residual *x, float alpha) {
    static const node_kind kind = {joined_add_forward, add_backward};
    char add[NAME_SIZE], norm[NAME_SIZE];
    name_with(add, name, ".add");
    name_with(norm, name, ".norm");
    if (x->branch == NO_TENSOR)
        return graph_norm(g, norm, x->stream, alpha);
    const residual parts = *x;
    *x = (residual){note_add(g, &kind, add, parts.stream, parts.branch), NO_TENSOR};
    return note_norm(g, norm, x->stream, parts, alpha);
}

// ---- Products

enum { FORWARD, DX, DW }; // products
enum { WEIGHT, BIAS };    // parameters

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

// The parameters of a linear layer; bias: NO_TENSOR for none.
typedef struct {
    tensor weight, bias;
} linear_parameters;

static linear_parameters note_parameters(graph *g, const char *name, size_t in, size_t out, bool bias) {
    const tensor weight = linear_weight(g, name, out, in, false);
    return (linear_parameters){weight, bias ? graph_parameter(g, g->config.dtype, name, ".bias", 1, out, 0.0, 0.02)
                                            : NO_TENSOR};
}

static node *note_linear(graph *g, const char *name, tensor x, linear_parameters p, tensor result) {
    node *const n = graph_node(g, &linear_kind, name, x, result);
    linear_note(g, n, x, p.weight, p.bias);
    return n;
}

tensor graph_linear(graph *g, const char *name, tensor x, size_t out, bool bias) {
    const linear_parameters p = note_parameters(g, name, g->tensors[x].cols, out, bias);
    const tensor result = graph_tensor(g, g->config.dtype, g->tensors[x].rows, out);
    note_linear(g, name, x, p, result);
    return result;
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

// ---- Attention

static bool run_rope(graph *g, const step *s) {
    const layer_config *const k = &g->config;
    pointwise_rope(threads_of(g), s->m[0], k->shape->head_dim, s->m[1].data, k->tokens, k->context,
                   s->shown.pass == NORM_BACKWARD);
    return true;
}

static view angles_of(const compiler *c) {
    return view_of_storage(c->g->angles, NORM_F32, c->g->angle_rows, c->g->config.shape->head_dim);
}

static void rope_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_ROPE, run_rope, tensor_value(c, n->out), angles_of(c));
}

// The gradient is turned back where it stands: it has no reader but the one that made x.
static void rope_backward(compiler *c, const node *n) {
    EMIT(c, n, ".grad", STEP_ROPE, run_rope, gradient_of(c, n->out), angles_of(c));
}

// x's place may hold the result of a norm. None that reads its result in backward may stand there: those are without
// gamma, which the norms of heads have.
tensor graph_rope(graph *g, const char *name, tensor x) {
    static const node_kind kind = {rope_forward, rope_backward};
    if (g->angles == NONE) {
        g->angle_rows = g->config.context + g->config.tokens;
        g->angles =
            graph_storage(g, size_product(size_product(g->angle_rows, g->config.shape->head_dim), sizeof(float)), true);
    }
    const tensor out = graph_reshape(g, x, g->tensors[x].cols);
    graph_node(g, &kind, name, x, out);
    return out;
}

static void cache_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_copy, tensor_value(c, n->out), tensor_value(c, n->in[0]));
}

// Decode only, which has no backward.
static void no_backward(compiler *c, const node *n) {
    (void)c;
    (void)n;
}

// The new token's keys or values, one row per sequence, into the last row of each sequence's cache, where they are seen
// as an output.
static tensor note_cache(graph *g, const char *stem, const char *which, tensor x) {
    static const node_kind kind = {cache_forward, no_backward};
    const size_t keys = g->config.context + 1, cols = g->tensors[x].cols;
    char full[NAME_SIZE * 3], added[NAME_SIZE * 3 + 8], name[NAME_SIZE];
    snprintf(full, sizeof full, "%s%s.cache.%s", g->scope, stem, which);
    snprintf(added, sizeof added, "%s.added", full);
    snprintf(name, sizeof name, "%s.cache.%s", stem, which);
    const tensor cache = graph_data(g, full, size_product(g->config.batch, keys), cols, 1.0);
    const tensor last = graph_view(g, cache, g->config.batch, cols, g->config.context * cols, keys * cols);
    graph_node(g, &kind, name, x, last);
    graph_output(g, added, last);
    return cache;
}

static bool run_attention(graph *g, const step *s) {
    return attention_forward(g->resources[s->node->resource].attention, s->m[1], s->m[2], s->m[3], s->m[0]);
}

static bool run_attention_backward(graph *g, const step *s) {
    const matrix *const m = s->m;
    return attention_backward(g->resources[s->node->resource].attention, m[0], m[1], m[2], m[3], m[4], m[5], m[6]);
}

// Of the two products: each of a query's keys takes head_dim multiplications and additions twice.
static double attention_flops(const attention_spec *a) {
    const double queries = (double)a->tokens, before = (double)a->context - queries;
    const double pairs = a->causal ? queries * before + queries * (queries + 1.0) / 2.0 : queries * (double)a->context;
    return 4.0 * (double)a->batch * (double)a->heads * (double)a->head_dim * pairs;
}

static void attention_compile(compiler *c, const node *n) {
    step *const s = EMIT(c, n, "", STEP_ATTENTION, run_attention, tensor_value(c, n->out), tensor_value(c, n->in[0]),
                         tensor_value(c, n->in[1]), tensor_value(c, n->in[2]));
    s->shown.flops = attention_flops(&c->g->resources[n->resource].attention_spec);
}

static void attention_compile_backward(compiler *c, const node *n) {
    const view dq = gradient_place(c, n->in[0]), dk = gradient_place(c, n->in[1]), dv = gradient_place(c, n->in[2]);
    step *const s = EMIT(c, n, ".grad", STEP_ATTENTION, run_attention_backward, tensor_value(c, n->in[0]),
                         tensor_value(c, n->in[1]), tensor_value(c, n->in[2]), gradient_of(c, n->out), dq, dk, dv);
    // Four products for the forward pass's two; a repetition of the first is the implementation's own affair.
    s->shown.flops = 2.0 * attention_flops(&c->g->resources[n->resource].attention_spec);
    gradient_arrived(c, n, n->in[0], dq);
    gradient_arrived(c, n, n->in[1], dk);
    gradient_arrived(c, n, n->in[2], dv);
}

tensor graph_attention(graph *g, const char *name, tensor q, tensor k, tensor v, bool causal) {
    static const node_kind kind = {attention_compile, attention_compile_backward};
    const layer_config *const config = &g->config;
    const model_shape *const m = config->shape;
    const bool decode = config->phase == PHASE_DECODE;
    if (decode) {
        k = note_cache(g, name, "k", k);
        v = note_cache(g, name, "v", v);
    }
    const tensor out = graph_tensor(g, config->dtype, g->tensors[q].rows, g->tensors[q].cols);
    const int r =
        graph_resource(g, (resource_note){.attention_spec = {.batch = config->batch,
                                                             .heads = m->heads,
                                                             .kv_heads = m->kv_heads,
                                                             .head_dim = m->head_dim,
                                                             .tokens = config->tokens,
                                                             .context = decode ? config->context + 1 : config->tokens,
                                                             .causal = causal,
                                                             .train = g->train,
                                                             .dtype = config->dtype}});
    node *const n = graph_node(g, &kind, name, q, out);
    n->in[1] = k;
    n->in[2] = v;
    n->resource = r;
    return out;
}

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

static tensor note_activation(graph *g, const char *name, activation which, tensor x, bool again) {
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
    return note_activation(g, name, which, x, false);
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

tensor graph_feed_forward(graph *g, tensor x, activation kind, size_t width) {
    static const char up[] = "ffn.up", gelu[] = "ffn.gelu", down[] = "ffn.down";
    const size_t rows = g->tensors[x].rows, cols = g->tensors[x].cols, each = tile_rows(g, rows, width);
    const linear_parameters wide = note_parameters(g, up, cols, width, true);
    const linear_parameters narrow = note_parameters(g, down, width, cols, true);
    const tensor hidden = graph_tensor(g, g->config.dtype, each, width);
    const tensor out = graph_tensor(g, g->config.dtype, rows, cols);
    for (size_t first = 0; first < rows; first += each) {
        // The last tile begins early, to be as long as the others and share their packed weights.
        const size_t begin = first + each <= rows ? first : rows - each;
        const tensor from = each < rows ? graph_view(g, x, each, cols, begin * cols, 0) : x;
        const tensor to = each < rows ? graph_view(g, out, each, cols, begin * cols, 0) : out;
        note_linear(g, up, from, wide, hidden)->again = first > 0;
        const tensor active = note_activation(g, gelu, kind, hidden, first > 0);
        note_linear(g, down, active, narrow, to)->again = first > 0;
    }
    return out;
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
    return note_add(g, &kind, name, x, gate);
}

// A weight per column is a gate that all rows share.
static void scale_forward(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_OTHER, run_gate, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->param[0]));
}

static void scale_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]), share = share_of(c, n, 0, n->param[0]);
    EMIT(c, n, ".grad", STEP_OTHER, run_gate_backward, dx, share, tensor_value(c, n->in[0]),
         tensor_value(c, n->param[0]), gradient_of(c, n->out));
    EMIT(c, n, ".accumulate", STEP_OTHER, run_accumulate, parameter_gradient(c, n->param[0]), share);
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_scale(graph *g, const char *name, tensor x, double initial) {
    static const node_kind kind = {scale_forward, scale_backward};
    const size_t rows = g->tensors[x].rows, cols = g->tensors[x].cols;
    const tensor weight = graph_parameter(g, g->config.dtype, name, ".weight", 1, cols, initial, initial / 10.0);
    const tensor out = graph_tensor(g, g->config.dtype, rows, cols);
    node *const n = graph_node(g, &kind, name, x, out);
    n->param[0] = weight;
    n->scratch[0] = graph_storage(g, 0, false);
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

static void conv_compile(compiler *c, const node *n) {
    EMIT(c, n, "", STEP_CONV, run_conv, tensor_value(c, n->out), tensor_value(c, n->in[0]),
         tensor_value(c, n->param[WEIGHT]), tensor_value(c, n->param[BIAS]));
}

static void conv_compile_backward(compiler *c, const node *n) {
    const view dx = gradient_place(c, n->in[0]);
    EMIT(c, n, ".grad", STEP_CONV, run_conv_backward, dx, tensor_value(c, n->in[0]), tensor_value(c, n->param[WEIGHT]),
         gradient_of(c, n->out), parameter_gradient(c, n->param[WEIGHT]), parameter_gradient(c, n->param[BIAS]));
    gradient_arrived(c, n, n->in[0], dx);
}

tensor graph_conv(graph *g, const char *name, tensor x, size_t side, size_t kernel) {
    static const node_kind kind = {conv_compile, conv_compile_backward};
    const size_t rows = g->tensors[x].rows, channels = g->tensors[x].cols;
    const norm_dtype dtype = g->config.dtype;
    const tensor weight = graph_parameter(g, dtype, name, ".weight", channels, kernel * kernel, 0.0, 0.02);
    const tensor bias = graph_parameter(g, dtype, name, ".bias", 1, channels, 0.0, 0.02);
    const tensor out = graph_tensor(g, dtype, rows, channels);
    const int r = graph_resource(g, (resource_note){.is_conv = true,
                                                    .conv_spec = {.batch = g->config.batch,
                                                                  .side = side,
                                                                  .channels = channels,
                                                                  .kernel = kernel,
                                                                  .dtype = dtype,
                                                                  .train = g->train}});
    node *const n = graph_node(g, &kind, name, x, out);
    n->param[WEIGHT] = weight;
    n->param[BIAS] = bias;
    n->resource = r;
    return out;
}
