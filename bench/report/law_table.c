// SPDX-License-Identifier: MIT
// law_table.c: what is told of the law (law.h): law.csv, predictions.csv, and both for people.
#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "base/parse.h"
#include "law.h"
#include "measure/run.h"
#include "plan/cell.h"
#include "schema.h"

enum { DIGITS = 4 };

// ---- Layers

static column_value value_row(const law_row *r, const char *column) {
    return value_text(row_text(r->layer.native, column));
}
static const stats_interval *share_of(const law_row *r) { return &r->layer.values[NATIVE_SHARE]; }
static double ratio_of(const law_row *r) { return r->predicted / share_of(r)->median; }

COLUMN_WORDS(phase, "prefill", "decode", "train")
static const column_type column_percent = {COLUMN_NUMBER, 0, 100, NULL, NULL};

#define COST "What a normed element costs, in operations that the products would do meanwhile (c): "
#define ROW law_row
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, machine_id, id, NULL, value_text(r->run->machine_id), "The machine.")                                  \
    X(REQUIRED, run_id, id, NULL, value_text(r->run->run_id), "The run that measured it, as in layers.csv.")           \
    X(REQUIRED, model, name, NULL, value_row(r, "model"), "The model.")                                                \
    X(REQUIRED, phase, phase, NULL, value_row(r, "phase"), "prefill, decode or train.")                                \
    X(REQUIRED, dtype, dtype, NULL, value_row(r, "dtype"), "Storage type.")                                            \
    X(REQUIRED, threads, ordinal, "{thread}", value_row(r, "threads"), "Threads in the team.")                         \
    X(REQUIRED, placement, placement, NULL, value_row(r, "placement"), "Where they were bound.")                       \
    X(REQUIRED, batch, ordinal, "{sequence}", value_row(r, "batch"), "Sequences.")                                     \
    X(REQUIRED, tokens, ordinal, "{token}", value_row(r, "tokens"), "Tokens of each.")                                 \
    X(OPTIONAL, context, count, "{token}", value_row(r, "context"), "decode: tokens before.")                          \
    X(OPTIONAL, stage, count, NULL, value_row(r, "stage"), "Stage of a model with stages, as in layers.csv.")          \
    X(REQUIRED, op, op, NULL, value_row(r, "op"), "The model's own norm, in form fused.")                              \
    X(REQUIRED, level, name, NULL, value_row(r, "level"), "Its level.")                                                \
    X(REQUIRED, flop_per_normed, amount, "FLOP", value_real(r->intensity, DIGITS),                                     \
      "Operations of the layer's products, attention and convolutions included, per element that its norms take "      \
      "going "                                                                                                         \
      "forward: I, counted from its steps.")                                                                           \
    X(OPTIONAL, normed_flop, amount, "FLOP", value_real(r->cost, DIGITS), COST "in this layer.")                       \
    X(OPTIONAL, bound_pct, percent, "%", value_real(r->bound, DIGITS),                                                 \
      "The most that the norms could take of this layer: 100 / (1 + flop_per_normed / normed_flop).")                  \
    X(REQUIRED, share_pct, percent, "%", value_median(*share_of(r)), "What they took, in place.")                      \
    X(OPTIONAL, share_lo95, percent, "%", value_lower(*share_of(r)), "Lower end of its 95 % interval.")                \
    X(OPTIONAL, share_hi95, percent, "%", value_upper(*share_of(r)), "Upper end of its 95 % interval.")                \
    X(OPTIONAL, others_flop, amount, "FLOP", value_real(r->others, DIGITS),                                            \
      COST "the median over the three layers of the run's other models, of the same phase, dtype and threads, whose "  \
           "norms' tensors are nearest in size. Empty: there is none.")                                                \
    X(OPTIONAL, predicted_pct, percent, "%", value_real(r->predicted, DIGITS),                                         \
      "The share that these others foretell: 100 / (1 + flop_per_normed / others_flop).")                              \
    X(OPTIONAL, predicted_ratio, amount, "1", value_real(ratio_of(r), DIGITS), "predicted_pct over share_pct.")        \
    COLUMN_INTERVAL(X, norms_pct, norms, real, "%", r->layer.values[NATIVE_NORMS],                                     \
                    "Change of the norms' time with DyT in their place.")                                              \
    COLUMN_INTERVAL(X, in_place_pct, in_place, real, "%", r->layer.values[NATIVE_IN_PLACE],                            \
                    "Change of the layer's time by that: of its norms alone, timed in place.")
