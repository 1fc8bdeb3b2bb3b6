// SPDX-License-Identifier: MIT
// The vector vocabulary at 512 bits: AVX-512 F, BW, DQ, VL; with the flags of avx512bf16, the hardware conversion as
// well.
#ifndef SIMD_AVX512_H
#define SIMD_AVX512_H

#if !defined(__AVX512F__) || !defined(__AVX512BW__) || !defined(__AVX512DQ__) || !defined(__AVX512VL__)
#error "simd_avx512.h needs the flags of level avx512 (kernels/levels.mk)"
#endif
#include <immintrin.h>
#include <string.h>

#define SIMD_WIDTH 16
#define SIMD_FMA 1
#define SIMD_LOOKUP32 1 // v_lookup32: one permute over two registers
typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

// Lanes below n, n < 16.
static inline __mmask16 v_first(size_t n) { return (__mmask16)((1u << n) - 1u); }

static inline vf v_set1(float a) { return _mm512_set1_ps(a); }
static inline vf v_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
static inline vf v_load_part(const float *p, size_t n) { return _mm512_maskz_loadu_ps(v_first(n), p); }
static inline void v_store_part(float *p, vf a, size_t n) { _mm512_mask_storeu_ps(p, v_first(n), a); }
static inline vi v_load_high(const uint16_t *p) {
    return _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16);
}
static inline __m256i v_high(vi a) { return _mm512_cvtepi32_epi16(_mm512_srli_epi32(a, 16)); }
// The elements at even places, and those at odd ones, of two vectors.
static inline void v_load_dealt(const float *p, vf *even, vf *odd) {
    const vi evens = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const vi odds = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    const vf first = _mm512_loadu_ps(p), second = _mm512_loadu_ps(p + SIMD_WIDTH);
    *even = _mm512_permutex2var_ps(first, evens, second);
    *odd = _mm512_permutex2var_ps(first, odds, second);
}
static inline void v_store_high(uint16_t *p, vi a) { _mm256_storeu_si256((__m256i *)p, v_high(a)); }

#define SIMD_HARDWARE_F16 1
static inline vf v_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
static inline __m256i v_f16(vf a) { return _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT); }
static inline void v_store_f16(uint16_t *p, vf a) { _mm256_storeu_si256((__m256i *)p, v_f16(a)); }

// Past the caches; p is aligned to what is written. The fence orders these stores before what other threads may read.
#define SIMD_STREAM 1
static inline void v_stream(float *p, vf a) { _mm512_stream_ps(p, a); }
static inline void v_stream_high(uint16_t *p, vi a) { _mm256_stream_si256((__m256i *)p, v_high(a)); }
static inline void v_stream_f16(uint16_t *p, vf a) { _mm256_stream_si256((__m256i *)p, v_f16(a)); }
static inline void v_stream_fence(void) { _mm_sfence(); }

