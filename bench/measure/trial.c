// SPDX-License-Identifier: MIT
// A guarded, verified run of an implementation.
#include "trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "base/refuse.h"
#include "base/stats.h"
#include "plan/cell.h"

trial_subject trial_subject_of(const norm_impl *impl) {
    return (trial_subject){impl->op, impl->params, impl->dtype, impl->form == NORM_ADD_FUSED};
}

int trial_subject_compare(trial_subject a, trial_subject b) {
    return ORDER_BY((int)a.op - (int)b.op, (int)a.dtype - (int)b.dtype, (int)a.params - (int)b.params, a.adds - b.adds);
}

// A matrix of the implementation's dtype, all canaries, or NULL.
static void *put_matrix(guard_buffer *g, const trial *t, norm_dtype dtype, size_t rows, size_t cols, size_t stride) {
    const size_t size = norm_dtype_bytes(dtype);
    return guard_put(g, t->place, t->misalign - t->misalign % size, rows, cols * size, stride * size);
}

// Scratch is handed out at any alignment that a double has.
static bool put_scratch(guard_buffer *g, const trial *t, size_t bytes, void **data) {
    *data = bytes ? guard_put(g, t->place, t->misalign & ~(size_t)7, 1, bytes, bytes) : NULL;
    return *data || !bytes;
}

static void *put_input(guard_buffer *g, const trial *t, bool held, norm_dtype dtype, input_kind kind, size_t rows,
                       size_t stride, uint64_t seed) {
    if (held)
        return g->data;
    void *const data = put_matrix(g, t, dtype, rows, t->cols, stride);
    if (data) {
        inputs_fill(kind, dtype, data, t->cols, stride, 0, rows, seed);
        guard_remember(g);
    }
    return data;
}

// Rows in turn: clean, one NaN, one +inf, one -inf, all three.
static void strew_specials(const trial *t, norm_dtype dtype, void *x, size_t stride) {
    static const double values[] = {NAN, INFINITY, -INFINITY};
    stats_rng rng;
    stats_rng_seed(&rng, t->seed, 3);
    for (size_t row = 0; row < t->rows; row++)
        for (size_t k = 0; k < 3; k++)
            if (row % 5 == 4 || row % 5 == k + 1)
                dtype_set(dtype, x, row * stride + stats_rng_below(&rng, t->cols), values[k]);
}

// In place, an output has the stride of the input under it.
static void share_strides(const trial *t, bool adds, norm_args *args) {
    const bool swapped = adds && t->overlap == TRIAL_SWAPPED;
    if (t->overlap == TRIAL_APART)
        return;
    args->y_stride = adds && !swapped ? args->branch_stride : args->x_stride;
    args->sum_stride = swapped ? args->branch_stride : args->x_stride;
    args->dx_stride = swapped ? args->dsum_stride : args->dy_stride;
}

// In place, the call sees its input where its output goes, the check the input as it was.
static const void *moved(const trial *t, norm_dtype dtype, const void *input, void *output, size_t stride) {
    const size_t size = norm_dtype_bytes(dtype);
    for (size_t row = 0; row < t->rows; row++)
        memcpy((char *)output + row * stride * size, (const char *)input + row * stride * size, t->cols * size);
    return output;
}

static norm_args forward_call(const trial *t, norm_dtype dtype, bool adds, const norm_args *args) {
    norm_args call = *args;
    if (t->overlap == TRIAL_APART)
        return call;
    const bool x_under_sum = adds && t->overlap == TRIAL_IN_PLACE;
    call.x = moved(t, dtype, args->x, x_under_sum ? args->sum : args->y, args->x_stride);
    if (adds)
        call.branch = moved(t, dtype, args->branch, x_under_sum ? args->y : args->sum, args->branch_stride);
    return call;
}

static norm_args backward_call(const trial *t, norm_dtype dtype, bool adds, const norm_args *args) {
    norm_args call = *args;
    if (adds && t->overlap == TRIAL_SWAPPED)
        call.dsum = moved(t, dtype, args->dsum, args->dx, args->dsum_stride);
    else if (t->overlap != TRIAL_APART)
        call.dy = moved(t, dtype, args->dy, args->dx, args->dy_stride);
    return call;
}

