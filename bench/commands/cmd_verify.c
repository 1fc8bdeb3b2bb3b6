// SPDX-License-Identifier: MIT
// `normbench verify`: every selected implementation against the double reference, over shapes and input distributions.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/files.h"
#include "base/parse.h"
#include "base/progress.h"
#include "commands.h"
#include "machine/memory.h"
#include "measure/buffers.h"
#include "measure/inputs.h"
#include "measure/verify.h"
#include "plan/cli.h"

// The worst that was seen of one output, and in which case.
typedef struct {
    verify_worst worst;
    input_kind kind;
    size_t rows, cols;
} finding;

typedef struct {
    const norm_impl *impl;
    const char *missing; // the feature that this CPU lacks; NULL: it was checked
    bool complained;
    finding outputs[NORM_OUTPUTS];
} checked;

typedef struct {
    const cli_command *command;
    selection selection;
    uint64_t seed;
    topology *topology;
    checked *items;
    size_t count;
    progress progress;
    double elements; // checked so far
} verification;

// Tails of every vector width, a single element, a single row, more rows than threads, the hidden sizes of small
// models, a wide row, many rows.
static const shape default_shapes[] = {{1, 1},    {3, 37},   {7, 129},  {2, 1000}, {32, 768},
                                       {3, 1025}, {3, 4096}, {1, 8192}, {2049, 3}};
enum { DEFAULT_SHAPES = sizeof default_shapes / sizeof *default_shapes };

static norm_pass pass_of(norm_output output) {
    return output == NORM_OUT_Y || output == NORM_OUT_SUM ? NORM_FORWARD : NORM_BACKWARD;
}

static bool writes(const norm_impl *impl, norm_output output) {
    if (impl->pass[pass_of(output)].count == 0)
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

static bool is_ok(const verify_worst *w) { return w->max_error <= w->bound; }

// ---- Checking

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
    inputs_fill(INPUT_NORMAL, dtype, (void *)(uintptr_t)a->gamma, a->cols, a->cols, 0, 1, seed + 2);
    inputs_fill(INPUT_NORMAL, dtype, (void *)(uintptr_t)a->beta, a->cols, a->cols, 0, 1, seed + 3);
}

static void complain(verification *v, checked *item, const norm_args *a, size_t threads, input_kind kind,
                     const char *why) {
    if (item->complained)
        return;
    item->complained = true;
    progress_line(&v->progress, "wrong: %s %s %s %s %s, %zux%zu, %zu threads, input %s, seed %" PRIu64 ": %s",
                  norm_op_name(item->impl->op), item->impl->variant, norm_form_name(item->impl->form),
                  norm_level_name(item->impl->level), norm_dtype_name(item->impl->dtype), a->rows, a->cols, threads,
                  input_name(kind), v->seed, why);
}

// One implementation on inputs that are in place. false, after a message, if it could not be checked.
static bool check_item(verification *v, checked *item, const norm_args *a, size_t threads, input_kind kind) {
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
            cli_complain(v->command, "%s %s %s: %s", norm_op_name(impl->op), impl->variant, norm_pass_name(pass),
                         norm_error_text(error));
            return false;
        }
        if (selection_has_pass(&v->selection, pass) &&
            !verify_outputs(impl, pass, &own, a->rows, (int)topology_cores(v->topology), &result)) {
            progress_end(&v->progress);
            cli_complain(v->command, "out of memory");
            return false;
        }
    }
    if (!result.ok) {
        char why[256];
        verify_explain(&result, why, sizeof why);
        complain(v, item, a, threads, kind, why);
    }
    for (norm_output output = 0; output < NORM_OUTPUTS; output++) {
        finding *const f = &item->outputs[output];
        if (verify_merge(&f->worst, &result.worst[output])) {
            f->kind = kind;
            f->rows = a->rows;
            f->cols = a->cols;
        }
    }
    return true;
}

