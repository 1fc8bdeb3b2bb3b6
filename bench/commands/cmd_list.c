// SPDX-License-Identifier: MIT
// `normbench list`: every name that the other commands take, one a line, name first.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "measure/inputs.h"
#include "plan/cli.h"
#include "report/needs.h"
#include "report/schema.h"
#include "report/vocabulary.h"
#include "shapes.h"
#include "tell_rows.h"

static void list_ops(void) {
    for (norm_op op = 0; op < NORM_OPS; op++)
        printf("%-10s %s\n", norm_op_name(op), norm_op_formula(op));
}

// In any form and dtype: an op may have one default fused and another op by op.
static bool is_default(norm_op op, const char *variant) {
    bool found = false;
    for (norm_form form = 0; form < NORM_FORMS; form++)
        for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++)
            found |= strcmp(norm_default_variant(op, form, dtype), variant) == 0;
    return found;
}

// Each with the ops that have it.
static void list_variants(void) {
    const char *names[SELECT_MAX_NAMES];
    const size_t count = selector_names(SELECT_VARIANT, names);
    for (size_t i = 0; i < count; i++) {
        bool has[NORM_OPS] = {false};
        const norm_impl *impl;
        for (size_t j = 0; (impl = norm_at(j)) != NULL; j++)
            has[impl->op] = has[impl->op] || strcmp(impl->variant, names[i]) == 0;
        printf("%-16s", names[i]);
        for (norm_op op = 0; op < NORM_OPS; op++)
            if (has[op])
                printf(" %s%s", norm_op_name(op), is_default(op, names[i]) ? " (default)" : "");
        putchar('\n');
    }
}

static void list_forms(void) {
    static const char *const meanings[NORM_FORMS] = {
        [NORM_FUSED] = "each tensor is read once from memory and written once",
        [NORM_EAGER] =
            "ideal op by op: one sweep over the whole tensor per elementary operation, with our tanh, through "
            "temporaries that are kept",
        [NORM_ADD_FUSED] = "the residual addition and the norm of its result in one sweep; both are written",
        [NORM_FRAMEWORK] =
            "op by op as PyTorch's eager mode runs it on a CPU: every result allocated anew, layernorm one "
            "kernel, its tanh (sleef, and in f32 mkl where the machine has MKL)",
    };
    for (norm_form form = 0; form < NORM_FORMS; form++)
        printf("%-9s %s\n", norm_form_name(form), meanings[form]);
}

static void print_support(const char *missing, int width) {
    char text[80] = "runs here";
    if (missing != NULL)
        snprintf(text, sizeof text, "lacks %s", missing);
    printf("%-*s", width, text);
}

// Whether what the level rounds to bf16 loses its denormals.
static bool level_flushes(norm_level level) {
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (impl->level == level && impl->flushes)
            return true;
    return false;
}

static void list_levels(void) {
#define FEATURE(name) " " #name
#define NEEDS(ID, name, features) "" features(FEATURE),
    static const char *const needs[] = {NORM_LEVEL_LIST(NEEDS)};
#undef NEEDS
#undef FEATURE
    for (norm_level level = 0; level < NORM_LEVELS; level++) {
        printf("%-12s ", norm_level_name(level));
        print_support(norm_level_missing(level), 18);
        printf(" %s", norm_level_is_auto(level) ? "the plain loop as the compiler vectorises it, never `best`; " : "");
        printf("%s", level_flushes(level) ? "bf16 alone; denormal results are zero; " : "");
        printf("needs%s\n", *needs[level] ? needs[level] : " nothing");
    }
    printf("%-12s ", norm_level_name(NORM_LEVEL_LIBRARY));
    print_support(norm_level_missing(NORM_LEVEL_LIBRARY), 18);
    puts(" another library's code, which chooses its own instructions, never `best`");
}

static void list_dtypes(void) {
    for (norm_dtype dtype = 0; dtype < NORM_DTYPES; dtype++)
        printf("%-5s %zu bytes per element; arithmetic in f32\n", norm_dtype_name(dtype), norm_dtype_bytes(dtype));
}

