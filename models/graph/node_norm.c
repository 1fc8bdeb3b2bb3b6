// SPDX-License-Identifier: MIT
// node_norm.c: the norm in the slot, and the residual adds, of which form add_fused takes one into the norm.
#include <stdio.h>
#include <string.h>

#include "fresh.h"
#include "math/draw.h"

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
    s->shown.normed = (double)x.rows * (double)x.cols;
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
    const view dgamma = gradient_share(c, n, DGAMMA, own(impl, n, GAMMA)),
               dbeta = gradient_share(c, n, DBETA, own(impl, n, BETA)),
               dalpha = gradient_share(c, n, DALPHA, own(impl, n, ALPHA)),
               dshift = gradient_share(c, n, DSHIFT, own(impl, n, SHIFT));
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

static void name_with(char name[NAME_SIZE], const char *stem, const char *tail) {
    snprintf(name, NAME_SIZE, "%s%s", stem, tail);
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
