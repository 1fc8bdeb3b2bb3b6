// SPDX-License-Identifier: MIT
// verify_suite.c: see verify_suite.h.
#include "verify_suite.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "buffers.h"
#include "machine/memory.h"
#include "plan/kernel_library.h"
#include "verify_cell.h"

norm_pass suite_pass_of(norm_output output) {
    return output == NORM_OUT_Y || output == NORM_OUT_SUM ? NORM_FORWARD : NORM_BACKWARD;
}

bool suite_writes(const norm_impl *impl, norm_output output) {
    if (impl->pass[suite_pass_of(output)].count == 0)
        return false;
    switch (output) {
    case NORM_OUT_SUM:
        return impl->form == NORM_ADD_FUSED;
    case NORM_OUT_DGAMMA:
        return impl->params & NORM_GAMMA;
    case NORM_OUT_DBETA:
        return impl->params & NORM_BETA;
    case NORM_OUT_DALPHA:
        return impl->params & NORM_ALPHA;
    case NORM_OUT_DSHIFT:
        return impl->params & NORM_SHIFT;
    default:
        return true;
    }
}

bool suite_take(verify_suite *v) {
    const norm_impl *impls[SELECT_MAX_IMPLS];
    const char *missing = NULL;
    size_t runnable = 0;
    v->count = selection_take(&v->selection, impls);
    if (v->count == 0)
        return cli_complain(v->command,
                            "no implementation is all that was asked for; `normbench list implementations` has them");
    v->items = calloc(v->count, sizeof *v->items);
    v->cells = malloc(v->count * sizeof *v->cells);
    if (v->items == NULL || v->cells == NULL)
        return cli_complain(v->command, "out of memory");
    for (size_t i = 0; i < v->count; i++) {
        v->items[i] = (suite_item){.impl = impls[i], .missing = norm_missing(impls[i])};
        runnable += v->items[i].missing == NULL;
        missing = missing != NULL ? missing : v->items[i].missing;
    }
    if (runnable == 0)
        cli_complain(v->command,
                     "this CPU or its system lacks %s, so none of these levels can run here; "
                     "`normbench list levels` says which can",
                     missing);
    return runnable > 0;
}

// Nothing that an earlier call left may pass for a result: all ones is a NaN in every dtype.
static void spoil(const norm_args *a, norm_dtype dtype, const buffers *b) {
    const size_t bytes = a->rows * a->cols * norm_dtype_bytes(dtype);
    memset(a->y, 0xff, bytes);
    memset(a->dx, 0xff, bytes);
    if (a->sum != NULL)
        memset(a->sum, 0xff, bytes);
    memset(a->dgamma, 0xff, a->cols * sizeof(float));
    memset(a->dbeta, 0xff, a->cols * sizeof(float));
    memset(a->dalpha, 0xff, sizeof(float));
    memset(a->dshift, 0xff, sizeof(float));
    if (b->scratch != NULL)
        memset(b->scratch, 0xff, b->scratch_bytes);
}

// The buffers own their inputs, and hand them out as const to those who only read them.
static void fill(const norm_args *a, norm_dtype dtype, input_kind kind, uint64_t seed) {
    inputs_fill(kind, dtype, (void *)(uintptr_t)a->x, a->cols, a->x_stride, 0, a->rows, seed);
    inputs_fill(inputs_gradient(kind), dtype, (void *)(uintptr_t)a->dy, a->cols, a->dy_stride, 0, a->rows, seed + 1);
    if (a->sum != NULL) {
        inputs_fill(inputs_branch(kind), dtype, (void *)(uintptr_t)a->branch, a->cols, a->branch_stride, 0, a->rows,
                    seed + 4);
        inputs_fill(inputs_gradient(kind), dtype, (void *)(uintptr_t)a->dsum, a->cols, a->dsum_stride, 0, a->rows,
                    seed + 5);
    }
}

static void merge(suite_item *item, const verify_result *result, shape s, input_kind kind) {
    for (norm_output output = 0; output < NORM_OUTPUTS; output++) {
        suite_finding *const f = &item->outputs[output];
        if (verify_merge(&f->worst, &result->worst[output])) {
            f->kind = kind;
            f->rows = s.rows;
            f->cols = s.cols;
        }
    }
}

