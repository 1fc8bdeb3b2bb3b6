// SPDX-License-Identifier: MIT
// patterns_table.c: what is told of two runs that were held against each other (patterns.h).
#include <ctype.h>
#include <string.h>

#include "fingerprint.h"
#include "measure/run.h"
#include "patterns.h"
#include "schema.h"

#define NAME(ID, name) name,
static const char *const outcome_names[] = {PATTERN_OUTCOME_LIST(NAME) NULL};
#undef NAME
#define NAME(ID, name) #name,
static const char *const kind_names[] = {PATTERN_KIND_LIST(NAME) NULL};
#undef NAME
#define WORDS(ID, words, ...) words,
static const char *const class_words[] = {PATTERN_CLASS_LIST(WORDS) NULL};
#undef WORDS
const char *pattern_outcome_name(pattern_outcome o) { return outcome_names[o]; }

// ---- Table

static const char *outcome_word(size_t index) { return outcome_names[index]; }
static const char *kind_word(size_t index) { return kind_names[index]; }
static const column_type column_outcome = {.word = outcome_word}, column_kind_word = {.word = kind_word};

#define ROW pattern
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, run_id, id, NULL, value_text(r->of->now->run_id), "The new run.")                                      \
    X(REQUIRED, base_run_id, id, NULL, value_text(r->of->old->run_id), "The run that is to come out again.")           \
    X(REQUIRED, kind, kind_word, NULL, value_text(kind_names[r->kind]),                                                \
      "claim: a published claim; side: of 1, or of no change, on which a ratio lies; order: of the ops at one place; " \
      "crossing: the sizes, N, between which a ratio over rmsnorm changes its side.")                                  \
    X(REQUIRED, name, text, NULL, value_text(r->name),                                                                 \
      "The claim, or the rows: op/variant/pass/form/level/dtype/ROWSxCOLS/threads/placement/cache, without what the "  \
      "pattern is about.")                                                                                             \
    X(REQUIRED, outcome, outcome, NULL, value_text(outcome_names[r->outcome]),                                         \
      "agrees: both tell the same; differs: both tell opposite things, further apart than the tolerance; else nobody " \
      "can tell.")                                                                                                     \
    X(REQUIRED, old_tells, flag, NULL, value_size(r->old_tells), "1 if the old run shows it.")                         \
    X(REQUIRED, missing, flag, NULL, value_size(r->missing), "1 if the new run lacks a row of it.")                    \
    X(OPTIONAL, old, text, NULL, value_text(r->old), "What the old run shows.")                                        \
    X(OPTIONAL, now, text, NULL, value_text(r->now), "What the new run shows.")                                        \
    X(OPTIONAL, why, text, NULL, value_text(r->why), "Why it differs or cannot be told.")
COLUMN_OWN_LIST(own_columns, COLUMNS)
COLUMN_TABLE(patterns, "patterns.csv",
             "What one run shows held against another, pattern by pattern, as `normbench reproduce` says.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(own_columns))

// ---- For people

enum { MOST = 12 }; // of a kind and outcome, but claims

static void print_pattern(FILE *out, const pattern *p, bool markdown) {
    char name[16];
    snprintf(name, sizeof name, "%s", outcome_names[p->outcome]);
    for (char *c = name; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    if (markdown)
        fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", name, kind_names[p->kind], p->name, p->old, p->now, p->why);
    else
        fprintf(out, "%-11s %-8s %s\n            was %s; is %s%s%s\n", name, kind_names[p->kind], p->name, p->old,
                p->now, *p->why == '\0' ? "" : ": ", p->why);
}

// Each claim; of the rest what differs, and the first that cannot be told although the old run does.
static void print_patterns(FILE *out, const reproduction *r, bool markdown) {
    for (pattern_kind k = 0; k < PATTERN_KINDS; k++) {
        size_t said[PATTERN_OUTCOMES] = {0};
        for (size_t i = 0; i < r->count; i++) {
            const pattern *const p = &r->items[i];
            const bool shown = k == PATTERN_CLAIM || p->outcome == PATTERN_DIFFERS ||
                               (p->outcome == PATTERN_CANNOT_TELL && p->old_tells && said[p->outcome] < MOST);
            if (p->kind == k && shown) {
                print_pattern(out, p, markdown);
                said[p->outcome]++;
            }
        }
    }
}

static void print_counts(FILE *out, const reproduction *r, bool markdown) {
    fputs(markdown ? "\n| | agrees | differs | cannot tell | of these the old run tells |\n|---|---:|---:|---:|---:|\n"
                   : "\n           agrees  differs  cannot tell  of these the old run tells\n",
          out);
    for (pattern_kind k = 0; k < PATTERN_KINDS; k++) {
        const size_t *const n = r->counts[k];
        size_t open = 0;
        for (size_t i = 0; i < r->count; i++)
            open += r->items[i].kind == k && r->items[i].outcome == PATTERN_CANNOT_TELL && r->items[i].old_tells;
        fprintf(out, markdown ? "| %s | %zu | %zu | %zu | %zu |\n" : "%-9s %7zu %8zu %12zu %27zu\n", kind_names[k],
                n[PATTERN_AGREES], n[PATTERN_DIFFERS], n[PATTERN_CANNOT_TELL], open);
    }
}

static void print_sums(FILE *out, const reproduction *r) {
    const size_t agree = reproduction_count(r, PATTERN_AGREES), differ = reproduction_count(r, PATTERN_DIFFERS);
    size_t told = 0, missing = 0;
    for (size_t i = 0; i < r->count; i++) {
        told += r->items[i].old_tells;
        missing += r->items[i].missing;
    }
    if (missing > 0)
        fprintf(out, "%zu patterns are about rows that the new run lacks.\n", missing);
    if (r->unasked > 0)
        fprintf(out, "%zu claims are about what neither run measured.\n", r->unasked);
    if (agree + differ == 0)
        fputs("Neither of the runs tells what the other does: nothing can be said.\n", out);
    else
        fprintf(
            out,
            "%zu of the %zu patterns that both runs tell agree, %.1f %%; of the %zu that the old run tells, %.1f %%.\n",
            agree, agree + differ, 100 * (double)agree / (double)(agree + differ), told,
            100 * (double)agree / (double)told);
}

// What makes it another machine or build, by name.
static void print_differences(FILE *out, const reproduction *r) {
    fingerprint_difference d[FINGERPRINT_MOST];
    const size_t count = fingerprint_compare(r->old->meta, r->now->meta, d);
    const char *before = "differ: ";
    for (size_t i = 0; i < count; i++)
        if (d[i].hard) {
            fprintf(out, "%s%s", before, d[i].name);
            before = ", ";
        }
    fputs(*before == ',' ? "\n\n" : "", out);
}

void reproduction_print(FILE *out, const void *what, bool markdown) {
    const reproduction *const r = what;
    fprintf(out, "%s%s against %s: %s; tolerance %.0f %%\n\n", markdown ? "### " : "", r->now->run_id, r->old->run_id,
            class_words[r->class], 100 * r->tolerance);
    print_differences(out, r);
    if (markdown)
        fputs("| outcome | kind | pattern | was | is | why |\n|---|---|---|---|---|---|\n", out);
    print_patterns(out, r, markdown);
    print_counts(out, r, markdown);
    fputc('\n', out);
    print_sums(out, r);
    fputs("--format csv lists them all.\n", out);
}
