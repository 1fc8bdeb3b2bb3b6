// SPDX-License-Identifier: MIT
// series.c: see series.h.
#include "series.h"

#include <math.h>
#include <stdlib.h>

#include "interval.h"

static size_t end_of_launch(series s, size_t i) {
    const size_t launch = s.points[i].launch;
    while (i < s.count && s.points[i].launch == launch)
        i++;
    return i;
}

// The end of the round that begins at point i, at most `end`.
static size_t end_of_round(series s, size_t i, size_t end) {
    const size_t round = s.points[i].index / 2;
    while (i < end && s.points[i].index / 2 == round)
        i++;
    return i;
}

size_t series_launch_medians(series s, double *medians) {
    double *const values = malloc((s.count + 1) * sizeof *values);
    size_t launches = 0;
    if (values == NULL)
        return 0;
    for (size_t i = 0, end; i < s.count; i = end) {
        end = end_of_launch(s, i);
        for (size_t k = i; k < end; k++)
            values[k - i] = s.points[k].value;
        medians[launches++] = stats_median(values, end - i);
    }
    free(values);
    return launches;
}

stats_interval series_median(series s) {
    double *const medians = malloc((s.count + 1) * sizeof *medians);
    if (medians == NULL)
        return INTERVAL_NONE;
    const size_t launches = series_launch_medians(s, medians);
    const stats_interval result = stats_median_interval(medians, launches, SERIES_CONFIDENCE);
    free(medians);
    return result;
}

// The median over the rounds that a's launch from i to i_end and b's from j to j_end both have whole; NaN without one.
static double launch_difference(series a, size_t i, size_t i_end, series b, size_t j, size_t j_end, double *rounds) {
    size_t count = 0;
    while (i < i_end && j < j_end) {
        const size_t round = a.points[i].index / 2, other = b.points[j].index / 2;
        const size_t i_next = end_of_round(a, i, i_end), j_next = end_of_round(b, j, j_end);
        if (round == other && i_next - i == 2 && j_next - j == 2)
            rounds[count++] =
                0.5 * (a.points[i].value + a.points[i + 1].value - b.points[j].value - b.points[j + 1].value);
        i = round <= other ? i_next : i;
        j = other <= round ? j_next : j;
    }
    return stats_median(rounds, count);
}

size_t series_launch_differences(series a, series b, double *values, size_t *launches) {
    double *const rounds = malloc((a.count + 1) * sizeof *rounds);
    size_t count = 0;
    for (size_t i = 0, j = 0; rounds != NULL && i < a.count && j < b.count;) {
        const size_t i_end = end_of_launch(a, i), j_end = end_of_launch(b, j), launch = a.points[i].launch;
        if (launch == b.points[j].launch) {
            const double difference = launch_difference(a, i, i_end, b, j, j_end, rounds);
            if (!isnan(difference)) {
                if (launches != NULL)
                    launches[count] = launch;
                values[count++] = difference;
            }
            i = i_end;
            j = j_end;
        } else if (launch < b.points[j].launch) {
            i = i_end;
        } else {
            j = j_end;
        }
    }
    free(rounds);
    return count;
}

stats_interval series_difference(series a, series b, double confidence) {
    double *const values = malloc((a.count + 1) * sizeof *values);
    if (values == NULL)
        return INTERVAL_NONE;
    const size_t count = series_launch_differences(a, b, values, NULL);
    const stats_interval result = stats_median_interval(values, count, confidence);
    free(values);
    return result;
}
