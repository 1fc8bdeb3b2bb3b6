// SPDX-License-Identifier: MIT
// prediction.c: see prediction.h.
#include "prediction.h"

#include <math.h>
#include <stdlib.h>

#include "order.h"
#include "stats.h"

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
