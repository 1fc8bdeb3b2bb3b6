// SPDX-License-Identifier: MIT
// math.h: as of C23 with the names that it adds, and with the constant of System V that musl has as well.
#include_next <math.h>
#ifndef STUBS_MATH_H
#define STUBS_MATH_H

#define HUGE 3.40282346638528859812e+38F
extern double acospi(double), asinpi(double), atan2pi(double, double), atanpi(double), cospi(double), sinpi(double),
    tanpi(double), compoundn(double, long long int), exp2m1(double), exp10m1(double), log2p1(double), log10p1(double),
    logp1(double), pown(double, long long int), powr(double, double), rootn(double, long long int), rsqrt(double);

#endif
