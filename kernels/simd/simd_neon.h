// SPDX-License-Identifier: MIT
// The vector vocabulary at 128 bits, for the baseline of 64-bit Arm; with the flags of neon_bf16, the hardware
// conversion as well.
#ifndef SIMD_NEON_H
#define SIMD_NEON_H

#if !defined(__aarch64__) || !defined(__ARM_NEON)
#error "simd_neon.h needs the flags of level neon (kernels/levels.mk)"
#endif
#include <arm_neon.h>
#include <string.h>

#define SIMD_WIDTH 4
#define SIMD_FMA 1
typedef float32x4_t vf;
typedef uint32x4_t vi;
typedef uint32x4_t vm;

static inline vf v_set1(float a) { return vdupq_n_f32(a); }
static inline vf v_load(const float *p) { return vld1q_f32(p); }
static inline void v_store(float *p, vf a) { vst1q_f32(p, a); }
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
static inline vi v_load_high(const uint16_t *p) { return vshll_n_u16(vld1_u16(p), 16); }
// The elements at even places, and those at odd ones, of two vectors.
static inline void v_load_dealt(const float *p, vf *even, vf *odd) {
    const float32x4x2_t both = vld2q_f32(p);
    *even = both.val[0];
    *odd = both.val[1];
}
static inline void v_store_high(uint16_t *p, vi a) { vst1_u16(p, vshrn_n_u32(a, 16)); }

#define SIMD_HARDWARE_F16 1
static inline vf v_load_f16(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
static inline void v_store_f16(uint16_t *p, vf a) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(a))); }

static inline vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf v_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf v_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf v_sqrt(vf a) { return vsqrtq_f32(a); }
static inline vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
static inline vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
// The instructions for these give a NaN where either is one.
static inline vf v_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline vf v_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline vm v_less(vf a, vf b) { return vcltq_f32(a, b); }
static inline vm v_is_nan(vf a) { return vmvnq_u32(vceqq_f32(a, a)); }

static inline vi v_bits(vf a) { return vreinterpretq_u32_f32(a); }
static inline vf v_float(vi a) { return vreinterpretq_f32_u32(a); }
static inline vi vi_set1(uint32_t a) { return vdupq_n_u32(a); }
static inline vi vi_add(vi a, vi b) { return vaddq_u32(a, b); }
static inline vi vi_and(vi a, vi b) { return vandq_u32(a, b); }
static inline vi vi_or(vi a, vi b) { return vorrq_u32(a, b); }
static inline vi vi_shl16(vi a) { return vshlq_n_u32(a, 16); }
static inline vi vi_shl23(vi a) { return vshlq_n_u32(a, 23); }
static inline vi vi_shr16(vi a) { return vshrq_n_u32(a, 16); }
static inline vf v_select(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }
static inline vi vi_select(vm m, vi a, vi b) { return vbslq_u32(m, a, b); }

// Two vectors in the order of memory dealt to even and odd places, and put back.
static inline void v_deal(vf a, vf b, vf out[2]) {
    out[0] = vuzp1q_f32(a, b);
    out[1] = vuzp2q_f32(a, b);
}
static inline void v_riffle(vf even, vf odd, vf out[2]) {
    out[0] = vzip1q_f32(even, odd);
    out[1] = vzip2q_f32(even, odd);
}

// Each lane added to a double of its own, and doubles rounded to lanes.
static inline void v_add_to_doubles(double *sums, vf a) {
    vst1q_f64(sums, vaddq_f64(vld1q_f64(sums), vcvt_f64_f32(vget_low_f32(a))));
    vst1q_f64(sums + 2, vaddq_f64(vld1q_f64(sums + 2), vcvt_high_f64_f32(a)));
}
static inline vf v_from_doubles(const double *sums) {
    return vcvt_high_f32_f64(vcvt_f32_f64(vld1q_f64(sums)), vld1q_f64(sums + 2));
}

// In the order of level sse2.
static inline float v_sum(vf a) {
    const float32x2_t pairs = vadd_f32(vget_low_f32(a), vget_high_f32(a));
    return vaddv_f32(pairs);
}
static inline float v_largest(vf a) { return vmaxvq_f32(a); }

// Sums of rows in one tree, whose pairs and ends are added as in v_sum.
#define SIMD_SUMS 1
static inline vf v_add_pairs(vf a, vf b) {
    return vaddq_f32(vcombine_f32(vget_low_f32(a), vget_low_f32(b)), vcombine_f32(vget_high_f32(a), vget_high_f32(b)));
}
static inline vf v_sums(const vf a[SIMD_WIDTH]) { return vpaddq_f32(v_add_pairs(a[0], a[1]), v_add_pairs(a[2], a[3])); }
static inline bool v_all(vm m) { return vminvq_u32(m) != 0; }

// glibc's own vector tanh, by its name in the vector ABI of 64-bit Arm; there since glibc 2.40.
#if SIMD_GLIBC_SINCE(2, 40)
#define SIMD_MVEC 1
__attribute__((aarch64_vector_pcs)) float32x4_t _ZGVnN4v_tanhf(float32x4_t);
static inline vf v_tanh_mvec(vf x) { return _ZGVnN4v_tanhf(x); }
#endif

#ifdef __ARM_FEATURE_BF16_VECTOR_ARITHMETIC
// Round to nearest even as simd.h, denormals and NaNs included.
#define SIMD_HARDWARE_BF16 1
static inline void v_store_bf16(uint16_t *p, vf a) {
    vst1_u16(p, vreinterpret_u16_bf16(vget_low_bf16(vcvtq_low_bf16_f32(a))));
}
static inline vi v_interleave_bf16(vf even, vf odd) {
    const uint16x8_t evens = vreinterpretq_u16_bf16(vcvtq_low_bf16_f32(even));
    const uint16x8_t odds = vreinterpretq_u16_bf16(vcvtq_low_bf16_f32(odd));
    return vreinterpretq_u32_u16(vzip1q_u16(evens, odds));
}
#endif

#endif
