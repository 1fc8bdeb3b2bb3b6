// SPDX-License-Identifier: MIT
// The vector vocabulary: what kernels are written in. The level being compiled (NORM_LEVEL_<ID>, from the Makefile)
// picks the header that supplies it; kernels may branch on a capability (SIMD_WIDTH, SIMD_FMA, SIMD_LOOKUP32,
// SIMD_HARDWARE_BF16, SIMD_PAIRS, SIMD_STREAM, SIMD_SUMS, SIMD_PLAIN), never on a level.
//
// SIMD_SUMS: v_sums has v_sum of each of SIMD_WIDTH vectors in its lane, with the same bits; v_all says whether a
// comparison holds in every lane.
//
// In every level: v_min(a, b) and v_max(a, b) are b if either is NaN; v_largest of a vector with a NaN is any lane;
// v_fma(a, b, c) is a * b + c, rounded once where SIMD_FMA; v_fnma is c - a * b.
#ifndef SIMD_H
#define SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "norm.h"

// Whether the C library is glibc of this version or newer; others do not define the macro that glibc asks for it.
#ifdef __GLIBC_PREREQ
#define SIMD_GLIBC_SINCE(major, minor) __GLIBC_PREREQ(major, minor)
#else
#define SIMD_GLIBC_SINCE(major, minor) 0
#endif

#if defined(NORM_COMPILE_avx512) || defined(NORM_COMPILE_avx512bf16)
#include "simd_avx512.h"
#elif defined(NORM_COMPILE_avx2)
#include "simd_avx2.h"
#elif defined(NORM_COMPILE_sse2)
#include "simd_sse2.h"
#elif defined(NORM_COMPILE_neon) || defined(NORM_COMPILE_neon_bf16)
#include "simd_neon.h"
#elif defined(NORM_COMPILE_sve128) || defined(NORM_COMPILE_sve256) || defined(NORM_COMPILE_sve512) ||                  \
    defined(NORM_COMPILE_sve1024) || defined(NORM_COMPILE_sve2048)
#include "simd_sve.h"
#else
#include "simd_scalar.h"
#if defined(NORM_COMPILE_auto_avx2) || defined(NORM_COMPILE_auto_avx512) || defined(NORM_COMPILE_auto_neon) ||         \
    defined(NORM_COMPILE_auto_sve)
#define SIMD_PLAIN 1 // the compiler makes the vectors
#endif
#endif

// Vectors of bf16 come in pairs where there are vectors (see span_of); so far those of machines whose first element is
// the lower half of a lane.
#if SIMD_WIDTH > 1
#define SIMD_PAIRS 1
#endif

#define SIMD_INLINE static inline __attribute__((always_inline))
// What runs once for a row or a block of rows, in one copy for all that call it: inlined in each variant, it would
// double the time of a build. Structs come by value: one whose address is handed on is read again after every store.
#define SIMD_SHARED static __attribute__((noinline, unused))

SIMD_INLINE vf v_zero(void) { return v_set1(0.0f); }

// |a|, and the bits of a's sign: enough for odd functions.
SIMD_INLINE vf v_abs(vf a) { return v_float(vi_and(v_bits(a), vi_set1(0x7fffffffu))); }
SIMD_INLINE vi v_sign(vf a) { return vi_and(v_bits(a), vi_set1(0x80000000u)); }
// a >= 0 with a sign put on it.
SIMD_INLINE vf v_with_sign(vf a, vi sign) { return v_float(vi_or(v_bits(a), sign)); }

// f32 to bf16, round to nearest even, in the upper half of each lane. A NaN keeps its upper payload and is made quiet,
// for the rounding carry would otherwise turn some NaNs into infinities.
SIMD_INLINE vi v_round_bf16(vf a) {
    const vi bits = v_bits(a);
    const vi odd = vi_and(vi_shr16(bits), vi_set1(1));
    const vi rounded = vi_add(bits, vi_add(odd, vi_set1(0x7fff)));
    return vi_select(v_is_nan(a), vi_or(bits, vi_set1(0x400000)), rounded);
}
#ifndef SIMD_HARDWARE_BF16
SIMD_INLINE void v_store_bf16(uint16_t *p, vf a) { v_store_high(p, v_round_bf16(a)); }
#ifdef SIMD_STREAM
SIMD_INLINE void v_stream_bf16(uint16_t *p, vf a) { v_stream_high(p, v_round_bf16(a)); }
#endif
#ifdef SIMD_PAIRS
SIMD_INLINE vi v_interleave_bf16(vf even, vf odd) {
    return vi_or(vi_shr16(v_round_bf16(even)), vi_and(v_round_bf16(odd), vi_set1(0xffff0000u)));
}
#endif
#endif

