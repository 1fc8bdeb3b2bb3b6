// SPDX-License-Identifier: MIT
// shift.h: by how much the values of one sample are larger than those of another.
#ifndef SHIFT_H
#define SHIFT_H

#include <stddef.h>

// The median of the differences a[i] - b[j] of all pairs (Hodges and Lehmann, 1963). Both are sorted. The other way
// round, it is its negative. NaN if one is empty.
double shift_of(const double *a, size_t a_count, const double *b, size_t b_count);

#endif
