// SPDX-License-Identifier: MIT
// dyt: y = gamma tanh(alpha x) + beta. Variants by their tanh: `libm` calls tanhf for each element, `u2` is ours.
#include "squash.h"

enum { TANH_LIBM, TANH_U2 };

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    const vf t = spec.algorithm == TANH_U2 ? v_tanh_u2(z) : v_tanh_libm(z);
    if (slope != NULL)
        *slope = v_fnma(t, t, v_set1(1.0f));
    return t;
}

#define OP NORM_DYT
#define VARIANTS(X, name, DTYPE)                                                                                       \
    SQUASH_VARIANTS(X, name, DTYPE, u2, NORM_GAMMA | NORM_BETA | NORM_ALPHA, TANH_U2)                                  \
    X(name, DTYPE, libm, NORM_GAMMA | NORM_BETA | NORM_ALPHA, TANH_LIBM)                                               \
    X(name, DTYPE, libm_nobeta, NORM_GAMMA | NORM_ALPHA, TANH_LIBM)
NORM_FUSED_TABLE(dyt);
