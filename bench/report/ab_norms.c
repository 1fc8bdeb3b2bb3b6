// SPDX-License-Identifier: MIT
// ab_norms.c: see ab_judge.h.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ab_judge.h"
#include "ab_report.h"
#include "base/order.h"
#include "base/shift.h"
#include "layers_summary.h"
#include "measure/ab.h"
#include "plan/ab_layers_plan.h"

static norm_level level_of(const char *name) {
    norm_level level = 0;
    while (level < NORM_ALL_LEVELS && strcmp(norm_level_name(level), name) != 0)
        level++;
    return level;
}

static void know(const schedule *s, ab_row *r) {
    const ab_layers_item *const item = schedule_name(s, r->candidate);
    const norm_slot *const slot = &item->arm.slot;
    char where[AB_TEXT / 2];
    r->which = item->which;
    r->op = slot->op;
    r->level = level_of(slot->level);
    r->of_layer = true;
    (void)ab_layers_name(&item->arm, r->name);
    layers_key_describe(&item->arm.key, where, sizeof where);
    snprintf(r->text, sizeof r->text, "%s/%s %s %s in %s", norm_op_name(slot->op), slot->variant,
             norm_form_name(slot->form), slot->level, where);
}

// ---- Differences

// Samples [begin, end) of an item that are of one launch.
typedef struct {
    const sample_index *x;
    size_t begin, end;
} one_launch;

static one_launch launch_from(const sample_index *x, size_t begin, size_t last) {
    one_launch l = {x, begin, begin};
    while (l.end < last && x->sorted[l.end]->launch == x->sorted[begin]->launch)
        l.end++;
    return l;
}

static size_t number_of(one_launch l) { return l.x->sorted[l.begin]->launch; }

// Launches that both sides of a row have, one after another; from a and b on they are still to come.
typedef struct {
    const sample_index *x;
    size_t a, a_last, b, b_last;
    one_launch candidate, base;
} both_sides;

static both_sides launches_of(const sample_index *x, const ab_row *r) {
    return (both_sides){.x = x,
                        .a = x->first[r->candidate],
                        .a_last = x->first[r->candidate + 1],
                        .b = x->first[r->base],
                        .b_last = x->first[r->base + 1]};
}

static bool next_launch(both_sides *l) {
    bool both = false;
    while (!both && l->a < l->a_last && l->b < l->b_last) {
        l->candidate = launch_from(l->x, l->a, l->a_last);
        l->base = launch_from(l->x, l->b, l->b_last);
        const size_t of_a = number_of(l->candidate), of_b = number_of(l->base);
        l->a = of_a <= of_b ? l->candidate.end : l->a;
        l->b = of_b <= of_a ? l->base.end : l->b;
        both = of_a == of_b;
    }
    return both;
}

// What the norms of both sides take in a launch, and what the candidate's take longer: ns of one call of the layer.
typedef struct {
    double base, candidate, longer;
} norm_times;

// The times of a launch's n-th norm step, sorted. false: it has no such step.
static bool norm_step(one_launch l, size_t n, double *ns) {
    const layers_plan *const p = l.x->plan;
    size_t step, end;
    layers_plan_steps(p, l.x->sorted[l.begin]->item, &step, &end);
    const size_t begin = step;
    while (step < end && (p->steps[step].step.kind != STEP_NORM || n-- > 0))
        step++;
    for (size_t i = l.begin; step < end && i < l.end; i++) {
        const sample *const s = &l.x->sorted[i]->sample;
        ns[i - l.begin] = step - begin < s->list_length ? s->list[step - begin] : (double)NAN;
    }
    qsort(ns, l.end - l.begin, sizeof *ns, order_reals);
    return step < end;
}

// Step by step, for in place a step takes one time or, where a thread comes late or the caches were emptied, another, a
// half longer, and a median or quartile jumps between the two. The shift does not: between launches with the same code
// on both sides it scattered by 1.8 % where lower quartiles did by 4.2. room: a number of each sample of both.
static norm_times times_of(const both_sides *l, double *room) {
    const size_t a = l->candidate.end - l->candidate.begin, b = l->base.end - l->base.begin;
    norm_times t = {0};
    for (size_t n = 0; norm_step(l->candidate, n, room) && norm_step(l->base, n, room + a); n++) {
        t.candidate += stats_median(room, a);
        t.base += stats_median(room + a, b);
        t.longer += shift_of(room, a, room + a, b);
    }
    return t;
}

// The shift about the middle of both, so that sides that are exchanged have its negative.
static double log_ratio(norm_times t) {
    const double middle = (t.candidate + t.base) / 2;
    return log((middle + t.longer / 2) / (middle - t.longer / 2));
}

static double *room_of(const sample_index *x, const ab_row *r) {
    return malloc((sample_index_count(x, r->candidate) + sample_index_count(x, r->base) + 1) * sizeof(double));
}

