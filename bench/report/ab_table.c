// SPDX-License-Identifier: MIT
// ab_table.c: see ab_table.h.
#include <math.h>

#include "ab_table.h"

#include "plan/ab_layers_plan.h"

typedef struct {
    const ab_row *row;
    const run *run;
} ab_line;

static const char *verdict_word(size_t index) {
    return index < AB_VERDICTS ? ab_verdict_name((ab_verdict)index) : NULL;
}
static const column_type column_verdict = {.word = verdict_word};

stats_interval ab_change_pct(const ab_finding *f) {
    stats_interval i = f->change;
    i.median = ab_pct(i.median);
    i.lo = ab_pct(i.lo);
    i.hi = ab_pct(i.hi);
    return i;
}

// What no row of this role has is left empty.
static double p_of(const ab_line *r, double p) { return r->row->finding.differences.first_count > 0 ? p : (double)NAN; }
static double detectable(const ab_line *r) {
    const double d = ab_pct(r->row->finding.detectable);
    return isfinite(d) ? p_of(r, d) : (double)NAN;
}
static bool slower(const ab_line *r) { return r->row->finding.p[0] <= r->row->finding.p[1]; }

#define ROW ab_line
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, role, ab_role, NULL, value_text(ab_role_name(r->row->which.role)), AB_ROLE_MEANING)                    \
    X(REQUIRED, verdict, verdict, NULL, value_text(ab_verdict_name(r->row->finding.verdict)),                          \
      "slower, faster: beyond the threshold, by a test whose wrong alarms are rare among all rows, and again in "      \
      "launches of their own. same: shown to be within it. inconclusive: neither. identical: the same machine code. "  \
      "missing: not measured.")                                                                                        \
    X(OPTIONAL, reason, text, NULL, value_text(r->row->finding.reason), "Why the verdict is inconclusive.")            \
    X(REQUIRED, launches, count, "{launch}", value_size(r->row->finding.differences.first_count),                      \
      "Processes that measured both sides, those that confirm left out.")                                              \
    X(REQUIRED, confirming, count, "{launch}", value_size(r->row->finding.differences.again_count),                    \
      "Processes that measured them again, to confirm an alarm.")                                                      \
    COLUMN_INTERVAL(X, time_ns_base, time_ns_base, amount, "ns", r->row->time[AB_BASE],                                \
                    "Of the base, the time of one call, in ab_layers.csv of all norms in one call of the layer: the "  \
                    "median over launches of each launch's median.")                                                   \
    COLUMN_INTERVAL(X, time_ns_candidate, time_ns_candidate, amount, "ns", r->row->time[AB_CANDIDATE],                 \
                    "The same of the candidate.")                                                                      \
    COLUMN_INTERVAL(X, change_pct, change, real, "%", ab_change_pct(&r->row->finding),                                 \
                    "How much longer the candidate takes: the centre (Hodges and Lehmann) of the launches' paired "    \
                    "differences; of those that confirm, where there are any.")                                        \
    X(OPTIONAL, deviation_pct, amount, "%", value_real(p_of(r, 100 * r->row->finding.deviation), 3),                   \
      "Standard deviation of a launch's paired difference.")                                                           \
    X(OPTIONAL, detectable_pct, amount, "%", value_real(detectable(r), 3),                                             \
      "A slowdown of so much would have been found in 95 of 100 such runs, before it is confirmed.")                   \
    X(OPTIONAL, p_value, fraction, "1", value_real(p_of(r, r->row->finding.p[!slower(r)]), 3),                         \
      "Of the exact signed-rank test that the threshold is not exceeded, in the direction that the row went.")         \
    X(OPTIONAL, p_adjusted, fraction, "1", value_real(p_of(r, r->row->finding.adjusted[!slower(r)]), 3),               \
      "The same, adjusted for the number of rows (Benjamini and Hochberg).")                                           \
    X(OPTIONAL, p_confirmed, fraction, "1", value_real(r->row->finding.p_again, 3), "Of the launches that confirm.")   \
    X(OPTIONAL, preempted_pct, amount, "%", value_real(r->row->preempted_pct, 3),                                      \
      "Share of the samples during which the kernel preempted a thread.")                                              \
    X(REQUIRED, inject_pct, amount, "%", value_real(r->row->which.inject_pct, 9),                                      \
      "So much work was added to the candidate by --inject, to see whether it is found.")                              \
    X(REQUIRED, waived, flag, NULL, value_size(r->row->waived), "1 if a waiver lets this row be slower, else 0.")
COLUMN_OWN_LIST(own_columns, COLUMNS)

static const void *run_of(const void *row) { return ((const ab_line *)row)->run; }
static const void *cell_of(const void *row) { return &((const ab_item *)((const ab_line *)row)->row->item)->cell; }
static const void *impl_of(const void *row) { return ((const cell *)cell_of(row))->impl; }
COLUMN_TABLE(ab, "*/*/ab.csv", "One row per kernel that `normbench ab` compared on its two sides.",
             {run_columns, RUN_COLUMNS, run_of}, {cell_columns, CELL_COLUMNS, cell_of}, COLUMN_PART(own_columns),
             {cell_impl_columns, CELL_IMPL_COLUMNS, impl_of})

