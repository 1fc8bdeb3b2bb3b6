// SPDX-License-Identifier: MIT
// `normbench verify`: every selected implementation against the double reference, over shapes and input distributions.
#include <inttypes.h>
#include <string.h>

#include "base/csv.h"
#include "base/files.h"
#include "base/parse.h"
#include "commands.h"
#include "measure/tuned.h"
#include "measure/verify_suite.h"
#include "plan/request.h"
#include "report/schema.h"
#include "report/verify_table.h"

// Tails of every vector width, a single element, a single row, more rows than threads, the hidden sizes of small
// models, a wide row, many rows.
static const shape default_shapes[] = {{1, 1},    {3, 37},   {7, 129},  {2, 1000}, {32, 768},
                                       {3, 1025}, {3, 4096}, {1, 8192}, {2049, 3}};
enum { DEFAULT_SHAPES = sizeof default_shapes / sizeof *default_shapes };

// ---- Reporting

// The row of an output. false: the implementation has none, or it was not asked for.
static bool row_of(const verify_suite *v, const suite_item *item, norm_output output, verify_row *row) {
    const suite_finding *const f = &item->outputs[output];
    *row = (verify_row){{.impl = item->impl, .pass = suite_pass_of(output)},
                        output,
                        item->missing == NULL,
                        f->worst,
                        f->rows,
                        f->cols,
                        v->seed};
    return suite_writes(item->impl, output) && selection_has_pass(&v->selection, row->cell.pass);
}

static void print_row(const verify_row *r, const suite_item *item) {
    const norm_impl *const impl = item->impl;
    printf("%-10s %-16s %-8s %-9s %-11s %-5s %-6s ", norm_op_name(impl->op), impl->variant,
           norm_pass_name(r->cell.pass), norm_form_name(impl->form), norm_level_name(impl->level),
           norm_dtype_name(impl->dtype), norm_output_name(r->output));
    if (r->checked)
        printf("%9zu %9.3g %9.3g %9.3g %-7s %s %zux%zu\n", r->worst.cases, r->worst.max_ulp, r->worst.max_error,
               r->worst.bound, verify_row_is_ok(r) ? "ok" : "wrong", input_name(item->outputs[r->output].kind), r->rows,
               r->cols);
    else
        printf("%9s %9s %9s %9s %-7s this CPU lacks %s\n", "-", "-", "-", "-", "skipped", item->missing);
}

static void print_table(const verify_suite *v) {
    verify_row row;
    printf("%-10s %-16s %-8s %-9s %-11s %-5s %-6s %9s %9s %9s %9s %-7s %s\n", "op", "variant", "pass", "form", "level",
           "dtype", "output", "cases", "max_ulp", "max_error", "bound", "status", "worst");
    for (size_t i = 0; i < v->count; i++)
        for (norm_output output = 0; output < NORM_OUTPUTS; output++)
            if (row_of(v, &v->items[i], output, &row))
                print_row(&row, &v->items[i]);
}

static void write_rows(csv_writer *w, const void *what) {
    const verify_suite *const v = what;
    verify_row row;
    for (size_t i = 0; i < v->count; i++)
        for (norm_output output = 0; output < NORM_OUTPUTS; output++)
            if (row_of(v, &v->items[i], output, &row))
                (void)columns_write_row(w, &verify_table, &row);
}
static int write_csv(const void *v, const char *path) { return columns_write(path, &verify_table, write_rows, v); }

// ---- The command

enum { CSV, SEED, NO_TUNE, OPTIONS };

