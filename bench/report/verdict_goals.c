// SPDX-License-Identifier: MIT
// verdict_goals.c: what the kernels reach of their goals: limits.csv, and a line for each goal.
#include <math.h>
#include <string.h>

#include "measure/run.h"
#include "schema.h"
#include "verdicts.h"

static const char *sense(const question *q) { return isnan(q->holds.lo) ? "at most" : "at least"; }
static const char *goal(const question *q) { return row_text(q->row, isnan(q->holds.lo) ? "holds_hi" : "holds_lo"); }

static const char *verdict_word(const finding *f) {
    return f->runs == 0 ? "no data" : f->verdict == VERDICT_HOLDS ? "reached" : "not reached";
}

// What a goal says of a column; of a class of rows, what the row says that is farthest from it.
static const char *said(const verdict_row *r, const char *column) {
    const char *const where = filter_value(&r->q->where, column);
    const bool found = r->q->which != WHICH_ONE && r->f->runs > 0;
    return found ? row_text(r->f->subject, column) : *where != '\0' ? where : filter_value(&r->q->subject, column);
}
static column_value value_where(const verdict_row *r, const char *column) { return value_text(said(r, column)); }
// A number, if the goal or the row says one.
static column_value count_where(const verdict_row *r, const char *column) {
    const char *const text = said(r, column);
    return value_if(*text != '\0' && text[strspn(text, "0123456789")] == '\0', value_text(text));
}

// ---- Columns

COLUMN_WORDS(unit, "1")
COLUMN_WORDS(judged, "kernels")
COLUMN_WORDS(quantity, "least_time", "least_speed", "least_cycles", "bound_fraction")
COLUMN_WORDS(which, "one", "least", "most")

typedef verdict_row goals_row; // columns of limits.csv have the same names
#define ROW goals_row
#define GOALS(X)                                                                                                       \
    X(REQUIRED, id, name, NULL, value_asked(r, "id"), "Name of the goal.")                                             \
    X(REQUIRED, goal, text, NULL, value_asked(r, "goal"), "What is measured: column measure of limits.csv.")           \
    X(REQUIRED, unit, unit, NULL, value_asked(r, "unit"), "1: a ratio, or cycles.")                                    \
    X(REQUIRED, table, judged, NULL, value_asked(r, "table"), "The table of a run that answers it.")                   \
    X(REQUIRED, quantity, quantity, NULL, value_asked(r, "quantity"),                                                  \
      "Of least times: least_time, time of an element over time; least_speed, bytes a second over those of the "       \
      "baseline; least_cycles, cycles an element of the row with the least time. bound_fraction: as in kernels.csv.")  \
    VERDICT_WHICH_COLUMNS(X)                                                                                           \
    X(OPTIONAL, holds_lo, real, "{unit}", value_asked(r, "holds_lo"),                                                  \
      "A run reaches the goal at this or above it, where it is not empty,")                                            \
    X(OPTIONAL, holds_hi, real, "{unit}", value_asked(r, "holds_hi"),                                                  \
      "and at this or below it. Two thirds of the runs must.")                                                         \
    X(OPTIONAL, bound, text, NULL, value_asked(r, "bound"), "What is known to bound it, where it is not reached.")     \
    X(OPTIONAL, which, which, NULL, value_asked(r, "which"),                                                           \
      "Of which of the rows that fit: one, the fastest, or the least or most of the fastest rows of each shape and "   \
      "team. Empty: one.")
COLUMN_OWN_LIST(goals_columns, GOALS)
COLUMN_TABLE(goals, "published/goals.csv",
             "What the kernels should reach, and what is known to bound it; judged by `make limits`.",
             COLUMN_PART(goals_columns))

