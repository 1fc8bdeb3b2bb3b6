// SPDX-License-Identifier: MIT
// verdict_questions.c: where DyT wins: a line for each question that a run of kernels answers.
#include <string.h>

#include "base/interval.h"
#include "verdicts.h"

static const char *const columns[] = {"schema_version", "id",       "question", "unit",    "here",   "here_lo",
                                      "here_hi",        "holds_lo", "holds_hi", "verdict", "method", "op",
                                      "variant",        "against",  "pass",     "form",    "level",  "dtype",
                                      "rows",           "cols",     "threads",  "why",     NULL};

static void write(csv_writer *w, const verdicts *v, const question *q, const finding *f) {
    static const char *const of_row[] = {"pass", "form", "level", "dtype", "rows", "cols", "threads"};
    (void)v;
    csv_int(w, 1);
    csv_text(w, row_text(q->row, "id"));
    csv_text(w, row_text(q->row, "question"));
    csv_text(w, row_text(q->row, "unit"));
    csv_real(w, f->value.median, 6);
    csv_real(w, f->value.lo, 6);
    csv_real(w, f->value.hi, 6);
    csv_text(w, row_text(q->row, "holds_lo"));
    csv_text(w, row_text(q->row, "holds_hi"));
    csv_text(w, verdict_name(f->verdict));
    csv_text(w, f->method);
    csv_text(w, filter_value(&q->subject, "op"));
    csv_text(w, filter_value(&q->subject, "variant"));
    csv_text(w, filter_value(&q->baseline, "op"));
    for (size_t i = 0; i < sizeof of_row / sizeof *of_row; i++)
        csv_text(w, row_text(f->subject, of_row[i]));
    csv_text(w, f->runs > 0 ? "" : f->why);
}

// A ratio of times in words: only what the interval shows.
static void print(FILE *out, const verdicts *v, const question *q, const finding *f) {
    static const char *const words[] = {"DyT wins: ", "DyT loses:", "no difference shown:"};
    const table_row row = f->subject;
    const int decimals = judge_decimals(&f->value, q->holds_lo, q->holds_hi);
    const char *const threads = row_text(row, "threads"), *const other = filter_value(&q->baseline, "op");
    char shape[64], number[INTERVAL_TEXT], lo[INTERVAL_TEXT], hi[INTERVAL_TEXT];
    (void)v;
    snprintf(shape, sizeof shape, "%sx%s", row_text(row, "rows"), row_text(row, "cols"));
    fprintf(out, "%-23s %-8s %-4s %-9s %-11s %s thread%s  ", row_text(q->row, "question"), row_text(row, "pass"),
            row_text(row, "dtype"), row_text(row, "form"), shape, threads, strcmp(threads, "1") == 0 ? " " : "s");
    const char *const text = interval_number(number, f->value.median, decimals);
    if (interval_known(&f->value))
        fprintf(out, "%s %*s times the time of %s [%s, %s]\n", words[f->verdict],
                f->verdict == VERDICT_CANNOT_TELL ? 0 : 5, text, other, interval_number(lo, f->value.lo, decimals),
                interval_number(hi, f->value.hi, decimals));
    else
        fprintf(out, "%5s times the time of %s (too few launches for an interval)\n", text, other);
}

const verdict_list verdict_questions = {
    .columns = columns,
    .write = write,
    .title = "Where DyT wins on this machine: its time over that of the norm it would replace, at the best level",
    .print = print,
};
