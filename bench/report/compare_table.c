// SPDX-License-Identifier: MIT
// compare_table.c: what is told of a comparison (compare.h): compare.csv, the list for people, and the warnings.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "compare.h"
#include "measure/run.h"
#include "schema.h"

// ---- Table

static double now_ns(const compare_row *r) {
    const result *const i = results_find(r->now, r->item->name);
    return i == NULL ? (double)NAN : i->ns.median;
}

#define WORD(ID, name) name,
static const char *const verdict_words[] = {COMPARE_VERDICT_LIST(WORD) NULL};
#undef WORD
static const char *verdict_word(size_t index) { return verdict_words[index]; }
static const column_type column_verdict = {.word = verdict_word};
static const column_type column_row_name = {.pattern = "[A-Za-z0-9_.+/-]+"};
COLUMN_WORDS(sentinel, "same shape", "same cache")
COLUMN_WORDS(quantity, "time", "norm_time")
COLUMN_WORDS(of_table, "kernels", "layers")

#define ROW compare_row
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, run_id, id, NULL, value_text(r->now->run_id), "The new run.")                                          \
    X(OPTIONAL, git_commit, id, NULL, value_text(r->now->commit), "Its commit.")                                       \
    X(REQUIRED, base_run_id, id, NULL, value_text(r->before->run_id), "The last baseline run.")                        \
    X(OPTIONAL, base_commit, id, NULL, value_text(r->before->commit), "Its commit.")                                   \
    X(REQUIRED, table, of_table, NULL, value_text(run_table_name(r->item->table)), "The table that the row is of.")    \
    X(REQUIRED, row, row_name, NULL, value_text(r->item->name),                                                        \
      "The row: op/variant/pass/form/level/dtype/ROWSxCOLS/threads/placement/cache, of layers with model, phase and "  \
      "sizes behind it.")                                                                                              \
    X(REQUIRED, quantity, quantity, NULL, value_text(result_quantity_name(r->item->quantity)),                         \
      "time: of the call, or of the layer; norm_time: of the layer's norms in place.")                                 \
    X(REQUIRED, runs, count, "{run}", value_size(r->runs), "Baseline runs that have the row.")                         \
    X(OPTIONAL, base_time_ns, amount, "ns", value_real(r->base_ns, 4), "Median of their times.")                       \
    X(OPTIONAL, time_ns, amount, "ns", value_real(now_ns(r), 4), "Time in the new run.")                               \
    X(OPTIONAL, sentinel, sentinel, NULL, value_text(sentinel_kind_name(r->sentinel)),                                 \
      "The copies that times are taken over: of the same shape, or of data in the same cache; empty: none.")           \
    X(OPTIONAL, ratio, amount, "1", value_real(r->change, 4),                                                          \
      "Time over the sentinels' time in the new run, over the median of the same in the baseline runs.")               \
    X(OPTIONAL, spread_pct, amount, "%", value_real(100 * r->spread, 2),                                               \
      "How far baseline runs lie apart: 1.4826 median absolute deviations of the logarithm, at least 0.3.")            \
    X(OPTIONAL, limit, amount, "1", value_real(r->limit, 4), "The ratio above which it is suspect; empty: untold.")    \
    X(REQUIRED, verdict, verdict, NULL, value_text(compare_verdict_name(r->verdict)),                                  \
      "suspect: slower by more than runs of different days differ, to be settled by the gate; not suspect; cannot "    \
      "tell; missing: most baseline runs have it and the new one lacks it; new: none has it; sentinel: a copy.")       \
    X(OPTIONAL, reason, text, NULL, value_text(r->reason), "Why it cannot be told, or is missing.")                    \
    X(OPTIONAL, settle, text, NULL, value_text(r->settle), "The command that settles it.")
