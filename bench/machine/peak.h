// SPDX-License-Identifier: MIT
// peak.h: what the FMA units of this machine can do: the ceiling that matrix products are held against.
#ifndef PEAK_H
#define PEAK_H

#include "norm.h"

// Floating-point operations per second (an FMA is two) of `threads` OpenMP threads, the fastest of a few short bursts:
// for f32, of independent FMAs at the best level; for bf16, of what multiplies bf16 if this CPU has that, tiles or dot
// products, where they are faster. 0: the level has no FMA.
double peak_flops(int threads, norm_dtype dtype);

#endif