// Those that share buffers: the implementations of a dtype that this CPU runs, as backward cells, which have every
// tensor.
static size_t make_cells(const verification *v, norm_dtype dtype, shape s, size_t threads, cell *cells) {
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++)
        if (v->items[i].missing == NULL && v->items[i].impl->dtype == dtype)
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
static bool check_shape(verification *v, norm_dtype dtype, shape s, size_t threads, cell *cells) {
    const size_t count = make_cells(v, dtype, s, threads, cells);
    buffers b;
    bool ok = true;
    if (count == 0)
        return true;
    if (!buffers_make(&b, cells, count, 0, v->seed)) {
        progress_end(&v->progress);
        cli_complain(v->command, "out of memory for %zux%zu", s.rows, s.cols);
        return false;
    }
    norm_args args = b.sets[0];
    for (input_kind kind = 0; ok && kind < INPUTS; kind++) {
        fill(&args, dtype, kind, v->seed);
        inputs_scalars(kind, v->seed + kind, &args);
        for (size_t i = 0; ok && i < v->count; i++) {
            if (v->items[i].missing != NULL || v->items[i].impl->dtype != dtype)
                continue;
            v->elements += (double)s.rows * (double)s.cols;
            if (!inputs_suit(kind, v->items[i].impl))
                continue;
            args.saved = buffers_before_backward(&b, v->items[i].impl)->saved;
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

// Says so if a shape needs more memory than there is, before any is taken.
static bool shapes_fit(const verification *v, cell *cells) {
    char text[128];
    for (size_t i = 0; i < v->selection.shape_count; i++)
        for (size_t j = 0; j < v->selection.thread_count; j++)
            for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++) {
                const shape s = v->selection.shapes[i];
                const size_t count = make_cells(v, dtype, s, v->selection.threads[j], cells);
                // The reference works in eight vectors of doubles per thread at most.
                size_t bytes = count > 0 ? buffers_bytes(cells, count, 0) : 0, reference;
                if (__builtin_mul_overflow(s.cols, 8 * sizeof(double) * topology_cores(v->topology), &reference) ||
                    __builtin_add_overflow(bytes, reference, &bytes))
                    bytes = SIZE_MAX;
                if (!memory_fits(bytes, text, sizeof text)) {
                    cli_complain(v->command, "--shape: %zux%zu %s; take a smaller one", s.rows, s.cols, text);
                    return false;
                }
            }
    return true;
}

static bool check_all(verification *v, cell *cells) {
    double elements = 0;
    size_t runnable = 0;
    for (size_t i = 0; i < v->count; i++)
        runnable += v->items[i].missing == NULL;
    for (size_t i = 0; i < v->selection.shape_count; i++)
        elements += (double)v->selection.shapes[i].rows * (double)v->selection.shapes[i].cols;
    elements *= (double)(INPUTS * runnable * v->selection.thread_count);
    progress_start(&v->progress, progress_stderr(), "verify", elements);
    bool ok = true;
    for (size_t i = 0; ok && i < v->selection.shape_count; i++)
        for (size_t j = 0; ok && j < v->selection.thread_count; j++)
            for (norm_dtype dtype = 0; ok && dtype < NORM_DTYPES; dtype++)
                ok = check_shape(v, dtype, v->selection.shapes[i], v->selection.threads[j], cells);
    progress_end(&v->progress);
    return ok;
}

// ---- Reporting

static void print_table(const verification *v) {
    printf("%-10s %-16s %-8s %-9s %-11s %-5s %-6s %9s %9s %9s %9s %-7s %s\n", "op", "variant", "pass", "form", "level",
           "dtype", "output", "cases", "max_ulp", "max_error", "bound", "status", "worst");
    for (size_t i = 0; i < v->count; i++) {
        const checked *const item = &v->items[i];
        for (norm_output output = 0; output < NORM_OUTPUTS; output++) {
            const finding *const f = &item->outputs[output];
            if (!writes(item->impl, output) || !selection_has_pass(&v->selection, pass_of(output)))
                continue;
            printf("%-10s %-16s %-8s %-9s %-11s %-5s %-6s ", norm_op_name(item->impl->op), item->impl->variant,
                   norm_pass_name(pass_of(output)), norm_form_name(item->impl->form),
                   norm_level_name(item->impl->level), norm_dtype_name(item->impl->dtype), norm_output_name(output));
            if (item->missing != NULL)
                printf("%9s %9s %9s %9s %-7s this CPU lacks %s\n", "-", "-", "-", "-", "skipped", item->missing);
            else
                printf("%9zu %9.3g %9.3g %9.3g %-7s %s %zux%zu\n", f->worst.cases, f->worst.max_ulp, f->worst.max_error,
                       f->worst.bound, is_ok(&f->worst) ? "ok" : "wrong", input_name(f->kind), f->rows, f->cols);
        }
    }
}

// 0 or errno.
static int write_header(csv_writer *w) {
    static const char *const columns[] = {"op",      "variant",   "pass", "form", "level", "dtype",  "output", "cases",
                                          "max_ulp", "max_error", "rows", "cols", "seed",  "status", "bound"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        csv_text(w, columns[i]);
    return csv_end(w);
}

static int write_rows(csv_writer *w, const verification *v) {
    int error = 0;
    for (size_t i = 0; i < v->count && error == 0; i++) {
        const checked *const item = &v->items[i];
        for (norm_output output = 0; output < NORM_OUTPUTS && error == 0; output++) {
            const finding *const f = &item->outputs[output];
            if (!writes(item->impl, output) || !selection_has_pass(&v->selection, pass_of(output)))
                continue;
            csv_text(w, norm_op_name(item->impl->op));
            csv_text(w, item->impl->variant);
            csv_text(w, norm_pass_name(pass_of(output)));
            csv_text(w, norm_form_name(item->impl->form));
            csv_text(w, norm_level_name(item->impl->level));
            csv_text(w, norm_dtype_name(item->impl->dtype));
            csv_text(w, norm_output_name(output));
            if (item->missing != NULL) {
                for (size_t column = 0; column < 6; column++)
                    csv_empty(w);
                csv_text(w, "skipped");
                csv_empty(w);
            } else {
                csv_size(w, f->worst.cases);
                csv_real(w, f->worst.max_ulp, 6);
                csv_real(w, f->worst.max_error, 6);
                csv_size(w, f->rows);
                csv_size(w, f->cols);
                csv_size(w, v->seed);
                csv_text(w, is_ok(&f->worst) ? "ok" : "wrong");
                csv_real(w, f->worst.bound, 6);
            }
            error = csv_end(w);
        }
    }
    return error;
}

static int write_csv(const void *what, const char *path) {
    csv_writer w;
    int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    error = write_header(&w);
    if (error == 0)
        error = write_rows(&w, what);
    const int closing = csv_close(&w);
    return error != 0 ? error : closing;
}

// ---- The command

// Fills v->items from the selection. false, after a message, if that holds nothing that this CPU could check.
static bool take_items(verification *v) {
    const norm_impl *impls[SELECT_MAX_IMPLS];
    const char *missing = NULL;
    size_t runnable = 0;
    v->count = selection_take(&v->selection, impls);
    if (v->count == 0) {
        cli_complain(v->command,
                     "no implementation is all that was asked for; `normbench list implementations` has them");
        return false;
    }
    v->items = calloc(v->count, sizeof *v->items);
    if (v->items == NULL) {
        cli_complain(v->command, "out of memory");
        return false;
    }
    for (size_t i = 0; i < v->count; i++) {
        v->items[i] = (checked){.impl = impls[i], .missing = norm_missing(impls[i])};
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

int cmd_verify(int argc, char **argv) {
    enum { CSV, SEED, OPTIONS };
    static const cli_option options[OPTIONS] = {
        [CSV] = {"csv", "FILE", "write verify.csv to FILE as well; `-` writes it to stdout, in place of the table"},
        [SEED] = {"seed", "N", "of the inputs; 1 unless given"},
    };
    static const cli_command command = {
        .name = "verify",
        .about =
            "Runs implementations on inputs of every kind (normbench list inputs) and prints, for each of their\n"
            "outputs, the largest error against a double-precision reference: in units in the last place, and as it\n"
            "is judged, scaled by the magnitudes that were summed. Ends with 3 if any is beyond its bound. Checks\n"
            "everything at eight shapes, by one thread and by one per core, unless told otherwise.\n"
            "--placement and --cache change no result; they are taken so that a selection of `normbench kernels` can\n"
            "be given here as it is.",
        .options = options,
        .option_count = OPTIONS,
        .selectors = CLI_KERNEL_SELECTORS,
    };
    verification v = {.command = &command, .seed = 1};
    char error[SELECT_ERROR_SIZE], default_threads[] = "1,cores", *value = NULL;
    const char *csv_path = NULL;
    cell *cells = NULL;
    int result = EXIT_USAGE, option;
    cli_args args = {.command = &command, .argc = argc, .argv = argv, .at = 1};
    v.topology = topology_open(NULL, error);
    if (v.topology == NULL) {
        cli_complain(&command, "%s", error);
        return EXIT_FAILED;
    }
    while ((option = cli_next(&args, &value)) >= 0) {
        if (option == CSV)
            csv_path = value;
        else if (option == SEED && !parse_u64(value, &v.seed)) {
            cli_complain(&command, "--seed: \"%.40s\" is no whole number from 0 to %" PRIu64, value, UINT64_MAX);
            goto done;
        } else if (option >= OPTIONS &&
                   !selection_set(&v.selection, (selector)(option - OPTIONS), value, v.topology, error)) {
            cli_complain(&command, "%s", error);
            goto done;
        }
    }
    if (option != CLI_END) {
        result = option == CLI_HELP ? EXIT_DONE : EXIT_USAGE;
        goto done;
    }
    if (!v.selection.given[SELECT_SHAPE]) {
        memcpy(v.selection.shapes, default_shapes, sizeof default_shapes);
        v.selection.shape_count = DEFAULT_SHAPES;
    }
    if (!v.selection.given[SELECT_THREADS] &&
        !selection_set(&v.selection, SELECT_THREADS, default_threads, v.topology, error)) {
        cli_complain(&command, "%s", error);
        goto done;
    }
    if (!take_items(&v))
        goto done;
    cells = malloc(v.count * sizeof *cells);
    if (cells == NULL) {
        cli_complain(&command, "out of memory");
        result = EXIT_FAILED;
        goto done;
    }
    if (!shapes_fit(&v, cells))
        goto done;

    // Minutes of work must not end in a misspelt folder.
    int failure = csv_path == NULL ? 0 : files_deliverable(csv_path);
    if (failure == 0) {
        result = EXIT_FAILED;
        if (!check_all(&v, cells))
            goto done;
        failure = csv_path == NULL ? 0 : files_deliver(csv_path, write_csv, &v);
    }
    if (failure != 0) {
        cli_complain(&command, "cannot write %s: %s", csv_path, files_reason(failure));
        goto done;
    }
    if (csv_path == NULL || strcmp(csv_path, "-") != 0)
        print_table(&v);
    bool any_wrong = false;
    for (size_t i = 0; i < v.count; i++)
        any_wrong = any_wrong || v.items[i].complained;
    result = any_wrong ? EXIT_FAILED : EXIT_DONE;
done:
    free(cells);
    free(v.items);
    topology_close(v.topology);
    return result;
}
