// SPDX-License-Identifier: MIT
// ab_norms.c: see ab_judge.h.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ab_judge.h"
#include "ab_report.h"
#include "base/order.h"
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

// The lower quartiles of its norm steps, added up. In place a step takes one time or, where a thread comes late or the
// caches were emptied, another, a half longer: quartiles of steps scattered half as much as the paired medians of their
// sums, from launch to launch, between equal functions (0.8 for 1.4 %).
static double quartiles(one_launch l, double *room) {
    const layers_plan *const p = l.x->plan;
    const size_t count = l.end - l.begin;
    size_t step, end;
    double ns = 0;
    layers_plan_steps(p, l.x->sorted[l.begin]->item, &step, &end);
    for (size_t at = 0; step + at < end; at++) {
        if (p->steps[step + at].step.kind != STEP_NORM)
            continue;
        for (size_t i = 0; i < count; i++) {
            const sample *const s = &l.x->sorted[l.begin + i]->sample;
            room[i] = at < s->list_length ? s->list[at] : (double)NAN;
        }
        qsort(room, count, sizeof *room, order_reals);
        ns += room[count / 4];
    }
    return ns;
}

static size_t differences(const sample_index *x, const ab_row *r, double *values, size_t *launches) {
    const size_t a_last = x->first[r->candidate + 1], b_last = x->first[r->base + 1];
    double *const room = malloc((a_last + b_last + 1) * sizeof *room);
    size_t count = 0;
    for (size_t a = x->first[r->candidate], b = x->first[r->base]; room != NULL && a < a_last && b < b_last;) {
        const one_launch of_a = launch_from(x, a, a_last), of_b = launch_from(x, b, b_last);
        if (number_of(of_a) == number_of(of_b)) {
            launches[count] = number_of(of_a);
            values[count++] = log(quartiles(of_a, room) / quartiles(of_b, room));
        }
        a = number_of(of_a) <= number_of(of_b) ? of_a.end : a;
        b = number_of(of_b) <= number_of(of_a) ? of_b.end : b;
    }
    free(room);
    return count;
}

// ---- What was injected

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

// Launch by launch, in which the clock of what was added, the norms of the base and its layer were seen together.
// values: room for twice as many as there are samples.
static void look_at_added(const sample_index *x, ab_row *r, double *room, double *values) {
    const size_t a_last = x->first[r->candidate + 1], b_last = x->first[r->base + 1], most = a_last + b_last;
    size_t count = 0;
    for (size_t a = x->first[r->candidate], b = x->first[r->base]; a < a_last && b < b_last;) {
        const one_launch of_a = launch_from(x, a, a_last), of_b = launch_from(x, b, b_last);
        if (number_of(of_a) == number_of(of_b) && is_shown(&r->finding.differences, number_of(of_a))) {
            const double ns = middle(of_a, AB_LAYERS_ADDED, room) - middle(of_b, AB_LAYERS_ADDED, room);
            values[count] = ns / quartiles(of_b, room);
            values[most + count++] = ns / middle(of_b, SAMPLE_TIME, room);
        }
        a = number_of(of_a) <= number_of(of_b) ? of_a.end : a;
        b = number_of(of_b) <= number_of(of_a) ? of_b.end : b;
    }
    if (count > 0) {
        r->layer.added = stats_median(values, count);
        r->layer.added_to_layer = stats_median(values + most, count);
    }
}

static void know_added(const sample_index *x, ab_row *r) {
    const size_t most = x->first[r->candidate + 1] + x->first[r->base + 1];
    double *const room = r->which.inject_pct > 0 ? malloc((3 * most + 1) * sizeof *room) : NULL;
    r->layer.added = r->layer.added_to_layer = NAN;
    if (room != NULL)
        look_at_added(x, r, room, room + most);
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
    know_added(x, r);
    l->share = sample_index_median(x, r->candidate, READING_NORM_SHARE);
    l->rest = change_of(x, r, READING_LOG_REST, 0.90);
    l->total = change_of(x, r, READING_LOG_TIME, 0.95);
    l->stays = isnan(l->rest.lo)                             ? AB_REST_UNKNOWN
               : l->rest.lo > -margin && l->rest.hi < margin ? AB_REST_STAYS
               : l->rest.lo > margin || l->rest.hi < -margin ? AB_REST_CHANGES
                                                             : AB_REST_UNKNOWN;
}

// With share p of the candidate's time, the rest being equal: base over candidate is 1 - p + p exp(-change).
static double effect(double share, double change) { return -log(1 - share * (1 - exp(-change))); }

static void conclude(ab_row *r) {
    const stats_interval *const c = &r->finding.change;
    const double share = r->layer.share.median;
    r->layer.effect = *c;
    r->layer.effect.median = effect(share, c->median);
    r->layer.effect.lo = effect(share, c->lo);
    r->layer.effect.hi = effect(share, c->hi);
}

const ab_compared ab_norms = {.table = "ab_layers.csv",
                              .read = layers_reading,
                              .time = READING_NORM,
                              .log_time = READING_LOG_NORM,
                              .differences = differences,
                              .know = know,
                              .add = add,
                              .conclude = conclude};

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
