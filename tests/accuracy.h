// SPDX-License-Identifier: MIT
// accuracy.h: what the names in simd_math.h promise, and a judge that holds functions against it over every float.
//
// The judge takes libm's double-precision function as the truth, which is held against MPFR itself: with a reference
// that is off by ACCURACY_REFERENCE_ULP of double, an error in ulp of f32 is off by 2^-27, 7.5e-9. What comes closer to
// the bound than ACCURACY_MARGIN is settled by MPFR, so no verdict rests on that.
#ifndef ACCURACY_H
#define ACCURACY_H

#include <mpfr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "math_rows.h"

// glibc documents at most 2 ulp for tanh and 1 for erf and exp on x86-64 (manual, "Errors in Math Functions").
#define ACCURACY_REFERENCE_ULP 4.0
#define ACCURACY_MARGIN 1e-6

// One sign of the argument. Of 0 and of everything beyond `last`, infinity included, the value is given; between them
// errors count in ulp.
typedef struct {
    float at_zero, last, beyond;
} accuracy_side;

typedef struct {
    const char *name;
    double (*reference)(double);
    int (*exact)(mpfr_t y, const mpfr_t x, mpfr_rnd_t rounding);
    bool bf16;    // judged is the result rounded to bf16, in its ulp
    bool odd;     // bit for bit: sides[1] is not used
    float most;   // no value, rounded if bf16, is above it, nor below +0 unless `odd` says so
    double bound; // on the error, in ulp
    accuracy_side sides[2];
} accuracy_class;

extern const accuracy_class accuracy_classes[MATH_FUNCTIONS];

// `broken`: the first promise that was broken, in words, and where; NULL if none was.
typedef struct {
    uint64_t inputs;
    double error; // the largest, in ulp; infinite for a NaN or an infinity among the finite
    float at;
    const char *broken;
    float broken_at, broken_value;
} accuracy_result;

// Judges `count` functions of a class, against one evaluation of the reference, at every stride-th bit pattern of
// either sign; stride 1: at every float there is. The same results for any number of threads.
void accuracy_judge(const accuracy_class *c, size_t count, math_function *const functions[], uint32_t stride,
                    accuracy_result results[]);

// The error in ulp of `value` at x, by MPFR; of a class in bf16, `value` is rounded.
double accuracy_settle(const accuracy_class *c, float x, float value);

// The largest error of the reference, in ulp of double, by MPFR: at `count` given points, and spread over the range in
// which errors count.
double accuracy_of_reference(const accuracy_class *c, size_t count, const float *points, uint64_t *inputs);

#endif
