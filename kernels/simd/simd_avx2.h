// SPDX-License-Identifier: MIT
// The vector vocabulary at 256 bits: AVX2 with FMA and F16C.
#ifndef SIMD_AVX2_H
#define SIMD_AVX2_H

#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "simd_avx2.h needs the flags of level avx2 (kernels/levels.mk)"
#endif
#include <immintrin.h>
#include <string.h>

#define SIMD_WIDTH 8
#define SIMD_FMA 1
typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm;

// Lanes below n, n < 8.
static inline __m256i v_first(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vf v_set1(float a) { return _mm256_set1_ps(a); }
static inline vf v_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void v_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
static inline vf v_load_part(const float *p, size_t n) { return _mm256_maskload_ps(p, v_first(n)); }
static inline void v_store_part(float *p, vf a, size_t n) { _mm256_maskstore_ps(p, v_first(n), a); }
static inline vi v_load_high(const uint16_t *p) {
    return _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16);
}
// The arithmetic shift leaves every lane within int16, so the saturating pack is exact; the permute joins its two
// halves.
static inline __m128i v_high(vi a) {
    const vi high = _mm256_srai_epi32(a, 16);
    return _mm256_castsi256_si128(_mm256_permute4x64_epi64(_mm256_packs_epi32(high, high), 0x08));
}
// The elements at even places, and those at odd ones, of two vectors.
static inline vf v_in_order(vf halves) {
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(halves), _MM_SHUFFLE(3, 1, 2, 0)));
}
static inline void v_load_dealt(const float *p, vf *even, vf *odd) {
    const vf first = _mm256_loadu_ps(p), second = _mm256_loadu_ps(p + SIMD_WIDTH);
    *even = v_in_order(_mm256_shuffle_ps(first, second, _MM_SHUFFLE(2, 0, 2, 0)));
    *odd = v_in_order(_mm256_shuffle_ps(first, second, _MM_SHUFFLE(3, 1, 3, 1)));
}
static inline void v_store_high(uint16_t *p, vi a) { _mm_storeu_si128((__m128i *)p, v_high(a)); }

#define SIMD_HARDWARE_F16 1
static inline vf v_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
static inline __m128i v_f16(vf a) { return _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT); }
static inline void v_store_f16(uint16_t *p, vf a) { _mm_storeu_si128((__m128i *)p, v_f16(a)); }

// Past the caches; p is aligned to what is written. The fence orders these stores before what other threads may read.
#define SIMD_STREAM 1
static inline void v_stream(float *p, vf a) { _mm256_stream_ps(p, a); }
static inline void v_stream_high(uint16_t *p, vi a) { _mm_stream_si128((__m128i *)p, v_high(a)); }
static inline void v_stream_f16(uint16_t *p, vf a) { _mm_stream_si128((__m128i *)p, v_f16(a)); }
static inline void v_stream_fence(void) { _mm_sfence(); }

static inline vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf v_sqrt(vf a) { return _mm256_sqrt_ps(a); }
static inline vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
static inline vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vm v_less(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline vm v_is_nan(vf a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }

static inline vi v_bits(vf a) { return _mm256_castps_si256(a); }
static inline vf v_float(vi a) { return _mm256_castsi256_ps(a); }
static inline vi vi_set1(uint32_t a) { return _mm256_set1_epi32((int)a); }
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
static inline vi vi_shl16(vi a) { return _mm256_slli_epi32(a, 16); }
static inline vi vi_shl23(vi a) { return _mm256_slli_epi32(a, 23); }
static inline vi vi_shr16(vi a) { return _mm256_srli_epi32(a, 16); }
static inline vf v_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
static inline vi vi_select(vm m, vi a, vi b) { return v_bits(v_select(m, v_float(a), v_float(b))); }

// Two vectors in the order of memory dealt to even and odd places, and put back.
static inline void v_deal(vf a, vf b, vf out[2]) {
    const __m256d even = _mm256_castps_pd(_mm256_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)));
    const __m256d odd = _mm256_castps_pd(_mm256_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
    out[0] = _mm256_castpd_ps(_mm256_permute4x64_pd(even, _MM_SHUFFLE(3, 1, 2, 0)));
    out[1] = _mm256_castpd_ps(_mm256_permute4x64_pd(odd, _MM_SHUFFLE(3, 1, 2, 0)));
}
static inline void v_riffle(vf even, vf odd, vf out[2]) {
    const vf low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
    out[0] = _mm256_permute2f128_ps(low, high, 0x20);
    out[1] = _mm256_permute2f128_ps(low, high, 0x31);
}

// Each lane added to a double of its own, and doubles rounded to lanes.
static inline void v_add_to_doubles(double *sums, vf a) {
    const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(a)), high = _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
    _mm256_storeu_pd(sums, _mm256_add_pd(_mm256_loadu_pd(sums), low));
    _mm256_storeu_pd(sums + 4, _mm256_add_pd(_mm256_loadu_pd(sums + 4), high));
}
static inline vf v_from_doubles(const double *sums) {
    const __m128 low = _mm256_cvtpd_ps(_mm256_loadu_pd(sums)), high = _mm256_cvtpd_ps(_mm256_loadu_pd(sums + 4));
    return _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
}

static inline float v_sum(vf a) {
    const __m128 quads = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 pairs = _mm_add_ps(quads, _mm_movehl_ps(quads, quads));
    return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}
static inline float v_largest(vf a) {
    const __m128 quads = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 pairs = _mm_max_ps(quads, _mm_movehl_ps(quads, quads));
    return _mm_cvtss_f32(_mm_max_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}

// Sums of rows in one tree, whose halves, pairs and ends are added as in v_sum.
#define SIMD_SUMS 1
static inline vf v_add_halves(vf a, vf b) {
    return _mm256_add_ps(_mm256_blend_ps(a, b, 0xf0), _mm256_permute2f128_ps(a, b, 0x21));
}
static inline vf v_add_pairs(vf a, vf b) {
    return _mm256_add_ps(_mm256_blend_ps(a, b, 0xcc), _mm256_shuffle_ps(a, b, _MM_SHUFFLE(1, 0, 3, 2)));
}
static inline vf v_add_ends(vf a, vf b) {
    return _mm256_add_ps(_mm256_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                         _mm256_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
}
static inline vf v_sums(const vf a[SIMD_WIDTH]) {
    return v_add_ends(v_add_pairs(v_add_halves(a[0], a[4]), v_add_halves(a[1], a[5])),
                      v_add_pairs(v_add_halves(a[2], a[6]), v_add_halves(a[3], a[7])));
}
static inline bool v_all(vm m) { return _mm256_movemask_ps(m) == 0xff; }

// glibc's own vector tanh, by its name in the vector ABI of x86-64; there since glibc 2.35.
#if SIMD_GLIBC_SINCE(2, 35)
#define SIMD_MVEC 1
__m256 _ZGVdN8v_tanhf(__m256);
static inline vf v_tanh_mvec(vf x) { return _ZGVdN8v_tanhf(x); }
#endif

#endif
