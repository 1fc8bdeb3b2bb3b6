// SPDX-License-Identifier: MIT
// quantities.c: see quantities.h.
#include "quantities.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/interval.h"

static stats_interval none(asking *a, const char *why) {
    if (a->why[0] == '\0')
        snprintf(a->why, sizeof a->why, "%s", why);
    return INTERVAL_NONE;
}

// ---- Arms

bool find_arm(asking *a, arm *found, const filter *who, const filter *where, extent e, const arm *like) {
    filter layer = *who, ends = *who;
    *found = (arm){0};
    if (like != NULL) {
        filter_add_conditions(&layer, RUN_TABLE_LAYERS, like->layer);
    } else {
        (void)filter_add(&layer, where->text, a->why);
        (void)filter_add(&layer, "part=layer", a->why);
    }
    found->layer = filter_find(&layer, a->run, RUN_TABLE_LAYERS, a->why);
    if (!row_is(found->layer))
        return false;
    if (e.is_model && like != NULL) {
        filter_add_conditions(&ends, RUN_TABLE_LAYERS, like->ends);
    } else if (e.is_model) {
        (void)filter_add(&ends, where->text, a->why);
        (void)filter_add(&ends, "part=ends", a->why);
        filter_add_same_run(&ends, found->layer);
    }
    if (e.is_model)
        found->ends = filter_find(&ends, a->run, RUN_TABLE_LAYERS, a->why);
    if (e.is_model && !row_is(found->ends))
        return false;
    a->why[0] = '\0';
    return true;
}

// Whether nothing is held against this arm: it is the model's own norm.
static bool is_reference(table_row row) {
    const double delta = row_real(row, "delta_to_native_pct");
    return isnan(delta) || delta == 0;
}

table_row native_row(const run_tables *r, table_row row) {
    filter f = {0};
    table_row other = {0};
    filter_add_conditions(&f, RUN_TABLE_LAYERS, row);
    filter_add_value(&f, row, "form");
    while (filter_next(&f, r, RUN_TABLE_LAYERS, &other)) {
        const char *const op = row_text(other, "op");
        if (strcmp(op, "identity") != 0 && strcmp(op, "dyt") != 0 && is_reference(other) && filter_default(other) > 0 &&
            !isnan(row_real(other, "time_ns_median")))
            return other;
    }
    return (table_row){0};
}

// ---- Values

static stats_interval take(asking *a, table_row row, const char *stem, const char *suffix) {
    const stats_interval i = row_interval(row, stem, suffix);
    char why[160];
    if (isnan(i.median)) {
        snprintf(why, sizeof why, "layers.csv has no %s for %.20s %.20s", stem, row_text(row, "op"),
                 row_text(row, "form"));
        return none(a, why);
    }
    return i;
}

stats_interval arm_value(asking *a, const arm *of, const char *stem, extent e) {
    if (strcmp(row_text(of->layer, "op"), "identity") == 0 && strncmp(stem, "norm_", 5) == 0)
        return interval_of(0, 0, 0);
    const stats_interval layer = take(a, of->layer, stem, "_median");
    return e.is_model ? interval_sum(take(a, of->ends, stem, "_median"), (double)e.layers, layer) : layer;
}

// ---- Changes

// Whether the subject has a change from paired samples against this very baseline: the model's own norm in its form.
static bool is_paired(const arm *subject, const arm *baseline, const char *change) {
    char column[48];
    snprintf(column, sizeof column, "%s_pct", change);
    return *row_text(subject->layer, column) != '\0' && is_reference(baseline->layer) &&
           strcmp(row_text(subject->layer, "form"), row_text(baseline->layer, "form")) == 0;
}

static stats_interval paired_of(asking *a, table_row row, const char *change) {
    const stats_interval i = row_interval(row, change, "_pct");
    char why[160];
    if (!isnan(i.median))
        return i;
    snprintf(why, sizeof why, "layers.csv has no %s for part %.20s", change, row_text(row, "part"));
    return none(a, why);
}

// Such a change in percent of the baseline's `stem`; of a model: of its layers and its ends, by what each has of that.
static stats_interval paired_change(asking *a, const arm *subject, const arm *baseline, extent e, const char *change,
                                    const char *stem) {
    const stats_interval of_layer = paired_of(a, subject->layer, change);
    if (!e.is_model)
        return of_layer;
    const stats_interval whole = arm_value(a, baseline, stem, e), of_ends = paired_of(a, subject->ends, change);
    const double share = (double)e.layers * row_interval(baseline->layer, stem, "_median").median / whole.median;
    return interval_sum(interval_sum(interval_of(0, 0, 0), share, of_layer), 1 - share, of_ends);
}

// By times, each at its worst ends.
static stats_interval change_of(asking *a, const arm *subject, const arm *baseline, extent e, const char *stem) {
    const stats_interval above = arm_value(a, subject, stem, e), below = arm_value(a, baseline, stem, e);
    if (below.median <= 0)
        return none(a, "the time it would be held against is not above zero");
    return interval_quotient(above, below, 100, 1);
}

