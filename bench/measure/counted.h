// SPDX-License-Identifier: MIT
// counted.h: what a kernel of the counting vocabulary (counting_simd.h) has done so far, for operations.c.
#ifndef COUNTED_H
#define COUNTED_H

typedef struct {
    double added, multiplied; // additions, subtractions, minima, maxima; multiplications, divisions, roots
    double fused, looked_up;  // multiply-adds; lookups in a table of registers
} operations_sum;
extern operations_sum operations_counted;

#endif
