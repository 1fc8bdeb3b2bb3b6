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

// Of form framework, whose other operations keep to narrower vectors (framework_level.h): elements [c, c + WIDE) of a
// row, in bf16 rounded as v_round_bf16 does.
#ifdef FRAMEWORK_WIDE_TANH
#define SIMD_SLEEF_WIDE 16
static inline __m256i round_wide(__m512 a) {
    const __m512i bits = _mm512_castps_si512(a),
                  odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const __m512i kept = _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), rounded, quiet);
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(kept, 16));
}
SIMD_INLINE void tanh_sleef_wide(norm_dtype dtype, void *to, const void *from, size_t c) {
    if (dtype == NORM_F32) {
        _mm512_storeu_ps((float *)to + c, Sleef_tanhf16_u10avx512f(_mm512_loadu_ps((const float *)from + c)));
        return;
    }
    const __m256i in = _mm256_loadu_si256((const void *)((const uint16_t *)from + c));
    const bool f16 = dtype == NORM_F16;
    const __m512 x = f16 ? _mm512_cvtph_ps(in) : _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(in), 16));
    const __m512 y = Sleef_tanhf16_u10avx512f(x);
    _mm256_storeu_si256((void *)((uint16_t *)to + c),
                        f16 ? _mm512_cvtps_ph(y, _MM_FROUND_TO_NEAREST_INT) : round_wide(y));
}
#endif

#endif
