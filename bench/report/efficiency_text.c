// SPDX-License-Identifier: MIT
// efficiency_text.c: the efficiency table in Markdown; see efficiency.h.
#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "efficiency.h"
#include "natives.h"

// ---- A table for each dtype and phase

static void print_value(FILE *out, const efficiency_arm *a, efficiency_value what) {
    const stats_interval ns = a->values[what].ns, *const change = &a->values[what].change;
    const stats_interval s = interval_of(ns.median / 1e9, ns.lo / 1e9, ns.hi / 1e9);
    char text[INTERVAL_TEXT];
    fputs(" | ", out);
    if (isnan(ns.median)) {
        fputs("-", out);
        return;
    }
    if (strcmp(a->op, "identity") == 0 && (what == EFFICIENCY_IN_PLACE || what == EFFICIENCY_BY_IDENTITY)) {
        fputs("0", out);
        return;
    }
    fputs(interval_text(text, &s, "s", interval_decimals(&s)), out);
    if (!isnan(change->median))
        fprintf(out, " (%s)", interval_known(change) ? natives_percent(text, change) : "change unknown");
}

static void print_published(FILE *out, const efficiency *e, const efficiency_arm *a, efficiency_value what) {
    const table_row row = efficiency_published(e, a, what);
    if (!row_is(row)) {
        fputs(" | -", out);
        return;
    }
    fprintf(out, " | %.6g s", efficiency_seconds(row).median);
    if (strcmp(a->op, "dyt") == 0)
        fprintf(out, " (%.1f %%)", efficiency_change(e, a, what).median);
}

static void print_arm(FILE *out, const efficiency *e, const efficiency_arm *a) {
    fprintf(out, "| %s | %s%s", *a->form == '\0' ? "any" : a->form, strcmp(a->op, "identity") == 0 ? "none" : a->op,
            a->coarse ? ", tanh for bf16 (lp)" : "");
    for (efficiency_value what = 0; what < EFFICIENCIES; what++)
        print_value(out, a, what);
    print_published(out, e, a, EFFICIENCY_IN_PLACE);
    print_published(out, e, a, EFFICIENCY_MODEL);
    fputs(" |\n", out);
}

// The row that says how this dtype and phase were measured.
static table_row measured(const efficiency *e, const efficiency_arm *a, char why[TABLES_MESSAGE]) {
    filter f = {0};
    char text[200];
    snprintf(text, sizeof text, "model=%s phase=%s dtype=%s part=layer", e->model, a->phase, a->dtype);
    return filter_add(&f, text, why) ? filter_find(&f, e->run, RUN_TABLE_LAYERS, why) : (table_row){0};
}

static void print_heading(FILE *out, const efficiency *e, const efficiency_arm *a, table_row row, const char *why) {
    const char *const tokens = row_text(row, "tokens");
    fprintf(out, "### LLaMA 7B, %s, %s", natives_phase(a->phase), a->dtype);
    if (row_is(row) && row_real(row, "tokens") < (double)e->tokens)
        fprintf(out, ": SCALED, %s tokens instead of %zu", tokens, e->tokens);
    else if (row_is(row))
        fprintf(out, ", %s tokens", tokens);
    if (!row_is(row))
        fprintf(out, "\n\nNot measured: %s.\n\n", why);
    else
        fprintf(
            out,
            "\n\nSeconds per pass with 95 %% intervals; %s threads. Norms are all %zu of the model, timed in place, "
            "and as the model less the model without norms, which is how the paper has them. A model is its ends "
            "and %zu times a layer. Published times are of the H100 in bf16. eager is ideal op by op, without what "
            "a framework adds; framework is op by op as PyTorch's eager mode runs it on a CPU.\n\n",
            row_text(row, "threads"), e->norms, e->layers);
    fputs("| form | norm | norms, in place | norms, by identity | one layer | model | published norms | published "
          "model |\n"
          "|---|---|---|---|---|---|---|---|\n",
          out);
}

// Why what is empty in the arms [begin, end) is: each reason once.
static void print_missing(FILE *out, const efficiency *e, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
        const char *const why = row_is(e->arms[i].arm.ends) ? "" : e->arms[i].values[EFFICIENCY_MODEL].why;
        bool said = *why == '\0';
        for (size_t k = begin; k < i && !said; k++)
            said = strcmp(e->arms[k].values[EFFICIENCY_MODEL].why, why) == 0;
        if (!said)
            fprintf(out, "Not measured: %s.\n\n", why);
    }
}

void efficiency_print(const efficiency *e, FILE *out) {
    char why[TABLES_MESSAGE];
    for (size_t begin = 0, end; begin < e->count; begin = end) {
        const efficiency_arm *const first = &e->arms[begin];
        const table_row row = measured(e, first, why);
        print_heading(out, e, first, row, why);
        for (end = begin; end < e->count && e->arms[end].dtype == first->dtype && e->arms[end].phase == first->phase;
             end++)
            print_arm(out, e, &e->arms[end]);
        fputc('\n', out);
        if (row_is(row))
            print_missing(out, e, begin, end);
    }
    natives_print(e->run, out);
}