static void list_placements(void) {
    for (placement p = 0; p < PLACEMENTS; p++)
        printf("%-8s %s\n", placement_name(p), placement_help(p));
}

static void list_models(void) {
    const model_shape *m;
    for (size_t i = 0; (m = model_at(i)) != NULL; i++) {
        printf("%-13s %-18s %-9s %2zu layers of ", m->name, m->title, model_kind_name(m->kind), m->depth);
        if (model_stages(m) > 0)
            printf("width %zu to %zu", m->stages[0].width, m->dim);
        else
            printf("width %zu, ffn %zu, %zu heads", m->dim, m->ffn, m->heads);
        printf(", %s eps %g\n", norm_op_name(m->native), (double)m->eps);
    }
}

static void list_inputs(void) {
#define INPUT_LINE(ID, name, meaning) printf("%-12s %s\n", #name, meaning);
    INPUT_LIST(INPUT_LINE)
#undef INPUT_LINE
}

// Writes the words that are present with commas between them, "-" if none is.
static void join(char text[64], const char *const *words, const bool *present, size_t count) {
    size_t used = 0;
    snprintf(text, 64, "-");
    for (size_t i = 0; i < count; i++)
        if (present[i])
            used += (size_t)snprintf(text + used, 64 - used, "%s%s", used > 0 ? "," : "", words[i]);
}

static void list_implementations(void) {
    static const char *const parameters[] = {"gamma", "beta", "alpha", "shift"};
    const selection everything = {0};
    const norm_impl *impls[SELECT_MAX_IMPLS];
    const size_t count = selection_take(&everything, impls);
    for (size_t i = 0; i < count; i++) {
        const norm_impl *const impl = impls[i];
        const char *const passes[] = {norm_pass_name(NORM_FORWARD), norm_pass_name(NORM_BACKWARD)};
        const bool has_pass[] = {impl->pass[NORM_FORWARD].count > 0, impl->pass[NORM_BACKWARD].count > 0};
        const bool has[] = {impl->params & NORM_GAMMA, impl->params & NORM_BETA, impl->params & NORM_ALPHA,
                            impl->params & NORM_SHIFT};
        char pass_text[64], parameter_text[64];
        join(pass_text, passes, has_pass, NORM_PASSES);
        join(parameter_text, parameters, has, sizeof has / sizeof *has);
        printf("%-10s %-17s %-9s %-12s %-5s %-17s %-17s ", norm_op_name(impl->op), impl->variant,
               norm_form_name(impl->form), norm_level_name(impl->level), norm_dtype_name(impl->dtype), pass_text,
               parameter_text);
        print_support(norm_missing(impl), 0);
        puts(impl->flushes ? "; denormal results are zero" : "");
    }
}

// For scripts alone, as the one table.
static void list_vocabulary(void) {
    csv_writer w;
    (void)csv_open(&w, "-", false);
    (void)vocabulary_write(&w); // main finds a stdout that takes no more
    (void)csv_close(&w);
}

#define LIST_LIST(X)                                                                                                   \
    X(ops)                                                                                                             \
    X(variants) X(forms) X(levels) X(dtypes) X(placements) X(models) X(inputs) X(implementations) X(vocabulary)
#define LIST_NAME(name) #name,
#define LIST_FUNCTION(name) list_##name,
#define LIST_LINE(name) " " #name
static const char *const lists[] = {LIST_LIST(LIST_NAME) "columns", "claims"};
static void (*const functions[])(void) = {LIST_LIST(LIST_FUNCTION)};
enum { LISTS = sizeof lists / sizeof *lists, CLAIMS = LISTS - 1, COLUMNS = LISTS - 2 };

