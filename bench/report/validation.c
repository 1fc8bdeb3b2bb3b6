// SPDX-License-Identifier: MIT
// validation.c: see validation.h.
#include "validation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/interval.h"
#include "base/stats.h"

#define NAME(ID, name, meaning) #name,
static const char *const property_names[] = {VALIDATION_PROPERTY_LIST(NAME)};
#undef NAME
const char *validation_property_name(validation_property p) { return property_names[p]; }

// An estimate counts if it is off by no more than this part of what was injected.
#define NEAR 0.15

// ---- Trials

static bool is_verdict(ab_verdict v) { return v == AB_SLOWER || v == AB_FASTER; }

static bool found_alone(const validation *v, const validation_row *r) {
    size_t rows = 0;
    for (size_t i = 0; i < v->row_count; i++)
        rows += v->rows[i].gate == r->gate;
    return r->verdict == AB_SLOWER &&
           r->p_value * (double)(rows > VALIDATION_OF_ROWS ? rows : VALIDATION_OF_ROWS) <= AB_ALARMS;
}

static bool within(double x, stats_interval i) { return x >= i.lo && x <= i.hi; }
static bool is_near(double estimate, double truth) { return fabs(estimate - truth) <= NEAR * truth; }

// What the row's extra work is: as it was measured, where it was.
static double truth_of(const validation_row *r) { return isnan(r->added_pct) ? r->inject_pct : r->added_pct; }

// Whether a row is a trial of a property, and a hit.
static bool row_is_trial(const validation *v, const validation_finding *f, const validation_row *r, bool *hit) {
    switch (f->property) {
    case VALIDATION_FIRST:
        *hit = r->p_adjusted <= AB_ALARMS;
        return true;
    case VALIDATION_ALARMS:
        *hit = is_verdict(r->verdict);
        return true;
    case VALIDATION_DOUBTFUL:
        *hit = r->verdict == AB_INCONCLUSIVE;
        return true;
    case VALIDATION_COVERAGE:
        *hit = within(0, r->change);
        return interval_known(&r->change);
    case VALIDATION_FOUND:
        *hit = found_alone(v, r);
        return true;
    case VALIDATION_ESTIMATE:
        *hit = is_near(r->change.median, truth_of(r));
        return !isnan(r->change.median);
    case VALIDATION_LAYER_ESTIMATE:
        *hit = is_near(r->layer_pct, r->added_layer_pct);
        return !isnan(r->layer_pct) && !isnan(r->added_layer_pct);
    default:
        return false;
    }
}

// Whether there is something in the row that makes it slower.
static bool is_changed(const validation *v, const validation_row *r) {
    return v->gates[r->gate].kind == VALIDATION_PULL_SLOWER ? strcmp(r->op, VALIDATION_PULL_OP) == 0
                                                            : r->inject_pct > 0;
}

validation_counts validation_count(const validation *v, size_t gate) {
    validation_counts c = {0};
    for (size_t i = 0; i < v->row_count; i++) {
        const bool own = v->rows[i].gate == gate, slower = own && v->rows[i].verdict == AB_SLOWER;
        c.rows += own;
        c.slower += slower;
        c.unchanged += slower && !is_changed(v, &v->rows[i]);
    }
    return c;
}

static bool gate_is_hit(const validation *v, const validation_finding *f, size_t gate) {
    const size_t code = v->gates[gate].exit;
    const validation_counts c = validation_count(v, gate);
    switch (f->property) {
    case VALIDATION_PULLS_FOUND:
        return code == EXIT_REGRESSION && c.slower > 0 && c.unchanged == 0;
    case VALIDATION_PULLS_PASSED:
        return code == EXIT_DONE;
    case VALIDATION_TOLD:
        return v->gates[gate].told;
    case VALIDATION_VAGUE:
        return code == EXIT_INCONCLUSIVE;
    default:
        return code == EXIT_REGRESSION;
    }
}

static bool is_of_gates(validation_property p) {
    return p == VALIDATION_FAILED || p == VALIDATION_VAGUE || p == VALIDATION_WRONG || p == VALIDATION_PULLS_FOUND ||
           p == VALIDATION_PULLS_PASSED || p == VALIDATION_TOLD;
}

static void count(validation_finding *f, bool hit) {
    f->trials++;
    f->hits += hit;
}

static bool same_pct(double a, double b) { return isnan(a) || fabs(a - b) < 1e-9; }

// Intervals of disjoint launches: one row may give several.
static void count_order_statistics(validation_finding *f, const validation_row *r) {
    const size_t usable = r->difference_count < AB_LAUNCHES ? r->difference_count : AB_LAUNCHES;
    for (size_t at = 0; at + f->launches <= usable; at += f->launches)
        count(f, !within(0, stats_median_interval(r->differences + at, f->launches, 0.95)));
}