static const char *const stays_names[] = {
    [AB_REST_UNKNOWN] = "unknown", [AB_REST_STAYS] = "same", [AB_REST_CHANGES] = "interaction"};
static const char *stays_word(size_t index) { return index < COLUMN_COUNT(stays_names) ? stays_names[index] : NULL; }
static const column_type column_stays = {.word = stays_word};

static stats_interval in_pct(stats_interval change) {
    const ab_finding f = {.change = change};
    return ab_change_pct(&f);
}

#define IN_LAYER(X)                                                                                                    \
    COLUMN_INTERVAL(X, norm_share, norm_share, fraction, "1", r->row->layer.share,                                     \
                    "Share of the candidate's layer that its norms take: the median over launches.")                   \
    X(OPTIONAL, rest, stays, NULL,                                                                                     \
      value_if(r->row->finding.differences.first_count > 0, value_text(stays_names[r->row->layer.stays])),             \
      "same: all of the layer but its norms was shown to take the same time on both sides, within 0.25 % by two "      \
      "one-sided tests at 5 %. interaction: it takes another. unknown: shown neither way.")                            \
    X(OPTIONAL, rest_pct, real, "%", value_median(in_pct(r->row->layer.rest)),                                         \
      "How much longer it takes beside the candidate's norms, from paired samples.")                                   \
    X(OPTIONAL, rest_lo90, real, "%", value_lower(in_pct(r->row->layer.rest)),                                         \
      "Lower end of the 90 % interval of rest_pct.")                                                                   \
    X(OPTIONAL, rest_hi90, real, "%", value_upper(in_pct(r->row->layer.rest)), "Upper end of the same interval.")      \
    COLUMN_INTERVAL(X, layer_pct, layer, real, "%", in_pct(r->row->layer.effect),                                      \
                    "What the candidate's norms take longer, over the base's layer: what that comes to in the whole "  \
                    "if the rest is the same (in runs before 1 December 2026, from norm_share and change_pct).")       \
    COLUMN_INTERVAL(X, total_pct, total, real, "%", in_pct(r->row->layer.total),                                       \
                    "How much longer the whole layer was measured to take, from paired samples: what counts where "    \
                    "rest is an interaction.")
COLUMN_OWN_LIST(in_layer, IN_LAYER)

#define ADDED(X)                                                                                                       \
    X(OPTIONAL, added_pct, real, "%", value_real(100 * r->row->layer.added, 4),                                        \
      "Where there was --inject: by how much it made the norms slower, by a clock around it alone, in the launches "   \
      "that change_pct is of: what change_pct should be.")                                                             \
    X(OPTIONAL, added_layer_pct, real, "%", value_real(100 * r->row->layer.added_to_layer, 4),                         \
      "Likewise of the whole layer: what layer_pct should be.")
COLUMN_OWN_LIST(added_columns, ADDED)

static const void *arm_of(const void *row) { return &((const ab_layers_item *)((const ab_line *)row)->row->item)->arm; }
static const void *arm_impl_of(const void *row) { return layers_arm_impl(arm_of(row)); }
COLUMN_TABLE(ab_layers, "*/*/ab_layers.csv",
             "One row per norm and layer in which `normbench ab --layers` compared it on its two sides.",
             {run_columns, RUN_COLUMNS, run_of}, {layers_arm_columns, LAYERS_ARM_COLUMNS, arm_of},
             COLUMN_PART(own_columns), COLUMN_PART(in_layer), {cell_impl_columns, CELL_IMPL_COLUMNS, arm_impl_of},
             COLUMN_PART(added_columns))

int ab_table_write(const ab_judgement *j, const run *r, const char *path, size_t *missing) {
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    const column_table *const table = j->row_count > 0 && j->rows[0].of_layer ? &ab_layers_table : &ab_table;
    columns_write_header(&w, table);
    *missing = 0;
    for (size_t i = 0; i < j->row_count; i++) {
        const ab_line line = {&j->rows[i], r};
        (void)columns_write_row(&w, table, &line); // told by csv_close
        *missing += j->rows[i].finding.verdict == AB_MISSING && j->rows[i].which.role != AB_IDENTICAL;
    }
    return csv_close(&w);
}

// ---- sides.csv, which ab_sides.c writes

#define TEXT(name, meaning)                                                                                            \
    { #name, &column_text, NULL, meaning, false, NULL }
static const table_column side_columns[] = {
    {"side", &column_name, NULL, "base or candidate.", true, NULL},
    TEXT(given, "What it was named as: a file, or git:REF."),
    TEXT(commit, "Of a git:REF, its commit."),
    TEXT(library, "The shared library that was loaded; empty if it was linked anew for each launch."),
    TEXT(archive, "The archive of objects that was linked; empty if there was none."),
    TEXT(links, "The folder of the links, which is gone when the run has ended."),
    TEXT(id, "A hash of the library or archive."),
    TEXT(threshold_pct,
         "--threshold, if it was given; of the run, and so the same on both sides, as are the following."),
    TEXT(group_threshold_pct, "--group-threshold."),
    TEXT(waivers, "--waivers."),
    TEXT(format, "--format."),
    TEXT(layers, "--layers: the models in whose layers norms were compared; empty if kernels were."),
};
COLUMN_TABLE(sides, "*/*/sides.csv", "What the two sides of a run of `normbench ab` are.", COLUMN_PART(side_columns))