static size_t differences(const sample_index *x, const ab_row *r, double *values, size_t *launches) {
    both_sides l = launches_of(x, r);
    double *const room = room_of(x, r);
    size_t count = 0;
    while (room != NULL && next_launch(&l)) {
        launches[count] = number_of(l.base);
        values[count++] = log_ratio(times_of(&l, room));
    }
    free(room);
    return count;
}

// ---- What it comes to, and what was injected

// Whether a row's change is of this launch.
static bool is_shown(const ab_differences *d, size_t launch) {
    const bool again = d->again_count > 0;
    const size_t count = again ? d->again_count : d->first_count;
    size_t i = 0;
    while (i < count && (again ? d->again_launch : d->first_launch)[i] != launch)
        i++;
    return i < count;
}

// The median of a quantity of its samples.
static double middle(one_launch l, size_t quantity, double *room) {
    for (size_t i = l.begin; i < l.end; i++)
        room[i - l.begin] = l.x->sorted[i]->sample.value[quantity];
    return stats_median(room, l.end - l.begin);
}

// Of each launch that a row's change is of: what its norms take longer, and what was added to them, over the base's
// norms and over its layer.
typedef struct {
    double effect[PAIRED_MOST], added[PAIRED_MOST], added_to_layer[PAIRED_MOST];
    size_t count;
} in_launches;

// The clock of what was added, the norms and the layer were seen together.
static void look_at_launch(in_launches *of, const both_sides *l, double *room) {
    const norm_times norms = times_of(l, room);
    const double whole = middle(l->base, SAMPLE_TIME, room);
    const double added = middle(l->candidate, AB_LAYERS_ADDED, room) - middle(l->base, AB_LAYERS_ADDED, room);
    of->effect[of->count] = log1p(norms.longer / whole);
    of->added[of->count] = added / norms.base;
    of->added_to_layer[of->count++] = added / whole;
}

static void know_launches(const sample_index *x, ab_row *r) {
    in_launches of = {.count = 0};
    both_sides l = launches_of(x, r);
    double *const room = room_of(x, r);
    while (room != NULL && of.count < PAIRED_MOST && next_launch(&l))
        if (is_shown(&r->finding.differences, number_of(l.base)))
            look_at_launch(&of, &l, room);
    const bool injected = r->which.inject_pct > 0 && of.count > 0;
    r->layer.effect = paired_interval(of.effect, of.count, 0.95);
    r->layer.added = injected ? stats_median(of.added, of.count) : (double)NAN;
    r->layer.added_to_layer = injected ? stats_median(of.added_to_layer, of.count) : (double)NAN;
    free(room);
}

// ---- What a row is

static stats_interval change_of(const sample_index *x, const ab_row *r, int log_reading, double confidence) {
    double values[PAIRED_MOST];
    const size_t count = ab_pairs_of(x, r, log_reading, values);
    return paired_interval(values, count, confidence);
}

static void add(const sample_index *x, ab_row *r) {
    ab_in_layer *const l = &r->layer;
    const double margin = log1p(0.01 * AB_REST_PCT);
    know_launches(x, r);
    l->share = sample_index_median(x, r->candidate, READING_NORM_SHARE);
    l->rest = change_of(x, r, READING_LOG_REST, 0.90);
    l->total = change_of(x, r, READING_LOG_TIME, 0.95);
    l->stays = isnan(l->rest.lo)                             ? AB_REST_UNKNOWN
               : l->rest.lo > -margin && l->rest.hi < margin ? AB_REST_STAYS
               : l->rest.lo > margin || l->rest.hi < -margin ? AB_REST_CHANGES
                                                             : AB_REST_UNKNOWN;
}

const ab_compared ab_norms = {.table = "ab_layers.csv",
                              .read = layers_reading,
                              .time = READING_NORM,
                              .log_time = READING_LOG_NORM,
                              .differences = differences,
                              .know = know,
                              .add = add,
                              .launches = {.first = AB_LAYERS_LAUNCHES, .most = 60, .confirming = 192}};

static const char *pct_text(stats_interval change, char text[AB_TEXT]) {
    const ab_finding f = {.change = change};
    return ab_change_text(&f, text);
}

const char *ab_norms_text(const ab_row *r, char text[AB_TEXT]) {
    const ab_in_layer *const l = &r->layer;
    char whole[AB_TEXT], rest[AB_TEXT];
    text[0] = '\0';
    if (!r->of_layer || isnan(r->finding.change.median))
        return text;
    (void)pct_text(l->stays == AB_REST_CHANGES ? l->total : l->effect, whole);
    (void)pct_text(l->rest, rest);
    if (l->stays == AB_REST_STAYS)
        snprintf(text, AB_TEXT, ", the layer %.200s", whole);
    else if (l->stays == AB_REST_CHANGES)
        snprintf(text, AB_TEXT, ", interaction: the rest of the layer %.64s, the whole %.64s", rest, whole);
    else
        snprintf(text, AB_TEXT, ", the layer %.64s if its rest stays as it is, which was not shown: %.64s", whole,
                 rest);
    return text;
}
