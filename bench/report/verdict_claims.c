// SPDX-License-Identifier: MIT
// verdict_claims.c: what a run says of each published claim: a row, and a paragraph with its reason.
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "verdicts.h"

static const char *const columns[] = {"schema_version",
                                      "id",
                                      "claim",
                                      "source",
                                      "confidence",
                                      "published",
                                      "published_lo",
                                      "published_hi",
                                      "unit",
                                      "here",
                                      "here_lo",
                                      "here_hi",
                                      "holds_lo",
                                      "holds_hi",
                                      "verdict",
                                      "method",
                                      "dtype",
                                      "threads",
                                      "tokens",
                                      "published_tokens",
                                      "scaled",
                                      "why",
                                      NULL};

enum { SENTENCES = 2 * TABLES_MESSAGE };

static const char *text_of(const question *q, const char *column) { return row_text(q->row, column); }

// " %" behind a number in the claim's unit, nothing behind a ratio.
static const char *unit_of(const question *q) { return strcmp(text_of(q, "unit"), "1") == 0 ? "" : text_of(q, "unit"); }
static const char *space(const char *unit) { return *unit == '\0' ? "" : " "; }

// The row's tokens, of a kernel its rows.
static const char *tokens_of(const question *q, const finding *f) {
    return row_text(f->subject, strcmp(text_of(q, "table"), "kernels") == 0 ? "rows" : "tokens");
}

// A selector without the names of its columns: "dyt eager".
static void arm_name(const filter *f, char *name, size_t size) {
    size_t used = 0;
    name[0] = '\0';
    for (size_t i = 0; i < f->count && used < size; i++)
        used += (size_t)snprintf(name + used, size - used, "%s%s", i > 0 ? " " : "", f->words[i].values);
}

// What the claim allows, as it is spelt in the table: "in -1 to 1", "at or above 1"; bare: "-1 to 1", "at least 1".
static void region(const question *q, bool bare, char *text, size_t size) {
    const char *const lo = text_of(q, "holds_lo"), *const hi = text_of(q, "holds_hi");
    if (*lo != '\0' && *hi != '\0')
        snprintf(text, size, "%s%s to %s", bare ? "" : "in ", lo, hi);
    else if (*lo != '\0')
        snprintf(text, size, "%s%s", bare ? "at least " : "at or above ", lo);
    else
        snprintf(text, size, "%s%s", bare ? "at most " : "at or below ", hi);
}

static void here(const question *q, const finding *f, const char *unit, char text[INTERVAL_TEXT]) {
    interval_text(text, &f->value, unit, judge_decimals(&f->value, q->holds_lo, q->holds_hi));
}

static void measured(const question *q, const finding *f, char *text, size_t size) {
    char subject[128], baseline[128], value[INTERVAL_TEXT];
    const char *const part = text_of(q, "part");
    arm_name(&q->subject, subject, sizeof subject);
    arm_name(&q->baseline, baseline, sizeof baseline);
    here(q, f, q->what == ASKED_TIME_RATIO ? "" : "%", value);
    if (q->what == ASKED_NORM_SHARE)
        snprintf(text, size, "With %s the norms take %s of the time of the %s", subject, value, part);
    else if (q->what == ASKED_TIME_RATIO)
        snprintf(text, size, "The time of %s over that of %s is %s", subject, baseline, value);
    else
        snprintf(text, size, "With %s instead of %s the time of the %s changes by %s", subject, baseline,
                 q->what == ASKED_NORM_CHANGE ? "norms" : part, value);
}

