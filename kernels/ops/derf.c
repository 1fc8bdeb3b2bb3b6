// SPDX-License-Identifier: MIT
// derf: y = gamma erf(alpha x + shift) + beta. f' = 2 / sqrt(pi) exp(-z^2), which is zero where exp(-z^2) would be
// below the smallest normal number; a z whose square is out of range gives exp(-infinity), the same.
#define OP NORM_DERF
#define PARAMS (NORM_GAMMA | NORM_BETA | NORM_ALPHA | NORM_SHIFT)
#include "squash.h"

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    (void)spec;
    if (slope != NULL)
        *slope = v_mul(v_set1(0x1.20dd76p+0f), v_exp_u2(v_fnma(z, z, v_zero()))); // 2 / sqrt(pi)
    return v_erf_u2(z);
}

#define VARIANTS(X, name, DTYPE) NORM_VARIANTS(X, name, DTYPE, u2, 0)
#define STREAMED(X, name, DTYPE) X(name, DTYPE, u2, , PARAMS, 0)
NORM_FUSED_TABLE(derf);
