// SPDX-License-Identifier: MIT
// efficiency.c: see efficiency.h. The values, and comparison.csv.
#include "efficiency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/files.h"
#include "base/interval.h"
#include "published.h"

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
        add_word(&f, "variant", "lp|lp_nobeta");
    return f;
}

static filter where_filter(const efficiency *e, const efficiency_arm *a) {
    filter f = {0};
    add_word(&f, "model", e->model);
    add_word(&f, "phase", a->phase);
    add_word(&f, "dtype", a->dtype);
    return f;
}

static stats_interval change(asking *k, efficiency_value what, const arm *subject, const arm *baseline, extent part) {
    switch (what) {
    case EFFICIENCY_IN_PLACE:
        return norm_change(k, subject, baseline, part);
    case EFFICIENCY_BY_IDENTITY:
        return by_identity_change(k, subject, baseline, part);
    default:
        return total_change(k, subject, baseline, part);
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

bool efficiency_make(efficiency *e, const char *path, const run_tables *run, char message[TABLES_MESSAGE]) {
    char why[TABLES_MESSAGE - 256] = "out of memory";
    *e = (efficiency){.run = run, .arms = calloc(MOST_ARMS + 1, sizeof *e->arms)};
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

static void write_interval(csv_writer *w, stats_interval i, double unit) {
    csv_real(w, i.median / unit, 6);
    csv_real(w, i.lo / unit, 6);
    csv_real(w, i.hi / unit, 6);
}

// The value alone, with the digits that its interval supports.
static void write_number(csv_writer *w, stats_interval i) {
    char text[INTERVAL_TEXT];
    csv_text(w, isnan(i.median) ? "" : interval_number(text, i.median, interval_decimals(&i)));
}

static void write_value(csv_writer *w, const efficiency *e, const efficiency_arm *a, efficiency_value what) {
    const table_row published = efficiency_published(e, a, what);
    const bool known = row_is(a->arm.layer) && (row_is(a->arm.ends) || what == EFFICIENCY_LAYER);
    csv_int(w, 1);
    csv_text(w, a->dtype);
    csv_text(w, a->phase);
    csv_text(w, a->form);
    csv_text(w, a->op);
    csv_text(w, value_names[what]);
    write_interval(w, a->values[what].ns, 1e9);
    write_interval(w, a->values[what].change, 1);
    csv_text(w, a->values[what].method);
    csv_text(w, row_text(published, "version"));
    csv_text(w, row_text(published, "table"));
    write_interval(w, efficiency_seconds(published), 1);
    write_interval(w, efficiency_change(e, a, what), 1);
    csv_size(w, e->layers);
    csv_text(w, known ? row_text(a->arm.layer, "tokens") : "");
    csv_size(w, e->tokens);
    csv_text(w, !known ? "" : efficiency_is_scaled(e, a->arm.layer) ? "1" : "0");
    csv_text(w, known ? row_text(a->arm.layer, "threads") : "");
    csv_text(w, a->values[what].why);
    csv_text(w, row_text(a->arm.layer, "variant"));
    write_number(w, a->values[what].change);
    write_number(w, efficiency_change(e, a, what));
    csv_end(w);
}

int efficiency_write(const void *what, const char *path) {
    static const char *const columns[] = {"schema_version",
                                          "dtype",
                                          "phase",
                                          "form",
                                          "op",
                                          "quantity",
                                          "time_s",
                                          "time_s_lo95",
                                          "time_s_hi95",
                                          "change_pct",
                                          "change_lo95",
                                          "change_hi95",
                                          "method",
                                          "published_version",
                                          "published_table",
                                          "published_s",
                                          "published_s_lo",
                                          "published_s_hi",
                                          "published_change_pct",
                                          "published_change_lo",
                                          "published_change_hi",
                                          "layers",
                                          "tokens",
                                          "published_tokens",
                                          "scaled",
                                          "threads",
                                          "reason",
                                          "variant",
                                          "change_text",
                                          "published_change_text"};
    const efficiency *const e = what;
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    for (size_t i = 0; i < COUNT(columns); i++)
        csv_text(&w, columns[i]);
    csv_end(&w);
    for (size_t i = 0; i < e->count; i++)
        for (efficiency_value v = 0; v < EFFICIENCIES; v++)
            write_value(&w, e, &e->arms[i], v);
    return csv_close(&w);
}