static void complain(verify_suite *v, suite_item *item, shape s, size_t threads, input_kind kind, const char *why) {
    if (item->complained)
        return;
    item->complained = true;
    if (v->foreign)
        foreign_end(v, (size_t)(item - v->items));
    progress_line(&v->progress, "wrong: %s %s %s %s %s, %zux%zu, %zu threads, input %s, seed %" PRIu64 ": %s",
                  norm_op_name(item->impl->op), item->impl->variant, norm_form_name(item->impl->form),
                  norm_level_name(item->impl->level), norm_dtype_name(item->impl->dtype), s.rows, s.cols, threads,
                  input_name(kind), v->seed, why);
}

bool suite_is_due(const verify_suite *v, size_t item) {
    const suite_item *const i = &v->items[item];
    return i->missing == NULL && !i->ended && (kernel_library_of(i->impl) != NULL) == v->foreign;
}

void suite_condemn(verify_suite *v, size_t index, shape s, size_t threads, input_kind kind, const char *why) {
    suite_item *const item = &v->items[index];
    for (norm_output output = 0; output < NORM_OUTPUTS; output++)
        item->outputs[output] = (suite_finding){
            {.max_ulp = INFINITY, .max_error = INFINITY, .bound = norm_error_bound(item->impl, output, s.rows, s.cols)},
            kind,
            s.rows,
            s.cols};
    complain(v, item, s, threads, kind, why);
}

// An item of others at a new shape or team, before it sees buffers that it shares.
static void check_guarded(verify_suite *v, size_t index, shape s, size_t threads) {
    suite_item *const item = &v->items[index];
    const cell c = {.impl = item->impl,
                    .pass = item->impl->pass[NORM_BACKWARD].count > 0 ? NORM_BACKWARD : NORM_FORWARD,
                    .rows = s.rows,
                    .cols = s.cols,
                    .threads = threads};
    char why[256];
    verify_result result;
    foreign_begin(v, index, INPUT_ACTIVATIONS, s, threads);
    if (verify_guarded(&c, &result, why, sizeof why))
        return;
    if (!result.ok) {
        merge(item, &result, s, INPUT_ACTIVATIONS);
        complain(v, item, s, threads, INPUT_ACTIVATIONS, why);
        return;
    }
    suite_condemn(v, index, s, threads, INPUT_ACTIVATIONS, why);
    item->ended = true;
    foreign_end(v, index);
}

// One implementation on inputs that are in place. false, after a message, if it could not be checked.
static bool check_item(verify_suite *v, suite_item *item, const norm_args *a, size_t threads, input_kind kind) {
    const norm_impl *const impl = item->impl;
    verify_result result = {.ok = true};
    for (norm_pass pass = 0; pass < NORM_PASSES; pass++) {
        if (impl->pass[pass].count == 0)
            continue;
        // Backward lives on what forward saved, so forward runs in any case.
        const norm_args own = cell_pass_args(impl->form, pass, a);
        const norm_error error = norm_run(impl, pass, &own, (int)threads);
        if (error != NORM_OK) {
            progress_end(&v->progress);
            return cli_complain(v->command, "%s %s %s: %s", norm_op_name(impl->op), impl->variant, norm_pass_name(pass),
                                norm_error_text(error));
        }
        if (selection_has_pass(&v->selection, pass) &&
            !verify_outputs(impl, pass, &own, a->rows, (int)topology_cores(v->topology), &result)) {
            progress_end(&v->progress);
            return cli_complain(v->command, "out of memory");
        }
    }
    if (!result.ok) {
        char why[256];
        verify_explain(&result, why, sizeof why);
        complain(v, item, (shape){a->rows, a->cols}, threads, kind, why);
    }
    merge(item, &result, (shape){a->rows, a->cols}, kind);
    return true;
}

// Those that share buffers: the implementations of a dtype that this CPU runs, as backward cells, which have every
// tensor.
static size_t make_cells(const verify_suite *v, norm_dtype dtype, shape s, size_t threads, cell *cells) {
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++)
        if (suite_is_due(v, i) && v->items[i].impl->dtype == dtype)
            cells[count++] = (cell){.impl = v->items[i].impl,
                                    .pass = NORM_BACKWARD,
                                    .rows = s.rows,
                                    .cols = s.cols,
                                    .threads = threads,
                                    .place = PLACEMENT_NONE,
                                    .cache = CACHE_WARM};
    return count;
}