// f16 where there is no instruction for it, in the upper half of each lane. As widen_f16 of dtype.h; and to nearest
// even by integers, denormals by a sum whose last place is theirs.
#ifndef SIMD_HARDWARE_F16
SIMD_INLINE vf v_load_f16(const uint16_t *p) {
    const vi bits = v_load_high(p), magnitude = vi_shr3(vi_and(bits, vi_set1(0x7fff0000u)));
    const vi value = v_bits(v_mul(v_float(magnitude), v_set1(0x1p112f)));
    const vi finite_or_not =
        vi_select(v_less(v_float(magnitude), v_set1(0x1p-96f)), value, vi_or(magnitude, vi_set1(0x7f800000u)));
    return v_float(vi_or(finite_or_not, vi_and(bits, vi_set1(0x80000000u))));
}
SIMD_INLINE vi v_round_f16(vf a) {
    const vf size = v_abs(a);
    const vi bits = v_bits(size), odd = vi_and(vi_shr16(vi_shl3(bits)), vi_set1(1));
    const vi denormal = vi_shl16(v_bits(v_add(size, v_set1(0.5f)))); // the upper half of 0.5's bits is gone
    // The exponent has 112 less.
    const vi normal = vi_shl3(vi_add(bits, vi_add(odd, vi_set1(0xfff - (112u << 23)))));
    const vi beyond = vi_select(v_is_nan(a), vi_or(vi_and(vi_shl3(bits), vi_set1(0x3ff0000)), vi_set1(0x7e000000)),
                                vi_set1(0x7c000000));
    const vi large = vi_select(v_less(size, v_set1(65520.0f)), normal, beyond);
    return vi_or(vi_select(v_less(size, v_set1(0x1p-14f)), denormal, large), v_sign(a));
}
SIMD_INLINE void v_store_f16(uint16_t *p, vf a) { v_store_high(p, v_round_f16(a)); }
#ifdef SIMD_STREAM
SIMD_INLINE void v_stream_f16(uint16_t *p, vf a) { v_stream_high(p, v_round_f16(a)); }
#endif
#endif

// A vector of which only n lanes are in memory, n < SIMD_WIDTH; missing lanes are zero.
SIMD_SHARED vf v_get_part_f16(const uint16_t *p, size_t n) {
    uint16_t lanes[SIMD_WIDTH] = {0};
    for (size_t k = 0; k < n; k++)
        lanes[k] = p[k];
    return v_load_f16(lanes);
}
SIMD_SHARED void v_put_part_f16(uint16_t *p, size_t n, vf a) {
    uint16_t lanes[SIMD_WIDTH];
    v_store_f16(lanes, a);
    for (size_t k = 0; k < n; k++)
        p[k] = lanes[k];
}
SIMD_SHARED vf v_get_part_bf16(const uint16_t *p, size_t n) {
    uint16_t lanes[SIMD_WIDTH] = {0};
    for (size_t k = 0; k < n; k++)
        lanes[k] = p[k];
    return v_float(v_load_high(lanes));
}
SIMD_SHARED void v_put_part_bf16(uint16_t *p, size_t n, vf a) {
    uint16_t lanes[SIMD_WIDTH];
    v_store_bf16(lanes, a);
    for (size_t k = 0; k < n; k++)
        p[k] = lanes[k];
}

