// SPDX-License-Identifier: MIT
// natives.c: see natives.h.
#include "natives.h"

#include <math.h>
#include <string.h>

#include "measure/run.h"
#include "plan/cell.h"
#include "schema.h"

const char *natives_phase(const char *phase) {
    return strcmp(phase, "prefill") == 0 ? "inference" : strcmp(phase, "train") == 0 ? "training" : phase;
}

const char *natives_percent(char text[INTERVAL_TEXT], const stats_interval *i) {
    return isnan(i->median) ? "-" : interval_text(text, i, "%", interval_decimals(i));
}

// ---- Values

bool natives_next(const run_tables *tables, native_layer *l) {
    static const extent one = {false, 1};
    char message[TABLES_MESSAGE];
    filter f = {0};
    (void)filter_add(&f, "op=dyt part=layer status=ok|unstable", message);
    while (filter_next(&f, tables, RUN_TABLE_LAYERS, &l->row)) {
        l->native = filter_default(l->row) > 0 ? native_row(tables, l->row) : (table_row){0};
        if (!row_is(l->native))
            continue;
        const arm replaced = {.layer = l->row}, own = {.layer = l->native};
        asking k = {.run = tables, .method = ""};
        l->values[NATIVE_SHARE] = norm_share(&k, &own, one);
        l->values[NATIVE_NORMS] = norm_change(&k, &replaced, &own, one);
        l->values[NATIVE_WHOLE] = total_change(&k, &replaced, &own, one);
        l->method = isnan(l->values[NATIVE_WHOLE].median) ? "" : k.method;
        l->values[NATIVE_IN_PLACE] = row_interval(l->row, "norm_delta", "_pct");
        l->values[NATIVE_TOTAL] = row_interval(l->row, "delta_to_native", "_pct");
        for (size_t i = 0; i < NATIVE_VALUES; i++) {
            const stats_interval *const v = &l->values[i];
            l->texts[i][0] = '\0';
            if (!isnan(v->median))
                (void)interval_text(l->texts[i], v, "", interval_decimals(v));
        }
        return true;
    }
    return false;
}

// ---- Table

static column_value value_row(const native_layer *l, const char *column) {
    return value_text(row_text(l->row, column));
}
static const column_type column_words_of = {.pattern = "-?[0-9.]+( .(no interval|-?[0-9.]+, -?[0-9.]+).)?"};
COLUMN_WORDS(phase, "prefill", "decode", "train")
static const char *part_word(size_t index) { return index == 0 ? "layer" : NULL; }
COLUMN_WORDS(status, "ok", "unstable")

