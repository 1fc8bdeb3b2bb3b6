// SPDX-License-Identifier: MIT
// verdict_questions.c: what the questions that a run answers look like: a line for each row that answers one. Those of
// layers stand in words in answers.c.
#include <math.h>
#include <string.h>

#include "answers.h"
#include "base/interval.h"
#include "measure/subject.h"
#include "plan/cell.h"
#include "schema.h"
#include "verdicts.h"

static const column_type column_outcome = {.word = verdict_at};
COLUMN_WORDS(judged, "kernels", "layers")
static const char *quantity_word(size_t index) { return index < ASKED ? asked_name((asked)index) : NULL; }
static const char *which_word(size_t index) { return index < WHICHES ? which_name((which_rows)index) : NULL; }
COLUMN_WORDS(unit, "%", "1")
static const column_type column_quantity = {.word = quantity_word}, column_which = {.word = which_word},
                         column_variants = {.pattern = "[a-z0-9_|]+"};

static bool has_bounds(const question *q) {
    return !isnan(q->holds.lo) || !isnan(q->holds.hi) || !isnan(q->holds.expected);
}

// What is asked about: of kernels as it was asked, of a row of layers that answers what it is.
static column_value of_subject(const verdict_row *r, const char *column) {
    const bool of_layers = strcmp(row_text(r->q->row, "table"), "layers") == 0;
    return of_layers ? value_found(r, column) : value_text(filter_value(&r->q->subject, column));
}

#define ROW verdict_row
#define NAMES(X)                                                                                                       \
    X(REQUIRED, id, name, NULL, value_asked(r, "id"), "Name of the question.")                                         \
    X(REQUIRED, question, text, NULL, value_asked(r, "question"), "What is asked, as a list or a figure calls it.")    \
    X(REQUIRED, unit, unit, NULL, value_asked(r, "unit"), "% or 1, a ratio.")
#define ASKING(X)                                                                                                      \
    X(REQUIRED, table, judged, NULL, value_asked(r, "table"), "The table of a run that answers it.")                   \
    X(REQUIRED, quantity, quantity, NULL, value_asked(r, "quantity"),                                                  \
      "time_ratio: time over time. norm_share, total_change: as in claims.csv. call: what a call of a norm takes by "  \
      "whole layers over what it takes by the clock around it. composition: time of a model's parts, measured apart, " \
      "over that of the whole. timing_cost: share of the time that timing each step takes. peak_fraction: rate of "    \
      "the products over the peak of the CPU's units for them.")                                                       \
    VERDICT_WHICH_COLUMNS(X)
#define OF_ROWS(X)                                                                                                     \
    X(OPTIONAL, which, which, NULL, value_asked(r, "which"),                                                           \
      "Of which of the rows that fit it is asked. Empty or one: of the one that is meant, as in claims.csv. Of "       \
      "layers alone: each; least and most: the one with the least or largest value.")                                  \
    X(OPTIONAL, expected, real, "{unit}", value_asked(r, "expected"),                                                  \
      "What the value should be: if the whole interval lies beside it, it does not hold.")
