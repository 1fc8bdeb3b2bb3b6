// SPDX-License-Identifier: MIT
// shift.c: see shift.h. The pairs are counted, not listed: there are as many as the product of the counts.
#include "shift.h"

#include <math.h>

typedef struct {
    const double *a, *b;
    size_t a_count, b_count;
} samples;

// Pairs whose difference is at most x.
static size_t count_up_to(const samples *s, double x) {
    size_t count = 0, j = 0;
    for (size_t i = 0; i < s->a_count; i++) {
        while (j < s->b_count && s->a[i] - s->b[j] > x)
            j++;
        count += s->b_count - j;
    }
    return count;
}

// The difference at a place in their order, from 1 on: halved until no number lies between.
static double at_place(const samples *s, size_t place) {
    double lo = s->a[0] - s->b[s->b_count - 1], hi = s->a[s->a_count - 1] - s->b[0];
    if (count_up_to(s, lo) >= place)
        return lo;
    for (;;) {
        const double middle = lo + (hi - lo) / 2;
        if (!(middle > lo && middle < hi))
            return hi;
        *(count_up_to(s, middle) >= place ? &hi : &lo) = middle;
    }
}

double shift_of(const double *a, size_t a_count, const double *b, size_t b_count) {
    const samples s = {a, b, a_count, b_count};
    const size_t pairs = a_count * b_count;
    if (pairs == 0)
        return (double)NAN;
    return (at_place(&s, (pairs + 1) / 2) + at_place(&s, pairs / 2 + 1)) / 2;
}
