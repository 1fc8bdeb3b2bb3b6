// SPDX-License-Identifier: MIT
// ab_pairs.c: see ab_judge.h.
#include "ab_judge.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/parse.h"
#include "measure/sampler.h"
#include "sample_index.h"

typedef enum { SLOT, LOG_SLOT } reading;
static double read_slot(const void *plan, const observation *o, int what) {
    const double ns = o->sample.value[SAMPLE_SLOT];
    (void)plan;
    return what == LOG_SLOT ? log(ns) : ns;
}

static void know_cell(const schedule *s, ab_row *r) {
    const ab_item *const item = schedule_name(s, r->candidate);
    r->which = item->which;
    r->op = item->cell.impl->op;
    r->level = item->cell.impl->level;
    (void)cell_name(&item->cell, r->name);
    cell_describe(&item->cell, r->text, sizeof r->text);
}

const ab_compared ab_kernels = {.table = "ab.csv",
                                .read = read_slot,
                                .time = SLOT,
                                .log_time = LOG_SLOT,
                                .know = know_cell,
                                .launches = {AB_LAUNCHES, AB_MOST_LAUNCHES, AB_CONFIRMING}};

static void add(double *values, size_t *launches, size_t *count, double value, size_t launch) {
    if (*count == PAIRED_MOST)
        return;
    values[*count] = value;
    launches[(*count)++] = launch;
}

// values and launches: room for as many as there are samples.
static void fill(const sample_index *x, const ab_compared *c, const planned *item, double *values, size_t *launches,
                 ab_row *r) {
    ab_differences *const d = &r->finding.differences;
    const double samples[] = {(double)sample_index_count(x, r->base), (double)sample_index_count(x, r->candidate)};
    size_t confirming = SIZE_MAX;
    r->time[AB_BASE] = sample_index_median(x, r->base, c->time);
    r->time[AB_CANDIDATE] = sample_index_median(x, r->candidate, c->time);
    r->preempted_pct = (samples[0] * sample_index_preempted_pct(x, r->base) +
                        samples[1] * sample_index_preempted_pct(x, r->candidate)) /
                       (samples[0] + samples[1]);
    const size_t count = c->differences != NULL
                             ? c->differences(x, r, values, launches)
                             : sample_index_launch_differences(x, r->candidate, r->base, c->log_time, values, launches);
    if (item->note[0] != '\0' && !parse_size(item->note, &confirming))
        confirming = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (launches[i] < confirming)
            add(d->first, d->first_launch, &d->first_count, values[i], launches[i]);
        else
            add(d->again, d->again_launch, &d->again_count, values[i], launches[i]);
}

size_t ab_pairs_of(const sample_index *x, const ab_row *r, int log_reading, double values[PAIRED_MOST]) {
    const size_t room = sample_index_count(x, r->candidate) + 1;
    double *const all = malloc(room * sizeof *all);
    size_t *const launches = malloc(room * sizeof *launches);
    size_t count = 0;
    if (all != NULL && launches != NULL)
        count = sample_index_launch_differences(x, r->candidate, r->base, log_reading, all, launches);
    count = count < PAIRED_MOST ? count : PAIRED_MOST;
    for (size_t i = 0; i < count; i++)
        values[i] = all[i];
    free(all);
    free(launches);
    return count;
}

bool ab_pairs_make(ab_judgement *j, const schedule *s, const observations *all) {
    const ab_compared *const c = j->compared;
    sample_index x;
    const size_t count = s->count;
    if (!sample_index_make(&x, s, count, all, c->read))
        return false;
    double *const values = malloc((all->count + 1) * sizeof *values);
    size_t *const launches = malloc((all->count + 1) * sizeof *launches);
    j->rows = calloc(count / AB_SIDES + 1, sizeof *j->rows);
    const bool ok = values != NULL && launches != NULL && j->rows != NULL;
    for (size_t i = 0; ok && i + 1 < count; i += AB_SIDES) {
        ab_row *const r = &j->rows[j->row_count++];
        r->base = i;
        r->candidate = i + 1;
        r->item = schedule_name(s, r->candidate);
        c->know(s, r);
        fill(&x, c, &s->items[r->candidate], values, launches, r);
        if (c->add != NULL)
            c->add(&x, r);
    }
    free(values);
    free(launches);
    sample_index_free(&x);
    return ok;
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
