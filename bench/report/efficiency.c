// SPDX-License-Identifier: MIT
// efficiency.c: see efficiency.h. The values, and comparison.csv.
#include "efficiency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/files.h"
#include "base/interval.h"
#include "measure/run.h"
#include "plan/cell.h"
#include "published.h"
#include "schema.h"

static const char *const dtypes[] = {"bf16", "f32"}, *const phases[] = {"prefill", "train"};
static const char *const forms[] = {"eager", "framework", "fused"}, *const ops[] = {"rmsnorm", "dyt"};
#define COUNT(list) (sizeof(list) / sizeof *(list))
// Of each dtype and phase: both ops in each form, dyt with the coarse tanh, and no norm at all.
enum { MOST_ARMS = 2 * 2 * (3 * 2 + 1 + 1) };

#define NAME(ID, name, ...) #name,
static const char *const value_names[] = {EFFICIENCY_LIST(NAME)};
#undef NAME
#define QUANTITY(ID, name, quantity, stem) quantity,
static const char *const quantities[] = {EFFICIENCY_LIST(QUANTITY)};
#undef QUANTITY
#define STEM(ID, name, quantity, stem) stem,
static const char *const stems[] = {EFFICIENCY_LIST(STEM)};
#undef STEM

// ---- The published values

// What was published op by op stands beside both forms that are.
table_row efficiency_published(const efficiency *e, const efficiency_arm *a, efficiency_value what) {
    const char *const form = strcmp(a->form, "framework") == 0 ? "eager" : a->form;
    table_row row = {&e->published, 0};
    for (; row.at < e->published.row_count; row.at++)
        if (strcmp(row_text(row, "phase"), a->phase) == 0 && strcmp(row_text(row, "form"), form) == 0 &&
            strcmp(row_text(row, "op"), a->op) == 0 && strcmp(row_text(row, "quantity"), quantities[what]) == 0)
            return row;
    return (table_row){0};
}

static stats_interval published_time(table_row row) {
    return interval_of(row_real(row, "time_s"), row_real(row, "time_s_lo"), row_real(row, "time_s_hi"));
}

stats_interval efficiency_seconds(table_row row) {
    return stats_scaled(published_time(row), 1 / row_real(row, "passes"));
}

stats_interval efficiency_change(const efficiency *e, const efficiency_arm *a, efficiency_value what) {
    efficiency_arm base = *a;
    base.op = "rmsnorm";
    const table_row above = efficiency_published(e, a, what), below = efficiency_published(e, &base, what);
    if (strcmp(a->op, "dyt") != 0 || !row_is(above) || !row_is(below))
        return INTERVAL_NONE;
    return interval_quotient(published_time(above), published_time(below), 100, 1);
}

// ---- The run's values

bool efficiency_is_scaled(const efficiency *e, table_row row) {
    return strcmp(row_text(row, "scaled"), "1") == 0 || row_real(row, "tokens") < (double)e->tokens;
}

static void add_word(filter *f, const char *column, const char *value) {
    char word[128], message[TABLES_MESSAGE];
    snprintf(word, sizeof word, "%s=%s", column, value);
    (void)filter_add(f, word, message);
}

static filter arm_filter(const char *op, const char *form, bool coarse) {
    filter f = {0};
    add_word(&f, "op", op);
    if (*form != '\0')
        add_word(&f, "form", form);
    if (coarse)
        add_word(&f, "base", "lp");
    return f;
}

static filter where_filter(const efficiency *e, const efficiency_arm *a) {
    filter f = {0};
    add_word(&f, "model", e->model);
    add_word(&f, "phase", a->phase);
    add_word(&f, "dtype", a->dtype);
    return f;
}

static stats_interval change(asking *k, efficiency_value what, const arm *a, const arm *baseline, extent part) {
    switch (what) {
    case EFFICIENCY_IN_PLACE:
        return norm_change(k, a, baseline, part);
    case EFFICIENCY_BY_IDENTITY:
        return by_identity_change(k, a, baseline, part);
    default:
        return total_change(k, a, baseline, part);
    }
}

