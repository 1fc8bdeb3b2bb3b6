// SPDX-License-Identifier: MIT
// ab_judge.c: see ab_judge.h.
#include "ab_judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME(ID, name) #name,
static const char *const verdict_names[AB_VERDICTS] = {AB_VERDICT_LIST(NAME)};
const char *ab_verdict_name(ab_verdict v) { return verdict_names[v]; }

// More samples than this with a preemption, and the row was not measured on a machine of its own. Of layers, few
// preemptions fall into the norms.
static double most_preempted_pct(const ab_row *r) { return r->of_layer ? 50 : 20; }
// What sentinels and controls together may be off by.
#define MOST_DRIFT 0.005

static double log_of(double pct) { return log1p(0.01 * pct); }

static void say(ab_finding *f, ab_verdict v, const char *reason) {
    f->verdict = v;
    snprintf(f->reason, sizeof f->reason, "%s", reason);
}

// ---- One finding

static void look(ab_finding *f, double threshold, double alpha) {
    const ab_differences *const d = &f->differences;
    f->change = d->again_count > 0 ? paired_interval(d->again, d->again_count, 0.95)
                                   : paired_interval(d->first, d->first_count, 0.95);
    f->deviation = paired_deviation(d->first, d->first_count);
    f->detectable = paired_detectable(f->deviation, d->first_count, threshold, alpha);
    f->adjusted[0] = f->p[0] = paired_above(d->first, d->first_count, threshold);
    f->adjusted[1] = f->p[1] = paired_below(d->first, d->first_count, -threshold);
    f->p_again = NAN;
    f->verdict = AB_MISSING;
}

// The sign test needs no symmetry, which skewed launches lack.
static bool signs_agree(const ab_differences *d, bool slower) {
    const stats_interval i = stats_median_interval(d->first, d->first_count, 0.95);
    return slower ? i.lo > 0 : i.hi < 0;
}

static void alarm_or_not(ab_finding *f, double threshold, bool slower) {
    const ab_differences *const d = &f->differences;
    f->p_again = d->again_count == 0 ? (double)NAN
                 : slower            ? paired_above(d->again, d->again_count, threshold)
                                     : paired_below(d->again, d->again_count, -threshold);
    if (!signs_agree(d, slower))
        say(f, AB_INCONCLUSIVE, "the launches differ too lopsidedly for a verdict");
    else if (d->again_count == 0)
        say(f, AB_INCONCLUSIVE,
            slower ? "slower, but not confirmed: the run ended before" : "faster, but not confirmed");
    else if (f->p_again <= AB_CONFIRMED)
        say(f, slower ? AB_SLOWER : AB_FASTER, "");
    else
        say(f, AB_INCONCLUSIVE,
            slower ? "slower at first, but not in the launches that were to confirm it"
                   : "faster at first, but not in the launches that were to confirm it");
}

// Whose p-values are adjusted.
static void decide(ab_finding *f, double threshold, double alpha) {
    const ab_differences *const d = &f->differences;
    if (d->first_count == 0)
        say(f, AB_MISSING, "no launch has both sides");
    else if (f->adjusted[0] <= AB_ALARMS || f->adjusted[1] <= AB_ALARMS)
        alarm_or_not(f, threshold, f->adjusted[0] <= f->adjusted[1]);
    else if (paired_least(d->first_count) > alpha)
        say(f, AB_INCONCLUSIVE, "too few launches to show a difference among so many rows: give more --launches");
    else if (paired_below(d->first, d->first_count, threshold) <= AB_EQUAL &&
             paired_above(d->first, d->first_count, -threshold) <= AB_EQUAL)
        say(f, AB_SAME, "");
    else
        say(f, AB_INCONCLUSIVE, "neither shown to be within the threshold nor beyond it");
}

// Adjusts the p-values of so many findings, one way and the other, and decides.
static bool decide_all(ab_finding *const *findings, size_t count, double threshold, double alpha) {
    double *const p = malloc((count + 1) * sizeof *p);
    for (size_t way = 0; p != NULL && way < 2; way++) {
        for (size_t i = 0; i < count; i++)
            p[i] = findings[i]->p[way];
        paired_benjamini_hochberg(p, count);
        for (size_t i = 0; i < count; i++)
            findings[i]->adjusted[way] = p[i];
    }
    for (size_t i = 0; p != NULL && i < count; i++)
        decide(findings[i], threshold, alpha);
    free(p);
    return p != NULL;
}