#define ANSWER(X)                                                                                                      \
    X(OPTIONAL, verdict, outcome, NULL, value_if(has_bounds(r->q), value_text(verdict_name(r->f->verdict))),           \
      "What the interval allows to say; empty: nothing was to be held against it.")                                    \
    X(OPTIONAL, method, text, NULL, value_text(r->f->method),                                                          \
      "How the value was made: paired, from samples taken in turns, or by times; of layers as in verdicts.csv.")       \
    X(OPTIONAL, op, op, NULL, of_subject(r, "op"), "The op that is asked about.")                                      \
    X(OPTIONAL, variant, variants, NULL, of_subject(r, "variant"), "Its variant; several, a|b, if any will do.")       \
    X(OPTIONAL, against, name, NULL, value_text(filter_value(&r->q->baseline, "op")),                                  \
      "The op that it is held against; native: the own norm of the row's model.")                                      \
    X(OPTIONAL, pass, pass, NULL, value_found(r, "pass"), "Of the row that answers: forward or backward.")             \
    X(OPTIONAL, form, form, NULL, value_found(r, "form"), "Its form.")                                                 \
    X(OPTIONAL, level, name, NULL, value_found(r, "level"), "Its level.")                                              \
    X(OPTIONAL, dtype, dtype, NULL, value_found(r, "dtype"), "Its storage type.")                                      \
    X(OPTIONAL, rows, count, "{row}", value_found(r, "rows"), "Its rows, tokens.")                                     \
    X(OPTIONAL, cols, count, "{column}", value_found(r, "cols"), "Its columns, the normalized axis.")                  \
    X(OPTIONAL, threads, ordinal, "{thread}", value_found(r, "threads"), "Its threads.")                               \
    X(OPTIONAL, why, text, NULL, value_if(r->f->runs == 0, value_text(r->f->why)), "Why there is no value.")           \
    X(OPTIONAL, model, name, NULL, value_found(r, "model"), "Of a row of layers, its model.")                          \
    X(OPTIONAL, phase, name, NULL, value_found(r, "phase"), "Its phase.")                                              \
    X(OPTIONAL, part, name, NULL, value_found(r, "part"), "Its part.")                                                 \
    X(OPTIONAL, stage, count, NULL, value_found(r, "stage"), "Its stage, of models that have stages.")                 \
    X(OPTIONAL, batch, ordinal, "{sequence}", value_found(r, "batch"), "Its sequences.")                               \
    X(OPTIONAL, tokens, ordinal, "{token}", value_found(r, "tokens"), "Tokens of each.")                               \
    X(OPTIONAL, context, count, "{token}", value_found(r, "context"), "decode: tokens before.")                        \
    X(OPTIONAL, depth, count, "{layer}", value_found(r, "depth"), "Its layers.")                                       \
    X(OPTIONAL, repeats, count, "{call}", value_found(r, "repeats"), "Its norm calls per site.")
COLUMN_OWN_LIST(name_columns, NAMES)
COLUMN_OWN_LIST(asking_columns, ASKING)
COLUMN_OWN_LIST(here_columns, VERDICT_HERE_COLUMNS)
COLUMN_OWN_LIST(holds_columns, VERDICT_HOLDS_COLUMNS)
COLUMN_OWN_LIST(row_columns, OF_ROWS)
COLUMN_OWN_LIST(answer_columns, ANSWER)
COLUMN_OWN_LIST(peer_columns, VERDICT_PEER_COLUMNS)

// Of a ratio of kernels' times.
static column_value value_bound(const verdict_row *r, table_row row, const char *column) {
    return value_if(r->q->what == ASKED_TIME_RATIO, value_text(row_text(row, column)));
}
#define BOUND_COLUMNS(X)                                                                                               \
    X(OPTIONAL, bound, name, NULL, value_bound(r, r->f->subject, "bound"),                                             \
      "What bounds the row that answers, as in kernels.csv.")                                                          \
    X(OPTIONAL, bound_fraction, amount, "1", value_bound(r, r->f->subject, "bound_fraction"),                          \
      "How near it is to that: below 0.85 it is not at its limit, and the answer is one about this kernel.")           \
    X(OPTIONAL, against_bound, name, NULL, value_bound(r, r->f->baseline, "bound"),                                    \
      "What bounds the row that it is held against.")                                                                  \
    X(OPTIONAL, against_bound_fraction, amount, "1", value_bound(r, r->f->baseline, "bound_fraction"),                 \
      "How near that is to it.")
COLUMN_OWN_LIST(bound_columns, BOUND_COLUMNS)

COLUMN_TABLE(questions, "published/questions.csv",
             "The questions that the summary of a run of kernels or layers answers: where DyT wins.",
             COLUMN_PART(name_columns), COLUMN_PART(asking_columns), COLUMN_PART(row_columns),
             COLUMN_PART(holds_columns))
COLUMN_TABLE(pairs, "published/pairs.csv",
             "Questions whose answers stand beside what others published: DyT over a norm in bf16.",
             COLUMN_PART(name_columns), COLUMN_PART(asking_columns), COLUMN_PART(holds_columns))