COLUMN_OWN_LIST(law_columns, COLUMNS)
COLUMN_TABLE(
    law, "law.csv",
    "What norms can take of a layer, by operations of products per normed element: one row for each layer with "
    "its own norm, as `normbench predict` says.",
    {run_columns, RUN_VERSION, NULL}, COLUMN_PART(law_columns))
#undef ROW
#undef COLUMNS

// ---- What was asked for

static column_value value_group(const law_group *g, const char *column) {
    return value_text(row_text(g->first->layer.native, column));
}

#define ROW law_group
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, machine_id, id, NULL, value_text(r->first->run->machine_id), "The machine.")                           \
    X(REQUIRED, run_id, id, NULL, value_text(r->first->run->run_id), "The run that it is predicted from.")             \
    X(REQUIRED, phase, phase, NULL, value_group(r, "phase"), "prefill, decode or train.")                              \
    X(REQUIRED, dtype, dtype, NULL, value_group(r, "dtype"), "Storage type.")                                          \
    X(REQUIRED, threads, ordinal, "{thread}", value_group(r, "threads"), "Threads in the team.")                       \
    X(REQUIRED, models, count, NULL, value_size(r->models),                                                            \
      "Models of the run that tell what a normed element costs.")                                                      \
    X(OPTIONAL, normed_flop, amount, "FLOP", value_real(r->median, DIGITS), COST "the median over these models.")      \
    X(OPTIONAL, normed_flop_least, amount, "FLOP", value_real(r->least, DIGITS), "The least of their layers.")         \
    X(OPTIONAL, normed_flop_most, amount, "FLOP", value_real(r->most, DIGITS), "The most of their layers.")            \
    X(OPTIONAL, share_pct, percent, "%", value_real(r->asked, DIGITS), "What norms can take of the layer at most.")    \
    X(OPTIONAL, share_least_pct, percent, "%", value_real(r->asked_lo, DIGITS), "The same by the least cost.")         \
    X(OPTIONAL, share_most_pct, percent, "%", value_real(r->asked_hi, DIGITS), "The same by the largest.")             \
    X(OPTIONAL, change_least_pct, real, "%", value_real(r->change_lo, DIGITS),                                         \
      "Change of the layer with DyT, as far down as any of these models lets expect.")                                 \
    X(OPTIONAL, change_most_pct, real, "%", value_real(r->change_hi, DIGITS), "The same, as far up.")                  \
    X(OPTIONAL, furthest_ratio, amount, "1", value_real(r->furthest, DIGITS),                                          \
      "Of these models' layers, each predicted from the others: predicted over measured share, the furthest from 1. "  \
      "Empty: there is one model.")