// n elements of a row from element i on, n <= SIMD_WIDTH; missing lanes are zero. dtype and a full n are constants
// where these are inlined, so the branches are gone. No switch: gcc 12 then schedules what is around it otherwise, and
// rmsnorm's backward takes 1.03 times as long on AVX-512.
_Static_assert(NORM_DTYPES == 3, "a dtype more is a branch more in v_get, v_put and v_stream_span");
SIMD_INLINE vf v_get(norm_dtype dtype, const void *row, size_t i, size_t n) {
    if (dtype == NORM_F32) {
        const float *const p = (const float *)row + i;
        return n == SIMD_WIDTH ? v_load(p) : v_load_part(p, n);
    }
    const uint16_t *const p = (const uint16_t *)row + i;
    if (dtype == NORM_F16)
        return n == SIMD_WIDTH ? v_load_f16(p) : v_get_part_f16(p, n);
    return n == SIMD_WIDTH ? v_float(v_load_high(p)) : v_get_part_bf16(p, n);
}
SIMD_INLINE void v_put(norm_dtype dtype, void *row, size_t i, size_t n, vf a) {
    if (dtype == NORM_F32) {
        float *const p = (float *)row + i;
        if (n == SIMD_WIDTH)
            v_store(p, a);
        else
            v_store_part(p, a, n);
        return;
    }
    uint16_t *const p = (uint16_t *)row + i;
    if (dtype == NORM_F16 && n == SIMD_WIDTH)
        v_store_f16(p, a);
    else if (dtype == NORM_F16)
        v_put_part_f16(p, n, a);
    else if (n == SIMD_WIDTH)
        v_store_bf16(p, a);
    else
        v_put_part_bf16(p, n, a);
}

// A span is what a loop over columns takes at once: one vector, and of bf16, where there are vectors, two: the elements
// at even places, which a shift makes f32, and those at odd places, for which a mask is enough. In the order of memory
// each vector would take a shuffle to be widened and another to be narrowed.
#ifdef SIMD_PAIRS
enum { SPAN = 2 }; // vectors at most
SIMD_INLINE size_t span_of(norm_dtype dtype) { return dtype == NORM_BF16 ? SPAN * SIMD_WIDTH : SIMD_WIDTH; }
#else
enum { SPAN = 1 };
SIMD_INLINE size_t span_of(norm_dtype dtype) {
    (void)dtype;
    return SIMD_WIDTH;
}
#endif
// The vectors of n elements: of a span, or of a vector's or fewer.
SIMD_INLINE size_t span_vectors(size_t n) { return n > SIMD_WIDTH ? SPAN : 1; }
#define UNROLL_SPAN _Pragma("GCC unroll 2")

// As v_get and v_put, of a span or fewer than a vector's elements.
SIMD_INLINE void v_get_span(norm_dtype dtype, const void *row, size_t i, size_t n, vf out[SPAN]) {
#ifdef SIMD_PAIRS
    if (n > SIMD_WIDTH) {
        const vi both = v_bits(v_load((const void *)((const uint16_t *)row + i)));
        out[0] = v_float(vi_shl16(both));
        out[1] = v_float(vi_and(both, vi_set1(0xffff0000u)));
        return;
    }
#endif
    out[0] = v_get(dtype, row, i, n);
}
// Of f32, in the order of a span of 16 bits.
SIMD_INLINE void v_get_f32_span(const float *row, size_t i, size_t n, vf out[SPAN]) {
#ifdef SIMD_PAIRS
    if (n > SIMD_WIDTH) {
        v_load_dealt(row + i, &out[0], &out[1]);
        return;
    }
#endif
    out[0] = v_get(NORM_F32, row, i, n);
}
SIMD_INLINE void v_put_span(norm_dtype dtype, void *row, size_t i, size_t n, const vf a[SPAN]) {
#ifdef SIMD_PAIRS
    if (n > SIMD_WIDTH) {
        v_store((void *)((uint16_t *)row + i), v_float(v_interleave_bf16(a[0], a[1])));
        return;
    }
#endif
    v_put(dtype, row, i, n, a[0]);
}

#ifdef SIMD_STREAM
// As v_put_span past the caches, of a span or a vector that begins where one may be streamed to.
SIMD_INLINE void v_stream_span(norm_dtype dtype, void *row, size_t i, size_t n, const vf a[SPAN]) {
    if (dtype == NORM_F32)
        v_stream((float *)row + i, a[0]);
    else if (dtype == NORM_F16)
        v_stream_f16((uint16_t *)row + i, a[0]);
    else if (n == SIMD_WIDTH)
        v_stream_bf16((uint16_t *)row + i, a[0]);
    else
        v_stream((void *)((uint16_t *)row + i), v_float(v_interleave_bf16(a[0], a[SPAN - 1])));
}
#endif

// The lanes below n of a, zero elsewhere: keeps a formula's value at padding out of a sum.
SIMD_INLINE vf v_keep(vf a, size_t n) {
    if (n == SIMD_WIDTH)
        return a;
    float lanes[SIMD_WIDTH];
    v_store(lanes, a);
    return v_load_part(lanes, n);
}

#endif
