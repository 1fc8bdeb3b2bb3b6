// SPDX-License-Identifier: MIT
// changes.c: see changes.h.
#include "changes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

typedef struct {
    const double *values;
    size_t n;
    const changes_rule *rule;
    double *tamed, *shuffled, *sums; // scratch, of a segment
    size_t *order;
    changes *found;
    bool failed; // for want of memory
} search;

#define WILD 5

// ---- One cut

// The segment's values, none further from their median than WILD deviations, as the median absolute one tells them. A
// level that is that far off stays one. false: no memory.
static bool tame(search *s, size_t begin, size_t n) {
    const double median = stats_median(s->values + begin, n);
    for (size_t i = 0; i < n; i++)
        s->tamed[i] = fabs(s->values[begin + i] - median);
    const double deviation = 1.4826 * stats_median(s->tamed, n);
    const double most = deviation > 0 ? WILD * deviation : (double)INFINITY;
    for (size_t i = 0; i < n; i++)
        s->tamed[i] = fmax(-most, fmin(most, s->values[begin + i] - median));
    return !isnan(deviation);
}

// The largest energy distance of the points before a cut and those behind it, up to any end, so that a level that ends
// again is no mean of two; where the cut is, and that end. Sides have at least `least` points.
static double widest_cut(const double *x, size_t n, size_t least, double *sums, size_t *at, size_t *until) {
    double before = 0, widest = -1;  // before: sum of the distances within the points before the cut
    for (size_t i = 0; i < n; i++) { // sums[i][k]: of point i to the first k
        double *const row = sums + i * (n + 1);
        row[0] = 0;
        for (size_t k = 0; k < n; k++)
            row[k + 1] = row[k] + fabs(x[i] - x[k]);
    }
    for (size_t cut = 1; cut + least <= n; cut++) {
        double between = 0, behind = 0;
        before += sums[(cut - 1) * (n + 1) + cut - 1];
        for (size_t end = cut; cut >= least && end < n; end++) {
            const double *const row = sums + end * (n + 1);
            between += row[cut];
            behind += row[end] - row[cut];
            const double a = (double)cut, b = (double)(end + 1 - cut);
            const double distance =
                a * b / (a + b) * (2 * between / (a * b) - 2 * before / (a * a) - 2 * behind / (b * b));
            if (end + 1 - cut >= least && distance > widest) {
                widest = distance;
                *at = cut;
                *until = end + 1;
            }
        }
    }
    return widest;
}

// The share of shuffles that do as well, the series itself among them; 1 as soon as they are more than alpha allows.
static double chance(search *s, size_t begin, size_t n, double widest) {
    const changes_rule *const rule = s->rule;
    const double total = (double)(rule->shuffles + 1);
    size_t as_wide = 1, at, until;
    stats_rng rng;
    stats_rng_seed(&rng, rule->seed, begin * s->n + n);
    for (size_t i = 0; i < n; i++)
        s->order[i] = i;
    for (size_t k = 0; k < rule->shuffles; k++) {
        stats_shuffle(&rng, s->order, n);
        for (size_t i = 0; i < n; i++)
            s->shuffled[i] = s->tamed[s->order[i]];
        // The sums of a shuffle are rounded in another order.
        as_wide += widest_cut(s->shuffled, n, rule->points, s->sums, &at, &until) >= widest * (1 - 1e-9);
        if ((double)as_wide > rule->alpha * total)
            return 1;
    }
    return (double)as_wide / total;
}

// ---- All cuts

// How far the points of a segment are from its median, together.
static double deviation_of(const double *values, size_t n) {
    const double median = stats_median(values, n);
    double deviation = 0;
    for (size_t i = 0; i < n; i++)
        deviation += fabs(values[i] - median);
    return deviation;
}

// Where near a cut two levels fit best: sides of the widest have a least size, and so may take in a neighbour's points.
static size_t best_cut(const double *values, size_t n, size_t at, size_t near) {
    size_t best = at;
    double least = (double)INFINITY;
    for (size_t cut = at > near ? at - near : 1; cut < n && cut <= at + near; cut++) {
        const double deviation = deviation_of(values, cut) + deviation_of(values + cut, n - cut);
        if (deviation < least) {
            least = deviation;
            best = cut;
        }
    }
    return best;
}

static void cut(search *s, size_t begin, size_t end) {
    const size_t n = end - begin, points = s->rule->points;
    size_t at = 0, until = 0;
    if (n < 2 * points)
        return;
    s->failed = s->failed || !tame(s, begin, n);
    const double widest = s->failed ? 0 : widest_cut(s->tamed, n, points, s->sums, &at, &until);
    const double p = widest > 0 ? chance(s, begin, n, widest) : 1;
    if (p > s->rule->alpha)
        return;
    at = best_cut(s->values + begin, until, at, points);
    if (at < points || n - at < points)
        return;
    cut(s, begin, begin + at);
    s->found->steps[s->found->count++] = (change){.at = begin + at, .p = p};
    cut(s, begin + at, end);
}