static inline vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
static inline vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
static inline vf v_fms(vf a, vf b, vf c) { return _mm512_fmsub_ps(a, b, c); }
static inline vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vm v_less(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm v_is_nan(vf a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }

static inline vi v_bits(vf a) { return _mm512_castps_si512(a); }
static inline vf v_float(vi a) { return _mm512_castsi512_ps(a); }
static inline vi vi_set1(uint32_t a) { return _mm512_set1_epi32((int)a); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
static inline vi vi_shl16(vi a) { return _mm512_slli_epi32(a, 16); }
static inline vi vi_shl23(vi a) { return _mm512_slli_epi32(a, 23); }
static inline vi vi_shr16(vi a) { return _mm512_srli_epi32(a, 16); }
static inline vi vi_shr20(vi a) { return _mm512_srli_epi32(a, 20); }
static inline vf v_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
static inline vi vi_select(vm m, vi a, vi b) { return _mm512_mask_blend_epi32(m, b, a); }

// table[index mod 32] of each lane.
static inline vf v_lookup32(vi index, const float table[32]) {
    return _mm512_permutex2var_ps(_mm512_loadu_ps(table), index, _mm512_loadu_ps(table + 16));
}

// Two vectors in the order of memory dealt to even and odd places, and put back.
static inline void v_deal(vf a, vf b, vf out[2]) {
    const vi first = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    out[0] = _mm512_permutex2var_ps(a, first, b);
    out[1] = _mm512_permutex2var_ps(a, vi_or(first, vi_set1(1)), b);
}
static inline void v_riffle(vf even, vf odd, vf out[2]) {
    const vi first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    out[0] = _mm512_permutex2var_ps(even, first, odd);
    out[1] = _mm512_permutex2var_ps(even, vi_add(first, vi_set1(8)), odd);
}

// Each lane added to a double of its own, and doubles rounded to lanes.
static inline void v_add_to_doubles(double *sums, vf a) {
    const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(a)),
                  high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
    _mm512_storeu_pd(sums, _mm512_add_pd(_mm512_loadu_pd(sums), low));
    _mm512_storeu_pd(sums + 8, _mm512_add_pd(_mm512_loadu_pd(sums + 8), high));
}
static inline vf v_from_doubles(const double *sums) {
    const __m256 low = _mm512_cvtpd_ps(_mm512_loadu_pd(sums)), high = _mm512_cvtpd_ps(_mm512_loadu_pd(sums + 8));
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

static inline float v_sum(vf a) { return _mm512_reduce_add_ps(a); }
static inline float v_largest(vf a) { return _mm512_reduce_max_ps(a); }

// Sums of rows in one tree, whose halves, quarters, pairs and ends are added as in v_sum: a shuffle brings what one of
// two vectors lacks beside what it has, and the other way round.
#define SIMD_SUMS 1
static inline vf v_add_halves(vf a, vf b) {
    return _mm512_add_ps(_mm512_mask_blend_ps(0xff00, a, b), _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(1, 0, 3, 2)));
}
static inline vf v_add_quarters(vf a, vf b) {
    const vi others = _mm512_setr_epi32(4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27);
    return _mm512_add_ps(_mm512_mask_blend_ps(0xf0f0, a, b), _mm512_permutex2var_ps(a, others, b));
}
static inline vf v_add_pairs(vf a, vf b) {
    return _mm512_add_ps(_mm512_mask_blend_ps(0xcccc, a, b), _mm512_shuffle_ps(a, b, _MM_SHUFFLE(1, 0, 3, 2)));
}
static inline vf v_add_ends(vf a, vf b) {
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                         _mm512_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
}
static inline vf v_sums(const vf a[SIMD_WIDTH]) {
    vf q[4];
    _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++) q[i] =
        v_add_quarters(v_add_halves(a[i], a[i + 8]), v_add_halves(a[i + 4], a[i + 12]));
    return v_add_ends(v_add_pairs(q[0], q[1]), v_add_pairs(q[2], q[3]));
}
static inline bool v_all(vm m) { return m == 0xffff; }

// glibc's own vector tanh, by its name in the vector ABI of x86-64; there since glibc 2.35.
#if SIMD_GLIBC_SINCE(2, 35)
#define SIMD_MVEC 1
__m512 _ZGVeN16v_tanhf(__m512);
static inline vf v_tanh_mvec(vf x) { return _ZGVeN16v_tanhf(x); }
#endif

#ifdef __AVX512BF16__
// Round to nearest even as simd.h, but denormal inputs and results become zero: the instruction ignores MXCSR. To keep
// them would cost most of what it gains: what must, takes level avx512.
#define SIMD_HARDWARE_BF16 1
#define SIMD_FLUSHES_BF16 1
static inline void v_store_bf16(uint16_t *p, vf a) {
    _mm256_storeu_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh(a));
}
static inline void v_stream_bf16(uint16_t *p, vf a) {
    _mm256_stream_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh(a));
}
static inline vi v_interleave_bf16(vf even, vf odd) {
    static const uint16_t halves[2 * SIMD_WIDTH]
        __attribute__((aligned(64))) = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return _mm512_permutexvar_epi16(_mm512_load_si512(halves), (vi)_mm512_cvtne2ps_pbh(odd, even));
}
#endif

#endif