static bool rest_is(table_row row, const char *what) { return strcmp(row_text(row, "rest_equivalent"), what) == 0; }

// The one place that decides it. A reference has nothing that its rest could be equivalent to.
static bool counts_in_place(const arm *subject, const arm *baseline) {
    return rest_is(subject->layer, "1") && (rest_is(baseline->layer, "1") || rest_is(baseline->layer, ""));
}

stats_interval total_change(asking *a, const arm *subject, const arm *baseline, extent e) {
    if (!counts_in_place(subject, baseline)) {
        const bool paired = is_paired(subject, baseline, "delta_to_native");
        a->method = paired ? "totals, paired" : "totals";
        return paired ? paired_change(a, subject, baseline, e, "delta_to_native", "time_ns")
                      : change_of(a, subject, baseline, e, "time_ns");
    }
    a->method = "in place";
    if (is_paired(subject, baseline, "norm_delta"))
        return paired_change(a, subject, baseline, e, "norm_delta", "time_ns");
    const stats_interval above = arm_value(a, subject, "norm_time_ns", e),
                         below = arm_value(a, baseline, "norm_time_ns", e);
    const stats_interval total = arm_value(a, baseline, "time_ns", e);
    return interval_quotient(interval_sum(above, -1, below), total, 100, 0);
}

stats_interval norm_change(asking *a, const arm *subject, const arm *baseline, extent e) {
    a->method = "in place";
    return is_paired(subject, baseline, "norm_change")
               ? paired_change(a, subject, baseline, e, "norm_change", "norm_time_ns")
               : change_of(a, subject, baseline, e, "norm_time_ns");
}

stats_interval by_identity_change(asking *a, const arm *subject, const arm *baseline, extent e) {
    a->method = "totals";
    return change_of(a, subject, baseline, e, "norm_by_identity_ns");
}

stats_interval norm_share(asking *a, const arm *of, extent e) {
    a->method = "in place";
    if (!e.is_model) {
        const bool nothing = strcmp(row_text(of->layer, "op"), "identity") == 0;
        const stats_interval share = nothing ? interval_of(0, 0, 0) : take(a, of->layer, "norm_share", "");
        return interval_quotient(share, interval_of(1, 1, 1), 100, 0);
    }
    return interval_quotient(arm_value(a, of, "norm_time_ns", e), arm_value(a, of, "time_ns", e), 100, 0);
}

// ---- Rows of kernels.csv

static bool same(table_row a, table_row b, const char *column) {
    return strcmp(row_text(a, column), row_text(b, column)) == 0;
}

// Whether the table holds the subject against this very row, of the same kind of stores.
static bool is_partner(table_row subject, table_row baseline, const char *column) {
    return *row_text(subject, column) != '\0' && same(subject, baseline, "form") &&
           row_streams(subject) == row_streams(baseline) && filter_default(baseline) > 0 &&
           (same(subject, baseline, "level") || strcmp(row_text(subject, "level"), "library") == 0);
}

stats_interval time_ratio(asking *a, table_row subject, table_row baseline) {
    static const struct {
        const char *op, *column, *stem, *suffix;
    } paired[] = {{"rmsnorm", "ratio_to_rmsnorm", "ratio", "_to_rmsnorm"},
                  {"layernorm", "ratio_to_layernorm", "ratio_to_layernorm", ""}};
    for (size_t i = 0; i < sizeof paired / sizeof *paired; i++)
        if (strcmp(row_text(baseline, "op"), paired[i].op) == 0 && is_partner(subject, baseline, paired[i].column)) {
            a->method = "paired";
            return row_interval(subject, paired[i].stem, paired[i].suffix);
        }
    a->method = "times";
    const stats_interval below = row_interval(baseline, "time_ns", "_median");
    if (!(below.median > 0))
        return none(a, "the time it would be held against is not above zero");
    return interval_quotient(row_interval(subject, "time_ns", "_median"), below, 1, 0);
}

static double least_time(table_row row) {
    return row_real(row, "time_ns_min") / (row_real(row, "rows") * row_real(row, "cols"));
}

table_row fastest_row(asking *a, const filter *f) {
    table_row fastest = {0}, row = {0};
    while (filter_next(f, a->run, RUN_TABLE_KERNELS, &row))
        if (row_is_measured(row) && row_real(row, "time_ns_min") > 0 &&
            (!row_is(fastest) || least_time(row) < least_time(fastest)))
            fastest = row;
    if (!row_is(fastest))
        (void)filter_find(f, a->run, RUN_TABLE_KERNELS, a->why);
    return fastest;
}

double least_time_ratio(table_row subject, table_row baseline) { return least_time(subject) / least_time(baseline); }

double least_speed_ratio(table_row subject, table_row baseline) {
    return row_real(subject, "bytes_per_element") / row_real(baseline, "bytes_per_element") /
           least_time_ratio(subject, baseline);
}