static bool check_guards(const trial_buffers *b, const norm_impl *impl, norm_pass pass, const norm_args *args,
                         const trial *t, char why[TRIAL_TEXT]) {
    const bool backward = pass == NORM_BACKWARD, adds = impl->form == NORM_ADD_FUSED;
    const struct {
        const char *name;
        const guard_buffer *buffer;
        bool present, is_input;
    } list[] = {
        {"x", &b->x, true, true},
        {"branch", &b->branch, adds, true},
        {"sum", &b->sum, adds, backward},
        {"dsum", &b->dsum, adds && backward, true},
        {"gamma", &b->gamma, impl->params & NORM_GAMMA, true},
        {"beta", &b->beta, impl->params & NORM_BETA, true},
        {"dy", &b->dy, backward, true},
        {"y", &b->y, !backward || impl->reads_y, backward},
        {"dx", &b->dx, backward, false},
        {"dgamma", &b->dgamma, backward && impl->params & NORM_GAMMA, false},
        {"dbeta", &b->dbeta, backward && impl->params & NORM_BETA, false},
        {"dalpha", &b->dalpha, backward && impl->params & NORM_ALPHA, false},
        {"dshift", &b->dshift, backward && impl->params & NORM_SHIFT, false},
        {"saved", &b->saved, args->saved, false},
        {"workspace", &b->workspace, args->workspace, false},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        ptrdiff_t at;
        if (!list[i].present)
            continue;
        if (list[i].is_input && !guard_unchanged(list[i].buffer, &at))
            return refuse(why, TRIAL_TEXT, "%s: input %s changed at byte %td", norm_pass_name(pass), list[i].name, at);
        if (!list[i].is_input && !guard_intact(list[i].buffer, &at))
            return refuse(why, TRIAL_TEXT, "%s: byte %td of %s was written, outside its rows of %zu elements",
                          norm_pass_name(pass), at, list[i].name, t->cols);
    }
    return true;
}

// In add_fused results are held against the reference of the sum that was computed: whether it is the held one, which
// the first to come is.
static bool has_held_sum(const norm_impl *impl, const norm_args *args, trial_buffers *b, bool first) {
    const size_t size = norm_dtype_bytes(impl->dtype), row_bytes = args->cols * size;
    bool same = true;
    for (size_t row = 0; row < args->rows; row++) {
        const char *const sum = (const char *)args->sum + row * args->sum_stride * size;
        if (first)
            memcpy(b->held_sum + row * row_bytes, sum, row_bytes);
        same = same && memcmp(b->held_sum + row * row_bytes, sum, row_bytes) == 0;
    }
    return same;
}

// false: memory ran out.
static bool verify_pass(const norm_impl *impl, norm_pass pass, const norm_args *args, trial_buffers *b,
                        verify_result *result) {
    const bool first = !b->holds[pass] && pass == NORM_FORWARD;
    if (impl->form == NORM_ADD_FUSED && !has_held_sum(impl, args, b, first))
        return verify_outputs(impl, pass, args, args->rows, 1, result);
    verify_against(impl, pass, args, b->reference[pass], result);
    return true;
}

static bool run_pass(const norm_impl *impl, norm_pass pass, const trial *t, trial_buffers *b, const norm_args *call,
                     const norm_args *check, verify_result *result, char why[TRIAL_TEXT]) {
    const norm_error error = norm_run(impl, pass, call, t->threads);
    if (error)
        return refuse(why, TRIAL_TEXT, "%s: %s", norm_pass_name(pass), norm_error_text(error));
    if (!check_guards(b, impl, pass, check, t, why))
        return false;
    if (!verify_pass(impl, pass, check, b, result))
        return refuse(why, TRIAL_TEXT, "out of memory");
    b->holds[pass] = true;
    if (!result->ok)
        verify_explain(result, why, TRIAL_TEXT);
    return result->ok;
}

// Gaps of different widths, so that a stride used for another shows.
static norm_args shaped(const norm_impl *impl, const trial *t) {
    const size_t first = t->cols + t->gap, step = t->gap > 0;
    norm_args args = {
        .rows = t->rows,
        .cols = t->cols,
        .x_stride = first,
        .y_stride = first + step,
        .dy_stride = first + 2 * step,
        .dx_stride = first + 3 * step,
        .branch_stride = first + 4 * step,
        .sum_stride = first + 5 * step,
        .dsum_stride = first + 6 * step,
    };
    share_strides(t, impl->form == NORM_ADD_FUSED, &args);
    inputs_scalars(t->kind, t->seed, &args);
    return args;
}

// What forward reads and writes. false if memory ran out.
static bool put_forward(const norm_impl *impl, const trial *t, trial_buffers *b, norm_args *args) {
    const norm_dtype dtype = impl->dtype, affine = norm_affine_dtype(impl);
    const bool has_gamma = impl->params & NORM_GAMMA, has_beta = impl->params & NORM_BETA;
    const bool held = b->holds[NORM_FORWARD];
    void *const x = put_input(&b->x, t, held, dtype, t->kind, t->rows, args->x_stride, t->seed);
    args->x = x;
    if (has_gamma)
        args->gamma = put_input(&b->gamma, t, held, affine, INPUT_NORMAL, 1, t->cols, t->seed + 1);
    if (has_beta)
        args->beta = put_input(&b->beta, t, held, affine, INPUT_NORMAL, 1, t->cols, t->seed + 2);
    args->y = put_matrix(&b->y, t, dtype, t->rows, t->cols, args->y_stride);
    if (!x || !args->y || (has_gamma && !args->gamma) || (has_beta && !args->beta) ||
        !put_scratch(&b->saved, t, t->forward_only ? 0 : norm_saved_bytes(impl, t->rows, t->cols), &args->saved) ||
        !put_scratch(&b->workspace, t, norm_workspace_bytes(impl, t->rows, t->cols, t->threads), &args->workspace))
        return false;
    // What it reads before it has written it.
    if (impl->form == NORM_FRAMEWORK && args->saved)
        memset(args->saved, 0, norm_saved_bytes(impl, t->rows, t->cols));
    if (t->specials && !held) {
        strew_specials(t, dtype, x, args->x_stride);
        guard_remember(&b->x);
    }
    if (impl->form != NORM_ADD_FUSED)
        return true;
    args->branch =
        put_input(&b->branch, t, held, dtype, inputs_branch(t->kind), t->rows, args->branch_stride, t->seed + 5);
    args->sum = put_matrix(&b->sum, t, dtype, t->rows, t->cols, args->sum_stride);
    return args->branch && args->sum;
}