static size_t begin_of(const changes *c, size_t level) { return level == 0 ? 0 : c->steps[level - 1].at; }
static size_t end_of(const changes *c, size_t level, size_t n) { return level == c->count ? n : c->steps[level].at; }

static void set_levels(changes *c, const double *values, size_t n) {
    for (size_t level = 0; level <= c->count; level++) {
        const size_t begin = begin_of(c, level);
        const double median = stats_median(values + begin, end_of(c, level, n) - begin);
        if (level > 0)
            c->steps[level - 1].after = median;
        if (level < c->count)
            c->steps[level].before = median;
    }
}

// Joins levels that differ by less than counts, the nearest first.
static void join_levels(changes *c, const double *values, size_t n, double least) {
    for (set_levels(c, values, n); c->count > 0; set_levels(c, values, n)) {
        size_t nearest = 0;
        for (size_t i = 1; i < c->count; i++)
            if (fabs(c->steps[i].after - c->steps[i].before) < fabs(c->steps[nearest].after - c->steps[nearest].before))
                nearest = i;
        if (fabs(c->steps[nearest].after - c->steps[nearest].before) >= least)
            return;
        c->count--;
        memmove(&c->steps[nearest], &c->steps[nearest + 1], (c->count - nearest) * sizeof *c->steps);
    }
}

// ---- Steps or a line

// Bayes' criterion, of Laplace's distribution. What deviates less than a computer can tell is a perfect fit.
static double criterion(double deviation, size_t n, size_t parameters) {
    return 2 * (double)n * log(fmax(deviation / (double)n, 1e-9)) + (double)parameters * log((double)n);
}

static double cost_of_steps(const changes *c, const double *values, size_t n) {
    double deviation = 0;
    for (size_t level = 0; level <= c->count; level++) {
        const double stands = level == 0 ? c->steps[0].before : c->steps[level - 1].after;
        for (size_t i = begin_of(c, level); i < end_of(c, level, n); i++)
            deviation += fabs(values[i] - stands);
    }
    return criterion(deviation, n, 2 * c->count + 1);
}

// The line of Theil and Sen: the median of the slopes of all pairs. NaN: no memory.
static double cost_of_line(const double *values, size_t n, double *drift) {
    double *const slopes = malloc(n * n / 2 * sizeof *slopes), *const rest = malloc(n * sizeof *rest);
    double cost = (double)NAN;
    if (slopes != NULL && rest != NULL) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t k = i + 1; k < n; k++)
                slopes[count++] = (values[k] - values[i]) / (double)(k - i);
        const double slope = stats_median(slopes, count);
        for (size_t i = 0; i < n; i++)
            rest[i] = values[i] - slope * (double)i;
        const double level = stats_median(rest, n);
        double deviation = 0;
        for (size_t i = 0; i < n; i++)
            deviation += fabs(rest[i] - level);
        *drift = slope * (double)(n - 1);
        cost = criterion(deviation, n, 2);
    }
    free(slopes);
    free(rest);
    return cost;
}

bool changes_find(changes *found, const double *values, size_t n, const changes_rule *rule) {
    *found = (changes){.kind = CHANGES_NONE, .drift = 0};
    search s = {.values = values, .n = n, .rule = rule, .found = found};
    bool ok = true;
    if (n < 2 * rule->points || n < 2)
        return true;
    s.tamed = malloc(n * sizeof *s.tamed);
    s.shuffled = malloc(n * sizeof *s.shuffled);
    s.sums = malloc(n * (n + 1) * sizeof *s.sums);
    s.order = malloc(n * sizeof *s.order);
    found->steps = malloc(n * sizeof *found->steps);
    ok = s.tamed != NULL && s.shuffled != NULL && s.sums != NULL && s.order != NULL && found->steps != NULL;
    if (ok)
        cut(&s, 0, n);
    ok = ok && !s.failed;
    if (ok && found->count > 0) {
        double drift = 0;
        set_levels(found, values, n);
        const double steps = cost_of_steps(found, values, n), line = cost_of_line(values, n, &drift);
        ok = !isnan(line);
        if (line < steps) {
            found->count = 0;
            found->drift = drift;
            found->kind = fabs(drift) >= rule->least ? CHANGES_DRIFT : CHANGES_NONE;
        } else {
            join_levels(found, values, n, rule->least);
            found->kind = found->count > 0 ? CHANGES_STEPS : CHANGES_NONE;
        }
    }
    free(s.tamed);
    free(s.shuffled);
    free(s.sums);
    free(s.order);
    if (!ok)
        changes_free(found);
    return ok;
}

void changes_free(changes *found) {
    free(found->steps);
    *found = (changes){.kind = CHANGES_NONE};
}
