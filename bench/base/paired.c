// SPDX-License-Identifier: MIT
// paired.c: see paired.h.
#include "paired.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "stats.h"

// ---- The signed-rank distribution

enum { MOST_SUM = PAIRED_MOST * (PAIRED_MOST + 1) }; // of doubled ranks

// The probability of each sum of some of the ranks, each in or out by a fair coin; *most: the largest. Ranks are
// doubled, so that the mean rank of a tie is whole. Valid until the next call.
static const double *distribution(const size_t *ranks, size_t count, size_t *most) {
    static double share[MOST_SUM + 1];
    *most = 0;
    share[0] = 1;
    for (size_t i = 0; i < count; i++) {
        memset(share + *most + 1, 0, ranks[i] * sizeof *share);
        *most += ranks[i];
        for (size_t s = *most + 1; s-- > 0;)
            share[s] = 0.5 * (share[s] + (s >= ranks[i] ? share[s - ranks[i]] : 0));
    }
    return share;
}

// The probability that a sum is at least `sum`.
static double at_least(const size_t *ranks, size_t count, size_t sum) {
    size_t most;
    const double *const share = distribution(ranks, count, &most);
    double tail = 0;
    for (size_t s = most + 1; s-- > sum;)
        tail += share[s];
    return count == 0 || tail > 1 ? 1 : tail;
}

// The same of ranks without ties, 1 to count: how many of the largest sums, from count (count + 1) / 2 down, have
// together at most this probability; *tail: what they have.
static size_t rare_sums(size_t count, double probability, double *tail) {
    size_t ranks[PAIRED_MOST], most, sums = 0;
    for (size_t i = 0; i < count; i++)
        ranks[i] = 2 * (i + 1);
    const double *const share = distribution(ranks, count, &most);
    for (*tail = 0; 2 * sums <= most && *tail + share[most - 2 * sums] <= probability; sums++)
        *tail += share[most - 2 * sums];
    return sums;
}

typedef struct {
    double size;
    bool above;
} distance;

static int by_size(const void *left, const void *right) {
    return order_reals(&((const distance *)left)->size, &((const distance *)right)->size);
}

double paired_above(const double *differences, size_t count, double bound) {
    distance distances[PAIRED_MOST] = {0};
    size_t ranks[PAIRED_MOST], sum = 0;
    count = count < PAIRED_MOST ? count : PAIRED_MOST;
    for (size_t i = 0; i < count; i++)
        distances[i] = (distance){fabs(differences[i] - bound), differences[i] > bound};
    qsort(distances, count, sizeof *distances, by_size);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && !(distances[end].size > distances[i].size);)
            end++;
        for (size_t k = i; k < end; k++) {
            ranks[k] = i + 1 + end; // twice the mean of i + 1 to end
            sum += distances[k].above ? ranks[k] : 0;
        }
    }
    return at_least(ranks, count, sum);
}

double paired_below(const double *differences, size_t count, double bound) {
    double negative[PAIRED_MOST];
    count = count < PAIRED_MOST ? count : PAIRED_MOST;
    for (size_t i = 0; i < count; i++)
        negative[i] = -differences[i];
    return paired_above(negative, count, -bound);
}

double paired_least(size_t count) { return ldexp(1, -(int)(count < 1000 ? count : 1000)); }

// ---- Estimates

// The means of all pairs, smallest first; count (count + 1) / 2 of them.
static void means_of_pairs(const double *differences, size_t count, double *means) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k <= i; k++)
            means[used++] = 0.5 * (differences[i] + differences[k]);
    qsort(means, used, sizeof *means, order_reals);
}

// How many of the means of pairs lie outside an interval at either end: the most that its coverage allows. The largest
// means left out are as many as sums of ranks at least so large are rare.
static size_t cut_off(size_t count, double confidence, double *coverage) {
    double tail;
    const size_t cut = rare_sums(count, 0.5 * (1 - confidence), &tail);
    *coverage = cut > 0 ? 1 - 2 * tail : 0;
    return cut;
}

stats_interval paired_interval(const double *differences, size_t count, double confidence) {
    stats_interval result = {NAN, NAN, NAN, 0, count};
    count = count < PAIRED_MOST ? count : PAIRED_MOST;
    const size_t pairs = count * (count + 1) / 2;
    double *const means = malloc((pairs + 1) * sizeof *means);
    if (means != NULL && count > 0) {
        means_of_pairs(differences, count, means);
        result.median = stats_median(means, pairs);
        const size_t cut = cut_off(count, confidence, &result.coverage);
        if (cut > 0) {
            result.lo = means[cut - 1];
            result.hi = means[pairs - cut];
        }
    }
    free(means);
    return result;
}

