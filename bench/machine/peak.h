// SPDX-License-Identifier: MIT
// peak.h: what the units of this machine that compute can do: what products and kernels are held against.
#ifndef PEAK_H
#define PEAK_H

#include <stdbool.h>

#include "norm.h"

// Floating-point operations per second (an FMA is two) of `threads` OpenMP threads, the fastest of a few short bursts:
// for f32, of independent FMAs at the best level; for bf16, of what multiplies bf16 if this CPU has that, tiles or dot
// products, where they are faster. 0: the level has no FMA.
double peak_flops(int threads, norm_dtype dtype);

// What the instructions of a level compute on one thread, in elements a second, over the multiply-adds of the best
// level in the same breath: those that multiply (a multiply-add is one), and all, where half of them multiply and half
// add. And ns from the last element of a row to what it is multiplied with: the sum of a vector, a root and a division,
// each of which waits for the one before. Of what the compiler vectorises, at the best level. NaN: this CPU lacks the
// level.
typedef struct {
    double multiply, any, chain_ns;
} peak_rates;
peak_rates peak_rates_of(norm_level level);
bool peak_fuses(norm_level level); // whether a multiply-add is one instruction

#endif
