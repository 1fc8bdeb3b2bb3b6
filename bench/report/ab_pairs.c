// SPDX-License-Identifier: MIT
// ab_pairs.c: see ab_pairs.h.
#include "ab_pairs.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/series.h"
#include "measure/sampler.h"

// The samples by item, launch and index, and where each item's begin.
typedef struct {
    observation *sorted;
    size_t *first;
    series_point *points; // room for two items' series
    double *values;
    size_t *launches;
} sorted_samples;

static int in_order(const void *left, const void *right) {
    const observation *const a = left, *const b = right;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    if (a->launch != b->launch)
        return a->launch < b->launch ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static void forget(sorted_samples *s) {
    free(s->sorted);
    free(s->first);
    free(s->points);
    free(s->values);
    free(s->launches);
}

static bool sort(sorted_samples *s, const observations *all, size_t items) {
    *s = (sorted_samples){.sorted = malloc((all->count + 1) * sizeof *s->sorted),
                          .first = calloc(items + 1, sizeof *s->first),
                          .points = malloc(2 * (all->count + 1) * sizeof *s->points),
                          .values = malloc((all->count + 1) * sizeof *s->values),
                          .launches = malloc((all->count + 1) * sizeof *s->launches)};
    if (s->sorted == NULL || s->first == NULL || s->points == NULL || s->values == NULL || s->launches == NULL) {
        forget(s);
        return false;
    }
    if (all->count > 0) {
        memcpy(s->sorted, all->items, all->count * sizeof *s->sorted);
        qsort(s->sorted, all->count, sizeof *s->sorted, in_order);
    }
    for (size_t item = 0, i = 0; item <= items; item++) {
        while (i < all->count && s->sorted[i].item < item)
            i++;
        s->first[item] = i;
    }
    return true;
}

static series series_of(const sorted_samples *s, size_t item, bool logs, series_point *points) {
    const size_t begin = s->first[item], count = s->first[item + 1] - begin;
    for (size_t i = 0; i < count; i++) {
        const observation *const o = &s->sorted[begin + i];
        const double ns = o->sample.value[SAMPLE_SLOT];
        points[i] = (series_point){o->launch, o->index, logs ? log(ns) : ns};
    }
    return (series){points, count};
}

static double preempted_pct(const sorted_samples *s, const ab_row *r) {
    const size_t items[] = {r->base, r->candidate};
    double preempted = 0, count = 0;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = s->first[items[k]]; i < s->first[items[k] + 1]; i++, count++)
            preempted += s->sorted[i].sample.value[SAMPLE_PREEMPTED];
    return count > 0 ? 100 * preempted / count : (double)NAN;
}

static void add(double *values, size_t *launches, size_t *count, double value, size_t launch) {
    if (*count == PAIRED_MOST)
        return;
    values[*count] = value;
    launches[(*count)++] = launch;
}

static void fill(const sorted_samples *s, const planned *item, ab_row *r) {
    ab_differences *const d = &r->finding.differences;
    size_t confirming = SIZE_MAX;
    r->time[AB_BASE] = series_median(series_of(s, r->base, false, s->points));
    r->time[AB_CANDIDATE] = series_median(series_of(s, r->candidate, false, s->points));
    r->preempted_pct = preempted_pct(s, r);
    const series candidate = series_of(s, r->candidate, true, s->points);
    const series base = series_of(s, r->base, true, s->points + candidate.count);
    const size_t count = series_launch_differences(candidate, base, s->values, s->launches);
    if (item->note[0] != '\0' && !parse_size(item->note, &confirming))
        confirming = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (s->launches[i] < confirming)
            add(d->first, d->first_launch, &d->first_count, s->values[i], s->launches[i]);
        else
            add(d->again, d->again_launch, &d->again_count, s->values[i], s->launches[i]);
}

bool ab_pairs_make(ab_judgement *j, const ab_plan *p, const observations *all) {
    sorted_samples s;
    const size_t count = p->schedule.count;
    if (!sort(&s, all, count))
        return false;
    j->rows = calloc(count / AB_SIDES + 1, sizeof *j->rows);
    for (size_t i = 0; j->rows != NULL && i + 1 < count; i += AB_SIDES) {
        ab_row *const r = &j->rows[j->row_count++];
        r->base = i;
        r->candidate = i + 1;
        r->item = &ab_items(p)[r->candidate];
        fill(&s, &p->schedule.items[r->candidate], r);
    }
    forget(&s);
    return j->rows != NULL;
}

// The sum over rows at a launch; false if one of them has not that launch.
static bool sum_at(const ab_judgement *j, const ab_group *g, bool (*in)(const ab_group *, const ab_row *), bool again,
                   size_t launch, double *mean) {
    double sum = 0, rows = 0;
    for (size_t i = 0; i < j->row_count; i++) {
        const ab_differences *const d = &j->rows[i].finding.differences;
        const size_t count = again ? d->again_count : d->first_count;
        const size_t *const launches = again ? d->again_launch : d->first_launch;
        size_t k = 0;
        if (!in(g, &j->rows[i]) || d->first_count == 0) // a row without any is missing, and counted as such
            continue;
        while (k < count && launches[k] != launch)
            k++;
        if (k == count)
            return false;
        sum += again ? d->again[k] : d->first[k];
        rows++;
    }
    *mean = sum / rows;
    return rows > 0;
}

void ab_pairs_mean(const ab_judgement *j, const ab_group *g, bool (*in)(const ab_group *, const ab_row *),
                   ab_differences *mean) {
    double value;
    *mean = (ab_differences){0};
    for (size_t launch = 0; launch < PAIRED_MOST; launch++) {
        if (sum_at(j, g, in, false, launch, &value))
            add(mean->first, mean->first_launch, &mean->first_count, value, launch);
        if (sum_at(j, g, in, true, launch, &value))
            add(mean->again, mean->again_launch, &mean->again_count, value, launch);
    }
}