// ---- Rows

static bool is_judged(const ab_row *r) { return r->which.role == AB_ROW; }
static bool is_control(const ab_row *r) { return r->which.role == AB_CONTROL || r->which.role == AB_SENTINEL; }

static size_t count_rows(const ab_judgement *j, bool (*which)(const ab_row *)) {
    size_t count = 0;
    for (size_t i = 0; i < j->row_count; i++)
        count += which(&j->rows[i]);
    return count;
}

// Those of one role are tests of one family.
static bool decide_rows(ab_judgement *j, bool (*which)(const ab_row *)) {
    const size_t count = count_rows(j, which);
    const double threshold = log_of(j->threshold.row_pct), alpha = AB_ALARMS / (double)(count > 0 ? count : 1);
    ab_finding **const findings = malloc((count + 1) * sizeof *findings);
    size_t found = 0;
    for (size_t i = 0; findings != NULL && i < j->row_count; i++)
        if (which(&j->rows[i])) {
            look(&j->rows[i].finding, threshold, alpha);
            findings[found++] = &j->rows[i].finding;
        }
    const bool ok = findings != NULL && decide_all(findings, count, threshold, alpha);
    free(findings);
    for (size_t i = 0; ok && i < j->row_count; i++)
        if (which(&j->rows[i]) && j->rows[i].preempted_pct > most_preempted_pct(&j->rows[i]) &&
            j->rows[i].finding.verdict != AB_MISSING)
            say(&j->rows[i].finding, AB_INCONCLUSIVE, "other programs took the CPU in too many samples");
    return ok;
}

// ---- Groups

static bool in_group(const ab_group *g, const ab_row *r) {
    return is_judged(r) && r->op == g->op && (g->level == NORM_ALL_LEVELS || r->level == g->level);
}

// A group of a single row says nothing new; nor does one level of an op that was measured at no other.
static void add_group(ab_judgement *j, norm_op op, norm_level level) {
    ab_group g = {.op = op, .level = level};
    size_t of_op = 0;
    for (size_t i = 0; i < j->row_count; i++) {
        g.rows += in_group(&g, &j->rows[i]);
        of_op += is_judged(&j->rows[i]) && j->rows[i].op == op;
    }
    if (g.rows > 1 && (level == NORM_ALL_LEVELS || g.rows < of_op))
        j->groups[j->group_count++] = g;
}

static bool decide_groups(ab_judgement *j) {
    j->groups = calloc((size_t)NORM_OPS * (NORM_ALL_LEVELS + 1), sizeof *j->groups);
    if (j->groups == NULL)
        return false;
    for (norm_op op = 0; op < NORM_OPS; op++)
        for (unsigned level = 0; level <= NORM_ALL_LEVELS; level++)
            add_group(j, op, (norm_level)level);
    ab_finding **const findings = malloc((j->group_count + 1) * sizeof *findings);
    const double threshold = log_of(j->threshold.group_pct);
    const double alpha = AB_ALARMS / (double)(j->group_count > 0 ? j->group_count : 1);
    for (size_t i = 0; findings != NULL && i < j->group_count; i++) {
        ab_group *const g = &j->groups[i];
        ab_pairs_mean(j, g, in_group, &g->finding.differences);
        look(&g->finding, threshold, alpha);
        findings[i] = &g->finding;
    }
    const bool ok = findings != NULL && decide_all(findings, j->group_count, threshold, alpha);
    free(findings);
    return ok;
}

// ---- The measurement itself

static bool in_controls(const ab_group *g, const ab_row *r) {
    (void)g;
    return is_control(r);
}

// What cannot differ tells of the measurement: one that does, or all of them a little.
static void look_at_controls(ab_judgement *j) {
    ab_differences d = {0};
    ab_pairs_mean(j, NULL, in_controls, &d);
    j->controls = paired_interval(d.first, d.first_count, 0.95);
    j->control_count = count_rows(j, is_control);
    for (size_t i = 0; i < j->row_count; i++)
        if (is_control(&j->rows[i]) &&
            (j->rows[i].finding.adjusted[0] <= AB_ALARMS || j->rows[i].finding.adjusted[1] <= AB_ALARMS))
            snprintf(j->disturbed, sizeof j->disturbed,
                     "%.96s, the same code on both sides, differs beyond the threshold", j->rows[i].text);
    if (d.first_count > 0 && (paired_above(d.first, d.first_count, MOST_DRIFT) <= 0.001 ||
                              paired_below(d.first, d.first_count, -MOST_DRIFT) <= 0.001))
        snprintf(j->disturbed, sizeof j->disturbed,
                 "the sides differ where their code is the same: something favours one of them");
}