// All values of an arm, and its changes against rmsnorm in the same form.
static void evaluate(const efficiency *e, efficiency_arm *a) {
    const extent model = {true, e->layers}, one = {false, 1};
    const filter who = arm_filter(a->op, a->form, a->coarse), base = arm_filter("rmsnorm", a->form, false);
    const filter where = where_filter(e, a);
    asking missing = {.run = e->run, .method = ""};
    arm baseline = {0};
    (void)find_arm(&missing, &a->arm, &who, &where, model, NULL);
    const bool whole = row_is(a->arm.ends);
    if (strcmp(a->op, "dyt") == 0 && row_is(a->arm.layer)) {
        asking k = {.run = e->run, .method = ""};
        (void)find_arm(&k, &baseline, &base, &where, whole ? model : one, &a->arm);
    }
    for (efficiency_value what = 0; what < EFFICIENCIES; what++) {
        const extent part = what == EFFICIENCY_LAYER ? one : model;
        asking k = {.run = e->run, .method = ""}, of_change = k;
        a->values[what].ns = a->values[what].change = INTERVAL_NONE;
        a->values[what].method = "";
        if (row_is(a->arm.layer) && (whole || !part.is_model))
            a->values[what].ns = arm_value(&k, &a->arm, stems[what], part);
        else
            snprintf(k.why, sizeof k.why, "%s", missing.why);
        snprintf(a->values[what].why, sizeof k.why, "%s", k.why);
        if (row_is(baseline.layer) && !isnan(a->values[what].ns.median))
            a->values[what].change = change(&of_change, what, &a->arm, &baseline, part);
        if (!isnan(a->values[what].change.median))
            a->values[what].method = of_change.method;
    }
}

static void add_arm(efficiency *e, const char *dtype, const char *phase, const char *form, const char *op,
                    bool coarse) {
    efficiency_arm *const a = &e->arms[e->count];
    *a = (efficiency_arm){.dtype = dtype, .phase = phase, .form = form, .op = op, .coarse = coarse};
    evaluate(e, a);
    if (!coarse || row_is(a->arm.layer))
        e->count++;
}

// Whether it is the published table: one model, numbers where numbers belong.
static bool check_published(efficiency *e, char *message, size_t size) {
    static const char *const numbers[] = {"time_s", "time_s_lo", "time_s_hi", "passes"};
    fields f = fields_of(&e->published, message, size);
    for (; f.ok && f.row < e->published.row_count; f.row++) {
        for (size_t i = 0; i < COUNT(numbers); i++)
            (void)fields_real(&f, numbers[i], 1e-9, 1e9);
        e->layers = fields_size(&f, "layers", 1, 1 << 20);
        e->norms = fields_size(&f, "norms", 1, 1 << 20);
        e->tokens = fields_size(&f, "tokens", 1, SIZE_MAX);
        snprintf(e->model, sizeof e->model, "%s", fields_text(&f, "model"));
        if (f.row > 0)
            fields_equal(&f, "model", row_text((table_row){&e->published, 0}, "model"));
    }
    if (f.ok && e->published.row_count == 0)
        snprintf(message, size, "it has no rows");
    return f.ok && e->published.row_count > 0;
}

bool efficiency_make(efficiency *e, const char *path, const run_tables *tables, char message[TABLES_MESSAGE]) {
    char why[TABLES_MESSAGE - 256] = "out of memory";
    *e = (efficiency){.run = tables, .arms = calloc(MOST_ARMS + 1, sizeof *e->arms)};
    const int error = path != NULL ? csv_read(&e->published, path, why, sizeof why)
                                   : csv_take(&e->published, (const char *)published_efficiency, why, sizeof why);
    if (e->arms == NULL || error != 0 || !check_published(e, why, sizeof why)) {
        snprintf(message, TABLES_MESSAGE, "%.100s is not the published table, see results/README.md: %s",
                 path == NULL ? "the program's own" : path, error > 0 || error < -1 ? files_reason(error) : why);
        efficiency_free(e);
        return false;
    }
    for (size_t d = 0; d < COUNT(dtypes); d++)
        for (size_t p = 0; p < COUNT(phases); p++) {
            for (size_t f = 0; f < COUNT(forms); f++)
                for (size_t o = 0; o < COUNT(ops); o++)
                    add_arm(e, dtypes[d], phases[p], forms[f], ops[o], false);
            add_arm(e, dtypes[d], phases[p], "fused", "dyt", true);
            add_arm(e, dtypes[d], phases[p], "", "identity", false);
        }
    return true;
}