// Takes what was typed. CLI_END, CLI_HELP, or CLI_WRONG after a message.
static int take_arguments(verify_suite *v, int argc, char **argv, const char **csv_path, bool *untuned) {
    char error[SELECT_ERROR_SIZE], default_threads[] = "1,cores", *value = NULL;
    cli_args args = {.command = v->command, .argc = argc, .argv = argv, .at = 1};
    selection *const s = &v->selection;
    int option;
    while ((option = cli_next(&args, &value)) >= 0) {
        if (option == CSV)
            *csv_path = value;
        else if (option == NO_TUNE)
            *untuned = true;
        else if (option == SEED && !parse_u64(value, &v->seed)) {
            cli_complain(v->command, "--seed: \"%.40s\" is no whole number from 0 to %" PRIu64, value, UINT64_MAX);
            return CLI_WRONG;
        } else if (option >= OPTIONS && !selection_set(s, (selector)(option - OPTIONS), value, v->topology, error)) {
            cli_complain(v->command, "%s", error);
            return CLI_WRONG;
        }
    }
    if (option == CLI_END && !s->given[SELECT_SHAPE]) {
        memcpy(s->shapes, default_shapes, sizeof default_shapes);
        s->shape_count = DEFAULT_SHAPES;
    }
    if (option == CLI_END && !s->given[SELECT_THREADS] &&
        !selection_set(s, SELECT_THREADS, default_threads, v->topology, error)) {
        cli_complain(v->command, "%s", error);
        return CLI_WRONG;
    }
    return option;
}

// Checks, and delivers what was found; the exit code.
static int check(verify_suite *v, const char *csv_path) {
    // Minutes of work must not end in a misspelt folder.
    if (csv_path != NULL && !cli_wrote(v->command, files_deliverable(csv_path), csv_path))
        return EXIT_USAGE;
    if (!suite_run(v) || (csv_path != NULL && !cli_wrote(v->command, files_deliver(csv_path, write_csv, v), csv_path)))
        return EXIT_FAILED;
    if (csv_path == NULL || strcmp(csv_path, "-") != 0)
        print_table(v);
    bool any_wrong = false;
    for (size_t i = 0; i < v->count; i++)
        any_wrong = any_wrong || v->items[i].complained;
    return any_wrong ? EXIT_FAILED : EXIT_DONE;
}

int cmd_verify(int argc, char **argv) {
    static const cli_option options[OPTIONS] = {
        [CSV] = {"csv", "FILE", "write verify.csv to FILE as well; `-` writes it to stdout, in place of the table"},
        [SEED] = {"seed", "N", "of the inputs; 1 unless given"},
        REQUEST_NO_TUNE_ROW(NO_TUNE),
    };
    static const cli_command command = {
        .name = "verify",
        .about =
            "Runs implementations on inputs of every kind (normbench list inputs) and prints, for each of their\n"
            "outputs, the largest error against a double-precision reference: in units in the last place, and as it\n"
            "is judged, scaled by the magnitudes that were summed. Ends with 3 if any is beyond its bound. Checks\n"
            "everything at nine shapes, by one thread and by one per core, unless told otherwise.\n"
            "--placement and --cache change no result; they are taken so that a selection of `normbench kernels` can\n"
            "be given here as it is.",
        .options = options,
        .option_count = OPTIONS,
        .selectors = CLI_KERNEL_SELECTORS,
        .examples = {"verify --op dyt --variant u2 --shape 4x768",
                     "verify --level best --shape 1x4096 --threads 1 --csv errors.csv"},
    };
    verify_suite v = {.command = &command, .seed = 1};
    char error[TOPOLOGY_ERROR_SIZE];
    const char *csv_path = NULL;
    v.topology = topology_open(NULL, error);
    if (v.topology == NULL) {
        cli_complain(&command, "%s", error);
        return EXIT_FAILED;
    }
    bool untuned = false;
    const int end = take_arguments(&v, argc, argv, &csv_path, &untuned);
    if (end == CLI_END && !untuned)
        tuned_load(v.topology);
    int result = end == CLI_HELP ? EXIT_DONE : EXIT_USAGE;
    if (end == CLI_END && suite_take(&v) && suite_fits(&v))
        result = check(&v, csv_path);
    suite_free(&v);
    topology_close(v.topology);
    return result;
}
