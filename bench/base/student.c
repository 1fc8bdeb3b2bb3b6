// SPDX-License-Identifier: MIT
// student.c: see student.h.
#include "student.h"

#include <math.h>

// For whole degrees of freedom the distribution is a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4).
double student_probability(double t, size_t freedom) {
    const double pi = 3.14159265358979323846, theta = atan(t / sqrt((double)freedom));
    const double squared = cos(theta) * cos(theta);
    double term = freedom % 2 == 1 ? cos(theta) : 1, sum = 0;
    for (size_t k = freedom % 2 == 1 ? 2 : 1; k < freedom; k += 2) {
        sum += term;
        term *= (double)k / (double)(k + 1) * squared;
    }
    const double between = freedom % 2 == 1 ? 2 / pi * (theta + sin(theta) * sum) : sin(theta) * sum;
    return 0.5 + between / 2; // between: P(-t <= T <= t), with the sign of t
}

double student_quantile(double probability, size_t freedom) {
    if (!(probability > 0) || !(probability < 1) || freedom == 0)
        return (double)NAN;
    double lo = -1, hi = 1;
    while (student_probability(lo, freedom) > probability)
        lo *= 2;
    while (student_probability(hi, freedom) < probability)
        hi *= 2;
    for (int step = 0; step < 200 && lo < hi; step++) {
        const double middle = lo + (hi - lo) / 2;
        if (student_probability(middle, freedom) < probability)
            lo = middle;
        else
            hi = middle;
    }
    return hi;
}