COLUMN_TABLE(answers, "*/*/paper/answers.csv",
             "What a run answers to a table of questions, such as questions.csv or pairs.csv.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(name_columns), COLUMN_PART(here_columns),
             COLUMN_PART(holds_columns), COLUMN_PART(answer_columns), {row_columns + 1, 1, NULL},
             COLUMN_PART(peer_columns), COLUMN_PART(bound_columns))

// A ratio of times in words: only what the interval shows.
static void print_ratio(FILE *out, const question *q, const stats_interval *i, verdict v, const char *end) {
    static const char *const words[] = {"DyT wins: ", "DyT loses:", "no difference shown:", "no difference:"};
    const char *const other = filter_value(&q->baseline, "op");
    const int decimals = judge_decimals(i, &q->holds);
    char number[INTERVAL_TEXT], lo[INTERVAL_TEXT], hi[INTERVAL_TEXT];
    const char *const text = interval_number(number, i->median, decimals);
    if (interval_known(i))
        fprintf(out, "%s %*s times the time of %s [%s, %s]%s\n", words[v], v == VERDICT_CANNOT_TELL ? 0 : 5, text,
                other, interval_number(lo, i->lo, decimals), interval_number(hi, i->hi, decimals), end);
    else
        fprintf(out, "%5s times the time of %s (too few launches for an interval)%s\n", text, other, end);
}

// What a ratio is of; a row of kernels.csv or of peers.csv.
static void print_row(FILE *out, const char *name, table_row row, const char *form) {
    const char *const threads = row_text(row, "threads");
    char size[64];
    snprintf(size, sizeof size, "%sx%s", row_text(row, "rows"), row_text(row, "cols"));
    fprintf(out, "%-23s %-8s %-4s %-9s %-11s %s thread%s  ", name, row_text(row, "pass"), row_text(row, "dtype"), form,
            size, threads, strcmp(threads, "1") == 0 ? " " : "s");
}

// PyTorch's own stands below ours, or why it does not.
static void print_peer(FILE *out, const question *q, const peer_ratio *p) {
    char version[64], name[80], end[64];
    if (p->why != NULL)
        fprintf(out, "  PyTorch               none: %s\n", p->why);
    if (isnan(p->value.median))
        return;
    snprintf(name, sizeof name, "  PyTorch %s", peer_ratio_version(p, version, sizeof version));
    snprintf(end, sizeof end, "%s, by peers.csv", peer_ratio_heap(p));
    print_row(out, name, p->row, peer_ratio_how(p));
    print_ratio(out, q, &p->value, judge_place(&p->value, &q->holds), end);
}

static void print_kernel(FILE *out, const verdict_row *r) {
    const question *const q = r->q;
    char bounds[ANSWER_BOUNDS], end[ANSWER_BOUNDS + 2];
    snprintf(end, sizeof end, "%s%s", *answer_bounds(r->f, bounds) == '\0' ? "" : "; ", bounds);
    print_row(out, row_text(q->row, "question"), r->f->subject, row_text(r->f->subject, "form"));
    print_ratio(out, q, &r->f->value, r->f->verdict, end);
    print_peer(out, q, &r->f->peer);
}

static void print(FILE *out, const verdict_row *r) {
    if (strcmp(row_text(r->q->row, "table"), "layers") == 0)
        layers_answer_print(out, r);
    else
        print_kernel(out, r);
}

static const char *heading(const question *q) {
    return strcmp(row_text(q->row, "table"), "layers") == 0
               ? layers_answer_heading(q->what)
               : "Where DyT wins on this machine: its time over that of the norm it would replace, at the best level";
}

const verdict_list verdict_questions = {.table = &answers_table, .heading = heading, .print = print};

void answers_print_run(const observations *all, FILE *out, const run *r) {
    char message[TABLES_MESSAGE];
    run_tables tables = {0};
    verdicts v = {0};
    (void)all;
    if (run_tables_read(&tables, r->folder, message) &&
        verdicts_make(&v, VERDICT_TABLE_QUESTIONS, NULL, &tables, 1, message))
        (void)verdicts_print(&v, out);
    else
        cli_complain(r->subject->command, "%s", message);
    verdicts_free(&v);
    run_tables_free(&tables);
}