COLUMN_OWN_LIST(prediction_columns, COLUMNS)
COLUMN_TABLE(predictions, "predictions.csv",
             "What norms could take of a layer that nobody timed: one row for each run, phase, "
             "dtype and number of "
             "threads, as `normbench predict` says.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(prediction_columns))

// ---- For people

// Three digits, without an exponent. Rounded first, for 0.9999 is 1.00, not 1.000.
static const char *number(char text[INTERVAL_TEXT], double value) {
    double rounded;
    snprintf(text, INTERVAL_TEXT, "%.2e", value);
    if (isnan(value) || !parse_real(text, &rounded))
        return strcpy(text, "-");
    return interval_number(text, rounded, interval_value_decimals(rounded, 3));
}

static const char *conditions(char text[INTERVAL_TEXT], const law_group *g) {
    const table_row row = g->first->layer.native;
    snprintf(text, INTERVAL_TEXT, "%.40s %.12s %.12s, %.8s thread%s", g->first->run->machine_id, row_text(row, "phase"),
             row_text(row, "dtype"), row_text(row, "threads"), strcmp(row_text(row, "threads"), "1") == 0 ? "" : "s");
    return text;
}

static void print_row(FILE *out, const law_row *r, bool markdown) {
    char name[96], of_i[INTERVAL_TEXT], of_share[INTERVAL_TEXT], of_predicted[INTERVAL_TEXT], of_ratio[INTERVAL_TEXT],
        of_change[INTERVAL_TEXT];
    const table_row row = r->layer.native;
    const bool staged = row_text(row, "stage")[0] != '\0';
    snprintf(name, sizeof name, "%.40s%s%.4s, %.8s x %.8s", row_text(row, "model"), staged ? " stage " : "",
             staged ? row_text(row, "stage") : "", row_text(row, "batch"), row_text(row, "tokens"));
    fprintf(out, markdown ? "| %s | %s | %s | %s | %s | %s |\n" : "  %-30s %10s  %9s  %-26s %6s  %s\n", name,
            number(of_i, r->intensity), number(of_predicted, r->predicted), natives_percent(of_share, share_of(r)),
            number(of_ratio, ratio_of(r)), natives_percent(of_change, &r->layer.values[NATIVE_IN_PLACE]));
}

static void print_layers(FILE *out, const law *l, bool markdown) {
    char where[INTERVAL_TEXT], median[INTERVAL_TEXT], least[INTERVAL_TEXT], most[INTERVAL_TEXT];
    for (size_t i = 0; i < l->count; i++) {
        const law_group *const g = &l->groups[l->rows[i].group];
        if (i == 0 || l->rows[i].group != l->rows[i - 1].group) {
            fprintf(out, "%s%s%s: a normed element costs %s operations of products (%s to %s)\n", i > 0 ? "\n" : "",
                    markdown ? "### " : "", conditions(where, g), number(median, g->median), number(least, g->least),
                    number(most, g->most));
            if (markdown)
                fputs("\n| layer | FLOP per normed element | share, predicted, % | measured | "
                      "ratio | with DyT |\n"
                      "|---|---:|---:|---|---:|---|\n",
                      out);
            else
                fprintf(out, "  %-30s %10s  %9s  %-26s %6s  %s\n", "layer", "FLOP/el", "predicted", "measured", "ratio",
                        "with DyT");
        }
        print_row(out, &l->rows[i], markdown);
    }
}

static void print_answer(FILE *out, const law_group *g, bool markdown) {
    char where[INTERVAL_TEXT], share[INTERVAL_TEXT], lo[INTERVAL_TEXT], hi[INTERVAL_TEXT], down[INTERVAL_TEXT],
        up[INTERVAL_TEXT], furthest[INTERVAL_TEXT], trust[2 * INTERVAL_TEXT];
    (void)conditions(where, g);
    snprintf(trust, sizeof trust, "s; each layer as others foretell it is at worst %s times what was measured",
             number(furthest, g->furthest));
    if (markdown)
        fprintf(out, "| %s | %s %% [%s, %s] | %s to %s %% | %zu | %s |\n", where, number(share, g->asked),
                number(lo, g->asked_lo), number(hi, g->asked_hi), number(down, g->change_lo), number(up, g->change_hi),
                g->models, number(furthest, g->furthest));
    else
        fprintf(
            out,
            "%s:\n  the norms take at most %s %% [%s, %s]; DyT changes the layer by %s to %s %%\n  by %zu model%s\n",
            where, number(share, g->asked), number(lo, g->asked_lo), number(hi, g->asked_hi),
            number(down, g->change_lo), number(up, g->change_hi), g->models,
            isnan(g->furthest) ? ", which no other foretells" : trust);
}

void law_print(FILE *out, const void *what, bool markdown) {
    const law *const l = what;
    if (l->count == 0)
        fputs("no layer with both DyT and the model's own norm in form fused: run make layers\n", out);
    if (!(l->normed > 0)) {
        print_layers(out, l, markdown);
        return;
    }
    if (markdown && l->count > 0)
        fputs("| where | norms, at most | with DyT | models | furthest |\n|---|---|---|---:|---:|\n", out);
    for (size_t i = 0; i < l->group_count; i++)
        print_answer(out, &l->groups[i], markdown);
}