static void withdraw(ab_judgement *j) {
    for (size_t i = 0; i < j->row_count; i++)
        if (is_judged(&j->rows[i]) && j->rows[i].finding.verdict < AB_INCONCLUSIVE)
            say(&j->rows[i].finding, AB_INCONCLUSIVE, "the measurement was disturbed");
    for (size_t i = 0; i < j->group_count; i++)
        say(&j->groups[i].finding, AB_INCONCLUSIVE, "the measurement was disturbed");
}

bool ab_judge(ab_judgement *j, const ab_compared *compared, const schedule *s, const observations *all,
              ab_threshold threshold) {
    *j = (ab_judgement){.compared = compared, .threshold = threshold};
    if (!ab_pairs_make(j, s, all) || !decide_rows(j, is_judged) || !decide_rows(j, is_control) || !decide_groups(j)) {
        ab_judgement_free(j);
        return false;
    }
    look_at_controls(j);
    if (j->disturbed[0] != '\0')
        withdraw(j);
    for (size_t i = 0; i < j->row_count; i++) {
        const char *const reason = s->items[j->rows[i].candidate].reason;
        if (j->rows[i].which.role == AB_IDENTICAL)
            say(&j->rows[i].finding, AB_SAME_CODE, "");
        else if (j->rows[i].finding.verdict == AB_MISSING && reason[0] != '\0')
            say(&j->rows[i].finding, AB_MISSING, reason);
        if (is_judged(&j->rows[i]) || j->rows[i].which.role == AB_IDENTICAL)
            j->counts[j->rows[i].finding.verdict]++;
    }
    return true;
}

void ab_judgement_free(ab_judgement *j) {
    free(j->rows);
    free(j->groups);
    *j = (ab_judgement){0};
}

// ---- More launches

// Precision is all that is asked: to stop when a difference shows would find one in every run that is long enough.
static bool is_precise(const ab_row *r, double threshold) {
    const ab_differences *const d = &r->finding.differences;
    const stats_interval i = paired_interval(d->first, d->first_count, 0.90);
    return i.hi - i.lo <= threshold;
}

static void raise(schedule *s, const ab_row *r, size_t launches) {
    s->items[r->base].launches = s->items[r->candidate].launches = launches;
}

static void ask_to_confirm(schedule *s, const ab_row *r, size_t done, size_t confirming) {
    const size_t items[] = {r->base, r->candidate};
    for (size_t i = 0; i < 2; i++)
        snprintf(s->items[items[i]].note, sizeof s->items->note, "%zu", done);
    raise(s, r, done + confirming);
}

static bool alarms(const ab_finding *f) { return f->adjusted[0] <= AB_ALARMS || f->adjusted[1] <= AB_ALARMS; }

size_t ab_go_on(const ab_compared *compared, schedule *s, const observations *all, ab_threshold threshold,
                size_t done) {
    ab_judgement j;
    size_t more = done;
    bool confirmed = false;
    for (size_t i = 0; i < s->count; i++)
        confirmed |= s->items[i].note[0] != '\0';
    if (confirmed || !ab_judge(&j, compared, s, all, threshold))
        return done;
    for (size_t i = 0; i < j.row_count && done < compared->launches.most; i++)
        if (is_judged(&j.rows[i]) && j.rows[i].finding.differences.first_count > 0 &&
            s->items[j.rows[i].base].launches >= done && !is_precise(&j.rows[i], log_of(threshold.row_pct))) {
            more = compared->launches.most;
            raise(s, &j.rows[i], more);
        }
    for (size_t i = 0; more == done && i < j.row_count; i++) {
        bool doubted = is_judged(&j.rows[i]) && alarms(&j.rows[i].finding);
        for (size_t k = 0; k < j.group_count; k++)
            doubted |= in_group(&j.groups[k], &j.rows[i]) && alarms(&j.groups[k].finding);
        if (doubted)
            ask_to_confirm(s, &j.rows[i], done, compared->launches.confirming);
    }
    for (size_t i = 0; i < s->count; i++)
        more = s->items[i].note[0] != '\0' ? done + compared->launches.confirming : more;
    ab_judgement_free(&j);
    return more;
}
