// SPDX-License-Identifier: MIT
// compare.c: see compare.h.
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/paired.h"

#define NAME(ID, name) name,
static const char *const verdict_names[] = {COMPARE_VERDICT_LIST(NAME)};
#undef NAME
const char *compare_verdict_name(compare_verdict v) { return verdict_names[v]; }

static const results *new_run(const comparison *c) { return &c->runs[c->count - 1]; }
static size_t baseline_runs(const comparison *c) { return c->count - 1 - c->expired; }

// ---- Which runs

static double day_of(const results *r) { return floor(r->seconds / 86400); }

static void choose_runs(comparison *c) {
    const double now = new_run(c)->seconds;
    while (c->expired + 1 < c->count && now - c->runs[c->expired].seconds > 86400 * (double)COMPARE_LIFE_DAYS)
        c->expired++;
    for (size_t i = c->expired; i + 1 < c->count; i++)
        c->days += i == c->expired || day_of(&c->runs[i]) > day_of(&c->runs[i - 1]);
}

// The soft differences that count are those of the run that has most.
static void hold_machines(comparison *c) {
    for (size_t i = 0; c->other == NULL && i + 1 < c->count; i++) {
        fingerprint_difference differences[FINGERPRINT_MOST];
        const size_t count = fingerprint_compare(c->runs[i].meta, new_run(c)->meta, differences);
        if (!fingerprint_equal(c->runs[i].meta, new_run(c)->meta))
            c->other = &c->runs[i];
        if (c->other != NULL || count > c->difference_count) {
            memcpy(c->differences, differences, count * sizeof *differences);
            c->difference_count = count;
        }
    }
}

bool compare_is_enough(const comparison *c) { return baseline_runs(c) >= COMPARE_RUNS && c->days >= COMPARE_DAYS; }

// ---- A row

// Adds what the gate takes of a row: selectors by the names of their columns.
static void add_selectors(compare_row *r, const char *const *columns, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(r->settle);
        const char *const value = row_text(r->item->row, columns[i]);
        if (*value != '\0')
            snprintf(r->settle + used, sizeof r->settle - used, " --%s %s", columns[i], value);
    }
}

// A commit without what says that the tree held changes; what to fill in where none is known.
static void add_side(compare_row *r, const char *commit, const char *unknown) {
    const size_t used = strlen(r->settle), length = strcspn(commit, "-");
    if (length == 0 || strcmp(commit, "unknown") == 0)
        snprintf(r->settle + used, sizeof r->settle - used, " %s", unknown);
    else
        snprintf(r->settle + used, sizeof r->settle - used, " git:%.*s", (int)length, commit);
}

static void set_settle(compare_row *r) {
    static const char *const kernels[] = {"op", "variant", "pass", "form", "level", "dtype"};
    static const char *const layers[] = {"op", "variant", "form", "level", "dtype", "phase", "tokens", "batch"};
    static const char *const shared[] = {"threads", "placement", "cache"};
    const table_row row = r->item->row;
    snprintf(r->settle, sizeof r->settle, "normbench ab");
    add_side(r, r->before->commit, "BASE");
    add_side(r, r->now->commit, "CANDIDATE");
    size_t used = strlen(r->settle);
    if (r->item->table == RUN_TABLE_KERNELS) {
        add_selectors(r, kernels, sizeof kernels / sizeof *kernels);
        used = strlen(r->settle);
        snprintf(r->settle + used, sizeof r->settle - used, " --shape %sx%s", row_text(row, "rows"),
                 row_text(row, "cols"));
    } else {
        snprintf(r->settle + used, sizeof r->settle - used, " --layers %s", row_text(row, "model"));
        add_selectors(r, layers, sizeof layers / sizeof *layers);
    }
    add_selectors(r, shared, sizeof shared / sizeof *shared);
}

// Soft differences between the machines' state double what counts.
static double least_of(const comparison *c) { return log1p(COMPARE_LEAST * (c->difference_count > 0 ? 2 : 1)); }

static void judge(const comparison *c, compare_row *r, double now, double median) {
    if (result_is_sentinel(r->item)) {
        r->verdict = COMPARE_SENTINEL;
        return;
    }
    r->verdict = COMPARE_CANNOT_TELL;
    if (r->sentinel == SENTINEL_NONE) {
        snprintf(r->reason, sizeof r->reason, "no sentinel: measure op identity beside it");
    } else if (!compare_is_enough(c) || r->runs < COMPARE_RUNS) {
        snprintf(r->reason, sizeof r->reason, "%zu baseline runs have it, on %zu days at most; %d on %d are needed",
                 r->runs, c->days, COMPARE_RUNS, COMPARE_DAYS);
    } else {
        double *const factor = &c->factors[r->runs];
        if (isnan(*factor))
            *factor = prediction_factor(r->runs, COMPARE_ALPHA);
        const double limit = fmax(least_of(c), *factor * r->spread);
        r->limit = exp(limit);
        r->verdict = now - median > limit ? COMPARE_SUSPECT : COMPARE_NOT_SUSPECT;
    }
}