// The reason, from the numbers, in one sentence or two.
static void reason(const question *q, const finding *f, char text[SENTENCES]) {
    char value[512], bounds[160];
    if (f->runs == 0) {
        snprintf(text, SENTENCES, "Nothing to judge by: %s.", f->why);
        return;
    }
    measured(q, f, value, sizeof value);
    if (!interval_known(&f->value)) {
        snprintf(text, SENTENCES, "%s, without an interval: it takes at least six launches.", value);
        return;
    }
    static const char *const lies[] = {"lies wholly ", "lies wholly outside what the claim allows, ",
                                       "reaches across the edge of what the claim allows, "};
    region(q, f->verdict != VERDICT_HOLDS, bounds, sizeof bounds);
    snprintf(text, SENTENCES, "%s, which %s%s%s%s.%s%s", value, lies[f->verdict], bounds, space(unit_of(q)), unit_of(q),
             f->unstable ? " The row is marked unstable." : "",
             strncmp(f->method, "totals", 6) == 0
                 ? " From the totals: the rest of the layer was not shown to be the same in both arms."
                 : "");
}

static void write(csv_writer *w, const verdicts *v, const question *q, const finding *f) {
    char why[SENTENCES];
    (void)v;
    reason(q, f, why);
    csv_int(w, 1);
    for (size_t i = 1; strcmp(columns[i], "here") != 0; i++)
        csv_text(w, text_of(q, columns[i]));
    csv_real(w, f->value.median, 6);
    csv_real(w, f->value.lo, 6);
    csv_real(w, f->value.hi, 6);
    csv_text(w, text_of(q, "holds_lo"));
    csv_text(w, text_of(q, "holds_hi"));
    csv_text(w, verdict_name(f->verdict));
    csv_text(w, f->method);
    csv_text(w, row_text(f->subject, "dtype"));
    csv_text(w, row_text(f->subject, "threads"));
    csv_text(w, tokens_of(q, f));
    csv_text(w, text_of(q, "tokens"));
    csv_text(w, !row_is(f->subject) ? "" : f->scaled ? "1" : "0");
    csv_text(w, why);
}

static void print(FILE *out, const verdicts *v, const question *q, const finding *f) {
    const char *const unit = unit_of(q), *const published = text_of(q, "published"),
                      *const tokens = text_of(q, "tokens");
    char name[32] = "", why[SENTENCES], value[INTERVAL_TEXT];
    (void)v;
    for (size_t i = 0; verdict_name(f->verdict)[i] != '\0'; i++)
        name[i] = (char)toupper((unsigned char)verdict_name(f->verdict)[i]);
    fprintf(out, "%-14s %s\n  source       %s\n  published    %s%s%s", name, text_of(q, "claim"), text_of(q, "source"),
            *published == '\0' ? "no value" : published, *published == '\0' ? "" : space(unit),
            *published == '\0' ? "" : unit);
    if (*text_of(q, "published_lo") != '\0')
        fprintf(out, " (%s to %s by rounding)", text_of(q, "published_lo"), text_of(q, "published_hi"));
    if (f->runs == 0) {
        fputs("\n  here         not measured\n", out);
    } else {
        here(q, f, unit, value);
        fprintf(out, "\n  here         %s, %s, %s %s, %s threads", value, row_text(f->subject, "dtype"),
                tokens_of(q, f), strcmp(text_of(q, "table"), "kernels") == 0 ? "rows" : "tokens",
                row_text(f->subject, "threads"));
        if (f->scaled)
            fprintf(out, "; SCALED: %s of %s", tokens_of(q, f), *tokens == '\0' ? "more" : tokens);
        fputc('\n', out);
    }
    reason(q, f, why);
    fprintf(out, "  because      %s\n\n", why);
}

static void end(FILE *out, const verdicts *v, const size_t count[VERDICTS]) {
    bool scaled = false;
    for (size_t i = 0; i < v->asked.count; i++)
        scaled = scaled || v->found[i].scaled;
    if (scaled)
        fputs("SCALED: lines so marked were measured with fewer tokens or rows than published.\n", out);
    fprintf(out, "%zu of %zu claims hold here, %zu do not, %zu cannot be told.\n", count[VERDICT_HOLDS], v->asked.count,
            count[VERDICT_DOES_NOT_HOLD], count[VERDICT_CANNOT_TELL]);
}

const verdict_list verdict_claims = {
    .columns = columns, .write = write, .says_missing = true, .print = print, .end = end};
