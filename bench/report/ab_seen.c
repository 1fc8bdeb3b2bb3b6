// SPDX-License-Identifier: MIT
// ab_seen.c: see ab_seen.h.
#include "ab_seen.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    size_t item;
    double ns; // of a whole sample
} lasting;

static int by_item(const void *left, const void *right) {
    const lasting *const a = left, *const b = right;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return (a->ns > b->ns) - (a->ns < b->ns);
}

// Samples that lasted longer than their item's middle one by a time in which no machine is merely slow.
static size_t count_stops(lasting *samples, size_t count, double *seconds) {
    size_t stops = 0;
    *seconds = 0;
    qsort(samples, count, sizeof *samples, by_item);
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && samples[end].item == samples[begin].item;)
            end++;
        const double usual = samples[begin + (end - begin) / 2].ns;
        for (size_t i = begin; i < end; i++)
            if (samples[i].ns > usual + AB_SEEN_STOPPED_NS && samples[i].ns > 2 * usual) {
                stops++;
                *seconds += 1e-9 * (samples[i].ns - usual);
            }
    }
    return stops;
}

bool ab_seen_look(ab_judgement *j, const observations *all, size_t moved, double steal_pct) {
    lasting *const samples = malloc((all->count + 1) * sizeof *samples);
    double preempted = 0, seconds;
    if (samples == NULL)
        return false;
    for (size_t i = 0; i < all->count; i++) {
        const observation *const o = &all->items[i];
        samples[i] = (lasting){o->item, o->sample.value[SAMPLE_TIME] * (double)o->calls};
        preempted += 100 * o->sample.value[SAMPLE_PREEMPTED] / (double)all->count;
    }
    const size_t stops = count_stops(samples, all->count, &seconds);
    free(samples);
    j->seen_count = 0;
    if (preempted >= AB_SEEN_PREEMPTED_PCT)
        snprintf(j->seen[j->seen_count++], sizeof *j->seen, "other programs took the CPU in %.0f %% of the samples",
                 preempted);
    if (stops > 0)
        snprintf(j->seen[j->seen_count++], sizeof *j->seen,
                 "the process stood still in %zu sample%s, for %.1f s in all", stops, stops == 1 ? "" : "s", seconds);
    if (moved > 0)
        snprintf(j->seen[j->seen_count++], sizeof *j->seen,
                 "threads were moved to other processing units in %zu group%s of rows", moved, moved == 1 ? "" : "s");
    if (steal_pct >= AB_SEEN_STEAL_PCT)
        snprintf(j->seen[j->seen_count++], sizeof *j->seen, "the hypervisor took %.0f %% of the CPU time", steal_pct);
    return true;
}