static void count_rows(const validation *v, validation_finding *f) {
    for (size_t i = 0; i < v->row_count; i++) {
        const validation_row *const r = &v->rows[i];
        bool hit = false;
        if (v->gates[r->gate].kind != f->kind || !same_pct(f->inject_pct, r->inject_pct))
            continue;
        if (f->property == VALIDATION_EXCLUDES)
            count_order_statistics(f, r);
        else if (row_is_trial(v, f, r, &hit))
            count(f, hit);
    }
}

// ---- The middle of the estimates

// false: no memory.
static bool find_estimate(const validation *v, validation_finding *f) {
    double *const values = malloc((v->row_count + 1) * sizeof *values);
    size_t n = 0;
    f->estimate = INTERVAL_NONE;
    for (size_t i = 0; values != NULL && i < v->row_count; i++)
        if (v->gates[v->rows[i].gate].kind == f->kind && same_pct(f->inject_pct, v->rows[i].inject_pct) &&
            !isnan(v->rows[i].change.median))
            values[n++] = v->rows[i].change.median;
    if (values != NULL && (!isnan(f->inject_pct) || f->property == VALIDATION_PULLS_FOUND) && n > 0)
        f->estimate = stats_median_interval(values, n, 0.95);
    free(values);
    return values != NULL;
}

// ---- Findings

// Adds what has trials.
static bool find(validation *v, validation_finding f) {
    if (is_of_gates(f.property)) {
        for (size_t i = 0; i < v->gate_count; i++)
            if (v->gates[i].kind == f.kind && (f.property != VALIDATION_TOLD || v->gates[i].tells))
                count(&f, gate_is_hit(v, &f, i));
    } else if (f.property == VALIDATION_GROUPS) {
        for (size_t i = 0; i < v->group_count; i++)
            if (v->groups[i].kind == f.kind)
                count(&f, v->groups[i].verdict == AB_SLOWER &&
                              v->groups[i].p_value * (double)VALIDATION_OF_GROUPS <= AB_ALARMS);
    } else {
        count_rows(v, &f);
    }
    if (!find_estimate(v, &f))
        return false;
    if (f.trials == 0)
        return true;
    f.share = stats_scaled(proportion_interval(f.hits, f.trials, 0.95), 100);
    validation_finding *const more = realloc(v->findings, (v->finding_count + 1) * sizeof *more);
    if (more == NULL)
        return false;
    v->findings = more;
    more[v->finding_count++] = f;
    return true;
}

