// SPDX-License-Identifier: MIT
// validation_table.c: what is told of a validation: validation.csv, validation_rows.csv, and words for people.
#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "measure/run.h"
#include "plan/cell.h"
#include "schema.h"
#include "validation.h"

static const char *kind_word(size_t i) {
    return i < VALIDATION_KINDS ? validation_kind_name((validation_kind)i) : NULL;
}
static const char *property_word(size_t i) {
    return i < VALIDATION_PROPERTIES ? validation_property_name((validation_property)i) : NULL;
}
static const char *reached_word(size_t i) { return i < VERDICTS ? verdict_name((verdict)i) : NULL; }
static const char *called_word(size_t i) { return i < AB_VERDICTS ? ab_verdict_name((ab_verdict)i) : NULL; }
static const column_type column_gates = {.word = kind_word}, column_property = {.word = property_word},
                         column_reached = {.word = reached_word}, column_called = {.word = called_word};

enum { SHARE_DIGITS = 4 };

// ---- validation.csv

#define KIND(ID, name, meaning) #name ": " meaning ". "
#define PROPERTY(ID, name, meaning) #name ": " meaning ". "
// As cell_name has it.
static const column_type column_row_name = {.pattern = "[a-zA-Z0-9_./-]+"};

#define ROW validation_finding
#define FINDING_COLUMNS(X)                                                                                             \
    X(OPTIONAL, machine_id, id, NULL, value_text(r->machine_id), "The machine; empty of several.")                     \
    X(REQUIRED, property, property, NULL, value_text(validation_property_name(r->property)),                           \
      "What is counted. " VALIDATION_PROPERTY_LIST(PROPERTY))                                                          \
    X(REQUIRED, gates, gates, NULL, value_text(validation_kind_name(r->kind)),                                         \
      "Of which gates. " VALIDATION_KIND_LIST(KIND))                                                                   \
    X(OPTIONAL, inject_pct, amount, "%", value_real(r->inject_pct, 9), "The extra work.")                              \
    X(OPTIONAL, launches, ordinal, "{launch}", value_if(r->launches > 0, value_size(r->launches)),                     \
      "Launches of an interval, where that is not as the gate has it: as many of its first 20 as there are, taken "    \
      "apart into so many at a time.")                                                                                 \
    X(REQUIRED, trials, ordinal, NULL, value_size(r->trials), "How many there were.")                                  \
    X(REQUIRED, hits, count, NULL, value_size(r->hits), "Of them those that are as the property says.")                \
    X(REQUIRED, share_pct, amount, "%", value_real(r->share.median, SHARE_DIGITS), "hits over trials.")                \
    X(REQUIRED, share_lo95, amount, "%", value_real(r->share.lo, SHARE_DIGITS),                                        \
      "Lower end of the exact 95 % interval (Clopper and Pearson) of their probability. Trials of one gate share its " \
      "launches, so that it is rather too narrow.")                                                                    \
    X(REQUIRED, share_hi95, amount, "%", value_real(r->share.hi, SHARE_DIGITS), "Upper end of the same interval.")     \
    X(OPTIONAL, goal_least_pct, amount, "%", value_real(r->goal.lo, SHARE_DIGITS),                                     \
      "The share is to be at least this (100: in ten trials or more without a miss),")                                 \
    X(OPTIONAL, goal_most_pct, amount, "%", value_real(r->goal.hi, SHARE_DIGITS),                                      \
      "and at most this; 0: it is never to happen.")                                                                   \
    X(OPTIONAL, reached, reached, NULL,                                                                                \
      value_if(validation_has_goal(r), value_text(verdict_name(validation_reached(r)))),                               \
      "holds: the whole interval lies within the goal, or what is never to happen did not. does not hold: all of it "  \
      "lies outside. cannot tell: more trials would.")                                                                 \
    X(OPTIONAL, estimate_pct, real, "%", value_real(r->estimate.median, SHARE_DIGITS),                                 \
      "Where something was injected: the median of the changes that were measured.")                                   \
    X(OPTIONAL, estimate_lo95, real, "%", value_real(r->estimate.lo, SHARE_DIGITS),                                    \
      "Lower end of its exact 95 % interval.")                                                                         \
    X(OPTIONAL, estimate_hi95, real, "%", value_real(r->estimate.hi, SHARE_DIGITS), "Upper end of the same interval.")
