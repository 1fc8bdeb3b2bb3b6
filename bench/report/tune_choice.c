// SPDX-License-Identifier: MIT
// tune_choice.c: see tune_choice.h.
#include "tune_choice.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interval.h"
#include "base/order.h"
#include "plan/plan.h"

double tune_log_time(const void *of, const observation *o, int reading) {
    (void)of, (void)reading;
    return log(o->sample.value[SAMPLE_TIME]);
}

// ---- Classes

enum { MOST_TOGETHER = NORM_OPS };

// The first items of the groups that choose together.
typedef struct {
    size_t begins[MOST_TOGETHER], count, schedules; // and how many schedules each of them has
} together;

static bool choose_together(const cell *a, const cell *b) {
    return a->impl->elementwise == b->impl->elementwise && a->impl->streams == b->impl->streams &&
           a->impl->dtype == b->impl->dtype && a->impl->level == b->impl->level && a->pass == b->pass &&
           a->rows == b->rows && a->cols == b->cols;
}

// The class of a group.
static together class_of(const tune_plan *p, size_t group) {
    const schedule *const s = &p->schedule;
    together c = {.count = 0};
    size_t begin, end, own, own_end;
    schedule_group(s, group, &own, &own_end);
    c.schedules = own_end - own;
    for (size_t i = 0; i < s->groups; i++) {
        schedule_group(s, i, &begin, &end);
        if (c.count < MOST_TOGETHER && end - begin == c.schedules && schedule_times(&s->items[begin]) &&
            choose_together(&tune_items(p)[own].cell, &tune_items(p)[begin].cell))
            c.begins[c.count++] = begin;
    }
    return c;
}

// ---- Evidence

static const char *note_of(const tune_plan *p, size_t item) { return p->schedule.items[item].note; }

// The first launch that decides: of what was to be confirmed, the first that came after its choice.
static size_t deciding_from(const tune_plan *p, size_t item) {
    return note_of(p, item)[0] == '\0' ? 0 : strtoul(note_of(p, item), NULL, 10);
}

// What each launch says of an item against its group's default, by launch; NaN of those that say nothing.
static void add_launches(const tune_plan *p, const sample_index *x, size_t begin, size_t item, double *sums,
                         size_t room) {
    const size_t samples = sample_index_count(x, item) + 1;
    double *const values = malloc(samples * sizeof *values);
    size_t *const launches = malloc(samples * sizeof *launches);
    bool *const said = calloc(room + 1, sizeof *said);
    size_t count = 0;
    if (values != NULL && launches != NULL && said != NULL)
        count = sample_index_launch_differences(x, item, begin, 0, values, launches);
    for (size_t i = 0; i < count; i++)
        if (launches[i] < room && launches[i] >= deciding_from(p, item)) {
            sums[launches[i]] += values[i];
            said[launches[i]] = true;
        }
    for (size_t i = 0; i < room; i++)
        if (said == NULL || !said[i])
            sums[i] = (double)NAN;
    free(values);
    free(launches);
    free(said);
}

// Of the `which`-th schedule of these groups: the mean of the logarithms over the groups, by launch.
static stats_interval evidence(const tune_plan *p, const sample_index *x, const size_t *begins, size_t count,
                               size_t which, double confidence) {
    enum { ROOM = PLAN_MOST_LAUNCHES };
    double *const sums = calloc(ROOM, sizeof *sums);
    stats_interval result = INTERVAL_NONE;
    size_t n = 0;
    for (size_t i = 0; sums != NULL && i < count; i++)
        add_launches(p, x, begins[i], begins[i] + which, sums, ROOM);
    for (size_t i = 0; sums != NULL && i < ROOM; i++)
        if (!isnan(sums[i]))
            sums[n++] = sums[i] / (double)count;
    if (n > 0)
        result = stats_median_interval(sums, n, confidence);
    free(sums);
    return result;
}

// How much the kernel that gains least, or loses most, gains: a logarithm.
static double worst(const tune_plan *p, const sample_index *x, const together *c, size_t which) {
    double most = -INFINITY;
    for (size_t i = 0; i < c->count; i++)
        most = fmax(most, evidence(p, x, &c->begins[i], 1, which, SERIES_CONFIDENCE).median);
    return most;
}

// ---- The choice

static bool is_usable(const tune_plan *p, const together *c, size_t which) {
    bool ok = true;
    for (size_t i = 0; i < c->count; i++)
        ok = ok && schedule_times(&p->schedule.items[c->begins[i] + which]);
    return ok;
}

size_t tune_kept(const tune_plan *p, const sample_index *x, size_t group) {
    const double confidence = 0.98;
    const together c = class_of(p, group);
    size_t begin, end;
    schedule_group(&p->schedule, group, &begin, &end);
    for (size_t which = 1; c.count > 0 && which < c.schedules; which++) {
        if (note_of(p, begin + which)[0] == '\0' || !is_usable(p, &c, which))
            continue;
        const stats_interval shown = evidence(p, x, c.begins, c.count, which, confidence);
        if (shown.hi < 0 && shown.median < log(1 - TUNE_LEAST) && worst(p, x, &c, which) < log(1 + TUNE_LOSS))
            return begin + which;
    }
    return begin;
}