COLUMN_OWN_LIST(own_columns, COLUMNS)
COLUMN_TABLE(compare, "compare.csv",
             "A run held against earlier runs of the same machine: one row for each time, as `normbench compare` says.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(own_columns))

// ---- For people

enum { MOST_ROWS = 20, COUNTED = 48 };

static void print_row(FILE *out, const compare_row *r, bool markdown) {
    char change[INTERVAL_TEXT], limit[INTERVAL_TEXT];
    if (markdown)
        fprintf(out, "| %s | %s | %s | %s | %zu |\n", compare_verdict_name(r->verdict), r->item->name,
                interval_change(change, r->change, 1), interval_change(limit, r->limit, 1), r->runs);
    else
        fprintf(out, "%-11s %8s %8s %4zu  %s\n", compare_verdict_name(r->verdict),
                interval_change(change, r->change, 1), interval_change(limit, r->limit, 1), r->runs, r->item->name);
}

static void print_settled(FILE *out, const comparison *c, bool markdown) {
    enum { MOST = 10 };
    fprintf(out, "\nFiles of different days cannot settle what is suspect. Time both commits side by side:\n%s",
            markdown ? "\n```sh\n" : "");
    for (size_t i = 0; i < c->counts[COMPARE_SUSPECT] && i < MOST; i++)
        fprintf(out, "%s%s\n", markdown ? "" : "  ", c->rows[i].settle);
    fputs(markdown ? "```\n" : "", out);
    if (c->counts[COMPARE_SUSPECT] > MOST)
        fprintf(out, "and %zu more, see --format csv\n", c->counts[COMPARE_SUSPECT] - MOST);
}

// "1 row", "2 rows"
static const char *counted(char text[COUNTED], size_t count, const char *what) {
    snprintf(text, COUNTED, "%zu %s%s", count, what, count == 1 ? "" : "s");
    return text;
}

// The first of each verdict, which are those that moved most: a list that fits a comment.
static void print_rows(FILE *out, const comparison *c, bool markdown) {
    for (size_t i = 0, of_verdict = 0; i < c->row_count; i++) {
        const compare_verdict v = c->rows[i].verdict;
        of_verdict = i > 0 && v == c->rows[i - 1].verdict ? of_verdict + 1 : 0;
        if (v != COMPARE_SENTINEL && of_verdict < MOST_ROWS)
            print_row(out, &c->rows[i], markdown);
    }
}

void compare_print(FILE *out, const void *what, bool markdown) {
    const comparison *const c = what;
    const results *const now = &c->runs[c->count - 1];
    char moved[INTERVAL_TEXT], runs[COUNTED], days[COUNTED], all[COUNTED];
    fprintf(out, "%s%s (%s) over %s of %s; of each verdict, the %d rows that moved most\n\n", markdown ? "### " : "",
            now->run_id, now->commit, counted(runs, c->count - 1 - c->expired, "baseline run"),
            counted(days, c->days, "day"), MOST_ROWS);
    fputs(markdown ? "| verdict | row | change | suspect above | runs |\n|---|---|---:|---:|---:|\n"
                   : "verdict       change    limit runs  row\n",
          out);
    print_rows(out, c, markdown);
    fputc('\n', out);
    for (compare_verdict v = 0; v < COMPARE_VERDICTS; v++)
        if (c->counts[v] > 0)
            fprintf(out, "%zu %s, ", c->counts[v], compare_verdict_name(v));
    fprintf(out, "%s in all; sentinels moved by %s\n", counted(all, c->row_count, "row"),
            interval_change(moved, c->sentinels, 1));
    if (c->counts[COMPARE_SUSPECT] > 0)
        print_settled(out, c, markdown);
}

// ---- Warnings

void compare_warn(FILE *out, const comparison *c) {
    const results *const now = &c->runs[c->count - 1];
    const size_t baseline = c->count - 1 - c->expired;
    char runs[COUNTED], days[COUNTED];
    if (c->other != NULL)
        fprintf(out, "normbench compare: %s and %s are not of the same machine and build:\n", c->other->folder,
                now->folder);
    else if (c->difference_count > 0)
        fputs("normbench compare: the machine is the same, but its state differs, so that twice as much is let pass:\n",
              out);
    for (size_t i = 0; i < c->difference_count; i++)
        if (c->differences[i].hard || c->other == NULL)
            fingerprint_print(out, &c->differences[i]);
    if (c->other != NULL) {
        fputs("Times of both say nothing of the program. Time both commits on one machine: normbench ab, or runs there "
              "of its own.\n",
              out);
        return;
    }
    if (c->expired > 0)
        fprintf(out,
                "normbench compare: %s left out, for %d days are the most between it and the new one: take newer ones "
                "with normbench kernels\n",
                counted(runs, c->expired, "baseline run"), COMPARE_LIFE_DAYS);
    if (!compare_is_enough(c))
        fprintf(out,
                "normbench compare: %s on %s; a verdict takes %d runs on %d days. Ratios are shown, and not judged\n",
                counted(runs, baseline, "baseline run"), counted(days, c->days, "day"), COMPARE_RUNS, COMPARE_DAYS);
    for (size_t i = c->expired; i < c->count; i++)
        if (!c->runs[i].complete || c->runs[i].missing > 0)
            fprintf(out, "normbench compare: %s was not finished: %zu of its rows are missing\n", c->runs[i].folder,
                    c->runs[i].missing);
}
