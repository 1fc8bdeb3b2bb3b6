// SPDX-License-Identifier: MIT
// order.h: what comes first: below 0, 0 or above 0, as qsort wants it.
#ifndef ORDER_H
#define ORDER_H

#include <stddef.h>

static inline int order_size(size_t a, size_t b) { return (a > b) - (a < b); }
static inline int order_int(int a, int b) { return (a > b) - (a < b); }
static inline int order_real(double a, double b) { return (a > b) - (a < b); }

// Of two doubles, for qsort: ascending.
static inline int order_reals(const void *a, const void *b) {
    return order_real(*(const double *)a, *(const double *)b);
}

// By the first of several orders that is not 0.
static inline int order_first(const int *by, size_t count) {
    size_t i = 0;
    while (i + 1 < count && by[i] == 0)
        i++;
    return by[i];
}
#define ORDER_BY(...) order_first((const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

#endif