// false, after a message, if something could not be checked.
static bool check_shape(verify_suite *v, norm_dtype dtype, shape s, size_t threads) {
    const size_t count = make_cells(v, dtype, s, threads, v->cells);
    buffers b;
    bool ok = true;
    if (count == 0)
        return true;
    if (!buffers_make(&b, v->cells, count, 0, v->seed)) {
        progress_end(&v->progress);
        return cli_complain(v->command, "out of memory for %zux%zu", s.rows, s.cols);
    }
    norm_args args = b.sets[0];
    for (size_t i = 0; v->foreign && i < v->count; i++)
        if (suite_is_due(v, i) && v->items[i].impl->dtype == dtype)
            check_guarded(v, i, s, threads);
    for (input_kind kind = 0; ok && kind < INPUTS; kind++) {
        fill(&args, dtype, kind, v->seed);
        inputs_scalars(kind, v->seed + kind, &args);
        for (size_t i = 0; ok && i < v->count; i++) {
            if (!suite_is_due(v, i) || v->items[i].impl->dtype != dtype)
                continue;
            v->elements += (double)s.rows * (double)s.cols;
            if (!inputs_suit(kind, v->items[i].impl))
                continue;
            if (v->foreign)
                foreign_begin(v, i, kind, s, threads);
            const norm_args *const own = buffers_before_backward(&b, v->items[i].impl);
            args.saved = own->saved;
            args.gamma = own->gamma;
            args.beta = own->beta;
            spoil(&args, dtype, &b);
            ok = check_item(v, &v->items[i], &args, threads, kind);
            char what[96];
            snprintf(what, sizeof what, "%s %s %s %zux%zu", norm_op_name(v->items[i].impl->op),
                     v->items[i].impl->variant, norm_level_name(v->items[i].impl->level), s.rows, s.cols);
            progress_update(&v->progress, v->elements, what);
        }
    }
    buffers_free(&b);
    return ok;
}

bool suite_fits(const verify_suite *v) {
    char text[128];
    for (size_t i = 0; i < v->selection.shape_count; i++)
        for (size_t j = 0; j < v->selection.thread_count; j++)
            for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++) {
                const shape s = v->selection.shapes[i];
                const size_t count = make_cells(v, dtype, s, v->selection.threads[j], v->cells);
                // The reference works in eight vectors of doubles per thread at most.
                size_t bytes = count > 0 ? buffers_bytes(v->cells, count, 0) : 0, reference;
                if (__builtin_mul_overflow(s.cols, 8 * sizeof(double) * topology_cores(v->topology), &reference) ||
                    __builtin_add_overflow(bytes, reference, &bytes))
                    bytes = SIZE_MAX;
                if (!memory_fits(bytes, text, sizeof text))
                    return cli_complain(v->command, "--shape: %zux%zu %s; take a smaller one", s.rows, s.cols, text);
            }
    return true;
}

static bool check_shapes(verify_suite *v) {
    bool ok = true;
    for (size_t i = 0; ok && i < v->selection.shape_count; i++)
        for (size_t j = 0; ok && j < v->selection.thread_count; j++)
            for (norm_dtype dtype = 0; ok && dtype < NORM_DTYPES; dtype++)
                ok = check_shape(v, dtype, v->selection.shapes[i], v->selection.threads[j]);
    return ok;
}

bool suite_run(verify_suite *v) {
    double elements = 0;
    size_t runnable = 0;
    for (size_t i = 0; i < v->count; i++)
        runnable += v->items[i].missing == NULL;
    for (size_t i = 0; i < v->selection.shape_count; i++)
        elements += (double)v->selection.shapes[i].rows * (double)v->selection.shapes[i].cols;
    elements *= (double)(INPUTS * runnable * v->selection.thread_count);
    progress_start(&v->progress, progress_stderr(), "verify", elements);
    const bool ok = foreign_run(v, check_shapes) && check_shapes(v);
    progress_end(&v->progress);
    return ok;
}

void suite_free(verify_suite *v) {
    free(v->items);
    free(v->cells);
}
