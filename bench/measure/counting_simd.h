// SPDX-License-Identifier: MIT
// counting_simd.h: the vector vocabulary at width one, counting the floating-point operations of whoever is written in
// it. Included by the build before a source of kernels/, whose kernels then count themselves; for operations.c alone.
//
// What only moves, compares or selects, or works on bits or integers, is not counted. A call of libm cannot be, and
// leaves NaN.
#ifndef COUNTING_SIMD_H
#define COUNTING_SIMD_H

#include "counted.h"
#include "simd/simd.h"

// Units then make kernels of bf16 alone, which has every variant and does the same arithmetic as f32.
#define SIMD_HARDWARE_BF16 1

#ifdef COUNTED_lookup32
#define SIMD_LOOKUP32 1
static inline vi vi_shr20(vi a) { return a >> 20; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
static inline vf v_lookup32(vi index, const float table[32]) {
    return operations_counted.looked_up++, table[index % 32];
}
#endif

static inline vf counted_add(vf a, vf b) { return operations_counted.added++, v_add(a, b); }
static inline vf counted_sub(vf a, vf b) { return operations_counted.added++, v_sub(a, b); }
static inline vf counted_mul(vf a, vf b) { return operations_counted.multiplied++, v_mul(a, b); }
static inline vf counted_div(vf a, vf b) { return operations_counted.multiplied++, v_div(a, b); }
static inline vf counted_sqrt(vf a) { return operations_counted.multiplied++, v_sqrt(a); }
static inline vf counted_min(vf a, vf b) { return operations_counted.added++, v_min(a, b); }
static inline vf counted_max(vf a, vf b) { return operations_counted.added++, v_max(a, b); }
static inline vf counted_fma(vf a, vf b, vf c) { return operations_counted.fused++, v_fma(a, b, c); }
static inline vf counted_fnma(vf a, vf b, vf c) { return operations_counted.fused++, v_fnma(a, b, c); }
static inline float counted_tanhf(float a) { return operations_counted.added = (double)NAN, tanhf(a); }

#ifdef SIMD_LOOKUP32
static inline vf v_fms(vf a, vf b, vf c) { return operations_counted.fused++, v_sub(v_mul(a, b), c); }
#endif

#define v_add counted_add
#define v_sub counted_sub
#define v_mul counted_mul
#define v_div counted_div
#define v_sqrt counted_sqrt
#define v_min counted_min
#define v_max counted_max
#define v_fma counted_fma
#define v_fnma counted_fnma
#define tanhf counted_tanhf

#endif
