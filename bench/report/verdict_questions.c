// SPDX-License-Identifier: MIT
// verdict_questions.c: where DyT wins: a line for each question that a run of kernels answers.
#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "measure/run.h"
#include "plan/cell.h"
#include "schema.h"
#include "verdicts.h"

COLUMN_WORDS(outcome, "holds", "does not hold", "cannot tell")
COLUMN_WORDS(judged, "kernels")
COLUMN_WORDS(quantity, "time_ratio")
COLUMN_WORDS(unit, "1")
static const column_type column_variants = {.pattern = "[a-z0-9_|]+"};

#define ROW verdict_row
#define NAMES(X)                                                                                                       \
    X(REQUIRED, id, name, NULL, value_asked(r, "id"), "Name of the question.")                                         \
    X(REQUIRED, question, text, NULL, value_asked(r, "question"), "What is asked, as a list or a figure calls it.")    \
    X(REQUIRED, unit, unit, NULL, value_asked(r, "unit"), "1: a ratio.")
#define ASKING(X)                                                                                                      \
    X(REQUIRED, table, judged, NULL, value_asked(r, "table"), "The table of a run that answers it.")                   \
    X(REQUIRED, quantity, quantity, NULL, value_asked(r, "quantity"), "time_ratio: time over time.")                   \
    VERDICT_WHICH_COLUMNS(X)
#define ANSWER(X)                                                                                                      \
    X(REQUIRED, verdict, outcome, NULL, value_text(verdict_name(r->f->verdict)), "What the interval allows to say.")   \
    X(OPTIONAL, method, text, NULL, value_text(r->f->method),                                                          \
      "How the ratio was made: paired, from samples taken in turns, or by times.")                                     \
    X(REQUIRED, op, op, NULL, value_text(filter_value(&r->q->subject, "op")), "The op that is asked about.")           \
    X(REQUIRED, variant, variants, NULL, value_text(filter_value(&r->q->subject, "variant")),                          \
      "Its variant; several, a|b, if any will do.")                                                                    \
    X(REQUIRED, against, op, NULL, value_text(filter_value(&r->q->baseline, "op")), "The op that it is held against.") \
    X(OPTIONAL, pass, pass, NULL, value_found(r, "pass"), "Of the row that answers: forward or backward.")             \
    X(OPTIONAL, form, form, NULL, value_found(r, "form"), "Its form.")                                                 \
    X(OPTIONAL, level, name, NULL, value_found(r, "level"), "Its level.")                                              \
    X(OPTIONAL, dtype, dtype, NULL, value_found(r, "dtype"), "Its storage type.")                                      \
    X(OPTIONAL, rows, count, "{row}", value_found(r, "rows"), "Its rows, tokens.")                                     \
    X(OPTIONAL, cols, count, "{column}", value_found(r, "cols"), "Its columns, the normalized axis.")                  \
    X(OPTIONAL, threads, ordinal, "{thread}", value_found(r, "threads"), "Its threads.")                               \
    X(OPTIONAL, why, text, NULL, value_if(r->f->runs == 0, value_text(r->f->why)), "Why there is no value.")
COLUMN_OWN_LIST(name_columns, NAMES)
COLUMN_OWN_LIST(asking_columns, ASKING)
COLUMN_OWN_LIST(here_columns, VERDICT_HERE_COLUMNS)
COLUMN_OWN_LIST(holds_columns, VERDICT_HOLDS_COLUMNS)
COLUMN_OWN_LIST(answer_columns, ANSWER)
COLUMN_OWN_LIST(peer_columns, VERDICT_PEER_COLUMNS)
COLUMN_TABLE(questions, "published/questions.csv",
             "The questions that the summary of a run of kernels answers: where DyT wins.", COLUMN_PART(name_columns),
             COLUMN_PART(asking_columns), COLUMN_PART(holds_columns))
COLUMN_TABLE(pairs, "published/pairs.csv",
             "Questions whose answers stand beside what others published: DyT over a norm in bf16.",
             COLUMN_PART(name_columns), COLUMN_PART(asking_columns), COLUMN_PART(holds_columns))
COLUMN_TABLE(answers, "*/*/paper/answers.csv",
             "What a run answers to a table of questions, such as questions.csv or pairs.csv.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(name_columns), COLUMN_PART(here_columns),
             COLUMN_PART(holds_columns), COLUMN_PART(answer_columns), COLUMN_PART(peer_columns))

static void prepare(verdict_row *r) { (void)r; }

// A ratio of times in words: only what the interval shows.
static void print_ratio(FILE *out, const question *q, const stats_interval *i, verdict v, const char *heap) {
    static const char *const words[] = {"DyT wins: ", "DyT loses:", "no difference shown:"};
    const char *const other = filter_value(&q->baseline, "op");
    const int decimals = judge_decimals(i, q->holds_lo, q->holds_hi);
    char number[INTERVAL_TEXT], lo[INTERVAL_TEXT], hi[INTERVAL_TEXT];
    const char *const text = interval_number(number, i->median, decimals);
    if (interval_known(i))
        fprintf(out, "%s %*s times the time of %s [%s, %s]%s\n", words[v], v == VERDICT_CANNOT_TELL ? 0 : 5, text,
                other, interval_number(lo, i->lo, decimals), interval_number(hi, i->hi, decimals), heap);
    else
        fprintf(out, "%5s times the time of %s (too few launches for an interval)%s\n", text, other, heap);
}

// What a ratio is of; a row of kernels.csv or of peers.csv.
static void print_row(FILE *out, const char *name, table_row row, const char *form) {
    const char *const threads = row_text(row, "threads");
    char size[64];
    snprintf(size, sizeof size, "%sx%s", row_text(row, "rows"), row_text(row, "cols"));
    fprintf(out, "%-23s %-8s %-4s %-9s %-11s %s thread%s  ", name, row_text(row, "pass"), row_text(row, "dtype"), form,
            size, threads, strcmp(threads, "1") == 0 ? " " : "s");
}

// PyTorch's own stands below ours.
static void print(FILE *out, const verdict_row *r) {
    const question *const q = r->q;
    const peer_ratio *const p = &r->f->peer;
    char version[64], name[80];
    print_row(out, row_text(q->row, "question"), r->f->subject, row_text(r->f->subject, "form"));
    print_ratio(out, q, &r->f->value, r->f->verdict, "");
    if (isnan(p->value.median))
        return;
    snprintf(name, sizeof name, "  PyTorch %s", peer_ratio_version(p, version, sizeof version));
    print_row(out, name, p->row, peer_ratio_how(p));
    print_ratio(out, q, &p->value, judge_place(&p->value, q->holds_lo, q->holds_hi), peer_ratio_heap(p));
}

const verdict_list verdict_questions = {
    .table = &answers_table,
    .prepare = prepare,
    .title = "Where DyT wins on this machine: its time over that of the norm it would replace, at the best level",
    .print = print,
};
