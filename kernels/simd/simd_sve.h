// SPDX-License-Identifier: MIT
// The vector vocabulary of the Scalable Vector Extension, at the length that the level is compiled for. Vectors of no
// fixed length could be neither in arrays nor in structs, where kernels keep them: so each length is a level.
#ifndef SIMD_SVE_H
#define SIMD_SVE_H

#if !defined(__ARM_FEATURE_SVE_BITS) || __ARM_FEATURE_SVE_BITS == 0
#error "simd_sve.h needs the flags of a level sve<bits> (kernels/levels.mk)"
#endif
#include <arm_sve.h>

#define SIMD_WIDTH (__ARM_FEATURE_SVE_BITS / 32)
#define SIMD_FMA 1
#define SIMD_FIXED __attribute__((arm_sve_vector_bits(__ARM_FEATURE_SVE_BITS)))
typedef svfloat32_t vf SIMD_FIXED;
typedef svuint32_t vi SIMD_FIXED;
typedef svbool_t vm SIMD_FIXED;

// All lanes, and those below n.
static inline vm v_every(void) { return svptrue_b32(); }
static inline vm v_first(size_t n) { return svwhilelt_b32_u64(0, n); }

static inline vf v_set1(float a) { return svdup_n_f32(a); }
static inline vf v_load(const float *p) { return svld1_f32(v_every(), p); }
static inline void v_store(float *p, vf a) { svst1_f32(v_every(), p, a); }
static inline vf v_load_part(const float *p, size_t n) { return svld1_f32(v_first(n), p); }
static inline void v_store_part(float *p, vf a, size_t n) { svst1_f32(v_first(n), p, a); }
static inline vi v_load_high(const uint16_t *p) { return svlsl_n_u32_x(v_every(), svld1uh_u32(v_every(), p), 16); }
// The elements at even places, and those at odd ones, of two vectors.
static inline void v_load_dealt(const float *p, vf *even, vf *odd) {
    const svfloat32x2_t both = svld2_f32(v_every(), p);
    *even = svget2_f32(both, 0);
    *odd = svget2_f32(both, 1);
}
static inline void v_store_high(uint16_t *p, vi a) { svst1h_u32(v_every(), p, svlsr_n_u32_x(v_every(), a, 16)); }

#define SIMD_HARDWARE_F16 1
static inline vf v_load_f16(const uint16_t *p) {
    return svcvt_f32_f16_x(v_every(), svreinterpret_f16_u32(svld1uh_u32(v_every(), p)));
}
static inline void v_store_f16(uint16_t *p, vf a) {
    svst1h_u32(v_every(), p, svreinterpret_u32_f16(svcvt_f16_f32_x(v_every(), a)));
}

static inline vf v_add(vf a, vf b) { return svadd_f32_x(v_every(), a, b); }
static inline vf v_sub(vf a, vf b) { return svsub_f32_x(v_every(), a, b); }
static inline vf v_mul(vf a, vf b) { return svmul_f32_x(v_every(), a, b); }
static inline vf v_div(vf a, vf b) { return svdiv_f32_x(v_every(), a, b); }
static inline vf v_sqrt(vf a) { return svsqrt_f32_x(v_every(), a); }
static inline vf v_fma(vf a, vf b, vf c) { return svmla_f32_x(v_every(), c, a, b); }
static inline vf v_fnma(vf a, vf b, vf c) { return svmls_f32_x(v_every(), c, a, b); }
// The instructions for these give a NaN where either is one.
static inline vf v_min(vf a, vf b) { return svsel_f32(svcmplt_f32(v_every(), a, b), a, b); }
static inline vf v_max(vf a, vf b) { return svsel_f32(svcmpgt_f32(v_every(), a, b), a, b); }
static inline vm v_less(vf a, vf b) { return svcmplt_f32(v_every(), a, b); }
static inline vm v_is_nan(vf a) { return svcmpuo_f32(v_every(), a, a); }

static inline vi v_bits(vf a) { return svreinterpret_u32_f32(a); }
static inline vf v_float(vi a) { return svreinterpret_f32_u32(a); }
static inline vi vi_set1(uint32_t a) { return svdup_n_u32(a); }
static inline vi vi_add(vi a, vi b) { return svadd_u32_x(v_every(), a, b); }
static inline vi vi_and(vi a, vi b) { return svand_u32_x(v_every(), a, b); }
static inline vi vi_or(vi a, vi b) { return svorr_u32_x(v_every(), a, b); }
static inline vi vi_shl16(vi a) { return svlsl_n_u32_x(v_every(), a, 16); }
static inline vi vi_shl23(vi a) { return svlsl_n_u32_x(v_every(), a, 23); }
static inline vi vi_shr16(vi a) { return svlsr_n_u32_x(v_every(), a, 16); }
static inline vf v_select(vm m, vf a, vf b) { return svsel_f32(m, a, b); }
static inline vi vi_select(vm m, vi a, vi b) { return svsel_u32(m, a, b); }

// Two vectors in the order of memory dealt to even and odd places, and put back.
static inline void v_deal(vf a, vf b, vf out[2]) {
    out[0] = svuzp1_f32(a, b);
    out[1] = svuzp2_f32(a, b);
}
static inline void v_riffle(vf even, vf odd, vf out[2]) {
    out[0] = svzip1_f32(even, odd);
    out[1] = svzip2_f32(even, odd);
}

// Each lane added to a double of its own, and doubles rounded to lanes. Conversions take and leave every other lane.
static inline void v_add_to_doubles(double *sums, vf a) {
    const size_t half = SIMD_WIDTH / 2;
    const svbool_t all = svptrue_b64();
    const svfloat64_t low = svcvt_f64_f32_x(all, svzip1_f32(a, a)), high = svcvt_f64_f32_x(all, svzip2_f32(a, a));
    svst1_f64(all, sums, svadd_f64_x(all, svld1_f64(all, sums), low));
    svst1_f64(all, sums + half, svadd_f64_x(all, svld1_f64(all, sums + half), high));
}
static inline vf v_from_doubles(const double *sums) {
    const svbool_t all = svptrue_b64();
    const svfloat32_t low = svcvt_f32_f64_x(all, svld1_f64(all, sums));
    return svuzp1_f32(low, svcvt_f32_f64_x(all, svld1_f64(all, sums + SIMD_WIDTH / 2)));
}

static inline float v_sum(vf a) { return svaddv_f32(v_every(), a); }
static inline float v_largest(vf a) { return svmaxv_f32(v_every(), a); }

// glibc's own vector tanh, by its name in the vector ABI of 64-bit Arm; there since glibc 2.40.
#if SIMD_GLIBC_SINCE(2, 40)
#define SIMD_MVEC 1
svfloat32_t _ZGVsMxv_tanhf(svfloat32_t, svbool_t);
static inline vf v_tanh_mvec(vf x) { return _ZGVsMxv_tanhf(x, v_every()); }
#endif

#endif
