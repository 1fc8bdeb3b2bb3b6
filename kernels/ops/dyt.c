// SPDX-License-Identifier: MIT
// dyt: y = gamma tanh(alpha x) + beta. Variants by their tanh: `libm` calls tanhf for each element, `mvec` glibc's
// vector function, `u2` is ours, `lp` is ours for results that are rounded to bf16, so f32 has none.
#include "simd/simd.h"

enum { TANH_LIBM, TANH_MVEC, TANH_U2, TANH_LP };
#ifdef SIMD_MVEC
#define WITH_MVEC(...) __VA_ARGS__
#else
#define WITH_MVEC(...)
#endif

#define OP NORM_DYT
#define PARAMS (NORM_GAMMA | NORM_BETA | NORM_ALPHA)
#define FOLDS(algorithm) ((algorithm) == TANH_U2 || (algorithm) == TANH_LP)
#include "squash.h"

SIMD_INLINE vf v_tanh(kernel_spec spec, vf z) {
    switch (spec.algorithm) {
    case TANH_U2:
        return v_tanh_u2(z);
    case TANH_LP:
        return v_tanh_lp(z);
#ifdef SIMD_MVEC
    case TANH_MVEC:
        return v_tanh_mvec(z);
#endif
    default:
        return v_tanh_libm(z);
    }
}

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    const vf t = v_tanh(spec, z);
    if (slope != NULL)
        *slope = v_fnma(t, t, v_set1(1.0f));
    return t;
}

SIMD_INLINE bool fold(kernel_spec spec, float alpha, folded_alpha *out) {
    return spec.algorithm == TANH_LP ? tanh_lp_fold(alpha, &out->lp) : tanh_u2_fold(alpha, &out->u2);
}
SIMD_INLINE vf squash_folded(kernel_spec spec, const folded_alpha *folded, vf x) {
    return spec.algorithm == TANH_LP ? v_tanh_lp_folded(&folded->lp, x) : v_tanh_u2_folded(&folded->u2, x);
}

// `lp` is what bf16 tells no tanh apart from; f16, with three bits more, does.
#define LP_f32(X)
#define LP_f16(X)
#define LP_bf16(X)                                                                                                     \
    NORM_VARIANTS(X, bf16, NORM_BF16, lp, TANH_LP) NORM_VARIANT_F32_AFFINE(X, bf16, NORM_BF16, lp, TANH_LP)
#define VARIANTS(X, name, DTYPE)                                                                                       \
    NORM_VARIANTS(X, name, DTYPE, u2, TANH_U2)                                                                         \
    NORM_VARIANT_F32_AFFINE(X, name, DTYPE, u2, TANH_U2)                                                               \
    LP_##name(X) WITH_MVEC(X(name, DTYPE, mvec, , PARAMS, TANH_MVEC)) X(name, DTYPE, libm, , PARAMS, TANH_LIBM)        \
        X(name, DTYPE, libm, _nobeta, PARAMS & ~NORM_BETA, TANH_LIBM)
#define LP_NT_f32(X)
#define LP_NT_f16(X)
#define LP_NT_bf16(X) X(bf16, NORM_BF16, lp, , PARAMS, TANH_LP)
#define STREAMED(X, name, DTYPE)                                                                                       \
    X(name, DTYPE, u2, , PARAMS, TANH_U2)                                                                              \
    X(name, DTYPE, u2, _nobeta, PARAMS & ~NORM_BETA, TANH_U2) LP_NT_##name(X)
NORM_FUSED_TABLE(dyt);