// The median of the baseline's times; NaN: it has none.
static double base_time(const comparison *c, const char *name, double *values) {
    size_t count = 0;
    for (size_t k = c->expired; k + 1 < c->count; k++) {
        const result *const i = results_find(&c->runs[k], name);
        if (i != NULL)
            values[count++] = i->ns.median;
    }
    return stats_median(values, count);
}

// values: scratch, of a number for each run.
static void make_row(const comparison *c, compare_row *r, double *values) {
    const size_t count = baseline_runs(c);
    double median = (double)NAN;
    r->now = new_run(c);
    r->before = &c->runs[c->count - 2];
    r->change = r->limit = r->spread = (double)NAN;
    r->base_ns = base_time(c, r->item->name, values);
    set_settle(r);
    r->sentinel = sentinels_over(c->runs + c->expired, count + 1, r->item->name, values);
    const double now = values[count];
    for (size_t k = 0; k < count; k++)
        if (!isnan(values[k]))
            values[r->runs++] = values[k];
    if (r->runs > 0) {
        median = stats_median(values, r->runs);
        r->spread = fmax(paired_deviation(values, r->runs), COMPARE_FLOOR);
    }
    if (r->runs == 0) {
        r->verdict = COMPARE_NEW;
    } else if (isnan(now)) {
        r->verdict = 2 * r->runs > count ? COMPARE_MISSING : COMPARE_CANNOT_TELL;
        snprintf(r->reason, sizeof r->reason, "%zu of %zu baseline runs have it, the new one lacks it", r->runs, count);
    } else {
        r->change = exp(now - median);
        judge(c, r, now, median);
    }
}

// ---- All rows

static int by_verdict(const void *a, const void *b) {
    const compare_row *const x = a, *const y = b;
    if (x->verdict != y->verdict)
        return (x->verdict > y->verdict) - (x->verdict < y->verdict);
    if (!isnan(x->change) && !isnan(y->change) && (x->change < y->change || x->change > y->change))
        return x->change < y->change ? 1 : -1;
    return strcmp(x->item->name, y->item->name);
}

// Whether an earlier of the runs that are looked at, the new one first, has the result.
static bool is_listed(const comparison *c, size_t run, const char *name) {
    if (run != c->count - 1 && results_find(new_run(c), name) != NULL)
        return true;
    for (size_t k = run + 1; run != c->count - 1 && k + 1 < c->count; k++)
        if (results_find(&c->runs[k], name) != NULL)
            return true;
    return false;
}

// How far the sentinels themselves moved: the median of their ratios.
static double sentinels_moved(const comparison *c, double *values) {
    size_t count = 0;
    for (size_t i = 0; i < c->row_count; i++)
        if (c->rows[i].verdict == COMPARE_SENTINEL)
            values[count++] = c->rows[i].change;
    return stats_median(values, count);
}

bool compare_make(comparison *c, results *runs, size_t count) {
    size_t most = 0;
    *c = (comparison){.runs = runs, .count = count, .sentinels = (double)NAN};
    hold_machines(c);
    choose_runs(c);
    for (size_t k = c->expired; k < count; k++)
        most += runs[k].count;
    c->rows = calloc(most + 1, sizeof *c->rows);
    double *const values = malloc((most + count + 1) * sizeof *values);
    c->factors = malloc((count + 1) * sizeof *c->factors);
    const bool ok = c->rows != NULL && values != NULL && c->factors != NULL;
    for (size_t k = 0; ok && k <= count; k++)
        c->factors[k] = (double)NAN;
    for (size_t k = c->expired; ok && c->other == NULL && k < count; k++)
        for (size_t i = 0; i < runs[k].count; i++)
            if (!is_listed(c, k, runs[k].items[i].name)) {
                compare_row *const row = &c->rows[c->row_count++];
                row->item = &runs[k].items[i];
                make_row(c, row, values);
                c->counts[row->verdict]++;
            }
    if (ok) {
        qsort(c->rows, c->row_count, sizeof *c->rows, by_verdict);
        c->sentinels = sentinels_moved(c, values);
    }
    free(values);
    if (!ok)
        compare_free(c);
    return ok;
}

void compare_free(comparison *c) {
    free(c->rows);
    free(c->factors);
    results_free_all(c->runs, c->count);
    *c = (comparison){0};
}

int compare_status(const comparison *c) {
    if (c->other != NULL || (c->expired > 0 && !compare_is_enough(c)))
        return EXIT_INCOMPARABLE;
    if (c->counts[COMPARE_MISSING] > 0)
        return EXIT_INCOMPLETE;
    return c->counts[COMPARE_SUSPECT] > 0 || c->counts[COMPARE_NOT_SUSPECT] == 0 ? EXIT_INCONCLUSIVE : EXIT_DONE;
}