void efficiency_free(efficiency *e) {
    csv_free(&e->published);
    free(e->arms);
    *e = (efficiency){0};
}

// ---- comparison.csv

// A value of an arm, and what stands beside it.
typedef struct {
    const efficiency_arm *arm;
    const char *quantity, *why, *method;
    stats_interval ns, change, published, published_change;
    table_row source;
    size_t layers, tokens;
    bool known, scaled;
    char change_text[INTERVAL_TEXT], published_text[INTERVAL_TEXT];
} comparison_row;

COLUMN_WORDS(compared, "norms_in_place", "norms_by_identity", "layer", "model")
COLUMN_WORDS(compared_form, "eager", "fused", "framework")
COLUMN_WORDS(norm, "rmsnorm", "dyt", "identity")
COLUMN_WORDS(phase, "prefill", "train")
static const column_type column_table_name = {.pattern = "[a-z0-9 ]{1,32}"},
                         column_number_text = {.pattern = "-?[0-9.]+"};
static column_value value_s(double ns) { return value_real(ns / 1e9, 6); }
static column_value value_arm(const comparison_row *r, const char *column) {
    return value_if(r->known, value_text(row_text(r->arm->arm.layer, column)));
}

#define ROW comparison_row
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, dtype, dtype, NULL, value_text(r->arm->dtype), "Storage type here; published times are of bf16.")      \
    X(REQUIRED, phase, phase, NULL, value_text(r->arm->phase), "prefill: inference; train.")                           \
    X(OPTIONAL, form, compared_form, NULL, value_text(r->arm->form), "eager, framework or fused; empty for identity.") \
    X(REQUIRED, op, norm, NULL, value_text(r->arm->op), "The norm; identity: none.")                                   \
    X(REQUIRED, quantity, compared, NULL, value_text(r->quantity),                                                     \
      "norms_in_place and norms_by_identity: all norms of the model, timed in place and by difference; layer: one "    \
      "layer; model: the ends and all layers.")                                                                        \
    X(OPTIONAL, time_s, real, "s", value_s(r->ns.median), "Time of one pass here; empty if it was not measured.")      \
    X(OPTIONAL, time_s_lo95, real, "s", value_s(r->ns.lo), "Lower end of its 95 % interval.")                          \
    X(OPTIONAL, time_s_hi95, real, "s", value_s(r->ns.hi), "Upper end of its 95 % interval.")                          \
    X(OPTIONAL, change_pct, real, "%", value_real(r->change.median, 6),                                                \
      "dyt: change against rmsnorm in the same form; below 0 is faster.")                                              \
    X(OPTIONAL, change_lo95, real, "%", value_real(r->change.lo, 6), "Lower end of its 95 % interval.")                \
    X(OPTIONAL, change_hi95, real, "%", value_real(r->change.hi, 6), "Upper end of its 95 % interval.")                \
    X(OPTIONAL, method, text, NULL, value_text(r->method), "How the change was made: in place, or by totals.")         \
    X(OPTIONAL, published_version, name, NULL, value_text(row_text(r->source, "version")),                             \
      "Version of the paper that the published values are of.")                                                        \
    X(OPTIONAL, published_table, table_name, NULL, value_text(row_text(r->source, "table")), "Its table.")             \
    X(OPTIONAL, published_s, amount, "s", value_real(r->published.median, 6), "Published time of one pass.")           \
    X(OPTIONAL, published_s_lo, amount, "s", value_real(r->published.lo, 6), "Least value that rounds to it.")         \
    X(OPTIONAL, published_s_hi, amount, "s", value_real(r->published.hi, 6), "Largest value that rounds to it.")       \
    X(OPTIONAL, published_change_pct, real, "%", value_real(r->published_change.median, 6), "Published change.")       \
    X(OPTIONAL, published_change_lo, real, "%", value_real(r->published_change.lo, 6),                                 \
      "Least value that rounding allows.")                                                                             \
    X(OPTIONAL, published_change_hi, real, "%", value_real(r->published_change.hi, 6),                                 \
      "Largest value that rounding allows.")                                                                           \
    X(OPTIONAL, layers, ordinal, "{layer}", value_size(r->layers), "Layers of the model.")                             \
    X(OPTIONAL, tokens, ordinal, "{token}", value_arm(r, "tokens"), "Tokens here.")                                    \
    X(OPTIONAL, published_tokens, ordinal, "{token}", value_size(r->tokens), "Tokens in the paper.")                   \
    X(OPTIONAL, scaled, flag, NULL, value_if(r->known, value_size(r->scaled)),                                         \
      "1 if there are fewer tokens here, else 0.")                                                                     \
    X(OPTIONAL, threads, ordinal, "{thread}", value_arm(r, "threads"),                                                 \
      "Threads in the team. A single row below norm_whole_cols of norm.h runs on one of them.")                        \
    X(OPTIONAL, reason, text, NULL, value_text(r->why), "Why time_s is empty; empty if it is not.")                    \
    X(OPTIONAL, variant, name, NULL, value_text(row_text(r->arm->arm.layer, "variant")),                               \
      "The algorithm of that arm: of dyt the default, and of bf16, fused, one with a tanh of bf16's accuracy (lp) as " \
      "well.")                                                                                                         \
    X(OPTIONAL, change_text, number_text, NULL, value_text(r->change_text),                                            \
      "change_pct with the digits that its interval supports.")                                                        \
    X(OPTIONAL, published_change_text, number_text, NULL, value_text(r->published_text),                               \
      "The same of published_change_pct.")
