// SPDX-License-Identifier: MIT
// A guarded, verified run of an implementation.
#include "trial.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stats.h"

void trial_print(const trial *t, char text[TRIAL_TEXT]) {
    snprintf(text, TRIAL_TEXT,
             "%s:%zux%zu:gap%zu:place%d:misalign%zu:threads%d:inplace%d:specials%d:forward%d:seed%" PRIu64,
             input_name(t->kind), t->rows, t->cols, t->gap, (int)t->place, t->misalign, t->threads, t->in_place,
             t->specials, t->forward_only, t->seed);
}

bool trial_parse(const char *text, trial *t) {
    char kind[32];
    int place, in_place, specials, forward_only;
    *t = (trial){0};
    if (sscanf(text, "%31[^:]:%zux%zu:gap%zu:place%d:misalign%zu:threads%d:inplace%d:specials%d:forward%d:seed%" SCNu64,
               kind, &t->rows, &t->cols, &t->gap, &place, &t->misalign, &t->threads, &in_place, &specials,
               &forward_only, &t->seed) != 11)
        return false;
    while (t->kind < INPUTS && strcmp(input_name(t->kind), kind) != 0)
        t->kind++;
    t->place = (guard_place)place;
    t->in_place = in_place;
    t->specials = specials;
    t->forward_only = forward_only;
    return t->kind < INPUTS && place >= 0 && place < GUARD_PLACES && t->rows && t->cols;
}

static bool fail(char why[TRIAL_TEXT], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, TRIAL_TEXT, format, arguments);
    va_end(arguments);
    return false;
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