stats_interval tune_ratio(const tune_plan *p, const sample_index *x, size_t item) {
    size_t begin, end;
    schedule_group(&p->schedule, p->schedule.items[item].group, &begin, &end);
    if (item == begin)
        return interval_of(1, 1, 1);
    stats_interval i = evidence(p, x, &begin, 1, item - begin, SERIES_CONFIDENCE);
    i.median = exp(i.median);
    i.lo = exp(i.lo);
    i.hi = exp(i.hi);
    return i;
}

// ---- What is to be confirmed

typedef struct {
    together class;
    size_t which;         // of its schedules, the one that seems fastest
    double gain, seconds; // of the one that gains most of the same shape; of all of these
} hope;

// Of schedules that are as fast within a percent the first, so that another tuning takes the same.
static hope hope_of(const tune_plan *p, const sample_index *x, const together *c) {
    hope h = {.class = *c};
    for (size_t which = 1; which < c->schedules; which++) {
        if (!is_usable(p, c, which) || worst(p, x, c, which) > log(1 + TUNE_LOSS))
            continue;
        const double gain = -evidence(p, x, c->begins, c->count, which, SERIES_CONFIDENCE).median;
        if (gain > -log(1 - TUNE_HOPE) && gain > h.gain + (h.which > 0 ? 0.01 : 0)) {
            h.gain = gain;
            h.which = which;
        }
    }
    for (size_t i = 0; i < c->count && h.which > 0; i++) {
        const double sample_s = plan_sample_seconds(&p->schedule, c->begins[i]), round_s = 4 * sample_s;
        h.seconds += (double)tune_rounds(round_s) * round_s +
                     plan_prepare_seconds(&p->schedule, c->begins[i], c->begins[i] + 1, sample_s);
    }
    return h;
}

// Those of a shape are confirmed together or not at all, for they are compared with each other.
static bool same_shape(const tune_plan *p, const hope *a, const hope *b) {
    return cell_same_group(&tune_items(p)[a->class.begins[0]].cell, &tune_items(p)[b->class.begins[0]].cell);
}

static void join_shapes(const tune_plan *p, hope *hopes, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (same_shape(p, &hopes[i], &hopes[k])) {
                hopes[i].gain = hopes[k].gain = fmax(hopes[i].gain, hopes[k].gain);
                hopes[i].seconds = hopes[k].seconds = hopes[i].seconds + hopes[k].seconds;
            }
}

static int by_gain(const void *a, const void *b) {
    const hope *const x = a, *const y = b;
    return x->gain != y->gain ? (x->gain < y->gain ? 1 : -1) : order_size(x->class.begins[0], y->class.begins[0]);
}

static void ask(schedule *s, const hope *h, size_t done) {
    for (size_t i = 0; i < h->class.count; i++) {
        planned *const items[] = {&s->items[h->class.begins[i]], &s->items[h->class.begins[i] + h->which]};
        const size_t rounds = tune_rounds(4 * plan_sample_seconds(s, h->class.begins[i]));
        for (size_t k = 0; k < h->class.schedules; k++)
            s->items[h->class.begins[i] + k].rounds = rounds;
        for (size_t k = 0; k < 2; k++)
            items[k]->launches = done + TUNE_CONFIRMING;
        snprintf(items[1]->note, sizeof items[1]->note, "%zu", done);
    }
}

size_t tune_go_on(schedule *s, const observations *all, size_t done) {
    const tune_plan *const p = (const tune_plan *)s;
    sample_index x;
    size_t count = 0, more = done;
    double left = p->confirming_s > 0 ? p->confirming_s : INFINITY;
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].note[0] != '\0')
            return done;
    hope *const hopes = calloc(s->groups + 1, sizeof *hopes);
    if (hopes == NULL || !sample_index_make(&x, p, s->count, all, tune_log_time)) {
        free(hopes);
        return done;
    }
    for (size_t group = 0, begin, end; group < s->groups; group++) {
        const together c = class_of(p, group);
        schedule_group(s, group, &begin, &end);
        if (c.count > 0 && c.begins[0] == begin)
            hopes[count++] = hope_of(p, &x, &c);
    }
    for (size_t i = 0; i < s->count; i++)
        s->items[i].launches = s->items[i].launches > done ? done : s->items[i].launches;
    join_shapes(p, hopes, count);
    qsort(hopes, count, sizeof *hopes, by_gain);
    for (size_t i = 0; i < count && hopes[i].gain > 0 && left >= 0; i++) {
        if (i == 0 || !same_shape(p, &hopes[i], &hopes[i - 1]))
            left -= (double)TUNE_CONFIRMING * hopes[i].seconds;
        if (left >= 0 && hopes[i].which > 0) {
            ask(s, &hopes[i], done);
            more = done + TUNE_CONFIRMING;
        }
    }
    sample_index_free(&x);
    free(hopes);
    return more;
}