COLUMN_OWN_LIST(finding_columns, FINDING_COLUMNS)
#undef ROW
COLUMN_TABLE(validation, "*/*/validation.csv",
             "How often the gate was right where the truth is known, as `normbench validation` counts it.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(finding_columns))

// ---- validation_rows.csv

typedef struct {
    const validation *all;
    const validation_row *row;
} line;

#define ROW line
#define ROW_COLUMNS(X)                                                                                                 \
    X(REQUIRED, machine_id, id, NULL, value_text(r->all->gates[r->row->gate].machine_id), "The machine.")              \
    X(REQUIRED, gate, id, NULL, value_text(r->all->gates[r->row->gate].name), "The gate: its kind and number.")        \
    X(REQUIRED, gates, gates, NULL, value_text(validation_kind_name(r->all->gates[r->row->gate].kind)),                \
      "Its kind, as validation.csv has it.")                                                                           \
    X(REQUIRED, op, op, NULL, value_text(r->row->op), "The row's op.")                                                 \
    X(REQUIRED, row, row_name, NULL, value_text(r->row->name), "The row's name.")                                      \
    X(REQUIRED, inject_pct, amount, "%", value_real(r->row->inject_pct, 9), "The extra work.")                         \
    X(REQUIRED, verdict, called, NULL, value_text(ab_verdict_name(r->row->verdict)), "As ab.csv has it.")              \
    X(OPTIONAL, change_pct, real, "%", value_real(r->row->change.median, SHARE_DIGITS), "Likewise.")                   \
    X(OPTIONAL, change_lo95, real, "%", value_real(r->row->change.lo, SHARE_DIGITS), "Likewise.")                      \
    X(OPTIONAL, change_hi95, real, "%", value_real(r->row->change.hi, SHARE_DIGITS), "Likewise.")                      \
    X(OPTIONAL, p_value, fraction, "1", value_real(r->row->p_value, 3), "Likewise.")                                   \
    X(REQUIRED, launches, count, "{launch}", value_size(r->row->launches), "Likewise.")                                \
    X(REQUIRED, confirming, count, "{launch}", value_size(r->row->confirming), "Likewise.")                            \
    X(OPTIONAL, norm_share, fraction, "1", value_real(r->row->norm_share, SHARE_DIGITS),                               \
      "Of norms in layers, as ab_layers.csv has it.")                                                                  \
    X(OPTIONAL, added_pct, real, "%", value_real(r->row->added_pct, SHARE_DIGITS), "Likewise.")                        \
    X(OPTIONAL, layer_pct, real, "%", value_real(r->row->layer_pct, SHARE_DIGITS), "Likewise.")                        \
    X(OPTIONAL, added_layer_pct, real, "%", value_real(r->row->added_layer_pct, SHARE_DIGITS), "Likewise.")
COLUMN_OWN_LIST(row_columns, ROW_COLUMNS)
#undef ROW
COLUMN_TABLE(validation_rows, "*/*/validation_rows.csv", "One row per row that a gate of a validation judged.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(row_columns))

static void write_rows(csv_writer *w, const void *what) {
    const validation *const v = what;
    for (size_t i = 0; i < v->row_count; i++)
        (void)columns_write_row(w, &validation_rows_table, &(line){v, &v->rows[i]}); // told when it is closed
}

int validation_write_rows(const void *what, const char *path) {
    return columns_write(path, &validation_rows_table, write_rows, what);
}

// ---- validation_gates.csv

typedef struct {
    const validation_gate *gate;
    validation_counts counts;
} gate_line;

#define ROW gate_line
#define GATE_COLUMNS(X)                                                                                                \
    X(OPTIONAL, machine_id, id, NULL, value_text(r->gate->machine_id), "The machine.")                                 \
    X(REQUIRED, gate, id, NULL, value_text(r->gate->name), "The gate: its kind and number.")                           \
    X(REQUIRED, gates, gates, NULL, value_text(validation_kind_name(r->gate->kind)),                                   \
      "Its kind, as validation.csv has it.")                                                                           \
    X(REQUIRED, exit, count, NULL, value_size(r->gate->exit), "What it ended with.")                                   \
    X(OPTIONAL, seconds, amount, "s", value_real(r->gate->seconds, 9),                                                 \
      "How long it took, with what was done before it was taken up, without what was built.")                          \
    X(REQUIRED, rows, count, NULL, value_size(r->counts.rows), "Rows that it judged and measured.")                    \
    X(REQUIRED, slower, count, NULL, value_size(r->counts.slower), "Of them those that it called slower.")             \
    X(REQUIRED, slower_unchanged, count, NULL, value_size(r->counts.unchanged),                                        \
      "Of these those of which nothing had changed.")                                                                  \
    X(REQUIRED, disturbed, flag, NULL, value_size(r->gate->disturbed),                                                 \
      "1 if it said that no verdict stands, for the measurement was disturbed, else 0.")
COLUMN_OWN_LIST(gate_columns, GATE_COLUMNS)
#undef ROW
COLUMN_TABLE(validation_gates, "*/*/validation_gates.csv", "One row per gate of a validation.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(gate_columns))

static void write_gates(csv_writer *w, const void *what) {
    const validation *const v = what;
    for (size_t i = 0; i < v->gate_count; i++)
        (void)columns_write_row(w, &validation_gates_table, &(gate_line){&v->gates[i], validation_count(v, i)});
}

int validation_write_gates(const void *what, const char *path) {
    return columns_write(path, &validation_gates_table, write_gates, what);
}

// ---- For people

// "found, 5 %", "excludes_truth, 6 launches"
static void describe(const validation_finding *f, char *text, size_t size) {
    const size_t used = (size_t)snprintf(text, size, "%s", validation_property_name(f->property));
    if (!isnan(f->inject_pct))
        snprintf(text + used, size - used, ", %g %%", f->inject_pct);
    else if (f->launches > 0)
        snprintf(text + used, size - used, ", %zu launches", f->launches);
}

static void describe_goal(const validation_finding *f, char *text, size_t size) {
    const judge_bounds *const g = &f->goal;
    if (fpclassify(g->hi) == FP_ZERO)
        snprintf(text, size, "never");
    else if (g->lo >= 100)
        snprintf(text, size, "all of %d", VALIDATION_PULLS);
    else if (!isnan(g->lo) && !isnan(g->hi))
        snprintf(text, size, "%g to %g %%", g->lo, g->hi);
    else if (validation_has_goal(f))
        snprintf(text, size, "%s %.3g %%", isnan(g->lo) ? "at most" : "at least", isnan(g->lo) ? g->hi : g->lo);
    else
        snprintf(text, size, "-");
}

static const char *answer(const validation_finding *f) {
    static const char *const words[VERDICTS] = {
        [VERDICT_HOLDS] = "reached", [VERDICT_DOES_NOT_HOLD] = "missed", [VERDICT_CANNOT_TELL] = "cannot tell yet"};
    return validation_has_goal(f) ? words[validation_reached(f)] : "-";
}

static void print_finding(FILE *out, const validation_finding *f, bool markdown) {
    char what[64], goal[40], share[INTERVAL_TEXT], estimate[INTERVAL_TEXT] = "";
    describe(f, what, sizeof what);
    describe_goal(f, goal, sizeof goal);
    interval_text(share, &f->share, "%", f->share.hi < 1 ? 2 : 1);
    if (!isnan(f->estimate.median))
        interval_text(estimate, &f->estimate, "%", 2);
    fprintf(out,
            markdown ? "| %s | %s | %zu | %zu | %s | %s | %s | %s |\n" : "%-26s %-9s %6zu %6zu  %-24s %-15s %-16s %s\n",
            what, validation_kind_name(f->kind), f->trials, f->hits, share, goal, answer(f), estimate);
}

// The changes of its rows, from the least to the most.
static void describe_changes(const validation *v, size_t gate, char *text, size_t size) {
    double least = NAN, most = NAN;
    for (size_t i = 0; i < v->row_count; i++)
        if (v->rows[i].gate == gate && !isnan(v->rows[i].change.median)) {
            least = fmin(least, v->rows[i].change.median);
            most = fmax(most, v->rows[i].change.median);
        }
    text[0] = '\0';
    if (!isnan(least))
        snprintf(text, size, "%.1f to %.1f %%", least, most);
}

static void print_gate(FILE *out, const validation *v, size_t i, bool markdown) {
    const validation_gate *const g = &v->gates[i];
    const validation_counts c = validation_count(v, i);
    char seconds[32] = "", changes[64];
    if (!isnan(g->seconds))
        snprintf(seconds, sizeof seconds, "%.0f s", g->seconds);
    describe_changes(v, i, changes, sizeof changes);
    fprintf(out, markdown ? "| %s | %zu | %s | %zu | %zu | %zu | %s |\n" : "%-18s %5zu %8s %6zu %7zu %10zu  %s\n",
            g->name, g->exit, seconds, c.rows, c.slower, c.unchanged, changes);
}

// Pull requests gate by gate, for each is a story of its own.
static void print_pulls(FILE *out, const validation *v, bool markdown) {
    bool any = false;
    for (size_t i = 0; i < v->gate_count; i++) {
        if (v->gates[i].kind != VALIDATION_PULL_SLOWER && v->gates[i].kind != VALIDATION_PULL_README)
            continue;
        if (!any)
            fputs(markdown ? "\n| gate | exit | time | rows timed | slower | slower, unchanged | change |\n"
                             "|---|---:|---:|---:|---:|---:|---|\n"
                           : "\ngate                exit     time   rows  slower  unchanged  change\n",
                  out);
        any = true;
        print_gate(out, v, i, markdown);
    }
}

void validation_print(FILE *out, const void *what, bool markdown) {
    const validation *const v = what;
    if (markdown)
        fputs("| property | gates | trials | hits | share | goal | reached | median change |\n"
              "|---|---|---:|---:|---|---|---|---|\n",
              out);
    else
        fprintf(out, "%-26s %-9s %6s %6s  %-24s %-15s %-16s %s\n", "property", "gates", "trials", "hits", "share",
                "goal", "reached", "median change");
    for (size_t i = 0; i < v->finding_count; i++)
        print_finding(out, &v->findings[i], markdown);
    print_pulls(out, v, markdown);
    fprintf(out, "\n%zu gate%s, %zu rows", v->gate_count, v->gate_count == 1 ? "" : "s", v->row_count);
    if (v->unfinished > 0)
        fprintf(out, "; %zu unfinished left out", v->unfinished);
    fputs("\n", out);
}
