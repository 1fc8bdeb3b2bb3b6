// SPDX-License-Identifier: MIT
// sigmoid: y = gamma sigmoid(alpha x) + beta, sigmoid(z) = 1 / (1 + exp(-z)), f' = f (1 - f).
//
// With e = exp(-|z|), sigmoid is 1 / (1 + e) for z >= 0 and e / (1 + e) below: e is at most 1, so nothing overflows,
// and small results keep their relative accuracy; below the smallest normal number they are zero.
#include "squash.h"

SIMD_INLINE vf squash(kernel_spec spec, vf z, vf *slope) {
    (void)spec;
    const vf one = v_set1(1.0f), e = v_exp_u2(v_sub(v_zero(), v_abs(z)));
    // A NaN is not less than zero; its 1 / (1 + e) is a NaN.
    const vf s = v_div(v_select(v_less(z, v_zero()), e, one), v_add(one, e));
    if (slope != NULL)
        *slope = v_mul(s, v_sub(one, s));
    return s;
}

#define OP NORM_SIGMOID
#define VARIANTS(X, name, DTYPE) SQUASH_VARIANTS(X, name, DTYPE, u2, NORM_GAMMA | NORM_BETA | NORM_ALPHA, 0)
NORM_FUSED_TABLE(sigmoid);
