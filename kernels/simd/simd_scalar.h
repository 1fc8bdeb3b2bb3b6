// SPDX-License-Identifier: MIT
// The vector vocabulary at width one: levels `scalar` and auto_*. Plain C; the level's flags say whether the compiler
// may vectorise it.
#ifndef SIMD_SCALAR_H
#define SIMD_SCALAR_H

#include <math.h>
#include <string.h>

#define SIMD_WIDTH 1
typedef float vf;
typedef uint32_t vi;
typedef bool vm;

static inline vf v_set1(float a) { return a; }
// Through memcpy, which any alignment suits: identity moves pairs of bf16 as one f32. It compiles to one move.
static inline vf v_load(const float *p) {
    vf a;
    memcpy(&a, p, sizeof a);
    return a;
}
static inline void v_store(float *p, vf a) { memcpy(p, &a, sizeof a); }
static inline vf v_load_part(const float *p, size_t n) { return n > 0 ? v_load(p) : 0.0f; }
static inline void v_store_part(float *p, vf a, size_t n) {
    if (n > 0)
        v_store(p, a);
}
static inline vi v_load_high(const uint16_t *p) { return (vi)*p << 16; }
static inline void v_store_high(uint16_t *p, vi a) { *p = (uint16_t)(a >> 16); }

static inline vf v_add(vf a, vf b) { return a + b; }
static inline vf v_sub(vf a, vf b) { return a - b; }
static inline vf v_mul(vf a, vf b) { return a * b; }
static inline vf v_div(vf a, vf b) { return a / b; }
static inline vf v_sqrt(vf a) { return sqrtf(a); }
// On Arm every CPU has an FMA; level scalar is to compute the same bits everywhere.
#if defined(__FMA__) || defined(NORM_COMPILE_auto_neon) || defined(NORM_COMPILE_auto_sve)
#define SIMD_FMA 1
static inline vf v_fma(vf a, vf b, vf c) { return fmaf(a, b, c); }
static inline vf v_fnma(vf a, vf b, vf c) { return fmaf(-a, b, c); }
#else
#define SIMD_FMA 0
static inline vf v_fma(vf a, vf b, vf c) { return a * b + c; }
static inline vf v_fnma(vf a, vf b, vf c) { return c - a * b; }
#endif
static inline vf v_min(vf a, vf b) { return a < b ? a : b; }
static inline vf v_max(vf a, vf b) { return a > b ? a : b; }
static inline vm v_less(vf a, vf b) { return a < b; }
static inline vm v_is_nan(vf a) { return a != a; }

static inline vi v_bits(vf a) {
    vi bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}
static inline vf v_float(vi a) {
    vf value;
    memcpy(&value, &a, sizeof value);
    return value;
}
static inline vi vi_set1(uint32_t a) { return a; }
static inline vi vi_add(vi a, vi b) { return a + b; }
static inline vi vi_and(vi a, vi b) { return a & b; }
static inline vi vi_or(vi a, vi b) { return a | b; }
static inline vi vi_shl3(vi a) { return a << 3; }
static inline vi vi_shl16(vi a) { return a << 16; }
static inline vi vi_shl23(vi a) { return a << 23; }
static inline vi vi_shr3(vi a) { return a >> 3; }
static inline vi vi_shr16(vi a) { return a >> 16; }
static inline vi vi_select(vm m, vi a, vi b) { return m ? a : b; }
static inline vf v_select(vm m, vf a, vf b) { return m ? a : b; }

// Each lane added to a double of its own, and doubles rounded to lanes.
static inline void v_add_to_doubles(double *sums, vf a) { *sums += (double)a; }
static inline vf v_from_doubles(const double *sums) { return (float)*sums; }

static inline float v_sum(vf a) { return a; }
static inline float v_largest(vf a) { return a; }

#endif