double paired_deviation(const double *differences, size_t count) {
    double distances[PAIRED_MOST];
    count = count < PAIRED_MOST ? count : PAIRED_MOST;
    const double centre = stats_median(differences, count);
    for (size_t i = 0; i < count; i++)
        distances[i] = fabs(differences[i] - centre);
    return 1.4826 * stats_median(distances, count); // of a normal distribution, the standard deviation
}

// The smallest sum of ranks that is significant; one more than all of them if none is.
static size_t significant_sum(size_t count, double alpha) {
    double tail;
    return count * (count + 1) / 2 + 1 - rare_sums(count, alpha, &tail);
}

// In standard deviations. A sum of ranks above a bound is the number of means of pairs above it, so that a run finds a
// shift as soon as the significant number of its means is above zero with it. The normal approximation of the test's
// power promises 95 % at one in a thousand where 20 launches have 85 %.
static double detectable_shift(size_t count, double alpha) {
    enum { TRIALS = 1000 };
    const size_t pairs = count * (count + 1) / 2, sum = significant_sum(count, alpha);
    double *const means = malloc((pairs + 1) * sizeof *means), *const shifts = malloc(TRIALS * sizeof *shifts);
    double draws[PAIRED_MOST], result = INFINITY;
    stats_rng rng;
    stats_rng_seed(&rng, 1, count);
    for (size_t trial = 0; means != NULL && shifts != NULL && sum <= pairs && trial < TRIALS; trial++) {
        for (size_t i = 0; i < count; i++)
            draws[i] = stats_rng_normal(&rng);
        means_of_pairs(draws, count, means);
        shifts[trial] = -means[pairs - sum];
    }
    if (means != NULL && shifts != NULL && sum <= pairs) {
        qsort(shifts, TRIALS, sizeof *shifts, order_reals);
        result = shifts[TRIALS / 20 * 19];
    }
    free(means);
    free(shifts);
    return result;
}

double paired_detectable(double deviation, size_t count, double bound, double alpha) {
    static double known_alpha, known; // rows of a table mostly ask the same
    static size_t known_count;
    count = count < PAIRED_MOST ? count : PAIRED_MOST;
    if (count != known_count || alpha < known_alpha || alpha > known_alpha) {
        known = count == 0 ? INFINITY : detectable_shift(count, alpha);
        known_count = count;
        known_alpha = alpha;
    }
    return isinf(known) ? INFINITY : bound + deviation * known;
}

// ---- Many tests

// The places of p-values from the smallest on.
static size_t *in_order(const double *p, size_t count) {
    size_t *const order = malloc((count + 1) * sizeof *order);
    for (size_t i = 0; order != NULL && i < count; i++) {
        size_t k = i;
        for (; k > 0 && p[order[k - 1]] > p[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    return order;
}

static void reject_none(double *p, size_t count) {
    for (size_t i = 0; i < count; i++)
        p[i] = 1;
}

void paired_holm(double *p, size_t count) {
    size_t *const order = in_order(p, count);
    double so_far = 0;
    if (order == NULL) {
        reject_none(p, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        so_far = fmax(so_far, fmin(1, p[order[i]] * (double)(count - i)));
        p[order[i]] = so_far;
    }
    free(order);
}

void paired_benjamini_hochberg(double *p, size_t count) {
    size_t *const order = in_order(p, count);
    double so_far = 1;
    if (order == NULL) {
        reject_none(p, count);
        return;
    }
    for (size_t i = count; i-- > 0;) {
        so_far = fmin(so_far, p[order[i]] * (double)count / (double)(i + 1));
        p[order[i]] = so_far;
    }
    free(order);
}

// ---- One more value

enum { DRAWS = 100000, MOST = 256 };

// Puts a few values in order, and returns the middle one.
static double middle(double *values, size_t count) {
    for (size_t i = 1; i < count; i++) {
        const double value = values[i];
        size_t k = i;
        for (; k > 0 && values[k - 1] > value; k--)
            values[k] = values[k - 1];
        values[k] = value;
    }
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

// How many deviations one more value lies above the median of the others.
static double draw(stats_rng *rng, size_t count) {
    double values[MOST];
    for (size_t i = 0; i < count; i++)
        values[i] = stats_rng_normal(rng);
    const double median = middle(values, count);
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - median);
    return (stats_rng_normal(rng) - median) / (1.4826 * middle(values, count));
}

double prediction_factor(size_t count, double alpha) {
    double *const draws = malloc(DRAWS * sizeof *draws);
    double factor = (double)NAN;
    count = count < MOST ? count : MOST;
    if (draws != NULL && count >= 3) {
        stats_rng rng;
        stats_rng_seed(&rng, 1, count);
        for (size_t i = 0; i < DRAWS; i++)
            draws[i] = draw(&rng, count);
        qsort(draws, DRAWS, sizeof *draws, order_reals);
        factor = draws[DRAWS - 1 - (size_t)(alpha * (double)DRAWS)];
    }
    free(draws);
    return factor;
}
