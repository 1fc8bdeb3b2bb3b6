// SPDX-License-Identifier: MIT
// sleef_tanh.h: SLEEF's tanh of at most 1 ulp, the most widely used vector tanh, as a function of this vocabulary. What
// uses it is compiled once per level that SLEEF has a vector of, and part of the program rather than of libnorm, whose
// callers so need no SLEEF; peers.c makes it known.
#ifndef SLEEF_TANH_H
#define SLEEF_TANH_H

#include "simd/simd.h"

// The sizes of <sleef.h>'s vectors, by name, for the function without a suffix would pick its instructions by itself.
#include <sleef.h>
#if SIMD_WIDTH == 16
#define TANH Sleef_tanhf16_u10avx512f
#elif SIMD_WIDTH == 8
#define TANH Sleef_tanhf8_u10avx2
#elif defined(__aarch64__)
#define TANH Sleef_tanhf4_u10advsimd
#else
#define TANH Sleef_tanhf4_u10sse2
#endif
#define SIMD_SLEEF 1
SIMD_INLINE vf v_tanh_sleef(vf a) { return TANH(a); }

// Of form framework, whose other operations keep to narrower vectors (framework_level.h).
#ifdef FRAMEWORK_WIDE_TANH
#define SIMD_SLEEF_TWO 1
SIMD_INLINE void v_tanh_sleef_two(vf *a, vf *b) {
    const __m512 both = Sleef_tanhf16_u10avx512f(_mm512_insertf32x8(_mm512_castps256_ps512(*a), *b, 1));
    *a = _mm512_castps512_ps256(both);
    *b = _mm512_extractf32x8_ps(both, 1);
}
#endif

#endif