// What is asked of each kind; a goal's bounds in percent, NaN: open.
#define NONE (double)NAN
static const struct {
    validation_property property;
    validation_kind kind;
    double inject_pct;
    size_t launches;
    double lo, hi;
} asked_of[] = {
    {VALIDATION_FIRST, VALIDATION_SAME, NONE, 0, NONE, NONE},
    {VALIDATION_ALARMS, VALIDATION_SAME, NONE, 0, NONE, 100.0 / 3000},
    {VALIDATION_FIRST, VALIDATION_RELINKED, NONE, 0, NONE, NONE},
    {VALIDATION_ALARMS, VALIDATION_RELINKED, NONE, 0, NONE, 100.0 / 1000},
    {VALIDATION_FAILED, VALIDATION_SAME, NONE, 0, NONE, 0},
    {VALIDATION_FAILED, VALIDATION_RELINKED, NONE, 0, NONE, 0},
    {VALIDATION_VAGUE, VALIDATION_SAME, NONE, 0, NONE, NONE},
    {VALIDATION_VAGUE, VALIDATION_RELINKED, NONE, 0, NONE, NONE},
    {VALIDATION_DOUBTFUL, VALIDATION_SAME, NONE, 0, NONE, NONE},
    {VALIDATION_DOUBTFUL, VALIDATION_RELINKED, NONE, 0, NONE, NONE},
    {VALIDATION_COVERAGE, VALIDATION_SAME, NONE, 0, 93, 98},
    {VALIDATION_COVERAGE, VALIDATION_RELINKED, NONE, 0, 93, 98},
    {VALIDATION_EXCLUDES, VALIDATION_SAME, NONE, 6, NONE, 5},
    {VALIDATION_EXCLUDES, VALIDATION_SAME, NONE, 9, NONE, 5},
    {VALIDATION_EXCLUDES, VALIDATION_SAME, NONE, 17, NONE, 5},
    {VALIDATION_EXCLUDES, VALIDATION_SAME, NONE, 20, NONE, 5},
    {VALIDATION_EXCLUDES, VALIDATION_RELINKED, NONE, 6, NONE, 5},
    {VALIDATION_EXCLUDES, VALIDATION_RELINKED, NONE, 9, NONE, 5},
    {VALIDATION_EXCLUDES, VALIDATION_RELINKED, NONE, 17, NONE, 5},
    {VALIDATION_EXCLUDES, VALIDATION_RELINKED, NONE, 20, NONE, 5},
    {VALIDATION_FOUND, VALIDATION_POWER, 0.5, 0, NONE, NONE},
    {VALIDATION_FOUND, VALIDATION_POWER, 1, 0, NONE, NONE},
    {VALIDATION_FOUND, VALIDATION_POWER, 2, 0, NONE, NONE},
    {VALIDATION_FOUND, VALIDATION_POWER, 3, 0, 95, NONE},
    {VALIDATION_FOUND, VALIDATION_POWER, 5, 0, 99, NONE},
    {VALIDATION_FOUND, VALIDATION_POWER, 10, 0, 99, NONE},
    {VALIDATION_ESTIMATE, VALIDATION_POWER, 0.5, 0, NONE, NONE},
    {VALIDATION_ESTIMATE, VALIDATION_POWER, 1, 0, NONE, NONE},
    {VALIDATION_ESTIMATE, VALIDATION_POWER, 2, 0, NONE, NONE},
    {VALIDATION_ESTIMATE, VALIDATION_POWER, 3, 0, NONE, NONE},
    {VALIDATION_ESTIMATE, VALIDATION_POWER, 5, 0, NONE, NONE},
    {VALIDATION_ESTIMATE, VALIDATION_POWER, 10, 0, 95, NONE},
    {VALIDATION_GROUPS, VALIDATION_GROUP, 1, 0, 90, NONE},
    {VALIDATION_WRONG, VALIDATION_BUSY, NONE, 0, NONE, 0},
    {VALIDATION_WRONG, VALIDATION_STOPPED, NONE, 0, NONE, 0},
    {VALIDATION_WRONG, VALIDATION_MOVED, NONE, 0, NONE, 0},
    {VALIDATION_VAGUE, VALIDATION_BUSY, NONE, 0, NONE, NONE},
    {VALIDATION_VAGUE, VALIDATION_STOPPED, NONE, 0, NONE, NONE},
    {VALIDATION_VAGUE, VALIDATION_MOVED, NONE, 0, NONE, NONE},
    {VALIDATION_TOLD, VALIDATION_BUSY, NONE, 0, NONE, NONE},
    {VALIDATION_TOLD, VALIDATION_STOPPED, NONE, 0, NONE, NONE},
    {VALIDATION_TOLD, VALIDATION_MOVED, NONE, 0, NONE, NONE},
    {VALIDATION_PULLS_FOUND, VALIDATION_PULL_SLOWER, NONE, 0, 100, NONE},
    {VALIDATION_PULLS_PASSED, VALIDATION_PULL_README, NONE, 0, 100, NONE},
    {VALIDATION_FIRST, VALIDATION_LAYERS_SAME, NONE, 0, NONE, NONE},
    {VALIDATION_ALARMS, VALIDATION_LAYERS_SAME, NONE, 0, NONE, 100.0 / 1000},
    {VALIDATION_FAILED, VALIDATION_LAYERS_SAME, NONE, 0, NONE, 0},
    {VALIDATION_VAGUE, VALIDATION_LAYERS_SAME, NONE, 0, NONE, NONE},
    {VALIDATION_DOUBTFUL, VALIDATION_LAYERS_SAME, NONE, 0, NONE, NONE},
    {VALIDATION_COVERAGE, VALIDATION_LAYERS_SAME, NONE, 0, 93, 98},
    {VALIDATION_FOUND, VALIDATION_LAYERS_SLOWER, 10, 0, NONE, NONE},
    {VALIDATION_ESTIMATE, VALIDATION_LAYERS_SLOWER, 10, 0, 95, NONE},
    {VALIDATION_LAYER_ESTIMATE, VALIDATION_LAYERS_SLOWER, 10, 0, 95, NONE},
};

static const char *machine_of(const validation *v) {
    const char *machine = "";
    for (size_t i = 0; i < v->gate_count; i++) {
        const char *const other = v->gates[i].machine_id; // "": it has no row
        if (*machine != '\0' && *other != '\0' && strcmp(machine, other) != 0)
            return "";
        machine = *other != '\0' ? other : machine;
    }
    return machine;
}

bool validation_judge(validation *v) {
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof asked_of / sizeof *asked_of; i++)
        ok = find(v, (validation_finding){.machine_id = machine_of(v),
                                          .property = asked_of[i].property,
                                          .kind = asked_of[i].kind,
                                          .inject_pct = asked_of[i].inject_pct,
                                          .launches = asked_of[i].launches,
                                          .goal = {NONE, asked_of[i].lo, asked_of[i].hi}});
    return ok;
}

bool validation_has_goal(const validation_finding *f) { return !isnan(f->goal.lo) || !isnan(f->goal.hi); }

verdict validation_reached(const validation_finding *f) {
    const bool never = fpclassify(f->goal.hi) == FP_ZERO;
    if (!validation_has_goal(f))
        return VERDICT_CANNOT_TELL;
    if (never)
        return f->hits == 0 ? VERDICT_HOLDS : VERDICT_DOES_NOT_HOLD;
    if (f->goal.lo >= 100)
        return f->hits < f->trials            ? VERDICT_DOES_NOT_HOLD
               : f->trials < VALIDATION_PULLS ? VERDICT_CANNOT_TELL
                                              : VERDICT_HOLDS;
    return judge_place(&f->share, &f->goal);
}