#define FOUR(X, name, at, meaning)                                                                                     \
    X(OPTIONAL, name##_pct, real, "%", value_real(r->values[at].median, 6), meaning)                                   \
    X(OPTIONAL, name##_lo95, real, "%", value_real(r->values[at].lo, 6), "Lower end of its 95 % interval.")            \
    X(OPTIONAL, name##_hi95, real, "%", value_real(r->values[at].hi, 6), "Upper end of its 95 % interval.")            \
    X(OPTIONAL, name##_text, words_of, NULL, value_text(r->texts[at]),                                                 \
      "The three with the digits that the interval supports.")
#define ROW native_layer
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, run_id, id, NULL, value_row(r, "run_id"), "The run that measured it, as in layers.csv.")               \
    X(REQUIRED, op, op, NULL, value_row(r, "op"), "dyt.")                                                              \
    X(REQUIRED, variant, name, NULL, value_row(r, "variant"), "Its variant.")                                          \
    X(REQUIRED, form, form, NULL, value_row(r, "form"), "Its form.")                                                   \
    X(REQUIRED, level, name, NULL, value_row(r, "level"), "Its level.")                                                \
    X(REQUIRED, dtype, dtype, NULL, value_row(r, "dtype"), "Storage type.")                                            \
    X(REQUIRED, threads, ordinal, "{thread}", value_row(r, "threads"), "Threads in the team.")                         \
    X(REQUIRED, placement, placement, NULL, value_row(r, "placement"), "Where they were bound.")                       \
    X(REQUIRED, model, name, NULL, value_row(r, "model"), "The model.")                                                \
    X(REQUIRED, phase, phase, NULL, value_row(r, "phase"), "prefill, decode or train.")                                \
    X(REQUIRED, batch, ordinal, "{sequence}", value_row(r, "batch"), "Sequences.")                                     \
    X(REQUIRED, tokens, ordinal, "{token}", value_row(r, "tokens"), "Tokens of each.")                                 \
    X(OPTIONAL, context, count, "{token}", value_row(r, "context"), "decode: tokens before.")                          \
    X(REQUIRED, part, layer_part, NULL, value_row(r, "part"), "layer: the table is of single layers.")                 \
    X(OPTIONAL, stage, count, NULL, value_row(r, "stage"), "Stage of a model with stages, as in layers.csv.")          \
    X(REQUIRED, rows, count, "{row}", value_row(r, "rows"), "Rows of a norm's tensor.")                                \
    X(REQUIRED, cols, count, "{column}", value_row(r, "cols"), "Columns, the normalized axis.")                        \
    X(OPTIONAL, scaled, flag, NULL, value_row(r, "scaled"), "1 if there are fewer tokens than published, else 0.")     \
    X(OPTIONAL, rest_equivalent, flag, NULL, value_row(r, "rest_equivalent"),                                          \
      "1: the rest of the layer was shown to be the same in both; 0: it is not; empty: that cannot be told.")          \
    X(REQUIRED, status, status, NULL, value_row(r, "status"), "ok or unstable, as in layers.csv.")                     \
    X(REQUIRED, time_ns_median, amount, "ns", value_row(r, "time_ns_median"), "Time of the layer with DyT.")           \
    X(REQUIRED, native, op, NULL, value_text(row_text(r->native, "op")),                                               \
      "The model's own norm, for which DyT stands in.")                                                                \
    X(OPTIONAL, method, text, NULL, value_text(r->method),                                                             \
      "How layer_pct was made: in place where the rest was shown to be the same, else by totals, paired or not.")      \
    FOUR(X, share, NATIVE_SHARE, "What the own norm takes of the layer's time.")                                       \
    FOUR(X, norms, NATIVE_NORMS, "Change of the norms' time with DyT.")                                                \
    FOUR(X, layer, NATIVE_WHOLE, "Change of the layer's time with DyT, by the method.")                                \
    FOUR(X, in_place, NATIVE_IN_PLACE, "The same by the norms, timed in place.")                                       \
    FOUR(X, total, NATIVE_TOTAL, "The same by the totals, paired.")
static const column_type column_layer_part = {.word = part_word};
COLUMN_OWN_LIST(natives_columns, COLUMNS)
COLUMN_TABLE(natives, "*/*/plots/natives.csv",
             "DyT in place of each model's own norm: a row for each layer, from layers.csv.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(natives_columns))

static void write_rows(csv_writer *w, const void *tables) {
    native_layer l = {0};
    while (natives_next(tables, &l))
        columns_write_row(w, &natives_table, &l);
}

int natives_write(const void *tables, const char *path) {
    return columns_write(path, &natives_table, write_rows, tables);
}

// ---- Markdown

static void print_layer(FILE *out, const native_layer *l) {
    const table_row row = l->row;
    const char *const phase = row_text(row, "phase"), *const model = row_text(row, "model");
    const bool decodes = strcmp(phase, "decode") == 0, wide = *row_text(row, "stage") != '\0';
    char of_share[INTERVAL_TEXT], of_norms[INTERVAL_TEXT], of_layer[INTERVAL_TEXT];
    fprintf(out, "| %s%s%s | %s, %s x %s%s%s%s | %s | %s | %s | %s | %s | %s%s |\n", model, wide ? ", width " : "",
            wide ? row_text(row, "cols") : "", natives_phase(phase), row_text(row, "batch"), row_text(row, "tokens"),
            decodes ? " after " : "", decodes ? row_text(row, "context") : "",
            strcmp(row_text(row, "scaled"), "1") == 0 ? ", SCALED" : "", row_text(row, "dtype"), row_text(row, "form"),
            row_text(l->native, "op"), natives_percent(of_share, &l->values[NATIVE_SHARE]),
            natives_percent(of_norms, &l->values[NATIVE_NORMS]), natives_percent(of_layer, &l->values[NATIVE_WHOLE]),
            strcmp(row_text(row, "rest_equivalent"), "0") == 0 ? " (interaction)" : "");
}

void natives_print(const run_tables *tables, FILE *out) {
    native_layer l = {0};
    bool any = false;
    fputs("### DyT against each model's own norm, one layer\n\n"
          "Change of the norms' time and of the layer's time, in percent, with 95 % intervals; below zero DyT is "
          "faster. In form add_fused the residual add counts as part of the norm. The authors timed LLaMA 7B alone.\n\n"
          "| model | phase | dtype | form | own norm | its share of the layer | norms | layer |\n"
          "|---|---|---|---|---|---|---|---|\n",
          out);
    for (; natives_next(tables, &l); any = true)
        print_layer(out, &l);
    if (!any)
        fputs("\nNot measured: layers.csv has no layer with both DyT and the model's own norm.\n", out);
}
