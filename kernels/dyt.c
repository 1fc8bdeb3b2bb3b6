// SPDX-License-Identifier: MIT
// dyt: y = gamma tanh(alpha x) + beta. Variants by their tanh: `libm` calls tanhf for each element, `u2` is ours, `lp`
// is ours for results that are rounded to bf16, so f32 has none.
#include "squash.h"

enum { TANH_LIBM, TANH_U2, TANH_LP };

SIMD_INLINE vf v_tanh(kernel_spec spec, vf z) {
    return spec.algorithm == TANH_U2 ? v_tanh_u2(z) : spec.algorithm == TANH_LP ? v_tanh_lp(z) : v_tanh_libm(z);
}

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    const vf t = v_tanh(spec, z);
    if (slope != NULL)
        *slope = v_fnma(t, t, v_set1(1.0f));
    return t;
}

#define OP NORM_DYT
#define LP_f32(X)
#define LP_bf16(X) SQUASH_VARIANTS(X, bf16, NORM_BF16, lp, NORM_GAMMA | NORM_BETA | NORM_ALPHA, TANH_LP)
#define VARIANTS(X, name, DTYPE)                                                                                       \
    SQUASH_VARIANTS(X, name, DTYPE, u2, NORM_GAMMA | NORM_BETA | NORM_ALPHA, TANH_U2)                                  \
    LP_##name(X) X(name, DTYPE, libm, NORM_GAMMA | NORM_BETA | NORM_ALPHA, TANH_LIBM)                                  \
        X(name, DTYPE, libm_nobeta, NORM_GAMMA | NORM_ALPHA, TANH_LIBM)
NORM_FUSED_TABLE(dyt);