enum { TABLE, FORMAT, ONLY, OPTIONS };
static const cli_option options[OPTIONS] = {
    [TABLE] = {"table", "NAME", "of columns: those of one table, as kernels for kernels.csv; all unless given"},
    [FORMAT] = {"format", "FORMAT",
                "of columns: text (as it is unless given), csv, json (Table Schema: the whole is\n"
                "results/datapackage.json) or markdown (the tables of results/README.md). Of\n"
                "claims: text, csv, json or markdown (the tables of ARTIFACT.md)"},
    [ONLY] = {"only", "ID", "of claims: this one alone"},
};
static const cli_command command = {
    .name = "list",
    .operand = "WHAT [DIR...]",
    .about =
        "Prints every name of one kind, one a line, name first and then what it means. The columns of "
        "implementations: op, variant, form, level, dtype, passes, parameters, and whether this CPU runs it or "
        "what it lacks; and whether what it rounds to bf16 loses its denormals. vocabulary: the names of all kinds "
        "with their order, colours and marks, as CSV, for scripts. columns: those of every table that lies in a "
        "folder of results. claims: what published claims need to be judged: a command and its minutes, and, where "
        "folders "
        "of runs are given, what these say of them. WHAT is one of" LIST_LIST(LIST_LINE) " columns claims",
    .examples = {"list models", "list claims --only vector_tanh_turns_it"},
    .options = options,
    .option_count = OPTIONS,
    .selectors = 1 << SELECT_PLUGIN,
};

static int list_columns(const char *table, const char *format) {
    const char *tables[SELECT_MAX_NAMES];
    schema_format as;
    const column_table *t;
    size_t count = 0, only = SIZE_MAX;
    for (; (t = schema_at(count)) != NULL; count++)
        tables[count] = t->name;
    if ((table != NULL && !cli_choose(&command, "", table, "table", tables, count, &only)) ||
        !format_option(&command, format, &as))
        return EXIT_USAGE;
    const int error = schema_print(stdout, schema_at(only), as);
    if (error != 0)
        cli_complain(&command, "cannot write: %s", strerror(error));
    return error != 0 ? EXIT_FAILED : EXIT_DONE;
}

// An exit code.
static int tell_claims(const claim_needs *n, schema_format as) {
    const rows_file file = {.table = &needs_table,
                            .rows = n->items,
                            .count = n->count,
                            .size = sizeof *n->items,
                            .format = as,
                            .print = claim_needs_print,
                            .what = n};
    return tell_rows(&command, &file, NULL);
}

static int list_claims(char *const *folders, size_t count, const char *only, const char *format) {
    const needs_sizes sizes = {.tokens = NEEDS_TOKENS};
    char message[TABLES_MESSAGE];
    schema_format as;
    claim_needs n;
    if (!format_option(&command, format, &as))
        return EXIT_USAGE;
    if (!claim_needs_make(&n, only, &sizes, message))
        return cli_refuse(&command, "%s", message);
    results *const runs = count > 0 ? runs_open(&command, folders, count) : NULL;
    n.runs = runs;
    n.run_count = count;
    const int status = count > 0 && runs == NULL ? EXIT_USAGE : tell_claims(&n, as);
    if (runs != NULL)
        results_free_all(runs, count);
    claim_needs_free(&n);
    return status;
}

int cmd_list(int argc, char **argv) {
    char *given[OPTIONS] = {NULL};
    size_t words;
    const int end = cli_take(&command, argc, argv, given, &words);
    if (end >= 0)
        return end;
    const char *const what = words > 0 ? argv[0] : "";
    size_t found;
    if (words > 1 && strcmp(what, lists[CLAIMS]) != 0)
        return cli_refuse(&command, "unexpected argument \"%.40s\": one list at a time", argv[1]);
    if (!cli_choose(&command, "", what, "list", lists, LISTS, &found))
        return EXIT_USAGE;
    static const bool taken[OPTIONS][2] = {[TABLE] = {true, false}, [FORMAT] = {true, true}, [ONLY] = {false, true}};
    for (size_t i = 0; i < OPTIONS; i++)
        if (given[i] != NULL && (found < COLUMNS || !taken[i][found - COLUMNS]))
            return cli_refuse(&command, "--%s is of `normbench list %s` alone", options[i].name,
                              taken[i][0] ? lists[COLUMNS] : lists[CLAIMS]);
    if (found == COLUMNS)
        return list_columns(given[TABLE], given[FORMAT]);
    if (found == CLAIMS)
        return list_claims(argv + 1, words - 1, given[ONLY], given[FORMAT]);
    functions[found]();
    return EXIT_DONE;
}
