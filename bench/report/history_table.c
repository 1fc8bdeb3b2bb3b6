// SPDX-License-Identifier: MIT
// history_table.c: what is told of a history (history.h): history.csv, and the list of changes for people.
#include <math.h>

#include "base/interval.h"
#include "history.h"
#include "measure/run.h"
#include "plan/cell.h"
#include "schema.h"

enum { DIGITS = 5 };
static const column_type column_words = {.pattern = "[A-Za-z0-9_. -]+"}, column_utc = {.pattern = "[0-9-]+T[0-9:]+Z"};
COLUMN_WORDS(of_table, "kernels", "layers")
COLUMN_WORDS(quantity, "time", "norm_time")
COLUMN_WORDS(movement, "none", "steps", "drift")

static const char *kind_name(changes_kind k) { return movement_word((size_t)k); }

#define ROW history_point
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, history, ordinal, NULL, value_size(r->history),                                                        \
      "Number of the history: runs of one machine and build flags, whose times can be compared.")                      \
    X(REQUIRED, machine_id, id, NULL, value_text(r->run->machine_id), "The machine.")                                  \
    X(REQUIRED, table, of_table, NULL, value_text(run_table_name(r->name->table)), "The table that its rows are of.")  \
    X(REQUIRED, quantity, quantity, NULL, value_text(result_quantity_name(r->name->quantity)),                         \
      "time: of the call, or of the layer; norm_time: of the layer's norms in place.")                                 \
    X(REQUIRED, op, op, NULL, value_text(r->name->op), "The group: the op,")                                           \
    X(REQUIRED, form, form, NULL, value_text(r->name->form), "its form,")                                              \
    X(REQUIRED, level, name, NULL, value_text(r->name->level), "level,")                                               \
    X(REQUIRED, dtype, dtype, NULL, value_text(r->name->dtype), "dtype,")                                              \
    X(REQUIRED, pass, name, NULL, value_text(r->name->pass), "pass,")                                                  \
    X(REQUIRED, class, words, NULL, value_text(r->name->kind),                                                         \
      "and where the data lies and the state of the caches; of layers the model and the phase.")                       \
    X(REQUIRED, run_id, id, NULL, value_text(r->run->run_id), "The run.")                                              \
    X(REQUIRED, time_utc, utc, NULL, value_text(r->run->time), "When it was taken.")                                   \
    X(OPTIONAL, git_commit, id, NULL, value_text(r->run->commit), "Its commit.")                                       \
    X(OPTIONAL, before_commit, id, NULL, value_text(r->before == NULL ? NULL : r->before->commit),                     \
      "That of the run before it in the series: what changed lies between the two.")                                   \
    X(REQUIRED, rows, ordinal, "{row}", value_size(r->rows), "Rows of the group in this run.")                         \
    X(REQUIRED, time_ratio, amount, "1", value_real(r->shift, DIGITS),                                                 \
      "The group's time over the sentinels', over that of the first level: the geometric mean over its rows.")         \
    X(REQUIRED, level_ratio, amount, "1", value_real(r->level, DIGITS),                                                \
      "The same of the level that the run belongs to: the median between two changes.")                                \
    X(OPTIONAL, change_pct, real, "%", value_real(100 * (r->change - 1), 3),                                           \
      "A change begins at this run: by how much; empty: none does.")                                                   \
    X(OPTIONAL, p, fraction, "1", value_real(r->p, 2),                                                                 \
      "The share of shuffles of the runs around it with as large a change.")                                           \
    X(REQUIRED, kind, movement, NULL, value_text(kind_name(r->kind)),                                                  \
      "Of the whole group: steps; drift, where a straight line says more; or none.")                                   \
    X(OPTIONAL, drift_pct, real, "%", value_real(100 * (r->drift - 1), 3),                                             \
      "Of a drift: from the first run to the last.")
COLUMN_OWN_LIST(own_columns, COLUMNS)
COLUMN_TABLE(history, "history.csv",
             "How times moved from run to run, as `normbench history` says: one row per group and run.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(own_columns))

// ---- For people

static void print_change(FILE *out, const history_point *p, bool markdown) {
    const history_group_name *const g = p->name;
    const bool drifts = p->kind == CHANGES_DRIFT;
    const double ratio = drifts ? p->drift : p->change;
    char moved[INTERVAL_TEXT], name[8 * HISTORY_WORD], chance[32] = "-";
    snprintf(name, sizeof name, "%s %s %s %s %s %s%s", g->op, g->form, g->level, g->dtype, g->pass, g->kind,
             g->quantity == RESULT_TIME ? "" : " norms");
    if (!drifts)
        snprintf(chance, sizeof chance, "%.2g", p->p);
    fprintf(out, markdown ? "| %zu | %s | %s | %s | %s%s%s | %s |\n" : "%4zu  %-52s %8s  p %-6s %s%s%s  %s\n",
            p->history, name, interval_change(moved, ratio, 1), chance, drifts ? "a drift" : p->before->commit,
            drifts ? "" : "..", drifts ? "" : p->run->commit, p->run->time);
}

void history_print(FILE *out, const void *what, bool markdown) {
    const history *const h = what;
    size_t told = 0;
    if (markdown)
        fputs("| history | group | change | p | commits | since |\n|---|---|---:|---:|---|---|\n", out);
    for (size_t i = 0; i < h->point_count; i++) {
        const history_point *const p = &h->points[i];
        if (!isnan(p->change) || (p->kind == CHANGES_DRIFT && p->before == NULL)) {
            print_change(out, p, markdown);
            told++;
        }
    }
    fprintf(out, "%s%zu change%s in %zu group%s of %zu run%s, in %zu histor%s\n", told > 0 || markdown ? "\n" : "",
            told, told == 1 ? "" : "s", h->group_count, h->group_count == 1 ? "" : "s", h->count,
            h->count == 1 ? "" : "s", h->histories, h->histories == 1 ? "y" : "ies");
    if (h->short_groups > 0)
        fprintf(out,
                "%zu group%s too short a history to tell: a change takes %d runs, %d of them before and after it\n",
                h->short_groups, h->short_groups == 1 ? " has" : "s have", HISTORY_RUNS, HISTORY_POINTS);
}