#undef ROW
#define ROW verdict_row
#define LIMITS(X)                                                                                                      \
    X(REQUIRED, op, name, NULL, value_where(r, "op"), "The op that has a goal.")                                       \
    X(REQUIRED, variant, name, NULL, value_text(r->variant),                                                           \
      "Its variant; its twin `*_nt`, with other stores, stands in where it is faster.")                                \
    X(REQUIRED, dtype, text, NULL, value_where(r, "dtype"), "Storage type of every matrix, gamma and beta.")           \
    X(REQUIRED, pass, text, NULL, value_where(r, "pass"), "forward or backward.")                                      \
    X(OPTIONAL, rows, count, "{row}", count_where(r, "rows"),                                                          \
      "Rows, tokens; of a goal of many shapes those of the shape that is farthest from it.")                           \
    X(OPTIONAL, cols, count, "{column}", count_where(r, "cols"), "Columns, the normalized axis, likewise.")            \
    X(OPTIONAL, threads, count, "{thread}",                                                                            \
      value_if(r->threads[strspn(r->threads, "0123456789")] == '\0', value_text(r->threads)),                          \
      "Threads in the team. A single row below norm_whole_cols of norm.h runs on one of them.")                        \
    X(REQUIRED, measure, text, NULL, value_asked(r, "goal"),                                                           \
      "speed of identity, or of a library's op: bytes per second over those of it; time of an op: time over that of "  \
      "the op in its default variant. Of least times, each with whichever stores are faster. cycles an element: "      \
      "cycles_per_element, a median. part of the bound: bound_fraction of kernels.csv.")                               \
    X(REQUIRED, sense, text, NULL, value_text(sense(r->q)), "at least or at most.")                                    \
    X(REQUIRED, goal, amount, "1", value_text(goal(r->q)), "The goal, from published/goals.csv.")                      \
    X(OPTIONAL, reached, amount, "1", value_real(r->f->value.median, 3),                                               \
      "What was reached: the median over the runs.")                                                                   \
    X(OPTIONAL, reached_lo, amount, "1", value_real(r->f->value.lo, 3), "The least of the runs.")                      \
    X(OPTIONAL, reached_hi, amount, "1", value_real(r->f->value.hi, 3), "The largest of the runs.")                    \
    X(REQUIRED, runs, count, "{run}", value_size(r->f->runs), "Runs that have both ops.")                              \
    X(REQUIRED, verdict, text, NULL, value_text(verdict_word(r->f)),                                                   \
      "reached, by two thirds of the runs; not reached; no data.")                                                     \
    X(OPTIONAL, level, name, NULL, value_text(filter_value(&r->q->where, "level")),                                    \
      "The level that the goal is for; empty: the best that there is.")                                                \
    X(OPTIONAL, bound, name, NULL, value_found(r, "bound"),                                                            \
      "What bounds the row that answers, as in kernels.csv; of several runs that of the one that is farthest.")        \
    X(OPTIONAL, bound_fraction, amount, "1", value_found(r, "bound_fraction"), "How near that row is to it.")          \
    X(OPTIONAL, shapes, count, "{row}", value_if(r->q->which != WHICH_ONE, value_size(r->f->rows)),                    \
      "Of a goal of many shapes: rows that have a value, in the run with most.")
COLUMN_OWN_LIST(limits_columns, LIMITS)
COLUMN_TABLE(limits, "*/*/limits.csv", "What the kernels reach of the goals in published/goals.csv, by `make limits`.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(limits_columns))

// ---- Words

// Of several variants the first; threads=cores as a number.
static void prepare(verdict_row *r) {
    const char *const variant = filter_value(&r->q->subject, "variant"), *const threads = said(r, "threads");
    snprintf(r->variant, sizeof r->variant, "%.*s", (int)strcspn(variant, "|"), variant);
    if (strcmp(threads, "cores") == 0)
        snprintf(r->threads, sizeof r->threads, "%zu", r->cores);
    else
        snprintf(r->threads, sizeof r->threads, "%.20s", threads);
}

// Which row it is, or which class of rows, where nothing was measured.
static void name_row(const verdict_row *r, char *text, size_t size) {
    const question *const q = r->q;
    const char *const level = filter_value(&q->where, "level"), *const data = filter_value(&q->where, "data");
    const bool is_class = q->which != WHICH_ONE && r->f->runs == 0;
    char shape[64];
    if (is_class)
        snprintf(shape, sizeof shape, "every shape%s%.40s", *data == '\0' ? "" : " in ", data);
    else
        snprintf(shape, sizeof shape, "%.20sx%.20s, %.12s thread%s", said(r, "rows"), said(r, "cols"), r->threads,
                 strcmp(r->threads, "1") == 0 ? "" : "s");
    snprintf(text, size, "%s %s %s %s%s%s %s", filter_value(&q->subject, "op"), r->variant, said(r, "dtype"), level,
             *level == '\0' ? "" : " ", said(r, "pass"), shape);
}

static void print(FILE *out, const verdict_row *r) {
    const question *const q = r->q;
    const finding *const f = r->f;
    char text[256], reached[96] = "", shapes[48] = "";
    const char *const known = row_text(q->row, "bound"), *const bound = row_text(f->subject, "bound");
    name_row(r, text, sizeof text);
    if (f->runs > 0)
        snprintf(reached, sizeof reached, "%.3g [%.3g, %.3g]", f->value.median, f->value.lo, f->value.hi);
    if (f->runs > 0 && q->which != WHICH_ONE)
        snprintf(shapes, sizeof shapes, ", %s of %zu", which_name(q->which), f->rows);
    fprintf(out, "%-56s %-36s %-8s %-5s  %-22s %s%s\n", text, row_text(q->row, "goal"), sense(q), goal(q), reached,
            verdict_word(f), shapes);
    if (f->runs == 0 || f->verdict == VERDICT_HOLDS)
        return;
    if (*bound != '\0')
        fprintf(out, "    what bounds that row: %s, of which it reaches %s\n", bound,
                row_text(f->subject, "bound_fraction"));
    if (*known != '\0')
        fprintf(out, "    %s\n", known);
}

static void end(FILE *out, const verdicts *v, const size_t count[VERDICTS]) {
    fprintf(out, "%zu reached, %zu not, %zu without data; the median of %zu runs, [lowest, highest] over them\n",
            count[VERDICT_HOLDS], count[VERDICT_DOES_NOT_HOLD], count[VERDICT_CANNOT_TELL], v->runs);
}

const verdict_list verdict_goals = {
    .table = &limits_table, .prepare = prepare, .says_missing = true, .print = print, .end = end};