static void *put_input(guard_buffer *g, const trial *t, norm_dtype dtype, input_kind kind, size_t rows, size_t stride,
                       uint64_t seed) {
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

static void copy_rows(norm_dtype dtype, void *to, const void *from, size_t rows, size_t cols, size_t stride) {
    const size_t size = norm_dtype_bytes(dtype);
    for (size_t row = 0; row < rows; row++)
        memcpy((char *)to + row * stride * size, (const char *)from + row * stride * size, cols * size);
}

static bool check_guards(const trial_buffers *b, const norm_impl *impl, norm_pass pass, const norm_args *args,
                         const trial *t, char why[TRIAL_TEXT]) {
    const bool backward = pass == NORM_BACKWARD;
    const struct {
        const char *name;
        const guard_buffer *buffer;
        bool present, is_input;
    } list[] = {
        {"x", &b->x, true, true},
        {"gamma", &b->gamma, impl->params & NORM_GAMMA, true},
        {"beta", &b->beta, impl->params & NORM_BETA, true},
        {"dy", &b->dy, backward, true},
        {"y", &b->y, !backward, false},
        {"dx", &b->dx, backward, false},
        {"dgamma", &b->dgamma, backward && impl->params & NORM_GAMMA, false},
        {"dbeta", &b->dbeta, backward && impl->params & NORM_BETA, false},
        {"dalpha", &b->dalpha, backward && impl->params & NORM_ALPHA, false},
        {"saved", &b->saved, args->saved, false},
        {"workspace", &b->workspace, args->workspace, false},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        ptrdiff_t at;
        if (!list[i].present)
            continue;
        if (list[i].is_input && !guard_unchanged(list[i].buffer, &at))
            return fail(why, "%s: input %s changed at byte %td", norm_pass_name(pass), list[i].name, at);
        if (!list[i].is_input && !guard_intact(list[i].buffer, &at))
            return fail(why, "%s: byte %td of %s was written, outside its rows of %zu elements", norm_pass_name(pass),
                        at, list[i].name, t->cols);
    }
    return true;
}

static bool run_pass(const norm_impl *impl, norm_pass pass, const trial *t, trial_buffers *b, const norm_args *call,
                     const norm_args *check, verify_result *result, char why[TRIAL_TEXT]) {
    const norm_error error = norm_run(impl, pass, call, t->threads);
    if (error)
        return fail(why, "%s: %s", norm_pass_name(pass), norm_error_text(error));
    if (!check_guards(b, impl, pass, check, t, why))
        return false;
    if (!verify_outputs(impl, pass, check, t->rows, 1, result))
        return fail(why, "out of memory");
    if (!result->ok)
        verify_explain(result, why, TRIAL_TEXT);
    return result->ok;
}

bool trial_run(const norm_impl *impl, const trial *t, trial_buffers *b, verify_result *result, char why[TRIAL_TEXT]) {
    const norm_dtype dtype = impl->dtype;
    const size_t spread = t->gap > 0; // strides differ from each other, so that one used for another shows
    norm_args args = {
        .rows = t->rows,
        .cols = t->cols,
        .x_stride = t->cols + t->gap,
        .y_stride = t->cols + t->gap + (t->in_place ? 0 : spread),
        .dy_stride = t->cols + t->gap + 2 * spread,
        .dx_stride = t->cols + t->gap + (t->in_place ? 2 : 3) * spread,
    };
    inputs_scalars(t->seed, &args.alpha, &args.eps);
    *result = (verify_result){.ok = true};
    void *x = put_input(&b->x, t, dtype, t->kind, t->rows, args.x_stride, t->seed);
    args.x = x;
    if (impl->params & NORM_GAMMA)
        args.gamma = put_input(&b->gamma, t, dtype, INPUT_NORMAL, 1, t->cols, t->seed + 1);
    if (impl->params & NORM_BETA)
        args.beta = put_input(&b->beta, t, dtype, INPUT_NORMAL, 1, t->cols, t->seed + 2);
    args.y = put_matrix(&b->y, t, dtype, t->rows, t->cols, args.y_stride);
    if (!x || !args.y || (impl->params & NORM_GAMMA && !args.gamma) || (impl->params & NORM_BETA && !args.beta) ||
        !put_scratch(&b->saved, t, t->forward_only ? 0 : norm_saved_bytes(impl, t->rows, t->cols), &args.saved) ||
        !put_scratch(&b->workspace, t, norm_workspace_bytes(impl, t->rows, t->cols, t->threads), &args.workspace))
        return fail(why, "out of memory");
    if (t->specials) {
        strew_specials(t, dtype, x, args.x_stride);
        guard_remember(&b->x);
    }
    norm_args call = args; // in place: the call sees its input where its output goes, the check the input as it was
    if (t->in_place) {
        copy_rows(dtype, args.y, x, t->rows, t->cols, args.x_stride);
        call.x = args.y;
    }
    if (!run_pass(impl, NORM_FORWARD, t, b, &call, &args, result, why))
        return false;
    if (t->forward_only)
        return true;

    args.dy = put_input(&b->dy, t, dtype, inputs_gradient(t->kind), t->rows, args.dy_stride, t->seed + 4);
    args.dx = put_matrix(&b->dx, t, dtype, t->rows, t->cols, args.dx_stride);
    args.dgamma = put_matrix(&b->dgamma, t, NORM_F32, 1, t->cols, t->cols);
    args.dbeta = put_matrix(&b->dbeta, t, NORM_F32, 1, t->cols, t->cols);
    args.dalpha = put_matrix(&b->dalpha, t, NORM_F32, 1, 1, 1);
    if (!args.dy || !args.dx || !args.dgamma || !args.dbeta || !args.dalpha)
        return fail(why, "out of memory");
    call = args;
    if (t->in_place) {
        copy_rows(dtype, args.dx, args.dy, t->rows, t->cols, args.dy_stride);
        call.dy = args.dx;
    }
    return run_pass(impl, NORM_BACKWARD, t, b, &call, &args, result, why);
}

void trial_close(trial_buffers *b) {
    guard_buffer *const all[] = {&b->x,      &b->y,     &b->dy,     &b->dx,    &b->gamma,    &b->beta,
                                 &b->dgamma, &b->dbeta, &b->dalpha, &b->saved, &b->workspace};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        guard_close(all[i]);
}