// The same for backward, of what forward left.
static bool put_backward(const norm_impl *impl, const trial *t, trial_buffers *b, norm_args *args) {
    const norm_dtype dtype = impl->dtype;
    const input_kind gradient = inputs_gradient(t->kind);
    const bool held = b->holds[NORM_BACKWARD];
    *args = cell_pass_args(impl->form, NORM_BACKWARD, args);
    args->dy = put_input(&b->dy, t, held, dtype, gradient, t->rows, args->dy_stride, t->seed + 4);
    args->dx = put_matrix(&b->dx, t, dtype, t->rows, t->cols, args->dx_stride);
    args->dgamma = put_matrix(&b->dgamma, t, NORM_F32, 1, t->cols, t->cols);
    args->dbeta = put_matrix(&b->dbeta, t, NORM_F32, 1, t->cols, t->cols);
    args->dalpha = put_matrix(&b->dalpha, t, NORM_F32, 1, 1, 1);
    args->dshift = put_matrix(&b->dshift, t, NORM_F32, 1, 1, 1);
    if (impl->reads_y)
        guard_remember(&b->y);
    if (impl->form == NORM_ADD_FUSED) {
        guard_remember(&b->sum);
        args->dsum = put_input(&b->dsum, t, held, dtype, gradient, t->rows, args->dsum_stride, t->seed + 6);
    }
    return args->dy && args->dx && args->dgamma && args->dbeta && args->dalpha && args->dshift &&
           (args->dsum || impl->form != NORM_ADD_FUSED);
}

static void forget(trial_buffers *b) {
    for (norm_pass pass = 0; pass < NORM_PASSES; pass++) {
        free(b->reference[pass]);
        b->reference[pass] = NULL;
        b->holds[pass] = false;
    }
    free(b->held_sum);
    b->held_sum = NULL;
}

// false: memory ran out.
static bool hold(const norm_impl *impl, const trial *t, trial_buffers *b) {
    const trial *const held = &b->held;
    const trial_subject subject = trial_subject_of(impl);
    if (b->holds[NORM_FORWARD] && trial_subject_compare(b->subject, subject) == 0 && held->kind == t->kind &&
        held->rows == t->rows && held->cols == t->cols && held->gap == t->gap && held->place == t->place &&
        held->misalign == t->misalign && held->overlap == t->overlap && held->specials == t->specials &&
        held->seed == t->seed)
        return true;
    forget(b);
    b->held = *t;
    b->subject = subject;
    b->held_sum = malloc(t->rows * t->cols * norm_dtype_bytes(impl->dtype));
    for (norm_pass pass = 0; pass < NORM_PASSES; pass++)
        b->reference[pass] = calloc(1, verify_reference_bytes(t->rows, t->cols));
    return b->held_sum != NULL && b->reference[NORM_FORWARD] != NULL && b->reference[NORM_BACKWARD] != NULL;
}

static bool run_both(const norm_impl *impl, const trial *t, trial_buffers *b, norm_args *args, verify_result *result,
                     char why[TRIAL_TEXT]) {
    const bool adds = impl->form == NORM_ADD_FUSED;
    if (!hold(impl, t, b) || !put_forward(impl, t, b, args))
        return refuse(why, TRIAL_TEXT, "out of memory");
    norm_args call = forward_call(t, impl->dtype, adds, args);
    if (!run_pass(impl, NORM_FORWARD, t, b, &call, args, result, why))
        return false;
    if (t->forward_only || t->ends_forward || impl->pass[NORM_BACKWARD].count == 0)
        return true;
    if (!put_backward(impl, t, b, args))
        return refuse(why, TRIAL_TEXT, "out of memory");
    call = backward_call(t, impl->dtype, adds, args);
    return run_pass(impl, NORM_BACKWARD, t, b, &call, args, result, why);
}

bool trial_run(const norm_impl *impl, const trial *t, trial_buffers *b, verify_result *result, char why[TRIAL_TEXT]) {
    norm_args args = shaped(impl, t);
    *result = (verify_result){.ok = true};
    const bool ok = run_both(impl, t, b, &args, result, why);
    norm_release(impl, args.saved);
    if (!ok) // it may have written what it should not have
        forget(b);
    return ok;
}

void trial_close(trial_buffers *b) {
    forget(b);
    guard_buffer *const all[] = {&b->x,     &b->y,      &b->dy,     &b->dx,    &b->branch,
                                 &b->sum,   &b->dsum,   &b->gamma,  &b->beta,  &b->dgamma,
                                 &b->dbeta, &b->dalpha, &b->dshift, &b->saved, &b->workspace};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        guard_close(all[i]);
}
