// SPDX-License-Identifier: MIT
// The vector vocabulary at 128 bits, for the x86-64 baseline. No FMA: v_fma rounds twice.
#ifndef SIMD_SSE2_H
#define SIMD_SSE2_H

#ifndef __SSE2__
#error "simd_sse2.h needs the flags of level sse2 (kernels/levels.mk)"
#endif
#include <emmintrin.h>
#include <string.h>

#define SIMD_WIDTH 4
#define SIMD_FMA 0
typedef __m128 vf;
typedef __m128i vi;
typedef __m128 vm;

static inline vf v_set1(float a) { return _mm_set1_ps(a); }
static inline vf v_load(const float *p) { return _mm_loadu_ps(p); }
static inline void v_store(float *p, vf a) { _mm_storeu_ps(p, a); }
static inline vf v_load_part(const float *p, size_t n) {
    float lanes[SIMD_WIDTH] = {0};
    memcpy(lanes, p, n * sizeof *p);
    return v_load(lanes);
}
static inline void v_store_part(float *p, vf a, size_t n) {
    float lanes[SIMD_WIDTH];
    v_store(lanes, a);
    memcpy(p, lanes, n * sizeof *p);
}
static inline vi v_load_high(const uint16_t *p) {
    return _mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64((const __m128i *)p));
}
// The arithmetic shift leaves every lane within int16, so the saturating pack is exact.
// The elements at even places, and those at odd ones, of two vectors.
static inline void v_load_dealt(const float *p, vf *even, vf *odd) {
    const vf first = _mm_loadu_ps(p), second = _mm_loadu_ps(p + SIMD_WIDTH);
    *even = _mm_shuffle_ps(first, second, _MM_SHUFFLE(2, 0, 2, 0));
    *odd = _mm_shuffle_ps(first, second, _MM_SHUFFLE(3, 1, 3, 1));
}
static inline void v_store_high(uint16_t *p, vi a) {
    const vi high = _mm_srai_epi32(a, 16);
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi32(high, high));
}

// Past the caches; p is aligned to what is written. The fence orders these stores before what other threads may read.
#define SIMD_STREAM 1
static inline void v_stream(float *p, vf a) { _mm_stream_ps(p, a); }
static inline void v_stream_high(uint16_t *p, vi a) {
    const vi high = _mm_srai_epi32(a, 16);
    _mm_stream_si64((long long *)(void *)p, _mm_cvtsi128_si64(_mm_packs_epi32(high, high)));
}
static inline void v_stream_fence(void) { _mm_sfence(); }

static inline vf v_add(vf a, vf b) { return _mm_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm_div_ps(a, b); }
static inline vf v_sqrt(vf a) { return _mm_sqrt_ps(a); }
static inline vf v_fma(vf a, vf b, vf c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
static inline vf v_fnma(vf a, vf b, vf c) { return _mm_sub_ps(c, _mm_mul_ps(a, b)); }
static inline vf v_min(vf a, vf b) { return _mm_min_ps(a, b); }
static inline vf v_max(vf a, vf b) { return _mm_max_ps(a, b); }
static inline vm v_less(vf a, vf b) { return _mm_cmplt_ps(a, b); }
static inline vm v_is_nan(vf a) { return _mm_cmpunord_ps(a, a); }

static inline vi v_bits(vf a) { return _mm_castps_si128(a); }
static inline vf v_float(vi a) { return _mm_castsi128_ps(a); }
static inline vi vi_set1(uint32_t a) { return _mm_set1_epi32((int)a); }
static inline vi vi_add(vi a, vi b) { return _mm_add_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm_and_si128(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm_or_si128(a, b); }
static inline vi vi_shl3(vi a) { return _mm_slli_epi32(a, 3); }
static inline vi vi_shl16(vi a) { return _mm_slli_epi32(a, 16); }
static inline vi vi_shl23(vi a) { return _mm_slli_epi32(a, 23); }
static inline vi vi_shr3(vi a) { return _mm_srli_epi32(a, 3); }
static inline vi vi_shr16(vi a) { return _mm_srli_epi32(a, 16); }
static inline vf v_select(vm m, vf a, vf b) { return _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b)); }
static inline vi vi_select(vm m, vi a, vi b) { return v_bits(v_select(m, v_float(a), v_float(b))); }

// Two vectors in the order of memory dealt to even and odd places, and put back.
static inline void v_deal(vf a, vf b, vf out[2]) {
    out[0] = _mm_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0));
    out[1] = _mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1));
}
static inline void v_riffle(vf even, vf odd, vf out[2]) {
    out[0] = _mm_unpacklo_ps(even, odd);
    out[1] = _mm_unpackhi_ps(even, odd);
}

// Each lane added to a double of its own, and doubles rounded to lanes.
static inline void v_add_to_doubles(double *sums, vf a) {
    _mm_storeu_pd(sums, _mm_add_pd(_mm_loadu_pd(sums), _mm_cvtps_pd(a)));
    _mm_storeu_pd(sums + 2, _mm_add_pd(_mm_loadu_pd(sums + 2), _mm_cvtps_pd(_mm_movehl_ps(a, a))));
}
static inline vf v_from_doubles(const double *sums) {
    return _mm_movelh_ps(_mm_cvtpd_ps(_mm_loadu_pd(sums)), _mm_cvtpd_ps(_mm_loadu_pd(sums + 2)));
}

static inline float v_sum(vf a) {
    const vf pairs = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}
static inline float v_largest(vf a) {
    const vf pairs = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}

// Sums of rows in one tree, whose pairs and ends are added as in v_sum.
#define SIMD_SUMS 1
static inline vf v_add_pairs(vf a, vf b) { return _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a)); }
static inline vf v_add_ends(vf a, vf b) {
    return _mm_add_ps(_mm_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)), _mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
}
static inline vf v_sums(const vf a[SIMD_WIDTH]) { return v_add_ends(v_add_pairs(a[0], a[1]), v_add_pairs(a[2], a[3])); }
static inline bool v_all(vm m) { return _mm_movemask_ps(m) == 0xf; }

// glibc's own vector tanh, by its name in the vector ABI of x86-64; there since glibc 2.35.
#if SIMD_GLIBC_SINCE(2, 35)
#define SIMD_MVEC 1
__m128 _ZGVbN4v_tanhf(__m128);
static inline vf v_tanh_mvec(vf x) { return _ZGVbN4v_tanhf(x); }
#endif

#endif