COLUMN_OWN_LIST(comparison_columns, COLUMNS)
COLUMN_TABLE(
    comparison, "*/*/paper/comparison.csv",
    "The paper's efficiency table, this run's values beside the published ones; paper/efficiency.md shows the same.",
    {run_columns, RUN_VERSION, NULL}, COLUMN_PART(comparison_columns))

static void write_value(csv_writer *w, const efficiency *e, const efficiency_arm *a, efficiency_value what) {
    comparison_row r = {.arm = a,
                        .quantity = value_names[what],
                        .why = a->values[what].why,
                        .method = a->values[what].method,
                        .ns = a->values[what].ns,
                        .change = a->values[what].change,
                        .published_change = efficiency_change(e, a, what),
                        .source = efficiency_published(e, a, what),
                        .layers = e->layers,
                        .tokens = e->tokens,
                        .known = row_is(a->arm.layer) && (row_is(a->arm.ends) || what == EFFICIENCY_LAYER),
                        .scaled = efficiency_is_scaled(e, a->arm.layer)};
    char text[INTERVAL_TEXT];
    r.published = efficiency_seconds(r.source);
    if (!isnan(r.change.median))
        snprintf(r.change_text, sizeof r.change_text, "%s",
                 interval_number(text, r.change.median, interval_decimals(&r.change)));
    if (!isnan(r.published_change.median))
        snprintf(r.published_text, sizeof r.published_text, "%s",
                 interval_number(text, r.published_change.median, interval_decimals(&r.published_change)));
    columns_write_row(w, &comparison_table, &r);
}

static void write_rows(csv_writer *w, const void *what) {
    const efficiency *const e = what;
    for (size_t i = 0; i < e->count; i++)
        for (efficiency_value v = 0; v < EFFICIENCIES; v++)
            write_value(w, e, &e->arms[i], v);
}

int efficiency_write(const void *what, const char *path) {
    return columns_write(path, &comparison_table, write_rows, what);
}
