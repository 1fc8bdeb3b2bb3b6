// SPDX-License-Identifier: MIT
// natives.c: see natives.h.
#include "natives.h"

#include <math.h>
#include <string.h>

const char *natives_phase(const char *phase) {
    return strcmp(phase, "prefill") == 0 ? "inference" : strcmp(phase, "train") == 0 ? "training" : phase;
}

const char *natives_percent(char text[INTERVAL_TEXT], const stats_interval *i) {
    return isnan(i->median) ? "-" : interval_text(text, i, "%", interval_decimals(i));
}

// ---- Values

// A layer with DyT, and that with the model's own norm beside it.
typedef struct {
    table_row row, native;
    // In percent: what its own norm takes of the layer; the changes of the norms' time and of the layer's, as far as
    // they may be told; and the latter by the norms and by the totals, as the table has them.
    stats_interval share, norms, layer, in_place, total;
    const char *method; // of layer
} native_layer;

static bool next_layer(const run_tables *run, native_layer *l) {
    static const extent one = {false, 1};
    char message[TABLES_MESSAGE];
    filter f = {0};
    (void)filter_add(&f, "op=dyt part=layer status=ok|unstable", message);
    while (filter_next(&f, run, RUN_TABLE_LAYERS, &l->row)) {
        l->native = filter_default(l->row) > 0 ? native_row(run, l->row) : (table_row){0};
        if (!row_is(l->native))
            continue;
        const arm subject = {.layer = l->row}, own = {.layer = l->native};
        asking k = {.run = run, .method = ""};
        l->share = norm_share(&k, &own, one);
        l->norms = norm_change(&k, &subject, &own, one);
        l->layer = total_change(&k, &subject, &own, one);
        l->method = isnan(l->layer.median) ? "" : k.method;
        l->in_place = row_interval(l->row, "norm_delta", "_pct");
        l->total = row_interval(l->row, "delta_to_native", "_pct");
        return true;
    }
    return false;
}

// ---- Table

static void write_layer(csv_writer *w, const native_layer *l, const char *const *columns, size_t count) {
    const stats_interval *const values[] = {&l->share, &l->norms, &l->layer, &l->in_place, &l->total};
    char text[INTERVAL_TEXT];
    csv_int(w, 1);
    for (size_t i = 0; i < count; i++)
        csv_text(w, row_text(l->row, columns[i]));
    csv_text(w, row_text(l->native, "op"));
    csv_text(w, l->method);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        csv_real(w, values[i]->median, 6);
        csv_real(w, values[i]->lo, 6);
        csv_real(w, values[i]->hi, 6);
        csv_text(w, isnan(values[i]->median) ? "" : interval_text(text, values[i], "", interval_decimals(values[i])));
    }
    csv_end(w);
}

int natives_write(const void *run, const char *path) {
    static const char *const columns[] = {"run_id",          "op",        "variant",       "form",  "level", "dtype",
                                          "threads",         "placement", "model",         "phase", "batch", "tokens",
                                          "context",         "part",      "stage",         "rows",  "cols",  "scaled",
                                          "rest_equivalent", "status",    "time_ns_median"};
    static const char *const values[] = {"share", "norms", "layer", "in_place", "total"};
    static const char *const ends[] = {"_pct", "_lo95", "_hi95", "_text"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    native_layer l = {0};
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    csv_text(&w, "schema_version");
    for (size_t i = 0; i < COLUMNS; i++)
        csv_text(&w, columns[i]);
    csv_text(&w, "native");
    csv_text(&w, "method");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
            char name[32];
            snprintf(name, sizeof name, "%s%s", values[i], ends[k]);
            csv_text(&w, name);
        }
    csv_end(&w);
    while (next_layer(run, &l))
        write_layer(&w, &l, columns, COLUMNS);
    return csv_close(&w);
}

// ---- Markdown

static void print_layer(FILE *out, const native_layer *l) {
    const table_row row = l->row;
    const char *const phase = row_text(row, "phase"), *const model = row_text(row, "model");
    const bool decodes = strcmp(phase, "decode") == 0, wide = strncmp(model, "convnext", 8) == 0;
    char of_share[INTERVAL_TEXT], of_norms[INTERVAL_TEXT], of_layer[INTERVAL_TEXT];
    fprintf(out, "| %s%s%s | %s, %s x %s%s%s%s | %s | %s | %s | %s | %s | %s%s |\n", model, wide ? ", width " : "",
            wide ? row_text(row, "cols") : "", natives_phase(phase), row_text(row, "batch"), row_text(row, "tokens"),
            decodes ? " after " : "", decodes ? row_text(row, "context") : "",
            strcmp(row_text(row, "scaled"), "1") == 0 ? ", SCALED" : "", row_text(row, "dtype"), row_text(row, "form"),
            row_text(l->native, "op"), natives_percent(of_share, &l->share), natives_percent(of_norms, &l->norms),
            natives_percent(of_layer, &l->layer),
            strcmp(row_text(row, "rest_equivalent"), "0") == 0 ? " (interaction)" : "");
}

void natives_print(const run_tables *run, FILE *out) {
    native_layer l = {0};
    bool any = false;
    fputs("### DyT against each model's own norm, one layer\n\n"
          "Change of the norms' time and of the layer's time, in percent, with 95 % intervals; below zero DyT is "
          "faster. In form add_fused the residual add counts as part of the norm. The authors timed LLaMA 7B alone.\n\n"
          "| model | phase | dtype | form | own norm | its share of the layer | norms | layer |\n"
          "|---|---|---|---|---|---|---|---|\n",
          out);
    for (; next_layer(run, &l); any = true)
        print_layer(out, &l);
    if (!any)
        fputs("\nNot measured: layers.csv has no layer with both DyT and the model's own norm.\n", out);
}
