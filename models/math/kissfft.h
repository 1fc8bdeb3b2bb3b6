// SPDX-License-Identifier: MIT
// kissfft.h: what is taken of KissFFT: transforms of real numbers, in f32. The library is loaded when it is first asked
// for, so that nobody needs it who has no long convolution.
#ifndef KISSFFT_H
#define KISSFFT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    float re, im;
} kissfft_bin;

// False where there is no such library.
bool kissfft_open(void);
// The next length, at least this one, that is even and made of small factors alone.
size_t kissfft_length(size_t least);

// A plan of one length and direction, for one thread at a time. NULL where memory ran out. Freed by free().
typedef struct kissfft_plan kissfft_plan;
kissfft_plan *kissfft_make(size_t length, bool inverse);
// length numbers to length / 2 + 1 bins, and back, times length. Not in place.
void kissfft_forward(kissfft_plan *plan, const float *x, kissfft_bin *bins);
void kissfft_inverse(kissfft_plan *plan, const kissfft_bin *bins, float *x);

#endif
