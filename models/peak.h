// SPDX-License-Identifier: MIT
// peak.h: what the FMA units of this machine can do: the ceiling that matrix products are held against.
#ifndef PEAK_H
#define PEAK_H

// Floating-point operations per second (an FMA is two) of `threads` OpenMP threads running independent f32 FMAs at the
// best level, the fastest of a few short bursts. 0: the level has no FMA.
double peak_flops(int threads);

#endif
