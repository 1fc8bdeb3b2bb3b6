// SPDX-License-Identifier: MIT
// verdict_goals.c: what the kernels reach of their goals: limits.csv, and a line for each goal.
#include <math.h>
#include <string.h>

#include "verdicts.h"

static const char *const columns[] = {"schema_version", "op",         "variant", "dtype",   "pass",  "rows",
                                      "cols",           "threads",    "measure", "sense",   "goal",  "reached",
                                      "reached_lo",     "reached_hi", "runs",    "verdict", "level", NULL};

// The variant without its twin that has the other stores.
static void variant_of(const question *q, char *text, size_t size) {
    const char *const variant = filter_value(&q->subject, "variant");
    snprintf(text, size, "%.*s", (int)strcspn(variant, "|"), variant);
}

static const char *sense(const question *q) { return isnan(q->holds_lo) ? "at most" : "at least"; }
static const char *goal(const question *q) { return row_text(q->row, isnan(q->holds_lo) ? "holds_hi" : "holds_lo"); }

static const char *verdict_word(const finding *f) {
    return f->runs == 0 ? "no data" : f->verdict == VERDICT_HOLDS ? "reached" : "not reached";
}

// threads=cores as a number.
static void threads_of(const verdicts *v, const question *q, char *text, size_t size) {
    const char *const threads = filter_value(&q->where, "threads");
    if (strcmp(threads, "cores") == 0)
        snprintf(text, size, "%zu", v->cores);
    else
        snprintf(text, size, "%s", threads);
}

static void write(csv_writer *w, const verdicts *v, const question *q, const finding *f) {
    char variant[64], threads[32];
    variant_of(q, variant, sizeof variant);
    threads_of(v, q, threads, sizeof threads);
    csv_int(w, 1);
    csv_text(w, filter_value(&q->subject, "op"));
    csv_text(w, variant);
    csv_text(w, filter_value(&q->where, "dtype"));
    csv_text(w, filter_value(&q->where, "pass"));
    csv_text(w, filter_value(&q->where, "rows"));
    csv_text(w, filter_value(&q->where, "cols"));
    csv_text(w, threads);
    csv_text(w, row_text(q->row, "goal"));
    csv_text(w, sense(q));
    csv_text(w, goal(q));
    csv_real(w, f->value.median, 3);
    csv_real(w, f->value.lo, 3);
    csv_real(w, f->value.hi, 3);
    csv_size(w, f->runs);
    csv_text(w, verdict_word(f));
    csv_text(w, filter_value(&q->where, "level"));
}

static void print(FILE *out, const verdicts *v, const question *q, const finding *f) {
    char variant[64], threads[32], text[256], reached[96] = "";
    const char *const level = filter_value(&q->where, "level"), *const bound = row_text(q->row, "bound");
    variant_of(q, variant, sizeof variant);
    threads_of(v, q, threads, sizeof threads);
    snprintf(text, sizeof text, "%s %s %s %s%s%s %sx%s, %s thread%s", filter_value(&q->subject, "op"), variant,
             filter_value(&q->where, "dtype"), level, *level == '\0' ? "" : " ", filter_value(&q->where, "pass"),
             filter_value(&q->where, "rows"), filter_value(&q->where, "cols"), threads,
             strcmp(threads, "1") == 0 ? "" : "s");
    if (f->runs > 0)
        snprintf(reached, sizeof reached, "%.3g [%.3g, %.3g]", f->value.median, f->value.lo, f->value.hi);
    fprintf(out, "%-52s %-18s %-8s %-5s  %-22s %s\n", text, row_text(q->row, "goal"), sense(q), goal(q), reached,
            verdict_word(f));
    if (f->runs > 0 && f->verdict != VERDICT_HOLDS && *bound != '\0')
        fprintf(out, "    %s\n", bound);
}

static void end(FILE *out, const verdicts *v, const size_t count[VERDICTS]) {
    fprintf(out, "%zu reached, %zu not, %zu without data; least times of %zu runs, [lowest, highest] over them\n",
            count[VERDICT_HOLDS], count[VERDICT_DOES_NOT_HOLD], count[VERDICT_CANNOT_TELL], v->runs);
}

const verdict_list verdict_goals = {
    .columns = columns, .write = write, .says_missing = true, .print = print, .end = end};
